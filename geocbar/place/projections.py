"""Coordinate reference systems: are they known, where do points lie in another one, how far apart on the ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.place.local_crs import crs_definition, is_local, short_crs

__all__ = ["crs_name", "distance_km", "is_geographic", "project_points", "require_crs"]


_BEYOND_POLE = 2.0


def require_crs(crs: str) -> None:
    """Refuse an unknown coordinate reference system, and one without two horizontal coordinates.

    Raises
    ------
    NotFoundError
        If pyproj does not know it.
    InvalidInputError
        If it is a vertical or geocentric one.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system = CRS.from_user_input(crs_definition(crs))
    except CRSError as error:
        shown = crs if len(crs) <= 80 else f"{crs[:80]}…"
        near = nearest_crs(crs)
        raise NotFoundError(
            f"The coordinate reference system {shown!r} is not known.",
            (f"Did you mean {near}? " if near else "") + "Write it like EPSG:4326, or as PROJ text or WKT.",
        ) from error
    if system.is_vertical or system.is_geocentric:
        kind = "geocentric" if system.is_geocentric else "vertical"
        raise InvalidInputError(
            f"{crs!r} ({system.name}) is a {kind} reference system: it has no plane to lay a map on.",
            "Give a geographic or projected one, like EPSG:4326.",
        )


def nearest_crs(crs: str, most: int = 3) -> str:
    """Registered systems whose code or name is most like what was typed.

    Returns
    -------
    str
        ``"EPSG:32633 (WGS 84 / UTM zone 33N) or ..."``; empty if nothing is alike.
    """
    from difflib import get_close_matches

    from pyproj.database import query_crs_info

    authority, _, code = crs.strip().upper().partition(":")
    if "+" in crs or "[" in crs:
        return ""
    if code.strip().isdigit():
        known = {info.code: info.name for info in query_crs_info(authority) if not info.deprecated}
        near = get_close_matches(code.strip(), list(known), most, 0.75)
        return " or ".join(f"{authority}:{key} ({known[key]})" for key in near)
    names = {info.name.lower(): f"{info.auth_name}:{info.code} ({info.name})" for info in query_crs_info("EPSG")}
    return " or ".join(names[name] for name in get_close_matches(crs.strip().lower(), list(names), most, 0.6))


def crs_name(crs: str) -> str:
    """How a CRS is called: its code if it is given by one, else its name."""
    if "[" not in crs and "+" not in crs:
        return crs
    from pyproj import CRS

    return str(CRS.from_user_input(crs).name)


def is_geographic(crs: str) -> bool:
    """Whether coordinates are degrees of longitude and latitude."""
    from pyproj import CRS

    return bool(CRS.from_user_input(crs_definition(crs)).is_geographic)


def project_points(points: ArrayLike, from_crs: str, to_crs: str) -> NDArray[np.float64]:
    """Places from one CRS in another.

    Parameters
    ----------
    points : (n, 2) array
        ``(x, y)`` or ``(lon, lat)``.
    from_crs, to_crs : str

    Returns
    -------
    (n, 2) float array
        NaN where there is no such place.

    Raises
    ------
    InvalidInputError
        If only one of them lies on a globe, or both are local planes and not the same.
    """
    points = np.asarray(points, np.float64).reshape(-1, 2)
    if from_crs == to_crs:
        return points
    if is_local(from_crs) or is_local(to_crs):
        start, goal = short_crs(from_crs), short_crs(to_crs)
        if start == goal:
            return points
        raise InvalidInputError(
            f"{start[:60]} does not lead to {goal[:60]}: local coordinates have no place on a globe.",
            "Leave out --to-crs, or give the control points in the reference system of a globe.",
        )
    from pyproj import Transformer

    x, y = Transformer.from_crs(from_crs, to_crs, always_xy=True).transform(points[:, 0], points[:, 1])
    out = np.stack([x, y], axis=1)
    out[~np.isfinite(out).all(axis=1)] = np.nan
    return out


def distance_km(a: NDArray[np.float64], b: NDArray[np.float64], crs: str) -> NDArray[np.float64]:
    """Distance on the ground along the geodesic of the CRS's own ellipsoid.

    Parameters
    ----------
    a, b : (n, 2) float array
        Places in `crs`.
    crs : str

    Returns
    -------
    (n,) float array
        Kilometres; NaN where a place is not on the globe, or the CRS has no ellipsoid.
    """
    from pyproj import CRS

    system = CRS.from_user_input(crs_definition(crs))
    geod, geographic = system.get_geod(), system.geodetic_crs
    if geod is None or geographic is None:
        return np.full(len(a), np.nan)
    if not system.is_geographic:
        a, b = (project_points(points, crs, geographic.to_wkt()) for points in (a, b))
    good = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1)
    # A fit may put a point at a pole a little beyond it.
    good &= (np.abs(a[:, 1]) <= 90 + _BEYOND_POLE) & (np.abs(b[:, 1]) <= 90 + _BEYOND_POLE)
    a, b = (np.stack([points[:, 0], np.clip(points[:, 1], -90, 90)], axis=1) for points in (a, b))
    out = np.full(len(a), np.nan)
    if good.any():
        out[good] = geod.inv(a[good, 0], a[good, 1], b[good, 0], b[good, 1])[2] / 1000
    return out
