"""One line of ink becomes one word: crops for the text engine, superscripts apart, and checks by the glyphs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.glyphs import (
    INK_LEVEL,
    Glyphs,
    describe_glyphs,
    ends_raised,
    leads_with_minus,
    raised_column,
    resample,
)
from geocbar.figure.ink import Ink
from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import normalize_text, parse_factor, parse_numbers, parse_offset

__all__ = ["ReadText", "TextLine", "TextReading", "Word", "is_numeric", "read_again", "read_lines"]

_CROP_HEIGHT, _LEAST_WIDTH, _MOST_WIDTH = 48, 96, 2400
#: Share of the crop's height that the ink fills, in the first reading and in the one that checks it.
_FILLED, _FILLED_AGAIN = 0.62, 0.46
#: The same in further readings of a doubtful label.
_FILLED_ONCE_MORE = (0.75, 0.54, 0.4)
_LETTERS = re.compile(r"[^\W\d_]")
_INK_LEVELS = (0.3, 0.55)
#: What a nought with a dot or a dash inside is taken for when it stands alone.
_DOTTED_ZERO = re.compile("[曰日口ロ〇①⓪OoQθ]")
#: From this confidence on a reading without minus sign stands, and the sign is told as a doubt (it may be a tick mark).
_SURE = 0.9
_SEVERAL = re.compile(r"\d [-+]?[\d.]*\d(?! ?°)")
#: A power of ten with its raised digits read flat, or lost.
_FLAT_POWER = re.compile(r"(-?|.*[×x])1[0oO][-\d]{0,3}")
_POWER = re.compile(r"\d{1,2}|\d\.\d{1,2}")
_MANTISSA = re.compile(r"-?(10|(?:\d[\d.,]*)?[×xX*·] ?10)")


@dataclass(frozen=True)
class TextReading:
    """What a text engine says of one crop.

    Parameters
    ----------
    text : str
        Decoded from all characters the engine knows.
    confidence : float
        0 to 1, of the least sure character.
    alternatives : tuple of (text, confidence)
        Other decodings; the first is the one from numbers' characters only, if the engine gives it.
    """

    text: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = ()


#: Takes crops ``(h, w, 3)`` uint8 of one upright line each, dark on white, and returns one reading for each.
ReadText = Callable[[Sequence[NDArray[np.uint8]]], list[TextReading]]


@dataclass(frozen=True)
class Word:
    """A word, a number, or a line of words with its place.

    Parameters
    ----------
    text : str
        As read; signs unified (``-`` for any minus), raised digits behind ``^``.
    box : PixelBox
        Around the ink.
    confidence : float
        0 to 1; says little of truth: look at ``checks``.
    alternatives : tuple of str
        Other readings met on the way.
    turned : {0, 90, 270}
        Degrees counter-clockwise: 90 reads upwards.
    exact : bool
        True for text of the file (PDF), which nobody had to read.
    glyph_px : float
        Height of the digits in pixels.
    checks : tuple of str
        Disagreements between independent readings; empty if all agree.
    """

    text: str
    box: PixelBox
    confidence: float = 1.0
    alternatives: tuple[str, ...] = ()
    turned: int = 0
    exact: bool = False
    glyph_px: float = 10.0
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TextLine:
    """Pieces of ink that form one line of text.

    Parameters
    ----------
    ink : Ink
        In the picture's orientation.
    pieces : ndarray of int
        Indices of the pieces.
    turned : {0, 90, 270}
        Degrees counter-clockwise by which the text is turned.
    """

    ink: Ink
    pieces: NDArray[np.intp]
    turned: int = 0

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in the ink's window."""
        boxes = self.ink.boxes[self.pieces]
        left, top = boxes[:, :2].min(axis=0)
        right, bottom = boxes[:, 2:].max(axis=0)
        return int(left), int(top), int(right), int(bottom)

    @property
    def box(self) -> PixelBox:
        """Around the ink, in the picture."""
        col, row = self.ink.origin
        left, top, right, bottom = self.edges
        return PixelBox(left + col, top + row, right + col, bottom + row)

    def darkness(self) -> NDArray[np.float32]:
        """Ink of these pieces alone, upright, 0 to 1, with a rim of one pixel."""
        left, top, right, bottom = self.edges
        rows = slice(max(0, top - 1), bottom + 1)
        cols = slice(max(0, left - 1), right + 1)
        contrast, labels = self.ink.contrast[rows, cols], self.ink.labels[rows, cols]
        own = np.isin(labels, self.pieces + 1)
        strong = float(np.percentile(contrast[own], 90)) if own.any() else 255.0
        dark = np.clip(contrast / max(strong, 1.0), 0.0, 1.0)
        dark[(labels > 0) & ~own] = 0.0
        turns = {0: 0, 90: -1, 270: 1}[self.turned]
        return np.ascontiguousarray(np.rot90(dark, turns), np.float32)


