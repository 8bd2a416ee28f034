"""What stands beside a bar besides its labels: a factor, an offset, the quantity and its unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geocbar.figure.bar_axis import BarAxis, distance, shared_extent
from geocbar.figure.label_ladder import Ladder
from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import normalize_text, parse_factor, parse_numbers, parse_offset

if TYPE_CHECKING:
    from geocbar.figure.words import Word

__all__ = ["BarText", "read_bar_text", "split_title"]

#: How far from the bar and its labels a title or a factor may stand, in glyph heights.
TITLE_GLYPHS = 6.0
#: Least height of digits, in px, for a factor to be believed: with raised digits, whose minus may vanish; without.
LEAST_RAISED_PX, LEAST_PX = 9.0, 6.0
#: A title's least confidence.
LEAST_TITLE_CONFIDENCE = 0.5
#: A lone unit stands at most so far beyond the end of the bar, in glyph heights.
UNIT_GLYPHS = 4.0
#: A longitude or latitude, or a part of one.
_MAP_DEGREE = re.compile(r"\d ?[°º]? ?[NSEWO]\b|\d ?[°º](?! ?[CFK])")
#: Text that may be a factor or an offset, even if it cannot be read as one.
_FACTOR_LIKE = re.compile(
    r"[(\[]?[×xX*]? ?1[0Oo]{1,2} ?\^? ?[-+]?[\dOo]{1,3}[)\]]?|[(\[]?[×xX*] ?[\d(].*"
    r"|1[eE] ?[-+]?\d*.*|[-+] ?\d[\d.,]*[eE][-+]?\d*|\+ ?\d[\d.,]*"
)
#: What is left of ``1e-3`` or ``×10^5`` when a piece of it is lost.
_REMAINS = re.compile(r"[1lI|]? ?[eE] ?[-+]\d{0,2}|[eE]\d{1,2}|[×*] ?[-\d^]*")
_LOOSE_SIGNS = ("X", "x", "O", "o", "l", "I")
#: Letters that are units, but alone beside a map rather point to a direction.
_NO_UNITS = ("N", "S", "E", "W", "k")
_BRACKETS = re.compile(r"(?P<name>.*?)\s*[(\[](?P<unit>[^()\[\]]{1,24})[)\]]\s*$")
_IN_UNIT = re.compile(r"(?P<name>.+?)(?:,|\s+in|\s*/)\s+(?P<unit>[^,]{1,16})$")
_SINGLE = (
    r"(?:°[CFKNSEW]?|%|‰|psu|PSU|dBZ?|pp[mbt]v?|days?|hr|min|kt|kn|knots|inch|in|ft|deg|degC|[MGk]a|DU|E"
    r"|[kKcmdhMGnµu]?(?:m|s|g|K|Pa|Gal|bar|W|J|N|T|V|Hz|mol|yr?|a|h|L|l|eq))"
)
_UNIT_ALONE = re.compile(rf"(?:10\^?[-−]?\d+ ?)?{_SINGLE}(?:\^?[-−]?\d)?(?:[ /.·]{_SINGLE}(?:\^?[-−]?\d)?)*")


@dataclass(frozen=True)
class BarText:
    """Factor, offset, quantity and unit.

    Parameters
    ----------
    title : str
        The quantity.
    unit : str
    factor, offset : float
        Value = label * factor + offset.
    said : tuple of str
        The texts the factor and the offset were read from.
    doubts : tuple of str
        Sentences on text that looks like a factor or an offset and cannot be read for sure.
    """

    title: str = ""
    unit: str = ""
    factor: float = 1.0
    offset: float = 0.0
    said: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def read_bar_text(
    axis: BarAxis,
    ladder: Ladder,
    words: Sequence[Word],
    obstacles: Sequence[PixelBox],
    others: Sequence[Ladder] = (),
) -> BarText:
    """Understand the words around a bar that are not its labels.

    Parameters
    ----------
    axis : BarAxis
    ladder : Ladder
        The labels.
    words : sequence of Word
        All words around the bar, labels among them.
    obstacles : sequence of PixelBox
        The map's frame and other bars: what stands nearer to one of them than to the bar is not the bar's.
    others : sequence of Ladder
        Other rows or columns of numbers: where the map's axes bear plain ones, a factor may be theirs.

    Returns
    -------
    BarText
    """
    # A label that was read anew is another word at the same place: the first reading is no text of its own.
    free = [word for word in words if not any(_same_place(word, label) for label in ladder.words)]
    plain = any(
        other.foreign
        and all(not n.suffix_unit and n.kind == "plain" for label in other.labels for n in label.numbers[:1])
        for other in others
    )
    factor, offset, said, doubts, used = 1.0, 0.0, [], [], set()
    for word in free:
        text = normalize_text(word.text)
        if word.turned or not _FACTOR_LIKE.fullmatch(text) or not _reaches(axis, ladder, word):
            continue
        if _among_labels(axis, ladder, word):
            doubts.append(f"{word.text!r} stands among the labels, but reads like a factor of them.")
            continue
        times, plus = parse_factor(text), parse_offset(text)
        if times is not None and any("^" in label.text for label in ladder.labels):
            doubts.append(f"{word.text!r} reads like a factor, but the labels are powers of ten themselves.")
            continue
        if times is None and plus is None:
            near = _beyond_ends(axis, word) and _belongs(axis, ladder, word, obstacles)
            if not parse_numbers(text) or near:
                doubts.append(f"{word.text!r} stands by the bar and may be a factor or an offset of all labels.")
            continue
        used.add(id(word))
        said.append(word.text)
        if not _is_sure(word):
            doubts.append(f"{word.text!r} by the bar seems a factor or an offset of all labels, but is read poorly.")
        elif not _belongs(axis, ladder, word, obstacles) and (
            plain or distance(word.box, axis.box) > 2.5 * ladder.glyph_px
        ):
            doubts.append(f"{word.text!r} may be a factor of this bar's labels, or of the map's axes.")
        factor *= 1.0 if times is None else times
        offset += 0.0 if plus is None else plus
    loose = [word for word in free if id(word) not in used and _reaches(axis, ladder, word)]
    doubts += [
        f"{text!r} stands by the bar in pieces and may be a factor or an offset of all labels."
        for text in _pieces(loose)
    ]
    if len(said) > 1:
        doubts.append(f"More than one factor or offset stands by the bar: {' and '.join(repr(s) for s in said)}.")
    rest = [word for word in free if id(word) not in used and _belongs(axis, ladder, word, obstacles)]
    title, unit = _title(rest, axis, ladder)
    return BarText(title, unit or _label_unit(ladder), factor, offset, tuple(said), tuple(doubts))


def _pieces(words: Sequence[Word]) -> list[str]:
    """Texts of neighbours on one line that make a factor only together, and of remains of one."""
    found = [word.text for word in words if _REMAINS.fullmatch(normalize_text(word.text))]
    for first in words:
        for second in words:
            gap = second.box.left - first.box.right
            level = min(first.box.bottom, second.box.bottom) - max(first.box.top, second.box.top)
            close = -2 <= gap <= 1.2 * max(first.glyph_px, second.glyph_px) and level > 0.3 * second.box.height
            text = normalize_text(first.text + second.text)
            alone = any(_FACTOR_LIKE.fullmatch(normalize_text(word.text)) for word in (first, second))
            if first is not second and close and not (first.turned or second.turned or alone):
                found += [text] * bool(_FACTOR_LIKE.fullmatch(text))
    return found


def _same_place(one: Word, other: Word) -> bool:
    """Whether two words are the same ink: more than half of the smaller one is common to both."""
    if one is other:
        return True
    width = min(one.box.right, other.box.right) - max(one.box.left, other.box.left)
    height = min(one.box.bottom, other.box.bottom) - max(one.box.top, other.box.top)
    smaller = min(word.box.width * word.box.height for word in (one, other))
    return width > 0 and height > 0 and width * height > 0.5 * smaller


def _reaches(axis: BarAxis, ladder: Ladder, word: Word) -> bool:
    """Whether a word stands so near to the bar or its labels that it may speak of them."""
    return distance(word.box, _bounds(axis, ladder)) <= TITLE_GLYPHS * ladder.glyph_px


def _among_labels(axis: BarAxis, ladder: Ladder, word: Word) -> bool:
    """Whether a word stands in the row or column of the labels, beside the bar."""
    start, stop = axis.across(word.box)
    extents = [axis.across(label.box) for label in ladder.labels]
    low, high = min(e[0] for e in extents), max(e[1] for e in extents)
    in_line = min(stop, high) - max(start, low) > 0.5 * min(stop - start, high - low)
    return in_line and not parse_numbers(normalize_text(word.text)) and not _beyond_ends(axis, word)


def _is_sure(word: Word) -> bool:
    """Whether a factor may be taken as read: a lost minus or digit would shift all values by decades."""
    text = normalize_text(word.text)
    bare = re.fullmatch(r"[(\[]?[×xX*] ?10[)\]]?", text)
    if word.exact:
        # A file that tells its words may draw the exponent as a shape.
        return not bare
    doubts, agree = [], False
    for check in word.checks:
        texts = {re.sub(r"[\^ ×xX()]", "", text) for text in re.findall(r"'([^']*)'", check)}
        plus = text.startswith("+") and ("minus" in check or "tall glyphs" in check)
        hyphen = "raised" in check and re.search(r"10-\d$", text)
        cross = "tall glyphs" in check and re.search(r"[×(]", text)
        agree = agree or len(texts) == 1
        if len(texts) != 1 and not (plus or hyphen or cross):
            doubts.append(check)
    raised = "^" in text and "^-" not in text
    large = word.glyph_px >= (LEAST_RAISED_PX if raised else LEAST_PX)
    least = 0.4 if agree and word.glyph_px >= 12 else 0.65
    return word.confidence >= least and not doubts and large and not bare


def _label_unit(ladder: Ladder) -> str:
    """The unit written behind the labels themselves."""
    signs = {"percent": "%", "degree": "°", "plain": ""}
    units = {number.suffix_unit or signs[number.kind] for label in ladder.labels for number in label.numbers[:1]}
    units.discard("")
    return units.pop() if len(units) == 1 else ""


def _bounds(axis: BarAxis, ladder: Ladder) -> PixelBox:
    """The bar and its labels in one box."""
    boxes = [axis.box, *(label.box for label in ladder.labels)]
    return PixelBox(
        min(b.left for b in boxes), min(b.top for b in boxes), max(b.right for b in boxes), max(b.bottom for b in boxes)
    )


def _belongs(axis: BarAxis, ladder: Ladder, word: Word, obstacles: Sequence[PixelBox]) -> bool:
    """Whether a word is near the bar and its labels, and not nearer to the map."""
    away = distance(word.box, _bounds(axis, ladder))
    if not _reaches(axis, ladder, word):
        return False
    walls = [wall for wall in obstacles if distance(wall, axis.box) > 0]
    return not any(distance(word.box, wall) < away for wall in walls)


def _beyond_ends(axis: BarAxis, word: Word) -> bool:
    first, last = axis.along(word.box)
    return not axis.low <= (first + last) / 2 <= axis.high


def _title(words: Sequence[Word], axis: BarAxis, ladder: Ladder) -> tuple[str, str]:
    """Quantity and unit from the words with letters, those of one line joined; nothing rather than a fragment."""
    lettered = [word for word in words if _may_be_title(word)]
    unit = next((word.text for word in lettered if _is_unit_at_end(axis, word)), "")
    bounds = _bounds(axis, ladder)
    ranked = sorted(lettered, key=lambda w: distance(w.box, bounds) - 0.5 * min(len(w.text), 20))
    for first in ranked:
        line = sorted((w for w in lettered if _same_line(first, w)), key=lambda w: _reading_order(w))
        title, named = split_title(" ".join(word.text for word in line))
        if (named and not title) or _is_name(title):
            return title, named or unit
    return "", unit


def _may_be_title(word: Word) -> bool:
    """Whether a word has letters, is read well, and is neither a number with its unit nor a degree of a map."""
    if not re.search(r"[A-Za-z°%‰µ]", word.text) or word.text in _LOOSE_SIGNS:
        return False
    sure = word.exact or word.confidence >= LEAST_TITLE_CONFIDENCE
    return sure and not parse_numbers(word.text) and not _MAP_DEGREE.search(word.text)


def _is_name(title: str) -> bool:
    """Whether a title has a word of two letters or more, and more letters than anything else."""
    letters = len(re.findall(r"[^\W\d_]", title))
    others = len(re.findall(r"[^\w\s()\[\]^/.,:-]|\d", title))
    return bool(re.search(r"[^\W\d_]{2}", title)) and letters >= 2 * others and title.isprintable()


def _is_unit_at_end(axis: BarAxis, word: Word) -> bool:
    """Whether a lone unit stands beyond an end of the bar, in line with it."""
    level = shared_extent(axis.across(word.box), axis.across(axis.box)) > 0.5
    first, last = axis.along(word.box)
    gap = max(axis.low - last, first - axis.high)
    near = 0 <= gap <= UNIT_GLYPHS * word.glyph_px
    return level and near and bool(_UNIT_ALONE.fullmatch(word.text)) and word.text not in _NO_UNITS


def _same_line(one: Word, other: Word) -> bool:
    if one.turned != other.turned:
        return False
    if one.turned:
        middle = (other.box.left + other.box.right) / 2
        return one.box.left <= middle <= one.box.right
    middle = (other.box.top + other.box.bottom) / 2
    return one.box.top <= middle <= one.box.bottom


def _reading_order(word: Word) -> float:
    if not word.turned:
        return word.box.left
    return word.box.top if word.turned == 270 else -word.box.bottom


def split_title(text: str) -> tuple[str, str]:
    """Quantity and unit of a title.

    Examples
    --------
    >>> split_title("Temperature (°C)"), split_title("Gravity in mGal"), split_title("m/s"), split_title("Depth")
    (('Temperature', '°C'), ('Gravity', 'mGal'), ('', 'm/s'), ('Depth', ''))
    """
    text = re.sub(r"\s+", " ", text).strip()
    bracketed = _BRACKETS.fullmatch(text)
    if bracketed:
        return bracketed["name"].strip(" ,;:"), bracketed["unit"].strip()
    if _UNIT_ALONE.fullmatch(text) and text not in _NO_UNITS:
        return "", text
    apart = _IN_UNIT.fullmatch(text)
    if apart and _UNIT_ALONE.fullmatch(apart["unit"].strip()):
        return apart["name"].strip(), apart["unit"].strip()
    return text, ""
