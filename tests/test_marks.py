"""Tick marks, drawn at known places by exact area coverage, found again to sub-pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.figure.marks import SIDES, TickMarks, find_ticks

Pixels = NDArray[np.uint8]
BOX = PixelBox(60, 40, 84, 340)


def covered(length: int, start: float, stop: float) -> NDArray[np.float64]:
    """Share of each of `length` pixels that lies between two coordinates."""
    edges = np.arange(length + 1)
    return np.diff(np.clip(edges, start, stop))


def paint(canvas: NDArray[np.float64], box: tuple[float, float, float, float], color: float | tuple[int, ...]) -> None:
    left, top, right, bottom = box
    rows, cols = slice(int(top), int(bottom) + 1), slice(int(left), int(right) + 1)
    share = covered(canvas.shape[0], top, bottom)[rows, None] * covered(canvas.shape[1], left, right)[cols]
    canvas[rows, cols] += share[..., None] * (np.asarray(color, float) - canvas[rows, cols])


def ramp(n: int) -> NDArray[np.float64]:
    """Colours from blue over green to yellow."""
    t = np.linspace(0, 1, n)
    return np.stack([60 + 180 * t**2, 40 + 190 * t, 150 - 110 * t], axis=-1)


def draw_bar(
    ticks: NDArray[np.float64] | list[float],
    *,
    out: float = 5,
    into: float = 0,
    width: float = 1.0,
    ink: float = 0,
    paper: float = 255,
    frame: float = 1.0,
    minors: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """A vertical bar in BOX with ticks on its right side, the labels' place left empty."""
    canvas = np.full((380, 160, 3), float(paper))
    canvas[int(BOX.top) : int(BOX.bottom), int(BOX.left) : int(BOX.right)] = ramp(int(BOX.height))[:, None]
    if frame:
        left, top, right, bottom = BOX.left, BOX.top, BOX.right, BOX.bottom
        half = frame / 2
        for edge in (left, right):
            paint(canvas, (edge - half, top - half, edge + half, bottom + half), ink)
        for edge in (top, bottom):
            paint(canvas, (left - half, edge - half, right + half, edge + half), ink)
    for places, factor in ((ticks, 1.0), ([] if minors is None else minors, 0.5)):
        for y in places:
            paint(canvas, (BOX.right - into, y - width / 2, BOX.right + frame / 2 + factor * out, y + width / 2), ink)
    return canvas


def finished(canvas: NDArray[np.float64], quality: int | None = None) -> Pixels:
    pixels = np.rint(canvas).astype(np.uint8)
    if quality is None:
        return pixels
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream).convert("RGB"))


def turned(pixels: Pixels, side: str) -> tuple[Pixels, PixelBox]:
    """The same bar with its ticks on another side."""
    width = pixels.shape[1]
    left, top, right, bottom = BOX.left, BOX.top, BOX.right, BOX.bottom
    if side == "left":
        return np.ascontiguousarray(pixels[:, ::-1]), PixelBox(width - right, top, width - left, bottom)
    if side == "bottom":
        return np.ascontiguousarray(pixels.transpose(1, 0, 2)), PixelBox(top, left, bottom, right)
    if side == "top":
        box = PixelBox(top, width - right, bottom, width - left)
        return np.ascontiguousarray(pixels.transpose(1, 0, 2)[::-1]), box
    return pixels, BOX


def assert_found(marks: TickMarks, truth: NDArray[np.float64] | list[float], within: float) -> None:
    assert len(marks) == len(truth), marks.positions
    np.testing.assert_allclose(marks.positions, np.sort(truth), atol=within)


@pytest.mark.parametrize("side", SIDES)
def test_every_side_is_read_to_subpixel(side: str) -> None:
    truth = np.array([55.3, 110.71, 166.12, 221.5, 276.94, 332.35])
    pixels, box = turned(finished(draw_bar(truth)), side)
    marks = find_ticks(pixels, box, side)
    assert_found(marks, truth, 0.05)
    assert marks.side == side
    assert marks.outward.all()
    assert not marks.across.any()
    np.testing.assert_allclose(marks.lengths, 5, atol=0.8)
    opposite = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}[side]
    assert len(find_ticks(pixels, box, opposite)) == 0


