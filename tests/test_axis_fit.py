from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geocbar.figure.axis_fit import AxisFit, AxisLabel, fit_axis, fit_piecewise, tolerance_px
from geocbar.figure.axis_norms import Spacing
from geocbar.figure.axis_slips import one_slip
from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import Number, parse_numbers


def label(position: float, text: str, *, tick: bool = True, more: tuple[str, ...] = ()) -> AxisLabel:
    numbers = [*parse_numbers(text), *(n for other in more for n in parse_numbers(other))]
    box = PixelBox(position - 8, 50, position + 8, 60)
    return AxisLabel(position, tuple(numbers), 0.98, (), position if tick else None, 10.0, text, box)


def fitted(places: object, texts: list[str], length: float = 400.0, **options: object) -> AxisFit:
    labels = [label(float(p), t) for p, t in zip(places, texts, strict=True)]  # type: ignore[call-overload]
    fit = fit_axis(labels, low=0.0, high=length, **options)  # type: ignore[arg-type]
    assert fit is not None
    return fit


def even(count: int) -> np.ndarray:
    return np.linspace(10, 390, count)


def test_even_labels_are_linear() -> None:
    fit = fitted(even(6), ["0", "10", "20", "30", "40", "50"])
    assert fit.norm == "linear"
    assert not fit.overruled
    assert not fit.contrary
    assert not fit.rivals
    np.testing.assert_allclose(fit.value_at([10, 200, 390]), [0, 25, 50], atol=1e-9)
    np.testing.assert_allclose(fit.position_of([0, 25, 50]), [10, 200, 390], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        [
            Spacing("linear"),
            Spacing("log"),
            Spacing("power", (0.5,)),
            Spacing("power", (1 / 3,)),
            Spacing("symlog", (1.0, 10 / 9)),
        ]
    ),
    st.floats(150, 3000),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_every_family_is_found_again(spacing: Spacing, length: float, down: bool, seed: int) -> None:
    ladders = {
        "linear": [-2, -1, 0, 1, 2, 3],
        "log": [1, 2, 5, 10, 20, 50, 100],
        "power": [0, 1, 2, 5, 10, 20, 50, 100],
        "symlog": [-100, -10, -1, 0, 1, 10, 100],
    }
    values = np.array(ladders[spacing.norm], dtype=float)
    even_places = spacing.even(values)
    places = (even_places - even_places[0]) / np.ptp(even_places) * length
    places = length - places if down else places
    places = places + np.random.default_rng(seed).uniform(-0.3, 0.3, len(places))
    fit = fitted(places, [f"{v:g}" for v in values], length)
    assert fit.norm == spacing.norm
    assert not fit.contrary
    assert fit.worst_px < 1
    error = np.abs(fit.value_at(places) - values).max() / np.ptp(values)
    assert error < 0.02
    np.testing.assert_allclose(spacing.uneven(spacing.even(values)), values, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("texts", "read", "value"),
    [
        (["0", "10", "20", "80", "40", "50"], "80", 30.0),
        (["-20", "-15", "10", "-5", "0", "5"], "10", -10.0),
        (["0.5", "1.0", "15", "2.0", "2.5", "3.0"], "15", 1.5),
        (["10", "100", "1000", "1000", "100000"], "1000", 10000.0),
    ],
)
def test_a_single_misread_is_overruled(texts: list[str], read: str, value: float) -> None:
    fit = fitted(even(len(texts)), texts)
    assert [(text, put) for text, put, _ in fit.overruled] == [(read, value)]
    assert not fit.contrary
    assert len(fit.values) == len(texts)


def test_a_misread_within_the_tolerance_is_overruled_too() -> None:
    fit = fitted(even(5), ["10", "100", "1000", "10000", "106000"])
    assert [(text, put) for text, put, _ in fit.overruled] == [("106000", 100000.0)]
    np.testing.assert_allclose(fit.value_at(even(5)), [10, 100, 1e3, 1e4, 1e5], rtol=1e-6)


def test_a_verified_label_at_an_end_is_contrary_not_overruled() -> None:
    texts = ["-1", "0", "5", "10", "15"]
    fit = fitted(even(5), texts, verified=[True] * 5)
    assert fit.contrary == (0,)
    assert not fit.overruled


def test_a_verified_label_of_a_log_ladder_with_zero_is_contrary() -> None:
    fit = fitted(even(6), ["0", "1", "2", "4", "8", "16"], verified=[True] * 6)
    assert fit.norm == "log"
    assert fit.contrary == (0,)


def test_irregular_classes_keep_their_labels() -> None:
    fit = fitted(even(5), ["0", "10", "25", "30", "40"], verified=[True] * 5, classes=True)
    assert fit.contrary
    assert not fit.overruled


def test_the_fit_decides_between_thousands_and_decimals() -> None:
    fit = fitted(even(5), ["0", "500", "1.000", "1.500", "2.000"])
    assert fit.values.tolist() == [0, 500, 1000, 1500, 2000]
    fit = fitted(even(4), ["0,500", "1,000", "1,500", "2,000"])
    assert fit.values.tolist() == [0.5, 1.0, 1.5, 2.0]


