"""Words found in drawn pictures, read by an engine made for the test; glyphs that speak against a reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from geocbar.figure.glyphs import describe_glyphs, ends_raised, leads_with_minus, raised_column, resample
from geocbar.figure.layout import PixelBox
from geocbar.figure.words import TextReading, Word, find_words, read_label, reread_label, split_words

SANS = "DejaVuSans.ttf"


def font(size: int) -> ImageFont.FreeTypeFont:
    from matplotlib import font_manager

    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def page(width: int = 400, height: int = 200, color: str = "white") -> Image.Image:
    return Image.new("RGB", (width, height), color)


def write(picture: Image.Image, place: tuple[int, int], text: str, size: int = 24, color: str = "black") -> PixelBox:
    """Draw text with its ink's corner at a place; returns the box of the ink."""
    sheet = page(picture.width + 200, picture.height + 200)
    ImageDraw.Draw(sheet).text((100, 100), text, fill="black", font=font(size))
    dark = array(sheet)[..., 0] < 160
    left, right = (int(k) for k in np.flatnonzero(dark.any(axis=0))[[0, -1]])
    top, bottom = (int(k) for k in np.flatnonzero(dark.any(axis=1))[[0, -1]])
    ImageDraw.Draw(picture).text((place[0] + 100 - left, place[1] + 100 - top), text, fill=color, font=font(size))
    return PixelBox(place[0], place[1], place[0] + right + 1 - left, place[1] + bottom + 1 - top)


def array(picture: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(picture.convert("RGB"))


def reader(*texts: str, confidence: float = 0.99) -> Callable[[Sequence[NDArray[np.uint8]]], list[TextReading]]:
    """Say the best fitting of the given texts: the one whose drawing is most like the crop."""
    patterns = {text: _pattern(text) for text in texts}

    def read(crops: Sequence[NDArray[np.uint8]]) -> list[TextReading]:
        readings = []
        for crop in crops:
            assert crop.dtype == np.uint8
            assert crop.shape[0] == 48
            assert crop.shape[1] >= 96
            assert crop[0, 0].tolist() == [255, 255, 255]
            own, aspect = _normal(1 - crop[..., 0] / 255)
            scores = {
                text: float(np.abs(own - other).mean()) + 0.4 * abs(np.log(aspect / shape))
                for text, (other, shape) in patterns.items()
            }
            best = min(scores, key=lambda text: scores[text])
            readings.append(TextReading(best, confidence - scores[best], ((best, confidence),)))
        return readings

    return read


def _pattern(text: str) -> tuple[NDArray[np.float32], float]:
    picture = page(60 * len(text) + 80, 120)
    write(picture, (20, 20), text, 60)
    return _normal(1 - array(picture)[..., 0] / 255)


def _normal(dark: NDArray[np.floating]) -> tuple[NDArray[np.float32], float]:
    rows, cols = np.flatnonzero((dark > 0.4).any(axis=1)), np.flatnonzero((dark > 0.4).any(axis=0))
    ink = dark[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    return resample(ink, 24, 48), ink.shape[1] / ink.shape[0]


def whole(picture: Image.Image) -> PixelBox:
    return PixelBox(0, 0, picture.width, picture.height)


def texts(words: Sequence[Word]) -> list[str]:
    return [word.text for word in words]


@pytest.mark.parametrize("size", [12, 24, 60])
@pytest.mark.parametrize(("ink", "paper"), [("black", "white"), ("white", "#203040"), ("#884400", "#eeeedd")])
def test_numbers_are_found_with_their_boxes(size: int, ink: str, paper: str) -> None:
    picture = page(600, 300, paper)
    places = {"-2.5": (40, 40), "10": (300, 45), "37": (180, 200)}
    boxes = {text: write(picture, place, text, size, ink) for text, place in places.items()}
    words = find_words(array(picture), whole(picture), reader(*places))
    assert {word.text for word in words} == set(places)
    for word in words:
        truth = boxes[word.text]
        found = (word.box.left, word.box.top, word.box.right, word.box.bottom)
        assert found == pytest.approx((truth.left, truth.top, truth.right, truth.bottom), abs=1.5)
        assert word.glyph_px == pytest.approx(0.73 * size, abs=0.1 * size + 1)
        assert word.turned == 0
        assert not word.checks, word


def test_neighbours_on_one_line_stay_apart_and_words_join() -> None:
    picture = page()
    for text, col in {"0": 20, "50": 60, "100": 110}.items():
        write(picture, (col, 20), text, 24)
    write(picture, (20, 100), "Depth below sea", 24)
    words = find_words(
        array(picture), whole(picture), reader("0", "50", "100", "Depth", "below", "sea", "Depth below sea")
    )
    assert texts(words) == ["0", "50", "100", "Depth below sea"]


@pytest.mark.parametrize("turn", [90, 270])
def test_turned_text_is_read(turn: int) -> None:
    picture = page(300, 60)
    write(picture, (30, 15), "Depth 25", 24)
    turned = picture.rotate(turn, expand=True)
    (word,) = find_words(array(turned), whole(turned), reader("Depth", "25", "Depth 25"))
    assert (word.text, word.turned) == ("Depth 25", turn)
    assert word.box.height > 3 * word.box.width


def test_tick_marks_on_the_bar_and_frames_are_no_text() -> None:
    picture = page(300, 300)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 20, 60, 280), fill="#3366aa", outline="black")
    for row in (60, 150, 240):
        draw.line((61, row, 68, row), fill="black")
    for row, text in zip((60, 150, 240), ("3", "2", "1"), strict=True):
        write(picture, (72, row - 8), text, 24)
    words = find_words(
        array(picture), PixelBox(62, 0, 300, 300), reader("1", "2", "3"), exclude=[PixelBox(40, 20, 61, 281)]
    )
    assert texts(words) == ["3", "2", "1"]
    assert not any("minus" in check for word in words for check in word.checks)


