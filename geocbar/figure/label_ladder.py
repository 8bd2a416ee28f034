"""Which words beside a bar are its labels, and which tick mark each belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.axis_fit import AxisLabel
from geocbar.figure.bar_axis import BarAxis, distance, shared_extent
from geocbar.figure.label_parts import range_texts
from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import Number, parse_numbers

if TYPE_CHECKING:
    from geocbar.figure.marks import TickMarks
    from geocbar.figure.words import Word

__all__ = ["Ladder", "gather_ladders", "match_ticks", "with_words"]

#: Labels stand at most so many glyph heights beyond the ends of the bar.
BEYOND_GLYPHS = 0.9
#: Share of a label's height or width that it must have in common with the next to stand in one row or column.
IN_LINE = 0.3
#: How far a label's centre may lie from its tick mark, less the offset common to all labels, in glyph heights.
LABEL_OFF_GLYPHS = 0.3
#: Largest offset common to all labels, in glyph heights.
COMMON_OFF_GLYPHS = 0.3
#: By how much nearer to its marks, in glyph heights, a ladder must stand to prefer marks of a later kind.
CLEARLY_CENTRED = 0.12
#: Share of the labels that must stand at marks, where these are four or more.
MOST_MARKED = 0.6


@dataclass(frozen=True, eq=False)
class Ladder:
    """Numbers in one row or column beside a bar.

    Parameters
    ----------
    side : str
        Of the bar.
    labels : tuple of AxisLabel
        In order of position.
    words : tuple of Word
        Those the labels were made of, in the same order.
    unread : tuple of Word
        Words in line with the labels, within the bar's length, that are no numbers.
    source : {"ticks", "breaks", "centres", "text"}
        What the positions rest on: tick marks, limits of classes, middles of classes, or the text alone.
    offset : float
        Common offset of the labels' centres from their tick marks, in px.
    gap : float
        Distance between the labels and the bar, in px.
    foreign : bool
        Whether the numbers stand nearer to the map or another bar than to this one, or are geographic.
    offset_unknown : float
        How far all labels may be off their places together, in px, where positions rest on the text alone.
    beyond : tuple of AxisLabel
        Numbers in line with the labels, but beyond the ends of the bar.
    ranges : tuple of str
        Texts that make ranges of the labels, see :func:`range_texts`.
    """

    side: str
    labels: tuple[AxisLabel, ...]
    words: tuple[Word, ...]
    unread: tuple[Word, ...]
    source: str = "text"
    offset: float = 0.0
    gap: float = 0.0
    foreign: bool = False
    offset_unknown: float = 0.0
    beyond: tuple[AxisLabel, ...] = ()
    ranges: tuple[str, ...] = ()

    @property
    def glyph_px(self) -> float:
        """Median height of a digit."""
        return float(np.median([label.glyph_px for label in self.labels]))


def gather_ladders(axis: BarAxis, words: Sequence[Word], walls: Sequence[PixelBox] = ()) -> list[Ladder]:
    """Rows or columns of at least two numbers beside a bar, the nearest to it first.

    Parameters
    ----------
    axis : BarAxis
    words : sequence of Word
        All words around the bar.
    walls : sequence of PixelBox
        The map's frame and other bars.

    Returns
    -------
    list of Ladder
        Positions rest on the text alone; see :func:`match_ticks`.
    """
    ladders = []
    for side in axis.sides:
        beside = [word for word in words if _is_beside(axis, word, side)]
        numbers = {id(word): _numbers(word.text) for word in beside}
        seeds = sorted((w for w in beside if numbers[id(w)]), key=lambda w: axis.gap(w.box, side))
        while seeds:
            line = _in_line(axis, seeds[0], seeds)
            seeds = [word for word in seeds if not any(word is other for other in line)]
            if len(line) < 2:
                continue
            line.sort(key=lambda w: sum(axis.along(w.box)))
            labels = _settled([_label(axis, word, numbers[id(word)]) for word in line])
            others = [w for w in beside if not numbers[id(w)] and _shares_line(axis, w, line)]
            gap = float(np.median([axis.gap(word.box, side) for word in line]))
            foreign = _is_foreign(labels, gap, walls)
            further = tuple(_label(axis, w, n) for w in words if (n := _continues(axis, w, side, line)))
            ranges = range_texts(axis, line, words)
            ladders.append(
                Ladder(
                    side, labels, tuple(line), tuple(others), gap=gap, foreign=foreign, beyond=further, ranges=ranges
                )
            )
    return sorted(ladders, key=lambda ladder: ladder.gap)


def with_words(axis: BarAxis, ladder: Ladder, words: Sequence[Word]) -> Ladder:
    """The ladder with some of its words read anew; its labels have to be matched to their marks again.

    Parameters
    ----------
    axis : BarAxis
    ladder : Ladder
    words : sequence of Word
        In order of position.

    Returns
    -------
    Ladder
    """
    known = [(word, numbers) for word in words if (numbers := _numbers(word.text))]
    labels = _settled([_label(axis, word, numbers) for word, numbers in known])
    return replace(ladder, labels=labels, words=tuple(word for word, _ in known), source="text", offset=0.0)


def _continues(axis: BarAxis, word: Word, side: str, line: Sequence[Word]) -> tuple[Number, ...]:
    """Readings of a number that stands in line with the labels, beyond the ends of the bar."""
    if _is_beside(axis, word, side) or word.turned != line[0].turned:
        return ()
    if axis.gap(word.box, side) < -0.3 * word.glyph_px or len(_in_line(axis, line[0], [word])) < 2:
        return ()
    return _numbers(word.text)


def _is_foreign(labels: Sequence[AxisLabel], gap: float, walls: Sequence[PixelBox]) -> bool:
    """Whether most labels stand nearer to a wall than to the bar, or bear N, S, E or W."""
    compass = sum(label.numbers[0].suffix_unit in tuple("NSEWO") for label in labels)
    if 2 * compass >= len(labels):
        return True
    nearer = [any(distance(label.box, wall) < gap for wall in walls) for label in labels]
    return 2 * sum(nearer) > len(labels)


def _is_beside(axis: BarAxis, word: Word, side: str) -> bool:
    """Whether a word stands beside the bar on a side, its centre within the bar's length or hardly beyond."""
    first, last = axis.along(word.box)
    slack = BEYOND_GLYPHS * word.glyph_px
    return axis.gap(word.box, side) >= -0.3 * word.glyph_px and (
        axis.low - slack <= (first + last) / 2 <= axis.high + slack
    )


