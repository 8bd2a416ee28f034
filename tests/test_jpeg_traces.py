from __future__ import annotations

import numpy as np
import pytest
from drawing import decode, draw_scene, encode
from numpy.typing import NDArray

from geocbar.value.jpeg_traces import blockiness, smudged_share, was_jpeg


@pytest.fixture(scope="module", params=[(301, "viridis"), (302, "RdBu_r"), (303, "jet")], ids=lambda p: p[1])
def picture(request: pytest.FixtureRequest) -> NDArray[np.uint8]:
    seed, cmap = request.param
    return draw_scene(seed, plotter="matplotlib", cmap=cmap, field="hills", size=(700, 520)).rgb


def test_a_lossless_picture_has_no_traces(picture: NDArray[np.uint8]) -> None:
    assert not was_jpeg(picture)
    assert smudged_share(picture)[0] < 0.2
    assert blockiness(picture) < 1.08


@pytest.mark.parametrize("quality", [95, 85, 75, 60, 45])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_a_former_jpeg_is_recognised_even_if_cut(picture: NDArray[np.uint8], quality: int, subsampling: str) -> None:
    again = decode(encode(picture, "jpeg", quality=quality, subsampling=subsampling))
    assert was_jpeg(again)
    assert was_jpeg(again[3:, 5:])


def test_sharp_letters_outweigh_jumps_that_pile_up_by_chance() -> None:
    """Small jumps are few on a map of classes, and may lie at every eighth column."""
    pixels = np.full((240, 320, 3), 255, np.uint8)
    rows, cols = np.mgrid[40:200, 40:280] // 8
    pixels[40:200, 40:280] = np.where(((rows + cols) % 2)[..., None], (90, 140, 200), (92, 145, 205))
    assert was_jpeg(pixels)
    pixels[8:12, 20:300:3] = 0
    pixels[216:220, 20:300:3] = 0
    assert blockiness(pixels) > 1.1
    assert not was_jpeg(pixels)


def test_tiny_and_flat_pictures() -> None:
    assert not was_jpeg(np.zeros((4, 4, 3), np.uint8))
    assert not was_jpeg(np.full((300, 300, 3), 255, np.uint8))
