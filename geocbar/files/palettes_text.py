"""Palettes that are lists of numbers: hex and RGB lists, JASC, Microsoft and Adobe tables, ESRI and Surfer .clr."""

from __future__ import annotations

import re
import struct

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.files.palette_nodes import (
    Color,
    Palette,
    broken_line,
    data_lines,
    list_palette,
    node_palette,
    parse_hex,
    parse_numbers,
    require_color,
)

__all__ = ["has_color_line", "parse_act", "parse_color_list", "parse_jasc", "parse_riff", "parse_surfer"]

_LIST_LINE = "a colour, as #rrggbb, or as r g b in 0 to 255 (or all of them in 0 to 1)"
_VALUE_LINE = "value r g b, with r, g, b in 0 to 255"
# A mark before 3 to 8 hex digits begins a colour (or a misspelt one), not a comment.
_COMMENT = re.compile(r"(?:^|(?<=\s))(?:#(?![0-9a-f]{3,8}(?:[\s,;]|$))|//|;).*$", re.IGNORECASE)


def _tokens(line: str) -> list[str]:
    """Fields of a line without its comment, quotes and brackets."""
    body = _COMMENT.sub("", re.sub(r"[\"'\[\]()]", " ", line))
    return re.findall(r"[^\s,;]+", body)


def has_color_line(text: str) -> bool:
    """Whether any line of the text is a colour of a plain list."""
    for line in text.splitlines():
        parts = _tokens(line)
        if parts and (all(map(parse_hex, parts)) or (3 <= len(parts) <= 5 and parse_numbers(parts) is not None)):
            return True
    return False


def parse_color_list(text: str, name: str, suffix: str = "") -> Palette:
    """A plain list of colours; with a value before each colour, an ESRI or GDAL colour table.

    Four numbers a line are value, r, g, b in a ``.clr`` file, or where the first number cannot be a colour (below
    0, above 255 or not whole); otherwise r, g, b and an opacity, which is ignored.

    Raises
    ------
    InvalidInputError
        For a line that is no colour, or fewer than two colours.
    """
    rows: list[tuple[int, str, list[float]]] = []
    colors: list[Color] = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = _tokens(line)
        if not parts:
            continue
        hexes = [color for color in map(parse_hex, parts) if color is not None]
        numbers = parse_numbers(parts)
        if len(hexes) == len(parts):
            colors.extend(hexes)
        elif numbers is not None and 3 <= len(numbers) <= 5:
            rows.append((number, line, numbers))
        else:
            raise broken_line(name, number, line, _LIST_LINE)
        if colors and rows:
            raise broken_line(name, number, line, "hex colours only, or numbers only, in one file")
        if rows and len(parts) != len(rows[0][2]):
            raise broken_line(name, number, line, f"{len(rows[0][2])} numbers, as in the first line")
    if not rows:
        return list_palette(colors, name)
    columns = len(rows[0][2])
    first = [numbers[0] for _, _, numbers in rows]
    valued = any(not 0 <= value <= 255 or value != int(value) for value in first) and any(
        channel > 1 for _, _, numbers in rows for channel in numbers[1:4]
    )
    if columns == 5 or (columns == 4 and (suffix == ".clr" or valued)):
        return _valued(rows, name, percent=False)
    scale = 255.0 if all(0 <= channel <= 1 for _, _, numbers in rows for channel in numbers[:3]) else 1.0
    for number, line, numbers in rows:
        color = require_color([scale * channel for channel in numbers[:3]])
        if color is None:
            raise broken_line(name, number, line, _LIST_LINE)
        colors.append(color)
    return list_palette(colors, name)


