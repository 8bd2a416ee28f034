"""Pages laid askew: the angle, and the way back for points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from geocbar.errors import InvalidInputError
from geocbar.figure.skew import skew_angle, turn_upright


def page(scale: int = 1) -> NDArray[np.uint8]:
    """A framed map with a bar and some words."""
    image = Image.new("RGB", (700 * scale, 500 * scale), "white")
    pen = ImageDraw.Draw(image)
    y, x = np.mgrid[: 380 * scale, : 480 * scale]
    field = 120 + 80 * np.sin(x / (60 * scale)) * np.cos(y / (45 * scale))
    image.paste(
        Image.fromarray(np.stack([field, 255 - field, field / 2], -1).astype(np.uint8)), (60 * scale, 50 * scale)
    )
    pen.rectangle([60 * scale, 50 * scale, 540 * scale, 430 * scale], outline="black", width=scale)
    for row in range(300):
        color = (row * 255 // 300, 200 - row // 2, 90)
        pen.rectangle([590 * scale, (90 + row) * scale, 615 * scale, (91 + row) * scale], fill=color)
    pen.rectangle([590 * scale, 90 * scale, 615 * scale, 390 * scale], outline="black", width=scale)
    pen.text((100 * scale, 460 * scale), "Bouguer anomaly (mGal), 1984", fill="black")
    return np.array(image)


def askew(pixels: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """Turned anticlockwise by Pillow, an implementation of its own."""
    turned = Image.fromarray(pixels).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255))
    return np.array(turned)


@pytest.mark.parametrize("degrees", [-3.0, -1.37, -0.4, 0.15, 0.8, 2.2, 3.0])
def test_angle_is_found(degrees: float) -> None:
    assert skew_angle(askew(page(), degrees)) == pytest.approx(degrees, abs=0.05)


def test_angle_is_found_on_a_large_scan() -> None:
    assert skew_angle(askew(page(4), 1.23)) == pytest.approx(1.23, abs=0.03)


def test_upright_pages_have_no_skew() -> None:
    assert skew_angle(page()) == 0.0
    assert skew_angle(askew(page(), 0.02)) == 0.0
    assert skew_angle(np.full((200, 300, 3), 255, np.uint8)) == 0.0
    noise = np.random.default_rng(4).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    assert skew_angle(noise) == 0.0


def test_lines_of_all_angles_are_no_skew() -> None:
    image = Image.new("RGB", (600, 600), "white")
    pen = ImageDraw.Draw(image)
    for angle in np.radians(np.arange(-4, 4, 0.25)):
        for start in (60, 300, 540):
            y = start + 110 * angle / np.radians(4)
            pen.line([20, y, 580, y - 560 * np.tan(angle)], fill="black")
    assert skew_angle(np.array(image)) == 0.0


@pytest.mark.parametrize("degrees", [-2.3, 1.1])
def test_turned_page_is_the_upright_one(degrees: float) -> None:
    crooked = askew(page(), degrees)
    turned = turn_upright(crooked, degrees)
    assert turned.angle == degrees
    assert skew_angle(turned.pixels) == 0.0
    # The page's middle stays the middle of both pictures: compare the maps there.
    middle = turned.to_upright(np.array([[crooked.shape[1] / 2, crooked.shape[0] / 2]]))[0]
    left, top = np.rint(middle - [350, 250]).astype(int)
    back = turned.pixels[top : top + 500, left : left + 700].astype(float)
    inside = (slice(60, 420), slice(70, 530))
    assert np.abs(back[inside] - page()[inside]).mean() < 4
    assert (turned.pixels[0, 0] == 255).all()


@settings(max_examples=50, deadline=None)
@given(angle=st.floats(-45, 45), x=st.floats(0, 60), y=st.floats(0, 40))
def test_points_go_there_and_back(angle: float, x: float, y: float) -> None:
    turned = turn_upright(np.full((40, 60, 3), 200, np.uint8), angle)
    upright = turned.to_upright([[x, y]])
    np.testing.assert_allclose(turned.to_original(upright), [[x, y]], atol=1e-9)
    height, width = turned.pixels.shape[:2]
    assert -1e-6 <= upright[0, 0] <= width + 1e-6
    assert -1e-6 <= upright[0, 1] <= height + 1e-6


def test_points_fall_on_what_was_drawn_there() -> None:
    image = Image.new("RGB", (400, 300), "white")
    ImageDraw.Draw(image).rectangle([300, 100, 302, 102], fill="black")  # its middle is (301.5, 101.5)
    turned = turn_upright(np.array(image), -2.5)
    dark = 255.0 - turned.pixels.mean(axis=2)
    rows, cols = np.mgrid[: dark.shape[0], : dark.shape[1]] + 0.5
    place = np.array([[(dark * cols).sum(), (dark * rows).sum()]]) / dark.sum()
    np.testing.assert_allclose(turned.to_original(place), [[301.5, 101.5]], atol=0.1)


def test_nothing_is_done_to_an_upright_page() -> None:
    pixels = page()
    turned = turn_upright(pixels, 0.0)
    assert turned.pixels is pixels
    np.testing.assert_array_equal(turned.to_original([[3.5, 4.5]]), [[3.5, 4.5]])


def test_refusals() -> None:
    with pytest.raises(InvalidInputError, match="askew by 90 degrees lies on its side"):
        turn_upright(page(), 90)
    with pytest.raises(InvalidInputError, match=r"not in \(500, 700\)"):
        skew_angle(page()[..., 0])
