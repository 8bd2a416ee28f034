"""The exact place of a colour bar that was found roughly: its sides, its two ends, its limits between flat boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.value.bar_crop import (
    LINE_INK,
    Crop,
    End,
    colors_beside,
    edge_near,
    fit_sides,
    line_near,
    on_paper,
    profile_along,
)
from geocbar.value.bar_limits import FADES, MARK_INK, add_pale_boxes, choose_box_ends, find_breaks, find_flat_end
from geocbar.value.bar_triangle import find_triangle

__all__ = ["FADES", "INCOMPLETE", "FittedStrip", "fit_strip"]

#: Said of a strip whose colours go on beyond all that was looked at.
GOES_ON = "end uncertain: its colours go on"

#: Said of a strip beyond whose end another colour follows between the same sides.
INCOMPLETE = "its strip goes on beyond an end in another colour"

#: What is not paper differs from it by this much (8-bit sRGB units).
NOT_PAPER = 24.0

#: Rows of a nearly white patch that tell it from paper, and by how much it differs on their average (8-bit sRGB units).
MIN_PALE, PALE_TINT = 10, 1.5


@dataclass(frozen=True)
class FittedStrip:
    """The place of a strip standing upright, in pixels of the whole picture.

    Parameters
    ----------
    left, top, right, bottom : float
        Edges of the rectangle that bears values.
    extend : (bool, bool)
        Whether a triangle or a box for values beyond joins at the top, at the bottom.
    uncertain : float
        How well top and bottom are known, px.
    breaks : tuple of float
        Rows of the limits between boxes of one colour each.
    notes : tuple of str
    """

    left: float
    top: float
    right: float
    bottom: float
    extend: tuple[bool, bool]
    uncertain: float
    breaks: tuple[float, ...]
    notes: tuple[str, ...]


def fit_strip(
    pixels: NDArray[np.uint8], rough: tuple[float, float, float, float], factor: int, lossy: bool, again: int = 3
) -> FittedStrip:
    """Find the edges of a strip to sub-pixel.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The whole picture, turned so that the strip stands upright.
    rough : (left, top, right, bottom)
        The strip, known to about `factor` + 1 pixels.
    factor : int
        How many times smaller the picture was in which it was found.
    lossy : bool
        Whether the picture went through JPEG.
    again : int
        How many times a strip that goes on beyond its rough ends may be made longer.

    Returns
    -------
    FittedStrip
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = rough
    beyond = int(max(2.4 * (right - left), 0.15 * (bottom - top)) + 10 + 3 * factor)
    beside = int(0.3 * (right - left) + 8 + 3 * factor)
    row0, row1 = max(int(top) - beyond, 0), min(int(bottom) + beyond, height)
    col0, col1 = max(int(left) - beside, 0), min(int(right) + beside, width)
    block = pixels[row0:row1, col0:col1].astype(np.float64)
    crop = Crop(block, left - col0, top - row0, right - col0, bottom - row0, factor, lossy)
    crop = fit_sides(crop)
    profile = profile_along(crop)
    ends = [_past_pale(crop, _end(crop, profile, downwards), downwards) for downwards in (False, True)]
    first, last = ends[0].at, ends[1].at
    if again and last > first and any(end.note == GOES_ON for end in ends):
        longer = [
            end.at if end.note == GOES_ON else old for end, old in zip(ends, (top - row0, bottom - row0), strict=True)
        ]
        return fit_strip(pixels, (left, longer[0] + row0, right, longer[1] + row0), factor, lossy, again - 1)
    if last - first < 0.4 * crop.length:
        first, last = crop.top, crop.bottom
    breaks = find_breaks(profile, first, last, lossy)
    closed: list[End | None] = [
        end if end.open or end.note == FADES else find_flat_end(profile, first, last, k == 1, lossy)
        for k, end in enumerate(ends)
    ]
    if breaks:
        ends, breaks = add_pale_boxes(crop, profile, ends, breaks)
        closed = list(choose_box_ends(crop, (ends[0], ends[1]), breaks))
    ends = [end if after is None else after for end, after in zip(ends, closed, strict=True)]
    if ends[1].at - ends[0].at < 0.4 * crop.length:
        ends = [End(crop.top, 3.0), End(crop.bottom, 3.0)]
    first, last = ends[0].at, ends[1].at
    breaks = tuple(at for at in breaks if first + 2 < at < last - 2)
    return FittedStrip(
        crop.left + col0,
        first + row0,
        crop.right + col0,
        last + row0,
        (ends[0].open, ends[1].open),
        max(end.error for end in ends),
        tuple(at + row0 for at in breaks),
        (*dict.fromkeys(end.note for end in ends if end.note), *_doubts(crop, ends)),
    )


