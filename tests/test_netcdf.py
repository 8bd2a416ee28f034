"""Datasets as the CF conventions want them: read again by xarray and by GDAL, projected, rotated and local."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS

from geocbar.errors import FileProblemError
from geocbar.files.netcdf import to_dataset, write_netcdf
from geocbar.grid.raster import Raster

xarray = pytest.importorskip("xarray")

VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)
VALUES[0, 0] = np.nan
NORTH_UP = Affine(0.5, 0, 10, 0, -0.25, 50)


def raster(affine: Affine = NORTH_UP, crs: str = "EPSG:4326") -> Raster:
    reason = np.where(np.isfinite(VALUES), 0, 3).astype(np.uint8)
    return Raster(VALUES, affine, crs, sigma=np.full_like(VALUES, 0.1), reason=reason)


def test_degrees(tmp_path: Path) -> None:
    made = to_dataset(raster(), name="sea temperature", unit="degC", reasons={0: "data", 3: "line or letter"})
    write_netcdf(tmp_path / "map.nc", made)
    with xarray.open_dataset(tmp_path / "map.nc") as read:
        assert read.attrs["Conventions"] == "CF-1.11"
        field = read["sea_temperature"]
        assert field.dims == ("lat", "lon")
        assert (field.attrs["units"], field.attrs["long_name"]) == ("degC", "sea temperature")
        assert field.attrs["ancillary_variables"] == "sigma reason"
        np.testing.assert_array_equal(field, VALUES)
        np.testing.assert_allclose(read.lon, [10.25, 10.75, 11.25, 11.75])
        np.testing.assert_allclose(read.lat, [49.875, 49.625, 49.375])
        assert read.lat.attrs["standard_name"] == "latitude"
        assert read.reason.attrs["flag_meanings"] == "data line_or_letter"
        assert read.reason.attrs["flag_values"].tolist() == [0, 3]
        assert float(field.sel(lon=11.3, lat=49.6, method="nearest")) == VALUES[1, 2]


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_projected_and_read_by_gdal(tmp_path: Path) -> None:
    made = to_dataset(raster(Affine(1000, 0, 4e5, 0, -1000, 5.3e6), "EPSG:32633"), name="2 m height")
    write_netcdf(tmp_path / "map.nc", made)
    assert "_2_m_height" in made
    assert CRS.from_cf(made["crs"].attrs).to_epsg() == 32633
    assert made.x.attrs["standard_name"] == "projection_x_coordinate"
    with rasterio.open(tmp_path / "map.nc") as file:
        [name] = [name for name in file.subdatasets if name.endswith("_2_m_height")]
    with rasterio.open(name) as file:
        assert file.crs.to_epsg() == 32633
        assert file.transform.almost_equals(Affine(1000, 0, 4e5, 0, -1000, 5.3e6))
        np.testing.assert_array_equal(file.read(1), VALUES)


def test_rotated_and_local() -> None:
    turned = Affine(10, 3, 0, 3, -10, 100)
    made = to_dataset(raster(turned, "EPSG:32633"))
    assert made["value"].dims == ("row", "col")
    assert (float(made.x[2, 1]), float(made.y[2, 1])) == pytest.approx(turned @ (1.5, 2.5))
    local = to_dataset(raster(crs="local"))
    assert local["value"].dims == ("y", "x")
    assert "crs_wkt" in local["crs"].attrs


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match="cannot be written"):
        write_netcdf(tmp_path / "missing" / "map.nc", to_dataset(raster()))
