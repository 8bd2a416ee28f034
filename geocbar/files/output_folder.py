"""A folder that appears complete or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geocbar.errors import FileProblemError

__all__ = ["fresh_folder"]

_OWN_ENDINGS = (
    ".tif",
    ".reason.tif",
    ".position.tif",
    ".reason.qml",
    ".gpkg",
    ".qml",
    ".toml",
    ".check.png",
    ".csv",
    ".nc",
    ".html",
    ".points",
    ".job.json",
    ".tif.aux.xml",
    ".gpkg-wal",
    ".gpkg-shm",
)


@contextmanager
def fresh_folder(target: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Fill a temporary folder beside `target` and rename it at the end.

    If anything goes wrong inside, Ctrl-C included, the temporary folder is removed and `target` is as it was.

    Parameters
    ----------
    target : str or Path
    overwrite : bool
        Replace a folder that holds nothing but the outputs of an earlier run.

    Yields
    ------
    Path
        The temporary folder to write to.

    Raises
    ------
    FileProblemError
        If `target` is a file, a non-empty folder without `overwrite`, holds files that are not geocbar's, or cannot
        be made.
    """
    target = Path(target)
    require_free(target, overwrite)
    try:
        target = target.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise FileProblemError(
            f"The folder {target} cannot be made: {error.strerror}.", "Name another one: --out DIR"
        ) from error
    try:
        # mkdtemp makes private folders; results are as readable as anything else the user makes.
        mask = os.umask(0)
        os.umask(mask)
        folder.chmod(0o777 & ~mask)
        yield folder
        _swap(folder, target)
    except OSError as error:
        if isinstance(error, FileProblemError):
            raise
        raise FileProblemError(
            f"{target} cannot be written: {error.strerror or error}.",
            "Check the folder's permissions and the free space.",
        ) from error
    finally:
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)


def require_free(target: Path, overwrite: bool) -> None:
    """Refuse a target that holds something, before any work is done.

    Raises
    ------
    FileProblemError
        As in :func:`fresh_folder`.
    """
    try:
        if not target.exists():
            above = next(parent for parent in target.absolute().parents if parent.exists())
            if not above.is_dir():
                raise FileProblemError(f"{above} is a file, so {target} cannot be made.", "Name a folder: --out DIR")
            return
        if not target.is_dir():
            raise FileProblemError(f"{target} is a file.", "Name a folder: --out DIR")
        if Path.cwd().is_relative_to(target.resolve()):
            raise FileProblemError(
                f"{target} is the folder you are in, or one above it: it cannot be replaced.",
                "Name a new folder below it: --out DIR",
            )
        entries = sorted(target.iterdir())
    except OSError as error:
        if isinstance(error, FileProblemError):
            raise
        raise FileProblemError(
            f"{target} cannot be used: {error.strerror}.", "Name another folder: --out DIR"
        ) from error
    if not entries:
        return
    if not overwrite:
        raise FileProblemError(
            f"{target} exists and holds {len(entries)} file{'s' if len(entries) > 1 else ''}.",
            "Replace it with --overwrite, or name another folder: --out DIR",
        )
    # All outputs of a run are named like its recipe.
    recipe = next((entry.stem for entry in entries if entry.suffix == ".toml"), None)
    own = tuple(f"{recipe}{ending}" for ending in _OWN_ENDINGS)
    foreign = [entry.name for entry in entries if not (entry.is_file() and entry.name in own)]
    if foreign or recipe is None:
        named = f" ({', '.join(foreign[:3])})" if foreign else ""
        raise FileProblemError(
            f"{target} holds files that are not the outputs of an earlier run{named}: it is not overwritten.",
            "Name another folder: --out DIR",
        )


def _swap(folder: Path, target: Path) -> None:
    if not target.exists():
        folder.rename(target)
        return
    retired = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        target.rename(retired / target.name)
        try:
            folder.rename(target)
        except BaseException:
            (retired / target.name).rename(target)
            raise
    finally:
        shutil.rmtree(retired, ignore_errors=True)
