"""Growing and shrinking masks by squares, in blocks of rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

__all__ = ["grown", "opened", "shrunk"]

_WORKERS = 2

#: Rows are worked on in blocks of so many pixels, which stay in a core's own cache.
_BLOCK_PIXELS = 1 << 19


def grown(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Dilation by a square of ``2 radius + 1`` pixels.

    Parameters
    ----------
    mask : (h, w) bool array
    radius : int
        In pixels; 0 gives the mask itself.

    Returns
    -------
    (h, w) bool array

    Notes
    -----
    A square is a row of pixels, then a column, and each is reached by shifts that double (van Herk's idea for powers of
    two): whole rows of bytes are combined at once.
    """
    if radius <= 0:
        return mask
    height, width = mask.shape
    out = np.empty(mask.shape, bool)
    rows = max(_BLOCK_PIXELS // max(width, 1), 4 * radius)

    def work(top: int) -> None:
        bottom = min(top + rows, height)
        first, last = max(top - radius, 0), min(bottom + radius, height)
        wide = _spread_along(np.ascontiguousarray(mask[first:last]), radius, 1)
        out[top:bottom] = _spread_along(wide, radius, 0)[top - first : bottom - first]

    if height <= rows:
        work(0)
        return out
    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in pool.map(work, range(0, height, rows)):
            pass
    return out


def shrunk(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Erosion by a square; what lies beyond the picture's edge does not erode."""
    out: NDArray[np.bool_] = ~grown(~mask, radius)
    return out


def opened(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Only what holds a square of ``2 radius + 1`` pixels (cut by the picture's edge)."""
    return grown(shrunk(mask, radius), radius)


def _spread_along(mask: NDArray[np.bool_], radius: int, axis: int) -> NDArray[np.bool_]:
    """Dilation along one axis, both ways."""
    n = mask.shape[axis]
    out = mask.copy()
    reached = 0
    while reached < min(radius, n - 1):
        step = min(reached + 1 if reached else 1, radius - reached, n - 1)
        before = out.copy()
        if axis == 0:
            out[step:] |= before[:-step]
            out[:-step] |= before[step:]
        else:
            out[:, step:] |= before[:, :-step]
            out[:, :-step] |= before[:, step:]
        reached += step
    return out
