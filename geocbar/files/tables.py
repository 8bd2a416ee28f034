"""Tables of text as people make them: any encoding, commas, semicolons or tabs, with comments."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geocbar.errors import FileProblemError

__all__ = ["SWITCHES", "Row", "TextTable", "read_table"]

#: What stands for on and off, in lower case.
SWITCHES = {
    **dict.fromkeys(("1", "true", "yes", "y", "t", "on", "1.0", ""), True),
    **dict.fromkeys(("0", "false", "no", "n", "f", "off", "0.0"), False),
}


@dataclass(frozen=True)
class Row:
    """One row of a table and the line of the file it stands in."""

    number: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Parameters
    ----------
    rows : sequence of Row
        Those that are not empty, the header first; may be none.
    delimiter : str
        Comma, semicolon or tab.
    comments : sequence of str
        Lines that begin with ``#``, without it.
    """

    rows: Sequence[Row]
    delimiter: str
    comments: Sequence[str]


def read_table(path: Path, needed: str) -> TextTable:
    """Read a table in UTF-8, UTF-16 with a mark, or else Latin-1.

    Parameters
    ----------
    path : Path
    needed : str
        What should stand in it: the hint if nothing does.

    Returns
    -------
    TextTable

    Raises
    ------
    FileProblemError
        If the file cannot be read, is empty, or is no text.
    """
    comments, lines = [], []
    for number, line in enumerate(re.split(r"\r\n|\n|\r", _read_text(path, needed)), 1):
        if line.lstrip().startswith("#"):
            comments.append(line.lstrip()[1:].strip())
        elif line.strip():
            lines.append((number, line))
    header = re.sub(r'"[^"]*"', "", lines[0][1]) if lines else ""
    delimiter = max("\t;,", key=header.count)
    rows = [Row(n, tuple(next(csv.reader([line], delimiter=delimiter)))) for n, line in lines]
    return TextTable([row for row in rows if any(field.strip() for field in row.fields)], delimiter, comments)


def _read_text(path: Path, needed: str) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileProblemError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the name of the file."
        ) from error
    if not data.strip():
        raise FileProblemError(f"{path} is empty.", needed)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    if "\0" in text:
        raise FileProblemError(f"{path} is not a table of text.", "Save it as CSV (comma separated values).")
    return text
