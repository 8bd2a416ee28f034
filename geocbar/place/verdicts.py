"""What a person should be told of a fit, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geocbar.place.cuts import Cut
from geocbar.place.diagnostics import lattice, share_outside
from geocbar.place.fits import Places, ProjectionFit, parameter_sigmas
from geocbar.place.map_crs import describe, proj_text
from geocbar.place.snapping import PAIRS
from geocbar.place.surfaces import PAPER

if TYPE_CHECKING:
    from geocbar.place.georeference import Georeference

__all__ = ["unidentified", "verdict_notes", "verdict_sentence"]

#: A rival further away than this, in pixels, is a reason to warn.
RIVAL_PX = 1.5

#: A parameter less sure than this, in degrees, is said to be open.
OPEN_DEGREES = 2.0

#: How much of the picture may lie beyond the points before that is said.
BEYOND = 0.5

_NAMED = 3


def verdict_sentence(found: Georeference) -> str:
    """What was chosen and its rivals: ``"Lambert conformal conic, lon 10, lat 52.7, or ...: 0.2 px at most."``."""
    if found.bend is not None:
        kind = {"spline": "a smooth spline", PAPER: "smooth displacements as of bent paper"}.get(
            found.bend.model, f"a polynomial ({found.bend.model})"
        )
        return kind if found.bend.base is None else f"{describe(found.bend.base)}, bent by {kind}"
    if found.fit is None:
        return found.model
    chosen = describe(found.fit)
    if not found.rivals:
        return chosen
    names = " or ".join(rival.title for rival in found.rivals[:_NAMED])
    differ = max(rival.differ_px for rival in found.rivals[:_NAMED])
    return f"{chosen}; or {names}: they differ by {differ:.1f} px at most"


def verdict_notes(found: Georeference) -> list[str]:
    """Warnings: points left out, a poor fit, rivals that differ, folds, map far beyond the points."""
    notes = []
    used = found.gcps.used()
    for name in found.rejected:
        miss = float(np.hypot(*found.residuals[found.gcps.names.index(name)]))
        notes.append(
            f"Point '{name}' lies {miss:.0f} px from where the other {len(used)} put it and was left out."
            " Correct it, or keep it: --keep-all"
        )
    spread = float(np.ptp(used.pixels, axis=0).max())
    honest = found.left_out_rmse_px
    if found.bend is not None and found.bend.model == PAPER and found.fit is not None:
        notes.append(
            f"The control points lie off {describe(found.fit)} as on bent paper, smoothly: that was taken out"
            f" (leave-one-out RMSE {honest:.1f} px). Trust it between the points only. For the plain projection:"
            f" --model 'projection:{proj_text(found.fit)}'"
        )
    elif found.bend is not None and not found.model.startswith("projection:"):
        notes.append(
            f"No candidate projection fits: {verdict_sentence(found)} was taken instead (leave-one-out RMSE"
            f" {honest:.1f} px). Trust it between the points only; no point was left out."
        )
    if not np.isfinite(honest):
        notes.append(
            f"{len(used)} control points determine the model {found.model} exactly:"
            " its error cannot be estimated. Add points."
        )
    elif honest > max(3.0, 0.005 * spread):
        notes.append(
            f"The model {found.model} misses control points by {honest:.1f} px (leave-one-out RMSE):"
            " places are off by about as much. Check the points, add more, or try another --model."
        )
    far = [rival for rival in found.rivals if rival.differ_px > RIVAL_PX and rival.worse < 4]
    if far:
        notes.append(
            f"{far[0].title} fits the points about as well and differs by up to {far[0].differ_px:.1f} px over the map."
            " Add points near its edges to tell them apart."
        )
    if found.cut is not None and found.cut.is_open:
        notes.append(_cut_note(found.cut))
    if found.size is not None:
        notes += _reach_notes(found, used.pixels, found.size)
    return notes


def _cut_note(cut: Cut) -> str:
    """Between which meridians the cut may lie, and what settles it."""
    low, high = _meridian(cut.low - 180), _meridian(cut.high - 180)
    return (
        f"A map of the whole world may be cut anywhere between {low} and {high} by these control points: it was taken"
        f" to be cut at {_meridian(cut.lon_0 - 180)}. If that is wrong, places between the two cuts are off by the"
        " map's whole width. Add points near the left and the right edge of the map, or give its frame:"
        " --frame LEFT,TOP,RIGHT,BOTTOM"
    )


def _meridian(lon: float) -> str:
    """A longitude as people write it: ``"20W"``, ``"155E"``, ``"180"``."""
    lon = 180 - (180 - round(lon)) % 360
    return f"{abs(lon):.0f}{'' if lon in (0, 180) else 'W' if lon < 0 else 'E'}"


def _reach_notes(found: Georeference, pixels: NDArray[np.float64], size: tuple[int, int]) -> list[str]:
    """Folds over the picture, and how much of it lies beyond the points."""
    notes = []
    places = lattice(pixels, size)
    world = found.transform.to_world(places)
    determinant = np.linalg.det(found.transform.jacobian(world[np.isfinite(world).all(axis=1)]))
    sign = np.sign(np.median(np.linalg.det(found.transform.jacobian(found.gcps.used().world))))
    folded = float((np.sign(determinant) == -sign).mean()) if len(determinant) else 0.0
    if folded > 0.01 and found.fit is None:
        notes.append(f"The model {found.model} folds the map over in {folded:.0%} of the picture: use a simpler one.")
    beyond = share_outside(pixels, size)
    if beyond > BEYOND and (found.fit is None or found.bend is not None):
        notes.append(f"{beyond:.0%} of the picture lies beyond the control points: places there are extrapolated.")
    return notes


def unidentified(fit: ProjectionFit, places: Places) -> tuple[str, ...]:
    """What the control points leave open about a projection.

    Parameters
    ----------
    fit : ProjectionFit
    places : Places

    Returns
    -------
    tuple of str
        ``"lat_0 is known to 8 degrees only"``, ``"any pair of standard parallels ..."``
    """
    out = []
    if fit.family.key == "lcc":
        lat = float(fit.shape[0])
        pairs = [pair for pair in PAIRS if abs(_cone(*pair) - abs(lat)) < 0.4]
        example = f", such as {pairs[0][0]:g} and {pairs[0][1]:g}" if pairs else ""
        out.append(f"any pair of standard parallels with the cone of {lat:.4g} alone fits the same{example}")
    if fit.family.turning and fit.post in ("similarity", "affine"):
        out.append("the central meridian cannot be told from a turn of the page")
    for i, sigma in parameter_sigmas(fit, places).items():
        name = "lon_0" if i == 0 else fit.family.shape[i - 1]
        if sigma > OPEN_DEGREES and name != "log_height":
            out.append(f"{name} is known to {sigma:.2g} degrees only")
    return tuple(out)


def _cone(low: float, high: float) -> float:
    """The parallel whose cone is that of a Lambert conformal map with two standard parallels, on the sphere."""
    a, b = np.radians(low), np.radians(high)
    n = np.log(np.cos(a) / np.cos(b)) / np.log(np.tan(np.pi / 4 + b / 2) / np.tan(np.pi / 4 + a / 2))
    return float(np.degrees(np.arcsin(n)))
