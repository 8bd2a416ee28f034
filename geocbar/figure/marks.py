"""Tick marks along one side of a box, to sub-pixel: those of a colour bar, and those of a map's frame.

Everything is seen in a strip that is turned so that its rows run along the side, counted outward from the box, and
its columns lie along the side. Paper and lines along the side (a frame, an axis) are even along a row and drop out;
what is left and starts at the box's edge, is thin and straight, ends before the labels and has companions of its kind
is a tick mark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox

__all__ = ["SIDES", "TickMarks", "find_ticks"]

#: Sides of a box that may bear ticks.
SIDES = ("left", "right", "top", "bottom")

#: How far off the edges of the box may be, in pixels.
EDGE_SLACK = 3

#: A mark's least contrast, of 255: below it noise, compression and smooth shading begin.
LEAST_CONTRAST = 14.0
LEAST_CONTRAST_LOSSY = 30.0

#: Weights of red, green and blue in brightness (ITU-R BT.601, as in JPEG).
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
LUMA.setflags(write=False)

#: Noise taken for granted where a bar stands on a map instead of on paper.
IMAGERY_NOISE = 10.0

#: A row is paper where at least this share of it has the paper's colour.
PAPER_SHARE = 0.55

#: Marks shorter than this (in pixels) are only believed in company, and of one length.
SHORT = 2.5

#: A line that covers this share of the bar's thickness runs across it.
ACROSS_SHARE = 0.85

#: Least ratio of the lengths of major and minor marks.
MAJOR_RATIO = 1.25


@dataclass(frozen=True, eq=False)
class TickMarks:
    """Tick marks found along one side of a box.

    Parameters
    ----------
    side : {"left", "right", "top", "bottom"}
        Which side of the box.
    positions : (n,) float array
        Pixel coordinate along the side (x for top and bottom, y for left and right), ascending; pixel centres at .5.
    lengths : (n,) float array
        Length of each mark in pixels, the part outside the box and the part inside together. The line along the side
        that the marks stand on is not counted.
    outward : (n,) bool array
        Whether the mark sticks out of the box.
    across : (n,) bool array
        Whether it runs through the whole box to the other side, as the lines between classes do.
    strength : (n,) float array
        Contrast against the surroundings, 0 to 1.
    """

    side: str
    positions: NDArray[np.float64]
    lengths: NDArray[np.float64]
    outward: NDArray[np.bool_]
    across: NDArray[np.bool_]
    strength: NDArray[np.float64]

    def __post_init__(self) -> None:
        for array in (self.positions, self.lengths, self.outward, self.across, self.strength):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.positions)

    def majors(self) -> NDArray[np.bool_]:
        """Which marks are of the long kind; all of them where there is one kind only.

        Lines across the box without a tick are left out where there are ticks, and so are marks inside it where most
        stick out.

        Returns
        -------
        (n,) bool array
        """
        pool = ~self.across | self.outward
        if 2 * self.outward.sum() >= pool.sum():
            pool = self.outward
        if not pool.any():
            return self.across.copy()
        # Marks of a pixel or two differ in ink before they differ in length.
        small = np.median(self.lengths[pool]) < SHORT
        lengths = np.log(self.lengths * self.strength if small else self.lengths)
        kinds = np.sort(lengths[pool])
        best, limit = 0.0, -np.inf
        for n in range(1, len(kinds) - 1):  # two long ones at least
            short, long = kinds[:n], kinds[n:]
            apart = long.mean() - short.mean()
            spread = np.sqrt((short.var() * n + long.var() * len(long)) / len(kinds)) + 0.02
            clear = apart > np.log(MAJOR_RATIO) and np.exp(long.mean()) - np.exp(short.mean()) > (0.3 if small else 0.6)
            if clear and apart > 2.5 * spread and apart / spread > best:
                best, limit = float(apart / spread), float((short[-1] + long[0]) / 2)
        return pool & (lengths > limit)


@dataclass(frozen=True)
class _Mark:
    """A mark as seen on one face of the side."""

    position: float
    length: float
    strength: float
    width: float
    across: bool = False


def find_ticks(
    pixels: NDArray[np.uint8],
    box: PixelBox,
    side: str,
    *,
    reach: float | None = None,
    lossy: bool = False,
) -> TickMarks:
    """Find the tick marks along one side of a colour bar or a map's frame.

    Marks outside, inside and across the side are found, and lines across the whole box. A place is the contrast's
    centroid across the mark, over its length.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The picture, sRGB.
    box : PixelBox
        The coloured part of the bar, or the map's frame; its edges may be up to 3 px off.
    side : {"left", "right", "top", "bottom"}
        The side to look at.
    reach : float or None
        Longest mark looked for, in pixels. None: 7 % of the side, at least 10 px and at most one and a half times the
        box's thickness.
    lossy : bool
        Whether the picture went through JPEG or the like: faint marks are not believed then.

    Returns
    -------
    TickMarks
        Empty where nothing is found that is surely a mark.

    Raises
    ------
    InvalidInputError
        For an unknown side, or a picture without three colours.
    """
    if side not in SIDES:
        raise InvalidInputError(f"A box has no side {side!r}.", f"Choose one of: {', '.join(SIDES)}")
    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InvalidInputError(f"Ticks are looked for in (rows, columns, 3) pixels, not in {pixels.shape}.")
    upright = side in ("left", "right")
    length = box.height if upright else box.width
    thickness = box.width if upright else box.height
    if reach is None:
        reach = float(np.clip(0.07 * length, 10.0, max(12.0, 1.5 * thickness)))
    strip, along = _strip_outside(pixels, box, side, round(reach) + 3)
    start, stop = (box.top, box.bottom) if upright else (box.left, box.right)
    face = _face_on_paper(strip, lossy)
    faces = _faces_on_imagery(strip) if face is None else [face]
    outside = max((_outward_marks(f, along, (start, stop), reach, lossy) for f in faces), key=len, default=[])
    close, sample, along = _strip_inside(pixels, box, side, _inner_row(face), round(reach) + EDGE_SLACK)
    inside = _inward_marks(close, sample, along, (start, stop), thickness, reach, lossy)
    return _joined(side, outside, inside)


def _turned(pixels: NDArray[np.uint8], side: str) -> tuple[NDArray[np.uint8], bool]:
    """A view with rows counted outward, and whether they were mirrored to do so."""
    if side in ("left", "right"):
        pixels = pixels.transpose(1, 0, 2)
    return (pixels[::-1], True) if side in ("left", "top") else (pixels, False)


def _span(pixels: NDArray[np.uint8], box: PixelBox, side: str) -> tuple[NDArray[np.uint8], int, int, int, int]:
    """The turned picture, the row of the side's edge, that of the other edge, and the columns of the strip."""
    view, mirrored = _turned(pixels, side)
    near, far = {
        "right": (box.right, box.left),
        "left": (box.left, box.right),
        "bottom": (box.bottom, box.top),
        "top": (box.top, box.bottom),
    }[side]
    if mirrored:
        near, far = len(view) - near, len(view) - far
    start, stop = (box.top, box.bottom) if side in ("left", "right") else (box.left, box.right)
    first = max(round(start) - EDGE_SLACK - 3, 0)
    last = min(round(stop) + EDGE_SLACK + 3, view.shape[1])
    return view, round(near), round(far), first, last


