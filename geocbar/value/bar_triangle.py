"""Triangles at the ends of a colour bar, which stand for values beyond it: where they join."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geocbar.value.bar_crop import LINE_INK, Crop, End, colors_beside, edge_near, line_near, on_paper

__all__ = ["find_triangle"]

#: A triangle's width over that of the bar, between which its sides are fitted.
TRIANGLE_SPAN = (0.15, 0.88)


def find_triangle(crop: Crop, profile: NDArray[np.float64], downwards: bool) -> End | None:
    """Find the end of the full width where a strip narrows to a point, from a line through its narrowing.

    Parameters
    ----------
    crop : Crop
    profile : (rows, 3) float array
        Colours along the strip.
    downwards : bool
        Whether the lower end is asked for.

    Returns
    -------
    End or None
        None if it does not narrow.
    """
    step = 1 if downwards else -1
    end = crop.bottom if downwards else crop.top
    inset = 0.08 * crop.length + 2
    count = int(inset + max(2.4 * crop.width, 0.15 * crop.length) + 4)
    rows = round(end - step * inset) + step * np.arange(count)
    rows = rows[(rows >= 0) & (rows < len(crop.block))]
    if len(rows) < 6:
        return None
    for widths, line in ((_outlines(crop, rows, profile), crop.line), (_widths(crop, rows, profile), 0.0)):
        full = float(np.median(widths[: max(4, int(0.6 * inset))]))
        fit = _narrowing(widths / full, full, crop.width, line <= 0) if full >= 3 else None
        if fit is not None:
            slope, offset, error = fit
            # Outside of a thick outline the corner lies nearer to the tip.
            corner = 0.5 * line * np.tan(0.5 * np.arctan(-slope * full / 2))
            joint = float(rows[0] + step * ((1 - offset) / slope - corner) + 0.5)
            return _joint(crop, profile, joint, error, max(2.5 * error, 3.0))
    return None


def _joint(crop: Crop, profile: NDArray[np.float64], joint: float, error: float, reach: float) -> End:
    """Where a triangle joins: at a line or a jump of the colour near the place where the narrowing starts."""
    note = "a triangle for values beyond"
    change = np.abs(np.diff(profile, axis=0)).max(axis=1)
    inset = 0.08 * crop.length + 2
    inside = change[int(crop.top + inset) : max(int(crop.bottom - inset), int(crop.top + inset) + 2)]
    usual = float(np.percentile(inside, 75)) if len(inside) else 0.0
    line = line_near(profile[None], joint, reach + 2, reach + 2, max(LINE_INK, 8 * usual))
    if line is not None and abs(line[0] - joint) <= reach and line[1] <= 1.2 * crop.line + 3:
        return End(line[0], 0.8, True, note)
    low, high = max(int(joint - reach), 0), min(int(np.ceil(joint + reach)), len(change))
    if high > low and change[low:high].max() > max(20.0, 5 * usual):
        at = edge_near(change, low + 1.0 + float(np.argmax(change[low:high])), 2.5)
        # Changes that lie farther off are those of the tip.
        if abs(at - joint) <= reach:
            return End(at, 0.8, True, note)
    return End(joint, max(error, 1.0), True, note)


def _widths(crop: Crop, rows: NDArray[np.intp], profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Width of the strip in every row: of what its middle's colour fills."""
    paper = np.median(colors_beside(crop).reshape(-1, 3), axis=0)
    own = np.abs(profile[rows] - paper).max(axis=1)
    limit = np.clip(0.35 * own, 18.0 if crop.lossy else 5.0, 60.0 if crop.lossy else 40.0)
    low, high = max(int(crop.left) - 2, 0), min(int(np.ceil(crop.right)) + 2, crop.block.shape[1])
    block = crop.block[rows, low:high]
    same = np.abs(block - profile[rows, None]).max(axis=2) <= limit[:, None]
    middle = int((crop.left + crop.right) / 2) - low
    leftwards = np.cumprod(same[:, middle::-1], axis=1).sum(axis=1)
    rightwards = np.cumprod(same[:, middle:], axis=1).sum(axis=1)
    # Where the fill is as dark as the outline, both are counted.
    outline = np.where(profile[rows].max(axis=1) <= limit, 1.1 * crop.line, 0.0)
    widths = np.maximum(leftwards + rightwards - 1.0 - outline, 0.0)
    # Where one colour goes on beyond both sides there is no strip, but the paper to which it faded.
    return np.where((own <= limit) & same.all(axis=1), 0.0, widths)