def _in_line(axis: BarAxis, seed: Word, words: Sequence[Word]) -> list[Word]:
    """Words in one row or column with the first, of about its size."""
    extent = axis.across(seed.box)
    line = [seed]
    for word in words:
        alike = 0.6 < word.glyph_px / max(seed.glyph_px, 1e-6) < 1.7
        if word is not seed and alike and shared_extent(axis.across(word.box), extent) >= IN_LINE:
            line.append(word)
            if axis.upright:
                other = axis.across(word.box)
                extent = (min(extent[0], other[0]), max(extent[1], other[1]))
    return line


def _shares_line(axis: BarAxis, word: Word, line: Sequence[Word]) -> bool:
    """Whether a word that is no number stands where a label would."""
    extents = np.array([axis.across(other.box) for other in line])
    extent = (float(np.median(extents[:, 0])), float(np.median(extents[:, 1])))
    size = float(np.median([other.glyph_px for other in line]))
    start, stop = axis.across(word.box)
    first, last = axis.along(word.box)
    small = last - first <= (2.5 * size if axis.upright else 0.5 * axis.length)
    within = axis.along(line[0].box)[0] - size <= (first + last) / 2 <= axis.along(line[-1].box)[1] + size
    return small and within and word.turned == line[0].turned and shared_extent((start, stop), extent) >= 0.5


def _numbers(text: str) -> tuple[Number, ...]:
    """Readings of a label; a minus that was put before the raised part belongs into it."""
    return tuple(parse_numbers(text) or parse_numbers(re.sub(r"10-\^\s*", "10^-", text)))


