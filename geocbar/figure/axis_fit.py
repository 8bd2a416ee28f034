"""One joint robust fit of all labels of an axis to their places: how values run along a colour bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.figure.axis_lines import FittedLine, Readings, fit_lines, symlog_lines
from geocbar.figure.axis_norms import Spacing, candidate_spacings
from geocbar.figure.axis_slips import is_rest, may_stand, one_slip, value_on_ladder

if TYPE_CHECKING:
    from geocbar.figure.layout import PixelBox
    from geocbar.figure.numbers import Number

__all__ = ["AxisFit", "AxisLabel", "fit_axis", "fit_piecewise", "tolerance_px"]

#: Most labels that may be overruled as slips of the reader, as a share of all.
MOST_OVERRULED = 0.34
#: A rival fit counts when it explains all but this many labels of the best one's, in weighted labels.
RIVAL_MARGIN = 0.45
#: Weight in the least squares of a label without a tick mark beside others with one.
UNTICKED_WEIGHT = 0.02
#: Share of the range by which two fits must differ somewhere on the bar to be two.
SAME_FIT = 0.01


@dataclass(frozen=True, eq=False)
class AxisLabel:
    """One label beside the bar.

    Parameters
    ----------
    position : float
        Centre of the text along the axis, in pixels (x beside a horizontal bar, y beside a vertical one).
    numbers : tuple of Number
        What the text may mean, likeliest first; empty if it is no number.
    confidence : float
        Of the reader, 0 to 1.
    checks : tuple of str
        Independent checks the text passed or failed.
    tick : float or None
        Position of the tick mark the label belongs to, in pixels.
    glyph_px : float
        Height of a digit.
    text : str
        As read.
    box : PixelBox
        Where it stands.
    exact : bool
        Whether the text comes from the file itself (PDF) rather than from reading a picture.
    """

    position: float
    numbers: tuple[Number, ...]
    confidence: float
    checks: tuple[str, ...]
    tick: float | None
    glyph_px: float
    text: str
    box: PixelBox
    exact: bool = False

    @property
    def place(self) -> float:
        """The tick mark's position where there is one, else the centre of the text."""
        return self.position if self.tick is None else self.tick


@dataclass(frozen=True, eq=False)
class AxisFit:
    """How values run along an axis.

    Parameters
    ----------
    norm : {"linear", "log", "power", "symlog", "piecewise"}
        Spacing of the values.
    parameters : tuple of float
        Exponent of a power; limit and length of the straight middle of a symlog (see :class:`Spacing`); of a piecewise
        fit the value at which two slopes meet, if there are two with labels enough to vouch for one another.
    slope, intercept : float
        Position in px = intercept + slope * even coordinate of the value. NaN for a piecewise fit.
    positions, values : (n,) float arrays
        Labels accepted, in order of position: tick positions where matched, in px, and their values.
    members : tuple of int
        Which of the labels given were accepted as read, in the same order as `positions` less the overruled ones.
    overruled : tuple of (str, float, float)
        Labels contradicted by the progression: the text read, the value put in its place, the position.
    contrary : tuple of int
        Labels with numbers that the fit can neither explain nor repair.
    misfit_px, worst_px : float
        Root mean square and largest distance between labels and their places by the fit.
    rivals : tuple of AxisFit
        Other fits that explain the labels as well and give other values.
    """

    norm: str
    parameters: tuple[float, ...]
    slope: float
    intercept: float
    positions: NDArray[np.float64]
    values: NDArray[np.float64]
    members: tuple[int, ...]
    overruled: tuple[tuple[str, float, float], ...]
    contrary: tuple[int, ...]
    misfit_px: float
    worst_px: float
    rivals: tuple[AxisFit, ...] = ()
    score: float = 0.0

    def value_at(self, positions: ArrayLike) -> NDArray[np.float64]:
        """Values at positions along the axis.

        Parameters
        ----------
        positions : array of float
            Pixels along the axis. Beyond the outer labels the fit goes on as it ran.

        Returns
        -------
        array of float64, same shape
        """
        at = np.asarray(positions, dtype=np.float64)
        if self.norm == "piecewise":
            return _through(at, self.positions, self.values)
        return Spacing(self.norm, self.parameters).uneven((at - self.intercept) / self.slope)

    def position_of(self, values: ArrayLike) -> NDArray[np.float64]:
        """Where values lie along the axis, in pixels; the inverse of :meth:`value_at`."""
        array = np.asarray(values, dtype=np.float64)
        if self.norm == "piecewise":
            order = np.argsort(self.values)
            return _through(array, self.values[order], self.positions[order])
        return self.intercept + self.slope * Spacing(self.norm, self.parameters).even(array)

    @property
    def description(self) -> str:
        """The norm in words, with its parameters."""
        if self.norm == "power":
            return f"power {self.parameters[0]:.3g}"
        if self.norm == "symlog":
            return f"symlog, linear within ±{self.parameters[0]:.6g}"
        if self.norm == "piecewise" and self.parameters:
            return f"piecewise (two slopes that meet at {self.parameters[0]:.6g})"
        return self.norm


