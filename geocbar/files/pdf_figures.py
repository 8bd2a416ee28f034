"""Where the figures are on a PDF page: coloured or shaded drawing that stands together, with its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.files.pdf_blocks import (
    Block,
    Box,
    around,
    covers,
    find_blocks,
    free_gap,
    middle_inside,
    overlap,
    own_caption,
    shared,
)
from geocbar.files.pdf_drawing import Drawn, drawn_objects, paint_region
from geocbar.files.pdf_pages import PageFrame
from geocbar.files.pdf_text import TextRun, read_runs

__all__ = ["FigureArea", "fills_page", "find_areas", "page_images"]

#: A figure's drawing has sides of at least this many points (less on tiny pages) and this part of it is filled.
_LEAST_SIDE = 50.0
_LEAST_FILLED = 0.015

#: Drawings closer than this (points) stand together whatever lies between; farther apart up to the second number
#: only if no text column or caption lies between.
_TOUCHING = 6.0
_APART = 54.0

#: Labels stand this near to their drawing (in font sizes), titles over its middle that near; how far beside the middle
#: these may be centred, as a part of the drawing's width.
_LABEL_EMS, _TITLE_EMS, _MIDDLE = 1.2, 3.0, 0.1

#: A rule is thinner than this and longer than that (points).
_RULE_THICKNESS = 3.0
_RULE_LENGTH = 100.0


@dataclass(frozen=True, eq=False)
class FigureArea:
    """A figure on a page.

    Parameters
    ----------
    box : tuple of float
        Left, top, right, bottom in points from the page's top-left corner.
    images : tuple of Drawn
        The pictures in it.
    alone : bool
        Whether it is one picture, and nothing is drawn over it or around it.
    caption : str
        The text below or above that begins with "Fig." or the like; empty if there is none.
    """

    box: Box
    images: tuple[Drawn, ...]
    alone: bool
    caption: str


@dataclass
class _Cluster:
    box: Box
    major: bool
    caption: int | None = None


def find_areas(page: Any, frame: PageFrame) -> list[FigureArea]:
    """The figures of a page, from the top down.

    The page is painted small without its text; what is inked and stands together is a drawing, rules, page borders
    and tinted page backgrounds aside. Drawings are joined across small gaps unless a text column, a caption or
    another caption of their own tells them apart, and grow by the labels next to them.

    Parameters
    ----------
    page : pypdfium2.PdfPage
    frame : PageFrame

    Returns
    -------
    list of FigureArea
        Empty if the page holds text, tables and line drawings only.
    """
    objects = [item for item in drawn_objects(page, frame) if overlap(item.box, (0, 0, frame.width, frame.height))]
    if all(item.kind == "text" for item in objects):
        return []
    ink, filled, scale = _ink(page, frame, objects)
    if not filled.any():
        return []
    clusters = _clusters(ink, filled, scale, frame)
    if not any(cluster.major for cluster in clusters):
        return []
    runs = read_runs(page, frame)
    blocks = find_blocks(runs)
    captions = [block for block in blocks if block.caption]
    for cluster in clusters:
        cluster.caption = own_caption(cluster.box, captions, blocks) if cluster.major else None
    clusters = [cluster for cluster in clusters if not _is_text_box(cluster, blocks)]
    labels = [run for run in runs if not any(middle_inside(run.box, block.box) for block in blocks)]
    for cluster in clusters:
        cluster.box = _with_labels(cluster.box, labels)
    clusters = [cluster for cluster in _joined(clusters, blocks) if cluster.major]
    images = [item for item in objects if item.kind == "image"]
    if len(clusters) == 1 and not blocks and not _one_image(clusters[0].box, objects, runs):
        return [FigureArea((0.0, 0.0, frame.width, frame.height), tuple(images), False, "")]
    areas = [_area(cluster, objects, runs, captions, frame) for cluster in clusters]
    return sorted(areas, key=lambda area: (round(area.box[1] / 24), area.box[0]))


def _ink(page: Any, frame: PageFrame, objects: list[Drawn]) -> tuple[NDArray[np.bool_], NDArray[np.bool_], float]:
    """What is inked apart from text, what of it is filled and not a line, and the pixels per point of both."""
    import pypdfium2.raw as raw

    backdrop = {id(item) for item in objects if item.kind == "path" and fills_page(item.box, frame)}
    if all(item.kind == "text" or id(item) in backdrop for item in objects):
        backdrop = set()
    hidden = [item for item in objects if item.kind == "text" or id(item) in backdrop]
    scale = float(np.clip(1000.0 / max(frame.width, frame.height, 1.0), 1e-3, 2.0))
    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    for item in hidden:
        raw.FPDFPageObj_SetIsActive(item.handle, False)
    painted = paint_region(page, (0.0, 0.0), (scale, scale), size, smooth=True)
    for item in hidden:
        raw.FPDFPageObj_SetIsActive(item.handle, True)
    red, green, blue = painted[:, :, 0], painted[:, :, 1], painted[:, :, 2]
    ink = np.minimum(np.minimum(red, green), blue) < 250
    tinted = ink & (np.maximum(np.maximum(red, green), blue) > 40)
    return ink, _opened(tinted, 4), scale


def _grown(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """A mask with everything that lies within so many pixels of it in both directions."""
    rows, cols = mask.shape
    wide = np.zeros((rows, cols + 2 * reach), dtype=bool)
    for col in range(2 * reach + 1):
        wide[:, col : col + cols] |= mask
    high = np.zeros((rows + 2 * reach, cols), dtype=bool)
    for row in range(2 * reach + 1):
        high[row : row + rows] |= wide[:, reach : reach + cols]
    return high[reach : reach + rows]


def _opened(mask: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """What of a mask belongs to a full square of the given side."""
    for axis in (0, 1):
        length = max(mask.shape[axis] - side + 1, 0)
        mask = np.logical_and.reduce([mask.take(range(k, k + length), axis=axis) for k in range(side)])
    rows, cols = mask.shape
    spread = np.zeros((rows + side - 1, cols + side - 1), dtype=bool)
    for row in range(side):
        for col in range(side):
            spread[row : row + rows, col : col + cols] |= mask
    return spread


def _clusters(ink: NDArray[np.bool_], filled: NDArray[np.bool_], scale: float, frame: PageFrame) -> list[_Cluster]:
    """Drawings that stand together; rules and page borders left out."""
    from scipy import ndimage

    pieces, _ = ndimage.label(ink, np.ones((3, 3)))
    kept = ink.copy()
    for index, (rows, cols) in enumerate(ndimage.find_objects(pieces), start=1):
        high, wide = (rows.stop - rows.start) / scale, (cols.stop - cols.start) / scale
        rule = min(high, wide) < _RULE_THICKNESS and max(high, wide) > _RULE_LENGTH
        box = (cols.start / scale, rows.start / scale, cols.stop / scale, rows.stop / scale)
        piece = pieces[rows, cols] == index
        border = fills_page(box, frame, 0.9) and not filled[rows, cols][piece].any() and piece.mean() < 0.05
        if rule or border:
            kept[rows, cols][piece] = False
    reach = max(1, round(_TOUCHING * scale / 2))
    groups, _ = ndimage.label(_grown(kept, reach), np.ones((3, 3)))
    groups = np.where(kept, groups, 0)
    least = min(_LEAST_SIDE, 0.25 * min(frame.width, frame.height))
    clusters = []
    for index, place in enumerate(ndimage.find_objects(groups), start=1):
        if place is None:
            continue
        rows, cols = place
        box = (cols.start / scale, rows.start / scale, cols.stop / scale, rows.stop / scale)
        share = float((filled[rows, cols] & (groups[rows, cols] == index)).mean())
        sides = min(box[2] - box[0], box[3] - box[1])
        clusters.append(_Cluster(box, sides >= least and share >= _LEAST_FILLED))
    return clusters


def _is_text_box(cluster: _Cluster, blocks: list[Block]) -> bool:
    """Whether a drawing is the tint or the frame of running text."""
    box = cluster.box
    area = (box[2] - box[0]) * (box[3] - box[1])
    covered = sum(shared(box, block.box) for block in blocks)
    return bool(covered > 0.4 * area)


def _with_labels(box: Box, labels: list[TextRun]) -> Box:
    """A drawing's box grown by the labels next to it, and those next to them, and by titles over its middle."""
    for _ in range(4):
        near = [
            label.box
            for label in labels
            if free_gap(box, label.box) <= _reach(box, label) and not middle_inside(label.box, box)
        ]
        if not near:
            break
        box = around([box, *near])
    return box