def _doubts(crop: Crop, ends: list[End]) -> tuple[str, ...]:
    """What lies beyond the ends and may be a part of the bar: a patch of one colour, as wide as the bar, on paper."""
    if not on_paper(crop):
        return ()
    paper = np.median(colors_beside(crop).reshape(-1, 3), axis=0)
    inset = 0.15 * crop.width
    inside = crop.block[:, int(np.ceil(crop.left + inset)) : max(int(crop.right - inset), int(crop.left + inset) + 1)]
    count = int(max(8, 0.3 * crop.width))
    for end, downwards in zip(ends, (False, True), strict=True):
        gap = int(np.ceil(crop.line)) + 2 + crop.factor
        start = int(np.ceil(end.at)) + gap if downwards else int(end.at) - gap - count
        rows = inside[max(start, 0) : start + count]
        if end.open or start < 0 or len(rows) < count or not rows.shape[1]:
            continue
        away = np.abs(rows - paper).max(axis=2) > NOT_PAPER
        flat = np.abs(rows - np.median(rows, axis=(0, 1))).max(axis=2) < NOT_PAPER
        if away.mean() > 0.95 and flat.mean() > 0.9:
            return (INCOMPLETE,)
    return ()


def _end(crop: Crop, profile: NDArray[np.float64], downwards: bool) -> End:
    """Where the strip ends."""
    triangle = find_triangle(crop, profile, downwards)
    if triangle is not None:
        return triangle
    at = crop.bottom if downwards else crop.top
    change = np.abs(np.diff(profile, axis=0)).max(axis=1)
    reach = 2.0 * crop.factor + 2.5
    inside = change[int(crop.top + reach) : max(int(crop.bottom - reach), int(crop.top + reach) + 2)]
    floor = max(16.0 if crop.lossy else 7.0, 4 * float(np.percentile(inside, 75)) if len(inside) else 0.0)
    moved = _until_paper(crop, profile, at, downwards)
    for place in dict.fromkeys([at, moved]):
        low, high = max(int(place - reach), 0), min(int(np.ceil(place + reach)), len(change))
        if high > low and change[low:high].max() >= floor:
            return _sharp_end(crop, profile, change, place, downwards)
    inner = _jump_inside(crop, profile, change, at, downwards)
    if inner is not None:
        return _sharp_end(crop, profile, change, inner, downwards)
    return _faded(crop, profile, moved, downwards)


def _jump_inside(
    crop: Crop, profile: NDArray[np.float64], change: NDArray[np.float64], at: float, downwards: bool
) -> float | None:
    """A clear jump to the paper a little inside of a rough end, which something beside the bar drew out."""
    far = int(0.02 * crop.length + 4 * crop.factor + 6)
    rows = int(at) + (-1 if downwards else 1) * np.arange(far)
    rows = rows[(rows >= 0) & (rows < len(change))]
    if not len(rows) or change[rows].max() < 3 * MARK_INK / 2:
        return None
    jump = int(rows[np.argmax(change[rows])])
    beyond = slice(jump + 3, int(at) + 1) if downwards else slice(int(at), jump - 2)
    paper = np.median(colors_beside(crop).reshape(-1, 3), axis=0)
    left = np.abs(profile[beyond] - paper).max(axis=1)
    return float(jump + 1) if len(left) and np.median(left) < 0.25 * change[jump] else None


def _faded(crop: Crop, profile: NDArray[np.float64], seen: float, downwards: bool) -> End:
    """An end that cannot be seen: where the last colours, straight on, would become the paper's."""
    step = 1 if downwards else -1
    rows = int(seen) - (1 if downwards else 0) - step * np.arange(max(int(0.15 * crop.length), 8))
    rows = rows[(rows >= 0) & (rows < len(profile))]
    paper = np.median(colors_beside(crop).reshape(-1, 3), axis=0)
    away = np.abs(profile[rows] - paper).max(axis=1)
    level = float(np.median(away[2:7]))
    if level > (20.0 if crop.lossy else 8.0):
        # Pale, but seen.
        inner = rows[min(6, len(rows) - 1)]
        beyond = inner + step * np.arange(14)
        beyond = beyond[(beyond >= 0) & (beyond < len(profile))]
        gone = np.abs(profile[beyond] - paper).max(axis=1) < 0.5 * level
        if gone.any():
            return End(float(beyond[np.argmax(gone)] + (0 if downwards else 1)), 0.9)
        return End(seen, 0.1 * crop.length, note=GOES_ON)
    farther = 0.0
    if len(rows) >= 6:
        rise, start = np.polyfit(np.arange(len(rows)) + 0.5, away, 1)
        farther = float(np.clip(start / rise, 0.0, 0.1 * crop.length)) if rise > 0 else 0.0
    farther = min(farther, len(profile) - seen if downwards else seen)
    return End(seen + step * farther, max(3.0 + 0.01 * crop.length, 0.7 * farther + 1), note=FADES)


