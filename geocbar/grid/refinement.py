"""As few pixels as rebuild a picture by linear interpolation within a promised error.

Points go in where triangles miss the picture at many pixels, many triangles at once; points that are cheap to do
without go out; and so in turn, until neither helps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.mesh import Misfit, PixelMesh, build_mesh, measure_misfit, pixel_places, share_pixels
from geocbar.grid.rims import rim_pixels

__all__ = ["KEPT", "Refinement", "picture_noise", "refine"]

#: Share of the pixels with a value for which the error is promised.
KEPT = 0.99

#: Share of the pixels that may fail when points are chosen: a little less than the promise allows, so that it also
#: holds at a random sample of them.
_ALLOWED = 0.94 * (1 - KEPT)

#: The same for samples of the pixels, so that it mostly holds for all of them too.
_ALLOWED_OF_SAMPLE = 0.91 * (1 - KEPT)

#: Pixels that are looked at for each triangle while points are chosen.
_SAMPLE = 30

#: Share of the first candidates that may fail before all pixels are looked at.
_LATER = 0.2

#: Rounds of removal, each followed by insertion.
_ROUNDS = 3

#: Removal loses so many times the pixels that may fail; insertion then wins them back with fewer points.
_OVERDRAW = 1.15

#: Share of the pixels beyond which points go into all triangles at once, and none is taken out.
_DENSE = 0.15

#: Most points that go in at once, as a share of those there are.
_GROWTH = 0.2


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


@dataclass(frozen=True, eq=False)
class _Task:
    """The picture, its smoothed twin, and what is promised."""

    picture: NDArray[np.float32]
    smooth: NDArray[np.float32]
    valid: NDArray[np.bool_]
    fixed: NDArray[np.int64]
    max_error: float
    noise: float

    @property
    def width(self) -> int:
        return self.picture.shape[1]

    def sample(self, n_points: int) -> NDArray[np.int64]:
        """Every pixel with a value, or those on a lattice that has enough of them for so many points.

        The lattice lies elsewhere for another number: on one alone, points would come to fit its pixels best.
        """
        n_valid = int(np.count_nonzero(self.valid))
        step = max(1, int(np.sqrt(n_valid / (2.0 * _SAMPLE * n_points))))
        top, left = n_points * 5 % step, n_points * 3 % step
        rows, cols = np.nonzero(self.valid[top::step, left::step])
        return (rows * step + top) * self.width + cols * step + left

    def is_dense(self, at: NDArray[np.int64]) -> bool:
        """Whether noise has made points of so many pixels that care is wasted on them."""
        return bool(len(at) > _DENSE * np.count_nonzero(self.valid) + 500)

    def mesh(self, at: NDArray[np.int64]) -> PixelMesh:
        return build_mesh(at, _point_values(self, at), self.width)


def picture_noise(picture: NDArray[np.float32]) -> float:
    """One standard deviation of the noise that differs from pixel to pixel, from the median second difference.

    Examples
    --------
    >>> ramp = np.add.outer(np.arange(30.0), np.arange(40.0))
    >>> picture_noise(ramp.astype(np.float32))
    0.0
    """
    rows = picture[:: max(1, len(picture) // 500)]
    bends = np.abs(rows[:, 1:-1] - (rows[:, :-2] + rows[:, 2:]) / 2)
    bends = bends[np.isfinite(bends)]
    return float(np.median(bends)) / (0.6745 * 1.5**0.5) if len(bends) else 0.0


def refine(
    picture: NDArray[np.float32],
    start: NDArray[np.int64],
    *,
    max_error: float,
    noise: float = 0.0,
    smooth: NDArray[np.float32] | None = None,
) -> Refinement:
    """Choose pixels between which linear interpolation rebuilds a picture.

    Parameters
    ----------
    picture : (h, w) float32 array
        NaN where there is none: no error is counted there, and no value taken from there.
    start : (n,) int array
        Flat indices of pixels to choose from first: well-placed ones, such as the centres of clusters.
    max_error : float
        In the unit of the picture: so near the Delaunay triangles lie to it at 99 % of the pixels with a value. Those
        outside the hull, of which there are hardly any, count as missed.
    noise : float
        One standard deviation of the picture's noise. Where it matters, a point's value is that of a plane through
        the pixels around it.
    smooth : (h, w) float32 array, optional
        The picture with less noise, to choose places by; the picture itself unless given.

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
    task = _Task(picture, picture if smooth is None else smooth, valid, rim_pixels(valid), max_error, noise)
    everything = np.flatnonzero(valid)
    at = _insert_candidates(task, np.unique(start))
    at = best = _insert(task, at)
    for _ in range(_ROUNDS):
        if task.is_dense(at):
            break
        at = _insert(task, _remove(task, at))
        best = min(best, at, key=len)
    at, mesh, misfit = _insert_to_the_end(task, best, everything)
    count, extent = share_pixels(mesh, misfit)
    failing = float(misfit.fails(max_error).mean())
    return Refinement(at, _point_values(task, at), count, extent, failing)


