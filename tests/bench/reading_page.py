"""docs/accuracy_reading.md: how often figures explain themselves, and how right they are."""

from __future__ import annotations

import re
from pathlib import Path

from tests.bench.pdf_reading import pdf_tables
from tests.bench.reading import describe_scores, read_by_geocbar, score_reading

PAGE = Path(__file__).parents[2] / "docs" / "accuracy_reading.md"

#: Figures nobody has looked at; a new range for every release.
PROVING = range(11000, 11350)

HEAD = """# Accuracy of reading figures

How often geocbar finds the colour bar, reads its ticks, and finds the frame, on {count} figures that are
drawn at random by matplotlib, GMT, gnuplot and a plotter of the tests' own (looks of NCL, IDL, MATLAB and R),
in {layouts} layouts, as PNG and JPEG of quality 60 to 90, 300 to 6000 px wide. The figures are seeded
(`tests/drawing/figures.py`); the seeds of this page, {first} to {last}, were not looked at while the code was
written. `make bench` draws, reads and scores them and writes this page.

*found*: the box is that of a true bar. *accepted*: no veto spoke. *with marks and labels*: of the bars with
tick marks and three labels and more. *wrong*: accepted, and any true tick is more than 2 % of the range off,
or the strip is no bar. *error*: of accepted bars at their true ticks, in percent of the range. *frames*:
rectangles within 2.5 px on every side; *outlines*: polygons within 5 px. Seconds are those of the whole
reading, text included, two figures at a time on two cores.

"""

FOOT = """
## Figures as published

Tried on 25 figures from papers and manuals, which are not part of the project, with one person's readings of
them (see the notes for what the plotters did). *error*: of the scale as read against the labels' places as
read by hand, in percent.

{practice}
"""


def page(described: str, pdf: str, practice: str) -> str:
    """The page's text.

    Parameters
    ----------
    described : str
        What :func:`~tests.bench.reading.describe_scores` says.
    pdf : str
        The section on PDF figures.
    practice : str
        The table of published figures, in Markdown.
    """
    tables, _, failures = described.rpartition("\n\n")
    wrong = [line for line in failures.splitlines() if line.startswith("WRONG")]
    named = "\n".join(f"- {re.sub(r'^WRONG *', '', line)}" for line in wrong) or "None was accepted and wrong."
    layouts = tables.split("\n\n")[1].count("\n") - 1
    head = HEAD.format(count=len(PROVING), layouts=layouts, first=PROVING[0], last=PROVING[-1])
    parts = tables.split("\n\n")
    titles = ("## By plotter", "## By layout", "## By what makes it hard", "## Why bars were refused")
    body = "\n\n".join(f"{title}\n\n{part}" for title, part in zip(titles, parts, strict=False))
    return head + body + f"\n\n## Accepted and wrong\n\n{named}\n\n{pdf.strip()}\n" + FOOT.format(practice=practice)


def run() -> Path:
    """Draw, read, score, and write the page; the table of published figures stays as it is."""
    practice = PAGE.read_text(encoding="utf-8").rpartition("in percent.\n\n")[2].strip() if PAGE.exists() else ""
    described = describe_scores(score_reading(read_by_geocbar, PROVING, None, None, 2))
    PAGE.write_text(page(described, pdf_tables(), practice), encoding="utf-8")
    return PAGE
