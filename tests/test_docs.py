"""The documentation, under test: its commands and its Python run, its names, options and links exist."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from pyproj import Transformer

import geocbar
from geocbar.app.cli import commands
from geocbar.files.gcp_tables import COLUMNS
from geocbar.scale_source import PALETTE_ENDINGS
from geocbar.value.colormaps import named_colors
from geocbar.value.shading import shade

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, *sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)

SOIL = ("#fee391", "#fec44f", "#fe9929", "#d95f0e", "#993404")


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[str]:
    """Fenced blocks of a page in some languages, also indented ones."""
    fenced = re.findall(r"^( *)```([\w-]*)\n(.*?)^\1```", page.read_text(encoding="utf-8"), re.M | re.S)
    return [body for _, language, body in fenced if language in languages]


def shell_commands(page: Path) -> list[list[str]]:
    """Commands of a page, split as a shell would: those of geocbar, and the check of an example."""
    found = []
    for body in blocks(page, "sh", "console"):
        for line in body.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:1] == ["geocbar"] or words[:2] == ["python", "examples/check.py"]:
                found.append(words)
    return found


def draw_page(path: Path, colors: np.ndarray, bar: np.ndarray, place: tuple[int, int]) -> None:
    """A picture with a map of 280 x 160 px in the frame 40,20,320,180 and a bar."""
    page = np.full((240, 380, 3), 255, np.uint8)
    page[20:180, 40:320] = colors
    x, y = place
    page[y : y + bar.shape[0], x : x + bar.shape[1]] = bar
    Image.fromarray(page).save(path)


def draw_stand_ins(folder: Path) -> None:
    """The maps that stand for the reader's own: on a log scale, of classes, with a fill and lines, shaded, scanned."""
    row, col = np.mgrid[0:160, 0:280]
    hill = np.exp(-(((col - 150) / 80) ** 2) - ((row - 70) / 50) ** 2)
    viridis = named_colors("viridis").colors.astype(np.uint8)
    strip = np.tile(viridis[((np.arange(240) + 0.5) * 256 / 240).astype(int)], (12, 1, 1))
    draw_page(folder / "chlorophyll.png", viridis[(255 * hill).astype(int)], strip, (60, 210))
    draw_difficult_stand_ins(folder, viridis, hill, strip)
    soil = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in SOIL], np.uint8)
    boxes = np.tile(np.repeat(soil[::-1], 20, axis=0)[:, None], (1, 12, 1))
    draw_page(folder / "soil.png", soil[np.minimum((5 * hill).astype(int), 4)], boxes, (340, 40))
    slices = "".join(f"{10 * i}\t{color}\t{10 * i + 10}\t{color}\n" for i, color in enumerate(SOIL))
    (folder / "soil.cpt").write_text(slices, encoding="utf-8")
    corners = [(x, y, 8 + (x - 40) / 140, 48 - (y - 20) / 100) for x in (40, 180, 320) for y in (20, 100, 180)]
    header = "pixel,line,lon,lat\n"
    degrees = header + "".join(f"{x},{y},{lon},{lat}\n" for x, y, lon, lat in corners)
    for name in ("chlorophyll.csv", "soil.csv", "lake.csv", "relief.csv", "scan.csv"):
        (folder / name).write_text(degrees, encoding="utf-8")
    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True)
    metres = [(x, y, *to_utm.transform(lon, lat)) for x, y, lon, lat in corners]
    utm = "".join(f"{x},{y},{east:.1f},{north:.1f}\n" for x, y, east, north in metres)
    (folder / "soil_utm.csv").write_text(header.replace("lon,lat", "easting,northing") + utm, encoding="utf-8")


def draw_difficult_stand_ins(folder: Path, viridis: np.ndarray, hill: np.ndarray, strip: np.ndarray) -> None:
    """A map with grey land and lines, one under multiplied light, and one that went through JPEG."""
    row, col = np.indices(hill.shape)
    plain = viridis[(255 * hill).astype(int)]
    lake = np.where((hill < 0.15)[..., None], np.uint8(200), plain)
    lake[:, [60, 130, 200]] = 0
    draw_page(folder / "lake.png", lake, strip, (60, 210))
    slope = np.cos(col / 13) + np.cos(row / 11 + col / 37)
    relief = shade(plain, np.clip(0.7 + 0.15 * slope, 0, 1), "multiply").round().astype(np.uint8)
    draw_page(folder / "relief.png", relief, strip, (60, 210))
    draw_page(folder / "scan.png", plain, strip, (60, 210))
    page = np.array(Image.open(folder / "scan.png"))
    page[190:200:3, 50:310] = page[4:12:3, 50:310] = 0
    page[190:200, 50:310:7] = page[4:12, 50:310:7] = 0
    Image.fromarray(page).save(folder / "scan.jpg", quality=80)
    Image.open(folder / "scan.jpg").save(folder / "scan.png")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reader stands: the examples, and maps of the reader's own."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    draw_stand_ins(folder)
    return folder


