"""GeoTIFF, GeoPackage and CSV as written: what is in them, and what happens when they cannot be written."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from geocbar.errors import FileProblemError
from geocbar.files.geopackage import write_csv, write_geopackage, write_points
from geocbar.files.geotiff import write_geotiff
from geocbar.grid.raster import Raster
from geocbar.grid.thinning import Points
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import Georeference, fit_georeference
from geocbar.value.scale import ColorScale

ROTATED = Affine(0.1, 0.02, 100, 0.015, -0.1, 10)
Floats = NDArray[np.float32]


def field(height: int, width: int, missing: bool = True) -> Floats:
    """A noisy slope with a hole, the same at every call."""
    y, x = np.mgrid[:height, :width]
    values = (0.1 * x - 0.3 * y + np.random.default_rng(7).normal(size=(height, width))).astype(np.float32)
    if missing:
        values[0, 0] = np.nan
    return values


@pytest.fixture(scope="module")
def scale() -> ColorScale:
    return ColorScale(np.array([[0, 0, 90], [250, 250, 0]]), np.array([-5.0, 5.0]), np.array([-5.0, 5.0]), unit="m")


@pytest.fixture(scope="module")
def georeference() -> Georeference:
    pixels = np.array([[0, 0], [100, 0], [0, 80], [100, 80.5]])
    world = np.array([[100.0, 8], [110, 8], [100, 0], [110, 0]])
    return fit_georeference(GroundControlPoints(pixels, world, names=("NW", "ü <&>", "SW", "SE")), "affine")


def some_points(n: int, crs: str = "EPSG:4326", sigma: bool = True, origin: tuple[float, float] = (105, 3)) -> Points:
    rng = np.random.default_rng(3)
    return Points(
        xy=rng.normal(size=(n, 2)) + origin,
        values=rng.normal(size=n),
        count=rng.integers(1, 90, n),
        pixels=rng.uniform(0, 80, (n, 2)),
        crs=crs,
        sigma=rng.uniform(0.1, 0.2, n) if sigma else None,
    )


# ---------------------------------------------------------------- GeoTIFF


@pytest.mark.parametrize("sigma", [False, True], ids=["value", "value and sigma"])
@pytest.mark.parametrize(
    ("shape", "overviews"),
    [((1, 1), []), ((2, 3), []), ((257, 511), [2]), ((700, 300), [2, 4]), ((129, 1030), [2, 4, 8])],
)
def test_geotiff(shape: tuple[int, int], overviews: list[int], sigma: bool, tmp_path: Path) -> None:
    values = field(*shape)
    raster = Raster(values, ROTATED, "EPSG:4326", np.abs(values) if sigma else None)
    path = tmp_path / "map.tif"
    write_geotiff(path, raster, name="Temp <&>", unit="°C", tags={"GEOCBAR_MAP": "größe.png", "AREA_OR_POINT": "Point"})
    with rasterio.open(path) as file:
        assert file.count == (2 if sigma else 1)
        assert file.dtypes == ("float32",) * file.count
        assert np.isnan(file.nodata)
        assert file.transform == ROTATED
        assert file.crs.to_epsg() == 4326
        assert file.block_shapes[0] == (256, 256)
        layout = file.tags(ns="IMAGE_STRUCTURE")
        assert (layout["COMPRESSION"], layout["PREDICTOR"], layout["INTERLEAVE"]) == ("DEFLATE", "3", "BAND")
        assert file.overviews(1) == overviews
        assert file.descriptions == ("Temp <&> [°C]", "sigma [°C]")[: file.count]
        assert file.tags()["AREA_OR_POINT"] == "Area"
        assert file.tags()["GEOCBAR_MAP"] == "größe.png"
        np.testing.assert_array_equal(file.read(1), values)
        if sigma:
            np.testing.assert_array_equal(file.read(2), np.abs(values))
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.tif"]


def test_embedded_statistics_are_those_of_the_values(tmp_path: Path) -> None:
    values = field(40, 50)
    write_geotiff(tmp_path / "map.tif", Raster(values, ROTATED, "EPSG:4326", values * 2))
    good = values[np.isfinite(values)].astype(np.float64)
    with rasterio.open(tmp_path / "map.tif") as file:
        for number, factor in ((1, 1), (2, 2)):
            tags = {key: float(value) for key, value in file.tags(number).items()}
            assert tags["STATISTICS_MINIMUM"] == factor * good.min()
            assert tags["STATISTICS_MAXIMUM"] == factor * good.max()
            assert tags["STATISTICS_MEAN"] == pytest.approx(factor * good.mean(), rel=1e-12)
            assert tags["STATISTICS_STDDEV"] == pytest.approx(factor * good.std(), rel=1e-12)
            assert tags["STATISTICS_VALID_PERCENT"] == pytest.approx(100 * good.size / values.size, rel=1e-3)


def test_a_raster_without_any_value(tmp_path: Path) -> None:
    values = np.full((300, 300), np.nan, np.float32)
    write_geotiff(tmp_path / "map.tif", Raster(values, ROTATED, "EPSG:4326"))
    with rasterio.open(tmp_path / "map.tif") as file:
        assert np.isnan(file.read(1)).all()
        assert file.overviews(1) == [2]
        assert file.tags(1) == {"STATISTICS_VALID_PERCENT": "0"}
    assert len(list(tmp_path.iterdir())) == 1


def test_the_same_raster_gives_the_same_bytes(tmp_path: Path) -> None:
    raster = Raster(field(600, 700), ROTATED, "EPSG:4326", field(600, 700))
    for name in ("a.tif", "b.tif"):
        write_geotiff(tmp_path / name, raster, unit="m", tags={"b": "2", "a": "1"})
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


@pytest.mark.parametrize("classes", [False, True])
def test_overviews_average_values_but_not_classes(classes: bool, tmp_path: Path) -> None:
    values = np.where(np.arange(400) % 2, np.float32(10), np.float32(20)) * np.ones((400, 1), np.float32)
    values[:2, :2] = np.nan
    values[2:4, 0] = np.nan
    write_geotiff(tmp_path / "map.tif", Raster(values, ROTATED, "EPSG:4326"), classes=classes)
    with rasterio.open(tmp_path / "map.tif", overview_level=0) as file:
        small = file.read(1)
    assert small.shape == (200, 200)
    assert set(np.unique(small[5:])) <= ({10.0, 20.0} if classes else {15.0})
    assert np.isnan(small[0, 0])
    if not classes:
        assert small[1, 0] == 10, "missing values take no part in the average"


@pytest.mark.parametrize(
    "crs",
    [
        "EPSG:32633",
        "EPSG:3857",
        "ESRI:54030",
        "IAU_2015:30100",
        "+proj=robin +lon_0=150 +datum=WGS84",
        "+proj=lcc +lat_1=30 +lat_2=50 +lat_0=40 +lon_0=100 +datum=WGS84",
        "+proj=eqc +lat_ts=30 +R=1737400",
        "+proj=wintri +lon_0=10 +R=6371000",
    ],
)
def test_coordinate_reference_system_is_kept(crs: str, tmp_path: Path) -> None:
    write_geotiff(tmp_path / "map.tif", Raster(field(3, 4), Affine(1e4, 0, 3e5, 0, -1e4, 4e6), crs))
    with rasterio.open(tmp_path / "map.tif") as file:
        stored = CRS.from_wkt(file.crs.to_wkt())
        assert stored.equals(CRS.from_user_input(crs), ignore_axis_order=True)
        if crs.startswith("EPSG"):
            assert file.crs.to_string() == crs
    assert len(list(tmp_path.iterdir())) == 1


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "map.tif"
    write_geotiff(path, Raster(field(300, 300), ROTATED, "EPSG:4326", field(300, 300)), tags={"OLD": "1"})
    write_geotiff(path, Raster(field(5, 5), ROTATED, "EPSG:4326"))
    with rasterio.open(path) as file:
        assert (file.count, file.shape, "OLD" in file.tags()) == (1, (5, 5), False)


# ---------------------------------------------------------------- GeoPackage and CSV


@pytest.mark.parametrize("sigma", [False, True])
def test_geopackage_layers(sigma: bool, scale: ColorScale, georeference: Georeference, tmp_path: Path) -> None:
    points = some_points(40, sigma=sigma)
    outline = np.array([[100.0, 0], [110, 0], [110, 8], [100, 8], [100, 0]])
    path = tmp_path / "map.gpkg"
    write_geopackage(path, points, scale, georeference, outline, {"map": "ü <&>.png", "rmse_px": 0.25})
    assert sorted(name for name, _ in pyogrio.list_layers(path)) == ["footprint", "gcps", "layer_styles", "points"]

    frame = pyogrio.read_dataframe(path, layer="points")
    fields = ["value", "sigma", "count", "pixel", "line", "lon", "lat", "geometry"]
    assert list(frame.columns) == [name for name in fields if sigma or name != "sigma"]
    np.testing.assert_array_equal(frame["value"], points.values)
    np.testing.assert_array_equal(frame["count"], points.count)
    np.testing.assert_array_equal(frame[["pixel", "line"]], points.pixels)
    np.testing.assert_array_equal(frame.geometry.get_coordinates(), points.xy)
    np.testing.assert_allclose(frame[["lon", "lat"]], points.xy, atol=1e-12)
    assert frame.crs.to_epsg() == 4326
    if sigma:
        np.testing.assert_array_equal(frame["sigma"], points.sigma)

    gcps = pyogrio.read_dataframe(path, layer="gcps")
    assert list(gcps["name"]) == ["NW", "ü <&>", "SW", "SE"]
    np.testing.assert_array_equal(gcps[["dX", "dY"]], georeference.residuals)
    np.testing.assert_allclose(gcps["residual_px"], np.hypot(*georeference.residuals.T))
    np.testing.assert_array_equal(gcps.geometry.get_coordinates(), georeference.gcps.world)
    assert gcps["enabled"].tolist() == [True] * 4

    footprint = pyogrio.read_dataframe(path, layer="footprint")
    assert (footprint["map"][0], footprint["rmse_px"][0]) == ("ü <&>.png", 0.25)
    assert footprint.geometry[0].area == pytest.approx(80)


def test_geopackage_holds_a_default_style_for_every_layer(
    scale: ColorScale, georeference: Georeference, tmp_path: Path
) -> None:
    path = tmp_path / "map.gpkg"
    outline = np.array([[100.0, 0], [110, 0], [110, 8], [100, 0]])
    write_geopackage(path, some_points(5), scale, georeference, outline)
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT f_table_name, f_geometry_column, useAsDefault, styleQML FROM layer_styles")
    styles = {name: (column, default, qml) for name, column, default, qml in rows}
    assert set(styles) == {"points", "gcps", "footprint"}
    assert all((column, default) == ("geom", 1) for column, default, _ in styles.values())
    assert 'type="graduatedSymbol" attr="value"' in styles["points"][2]
    assert 'fieldName="name"' in styles["gcps"][2]
    assert "SimpleFill" in styles["footprint"][2]
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"GPKG", "big"),)
    assert connection.execute("PRAGMA user_version").fetchone() == (10200,)
    connection.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.gpkg"]


def test_points_in_another_system_have_their_degrees(scale: ColorScale, tmp_path: Path) -> None:
    """(500000, 0) in UTM zone 33 is 15 E on the equator."""
    points = Points(
        np.array([[500000.0, 0]]), np.array([1.0]), np.array([1]), np.array([[0.5, 0.5]]), "EPSG:32633", None
    )
    write_points(tmp_path / "map.gpkg", points, scale)
    frame = pyogrio.read_dataframe(tmp_path / "map.gpkg", layer="points")
    np.testing.assert_allclose(frame[["lon", "lat"]], [[15, 0]], atol=1e-9)
    assert frame.crs.to_epsg() == 32633


@pytest.mark.parametrize(
    ("crs", "xy", "lonlat"),
    [
        ("EPSG:4326", (200, 5), (-160, 5)),
        ("EPSG:4807", (2, 50), (2.33722917 + 1.8, 45)),
        ("+proj=eqc +R=1737400", (1737400 * np.pi / 2, 0), (90, 0)),
    ],
    ids=["beyond the date line", "grads from Paris", "on the Moon"],
)
def test_csv_counts_in_degrees_east_of_greenwich(
    crs: str, xy: tuple[float, float], lonlat: tuple[float, float], tmp_path: Path
) -> None:
    points = Points(np.array([xy]), np.array([1.25]), np.array([3]), np.array([[0.5, 0.5]]), crs, None)
    write_csv(tmp_path / "map.csv", points)
    (row,) = csv.DictReader((tmp_path / "map.csv").read_text().splitlines())
    assert (float(row["lon"]), float(row["lat"])) == pytest.approx(lonlat, abs=2e-3)
    assert (row["value"], row["sigma"], row["count"]) == ("1.25", "", "3")


def test_csv_numbers_survive(tmp_path: Path) -> None:
    points = some_points(30)
    write_csv(tmp_path / "map.csv", points)
    table = np.genfromtxt(tmp_path / "map.csv", delimiter=",", names=True)
    assert table.dtype.names == ("lon", "lat", "value", "sigma", "count")
    np.testing.assert_allclose(table["value"], points.values, rtol=1e-8)
    np.testing.assert_allclose(table["sigma"], np.asarray(points.sigma), rtol=1e-5)
    np.testing.assert_allclose(np.stack([table["lon"], table["lat"]], axis=1), points.xy, atol=1e-8)
    np.testing.assert_array_equal(table["count"], points.count)


def test_no_points_at_all(scale: ColorScale, tmp_path: Path) -> None:
    write_points(tmp_path / "map.gpkg", some_points(0), scale)
    assert pyogrio.read_info(tmp_path / "map.gpkg", layer="points")["geometry_type"] == "Point"
    write_csv(tmp_path / "map.csv", some_points(0))
    assert (tmp_path / "map.csv").read_text() == "lon,lat,value,sigma,count\n"


# ---------------------------------------------------------------- what cannot be written


@pytest.mark.parametrize("place", ["missing/map.gpkg", "folder.gpkg"])
def test_places_that_cannot_be_written(place: str, scale: ColorScale, tmp_path: Path) -> None:
    (tmp_path / "folder.gpkg").mkdir()
    path = tmp_path / place
    sentence = r"cannot be written: .*[^.]\.\n  Check the folder"
    with pytest.raises(FileProblemError, match=sentence):
        write_geotiff(path, Raster(field(3, 3), ROTATED, "EPSG:4326"))
    with pytest.raises(FileProblemError, match=sentence):
        write_points(path, some_points(3), scale)
    with pytest.raises(FileProblemError, match=sentence):
        write_csv(path, some_points(3))


FULL_DISK = """
import json, resource, sys
from pathlib import Path
from test_outputs import *

