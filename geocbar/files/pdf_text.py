"""The words of a PDF page with their places, taken from the drawing commands: nothing is read from pixels."""

from __future__ import annotations

import ctypes
import math
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import normalize_text
from geocbar.figure.words import Word
from geocbar.files.pdf_drawing import Drawn, drawn_objects
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

_INVISIBLE_TEXT = (3, 7)
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


@dataclass(frozen=True, eq=False)
class _Glyph:
    """One character; `along` runs in reading direction, `rise` to the top of the letters (points)."""

    char: str
    ink: tuple[float, float, float, float]
    turned: int
    start: float
    end: float
    rise: float
    size: float
    source: int
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
    runs: list[TextRun] = []
    line: list[_Glyph] = []
    for glyph in _with_drawn_signs(_glyphs(page, frame), drawn_objects(page, frame)):
        if line and not _continues(line, glyph):
            runs.append(_as_run(line))
            line = []
        line.append(glyph)
    if line:
        runs.append(_as_run(line))
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


def _glyphs(page: Any, frame: PageFrame) -> list[_Glyph]:
    """Every visible character of a page; blanks are kept, the ones pdfium makes up are not."""
    import pypdfium2.raw as raw

    textpage = page.get_textpage()
    edges = [ctypes.c_double() for _ in range(4)]
    loose, matrix = raw.FS_RECTF(), raw.FS_MATRIX()
    x, y = ctypes.c_double(), ctypes.c_double()
    hidden: dict[int, bool] = {}
    glyphs = []
    high = 0
    for index in range(raw.FPDFText_CountChars(textpage)):
        if raw.FPDFText_IsGenerated(textpage, index) == 1:
            continue
        code = int(raw.FPDFText_GetUnicode(textpage, index))
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
        high = 0
        handle = raw.FPDFText_GetTextObject(textpage, index)
        source = ctypes.cast(handle, ctypes.c_void_p).value or 0
        if source and source not in hidden:
            hidden[source] = raw.FPDFTextObj_GetTextRenderMode(handle) in _INVISIBLE_TEXT
        if hidden.get(source, False):
            continue
        raw.FPDFText_GetCharBox(textpage, index, *edges)
        raw.FPDFText_GetLooseCharBox(textpage, index, loose)
        raw.FPDFText_GetMatrix(textpage, index, matrix)
        raw.FPDFText_GetCharOrigin(textpage, index, x, y)
        size = raw.FPDFText_GetFontSize(textpage, index) * math.hypot(matrix.c, matrix.d)
        readable = _is_text(code) and (
            raw.FPDFText_HasUnicodeMapError(textpage, index) != 1 or _is_plain_code(code, handle, frame)
        )
        tight = frame.box(edges[0].value, edges[2].value, edges[1].value, edges[3].value)
        advance = frame.box(loose.left, loose.bottom, loose.right, loose.top)
        turned = frame.turned(matrix.a, matrix.b)
        start, end, rise = _reading(turned, advance, frame.point(x.value, y.value))
        char = chr(code) if readable else "�"
        glyphs.append(_Glyph(char, tight, turned, start, end, rise, size, source, readable))
    return glyphs


def _is_text(code: int) -> bool:
    """Whether a code stands for a character (not a control code, a private one or the mark of a missing one)."""
    return code >= 32 and not 0x7F <= code < 0xA0 and not 0xE000 <= code < 0xF900 and code not in (0xFFFD, 0xFFFE)


def _is_plain_code(code: int, handle: Any, frame: PageFrame) -> bool:
    """Whether a code without a table of characters is a character nevertheless: drawn fonts with ASCII codes."""
    import pypdfium2.raw as raw

    if not handle or code > 126 or frame.file is None:
        return False
    length = ctypes.c_size_t()
    raw.FPDFFont_GetFontData(raw.FPDFTextObj_GetFont(handle), None, 0, length)
    return length.value == 0 and frame.file.plain_codes


