from __future__ import annotations

import numpy as np
import pytest

from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import Georeference, fit_georeference
from geocbar.place.graticule_compare import compare_frame_points

PIXELS = np.array([(x, y) for y in (50.0, 200.0, 350.0) for x in (60.0, 260.0, 460.0)])


def lonlat(pixels: np.ndarray) -> np.ndarray:
    return np.stack([-10 + pixels[:, 0] / 20, 60 - pixels[:, 1] / 20], axis=1)


@pytest.fixture(scope="module")
def placed() -> Georeference:
    return fit_georeference(GroundControlPoints(PIXELS, lonlat(PIXELS), "EPSG:4326"), "affine", size=(520, 400))


def frame(world: np.ndarray) -> GroundControlPoints:
    return GroundControlPoints(PIXELS, world, "EPSG:4326", tuple(f"crossing {k}" for k in range(len(PIXELS))))


def test_agreement_needs_no_words(placed: Georeference) -> None:
    assert compare_frame_points(placed, frame(lonlat(PIXELS + 0.8))) == []


def test_one_crossing_off_is_counted_and_named(placed: Georeference) -> None:
    world = lonlat(PIXELS)
    world[4, 0] += 1.0
    (said,) = compare_frame_points(placed, frame(world))
    assert "1 of 9 crossings" in said
    assert "crossing 4 by 20 px (" in said
    assert "km)" in said


def test_a_common_shift_is_said(placed: Georeference) -> None:
    said = compare_frame_points(placed, frame(lonlat(PIXELS) - np.array([10.0, 0.0])))
    assert "9 of 9" in said[0]
    assert said[1] == "By the place given, every longitude is about 10 degrees greater than its label."


def test_a_changed_sign_is_said(placed: Georeference) -> None:
    said = compare_frame_points(placed, frame(lonlat(PIXELS) * np.array([1.0, -1.0])))
    assert "By the place given, every latitude has the opposite sign of its label." in said


def test_other_coordinates_are_compared_as_longitudes_and_latitudes() -> None:
    from pyproj import Transformer

    east, north = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(*lonlat(PIXELS).T)
    plane = GroundControlPoints(PIXELS, np.stack([east, north], axis=1), "EPSG:3857")
    placed = fit_georeference(plane, "poly2", size=(520, 400))
    assert compare_frame_points(placed, frame(lonlat(PIXELS))) == []
    assert compare_frame_points(placed, frame(lonlat(PIXELS) + np.array([0.0, 2.0])))
