"""The uncertainty of positions, against what happens when the points are clicked again and again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from map_job import draw_job, geocbar
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import Georeference, fit_georeference
from geocbar.place.positions import position_uncertainty
from tests.bench.georef import MAPS, draw_trial

LCC = next(kind for kind in MAPS if kind.family == "lcc")
MOLLWEIDE = next(kind for kind in MAPS if kind.family == "moll")


def centers(width: int, height: int) -> NDArray[np.float64]:
    row, col = np.mgrid[:height, :width] + 0.5
    return np.stack([col.ravel(), row.ravel()], axis=1)


@pytest.mark.parametrize("model", ["projection:EPSG:3035", "affine", "poly2"])
def test_the_raster_is_the_spread_of_many_fits(model: str) -> None:
    """Where the model is right, the mean raster is the root mean square spread, within a quarter."""
    rng = np.random.default_rng(7)
    trial = draw_trial(LCC, 16, 41)
    right = fit_georeference(GroundControlPoints(trial.gcps.pixels, trial.gcps.world), model, keep_all=True)
    exact = right.transform.to_pixel(trial.gcps.world)
    pixels = centers(9, 7) * 160
    world, spread, stated = right.transform.to_world(pixels), [], []
    for _ in range(60):
        noisy = GroundControlPoints(exact + rng.normal(0, 0.7, exact.shape), trial.gcps.world)
        found = fit_georeference(noisy, model, keep_all=True)
        spread.append(((found.transform.to_pixel(world) - pixels) ** 2).sum(axis=1))
        stated.append(found.position_sigma(pixels) ** 2)
    truth, said = np.sqrt(np.mean(spread, axis=0)), np.sqrt(np.mean(stated, axis=0))
    inside = (pixels > exact.min(axis=0)).all(axis=1) & (pixels < exact.max(axis=0)).all(axis=1)
    ratio = said[inside] / truth[inside]
    assert 0.8 < np.median(ratio) < 1.25
    assert ratio.min() > 0.6
    assert ratio.max() < 1.6


def test_the_raster_says_what_the_fit_says_of_each_pixel() -> None:
    trial = draw_trial(LCC, 12, 3)
    found = fit_georeference(trial.gcps, "projection:+proj=lcc +lat_1=43 +lat_2=62 +lon_0=10", size=trial.size)
    whole = position_uncertainty(found, 101, 67, step=16)
    each = found.position_sigma(centers(101, 67)).reshape(67, 101)
    assert whole.px.dtype == np.float32
    np.testing.assert_allclose(whole.px, each, rtol=0.02)
    assert whole.km is not None
    np.testing.assert_allclose(whole.km, each * found.km_per_pixel(centers(101, 67)).reshape(67, 101), rtol=0.03)
    np.testing.assert_allclose(position_uncertainty(found, 30, 20, step=1).px, each[:20, :30], rtol=1e-6)


def test_nothing_beyond_the_worlds_outline() -> None:
    trial = draw_trial(MOLLWEIDE, 12, 3)
    found = fit_georeference(trial.gcps, "projection:+proj=moll +lon_0=11", size=trial.size)
    width, height = trial.size[0] // 4, trial.size[1] // 4
    whole = position_uncertainty(found, width, height, step=20)
    known = np.isfinite(found.transform.to_world(centers(width, height))).all(axis=1).reshape(height, width)
    assert 0.05 < known.mean() < 0.95
    np.testing.assert_array_equal(np.isfinite(whole.px), known)


def test_a_plan_has_no_kilometres() -> None:
    world = np.array([[0.0, 0], [100, 0], [0, 50], [100, 50], [40, 20], [70, 10]])
    found: Georeference = fit_georeference(GroundControlPoints(world * 3 + 20.0, world, "local"), "affine")
    plan = position_uncertainty(found, 40, 30)
    assert plan.km is None
    assert np.isfinite(plan.px).all()


def test_a_picture_without_pixels_is_refused() -> None:
    trial = draw_trial(LCC, 12, 3)
    found = fit_georeference(trial.gcps, "affine")
    with pytest.raises(InvalidInputError, match="0 x 20 px cannot be gone through in steps of 16 px"):
        position_uncertainty(found, 0, 20)


def test_a_run_writes_them_on_wish_on_the_raster_s_grid(tmp_path: Path) -> None:
    job = draw_job(tmp_path)
    outcome = geocbar("run", *job.args, "--positions", "--no-report", "--to-crs", "EPSG:3035", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    folder = tmp_path / "map_geocbar"
    with rasterio.open(folder / "map.tif") as values, rasterio.open(folder / "map.position.tif") as off:
        assert (off.crs, off.transform, off.shape) == (values.crs, values.transform, values.shape)
        assert off.descriptions == ("position uncertainty [px]", "position uncertainty [km]")
        px, km = off.read()
    assert 0 < np.nanmin(px) < 1
    ratio = np.nanmedian(km / px)
    assert ratio == pytest.approx(20 / 128 * 111.2 * np.cos(np.radians(42.5)), rel=0.25)  # km a pixel
