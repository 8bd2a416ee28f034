"""Maps that are placed by the labels at their frame alone: how many, and how far off.

``python -m tests.bench.graticule --seeds 0:40`` prints the table; seeds 0 to 999 are for tuning.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geocbar.errors import GeocbarError
from geocbar.figure.frames import MapFrame
from geocbar.figure.layout import PixelBox
from geocbar.place.georeference import fit_georeference
from geocbar.place.graticule import read_graticule
from tests.drawing.encode import decode, encode
from tests.drawing.graticules import GraticuleMap, draw_graticule

from .performance import table

__all__ = ["GraticuleScore", "graticule_tables", "measure", "score_map"]

#: Not used while the code was written; a new range for every release.
PROVING = range(4200, 4320)

#: An accepted map is good up to this median error, and wrong beyond these, in pixels.
GOOD_PX, WRONG_MEDIAN_PX, WRONG_PX = 1.5, 5.0, 15.0

KINDS = {
    "lonlat": "longitude and latitude evenly spaced",
    "Mercator": "Mercator",
    "Miller": "Miller",
    "conic": "conic, rectangle",
    "polar": "around a pole, rectangle",
    "azimuthal": "azimuthal, rectangle",
    "transverse": "transverse Mercator, rectangle",
    "oval": "world in an oval",
    "fan": "fan of a cone",
}

INTRO = """## Without control points

Maps placed by nothing but the longitudes and latitudes written around them and the gridlines in them: {count} maps
drawn by matplotlib with PROJ and by GMT, of any region, in {kinds} kinds of projections, with labels in ten styles
(10°E, 10E, 10°30'E, −10°, 350°, EQ, ouest, Ost, oeste, plain numbers with titles), at one to four sides, with ticks,
fancy frames or gridlines of six pens, as PNG and as JPEG of quality 60 to 90; at least two meridians and two
parallels of each bear a label, three one way. The frame is given. *good*: accepted, and half of the places all over
the map are within {good} px of where they should be; *wrong*: accepted, and half of the places are more than
{median:.0f} px off, or one more than {most:.0f} px; *error*: of accepted maps, the median over each map, in pixels:
median map and worst map, and the worst place of all. What is not accepted is refused with what was read.
"""


@dataclass(frozen=True)
class GraticuleScore:
    """One map: whether it was accepted, its median and largest error in pixels, seconds, and what spoke against it."""

    seed: int
    kind: str
    plotter: str
    style: str
    jpeg: bool
    accepted: bool
    median_px: float
    most_px: float
    seconds: float
    vetoes: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return self.accepted and self.median_px <= GOOD_PX

    @property
    def wrong(self) -> bool:
        return self.accepted and not (self.median_px <= WRONG_MEDIAN_PX and self.most_px <= WRONG_PX)


@functools.cache
def _text_reader() -> Any:
    from geocbar.app.text import load_reader

    return load_reader()


def score_map(drawn: GraticuleMap, seed: int = 0) -> GraticuleScore:
    """Read a map's frame, fit, and compare places all over the map with the truth."""
    pixels = drawn.pixels if drawn.jpeg is None else decode(encode(drawn.pixels, "jpeg", drawn.jpeg))
    frame = MapFrame(PixelBox(*drawn.box), drawn.outline, "rectangle" if drawn.outline is None else "outline")
    engine = _text_reader()
    start = time.process_time()
    reading = read_graticule(pixels, frame, engine, lossy=drawn.jpeg is not None)
    accepted, vetoes = reading.accepted, reading.vetoes
    median = most = float("nan")
    if accepted and reading.gcps is not None:
        try:
            fit = fit_georeference(reading.gcps, "auto", size=(pixels.shape[1], pixels.shape[0]))
            world = drawn.world.copy()
            middle = (reading.gcps.world[:, 0].min() + reading.gcps.world[:, 0].max()) / 2
            world[:, 0] += 360.0 * np.round((middle - world[:, 0]) / 360.0)
            off = np.hypot(*(np.asarray(fit.transform.to_pixel(world)) - drawn.places).T)
            median, most = float(np.median(off)), float(np.max(off))
        except GeocbarError as error:
            accepted, vetoes = False, (str(error),)
    seconds = time.process_time() - start
    traits = drawn.traits
    names = traits["kind"], traits["plotter"], traits["style"]
    return GraticuleScore(seed, *names, drawn.jpeg is not None, accepted, median, most, seconds, vetoes)


def measure(seeds: Iterable[int], tell: Callable[[GraticuleScore], None] | None = None) -> list[GraticuleScore]:
    """Score the maps of the seeds one after the other."""
    scores = []
    for seed in seeds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores.append(score_map(draw_graticule(seed), seed))
        if tell is not None:
            tell(scores[-1])
    return scores


def _row(name: str, scores: Sequence[GraticuleScore]) -> list[str]:
    taken = [score for score in scores if score.accepted]
    medians = [score.median_px for score in taken] or [float("nan")]
    worst = max((score.most_px for score in taken), default=float("nan"))
    share = 100 / max(len(scores), 1)
    return [
        name,
        str(len(scores)),
        f"{share * len(taken):.0f}",
        f"{share * sum(score.good for score in scores):.0f}",
        str(sum(score.wrong for score in scores)),
        f"{np.median(medians):.2f} / {max(medians):.2f} / {worst:.1f}",
    ]


def describe(scores: Sequence[GraticuleScore]) -> str:
    """The tables in Markdown, with the paragraph that explains them."""
    intro = INTRO.format(count=len(scores), kinds=len(KINDS), good=GOOD_PX, median=WRONG_MEDIAN_PX, most=WRONG_PX)
    groups: list[tuple[str, Callable[[GraticuleScore], bool]]] = [("all", lambda score: True)]
    groups += [(text, lambda score, kind=kind: score.kind == kind) for kind, text in KINDS.items()]
    groups += [("PNG", lambda score: not score.jpeg), ("JPEG", lambda score: score.jpeg)]
    groups += [(name, lambda score, name=name: score.plotter == name) for name in ("matplotlib", "gmt")]
    rows = [_row(name, [score for score in scores if held(score)]) for name, held in groups]
    heads = ["", "maps", "accepted %", "good %", "wrong", "error px (median / worst map / worst place)"]
    seconds = [score.seconds for score in scores]
    time_used = f"Reading and fitting take {np.median(seconds):.1f} s a map on one core, at most {max(seconds):.0f} s."
    return f"{intro}\n{table(heads, [row for row in rows if row[1] != '0'])}\n\n{time_used}\n"


def graticule_tables(seeds: Iterable[int] = PROVING) -> str:
    """Measure, and say it in Markdown."""
    return describe(measure(seeds))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.graticule", description=__doc__)
    parser.add_argument("--seeds", default=f"{PROVING.start}:{PROVING.stop}", help="FIRST:END")
    parser.add_argument("--keep", type=Path, help="file for the scores, a line of JSON each")
    chosen = parser.parse_args()
    first, end = (int(part) for part in chosen.seeds.split(":"))

    def tell(score: GraticuleScore) -> None:
        verdict = "WRONG" if score.wrong else "good" if score.good else "accepted" if score.accepted else "refused"
        print(
            score.seed, score.kind, score.plotter, verdict, f"{score.median_px:.2f} {score.most_px:.1f} px", flush=True
        )
        for veto in score.vetoes:
            print("   ", veto)
        if chosen.keep:
            with chosen.keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(score)) + "\n")

    print(describe(measure(range(first, end), tell)))


if __name__ == "__main__":
    main()
