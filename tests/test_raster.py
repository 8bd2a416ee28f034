from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.figure.layout import PixelBox
from geocbar.grid.raster import footprint, map_plane, to_map
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import Georeference, fit_georeference
from geocbar.place.projections import project_points

LCC = "+proj=lcc +lat_1=43 +lat_2=62 +lat_0=30 +lon_0=10 +datum=WGS84"
H, W = 240, 320


def affine_map(turn: float = 0.0) -> Georeference:
    """0.1 degrees a pixel, top-left corner at (-5, 60), turned about it."""
    c, s = np.cos(turn), np.sin(turn)
    pixels = np.array([[0, 0], [W, 0], [0, H], [W, H], [100, 50.0]])
    world = np.array([-5, 60]) + pixels @ (0.1 * np.array([[c, s], [s, -c]])).T
    return fit_georeference(GroundControlPoints(pixels, world), "affine")


def lambert_map() -> tuple[Georeference, NDArray[np.float32]]:
    """A Lambert map whose value at a pixel's centre is lon + 2 lat there, fitted by a cubic."""
    col, row = np.meshgrid(np.linspace(0, W, 6), np.linspace(0, H, 6))
    pixels = np.stack([col.ravel(), row.ravel()], axis=1)
    world = lambert_world(pixels)
    col, row = np.meshgrid(np.arange(W) + 0.5, np.arange(H) + 0.5)
    lonlat = lambert_world(np.stack([col.ravel(), row.ravel()], axis=1))
    values = (lonlat @ [1, 2]).reshape(H, W).astype(np.float32)
    return fit_georeference(GroundControlPoints(pixels, world), "poly3"), values


