"""A page of a paper with a vector map becomes data, with nothing said but the page; and what is refused of PDFs."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from drawing.pdf_figures import draw_pdf
from drawing.pdf_pages import Sheet, bound, paper_page, turned
from map_job import Outcome, geocbar, write_points
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from test_pdf import locked

import geocbar as gb
from geocbar.figure_source import read_source
from geocbar.recipe import Recipe

WEST, EAST, SOUTH, NORTH = 10.0, 40.0, 30.0, 50.0
CORNERS = ((WEST, SOUTH), (EAST, SOUTH), (EAST, NORTH), (WEST, NORTH), (25.0, 40.0))
SIZE = (420.0, 300.0)
MAP = (0.1, 0.12, 0.7, 0.76)


def field(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
    """Waves between -4 and 16."""
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    return 6 + 10 * np.sin(x / 4) * np.cos(y / 3.5)


def vector_map(*, degrees: bool = True) -> bytes:
    """A map drawn cell by cell, with its bar, on a page of its own; degrees at the frame."""
    figure = Figure((SIZE[0] / 72, SIZE[1] / 72))
    axes = figure.add_axes(MAP)
    lon, lat = np.linspace(WEST, EAST, 121), np.linspace(SOUTH, NORTH, 81)
    cells = field(*np.meshgrid((lon[:-1] + lon[1:]) / 2, (lat[:-1] + lat[1:]) / 2))
    drawn = axes.pcolormesh(lon, lat, cells, cmap="viridis", vmin=-4, vmax=16)
    axes.set_xticks([15, 20, 25, 30, 35], [f"{v}°E" for v in (15, 20, 25, 30, 35)] if degrees else ["a", *"bcde"])
    axes.set_yticks([30, 35, 40, 45], [f"{v}°N" for v in (30, 35, 40, 45)] if degrees else [*"pqrs"])
    axes.tick_params(top=degrees, labeltop=degrees)
    axes.grid(color="black", linewidth=0.4)
    bar = figure.colorbar(drawn, cax=figure.add_axes((0.84, 0.12, 0.035, 0.8)))
    bar.set_ticks([-4, 0, 4, 8, 12, 16])
    bar.set_label("Heat flux [W/m$^2$]")
    stream = io.BytesIO()
    figure.savefig(stream, format="pdf", metadata={"CreationDate": None})
    return stream.getvalue()


def on_paper(figure: bytes) -> Sheet:
    return paper_page(np.random.default_rng(4), figure, 1.0, SIZE, 1)


def judge(result: gb.DigitizedMap) -> tuple[float, float]:
    """RMSE against the cells drawn and share lost, both in percent."""
    place = result.georeference.transform.to_world
    rows, cols = np.nonzero(np.isfinite(result.inversion.values))
    lon, lat = place(np.stack([cols + 0.5, rows + 0.5], axis=1)).T
    drawn = field((np.floor(lon * 4) + 0.5) / 4, (np.floor(lat * 4) + 0.5) / 4)
    error = result.inversion.values[rows, cols] - drawn
    corners = result.georeference.transform.to_pixel(np.array([[WEST, NORTH], [EAST, SOUTH]]))
    area = float(np.prod(np.ptp(corners, axis=0)))
    return 100 * float(np.sqrt((error**2).mean())) / 20, 100 * (1 - len(rows) / area)


def true_pixels(sheet: Sheet, name: Path, points: ArrayLike = CORNERS) -> NDArray[np.float64]:
    """Where places of the map lie in the picture that is taken out of the page, (n, 2)."""
    from geocbar.files.pdf import read_pdf_figure

    taken = read_pdf_figure(name, 1, 1, dpi=200)
    left, bottom, width, height = MAP
    lon, lat = np.asarray(points, float).T
    x = SIZE[0] * (left + width * (lon - WEST) / (EAST - WEST))
    y = SIZE[1] * (1 - bottom - height * (lat - SOUTH) / (NORTH - SOUTH))
    seen = np.stack([x, y], axis=1) @ sheet.place[:, :2].T + sheet.place[:, 2]
    return (seen - taken.box_pt[:2]) * taken.dpi / 72


@pytest.mark.parametrize("rotation", [0, 90])
def test_a_vector_map_on_a_page_runs_from_the_page_alone(tmp_path: Path, rotation: int) -> None:
    sheet = on_paper(vector_map())
    sheet = turned(sheet, rotation) if rotation else sheet
    (tmp_path / "paper.pdf").write_bytes(sheet.data)
    result = gb.digitize(tmp_path / "paper.pdf", page=1, dpi=200)
    error, lost = judge(result)
    assert error < 0.5
    assert lost < 4.0
    assert (result.recipe.name, result.recipe.unit) == ("Heat flux", "W/m^2")
    at = result.georeference.transform.to_pixel(np.array(CORNERS))
    assert np.abs(at - true_pixels(sheet, tmp_path / "paper.pdf")).max() < 1.0


def test_control_points_and_the_recipe_of_a_page(tmp_path: Path) -> None:
    sheet = on_paper(vector_map(degrees=False))
    (tmp_path / "paper.pdf").write_bytes(sheet.data)
    pixels = true_pixels(sheet, tmp_path / "paper.pdf")
    write_points(tmp_path / "gcps.csv", [(*xy, *lonlat) for xy, lonlat in zip(pixels, CORNERS, strict=True)])
    typed = ["--page", 1, "--dpi", 200, "--gcps", "gcps.csv", "--out", "first", "--quiet"]
    first = run(tmp_path, "run", "paper.pdf", *typed)
    assert first.code == 0, first.err
    again = run(tmp_path, "run", "first/paper.toml", "--out", "again", "--quiet")
    assert again.code == 0, again.err
    stem = next(path.stem for path in (tmp_path / "first").glob("*.toml"))
    for name in (f"{stem}.tif", f"{stem}.reason.tif", f"{stem}.check.png"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with PDF files of every sort."""
    folder = tmp_path_factory.mktemp("shelf")
    rng = np.random.default_rng(1)
    (folder / "paper.pdf").write_bytes(data := bound(rng, on_paper(vector_map(degrees=False)), 1, 1))
    (folder / "cut.pdf").write_bytes(data[:-300])
    (folder / "broken.pdf").write_bytes(data[:200] + bytes(len(data) - 400) + data[-200:])
    pages = (paper_page(np.random.default_rng(seed), vector_map(), 0.5, SIZE, 2) for seed in range(20))
    (folder / "two.pdf").write_bytes(next(page.data for page in pages if page.others == 1))
    words = Figure((4, 3))
    words.text(0.1, 0.5, "A page of words.")
    words.savefig(folder / "words.pdf")
    locked(folder / "locked.pdf", b"secret")
    Image.new("RGB", (300, 200), "white").save(folder / "map.png")
    (folder / "paper_geocbar").mkdir()
    (folder / "paper_geocbar" / "paper.tif").write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("typed", "sentence", "hint"),
    [
        ("paper.pdf --page 9 --out o", r"There is no page 9 in paper\.pdf: it has 3 pages", "--page 1 to 3"),
        ("paper.pdf --page 1 --out o", r"Page 1 of paper\.pdf holds text but no figure", r"inspect paper\.pdf"),
        ("paper.pdf --page 2 --figure 9 --out o", "no figure 9 on page 2 .* there is 1, vector", "--figure 1, or 0"),
        ("paper.pdf --page 2 --gcps no.csv --out o", r"no\.csv cannot be read", "name of the file"),
        ("paper.pdf --page 2", "paper_geocbar", "--overwrite"),
        ("two.pdf", r"two\.pdf holds 2 figures, on page 1\.", r"inspect two\.pdf.*--page 1 --figure 1"),
        ("two.pdf --page 1", r"Page 1 of two\.pdf holds 2 figures \(1, vector", "--figure 1 to 2"),
        ("words.pdf", r"words\.pdf holds no figure", "--page 1 --figure 0"),
        ("words.pdf --page 1", "holds text but no figure", "--figure 0"),
        ("locked.pdf --page 1", r"locked\.pdf is locked by a password", "qpdf --decrypt"),
        ("cut.pdf --page 1", r"cut\.pdf is cut off", "Get the file again"),
        ("broken.pdf --page 1", r"broken\.pdf is damaged", "Get the file again"),
        ("map.png --page 2", r"map\.png is no PDF", "Leave out --page"),
        ("map.png --figure 2", r"map\.png is no PDF", "Leave out --figure"),
    ],
)
def test_what_a_tired_user_types(shelf: Path, typed: str, sentence: str, hint: str) -> None:
    before = sorted(shelf.rglob("*"))
    outcome = run(shelf, "run", *typed.split(), "--quiet")
    assert (outcome.code, outcome.out) == (1, "")
    first, _, rest = outcome.err.partition("\n")
    assert re.search(sentence, first), first
    assert re.search(hint, rest), rest
    assert sorted(shelf.rglob("*")) == before


def test_a_figure_number_suffices_where_one_page_has_figures(shelf: Path) -> None:
    source = read_source(Recipe(str(shelf / "two.pdf"), figure=2, dpi=72))
    page = read_source(Recipe(str(shelf / "two.pdf"), page=1, figure=2, dpi=72))
    assert source.picture.pixels.shape == page.picture.pixels.shape


def run(folder: Path, *args: object) -> Outcome:
    return geocbar(*args, cwd=folder)


def test_a_power_whose_exponent_stands_apart_is_doubted(tmp_path: Path) -> None:
    """Computer Modern's multiplication sign reads as a pound, and -3 is a word of its own: a factor all the same."""
    (tmp_path / "paper.pdf").write_bytes(draw_pdf(8049).data)
    found = gb.inspect(tmp_path / "paper.pdf", page=1, figure=1)
    assert found.doubts
    assert any("'× 10'" in doubt and "factor" in doubt for doubt in found.doubts)
