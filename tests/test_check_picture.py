"""The picture for the first glance: the figure left, the data redrawn right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from geocbar.errors import FileProblemError
from geocbar.files.check_picture import write_check_picture
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import Georeference, fit_georeference
from geocbar.value.scale import ColorScale

GREY = [214, 214, 214]
MARGIN = 12
RED = np.array([214, 39, 40])


def fitted(width: float, height: float, off: float = 0.5, names: tuple[str, ...] = ()) -> Georeference:
    corners = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    pixels = corners * [width, height]
    pixels[3, 1] += off
    return fit_georeference(GroundControlPoints(pixels, corners * [10, -8], names=names), "affine")


def scene(height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], ColorScale]:
    scale = ColorScale.from_colors([[0, 60, 250], [250, 250, 250], [20, 120, 0]], vmin=0, vmax=10, unit="m")
    y, x = np.mgrid[:height, :width]
    values = (10 * (x + y) / (height + width)).astype(np.float32)
    figure = np.stack([x % 256, y % 256, (x + y) % 256], axis=-1).astype(np.uint8)
    values[height // 4 : height // 2, width // 4 : width // 2] = np.nan
    return figure, values, scale


def away_from_points(height: int, width: int) -> NDArray[np.bool_]:
    clear = np.zeros((height, width), bool)
    clear[height // 8 : -(height // 8), width // 8 : -(width // 8)] = True
    return clear


def right_panel(path: Path, figure: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What is drawn beside the figure, wherever on the sheet that is."""
    height, width = figure.shape[:2]
    with Image.open(path) as image:
        sheet = np.asarray(image.convert("RGB"))
    clear = away_from_points(height, width)
    assert sheet.shape[1] > 2 * width
    for top in range(sheet.shape[0] - height):
        if np.array_equal(sheet[top : top + height, MARGIN : MARGIN + width][clear], figure[clear]):
            return sheet[top : top + height, 2 * MARGIN + width : 2 * (MARGIN + width)]
    raise AssertionError("the figure is not on the sheet")


def test_left_is_the_figure_and_right_the_colours_of_the_values(tmp_path: Path) -> None:
    figure, values, scale = scene(200, 300)
    write_check_picture(tmp_path / "c.png", figure, values, scale, fitted(300, 200), "map.png")
    right = right_panel(tmp_path / "c.png", figure)
    clear = away_from_points(200, 300)
    missing = np.isnan(values)
    np.testing.assert_array_equal(right[clear & ~missing], scale.colors_at(values)[clear & ~missing])
    assert missing[clear].any()
    assert (right[clear & missing] == GREY).all()


def test_control_points_are_marked(tmp_path: Path) -> None:
    figure, values, scale = scene(200, 300)
    write_check_picture(tmp_path / "c.png", figure, values, scale, fitted(300, 200), "map.png")
    right = right_panel(tmp_path / "c.png", figure)
    for corner in (right[:40, :40], right[:40, -40:], right[-40:, :40], right[-40:, -40:]):
        assert (np.abs(corner.astype(int) - RED).max(axis=2) < 30).any()


def test_a_huge_picture_is_thinned_not_averaged(tmp_path: Path) -> None:
    figure, values, scale = scene(1500, 4300)
    values[:, ::2] = 0
    values[:, 1::2] = 10
    write_check_picture(tmp_path / "c.png", figure, values, scale, fitted(4300, 1500), "map.png")
    step = 4
    h, w = -(-1500 // step), -(-4300 // step)
    right = right_panel(tmp_path / "c.png", figure[::step, ::step])
    assert right.shape[:2] == (h, w)
    clear = away_from_points(h, w)
    ends = {tuple(color) for color in scale.colors_at([0.0, 10.0]).tolist()}
    assert {tuple(color) for color in np.unique(right[clear], axis=0).tolist()} <= ends


@pytest.mark.parametrize("kind", ["log", "classes", "descending"])
def test_other_scales(kind: str, tmp_path: Path) -> None:
    colors = [[0, 60, 250], [250, 250, 250], [20, 120, 0]]
    scale = {
        "log": ColorScale.from_colors(colors, vmin=0.1, vmax=100, scale="log"),
        "classes": ColorScale.from_colors(colors, vmin=0, vmax=100, scale="discrete"),
        "descending": ColorScale.from_colors(colors, vmin=100, vmax=0),
    }[kind]
    values = np.geomspace(0.1, 100, 200 * 300).reshape(200, 300).astype(np.float32)
    figure = scene(200, 300)[0]
    write_check_picture(tmp_path / "c.png", figure, values, scale, fitted(300, 200), "map.png")
    right = right_panel(tmp_path / "c.png", figure)
    clear = away_from_points(200, 300)
    np.testing.assert_array_equal(right[clear], scale.colors_at(values)[clear])


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 1600)])
@pytest.mark.parametrize("off", [0.0, 1e-9, 0.5])
def test_odd_sizes_and_fits_do_not_matter(shape: tuple[int, int], off: float, tmp_path: Path) -> None:
    figure = np.zeros((*shape, 3), np.uint8)
    values = np.full(shape, np.nan, np.float32)
    names = ("two\nlines", "ü → 漢", "", " ")
    fit = fitted(300, 200, off, names)
    write_check_picture(tmp_path / "c.png", figure, values, scene(8, 8)[2], fit, "a\nb")
    with Image.open(tmp_path / "c.png") as image:
        image.load()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    figure, values, scale = scene(20, 30)
    with pytest.raises(FileProblemError, match=r"c\.png cannot be written: No such file or directory\.\n  Check"):
        write_check_picture(tmp_path / "none" / "c.png", figure, values, scale, fitted(30, 20), "map.png")
