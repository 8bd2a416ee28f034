"""Colour maps, colour ramps and raster styles of QGIS."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Callable
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.files.palette_nodes import (
    Color,
    Palette,
    broken_line,
    class_palette,
    data_lines,
    edges_between,
    list_palette,
    node_palette,
    parse_hex,
    parse_numbers,
    require_color,
)

__all__ = ["looks_like_qgis_text", "parse_qgis_text", "parse_qgis_xml"]

Entry = tuple[float, Color, str]

_KINDS = ("INTERPOLATED", "DISCRETE", "EXACT")
_SAMPLES = 65


def looks_like_qgis_text(text: str) -> bool:
    """Whether the text is a colour map that QGIS exported."""
    return bool(re.search(r"^(# QGIS Generated Color Map|INTERPOLATION:)", text, re.MULTILINE))


def parse_qgis_text(text: str, name: str) -> Palette:
    """Colour map exported by QGIS: ``INTERPOLATION:kind``, then ``value,r,g,b,a,label`` a line.

    In a DISCRETE map a colour holds up to and including its value, so the first class is open below, and the last one
    above if its value is ``inf``.

    Raises
    ------
    InvalidInputError
        For a broken line, an unknown interpolation, or fewer than two colours.
    """
    kind = _KINDS[0]
    entries: list[Entry] = []
    for number, line in data_lines(text):
        if line.startswith("INTERPOLATION:"):
            kind = line.partition(":")[2].strip().upper()
            if kind not in _KINDS:
                raise broken_line(name, number, line, f"INTERPOLATION: with one of {', '.join(_KINDS)}")
            continue
        parts = line.split(",", 5)
        value = _value(parts[0])
        color = require_color(parse_numbers(parts[1:4]))
        if value is None or color is None:
            raise broken_line(name, number, line, "value,r,g,b,a,label")
        entries.append((value, color, parts[5] if len(parts) > 5 else ""))
    return _from_entries(entries, kind, name)


def parse_qgis_xml(text: str, name: str) -> Palette:
    """Raster style (.qml) or colour ramp; of a style library the first ramp.

    Ramps of type gradient (blended in RGB, HSV or HSL; the latter two sampled at 65 places a stretch) and preset are
    read. Of raster styles, the colour ramp shader and the paletted renderer are.

    Raises
    ------
    InvalidInputError
        If the text is not well-formed XML, declares entities, or a colour in it cannot be read.
    NotFoundError
        If it holds neither a raster colour map nor a colour ramp, or a ramp of a type without colours in it.

    Notes
    -----
    Meaning of the attributes: QGIS, ``qgscolorrampimpl.cpp``, https://github.com/qgis/QGIS
    """
    if re.search(r"<!ENTITY", text, re.IGNORECASE):
        raise InvalidInputError(
            f"{name} declares XML entities, which no style needs.", "Remove the <!ENTITY ...> declarations."
        )
    try:
        root = ElementTree.fromstring(text.lstrip("\ufeff \t\r\n"))
    except ElementTree.ParseError as error:
        raise InvalidInputError(f"{name} is not well-formed XML: {error}.", "Save the style again.") from error
    for shader in root.iter("colorrampshader"):
        entries = [_entry(item, name) for item in shader.iter("item")]
        if entries:
            return _from_entries(entries, (shader.get("colorRampType") or _KINDS[0]).upper(), name)
    entries = [_entry(item, name) for item in root.iter("paletteEntry")]
    if entries:
        return _from_entries(entries, "EXACT", name)
    ramp = next(root.iter("colorramp"), None)
    if ramp is None:
        raise NotFoundError(
            f"{name} holds neither a raster colour map nor a colour ramp.",
            "Save the style of a raster layer with a singleband pseudocolour or paletted renderer, or a colour ramp.",
        )
    return _from_ramp(ramp, name)


def _value(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if np.isnan(value) else value


def _entry(item: ElementTree.Element, name: str) -> Entry:
    value, color = _value(item.get("value", "")), _color(item.get("color", ""))
    if value is None or color is None:
        shown = ElementTree.tostring(item, encoding="unicode").strip()
        raise InvalidInputError(
            f"An entry of {name} cannot be read: {shown!r}.", 'Expected: value="number" color="#rrggbb"'
        )
    return value, color, item.get("label", "")


def _color(text: str) -> Color | None:
    """``#rrggbb``, a name, or ``r,g,b,a`` with anything after it."""
    text = text.strip()
    if text.startswith("#"):
        return parse_hex(text)
    if "," in text:
        return require_color(parse_numbers(text.split(",")[:3]))
    from PIL import ImageColor

    return require_color(ImageColor.getrgb(text)) if text.lower() in ImageColor.colormap else None


