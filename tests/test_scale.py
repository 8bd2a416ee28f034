from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.value.classes import bar_classes
from geocbar.value.color import pack_colors, parse_color, unpack_colors
from geocbar.value.colorbar import Ticks, read_colorbar, scale_from_bar
from geocbar.value.colormaps import named_colors
from geocbar.value.scale import ColorScale


def draw_bar(
    colors: NDArray[np.floating], *, vertical: bool = False, thickness: int = 20, frame: bool = True, lines: int = 0
) -> tuple[NDArray[np.uint8], PixelBox]:
    """A bar on white, one colour a pixel, with a black frame line outside its box and lines across it on wish."""
    n = len(colors)
    picture = np.full((thickness + 20, n + 20, 3), 255, np.uint8)
    if frame:
        picture[9 : thickness + 11, 9 : n + 11] = 0
    picture[10 : thickness + 10, 10 : n + 10] = np.rint(colors)
    for i in range(1, lines + 1):
        picture[10 : thickness + 10, 10 + i * n // (lines + 1)] = 0
    if vertical:
        return np.ascontiguousarray(picture.transpose(1, 0, 2)[::-1]), PixelBox(10, 10, thickness + 10, n + 10)
    return picture, PixelBox(10, 10, n + 10, thickness + 10)


def smooth_colors(name: str, n: int) -> NDArray[np.float64]:
    return named_colors(name).colors[np.arange(n) * 256 // n]


@pytest.mark.parametrize("vertical", [False, True])
@pytest.mark.parametrize("name", ["viridis", "RdBu_r", "jet"])
def test_a_bar_gives_the_values_it_was_drawn_with(name: str, vertical: bool) -> None:
    colors = smooth_colors(name, 512)
    picture, box = draw_bar(colors, vertical=vertical, lines=4)
    bar = read_colorbar(picture, box)
    assert bar.axis == ("vertical" if vertical else "horizontal")
    scale = scale_from_bar(bar, vmin=-20, vmax=30, name="depth", unit="m")
    expected = -20 + 50 * (np.arange(512) + 0.5) / 512
    np.testing.assert_allclose(scale.limits, [-20, 30])
    np.testing.assert_allclose(scale.values, expected, atol=1e-9)
    assert np.abs(scale.colors - colors).max() <= 6  # a bridged line shows its neighbours' mean
    assert scale.label == "depth [m]"


@pytest.mark.parametrize("grow", [-2, 1, 3])
def test_a_box_a_little_off_does_not_bring_the_frame_line_in(grow: int) -> None:
    colors = smooth_colors("viridis", 400)
    picture, box = draw_bar(colors)
    box = PixelBox(box.left - grow, box.top - grow, box.right + grow, box.bottom + grow)
    scale = scale_from_bar(read_colorbar(picture, box), vmin=0, vmax=1)
    for color in scale.colors:
        assert np.abs(colors - color).max(axis=1).min() <= 2
    # The ends are where the user put them: an error of 3 px is 3/400 of the range.
    shown = np.interp(scale.values, (np.arange(400) + 0.5) / 400, np.arange(400))
    nearest = np.array([np.abs(colors - c).max(axis=1).argmin() for c in scale.colors])
    assert np.abs(shown - nearest).max() <= 4.5


def test_vmin_above_vmax_runs_the_other_way() -> None:
    picture, box = draw_bar(smooth_colors("viridis", 256))
    scale = scale_from_bar(read_colorbar(picture, box), vmin=10, vmax=0)
    assert scale.values[0] == pytest.approx(10, abs=0.05)
    assert scale.values[-1] == pytest.approx(0, abs=0.05)
    np.testing.assert_array_equal(scale.limits, [0, 10])


def test_ticks_linear_and_log() -> None:
    picture, box = draw_bar(smooth_colors("viridis", 400))
    bar = read_colorbar(picture, box)
    linear = scale_from_bar(bar, ticks=Ticks.parse("0@110,10@210,20@310"))
    np.testing.assert_allclose(linear.limits, [-10, 30])
    log = scale_from_bar(bar, ticks=Ticks.parse("1@110,10@210,100@310"), scale="log")
    np.testing.assert_allclose(log.limits, [0.1, 1000])
    assert log.values_at(199.5) == pytest.approx(10.0)
    with pytest.raises(InvalidInputError, match="They fit a log scale: --scale log"):
        scale_from_bar(bar, ticks=Ticks.parse("1@110,10@210,100@310"), scale="linear")
    with pytest.raises(InvalidInputError, match="They fit a linear scale: --scale linear"):
        scale_from_bar(bar, ticks=Ticks.parse("10@110,20@210,30@310"), scale="log")
    with pytest.raises(InvalidInputError, match="tick 5@900 is not on the colour bar"):
        scale_from_bar(bar, ticks=Ticks.parse("0@110,5@900"))


def boxes(colors: list[list[int]], length: int, separator: int = 0) -> NDArray[np.float64]:
    rows = np.repeat(np.array(colors, float), length, axis=0)
    for i in range(1, len(colors)):
        rows[i * length - separator // 2 : i * length - separator // 2 + separator] = 0
    return rows


CLASSES = [[255, 255, 204], [199, 233, 180], [127, 205, 187], [65, 182, 196], [44, 127, 184], [37, 52, 148]]


@pytest.mark.parametrize("separator", [0, 1, 3])
def test_discrete_boxes(separator: int) -> None:
    picture, box = draw_bar(boxes(CLASSES, 40, separator))
    scale = scale_from_bar(read_colorbar(picture, box), vmin=0, vmax=60, scale="discrete")
    np.testing.assert_array_equal(scale.colors, CLASSES)
    np.testing.assert_allclose(np.asarray(scale.edges), np.arange(7) * 10)
    np.testing.assert_allclose(scale.values, np.arange(6) * 10 + 5)


def test_neighbouring_boxes_of_one_color_are_still_two() -> None:
    colors = [*CLASSES[:2], CLASSES[1], *CLASSES[3:]]
    picture, box = draw_bar(boxes(colors, 40))
    scale = scale_from_bar(read_colorbar(picture, box), vmin=0, vmax=60, scale="discrete")
    assert len(scale.values) == 6


def test_ticks_are_class_limits() -> None:
    picture, box = draw_bar(boxes(CLASSES, 40))
    ticks = ",".join(f"{v}@{10 + 40 * i}" for i, v in enumerate([0, 1, 2, 5, 10, 20, 50]))
    scale = scale_from_bar(read_colorbar(picture, box), ticks=Ticks.parse(ticks), scale="discrete")
    np.testing.assert_allclose(np.asarray(scale.edges), [0, 1, 2, 5, 10, 20, 50], atol=1e-9)


def test_a_smooth_bar_is_no_class_bar_and_unequal_boxes_ask_for_ticks() -> None:
    picture, box = draw_bar(np.linspace([0, 0, 0], [255, 255, 255], 300))
    with pytest.raises(InvalidInputError, match=r"no separate boxes|not of equal length"):
        scale_from_bar(read_colorbar(picture, box), vmin=0, vmax=1, scale="discrete")
    rows = np.concatenate([np.repeat([c], n, axis=0) for c, n in zip(CLASSES, [40, 95, 40, 61, 40, 53], strict=True)])
    picture, box = draw_bar(rows.astype(float))
    with pytest.raises(InvalidInputError, match="not of equal length"):
        scale_from_bar(read_colorbar(picture, box), vmin=0, vmax=1, scale="discrete")


def test_class_runs_leave_separators_out() -> None:
    runs = bar_classes(boxes(CLASSES, 30, 2), lossy=False)
    assert runs is not None
    assert len(runs) == 6
    assert np.ptp(runs[:, 1] - runs[:, 0]) <= 2


def test_bar_refusals() -> None:
    flat = np.full((60, 200, 3), 240, np.uint8)
    with pytest.raises(InvalidInputError, match=r"lies on a single colour \(#f0f0f0\)"):
        read_colorbar(flat, PixelBox(10, 10, 190, 30))
    with pytest.raises(InvalidInputError, match="leaves the picture, which is 200 x 60 px"):
        read_colorbar(flat, PixelBox(10, 10, 300, 30))
    with pytest.raises(InvalidInputError, match="covers only 5 x 3 pixels"):
        read_colorbar(flat, PixelBox(10, 10, 15, 13))
    picture, box = draw_bar(smooth_colors("viridis", 256))
    bar = read_colorbar(picture, box)
    with pytest.raises(InvalidInputError, match="values at the ends of the colour bar are not known"):
        scale_from_bar(bar, vmin=0)
    with pytest.raises(InvalidInputError, match="same value, 3"):
        scale_from_bar(bar, vmin=3, vmax=3)
    with pytest.raises(InvalidInputError, match="log scale cannot hold 0"):
        scale_from_bar(bar, vmin=0, vmax=3, scale="log")
    with pytest.raises(InvalidInputError, match="'5' is not a tick"):
        Ticks.parse("0@1,5")
    with pytest.raises(InvalidInputError, match="share a place or a value"):
        Ticks.parse("0@1,5@1")


def test_classes_in_the_even_coordinate() -> None:
    scale = ColorScale.from_colors(CLASSES, edges=[0, 1, 2, 5, 10, 20, 50], has_values=True)
    np.testing.assert_array_equal(scale.to_even([0.5, 3, np.nan, 49]), [0.5, 2.5, np.nan, 5.5])
    assert scale.even_limits == (0, 6)
    np.testing.assert_array_equal(scale.colors_at([0.5, 49]), [CLASSES[0], CLASSES[-1]])


def test_palette_values_can_be_overruled() -> None:
    own = ColorScale.from_colors([[0, 0, 0], [255, 0, 0]], [10, 20], has_values=True)
    np.testing.assert_array_equal(own.limits, [10, 20])
    said = ColorScale.from_colors([[0, 0, 0], [255, 0, 0]], [10, 20], has_values=True, vmin=0, vmax=5)
    np.testing.assert_array_equal(said.values, [0, 5])
    with pytest.raises(InvalidInputError, match="Give both: --vmin V --vmax V"):
        ColorScale.from_colors([[0, 0, 0], [255, 0, 0]], vmin=0)


def test_open_classes_are_as_wide_as_their_neighbours() -> None:
    scale = ColorScale.from_colors(CLASSES[:4], edges=[-np.inf, 0, 10, 20, np.inf], has_values=True)
    np.testing.assert_array_equal(np.asarray(scale.edges), [-10, 0, 10, 20, 30])


@given(st.integers(0, 2**24 - 1))
def test_packing_colors(number: int) -> None:
    assert pack_colors(unpack_colors(np.array([number])))[0] == number


def test_colors_on_the_command_line() -> None:
    assert parse_color("#c8c8c8") == (200, 200, 200)
    with pytest.raises(InvalidInputError, match="'grey-ish' is not a colour"):
        parse_color("grey-ish")
    with pytest.raises(InvalidInputError, match="'300,0,0' is not a colour"):
        parse_color("300,0,0")
