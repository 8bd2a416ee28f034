"""The figure with what was found on it: bars, ticks and labels as read, panels, control points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import FileProblemError
from geocbar.figure.layout import PixelBox

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont

__all__ = ["FoundBar", "FoundPanel", "write_inspection_picture"]

_MAX_SIDE = 2000
_BAR, _DOUBT, _PANEL, _TICK = (0, 90, 200), (214, 39, 40), (0, 140, 70), (200, 0, 160)
_MARGIN = 12


@dataclass(frozen=True)
class FoundBar:
    """A bar to draw.

    Parameters
    ----------
    title : str
    box : PixelBox
    axis : {"horizontal", "vertical"}
    ticks : tuple of (float, str)
        Places along the axis and what stands there.
    sure : bool
        Drawn in blue, else in red.
    """

    title: str
    box: PixelBox
    axis: str
    ticks: tuple[tuple[float, str], ...]
    sure: bool


@dataclass(frozen=True, eq=False)
class FoundPanel:
    """A panel to draw: its title and the corners of its outline."""

    title: str
    outline: NDArray[np.float64]


def write_inspection_picture(
    path: str | Path,
    pixels: NDArray[np.uint8],
    bars: Sequence[FoundBar],
    panels: Sequence[FoundPanel],
    lines: Sequence[str],
) -> None:
    """Write a PNG of the figure, pale, with everything found drawn over it and a few lines of text below.

    Parameters
    ----------
    path : str or Path
    pixels : (h, w, 3) uint8 array
        The (upright) figure.
    bars, panels : sequences
        What was found.
    lines : sequence of str
        Evidence and doubts, one a line.

    Raises
    ------
    FileProblemError
        If the file cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = pixels.shape[:2]
    step = max(int(np.ceil(max(height, width) / _MAX_SIDE)), 1)
    zoom = max(1, min(3, 900 // max(width // step, 1)))
    small = np.ascontiguousarray(pixels[::step, ::step])
    pale = (255 - (255 - small.astype(np.uint16)) * 2 // 3).astype(np.uint8)
    factor = zoom / step
    picture = Image.fromarray(pale).resize((small.shape[1] * zoom, small.shape[0] * zoom), Image.Resampling.NEAREST)
    size = max(12, min(20, picture.width // 60))
    font = ImageFont.load_default(size=size)
    wrapped = [part for line in lines for part in _wrapped(line, max(picture.width // (size // 2 + 1), 40))]
    foot = int(1.5 * size) * len(wrapped) + 2 * _MARGIN
    sheet = Image.new("RGB", (picture.width, picture.height + foot), (255, 255, 255))
    sheet.paste(picture, (0, 0))
    draw = ImageDraw.Draw(sheet)
    for panel in panels:
        corners = [tuple(point) for point in (panel.outline * factor).tolist()]
        draw.line([*corners, corners[0]], fill=_PANEL, width=2)
        left, top = (panel.outline.min(axis=0) * factor).tolist()
        _write(draw, (left + 4, top + 4), panel.title, _PANEL, font, "la")
    for bar in bars:
        _draw_bar(draw, bar, factor, font)
    for i, line in enumerate(wrapped):
        draw.text((_MARGIN, picture.height + _MARGIN + int(1.5 * size) * i), line, fill=(25, 25, 25), font=font)
    try:
        sheet.save(path, format="PNG")
    except OSError as error:
        raise FileProblemError(
            f"{Path(path).name} cannot be written: {error.strerror or error}.", "Check the folder and the free space."
        ) from error


def _draw_bar(draw: ImageDraw, bar: FoundBar, factor: float, font: Font) -> None:
    color = _BAR if bar.sure else _DOUBT
    left, top, right, bottom = (edge * factor for edge in (bar.box.left, bar.box.top, bar.box.right, bar.box.bottom))
    draw.rectangle((left - 2, top - 2, right + 1, bottom + 1), outline=color, width=2)
    _write(draw, (left, top - 5), bar.title, color, font, "ls")
    for position, text in bar.ticks:
        at = position * factor
        if bar.axis == "horizontal":
            draw.line((at, top, at, bottom + 6), fill=_TICK, width=2)
            _write(draw, (at, (top + bottom) / 2), text, _TICK, font, "mm")
        else:
            draw.line((left - 6, at, right, at), fill=_TICK, width=2)
            _write(draw, (left - 8, at), text, _TICK, font, "rm")


def _write(
    draw: ImageDraw, at: tuple[float, float], text: str, color: tuple[int, int, int], font: Font, anchor: str
) -> None:
    """Text that cannot be mistaken for the figure's own: outlined in white."""
    draw.text(
        at,
        " ".join(text.split()),
        fill=color,
        font=font,
        anchor=anchor,
        stroke_width=2,
        stroke_fill=(255, 255, 255),
    )


def _wrapped(line: str, columns: int) -> list[str]:
    import textwrap

    return textwrap.wrap(line, columns, subsequent_indent="    ") or [""]
