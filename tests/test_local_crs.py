"""Figures without a globe: local coordinates in control points, fits and files, with even and logarithmic axes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import CRS

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.files.gcp_tables import read_gcps, write_gcps, write_points_file
from geocbar.files.geopackage import write_csv, write_geopackage, write_points
from geocbar.files.geotiff import write_geotiff
from geocbar.grid.raster import Raster
from geocbar.grid.thinning import Points
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import fit_georeference
from geocbar.place.local_crs import (
    LOCAL,
    LOG_AXES,
    axis_readings,
    crs_definition,
    is_local,
    local_notes,
    short_crs,
    to_local_plane,
)
from geocbar.place.projections import distance_km, is_geographic, project_points, require_crs
from geocbar.value.scale import ColorScale

QGIS_PYTHON = "/usr/bin/python3"
NAMES = list(LOG_AXES)
PIXELS = np.array([[10, 10], [110, 12], [11, 90], [109, 88], [60, 50]], np.float64)
#: A section: 800 km long, from the surface down to 5000 m.
SECTION = Affine(8, 0, -80, 0, -62.5, 625)


def on_axes(pixels: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """What the axes say at pixels of a figure 120 x 100 px; logarithmic ones from 0.01 to 10000."""
    log_x, log_y = LOG_AXES[name]
    col, row = pixels.T
    x = 10.0 ** (col / 20 - 2) if log_x else 8 * col - 80
    y = 10.0 ** (4 - 6 * row / 100) if log_y else 625 - 62.5 * row
    return np.stack([x, y], axis=1)


def table(path: Path, name: str, first: str = "") -> Path:
    rows = zip(PIXELS.tolist(), on_axes(PIXELS, name).tolist(), strict=True)
    lines = [f"{col},{row},{x!r},{y!r}" for (col, row), (x, y) in rows]
    path.write_text("\n".join(([first] if first else []) + ["pixel,line,x,y", *lines]) + "\n")
    return path


# ---------------------------------------------------------------- the reference system


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_reference_system_like_others(name: str) -> None:
    require_crs(name)
    require_crs(crs_definition(name))
    assert is_local(name)
    assert is_local(crs_definition(name))
    assert not is_geographic(name)
    assert short_crs(crs_definition(name.upper())) == name
    assert CRS.from_user_input(crs_definition(name)).is_engineering


def test_others_are_left_alone() -> None:
    for crs in ("EPSG:4326", "EPSG:32633", "+proj=robin", "nonsense"):
        assert not is_local(crs)
        assert short_crs(crs) == crs_definition(crs) == crs
    assert local_notes("EPSG:4326") == ()
    foreign = LOCAL.replace("Local coordinates", "Mine 7")
    assert is_local(foreign)
    assert short_crs(foreign) == foreign


def test_misspelt_ones_are_refused_with_what_there_is() -> None:
    with pytest.raises(NotFoundError, match=r"no local reference system 'local:log'.*\n.*local:logx, local:logy"):
        require_crs("local:log")


@pytest.mark.parametrize(("start", "goal"), [("local", "EPSG:4326"), ("EPSG:3857", LOCAL), ("local", "local:logx")])
def test_there_is_no_way_to_the_globe(start: str, goal: str) -> None:
    with pytest.raises(InvalidInputError, match=r"local coordinates have no place on a globe\.\n.*--to-crs"):
        project_points([[1, 2]], start, goal)


def test_the_plane_is_the_same_by_any_of_its_names() -> None:
    read_back = CRS.from_wkt(LOCAL).to_wkt("WKT1_GDAL")
    for goal in ("local", LOCAL, read_back):
        np.testing.assert_array_equal(project_points([[700, -5000]], "LOCAL", goal), [[700, -5000]])


def test_there_are_no_kilometres() -> None:
    assert np.isnan(distance_km(np.zeros((3, 2)), np.ones((3, 2)), "local")).all()
    assert np.isnan(distance_km(np.zeros((3, 2)), np.ones((3, 2)), LOCAL)).all()


# ---------------------------------------------------------------- control points


@pytest.mark.parametrize("name", NAMES)
def test_control_points_are_read_from_x_and_y(name: str, tmp_path: Path) -> None:
    gcps = read_gcps(table(tmp_path / "gcps.csv", name), crs=name)
    assert short_crs(gcps.crs) == name
    np.testing.assert_allclose(axis_readings(gcps.world, gcps.crs), on_axes(PIXELS, name), rtol=1e-12)
    fit = fit_georeference(gcps, "affine")
    assert fit.rmse_px < 1e-9
    at = np.array([[33.25, 71.5], [0, 0], [120, 100]])
    np.testing.assert_allclose(
        axis_readings(fit.transform.to_world(at), fit.crs), on_axes(at, name), rtol=1e-9, atol=1e-9
    )
    assert np.isnan(fit.residuals_km).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_table_may_name_the_system_itself(name: str, tmp_path: Path) -> None:
    gcps = read_gcps(table(tmp_path / "gcps.csv", name, f"#CRS: {name}"))
    assert short_crs(gcps.crs) == name


@pytest.mark.parametrize("name", NAMES)
def test_tables_come_back(name: str, tmp_path: Path) -> None:
    gcps = read_gcps(table(tmp_path / "gcps.csv", name), crs=name)
    write_gcps(tmp_path / "again.csv", gcps)
    text = (tmp_path / "again.csv").read_text()
    assert text.startswith(f"#CRS: {name}\nname,pixel,line,x,y,enable\n")
    write_points_file(tmp_path / "again.points", gcps)
    for again in ("again.csv", "again.points"):
        # Told once more, the logarithm is not taken twice.
        for crs in (None, name):
            found = read_gcps(tmp_path / again, crs=crs)
            assert found.crs == gcps.crs or CRS(found.crs) == CRS(gcps.crs)
            np.testing.assert_allclose(found.world, gcps.world, rtol=1e-13, atol=1e-13)
            np.testing.assert_array_equal(found.pixels, gcps.pixels)


def test_places_no_logarithm_reaches_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "gcps.csv", "local")
    with pytest.raises(InvalidInputError, match=r"Point '1' has x = 0, .* logarithmic axis\.\n.*--gcp-crs local"):
        read_gcps(path, crs="local:logx")
    with pytest.raises(InvalidInputError, match=r"Point '1' has y = 0, "):
        read_gcps(path, crs="local:logy")


def test_angles_are_no_local_coordinates(tmp_path: Path) -> None:
    path = tmp_path / "gcps.csv"
    path.write_text("pixel,line,x,y\n1,2,12W,5\n")
    with pytest.raises(InvalidInputError, match="column x: '12W': it is not a number"):
        read_gcps(path, crs="local")


@given(
    st.lists(st.floats(1e-30, 1e30), min_size=2, max_size=2),
    st.sampled_from(NAMES),
)
def test_readings_come_back_through_the_plane(reading: list[float], name: str) -> None:
    plane = to_local_plane(GroundControlPoints(np.zeros((1, 2)), np.array([reading]), name))
    np.testing.assert_allclose(axis_readings(plane.world, plane.crs), [reading], rtol=1e-12)
    assert to_local_plane(plane) is plane


def test_notes_say_what_the_coordinates_are() -> None:
    assert "no distances in km" not in " ".join(local_notes("EPSG:3857"))
    assert "there are no distances in km" in local_notes("local")[0]
    assert local_notes(crs_definition("local:logy"))[1].startswith("y runs with the logarithm: ")
    assert local_notes("local:logxy")[1].startswith("x and y run with the logarithm: ")


# ---------------------------------------------------------------- files


def written(folder: Path, name: str) -> tuple[Path, Points]:
    """A GeoTIFF, a GeoPackage and a CSV in a local plane."""
    gcps = read_gcps(table(folder / "gcps.csv", name), crs=name)
    fit = fit_georeference(gcps, "affine")
    assert fit.affine is not None
    values = np.arange(12000, dtype=np.float32).reshape(100, 120) / 100
    scale = ColorScale.from_colors(np.array([[0, 0, 90], [250, 250, 0]]), vmin=0, vmax=120, name="T", unit="°C")
    write_geotiff(folder / "map.tif", Raster(values, fit.affine, fit.crs), name="T", unit="°C")
    pixels = np.array([[20.5, 30.5], [70.5, 80.5], [100.5, 10.5]])
    at = values[pixels[:, 1].astype(int), pixels[:, 0].astype(int)].astype(np.float64)
    points = Points(fit.transform.to_world(pixels), at, np.array([1, 2, 3]), pixels, fit.crs)
    ring = fit.transform.to_world([[0, 0], [120, 0], [120, 100], [0, 100], [0, 0]])
    write_geopackage(folder / "map.gpkg", points, scale, fit, ring, {"map": "section.png"})
    write_csv(folder / "map.csv", points)
    return folder, points


@pytest.mark.parametrize("name", NAMES)
def test_files_in_local_coordinates(name: str, tmp_path: Path) -> None:
    folder, points = written(tmp_path, name)
    with rasterio.open(folder / "map.tif") as file:
        assert file.crs is not None
        assert short_crs(file.crs.to_wkt()) == name
        left, bottom, right, top = file.bounds
        assert file.read(1)[30, 20] == points.values[0]
    np.testing.assert_allclose(
        axis_readings([[left, top], [right, bottom]], name),
        on_axes(np.array([[0, 0], [120, 100.0]]), name),
        rtol=1e-9,
        atol=1e-9,
    )
    for layer, count in (("points", 3), ("gcps", 5), ("footprint", 1)):
        frame = geopandas.read_file(folder / "map.gpkg", layer=layer)
        assert len(frame) == count
        assert short_crs(frame.crs.to_wkt()) == name
    frame = geopandas.read_file(folder / "map.gpkg", layer="points")
    assert "lon" not in frame
    expected = on_axes(points.pixels, name)
    np.testing.assert_allclose(frame[["x", "y"]], expected, rtol=1e-9)
    np.testing.assert_allclose(np.stack([frame.geometry.x, frame.geometry.y], axis=1), points.xy)
    rows = list(csv.DictReader((folder / "map.csv").read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["x", "y", "value", "sigma", "count"]
    np.testing.assert_allclose([[float(row["x"]), float(row["y"])] for row in rows], expected, rtol=1e-9)
    seen = geopandas.read_file(folder / "map.gpkg", layer="gcps")
    np.testing.assert_allclose(seen[["x", "y"]], on_axes(PIXELS, name), rtol=1e-9)


def test_writers_take_the_short_name(tmp_path: Path) -> None:
    values = np.ones((4, 5), np.float32)
    write_geotiff(tmp_path / "map.tif", Raster(values, SECTION, "local"))
    with rasterio.open(tmp_path / "map.tif") as file:
        assert short_crs(file.crs.to_wkt()) == "local"
        assert file.transform.almost_equals(SECTION)
    scale = ColorScale.from_colors(np.array([[0, 0, 90], [250, 250, 0]]), vmin=0, vmax=1)
    points = Points(np.array([[700.0, -5000]]), np.ones(1), np.ones(1, int), np.ones((1, 2)), "local")
    write_points(tmp_path / "map.gpkg", points, scale)
    assert short_crs(geopandas.read_file(tmp_path / "map.gpkg", layer="points").crs.to_wkt()) == "local"


QGIS_SCRIPT = """
import json, os, sys
from qgis.core import QgsApplication, QgsPointXY, QgsRasterLayer, QgsVectorLayer
application = QgsApplication([], False)
application.initQgis()
folder, x, y = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
raster = QgsRasterLayer(folder + "/map.tif", "raster")
answer = {"value": raster.dataProvider().sample(QgsPointXY(x, y), 1)[0]}
layers = {"raster": raster}
for name in ("points", "gcps", "footprint"):
    layers[name] = QgsVectorLayer(folder + "/map.gpkg|layername=" + name, name, "ogr")
