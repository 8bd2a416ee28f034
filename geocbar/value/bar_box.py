"""The exact place of a colour bar that was found roughly: its sides, its two ends, its limits between flat boxes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.value.classes import bar_classes

__all__ = ["FADES", "FittedStrip", "fit_strip"]

#: Longest profile that is cut into classes pixel by pixel; longer ones are thinned to it.
CLASS_PX = 1200

#: Said of a strip whose colours go on beyond all that was looked at.
GOES_ON = "end uncertain: its colours go on"

#: Said of a bar of boxes whose outermost box may stand for values beyond.
UNTOLD = "end uncertain: the outermost box may stand for values beyond"

#: Said where one does.
BEYOND = "a flat box for values beyond"

#: Said of a strip whose end no line and no jump of the colour marks.
FADES = "end uncertain: it fades to the paper"

#: Weights of a line's two edges below this share of the largest are noise.
EDGE_FLOOR = 0.3

#: A line along an edge differs from both sides by this much (8-bit sRGB units).
LINE_INK = 40.0

#: A tick mark differs by this much from what lies between the marks (8-bit sRGB units).
MARK_INK = 32.0

#: A triangle's width over that of the bar, between which its sides are fitted.
TRIANGLE_SPAN = (0.15, 0.88)

#: A flat end at least this share of the bar, while nothing else on the bar is flat, is a box for values beyond.
FLAT_END = 0.03


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


@dataclass(frozen=True)
class _End:
    at: float
    error: float
    open: bool = False
    note: str = ""


@dataclass(frozen=True, eq=False)
class _Crop:
    """Part of the picture round a strip, and the strip's rough place in it."""

    block: NDArray[np.float64]
    left: float
    top: float
    right: float
    bottom: float
    factor: int
    lossy: bool
    line: float = 0.0

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def length(self) -> float:
        return self.bottom - self.top


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
    crop = _Crop(block, left - col0, top - row0, right - col0, bottom - row0, factor, lossy)
    crop = _with_sides(crop)
    profile = _profile(crop)
    ends = [_end(crop, profile, downwards) for downwards in (False, True)]
    first, last = ends[0].at, ends[1].at
    if again and last > first and any(end.note == GOES_ON for end in ends):
        longer = [
            end.at if end.note == GOES_ON else old for end, old in zip(ends, (top - row0, bottom - row0), strict=True)
        ]
        return fit_strip(pixels, (left, longer[0] + row0, right, longer[1] + row0), factor, lossy, again - 1)
    if last - first < 0.4 * crop.length:
        first, last = crop.top, crop.bottom
    breaks = _breaks(profile, first, last, lossy)
    closed: list[_End | None] = [
        end if end.open or end.note == FADES else _flat_end(profile, first, last, k == 1, lossy)
        for k, end in enumerate(ends)
    ]
    if breaks:
        closed = list(_box_ends(crop, (ends[0], ends[1]), breaks))
    ends = [end if after is None else after for end, after in zip(ends, closed, strict=True)]
    if ends[1].at - ends[0].at < 0.4 * crop.length:
        ends = [_End(crop.top, 3.0), _End(crop.bottom, 3.0)]
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
        tuple(dict.fromkeys(end.note for end in ends if end.note)),
    )


def _edge(change: NDArray[np.float64], at: float, reach: float) -> float:
    """Centre of the changes near a place; the change between pixels i and i + 1 lies at i + 1."""
    for _ in range(2):
        low, high = max(int(np.floor(at - reach)), 0), min(int(np.ceil(at + reach)), len(change))
        near = change[low:high]
        if not len(near) or near.max() <= 0:
            return at
        weight = np.where(near >= EDGE_FLOOR * near.max(), near, 0.0)
        at = float((weight * (np.arange(low, high) + 1)).sum() / weight.sum())
    return at