def _label(axis: BarAxis, word: Word, numbers: tuple[Number, ...]) -> AxisLabel:
    flat = re.fullmatch(r"([-−]?)10(\d{1,2})", word.text)
    if flat and numbers and any("raised" in check for check in word.checks):
        value = float(f"{'-' if flat[1] else ''}1e{flat[2]}")
        numbers = (replace(numbers[0], value=value), *numbers)
    known = [number.value for number in numbers]
    more: list[Number] = []
    for text in word.alternatives:
        if "^" in word.text and "^" not in text:
            text = _raised(text)
        for number in parse_numbers(text):
            if number.value not in known:
                known.append(number.value)
                more.append(number)
    return AxisLabel(
        position=sum(axis.along(word.box)) / 2,
        numbers=(*numbers, *more[:4]),
        confidence=word.confidence,
        checks=tuple(word.checks),
        tick=None,
        glyph_px=word.glyph_px,
        text=word.text,
        box=word.box,
        exact=word.exact,
    )


def _raised(text: str) -> str:
    """Another reading of a power of ten: ``102`` is its raised 2 read flat, ``10°`` stays; nothing else counts."""
    flat = re.fullmatch(r"([-−]?)10(-?[1-9]|[12]\d)", text)
    if flat:
        return f"{flat[1]}10^{flat[2]}"
    return text if re.fullmatch(r"[-−]?\d[\d.,]*°", text) else ""


def _settled(labels: Sequence[AxisLabel]) -> tuple[AxisLabel, ...]:
    """Let labels tell how their fellows are meant: thousands, and tens whose raised digits were read flat."""
    powers = sum(bool(re.fullmatch(r"[-−]?10\^-?\d+", label.text)) for label in labels)
    if powers >= 2:
        labels = [_as_power(label) for label in labels]
    return _thousands_settled(labels)


def _as_power(label: AxisLabel) -> AxisLabel:
    """Beside powers of ten ``102`` is one too, and the ring of ``10°`` a raised nought."""
    flat = re.fullmatch(r"([-−]?)10([°ºo]|\d)", label.text)
    if not flat or not label.numbers or label.exact:
        return label
    power = int(flat[2]) if flat[2].isdigit() else 0
    value = float(f"{'-' if flat[1] else ''}1e{power}")
    number = replace(label.numbers[0], value=value, kind="plain")
    return replace(label, numbers=(number, *label.numbers), text=f"{flat[1]}10^{power}")


