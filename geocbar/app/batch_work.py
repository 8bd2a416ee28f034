"""One job of a batch, done where it is sent: in this process, another, or on another machine."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geocbar.app.batch_jobs import Job, fingerprint
from geocbar.errors import FileProblemError, GeocbarError, NotReadError

__all__ = ["FIGURES", "Outcome", "Settings", "do_job", "failure"]

#: Figures of a map's summary that stand in the table of a batch.
FIGURES = {
    "quantity": "quantity",
    "unit": "unit",
    "valued_percent": "with a value %",
    "sigma_median_percent": "sigma %",
    "model": "model",
    "rmse_px": "place RMSE px",
    "rmse_km": "place RMSE km",
    "points": "points",
    "rebuild_p99_percent": "rebuild 99 % within %",
}


@dataclass(frozen=True)
class Settings:
    """What holds for all jobs of a batch.

    Parameters
    ----------
    out : Path
        Folder of the batch; each job has one of its own in it.
    csv, report : bool
        As for one run.
    """

    out: Path
    csv: bool = False
    report: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Parameters
    ----------
    name, where : str
        Of the job.
    status : str
        ``done``, ``skipped`` (done earlier), ``refused`` (geocbar says why) or ``failed``.
    message, hint : str
        Why it was refused or failed, and what to do.
    seconds : float
    figures : mapping
        Those of :data:`FIGURES`, if done.
    notes : int
        How many notes the summary has.
    """

    name: str
    where: str
    status: str
    message: str = ""
    hint: str = ""
    seconds: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)
    notes: int = 0


def do_job(job: Job, settings: Settings) -> Outcome:
    """Digitize one map and write its folder, unless it is there already; never raises what a map can cause.

    Parameters
    ----------
    job : Job
    settings : Settings

    Returns
    -------
    Outcome
    """
    began = time.monotonic()
    folder = settings.out / job.name
    word = fingerprint(job.recipe, csv=settings.csv, report=settings.report)
    earlier = _done_earlier(folder, word)
    if earlier is not None:
        return Outcome(job.name, job.where, "skipped", figures=earlier["figures"], notes=earlier["notes"])
    try:
        summary, files = _digitize(job, folder, settings)
    except GeocbarError as error:
        return Outcome(job.name, job.where, "refused", error.message, error.hint, time.monotonic() - began)
    except MemoryError:
        return failure(job, "There is not enough memory for a picture of this size.", time.monotonic() - began)
    except Exception as error:
        if os.environ.get("GEOCBAR_DEBUG"):
            raise
        return failure(job, f"geocbar stumbled: {type(error).__name__}: {error}.", time.monotonic() - began)
    figures = {key: summary[key] for key in FIGURES}
    _remember(folder, word, {"figures": figures, "notes": len(summary["notes"]), "files": files})
    seconds = time.monotonic() - began
    return Outcome(job.name, job.where, "done", seconds=seconds, figures=figures, notes=len(summary["notes"]))


def failure(job: Job, message: str, seconds: float = 0.0) -> Outcome:
    """The outcome of a job that broke down."""
    hint = "Run it alone, with GEOCBAR_DEBUG=1, and report what it prints."
    return Outcome(job.name, job.where, "failed", message, hint, seconds)


def _digitize(job: Job, folder: Path, settings: Settings) -> tuple[dict[str, Any], list[str]]:
    from geocbar.app.calls import read_text
    from geocbar.app.report import render_report
    from geocbar.digitization import digitize_recipe

    _clear_leftovers(folder)
    drafts = folder.with_name(f"{folder.name}_inspect")
    try:
        result = digitize_recipe(job.recipe, read=read_text)
    except NotReadError as error:
        raise _with_draft(error, drafts) from error
    report = (lambda made, recipe: render_report(made, recipe_path=recipe)) if settings.report else None
    files = result.save(folder, overwrite=True, csv=settings.csv, report=report)
    return result.summary(), sorted(path.name for path in files.values())


def _with_draft(error: NotReadError, folder: Path) -> NotReadError:
    """The refusal, with a recipe in which a person can mend what was found."""
    from geocbar.app.drafts import write_draft
    from geocbar.inspection import Inspection

    found = error.found
    if not isinstance(found, Inspection):
        return error
    paths = write_draft(found, folder, keep=True)
    return NotReadError(error.message, f"{error.hint} Or mend {paths['recipe']} and run that.".strip(), found)


def _clear_leftovers(folder: Path) -> None:
    """Remove what a killed worker left half-written beside the folder."""
    if folder.parent.is_dir():
        for left in folder.parent.glob(f".{folder.name}-*"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)


def _memory(folder: Path) -> Path:
    """Where it stands what a folder was made from; named like the recipe in it, as all outputs are."""
    recipe = next(iter(sorted(folder.glob("*.toml"))), folder / f"{folder.name}.toml")
    return recipe.with_suffix(".job.json")


def _remember(folder: Path, word: str, said: Mapping[str, Any]) -> None:
    path = _memory(folder)
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_text(json.dumps({"fingerprint": word, **said}, indent=1), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise FileProblemError(f"{path} cannot be written: {error.strerror}.", "Check the folder.") from error


def _done_earlier(folder: Path, word: str) -> dict[str, Any] | None:
    """What an earlier run said of the same job, if all it wrote is still there."""
    path = _memory(folder)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(said, dict) and {"fingerprint", "figures", "notes", "files"} <= set(said)
    if not whole or not word or said["fingerprint"] != word:
        return None
    return said if all((folder / name).is_file() for name in said["files"]) else None
