"""The coordinate reference system a map is drawn in: PROJ text, WKT with a name, EPSG code where one matches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.place.candidates import Family, project_fixed
from geocbar.place.fits import ProjectionFit
from geocbar.place.posts import fit_posts, post_matrix, to_complex

__all__ = ["MapCrs", "describe", "find_map_crs", "proj_text", "unusual_grids"]

#: A registered CRS replaces the fitted one only if no place of the map moves further than this, in pixels.
AGREE_PX = 0.1

#: Central meridians that differ by more than this, in degrees, are not compared any further.
SAME_MERIDIAN = 0.05

#: How many registered systems are compared.
MOST_TRIED = 15

#: EPSG's names of the methods of each family.
METHODS: dict[str, tuple[str, ...]] = {
    "merc": ("Mercator (variant A)", "Mercator (variant B)", "Popular Visualisation Pseudo Mercator"),
    "eqc": ("Equidistant Cylindrical",),
    "cea": ("Lambert Cylindrical Equal Area", "Lambert Cylindrical Equal Area (Spherical)"),
    "eqearth": ("Equal Earth",),
    "tmerc": ("Transverse Mercator",),
    "lcc": ("Lambert Conic Conformal (2SP)", "Lambert Conic Conformal (1SP)"),
    "aea": ("Albers Equal Area",),
    "laea": ("Lambert Azimuthal Equal Area", "Lambert Azimuthal Equal Area (Spherical)"),
    "stere": ("Polar Stereographic (variant A)", "Polar Stereographic (variant B)", "Oblique Stereographic"),
    "poly": ("American Polyconic",),
}

#: Methods that no candidate family stands for.
UNUSUAL = (
    "Krovak (North Orientated)",
    "Hotine Oblique Mercator (variant A)",
    "Hotine Oblique Mercator (variant B)",
    "Oblique Stereographic",
    "New Zealand Map Grid",
    "Laborde Oblique Mercator",
)

_SHORT = {"lat_0": "lat", "lat_1": "lat", "pole_lat": "pole lat", "alpha": "azimuth"}


@dataclass(frozen=True, eq=False)
class MapCrs:
    """The reference system of the plane of a map.

    Parameters
    ----------
    text : str
        PROJ text, or ``EPSG:...``.
    wkt : str
    epsg : str
        ``"EPSG:32633"``, or empty.
    matrix : (2, 3) float array
        From the plane, in metres, to pixels.
    """

    text: str
    wkt: str
    epsg: str
    matrix: NDArray[np.float64]


def proj_text(fit: ProjectionFit) -> str:
    """PROJ text of a fitted projection, complete with figure and central meridian.

    Fixed reference systems are returned as they are.
    """
    if fit.family.fixed:
        return fit.family.fixed
    text = fit.family.pipeline(fit.shape)
    meridian = f"{fit.lon_0 + 0.0:.10g}"
    if "+lonc=0" in text:
        text = text.replace("+lonc=0", f"+lonc={meridian}")
    else:
        text += f" +lon_0={meridian}"
    return f"{text} +x_0=0 +y_0=0 {fit.figure} +units=m +no_defs +type=crs"


def describe(fit: ProjectionFit) -> str:
    """A projection as a person calls it, with its parameters.

    Returns
    -------
    str
        ``"Lambert conformal conic, lon 10, lat 52.7"``
    """
    if fit.family.fixed:
        return fit.family.title
    parts = [fit.family.title]
    if fit.family.centred or fit.family.key != "eqc":
        parts.append(f"lon {fit.lon_0 + 0.0:.4g}")
    values = dict(zip(fit.family.shape, fit.shape, strict=True))
    if "spread" in values:
        parts.append(f"lat {values['middle'] - values['spread']:.4g} and {values['middle'] + values['spread']:.4g}")
    elif "log_height" in values:
        parts.append(f"lat {values['lat_0']:.4g}, {np.exp(values['log_height'] / 10) / 1e3:.3g} km up")
    else:
        parts += [f"{_SHORT[name]} {value:.4g}" for name, value in values.items()]
    if fit.family.ellipsoidal and not fit.ellipsoid:
        parts.append("on the sphere")
    return ", ".join(parts)


def find_map_crs(fit: ProjectionFit, source: str, world: NDArray[np.float64], pixels: NDArray[np.float64]) -> MapCrs:
    """The reference system of a fitted projection, a registered one if that agrees all over the map.

    Parameters
    ----------
    fit : ProjectionFit
    source : str
        CRS of `world`.
    world, pixels : (n, 2) float array
        Places all over the map, and where the fit puts them.

    Returns
    -------
    MapCrs
    """
    from pyproj import CRS

    good = np.isfinite(world).all(axis=1)
    world, pixels = world[good], pixels[good]
    if fit.family.fixed:
        crs = CRS.from_user_input(fit.family.fixed)
        code = crs.to_epsg(100)
        return MapCrs(fit.family.fixed, crs.to_wkt(), f"EPSG:{code}" if code else "", fit.matrix)
    for code in _registered(fit, source, world):
        matrix = _agrees(f"EPSG:{code}", fit, source, world, pixels)
        if matrix is not None:
            return MapCrs(f"EPSG:{code}", CRS.from_epsg(code).to_wkt(), f"EPSG:{code}", matrix)
    text = proj_text(fit)
    named = CRS.from_user_input(text).to_json_dict()
    named["name"] = describe(fit)
    return MapCrs(text, CRS.from_json_dict(named).to_wkt(), "", fit.matrix)


def _registered(fit: ProjectionFit, source: str, world: NDArray[np.float64]) -> list[int]:
    """EPSG codes of systems near the map with the same method and about the same central meridian, likeliest first."""
    from pyproj import CRS

    if "+datum=WGS84" not in fit.figure and "+R=6371000" not in fit.figure:
        return []
    methods = METHODS.get(fit.family.key.split("_")[0], ())
    geographic = world if CRS.from_user_input(source).is_geographic else project_fixed("EPSG:4326", source, world)
    lon, lat = geographic[np.isfinite(geographic).all(axis=1)].T
    box = tuple(float(np.round(v)) for v in (lon.min(), lat.min(), lon.max(), lat.max()))
    found: list[tuple[bool, int]] = []
    for code, method in _near(box):
        if method not in methods:
            continue
        crs = CRS.from_epsg(code)
        operation = crs.coordinate_operation
        values = {} if operation is None else {param.name: param.value for param in operation.params}
        meridian = float(next((v for name, v in values.items() if name.startswith("Longitude of")), 0.0))
        near = abs((meridian - fit.lon_0 + 180) % 360 - 180) < SAME_MERIDIAN or not fit.family.centred
        if near and [axis.direction for axis in crs.axis_info[:2]] != ["north", "east"]:
            wgs84 = crs.geodetic_crs is not None and crs.geodetic_crs.to_epsg() == 4326
            found.append((not wgs84, code))
    return [code for _, code in sorted(found)[:MOST_TRIED]]


@lru_cache(maxsize=16)
def _near(box: tuple[float, float, float, float], contains: bool = False) -> tuple[tuple[int, str], ...]:
    """(EPSG code, method) of projected systems whose area of use meets a box of longitudes and latitudes."""
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    west, south, east, north = box
    if east - west >= 359:
        west, east = -180.0, 180.0
    else:
        west, east = (west + 180) % 360 - 180, (east + 180) % 360 - 180
    area = AreaOfInterest(west, max(south, -90.0), east, min(north, 90.0))
    every = query_crs_info("EPSG", [PJType.PROJECTED_CRS], area, contains)
    return tuple((int(info.code), info.projection_method_name or "") for info in every if not info.deprecated)


def _agrees(
    crs: str, fit: ProjectionFit, source: str, world: NDArray[np.float64], pixels: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """The matrix from the plane of a CRS to pixels, if that is the same map."""
    plane = project_fixed(crs, source, world)
    if not np.isfinite(plane).all():
        return None
    post = fit.post if fit.post != "upright" else "similarity"
    coefficients, rest = fit_posts(to_complex(plane[None]), to_complex(pixels, down=True), post)
    if not np.nanmax(np.abs(rest), initial=0.0) < AGREE_PX or np.isnan(rest).any():
        return None
    if fit.post == "upright":
        coefficients, rest = fit_posts(to_complex(plane[None]), to_complex(pixels, down=True), "upright")
        if not (np.abs(rest) < AGREE_PX).all():
            return None
    return post_matrix(coefficients[0])


def unusual_grids(lon: NDArray[np.float64], lat: NDArray[np.float64], earth: bool) -> tuple[Family, ...]:
    """National grids around the points in projections that no candidate stands for."""
    if not earth or np.ptp(lon) > 40:
        return ()
    from pyproj import CRS

    box = tuple(float(np.round(v, 1)) for v in (lon.min(), lat.min(), lon.max(), lat.max()))
    found: dict[str, Family] = {}
    for code, method in _near(box, True):
        if method in UNUSUAL and len(found) < 8:
            crs: Any = CRS.from_epsg(code)
            found.setdefault(
                method, Family(f"EPSG:{code}", f"{crs.name} (EPSG:{code})", centred=False, fixed=f"EPSG:{code}")
            )
    return tuple(found.values())
