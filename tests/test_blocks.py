"""Work in blocks and tiles gives bit for bit what work on the whole picture gives, wherever the picture is cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from drawing import decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.figure.layout import PixelBox
from geocbar.value import background, inversion, rejection, smoothing, uncertainty
from geocbar.value.blocks import cut_rows, cut_tiles, do_all
from geocbar.value.colormaps import named_colors
from geocbar.value.inversion import Coding, Inversion, invert
from geocbar.value.projection import ColorTable, project_colors
from geocbar.value.rejection import find_lines, strictness
from geocbar.value.requantization import standard_tables
from geocbar.value.scale import ColorScale
from geocbar.value.smoothing import median_of_valid

SHAPE = (230, 310)
WHOLE = 1 << 24


def scale_of(name: str) -> ColorScale:
    named = named_colors(name)
    return ColorScale.from_colors(named.colors, named.positions, vmin=0, vmax=1, step=named.step)


def drawn(seed: int, quality: int | None) -> NDArray[np.uint8]:
    """A rough field with lines, letters of a sort, and an island, in viridis."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal(SHAPE), 9) * 6 + rng.standard_normal(SHAPE) * 0.01
    pixels = scale_of("viridis").colors_at(np.clip(0.5 + field / 3, 0, 1))
    for _ in range(6):
        row, col = rng.integers(0, SHAPE[0] - 8), rng.integers(0, SHAPE[1] - 40)
        pixels[row : row + rng.integers(1, 4), col : col + 40] = rng.choice([0, 255])
        pixels[row : row + 30, col] = 0
    row, col = rng.integers(0, SHAPE[0] - 50), rng.integers(0, SHAPE[1] - 70)
    pixels[row : row + 50, col : col + 70] = 200
    return pixels if quality is None else decode(encode(pixels, "jpeg", quality=quality))


@contextmanager
def cut(side: int) -> Iterator[None]:
    """Everything in tiles of a side and blocks of as many pixels as a few rows have."""
    with pytest.MonkeyPatch.context() as patch:
        for module, names in (
            (rejection, ("_TILE", "_LEAST_TILE")),
            (background, ("_TILE",)),
            (smoothing, ("_TILE",)),
            (inversion, ("_TILE", "_TWIN_TILE")),
        ):
            for name in names:
                patch.setattr(module, name, side)
        for module, name in (
            (rejection, "_RIDGE_PIXELS"),
            (smoothing, "_BLOCK_PIXELS"),
            (inversion, "_BLOCK_PIXELS"),
            (uncertainty, "_BLOCK_PIXELS"),
        ):
            patch.setattr(module, name, side * SHAPE[1] // 4)
        yield


def require_equal(one: Inversion, other: Inversion) -> None:
    for name in ("values", "sigma", "reason", "distance"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert (one.noise, one.explained, one.notes) == (other.noise, other.explained, other.notes)


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), side=st.integers(1, 60), rim=st.integers(0, 20))
def test_tiles_cover_the_picture_once_and_see_their_rim(height: int, width: int, side: int, rim: int) -> None:
    picture = np.random.default_rng(0).random((height, width))
    covered = np.zeros((height, width), int)
    for tile in cut_tiles(picture.shape, side, rim):
        covered[tile.inner] += 1
        assert max(covered[tile.inner].shape) <= side
        np.testing.assert_array_equal(picture[tile.seen][tile.within], picture[tile.inner])
        rows, cols = tile.inner
        assert tile.seen[0] == slice(max(rows.start - rim, 0), min(rows.stop + rim, height))
        assert tile.seen[1] == slice(max(cols.start - rim, 0), min(cols.stop + rim, width))
    assert (covered == 1).all()
    rows = cut_rows(picture.shape, side * 10)
    np.testing.assert_array_equal(np.concatenate([picture[part] for part in rows]), picture)


