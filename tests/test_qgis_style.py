"""QGIS styles hold the map's own colours. What QGIS itself makes of them is asked in test_clients."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geocbar.files.qgis_style import footprint_style, gcp_style, point_style, raster_style, simplify_ramp
from geocbar.value.norms import Norm
from geocbar.value.scale import ColorScale

NASTY = "<m & \"s\" 'x'>"


def items_of(style: str) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Values, colours and labels of a raster style."""
    items = list(ElementTree.fromstring(style).iter("item"))
    values = np.array([float(item.attrib["value"]) for item in items])
    colors = np.array([list(bytes.fromhex(item.attrib["color"][1:])) for item in items], dtype=np.float64)
    return values, colors, [item.attrib["label"] for item in items]


def interpolated(style: str, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colours an interpolated style gives to values."""
    values, colors, _ = items_of(style)
    return np.stack([np.interp(at, values, band) for band in colors.T], axis=-1)


@st.composite
def ramps(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n = draw(st.integers(2, 40))
    steps = draw(st.lists(st.floats(1e-3, 100), min_size=n - 1, max_size=n - 1))
    channel = st.integers(0, 255)
    colors = draw(st.lists(st.tuples(channel, channel, channel), min_size=n, max_size=n))
    return np.cumsum([draw(st.floats(-1e4, 1e4)), *steps]), np.array(colors, dtype=np.float64)


@settings(max_examples=150, deadline=None)
@given(ramp=ramps(), tolerance=st.floats(0, 60))
def test_the_simplified_ramp_keeps_to_its_tolerance(
    ramp: tuple[NDArray[np.float64], NDArray[np.float64]], tolerance: float
) -> None:
    values, colors = ramp
    stops = simplify_ramp(values, colors, tolerance)
    assert (stops[0], stops[-1]) == (0, len(values) - 1)
    assert np.all(np.diff(stops) > 0)
    again = np.stack([np.interp(values, values[stops], band) for band in colors[stops].T], axis=1)
    assert np.abs(again - colors).max() <= tolerance + 1e-6


def test_a_ramp_that_is_straight_needs_its_ends_only() -> None:
    values = np.geomspace(1, 100, 50)
    colors = np.outer(values, [1.0, 2.0, -1.0]) + 100
    assert simplify_ramp(values, colors).tolist() == [0, 49]
    colors[20] += 30
    assert simplify_ramp(values, colors).tolist() == [0, 19, 20, 21, 49]


def jet_like(n: int) -> NDArray[np.float64]:
    t = np.linspace(0, 1, n)[:, None]
    return np.clip(382 - np.abs(t * 4 - [3, 2, 1]) * 255, 0, 255)


@pytest.mark.parametrize("descending", [False, True])
def test_continuous_style_draws_every_value_in_its_colour(descending: bool) -> None:
    values = np.linspace(-11000, 5000, 256)
    colors = jet_like(256)
    order = slice(None, None, -1) if descending else slice(None)
    scale = ColorScale(colors[order], values[order], values[[0, -1]], unit="m")
    style = raster_style(scale)
    at = np.linspace(-11000, 5000, 2000)
    assert np.abs(interpolated(style, at) - scale.colors_at(at)).max() <= 1.51
    shader = next(ElementTree.fromstring(style).iter("colorrampshader"))
    assert shader.attrib["colorRampType"] == "INTERPOLATED"
    assert (float(shader.attrib["minimumValue"]), float(shader.attrib["maximumValue"])) == (-11000, 5000)
    found, _, labels = items_of(style)
    assert np.all(np.diff(found) > 0)
    assert (labels[0], labels[-1]) == ("-11000 m", "5000 m")
    assert len(found) < 20


@pytest.mark.parametrize("nodes", [2, 3, 256])
def test_log_style_draws_every_value_in_its_colour(nodes: int) -> None:
    """QGIS interpolates in the values, the scale in their logarithms: two stops would not do."""
    colors = np.array([[0, 0, 90], [250, 250, 0]]) if nodes == 2 else jet_like(nodes)
    scale = ColorScale.from_colors(colors, vmin=1e-3, vmax=1e4, scale="log")
    at = np.geomspace(1e-3, 1e4, 3000)
    assert np.abs(interpolated(raster_style(scale), at) - scale.colors_at(at)).max() <= 2.01


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("kind", ["symlog:0.5", "power:0.3", "power:3", "piecewise"])
def test_styles_of_curved_scales_draw_every_value_in_its_colour(kind: str, descending: bool) -> None:
    colors = jet_like(64)[:: -1 if descending else 1]
    if kind == "piecewise":
        norm = Norm("piecewise", knots=((0, -50), (0.2, 0), (0.7, 10), (1, 4000)))
        values = norm.inverse(np.linspace(1, 0, 64) if descending else np.linspace(0, 1, 64))
        scale = ColorScale(colors, values, values[[0, -1]], norm)
    else:
        ends = {"vmin": 4000.0, "vmax": -50.0} if descending else {"vmin": -50.0, "vmax": 4000.0}
        scale = ColorScale.from_colors(colors, **ends, scale=kind)
    low, high = scale.even_limits
    at = scale.norm.inverse(np.linspace(low, high, 3001)).astype(np.float32)
    style = raster_style(scale)
    assert np.all(np.diff(items_of(style)[0]) > 0)
    rest = np.abs(interpolated(style, at) - scale.colors_at(at)).max(axis=1)
    assert np.quantile(rest, 0.99) <= 2.51
    assert rest.max() <= 8  # where half of the colours lie within what a 32-bit number can tell
    ranges = list(ElementTree.fromstring(point_style(scale)).iter("range"))
    inner = [float(part.attrib["lower"]) for part in ranges[1:]]
    np.testing.assert_allclose(scale.to_unit(inner), np.arange(1, 24) / 24, atol=1e-4)


@pytest.mark.parametrize("descending", [False, True])
def test_class_style(descending: bool) -> None:
    edges = np.array([0.0, 1, 5, 20])
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]])
    order = slice(None, None, -1) if descending else slice(None)
    scale = ColorScale.from_colors(colors[order], edges=edges[order], has_values=True, unit="mm")
    style = raster_style(scale)
    assert 'colorRampType="DISCRETE"' in style
    values, found, labels = items_of(style)
    assert values.tolist() == [1, 5, np.inf]
    assert found.tolist() == colors.tolist()
    assert labels == ["0 – 1 mm", "1 – 5 mm", "5 – 20 mm"]
    middles = np.sort(scale.values)
    np.testing.assert_array_equal(scale.colors_at(middles), found)


@pytest.mark.parametrize("kind", ["linear", "log", "descending", "classes"])
def test_point_style_covers_the_scale_without_gaps(kind: str) -> None:
    if kind == "classes":
        scale = ColorScale.from_colors(jet_like(5), edges=[0, 1, 2, 4, 8, 16], has_values=True, unit="m")
    else:
        vmin, vmax = (100, 1) if kind == "descending" else (1, 100)
        norm = "log" if kind == "log" else "linear"
        scale = ColorScale.from_colors(jet_like(50), vmin=vmin, vmax=vmax, scale=norm, unit="m")
    renderer = next(ElementTree.fromstring(point_style(scale)).iter("renderer-v2"))
    assert (renderer.attrib["type"], renderer.attrib["attr"]) == ("graduatedSymbol", "value")
    ranges = [(float(r.attrib["lower"]), float(r.attrib["upper"])) for r in renderer.iter("range")]
    symbols = {s.attrib["name"]: s for s in renderer.iter("symbol")}
    assert all(a[1] == b[0] for a, b in itertools.pairwise(ranges))
    assert ranges[0][0] < scale.limits[0]
    assert ranges[-1][1] > scale.limits[1]
    for element, (lower, upper) in zip(renderer.iter("range"), ranges, strict=True):
        drawn = next(p for p in symbols[element.attrib["symbol"]].iter("prop") if p.attrib["k"] == "color")
        rgb = [int(c) for c in drawn.attrib["v"].split(",")[:3]]
        assert np.abs(scale.colors_at([lower, upper]).astype(int).mean(axis=0) - rgb).max() < 45 or kind == "classes"
        if kind == "classes":
            np.testing.assert_array_equal(scale.colors_at((lower + upper) / 2), rgb)


@pytest.mark.parametrize("classes", [False, True])
def test_names_and_units_are_escaped(classes: bool) -> None:
    edges = [0.0, 1, 2] if classes else None
    scale = ColorScale.from_colors(
        [[0, 0, 0], [250, 0, 0]],
        None if classes else [0, 1],
        edges=edges,
        has_values=True,
        name=NASTY,
        unit=NASTY,
    )
    _, _, labels = items_of(raster_style(scale))
    assert all(label.endswith(NASTY) for label in labels)
    ranges = ElementTree.fromstring(point_style(scale)).iter("range")
    assert all(element.attrib["label"].endswith(NASTY) for element in ranges)


def test_styles_of_control_points_and_footprint() -> None:
    gcps = ElementTree.fromstring(gcp_style())
    assert gcps.attrib["labelsEnabled"] == "1"
    assert next(gcps.iter("text-style")).attrib["fieldName"] == "name"
    footprint = ElementTree.fromstring(footprint_style())
    assert {p.attrib["k"]: p.attrib["v"] for p in footprint.iter("prop")}["style"] == "no"
    assert [next(root.iter("layerGeometryType")).text for root in (gcps, footprint)] == ["0", "2"]
