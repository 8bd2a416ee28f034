"""Ground control points, and what is suspicious about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.place.local_crs import crs_definition, is_local

__all__ = [
    "GroundControlPoints",
    "check_gcps",
    "is_geographic",
    "unwrap_longitudes",
]

#: How far outside the picture a point may lie, as a share of its size.
MARGIN = 0.1

#: Smallest over largest singular value below which points count as lying on one line.
ON_LINE = 1e-3


@dataclass(frozen=True, eq=False)
class GroundControlPoints:
    """Places that are known both in the picture and on Earth.

    Parameters
    ----------
    pixels : (n, 2) float array
        ``(col, row)`` in pixels; the centre of the top-left pixel is (0.5, 0.5).
    world : (n, 2) float array
        ``(x, y)`` in `crs`: (lon, lat) in degrees or (easting, northing), always in this order.
    crs : str
        Coordinate reference system of `world`, anything pyproj understands.
    names : tuple of str
        One name a point; numbered from 1 if empty.
    enabled : (n,) bool array or None
        Points switched off are kept and reported but take no part in a fit. None: all take part.

    Raises
    ------
    InvalidInputError
        If the shapes do not match or a coordinate is not finite.
    """

    pixels: NDArray[np.float64]
    world: NDArray[np.float64]
    crs: str = "EPSG:4326"
    names: tuple[str, ...] = ()
    enabled: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        pixels = np.array(self.pixels, dtype=np.float64).reshape(-1, 2)
        world = np.array(self.world, dtype=np.float64).reshape(-1, 2)
        n = len(pixels)
        enabled = np.ones(n, bool) if self.enabled is None else np.array(self.enabled, dtype=bool)
        names = tuple(self.names) or tuple(str(i + 1) for i in range(n))
        if len(world) != n or len(enabled) != n or len(names) != n:
            raise InvalidInputError(
                f"{n} pixel places, {len(world)} world places, {len(names)} names and {len(enabled)} switches"
                " do not pair up."
            )
        if not (np.isfinite(pixels).all() and np.isfinite(world).all()):
            raise InvalidInputError("A control point has a coordinate that is not a finite number.")
        for array in (pixels, world, enabled):
            array.setflags(write=False)
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "world", world)
        object.__setattr__(self, "enabled", enabled)
        object.__setattr__(self, "names", names)

    def __len__(self) -> int:
        return len(self.pixels)

    def used(self) -> GroundControlPoints:
        """Only the points that are switched on."""
        on = np.asarray(self.enabled)
        return GroundControlPoints(
            self.pixels[on],
            self.world[on],
            self.crs,
            tuple(n for n, use in zip(self.names, on, strict=True) if use),
        )


@lru_cache(maxsize=64)
def is_geographic(crs: str) -> bool:
    """Whether a coordinate reference system counts in degrees of longitude and latitude.

    Raises
    ------
    NotFoundError
        If pyproj does not know the system.

    Examples
    --------
    >>> is_geographic("EPSG:4326"), is_geographic("EPSG:3857")
    (True, False)
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return bool(CRS.from_user_input(crs_definition(crs)).is_geographic)
    except CRSError:
        shown = crs if len(crs) <= 60 else f"{crs[:60]}…"
        raise NotFoundError(
            f"There is no coordinate reference system {shown!r}.",
            "Give a code such as EPSG:4326, a PROJ string or WKT.",
        ) from None


def check_gcps(gcps: GroundControlPoints, width: int, height: int) -> list[str]:
    """Refuse control points no transform can be fitted to, and note what is merely suspicious.

    Only points that are switched on are looked at.

    Parameters
    ----------
    gcps : GroundControlPoints
        At least one of them switched on.
    width, height : int
        Size of the picture in pixels.

    Returns
    -------
    list of str
        One sentence for each thing worth a look: points a little outside the picture, points nearly on one
        line, points in a small part of the picture. Empty if there is none.

    Raises
    ------
    InvalidInputError
        If no point is switched on; a longitude or latitude is out of range; metres look like degrees; a point lies
        more than 10 % of
        the picture outside of it; two points share a place in the picture, or a place on Earth more than 3 px
        apart (the poles excepted); all points lie on one line.
    """
    used = gcps.used()
    if len(used) == 0:
        raise InvalidInputError("No control point is switched on.", "Switch at least three on: enable = 1.")
    geographic = is_geographic(used.crs)
    if geographic:
        _require_degrees(used)
    elif not is_local(used.crs):
        _require_no_degrees(used)
    notes = _require_inside(used, width, height)
    _require_single(used, geographic)
    return notes + _require_spread(used, geographic, width, height)


