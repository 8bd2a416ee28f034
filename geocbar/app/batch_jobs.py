"""The jobs of a batch: rows of a table, or a folder of recipes."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from geocbar.app.choices import make_recipe
from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.files.images import file_sha256
from geocbar.files.tables import SWITCHES, Row, TextTable, read_table
from geocbar.recipe import Recipe

__all__ = ["Job", "fingerprint", "read_jobs"]

NEEDED = (
    "Name the columns: image, and any of gcps, out and the choices of a recipe (colorbar, vmin, ...);"
    " or name a folder of recipes."
)

#: Names of the column with the picture, the PDF file or the recipe.
_IMAGE = ("image", "map", "path", "picture", "file", "recipe")

_TYPES = {f.name: str(f.type).removesuffix(" | None") for f in fields(Recipe)}

#: What a table may not say: it follows from the rest.
_INTERNAL = {"base", "image", "image_sha256", "gcps_sha256", "colormap_sha256", "mask_sha256"}

#: Choices that are paths, seen from the table.
_PATHS = {"gcps", "colormap", "mask"}


@dataclass(frozen=True)
class Job:
    """One map of a batch.

    Parameters
    ----------
    name : str
        Of its folder in the folder of the batch; no two jobs have the same.
    where : str
        Where it was asked for, for people.
    recipe : Recipe
    """

    name: str
    where: str
    recipe: Recipe


def read_jobs(path: Path) -> list[Job]:
    """Read the jobs of a batch.

    Parameters
    ----------
    path : Path
        A folder of recipes, or a table with a row a map: the column ``image`` (a picture, a PDF file, or a recipe),
        and any of ``gcps``, ``out`` (the name of its folder) and the choices of a recipe. Paths are relative to the
        table.

    Returns
    -------
    list of Job

    Raises
    ------
    FileProblemError
        If there is no such file or folder, or nothing in it.
    InvalidInputError
        If a column is not known or a cell is not what it should be: the sentence names line and column.
    """
    if path.is_dir():
        recipes = sorted(path.glob("*.toml"))
        if not recipes:
            raise FileProblemError(f"The folder {path} holds no recipe (.toml).", NEEDED)
        return _named((recipe.stem, str(recipe), Recipe.read(recipe.absolute())) for recipe in recipes)
    if path.suffix.lower() == ".toml":
        raise InvalidInputError(f"{path.name} is a single recipe.", f"Type: geocbar run {path}")
    table = read_table(path, NEEDED)
    if len(table.rows) < 2:
        raise InvalidInputError(f"{path.name} has no row with a map.", NEEDED)
    columns = _columns(path, table.rows[0])
    problems, rows = [], []
    for row in table.rows[1:]:
        try:
            rows.append((*_read_row(path, table, columns, row), row.number))
        except InvalidInputError as error:
            problems.append(error)
    if problems:
        more = f" (and {len(problems) - 1} more lines)" if len(problems) > 1 else ""
        raise InvalidInputError(f"{problems[0].message.rstrip('.')}{more}.", problems[0].hint)
    return _named((name, f"{path.name}, line {number}", recipe) for name, recipe, number in rows)


def fingerprint(recipe: Recipe, **settings: object) -> str:
    """What a job's outputs depend on, in a word: its choices, its files' contents, the version of geocbar.

    Parameters
    ----------
    recipe : Recipe
    **settings
        What else was asked for, as JSON knows it.

    Returns
    -------
    str
        Hexadecimal digits; empty if a file of the recipe cannot be read.
    """
    from geocbar import __version__

    choices: dict[str, Any] = asdict(recipe)
    del choices["base"]
    for key in ("image", "gcps", "colormap", "mask"):
        named = choices[key]
        if not named or (key == "colormap" and not recipe.path(named).is_file()):
            continue
        try:
            choices[key] = [Path(named).name, file_sha256(recipe.path(named))]
        except FileProblemError:
            return ""
    text = json.dumps([__version__, choices, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _columns(path: Path, header: Row) -> dict[int, str]:
    """Which choice each column holds."""
    columns: dict[int, str] = {}
    choices = sorted(set(_TYPES) - _INTERNAL)
    for at, cell in enumerate(header.fields):
        name = cell.strip().lower().lstrip("-").replace("-", "_").replace(" ", "_")
        name = "image" if name in _IMAGE else name
        if not name:
            continue
        if name not in choices and name not in ("image", "out"):
            near = difflib.get_close_matches(name, [*choices, "image", "out"], 1)
            meant = f"Did you mean {near[0]}?" if near else f"Choices are: {', '.join(choices)}"
            raise InvalidInputError(f"{path.name} has a column {cell.strip()!r} that is no choice of a recipe.", meant)
        if name in columns.values():
            raise InvalidInputError(f"{path.name} has more than one column {name}.", "Rename or delete one.")
        columns[at] = name
    if "image" not in columns.values():
        shown = ", ".join(cell.strip() for cell in header.fields)
        raise InvalidInputError(f"{path.name} has no column image: its header is {shown!r}.", NEEDED)
    return columns


def _read_row(path: Path, table: TextTable, columns: Mapping[int, str], row: Row) -> tuple[str, Recipe]:
    """The name and the recipe of one row."""
    where = f"{path.name}, line {row.number}"
    if len(row.fields) > len(table.rows[0].fields) and any(cell.strip() for cell in row.fields[len(columns) :]):
        raise InvalidInputError(
            f"{where} has {len(row.fields)} fields, the header {len(table.rows[0].fields)}.",
            'Put fields that hold commas, such as boxes, in quotes: "100,500,500,520"',
        )
    cells = {columns[at]: cell.strip() for at, cell in enumerate(row.fields) if at in columns and cell.strip()}
    if "image" not in cells:
        raise InvalidInputError(f"{where} names no image.", "Give the path of a picture, or delete the line.")
    image, name = cells.pop("image"), cells.pop("out", "")
    if Path(name).name != name or name in (".", ".."):
        raise InvalidInputError(f"{where}, column out: {name!r} is no plain name.", "Give a name without slashes.")
    choices = {}
    for key, text in cells.items():
        value = _typed(text, _TYPES[key], f"{where}, column {key}", decimal_comma=table.delimiter != ",")
        beside = key in _PATHS and (key != "colormap" or (path.parent / text).is_file())
        choices[key] = str((path.parent / text).absolute()) if beside else value
    try:
        recipe = make_recipe((path.parent / image).absolute(), choices)
    except (InvalidInputError, FileProblemError) as error:
        raise InvalidInputError(f"{where}: {error.message}", error.hint) from None
    return name or Path(image).stem, recipe


def _typed(text: str, kind: str, where: str, *, decimal_comma: bool) -> Any:
    if kind == "str":
        return text
    if kind == "float" and text.lower() == "none":
        return float("inf")  # as --max-error none
    if kind == "bool":
        if text.lower() not in SWITCHES:
            raise InvalidInputError(f"{where}: {text!r} is neither yes nor no.", "Give 1 or 0.")
        return SWITCHES[text.lower()]
    try:
        return int(text) if kind == "int" else float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        wanted = "whole number" if kind == "int" else "number"
        raise InvalidInputError(f"{where}: {text!r} is not a {wanted}.", "Mend that cell.") from None


def _named(jobs: Iterable[tuple[str, str, Recipe]]) -> list[Job]:
    """Jobs with names of their own: the second map.png is map-2."""
    taken: set[str] = set()
    named = []
    for name, where, recipe in jobs:
        free, number = name, 2
        while free.lower() in taken:
            free, number = f"{name}-{number}", number + 1
        taken.add(free.lower())
        named.append(Job(free, where, recipe))
    return named
