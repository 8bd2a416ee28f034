"""The two ends of a colour bar: frame lines to cut off, and the colours of values beyond them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["bridge_lines", "color_beyond", "without_end_lines"]

#: A frame line or a separator is at most this many pixels thick.
LINE_PX = 4

#: Colours of one extension differ by less than this, and from the paper by more than twice as much (8-bit sRGB units).
SAME_COLOR = 16.0


def without_end_lines(colors: NDArray[np.float64]) -> tuple[int, int]:
    """Cut a frame line off either end: a jump there far above those of the bar.

    Parameters
    ----------
    colors : (n, 3) float array
        Along the bar.

    Returns
    -------
    first, last : int
        ``colors[first:last]`` is without them.
    """
    steps = np.abs(np.diff(colors, axis=0)).max(axis=1)
    reach = min(LINE_PX, len(colors) // 8)
    jump = max(24.0, 6 * float(np.percentile(steps, 90)))
    first = max((i + 1 for i in range(reach) if steps[i] > jump), default=0)
    last = min((len(colors) - 1 - i for i in range(reach) if steps[-1 - i] > jump), default=len(colors))
    return first, last


def bridge_lines(colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace lines of up to 3 px across a continuous bar by the colours on both sides."""
    size = min(9, len(colors) // 2 * 2 - 1)
    smooth = ndimage.median_filter(colors, size=(size, 1), mode="nearest")
    off = np.abs(colors - smooth).max(axis=1)
    lines = off > max(24.0, 6 * float(np.percentile(off, 75)))
    runs, n = ndimage.label(lines)
    lengths = ndimage.sum_labels(lines, runs, np.arange(1, n + 1)) if n else np.array([])
    thin = np.isin(runs, 1 + np.flatnonzero(lengths <= 3)) & lines
    if not thin.any() or thin.all():
        return colors
    at = np.arange(len(colors))
    bridged = np.stack([np.interp(at, at[~thin], colors[~thin, band]) for band in range(3)], axis=1)
    return np.where(thin[:, None], bridged, colors)


def color_beyond(strip: NDArray[np.float64], paper: NDArray[np.float64]) -> tuple[int, int, int] | None:
    """Colour of a triangle or box beyond the end of a bar, which stands for all values beyond its limit.

    Parameters
    ----------
    strip : (across, along, 3) float array
        The picture beyond the end, as wide as the bar, the end at ``along = 0``.
    paper : (3,) float array
        Colour of the paper round the bar.

    Returns
    -------
    (r, g, b) or None
        None if there is nothing but paper or lines.
    """
    across, along = strip.shape[:2]
    if across < 4 or along < LINE_PX + 4:
        return None
    # A triangle narrows: its middle reaches farthest.
    middle = strip[across * 2 // 5 : max(across * 3 // 5, across * 2 // 5 + 1)]
    profile = np.median(middle, axis=0)
    for start in range(LINE_PX + 1):
        color = np.median(profile[start : start + 4], axis=0)
        same = np.abs(profile[start : start + 4] - color).max() < SAME_COLOR
        if same and np.abs(color - paper).max() > 2 * SAME_COLOR:
            rest = np.abs(profile[start:] - color).max(axis=1) >= SAME_COLOR
            # It must end: a bar that lies against a picture has no extension there.
            return (int(color[0]), int(color[1]), int(color[2])) if rest.any() else None
    return None
