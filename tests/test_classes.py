"""Classes: found in maps, not invented along edges, and told from smooth colours on bars."""

import numpy as np
import pytest
from drawing import decode, encode

from geocbar.value.classes import bar_classes, classify
from geocbar.value.scale import ColorScale

COLORS = np.array([[20, 30, 140], [40, 120, 220], [120, 220, 230], [240, 230, 120], [240, 130, 40], [150, 20, 30]])
SCALE = ColorScale.from_colors(COLORS, edges=np.arange(7), has_values=True, scale="discrete")


def draw_bands(step: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Slanting bands of classes with edges averaged over 4 x 4 points, and the classes at pixel centres."""
    y, x = np.mgrid[0:480, 0:720] / 4 + 0.125
    index = (np.floor((x + 0.3 * y) / 25).astype(int) * step) % 6
    picture = COLORS[index].reshape(120, 4, 180, 4, 3).mean(axis=(1, 3))
    return np.rint(picture).astype(np.uint8), index[2::4, 2::4]


def jpeg(picture: np.ndarray) -> np.ndarray:
    return decode(encode(picture, "jpeg", quality=75, subsampling="4:2:0"))


@pytest.mark.parametrize("lossy", [False, True])
@pytest.mark.parametrize("step", [1, 2])
def test_no_class_is_invented_where_two_meet(lossy: bool, step: int) -> None:
    picture, truth = draw_bands(step)
    result = classify(jpeg(picture) if lossy else picture, SCALE, lossy=lossy)
    kept = result.index >= 0
    assert kept.mean() > 0.97
    assert (result.index == truth)[kept].mean() > 0.97
    padded = np.pad(truth, 2, mode="edge")
    near = [padded[r : r + 120, c : c + 180] == result.index for r in range(5) for c in range(5)]
    assert np.any(near, axis=0)[kept].mean() > 0.999


@pytest.mark.parametrize(("lossy", "ink"), [(False, (0, 0, 0)), (True, (0, 0, 0)), (False, COLORS[5])])
def test_lines_are_holes_even_in_the_colour_of_a_class(lossy: bool, ink: tuple[int, int, int]) -> None:
    picture = np.full((80, 120, 3), COLORS[1], np.uint8)
    picture[40:42] = ink
    picture[:, 60:63] = ink
    result = classify(jpeg(picture) if lossy else picture, SCALE, lossy=lossy)
    assert result.hole[40:42].mean() > 0.9
    assert result.hole[:, 61].mean() > 0.9
    assert set(np.unique(result.index)) == {-1, 1}
    assert (result.index[5:35, 5:55] == 1).all()


def test_background_has_no_class_and_is_no_hole() -> None:
    picture, _ = draw_bands()
    background = np.zeros((120, 180), bool)
    background[20:60, 30:90] = True
    result = classify(picture, SCALE, lossy=False, background=background)
    assert (result.index[background] == -1).all()
    assert not result.hole[background].any()


def test_blocks_leave_no_seams() -> None:
    picture, _ = draw_bands()
    tall = np.tile(picture, (40, 1, 1))
    whole = classify(tall, SCALE, lossy=False).index
    assert np.array_equal(whole[240:360], whole[360:480])
    assert np.array_equal(whole[120:-120:][: 120 * 30].reshape(30, 120, 180)[0], whole[2880:3000])


def test_distance_is_that_of_the_own_colour() -> None:
    picture = np.full((20, 20, 3), COLORS[2], np.uint8)
    picture[..., 0] += 2
    assert np.allclose(classify(picture, SCALE, lossy=False).distance, 2)


def draw_bar(colors: np.ndarray, lossy: bool = False) -> np.ndarray:
    """A bar 14 px wide, its colours read along the middle."""
    strip = np.repeat(np.rint(colors).astype(np.uint8)[None], 14, axis=0)
    picture = np.pad(strip, ((10, 10), (10, 10), (0, 0)), constant_values=255)
    picture = jpeg(picture) if lossy else picture
    return np.median(picture[13:21, 10:-10], axis=0)


@pytest.mark.parametrize("lossy", [False, True])
@pytest.mark.parametrize("separator", [0, 2])
@pytest.mark.parametrize("lengths", [[30] * 6, [20, 34, 26, 40, 22, 31]])
def test_boxes_of_a_bar_are_found(lossy: bool, separator: int, lengths: list[int]) -> None:
    colors = np.repeat(COLORS, lengths, axis=0).astype(float)
    edges = np.cumsum(lengths)
    for edge in edges[:-1]:
        colors[edge - separator // 2 : edge + separator // 2] = 0
    runs = bar_classes(draw_bar(colors, lossy=lossy), lossy)
    assert runs is not None
    assert len(runs) == 6
    assert np.abs(runs[:, 1] - edges).max() <= 5


@pytest.mark.parametrize("lossy", [False, True])
@pytest.mark.parametrize("length", [60, 200, 900])
@pytest.mark.parametrize("plateaus", [False, True])
def test_smooth_bars_are_not_classes(lossy: bool, length: int, plateaus: bool) -> None:
    at = np.linspace(0, 5, length)
    if plateaus:
        at = np.floor(at) + np.clip((at % 1 - 0.35) / 0.65, 0, 1)
    colors = np.stack([np.interp(at, np.arange(6), COLORS[:, band]) for band in range(3)], axis=1)
    assert bar_classes(draw_bar(colors, lossy=lossy), lossy) is None
