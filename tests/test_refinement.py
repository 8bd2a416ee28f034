"""The promise of thinning, held against pictures drawn here and a greedy reference."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import cKDTree

from geocbar.errors import InvalidInputError
from geocbar.grid.borders import hold_borders
from geocbar.grid.levels import picture_noise
from geocbar.grid.refinement import refine
from geocbar.grid.rims import rim_pixels
from geocbar.grid.thinning import Points, rebuild_error, thin
from tests.drawing.fields import make_field

WIDTH, HEIGHT = 200, 150


def draw_field(name: str, seed: int = 7, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> NDArray[np.float64]:
    return make_field(name, shape[1], shape[0], np.random.default_rng(seed))


def through_jpeg(field: NDArray[np.float64], quality: int = 92) -> NDArray[np.float64]:
    file = io.BytesIO()
    Image.fromarray(np.round(field * 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), float) / 255


def punch(field: NDArray[np.float64]) -> NDArray[np.float64]:
    """A round hole, masked lines, and an empty corner."""
    row, col = np.mgrid[: field.shape[0], : field.shape[1]]
    hole = np.hypot(row - 50, col - 70) < 22
    line = (row % 47 == 20) | (col % 61 == 30)
    return np.where(hole | line | (row + col > 320), np.nan, field)


def missed_share(values: NDArray[np.float64], points: Points, bound: float | NDArray[np.float64]) -> float:
    """Share of the pixels with a value that are missed by more, or lie outside the hull."""
    row, col = np.nonzero(np.isfinite(values))
    rebuilt = LinearNDInterpolator(points.pixels, points.values)(np.stack([col + 0.5, row + 0.5], axis=1))
    bounds = np.broadcast_to(bound, values.shape)[row, col]
    return float(np.mean(~(np.abs(rebuilt - values[row, col]) <= bounds + 1e-6)))


def count_greedily(values: NDArray[np.float64], bound: float) -> int:
    """Points of the plain greedy insertion: the worst pixel, one at a time."""
    row, col = np.nonzero(np.isfinite(values))
    places = np.stack([col + 0.5, row + 0.5], axis=1)
    truth = values[row, col]
    height, width = values.shape
    corners = [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)]
    chosen = [int(np.flatnonzero((row == r) & (col == c))[0]) for r, c in corners]
    while True:
        error = np.abs(LinearNDInterpolator(places[chosen], truth[chosen])(places) - truth)
        if np.mean(error > bound) <= 0.01:
            return len(chosen)
        chosen.append(int(error.argmax()))


@pytest.mark.parametrize("bound", [0.005, 0.01, 0.02, 0.05])
@pytest.mark.parametrize("name", ["smooth", "fronts"])
def test_promise_is_held(name: str, bound: float) -> None:
    field = draw_field(name)
    points = thin(field, limits=(0, 1), max_error=bound)
    assert missed_share(field, points, bound) <= 0.01
    error = rebuild_error(field, points, (0, 1))
    assert error.p99_percent <= 100 * bound
    assert error.covered == 1
    assert points.count.sum() == field.size


@pytest.mark.parametrize("bound", [0.02, 0.05])
@pytest.mark.parametrize("name", ["hills", "rough"])
def test_promise_is_held_on_a_jpeg_with_holes_and_lines(name: str, bound: float) -> None:
    picture = punch(through_jpeg(draw_field(name)))
    points = thin(picture, limits=(0, 1), max_error=bound, sigma=np.full(picture.shape, 0.004))
    assert missed_share(picture, points, bound) <= 0.01
    col, row = points.pixels.astype(int).T
    assert np.isfinite(picture[row, col]).all()
    assert np.abs(points.values - picture[row, col]).max() <= bound


def test_promise_is_held_below_the_noise_if_the_noise_is_to_be_rebuilt() -> None:
    field = draw_field("smooth", shape=(60, 80))
    noisy = (field + np.random.default_rng(3).normal(0, 0.01, field.shape)).astype(np.float32)
    found = refine(noisy, np.zeros(0, np.int64), max_error=0.01)
    col, row = found.flat % 80 + 0.5, found.flat // 80 + 0.5
    pixels = np.stack([col, row], axis=1)
    assert missed_share(noisy, Points(pixels, found.values, found.count, pixels, ""), 0.01) <= 0.01


def test_noise_that_is_known_is_not_rebuilt() -> None:
    field = draw_field("smooth")
    sigma = np.where(np.arange(WIDTH) < WIDTH // 2, 0.02, 0.001) * np.ones(field.shape)
    noisy = field + np.random.default_rng(5).normal(0, 1, field.shape) * sigma
    points = thin(noisy, limits=(0, 1), max_error=0.02, sigma=sigma)
    clean = thin(field, limits=(0, 1), max_error=0.02)
    assert len(points) < 4 * len(clean)
    assert missed_share(noisy, points, np.maximum(0.02, 3 * sigma)) <= 0.01
    found = rebuild_error(noisy, points, (0, 1), sigma=sigma, max_error=0.02)
    assert found.is_kept
    assert found.noisy_percent == pytest.approx(50)
    assert found.p99_percent > 4
    assert not rebuild_error(field + 0.05 * (np.arange(WIDTH) % 9 == 0), points, (0, 1), max_error=0.02).is_kept


def test_noise_is_measured_if_no_sigma_is_given() -> None:
    field = draw_field("smooth", shape=(60, 80))
    noisy = field + np.random.default_rng(3).normal(0, 0.01, field.shape)
    wrong = np.zeros_like(noisy)
    for sigma in (None, wrong):
        points = thin(noisy, limits=(0, 1), max_error=0.01, sigma=sigma)
        assert len(points) < 0.1 * noisy.size
        found = rebuild_error(noisy, points, (0, 1), sigma=sigma, max_error=0.01)
        assert found.is_kept
        assert found.noisy_percent == 100


@pytest.mark.parametrize("norm", ["log", "linear"])
def test_rebuild_error_counts_all_pixels_as_interpolation_does(norm: str) -> None:
    field = punch(10 ** draw_field("rough"))
    points = thin(field, limits=(1, 10), norm=norm, max_error=0.03)
    even, scale = (np.log10, 1.0) if norm == "log" else (np.asarray, 9.0)
    row, col = np.nonzero(np.isfinite(field))
    rebuilt = LinearNDInterpolator(points.pixels, even(points.values))(np.stack([col + 0.5, row + 0.5], axis=1))
    off = 100 * np.abs(rebuilt - even(field[row, col])) / scale
    found = rebuild_error(field, points, (1, 10), norm=norm, max_error=0.03)
    inside = np.isfinite(off)
    assert found.covered == pytest.approx(inside.mean(), abs=1e-4)
    assert found.max_percent == pytest.approx(off[inside].max(), rel=1e-3)
    assert found.rmse_percent == pytest.approx(np.sqrt(np.mean(off[inside] ** 2)), rel=1e-3)
    assert found.is_kept
    assert found.promised_percent == pytest.approx(3)


def test_every_cell_has_a_point_if_a_spacing_is_given() -> None:
    field = punch(draw_field("smooth"))
    few, more = (thin(field, limits=(0, 1), spacing=spacing) for spacing in (None, 20.0))
    cells = {(int(x // 20), int(y // 20)) for x, y in more.pixels}
    full = [
        (x, y)
        for y in range(7)
        for x in range(10)
        if np.isfinite(field[20 * y : 20 * y + 20, 20 * x : 20 * x + 20]).all()
    ]
    assert len(few) < len(more)
    assert cells.issuperset(full)


def test_a_jpeg_needs_hardly_more_points_than_a_png() -> None:
    field = draw_field("smooth")
    png, jpeg = (thin(picture, limits=(0, 1)) for picture in (np.round(field * 255) / 255, through_jpeg(field)))
    assert len(jpeg) < 1.3 * len(png)


def test_noise_is_taken_out_of_the_points() -> None:
    field = draw_field("smooth")
    noisy = field + np.random.default_rng(4).normal(0, 0.006, field.shape)
    points = thin(noisy, limits=(0, 1), max_error=0.03)
    col, row = points.pixels.astype(int).T
    own, fitted = (np.std(v - field[row, col]) for v in (noisy[row, col], points.values))
    assert fitted < 0.6 * own
    assert picture_noise(noisy.astype(np.float32)) == pytest.approx(0.006, rel=0.1)


@pytest.mark.parametrize("name", ["smooth", "fronts"])
def test_few_points_against_the_greedy_reference(name: str) -> None:
    field = draw_field(name, shape=(80, 110))
    assert len(thin(field, limits=(0, 1), max_error=0.03)) <= 1.2 * count_greedily(field, 0.03)


@pytest.mark.parametrize("name", ["smooth", "hills", "fronts", "rough"])
def test_half_the_points_of_the_clusters_at_equal_error(name: str) -> None:
    field = draw_field(name)
    refined = thin(field, limits=(0, 1), max_error=0.02)
    target = rebuild_error(field, refined, (0, 1)).rmse_percent
    for spacing in (24, 16, 12, 8, 6, 4, 3, 2):
        plain = thin(field, limits=(0, 1), max_error=None, spacing=spacing)
        if rebuild_error(field, plain, (0, 1)).rmse_percent <= target:
            break
    assert len(refined) <= 0.5 * len(plain)


def test_error_counts_in_the_even_coordinate() -> None:
    field = draw_field("smooth")
    decades = 4 * field - 2
    points = thin(10.0**decades, limits=(0.01, 100), norm="log", max_error=0.02)
    even = Points(points.xy, np.log10(points.values), points.count, points.pixels, "")
    assert missed_share(decades, even, 0.08) <= 0.01
    assert len(points) < 300


def test_a_point_tells_what_it_stands_for() -> None:
    field = punch(draw_field("smooth"))
    sigma = np.linspace(0.001, 0.002, field.size).reshape(field.shape)
    points = thin(field, limits=(0, 1), sigma=sigma, to_world=lambda xy: 2 * xy, crs="EPSG:3857")
    col, row = points.pixels.astype(int).T
    np.testing.assert_allclose(points.sigma, sigma[row, col])  # type: ignore[arg-type]
    np.testing.assert_allclose(points.xy, 2 * points.pixels)
    assert points.count.sum() == np.isfinite(field).sum()
    assert points.extent_px is not None
    assert (points.extent_px[points.count > 1] >= 1).all()
    assert (np.pi * (points.extent_px + 1) ** 2 >= points.count).all()
    plain = thin(np.ones((4, 5)), limits=(0, 2), max_error=None)
    assert plain.extent_px is not None
    assert plain.extent_px.tolist() == pytest.approx([np.hypot(2, 2)])


def test_regions_lie_between_their_own_points() -> None:
    values = np.full((60, 100), np.nan)
    values[5:50, 5:40] = 0.2
    values[10:55, 60:95] = 0.8
    points = thin(values, limits=(0, 1))
    assert missed_share(values, points, 1e-6) == 0
    assert len(points) == 8
    assert {tuple(p) for p in points.pixels[points.values < 0.5]} == {
        (5.5, 5.5),
        (39.5, 5.5),
        (5.5, 49.5),
        (39.5, 49.5),
    }


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(8, 18), st.integers(8, 18), st.floats(0.02, 0.3))
def test_promise_is_held_on_anything(seed: int, height: int, width: int, bound: float) -> None:
    rng = np.random.default_rng(seed)
    picture = np.where(rng.random((height, width)) < 0.2, np.nan, rng.random((height, width))).astype(np.float32)
    found = refine(picture, np.zeros(0, np.int64), max_error=bound)
    assert found.failing <= 0.01 + 1.5 / np.isfinite(picture).sum()
    assert np.isfinite(picture.ravel()[found.flat]).all()
    assert (np.diff(found.flat) > 0).all()


@pytest.mark.parametrize("radius", [6, 20, 100])
def test_a_disc_has_few_corners_and_lies_between_them(radius: int) -> None:
    row, col = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = np.hypot(row, col) <= radius
    assert len(rim_pixels(disc)) <= 56
    values = np.where(disc, 0.5 + 0.4 * np.sin(row / radius + col / 2 / radius), np.nan)
    assert missed_share(values, thin(values, limits=(0, 1)), 0.02) <= 0.01


def test_classes_keep_their_borders_and_have_a_point_each() -> None:
    field = punch(draw_field("hills"))
    edges = [0, 0.3, 0.5, 0.7, 1]
    classes = np.where(np.isfinite(field), np.digitize(np.nan_to_num(field), edges[1:-1]), -1).astype(np.int32)
    values = np.where(classes >= 0, (np.array(edges[:-1]) + 0.05)[classes], np.nan)
    points = thin(values, limits=(0, 1), edges=edges)
    row, col = np.nonzero(classes >= 0)
    nearest = points.values[cKDTree(points.pixels).query(np.stack([col + 0.5, row + 0.5], axis=1))[1]]
    assert np.mean(nearest != values[row, col]) <= 0.01
    assert points.count.sum() == len(row)
    assert len(points) < len(row) / 10
    found = rebuild_error(values, points, (0, 1), nearest=True, max_error=0.02)
    assert found.p99_percent == pytest.approx(0, abs=1e-4)
    assert found.is_kept


def test_one_class_is_one_point() -> None:
    flat, count, _ = hold_borders(np.zeros((20, 30), np.int32), np.array([310]))
    assert flat.tolist() == [310]
    assert count.tolist() == [600]


@pytest.mark.parametrize(
    ("values", "arguments", "message", "hint"),
    [
        (np.full((4, 5), np.nan), {}, "None of the 5 x 4 pixels has a value", "places of the map"),
        (
            np.ones((9, 9)),
            {"max_error": 0.0},
            "at most 0 % of the range gives every pixel as a point",
            "--max-error 2, or none",
        ),
        (np.ones((9, 9)), {"max_error": -0.1}, "at most -10 % of the range", "--max-error"),
        (np.ones((9, 9)), {"max_error": np.nan}, "at most nan %", "--max-error"),
        (np.where(np.eye(9) > 0, 0.5, np.nan), {"min_samples": 1}, "The 9 pixels with a value lie on one line", "none"),
        (np.ones((1, 40)), {"min_samples": 1}, "The 40 pixels with a value lie on one line", "--max-error none"),
    ],
)
def test_what_cannot_be_promised(values: Any, arguments: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        thin(values, limits=(0, 2), **arguments)
    assert hint in caught.value.hint


@pytest.mark.parametrize("min_samples", [1, 4])
def test_a_single_pixel_is_refused(min_samples: int) -> None:
    values = np.full((9, 9), np.nan)
    values[4, 4] = 0.5
    with pytest.raises(InvalidInputError, match=r"1 pixel with a value is no surface|No cluster: of 1 pixels"):
        thin(values, limits=(0, 1), min_samples=min_samples)


@pytest.mark.slow
def test_three_megapixels_in_time() -> None:
    field = draw_field("hills", shape=(1500, 2000))
    best = np.inf
    for _ in range(2):
        start = time.process_time()
        thin(field, limits=(0, 1), max_error=0.02)
        best = min(best, time.process_time() - start)
    assert best < 12  # 3 s on an idle machine


def test_candidates_that_are_points_already_do_not_stop_the_rest() -> None:
    """A blocky field on which picks, moved to the candidates beside them, added nothing: refining never ended."""
    x, y = np.meshgrid(np.linspace(0, 3, 300), np.linspace(0, 2, 200))
    field = 20 + 39 * np.sin(2 * x) * np.cos(3 * y)
    rows, cols = (np.arange(400) + 0.5) * 200 / 400, (np.arange(576) + 0.5) * 300 / 576
    picture = (np.round(field[np.ix_(rows.astype(int), cols.astype(int))] * 3.2) / 3.2).astype(np.float32)
    points = thin(picture, limits=(-20, 60), sigma=np.full_like(picture, 0.09), max_error=0.02)
    error = rebuild_error(picture, points, (-20, 60), max_error=0.02)
    assert error.is_kept
    assert len(points) < 1500