def _insert_candidates(task: _Task, start: NDArray[np.int64]) -> NDArray[np.int64]:
    """The fixed points, and those of the candidates that are missed without them."""
    at = task.fixed
    while len(start):
        mesh = task.mesh(at)
        misfit = measure_misfit(mesh, task.smooth, start)
        more = _picks(task, mesh, misfit, len(start))
        if np.count_nonzero(misfit.fails(task.max_error)) <= _LATER * len(start) or len(more) == 0:
            break
        at = np.union1d(at, more)
    return at


def _insert(task: _Task, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put points where the error is until few enough pixels of a sample are missed."""
    while True:
        mesh = task.mesh(at)
        misfit = measure_misfit(mesh, task.picture, task.sample(len(at)))
        surplus = np.count_nonzero(misfit.fails(task.max_error)) - _ALLOWED_OF_SAMPLE * len(misfit.flat)
        if surplus <= 0 or task.is_dense(at):
            return at
        more = _picks(task, mesh, misfit, max(3, int(_GROWTH * len(at))), surplus)
        if len(more) == 0:
            return at
        at = np.union1d(at, more)


def _insert_to_the_end(
    task: _Task, at: NDArray[np.int64], everything: NDArray[np.int64]
) -> tuple[NDArray[np.int64], PixelMesh, Misfit]:
    """The same, with all pixels: what is promised holds afterwards, for in the end every pixel could be a point."""
    while True:
        mesh = task.mesh(at)
        misfit = measure_misfit(mesh, task.picture, everything)
        surplus = np.count_nonzero(misfit.fails(task.max_error)) - _ALLOWED * len(everything)
        more = _picks(task, mesh, misfit, len(everything), 2 * surplus) if surplus > 0 else at[:0]
        if len(more) == 0:
            return at, mesh, misfit
        at = np.union1d(at, more)


def _picks(task: _Task, mesh: PixelMesh, misfit: Misfit, at_most: int, surplus: float = np.inf) -> NDArray[np.int64]:
    """The worst pixel of every triangle that misses more pixels than its neighbours; no more than needed."""
    failing = misfit.fails(task.max_error) & (misfit.triangle >= 0)
    flat, triangle = misfit.flat[failing], misfit.triangle[failing]
    fresh = ~_is_among(flat, mesh.at)
    flat, triangle = flat[fresh], triangle[fresh]
    claim = np.bincount(triangle, minlength=len(mesh.corners)).astype(np.float64)
    claim += np.arange(len(claim)) / (2.0 * len(claim))  # decides between equals
    beside = 0.0 if task.is_dense(mesh.at) else _largest_beside(mesh, claim)
    chosen = np.flatnonzero((claim >= 1) & (claim > beside))
    chosen = chosen[np.argsort(-claim[chosen])][:at_most]
    if np.isfinite(surplus):
        enough = int(np.searchsorted(np.cumsum(claim[chosen]), surplus)) + 1
        chosen = chosen[:enough]
    wanted = np.zeros(len(claim), np.bool_)
    wanted[chosen] = True
    inside = wanted[triangle]
    flat, triangle = flat[inside], triangle[inside]
    places = pixel_places(flat, task.width)
    planes = mesh.planes[triangle]
    off = planes[:, 0] + planes[:, 1] * places[:, 0] + planes[:, 2] * places[:, 1] - task.smooth.ravel()[flat]
    order = np.lexsort((flat, -np.abs(off), triangle))
    first = np.flatnonzero(np.diff(triangle[order], prepend=-1))
    return flat[order[first]]


def _largest_beside(mesh: PixelMesh, claim: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest claim among the neighbours of each triangle."""
    return np.asarray(np.where(mesh.neighbors >= 0, claim[mesh.neighbors], 0).max(axis=1))


def _remove(task: _Task, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take out an independent set of points whose removal loses few pixels."""
    mesh = task.mesh(at)
    sample = task.sample(len(at))
    before = measure_misfit(mesh, task.picture, sample)
    failed = before.fails(task.max_error)
    trial = _independent(mesh, _needs(mesh, _point_values(task, at)), _is_among(at, task.fixed))
    after = measure_misfit(task.mesh(np.delete(at, trial)), task.picture, sample)
    lost = after.fails(task.max_error).astype(np.int64) - failed
    owner = np.full(len(mesh.corners) + 1, len(at))
    number = np.full(len(at), len(at))
    number[trial] = trial
    owner[:-1] = number[mesh.corners].min(axis=1)
    price = np.bincount(owner[before.triangle], lost, len(at) + 1)[trial]
    order = np.argsort(price, kind="stable")
    budget = _ALLOWED_OF_SAMPLE * len(sample) * _OVERDRAW - np.count_nonzero(failed)
    n_gone = int(np.searchsorted(np.cumsum(np.maximum(price[order], 0)), max(budget, 0), side="right"))
    return np.delete(at, trial[order[:n_gone]])


def _independent(mesh: PixelMesh, need: NDArray[np.float64], fixed: NDArray[np.bool_]) -> NDArray[np.int64]:
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


def _needs(mesh: PixelMesh, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each point lies from the plane nearest to its neighbours, in the least squares."""
    corners, n = mesh.corners, len(mesh.at)
    places = pixel_places(mesh.at, mesh.width)
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


def _point_values(task: _Task, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values of points: the pixels' own, or freed from noise where that matters and nothing speaks against it."""
    own = task.picture.ravel()[at].astype(np.float64)
    if task.noise < task.max_error / 8:
        return own
    fitted = _plane_values(task.picture, at)
    return np.where(np.abs(fitted - own) <= min(3 * task.noise, task.max_error), fitted, own)


def _plane_values(picture: NDArray[np.float32], at: NDArray[np.int64], reach: int = 2) -> NDArray[np.float64]:
    """Value at each pixel of the plane nearest to the pixels around it, by weighted least squares."""
    height, width = picture.shape
    row, col = np.divmod(at, width)
    matrix = np.zeros((len(at), 3, 3))
    right = np.zeros((len(at), 3))
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            y, x = row + dy, col + dx
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            value = picture[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float64)
            weight = np.where(inside & np.isfinite(value), np.exp(-(dx * dx + dy * dy) / 4.0), 0.0)
            value = np.where(weight > 0, value, 0.0)
            term = np.array([1.0, dx, dy])
            matrix += weight[:, None, None] * np.outer(term, term)
            right += (weight * value)[:, None] * term
    matrix += np.diag([0.0, 1e-9, 1e-9])
    return np.asarray(np.linalg.solve(matrix, right[..., None])[:, 0, 0])


def _is_among(flat: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the pixels are among others that are sorted."""
    place = np.minimum(np.searchsorted(known, flat), len(known) - 1)
    return np.asarray(known[place] == flat)
