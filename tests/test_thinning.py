from __future__ import annotations

import time
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from geocbar.errors import InvalidInputError
from geocbar.grid.lattice import dbscan
from geocbar.grid.thinning import Points, gradient_mask, quantize, rebuild_error, thin

#: The points of the clusters, nothing promised.
thin_plainly = partial(thin, max_error=None)


def draw_field(size: int, width: float, seed: int = 0) -> NDArray[np.float64]:
    field = gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), width, mode="wrap")
    return (field - field.min()) / np.ptp(field)


def make_points(pixels: NDArray[np.float64], values: NDArray[np.float64]) -> Points:
    return Points(pixels, values, np.ones(len(values), np.int64), pixels, "")


def test_quantize_has_equal_steps_and_end_levels() -> None:
    values = np.array([[-5.0, 0.0, 2.49, 2.5, 9.99, 10.0, 50.0, np.nan, np.inf]])
    assert quantize(values, (10, 0), 4).tolist() == [[0, 0, 0, 1, 3, 3, 3, -1, -1]]


def test_quantize_on_a_log_scale() -> None:
    values = np.array([[1.0, 9.0, 11.0, 99.0, 101.0, np.nan]])
    assert quantize(values, (1, 1000), 3, norm="log").tolist() == [[0, 0, 1, 1, 2, -1]]


def test_quantize_classes() -> None:
    values = np.array([[0.5, 3.0, 70.0, np.nan]])
    assert quantize(values, (0, 100), edges=[100, 5, 1, 0]).tolist() == [[0, 1, 2, -1]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(((1, 1), 4), "not two different values"), (((0, 1), 0), "There cannot be 0 levels")],
)
def test_quantize_refuses(arguments: tuple[tuple[float, float], int], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        quantize(np.zeros((2, 2)), *arguments)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.floats(0, 1))
def test_gradient_mask_is_the_largest_difference_to_a_neighbour(
    seed: int, height: int, width: int, tolerance: float
) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((height, width)) < 0.3, np.nan, rng.random((height, width)))
    padded = np.pad(values, 1, constant_values=np.nan)
    around = [
        padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width] for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0))
    ]
    steepest = np.nan_to_num(np.abs(np.array(around) - values), nan=0.0).max(axis=0)
    np.testing.assert_array_equal(gradient_mask(values, tolerance), (steepest <= tolerance) & ~np.isnan(values))


def test_gradient_mask_keeps_all_or_refuses() -> None:
    values = np.array([[0.0, 1e300, np.nan]])
    assert gradient_mask(values, np.inf).tolist() == [[True, True, False]]
    with pytest.raises(InvalidInputError, match="tolerance is -1 a pixel"):
        gradient_mask(values, -1)


def test_one_piece_of_a_cluster_in_each_cell_gives_a_point() -> None:
    values = np.full((12, 20), 5.0)
    values[:, 10:] = np.nan
    sigma = np.broadcast_to(np.linspace(0, 1, 20), values.shape)
    points = thin_plainly(
        values, limits=(0, 10), spacing=4, sigma=sigma, crs="EPSG:4326", to_world=lambda xy: xy * 10 + 1
    )
    assert points.count.tolist() == [16, 16, 8] * 3
    assert points.pixels[:3].tolist() == [[1.5, 1.5], [5.5, 1.5], [8.5, 1.5]]
    np.testing.assert_allclose(points.xy, points.pixels * 10 + 1)
    np.testing.assert_allclose(points.values, 5.0)
    np.testing.assert_allclose(points.sigma[1], sigma[0, 4:8].mean())  # type: ignore[index]
    assert points.crs == "EPSG:4326"


