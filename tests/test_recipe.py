from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from map_job import MapJob, draw_job, geocbar
from PIL import Image

import geocbar as gb
from geocbar.digitization import digitize_recipe
from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.recipe import Recipe

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PART = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8).filter(
    lambda part: part not in (".", "..")
)
PATH = st.lists(PART, min_size=1, max_size=3).map("/".join)
NUMBER = st.floats(allow_nan=False)
RECIPES = st.builds(
    Recipe,
    image=PATH,
    gcps=PATH,
    image_sha256=st.sampled_from(["", "ab" * 32]),
    max_pixels=st.none() | st.integers(1, 2**40),
    frame=st.none() | st.just("1,2,30.5,40"),
    colorbar=st.none() | st.just("1,2,30.5,40"),
    colormap=st.none() | st.sampled_from(["viridis", "cmocean:thermal_r"]),
    vmin=st.none() | NUMBER,
    vmax=st.none() | NUMBER,
    ticks=st.none() | st.just("0@1,2@3"),
    scale=st.sampled_from(["auto", "linear", "log", "discrete"]),
    name=TEXT,
    unit=TEXT,
    max_distance=st.none() | NUMBER,
    background=st.sampled_from(["", "#c8c8c8", "#c8c8c8 #ffffff"]),
    search_background=st.booleans(),
    shading=st.sampled_from(["auto", "none", "gmt"]),
    fill=st.integers(0, 99),
    intensity=st.booleans(),
    gcp_crs=st.none() | TEXT.filter(bool),
    model=st.sampled_from(["auto", "affine", "poly2"]),
    to_crs=st.none() | st.just("EPSG:3857"),
    resolution=st.none() | NUMBER,
    resampling=st.sampled_from(["nearest", "bilinear"]),
    tolerance=st.none() | NUMBER,
    eps=NUMBER,
    min_samples=st.integers(1, 99),
    levels=st.integers(1, 999),
    spacing=NUMBER,
)


@given(RECIPES, PART)
@settings(deadline=None)
def test_toml_gives_the_same_recipe_back(tmp_path_factory: pytest.TempPathFactory, recipe: Recipe, part: str) -> None:
    folder = Path(os.path.abspath("."))
    text = recipe.to_toml(folder / f"{part}.toml")
    file = tmp_path_factory.getbasetemp() / "round.toml"
    file.write_text(text, encoding="utf-8")
    assert Recipe.read(file) == recipe


@pytest.mark.parametrize("nothing", [None, math.inf])
def test_no_promise_is_kept_in_the_file(tmp_path: Path, nothing: float | None) -> None:
    recipe = Recipe(image="a", max_error=nothing)  # type: ignore[arg-type]
    recipe.write(tmp_path / "a.toml")
    assert "max_error = inf" in (tmp_path / "a.toml").read_text(encoding="utf-8")
    assert Recipe.read(tmp_path / "a.toml").max_error == math.inf
    assert Recipe(image="a").max_error == 2.0


def test_every_choice_has_its_place_in_the_file(tmp_path: Path) -> None:
    files: dict[str, Any] = {"image": "a", "gcps": "b", "image_sha256": "1", "gcps_sha256": "2", "colormap_sha256": "3"}
    value: dict[str, Any] = {
        "colorbar": "0,0,9,9",
        "colormap": "viridis",
        "vmin": 1.0,
        "vmax": 2.0,
        "ticks": "0@1",
        "unit": "m",
    }
    grid: dict[str, Any] = {"gcp_crs": "EPSG:4258", "to_crs": "EPSG:3857", "resolution": 2.0}
    limits: dict[str, Any] = {"max_pixels": 4, "max_distance": 5.0, "tolerance": 0.5, "frame": "0,0,9,9"}
    page: dict[str, Any] = {
        "page": 7,
        "figure": 2,
        "dpi": 300.0,
        "panel": 1,
        "turn": 0.5,
        "max_error": 2.0,
        "spacing": 8.0,
    }
    hand: dict[str, Any] = {"background": "#c8c8c8", "mask": "m.png", "mask_sha256": "4"}
    full = Recipe(**files, **value, **grid, **limits, **page, **hand)
    full.write(tmp_path / "full.toml")
    tables = tomllib.loads((tmp_path / "full.toml").read_text(encoding="utf-8"))
    stored = {key for table in tables.values() for key in table}
    assert stored == set(Recipe.__dataclass_fields__) - {"base"}
    assert Recipe.read(tmp_path / "full.toml").moved_to(Path.cwd()).image == os.path.relpath(Path.cwd() / "a")


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "my.toml"
    file.write_text(text, encoding="utf-8")
    return file


