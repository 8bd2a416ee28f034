"""Points that tell classes apart: one for each region, and more along borders until the nearest point is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["hold_borders"]

#: Share of the pixels with a class whose nearest point may be of another class.
_ALLOWED = 0.01

#: Pixels that are looked at before all of them are.
_SAMPLE = 200_000

#: Regions with fewer pixels get a point only if they are needed: specks of ink and noise.
_SPECK = 9


def hold_borders(
    classes: NDArray[np.int32], start: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pixels whose nearest-neighbour regions are the classes of a picture.

    Parameters
    ----------
    classes : (h, w) int32 array
        Class of each pixel, negative where there is none.
    start : (n,) int array
        Flat indices of pixels to choose from: the first of each region is its point.

    Returns
    -------
    flat : (m,) int64 array
        Flat indices, ascending. The nearest of them is of the right class at 99 % of the pixels that have one.
    count : (m,) int64 array
        Pixels of which each is the nearest.
    extent : (m,) float array
        Distance in pixels of the farthest of them.
    """
    from scipy.spatial import cKDTree

    width = classes.shape[1]
    source = classes.ravel()
    at = _one_per_region(classes, start)
    here, there = _border_pairs(classes)
    middles = cKDTree((_places(here, width) + _places(there, width)) / 2) if len(here) else None
    everything = np.flatnonzero(classes >= 0)
    step = max(1, int((len(everything) / _SAMPLE) ** 0.5))
    on_lattice = (everything // width % step == 0) & (everything % width % step == 0)
    for flat in (everything[on_lattice], everything):
        places = _places(flat, width)
        while True:
            distance, owner = cKDTree(_places(at, width)).query(places)
            wrong = source[at][owner] != source[flat]
            if np.count_nonzero(wrong) <= _ALLOWED * len(flat):
                break
            more = _middle_of_each(flat[wrong], owner[wrong], source, distance[wrong])
            if middles is not None:
                pair = middles.query(_places(more, width))[1]
                pairs = np.concatenate([here[pair], there[pair]])
                more = more if np.isin(pairs, at).all() else pairs
            at = np.union1d(at, more)
    extent = np.zeros(len(at))
    np.maximum.at(extent, owner, distance)
    count = np.bincount(owner, minlength=len(at)).astype(np.int64)
    return at, count, extent


def _border_pairs(classes: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Flat indices of all neighbours, across and down, that are of two classes: the border runs between them."""
    width = classes.shape[1]
    across = (classes[:, :-1] != classes[:, 1:]) & (classes[:, :-1] >= 0) & (classes[:, 1:] >= 0)
    down = (classes[:-1] != classes[1:]) & (classes[:-1] >= 0) & (classes[1:] >= 0)
    row, col = np.nonzero(across)
    above = np.flatnonzero(down)
    left = row * width + col
    return np.concatenate([left, above]), np.concatenate([left + 1, above + width])


def _one_per_region(classes: NDArray[np.int32], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first of the given pixels in every connected region of one class, else its pixel in the middle of its row."""
    from scipy import ndimage

    chosen = []
    for number in np.unique(classes[classes >= 0]):
        regions, n_regions = ndimage.label(classes == number)
        regions = regions.ravel()
        sizes = np.bincount(regions, minlength=n_regions + 1)
        member = np.flatnonzero(regions)
        member = member[np.argsort(regions[member], kind="stable")]
        stops = np.cumsum(sizes[1:])
        pixel = member[stops - (sizes[1:] + 1) // 2]
        known, first = np.unique(regions[start], return_index=True)
        pixel[known[known > 0] - 1] = start[first[known > 0]]
        large = sizes[1:] >= _SPECK
        chosen.append(pixel[large] if large.any() else pixel[[sizes[1:].argmax()]])
    return np.unique(np.concatenate(chosen))


def _middle_of_each(
    flat: NDArray[np.int64], owner: NDArray[np.int64], source: NDArray[np.int32], distance: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Of the pixels that one point is wrongly nearest to, those of one class: the one in the middle by distance."""
    order = np.lexsort((flat, distance, source[flat], owner))
    key = owner[order] * (int(source.max()) + 1) + source[flat[order]]
    start = np.flatnonzero(np.diff(key, prepend=-1))
    length = np.diff(start, append=len(key))
    return flat[order[start + length // 2]]


def _places(flat: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    return np.stack([flat % width, flat // width], axis=1).astype(np.float64)