def test_another_reading_is_taken_where_it_suits() -> None:
    texts = ["0", "2", "4", "8", "8"]
    labels = [label(float(p), t) for p, t in zip(even(5), texts, strict=True)]
    labels[3] = label(float(even(5)[3]), "8", more=("6",))
    fit = fit_axis(labels, low=0, high=400)
    assert fit is not None
    assert fit.values.tolist() == [0, 2, 4, 6, 8]


def test_labels_that_suit_two_scales_show_the_rival() -> None:
    fit = fitted([10, 390], ["10", "100"])
    assert {fit.norm, *(rival.norm for rival in fit.rivals)} == {"linear", "log"}


def test_text_without_a_tick_mark_hardly_moves_the_fit() -> None:
    places = even(6)
    labels = [label(float(p), f"{10 * i}") for i, p in enumerate(places)]
    labels[-1] = label(float(places[-1] + 2.0), "50", tick=False)
    fit = fit_axis(labels, low=0, high=400)
    assert fit is not None
    np.testing.assert_allclose(fit.value_at(places), [0, 10, 20, 30, 40, 50], atol=0.02)


def test_nothing_to_fit() -> None:
    assert fit_axis([], low=0, high=400) is None
    assert fit_axis([label(10, "5")], low=0, high=400) is None
    assert fit_axis([label(10, "5"), label(200, "5"), label(390, "5")], low=0, high=400) is None


def test_piecewise_runs_straight_from_label_to_label() -> None:
    labels = [label(p, t) for p, t in [(300, "50"), (0, "0"), (100, "1"), (200, "10")]]
    fit = fit_piecewise(labels)
    assert fit is not None
    assert fit.norm == "piecewise"
    np.testing.assert_allclose(fit.value_at([50, 150, 250]), [0.5, 5.5, 30])
    np.testing.assert_allclose(fit.position_of([0.5, 5.5, 30]), [50, 150, 250])


@pytest.mark.parametrize("texts", [["0", "5", "3"], ["0", "5"], ["0", "x", "5"]])
def test_piecewise_wants_labels_that_run_one_way(texts: list[str]) -> None:
    assert fit_piecewise([label(100.0 * i, t) for i, t in enumerate(texts)]) is None


@pytest.mark.parametrize(
    ("text", "value", "slip"),
    [
        *(("6", 5.0, True), ("20", -20.0, True), ("15", 1.5, True), ("0", 10.0, True), ("400", 20.0, False)),
        *(("10^8", 1e5, True), ("10^4", 1e-4, True), ("10^-12", 1e5, False)),
    ],
)
def test_slips(text: str, value: float, slip: bool) -> None:
    assert one_slip(text, value) is slip


def test_tolerance_is_wider_without_tick_marks() -> None:
    assert tolerance_px(1000, True) == pytest.approx(4.5)
    assert tolerance_px(1000, False) == pytest.approx(11.5)


def test_numbers_are_taken_as_they_come() -> None:
    number = Number(3.0, "plain", "", "", "3")
    box = PixelBox(0, 0, 1, 1)
    assert AxisLabel(5.0, (number,), 1.0, (), None, 8.0, "3", box).place == 5.0
    assert AxisLabel(5.0, (number,), 1.0, (), 6.0, 8.0, "3", box).place == 6.0


def test_a_label_whose_readings_differ_between_neighbours_one_step_away_is_overruled() -> None:
    labels = [label(float(p), t) for p, t in zip(even(6), ["0", "10", "77", "30", "40", "50"], strict=True)]
    labels[2] = replace(labels[2], checks=("read '77' at one size and '7' at another",))
    fit = fit_axis(labels, low=0, high=400)
    assert fit is not None
    assert [value for _, value, _ in fit.overruled] == [20.0]
    labels[2] = replace(labels[2], checks=())
    sure = fit_axis(labels, low=0, high=400)
    assert sure is not None
    assert sure.contrary == (2,)


def test_a_further_reading_completes_a_symmetric_logarithm() -> None:
    texts = ["-1000", "-100", "-10", "-1", "0", "1", "10", "0.01", "1000"]
    places = Spacing("symlog", (1.0, 10 / 9)).even(np.array([-1000, -100, -10, -1, 0, 1, 10, 100, 1000.0])) * 90 + 400
    labels = [label(float(p), t) for p, t in zip(places, texts, strict=True)]
    labels[7] = label(float(places[7]), "0.01", more=("100",))
    fit = fit_axis(labels, low=0, high=800)
    assert fit is not None
    assert (fit.norm, fit.contrary) == ("symlog", ())
    np.testing.assert_allclose(fit.values[7], 100)


def test_a_label_that_lost_ink_is_overruled_by_what_is_left_of_it() -> None:
    texts = ["-3", "1e-3", "5e-4", "2e-4", "1e-4", "5e-5"]
    places = 50 - 100 * np.log10(np.array([2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5]) / 2e-3)
    labels = [label(float(p), t) for p, t in zip(places, texts, strict=True)]
    labels[0] = replace(labels[0], checks=("ink beside it was taken for a line",))
    fit = fit_axis(labels, low=0, high=250)
    assert fit is not None
    assert [value for _, value, _ in fit.overruled] == [2e-3]