def lambert_world(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    plane = (pixels - [W / 2, H / 2]) * [5000, -5000] + [0, 2.2e6]
    return project_points(plane, LCC, "EPSG:4326")


@pytest.mark.parametrize("turn", [0.0, 0.2])
def test_affine_maps_keep_their_pixels(turn: float) -> None:
    values = np.random.default_rng(0).random((H, W), np.float32)
    fit = affine_map(turn)
    raster = to_map(values, fit)
    assert np.shares_memory(raster.values, values)
    assert raster.affine @ (0, 0) == pytest.approx((-5, 60))
    world = fit.transform.to_world([[10.5, 20.5]])[0]
    assert raster.affine @ (10.5, 20.5) == pytest.approx(tuple(world))


def test_a_frame_crops_without_moving_anything() -> None:
    values = np.random.default_rng(0).random((H, W), np.float32)
    fit = affine_map()
    raster = to_map(values, fit, frame=PixelBox(40, 30, 200, 100))
    np.testing.assert_array_equal(raster.values, values[30:100, 40:200])
    assert raster.affine @ (0, 0) == pytest.approx((-5 + 4, 60 - 3))


@pytest.mark.parametrize("resampling", ["nearest", "bilinear"])
def test_a_curved_map_lies_where_it_should(resampling: str) -> None:
    fit, values = lambert_map()
    raster = to_map(values, fit, resampling=resampling)
    rows, cols = np.nonzero(np.isfinite(raster.values))
    x, y = raster.affine @ (cols + 0.5, rows + 0.5)
    error = raster.values[rows, cols] - (x + 2 * y)
    # A pixel spans 0.15 units, of which the nearest is at most half off each way; the cubic misses by 0.05.
    assert np.abs(error).max() < (0.20 if resampling == "nearest" else 0.06)
    assert len(rows) > 0.6 * raster.values.size


def test_another_crs_and_resolution() -> None:
    fit, values = lambert_map()
    raster = to_map(values, fit, to_crs=LCC, resolution=10_000, resampling="bilinear")
    assert raster.affine.a == 10_000
    assert raster.affine.e == -10_000
    rows, cols = np.nonzero(np.isfinite(raster.values))
    x, y = raster.affine @ (cols + 0.5, rows + 0.5)
    lonlat = project_points(np.stack([x, y], axis=1), LCC, "EPSG:4326")
    assert np.abs(raster.values[rows, cols] - lonlat @ [1, 2]).max() < 0.01
    assert raster.values.shape == pytest.approx((H / 2, W / 2), abs=2)


def test_sigma_goes_along() -> None:
    fit, values = lambert_map()
    raster = to_map(values, fit, sigma=values * 2)
    assert raster.sigma is not None
    np.testing.assert_allclose(raster.sigma, raster.values * 2)


def test_nan_does_not_spread_and_is_not_filled() -> None:
    fit, values = lambert_map()
    values = values.copy()
    values[100:140, 100:140] = np.nan
    near = to_map(values, fit, resampling="nearest").values
    smooth = to_map(values, fit, resampling="bilinear").values
    np.testing.assert_array_equal(np.isnan(near), np.isnan(smooth))


def test_nothing_outside_the_frame_comes_through() -> None:
    fit, values = lambert_map()
    box = PixelBox(50, 40, 150, 120)
    raster = to_map(values, fit, frame=box)
    rows, cols = np.nonzero(np.isfinite(raster.values))
    x, y = raster.affine @ (cols + 0.5, rows + 0.5)
    pixels = fit.transform.to_pixel(np.stack([x, y], axis=1))
    assert pixels.min(axis=0) == pytest.approx((50, 40), abs=1)
    assert pixels.max(axis=0) == pytest.approx((150, 120), abs=1)


def test_footprint_goes_round_the_frame() -> None:
    fit = affine_map()
    ring = footprint(fit, PixelBox(0, 0, W, H))
    np.testing.assert_array_equal(ring[0], ring[-1])
    assert ring.min(axis=0) == pytest.approx((-5, 36))
    assert ring.max(axis=0) == pytest.approx((27, 60))
    x, y = ring.T
    area = 0.5 * abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
    assert area == pytest.approx(32 * 24)


def test_a_plane_is_known_for_straight_fits_only() -> None:
    box = PixelBox(0, 0, W, H)
    assert map_plane(lambert_map()[0], box) is None
    plane = map_plane(affine_map(), box)
    assert plane is not None
    assert plane[1] == "EPSG:4326"


def test_an_inferred_projection_keeps_the_pixels() -> None:
    """The raster lies in the map's own projection: no cell is resampled, and each is where it should be."""
    fit, values = lambert_map()
    found = fit_georeference(fit.gcps, size=(W, H))
    raster = to_map(values, found)
    np.testing.assert_array_equal(raster.values, values)
    assert "Lambert" in raster.crs
    assert raster.affine.b == raster.affine.d == 0
    rows, cols = np.mgrid[0:H:7, 0:W:7]
    x, y = raster.affine @ (cols.ravel() + 0.5, rows.ravel() + 0.5)
    lonlat = project_points(np.stack([x, y], axis=1), raster.crs, "EPSG:4326")
    np.testing.assert_allclose(lonlat @ [1, 2], values[::7, ::7].ravel(), atol=0.01)  # a tenth of a pixel
    back = to_map(values, found, to_crs="EPSG:4326")
    assert back.crs == "EPSG:4326"
    ring = footprint(found, PixelBox(0, 0, W, H), raster.crs)
    np.testing.assert_allclose(
        [ring.min(axis=0)[0], ring.max(axis=0)[1]], [raster.affine.c, raster.affine.f], rtol=1e-6
    )


def test_a_small_rotation_is_left_out_a_large_one_kept() -> None:
    values = np.zeros((H, W), np.float32)
    slight, strong = (to_map(values, affine_map(turn)).affine for turn in (0.4 / W, 0.2))
    assert slight.b == slight.d == 0
    assert strong.b != 0
    middle = (W / 2, H / 2)
    assert slight @ middle == pytest.approx(tuple(affine_map(0.4 / W).transform.to_world([middle])[0]), abs=1e-6)


def test_refusals() -> None:
    values = np.zeros((H, W), np.float32)
    fit = affine_map()
    with pytest.raises(InvalidInputError, match="no resampling 'cubic'"):
        to_map(values, fit, resampling="cubic")
    with pytest.raises(InvalidInputError, match="The resolution is -1"):
        to_map(values, fit, resolution=-1)
    with pytest.raises(InvalidInputError, match="Give a larger --resolution"):
        to_map(values, fit, resolution=1e-6)
    with pytest.raises(NotFoundError, match="'EPSG:0' is not known"):
        to_map(values, fit, to_crs="EPSG:0")
