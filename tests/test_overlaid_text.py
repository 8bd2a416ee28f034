"""Text that lies over the map at a bar's end, or beyond it, is a doubt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from geocbar.figure.axis_fit import AxisLabel
from geocbar.figure.bar_axis import BarAxis
from geocbar.figure.label_reading import TextReading
from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import parse_numbers
from geocbar.figure.overlaid_text import find_overlaid_doubts

BAR = BarAxis(PixelBox(100, 200, 500, 220), "horizontal")


def label(at: float, text: str) -> AxisLabel:
    return AxisLabel(
        position=at,
        numbers=tuple(parse_numbers(text)),
        confidence=1.0,
        checks=(),
        tick=at,
        glyph_px=12.0,
        text=text,
        box=PixelBox(at - 15, 228, at + 15, 240),
        exact=False,
    )


LABELS = [label(100 + 100 * i, text) for i, text in enumerate(("0.0", "0.5", "1.0", "1.5", "2.0"))]


def reader(marked: dict[int, str]) -> tuple[NDArray[np.uint8], object]:
    """A picture in which a grey level stands for a text, and what reads it."""
    pixels = np.full((400, 700, 3), 255, np.uint8)

    def read(crops: Sequence[NDArray[np.uint8]]) -> list[TextReading]:
        out = []
        for crop in crops:
            level = int(crop.min())
            out.append(TextReading(marked.get(level, ""), 0.97 if level in marked else 0.0))
        return out

    return pixels, read


@pytest.mark.parametrize("text", ["(×10²)", "x10-4", "1e-5", "+1.02 e3", "0 7+1.02"])
def test_a_factor_at_an_end_is_a_doubt(text: str) -> None:
    pixels, read = reader({7: text})
    pixels[180:196, 470:520] = 7
    [doubt] = find_overlaid_doubts(pixels, BAR, LABELS, "bottom", read, factor_known=False)  # type: ignore[arg-type]
    assert "may be a factor of all labels" in doubt
    assert not find_overlaid_doubts(pixels, BAR, LABELS, "bottom", read, factor_known=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["Sumatra", "150E", "150°E", "10N", "2000"])
def test_words_and_degrees_at_an_end_are_none(text: str) -> None:
    pixels, read = reader({7: text})
    pixels[180:196, 470:520] = 7
    assert not find_overlaid_doubts(pixels, BAR, LABELS, "bottom", read, factor_known=False)  # type: ignore[arg-type]


def test_a_number_where_the_next_label_would_stand_is_a_doubt() -> None:
    pixels, read = reader({9: "2.5"})
    pixels[228:240, 590:612] = 9
    [doubt] = find_overlaid_doubts(pixels, BAR, LABELS, "bottom", read, factor_known=False)  # type: ignore[arg-type]
    assert "'2.5' stands where the next label beyond the bar's end would" in doubt


def test_a_number_of_the_neighbour_bar_goes_on_with_nothing() -> None:
    pixels, read = reader({9: "0.0"})
    pixels[228:240, 590:612] = 9
    assert not find_overlaid_doubts(pixels, BAR, LABELS, "bottom", read, factor_known=False)  # type: ignore[arg-type]
