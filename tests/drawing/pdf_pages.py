"""Pages of a paper around a figure: body text, captions, other figures; pages turned, cropped and in files of several.

All documents are PDF files as bytes; places on a page are points from its top left corner.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any

import matplotlib
import numpy as np
import pypdfium2
import pypdfium2.raw as raw
from matplotlib.figure import Figure
from numpy.typing import NDArray

__all__ = ["Sheet", "bound", "cropped", "paper_page", "picture_page", "turned"]

Array = NDArray[np.float64]

A4 = (595.0, 842.0)

_MARGIN, _GUTTER, _SIZE, _LEADING = 64.0, 22.0, 9.5, 12.5
_WORDS = [
    "the",
    "of",
    "in",
    "field",
    "over",
    "mean",
    "annual",
    "region",
    "model",
    "observed",
    "water",
    "heat",
    "flux",
    "is",
    "which",
    "was",
    "from",
    "ocean",
    "and",
    "slope",
    "with",
    "ridge",
    "southern",
    "error",
    "values",
    "were",
    "compared",
    "at",
    "depth",
    "station",
    "season",
    "trend",
    "a",
    "surface",
    "grid",
    "to",
    "by",
    "this",
    "between",
    "month",
    "large",
    "scale",
    "variability",
    "pressure",
    "basin",
    "northern",
    "estimate",
    "sampled",
    "during",
    "cruise",
]


@dataclass(frozen=True, eq=False)
class Sheet:
    """A PDF file of one page: its bytes, its size as it is seen, and `place` (2, 3) from the figure to points on it.

    `others` is the number of other figures on the page; None if the figure is the page.
    """

    data: bytes
    size: tuple[float, float]
    place: Array
    others: int | None = None


def _saved(document: Any) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _put(target: Any, page: Any, source: bytes, matrix: tuple[float, float, float, float, float, float]) -> None:
    """Another file's first page as a form on a page."""
    with pypdfium2.PdfDocument(source) as document:
        form = document.page_as_xobject(0, target)
        drawn = form.as_pageobject()
        drawn.set_matrix(pypdfium2.PdfMatrix(*matrix))
        page.insert_obj(drawn)
        page.gen_content()
        form.close()


def _line(rng: np.random.Generator, width: float, em: float) -> str:
    """Words that fill a line of the given width (points), roughly; letters are `em` points wide."""
    words: list[str] = []
    while sum(map(len, words)) + len(words) < width / em - 8:
        words.append(str(rng.choice(_WORDS)))
    return " ".join(words)


class _Text:
    """A page that is written from the top down, with matplotlib."""

    def __init__(self, rng: np.random.Generator, size: tuple[float, float]) -> None:
        self.rng, self.size = rng, size
        self.figure = Figure(figsize=(size[0] / 72, size[1] / 72))
        self.family = family = str(rng.choice(["STIXGeneral", "DejaVu Serif", "Nimbus Roman"]))
        self.em = (0.58 if family == "DejaVu Serif" else 0.47) * _SIZE

    def write(self, x: float, y: float, text: str, size: float = _SIZE, **options: Any) -> None:
        place = x / self.size[0], 1 - y / self.size[1]
        self.figure.text(*place, text, fontsize=size, family=[self.family, "DejaVu Serif"], va="top", **options)

    def lines(self, x: float, top: float, bottom: float, width: float) -> None:
        """Running text in a column."""
        y = top
        while y + _LEADING <= bottom:
            self.write(x, y, _line(self.rng, width if self.rng.random() > 0.1 else width * 0.6, self.em))
            y += _LEADING

    def caption(self, x: float, y: float, width: float, number: int) -> float:
        """A caption, and where it ends."""
        for k in range(int(self.rng.integers(1, 4))):
            start = str(self.rng.choice(["Figure", "Fig."])) + f" {number}. " if k == 0 else ""
            self.write(x, y, start + _line(self.rng, width - 40, self.em), 8.5)
            y += 11
        return y

    def data(self) -> bytes:
        stream = io.BytesIO()
        self.figure.savefig(stream, format="pdf", metadata={"CreationDate": None})
        return stream.getvalue()


def _second_figure(rng: np.random.Generator, size: tuple[float, float]) -> bytes:
    """A small map with a bar of its own."""
    figure = Figure(figsize=(size[0] / 72, size[1] / 72))
    axes = figure.add_axes((0.13, 0.17, 0.62, 0.72))
    field = np.cumsum(rng.normal(size=(12, 16)), axis=1)
    drawn = axes.contourf(field, 8, cmap="cividis") if rng.random() < 0.5 else axes.pcolormesh(field, cmap="cividis")
    axes.tick_params(labelsize=6)
    bar = figure.colorbar(drawn, cax=figure.add_axes((0.8, 0.17, 0.04, 0.72)))
    bar.ax.tick_params(labelsize=6)
    stream = io.BytesIO()
    figure.savefig(stream, format="pdf", metadata={"CreationDate": None})
    return stream.getvalue()


def paper_page(rng: np.random.Generator, figure: bytes, scale: float, size: tuple[float, float], columns: int) -> Sheet:
    """A figure on a page of a paper with its caption; now and then with a second figure, before or behind it.

    Parameters
    ----------
    figure : bytes
        A PDF file of one page, or a picture (PNG or JPEG).
    scale : float
        Points on the page for one unit of the figure, whose size is `size`.
    columns : int
    """
    settings = {"pdf.fonttype": int(rng.choice([3, 42])), "mathtext.fontset": "stix"}
    with matplotlib.rc_context(settings):
        return _paper_page(rng, figure, scale, size, columns)


