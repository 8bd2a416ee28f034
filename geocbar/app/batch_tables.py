"""What became of a batch, as a table for spreadsheets and a page for people."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from geocbar.app.batch_work import FIGURES, Outcome
from geocbar.app.report_page import Markup, element, number, page, section, table
from geocbar.errors import FileProblemError

__all__ = ["in_words", "write_tables"]


def in_words(outcomes: Sequence[Outcome]) -> str:
    """How many maps were done, skipped, refused, failed.

    Examples
    --------
    >>> in_words([Outcome("a", "line 2", "done"), Outcome("b", "line 3", "refused")])
    '2 maps: 1 done, 1 refused'
    """
    counts = Counter(outcome.status for outcome in outcomes)
    said = [f"{counts[status]} {status}" for status in ("done", "skipped", "refused", "failed") if counts[status]]
    return f"{len(outcomes)} map{'s' if len(outcomes) != 1 else ''}: {', '.join(said) or 'nothing to do'}"


def write_tables(folder: Path, outcomes: Sequence[Outcome]) -> dict[str, Path]:
    """Write ``batch.csv`` and ``batch.html``.

    Parameters
    ----------
    folder : Path
        Of the batch; the page links to the folders in it.
    outcomes : sequence of Outcome

    Returns
    -------
    dict of str to Path

    Raises
    ------
    FileProblemError
        If the folder cannot be written.
    """
    paths = {"table": folder / "batch.csv", "page": folder / "batch.html"}
    texts = {"table": _as_csv(outcomes), "page": _as_page(folder, outcomes)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in paths.items():
            fresh = path.with_name(path.name + ".new")
            fresh.write_text(texts[name], encoding="utf-8", newline="\n")
            fresh.replace(path)
    except OSError as error:
        raise FileProblemError(f"{folder} cannot be written: {error.strerror}.", "Check the folder.") from error
    return paths


def _as_csv(outcomes: Sequence[Outcome]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["name", "where", "status", "message", "hint", "seconds", "notes", *FIGURES])
    for outcome in outcomes:
        said = (outcome.name, outcome.where, outcome.status, outcome.message, outcome.hint, f"{outcome.seconds:.2f}")
        rows.writerow([*said, outcome.notes, *(outcome.figures.get(key, "") for key in FIGURES)])
    return text.getvalue()


def _as_page(folder: Path, outcomes: Sequence[Outcome]) -> str:
    from geocbar import __version__

    missed = [outcome for outcome in outcomes if outcome.status in ("refused", "failed")]
    there = [outcome for outcome in outcomes if outcome.status in ("done", "skipped")]
    parts: list[Markup] = [element("header", element("h1", f"Batch {folder.name}"), element("p", in_words(outcomes)))]
    if missed:
        why = [(o.name, o.where, o.status, o.message, o.hint) for o in missed]
        head: Sequence[str] = ("map", "asked for in", "", "why", "what next")
        parts.append(section("missed", "Not digitized", table("Maps without a result, and why", head, why)))
    if there:
        rows = [_result_row(folder, outcome) for outcome in there]
        head = ("map", "", "notes", *FIGURES.values(), "s")
        parts.append(section("done", "Digitized", table("Maps with a result", head, rows, numeric=range(2, len(head)))))
    return page(f"Batch {folder.name}", f"geocbar {__version__}", element("main", *parts))


def _result_row(folder: Path, outcome: Outcome) -> list[Any]:
    figures = [outcome.figures.get(key, "") for key in FIGURES]
    shown = [number(value, 3) if isinstance(value, float) else value for value in figures]
    return [_link(folder, outcome.name), outcome.status, outcome.notes, *shown, number(outcome.seconds, 3)]


def _link(folder: Path, name: str) -> object:
    """The name, leading to the map's report or, without one, to its check picture."""
    for ending in (".html", ".check.png"):
        target = next(iter(sorted((folder / name).glob(f"*{ending}"))), None)
        if target is not None:
            return element("a", name, href=f"{quote(name)}/{quote(target.name)}")
    return name
