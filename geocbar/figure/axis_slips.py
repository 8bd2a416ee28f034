"""Slips of the reader: what the progression of the other labels asks for, and whether one slip leads there."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from geocbar.figure.axis_fit import AxisFit, AxisLabel

__all__ = ["is_rest", "may_stand", "one_slip", "value_on_ladder"]


def may_stand(fit: AxisFit, label: AxisLabel, classes: bool) -> bool:
    """Whether a label that contradicts the fit may be right.

    At an end it may if it goes on in the others' direction; between others only in irregular classes, and there not
    between two that stand one even step away on either side.
    """
    value, rising = label.numbers[0].value, fit.values[-1] > fit.values[0]
    before, after = fit.values[fit.positions < label.place], fit.values[fit.positions > label.place]
    if not len(before) or not len(after):
        goes_on = (not len(before) or (value > before[-1]) == rising) and (
            not len(after) or (value < after[0]) == rising
        )
        return bool(goes_on)
    low, high = sorted((float(before[-1]), float(after[0])))
    if not classes or not low < value < high:
        return False
    steps = np.abs(np.diff(fit.values))
    lone = len(fit.values) >= 5 and abs((high - low) / np.median(steps) - 2) < 1e-3
    return not lone


def value_on_ladder(fit: AxisFit, place: float, tolerance: float) -> float | None:
    """The round value that the progression of the other labels puts at a place, if it puts one there."""
    at = (place - fit.intercept) / fit.slope
    if fit.norm == "log":
        value = float(f"{10.0**at:.0e}")
        off = abs(math.log10(value) - at) * abs(fit.slope)
        return value if off <= tolerance and f"{value:.0e}"[0] in "125" else None
    if fit.norm != "linear" or len(fit.values) < 3:
        return None
    step = float(np.median(np.abs(np.diff(fit.values))))
    nearest = fit.values[0] + round((at - fit.values[0]) / step) * step
    if abs(nearest - at) * abs(fit.slope) > tolerance:
        return None
    digits = max(0, 3 - math.floor(math.log10(step)))
    return float(round(nearest, digits)) + 0.0


def one_slip(text: str, value: float) -> bool:
    """Whether a reader who slips once may read `value` as `text`: a digit taken for another, lost or added, a minus
    or a point lost.

    Examples
    --------
    >>> one_slip("6", 5.0), one_slip("20", -20.0), one_slip("15", 1.5), one_slip("400", 20.0)
    (True, True, True, False)
    """
    read = "".join(c for c in text.replace("−", "-").replace(",", ".") if c in "0123456789.-")
    places = range(0, 7)
    for form in {f"{value:.{n}f}" for n in places if abs(value - round(value, n)) < 1e-9 * max(1, abs(value))} | {
        f"{value:g}"
    }:
        if _edits(read, form) <= 1:
            return True
    if re.search(r"\d[,.' ]\d{3}\b", text) and value == round(value):
        return _edits(re.sub(r"[^\d-]", "", text), f"{value:.0f}") <= 1
    power = re.fullmatch(r"(-?)10\^(-?\d+)", text)
    if power is None or value == 0:
        return False
    exponent = math.log10(abs(value))
    signs_agree = (power[1] == "-") == (value < 0)
    whole = abs(exponent - round(exponent)) < 1e-9
    return bool(signs_agree and whole and _edits(power[2], str(round(exponent))) <= 1)


def is_rest(text: str, value: float) -> bool:
    """Whether a text is the first or the last part of `value` as labels write it: its other ink was lost.

    Examples
    --------
    >>> is_rest("-3", 0.002), is_rest("00", 500.0), is_rest("7", 0.002)
    (True, True, False)
    """
    read = text.replace("−", "-").replace(",", ".").replace(" ", "")
    exponent = math.floor(math.log10(abs(value)) + 1e-9) if value else 0
    mantissa = f"{value / 10.0**exponent:.6g}"
    forms = (f"{value:g}", f"{value:.0f}", f"{mantissa}×10^{exponent}", f"{mantissa}e{exponent}")
    return bool(read) and any(form != read and (form.endswith(read) or form.startswith(read)) for form in forms)


def _edits(one: str, other: str) -> int:
    """Levenshtein distance, given up beyond 1."""
    if abs(len(one) - len(other)) > 1:
        return 2
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
