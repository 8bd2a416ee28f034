"""The files of a picker session, all in the folder of the map, each written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.recipe import Recipe

__all__ = ["SessionFiles", "free_name", "place_files", "without_checksums", "write_atomically"]

#: So often a file is called ``map-2.png`` if another one has its name.
_MOST_NAMESAKES = 100


@dataclass(frozen=True)
class SessionFiles:
    """Where a session writes.

    Parameters
    ----------
    folder : Path
        Of the map.
    recipe, gcps, qgis, mask, out : Path
        The recipe, the control points, those for QGIS, the mask of the brush, and the folder of a run's results.
    """

    folder: Path
    recipe: Path
    gcps: Path
    qgis: Path
    mask: Path
    out: Path


def place_files(recipe: Recipe) -> SessionFiles:
    """The files of a recipe's picture.

    Raises
    ------
    InvalidInputError
        If the recipe names control points or a mask outside the folder of the map.
    """
    image = Path(os.path.abspath(recipe.path(recipe.image)))
    folder, stem = image.parent, image.stem
    if recipe.page is not None:
        stem += f"-p{recipe.page}" + (f"-{recipe.figure}" if recipe.figure else "")
    named = {}
    for key, ending in (("gcps", ".gcps.csv"), ("mask", ".mask.png")):
        said = getattr(recipe, key)
        path = folder / f"{stem}{ending}" if said is None else Path(os.path.abspath(recipe.path(said)))
        if path.parent.resolve() != folder.resolve():
            raise InvalidInputError(
                f"{path.name} lies in {path.parent}, the map in {folder}: the picker writes only beside the map.",
                f"Copy it there: {folder / path.name}",
            )
        named[key] = path
    # QGIS looks for control points beside the picture, under the picture's whole name.
    qgis = folder / (f"{image.name}.points" if recipe.page is None else f"{stem}.points")
    if named["gcps"].suffix.lower() == ".points":
        named["gcps"] = folder / f"{stem}.gcps.csv"
    return SessionFiles(folder, folder / f"{stem}.toml", named["gcps"], qgis, named["mask"], folder / f"{stem}_geocbar")


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file at once, so that nobody ever finds half of it.

    Raises
    ------
    FileProblemError
        If it cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.chmod(file.name, 0o666 & ~_umask())
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise FileProblemError(
            f"{path.name} cannot be saved: {error.strerror or error}.", f"Check the folder {path.parent}."
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def free_name(folder: Path, name: str, data: bytes) -> Path:
    """Where a picture that was dropped on the page goes: never over another file.

    Raises
    ------
    InvalidInputError
        If the name is no plain name.
    FileProblemError
        If too many files are called so.
    """
    plain = Path(name.replace("\\", "/")).name
    if not plain or plain.startswith(".") or not plain.isprintable() or len(plain) > 120:
        raise InvalidInputError(f"{name[:60]!r} is no name for a picture.", "Give the file a plain name.")
    stem, ending = os.path.splitext(plain)
    for number in range(1, _MOST_NAMESAKES):
        path = folder / (plain if number == 1 else f"{stem}-{number}{ending}")
        if not path.exists():
            return path
        if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
            return path
    raise FileProblemError(f"{folder} holds too many files called {plain}.", "Rename the picture.")


def without_checksums(recipe: Recipe) -> Recipe:
    """The recipe of a session in which points and mask still change."""
    return replace(recipe, gcps_sha256="", mask_sha256="")
