"""Relief shading: the forward models are those of the plotters, and what they did is recognized and undone."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from drawing import gmt_available
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import LightSource
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from scipy.io import netcdf_file

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.value.colormaps import named_colors
from geocbar.value.scale import ColorScale
from geocbar.value.shading import SHADINGS, sample_surface, shade
from geocbar.value.shading_choice import ShadingChoice, recognize_shading
from geocbar.value.unshading import remove_shading

CHOSEN = ShadingChoice("multiply", {}, "", 1.0, 1.0, True, "")


def scale_of(name: str) -> ColorScale:
    named = named_colors(name)
    return ColorScale.from_colors(named.colors, named.positions, vmin=0, vmax=1, step=named.step)


def smooth(seed: int, size: float, shape: tuple[int, int] = (240, 320)) -> NDArray[np.float64]:
    z = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), size, mode="wrap")
    return np.asarray((z - z.min()) / np.ptp(z))


def draw(
    scale: ColorScale, model: str, seed: int, alpha: float = 1.0
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]:
    """A picture, its values and its light."""
    truth, light = smooth(seed, 25), 0.15 + 0.8 * smooth(seed + 1, 6)
    light = {"gmt": 1.4 * (light - 0.6), "multiply": 0.4 + 0.6 * light}.get(model, light)
    plain = scale.colors_at(truth)
    return np.rint(shade(plain, light, model, alpha)).astype(np.uint8), truth, light


def jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def recognized(pixels: NDArray[np.uint8], scale: ColorScale, *, lossy: bool = False) -> ShadingChoice:
    return recognize_shading(pixels, scale, np.ones(pixels.shape[:2], bool), lossy=lossy)


@pytest.mark.parametrize("model", ["soft", "overlay", "hsv"])
def test_blends_are_those_of_matplotlib(model: str) -> None:
    rng = np.random.default_rng(1)
    colors = np.concatenate([rng.integers(0, 256, (300, 3)), np.full((3, 3), 90), [[0, 0, 0], [255, 255, 255]]])
    light = rng.random(len(colors))
    source = LightSource()
    blend = {"soft": source.blend_soft_light, "overlay": source.blend_overlay, "hsv": source.blend_hsv}[model]
    expected = 255 * np.clip(blend(colors[None] / 255, light[None, :, None]), 0, 1)[0]
    assert shade(colors, light, model) == pytest.approx(expected, abs=1e-6)


@pytest.mark.skipif(not gmt_available(), reason="GMT is not installed")
def test_gmt_model_is_that_of_gmt(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    colors = rng.integers(0, 256, (40, 3))
    colors[:3] = [[120, 120, 120], [255, 255, 255], [200, 0, 0]]
    light = np.linspace(-0.95, 0.95, 39)
    rows = [f"{i} {r}/{g}/{b} {i + 1} {r}/{g}/{b}" for i, (r, g, b) in enumerate(colors)]
    (tmp_path / "map.cpt").write_text("\n".join(rows) + "\n")
    for name, z in (("z", np.repeat(np.arange(40)[:, None] + 0.5, 39, axis=1)), ("i", np.tile(light, (40, 1)))):
        with netcdf_file(tmp_path / f"{name}.nc", "w") as file:
            file.node_offset = np.int32(1)
            for axis, count in (("x", 39), ("y", 40)):
                file.createDimension(axis, count)
                variable = file.createVariable(axis, "f8", (axis,))
                variable[:] = np.arange(count) + 0.5
                variable.actual_range = np.array([0.0, count])
            file.createVariable("z", "f4", ("y", "x"))[:] = z
    command = ["gmt", "grdimage", "z.nc", "-Cmap.cpt", "-Ii.nc", "-JX39c/40c", "-Aout.ppm"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    with Image.open(tmp_path / "out.ppm") as image:
        drawn = np.array(image.convert("RGB"))[::-1].astype(float)
    assert drawn.shape == (40, 39, 3)
    assert np.abs(drawn - shade(colors[:, None], light[None], "gmt")).max() <= 1.01


def test_multiplication_and_transparency() -> None:
    color = [100.0, 200.0, 50.0]
    assert shade(color, 0.5, "multiply") == pytest.approx([50, 100, 25])
    assert shade(color, 0.0, "alpha-white", 0.6) == pytest.approx([162, 222, 132])
    assert shade(color, 0.5, "alpha-grey", 0.6) == pytest.approx([111, 171, 81])
    assert shade(color, 0.3, "none") == pytest.approx(color)


@given(
    st.sampled_from(SHADINGS), st.lists(st.floats(0, 255), min_size=3, max_size=3), st.floats(-2, 2), st.floats(0.1, 1)
)
def test_shaded_colours_stay_colours(model: str, color: list[float], light: float, alpha: float) -> None:
    shaded = shade(color, light, model, alpha)
    assert shaded.shape == (3,)
    assert np.all((shaded >= 0) & (shaded <= 255))


def test_unknown_model_and_impossible_opacity_are_refused() -> None:
    with pytest.raises(NotFoundError, match=r"no shading 'screen'[^$]*Choose one of: none, multiply"):
        shade([0, 0, 0], 1, "screen")
    with pytest.raises(InvalidInputError, match="opacity of 0 is impossible"):
        shade([0, 0, 0], 1, "alpha-white", 0)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.02, 0.98), st.floats(0.3, 0.98))
def test_a_colour_leads_back_to_its_place_on_the_surface(unit: float, light: float) -> None:
    scale = scale_of("turbo")
    at = np.interp(unit, np.linspace(0, 1, len(scale.colors)), np.arange(len(scale.colors)))
    color = scale.colors[int(at)] + (at % 1) * (scale.colors[int(at) + 1] - scale.colors[int(at)])
    place = sample_surface(scale, "multiply", 1.0).nearest(shade(color, light, "multiply")[None])
    assert place.unit[0] == pytest.approx(unit, abs=0.01)
    # Near the dark ends of turbo a step along the scale looks almost like less light.
    assert place.light[0] == pytest.approx(light, abs=0.04 if min(unit, 1 - unit) < 0.1 else 0.015)
    assert place.distance[0] < 1


@pytest.mark.parametrize(
    ("model", "name", "alpha"),
    [
        ("multiply", "viridis", 1.0),
        ("gmt", "turbo", 1.0),
        ("soft", "plasma", 1.0),
        ("overlay", "plasma", 1.0),
        ("alpha-white", "jet", 0.63),
        ("alpha-grey", "turbo", 0.57),
    ],
)
@pytest.mark.parametrize("quality", [None, 90])
def test_shading_is_recognized_and_undone(model: str, name: str, alpha: float, quality: int | None) -> None:
    scale = scale_of(name)
    pixels, truth, light = draw(scale, model, 11, alpha)
    lossy = quality is not None
    pixels = jpeg(pixels, quality) if quality else pixels
    choice = recognized(pixels, scale, lossy=lossy)
    assert (choice.model, choice.confident) == (model, True), choice.sentence
    assert choice.alpha == pytest.approx(alpha, abs=0.015)
    result = remove_shading(pixels, scale, choice, lossy=lossy)
    kept = result.distance < (12 if lossy else 6)
    assert kept.mean() >= 0.9
    error = 100 * (result.unit - truth)[kept]
    assert np.sqrt(np.mean(error**2)) <= (1.3 if lossy else 0.7)
    if model != "alpha-white":
        off = np.median(np.abs(result.intensity - light)[kept])
        assert off <= (0.05 if lossy else 0.02)


@pytest.mark.parametrize("name", ["viridis", "jet", "RdBu_r", "terrain"])
@pytest.mark.parametrize("quality", [None, 75])
def test_a_plain_map_is_not_taken_for_a_shaded_one(name: str, quality: int | None) -> None:
    scale = scale_of(name)
    pixels = scale.colors_at(smooth(3, 8))
    pixels[::20, :] = 0
    pixels[:, ::17] = 90
    pixels[40:120, 30:130] = 255  # white land that nobody masked
    choice = recognized(jpeg(pixels, quality) if quality else pixels, scale, lossy=quality is not None)
    assert (choice.model, choice.confident) == ("none", True), choice.sentence


def test_a_dithered_map_is_not_taken_for_a_shaded_one() -> None:
    scale = scale_of("Spectral")
    picture = Image.fromarray(scale.colors_at(smooth(4, 25)))
    pixels = np.array(picture.quantize(16, dither=Image.Dither.FLOYDSTEINBERG).convert("RGB"))
    web = np.array(picture.convert("P", palette=Image.Palette.WEB).convert("RGB"))
    for dithered in (pixels, web):
        assert recognized(dithered, scale).model == "none"


def test_hsv_blend_is_recognized_but_not_trusted() -> None:
    scale = scale_of("plasma")
    pixels, _, _ = draw(scale, "hsv", 6)
    choice = recognized(pixels, scale)
    assert (choice.model, choice.confident) == ("hsv", False)
    assert "cannot be undone" in choice.sentence


def test_too_few_pixels_are_taken_as_plain() -> None:
    pixels = np.zeros((30, 30, 3), np.uint8)
    choice = recognize_shading(pixels, scale_of("viridis"), np.zeros((30, 30), bool), lossy=False)
    assert choice.model == "none"
    assert "Only 0 calm pixels" in choice.sentence


def test_classes_are_refused() -> None:
    scale = ColorScale.from_colors(scale_of("viridis").colors[::32], vmin=0, vmax=8, scale="discrete")
    with pytest.raises(InvalidInputError, match=r"out of a map of 8 classes[^$]*--shading none"):
        remove_shading(np.zeros((4, 4, 3), np.uint8), scale, CHOSEN, lossy=False)
