"""Labels of longitude and latitude around maps that are no rectangles: fans, ovals, discs.

Text that stands upright on the page is read as it is. Labels turned along the outline, as GMT writes them, are read
in the paper beside each side of the outline, straightened: the way along the side is one axis of the strip, the
distance from the outline the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.figure.degrees import Degree, parse_degrees
from geocbar.figure.frame_labels import FrameLabel, FrameSide, degree_readings, read_frame_side
from geocbar.figure.layout import PixelBox
from geocbar.figure.marks import SIDES
from geocbar.figure.outlines import pixels_inside
from geocbar.figure.words import ReadText, Word, find_words

__all__ = ["read_outline_sides"]

Array = NDArray[np.float64]

#: An outline turns by more than this at a corner, degrees, within this share of its length to either side.
_CORNER_DEGREES, _CORNER_SPAN = 35.0, 0.012
#: How far from the outline text is looked for: px, share of the outline's larger side.
_REACH_PX, _REACH_SHARE = 50.0, 0.1
#: Labels stand at most so far from the outline, in glyph heights.
_FAR_GLYPHS = 2.6
#: A label so near to a corner, in glyph heights, names the outline itself.
_AT_CORNER = 1.8
#: Where both parts of the outline's normal exceed this, a label's nearest corner tells its place, else its near edge.
_OBLIQUE = 0.35
#: Depth of the map's part of a straightened strip, and pixels of the strip for one of the picture.
_DEPTH = 60
_FINER = 2
#: Sides with fewer labels upright on the page are straightened.
_FEW = 3


@dataclass(frozen=True, eq=False)
class _Side:
    """A part of the outline: points (n, 2) one pixel apart, left to right or downwards, and normals out of the map."""

    name: str
    points: Array
    outward: Array
    cornered: bool


def read_outline_sides(
    pixels: NDArray[np.uint8],
    outline: Array,
    read: ReadText | None,
    *,
    words: Sequence[Word] | None = None,
    obstacles: Sequence[PixelBox] = (),
    lossy: bool = False,
) -> dict[str, FrameSide]:
    """Read the labels around an outline, side by side.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    outline : (k, 2) float array
        Corners (x, y) of the map's outline in pixels, not closed.
    read : callable or None
        Text engine; None if `words` are given.
    words : sequence of Word or None
        All text of the page, where it is known.
    obstacles : sequence of PixelBox
        Colour bars and other maps.
    lossy : bool
        Whether the picture went through JPEG.

    Returns
    -------
    dict of FrameSide
        By side; each label knows where on the outline it stands, and which way leads into the map.
    """
    sides = _sides_of(np.asarray(outline, dtype=np.float64))
    clean = _without_inside(pixels, outline)
    found = _upright_words(clean, outline, read, words, obstacles)
    result = {}
    for name in SIDES:
        own = [side for side in sides if side.name == name]
        labels = [label for side in own for label in _upright_labels(side, sides, found)]
        turned: list[FrameLabel] = []
        if len(labels) < _FEW and read is not None and words is None:
            turned = [label for side in own for label in _turned_labels(clean, side, read, obstacles, lossy)]
        best = max((labels, turned), key=len)
        titles = () if words is None and not found else tuple(w.text for w in found if not parse_degrees(w.text))
        result[name] = FrameSide(name, tuple(sorted(best, key=lambda label: label.middle)), np.array([]), titles, False)
    return result


def _sides_of(outline: Array) -> list[_Side]:
    """The outline cut at its corners, or where its normal leaves a quadrant if it does not have four."""
    points = _resampled(outline)
    after = np.roll(points, -1, axis=0)
    area = float((points[:, 0] * after[:, 1] - after[:, 0] * points[:, 1]).sum())
    if area < 0:
        points = points[::-1]
    span = max(3, round(_CORNER_SPAN * len(points)))
    ahead, behind = np.roll(points, -span, axis=0) - points, points - np.roll(points, span, axis=0)
    turn = np.degrees(np.abs(np.angle(np.exp(1j * (_angle(ahead) - _angle(behind))))))
    along = np.roll(points, -4, axis=0) - np.roll(points, 4, axis=0)
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1)
    outward /= np.maximum(np.hypot(*outward.T), 1e-9)[:, None]
    corners = _peaks(turn, span)
    if len(corners) == 4:
        parts = [np.arange(a, b if b > a else b + len(points)) % len(points)
                 for a, b in zip(corners, np.roll(corners, -1), strict=True)]  # fmt: skip
        means = np.array([outward[part].mean(axis=0) for part in parts])
        first = int(np.argmax(means[:, 1]))
        # Clockwise on the page: after the bottom comes the left side.
        names = [("bottom", "left", "top", "right")[(k - first) % 4] for k in range(4)]
    else:
        level = np.abs(outward[:, 1]) > np.abs(outward[:, 0])
        name = np.where(level, np.where(outward[:, 1] > 0, 0, 2), np.where(outward[:, 0] < 0, 1, 3))
        cut = np.flatnonzero(name != np.roll(name, 1))
        bounds = list(zip(cut, np.roll(cut, -1), strict=True))
        parts = [np.arange(a, b if b > a else b + len(points)) % len(points) for a, b in bounds]
        names = [("bottom", "left", "top", "right")[int(name[part[0]])] for part in parts]
    sides = []
    for title, part in zip(names, parts, strict=True):
        if len(part) >= 20:
            # The outline runs clockwise: leftwards along the bottom, upwards along the left.
            ordered = part[::-1] if title in ("bottom", "left") else part
            sides.append(_Side(title, points[ordered], outward[ordered], len(corners) == 4))
    return sides


def _angle(vectors: Array) -> Array:
    return np.arctan2(vectors[:, 1], vectors[:, 0])


def _resampled(outline: Array) -> Array:
    """The closed outline in steps of a pixel."""
    closed = np.concatenate([outline, outline[:1]])
    steps = np.hypot(*np.diff(closed, axis=0).T)
    way = np.r_[0.0, np.cumsum(steps)]
    keep = np.r_[True, steps > 0]
    at = np.arange(0.0, way[-1], 1.0)
    return np.stack([np.interp(at, way[keep], closed[keep, k]) for k in (0, 1)], axis=1)


def _peaks(turn: Array, span: int) -> NDArray[np.intp]:
    """Places of the corners, the middle of each stretch that turns sharply."""
    sharp = turn > _CORNER_DEGREES
    if not sharp.any() or sharp.all():
        return np.array([], dtype=np.intp)
    shift = int(np.flatnonzero(~sharp)[0])
    marks, count = ndimage.label(np.roll(sharp, -shift))
    peaks = [int(np.median(np.flatnonzero(marks == k + 1))) for k in range(count)]
    return np.sort((np.array(peaks, dtype=np.intp) + shift) % len(turn))


def _without_inside(pixels: NDArray[np.uint8], outline: Array) -> NDArray[np.uint8]:
    """The picture with the map painted over by paper, but for a rim: what hangs on the rim is no text."""
    height, width = pixels.shape[:2]
    inside = pixels_inside(outline, width, height)
    ring = ndimage.binary_dilation(inside, iterations=12) & ~ndimage.binary_dilation(inside, iterations=4)
    clean = pixels.copy()
    if ring.any():
        clean[ndimage.binary_erosion(inside, iterations=4)] = np.median(pixels[ring], axis=0)
    return clean


def _upright_words(
    clean: NDArray[np.uint8],
    outline: Array,
    read: ReadText | None,
    words: Sequence[Word] | None,
    obstacles: Sequence[PixelBox],
) -> list[Word]:
    """Words around the outline as they stand on the page."""
    height, width = clean.shape[:2]
    (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
    reach = max(_REACH_PX, _REACH_SHARE * max(right - left, bottom - top))
    region = PixelBox(
        max(left - 1.5 * reach, 0.0),
        max(top - reach, 0.0),
        min(right + 1.5 * reach, width),
        min(bottom + reach, height),
    )
    if words is None:
        found = find_words(clean, region, read, exclude=list(obstacles)) if read is not None else []
    else:
        found = [
            w for w in words if region.left <= w.box.left <= region.right and region.top <= w.box.top <= region.bottom
        ]
    inside = pixels_inside(outline, width, height)
    kept = []
    for word in found:
        x, y = (word.box.left + word.box.right) / 2, (word.box.top + word.box.bottom) / 2
        row, col = min(max(int(y), 0), height - 1), min(max(int(x), 0), width - 1)
        if not inside[row, col]:
            kept.append(word)
    return kept


def _foot(word: Word, side: _Side) -> tuple[int, float]:
    """Index of the side's point a word stands at, and the distance from its near edge."""
    box = word.box
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    edge = {
        "left": (box.right, y),
        "right": (box.left, y),
        "top": (x, box.bottom),
        "bottom": (x, box.top),
    }[side.name]
    apart = np.hypot(*(side.points - edge).T)
    k = int(np.argmin(apart))
    if np.abs(side.outward[k]).min() > _OBLIQUE:
        x, y = side.points.T
        beside = np.maximum(np.maximum(box.left - x, x - box.right), 0.0)
        apart = np.hypot(beside, np.maximum(np.maximum(box.top - y, y - box.bottom), 0.0))
        k = int(np.argmin(apart))
    return k, float(apart[k])