def _outlines(crop: Crop, rows: NDArray[np.intp], profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Width of the strip with its outline in every row: of all that is not paper; none where there is no one paper."""
    if not on_paper(crop):
        return np.zeros(len(rows))
    paper = np.median(colors_beside(crop).reshape(-1, 3), axis=0)
    room = int(np.ceil(crop.line / 2)) + 2
    low, high = max(int(crop.left) - room, 0), min(int(np.ceil(crop.right)) + room, crop.block.shape[1])
    away = np.abs(crop.block[rows, low:high] - paper).max(axis=2)
    least = 40.0 if crop.lossy else 20.0
    ink = away > least
    if crop.line <= 0:
        # Pale colours without a line round them fade from the corners on: that is no narrowing.
        ink[np.abs(profile[rows] - paper).max(axis=1) < 1.5 * least] = False
    first, last = np.argmax(ink, axis=1), ink.shape[1] - np.argmax(ink[:, ::-1], axis=1)
    return np.where(ink.any(axis=1), last - first, 0).astype(np.float64)


def _narrowing(
    widths: NDArray[np.float64], full: float, width: float, flares: bool
) -> tuple[float, float, float] | None:
    """Slope and offset of a line through the shares of the full width near a tip, and the error of where it is full."""
    gone = np.flatnonzero(widths < 0.5 * TRIANGLE_SPAN[0] + 2.2 / full)
    ended = next((g for g in gone if g > 2 and _is_tip(widths, int(g))), None)
    if ended is None:
        return None
    narrow = np.flatnonzero((widths[:ended] < TRIANGLE_SPAN[1]) & (widths[:ended] > TRIANGLE_SPAN[0]))
    # Marks drawn into the bar make it narrow elsewhere too.
    gaps = np.flatnonzero(np.diff(narrow) > 3)
    narrow = narrow[gaps[-1] + 1 :] if len(gaps) else narrow
    least = max(3, 0.18 * width)
    for _ in range(3):
        if len(narrow) < least:
            return None
        slope, offset = np.polyfit(narrow, widths[narrow], 1)
        off = np.abs(widths[narrow] - slope * narrow - offset)
        kept = narrow[off <= max(2.5 * float(np.median(off)), 1.2 / full)]
        if len(kept) == len(narrow):
            break
        narrow = kept
    scatter = float(np.sqrt(np.mean(off**2)))
    if slope >= -0.2 / width or scatter > 0.09 or -1 / slope > 2.5 * len(narrow) + 8:
        return None
    error = max(0.8, 2 * scatter / -slope / np.sqrt(len(narrow)), 0.4 / full / -slope)
    # How wide this very end is drawn; triangles are often a little wider than their bar.
    begin = min(int((1 - offset) / slope), len(widths) - 1)
    if begin < 1:
        return None
    before = widths[max(begin - 10, 0) : max(begin - 1, 1)]
    local = float(np.median(before)) if len(before) else 1.0
    if flares:
        local = max(local, float(widths[max(begin - 4, 0) : begin + 4].max()))
    if 0.85 < local < 1.3:
        error = max(error, 0.5 * abs(local - 1) / -slope)
        offset -= local - 1
    return float(slope), float(offset), error


def _is_tip(widths: NDArray[np.float64], at: int) -> bool:
    """Whether the width stays gone, or the paper begins, and no separator is crossed."""
    beyond = widths[at + 1 : at + 4]
    return bool((beyond < 0.45).all() or (len(beyond) and beyond.min() > 0.95)) and widths[at - 1] < 0.8
