"""GMT colour palette tables (.cpt)."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass, field, replace

import numpy as np

from geocbar.errors import InvalidInputError
from geocbar.files.gmt_colors import named_color
from geocbar.files.palette_nodes import (
    Color,
    Palette,
    broken_line,
    class_palette,
    data_lines,
    edges_between,
    node_palette,
    parse_hex,
    parse_numbers,
)

__all__ = ["looks_like_cpt", "parse_cpt"]

_EXTREMES = ("B", "F", "N")
_SLICE = "z colour z colour, with a colour as r/g/b, h-s-v, c/m/y/k, #rrggbb, a grey level or a name"
_HUE_SAMPLES = 33
_WHITE = (255.0, 255.0, 255.0)


@dataclass
class _Slice:
    number: int
    line: str
    low: float
    high: float
    begin: Color
    end: Color
    hues: tuple[Color, Color]
    label: str


@dataclass
class _Table:
    name: str
    model: str = "RGB"
    limits: tuple[float, float] | None = None
    hard_hinge: bool = False
    slices: list[_Slice] = field(default_factory=list)
    keys: list[tuple[str, Color, str]] = field(default_factory=list)
    extremes: dict[str, Color | None] = field(default_factory=dict)


def looks_like_cpt(text: str) -> bool:
    """Whether the text has marks that only a GMT colour palette table has.

    Examples
    --------
    >>> looks_like_cpt("0 255/0/0 10 blue L"), looks_like_cpt("0 255 0")
    (True, False)
    """
    if re.search(r"^\s*#\s*(COLOR_MODEL|HARD_HINGE|SOFT_HINGE|HINGE|RANGE)\b", text, re.MULTILINE):
        return True
    rows = [_fields(line)[0] for _, line in data_lines(text)]
    if any(row[0] in _EXTREMES and len(row) in (2, 4) for row in rows if row):
        return True
    return bool(rows) and all(len(row) == 8 or (len(row) == 4 and _has_color_token(row)) for row in rows)


def _has_color_token(row: list[str]) -> bool:
    ends = parse_numbers([row[0], row[2]])
    return ends is not None and any(parse_numbers([token]) is None for token in (row[1], row[3]))


def parse_cpt(text: str, name: str) -> Palette:
    """GMT colour palette table, GMT 4 to 6.

    Slices that all have one colour give classes, others a continuous palette. Colours of an HSV table are blended in
    HSV, as GMT does, and sampled at 33 places a slice; all others are blended in RGB. A ``# RANGE`` comment
    stretches the values to it, on either side of zero if there is a hard hinge. Slices marked ``-`` are white.

    Raises
    ------
    InvalidInputError
        For a broken line, a pattern in place of a colour, slices with a gap between them, or fewer than two colours.

    Notes
    -----
    Format: https://docs.generic-mapping-tools.org/6.4/cookbook/cpts.html
    """
    table = _Table(name)
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("#"):
            _read_comment(table, number, stripped)
        elif stripped:
            _read_line(table, number, line)
    if table.keys and table.slices:
        first = table.slices[0]
        raise broken_line(name, first.number, first.line, "either classes (key colour) or slices (z colour z colour)")
    palette = _categories(table) if table.keys else _run(table)
    background, foreground, nan = (table.extremes.get(key) for key in _EXTREMES)
    return replace(palette, background=background, foreground=foreground, nan=nan)


def _read_comment(table: _Table, number: int, comment: str) -> None:
    found = re.match(r"#\s*COLOR_MODEL\s*=\s*\+?(\w+)", comment)
    if found:
        table.model = found[1].upper()
        if table.model not in ("RGB", "HSV", "CMYK"):
            raise broken_line(table.name, number, comment, "COLOR_MODEL = RGB, HSV or CMYK")
    found = re.match(r"#\s*RANGE\s*=\s*(.*)", comment)
    if found:
        limits = parse_numbers(found[1].split("/"))
        if limits is None or len(limits) != 2 or limits[0] >= limits[1]:
            raise broken_line(table.name, number, comment, "RANGE = lowest/highest")
        table.limits = limits[0], limits[1]
    if re.match(r"#\s*(HARD_HINGE|HINGE\s*=)", comment):
        table.hard_hinge = True


def _fields(line: str) -> tuple[list[str], str]:
    """Fields of a line, without the annotation flag, and its label."""
    body, _, label = line.partition(";")
    head, tab, rest = body.strip().partition("\t")
    is_phrase = tab and " " in head and parse_numbers(head.split()[:1]) is None
    parts = [head, *rest.split()] if is_phrase else body.split()
    if len(parts) > 2 and parts[-1] in ("L", "U", "B"):
        parts = parts[:-1]
    return parts, label.strip()


def _read_line(table: _Table, number: int, line: str) -> None:
    parts, label = _fields(line)
    problem = broken_line(table.name, number, line, _SLICE)
    if not parts:
        raise problem
    if any(re.match(r"p\d|p.*\+[rbf]", part) for part in parts[1:]):
        raise InvalidInputError(
            f"Line {number} of {table.name} paints a pattern, not a colour: {line.strip()!r}.", "Give it a colour."
        )
    if parts[0] in _EXTREMES and len(parts) in (2, 4, 5):
        token = "/".join(parts[1:])
        color = None if token == "-" else _color(token, table.model)
        if color is None and token != "-":
            raise problem
        table.extremes[parts[0]] = color
        return
    if len(parts) == 2 or (len(parts) == 4 and _spread_class(parts)):
        color = _color("/".join(parts[1:]), table.model)
        if color is None:
            raise problem
        table.keys.append((parts[0], color, label))
        return
    half = len(parts) // 2
    ends = parse_numbers([parts[0], parts[half]]) if len(parts) in (4, 8, 10) else None
    if ends is None:
        raise problem
    tokens = ["/".join(parts[1:half]), "/".join(parts[half + 1 :])]
    begin, end = (_WHITE if token == "-" else _color(token, table.model) for token in tokens)
    if tokens[1] == "-":
        end = begin
    if begin is None or end is None or ends[0] == ends[1]:
        raise problem
    hues = _hue(tokens[0], begin, table.model), _hue(tokens[1], end, table.model)
    table.slices.append(_Slice(number, line, ends[0], ends[1], begin, end, hues, label))


def _spread_class(parts: list[str]) -> bool:
    """Whether four fields are ``key r g b`` rather than ``z grey z grey``: only a text key can tell."""
    return parse_numbers(parts[:1]) is None and parse_numbers(parts[1:]) is not None


def _color(token: str, model: str) -> Color | None:
    """A colour in any of GMT's spellings; an opacity after ``@`` is ignored."""
    token = token.partition("@")[0].strip()
    if token.startswith("#"):
        return parse_hex(token)
    hue = _spelt_hue(token, model)
    if hue is not None:
        return _to_rgb(hue)
    numbers = parse_numbers(token.split("/"))
    if numbers is None:
        return named_color(token)
    if len(numbers) == 4:
        if not all(0 <= number <= 100 for number in numbers):
            return None
        cyan, magenta, yellow, black = (1 - number / 100 for number in numbers)
        return 255 * cyan * black, 255 * magenta * black, 255 * yellow * black
    if len(numbers) == 1:
        numbers = numbers * 3
    if len(numbers) != 3 or not all(0 <= number <= 255 for number in numbers):
        return None
    return numbers[0], numbers[1], numbers[2]


