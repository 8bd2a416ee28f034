"""Pictures inside PDF files: how finely they are placed on the page, and their own pixels."""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import FileProblemError
from geocbar.files.images import Picture, read_image
from geocbar.files.pdf_drawing import Drawn

__all__ = ["is_upright", "native_picture", "pixel_pitch"]

#: Two renderings of a picture agree if no more than this part of their pixels differ by more than that.
_DIFFERING_PART = 0.002
_DIFFERENCE = 24

#: A picture is placed along the page's axes if it leans by less than this part of its size.
_LEAN = 1e-3

_ICC_CHUNK = 65000


def pixel_size(image: Drawn) -> tuple[int, int]:
    """Columns and rows of a picture as stored."""
    import pypdfium2.raw as raw

    width, height = ctypes.c_uint(), ctypes.c_uint()
    if not raw.FPDFImageObj_GetImagePixelSize(image.handle, width, height):
        return 0, 0
    return int(width.value), int(height.value)


def pixel_pitch(image: Drawn) -> tuple[float, float] | None:
    """Width and height of one of the picture's pixels on the page as it is seen, in points.

    Returns
    -------
    tuple of float or None
        None if the picture leans or has no pixels.
    """
    a, b, c, d = image.matrix
    width, height = pixel_size(image)
    if not width or not height:
        return None
    if max(abs(b), abs(c)) <= _LEAN * min(abs(a), abs(d)):
        return abs(a) / width, abs(d) / height
    if max(abs(a), abs(d)) <= _LEAN * min(abs(b), abs(c)):
        return abs(c) / height, abs(b) / width
    return None


def is_upright(image: Drawn) -> bool:
    """Whether a picture is neither turned nor mirrored on the page."""
    a, b, c, d = image.matrix
    return a > 0 > d and max(abs(b), abs(c)) <= _LEAN * min(abs(a), abs(d))


def native_picture(page: Any, image: Drawn, painted: NDArray[np.uint8]) -> Picture | None:
    """The picture as it is stored, if that is what the page shows.

    Parameters
    ----------
    page : pypdfium2.PdfPage
    image : Drawn
        An upright picture.
    painted : (h, w, 3) uint8 array
        The place of the picture as the page shows it, one pixel for each of the picture's own.

    Returns
    -------
    Picture or None
        With its quantization tables if it is a JPEG. None if masks, colour spaces or clips make the page look
        different from the stored pixels: then `painted` is the truth.
    """
    for picture in (_from_jpeg(page, image), _from_bitmap(page, image)):
        if picture is not None and _agree(picture.pixels, painted):
            return picture
    return None


def _agree(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    if one.shape != other.shape:
        return False
    distance = np.abs(one.astype(np.int16) - other).max(axis=2)
    return float((distance > _DIFFERENCE).mean()) <= _DIFFERING_PART


def _from_jpeg(page: Any, image: Drawn) -> Picture | None:
    """A JPEG stream read as a JPEG file would be."""
    import pypdfium2
    import pypdfium2.raw as raw

    stored = pypdfium2.PdfImage(image.handle, page=page)
    filters = list(stored.get_filters())
    if not filters or filters[-1] != "DCTDecode" or not set(filters[:-1]) <= set(stored.SIMPLE_FILTERS):
        return None
    try:
        data = bytes(stored.get_data(decode_simple=len(filters) > 1))
        space = int(stored.get_metadata().colorspace)
    except pypdfium2.PdfiumError:
        return None
    if space not in (raw.FPDF_COLORSPACE_DEVICERGB, raw.FPDF_COLORSPACE_DEVICEGRAY, raw.FPDF_COLORSPACE_ICCBASED):
        return None
    if space == raw.FPDF_COLORSPACE_ICCBASED:
        data = _with_profile(data, _profile(page, image))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream.jpg"
        path.write_bytes(data)
        try:
            picture = read_image(path)
        except FileProblemError:
            return None
    return picture if picture.jpeg is not None else None


def _profile(page: Any, image: Drawn) -> bytes:
    """The colour profile the PDF gives a picture, empty if none."""
    import pypdfium2.raw as raw

    length = ctypes.c_size_t()
    raw.FPDFImageObj_GetIccProfileDataDecoded(image.handle, page, None, 0, length)
    if not length.value:
        return b""
    buffer = (ctypes.c_uint8 * length.value)()
    if not raw.FPDFImageObj_GetIccProfileDataDecoded(image.handle, page, buffer, length.value, length):
        return b""
    return bytes(buffer)


def _with_profile(jpeg: bytes, profile: bytes) -> bytes:
    """A JPEG with a colour profile put behind its first marker, as ICC.1:2022, annex B.4, says."""
    if not profile or jpeg[:2] != b"\xff\xd8" or b"ICC_PROFILE\0" in jpeg[:4096]:
        return jpeg
    chunks = [profile[start : start + _ICC_CHUNK] for start in range(0, len(profile), _ICC_CHUNK)]
    segments = b""
    for number, chunk in enumerate(chunks, start=1):
        body = b"ICC_PROFILE\0" + bytes([number, len(chunks)]) + chunk
        segments += b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body
    return jpeg[:2] + segments + jpeg[2:]


def _from_bitmap(page: Any, image: Drawn) -> Picture | None:
    """The stored pixels as pdfium unpacks them."""
    import pypdfium2
    import pypdfium2.raw as raw

    stored = pypdfium2.PdfImage(image.handle, page=page)
    try:
        bitmap = stored.get_bitmap()
        inks = int(stored.get_metadata().colorspace) == raw.FPDF_COLORSPACE_DEVICECMYK
    except pypdfium2.PdfiumError:
        return None
    array = np.array(bitmap.to_numpy())
    if array.ndim == 2 or array.shape[2] == 1:
        array = np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    pixels = np.ascontiguousarray(array[:, :, 2::-1])
    pixels.setflags(write=False)
    notes = ("CMYK without a colour profile: colours are approximate.",) if inks else ()
    return Picture(pixels, format="PDF", notes=notes)
