"""How well figures are read: bars found and accepted, values at their ticks, frames of their maps.

``python -m tests.bench.reading --seeds 0:60`` prints the tables; seeds 0 to 999 are for tuning, those from
5000 on for proof.
"""

from __future__ import annotations

import argparse
import functools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tests.drawing.figures import BarTruth, DrawnFigure, PanelTruth, draw_figure

from .performance import table

__all__ = [
    "BarReading",
    "BarScore",
    "FigureReading",
    "FigureScore",
    "describe_scores",
    "list_failures",
    "score_figure",
    "score_reading",
]

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]

#: Errors at true ticks above this share of the range (percent) are wrong.
WRONG_PERCENT = 2.0
FRAME_PX, OUTLINE_PX = 2.5, 5.0


def same_points(points: Array) -> Array:
    return points


@dataclass(frozen=True, eq=False)
class BarReading:
    """What a reader says about one bar; `value_at` takes pixels along the axis in the reader's straight picture."""

    box: Box
    axis: str
    accepted: bool
    value_at: Callable[[Array], ArrayLike]
    vetoes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FigureReading:
    """All a reader says about a figure; `straighten` takes points of the picture to the reader's straight picture."""

    bars: Sequence[BarReading]
    frames: Sequence[Array]
    seconds: float
    straighten: Callable[[Array], Array] = same_points


@dataclass(frozen=True)
class BarScore:
    """One true bar: `error_percent` is the largest error at a true tick, `errors` all of them."""

    number: int
    norm: str
    traits: frozenset[str]
    plain: bool
    found: bool
    accepted: bool
    errors: tuple[float, ...] = ()
    vetoes: tuple[str, ...] = ()

    @property
    def error_percent(self) -> float:
        return max(self.errors, default=0.0)

    @property
    def wrong(self) -> bool:
        return self.accepted and not self.error_percent <= WRONG_PERCENT


@dataclass(frozen=True)
class FigureScore:
    seed: int
    plotter: str
    layout: str
    suffix: str
    megapixels: float
    seconds: float
    bars: tuple[BarScore, ...]
    false_bars: int
    rectangles: tuple[bool, ...]
    outlines: tuple[bool, ...]
    failure: str = ""

    @property
    def wrong(self) -> bool:
        return self.false_bars > 0 or any(bar.wrong for bar in self.bars)


@dataclass
class Tally:
    """Shares and errors over many bars."""

    scores: list[FigureScore] = field(default_factory=list)

    @property
    def bars(self) -> list[BarScore]:
        return [bar for score in self.scores for bar in score.bars]

    def row(self, name: str) -> list[str]:
        bars = self.bars
        accepted = [bar for bar in bars if bar.accepted]
        plain = [bar for bar in bars if bar.plain]
        errors = np.array([error for bar in accepted if not bar.wrong for error in bar.errors] or [np.nan])
        frames = [ok for score in self.scores for ok in score.rectangles]
        outlines = [ok for score in self.scores for ok in score.outlines]
        wrong = sum(bar.wrong for bar in bars) + sum(score.false_bars for score in self.scores)
        times = [score.seconds for score in self.scores]
        return [
            name,
            str(len(bars)),
            percent([bar.found for bar in bars]),
            percent([bar.accepted for bar in bars]),
            percent([bar.accepted for bar in plain]),
            str(wrong),
            f"{np.median(errors):.2f} / {np.percentile(errors, 95):.2f} / {errors.max():.2f}",
            percent(frames),
            percent(outlines),
            f"{np.median(times):.1f} / {np.percentile(times, 95):.1f}" if times else "–",
        ]


HEAD = [
    "",
    "bars",
    "found %",
    "accepted %",
    "with marks and labels %",
    "wrong",
    "error % (median / 95 / max)",
    "frames %",
    "outlines %",
    "seconds (median / 95)",
]


def percent(flags: Sequence[bool]) -> str:
    return f"{100 * np.mean(flags):.1f}" if len(flags) else "–"


def _bounds(points: Array) -> Box:
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _is_bar(reading: BarReading, truth: BarTruth, box: Box, outer: Box) -> bool:
    """Whether a reading's box is this bar: its ends near the bar's (with or without open ends), mostly as thick."""
    if reading.axis != truth.axis:
        return False
    along = 0 if truth.axis == "horizontal" else 1
    thick = 1 - along
    tolerance = max(6.0, 0.04 * (box[along + 2] - box[along]))
    for end in (along, along + 2):
        low, high = sorted((box[end], outer[end]))
        if not low - tolerance <= reading.box[end] <= high + tolerance:
            return False
    overlap = min(reading.box[thick + 2], box[thick + 2]) - max(reading.box[thick], box[thick])
    widest = max(reading.box[thick + 2] - reading.box[thick], box[thick + 2] - box[thick])
    return overlap >= 0.4 * widest


