"""Lines are found by colour, by geometry and by what surrounds them, and data are kept."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.value.colormaps import named_colors
from geocbar.value.projection import project_colors
from geocbar.value.rejection import color_noise, find_lines, local_reference, strictness
from geocbar.value.scale import ColorScale

SHAPE = (180, 240)


def scale_of(name: str) -> ColorScale:
    named = named_colors(name)
    return ColorScale.from_colors(named.colors, named.positions, vmin=0, vmax=1, step=named.step)


SCALE = scale_of("viridis")


def waves() -> NDArray[np.float64]:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return 0.5 + 0.22 * np.sin(x / 23) * np.cos(y / 19) + 0.2 * np.sin((x + 2 * y) / 60)


def slope() -> NDArray[np.float64]:
    """Across the whole scale in 120 px, up and down again."""
    return np.abs(np.mgrid[: SHAPE[0], : SHAPE[1]][1] - 119.5) / 120


FIELDS = {"waves": waves, "slope": slope}


def stroke(width: float) -> NDArray[np.float64]:
    """Coverage of a slanting antialiased line."""
    y, x = np.mgrid[: 8 * SHAPE[0], : 8 * SHAPE[1]] / 8 + 1 / 16
    away = np.abs(y - 40 - 0.43 * x) / np.hypot(1, 0.43)
    return (away < width / 2).reshape(SHAPE[0], 8, SHAPE[1], 8).mean(axis=(1, 3))


def lines_of(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    nodes, distance = project_colors(pixels.reshape(-1, 3), SCALE)
    unit = SCALE.to_unit(SCALE.values_at(nodes)).reshape(SHAPE)
    away = distance.astype(np.float32).reshape(SHAPE)
    return find_lines(unit, away, strictness(color_noise(away), lossy=False))


@pytest.mark.parametrize("field", FIELDS)
def test_clean_data_are_kept(field: str) -> None:
    assert lines_of(SCALE.colors_at(FIELDS[field]())).mean() <= 0.03


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (68, 1, 84), (253, 231, 37)], ids=str)
def test_a_thin_line_is_dropped_with_its_soft_rim(field: str, ink: tuple[int, int, int]) -> None:
    truth = FIELDS[field]()
    plain = SCALE.colors_at(truth)
    share = stroke(2)[..., None]
    pixels = np.rint(plain * (1 - share) + np.array(ink) * share).astype(np.uint8)
    lines = lines_of(pixels)
    nodes, _ = project_colors(pixels.reshape(-1, 3), SCALE)
    off = np.abs(SCALE.values_at(nodes).reshape(SHAPE) - truth) > 0.05
    drawn = share[..., 0] > 0
    assert off[drawn].mean() > 0.2, "the line must matter"
    assert (off & ~lines).sum() <= 0.02 * drawn.sum()
    clear = ~ndimage.binary_dilation(drawn, iterations=4)
    assert lines[clear].mean() <= 0.03


def test_pixels_known_not_to_be_data_are_no_lines_and_no_reference() -> None:
    unit = waves().astype(np.float32)
    unit[:, 100:140] = 0
    known = np.zeros(SHAPE, bool)
    known[:, 100:140] = True
    lines = find_lines(unit, np.zeros(SHAPE, np.float32), strictness(0.2, lossy=False), known)
    assert not lines[known].any()
    assert lines[~known].mean() < 0.02


def test_the_noise_is_that_of_the_data() -> None:
    distance = np.concatenate([np.full(900, 0.4), np.full(100, 120.0)]).astype(np.float32)
    assert color_noise(distance) == pytest.approx(0.4)
    assert color_noise(distance[900:]) == 1.0
    assert strictness(8.0, lossy=True).certain > strictness(1.0, lossy=True).certain
    assert strictness(1.0, lossy=False).certain < strictness(1.0, lossy=True).certain


def test_local_reference_counts_clean_pixels_only() -> None:
    unit = np.random.default_rng(1).random((30, 30)).astype(np.float32)
    clean = np.ones(unit.shape, bool)
    clean[:, 15:] = False
    middle, spread = local_reference(unit, clean, np.array([10, 10]), np.array([14, 25]), 2, 1)
    window = unit[8:13, 12:15]
    assert middle[0] == pytest.approx(np.median(window))
    assert spread[0] == pytest.approx(1.4826 * np.median(np.abs(window - np.median(window))), rel=1e-5)
    assert np.isnan([middle[1], spread[1]]).all()
