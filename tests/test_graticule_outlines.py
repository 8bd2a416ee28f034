from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from geocbar.figure.frames import MapFrame
from geocbar.figure.layout import PixelBox
from geocbar.figure.words import Word
from geocbar.place.graticule import GraticuleReading, read_graticule

#: A fan: cone about the point (320, -260) on the page, 0.012 radians a degree of longitude, 9 px one of latitude.
TIP, RADIAN, DEGREE = np.array([320.0, -260.0]), 0.012, 9.0
WEST, EAST, SOUTH, NORTH = -30.0, 30.0, 35.0, 62.0
Array = NDArray[np.float64]


def place(lon: Array | float, lat: Array | float) -> Array:
    radius = 330 + DEGREE * (NORTH - np.asarray(lat, float))
    angle = RADIAN * np.asarray(lon, float) + 0 * radius
    return np.stack([TIP[0] + radius * np.sin(angle), TIP[1] + radius * np.cos(angle)], axis=-1)


def along(lon: tuple[float, float], lat: tuple[float, float]) -> Array:
    t = np.linspace(0, 1, 80)
    return place(lon[0] + (lon[1] - lon[0]) * t, lat[0] + (lat[1] - lat[0]) * t)


OUTLINE = np.concatenate([
    along((WEST, EAST), (SOUTH, SOUTH))[:-1], along((EAST, EAST), (SOUTH, NORTH))[:-1],
    along((EAST, WEST), (NORTH, NORTH))[:-1], along((WEST, WEST), (NORTH, SOUTH))[:-1],
])  # fmt: skip
(LEFT, TOP), (RIGHT, BOTTOM) = OUTLINE.min(axis=0), OUTLINE.max(axis=0)
FRAME = MapFrame(PixelBox(LEFT, TOP, RIGHT, BOTTOM), OUTLINE, "outline")


def fan(lons: list[float], lats: list[float]) -> NDArray[np.uint8]:
    """A smooth fan on paper with gridlines and its outline."""
    pixels = np.full((420, 640, 3), 255.0)
    rows, cols = np.mgrid[0:420, 0:640]
    field = 150 + 60 * np.stack([np.sin(rows / 41), np.cos(cols / 57), np.sin(cols / 33)], axis=2)
    mask = Image.new("L", (640 * 4, 420 * 4))
    ImageDraw.Draw(mask).polygon([(4 * x, 4 * y) for x, y in OUTLINE], fill=255)
    inside = np.asarray(mask.resize((640, 420), Image.Resampling.BOX), float)[..., None] / 255
    pixels = pixels * (1 - inside) + field * inside
    lines = Image.new("L", (640 * 4, 420 * 4))
    pen = ImageDraw.Draw(lines)
    paths = [along((lon, lon), (SOUTH, NORTH)) for lon in lons] + [along((WEST, EAST), (lat, lat)) for lat in lats]
    for path in [*paths, np.concatenate([OUTLINE, OUTLINE[:1]])]:
        pen.line([(4 * x, 4 * y) for x, y in path], fill=255, width=5)
    cover = np.asarray(lines.resize((640, 420), Image.Resampling.BOX), float)[..., None] / 255
    return np.round(pixels * (1 - cover)).astype(np.uint8)


def word(text: str, middle: tuple[float, float]) -> Word:
    half = 3.0 * len(text)
    x, y = middle
    return Word(text, PixelBox(x - half, y - 5, x + half, y + 5), 0.97, glyph_px=10.0)


def lon_word(lon: float, text: str) -> Word:
    x, y = place(lon, SOUTH)
    return word(text, (x, y + 10))


def lat_word(lat: float, text: str) -> Word:
    x, y = place(WEST, lat)
    return word(text, (x - 6 - 3.0 * len(text), y))


LONS, LATS = [-20.0, 0.0, 20.0], [40.0, 50.0, 60.0]
LON_WORDS = [lon_word(-20, "20°W"), lon_word(0, "0°"), lon_word(20, "20°E")]
LAT_WORDS = [lat_word(40, "40°N"), lat_word(50, "50°N"), lat_word(60, "60°N")]


def read(words: list[Word], lons: list[float] = LONS, lats: list[float] = LATS) -> GraticuleReading:
    return read_graticule(fan(lons, lats), FRAME, None, words=words)


def test_gridlines_of_a_fan_are_followed_from_their_labels() -> None:
    result = read([*LON_WORDS, *LAT_WORDS])
    assert result.accepted, result.vetoes
    assert result.gcps is not None
    assert len(result.gcps) == 9
    off = np.hypot(*(result.gcps.pixels - place(*result.gcps.world.T)).T)
    assert off.max() < 0.7
    assert "within" in " ".join(result.evidence)


def test_a_wrong_label_is_left_out_or_refused() -> None:
    lons = [-20.0, -10.0, 0.0, 10.0, 20.0]
    words = [lon_word(v, t) for v, t in zip(lons, ["20°W", "10°W", "0°", "11°E", "20°E"], strict=True)]
    result = read([*words, *LAT_WORDS], lons)
    if result.accepted:
        assert result.gcps is not None
        assert 11.0 not in result.gcps.world[:, 0]
    else:
        assert any("off" in veto for veto in result.vetoes)


def test_labels_without_lines_are_refused() -> None:
    result = read([*LON_WORDS, *LAT_WORDS], [], [])
    assert not result.accepted
    assert any("could be followed into the map" in veto for veto in result.vetoes)


def test_a_single_parallel_is_not_enough() -> None:
    result = read([*LON_WORDS, LAT_WORDS[1]], LONS, [50.0])
    assert not result.accepted
    assert result.gcps is None


@pytest.mark.parametrize("texts", [["20°O", "0°", "20°E"], ["−20°", "0°", "20°"]])
def test_hemispheres_around_an_outline(texts: list[str]) -> None:
    words = [lon_word(v, t) for v, t in zip(LONS, texts, strict=True)]
    result = read([*words, *LAT_WORDS])
    assert result.accepted, result.vetoes
    assert result.gcps is not None
    assert set(result.gcps.world[:, 0]) == {-20.0, 0.0, 20.0}