@settings(max_examples=40, deadline=None)
@given(
    start=st.floats(46, 70),
    step=st.floats(14, 60),
    width=st.floats(1.0, 2.5),
    out=st.floats(2.5, 8),
    shift=st.tuples(*[st.floats(-2, 2)] * 4),
    frame=st.sampled_from([0.0, 1.0, 2.0]),
)
def test_places_are_right_whatever_the_marks_look_like(
    start: float, step: float, width: float, out: float, shift: tuple[float, ...], frame: float
) -> None:
    truth = np.arange(start, 334, step)
    pixels = finished(draw_bar(truth, width=width, out=out, frame=frame))
    edges = np.array([BOX.left, BOX.top, BOX.right, BOX.bottom]) + shift
    assert_found(find_ticks(pixels, PixelBox(*edges), "right"), truth, 0.15)


@settings(max_examples=25, deadline=None)
@given(start=st.floats(46, 70), step=st.floats(20, 60), width=st.floats(1.0, 2.2), quality=st.integers(60, 95))
def test_jpeg_moves_no_mark_by_a_fifth_of_a_pixel(start: float, step: float, width: float, quality: int) -> None:
    truth = np.arange(start, 334, step)
    marks = find_ticks(finished(draw_bar(truth, width=width), quality), BOX, "right", lossy=True)
    assert_found(marks, truth, 0.2)


@pytest.mark.parametrize("out", [1.0, 2.0])
def test_marks_of_a_pixel_or_two_on_thumbnails(out: float) -> None:
    truth = np.array([60.5, 120.5, 180.5, 240.5, 300.5])
    assert_found(find_ticks(finished(draw_bar(truth, out=out)), BOX, "right"), truth, 0.05)


def test_faint_grey_marks_are_seen_in_png() -> None:
    truth = np.array([70.5, 141.2, 211.9, 282.6])
    pixels = finished(draw_bar(truth, ink=215, frame=0))
    marks = find_ticks(pixels, BOX, "right")
    assert_found(marks, truth, 0.15)
    assert marks.strength.max() < 0.2


def test_bright_marks_on_a_dark_page() -> None:
    truth = np.array([70.5, 141.2, 211.9, 282.6])
    assert_found(find_ticks(finished(draw_bar(truth, ink=255, paper=0)), BOX, "right"), truth, 0.05)


def test_marks_inside_and_marks_on_both_faces() -> None:
    truth = np.array([60.5, 120.5, 180.5, 240.5, 300.5])
    inside = find_ticks(finished(draw_bar(truth, out=0, into=6)), BOX, "right")
    assert_found(inside, truth, 0.1)
    assert not inside.outward.any()
    both = find_ticks(finished(draw_bar(truth, out=5, into=6)), BOX, "right")
    assert_found(both, truth, 0.1)
    assert both.outward.all()
    np.testing.assert_allclose(both.lengths, 10.5, atol=1.6)


def test_separators_across_the_bar_are_noted() -> None:
    truth = np.array([90.5, 140.5, 190.5, 240.5, 290.5])
    marks = find_ticks(finished(draw_bar(truth, out=0, into=BOX.width)), BOX, "right")
    assert_found(marks, truth, 0.1)
    assert marks.across.all()
    assert not marks.outward.any()
    assert marks.majors().all()


def test_majors_are_the_long_ones() -> None:
    majors = np.array([60.5, 120.5, 180.5, 240.5, 300.5])
    minors = np.setdiff1d(np.arange(60.5, 330, 15), majors)
    marks = find_ticks(finished(draw_bar(majors, out=6, minors=minors)), BOX, "right")
    assert_found(marks, np.concatenate([majors, minors]), 0.1)
    np.testing.assert_allclose(marks.positions[marks.majors()], majors, atol=0.1)
    alike = find_ticks(finished(draw_bar(majors)), BOX, "right")
    assert alike.majors().all()


