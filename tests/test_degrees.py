from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocbar.figure.degrees import parse_degrees


@pytest.mark.parametrize(
    ("text", "value", "axis"),
    [
        ("10°E", 10, "lon"),
        ("120°W", -120, "lon"),
        ("45°30'N", 45.5, "lat"),
        ("45°30′N", 45.5, "lat"),
        ("12°30'36\"S", -12.51, "lat"),
        ("10E", 10, "lon"),
        ("150 W", -150, "lon"),
        ("20ºN", 20, "lat"),
        ("20˚ S", -20, "lat"),
        ("30.5°N", 30.5, "lat"),
        ("30,5°N", 30.5, "lat"),
        ("W120", -120, "lon"),
        ("120:30E", 120.5, "lon"),
        ("EQ", 0, "lat"),
        ("Äquator", 0, "lat"),
        ("Ecuador", 0, "lat"),
        ("0°", 0, ""),
        ("180", 180, ""),
        ("−10", -10, ""),
        ("−35.5°", -35.5, ""),
        ("350°", 350, ""),
    ],
)
def test_labels_as_maps_write_them(text: str, value: float, axis: str) -> None:
    first = parse_degrees(text)[0]
    assert first.value == pytest.approx(value)
    assert first.axis == axis
    assert first.slips == 0


def test_o_is_west_and_east() -> None:
    assert {reading.value for reading in parse_degrees("60°O")} == {-60.0, 60.0}
    assert {reading.value for reading in parse_degrees("60°0") if not reading.slips} == {-60.0, 60.0}


@pytest.mark.parametrize("text", ["Distance", "1990", "12 km", "5 m", "", "N", "100°N 20", "91N", "400°E", "45°75'N"])
def test_no_angle(text: str) -> None:
    assert not [reading for reading in parse_degrees(text) if reading.slips == 0]


def test_signs_and_marks() -> None:
    assert not parse_degrees("10°")[0].signed
    assert parse_degrees("10°")[0].marked
    assert parse_degrees("10°W")[0].signed
    assert parse_degrees("-10")[0].signed
    assert not parse_degrees("-10")[0].marked
    assert parse_degrees("180")[0].signed


@pytest.mark.parametrize(("text", "value"), [("300N", 30), ("100", 10), ("10°5", -10), ("10°M", 10), ("45°301N", 45.5)])
def test_slips_of_the_text_engine_are_offered_but_count_as_such(text: str, value: float) -> None:
    assert [r.slips for r in parse_degrees(text) if r.value == pytest.approx(value)] == [1]


@given(
    size=st.integers(0, 179), minutes=st.integers(0, 59), side=st.sampled_from("NSEW"), space=st.sampled_from(["", " "])
)
def test_degrees_and_minutes_come_back(size: int, minutes: int, side: str, space: str) -> None:
    size = size % 90 if side in "NS" else size
    readings = parse_degrees(f"{size}°{minutes:02d}'{space}{side}")
    sign = -1 if side in "SW" else 1
    assert readings[0].value == pytest.approx(sign * (size + minutes / 60))
    assert readings[0].axis == ("lat" if side in "NS" else "lon")
