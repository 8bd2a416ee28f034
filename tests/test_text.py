"""The text engine that comes inside the rapidocr package, on drawn labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from geocbar.app import text
from geocbar.errors import NotFoundError
from geocbar.figure.layout import PixelBox
from geocbar.figure.words import find_words

LABELS = ("-2.5", "0", "10", "37.25", "1e-05", "1200", "98", "0.004")


def drawn(size: int, family: str, ink: str = "black", paper: str = "white") -> NDArray[np.uint8]:
    from matplotlib import font_manager

    font = ImageFont.truetype(font_manager.findfont(family), size)
    picture = Image.new("RGB", (24 * size, len(LABELS) * 2 * size), paper)
    draw = ImageDraw.Draw(picture)
    for row, label in enumerate(LABELS):
        draw.text((size, (2 * row + 0.4) * size), label.replace("-", "−"), fill=ink, font=font)
    draw.text((8 * size, size), "Temperature (K)", fill=ink, font=font)
    return np.asarray(picture)


@pytest.mark.parametrize(
    ("size", "family", "ink", "paper"),
    [
        (14, "DejaVu Sans", "black", "white"),
        (24, "DejaVu Serif", "white", "#202030"),
        (60, "STIXGeneral", "black", "#eeeeee"),
    ],
)
def test_labels_are_read(size: int, family: str, ink: str, paper: str) -> None:
    pixels = drawn(size, family, ink, paper)
    words = find_words(pixels, PixelBox(0, 0, pixels.shape[1], pixels.shape[0]), text.load_reader())
    assert [word.text for word in words if word.box.left < 6 * size] == list(LABELS)
    assert [word.text for word in words if word.box.left > 6 * size] == ["Temperature (K)"]


def test_turned_labels_are_read_the_right_way_round() -> None:
    pixels = np.rot90(drawn(24, "DejaVu Sans"))
    words = find_words(pixels, PixelBox(0, 0, pixels.shape[1], pixels.shape[0]), text.load_reader())
    found = {word.text: word.turned for word in words}
    assert {label: found.get(label) for label in ("-2.5", "37.25", "1e-05", "1200", "0.004")} == {
        label: 90 for label in ("-2.5", "37.25", "1e-05", "1200", "0.004")
    }


def test_readings_come_in_the_order_of_the_crops_and_with_a_numeric_reading() -> None:
    read = text.load_reader()
    crops = []
    for label in ("7", "12345.678", "42", "Velocity"):
        picture = Image.new("RGB", (20 + 22 * len(label), 60), "white")
        font = ImageFont.load_default(36)
        ImageDraw.Draw(picture).text((8, 8), label, fill="black", font=font)
        crops.append(np.asarray(picture))
    readings = read(crops)
    assert [reading.text for reading in readings] == ["7", "12345.678", "42", "Velocity"]
    assert readings[1].alternatives[0][0] == "12345.678"
    assert all(0 < reading.confidence <= 1 for reading in readings)
    assert read([]) == []


def test_the_engine_is_loaded_once() -> None:
    assert text.load_reader() is text.load_reader()


def test_a_missing_model_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "find_spec", lambda name: None)
    with pytest.raises(NotFoundError, match=r"not installed.\n  Install it: pip install rapidocr"):
        text._model_file()


def test_a_batch_holds_crops_of_one_width_and_every_crop_once() -> None:
    widths = {bytes([k]): width for k, width in enumerate([96, 2016, 128, *[96] * 9, 480, 2016, 2016, 2016])}
    batches = text._batches(widths)
    assert sorted(key for batch in batches for key in batch) == sorted(widths)
    for batch in batches:
        assert len({widths[key] for key in batch}) == 1
        assert len(batch) <= 8


def test_what_is_read_depends_neither_on_the_company_nor_on_what_was_read_before() -> None:
    rng = np.random.default_rng(5)
    crops = [rng.integers(0, 255, (48, width, 3), dtype=np.uint8) for width in (96, 100, 150, 400)]
    text.load_reader.cache_clear()
    together = text.load_reader()(crops)
    again = text.load_reader()(crops[::-1])[::-1]
    text.load_reader.cache_clear()
    alone = [text.load_reader()([crop])[0] for crop in crops]
    assert together == again
    assert [reading.text for reading in together] == [reading.text for reading in alone]


def test_the_model_lies_in_the_package() -> None:
    assert Path(text._model_file()).suffix == ".onnx"
