from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from numpy.typing import NDArray
from pyproj import CRS, Proj, Transformer

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import Georeference, fit_georeference
from geocbar.place.projections import project_points
from geocbar.place.splines import fit_spline
from geocbar.place.verdicts import unidentified
from tests.bench.georef import MAPS, OUTSIDE, MapType, draw_trial, measure, summary

UTM = next(kind for kind in MAPS if kind.family == "tmerc")
LCC = next(kind for kind in MAPS if kind.family == "lcc")
POLAR = next(kind for kind in MAPS if kind.family == "stere_north")
ROBINSON = next(kind for kind in MAPS if kind.family == "robin")
LAEA = next(kind for kind in MAPS if kind.family == "laea")


def fitted(kind: MapType, seed: int = 500, count: int = 12, model: str = "auto", **options: float) -> Georeference:
    trial = draw_trial(kind, count, seed, **options)
    return fit_georeference(trial.gcps, model, size=trial.size)


def inside_hull(points: NDArray[np.float64], n: int = 300) -> NDArray[np.float64]:
    return np.random.default_rng(0).dirichlet(np.ones(len(points)), n) @ points


def test_every_map_type_is_placed_to_a_pixel() -> None:
    """One seed each; docs/accuracy.md has more."""
    figures = summary(measure(seeds=[501]))
    assert figures["median"] <= 0.5
    assert figures["worst"] <= 1.0
    assert figures["worst excess"] <= 0.1
    assert figures["same family %"] >= 92


@pytest.mark.parametrize(("count", "median"), [(6, 0.9), (24, 0.4)])
def test_few_and_many_points(count: int, median: float) -> None:
    figures = summary(measure(MAPS[3::3], count=count, seeds=[502]))
    assert figures["median"] <= median
    assert figures["worst excess"] <= 0.5


@pytest.mark.parametrize("kind", [MAPS[1], LCC, POLAR], ids=lambda kind: kind.name)
def test_an_outlier_is_left_out_and_named(kind: MapType) -> None:
    trial = draw_trial(kind, 12, 507, outlier=25.0)
    found = fit_georeference(trial.gcps)
    assert found.rejected == (str(trial.outlier + 1),)
    assert found.gcps.enabled is not None
    assert not found.gcps.enabled[trial.outlier]
    assert any("was left out" in note for note in found.notes)
    assert np.hypot(*found.residuals[trial.outlier]) == pytest.approx(25, abs=3)
    kept = fit_georeference(trial.gcps, keep_all=True)
    assert kept.rejected == ()
    assert np.all(kept.gcps.enabled)


def test_two_gross_slips_are_left_out() -> None:
    trial = draw_trial(LCC, 14, 3)
    world = trial.gcps.world.copy()
    world[2] = world[2, ::-1]
    world[9, 0] += 10
    found = fit_georeference(GroundControlPoints(trial.gcps.pixels, world))
    assert found.rejected == ("3", "10")
    assert trial.rms(found.transform.to_pixel(trial.world)) < 1.2


@pytest.mark.parametrize("kind", OUTSIDE[:2], ids=lambda kind: kind.name)
def test_a_map_in_no_known_projection_says_so_and_keeps_its_points(kind: MapType) -> None:
    (row,) = measure([kind], count=16, seeds=[503])
    assert row["rms"] <= 1.2 * min(row["poly2"], row["poly3"], row["tps"])
    assert row["flagged"] == []
    assert row["warned"]


def test_bent_paper() -> None:
    """The best of five other fits is known from the truth only; docs/accuracy_place.md has more."""
    figures = summary(measure([LCC, UTM, MAPS[0]], count=16, seeds=[504], bend=4.0))
    assert figures["median ratio"] <= 1.2
    assert figures["worst ratio"] <= 1.6


def test_bent_paper_is_told_from_flat_and_said() -> None:
    trial = draw_trial(LCC, 20, 505, bend=9.0)
    found = fit_georeference(trial.gcps, size=trial.size)
    assert found.bend is not None
    assert any("as on bent paper" in note or "bent by" in note for note in found.notes)
    assert trial.rms(found.to_pixel(trial.world)) < 1.0
    sigma = found.position_sigma(trial.pixels[::40])
    assert 0.5 < np.sqrt(np.nanmean(sigma**2)) / trial.rms(found.to_pixel(trial.world)) < 2.0
    flat = draw_trial(LCC, 20, 505)
    assert fit_georeference(flat.gcps, size=flat.size).bend is None


