"""A small map, drawn: its field, its bar and its place are known, and a browser can click it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from geocbar.value.scale import ColorScale

WIDTH, HEIGHT = 700, 460

#: Of the map: the middle of its frame's line (left, top, right, bottom).
FRAME = (60.5, 40.5, 560.5, 420.5)

#: Of the bar: its coloured part.
BAR = (600.0, 41.0, 624.0, 420.0)

LOW, HIGH = 0.0, 40.0

SCALE = ColorScale.from_colors([[20, 30, 120], [40, 170, 170], [240, 230, 90], [170, 20, 20]], vmin=LOW, vmax=HIGH)

#: Pixels a degree, and longitude and latitude at the frame's left top corner.
PER_DEGREE, WEST, NORTH = 20.0, 5.0, 55.0


def to_pixel(lon: float, lat: float) -> tuple[float, float]:
    return FRAME[0] + (lon - WEST) * PER_DEGREE, FRAME[1] + (NORTH - lat) * PER_DEGREE


def field() -> NDArray[np.float64]:
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return 20 + 15 * np.sin(x / 70) * np.cos(y / 60)


def draw_map(path: Path) -> Path:
    pixels = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    inside = np.s_[41:420, 61:560]
    pixels[inside] = SCALE.colors_at(field()[inside])
    down = (np.arange(41, 420) + 0.5 - BAR[1]) / (BAR[3] - BAR[1])
    pixels[41:420, 600:624] = SCALE.colors_at(HIGH - (HIGH - LOW) * down)[:, None]
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    draw.rectangle([60, 40, 560, 420], outline=(0, 0, 0))
    draw.rectangle([599, 40, 624, 420], outline=(0, 0, 0))
    for lon in (10, 15, 20, 25):
        at = int(to_pixel(lon, NORTH)[0])
        draw.line([(at, 40), (at, 420)], fill=(70, 70, 70))
    for lat in (40, 45, 50):
        at = int(to_pixel(WEST, lat)[1])
        draw.line([(60, at), (560, at)], fill=(70, 70, 70))
    for value in (0, 10, 20, 30, 40):
        at = bar_place(value)
        draw.line([(624, int(at)), (630, int(at))], fill=(0, 0, 0))
    image.save(path)
    return path


def bar_place(value: float) -> float:
    return BAR[3] - (value - LOW) / (HIGH - LOW) * (BAR[3] - BAR[1])
