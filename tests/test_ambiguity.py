"""Colours that stand for two values, and how the neighbourhood chooses."""

import numpy as np
import pytest

from geocbar.value.ambiguity import find_twins, resolve_twins, second_candidates
from geocbar.value.inversion import project_colors
from geocbar.value.scale import ColorScale

X = np.linspace(0, 1, 201)


def scale_of(red: list[float], green: list[float], blue: list[float]) -> ColorScale:
    at = np.linspace(0, 1, len(red))
    return ColorScale(
        np.stack([np.interp(X, at, band) for band in (red, green, blue)], axis=1), X, np.array([0.0, 1.0])
    )


GREY_ENDS = scale_of([128, 0, 255, 255, 128], [128, 0, 255, 0, 128], [128, 255, 255, 0, 128])
PLAIN_MIDDLE = scale_of([0, 255, 255, 255], [0, 255, 255, 0], [255, 255, 255, 0])


def test_only_scales_with_a_repeated_colour_have_twins() -> None:
    twins = find_twins(GREY_ENDS)
    assert (twins[0] == [0, 1]).all()
    assert (twins[:, 1] - twins[:, 0] >= 0.05).all()
    assert len(find_twins(scale_of([0, 255], [0, 255], [255, 0]))) == 0


def test_a_flat_stretch_is_not_a_twin_of_itself() -> None:
    assert len(find_twins(PLAIN_MIDDLE)) == 0
    _, distance = second_candidates(np.array([[255, 255, 255]]), PLAIN_MIDDLE)
    assert np.isinf(distance).all()


def test_the_second_candidate_is_the_other_place_of_the_colour() -> None:
    colors = GREY_ENDS.colors[[4, 196]]
    first = GREY_ENDS.values_at(project_colors(colors, GREY_ENDS)[0])
    second, distance = second_candidates(colors, GREY_ENDS)
    places = np.sort(np.stack([first, second]), axis=0)
    assert np.allclose(np.abs(second - first), places[1] - places[0])
    assert (np.abs(second - first) > 0.8).all()
    assert (distance < 20).all()


def ambiguous_field() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth = np.tile(np.linspace(0, 1, 120, dtype=np.float32), (60, 1))
    open_ = (truth < 0.1) | (truth > 0.9)
    wrong = open_ & (np.indices(truth.shape).sum(axis=0) % 2 == 0)
    return truth, np.where(wrong, 1 - truth, truth), open_


def test_the_neighbourhood_decides() -> None:
    truth, unit, open_ = ambiguous_field()
    second = np.where(open_, 1 - unit, np.nan).astype(np.float32)
    zero, valid = np.zeros(truth.shape, np.float32), np.ones(truth.shape, bool)
    out, unsure, sigma = resolve_twins(unit, second, zero, zero, valid)
    assert np.abs(unit - truth).max() > 0.8
    assert np.allclose(out, truth)
    assert not unsure.any()
    assert not sigma.any()


def test_what_nothing_decides_is_said() -> None:
    truth, unit, open_ = ambiguous_field()
    second = np.where(open_, 1 - unit, np.nan).astype(np.float32)
    zero = np.zeros(truth.shape, np.float32)
    out, unsure, sigma = resolve_twins(unit, second, zero, zero, open_)
    assert np.array_equal(unsure, open_)
    assert np.array_equal(out, unit)
    assert np.allclose(sigma[open_], np.abs(1 - 2 * unit[open_]) / 2)


@pytest.mark.parametrize(("farther", "changed"), [(2.0, True), (50.0, False)])
def test_a_colour_that_decides_is_left_alone(farther: float, changed: bool) -> None:
    unit = np.full((20, 20), 0.2, np.float32)
    unit[10, 10] = 0.8
    second = np.full(unit.shape, np.nan, np.float32)
    second[10, 10] = 0.2
    zero = np.zeros(unit.shape, np.float32)
    out, _, _ = resolve_twins(unit, second, zero, zero + np.float32(farther), np.ones(unit.shape, bool))
    assert (out[10, 10] < 0.5) == changed