NAMED = '[map]\nimage = "m.png"\n[place]\ngcps = "g.csv"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            NAMED + "[colour]\nx = 1\n",
            r"my\.toml has a table \[colour\] that is not part .*\n.*map, scale",
        ),
        ('image = "m.png"\n', r"has a table \[image\]"),
        (NAMED + "[thin]\nepsilon = 1\n", r"has a key 'epsilon' in \[thin\].*\n.*tolerance, eps, min_samples"),
        (NAMED + "[scale]\nimage = 1\n", r"has a key 'image' in \[scale\]"),
        (NAMED + '[scale]\nvmin = "0"\n', r"vmin = '0' is not of type float.\n  Mend that line"),
        (NAMED + "[scale]\nvmin = true\n", r"vmin = True is not of type float"),
        (NAMED + "[thin]\nlevels = 4.5\n", r"levels = 4.5 is not of type int"),
        (NAMED + "[thin]\nlevels = true\n", r"levels = True is not of type int"),
        (NAMED + "[scale]\nticks = [1, 2]\n", r"ticks = \[1, 2\] is not of type str"),
        ("", r"my\.toml does not name: image"),
    ],
)
def test_what_is_no_recipe_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        Recipe.read(write(tmp_path, text))


def test_whole_numbers_do_for_values(tmp_path: Path) -> None:
    assert Recipe.read(write(tmp_path, NAMED + "[scale]\nvmin = -3\n")).vmin == -3.0


def test_files_that_are_not_toml(tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match=r"my\.toml is not TOML: .*line 1"):
        Recipe.read(write(tmp_path, "image = m.png"))
    (tmp_path / "my.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileProblemError, match=r"my\.toml is not TOML"):
        Recipe.read(tmp_path / "my.toml")
    with pytest.raises(FileProblemError, match=r"cannot be read: No such file"):
        Recipe.read(tmp_path / "none.toml")


def test_names_no_recipe_can_hold_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"The image 'k\\udce4rte\.png' is not text in UTF-8.*\n.*Rename"):
        Recipe(os.fsdecode(b"k\xe4rte.png"), "g.csv")


def test_header_can_be_typed_and_is_always_a_comment() -> None:
    assert "geocbar run 'my map.toml'\n" in Recipe("a", "b").to_toml("my map.toml")
    assert tomllib.loads(Recipe("a", "b").to_toml("new\nline.toml"))["map"]["image"] == "a"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> MapJob:
    """A job with its results in ``map_geocbar`` beside it."""
    job = draw_job(tmp_path_factory.mktemp("job"))
    outcome = geocbar("run", *job.args, "--csv", "--quiet", cwd=job.picture.parent)
    assert outcome.code == 0, outcome.err
    return job