def _line(
    lines: NDArray[np.float64], at: float, before: float, after: float, least: float = LINE_INK
) -> tuple[float, float] | None:
    """A line drawn along an edge: its middle and how thick it is.

    `lines` holds colours along several ways across the edge, (ways, pixels, 3); they are looked at from `before`
    pixels before it to `after` pixels after it. Mixtures of the colours at both ends are no line, nor is what differs
    by less than `least`.
    """
    low, high = max(int(np.floor(at - before)), 0), min(int(np.ceil(at + after)), lines.shape[1] - 1)
    if high - low < 4:
        return None
    near = lines[:, low : high + 1]
    start, step = near[:, :1], near[:, -1:] - near[:, :1]
    share = ((near - start) * step).sum(axis=2) / np.maximum((step**2).sum(axis=2), 1e-9)
    mixed = start + np.clip(share, 0, 1)[:, :, None] * step
    ink = np.abs(near - mixed).max(axis=2).mean(axis=0)
    strong = ink >= 0.25 * ink.max()
    if ink.max() < least:
        return None
    # Of several lines the one at the edge.
    runs, count = ndimage.label(strong)
    peaks = ndimage.maximum(ink, runs, np.arange(1, count + 1))
    ways = np.array([np.abs(np.flatnonzero(runs == k + 1) + low + 0.5 - at).min() for k in range(count)])
    best = int(np.argmin(np.where(np.asarray(peaks) >= 0.6 * ink.max(), ways, np.inf))) + 1
    weight = np.where(runs == best, ink, 0.0)
    middle = float((weight * (np.arange(low, high + 1) + 0.5)).sum() / weight.sum())
    return middle, float(weight.sum() / weight.max())


