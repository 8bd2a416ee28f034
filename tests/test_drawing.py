"""The drawer of test maps tells the truth about its pictures."""

from __future__ import annotations

import functools
import shutil

import numpy as np
import pytest
from drawing import (
    BACKGROUND,
    BAR,
    DATA,
    MARGIN,
    OVERLAY,
    GmtMissingError,
    Scene,
    decode,
    draw_scene,
    encode,
    field_names,
    gmt_available,
    score,
    standard_set,
)
from drawing.fields import make_field
from drawing.gmt_maps import read_cpt
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

SMALL = (380, 300)
needs_gmt = pytest.mark.skipif(not gmt_available(), reason="GMT is not installed")

VARIANTS = {
    "continuous": {"cmap": "viridis", "field": "rough"},
    "log": {"cmap": "turbo", "norm": "log", "extend": "both", "bar_side": "bottom", "overlays": ["land", "markers"]},
    "classes": {"cmap": "Spectral", "classes": 12, "extend": "max", "overlays": ["land", "holes", "labels"]},
    "log classes": {"cmap": "batlow", "classes": 8, "norm": "log", "bar_side": "left"},
    "real": {
        "cmap": "terrain",
        "field": "topobathy",
        "extend": "min",
        "bar_side": "right",
        "overlays": ["dense_contours"],
    },
    "bare": {"cmap": "jet", "field": "fronts", "overlays": "none", "bar_side": "top"},
}


@functools.cache
def _scene(variant: str, seed: int = 5, plotter: str = "matplotlib") -> Scene:
    return draw_scene(seed, plotter=plotter, size=SMALL, **VARIANTS[variant])  # type: ignore[arg-type]


def _gmt_colors(scene: Scene, values: NDArray[np.floating]) -> NDArray[np.float64]:
    limits, low, high = read_cpt(scene.notes["cpt"])
    k = np.clip(np.searchsorted(limits[:, 0], values, side="right") - 1, 0, len(limits) - 1)
    share = np.clip((values - limits[k, 0]) / (limits[k, 1] - limits[k, 0]), 0, 1)
    return low[k] + (high[k] - low[k]) * share[..., None]


def _colors(scene: Scene, values: NDArray[np.floating]) -> NDArray[np.float64]:
    if scene.plotter == "gmt":
        return _gmt_colors(scene, np.asarray(values, float))
    cmap, norm = scene.notes["scale"]
    return np.asarray(cmap(norm(values), bytes=True), float)[..., :3]


