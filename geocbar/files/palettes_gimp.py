"""GIMP palettes (.gpl) and gradients (.ggr)."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable

import numpy as np

from geocbar.errors import InvalidInputError
from geocbar.files.palette_nodes import (
    Color,
    Palette,
    broken_line,
    data_lines,
    list_palette,
    node_palette,
    parse_numbers,
    require_color,
)

__all__ = ["parse_ggr", "parse_gpl"]

_SAMPLES = 65
_TINY = 1e-10


def parse_gpl(text: str, name: str) -> Palette:
    """GIMP palette: ``r g b`` and a name a line.

    Raises
    ------
    InvalidInputError
        For a broken line, or fewer than two colours.
    """
    colors = []
    for number, line in list(data_lines(text))[1:]:
        if line.startswith(("Name:", "Columns:")):
            continue
        color = require_color(parse_numbers(line.split()[:3]))
        if color is None:
            raise broken_line(name, number, line, "r g b in 0 to 255, then a name")
        colors.append(color)
    return list_palette(colors, name)


def parse_ggr(text: str, name: str) -> Palette:
    """GIMP gradient; segments that are not linear in RGB are sampled at 65 places.

    Raises
    ------
    InvalidInputError
        For a broken line, segments that do not meet, or a count of segments that is not kept.

    Notes
    -----
    Blending functions: GIMP, ``app/core/gimpgradient.c``, https://gitlab.gnome.org/GNOME/gimp
    """
    lines = [entry for entry in data_lines(text) if not entry[1].startswith("Name:")][1:]
    count = parse_numbers([lines[0][1]]) if lines else None
    if count is None:
        number, line = lines[0] if lines else (1, "GIMP Gradient")
        raise broken_line(name, number, line, "the number of segments")
    positions: list[float] = []
    colors: list[Color] = []
    for number, line in lines[1 : 1 + int(count[0])]:
        numbers = parse_numbers(line.split())
        if numbers is None or len(numbers) < 11 or not numbers[0] <= numbers[1] <= numbers[2]:
            raise broken_line(name, number, line, "left middle right, r g b a twice, blending, colouring")
        if positions and abs(numbers[0] - positions[-1]) > 1e-5:
            raise broken_line(name, number, line, f"a segment that begins at {positions[-1]:g}")
        at, blend = _segment(numbers, number, line, name)
        positions.extend(max(place, positions[-1]) if positions else place for place in at)
        colors.extend(blend)
    if len(lines) - 1 < count[0]:
        raise InvalidInputError(
            f"{name} announces {count[0]:g} segments and holds {len(lines) - 1}.", "Save the gradient again."
        )
    return node_palette(positions, colors, name, has_values=False)


def _segment(numbers: list[float], number: int, line: str, name: str) -> tuple[list[float], list[Color]]:
    left, middle, right = numbers[:3]
    begin, end = numbers[3:6], numbers[7:10]
    blending, coloring = (int(kind) for kind in ([*numbers[11:13], 0, 0])[:2])
    if not all(0 <= channel <= 1 for channel in begin + end) or blending not in range(6) or coloring not in range(3):
        raise broken_line(name, number, line, "colours in 0 to 1, blending 0 to 5, colouring 0 to 2")
    width = right - left
    share = (middle - left) / width if width > _TINY else 0.5
    mix = _MIXERS[coloring]
    if blending == 5:
        return [left, middle, middle, right], [_scaled(begin)] * 2 + [_scaled(end)] * 2
    if blending == 0 and coloring == 0:
        places = np.array([0.0, share, 1.0])
    else:
        places = np.unique(np.append(np.linspace(0.0, 1.0, _SAMPLES), share))
    factor = _FACTORS[blending]
    return (
        (left + places * width).tolist(),
        [_scaled(mix(begin, end, factor(share, float(place)))) for place in places],
    )


def _linear(middle: float, at: float) -> float:
    if at <= middle:
        return 0.0 if middle < _TINY else 0.5 * at / middle
    return 1.0 if 1 - middle < _TINY else 0.5 + 0.5 * (at - middle) / (1 - middle)


def _curved(middle: float, at: float) -> float:
    if middle < _TINY:
        return 1.0
    return 0.0 if 1 - middle < _TINY else at ** (math.log(0.5) / math.log(middle))


def _sine(middle: float, at: float) -> float:
    return (1 - math.cos(math.pi * _linear(middle, at))) / 2


def _sphere_rising(middle: float, at: float) -> float:
    return math.sqrt(max(0.0, 1 - (_linear(middle, at) - 1) ** 2))


def _sphere_falling(middle: float, at: float) -> float:
    return 1 - math.sqrt(max(0.0, 1 - _linear(middle, at) ** 2))


_FACTORS: tuple[Callable[[float, float], float], ...] = (_linear, _curved, _sine, _sphere_rising, _sphere_falling)


def _mix_rgb(begin: list[float], end: list[float], factor: float) -> list[float]:
    return [a + (b - a) * factor for a, b in zip(begin, end, strict=True)]


def _mix_hue(begin: list[float], end: list[float], factor: float, turn: int) -> list[float]:
    first, last = (colorsys.rgb_to_hsv(*color) for color in (begin, end))
    way = turn * (last[0] - first[0])
    hue = first[0] + turn * (way if way > 0 else 1 + way) * factor
    saturation, value = (a + (b - a) * factor for a, b in zip(first[1:], last[1:], strict=True))
    return list(colorsys.hsv_to_rgb(hue % 1.0, saturation, value))


_MIXERS: tuple[Callable[[list[float], list[float], float], list[float]], ...] = (
    _mix_rgb,
    lambda begin, end, factor: _mix_hue(begin, end, factor, 1),
    lambda begin, end, factor: _mix_hue(begin, end, factor, -1),
)


def _scaled(color: list[float]) -> Color:
    red, green, blue = (255.0 * min(max(channel, 0.0), 1.0) for channel in color)
    return red, green, blue
