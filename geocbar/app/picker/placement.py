"""Where the points put the picture: a quick fit at once, the choice among all projections a moment later."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.app.picker.hand_work import HandWork
from geocbar.errors import GeocbarError
from geocbar.place.gcps import GroundControlPoints, check_gcps
from geocbar.place.georeference import FEWEST_FOR_AUTO, Georeference, fit_georeference
from geocbar.place.models import points_needed
from geocbar.place.slips import name_slips

__all__ = ["Placement", "describe_placement", "place_fully", "place_quickly"]

#: A point this many pixels from where the others put it is looked at, if it is also so many times worse than usual.
SUSPICIOUS_PX, SUSPICIOUS_TIMES = 4.0, 4.0

#: So many points are left out in turn to see whether all others fit then.
MOST_TRIED = 4

_NAMED = re.compile(r"'([^']*)'")

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Placement:
    """A fit of the points of the moment, or why there is none.

    Parameters
    ----------
    gcps : GroundControlPoints or None
        Those with a place, switched-off ones included.
    fit : Georeference or None
    quick : bool
        Whether other projections have still to be compared.
    message, hint : str
        Why there is no fit, and what to do.
    notes : tuple of str
        What a person should know.
    suspicions : dict of str to str
        Names of points, and why they should be looked at.
    """

    gcps: GroundControlPoints | None = None
    fit: Georeference | None = None
    quick: bool = False
    message: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()
    suspicions: dict[str, str] | None = None


def place_quickly(work: HandWork, size: Size, before: Georeference | None) -> Placement:
    """A fit within some milliseconds.

    Fewer than five points get a straight fit. Where the model is to be chosen, the projection of the fit before is
    tried again, so that a point more moves the lines only as far as it must.

    Parameters
    ----------
    work : HandWork
    size : (int, int)
        Of the picture.
    before : Georeference or None
        The last full fit.

    Returns
    -------
    Placement
        With `quick` set if :func:`place_fully` may say more.
    """
    gcps = work.gcps()
    chooses = work.recipe.model == "auto"
    model = work.recipe.model
    if chooses:
        model = "affine"
        many = gcps is not None and len(gcps.used()) >= FEWEST_FOR_AUTO
        if many and before is not None and before.projection and before.fit is not None and before.bend is None:
            model = f"projection:{before.projection}"
    placement = _place(work, gcps, model, size)
    full = chooses and gcps is not None and len(gcps.used()) >= FEWEST_FOR_AUTO and not placement.message
    return replace(placement, quick=full)


def place_fully(work: HandWork, size: Size) -> Placement:
    """The fit as a run will make it; see :func:`place_quickly`."""
    return _place(work, work.gcps(), work.recipe.model, size)


def _place(work: HandWork, gcps: GroundControlPoints | None, model: str, size: Size) -> Placement:
    if gcps is None or not len(gcps.used()):
        return Placement(gcps, message="No point has a place on Earth yet.", hint="Click one whose place you know.")
    try:
        need = 3 if model == "auto" else points_needed(model)
        missing = need - len(gcps.used())
        if missing > 0:
            more = f"{missing} more point{'s' if missing > 1 else ''} and the map is placed."
            return Placement(
                gcps, message=more, hint="5 or more tell the projection; 8 to 12, well spread, are better."
            )
        notes = check_gcps(gcps, *size)
        fit = fit_georeference(gcps, model, size=size, keep_all=work.recipe.keep_all)
    except GeocbarError as error:
        blamed = {name: error.message for name in _NAMED.findall(error.message) if name in gcps.names}
        return Placement(gcps, message=error.message, hint=_on_page(error.hint), suspicions=blamed)
    return Placement(gcps, fit, notes=(*notes, *fit.notes), suspicions=_suspicions(gcps, fit, size))


def _on_page(hint: str) -> str:
    """A hint without the command line's words."""
    return re.sub(r"\s*(For straight lines all the same: )?--model \S+", "", hint).strip()