def _upright_labels(side: _Side, sides: Sequence[_Side], words: Sequence[Word]) -> list[FrameLabel]:
    """Words near the side and to no other side nearer, that are angles."""
    labels = []
    for word in words:
        if word.turned or not parse_degrees(word.text):
            continue
        k, away = _foot(word, side)
        if away > _FAR_GLYPHS * word.glyph_px + 4 or k in (0, len(side.points) - 1):
            continue
        if any(_foot(word, other)[1] < away - 1 for other in sides if other is not side):
            continue
        labels.append(_placed(side, k, word.text, degree_readings(word), word.glyph_px, word.checks))
    sizes = [label.glyph_px for label in labels]
    usual = float(np.median(sizes)) if sizes else 0.0
    return [label for label in labels if abs(label.glyph_px - usual) <= 0.35 * usual + 1]


def _placed(
    side: _Side, k: int, text: str, readings: tuple[Degree, ...], glyph_px: float, checks: tuple[str, ...]
) -> FrameLabel:
    x, y = side.points[k]
    inward: tuple[float, float] | None = (float(-side.outward[k, 0]), float(-side.outward[k, 1]))
    # At a corner the label is that of the outline itself, which is no line in the map.
    if side.cornered and min(k, len(side.points) - 1 - k) < max(6.0, _AT_CORNER * glyph_px):
        inward = None
    middle = float(x if side.name in ("top", "bottom") else y)
    return FrameLabel(
        side.name,
        middle,
        text,
        None,
        "",
        False,
        readings,
        middle,
        glyph_px,
        checks,
        (float(x), float(y)),
        inward,
    )


