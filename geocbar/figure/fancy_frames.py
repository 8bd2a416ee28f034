"""Frames of black and white pieces, whose inner line is the edge of the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FancySide", "agreed_fancy_sides", "fancy_side"]

#: Pieces are of paper or of ink: at most so far from the one, at least so far from it for the other, of 255.
WHITE, BLACK = 40, 200

#: Largest difference between the brightest and the darkest band of a grey.
GREY = 40

#: Sides agree on the width of the pieces within so many pixels, or this share of it.
AGREED_PX, AGREED_SHARE = 1.5, 0.15


@dataclass(frozen=True)
class FancySide:
    """A side with pieces, in rows counted inward: where the ink begins, the pieces end, and the inner line runs."""

    first: int
    stop: int
    inner: float

    @property
    def width(self) -> float:
        """From the outermost ink to the inner line, in pixels."""
        return self.inner - self.first


def fancy_side(
    colors: NDArray[np.int16], inked: NDArray[np.bool_], paper: NDArray[np.int16], depth: int
) -> FancySide | None:
    """Rows of the same black and white pieces along a side, corners included.

    Parameters
    ----------
    colors : (rows, n, 3) int16 array
        Counted inward, from outside the map.
    inked : (rows, n) bool array
        Pixels that are not paper.
    paper : (3,) int16 array
    depth : int
        How far in the pieces may reach, in rows.

    Returns
    -------
    FancySide or None
        None where the side has no pieces.
    """
    first = _first_ink(inked)
    contrast = np.abs(colors - paper).max(axis=2)
    grey = colors.max(axis=2) - colors.min(axis=2) <= GREY
    dark = contrast >= 128
    plain = (((contrast <= WHITE) | (contrast >= BLACK)) & grey).mean(axis=1) >= 0.93
    share = dark.mean(axis=1)
    pieces = plain & (share > 0.04) & (share < 0.96)
    start = first
    while start < len(pieces) and start - first <= max(3, depth // 8) and not pieces[start]:
        start += 1
    stop = start
    while stop < len(pieces) and pieces[stop] and (dark[stop] != dark[start]).mean() <= 0.04:
        stop += 1
    if stop - start < 2 or stop >= len(pieces) or not _has_pieces(dark[start], stop - start):
        return None
    white = ~dark[start]
    tints = np.median(contrast[stop:, white], axis=1)
    alike = (np.abs(contrast[stop:, white] - tints[:, None]) <= 40) & grey[stop:, white]
    line = (alike.mean(axis=1) >= 0.8) & (tints > WHITE)
    end = int(np.argmin(line)) if not line.all() else len(line)
    if end == 0 and (contrast[stop:, white] > WHITE).mean(axis=1)[:2].max() < 0.7:
        return None
    return FancySide(first, stop, stop + min(end, max(start - first, 1)) / 2)


def agreed_fancy_sides(
    sides: Sequence[FancySide | None], contrasts: Sequence[NDArray[np.int16] | None], notes: list[str]
) -> list[float | None]:
    """Inner lines of the four sides, such that all pieces are as wide.

    Parameters
    ----------
    sides : sequence of FancySide or None
    contrasts : sequence of (rows, n) array or None
        How far the pixels along each side are from paper, of 255; None where the picture ends.
    notes : list of str
        A doubt is added.

    Returns
    -------
    list of float or None
        Rows counted inward. A side that is one piece over all its length has the width of the others.
    """
    known = [side.width for side in sides if side is not None]
    if not known:
        return [None] * len(sides)
    width = float(np.median(known))
    slack = max(AGREED_PX, AGREED_SHARE * width)
    inner: list[float | None] = []
    for side, contrast in zip(sides, contrasts, strict=True):
        if side is not None and abs(side.width - width) <= slack:
            inner.append(side.inner)
        elif contrast is None:
            inner.append(None)
        else:
            first = side.first if side is not None else _first_ink(contrast > WHITE)
            band = contrast[first + 1 : first + max(2, round(width) - 1)]
            whole = bool(len(band)) and bool((((band <= WHITE) | (band >= BLACK)).mean(axis=1) >= 0.9).all())
            inner.append(first + width if whole else None)
            if side is not None:
                notes.append("doubtful: the sides do not agree on the width of the fancy frame")
    return inner


def _first_ink(inked: NDArray[np.bool_]) -> int:
    """The outermost row that is mostly ink."""
    share = inked.mean(axis=1)
    rows = np.flatnonzero(share >= 0.5 * min(1.0, float(np.sort(share)[-3:].mean())))
    return int(rows[0]) if len(rows) else 0


def _has_pieces(dark: NDArray[np.bool_], width: int) -> bool:
    """Whether a row across has dark and white pieces that are longer than the frame is wide."""
    ends = np.flatnonzero(np.diff(np.concatenate([[0], dark.astype(np.int8), [0]])))
    lengths = np.sort((ends[1::2] - ends[::2])[(ends[::2] > 0) & (ends[1::2] < len(dark))])
    if not len(lengths):
        return 0.1 < float(dark.mean()) < 0.9
    # Lines of a graticule are as narrow as their pen; the few lines of the corners weigh little.
    usual = lengths[np.searchsorted(np.cumsum(lengths), lengths.sum() / 2)]
    return bool(usual >= min(width, 0.02 * len(dark)))
