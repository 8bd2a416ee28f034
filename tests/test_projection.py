from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.value.color import RGB, YCBCR
from geocbar.value.colormaps import named_colors
from geocbar.value.projection import ColorTable, project_colors
from geocbar.value.scale import ColorScale, inverse_norm

MAPS = ("viridis", "jet", "turbo", "RdBu_r", "terrain", "cividis", "gnuplot2")


def scale_of(name: str) -> ColorScale:
    """A named scale, without the colours it repeats: each of its nodes is a place of its own."""
    colors = named_colors(name).colors
    new = np.concatenate([[True], np.any(np.diff(colors, axis=0) != 0, axis=1)])
    return ColorScale.from_colors(colors[new], vmin=-3, vmax=7)


def brute_force(colors: NDArray[np.float64], vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    a, e = vertices[:-1], np.diff(vertices, axis=0)
    square = np.maximum((e**2).sum(axis=1), 1e-12)
    t = np.clip(((colors[:, None] - a) * e).sum(axis=2) / square, 0, 1)
    return np.sqrt(((colors[:, None] - a - t[..., None] * e) ** 2).sum(axis=2)).min(axis=1)


def check_nearest(colors: NDArray[np.generic], scale: ColorScale, metric: NDArray[np.float64]) -> None:
    """The distance is the least there is, and the place named lies at that distance."""
    nodes, distance = project_colors(colors, scale, metric)
    for start in range(0, len(colors), 2000):
        part = slice(start, start + 2000)
        expected = brute_force(colors[part] @ metric.T, scale.colors @ metric.T)
        np.testing.assert_allclose(distance[part], expected, atol=2e-3, rtol=1e-5)
    low = np.floor(nodes).astype(int)
    high = np.minimum(low + 1, len(scale.colors) - 1)
    share = (nodes - low)[:, None]
    foot = (scale.colors[low] * (1 - share) + scale.colors[high] * share) @ metric.T
    np.testing.assert_allclose(np.linalg.norm(colors @ metric.T - foot, axis=1), distance, atol=0.02)


@pytest.mark.parametrize("metric", [RGB, YCBCR], ids=["rgb", "ycbcr"])
@pytest.mark.parametrize("name", MAPS)
def test_the_nearest_place_of_all(name: str, metric: NDArray[np.float64]) -> None:
    check_nearest(np.random.default_rng(1).integers(0, 256, (500, 3)).astype(np.uint8), scale_of(name), metric)


@pytest.mark.parametrize("metric", [RGB, YCBCR], ids=["rgb", "ycbcr"])
@pytest.mark.parametrize("name", ["viridis", "jet"])
def test_the_nearest_place_of_many_colors_beside_the_scale(name: str, metric: NDArray[np.float64]) -> None:
    rng = np.random.default_rng(2)
    scale = scale_of(name)
    beside = scale.colors[rng.integers(0, len(scale.colors), 12000)] + rng.normal(size=(12000, 3)) * 6
    check_nearest(np.clip(np.rint(beside), 0, 255).astype(np.uint8), scale, metric)


@st.composite
def crooked_scales(draw: st.DrawFn) -> ColorScale:
    """Paths that jump, cross themselves and come back to where they were, but never stand still."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    nodes = rng.integers(0, 256, (draw(st.integers(2, 40)), 3)).astype(float)
    if draw(st.booleans()):
        nodes = nodes[rng.integers(0, len(nodes), 60)]
    nodes = nodes[np.concatenate([[True], np.any(np.diff(nodes, axis=0) != 0, axis=1)])]
    if len(nodes) < 2:
        nodes = np.array([[0, 0, 0], [255, 255, 255.0]])
    return ColorScale.from_colors(nodes, vmin=0, vmax=1)


@settings(max_examples=60, deadline=None)
@given(crooked_scales(), st.integers(0, 2**32 - 1), st.sampled_from([np.uint8, np.float32, np.float64]))
def test_the_nearest_place_on_any_path(scale: ColorScale, seed: int, dtype: type) -> None:
    rng = np.random.default_rng(seed)
    metric = YCBCR if seed % 2 else rng.normal(size=(3, 3))
    colors = rng.uniform(0, 255, (300, 3)).astype(dtype)
    _, distance = project_colors(colors, scale, metric)
    expected = brute_force(colors @ metric.T, scale.colors @ metric.T)
    np.testing.assert_allclose(distance, expected, atol=2e-3, rtol=1e-5)


def test_colors_beyond_the_cube() -> None:
    colors = np.random.default_rng(4).uniform(-80, 340, (400, 3))
    check_nearest(colors, scale_of("jet"), RGB)


def test_a_color_is_projected_alike_in_any_company() -> None:
    colors = np.random.default_rng(6).integers(0, 256, (4000, 3)).astype(np.uint8)
    scale = scale_of("terrain")
    whole = project_colors(colors, scale, YCBCR)
    for part in (slice(7, 8), slice(100, 900), slice(None, None, -3)):
        alone = project_colors(colors[part], scale, YCBCR)
        np.testing.assert_array_equal(whole[0][part], alone[0])
        np.testing.assert_array_equal(whole[1][part], alone[1])


def test_a_repeated_color_stands_for_the_middle_of_its_run() -> None:
    scale = ColorScale.from_colors([[0, 0, 0]] * 4 + [[100, 0, 0]] + [[200, 0, 0]] * 3, vmin=0, vmax=7)
    nodes, distance = project_colors(np.array([[0, 0, 0], [50, 9, 0], [100, 0, 0], [250, 0, 0]], np.uint8), scale)
    np.testing.assert_allclose(nodes, [1.5, 2.75, 4, 6])
    np.testing.assert_allclose(distance, [0, 9, 0, 50])


@pytest.mark.parametrize("metric", [RGB, YCBCR], ids=["rgb", "ycbcr"])
def test_classes_take_the_nearest_color(metric: NDArray[np.float64]) -> None:
    rng = np.random.default_rng(8)
    classes = rng.permutation(256)[:36].reshape(12, 3).astype(float)
    scale = ColorScale.from_colors(classes, vmin=0, vmax=12, scale="discrete")
    colors = rng.integers(0, 256, (3000, 3)).astype(np.uint8)
    nodes, distance = project_colors(colors, scale, metric)
    every = np.linalg.norm((colors[:, None] - classes) @ metric.T, axis=2)
    np.testing.assert_allclose(distance, every.min(axis=1), atol=2e-3)
    np.testing.assert_allclose(every[np.arange(len(colors)), nodes.astype(int)], distance, atol=2e-3)
    assert np.array_equal(nodes, np.rint(nodes))


def test_no_colors() -> None:
    nodes, distance = project_colors(np.empty((0, 3), np.uint8), scale_of("jet"))
    assert nodes.shape == distance.shape == (0,)


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


def picture(n_colors: int, shape: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (n_colors, 3)).astype(np.uint8)
    return palette[rng.integers(0, n_colors, shape)]


@pytest.mark.parametrize("n_colors", [1, 2, 256, 300, 90_000])
def test_a_picture_is_spread_back_from_its_colors(n_colors: int) -> None:
    pixels = picture(n_colors, (431, 520))
    table = ColorTable.of(pixels)
    assert len(np.unique(table.colors, axis=0)) == len(table.colors)
    np.testing.assert_array_equal(np.unique(table.colors, axis=0), np.unique(pixels.reshape(-1, 3), axis=0))
    for band, back in enumerate(table.spread_all([np.ascontiguousarray(table.colors[:, i]) for i in range(3)])):
        assert back.dtype == np.uint8
        np.testing.assert_array_equal(back, pixels[..., band])


def test_rows_of_a_crop_into_an_array_given() -> None:
    whole = picture(70_000, (300, 400), seed=1)
    pixels = whole[5:290, 11:377]
    table = ColorTable.of(pixels)
    column = table.colors.astype(np.float32).sum(axis=1)
    expected = pixels.sum(axis=2, dtype=np.float32)
    out = np.full(pixels.shape[:2], -1, np.float32)
    assert table.spread(column, out=out[20:90], rows=slice(20, 90)).base is out
    np.testing.assert_array_equal(out[20:90], expected[20:90])
    assert np.all(out[:20] == -1)
    assert np.all(out[90:] == -1)
    np.testing.assert_array_equal(table.spread(column), expected)
    np.testing.assert_array_equal(table.spread(column, rows=slice(-3, None)), expected[-3:])


@pytest.mark.parametrize("shape", [(1, 1), (0, 5), (4, 0), (1, 200_000)])
def test_odd_shapes(shape: tuple[int, int]) -> None:
    table = ColorTable.of(picture(9, shape))
    np.testing.assert_array_equal(table.spread(table.colors[:, 1].copy()), picture(9, shape)[..., 1])


def test_neither_table_nor_spreading_copies_the_picture() -> None:
    pixels = picture(50_000, (3000, 2000))
    pixels.setflags(write=False)
    tracemalloc.start()
    try:
        table = ColorTable.of(pixels)
        made = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        out = table.spread(np.zeros(len(table.colors), np.float32))
        spread = tracemalloc.get_traced_memory()[1] - before - out.nbytes
    finally:
        tracemalloc.stop()
    assert made < 100e6
    assert spread < 10e6
    assert table.pixels is pixels


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4)])
def test_not_a_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError, match=r"A picture is an \(h, w, 3\) uint8 array, not uint8 of \(4, 4"):
        ColorTable.of(np.zeros(shape, np.uint8))
