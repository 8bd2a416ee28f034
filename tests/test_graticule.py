from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from geocbar.errors import InvalidInputError
from geocbar.figure.frames import MapFrame
from geocbar.figure.layout import PixelBox
from geocbar.figure.words import Word
from geocbar.place.graticule import GraticuleReading, read_graticule
from geocbar.place.graticule_bent import settle_values

BOX = PixelBox(80, 60, 480, 360)
FRAME = MapFrame(BOX, None, "rectangle")
GLYPH = 10.0
Places = Sequence[tuple[str, float]]


def page() -> NDArray[np.float64]:
    """Paper with a smooth field and a frame around it."""
    pixels = np.full((420, 560, 3), 255.0)
    rows, cols = np.mgrid[0:300, 0:400]
    pixels[60:360, 80:480] = 128 + 60 * np.stack([np.sin(rows / 41), np.cos(cols / 57), np.sin(cols / 33)], axis=2)
    pixels[59:61, 79:481] = pixels[359:361, 79:481] = 0
    pixels[59:361, 79:81] = pixels[59:361, 479:481] = 0
    return pixels


def word(text: str, side: str, place: float) -> Word:
    half = 3.0 * len(text)
    x, y = {
        "bottom": (place, BOX.bottom + 16),
        "top": (place, BOX.top - 16),
        "left": (BOX.left - 10 - half, place),
        "right": (BOX.right + 10 + half, place),
    }[side]
    return Word(text, PixelBox(x - half, y - GLYPH / 2, x + half, y + GLYPH / 2), 0.97, glyph_px=GLYPH)


def tick(pixels: NDArray[np.float64], side: str, place: float) -> None:
    k = int(place)
    if side == "bottom":
        pixels[361:367, k] = 0
    elif side == "top":
        pixels[53:59, k] = 0
    elif side == "left":
        pixels[k, 73:79] = 0
    else:
        pixels[k, 481:487] = 0


def with_lines(pixels: NDArray[np.float64], paths: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    mask = Image.new("L", (560 * 4, 420 * 4))
    pen = ImageDraw.Draw(mask)
    for path in paths:
        pen.line([(4 * x, 4 * y) for x, y in path], fill=255, width=5)
    cover = np.asarray(mask.resize((560, 420), Image.Resampling.BOX), float)[..., None] / 255
    cover[:60] = cover[360:] = cover[:, :80] = cover[:, 480:] = 0
    return pixels * (1 - cover)


def read(
    bottom: Places = (),
    left: Places = (),
    top: Places = (),
    right: Places = (),
    *,
    bare: Sequence[str] = (),
    twins: bool = True,
    titles: Sequence[Word] = (),
    paths: Sequence[NDArray[np.float64]] = (),
    ticks: bool = True,
) -> GraticuleReading:
    """Read a page with labels at the four sides; with `twins` each tick has one across."""
    pixels = with_lines(page(), paths)
    words = list(titles)
    across = {"bottom": "top", "left": "right", "top": "bottom", "right": "left"}
    for side, labels in (("bottom", bottom), ("left", left), ("top", top), ("right", right)):
        for text, place in labels:
            words.append(word(text, side, place))
            if ticks:
                tick(pixels, side, place)
                if twins and side not in bare:
                    tick(pixels, across[side], place)
    return read_graticule(np.round(pixels).astype(np.uint8), FRAME, None, words=words)


def evenly(texts: Sequence[str], first: float = 100.5, step: float = 90.0) -> list[tuple[str, float]]:
    return [(text, first + step * k) for k, text in enumerate(texts)]


LONS = evenly(["10°W", "0°", "10°E", "20°E"], 110.5)
LATS = evenly(["50°N", "40°N", "30°N"], 110.5)


def vetoed(result: GraticuleReading, match: str) -> None:
    assert not result.accepted
    assert any(match in veto for veto in result.vetoes), result.vetoes


def test_ticks_and_labels_give_the_crossings() -> None:
    result = read(LONS, LATS)
    assert result.accepted, result.vetoes
    assert result.gcps is not None
    assert len(result.gcps) == 12
    lon, lat = result.gcps.world.T
    np.testing.assert_allclose(result.gcps.pixels[:, 0], 200.5 + 9 * lon, atol=0.1)
    np.testing.assert_allclose(result.gcps.pixels[:, 1], 110.5 + 9 * (50 - lat), atol=0.1)
    assert "10°W 50°N (left mark x bottom mark)" in result.gcps.names
    assert "4 ticks stand straight across" in " ".join(result.evidence)
    first = next(label for label in result.labels if label.side == "bottom")
    assert (first.text, first.value, first.kind, first.marked) == ("10°W", -10.0, "lon", True)


def test_mercator_is_recognised() -> None:
    lats = [60, 50, 40, 30]
    down = 100.5 - 150 * (np.arctanh(np.sin(np.radians(lats))) - np.arctanh(np.sin(np.radians(60))))
    labels = [(f"{v}N", float(np.floor(y) + 0.5)) for v, y in zip(lats, down * 2 - 100.5, strict=True)]
    result = read(LONS, labels)
    assert result.accepted, result.vetoes
    assert "Mercator" in " ".join(result.evidence)


def test_a_misreading_is_named_and_left_out() -> None:
    result = read(evenly(["10°E", "20°E", "80°E", "40°E", "50°E"], 100.5, 85.0), LATS)
    assert result.accepted, result.vetoes
    assert "'80°E' at the bottom was taken for a misreading" in " ".join(result.evidence)
    assert result.gcps is not None
    assert 80.0 not in result.gcps.world[:, 0]
    off = next(label for label in result.labels if label.text == "80°E")
    assert off.value is None


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["160°E", "170°E", "180°", "170°W"], [160, 170, 180, 190]),
        (["10°O", "20°O", "30°O", "40°O"], [10, 20, 30, 40]),
        (["30°O", "20°O", "10°O", "0°"], [-30, -20, -10, 0]),
        (["10°O", "0°", "10°E", "20°E"], [-10, 0, 10, 20]),
        (["10°W", "0°", "10°O", "20°O"], [-10, 0, 10, 20]),
        (["330°", "340°", "350°", "0°"], [-30, -20, -10, 0]),
        (["20°", "10°", "0°", "10°"], [-20, -10, 0, 10]),
        (["100E", "1I0E", "120E", "130E"], [100, None, 120, 130]),
    ],
)
def test_hemispheres_and_the_date_line(texts: list[str], values: list[float | None]) -> None:
    result = read(evenly(texts, 110.5), LATS)
    assert result.accepted, result.vetoes
    assert result.gcps is not None
    lons = sorted({float(v) for v in result.gcps.world[:, 0]})
    wanted = sorted(v for v in values if v is not None)
    np.testing.assert_allclose((np.array(lons) - wanted) % 360, 0, atol=1e-9)


