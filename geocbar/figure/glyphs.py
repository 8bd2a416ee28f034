"""Single glyphs of a label: digits, dots, minus signs and raised digits, told apart by size and place alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["INK_LEVEL", "Glyphs", "describe_glyphs", "ends_raised", "leads_with_minus", "raised_column", "resample"]

_WORK_HEIGHT = 60
#: Darkness from which a pixel counts as ink.
INK_LEVEL = 0.42


@dataclass(frozen=True)
class Glyphs:
    """Separate pieces of ink of one upright line of text, from left to right.

    Parameters
    ----------
    boxes : tuple of (left, top, right, bottom)
        In pixels of the crop that was described.
    kinds : str
        One letter each: ``d`` full-height glyph, ``.`` dot or comma, ``-`` minus sign, ``s`` raised digit,
        ``m`` raised minus sign, ``o`` small raised ring, ``?`` anything else.
    top, base : float
        Rows between which the full-height glyphs stand.
    """

    boxes: tuple[tuple[float, float, float, float], ...]
    kinds: str
    top: float
    base: float

    @property
    def digit_px(self) -> float:
        """Height of the digits in pixels."""
        return self.base - self.top

    def raised_from(self) -> int | None:
        """Index of the first of the raised glyphs that end the line; None without any behind two full ones."""
        end = len(self.kinds)
        start = end
        while start > 0 and self.kinds[start - 1] in "sm":
            start -= 1
        if start == end or "s" not in self.kinds[start:] or self.kinds[:start].count("d") < 2:
            return None
        low_minus = self.kinds[start] == "s" and self.kinds[start - 1] == "-"
        return start - 1 if low_minus and self.kinds[: start - 1].count("d") >= 2 else start


def resample(gray: NDArray[np.floating], height: int, width: int) -> NDArray[np.float32]:
    """Resize by cubic convolution, averaging where it shrinks.

    Parameters
    ----------
    gray : ndarray of float, shape (h, w)
    height, width : int
        The new size in pixels.

    Returns
    -------
    ndarray of float32, shape (height, width)
    """
    rows, cols = _weights(gray.shape[0], height), _weights(gray.shape[1], width)
    return np.asarray(rows @ np.asarray(gray, np.float32) @ cols.T, np.float32)


def describe_glyphs(ink: NDArray[np.floating], level: float = INK_LEVEL) -> Glyphs | None:
    """Tell the glyphs of one upright line of text apart.

    Parameters
    ----------
    ink : ndarray of float, shape (h, w)
        Darkness from 0 (background) to 1 (full ink).
    level : float
        Darkness from which a pixel counts as ink.

    Returns
    -------
    Glyphs or None
        None without any ink.
    """
    step = max(1, math.ceil(_WORK_HEIGHT / ink.shape[0]))
    large = resample(ink, ink.shape[0] * step, ink.shape[1] * step) if step > 1 else np.asarray(ink, np.float32)
    labels, _ = ndimage.label(large > level, np.ones((3, 3)))
    boxes = []
    for rows, cols in ndimage.find_objects(labels):
        if (rows.stop - rows.start) * (cols.stop - cols.start) >= 12:
            boxes.append((cols.start / step, rows.start / step, cols.stop / step, rows.stop / step))
    if not boxes:
        return None
    boxes = sorted(box for box in boxes if not any(_lies_in(box, other) for other in boxes))
    tallest = max(bottom - top for _, top, _, bottom in boxes)
    full = [box for box in boxes if box[3] - box[1] > 0.8 * tallest]
    top, base = float(np.median([box[1] for box in full])), float(np.median([box[3] for box in full]))
    return Glyphs(tuple(boxes), "".join(_kind(box, tallest, top, base) for box in boxes), top, base)


def leads_with_minus(ink: NDArray[np.floating]) -> bool:
    """Whether the first columns of an upright label hold a flat bar at half height, even if it touches a digit."""
    step = max(1, math.ceil(48 / ink.shape[0]))
    large = resample(ink, ink.shape[0] * step, ink.shape[1] * step) if step > 1 else np.asarray(ink, np.float32)
    return any(_flat_start(large > level) for level in (0.35, 0.5, 0.65))


def ends_raised(ink: NDArray[np.floating], digit_px: float) -> bool:
    """Whether the last columns of an upright label stop well above its base line, even if the glyphs touch."""
    dark = ink > INK_LEVEL
    rows, cols = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    if not len(rows):
        return False
    tail = dark[:, max(0, cols[-1] + 1 - round(0.45 * digit_px)) : cols[-1] + 1]
    lowest = np.flatnonzero(tail.any(axis=1))[-1]
    return bool(rows[-1] - lowest > 0.24 * digit_px)


def raised_column(ink: NDArray[np.floating], digit_px: float) -> int | None:
    """Column from which on all ink of an upright label stands well above its base line, even if the glyphs touch.

    Parameters
    ----------
    ink : ndarray of float, shape (h, w)
        Darkness from 0 to 1.
    digit_px : float
        Height of the digits.

    Returns
    -------
    int or None
        None if the label does not end raised, or has too little ink before or behind that column.
    """
    if not ends_raised(ink, digit_px):
        return None
    dark = ink > INK_LEVEL
    some = np.asarray(dark.any(axis=0))
    lowest = np.where(some, ink.shape[0] - 1 - dark[::-1].argmax(axis=0), -1)
    column = int(np.flatnonzero(lowest > lowest.max() - 0.22 * digit_px)[-1]) + 1
    before, behind = int(some[:column].sum()), int(some[column:].sum())
    return column if before >= 0.7 * digit_px and behind >= 0.2 * digit_px else None


def _lies_in(box: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Dots and dashes inside a nought."""
    return box[0] > other[0] and box[1] > other[1] and box[2] < other[2] and box[3] < other[3]