@pytest.mark.parametrize("quality", [None, 60, 85])
@pytest.mark.parametrize("gap", [2, 4, 6])
def test_labels_without_marks_are_no_marks(quality: int | None, gap: int) -> None:
    image = Image.fromarray(finished(draw_bar([])))
    writer = ImageDraw.Draw(image)
    for number, y in enumerate(np.linspace(50, 330, 8)):
        writer.text((BOX.right + gap, y), f"{number - 3}.5", fill="black", anchor="lm")
    pixels = finished(np.asarray(image, float), quality)
    for side in ("left", "right"):
        assert len(find_ticks(pixels, BOX, side, lossy=quality is not None)) == 0


@pytest.mark.parametrize("classes", [5, 9, 30])
def test_colours_of_classes_are_no_marks(classes: int) -> None:
    canvas = draw_bar([], frame=0)
    bands = ramp(classes)[np.arange(300) * classes // 300]
    canvas[40:340, 60:84] = bands[:, None]
    for quality in (None, 60):
        pixels = finished(canvas, quality)
        for side in ("left", "right"):
            assert len(find_ticks(pixels, BOX, side, lossy=quality is not None)) == 0


def test_marks_on_a_map_are_seen_where_the_bar_has_an_outline() -> None:
    truth = np.array([70.5, 141.5, 212.5, 283.5])
    canvas = draw_bar(truth, out=7, width=2, frame=2)
    y, x = np.mgrid[:380, :160]
    ground = np.stack([150 + 60 * np.sin(x / 40), 150 + 60 * np.cos(y / 50), 170 + 40 * np.sin(y / 30)], axis=-1)
    paper = (canvas == 255).all(axis=2)
    canvas[paper] = ground[paper]
    assert_found(find_ticks(finished(canvas), BOX, "right"), truth, 0.2)


def test_frame_of_a_map_with_lines_inside() -> None:
    canvas = np.full((300, 400, 3), 255.0)
    y, x = np.mgrid[:220, :300]
    canvas[40:260, 50:350] = np.stack([100 + x / 3, 120 + y / 3, 200 - x / 3], axis=-1)
    for edges in ((49.5, 39.5, 50.5, 260.5), (349.5, 39.5, 350.5, 260.5)):
        paint(canvas, edges, 0)
    for edges in ((49.5, 39.5, 350.5, 40.5), (49.5, 259.5, 350.5, 260.5)):
        paint(canvas, edges, 0)
    truth = np.array([80.2, 140.4, 200.6, 260.8, 321.0])
    for place in truth:
        paint(canvas, (place - 0.5, 260, place + 0.5, 265), 0)
    marks = find_ticks(finished(canvas), PixelBox(50, 40, 350, 260), "bottom")
    assert_found(marks, truth, 0.1)
    assert len(find_ticks(finished(canvas), PixelBox(50, 40, 350, 260), "top")) == 0


def test_box_at_the_pictures_edge_and_empty_pages() -> None:
    blank = np.full((60, 80, 3), 255, np.uint8)
    for side in SIDES:
        assert len(find_ticks(blank, PixelBox(0, 0, 80, 60), side)) == 0
        assert len(find_ticks(blank, PixelBox(20, 20, 30, 50), side)) == 0
        assert len(find_ticks(blank, PixelBox(20, 20, 22, 22), side)) == 0


def test_refusals() -> None:
    blank = np.full((60, 80, 3), 255, np.uint8)
    with pytest.raises(InvalidInputError, match="no side 'front'"):
        find_ticks(blank, BOX, "front")
    with pytest.raises(InvalidInputError, match=r"not in \(60, 80\)"):
        find_ticks(blank[..., 0], BOX, "left")