def _strip_outside(
    pixels: NDArray[np.uint8], box: PixelBox, side: str, depth: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Rows from EDGE_SLACK inside the edge to `depth` + EDGE_SLACK outside; and the columns' pixel coordinates."""
    view, near, _, first, last = _span(pixels, box, side)
    rows = view[max(near - EDGE_SLACK, 0) : near + EDGE_SLACK + depth, first:last]
    return rows.astype(np.float32), np.arange(first, first + rows.shape[1]) + 0.5


def _strip_inside(
    pixels: NDArray[np.uint8], box: PixelBox, side: str, skip: int, depth: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Brightness inside the box: `depth` rows from `skip` inside the edge, and a sample of rows up to the other edge.

    The third array holds the columns' pixel coordinates.
    """
    view, near, far, first, last = _span(pixels, box, side)
    near, low = max(near - skip, 0), max(far, 0)
    close = view[max(low, near - depth) : max(near, low), first:last][::-1]
    stop = low + max(EDGE_SLACK + 1, (near - low) // 8)
    sample = view[stop : max(near, stop) : max(1, (near - stop) // 48), first:last]
    along = np.arange(first, first + close.shape[1]) + 0.5
    return close.astype(np.float32) @ LUMA, sample.astype(np.float32) @ LUMA, along


@dataclass(frozen=True, eq=False)
class _Face:
    """What lies outside a side: how much each pixel stands out of its row, which rows are paper or even, the noise."""

    contrast: NDArray[np.float32]
    is_paper: NDArray[np.bool_]
    is_even: NDArray[np.bool_]
    noise: float


def _largest(colors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest of three bands."""
    return np.maximum(np.maximum(colors[..., 0], colors[..., 1]), colors[..., 2])


def _face_on_paper(strip: NDArray[np.float32], lossy: bool) -> _Face | None:
    """Contrast to the paper outside a side; None where there is no paper of one colour."""
    if len(strip) <= 2 * EDGE_SLACK or strip.shape[1] < 5:
        return None
    sample = strip[:, :: max(1, strip.shape[1] // 400)]
    paper = np.median(sample[2 * EDGE_SLACK :].reshape(-1, 3), axis=0)
    close = _largest(np.abs(strip - paper)) <= (24 if lossy else 12)
    if close[2 * EDGE_SLACK :].mean() < PAPER_SHARE:
        return None
    is_paper = close.mean(axis=1) >= PAPER_SHARE
    difference = strip - np.median(sample, axis=1, keepdims=True)
    is_even = (_largest(np.abs(difference)) <= (40 if lossy else 24)).mean(axis=1) >= 0.8
    if lossy:
        difference = difference @ LUMA
    if paper.mean() > 127:
        difference = -difference
    out = difference if lossy else _largest(difference)
    level = np.abs(out[is_paper][:, :: max(1, strip.shape[1] // 400)])
    noise = float(1.48 * np.median(level)) if level.size else 0.0
    return _Face(np.maximum(out, 0), is_paper, is_even, noise)


def _faces_on_imagery(strip: NDArray[np.float32]) -> list[_Face]:
    """Contrast of thin dark and thin bright lines on ground of many colours; a line along the side is needed there."""
    if len(strip) <= 2 * EDGE_SLACK or strip.shape[1] < 8:
        return []
    difference = np.abs(strip - np.median(strip, axis=1, keepdims=True))
    is_even = (_largest(difference) <= 40).mean(axis=1) >= 0.9
    if not is_even[: 2 * EDGE_SLACK + 1].any():
        return []
    faces = []
    for dark in (True, False):
        contrast = _line_contrast(strip @ LUMA, _line_size(strip.shape[1]), dark)
        faces.append(_Face(contrast, ~is_even, is_even, IMAGERY_NOISE))
    return faces


def _line_size(length: int) -> int:
    """Size of the window in which a line is thin, for a strip of a given length."""
    return 2 * int(np.clip(round(0.02 * length), 3, 9)) + 1


def _foot(is_paper: NDArray[np.bool_]) -> int:
    """First row of paper outside the box and the lines along its side."""
    near = np.flatnonzero(~is_paper[: 2 * EDGE_SLACK + 1])
    if not len(near):
        return 0
    row = int(near[-1]) + 1
    while row < len(is_paper) and not is_paper[row]:
        row += 1
    return row


def _inner_row(face: _Face | None) -> int:
    """First row, counted inward from the box's edge, that is surely inside the box and its outline (may be < 0)."""
    if face is None:
        return EDGE_SLACK
    row = min(_foot(face.is_paper), 2 * EDGE_SLACK + 2)
    while row > 0 and (face.is_paper[row - 1] or face.is_even[row - 1]):
        row -= 1
    return EDGE_SLACK - row + 1


def _outward_marks(
    face: _Face,
    along: NDArray[np.float64],
    ends: tuple[float, float],
    reach: float,
    lossy: bool,
) -> list[_Mark]:
    """Marks that stick out of the box onto paper."""
    foot = _foot(face.is_paper)
    rows = face.contrast[foot:]
    if len(rows) < 2 or foot > 2 * EDGE_SLACK + reach / 2:
        return []
    least = max(LEAST_CONTRAST_LOSSY if lossy else LEAST_CONTRAST, 5 * face.noise)
    peaks = list(_peaks(rows[0], least))
    for depth in (2, 4):
        if len(rows) > depth:
            further = _peaks(rows[:depth].mean(axis=0), least)
            peaks += [p for p in further if not peaks or np.abs(np.array(peaks) - p).min() > 2]
    marks = [mark for peak in sorted(peaks) if (mark := _traced(rows, along, peak, reach, least)) is not None]
    if len(marks) < _lettering(rows, marks, along):
        return []
    marks = [m for m in marks if ends[0] - EDGE_SLACK - 1 <= m.position <= ends[1] + EDGE_SLACK + 1]
    marks = _companions(marks, lossy)
    usual = float(np.median([m.length for m in marks])) if marks else 0.0
    # Outlines may stick out a little at the box's corners.
    return [
        m for m in marks if m.length >= 0.5 * usual or min(m.position - ends[0], ends[1] - m.position) > EDGE_SLACK + 1
    ]


def _lettering(rows: NDArray[np.float32], marks: list[_Mark], along: NDArray[np.float64]) -> int:
    """How many marks are needed to be believed, beside the ink at the foot that is no mark: letters touch the box.

    Returns
    -------
    int
        The number of marks whose ink would outweigh the rest; 0 where there is hardly any other ink.
    """
    inked = rows[:2].max(axis=0) >= 60
    for mark in marks:
        inked &= np.abs(along - mark.position) > mark.width / 2 + 1
    other = int(inked.sum())
    width = float(np.median([m.width for m in marks])) if marks else 1.0
    return 0 if other <= 2 else int(np.ceil(other / max(width, 1.0)))


def _peaks(profile: NDArray[np.float32], least: float) -> NDArray[np.intp]:
    """Columns where the profile stands out on both sides."""
    from scipy import signal

    padded = np.concatenate([[0.0], profile, [0.0]])
    peaks, found = signal.find_peaks(padded, height=least, prominence=least, plateau_size=1)
    sharp = found["prominences"] >= 0.5 * found["peak_heights"]
    return np.asarray(peaks[sharp] - 1, dtype=np.intp)


def _traced(
    rows: NDArray[np.float32], along: NDArray[np.float64], peak: int, reach: float, least: float
) -> _Mark | None:
    """Follow a mark outward from its foot; None if it is no thin straight line that ends."""
    ridge = rows[:, max(peak - 1, 0) : peak + 2].max(axis=1)
    full = float(ridge[: max(2, min(4, len(ridge)))].max())
    ends_here = ridge < max(0.3 * full, 0.6 * least)
    ends_here |= _broadened(rows, peak, full)
    low = np.flatnonzero(ends_here)
    if not len(low) or low[0] == 0 or low[0] > reach + 1:
        return None
    end = int(low[0])
    level = float(np.median(ridge[: max(end - 1, 1)]))
    length = float(np.minimum(ridge[:end] / level, 1).sum())
    body = rows[: max(end - 1, 1)].mean(axis=0)
    if body[peak] < least:
        return None
    left, right = _valleys(body, peak)
    width, place = _cross_section(body, along, peak)
    if width > max(3.6, length):
        return None
    window = slice(left, right + 1)
    weights = rows[: max(end - 1, 1), window]
    rowwise = (weights * along[window]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-6)
    if np.median(np.abs(rowwise - place)) > 0.6:
        return None
    return _Mark(place, length, min(level / 255, 1.0), width)


def _broadened(rows: NDArray[np.float32], peak: int, full: float) -> NDArray[np.bool_]:
    """Rows where the ink is much broader than at the mark's foot: it has run into a letter."""
    window = rows[:, max(peak - 8, 0) : peak + 9]
    breadth = np.minimum(window / full, 1).sum(axis=1)
    return np.asarray(breadth > 1.8 * breadth[0] + 1)


def _valleys(body: NDArray[np.float32], peak: int) -> tuple[int, int]:
    """First and last column of a peak, down to the valleys on both sides."""
    height = float(body[peak])
    bounds = []
    for step in (-1, 1):
        at = peak
        while 0 <= at + step < len(body) and body[at + step] > 0.08 * height:
            if body[at + step] > body[at] and body[at] <= 0.8 * height:
                break
            at += step
        bounds.append(at)
    return bounds[0], bounds[1]


def _cross_section(body: NDArray[np.float32], along: NDArray[np.float64], peak: int) -> tuple[float, float]:
    """Width (area over height) and centroid of a peak."""
    left, right = _valleys(body, peak)
    weights = body[left : right + 1].astype(np.float64)
    total = float(weights.sum())
    return total / float(body[peak]), float((weights * along[left : right + 1]).sum() / total)


def _companions(marks: list[_Mark], lossy: bool) -> list[_Mark]:
    """Marks that have others of their kind: alike in length, contrast and width."""
    if len(marks) < 2:
        return []
    strength = np.array([m.strength for m in marks])
    lengths = np.array([m.length for m in marks])
    widths = np.array([m.width for m in marks])
    alike = np.abs(lengths[:, None] - lengths) <= np.maximum(0.8, 0.12 * lengths)[:, None]
    alike &= np.maximum(strength[:, None], strength) <= 2 * np.minimum(strength[:, None], strength)
    alike &= np.abs(widths[:, None] - widths) <= np.maximum(0.8, 0.3 * widths)[:, None]
    needed = np.where(lengths < SHORT, 3, 2)
    if lossy:
        needed = needed + ((lengths < SHORT) & (strength < 0.3))
    company = alike.sum(axis=1)
    keep = company >= needed
    if keep.any():
        longest = max((m for m, c in zip(marks, company, strict=True) if c >= 3), key=lambda m: m.length, default=None)
        if longest is not None:
            # A mark that touches its label is as long as the others, and seems longer.
            like = (np.abs(strength / longest.strength - 1) <= 0.3) & (np.abs(widths - longest.width) <= 0.8)
            for i in np.flatnonzero(~keep & like & (lengths > longest.length)):
                marks[i] = replace(marks[i], length=longest.length)
                keep[i] = True
    return [m for m, k in zip(marks, keep, strict=True) if k]


def _line_contrast(brightness: NDArray[np.float32], size: int, dark: bool) -> NDArray[np.float32]:
    """How much a pixel is darker (or brighter) than both sides along its row: top-hat of thin lines."""
    if dark:
        return np.asarray(ndimage.grey_closing(brightness, size=(1, size)) - brightness)
    return np.asarray(brightness - ndimage.grey_opening(brightness, size=(1, size)))


def _inward_marks(
    close: NDArray[np.float32],
    sample: NDArray[np.float32],
    along: NDArray[np.float64],
    ends: tuple[float, float],
    thickness: float,
    reach: float,
    lossy: bool,
) -> list[_Mark]:
    """Marks from the side into the box, and lines across it; either dark ones or bright ones."""
    if len(close) < 4 or not len(sample) or close.shape[1] < 8:
        return []
    size = _line_size(close.shape[1])
    least = 2.0 * (LEAST_CONTRAST_LOSSY if lossy else LEAST_CONTRAST)
    best: list[_Mark] = []
    for dark in (True, False):
        contrast = _line_contrast(close, size, dark)
        body = np.median(contrast[:3], axis=0)
        peaks = [(peak, *_cross_section(body, along, peak)) for peak in _peaks(body, least)]
        through = _line_contrast(sample, size, dark) if peaks else sample
        marks = []
        for peak, width, place in peaks:
            margin = EDGE_SLACK + 1 + width
            if width > max(3.6, size / 3) or not ends[0] + margin < place < ends[1] - margin:
                continue
            full = float(body[peak])
            strength = min(full / 255, 1.0)
            columns = slice(max(peak - 1, 0), peak + 2)
            if float((through[:, columns].max(axis=1) >= 0.3 * full).mean()) >= ACROSS_SHARE:
                marks.append(_Mark(place, thickness, strength, width, across=True))
                continue
            low = np.flatnonzero(contrast[:, columns].max(axis=1) < 0.3 * full)
            if len(low) and 2 <= low[0] <= reach + 2:
                marks.append(_Mark(place, float(low[0]), strength, width))
        marks = _inward_company(marks)
        if sum(m.strength for m in marks) > sum(m.strength for m in best):
            best = marks
    return best


def _inward_company(marks: list[_Mark]) -> list[_Mark]:
    """Lines across, and marks of which there are three of one length."""
    short = np.array([m.length for m in marks if not m.across])
    return [m for m in marks if m.across or (np.abs(short - m.length) <= max(1.5, 0.15 * m.length)).sum() >= 3]


def _joined(side: str, outside: list[_Mark], inside: list[_Mark]) -> TickMarks:
    """Both faces together; a mark on both is one."""
    marks: list[tuple[float, float, bool, bool, float]] = []
    left = list(inside)
    inner = np.array([m.position for m in inside if not m.across])
    if len(inner) >= max(2 * len(outside), 3):
        outside = []
    elif len(inner) > max(len(outside), 2):
        # Marks into the box leave no room for others of their own outside: what stands there alone is lettering.
        outside = [m for m in outside if np.abs(inner - m.position).min() <= max(1.5, m.width)]
    across = [m for m in inside if m.across]
    places = np.array([m.position for m in outside if m.length < SHORT])
    stubs = sum(bool(places.size and np.abs(places - m.position).min() <= 1.5) for m in across)
    stubs = stubs if 2 * stubs > places.size else 0
    for mark in outside:
        twin = min(left, key=lambda m: abs(m.position - mark.position), default=None)
        if twin is not None and abs(twin.position - mark.position) <= max(1.5, mark.width):
            left.remove(twin)
            length = mark.length if twin.across else mark.length + twin.length
            stub = twin.across and mark.length < SHORT
            marks.append((mark.position, twin.length if stub else length, not stub, twin.across, mark.strength))
        elif stubs >= 3 and mark.length < SHORT:
            # A line across sticks out a little like its fellows, but does not show on dark colours.
            marks.append((mark.position, across[0].length, False, True, mark.strength))
        else:
            marks.append((mark.position, mark.length, True, False, mark.strength))
    marks += [(m.position, m.length, False, m.across, m.strength) for m in left]
    marks.sort()
    table = np.array(marks, dtype=np.float64).reshape(-1, 5)
    return TickMarks(
        side, table[:, 0], table[:, 1], table[:, 2].astype(bool), table[:, 3].astype(bool), table[:, 4].copy()
    )
