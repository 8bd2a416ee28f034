from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.value.colormaps import named_colors
from geocbar.value.inversion import Reason, invert
from geocbar.value.scale import ColorScale

MAPS = ("viridis", "jet", "turbo", "RdBu_r", "terrain", "cividis", "gnuplot2")


def scale_of(name: str, vmin: float = -3.0, vmax: float = 7.0) -> ColorScale:
    named = named_colors(name)
    return ColorScale.from_colors(named.colors, named.positions, vmin=vmin, vmax=vmax, step=named.step)


def field(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    y, x = np.mgrid[: shape[0], : shape[1]]
    waves = sum(
        np.sin(x * rng.uniform(-0.05, 0.05) + y * rng.uniform(-0.05, 0.05) + rng.uniform(0, 6)) for _ in range(6)
    )
    return (waves - waves.min()) / np.ptp(waves)


@pytest.mark.parametrize("name", MAPS)
def test_equals_matplotlibs_own_colormap(name: str) -> None:
    truth = -3 + 10 * field(np.random.default_rng(3), (150, 200))
    rgb = matplotlib.colormaps[name]((truth + 3) / 10, bytes=True)[..., :3]
    result = invert(rgb, scale_of(name))
    assert np.all(result.reason == Reason.DATA)
    error = (result.values - truth) / 10 * 100
    assert np.sqrt(np.mean(error**2)) <= 0.15
    assert np.abs(error).max() <= 1.0  # a few neighbouring bins share one 8-bit colour
    assert result.distance.max() <= 1.0  # the catalogue rounds two colours of jet otherwise


def test_a_value_never_depends_on_what_else_is_in_the_picture() -> None:
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (90, 120, 3)).astype(np.uint8)
    scale = scale_of("turbo")
    whole = invert(pixels, scale, max_distance=60)
    part = invert(pixels[20:50, 30:90], scale, max_distance=60)
    np.testing.assert_array_equal(whole.values[20:50, 30:90], part.values)
    np.testing.assert_array_equal(whole.reason[20:50, 30:90], part.reason)
    single = invert(pixels[20:21, 30:31], scale, max_distance=60)
    np.testing.assert_array_equal(whole.values[20:21, 30:31], single.values)


def test_classes_take_the_nearest_color() -> None:
    scale = ColorScale.from_colors(
        [[200, 0, 0], [0, 200, 0], [0, 0, 200]], edges=[0, 1, 5, 10], has_values=True, scale="discrete"
    )
    pixels = np.array([[[200, 0, 0], [4, 196, 0], [0, 0, 210], [90, 90, 90]]], np.uint8)
    result = invert(pixels, scale, max_distance=20)
    np.testing.assert_array_equal(result.values, np.array([[0.5, 3, 7.5, np.nan]], np.float32))
    assert result.reason.tolist() == [[Reason.DATA, Reason.DATA, Reason.DATA, Reason.OFF_SCALE]]


def test_frame_bar_and_distance_give_nan_with_a_reason() -> None:
    scale = scale_of("viridis")
    pixels = np.broadcast_to(scale.colors[100].astype(np.uint8), (20, 30, 3)).copy()
    pixels[10, 10] = (0, 0, 0)
    result = invert(pixels, scale, frame=PixelBox(5, 5, 25, 15), bar=PixelBox(18, 8, 22, 12), max_distance=20)
    assert result.reason[0, 0] == Reason.OUTSIDE
    assert result.reason[10, 20] == Reason.BAR
    assert result.reason[10, 10] == Reason.OFF_SCALE
    assert result.reason[6, 6] == Reason.DATA
    assert np.array_equal(np.isnan(result.values), result.reason != Reason.DATA)
    assert result.distance[10, 10] > 20


def test_refusals() -> None:
    scale = scale_of("viridis")
    pixels = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(InvalidInputError, match="--max-distance above 0"):
        invert(pixels, scale, max_distance=0)
    with pytest.raises(InvalidInputError, match="The map frame box 0,0,9,4 leaves the picture, which is 4 x 4 px"):
        invert(pixels, scale, frame=PixelBox(0, 0, 9, 4))
    with pytest.raises(InvalidInputError, match="single colour"):
        ColorScale.from_colors([[1, 2, 3], [1, 2, 3]], vmin=0, vmax=1)
    with pytest.raises(InvalidInputError, match="same value, 4"):
        ColorScale.from_colors([[1, 2, 3], [9, 2, 3]], vmin=4, vmax=4)
    with pytest.raises(InvalidInputError, match="log scale cannot hold 0"):
        ColorScale.from_colors([[1, 2, 3], [9, 2, 3]], vmin=0, vmax=4, scale="log")