def test_digits_that_touch_a_frame_are_cut_from_it() -> None:
    picture = page(300, 200)
    ImageDraw.Draw(picture).rectangle((10, 10, 290, 100), outline="black")
    write(picture, (100, 100), "47", 24)
    write(picture, (200, 120), "12", 24)
    words = find_words(array(picture), PixelBox(0, 80, 300, 200), reader("47", "12"))
    assert texts(words) == ["47", "12"]


def test_ink_that_touches_the_excluded_bar_is_not_lost() -> None:
    picture = page(300, 200)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, 280, 50), fill="#3366aa")
    draw.line((150, 51, 150, 58), fill="black", width=2)
    write(picture, (139, 57), "80", 24)
    words = find_words(array(picture), PixelBox(0, 50, 300, 200), reader("80"), exclude=[PixelBox(20, 20, 281, 51)])
    assert texts(words) == ["80"]


def test_powers_are_read_in_parts() -> None:
    picture = page()
    write(picture, (40, 60), "10", 36)
    write(picture, (89, 48), "−3", 24)
    (word,) = find_words(array(picture), whole(picture), reader("10", "3", "103"))
    assert word.text == "10^-3"


def test_powers_whose_digits_touch_are_read_in_parts() -> None:
    picture = page()
    write(picture, (40, 60), "10", 36)
    write(picture, (83, 48), "2", 24)
    (word,) = find_words(array(picture), whole(picture), reader("10", "2", "102"))
    assert word.text == "10^2"
    dark = 1 - array(picture)[55:95, 35:110, 0] / 255
    column = raised_column(dark, 27.0)
    assert column is not None
    assert 40 <= column <= 50
    assert raised_column(dark[:, :column], 27.0) is None


def test_a_minus_that_touches_the_base_is_not_lost() -> None:
    picture = page()
    write(picture, (40, 60), "10", 36)
    ImageDraw.Draw(picture).rectangle((80, 62, 94, 64), fill="black")
    write(picture, (98, 48), "3", 24)
    (word,) = find_words(array(picture), whole(picture), reader("10", "3", "10-3"))
    assert word.text == "10^-3"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (["15", "15", "18", "15", "15"], True),
        (["18", "18", "18", "15", "15"], False),
        (["18", "15", "", "", ""], False),
        (["18", "18", "18", "18", "18"], False),
    ],
)
def test_a_label_is_believed_anew_where_most_ways_read_what_was_expected(said: list[str], found: bool) -> None:
    picture = page()
    box = write(picture, (40, 60), "15", 30)

    def read(crops: Sequence[NDArray[np.uint8]]) -> list[TextReading]:
        return [TextReading(text, 0.9) for text in said[: len(crops)]]

    word = reread_label(array(picture), box, read, lambda text: text == "15")
    assert (word is not None) == found
    if word is not None:
        assert (word.text, word.box) == ("15", box)


def test_brackets_of_a_turned_title_do_not_join_the_label_beside_them() -> None:
    picture = page(300, 300)
    write(picture, (40, 140), "1000", 20)
    sheet = page(300, 300)
    write(sheet, (60, 122), "Elevation (m)", 20)
    turned = array(sheet.rotate(90))
    joined = np.minimum(array(picture), turned)
    words = find_words(joined, PixelBox(0, 0, 300, 300), reader("1000", "Elevation (m)"))
    assert {(word.text, word.turned) for word in words} == {("1000", 0), ("Elevation (m)", 90)}


def test_a_raised_ring_is_a_degree_sign() -> None:
    picture = page()
    write(picture, (40, 60), "3°", 36)
    (word,) = find_words(array(picture), whole(picture), reader("30", "3"))
    assert word.text == "3°"


@pytest.mark.parametrize(
    ("drawn", "read", "check"),
    [
        ("-25", "25", "a minus sign is drawn but was not read"),
        ("25", "-25", "a minus sign was read but none is drawn"),
        ("2.5", "25", "1 dots are drawn and 0 were read"),
        ("25", "2.5", "0 dots are drawn and 1 were read"),
        ("255", "25", "3 tall glyphs are drawn and 2 were read"),
    ],
)
def test_what_the_glyphs_say_against_the_reading(drawn: str, read: str, check: str) -> None:
    picture = page()
    write(picture, (40, 60), drawn.replace("-", "−"), 30)
    (word,) = find_words(array(picture), whole(picture), lambda crops: [TextReading(read, 1.0) for _ in crops])
    assert check in word.checks
    assert read in (word.text, *word.alternatives)


