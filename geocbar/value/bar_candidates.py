"""Strips that may be colour bars: the same width and place row after row, each row of one colour, and colours changing.

Strips are looked for standing upright; a picture is turned (rows and columns exchanged) to find those lying down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["Strip", "find_strips", "overlap", "reduce_picture", "side_worth"]

#: Longest side of the reduced picture in which strips are looked for.
SEARCH_PX = 1650

#: Pixels along a strip that are averaged: noise goes down, edges across stay.
SMOOTH = 3

#: Neighbours across a strip that differ by less are one colour (8-bit sRGB units); JPEG needs the looser ones.
THRESHOLDS = (4, 11, 22)

#: Strips considered for every threshold and direction, the longest first.
MOST_PEAKS = 100

#: Of those at most so many are looked at closely, the ones that cover most rows.
MOST_STACKS = 70

#: A strip has at least this many rows, runs across of at least this many pixels, and this many times its width.
MIN_LENGTH, MIN_WIDTH, MIN_ASPECT = 24, 3, 2.0

#: Colours of a strip run through at least this range in one channel (8-bit sRGB units).
MIN_RANGE = 40.0

#: What lies beside a strip differs from it by at least this share of its range, on the average.
LEAST_APART = 0.12

#: At most this share of a strip's colours come again.
MOST_REVISITS = 0.6


@dataclass(frozen=True, eq=False)
class Strip:
    """A strip standing upright in a reduced picture; whole pixels, half open.

    Parameters
    ----------
    first, last : int
        Rows ``first:last``.
    left, right : int
        Columns ``left:right``.
    colors : (n, 3) float array
        Median of each row.
    cover : float
        Share of the rows that show the strip at its full width.
    rough : float
        Share of the pixels that differ from the colour of their row.
    rim : (2,) tuple of float
        Share of the rows with a sharp change at the left and the right side.
    calm : (2,) tuple of float
        Share of the rows that have one and the same colour outside the left and the right side.
    apart : (2,) tuple of float
        Mean difference between the strip and what lies to the left and to the right, over the range of its colours.
    revisits : float
        Share of its colours that come again farther on, after others.
    """

    first: int
    last: int
    left: int
    right: int
    colors: NDArray[np.float64]
    cover: float = 1.0
    rough: float = 0.0
    rim: tuple[float, float] = (0.0, 0.0)
    calm: tuple[float, float] = (0.0, 0.0)
    apart: tuple[float, float] = (0.0, 0.0)
    revisits: float = 0.0

    @property
    def length(self) -> int:
        """Number of rows."""
        return self.last - self.first

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left


def reduce_picture(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.int16], int]:
    """Average squares of whole pixels until the picture is small enough to search.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array

    Returns
    -------
    planes : (3, h / factor, w / factor) int16 array
    factor : int
    """
    height, width = pixels.shape[:2]
    factor = max(1, -(-max(height, width) // SEARCH_PX))
    factor = min(factor, height, width)
    if factor == 1:
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.int16), 1
    rows, cols = height // factor, width // factor
    total = np.zeros((rows, cols, 3), np.uint32)
    for i in range(factor):
        line = np.zeros((rows, cols, 3), np.uint16)
        for j in range(factor):
            line += pixels[i : rows * factor : factor, j : cols * factor : factor]
        total += line
    mean = (total + factor * factor // 2) // (factor * factor)
    return np.ascontiguousarray(mean.transpose(2, 0, 1)).astype(np.int16), factor


def find_strips(planes: NDArray[np.int16]) -> list[Strip]:
    """Find strips that stand upright.

    Parameters
    ----------
    planes : (3, rows, cols) int16 array
        The picture, one plane a colour.

    Returns
    -------
    list of Strip
        Those of several thresholds, so one strip may come more than once, a little different.
    """
    _, rows, cols = planes.shape
    if rows < MIN_LENGTH or cols < 2 * MIN_WIDTH:
        return []
    change = _changes_across(planes)
    found: list[Strip] = []
    seen: set[tuple[int, ...]] = set()
    for threshold in THRESHOLDS:
        stacks = _joined(_stacks(change <= threshold * SMOOTH, rows, cols))
        stacks.sort(key=lambda stack: (stack[0] - stack[1]) * stack[4])
        for stack in stacks[:MOST_STACKS]:
            roughly = (stack[0] // 4, stack[1] // 4, stack[2] // 2, stack[3] // 2)
            if roughly in seen:
                continue
            seen.add(roughly)
            strip = _strip_of(planes, *stack, threshold)
            if strip is not None and not any(_same(strip, other) for other in found):
                found.append(strip)
    return found


def _joined(stacks: list[tuple[int, int, int, int, float]]) -> list[tuple[int, int, int, int, float]]:
    """The stacks, and those that continue one another as one more: letters or lines may cut a bar into parts."""
    parts: dict[tuple[int, int], list[tuple[int, int, int, int, float]]] = {}
    for stack in stacks:
        for shift in (0, 1):
            parts.setdefault(((stack[2] + shift) // 2, (stack[3] + shift) // 2), []).append(stack)
    whole = []
    for group in parts.values():
        group.sort()
        first, last, left, right, cover = group[0]
        covered = cover * (last - first)
        for stack in group[1:]:
            if stack[1] > last and stack[0] - last < 1.5 * (right - left) + 5:
                covered += stack[4] * (stack[1] - max(stack[0], last))
                last = stack[1]
                whole.append((first, last, left, right, covered / (last - first)))
            elif stack[1] > last:
                first, last, left, right, cover = stack
                covered = cover * (last - first)
    return stacks + sorted(set(whole))


def overlap(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> float:
    """Share of the smaller of two boxes (left, top, right, bottom) that lies in the other."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return max(wide, 0.0) * max(high, 0.0) / max(smaller, 1e-9)


