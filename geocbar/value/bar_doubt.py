"""Whether a box that a user gave lies on a colour bar at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.layout import PixelBox

__all__ = ["doubt_bar"]

#: A user's box may miss the bar's sides by this many pixels.
SLACK_PX = 5

#: Share of the places along the bar that show its two sides, from which on it is believed.
SIDES_SHARE = 0.6

#: A side is a change of at least this much within a pixel (8-bit sRGB units).
SIDE_STEP = 12.0


def doubt_bar(pixels: NDArray[np.uint8], box: PixelBox) -> str:
    """Say why a box given by the user looks like no colour bar.

    A bar has two straight sides: at one and the same place across, the colour changes along nearly all of its length.
    A box put on the map has none.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    box : PixelBox
        The longer side gives the axis; it may miss the bar by a few pixels.

    Returns
    -------
    str
        One sentence, or "" for a box without doubts.
    """
    strip, inner = _strip_with_margin(pixels, box)
    if strip.shape[0] < 8 or strip.shape[1] < 2:
        return ""
    sides = [_side(strip, *inner, first) for first in (True, False)]
    share = min(sides)
    if share >= SIDES_SHARE:
        return ""
    lacking = "neither side" if max(sides) < SIDES_SHARE else "one side only"
    return (
        f"The box {box} does not look like a colour bar: a bar has straight sides, and here the colours"
        f" {'end along ' + lacking if max(sides) >= SIDES_SHARE else 'go on beyond both sides'}"
        f" ({100 * share:.0f} % of its length shows a side)."
    )


def _strip_with_margin(pixels: NDArray[np.uint8], box: PixelBox) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The box standing upright with room beside it, and the columns of its sides."""
    upright = pixels
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    if box.width >= box.height:
        upright = pixels.transpose(1, 0, 2)
        left, top, right, bottom = top, left, bottom, right
    rows, cols = upright.shape[:2]
    room = SLACK_PX + 3
    low, high = max(int(left) - room, 0), min(int(np.ceil(right)) + room, cols)
    inset = int(0.08 * (bottom - top))
    first, last = max(int(top) + inset, 0), min(int(bottom) - inset, rows)
    picked = np.unique(np.linspace(first, max(last - 1, first), 400).astype(int))
    strip = upright[picked[picked < rows], low:high].astype(np.float64)
    return strip, (round(left) - low, round(right) - low)


def _side(strip: NDArray[np.float64], left: int, right: int, first: bool) -> float:
    """Largest share of rows with a sharp change at one place near a side; a picture's edge counts as a side."""
    cols = strip.shape[1]
    inwards = min(SLACK_PX, max((right - left) * 2 // 5, 1))
    edge = left if first else right
    low, high = (edge - SLACK_PX, edge + inwards) if first else (edge - inwards, edge + SLACK_PX)
    if (first and low <= 0) or (not first and high >= cols):
        return 1.0
    change = np.abs(np.diff(strip, axis=1)).max(axis=2) > SIDE_STEP
    pairs = change | np.pad(change[:, 1:], ((0, 0), (0, 1)))
    return float(pairs[:, max(low - 1, 0) : high].mean(axis=0).max())