def _bar_line(scene: Scene) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours along the middle of the bar from its low end, and the values they should stand for."""
    left, top, right, bottom = (round(edge) for edge in scene.bar_box)
    if scene.bar_vertical:
        line = scene.rgb[top:bottom, (left + right) // 2][::-1]
    else:
        line = scene.rgb[(top + bottom) // 2, left:right]
    line = line[::-1] if scene.bar_descending else line
    share = (np.arange(len(line)) + 0.5) / len(line)
    if scene.class_edges is not None and scene.bar_uniform:
        values = np.interp(share, np.linspace(0, 1, len(scene.class_edges)), scene.class_edges)
    elif scene.norm == "log":
        values = scene.vmin * (scene.vmax / scene.vmin) ** share
    else:
        values = scene.vmin + share * (scene.vmax - scene.vmin)
    return line.astype(float), values


def _check_scene(scene: Scene, levels: float) -> None:
    """What holds for every unshaded scene: colours are those of the truth, boxes and kinds agree."""
    data = scene.kind == DATA
    assert data.mean() > 0.1
    shown = data & scene.in_range
    off = np.abs(scene.rgb[shown].astype(float) - _colors(scene, scene.under[shown]))
    assert off.max() <= levels
    assert np.isfinite(scene.truth[data]).all()
    assert np.isnan(scene.under[np.isin(scene.kind, (BACKGROUND, BAR, MARGIN))]).all()
    assert_array_equal(scene.truth[data], scene.under[data])
    left, top, right, bottom = scene.frame
    inside = np.zeros(data.shape, bool)
    inside[top:bottom, left:right] = True
    assert_array_equal(np.isin(scene.kind, (DATA, OVERLAY, BACKGROUND)), inside)
    l, t, r, b = (round(edge) for edge in scene.bar_box)
    assert (scene.kind[t:b, l:r] == BAR).all()
    colors, values = _bar_line(scene)
    differs = np.abs(colors - _colors(scene, values)).max(axis=1)[2:-2]
    assert np.percentile(differs, 70) <= 1.0


@pytest.mark.parametrize("variant", VARIANTS)
def test_matplotlib_pixels_have_exactly_the_color_of_their_value(variant: str) -> None:
    _check_scene(_scene(variant), 0.0)


def test_coarse_cells_are_constant_and_within_a_level() -> None:
    scene = draw_scene(2, plotter="matplotlib", size=SMALL, cell=8, overlays="none")
    _check_scene(scene, 1.0)
    left, _, right, bottom = scene.frame
    corner = scene.truth[bottom - 8 : bottom, left : left + 8]
    assert np.unique(corner).size == 1
    assert np.unique(scene.truth[bottom - 9 : bottom, left : right - 1]).size > 20


@needs_gmt
@pytest.mark.parametrize("variant", ["log", "classes"])
def test_gmt_pixels_have_the_color_of_their_value(variant: str) -> None:
    _check_scene(_scene(variant, plotter="gmt"), 1.0)


def test_gmt_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(GmtMissingError, match=r"GMT 6 .* is not installed"):
        draw_scene(1, plotter="gmt", size=SMALL, cmap="viridis")
    assert {scene.plotter for scene in standard_set(0, 2, size=SMALL)} == {"matplotlib"}


def test_any_change_by_an_overlay_makes_an_overlay_pixel() -> None:
    dressed, bare = (
        draw_scene(3, plotter="matplotlib", size=SMALL, overlays=overlays, field="hills")
        for overlays in (["coast", "graticule", "contours", "labels", "markers", "legend"], "none")
    )
    assert_array_equal(dressed.under, bare.under)
    changed = (dressed.rgb != bare.rgb).any(axis=-1)
    left, top, right, bottom = dressed.frame
    kinds = dressed.kind[top:bottom, left:right]
    assert (kinds[changed[top:bottom, left:right]] == OVERLAY).all()
    assert 0.03 < (kinds == OVERLAY).mean() < 0.8
    assert ((bare.kind == OVERLAY).sum()) < 4 * sum(SMALL)


def test_land_is_background_and_its_edge_overlay() -> None:
    scene = draw_scene(3, plotter="matplotlib", size=SMALL, overlays=["land"], field="hills")
    fill = [int(scene.notes["land_fill"][k : k + 2], 16) for k in (1, 3, 5)]
    land = scene.kind == BACKGROUND
    assert 0.05 < land.sum() / (scene.kind < BAR).sum() < 0.6
    assert (scene.rgb[land] == fill).all()
    shore = (scene.kind == OVERLAY) & np.isfinite(scene.under)
    assert np.isnan(scene.truth[shore]).any()
    assert np.isfinite(scene.truth[shore]).any()


def test_holes_have_no_truth_and_the_paper_shows() -> None:
    scene = draw_scene(8, plotter="matplotlib", size=SMALL, overlays=["holes"])
    hole = scene.kind == BACKGROUND
    assert hole.sum() > 50
    assert np.unique(scene.rgb[hole], axis=0).shape[0] == 1


@pytest.mark.parametrize("plotter", ["matplotlib", pytest.param("gmt", marks=needs_gmt)])
def test_ticks_are_drawn_where_they_are_said_to_be(plotter: str) -> None:
    scene = _scene("log" if plotter == "gmt" else "real", plotter=plotter)
    left, top, right, bottom = (round(edge) for edge in scene.bar_box)
    beside = scene.rgb[:, right + 1 : right + 4] if scene.bar_vertical else scene.rgb[bottom + 1 : bottom + 4]
    ink = 255 - beside.min(axis=-1).astype(float)
    ink = ink.min(axis=1) if scene.bar_vertical else ink.min(axis=0)
    low, high = (top, bottom) if scene.bar_vertical else (left, right)
    for value, position in scene.ticks:
        assert scene.vmin <= value <= scene.vmax
        first = max(int(position) - 3, low - 3)
        near = ink[first : int(position) + 4]
        centre = (near * (np.arange(first, first + near.size) + 0.5)).sum() / near.sum()
        assert abs(centre - position) <= (1.01 if plotter == "matplotlib" else 0.6)
        assert low <= position <= high


def test_control_points_lie_on_the_graticule() -> None:
    scene = draw_scene(6, plotter="matplotlib", size=SMALL, overlays=["graticule"])
    assert len(scene.gcps) >= 4
    pixels, world = (np.array([point[k] for point in scene.gcps]) for k in (0, 1))
    slope = np.polyfit(world[:, 0], pixels[:, 0], 1)
    assert_allclose(np.polyval(slope, world[:, 0]), pixels[:, 0], atol=1e-6)
    assert np.polyfit(world[:, 1], pixels[:, 1], 1)[0] == pytest.approx(-slope[0])
    for col, row in pixels:
        near = scene.kind[int(row) - 1 : int(row) + 2, int(col) - 1 : int(col) + 2]
        assert (near == OVERLAY).any()


def test_antialiased_class_boundaries_are_known() -> None:
    scene = draw_scene(4, plotter="matplotlib", size=SMALL, classes=10, antialias=True, overlays="none", extend="both")
    assert scene.edge is not None
    assert scene.class_edges is not None
    assert len(scene.class_edges) == 11
    assert (scene.kind[scene.edge] == OVERLAY).all()
    _check_scene(scene, 0.0)
    assert np.unique(scene.rgb[scene.kind == DATA], axis=0).shape[0] <= 12


@functools.cache
def _shaded(shading: str) -> Scene:
    return draw_scene(9, plotter="matplotlib", size=SMALL, shading=shading, overlays="none", cmap="roma")


@pytest.mark.parametrize("shading", ["multiply", "soft", "overlay", "hsv", "alpha_white", "alpha_grey"])
def test_shading_changes_the_map_and_not_the_bar(shading: str) -> None:
    shaded, flat = (_shaded(name) for name in (shading, "none"))
    assert_array_equal(shaded.truth, flat.truth)
    assert_array_equal(shaded.rgb[shaded.kind == BAR], flat.rgb[flat.kind == BAR])
    data = shaded.kind == DATA
    assert (shaded.rgb[data] != flat.rgb[data]).any(axis=-1).mean() > 0.8
    assert shaded.notes["intensity"].shape == (shaded.frame[3] - shaded.frame[1], shaded.frame[2] - shaded.frame[0])


@needs_gmt
def test_gmt_shades_the_map_and_not_the_bar() -> None:
    scene = draw_scene(9, shading="gmt", size=SMALL, overlays="none", cmap="vik")
    assert scene.plotter == "gmt"
    data = scene.kind == DATA
    assert np.abs(scene.rgb[data] - _colors(scene, scene.truth[data])).max() > 20
    colors, values = _bar_line(scene)
    assert np.median(np.abs(colors - _colors(scene, values)).max(axis=1)) <= 1


@pytest.mark.parametrize("extend", ["neither", "max"])
def test_extend_says_on_which_side_values_lie_beyond(extend: str) -> None:
    scene = draw_scene(2, plotter="matplotlib", size=SMALL, extend=extend, overlays="none", field="rough")
    values = scene.truth[scene.kind == DATA]
    assert ((values < scene.vmin).mean() > 0.02) == (extend in ("min", "both"))
    assert ((values > scene.vmax).mean() > 0.02) == (extend in ("max", "both"))
    if extend == "neither":
        assert scene.in_range[scene.kind == DATA].all()


def test_a_seed_gives_the_same_scene_and_another_seed_another() -> None:
    first, again, other = (draw_scene(seed, plotter="matplotlib", size=SMALL) for seed in (12, 12, 13))
    assert_array_equal(first.rgb, again.rgb)
    assert_array_equal(first.kind, again.kind)
    assert first.name == again.name != other.name
    assert (first.rgb != other.rgb).any()


def test_standard_set_mixes_the_variations() -> None:
    scenes = list(standard_set(100, 8, plotter="matplotlib", size=(300, 240)))
    assert len({scene.name for scene in scenes}) == 8
    assert {scene.norm for scene in scenes} == {"linear", "log"}
    assert len({scene.colormap for scene in scenes}) > 4
    assert len({scene.extend for scene in scenes}) > 2
    assert {scene.class_edges is None for scene in scenes} == {True, False}
    assert {scene.bar_vertical for scene in scenes} == {True, False}


@pytest.mark.parametrize("name", field_names())
def test_every_field_fills_the_range_and_varies_between_neighbours(name: str) -> None:
    z = make_field(name, 120, 90, np.random.default_rng(4))
    assert z.shape == (90, 120)
    assert (z.min(), z.max()) == (0, 1)
    assert 0 < np.median(np.abs(np.diff(z, axis=1))) < 0.05


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"field": "flat"}, "No field 'flat'; there are smooth"),
        ({"cmap": "brown"}, "No colormap 'brown'; there are viridis"),
        ({"overlays": ["snow"]}, "No overlay 'snow'; there are land"),
        ({"shading": "gmt"}, "No shading 'gmt' in matplotlib"),
        ({"norm": "cubic"}, "No norm 'cubic'; there are linear and log"),
        ({"extend": "up"}, "No extend 'up'"),
    ],
)
def test_unknown_names_are_refused(options: dict[str, str], words: str) -> None:
    with pytest.raises(LookupError, match=words):
        draw_scene(1, plotter="matplotlib", size=SMALL, **options)  # type: ignore[arg-type]


def test_files_keep_or_lose_color_as_their_format_does() -> None:
    scene = _scene("continuous")
    assert_array_equal(decode(encode(scene, "png")), scene.rgb)
    errors = {}
    for subsampling in ("4:2:0", "4:4:4"):
        back = decode(encode(scene.rgb, "jpeg", quality=92, subsampling=subsampling))
        errors[subsampling] = np.abs(back.astype(float) - scene.rgb).mean()
    assert 0.1 < errors["4:4:4"] < errors["4:2:0"] < 12
    dithered = decode(encode(scene, "gif"))
    assert np.unique(dithered.reshape(-1, 3), axis=0).shape[0] <= 256
    assert dithered.shape == scene.rgb.shape
    with pytest.raises(LookupError, match="No format 'bmp'"):
        encode(scene, "bmp")


@pytest.mark.parametrize("variant", ["continuous", "log"])
@settings(max_examples=15, deadline=None)
@given(percent=st.floats(-4, 4))
def test_score_gives_back_the_error_put_in(variant: str, percent: float) -> None:
    scene = _scene(variant)
    if scene.norm == "log":
        values = scene.under * (scene.vmax / scene.vmin) ** (percent / 100)
    else:
        values = scene.under + percent / 100 * (scene.vmax - scene.vmin)
    result = score(scene, values)
    for name in ("rmse_percent", "p99", "max"):
        assert result[name] == pytest.approx(abs(percent), abs=2e-3)
    assert result["bias_percent"] == pytest.approx(percent, abs=2e-3)
    assert result["kept_percent"] == 100
    assert result["off_percent"] == 0


def test_score_counts_what_should_have_no_value() -> None:
    scene = _scene("classes")
    truth = np.where(scene.kind == DATA, scene.truth, np.nan)
    clean = score(scene, truth)
    assert clean["overlay_off_percent"] == clean["overlay_valued_percent"] == 0
    everywhere = score(scene, np.full(truth.shape, scene.vmin, np.float32))
    assert everywhere["background_valued_percent"] == everywhere["overlay_valued_percent"] == 100
    assert everywhere["overlay_off_percent"] > 50
    assert everywhere["beyond_valued_percent"] == 100
    half = score(scene, truth, given=np.arange(truth.shape[1]) % 2 == np.zeros((truth.shape[0], 1)))
    assert 40 < half["kept_percent"] < 60


def test_score_of_classes_refers_to_their_middle() -> None:
    scene = _scene("classes")
    assert scene.class_edges is not None
    middle = (scene.class_edges[1:] + scene.class_edges[:-1]) / 2
    index = np.clip(np.digitize(scene.under, scene.class_edges) - 1, 0, len(middle) - 1)
    assert score(scene, middle[index])["max"] == pytest.approx(0, abs=1e-6)


def test_score_says_how_often_sigma_holds() -> None:
    scene = _scene("continuous")
    noise = np.random.default_rng(0).normal(0, 0.1, scene.truth.shape)
    result = score(scene, scene.truth + noise, sigma=np.full(noise.shape, 0.1))
    assert result["within1_percent"] == pytest.approx(68.3, abs=2)
    assert result["within2_percent"] == pytest.approx(95.4, abs=1)


def test_score_refuses_another_shape() -> None:
    with pytest.raises(ValueError, match=r"Shape \(2, 2\) is not that of the picture, \(300, 380\)"):
        score(_scene("continuous"), np.zeros((2, 2)))
