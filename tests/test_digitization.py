from __future__ import annotations

import functools
import importlib
import json
import math
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from drawing import Scene, draw_scene, encode, score
from map_job import MapJob, boxed, draw_job, geocbar, write_points
from numpy.typing import NDArray
from PIL import Image
from rasterio.warp import transform as project

import geocbar as gb
from geocbar.errors import InvalidInputError

#: Scenes of a lossless picture, and the value RMSE in % of the range that has to be met on its pure data pixels.
SCENES: dict[str, tuple[dict[str, Any], float]] = {
    "bar below": ({"cmap": "viridis", "field": "rough", "bar_side": "bottom"}, 0.3),
    "bar at the right": ({"cmap": "turbo", "field": "hills", "bar_side": "right"}, 0.3),
    "log": ({"cmap": "turbo", "norm": "log", "bar_side": "bottom"}, 0.3),
    "classes": ({"cmap": "Spectral", "classes": 12, "bar_side": "right"}, 1e-3),
    "jet without overlays": ({"cmap": "jet", "bar_side": "left", "overlays": "none"}, 0.3),
}


@functools.cache
def scene_of(name: str) -> Scene:
    return draw_scene(5, plotter="matplotlib", size=(760, 600), **SCENES[name][0])


def options_of(scene: Scene) -> dict[str, Any]:
    ends = (scene.vmax, scene.vmin) if scene.bar_descending else (scene.vmin, scene.vmax)
    return {
        "colorbar": boxed(scene.bar_box),
        "vmin": ends[0],
        "vmax": ends[1],
        "scale": "discrete" if scene.class_edges is not None else scene.norm,
        "frame": boxed(scene.frame),
        "unit": scene.unit,
    }


def save(scene: Scene, folder: Path) -> tuple[Path, Path]:
    """Picture and control points, clicked to the nearest tenth of a pixel."""
    picture = folder / "scene.png"
    picture.write_bytes(encode(scene, "png"))
    points = [(round(col, 1), round(row, 1), *world) for (col, row), world in scene.gcps]
    return picture, write_points(folder / "gcps.csv", points)


@pytest.mark.parametrize("name", SCENES)
def test_values_and_places_come_back(name: str, tmp_path: Path) -> None:
    scene = scene_of(name)
    result = gb.digitize(*save(scene, tmp_path), **options_of(scene))
    got = score(scene, result.inversion.values)
    assert got["rmse_percent"] <= SCENES[name][1]
    assert got["kept_percent"] >= 98
    assert got["off_percent"] == 0
    assert got["overlay_off_percent"] <= 0.5
    assert got["overlay_valued_percent"] <= 8
    assert not got["background_valued_percent"] > 0
    clicked = np.array([pixel for pixel, _ in scene.gcps])
    world = np.array([place for _, place in scene.gcps])
    error = np.linalg.norm(result.georeference.transform.to_pixel(world) - clicked, axis=1)
    assert error.max() <= 0.1
    assert np.isnan(result.inversion.values[scene.kind == 3]).all()


