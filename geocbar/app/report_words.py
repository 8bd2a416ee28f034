"""What the report says in words: what to look at first, where errors come from, how to cite."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar import __version__
from geocbar.app.report_page import number
from geocbar.digitized_map import DigitizedMap
from geocbar.figure.layout import PixelBox
from geocbar.value.reasons import REASON_NAMES, Reason

__all__ = ["Check", "ErrorShare", "checks", "citation", "error_budget", "methods_sentence", "versions"]

#: Limits between "good", "look" and "doubt": leave-one-out RMSE and disagreement of rivals in pixels, share of the
#: coloured pixels explained by the scale, share of the map whose colour is off the scale, rebuild error, in percent.
_PLACE_PX, _RIVAL_PX = (1.0, 3.0), 2.0
_EXPLAINED, _OFF_SCALE = (90.0, 60.0), (2.0, 10.0)
_REBUILD = (2.0, 5.0)

_LATTICE = 9
_SLOPE_SIDE = 800


@dataclass(frozen=True)
class Check:
    """One thing to look at before trusting the numbers.

    Parameters
    ----------
    title : str
    figure : str
        The number that tells.
    sentence : str
    level : {"good", "look", "doubt"}
    anchor : str
        The section that shows more.
    """

    title: str
    figure: str
    sentence: str
    level: str
    anchor: str


@dataclass(frozen=True)
class ErrorShare:
    """One source of error: one standard deviation, in percent of the scale; NaN where it is not known."""

    title: str
    percent: float
    sentence: str


def checks(result: DigitizedMap, facts: dict[str, Any]) -> list[Check]:
    """The bar, the colours, the place, the gaps and the points: each with its number and what it means.

    Parameters
    ----------
    result : DigitizedMap
    facts : dict
        Its summary.

    Returns
    -------
    list of Check
    """
    place = _place_check(result)
    return [_bar_check(result), _color_check(result), place, _gap_check(facts), _point_check(result)]


def error_budget(result: DigitizedMap, facts: dict[str, Any]) -> tuple[list[ErrorShare], str]:
    """Where errors come from, and what they come to.

    Returns
    -------
    shares : list of ErrorShare
        Colours, bar, position, thinning.
    total : str
        Their sum in squares, in words.
    """
    shares = [_color_share(result, facts), _bar_share(result), _position_share(result), _thinning_share(result)]
    known = [share.percent for share in shares if np.isfinite(share.percent)]
    raster = [share.percent for share in shares[:3] if np.isfinite(share.percent)]
    missing = [share.title.lower() for share in shares if not np.isfinite(share.percent)]
    total = (
        f"Taken as independent and added in squares, these come to {_both(result, _norm(raster))} for a typical pixel"
        f" of the raster, and to {_both(result, _norm(known))} for values interpolated between the thinned points."
    )
    if missing:
        total += f" Not counted, because not known: {', '.join(missing)}."
    return shares, total


def methods_sentence(result: DigitizedMap, facts: dict[str, Any]) -> str:
    """A sentence for the methods section of a paper."""
    fit, scale = result.georeference, result.scale
    low, high = (number(float(v), 6) for v in scale.limits)
    kind = f"{len(scale.values)} classes" if scale.is_classes else f"a {scale.norm} scale"
    unit = f" {scale.unit}" if scale.unit else ""
    source = "the colour bar of the figure" if result.recipe.colormap is None else "a colour scale given by hand"
    km = f" ({_km(fit.left_out_rmse_km)})" if np.isfinite(fit.left_out_rmse_km) else ""
    left_out = (
        f" and a leave-one-out RMSE of {_px(fit.left_out_rmse_px)}{km}" if np.isfinite(fit.left_out_rmse_px) else ""
    )
    return (
        f"{scale.name} was digitized from the figure {result.picture.name} (SHA-256 {result.picture.sha256[:16]}…) with"
        f" geocbar {__version__}: colours were turned into values by {source} ({low} to {high}"
        f"{unit}, {kind}), with a median standard error of {_both(result, facts['sigma_median_percent'])}; positions"
        f" rest on {len(fit.gcps.used())} control points ({fit.model}), with an RMSE of"
        f" {_px(fit.rmse_px)}{left_out}."
    )


def citation() -> str:
    """How to cite geocbar, from the metadata of the installed package."""
    known = metadata.metadata("geocbar")
    authors = [*(known.get_all("Author") or ()), *(known.get_all("Author-email") or ()), "The geocbar developers"]
    summary = [*(known.get_all("Summary") or ()), "Published maps turned back into data."]
    return f"{authors[0]}: geocbar {__version__}. {summary[0]}"


def versions() -> list[tuple[str, str]]:
    """geocbar, Python, and the packages the numbers rest on, with their versions."""
    packages = ("geocbar", "numpy", "scipy", "pillow", "pyproj", "rasterio", "geopandas", "cmap", "rapidocr")
    found = [("Python", platform.python_version())]
    for name in packages:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            found.append((name, "not installed"))
    return found


def _bar_check(result: DigitizedMap) -> Check:
    limits = " to ".join(number(float(v)) for v in result.scale.limits)
    figure = f"{limits} {result.scale.unit}".strip()
    bar = None if result.found is None else result.found.bar
    if result.recipe.colormap is not None or bar is None:
        return Check("Scale", figure, "Colours and values were given, not read from a bar.", "look", "bar")
    if bar.ticks.fit is None:
        return Check("Scale", figure, "The values were given by hand; no labels were read.", "look", "bar")
    fit, labels = bar.ticks.fit, len(bar.ticks.labels)
    odd = len(fit.overruled) + len(fit.contrary)
    sentence = f"{len(fit.members)} of {labels} labels agree, the worst {number(fit.worst_px, 2)} px off."
    if bar.ticks.vetoes:
        return Check("Scale", figure, f"{sentence} {bar.ticks.vetoes[0]}", "doubt", "bar")
    if odd:
        return Check("Scale", figure, f"{sentence} {odd} overruled.", "look", "bar")
    return Check("Scale", figure, sentence, "good", "bar")


def _color_check(result: DigitizedMap) -> Check:
    share = 100 * result.inversion.explained
    level = _level(-share, tuple(-limit for limit in _EXPLAINED))
    noise = number(result.inversion.noise, 2)
    return Check(
        "Colours",
        f"{share:.0f} % explained",
        f"The scale explains this much of the map's colours; they lie {noise} of 255 off it.",
        level,
        "colours",
    )


def _place_check(result: DigitizedMap) -> Check:
    fit = result.georeference
    off = fit.left_out_rmse_px
    apart = max((rival.differ_px for rival in fit.rivals), default=0.0)
    if not np.isfinite(off):
        return Check("Place", f"{_px(fit.rmse_px)} RMSE", "Too few points to test the fit with.", "look", "place")
    level = _level(off, _PLACE_PX)
    km = f", {_km(fit.left_out_rmse_km)}" if np.isfinite(fit.left_out_rmse_km) else ""
    sentence = f"Points left out of the fit in turn are met this closely (RMS{km}); {len(fit.gcps.used())} points."
    if fit.rejected:
        sentence += f" {len(fit.rejected)} left out as outliers."
    if apart > _RIVAL_PX:
        sentence += f" Another projection differs by up to {number(apart, 2)} px."
    if (fit.rejected or apart > _RIVAL_PX) and level == "good":
        level = "look"
    return Check("Place", _px(off), sentence, level, "place")


def _gap_check(facts: dict[str, Any]) -> Check:
    off = facts["reason_percent"].get(REASON_NAMES[Reason.OFF_SCALE], 0.0)
    return Check(
        "Coverage",
        f"{facts['valued_percent']:.1f} % has values",
        f"{number(off, 2)} % of the map has a colour that is not on the scale.",
        _level(off, _OFF_SCALE),
        "reasons",
    )


def _point_check(result: DigitizedMap) -> Check:
    rms = result.rebuild.rmse_percent
    if not np.isfinite(rms):
        return Check("Points", f"{len(result.points)}", "The map cannot be rebuilt from so few.", "doubt", "points")
    return Check(
        "Points",
        f"{number(rms, 2)} % rebuild error",
        f"RMSE of the map rebuilt from {len(result.points)} points, in percent of the scale.",
        _level(rms, _REBUILD),
        "points",
    )


def _level(number_: float, limits: tuple[float, ...]) -> str:
    good, look = limits
    return "good" if number_ <= good else "look" if number_ <= look else "doubt"


def _color_share(result: DigitizedMap, facts: dict[str, Any]) -> ErrorShare:
    percent = float(facts["sigma_median_percent"])
    sentence = (
        f"The colours of the map lie {number(result.inversion.noise, 2)} off the scale in the median (8-bit units)."
        f" {result.inversion.error_kind}"
    )
    return ErrorShare("Reading the colours", percent, sentence)


def _bar_share(result: DigitizedMap) -> ErrorShare:
    box = _bar_box(result)
    if box is None:
        return ErrorShare("Reading the bar", np.nan, "Colours and values of the scale were given and taken as exact.")
    length = max(box.width, box.height)
    end = result.scale.end_px
    sentence = f"The ends of the bar are known to {number(end, 2)} px of its {number(length, 4)} px."
    fit = None if result.found is None or result.found.bar is None else result.found.bar.ticks.fit
    misfit = 0.0
    if fit is not None:
        misfit = float(fit.misfit_px)
        sentence += f" Its labels lie {number(misfit, 2)} px (RMS) off the fit through them."
    return ErrorShare("Reading the bar", 100 * float(np.hypot(end, misfit)) / length, sentence)


def _bar_box(result: DigitizedMap) -> PixelBox | None:
    if result.recipe.colormap is not None:
        return None
    if result.found is not None and result.found.bar is not None:
        return result.found.bar.box
    return PixelBox.parse(result.recipe.colorbar) if result.recipe.colorbar else None


def _position_share(result: DigitizedMap) -> ErrorShare:
    fit, frame = result.georeference, result.frame
    x, y = np.meshgrid(np.linspace(frame.left, frame.right, _LATTICE), np.linspace(frame.top, frame.bottom, _LATTICE))
    sigma = fit.position_sigma(np.column_stack([x.ravel(), y.ravel()]))
    sigma = sigma[np.isfinite(sigma)]
    slope = _median_slope(result)
    if not sigma.size or not np.isfinite(slope):
        return ErrorShare("Position", np.nan, "The control points are too few to tell how far off places may be.")
    off = float(np.median(sigma))
    km = float(np.nanmedian(fit.km_per_pixel())) if np.isfinite(fit.km_per_pixel()).any() else np.nan
    ground = f" ({_km(off * km)})" if np.isfinite(km) else ""
    sentence = (
        f"Places are off by {_px(off)}{ground} in the median, {_px(float(sigma.max()))} at worst, by"
        " the scatter of the control points and the disagreement of rival projections. Values change by"
        f" {number(100 * slope, 2)} % of the scale a pixel in the median, and much more on steep slopes."
    )
    return ErrorShare("Position", 100 * slope * off, sentence)


def _median_slope(result: DigitizedMap) -> float:
    """Median change of the values from pixel to pixel, as a share of the scale."""
    rows, cols = result.frame.slices(result.picture.width, result.picture.height)
    step = max(1, max(result.picture.width, result.picture.height) // _SLOPE_SIDE)
    values = result.inversion.values[rows, cols]
    here, right, below = (_unit_values(result, part[::step, ::step]) for part in _neighbours(values))
    slopes = np.hypot(right - here, below - here)
    slopes = slopes[np.isfinite(slopes)]
    return float(np.median(slopes)) if slopes.size else float("nan")


def _neighbours(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    return values[:-1, :-1], values[:-1, 1:], values[1:, :-1]


def _unit_values(result: DigitizedMap, values: NDArray[np.float32]) -> NDArray[np.float32]:
    return result.scale.to_unit(values)


def _thinning_share(result: DigitizedMap) -> ErrorShare:
    rebuild = result.rebuild
    sentence = (
        f"Rebuilt by linear interpolation between {len(result.points)} points, the map is off by"
        f" {number(rebuild.rmse_percent, 2)} % of the scale (RMSE), 1 % of the pixels by more than"
        f" {number(rebuild.p99_percent, 2)} %, at worst {number(rebuild.max_percent, 2)} %. The raster is"
        " not touched by it."
    )
    return ErrorShare("Thinning", rebuild.rmse_percent, sentence)


def _norm(parts: list[float]) -> float:
    return float(np.hypot.reduce(parts)) if parts else float("nan")


def _both(result: DigitizedMap, percent: float) -> str:
    """Percent of the scale, and in its unit where that is the same everywhere."""
    text = f"{number(percent, 2)} % of the scale"
    if str(result.scale.norm) == "linear" and np.isfinite(percent):
        text += f" ({number(percent / 100 * result.scale.range, 2)} {result.scale.unit}".rstrip() + ")"
    return text


def _px(value: float) -> str:
    return f"{number(value, 2)} px" if not value < 0.01 else "less than 0.01 px"


def _km(value: float) -> str:
    return f"{number(value, 2)} km" if not value < 0.001 else "less than 1 m"
