"""Find the colour bars of a figure: strips whose colours explain the map."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.layout import PixelBox
from geocbar.value.bar_box import FADES, fit_strip
from geocbar.value.bar_candidates import Strip, find_strips, overlap, reduce_picture, side_worth
from geocbar.value.bar_doubt import doubt_bar
from geocbar.value.bar_evidence import (
    COLORED,
    FigureColors,
    disorder,
    sample_figure,
    shares_explained,
    without_colors,
)

__all__ = ["BarCandidate", "doubt_bar", "find_bars"]

#: Candidates below this score are not worth naming; bars usually reach more than three times as much.
LEAST_SCORE = 0.04

#: Nor are those below this share of the best.
LEAST_SHARE = 0.15

#: At most so many strips are compared with the figure's colours, and at most so many of them located exactly.
MOST_RATED, MOST_CANDIDATES = 60, 8

#: A pixel is explained by a strip whose colours come as near as this (8-bit sRGB units).
NEAR, NEAR_LOSSY = 18.0, 26.0

#: A strip that stands apart is the bar of another panel if it explains so much of the coloured pixels, which better
#: strips do not explain; it then scores at most this share of the best.
OWN_SHARE, OTHER_PANEL = 0.08, 0.9

#: Boxes in an order this many times longer than the shortest tree through their colours are in no order.
DISORDER = 1.45


@dataclass(frozen=True, eq=False)
class BarCandidate:
    """A strip that may be a colour bar.

    Parameters
    ----------
    box : PixelBox
        The rectangle that bears values, without triangles or boxes for values beyond.
    axis : {"horizontal", "vertical"}
        Along which the colours change.
    score : float
        Higher is better; comparable within one picture only.
    explained : float
        Share of the coloured pixels of the picture outside the strip that lie near the strip's colours.
    extend : (bool, bool)
        Whether a triangle, or a box, for values beyond joins at the end with the low, and with the high pixel
        coordinate.
    ends_uncertain_px : float
        How well the two ends along the bar are known (about one standard deviation).
    class_breaks : tuple of float
        Pixel coordinates along the axis of the limits between boxes of one colour each; none for a smooth bar.
    notes : tuple of str
        What speaks for and against it, in words.
    """

    box: PixelBox
    axis: str
    score: float
    explained: float
    extend: tuple[bool, bool]
    ends_uncertain_px: float
    class_breaks: tuple[float, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Rated:
    strip: Strip
    axis: str
    box: tuple[float, float, float, float]
    score: float
    explained: float
    notes: tuple[str, ...]


def find_bars(pixels: NDArray[np.uint8], *, lossy: bool = False, frame: PixelBox | None = None) -> list[BarCandidate]:
    """Find the colour bars of a figure.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    lossy : bool
        Whether the picture went through JPEG.
    frame : PixelBox or None
        The map's frame, if known: only colours inside it have to be explained.

    Returns
    -------
    list of BarCandidate
        Best first; empty if there is none.

    Notes
    -----
    Strips of one width whose rows are of one colour each are looked for in a picture of at most 1650 px. Each is
    rated by the share of the coloured pixels it explains, by how many of its colours the picture shows, by its shape,
    and by whether it stands apart from its surroundings. The best are located to sub-pixel in the whole picture.
    """
    planes, factor = reduce_picture(pixels)
    palette = sample_figure(planes, frame, factor)
    strips = [
        (strip, axis)
        for axis, turned in (("vertical", planes), ("horizontal", np.ascontiguousarray(planes.transpose(0, 2, 1))))
        for strip in find_strips(turned)
    ]
    strips.sort(key=lambda one: -_shape(one[0], max(planes.shape[1:])))
    near = NEAR_LOSSY if lossy else NEAR
    rated = [_rate(strip, axis, max(planes.shape[1:]), palette, near) for strip, axis in strips[:MOST_RATED]]
    rated.sort(key=lambda one: -one.score)
    least = max(LEAST_SCORE, LEAST_SHARE * rated[0].score) if rated else LEAST_SCORE
    kept: list[_Rated] = []
    for one in rated:
        if one.score >= least and all(overlap(one.box, other.box) < 0.4 for other in kept):
            kept.append(_longest(one, rated))
    kept = _of_other_panels(kept[:MOST_CANDIDATES], max(planes.shape[1:]), palette, near)
    located = [_located(pixels, one, factor, lossy) for one in kept]
    return sorted(located, key=lambda one: -one.score)


def _longest(one: _Rated, rated: list[_Rated]) -> _Rated:
    """The longest strip between the same sides that is nearly as good: colours that the map lacks are the bar's too."""
    strip = one.strip
    same = [
        other
        for other in rated
        if other.axis == one.axis
        and abs(other.strip.left - strip.left) + abs(other.strip.right - strip.right) <= 3
        and other.strip.first <= strip.first + 2
        and other.strip.last >= strip.last - 2
        and other.score >= 0.75 * one.score
    ]
    longest = max(other.strip.length for other in same)
    # Of those that differ by little, the best.
    return _joined(next(other for other in same if other.strip.length >= longest - 4), rated)


