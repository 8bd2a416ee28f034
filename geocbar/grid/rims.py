"""The corners of what has a value, so that every pixel lies between points of its own region."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError

__all__ = ["rim_pixels"]

#: A hull's corner is left out if the straight line without it passes so near, in pixels, or so near as a share of the
#: pixels over the length around them: half of that share or so comes to lie outside.
_NEAR, _NEAR_SHARE = 0.5, 0.0095

#: Regions are as large as this, as a share of the pixels with a value; gaps narrower than twice the other, in
#: pixels, do not divide them: lines and letters that were masked.
_LEAST, _GAP = 0.01, 3


def rim_pixels(valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Corners of the convex hull of all pixels with a value, and of each large region of them.

    Parameters
    ----------
    valid : (h, w) bool array

    Returns
    -------
    (n,) int64 array
        Flat indices, ascending.

    Raises
    ------
    InvalidInputError
        If the pixels with a value lie on one line.
    """
    n_valid = int(np.count_nonzero(valid))
    corners = [_hull_corners(valid, 0, 0, valid.shape[1])]
    if n_valid < 3:
        raise InvalidInputError(
            f"{n_valid} pixel{'s' * (n_valid != 1)} with a value is no surface to rebuild.",
            "Check the place of the map, or thin without a promise: --max-error none",
        )
    if len(corners[0]) < 3:
        raise InvalidInputError(
            f"The {n_valid} pixels with a value lie on one line: there are no triangles to rebuild them from.",
            "Check the place of the map, or thin without a promise: --max-error none",
        )
    if n_valid < valid.size:
        corners += [c for c in _region_corners(valid, n_valid) if len(c) >= 3]
    return np.unique(np.concatenate(corners))


def _region_corners(valid: NDArray[np.bool_], n_valid: int) -> list[NDArray[np.int64]]:
    from scipy import ndimage

    joined = ndimage.uniform_filter(valid.astype(np.uint8) * np.uint8(255), 2 * _GAP + 1, mode="constant") > 0
    regions, n_regions = ndimage.label(joined, np.ones((3, 3)))
    if n_regions < 2:
        return []
    regions *= valid
    sizes = np.bincount(regions.ravel(), minlength=n_regions + 1)
    boxes = ndimage.find_objects(regions)
    return [
        _hull_corners(regions[box] == number, box[0].start, box[1].start, valid.shape[1])
        for number, box in enumerate(boxes, 1)
        if box is not None and sizes[number] >= max(_LEAST * n_valid, 16)
    ]


def _hull_corners(mask: NDArray[np.bool_], top: int, left: int, width: int) -> NDArray[np.int64]:
    """Corners of the convex hull, simplified, as flat indices of a picture so wide; fewer than 3 if it is a line."""
    from scipy.spatial import ConvexHull, QhullError

    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    ends = np.column_stack([np.tile(rows, 2), np.concatenate([first, last])])
    try:
        ring = ends[ConvexHull(ends).vertices]
    except (QhullError, ValueError):
        return np.zeros(0, np.int64)
    around = 2 * (len(rows) + int(last.max() - first.min()) + 1)
    ring = _simplify(ring, min(_NEAR, _NEAR_SHARE * np.count_nonzero(mask) / around))
    return np.asarray((ring[:, 0] + top) * width + ring[:, 1] + left, np.int64)


def _simplify(ring: NDArray[np.int64], near: float) -> NDArray[np.int64]:
    """Corners of a convex ring without those that chords between the others pass near (Douglas and Peucker)."""
    centre = ring.mean(axis=0)
    a = int(((ring - centre) ** 2).sum(axis=1).argmax())
    ring = np.roll(ring, -a, axis=0)
    b = int(((ring - ring[0]) ** 2).sum(axis=1).argmax())
    keep = np.zeros(len(ring) + 1, np.bool_)
    keep[[0, b]] = True
    closed = np.concatenate([ring, ring[:1]])
    stack = [(0, b), (b, len(ring))]
    while stack:
        start, stop = stack.pop()
        if stop - start < 2:
            continue
        chord = closed[stop] - closed[start]
        arm = closed[start + 1 : stop] - closed[start]
        distance = np.abs(chord[0] * arm[:, 1] - chord[1] * arm[:, 0]) / np.hypot(*chord)
        farthest = int(distance.argmax())
        if distance[farthest] > near:
            middle = start + 1 + farthest
            keep[middle] = True
            stack += [(start, middle), (middle, stop)]
    return ring[keep[:-1]]
