"""The choice among projections, polynomials and splines, and what else is within reach."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.place.candidates import FAMILIES, RARITY, Family
from geocbar.place.diagnostics import left_out_lengths
from geocbar.place.fits import Places, ProjectionFit, refine
from geocbar.place.inference import screen
from geocbar.place.outliers import SHARE, believable, with_deletions
from geocbar.place.snapping import snap
from geocbar.place.surfaces import Surface, rival_surfaces

__all__ = ["Choice", "choose"]

#: How many of the best fits have their parameters rounded.
SNAPPED = 10

#: A polynomial or spline must score better by this much: it does not say where the map lies beyond the points.
SURFACE_HANDICAP = 4.0

#: Rivals score worse by this much at most.
REACH = 7.0

#: Above this standard deviation, in pixels, points are suspected.
SUSPICIOUS_PX = 1.5

#: A projection whose residuals are larger than this, in pixels, competes with surfaces by leave-one-out error.
NO_FIT_PX = 2.0

#: Families as rare as this are not fitted robustly.
RARE = 2.5

#: How many robust fits are fitted again to the points that lie on them.
ROBUST = 12


@dataclass(frozen=True, eq=False)
class Choice:
    """What the map is taken for.

    Parameters
    ----------
    best : ProjectionFit or Surface
    rivals : tuple of ProjectionFit
        Other families within reach, best score first, each once.
    projection : ProjectionFit or None
        The best projection, if a surface won.
    """

    best: ProjectionFit | Surface
    rivals: tuple[ProjectionFit, ...]
    projection: ProjectionFit | None


def choose(places: Places, world: NDArray[np.float64], own: tuple[Family, ...] = (), keep_all: bool = False) -> Choice:
    """Fit every candidate and choose by Akaike's criterion.

    Parameters
    ----------
    places : Places
    world : (n, 2) float array
        Coordinates for polynomials and splines, continuous across the date line.
    own : tuple of Family
        Candidates beside :data:`~geocbar.place.candidates.FAMILIES`.
    keep_all : bool
        Leave no point out.

    Returns
    -------
    Choice
    """
    fits = screen(places, (*FAMILIES, *own))
    if not keep_all and len(places) >= SHARE:
        fits = sorted([*fits, *_without_outliers(places, fits, own)], key=lambda fit: fit.aicc)
    fits = [fit for fit in fits if np.isfinite(fit.aicc)]
    head = sorted([snap(fit, places) for fit in fits[:SNAPPED]], key=lambda fit: fit.aicc)
    fits = sorted([*head, *fits[SNAPPED:]], key=lambda fit: fit.aicc)
    surfaces = rival_surfaces(places, [fit for fit in fits if fit.keep.all()], world)
    if surfaces and (not fits or surfaces[0].aicc + SURFACE_HANDICAP < fits[0].aicc):
        return Choice(surfaces[0], (), fits[0] if fits else None)
    if surfaces and fits[0].sigma > NO_FIT_PX:
        # No candidate fits: what predicts points best that it has not seen?
        nearest = min(surfaces, key=lambda surface: surface.left_out)
        gone, _ = left_out_lengths(fits[0], places)
        if nearest.left_out < float(np.sqrt(np.mean(gone[fits[0].keep] ** 2))):
            return Choice(nearest, (), fits[0])
    best = fits[0]
    rivals: dict[str, ProjectionFit] = {}
    for fit in fits[1:]:
        if fit.aicc <= best.aicc + REACH and fit.family.key != best.family.key:
            rivals.setdefault(fit.family.key, fit)
    return Choice(best, tuple(rivals.values()), None)


def _without_outliers(places: Places, fits: list[ProjectionFit], own: tuple[Family, ...]) -> list[ProjectionFit]:
    """Fits that leave points out; by robust fits, too, where single deletions do not explain the rest."""
    found = with_deletions(places, fits)
    best = min([*fits, *found], key=lambda fit: fit.aicc)
    if best.sigma <= SUSPICIOUS_PX:
        return found
    usual = [replace(f, posts=f.posts[:2]) for f in (*FAMILIES, *own) if RARITY.get(f.key, 0.0) < RARE]
    robust = screen(places, usual, robust=True)
    robust.sort(key=lambda fit: float(np.hypot(*fit.residuals.T).sum()) + 0.5 * fit.parameters)
    trimmed = []
    for fit in robust[:ROBUST]:
        miss = np.hypot(*np.nan_to_num(fit.residuals, nan=1e6).T)
        limit = max(5 * 1.4826 * float(np.median(miss)), 3.0)
        far = np.argsort(-miss)[: len(places) // SHARE]
        keep = np.ones(len(places), bool)
        keep[far[miss[far] > limit]] = False
        start = np.append(fit.lon_0, fit.shape)
        again = refine(places, fit.family, fit.ellipsoid, fit.post, start, keep, fit.held)
        if again is not None:
            trimmed.append(replace(again, charge=fit.charge))
    whole = [fit for fit in trimmed if fit.keep.all()]
    return [*found, *(fit for fit in trimmed if believable(fit, places)), *with_deletions(places, whole)]