@pytest.fixture(scope="module")
def done() -> dict[str, str]:
    """Output of the commands that have been run, so that none runs twice."""
    return {}


@pytest.fixture
def at_desk(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(desk)
    return desk


def run_command(words: list[str], done: dict[str, str]) -> str:
    line = shlex.join(words)
    if line not in done:
        if words[0] == "python":
            result = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=False)
            assert result.returncode == 0, (line, result.stderr)
            done[line] = result.stdout
        else:
            outcome = CliRunner().invoke(commands, words[1:])
            assert outcome.exit_code == 0, (line, outcome.output, repr(outcome.exception))
            done[line] = outcome.stdout
    return done[line]


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if shell_commands(p)], ids=page_name)
def test_commands_run(page: Path, at_desk: Path, done: dict[str, str]) -> None:
    for words in shell_commands(page):
        output = run_command(words, done)
        if "--json" not in words and words[:2] == ["geocbar", "run"]:
            folder = output.split("files     ")[1].splitlines()[0].rpartition("/")[0]
            assert {p.suffix for p in Path(folder).iterdir()} >= {".tif", ".gpkg", ".qml", ".toml", ".png"}


def test_stand_ins_give_their_values_back(at_desk: Path, done: dict[str, str]) -> None:
    """The commands for log and class scales do not only run, they find what was drawn."""
    import rasterio

    for words in shell_commands(DOCS / "howto" / "scales.md"):
        run_command(words, done)
    for folder in ("chlorophyll_geocbar", "chlorophyll_ticks"):
        with rasterio.open(f"{folder}/chlorophyll.tif") as file:
            assert float(file.read(1)[70, 150]) == pytest.approx(10, rel=0.03), folder
    for folder in ("chlorophyll_power", "chlorophyll_root"):
        with rasterio.open(f"{folder}/chlorophyll.tif") as file:
            assert float(np.nanmax(file.read(1))) == pytest.approx(10, rel=0.03), folder
    middles = {"soil_geocbar": [5, 15, 25, 35, 45], "soil_ticks": [2.5, 7.5, 15, 30, 60]}
    for folder, expected in middles.items():
        with rasterio.open(f"{folder}/soil.tif") as file:
            assert np.unique(file.read(1)).tolist() == pytest.approx(expected), folder


def test_difficult_stand_ins_give_their_values_back(at_desk: Path, done: dict[str, str]) -> None:
    """Land has no value, lines are filled, light is taken out, and a former JPEG is read like one."""
    import rasterio

    printed = ""
    for page in ("background", "gaps", "shading", "jpeg"):
        for words in shell_commands(DOCS / "howto" / f"{page}.md"):
            printed += run_command(words, done)
    row, col = np.mgrid[0:160, 0:280]
    truth = 10 * np.exp(-(((col - 150) / 80) ** 2) - ((row - 70) / 50) ** 2)
    for folder in ("lake_geocbar", "lake_said", "lake_filled", "relief_geocbar", "scan_geocbar", "scan_png"):
        name = folder.partition("_")[0]
        with rasterio.open(f"{folder}/{name}.tif") as file, rasterio.open(f"{folder}/{name}.reason.tif") as why:
            values, reason = file.read(1), why.read(1)
            assert file.descriptions[:2] == ("value", "sigma")
        kept = np.isfinite(values)
        assert np.sqrt(np.mean((values - truth)[kept] ** 2)) < 0.05, folder
        if name == "lake":
            land = truth < 1.4
            assert not kept[land].any(), folder
            assert np.mean(reason[land] == geocbar.Reason.BACKGROUND) > 0.97, folder
            assert (reason == geocbar.Reason.FILLED).any() == (folder == "lake_filled")
        else:
            assert kept.mean() > 0.95, folder
    assert "multiplied with a hillshade" in printed
    assert "scan.png was a JPEG once" in printed


def same_but_for_small_changes(shown: str, real: str) -> None:
    """Equal words, and numbers within 20 %: what a reader sees is what the page says."""
    number = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
    flat = [" ".join(text.split()) for text in (shown, real)]
    words = [re.sub(number, "#", text) for text in flat]
    assert words[0] == words[1]
    old, new = ([float(n) for n in re.findall(number, text)] for text in flat)
    assert old == pytest.approx(new, rel=0.2, abs=0.1)


@pytest.mark.slow
def test_tutorial_shows_what_is_printed(at_desk: Path, done: dict[str, str]) -> None:
    shown = {b.split()[0]: b for b in blocks(DOCS / "tutorial.md", "text")}
    run, check, *_ = shell_commands(DOCS / "tutorial.md")
    same_but_for_small_changes(shown["map.jpg:"], run_command(run, done))
    same_but_for_small_changes(shown["RMSE"], run_command(check, done))


