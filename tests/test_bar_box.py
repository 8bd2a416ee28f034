"""The exact place of a bar known roughly: what lies at its ends, and what only looks like more of it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from geocbar.value.bar_box import INCOMPLETE, FittedStrip, fit_strip
from geocbar.value.colormaps import named_colors

Pixels = NDArray[np.uint8]


def jpeg(pixels: Pixels, quality: int = 85) -> Pixels:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream))


def ramp(name: str, n: int) -> Pixels:
    return np.rint(named_colors(name).colors[np.arange(n) * 256 // n]).astype(np.uint8)


def fitted(pixels: Pixels, rough: tuple[float, float, float, float], *, lossy: bool = False) -> FittedStrip:
    return fit_strip(pixels, rough, 1, lossy)


def boxes_that_end_white(*, marks: tuple[int, ...], pale: int = 255, every: int = 1) -> Pixels:
    """Nine boxes of 40 px from row 60 on, downwards to a pale one without frame; marks at the limits named."""
    pixels = np.full((560, 200, 3), 255, np.uint8)
    colors = ramp("viridis", 9)
    colors[8] = pale
    for k, color in enumerate(colors):
        pixels[60 + 40 * k : 100 + 40 * k, 80:110] = color
    for mark in marks:
        pixels[60 + 40 * mark - 1 : 60 + 40 * mark + 1, 110:118] = 0
    return pixels


@pytest.mark.parametrize("marks", [tuple(range(10)), (1, 3, 5, 7, 9)])
@pytest.mark.parametrize(("pale", "lossy"), [(255, False), (252, True)])
def test_an_outermost_box_as_white_as_the_paper_is_told_by_the_marks(
    marks: tuple[int, ...], pale: int, lossy: bool
) -> None:
    pixels = boxes_that_end_white(marks=marks, pale=pale)
    strip = fitted(jpeg(pixels) if lossy else pixels, (80, 60, 110, 380), lossy=lossy)
    assert strip.bottom == pytest.approx(420, abs=2.5 if lossy else 1.0)
    assert len(strip.breaks) == 8
    assert strip.breaks[-1] == pytest.approx(380, abs=1.5)
    assert strip.extend == (False, False)


@pytest.mark.parametrize("marks", [tuple(range(9)), (0, 2, 4, 6, 8), ()])
def test_no_box_is_added_where_no_mark_stands(marks: tuple[int, ...]) -> None:
    strip = fitted(boxes_that_end_white(marks=marks), (80, 60, 110, 380))
    assert strip.bottom == pytest.approx(380, abs=1.5)


def test_a_strip_that_goes_on_in_another_color_is_doubted() -> None:
    pixels = boxes_that_end_white(marks=())
    pixels[380:420, 80:110] = (250, 20, 20)
    assert INCOMPLETE in fitted(pixels, (80, 60, 110, 380)).notes
    pixels[380:420, 80:110] = 255
    assert INCOMPLETE not in fitted(pixels, (80, 60, 110, 380)).notes
    # A line of text, or a patch set apart, is no part of the bar.
    pixels[392:400, 70:120:3] = 0
    pixels[30:50, 80:110] = 150
    assert INCOMPLETE not in fitted(pixels, (80, 60, 110, 380)).notes


def test_no_box_is_added_over_something_else() -> None:
    pixels = boxes_that_end_white(marks=tuple(range(10)))
    pixels[395:405, 60:130] = 90
    assert fitted(pixels, (80, 60, 110, 380)).bottom < 400


def test_an_end_that_fades_to_the_paper_does_not_go_on_to_the_map() -> None:
    pixels = np.full((500, 160, 3), 255, np.uint8)
    pixels[160:420, 60:77] = ramp("YlGnBu", 260)[:, None]
    # The map beyond the paper, behind a slanting line.
    image = Image.fromarray(pixels)
    pen = ImageDraw.Draw(image)
    pen.rectangle([0, 0, 160, 122], fill=(35, 90, 170))
    pen.line([40, 118, 90, 123], fill=(0, 0, 0), width=2)
    strip = fitted(jpeg(np.array(image)), (60, 162, 77, 420), lossy=True)
    assert strip.top > 150
    assert strip.extend == (False, False)


@pytest.mark.parametrize("lossy", [False, True])
def test_a_framed_bar_on_a_flat_map_ends_at_its_frame(lossy: bool) -> None:
    pixels = np.full((520, 160, 3), (60, 200, 190), np.uint8)
    # The map is of another colour beside the bar's upper part, as it is where maps are no paper.
    pixels[:220] = (90, 100, 60)
    pixels[57:403, 57:93] = 255
    pixels[60:400, 60:90] = ramp("jet", 340)[:, None]
    strip = fitted(jpeg(pixels) if lossy else pixels, (60, 60, 90, 450), lossy=lossy)
    assert (strip.top, strip.bottom) == pytest.approx((58.5, 401.5), abs=1.6)
    assert strip.extend == (False, False)


@pytest.mark.parametrize("thick", [7, 9, 14])
def test_the_tip_of_a_small_triangle_is_no_joint(thick: int) -> None:
    pixels = np.full((400, 60, 3), 255, np.uint8)
    image = Image.fromarray(pixels)
    pen = ImageDraw.Draw(image)
    left, right, tip = 20, 20 + thick, 340 + round(1.2 * thick)
    for row, color in enumerate(ramp("magma", 280)):
        pen.line([left, 60 + row, right, 60 + row], fill=tuple(map(int, color)))
    corners = [(left, 340), ((left + right) / 2, tip), (right, 340)]
    pen.polygon(corners, fill=(252, 253, 191))
    pen.line([(right, 340), (right, 60), (left, 60), (left, 340), corners[1], (right, 340)], fill=(40, 10, 20))
    strip = fitted(np.array(image), (left, 60, right + 1, 338))
    assert strip.extend == (False, True)
    assert strip.bottom == pytest.approx(340.5, abs=2.5)
