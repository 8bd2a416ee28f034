from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.value.color import RGB, YCBCR
from geocbar.value.colormaps import named_colors
from geocbar.value.inversion import Reason, invert, project_colors
from geocbar.value.scale import ColorScale, inverse_norm

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


def brute_force(colors: NDArray[np.float64], vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    a, e = vertices[:-1], np.diff(vertices, axis=0)
    square = np.maximum((e**2).sum(axis=1), 1e-12)
    t = np.clip(((colors[:, None] - a) * e).sum(axis=2) / square, 0, 1)
    return np.sqrt(((colors[:, None] - a - t[..., None] * e) ** 2).sum(axis=2)).min(axis=1)


@pytest.mark.parametrize("metric", [RGB, YCBCR], ids=["rgb", "ycbcr"])
@pytest.mark.parametrize("name", MAPS)
def test_projection_is_the_nearest_place_of_all(name: str, metric: NDArray[np.float64]) -> None:
    scale = scale_of(name)
    colors = np.random.default_rng(1).integers(0, 256, (500, 3)).astype(np.uint8)
    nodes, distance = project_colors(colors, scale, metric)
    np.testing.assert_allclose(distance, brute_force(colors @ metric.T, scale.colors @ metric.T), atol=2e-3, rtol=1e-5)
    low = np.floor(nodes).astype(int)
    high = np.minimum(low + 1, len(scale.colors) - 1)
    share = (nodes - low)[:, None]
    foot = (scale.colors[low] * (1 - share) + scale.colors[high] * share) @ metric.T
    np.testing.assert_allclose(np.linalg.norm(colors @ metric.T - foot, axis=1), distance, atol=0.02)


@given(st.floats(0, 1), st.sampled_from(MAPS))
def test_value_to_color_to_value(share: float, name: str) -> None:
    named = named_colors(name)
    scale = ColorScale.from_colors(named.colors, named.positions, vmin=0.1, vmax=1000.0, scale="log")
    value = inverse_norm(scale.even_limits[0] + share * np.ptp(scale.even_limits), "log")
    color = scale.colors_at(np.array([value]))
    back = scale.values_at(project_colors(color, scale)[0])
    # An 8-bit colour is known to half a unit; flat parts of a map are as wide as their slope is small.
    again = scale.colors_at(back)
    assert np.abs(again.astype(int) - color.astype(int)).max() <= 1


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