def _same(one: Strip, other: Strip) -> bool:
    along = abs(one.first - other.first) + abs(one.last - other.last)
    across = abs(one.left - other.left) + abs(one.right - other.right)
    return along <= max(4, 0.02 * one.length) and across <= 2


def _changes_across(planes: NDArray[np.int16]) -> NDArray[np.int16]:
    """Largest change (in any channel, times SMOOTH) from each pixel to its right neighbour."""
    half = SMOOTH // 2
    change = None
    for plane in planes:
        step = np.diff(plane, axis=1)
        padded = np.pad(step, ((half, half), (0, 0)), mode="edge")
        total = padded[: len(step)].copy()
        for shift in range(1, SMOOTH):
            total += padded[shift : shift + len(step)]
        np.abs(total, out=total)
        change = total if change is None else np.maximum(change, total, out=change)
    assert change is not None
    return change


def _stacks(flat: NDArray[np.bool_], rows: int, cols: int) -> list[tuple[int, int, int, int, float]]:
    """Runs of one colour that lie above each other: first, last row, left, right column, share of rows."""
    padded = np.zeros((rows, cols + 1), bool)
    padded[:, 1:cols] = flat
    turns = np.flatnonzero(padded.ravel()[1:] != padded.ravel()[:-1])
    start_row, start = np.divmod(turns[0::2], cols + 1)
    width = turns[1::2] - turns[0::2] + 1
    most = int(min(0.14 * max(rows, cols) + 20, 0.5 * cols))
    kept = (width >= MIN_WIDTH) & (width <= most)
    start_row, start, width = start_row[kept], start[kept], width[kept]
    if not len(start):
        return []
    order = np.argsort(start, kind="stable")
    start_row, start, width = start_row[order], start[order], width[order]
    votes = np.bincount(start * (most + 2) + width, minlength=(cols + 2) * (most + 2)).reshape(cols + 2, most + 2)
    near = ndimage.uniform_filter(votes.astype(np.float32) * 9, 3, mode="constant")
    shortest = max(MIN_LENGTH, int(0.04 * rows))
    peaks = (near >= shortest - 0.5) & (near >= ndimage.maximum_filter(near, 3) - 0.5)
    at, wide = np.nonzero(peaks)
    best = np.argsort(-near[at, wide], kind="stable")[:MOST_PEAKS]
    found = []
    for left, span in zip(at[best].tolist(), wide[best].tolist(), strict=True):
        low, high = np.searchsorted(start, [left - 1, left + 2])
        here = np.unique(start_row[low:high][np.abs(width[low:high] - span) <= 2])
        breaks = np.flatnonzero(np.diff(here) > int(0.6 * span + 5))
        firsts, lasts = np.r_[0, breaks + 1], np.r_[breaks, len(here) - 1]
        for a, b in zip(firsts, lasts, strict=True):
            first, last = int(here[a]), int(here[b]) + 1
            cover = float(b - a + 1) / (last - first)
            if last - first >= max(shortest, MIN_ASPECT * span) and cover >= 0.3:
                found.append((first, last, left, left + span, cover))
    return found