def _with_sides(crop: _Crop) -> _Crop:
    """The crop with the left and right side to sub-pixel."""
    inset = 0.06 * crop.length
    rows = crop.block[int(crop.top + inset) : max(int(crop.bottom - inset), int(crop.top + inset) + 1)]
    change = np.abs(np.diff(rows, axis=1)).max(axis=2)
    profile = (np.median(change, axis=0) + change.mean(axis=0)) / 2
    reach = min(2.0 * crop.factor + 1.5, max(0.4 * crop.width, 1.5))
    inner, outer = min(1.5 * crop.factor + 2.5, max(0.4 * crop.width, 2.0)), 3.5 * crop.factor + 3.0
    some = rows[:: max(1, len(rows) // 200)]
    lines = [_line(some, crop.left, outer, inner), _line(some, crop.right, inner, outer)]
    left, right = (
        _edge(profile, at, reach) if line is None else line[0]
        for at, line in zip((crop.left, crop.right), lines, strict=True)
    )
    if right - left < 0.5 * crop.width:
        return crop
    thick = min((line[1] if line else 0.0) for line in lines)
    return replace(crop, left=left, right=right, line=thick)


def _profile(crop: _Crop) -> NDArray[np.float64]:
    """Colour of every row of the crop, from the part across that marks drawn into the strip leave free."""
    ways = []
    for first, last in ((0.25, 0.75), (0.5, 0.85), (0.15, 0.5)):
        low = int(np.ceil(crop.left + first * crop.width - 0.5))
        cols = slice(low, max(int(np.ceil(crop.left + last * crop.width - 0.5)), low + 1))
        profile = np.asarray(np.median(crop.block[:, cols], axis=1))
        inner = profile[int(crop.top) : int(crop.bottom)]
        ways.append((float(np.abs(np.diff(inner, axis=0)).sum()), profile))
    # The middle unless another part is much calmer.
    calm = min(ways[1:], key=lambda way: way[0])
    return calm[1] if crop.width >= 8 and calm[0] < 0.6 * ways[0][0] else ways[0][1]


def _beside(crop: _Crop) -> NDArray[np.float64]:
    """Colours of every row to the left and to the right, (2, rows, 3)."""
    gap = 2 + crop.factor
    low, high = int(crop.left) - gap, int(np.ceil(crop.right)) + gap
    cols = [max(low - 1, 0), min(high, crop.block.shape[1] - 1)]
    return crop.block[:, cols].transpose(1, 0, 2)


def _end(crop: _Crop, profile: NDArray[np.float64], downwards: bool) -> _End:
    """Where the strip ends."""
    triangle = _triangle(crop, profile, downwards)
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
    return _faded(crop, profile, moved, downwards)


def _faded(crop: _Crop, profile: NDArray[np.float64], seen: float, downwards: bool) -> _End:
    """An end that cannot be seen: where the last colours, straight on, would become the paper's."""
    step = 1 if downwards else -1
    rows = int(seen) - (1 if downwards else 0) - step * np.arange(max(int(0.15 * crop.length), 8))
    rows = rows[(rows >= 0) & (rows < len(profile))]
    paper = np.median(_beside(crop).reshape(-1, 3), axis=0)
    away = np.abs(profile[rows] - paper).max(axis=1)
    level = float(np.median(away[2:7]))
    if level > (20.0 if crop.lossy else 8.0):
        # Pale, but seen.
        inner = rows[min(6, len(rows) - 1)]
        beyond = inner + step * np.arange(14)
        beyond = beyond[(beyond >= 0) & (beyond < len(profile))]
        gone = np.abs(profile[beyond] - paper).max(axis=1) < 0.5 * level
        if gone.any():
            return _End(float(beyond[np.argmax(gone)] + (0 if downwards else 1)), 0.9)
        return _End(seen, 0.1 * crop.length, note=GOES_ON)
    farther = 0.0
    if len(rows) >= 6:
        rise, start = np.polyfit(np.arange(len(rows)) + 0.5, away, 1)
        farther = float(np.clip(start / rise, 0.0, 0.1 * crop.length)) if rise > 0 else 0.0
    farther = min(farther, len(profile) - seen if downwards else seen)
    return _End(seen + step * farther, max(3.0 + 0.01 * crop.length, 0.7 * farther + 1), note=FADES)


def _sharp_end(
    crop: _Crop, profile: NDArray[np.float64], change: NDArray[np.float64], at: float, downwards: bool
) -> _End:
    """An end with a frame line, or with a jump of the colour."""
    error = 0.85 if crop.lossy else 0.55
    outer = 2.0 * crop.factor + 3.0
    inner = max(outer, min(6.0 * crop.factor + 6.0, 0.06 * crop.length))
    sign = 1 if downwards else -1
    first, second = (min(max(int(at - sign * k * inner), 0), len(profile) - 1) for k in (1, 2))
    least = max(LINE_INK, 2.5 * float(np.abs(profile[second] - profile[first]).max()))
    line = _line(profile[None], at, *((inner, outer) if downwards else (outer, inner)), least)
    if line is not None and line[1] < max(2.5 * crop.line, 3.0 * crop.factor + 2):
        return _End(line[0], error)
    edge = _edge(change, at, 2.0 * crop.factor + 2.5)
    within = profile[min(max(int(edge - sign * (crop.line + 2)), 0), len(profile) - 1)]
    if crop.line > 1 and within.max() < 90:
        # A dark end runs into its dark frame: only the frame's outer side is seen.
        return _End(edge - sign * crop.line / 2, error + 0.25 * crop.line)
    return _End(edge, error)


def _until_paper(crop: _Crop, profile: NDArray[np.float64], at: float, downwards: bool) -> float:
    """Where the colours along the strip become those beside it, from a rough end outwards."""
    differs = np.abs(profile - _beside(crop)).max(axis=2).min(axis=0) > (9.0 if crop.lossy else 1.5)
    step = 1 if downwards else -1
    row = min(max(int(at) - step * (crop.factor + 2), 0), len(profile) - 1)
    for _ in range(int(0.14 * crop.length + 3 * crop.factor + 3)):
        after = row + step
        if not 0 <= after < len(profile) or not differs[after]:
            break
        row = after
    return float(row + 1 if downwards else row)


def _widths(crop: _Crop, rows: NDArray[np.intp], profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Width of the strip in every row: of what its middle's colour fills."""
    paper = np.median(_beside(crop).reshape(-1, 3), axis=0)
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
    return np.maximum(leftwards + rightwards - 1.0 - outline, 0.0)


def _triangle(crop: _Crop, profile: NDArray[np.float64], downwards: bool) -> _End | None:
    """The end of the full width where the strip narrows to a point, from a line through its narrowing."""
    step = 1 if downwards else -1
    end = crop.bottom if downwards else crop.top
    inset = 0.08 * crop.length + 2
    count = int(inset + max(2.4 * crop.width, 0.15 * crop.length) + 4)
    rows = round(end - step * inset) + step * np.arange(count)
    rows = rows[(rows >= 0) & (rows < len(crop.block))]
    if len(rows) < 6:
        return None
    for widths, line in ((_outlines(crop, rows), crop.line), (_widths(crop, rows, profile), 0.0)):
        full = float(np.median(widths[: max(4, int(0.6 * inset))]))
        fit = _narrowing(widths / full, full, crop.width, line <= 0) if full >= 3 else None
        if fit is not None:
            slope, offset, error = fit
            # Outside of a thick outline the corner lies nearer to the tip.
            corner = 0.5 * line * np.tan(0.5 * np.arctan(-slope * full / 2))
            joint = float(rows[0] + step * ((1 - offset) / slope - corner) + 0.5)
            return _joint(crop, profile, joint, error, max(2.5 * error, 3.0))
    return None


def _joint(crop: _Crop, profile: NDArray[np.float64], joint: float, error: float, reach: float) -> _End:
    """Where a triangle joins: at a line or a jump of the colour near the place where the narrowing starts."""
    note = "a triangle for values beyond"
    change = np.abs(np.diff(profile, axis=0)).max(axis=1)
    inset = 0.08 * crop.length + 2
    inside = change[int(crop.top + inset) : max(int(crop.bottom - inset), int(crop.top + inset) + 2)]
    usual = float(np.percentile(inside, 75)) if len(inside) else 0.0
    line = _line(profile[None], joint, reach + 2, reach + 2, max(LINE_INK, 8 * usual))
    if line is not None and abs(line[0] - joint) <= reach and line[1] <= 1.2 * crop.line + 3:
        return _End(line[0], 0.8, True, note)
    low, high = max(int(joint - reach), 0), min(int(np.ceil(joint + reach)), len(change))
    if high > low and change[low:high].max() > max(20.0, 5 * usual):
        peak = low + 1.0 + float(np.argmax(change[low:high]))
        return _End(_edge(change, peak, 2.5), 0.8, True, note)
    return _End(joint, max(error, 1.0), True, note)


def _outlines(crop: _Crop, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Width of the strip with its outline in every row: of all that is not paper; none where there is no one paper."""
    beside = _beside(crop)
    paper = np.median(beside.reshape(-1, 3), axis=0)
    if (np.abs(beside - paper).max(axis=2) < 20).mean() < 0.7:
        return np.zeros(len(rows))
    room = int(np.ceil(crop.line / 2)) + 2
    low, high = max(int(crop.left) - room, 0), min(int(np.ceil(crop.right)) + room, crop.block.shape[1])
    away = np.abs(crop.block[rows, low:high] - paper).max(axis=2)
    ink = away > (40.0 if crop.lossy else 20.0)
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


def _flat_end(profile: NDArray[np.float64], first: float, last: float, downwards: bool, lossy: bool) -> _End | None:
    """A long flat box at the end of a bar whose colours otherwise run smoothly."""
    rows = np.arange(int(np.ceil(first)) + 2, int(last) - 2)
    if len(rows) < 60:
        return None
    colors = profile[rows][::-1] if downwards else profile[rows]
    near = 7.0 if lossy else 1.6

    def flat(start: int) -> int:
        away = np.abs(colors[start:] - colors[start : start + 4].mean(axis=0)).max(axis=1) > near
        return int(np.argmax(away)) if away.any() else len(away)

    length = flat(0)
    if not max(FLAT_END * len(rows), 6) <= length <= 0.3 * len(rows):
        return None
    others = [flat(start) for start in range(length + 1, len(rows) - length - 1, max(length // 4, 1))]
    if not others or max(others) > 0.45 * length:
        return None
    at = rows[-1] + 1 - length if downwards else rows[0] + length
    return _End(float(at), 1.0 + 0.004 * len(rows), True, BEYOND)


def _box_ends(crop: _Crop, ends: tuple[_End, _End], breaks: tuple[float, ...]) -> list[_End]:
    """The ends of a bar of boxes, of which the outermost may stand for values beyond.

    Tick marks tell, where there are some at every limit; boxes of an odd length tell less surely.
    """
    if ends[0].open or ends[1].open:
        # Who draws one triangle draws no boxes.
        return list(ends)
    limits = np.array([ends[0].at, *breaks, ends[1].at])
    marked = _marked(crop, limits)
    middles = _marked(crop, (limits[1:] + limits[:-1]) / 2)
    found = []
    for end, last in zip(ends, (False, True), strict=True):
        own = float(limits[-1] - limits[-2] if last else limits[1] - limits[0])
        beyond = _End(float(limits[-2] if last else limits[1]), end.error, True, BEYOND)
        k = -1 if last else 0
        if FADES in end.note or marked[k] or (len(middles) > 3 and middles[1:-1].all() and middles[k]):
            found.append(end)
        elif (len(breaks) > 1 and marked[1:-1].all()) or _odd(np.diff(limits), own):
            found.append(beyond)
        else:
            found.append(replace(end, error=max(end.error, 0.5 * own), note=UNTOLD))
    return found


def _marked(crop: _Crop, places: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether tick marks stand at places along the strip, at its left or its right side, whichever has more."""
    best = np.zeros(len(places), bool)
    for side, outwards in ((crop.left, -1), (crop.right, 1)):
        near = int(np.floor(side + outwards * (crop.line / 2 + 1.5)))
        cols = [near + outwards * k for k in range(3)]
        if min(cols) < 0 or max(cols) >= crop.block.shape[1]:
            continue
        beside = np.median(crop.block[:, cols], axis=1)
        rows = beside[max(int(crop.top), 0) : int(crop.bottom) + 1]
        ink = np.abs(beside - np.median(rows, axis=0)).max(axis=1) > MARK_INK
        if ink[int(crop.top) : int(crop.bottom)].mean() > 0.4:
            continue
        reach = 1.5 + crop.line / 2
        low = np.clip(np.floor(places - reach).astype(int), 0, len(ink))
        high = np.clip(np.ceil(places + reach).astype(int), 0, len(ink))
        here = np.array([bool(ink[a:b].any()) for a, b in zip(low, high, strict=True)])
        if here.sum() > best.sum():
            best = here
    return best


def _odd(lengths: NDArray[np.float64], own: float) -> bool:
    """An end box shorter than the others, which are all alike: 5 % of the bar, as plotters draw values beyond."""
    if len(lengths) < 5:
        return False
    inner = lengths[1:-1]
    usual = float(np.median(inner))
    core = float(inner.sum()) + sum(float(box) for box in lengths[[0, -1]] if abs(box - usual) < 2)
    alike = bool(np.abs(inner - usual).max() <= 2)
    return alike and own <= 0.8 * usual and abs(own - 0.05 * core) <= max(1.5, 0.006 * core)


def _breaks(profile: NDArray[np.float64], first: float, last: float, lossy: bool) -> tuple[float, ...]:
    """Limits between boxes of one colour each, none for a smooth bar."""
    low, high = int(np.ceil(first - 0.5)) + 1, int(np.ceil(last - 0.5)) - 1
    if high - low < 8:
        return ()
    colors = profile[low:high]
    thin = max(1, -(-len(colors) // CLASS_PX))
    runs = bar_classes(colors[thin // 2 :: thin], lossy)
    if runs is None:
        return ()
    at = []
    for (_, stop), (start, _) in itertools.pairwise(runs):
        at.append(low + _step_at(colors, int(stop) * thin, int(start) * thin, thin))
    return tuple(at)


def _step_at(colors: NDArray[np.float64], stop: int, start: int, thin: int) -> float:
    """Where one box ends and the next begins, from the mixture of their colours between; of a line, its middle."""
    a, b = max(stop - 2 * thin - 1, 0), min(start + 2 * thin + 1, len(colors))
    before = np.median(colors[max(a - 2, 0) : a + 1], axis=0)
    after = np.median(colors[b - 1 : b + 2], axis=0)
    between = colors[a:b]
    step = after - before
    share = (between - before) @ step / max(float(step @ step), 1e-9)
    off = np.abs(between - before - np.clip(share, 0, 1)[:, None] * step).max(axis=1)
    if off.max() > 24:
        line = off > 0.5 * off.max()
        return float(a + np.average(np.flatnonzero(line) + 0.5, weights=off[line]))
    return float(b - np.clip(share, 0, 1).sum())
