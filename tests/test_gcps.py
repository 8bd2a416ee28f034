from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Proj

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.place.gcps import GroundControlPoints, check_gcps, is_geographic, unwrap_longitudes
from geocbar.place.slips import SLIP_KINDS, name_slips

WIDTH, HEIGHT = 1000, 700
Places = NDArray[np.float64]


def affine_map(rng: np.random.Generator, n: int) -> tuple[Places, Places]:
    """Pixels (0.7 px noise) and degrees of a map of a region, turned by up to 30 degrees."""
    pixels = rng.uniform([0, 0], [WIDTH, HEIGHT], (n, 2))
    turn, scale = np.radians(rng.uniform(-30, 30)), rng.uniform(3, 40) / WIDTH
    east, north = ((pixels - [WIDTH / 2, HEIGHT / 2]) * [scale, -scale * rng.uniform(0.5, 1)]).T
    middle = rng.uniform([-150, -60], [150, 60])
    lon = middle[0] + np.cos(turn) * east - np.sin(turn) * north
    lat = np.clip(middle[1] + np.sin(turn) * east + np.cos(turn) * north, -89, 89)
    return pixels + rng.normal(0, 0.7, (n, 2)), np.column_stack([lon, lat])


def projected_map(rng: np.random.Generator, n: int, kind: str) -> tuple[Places, Places]:
    """Pixels (0.7 px noise) and degrees of a map in a projection, 1000 x 1000 px."""
    pole = float(rng.choice([-1, 1]))
    proj, low, high, half = {
        "lcc": ("+proj=lcc +lat_1=40 +lat_2=60 +lat_0=50 +lon_0=10", (-12, 36), (32, 63), 2.2e6),
        "robin": ("+proj=robin", (-180, -85), (180, 85), 1.75e7),
        "stere": (f"+proj=stere +lat_0={90 * pole} +lat_ts={70 * pole}", (-180, 55), (180, 88), 4.5e6),
    }[kind]
    world = rng.uniform(low, high, (n, 2)) * ([1, pole] if kind == "stere" else [1, 1])
    east, north = Proj(proj)(*world.T)
    pixels = np.column_stack([500 + 500 * east / half, 500 - 500 * north / half])
    return pixels + rng.normal(0, 0.7, (n, 2)), world


def grid_points() -> GroundControlPoints:
    pixels = np.array([[c, r] for c in (100.0, 500.0, 900.0) for r in (100.0, 350.0, 600.0)])
    return GroundControlPoints(pixels, pixels * [0.02, -0.02] + [-5, 60], names=tuple("ABCDEFGHI"))


def changed(points: GroundControlPoints, index: int, **places: list[float]) -> GroundControlPoints:
    pixels, world = points.pixels.copy(), points.world.copy()
    pixels[index] = places.get("pixel", pixels[index])
    world[index] = places.get("world", world[index])
    return GroundControlPoints(pixels, world, points.crs, points.names)


def test_crs_is_geographic() -> None:
    assert is_geographic("EPSG:4326")
    assert not is_geographic("EPSG:3031")
    with pytest.raises(NotFoundError, match="no coordinate reference system 'Mars on a plate'"):
        is_geographic("Mars on a plate")


def test_good_points_pass_without_a_word() -> None:
    assert check_gcps(grid_points(), WIDTH, HEIGHT) == []