def is_numeric(text: str) -> bool:
    """Whether the text can be a label with a number, a factor, or an offset."""
    return bool(parse_numbers(text)) or parse_factor(text) is not None or parse_offset(text) is not None


def read_lines(lines: Sequence[TextLine], read: ReadText, numeric_first: bool = True) -> list[Word]:
    """Read lines of ink; numbers twice, at two sizes, and once more by their glyphs.

    Parameters
    ----------
    lines : sequence of TextLine
    read : callable
        Text engine.
    numeric_first : bool
        Take the reading from numbers' characters where the free one is no word.

    Returns
    -------
    list of Word
        One for each line; the text is empty where the engine saw none.
    """
    darks = [line.darkness() for line in lines]
    chosen = [_choose(reading, numeric_first) for reading in read([_crop(dark, _FILLED) for dark in darks])]
    short = [k for k, (text, _, _) in enumerate(chosen) if is_numeric(text) or len(_LETTERS.findall(text)) < 2]
    again = dict(zip(short, read([_crop(darks[k], _FILLED_AGAIN) for k in short]), strict=True)) if short else {}
    words = []
    for k, (line, dark, (text, confidence, others)) in enumerate(zip(lines, darks, chosen, strict=True)):
        glyphs = _glyphs_of(dark)
        word = Word(text, line.box, confidence, others, line.turned, False, _digit_px(glyphs, dark))
        if k in again and glyphs is not None:
            word = _compare(word, _choose(again[k], numeric_first))
            word = _with_raised(word, dark, glyphs, read)
            word = _with_ring(word, dark, glyphs, read)
            word = _check_glyphs(word, dark, glyphs)
            word = _check_neighbours(word, line)
        words.append(word)
    return words


def read_again(line: TextLine, read: ReadText, accept: Callable[[str], bool], least: int = 2) -> Word | None:
    """Read a line of ink in five more ways, and tell whether what is asked for is there.

    Parameters
    ----------
    line : TextLine
    read : callable
        Text engine.
    accept : callable
        Whether a text is what is asked for.
    least : int
        In how many of the ways it must be read.

    Returns
    -------
    Word or None
        None unless so many ways or more read it, and no other number is read as often.
    """
    dark = line.darkness()
    glyphs = _glyphs_of(dark)
    if glyphs is None:
        return None
    crops = [_crop(dark, filled) for filled in _FILLED_ONCE_MORE]
    crops += [_crop(np.clip((dark - 0.25) / 0.5, 0, 1), _FILLED), _crop(np.sqrt(dark), _FILLED)]
    chosen = [_choose(reading, True) for reading in read(crops)]
    agreeing: list[tuple[str, float]] = []
    others: dict[str, int] = {}
    for text, confidence, more in chosen:
        said = [other for other in (text, *more[:1]) if accept(other.replace(" ", ""))]
        if said:
            agreeing.append((said[0].replace(" ", ""), confidence if said[0] == text else 0.5))
        elif is_numeric(text):
            others[text] = others.get(text, 0) + 1
    if len(agreeing) < least or max(others.values(), default=0) >= len(agreeing):
        return None
    text = max(agreeing, key=lambda pair: pair[1])[0]
    confidence = max(sure for _, sure in agreeing)
    word = Word(text, line.box, confidence, (), line.turned, False, _digit_px(glyphs, dark))
    word = _check_neighbours(_check_glyphs(word, dark, glyphs), line)
    return word if accept(word.text) else None


