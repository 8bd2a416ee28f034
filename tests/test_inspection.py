"""The figure explains itself: bar, values and frame found, or a refusal that says what to do next."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

import geocbar as gb
from geocbar.app.cli import commands


def run(*args: object) -> Result:
    return CliRunner().invoke(commands, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A smooth field in viridis with a labelled bar, -20 to 60, and control points."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    folder = tmp_path_factory.mktemp("sheet")
    figure = Figure((8, 5), dpi=100)
    axes = figure.add_axes((0.08, 0.1, 0.72, 0.8))
    x, y = np.meshgrid(np.linspace(0, 3, 300), np.linspace(0, 2, 200))
    field = 20 + 39 * np.sin(2 * x) * np.cos(3 * y)
    image = axes.imshow(field, origin="lower", extent=(10, 40, 0, 20), vmin=-20, vmax=60, aspect="auto")
    bar = figure.colorbar(image, cax=figure.add_axes((0.84, 0.15, 0.03, 0.7)))
    bar.set_label("Temperature (°C)")
    with mpl.rc_context({"savefig.facecolor": "white"}):
        figure.savefig(folder / "map.png")
    left, right, top, bottom = 64, 640, 50, 450
    rows = ["pixel,line,lon,lat"]
    rows += [
        f"{left + (right - left) * i},{bottom - (bottom - top) * j},{10 + 30 * i},{20 * j}"
        for i in (0.1, 0.5, 0.9)
        for j in (0.1, 0.9)
    ]
    (folder / "gcps.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    np.save(folder / "field.npy", field)
    return folder


def test_nothing_but_picture_and_points(sheet: Path, tmp_path: Path) -> None:
    outcome = run("run", sheet / "map.png", "--gcps", sheet / "gcps.csv", "--out", tmp_path / "out", "--json")
    assert outcome.exit_code == 0, outcome.output
    summary = json.loads(outcome.stdout)
    assert summary["quantity"] == "Temperature"
    assert summary["unit"] == "°C"
    np.testing.assert_allclose(summary["scale_limits"], [-20, 60], atol=0.25)
    assert summary["valued_percent"] > 97  # of the frame, which was found
    import rasterio

    with rasterio.open(tmp_path / "out" / "map.tif") as raster:
        values = raster.read(1)
        at = [next(iter(raster.sample([(lon, lat)])))[0] for lon, lat in ((15.05, 5.05), (25.05, 12.05), (33.0, 17.0))]
    truth = np.load(sheet / "field.npy")
    want = [truth[int(lat * 10), int((lon - 10) * 10)] for lon, lat in ((15.05, 5.05), (25.05, 12.05), (33.0, 17.0))]
    np.testing.assert_allclose(at, want, atol=0.02 * 80)
    assert np.isfinite(values).mean() > 0.95


def test_the_recipe_holds_what_was_found_and_repeats_it(sheet: Path, tmp_path: Path) -> None:
    first = gb.digitize(sheet / "map.png", sheet / "gcps.csv")
    assert first.recipe.colorbar
    assert first.recipe.ticks
    assert first.recipe.frame
    assert first.recipe.name == "Temperature"
    again = gb.digitize(
        sheet / "map.png",
        sheet / "gcps.csv",
        colorbar=first.recipe.colorbar,
        ticks=first.recipe.ticks,
        scale=first.recipe.scale,
        frame=first.recipe.frame,
    )
    np.testing.assert_array_equal(first.inversion.values, again.inversion.values)


def test_what_the_user_says_counts_more(sheet: Path) -> None:
    said = gb.inspect(sheet / "map.png", vmin=0, vmax=8, name="index", frame="100,80,600,400")
    assert not said.doubts
    recipe = said.completed()
    assert (recipe.vmin, recipe.vmax, recipe.ticks, recipe.name) == (0, 8, None, "index")
    assert recipe.frame == "100,80,600,400"
    whole = gb.inspect(sheet / "map.png", frame="none")
    assert whole.frame is None
    assert whole.completed().frame == "none"


def test_inspect_writes_a_picture_and_a_recipe_that_runs(sheet: Path, tmp_path: Path) -> None:
    outcome = run("inspect", sheet / "map.png", "--gcps", sheet / "gcps.csv", "--out", tmp_path / "seen")
    assert outcome.exit_code == 0, outcome.output
    assert re.search(r"bar 1: vertical 67\d\.\d,7\d\.\d,69\d\.\d,42\d\.\d", outcome.output), outcome.output
    frame = re.search(r"panel 1: rectangle ([\d.,]+)", outcome.output)
    assert frame, outcome.output
    np.testing.assert_allclose([float(edge) for edge in frame[1].split(",")], [64, 50, 640, 450], atol=2.5)
    assert (tmp_path / "seen" / "map.inspect.png").read_bytes().startswith(b"\x89PNG")
    again = run("inspect", sheet / "map.png", "--out", tmp_path / "seen")
    assert isinstance(again.exception, gb.FileProblemError)
    assert "is there already" in str(again.exception)
    ran = run("run", tmp_path / "seen" / "map.toml", "--out", tmp_path / "out")
    assert ran.exit_code == 0, ran.output


def test_no_bar_is_said(tmp_path: Path, sheet: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(5)
    noise = np.kron(rng.integers(0, 255, (60, 80, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    with pytest.raises(gb.NotReadError, match=r"No colour bar found in photo\.png \(800 x 600 px\)") as refusal:
        gb.digitize(tmp_path / "photo.png", sheet / "gcps.csv")
    assert "--colormap auto" in refusal.value.hint


def test_an_empty_page_is_said(tmp_path: Path, sheet: Path) -> None:
    from PIL import Image

    Image.new("RGB", (900, 600), "white").save(tmp_path / "empty.png")
    with pytest.raises(gb.GeocbarError, match=r"No colour bar found in empty\.png"):
        gb.digitize(tmp_path / "empty.png", sheet / "gcps.csv")


def two_panels() -> NDArray[np.uint8]:
    """Two maps side by side with one bar."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((9, 4), dpi=100, facecolor="white")
    x, y = np.meshgrid(np.linspace(0, 3, 200), np.linspace(0, 2, 150))
    for i in range(2):
        axes = figure.add_axes((0.07 + 0.42 * i, 0.1, 0.36, 0.8))
        image = axes.imshow(np.sin(2 * x + i) * np.cos(3 * y - i), vmin=-1, vmax=1, cmap="RdYlBu", aspect="auto")
    figure.colorbar(image, cax=figure.add_axes((0.9, 0.1, 0.02, 0.8)))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def test_panels_are_told_apart_by_the_points_or_asked_for() -> None:
    from geocbar.figure_source import FigureSource
    from geocbar.files.images import Picture
    from geocbar.inspection import inspect_source
    from geocbar.recipe import Recipe

    source = FigureSource(Picture(two_panels(), "panels.png"))
    found = inspect_source(Recipe("panels.png", vmin=0, vmax=1), source, None)
    assert len(found.reading.frames) == 2
    assert found.panel == -1
    assert re.match(r"panels\.png shows 2 panels \(1: ", found.doubts[0])
    assert found.remedy == "Choose one: --panel 1"
    with pytest.raises(gb.NotReadError, match="shows 2 panels"):
        found.require_certain()
    box = found.reading.frames[1].box
    np.testing.assert_allclose([box.left, box.right], [441, 765], atol=2.5)
    inside = np.array([[box.left + 5, box.top + 5], [box.right - 5, box.bottom - 5]])
    chosen = inspect_source(Recipe("panels.png", vmin=0, vmax=1), source, None, points=inside)
    assert chosen.panel == 1
    assert chosen.completed().panel == 2
    assert "the control points lie in panel 2" in chosen.notes[0]
    with pytest.raises(gb.InvalidInputError, match=r"There is no panel 99: panels\.png shows 2"):
        inspect_source(Recipe("panels.png", vmin=0, vmax=1, panel=99), source, None)