def _kind(box: tuple[float, float, float, float], tallest: float, top: float, base: float) -> str:
    left, upper, right, lower = box
    height, width, middle = lower - upper, right - left, (upper + lower) / 2
    if height < 0.33 * tallest and width > 0.22 * tallest and width > 1.5 * height:
        if middle <= top + 0.36 * tallest:
            return "m"
        return "-" if middle < base - 0.12 * tallest else "?"
    if height < 0.42 * tallest and width < 0.42 * tallest and base - middle < 0.3 * tallest:
        return "."
    if height < 0.88 * tallest and base - lower > 0.2 * tallest:
        if height > 0.48 * tallest:
            return "s"
        return "o" if height > 0.2 * tallest and 0.6 * height < width < 1.5 * height else "?"
    return "d" if height >= 0.7 * tallest else "?"


def _flat_start(ink: NDArray[np.bool_]) -> bool:
    height = ink.shape[0]
    some = np.asarray(ink.any(axis=0))
    if not some.any():
        return False
    start = int(some.argmax())
    part = ink[:, start : start + height]
    some = some[start : start + height]
    first = part.argmax(axis=0)
    last = height - 1 - part[::-1].argmax(axis=0)
    extent = np.where(some, (last - first + 1) / height, 0.0)
    middle = (first + last) / 2 / height
    flat = np.asarray(some & (extent < 0.34) & (middle > 0.33) & (middle < 0.72))
    stop = int(np.flatnonzero(np.r_[~flat, True])[0])
    if stop < 0.22 * height or stop >= len(flat) or np.std(middle[:stop]) >= 0.05:
        return False
    if extent[stop] > 0 and (middle[:stop].mean() > 0.64 or stop < 0.3 * height):
        return False
    return bool(extent[stop] == 0 or extent[stop] > 0.55 or abs(extent[stop] - extent[stop - 1]) > 0.2)


def _weights(old: int, new: int) -> NDArray[np.float32]:
    """Cubic weights (new, old); wider than one pixel where the picture shrinks."""
    scale = old / new
    reach = max(1.0, scale)
    centres = (np.arange(new) + 0.5) * scale - 0.5
    x = np.abs(centres[:, None] - np.arange(old)[None, :]) / reach
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
