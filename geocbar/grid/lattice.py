"""DBSCAN of the pixels of a picture: the lattice does what a search tree does for scattered points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError

__all__ = ["LatticeClusters", "dbscan"]

#: Neighbours up to this distance in pixels are counted by comparing shifted pictures, farther ones by runs.
NEAR = 4.5

#: Pixels or runs looked up at once; bounds the memory of the look-ups.
CHUNK = 1 << 18


@dataclass(frozen=True, eq=False)
class LatticeClusters:
    """Clusters of the pixels of a picture; the arrays are read-only.

    Parameters
    ----------
    labels : (h, w) int32 array
        Cluster of each pixel, -1 for noise and for pixels that take no part. Clusters are numbered from 0 in
        row-major order of their first core pixel.
    core : (h, w) bool array
        Whether the pixel has at least ``min_samples`` pixels within ``eps``, itself included.
    n_clusters : int
        Number of clusters.
    """

    labels: NDArray[np.int32]
    core: NDArray[np.bool_]
    n_clusters: int

    def __post_init__(self) -> None:
        self.labels.setflags(write=False)
        self.core.setflags(write=False)


@dataclass(frozen=True, eq=False)
class _Lattice:
    """One integer key a pixel, such that a window of a row of one level is an interval of keys.

    The key is ``(level * (h + reach) + row) * stride + col`` with ``stride = w + reach``: the empty margins keep a
    window that leaves the picture, by at most ``reach`` pixels, from touching another row or another level.
    """

    height: int
    width: int
    limit: int  # the largest squared distance of neighbours, floor(eps * eps)

    @property
    def reach(self) -> int:
        return math.isqrt(self.limit)

    @property
    def stride(self) -> int:
        return self.width + self.reach

    def half_width(self, dy: int) -> int:
        """Columns that neighbours `dy` rows away may differ by."""
        return math.isqrt(self.limit - dy * dy)

    def keys(self, flat: NDArray[np.int64], levels: NDArray[np.integer]) -> NDArray[np.int64]:
        """Keys of pixels given by their flat index and their level."""
        rows = flat // self.width
        keys = levels.astype(np.int64)
        keys *= self.height + self.reach
        keys += rows
        keys *= self.stride
        rows *= self.width
        keys -= rows
        keys += flat
        return keys


@dataclass(frozen=True, eq=False)
class _Runs:
    """Runs of pixels of one level along a row, sorted by (level, row, column).

    `first` and `last` are the keys of the end pixels of each run, `order` is the place of each run in row-major order.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    order: NDArray[np.int32]

    def window(self, low: NDArray[np.int64], high: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last run with a pixel in ``low <= key <= high``; the last comes before the first if none has."""
        return np.searchsorted(self.last, low), np.searchsorted(self.first, high, side="right") - 1


def dbscan(levels: NDArray[np.integer], eps: float, min_samples: int) -> LatticeClusters:
    """Cluster the pixels of a picture by DBSCAN, each level by itself.

    A pixel takes part if its level is not negative. Two pixels are neighbours if they have the same level and their
    centres lie at most `eps` pixels apart (squared distances are compared with ``eps * eps``). A pixel with at
    least `min_samples` neighbours, *itself included*, is a core pixel. Core pixels that are neighbours belong to one
    cluster. A pixel that is not core but has core neighbours is a border pixel and joins the one of their clusters
    with the smallest label, which is the cluster that reaches it first. All others are noise.

    With a single level the labels are those of ``sklearn.cluster.DBSCAN(eps, min_samples)`` on the (col, row) of the
    pixels in row-major order; with several levels they are those of scikit-learn on each level, renumbered.

    Parameters
    ----------
    levels : (h, w) integer array
        Level of each pixel, negative where it takes no part.
    eps : float
        Largest distance of neighbours in pixels, 1 to 50.
    min_samples : int
        Pixels within `eps` that make a pixel core, itself included; at least 1.

    Returns
    -------
    LatticeClusters

    Raises
    ------
    InvalidInputError
        If `eps` or `min_samples` is out of bounds, or `levels` is not a two-dimensional array of integers.

    Notes
    -----
    Time and memory are linear in the number of pixels. Core pixels are joined into runs along rows, runs of rows
    `dy` apart are connected where their gap allows it, and the clusters are the connected components of the runs.

    References
    ----------
    Ester, M., Kriegel, H.-P., Sander, J., Xu, X. (1996). A density-based algorithm for discovering clusters in large
    spatial databases with noise. Proc. KDD-96, 226-231. https://dl.acm.org/doi/10.5555/3001460.3001507

    Examples
    --------
    >>> dbscan(np.array([[0, 0, -1, 1, 1, -1, 0]]), eps=1, min_samples=2).labels
    array([[ 0,  0, -1,  1,  1, -1, -1]], dtype=int32)
    """
    if not 1 <= eps <= 50:
        raise InvalidInputError(f"eps is {eps:g} px, outside 1 to 50.", "Give eps=1.5 to join the 8 pixels around.")
    if min_samples < 1:
        raise InvalidInputError(
            f"min_samples is {min_samples}, but a pixel counts itself.", "Give min_samples=1 or more."
        )
    levels = _compact(levels)
    height, width = levels.shape
    lattice = _Lattice(height, width, math.floor(eps * eps))
    core = _find_core(levels, lattice, min_samples)
    labels = np.full(levels.shape, -1, np.int32)
    if not core.any():
        return LatticeClusters(labels, core, 0)
    cores = np.where(core, levels, levels.dtype.type(-1))
    runs, lengths = _find_runs(cores, lattice)
    del cores
    chains = _chain(runs, lattice.reach)
    components = _connect(runs, chains, lattice)[chains]
    label_of = _number(components, runs.order)
    numbers = label_of[components]
    del components
    in_order = np.empty(len(numbers), np.int32)
    in_order[runs.order] = numbers
    labels[core] = np.repeat(in_order, lengths)
    del in_order, lengths
    _join_border(labels, levels, core, lattice, runs, chains, numbers)
    return LatticeClusters(labels, core, len(label_of))


def _compact(levels: NDArray[np.integer]) -> NDArray[np.integer]:
    """Levels in the narrowest type that holds them, all negative ones as -1."""
    levels = np.asarray(levels)
    if levels.ndim != 2 or not np.issubdtype(levels.dtype, np.integer):
        raise InvalidInputError(
            f"Levels are a two-dimensional array of integers, not {levels.dtype} of shape {levels.shape}.",
            "Make them with quantize(values, limits).",
        )
    top = int(levels.max(initial=0))
    if top > np.iinfo(np.int32).max:
        known, inverse = np.unique(levels, return_inverse=True)
        levels = inverse.reshape(levels.shape) - int(np.searchsorted(known, 0))
        top = len(known)
    dtype = np.int16 if top <= np.iinfo(np.int16).max else np.int32
    if np.issubdtype(levels.dtype, np.unsignedinteger):
        return levels.astype(dtype)
    return np.maximum(levels, -1).astype(dtype)


def _find_core(levels: NDArray[np.integer], lattice: _Lattice, min_samples: int) -> NDArray[np.bool_]:
    """Which pixels have at least `min_samples` neighbours, themselves included."""
    height, width = levels.shape
    counts = np.ones(levels.shape, np.uint8)
    near = min(lattice.limit, math.floor(NEAR * NEAR))
    reach = math.isqrt(near)
    for dy in range(min(reach, height - 1) + 1):
        side = min(math.isqrt(near - dy * dy), width - 1)
        for dx in range(1 if dy == 0 else -side, side + 1):
            here = (slice(0, height - dy), slice(max(0, -dx), width - max(0, dx)))
            there = (slice(dy, height), slice(max(0, dx), width - max(0, -dx)))
            same = (levels[here] == levels[there]).view(np.uint8)
            counts[here] += same
            counts[there] += same
    taking_part = levels >= 0
    core = (counts >= min_samples) & taking_part
    if lattice.limit > near:
        _count_far(core, levels, lattice, min_samples)
    return core


def _chunks(
    levels: NDArray[np.integer], core: NDArray[np.bool_], lattice: _Lattice
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Flat indices and keys, ascending, of the pixels that take part and are not core, a manageable number at once."""
    rest = np.flatnonzero((levels >= 0) & ~core)
    for start in range(0, len(rest), CHUNK):
        flat = rest[start : start + CHUNK]
        level = levels.ravel()[flat]
        order = np.argsort(level, kind="stable")
        yield flat[order], lattice.keys(flat[order], level[order])


def _count_far(core: NDArray[np.bool_], levels: NDArray[np.integer], lattice: _Lattice, min_samples: int) -> None:
    """Decide by sums over runs, in place, which pixels are core that are not core already."""
    runs, _ = _find_runs(levels, lattice)
    before = np.concatenate([[0], np.cumsum(runs.last - runs.first + 1)])
    for flat, keys in _chunks(levels, core, lattice):
        counts = np.zeros(len(flat), np.int64)
        for dy in sorted(range(-lattice.reach, lattice.reach + 1), key=abs):
            side = lattice.half_width(dy)
            middle = keys + dy * lattice.stride
            i, j = runs.window(middle - side, middle + side)
            hit = np.flatnonzero(j >= i)
            i, j, middle = i[hit], j[hit], middle[hit]
            cut = np.maximum(middle - side - runs.first[i], 0) + np.maximum(runs.last[j] - middle - side, 0)
            counts[hit] += before[j + 1] - before[i] - cut
            enough = counts >= min_samples
            if enough.any():
                core.ravel()[flat[enough]] = True
                flat, keys, counts = flat[~enough], keys[~enough], counts[~enough]


def _find_runs(levels: NDArray[np.integer], lattice: _Lattice) -> tuple[_Runs, NDArray[np.int32]]:
    """Runs of equal, not negative level, and their lengths in row-major order."""
    edge = np.ones((lattice.height, lattice.width + 1), bool)
    np.not_equal(levels[:, 1:], levels[:, :-1], out=edge[:, 1:-1])
    taking_part = levels >= 0
    first = np.flatnonzero(edge[:, :-1] & taking_part)
    last = np.flatnonzero(edge[:, 1:] & taking_part)
    del edge, taking_part
    last -= first
    lengths = (last + 1).astype(np.int32)
    del last
    level = levels.ravel()[first]
    first = lattice.keys(first, level)
    order = np.argsort(level, kind="stable").astype(np.int32)
    first = first[order]
    return _Runs(first, first + (lengths[order] - 1), order), lengths


def _chain(runs: _Runs, reach: int) -> NDArray[np.int32]:
    """Number the chains of runs of one row and level whose pixels are neighbours along the row."""
    chains = np.zeros(len(runs.first), np.int32)
    np.cumsum(runs.first[1:] - runs.last[:-1] > reach, out=chains[1:])
    return chains


def _connect(runs: _Runs, chains: NDArray[np.int32], lattice: _Lattice) -> NDArray[np.int32]:
    """Component of every chain: chains are joined if pixels of theirs in different rows are neighbours."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = int(chains[-1]) + 1
    components = np.arange(n, dtype=np.int32)
    for dy in range(1, lattice.reach + 1):
        links = [
            _links(runs, slice(start, start + CHUNK), chains, components, dy, lattice)
            for start in range(0, len(chains), CHUNK)
        ]
        here, there = np.concatenate(links, axis=1)
        del links
        if len(here) == 0:
            continue
        graph = coo_matrix((np.ones(len(here), np.int8), (here, there)), shape=(n, n))
        n, joined = connected_components(graph, directed=False)
        components = joined[components]
    return components


def _links(
    runs: _Runs,
    part: slice,
    chains: NDArray[np.int32],
    components: NDArray[np.int32],
    dy: int,
    lattice: _Lattice,
) -> NDArray[np.int32]:
    """Pairs (2, n) of different components that meet between a part of the runs and the rows `dy` below.

    The runs in a window belong to consecutive chains, of which a window holds few because chains of a row are more
    than ``reach`` apart: so the number of links stays linear even if every other pixel is a run.
    """
    shift, side = dy * lattice.stride, lattice.half_width(dy)
    i, j = runs.window(runs.first[part] + (shift - side), runs.last[part] + (shift + side))
    hit = j >= i
    low, high = chains[i[hit]], chains[j[hit]]
    width = high - low + 1
    offset = low - (np.cumsum(width) - width)
    here = np.repeat(components[chains[part][hit]], width)
    there = components[np.arange(len(here)) + np.repeat(offset, width)]
    new = here != there
    return np.stack([here[new], there[new]])


def _number(components: NDArray[np.int32], order: NDArray[np.int32]) -> NDArray[np.int32]:
    """Label of every component, from 0 in row-major order of its first run."""
    first = np.full(int(components.max()) + 1, len(components), np.int32)
    np.minimum.at(first, components, order)
    numbers = np.empty(len(first), np.int32)
    numbers[np.argsort(first)] = np.arange(len(first))
    return numbers


def _join_border(
    labels: NDArray[np.int32],
    levels: NDArray[np.integer],
    core: NDArray[np.bool_],
    lattice: _Lattice,
    runs: _Runs,
    chains: NDArray[np.int32],
    numbers: NDArray[np.int32],
) -> None:
    """Give every border pixel, in place, the smallest label among its core neighbours."""
    chain_numbers = numbers[np.flatnonzero(np.diff(chains, prepend=-1))]
    none = np.iinfo(np.int32).max
    for flat, keys in _chunks(levels, core, lattice):
        best = np.full(len(flat), none, np.int32)
        for dy in range(-lattice.reach, lattice.reach + 1):
            side = lattice.half_width(dy)
            middle = keys + dy * lattice.stride
            i, j = runs.window(middle - side, middle + side)
            hit = np.flatnonzero(j >= i)
            chain, last = chains[i[hit]], chains[j[hit]]
            while len(hit):
                best[hit] = np.minimum(best[hit], chain_numbers[chain])
                more = chain < last
                hit, chain, last = hit[more], chain[more] + 1, last[more]
        found = best < none
        labels.ravel()[flat[found]] = best[found]
