from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from geocbar.errors import InvalidInputError
from geocbar.figure.gridlines import find_straight_lines, follow_line, map_lines
from geocbar.figure.layout import PixelBox

BOX = PixelBox(40, 30, 440, 330)
DASHES = {"solid": (1, 0), "dashed": (7, 5), "dotted": (2, 4)}


def ground() -> NDArray[np.float64]:
    """A smooth coloured field on paper."""
    pixels = np.full((360, 480, 3), 255.0)
    rows, cols = np.mgrid[0:300, 0:400]
    waves = np.sin(rows / 41) + np.cos(cols / 57)
    pixels[30:330, 40:440] = 128 + 50 * np.stack([waves, -waves, np.sin(cols / 33)], axis=2)
    return pixels


def drawn(
    paths: list[NDArray[np.float64]], style: str = "solid", ink: int = 0, width: float = 1.2
) -> NDArray[np.uint8]:
    """The ground with lines through points (x, y), antialiased."""
    factor = 6
    mask = Image.new("L", (480 * factor, 360 * factor))
    pen = ImageDraw.Draw(mask)
    on, off = DASHES[style]
    for path in paths:
        steps = np.r_[0, np.cumsum(np.hypot(*np.diff(path, axis=0).T))]
        for start in np.arange(0, steps[-1], on + off) if off else [0.0]:
            stop = start + on if off else steps[-1]
            where = np.linspace(start, min(stop, steps[-1]), max(2, round(stop - start) * 2))
            x, y = (np.interp(where, steps, path[:, k]) * factor for k in (0, 1))
            pen.line(list(zip(x, y, strict=True)), fill=255, width=round(width * factor))
    cover = np.asarray(mask.resize((480, 360), Image.Resampling.BOX), float)[..., None] / 255
    cover[:30] = cover[330:] = cover[:, :40] = cover[:, 440:] = 0
    return np.round(ground() * (1 - cover) + ink * cover).astype(np.uint8)


def upright(x: float) -> NDArray[np.float64]:
    return np.array([[x, 30.0], [x, 330.0]])


@pytest.mark.parametrize("style", list(DASHES))
@pytest.mark.parametrize("ink", [0, 255])
def test_straight_lines_are_found_to_a_third_of_a_pixel(style: str, ink: int) -> None:
    places = [110.3, 200.5, 290.8, 381.1]
    lines = map_lines(drawn([upright(x) for x in places], style, ink), BOX)
    found = find_straight_lines(lines, "vertical")
    assert len(found) == 4
    np.testing.assert_allclose(found, places, atol=0.35)
    assert len(find_straight_lines(lines, "horizontal")) == 0


def test_tilted_lines_and_bare_maps_have_no_straight_lines() -> None:
    tilted = [np.array([[x, 30.0], [x + 12, 330.0]]) for x in (100.0, 200.0, 300.0)]
    assert len(find_straight_lines(map_lines(drawn(tilted), BOX), "vertical")) == 0
    assert len(find_straight_lines(map_lines(drawn([]), BOX), "vertical")) == 0


@pytest.mark.parametrize("style", list(DASHES))
def test_an_arc_is_followed_through_the_map(style: str) -> None:
    angles = np.radians(np.linspace(50, 130, 600))
    center, radius = np.array([240.0, -300.0]), 500.0
    path = center + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    pixels = drawn([path, upright(150.2), upright(330.4)], style)
    y = center[1] + np.sqrt(radius**2 - (40 - center[0]) ** 2)
    line = follow_line(map_lines(pixels, BOX), (40.0, float(y) + 2.0), (1.0, 0.0))
    assert line is not None
    assert line.coverage > 0.7
    assert np.ptp(line.points[:, 0]) > 350
    off = np.hypot(*(line.points - center).T) - radius
    assert np.abs(off).max() < 0.6
    assert np.abs(off).mean() < 0.25


def test_nothing_is_followed_where_no_line_starts() -> None:
    assert follow_line(map_lines(drawn([]), BOX), (40.0, 180.0), (1.0, 0.0)) is None


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="too small to hold gridlines"):
        map_lines(drawn([]), PixelBox(10, 10, 20, 20))
    with pytest.raises(InvalidInputError, match="not in \\(4, 4\\)"):
        map_lines(np.zeros((4, 4), np.uint8), BOX)
    with pytest.raises(InvalidInputError, match="no ink 'red'"):
        follow_line(map_lines(drawn([]), BOX), (40.0, 180.0), (1.0, 0.0), "red")
    with pytest.raises(InvalidInputError, match="no direction 'oblique'"):
        find_straight_lines(map_lines(drawn([]), BOX), "oblique")
