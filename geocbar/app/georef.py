"""The place alone: control points with their errors, as a table, as JSON, and as a file for the QGIS Georeferencer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from geocbar.files.images import Picture
    from geocbar.place.georeference import Georeference
    from geocbar.recipe import Recipe

__all__ = ["fit_place", "georef_summary", "georef_text"]


def fit_place(recipe: Recipe) -> tuple[Picture, Georeference, list[str]]:
    """Fit the control points a recipe names, those its picture states, or those read at the map's frame.

    Raises
    ------
    GeocbarError
        If there are none, or they cannot be right.
    """
    from geocbar.app.calls import inspect_recipe, read_text
    from geocbar.digitization import place_picture, read_points
    from geocbar.figure_source import read_source
    from geocbar.inspection import read_frame_points

    picture = read_source(recipe).picture
    gcps, exact, notes = read_points(recipe, picture)
    if gcps is None:
        gcps, said = read_frame_points(inspect_recipe(recipe), read_text, lossy=picture.jpeg is not None)
        notes += said
    fit = place_picture(recipe, picture, gcps, exact=exact)
    return picture, fit, [*notes, *fit.notes]


def georef_summary(picture: Picture, fit: Georeference, notes: list[str]) -> dict[str, Any]:
    """Figures to judge a fit by, as plain numbers and strings.

    Parameters
    ----------
    picture : Picture
    fit : Georeference
    notes : list of str

    Returns
    -------
    dict
        Residuals are fitted minus given, in pixels (``dX`` to the right, ``dY`` down) and km on the ground;
        ``position_px`` are one standard deviation of places over the picture: median and largest.
    """
    leverage = np.full(len(fit.gcps), np.nan) if fit.leverage is None else fit.leverage
    columns = zip(
        fit.gcps.names,
        np.asarray(fit.gcps.enabled).tolist(),
        fit.gcps.pixels.tolist(),
        fit.gcps.world.tolist(),
        fit.residuals.tolist(),
        fit.residuals_km.tolist(),
        fit.left_out.tolist(),
        leverage.tolist(),
        strict=True,
    )
    across, down = np.meshgrid(np.linspace(0, picture.width, 15), np.linspace(0, picture.height, 15))
    lattice = np.stack([across.ravel(), down.ravel()], axis=1)
    sigma = fit.position_sigma(lattice)
    km = fit.km_per_pixel(lattice)
    known = np.isfinite(sigma)
    return {
        "map": picture.name,
        "model": fit.model,
        "model_sentence": fit.sentence,
        "projection": fit.projection,
        "crs": fit.crs,
        "points": [
            {
                "name": name,
                "used": used,
                "pixel": pixel,
                "line": line,
                "x": x,
                "y": y,
                "dX": dx,
                "dY": dy,
                "residual_px": float(np.hypot(dx, dy)),
                "residual_km": away,
                "left_out_px": out,
                "leverage": weight,
            }
            for name, used, (pixel, line), (x, y), (dx, dy), away, out, weight in columns
        ],
        "left_out": list(fit.rejected),
        "rmse_px": fit.rmse_px,
        "rmse_km": fit.rmse_km,
        "rmse_formula": "sqrt(sum(dX^2 + dY^2) / n) over the points used",
        "left_out_rmse_px": fit.left_out_rmse_px,
        "left_out_rmse_km": fit.left_out_rmse_km,
        "position_px": [float(f(sigma[known])) for f in (np.median, np.max)] if known.any() else None,
        "position_km": [float(f((sigma * km)[known])) for f in (np.nanmedian, np.nanmax)] if known.any() else None,
        "rivals": [{"title": r.title, "worse": r.worse, "differ_px": r.differ_px} for r in fit.rivals],
        "notes": notes,
    }


def georef_text(summary: dict[str, Any]) -> str:
    """The summary as a table for the terminal."""
    head = f"{'point':<18} {'pixel':>8} {'line':>8} {'x':>11} {'y':>11}"
    head += f" {'dX':>7} {'dY':>7} {'px':>6} {'km':>8} {'l-o-o':>6}"
    lines = [f"{summary['map']}: {summary['model_sentence'] or summary['model']}", head]
    for p in summary["points"]:
        mark = "" if p["used"] else "  not used"
        lines.append(
            f"{p['name'][:18]:<18} {p['pixel']:>8.1f} {p['line']:>8.1f} {p['x']:>11.6g} {p['y']:>11.6g} {p['dX']:>7.2f}"
            f" {p['dY']:>7.2f} {p['residual_px']:>6.2f} {p['residual_km']:>8.3g} {p['left_out_px']:>6.2f}{mark}"
        )
    lines.append(
        f"RMSE {summary['rmse_px']:.2f} px = {summary['rmse_km']:.3g} km ({summary['rmse_formula']});"
        f" leave-one-out {summary['left_out_rmse_px']:.2f} px = {summary['left_out_rmse_km']:.3g} km"
    )
    if summary["position_px"]:
        (median, largest), (near, far) = summary["position_px"], summary["position_km"]
        lines.append(
            f"places over the picture are uncertain by {median:.2f} px = {near:.3g} km (median),"
            f" {largest:.2f} px = {far:.3g} km at worst (one standard deviation)"
        )
    lines += [
        f"rival: {rival['title']}, differs by {rival['differ_px']:.2f} px at most over the map"
        for rival in summary["rivals"]
    ]
    return "\n".join([*lines, *(f"note: {note}" for note in summary["notes"])])