def _sharp_end(
    crop: Crop, profile: NDArray[np.float64], change: NDArray[np.float64], at: float, downwards: bool
) -> End:
    """An end with a frame line, or with a jump of the colour."""
    error = 0.85 if crop.lossy else 0.55
    outer = 2.0 * crop.factor + 3.0
    inner = max(outer, min(6.0 * crop.factor + 6.0, 0.06 * crop.length))
    sign = 1 if downwards else -1
    first, second = (min(max(int(at - sign * k * inner), 0), len(profile) - 1) for k in (1, 2))
    least = max(LINE_INK, 2.5 * float(np.abs(profile[second] - profile[first]).max()))
    line = line_near(profile[None], at, *((inner, outer) if downwards else (outer, inner)), least)
    if line is not None and line[1] < max(2.5 * crop.line, 3.0 * crop.factor + 2):
        return End(line[0], error)
    edge = edge_near(change, at, 2.0 * crop.factor + 2.5)
    within = profile[min(max(int(edge - sign * (crop.line + 2)), 0), len(profile) - 1)]
    if crop.line > 1 and within.max() < 90:
        # A dark end runs into its dark frame: only the frame's outer side is seen.
        return End(edge - sign * crop.line / 2, error + 0.25 * crop.line)
    return End(edge, error)


def _until_paper(crop: Crop, profile: NDArray[np.float64], at: float, downwards: bool) -> float:
    """Where the colours along the strip become those beside it, from a rough end outwards."""
    differs = np.abs(profile - colors_beside(crop)).max(axis=2).min(axis=0) > (9.0 if crop.lossy else 1.5)
    step = 1 if downwards else -1
    row = min(max(int(at) - step * (crop.factor + 2), 0), len(profile) - 1)
    for _ in range(int(0.14 * crop.length + 3 * crop.factor + 3)):
        after = row + step
        if not 0 <= after < len(profile) or not differs[after]:
            break
        row = after
    return float(row + 1 if downwards else row)


def _past_pale(crop: Crop, end: End, downwards: bool) -> End:
    """The end, or that of a flat patch beyond it that differs from the paper by too little to be seen in one row.

    Without frame nothing but its colour, averaged over rows, tells an outermost box that is nearly white.
    """
    if end.open or end.note not in ("", FADES) or crop.line > 0 or not on_paper(crop):
        return end
    inset = max(0.15 * crop.width, 1.0)
    inside = crop.block[:, int(np.ceil(crop.left + inset)) : int(crop.right - inset)]
    gap = 3 + crop.factor
    low, high = int(crop.left) - gap, int(np.ceil(crop.right)) + gap
    outside = np.concatenate([crop.block[:, max(low - 2, 0) : max(low + 1, 1)], crop.block[:, high : high + 3]], axis=1)
    if inside.shape[1] < 3 or outside.shape[1] < 4:
        return end
    away = inside.mean(axis=1) - np.median(outside, axis=1)
    start = int(np.ceil(end.at)) + 4 if downwards else int(end.at) - 4
    away = away[start:] if downwards else away[:start][::-1]
    if len(away) < MIN_PALE:
        return end
    tint = np.median(away[:MIN_PALE], axis=0)
    strong = int(np.abs(tint).argmax())
    if not PALE_TINT <= abs(tint[strong]) <= NOT_PAPER:
        return end
    share = ndimage.uniform_filter1d(away[:, strong], 3, mode="nearest") / tint[strong]
    if share[:MIN_PALE].min() < 0.5:
        return end
    gone = np.flatnonzero(share < 0.5)
    length = 4 + (int(gone[0]) if len(gone) else len(share))
    at = end.at + (length if downwards else -length)
    return End(at, 2.5 if crop.lossy else 1.0, note="" if len(gone) else GOES_ON)
