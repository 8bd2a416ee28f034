"""Large flat colours: fills are told from plateaus of the data."""

from __future__ import annotations

import numpy as np
import pytest
from drawing import decode, encode
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.value.background import FlatColor, find_flat_colors, mark_background
from geocbar.value.colormaps import named_colors
from geocbar.value.projection import project_colors
from geocbar.value.scale import ColorScale

SHAPE = (200, 280)
LAND, WHITE = (200, 200, 200), (255, 255, 255)


def scale_of(colors: NDArray[np.float64]) -> ColorScale:
    return ColorScale.from_colors(colors, vmin=0, vmax=1, step=1 / len(colors))


VIRIDIS = scale_of(named_colors("viridis").colors)
#: From dark blue to white, so that white is on the scale.
TO_WHITE = scale_of(np.linspace([10, 20, 90], [255, 255, 255], 256))

Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]
ISLAND = (Y - 100) ** 2 + (X - 140) ** 2 < 45**2


def waves() -> NDArray[np.float64]:
    return 0.4 + 0.2 * np.sin(X / 31) * np.cos(Y / 23) + 0.15 * np.sin((X + Y) / 47)


def flats_of(
    pixels: NDArray[np.uint8], scale: ColorScale, *, lossy: bool = False, page: tuple[int, int, int] | None = None
) -> list[FlatColor]:
    nodes, distance = project_colors(pixels.reshape(-1, 3), scale)
    unit = scale.to_unit(scale.values_at(nodes)).reshape(SHAPE)
    off_scale = 6.0 if lossy else 3.0
    return find_flat_colors(
        pixels, unit, distance.astype(np.float32).reshape(SHAPE), off_scale=off_scale, lossy=lossy, page=page
    )


@pytest.mark.parametrize("lossy", [False, True])
def test_land_off_the_scale_is_a_fill(lossy: bool) -> None:
    pixels = VIRIDIS.colors_at(waves())
    pixels[ISLAND] = LAND
    if lossy:
        pixels = decode(encode(pixels, "jpeg", quality=85))
    fills = [flat for flat in flats_of(pixels, VIRIDIS, lossy=lossy) if flat.verdict == "fill"]
    assert len(fills) == 1
    assert fills[0].color == pytest.approx(LAND, abs=3 * lossy)
    assert fills[0].share == pytest.approx(ISLAND.mean(), rel=0.25)
    marked = mark_background(pixels, fills, (), lossy=lossy)
    assert marked[ndimage.binary_erosion(ISLAND, iterations=3)].mean() > (0.98 if lossy else 0.9999)
    assert not marked[~ndimage.binary_dilation(ISLAND, iterations=3)].any()


def test_a_white_hole_on_a_scale_that_ends_in_white_is_a_fill() -> None:
    pixels = TO_WHITE.colors_at(waves())
    pixels[ISLAND] = WHITE
    for page in (None, WHITE):
        (hole,) = [flat for flat in flats_of(pixels, TO_WHITE, page=page) if flat.verdict != "data"]
        assert hole.verdict == "fill"
        assert hole.distance < 1
        assert hole.jump > 0.3
        np.testing.assert_array_equal(mark_background(pixels, [hole], (), lossy=False), ISLAND)


@pytest.mark.parametrize("page", [None, WHITE])
def test_a_plateau_of_the_data_is_data(page: tuple[int, int, int] | None) -> None:
    """Clipped at the end of the scale, so that a large part is flat white, reached gradually."""
    truth = np.minimum(1.3 - np.hypot(Y - 100, X - 140) / 100, 1.0)
    pixels = TO_WHITE.colors_at(np.maximum(truth, 0.02))
    flats = [flat for flat in flats_of(pixels, TO_WHITE, page=page) if (flat.color == WHITE).all()]
    assert [flat.verdict for flat in flats] == ["data"]
    assert flats[0].touch > 0.6
    assert not mark_background(pixels, flats, (), lossy=False).any()


def test_smooth_data_have_no_flat_colour() -> None:
    assert not [flat for flat in flats_of(VIRIDIS.colors_at(waves()), VIRIDIS) if flat.verdict == "fill"]


def test_given_colours_are_marked_wherever_they_occur() -> None:
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[1, 2], pixels[3, 4], pixels[0, 0] = LAND, (202, 199, 200), (210, 200, 200)
    marked = mark_background(pixels, (), [LAND], lossy=False)
    assert np.argwhere(marked).tolist() == [[1, 2], [3, 4]]
    assert mark_background(pixels, (), [LAND], lossy=True).sum() == 3
