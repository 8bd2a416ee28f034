"""Pixels to values: the nearest place on the colour scale, and why a pixel has none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.value.color import RGB, pack_colors, unpack_colors
from geocbar.value.projection import _COLORS, _present_colors, _row_blocks, _run, project_colors
from geocbar.value.scale import ColorScale

__all__ = ["DEFAULT_MAX_DISTANCE", "Inversion", "Reason", "invert", "project_colors"]

#: Colours farther than this from every colour of the scale are no data (8-bit sRGB units).
DEFAULT_MAX_DISTANCE = 20.0


class Reason(IntEnum):
    """Why a pixel has its value, or none."""

    DATA = 0
    OFF_SCALE = 2
    OUTSIDE = 4
    BAR = 5


@dataclass(frozen=True, eq=False)
class Inversion:
    """What the colours of a picture say.

    Parameters
    ----------
    values : (h, w) float32 array
        In the unit of the scale; NaN where `reason` is not ``Reason.DATA``.
    distance : (h, w) float32 array
        How far each pixel's colour lies from the scale, in the metric used (8-bit sRGB units).
    reason : (h, w) uint8 array
        One of :class:`Reason`.
    sigma : (h, w) float32 array or None
        One standard deviation of each value.
    """

    values: NDArray[np.float32]
    distance: NDArray[np.float32]
    reason: NDArray[np.uint8]
    sigma: NDArray[np.float32] | None = None


def invert(
    pixels: NDArray[np.uint8],
    scale: ColorScale,
    *,
    max_distance: float = DEFAULT_MAX_DISTANCE,
    metric: NDArray[np.float64] = RGB,
    frame: PixelBox | None = None,
    bar: PixelBox | None = None,
) -> Inversion:
    """Give every pixel the value of the nearest place on the colour scale.

    A pixel's value depends on its own colour and the scale only, never on what else is in the picture. Every distinct
    colour is projected once.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    scale : ColorScale
    max_distance : float
        Colours farther from the scale get no value (8-bit sRGB units).
    metric : (3, 3) array
        Linear map of sRGB to the space in which distances are measured.
    frame : PixelBox or None
        The map's frame; pixels whose centres lie outside get no value.
    bar : PixelBox or None
        The colour bar, which gets no value.

    Returns
    -------
    Inversion

    Raises
    ------
    InvalidInputError
        If `max_distance` is not positive, or a box leaves the picture.
    """
    if not max_distance > 0:
        raise InvalidInputError(f"The largest colour distance is {max_distance:g}.", "Give --max-distance above 0.")
    height, width = pixels.shape[:2]
    present = _present_colors(pixels)
    nodes, distance = project_colors(unpack_colors(present), scale, metric)
    value_of = np.empty(_COLORS, np.float32)
    value_of[present] = scale.values_at(nodes)
    distance_of = np.empty(_COLORS, np.float32)
    distance_of[present] = distance

    values = np.empty((height, width), np.float32)
    distances = np.empty((height, width), np.float32)
    reason = np.zeros((height, width), np.uint8)

    def work(rows: slice) -> None:
        packed = pack_colors(pixels[rows])
        np.take(value_of, packed, out=values[rows], mode="clip")
        np.take(distance_of, packed, out=distances[rows], mode="clip")
        reason[rows][distances[rows] > max_distance] = Reason.OFF_SCALE

    _run(work, _row_blocks(height, width))
    if frame is not None:
        frame.require_inside(width, height, "map frame")
        inside = frame.slices(width, height)
        kept = reason[inside].copy()
        reason[:] = Reason.OUTSIDE
        reason[inside] = kept
    if bar is not None:
        bar.require_inside(width, height, "colour bar")
        reason[_around(bar).slices(width, height)] = Reason.BAR
    values[reason != Reason.DATA] = np.nan
    return Inversion(values, distances, reason)


def _around(bar: PixelBox, margin: float = 2.0) -> PixelBox:
    """The bar with its frame line."""
    return PixelBox(bar.left - margin, bar.top - margin, bar.right + margin, bar.bottom + margin)
