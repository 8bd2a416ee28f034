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


def test_tiny_and_flat_pictures() -> None:
    assert not was_jpeg(np.zeros((4, 4, 3), np.uint8))
    assert not was_jpeg(np.full((300, 300, 3), 255, np.uint8))
