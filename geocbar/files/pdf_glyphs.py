"""The characters of a PDF page with their places, taken from the drawing commands."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geocbar.files.pdf_drawing import Drawn, drawn_objects
from geocbar.files.pdf_pages import PageFrame

__all__ = ["Glyph", "page_glyphs"]

_INVISIBLE_TEXT = (3, 7)


@dataclass(frozen=True, eq=False)
class Glyph:
    """One character; `start` and `end` run in reading direction, `rise` to the top of the letters (points)."""

    char: str
    ink: tuple[float, float, float, float]
    turned: int
    start: float
    end: float
    rise: float
    size: float
    source: int
    readable: bool


def page_glyphs(page: Any, frame: PageFrame) -> list[Glyph]:
    """Every visible character of a page, minus signs that are drawn as shapes among them.

    Parameters
    ----------
    page : pypdfium2.PdfPage
    frame : PageFrame
        Where the page's corner lies and how it is turned.

    Returns
    -------
    list of Glyph
        In the order of the page's drawing commands; hidden ones (the text layer of a scan) are left out.
    """
    return _with_drawn_signs(_glyphs(page, frame), drawn_objects(page, frame))


def _glyphs(page: Any, frame: PageFrame) -> list[Glyph]:
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
        glyphs.append(Glyph(char, tight, turned, start, end, rise, size, source, readable))
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


def _with_drawn_signs(glyphs: list[Glyph], objects: list[Drawn]) -> list[Glyph]:
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


def _sign_before(glyph: Glyph, box: tuple[float, float, float, float]) -> str:
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