MODELS = (
    "auto",
    "similarity",
    "affine",
    "poly2",
    "poly3",
    "projective",
    "tps",
    "projection:EPSG:3034",
    "projection:+proj=lcc +lat_1=40 +lat_2=60 +lon_0=8",
    "projection:EPSG:3035+poly2",
    "projection:EPSG:3035+tps",
)


@pytest.mark.parametrize("model", MODELS)
def test_pixel_to_world_to_pixel(model: str) -> None:
    found = fitted(LCC, 1, 20, model)
    inside = inside_hull(found.gcps.used().pixels)
    world = found.transform.to_world(inside)
    np.testing.assert_allclose(found.transform.to_pixel(world), inside, atol=0.01)
    h = 1e-4
    moved = [found.transform.to_pixel(world + d) - found.transform.to_pixel(world - d) for d in ([h, 0], [0, h])]
    np.testing.assert_allclose(found.transform.jacobian(world), np.stack(moved, axis=2) / (2 * h), rtol=1e-3, atol=2e-3)
    sigma = found.position_sigma(inside[:20])
    assert np.isfinite(sigma).all()
    assert (sigma > 0).all()


def test_the_spline_passes_through_its_points_and_leaves_one_out_honestly() -> None:
    found = fitted(LCC, 1, 12, "tps")
    np.testing.assert_allclose(found.residuals, 0, atol=1e-6)
    trial = draw_trial(LCC, 12, 1)
    keep = np.arange(12) != 4
    other, _ = fit_spline(trial.gcps.world[keep], trial.gcps.pixels[keep])
    miss = np.hypot(*(other.to_pixel(trial.gcps.world[4]) - trial.gcps.pixels[4])[0])
    assert found.left_out[4] == pytest.approx(miss)


@pytest.mark.skipif(shutil.which("gdaltransform") is None, reason="GDAL's command line tools are not installed")
def test_the_spline_equals_gdals() -> None:
    trial = draw_trial(LCC, 15, 2)
    spline, _ = fit_spline(trial.gcps.world, trial.gcps.pixels)
    places = inside_hull(trial.gcps.world, 40)
    points = [
        part
        for (col, row), (lon, lat) in zip(trial.gcps.pixels.tolist(), trial.gcps.world.tolist(), strict=True)
        for part in ("-gcp", repr(col), repr(row), repr(lon), repr(lat))
    ]
    text = "\n".join(f"{lon!r} {lat!r}" for lon, lat in places.tolist())
    out = subprocess.run(
        ["gdaltransform", "-i", "-tps", *points], input=text, capture_output=True, text=True, check=True
    ).stdout
    theirs = np.array([[float(v) for v in line.split()[:2]] for line in out.splitlines()])
    np.testing.assert_allclose(spline.to_pixel(places), theirs, atol=0.01)


def test_leave_one_out_and_leverage_of_a_projection() -> None:
    trial = draw_trial(UTM, 12, 8)
    found = fit_georeference(trial.gcps, "projection:EPSG:32633")
    assert found.leverage is not None
    assert found.leverage.sum() == pytest.approx(3.0)
    keep = np.arange(12) != 5
    other = fit_georeference(
        GroundControlPoints(trial.gcps.pixels[keep], trial.gcps.world[keep]), "projection:EPSG:32633"
    )
    miss = np.hypot(*(other.transform.to_pixel(trial.gcps.world[5:6]) - trial.gcps.pixels[5])[0])
    assert found.left_out[5] == pytest.approx(miss, rel=1e-6)


def test_uncertainty_is_about_the_error() -> None:
    figures = summary(measure([LCC, ROBINSON], seeds=[510]))
    assert 0.4 < figures["sigma / rms"] < 2.5


def test_the_maps_own_reference_system() -> None:
    found = fitted(UTM, 500, 24)
    assert found.projection == "EPSG:32633"
    assert found.crs_wkt is not None
    assert CRS.from_wkt(found.crs_wkt).to_epsg() == 32633
    check_affine(found, found.projection)
    found = fitted(ROBINSON, 501)
    assert found.projection is not None
    assert "+proj=robin" in found.projection
    assert found.crs_wkt is not None
    assert CRS.from_wkt(found.crs_wkt).name == "Robinson, lon -160"
    check_affine(found, found.projection)


