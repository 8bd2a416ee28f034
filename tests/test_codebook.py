"""The colours a map was really drawn with: rounding, and the named colormap a bar shows."""

from __future__ import annotations

import numpy as np
import pytest
from drawing import decode, encode
from numpy.typing import NDArray

from geocbar.figure.layout import PixelBox
from geocbar.value.codebook import best_scale, rounding_shift, sample_colors, tune_to_map
from geocbar.value.color import RGB, YCBCR
from geocbar.value.colorbar import read_colorbar, scale_from_bar
from geocbar.value.projection import project_colors
from geocbar.value.scale import ColorScale


def scale_of(colors: NDArray[np.float64]) -> ColorScale:
    return ColorScale.from_colors(colors, vmin=0, vmax=1, step=1 / len(colors))


def exact(name: str, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours of a colormap before they are made whole numbers."""
    import matplotlib

    return 255 * matplotlib.colormaps[name](shares)[..., :3]


@pytest.mark.parametrize("name", ["viridis", "RdBu", "turbo"])
def test_truncated_colours_are_told_from_rounded_ones(name: str) -> None:
    shares = np.random.default_rng(1).random(6000)
    colors = exact(name, shares)
    scale = scale_of(exact(name, (np.arange(256) + 0.5) / 256))
    assert rounding_shift(scale, np.floor(colors).astype(np.uint8), RGB) == -0.5
    assert rounding_shift(scale, np.rint(colors).astype(np.uint8), RGB) == 0.0
    assert rounding_shift(scale, np.floor(colors[:50]).astype(np.uint8), RGB) == 0.0, "too few to tell"


def test_a_bar_of_rounded_colours_is_tuned_to_a_map_of_truncated_ones() -> None:
    shares = np.random.default_rng(2).random(40_000)
    bar = scale_of(np.rint(exact("viridis", (np.arange(256) + 0.5) / 256)))
    sample = np.floor(exact("viridis", shares)).astype(np.uint8)
    tuned = tune_to_map(bar, sample)
    before, after = (np.median(project_colors(sample, scale)[1]) for scale in (bar, tuned))
    assert before > 0.4
    assert after < 0.05
    np.testing.assert_array_equal(tuned.values, bar.values)
    assert tune_to_map(bar, sample[:2]) is bar


def draw_bar(name: str, lossy: bool) -> NDArray[np.uint8]:
    """300 px long, at 30..330 and 30..50, with a frame line round it."""
    picture = np.full((80, 360, 3), 255, np.uint8)
    picture[29:51, 29:331] = 0
    picture[30:50, 30:330] = np.rint(exact(name, (np.arange(300) + 0.5) / 300))
    return decode(encode(picture, "jpeg", quality=90)) if lossy else picture


@pytest.mark.parametrize("lossy", [False, True])
@pytest.mark.parametrize("name", ["viridis", "turbo"])
def test_a_box_drawn_too_large_is_put_right_by_the_catalogue(name: str, lossy: bool) -> None:
    picture = draw_bar(name, lossy)
    truth = np.linspace(0.02, 0.98, 4000)
    sample = np.floor(exact(name, truth)).astype(np.uint8)
    bar = read_colorbar(picture, PixelBox(27, 27, 333, 53))
    metric = YCBCR if lossy else RGB
    plain = scale_from_bar(bar, vmin=0, vmax=1, lossy=lossy)
    scale = best_scale(bar, sample, lossy=lossy, metric=metric, vmin=0, vmax=1)
    errors = [np.abs(s.values_at(project_colors(sample, s, metric)[0]) - truth).mean() for s in (plain, scale)]
    assert errors[1] < 0.003
    assert errors[1] < errors[0]
    assert scale.limits == pytest.approx([0, 1], abs=1e-9)


def test_a_bar_that_serves_is_taken_as_it_is() -> None:
    picture = draw_bar("viridis", lossy=False)
    bar = read_colorbar(picture, PixelBox(30, 30, 330, 50))
    scale = best_scale(bar, sample_colors(picture[30:50, 30:330]), lossy=False, metric=RGB, vmin=0, vmax=1)
    np.testing.assert_array_equal(scale.colors, bar.colors)


def test_classes_are_left_alone() -> None:
    picture = np.full((60, 340, 3), 255, np.uint8)
    picture[20:40, 20:320] = np.repeat(np.rint(exact("viridis", np.linspace(0, 1, 6))), 50, axis=0)
    bar = read_colorbar(picture, PixelBox(20, 20, 320, 40))
    scale = best_scale(bar, sample_colors(picture), lossy=False, metric=RGB, vmin=0, vmax=6, scale="auto")
    assert scale.is_classes
    np.testing.assert_allclose(np.asarray(scale.edges), np.arange(7))


def test_samples_are_spread_evenly() -> None:
    pixels = np.zeros((400, 500, 3), np.uint8)
    pixels[..., 0] = np.arange(400)[:, None] % 256
    sample = sample_colors(pixels, 2000)
    assert 1000 <= len(sample) <= 2000
    assert len(np.unique(sample[:, 0])) > 20
    assert len(sample_colors(pixels, 10**6)) == 200_000
