"""Bars are found by what they explain, to sub-pixel; what is no bar is doubted."""

from __future__ import annotations

import io
import time

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from geocbar.figure.layout import PixelBox
from geocbar.value.bar_search import BarCandidate, doubt_bar, find_bars
from geocbar.value.colormaps import named_colors

Box = tuple[float, float, float, float]


def field(seed: int, rows: int = 300, cols: int = 400, scale: float = 25.0) -> NDArray[np.float64]:
    """Smooth random numbers from 0 to 1."""
    z = gaussian_filter(np.random.default_rng(seed).random((rows, cols)), scale, mode="wrap")
    return (z - z.min()) / np.ptp(z)


def render(figure: Figure) -> NDArray[np.uint8]:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def core_box(bar: Colorbar, height: int) -> Box:
    """Where the bar bears values, pixel rows counted downwards."""
    extent = bar.ax.get_window_extent()
    return extent.x0, height - extent.y1, extent.x1, height - extent.y0


def draw(
    *,
    size: tuple[float, float] = (7, 5),
    dpi: float = 100,
    cmap: str = "viridis",
    place: Box = (0.86, 0.15, 0.03, 0.7),
    extend: str = "neither",
    outline: bool = True,
    levels: int | None = None,
    separators: bool = False,
    seed: int = 0,
    direction: str = "out",
    **bar_options: object,
) -> tuple[NDArray[np.uint8], Box]:
    """A map with a bar at a place given in shares of the figure (left, bottom, width, height)."""
    figure = Figure(figsize=size, dpi=dpi)
    inside = place[0] < 0.7 and place[1] > 0.3
    ax = figure.add_axes((0.1, 0.25, 0.7, 0.65) if not inside else (0.1, 0.1, 0.8, 0.8))
    z = field(seed)
    if levels is None:
        image = ax.imshow(z, cmap=cmap, vmin=0.1, vmax=0.9, aspect="auto", extent=(0, 40, 0, 30))
        bar_options["extend"] = extend
    else:
        image = ax.contourf(np.linspace(0, 40, 400), np.linspace(0, 30, 300), z, np.linspace(0.1, 0.9, levels + 1),
                            cmap=cmap, extend=extend)  # fmt: skip
    vertical = place[3] * size[1] > place[2] * size[0]
    bar = figure.colorbar(
        image, cax=figure.add_axes(place), orientation="vertical" if vertical else "horizontal", **bar_options
    )
    bar.ax.tick_params(direction=direction)
    bar.outline.set_visible(outline)
    if separators:
        bar.dividers.set(color="black", linewidth=0.8)
        bar.drawedges = True
        bar._draw_all()
    pixels = render(figure)
    return pixels, core_box(bar, len(pixels))


def jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream))


def edges(box: PixelBox) -> NDArray[np.float64]:
    return np.array([box.left, box.top, box.right, box.bottom])


def best(pixels: NDArray[np.uint8], truth: Box, within: float, lossy: bool = False) -> BarCandidate:
    """The first candidate, which must lie on the true box."""
    found = find_bars(pixels, lossy=lossy)
    assert found, "no bar found"
    assert np.abs(edges(found[0].box) - truth).max() <= within, (str(found[0].box), truth, found[0].notes)
    return found[0]


PLACES = {
    "right": (0.86, 0.15, 0.03, 0.7),
    "left": (0.02, 0.2, 0.02, 0.6),
    "below": (0.15, 0.1, 0.6, 0.04),
    "above": (0.2, 0.94, 0.5, 0.03),
    "inside": (0.2, 0.72, 0.4, 0.04),
}