def _joined(one: _Rated, rated: list[_Rated]) -> _Rated:
    """The strip with those that overlap it and go on between the same sides: lines may have cut a bar into parts."""
    strip = one.strip
    first, last, slack = strip.first, strip.last, max(2, strip.width // 8)
    for other in sorted(rated, key=lambda other: -other.strip.length):
        more = other.strip
        same = other.axis == one.axis and max(abs(more.left - strip.left), abs(more.right - strip.right)) <= slack
        sound = more.cover > 0.8 and more.rough < 0.1 and min(more.rim) > 0.9 and min(more.calm) > 0.8
        if same and sound and more.first <= last and more.last >= first:
            first, last = min(first, more.first), max(last, more.last)
    if (first, last) == (strip.first, strip.last):
        return one
    left, top, right, bottom = one.box
    box = (left, first, right, last) if one.axis == "vertical" else (first, top, last, bottom)
    return replace(one, strip=replace(strip, first=first, last=last), box=tuple(map(float, box)))  # type: ignore[arg-type]


def _shape(strip: Strip, longest: int) -> float:
    """How much a strip looks like a bar whatever its colours: long, slender, and apart from its surroundings."""
    sides = [side_worth(*side) for side in zip(strip.calm, strip.rim, strip.apart, strict=True)]
    shape = min(1.0, strip.length / strip.width / 5) * min(1.0, strip.length / (0.25 * longest)) ** 0.5
    shape *= (1 - strip.revisits) ** 2 * (1 - strip.rough) ** 5
    return shape * strip.cover**0.5 * (0.05 + 0.95 * min(sides))


def _of_other_panels(kept: list[_Rated], longest: int, palette: FigureColors, near: float) -> list[_Rated]:
    """The strips, rated by what better ones leave unexplained where that speaks for them: panels of other colours."""
    rest, out = palette, kept[:1]
    for one in kept[1:]:
        rest = without_colors(rest, out[-1].strip.colors, near)
        again = _rate(one.strip, one.axis, longest, rest, near)
        share = again.explained * rest.vivid.sum() / max(palette.vivid.sum(), 1)
        sides = min(side_worth(*side) for side in zip(one.strip.calm, one.strip.rim, one.strip.apart, strict=True))
        score = min(again.score, OTHER_PANEL * kept[0].score)
        if share >= OWN_SHARE and sides > 0.9 and score > one.score and "grey" not in one.notes:
            one = replace(one, score=score, notes=(*one.notes, "explains what other bars do not"))
        out.append(one)
    return out


def _rate(strip: Strip, axis: str, longest: int, palette: FigureColors, near: float) -> _Rated:
    """Score a strip."""
    top, bottom, left, right = strip.first, strip.last, strip.left, strip.right
    if axis == "horizontal":
        top, bottom, left, right = left, right, top, bottom
    grey = float(np.ptp(strip.colors, axis=1).max()) < COLORED
    explained, met = shares_explained(strip.colors, (left, top, right, bottom), palette, near, grey)
    score = (0.1 + explained) * (0.3 + 0.7 * met) * _shape(strip, longest) * (0.5 if grey else 1.0)
    notes = [f"explains {100 * explained:.0f} % of the coloured pixels"]
    if min(strip.calm) > 0.7:
        notes.append("isolated")
    if min(strip.rim) > 0.9:
        notes.append("framed")
    if grey:
        notes.append("grey")
    if strip.revisits > 0.2:
        notes.append("colours come again")
    return _Rated(strip, axis, (float(left), float(top), float(right), float(bottom)), score, explained, tuple(notes))


def _located(pixels: NDArray[np.uint8], one: _Rated, factor: int, lossy: bool) -> BarCandidate:
    """The candidate with its exact place."""
    strip = one.strip
    upright = pixels if one.axis == "vertical" else pixels.transpose(1, 0, 2)
    rough = (strip.left * factor, strip.first * factor, strip.right * factor, strip.last * factor)
    fitted = fit_strip(upright, rough, factor, lossy)
    notes, score = list(one.notes), one.score
    if all(fitted.extend):
        notes.append("extended at both ends")
    elif any(fitted.extend):
        notes.append("extended at one end")
    notes += fitted.notes
    if FADES in fitted.notes and min(strip.calm) < 0.7:
        # On a map nothing else tells where such a strip ends.
        score *= 0.5
    if fitted.breaks:
        notes.append(f"{len(fitted.breaks) + 1} boxes of one colour each")
        if disorder(upright, fitted) > DISORDER:
            notes.append("unordered")
            score *= 0.3
    edges = (fitted.left, fitted.top, fitted.right, fitted.bottom)
    if one.axis == "horizontal":
        edges = (fitted.top, fitted.left, fitted.bottom, fitted.right)
    return BarCandidate(
        PixelBox(*edges),
        one.axis,
        score,
        one.explained,
        fitted.extend,
        fitted.uncertain,
        fitted.breaks,
        tuple(notes),
    )
