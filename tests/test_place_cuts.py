"""Where maps of the whole world are cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Proj

from geocbar.figure.layout import PixelBox
from geocbar.place.cuts import Cut, find_cut
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import Georeference, fit_georeference

#: Of a world map 720 px wide at column 40, in a picture with a colour bar to the right.
FRAME, SIZE = PixelBox(40, 30, 760, 390), (1000, 440)


def cut_of(
    west: float, points: list[float], size: tuple[int, int] | None, frame: PixelBox | None, width: float = 360.0
) -> Cut:
    """The cut of a map that begins at `west` in FRAME and has control points at these shares of its width."""
    cols = FRAME.left + np.array(points) * FRAME.width
    pixels = np.stack([cols, np.linspace(100, 300, len(cols))], axis=1)

    def longitudes(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(west + (places[:, 0] - FRAME.left) / FRAME.width * width)

    return find_cut(longitudes, longitudes(pixels), pixels, size, frame)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(-36, 36).map(lambda ten: 10.0 * ten),
    st.lists(st.floats(0.02, 0.98), min_size=4, max_size=12),
    st.floats(-0.4, 0.4),
)
def test_the_frame_of_a_world_map_is_its_cut(west: float, points: list[float], off: float) -> None:
    frame = replace(FRAME, left=FRAME.left + off, right=FRAME.right - off / 2)
    cut = cut_of(west, points, SIZE, frame)
    assert cut.lon_0 == west + 180
    assert not cut.is_open
    assert cut.turn_px == pytest.approx(720, rel=0.01)


@settings(max_examples=60, deadline=None)
@given(st.integers(-36, 36).map(lambda ten: 10.0 * ten), st.floats(0.05, 0.2), st.floats(0.8, 0.95))
def test_without_the_frame_the_truth_is_within_what_is_left_open(west: float, first: float, last: float) -> None:
    cut = cut_of(west, [first, 0.4, 0.6, last], SIZE, None)
    assert cut.is_open
    assert cut.low - 1e-6 <= west + 180 <= cut.high + 1e-6
    assert cut.low <= cut.lon_0 <= cut.high
    # Places between the outermost points are where they are; those beyond may be at the other edge.
    between = west + 360 * np.linspace(first, last, 7)
    np.testing.assert_allclose(cut.doubt(between), 0)
    likely = 1 - sum(chance for _, chance in cut.others)
    assert 0 < likely <= 1


def test_a_map_of_a_part_of_the_world_is_not_cut() -> None:
    cut = cut_of(100.0, [0.1, 0.5, 0.9], SIZE, None, width=120.0)
    assert not cut.is_open
    np.testing.assert_allclose(cut.doubt(np.linspace(100, 220, 9)), 0)
    np.testing.assert_allclose(cut.to_map(np.array([-170.0, 190.0, 110.0])), [190, 190, 110])


def test_points_at_both_edges_settle_it_without_a_frame() -> None:
    assert cut_of(-20.0, [0.001, 0.5, 0.999], SIZE, None).lon_0 == 160
    assert not cut_of(-20.0, [0.001, 0.5, 0.999], None, None).is_open


def test_a_frame_that_leaves_points_outside_is_left_alone() -> None:
    assert cut_of(-180.0, [0.1, 0.5, 0.9], SIZE, PixelBox(200, 30, 600, 390)).is_open


def world_map(lon_0: float, frame: PixelBox | None, model: str = "auto", bend: float = 0.0) -> Georeference:
    """A Mercator map of the world with ten points, none of them near its edges."""
    rng = np.random.default_rng(5)
    offset = np.array([-150.0, -120, -100, -60, -20, 10, 50, 90, 120, 145])
    lat = np.array([50.0, -40, 10, 60, -55, 0, 35, -20, 65, -30])
    lon = (lon_0 + offset + 180) % 360 - 180
    pixels = drawn(offset, lat) + rng.normal(0, 0.4, (len(lat), 2))
    pixels[:, 1] += bend * np.cos(pixels[:, 0] / 200)
    gcps = GroundControlPoints(pixels, np.stack([lon, lat], axis=1))
    return fit_georeference(gcps, model, size=SIZE, frame=frame)


def drawn(offset: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels of places on it."""
    x, y = Proj("+proj=merc +R=1 +over")(offset, lat)
    return np.stack([np.asarray(x) / np.pi * 360 + 400, 210 - np.asarray(y) / np.pi * 360], axis=1)


@pytest.mark.parametrize("bend", [0.0, 8.0])
def test_a_world_map_is_right_up_to_its_edges(bend: float) -> None:
    found = world_map(-160.0, FRAME, bend=bend)
    assert (found.bend is not None) == (bend > 0)
    offset, lat = np.array([-178.0, 178.0, -170, 170]), np.array([0.0, 0, 20, -20])
    np.testing.assert_allclose(
        found.to_pixel(np.stack([-160 + offset, lat], axis=1))[:, 0], drawn(offset, lat)[:, 0], atol=3
    )
    assert not any("cut" in note for note in found.notes)
    assert np.nanmax(found.position_sigma([[45, 210], [755, 210], [400, 210]])) < 6


def test_a_cut_left_open_is_said_and_counts_as_uncertainty() -> None:
    found = world_map(-160.0, None)
    assert found.cut is not None
    assert found.cut.low < -160 < found.cut.high
    (note,) = (note for note in found.notes if "may be cut anywhere between" in note)
    assert "Add points near the left and the right edge of the map" in note
    assert "--frame LEFT,TOP,RIGHT,BOTTOM" in note
    sigma = found.position_sigma([[60, 210], [740, 210], [400, 210]])
    assert max(sigma[:2]) > 50
    assert sigma[2] < 3


def test_a_polynomial_counts_longitudes_in_the_turn_of_the_map() -> None:
    found = world_map(-160.0, FRAME, "poly3")
    assert found.cut is not None
    shown = found.to_pixel([[-160.0 + 100, 0], [-160.0 - 100, 0], [-160.0 - 100 + 360, 0]])
    assert shown[0, 0] > 500
    assert shown[1, 0] < 300
    np.testing.assert_allclose(shown[1], shown[2])
