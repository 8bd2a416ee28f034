"""Dithered pictures: recognised, and averaged only where they are data."""

import numpy as np
import pytest
from drawing import decode, encode
from PIL import Image

from geocbar.value.dithering import average_dither, is_dithered
from geocbar.value.inversion import project_colors
from geocbar.value.scale import ColorScale

X = np.linspace(0, 1, 256)
COLORS = np.rint(np.stack([255 * X, 255 * np.sin(np.pi * X), 255 * (1 - X)], axis=1))
SCALE = ColorScale(COLORS, X, np.array([0.0, 1.0]))
Y, C = np.mgrid[0:160, 0:240]
FIELD = 0.5 + 0.45 * np.sin(C / 37) * np.cos(Y / 29)
PICTURE = COLORS[(FIELD * 255).astype(int)].astype(np.uint8)
EVERYWHERE = np.ones(FIELD.shape, bool)


def few_colors(count: int, dithered: bool) -> np.ndarray:
    image = Image.fromarray(PICTURE)
    palette = image.quantize(count, method=Image.Quantize.MEDIANCUT)
    how = Image.Dither.FLOYDSTEINBERG if dithered else Image.Dither.NONE
    return np.array(image.quantize(palette=palette, dither=how).convert("RGB"))


def rmse(pixels: np.ndarray) -> float:
    nodes, _ = project_colors(pixels.reshape(-1, 3), SCALE)
    return float(np.sqrt(((SCALE.values_at(nodes).reshape(FIELD.shape) - FIELD) ** 2).mean()))


@pytest.mark.parametrize("count", [16, 32])
def test_dithering_is_recognised_and_averaged(count: int) -> None:
    picture = few_colors(count, dithered=True)
    assert is_dithered(picture, SCALE, EVERYWHERE)
    assert rmse(average_dither(picture, EVERYWHERE)) < 0.6 * rmse(picture)


@pytest.mark.parametrize("count", [16, 64, 256])
def test_few_plain_colours_are_not_dithered(count: int) -> None:
    assert not is_dithered(few_colors(count, dithered=False), SCALE, EVERYWHERE)


def test_other_pictures_are_not_dithered() -> None:
    assert not is_dithered(PICTURE, SCALE, EVERYWHERE)
    assert not is_dithered(decode(encode(PICTURE, "jpeg", quality=75)), SCALE, EVERYWHERE)
    assert not is_dithered(few_colors(16, dithered=True), SCALE, ~EVERYWHERE)


def test_lines_keep_their_colour_and_give_none() -> None:
    picture = np.full((20, 20, 3), 100, np.uint8)
    picture[10] = 0
    mask = np.ones((20, 20), bool)
    mask[10] = False
    out = average_dither(picture, mask)
    assert (out[10] == 0).all()
    assert (out[mask] == 100).all()
