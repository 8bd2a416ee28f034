"""Where the maps are on the page: their frames, or the outlines of maps that are no rectangles.

Paper is flooded from the margin of the picture; what the flood cannot reach is a silhouette: a map with its frame, a
legend, a word. Thin things (ticks, letters) are opened away, silhouettes whose colours are not those of the scale are
dropped, and what is left is a rectangle, whose sides are then moved onto the frame's line, or a polygon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.errors import InvalidInputError
from geocbar.figure.abutting_panels import cut_apart
from geocbar.figure.frame_lines import box_on_lines, outline_on_line
from geocbar.figure.layout import PixelBox
from geocbar.figure.outlines import pixels_inside, simplified, smoothed, traced_outline
from geocbar.figure.paper import evened, find_paper, ink_on
from geocbar.figure.silhouettes import (
    LEAST_EXPLAINED,
    body_of,
    empty_corner,
    explained_beyond,
    find_silhouettes,
    least_touch,
    page_shapes,
    regrown,
)

__all__ = ["MapFrame", "find_frames"]

#: The page is looked at in a copy of at most this many pixels on its longer side.
WORKING_SIZE = 1300

#: A silhouette is a rectangle if it fills this share of its box, or touches each side of the box over this share.
FILLED = 0.97
TOUCHED = 0.4

#: A frame is doubtful if this share of the scale's colours, bars apart, lies outside of all frames.
MOST_BEYOND = 0.03

#: Or if more than this share of its outline runs along the edge of the picture.
MOST_AT_EDGE = 0.04


@dataclass(frozen=True, eq=False)
class MapFrame:
    """The frame of one map.

    Parameters
    ----------
    box : PixelBox
        For a rectangle the centre of the frame's line, or the edge of the colours where there is no line (of a fancy
        frame of black and white pieces: its inner line); else the bounding box of the outline.
    outline : (k, 2) float array or None
        Polygon (x, y) in pixels for maps that are no upright rectangles: ovals, discs, fans, rotated ones; not closed.
    kind : {"rectangle", "outline", "picture"}
        ``"picture"``: the map fills the whole picture.
    notes : tuple of str
        What speaks for the frame, and what is doubtful.
    """

    box: PixelBox
    outline: NDArray[np.float64] | None
    kind: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.outline is not None:
            self.outline.setflags(write=False)

    def inside(self, width: int, height: int) -> NDArray[np.bool_]:
        """Which pixel centres of a picture of the given size lie inside.

        Returns
        -------
        (height, width) bool array
        """
        if self.outline is not None:
            return pixels_inside(self.outline, width, height)
        mask = np.zeros((height, width), bool)
        mask[self.box.slices(width, height)] = True
        return mask


def find_frames(
    pixels: NDArray[np.uint8],
    explained: NDArray[np.bool_],
    *,
    bars: Sequence[PixelBox] = (),
    lossy: bool = False,
) -> list[MapFrame]:
    """Find the frame of every map on the page.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The picture, sRGB.
    explained : (h, w) bool array
        Pixels whose colours lie on the colour scale.
    bars : sequence of PixelBox
        Colour bars, which are no maps.
    lossy : bool
        Whether the picture went through JPEG or the like.

    Returns
    -------
    list of MapFrame
        One for each panel, in reading order; empty where no silhouette has the colours of the scale.

    Raises
    ------
    InvalidInputError
        If the mask does not have the picture's size.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or explained.shape != pixels.shape[:2]:
        raise InvalidInputError(f"A mask of {explained.shape} does not belong to pixels of {pixels.shape}.")
    height, width = explained.shape
    whole = PixelBox(0, 0, width, height)
    paper = find_paper(pixels, lossy=lossy)
    if paper is None:
        share = float(explained.mean())
        notes = ("no paper around the map", f"{100 * share:.0f} % of the picture has the scale's colours")
        return [MapFrame(whole, None, "picture", notes)] if share >= LEAST_EXPLAINED else []
    factor = max(1, -(-max(height, width) // WORKING_SIZE))
    pixels = evened(pixels, paper)
    ink = ink_on(pixels, paper)
    solid, small_explained = page_shapes(ink, explained, factor, bars)
    thin = max(5, round(0.012 * min(solid.shape)))
    frames: list[MapFrame] = []
    for own, offset in find_silhouettes(solid, small_explained, thin):
        frame = _rectangle_of(own, offset, factor, ink, pixels, paper.color)
        if frame is None:
            frames.append(_outline_of(*regrown(own, offset, solid, thin), factor, ink, pixels))
        else:
            frames += _panels_of(frame, pixels)
    return _reading_order(_with_doubts(frames, small_explained, factor))


def _panels_of(frame: MapFrame, pixels: NDArray[np.uint8]) -> list[MapFrame]:
    """The frame, or those of the panels that share its lines."""
    boxes = cut_apart(pixels, frame.box)
    if len(boxes) == 1:
        return [frame]
    notes = (*frame.notes, f"one of {len(boxes)} panels with common lines")
    return [MapFrame(box, None, "rectangle", notes) for box in boxes]


def _with_doubts(frames: list[MapFrame], explained: NDArray[np.bool_], factor: int) -> list[MapFrame]:
    """The frames, with a note where much that has the scale's colours lies outside of all of them."""
    height, width = explained.shape
    inside = np.zeros((height, width), bool)
    for frame in frames:
        if frame.outline is None:
            box = frame.box
            grown = PixelBox(*(edge / factor for edge in (box.left, box.top, box.right, box.bottom)))
            rows, cols = grown.slices(width, height)
            inside[max(rows.start - 2, 0) : rows.stop + 2, max(cols.start - 2, 0) : cols.stop + 2] = True
        else:
            inside |= ndimage.binary_dilation(pixels_inside(frame.outline / factor, width, height), iterations=2)
    share = explained_beyond(explained, inside) if frames else 0.0
    if share < MOST_BEYOND:
        return frames
    note = f"doubtful: {100 * share:.0f} % of the scale's colours lie outside the frame"
    return [replace(frame, notes=(*frame.notes, note)) for frame in frames]


def _rectangle_of(
    own: NDArray[np.bool_],
    offset: tuple[int, int],
    factor: int,
    ink: NDArray[np.bool_],
    pixels: NDArray[np.uint8],
    paper: NDArray[np.int16],
) -> MapFrame | None:
    """A rectangle on the frame's lines; None if the silhouette is not a rectangle."""
    height, width = ink.shape
    body, row, col = body_of(own)
    notes: list[str] = []
    if own.mean() < FILLED and body.mean() >= 0.985:
        notes.append("something beside the map touches its frame")
        own, offset = body, (offset[0] + row, offset[1] + col)
    if own.mean() < FILLED and least_touch(own) < TOUCHED:
        return None
    rows, cols = own.shape
    edges = [offset[1], offset[0], offset[1] + cols, offset[0] + rows]
    box = box_on_lines(pixels, ink, paper, [edge * factor for edge in edges], factor, notes)
    if own.mean() < FILLED and empty_corner(own):
        notes.append("doubtful: a corner of the rectangle is empty; something may stand beside the map")
    elif own.mean() < FILLED:
        notes.append("paper reaches the edge of the map: its sides are those of the outermost colours")
    whole = box.left <= 1 and box.top <= 1 and box.right >= width - 1 and box.bottom >= height - 1
    return MapFrame(box, None, "picture" if whole else "rectangle", tuple(notes))


def _outline_of(
    own: NDArray[np.bool_],
    offset: tuple[int, int],
    factor: int,
    ink: NDArray[np.bool_],
    pixels: NDArray[np.uint8],
) -> MapFrame:
    """A polygon around the silhouette, on the line around the map where there is one."""
    height, width = ink.shape
    notes: list[str] = []
    outline = (traced_outline(own) + np.array([offset[1], offset[0]], np.float64)) * factor
    outline = simplified(outline_on_line(smoothed(outline), pixels, ink, factor, notes), 0.5)
    outline = np.clip(outline, 0, [width, height])
    if _length_at_edge(outline, width, height) > MOST_AT_EDGE:
        notes.append("doubtful: the outline runs along the edge of the picture")
    (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
    return MapFrame(PixelBox(left, top, right, bottom), outline, "outline", tuple(notes))


def _length_at_edge(outline: NDArray[np.float64], width: int, height: int) -> float:
    """Share of an outline's length that runs along the picture's edge, within 1.5 px."""
    after = np.roll(outline, -1, axis=0)
    length = np.hypot(*(after - outline).T)
    along = np.zeros(len(outline), bool)
    for axis, size in ((0, width), (1, height)):
        for edge in (0, size):
            along |= (np.abs(outline[:, axis] - edge) <= 1.5) & (np.abs(after[:, axis] - edge) <= 1.5)
    return float(length[along].sum() / length.sum())


def _reading_order(frames: list[MapFrame]) -> list[MapFrame]:
    """Rows of panels from top to bottom, each from left to right."""
    left = sorted(frames, key=lambda frame: frame.box.top)
    ordered: list[MapFrame] = []
    while left:
        first = left[0].box
        middle = first.top + first.height / 2
        row = [frame for frame in left if frame.box.top < middle]
        ordered += sorted(row, key=lambda frame: frame.box.left)
        left = [frame for frame in left if frame.box.top >= middle]
    return ordered
