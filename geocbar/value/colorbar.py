"""Take a colour bar's colours in order, and give them values."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.value.bar_ends import bridge_lines, color_beyond, without_end_lines
from geocbar.value.classes import bar_classes
from geocbar.value.norms import as_norm, split_scale
from geocbar.value.recognition import BarMatch
from geocbar.value.scale import ColorScale
from geocbar.value.tick_fit import fit_norm

__all__ = ["ColorBar", "Ticks", "read_colorbar", "scale_from_bar"]

#: How well the ends of a bar are known from its box, and from the colours of a colormap that was recognised.
BOX_ERROR_PX, MATCH_ERROR_PX = 0.5, 0.2

#: A tick this close to the limit of a class means that limit.
TICK_REACH_PX = 3.0


@dataclass(frozen=True, eq=False)
class ColorBar:
    """The colours of a bar, in the order of the picture.

    Parameters
    ----------
    box : PixelBox
        The coloured part.
    axis : {"horizontal", "vertical"}
        Along which the colours change.
    colors : (n, 3) float array
        One colour a pixel, from left to right or from bottom to top.
    positions : (n,) float array
        Pixel coordinate along the axis of each colour (x, or y counted downwards as everywhere), pixel centres at .5.
    noise : float
        How much the pixels across the bar differ from its colour, in 8-bit sRGB units (standard deviation).
    under, over : (r, g, b) or None
        Colours of a triangle or box beyond the low (left or bottom) and the high end, for values beyond the limits.
    """

    box: PixelBox
    axis: str
    colors: NDArray[np.float64]
    positions: NDArray[np.float64]
    noise: float = 0.0
    under: tuple[int, int, int] | None = None
    over: tuple[int, int, int] | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """Pixel coordinates of the low end (left or bottom) and the high end (right or top)."""
        if self.axis == "horizontal":
            return self.box.left, self.box.right
        return self.box.bottom, self.box.top


@dataclass(frozen=True)
class Ticks:
    """Known values along a bar.

    Parameters
    ----------
    positions : tuple of float
        Pixel coordinate along the bar: x for a horizontal bar, y for a vertical one.
    values : tuple of float
        In the unit of the bar.

    Raises
    ------
    InvalidInputError
        For fewer than two ticks, or two ticks at one place or with one value.
    """

    positions: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.positions) != len(self.values) or len(self.positions) < 2:
            raise InvalidInputError(
                f"A bar needs at least two ticks, not {len(self.positions)}.",
                'Give them as --ticks "0@120,50@480"',
            )
        for number in (*self.values, *self.positions):
            if not abs(number) <= float(np.finfo(np.float32).max):
                raise InvalidInputError(
                    f"A value of the colour bar is {number:g}, which 32-bit numbers cannot hold.",
                    "Give finite values.",
                )
        if len(set(self.positions)) < len(self.positions) or len(set(self.values)) < len(self.values):
            raise InvalidInputError(f"Two ticks share a place or a value: {self}.", "Give every tick once.")

    def __str__(self) -> str:
        return ",".join(f"{v:.10g}@{p:.10g}" for v, p in zip(self.values, self.positions, strict=True))

    @classmethod
    def parse(cls, text: str) -> Ticks:
        """Read ``"V@PX,V@PX,..."``.

        Examples
        --------
        >>> Ticks.parse("0@120, 50@480.5")
        Ticks(positions=(120.0, 480.5), values=(0.0, 50.0))
        """
        values, positions = [], []
        for part in text.split(","):
            value, at, position = part.partition("@")
            try:
                values.append(float(value))
                positions.append(float(position))
            except ValueError:
                at = ""
            if not at:
                raise InvalidInputError(
                    f"{part.strip()!r} is not a tick.",
                    'Write VALUE@PIXEL, separated by commas: --ticks "0@120,50@480"',
                )
        return cls(tuple(positions), tuple(values))


def read_colorbar(pixels: NDArray[np.uint8], box: PixelBox) -> ColorBar:
    """Take the colours of a bar out of the picture.

    The median across the middle half of the bar is taken for every pixel along it, so that frame lines, tick marks and
    a box drawn a little too large across do not matter. Lines across the bar are bridged, and a frame line at either
    end is cut off.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    box : PixelBox
        The coloured part of the bar; the longer side gives the axis.

    Returns
    -------
    ColorBar

    Raises
    ------
    InvalidInputError
        If the box leaves the picture, is too small, or lies on a single colour.
    """
    height, width = pixels.shape[:2]
    box.require_inside(width, height, "colour bar")
    axis = "horizontal" if box.width >= box.height else "vertical"
    rows, cols = box.slices(width, height)
    strip = pixels[rows, cols].astype(np.float64)
    start = cols.start if axis == "horizontal" else rows.start
    if axis == "vertical":
        strip = strip.transpose(1, 0, 2)
    across, along = strip.shape[:2]
    if across < 2 or along < 8:
        raise InvalidInputError(
            f"The colour bar box {box} covers only {along} x {across} pixels.",
            "Give the whole coloured part, at least 8 px long and 2 px wide: --colorbar LEFT,TOP,RIGHT,BOTTOM",
        )
    inset = max(across // 4, 1) if across >= 4 else 0
    core = strip[inset : across - inset]
    colors = np.median(core, axis=0)
    noise = float(np.sqrt(np.mean(np.minimum(((core - colors) ** 2).sum(axis=2), 20.0**2)) / 3))
    if np.ptp(colors, axis=0).max() < 3 * max(noise, 1.0):
        raise InvalidInputError(
            f"The colour bar box {box} lies on a single colour ({_hex(np.median(colors, axis=0))}).",
            "Check that LEFT,TOP,RIGHT,BOTTOM encloses the bar's colours.",
        )
    positions = start + np.arange(along) + 0.5
    first, last = without_end_lines(colors)
    colors, positions = bridge_lines(colors[first:last]), positions[first:last]
    if axis == "vertical":
        colors, positions = colors[::-1], positions[::-1]
    before, after = _beyond_ends(pixels, box, axis)
    under, over = (before, after) if axis == "horizontal" else (after, before)
    return ColorBar(box, axis, colors, positions, noise, under, over)


def _beyond_ends(pixels: NDArray[np.uint8], box: PixelBox, axis: str) -> list[tuple[int, int, int] | None]:
    """Colours beyond the end with the smaller and the one with the larger pixel coordinate."""
    turned = pixels if axis == "horizontal" else pixels.transpose(1, 0, 2)
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    if axis == "vertical":
        left, top, right, bottom = top, left, bottom, right
    rows = slice(max(round(top), 0), round(bottom))
    thick = rows.stop - rows.start
    reach = max(2 * thick, 16)
    first, last = max(round(left), 0), min(round(right), turned.shape[1])
    sides = [turned[max(rows.start - 9, 0) : max(rows.start - 4, 0)], turned[rows.stop + 4 : rows.stop + 9]]
    around = np.concatenate([side[:, first:last].reshape(-1, 3) for side in sides])
    if not len(around):
        return [None, None]
    values, counts = np.unique(around, axis=0, return_counts=True)
    paper = values[np.argmax(counts)].astype(np.float64)
    before = turned[rows, max(first - reach, 0) : first][:, ::-1]
    after = turned[rows, last : last + reach]
    return [color_beyond(strip.astype(np.float64), paper) for strip in (before, after)]


def scale_from_bar(
    bar: ColorBar,
    *,
    vmin: float | None = None,
    vmax: float | None = None,
    ticks: Ticks | None = None,
    scale: str = "auto",
    name: str = "value",
    unit: str = "",
    lossy: bool = False,
    match: BarMatch | None = None,
    sample: NDArray[np.uint8] | None = None,
) -> ColorScale:
    """Give the colours of a bar their values.

    Parameters
    ----------
    bar : ColorBar
    vmin, vmax : float
        Values at the left (bottom) and right (top) end of the box; vmin may be the larger one.
    ticks : Ticks
        Values at pixel positions, instead of `vmin` and `vmax`.
    scale : str
        How values run along the bar, one of :data:`~geocbar.value.norms.SCALES`, ``"symlog:LINTHRESH"`` or
        ``"power:GAMMA"``. ``"auto"``: discrete if the bar shows boxes of one colour each; else linear, or with three
        and more ticks what they lie on, see :func:`~geocbar.value.tick_fit.fit_norm`.
        ``"discrete"``: boxes of equal length between the two ends; with more than two ticks, the ticks are the limits
        of the boxes and those may be of any length.
    name, unit : str
        For the description of the result.
    lossy : bool
        Whether the picture went through JPEG.
    match : BarMatch or None
        The named colormap the bar shows, whose exact colours then replace those read from the picture; its ends
        correct a box drawn a few pixels too large or too small.
    sample : (k, 3) uint8 array or None
        Colours of the map, which tell how the named colormap was rounded.

    Returns
    -------
    ColorScale

    Raises
    ------
    InvalidInputError
        If values are missing or equal, do not run one way, or ticks do not fit the scale.
    """
    split_scale(scale)
    runs = bar_classes(bar.colors, lossy) if scale in ("auto", "discrete") else None
    scale = "discrete" if runs is not None else scale
    low, high = bar.ends
    if ticks is None:
        if vmin is None or vmax is None:
            raise InvalidInputError(
                "The values at the ends of the colour bar are not known.",
                'Give them: --vmin V --vmax V, or ticks: --ticks "V@PX,V@PX"',
            )
        if vmin == vmax:
            raise InvalidInputError(
                f"The two ends of the colour bar have the same value, {vmin:g}.",
                "Give two different values: --vmin V --vmax V",
            )
        if scale not in ("auto", "discrete"):
            as_norm(scale, (vmin, vmax)).forward([vmin, vmax])
        ticks = Ticks((low, high), (vmin, vmax))
    _require_ticks_on_bar(ticks, bar)
    if scale == "discrete":
        return _class_scale(bar, ticks, runs, name, unit)
    colors, positions, step = bar.colors, bar.positions, 1.0 / abs(high - low)
    if match is not None:
        along = 1.0 if bar.axis == "horizontal" else -1.0
        colors = match.table(np.empty((0, 3), np.uint8) if sample is None else sample)
        positions = bar.positions[0] + along * match.nodes_at
        ends = tuple(bar.positions[0] + along * end for end in match.ends_at)
        if ticks.positions == (low, high):
            ticks = Ticks(ends, ticks.values)
        low, high = ends
        step = 1.0 / len(colors)
    fit = fit_norm(ticks.positions, ticks.values, (low, high), scale)
    said = dict(zip(ticks.positions, ticks.values, strict=True))
    limits = np.array([said.get(end, fit.values_at(end)) for end in (low, high)], np.float64)
    end_px = BOX_ERROR_PX if match is None else MATCH_ERROR_PX
    values = fit.values_at(positions)
    return ColorScale(colors, values, limits, fit.norm, step=step, name=name, unit=unit, end_px=end_px)


def _class_scale(bar: ColorBar, ticks: Ticks, runs: NDArray[np.intp] | None, name: str, unit: str) -> ColorScale:
    if runs is None:
        raise InvalidInputError(
            "The colour bar shows no separate boxes of colour.", "For colours that run smoothly: --scale linear"
        )
    low, high = bar.ends
    # Lines between boxes belong to neither: the limit lies in their middle.
    breaks = (bar.positions[runs[1:, 0]] + bar.positions[runs[:-1, 1] - 1]) / 2
    if len(ticks.positions) == 2:
        n = _equal_boxes((breaks - low) / (high - low), abs(high - low))
        limits_at = low + (high - low) * np.arange(n + 1) / n
    else:
        limits_at = np.concatenate([[low], breaks, [high]])
    colors = np.array([np.median(_within(bar, a, b), axis=0) for a, b in itertools.pairwise(limits_at)])
    edges = _piecewise(limits_at, ticks)
    values = (edges[1:] + edges[:-1]) / 2
    return ColorScale(colors, values, edges[[0, -1]], edges=edges, step=1.0 / len(colors), name=name, unit=unit)


def _within(bar: ColorBar, start: float, stop: float) -> NDArray[np.float64]:
    """Colours of the middle half between two places along the bar."""
    a, b = sorted((start, stop))
    quarter = (b - a) / 4
    inside = (bar.positions >= a + quarter) & (bar.positions <= b - quarter)
    if not inside.any():
        inside = np.zeros(len(bar.positions), bool)
        inside[np.argmin(np.abs(bar.positions - (a + b) / 2))] = True
    return bar.colors[inside]


def _equal_boxes(breaks: NDArray[np.float64], length: float) -> int:
    """Number of equal boxes whose limits contain all breaks; neighbours of one colour leave no break."""
    runs = len(breaks) + 1
    for n in range(runs, 3 * runs + 1):
        misfit = np.abs(breaks * n - np.rint(breaks * n)).max() / n * length
        if misfit <= max(1.5, 0.1 * length / n):
            return n
    raise InvalidInputError(
        f"The {runs} boxes of the colour bar are not of equal length.",
        'Give the limit of every box: --ticks "V@PX,V@PX,..."',
    )


def _piecewise(at: NDArray[np.float64], ticks: Ticks) -> NDArray[np.float64]:
    """Linear between ticks, straight on beyond the outer ones; a limit beside a tick takes its value."""
    order = np.argsort(ticks.positions)
    positions, values = np.array(ticks.positions)[order], np.array(ticks.values)[order]
    if not (np.all(np.diff(values) > 0) or np.all(np.diff(values) < 0)):
        raise InvalidInputError("The values of the ticks do not run one way along the bar.", "Check --ticks.")
    out = np.interp(at, positions, values)
    for outer, inner, beyond in ((0, 1, at < positions[0]), (-1, -2, at > positions[-1])):
        slope = (values[outer] - values[inner]) / (positions[outer] - positions[inner])
        out[beyond] = values[outer] + slope * (at[beyond] - positions[outer])
    nearest = np.abs(at[:, None] - positions).argmin(axis=1)
    beside = np.abs(at - positions[nearest]) <= min(TICK_REACH_PX, np.abs(np.diff(at)).min() / 4)
    return np.where(beside, values[nearest], out)


def _require_ticks_on_bar(ticks: Ticks, bar: ColorBar) -> None:
    low, high = sorted(bar.ends)
    slack = 0.02 * (high - low) + 3
    for value, position in zip(ticks.values, ticks.positions, strict=True):
        if not low - slack <= position <= high + slack:
            letter = "x" if bar.axis == "horizontal" else "y"
            raise InvalidInputError(
                f"The tick {value:g}@{position:g} is not on the colour bar,"
                f" which runs from {letter} = {low:g} to {high:g}.",
                f"Give the {letter} coordinate in the picture, in pixels, of every tick.",
            )


def _hex(color: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(float(c)):02x}" for c in color)