def test_recipe_gives_the_same_bytes_from_anywhere(done: MapJob, tmp_path: Path) -> None:
    first = done.picture.parent / "map_geocbar"
    outcome = geocbar("run", first / "map.toml", "--csv", "--quiet", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    again = tmp_path / "map_geocbar"
    for name in ("map.tif", "map.csv", "map.qml"):
        assert sha256(again / name) == sha256(first / name), name
    kept, new = (tomllib.loads((folder / "map.toml").read_text(encoding="utf-8")) for folder in (first, again))
    assert kept["map"]["image"] == "../map.png"
    assert (again / new["map"]["image"]).resolve() == done.picture.resolve()
    assert {**new, "map": 0, "place": 0} == {**kept, "map": 0, "place": 0}


def test_everything_may_move_together(done: MapJob, tmp_path: Path) -> None:
    moved = tmp_path / "with space" / "ü"
    shutil.copytree(done.picture.parent, moved)
    before = sha256(moved / "map_geocbar" / "map.tif")
    outcome = geocbar("run", "map_geocbar/map.toml", "--overwrite", "--quiet", cwd=moved)
    assert outcome.code == 0, outcome.err
    assert sha256(moved / "map_geocbar" / "map.tif") == before
    assert not (moved / "map_geocbar" / "map.csv").exists()


@pytest.mark.parametrize("changed", ["map.png", "gcps.csv"])
def test_another_file_of_the_same_name_is_refused(done: MapJob, tmp_path: Path, changed: str) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(done.picture.parent, moved)
    if changed == "map.png":
        Image.open(moved / changed).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(moved / changed)
    else:
        (moved / changed).write_text((moved / changed).read_text() + "\n")
    outcome = geocbar("run", "map_geocbar/map.toml", "--out", "new", cwd=moved)
    assert outcome.code == 1
    assert f"Error: {changed} is not the file the recipe was made with: its checksum differs.\n  Use the" in outcome.err
    assert not (moved / "new").exists()


def test_another_palette_of_the_same_name_is_refused(done: MapJob, tmp_path: Path) -> None:
    palette = tmp_path / "p.txt"
    palette.write_text("#440154\n#21918c\n#fde725\n")
    result = gb.digitize(done.picture, done.gcps, colormap=str(palette), vmin=0, vmax=10)
    result.recipe.write(tmp_path / "p.toml")
    assert digitize_recipe(Recipe.read(tmp_path / "p.toml")).scale.limits.tolist() == [0, 10]
    palette.write_text("#440154\n#fde725\n")
    with pytest.raises(InvalidInputError, match=r"p\.txt is not the file the recipe was made with"):
        digitize_recipe(Recipe.read(tmp_path / "p.toml"))


def test_options_overrule_the_recipe(done: MapJob, tmp_path: Path) -> None:
    recipe = done.picture.parent / "map_geocbar" / "map.toml"
    other = tmp_path / "other.csv"
    other.write_text(done.gcps.read_text() + "112,59.5,25,42.5\n")
    options = ["--vmax", "20", "--unit", "K", "--gcps", "other.csv", "--model", "affine", "--quiet"]
    outcome = geocbar("run", recipe, *options, cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    tables = tomllib.loads((tmp_path / "map_geocbar" / "map.toml").read_text(encoding="utf-8"))
    assert tables["scale"]["vmin"] == 0.0
    assert tables["scale"]["vmax"] == 20.0
    assert tables["place"]["gcps"] == "../other.csv"
    assert tables["place"]["gcps_sha256"] == sha256(other)
    with (
        rasterio.open(recipe.with_suffix(".tif")) as old,
        rasterio.open(tmp_path / "map_geocbar" / "map.tif") as new,
    ):
        assert new.descriptions == ("value [K]", "sigma [K]")
        for band in (1, 2):
            np.testing.assert_allclose(new.read(band), 2 * old.read(band), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        (["--colormap", "viridis"], [0.0, 10.0]),
        (["--colormap", "viridis", "--vmax", "5"], [0.0, 5.0]),
        (["--ticks", "5@16,30@144"], [5.0, 30.0]),
    ],
)
def test_another_way_to_say_the_scale_takes_the_place_of_the_recipes(
    done: MapJob, tmp_path: Path, options: list[str], limits: list[float]
) -> None:
    recipe = done.picture.parent / "map_geocbar" / "map.toml"
    outcome = geocbar("run", recipe, *options, "--json", "--quiet", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["scale_limits"] == pytest.approx(limits)
    again = Recipe.read(tmp_path / "map_geocbar" / "map.toml")
    assert (again.colorbar is None) == ("--colormap" in options)
