"""Where lines cross, or a tick meets a frame, near a place: what a hand aims at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.errors import NotFoundError
from geocbar.figure.gridlines import map_lines
from geocbar.figure.layout import PixelBox

__all__ = ["snap_to_crossing"]

#: So far around the click a crossing is looked for, in pixels, at least and at most.
REACH_PX = (5.0, 40.0)

#: Length of the arms of a crossing, in pixels; two of the four are enough, one each way (corners, ticks).
ARM_PX = 8

#: Contrast an arm must show on average; 1 is a clear line.
LEAST_CONTRAST = 0.3

#: Pixels around a line that count for its middle.
_ACROSS = 3

_PAD = 16


def snap_to_crossing(pixels: NDArray[np.uint8], x: float, y: float, reach: float) -> tuple[float, float]:
    """The middle of the nearest clear crossing of an upright and a level line.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    x, y : float
        The place clicked.
    reach : float
        In pixels.

    Returns
    -------
    (float, float)
        (col, row) of the crossing, to about a quarter of a pixel.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    height, width = pixels.shape[:2]
    reach = float(np.clip(reach, *REACH_PX))
    pad = int(np.ceil(reach)) + _PAD
    col, row = int(np.floor(x)), int(np.floor(y))
    # Beyond the picture its own edge goes on: a frame may run along it.
    rows = np.clip(np.arange(row - pad, row + pad + 1), 0, height - 1)
    cols = np.clip(np.arange(col - pad, col + pad + 1), 0, width - 1)
    near = pixels[np.ix_(rows, cols)]
    contrast = map_lines(near, PixelBox(0, 0, len(cols), len(rows))).of("either").astype(np.float64)
    arms = [_arm(contrast, axis) for axis in (0, 1)]
    score = np.minimum(*arms)
    y_at, x_at = np.mgrid[: len(rows), : len(cols)]
    away = np.hypot(x_at + 0.5 - (x - (col - pad)), y_at + 0.5 - (y - (row - pad)))
    peaks = (score >= LEAST_CONTRAST) & (away <= reach) & (score == ndimage.maximum_filter(score, 5))
    if not peaks.any():
        raise NotFoundError(f"No crossing of lines within {reach:.0f} px.", "Place the point by the magnifier.")
    merit = np.where(peaks, score / (1 + away / reach), 0)
    r, c = divmod(int(np.argmax(merit)), merit.shape[1])
    upright = arms[0][r, max(c - _ACROSS, 0) : c + _ACROSS + 1]
    level = arms[1][max(r - _ACROSS, 0) : r + _ACROSS + 1, c]
    return col - pad + _middle(upright, max(c - _ACROSS, 0)), row - pad + _middle(level, max(r - _ACROSS, 0))


def _arm(contrast: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Mean contrast along the better of the two arms that leave each pixel along an axis (0: upright)."""
    weights = np.full(ARM_PX, 1 / ARM_PX)
    sides = (ndimage.correlate1d(contrast, weights, axis, origin=shift) for shift in (-(ARM_PX // 2), ARM_PX // 2 - 1))
    return np.maximum(*sides)


def _middle(profile: NDArray[np.float64], first: int) -> float:
    """Centre of the peak of a line across it, pixel centres at .5."""
    weights = np.maximum(profile - 0.5 * profile.max(), 0)
    return float(first + (weights * (np.arange(len(profile)) + 0.5)).sum() / weights.sum())
