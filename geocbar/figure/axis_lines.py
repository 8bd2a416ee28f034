"""Straight lines through label readings, in the even coordinate of every family: the search behind the axis fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.axis_norms import Spacing

if TYPE_CHECKING:
    from geocbar.figure.axis_fit import AxisLabel

__all__ = ["FittedLine", "Readings", "fit_lines", "symlog_lines"]

#: Weight of a label's second and further readings in the choice of a fit; the first counts 1.
SECOND_READING = 0.9
FURTHER_READING = 0.8
#: Length of half the straight middle of a symmetric logarithm, in decades, unless its drawer chose otherwise.
USUAL_MIDDLE = 10 / 9
#: At most so many choices of readings are tried for symmetric logarithms.
_MOST_SWAPS = 24


@dataclass(frozen=True, eq=False)
class Readings:
    """All readings of all labels, flat: label number, place, value, weight."""

    owner: NDArray[np.intp]
    place: NDArray[np.float64]
    value: NDArray[np.float64]
    weight: NDArray[np.float64]

    @classmethod
    def of(cls, labels: Sequence[AxisLabel]) -> Readings:
        """Every reading of every label, each value once, the likeliest weighing most."""
        rows = []
        for index, label in enumerate(labels):
            seen: set[float] = set()
            for number in label.numbers:
                if math.isfinite(number.value) and number.value not in seen:
                    weight = (1.0, SECOND_READING)[len(seen)] if len(seen) < 2 else FURTHER_READING
                    rows.append((index, label.place, number.value, weight))
                    seen.add(number.value)
        table = np.array(rows, dtype=np.float64).reshape(-1, 4)
        return cls(table[:, 0].astype(np.intp), table[:, 1], table[:, 2], table[:, 3])

    def without_nan(self, even: NDArray[np.float64]) -> tuple[Readings, NDArray[np.float64]]:
        """The readings that have a place in a family, with their even coordinates."""
        keep = np.isfinite(even)
        kept = Readings(self.owner[keep], self.place[keep], self.value[keep], self.weight[keep])
        return kept, even[keep]


@dataclass(frozen=True, eq=False)
class FittedLine:
    """A fitted line: which readings (of which labels) lie on it."""

    spacing: Spacing
    slope: float
    intercept: float
    owner: NDArray[np.intp]
    value: NDArray[np.float64]
    residual: NDArray[np.float64]
    score: float


def fit_lines(readings: Readings, spacing: Spacing, tolerance: float) -> list[FittedLine]:
    """The lines of one family on which most labels lie, the best first, at most eight."""
    readings, even = readings.without_nan(spacing.even(readings.value))
    if len(np.unique(readings.owner)) < 2:
        return []
    first, second = np.triu_indices(len(even), 1)
    step, gap = even[second] - even[first], readings.place[second] - readings.place[first]
    good = (readings.owner[first] != readings.owner[second]) & (np.abs(step) > 1e-140) & (np.abs(gap) > 2 * tolerance)
    first, second, step, gap = first[good], second[good], step[good], gap[good]
    if not len(first):
        return []
    slope = gap / step
    intercept = readings.place[first] - slope * even[first]
    finite = np.isfinite(slope) & np.isfinite(intercept)
    slope, intercept = slope[finite], intercept[finite]
    starts = np.flatnonzero(np.r_[True, np.diff(readings.owner) > 0])
    support = np.empty(len(slope))
    for begin in range(0, len(slope), 4096):
        part = slice(begin, begin + 4096)
        off = np.abs(readings.place - intercept[part, None] - slope[part, None] * even)
        counts = np.where(off <= tolerance, readings.weight * (1 - 0.3 * off / tolerance), 0)
        support[part] = np.maximum.reduceat(counts, starts, axis=1).sum(axis=1)
    found: list[FittedLine] = []
    seen: set[tuple[tuple[int, float], ...]] = set()
    for seed in np.argsort(-support, kind="stable")[:400]:
        line = _refined(readings, even, spacing, slope[seed], intercept[seed], tolerance)
        if line is None:
            continue
        key = tuple(zip(line.owner.tolist(), line.value.tolist(), strict=True))
        if key not in seen:
            seen.add(key)
            found.append(line)
        if len(found) == 8:
            break
    return found


def _refined(
    readings: Readings, even: NDArray[np.float64], spacing: Spacing, slope: float, intercept: float, tolerance: float
) -> FittedLine | None:
    """Least squares over the readings within the tolerance, one of each label, repeated until they stay the same."""
    chosen = np.empty(0, dtype=np.intp)
    for _ in range(6):
        off = np.abs(readings.place - intercept - slope * even)
        worth = np.where(off <= tolerance, readings.weight * (1 - 0.3 * off / tolerance), 0)
        order = np.lexsort((-worth, readings.owner))
        leaders = order[np.r_[True, np.diff(readings.owner[order]) > 0]]
        now = leaders[worth[leaders] > 0]
        if len(now) < 2 or np.ptp(even[now]) == 0:
            return None
        if np.array_equal(now, chosen):
            break
        chosen = now
        centre = even[chosen].mean()
        shifted = even[chosen] - centre
        spread = float(np.sum(shifted**2))
        if not spread > 1e-280:
            return None
        slope = float(np.sum(shifted * readings.place[chosen]) / spread)
        intercept = float(readings.place[chosen].mean() - slope * centre)
    residual = readings.place[chosen] - intercept - slope * even[chosen]
    score = _score(readings.weight[chosen], residual, tolerance, spacing.penalty)
    return FittedLine(spacing, slope, intercept, readings.owner[chosen], readings.value[chosen], residual, score)


def _score(weight: NDArray[np.float64], residual: NDArray[np.float64], tolerance: float, penalty: float) -> float:
    """Labels explained, less what the family costs and how badly they lie."""
    return float(weight.sum() - penalty - 0.4 * np.sqrt(np.mean(residual**2)) / tolerance)


def symlog_lines(readings: Readings, tolerance: float) -> list[FittedLine]:
    """Symmetric logarithms, by least squares over the first readings, or a further one of a single label.

    The straight middle ends at a label's value, or one or two decades below the smallest, and is as long as ten
    ninths of a decade on either side, as plotters draw it unless told otherwise. Where that fails and there are seven
    labels or more its length is fitted too. All labels must lie on the curve.
    """
    starts = np.flatnonzero(np.r_[True, np.diff(readings.owner) > 0]) if len(readings.owner) else np.empty(0, np.intp)
    chosen = [starts]
    for at in range(len(readings.owner)) if len(starts) >= 6 else ():
        first = int(np.flatnonzero(readings.owner[starts] == readings.owner[at])[0])
        if starts[first] != at:
            chosen.append(np.r_[starts[:first], at, starts[first + 1 :]])
    return [line for pick in chosen[:_MOST_SWAPS] for line in _symlog_through(readings, pick, tolerance)]


def _symlog_through(readings: Readings, starts: NDArray[np.intp], tolerance: float) -> list[FittedLine]:
    """Symmetric logarithms through one reading of every label; the values must run one way."""
    place, value = readings.place[starts], readings.value[starts]
    steps = np.diff(value[np.argsort(place)])
    if not (np.all(steps > 0) or np.all(steps < 0)):
        return []
    if len(starts) < 5 or not (np.any(value < 0) and np.any(value > 0)):
        return []
    sizes = np.unique(np.abs(value[value != 0]))
    found = []
    for limit in [*sizes, sizes[0] / 10, sizes[0] / 100]:
        if np.abs(value).max() < 5 * limit:
            continue
        inner = np.clip(value / limit, -1, 1)
        outer = np.sign(value) * np.log10(np.maximum(np.abs(value) / limit, 1.0))
        for free in (False, True):
            middle = [inner, outer] if free else [USUAL_MIDDLE * inner + outer]
            if free and (len(starts) < 7 or limit < sizes[0]):
                continue
            design = np.column_stack([np.ones_like(value), *middle])
            solved, *_ = np.linalg.lstsq(design, place, rcond=None)
            residual = place - design @ solved
            decade = float(solved[-1])
            length = float(solved[1]) / decade if free and decade else USUAL_MIDDLE
            if length <= 0 or decade == 0 or np.abs(residual).max() > tolerance:
                continue
            spacing = Spacing("symlog", (float(limit), length), penalty=0.6 if free else 0.3, needs=5)
            score = _score(readings.weight[starts], residual, tolerance, spacing.penalty)
            found.append(FittedLine(spacing, decade, float(solved[0]), readings.owner[starts], value, residual, score))
    return found