@pytest.mark.parametrize(
    ("place", "outline"),
    [("right", True), ("right", False), ("left", False), ("below", True), ("above", False), ("inside", True)],
)
def test_a_bar_is_found_on_any_side_and_inside_the_map(place: str, outline: bool) -> None:
    # On the map itself a bar without a frame has no edge where both show one colour.
    pixels, truth = draw(place=PLACES[place], outline=outline)
    candidate = best(pixels, truth, 1.5)
    assert candidate.axis == ("vertical" if place in ("right", "left") else "horizontal")
    assert candidate.explained > 0.9
    assert candidate.extend == (False, False)
    assert candidate.class_breaks == ()
    assert candidate.ends_uncertain_px <= 1


@pytest.mark.parametrize(
    ("cmap", "direction"),
    [("jet", "in"), ("RdBu_r", "out"), ("Greys", "inout"), ("YlGnBu", "in"), ("twilight", "inout")],
)
def test_ticks_and_pale_or_grey_colors_do_no_harm(cmap: str, direction: str) -> None:
    pixels, truth = draw(cmap=cmap, direction=direction)
    candidate = best(pixels, truth, 2.0)
    assert ("grey" in candidate.notes) == (cmap == "Greys")


@pytest.mark.parametrize(
    ("place", "extend"), [("right", "min"), ("below", "max"), ("right", "both"), ("below", "both")]
)
def test_triangles_are_told_from_the_bar(place: str, extend: str) -> None:
    pixels, truth = draw(place=PLACES[place], extend=extend, cmap="jet")
    candidate = best(pixels, truth, 2.5)
    low, high = extend in ("min", "both"), extend in ("max", "both")
    assert candidate.extend == ((low, high) if place == "below" else (high, low))
    assert any("triangle" in note for note in candidate.notes)


def test_flat_boxes_for_values_beyond_are_told_from_the_bar() -> None:
    pixels, truth = draw(extend="both", cmap="jet", extendrect=True)
    candidate = best(pixels, truth, 4.0)
    assert candidate.extend == (True, True)
    assert candidate.ends_uncertain_px > 1


def hand_bar(*, marks: bool, boxes: int = 7, long: int = 40) -> NDArray[np.uint8]:
    """A map and a bar of equal boxes below, of which the first and last stand for values beyond."""
    pixels = np.full((420, 500, 3), 255, np.uint8)
    steps = named_colors("viridis").colors[np.linspace(0, 255, boxes).astype(int)].astype(np.uint8)
    pixels[30:320, 30:470] = steps[(field(3, 290, 440) * (boxes - 0.01)).astype(int)]
    pixels[350:370, 60 : 60 + boxes * long] = np.repeat(steps, long, axis=0)[None]
    if marks:
        for k in range(1, boxes):
            pixels[370:377, 60 + k * long] = 0
    return pixels


def test_end_boxes_as_long_as_the_others_are_told_by_the_tick_marks() -> None:
    candidate = find_bars(hand_bar(marks=True))[0]
    assert candidate.extend == (True, True)
    np.testing.assert_allclose((candidate.box.left, candidate.box.right), (100, 300), atol=1)
    assert len(candidate.class_breaks) == 4
    assert candidate.ends_uncertain_px < 1.5


def test_end_boxes_that_nothing_tells_are_said_to_be_uncertain() -> None:
    candidate = find_bars(hand_bar(marks=False))[0]
    assert any("end uncertain" in note for note in candidate.notes)
    assert 2 * candidate.ends_uncertain_px >= 40


def test_an_end_that_fades_to_the_paper_is_said_to_be_uncertain() -> None:
    pixels, truth = draw(cmap="Greys", outline=False)
    candidate = find_bars(pixels)[0]
    assert any("end uncertain" in note for note in candidate.notes)
    assert np.abs(edges(candidate.box) - truth).max() <= 2 * candidate.ends_uncertain_px
    pixels, truth = draw(cmap="Greys")
    assert not any("end uncertain" in note for note in best(pixels, truth, 1.5).notes)


