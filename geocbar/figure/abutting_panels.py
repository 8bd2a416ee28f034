"""Panels that share a frame line: a rectangle is cut where a line crosses it and the colours beyond are others."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.layout import PixelBox

__all__ = ["cut_apart"]

#: Panels take at least this share of the width and the height they are cut from.
LEAST_SHARE = 0.12

#: A line has one colour (of 255, all bands) over this share of its length, and is at most so wide (pixels, or share).
ONE_COLOR, WHOLE = 40, 0.97
WIDEST_PX, WIDEST_SHARE = 4, 0.01

#: Colours on both sides of a line between panels differ by this much, so many times as much as elsewhere, and in more
#: than this share of places; those of one map beside a line of its graticule do not.
LEAST_JUMP, JUMP_TIMES, JUMP_SHARE = 24, 3.0, 0.6

#: A line is looked at in at most so many places.
PLACES = 400


def cut_apart(pixels: NDArray[np.uint8], box: PixelBox) -> list[PixelBox]:
    """The panels a rectangle consists of.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    box : PixelBox

    Returns
    -------
    list of PixelBox
        The box itself if it is one map; else they meet in the middle of the line between them.
    """
    height, width = pixels.shape[:2]
    rows, cols = box.slices(width, height)
    inside = pixels[rows, cols]
    edges = [
        [start, *(start + seam for seam in _seams(view)), stop]
        for view, start, stop in (
            (inside, box.left, box.right),
            (inside.transpose(1, 0, 2), box.top, box.bottom),
        )
    ]
    across, down = edges
    if len(across) == 2 and len(down) == 2:
        return [box]
    return [PixelBox(left, top, right, bottom) for top, bottom in pairwise(down) for left, right in pairwise(across)]


def _seams(inside: NDArray[np.uint8]) -> list[float]:
    """Columns at which one panel ends and another begins."""
    rows, cols = inside.shape[:2]
    least = max(int(LEAST_SHARE * cols), 12)
    if rows < 20 or cols < 2 * least:
        return []
    some = inside[:: max(1, rows // PLACES)]
    # Few rows tell which columns cannot be lines; the rest is looked at in all places.
    few = some[:: max(1, len(some) // 40)].astype(np.int16)
    likely = (np.abs(few - np.median(few, axis=0)).max(axis=2) <= ONE_COLOR).mean(axis=0) >= WHOLE - 0.1
    line = np.zeros(cols, bool)
    places = np.flatnonzero(likely)
    if len(places):
        there = some[:, places].astype(np.int16)
        line[places] = (np.abs(there - np.median(there, axis=0)).max(axis=2) <= ONE_COLOR).mean(axis=0) >= WHOLE
    ends = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(np.int8), [0]])))
    seams: list[float] = []
    last = 0.0
    for start, stop in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True):
        middle = (start + stop) / 2
        if stop - start > max(WIDEST_PX, WIDEST_SHARE * cols) or min(middle - last, cols - middle) < least:
            continue
        if _colors_jump(some, start, stop):
            seams.append(middle)
            last = middle
    return seams


def _colors_jump(some: NDArray[np.uint8], start: int, stop: int) -> bool:
    """Whether the colours beyond a line are others than those before it."""
    before, beyond = start - 4, stop + 3
    apart = beyond - before

    def differences(a: int, b: int) -> NDArray[np.int16]:
        return np.asarray(np.abs(some[:, a].astype(np.int16) - some[:, b]).max(axis=1))

    jump = differences(before, beyond)
    usual = max(
        float(np.median(differences(before, before - apart))), float(np.median(differences(beyond, beyond + apart)))
    )
    changed = jump > max(LEAST_JUMP, JUMP_TIMES * usual)
    return bool(changed.mean() >= JUMP_SHARE)
