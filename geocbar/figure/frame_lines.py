"""The line around a map: where exactly it runs, on a rectangle's sides or along an outline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.fancy_frames import agreed_fancy_sides, fancy_side
from geocbar.figure.layout import PixelBox
from geocbar.figure.outlines import inward_normals

__all__ = ["box_on_lines", "outline_on_line"]

#: Widest frame line and widest fancy frame, as shares of the map's size.
WIDEST_LINE = 0.01
WIDEST_FANCY = 0.05

#: A side is looked at in at most so many places along it.
PLACES = 800


@dataclass(frozen=True, eq=False)
class _Side:
    """One side of a box: rows counted inward, from outside the silhouette, and how a row's place is told on the page.

    The corners are left out of `middle`, a slice of the columns.
    """

    colors: NDArray[np.int16]
    inked: NDArray[np.bool_]
    middle: slice
    start: float
    sign: int

    def place(self, row: float) -> float:
        return self.start + self.sign * row


def box_on_lines(
    pixels: NDArray[np.uint8],
    ink: NDArray[np.bool_],
    paper: NDArray[np.int16],
    edges: Sequence[int],
    factor: int,
    notes: list[str],
) -> PixelBox:
    """Move each side of a silhouette's box onto the frame's line, or leave it at the edge of the colours.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    ink : (h, w) bool array
        Pixels that are not paper.
    paper : (3,) int16 array
    edges : sequence of int
        Left, top, right, bottom of the silhouette, in pixels.
    factor : int
        How far they may be off, in pixels.
    notes : list of str
        What was found is added.

    Returns
    -------
    PixelBox
    """
    height, width = ink.shape
    left, top, right, bottom = edges[0], edges[1], min(edges[2], width), min(edges[3], height)
    depth = max(8, round((WIDEST_FANCY + WIDEST_LINE) * min(right - left, bottom - top)))
    whole = [(left, width, 1, slice(top, bottom), 1), (top, height, 0, slice(left, right), 1)]
    whole += [(right, width, 1, slice(top, bottom), -1), (bottom, height, 0, slice(left, right), -1)]
    sides = [_side(pixels, ink, at, size, axis, along, sign, factor, depth) for at, size, axis, along, sign in whole]
    fancy = agreed_fancy_sides(
        [None if side is None else fancy_side(side.colors, side.inked, paper, depth) for side in sides],
        [None if side is None else np.abs(side.colors - paper).max(axis=2) for side in sides],
        notes,
    )
    values, kinds = [], set()
    for number, side in enumerate(sides):
        inner = fancy[number]
        if side is None:
            place, what = float((0, 0, width, height)[number]), "the picture's edge"
        elif inner is not None:
            place, what = side.place(inner), "inner line of a fancy frame"
        else:
            row, what = _line_from_outside(side.colors[:, side.middle], side.inked[:, side.middle], paper, depth)
            place = side.place(row)
        values.append(place)
        kinds.add(what)
    notes.append("sides: " + ", ".join(sorted(kinds)))
    return PixelBox(values[0], values[1], values[2], values[3])


def _side(
    pixels: NDArray[np.uint8],
    ink: NDArray[np.bool_],
    at: int,
    size: int,
    axis: int,
    along: slice,
    sign: int,
    factor: int,
    depth: int,
) -> _Side | None:
    """The strip along one side of a box; None where the picture ends there."""
    margin = factor + 3
    if (at <= factor and sign > 0) or (at >= size - factor and sign < 0):
        return None
    start, stop = (at - margin, at + depth) if sign > 0 else (at - depth, at + margin)
    across = slice(max(start, 0), min(stop, size))
    places = slice(along.start, along.stop, max(1, (along.stop - along.start) // PLACES))
    if axis:
        colors, inked = pixels[places, across].transpose(1, 0, 2), ink[places, across].T
    else:
        colors, inked = pixels[across, places], ink[across, places]
    count = colors.shape[1]
    middle = slice(count // 8, count - count // 8)
    origin = across.start if sign > 0 else across.stop
    return _Side(colors[::sign].astype(np.int16), inked[::sign], middle, float(origin), sign)


def _line_from_outside(
    colors: NDArray[np.int16], inked: NDArray[np.bool_], paper: NDArray[np.int16], depth: int
) -> tuple[float, str]:
    """Place of the frame's line, in rows counted inward, and what was found there."""
    share = inked.mean(axis=1)
    rows = np.flatnonzero(share >= 0.5 * min(1.0, float(np.sort(share)[-3:].mean())))
    first = int(rows[0]) if len(rows) else 0
    contrast = np.abs(colors - paper).max(axis=2)
    level = float(np.median(contrast[first : first + 2].max(axis=0)))
    # The colour of the line is that of its strongest row.
    window = range(first, min(first + 3, len(colors)))
    strongest = max(window, key=lambda row: float(np.median(contrast[row])))
    tint = np.median(colors[strongest], axis=0)
    is_line = (np.abs(colors - tint).max(axis=2) <= 40).mean(axis=1) >= 0.6
    stop = strongest
    while stop < len(colors) and is_line[stop]:
        stop += 1
    thickness = stop - first
    beyond = colors[min(stop + 1, len(colors) - 1)]
    blurred = (np.abs(beyond - tint).max(axis=1) <= 60).mean() > 0.5
    widest = max(4, WIDEST_LINE / (WIDEST_LINE + WIDEST_FANCY) * depth)
    if blurred or not is_line[strongest] or thickness > widest or level < 10:
        return float(first), "edge of the colours"
    return (first + stop) / 2, "line"


def outline_on_line(
    outline: NDArray[np.float64], pixels: NDArray[np.uint8], ink: NDArray[np.bool_], factor: int, notes: list[str]
) -> NDArray[np.float64]:
    """Move an outline inward onto the middle of the line it follows, or onto the edge of the colours.

    Parameters
    ----------
    outline : (n, 2) float array
        Traced and smoothed, closed polygon.
    pixels : (h, w, 3) uint8 array
    ink : (h, w) bool array
        Pixels that are not paper.
    factor : int
        How far it may be off, in pixels.
    notes : list of str
        What was found is added.

    Returns
    -------
    (n, 2) float array
    """
    height, width = ink.shape
    normals = inward_normals(outline)
    some = slice(None, None, max(1, len(outline) // 400))
    depth = 2 * factor + max(6, round(WIDEST_LINE * float(np.ptp(outline, axis=0).min())))
    steps = np.arange(-1.5, depth)
    points = outline[some, None] + steps[:, None] * normals[some, None]
    cols = np.clip(points[..., 0].astype(np.intp), 0, width - 1)
    rows = np.clip(points[..., 1].astype(np.intp), 0, height - 1)
    inked = ink[rows, cols]
    first = np.argmax(inked, axis=1)
    each = np.arange(len(first))
    colors = pixels[rows, cols].astype(np.int16)
    tint = colors[each, np.minimum(first + 1, len(steps) - 1)]
    same = np.abs(colors - tint[:, None]).max(axis=2) <= 60
    same |= np.arange(len(steps)) <= first[:, None]
    runs = np.where(same.all(axis=1), len(steps), np.argmin(same, axis=1)) - first
    begin = float(np.median(steps[first][inked.any(axis=1)])) - 0.5 if inked.any() else 0.0
    thickness = float(np.median(runs))
    line = thickness < 0.6 * depth and float((np.abs(runs - thickness) <= 1.5).mean()) >= 0.5
    notes.append("outline: " + ("line" if line else "edge of the colours"))
    return outline + (begin + (thickness / 2 if line else 0.0)) * normals
