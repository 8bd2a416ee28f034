"""Doubtful labels looked at once more: does the picture show what the other labels let expect?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
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

__all__ = ["Look", "try_again"]

#: At most so many labels of a bar are looked at once more.
MOST_TRIALS = 8
#: In how many of five ways a label must be read: what the others let expect, and what was read before.
LEAST_EXPECTED, LEAST_SAME = 2, 4

#: Reads the ink in a box (turned as told) five ways, and returns a word if so many of them satisfy a condition.
Look = Callable[[PixelBox, int, Callable[[str], bool], int], "Word | None"]


def try_again(axis: BarAxis, ladder: Ladder, fit: AxisFit, tolerance: float, look: Look) -> list[Word] | None:
    """Look once more where a label was not read for sure, or contradicts the even steps of the others.

    What the others let expect is only the question; the answer comes from the ink between the neighbouring labels, read
    in several ways: a label is taken anew where enough of them say what was expected. Where the others let expect
    nothing, nearly all of them must say what was read before.

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
    regular = len(fit.members) >= 3 and len(agreed) >= 2 and (even_steps(fit) or fit.norm == "log")
    words = list(ladder.words)
    doubtful = [k for k in range(len(words)) if not is_verified(ladder.labels[k]) or (regular and k not in agreed)]
    changed = False
    for k in doubtful[:MOST_TRIALS]:
        own = ladder.words[k]
        if not any(word is own for word in words):
            continue
        value = _expected_value(fit, ladder, k, tolerance) if regular else None
        word = None
        if value is not None:
            cell = _cell(axis, ladder, [ladder.words[i] for i in agreed], float(fit.position_of(value)), own)
            word = look(cell, own.turned, partial(_says, value=value), LEAST_EXPECTED)
        if word is None and not is_verified(ladder.labels[k]):
            cell = PixelBox(own.box.left - 1, own.box.top - 1, own.box.right + 1, own.box.bottom + 1)
            word = look(cell, own.turned, partial(_is_text, expected=own.text), LEAST_SAME)
        if word is None:
            continue
        inside = [w for w in words if _holds(cell, w)]
        words = [w for w in words if not any(w is other for other in inside)] + [word]
        changed = True
    return sorted(words, key=lambda w: sum(axis.along(w.box))) if changed else None


def _expected_value(fit: AxisFit, ladder: Ladder, number: int, tolerance: float) -> float | None:
    """The value that the others let expect at a label's place, or by which a piece of a label stands."""
    place = ladder.labels[number].place
    value = value_on_ladder(fit, place, tolerance)
    return _wider_value(fit, place, ladder.glyph_px) if value is None else value


def _is_text(text: str, expected: str) -> bool:
    return text == expected.replace(" ", "")


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