def _paper_page(
    rng: np.random.Generator, figure: bytes, scale: float, size: tuple[float, float], columns: int
) -> Sheet:
    text = _Text(rng, A4)
    column = (A4[0] - 2 * _MARGIN - (columns - 1) * _GUTTER) / columns
    wide, high = size[0] * scale, size[1] * scale
    spans = wide > column
    lefts = [_MARGIN + k * (column + _GUTTER) for k in range(columns)]
    floor = A4[1] - _MARGIN
    own = 0 if spans else int(rng.integers(columns))
    text.write(_MARGIN, 30, "Journal of Mapped Fields")
    text.write(A4[0] / 2, A4[1] - 36, str(rng.integers(2, 900)))
    if rng.random() < 0.4:
        text.figure.add_artist(matplotlib.lines.Line2D([_MARGIN / A4[0], 1 - _MARGIN / A4[0]], [0.945] * 2, color="k"))
    room = floor - _MARGIN - high - 60
    top = _MARGIN + (0.0 if rng.random() < 0.4 else float(rng.uniform(0, max(room, 0))))
    left = _MARGIN if spans else lefts[own]
    width = A4[0] - 2 * _MARGIN if spans else column
    text_top = text.caption(left, top + high + 6, width, 2) + 8
    for k, x in enumerate(lefts):
        if spans or k == own:
            text.lines(x, _MARGIN, top - 10, column)
            text.lines(x, text_top, floor, column)
        else:
            text.lines(x, _MARGIN, floor - 210, column)
    second = None
    if not spans and columns > 1 and rng.random() < 0.6:
        second = lefts[1 - own], floor - 196
        text.caption(second[0], second[1] + 160, column, 3)
    document = pypdfium2.PdfDocument(text.data())
    page = document[0]
    x0 = left + (width - wide) / 2
    if figure[:5] == b"%PDF-":
        _put(document, page, figure, (scale, 0, 0, scale, x0, A4[1] - top - high))
    else:
        _put_picture(document, page, figure, (x0, A4[1] - top - high, wide, high))
    if second is not None:
        other = _second_figure(rng, (column, 156))
        _put(document, page, other, (1, 0, 0, 1, second[0], A4[1] - second[1] - 156))
    data = _saved(document)
    document.close()
    return Sheet(data, A4, np.array([[scale, 0, x0], [0, scale, top]]), 0 if second is None else 1)


def _put_picture(document: Any, page: Any, picture: bytes, box: tuple[float, float, float, float]) -> None:
    """A bitmap at left, bottom, width, height."""
    from PIL import Image

    image = pypdfium2.PdfImage.new(document)
    if picture[:2] == b"\xff\xd8":
        image.load_jpeg(io.BytesIO(picture), inline=True)
    else:
        with Image.open(io.BytesIO(picture)) as opened:
            bitmap = pypdfium2.PdfBitmap.from_pil(opened.convert("RGB"))
        image.set_bitmap(bitmap)
    left, bottom, width, height = box
    image.set_matrix(pypdfium2.PdfMatrix(width, 0, 0, height, left, bottom))
    page.insert_obj(image)
    page.gen_content()


def picture_page(picture: bytes, size: tuple[float, float]) -> bytes:
    """A page that is one bitmap."""
    document = pypdfium2.PdfDocument.new()
    page = document.new_page(*size)
    _put_picture(document, page, picture, (0, 0, *size))
    data = _saved(document)
    document.close()
    return data


def turned(sheet: Sheet, degrees: int) -> Sheet:
    """The same page stored lying, with the /Rotate that shows it upright."""
    wide, high = sheet.size
    matrix, size = {
        90: ((0, 1, -1, 0, high, 0), (high, wide)),
        180: ((-1, 0, 0, -1, wide, high), (wide, high)),
        270: ((0, -1, 1, 0, 0, wide), (high, wide)),
    }[degrees]
    document = pypdfium2.PdfDocument.new()
    page = document.new_page(*size)
    _put(document, page, sheet.data, matrix)
    page.set_rotation(degrees)
    data = _saved(document)
    document.close()
    return replace(sheet, data=data)


def cropped(rng: np.random.Generator, sheet: Sheet) -> Sheet:
    """The same page as the visible part of a larger one, which bears printer's marks and a colour wedge outside."""
    wide, high = sheet.size
    left, bottom, more = (float(v) for v in rng.uniform(24, 60, 3))
    document = pypdfium2.PdfDocument.new()
    page = document.new_page(wide + left + more, high + bottom + more)
    _put(document, page, sheet.data, (1, 0, 0, 1, left, bottom))
    for k in range(8):
        patch = raw.FPDFPageObj_CreateNewRect(left + 14 * k, 4.0, 14.0, 14.0)
        raw.FPDFPageObj_SetFillColor(patch, 30 * k, 255 - 30 * k, 128, 255)
        raw.FPDFPath_SetDrawMode(patch, raw.FPDF_FILLMODE_WINDING, False)
        raw.FPDFPage_InsertObject(page, patch)
    page.gen_content()
    page.set_cropbox(left, bottom, left + wide, bottom + high)
    data = _saved(document)
    document.close()
    return replace(sheet, data=data)


def bound(rng: np.random.Generator, sheet: Sheet, before: int, behind: int) -> bytes:
    """The page between others that hold text only."""
    document = pypdfium2.PdfDocument.new()
    with pypdfium2.PdfDocument(sheet.data) as own:
        for k in range(before + 1 + behind):
            if k == before:
                document.import_pages(own)
                continue
            text = _Text(rng, A4)
            text.lines(_MARGIN, _MARGIN, A4[1] - _MARGIN, A4[0] - 2 * _MARGIN)
            with pypdfium2.PdfDocument(text.data()) as other:
                document.import_pages(other)
    data = _saved(document)
    document.close()
    return data