def check_affine(found: Georeference, crs: str) -> None:
    """The raster's cells are the picture's pixels: the affine in the plane says the same as the transform."""
    inside = inside_hull(found.gcps.used().pixels, 50)
    assert found.affine is not None
    plane = np.stack([found.affine @ tuple(pixel) for pixel in inside])
    world = project_points(plane, crs, found.crs)
    np.testing.assert_allclose(found.transform.to_pixel(world), inside, atol=0.11)


def test_a_map_in_the_system_of_its_points_stays_in_it() -> None:
    rng = np.random.default_rng(3)
    metres = np.array([4.3e5, 5.2e6]) + rng.uniform(0, 1e5, (8, 2))
    pixels = np.stack([metres[:, 0] - 4.3e5, 5.3e6 - metres[:, 1]], axis=1) / 100 + rng.normal(0, 0.3, (8, 2))
    found = fit_georeference(GroundControlPoints(pixels, metres, "EPSG:32633"))
    assert found.model == "affine"
    assert found.projection is None
    assert found.affine is not None
    assert found.affine.a == pytest.approx(100, rel=0.01)
    assert found.affine.b == 0


def test_points_in_metres_of_another_system() -> None:
    trial = draw_trial(LAEA, 14, 4)
    mercator = project_points(trial.gcps.world, "EPSG:4326", "EPSG:3857")
    found = fit_georeference(GroundControlPoints(trial.gcps.pixels, mercator, "EPSG:3857"))
    assert found.fit is not None
    places = project_points(trial.world, "EPSG:4326", "EPSG:3857")
    assert trial.rms(found.transform.to_pixel(places)) < 1.0
    inside = inside_hull(trial.gcps.pixels, 50)
    np.testing.assert_allclose(found.transform.to_pixel(found.transform.to_world(inside)), inside, atol=0.01)


def test_pixels_outside_the_worlds_outline_are_nowhere() -> None:
    found = fitted(next(kind for kind in MAPS if kind.family == "moll"), 502)
    width, height = 1600, 800
    corners = found.transform.to_world([[3, 3], [width - 3, 3], [3, height - 3], [width / 2, height / 2]])
    assert np.isnan(corners[:3]).all()
    assert np.isfinite(corners[3]).all()


def test_polar_map_with_the_pole_inside() -> None:
    found = fitted(POLAR, 503)
    pole = found.transform.to_pixel([[0.0, 90.0], [77.0, 90.0]])
    np.testing.assert_allclose(pole[0], pole[1], atol=1e-6)
    assert found.transform.to_world(pole[:1] + 0.3)[0, 1] > 89.5


@pytest.mark.parametrize("shift", [0.0, 360.0])
def test_longitudes_from_0_to_360_and_across_the_date_line(shift: float) -> None:
    trial = draw_trial(ROBINSON, 14, 5)
    world = trial.gcps.world.copy()
    world[:, 0] %= 360
    world[:, 0] -= 360 - shift
    found = fit_georeference(GroundControlPoints(trial.gcps.pixels, world))
    assert "Robinson" in found.sentence
    assert trial.rms(found.transform.to_pixel(trial.world)) < 1.0
    assert found.rmse_px < 1.5
    assert np.nanmax(found.residuals_km) < 600


def test_points_on_both_edges_of_a_world_map() -> None:
    lon, lat = (g.ravel() for g in np.meshgrid([-180.0, -90, 0, 90, 180], [-60.0, 0, 60]))
    x, y = Proj("+proj=robin +R=6371000 +over")(lon, lat)
    rng = np.random.default_rng(0)
    pixels = np.stack([np.asarray(x) / 2e4 + 900, 450 - np.asarray(y) / 2e4], axis=1) + rng.normal(0, 0.5, (15, 2))
    found = fit_georeference(GroundControlPoints(pixels, np.stack([lon, lat], axis=1)))
    assert "Robinson" in found.sentence
    assert found.rejected == ()
    assert np.hypot(*found.residuals.T).max() < 2


