"""Coastlines: in the right place, whole, and cut where asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.files.coastlines import RESOLUTIONS, read_coastlines, read_land

#: Capes and headlands (degrees), from maps: name -> (lon, lat).
CAPES = {
    "Cabo da Roca": (-9.500, 38.781),
    "Cape Agulhas": (20.003, -34.833),
    "Cape Comorin": (77.552, 8.079),
    "Cape Dezhnev": (-169.651, 66.079),
    "Cape York": (142.531, -10.687),
    "Point Barrow": (-156.478, 71.389),
}


def length(lines: list[NDArray[np.float64]]) -> float:
    return sum(float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in lines)


def is_land(lon: float, lat: float, resolution: str) -> bool:
    """Even-odd rule over all rings, each in every turn."""
    inside = False
    for ring in read_land(resolution):
        ring_lon, ring_lat = ring.T
        for turn in (-360, 0, 360):
            x = ring_lon + turn
            if not x.min() <= lon <= x.max():
                continue
            across = (x[:-1] > lon) != (x[1:] > lon)
            at = np.flatnonzero(across)
            share = (lon - x[at]) / (x[at + 1] - x[at])
            inside ^= bool(np.count_nonzero(ring_lat[at] + share * (ring_lat[at + 1] - ring_lat[at]) > lat) % 2)
    return inside


@pytest.mark.parametrize("name", CAPES)
def test_capes_lie_on_the_coast(name: str) -> None:
    lon, lat = CAPES[name]
    for resolution, km in (("50m", 12.0), ("10m", 6.0)):
        points = np.concatenate(read_coastlines((lon - 2, lat - 2, lon + 2, lat + 2), resolution))
        away = np.hypot((points[:, 0] - lon) * np.cos(np.radians(lat)), points[:, 1] - lat).min() * 111.2
        assert away < km, (resolution, away)


@pytest.mark.parametrize(
    ("lon", "lat", "land"),
    [(10, 50, True), (-30, 40, False), (135, -25, True), (51, 42, False), (-60, -10, True), (179, 67, True)],
)
def test_land_is_land(lon: float, lat: float, land: bool) -> None:
    assert is_land(lon, lat, "50m") == land


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_the_world_is_whole_wherever_it_is_cut(resolution: str) -> None:
    world = read_coastlines(resolution=resolution)
    low, high = np.concatenate(world).min(axis=0), np.concatenate(world).max(axis=0)
    assert low[0] >= -180
    assert high[0] <= 180
    assert -86 < low[1] < -84
    assert 83 < high[1] < 84
    assert length(read_coastlines((0, -90, 360, 90), resolution)) == pytest.approx(length(world), rel=1e-9)


def test_no_line_along_the_date_line() -> None:
    for resolution in RESOLUTIONS:
        for line in read_coastlines((175, -20, 185, 75), resolution):
            steps = np.diff(line, axis=0)
            along = (np.abs(line[:-1, 0] - 180) < 1e-6) & (steps[:, 0] == 0)
            assert np.abs(steps[along, 1]).sum() == 0


@settings(max_examples=30, deadline=None)
@given(
    west=st.floats(-500, 500),
    width=st.floats(0.5, 360),
    south=st.floats(-89, 80),
    height=st.floats(0.5, 90),
    part=st.floats(0.1, 0.9),
)
def test_lines_end_at_the_bounds_and_add_up(
    west: float, width: float, south: float, height: float, part: float
) -> None:
    middle = west + part * width
    whole = read_coastlines((west, south, west + width, south + height))
    halves = [
        read_coastlines((west, south, middle, south + height)),
        read_coastlines((middle, south, west + width, south + height)),
    ]
    for line in whole:
        assert len(line) >= 2
        assert (line >= [west - 1e-9, south - 1e-9]).all()
        assert (line <= [west + width + 1e-9, south + height + 1e-9]).all()
    assert length(halves[0]) + length(halves[1]) == pytest.approx(length(whole), rel=1e-6, abs=1e-6)


def test_east_below_west_is_across_the_date_line() -> None:
    across = read_coastlines((170, -25, -170, -10))
    assert length(across) == pytest.approx(length(read_coastlines((170, -25, 190, -10))))
    assert max(line[:, 0].max() for line in across) > 185


def test_refusals() -> None:
    with pytest.raises(InvalidInputError, match="no coastlines of resolution '1m'"):
        read_coastlines(resolution="1m")
    for bounds in ((0, 10, 5, 10), (0, 0, 400, 10), (0, 0, float("nan"), 10)):
        with pytest.raises(InvalidInputError, match="cannot be cut"):
            read_coastlines(bounds)


def test_open_water_has_no_lines() -> None:
    assert read_coastlines((-35, 38.0, -34, 38.5)) == []
