"""Outlines of shapes as polygons: traced around a mask, simplified, and filled again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Corners to either side over which the direction of an outline is taken.
NORMAL_SPAN = 6

__all__ = ["inward_normals", "pixels_inside", "simplified", "smoothed", "traced_outline"]


def traced_outline(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The outer boundary of a connected mask, along the pixels' edges, clockwise as seen on the page.

    Parameters
    ----------
    mask : (h, w) bool array
        One connected shape.

    Returns
    -------
    (k, 2) float array
        Corners (x, y) in pixels, one pixel apart, not closed.
    """
    filled = np.pad(mask, 1)
    row, col = (int(c) - 1 for c in np.argwhere(filled)[0])
    # Directions right, down, left, up; for each the pixel ahead to the left and to the right of the way.
    steps = ((1, 0), (0, 1), (-1, 0), (0, -1))
    ahead_left = ((0, -1), (0, 0), (-1, 0), (-1, -1))
    ahead_right = ((0, 0), (-1, 0), (-1, -1), (0, -1))
    x, y, way = col, row, 0
    start = (x, y)
    cells = filled.tolist()
    corners = []
    while True:
        corners.append((x, y))
        x, y = x + steps[way][0], y + steps[way][1]
        dx, dy = ahead_left[way]
        if cells[y + dy + 1][x + dx + 1]:
            way = (way + 3) % 4
        else:
            dx, dy = ahead_right[way]
            if not cells[y + dy + 1][x + dx + 1]:
                way = (way + 1) % 4
        if (x, y) == start:
            return np.array(corners, dtype=np.float64)


def smoothed(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """A traced outline without its stairs: each corner becomes the mean of five."""
    return np.asarray(sum(np.roll(outline, k, axis=0) for k in range(-2, 3)) / 5)


def inward_normals(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors (n, 2) that point into a shape from the corners of its traced, smoothed outline."""
    along = np.roll(outline, -NORMAL_SPAN, axis=0) - np.roll(outline, NORMAL_SPAN, axis=0)
    normal = np.column_stack([-along[:, 1], along[:, 0]])
    return np.asarray(normal / np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-9)[:, None])


def simplified(outline: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Fewer corners, such that none of those left out is farther than `tolerance` from the polygon.

    Parameters
    ----------
    outline : (n, 2) float array
        Closed polygon.
    tolerance : float
        In pixels.

    Returns
    -------
    (k, 2) float array
        Ramer-Douglas-Peucker: https://doi.org/10.3138/FM57-6770-U75U-7727.
    """
    n = len(outline)
    far = int(np.argmax(((outline - outline[0]) ** 2).sum(axis=1)))
    keep = {0, far}
    closed = np.concatenate([outline, outline[:1]])
    stack = [(0, far), (far, n)]
    while stack:
        a, b = stack.pop()
        if b - a < 2:
            continue
        chord = closed[b] - closed[a]
        length = float(np.hypot(chord[0], chord[1]))
        apart = closed[a + 1 : b] - closed[a]
        if length > 0:
            distance = np.abs(apart[:, 0] * chord[1] - apart[:, 1] * chord[0]) / length
        else:
            distance = np.hypot(apart[:, 0], apart[:, 1])
        worst = int(np.argmax(distance))
        if distance[worst] > tolerance:
            keep.add(a + 1 + worst)
            stack += [(a, a + 1 + worst), (a + 1 + worst, b)]
    return outline[sorted(keep)]


def pixels_inside(outline: NDArray[np.float64], width: int, height: int) -> NDArray[np.bool_]:
    """Which pixel centres lie inside a polygon (even-odd rule).

    Parameters
    ----------
    outline : (k, 2) float array
        Corners (x, y) in pixels.
    width, height : int
        Size of the picture.

    Returns
    -------
    (height, width) bool array
    """
    flips = np.zeros((height, width + 1), np.uint8)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        low, high = (y0, y1) if y0 < y1 else (y1, y0)
        rows = np.arange(max(int(np.ceil(low - 0.5)), 0), min(int(np.ceil(high - 0.5)), height))
        if len(rows):
            x = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            flips[rows, np.clip(np.ceil(x - 0.5), 0, width).astype(np.intp)] ^= 1
    return np.asarray(np.bitwise_xor.accumulate(flips[:, :width], axis=1) == 1)
