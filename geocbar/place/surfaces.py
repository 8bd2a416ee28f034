"""Smooth surfaces from world, or from the plane of a projection, to the picture: what competes with projections."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.place.fits import Places, ProjectionFit, aicc
from geocbar.place.splines import fit_spline, smoothing_path
from geocbar.place.transforms import Transform, fit_polynomial

__all__ = ["PAPER", "Surface", "fit_surface", "moved_surface", "rival_surfaces"]

#: The model of displacements as of bent paper.
PAPER = "paper"

#: Names of smooth surfaces as models; the order of the polynomials.
ORDERS = {"poly1": 1, "poly2": 2, "poly3": 3}


#: Smoothing of a spline that all but passes through the points.
STIFFNESS_LEAST = 1e-4


@dataclass(frozen=True, eq=False)
class Surface:
    """A polynomial or spline, on world coordinates or on a projection.

    Parameters
    ----------
    model : str
        ``"poly2"``, ``"spline"``, ...
    smoothing : float
        Of a spline.
    base : ProjectionFit or None
        The projection it corrects.
    places : (n, 2) float array
        Coordinates it was fitted to.
    transform : Transform
        From these to pixels.
    residuals : (n, 2) float array
    parameters : float
        Fitted numbers; for a smoothed spline the trace of its influence.
    left_out : float
        Root mean square distance in pixels when each point in turn takes no part.
    aicc : float
    leverage : (n,) float array
        How far each point determines its own fitted place.
    """

    model: str
    smoothing: float
    base: ProjectionFit | None
    places: NDArray[np.float64]
    transform: Transform
    residuals: NDArray[np.float64]
    parameters: float
    left_out: float
    aicc: float
    leverage: NDArray[np.float64]


def fit_surface(
    model: str, smoothing: float, places: NDArray[np.float64], pixels: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[Transform, NDArray[np.float64]]:
    """Transform and leverage of a polynomial or spline."""
    if model in ORDERS:
        return fit_polynomial(places, pixels, ORDERS[model], weights)
    spline, influence = fit_spline(places, pixels, smoothing, weights)
    return spline, np.diag(influence)


def moved_surface(surface: Surface, base: ProjectionFit, shift: NDArray[np.float64], places: Places) -> Surface:
    """The same surface over a projection whose plane is counted from elsewhere, by `shift` in metres."""
    flat = surface.places - shift
    if surface.model == PAPER:
        transform: Transform = fit_spline(flat, places.pixels + surface.residuals)[0]
    else:
        transform, _ = fit_surface(surface.model, surface.smoothing, flat, places.pixels, places.weights)
    return replace(surface, base=base, places=flat, transform=transform)


def rival_surfaces(
    places: Places, fits: list[ProjectionFit], world: NDArray[np.float64], taken: int = 3
) -> list[Surface]:
    """Polynomials and smoothed splines on the world coordinates and on the planes of the best projections."""
    bases: list[tuple[ProjectionFit | None, NDArray[np.float64]]] = [(None, world)]
    seen: set[str] = set()
    for fit in fits:
        if fit.family.key not in seen and len(seen) < taken and fit.keep.all():
            seen.add(fit.family.key)
            inverse = np.linalg.inv(fit.matrix[:, :2])
            bases.append((fit, (fit.residuals + places.pixels - fit.matrix[:, 2]) @ inverse.T))
    found = []
    for base, flat in bases:
        models = [(model, 0.0) for model in ORDERS if base is None or model != "poly1"]
        path = smoothing_path(flat, places.pixels, places.weights)
        scored = [(aicc(rss, 2 * len(flat), k), smoothing) for smoothing, rss, k in path]
        if scored:
            models += [("spline", smoothing) for smoothing in {min(scored)[1], STIFFNESS_LEAST}]
        for model, smoothing in models:
            surface = _surface(model, smoothing, base, flat, places)
            if surface is not None:
                found.append(surface)
    return sorted(found, key=lambda surface: surface.aicc)


def _surface(
    model: str, smoothing: float, base: ProjectionFit | None, flat: NDArray[np.float64], places: Places
) -> Surface | None:
    try:
        transform, leverage = fit_surface(model, smoothing, flat, places.pixels, places.weights)
    except InvalidInputError:
        return None  # too few points for it, or in places that do not determine it
    slopes = np.linalg.det(transform.jacobian(flat))
    if not (np.all(slopes > 0) or np.all(slopes < 0)):
        return None
    rest = transform.to_pixel(flat) - places.pixels
    rss = float((places.weights[:, None] * rest**2).sum())
    parameters = 2 * float(leverage.sum()) + (0.0 if base is None else base.charge)
    with np.errstate(divide="ignore", invalid="ignore"):
        gone = np.hypot(*rest.T) / (1 - leverage)
    left_out = float(np.sqrt(np.mean(gone**2))) if (leverage < 1 - 1e-9).all() else float("inf")
    score = aicc(rss, 2 * len(flat), parameters)
    return Surface(model, smoothing, base, flat, transform, rest, parameters, left_out, score, leverage)
