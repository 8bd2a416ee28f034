"""Ticks of a colour bar: box, marks and words together, with the evidence for the values and what speaks against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.axis_fit import AxisFit, AxisLabel, fit_axis, fit_piecewise, tolerance_px
from geocbar.figure.bar_axis import BarAxis
from geocbar.figure.bar_title import BarText, read_bar_text
from geocbar.figure.circumstances import Circumstances, even_steps, is_verified
from geocbar.figure.label_ladder import Ladder, gather_ladders, match_ticks, with_words
from geocbar.figure.label_parts import rejoin_words
from geocbar.figure.label_trials import try_again
from geocbar.figure.layout import PixelBox
from geocbar.figure.marks import TickMarks, find_ticks
from geocbar.figure.overlaid_text import find_overlaid_doubts
from geocbar.figure.tick_vetoes import find_vetoes
from geocbar.figure.words import ReadText, Word, find_words, read_label, reread_label

__all__ = ["TickReading", "read_ticks"]

#: How far beside the bar words are looked for: at least so many px, and so much of its length.
BESIDE_PX, BESIDE_SHARE = 90.0, 0.3
#: How far beyond its ends.
BEYOND_PX, BEYOND_SHARE = 45.0, 0.12
#: And where the labels' digits are large, so many of their heights.
BESIDE_GLYPHS, BEYOND_GLYPHS = 9.0, 4.5
#: The text of a bar that lies so far inside a frame on all sides is inside it too.
WELL_INSIDE_PX = 12.0


@dataclass(frozen=True, eq=False)
class TickReading:
    """What stands beside a bar, understood.

    Parameters
    ----------
    fit : AxisFit or None
        How values run, before `factor` and `offset`.
    labels : tuple of AxisLabel
        All labels read, with their places.
    side : str
        Of the bar on which they stand; empty without labels.
    title, unit : str
        Quantity and unit.
    factor, offset : float
        Value = label * factor + offset.
    vetoes : tuple of str
        What speaks against; with any the reading is not accepted.
    evidence : tuple of str
        What speaks for it.
    """

    fit: AxisFit | None
    labels: tuple[AxisLabel, ...]
    side: str
    title: str
    unit: str
    factor: float
    offset: float
    vetoes: tuple[str, ...]
    evidence: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether there is a fit and nothing speaks against it."""
        return self.fit is not None and not self.vetoes

    def value_at(self, positions: NDArray[np.float64] | Sequence[float]) -> NDArray[np.float64]:
        """Values at positions along the axis, factor and offset included.

        Raises
        ------
        InvalidInputError
            Without a fit.
        """
        if self.fit is None:
            raise InvalidInputError("The bar's labels gave no scale.", "Give its ends: --vmin V --vmax V")
        return self.fit.value_at(positions) * self.factor + self.offset


