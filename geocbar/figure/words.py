"""Words in a picture: where they stand, what they say, and whether their glyphs agree with what was read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.ink import Ink, chain_pieces, find_ink
from geocbar.figure.label_reading import ReadText, TextLine, TextReading, Word, is_numeric, read_again, read_lines
from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import parse_factor, parse_numbers, parse_offset

__all__ = ["ReadText", "TextReading", "Word", "find_words", "read_label", "reread_label", "split_words"]


#: Gaps in digit heights: within a number; within a line of words.
TIGHT_GAP, WIDE_GAP = 0.58, 1.15


def find_words(
    pixels: NDArray[np.uint8],
    region: PixelBox,
    read: ReadText,
    *,
    exclude: Sequence[PixelBox] = (),
    numeric_first: bool = True,
) -> list[Word]:
    """Find and read what is written in a region, upright or turned by 90 or 270 degrees.

    Numbers stand alone, also where they follow each other closely; words of one line come as one :class:`Word`.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)
    region : PixelBox
        Words whose middle lies here are found, also if they reach beyond.
    read : callable
        Text engine, see :data:`ReadText`.
    exclude : sequence of PixelBox
        Places without text, such as the colour bar: what touches them (tick marks) is no text.
    numeric_first : bool
        Take the reading from numbers' characters where the free one is no word.

    Returns
    -------
    list of Word
        From top to bottom, then from left to right.
    """
    words: list[Word] = []
    for ink in find_ink(pixels, region, exclude):
        lying, standing = _by_direction(ink.boxes)
        found = _words_of(ink, lying, read, 0, numeric_first)
        if len(standing):
            turned = [_words_of(ink, standing, read, turn, numeric_first) for turn in (90, 270)]
            found += max(turned, key=_certainty)
        words += [word for word in found if not any(_share(word.box, other.box) > 0.5 for other in words)]
    return sorted(words, key=lambda word: (word.box.top, word.box.left))


def read_label(
    pixels: NDArray[np.uint8],
    box: PixelBox,
    read: ReadText,
    *,
    turned: int = 0,
    numeric_first: bool = True,
) -> Word | None:
    """Read all ink in a box as one label.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)
    box : PixelBox
        Pieces of ink whose middle lies here belong to the label.
    read : callable
        Text engine.
    turned : {0, 90, 270}
        How the label is turned, degrees counter-clockwise.
    numeric_first : bool
        As for :func:`find_words`.

    Returns
    -------
    Word or None
        None if the box holds no ink or nothing could be read.
    """
    for ink in find_ink(pixels, box, strict=True):
        line = TextLine(ink, np.arange(len(ink.boxes)), turned)
        words = read_lines([line], read, numeric_first)
        if words and words[0].text:
            return words[0]
    return None


def reread_label(
    pixels: NDArray[np.uint8],
    box: PixelBox,
    read: ReadText,
    accept: Callable[[str], bool],
    *,
    turned: int = 0,
    least: int = 2,
) -> Word | None:
    """Read all ink in a box as one label in several ways, and tell whether it says what is asked for.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)
    box : PixelBox
        Pieces of ink whose middle lies here belong to the label.
    read : callable
        Text engine.
    accept : callable
        Whether a text is what is asked for.
    turned : {0, 90, 270}
        How the label is turned, degrees counter-clockwise.
    least : int
        In how many of five ways it must be read.

    Returns
    -------
    Word or None
        None if it does not.
    """
    for ink in find_ink(pixels, box, strict=True):
        word = read_again(TextLine(ink, np.arange(len(ink.boxes)), turned), read, accept, least)
        if word is not None:
            return word
    return None


def split_words(
    pixels: NDArray[np.uint8],
    word: Word,
    at_positions: Sequence[float],
    read: ReadText,
    *,
    axis: str = "horizontal",
) -> list[Word]:
    """Cut what was taken for one word into the labels of several ticks and read them one by one.

    The cuts lie in the widest gaps near the middles between the positions.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)
    word : Word
        Spans several ticks.
    at_positions : sequence of float
        Column (or row, if ``axis`` is ``"vertical"``) of every tick, in pixels; those beside the word are ignored.
    read : callable
        Text engine.
    axis : {"horizontal", "vertical"}
        Direction in which the ticks follow each other.

    Returns
    -------
    list of Word
        One for each tick that has a label; the word alone if fewer than two ticks lie at it.
    """
    start, stop = (word.box.left, word.box.right) if axis == "horizontal" else (word.box.top, word.box.bottom)
    ticks = sorted(position for position in at_positions if start - 1 <= position <= stop + 1)
    if len(ticks) < 2:
        return [word]
    filled = _filled(pixels, word.box, axis)
    cuts = [start - 0.5]
    cuts += [start + _gap_near(filled, (a + b) / 2 - start, (b - a) / 3) for a, b in pairwise(ticks)]
    cuts.append(stop + 0.5)
    parts = []
    for low, high in pairwise(cuts):
        if high - low < 2:
            continue
        if axis == "horizontal":
            box = PixelBox(low, word.box.top - 0.5, high, word.box.bottom + 0.5)
        else:
            box = PixelBox(word.box.left - 0.5, low, word.box.right + 0.5, high)
        part = read_label(pixels, box, read, turned=word.turned)
        if part is not None:
            parts.append(part)
    return parts


def _words_of(ink: Ink, pieces: NDArray[np.intp], read: ReadText, turned: int, numeric_first: bool) -> list[Word]:
    """Words of one direction: read in tight chains, then joined along the line where they are no numbers."""
    boxes = _upright(ink, pieces, turned)
    chains = [chain for chain in chain_pieces(boxes, TIGHT_GAP) if _may_be_text(boxes[chain])]
    chains = [chain for chain in chains if ink.holds(pieces[chain])]
    if not chains:
        return []
    words = read_lines([TextLine(ink, pieces[chain], turned) for chain in chains], read, numeric_first)
    cut = [_cut_at_spaces(boxes, chain, word) for chain, word in zip(chains, words, strict=True)]
    if any(len(parts) > 1 for parts in cut):
        fresh = [part for parts in cut if len(parts) > 1 for part in parts]
        words = [word for word, parts in zip(words, cut, strict=True) if len(parts) == 1]
        words += read_lines([TextLine(ink, pieces[part], turned) for part in fresh], read, numeric_first)
        chains = [parts[0] for parts in cut if len(parts) == 1] + fresh
    lines = [TextLine(ink, pieces[chain], turned) for chain in chains]
    edges = np.array([_around(boxes[chain]) for chain in chains])
    done: list[Word] = []
    several: list[list[int]] = []
    for row in chain_pieces(edges, WIDE_GAP):
        for run in _runs([words[k] for k in row], edges[row]):
            members = [int(row[k]) for k in run]
            if len(members) == 1:
                done.append(words[members[0]])
            else:
                several.append(members)
    whole = [TextLine(ink, np.concatenate([lines[k].pieces for k in members]), turned) for members in several]
    for members, word in zip(several, read_lines(whole, read, numeric_first), strict=True):
        kept = is_numeric(word.text) or not is_numeric(words[members[0]].text)
        done += [word] if kept else [words[k] for k in members]
    return [word for word in done if any(c.isalnum() for c in word.text)]


def _cut_at_spaces(boxes: NDArray[np.int64], chain: NDArray[np.intp], word: Word) -> list[NDArray[np.intp]]:
    """Part a chain that was read as several numbers: at its minus signs, or where its widest gaps are."""
    if re.fullmatch(r"(-\d+\.?\d*){2,}", word.text):
        return _cut_at_minus(boxes, chain, word.text.count("-"))
    tokens = word.text.split(" ")
    if len(tokens) < 2 or not all(is_numeric(token) for token in tokens) or len(chain) < len(tokens):
        return [chain]
    reached = np.maximum.accumulate(boxes[chain, 2])
    gaps = boxes[chain[1:], 0] - reached[:-1]
    cuts = np.sort(np.argsort(gaps)[::-1][: len(tokens) - 1]) + 1
    return [np.asarray(part) for part in np.split(chain, cuts)]


def _cut_at_minus(boxes: NDArray[np.int64], chain: NDArray[np.intp], count: int) -> list[NDArray[np.intp]]:
    """Part a chain before each of its flat pieces, if there are as many at one height as minus signs were read."""
    own = boxes[chain]
    tall = float((own[:, 3] - own[:, 1]).max())
    high, wide = own[:, 3] - own[:, 1], own[:, 2] - own[:, 0]
    flat = np.flatnonzero((high < 0.33 * tall) & (wide > 1.5 * high) & (wide > 0.2 * tall))
    middle = (own[flat, 1] + own[flat, 3]) / 2
    if len(flat) != count or np.ptp(middle) > 0.12 * tall or flat[0] != 0:
        return [chain]
    return [np.asarray(part) for part in np.split(chain, flat[1:])]


def _runs(words: Sequence[Word], edges: NDArray[np.int64]) -> list[list[int]]:
    """Neighbours in a row that belong together: words with words, a unit with its number, ``1`` with ``000``."""
    runs: list[list[int]] = [[0]]
    for k in range(1, len(words)):
        last, this = words[k - 1], words[k]
        before, after = is_numeric(last.text), is_numeric(this.text)
        gap = edges[k, 0] - edges[k - 1, 2]
        following = edges[k + 1, 0] - edges[k, 2] if k + 1 < len(words) else None
        if _is_factor(this.text) or _is_factor(last.text):
            mantissa = re.fullmatch(r"-?\d(\.\d+)?", last.text) and re.match(r"[×x]", this.text)
            together = bool(mantissa) and gap <= 0.5 * (edges[k, 3] - edges[k, 1])
        elif before and after:
            together = bool(this.text[:1] == "0" and len(this.text) == 3 and this.text.isdigit())
        elif before:
            unit = len(this.text) <= 2 or bool(parse_numbers(f"{last.text} {this.text}"))
            together = (unit and (following is None or gap < 0.8 * following)) or len(runs[-1]) > 1
        elif after:
            together = len(runs[-1]) > 1 or len(last.text) > 2 or last.text in {"<", ">", "×", "x", "+", "±"}
            together = together and not (len(runs[-1]) > 1 and is_numeric(words[runs[-1][0]].text))
        else:
            together = True
        if together:
            runs[-1].append(k)
        else:
            runs.append([k])
    return runs


def _is_factor(text: str) -> bool:
    """Factors and offsets stand alone, whatever is written beside them; in brackets they belong to a title."""
    marked = re.match(r"[×xX*·+-]|1[eE]", text) and not re.search(r"[()\[\]]", text)
    return (
        bool(marked) and (parse_factor(text) is not None or parse_offset(text) is not None) and not text.startswith("-")
    )


def _by_direction(boxes: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pieces of lying text, and of text that stands: chains up the page, narrow for their length."""
    standing = np.zeros(len(boxes), bool)
    if not len(boxes):
        return np.flatnonzero(standing), np.flatnonzero(standing)
    chain_of = np.zeros(len(boxes), int)
    across = chain_pieces(boxes, TIGHT_GAP)
    for number, chain in enumerate(across):
        chain_of[chain] = number
    bands: list[tuple[int, int, int, int]] = []
    doubtful = []
    heights = boxes[:, 3] - boxes[:, 1]
    high, wide, one_glyph = np.median(heights), np.median(boxes[:, 2] - boxes[:, 0]), np.percentile(heights, 75)
    gap = TIGHT_GAP * float(np.clip(1.35 * high / wide, 0.2, 1.0))
    for chain in chain_pieces(boxes[:, [1, 0, 3, 2]], gap):
        box = left, top, right, bottom = _around(boxes[chain])
        if len(chain) < 2 or bottom - top < (1.25 if len(chain) <= 4 else 1.5) * (right - left):
            continue
        if len(chain) == 2 and bottom - top <= 1.15 * one_glyph:
            continue
        merged = boxes[chain, 2] - boxes[chain, 0] > 1.7 * (boxes[chain, 3] - boxes[chain, 1])
        if merged.mean() > 0.55:
            # Brackets lie flat in turned text: it stands if other standing text goes on with it.
            doubtful.append((chain, box))
            continue
        if len(chain) > 3 and np.mean([len(across[chain_of[k]]) > 1 for k in chain]) >= 0.6:
            continue  # lines of text set close under one another
        beside = np.mean([len(np.setdiff1d(across[chain_of[k]], chain)) > 0 for k in chain])
        if beside == 0 or (len(chain) > 2 and beside < (0.5 if len(chain) == 3 else 0.8)):
            standing[chain] = True
            bands.append(box)
        elif len(chain) > 2:
            doubtful.append((chain, box))
    for chain, (left, top, right, bottom) in doubtful:
        standing[chain] = any(
            min(right, box[2]) - max(left, box[0]) > 0.7 * (right - left)
            and max(top, box[1]) - min(bottom, box[3]) < WIDE_GAP * (right - left)
            for box in bands
        )
    alone = [k for k in np.flatnonzero(~standing) if len(across[chain_of[k]]) == 1]
    if len(bands) >= 2 and len(alone) < len(bands):
        for k in alone:
            level = sum(min(boxes[k, 3], bottom) - max(boxes[k, 1], top) > 0 for _, top, _, bottom in bands)
            standing[k] = level >= 2
    return np.flatnonzero(~standing), np.flatnonzero(standing)