def test_unsigned_west_and_south_are_asked_for() -> None:
    vetoed(read(evenly(["120°", "110°", "100°", "90°"], 110.5), LATS), "they may be west or south")
    vetoed(read(LONS, evenly(["30°", "40°", "50°"], 110.5)), "latitudes decrease upwards")


def test_plain_numbers_need_a_word_of_proof() -> None:
    lons, lats = evenly(["0", "10", "20", "30"], 110.5), evenly(["40", "30", "20"], 110.5)
    vetoed(read(lons, lats), "bear no degree sign and no hemisphere")
    named = [
        Word("Longitude", PixelBox(250, 390, 310, 402), glyph_px=GLYPH),
        Word("Latitude", PixelBox(36, 180, 48, 240), turned=90, glyph_px=GLYPH),
    ]
    assert read(lons, lats, titles=named).accepted
    heat = [Word("Latent heat", PixelBox(250, 390, 320, 402), glyph_px=GLYPH), named[1]]
    vetoed(read(lons, lats, titles=heat), "no title says longitude or latitude")
    far = [Word("Distance (km)", PixelBox(250, 390, 330, 402), glyph_px=GLYPH), named[1]]
    vetoed(read(lons, lats, titles=far), "'Distance (km)': its numbers are no degrees")


def test_numbers_beyond_the_globe() -> None:
    result = read(evenly(["500", "600", "700", "800"], 110.5), evenly(["300", "200", "100"], 110.5))
    vetoed(result, "make sense only if they were misread: 500, 600, 700, 800")


def test_sections_are_refused() -> None:
    vetoed(read(evenly(["10°S", "0°", "10°N", "20°N"], 110.5), evenly(["0", "100", "200"], 110.5)), "a section")


def test_too_few_labels() -> None:
    vetoed(read(LONS[:2], LATS[:2]), "two labels cannot contradict each other")
    assert not read(LONS[:1], LATS).accepted
    vetoed(read(), "No longitudes and latitudes can be read at the frame")


def test_a_lost_decimal_point_does_not_suit_the_other_axis() -> None:
    vetoed(read(evenly(["105E", "110E", "115E", "120E"], 110.5), evenly(["10.5N", "10.0N", "9.5N"], 110.5)), "decimal")


def test_labels_without_marks_are_not_placed() -> None:
    result = read(evenly(["40°W", "0°", "40°E", "80°E"], 110.5), evenly(["40°N", "0°", "40°S"], 110.5), ticks=False)
    vetoed(result, "have a mark at their label")


def test_one_sided_labels_do_not_prove_upright_meridians() -> None:
    lats = evenly(["50°N", "40°N", "30°N"], 110.5, 110.0)
    vetoed(read(LONS, lats, twins=False), "Nothing shows that meridians are upright")