def read_ticks(
    pixels: NDArray[np.uint8],
    box: PixelBox,
    axis: str,
    read: ReadText | None,
    *,
    extend: tuple[bool, bool] = (False, False),
    ends_uncertain_px: float = 1.0,
    class_breaks: Sequence[float] = (),
    obstacles: Sequence[PixelBox] = (),
    words: Sequence[Word] | None = None,
    lossy: bool = False,
) -> TickReading:
    """Read the values of a colour bar from what stands beside it.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The picture, sRGB.
    box : PixelBox
        The rectangle of the bar that bears values, triangles left out.
    axis : {"horizontal", "vertical"}
        Which way values run.
    read : callable or None
        The text reader; None if `words` are given.
    extend : (bool, bool)
        Whether a triangle ends the bar at its upper or left, and at its lower or right end.
    ends_uncertain_px : float
        How well the ends of the box are known.
    class_breaks : sequence of float
        Positions along the axis where the colour jumps from class to class.
    obstacles : sequence of PixelBox
        The map's frame, other bars: no label of this bar is inside, unless the bar is too.
    words : sequence of Word or None
        All text with its places, where the file says it (PDF).
    lossy : bool
        Whether the picture went through JPEG.

    Returns
    -------
    TickReading

    Raises
    ------
    InvalidInputError
        For an unknown axis.
    """
    if axis not in ("horizontal", "vertical"):
        raise InvalidInputError(f"A bar has no axis {axis!r}.", "Choose one of: horizontal, vertical")
    bar = BarAxis(box, axis)
    walls = [wall for wall in obstacles if not _contains(wall, box)]
    frames = tuple(wall for wall in obstacles if _contains(wall, box))
    marks = {side: find_ticks(pixels, box, side, lossy=lossy) for side in bar.sides}
    around = _Surroundings(pixels, bar, read, walls, words, marks, frames)
    words = around.words(0.0)
    ladders = gather_ladders(bar, words, walls)
    if ladders and around.falls_short(ladders[0].glyph_px):
        words = around.words(ladders[0].glyph_px)
        ladders = gather_ladders(bar, words, walls)
    if not ladders:
        return _nothing(bar, words)
    sources = (tuple(class_breaks), ends_uncertain_px, extend, tuple(walls), frames)
    cases = [case for ladder in ladders[:6] if (case := _case_of(bar, ladder, ladders, marks, *sources)) is not None]
    if not cases:
        return _no_fit(bar, ladders[0], words, walls)
    judged = [(case, find_vetoes(case)) for case in cases]
    if read is not None and all(vetoes for _, vetoes in judged):
        tried = [around.tried(case) for case in cases]
        renewed = [_case_of(bar, ladder, ladders, marks, *sources) for ladder in tried if ladder is not None]
        judged += [(case, find_vetoes(case)) for case in renewed if case is not None]
    case, vetoes = min(judged, key=lambda pair: (bool(pair[1]), _rank(pair[0]), -len(pair[0].accepted), len(pair[1])))
    text = read_bar_text(bar, case.ladder, words, walls, case.rival_ladders)
    overlaid: list[str] = []
    if read is not None and around.given is None and not vetoes and not text.doubts:
        known = bool(text.said)
        overlaid = find_overlaid_doubts(pixels, bar, case.ladder.labels, case.ladder.side, read, factor_known=known)
    return TickReading(
        fit=case.fit,
        labels=case.ladder.labels,
        side=case.ladder.side,
        title=text.title,
        unit=text.unit,
        factor=text.factor,
        offset=text.offset,
        vetoes=(*vetoes, *text.doubts, *overlaid),
        evidence=_evidence(case, text),
    )


def _case_of(
    bar: BarAxis,
    ladder: Ladder,
    ladders: Sequence[Ladder],
    marks: dict[str, TickMarks],
    class_breaks: tuple[float, ...],
    ends_uncertain_px: float,
    extend: tuple[bool, bool],
    walls: tuple[PixelBox, ...],
    frames: tuple[PixelBox, ...],
) -> Circumstances | None:
    """A ladder with its places and its fit; None if its labels agree on nothing."""
    own, other = marks[ladder.side], marks[_opposite(bar, ladder.side)]
    placed = match_ticks(bar, ladder, (own, other), class_breaks, ends_uncertain_px)
    fit = _fitted(bar, placed, class_breaks)
    if fit is None:
        return None
    rivals = tuple(rival for rival in ladders if not any(w is v for w in rival.words for v in ladder.words))
    return Circumstances(bar, placed, fit, (own, other), rivals, extend, ends_uncertain_px, class_breaks, walls, frames)


def _rank(case: Circumstances) -> int:
    """Which ladder is spoken of where several suit: tick marks, then no sign that it is the map's."""
    return (case.ladder.source != "ticks") + 2 * case.ladder.foreign


def _contains(outer: PixelBox, inner: PixelBox) -> bool:
    """Whether the middle of one box lies in the other."""
    x, y = (inner.left + inner.right) / 2, (inner.top + inner.bottom) / 2
    return outer.left <= x <= outer.right and outer.top <= y <= outer.bottom


def _opposite(bar: BarAxis, side: str) -> str:
    return next(other for other in bar.sides if other != side)