def _from_entries(entries: list[Entry], kind: str, name: str) -> Palette:
    if len(entries) < 2:
        return list_palette([color for _, color, _ in entries], name)
    entries = sorted(entries, key=lambda entry: entry[0])
    values = [value for value, _, _ in entries]
    colors = [color for _, color, _ in entries]
    labels = [label for _, _, label in entries]
    if kind == "DISCRETE" and values[0] > -np.inf:
        return class_palette([-np.inf, *values], colors, name, True, labels)
    if not np.all(np.isfinite(values)):
        raise InvalidInputError(
            f"{name} has an infinite value in a colour map of the kind {kind}.",
            "Only the last value of a DISCRETE map may be inf.",
        )
    if kind == "EXACT":
        return class_palette(edges_between(values), colors, name, True, labels, values)
    return node_palette(values, colors, name, has_values=True)


def _from_ramp(ramp: ElementTree.Element, name: str) -> Palette:
    properties = {item.get("k", ""): item.get("v", "") for item in ramp.iter("prop")}
    properties |= {
        item.get("name", ""): item.get("value", "") for item in ramp.iter("Option") if item.get("name") is not None
    }
    kind = ramp.get("type", "")
    if kind == "gradient":
        return _gradient(properties, name)
    if kind == "preset":
        keys = sorted((key for key in properties if re.fullmatch(r"preset_color_\d+", key)), key=_number_of)
        return list_palette([_ramp_color(properties[key], key, name) for key in keys], name)
    title = properties.get("schemeName") or ramp.get("name") or ""
    raise NotFoundError(
        f"The colour ramp {title!r} of {name} is of type {kind!r}: the file names its colours but does not hold them.",
        "In QGIS, save it as a gradient ramp, or export the colour map of the layer.",
    )


def _number_of(key: str) -> int:
    return int(key.rpartition("_")[2])


def _ramp_color(text: str, what: str, name: str) -> Color:
    color = _color(text)
    if color is None:
        raise InvalidInputError(f"The {what} of the ramp in {name} is no colour: {text!r}.", "Expected: r,g,b,a")
    return color


def _gradient(properties: dict[str, str], name: str) -> Palette:
    first = _ramp_color(properties.get("color1", ""), "color1", name)
    last = _ramp_color(properties.get("color2", ""), "color2", name)
    stops = []
    for stop in re.split(r":(?=[-+.\deE]+;)", properties.get("stops", "")):
        if not stop:
            continue
        parts = stop.split(";")
        offset = _value(parts[0])
        if offset is None or not 0 <= offset <= 1 or len(parts) < 2:
            raise InvalidInputError(
                f"A stop of the ramp in {name} cannot be read: {stop!r}.", "Expected: offset;r,g,b,a"
            )
        blend = (parts[2], parts[3]) if len(parts) > 3 else ("rgb", "ccw")
        stops.append((offset, _ramp_color(parts[1], "stop", name), blend))
    stops.sort(key=lambda stop: stop[0])
    if properties.get("discrete") == "1":
        edges = [0.0, *(offset for offset, _, _ in stops), 1.0]
        return class_palette(edges, [first, *(color for _, color, _ in stops)], name, False)
    ending = (properties.get("spec", "rgb"), properties.get("direction", "ccw"))
    nodes = [(0.0, first, ending), *stops, (1.0, last, ending)]
    positions: list[float] = []
    colors: list[Color] = []
    for (low, begin, _), (high, end, (space, direction)) in pairwise(nodes):
        for share, color in _blend(begin, end, space, direction):
            positions.append(low + share * (high - low))
            colors.append(color)
    return node_palette(positions, colors, name, has_values=False)


def _blend(begin: Color, end: Color, space: str, direction: str) -> list[tuple[float, Color]]:
    """Shares of a stretch and their colours, the two ends included."""
    if space not in ("hsv", "hsl"):
        return [(0.0, begin), (1.0, end)]
    forth: Callable[..., tuple[float, float, float]] = colorsys.rgb_to_hsv if space == "hsv" else _rgb_to_hsl
    back: Callable[..., tuple[float, float, float]] = colorsys.hsv_to_rgb if space == "hsv" else _hsl_to_rgb
    (hue, *rest), (hue_end, *rest_end) = (forth(*(channel / 255 for channel in color)) for color in (begin, end))
    if min(begin) == max(begin):
        hue = hue_end
    if min(end) == max(end):
        hue_end = hue
    way = (hue_end - hue) % 1.0 if direction == "ccw" else -((hue - hue_end) % 1.0)
    blend = []
    for share in np.linspace(0, 1, _SAMPLES).tolist():
        others = (a + share * (b - a) for a, b in zip(rest, rest_end, strict=True))
        red, green, blue = back((hue + share * way) % 1.0, *others)
        blend.append((share, (255 * red, 255 * green, 255 * blue)))
    return blend


def _rgb_to_hsl(red: float, green: float, blue: float) -> tuple[float, float, float]:
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    return hue, saturation, lightness


def _hsl_to_rgb(hue: float, saturation: float, lightness: float) -> tuple[float, float, float]:
    return colorsys.hls_to_rgb(hue, lightness, saturation)
