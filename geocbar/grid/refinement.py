"""As few pixels as rebuild a picture by linear interpolation within a promised error.

Points go in where triangles miss the picture at many pixels, many triangles at once; points that are cheap to do
without go out; and so in turn, until neither helps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.mesh import (
    KEPT,
    NOISE_WIDTH,
    Mesh,
    Misfit,
    Surface,
    build_mesh,
    measure_misfit,
    pixel_places,
    share_pixels,
)
from geocbar.grid.pixel_values import mean_around, noise_at, point_values
from geocbar.grid.rims import rim_pixels
from geocbar.grid.spans import PixelLattice

__all__ = ["Refinement", "refine"]

#: Share of the pixels that may fail when points are chosen: a little less than the promise allows, so that it also
#: holds at a random sample of them.
_ALLOWED = 0.94 * (1 - KEPT)

#: The same for samples of the pixels, so that it mostly holds for all of them too.
_ALLOWED_OF_SAMPLE = 0.91 * (1 - KEPT)

#: Pixels that are looked at for each triangle while points are chosen.
_SAMPLE = 30

#: Rounds of removal, each followed by insertion, for up to so many points.
_ROUNDS = ((2_000, 2), (20_000, 1))

#: Removal loses so many times the pixels that may fail; insertion then wins them back with fewer points.
_OVERDRAW = 1.15

#: Share of the pixels beyond which points go into all triangles at once, and none is taken out.
_DENSE = 0.15

#: Most points that go in at once, as a share of those there are: few, and more from so many points on.
_GROWTH, _FAST_GROWTH, _MANY = 0.2, 0.6, 5_000

#: From so many points on, while a larger share of the pixels is missed than this, every triangle may get a point.
_VERY_MANY, _FAR = 20_000, 0.08

#: Least share of the points there are that go in at once, if so many can.
_LEAST_GROWTH = 0.004

#: In the end points go in for so many times the pixels that are missed too many: a point does not win all it might.
_HASTE = 2.0

#: On a lattice of so many pixels' step or more, candidates take the place of the pixels beside them.
_COARSE = 4


@dataclass(frozen=True, eq=False)
class Refinement:
    """Pixels that rebuild a picture.

    Parameters
    ----------
    flat : (n,) int64 array
        Their flat indices, ascending.
    values : (n,) float array
        In the unit of the picture.
    count : (n,) int64 array
        How many pixels each stands for: those it is the nearest corner of their triangle for.
    extent : (n,) float array
        Distance in pixels of the farthest of them.
    failing : float
        Share of the pixels with a value that are missed by more than promised, or lie outside the hull.
    """

    flat: NDArray[np.int64]
    values: NDArray[np.float64]
    count: NDArray[np.int64]
    extent: NDArray[np.float64]
    failing: float


@dataclass(eq=False)
class _Task:
    """The picture, what is promised, and the values of the points that were looked at last."""

    surface: Surface
    candidates: NDArray[np.int64]
    fixed: NDArray[np.int64]
    n_valid: int
    known: NDArray[np.int64]
    known_values: NDArray[np.float64]

    @property
    def width(self) -> int:
        return self.surface.picture.shape[1]

    def lattice(self, n_points: int) -> PixelLattice:
        """Every pixel, or those on a lattice that has enough of them for so many points.

        The lattice lies elsewhere for another number: on one alone, points would come to fit its pixels best.
        """
        height, width = self.surface.picture.shape
        step = max(1, int(np.sqrt(self.n_valid / (2.0 * _SAMPLE * n_points))))
        step = min(step, max(1, min(height, width) // 4))
        return PixelLattice(height, width, step, n_points * 5 % step, n_points * 3 % step)

    def is_dense(self, at: NDArray[np.int64]) -> bool:
        """Whether noise has made points of so many pixels that care is wasted on them."""
        return bool(len(at) > _DENSE * self.n_valid + 500)

    def mesh(self, at: NDArray[np.int64]) -> Mesh:
        return build_mesh(pixel_places(at, self.width), self.values(at))

    def values(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values of points, sorted: the pixels' own, or freed from noise where that matters and nothing is against."""
        values = np.empty(len(at))
        old = _is_among(at, self.known)
        values[old] = self.known_values[np.searchsorted(self.known, at[old])]
        values[~old] = point_values(self.surface, at[~old])
        self.known, self.known_values = at, values
        return values