@dataclass(frozen=True, eq=False)
class _Surroundings:
    """The picture around a bar, and the words in it."""

    pixels: NDArray[np.uint8]
    bar: BarAxis
    read: ReadText | None
    walls: Sequence[PixelBox]
    given: Sequence[Word] | None
    marks: dict[str, TickMarks]
    frames: Sequence[PixelBox] = ()

    def margins(self, glyph_px: float) -> tuple[float, float]:
        """How far to look beside the bar and beyond its ends, in px, for labels of a given size."""
        bar = self.bar
        beside = max(BESIDE_PX, BESIDE_SHARE * bar.length, 3 * bar.thickness, BESIDE_GLYPHS * glyph_px)
        pointed = 1.5 * bar.thickness if glyph_px else 0.0
        beyond = max(BEYOND_PX, BEYOND_SHARE * bar.length, 2 * bar.thickness, BEYOND_GLYPHS * glyph_px + pointed)
        return beside, beyond

    def falls_short(self, glyph_px: float) -> bool:
        """Whether labels of this size ask for a wider look than was taken without knowing it."""
        return any(wide > 1.05 * first for wide, first in zip(self.margins(glyph_px), self.margins(0.0), strict=True))

    def words(self, glyph_px: float) -> list[Word]:
        """All words around the bar, those that fell apart put together."""
        region = self._region(glyph_px)
        if self.given is not None:
            inside = [word for word in self.given if _contains(region, word.box)]
            words = [word for word in inside if not any(_contains(wall, word.box) for wall in self.walls)]
        elif self.read is None:
            return []
        else:
            words = list(find_words(self.pixels, region, self.read, exclude=(self.bar.box, *self.walls)))
        if self.read is None:
            return words
        if self.given is None:
            words = [self._without_mark(word) for word in words]
        places = np.concatenate([own.positions for own in self.marks.values()])
        return rejoin_words(self.bar, words, places, self._reread)

    def _without_mark(self, word: Word) -> Word:
        """A word that begins with the tick mark at its left, which a reader takes for a minus sign, read without it."""
        bar, box, own = self.bar, word.box, self.marks.get("right")
        doubted = word.text.startswith("-") and any("read but none is drawn" in check for check in word.checks)
        if own is None or not doubted or word.turned or self.read is None:
            return word
        near = own.outward & (np.abs(own.positions - (box.top + box.bottom) / 2) < 0.2 * word.glyph_px)
        stop = bar.box.right + float(own.lengths[near].max(initial=0.0)) + 1.0
        if not near.any() or box.left >= stop - 2 or stop >= box.right - word.glyph_px:
            return word
        rest = PixelBox(stop, box.top - 1, box.right + 1, box.bottom + 1)
        return read_label(self.pixels, rest, self.read) or word

    def _reread(self, whole: PixelBox, turned: int) -> Word | None:
        return None if self.read is None else read_label(self.pixels, whole, self.read, turned=turned)

    def tried(self, case: Circumstances) -> Ladder | None:
        """The ladder of a case with its doubtful labels read anew; None if nothing came of it."""
        read = self.read
        if read is None or self.given is not None:
            return None
        tolerance = tolerance_px(self.bar.length, case.ladder.source in ("ticks", "breaks"))

        def look(box: PixelBox, turned: int, accept: Callable[[str], bool], least: int) -> Word | None:
            return reread_label(self.pixels, box, read, accept, turned=turned, least=least)

        words = try_again(self.bar, case.ladder, case.fit, tolerance, look)
        return None if words is None else with_words(self.bar, case.ladder, words)

    def _region(self, glyph_px: float) -> PixelBox:
        beside, beyond = self.margins(glyph_px)
        aside, above = (beside, beyond) if self.bar.upright else (beyond, beside)
        box = self.bar.box
        left, top, right, bottom = 0.0, 0.0, float(self.pixels.shape[1]), float(self.pixels.shape[0])
        for frame in self.frames:
            room = (box.left - frame.left, box.top - frame.top, frame.right - box.right, frame.bottom - box.bottom)
            if min(room) >= WELL_INSIDE_PX:
                left, top = max(left, frame.left), max(top, frame.top)
                right, bottom = min(right, frame.right), min(bottom, frame.bottom)
        return PixelBox(
            max(box.left - aside, left),
            max(box.top - above, top),
            min(box.right + aside, right),
            min(box.bottom + above, bottom),
        )


def _fitted(bar: BarAxis, ladder: Ladder, class_breaks: Sequence[float]) -> AxisFit | None:
    """The joint fit; where labels contradict it and all are sure, straight from label to label.

    A single label against four others is a misread sooner than an irregular ladder: it stays contrary.
    """
    labels = ladder.labels
    verified = [is_verified(label) for label in labels]
    tolerance = tolerance_px(bar.length, ladder.source in ("ticks", "breaks"))
    fit = fit_axis(
        labels, low=bar.low, high=bar.high, tolerance=tolerance, verified=verified, classes=len(class_breaks) > 0
    )
    if fit is not None and not fit.contrary and not fit.rivals:
        return fit
    lone = fit is not None and len(fit.contrary) == 1 and len(fit.members) >= 4
    if ladder.source in ("ticks", "breaks") and not ladder.unread and not lone:
        pieces = fit_piecewise(labels)
        knot = None if pieces is None else _knot(pieces, tolerance)
        if pieces is not None and knot is not None and 2 * sum(verified) >= len(labels):
            return replace(pieces, parameters=(knot,))
        if pieces is not None and all(verified) and _orderly(bar, pieces, tolerance, class_breaks):
            return pieces
    return fit