def test_command_and_python_write_the_same_raster(tmp_path: Path) -> None:
    scene = scene_of("bar below")
    save(scene, tmp_path)
    options = [text for key, value in options_of(scene).items() for text in (f"--{key}", value)]
    outcome = geocbar("run", "scene.png", "--gcps", "gcps.csv", *options, "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    summary = json.loads(outcome.out)
    left, top, right, bottom = scene.frame
    with rasterio.open(tmp_path / "scene_geocbar" / "scene.tif") as raster:
        values = raster.read(1)
        assert values.shape == (bottom - top, right - left)
        whole = np.full(scene.truth.shape, np.nan, np.float32)
        whole[top:bottom, left:right] = values
        corner = raster.transform @ (0, 0)
        center = raster.transform @ (100.5, 50.5)
    assert score(scene, whole)["rmse_percent"] <= 0.3
    result = gb.digitize(tmp_path / "scene.png", tmp_path / "gcps.csv", **options_of(scene))
    np.testing.assert_array_equal(values, result.raster.values)
    place = result.georeference.transform.to_world([[left, top], [left + 100.5, top + 50.5]])
    np.testing.assert_allclose([corner, center], place, atol=1e-9)
    assert summary["valued_percent"] == pytest.approx(100 * np.isfinite(values).mean())
    assert summary["rmse_px"] == pytest.approx(result.georeference.rmse_px)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> MapJob:
    return draw_job(tmp_path_factory.mktemp("job"))


def values_of(job: MapJob, **choices: Any) -> NDArray[np.float32]:
    known = {"colorbar": job.bar, "vmin": 0.0, "vmax": 10.0, "frame": job.frame}
    return gb.digitize(job.picture, job.gcps, **(known | choices)).inversion.values


def rmse_percent(job: MapJob, values: NDArray[np.float32]) -> float:
    error = (values - job.truth)[np.isfinite(job.truth)]
    assert np.isfinite(error).all()
    return float(np.sqrt(np.mean(error**2)) * 10)


def test_named_colormap_and_colormap_in_a_file(job: MapJob, tmp_path: Path) -> None:
    assert rmse_percent(job, values_of(job, colorbar=None, colormap="viridis")) <= 0.15
    reverse = values_of(job, colorbar=None, colormap="viridis_r", vmin=10.0, vmax=0.0)
    assert rmse_percent(job, reverse) <= 0.15
    palette = tmp_path / "own.txt"
    colors = gb.named_colors("viridis").colors.astype(int)
    palette.write_text("\n".join("#{:02x}{:02x}{:02x}".format(*color) for color in colors))
    assert rmse_percent(job, values_of(job, colorbar=None, colormap=str(palette))) <= 0.3


def test_colormap_by_name_and_file_through_the_command(job: MapJob, tmp_path: Path) -> None:
    palette = tmp_path / "two words.gpl"
    colors = gb.named_colors("viridis").colors.astype(int)
    rows = ("{} {} {}".format(*color) for color in colors)
    palette.write_text("GIMP Palette\nName: own\n#\n" + "\n".join(rows) + "\n")
    limits = ["--vmin", "0", "--vmax", "10", "--frame", job.frame, "--quiet"]
    found = []
    for number, colormap in enumerate(("viridis", palette)):
        out = tmp_path / str(number)
        args = ["run", job.picture, "--gcps", job.gcps, *limits, "--colormap", colormap, "--out", out]
        outcome = geocbar(*args, cwd=tmp_path)
        assert outcome.code == 0, outcome.err
        with rasterio.open(out / "map.tif") as raster:
            found.append(raster.read(1))
    left, top, right, bottom = (int(edge) for edge in job.frame.split(","))
    for values in found:
        error = values - job.truth[top:bottom, left:right]
        assert np.sqrt(np.mean(error**2)) * 10 <= 0.3


def test_reversed_ends_reverse_the_values(job: MapJob) -> None:
    forward, backward = values_of(job), values_of(job, vmin=10.0, vmax=0.0)
    np.testing.assert_allclose(forward + backward, np.where(np.isnan(forward), np.nan, 10), atol=1e-4)


def test_ticks_say_the_same_as_the_ends(job: MapJob) -> None:
    left, _, right, _ = (float(edge) for edge in job.bar.split(","))
    at = [f"{value}@{left + value / 10 * (right - left):g}" for value in (2, 5, 8)]
    ticks = values_of(job, vmin=None, vmax=None, ticks=",".join(at))
    np.testing.assert_allclose(ticks, values_of(job), atol=1e-4)


def test_a_curved_scale_all_the_way(job: MapJob, tmp_path: Path) -> None:
    """The map's values stand for the square roots of others: by ticks, by its exponent, and with a colormap."""
    left, _, right, _ = (float(edge) for edge in job.bar.split(","))
    ticks = ",".join(f"{value:g}@{left + value**0.5 / 10 * (right - left):.2f}" for value in (0, 4, 16, 36, 64, 100))
    ways = {
        "found": ["--colorbar", job.bar, "--ticks", ticks],
        "said": ["--colorbar", job.bar, "--vmin", "0", "--vmax", "100", "--scale", "power:0.5"],
        "named": ["--colormap", "viridis", "--vmin", "0", "--vmax", "100", "--scale", "power:0.5"],
        "joined": ["--colorbar", job.bar, "--ticks", ticks, "--scale", "piecewise"],
    }
    for way, scale in ways.items():
        out = tmp_path / way
        outcome = geocbar(
            *["run", job.picture, "--gcps", job.gcps, "--frame", job.frame, *scale, "--out", out, "--json", "--quiet"],
            cwd=tmp_path,
        )
        assert outcome.code == 0, outcome.err
        summary = json.loads(outcome.out)
        assert summary["scale_kind"] == ("piecewise between 6 ticks" if way == "joined" else "power 0.5"), way
        assert ("on no linear scale, but on this one: power 0.5" in " ".join(summary["notes"])) == (way == "found")
        assert ("interpolated between them and sigma is widened" in " ".join(summary["notes"])) == (way == "joined")
        assert 0.05 < summary["sigma_median_percent"] < (3 if way == "joined" else 0.8)
        recipe = tomllib.loads((out / "map.toml").read_text(encoding="utf-8"))
        assert recipe["scale"]["scale"] == (scale[-1] if "--scale" in scale else "auto")
        left_, top, right_, bottom = (int(edge) for edge in job.frame.split(","))
        with rasterio.open(out / "map.tif") as raster:
            error = np.sqrt(raster.read(1)) - job.truth[top:bottom, left_:right_]
        assert np.sqrt(np.nanmean(error**2)) * 10 <= (3 if way == "joined" else 0.3), way


def test_upright_bar_runs_from_the_bottom(tmp_path: Path) -> None:
    flat = draw_job(tmp_path)
    rgb = np.asarray(Image.open(flat.picture)).transpose(1, 0, 2)[::-1]
    Image.fromarray(np.ascontiguousarray(rgb)).save(tmp_path / "upright.png")
    left, top, right, bottom = (float(edge) for edge in flat.bar.split(","))
    width = flat.truth.shape[1]
    box = boxed((top, width - right, bottom, width - left))
    points = [(line, width - pixel, lon, lat) for pixel, line, lon, lat in flat.points]
    gcps = write_points(tmp_path / "upright.csv", points)
    result = gb.digitize(tmp_path / "upright.png", gcps, colorbar=box, vmin=0.0, vmax=10.0)
    turned = result.inversion.values.T[:, ::-1]
    inside = np.isfinite(flat.truth)
    kept = inside & np.isfinite(turned)
    assert kept.sum() >= 0.985 * inside.sum()  # no frame was given: the rim on paper is doubtful
    assert np.sqrt(np.mean((turned - flat.truth)[kept] ** 2)) * 10 <= 0.4


def test_classes_with_separators_are_read_exactly(tmp_path: Path) -> None:
    colors = np.array([[49, 54, 149], [116, 173, 209], [224, 243, 248], [253, 174, 97], [165, 0, 38]], np.uint8)
    rgb = np.full((120, 160, 3), 255, np.uint8)
    number = (np.arange(128)[None, :] // 8 + np.arange(64)[:, None] // 5) % 5
    rgb[10:74, 16:144] = colors[number]
    rgb[90:100, 16:141] = np.repeat(colors, 25, axis=0)
    rgb[90:100, 16 + np.array([0, 25, 50, 75, 100, 124])] = 0
    Image.fromarray(rgb).save(tmp_path / "classes.png")
    corners = [(16, 10, 0, 50), (144, 10, 20, 50), (16, 74, 0, 40), (144, 74, 20, 40)]
    gcps = write_points(tmp_path / "g.csv", corners)
    choices = {"colorbar": "16,90,141,100", "vmin": 0, "vmax": 50, "scale": "discrete", "frame": "16,10,144,74"}
    result = gb.digitize(tmp_path / "classes.png", gcps, **choices)
    np.testing.assert_array_equal(result.raster.values, 5 + 10 * number)
    assert set(np.unique(result.points.values)) <= {5.0, 15.0, 25.0, 35.0, 45.0}
    with pytest.raises(InvalidInputError, match=r"Classes cannot be interpolated.\n.*nearest"):
        gb.digitize(tmp_path / "classes.png", gcps, **choices, resampling="bilinear")


def test_a_bar_box_drawn_3_px_too_large_costs_3_px_of_the_bar(job: MapJob) -> None:
    left, top, right, bottom = (float(edge) for edge in job.bar.split(","))
    grown = values_of(job, colorbar=boxed((left - 3, top - 3, right + 3, bottom + 3)))
    error = (grown - job.truth)[np.isfinite(job.truth)]
    assert np.abs(error).max() <= 10 * 3.5 / (right - left)
    shifted = values_of(job, colorbar=boxed((left - 0.4, top + 0.3, right + 0.4, bottom - 0.3)))
    assert rmse_percent(job, shifted) <= 0.5


def place(job: MapJob, pixel: float, line: float) -> tuple[float, float]:
    """Longitude and latitude by the map's own scale."""
    left, top, right, bottom = (float(edge) for edge in job.frame.split(","))
    return 10 + 20 * (pixel - left) / (right - left), 50 - 15 * (line - top) / (bottom - top)


def test_a_value_never_depends_on_what_else_is_in_the_picture(job: MapJob, tmp_path: Path) -> None:
    cut = (50, 30, 110, 90)
    Image.open(job.picture).crop(cut).save(tmp_path / "crop.png")
    corners = [(x, y, *place(job, x + cut[0], y + cut[1])) for x, y in ((0, 0), (60, 0), (0, 60), (60, 60))]
    gcps = write_points(tmp_path / "g.csv", corners)
    choices: dict[str, Any] = {"colormap": "viridis", "vmin": 0.0, "vmax": 10.0}
    part = gb.digitize(tmp_path / "crop.png", gcps, **choices).inversion.values
    whole = gb.digitize(job.picture, job.gcps, **choices).inversion.values
    np.testing.assert_array_equal(part, whole[cut[1] : cut[3], cut[0] : cut[2]])


def test_16_bit_grey_tiff(tmp_path: Path) -> None:
    shares = np.linspace(0, 1, 90)[None, :] * np.linspace(0.2, 1, 60)[:, None]
    grey = np.full((90, 110), 65535, np.uint16)
    grey[10:70, 10:100] = (shares * 65535).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / "grey.v1.tif")
    corners = [(10, 10, 0, 50), (100, 10, 20, 50), (10, 70, 0, 40), (100, 70, 20, 40)]
    gcps = write_points(tmp_path / "g.csv", corners)
    result = gb.digitize(tmp_path / "grey.v1.tif", gcps, colormap="grey", vmin=0, vmax=1, frame="10,10,100,70")
    assert any("16-bit grey" in note for note in result.notes)
    assert np.sqrt(np.mean((result.raster.values - shares) ** 2)) <= 0.004


@pytest.fixture(scope="module")
def digitized(job: MapJob) -> gb.DigitizedMap:
    return gb.digitize(job.picture, job.gcps, colorbar=job.bar, vmin=0, vmax=10, frame=job.frame, unit="mm")


def test_save_writes_everything_or_nothing(
    digitized: gb.DigitizedMap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    files = digitized.save(tmp_path / "deep" / "out", csv=True, progress=told.append)
    reasons = {"map.reason.tif", "map.reason.qml"}
    names = {"map.tif", "map.gpkg", "map.qml", "map.toml", "map.check.png", "map.csv"} | reasons
    assert {path.name for path in files.values()} == names
    assert {path.name for path in (tmp_path / "deep" / "out").iterdir()} == names
    assert all(path.stat().st_size for path in files.values())
    assert any("map.tif" in step for step in told)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("geocbar.files.check_picture.write_check_picture", fail)
    with pytest.raises(gb.FileProblemError, match=r"cannot be written: No space left.*\n.*free space"):
        digitized.save(tmp_path / "second")
    with pytest.raises(gb.FileProblemError, match="No space left"):
        digitized.save(tmp_path / "deep" / "out", overwrite=True)
    assert {path.name for path in (tmp_path / "deep" / "out").iterdir()} == names
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    with pytest.raises(gb.FileProblemError, match=r"exists and holds 8 files.\n  Replace it with --overwrite"):
        digitized.save(tmp_path / "deep" / "out")


def test_csv_holds_the_points(digitized: gb.DigitizedMap, tmp_path: Path) -> None:
    file = digitized.save(tmp_path / "out", csv=True)["csv"]
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    assert header.startswith("lon,lat,value")
    assert header.endswith("count")
    assert len(rows) == len(digitized.points)
    columns = header.split(",")
    first = dict(zip(columns, rows[0].split(","), strict=True))
    np.testing.assert_allclose([float(first["lon"]), float(first["lat"])], digitized.points.xy[0], atol=1e-6)
    assert float(first["value"]) == pytest.approx(float(digitized.points.values[0]), rel=1e-6)


def test_points_lie_where_their_value_was_read(job: MapJob, digitized: gb.DigitizedMap) -> None:
    at = digitized.georeference.transform.to_pixel(digitized.points.xy)
    col, row = np.floor(at).astype(int).T
    error = digitized.points.values - job.truth[row, col]
    assert np.abs(error).max() <= 10 * 2 / 64
    assert digitized.rebuild.rmse_percent <= 3


def numbers(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [number for item in items for number in numbers(item)]
    return [] if isinstance(value, str) else [value]


def no_constant(text: str) -> None:
    raise AssertionError(f"{text} is not JSON")


def test_json_and_csv_through_the_command(job: MapJob, tmp_path: Path) -> None:
    three = write_points(tmp_path / "three.csv", [job.points[0], job.points[2], job.points[8]])
    args = ["run", job.picture, "--gcps", three, *job.scale, "--json", "--csv"]
    outcome = geocbar(*args, cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    summary = json.loads(outcome.out, parse_constant=no_constant)
    assert all(number is None or math.isfinite(number) for number in numbers(summary))
    assert summary["left_out_rmse_px"] is None
    assert summary["gcps"] == 3
    assert any("its error cannot be estimated" in note for note in summary["notes"])
    always = {"raster", "points", "style", "reasons", "reason_style", "recipe", "check", "report"}
    assert set(summary["files"]) == always | {"csv"}
    assert all((tmp_path / path).is_file() for path in summary["files"].values())
    assert "reading the picture" in outcome.err


def test_summary_is_what_a_person_can_judge_by(job: MapJob, tmp_path: Path) -> None:
    args = ["run", job.picture, "--gcps", job.gcps, *job.scale, "--frame", job.frame, "--unit", "mm", "--quiet"]
    outcome = geocbar(*args, "--name", "rain", "--out", "out/", cwd=tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    for figure in (
        "map.png: 160 x 140 px, rain [mm]",
        "100.0 % of the frame has a value",
        "the rest  nothing",
        "mm (scale: 0 to 10, linear)",
        "9 points: RMSE 0.00 px",
        "leave-one-out 0.00 px",
        "128 x 91 cells, EPSG:4326",
        "out/map.tif",
        "out/map.check.png",
        "out/map.html",
    ):
        assert figure in outcome.out
    assert re.search(r"sigma 0\.0\d+ mm = 0\.\d+ % of the range \(median\)\. Values are the middles of", outcome.out)
    with rasterio.open(tmp_path / "out" / "map.tif") as raster:
        points = gb.digitize(
            job.picture, job.gcps, colorbar=job.bar, vmin=0, vmax=10, frame=job.frame, name="rain", unit="mm"
        ).points
        assert f"points    {len(points)} (1 for {raster.width * raster.height / len(points):.0f} pixels)" in outcome.out


@pytest.mark.parametrize("resampling", ["nearest", "bilinear"])
def test_another_crs_resolution_and_resampling(job: MapJob, tmp_path: Path, resampling: str) -> None:
    options = ["--to-crs", "EPSG:3035", "--resolution", "25000", "--resampling", resampling, "--frame", job.frame]
    args = ["run", job.picture, "--gcps", job.gcps, *job.scale, *options, "--quiet"]
    outcome = geocbar(*args, cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    with rasterio.open(tmp_path / "map_geocbar" / "map.tif") as raster:
        values = raster.read(1)
        assert raster.crs.to_epsg() == 3035
        assert raster.res == (25000.0, 25000.0)
        grid = raster.transform
    rows, cols = np.nonzero(np.isfinite(values))
    assert len(rows) > 0.3 * values.size
    x, y = grid @ (cols + 0.5, rows + 0.5)
    lon, lat = (np.array(c) for c in project("EPSG:3035", "EPSG:4326", x, y))
    left, top, right, bottom = (float(edge) for edge in job.frame.split(","))
    col = left + (lon - 10) / 20 * (right - left)
    row = top + (50 - lat) / 15 * (bottom - top)
    expected = job.truth[np.floor(row + 1e-6).astype(int), np.floor(col + 1e-6).astype(int)]
    error = np.abs(values[rows, cols] - expected)
    assert np.sqrt(np.mean(error**2)) <= (0.05 if resampling == "nearest" else 0.2)
    assert np.median(error) > 0.03 or resampling == "nearest"


def test_unknown_choice_names_the_known_ones(job: MapJob) -> None:
    with pytest.raises(InvalidInputError, match=r"There is no choice 'colourbar'.\n.*colorbar, "):
        gb.digitize(job.picture, job.gcps, colourbar="1,2,3,4")


def test_a_scale_that_explains_little_is_refused(job: MapJob) -> None:
    paper = gb.digitize(job.picture, job.gcps, colormap="viridis", vmin=0, vmax=1, frame="0,0,160,18")
    assert paper.inversion.explained > 0.99, "paper counts neither for nor against a scale"
    assert paper.summary()["explained_percent"] > 99
    for frame in (None, job.frame):
        with pytest.raises(
            InvalidInputError,
            match=r"This bar does not belong to this map: it explains \d\.\d % .* 20 % is the least\.\n"
            r".*--colorbar or --colormap, and that --frame",
        ):
            gb.digitize(job.picture, job.gcps, colormap="plasma", vmin=0, vmax=1, frame=frame)
    with pytest.raises(InvalidInputError, match="No pixel of the map has a colour of this scale"):
        gb.digitize(job.picture, job.gcps, colorbar=job.bar, vmin=0, vmax=1, frame=job.bar)


@pytest.mark.parametrize("name", gb.__all__)
def test_public_names_are_there(name: str) -> None:
    importlib.import_module("geocbar.digitization")
    value = getattr(gb, name)
    assert isinstance(value, str) or callable(value)
    assert name in dir(gb)


def test_public_functions_are_not_hidden_by_their_modules() -> None:
    code = (
        "import importlib, pkgutil, types, geocbar\n"
        "for found in pkgutil.walk_packages(geocbar.__path__, 'geocbar.'):\n"
        "    if not found.name.endswith('__main__'): importlib.import_module(found.name)\n"
        "hidden = [n for n in geocbar.__all__ if isinstance(getattr(geocbar, n), types.ModuleType)]\n"
        "assert not hidden, hidden\n"
        "assert callable(geocbar.digitize) and callable(geocbar.read_colorbar)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gb.nothing  # noqa: B018