def cone() -> Callable[[NDArray[np.float64] | float, NDArray[np.float64] | float], NDArray[np.float64]]:
    """Pixels of (lon, lat) on an equidistant conic map true at 40 and 56 N, centred at 10 E 48 N."""
    first, second = np.radians(40), np.radians(56)
    n = (np.cos(first) - np.cos(second)) / (second - first)
    g = np.cos(first) / n + first
    scale = 14.0 * 180 / np.pi

    def place(lon: NDArray[np.float64] | float, lat: NDArray[np.float64] | float) -> NDArray[np.float64]:
        rho = scale * (g - np.radians(lat))
        theta = n * np.radians(np.asarray(lon) - 10)
        apex = 210 - scale * (g - np.radians(48))
        return np.stack(np.broadcast_arrays(280 + rho * np.sin(theta), apex + rho * np.cos(theta)), axis=-1)

    return place


def conic(paths: bool = True, swap: bool = False) -> GraticuleReading:
    place = cone()
    meridians = {lon: place(float(lon), np.linspace(20, 75, 400)) for lon in range(-30, 55, 5)}
    parallels = {lat: place(np.linspace(-40, 60, 800), float(lat)) for lat in range(30, 70, 5)}
    bottom, left = [], []
    for lon, path in meridians.items():
        x = float(np.interp(360, path[::-1, 1][np.argsort(path[::-1, 1])], path[np.argsort(path[:, 1]), 0]))
        if 90 < x < 470 and lon % 10 == 0:
            bottom.append((f"{abs(lon)}°{'W' if lon < 0 else 'E'}" if lon else "0°", x))
    for lat, path in parallels.items():
        y = float(np.interp(80, path[:, 0], path[:, 1]))
        if 70 < y < 350:
            left.append((f"{lat}°N", y))
    left.sort(key=lambda item: item[1])
    if swap:
        bottom[1], bottom[2] = (bottom[2][0], bottom[1][1]), (bottom[1][0], bottom[2][1])
    drawn = [*(p for lon, p in meridians.items() if lon % 10 == 0), *parallels.values()] if paths else []
    return read(bottom, left, paths=drawn, ticks=False)


def test_a_conic_graticule_is_followed_into_the_map() -> None:
    result = conic()
    assert result.accepted, result.vetoes
    assert result.gcps is not None
    assert len(result.gcps) >= 9
    off = np.hypot(*(cone()(*result.gcps.world.T) - result.gcps.pixels).T)
    assert np.median(off) < 0.3
    assert off.max() < 1.0
    assert "followed into the map" in " ".join(result.evidence)


def test_a_conic_graticule_without_lines_or_with_exchanged_labels_is_refused() -> None:
    assert not conic(paths=False).accepted
    vetoed(conic(swap=True), "follow no smooth progression")


def test_opposite_labels_that_disagree_are_not_taken_for_upright_meridians() -> None:
    shifted = [(text, place + 6) for text, place in LONS]
    result = read(LONS, LATS, shifted, twins=False)
    vetoed(result, "Labels at opposite sides disagree by 6 px in x: bottom and top")


def test_maps_without_a_frame_and_bad_input() -> None:
    pixels = np.full((420, 560, 3), 255, np.uint8)
    vetoed(read_graticule(pixels, MapFrame(BOX, None, "picture"), None, words=[]), "no frame with paper around it")
    with pytest.raises(InvalidInputError, match="neither a text engine nor text"):
        read_graticule(pixels, FRAME, None)
    with pytest.raises(InvalidInputError, match=r"not in \(420, 560\)"):
        read_graticule(pixels[..., 0], FRAME, None, words=[])


def test_three_latitudes_of_a_world_map_get_the_spacing_that_suits_the_scale() -> None:
    wide = evenly(["120°W", "60°W", "0°", "60°E", "120°E"], 100.5, 90.0)
    down = 1.5 * np.degrees(np.arctanh(np.sin(np.radians(45.0))))
    lats = [("45°N", 210.5 - round(down)), ("0°", 210.5), ("45°S", 210.5 + round(down))]
    result = read(wide, lats)
    assert result.accepted, result.vetoes
    assert result.gcps is not None
    top = result.gcps.world[np.argmin(result.gcps.pixels[:, 1])]
    true = np.degrees(np.arcsin(np.tanh(np.radians((210.5 - 60) / 1.5))))
    assert top[1] == pytest.approx(true, abs=0.3)
    assert any("by Mercator spacing" in name for name in result.gcps.names)


def test_two_labels_out_of_turn_do_not_spoil_six_others() -> None:
    texts = ["90°S", "120°W", "60°W", "0°", "60°E", "120°E", "90°S"]
    labels = read(evenly(texts, 100.5, 55.0)).labels
    settled = settle_values([label for label in labels if label.side == "bottom"], "lon")
    assert settled is not None
    assert [label.value for label in settled] == [-120, -60, 0, 60, 120]
    odd = read(evenly(["10°", "50°", "20°", "90°", "30°", "130°", "40°"], 100.5, 55.0)).labels
    assert settle_values([label for label in odd if label.side == "bottom"], "lon") is None
