"""Figures without a globe: sections, plans and heat maps, whose axes count in any unit, evenly or by powers of ten."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from geocbar.place.gcps import GroundControlPoints

__all__ = ["LOCAL", "axis_readings", "crs_definition", "is_local", "local_notes", "short_crs", "to_local_plane"]

#: What a user types, and which axes (x, y) then run with the logarithm.
LOG_AXES: dict[str, tuple[bool, bool]] = {
    "local": (False, False),
    "local:logx": (True, False),
    "local:logy": (False, True),
    "local:logxy": (True, True),
}


def _plane(log_x: bool, log_y: bool) -> str:
    """WKT of a plane without a globe; the name tells of logarithms, for a GeoTIFF keeps nothing else."""
    logs = ", ".join(f"log10 {axis}" for axis, log in (("x", log_x), ("y", log_y)) if log)
    name = f"Local coordinates ({logs})" if logs else "Local coordinates"
    # The unit is a formality: GeoTIFF and QGIS know no plane that counts in anything but lengths.
    return (
        f'ENGCRS["{name}",EDATUM["Unknown engineering datum"],CS[Cartesian,2],'
        'AXIS["x",east,ORDER[1]],AXIS["y",north,ORDER[2]],LENGTHUNIT["metre",1]]'
    )


_PLANES = {short: _plane(*logs) for short, logs in LOG_AXES.items()}

#: WKT of the local plane with even axes.
LOCAL = _PLANES["local"]


def crs_definition(crs: str) -> str:
    """A reference system as pyproj, GDAL and QGIS take it.

    Parameters
    ----------
    crs : str
        ``local``, ``local:logx``, ``local:logy``, ``local:logxy``, or anything else, which is handed back as it is.

    Returns
    -------
    str

    Raises
    ------
    NotFoundError
        If it begins like a local one and is none.

    Examples
    --------
    >>> crs_definition("Local").startswith('ENGCRS["Local coordinates"'), crs_definition("EPSG:4326")
    (True, 'EPSG:4326')
    """
    typed = crs.strip().lower()
    if typed.partition(":")[0] != "local":
        return crs
    if typed not in _PLANES:
        raise NotFoundError(f"There is no local reference system {crs!r}.", f"Write one of: {', '.join(_PLANES)}")
    return _PLANES[typed]


@lru_cache(maxsize=256)
def _system(crs: str) -> tuple[bool, str]:
    """Whether it is an engineering system, and its name."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system = CRS.from_user_input(crs_definition(crs))
    except CRSError:
        return False, ""  # require_crs says that it is not known
    return bool(system.is_engineering), str(system.name)


def is_local(crs: str) -> bool:
    """Whether coordinates lie in a plane of their own that has no place on a globe.

    Examples
    --------
    >>> is_local("local:logx"), is_local(LOCAL), is_local("EPSG:3857")
    (True, True, False)
    """
    return _system(crs)[0]


def short_crs(crs: str) -> str:
    """What a user would type for a local plane of geocbar's own, also one read back from a file; else `crs` itself.

    Examples
    --------
    >>> short_crs(crs_definition("local:logxy")), short_crs("EPSG:4326")
    ('local:logxy', 'EPSG:4326')
    """
    engineering, name = _system(crs)
    if engineering:
        for short, definition in _PLANES.items():
            if name == _system(definition)[1]:
                return short
    return crs


def _log_axes(crs: str) -> tuple[bool, bool]:
    return LOG_AXES.get(short_crs(crs), (False, False))


def to_local_plane(gcps: GroundControlPoints) -> GroundControlPoints:
    """Control points whose world coordinates are read off axes, in the plane where positions run evenly.

    Parameters
    ----------
    gcps : GroundControlPoints
        Their `crs` as typed: ``local:logx`` and the like mean that their x, y or both stand on logarithmic axes.

    Returns
    -------
    GroundControlPoints
        With log10 of those coordinates, and the plane's WKT as `crs`. Points in any other CRS, and points that are in
        the plane already (`crs` is its WKT), are handed back as they are.

    Raises
    ------
    InvalidInputError
        If a coordinate on a logarithmic axis is 0 or below.
    NotFoundError
        If the CRS begins like a local one and is none.

    Examples
    --------
    >>> from geocbar.place.gcps import GroundControlPoints
    >>> points = GroundControlPoints([[0, 0], [50, 80]], [[1, 7], [1000, 9]], "local:logx")
    >>> to_local_plane(points).world.tolist()
    [[0.0, 7.0], [3.0, 9.0]]
    """
    definition = crs_definition(gcps.crs)
    if definition == gcps.crs:
        return gcps
    world = np.array(gcps.world)
    for axis, log in enumerate(LOG_AXES[gcps.crs.strip().lower()]):
        if not log:
            continue
        wrong = np.flatnonzero(world[:, axis] <= 0)
        if len(wrong):
            label = "xy"[axis]
            raise InvalidInputError(
                f"Point {gcps.names[wrong[0]]!r} has {label} = {world[wrong[0], axis]:g}, which has no place on a"
                " logarithmic axis.",
                f"Correct it, or say that {label} is even: --gcp-crs local",
            )
        world[:, axis] = np.log10(world[:, axis])
    return replace(gcps, world=world, crs=definition)


def axis_readings(xy: ArrayLike, crs: str) -> NDArray[np.float64]:
    """What the figure's axes say at places of a local plane: powers of ten on logarithmic axes.

    Parameters
    ----------
    xy : (n, 2) array
        In `crs`.
    crs : str

    Returns
    -------
    (n, 2) float array
        The places themselves where no axis is logarithmic.
    """
    out = np.array(xy, np.float64).reshape(-1, 2)
    for axis, log in enumerate(_log_axes(crs)):
        if log:
            with np.errstate(over="ignore"):
                out[:, axis] = 10.0 ** out[:, axis]
    return out


def local_notes(crs: str) -> tuple[str, ...]:
    """What a person should know of the coordinates of a raster in this plane; nothing for other systems."""
    if not is_local(crs):
        return ()
    logs = [axis for axis, log in zip("xy", _log_axes(crs), strict=True) if log]
    notes = ["The coordinates are those of the figure's axes, without a place on Earth; there are no distances in km."]
    if logs:
        both = " and ".join(logs)
        notes.append(
            f"{both} run{'' if len(logs) > 1 else 's'} with the logarithm: rasters and geometries count log10 of"
            f" {both}; the columns x and y of the points hold what the axes say."
        )
    return tuple(notes)