def _glyphs_of(dark: NDArray[np.float32]) -> Glyphs | None:
    """Glyphs at the usual darkness, or at a lower one if that shows thin raised digits in one piece."""
    glyphs = describe_glyphs(dark)
    if glyphs is not None and glyphs.raised_from() is None and re.search(r"dd[-.]?[mo.?]*[mo]$", glyphs.kinds):
        faint = describe_glyphs(dark, _INK_LEVELS[0])
        if faint is not None and faint.raised_from() is not None:
            return faint
    return glyphs


def _crop(dark: NDArray[np.float32], filled: float) -> NDArray[np.uint8]:
    """Dark on white, 48 px high, the ink filling the given share of the height."""
    height = max(6, round(filled * _CROP_HEIGHT))
    width = int(np.clip(round(dark.shape[1] * height / dark.shape[0]), 3, _MOST_WIDTH))
    small = np.clip(resample(dark, height, width), 0, 1)
    above = (_CROP_HEIGHT - height) // 2
    whole = max(_LEAST_WIDTH, width + 2 * (_CROP_HEIGHT - height) // 2)
    before = (whole - width) // 2
    page = np.zeros((_CROP_HEIGHT, whole), np.float32)
    page[above : above + height, before : before + width] = small
    gray = np.round(255 * (1 - page)).astype(np.uint8)
    return np.repeat(gray[:, :, None], 3, axis=2)


def _choose(reading: TextReading, numeric_first: bool) -> tuple[str, float, tuple[str, ...]]:
    """The text that makes sense as a label, how sure it is, and the other readings."""
    free = normalize_text(reading.text)
    joined = re.sub(r"^(-?)[lI|](?=[\d.eE])", r"\g<1>1", free.replace(" ", ""))
    digits, sure = reading.alternatives[0] if reading.alternatives else ("", 0.0)
    digits = normalize_text(digits).replace(" ", "")
    others = tuple(normalize_text(text) for text, _ in reading.alternatives)
    if _DOTTED_ZERO.fullmatch(joined):
        return "0", min(reading.confidence, 0.75), (free,)
    if is_numeric(joined) and not _SEVERAL.search(free):
        return joined, reading.confidence, tuple(dict.fromkeys(t for t in others if t.replace(" ", "") != joined))
    letters = len(re.findall(r"[^\W\d_eExXOolINSW×]", free))
    if numeric_first and letters < 2 and is_numeric(digits) and not _SEVERAL.search(free):
        return digits, min(sure, reading.confidence + 0.3), (free, *others[1:])
    return free, reading.confidence, tuple(t for t in others if t != free)


def _compare(word: Word, other: tuple[str, float, tuple[str, ...]]) -> Word:
    """Take the surer of two readings and say if they differ."""
    text, confidence, others = other
    if text == word.text:
        return replace(word, confidence=max(confidence, word.confidence))
    check = f"read {word.text!r} at one size and {text!r} at another"
    better = is_numeric(text) > is_numeric(word.text) or (
        is_numeric(text) == is_numeric(word.text) and confidence > word.confidence
    )
    first, second = (text, word.text) if better else (word.text, text)
    sure = max(confidence, word.confidence) - 0.3 * min(confidence, word.confidence)
    rest = tuple(t for t in dict.fromkeys((second, *word.alternatives, *others)) if t and t != first)
    return replace(word, text=first, confidence=sure, alternatives=rest, checks=(*word.checks, check))


def _with_raised(word: Word, dark: NDArray[np.float32], glyphs: Glyphs, read: ReadText) -> Word:
    """Read base and raised digits apart where the glyphs show a power."""
    if "%" in word.text or "^" in word.text:
        return word
    parts = _parts_of_power(word.text, dark, glyphs)
    if parts is None:
        return word
    base, raised = (_choose(r, True) for r in read([_crop(_trimmed(part), _FILLED) for part in parts[:2]]))
    mantissa, power = base[0].replace("X", "x"), raised[0]
    whole = _MANTISSA.match(word.text)
    if whole and not _MANTISSA.fullmatch(mantissa):
        mantissa = whole[0]
    minus = parts[2] or power.startswith("-")
    power = power.removeprefix("-")
    if not word.text.endswith(power):
        power = _voted_power(parts[1], power, read)
    if not _MANTISSA.fullmatch(mantissa) or not _POWER.fullmatch(power):
        return replace(word, checks=(*word.checks, "raised digits are drawn that could not be read as a power"))
    rest = (word.text, *word.alternatives)
    signed = any(re.search(r"10\^?-\d", other) for other in rest)
    minus = minus or (signed and _is_wide(parts[1], len(power)))
    text = f"{mantissa}^{'-' if minus else ''}{power}"
    flat = re.sub(r"[\^ -]", "", text)
    checks, confidence = word.checks, min(base[1], raised[1])
    rest = tuple(t for t in rest if t != text)
    if any(re.sub(r"[\^ -]", "", other) == flat for other in rest):
        checks, confidence = (), max(confidence, word.confidence)
    else:
        checks = (*checks, f"read {word.text!r} whole and {text!r} in parts")
    if signed and not minus:
        checks = (*checks, "a minus was read before the raised digits but none is drawn")
        rest = (f"{mantissa}^-{power}", *rest)
    return replace(word, text=text, confidence=confidence, alternatives=rest, checks=checks)


def _voted_power(raised: NDArray[np.float32], first: str, read: ReadText) -> str:
    """Raised digits that were read otherwise in the whole label: what most of three more readings say."""
    crops = [_crop(_trimmed(raised), filled) for filled in _FILLED_ONCE_MORE]
    said = [_choose(reading, True)[0].removeprefix("-") for reading in read(crops)]
    said = [text for text in (first, *said) if _POWER.fullmatch(text)]
    return max(dict.fromkeys(said), key=said.count) if said else first


def _parts_of_power(
    text: str, dark: NDArray[np.float32], glyphs: Glyphs
) -> tuple[NDArray[np.float32], NDArray[np.float32], bool] | None:
    """Ink of the base and of the raised digits, and whether a minus that was left out stands between."""
    start = glyphs.raised_from()
    if start is None:
        column = raised_column(dark, glyphs.digit_px) if _FLAT_POWER.fullmatch(text) else None
        if column is None:
            return None
        signs = [k for k, kind in enumerate(glyphs.kinds[:-1]) if kind in "m-" and glyphs.boxes[k][0] >= column - 1]
        if signs:
            return (
                dark[:, :column],
                dark[:, round((glyphs.boxes[signs[0]][2] + glyphs.boxes[signs[0] + 1][0]) / 2) :],
                True,
            )
        return dark[:, :column], *_without_minus(_trimmed(dark[:, column:]))
    cut = round((glyphs.boxes[start - 1][2] + glyphs.boxes[start][0]) / 2)
    minus = glyphs.kinds[start] in "m-"
    digits_from = round((glyphs.boxes[start][2] + glyphs.boxes[start + 1][0]) / 2) if minus else cut
    lower = int(np.ceil(max(glyphs.boxes[k][3] for k in range(start, len(glyphs.kinds))))) + 1
    if cut < 2 or dark.shape[1] - digits_from < 2:
        return None
    base, raised = dark[:, :cut], dark[:lower, digits_from:]
    if minus:
        return base, raised, True
    tail = raised_column(base, glyphs.digit_px)
    if tail is not None and (base[:, tail:] > INK_LEVEL).any(axis=1).sum() <= 0.34 * glyphs.digit_px:
        return base[:, :tail], raised, True
    return base, *_without_minus(_trimmed(raised))


def _is_wide(raised: NDArray[np.float32], count: int) -> bool:
    """Whether raised ink is wider than so many digits are: a minus stands before them."""
    height, width = _trimmed(raised).shape
    return width - 2 > 1.0 * count * (height - 2)


def _without_minus(raised: NDArray[np.float32]) -> tuple[NDArray[np.float32], bool]:
    """Raised digits without the minus that touches them, and whether there was one."""
    if not leads_with_minus(raised):
        return raised, False
    extent = (raised > _INK_LEVELS[0]).sum(axis=0)
    digit = np.flatnonzero(extent >= 0.6 * raised.shape[0])
    stop = int(digit[0]) if len(digit) else 0
    return (raised[:, max(stop - 1, 1) :], True) if stop >= 2 else (raised, True)


def _with_ring(word: Word, dark: NDArray[np.float32], glyphs: Glyphs, read: ReadText) -> Word:
    """A small raised ring behind the digits is a degree sign, not a nought: read the digits without it."""
    if not re.fullmatch(r"[do.?-]*do", glyphs.kinds) or glyphs.kinds.count("o") > 1:
        return word
    if "°" in word.text or "^" in word.text or "%" in word.text:
        return word
    cut = round((glyphs.boxes[-2][2] + glyphs.boxes[-1][0]) / 2)
    (reading,) = read([_crop(_trimmed(dark[:, :cut]), _FILLED)])
    digits, confidence, _ = _choose(reading, True)
    if not parse_numbers(digits):
        return replace(word, checks=(*word.checks, "a small raised ring is drawn but was not read"))
    checks = (
        word.checks
        if word.text in (digits, digits + "0", digits + "o")
        else (*word.checks, f"read {word.text!r} with the degree sign and {digits!r} without")
    )
    return replace(
        word, text=digits + "°", confidence=confidence, alternatives=(word.text, *word.alternatives), checks=checks
    )


def _trimmed(dark: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, cols = np.flatnonzero((dark > 0.3).any(axis=1)), np.flatnonzero((dark > 0.3).any(axis=0))
    if not len(rows) or not len(cols):
        return dark
    return np.pad(dark[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1], 1)


def _check_glyphs(word: Word, dark: NDArray[np.float32], glyphs: Glyphs) -> Word:
    """Compare minus signs, dots and the number of glyphs with the text; mend a lost minus sign in an unsure one."""
    text = word.text
    if not is_numeric(text):
        return word
    checks = list(word.checks)
    drawn = (len(glyphs.kinds) > 1 and glyphs.kinds[0] == "-") or leads_with_minus(dark)
    written = text.startswith("-")
    if drawn != written:
        checks.append("a minus sign is drawn but was not read" if drawn else "a minus sign was read but none is drawn")
    others = [describe_glyphs(dark, level) for level in _INK_LEVELS]
    lists = [_disagreements(text, other.kinds) for other in (glyphs, *others) if other is not None]
    checks += min(lists, key=lambda found: len(list(found)))
    alternatives = word.alternatives
    if text[-1].isdigit() and "^" not in text and ends_raised(dark, glyphs.digit_px):
        checks.append("the last glyphs stand above the base line")
        power = re.fullmatch(r"(-?10|.*[×x]10)(-?\d{1,2})", text)
        if power:
            alternatives = (f"{power[1]}^{power[2]}", *alternatives)
    if drawn and not written and is_numeric("-" + text) and text[0] in ".0123456789":
        if word.confidence < _SURE:
            text, alternatives = "-" + text, (text, *alternatives)
        else:
            alternatives = ("-" + text, *alternatives)
    return replace(word, text=text, alternatives=alternatives, checks=tuple(checks))


def _disagreements(text: str, kinds: str) -> list[str]:
    """What the pieces of ink say against the text."""
    found = []
    body = text.partition("^")[0]
    dots, drawn_dots = len(re.findall(r"[.,']", body)), kinds.count(".")
    full, signs = kinds.count("d") - 2 * text.count("%"), len(re.findall(r"[\d()<>a-zA-Z/×+]", body))
    if drawn_dots > dots or (drawn_dots < dots and full >= signs):
        found.append(f"{drawn_dots} dots are drawn and {dots} were read")
    if full > signs:
        found.append(f"{full} tall glyphs are drawn and {signs} were read")
    if "s" in kinds and not re.search(r"[\^°%+]", text):
        found.append("raised digits are drawn but were not read as such")
    return found


def _check_neighbours(word: Word, line: TextLine) -> Word:
    """Say so if ink beside the label was taken for a line: a glyph may be lost in it."""
    left, top, right, bottom = line.edges
    height, width = line.ink.labels.shape
    if left == 0 or top == 0 or right == width or bottom == height:
        word = replace(word, checks=(*word.checks, "it reaches the edge of what was looked at"))
    reach = max(1, round(0.12 * word.glyph_px))
    rows, cols = slice(top, bottom), slice(max(0, left - reach), right + reach)
    if line.turned:
        rows, cols = slice(max(0, top - reach), bottom + reach), slice(left, right)
    if line.ink.others[rows, cols].sum() < 4:
        return word
    return replace(word, checks=(*word.checks, "ink beside it was taken for a line"))


def _digit_px(glyphs: Glyphs | None, dark: NDArray[np.float32]) -> float:
    return glyphs.digit_px if glyphs is not None else float(max(1, dark.shape[0] - 2))
