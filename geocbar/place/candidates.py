"""The map projections a published map may be drawn in, and what is free in each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FAMILIES", "RARITY", "Body", "Family", "project", "wrap_longitudes"]

#: Radius of the sphere of maps drawn on one, in metres.
EARTH_SPHERE = 6371000.0

#: How much rarer than the usual ones a family is in print: added to its score (twice the logarithm of the odds).
RARITY: dict[str, float] = dict.fromkeys(("mill", "cea", "gall", "eqdc", "stere", "aeqd", "ortho", "nsper"), 1.0)
RARITY |= dict.fromkeys(("eck4", "sinu", "hammer", "natearth", "eqearth", "laea_north", "laea_south"), 1.0)
RARITY |= dict.fromkeys(("stere_north", "stere_south", "aeqd_north", "aeqd_south", "ortho_north", "ortho_south"), 1.0)
RARITY |= dict.fromkeys(("nsper", "vandg", "kav7", "aitoff", "eck3", "eck6", "gnom"), 2.5)
RARITY |= dict.fromkeys(("bonne", "poly", "cass", "omerc", "rotated"), 3.0)
RARITY |= {"stere_north": 0.0, "stere_south": 0.0}
# Points given in metres suggest that the map is drawn in their system.
RARITY |= {"given": -6.0}

ALL_POSTS = ("upright", "similarity", "affine")


@dataclass(frozen=True)
class Body:
    """The figure of the globe the control points lie on.

    Parameters
    ----------
    semi_major, semi_minor : float
        Axes of its ellipsoid in metres.
    datum : str
        PROJ parameters that name it: ``"+datum=WGS84"`` or ``"+a=... +b=..."``.
    """

    semi_major: float
    semi_minor: float
    datum: str

    @property
    def sphere(self) -> float:
        """Radius used for maps drawn on a sphere, in metres."""
        earth = abs(self.semi_major - 6378137) < 1000
        return EARTH_SPHERE if earth else self.semi_major

    @property
    def is_sphere(self) -> bool:
        """Whether the body itself is a sphere."""
        return abs(self.semi_major - self.semi_minor) < 1e-6 * self.semi_major

    def figure(self, ellipsoid: bool) -> str:
        """PROJ parameters of the ellipsoid or the sphere."""
        return self.datum if ellipsoid else f"+R={self.sphere:.10g}"


@dataclass(frozen=True)
class Family:
    """A map projection with parameters to be found.

    Parameters
    ----------
    key : str
        Short name.
    title : str
        As a person calls it.
    text : str
        PROJ parameters with ``{name}`` for each of `shape`.
    shape : tuple of str
        Free parameters other than the central meridian.
    centred : bool
        Whether the central meridian is free too; otherwise it only shifts the map.
    posts : tuple of str
        From the plane to the picture.
    ellipsoidal : bool
        Whether the projection differs on an ellipsoid.
    turning : bool
        Whether the central meridian only turns the map (conic and polar maps).
    fixed : str
        A complete CRS instead of all this.
    """

    key: str
    title: str
    text: str = ""
    shape: tuple[str, ...] = ()
    centred: bool = True
    posts: tuple[str, ...] = ALL_POSTS
    ellipsoidal: bool = False
    turning: bool = False
    fixed: str = ""

    def pipeline(self, shape: NDArray[np.float64] | tuple[float, ...]) -> str:
        """PROJ parameters without figure and central meridian."""
        values = dict(zip(self.shape, (float(v) for v in shape), strict=True))
        return self.text.format_map({name: f"{value:.10g}" for name, value in values.items()} | _derived(values))


def _derived(values: dict[str, float]) -> dict[str, str]:
    """Parameters computed from others: a pair of parallels from their middle and half their distance, a height."""
    if "log_height" in values:
        return {"height": f"{np.exp(values['log_height'] / 10):.10g}"}
    if "spread" not in values:
        return {}
    low, high = values["middle"] - values["spread"], values["middle"] + values["spread"]
    return {"lat_1": f"{low:.10g}", "lat_2": f"{high:.10g}"}


def _cylinder(key: str, title: str, text: str, ellipsoidal: bool = False) -> Family:
    return Family(key, title, text, (), False, ("upright", "box", "similarity", "affine"), ellipsoidal)


def _world(key: str, title: str, ellipsoidal: bool = False) -> Family:
    return Family(key, title, f"+proj={key}", ellipsoidal=ellipsoidal)


def _conic(key: str, title: str, text: str, shape: tuple[str, ...]) -> Family:
    return Family(key, title, text, shape, True, ("upright", "affine"), True, True)


def _azimuthal(key: str, title: str, ellipsoidal: bool) -> list[Family]:
    polar = [
        Family(
            f"{key}_{side}",
            f"{side} polar {title}",
            f"+proj={key} +lat_0={lat}",
            (),
            True,
            ("upright", "affine"),
            ellipsoidal,
            True,
        )
        for side, lat in (("north", 90), ("south", -90))
    ]
    return [*polar, Family(key, title, f"+proj={key} +lat_0={{lat_0}}", ("lat_0",), ellipsoidal=ellipsoidal)]


#: What is tried, whatever the country.
FAMILIES: tuple[Family, ...] = (
    _cylinder("eqc", "equidistant cylindrical (plate carrée)", "+proj=eqc"),
    _cylinder("merc", "Mercator", "+proj=merc", True),
    _cylinder("mill", "Miller cylindrical", "+proj=mill"),
    _cylinder("cea", "cylindrical equal-area", "+proj=cea", True),
    _cylinder("gall", "Gall stereographic", "+proj=gall"),
    _world("robin", "Robinson"),
    _world("moll", "Mollweide"),
    _world("eck3", "Eckert III"),
    _world("eck4", "Eckert IV"),
    _world("eck6", "Eckert VI"),
    _world("sinu", "sinusoidal", True),
    _world("hammer", "Hammer"),
    _world("aitoff", "Aitoff"),
    _world("natearth", "Natural Earth"),
    _world("eqearth", "Equal Earth", True),
    _world("wintri", "Winkel tripel"),
    _world("vandg", "van der Grinten"),
    _world("kav7", "Kavrayskiy VII"),
    Family("tmerc", "transverse Mercator", "+proj=tmerc", ellipsoidal=True),
    Family("cass", "Cassini", "+proj=cass", ellipsoidal=True),
    Family("poly", "polyconic", "+proj=poly", ellipsoidal=True),
    Family("bonne", "Bonne", "+proj=bonne +lat_1={lat_1}", ("lat_1",), ellipsoidal=True),
    _conic("lcc", "Lambert conformal conic", "+proj=lcc +lat_1={lat_1} +lat_2={lat_1} +lat_0={lat_1}", ("lat_1",)),
    _conic("aea", "Albers equal-area conic", "+proj=aea +lat_1={lat_1} +lat_2={lat_2}", ("middle", "spread")),
    _conic("eqdc", "equidistant conic", "+proj=eqdc +lat_1={lat_1} +lat_2={lat_2}", ("middle", "spread")),
    *_azimuthal("stere", "stereographic", True),
    *_azimuthal("laea", "Lambert azimuthal equal-area", True),
    *_azimuthal("aeqd", "azimuthal equidistant", True),
    *_azimuthal("ortho", "orthographic", False),
    Family("gnom", "gnomonic", "+proj=gnom +lat_0={lat_0}", ("lat_0",)),
    Family(
        "nsper",
        "near-sided perspective",
        "+proj=nsper +lat_0={lat_0} +h={height}",
        ("lat_0", "log_height"),
        posts=("upright", "similarity"),
    ),
    Family(
        "omerc",
        "oblique Mercator",
        "+proj=omerc +lonc=0 +lat_0={lat_0} +alpha={alpha} +gamma=0",
        ("lat_0", "alpha"),
        False,
        ("similarity",),
        True,
    ),
    Family(
        "rotated",
        "rotated pole, equidistant cylindrical",
        "+proj=ob_tran +o_proj=eqc +o_lon_p=0 +o_lat_p={pole_lat}",
        ("pole_lat",),
        posts=("upright", "box"),
    ),
)


def wrap_longitudes(lon: NDArray[np.float64], centre: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Longitudes from a meridian, within half a turn; exactly half a turn keeps the sign it has.

    Examples
    --------
    >>> wrap_longitudes(np.array([190.0, 180.0, -180.0, 350.0]), 0.0).tolist()
    [-170.0, 180.0, -180.0, -10.0]
    """
    offset = lon - centre
    return offset - 360 * np.round(np.where(np.abs(offset) > 180 + 1e-9, offset, 0.0) / 360)


