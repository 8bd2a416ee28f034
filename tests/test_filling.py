"""Narrow gaps are filled, wide ones are not, and the stated sigma is the true one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.errors import InvalidInputError
from geocbar.value.filling import fill_classes, fill_gaps


def field(shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).standard_normal(shape)
    smooth = sum(ndimage.gaussian_filter(noise, s) * s for s in (4, 10, 25))
    return (0.05 + 0.9 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)


def lines(shape: tuple[int, int], width: int, spacing: int) -> NDArray[np.bool_]:
    rows, cols = np.indices(shape)
    return ((rows + cols // 2) % spacing < width) | (np.abs(cols - shape[1] // 2) < width / 2)


def test_lines_are_filled_and_sigma_is_calibrated() -> None:
    truth = field((300, 400), 1)
    gaps = lines(truth.shape, 4, 37)
    seen = np.where(gaps, np.float32(0.9), truth)
    result = fill_gaps(seen, ~gaps, gaps, 5)
    assert result.filled[gaps].mean() > 0.99
    assert not result.filled[~gaps].any()
    error = (result.unit - truth)[result.filled]
    assert np.sqrt((error**2).mean()) < 0.016
    away = np.abs(error) / result.sigma[result.filled]
    assert 0.63 <= (away < 1).mean() <= 0.9
    assert (away < 2).mean() >= 0.90
    np.testing.assert_array_equal(np.isfinite(result.sigma), result.filled)
    np.testing.assert_array_equal(result.unit[~gaps], truth[~gaps])


def test_a_slope_is_continued_exactly() -> None:
    rows, cols = np.indices((60, 80))
    plane = (0.2 + 0.004 * cols + 0.003 * rows).astype(np.float32)
    gaps = np.zeros(plane.shape, bool)
    gaps[:, 38:41] = True
    result = fill_gaps(np.where(gaps, 0, plane).astype(np.float32), ~gaps, gaps, 3)
    np.testing.assert_allclose(result.unit[5:-5], plane[5:-5], atol=1.5e-3)


def test_disturbed_borders_widen_sigma_and_are_smoothed() -> None:
    """A line that JPEG smeared has tinted the pixels beside it."""
    truth = field((300, 400), 2)
    gaps = lines(truth.shape, 3, 41)
    beside = ndimage.binary_dilation(gaps, np.ones((3, 3))) & ~gaps
    tinted = truth.copy()
    tinted[beside] += np.random.default_rng(0).normal(0, 0.02, beside.sum())
    clean = fill_gaps(truth, ~gaps, gaps, 3, lossy=True)
    result = fill_gaps(tinted, ~gaps, gaps, 3, lossy=True)
    assert np.nanmedian(result.sigma) > np.nanmedian(clean.sigma)
    away = np.abs(result.unit - truth)[result.filled] / result.sigma[result.filled]
    assert (away < 1).mean() >= 0.6
    assert (away < 2).mean() >= 0.9


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6, 9])
def test_gaps_up_to_the_width_given_are_filled(width: int) -> None:
    unit = np.full((40, 60), 0.5, np.float32)
    gaps = np.zeros(unit.shape, bool)
    gaps[:, 20 : 20 + width] = True
    filled = fill_gaps(unit, ~gaps, gaps, 4).filled
    assert filled.sum() == (gaps.sum() if width <= 4 else 0)


def test_the_wide_part_of_a_gap_is_left() -> None:
    unit = field((60, 90), 4)
    gaps = np.zeros(unit.shape, bool)
    gaps[30:32] = True
    gaps[20:42, 40:60] = True
    result = fill_gaps(unit, ~gaps, gaps, 4)
    assert result.filled[30:32, :38].all()
    assert not result.filled[20:42, 40:60].any()
    assert np.isnan(result.unit[20:42, 40:60]).all()


def test_background_is_never_filled_and_lends_no_value() -> None:
    unit = np.full((50, 70), 0.3, np.float32)
    unit[:, 35:] = 0.9
    fillable = np.zeros(unit.shape, bool)
    fillable[:, 33:35] = True
    valid = np.zeros(unit.shape, bool)
    valid[:, :33] = True
    result = fill_gaps(unit, valid, fillable, 5)
    assert result.filled[:, 33:35].all()
    np.testing.assert_allclose(result.unit[:, 33:35], 0.3, atol=1e-3)
    assert np.isnan(result.unit[:, 35:]).all()


def test_nothing_known_nothing_filled() -> None:
    unit = np.full((20, 30), 0.5, np.float32)
    result = fill_gaps(unit, np.zeros(unit.shape, bool), np.ones(unit.shape, bool), 5)
    assert not result.filled.any()
    assert np.isnan(result.unit).all()
    whole = fill_gaps(unit, np.ones(unit.shape, bool), np.zeros(unit.shape, bool), 5)
    assert not whole.filled.any()
    np.testing.assert_array_equal(whole.unit, unit)


def test_strips_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = field((400, 120), 6)
    gaps = lines(truth.shape, 3, 17)
    whole = fill_gaps(truth, ~gaps, gaps, 5)
    monkeypatch.setattr("geocbar.value.filling._STRIP_PIXELS", 120 * 64)
    strips = fill_gaps(truth, ~gaps, gaps, 5)
    np.testing.assert_array_equal(whole.filled, strips.filled)
    np.testing.assert_allclose(whole.unit[whole.filled], strips.unit[whole.filled], atol=2e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_filled_values_stay_between_those_known(seed: int, max_px: int) -> None:
    random = np.random.default_rng(seed)
    unit = random.uniform(0.2, 0.8, (24, 31)).astype(np.float32)
    valid = random.random(unit.shape) < 0.7
    fillable = random.random(unit.shape) < 0.8
    result = fill_gaps(unit, valid, fillable, max_px)
    assert not (result.filled & (valid | ~fillable)).any()
    if result.filled.any():
        assert result.unit[result.filled].min() >= unit[valid].min() - 2e-3
        assert result.unit[result.filled].max() <= unit[valid].max() + 2e-3
        assert (result.sigma[result.filled] >= 0).all()


def test_classes_are_filled_by_the_majority() -> None:
    number = np.zeros((60, 80), int)
    number[:, 40:] = 4
    unit = ((number + 0.5) / 5).astype(np.float32)
    gaps = lines(unit.shape, 3, 19)
    result = fill_classes(np.where(gaps, np.float32(0.5), unit), ~gaps, gaps, 5, 5)
    assert set(np.unique(result.unit[result.filled])) <= set(np.unique(unit))
    assert (result.unit == unit)[result.filled].mean() > 0.97
    doubt = result.sigma[result.filled]
    assert doubt.min() == 0
    assert doubt.max() <= 0.5 + 1e-6
    assert result.sigma[10:50, 36:44][result.filled[10:50, 36:44]].max() > 0.2


def test_a_width_below_one_is_refused() -> None:
    unit = np.zeros((5, 5), np.float32)
    with pytest.raises(InvalidInputError, match=r"Gaps of 0\.5 px cannot be filled"):
        fill_gaps(unit, unit == 0, unit > 0, 0.5)
