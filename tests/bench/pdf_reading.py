"""How well figures in PDF files are found, cut out and read.

``python -m tests.bench.pdf_reading --seeds 0:60`` prints the tables; seeds 0 to 999 are for tuning, those from
5000 on for proof.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geocbar.figure_source import read_source
from geocbar.files.pdf import PdfFigure, list_figures, read_pdf_figure
from geocbar.recipe import Recipe
from geocbar.scale_source import picture_coding
from tests.bench.performance import table
from tests.bench.reading import (
    FigureReading,
    FigureScore,
    Tally,
    list_failures,
    percent,
    read_by_geocbar,
    score_figure,
)
from tests.drawing.pdf_figures import DrawnPdf, draw_pdf

__all__ = ["PdfScore", "pdf_tables", "score_pdf"]

#: Files nobody has looked at; a new range for every release.
PROVING = range(8000, 8120)

#: A figure's box holds all of its ink to within the first number of points, and no more around it than the second.
_MISSING_PT, _MORE_PT = 1.5, 14.0


@dataclass(frozen=True)
class PdfScore:
    """One file: whether its figure is listed, whether the box is its own, how many others are listed, the reading."""

    kind: str
    plotter: str
    text: str
    listed: bool
    cut_right: bool
    others: int
    figure: FigureScore


def _share_in_common(figure: PdfFigure, ink: tuple[float, float, float, float]) -> float:
    left, top, right, bottom = figure.box_pt
    wide = min(right, ink[2]) - max(left, ink[0])
    high = min(bottom, ink[3]) - max(top, ink[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = (right - left) * (bottom - top) + (ink[2] - ink[0]) * (ink[3] - ink[1])
    return wide * high / (both - wide * high)


def _is_cut_right(figure: PdfFigure, drawn: DrawnPdf) -> bool:
    """Whether a box holds the figure and nothing else; a page that is one figure is taken whole."""
    width, height = drawn.size
    whole = np.allclose(figure.box_pt, (0, 0, width, height), atol=1.0)
    beyond = np.subtract(drawn.ink, figure.box_pt) * [1, 1, -1, -1]
    return bool((beyond >= -_MISSING_PT).all() and ((whole and drawn.fills_page) or (beyond <= _MORE_PT).all()))


def score_pdf(seed: int, kind: str | None = None, plotter: str | None = None) -> PdfScore:
    """Draw a file, list its figures, take the drawn one out and read it, and hold all of it against the truth."""
    drawn = draw_pdf(seed, kind, plotter)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "paper.pdf"
        file.write_bytes(drawn.data)
        figures = list_figures(file)
        here = [figure for figure in figures if figure.page == drawn.page]
        best = max(here, key=lambda figure: _share_in_common(figure, drawn.ink), default=None)
        listed = best is not None and _share_in_common(best, drawn.ink) >= 0.5
        others = len(figures) - listed - drawn.others
        recipe = Recipe(str(file), page=drawn.page, figure=best.number if best is not None and listed else 0)
        taken = read_pdf_figure(file, drawn.page, recipe.figure)
        source = read_source(recipe)
    truth = drawn.figure_in(source.picture.pixels, taken.box_pt)
    lossy = picture_coding(source.picture)[0].lossy
    try:
        score = score_figure(truth, read_by_geocbar(truth.pixels, lossy, source.words))
    except Exception as error:  # a reader that breaks is scored as one that found nothing
        score = score_figure(truth, FigureReading((), (), 0.0))
        score = FigureScore(**{**vars(score), "failure": f"{type(error).__name__}: {error}"})
    cut_right = best is not None and listed and _is_cut_right(best, drawn)
    return PdfScore(drawn.kind, drawn.plotter, drawn.text, listed, cut_right, others, score)


_HEAD = [
    "",
    "files",
    "listed %",
    "box right %",
    "bars",
    "found %",
    "accepted %",
    "with marks and labels %",
    "wrong",
    "error % (median / 95 / max)",
    "seconds (median / 95)",
]


def _row(name: str, scores: Sequence[PdfScore]) -> list[str]:
    cells = Tally([score.figure for score in scores]).row(name)
    listed = percent([score.listed for score in scores])
    return [name, str(len(scores)), listed, percent([score.cut_right for score in scores]), *cells[1:7], cells[9]]


def _rows(scores: Sequence[PdfScore]) -> list[list[str]]:
    """Everything; vector figures with text, by plotter; then every kind of page."""
    letters = [score for score in scores if score.text == "letters"]
    rows = [_row("all", scores), _row("vector, with text", letters)]
    rows += [
        _row(f"vector by {name}", [score for score in letters if score.plotter == name])
        for name in sorted({score.plotter for score in letters})
    ]
    kinds = sorted({score.kind for score in scores})
    return rows + [_row(f"page: {kind}", [score for score in scores if score.kind == kind]) for kind in kinds]


def _failures(scores: Sequence[PdfScore]) -> list[str]:
    lines = [
        f"CUT      {score.figure.seed} ({score.plotter} {score.kind}): "
        + (
            "not listed"
            if not score.listed
            else "box wrong"
            if not score.cut_right
            else f"{score.others} others listed"
        )
        for score in scores
        if not (score.listed and score.cut_right) or score.others
    ]
    return [*lines, *list_failures([score.figure for score in scores])]


def score_pdfs(seeds: Sequence[int], processes: int = 1) -> list[PdfScore]:
    """Scores of the files of these seeds."""
    if processes == 1:
        return [score_pdf(seed) for seed in seeds]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(score_pdf, seeds))


_TEXT = """## PDF figures