def refine(
    picture: NDArray[np.float32],
    start: NDArray[np.int64],
    *,
    max_error: float,
    noise: NDArray[np.float32] | float = 0.0,
    hold: NDArray[np.int64] | None = None,
) -> Refinement:
    """Choose pixels between which linear interpolation rebuilds a picture.

    Parameters
    ----------
    picture : (h, w) float32 array
        NaN where there is none: no error is counted there, and no value taken from there.
    start : (n,) int array
        Flat indices of pixels to choose first where one is near: well-placed ones, such as the centres of clusters.
    max_error : float
        In the unit of the picture: so near the Delaunay triangles lie to it at 99 % of the pixels with a value, or as
        near as their values are known, which is three times `noise`. Those outside the hull, of which
        there are hardly any, count as missed.
    noise : (h, w) float32 array or float
        One standard deviation of the values. Where it matters, a point's value is that of a plane through the pixels
        around it.
    hold : (n,) int array, optional
        Flat indices of pixels that are points in any case.

    Returns
    -------
    Refinement

    Raises
    ------
    InvalidInputError
        If `max_error` is not above 0, or the pixels with a value lie on one line.

    Notes
    -----
    Greedy insertion [1]_ puts a point where the error is largest, again and again. Here a triangle's claim is the
    number of its pixels that are missed, all triangles with larger claims than their neighbours get their point at
    once, and afterwards points whose removal loses few pixels are taken out in independent sets [2]_, which makes up
    for points that were put in early.

    References
    ----------
    .. [1] Garland, M., Heckbert, P. S. (1995). Fast polygonal approximation of terrains and height fields. Carnegie
       Mellon University, CMU-CS-95-181. https://mgarland.org/papers/scape.pdf
    .. [2] De Floriani, L. (1989). A pyramidal data structure for triangle-based surface description. IEEE Computer
       Graphics and Applications 9(2), 67-78. https://doi.org/10.1109/38.19053
    """
    if not max_error > 0:
        raise InvalidInputError(
            f"An error of at most {100 * max_error:g} % of the range gives every pixel as a point.",
            "Give more than nothing: --max-error 0.02, or none for the points of the clusters alone.",
        )
    valid = np.isfinite(picture)
    none = np.zeros(0, np.int64)
    fixed = rim_pixels(valid)
    fixed = fixed if hold is None else np.union1d(fixed, hold)
    surface = Surface(picture, max_error, noise)
    task = _Task(surface, start, fixed, int(np.count_nonzero(valid)), none, np.zeros(0))
    at = best = _insert(task, fixed)
    for _ in range(next((rounds for most, rounds in _ROUNDS if len(at) <= most), 0)):
        if task.is_dense(at):
            break
        at = _insert(task, _remove(task, at))
        best = min(best, at, key=len)
    at, mesh, failing = _insert_to_the_end(task, best)
    count, extent = share_pixels(mesh, valid)
    return Refinement(at, task.values(at), count, extent, failing)