def _spelt_hue(token: str, model: str) -> Color | None:
    """Hue (degrees), saturation and value of ``h-s-v``, or of ``h/s/v`` in an HSV table, else None."""
    spelt = re.fullmatch(r"[\d.]+-[\d.]+-[\d.]+", token)
    numbers = parse_numbers(token.split("-")) if spelt else None
    if model == "HSV" and numbers is None:
        numbers = parse_numbers(token.split("/"))
    if numbers is None or len(numbers) != 3 or not 0 <= numbers[0] <= 360 or min(numbers[1:]) < 0:
        return None
    return (numbers[0], numbers[1], numbers[2]) if max(numbers[1:]) <= 1 else None


def _hue(token: str, color: Color, model: str) -> Color:
    spelt = _spelt_hue(token.partition("@")[0], model)
    if spelt is not None:
        return spelt
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in color))
    return 360 * hue, saturation, value


def _to_rgb(hue: Color) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue[0] / 360 % 1.0, hue[1], hue[2])
    return 255 * red, 255 * green, 255 * blue


def _categories(table: _Table) -> Palette:
    keys = [key for key, _, _ in table.keys]
    colors = [color for _, color, _ in table.keys]
    labels = [label for _, _, label in table.keys]
    values = parse_numbers(keys)
    if values is None or len(values) < 2:
        places = [float(i) for i in range(len(keys))]
        edges = [place - 0.5 for place in (*places, float(len(keys)))]
        labels = [label or key for key, label in zip(keys, labels, strict=True)]
        return class_palette(edges, colors, table.name, False, labels, places)
    order = sorted(range(len(values)), key=values.__getitem__)
    values = [values[i] for i in order]
    return class_palette(
        edges_between(values),
        [colors[i] for i in order],
        table.name,
        True,
        [labels[i] for i in order],
        values,
    )