@pytest.mark.parametrize(
    ("index", "places", "sentence"),
    [
        (1, {"pixel": [100, 100.005]}, "'A' and 'B' have one place in the picture, pixel 100, line 100, but two"),
        (1, {"pixel": [100, 100], "world": [-3, 58]}, "'A' and 'B' are the same point"),
        (1, {"world": [-3, 58]}, "'A' and 'B' have one place on Earth, -3, 58, but lie 250 px apart"),
        (2, {"world": [45, 101]}, "longitude 45 and latitude 101.*\n.*look swapped in all points"),
        (2, {"world": [400, 50]}, "Correct point 'C'"),
        (2, {"world": [5e5, 5e6]}, "look like metres"),
        (4, {"pixel": [500, 1500]}, "Point 'E' lies at pixel 500, line 1500, outside .* 1000 x 700 px"),
        (4, {"pixel": [500, 1500]}, "of another size.* 2143 x 1500 px"),
        (4, {"pixel": [500, -90]}, "Correct pixel and line of 'E'"),
    ],
)
def test_points_that_cannot_be_right(index: int, places: dict[str, list[float]], sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        check_gcps(changed(grid_points(), index, **places), WIDTH, HEIGHT)


def test_one_swapped_point_is_named_when_others_lie_beyond_90_degrees() -> None:
    points = GroundControlPoints([[0, 0], [500, 0], [500, 500]], [[120, 50], [50, 130], [130, 40]])
    with pytest.raises(InvalidInputError, match="Longitude and latitude of point '2' look swapped"):
        check_gcps(points, WIDTH, HEIGHT)


def test_switched_off_points_are_not_judged() -> None:
    points = grid_points()
    off = GroundControlPoints(
        np.vstack([points.pixels, [[100, 100]]]), np.vstack([points.world, [[0, 99]]]), enabled=[True] * 9 + [False]
    )
    assert check_gcps(off, WIDTH, HEIGHT) == []
    with pytest.raises(InvalidInputError, match="No control point is switched on"):
        check_gcps(GroundControlPoints([[1, 2]], [[3, 4]], enabled=[False]), WIDTH, HEIGHT)


def test_points_on_a_line() -> None:
    pixels = [[0, 0], [300, 300], [600, 600.3]]
    with pytest.raises(InvalidInputError, match="All 3 control points lie on one line in the picture"):
        check_gcps(GroundControlPoints(pixels, [[0, 0], [3, 1], [6, 6]]), WIDTH, HEIGHT)
    with pytest.raises(InvalidInputError, match="lie on one line on Earth"):
        check_gcps(GroundControlPoints([[0, 0], [300, 0], [300, 300]], [[0, 5], [3, 5], [6, 5]]), WIDTH, HEIGHT)
    near = GroundControlPoints([[0, 0], [300, 310], [600, 600]], [[0, 0], [3, 3.1], [6, 6]])
    assert "nearly on one line" in check_gcps(near, WIDTH, HEIGHT)[0]


def test_date_line_poles_and_polar_circles_are_no_fault() -> None:
    world = [[-180, 0], [180, 0], [0, 90], [0, 90], [-180, 90], [0, -90]]
    pixels = [[0, 350], [1000, 350], [500, 0], [700, 0], [0, 0], [500, 700]]
    assert check_gcps(GroundControlPoints(pixels, world), WIDTH, HEIGHT) == []
    circle = GroundControlPoints(
        [[500, 100], [750, 350], [500, 600], [250, 350]], [[180, 70], [90, 70], [0, 70], [-90, 70]]
    )
    assert check_gcps(circle, WIDTH, HEIGHT) == []


def test_notes_on_points_outside_or_in_a_corner() -> None:
    points = changed(grid_points(), 0, pixel=[-3, 100])
    assert check_gcps(points, WIDTH, HEIGHT) == ["Outside the picture, though not far: 'A'."]
    assert "span 4% of the picture" in check_gcps(grid_points(), 3200, 3200)[0]


def test_longitudes_run_on_across_the_date_line() -> None:
    pixels = np.array([[c, r] for c in (0, 250, 500, 750, 1000) for r in (0, 600)], float)
    east = pixels * [0.06, -0.05] + [150, 10]
    wrapped = np.column_stack([(east[:, 0] + 180) % 360 - 180, east[:, 1]])
    enabled = np.array([True] * 9 + [False])
    points = unwrap_longitudes(GroundControlPoints(pixels, wrapped, enabled=enabled))
    np.testing.assert_allclose(points.world, east)
    np.testing.assert_array_equal(points.enabled, enabled)
    assert unwrap_longitudes(points) is points
    assert name_slips(GroundControlPoints(pixels, wrapped), WIDTH, HEIGHT) == []


def test_longitudes_that_need_no_shift_stay() -> None:
    points = grid_points()
    assert unwrap_longitudes(points) is points
    metres = GroundControlPoints(points.pixels, points.world * 1e5, "EPSG:32632")
    assert unwrap_longitudes(metres) is metres
    few = GroundControlPoints(points.pixels[:3], [[170, 0], [-170, 0], [170, 5]])
    assert unwrap_longitudes(few) is few


def test_a_wrong_sign_does_not_tear_a_region_apart() -> None:
    lon = [21.4, 22.8, 24.9, 26.3, -22.3, 26.1, 23.6, 27.5]
    lat = [4.0, 0.8, 6.1, 2.9, 4.7, 5.1, 1.7, 3.4]
    pixels = np.column_stack([np.abs(lon), lat]) * [120, -100] + [-2500, 650]
    points = GroundControlPoints(pixels, np.column_stack([lon, lat]))
    assert unwrap_longitudes(points) is points
    assert [slip.kind for slip in name_slips(points, WIDTH, HEIGHT)] == ["lon-sign"]


@given(st.integers(0, 10**6), st.integers(6, 14))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_correct_points_of_plain_maps_raise_no_alarm(seed: int, n: int) -> None:
    points = GroundControlPoints(*affine_map(np.random.default_rng(seed), n))
    assert name_slips(points, WIDTH, HEIGHT) == []
    assert unwrap_longitudes(points) is points


@pytest.mark.parametrize("kind", ["lcc", "robin", "stere"])
def test_correct_points_of_curved_maps_raise_no_alarm(kind: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(70):
        pixels, world = projected_map(rng, int(rng.integers(6, 15)), kind)
        assert name_slips(GroundControlPoints(pixels, world), 1000, 1000) == []


def slip_in(kind: str, rng: np.random.Generator, pixels: Places, world: Places) -> set[str]:
    """Make a slip in place; return the names of the points."""
    i, j = rng.choice(len(pixels), 2, replace=False)
    axis = int(rng.integers(2))
    if kind == "pixel-line-swapped":
        pixels[i] = pixels[i, ::-1].copy()
    elif kind == "lon-lat-swapped":
        world[i] = world[i, ::-1].copy()
    elif kind == "exchanged":
        world[[i, j]] = world[[j, i]]
        return {str(i + 1), str(j + 1)}
    elif kind == "digit":
        pixels[i, axis] = rng.choice([pixels[i, axis] / 10, pixels[i, axis] - 100, pixels[i, axis] + 100])
    elif kind == "wrap":
        world[i, 0] -= np.sign(world[i, 0]) * 360
    else:
        world[i] *= {"lon-sign": [-1, 1], "lat-sign": [1, -1], "both-signs": [-1, -1]}[kind]
    return {str(i + 1)}


@pytest.mark.parametrize("kind", [kind for kind in SLIP_KINDS if kind != "lines-upwards"])
def test_single_slips_are_named(kind: str) -> None:
    rng = np.random.default_rng(11)
    tried = found = 0
    while tried < 40:
        pixels, world = affine_map(rng, int(rng.integers(6, 13)))
        terms = np.column_stack([np.ones(len(world)), world])
        truth = np.linalg.lstsq(terms, pixels, rcond=None)[0]
        names = slip_in(kind, rng, pixels, world)
        off = np.linalg.norm(pixels - np.column_stack([np.ones(len(world)), world]) @ truth, axis=1)
        inside = (pixels >= -70).all() and (pixels <= [1100, 770]).all() and np.abs(world[:, 1]).max() <= 90
        if off.max() < 40 or not (inside or kind == "pixel-line-swapped"):
            continue
        slips = name_slips(GroundControlPoints(pixels, world), WIDTH, HEIGHT)
        tried += 1
        found += [(slip.kind, set(slip.points)) for slip in slips] == [(kind, names)]
    assert found >= 0.95 * tried


def test_the_sentence_says_what_to_type() -> None:
    points = changed(grid_points(), 1, world=[3, 53])
    (slip,) = name_slips(points, WIDTH, HEIGHT)
    assert slip.sentence == (
        "Point 'B' lies 300 px from where the others put it, and 0.0 px if you type longitude -3 instead of 3."
    )
    assert slip.points == ("B",)
    assert slip.factor > 100
    metres = GroundControlPoints(points.pixels, points.world * 1e4, "EPSG:32632", points.names)
    assert "type easting -30000 instead of 30000" in name_slips(metres, WIDTH, HEIGHT)[0].sentence


def test_two_slips_of_their_own_are_both_named() -> None:
    points = changed(changed(grid_points(), 1, world=[3, 53]), 8, pixel=[90, 600])
    kinds = {slip.points[0]: slip.kind for slip in name_slips(points, WIDTH, HEIGHT)}
    assert kinds == {"B": "lon-sign", "I": "digit"}


def test_an_unknown_slip_is_not_named() -> None:
    assert name_slips(changed(grid_points(), 4, pixel=[537, 377]), WIDTH, HEIGHT) == []
    assert name_slips(changed(grid_points(), 4, pixel=[563, 287]), WIDTH, HEIGHT) == []


@pytest.mark.parametrize("kind", ["lines-upwards", "lon-lat-swapped", "pixel-line-swapped", "lon-sign"])
@pytest.mark.parametrize("n", [4, 9])
def test_a_mirrored_set_is_named(kind: str, n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(15):
        pixels, world = affine_map(rng, n)
        terms = np.column_stack([np.ones(n), world])
        if np.linalg.cond(terms - [0, *world.mean(axis=0)]) > 40 or n == 4:
            pixels, world = grid_points().pixels, grid_points().world + rng.uniform(-20, 20, 2)
            keep = [0, 2, 6, 8] if n == 4 else slice(None)
            pixels, world = pixels[keep] + rng.normal(0, 0.7, (n, 2)), world[keep]
        if kind == "lines-upwards":
            pixels = [0, HEIGHT] + pixels * [1, -1]
        elif kind == "lon-lat-swapped":
            world = world[:, ::-1]
        elif kind == "pixel-line-swapped":
            pixels = pixels[:, ::-1]
        else:
            world = world * [-1, 1]
        (slip,) = name_slips(GroundControlPoints(pixels, world), WIDTH, HEIGHT)
        assert slip.kind == kind
        assert len(slip.points) == n
        assert "give a mirror image" in slip.sentence
        assert slip.factor > 1.2


def test_mirrored_maps_around_the_pole_are_left_alone() -> None:
    rng = np.random.default_rng(8)
    for _ in range(20):
        pixels, world = projected_map(rng, 8, "stere")
        assert name_slips(GroundControlPoints(pixels * [1, -1] + [0, 1000], world), 1000, 1000) == []


def test_degrees_in_a_crs_of_metres_are_refused() -> None:
    pixels = np.array([[10, 10], [900, 20], [20, 700], [800, 650]], float)
    world = np.array([[5, 50], [15, 50], [5, 43], [14, 44]], float)
    with pytest.raises(InvalidInputError, match="they look like degrees") as refusal:
        check_gcps(GroundControlPoints(pixels, world, "EPSG:32633"), 1000, 800)
    assert "--gcp-crs EPSG:4326" in refusal.value.hint
    check_gcps(GroundControlPoints(pixels, world * 1e5, "EPSG:32633"), 1000, 800)
