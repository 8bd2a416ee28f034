"""Points that tell classes apart: one for each region, and more along borders until the nearest point is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geocbar.grid.lattice import dbscan

__all__ = ["hold_borders", "nearest_pixels"]

#: Share of the pixels with a class whose nearest point may be of another class: a little less than promised.
_ALLOWED = 0.0095

#: Pixels that are looked at before all of them are.
_SAMPLE = 200_000

#: Fewer pixels than one of so many are looked up one by one, more by a distance transform of the whole picture.
_SPARSE = 8

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
        while True:
            owner = nearest_pixels(at, flat, classes.shape)
            wrong = np.flatnonzero(source[owner] != source[flat])
            if len(wrong) <= _ALLOWED * len(flat):
                break
            more = _middle_of_each(flat[wrong], owner[wrong], source, width)
            if middles is not None:
                pair = middles.query(_places(more, width))[1]
                pairs = np.concatenate([here[pair], there[pair]])
                more = more if np.isin(pairs, at).all() else pairs
            at = np.union1d(at, more)
    number = np.searchsorted(at, owner)
    extent = np.zeros(len(at))
    np.maximum.at(extent, number, _distance(owner, flat, width))
    count = np.bincount(number, minlength=len(at)).astype(np.int64)
    return at, count, extent


def nearest_pixels(at: NDArray[np.int64], flat: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The nearest of some pixels to each of others, all by flat index in a picture of a shape."""
    from scipy import ndimage
    from scipy.spatial import cKDTree

    height, width = shape
    if len(flat) < height * width / _SPARSE:
        return np.asarray(at[cKDTree(_places(at, width)).query(_places(flat, width))[1]])
    free = np.ones(shape, np.bool_)
    free.ravel()[at] = False
    row, col = ndimage.distance_transform_edt(free, return_distances=False, return_indices=True)
    return row.ravel()[flat].astype(np.int64) * width + col.ravel()[flat]


def _distance(one: NDArray[np.int64], other: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    return np.asarray(np.hypot(one // width - other // width, one % width - other % width))


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
    regions = dbscan(classes, eps=1, min_samples=1).labels.ravel()
    member = np.flatnonzero(regions >= 0)
    sizes = np.bincount(regions[member])
    pixel = member[np.argsort(regions[member], kind="stable")][np.cumsum(sizes) - (sizes + 1) // 2]
    known, first = np.unique(regions[start], return_index=True)
    pixel[known[known >= 0]] = start[first[known >= 0]]
    of = classes.ravel()[pixel]
    largest = np.zeros(int(of.max()) + 1, np.int64)
    np.maximum.at(largest, of, sizes)
    return np.unique(pixel[(sizes >= _SPECK) | (sizes == largest[of])])


def _middle_of_each(
    flat: NDArray[np.int64], owner: NDArray[np.int64], source: NDArray[np.int32], width: int
) -> NDArray[np.int64]:
    """Of the pixels that one point is wrongly nearest to, those of one class: the one in the middle by distance."""
    order = np.lexsort((flat, _distance(owner, flat, width), source[flat], owner))
    key = owner[order] * (int(source.max()) + 1) + source[flat[order]]
    start = np.flatnonzero(np.diff(key, prepend=-1))
    length = np.diff(start, append=len(key))
    return np.asarray(flat[order[start + length // 2]])


def _places(flat: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    return np.stack([flat % width, flat // width], axis=1).astype(np.float64)