def _tick_errors(
    figure: DrawnFigure, number: int, reading: BarReading, straighten: Callable[[Array], Array]
) -> tuple[float, ...]:
    """Errors at true ticks in percent of the bar's range (of its normed range if it is not linear)."""
    truth = figure.bars[number]
    points = straighten(figure.tick_points(number))
    along = points[:, 0 if truth.axis == "horizontal" else 1]
    read = np.asarray(reading.value_at(along), float)
    start = truth.box[0 if truth.axis == "horizontal" else 1]
    share = (truth.tick_positions - start) / truth.length
    attempts = [np.abs(truth.scale.share_of(read / unit) - share) for unit in {1.0, truth.unit_factor}]
    best = min(attempts, key=lambda errors: float(np.nan_to_num(errors, nan=np.inf).max(initial=0)))
    return tuple(float(np.nan_to_num(100 * error, nan=np.inf)) for error in best)


def _distance_to(points: Array, polygon: Array) -> float:
    """The largest distance of points from a closed polygon's line."""
    starts, ends = polygon, np.roll(polygon, -1, axis=0)
    step = ends - starts
    length = np.maximum((step**2).sum(axis=1), 1e-12)
    share = np.clip(((points[:, None] - starts) * step).sum(axis=2) / length, 0, 1)
    nearest = starts + share[..., None] * step
    return float(np.sqrt(((points[:, None] - nearest) ** 2).sum(axis=2)).min(axis=1).max())


def _frame_is_right(panel: PanelTruth, polygon: Array, frames: Sequence[Array]) -> bool:
    for frame in frames:
        if panel.outline is None:
            if np.abs(np.subtract(_bounds(frame), _bounds(polygon))).max() <= FRAME_PX:
                return True
        elif max(_distance_to(polygon, frame), _distance_to(frame, polygon)) <= OUTLINE_PX:
            return True
    return False


def score_figure(figure: DrawnFigure, reading: FigureReading) -> FigureScore:
    """Hold a reading against the truth."""
    straighten = reading.straighten
    scores, used = [], set()
    for number, truth in enumerate(figure.bars):
        left, top, right, bottom = truth.outer
        outer = _bounds(straighten(figure.to_picture([[left, top], [right, top], [right, bottom], [left, bottom]])))
        box = _bounds(straighten(figure.bar_polygon(number)))
        matches = [k for k, bar in enumerate(reading.bars) if _is_bar(bar, truth, box, outer)]
        matches.sort(key=lambda k: not reading.bars[k].accepted)
        used.update(matches)
        plain = truth.has_marks and len(truth.tick_labels) >= 3
        if not matches:
            scores.append(BarScore(number, truth.norm, truth.traits, plain, False, False, vetoes=("not found",)))
            continue
        match = reading.bars[matches[0]]
        errors = _tick_errors(figure, number, match, straighten) if match.accepted else ()
        scores.append(BarScore(number, truth.norm, truth.traits, plain, True, match.accepted, errors, match.vetoes))
    false_bars = sum(bar.accepted for k, bar in enumerate(reading.bars) if k not in used)
    right_frames = [
        (panel.outline is None, _frame_is_right(panel, straighten(figure.to_picture(panel.polygon)), reading.frames))
        for panel in figure.panels
    ]
    return FigureScore(
        figure.seed,
        figure.plotter,
        figure.layout,
        figure.suffix,
        figure.pixels[..., 0].size / 1e6,
        reading.seconds,
        tuple(scores),
        false_bars,
        tuple(ok for flat, ok in right_frames if flat),
        tuple(ok for flat, ok in right_frames if not flat),
    )


def _score_seed(
    read: Callable[[NDArray[np.uint8], bool], FigureReading], plotter: str | None, layout: str | None, seed: int
) -> FigureScore:
    figure = draw_figure(seed, plotter, layout)
    try:
        return score_figure(figure, read(figure.pixels, figure.lossy))
    except Exception as error:  # a reader that breaks is scored as one that found nothing
        score = score_figure(figure, FigureReading((), (), 0.0))
        return FigureScore(**{**vars(score), "failure": f"{type(error).__name__}: {error}"})


def score_reading(
    read: Callable[[NDArray[np.uint8], bool], FigureReading],
    seeds: Iterable[int],
    plotter: str | None = None,
    layout: str | None = None,
    processes: int = 1,
) -> list[FigureScore]:
    """Scores of a reader on the figures of these seeds; with several processes the reader must be importable."""
    task = functools.partial(_score_seed, read, plotter, layout)
    if processes == 1:
        return [task(seed) for seed in seeds]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(task, seeds))


def _by(scores: Sequence[FigureScore], name: str) -> list[list[str]]:
    groups: dict[str, Tally] = {}
    for score in scores:
        groups.setdefault(str(getattr(score, name)), Tally()).scores.append(score)
    return [groups[key].row(key) for key in sorted(groups)]