for name, layer in layers.items():
    crs, box = layer.crs(), layer.extent()
    answer[name] = {
        "valid": layer.isValid(), "crs": crs.isValid(), "name": crs.description(), "geographic": crs.isGeographic(),
        "extent": [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()],
    }
answer["same"] = layers["raster"].crs() == layers["footprint"].crs()
print("ANSWER " + json.dumps(answer))
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.parametrize("name", ["local", "local:logx"])
def test_qgis_accepts_the_local_plane(name: str, tmp_path: Path) -> None:
    if not Path(QGIS_PYTHON).exists():
        pytest.skip(f"there is no {QGIS_PYTHON}")
    folder, points = written(tmp_path, name)
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
    done = subprocess.run(
        [QGIS_PYTHON, "-c", QGIS_SCRIPT, str(folder), *map(repr, points.xy[1].tolist())],
        env={**kept, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "No module named 'qgis'" in done.stderr:
        pytest.skip(f"{QGIS_PYTHON} has no QGIS")
    lines = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    assert lines, done.stderr
    answer = json.loads(lines[0].removeprefix("ANSWER "))
    assert answer["value"] == pytest.approx(points.values[1])
    ring = geopandas.read_file(folder / "map.gpkg", layer="footprint").total_bounds
    for layer in ("raster", "points", "gcps", "footprint"):
        seen = answer[layer]
        assert seen["valid"]
        assert not seen["geographic"]
        if layer in ("raster", "footprint"):
            np.testing.assert_allclose(seen["extent"], ring, rtol=1e-9, atol=1e-9)
        assert seen["crs"], layer
        assert seen["name"] == CRS(crs_definition(name)).name