def _with_drawn_signs(glyphs: list[_Glyph], objects: list[Drawn]) -> list[_Glyph]:
    """The characters, with minus signs that are drawn as shapes before them.

    Matplotlib before 3.11 draws characters beyond Latin-1, among them the minus sign, as small filled forms between
    the text. A minus is put where it stands; next to any other such shape the text is not readable.
    """
    shapes = [item.box for item in objects if item.glyph]
    if not shapes or not glyphs:
        return glyphs
    largest = max(glyph.size for glyph in glyphs)
    boxes = np.array([box for box in shapes if max(box[2] - box[0], box[3] - box[1]) <= 1.4 * largest])
    if not len(boxes):
        return glyphs
    result = []
    for glyph in glyphs:
        left, top, right, bottom = glyph.ink
        reach = glyph.size
        near = (boxes[:, 0] < right + reach) & (boxes[:, 2] > left - reach)
        near &= (boxes[:, 1] < bottom + reach) & (boxes[:, 3] > top - reach)
        for left, top, right, bottom in boxes[near].tolist() if glyph.char != " " else []:
            sign = _sign_before(glyph, (left, top, right, bottom))
            if sign == "minus":
                start, end, _ = _reading(glyph.turned, (left, top, right, bottom), (0.0, 0.0))
                start -= 0.1 * glyph.size
                result.append(replace(glyph, char="−", ink=(left, top, right, bottom), start=start, end=end))
            elif sign:
                glyph = replace(glyph, readable=False)
        result.append(glyph)
    return result


def _sign_before(glyph: _Glyph, box: tuple[float, float, float, float]) -> str:
    """What a small shape is to a character: "minus" right before it, "other" right before or behind it, or ""."""
    start, end, _ = _reading(glyph.turned, box, (0.0, 0.0))
    _, _, low = _reading(glyph.turned, box, (box[2], box[3]))
    _, _, high = _reading(glyph.turned, box, (box[0], box[1]))
    low, high = min(low, high) - glyph.rise, max(low, high) - glyph.rise
    size = glyph.size
    before = -0.1 * size <= glyph.start - end <= 0.35 * size
    behind = -0.1 * size <= start - glyph.end <= 0.35 * size
    if not (before or behind) or low < -0.4 * size or high > 1.1 * size:
        return ""
    long, thick, middle = (end - start) / size, (high - low) / size, (low + high) / 2 / size
    if 0.35 <= long <= 0.95 and 0.02 <= thick <= 0.16 and 0.15 <= middle <= 0.5:
        return "minus" if before else ""
    return "other" if thick > 0.2 and long > 0.1 else ""


def _reading(
    turned: int, box: tuple[float, float, float, float], origin: tuple[float, float]
) -> tuple[float, float, float]:
    """Start and end along the reading direction, and the height of the baseline across it."""
    left, top, right, bottom = box
    if turned == 0:
        return left, right, -origin[1]
    if turned == 90:
        return -bottom, -top, -origin[0]
    if turned == 180:
        return -right, -left, origin[1]
    return top, bottom, origin[0]


def _continues(line: list[_Glyph], glyph: _Glyph) -> bool:
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


def _ends_in_number(line: list[_Glyph]) -> bool:
    token = "".join(g.char for g in line).split(" ")[-1]
    return _NUMBER.fullmatch(token) is not None


def _as_run(line: list[_Glyph]) -> TextRun:
    """One run of the characters of a line; superscripts get a caret."""
    inked = [g for g in line if g.char.strip()]
    if not inked:
        return TextRun("", (0.0, 0.0, 0.0, 0.0), line[0].turned, line[0].size, 0.0, True)
    size = max(g.size for g in inked)
    base = min((g for g in inked if g.size > 0.9 * size), key=lambda g: g.start)
    text, raised = "", False
    last: _Glyph | None = None
    for glyph in line:
        if glyph.char.strip():
            up = glyph.size < _SUPER_SIZE * size and glyph.rise - base.rise > _SUPER_RAISE * size
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
    readable = all(g.readable for g in inked)
    return TextRun(text, box, base.turned, size, _glyph_height(inked, size), readable)


def _glyph_height(glyphs: list[_Glyph], size: float) -> float:
    """Height of the digits and capitals among the characters of full size, or what is usual for the font size."""
    flat = glyphs[0].turned in (0, 180)
    tall = sorted(
        g.ink[3] - g.ink[1] if flat else g.ink[2] - g.ink[0]
        for g in glyphs
        if g.size > 0.9 * size and (g.char.isdigit() or g.char.isupper())
    )
    return tall[len(tall) // 2] if tall and tall[len(tall) // 2] > 0 else 0.72 * size