def _suspicions(gcps: GroundControlPoints, fit: Georeference, size: Size) -> dict[str, str]:
    found: dict[str, str] = {}
    slips = name_slips(gcps, *size)
    for slip in slips:
        for name in slip.points:
            found[name] = slip.sentence
    lengths = np.where(np.isfinite(fit.left_out), fit.left_out, np.hypot(*fit.residuals.T))
    used = np.asarray(fit.gcps.enabled)
    usual = float(np.median(lengths[used])) if used.any() else 0.0
    for i, name in enumerate(fit.gcps.names):
        if name in found or not np.asarray(gcps.enabled)[i]:
            continue
        if name in fit.rejected:
            found[name] = f"Left out of the fit: it lies {lengths[i]:.1f} px from where the others put it."
        elif len(gcps.used()) > 4 and lengths[i] > max(SUSPICIOUS_PX, SUSPICIOUS_TIMES * usual):
            found[name] = f"It lies {lengths[i]:.1f} px from where the others put it; {usual:.1f} px are usual here."
    if not found and fit.fit is None and fit.bend is None and fit.rmse_px > SUSPICIOUS_PX / 2:
        found |= _spoiler(gcps, fit, lengths, size)
    return found


def _spoiler(gcps: GroundControlPoints, fit: Georeference, lengths: NDArray[np.float64], size: Size) -> dict[str, str]:
    """A point without which all others fit: in a stiff model it pulls them all off, and does not stand out itself."""
    enabled = np.asarray(gcps.enabled)
    for i in np.argsort(-np.where(enabled, lengths, -1.0))[:MOST_TRIED]:
        without = enabled.copy()
        without[i] = False
        try:
            rest = fit_georeference(replace(gcps, enabled=without), fit.model, size=size, keep_all=True)
        except GeocbarError:
            continue
        away = float(np.hypot(*rest.residuals[i]))
        if (
            rest.rmse_px < fit.rmse_px / SUSPICIOUS_TIMES
            and away > SUSPICIOUS_PX
            and np.isfinite(rest.left_out_rmse_px)
        ):
            name = gcps.names[i]
            return {
                name: f"It lies {away:.1f} px from where the others put it, which then fit to {rest.rmse_px:.1f} px."
            }
    return {}


def describe_placement(placement: Placement, work: HandWork) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """The fit, and what it says of each point, as plain numbers and strings.

    Parameters
    ----------
    placement : Placement
        Of this work, or of one a few clicks ago: points are told apart by name and place.
    work : HandWork

    Returns
    -------
    fit : dict
    points : dict of int to dict
        By number of the point; points the fit does not know are missing.
    """
    fit, gcps = placement.fit, placement.gcps
    told: dict[str, Any] = {
        "placed": fit is not None,
        "comparing": placement.quick,
        "message": placement.message,
        "hint": placement.hint,
        "notes": list(placement.notes),
    }
    if fit is not None:
        told |= {
            "sentence": fit.sentence or fit.model,
            "model": fit.model,
            "projection": fit.projection,
            "rmse_px": fit.rmse_px,
            "rmse_km": fit.rmse_km,
            "left_out_rmse_px": fit.left_out_rmse_px,
            "left_out_rmse_km": fit.left_out_rmse_km,
            "used": len(fit.gcps.used()),
        }
    points: dict[int, dict[str, Any]] = {}
    rows = {}
    if gcps is not None:
        rows = {(name, tuple(at)): i for i, (name, at) in enumerate(zip(gcps.names, gcps.pixels.tolist(), strict=True))}
    for point in work.points:
        i = rows.get((point.name, point.pixel))
        if i is None:
            continue
        points[point.number] = {"suspicion": (placement.suspicions or {}).get(point.name, "")}
        if fit is not None:
            dx, dy = fit.residuals[i].tolist()
            points[point.number] |= {
                "dx": dx,
                "dy": dy,
                "px": float(np.hypot(dx, dy)),
                "km": float(fit.residuals_km[i]),
                "left_out_px": float(fit.left_out[i]),
                "used": bool(np.asarray(fit.gcps.enabled)[i]),
            }
    return told, points
