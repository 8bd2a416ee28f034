"""Rasters to points and back: any raster, any layer of points, every method; on the plane and on the sphere."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
from affine import Affine
from map_job import geocbar
from numpy.typing import NDArray

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.files.geopackage import write_points
from geocbar.files.geotiff import write_geotiff
from geocbar.files.point_layers import read_points
from geocbar.files.rasters import cells_inside, data_area, read_raster
from geocbar.grid.points import Points
from geocbar.grid.raster import Raster
from geocbar.grid.regridding import METHODS, compare_rasters, grid_over, regrid

Floats = NDArray[np.float64]
UTM = Affine(250, 0, 400_000, 0, -250, 5_300_000)


def hills(x: Floats, y: Floats) -> Floats:
    return np.asarray(10 + np.sin(x) + np.cos(1.3 * y) + 0.4 * np.sin(x + 2 * y))


def hilly_raster(height: int = 120, width: int = 160, hole: bool = True) -> Raster:
    row, col = np.mgrid[:height, :width]
    values = hills(col / 21, row / 17).astype(np.float32)
    if hole:
        values[40:70, 60:110] = np.nan
        values[:, 30] = np.nan
    sigma = np.full_like(values, 0.02)
    return Raster(values, UTM, "EPSG:32633", sigma=sigma)


def scattered(n: int, crs: str, low: Floats, high: Floats, sigma: float | None = None, seed: int = 1) -> Points:
    xy = np.random.default_rng(seed).uniform(low, high, (n, 2))
    values = hills(*(6 * (xy - low) / (high - low)).T)
    return Points(xy, values, np.ones(n, int), np.zeros((n, 2)), crs, None if sigma is None else np.full(n, sigma))


# ---------------------------------------------------------------- the command line


@pytest.mark.parametrize("ending", [".gpkg", ".csv", ".geojson", ".fgb"])
def test_there_and_back(ending: str, tmp_path: Path) -> None:
    write_geotiff(tmp_path / "hills.tif", hilly_raster(), name="height", unit="m")
    there = geocbar("thin", "hills.tif", "--out", f"points{ending}", cwd=tmp_path)
    assert there.code == 0, there.err
    assert "height [m]" in there.out
    back = geocbar("regrid", f"points{ending}", "--like", "hills.tif", "--out", "again.tif", cwd=tmp_path)
    assert back.code == 0, back.err
    truth, again = read_raster(tmp_path / "hills.tif")[0], read_raster(tmp_path / "again.tif")[0]
    check = compare_rasters(again, truth)
    assert check.p99_percent < 2.3
    assert check.lost_percent < 1
    assert f"99 % within {check.p99_percent:.2f} %" in back.out
    assert again.sigma is not None
    assert np.nanmedian(again.sigma) == pytest.approx(0.02, rel=0.01)
    in_hole = np.isfinite(again.values[42:68, 62:108]).mean()
    assert in_hole == (0 if ending == ".gpkg" else 1)  # only a GeoPackage holds the area with data
    assert np.isfinite(again.values[:, 30]).mean() > 0.99  # a line over the map is no hole


def test_resolution_and_refusals(tmp_path: Path) -> None:
    write_geotiff(tmp_path / "hills.tif", hilly_raster(hole=False))
    assert geocbar("thin", "hills.tif", cwd=tmp_path).code == 0
    made = geocbar("regrid", "hills_points.gpkg", "--resolution", "500", "--method", "cubic", cwd=tmp_path)
    assert made.code == 0, made.err
    with rasterio.open(tmp_path / "hills_points_cubic.tif") as file:
        assert file.res == (500, 500)
        assert file.crs.to_epsg() == 32633
        col, row = ~file.transform @ (UTM @ (80.5, 60.5))
        assert file.read(1)[int(row), int(col)] == pytest.approx(
            hills(np.float64(80 / 21), np.float64(60 / 17)), abs=0.1
        )
    for args, sentence in [
        (("thin", "hills.tif"), "is there already"),
        (("thin", "hills.tif", "--out", "p.xls"), "cannot be written as p.xls"),
        (("thin", "nowhere.tif"), "there is no such file"),
        (("thin", "hills.tif", "--band", "7", "--out", "p.csv"), "no band 7"),
        (("regrid", "hills_points.gpkg"), "not said, or said twice"),
        (("regrid", "hills_points.gpkg", "--resolution", "-1", "--out", "x.tif"), "cannot be -1 wide"),
        (
            ("regrid", "hills_points.gpkg", "--resolution", "1", "--value", "depth", "--out", "x.tif"),
            "no field 'depth'",
        ),
        (("regrid", "lost.gpkg", "--resolution", "1"), "There is no file lost.gpkg"),
        (("regrid", "hills_points.gpkg", "--resolution", "1", "--out", "x.png"), "Let its name end in .tif"),
    ]:
        outcome = geocbar(*args, cwd=tmp_path)
        assert outcome.code == 1, (args, outcome)
        assert sentence in outcome.err, (args, outcome.err)
    outcome = geocbar("thin", "hills.tif", "--max-error", "0", "--out", "p.csv", cwd=tmp_path)
    assert outcome.code == 2
    assert "is no error above 0 %" in outcome.err


@pytest.mark.parametrize(
    ("fill", "sentence"), [("nan", "no cell with a value"), ("one", "Every cell"), ("same", "has 3")]
)
def test_rasters_without_a_field(fill: str, sentence: str, tmp_path: Path) -> None:
    values = np.full((30, 40), 3 if fill == "same" else np.nan, np.float32)
    if fill == "one":
        values[3, 4] = 1
    write_geotiff(tmp_path / "flat.tif", Raster(values, UTM, "EPSG:32633"))
    outcome = geocbar("thin", "flat.tif", cwd=tmp_path)
    assert outcome.code == 1
    assert sentence in outcome.err


# ---------------------------------------------------------------- layers of points


def test_csv_as_people_make_it(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        "Latitude;Longitude;depth;sigma\n1,5;10;3,25;0,1\n2,5;11;;0,1\n1,5;10;9;0,1\n3;12;4;\n"
    )
    layer = read_points(tmp_path / "p.csv", "depth")
    assert layer.points.crs == "EPSG:4326"
    assert layer.points.xy.tolist() == [[10, 1.5], [12, 3]]
    assert layer.points.values.tolist() == [3.25, 4]
    assert layer.points.sigma is None  # one of them is missing
    assert layer.dropped == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x,y,value\n1,2,3\n", "gives x and y but no CRS"),
        ("lon,lat,depth\n1,2,3\n", "no column value"),
        ("lon,lat,value\n1,2,deep\n", "line 2, column value: 'deep' is not a number"),
        ("lon,lat,value\n", "holds no points"),
        ("lon,lat,value\n1,2,\n", "None of 1 points has a place and a value"),
    ],
)
def test_bad_tables(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(InvalidInputError, match=sentence):
        read_points(tmp_path / "p.csv")


def test_layers_of_others(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"depth": [1.0, 2.0, 4.0], "kind": ["a", "b", "c"]},
        geometry=geopandas.points_from_xy([0, 1, 0], [50, 50, 51]),
        crs="EPSG:4258",
    )
    frame.to_file(tmp_path / "others.gpkg", layer="soundings", driver="GPKG")
    layer = read_points(tmp_path / "others.gpkg", "depth")
    assert layer.points.crs == "EPSG:4258"
    assert layer.area is None
    with pytest.raises(InvalidInputError, match=r"no field 'value' with numbers"):
        read_points(tmp_path / "others.gpkg")
    frame.to_crs("EPSG:32631").buffer(1).to_file(tmp_path / "areas.geojson")
    with pytest.raises(FileProblemError, match="no layer of points"):
        read_points(tmp_path / "areas.geojson")
    (tmp_path / "broken.gpkg").write_text("no")
    with pytest.raises(FileProblemError, match="cannot be read"):
        read_points(tmp_path / "broken.gpkg")


def test_geojson_is_in_degrees(tmp_path: Path) -> None:
    points = scattered(20, "EPSG:32633", np.array([4e5, 5.2e6]), np.array([4.5e5, 5.3e6]))
    write_points(tmp_path / "p.geojson", points)
    frame = geopandas.read_file(tmp_path / "p.geojson")
    assert frame.crs.to_epsg() == 4326
    np.testing.assert_allclose(frame.geometry.x, frame["lon"], atol=1e-6)
    assert 13 < frame.geometry.x.min() < 15


def test_scales_offsets_and_nodata(tmp_path: Path) -> None:
    path = tmp_path / "packed.tif"
    profile = {
        "driver": "GTiff",
        "width": 3,
        "height": 1,
        "count": 1,
        "dtype": "int16",
        "crs": "EPSG:4326",
        "nodata": -9,
    }
    with rasterio.open(path, "w", transform=Affine(1, 0, 0, 0, -1, 1), **profile) as file:
        file.write(np.array([[[10, -9, 30]]], np.int16))
        file.scales, file.offsets, file.units = (0.1,), (5.0,), ("m",)
    raster, _, unit = read_raster(path)
    np.testing.assert_allclose(raster.values, [[6, np.nan, 8]])
    assert unit == "m"


def test_area_with_data() -> None:
    raster = hilly_raster()
    area = data_area(raster)
    inside = cells_inside(area, raster.affine, (120, 160))
    wanted = np.isfinite(raster.values)
    wanted[:, 30] = True
    assert (inside != wanted).mean() < 0.002
    empty = Raster(np.full((4, 4), np.nan, np.float32), UTM, "EPSG:32633")
    assert not cells_inside(data_area(empty), UTM, (4, 4)).any()


# ---------------------------------------------------------------- methods


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326"])
def test_methods_give_the_field_back(method: str, crs: str) -> None:
    low, high = (
        (np.array([4e5, 5.2e6]), np.array([5e5, 5.3e6]))
        if crs == "EPSG:32633"
        else (
            np.array([5.0, 40.0]),
            np.array([9.0, 44.0]),
        )
    )
    points = scattered(1500, crs, low, high)
    affine, shape = grid_over(points, (high[0] - low[0]) / 60)
    made = regrid(points, affine, shape, method=method)
    row, col = np.mgrid[: shape[0], : shape[1]]
    xy = np.stack(affine @ (col.ravel() + 0.5, row.ravel() + 0.5), axis=1)
    truth = hills(*(6 * (xy - low) / (high - low)).T).reshape(shape)
    off = np.abs(made.values - truth)[np.isfinite(made.values)]
    assert np.isfinite(made.values).mean() > 0.9
    assert np.sqrt(np.mean(off**2)) < {"linear": 0.03, "nearest": 0.12, "cubic": 0.02, "rbf": 0.02}[method]


def test_radial_functions_smooth_by_sigma() -> None:
    low, high = np.zeros(2), np.full(2, 1e4)
    points = scattered(900, "EPSG:32633", low, high, sigma=0.3)
    noisy = points.values + np.random.default_rng(2).normal(0, 0.3, len(points))
    points = Points(points.xy, noisy, points.count, points.pixels, points.crs, points.sigma)
    affine, shape = grid_over(points, 200)
    row, col = np.mgrid[: shape[0], : shape[1]]
    xy = np.stack(affine @ (col.ravel() + 0.5, row.ravel() + 0.5), axis=1)
    truth = hills(*(6 * xy / 1e4).T).reshape(shape)

    def rmse(method: str, given: Points) -> float:
        return float(np.sqrt(np.nanmean((regrid(given, affine, shape, method=method).values - truth) ** 2)))

    bare = Points(points.xy, noisy, points.count, points.pixels, points.crs)
    assert rmse("rbf", points) < 0.15 < rmse("rbf", bare)


def test_across_the_date_line_and_around_the_pole() -> None:
    rng = np.random.default_rng(4)
    lon, lat = rng.uniform(170, 190, 800), rng.uniform(-10, 10, 800)
    values = lon / 10 + lat / 5
    points = Points(
        np.stack([(lon + 180) % 360 - 180, lat], axis=1), values, np.ones(800, int), np.zeros((800, 2)), "EPSG:4326"
    )
    for method in METHODS:
        made = regrid(points, Affine(1, 0, 172, 0, -1, 8), (16, 16), method=method)
        row, col = np.mgrid[:16, :16]
        truth = (172.5 + col) / 10 + (7.5 - row) / 5
        assert np.isfinite(made.values).all()
        assert np.abs(made.values - truth).max() < (0.5 if method == "nearest" else 0.02), method
    lon, lat = rng.uniform(-180, 180, 3000), 90 - 25 * np.sqrt(rng.uniform(size=3000))
    flat = np.stack([(90 - lat) * np.cos(np.radians(lon)), (90 - lat) * np.sin(np.radians(lon))])
    polar = Points(
        np.stack([lon, lat], axis=1), hills(*(flat / 8)), np.ones(3000, int), np.zeros((3000, 2)), "EPSG:4326"
    )
    made = regrid(polar, Affine(10, 0, -180, 0, -1, 90), (20, 36))
    assert np.isfinite(made.values).all()
    row, col = np.mgrid[:20, :36]
    far, turn = row + 0.5, np.radians(-175 + 10 * col)
    assert np.abs(made.values - hills(far * np.cos(turn) / 8, far * np.sin(turn) / 8)).max() < 0.1


def test_too_little_to_go_by() -> None:
    line = Points(np.array([[0, 0], [1, 1], [2, 2.0]]), np.arange(3), np.ones(3, int), np.zeros((3, 2)), "EPSG:32633")
    with pytest.raises(InvalidInputError, match="The 3 points lie on one line"):
        regrid(line, UTM, (4, 4))
    two = Points(np.eye(2), np.arange(2), np.ones(2, int), np.zeros((2, 2)), "EPSG:32633")
    with pytest.raises(InvalidInputError, match="2 points span no area"):
        regrid(two, UTM, (4, 4))
    with pytest.raises(InvalidInputError, match="1 of 2 values are not positive"):
        regrid(two, UTM, (4, 4), logarithmic=True)
    with pytest.raises(InvalidInputError, match="There is no method 'idw'"):
        regrid(two, UTM, (4, 4), method="idw")
