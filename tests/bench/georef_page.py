"""docs/accuracy_place.md: how far places are off when the map's projection is inferred."""

from __future__ import annotations

import warnings
from pathlib import Path

from tests.bench.georef import SETTINGS, measure, summary
from tests.bench.performance import table

PAGE = Path(__file__).parents[2] / "docs" / "accuracy_place.md"

HEAD = """# Accuracy of places

How far places are off, as the root mean square over the whole map in pixels, when the map's projection is
inferred from control points (`--model auto`). 14 types of maps, world and regional, 3 seeds each; control
points with 0.7 px of noise in each direction, drawn at random over the map. `make bench` writes this page;
the seeds were not used to tune.

*excess* is over the best of polynomials of degree 1 to 3, projective and thin-plate spline fitted to the same
points (which nobody would know to be the best), *ratio* the same as a factor. *same*: the projection's family
is right, or differs by less than 0.3 px over the map.

"""

#: Not used while the code was written.
SEEDS = range(900, 903)

FOOT = """
The worst of six points and of bent paper are world maps cut at another meridian than the one that was
inferred: places between the two lie on the wrong side of the map, by its whole width. Points near both edges
of the map settle where it is cut; without them, look at the report or the check picture.
"""

COLUMNS = {
    "median": "median px",
    "worst": "worst px",
    "worst excess": "worst excess px",
    "worst ratio": "worst ratio",
    "same family %": "same %",
    "flagged": "outliers flagged",
    "false flags": "false flags",
    "seconds": "seconds (mean)",
    "longest": "longest",
}


def run() -> Path:
    """Measure, and write the page."""
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, options in SETTINGS.items():
            figures = summary(measure(workers=2, seeds=SEEDS, **options))
            cells = [f"{figures[key]:.2f}" if isinstance(figures[key], float) else str(figures[key]) for key in COLUMNS]
            rows.append([name, str(figures["maps"]), *cells])
    PAGE.write_text(HEAD + table(["", "maps", *COLUMNS.values()], rows) + "\n" + FOOT, encoding="utf-8")
    return PAGE