def _knot(fit: AxisFit, tolerance: float) -> float | None:
    """The value at which two slopes meet, with three labels or more on either, in even steps; else None."""
    for knot in range(2, len(fit.positions) - 2):
        halves = (slice(None, knot + 1), slice(knot, None))
        steps = [np.diff(fit.values[half]) for half in halves]
        even = all(np.ptp(step) < 1e-6 * np.abs(step).max() for step in steps)
        if even and all(_straight(fit.positions[half], fit.values[half], tolerance) for half in halves):
            return float(fit.values[knot])
    return None


def _orderly(bar: BarAxis, fit: AxisFit, tolerance: float, class_breaks: Sequence[float]) -> bool:
    """Whether an irregular ladder has a reason: labels at equal distances (classes), at class limits, or two slopes."""
    gaps = np.diff(fit.positions)
    if len(class_breaks) >= 2:
        edges = np.r_[bar.low, np.asarray(class_breaks, dtype=np.float64), bar.high]
        at_edges = np.abs(fit.positions[:, None] - edges).min(axis=1) <= tolerance
        per_label = np.diff(np.searchsorted(edges, fit.positions + tolerance))
        return bool(at_edges.all() and (per_label == 1).all())
    if len(fit.positions) < 4:
        return False
    if np.ptp(gaps) <= 2 * tolerance and len(class_breaks) > 0:
        return True
    for knot in range(1, len(fit.positions) - 1):
        halves = (slice(None, knot + 1), slice(knot, None))
        if _plain_steps(fit.values, knot) and all(
            _straight(fit.positions[half], fit.values[half], tolerance) for half in halves
        ):
            return True
    return False


def _plain_steps(values: NDArray[np.float64], knot: int) -> bool:
    """Whether two slopes meet at zero and the steps on both sides are in a plain proportion (1, 2, 5, 10 ...)."""
    if values[knot] != 0:
        return False
    ratio = abs((values[knot] - values[knot - 1]) / (values[knot + 1] - values[knot]))
    mantissa = ratio / 10.0 ** np.floor(np.log10(ratio) + 1e-9)
    return bool(np.abs(mantissa - np.array([1.0, 2.0, 5.0])).min() < 1e-6)


def _straight(positions: NDArray[np.float64], values: NDArray[np.float64], tolerance: float) -> bool:
    slope, intercept = np.polyfit(values - values.mean(), positions, 1)
    return bool(np.abs(positions - intercept - slope * (values - values.mean())).max() <= tolerance)


def _nothing(bar: BarAxis, words: Sequence[Word]) -> TickReading:
    found = f" (words there: {', '.join(repr(word.text) for word in words[:6])})" if words else ""
    veto = f"No row or column of numbers was found beside the bar {bar.box}{found}."
    return TickReading(None, (), "", "", "", 1.0, 0.0, (veto,), ())


def _no_fit(bar: BarAxis, ladder: Ladder, words: Sequence[Word], walls: Sequence[PixelBox]) -> TickReading:
    text = read_bar_text(bar, ladder, words, walls)
    said = ", ".join(f"{label.text} at {label.place:.1f} px" for label in ladder.labels[:12])
    veto = f"The labels follow no known scale: {said}."
    return TickReading(
        None, ladder.labels, ladder.side, text.title, text.unit, text.factor, text.offset, (veto, *text.doubts), ()
    )


def _evidence(case: Circumstances, text: BarText) -> tuple[str, ...]:
    """What speaks for the reading, in sentences with numbers."""
    fit, ladder = case.fit, case.ladder
    ticked = sum(label.tick is not None for label in ladder.labels)
    where = {
        "ticks": f"{ticked} of {len(ladder.labels)} labels at tick marks",
        "breaks": f"{ticked} of {len(ladder.labels)} labels at limits of classes",
        "centres": f"{len(ladder.labels)} labels at the middle of classes",
        "text": f"{len(ladder.labels)} labels, no tick marks",
    }[ladder.source]
    said = [
        f"{where}, on the {ladder.side}.",
        f"{len(fit.members)} of {len(ladder.labels)} labels on a {fit.description} scale, worst misfit"
        f" {fit.worst_px:.1f} px, rms {fit.misfit_px:.2f} px.",
    ]
    if even_steps(fit):
        said.append("The labels run in equal steps.")
    said += [f"{read!r} at {place:.1f} px was overruled: {value:g}." for read, value, place in fit.overruled]
    if text.said:
        said.append(f"Values = labels * {text.factor:g} + {text.offset:g}, by {', '.join(map(repr, text.said))}.")
    return tuple(said)
