"""Figures in PDF files, alone or on pages of papers, with the truth about them in points of the page.

>>> from drawing.pdf_figures import draw_pdf
>>> drawn = draw_pdf(3, kind="paper")
>>> drawn.data[:5], drawn.page >= 1, len(drawn.bars) >= 1
(b'%PDF-', True, True)
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from .figure_layouts import plan_figure
from .figure_plans import FigurePlan
from .figure_truth import BarTruth, DrawnFigure, PanelTruth
from .figures import draw_figure
from .figures_gmt import draw_by_gmt_figure
from .figures_matplotlib import draw_by_matplotlib
from .palettes import gmt_available
from .pdf_pages import Sheet, bound, cropped, paper_page, picture_page, turned

__all__ = ["KINDS", "DrawnPdf", "draw_pdf"]

Array = NDArray[np.float64]

#: How the figure stands in its file, and how often.
KINDS = {
    "alone": 0.22,
    "paper": 0.24,
    "columns": 0.16,
    "turned": 0.1,
    "cropped": 0.08,
    "outlines": 0.06,
    "bitmap": 0.1,
    "bitmap alone": 0.04,
}

#: Share of vector figures that GMT draws.
_BY_GMT = 0.22

#: Labels on a page of a paper are at least so high (points, the em).
_LEAST_EM = 4.5
_TEXT_WIDTH, _TEXT_HEIGHT, _COLUMN_WIDTH = 467.0, 520.0, 222.5

#: A map drawn cell by cell has at most so many columns and rows.
_CELLS = (90, 70)


@dataclass(frozen=True, eq=False)
class DrawnPdf:
    """A PDF file with one drawn figure, and the truth about it.

    Bars and panels are in pixels of the drawing; `place` (2, 3) takes its (col, row) to points from the top left corner
    of page `page` as it is seen. `ink` is what the figure covers there, `others` the number of other figures.
    `text` is "letters", or "outlines" if letters are drawn as shapes, or "pixels" if the figure is a bitmap.
    """

    data: bytes
    page: int
    pages: int
    kind: str
    plotter: str
    text: str
    seed: int
    layout: str
    place: Array
    ink: tuple[float, float, float, float]
    size: tuple[float, float]
    bars: tuple[BarTruth, ...]
    panels: tuple[PanelTruth, ...]
    traits: frozenset[str]
    others: int = 0
    fills_page: bool = False

    def figure_in(self, pixels: NDArray[np.uint8], box: ArrayLike) -> DrawnFigure:
        """The truth in the pixels of a picture that shows a part of the page.

        Parameters
        ----------
        pixels : (h, w, 3) uint8 array
        box : (4,) array-like
            Left, top, right, bottom of that part in points.
        """
        left, top, right, bottom = np.asarray(box, float)
        scale = np.array([pixels.shape[1] / (right - left), pixels.shape[0] / (bottom - top)])
        scan = self.place * scale[:, None]
        scan[:, 2] -= np.array([left, top]) * scale
        return DrawnFigure(
            pixels, b"", ".pdf", self.bars, self.panels, self.kind, self.plotter, self.seed, 0.0, scan, self.traits
        )


def _as_cells(figure: Figure) -> None:
    """Maps drawn cell by cell as vector areas, not as pictures."""
    for axes in figure.axes:
        for image in [item for item in axes.get_children() if isinstance(item, AxesImage)]:
            if image.get_interpolation() != "nearest":
                continue
            colors = np.asarray(image.get_array())
            rows, cols = (
                np.unique(np.linspace(0, n - 1, m).astype(int))
                for n, m in zip(colors.shape[:2], _CELLS[::-1], strict=True)
            )
            west, east, south, north = image.get_extent()
            x, y = np.linspace(west, east, len(cols) + 1), np.linspace(north, south, len(rows) + 1)
            cells = axes.pcolormesh(x, y, colors[np.ix_(rows, cols)], zorder=image.get_zorder())
            if image.get_clip_path() is not None:
                cells.set_clip_path(image.get_clip_path())
            image.remove()


def _by_matplotlib(plan: FigurePlan, rng: np.random.Generator) -> tuple[bytes, float, Any]:
    """The figure as a PDF file, points for a pixel of its plan, and its truth."""
    fonttype = int(rng.choice([3, 42]))
    how = str(rng.choice(["cells", "own pixels", "resampled"]))
    vector_bar = bool(rng.random() < 0.4)
    dpi = float(rng.choice([100, 150, 300])) if plan.size[0] < 2000 else 100.0
    stream = io.BytesIO()

    def keep(figure: Figure) -> None:
        if how == "cells":
            _as_cells(figure)
        for axes in figure.axes:
            for item in axes.get_children():
                if isinstance(item, AxesImage) and how == "own pixels":
                    item.set_interpolation("none")
                if vector_bar and hasattr(item, "set_rasterized"):
                    item.set_rasterized(False)
        figure.savefig(stream, format="pdf", dpi=dpi, metadata={"CreationDate": None})

    with matplotlib.rc_context({"pdf.fonttype": fonttype}):
        pixels, bars, panels = draw_by_matplotlib(plan, keep)
    return stream.getvalue(), 0.72, (pixels, bars, panels)


def _by_gmt(plan: FigurePlan) -> tuple[bytes, float, Any]:
    """As GMT's psconvert writes it; the page is cut to the figure's."""
    stored: list[bytes] = []

    def keep(page: Path) -> None:
        command = ["gmt", "psconvert", str(page), "-Tf", "-Fpage"]
        subprocess.run(command, cwd=page.parent, capture_output=True, check=True)
        stored.append((page.parent / "page.pdf").read_bytes())

    truth = draw_by_gmt_figure(plan, keep)
    return stored[0], 0.5, truth


def _cut(data: bytes, size: tuple[float, float]) -> bytes:
    """A page made as large as its figure, whose lower left corner is the page's."""
    import pypdfium2

    with pypdfium2.PdfDocument(data) as document:
        page = document[0]
        page.set_mediabox(0, 0, *size)
        page.set_cropbox(0, 0, *size)
        stream = io.BytesIO()
        document.save(stream)
    return stream.getvalue()


