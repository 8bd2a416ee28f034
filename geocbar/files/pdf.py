"""Figures in PDF files: find them, and take them out with their own pixels and words."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.figure.layout import PixelBox
from geocbar.figure.words import Word
from geocbar.files.images import MAX_PIXELS, Picture, file_sha256
from geocbar.files.pdf_drawing import Drawn, paint_region
from geocbar.files.pdf_figures import FigureArea, fills_page, find_areas, page_images
from geocbar.files.pdf_images import is_upright, native_picture, pixel_pitch
from geocbar.files.pdf_pages import open_pdf, page_of
from geocbar.files.pdf_text import read_runs, runs_as_words

__all__ = ["PdfFigure", "PdfPicture", "list_figures", "read_pdf_figure"]

#: Drawings are painted with about so many pixels, within these resolutions; large pages stay below the second number.
_AIM_PIXELS = 4_000_000
_MOST_PIXELS = 12_000_000
_LEAST_DPI, _MOST_DPI = 300.0, 600.0

#: A drawing around a fine picture may grow to so many pixels, so that none of the picture's own is lost.
_MOST_RASTER_PIXELS = 80_000_000

#: A picture takes part in the choice of the resolution if it covers this part of the figure.
_RASTER_PART = 0.1

#: How many times finer drawings are painted before they are averaged: small ones, large ones.
_FINER, _FINE = 3, 2

_CAPTION_LENGTH = 160


@dataclass(frozen=True, eq=False)
class PdfFigure:
    """A figure in a PDF file.

    Parameters
    ----------
    page : int
        Counted from 1.
    number : int
        On its page, from the top down, counted from 1.
    kind : {"embedded", "vector"}
        One picture with pixels of its own, or a drawing that has to be painted.
    box_pt : tuple of float
        Left, top, right, bottom in points from the page's top-left corner.
    width_px, height_px : int
        Size of the picture that :func:`read_pdf_figure` returns.
    dpi : float
        Its pixels per inch of the page.
    caption : str
        Beginning of the text next to it that starts with "Fig." or the like; empty if there is none.
    """

    page: int
    number: int
    kind: Literal["embedded", "vector"]
    box_pt: tuple[float, float, float, float]
    width_px: int
    height_px: int
    dpi: float
    caption: str = ""

    def __str__(self) -> str:
        left, top, right, bottom = self.box_pt
        place = f"{right - left:.0f} x {bottom - top:.0f} pt at ({round(left)}, {round(top)})"
        caption = f": {self.caption[:60]}" if self.caption else ""
        return f"{self.number}, {self.kind}, {place}{caption}"


@dataclass(frozen=True, eq=False)
class PdfPicture:
    """A figure taken out of a PDF file.

    Parameters
    ----------
    picture : Picture
        Its `sha256` is that of the whole PDF file.
    words : tuple of Word
        The text of the figure with its places in pixels of the picture; empty for a picture without text over it.
    unread : tuple of PixelBox
        Where text stands in the picture whose characters the PDF does not tell.
    page, number : int
        Counted from 1; number 0 is the whole page.
    dpi : float
        Pixels per inch of the page.
    kind : {"embedded", "vector"}
    box_pt : tuple of float
        What the picture shows of the page: left, top, right, bottom in points.
    """

    picture: Picture
    words: tuple[Word, ...]
    unread: tuple[PixelBox, ...]
    page: int
    number: int
    dpi: float
    kind: Literal["embedded", "vector"]
    box_pt: tuple[float, float, float, float]


@dataclass(frozen=True)
class _Grid:
    """The pixels laid over a part of a page: corner (points), pixels per point, size; `coarse`: what that loses."""

    left: float
    top: float
    scale: tuple[float, float]
    width: int
    height: int
    coarse: str = ""

    @property
    def dpi(self) -> float:
        return self.scale[0] * 72.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        return (
            self.left,
            self.top,
            self.left + self.width / self.scale[0],
            self.top + self.height / self.scale[1],
        )


def list_figures(path: str | Path, page: int | None = None, password: str | None = None) -> list[PdfFigure]:
    """Figures in a PDF file that may be maps: pictures, and drawings with filled areas.

    Parameters
    ----------
    path : str or Path
    page : int, optional
        Look at this page only (counted from 1).
    password : str, optional

    Returns
    -------
    list of PdfFigure
        Page by page, from the top down. Text, tables, rules and drawings that consist of lines only are left out.

    Raises
    ------
    FileProblemError
        If the file is missing, no PDF, cut off, damaged, or locked by a password.
    NotFoundError
        If there is no such page.
    """
    found: list[PdfFigure] = []
    with open_pdf(path, password) as file:
        for number in [page] if page is not None else range(1, file.pages + 1):
            with page_of(file, number) as (opened, frame):
                areas = find_areas(opened, frame)
                found += [_figure(number, index, area) for index, area in enumerate(areas, start=1)]
    return found


def read_pdf_figure(
    path: str | Path,
    page: int,
    figure: int | None = None,
    *,
    dpi: float | None = None,
    password: str | None = None,
    max_pixels: int = MAX_PIXELS,
) -> PdfPicture:
    """Take a figure out of a PDF file.

    One embedded picture comes with its own pixels (a JPEG with its quantization tables); anything else is painted,
    so finely that each pixel of the pictures in it keeps at least one pixel, lines and text smoothed by averaging,
    filled areas without seams.

    Parameters
    ----------
    path : str or Path
    page : int
        Counted from 1.
    figure : int, optional
        Number on the page as :func:`list_figures` gives it; may be left out if there is one. 0 is the whole page.
    dpi : float, optional
        Paint with this resolution instead of the one that suits.
    password : str, optional
    max_pixels : int
        Refuse to paint larger pictures.

    Returns
    -------
    PdfPicture

    Raises
    ------
    FileProblemError
        If the file is missing, no PDF, cut off, damaged, or locked by a password.
    NotFoundError
        If there is no such page or figure, or the page is empty or holds text only.
    InvalidInputError
        If several figures are there and none was chosen, or the picture would be too large.
    """
    path = Path(path)
    if dpi is not None and not (math.isfinite(dpi) and dpi > 0):
        raise InvalidInputError(f"A resolution of {dpi:g} dpi is impossible.", "Give a positive number: --dpi 300")
    with open_pdf(path, password) as file, page_of(file, page) as (opened, frame):
        areas = find_areas(opened, frame)
        runs = read_runs(opened, frame)
        if figure == 0:
            whole = (0.0, 0.0, frame.width, frame.height)
            number, area = 0, FigureArea(whole, page_images(opened, frame), False, "")
        else:
            number, area = _chosen(path.name, page, figure, areas, has_text=bool(runs))
        grid = _grid(area, dpi)
        _require_affordable(grid, max_pixels, f"Figure {number} on page {page} of {path.name}")
        picture = _picture(opened, area, grid, dpi)
        kind, corner, size = _kind(area), (grid.left, grid.top), (grid.width, grid.height)
        words, unread = runs_as_words(runs, corner, grid.scale, size)
        notes = [*picture.notes, *([grid.coarse] if grid.coarse else [])]
        if area.alone and fills_page(area.box, frame):
            notes.append(
                f"Page {page} is one picture of {size[0]} x {size[1]} px: if it is a scan, cut the figure out."
            )
        if unread:
            notes.append(f"The PDF does not tell what {len(unread)} piece(s) of text in the figure say.")
    picture = replace(picture, name=path.name, sha256=file_sha256(path), notes=tuple(notes))
    return PdfPicture(picture, words, unread, page, number, grid.dpi, kind, grid.box)


def _kind(area: FigureArea) -> Literal["embedded", "vector"]:
    return "embedded" if area.alone and pixel_pitch(area.images[0]) is not None else "vector"


def _figure(page: int, number: int, area: FigureArea) -> PdfFigure:
    grid = _grid(area, None)
    caption = area.caption[:_CAPTION_LENGTH]
    return PdfFigure(page, number, _kind(area), grid.box, grid.width, grid.height, grid.dpi, caption)


def _chosen(
    name: str, page: int, figure: int | None, areas: list[FigureArea], *, has_text: bool
) -> tuple[int, FigureArea]:
    """The figure that was asked for, with its number."""
    if not areas:
        what = "holds text but no figure with coloured or shaded areas" if has_text else "is empty"
        raise NotFoundError(
            f"Page {page} of {name} {what}.",
            f"Look at the other pages: geocbar inspect {name}; or take the whole page: --figure 0",
        )
    there = "; ".join(str(_figure(page, index, area)) for index, area in enumerate(areas, start=1))
    choose = "Choose one: --figure 1" + (f" to {len(areas)}" if len(areas) > 1 else "") + ", or 0 for the whole page."
    if figure is None:
        if len(areas) > 1:
            raise InvalidInputError(f"Page {page} of {name} holds {len(areas)} figures ({there}).", choose)
        return 1, areas[0]
    if not 1 <= figure <= len(areas):
        raise NotFoundError(f"There is no figure {figure} on page {page} of {name}; there is {there}.", choose)
    return figure, areas[figure - 1]


def _require_affordable(grid: _Grid, max_pixels: int, what: str) -> None:
    count = grid.width * grid.height
    if count > max_pixels:
        possible = math.floor(grid.dpi * math.sqrt(max_pixels / count))
        raise InvalidInputError(
            f"{what} would be painted with {grid.width} x {grid.height} px = {count / 1e6:.10g} Mpx,"
            f" more than the limit of {max_pixels / 1e6:.10g} Mpx.",
            f"Paint it more coarsely: --dpi {max(possible, 1)}",
        )


def _grid(area: FigureArea, dpi: float | None) -> _Grid:
    """The pixels of a figure: a picture's own, or as many as suit a drawing and the pictures in it."""
    left, top, right, bottom = area.box
    pitches = [(image, pitch) for image in area.images if (pitch := pixel_pitch(image)) is not None]
    if area.alone and pitches and dpi is None:
        across, down = pitches[0][1]
        scale = 1.0 / across, 1.0 / down
        return _Grid(left, top, scale, round((right - left) * scale[0]), round((bottom - top) * scale[1]))
    surface = (right - left) * (bottom - top)
    even = float(np.clip(math.sqrt(_AIM_PIXELS / surface), _LEAST_DPI / 72, _MOST_DPI / 72))
    even = min(even, math.sqrt(_MOST_PIXELS / surface))
    large = [(image, min(pitch)) for image, pitch in pitches if _surface(image) >= _RASTER_PART * surface]
    finest = min((pitch for _, pitch in large), default=math.inf)
    coarse = ""
    if dpi is not None:
        even = dpi / 72
    elif large:
        main, own = max(large, key=lambda pair: _surface(pair[0]))
        even = max(round(even * own), math.ceil(own / finest - 1e-3), 1) / own
        if surface * even**2 > _MOST_RASTER_PIXELS:
            even = math.sqrt(_MOST_RASTER_PIXELS / surface)
        else:
            # The main picture's pixels fall on whole pixels.
            left = main.box[0] - math.ceil((main.box[0] - left) * even - 1e-3) / even
            top = main.box[1] - math.ceil((main.box[1] - top) * even - 1e-3) / even
    if even * finest < 1 - 1e-3:
        coarse = f"Painted at {even * 72:.0f} dpi, more coarsely than the picture in it ({72 / finest:.0f} dpi)."
    width, height = math.ceil((right - left) * even - 1e-3), math.ceil((bottom - top) * even - 1e-3)
    return _Grid(left, top, (even, even), max(width, 1), max(height, 1), coarse)


def _surface(image: Drawn) -> float:
    left, top, right, bottom = image.box
    return (right - left) * (bottom - top)


def _picture(page: Any, area: FigureArea, grid: _Grid, dpi: float | None) -> Picture:
    """The figure's pixels: stored ones where they are what the page shows, painted ones otherwise."""
    corner, size = (grid.left, grid.top), (grid.width, grid.height)
    if _kind(area) == "embedded" and dpi is None:
        upright = is_upright(area.images[0])
        painted = paint_region(page, corner, grid.scale, size, oversampling=1 if upright else 3, average=False)
        stored = native_picture(page, area.images[0], painted) if upright else None
        if stored is not None:
            return stored
        notes: tuple[str, ...] = ("The picture was painted pixel by pixel as the page shows it.",)
    else:
        finer = _FINER if size[0] * size[1] <= _AIM_PIXELS * 1.5 else _FINE
        painted = paint_region(page, corner, grid.scale, size, oversampling=finer)
        notes = (f"The figure was painted from the PDF at {grid.dpi:.0f} dpi.",)
    painted.setflags(write=False)
    return Picture(painted, format="PDF", notes=notes)
