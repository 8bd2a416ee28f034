"""Strokes of a brush, laid on a mask."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from geocbar.app.picker.hand_work import Stroke

__all__ = ["lay_strokes"]


def lay_strokes(mask: NDArray[np.uint8], strokes: Iterable[Stroke]) -> NDArray[np.uint8]:
    """A mask with strokes on it: every pixel whose centre lies within the radius of a stroke's path.

    Parameters
    ----------
    mask : (h, w) uint8 array
    strokes : iterable of Stroke
        In the order in which they were drawn.

    Returns
    -------
    (h, w) uint8 array
        A copy.
    """
    out = np.array(mask)
    for stroke in strokes:
        path = np.array(stroke.path, dtype=np.float64)
        ends = path[1:] if len(path) > 1 else path
        for a, b in zip(path, ends, strict=False):
            _lay(out, a, b, stroke)
    return out


def _lay(mask: NDArray[np.uint8], a: NDArray[np.float64], b: NDArray[np.float64], stroke: Stroke) -> None:
    """One straight piece."""
    height, width = mask.shape
    low = np.floor(np.minimum(a, b) - stroke.radius - 1)
    high = np.ceil(np.maximum(a, b) + stroke.radius + 1)
    left, top = np.clip(low, 0, [width, height]).astype(int).tolist()
    right, bottom = np.clip(high, 0, [width, height]).astype(int).tolist()
    if left >= right or top >= bottom:
        return
    x, y = np.arange(left, right) + 0.5, (np.arange(top, bottom) + 0.5)[:, None]
    along = b - a
    square = float(along @ along)
    share = np.clip(((x - a[0]) * along[0] + (y - a[1]) * along[1]) / square, 0, 1) if square > 0 else 0.0
    near = np.hypot(x - a[0] - share * along[0], y - a[1] - share * along[1]) <= stroke.radius
    mask[top:bottom, left:right][near] = stroke.code
