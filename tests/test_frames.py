"""Frames and outlines of maps, drawn at known places and found again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from map_page import Page, assert_box, field, masked, on_scale, shapes
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.frames import find_frames
from geocbar.figure.layout import PixelBox
from geocbar.figure.outlines import pixels_inside, simplified, traced_outline


@pytest.mark.parametrize("quality", [None, 60, 85])
@pytest.mark.parametrize(("line", "color"), [(1, "black"), (3, "black"), (1, "#a0a0a0"), (0, "")])
def test_rectangle_with_ticks_labels_and_a_bar(quality: int | None, line: int, color: str) -> None:
    page = Page()
    page.map(90, 60, 650, 520, line, color)
    page.labels(90, 60, 650, 520)
    page.map(690, 100, 715, 480)
    (frame,) = page.frames((PixelBox(690, 100, 715, 480),), quality)
    assert frame.kind == "rectangle"
    assert frame.outline is None
    half = line / 2
    assert_box(frame, (90 + half, 60 + half, 650 - half, 520 - half), 1.0 if quality is None else 1.5)


@settings(max_examples=15, deadline=None)
@given(
    left=st.integers(20, 250), top=st.integers(30, 200), width=st.integers(120, 500), height=st.integers(100, 340),
    line=st.integers(0, 4),
)  # fmt: skip
def test_any_rectangle(left: int, top: int, width: int, height: int, line: int) -> None:
    page = Page()
    page.map(left, top, left + width, top + height, line)
    (frame,) = page.frames()
    half = line / 2
    assert_box(frame, (left + half, top + half, left + width - half, top + height - half), 1.0)


def test_white_land_at_the_frame_contours_and_gridlines() -> None:
    page = Page()
    page.map(90, 60, 650, 520)
    page.pen.ellipse([60 + 32, 200, 260, 420], fill="white")
    page.pen.rectangle([400, 61, 640, 200], fill="white")
    for x in range(150, 650, 70):
        page.pen.line([x, 60, x, 519], fill="black")
    page.pen.arc([200, 150, 500, 400], 0, 360, fill="black")
    page.pen.rectangle([90, 60, 649, 519], outline="black")
    (frame,) = page.frames()
    assert_box(frame, (90.5, 60.5, 649.5, 519.5), 1.0)


def test_white_land_at_the_edge_of_a_map_without_frame() -> None:
    page = Page()
    page.map(90, 60, 650, 520, line=0)
    page.pen.ellipse([0, 200, 260, 420], fill="white")
    (frame,) = page.frames()
    assert_box(frame, (90, 60, 650, 520), 1.5)
    assert any("paper reaches" in note for note in frame.notes)


def test_panels_in_reading_order_and_no_legend_photo_or_text() -> None:
    page = Page(900, 700)
    boxes = [(60, 60, 430, 320), (480, 66, 850, 326), (60, 380, 430, 640), (480, 380, 850, 640)]
    for box in reversed(boxes):
        page.map(*box)
        page.labels(*box)
    page.pen.rectangle([300, 250, 420, 310], fill="white", outline="black")
    page.pen.text((310, 260), "Stations", fill="black")
    page.image.paste((30, 160, 60), (860, 100, 895, 300))
    found = page.frames()
    assert len(found) == 4
    for frame, (left, top, right, bottom) in zip(found, boxes, strict=True):
        assert_box(frame, (left + 0.5, top + 0.5, right - 0.5, bottom - 0.5), 1.0)


@pytest.mark.parametrize("quality", [None, 75])
def test_fancy_frame_ends_at_its_inner_line(quality: int | None) -> None:
    page = Page()
    page.pen.rectangle([80, 50, 659, 529], fill="white", outline="black")
    for number, x in enumerate(range(90, 650, 70)):
        if number % 2:
            for y in (50, 520):
                page.pen.rectangle([x, y, x + 69, y + 9], fill="black")
    for number, y in enumerate(range(60, 520, 92)):
        if number % 2:
            for x in (80, 650):
                page.pen.rectangle([x, y, x + 9, y + 91], fill="black")
    page.map(90, 60, 650, 520)
    (frame,) = page.frames(quality=quality)
    assert_box(frame, (90.5, 60.5, 649.5, 519.5), 1.5)
    assert any("fancy" in note for note in frame.notes)


def fancy(page: Page, pieces: dict[str, list[tuple[int, int]]], grey: bool) -> None:
    """A fancy frame 10 px wide around the map at (90, 60, 650, 520); its lines are thin and pale if `grey`."""
    line = "#a8a8a8" if grey else "black"
    page.pen.rectangle([80, 50, 659, 529], fill="white", outline=line)
    for side, spans in pieces.items():
        for a, b in spans:
            box = {"top": [a, 50, b, 59], "bottom": [a, 520, b, 529], "left": [80, a, 89, b], "right": [650, a, 659, b]}
            page.pen.rectangle(box[side], fill="black")
    page.map(90, 60, 650, 520, color=line)


@pytest.mark.parametrize("grey", [False, True])
def test_fancy_frame_with_one_piece_to_a_side(grey: bool) -> None:
    page = Page()
    pieces = {"top": [(140, 610)], "bottom": [(90, 649)], "left": [(60, 200), (420, 519)], "right": [(60, 420)]}
    fancy(page, pieces, grey)
    page.labels(80, 50, 660, 530)
    (frame,) = page.frames()
    assert_box(frame, (90.5, 60.5, 649.5, 519.5), 1.5)
    assert not any("doubtful" in note for note in frame.notes)


def test_black_and_white_field_behind_a_plain_frame_is_not_fancy() -> None:
    page = Page()
    page.map(90, 60, 650, 520)
    for x in range(120, 640, 80):
        page.pen.rectangle([x, 61, x + 30, 68], fill="black")
        page.pen.rectangle([x + 31, 61, x + 79, 68], fill="white")
    page.pen.rectangle([90, 60, 649, 519], outline="black")
    (frame,) = page.frames()
    assert frame.box.left == pytest.approx(90.5, abs=1)
    assert frame.box.bottom == pytest.approx(519.5, abs=1)


def test_line_around_the_whole_page_is_no_frame() -> None:
    page = Page()
    page.pen.rectangle([3, 3, 796, 596], outline="black")
    page.map(90, 60, 650, 520)
    (frame,) = page.frames()
    assert_box(frame, (90.5, 60.5, 649.5, 519.5), 1.0)


def test_map_that_fills_the_picture() -> None:
    pixels = field(400, 300)
    (frame,) = find_frames(pixels, on_scale(pixels))
    assert frame.kind == "picture"
    assert_box(frame, (0, 0, 400, 300), 0)
    assert frame.inside(400, 300).all()


def distance(points: NDArray[np.float64], polygon: NDArray[np.float64]) -> float:
    """95th percentile of the points' distances to a polygon's sides."""
    start, stop = polygon, np.roll(polygon, -1, axis=0)
    way = stop - start
    share = ((points[:, None] - start) * way).sum(axis=2) / np.maximum((way**2).sum(axis=1), 1e-9)
    foot = start + np.clip(share, 0, 1)[..., None] * way
    return float(np.quantile(np.hypot(*np.moveaxis(points[:, None] - foot, 2, 0)).min(axis=1), 0.95))


@pytest.mark.parametrize("quality", [None, 70])
@pytest.mark.parametrize("line", [True, False])
@pytest.mark.parametrize("shape", ["oval", "disc", "fan", "rotated"])
def test_outlines_of_projected_maps(shape: str, line: bool, quality: int | None) -> None:
    truth = shapes()[shape]
    (frame,) = masked(truth, line).frames(quality=quality)
    assert frame.kind == "outline"
    assert frame.outline is not None
    assert distance(frame.outline, truth) < (1.2 if quality is None else 2.5)
    assert distance(truth, frame.outline) < (1.2 if quality is None else 2.5)
    wrong = frame.inside(800, 600) ^ pixels_inside(truth, 800, 600)
    assert wrong.sum() < 0.012 * pixels_inside(truth, 800, 600).sum()


def test_outline_on_a_large_scan() -> None:
    (frame,) = masked(shapes()["oval"], True, scale=4).frames()
    assert frame.outline is not None
    assert distance(shapes()["oval"] * 4, frame.outline) < 4


def test_traced_outline_encloses_the_same_pixels() -> None:
    y, x = np.mgrid[:40, :50]
    mask = ((x - 25) ** 2 + (y - 20) ** 2 < 300) & ~((x > 30) & (abs(y - 20) < 4))
    np.testing.assert_array_equal(pixels_inside(traced_outline(mask), 50, 40), mask)
    single = np.zeros((3, 4), bool)
    single[1, 2] = True
    np.testing.assert_array_equal(np.unique(traced_outline(single), axis=0), [[2, 1], [2, 2], [3, 1], [3, 2]])


def test_simplified_square_has_four_corners() -> None:
    square = np.zeros((30, 30), bool)
    square[5:20, 5:25] = True
    corners = simplified(traced_outline(square), 0.2)
    assert {tuple(c) for c in corners} == {(5.0, 5.0), (25.0, 5.0), (25.0, 20.0), (5.0, 20.0)}


def test_pages_without_a_map() -> None:
    page = Page()
    page.labels(90, 60, 650, 520)
    page.image.paste((200, 30, 30), (200, 200, 500, 400))
    assert page.frames() == []
    blank = np.full((50, 60, 3), 255, np.uint8)
    assert find_frames(blank, np.ones((50, 60), bool)) == []
    noise = np.random.default_rng(1).integers(0, 255, (80, 90, 3)).astype(np.uint8)
    assert find_frames(noise, np.zeros((80, 90), bool)) == []


def test_refusals() -> None:
    with pytest.raises(InvalidInputError, match=r"mask of \(3, 4\)"):
        find_frames(np.zeros((5, 5, 3), np.uint8), np.zeros((3, 4), bool))
