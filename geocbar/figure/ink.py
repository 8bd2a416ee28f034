"""Ink on locally uniform background: pieces that may be glyphs, and the lines of text they form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from geocbar.figure.layout import PixelBox

__all__ = ["Ink", "chain_pieces", "find_ink"]

#: A piece differs from the background by at least this much in one channel (0-255); less where all ink is faint.
LEAST_CONTRAST = (40, 75)

_MOST_BACKGROUNDS = 3
_LEAST_BACKGROUND = 0.06
_MOST_PIECES = 3000
#: How deep inside its edges a shut box is still looked at, for the lines that leave it, in px.
_RIM = 6


@dataclass(frozen=True, eq=False)
class Ink:
    """Pieces of ink in a window of the picture that stand on one background colour.

    Parameters
    ----------
    contrast : ndarray of float32, shape (h, w)
        Largest difference from the background over the channels.
    labels : ndarray of int32, shape (h, w)
        Number of the piece every pixel belongs to, counted from 1; 0 elsewhere.
    boxes : ndarray of int, shape (n, 4)
        Left, top, right, bottom of the pieces in the window.
    origin : (int, int)
        Column and row of the window's first pixel in the picture.
    others : ndarray of bool, shape (h, w)
        Ink that was taken for a frame or a patch; straight lines and tick marks are not counted.
    region : (int, int, int, int)
        Left, top, right, bottom of the region that was asked for, in the window.
    """

    contrast: NDArray[np.float32]
    labels: NDArray[np.int32]
    boxes: NDArray[np.int64]
    origin: tuple[int, int]
    others: NDArray[np.bool_]
    region: tuple[int, int, int, int]

    def holds(self, pieces: NDArray[np.intp]) -> bool:
        """Whether the middle of what these pieces form lies in the region."""
        boxes = self.boxes[pieces]
        x, y = (boxes[:, :2].min(axis=0) + boxes[:, 2:].max(axis=0)) / 2
        left, top, right, bottom = self.region
        return bool(left <= x <= right and top <= y <= bottom)


def find_ink(
    pixels: NDArray[np.uint8], region: PixelBox, exclude: Sequence[PixelBox] = (), *, strict: bool = False
) -> list[Ink]:
    """Pieces of ink in a region and a margin around it, one :class:`Ink` for each background colour found there.

    What belongs to large shapes (frames, the map, the bar with its tick marks) is left out, and glyphs that touch
    a line are cut from it. The surroundings of the region are looked at too, so that a tick mark is known by the
    frame it hangs on.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)
    region : PixelBox
    exclude : sequence of PixelBox
        Places without text (the bar itself); pieces that touch them are left out.
    strict : bool
        Only pieces whose middle lies in the region.

    Returns
    -------
    list of Ink
        The commonest background first.
    """
    height, width = pixels.shape[:2]
    margin = int(min(max(24.0, 0.3 * min(region.width, region.height)), 80.0))
    left, top = max(0, int(region.left) - margin), max(0, int(region.top) - margin)
    right, bottom = min(width, int(np.ceil(region.right)) + margin), min(height, int(np.ceil(region.bottom)) + margin)
    if right - left < 3 or bottom - top < 3:
        return []
    window = pixels[top:bottom, left:right, :3]
    inner = region.slices(width, height)
    rows = slice(inner[0].start - top, inner[0].stop - top)
    cols = slice(inner[1].start - left, inner[1].stop - left)
    shut = [box for box in exclude if _meets(box, left, top, right, bottom)]
    void = _interior(window.shape[:2], shut, (left, top))
    found = []
    for color in _backgrounds(window[rows, cols][~void[rows, cols]]):
        contrast = np.abs(window.astype(np.int16) - color.astype(np.int16)).max(axis=2).astype(np.float32)
        found.append(_pieces(contrast, (left, top), (rows, cols), shut, strict, void))
    return [ink for ink in found if len(ink.boxes)]


def chain_pieces(boxes: NDArray[np.int64], gap: float) -> list[NDArray[np.intp]]:
    """Join pieces that stand side by side in one upright line of text.

    Parameters
    ----------
    boxes : ndarray, shape (n, 4)
        Left, top, right, bottom.
    gap : float
        Largest gap between neighbours, in heights of the taller of the two; dots stand in wider gaps.

    Returns
    -------
    list of ndarray of int
        Indices of the pieces of every chain, from left to right.
    """
    if len(boxes) == 0:
        return []
    left, top, right, bottom = (boxes[:, k].astype(float) for k in range(4))
    tall = bottom - top
    size = np.maximum(tall, right - left)
    usual = float(np.median(size[size >= 0.5 * np.median(size)]))
    between = np.maximum(left[:, None], left[None]) - np.minimum(right[:, None], right[None])
    overlap = np.minimum(bottom[:, None], bottom[None]) - np.maximum(top[:, None], top[None])
    lower, higher = np.minimum(tall[:, None], tall[None]), np.maximum(tall[:, None], tall[None])
    middle = (top + bottom) / 2
    taller = tall[:, None] >= tall[None]
    reach = 0.3 * higher
    small_inside = np.where(
        taller,
        (middle[None] > top[:, None] - reach) & (middle[None] < bottom[:, None] + reach),
        (middle[:, None] > top[None] - reach) & (middle[:, None] < bottom[None] + reach),
    )
    tiny = (tall < 0.4 * usual) & (right - left < 0.4 * usual)
    wider = np.where(tiny[:, None] ^ tiny[None], 1.45, 1.0)
    level = (overlap >= 0.5 * lower) | ((lower < 0.5 * higher) & small_inside)
    # A raised digit may overlap its base by little, but stands close to it.
    level |= (overlap >= 0.2 * lower) & (lower <= 0.9 * higher) & (between <= 0.35 * higher)
    alike = (higher <= 2.6 * lower) | (lower < 0.5 * higher)
    raised = np.abs(bottom[:, None] - bottom[None]) > 0.25 * higher
    size_of_gap = np.where((lower >= 0.6 * higher) & ~raised, lower, higher)
    joined = level & alike & (between <= gap * wider * size_of_gap)
    _, numbers = connected_components(csr_matrix(joined), directed=False)
    chains = [np.flatnonzero(numbers == k) for k in range(int(numbers.max()) + 1)]
    return [chain[np.argsort(left[chain])] for chain in chains]


def _backgrounds(window: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Commonest colours of the window that are not neighbours of each other."""
    flat = window.reshape(-1, 3)
    keys = (flat[:, 0].astype(np.int32) >> 3) * 1024 + (flat[:, 1].astype(np.int32) >> 3) * 32 + (flat[:, 2] >> 3)
    counts = np.bincount(keys, minlength=32768)
    colors: list[NDArray[np.uint8]] = []
    for key in np.argsort(counts)[::-1][:24]:
        if counts[key] < _LEAST_BACKGROUND * len(flat) or len(colors) >= _MOST_BACKGROUNDS:
            break
        color = np.median(flat[keys == key], axis=0).astype(np.uint8)
        if all(int(np.abs(color.astype(int) - other.astype(int)).max()) > LEAST_CONTRAST[0] for other in colors):
            colors.append(color)
    return colors


