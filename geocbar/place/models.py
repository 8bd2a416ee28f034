"""The models a user can name, and the control points made ready for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.place.candidates import Body, Family, project_fixed
from geocbar.place.fits import Places, ProjectionFit
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.inference import fit_family
from geocbar.place.outliers import with_deletions
from geocbar.place.posts import fit_posts, post_matrix, to_complex
from geocbar.place.projections import require_crs
from geocbar.place.projective import fit_projective
from geocbar.place.splines import fit_spline
from geocbar.place.transforms import PolynomialTransform, Transform, fit_polynomial

__all__ = [
    "MODELS",
    "Globe",
    "fit_flat",
    "fit_named_projection",
    "globe_of",
    "linear_transform",
    "places_of",
    "points_needed",
    "split_model",
]

#: Models on the world coordinates and how many control points each needs. ``projection:CRS`` comes on top of them.
MODELS: dict[str, int] = {"similarity": 2, "affine": 3, "poly1": 3, "projective": 4, "poly2": 6, "poly3": 10, "tps": 4}

#: What may follow ``projection:CRS``, for paper that is bent.
BENT = ("+poly2", "+poly3", "+tps")

_ORDERS = {"affine": 1, "poly1": 1, "poly2": 2, "poly3": 3}


@dataclass(frozen=True)
class Globe:
    """What the CRS of the control points says of the globe.

    Parameters
    ----------
    body : Body
    geographic : bool
        Whether the CRS counts degrees.
    crs : str
        WKT of the geographic CRS below it; the CRS itself if that is geographic.
    """

    body: Body
    geographic: bool
    crs: str


def split_model(model: str) -> tuple[str, str]:
    """A model and what bends it.

    Examples
    --------
    >>> split_model("projection:EPSG:3035+poly2"), split_model("projection:+proj=robin"), split_model("poly3")
    (('projection:EPSG:3035', 'poly2'), ('projection:+proj=robin', ''), ('poly3', ''))
    """
    for ending in BENT:
        if model.startswith("projection:") and model.endswith(ending):
            return model.removesuffix(ending), ending[1:]
    return model, ""


def points_needed(model: str) -> int:
    """The number of control points a model needs.

    Raises
    ------
    InvalidInputError
        If there is no such model.

    Examples
    --------
    >>> [points_needed(m) for m in ("affine", "poly2", "poly3", "projection:EPSG:3035")]
    [3, 6, 10, 3]
    """
    plain, bend = split_model(model)
    if plain.startswith("projection:") and len(plain) > len("projection:"):
        return MODELS[bend] if bend else 3
    if plain not in MODELS:
        raise InvalidInputError(
            f"There is no model {model!r}.", f"Choose one of: auto, {', '.join(MODELS)}, projection:CRS"
        )
    return MODELS[plain]


def globe_of(crs: str) -> Globe:
    """The globe below a coordinate reference system."""
    from pyproj import CRS

    system = CRS.from_user_input(crs)
    below = system.geodetic_crs
    ellipsoid = system.ellipsoid
    if below is None or ellipsoid is None:
        return Globe(Body(6378137.0, 6378137.0, "+R=6378137"), False, "")
    major, minor = float(ellipsoid.semi_major_metre), float(ellipsoid.semi_minor_metre)
    # WGS 84 and GRS 80 differ by a tenth of a millimetre.
    earth = abs(major - 6378137) < 1e-3 and abs(minor - 6356752.314) < 1e-2
    round_body = abs(major - minor) < 1e-6 * major
    datum = "+datum=WGS84" if earth else f"+R={major:.10g}" if round_body else f"+a={major:.12g} +b={minor:.12g}"
    return Globe(Body(major, minor, datum), bool(system.is_geographic), crs if system.is_geographic else below.to_wkt())


def places_of(used: GroundControlPoints, globe: Globe, weights: NDArray[np.float64]) -> Places:
    """Control points with their longitudes and latitudes.

    Raises
    ------
    InvalidInputError
        For latitudes beyond 90 degrees, or places that are nowhere on the globe.
    """
    lonlat = used.world
    if not globe.geographic:
        lonlat = project_fixed(globe.crs, used.crs, used.world)
        lost = np.flatnonzero(~np.isfinite(lonlat).all(axis=1))
        if len(lost):
            raise InvalidInputError(
                f"Point {used.names[lost[0]]!r} is nowhere on the globe in {used.crs.splitlines()[0][:60]}.",
                "Check its coordinates, or --gcp-crs.",
            )
    wrong = np.flatnonzero(np.abs(lonlat[:, 1]) > 90)
    if len(wrong):
        metres = np.abs(lonlat).max() > 1000
        raise InvalidInputError(
            f"Point {used.names[wrong[0]]!r} has latitude {lonlat[wrong[0], 1]:g}; latitudes end at 90 degrees.",
            "These look like metres: give their CRS, such as --gcp-crs EPSG:32633"
            if metres
            else "Are longitude and latitude swapped?",
        )
    lon, lat = np.array(lonlat.T)
    return Places(lon, lat, used.pixels, used.world, used.crs, globe.body, weights)


def fit_flat(
    model: str, world: NDArray[np.float64], pixels: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[Transform, NDArray[np.float64]]:
    """A model on flat coordinates and the leverage of each point.

    Raises
    ------
    InvalidInputError
        If the points do not determine it.
    """
    if model in _ORDERS:
        return fit_polynomial(world, pixels, _ORDERS[model], weights)
    if model == "projective":
        return fit_projective(world, pixels, weights)
    if model == "tps":
        spline, influence = fit_spline(world, pixels, 0.0, weights)
        return spline, np.diag(influence)
    coefficients, _ = fit_posts(to_complex(world[None]), to_complex(pixels, down=True), "similarity", weights)
    if not np.isfinite(coefficients).all() or coefficients[0, 0] == 0:
        raise InvalidInputError(
            f"The {len(world)} control points do not determine a similarity (2 in different places needed).",
            "Add control points.",
        )
    centred = np.abs(to_complex(world - np.average(world, axis=0, weights=weights))) ** 2
    leverage = weights * (1 / weights.sum() + centred / (weights * centred).sum())
    return linear_transform(post_matrix(coefficients[0]), world), leverage


def linear_transform(matrix: NDArray[np.float64], world: NDArray[np.float64]) -> PolynomialTransform:
    """The transform of a (2, 3) matrix, normalised by the points."""
    low, high = world.min(axis=0), world.max(axis=0)
    center, spread = (low + high) / 2, np.where(high > low, (high - low) / 2, 1.0)
    forward = np.vstack([matrix[:, :2] @ center + matrix[:, 2], (matrix[:, :2] * spread).T])
    return PolynomialTransform(1, center, spread, forward, np.zeros((3, 2)), np.zeros(2), np.ones(2))


def fit_named_projection(model: str, places: Places, keep_all: bool) -> ProjectionFit:
    """The projection a user has named, with an affine post.

    Raises
    ------
    NotFoundError
        If there is no such CRS.
    InvalidInputError
        If it cannot show the points, or they lie on a line.
    """
    text = model.removeprefix("projection:")
    if "+proj" in text and "+type=crs" not in text:
        text += " +type=crs"
    require_crs(text)
    family = Family("named", text.removesuffix(" +type=crs"), centred=False, posts=("affine",), fixed=text)
    fits = fit_family(family, places, False)
    if not fits:
        raise InvalidInputError(
            f"The projection {family.title} does not show all control points, or they lie on one line in it.",
            "Check the projection and the points, or use --model auto.",
        )
    if keep_all:
        return fits[0]
    return min([*fits, *with_deletions(places, fits)], key=lambda fit: fit.aicc)
