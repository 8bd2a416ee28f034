"""Open PDF files and their pages, and say what is wrong with them."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from geocbar.errors import FileProblemError, NotFoundError
from geocbar.files.pdf_codes import are_codes_plain

__all__ = ["PageFrame", "PdfFile", "open_pdf", "page_of"]

#: pdfium may be used by one thread at a time.
_PDFIUM = threading.RLock()

#: Bytes at the end of a file in which its end mark must stand.
_TAIL = 65536
_HEAD = 1024


@dataclass(frozen=True, eq=False)
class PdfFile:
    """An open PDF file.

    Parameters
    ----------
    document : pypdfium2.PdfDocument
    name : str
        File name without folder.
    data : bytes
    """

    document: Any
    name: str
    data: bytes

    @cached_property
    def plain_codes(self) -> bool:
        """Whether codes of fonts without a table of characters may be taken as characters."""
        return are_codes_plain(self.data)

    @property
    def pages(self) -> int:
        """Number of pages."""
        return len(self.document)


@dataclass(frozen=True)
class PageFrame:
    """Where the visible part of a page lies in the PDF's own coordinates.

    Parameters
    ----------
    left, bottom, right, top : float
        Visible box in the PDF's coordinates (y upwards), in points.
    rotation : int
        Clockwise degrees by which viewers turn the page: 0, 90, 180 or 270.
    file : PdfFile, optional
        The file the page is in.
    """

    left: float
    bottom: float
    right: float
    top: float
    rotation: int = 0
    file: PdfFile | None = None

    @property
    def width(self) -> float:
        """Width of the page as it is seen, in points."""
        return self.top - self.bottom if self.rotation in (90, 270) else self.right - self.left

    @property
    def height(self) -> float:
        """Height of the page as it is seen, in points."""
        return self.right - self.left if self.rotation in (90, 270) else self.top - self.bottom

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point in points from the top-left corner of the page as it is seen."""
        if self.rotation == 90:
            return y - self.bottom, x - self.left
        if self.rotation == 180:
            return self.right - x, y - self.bottom
        if self.rotation == 270:
            return self.top - y, self.right - x
        return x - self.left, self.top - y

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in points from the page's top-left corner."""
        (x0, y0), (x1, y1) = self.point(left, bottom), self.point(right, top)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def turned(self, a: float, b: float) -> int:
        """Counter-clockwise degrees (0, 90, 180, 270) of the direction ``(a, b)`` as it is seen."""
        degrees = math.degrees(math.atan2(b, a)) - self.rotation
        return round(degrees / 90) % 4 * 90


@contextmanager
def open_pdf(path: str | Path, password: str | None = None) -> Iterator[PdfFile]:
    """Open a PDF file.

    Yields
    ------
    PdfFile

    Raises
    ------
    FileProblemError
        If the file is missing, no PDF, cut off, damaged, without pages, or locked by a password.
    """
    import pypdfium2

    path = Path(path)
    data = _read_pdf(path)
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(data, password=password)
        except pypdfium2.PdfiumError as error:
            raise _refusal(path.name, getattr(error, "err_code", None), password) from error
        try:
            if len(document) == 0:
                raise FileProblemError(f"{path.name} has no pages.", "Get the file again from its source.")
            yield PdfFile(document, path.name, data)
        finally:
            document.close()


def _read_pdf(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileProblemError(f"There is no file {path}.", "Check the path of the PDF.") from error
    except IsADirectoryError as error:
        raise FileProblemError(f"{path} is a folder, not a PDF.", "Give the PDF file.") from error
    except OSError as error:
        raise FileProblemError(f"{path} cannot be read: {error.strerror}.", "Check the file's permissions.") from error
    if not data:
        raise FileProblemError(f"{path.name} is empty (0 bytes).", "Get the file again from its source.")
    if b"%PDF-" not in data[:_HEAD]:
        raise FileProblemError(
            f"{path.name} is not a PDF: it does not begin with %PDF ({len(data)} bytes).",
            "Give a PDF, or a picture as PNG, JPEG, GIF, TIFF, WebP or BMP.",
        )
    if b"startxref" not in data[-_TAIL:]:
        raise FileProblemError(
            f"{path.name} is cut off: the end mark of a PDF is missing ({len(data)} bytes).",
            "Get the file again from its source.",
        )
    return data


def _refusal(name: str, code: int | None, password: str | None) -> FileProblemError:
    import pypdfium2.raw as raw

    if code == raw.FPDF_ERR_PASSWORD and password is None:
        return FileProblemError(
            f"{name} is locked by a password.",
            "Save a copy without it, and give that: qpdf --decrypt --password=... IN.pdf OUT.pdf",
        )
    if code == raw.FPDF_ERR_PASSWORD:
        return FileProblemError(f"The password does not open {name}.", "Check the password, capitals too.")
    if code == raw.FPDF_ERR_SECURITY:
        return FileProblemError(
            f"{name} is locked in a way that cannot be opened here.",
            "Print it to a new PDF with a viewer that opens it, and give that file.",
        )
    return FileProblemError(
        f"{name} is damaged: its pages cannot be found.",
        "Get the file again from its source, or repair it: qpdf IN.pdf OUT.pdf",
    )


@contextmanager
def page_of(file: PdfFile, number: int) -> Iterator[tuple[Any, PageFrame]]:
    """One page (counted from 1) and its frame.

    Raises
    ------
    NotFoundError
        If there is no such page.
    FileProblemError
        If the page cannot be read.
    """
    import pypdfium2

    name, count = file.name, file.pages
    if not 1 <= number <= count:
        pages = f"{count} pages" if count > 1 else "1 page"
        raise NotFoundError(
            f"There is no page {number} in {name}: it has {pages}.",
            f"Give --page 1 to {count}." if count > 1 else "Give --page 1.",
        )
    try:
        page = file.document[number - 1]
        box = page.get_bbox()
        rotation = int(page.get_rotation())
    except pypdfium2.PdfiumError as error:
        raise FileProblemError(
            f"Page {number} of {name} is damaged and cannot be read.", "Get the file again from its source."
        ) from error
    try:
        yield page, PageFrame(box[0], box[1], box[2], box[3], rotation, file)
    finally:
        page.close()