def test_a_box_on_the_map_is_warned_of(sheet: Path) -> None:
    found = gb.inspect(sheet / "map.png", colorbar="100,100,400,125", vmin=0, vmax=1)
    assert any("100" in note and "bar" in note for note in found.notes), found.notes
    real = gb.inspect(sheet / "map.png", colorbar="672,75,696,425", vmin=0, vmax=1)
    assert real.notes == ()


def test_pages_belong_to_pdf_files_only(sheet: Path) -> None:
    with pytest.raises(gb.InvalidInputError, match=r"map\.png is no PDF: it has no page to choose") as refusal:
        gb.inspect(sheet / "map.png", page=2)
    assert "--page" in refusal.value.hint


def test_a_pdf_is_listed_and_run(tmp_path: Path) -> None:
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    figure = Figure((8, 5))
    axes = figure.add_axes((0.08, 0.1, 0.72, 0.8))
    x, y = np.meshgrid(np.linspace(0, 3, 60), np.linspace(0, 2, 40))
    mesh = axes.pcolormesh(
        x, y, 50 + 49 * np.sin(2 * x) * np.cos(3 * y), cmap="plasma", vmin=0, vmax=100, rasterized=True
    )
    figure.colorbar(mesh, cax=figure.add_axes((0.84, 0.15, 0.03, 0.7))).set_label("Depth [m]")
    with PdfPages(tmp_path / "paper.pdf") as pages:
        words = Figure((8, 5))
        words.text(0.1, 0.5, "A page of words.")
        pages.savefig(words)
        pages.savefig(figure)
    listed = run("inspect", tmp_path / "paper.pdf")
    assert listed.exit_code == 0, listed.output
    assert "paper.pdf: 1 figure" in listed.output
    assert re.search(r"--page 2 --figure 1.*may be a colour bar", listed.output), listed.output
    found = gb.inspect(tmp_path / "paper.pdf", page=2)
    assert not found.doubts, found.doubts
    assert found.bar is not None
    assert found.source.words
    values = found.bar.ticks.value_at([found.bar.box.bottom, found.bar.box.top])
    np.testing.assert_allclose(values, [0, 100], atol=0.3)
    assert (found.completed().name, found.completed().unit) == ("Depth", "m")


