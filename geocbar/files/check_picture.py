"""The figure and, beside it, the data redrawn with its own colours: one glance tells whether they agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import FileProblemError
from geocbar.place.georeference import Georeference
from geocbar.value.scale import ColorScale, forward_norm, inverse_norm

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont

__all__ = ["write_check_picture"]

_MAX_SIDE = 1400
_NO_DATA = np.array([214, 214, 214], np.uint8)
_RED = (214, 39, 40)
_INK = (25, 25, 25)
_MARGIN = 12
_ARROW_SHARE = 0.04

#: The usual 6 takes five times as long to save a tenth.
_COMPRESSION = 2

#: Rows redrawn at once.
_ROWS = 128


def write_check_picture(
    path: str | Path,
    pixels: NDArray[np.uint8],
    values: NDArray[np.float32],
    scale: ColorScale,
    georeference: Georeference,
    title: str,
) -> None:
    """Write a PNG with the figure, the data redrawn, and the control points with their residuals as arrows.

    Parameters
    ----------
    path : str or Path
    pixels : (h, w, 3) uint8 array
        The figure.
    values : (h, w) float32 array
        What was read from it; NaN is drawn in grey.
    scale : ColorScale
    georeference : Georeference
        Residuals are drawn from the given place towards where the fit puts the point, magnified as stated below.
    title : str

    Raises
    ------
    FileProblemError
        If the file cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = values.shape
    step = max(int(np.ceil(max(height, width) / _MAX_SIDE)), 1)
    # Every step-th pixel, not a mean: a mean would invent values between neighbours.
    figure = pixels[::step, ::step]
    part = values[::step, ::step]
    redrawn = np.concatenate([scale.colors_at(part[row : row + _ROWS]) for row in range(0, len(part), _ROWS)])
    redrawn[~np.isfinite(part)] = _NO_DATA
    h, w = part.shape
    size = max(13, min(22, w // 60))
    font = ImageFont.load_default(size=size)
    line = int(size * 1.6)
    top, foot = line + 2 * _MARGIN, 3 * line + 2 * _MARGIN
    sheet = Image.new("RGB", (2 * w + 3 * _MARGIN, h + top + foot), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    left, right = _MARGIN, w + 2 * _MARGIN
    sheet.paste(Image.fromarray(np.ascontiguousarray(figure)), (left, top))
    sheet.paste(Image.fromarray(redrawn), (right, top))
    draw.text((left, _MARGIN), title, fill=_INK, font=font)
    draw.text((right, _MARGIN), f"read from it: {scale.label}; grey: no value", fill=_INK, font=font)
    magnify = _magnification(georeference, max(height, width))
    for origin in (left, right):
        _draw_points(draw, georeference, (origin, top), step, magnify, font)
    rows = top + h + _MARGIN
    _draw_scale(draw, scale, (right, rows, w, line), font)
    draw.text(
        (left, rows),
        f"{georeference.model}: RMSE {georeference.rmse_px:.2f} px,"
        f" leave-one-out {georeference.left_out_rmse_px:.2f} px, {len(georeference.gcps.used())} points",
        fill=_INK,
        font=font,
    )
    draw.text((left, rows + line), f"arrows: residuals, {magnify} times magnified", fill=_RED, font=font)
    try:
        sheet.save(path, format="PNG", compress_level=_COMPRESSION)
    except OSError as error:
        raise FileProblemError(
            f"{Path(path).name} cannot be written: {error.strerror or error}.", "Check the folder and the free space."
        ) from error


def _magnification(georeference: Georeference, side: int) -> int:
    """A round factor that makes the largest residual a few percent of the picture."""
    longest = float(np.hypot(*georeference.residuals.T).max())
    if longest == 0:
        return 1
    factor = _ARROW_SHARE * side / longest
    rounds = [m * 10**e for e in range(5) for m in (1, 2, 5)]
    return max((r for r in rounds if r <= factor), default=1)


def _draw_points(
    draw: ImageDraw,
    georeference: Georeference,
    origin: tuple[int, int],
    step: int,
    magnify: int,
    font: Font,
) -> None:
    for name, pixel, residual in zip(
        georeference.gcps.names, georeference.gcps.pixels, georeference.residuals, strict=True
    ):
        x, y = (pixel / step + origin).tolist()
        to_x, to_y = ((pixel + magnify * residual) / step + origin).tolist()
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), outline=(255, 255, 255), width=3)
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), outline=_RED, width=1)
        draw.line((x, y, to_x, to_y), fill=_RED, width=2)
        draw.text(
            (x + 6, y - 6),
            " ".join(name.split()),
            fill=_RED,
            font=font,
            anchor="ls",
            stroke_width=2,
            stroke_fill=(255, 255, 255),
        )


def _draw_scale(draw: ImageDraw, scale: ColorScale, box: tuple[int, int, int, int], font: Font) -> None:
    left, top, width, height = box
    low, high = forward_norm(scale.limits, scale.norm)
    values = inverse_norm(np.linspace(low, high, width), scale.norm)
    for i, color in enumerate(scale.colors_at(values).tolist()):
        draw.line((left + i, top, left + i, top + height), fill=tuple(color))
    for share, anchor in ((0.0, "la"), (0.5, "ma"), (1.0, "ra")):
        value = inverse_norm(low + share * (high - low), scale.norm)
        draw.text((left + share * width, top + height + 4), f"{value:.5g}", fill=_INK, font=font, anchor=anchor)