def parse_surfer(text: str, name: str) -> Palette:
    """Golden Software colour spectrum: ``ColorMap version method``, then ``percent r g b [opacity]``.

    Raises
    ------
    InvalidInputError
        For a broken line, a method other than linear, or fewer than two colours.

    Notes
    -----
    Format: https://surferhelp.goldensoftware.com/topics/color_spectrum_file_format.htm
    """
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip())
    header = parse_numbers(lines[start].split()[1:])
    if not header or len(header) < 2 or header[0] not in (1, 2, 3):
        raise broken_line(name, start + 1, lines[start], "ColorMap 1 1, ColorMap 2 1 or ColorMap 3 0 colours opacities")
    if header[0] == 3 and header[1] != 0:
        raise InvalidInputError(
            f"{name} blends its colours with Surfer's method {header[1]:g}; only linear blending (0) is read.",
            "Save the colormap in Surfer as a version 2 file, or with linear interpolation.",
        )
    rows: list[tuple[int, str, list[float]]] = []
    for number, line in data_lines("\n".join([""] * (start + 1) + lines[start + 1 :])):
        if header[0] == 3 and len(header) > 2 and len(rows) == int(header[2]):
            break
        numbers = parse_numbers(re.split(r"[\s,]+", line))
        if numbers is None or len(numbers) not in (4, 5):
            raise broken_line(name, number, line, "percent r g b")
        rows.append((number, line, numbers))
    return _valued(rows, name, percent=True)


def _valued(rows: list[tuple[int, str, list[float]]], name: str, percent: bool) -> Palette:
    nodes: list[tuple[float, Color]] = []
    for number, line, numbers in rows:
        color = require_color(numbers[1:4])
        if color is None or (percent and not 0 <= numbers[0] <= 100):
            raise broken_line(name, number, line, "percent r g b" if percent else _VALUE_LINE)
        nodes.append((numbers[0] / 100 if percent else numbers[0], color))
    if not percent:
        nodes.sort(key=lambda node: node[0])
    return node_palette([value for value, _ in nodes], [color for _, color in nodes], name, has_values=not percent)


def parse_jasc(text: str, name: str) -> Palette:
    """JASC palette: ``JASC-PAL``, a version, the number of colours, then ``r g b`` a line.

    Raises
    ------
    InvalidInputError
        For a broken line, or when fewer colours follow than announced.
    """
    lines = list(data_lines(text))
    announced = parse_numbers([lines[2][1]]) if len(lines) > 2 else None
    if announced is None:
        number, line = lines[min(2, len(lines) - 1)]
        raise broken_line(name, number, line, "JASC-PAL, 0100 and the number of colours, one a line")
    colors = []
    for number, line in lines[3:]:
        color = require_color(parse_numbers(line.split()))
        if color is None:
            raise broken_line(name, number, line, "r g b in 0 to 255")
        colors.append(color)
    if len(colors) < announced[0]:
        raise InvalidInputError(
            f"{name} announces {announced[0]:g} colours and holds {len(colors)}.", "Correct its third line."
        )
    return list_palette(colors[: int(announced[0])], name)


def parse_riff(data: bytes, name: str) -> Palette:
    """Microsoft RIFF palette (``RIFF``, ``PAL``, ``data``).

    Raises
    ------
    FileProblemError
        If the file ends early.
    """
    start = data.find(b"data", 12)
    if start < 0 or len(data) < start + 12:
        raise FileProblemError(f"{name} is a RIFF palette without colours.", "Save the palette again.")
    count = struct.unpack_from("<H", data, start + 10)[0]
    body = data[start + 12 : start + 12 + 4 * count]
    if len(body) < 4 * count:
        raise FileProblemError(
            f"{name} is cut off: it announces {count} colours and holds {len(body) // 4}.", "Save the palette again."
        )
    return list_palette([_rgb(body[4 * i : 4 * i + 3]) for i in range(count)], name)


def parse_act(data: bytes, name: str) -> Palette:
    """Adobe colour table: 256 colours; in files of 772 bytes the number used follows them.

    Raises
    ------
    FileProblemError
        If the size is neither 768 nor 772 bytes.
    """
    if len(data) not in (768, 772):
        raise FileProblemError(
            f"{name} has {len(data)} bytes; an Adobe colour table has 768 or 772.", "Save the colour table again."
        )
    count = struct.unpack_from(">H", data, 768)[0] if len(data) == 772 else 256
    count = count if 0 < count <= 256 else 256
    return list_palette([_rgb(data[3 * i : 3 * i + 3]) for i in range(count)], name)


def _rgb(triple: bytes) -> Color:
    return float(triple[0]), float(triple[1]), float(triple[2])
