"""Masks grown and shrunk by squares equal SciPy's, at any size and at the picture's edge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geocbar.value.masks import grown, opened, shrunk


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    radius=st.integers(0, 12),
    density=st.floats(0, 0.3),
    seed=st.integers(0, 2**16),
)
def test_equals_scipys_filters(height: int, width: int, radius: int, density: float, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < density
    size = 2 * radius + 1
    np.testing.assert_array_equal(grown(mask, radius), ndimage.maximum_filter(mask, size))
    np.testing.assert_array_equal(shrunk(~mask, radius), ndimage.minimum_filter(~mask, size))


@pytest.mark.parametrize("radius", [1, 5, 11])
def test_blocks_of_rows_leave_no_seam(radius: int) -> None:
    mask = np.random.default_rng(radius).random((1400, 900)) < 0.002
    np.testing.assert_array_equal(grown(mask, radius), ndimage.maximum_filter(mask, 2 * radius + 1))


def test_opening_keeps_what_is_wide() -> None:
    mask = np.zeros((60, 60), bool)
    mask[10:13] = True  # a line
    mask[30:45, 20:40] = True
    kept = opened(mask, 3)
    assert kept[30:45, 20:40].all()
    assert kept.sum() == 15 * 20