def test_readings_that_differ_by_size_are_told() -> None:
    picture = page()
    write(picture, (40, 60), "25", 30)
    said = iter(("25", "26"))
    (word,) = find_words(array(picture), whole(picture), lambda crops: [TextReading(next(said), 0.9) for _ in crops])
    assert word.checks == ("read '25' at one size and '26' at another",)
    assert {word.text, *word.alternatives} == {"25", "26"}


def test_numbers_alphabet_is_believed_where_the_free_text_is_no_word() -> None:
    picture = page()
    write(picture, (40, 60), "50", 30)

    def read(crops: Sequence[NDArray[np.uint8]]) -> list[TextReading]:
        return [TextReading("5日", 0.5, (("50", 0.9),)) for _ in crops]

    assert texts(find_words(array(picture), whole(picture), read)) == ["50"]
    assert texts(find_words(array(picture), whole(picture), read, numeric_first=False)) == ["5日"]


def test_labels_that_ran_together_are_read_one_by_one() -> None:
    picture = page()
    for text, col in {"100": 20, "200": 72, "300": 124}.items():
        write(picture, (col, 20), text, 24)
    run_together = Word("100200300", PixelBox(20, 20, 170, 38))
    read = reader("100", "200", "300")
    parts = split_words(array(picture), run_together, [5, 41, 93, 146, 390], read)
    assert texts(parts) == ["100", "200", "300"]
    assert split_words(array(picture), run_together, [41], read) == [run_together]


def test_negative_labels_that_ran_together_are_parted_at_their_minus_signs() -> None:
    picture = page()
    for text, col in {"−40": 20, "−30": 76, "−20": 132}.items():
        write(picture, (col, 20), text, 24)

    widths = []

    def read(crops: Sequence[NDArray[np.uint8]]) -> list[TextReading]:
        widths.extend(crop.shape[1] for crop in crops)
        return [TextReading("-40-30-20" if crop.shape[1] > 200 else "-30", 0.9) for crop in crops]

    words = find_words(array(picture), whole(picture), read)
    assert max(widths) > 200
    assert texts(words) == ["-30", "-30", "-30"]
    assert [word.box.left for word in words] == pytest.approx([20, 76, 132], abs=1)


def test_one_label_is_read_in_its_box() -> None:
    picture = page()
    write(picture, (20, 20), "7", 24)
    write(picture, (80, 20), "9", 24)
    read = reader("7", "9")
    word = read_label(array(picture), PixelBox(70, 10, 110, 50), read)
    assert word is not None
    assert word.text == "9"
    assert read_label(array(picture), PixelBox(200, 100, 300, 150), read) is None


def test_an_empty_page_has_no_words() -> None:
    assert find_words(array(page()), PixelBox(0, 0, 400, 200), reader("1")) == []


@pytest.mark.parametrize(("text", "kinds"), [("−2.5", "-d.d"), ("10", "dd"), ("3°", "do"), ("0.01", "d.dd")])
def test_glyphs_are_told_apart(text: str, kinds: str) -> None:
    picture = page()
    box = write(picture, (40, 60), text, 30)
    dark = 1 - array(picture)[int(box.top) : int(box.bottom), int(box.left) : int(box.right), 0] / 255
    glyphs = describe_glyphs(dark)
    assert glyphs is not None
    assert glyphs.kinds == kinds
    assert leads_with_minus(dark) == text.startswith("−")
    assert ends_raised(dark, glyphs.digit_px) == text.endswith("°")


def test_resampling_keeps_the_mean() -> None:
    gray = np.random.default_rng(1).random((31, 47))
    for height, width in ((10, 12), (62, 94), (31, 47)):
        small = resample(gray, height, width)
        assert small.shape == (height, width)
        assert small.mean() == pytest.approx(gray.mean(), abs=0.02)


def test_rows_set_close_under_one_another_are_no_standing_text() -> None:
    picture = page(260, 240)
    numbers = ["60000", "40000", "30000", "20000", "15000", "10000", "5000"]
    for row, text in enumerate(numbers):
        write(picture, (90, 20 + 17 * row), text, 16)
    words = find_words(array(picture), whole(picture), reader(*numbers))
    assert sorted(texts(words)) == sorted(numbers)
    assert all(word.turned == 0 for word in words)


def test_a_busy_map_beside_them_does_not_tell_the_size_of_labels() -> None:
    pixels = np.full((420, 900, 3), 255, np.uint8)
    pixels[6:200:9, 6:894:9] = 0
    pixels[7:200:9, 6:894:9] = 0
    for row in range(6):
        pixels[6 + row : 200 : 9, 8:894:9] = 0
    picture = Image.fromarray(pixels)
    write(picture, (300, 280), "250", 80)
    words = find_words(array(picture), whole(picture), reader("250"), exclude=[PixelBox(0, 0, 900, 210)])
    assert texts(words) == ["250"]
