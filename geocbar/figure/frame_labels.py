"""Labels of longitude and latitude around a map's frame, and the tick marks or gridlines they belong to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.degrees import Degree, parse_degrees
from geocbar.figure.layout import PixelBox
from geocbar.figure.marks import find_ticks
from geocbar.figure.words import ReadText, Word, find_words

__all__ = ["FrameLabel", "FrameSide", "degree_readings", "read_frame_side"]

#: How far from the frame labels are looked for: px, share of the frame's larger side.
_REACH_PX, _REACH_SHARE = 60.0, 0.16
#: Labels stand at most so far from the frame (or the end of its ticks), in glyph heights.
_FAR_GLYPHS = 3.2
#: A title stands at most so far beyond the labels, in glyph heights.
_TITLE_GLYPHS = 3.5
#: Marks are believed if so many of the labels stand at one.
LEAST_HITS = 0.5
#: Widest frame, as a share of the map's size.
_WIDEST_FRAME = 0.05


@dataclass(frozen=True)
class FrameLabel:
    """One label at the frame.

    Parameters
    ----------
    side : {"left", "right", "top", "bottom"}
    position : float
        Pixel coordinate along the side: that of the mark if there is one, else of the text's middle.
    text : str
        As read.
    value : float or None
        Degrees, east and north positive; None where the progression did not confirm any reading.
    kind : {"lon", "lat", ""}
        Which coordinate it is.
    marked : bool
        Whether a tick mark or gridline stands at the label.
    readings : tuple of Degree
        What the text may mean.
    middle : float
        Pixel coordinate of the text's middle along the side.
    glyph_px : float
        Height of its digits.
    doubts : tuple of str
        What the reading's checks said against it.
    foot, inward : (float, float) or None
        Where on the outline of a map that is no rectangle the label stands, and the unit vector into the map; no
        vector at a corner, where the label is that of the outline itself.
    """

    side: str
    position: float
    text: str
    value: float | None
    kind: str
    marked: bool
    readings: tuple[Degree, ...] = ()
    middle: float = 0.0
    glyph_px: float = 10.0
    doubts: tuple[str, ...] = ()
    foot: tuple[float, float] | None = None
    inward: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class FrameSide:
    """What stands at one side of a frame.

    Parameters
    ----------
    side : {"left", "right", "top", "bottom"}
    labels : tuple of FrameLabel
        Along the side, ascending.
    ticks : (n,) float array
        Places of all tick marks along the side.
    titles : tuple of str
        Words beyond the labels.
    outward : bool
        Whether the ticks stand on paper; those inside the map may be part of it.
    """

    side: str
    labels: tuple[FrameLabel, ...]
    ticks: NDArray[np.float64]
    titles: tuple[str, ...]
    outward: bool = True

    def __post_init__(self) -> None:
        self.ticks.setflags(write=False)


def read_frame_side(
    pixels: NDArray[np.uint8],
    box: PixelBox,
    side: str,
    read: ReadText | None,
    *,
    words: Sequence[Word] | None = None,
    obstacles: Sequence[PixelBox] = (),
    gridlines: NDArray[np.float64] | None = None,
    lossy: bool = False,
) -> FrameSide:
    """Read the labels along one side of a map's frame and find their tick marks.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    box : PixelBox
        The frame.
    side : {"left", "right", "top", "bottom"}
    read : callable or None
        Text engine; None if `words` are given.
    words : sequence of Word or None
        All text of the page, where it is known.
    obstacles : sequence of PixelBox
        Colour bars and other maps: labels nearer to them are theirs.
    gridlines : (n,) float array or None
        Places of gridlines along the side, for frames without ticks.
    lossy : bool
        Whether the picture went through JPEG.

    Returns
    -------
    FrameSide
    """
    outer = _outer_box(pixels, box, side, lossy)
    marks = find_ticks(_without_map(pixels, outer), outer, side, lossy=lossy)
    if marks.outward.sum() < 2:
        tried = [find_ticks(pixels, place, side, lossy=lossy) for place in dict.fromkeys((outer, box))]
        marks = max(tried, key=lambda found: len(found.positions))
    real = marks.outward | ~marks.across
    ticks, majors = marks.positions[real], marks.positions[marks.majors() & real]
    if not len(ticks) and outer != box:
        ticks = majors = _piece_edges(pixels, box, outer, side)
    found = _words_beside(pixels, outer, side, read, words, obstacles)
    lines = np.array([]) if gridlines is None else gridlines
    across = np.unique(np.concatenate([marks.positions[~real], lines]))
    far = _FAR_GLYPHS, float(np.median(marks.lengths[real])) if real.any() else 0.0
    row, titles = _rows(found, outer, side, far)
    labels = _matched(row, side, (majors, ticks, lines, across))
    return FrameSide(
        side, labels, ticks.copy(), titles, bool(len(ticks)) and 2 * int(marks.outward.sum()) >= len(ticks)
    )


def _without_map(pixels: NDArray[np.uint8], box: PixelBox) -> NDArray[np.uint8]:
    """The picture with the map painted over: coasts that meet the frame are no ticks."""
    bare = pixels.copy()
    rows, cols = PixelBox(box.left + 3, box.top + 3, box.right - 3, box.bottom - 3).slices(
        pixels.shape[1], pixels.shape[0]
    )
    bare[rows, cols] = 200
    return bare


def _outer_box(pixels: NDArray[np.uint8], box: PixelBox, side: str, lossy: bool) -> PixelBox:
    """The box with the side moved out to the outer edge of a broad frame."""
    depth = max(8, round(_WIDEST_FRAME * min(box.width, box.height)))
    height, width = pixels.shape[:2]
    left, top, right, bottom = (round(edge) for edge in (box.left, box.top, box.right, box.bottom))
    strips = {
        "left": pixels[top:bottom, max(left - depth, 0) : left][:, ::-1].transpose(1, 0, 2),
        "right": pixels[top:bottom, right : right + depth].transpose(1, 0, 2),
        "top": pixels[max(top - depth, 0) : top, left:right][::-1],
        "bottom": pixels[bottom : bottom + depth, left:right],
    }
    strip = strips[side].astype(np.int16)
    if len(strip) < 5 or strip.shape[1] < 5:
        return box
    paper = np.median(strip[-3:].reshape(-1, 3), axis=0)
    share = (np.abs(strip - paper).max(axis=2) <= (26 if lossy else 14)).mean(axis=1)
    blank = np.flatnonzero((share[:-1] >= 0.85) & (share[1:] >= 0.85))
    if not len(blank) or blank[0] < 3:
        return box
    step = int(blank[0]) - 1
    edges = {"left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom}
    edges[side] += -step if side in ("left", "top") else step
    return PixelBox(
        max(edges["left"], 0.0), max(edges["top"], 0.0), min(edges["right"], width), min(edges["bottom"], height)
    )


def _piece_edges(pixels: NDArray[np.uint8], box: PixelBox, outer: PixelBox, side: str) -> NDArray[np.float64]:
    """Where the black and white pieces of a fancy frame meet, along the side, to sub-pixel."""
    left, top, right, bottom = (round(edge) for edge in (box.left, box.top, box.right, box.bottom))
    band = {
        "left": pixels[top:bottom, round(outer.left) : left].transpose(1, 0, 2),
        "right": pixels[top:bottom, right : round(outer.right)].transpose(1, 0, 2),
        "top": pixels[round(outer.top) : top, left:right],
        "bottom": pixels[bottom : round(outer.bottom), left:right],
    }[side].mean(axis=2)
    dark = (band < 128).mean(axis=1) if band.size else np.array([])
    pieces = np.flatnonzero((dark > 0.2) & (dark < 0.8))
    if len(pieces) < 2:
        return np.array([])
    profile = band[pieces].mean(axis=0)
    steps = np.flatnonzero((profile[:-1] < 128) != (profile[1:] < 128))
    share = (128 - profile[steps]) / (profile[steps + 1] - profile[steps])
    return np.asarray(steps + 0.5 + share + (top if side in ("left", "right") else left))


def _words_beside(
    pixels: NDArray[np.uint8],
    box: PixelBox,
    side: str,
    read: ReadText | None,
    words: Sequence[Word] | None,
    obstacles: Sequence[PixelBox],
) -> list[Word]:
    """Words outside the side, not far from it, that do not belong to an obstacle."""
    reach = max(_REACH_PX, _REACH_SHARE * max(box.width, box.height))
    height, width = pixels.shape[:2]
    over = min(40.0, 0.08 * max(box.width, box.height))
    edges = {
        "left": (box.left - reach, box.top - over, box.left, box.bottom + over),
        "right": (box.right, box.top - over, box.right + reach, box.bottom + over),
        "top": (box.left - over, box.top - reach, box.right + over, box.top),
        "bottom": (box.left - over, box.bottom, box.right + over, box.bottom + reach),
    }[side]
    left, top, right, bottom = max(edges[0], 0.0), max(edges[1], 0.0), min(edges[2], width), min(edges[3], height)
    if right - left < 8 or bottom - top < 8:
        return []
    region = PixelBox(left, top, right, bottom)
    if words is None:
        found = find_words(pixels, region, read, exclude=[box, *obstacles]) if read is not None else []
    else:
        found = [word for word in words if _is_inside(word.box, region)]
    walls = [wall for wall in obstacles if not _is_inside(box, wall)]
    return [
        word
        for word in found
        if not _is_inside(word.box, box)
        and all(_gap(word.box, wall) > 0.7 * _distance(word.box, box, side) for wall in walls)
    ]


def _is_inside(box: PixelBox, outer: PixelBox) -> bool:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return outer.left <= x <= outer.right and outer.top <= y <= outer.bottom


def _gap(one: PixelBox, other: PixelBox) -> float:
    """Distance between two boxes; 0 if they touch."""
    across = max(one.left - other.right, other.left - one.right, 0.0)
    down = max(one.top - other.bottom, other.top - one.bottom, 0.0)
    return float(np.hypot(across, down))


def _distance(word: PixelBox, box: PixelBox, side: str) -> float:
    """How far a word stands from the side."""
    return {
        "left": box.left - word.right,
        "right": word.left - box.right,
        "top": box.top - word.bottom,
        "bottom": word.top - box.bottom,
    }[side]


def _along(word: PixelBox, side: str) -> float:
    return (word.left + word.right) / 2 if side in ("top", "bottom") else (word.top + word.bottom) / 2


def _rows(
    words: Sequence[Word], box: PixelBox, side: str, far: tuple[float, float]
) -> tuple[list[Word], tuple[str, ...]]:
    """The row of labels nearest to the side, and the words beyond it."""
    start, stop = (box.left, box.right) if side in ("top", "bottom") else (box.top, box.bottom)
    angles = []
    for word in words:
        slack = max(4.0, 0.5 * word.glyph_px)
        near = _distance(word.box, box, side) <= far[0] * word.glyph_px + far[1] + 4
        if near and start - slack <= _along(word.box, side) <= stop + slack and parse_degrees(word.text):
            angles.append(word)
    rows: list[list[Word]] = []
    for word in sorted(angles, key=lambda word: _distance(word.box, box, side)):
        size = word.glyph_px
        fits = [
            row
            for row in rows
            if abs(_distance(row[0].box, box, side) - _distance(word.box, box, side)) <= 0.9 * size
            and abs(row[0].glyph_px - size) <= 0.35 * size + 1
        ]
        if fits:
            fits[0].append(word)
        else:
            rows.append([word])
    row = next((row for row in rows if len(row) >= 2), rows[0] if rows else [])
    edge = max((_distance(word.box, box, side) + _thickness(word, side) for word in row), default=0.0)
    size = float(np.median([word.glyph_px for word in row])) if row else 12.0
    titles = [
        word.text
        for word in words
        if word not in row
        and re.search(r"[A-Za-z]{1,}", word.text)
        and -0.5 * size <= _distance(word.box, box, side) - edge <= _TITLE_GLYPHS * size
        and start <= _along(word.box, side) <= stop
    ]
    return sorted(row, key=lambda word: _along(word.box, side)), tuple(titles)


def _thickness(word: Word, side: str) -> float:
    return word.box.width if side in ("left", "right") else word.box.height


def _matched(row: Sequence[Word], side: str, marks: Sequence[NDArray[np.float64]]) -> tuple[FrameLabel, ...]:
    """The labels with the marks they belong to: of the first kind of marks that suits nearly all of them."""
    labels = [
        FrameLabel(
            side,
            _along(word.box, side),
            word.text,
            None,
            "",
            False,
            degree_readings(word),
            _along(word.box, side),
            word.glyph_px,
            word.checks,
        )
        for word in row
    ]
    best: list[FrameLabel] = labels
    count = 0
    for places in marks:
        placed = [_at_mark(label, places) for label in labels]
        hits = sum(label.marked for label in placed)
        # Marks at a few labels only are part of the map, or chance.
        if hits > count and hits >= LEAST_HITS * len(labels):
            best, count = placed, hits
        if count >= 0.8 * len(labels):
            break
    return tuple(best)


def _at_mark(label: FrameLabel, places: NDArray[np.float64]) -> FrameLabel:
    """The label at the nearest mark, if one is near enough."""
    if not len(places):
        return label
    nearest = float(places[np.argmin(np.abs(places - label.position))])
    if abs(nearest - label.position) > max(2.5, 0.6 * label.glyph_px):
        return label
    return replace(label, position=nearest, marked=True)


def degree_readings(word: Word) -> tuple[Degree, ...]:
    """What a word may mean as a longitude or latitude; other readings of the engine count as slips.

    Parameters
    ----------
    word : Word

    Returns
    -------
    tuple of Degree
        The likeliest first.
    """
    readings = list(parse_degrees(word.text))
    for other in word.alternatives:
        for degree in parse_degrees(other):
            if not any(d.value == degree.value and d.axis == degree.axis for d in readings):
                readings.append(replace(degree, slips=degree.slips + 1))
    return tuple(readings)