def _strip_of(
    planes: NDArray[np.int16], first: int, last: int, left: int, right: int, cover: float, threshold: int
) -> Strip | None:
    """The strip with its colours and its surroundings, or None if it is of one colour, of too many, or of the map."""
    few = np.linspace(first, last - 1, min(last - first, 64)).astype(int)
    core = _core(left, right)
    colors = np.median(planes[:, few, core], axis=2)
    if np.ptp(colors, axis=1).max() < MIN_RANGE:
        return None
    strip = Strip(first, last, left, right, colors.T, cover)
    if min(_apart(planes, strip, few, colors)) < LEAST_APART or _revisits(colors.T) > MOST_REVISITS:
        return None
    strip = _extended(planes, _without_map(planes, strip, threshold), threshold)
    rows = np.arange(strip.first, strip.last)
    block = planes[:, strip.first : strip.last, core].astype(np.float64)
    colors = np.median(block, axis=2)
    rim, calm = _sides(planes, strip, rows)
    rough = _roughness(block, colors, threshold, min(calm) > 0.8)
    if rough > 0.25 or not _runs_smoothly(colors.T):
        return None
    apart, again = _apart(planes, strip, rows, colors), _revisits(colors.T)
    if min(apart) < LEAST_APART or again > MOST_REVISITS:
        return None
    return replace(strip, colors=colors.T, rough=rough, rim=rim, calm=calm, apart=apart, revisits=again)


def _roughness(block: NDArray[np.float64], colors: NDArray[np.float64], threshold: int, isolated: bool) -> float:
    """Share of the pixels that differ from the colour of their row, none for an isolated bar lit from one side."""
    rough = float((np.abs(block - colors[:, :, None]).max(axis=0) > max(threshold, 12)).mean())
    if isolated and rough > 0.1 and block.shape[2] > 4:
        light = block.sum(axis=0)
        steps = np.abs(np.diff(block, axis=2)).max(axis=0) > max(threshold, 12)
        slope = np.sign(light[:, -1] - light[:, 0])
        if abs(float(slope.mean())) > 0.95 and steps.mean() < 0.02:
            return 0.0
    return rough


def _core(left: int, right: int) -> slice:
    """Columns of a strip without those where it mixes with its surroundings."""
    return slice(left + 1, right - 1) if right - left > 3 else slice(left, right)


def _beside(strip: Strip, cols: int) -> list[slice | None]:
    """Columns outside the left and the right side, None beyond the picture."""
    sides: list[slice | None] = []
    for low, high in ((strip.left - 6, strip.left - 3), (strip.right + 3, strip.right + 6)):
        low, high = max(low, 0), min(high, cols)
        sides.append(slice(low, high) if high > low else None)
    return sides


def _apart(
    planes: NDArray[np.int16], strip: Strip, rows: NDArray[np.intp], colors: NDArray[np.float64]
) -> tuple[float, float]:
    """How far the colours beside the strip are from its own: small where a map goes on."""
    spread = float(np.ptp(colors, axis=1).max())
    found = []
    for side in _beside(strip, planes.shape[2]):
        if side is None:
            found.append(1.0)
            continue
        outer = np.median(planes[:, rows, side], axis=2)
        found.append(float(np.abs(outer - colors).max(axis=0).mean()) / max(spread, 1.0))
    return found[0], found[1]


def _revisits(colors: NDArray[np.float64]) -> float:
    """Share of colours that come again after others: a bar shows each once, a strip of a map goes to and fro."""
    calm = ndimage.median_filter(colors, (5, 1), mode="nearest")
    some = calm[np.linspace(0, len(calm) - 1, min(len(calm), 60)).astype(int)]
    n = len(some)
    spread = float(np.ptp(some, axis=0).max())
    apart = np.abs(some[:, None] - some[None]).max(axis=2)
    # The farthest colour on the way from one to the other.
    between = np.maximum.accumulate(np.triu(apart), axis=1)
    near = (apart < 0.06 * spread) & (between > 0.25 * spread)
    # A bar of a cyclic quantity ends where it began.
    gap = np.arange(n)[None] - np.arange(n)[:, None]
    near &= (gap > 0) & (gap < 0.85 * n)
    return float((near | near.T).any(axis=1).mean())


