"""The median of nine against scipy, and medians that leave out what is no data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from geocbar.value.smoothing import median_of_nine, median_of_valid


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (63, 20), (64, 20), (65, 20), (200, 150)])
def test_median_of_nine_is_scipys(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(2).integers(0, 50, shape).astype(np.float32)
    kept = values.copy()
    np.testing.assert_array_equal(median_of_nine(values), ndimage.median_filter(values, 3, mode="nearest"))
    np.testing.assert_array_equal(values, kept)


def test_invalid_pixels_take_no_part() -> None:
    values = np.random.default_rng(3).random((40, 50)).astype(np.float32)
    valid = np.ones(values.shape, bool)
    valid[:, 25:27] = False
    spoiled = np.where(valid, values, np.float32(99))
    out = median_of_valid(spoiled, valid)
    assert out[valid].max() < 1
    np.testing.assert_array_equal(out[:, :24], median_of_nine(values)[:, :24])
    # Beside the gap the median is that of the six valid pixels.
    expected = np.median(values[9:12, 23:25])
    assert out[10, 24] == pytest.approx(expected)


def test_a_pixel_with_too_few_valid_neighbours_keeps_its_value() -> None:
    values = np.random.default_rng(4).random((9, 9)).astype(np.float32)
    valid = np.zeros(values.shape, bool)
    valid[4, 3:6] = True
    np.testing.assert_array_equal(median_of_valid(values, valid)[valid], values[valid])