@pytest.mark.slow
def test_repeating_gives_the_same_bytes(at_desk: Path, done: dict[str, str]) -> None:
    for words in shell_commands(DOCS / "howto" / "recipes.md"):
        run_command(words, done)
    assert Path("soil_again/soil.tif").read_bytes() == Path("soil_geocbar/soil.tif").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=page_name)
def test_python_runs(page: Path, at_desk: Path) -> None:
    for number, body in enumerate(blocks(page, "python"), start=1):
        code = compile(body, f"{page.name}, block {number}", "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, {"__name__": "__docs__"})
        assert ("print(" in body) == bool(printed.getvalue())


def test_readme_begins_with_what_a_newcomer_needs() -> None:
    screen = README.read_text(encoding="utf-8").split("## In Python")[0]
    for needed in ("docs/images/before_after.png", "make run", "make test", "git clone", "geocbar run"):
        assert needed in screen
    [code] = blocks(README, "python")
    assert len(code.splitlines()) <= 12
    assert (DOCS / "images" / "before_after.png").stat().st_size < 300_000


def test_make_run_and_readme_give_the_same_command() -> None:
    words = shlex.split((ROOT / "Makefile").read_text(encoding="utf-8").split("geocbar run ")[1].split("\n\t$")[0])
    expected = [w.replace("$(EXAMPLE)", "examples/indonesian_seas") for w in words if w.strip()]
    assert sorted(expected) == sorted(shell_commands(README)[0][2:])


def test_every_command_has_help_and_a_place_in_the_docs() -> None:
    assert "geocbar.app.cli:commands" in (DOCS / "cli.md").read_text(encoding="utf-8")
    for name, command in commands.commands.items():
        assert command.help, name
        assert f"geocbar {name}" in TEXT, name
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


def test_only_options_that_exist_are_named() -> None:
    known = {"--help", "--version", "--no-install-recommends"}
    for command in commands.commands.values():
        known |= {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT + (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    assert named <= known


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=page_name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_every_page_is_in_a_table_of_contents() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in PAGES[1:]:
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        assert name == "index" or re.search(rf"^{name}$", index, re.M), name


def test_api_page_has_every_public_name() -> None:
    api = (DOCS / "api.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\.\. auto(?:class|function|exception):: (\w+)$", api, re.M)
    assert sorted(documented) == sorted(set(geocbar.__all__) - {"__version__"})


def test_palette_endings_are_those_of_the_code() -> None:
    page = (DOCS / "howto" / "colormaps.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `(\.\w+)` \|", page, re.M)) == sorted(PALETTE_ENDINGS)


def test_column_names_are_those_of_the_code() -> None:
    page = (DOCS / "howto" / "control_points.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!Column|---).*?\| (.*?) \|$", page, re.M)
    assert len(rows) == len(COLUMNS)
    for row, (role, names) in zip(rows, COLUMNS.items(), strict=True):
        for name in re.findall(r"`(\w+)`", row):
            assert name.lower().replace("_", "") in [*names.split(), "x", "y"], (role, name)


def test_architecture_page_lists_the_modules_there_are() -> None:
    [picture] = blocks(DOCS / "architecture.md", "text")
    rooms, listed = [""], set()
    for line in picture.splitlines()[1:]:
        depth, name = (len(line) - len(line.lstrip())) // 2, line.split()[0]
        rooms[depth:] = [rooms[depth - 1] + name]
        if not name.endswith("/"):
            listed.add(rooms[depth])
    package = ROOT / "geocbar"
    there = {p.relative_to(package).as_posix(): p.read_text(encoding="utf-8") for p in package.rglob("*.py")}
    assert listed <= set(there)
    used, fresh = set(), {"__init__.py", "__main__.py"}
    while fresh:
        used |= fresh
        text = "\n".join(there[name] for name in fresh)
        names = re.findall(r"(?:from |import |\")geocbar\.([a-z_.]+)", text)
        fresh = {name.replace(".", "/") + ".py" for name in names} & set(there) - used
    assert used <= listed, "modules that a run uses and the page does not name"


def test_citation_names_this_version() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML, which comes with the docs extra, is not installed")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == geocbar.__version__
    assert {"message", "title", "authors", "license"} <= set(citation)
    assert f"## {geocbar.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_site_builds_without_warnings(tmp_path: Path) -> None:
    for package in ("sphinx", "furo", "myst_parser", "numpydoc", "sphinx_click"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pytest.importorskip(package, reason=f"{package}, part of the docs extra, is not installed")
    build = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-d",
        str(tmp_path / "trees"),
    ]
    result = subprocess.run([*build, str(DOCS), str(tmp_path / "html")], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    api = (tmp_path / "html" / "api.html").read_text(encoding="utf-8")
    assert all(f'id="geocbar.{name}"' in api for name in geocbar.__all__ if name != "__version__")
    assert "--colorbar" in (tmp_path / "html" / "cli.html").read_text(encoding="utf-8")