The same random figures in {count} PDF files (`tests/drawing/pdf_figures.py`, seeds {first} to {last}, not looked at
while the code was written): written by matplotlib (Type 3 and Type 42 fonts; the map as vector cells or as a picture)
and by GMT, alone on their page or on A4 pages between running text in one or two columns, with captions, rules and
other figures; pages stored turned (/Rotate), cropped, in files of several pages; text as outlines; bitmaps (PNG, JPEG)
on a page of text. *listed*: `geocbar inspect` names the figure. *box right*: it is cut out with all of its ink
(1.5 pt) and no more than 14 pt around it. The other columns are those of the tables above. Of {bars} bars in vector
figures with text, {accepted} % were accepted and {wrong} wrong; {others} parts of pages were listed that are no
figures.

{table}

{failures}
"""


def pdf_tables(seeds: Sequence[int] = PROVING, processes: int = 2) -> str:
    """The section on PDF figures of docs/accuracy_reading.md, measured now."""
    scores = score_pdfs(seeds, processes)
    letters = Tally([score.figure for score in scores if score.text == "letters"])
    wrong = [f"- {line[9:]}" for line in _failures(scores) if line.startswith("WRONG")]
    return _TEXT.format(
        count=len(scores),
        first=seeds[0],
        last=seeds[-1],
        bars=len(letters.bars),
        accepted=percent([bar.accepted for bar in letters.bars]),
        wrong=sum(score.wrong for score in letters.scores),
        others=sum(score.others for score in scores),
        table=table(_HEAD, _rows(scores)),
        failures="\n".join(["Accepted and wrong:", "", *wrong] if wrong else ["None was accepted and wrong."]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pdf_reading", description=__doc__)
    parser.add_argument("--seeds", default="0:60", help="FIRST:END, or a list A,B,C")
    parser.add_argument("--processes", type=int, default=1)
    chosen = parser.parse_args()
    if ":" in chosen.seeds:
        seeds: Sequence[int] = range(*(int(part) for part in chosen.seeds.split(":")))
    else:
        seeds = [int(part) for part in chosen.seeds.split(",")]
    scores = score_pdfs(seeds, chosen.processes)
    print(table(_HEAD, _rows(scores)))
    print("\n" + "\n".join(_failures(scores)))


if __name__ == "__main__":
    main()
