"""What a figure says of itself: its bars with their ticks, its panels, and which bar belongs to which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.frames import MapFrame, find_frames
from geocbar.figure.layout import PixelBox
from geocbar.figure.skew import TurnedPicture, skew_angle, turn_upright
from geocbar.figure.tick_reading import TickReading, read_ticks
from geocbar.figure.words import ReadText, Word
from geocbar.value.bar_box import INCOMPLETE
from geocbar.value.bar_search import BarCandidate, find_bars
from geocbar.value.color import RGB, YCBCR
from geocbar.value.colorbar import read_colorbar
from geocbar.value.projection import project_colors
from geocbar.value.scale import ColorScale

__all__ = ["BarReading", "FigureReading", "explained_by", "read_figure"]

#: Scans turned by less than this many degrees are read as they are.
UPRIGHT_DEGREES = 0.08

#: Strips with less than this share of the best one's score are not read.
WORTH_READING = 0.5

#: At most so many bars are read in one figure.
MOST_BARS = 8

#: Colours this near to a bar's are explained by it (8-bit units of the metric).
NEAR_BAR = 20.0

#: A bar must explain this much more of a panel than another one to be its bar by colour alone.
CLEARLY_MORE = 0.1

#: Boxes that share so much of their area are of one bar.
SAME_BAR = 0.6

#: How well the ends of a box given by hand are known, in pixels.
GIVEN_BOX_PX = 1.5

_BITS = 6
_BLOCK_ROWS = 256

#: No labels were looked for.
_UNREAD = TickReading(None, (), "", "", "", 1.0, 0.0, (), ())


@dataclass(frozen=True, eq=False)
class BarReading:
    """A strip that may be a colour bar, and what stands beside it.

    Parameters
    ----------
    candidate : BarCandidate
    ticks : TickReading
    """

    candidate: BarCandidate
    ticks: TickReading

    @property
    def box(self) -> PixelBox:
        """The rectangle that bears values."""
        return self.candidate.box

    @property
    def axis(self) -> str:
        """``"horizontal"`` or ``"vertical"``."""
        return self.candidate.axis

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against the ticks as read."""
        return self.ticks.accepted


@dataclass(frozen=True, eq=False)
class FigureReading:
    """Bars and panels of a figure.

    All places are in the pixels of the upright picture, which is the picture itself unless `turned` is set.

    Parameters
    ----------
    bars : tuple of BarReading
        Best first; empty if there is none.
    frames : tuple of MapFrame
        The panels, in reading order.
    bar_of : tuple of int
        For each panel the number of its bar in `bars`; -1 without bars.
    others : tuple of BarCandidate
        Strips that were looked at and scored lower.
    turned : TurnedPicture or None
        The upright copy of a scan that lay askew.
    """

    bars: tuple[BarReading, ...]
    frames: tuple[MapFrame, ...]
    bar_of: tuple[int, ...]
    others: tuple[BarCandidate, ...] = ()
    turned: TurnedPicture | None = None


def read_figure(
    pixels: NDArray[np.uint8],
    read: ReadText | None,
    *,
    lossy: bool = False,
    words: Sequence[Word] | None = None,
    colorbar: PixelBox | None = None,
    frame: PixelBox | None = None,
    colors: NDArray[np.float64] | None = None,
    turn: float | None = None,
    values_said: bool = False,
) -> FigureReading:
    """Find the colour bars of a figure, read their ticks, and find the panels.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    read : callable or None
        The text reader; None if `words` are known.
    lossy : bool
        Whether the picture went through JPEG.
    words : sequence of Word or None
        Text of the file, with its places (PDF).
    colorbar, frame : PixelBox or None
        What the user says: nothing is searched then.
    colors : (n, 3) float array or None
        Colours of the scale, in order, if the user named it: no bar is searched then.
    turn : float or None
        Degrees by which the picture has to be turned to be upright; None: measured, unless a box is given.
    values_said : bool
        The values of the bar are known: no labels are read.

    Returns
    -------
    FigureReading
    """
    turned = _upright(pixels, turn, measure=words is None and colorbar is None and frame is None)
    if turned is not None:
        pixels = turned.pixels
    candidates = [] if colors is not None else _candidates(pixels, lossy, colorbar, values_said)
    chosen = [c for c in candidates if c.score >= WORTH_READING * candidates[0].score][:MOST_BARS]
    scales = [colors] if colors is not None else [read_colorbar(pixels, candidate.box).colors for candidate in chosen]
    masks = [explained_by(pixels, scale, lossy=lossy) for scale in scales]
    if frame is not None:
        frames = [MapFrame(frame, None, "rectangle", ("given",))]
    elif masks:
        together = np.logical_or.reduce(masks)
        frames = find_frames(pixels, together, bars=[c.box for c in chosen], lossy=lossy)
    else:
        frames = []
    walls = [panel.box for panel in frames if panel.kind != "picture"]

    def reading_of(candidate: BarCandidate) -> TickReading:
        if values_said:
            return _UNREAD
        ticks = read_ticks(
            pixels,
            candidate.box,
            candidate.axis,
            read,
            extend=candidate.extend,
            ends_uncertain_px=candidate.ends_uncertain_px,
            class_breaks=candidate.class_breaks,
            obstacles=[*walls, *(other.box for other in chosen if other is not candidate)],
            words=words,
            lossy=lossy,
        )
        if INCOMPLETE not in candidate.notes:
            return ticks
        doubt = f"Beyond an end of the bar {candidate.box} another colour follows in its strip: was it found whole?"
        return replace(ticks, vetoes=(*ticks.vetoes, doubt))

    bars = tuple(BarReading(candidate, reading_of(candidate)) for candidate in chosen)
    others = tuple(c for c in candidates if not any(c is bar.candidate for bar in bars))
    return FigureReading(bars, tuple(frames), _match(frames, bars, masks), others, turned)