def _by_trait(scores: Sequence[FigureScore]) -> list[list[str]]:
    """Found, accepted and wrong bars by what they have."""
    groups: dict[str, list[BarScore]] = {}
    for score in scores:
        for bar in score.bars:
            for trait in bar.traits:
                groups.setdefault(trait, []).append(bar)
    return [
        [
            name,
            str(len(bars)),
            percent([b.found for b in bars]),
            percent([b.accepted for b in bars]),
            str(sum(b.wrong for b in bars)),
        ]
        for name, bars in sorted(groups.items())
    ]


def list_failures(scores: Sequence[FigureScore]) -> list[str]:
    lines = []
    for score in scores:
        what = f"{score.seed} ({score.plotter} {score.layout}{score.suffix})"
        if score.failure:
            lines.append(f"BROKE    {what}: {score.failure}")
        if score.false_bars:
            lines.append(f"WRONG    {what}: {score.false_bars} accepted that are no bars")
        for bar in score.bars:
            told = f"{what} bar {bar.number}, {bar.norm} [{' '.join(sorted(bar.traits))}]"
            if bar.wrong:
                lines.append(f"WRONG    {told}: {bar.error_percent:.2f} % off at a tick")
            elif not bar.found:
                lines.append(f"MISSED   {told}")
            elif not bar.accepted:
                lines.append(f"REFUSED  {told}: {'; '.join(bar.vetoes) or 'no reason given'}")
        if not all(score.rectangles + score.outlines):
            lines.append(f"FRAME    {what}")
    return sorted(lines, key=lambda line: ("WRONG", "BROKE", "MISSE", "REFUS", "FRAME").index(line[:5]))


def _without_numbers(sentence: str) -> str:
    """The same veto of many figures as one sentence."""
    return re.sub(r"'[^']*'|[-+]?\d[\d.e+-]*", "#", sentence)[:90]


def describe_scores(scores: Sequence[FigureScore]) -> str:
    """The tables (all, by plotter, by layout, by trait), the vetoes, and every failure by its seed."""
    parts = [table(HEAD, [Tally(list(scores)).row("all"), *_by(scores, "plotter")]), table(HEAD, _by(scores, "layout"))]
    parts.append(table(["trait", "bars", "found %", "accepted %", "wrong"], _by_trait(scores)))
    vetoes = Counter(
        _without_numbers(veto) for score in scores for bar in score.bars if not bar.accepted for veto in bar.vetoes
    )
    if vetoes:
        parts.append(table(["veto", "bars"], [[name, str(count)] for name, count in vetoes.most_common()]))
    return "\n\n".join([*parts, "\n".join(list_failures(scores))])


def _corners(frame: Any) -> Array:
    """A frame as a polygon, whether it is a box (left, top, right, bottom) or points."""
    if hasattr(frame, "left"):
        frame = (frame.left, frame.top, frame.right, frame.bottom)
    points = np.asarray(frame, float)
    if points.shape == (4,):
        left, top, right, bottom = points
        points = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return points


@functools.cache
def _text_reader() -> Any:
    from geocbar.app.text import load_reader

    return load_reader()


def _undoing(matrix: Array) -> Callable[[Array], Array]:
    """From the picture to the upright one, by the matrix (2, 3) of the other way."""
    back = np.linalg.inv(matrix[:, :2])
    return lambda points: np.asarray((points - matrix[:, 2]) @ back.T)


def read_by_geocbar(pixels: NDArray[np.uint8], lossy: bool, words: Sequence[Any] | None = None) -> FigureReading:
    """geocbar's own reading, in the words of this benchmark; the engine is loaded before the clock runs.

    `words` are those that a PDF file tells; nothing is read in the picture then.
    """
    from geocbar.figure_reading import read_figure

    engine = _text_reader()
    start = time.perf_counter()
    result: Any = read_figure(pixels, engine, lossy=lossy, words=words)
    seconds = time.perf_counter() - start
    bars = [
        BarReading(
            _bounds(_corners(bar.box)),
            bar.axis,
            bool(bar.accepted),
            bar.ticks.value_at,
            tuple(map(str, bar.ticks.vetoes)),
        )
        for bar in result.bars
    ]
    frames = [_corners(frame.box) if frame.outline is None else _corners(frame.outline) for frame in result.frames]
    straighten = same_points if result.turned is None else _undoing(result.turned.matrix)
    return FigureReading(bars, frames, seconds, straighten)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reading", description=__doc__)
    parser.add_argument("--seeds", default="0:60", help="FIRST:END, or a list A,B,C")
    parser.add_argument("--plotter")
    parser.add_argument("--layout")
    parser.add_argument("--processes", type=int, default=1)
    chosen = parser.parse_args()
    if ":" in chosen.seeds:
        first, end = (int(part) for part in chosen.seeds.split(":"))
        seeds: Sequence[int] = range(first, end)
    else:
        seeds = [int(part) for part in chosen.seeds.split(",")]
    print(describe_scores(score_reading(read_by_geocbar, seeds, chosen.plotter, chosen.layout, chosen.processes)))


if __name__ == "__main__":
    main()
