"""One candidate projection fitted to control points: variable projection, its parameters' covariance, deletions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from geocbar.place.candidates import RARITY, Body, Family, project, project_fixed, wrap_longitudes
from geocbar.place.posts import POST_PARAMETERS, fit_posts, post_matrix, post_terms, to_complex

__all__ = [
    "CUT_DEGREES",
    "FLOOR_PX",
    "Places",
    "ProjectionFit",
    "aicc",
    "best_deletion",
    "derivatives",
    "hat_matrix",
    "parameter_sigmas",
    "planes_of",
    "refine",
    "without",
]

#: Residuals are not believed to be smaller than this.
FLOOR_PX = 0.15

#: Cones whose parallel is nearer to the equator than this, in degrees, and poles nearer to the pole, are cylinders.
FLATTEST_CONE = 4.0

#: Points within this many degrees of the map's cut may lie on either edge.
CUT_DEGREES = 1.5

#: Added to the score of a map drawn on the sphere in a projection that is used on the ellipsoid as a rule.
ODD_SPHERE = 0.7

#: The same for each post.
ODD_POST = {"upright": 0.0, "box": 1.0, "similarity": 0.5, "affine": 1.5}

_STEP = 1e-4
_STEPS = 25


@dataclass(frozen=True, eq=False)
class Places:
    """Control points as the inference wants them.

    Parameters
    ----------
    lon, lat : (n,) float array
        Degrees on the body; NaN-free.
    pixels : (n, 2) float array
    world : (n, 2) float array
        In `crs`.
    crs : str
        Of the control points.
    body : Body
    weights : (n,) float array
        Relative weights of the points; 1 for all unless told.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    pixels: NDArray[np.float64]
    world: NDArray[np.float64]
    crs: str
    body: Body
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.lon)

    @property
    def middle(self) -> float:
        """The meridian in the middle of the points: opposite to the middle of the largest gap between them."""
        turn = np.sort(self.lon % 360)
        gaps = np.diff(np.append(turn, turn[0] + 360))
        i = int(np.argmax(gaps))
        return float((turn[i] + gaps[i] / 2 + 180) % 360)

    @property
    def span(self) -> float:
        """Degrees of longitude from the first to the last point."""
        turn = np.sort(self.lon % 360)
        return float(360 - np.diff(np.append(turn, turn[0] + 360)).max())


@dataclass(frozen=True, eq=False)
class ProjectionFit:
    """A projection, its parameters and the matrix from its plane to the picture.

    Parameters
    ----------
    family : Family
    ellipsoid : bool
        Drawn on the ellipsoid, not the sphere.
    post : str
    lon_0 : float
        Central meridian in degrees.
    shape : (k,) float array
        Values of the other free parameters of the family.
    matrix : (2, 3) float array
        ``pixel = matrix @ (x, y, 1)``, metres.
    residuals : (n, 2) float array
        Fitted minus given, for all points.
    keep : (n,) bool array
        Points the fit rests on.
    charge : float
        How many fitted parameters lon_0 and the shape count for.
    held : tuple of bool
        For lon_0 and each of the shape, whether it is held: not fitted, or snapped to a round number.
    weights : (n,) float array
        Of the points.
    figure : str
        PROJ parameters of the globe.
    epsg : str
        Code of the CRS, if the parameters are those of one.
    """

    family: Family
    ellipsoid: bool
    post: str
    lon_0: float
    shape: NDArray[np.float64]
    matrix: NDArray[np.float64]
    residuals: NDArray[np.float64]
    keep: NDArray[np.bool_]
    charge: float
    held: tuple[bool, ...]
    weights: NDArray[np.float64]
    figure: str
    epsg: str = ""

    @property
    def rss(self) -> float:
        """Weighted sum of squared residuals of the points kept."""
        return float((self.weights[:, None] * self.residuals**2)[self.keep].sum())

    @property
    def parameters(self) -> float:
        """How many numbers were fitted."""
        return POST_PARAMETERS[self.post] + self.charge

    @property
    def freedom(self) -> float:
        """Degrees of freedom left."""
        return 2 * int(self.keep.sum()) - self.parameters

    @property
    def sigma(self) -> float:
        """Standard deviation of a coordinate, in pixels."""
        return float(np.sqrt(self.rss / max(self.freedom, 1)))

    @property
    def aicc(self) -> float:
        """Score for the choice among models; points left out count as two parameters and the search for them."""
        n, out = len(self.keep), int((~self.keep).sum())
        rarity = RARITY.get(self.family.key, 0.0)
        rarity += 0.0 if self.family.key == "eqc" else ODD_POST[self.post]
        if self.family.ellipsoidal and not self.ellipsoid and self.family.key != "merc":
            rarity += ODD_SPHERE
        return aicc(self.rss, 2 * n, self.parameters + 2 * out) + 2 * out * np.log(n) + rarity


