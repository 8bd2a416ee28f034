from __future__ import annotations

import numpy as np
import pytest
from drawing.graticules import draw_graticule, label_text, round_step


@pytest.mark.parametrize(
    ("value", "lon", "style", "decimals", "text"),
    [
        (-120, True, "°E", 0, "120°W"),
        (190, True, "°E", 0, "170°W"),
        (-10, True, "360°", 0, "350°"),
        (-45.5, False, "'", 1, "45°30'S"),
        (-60, True, "French", 0, "60°O"),
        (60, True, "German", 0, "60°O"),
        (0, False, "E", 0, "EQ"),
        (-20, False, "plain", 0, "−20"),
        (180, True, "°E", 0, "180°"),
    ],
)
def test_labels_are_written_as_maps_do(value: float, lon: bool, style: str, decimals: int, text: str) -> None:
    assert label_text(value, lon, style, decimals) == text


def test_steps_are_round() -> None:
    assert [round_step(span, 6) for span in (1.0, 11.0, 50.0, 360.0)] == [0.2, 2.0, 10.0, 60.0]


def test_a_drawn_map_knows_its_places() -> None:
    drawn = draw_graticule(3, "matplotlib")
    left, top, right, bottom = drawn.box
    x, y = drawn.places.T
    assert len(drawn.world) == len(drawn.places) > 50
    assert ((x > left) & (x < right) & (y > top) & (y < bottom)).all()
    again = draw_graticule(3, "matplotlib")
    np.testing.assert_array_equal(drawn.pixels, again.pixels)
