"""Where on Earth: control points, the picture's own files, or the labels at the map's frame."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

import geocbar as gb
from geocbar.app.cli import commands

EXAMPLES = Path(__file__).parents[1] / "examples"
BAR = ("--colorbar", "60,430,560,450", "--vmin", "0", "--vmax", "10", "--frame", "60,40,560,400")


def run(*args: object) -> Result:
    return CliRunner().invoke(commands, [str(arg) for arg in args])


def page() -> NDArray[np.uint8]:
    """A smooth field in viridis in the frame 60,40,560,400 with a bar below, and nothing else."""
    import matplotlib as mpl

    table = (mpl.colormaps["viridis"](np.linspace(0, 1, 256))[:, :3] * 255).round().astype(np.uint8)
    rows, cols = np.mgrid[0:360, 0:500]
    field = 0.5 + 0.45 * np.sin(cols / 90) * np.cos(rows / 70)
    pixels = np.full((480, 620, 3), 255, np.uint8)
    pixels[40:400, 60:560] = table[(field * 255.99).astype(int)]
    pixels[430:450, 60:560] = table[(np.arange(500) / 500 * 256).astype(int)]
    return pixels


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    from PIL import Image

    Image.fromarray(page()).save(tmp_path / "map.png")
    return tmp_path


def test_a_published_map_alone(tmp_path: Path) -> None:
    """Bar, values, frame and place are all read in the picture; the truth is known."""
    example = EXAMPLES / "salish_sea"
    result = gb.digitize(example / "map.png")
    assert any("control points were read at the frame" in note for note in result.notes)
    written = result.save(tmp_path / "out")
    check = subprocess.run(
        [sys.executable, str(EXAMPLES / "check.py"), str(written["raster"]), str(example)],
        capture_output=True,
        text=True,
        check=True,
    )
    error, kept = re.match(r"RMSE ([\d.]+) %.*; ([\d.]+) % of the map has a value", check.stdout).groups()  # type: ignore[union-attr]
    assert float(error) < 0.6
    assert float(kept) > 90


def test_a_map_without_labels_is_refused(sheet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sheet)
    outcome = run("run", "map.png", *BAR)
    assert isinstance(outcome.exception, gb.NotReadError)
    assert "It is not known for certain where on Earth map.png lies." in outcome.exception.message
    assert "--gcps FILE" in outcome.exception.hint
    assert (sheet / "map_inspect" / "map.toml").exists()
    assert not (sheet / "map_geocbar").exists()


def test_a_world_file_is_used(sheet: Path) -> None:
    (sheet / "map.pgw").write_text("0.01\n0\n0\n-0.01\n10.005\n49.995\n", encoding="utf-8")
    outcome = run("run", sheet / "map.png", *BAR, "--gcp-crs", "EPSG:4326", "--out", sheet / "out", "--json")
    assert outcome.exit_code == 0, outcome.output
    summary = json.loads(outcome.stdout)
    assert "the place is taken from the world file map.pgw" in summary["notes"][0]
    assert summary["raster_crs"] == "EPSG:4326"
    import rasterio

    with rasterio.open(sheet / "out" / "map.tif") as raster:
        assert raster.transform.c == pytest.approx(10.6)
        assert raster.transform.f == pytest.approx(49.6)
        assert raster.transform.a == pytest.approx(0.01)


def test_local_axes_need_no_globe(sheet: Path) -> None:
    (sheet / "axes.csv").write_text(
        "pixel,line,x,y\n60,40,0,0\n560,40,1000,0\n60,400,0,-300\n560,400,1000,-300\n310,220,500,-150\n",
        encoding="utf-8",
    )
    outcome = run(
        *("run", sheet / "map.png", "--gcps", sheet / "axes.csv", "--gcp-crs", "local", *BAR),
        *("--out", sheet / "out", "--json"),
    )
    assert outcome.exit_code == 0, outcome.output
    summary = json.loads(outcome.stdout)
    assert summary["rmse_km"] is None
    assert any("without a place on Earth" in note for note in summary["notes"])
    import rasterio

    with rasterio.open(sheet / "out" / "map.tif") as raster:
        assert raster.bounds.left == pytest.approx(0, abs=1e-6)
        assert raster.bounds.right == pytest.approx(1000)
        assert raster.bounds.bottom == pytest.approx(-300)


def test_georef_alone(tmp_path: Path) -> None:
    example = EXAMPLES / "japan_trenches"
    args = ["georef", example / "map.png", "--gcps", example / "gcps.csv"]
    table = run(*args, "--points", tmp_path / "map.points")
    assert table.exit_code == 0, table.output
    assert "Lambert conformal conic" in table.output
    assert "RMSE 0." in table.output
    assert "sqrt(sum(dX^2 + dY^2) / n)" in table.output
    back = gb.read_gcps(tmp_path / "map.points")
    assert len(back) == 14
    figures = json.loads(run(*args, "--json").stdout)
    assert figures["position_px"][0] < 1
    assert {"dX", "dY", "residual_px", "residual_km", "left_out_px", "leverage"} <= set(figures["points"][0])


def test_a_wrong_point_is_left_out_and_named_or_kept_on_wish(tmp_path: Path) -> None:
    example = EXAMPLES / "japan_trenches"
    shutil.copy(example / "map.png", tmp_path / "map.png")
    lines = (example / "gcps.csv").read_text(encoding="utf-8").splitlines()
    name, pixel, *rest = lines[5].split(",")
    lines[5] = ",".join([name, str(float(pixel) + 25), *rest])
    (tmp_path / "gcps.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    args = ["georef", tmp_path / "map.png", "--gcps", tmp_path / "gcps.csv", "--json"]
    figures = json.loads(run(*args).stdout)
    assert figures["left_out"] == [name]
    assert any(name in note for note in figures["notes"])
    assert figures["rmse_px"] < 1
    kept = json.loads(run(*args, "--keep-all").stdout)
    assert kept["left_out"] == []
    assert kept["rmse_px"] > 3
