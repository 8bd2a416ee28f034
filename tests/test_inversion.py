"""Pixels to values with reasons and uncertainty, against drawn truth."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from drawing import decode, encode
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.value.color import RGB, YCBCR
from geocbar.value.colormaps import named_colors
from geocbar.value.inversion import Coding, Inversion, invert
from geocbar.value.reasons import REASON_COLORS, REASON_NAMES, Reason
from geocbar.value.requantization import standard_tables
from geocbar.value.scale import ColorScale
from geocbar.value.shading import shade

MAPS = ("viridis", "jet", "turbo", "RdBu_r", "terrain", "cividis", "gnuplot2")
VALUED = (Reason.DATA, Reason.FILLED, Reason.BELOW, Reason.ABOVE)
LAND = (200, 200, 200)


def scale_of(name: str, vmin: float = -3.0, vmax: float = 7.0) -> ColorScale:
    named = named_colors(name)
    return ColorScale.from_colors(named.colors, named.positions, vmin=vmin, vmax=vmax, step=named.step)


def field(rng: np.random.Generator, shape: tuple[int, int], pace: float = 1.0) -> NDArray[np.float64]:
    y, x = pace * np.mgrid[: shape[0], : shape[1]]
    waves = sum(
        np.sin(x * rng.uniform(-0.05, 0.05) + y * rng.uniform(-0.05, 0.05) + rng.uniform(0, 6)) for _ in range(6)
    )
    return (waves - waves.min()) / np.ptp(waves)


def draw(
    name: str, seed: int = 3, shape: tuple[int, int] = (150, 200), pace: float = 1.0
) -> tuple[NDArray[np.uint8], NDArray]:
    """A map without anything on it, and its truth from -3 to 7."""
    truth = -3 + 10 * field(np.random.default_rng(seed), shape, pace)
    return matplotlib.colormaps[name]((truth + 3) / 10, bytes=True)[..., :3], truth


def with_overlays(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """The map with an island in grey and black lines 2 px wide, and where those are."""
    out = rgb.copy()
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
    land = (y - 40) ** 2 + (x - 50) ** 2 < 25**2
    lines = (x // 2 == 60) | (y // 2 == 45) | ((x + y) // 2 == 120)
    out[land] = LAND
    out[lines] = 0
    return out, land & ~lines, lines


def require_whole(result: Inversion) -> None:
    """What holds for every inversion: values, sigma and reason agree with each other."""
    valued = np.isin(result.reason, VALUED)
    finite = np.isfinite(result.values)
    np.testing.assert_array_equal(finite, np.isfinite(result.sigma))
    assert finite[np.isin(result.reason, (Reason.DATA, Reason.FILLED))].all()
    assert not finite[~valued].any()
    assert (result.sigma[finite] > 0).all()
    assert set(np.unique(result.reason)) <= set(REASON_NAMES)


def percent(result: Inversion, truth: NDArray) -> NDArray[np.float64]:
    """Errors of the pixels with a value, in % of the range of 10."""
    return (result.values - truth)[np.isfinite(result.values)] * 10


@pytest.mark.parametrize("name", MAPS)
def test_equals_matplotlibs_own_colormap(name: str) -> None:
    rgb, truth = draw(name)
    result = invert(rgb, scale_of(name))
    require_whole(result)
    assert np.isfinite(result.values).mean() >= 0.98
    error = percent(result, truth)
    assert np.sqrt(np.mean(error**2)) <= 0.15
    assert np.abs(error).max() <= 1.0  # a few neighbouring bins share one 8-bit colour
    assert np.nanmax(result.distance) <= 1.0  # the catalogue rounds two colours of jet otherwise


@pytest.mark.parametrize("name", ["viridis", "jet", "RdBu_r"])
def test_jpeg_with_its_uncertainty(name: str) -> None:
    rgb, truth = draw(name, shape=(320, 400), pace=0.6)
    pixels = decode(encode(rgb, "jpeg", quality=85, subsampling="4:2:0"))
    coding = Coding(True, standard_tables(85), 2)
    result = invert(pixels, scale_of(name), coding=coding)
    require_whole(result)
    assert np.isfinite(result.values).mean() >= 0.97
    error = percent(result, truth)
    assert np.sqrt(np.mean(error**2)) <= 0.6
    sigma = 10 * result.sigma[np.isfinite(result.values)]
    assert 0.5 <= np.mean(np.abs(error) <= sigma) <= 0.95
    assert np.mean(np.abs(error) <= 2 * sigma) >= 0.88
    assert result.noise > 0.3


def test_the_metric_follows_the_coding() -> None:
    assert Coding().metric is RGB
    assert Coding(lossy=True).metric is YCBCR


def test_every_kind_of_pixel_gets_its_reason() -> None:
    plain, truth = draw("viridis", shape=(160, 220))
    pixels, land, lines = with_overlays(plain)
    frame, bar = PixelBox(10, 8, 215, 150), PixelBox(150, 100, 190, 110)
    result = invert(pixels, scale_of("viridis"), frame=frame, bar=bar)
    require_whole(result)
    inside, key = np.zeros(truth.shape, bool), np.zeros(truth.shape, bool)
    inside[8:150, 10:215] = True
    key[98:112, 148:192] = True  # with 2 px for its frame line
    assert (result.reason[~inside] == Reason.OUTSIDE).all()
    assert np.isnan(result.distance[~inside]).all()
    assert (result.reason[key] == Reason.BAR).all()
    rest = inside & ~key
    assert (result.reason[rest & lines] == Reason.LINE).all()
    assert (result.reason[rest & land & ndimage.binary_erosion(land)] == Reason.BACKGROUND).mean() > 0.98
    assert not np.isfinite(result.values[land | lines]).any()
    data = rest & ~land & ~lines
    assert (result.reason[data] == Reason.DATA).mean() >= 0.95
    assert np.nanmax(np.abs(result.values - truth)) < 0.1
    assert [tuple(flat.color) for flat in result.flats if flat.verdict == "fill"] == [LAND]


def test_a_patch_off_the_scale_is_no_line() -> None:
    pixels, _ = draw("viridis")
    rng = np.random.default_rng(1)
    # A photograph pasted into the map: neither flat nor thin.
    pixels[40:80, 60:120] = np.array([255, 20, 20]) + rng.integers(-15, 1, (40, 60, 3)).clip(-15, 0)
    pixels[110, 20:180] = 0
    reason = invert(pixels, scale_of("viridis"), shading="none").reason
    assert (reason[45:75, 65:115] == Reason.OFF_SCALE).all()
    assert (reason[110, 30:170] == Reason.LINE).all()


def test_max_distance_overrules_the_noise() -> None:
    pixels, _ = draw("viridis")
    pixels[50:100, 50:150, 2] = np.minimum(pixels[50:100, 50:150, 2].astype(int) + 12, 255)
    scale = scale_of("viridis")
    shares = [
        np.isfinite(invert(pixels, scale, max_distance=most, search_background=False, shading="none").values).mean()
        for most in (1.2, 30)
    ]
    assert shares[0] < 0.9
    assert shares[1] > shares[0] + 0.05


def test_where_crop_and_whole_both_have_a_value_it_is_the_same() -> None:
    plain, _ = draw("turbo", shape=(240, 320))
    pixels, _, _ = with_overlays(plain)
    scale = scale_of("turbo")
    whole = invert(pixels, scale)
    for top, left, height, width in ((20, 30, 90, 120), (100, 90, 130, 200), (60, 0, 64, 64)):
        rows, cols = slice(top, top + height), slice(left, left + width)
        part = invert(pixels[rows, cols], scale)
        both = np.isfinite(part.values) & np.isfinite(whole.values[rows, cols])
        assert both.sum() > 0.97 * np.isfinite(whole.values[rows, cols]).sum()
        np.testing.assert_array_equal(part.values[both], whole.values[rows, cols][both])


def test_a_value_does_not_depend_on_a_hot_spot_elsewhere() -> None:
    pixels, _ = draw("viridis")
    scale = scale_of("viridis")
    changed = pixels.copy()
    changed[:40, :40] = (253, 231, 37)
    before, after = (invert(p, scale).values[60:, 60:] for p in (pixels, changed))
    both = np.isfinite(before) & np.isfinite(after)
    assert both.mean() > 0.97
    np.testing.assert_array_equal(before[both], after[both])


def test_classes_take_their_color_and_half_a_class_for_sigma() -> None:
    colors = np.array([[200, 0, 0], [0, 200, 0], [0, 0, 200]])
    scale = ColorScale.from_colors(colors, edges=[0, 1, 5, 10], has_values=True, scale="discrete")
    number = np.repeat([0, 1, 2], 30)[None, :] * np.ones((40, 1), int)
    pixels = colors[number].astype(np.uint8)
    pixels[:, 30:60] += np.array([2, 0, 1], np.uint8)
    pixels[10:30, 40:52] = 90
    pixels[35] = 0
    result = invert(pixels, scale)
    require_whole(result)
    expected = np.array([0.5, 3, 7.5], np.float32)[number]
    expected[10:30, 40:52] = np.nan
    expected[35] = np.nan
    np.testing.assert_array_equal(result.values, expected)
    np.testing.assert_allclose(result.sigma[0, [0, 40, 80]], np.array([0.5, 2, 2.5]) / np.sqrt(3), rtol=1e-6)
    assert set(np.unique(result.reason[10:30, 40:52])) <= {Reason.OFF_SCALE, Reason.BACKGROUND}
    assert (result.reason[35] == Reason.LINE).all()
    assert "class" in result.error_kind


def test_given_background_and_no_search() -> None:
    pixels, _ = draw("viridis")
    own = pixels[75, 100].copy()
    pixels[40:80, 60:120] = own
    scale = scale_of("viridis")
    red, green, blue = (int(c) for c in own)
    given = invert(pixels, scale, background=[(red, green, blue)], search_background=False)
    assert (given.reason[41:79, 61:119] == Reason.BACKGROUND).all()
    searched, unsearched = (invert(pixels, scale, search_background=search) for search in (True, False))
    assert unsearched.flats == ()
    assert np.isfinite(unsearched.values[45:75, 65:115]).all()
    assert searched.flats


def test_gaps_are_filled_and_flagged_with_a_wider_sigma() -> None:
    plain, truth = draw("viridis", shape=(160, 220))
    pixels, land, lines = with_overlays(plain)
    scale = scale_of("viridis")
    bare, filled = (invert(pixels, scale, fill=fill) for fill in (0, 5))
    require_whole(filled)
    new = filled.reason == Reason.FILLED
    assert new[lines & ~ndimage.binary_dilation(land, iterations=4)].mean() > 0.95
    assert not (new & land).any()
    assert np.sqrt(np.mean((filled.values - truth)[new] ** 2)) * 10 <= 1.6
    assert np.median(filled.sigma[new]) > np.median(bare.sigma[np.isfinite(bare.values)])
    np.testing.assert_array_equal(filled.values[~new], bare.values[~new])


def test_values_beyond_the_ends_are_flagged_where_the_bar_shows_their_colors() -> None:
    pixels, truth = draw("viridis")
    under, over = (255, 0, 255), (255, 140, 0)
    low, high = truth < -2, truth > 6
    pixels[low], pixels[high] = under, over
    result = invert(pixels, scale_of("viridis"), under=under, over=over, shading="none")
    for mask, reason in ((low, Reason.BELOW), (high, Reason.ABOVE)):
        assert (result.reason[mask] == reason).mean() > 0.98
        assert not (result.reason[~ndimage.binary_dilation(mask, iterations=2)] == reason).any()
    assert np.isnan(result.values[low | high]).all()


def test_values_piled_up_at_an_end_are_at_or_beyond_it() -> None:
    truth = 1.6 * field(np.random.default_rng(3), (300, 400), 0.4) - 0.3
    pixels = matplotlib.colormaps["viridis"](np.clip(truth, 0, 1), bytes=True)[..., :3]
    result = invert(pixels, scale_of("viridis", 0, 1))
    assert (result.reason[truth < -0.02] == Reason.BELOW).mean() > 0.95
    assert (result.reason[truth > 1.02] == Reason.ABOVE).mean() > 0.95
    assert not np.isin(result.reason[(truth > 0.05) & (truth < 0.95)], (Reason.BELOW, Reason.ABOVE)).any()


def test_shading_is_recognised_undone_or_left_as_told() -> None:
    plain, truth = draw("viridis", shape=(240, 320))
    light = 0.45 + 0.5 * field(np.random.default_rng(8), truth.shape)
    light = np.clip(light + 0.1 * np.sin(np.mgrid[:240, :320][1] / 3), 0.2, 1)
    pixels = np.rint(shade(plain, light, "multiply")).astype(np.uint8)
    scale = scale_of("viridis")
    auto = invert(pixels, scale)
    assert auto.shading is not None
    assert auto.shading.model == "multiply"
    assert auto.intensity is not None
    kept = np.isfinite(auto.values)
    assert kept.mean() >= 0.9
    assert np.sqrt(np.mean(percent(auto, truth) ** 2)) <= 0.7
    assert np.sqrt(np.mean((auto.intensity - light)[kept] ** 2)) < 0.03
    assert any("hillshade" in note for note in auto.notes)
    told = invert(pixels, scale, shading="multiply")
    np.testing.assert_array_equal(told.values, auto.values)
    none = invert(pixels, scale, shading="none")
    assert none.shading is None
    assert none.intensity is None
    unshaded = invert(plain, scale)
    assert unshaded.shading is not None
    assert (unshaded.shading.model, unshaded.intensity) == ("none", None)


def test_names_and_colours_cover_every_reason() -> None:
    assert set(REASON_NAMES) == set(REASON_COLORS) == set(Reason)
    assert len(set(REASON_COLORS.values())) == len(set(REASON_NAMES.values())) == len(Reason)


def test_refusals() -> None:
    scale = scale_of("viridis")
    pixels = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(InvalidInputError, match="--max-distance above 0"):
        invert(pixels, scale, max_distance=0)
    with pytest.raises(InvalidInputError, match=r"Gaps of -1 px cannot be filled\.\n.*--fill 0 or more"):
        invert(pixels, scale, fill=-1)
    with pytest.raises(InvalidInputError, match=r"There is no shading 'sun'\.\n.*auto, none, multiply"):
        invert(pixels, scale, shading="sun")
    with pytest.raises(InvalidInputError, match="The map frame box 0,0,9,4 leaves the picture, which is 4 x 4 px"):
        invert(pixels, scale, frame=PixelBox(0, 0, 9, 4))
    with pytest.raises(InvalidInputError, match="The colour bar box 0,0,4,9 leaves the picture"):
        invert(pixels, scale, bar=PixelBox(0, 0, 4, 9))
    with pytest.raises(InvalidInputError, match="single colour"):
        ColorScale.from_colors([[1, 2, 3], [1, 2, 3]], vmin=0, vmax=1)
    with pytest.raises(InvalidInputError, match="same value, 4"):
        ColorScale.from_colors([[1, 2, 3], [9, 2, 3]], vmin=4, vmax=4)
    with pytest.raises(InvalidInputError, match="log scale cannot hold 0"):
        ColorScale.from_colors([[1, 2, 3], [9, 2, 3]], vmin=0, vmax=4, scale="log")
