"""Masks drawn by hand: values taken away, values given, and the uncertainty that goes with them."""

from __future__ import annotations

import numpy as np
import pytest

from geocbar.errors import InvalidInputError
from geocbar.value.hand_masks import AS_FOUND, KEEP, NOT_DATA, apply_hand_mask
from geocbar.value.inversion import invert
from geocbar.value.reasons import Reason
from geocbar.value.scale import ColorScale

SCALE = ColorScale.from_colors([[0, 40, 250], [240, 240, 120], [160, 10, 10]], vmin=-10, vmax=30)
SHADOW = np.s_[150:170, 50:90]


def drawn() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:240, :320]
    truth = 10 + 18 * np.sin(x / 60) * np.cos(y / 50)
    pixels = SCALE.colors_at(truth)
    pixels[SHADOW] = (pixels[SHADOW] * 0.8).astype(np.uint8)  # a stamp's shadow: off the scale, and yet data
    return pixels, truth


def test_what_is_masked_has_no_value_and_what_is_kept_has_one() -> None:
    pixels, truth = drawn()
    before = invert(pixels, SCALE)
    mask = np.full(pixels.shape[:2], AS_FOUND, np.uint8)
    mask[20:40, 20:40] = NOT_DATA
    mask[140:180, 40:100] = KEEP
    after = apply_hand_mask(before, mask, pixels, SCALE)
    assert np.isnan(after.values[mask == NOT_DATA]).all()
    assert (after.reason[mask == NOT_DATA] == Reason.MASKED).all()
    kept = after.reason == Reason.KEPT
    assert kept[SHADOW].mean() > 0.95
    off = np.abs(after.values - truth)
    assert (off[kept] < 2 * after.sigma[kept]).mean() > 0.95
    assert np.median(after.sigma[kept]) > 5 * np.nanmedian(before.sigma)  # a colour far off says little
    rest = ~kept & (mask != NOT_DATA)
    assert np.array_equal(after.values[rest], before.values[rest], equal_nan=True)
    assert np.array_equal(np.isfinite(after.values), np.isfinite(after.sigma))
    assert "was masked by hand; " in after.notes[-1]
    assert "kept by hand" in after.notes[-1]


def test_an_empty_mask_changes_nothing() -> None:
    pixels, _ = drawn()
    before = invert(pixels, SCALE)
    assert apply_hand_mask(before, np.zeros(pixels.shape[:2], np.uint8), pixels, SCALE) is before


def test_kept_classes_are_the_nearest() -> None:
    colors = np.array([[20, 30, 200], [60, 200, 90], [230, 40, 30]])
    scale = ColorScale.from_colors(colors, vmin=0, vmax=3, edges=[0, 1, 2, 3])
    assert scale.is_classes
    pixels = np.repeat(np.repeat(colors[None], 60, axis=0), 40, axis=1).astype(np.uint8)
    pixels[20:40, 50:70] = (95, 160, 120)
    before = invert(pixels, scale)
    hole = ~np.isfinite(before.values)
    assert hole[25:35, 55:65].all()
    after = apply_hand_mask(before, np.full(pixels.shape[:2], KEEP, np.uint8), pixels, scale)
    assert (after.values[25:35, 55:65] == scale.values[1]).all()


def test_masks_of_another_size_or_with_other_numbers_are_refused() -> None:
    pixels, _ = drawn()
    before = invert(pixels, SCALE)
    with pytest.raises(InvalidInputError, match=r"The mask has 320 x 200 px, the picture 320 x 240"):
        apply_hand_mask(before, np.zeros((200, 320), np.uint8), pixels, SCALE)
    with pytest.raises(InvalidInputError, match="The mask holds the number 7"):
        apply_hand_mask(before, np.full((240, 320), 7, np.uint8), pixels, SCALE)