def _insert(task: _Task, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put points where the error is until few enough pixels of a sample are missed."""
    while True:
        mesh = task.mesh(at)
        lattice = task.lattice(len(at))
        misfit = measure_misfit(mesh, task.surface, lattice)
        surplus = len(misfit.flat) - _ALLOWED_OF_SAMPLE * misfit.looked
        if surplus <= 0 or task.is_dense(at):
            return at
        growth = _GROWTH if len(at) < _MANY else _FAST_GROWTH
        more = _picks(task, at, mesh, misfit, max(3, int(growth * len(at))), surplus)
        if len(more) == 0:
            return at
        better = _near_candidates(task, more, lattice.step)
        # A candidate that is a point already brings nothing new: its pixel goes in itself.
        at = np.union1d(at, np.where(_is_among(better, at), more, better))


def _near_candidates(task: _Task, picks: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """Candidates instead of pixels that were found on a lattice so coarse that the candidates beside do as well."""
    if step < _COARSE or len(task.candidates) == 0:
        return picks
    across = task.width // step + 1

    def cells(flat: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(flat // task.width // step * across + flat % task.width // step)

    cell, first = np.unique(cells(task.candidates), return_index=True)
    wanted = cells(picks)
    place = np.minimum(np.searchsorted(cell, wanted), len(cell) - 1)
    return np.where(cell[place] == wanted, task.candidates[first[place]], picks)


def _insert_to_the_end(task: _Task, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], Mesh, float]:
    """The same, with all pixels: what is promised holds afterwards, for in the end every pixel could be a point."""
    while True:
        mesh = task.mesh(at)
        misfit = measure_misfit(mesh, task.surface)
        surplus = len(misfit.flat) - _ALLOWED * misfit.looked
        more = _picks(task, at, mesh, misfit, misfit.looked, _HASTE * surplus) if surplus > 0 else at[:0]
        if len(more) == 0:
            return at, mesh, len(misfit.flat) / misfit.looked
        at = np.union1d(at, more)


def _picks(
    task: _Task, at: NDArray[np.int64], mesh: Mesh, misfit: Misfit, at_most: int, surplus: float
) -> NDArray[np.int64]:
    """The worst pixel of every triangle that misses more pixels than its neighbours; no more than needed."""
    flat, triangle = misfit.flat, misfit.triangle
    fresh = (triangle >= 0) & ~_is_among(flat, at)
    flat, triangle = flat[fresh], triangle[fresh]
    solid = _is_solid(task.surface, mesh, flat, triangle)
    if solid.any():
        flat, triangle = flat[solid], triangle[solid]
    claim = np.bincount(triangle, minlength=len(mesh.corners)).astype(np.float64)
    claim += np.arange(len(claim)) / (2.0 * len(claim))  # decides between equals
    hurried = len(at) > _VERY_MANY and len(misfit.flat) > _FAR * misfit.looked
    beside = 0.0 if hurried or task.is_dense(at) else _largest_beside(mesh, claim)
    chosen = np.flatnonzero((claim >= 1) & (claim > beside))
    chosen = chosen[np.argsort(-claim[chosen])][:at_most]
    enough = int(np.searchsorted(np.cumsum(claim[chosen]), surplus)) + 1
    chosen = chosen[: max(enough, int(_LEAST_GROWTH * len(at)))]
    wanted = np.zeros(len(claim), np.bool_)
    wanted[chosen] = True
    inside = wanted[triangle]
    flat, triangle = flat[inside], triangle[inside]
    off = mesh.at_pixels(flat, task.width, triangle) - mean_around(task.surface.picture, flat)
    order = np.lexsort((flat, -np.abs(off), triangle))
    first = np.flatnonzero(np.diff(triangle[order], prepend=-1))
    return flat[order[first]]


def _is_solid(surface: Surface, mesh: Mesh, flat: NDArray[np.int64], triangle: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which missed pixels are no outliers of the noise: where it is loud, the pixels around them are missed as well."""
    noise = noise_at(surface, flat)
    solid = np.ones(len(flat), np.bool_)
    loud = np.flatnonzero(NOISE_WIDTH * noise > surface.max_error)
    off = mesh.at_pixels(flat[loud], surface.picture.shape[1], triangle[loud]) - mean_around(
        surface.picture, flat[loud]
    )
    solid[loud] = np.abs(off) > noise[loud]
    return solid


def _largest_beside(mesh: Mesh, claim: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest claim among the neighbours of each triangle."""
    return np.asarray(np.where(mesh.neighbors >= 0, claim[mesh.neighbors], 0).max(axis=1))


def _remove(task: _Task, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take out an independent set of points whose removal loses few pixels."""
    mesh = task.mesh(at)
    lattice = task.lattice(len(at))
    before = measure_misfit(mesh, task.surface, lattice, label=True)
    trial = _independent(mesh, _needs(mesh, task.values(at)), _is_among(at, task.fixed))
    after = measure_misfit(task.mesh(np.delete(at, trial)), task.surface, lattice)
    owner = np.full(len(mesh.corners) + 1, len(at))
    number = np.full(len(at), len(at))
    number[trial] = trial
    owner[:-1] = number[mesh.corners].min(axis=1)
    assert before.labels is not None
    price = np.bincount(owner[before.labels[lattice.place(after.flat)]], minlength=len(at) + 1)
    price -= np.bincount(owner[before.triangle], minlength=len(at) + 1)
    price = price[trial]
    order = np.argsort(price, kind="stable")
    budget = _ALLOWED_OF_SAMPLE * before.looked * _OVERDRAW - len(before.flat)
    n_gone = int(np.searchsorted(np.cumsum(np.maximum(price[order], 0)), max(budget, 0), side="right"))
    return np.delete(at, trial[order[:n_gone]])


def _independent(mesh: Mesh, need: NDArray[np.float64], fixed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Points that are needed less than all their neighbours, and are not fixed."""
    need = np.where(fixed, np.inf, need)
    rank = np.empty(len(need), np.int64)
    rank[np.lexsort((np.arange(len(need)), need))] = np.arange(len(need))
    least = np.full(len(need), len(need))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        one, other = mesh.corners[:, a], mesh.corners[:, b]
        np.minimum.at(least, one, rank[other])
        np.minimum.at(least, other, rank[one])
    return np.flatnonzero((rank < least) & ~fixed)


def _needs(mesh: Mesh, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each point lies from the plane nearest to its neighbours, in the least squares."""
    corners, places, n = mesh.corners, mesh.places, len(mesh.places)
    one = corners[:, [0, 0, 1, 1, 2, 2]].ravel()
    other = corners[:, [1, 2, 2, 0, 0, 1]].ravel()
    step = places[other] - places[one]
    rise = values[other] - values[one]
    terms = (np.ones(len(one)), step[:, 0], step[:, 1])
    matrix = np.empty((n, 3, 3))
    right = np.empty((n, 3))
    for i, left in enumerate(terms):
        right[:, i] = np.bincount(one, left * rise, n)
        for j, top in enumerate(terms):
            matrix[:, i, j] = np.bincount(one, left * top, n)
    matrix += np.eye(3) * 1e-6
    return np.abs(np.linalg.solve(matrix, right[..., None])[:, 0, 0])


def _is_among(flat: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the pixels are among others that are sorted."""
    if len(known) == 0:
        return np.zeros(len(flat), np.bool_)
    place = np.minimum(np.searchsorted(known, flat), len(known) - 1)
    return np.asarray(known[place] == flat)