def _thousands_settled(labels: Sequence[AxisLabel]) -> tuple[AxisLabel, ...]:
    """Let the other labels decide whether ``1.000`` or ``1,000`` is a thousand, where they can.

    Next to whole numbers without a mark (``0``, ``500``) it is; next to ``0.500`` or ``1.0`` it is not.
    """
    texts = [re.sub(r"^[-+−<>≤≥ ]+|[^\d.,]+$", "", label.text) for label in labels]
    marked = [bool(re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", text)) for text in texts]
    plain = [bool(re.fullmatch(r"\d{1,3}", text)) for text in texts]
    if not any(marked) or not all(m or p for m, p in zip(marked, plain, strict=True)) or not any(plain):
        return tuple(labels)
    return tuple(
        replace(label, numbers=(max(label.numbers, key=lambda n: abs(n.value)),)) if mark else label
        for label, mark in zip(labels, marked, strict=True)
    )


def match_ticks(
    axis: BarAxis, ladder: Ladder, marks: Sequence[TickMarks], class_breaks: Sequence[float], slack: float
) -> Ladder:
    """Give every label its tick mark, or failing marks its limit between classes.

    Long marks on the labels' own side are tried first, then all of that side, then those of the other side that stand
    inside the bar or run across it; the first kind that suits most labels is taken, unless they stand clearly better
    centred at a later one (long marks that run across the bar look like separators).

    Parameters
    ----------
    axis : BarAxis
    ladder : Ladder
    marks : sequence of TickMarks
        Of both sides, the labels' own side first.
    class_breaks : sequence of float
        Positions where the bar's colour jumps, without its ends.
    slack : float
        How uncertain the ends of the bar are, in px.

    Returns
    -------
    Ladder
    """
    centres = np.array([label.position for label in ladder.labels])
    glyph = ladder.glyph_px
    own, other = marks[0], marks[1]
    ends = np.array([axis.low, axis.high])
    inner = np.unique(np.r_[own.positions[~own.outward], other.positions[~other.outward]])
    pools = [own.positions[own.majors()], own.positions]
    if len(inner):
        pools += [inner, np.r_[inner, ends]]
    suited: tuple[NDArray[np.float64], float] | None = None
    for pool in pools:
        matched, offset = _matched(centres, pool, glyph)
        count = np.isfinite(matched).sum()
        if count < max(2, (MOST_MARKED if count >= 4 else 0.7) * len(centres)):
            continue
        if suited is not None:
            nearer = abs(offset) < abs(suited[1]) - CLEARLY_CENTRED * glyph - 0.5
            if not nearer or count < np.isfinite(suited[0]).sum():
                continue
        suited = matched, offset
    if suited is not None:
        return _placed(ladder, suited[0], "ticks", suited[1])
    breaks = np.asarray(class_breaks, dtype=np.float64)
    if len(breaks) >= 2:
        edges = np.r_[axis.low, breaks, axis.high]
        matched, offset = _matched(centres, edges, glyph)
        if np.isfinite(matched).all() and abs(offset) <= max(2.0, 0.25 * glyph, min(slack, 3.0)):
            return _placed(ladder, matched, "breaks", offset)
        matched, offset = _matched(centres, (edges[1:] + edges[:-1]) / 2, glyph)
        if np.isfinite(matched).sum() >= max(2, 0.7 * len(centres)):
            return replace(ladder, source="centres", offset=offset)
    return _by_ends(axis, ladder)


def _by_ends(axis: BarAxis, ladder: Ladder) -> Ladder:
    """Where the outer labels stand at the bar's ends, both alike beside them, all labels are moved by as much."""
    first, last = ladder.labels[0].position - axis.low, ladder.labels[-1].position - axis.high
    near = max(2.0, 0.15 * ladder.glyph_px)
    if abs(first - last) > 2 * near or max(abs(first), abs(last)) > 0.5 * ladder.glyph_px + 1:
        return replace(ladder, offset_unknown=max(0.5, 0.2 * ladder.glyph_px))
    shift = (first + last) / 2
    labels = tuple(replace(label, position=float(label.position - shift)) for label in ladder.labels)
    return replace(ladder, labels=labels, offset=shift, offset_unknown=max(0.5, abs(first - last) / 2))


def _matched(
    centres: NDArray[np.float64], pool: NDArray[np.float64], glyph: float
) -> tuple[NDArray[np.float64], float]:
    """Nearest mark of each label, NaN where none is near or two labels want the same; and the common offset."""
    nothing = np.full(len(centres), np.nan)
    if len(pool) < 2:
        return nothing, 0.0
    pool = np.sort(pool)
    spacing = float(np.median(np.diff(pool)))
    most = min(COMMON_OFF_GLYPHS * glyph + 1.0, 0.5 * spacing + 0.5)
    differences = (centres[:, None] - pool).ravel()
    guesses = differences[np.abs(differences) <= most]
    if len(guesses) < 2:
        return nothing, 0.0
    close = max(0.8, 0.08 * glyph)
    off = np.abs(centres[:, None] - guesses - pool[:, None, None]).min(axis=0)
    worth = np.sum(np.maximum(0.0, 1 - (off / close) ** 2), axis=0) - 0.3 * np.abs(guesses) / most
    common = float(guesses[worth.argmax()])
    nearest = pool[np.abs(centres[:, None] - common - pool).argmin(axis=1)]
    off = centres - nearest
    good = np.abs(off - common) <= min(LABEL_OFF_GLYPHS * glyph + 1.0, 0.5 * spacing + 0.5)
    if good.sum() >= 2:
        common = float(np.median(off[good]))
    values, counts = np.unique(nearest[good], return_counts=True)
    twice = np.isin(nearest, values[counts > 1])
    return np.where(good & ~twice, nearest, np.nan), common


def _placed(ladder: Ladder, matched: NDArray[np.float64], source: str, offset: float) -> Ladder:
    labels = tuple(
        replace(label, tick=float(place))
        if np.isfinite(place)
        else replace(label, position=float(label.position - offset))
        for label, place in zip(ladder.labels, matched, strict=True)
    )
    return replace(ladder, labels=labels, source=source, offset=offset)
