"""Part of a picture round a colour bar that was found roughly, standing upright: its sides, and its colours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = [
    "LINE_INK",
    "Crop",
    "End",
    "colors_beside",
    "edge_near",
    "fit_sides",
    "line_near",
    "on_paper",
    "profile_along",
]

#: Weights of a line's two edges below this share of the largest are noise.
EDGE_FLOOR = 0.3

#: A line along an edge differs from both sides by this much (8-bit sRGB units).
LINE_INK = 40.0

#: A smooth bar jumps by this much only where it ends (8-bit sRGB units).
LONE_JUMP = 60.0


@dataclass(frozen=True)
class End:
    """One end of the part of a bar that bears values.

    Parameters
    ----------
    at : float
        Row, in the crop.
    error : float
        How well it is known, px.
    open : bool
        Whether a triangle or a box for values beyond joins there.
    note : str
        What is to be said of it.
    """

    at: float
    error: float
    open: bool = False
    note: str = ""


@dataclass(frozen=True, eq=False)
class Crop:
    """Part of the picture round a strip, and the strip's rough place in it.

    Parameters
    ----------
    block : (rows, cols, 3) float array
    left, top, right, bottom : float
        The strip, in pixels of the block.
    factor : int
        How many times smaller the picture was in which it was found.
    lossy : bool
        Whether the picture went through JPEG.
    line : float
        How thick the lines along its sides are, px; 0 where one side has none.
    """

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
        """Of the strip, px."""
        return self.right - self.left

    @property
    def length(self) -> float:
        """Of the strip, px."""
        return self.bottom - self.top


def fit_sides(crop: Crop) -> Crop:
    """The crop with its sides to sub-pixel, and without what only looks like more of the bar at its ends.

    Parameters
    ----------
    crop : Crop

    Returns
    -------
    Crop
    """
    return _without_map(_between_lines(_with_sides(crop)))


def _with_sides(crop: Crop) -> Crop:
    """The crop with the left and right side to sub-pixel."""
    inset = 0.06 * crop.length
    rows = crop.block[int(crop.top + inset) : max(int(crop.bottom - inset), int(crop.top + inset) + 1)]
    change = np.abs(np.diff(rows, axis=1)).max(axis=2)
    profile = (np.median(change, axis=0) + change.mean(axis=0)) / 2
    reach = min(2.0 * crop.factor + 1.5, max(0.4 * crop.width, 1.5))
    inner, outer = min(1.5 * crop.factor + 2.5, max(0.4 * crop.width, 2.0)), 3.5 * crop.factor + 3.0
    some = rows[:: max(1, len(rows) // 200)]
    lines = [line_near(some, crop.left, outer, inner), line_near(some, crop.right, inner, outer)]
    left, right = (
        edge_near(profile, at, reach) if line is None else line[0]
        for at, line in zip((crop.left, crop.right), lines, strict=True)
    )
    if right - left < 0.5 * crop.width:
        return crop
    thick = min((line[1] if line else 0.0) for line in lines)
    return replace(crop, left=left, right=right, line=thick)


def _between_lines(crop: Crop) -> Crop:
    """A crop that ends where the frame round it does: on a map, flat colours beyond may look like more of the strip."""
    if crop.line <= 0 or on_paper(crop):
        return crop
    there, colors = np.ones(len(crop.block), bool), []
    middle = slice(int(crop.top + 0.2 * crop.length), int(crop.bottom - 0.2 * crop.length))
    for side in (crop.left, crop.right):
        line = crop.block[:, min(max(int(side), 0), crop.block.shape[1] - 1)]
        colors.append(np.median(line[middle], axis=0))
        away = np.abs(line - colors[-1]).max(axis=1)
        if not len(away[middle]) or np.percentile(away[middle], 90) > 0.8 * LINE_INK:
            return crop
        there &= away <= LINE_INK
    room = int(3 * crop.factor + 3 + crop.line)
    runs, _ = ndimage.label(ndimage.binary_closing(np.pad(there, room), np.ones(room))[room:-room])
    main = runs[(middle.start + middle.stop) // 2]
    rows = np.flatnonzero(runs == main) if main else np.array([0])
    if len(rows) < 0.4 * crop.length:
        return crop
    crossed = np.abs(profile_along(crop) - np.mean(colors, axis=0)).max(axis=1) <= LINE_INK
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    slack = 2.0 * crop.factor + 2.0
    return replace(
        crop,
        top=float(top) if top > crop.top + slack and crossed[top : top + room].any() else crop.top,
        bottom=float(bottom) if bottom < crop.bottom - slack and crossed[bottom - room : bottom].any() else crop.bottom,
    )


def _without_map(crop: Crop) -> Crop:
    """A crop that ends where a smooth bar on a map jumps to the colours of the map, if they go on within its sides."""
    if on_paper(crop):
        return crop
    profile = profile_along(crop)
    before, after = (ndimage.median_filter(np.roll(profile, by, axis=0), (3, 1)) for by in (2, -1))
    step = np.abs(after - before).max(axis=1)
    inner = slice(max(int(crop.top), 0) + 4, int(crop.bottom) - 3)
    if inner.stop - inner.start < 20:
        return crop
    jumps, count = ndimage.label(step[inner] > max(LONE_JUMP, 8 * float(np.median(step[inner]))))
    if not 0 < count <= 2:
        return crop
    top, bottom = crop.top, crop.bottom
    for place in ndimage.center_of_mass(np.ones(jumps.shape), jumps, np.arange(1, count + 1)):
        at = place[0] + inner.start
        share = (at - crop.top) / crop.length
        if share < 0.2:
            top = max(top, float(at))
        elif share > 0.8:
            bottom = min(bottom, float(at))
    return replace(crop, top=top, bottom=bottom)


def profile_along(crop: Crop) -> NDArray[np.float64]:
    """Colour of every row of the crop, from the part across that marks drawn into the strip leave free.

    Parameters
    ----------
    crop : Crop

    Returns
    -------
    (rows, 3) float array
    """
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


def colors_beside(crop: Crop) -> NDArray[np.float64]:
    """Colours of every row to the left and to the right.

    Parameters
    ----------
    crop : Crop

    Returns
    -------
    (2, rows, 3) float array
    """
    gap = 2 + crop.factor
    low, high = int(crop.left) - gap, int(np.ceil(crop.right)) + gap
    cols = [max(low - 1, 0), min(high, crop.block.shape[1] - 1)]
    return crop.block[:, cols].transpose(1, 0, 2)


def on_paper(crop: Crop) -> bool:
    """Whether one colour goes on along both sides.

    Parameters
    ----------
    crop : Crop

    Returns
    -------
    bool
    """
    beside = colors_beside(crop)
    paper = np.median(beside.reshape(-1, 3), axis=0)
    return bool((np.abs(beside - paper).max(axis=2) < 20).mean() >= 0.7)


def edge_near(change: NDArray[np.float64], at: float, reach: float) -> float:
    """Centre of the changes near a place; the change between pixels i and i + 1 lies at i + 1.

    Parameters
    ----------
    change : (n,) float array
    at, reach : float
        Where, and how far to either side, px.

    Returns
    -------
    float
    """
    for _ in range(2):
        low, high = max(int(np.floor(at - reach)), 0), min(int(np.ceil(at + reach)), len(change))
        near = change[low:high]
        if not len(near) or near.max() <= 0:
            return at
        weight = np.where(near >= EDGE_FLOOR * near.max(), near, 0.0)
        at = float((weight * (np.arange(low, high) + 1)).sum() / weight.sum())
    return at


def line_near(
    lines: NDArray[np.float64], at: float, before: float, after: float, least: float = LINE_INK
) -> tuple[float, float] | None:
    """A line drawn along an edge: its middle and how thick it is.

    Mixtures of the colours at both ends are no line.

    Parameters
    ----------
    lines : (ways, n, 3) float array
        Colours along several ways across the edge.
    at : float
        Where the edge is.
    before, after : float
        How far it is looked for, px.
    least : float
        What differs by less is no line (8-bit sRGB units).

    Returns
    -------
    (float, float) or None
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
