"""Labels that fell apart at a faint point or a wide gap, put together again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.bar_axis import BarAxis, shared_extent
from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import normalize_text, parse_factor, parse_numbers

if TYPE_CHECKING:
    from geocbar.figure.words import Word

__all__ = ["range_texts", "rejoin_words"]

#: Numbers of one line that stand nearer than this, in glyph heights, may be parts of one label.
PARTS_GLYPHS = 1.0
#: What a part of a number may be.
_PART = re.compile(r"[-+<>]?[\d.,']*\d[\d.,']*%?")
#: The second half of a range stands at most so many glyph heights behind its first.
RANGE_GLYPHS = 1.5
#: A range in one piece, and the second half of one.
_RANGE = re.compile(r"[<>]?[-+]?[\d.,]*\d ?[^\W\d_eE^]{0,4}°? ?(?:-|~|to|\.\.) ?[-+]?[\d.,]*\d ?[^\W\d_]{0,4}")
_SECOND_HALF = re.compile(r"(?:[^\W\d_]{1,4} ?)?(?:-|~|to|\.\.) ?[-+]?[\d.,]*\d.*")


def rejoin_words(
    axis: BarAxis,
    words: Sequence[Word],
    ticks: NDArray[np.float64],
    reread: Callable[[PixelBox, int], Word | None],
) -> list[Word]:
    """Put together labels that fell apart at a faint point or a wide gap (``0`` and ``25``, ``1`` and ``500``).

    Parameters
    ----------
    axis : BarAxis
    words : sequence of Word
    ticks : (n,) float array
        Positions of all tick marks: two words that stand at a tick each are two labels.
    reread : callable
        Reads a box of the picture as one label, turned as told.

    Returns
    -------
    list of Word
    """
    words = list(words)
    for first in list(words):
        for second in list(words):
            if first is second or not any(first is w for w in words) or not any(second is w for w in words):
                continue
            if not _may_be_parts(first, second) or _at_two_ticks(axis, first, second, ticks):
                continue
            whole = PixelBox(
                min(first.box.left, second.box.left) - 1,
                min(first.box.top, second.box.top) - 1,
                max(first.box.right, second.box.right) + 1,
                max(first.box.bottom, second.box.bottom) + 1,
            )
            joined = reread(whole, first.turned)
            if _is_factor_in_two(first, second):
                if joined is not None and parse_factor(joined.text) == parse_factor(first.text + second.text):
                    words = [word for word in words if word is not first and word is not second] + [joined]
                    break
                continue
            if joined is None or not parse_numbers(joined.text) or len(joined.text) < len(first.text + second.text):
                joined = _put_together(first, second, whole)
            if parse_numbers(joined.text):
                words = [word for word in words if word is not first and word is not second] + [joined]
                break
    return words


def _put_together(first: Word, second: Word, whole: PixelBox) -> Word:
    """One label of two parts with a point or nothing between; the fit decides, and no check vouches for it."""
    one, other = first.text.rstrip(".,"), second.text.lstrip(".,")
    zero = one.lstrip("+-<>") == "0"
    texts = (f"{one}.{other}", f"{one}{other}") if zero or one != first.text else (f"{one}{other}", f"{one}.{other}")
    return replace(
        first,
        text=texts[0],
        box=whole,
        confidence=min(first.confidence, second.confidence, 0.5),
        alternatives=texts[1:],
        checks=(f"put together from {first.text!r} and {second.text!r}",),
    )


def _may_be_parts(first: Word, second: Word) -> bool:
    """Whether the second number follows the first closely on the same line."""
    numbers = _PART.fullmatch(first.text) and _PART.fullmatch(second.text)
    if first.turned != second.turned or first.exact or not (numbers or _is_factor_in_two(first, second)):
        return False
    one, other = first.box, second.box
    size = max(first.glyph_px, second.glyph_px)
    if first.turned == 0:
        gap, level = other.left - one.right, shared_extent((one.top, one.bottom), (other.top, other.bottom))
    elif first.turned == 90:
        gap, level = one.top - other.bottom, shared_extent((one.left, one.right), (other.left, other.right))
    else:
        gap, level = other.top - one.bottom, shared_extent((one.left, one.right), (other.left, other.right))
    return -1 <= gap <= PARTS_GLYPHS * size and level > 0.5


def _is_factor_in_two(first: Word, second: Word) -> bool:
    """Whether two words make a factor only together (``1`` and ``e-5``); it must be read as one too."""
    if any(parse_factor(word.text) is not None for word in (first, second)) or _PART.fullmatch(second.text):
        return False
    return bool(re.fullmatch(r"[×xX*1 ]{1,3}0?", first.text)) and parse_factor(first.text + second.text) is not None


def _at_two_ticks(axis: BarAxis, first: Word, second: Word, ticks: NDArray[np.float64]) -> bool:
    """Whether two words are centred on a tick mark each."""
    if len(ticks) < 2:
        return False
    nearest = [ticks[np.abs(ticks - sum(axis.along(word.box)) / 2).argmin()] for word in (first, second)]
    off = [abs(mark - sum(axis.along(word.box)) / 2) for mark, word in zip(nearest, (first, second), strict=True)]
    return max(off) <= 0.3 * first.glyph_px and abs(nearest[0] - nearest[1]) > 0.5 * first.glyph_px


def range_texts(axis: BarAxis, line: Sequence[Word], words: Sequence[Word]) -> tuple[str, ...]:
    """Texts that make ranges of the labels: ``15`` beside which ``m-16 m`` stands, or ``7 m-8 m`` in line with them.

    Parameters
    ----------
    axis : BarAxis
    line : sequence of Word
        The labels.
    words : sequence of Word
        All words around the bar.

    Returns
    -------
    tuple of str
        One text for each label or word that is, or is part of, a range; as read.
    """
    others = [word for word in words if not any(word is label for label in line) and re.search(r"\d", word.text)]
    found = []
    for label in line:
        apart = axis.upright == (label.turned == 0)
        for word in others:
            text = normalize_text(word.text)
            if word.turned == label.turned and _follows(label, word) and (apart or _SECOND_HALF.fullmatch(text)):
                found.append(f"{label.text} {word.text}")
                break
    extents = np.array([axis.across(label.box) for label in line])
    low, high = float(np.median(extents[:, 0])), float(np.median(extents[:, 1]))
    for word in others:
        text, (start, stop) = normalize_text(word.text), axis.across(word.box)
        first, last = axis.along(word.box)
        level = min(stop, high) - max(start, low) > 0.5 * min(stop - start, high - low)
        if level and axis.low <= (first + last) / 2 <= axis.high and _RANGE.fullmatch(text) and not parse_numbers(text):
            found.append(word.text)
    return tuple(found)


def _follows(one: Word, other: Word) -> bool:
    """Whether a word stands right before or behind another, on its line of text."""
    a, b = one.box, other.box
    level = (a.top, a.bottom, b.top, b.bottom) if not one.turned else (a.left, a.right, b.left, b.right)
    way = (a.left, a.right, b.left, b.right) if not one.turned else (a.top, a.bottom, b.top, b.bottom)
    gap = max(way[2] - way[1], way[0] - way[3])
    shared = min(level[1], level[3]) - max(level[0], level[2])
    return -0.2 * one.glyph_px <= gap <= RANGE_GLYPHS * one.glyph_px and shared > 0.6 * (level[1] - level[0])