def _runs_smoothly(colors: NDArray[np.float64]) -> bool:
    """Whether colours are several, and do not go to and fro like text or a photograph."""
    calm = ndimage.median_filter(colors, (5, 1), mode="nearest")
    if len(np.unique((calm // 14).astype(int), axis=0)) < 3:
        return False
    steps = np.abs(np.diff(calm, axis=0))
    plateau = np.r_[True, steps.max(axis=1) < 14] & np.r_[steps.max(axis=1) < 14, True]
    kept = calm[plateau] if plateau.mean() > 0.4 else calm
    spread = float(np.ptp(kept, axis=0).max())
    return spread >= MIN_RANGE and float(np.abs(np.diff(kept, axis=0)).sum(axis=0).max()) <= 14 * spread


def _without_map(planes: NDArray[np.int16], strip: Strip, threshold: int) -> Strip:
    """The strip without rows at its ends that cannot be told from a map on both sides: flat parts of it."""
    rows = np.arange(strip.first, strip.last)
    if min(_sides(planes, strip, rows)[1]) > 0.7:
        return strip
    middle = np.median(planes[:, strip.first : strip.last, _core(strip.left, strip.right)], axis=2)
    own = ndimage.uniform_filter1d(_seen(planes, strip, rows, middle, threshold).astype(float), 9, mode="nearest") > 0.5
    seen = np.flatnonzero(own)
    if not len(seen) or seen[-1] - seen[0] < 0.6 * strip.length:
        return strip
    return replace(strip, first=strip.first + int(seen[0]), last=strip.first + int(seen[-1]) + 1)


def _seen(
    planes: NDArray[np.int16], strip: Strip, rows: NDArray[np.intp], middle: NDArray[np.float64], threshold: int
) -> NDArray[np.bool_]:
    """Rows, one after the other, in which another colour or a line lies at both sides of a strip."""
    cols = planes.shape[2]
    block = slice(int(rows[0]), int(rows[-1]) + 1)
    differs = np.ones(len(rows), bool)
    rims = np.ones(len(rows), bool)
    for col, start in ((strip.left - 4, strip.left - 3), (strip.right + 3, strip.right - 3)):
        if 0 <= col < cols:
            differs &= np.abs(planes[:, block, col] - middle).max(axis=0) > max(6, threshold // 2)
            edges = planes[:, block, max(start, 0) : start + 6]
            rims &= np.abs(edges[:, :, 2:] - edges[:, :, :-2]).max(axis=(0, 2)) > max(16, threshold)
    return np.asarray(differs | rims)


def _extended(planes: NDArray[np.int16], strip: Strip, threshold: int) -> Strip:
    """Grow over rows that are of one colour inside and of another beside: ends that fade to the paper."""
    _, rows, _ = planes.shape
    reach = strip.length // 2
    above, below = max(strip.first - reach, 0), min(strip.last + reach, rows)
    block = planes[:, above:below, _core(strip.left, strip.right)]
    middle = np.median(block, axis=2)
    fine = (np.abs(block - middle[:, :, None]).max(axis=0) > max(threshold, 12)).mean(axis=1) < 0.2
    fine &= _seen(planes, strip, np.arange(above, below), middle, threshold)
    first = strip.first - _goes_on(fine[: strip.first - above][::-1], strip.width)
    last = strip.last + _goes_on(fine[strip.last - above :], strip.width)
    return replace(strip, first=first, last=last)


def _goes_on(fine: NDArray[np.bool_], width: int) -> int:
    """How many rows a strip goes on over, across gaps of two rows, or of a separator before another box."""
    if not len(fine):  # the strip reaches the picture's edge
        return 0
    most, box = (2, 1) if width < 8 else (5, 8)
    runs, count = ndimage.label(fine)
    reached = 0
    for rows in ndimage.find_objects(runs)[:count]:
        start, stop = rows[0].start, rows[0].stop
        if start - reached > most or (start - reached > 2 and stop - start < box):
            break
        reached = stop
    return int(reached)


def side_worth(calm: float, rim: float, apart: float) -> float:
    """How well one side of a strip tells it from its surroundings, 0 to 1.

    Parameters
    ----------
    calm, rim, apart : float
        As `Strip` has them for each side.

    Returns
    -------
    float
    """
    return min(1.0, apart / 0.4) * max(calm, 0.9 * rim if rim > 0.8 else 0.0)


def _sides(
    planes: NDArray[np.int16], strip: Strip, rows: NDArray[np.intp]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Shares of rows with a sharp change at the left and the right side, and with one colour outside of it."""
    cols = planes.shape[2]
    rim, calm = [], []
    starts = (strip.left - 3, strip.right - 3)
    for side, start in zip(_beside(strip, cols), starts, strict=True):
        if side is None:
            rim.append(1.0)
            calm.append(1.0)
            continue
        edges = planes[:, rows, max(start, 0) : min(start + 6, cols)]
        jump = np.abs(edges[:, :, 2:] - edges[:, :, :-2]).max(axis=0) > 12
        rim.append(float(jump.mean(axis=0).max()) if jump.size else 0.0)
        outer = np.median(planes[:, rows, side], axis=2)
        middle = np.median(outer, axis=1)
        calm.append(float((np.abs(outer - middle[:, None]).max(axis=0) < 20).mean()))
    return (rim[0], rim[1]), (calm[0], calm[1])
