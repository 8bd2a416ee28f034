"""What lies at the ends of a bar and across it: frame lines, separators, triangles and boxes beyond the limits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from geocbar.figure.layout import PixelBox
from geocbar.value.bar_ends import bridge_lines, color_beyond, without_end_lines
from geocbar.value.colorbar import read_colorbar
from geocbar.value.colormaps import named_colors

UNDER, OVER = (200, 0, 200), (255, 120, 0)
PAPER = np.array([255.0, 255, 255])


def smooth(n: int = 300) -> NDArray[np.float64]:
    return named_colors("viridis").colors[np.arange(n) * 256 // n]


@pytest.mark.parametrize("thick", [0, 1, 2, 3])
def test_frame_lines_are_cut_off_either_end(thick: int) -> None:
    colors = smooth()
    colors[:thick] = 0
    colors[len(colors) - thick :] = 255
    assert without_end_lines(colors) == (thick, len(colors) - thick)


@pytest.mark.parametrize("thick", [1, 2, 3])
def test_lines_across_are_bridged_and_nothing_else_is_touched(thick: int) -> None:
    colors = smooth()
    lined = colors.copy()
    for start in (60, 150, 240):
        lined[start : start + thick] = 0
    bridged = bridge_lines(lined)
    away = np.abs(bridged - colors).max(axis=1)
    assert away.max() <= 4
    untouched = (lined == colors).all(axis=1)
    np.testing.assert_array_equal(bridged[untouched], colors[untouched])


def test_a_bar_without_lines_stays_as_it_is() -> None:
    colors = smooth()
    np.testing.assert_array_equal(bridge_lines(colors), colors)
    boxes = np.repeat(smooth(8), 30, axis=0)
    np.testing.assert_array_equal(bridge_lines(boxes), boxes)


def draw(shape: str | None, vertical: bool, frame: bool) -> tuple[NDArray[np.uint8], PixelBox]:
    """A bar with an extension at both ends: a triangle, a box, or none."""
    picture = np.full((60, 400, 3), 255, np.uint8)
    if frame:
        picture[19:41, 49:351] = 0
    picture[20:40, 50:350] = np.rint(smooth())
    rows, beyond = np.mgrid[20:40, 0:18]
    inside = np.ones(rows.shape, bool) if shape == "box" else np.abs(rows - 29.5) < 10 * (1 - beyond / 18)
    if shape is not None:
        start = 1 if frame else 0
        for color, cols in ((UNDER, 49 - start - beyond), (OVER, 350 + start + beyond)):
            picture[rows[inside], cols[inside]] = color
    box = PixelBox(50, 20, 350, 40)
    if vertical:
        return np.ascontiguousarray(picture.transpose(1, 0, 2)[::-1]), PixelBox(20, 50, 40, 350)
    return picture, box


@pytest.mark.parametrize("vertical", [False, True])
@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("shape", ["triangle", "box"])
def test_extensions_are_found(shape: str, frame: bool, vertical: bool) -> None:
    picture, box = draw(shape, vertical, frame)
    bar = read_colorbar(picture, box)
    assert (bar.under, bar.over) == (UNDER, OVER)


@pytest.mark.parametrize("vertical", [False, True])
@pytest.mark.parametrize("frame", [False, True])
def test_a_plain_bar_has_no_extension(frame: bool, vertical: bool) -> None:
    picture, box = draw(None, vertical, frame)
    bar = read_colorbar(picture, box)
    assert (bar.under, bar.over) == (None, None)


def test_a_neighbouring_picture_is_no_extension() -> None:
    strip = np.full((20, 40, 3), (200.0, 0, 200))
    assert color_beyond(strip, PAPER) is None
    strip[:, 18:] = PAPER
    assert color_beyond(strip, PAPER) == UNDER
    assert color_beyond(strip[:3], PAPER) is None
