"""From the command to the files: every kind of pixel, its reason, its uncertainty, and what can be wished for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import rasterio
from drawing import decode, encode
from map_job import boxed, geocbar, write_points
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from geocbar.value.reasons import REASON_COLORS, REASON_NAMES, Reason
from geocbar.value.shading import shade

FRAME = (30, 20, 390, 260)
BAR = (70, 285, 350, 300)
LAND = (200, 200, 200)
UNDER, OVER = (200, 0, 200), (255, 100, 0)
SCALE = ["--colorbar", boxed(BAR), "--vmin", "0", "--vmax", "10", "--frame", boxed(FRAME)]


@dataclass(frozen=True, eq=False)
class Sheet:
    """A drawn figure: `truth` (0 to 10), `land` and `lines` have the size of the map's frame."""

    rgb: NDArray[np.uint8]
    truth: NDArray[np.float64]
    land: NDArray[np.bool_]
    lines: NDArray[np.bool_]


def draw_sheet(
    *,
    overlays: bool = True,
    extend: bool = False,
    light: NDArray[np.float64] | None = None,
    bar: bool = True,
    low: float = 0.06,
    high: float = 0.96,
) -> Sheet:
    """Waves in viridis with an island and black lines 2 px wide, an inset box, a title, and a bar with a frame line."""
    left, top, right, bottom = FRAME
    rows, cols = np.mgrid[: bottom - top, : right - left]
    waves = np.sin(cols / 47) + np.cos(rows / 41) + 0.4 * np.sin((cols + 2 * rows) / 60)
    share = low + (high - low) * (waves - waves.min()) / np.ptp(waves)
    viridis = matplotlib.colormaps["viridis"]
    inner = viridis(np.clip(share, 0, 1), bytes=True)[..., :3]
    if extend:
        inner[share < 0], inner[share > 1] = UNDER, OVER
    if light is not None:
        inner = np.rint(shade(inner, light, "multiply")).astype(np.uint8)
    land, lines = np.zeros(share.shape, bool), np.zeros(share.shape, bool)
    if overlays:
        land = (rows - 70) ** 2 + (cols - 90) ** 2 < 35**2
        lines = (cols // 2 == 100) | (rows // 2 == 75) | ((rows + cols) // 2 == 160)
        land &= ~lines
    inner[land], inner[lines] = LAND, 0
    rgb = np.full((330, 420, 3), 255, np.uint8)
    rgb[top - 1 : bottom + 1, left - 1 : right + 1] = 0
    rgb[top:bottom, left:right] = inner
    rgb[8:13, 40:380:4] = 0  # strokes, as of a title
    rgb[310:316, 40:380:4] = 0
    if bar:
        draw_bar(rgb, extend)
    return Sheet(rgb, 10 * share, land, lines)


def draw_bar(rgb: NDArray[np.uint8], extend: bool) -> None:
    left, top, right, bottom = BAR
    rgb[top - 1 : bottom + 1, left - 1 : right + 1] = 0
    along = (np.arange(right - left) + 0.5) / (right - left)
    rgb[top:bottom, left:right] = matplotlib.colormaps["viridis"](along, bytes=True)[..., :3]
    if extend:
        rows, beyond = np.mgrid[top:bottom, 0:14]
        inside = np.abs(rows - (top + bottom - 1) / 2) < (bottom - top) / 2 * (1 - beyond / 14)
        for color, cols in ((UNDER, left - 2 - beyond), (OVER, right + 1 + beyond)):
            rgb[rows[inside], cols[inside]] = color


@dataclass(frozen=True, eq=False)
class Run:
    """What a run wrote and said."""

    folder: Path
    values: NDArray[np.float32]
    sigma: NDArray[np.float32]
    reason: NDArray[np.uint8]
    summary: dict[str, Any]

    @property
    def notes(self) -> str:
        return "\n".join(self.summary["notes"])


def run(folder: Path, rgb: NDArray[np.uint8], *options: str, ending: str = "png", scale: list[str] = SCALE) -> Run:
    """Save the picture, run the command on it, read the rasters."""
    folder.mkdir(exist_ok=True)
    picture = folder / f"map.{ending}"
    image = Image.fromarray(rgb)
    if ending == "gif":
        image = image.quantize(palette=image.quantize(24), dither=Image.Dither.FLOYDSTEINBERG)
    image.save(picture)
    left, top, right, bottom = FRAME
    corners = [(x, y, 10 + 0.05 * (x - left), 50 - 0.05 * (y - top)) for x in (left, right) for y in (top, bottom)]
    gcps = write_points(folder / "gcps.csv", corners)
    args = [picture, "--gcps", gcps, *scale, *options]
    outcome = geocbar("run", *args, "--json", "--quiet", cwd=folder)
    assert outcome.code == 0, outcome.err
    out = folder / "map_geocbar"
    with rasterio.open(out / "map.tif") as raster, rasterio.open(out / "map.reason.tif") as reasons:
        return Run(out, raster.read(1), raster.read(2), reasons.read(1), json.loads(outcome.out))


def rmse(values: NDArray[np.float32], truth: NDArray[np.float64], where: NDArray[np.bool_] | None = None) -> float:
    """In % of the range, of the pixels with a value."""
    kept = np.isfinite(values) if where is None else np.isfinite(values) & where
    return float(np.sqrt(np.mean((values - truth)[kept] ** 2)) * 10)


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return draw_sheet()


@pytest.fixture(scope="module")
def plain(sheet: Sheet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("plain"), sheet.rgb, "--unit", "mm")


def test_the_reason_raster_is_bytes_with_colours_and_names(plain: Run) -> None:
    with rasterio.open(plain.folder / "map.tif") as values, rasterio.open(plain.folder / "map.reason.tif") as file:
        assert (file.count, file.dtypes, file.nodata) == (1, ("uint8",), None)
        assert file.colorinterp[0].name == "palette"
        table, tags = file.colormap(1), file.tags()
        for number, name in REASON_NAMES.items():
            assert table[number] == (*REASON_COLORS[number], 255)
            assert tags[f"REASON_{number}"] == name
        assert (file.transform, file.crs, file.shape) == (values.transform, values.crs, values.shape)
        assert values.descriptions == ("value [mm]", "sigma [mm]")
        assert "half a step" in values.tags()["GEOCBAR_ERROR_KIND"]
    assert (plain.folder / "map.reason.qml").is_file()
    assert not list(plain.folder.glob("*.aux.xml"))


def test_reasons_are_those_of_the_drawing(plain: Run, sheet: Sheet) -> None:
    free = ~sheet.land & ~sheet.lines
    assert (plain.reason[free] == Reason.DATA).mean() >= 0.98
    assert (plain.reason[sheet.lines] == Reason.DATA).mean() <= 0.002
    assert np.isin(plain.reason[sheet.lines], (Reason.LINE, Reason.BACKGROUND)).mean() >= 0.99
    assert (plain.reason[sheet.land] == Reason.BACKGROUND).mean() >= 0.98
    assert not np.isfinite(plain.values[sheet.land]).any()
    assert rmse(plain.values, sheet.truth) <= 0.2
    said = plain.summary["reason_percent"]
    assert said["data"] == pytest.approx(100 * (plain.reason == Reason.DATA).mean(), abs=0.001)
    assert sum(said.values()) == pytest.approx(100, abs=0.01)


def test_sigma_is_where_the_values_are_and_says_how_far_off_they_are(plain: Run, sheet: Sheet) -> None:
    kept = np.isfinite(plain.values)
    np.testing.assert_array_equal(kept, np.isfinite(plain.sigma))
    error, sigma = np.abs(plain.values - sheet.truth)[kept], plain.sigma[kept]
    assert np.mean(error <= sigma) >= 0.5
    assert np.mean(error <= 2 * sigma) >= 0.93
    assert sigma.mean() < 5 * error.std(), "a sigma that always holds says nothing"


def test_sigma_of_a_jpeg(sheet: Sheet, tmp_path: Path) -> None:
    picture = tmp_path / "map.jpg"
    picture.write_bytes(encode(sheet.rgb, "jpeg", quality=85))
    again = run(tmp_path / "png", decode(picture.read_bytes()))
    assert "was a JPEG once" in again.notes
    kept = np.isfinite(again.values)
    assert kept.mean() >= 0.8
    assert rmse(again.values, sheet.truth) <= 0.8
    error, sigma = np.abs(again.values - sheet.truth)[kept], again.sigma[kept]
    assert 0.5 <= np.mean(error <= sigma) <= 0.95
    assert np.mean(error <= 2 * sigma) >= 0.88


def test_all_bands_and_reasons_are_warped_together(sheet: Sheet, tmp_path: Path) -> None:
    warped = run(tmp_path, sheet.rgb, "--to-crs", "EPSG:3035")
    assert warped.values.shape == warped.sigma.shape == warped.reason.shape
    np.testing.assert_array_equal(np.isfinite(warped.values), np.isfinite(warped.sigma))
    np.testing.assert_array_equal(np.isfinite(warped.values), warped.reason == Reason.DATA)
    assert warped.reason[0, 0] == Reason.OUTSIDE
    inside = warped.reason != Reason.OUTSIDE
    assert (warped.reason[inside] == Reason.BACKGROUND).mean() == pytest.approx(sheet.land.mean(), rel=0.15)
    with rasterio.open(tmp_path / "map_geocbar" / "map.reason.tif") as file:
        assert file.crs.to_epsg() == 3035


def test_background_by_colour_and_without_search(sheet: Sheet, plain: Run, tmp_path: Path) -> None:
    blind = run(tmp_path / "blind", sheet.rgb, "--no-background-search")
    assert not (blind.reason == Reason.BACKGROUND).any()
    given = run(tmp_path / "given", sheet.rgb, "--no-background-search", "--background", "#c8c8c8")
    assert (given.reason[sheet.land] == Reason.BACKGROUND).all()
    assert 'background = "#c8c8c8"' in (given.folder / "map.toml").read_text()
    both = np.isfinite(given.values) & np.isfinite(plain.values)
    np.testing.assert_array_equal(given.values[both], plain.values[both])


def test_filled_gaps_are_flagged_and_near_the_truth(sheet: Sheet, plain: Run, tmp_path: Path) -> None:
    filled = run(tmp_path, sheet.rgb, "--fill", "5")
    new = filled.reason == Reason.FILLED
    assert int(Reason.FILLED) == 8
    on_sea = sheet.lines & ~ndimage.binary_dilation(sheet.land, iterations=6)
    assert new[on_sea].mean() >= 0.95
    assert not (new & sheet.land).any()
    assert rmse(filled.values, sheet.truth, new) <= 1.6
    assert np.isfinite(filled.sigma[new]).all()
    assert np.median(filled.sigma[new]) > np.median(filled.sigma[filled.reason == Reason.DATA])
    same = np.isfinite(plain.values)
    np.testing.assert_array_equal(filled.values[same], plain.values[same])


def hills(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Light of small hills, 0.65 to 1."""
    rough = ndimage.gaussian_filter(np.random.default_rng(4).standard_normal(shape), 5)
    return 0.65 + 0.35 * (rough - rough.min()) / np.ptp(rough)


def test_relief_shading_is_taken_out_and_its_light_written(tmp_path: Path) -> None:
    light = hills((240, 360))
    shaded = draw_sheet(overlays=False, light=light)
    auto = run(tmp_path / "auto", shaded.rgb, "--write-intensity")
    assert auto.summary["shading"] == "multiply"
    assert np.isfinite(auto.values).mean() >= 0.9
    assert rmse(auto.values, shaded.truth) <= 0.8
    with rasterio.open(auto.folder / "map.tif") as file:
        assert file.descriptions == ("value", "sigma", "shading intensity")
        intensity = file.read(3)
    kept = np.isfinite(auto.values)
    assert np.corrcoef(intensity[kept], light[kept])[0, 1] > 0.98
    blind = run(tmp_path / "none", shaded.rgb, "--shading", "none")
    assert blind.summary["shading"] == "none"
    assert rmse(blind.values, shaded.truth) > 3 * rmse(auto.values, shaded.truth)
    with rasterio.open(blind.folder / "map.tif") as file:
        assert file.count == 2


def test_values_beyond_the_bar_are_flagged_by_its_triangles(tmp_path: Path) -> None:
    beyond = draw_sheet(overlays=False, extend=True, low=-0.12, high=1.12)
    found = run(tmp_path, beyond.rgb)
    low, high = beyond.truth < 0, beyond.truth > 10
    assert min(low.mean(), high.mean()) > 0.01
    assert (found.reason[low] == Reason.BELOW).mean() >= 0.98
    assert (found.reason[high] == Reason.ABOVE).mean() >= 0.98
    assert not np.isfinite(found.values[low | high]).any()
    within = (beyond.truth > 0.2) & (beyond.truth < 9.8)
    assert not np.isin(found.reason[within], (Reason.BELOW, Reason.ABOVE)).any()


def test_reversed_ends_swap_what_is_below_and_above(tmp_path: Path) -> None:
    beyond = draw_sheet(overlays=False, extend=True, low=-0.12, high=1.12)
    swapped = [*SCALE[:2], "--vmin", "10", "--vmax", "0", *SCALE[6:]]
    found = run(tmp_path, beyond.rgb, scale=swapped)
    assert (found.reason[beyond.truth < 0] == Reason.ABOVE).mean() >= 0.98
    assert (found.reason[beyond.truth > 10] == Reason.BELOW).mean() >= 0.98


def test_the_colormap_is_named_without_a_bar(tmp_path: Path) -> None:
    bare = draw_sheet(bar=False, low=0.0, high=1.0)
    frame = ["--frame", boxed(FRAME)]
    found = run(tmp_path, bare.rgb, scale=["--colormap", "auto", "--vmin", "0", "--vmax", "10", *frame])
    assert "are those of viridis" in found.notes
    assert "Which end is low cannot be seen" in found.notes
    assert rmse(found.values, bare.truth) <= 1.0


def test_a_dithered_gif_is_averaged_and_said(tmp_path: Path) -> None:
    smooth = draw_sheet(overlays=False)
    found = run(tmp_path, smooth.rgb, ending="gif", scale=["--colormap", "viridis", *SCALE[2:]])
    assert "The picture is dithered" in found.notes
    assert np.isfinite(found.values).mean() > 0.8
    assert rmse(found.values, smooth.truth) <= 3


def test_a_crop_says_the_same_as_the_whole(sheet: Sheet, plain: Run, tmp_path: Path) -> None:
    left, top, right, bottom = FRAME
    crop = f"{left + 60},{top + 40},{right - 80},{bottom - 30}"
    part = run(tmp_path, sheet.rgb, scale=[*SCALE[:6], "--frame", crop])
    whole = plain.values[40:-30, 60:-80]
    both = np.isfinite(part.values) & np.isfinite(whole)
    assert both.sum() >= 0.97 * np.isfinite(whole).sum()
    np.testing.assert_array_equal(part.values[both], whole[both])


def test_a_bar_of_another_map_or_none_is_refused(sheet: Sheet, tmp_path: Path) -> None:
    rgb = sheet.rgb.copy()
    reds = np.linspace([60, 0, 0], [255, 200, 190], BAR[2] - BAR[0])
    rgb[BAR[1] : BAR[3], BAR[0] : BAR[2]] = np.rint(reds)
    Image.fromarray(rgb).save(tmp_path / "map.png")
    left, top, right, bottom = FRAME
    gcps = write_points(tmp_path / "g.csv", [(left, top, 0, 9), (right, top, 9, 9), (left, bottom, 0, 0)])
    common = ["run", "map.png", "--gcps", gcps, "--quiet", "--shading", "none"]
    other = geocbar(*common, *SCALE, cwd=tmp_path)
    assert other.code == 1
    assert "This bar does not belong to this map: it explains" in other.err
    flat = geocbar(*common, "--colorbar", "396,100,416,200", *SCALE[2:], cwd=tmp_path)
    assert flat.code == 1
    assert "The colour bar box 396,100,416,200 lies on a single colour (#ffffff)." in flat.err
    (tmp_path / "one.txt").write_text("#102030\n#102030\n")
    single = geocbar(*common, "--colormap", "one.txt", *SCALE[2:], cwd=tmp_path)
    assert single.code == 1
    assert "single colour" in single.err
    assert not (tmp_path / "map_geocbar").exists()
