"""From points back to a grid, and what was lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.points import Points
from geocbar.grid.raster import MAX_CELLS, Raster
from geocbar.place.local_crs import is_local
from geocbar.place.projections import is_geographic

__all__ = ["METHODS", "RegridCheck", "compare_rasters", "grid_over", "regrid"]

#: Ways from points to a grid.
METHODS = ("linear", "nearest", "cubic", "rbf")

#: Points that a radial basis function looks at around each cell.
RBF_NEIGHBORS = 48

#: Points nearer to a pole than this in degrees, all around it, are seen from above it.
POLAR_LATITUDE = 80.0

_BLOCK_CELLS = 1 << 18
_TRIAL_POINTS = 1500
_HALVINGS = 14

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RegridCheck:
    """How a raster differs from one on the same grid.

    Parameters
    ----------
    rmse, p99, largest : float
        Root mean square, 99th percentile and maximum of the absolute difference where both have a value, in the unit
        of the values; NaN if nowhere.
    rmse_percent, p99_percent, largest_percent : float
        The same in percent of the reference's range.
    lost_percent, invented_percent : float
        Cells with a value in the reference only, in percent of those with one there; in the raster only, in percent
        of all cells without one there.
    """

    rmse: float
    p99: float
    largest: float
    rmse_percent: float
    p99_percent: float
    largest_percent: float
    lost_percent: float
    invented_percent: float


def grid_over(points: Points, resolution: float) -> tuple[Affine, tuple[int, int]]:
    """A north-up grid over points, on whole multiples of its cell size.

    Parameters
    ----------
    points : Points
    resolution : float
        Cell size in units of the points' CRS.

    Returns
    -------
    affine : Affine
    shape : (rows, cols)

    Raises
    ------
    InvalidInputError
        If the resolution is not above 0, or the grid had more than 2 000 000 000 cells.
    """
    if not resolution > 0 or not np.isfinite(resolution):
        raise InvalidInputError(f"A cell cannot be {resolution:g} wide.", "Give --resolution in units of the CRS.")
    low = np.floor(points.xy.min(axis=0) / resolution) * resolution
    high = np.ceil(points.xy.max(axis=0) / resolution) * resolution
    cols, rows = (max(1, round(float(n))) for n in (high - low) / resolution)
    if cols * rows > MAX_CELLS:
        raise InvalidInputError(f"The grid would have {cols} x {rows} cells.", "Give a larger --resolution.")
    return Affine(resolution, 0, float(low[0]), 0, -resolution, float(low[1]) + rows * resolution), (rows, cols)


def regrid(
    points: Points,
    affine: Affine,
    shape: tuple[int, int],
    *,
    method: str = "linear",
    inside: NDArray[np.bool_] | None = None,
    logarithmic: bool = False,
) -> Raster:
    """Values on a grid from points.

    Parameters
    ----------
    points : Points
    affine : Affine
        ``(col, row)`` of the grid to ``(x, y)`` in the CRS of the points.
    shape : (rows, cols)
    method : {"linear", "nearest", "cubic", "rbf"}
        Linear interpolation in Delaunay triangles; the nearest point; Clough and Tocher's C1 cubic [1]_; thin-plate
        radial basis functions of the 48 nearest points, smoothed by as much as sigma allows if the points have one:
        the root mean square misfit at the points becomes one sigma, or what it is without smoothing if that is more.
    inside : (rows, cols) bool array, optional
        Cells that may get a value; by default those whose centre lies in the convex hull of the points.
    logarithmic : bool
        Interpolate the logarithms.

    Returns
    -------
    Raster
        NaN outside. Its sigma, if the points have one, is interpolated in the same way (linearly for cubic and rbf); it
        is not divided by the number of points, for errors of neighbours are correlated.

    Raises
    ------
    InvalidInputError
        If there are too few points, they lie on a line, a value is not positive but logarithms are wanted, or the
        method is not known.

    Notes
    -----
    In a geographic CRS the nearest point is so on the sphere, radial basis functions see the points in a stereographic
    plane around them, which keeps shapes, and triangles are drawn in longitude and latitude, shortened by the cosine of
    the middle latitude and cut at the widest gap of longitudes; around a pole, in the polar stereographic plane.

    References
    ----------
    .. [1] Alfeld, P. (1984). A trivariate Clough-Tocher scheme for tetrahedral data. Computer Aided Geometric Design
       1(2), 169-181. https://doi.org/10.1016/0167-8396(84)90029-3
    """
    if method not in METHODS:
        raise InvalidInputError(f"There is no method {method!r}.", f"Methods are: {', '.join(METHODS)}")
    values = points.values
    if logarithmic:
        if not (values > 0).all():
            raise InvalidInputError(
                f"{np.count_nonzero(~(values > 0))} of {len(points)} values are not positive and have no logarithm.",
                "Leave out --log.",
            )
        values = np.log(values)
    planes = _Planes(points)
    hull = _triangulate(planes.flat(points.xy), len(points))
    value_at = _interpolator(method, planes, points, values, hull)
    sigma_at = None
    if points.sigma is not None:
        sigma_at = _interpolator("nearest" if method == "nearest" else "linear", planes, points, points.sigma, hull)
    rows, cols = shape
    out = np.full(shape, np.nan, np.float32)
    spread = None if sigma_at is None else np.full(shape, np.nan, np.float32)
    step = max(1, _BLOCK_CELLS // cols)
    for top in range(0, rows, step):
        row, col = np.mgrid[top : min(rows, top + step), :cols]
        xy = np.stack(affine @ (col.ravel() + 0.5, row.ravel() + 0.5), axis=1)
        wanted = hull.holds(planes.flat(xy))
        if inside is not None:
            wanted &= inside[top : top + step].ravel()
        block = out[top : top + step].reshape(-1)
        found = value_at(xy[wanted])
        block[wanted] = np.exp(found) if logarithmic else found
        if sigma_at is not None and spread is not None:
            spread[top : top + step].reshape(-1)[wanted] = sigma_at(xy[wanted])
    return Raster(out, affine, points.crs, sigma=spread)


def compare_rasters(raster: Raster, reference: Raster) -> RegridCheck:
    """How far a raster differs from a reference on the same grid.

    Raises
    ------
    InvalidInputError
        If the grids have different shapes.
    """
    if raster.values.shape != reference.values.shape:
        raise InvalidInputError(
            f"The grids have {raster.values.shape} and {reference.values.shape} cells.", "Compare on one grid."
        )
    here, there = np.isfinite(raster.values), np.isfinite(reference.values)
    both = here & there
    off = np.abs(raster.values[both].astype(np.float64) - reference.values[both])
    span = float(np.ptp(reference.values[there])) if there.any() else np.nan
    figures = (
        [float(np.sqrt(np.mean(off**2))), float(np.quantile(off, 0.99)), float(off.max())] if off.size else [np.nan] * 3
    )
    percent = [100 * figure / span if span > 0 else np.nan for figure in figures]
    lost = 100 * float(np.count_nonzero(there & ~here)) / max(1, int(there.sum()))
    invented = 100 * float(np.count_nonzero(here & ~there)) / max(1, int((~there).sum()))
    return RegridCheck(
        rmse=figures[0],
        p99=figures[1],
        largest=figures[2],
        rmse_percent=percent[0],
        p99_percent=percent[1],
        largest_percent=percent[2],
        lost_percent=lost,
        invented_percent=invented,
    )


class _Planes:
    """Where points are seen from: for triangles, for shapes, for distances."""

    def __init__(self, points: Points) -> None:
        self.geographic = not is_local(points.crs) and is_geographic(points.crs)
        self.origin = points.xy.mean(axis=0)
        if not self.geographic:
            return
        lon, lat = points.xy.T
        turns = np.sort(lon % 360)
        gaps = np.diff(turns, append=turns[0] + 360)
        widest = int(np.argmax(gaps))
        self.west = float(turns[(widest + 1) % len(turns)] - gaps[widest] / 2) % 360
        around = gaps[widest] < 90 and np.abs(lat).min() < 90 and np.abs(lat).max() > POLAR_LATITUDE
        self.pole = float(np.sign(lat[np.argmax(np.abs(lat))])) if around and np.ptp(np.sign(lat)) == 0 else 0.0
        middle = unit_vectors(points.xy).mean(axis=0)
        self.axis = np.array([0.0, 0.0, self.pole]) if self.pole else middle / max(np.linalg.norm(middle), 1e-9)
        self.shorten = float(np.cos(np.radians((lat.min() + lat.max()) / 2)))

    def flat(self, xy: Floats) -> Floats:
        """The plane in which triangles are drawn."""
        if not self.geographic:
            return xy - self.origin
        if self.pole:
            return self.shaped(xy)
        lon = (xy[:, 0] - self.west) % 360
        return np.stack([lon * self.shorten, xy[:, 1]], axis=1)

    def shaped(self, xy: Floats) -> Floats:
        """A plane that keeps shapes: stereographic around the points."""
        if not self.geographic:
            return xy - self.origin
        ends = unit_vectors(xy)
        helper = np.array([1.0, 0.0, 0.0]) if abs(self.axis[2]) > 0.9 else np.array([0.0, 0.0, 1.0])
        east = np.cross(helper, self.axis)
        east /= np.linalg.norm(east)
        north = np.cross(self.axis, east)
        scale = np.degrees(2.0) / np.maximum(1 + ends @ self.axis, 1e-9)
        return np.stack([ends @ east * scale, ends @ north * scale], axis=1)

    def solid(self, xy: Floats) -> Floats:
        """Where straight distances grow with those on the ground."""
        return unit_vectors(xy) if self.geographic else xy - self.origin


def unit_vectors(lonlat: Floats) -> Floats:
    """Longitude and latitude in degrees as (n, 3) vectors of length 1.

    Examples
    --------
    >>> unit_vectors(np.array([[90.0, 0.0]])).round(6).tolist()
    [[0.0, 1.0, 0.0]]
    """
    lon, lat = np.radians(lonlat.T)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


class _Hull:
    """Triangles between points, a hair wider than they are, so that places on their rim are inside."""

    def __init__(self, places: Floats) -> None:
        from scipy.spatial import Delaunay

        self.triangles = Delaunay(places)
        self.middle = places.mean(axis=0)

    def drawn_in(self, places: Floats) -> Floats:
        return self.middle + (places - self.middle) * (1 - 1e-9)

    def holds(self, places: Floats) -> NDArray[np.bool_]:
        return np.asarray(self.triangles.find_simplex(self.drawn_in(places)) >= 0)


def _triangulate(places: Floats, count: int) -> _Hull:
    from scipy.spatial import QhullError

    if count < 3:
        raise InvalidInputError(f"{count} points span no area.", "Give at least 3 that do not lie on a line.")
    try:
        return _Hull(places)
    except QhullError:
        raise InvalidInputError(f"The {count} points lie on one line.", "Give points that span an area.") from None


def _interpolator(
    method: str, planes: _Planes, points: Points, values: Floats, hull: _Hull
) -> Callable[[Floats], Floats]:
    from scipy.interpolate import CloughTocher2DInterpolator, LinearNDInterpolator, RBFInterpolator
    from scipy.spatial import cKDTree

    if method == "nearest":
        tree = cKDTree(planes.solid(points.xy))
        return lambda xy: np.asarray(values[tree.query(planes.solid(xy))[1]])
    if method in ("linear", "cubic"):
        kind = LinearNDInterpolator if method == "linear" else CloughTocher2DInterpolator
        inner = kind(hull.triangles, values)
        return lambda xy: np.asarray(inner(hull.drawn_in(planes.flat(xy))))
    places = planes.shaped(points.xy)
    unit = float(np.ptp(places, axis=0).max())
    settings = {"kernel": "thin_plate_spline", "neighbors": min(RBF_NEIGHBORS, len(points))}
    smoothing = _smoothing(places / unit, values, points.sigma)
    spline = RBFInterpolator(places / unit, values, smoothing=smoothing, **settings)
    return lambda xy: np.asarray(spline(planes.shaped(xy) / unit)) if len(xy) else np.empty(0)


def _smoothing(places: Floats, values: Floats, sigma: Floats | None) -> Floats | float:
    """As much smoothing, in proportion to the variance of each point, as leaves one sigma of misfit at the points."""
    from scipy.interpolate import RBFInterpolator

    if sigma is None or not (sigma > 0).all():
        return 0.0
    trial = np.random.default_rng(0).permutation(len(values))[:_TRIAL_POINTS]
    some, known, spread = places[trial], values[trial], sigma[trial]
    weights = (sigma / np.median(sigma)) ** 2
    neighbors = min(RBF_NEIGHBORS, len(trial))

    def misfit(strength: float) -> float:
        spline = RBFInterpolator(some, known, smoothing=strength * weights[trial], neighbors=neighbors)
        return float(np.sqrt(np.mean(((spline(some) - known) / spread) ** 2)))

    low, high = -14.0, 4.0
    if misfit(10.0**low) >= 1:
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if misfit(10.0**middle) < 1 else (low, middle)
    return weights * 10.0**low
