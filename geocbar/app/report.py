"""The report: one page that shows a digitized map, and how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar import __version__
from geocbar.app.report_charts import color_space, histogram, ramp_legend, reason_legend
from geocbar.app.report_figures import (
    bar_drawing,
    coasts,
    control_points,
    frame_outline,
    graticule,
    label_state,
    lines_on_earth,
    magnification,
    map_drawing,
)
from geocbar.app.report_layers import Layers, render_layers
from geocbar.app.report_page import Markup, element, fixed, number, page, section, table
from geocbar.app.report_viewer import shared_drawings, use, viewer
from geocbar.app.report_words import checks, citation, error_budget, methods_sentence, versions
from geocbar.digitized_map import DigitizedMap, default_folder
from geocbar.recipe import Recipe

__all__ = ["render_report"]

#: What :meth:`DigitizedMap.summary` says: it is worked out once for a page.
Facts = dict[str, Any]

_LEVELS = {"good": "fits", "look": "look here", "doubt": "doubtful"}

_PARTS = {
    "overview": "The map",
    "reasons": "Values and gaps",
    "colours": "Colours",
    "bar": "The colour bar",
    "place": "Place on Earth",
    "points": "Points",
    "budget": "Error budget",
    "notes": "Notes",
    "cite": "Cite and repeat",
}


def render_report(
    result: DigitizedMap,
    *,
    recipe_path: str | Path | None = None,
    coastlines: Sequence[NDArray[np.float64]] | None = None,
) -> str:
    """One self-contained page of HTML about a digitized map.

    Parameters
    ----------
    result : DigitizedMap
    recipe_path : str, Path or None
        Where the recipe shown lies, for paths in it are relative to it; None: in the default folder.
    coastlines : sequence of (n, 2) float arrays
        Lines of longitude and latitude to draw over the figure where the fit puts them; none: no such layer. Unless
        given, Natural Earth's, which come with geocbar.

    Returns
    -------
    str
        HTML without any reference to another file or host. Everything that comes from the figure, its labels or the
        names of files is escaped.
    """
    if recipe_path is None:
        recipe_path = default_folder(result.picture.name).absolute() / f"{Path(result.picture.name).stem}.toml"
    layers, facts = render_layers(result), result.summary()
    if coastlines is None:
        coastlines = coasts(result)
    lines, steps = graticule(result)
    overlays = {"graticule": lines, "points": control_points(result), "frame": frame_outline(result)}
    if coastlines:
        overlays["coast"] = lines_on_earth(result, coastlines)
    header = element(
        "header",
        element("p", "geocbar report", class_="kicker"),
        element("h1", f"{result.scale.label}, read from {result.picture.name}"),
        _verdict(result, facts),
        class_="page-head",
    )
    body = element(
        "main",
        section("overview", _PARTS["overview"], viewer(result, layers, overlays, facts["reason_percent"])),
        _values(result, layers, facts),
        _colors(result, layers),
        _bar(result),
        _place(result, steps, bool(coastlines)),
        _points(result, layers, facts),
        _budget(result, facts),
        _notes(result),
        _cite(result, Path(recipe_path), facts),
        id="main",
    )
    skip = element("a", "Skip to the map", href="#main", class_="skip")
    foot = element("footer", element("p", f"Written by geocbar {__version__}. This page loads nothing from elsewhere."))
    title = f"{result.picture.name}: geocbar report"
    shared = shared_drawings(result, layers, overlays)
    return page(title, f"geocbar {__version__}", skip, shared, header, _contents(), body, foot)


def _contents() -> Markup:
    links = (element("li", element("a", text, href=f"#{anchor}")) for anchor, text in _PARTS.items())
    return element("nav", element("ul", *links), aria_label="Parts of this report", class_="parts")


def _verdict(result: DigitizedMap, facts: Facts) -> Markup:
    """What to look at first, each with its number."""
    found = checks(result, facts)
    odd = [check for check in found if check.level != "good"]
    if odd:
        ask = "asks" if len(odd) == 1 else "ask"
        said = f"{len(odd)} of {len(found)} checks {ask} for a look: {', '.join(check.title.lower() for check in odd)}."
    else:
        said = f"All {len(found)} checks fit. Drag the handle over the map: the two sides should look the same."
    cards = [
        element(
            "li",
            element(
                "a",
                element("span", check.title, class_="what"),
                element("span", _LEVELS[check.level], class_="level"),
                element("strong", check.figure),
                element("span", check.sentence, class_="why"),
                href=f"#{check.anchor}",
            ),
            class_=check.level,
        )
        for check in found
    ]
    noted = len(result.notes)
    notes = f"{noted} note{'s' if noted > 1 else ''} to read" if noted else ""
    return Markup(
        element("p", said, " ", element("a", notes, href="#notes") if notes else None, class_="verdict")
        + element("ul", *cards, class_="checks", aria_label="Checks")
    )


def _figure(picture: object, *caption: object) -> Markup:
    return element("figure", picture, element("figcaption", *caption))


def _values(result: DigitizedMap, layers: Layers, facts: Facts) -> Markup:
    unit = f" {result.scale.unit}" if result.scale.unit else ""
    said = (
        f"Values run from {number(facts['value_min'])} to {number(facts['value_max'])}{unit};"
        f" {facts['valued_percent']:.1f} % of the map has one. The median standard error is"
        f" {number(facts['sigma_median'], 3)}{unit}, {number(facts['sigma_median_percent'], 2)} % of the scale."
        f" {result.inversion.error_kind}"
    )
    reasons = _figure(
        Markup(
            map_drawing(result, "Map of the reasons why pixels have a value or none", use("img-reasons"))
            + reason_legend(facts["reason_percent"])
        ),
        "Why each pixel has its value, or none.",
    )
    sigma = _figure(
        Markup(
            map_drawing(result, "Map of the uncertainty of the values", use("img-sigma"))
            + ramp_legend(layers, "sigma", "% of the scale")
        ),
        "One standard deviation of each value.",
    )
    chart = _figure(histogram(result), "How often values occur, over the colours they were read from.")
    return section(
        "reasons", "Values and gaps", element("p", said), element("div", reasons, sigma, class_="pair"), chart
    )


def _colors(result: DigitizedMap, layers: Layers) -> Markup:
    shading = result.inversion.shading
    said = (
        f"The scale explains {100 * result.inversion.explained:.1f} % of the coloured pixels of the map. Redrawn from"
        f" its values, the map differs from the figure by {number(layers.difference_median, 2)} of 255 in the median,"
        f" and by {number(layers.difference_p99, 3)} at the 99th percentile, where it has values."
        f" Relief shading: {'none' if shading is None else shading.model}."
    )
    space = "sRGB, in which the figure was stored"
    if result.picture.jpeg is not None:
        space = "YCbCr, in which JPEG stores pictures"
    return section(
        "colours",
        "Colours against the scale",
        element("p", said),
        _figure(
            color_space(result),
            f"The colour scale (line) and colours of the map (dots, in their own colour) in {space}, seen from two"
            " sides. Crosses are colours of lines, letters and fills that were rejected.",
        ),
    )


def _bar(result: DigitizedMap) -> Markup:
    found = result.found
    bar = None if found is None else found.bar
    if found is None or bar is None or result.recipe.colormap is not None:
        low, high = (number(float(v), 6) for v in result.scale.limits)
        said = (
            f"The scale was given: {result.recipe.colormap or 'colours'}, {low} to {high} {result.scale.unit}.".strip()
        )
        return section("bar", "The colour bar", element("p", said))
    fit, ticks = bar.ticks.fit, bar.ticks
    judged = [*((text, "evidence") for text in ticks.evidence), *((text, "veto") for text in ticks.vetoes)]
    parts: list[object] = [element("ul", *(element("li", text, class_=kind) for text, kind in judged), class_="judged")]
    if fit is None:
        parts.insert(0, element("p", "The values of the bar were given by hand; no labels were read."))
    else:
        length = f"{number(fit.misfit_px, 2)} px RMS, {number(fit.worst_px, 2)} px at worst"
        text = f"A {fit.description} scale was fitted to the labels; they lie {length} off it."
        if ticks.factor != 1.0 or ticks.offset != 0.0:
            text += f" Values are labels times {number(ticks.factor)} plus {number(ticks.offset)}."
        parts.insert(0, element("p", text))
    rows = []
    for i, label in enumerate(ticks.labels):
        state, word, meant = label_state(found, i)
        by_fit = "–" if fit is None else number(float(fit.value_at([label.place])[0]), 5)
        off = float("nan") if fit is None or meant != meant else label.place - float(fit.position_of([meant])[0])
        mark = element("span", word, class_=f"state {state}")
        seen = "file's text" if label.exact else f"{100 * label.confidence:.0f} %"
        rows.append(
            (label.text, number(meant, 6), number(label.place, 5), by_fit, fixed(off), seen, mark),
        )
    head = ("Label as read", "Taken as", "Place, px", "By the fit", "Off, px", "Reader's trust", "")
    labels = table("Labels of the bar", head, rows, numeric=(1, 2, 3, 4, 5)) if rows else None
    caption = f"The bar as read ({bar.axis}, {bar.box} px). Boxes: labels; lines across: tick marks."
    drawing = _figure(bar_drawing(found), caption)
    whole = element("div", drawing, element("div", *parts, labels), class_=f"bar-part {bar.axis}")
    return section("bar", "The colour bar as read", whole)


def _place(result: DigitizedMap, steps: str, coast: bool) -> Markup:
    fit, times = result.georeference, magnification(result)
    layers = [use("img-figure", class_="pale")]
    layers += [use("over-graticule")] if steps else []
    layers += [use("over-coast")] if coast else []
    drawing = map_drawing(
        result, "The figure with graticule and control points", *layers, use("over-frame"), use("over-points")
    )
    caption = f"Rings: control points. Arrows: residuals, {times} times as long as they are."
    if steps:
        caption += f" Thin lines: the graticule by the fit, {steps}; it should lie on the one printed."
    if coast:
        caption += " Coastlines (Natural Earth) are drawn where the fit puts them: they should lie on those printed."
    rows = [
        (
            name,
            *(number(float(v), 6) for v in (*pixel, *world)),
            *(fixed(float(v)) for v in (*residual, left_out)),
            number(float(km), 2),
            "used" if used else "left out",
        )
        for name, pixel, world, residual, left_out, km, used in zip(
            fit.gcps.names,
            fit.gcps.pixels,
            fit.gcps.world,
            fit.residuals,
            fit.left_out,
            fit.residuals_km,
            np.asarray(fit.gcps.enabled),
            strict=True,
        )
    ]
    head = ("Point", "Col", "Row", "x", "y", "dX, px", "dY, px", "Left out, px", "km", "")
    residuals = table("Control points and residuals (fitted minus given)", head, rows, numeric=range(1, 9))
    rivals = None
    if fit.rivals:
        others = [(rival.title, number(rival.worse, 2), number(rival.differ_px, 2)) for rival in fit.rivals]
        titles = ("Projection", "Worse by (AICc)", "Differs by at most, px")
        rivals = table("Other projections that fit about as well", titles, others, numeric=(1, 2))
    facts = [
        ("Model", fit.model),
        ("Coordinates", fit.crs),
        ("The map's own projection", fit.projection or "that of the coordinates, or not known"),
        ("RMSE", _lengths(fit.rmse_px, fit.rmse_km)),
        ("Leave-one-out RMSE", _lengths(fit.left_out_rmse_px, fit.left_out_rmse_km)),
    ]
    sentence = element("p", f"Chosen: {fit.sentence}.") if fit.sentence else None
    return section("place", "Place on Earth", sentence, _pairs(facts), _figure(drawing, caption), rivals, residuals)


def _lengths(px: float, km: float) -> str:
    return f"{number(px, 3)} px" + (f", {number(km, 3)} km" if np.isfinite(km) else "")


def _points(result: DigitizedMap, layers: Layers, facts: Facts) -> Markup:
    rebuild = result.rebuild
    told = [
        ("Points", f"{len(result.points)}, one for {number(facts['reduction'], 3)} pixels with a value"),
        ("Rebuild error, RMSE", f"{number(rebuild.rmse_percent, 3)} % of the scale"),
        ("Rebuild error, 99th percentile", f"{number(rebuild.p99_percent, 3)} %"),
        ("Rebuild error, largest", f"{number(rebuild.max_percent, 3)} %"),
        ("Inside the points' hull", f"{100 * rebuild.covered:.2f} % of the pixels with a value"),
        ("RMSE outside the hull", f"{number(rebuild.outside_rmse_percent, 3)} %"),
    ]
    dots = map_drawing(
        result, "Thinned points over the map redrawn", use("img-redrawn", class_="faint"), use("img-thinned")
    )
    error = map_drawing(result, "Map of the error of the map rebuilt from its points", use("img-rebuilt"))
    pair = element(
        "div",
        _figure(dots, "The thinned points over the map redrawn from its values."),
        _figure(
            Markup(error + ramp_legend(layers, "rebuilt", "% of the scale")),
            "What linear interpolation between the points loses.",
        ),
        class_="pair",
    )
    return section("points", "Points", pair, _pairs(told))


def _pairs(told: Sequence[tuple[str, str]]) -> Markup:
    return element(
        "dl", *(element("div", element("dt", name), element("dd", value)) for name, value in told), class_="facts"
    )


def _budget(result: DigitizedMap, facts: Facts) -> Markup:
    shares, total = error_budget(result, facts)
    rows = [(share.title, f"{number(share.percent, 2)} %", share.sentence) for share in shares]
    head = ("Source", "One standard deviation, of the scale", "How it is known")
    return section(
        "budget", "Error budget", table("Where errors come from", head, rows, numeric=(1,)), element("p", total)
    )


def _notes(result: DigitizedMap) -> Markup:
    if not result.notes:
        return section("notes", "Notes", element("p", "There are none."))
    return section("notes", "Notes", element("ul", *(element("li", note) for note in result.notes)))


def _cite(result: DigitizedMap, path: Path, facts: Facts) -> Markup:
    recipe = result.recipe
    parts: list[object] = [
        element("p", "Cite the work whose map this is, and the program that read it:"),
        element("blockquote", citation()),
        element("p", "For the methods section:"),
        element("blockquote", methods_sentence(result, facts)),
        element("h3", "Recipe"),
        _code(recipe, path, "The recipe as TOML"),
    ]
    parts += [
        element("h3", "Versions"),
        _pairs([*versions(), ("Figure, SHA-256", result.picture.sha256 or "–")]),
    ]
    return section("cite", "Cite and repeat", *parts)


def _code(recipe: Recipe, path: Path, label: str) -> Markup:
    text = element("code", recipe.to_toml(path))
    return element("pre", text, tabindex="0", role="region", aria_label=label)
