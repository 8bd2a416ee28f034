"""Running text and captions on a PDF page, told apart from the labels of figures; and boxes on the page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from geocbar.files.pdf_text import TextRun

__all__ = [
    "Block",
    "Box",
    "around",
    "covers",
    "find_blocks",
    "free_gap",
    "middle_inside",
    "overlap",
    "own_caption",
    "shared",
]

#: Left, top, right, bottom in points from the page's top-left corner.
Box = tuple[float, float, float, float]

#: Lines of running text have at least this many characters, and at least so many stand below each other.
_TEXT_LINE = 25
_TEXT_LINES = 3

_CAPTION = re.compile(
    r"(?:supplementary\s+|extended\s+data\s+)?(?:fig(?:ure|\.)?|abb(?:ildung|\.)?|plate|map)\s*S?\d", re.I
)


@dataclass(frozen=True, eq=False)
class Block:
    """Lines of text below each other: running text or a caption.

    Parameters
    ----------
    box : tuple of float
        Left, top, right, bottom in points from the page's top-left corner.
    text : str
    caption : bool
        Whether it begins with "Fig. 1" or the like.
    """

    box: Box
    text: str
    caption: bool


def find_blocks(runs: list[TextRun]) -> list[Block]:
    """Running text and captions; labels of figures and tables are neither.

    Parameters
    ----------
    runs : list of TextRun

    Returns
    -------
    list of Block
    """
    groups: list[list[TextRun]] = []
    for run in sorted((run for run in runs if run.turned == 0), key=lambda run: (run.box[1], run.box[0])):
        for group in reversed(groups):
            if _next_line(group, run):
                group.append(run)
                break
        else:
            groups.append([run])
    blocks = []
    for group in groups:
        text = " ".join(run.text for run in group)
        lengths = sorted(len(run.text) for run in group)
        caption = _CAPTION.match(text) is not None and len(text) > 8
        if caption or (len(group) >= _TEXT_LINES and lengths[len(lengths) // 2] >= _TEXT_LINE):
            blocks.append(Block(around([run.box for run in group]), text, caption))
    return blocks


def _next_line(group: list[TextRun], run: TextRun) -> bool:
    """Whether a run is the next line of a block, or goes on its last line."""
    last = group[-1]
    if abs(run.size - last.size) > 0.15 * last.size:
        return False
    left, right = min(r.box[0] for r in group), max(r.box[2] for r in group)
    down = run.box[1] - last.box[3]
    if abs(run.box[3] - last.box[3]) < 0.5 * run.size:
        return 0 <= run.box[0] - last.box[2] < 2.0 * run.size
    beside = min(right, run.box[2]) - max(left, run.box[0])
    aligned = abs(run.box[0] - left) < 3.0 * run.size or abs((run.box[0] + run.box[2]) - (left + right)) < run.size
    return aligned and beside > 0 and -0.4 * run.size < down < 0.9 * run.size


def own_caption(box: Box, captions: list[Block], blocks: list[Block]) -> int | None:
    """The caption nearest below a drawing, or above it if there is none below."""
    best: tuple[float, int] | None = None
    for index, caption in enumerate(captions):
        beside = min(box[2], caption.box[2]) - max(box[0], caption.box[0])
        if beside < 0.3 * min(box[2] - box[0], caption.box[2] - caption.box[0]):
            continue
        below, above = caption.box[1] - box[3], box[1] - caption.box[3]
        gap = below if below >= -3.0 else above + 1000.0
        between = (max(box[0], caption.box[0]), box[3], min(box[2], caption.box[2]), caption.box[1])
        if below > 0 and any(overlap(between, block.box) for block in blocks if not block.caption):
            continue
        if gap >= -3.0 and (best is None or gap < best[0]):
            best = gap, index
    return best[1] if best else None


def around(boxes: list[Box]) -> Box:
    """The smallest box around several."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def shared(one: Box, other: Box) -> float:
    """Common area of two boxes."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes have area in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def middle_inside(inner: Box, outer: Box) -> bool:
    """Whether the middle of a box lies in another."""
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def covers(outer: Box, inner: Box) -> bool:
    """Whether a box holds all of another."""
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]


def free_gap(one: Box, other: Box) -> float:
    """Free space between two boxes in points, 0 if they touch."""
    wide = max(one[0], other[0]) - min(one[2], other[2])
    high = max(one[1], other[1]) - min(one[3], other[3])
    return max(wide, high, 0.0)