@pytest.mark.parametrize("quality", [60, 90])
def test_dark_triangles_with_a_dark_outline(quality: int) -> None:
    pixels, truth = draw(cmap="gist_stern", extend="both")
    candidate = best(jpeg(pixels, quality), truth, 2.5, lossy=True)
    assert candidate.extend == (True, True)
    assert np.abs(edges(candidate.box) - truth).max() <= 2 * candidate.ends_uncertain_px + 0.5


@pytest.mark.parametrize("separators", [False, True])
def test_limits_of_classes(separators: bool) -> None:
    pixels, truth = draw(levels=8, separators=separators)
    candidate = best(pixels, truth, 1.5)
    expected = truth[1] + (truth[3] - truth[1]) * np.arange(1, 8) / 8
    np.testing.assert_allclose(candidate.class_breaks, expected, atol=1.2)
    assert "unordered" not in candidate.notes


@pytest.mark.parametrize(("place", "quality"), [("right", 60), ("inside", 90)])
def test_jpeg(place: str, quality: int) -> None:
    pixels, truth = draw(place=PLACES[place], cmap="turbo")
    best(jpeg(pixels, quality), truth, 2.0, lossy=True)


def test_a_thumbnail_and_a_scan() -> None:
    pixels, truth = draw(size=(3, 2.4), dpi=100, place=(0.86, 0.25, 0.03, 0.6))
    best(pixels, truth, 1.5)
    pixels, truth = draw(size=(12, 8), dpi=150)
    began = time.process_time()
    best(pixels, truth, 2.0)
    assert time.process_time() - began < 6


def test_every_panel_has_its_bar_named() -> None:
    figure = Figure(figsize=(9, 4), dpi=100)
    truths = []
    bars = []
    for k, cmap in enumerate(("viridis", "RdBu_r")):
        ax = figure.add_axes((0.05 + 0.5 * k, 0.3, 0.4, 0.6))
        image = ax.imshow(field(k), cmap=cmap, aspect="auto")
        cax = figure.add_axes((0.08 + 0.5 * k, 0.12, 0.34, 0.04))
        bars.append(figure.colorbar(image, cax=cax, orientation="horizontal"))
    pixels = render(figure)
    truths = [core_box(bar, len(pixels)) for bar in bars]
    found = find_bars(pixels)[:2]
    for truth in truths:
        assert min(np.abs(edges(one.box) - truth).max() for one in found) < 1.5


def test_a_photograph_and_a_legend_beside_do_not_take_its_place() -> None:
    pixels, truth = draw()
    pixels = pixels.copy()
    noise = np.random.default_rng(1).random((90, 120, 3))
    photo = np.stack([gaussian_filter(noise[..., k], 3 + 3 * k) for k in range(3)], axis=-1)
    pixels[5:95, 5:125] = 255 * (photo - photo.min()) / np.ptp(photo)
    for k, color in enumerate(matplotlib.colormaps["Set1"].colors[:5]):
        pixels[420:432, 60 + 80 * k : 85 + 80 * k] = np.array(color) * 255
    best(pixels, truth, 1.5)


def test_categories_in_no_order_are_said_to_be_unordered() -> None:
    pixels = np.full((400, 500, 3), 255, np.uint8)
    colors = (np.array(matplotlib.colormaps["Set1"].colors) * 255).astype(np.uint8)
    pixels[30:370, 30:400] = colors[(field(3, 340, 370) * 8.99).astype(int)]
    pixels[50:350, 440:460] = np.repeat(colors, 34, axis=0)[:300, None]
    found = find_bars(pixels)
    assert all("unordered" in one.notes for one in found if one.box.left > 430)
    ordered = np.full((400, 500, 3), 255, np.uint8)
    steps = named_colors("viridis").colors[np.linspace(0, 255, 9).astype(int)].astype(np.uint8)
    ordered[30:370, 30:400] = steps[(field(3, 340, 370) * 8.99).astype(int)]
    ordered[50:350, 440:460] = np.repeat(steps, 34, axis=0)[:300, None]
    rival = best(ordered, (440, 50, 460, 350), 1.0)
    assert "unordered" not in rival.notes
    assert rival.score > 2 * max((one.score for one in found), default=0.0)


