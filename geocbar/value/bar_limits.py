"""Boxes of one colour each along a colour bar: their limits, and which of the outermost stand for values beyond."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geocbar.value.bar_crop import Crop, End, colors_beside, on_paper
from geocbar.value.classes import bar_classes

__all__ = ["FADES", "MARK_INK", "add_pale_boxes", "choose_box_ends", "find_breaks", "find_flat_end"]

#: Longest profile that is cut into classes pixel by pixel; longer ones are thinned to it.
CLASS_PX = 1200

#: Said of a bar of boxes whose outermost box may stand for values beyond.
UNTOLD = "end uncertain: the outermost box may stand for values beyond"

#: Said where one does.
BEYOND = "a flat box for values beyond"

#: Said of a strip whose end no line and no jump of the colour marks.
FADES = "end uncertain: it fades to the paper"

#: Said of a bar without frame whose last tick marks lie beyond its colours.
PALE = "an outermost box of the paper's colour"

#: At most so many boxes of the paper's colour are added at an end.
MOST_PALE = 2

#: A tick mark differs by this much from what lies between the marks (8-bit sRGB units).
MARK_INK = 32.0

#: A flat end at least this share of the bar, while nothing else on the bar is flat, is a box for values beyond.
FLAT_END = 0.03


def find_breaks(profile: NDArray[np.float64], first: float, last: float, lossy: bool) -> tuple[float, ...]:
    """Find the limits between boxes of one colour each.

    Parameters
    ----------
    profile : (rows, 3) float array
        Colours along the strip.
    first, last : float
        Its ends.
    lossy : bool
        Whether the picture went through JPEG.

    Returns
    -------
    tuple of float
        None for a smooth bar.
    """
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


def find_flat_end(profile: NDArray[np.float64], first: float, last: float, downwards: bool, lossy: bool) -> End | None:
    """Find a long flat box at the end of a bar whose colours otherwise run smoothly.

    Parameters
    ----------
    profile : (rows, 3) float array
        Colours along the strip.
    first, last : float
        Its ends.
    downwards : bool
        Whether the lower end is asked for.
    lossy : bool
        Whether the picture went through JPEG.

    Returns
    -------
    End or None
        Where the rest of the bar ends; None without such a box.
    """
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
    return End(float(at), 1.0 + 0.004 * len(rows), True, BEYOND)


def choose_box_ends(crop: Crop, ends: tuple[End, End], breaks: tuple[float, ...]) -> list[End]:
    """The ends of a bar of boxes, of which the outermost may stand for values beyond.

    Tick marks tell, where there are some at every limit; boxes of an odd length tell less surely.

    Parameters
    ----------
    crop : Crop
    ends : (End, End)
    breaks : tuple of float
        Limits between the boxes.

    Returns
    -------
    list of End
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
        beyond = End(float(limits[-2] if last else limits[1]), end.error, True, BEYOND)
        k = -1 if last else 0
        if FADES in end.note or marked[k] or (len(middles) > 3 and middles[1:-1].all() and middles[k]):
            found.append(end)
        elif (len(breaks) > 1 and marked[1:-1].all()) or _odd(np.diff(limits), own):
            found.append(beyond)
        else:
            found.append(replace(end, error=max(end.error, 0.5 * own), note=UNTOLD))
    return found


def add_pale_boxes(
    crop: Crop, profile: NDArray[np.float64], ends: list[End], breaks: tuple[float, ...]
) -> tuple[list[End], tuple[float, ...]]:
    """Ends and limits with boxes of the paper's colour that only the tick marks tell of.

    Parameters
    ----------
    crop : Crop
    profile : (rows, 3) float array
        Colours along the strip.
    ends : list of End
    breaks : tuple of float
        Limits between the boxes.

    Returns
    -------
    ends : list of End
    breaks : tuple of float
    """
    limits = np.array([ends[0].at, *breaks, ends[1].at])
    usual = float(np.median(np.diff(limits)))
    # Two boxes of nearly one colour may count as one.
    count = np.rint((limits - limits[0]) / usual).astype(int)
    off = np.abs(limits - limits[0] - count * (limits[-1] - limits[0]) / max(count[-1], 1))
    if any(end.open for end in ends) or len(breaks) < 3 or not on_paper(crop) or off.max() > max(2.0, 0.05 * usual):
        return ends, breaks
    marked = count[_marked(crop, limits)]
    steps = np.diff(marked)
    if len(marked) < 3 or np.ptp(steps) > 0:
        return ends, breaks
    found, added = list(ends), list(breaks)
    for k, more in enumerate((int(steps[0] - marked[0]), int(marked[-1] + steps[0] - count[-1]))):
        sign = 1 if k else -1
        at = ends[k].at + sign * more * usual
        if (
            not 1 <= more <= MOST_PALE
            or not _marked(crop, np.r_[limits, at])[-1]
            or not _blank(crop, profile, ends[k].at, at)
        ):
            continue
        found[k] = End(at, max(ends[k].error, 1.0), note=PALE)
        added += [ends[k].at + sign * box * usual for box in range(more)]
    return found, tuple(sorted(added))


def _blank(crop: Crop, profile: NDArray[np.float64], end: float, at: float) -> bool:
    """Whether between an end and a place beyond it the strip cannot be told from the paper beside it."""
    rows = slice(int(min(end, at)) + 3, int(max(end, at)) - 2)
    if rows.start < 0 or rows.stop > len(profile) or rows.stop - rows.start < 3:
        return False
    paper = np.median(colors_beside(crop)[:, rows].reshape(-1, 3), axis=0)
    away = np.abs(profile[rows] - paper).max(axis=1)
    return bool(np.percentile(away, 90) < (16.0 if crop.lossy else 8.0))


def _marked(crop: Crop, places: NDArray[np.float64]) -> NDArray[np.bool_]:
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
