"""What a PDF page draws, and how it looks: its objects, and parts of it painted to pixels."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.files.pdf_pages import PageFrame

__all__ = ["Drawn", "drawn_objects", "paint_region"]

#: Pixels painted at once, before they are averaged.
_BAND = 6_000_000

_MAX_DEPTH = 12


@dataclass(frozen=True, eq=False)
class Drawn:
    """Something a page draws.

    Parameters
    ----------
    kind : {"path", "image", "text", "shading"}
    box : tuple of float
        Left, top, right, bottom in points from the page's top-left corner.
    matrix : tuple of float
        For images: ``a, b, c, d`` of the matrix that places the unit square, in points with y downwards.
    handle : object
        pdfium's own handle.
    glyph : bool
        Whether it is a filled shape without an outline that is a form by itself: some plotters draw letters so.
    """

    kind: str
    box: tuple[float, float, float, float]
    matrix: tuple[float, float, float, float]
    handle: Any
    glyph: bool = False


def drawn_objects(page: Any, frame: PageFrame) -> list[Drawn]:
    """Everything a page draws, that in nested forms too, in drawing order.

    Parameters
    ----------
    page : pypdfium2.PdfPage
    frame : PageFrame

    Returns
    -------
    list of Drawn
    """
    import pypdfium2.raw as raw

    names = {
        raw.FPDF_PAGEOBJ_TEXT: "text",
        raw.FPDF_PAGEOBJ_PATH: "path",
        raw.FPDF_PAGEOBJ_IMAGE: "image",
        raw.FPDF_PAGEOBJ_SHADING: "shading",
    }
    found: list[Drawn] = []
    edges = [ctypes.c_float() for _ in range(4)]
    matrix = raw.FS_MATRIX()

    def visit(handle: Any, outer: NDArray[np.float64], depth: int, alone: bool = False) -> None:
        kind = raw.FPDFPageObj_GetType(handle)
        if kind == raw.FPDF_PAGEOBJ_FORM:
            if depth < _MAX_DEPTH and raw.FPDFPageObj_GetMatrix(handle, matrix):
                inner, count = outer @ _matrix(matrix), raw.FPDFFormObj_CountObjects(handle)
                for index in range(count):
                    visit(raw.FPDFFormObj_GetObject(handle, index), inner, depth + 1, count == 1)
            return
        if kind not in names or not raw.FPDFPageObj_GetBounds(handle, *edges):
            return
        left, bottom, right, top = (edge.value for edge in edges)
        if depth:
            corners = outer @ np.array([[left, right, right, left], [bottom, bottom, top, top], [1, 1, 1, 1]])
            (left, bottom), (right, top) = corners[:2].min(axis=1), corners[:2].max(axis=1)
        placed = (0.0, 0.0, 0.0, 0.0)
        if names[kind] == "image" and raw.FPDFPageObj_GetMatrix(handle, matrix):
            placed = _seen_matrix(outer @ _matrix(matrix), frame)
        glyph = alone and names[kind] == "path" and _is_filled_only(handle)
        found.append(Drawn(names[kind], frame.box(left, bottom, right, top), placed, handle, glyph))

    for index in range(raw.FPDFPage_CountObjects(page)):
        visit(raw.FPDFPage_GetObject(page, index), np.eye(3), 0)
    return found


def _is_filled_only(handle: Any) -> bool:
    import pypdfium2.raw as raw

    mode, outline = ctypes.c_int(), raw.FPDF_BOOL()
    return bool(raw.FPDFPath_GetDrawMode(handle, mode, outline) and mode.value and not outline.value)


def _matrix(matrix: Any) -> NDArray[np.float64]:
    return np.array([[matrix.a, matrix.c, matrix.e], [matrix.b, matrix.d, matrix.f], [0.0, 0.0, 1.0]])


def _seen_matrix(matrix: NDArray[np.float64], frame: PageFrame) -> tuple[float, float, float, float]:
    """Where the first and second axis of the unit square point on the page as it is seen (y downwards)."""
    zero = np.array(frame.point(0.0, 0.0))
    first = np.array(frame.point(matrix[0, 0], matrix[1, 0])) - zero
    second = np.array(frame.point(matrix[0, 1], matrix[1, 1])) - zero
    return float(first[0]), float(first[1]), float(second[0]), float(second[1])


def paint_region(
    page: Any,
    corner: tuple[float, float],
    scale: tuple[float, float],
    size: tuple[int, int],
    *,
    oversampling: int = 1,
    average: bool = True,
    smooth: bool = False,
) -> NDArray[np.uint8]:
    """Paint a part of a page.

    Parameters
    ----------
    page : pypdfium2.PdfPage
    corner : tuple of float
        Top-left corner of the part in points.
    scale : tuple of float
        Pixels per point across and down.
    size : tuple of int
        Width and height of the picture in pixels.
    oversampling : int
        Paint this many times finer in both directions and average. Filled shapes that share an edge then leave no
        pale seam, as they do where a painter smoothes each for itself.
    average : bool
        If not, take the middle one of the finer pixels (`oversampling` being odd): a picture whose pixels are as large
        as the painted ones comes out with its own colours however it is turned.
    smooth : bool
        Let pdfium smooth lines, shapes and pictures.

    Returns
    -------
    (h, w, 3) uint8 array
        On white.
    """
    width, height = size
    rows = max(1, min(height, _BAND // (width * oversampling**2) or 1))
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    fine = scale[0] * oversampling, scale[1] * oversampling
    for top in range(0, height, rows):
        count = min(rows, height - top)
        shift = (-corner[0] * fine[0], -corner[1] * fine[1] - top * oversampling)
        band = _paint(page, fine, shift, (width * oversampling, count * oversampling), smooth)
        if not average:
            band = band[oversampling // 2 :: oversampling, oversampling // 2 :: oversampling]
        elif oversampling > 1:
            total = np.full((count, width, 3), oversampling**2 // 2, dtype=np.uint16)
            for row in range(oversampling):
                for col in range(oversampling):
                    total += band[row::oversampling, col::oversampling]
            band = (total // oversampling**2).astype(np.uint8)
        pixels[top : top + count] = band
    return pixels


def _paint(
    page: Any,
    scale: tuple[float, float],
    shift: tuple[float, float],
    size: tuple[int, int],
    smooth: bool,
) -> NDArray[np.uint8]:
    import pypdfium2.raw as raw

    width, height = size
    buffer = np.full((height, width, 4), 255, dtype=np.uint8)
    bitmap = raw.FPDFBitmap_CreateEx(width, height, raw.FPDFBitmap_BGRx, buffer.ctypes.data, width * 4)
    matrix = raw.FS_MATRIX(scale[0], 0, 0, scale[1], *shift)
    clip = raw.FS_RECTF(0, 0, width, height)
    flags = raw.FPDF_ANNOT
    if not smooth:
        flags |= raw.FPDF_RENDER_NO_SMOOTHPATH | raw.FPDF_RENDER_NO_SMOOTHIMAGE
    try:
        raw.FPDF_RenderPageBitmapWithMatrix(bitmap, page, matrix, clip, flags)
    finally:
        raw.FPDFBitmap_Destroy(bitmap)
    return buffer[:, :, 2::-1]
