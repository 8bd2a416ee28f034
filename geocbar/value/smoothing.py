"""The 3 x 3 median, in row blocks on both cores, and beside pixels that are no data."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from geocbar.value.masks import grown
from geocbar.value.rejection import local_reference

__all__ = ["median_of_nine", "median_of_valid"]

_BLOCK_ROWS = 64
_WORKERS = 2

#: Exchanges that leave the median of nine in the middle (Paeth, Graphics Gems, 1990).
_LOWS = (1, 4, 7, 0, 3, 6, 1, 4, 7, 0, 5, 4, 3, 1, 2, 4, 4, 6, 4)
_HIGHS = (2, 5, 8, 1, 4, 7, 2, 5, 8, 3, 8, 7, 6, 4, 5, 7, 2, 4, 2)


def median_of_nine(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of each pixel and its eight neighbours; the picture's edge is repeated outwards.

    Parameters
    ----------
    values : (h, w) float32 array
        Without NaN.

    Returns
    -------
    (h, w) float32 array
    """
    height, width = values.shape
    out = np.empty_like(values)

    def work(start: int) -> None:
        stop = min(start + _BLOCK_ROWS, height)
        rows = np.clip(np.arange(start - 1, stop + 1), 0, height - 1)
        padded = np.pad(values[rows], ((0, 0), (1, 1)), mode="edge")
        nine = [padded[dy : stop - start + dy, dx : dx + width].copy() for dy in range(3) for dx in range(3)]
        spare = np.empty_like(nine[0])
        for low, high in zip(_LOWS, _HIGHS, strict=True):
            np.minimum(nine[low], nine[high], out=spare)
            np.maximum(nine[low], nine[high], out=nine[high])
            nine[low], spare = spare, nine[low]
        out[start:stop] = nine[4]

    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in pool.map(work, range(0, height, _BLOCK_ROWS)):
            pass
    return out


def median_of_valid(values: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Like :func:`median_of_nine`, but pixels that are no data take no part.

    Parameters
    ----------
    values : (h, w) float32 array
        Without NaN.
    valid : (h, w) bool array

    Returns
    -------
    (h, w) float32 array
        A valid pixel with fewer than five valid ones in its square keeps its value.
    """
    out = median_of_nine(values)
    rows, cols = np.nonzero(valid & grown(~valid, 1))
    if len(rows):
        middle, _ = local_reference(values, valid, rows, cols, 1, 1)
        out[rows, cols] = np.where(np.isnan(middle), values[rows, cols], middle)
    return out
