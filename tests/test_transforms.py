from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import fit_georeference
from geocbar.place.models import points_needed
from geocbar.place.projections import distance_km, project_points
from geocbar.place.transforms import fit_polynomial

LCC = "+proj=lcc +lat_1=43 +lat_2=62 +lat_0=30 +lon_0=10 +datum=WGS84"


def lcc_points(n: int, noise: float, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Control points on a 1600 x 1200 px Lambert map of Europe: world, pixels."""
    rng = np.random.default_rng(seed)
    world = np.stack([rng.uniform(-12, 35, n), rng.uniform(35, 65, n)], axis=1)
    plane = project_points(world, "EPSG:4326", LCC)
    pixels = np.stack([800 + plane[:, 0] / 3000, 1300 - plane[:, 1] / 3000], axis=1)
    return world, pixels + rng.normal(0, noise, (n, 2))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_equals_lstsq_on_normalised_coordinates(order: int) -> None:
    world, pixels = lcc_points(25, 0.7)
    transform, leverage = fit_polynomial(world, pixels, order)
    x, y = ((world - world.min(axis=0)) / np.ptp(world, axis=0) * 2 - 1).T
    design = np.stack([x**i * y**j for i in range(order + 1) for j in range(order + 1 - i)], axis=1)
    expected = design @ np.linalg.lstsq(design, pixels, rcond=None)[0]
    np.testing.assert_allclose(transform.to_pixel(world), expected, atol=1e-8)
    hat = design @ np.linalg.pinv(design)
    np.testing.assert_allclose(leverage, np.diag(hat), atol=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_pixel_to_world_to_pixel_inside_the_hull(order: int) -> None:
    world, pixels = lcc_points(25, 0.7)
    transform, _ = fit_polynomial(world, pixels, order)
    rng = np.random.default_rng(1)
    inside = rng.dirichlet(np.ones(len(pixels)), 2000) @ pixels
    back = transform.to_pixel(transform.to_world(inside))
    assert np.abs(back - inside).max() < 0.01


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 2 * np.pi), st.floats(0.01, 100), st.floats(-0.3, 0.3), st.floats(-180, 180), st.floats(-80, 80))
def test_affine_is_found_and_inverted_exactly(turn: float, size: float, shear: float, lon: float, lat: float) -> None:
    matrix = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[1, shear], [0, -1]])
    rng = np.random.default_rng(2)
    world = np.array([lon, lat]) + rng.uniform(-5, 5, (6, 2))
    pixels = (world - [lon, lat]) @ matrix.T + [500, 400]
    transform, _ = fit_polynomial(world, pixels, 1)
    np.testing.assert_allclose(transform.to_pixel(world), pixels, atol=1e-6)
    np.testing.assert_allclose(transform.to_world(pixels), world, atol=1e-8)
    np.testing.assert_allclose(transform.jacobian(world)[0], matrix, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("order", [2, 3])
def test_jacobian_is_the_derivative(order: int) -> None:
    world, pixels = lcc_points(30, 0.0)
    transform, _ = fit_polynomial(world, pixels, order)
    h = 1e-5
    numeric = np.stack(
        [(transform.to_pixel(world + d) - transform.to_pixel(world - d)) / (2 * h) for d in ([h, 0], [0, h])], axis=2
    )
    np.testing.assert_allclose(transform.jacobian(world), numeric, rtol=1e-5, atol=1e-5)


def test_leave_one_out_is_what_leaving_out_gives() -> None:
    world, pixels = lcc_points(14, 0.7)
    fit = fit_georeference(GroundControlPoints(pixels, world), "poly2")
    for i in range(len(world)):
        others = np.arange(len(world)) != i
        transform, _ = fit_polynomial(world[others], pixels[others], 2)
        assert np.hypot(*(transform.to_pixel(world[i]) - pixels[i])[0]) == pytest.approx(fit.left_out[i], rel=1e-6)


def test_rmse_formula_and_kilometres() -> None:
    world, pixels = lcc_points(14, 0.7)
    fit = fit_georeference(GroundControlPoints(pixels, world), "poly3")
    dx, dy = fit.residuals.T
    assert fit.rmse_px == pytest.approx(np.sqrt(np.sum(dx**2 + dy**2) / len(dx)))
    # The map is drawn at 3 km a pixel (true to scale between the standard parallels).
    assert fit.rmse_km / fit.rmse_px == pytest.approx(3.0, rel=0.1)
    np.testing.assert_allclose(fit.km_per_pixel(), 3.0, rtol=0.15)
    assert fit.left_out_rmse_px > fit.rmse_px


def test_auto_takes_the_affine_for_a_straight_map_and_more_for_a_curved_one() -> None:
    rng = np.random.default_rng(0)
    world = rng.uniform(-40, 40, (14, 2))
    straight = world * [10, -10] + 500 + rng.normal(0, 0.7, (14, 2))
    assert fit_georeference(GroundControlPoints(straight, world)).model == "affine"
    world, pixels = lcc_points(20, 0.3)
    fit = fit_georeference(GroundControlPoints(pixels, world))
    assert fit.model == "projection"
    assert fit.left_out_rmse_px < fit_georeference(GroundControlPoints(pixels, world), "affine").left_out_rmse_px / 3


def test_switched_off_points_take_no_part() -> None:
    world, pixels = lcc_points(14, 0.0)
    pixels[3] += 100
    on = np.arange(14) != 3
    fit = fit_georeference(GroundControlPoints(pixels, world, enabled=on), "poly3")
    assert np.hypot(*fit.residuals[3]) > 100
    assert fit.rmse_px < 3
    assert len(fit.residuals) == 14


def test_a_bad_fit_says_so() -> None:
    world, pixels = lcc_points(14, 0.0)
    notes = fit_georeference(GroundControlPoints(pixels, world), "affine").notes
    assert any("misses control points by" in note for note in notes)
    exact = fit_georeference(GroundControlPoints(pixels[:3], world[:3]), "affine").notes
    assert any("its error cannot be estimated" in note for note in exact)


def test_refusals() -> None:
    world, pixels = lcc_points(5, 0.0)
    gcps = GroundControlPoints(pixels, world)
    with pytest.raises(InvalidInputError, match=r"poly2 needs 6 control points; there are 5\.\n  Use --model affine"):
        fit_georeference(gcps, "poly2")
    with pytest.raises(InvalidInputError, match="There is no model 'spline'"):
        fit_georeference(gcps, "spline")
    with pytest.raises(InvalidInputError, match="affine needs 3 control points; there are 2"):
        fit_georeference(GroundControlPoints(pixels[:2], world[:2]))
    line = np.stack([np.arange(5.0), 2 * np.arange(5.0)], axis=1)
    with pytest.raises(InvalidInputError, match="do not determine a polynomial of order 1"):
        fit_polynomial(line, pixels, 1)
    with pytest.raises(NotFoundError, match="'EPSG:999999' is not known"):
        fit_georeference(GroundControlPoints(pixels, world, "EPSG:999999"))
    assert [points_needed(m) for m in ("affine", "poly2", "poly3", "tps", "projective")] == [3, 6, 10, 4, 4]


def test_distance_on_the_ground() -> None:
    a, b = np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]])
    assert distance_km(a, b, "EPSG:4326")[0] == pytest.approx(111.3195, abs=1e-3)
    utm = project_points(np.array([[9.0, 50.0], [9.0, 50.1]]), "EPSG:4326", "EPSG:32632")
    assert distance_km(utm[:1], utm[1:], "EPSG:32632")[0] == pytest.approx(11.1236, abs=2e-3)
    mars = "IAU_2015:49900"
    assert distance_km(a, b, mars)[0] == pytest.approx(2 * np.pi * 3396.19 / 360, rel=1e-3)


@pytest.mark.skipif(shutil.which("gdaltransform") is None, reason="GDAL's command line tools are not installed")
@pytest.mark.parametrize("order", [1, 2, 3])
def test_equals_gdal_on_the_same_points(order: int, tmp_path: Path) -> None:
    """gdaltransform -i goes from world to pixel, as gdalwarp does for every cell it fills."""
    world, pixels = lcc_points(20, 0.7)
    transform, _ = fit_polynomial(world, pixels, order)
    places = np.random.default_rng(4).uniform([-8, 38], [30, 62], (50, 2))
    points = [
        part
        for (col, row), (lon, lat) in zip(pixels, world, strict=True)
        for part in ("-gcp", *map(repr, map(float, (col, row, lon, lat))))
    ]
    out = subprocess.run(
        ["gdaltransform", "-i", "-order", str(order), *points],
        input="\n".join(f"{lon!r} {lat!r}" for lon, lat in places.tolist()),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    theirs = np.array([[float(v) for v in line.split()[:2]] for line in out.splitlines()])
    assert json.dumps(theirs.shape) == "[50, 2]"
    np.testing.assert_allclose(transform.to_pixel(places), theirs, atol=0.01)