def _interior(shape: tuple[int, ...], shut: Sequence[PixelBox], origin: tuple[int, int]) -> NDArray[np.bool_]:
    """What lies well inside the shut boxes: neither text nor a line that leaves them."""
    void = np.zeros(shape, bool)
    for box in shut:
        top, left = int(np.ceil(box.top)) + _RIM - origin[1], int(np.ceil(box.left)) + _RIM - origin[0]
        bottom, right = int(box.bottom) - _RIM - origin[1], int(box.right) - _RIM - origin[0]
        void[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True
    return void


def _meets(box: PixelBox, left: int, top: int, right: int, bottom: int) -> bool:
    return box.left < right and box.right > left and box.top < bottom and box.bottom > top


def _pieces(
    contrast: NDArray[np.float32],
    origin: tuple[int, int],
    inner: tuple[slice, slice],
    shut: Sequence[PixelBox],
    strict: bool,
    void: NDArray[np.bool_],
) -> Ink:
    """Label the glyph-like pieces; drop or cut what is larger."""
    faint, clear = LEAST_CONTRAST
    least = float(np.clip(0.33 * np.percentile(contrast[inner], 99), faint, clear))
    mask = _clear_ink(np.where(void, np.float32(0), contrast), faint, least)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    slices = ndimage.find_objects(labels)
    size = _sizes(slices)
    area = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    usual = _usual_height(size)
    closed, hanging = _closed(mask, shut, origin, usual)
    shut_out = np.isin(np.arange(1, count + 1), np.unique(labels[closed]))
    large = _large(size, area, usual)
    fresh = np.zeros(mask.shape, bool)
    for k in np.flatnonzero(shut_out):
        fresh[slices[k]] |= (labels[slices[k]] == k + 1) & ~hanging[slices[k]]
    for k in np.flatnonzero(large & ~shut_out):
        if area[k] < 0.4 * size[k, 0] * size[k, 1]:
            fresh[slices[k]] |= _cut_from_lines(labels[slices[k]] == k + 1, usual)
    straight = np.r_[False, size.min(axis=1) < 0.14 * size.max(axis=1)]
    keep = np.r_[False, ~(large | shut_out) & ((area >= 2) | _strong(contrast, slices))]
    again, count = ndimage.label((keep[labels] | _glyph_sized(fresh, usual)) & ~closed, np.ones((3, 3)))
    boxes = np.array(
        [[s[1].start, s[0].start, s[1].stop, s[0].stop] for s in ndimage.find_objects(again)], np.int64
    ).reshape(-1, 4)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = (middle[:, 0] >= inner[1].start) & (middle[:, 0] <= inner[1].stop)
    inside &= (middle[:, 1] >= inner[0].start) & (middle[:, 1] <= inner[0].stop)
    if not strict:
        inside[:] = True
    if inside.sum() > _MOST_PIECES:
        inside[:] = False
    numbers = np.zeros(count + 1, np.int32)
    numbers[np.flatnonzero(inside) + 1] = np.arange(1, int(inside.sum()) + 1)
    others = mask & (again == 0) & ~hanging & ~straight[labels]
    region = (inner[1].start, inner[0].start, inner[1].stop, inner[0].stop)
    return Ink(contrast, numbers[again], boxes[inside], origin, others, region)


def _clear_ink(contrast: NDArray[np.float32], faint: float, clear: float) -> NDArray[np.bool_]:
    """Clear ink, and faint ink that stands alone (the dots of small print) but joins nothing that is clear."""
    mask = np.asarray(contrast > clear)
    labels, count = ndimage.label(contrast > faint, np.ones((3, 3)))
    alone = np.ones(count + 1, bool)
    alone[np.unique(labels[mask])] = False
    alone[0] = False
    usual = _usual_height(_sizes(ndimage.find_objects(ndimage.label(mask, np.ones((3, 3)))[0])))
    alone[1:] &= _sizes(ndimage.find_objects(labels)).max(axis=1, initial=0) <= max(2.0, 0.3 * usual)
    return np.asarray(mask | alone[labels])


def _closed(
    mask: NDArray[np.bool_], shut: Sequence[PixelBox], origin: tuple[int, int], usual: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Pixels of the shut boxes; the same with the lines that leave them (tick marks, frames)."""
    closed = np.zeros(mask.shape, bool)
    hanging = np.zeros(mask.shape, bool)
    for box in shut:
        left, right = max(0, int(box.left) - origin[0] - 1), max(0, int(np.ceil(box.right)) - origin[0] + 1)
        top, bottom = max(0, int(box.top) - origin[1] - 1), max(0, int(np.ceil(box.bottom)) - origin[1] + 1)
        closed[top:bottom, left:right] = True
        spans = {0: (top, bottom, slice(left, right)), 1: (left, right, slice(top, bottom))}
        for axis, (low, high, across) in spans.items():
            lines, ink = (hanging, mask) if axis == 0 else (hanging.T, mask.T)
            _follow(lines[high:, across], ink[high:, across], usual)
            _follow(lines[:low, across][::-1], ink[:low, across][::-1], usual)
    return closed, hanging | closed


def _follow(lines: NDArray[np.bool_], ink: NDArray[np.bool_], usual: float) -> None:
    """Mark, from the first row on, ink that goes straight on; what grows wider or thinner on its way is no line."""
    runs = [(start, stop) for start, stop in _runs(ink[0])] if ink.shape[0] else []
    row = 0
    while runs:
        for start, stop in runs:
            lines[row, start:stop] = True
        row += 1
        if row == ink.shape[0]:
            return
        following = []
        for start, stop in _runs(ink[row]):
            parents = [run for run in runs if run[0] < stop and run[1] > start]
            for first, last in parents[:1]:
                wide = last - first > usual
                if start >= first - 1 and stop <= last + 1 and (wide or stop - start >= 0.6 * (last - first)):
                    following.append((max(start, first), min(stop, last)))
        runs = following


def _runs(row: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.r_[0, row.astype(np.int8), 0]))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _strong(contrast: NDArray[np.float32], slices: Sequence[tuple[slice, slice]]) -> NDArray[np.bool_]:
    """Pieces dark enough to count even if they are a single pixel."""
    return np.array([contrast[part].max() > 55 for part in slices], bool)


def _glyph_sized(mask: NDArray[np.bool_], usual: float) -> NDArray[np.bool_]:
    """What is left of cut pieces, without what is no glyph."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    keep = np.zeros(count + 1, bool)
    for number, (rows, cols) in enumerate(ndimage.find_objects(labels), start=1):
        height, width = rows.stop - rows.start, cols.stop - cols.start
        keep[number] = 0.5 * usual <= height <= 1.7 * usual and width <= 8 * usual and width >= 0.2 * usual
    return np.asarray(keep[labels])


def _sizes(slices: Sequence[tuple[slice, slice]]) -> NDArray[np.int64]:
    """Heights and widths."""
    return np.array([[r.stop - r.start, c.stop - c.start] for r, c in slices], np.int64).reshape(-1, 2)


def _usual_height(size: NDArray[np.int64]) -> float:
    tall = size[(size[:, 0] >= 5) & (size[:, 0] <= 120) & (size[:, 1] <= 2.5 * size[:, 0]), 0]
    if not len(tall):
        return 10.0
    return float(np.median(tall[tall >= 0.6 * np.percentile(tall, 75)]))


def _large(size: NDArray[np.int64], area: NDArray[np.int64], usual: float) -> NDArray[np.bool_]:
    """Pieces that are no glyphs: lines, frames, patches."""
    long, short = size.max(axis=1), size.min(axis=1)
    thin = (long > 2.2 * usual) & (short < 0.14 * long)
    hollow = (long > 3 * usual) & (area < 0.14 * size[:, 0] * size[:, 1])
    return np.asarray(thin | hollow | (long > 6 * usual))


def _cut_from_lines(piece: NDArray[np.bool_], usual: float) -> NDArray[np.bool_]:
    """Glyphs that touch a line: what is left without long straight runs and without the ticks that hang on them."""
    run = int(max(12, 2.2 * usual))
    lines = np.zeros(piece.shape, bool)
    for structure in (np.ones((1, run)), np.ones((run, 1))):
        if piece.shape[0] >= structure.shape[0] and piece.shape[1] >= structure.shape[1]:
            lines |= ndimage.binary_opening(piece, structure)
    if not lines.any():
        return np.zeros(piece.shape, bool)
    thickness = 2 * float(ndimage.distance_transform_cdt(np.pad(lines, 1), "chessboard").max()) - 1
    rest, _ = ndimage.label(piece & ~lines, np.ones((3, 3)))
    kept = np.zeros(piece.shape, bool)
    for number, (rows, cols) in enumerate(ndimage.find_objects(rest), start=1):
        height, width = rows.stop - rows.start, cols.stop - cols.start
        if 0.5 * usual <= height <= 1.6 * usual and width <= 8 * usual and min(height, width) > thickness + 1:
            kept[rows, cols] |= rest[rows, cols] == number
    return kept
