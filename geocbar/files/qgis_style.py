"""QGIS styles with the map's own colours."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from geocbar.value.scale import ColorScale, forward_norm, inverse_norm

__all__ = ["footprint_style", "gcp_style", "point_style", "raster_style", "reason_style", "simplify_ramp"]

_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_POINT_RANGES = 24
_CURVED_STOPS = 512


def raster_style(scale: ColorScale) -> str:
    """QML text that draws band 1 in the colours of the scale.

    A continuous scale becomes an interpolated ramp with as few stops as reproduce every colour within one 8-bit unit,
    a class scale a discrete one.
    """
    low, high = (f"{limit:.10g}" for limit in scale.limits)
    if scale.edges is not None:
        kind, items = "DISCRETE", _class_items(scale)
    else:
        kind, items = "INTERPOLATED", _ramp_items(scale)
    return (
        f'{_DOCTYPE}<qgis version="3.22.0" styleCategories="Symbology">\n <pipe>\n'
        '  <rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1" nodataColor=""'
        f' classificationMin="{low}" classificationMax="{high}">\n'
        "   <rasterTransparency/>\n   <rastershader>\n"
        f'    <colorrampshader colorRampType="{kind}" classificationMode="1" clip="0"'
        f' minimumValue="{low}" maximumValue="{high}">\n'
        + "".join(f"     {item}\n" for item in items)
        + "    </colorrampshader>\n   </rastershader>\n  </rasterrenderer>\n"
        '  <brightnesscontrast brightness="0" contrast="0"/>\n'
        '  <huesaturation saturation="0" grayscaleMode="0"/>\n'
        '  <rasterresampler maxOversampling="2"/>\n'
        " </pipe>\n <blendMode>0</blendMode>\n</qgis>\n"
    )


def reason_style(names: Mapping[int, str], colors: Mapping[int, tuple[int, int, int]]) -> str:
    """QML text that draws a raster of reasons in their colours, with their names as the legend."""
    entries = "".join(
        f'   <paletteEntry value="{number}" color="#{colors[number][0]:02x}{colors[number][1]:02x}'
        f'{colors[number][2]:02x}" label={quoteattr(name)} alpha="255"/>\n'
        for number, name in names.items()
    )
    return (
        f'{_DOCTYPE}<qgis version="3.22.0" styleCategories="Symbology">\n <pipe>\n'
        '  <rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" nodataColor="">\n'
        f"  <colorPalette>\n{entries}  </colorPalette>\n  </rasterrenderer>\n"
        " </pipe>\n <blendMode>0</blendMode>\n</qgis>\n"
    )


def point_style(scale: ColorScale) -> str:
    """QML text for a point layer with a field ``value``: graduated in the colours of the scale."""
    if scale.edges is not None:
        edges = np.sort(scale.edges)
        middles = (edges[1:] + edges[:-1]) / 2
    else:
        low, high = forward_norm(scale.limits, scale.norm)
        edges = inverse_norm(np.linspace(low, high, _POINT_RANGES + 1), scale.norm)
        middles = inverse_norm((np.arange(_POINT_RANGES) + 0.5) / _POINT_RANGES * (high - low) + low, scale.norm)
    colors = scale.colors_at(middles)
    ranges, symbols = [], []
    for i, color in enumerate(colors):
        label = quoteattr(f"{edges[i]:.5g} – {edges[i + 1]:.5g} {scale.unit}".strip())
        # Rounding must not leave a value at the very end of the scale without a symbol.
        low = edges[i] if i else edges[i] - 1e-6 * scale.range
        high = edges[i + 1] if i < len(colors) - 1 else edges[i + 1] + 1e-6 * scale.range
        ranges.append(f'<range lower="{low:.15g}" upper="{high:.15g}" symbol="{i}" label={label} render="true"/>')
        symbols.append(_marker(str(i), color, "circle", 2.0))
    return _vector_style(
        '<renderer-v2 type="graduatedSymbol" attr="value" graduatedMethod="GraduatedColor" symbollevels="0"'
        f' enableorderby="0"><ranges>{"".join(ranges)}</ranges><symbols>{"".join(symbols)}</symbols></renderer-v2>',
        0,
    )


def gcp_style() -> str:
    """QML text for the control points: red crosses with their names."""
    symbol = _marker("0", np.array([214, 39, 40]), "cross2", 3.5)
    labels = (
        '<labeling type="simple"><settings calloutType="simple"><text-style fieldName="name" fontSize="9"'
        ' textColor="214,39,40,255"><text-buffer bufferDraw="1" bufferSize="0.8" bufferColor="255,255,255,255"/>'
        '</text-style><placement placement="6" dist="1"/><rendering drawLabels="1"/></settings></labeling>'
    )
    return _vector_style(_single_symbol(symbol) + labels, 0, "Symbology|Labeling", ' labelsEnabled="1"')


def footprint_style() -> str:
    """QML text for the footprint: an outline without filling."""
    symbol = (
        '<symbol type="fill" name="0" alpha="1" clip_to_extent="1">'
        '<layer class="SimpleFill" enabled="1" locked="0" pass="0">'
        '<prop k="color" v="255,255,255,0"/><prop k="style" v="no"/><prop k="outline_color" v="60,60,60,255"/>'
        '<prop k="outline_width" v="0.4"/><prop k="outline_style" v="solid"/></layer></symbol>'
    )
    return _vector_style(_single_symbol(symbol), 2)


def simplify_ramp(values: NDArray[np.float64], colors: NDArray[np.float64], tolerance: float = 1.0) -> NDArray[np.intp]:
    """Which stops of a ramp are needed to interpolate all others within a tolerance.

    Douglas and Peucker's algorithm (doi:10.3138/FM57-6770-U75U-7727), distances measured in colour at equal value.

    Parameters
    ----------
    values : (n,) array, ascending
    colors : (n, 3) array
    tolerance : float
        Largest deviation of a channel, in 8-bit units.

    Returns
    -------
    (k,) int array
        Ascending indices, first and last included.
    """
    keep = {0, len(values) - 1}
    stack = [(0, len(values) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        t = (values[first : last + 1] - values[first]) / (values[last] - values[first])
        line = colors[first] + t[:, None] * (colors[last] - colors[first])
        off = np.abs(line - colors[first : last + 1]).max(axis=1)
        worst = first + int(np.argmax(off))
        if off[worst - first] > tolerance:
            keep.add(worst)
            stack += [(first, worst), (worst, last)]
    return np.array(sorted(keep), dtype=np.intp)


def _ramp_items(scale: ColorScale) -> list[str]:
    order = np.argsort(scale.values)
    values, colors = scale.values[order], scale.colors[order]
    if scale.norm.kind != "linear":
        # QGIS interpolates in the values themselves: stops must lie close enough for the difference to vanish.
        even = forward_norm(values, scale.norm)
        dense = np.union1d(even, np.linspace(even[0], even[-1], _CURVED_STOPS))
        colors = np.stack([np.interp(dense, even, band) for band in colors.T], axis=1)
        values = inverse_norm(dense, scale.norm)
        # Near the flat end of a power scale stops come closer than a 32-bit raster can tell.
        apart = np.concatenate([np.diff(values.astype(np.float32)) > 0, [True]])
        colors, values = colors[apart], values[apart]
    colors = np.rint(colors)
    stops = simplify_ramp(values, colors)
    return [_item(f"{values[i]:.10g}", f"{values[i]:.5g} {scale.unit}".strip(), colors[i]) for i in stops]


def _class_items(scale: ColorScale) -> list[str]:
    edges = np.sort(np.asarray(scale.edges))
    order = np.argsort(scale.values)
    uppers = [f"{edge:.10g}" for edge in edges[1:-1]] + ["inf"]
    labels = [f"{a:.5g} – {b:.5g} {scale.unit}".strip() for a, b in itertools.pairwise(edges)]
    return [_item(upper, label, scale.colors[i]) for upper, label, i in zip(uppers, labels, order, strict=True)]


def _item(value: str, label: str, color: NDArray[np.float64]) -> str:
    hexed = "#" + "".join(f"{round(float(c)):02x}" for c in color)
    return f'<item value="{value}" label={quoteattr(label)} color="{hexed}" alpha="255"/>'


def _marker(name: str, color: NDArray[np.integer], shape: str, size: float) -> str:
    rgb = ",".join(str(int(c)) for c in color)
    outline = "35,35,35,120" if shape == "circle" else f"{rgb},255"
    properties = {
        "color": f"{rgb},255",
        "name": shape,
        "outline_color": outline,
        "outline_width": "0.1" if shape == "circle" else "0.5",
        "outline_style": "solid",
        "size": f"{size:g}",
        "size_unit": "MM",
    }
    return (
        f'<symbol type="marker" name="{name}" alpha="1" clip_to_extent="1">'
        '<layer class="SimpleMarker" enabled="1" locked="0" pass="0">'
        + "".join(f'<prop k="{key}" v="{value}"/>' for key, value in properties.items())
        + "</layer></symbol>"
    )


def _single_symbol(symbol: str) -> str:
    return (
        f'<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0"><symbols>{symbol}</symbols></renderer-v2>'
    )


def _vector_style(body: str, geometry: int, categories: str = "Symbology", attributes: str = "") -> str:
    return (
        f'{_DOCTYPE}<qgis version="3.22.0" styleCategories="{categories}"{attributes}>{body}'
        f"<blendMode>0</blendMode><featureBlendMode>0</featureBlendMode>"
        f"<layerGeometryType>{geometry}</layerGeometryType></qgis>\n"
    )
