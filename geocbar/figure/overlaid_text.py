"""Text that grouping of ink misses, because it lies over the map or away from the bar.

Factors over the map's rim and labels beyond the end of the bar are not used. They are looked for where plotters put
them, read as they lie, and taken as a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.axis_fit import AxisLabel
from geocbar.figure.bar_axis import BarAxis
from geocbar.figure.label_reading import ReadText
from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import parse_numbers

__all__ = ["find_overlaid_doubts"]

#: What factors and offsets look like, also when a part of them is lost; 150E is a longitude.
_FACTOR = re.compile(r"[×xX*·]\s?10|\d\s?e\s?[-+−]?\d|\dE[-+−]\d|(?<![\d.])\+\s?\d|\+\s?\d\.\d")

#: How far beyond a bar's end and beside it a factor is looked for, in glyph heights.
BEYOND_GLYPHS, BESIDE_GLYPHS = 5.0, 2.4

#: Numbers read with less confidence are no sign of another label.
SURE = 0.85


def find_overlaid_doubts(
    pixels: NDArray[np.uint8],
    bar: BarAxis,
    labels: Sequence[AxisLabel],
    side: str,
    read: ReadText,
    *,
    factor_known: bool,
) -> list[str]:
    """What text over the map, or beyond the bar's ends, says against the labels as they were understood.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    bar : BarAxis
    labels : sequence of AxisLabel
        In the order of their positions.
    side : str
        Of the bar, on which they stand.
    read : callable
        The text reader.
    factor_known : bool
        Whether a factor was found and used.

    Returns
    -------
    list of str
        A sentence for each doubt.
    """
    if len(labels) < 2:
        return []
    glyph = float(np.median([label.glyph_px for label in labels]))
    doubts = []
    printed = " ".join(label.text for label in labels)
    if not factor_known and not _FACTOR.search(printed):
        for text, _ in _read_all(pixels, _factor_places(bar, glyph), read):
            if _FACTOR.search(text):
                doubts.append(
                    f"{text!r} at an end of the bar, partly over other things, may be a factor of all labels."
                )
                break
    places = _next_places(bar, labels, side, glyph)
    for place, (text, confidence) in zip(places, _read_all(pixels, places, read), strict=True):
        if confidence >= SURE and len(text) >= 2 and _goes_on(bar, labels, place, text):
            doubts.append(f"{text!r} stands where the next label beyond the bar's end would: was the bar found whole?")
    return doubts


def _goes_on(bar: BarAxis, labels: Sequence[AxisLabel], place: PixelBox, text: str) -> bool:
    """Whether a text is a number beyond the outer label's, in the direction in which the labels run."""
    values = [label.numbers[0].value for label in labels if label.numbers]
    upper = sum(bar.along(place)) / 2 > bar.low
    outer = values[-1] if upper else values[0]
    rising = (values[-1] > values[0]) == upper
    return any((number.value > outer) == rising and number.value != outer for number in parse_numbers(text))


def _factor_places(bar: BarAxis, glyph: float) -> list[PixelBox]:
    """Beside the ends of the bar, where a factor is printed."""
    box, beyond, beside = bar.box, BEYOND_GLYPHS * glyph, BESIDE_GLYPHS * glyph
    if bar.axis == "vertical":
        left, right = box.left - 4 * glyph, box.right + 7 * glyph
        return [
            PixelBox(left, box.top - beside, right, box.top - 0.1 * glyph),
            PixelBox(left, box.bottom + 0.1 * glyph, right, box.bottom + beside),
        ]
    rows = ((box.top - beside, box.top - 0.1 * glyph), (box.bottom + 0.1 * glyph, box.bottom + beside))
    return [PixelBox(end - beyond, top, end + beyond, bottom) for top, bottom in rows for end in (box.left, box.right)]


def _next_places(bar: BarAxis, labels: Sequence[AxisLabel], side: str, glyph: float) -> list[PixelBox]:
    """Where one label more would stand at each end, if the labels stand evenly."""
    places = np.array([label.position for label in labels])
    gaps = np.diff(places)
    if len(gaps) < 2 or gaps.min() <= 0 or np.ptp(gaps) > 0.1 * np.median(gaps) + 1:
        return []
    gap = float(np.median(gaps))
    wide = max(label.box.width for label in labels) / 2 + 0.4 * glyph
    tall = max(label.box.height for label in labels) / 2 + 0.3 * glyph
    across = np.median([[label.box.left, label.box.top, label.box.right, label.box.bottom] for label in labels], axis=0)
    out = []
    for outer, at in ((labels[0], places[0] - gap), (labels[-1], places[-1] + gap)):
        end = bar.low if outer is labels[0] else bar.high
        if abs(outer.position - end) > 0.9 * gap:
            continue  # the bar itself goes on: other vetoes judge that
        if bar.axis == "horizontal":
            row = (outer.box.top + outer.box.bottom) / 2
            out.append(PixelBox(at - min(wide, 0.5 * gap), row - tall, at + min(wide, 0.5 * gap), row + tall))
        else:
            reach = min(tall, 0.5 * gap)
            out.append(PixelBox(across[0] - 0.4 * glyph, at - reach, across[2] + 0.4 * glyph, at + reach))
    return out


def _read_all(pixels: NDArray[np.uint8], places: Sequence[PixelBox], read: ReadText) -> list[tuple[str, float]]:
    """The text in some boxes, as the picture shows them, with its confidence."""
    height, width = pixels.shape[:2]
    crops = []
    for place in places:
        rows, cols = place.slices(width, height)
        if rows.stop - rows.start >= 6 and cols.stop - cols.start >= 8:
            crops.append(np.ascontiguousarray(pixels[rows, cols]))
        else:
            crops.append(np.full((8, 16, 3), 255, np.uint8))
    return [(reading.text.strip(), reading.confidence) for reading in read(crops)] if crops else []