def _turned_labels(
    clean: NDArray[np.uint8], side: _Side, read: ReadText, obstacles: Sequence[PixelBox], lossy: bool
) -> list[FrameLabel]:
    """Labels read in the straightened paper beside a side."""
    extent = float(np.ptp(side.points, axis=0).max())
    reach = round(max(_REACH_PX, _REACH_SHARE * extent))
    steps = np.arange(0.5, _FINER * (len(side.points) - 1)) / _FINER
    at, out = (
        np.stack([np.interp(steps, np.arange(len(side.points)), part[:, k]) for k in (0, 1)], axis=1)
        for part in (side.points, side.outward)
    )
    depth, along = _DEPTH, len(at)
    away = (np.arange(-depth, _FINER * reach) + 0.5) / _FINER
    grid = at[None] + away[:, None, None] * out[None]
    places = [grid[..., 1] - 0.5, grid[..., 0] - 0.5]
    bands = [
        ndimage.map_coordinates(clean[..., k].astype(np.float32), places, order=3, mode="nearest") for k in range(3)
    ]
    strip = np.clip(np.round(np.stack(bands, axis=2)), 0, 255).astype(np.uint8)
    for wall in obstacles:
        hit = (grid[..., 0] >= wall.left) & (grid[..., 0] <= wall.right)
        hit &= (grid[..., 1] >= wall.top) & (grid[..., 1] <= wall.bottom)
        strip[hit] = 255
    strip[:depth] = 160
    strip[depth - 2 : depth + 2] = 0
    if side.name == "top":
        strip, box = strip[::-1], PixelBox(0, _FINER * reach, along, _FINER * reach + depth)
    elif side.name == "left":
        strip = strip[::-1].transpose(1, 0, 2)
        box = PixelBox(_FINER * reach, 0, _FINER * reach + depth, along)
    elif side.name == "right":
        strip, box = strip.transpose(1, 0, 2), PixelBox(0, 0, depth, along)
    else:
        box = PixelBox(0, 0, along, depth)
    found = read_frame_side(np.ascontiguousarray(strip), box, side.name, read, lossy=lossy)
    last = len(side.points) - 1
    return [
        _placed(
            side,
            round(float(np.clip(label.position / _FINER, 0, last))),
            label.text,
            label.readings,
            label.glyph_px / _FINER,
            label.doubts,
        )
        for label in found.labels
    ]