def test_nothing_is_found_on_empty_pages_photographs_and_maps_without_a_bar() -> None:
    assert find_bars(np.full((300, 400, 3), 255, np.uint8)) == []
    assert find_bars(np.zeros((5, 7, 3), np.uint8)) == []
    viridis = named_colors("viridis").colors
    pixels = np.full((400, 500, 3), 255, np.uint8)
    pixels[30:370, 30:470] = viridis[(field(2, 340, 440) * 255).astype(int)]
    assert all(one.score < 0.3 for one in find_bars(pixels))


def test_a_frame_says_where_colors_have_to_be_explained() -> None:
    pixels, truth = draw()
    pixels = pixels.copy()
    # A picture in other colours outside of the frame.
    pixels[5:95, 5:400] = named_colors("hot").colors[(field(8, 90, 395) * 255).astype(int)]
    everything = best(pixels, truth, 1.5)
    framed = find_bars(pixels, frame=PixelBox(70, 100, 560, 375))[0]
    assert framed.explained > max(0.95, everything.explained)


@pytest.mark.parametrize("place", ["right", "below", "inside"])
@pytest.mark.parametrize("off", [-3, 0, 3])
def test_a_box_on_a_bar_is_not_doubted(place: str, off: int) -> None:
    pixels, (left, top, right, bottom) = draw(place=PLACES[place], extend="both", outline=off != 0 or place == "inside")
    box = PixelBox(left - off, top - off, right + off, bottom + off)
    assert doubt_bar(pixels, box) == ""
    assert doubt_bar(jpeg(pixels, 60), box) == ""


def test_a_narrow_bar_is_not_doubted() -> None:
    pixels = np.full((300, 400, 3), 255, np.uint8)
    pixels[40:240, 300:304] = named_colors("turbo").colors[np.arange(200) * 255 // 199][:, None]
    assert doubt_bar(pixels, PixelBox(300, 40, 304, 240)) == ""
    assert doubt_bar(pixels, PixelBox(297, 37, 307, 243)) == ""


@pytest.mark.parametrize("lossy", [False, True])
def test_boxes_on_the_map_are_doubted(lossy: bool) -> None:
    pixels, _ = draw(cmap="turbo", seed=4)
    pixels = jpeg(pixels, 60) if lossy else pixels
    rng = np.random.default_rng(0)
    spoken = []
    for _ in range(100):
        long, thick = rng.uniform(80, 240), rng.uniform(8, 40)
        width, height = (long, thick) if rng.random() < 0.5 else (thick, long)
        left, top = rng.uniform(75, 550 - width), rng.uniform(60, 365 - height)
        spoken.append(
            "does not look like a colour bar" in doubt_bar(pixels, PixelBox(left, top, left + width, top + height))
        )
    assert np.mean(spoken) >= 0.95


def test_the_bar_of_a_small_panel_is_as_good_as_that_of_the_large_one() -> None:
    figure = Figure(figsize=(9, 6), dpi=100)
    for cmap, place, low in (("jet", (0.06, 0.3, 0.55, 0.6), 0.1), ("cividis", (0.7, 0.55, 0.2, 0.35), 0.2)):
        ax = figure.add_axes(place)
        image = ax.imshow(field(3), cmap=cmap, vmin=low, vmax=0.9, aspect="auto")
        cax = figure.add_axes((place[0], place[1] - 0.14, place[2], 0.035))
        figure.colorbar(image, cax=cax, orientation="horizontal")
    found = find_bars(render(figure))
    assert len(found) >= 2
    assert found[1].score >= 0.5 * found[0].score
    assert sorted(round(bar.box.left, -1) for bar in found[:2]) == [50, 630]
    assert "explains what other bars do not" in found[1].notes