def _through(at: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Straight from node to node, the outer stretches prolonged; x ascending."""
    left = np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2)
    return y[left] + (at - x[left]) * (y[left + 1] - y[left]) / (x[left + 1] - x[left])


def tolerance_px(length: float, ticked: bool) -> float:
    """How far a label may lie from its place by the fit.

    Parameters
    ----------
    length : float
        Of the bar, in px.
    ticked : bool
        Whether labels were matched to tick marks (1 px + 0.35 % of the length) or stand alone (1.5 px + 1 %).

    Returns
    -------
    float
    """
    return 1.0 + 0.0035 * length if ticked else 1.5 + 0.01 * length


def fit_axis(
    labels: Sequence[AxisLabel],
    *,
    low: float,
    high: float,
    tolerance: float | None = None,
    verified: Sequence[bool] | None = None,
    classes: bool = False,
) -> AxisFit | None:
    """Find how values run along an axis from all its labels at once.

    Every pair of readings of two labels proposes a line for every family of spacings; the line on which most labels
    lie (each with its likeliest reading that suits) is refined by least squares. Labels off the line whose text is
    one slip of the reader away from the value it asks for are overruled; the others are listed as contrary.

    Parameters
    ----------
    labels : sequence of AxisLabel
        In any order; those without numbers are left out.
    low, high : float
        Ends of the bar along the axis, in px, ``low < high``.
    tolerance : float or None
        Largest distance in px between a label and its place; by default :func:`tolerance_px`.
    verified : sequence of bool or None
        For each label whether its reading has been confirmed: such a label is overruled only between others that
        agree, and beside classes only if its value cannot stand between its neighbours'.
    classes : bool
        Whether the bar shows classes, whose limits may be irregular.

    Returns
    -------
    AxisFit or None
        None if fewer than two labels agree on anything.

    References
    ----------
    Fischler and Bolles (1981), Random sample consensus, doi:10.1145/358669.358692 (here over all pairs).
    """
    readings = Readings.of(labels)
    if len(np.unique(readings.owner)) < 2:
        return None
    if tolerance is None:
        ticked = sum(label.tick is not None for label in labels) * 2 >= len(labels)
        tolerance = tolerance_px(high - low, ticked)
    firsts = [label.numbers[0].value for label in labels if label.numbers]
    lines: list[FittedLine] = []
    for spacing in candidate_spacings(firsts):
        lines += fit_lines(readings, spacing, tolerance)
    lines += symlog_lines(readings, tolerance)
    lines = [line for line in lines if len(np.unique(line.value)) >= line.spacing.needs]
    if not lines:
        return None
    lines.sort(key=lambda line: -line.score)
    sure = [False] * len(labels) if verified is None else list(verified)
    best = _finish(lines[0], labels, sure, tolerance, classes)
    rivals: list[AxisFit] = []
    for line in lines[1:]:
        if line.score < lines[0].score - RIVAL_MARGIN:
            break
        rival = _finish(line, labels, sure, tolerance, classes)
        if _differ(best, rival, low, high) and all(_differ(other, rival, low, high) for other in rivals):
            rivals.append(rival)
    return replace(best, rivals=tuple(rivals))


def _differ(one: AxisFit, other: AxisFit, low: float, high: float) -> bool:
    """Whether two fits give values that differ by more than a hundredth of the range between the outer labels."""
    at = np.linspace(max(low, one.positions[0]), min(high, one.positions[-1]), 21)
    values, others = one.value_at(at), other.value_at(at)
    return bool(np.abs(values - others).max() > SAME_FIT * np.ptp(values))


def _finish(
    line: FittedLine, labels: Sequence[AxisLabel], verified: Sequence[bool], tolerance: float, classes: bool
) -> AxisFit:
    """The fit with its labels in order, misreads repaired by the progression and the rest listed as contrary."""
    fit = _as_fit(line.spacing, dict(zip(line.owner.tolist(), line.value.tolist(), strict=True)), labels, line.score)
    slips = {index: value for index in fit.members if (value := _slipped(fit, labels, index, tolerance)) is not None}
    if slips and len(fit.members) - len(slips) >= 3:
        members = {i: float(v) for i, v in zip(fit.members, fit.values, strict=True) if i not in slips}
        fit = _as_fit(line.spacing, members, labels, line.score)
    overruled, contrary = [], []
    for index, label in enumerate(labels):
        if index in fit.members or not label.numbers:
            continue
        value = value_on_ladder(fit, label.place, tolerance)
        sure = verified[index] and index not in slips and may_stand(fit, label, classes)
        if value is not None and not sure and (one_slip(label.text, value) or _is_hurt(fit, label, value)):
            overruled.append((index, value))
        else:
            contrary.append(index)
    if len(overruled) > MOST_OVERRULED * (len(fit.members) + len(overruled)) or len(fit.members) < 3:
        contrary = sorted([*contrary, *(index for index, _ in overruled)])
        overruled = []
    positions = np.r_[fit.positions, [labels[index].place for index, _ in overruled]]
    values = np.r_[fit.values, [value for _, value in overruled]]
    order = np.argsort(positions)
    return replace(
        fit,
        positions=positions[order],
        values=values[order],
        overruled=tuple((labels[index].text, value, float(labels[index].place)) for index, value in overruled),
        contrary=tuple(contrary),
    )


def _is_hurt(fit: AxisFit, label: AxisLabel, value: float) -> bool:
    """Whether a label cannot stand against four others that agree.

    Either ink was cut off it and what is left is a part of the value, or its readings differ and its neighbours on both
    sides are one step away from the value.
    """
    if len(fit.values) < 4:
        return False
    if any("taken for a line" in check for check in label.checks) and is_rest(label.text, value):
        return True
    if not any("read" in check and "'" in check for check in label.checks):
        return False
    even = Spacing(fit.norm, fit.parameters).even(np.array([value, *fit.values]))
    least = float(np.abs(np.diff(even[1:])).min())
    before, after = even[1:][fit.positions < label.place], even[1:][fit.positions > label.place]
    if not len(before) or not len(after):
        return False
    steps = np.abs([even[0] - before[-1], after[0] - even[0]])
    return bool(np.abs(steps - least).max() < 1e-3 * least)


def _as_fit(spacing: Spacing, members: dict[int, float], labels: Sequence[AxisLabel], score: float) -> AxisFit:
    """Least squares through the labels given, each with its value; text without a tick mark hardly counts."""
    order = sorted(members, key=lambda index: labels[index].place)
    positions = np.array([labels[index].place for index in order], dtype=np.float64)
    values = np.array([members[index] for index in order], dtype=np.float64)
    ticked = np.array([labels[index].tick is not None for index in order])
    weight = np.where(ticked, 1.0, UNTICKED_WEIGHT)
    even = spacing.even(values)
    centre = float(np.average(even, weights=weight))
    shifted = even - centre
    slope = float(np.sum(weight * shifted * positions) / np.sum(weight * shifted**2))
    intercept = float(np.average(positions, weights=weight) - slope * centre)
    residual = positions - intercept - slope * even
    return AxisFit(
        norm=spacing.norm,
        parameters=spacing.parameters,
        slope=slope,
        intercept=intercept,
        positions=positions,
        values=values,
        members=tuple(order),
        overruled=(),
        contrary=(),
        misfit_px=float(np.sqrt(np.mean(residual**2))),
        worst_px=float(np.abs(residual).max()),
        score=score,
    )


def _slipped(fit: AxisFit, labels: Sequence[AxisLabel], index: int, tolerance: float) -> float | None:
    """The ladder's value for a label that lies on the fit only by the tolerance, if it is one slip away."""
    at = fit.members.index(index)
    value = value_on_ladder(fit, labels[index].place, tolerance)
    if value is None or abs(value - fit.values[at]) <= 1e-6 * max(abs(value), float(np.ptp(fit.values)) * 1e-3):
        return None
    others = np.delete(fit.values, at)
    steps = np.abs(np.diff(others))
    regular = fit.norm == "log" or (len(steps) >= 3 and np.sum(steps <= 1.001 * np.median(steps)) >= 0.6 * len(steps))
    return value if regular and one_slip(labels[index].text, value) else None


def fit_piecewise(labels: Sequence[AxisLabel]) -> AxisFit | None:
    """Straight from label to label: irregular classes, or two slopes. It has no redundancy: use it on verified labels.

    Parameters
    ----------
    labels : sequence of AxisLabel
        Every one with a number; the likeliest reading of each is taken.

    Returns
    -------
    AxisFit or None
        None unless there are three labels or more, all numbers, at different places, whose values run one way.
    """
    if len(labels) < 3 or not all(label.numbers for label in labels):
        return None
    order = sorted(range(len(labels)), key=lambda i: labels[i].place)
    positions = np.array([labels[i].place for i in order], dtype=np.float64)
    values = np.array([labels[i].numbers[0].value for i in order], dtype=np.float64)
    steps = np.diff(values)
    if np.any(np.diff(positions) <= 0) or not (np.all(steps > 0) or np.all(steps < 0)):
        return None
    return AxisFit(
        norm="piecewise",
        parameters=(),
        slope=math.nan,
        intercept=math.nan,
        positions=positions,
        values=values,
        members=tuple(order),
        overruled=(),
        contrary=(),
        misfit_px=0.0,
        worst_px=0.0,
    )
