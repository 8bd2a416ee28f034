"""What the programs people use make of the files: GDAL's commands, and QGIS with its default styles."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from numpy.typing import ArrayLike, NDArray

from geocbar.files.geopackage import write_geopackage
from geocbar.files.geotiff import write_geotiff, write_reasons
from geocbar.files.qgis_style import raster_style, reason_style
from geocbar.grid.raster import Raster
from geocbar.grid.thinning import Points
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import fit_georeference
from geocbar.place.projections import project_points
from geocbar.value.reasons import REASON_COLORS, REASON_NAMES
from geocbar.value.scale import ColorScale, forward_norm, inverse_norm

SIZE = (160, 220)
QGIS_PYTHON = "/usr/bin/python3"
COLORS = np.array([[20, 20, 120], [0, 140, 220], [250, 250, 200], [240, 120, 0], [110, 0, 20]], np.float64)


def world_of(affine: Affine, pixels: ArrayLike) -> NDArray[np.float64]:
    """Pixel places to the map, without the operators that differ between versions of affine."""
    col, row = np.asarray(pixels, np.float64).T
    return np.stack([affine.a * col + affine.b * row + affine.c, affine.d * col + affine.e * row + affine.f], axis=1)


@dataclass(frozen=True)
class Case:
    """A map written to files, and what is known about it."""

    folder: Path
    raster: Raster
    points: Points
    scale: ColorScale

    def sample_cells(self) -> list[tuple[int, int]]:
        """Rows and columns of some cells with a value, and last one without."""
        return [(40, 30), (80, 110), (120, 200), (159, 219), (10, 219), (0, 0)]

    def places(self) -> list[list[float]]:
        """World coordinates of the centres of the sample cells."""
        return world_of(self.raster.affine, [(col + 0.5, row + 0.5) for row, col in self.sample_cells()]).tolist()

    def values(self) -> list[float]:
        """Values of the sample cells."""
        return [float(self.raster.values[row, col]) for row, col in self.sample_cells()]


AFFINES = {
    "EPSG:4326": Affine(0.05, 0, 100, 0, -0.05, 8),
    "rotated": Affine(0.05, 0.012, 100, 0.011, -0.05, 8),
    "EPSG:32648": Affine(5000, 0, 200000, 0, -5000, 900000),
    "custom": Affine(5000, 0, -500000, 0, -5000, 400000),
}
CUSTOM = "+proj=laea +lat_0=5 +lon_0=105 +datum=WGS84"
SCALES = {
    "continuous": ColorScale.from_colors(COLORS, vmin=-5, vmax=15, name="Temp <&>", unit="°C"),
    "descending": ColorScale.from_colors(COLORS[::-1], vmin=15, vmax=-5, name="Temp <&>", unit="°C"),
    "log": ColorScale.from_colors(COLORS[[0, 4]], vmin=0.01, vmax=100, scale="log", name="Temp <&>", unit="°C"),
    "classes": ColorScale.from_colors(COLORS, edges=[-5, 0, 1, 4, 10, 15], has_values=True, name="Temp <&>", unit="°C"),
}
CASES = [
    ("EPSG:4326", "continuous"),
    ("EPSG:4326", "descending"),
    ("EPSG:4326", "log"),
    ("EPSG:4326", "classes"),
    ("rotated", "continuous"),
    ("EPSG:32648", "continuous"),
    ("custom", "classes"),
]


def make_case(grid: str, kind: str, folder: Path) -> Case:
    affine, scale = AFFINES[grid], SCALES[kind]
    crs = {"rotated": "EPSG:4326", "custom": CUSTOM}.get(grid, grid)
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]]
    share = ((rows + 2 * cols) % 450) / 460 + 0.01
    low, high = forward_norm(scale.limits, scale.norm)
    values = inverse_norm(low + share * (high - low), scale.norm).astype(np.float32)
    if scale.edges is not None:
        values = scale.values[(5 * share).astype(int)].astype(np.float32)
    values[:5, :5] = np.nan
    reason = ((rows + cols) // 8 % len(REASON_NAMES)).astype(np.uint8)
    raster = Raster(values, affine, crs, np.full(SIZE, 0.25, np.float32), reason)
    folder.mkdir()
    write_reasons(folder / "map.reason.tif", raster, REASON_NAMES, REASON_COLORS)
    (folder / "map.reason.qml").write_text(reason_style(REASON_NAMES, REASON_COLORS), encoding="utf-8")
    write_geotiff(folder / "map.tif", raster, name=scale.name, unit=scale.unit, tags={"GEOCBAR_SOURCE": "größe.png"},
                  classes=scale.is_classes)  # fmt: skip
    (folder / "map.qml").write_text(raster_style(scale), encoding="utf-8")
    pixels = np.stack([np.arange(6.0, 215, 9)[:24], np.arange(5.0, 150, 6)[:24]], axis=1)
    at = values[pixels[:, 1].astype(int), pixels[:, 0].astype(int)].astype(np.float64)
    xy = world_of(affine, pixels)
    points = Points(xy, at, np.full(len(at), 9), pixels, crs, None if kind == "log" else np.full(len(at), 0.25))
    corners = np.array([[0.0, 0], [220, 0], [0, 160], [220, 160], [100, 90]])
    world = project_points(world_of(affine, corners), crs, "EPSG:4326")
    fit = fit_georeference(GroundControlPoints(corners, world, names=("NW", "NE", "SW", "SE", "ü <&>")), "affine")
    ring = world_of(affine, corners[[0, 1, 3, 2, 0]])
    write_geopackage(folder / "map.gpkg", points, scale, fit, ring, {"map": "größe.png"})
    return Case(folder, raster, points, scale)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Case]:
    base = tmp_path_factory.mktemp("clients")
    return {(grid, kind): make_case(grid, kind, base / f"{i}") for i, (grid, kind) in enumerate(CASES)}


def clean_environment(home: Path) -> dict[str, str]:
    """No trace of the tests' own Python and GDAL; nothing of the user's."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
    return {**kept, "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "QT_QPA_PLATFORM": "offscreen"}


def run_tool(home: Path, *command: str, text: str = "") -> str:
    tool = shutil.which(command[0])
    if tool is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [tool, *command[1:]],
        input=text,
        capture_output=True,
        text=True,
        env=clean_environment(home),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


# ---------------------------------------------------------------- GDAL


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_gdalinfo(key: tuple[str, str], cases: dict[tuple[str, str], Case], tmp_path: Path) -> None:
    case = cases[key]
    report = json.loads(run_tool(tmp_path, "gdalinfo", "-json", "-stats", str(case.folder / "map.tif")))
    assert report["size"] == [220, 160]
    assert report["geoTransform"] == pytest.approx(case.raster.affine.to_gdal())
    wkt = report["coordinateSystem"]["wkt"]
    code = {"EPSG:32648": 'ID["EPSG",32648]', "custom": "Lambert Azimuthal Equal Area"}.get(key[0], 'ID["EPSG",4326]')
    assert code in wkt
    value, sigma = report["bands"]
    assert (value["type"], value["noDataValue"], value["block"]) == ("Float32", "NaN", [256, 256])
    assert (value["description"], sigma["description"]) == ("Temp <&> [°C]", "sigma [°C]")
    assert value["minimum"] == pytest.approx(np.nanmin(case.raster.values), abs=1e-3)
    assert value["maximum"] == pytest.approx(np.nanmax(case.raster.values), abs=1e-3)
    assert report["metadata"][""]["GEOCBAR_SOURCE"] == "größe.png"
    assert report["metadata"][""]["AREA_OR_POINT"] == "Area"
    assert report["metadata"]["IMAGE_STRUCTURE"]["COMPRESSION"] == "DEFLATE"
    assert not list(case.folder.glob("*.aux.xml"))


def test_gdal_sees_overviews(tmp_path: Path) -> None:
    raster = Raster(np.zeros((600, 700), np.float32), AFFINES["rotated"], "EPSG:4326")
    write_geotiff(tmp_path / "map.tif", raster)
    report = json.loads(run_tool(tmp_path, "gdalinfo", "-json", str(tmp_path / "map.tif")))
    assert [overview["size"] for overview in report["bands"][0]["overviews"]] == [[350, 300], [175, 150]]


@pytest.mark.parametrize("key", [CASES[0], CASES[4], CASES[5]], ids="-".join)
def test_gdallocationinfo(key: tuple[str, str], cases: dict[tuple[str, str], Case], tmp_path: Path) -> None:
    case = cases[key]
    places = "".join(f"{x!r} {y!r}\n" for x, y in case.places())
    found = run_tool(
        tmp_path, "gdallocationinfo", "-valonly", "-geoloc", "-b", "1", str(case.folder / "map.tif"), text=places
    )
    np.testing.assert_allclose([float(line) for line in found.split()], case.values(), rtol=1e-6)


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_ogrinfo(key: tuple[str, str], cases: dict[tuple[str, str], Case], tmp_path: Path) -> None:
    case = cases[key]
    text = run_tool(tmp_path, "ogrinfo", "-ro", "-so", "-al", str(case.folder / "map.gpkg"))
    for layer, geometry, count in (("points", "Point", 24), ("gcps", "Point", 5), ("footprint", "Polygon", 1)):
        part = text[text.index(f"Layer name: {layer}\n") :]
        assert part.splitlines()[1:3] == [f"Geometry: {geometry}", f"Feature Count: {count}"]
    found = run_tool(
        tmp_path, "ogrinfo", "-ro", "-q", str(case.folder / "map.gpkg"), "-sql", "SELECT max(value) AS top FROM points"
    )
    assert float(found.rpartition("=")[2]) == pytest.approx(case.points.values.max(), rel=1e-9)


# ---------------------------------------------------------------- QGIS


@pytest.fixture(scope="module")
def qgis(cases: dict[tuple[str, str], Case], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One start of QGIS answers for all cases."""
    home = tmp_path_factory.mktemp("home")
    if not Path(QGIS_PYTHON).exists():
        pytest.skip(f"there is no {QGIS_PYTHON}")
    layers = ("points", "gcps", "footprint")
    request = {
        "rasters": [
            {
                "path": str(case.folder / "map.tif"),
                "samples": case.places(),
            }
            for case in cases.values()
        ],
        "vectors": [
            {"path": str(case.folder / "map.gpkg"), "layer": layer} for case in cases.values() for layer in layers
        ],
    }
    request["reasons"] = [
        {"path": str(case.folder / "map.reason.tif"), "samples": case.places()} for case in cases.values()
    ]
    (home / "request.json").write_text(json.dumps(request))
    done = subprocess.run(
        [QGIS_PYTHON, str(Path(__file__).with_name("qgis_probe.py")), str(home / "request.json")],
        env=clean_environment(home),
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
    vectors = iter(answer["vectors"])
    return {
        "-".join(key): {"raster": raster, "reasons": reasons, **{layer: next(vectors) for layer in layers}}
        for key, raster, reasons in zip(cases, answer["rasters"], answer["reasons"], strict=True)
    }


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_qgis_places_the_raster(key: tuple[str, str], cases: dict[tuple[str, str], Case], qgis: dict[str, Any]) -> None:
    seen, case = qgis["-".join(key)]["raster"], cases[key]
    assert seen["valid"]
    assert seen["crs"] == {"rotated": "EPSG:4326", "custom": ""}.get(key[0], key[0])
    if key[0] == "custom":
        assert "+proj=laea +lat_0=5 +lon_0=105" in seen["proj"]
    corners = world_of(case.raster.affine, [(0, 0), (220, 0), (0, 160), (220, 160)])
    np.testing.assert_allclose(
        seen["extent"],
        [*corners.min(axis=0), *corners.max(axis=0)],
        atol=abs(case.raster.affine.a) * (key[0] == "rotated"),
    )
    if key[0] != "rotated":
        assert seen["size"] == [220, 160]
    assert seen["bands"] == ["Band 1: Temp <&> [°C]", "Band 2: sigma [°C]"]
    assert seen["minimum"] == pytest.approx(np.nanmin(case.raster.values), rel=1e-6)
    assert seen["maximum"] == pytest.approx(np.nanmax(case.raster.values), rel=1e-6)
    assert not list(case.folder.glob("*.aux.xml")), "QGIS keeps the embedded statistics"


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_qgis_shows_values_in_the_colours_of_the_map(
    key: tuple[str, str], cases: dict[tuple[str, str], Case], qgis: dict[str, Any]
) -> None:
    seen, case = qgis["-".join(key)]["raster"], cases[key]
    assert seen["default_style"] is True
    assert seen["renderer"] == "singlebandpseudocolor"
    assert seen["interpolation"] == (1 if case.scale.is_classes else 0)
    for sample, value in zip(seen["samples"], case.values(), strict=True):
        if np.isnan(value):
            assert sample["value"] is None
            assert sample["drawn"] == [255, 255, 255]
            continue
        assert sample["value"] == pytest.approx(value, rel=1e-6)
        expected = case.scale.colors_at(value).astype(int)
        assert np.abs(expected - sample["shaded"]).max() <= 2
        assert np.abs(expected - sample["drawn"]).max() <= 2


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_qgis_lists_the_scale(key: tuple[str, str], cases: dict[tuple[str, str], Case], qgis: dict[str, Any]) -> None:
    seen, scale = qgis["-".join(key)]["raster"]["items"], cases[key].scale
    values = [item[0] for item in seen]
    assert values == sorted(values)
    assert all(item[2].endswith(" °C") for item in seen)
    if scale.is_classes:
        assert values[:-1] == [0, 1, 4, 10]
        assert values[-1] == np.inf
        assert [item[1] for item in seen] == ["#" + bytes(c).hex() for c in COLORS.astype(np.uint8).tolist()]
    else:
        np.testing.assert_allclose([values[0], values[-1]], scale.limits)


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_qgis_names_the_reasons(key: tuple[str, str], cases: dict[tuple[str, str], Case], qgis: dict[str, Any]) -> None:
    seen, case = qgis["-".join(key)]["reasons"], cases[key]
    assert seen["valid"]
    np.testing.assert_allclose(seen["extent"], qgis["-".join(key)]["raster"]["extent"])
    assert (seen["default_style"], seen["renderer"]) == (True, "paletted")
    assert seen["classes"] == [[n, "#" + bytes(REASON_COLORS[n]).hex(), name] for n, name in REASON_NAMES.items()]
    assert case.raster.reason is not None
    for sample, (row, col) in zip(seen["samples"], case.sample_cells(), strict=True):
        assert sample["value"] == case.raster.reason[row, col]
        assert sample["drawn"] == list(REASON_COLORS[int(sample["value"])])
    assert not list(case.folder.glob("*.aux.xml"))


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_gdal_sees_the_colours_and_names_of_reasons(
    key: tuple[str, str], cases: dict[tuple[str, str], Case], tmp_path: Path
) -> None:
    path = cases[key].folder / "map.reason.tif"
    report = json.loads(run_tool(tmp_path, "gdalinfo", "-json", str(path)))
    (band,) = report["bands"]
    assert (band["type"], band["colorInterpretation"]) == ("Byte", "Palette")
    entries = band["colorTable"]["entries"]
    for number, name in REASON_NAMES.items():
        assert entries[number] == [*REASON_COLORS[number], 255]
        assert report["metadata"][""][f"REASON_{number}"] == name


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_qgis_styles_the_points(key: tuple[str, str], cases: dict[tuple[str, str], Case], qgis: dict[str, Any]) -> None:
    seen, case = qgis["-".join(key)]["points"], cases[key]
    assert seen["valid"]
    assert (seen["features"], seen["geometry"]) == (24, 0)
    expected = ["fid", "value", "sigma", "count", "pixel", "line", "lon", "lat"]
    assert seen["fields"] == [name for name in expected if name != "sigma" or case.points.sigma is not None]
    assert (seen["renderer"], seen["attribute"]) == ("graduatedSymbol", "value")
    assert len(seen["ranges"]) == (5 if case.scale.is_classes else 24)
    for value in case.points.values:
        color = next(color for lower, upper, _, color in seen["ranges"] if lower <= value <= upper)
        assert np.abs(case.scale.colors_at(value).astype(int) - color).max() < (1 if case.scale.is_classes else 25)


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_qgis_styles_control_points_and_footprint(key: tuple[str, str], qgis: dict[str, Any]) -> None:
    gcps, footprint = (qgis["-".join(key)][layer] for layer in ("gcps", "footprint"))
    assert gcps["valid"]
    assert (gcps["features"], gcps["geometry"], gcps["renderer"], gcps["labels"]) == (5, 0, "singleSymbol", True)
    assert {"name", "dX", "dY", "residual_px", "residual_km"} <= set(gcps["fields"])
    assert footprint["valid"]
    assert (footprint["features"], footprint["geometry"], footprint["renderer"]) == (1, 2, "singleSymbol")
    crs = {"rotated": "EPSG:4326", "custom": ""}.get(key[0], key[0])
    assert gcps["crs"] == footprint["crs"] == crs or key[0] == "custom"