def _reach(box: Box, label: TextRun) -> float:
    """How far from a drawing a label of it may stand (points)."""
    over_middle = abs(label.box[0] + label.box[2] - box[0] - box[2]) < _MIDDLE * (box[2] - box[0])
    is_title = over_middle and label.turned == 0 and sum(char.isalpha() for char in label.text) >= 3
    return (_TITLE_EMS if is_title and label.box[3] <= box[1] else _LABEL_EMS) * label.size + 4.0


def _joined(clusters: list[_Cluster], blocks: list[Block]) -> list[_Cluster]:
    """Drawings of one figure put together, the nearest pair first."""
    clusters = list(clusters)
    while True:
        best: tuple[float, int, int] | None = None
        for i, one in enumerate(clusters):
            for j in range(i):
                other = clusters[j]
                gap = free_gap(one.box, other.box)
                if (best is None or gap < best[0]) and _belong(one, other, gap, blocks):
                    best = gap, i, j
        if best is None:
            return clusters
        _, i, j = best
        one, other = clusters[i], clusters[j]
        caption = one.caption if one.caption is not None else other.caption
        clusters[j] = _Cluster(around([one.box, other.box]), one.major or other.major, caption)
        del clusters[i]


def _belong(one: _Cluster, other: _Cluster, gap: float, blocks: list[Block]) -> bool:
    if not (one.major or other.major) and gap > _TOUCHING:
        return False
    if one.caption is not None and other.caption is not None and one.caption != other.caption:
        return False
    if gap <= 0 and shared(one.box, other.box) > 0:
        return True
    if gap > _APART:
        return False
    a, b = one.box, other.box
    across = (max(a[0], b[0]), min(a[3], b[3]), min(a[2], b[2]), max(a[1], b[1]))
    along = (min(a[2], b[2]), max(a[1], b[1]), max(a[0], b[0]), min(a[3], b[3]))
    between = across if across[0] < across[2] else along
    return not any(overlap(between, block.box) for block in blocks)