@lru_cache(maxsize=512)
def _transformer(text: str) -> Any:
    from pyproj import Transformer

    return Transformer.from_pipeline(text)


@lru_cache(maxsize=32)
def _between(source: str, target: str) -> Any:
    from pyproj import Transformer

    return Transformer.from_crs(source, target, always_xy=True)


def project(
    family: Family,
    figure: str,
    shape: NDArray[np.float64] | tuple[float, ...],
    offset: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    inverse: bool = False,
) -> NDArray[np.float64]:
    """Project longitudes, counted from the central meridian, and latitudes.

    Parameters
    ----------
    family : Family
        Not a fixed one.
    figure : str
        Of the globe, see :meth:`Body.figure`.
    shape : (k,) float array
        Values of the free parameters.
    offset, lat : (...) float array
        Degrees; metres in the plane if `inverse`.
    inverse : bool
        From the plane to the globe.

    Returns
    -------
    (..., 2) float array
        Metres, or degrees if `inverse`; NaN where there is no such place.
    """
    from pyproj.exceptions import ProjError

    shown = np.broadcast_arrays(offset, lat)
    text = f"{family.pipeline(shape)} {figure} +over"
    try:
        x, y = _transformer(text).transform(*shown, direction="INVERSE" if inverse else "FORWARD")
    except ProjError:
        return np.full((*shown[0].shape, 2), np.nan)
    out = np.stack([x, y], axis=-1)
    out[~np.isfinite(out)] = np.nan
    return out


def project_fixed(crs: str, source: str, points: NDArray[np.float64], *, inverse: bool = False) -> NDArray[np.float64]:
    """Points of one CRS in another one, or back; NaN where there is no such place."""
    shape = points.shape
    flat = points.reshape(-1, 2)
    direction = "INVERSE" if inverse else "FORWARD"
    x, y = _between(source, crs).transform(flat[:, 0], flat[:, 1], direction=direction)
    out = np.stack([x, y], axis=1)
    out[~np.isfinite(out)] = np.nan
    return out.reshape(shape)