def test_results_come_in_order_and_errors_are_raised() -> None:
    assert do_all(lambda n: n * n, range(50)) == [n * n for n in range(50)]
    with pytest.raises(ZeroDivisionError):
        do_all(lambda n: 1 / n, [3, 2, 0, 1])


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 900), side=st.integers(60, 200), lossy=st.booleans())
def test_lines_are_the_same_however_the_picture_is_cut(seed: int, side: int, lossy: bool) -> None:
    pixels, scale = drawn(seed, 85 if lossy else None), scale_of("viridis")
    nodes, distance = project_colors(pixels.reshape(-1, 3), scale)
    unit = scale.to_unit(scale.values_at(nodes)).reshape(SHAPE)
    away = distance.reshape(SHAPE)
    limits = strictness(2.0 if lossy else 0.3, lossy)
    with cut(WHOLE):
        whole = find_lines(unit, away, limits)
    assert 0.005 < whole.mean() < 0.5
    with cut(side):
        np.testing.assert_array_equal(find_lines(unit, away, limits), whole)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 900), side=st.integers(40, 200))
def test_medians_are_the_same_however_the_picture_is_cut(seed: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    values, valid = rng.random(SHAPE).astype(np.float32), rng.random(SHAPE) < 0.9
    with cut(WHOLE):
        whole = median_of_valid(values, valid)
    with cut(side):
        np.testing.assert_array_equal(median_of_valid(values, valid), whole)


@pytest.mark.parametrize("quality", [None, 88])
@pytest.mark.parametrize("side", [70, 131])
def test_the_whole_inversion_is_the_same_however_the_picture_is_cut(quality: int | None, side: int) -> None:
    pixels, scale = drawn(7, quality), scale_of("viridis")
    coding = Coding() if quality is None else Coding(True, standard_tables(quality), 2)
    frame = PixelBox(5, 3, 301, 226)
    with cut(WHOLE):
        whole = invert(pixels, scale, coding=coding, frame=frame)
    assert np.isfinite(whole.values).mean() > 0.6
    assert len(np.unique(whole.reason)) >= 4
    with cut(side):
        require_equal(invert(pixels, scale, coding=coding, frame=frame), whole)


def test_twins_are_told_apart_the_same_however_the_picture_is_cut() -> None:
    """A scale that goes from grey to colours and back bears most colours twice."""
    colors = np.array([[120, 120, 120], [200, 60, 60], [240, 220, 60], [124, 120, 118], [40, 60, 200]], float)
    at = np.linspace(0, 4, 256)
    scale = ColorScale.from_colors(
        np.stack([np.interp(at, np.arange(5), colors[:, band]) for band in range(3)], axis=1), vmin=0, vmax=1
    )
    field = ndimage.gaussian_filter(np.random.default_rng(3).standard_normal(SHAPE), 12)
    pixels = decode(encode(scale.colors_at((field - field.min()) / np.ptp(field)), "jpeg", quality=85))
    coding = Coding(True, standard_tables(85), 2)
    with cut(WHOLE):
        whole = invert(pixels, scale, coding=coding, shading="none")
    with cut(90):
        require_equal(invert(pixels, scale, coding=coding, shading="none"), whole)


def test_parts_of_a_picture_of_numbers_are_those_of_the_whole() -> None:
    pixels = drawn(2, 90)
    table = ColorTable.of(pixels)
    column = np.random.default_rng(0).random(len(table.colors)).astype(np.float32)
    whole, lazy = table.spread(column), table.picture(column)
    for part in (np.s_[:, :], np.s_[10:40, 7:90], np.s_[::3, ::4], np.s_[5:9]):
        np.testing.assert_array_equal(lazy[part], whole[part])


def test_distances_are_given_only_where_asked_for() -> None:
    pixels = drawn(4, None)
    with_it, without = (invert(pixels, scale_of("viridis"), with_distance=wanted) for wanted in (True, False))
    assert with_it.distance is not None
    assert without.distance is None
    np.testing.assert_array_equal(with_it.values, without.values)