def _area(
    cluster: _Cluster, objects: list[Drawn], runs: list[TextRun], captions: list[Block], frame: PageFrame
) -> FigureArea:
    caption = captions[cluster.caption].text if cluster.caption is not None else ""
    single = _one_image(cluster.box, objects, runs)
    if single is not None:
        return FigureArea(single.box, (single,), True, caption)
    left, top, right, bottom = cluster.box
    box = (max(left - 2, 0.0), max(top - 2, 0.0), min(right + 2, frame.width), min(bottom + 2, frame.height))
    images = tuple(item for item in objects if item.kind == "image" and overlap(item.box, box))
    return FigureArea(box, images, False, caption)


def _one_image(box: Box, objects: list[Drawn], runs: list[TextRun]) -> Drawn | None:
    """The one picture that a figure consists of, or None if anything is drawn over it or around it."""
    images = [item for item in objects if item.kind == "image" and overlap(item.box, box)]
    if len(images) != 1:
        return None
    image = images[0]
    drawn = False
    for item in objects:
        drawn = drawn or item is image
        if item.kind in ("path", "shading") and overlap(item.box, box) and (drawn or not covers(item.box, image.box)):
            return None
    over = [run for run in runs if middle_inside(run.box, image.box)]
    numbers = [run for run in runs if overlap(run.box, box) and any(char.isdigit() for char in run.text)]
    return None if over or len(numbers) >= 3 else image


def page_images(page: Any, frame: PageFrame) -> tuple[Drawn, ...]:
    """All pictures of a page."""
    return tuple(item for item in drawn_objects(page, frame) if item.kind == "image")


def fills_page(box: Box, frame: PageFrame, part: float = 0.97) -> bool:
    """Whether a box is as wide and as high as the page, or nearly so."""
    return box[2] - box[0] >= part * frame.width and box[3] - box[1] >= part * frame.height