def aicc(rss: float, count: int, parameters: float) -> float:
    """Akaike's criterion, corrected for few observations, with the residual floored.

    References
    ----------
    Hurvich and Tsai (1989), https://doi.org/10.1093/biomet/76.2.297
    """
    k = parameters + 1
    if count - k - 1 <= 0:
        return float("inf")
    return float(count * np.log(rss / count + FLOOR_PX**2) + 2 * k + 2 * k * (k + 1) / (count - k - 1))


def planes_of(
    family: Family, ellipsoid: bool, places: Places, lon_0: NDArray[np.float64], shape: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(m, n, 2) planes for m central meridians and one set of shape parameters."""
    if family.fixed:
        plane = project_fixed(family.fixed, places.crs, places.world)
        return np.broadcast_to(plane, (len(lon_0), *plane.shape))
    offset = wrap_longitudes(places.lon[None, :], lon_0[:, None])
    return project(family, places.body.figure(ellipsoid), shape, offset, np.broadcast_to(places.lat, offset.shape))


def _many(
    family: Family, ellipsoid: bool, places: Places, vectors: list[NDArray[np.float64]], turns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(m, n, 2) planes for m vectors (lon_0, shape...); each point stays on its side of the cut."""
    out: list[NDArray[np.float64] | None] = [None] * len(vectors)
    figure = places.body.figure(ellipsoid)
    groups: dict[bytes, list[int]] = {}
    for i, vector in enumerate(vectors):
        groups.setdefault(vector[1:].tobytes(), []).append(i)
    for members in groups.values():
        offset = np.stack([places.lon - 360 * turns - vectors[i][0] for i in members])
        lat = np.broadcast_to(places.lat, offset.shape)
        planes = project(family, figure, vectors[members[0]][1:], offset, lat)
        for i, plane in zip(members, planes, strict=True):
            out[i] = plane
    return np.stack([plane for plane in out if plane is not None])


def _bounded(family: Family, vector: NDArray[np.float64]) -> bool:
    """Whether every latitude and height makes sense."""
    for name, value in zip(family.shape, vector[1:], strict=True):
        if name in ("lat_0", "lat_1", "middle") and abs(value) > 90 - FLATTEST_CONE:
            return False
        if name == "spread" and not 0 <= value <= 60:
            return False
        if name == "log_height" and not 120 < value < 207:
            return False
    if "middle" in family.shape:
        middle, spread = vector[1:3]
        return abs(middle) > FLATTEST_CONE and abs(middle) + spread < 89.5
    if family.key == "rotated":
        return abs(vector[1]) < 90 - FLATTEST_CONE
    return not (family.key in ("lcc", "bonne") and abs(vector[1]) < FLATTEST_CONE)


def refine(
    places: Places,
    family: Family,
    ellipsoid: bool,
    post: str,
    start: NDArray[np.float64],
    keep: NDArray[np.bool_],
    held: tuple[bool, ...] = (),
    robust: bool = False,
    hopeless: float = np.inf,
) -> ProjectionFit | None:
    """Fit one projection by variable projection: the post in closed form, the rest by Levenberg and Marquardt.

    Parameters
    ----------
    places : Places
    family : Family
    ellipsoid : bool
    post : str
    start : (1 + k,) float array
        Central meridian and shape parameters to begin with.
    keep : (n,) bool array
        Points to fit.
    held : tuple of bool
        Parameters that stay as they are; those of no effect are held in any case.
    robust : bool
        Weigh points by the inverse of their residual (least absolute distance).
    hopeless : float
        A sum of squares above which slow progress is given up.

    Returns
    -------
    ProjectionFit or None
        None where the projection cannot show the points.

    References
    ----------
    Golub and Pereyra (2003), https://doi.org/10.1088/0266-5611/19/2/201
    """
    held = tuple(np.array(held or (False,) * len(start)) | np.array(_without_effect(family, post)))
    free = [i for i, stays in enumerate(held) if not stays]
    vector = np.array(start, np.float64)
    if free and not _bounded(family, vector):
        return None
    for _ in range(3):
        turns = _turns(places, vector[0])
        _, turns = _nearest_edge(places, family, ellipsoid, post, vector, keep, turns)
        found = _descend(places, family, ellipsoid, post, vector, keep, free, turns, robust, hopeless)
        if found is None:
            return None
        vector = found
        if not free or robust or (_turns(places, vector[0]) == turns).all():
            break
        if _cost_of(places, family, ellipsoid, post, vector, keep, turns) > hopeless:
            break
    # A point on the cut may lie on the other edge, by a whole turn.
    plane, turns = _nearest_edge(places, family, ellipsoid, post, vector, keep, turns)
    matrix = _post_of(plane, places, post, keep)
    rest = plane @ matrix[:, :2].T + matrix[:, 2] - places.pixels
    if not np.isfinite(rest[keep]).all():
        return None
    lon_0 = float((vector[0] + 180) % 360 - 180)
    charge, figure = float(len(free)), places.body.figure(ellipsoid)
    return ProjectionFit(
        family, ellipsoid, post, lon_0, vector[1:], matrix, rest, keep, charge, held, places.weights, figure
    )


def _post_of(plane: NDArray[np.float64], places: Places, post: str, keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2, 3) matrix from the plane to the picture."""
    pixels = to_complex(places.pixels[keep], down=True)
    return post_matrix(fit_posts(to_complex(plane[None, keep]), pixels, post, places.weights[keep])[0][0])


def _cost_of(
    places: Places,
    family: Family,
    ellipsoid: bool,
    post: str,
    vector: NDArray[np.float64],
    keep: NDArray[np.bool_],
    turns: NDArray[np.float64],
) -> float:
    """Weighted sum of squared residuals."""
    plane = to_complex(_many(family, ellipsoid, places, [vector], turns)[:, keep])
    _, rest = fit_posts(plane, to_complex(places.pixels[keep], down=True), post, places.weights[keep])
    return float((places.weights[keep] * np.abs(rest[0]) ** 2).sum())


def _turns(places: Places, lon_0: float) -> NDArray[np.float64]:
    """(n,) whole turns that lead from the given longitudes to those within half a turn of a meridian."""
    return np.asarray(np.round((places.lon - wrap_longitudes(places.lon, lon_0) - lon_0) / 360))


def _without_effect(family: Family, post: str) -> tuple[bool, ...]:
    """Whether lon_0 and each shape parameter is absorbed by the post."""
    lon = not family.centred or (family.turning and post in ("similarity", "affine"))
    return (lon, *(False for _ in family.shape))


def _nearest_edge(
    places: Places,
    family: Family,
    ellipsoid: bool,
    post: str,
    vector: NDArray[np.float64],
    keep: NDArray[np.bool_],
    turns: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Planes of the points, those within a degree of the cut on the edge they fit best."""
    if family.fixed:
        return project_fixed(family.fixed, places.crs, places.world), turns
    plane = _many(family, ellipsoid, places, [vector], turns)[0]
    offset = places.lon - 360 * turns - vector[0]
    edge = np.flatnonzero(np.abs(np.abs(offset) - 180) < CUT_DEGREES)
    inner = keep.copy()
    inner[edge] = False
    if not len(edge) or inner.sum() < 3:
        return plane, turns
    matrix = _post_of(plane, places, post, inner)
    other = turns.copy()
    other[edge] += np.sign(offset[edge])
    flipped = _many(family, ellipsoid, places, [vector], other)[0]
    miss = [np.hypot(*(p @ matrix[:, :2].T + matrix[:, 2] - places.pixels)[edge].T) for p in (plane, flipped)]
    better = edge[miss[1] < miss[0] / 3]
    plane[better], turns = flipped[better], turns.copy()
    turns[better] = other[better]
    return plane, turns


def _descend(
    places: Places,
    family: Family,
    ellipsoid: bool,
    post: str,
    vector: NDArray[np.float64],
    keep: NDArray[np.bool_],
    free: list[int],
    turns: NDArray[np.float64],
    robust: bool,
    hopeless: float,
) -> NDArray[np.float64] | None:
    """Levenberg and Marquardt's method on the free parameters; None if the start shows no map."""
    if not free:
        return vector
    pixels, base = to_complex(places.pixels[keep], down=True), places.weights[keep]

    def residuals(vectors: list[NDArray[np.float64]], weights: NDArray[np.float64]) -> NDArray[np.complex128]:
        planes = _many(family, ellipsoid, places, vectors, turns)[:, keep]
        return fit_posts(to_complex(planes), pixels, post, weights)[1]

    def cost(rest: NDArray[np.complex128], weights: NDArray[np.float64]) -> float:
        return float((weights * (rest.real**2 + rest.imag**2)).sum())

    weights, damping = base, 1e-3
    now = residuals([vector], weights)[0]
    if not np.isfinite(now).all():
        return None
    for done in range(_STEPS):
        if robust:
            weights = base / np.maximum(np.abs(now), 0.5)
        every = residuals([vector, *(vector + _STEP * (np.arange(len(vector)) == i) for i in free)], weights)
        if not np.isfinite(every).all():
            break
        now, root = every[0], np.sqrt(weights)
        slopes = (every[1:] - now) * (root / _STEP)
        normal, slope = (slopes @ slopes.conj().T).real, (slopes.conj() @ (now * root)).real
        before, gained, moved = cost(now, weights), 0.0, 0.0
        for _ in range(6):
            ridge = damping * np.diag(normal) + 1e-12 * np.trace(normal) + 1e-30
            step = np.linalg.solve(normal + np.diag(ridge), -slope)
            trial = vector.copy()
            trial[free] += np.clip(step, -15, 15)
            if _bounded(family, trial):
                after = cost(residuals([trial], weights)[0], weights)
                if after <= before:
                    gained, moved = before - after, float(np.abs(step).max())
                    vector, damping = trial, max(damping / 10, 1e-9)
                    break
            damping *= 10
        else:
            break
        slow = done >= 1 and before > hopeless and gained < (0.5 if done >= 3 else 0.25) * before
        if gained <= 1e-6 * before + 1e-9 or moved < 1e-6 or slow:
            break
    return vector


def derivatives(fit: ProjectionFit, places: Places, at: Places | None = None) -> NDArray[np.float64]:
    """Derivatives of the fitted pixels by all parameters that were fitted: post first, then the free ones.

    Parameters
    ----------
    fit : ProjectionFit
    places : Places
        The control points of the fit; the plane is normalised by them.
    at : Places, optional
        Where to take the derivatives; by default at the control points.

    Returns
    -------
    (2n, k) float array
    """
    free = [i for i, stays in enumerate(fit.held) if not stays]
    base = _probed(fit, places, [])[0]
    planes = _probed(fit, at or places, free)
    center, scale = np.nanmean(base, axis=0), np.nanmax(np.abs(base - np.nanmean(base, axis=0)))
    columns = post_terms((planes[0] - center) / scale, fit.post)
    if free:
        slopes = ((planes[1:] - planes[0]) / _STEP) @ fit.matrix[:, :2].T
        columns = np.concatenate([columns, np.moveaxis(slopes, 0, 2)], axis=2)
    return columns.reshape(2 * len(planes[0]), -1)


def _probed(fit: ProjectionFit, at: Places, free: list[int]) -> NDArray[np.float64]:
    """(1 + k, n, 2) planes of a fit and of its neighbours in each free parameter."""
    if fit.family.fixed:
        return project_fixed(fit.family.fixed, at.crs, at.world)[None]
    vector = np.concatenate([[fit.lon_0], fit.shape])
    probes = [vector + _STEP * (np.arange(len(vector)) == i) for i in free]
    return _many(fit.family, fit.ellipsoid, at, [vector, *probes], _turns(at, vector[0]))


def hat_matrix(jacobian: NDArray[np.float64], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n, n, 2, 2) blocks of the matrix from given to fitted pixels, of the points kept, zero elsewhere."""
    n = len(keep)
    rows = np.repeat(keep, 2)
    # A point at the very rim of a hemisphere has no derivative: it then tells nothing of the parameters.
    scaled = np.nan_to_num(jacobian[rows])
    scaled = scaled / np.maximum(np.linalg.norm(scaled, axis=0), 1e-300)
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    u = u[:, s > 1e-8 * s[0]]
    out = np.zeros((2 * n, 2 * n))
    out[np.ix_(rows, rows)] = u @ u.T
    return out.reshape(n, 2, n, 2).transpose(0, 2, 1, 3)


def parameter_sigmas(fit: ProjectionFit, places: Places) -> dict[int, float]:
    """Standard deviation in degrees of each parameter that was fitted: 0 for lon_0, 1 for the first of the shape."""
    free = [i for i, stays in enumerate(fit.held) if not stays]
    if not free or fit.family.fixed:
        return {}
    jacobian = np.nan_to_num(derivatives(fit, places)[np.repeat(fit.keep, 2)])
    scale = np.maximum(np.linalg.norm(jacobian, axis=0), 1e-300)
    covariance = np.linalg.pinv((jacobian / scale).T @ (jacobian / scale))
    sigmas = max(fit.sigma, FLOOR_PX) * np.sqrt(np.diag(covariance)) / scale
    return dict(zip(free, sigmas[-len(free) :].tolist(), strict=True))


def best_deletion(fit: ProjectionFit, hat: NDArray[np.float64], size: int) -> tuple[tuple[int, ...], float]:
    """The points whose deletion lowers the sum of squares most, by the linearised fit, and the sum it leaves."""
    kept = np.flatnonzero(fit.keep)
    sets = list(combinations(kept.tolist(), size))
    chosen = np.array(sets)
    blocks = hat[chosen[:, :, None], chosen[:, None, :]].transpose(0, 1, 3, 2, 4).reshape(len(sets), 2 * size, 2 * size)
    rest = fit.residuals[chosen].reshape(len(sets), 2 * size)
    matrix = np.eye(2 * size) - blocks
    det = np.linalg.det(matrix)
    gains = np.full(len(sets), -np.inf)
    good = det > 1e-9
    if good.any():
        gains[good] = (rest[good] * np.linalg.solve(matrix[good], rest[good][..., None])[..., 0]).sum(axis=1)
    best = int(np.argmax(gains))
    return sets[best], max(fit.rss - float(gains[best]), 0.0)


def without(fit: ProjectionFit, places: Places, dropped: tuple[int, ...]) -> ProjectionFit | None:
    """The same projection fitted again without some more of its points."""
    keep = fit.keep.copy()
    keep[list(dropped)] = False
    start = np.concatenate([[fit.lon_0], fit.shape])
    again = refine(places, fit.family, fit.ellipsoid, fit.post, start, keep, fit.held)
    return None if again is None else replace(again, charge=fit.charge, epsg=fit.epsg)