def test_a_scan_askew_is_read_upright_and_its_recipe_repeats_it(sheet: Path, tmp_path: Path) -> None:
    from PIL import Image

    flat = Image.open(sheet / "map.png").convert("RGB")
    scan = flat.rotate(1.7, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255))
    scan.save(tmp_path / "scan.png")
    points = np.loadtxt(sheet / "gcps.csv", delimiter=",", skiprows=1)
    turn = np.radians(1.7)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points[:, :2] = (points[:, :2] - np.array(flat.size) / 2) @ matrix + np.array(scan.size) / 2
    np.savetxt(tmp_path / "gcps.csv", points, delimiter=",", header="pixel,line,lon,lat", comments="")
    first = gb.digitize(tmp_path / "scan.png", tmp_path / "gcps.csv")
    assert first.recipe.turn == pytest.approx(1.7, abs=0.05)
    np.testing.assert_allclose(first.scale.limits, [-20, 60], atol=0.5)
    truth = np.load(sheet / "field.npy")
    at = np.array([[15.05, 5.05], [25.05, 12.05], [33.0, 17.0]])
    col, row = np.floor(first.georeference.transform.to_pixel(at)).astype(int).T
    want = [truth[int(lat * 10), int((lon - 10) * 10)] for lon, lat in at]
    np.testing.assert_allclose(first.inversion.values[row, col], want, atol=0.02 * 80)
    first.recipe.write(tmp_path / "scan.toml")
    from geocbar.digitization import digitize_recipe
    from geocbar.recipe import Recipe

    again = digitize_recipe(Recipe.read(tmp_path / "scan.toml"))
    np.testing.assert_array_equal(first.inversion.values, again.inversion.values)
