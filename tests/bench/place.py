"""docs/accuracy_place.md: how far places are off when the map's projection is inferred from control points.

``python -m tests.bench place``, or ``python -m tests.bench.place``: some twenty minutes on two cores.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from tests.bench.georef import SETTINGS, measure, summary
from tests.bench.graticule import graticule_tables
from tests.bench.performance import table

__all__ = ["SEEDS", "page_row", "run", "write_page"]

PAGE = Path(__file__).parents[2] / "docs" / "accuracy_place.md"

HEAD = """# Accuracy of places

How far places are off, as the root mean square over the whole map in pixels, when the map's projection is
inferred from control points (`--model auto`). 14 types of maps, world and regional, {seeds} seeds each; maps 1600 px
wide or high in pictures with margins, more of them at the right as beside a colour bar; control points with
0.7 px of noise in each direction, drawn at random over the map. The map's frame is known, as it is when a
figure is digitized, unless the row says otherwise. `make bench` writes this page; the seeds were not used to tune.

*excess* is over the best of polynomials of degree 1 to 3, projective and thin-plate spline fitted to the same
points (which nobody would know to be the best), *ratio* the same as a factor. *same*: the projection's family
is right, or differs by less than 0.3 px over the map. *cut wrongly*: world maps taken to begin and end at
another meridian, so that places between lie on the wrong side of the map; *unsaid*: those of them of which
no note says that the points leave it open.

"""

FOOT = """
A cylindrical map of the world may be cut at any meridian between its outermost control points: its frame settles
where. Without the frame, the roundest central meridian near the middle of the picture is taken, and a note says
between which meridians the cut may lie. All other projections of the world tell their central meridian by their shape.

On bent paper a smooth field of displacements is fitted together with the projection, if the points make it likelier
than flat paper. The ratio compares with a choice among five fits that needs to know the truth.

Wanted: 12 points .5 px in the median, 1 px at worst; 6 and 24 points .8 and .3 px; the family right in 95 % of the
maps; outliers 98 %; bent paper and families outside the list not worse than the best polynomial or spline by more than
a fifth (ratio 1.2 at worst).
"""

COLUMNS = {
    "median": "median px",
    "worst": "worst px",
    "worst excess": "worst excess px",
    "median ratio": "median ratio",
    "worst ratio": "worst ratio",
    "same family %": "same %",
    "cut wrongly": "cut wrongly",
    "unsaid": "unsaid",
    "flagged": "outliers flagged",
    "false flags": "false flags",
    "seconds": "seconds (mean)",
    "longest": "longest",
}

#: Not used while the code was written.
SEEDS = range(3100, 3106)


def page_row(name: str, rows: list[dict[str, Any]]) -> list[str]:
    """One row of the page's table from the trials of one setting."""
    figures = summary(rows)
    cells = [f"{figures[key]:.2f}" if isinstance(figures[key], float) else str(figures[key]) for key in COLUMNS]
    return [name, str(figures["maps"]), *cells]


def write_page(rows: list[list[str]], seeds: int, graticules: str) -> Path:
    """Write the page: places from control points, and from the labels at the frame."""
    text = HEAD.format(seeds=seeds) + table(["", "maps", *COLUMNS.values()], rows) + "\n" + FOOT
    PAGE.write_text(f"{text}\n{graticules.strip()}\n", encoding="utf-8")
    return PAGE


def run() -> Path:
    """Measure, and write the page."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [
            page_row(name, measure(workers=2, seeds=SEEDS, **options))  # type: ignore[arg-type]
            for name, options in SETTINGS.items()
        ]
    return write_page(rows, len(SEEDS), graticule_tables())


if __name__ == "__main__":
    print(run())