def test_another_body() -> None:
    rng = np.random.default_rng(1)
    world = np.stack([rng.uniform(-180, 180, 14), rng.uniform(60, 88, 14)], axis=1)
    x, y = Proj("+proj=stere +lat_0=90 +lon_0=30 +R=3396190")(*world.T)
    pixels = np.stack([500 + np.asarray(x) / 4e3, 500 - np.asarray(y) / 4e3], axis=1) + rng.normal(0, 0.5, (14, 2))
    found = fit_georeference(GroundControlPoints(pixels, world, "IAU_2015:49900"))
    assert "north polar stereographic" in found.sentence
    assert found.projection is not None
    assert "3396190" in found.projection
    assert found.rmse_px < 1.2
    np.testing.assert_allclose(found.km_per_pixel(), 4.0, rtol=0.15)


def test_what_the_points_do_not_tell() -> None:
    found = fitted(LCC, 500)
    assert found.fit is not None
    assert found.places is not None
    assert any("pair of standard parallels" in line for line in unidentified(found.fit, found.places))


def test_weights_count() -> None:
    trial = draw_trial(UTM, 10, 3)
    weights = np.where(np.arange(10) == 4, 1e4, 1.0)
    for model in ("affine", "poly2", "projective", "projection:EPSG:32633"):
        plain = np.hypot(*fit_georeference(trial.gcps, model).residuals[4])
        assert np.hypot(*fit_georeference(trial.gcps, model, weights=weights).residuals[4]) < plain / 10
    with pytest.raises(InvalidInputError, match="10 control points need as many weights"):
        fit_georeference(trial.gcps, weights=[1.0])


def test_few_points_and_bad_ones_are_refused_with_a_way_out() -> None:
    trial = draw_trial(LCC, 4, 1)
    with pytest.raises(InvalidInputError, match=r"4 control points do not tell in which projection[\s\S]*Add points"):
        fit_georeference(trial.gcps)
    square = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    straight = fit_georeference(GroundControlPoints(square * [50, -50] + 600, square))
    assert straight.model == "affine"
    assert any("taken to be straight" in note for note in straight.notes)
    six = draw_trial(LCC, 6, 1).gcps
    line = np.linspace(0, 500, 6)[:, None] * [1.0, 2.0]
    with pytest.raises(InvalidInputError, match="lie on one line in the picture"):
        fit_georeference(GroundControlPoints(line, six.world))
    with pytest.raises(InvalidInputError, match=r"latitude 5\.00\d*e\+06[\s\S]*look like metres"):
        fit_georeference(GroundControlPoints(six.pixels, six.world + np.array([4e5, 5e6])))
    with pytest.raises(InvalidInputError, match=r"needs 4 control points; there are 3"):
        fit_georeference(GroundControlPoints(six.pixels[:3], six.world[:3]), "tps")


def test_an_unknown_system_names_its_neighbours() -> None:
    gcps = draw_trial(LCC, 6, 1).gcps
    with pytest.raises(NotFoundError, match=r"'EPSG:326333' is not known\.\n  Did you mean EPSG:\d+"):
        fit_georeference(gcps, "projection:EPSG:326333")
    with pytest.raises(NotFoundError, match="EPSG:32633"):
        fit_georeference(gcps, "projection:WGS 84 / UTM zone 33")
    with pytest.raises(InvalidInputError, match="There is no model 'projection'"):
        fit_georeference(gcps, "projection")


def test_points_that_leave_no_doubt_of_a_parameter_are_fitted() -> None:
    """A symmetric lattice rounded to tenths of a pixel: the azimuth of the oblique Mercator comes out exactly."""
    lon, lat = np.meshgrid([-118.0, -117, -116, -115], [36.0, 35, 34])
    world = np.stack([lon.ravel(), lat.ravel()], axis=1)
    east, north = Transformer.from_crs("EPSG:4326", "EPSG:3395", always_xy=True).transform(*world.T)
    pixels = np.stack([(east + 118 * 111319.49) / 535 + 268.8, (4.3e6 - north) / 535 + 400], axis=1)
    fit = fit_georeference(GroundControlPoints(pixels.round(1), world), "auto", size=(2400, 3300))
    assert "Mercator" in fit.sentence
    assert fit.rmse_px < 0.1
