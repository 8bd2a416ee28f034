"""The words of a PDF page with their places, taken from the drawing commands: nothing is read from pixels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import normalize_text
from geocbar.figure.words import Word
from geocbar.files.pdf_glyphs import Glyph, page_glyphs
from geocbar.files.pdf_pages import PageFrame

__all__ = ["TextRun", "read_runs", "runs_as_words"]

#: A gap along the line (in font sizes) up to which two characters belong to one word, and up to which a blank between
#: them keeps them in one run. Ten font sizes of blank are another column, half a font size may be another label.
_WORD_GAP = 0.2
_OBJECT_GAP = 0.6
_BLANK_GAP = 1.3

#: A character this much smaller, and raised by this part of the font size, is a superscript.
_SUPER_SIZE = 0.86
_SUPER_RAISE = 0.18

#: Exponents have only these characters, and no more than so many.
_POWER, _LONGEST_POWER = set("0123456789+-−–"), 4

#: Rings that fonts for formulas have at other codes: raised, they are signs of degree (Computer Modern has ± there).
_RINGS = set("±∘◦°")

#: So do their minus and multiplication signs; nobody writes these letters before digits otherwise.
_FORMULA_SIGNS = ((re.compile(r"¡(?=\d)"), "−"), (re.compile(r"£(?= ?10(?:\^|$))"), "×"))

_NUMBER = re.compile(r"[<>≤≥~±+\-−–]?[\d.,]*\d[\d.,]*(?:[eE][+\-−–]?\d+)?(?:\^[+\-−–]?\d+)?[%°′″'\"]?[NSEWnsew]?")


@dataclass(frozen=True, eq=False)
class TextRun:
    """A piece of one line of text, in points from the page's top-left corner.

    Parameters
    ----------
    text : str
    box : tuple of float
        Left, top, right, bottom of the ink in points.
    turned : int
        Degrees counter-clockwise: 0, 90, 180 or 270.
    size : float
        Font size in points.
    glyph : float
        Height of digits and capitals in points.
    readable : bool
        False if the font does not say which characters its glyphs are.
    """

    text: str
    box: tuple[float, float, float, float]
    turned: int
    size: float
    glyph: float
    readable: bool


def read_runs(page: Any, frame: PageFrame) -> list[TextRun]:
    """All visible text of a page, line by line, cut where blanks are wide.

    Parameters
    ----------
    page : pypdfium2.PdfPage
    frame : PageFrame
        Where the page's corner lies and how it is turned.

    Returns
    -------
    list of TextRun
        In the order of the page's drawing commands. Hidden text (the text layer of a scan) is left out.
    """
    lines: list[list[Glyph]] = []
    for glyph in page_glyphs(page, frame):
        if lines and _continues(lines[-1], glyph):
            lines[-1].append(glyph)
        else:
            lines.append([glyph])
    runs = [_as_run(line) for line in _with_raised(lines)]
    return [run for run in runs if run.text]


def runs_as_words(
    runs: list[TextRun], corner: tuple[float, float], scale: tuple[float, float], size: tuple[int, int]
) -> tuple[tuple[Word, ...], tuple[PixelBox, ...]]:
    """The words inside a picture of a part of the page.

    Parameters
    ----------
    runs : list of TextRun
    corner : tuple of float
        The picture's top-left corner on the page in points.
    scale : tuple of float
        Pixels per point across and down.
    size : tuple of int
        Width and height of the picture in pixels.

    Returns
    -------
    words : tuple of Word
        Those whose middle lies in the picture, whose characters are known and that do not stand on their heads.
    unread : tuple of PixelBox
        The places of the others in the picture.
    """
    words, unread = [], []
    for run in runs:
        edges = [(run.box[k] - corner[k % 2]) * scale[k % 2] for k in range(4)]
        inside = all(0 <= (edges[k] + edges[k + 2]) / 2 <= size[k] for k in (0, 1))
        if not inside or edges[0] >= edges[2] or edges[1] >= edges[3]:
            continue
        box = PixelBox(*edges)
        if run.readable and run.turned != 180:
            glyph = run.glyph * scale[1 if run.turned == 0 else 0]
            words.append(Word(normalize_text(run.text), box, turned=run.turned, exact=True, glyph_px=glyph))
        else:
            unread.append(box)
    return tuple(words), tuple(unread)


def _continues(line: list[Glyph], glyph: Glyph) -> bool:
    """Whether a character goes on the line of those before it."""
    last = line[-1]
    if glyph.turned != last.turned:
        return False
    size = max(last.size, glyph.size)
    if abs(glyph.rise - last.rise) > 0.6 * size or min(last.size, glyph.size) < 0.45 * size:
        return False
    solid = next((g for g in reversed(line) if g.char != " "), last)
    gap = glyph.start - last.end
    blank = glyph.start - solid.end
    if gap < -0.6 * size or blank > _BLANK_GAP * size:
        return False
    if glyph.char == " " or last.char == " " or gap <= _WORD_GAP * size:
        return True
    if glyph.source == last.source:
        return gap <= _OBJECT_GAP * size
    return gap <= _OBJECT_GAP * size and not (glyph.char.isdigit() and _ends_in_number(line))


def _ends_in_number(line: list[Glyph]) -> bool:
    token = "".join(g.char for g in line).split(" ")[-1]
    return _NUMBER.fullmatch(token) is not None


def _with_raised(lines: list[list[Glyph]]) -> list[list[Glyph]]:
    """The lines, with exponents that are drawn apart from what they stand behind (GMT writes them after the text)."""
    lines = [inked for line in lines if (inked := _without_outer_blanks(line))]
    for raised in [line for line in lines if len(line) <= _LONGEST_POWER and all(g.char in _POWER for g in line)]:
        bases = ((line, k) for line in lines if line is not raised for k in range(len(line)))
        base, k = next(((line, k) for line, k in bases if _is_power_of(line, k, raised)), (None, 0))
        if base is None:
            continue
        lines = [line for line in lines if line is not raised]
        base[k + 1 : k + 1] = raised
        if base[-1] is raised[-1]:
            tail = next((line for line in lines if line is not base and _goes_on(base[k], raised[-1], line[0])), [])
            lines = [line for line in lines if line is not tail]
            base += tail
    return lines


def _without_outer_blanks(line: list[Glyph]) -> list[Glyph]:
    inked = [k for k, glyph in enumerate(line) if glyph.char.strip()]
    return line[inked[0] : inked[-1] + 1] if inked else []


def _is_power_of(line: list[Glyph], k: int, raised: list[Glyph]) -> bool:
    """Whether small signs stand raised right behind character k of a line, and before the next one."""
    first, last = raised[0], line[k]
    if (
        first.turned != last.turned
        or not last.char.strip()
        or (k + 1 < len(line) and line[k + 1].start < raised[-1].end)
    ):
        return False
    size = last.size
    behind = -0.15 <= (first.start - last.end) / size <= _WORD_GAP
    small = max(glyph.size for glyph in raised) < _SUPER_SIZE * size
    return behind and small and _SUPER_RAISE < (first.rise - last.rise) / size < 0.8


def _goes_on(last: Glyph, raised: Glyph, first: Glyph) -> bool:
    """Whether a character goes on the line behind an exponent."""
    level = abs(first.rise - last.rise) < 0.05 * last.size and abs(first.size - last.size) < 0.05 * last.size
    behind = -0.15 <= (first.start - raised.end) / last.size <= _OBJECT_GAP
    return first.turned == last.turned and level and behind and not first.char.isdigit()


def _as_run(line: list[Glyph]) -> TextRun:
    """One run of the characters of a line; superscripts get a caret."""
    inked = [g for g in line if g.char.strip()]
    if not inked:
        return TextRun("", (0.0, 0.0, 0.0, 0.0), line[0].turned, line[0].size, 0.0, True)
    size = max(g.size for g in inked)
    base = min((g for g in inked if g.size > 0.9 * size), key=lambda g: g.start)
    text, raised = "", False
    last: Glyph | None = None
    for glyph in line:
        if glyph.char.strip():
            up = glyph.size < _SUPER_SIZE * size and glyph.rise - base.rise > _SUPER_RAISE * size
            if up and glyph.char in _RINGS:
                text, last = text.rstrip() + "°", glyph
                continue
            if up and not raised and text.strip():
                text = text.rstrip() + "^"
            else:
                wide = last is not None and glyph.start - last.end > _WORD_GAP * size and not text.endswith(" ")
                text += " " if wide or (raised and not up and glyph.char.isdigit()) else ""
            raised, last = up, glyph
        text += glyph.char if glyph.char.strip() else " "
    box = (
        min(g.ink[0] for g in inked),
        min(g.ink[1] for g in inked),
        max(g.ink[2] for g in inked),
        max(g.ink[3] for g in inked),
    )
    text = re.sub(r" +", " ", text).strip()
    for code, sign in _FORMULA_SIGNS:
        text = code.sub(sign, text)
    readable = all(g.readable for g in inked)
    return TextRun(text, box, base.turned, size, _glyph_height(inked, size), readable)


def _glyph_height(glyphs: list[Glyph], size: float) -> float:
    """Height of the digits and capitals among the characters of full size, or what is usual for the font size."""
    flat = glyphs[0].turned in (0, 180)
    tall = sorted(
        g.ink[3] - g.ink[1] if flat else g.ink[2] - g.ink[0]
        for g in glyphs
        if g.size > 0.9 * size and (g.char.isdigit() or g.char.isupper())
    )
    return tall[len(tall) // 2] if tall and tall[len(tall) // 2] > 0 else 0.72 * size
