"""Frames that are hard to tell: panels with common lines, scans under uneven light, and what is said of a doubt."""

from __future__ import annotations

import numpy as np
import pytest
from map_page import Page, assert_box, field, masked, on_scale, shapes
from numpy.typing import NDArray
from PIL import Image

from geocbar.figure.abutting_panels import cut_apart
from geocbar.figure.frames import find_frames
from geocbar.figure.layout import PixelBox
from geocbar.figure.paper import evened, find_paper, ink_on

Pixels = NDArray[np.uint8]


def two_halves(width: int, height: int) -> Pixels:
    """Two maps side by side, the right one upside down and of other values."""
    left = field(width // 2, height)
    return np.concatenate([left, 255 - left], axis=1)


def test_panels_with_a_common_line_are_cut_apart() -> None:
    page = Page()
    page.image.paste(Image.fromarray(two_halves(560, 460)), (90, 60))
    page.pen.rectangle([90, 60, 649, 519], outline="black")
    page.pen.line([370, 60, 370, 519], fill="black")
    pixels = page.pixels()
    explained = on_scale(pixels) | on_scale(255 - pixels)
    first, second = find_frames(pixels, explained)
    assert_box(first, (90.5, 60.5, 370.5, 519.5), 1)
    assert_box(second, (370.5, 60.5, 649.5, 519.5), 1)
    assert "one of 2 panels with common lines" in first.notes


def test_a_grid_of_panels_with_common_lines() -> None:
    page = Page()
    half = two_halves(560, 230)
    page.image.paste(Image.fromarray(np.concatenate([half, half[:, ::-1]])), (90, 60))
    page.pen.line([370, 60, 370, 519], fill="black", width=2)
    page.pen.line([90, 290, 649, 290], fill="black", width=2)
    boxes = cut_apart(page.pixels(), PixelBox(90, 60, 650, 520))
    assert [(box.left, box.top) for box in boxes] == [
        pytest.approx(corner, abs=1) for corner in [(90, 60), (370, 60), (90, 290), (370, 290)]
    ]


@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_graticule_does_not_cut_a_map(width: int) -> None:
    page = Page()
    page.map(90, 60, 650, 520)
    for x in range(160, 650, 70):
        page.pen.line([x, 60, x, 519], fill="black", width=width)
    for y in range(130, 520, 70):
        page.pen.line([90, y, 649, y], fill="black", width=width)
    (frame,) = page.frames()
    assert_box(frame, (90.5, 60.5, 649.5, 519.5), 1.0)


def test_something_that_overlaps_a_corner_of_the_map_is_doubtful() -> None:
    page = Page()
    page.map(90, 160, 550, 560)
    page.map(420, 40, 700, 300)
    (frame,) = page.frames()
    assert any(note.startswith("doubtful: a corner") for note in frame.notes)


def test_colours_left_outside_are_doubtful() -> None:
    page = Page()
    page.map(90, 60, 650, 520)
    plain = page.frames()[0].notes
    for y in range(60, 500, 40):
        page.fill(690, y, 760, y + 25)
    (frame,) = page.frames()
    assert not any("doubtful" in note for note in plain)
    assert any(note.startswith("doubtful:") and "outside the frame" in note for note in frame.notes)


def test_outline_along_the_edge_of_the_picture_is_doubtful() -> None:
    truth = shapes()["oval"]
    cut = masked(truth, line=False).pixels()[150:]
    (frame,) = find_frames(cut, on_scale(cut))
    assert frame.kind == "outline"
    assert any(note.startswith("doubtful: the outline runs along") for note in frame.notes)


@pytest.mark.parametrize("fall", [12, 45])
def test_scan_under_uneven_light(fall: int) -> None:
    page = Page()
    page.map(90, 60, 650, 520)
    page.labels(90, 60, 650, 520)
    clean = page.pixels()
    y, x = np.mgrid[:600, :800]
    noise = np.random.default_rng(2).normal(0, 2, (600, 800))
    shade = fall * (0.7 * x / 800 + 0.3 * (y / 600) ** 2) + noise
    scan = np.clip(clean - shade[..., None], 0, 255).astype(np.uint8)
    (frame,) = find_frames(scan, on_scale(clean))
    assert_box(frame, (90.5, 60.5, 649.5, 519.5), 1.5)
    paper = find_paper(scan, lossy=False)
    assert paper is not None
    assert (paper.light is not None) == (fall == 45)
    assert ink_on(evened(scan, paper), paper)[560:].mean() < 0.05


def test_even_paper_is_left_as_it_is() -> None:
    page = Page()
    page.map(0, 0, 500, 600)
    pixels = page.pixels()
    paper = find_paper(pixels, lossy=False)
    assert paper is not None
    assert paper.light is None
    assert evened(pixels, paper) is pixels
    np.testing.assert_array_equal(paper.color, [255, 255, 255])
    assert find_paper(field(300, 200), lossy=False) is None


def test_noise_of_a_scan_is_paper() -> None:
    noise = np.random.default_rng(7).normal(0, 5, (200, 300, 3))
    paper = find_paper(np.clip(240 + noise, 0, 255).astype(np.uint8), lossy=False)
    assert paper is not None
    assert 20 <= paper.tolerance <= 30


def test_more_light_than_a_lamp_gives_is_no_paper() -> None:
    ramp = np.broadcast_to(np.linspace(40, 250, 400)[None, :, None], (300, 400, 3)).astype(np.uint8)
    assert find_paper(ramp, lossy=False) is None
