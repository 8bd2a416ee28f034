"""Doubtful labels looked at once more: does the picture show what the other labels let expect?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geocbar.figure.axis_slips import value_on_ladder
from geocbar.figure.circumstances import even_steps, is_verified
from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import parse_numbers

if TYPE_CHECKING:
    from geocbar.figure.axis_fit import AxisFit
    from geocbar.figure.bar_axis import BarAxis
    from geocbar.figure.label_ladder import Ladder
    from geocbar.figure.words import Word

__all__ = ["Look", "try_expected"]

#: At most so many labels of a bar are looked at once more.
MOST_TRIALS = 8

#: Reads the ink in a box (turned as told) several ways, and returns a word if enough of them satisfy a condition.
Look = Callable[[PixelBox, int, Callable[[str], bool]], "Word | None"]


def try_expected(axis: BarAxis, ladder: Ladder, fit: AxisFit, tolerance: float, look: Look) -> list[Word] | None:
    """Look once more where a label was not read for sure, or contradicts the even steps of the others.

    What the others let expect is only the question; the answer comes from the ink between the neighbouring labels, read
    in several ways: a label is taken anew where enough of them say what was expected.

    Parameters
    ----------
    axis : BarAxis
    ladder : Ladder
        Its labels matched to their places.
    fit : AxisFit
    tolerance : float
        Of the fit, in px.
    look : callable
        See :data:`Look`.

    Returns
    -------
    list of Word or None
        The ladder's words with those that were read anew in their places; None if nothing changed.
    """
    agreed = [k for k in fit.members if is_verified(ladder.labels[k])]
    if len(fit.members) < 3 or len(agreed) < 2 or not (even_steps(fit) or fit.norm == "log"):
        return None
    words = list(ladder.words)
    doubtful = [k for k in range(len(words)) if k not in agreed]
    changed = False
    for k in doubtful[:MOST_TRIALS]:
        if not any(word is ladder.words[k] for word in words):
            continue
        place = ladder.labels[k].place
        value = value_on_ladder(fit, place, tolerance)
        if value is None:
            value = _wider_value(fit, place, ladder.glyph_px)
        if value is None:
            continue
        cell = _cell(axis, ladder, [ladder.words[i] for i in agreed], float(fit.position_of(value)), ladder.words[k])
        expected = value
        word = look(cell, ladder.words[k].turned, lambda text, v=expected: _says(text, v))  # type: ignore[misc]
        if word is None:
            continue
        inside = [w for w in words if _holds(cell, w)]
        words = [w for w in words if not any(w is other for other in inside)] + [word]
        changed = True
    return sorted(words, key=lambda w: sum(axis.along(w.box))) if changed else None


def _wider_value(fit: AxisFit, place: float, glyph_px: float) -> float | None:
    """The expected value where a piece of a label stands off its centre by some digits."""
    return value_on_ladder(fit, place, 1.5 * glyph_px)


def _cell(axis: BarAxis, ladder: Ladder, agreed: Sequence[Word], place: float, own: Word) -> PixelBox:
    """The room of one label: around its place, between the neighbours that were read well."""
    extents = [axis.across(word.box) for word in (*agreed, own)]
    pad = 0.3 * ladder.glyph_px
    low, high = min(e[0] for e in extents) - pad, max(e[1] for e in extents) + pad
    lengths = [axis.along(word.box)[1] - axis.along(word.box)[0] for word in agreed]
    half = 0.5 * max(lengths) + 0.9 * ladder.glyph_px
    start, stop = place - half, place + half
    for word in agreed:
        first, last = axis.along(word.box)
        if last < place:
            start = max(start, last + 1)
        elif first > place:
            stop = min(stop, first - 1)
    stop = max(stop, start + 2)
    return PixelBox(low, start, high, stop) if axis.upright else PixelBox(start, low, stop, high)


def _holds(cell: PixelBox, word: Word) -> bool:
    x, y = (word.box.left + word.box.right) / 2, (word.box.top + word.box.bottom) / 2
    return cell.left <= x <= cell.right and cell.top <= y <= cell.bottom


def _says(text: str, value: float) -> bool:
    """Whether a text has the expected value as one of its readings."""
    values = np.array([number.value for number in parse_numbers(text)])
    return bool(np.any(np.abs(values - value) <= 1e-9 + 1e-6 * abs(value))) if len(values) else False