def _upright(ink: Ink, pieces: NDArray[np.intp], turned: int) -> NDArray[np.int64]:
    """Boxes of the pieces as if the text lay upright."""
    boxes = ink.boxes[pieces]
    height, width = ink.labels.shape
    if turned == 90:
        return np.stack([height - boxes[:, 3], boxes[:, 0], height - boxes[:, 1], boxes[:, 2]], axis=1)
    if turned == 270:
        return np.stack([boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]], axis=1)
    return boxes


def _may_be_text(boxes: NDArray[np.int64]) -> bool:
    left, top, right, bottom = _around(boxes)
    return bool(bottom - top >= 4 and right - left < 120 * (bottom - top))


def _around(boxes: NDArray[np.int64]) -> tuple[int, int, int, int]:
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    return int(left), int(top), int(right), int(bottom)


def _share(one: PixelBox, other: PixelBox) -> float:
    """Common area as a share of the smaller box."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(one.width * one.height, other.width * other.height)


def _filled(pixels: NDArray[np.uint8], box: PixelBox, axis: str) -> NDArray[np.float64]:
    """Ink in every column (or row) of a box."""
    height, width = pixels.shape[:2]
    rows, cols = box.slices(width, height)
    part = pixels[rows, cols].astype(float)
    rim = np.median(np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]]), axis=0)
    return np.asarray(np.abs(part - rim).max(axis=2).mean(axis=0 if axis == "horizontal" else 1))


def _gap_near(filled: NDArray[np.float64], position: float, reach: float) -> float:
    """Middle of the widest empty stretch within reach of a position; the emptiest place if there is none."""
    low, high = max(0, int(position - reach)), min(len(filled), int(position + reach) + 1)
    part = filled[low:high]
    if not len(part):
        return position
    empty = part <= 0.15 * max(float(filled.max()), 1.0)
    best, start = (0, position), 0
    for k in range(len(part) + 1):
        if k == len(part) or not empty[k]:
            if k - start > best[0]:
                best = (k - start, low + (start + k) / 2)
            start = k + 1
    return best[1] if best[0] else low + float(part.argmin()) + 0.5


def _certainty(words: Iterable[Word]) -> float:
    """How much was read, and how surely: the right way round wins."""
    return sum(word.confidence * min(len(word.text), 12) for word in words)