def test_points_are_on_members_nearest_to_the_centroid() -> None:
    values = draw_field(90, 6)
    values[20:30, 20:40] = np.nan
    points = thin_plainly(values, limits=(0, 1), n_levels=8, smoothing=0, spacing=16, tolerance=np.inf)
    labels = dbscan(quantize(values, (0, 1), 8), 1.5, 4).labels
    row, col = np.nonzero(labels >= 0)
    key = np.stack([labels[row, col], row // 16, col // 16])
    kinds, piece = np.unique(key, axis=1, return_inverse=True)
    assert len(points) == kinds.shape[1]
    for k in range(len(points)):
        r, c = row[piece == k], col[piece == k]
        distance = np.round(np.hypot(r - r.mean(), c - c.mean()) ** 2, 6)
        assert points.pixels[k].tolist() == [c[distance.argmin()] + 0.5, r[distance.argmin()] + 0.5]
        assert points.values[k] == pytest.approx(values[r, c].mean(), abs=1e-12)
        assert points.count[k] == len(r)


def test_points_stay_off_the_hole_of_a_ring() -> None:
    row, col = np.mgrid[:41, :41]
    ring = np.abs(np.hypot(row - 20, col - 20) - 15) < 3
    values = np.where(ring, 1.0, np.nan)
    points = thin_plainly(values, limits=(0, 2), spacing=np.inf)
    assert len(points) == 1
    at_col, at_row = points.pixels[0].astype(int)
    assert ring[at_row, at_col]


def test_edges_of_lines_are_left_out_unless_all_is_kept() -> None:
    values = np.full((40, 40), 0.5)
    values[:, 20:22] = 0.9
    masked = thin_plainly(values, limits=(0, 1))
    assert np.all(masked.values < 0.51)
    whole = thin_plainly(values, limits=(0, 1), tolerance=np.inf, smoothing=0)
    assert whole.count.sum() == values.size
    assert whole.values.max() == pytest.approx(0.9)


def test_classes_are_not_mixed() -> None:
    values = np.full((20, 20), 1.0)
    values[:, 10:] = 30.0
    points = thin_plainly(values, limits=(0, 50), edges=[0, 5, 50], tolerance=np.inf, spacing=32)
    assert points.values.tolist() == [1.0, 30.0]


def test_log_scale_has_its_levels_in_decades() -> None:
    values = np.broadcast_to(10.0 ** np.repeat(np.arange(4.0) + 0.5, 10), (20, 40))
    points = thin_plainly(
        values, limits=(1, 1e4), norm="log", n_levels=4, tolerance=np.inf, smoothing=0, spacing=np.inf
    )
    np.testing.assert_allclose(points.values, 10.0 ** (np.arange(4) + 0.5))


def test_smoothing_holds_noisy_levels_together() -> None:
    field = draw_field(300, 40)
    noisy = field + np.random.default_rng(1).normal(0, 0.005, field.shape)
    smooth = thin_plainly(noisy, limits=(0, 1), n_levels=64, spacing=32)
    rough = thin_plainly(noisy, limits=(0, 1), n_levels=64, spacing=32, smoothing=0)
    assert len(smooth) < 0.8 * len(rough)
    assert smooth.count.sum() > rough.count.sum()


def test_default_keeps_a_smooth_noisy_map_and_rebuilds_it() -> None:
    field = draw_field(400, 25)
    noisy = field + np.random.default_rng(2).normal(0, 0.005, field.shape)
    points = thin_plainly(noisy, limits=(0, 1), n_levels=32, spacing=16)
    assert points.count.sum() > 0.998 * field.size
    assert len(points) < field.size / 40
    inner = field.copy()
    rim = 12
    inner[:rim] = inner[-rim:] = np.nan
    inner[:, :rim] = inner[:, -rim:] = np.nan
    error = rebuild_error(inner, points, (0, 1))
    assert error.rmse_percent < 0.8
    assert error.p99_percent < 2.5
    assert error.covered > 0.99


def test_nothing_to_thin() -> None:
    with pytest.raises(InvalidInputError, match="None of the 5 x 3 pixels has a value: there is nothing to thin"):
        thin_plainly(np.full((3, 5), np.nan), limits=(0, 1))


def test_no_cluster() -> None:
    values = np.random.default_rng(0).random((20, 20))
    with pytest.raises(InvalidInputError, match="No cluster: of 400 pixels") as caught:
        thin_plainly(values, limits=(0, 1), smoothing=0, tolerance=0.01)
    assert "--tolerance, --min-samples, --levels" in caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spacing": 0.5}, "spacing is 0.5 px"),
        ({"sigma": np.zeros((2, 2))}, "their sigma"),
        ({"n_levels": 0}, "cannot be 0 levels"),
        ({"limits": (3, 3)}, "not two different values"),
        ({"tolerance": -0.1}, "tolerance is -0.1 a pixel"),
        ({"to_world": lambda xy: xy[:, 0]}, r"need xy of shape \(\d+, 2\)"),
    ],
)
def test_thin_refuses(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        thin_plainly(np.ones((9, 9)), **{"limits": (0, 1), **arguments})  # type: ignore[arg-type]


def test_unknown_sigma_is_left_out_of_the_mean() -> None:
    sigma = np.full((4, 4), 0.2)
    sigma[0] = np.nan
    points = thin_plainly(np.ones((4, 4)), limits=(0, 2), sigma=sigma)
    np.testing.assert_allclose(points.sigma, [0.2])  # type: ignore[arg-type]


def test_plane_is_rebuilt_exactly() -> None:
    row, col = np.mgrid[:50, :60] + 0.5
    values = 2 * col - row
    pixels = np.array([[10.5, 10.5], [50.5, 10.5], [10.5, 40.5], [50.5, 40.5]])
    error = rebuild_error(values, make_points(pixels, 2 * pixels[:, 0] - pixels[:, 1]), (0, 100))
    assert error.max_percent < 1e-4
    assert error.covered == pytest.approx(41 * 31 / 3000, abs=1e-3)
    assert error.outside_rmse_percent > 1


def test_rebuild_error_is_in_percent_of_the_range() -> None:
    pixels = np.array([[0.5, 0.5], [19.5, 0.5], [0.5, 19.5], [19.5, 19.5]])
    error = rebuild_error(np.full((20, 20), 7.0), make_points(pixels, np.full(4, 8.0)), (0, 50))
    assert (error.rmse_percent, error.p99_percent, error.max_percent) == pytest.approx((2, 2, 2))
    assert error.covered == 1
    assert np.isnan(error.outside_rmse_percent)


@pytest.mark.parametrize("n", [0, 3, 9])
def test_points_on_a_line_rebuild_nothing(n: int) -> None:
    pixels = np.stack([np.arange(n) * 2 + 0.5, np.arange(n) + 0.5], axis=1)
    error = rebuild_error(np.zeros((20, 20)), make_points(pixels, np.zeros(n)), (0, 1))
    assert np.isnan([error.rmse_percent, error.p99_percent, error.max_percent, error.covered]).all()


def test_points_check_their_shapes_and_are_read_only() -> None:
    points = make_points(np.zeros((2, 2)), np.zeros(2))
    assert len(points) == 2
    with pytest.raises(ValueError, match="read-only"):
        points.values[0] = 1
    with pytest.raises(InvalidInputError, match=r"2 points need pixels of shape \(2, 2\), not \(3, 2\)"):
        Points(np.zeros((2, 2)), np.zeros(2), np.ones(2, np.int64), np.zeros((3, 2)), "")


@pytest.mark.slow
def test_three_megapixels_in_time() -> None:
    field = np.tile(draw_field(433, 25), (4, 4))
    field += np.random.default_rng(4).normal(0, 0.005, field.shape)
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        thin_plainly(field, limits=(0, 1))
        best = min(best, time.process_time() - start)
    assert best < 1.5
