"""Charts of the report, as SVG: values against the bar, colours against the scale, legends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from geocbar.app.report_layers import NO_VALUE, Layers, ramp_color, sample_of_frame
from geocbar.app.report_page import Markup, element, number
from geocbar.digitized_map import DigitizedMap
from geocbar.value.color import RGB, YCBCR, pack_colors, unpack_colors
from geocbar.value.reasons import REASON_COLORS, REASON_NAMES, Reason

__all__ = ["color_space", "histogram", "ramp_legend", "reason_legend"]

_BINS = 64
_SAMPLE_SIDE = 900
_MOST_TICKS = 9
_CLOUD, _REJECTED = 900, 350
_WIDTH, _HEIGHT = 720, 260


def histogram(result: DigitizedMap) -> Markup:
    """How often each value occurs, over the colours of the bar; the share of the pixels with a value as height."""
    scale, even = result.scale, _even_values(result)
    low, high = scale.even_limits
    bins = len(scale.values) if scale.is_classes else _BINS
    counts, edges = np.histogram(np.clip(even, low, high), bins, (low, high))
    shares = 100 * counts / max(counts.sum(), 1)
    top = max(float(shares.max()), 1e-9)
    left, right, floor, roof = 44, _WIDTH - 16, _HEIGHT - 62, 14
    x = left + (edges - low) / (high - low) * (right - left)
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = floor - share * (floor - roof)
        parts.append(element("path", d=f"M{left} {y:.1f}H{right}", class_="rule"))
        parts.append(element("text", f"{number(share * top, 2)} %", x=left - 6, y=y + 4, class_="end"))
    for i, share in enumerate(shares):
        tall = share / top * (floor - roof)
        parts.append(
            element(
                "rect",
                element("title", f"{_bin_name(result, edges, i)}: {number(float(share), 3)} % of the values"),
                x=round(float(x[i]) + 0.3, 2),
                y=round(floor - float(tall), 2),
                width=round(float(x[i + 1] - x[i]) - 0.6, 2),
                height=round(float(tall), 2),
                class_="column",
            )
        )
    parts += _bar_below(result, left, right, floor + 6)
    first, last = (np.flatnonzero(counts)[[0, -1]] if counts.any() else (0, 0)) if len(counts) else (0, 0)
    spoken = (
        f"Histogram of {scale.label}: values lie between {_bin_name(result, edges, int(first))} and"
        f" {_bin_name(result, edges, int(last))}; the commonest is {_bin_name(result, edges, int(np.argmax(counts)))}."
    )
    return element("svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", class_="chart", role="img", aria_label=spoken)


def color_space(result: DigitizedMap) -> Markup:
    """The bar as a line in the picture's colour space with the map's colours around it, seen from two sides."""
    metric = RGB if result.picture.jpeg is None else YCBCR
    taken, rejected = _colors_of_map(result)
    line = result.scale.colors[np.argsort(result.scale.values)]
    cloud = np.vstack([line, taken, rejected]) @ metric.T
    center = (line @ metric.T).mean(axis=0)
    spread = np.vstack([line @ metric.T, taken @ metric.T]) - center
    axes = np.linalg.svd(spread, full_matrices=False)[2]
    flat = (cloud - center) @ axes.T
    reach = float(np.abs(flat - (flat.max(axis=0) + flat.min(axis=0)) / 2).max()) or 1.0
    parts = []
    side, gap = 330, 40
    for view, other in enumerate((1, 2)):
        middle = (flat.max(axis=0) + flat.min(axis=0)) / 2
        origin = view * (side + gap) + side / 2
        x = origin + (flat[:, 0] - middle[0]) / reach * side * 0.46
        y = side / 2 - (flat[:, other] - middle[other]) / reach * side * 0.46
        parts.append(element("rect", x=view * (side + gap), y=0, width=side, height=side, class_="plate"))
        parts += _cloud_marks(np.column_stack([x, y]), line, taken)
        title = f"along the 1st and {'2nd' if other == 1 else '3rd'} axis"
        parts.append(element("text", title, x=origin, y=side + 18, class_="middle"))
    name = "sRGB" if result.picture.jpeg is None else "YCbCr (luma counted twice)"
    spoken = (
        f"Colours of the map in {name}, seen along two principal planes: the colour scale as a line, {len(taken)}"
        f" colours that were read lie around it, {len(rejected)} that were rejected are crosses."
    )
    return element(
        "svg", *parts, viewBox=f"-2 -2 {2 * side + gap + 4} {side + 30}", class_="chart", role="img", aria_label=spoken
    )


def ramp_legend(layers: Layers, layer: str, unit: str) -> Markup:
    """The colours of the difference, the uncertainty or the rebuild error, with their numbers."""
    tops = {"difference": layers.difference_top, "sigma": layers.sigma_top, "rebuilt": layers.rebuilt_top}
    top = tops[layer]
    steps = [
        element("rect", x=10 + 5 * i, y=4, width=5.3, height=14, fill=_css(ramp_color(layer, i / 39)))
        for i in range(40)
    ]
    marks = [
        element("text", text, x=10 + 200 * share, y=34, class_=anchor)
        for share, text, anchor in (
            (0.0, "0", "start"),
            (0.5, number(top / 2, 3), "middle"),
            (1.0, f"{number(top, 3)} {unit} and more", "start"),
        )
    ]
    none = [
        element("rect", x=390, y=4, width=14, height=14, fill=_css(NO_VALUE), class_="swatch"),
        element("text", "no value", x=410, y=16),
    ]
    return element(
        "svg",
        *steps,
        *marks,
        *none,
        viewBox="0 0 480 42",
        class_="legend",
        role="img",
        aria_label=f"Legend: from 0, pale, to {number(top, 3)} {unit} and more, dark; grey has no value",
    )


def reason_legend(shares: Mapping[str, float]) -> Markup:
    """What the colours of the reason map mean, and how much of the map each covers, in percent by name."""
    items = [
        element(
            "li",
            _swatch(REASON_COLORS[code]),
            element("span", REASON_NAMES[code]),
            element("span", f"{_percent(shares[REASON_NAMES[code]])} of the map", class_="quiet"),
        )
        for code in sorted(Reason, key=lambda code: -shares.get(REASON_NAMES[code], 0.0))
        if REASON_NAMES[code] in shares
    ]
    return element("ul", *items, class_="swatches")


def _percent(share: float) -> str:
    return f"{share:.1f} %" if share >= 0.05 else "less than 0.1 %"


def _swatch(color: tuple[int, int, int]) -> Markup:
    square = element("rect", x=0.5, y=0.5, width=13, height=13, fill=_css(color), class_="swatch")
    return element("svg", square, viewBox="0 0 14 14", width=14, height=14, aria_hidden="true")


def _css(color: Sequence[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def _even_values(result: DigitizedMap) -> NDArray[np.float64]:
    """Values of a sample of the map, in the coordinate in which the scale is even."""
    rows, cols, inside = sample_of_frame(result, _SAMPLE_SIDE)
    values = result.inversion.values[np.ix_(rows, cols)][inside]
    even = result.scale.to_even(values[np.isfinite(values)])
    return even[np.isfinite(even)]


def _bin_name(result: DigitizedMap, edges: NDArray[np.float64], i: int) -> str:
    scale = result.scale
    if scale.edges is not None:
        low, high = np.sort(scale.edges)[i : i + 2].tolist()
    else:
        low, high = np.sort(scale.norm.inverse(edges[i : i + 2])).tolist()
    return f"{number(low)} to {number(high)} {scale.unit}".strip()


def _bar_below(result: DigitizedMap, left: float, right: float, top: float) -> list[Markup]:
    """The colours of the scale along the axis, and values."""
    scale = result.scale
    low, high = scale.even_limits
    n = len(scale.values) if scale.is_classes else 180
    if scale.edges is not None:
        values = np.sort(scale.values)
        shown = np.sort(scale.edges)
        places = np.linspace(0, 1, len(shown))
        keep = np.unique(np.linspace(0, len(shown) - 1, min(len(shown), 9)).astype(int))
        shown, places = shown[keep], places[keep]
    else:
        values = scale.norm.inverse(low + (np.arange(n) + 0.5) / n * (high - low))
        shown = _axis_values(result)
        places = (scale.to_even(shown) - low) / (high - low)
    wide = (right - left) / n
    colors = scale.colors_at(values).tolist()
    parts = [
        element(
            "rect",
            x=round(left + i * wide, 2),
            y=top,
            width=round(wide + (0 if i == n - 1 else 0.4), 2),
            height=16,
            fill=_css(color),
        )
        for i, color in enumerate(colors)
    ]
    for value, place in zip(shown.tolist(), places.tolist(), strict=True):
        x = round(left + place * (right - left), 1)
        anchor = "start" if place < 0.03 else "end" if place > 0.97 else "middle"
        parts.append(element("path", d=f"M{x} {top + 16}v4", class_="rule strong"))
        parts.append(element("text", number(value), x=x, y=top + 31, class_=anchor))
    parts.append(element("text", scale.label, x=(left + right) / 2, y=top + 50, class_="middle strong"))
    return parts


def _axis_values(result: DigitizedMap) -> NDArray[np.float64]:
    """Round values along the scale: those printed beside the bar, where they were read."""
    scale = result.scale
    low, high = scale.limits.tolist()
    ticks = None if result.found is None or result.found.bar is None else result.found.bar.ticks
    if ticks is not None and ticks.fit is not None and result.recipe.colormap is None:
        values = ticks.fit.values * ticks.factor + ticks.offset
    elif scale.norm.kind == "log":
        values = 10.0 ** np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
    elif scale.norm.kind == "linear":
        power = 10.0 ** np.floor(np.log10((high - low) / 5))
        step = min((m * power for m in (1, 2, 5, 10)), key=lambda step: abs((high - low) / step - 5))
        values = np.round(np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step, 12)
    else:
        ends = scale.even_limits
        values = scale.norm.inverse(np.linspace(*ends, 6))
    slack = 1e-3 * (high - low)
    values = np.unique(values[(values >= low - slack) & (values <= high + slack)])
    if len(values) < 2:
        values = scale.norm.inverse(np.linspace(*scale.even_limits, 6))
    return values[:: max(1, -(-len(values) // _MOST_TICKS))]


def _colors_of_map(result: DigitizedMap) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Some colours of the map that were read, and some that were rejected for their colour."""
    rows, cols, inside = sample_of_frame(result, _SAMPLE_SIDE)
    grid = np.ix_(rows, cols)
    colors, reason = result.picture.pixels[grid], result.inversion.reason[grid]
    read = colors[inside & np.isfinite(result.inversion.values[grid])]
    off = colors[inside & np.isin(reason, (Reason.OFF_SCALE, Reason.LINE, Reason.AMBIGUOUS))]
    rng = np.random.default_rng(0)
    taken, rejected = (
        unpack_colors(rng.permutation(np.unique(pack_colors(group)))[:most]).astype(np.float64)
        for group, most in ((read, _CLOUD), (off, _REJECTED))
    )
    return taken, rejected


def _cloud_marks(xy: NDArray[np.float64], line: NDArray[np.float64], taken: NDArray[np.float64]) -> list[Markup]:
    """Colours that were read as dots of their own colour, rejected ones as crosses, the scale as a line."""
    n, m = len(line), len(line) + len(taken)
    crosses = "".join(f"M{x - 2.2:.1f} {y - 2.2:.1f}l4.4 4.4m0 -4.4l-4.4 4.4" for x, y in xy[m:].tolist())
    dots = [
        element("circle", cx=round(x, 1), cy=round(y, 1), r=2.4, fill=_css([int(c) for c in color]))
        for (x, y), color in zip(xy[n:m].tolist(), taken, strict=True)
    ]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in xy[:n].tolist())
    ends = [
        element("text", text, x=round(x, 1), y=round(y - 6, 1), class_="middle strong")
        for text, (x, y) in (("low", xy[0].tolist()), ("high", xy[n - 1].tolist()))
    ]
    return [
        element("path", d=crosses, class_="rejected") if crosses else Markup(""),
        element("g", *dots),
        element("path", d=path, class_="scale-line"),
        *ends,
    ]