def _without_letters(data: bytes) -> bytes:
    """All text as filled shapes, as some publishers deliver it; Ghostscript does so."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "in.pdf", Path(folder) / "out.pdf"
        before.write_bytes(data)
        options = ["-q", "-dSAFER", "-dNOPAUSE", "-dBATCH", "-sDEVICE=pdfwrite", "-dNoOutputFonts"]
        subprocess.run(["gs", *options, f"-sOutputFile={after}", str(before)], capture_output=True, check=True)
        return after.read_bytes()


def _inked(pixels: NDArray[np.uint8]) -> Array:
    """Corners (2, 2) of what is not white."""
    dark = pixels.min(axis=2) < 250
    rows, cols = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return np.array([[cols[0], rows[0]], [cols[-1] + 1, rows[-1] + 1]], float)


def _page_scale(plan_size: tuple[float, float], em: float, columns: int) -> tuple[float, int]:
    """Points for a pixel on a page of a paper, and its columns; 0 if the figure's labels would be too small."""
    width, height = plan_size
    if columns == 2 and em * min(_COLUMN_WIDTH / width, _TEXT_HEIGHT / height) >= _LEAST_EM:
        return min(_COLUMN_WIDTH / width, _TEXT_HEIGHT / height), 2
    scale = min(_TEXT_WIDTH / width, _TEXT_HEIGHT / height, 14.0 / em)
    return (scale, columns) if em * scale >= _LEAST_EM else (0.0, columns)


def draw_pdf(seed: int, kind: str | None = None, plotter: str | None = None) -> DrawnPdf:
    """A PDF file drawn at random from its seed; the same seed draws the same figure on the same page.

    Parameters
    ----------
    seed : int
        Seeds 0 to 999 are for tuning, 5000 and above for proof.
    kind : str, optional
        One of :data:`KINDS`.
    plotter : {"matplotlib", "gmt"}, optional
    """
    rng = np.random.default_rng([seed, 77])
    shares = np.array(list(KINDS.values()))
    drawn = str(rng.choice(list(KINDS), p=shares / shares.sum()))
    kind = kind or drawn
    plotter = plotter or ("gmt" if rng.random() < _BY_GMT and gmt_available() else "matplotlib")
    plan = plan_figure(seed)
    if kind != "alone" and plan.title.startswith("Figure"):
        plan = replace(plan, title="Results")  # its page bears the caption
    if kind.startswith("bitmap"):
        whole = draw_figure(seed)
        plotter, source, size = whole.plotter, whole.data, (whole.pixels.shape[1], whole.pixels.shape[0])
        unit, bars, panels, scan, ink = 1.0, whole.bars, whole.panels, whole.scan, _inked(whole.pixels)
    else:
        vector, unit, (pixels, bars, panels) = _by_gmt(plan) if plotter == "gmt" else _by_matplotlib(plan, rng)
        size = plan.size
        source = _cut(vector, (size[0] * unit, size[1] * unit)) if plotter == "gmt" else vector
        scan, ink = np.eye(2, 3), _inked(pixels)
        if kind == "outlines" and shutil.which("gs"):
            source = _without_letters(source)
    sheet = _sheet(rng, kind, source, size, unit, plan.font_px)
    before, behind = (int(n) for n in rng.integers(0, 3, 2)) if rng.random() < 0.5 else (0, 0)
    data = bound(rng, sheet, before, behind) if before + behind else sheet.data
    corners = ink @ sheet.place[:, :2].T + sheet.place[:, 2]
    place = np.column_stack([sheet.place[:, :2] @ scan[:, :2], sheet.place[:, :2] @ scan[:, 2] + sheet.place[:, 2]])
    text = "pixels" if kind.startswith("bitmap") else "outlines" if kind == "outlines" else "letters"
    return DrawnPdf(
        data, before + 1, before + 1 + behind, kind, plotter, text, seed, plan.layout, place,
        (*corners[0], *corners[1]), sheet.size, tuple(bars), tuple(panels), plan.traits,
        sheet.others or 0, sheet.others is None,
    )  # fmt: skip


def _sheet(
    rng: np.random.Generator, kind: str, source: bytes, size: tuple[float, float], unit: float, em: float
) -> Sheet:
    """The page with the figure on it; `place` takes pixels of the figure to points."""
    columns = 2 if kind == "columns" or (kind == "bitmap" and rng.random() < 0.4) else 1
    on_paper = kind in ("paper", "columns", "bitmap") or (kind != "alone" and rng.random() < 0.6)
    scale, columns = _page_scale(size, em, columns) if on_paper and kind != "bitmap alone" else (0.0, 1)
    if scale:
        # Forms are measured in their own points, bitmaps in pixels.
        sheet = paper_page(rng, source, scale / unit, (size[0] * unit, size[1] * unit), columns)
        sheet = replace(sheet, place=np.column_stack([sheet.place[:, :2] * unit, sheet.place[:, 2]]))
    else:
        points = 0.72 if kind.startswith("bitmap") else unit
        whole = size[0] * points, size[1] * points
        data = picture_page(source, whole) if kind.startswith("bitmap") else source
        sheet = Sheet(data, whole, np.array([[points, 0, 0], [0, points, 0]]))
    if kind == "turned":
        return turned(sheet, int(rng.choice([90, 90, 270, 180])))
    return cropped(rng, sheet) if kind == "cropped" else sheet
