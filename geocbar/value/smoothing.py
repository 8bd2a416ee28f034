"""The 3 x 3 median, in row blocks on both cores, and beside pixels that are no data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geocbar.value.blocks import Tile, cut_rows, cut_tiles, do_all
from geocbar.value.masks import grown
from geocbar.value.rejection import local_reference

__all__ = ["median_of_nine", "median_of_valid"]

#: Pixels of a block of rows: a dozen of its arrays stay in a core's own cache.
_BLOCK_PIXELS = 1 << 15
_TILE = 1024

#: Exchanges that leave the median of nine in the middle (Paeth, Graphics Gems, 1990).
_LOWS = (1, 4, 7, 0, 3, 6, 1, 4, 7, 0, 5, 4, 3, 1, 2, 4, 4, 6, 4)
_HIGHS = (2, 5, 8, 1, 4, 7, 2, 5, 8, 3, 8, 7, 6, 4, 5, 7, 2, 4, 2)


def median_of_nine(values: NDArray[np.float32], out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Median of each pixel and its eight neighbours; the picture's edge is repeated outwards.

    Parameters
    ----------
    values : (h, w) float32 array
        Without NaN.
    out : (h, w) float32 array or None
        Where to write the medians; not `values` itself.

    Returns
    -------
    (h, w) float32 array
    """
    height, width = values.shape
    medians = np.empty_like(values) if out is None else out

    def work(part: slice) -> None:
        rows = np.clip(np.arange(part.start - 1, part.stop + 1), 0, height - 1)
        padded = np.pad(values[rows], ((0, 0), (1, 1)), mode="edge")
        size = part.stop - part.start
        nine = [padded[dy : size + dy, dx : dx + width].copy() for dy in range(3) for dx in range(3)]
        spare = np.empty_like(nine[0])
        for low, high in zip(_LOWS, _HIGHS, strict=True):
            np.minimum(nine[low], nine[high], out=spare)
            np.maximum(nine[low], nine[high], out=nine[high])
            nine[low], spare = spare, nine[low]
        medians[part] = nine[4]

    do_all(work, cut_rows(values.shape, _BLOCK_PIXELS))
    return medians


def median_of_valid(
    values: NDArray[np.float32], valid: NDArray[np.bool_], out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Like :func:`median_of_nine`, but pixels that are no data take no part.

    Parameters
    ----------
    values : (h, w) float32 array
        Without NaN.
    valid : (h, w) bool array
    out : (h, w) float32 array or None
        Where to write the medians; not `values` itself.

    Returns
    -------
    (h, w) float32 array
        A valid pixel with fewer than five valid ones in its square keeps its value.
    """
    medians = median_of_nine(values, out)

    def work(tile: Tile) -> None:
        seen, known = values[tile.seen], valid[tile.seen]
        beside = np.zeros(seen.shape, bool)
        beside[tile.within] = (known & grown(~known, 1))[tile.within]
        rows, cols = np.nonzero(beside)
        if len(rows):
            middle, _ = local_reference(seen, known, rows, cols, 1, 1)
            chosen = np.where(np.isnan(middle), seen[rows, cols], middle)
            top, left = tile.seen[0].start, tile.seen[1].start
            medians[rows + top, cols + left] = chosen

    do_all(work, cut_tiles(values.shape, _TILE, 2))
    return medians