def _run(table: _Table) -> Palette:
    slices = _ascending(table)
    if not slices:
        raise InvalidInputError(f"{table.name} holds no colours.", f"A line of a .cpt file is: {_SLICE}")
    edges = _stretched(table, [slices[0].low, *(part.high for part in slices)])
    if all(part.begin == part.end and part.hues[0] == part.hues[1] for part in slices):
        labels = [part.label for part in slices]
        return class_palette(edges, [part.begin for part in slices], table.name, True, labels)
    positions: list[float] = []
    colors: list[Color] = []
    for low, high, part in zip(edges[:-1], edges[1:], slices, strict=True):
        blend = _blend(part, table.model)
        for share, color in blend:
            positions.append(high if share == 1 else low + share * (high - low))
            colors.append(color)
    return node_palette(positions, colors, table.name, True)


def _blend(part: _Slice, model: str) -> list[tuple[float, Color]]:
    """Shares of the slice and their colours, the two ends included."""
    if model != "HSV" or part.hues[0] == part.hues[1]:
        return [(0.0, part.begin), (1.0, part.end)]
    begin, end = part.hues
    shares = set(np.linspace(0, 1, _HUE_SAMPLES).tolist())
    if begin[0] != end[0]:
        corners = ((turn - begin[0]) / (end[0] - begin[0]) for turn in range(0, 361, 60))
        shares.update(share for share in corners if 0 < share < 1)
    places = sorted(shares)
    mixed = np.array(begin) + np.multiply.outer(places, np.subtract(end, begin))
    return [(share, _to_rgb((float(h), float(s), float(v)))) for share, (h, s, v) in zip(places, mixed, strict=True)]


def _ascending(table: _Table) -> list[_Slice]:
    slices = table.slices
    if slices and slices[0].low > slices[0].high:
        slices = [
            _Slice(s.number, s.line, s.high, s.low, s.end, s.begin, (s.hues[1], s.hues[0]), s.label)
            for s in reversed(slices)
        ]
    reach = abs(slices[-1].high - slices[0].low) if slices else 0.0
    for i, part in enumerate(slices):
        if part.low >= part.high:
            raise broken_line(table.name, part.number, part.line, "slices that all run one way")
        if i and abs(part.low - slices[i - 1].high) > 1e-6 * reach:
            raise broken_line(
                table.name,
                part.number,
                part.line,
                f"slices that meet, and its neighbour ends at {slices[i - 1].high:g}",
            )
    return slices


def _stretched(table: _Table, edges: list[float]) -> list[float]:
    """The limits of the slices, stretched to the table's RANGE."""
    if table.limits is None:
        return edges
    low, high = table.limits
    first, last = edges[0], edges[-1]
    if table.hard_hinge and first < 0 < last and low < 0 < high:
        return [edge * (low / first if edge < 0 else high / last) for edge in edges]
    stretched = [low + (edge - first) / (last - first) * (high - low) for edge in edges]
    return [*stretched[:-1], high]