def _upright(pixels: NDArray[np.uint8], turn: float | None, *, measure: bool) -> TurnedPicture | None:
    """The picture turned as told, or as measured; None if it lies straight."""
    # Rounded as a recipe holds it, so that a run and its repetition turn alike.
    angle = round(skew_angle(pixels), 3) if turn is None and measure else turn or 0.0
    if abs(angle) <= (UPRIGHT_DEGREES if turn is None else 0.0):
        return None
    return turn_upright(pixels, angle)


def _candidates(
    pixels: NDArray[np.uint8], lossy: bool, colorbar: PixelBox | None, values_said: bool
) -> list[BarCandidate]:
    if colorbar is None:
        return find_bars(pixels, lossy=lossy)
    # Without labels to read there is no need to know more of the bar than its place.
    return [_said(colorbar, [] if values_said else find_bars(pixels, lossy=lossy))]


def _said(box: PixelBox, found: Sequence[BarCandidate]) -> BarCandidate:
    """The bar the user points at: what was found there, or else the box as it is."""
    for candidate in found:
        if _overlap(candidate.box, box) > SAME_BAR:
            return candidate
    axis = "horizontal" if box.width >= box.height else "vertical"
    return BarCandidate(box, axis, 1.0, 1.0, (False, False), GIVEN_BOX_PX, (), ("given",))


def _overlap(a: PixelBox, b: PixelBox) -> float:
    """Area in common as a share of the area of both."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (a.width * a.height + b.width * b.height - common)


def explained_by(pixels: NDArray[np.uint8], colors: NDArray[np.float64], *, lossy: bool = False) -> NDArray[np.bool_]:
    """Pixels whose colours lie near those of a scale, to within a few units of colour.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    colors : (n, 3) float array
        Of the scale, in order.
    lossy : bool

    Returns
    -------
    (h, w) bool array
    """
    scale = ColorScale(colors, np.arange(len(colors), dtype=np.float64), np.array([0.0, len(colors) - 1.0]))
    blocks = [slice(top, top + _BLOCK_ROWS) for top in range(0, len(pixels), _BLOCK_ROWS)]
    counts = np.zeros(1 << 3 * _BITS, np.intp)
    for rows in blocks:
        counts += np.bincount(_cells(pixels[rows]).ravel(), minlength=len(counts))
    present = np.flatnonzero(counts)
    side = 1 << (8 - _BITS)
    levels = [((present >> (2 - band) * _BITS) & ((1 << _BITS) - 1)) * side + side // 2 for band in range(3)]
    _, distance = project_colors(np.stack(levels, axis=1).astype(np.uint8), scale, YCBCR if lossy else RGB)
    near = np.zeros(len(counts), bool)
    near[present] = distance < NEAR_BAR
    out = np.empty(pixels.shape[:2], bool)
    for rows in blocks:
        np.take(near, _cells(pixels[rows]), out=out[rows])
    return out


def _cells(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number of the cube of colour space each pixel lies in."""
    packed = np.zeros(pixels.shape[:2], np.int32)
    for band in range(3):
        packed = (packed << _BITS) | (pixels[..., band] >> (8 - _BITS))
    return packed


def _match(
    frames: Sequence[MapFrame], bars: Sequence[BarReading], masks: Sequence[NDArray[np.bool_]]
) -> tuple[int, ...]:
    """For each panel the bar that explains most of it; among equals the one beside it."""
    out = []
    for panel in frames:
        if not bars:
            out.append(-1)
            continue
        rows, cols = panel.box.slices(masks[0].shape[1], masks[0].shape[0])
        shares = np.array([mask[rows, cols].mean() if mask[rows, cols].size else 0.0 for mask in masks])
        gaps = np.array([_gap(panel.box, bar.box) for bar in bars])
        near = shares >= shares.max() - CLEARLY_MORE
        out.append(int(np.flatnonzero(near)[np.argmin(gaps[near])]))
    return tuple(out)


def _gap(panel: PixelBox, bar: PixelBox) -> float:
    """Distance between two boxes, with that of their middles to tell neighbours on one side apart."""
    aside = max(bar.left - panel.right, panel.left - bar.right, 0.0)
    apart = max(bar.top - panel.bottom, panel.top - bar.bottom, 0.0)
    middles = np.hypot(
        (bar.left + bar.right - panel.left - panel.right) / 2, (bar.top + bar.bottom - panel.top - panel.bottom) / 2
    )
    return float(np.hypot(aside, apart) + 0.2 * middles)