def _quoted(names: Iterable[str]) -> str:
    """Names as ``'A', 'B' and 3 more``."""
    every = [f"'{name}'" for name in names]
    return ", ".join(every[:6]) + (f" and {len(every) - 6} more" if len(every) > 6 else "")


def _require_degrees(used: GroundControlPoints) -> None:
    """Refuse latitudes beyond 90 and longitudes beyond 360 degrees."""
    lon, lat = used.world.T
    if np.abs(lon).max() <= 360 and np.abs(lat).max() <= 90:
        return
    i = int(np.argmax(np.maximum(np.abs(lat) / 90, np.abs(lon) / 360)))
    hint = f"Correct point '{used.names[i]}'."
    if np.abs(used.world).max() > 1000:
        hint = f"These look like metres, but the CRS is {used.crs}: give the right CRS, such as EPSG:32633."
    elif np.abs(lon).max() <= 90 and np.abs(lat).max() <= 360:
        hint = "Longitude and latitude look swapped in all points: swap the two columns."
    elif abs(lon[i]) <= 90 and abs(lat[i]) <= 360:
        hint = f"Longitude and latitude of point '{used.names[i]}' look swapped: swap the two numbers."
    raise InvalidInputError(
        f"Point '{used.names[i]}' has longitude {lon[i]:g} and latitude {lat[i]:g}; longitudes end at 360 and"
        " latitudes at 90 degrees.",
        hint,
    )


def _require_no_degrees(used: GroundControlPoints) -> None:
    """Refuse what looks like longitudes and latitudes in a CRS that counts metres."""
    x, y = used.world.T
    if len(used) > 1 and np.abs(x).max() <= 360 and np.abs(y).max() <= 90 and np.ptp(used.world) > 0:
        raise InvalidInputError(
            f"The control points are given in {used.crs.splitlines()[0][:60]}, which counts metres, but all of them lie"
            f" within {np.abs(x).max():g} and {np.abs(y).max():g} of its origin: they look like degrees.",
            "For longitudes and latitudes: --gcp-crs EPSG:4326",
        )


def _require_inside(used: GroundControlPoints, width: int, height: int) -> list[str]:
    """Refuse points far outside the picture; note those a little outside."""
    size = np.array([width, height], dtype=np.float64)
    beyond = np.maximum(-used.pixels, used.pixels - size) / size
    worst = beyond.max(axis=1)
    if worst.max() > MARGIN:
        i = int(np.argmax(worst))
        col, row = used.pixels[i]
        hint = f"Correct pixel and line of {_quoted(np.array(used.names)[worst > MARGIN])}."
        if (used.pixels >= -0.5).all():
            factor = float((used.pixels / size).max())
            hint = (
                "Points of a picture of another size? They would fit one of at least"
                f" {width * factor:.0f} x {height * factor:.0f} px."
            )
        raise InvalidInputError(
            f"Point '{used.names[i]}' lies at pixel {col:g}, line {row:g}, outside the picture, which is"
            f" {width} x {height} px.",
            hint,
        )
    outside = np.array(used.names)[worst > 0]
    return [f"Outside the picture, though not far: {_quoted(outside)}."] if len(outside) else []


def _require_single(used: GroundControlPoints, geographic: bool) -> None:
    """Refuse two points at one place in the picture, or one place on Earth at two places in the picture."""
    apart = np.linalg.norm(used.pixels[:, None] - used.pixels[None], axis=2)
    span = np.maximum(np.ptp(used.world, axis=0).max(), 1e-9)
    same_world = np.abs(used.world[:, None] - used.world[None]).max(axis=2) <= 1e-9 * span
    pole = (np.abs(used.world[:, 1]) > 89.999) & geographic
    for i, j in np.argwhere(np.triu(apart <= 0.01, 1)):
        a, b = used.names[i], used.names[j]
        if same_world[i, j]:
            raise InvalidInputError(f"Points '{a}' and '{b}' are the same point.", "Delete one of them.")
        raise InvalidInputError(
            f"Points '{a}' and '{b}' have one place in the picture, pixel {used.pixels[i, 0]:g}, line"
            f" {used.pixels[i, 1]:g}, but two on Earth.",
            "Correct one of them or switch it off.",
        )
    for i, j in np.argwhere(np.triu(same_world & (apart > 3) & ~pole[:, None], 1)):
        raise InvalidInputError(
            f"Points '{used.names[i]}' and '{used.names[j]}' have one place on Earth, {used.world[i, 0]:g},"
            f" {used.world[i, 1]:g}, but lie {apart[i, j]:.0f} px apart in the picture.",
            "Correct one of them or switch it off.",
        )