folder = Path(sys.argv[1])
scale = ColorScale(np.array([[0, 0, 90], [250, 250, 0]]), np.array([-5.0, 5.0]), np.array([-5.0, 5.0]))
raster, points = Raster(field(500, 600), ROTATED, "EPSG:4326"), some_points(1500)
writers = {
    "tif": lambda path: write_geotiff(path, raster),
    "gpkg": lambda path: write_points(path, points, scale),
    "csv": lambda path: write_csv(path, points),
}
for kind, write in writers.items():
    write(folder / f"whole.{kind}")
    size = (folder / f"whole.{kind}").stat().st_size
    for share in (0, 0.001, 0.1, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1):
        path = folder / f"{share}.{kind}"
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size * share), resource.RLIM_INFINITY))
        try:
            write(path)
            outcome = "written"
        except BaseException as error:
            outcome = type(error).__name__ + ": " + str(error)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(json.dumps([kind, share, outcome]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes to stand for a full disk")
def test_a_full_disk_is_noticed_wherever_it_happens(tmp_path: Path) -> None:
    """GDAL closes a cut-off GeoTIFF, and leaves out a spatial index, without a word."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    outcomes: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) == 33, done.stderr
    for kind, share, outcome in outcomes:
        if share == 1:
            assert outcome == "written", kind
        else:
            assert outcome.startswith(f"FileProblemError: {share}.{kind} cannot be written: "), (kind, share, outcome)
            assert "free space." in outcome