def thinness(places: NDArray[np.float64]) -> float:
    """Smallest over largest singular value of centred places: 0 on a line, 1 all round."""
    small, large = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)[[1, 0]]
    return float(small / large) if large > 0 else 0.0


def _require_spread(used: GroundControlPoints, geographic: bool, width: int, height: int) -> list[str]:
    """Refuse points on one line; note those that are nearly so or crowd in a corner.

    One parallel all round a polar map is a line in longitude and latitude, a circle in the picture, and passes.
    """
    if len(used) < 3:
        return []
    thin, thin_world = thinness(used.pixels), thinness(used.world)
    lon, lat = used.world.T
    around_pole = geographic and np.ptp(lat) < 1e-3 * np.ptp(lon) and np.ptp(lon) > 180 and thin > 0.2
    elsewhere = "on their axes" if is_local(used.crs) else "on Earth"
    where = "in the picture" if thin < ON_LINE else elsewhere if thin_world < ON_LINE and not around_pole else ""
    if where:
        raise InvalidInputError(
            f"All {len(used)} control points lie on one line {where}.",
            "Add a point well off that line, or correct the coordinate that is the same in all of them.",
        )
    notes = []
    if thin < 0.05:
        notes.append("The control points lie nearly on one line: places off that line will be inaccurate.")
    share = float(np.prod(np.ptp(used.pixels, axis=0)) / (width * height))
    if share < 0.1:
        notes.append(f"The control points span {share:.0%} of the picture: places far from them will be inaccurate.")
    return notes


def unwrap_longitudes(gcps: GroundControlPoints) -> GroundControlPoints:
    """Shift longitudes by whole turns so that they run on across the date line.

    Candidates are the longitudes as given and those that begin at any of the points, from 0 to 360 and from -180
    to 180 among them; if the points leave more than half the globe free, only those that begin behind that gap.
    Each is judged by the RMSE of an affine fit. The given ones stay unless another candidate is at least three
    times and 5 px better.

    Parameters
    ----------
    gcps : GroundControlPoints
        Those switched off are shifted with the others.

    Returns
    -------
    GroundControlPoints
        `gcps` itself if nothing is gained, if there are fewer than four points or the CRS is not geographic.

    Examples
    --------
    >>> points = GroundControlPoints(
    ...     [[0, 0], [100, 0], [200, 0], [0, 90], [200, 90]],
    ...     [[170, 9], [180, 9], [-170, 9], [170, 0], [-170, 0]],
    ... )
    >>> unwrap_longitudes(points).world[:, 0].tolist()
    [170.0, 180.0, 190.0, 170.0, 190.0]
    """
    on = np.asarray(gcps.enabled)
    if on.sum() < 4 or not is_geographic(gcps.crs):
        return gcps
    lon = gcps.world[:, 0]

    def rmse(candidate: NDArray[np.float64]) -> float:
        world = np.stack([candidate, gcps.world[:, 1]], axis=1)[on]
        terms = affine_terms(world - world.mean(axis=0))
        rest = gcps.pixels[on] - terms @ np.linalg.lstsq(terms, gcps.pixels[on], rcond=None)[0]
        return float(np.sqrt((rest**2).sum() / len(rest)))

    given, best, kept = rmse(lon), np.inf, lon
    starts = np.unique(lon[on] % 360)
    gaps = (starts - np.roll(starts, 1)) % 360
    if gaps.max() > 180:
        starts = starts[[int(np.argmax(gaps))]]
    for start in starts:
        candidate = start + (lon - start) % 360
        candidate -= 360 * np.ceil((candidate[on].max() + candidate[on].min()) / 720 - 0.5)
        error = rmse(candidate)
        if error < best - 1e-6:
            best, kept = error, candidate
    if given < 3 * best or given - best <= 5:
        return gcps
    return replace(gcps, world=np.stack([kept, gcps.world[:, 1]], axis=1))


def affine_terms(world: NDArray[np.float64]) -> NDArray[np.float64]:
    """Terms 1, x, y."""
    return np.column_stack([np.ones(len(world)), world])
