"""The viewer of the report: figure and data under a swipe handle, and the drawings every part shares."""

from __future__ import annotations

from collections.abc import Mapping

from geocbar.app.report_charts import ramp_legend, reason_legend
from geocbar.app.report_figures import map_drawing
from geocbar.app.report_layers import Layers
from geocbar.app.report_page import Markup, element
from geocbar.digitized_map import DigitizedMap

__all__ = ["shared_drawings", "use", "viewer"]

_LAYERS = {
    "redrawn": "Redrawn from the values",
    "difference": "Difference of colours",
    "sigma": "Uncertainty",
    "reasons": "Why no value",
    "rebuilt": "Error of the points",
}

#: Drawings that are over the map from the beginning.
_SHOWN = ("points", "coast")


def shared_drawings(result: DigitizedMap, layers: Layers, overlays: dict[str, Markup]) -> Markup:
    """Pictures and drawings, stored once and used wherever they are shown."""
    width, height = result.picture.width, result.picture.height
    frame = result.frame
    clip = element("rect", x=frame.left, y=frame.top, width=frame.width, height=frame.height)
    images = [
        element("image", id=f"img-{name}", href=uri, width=width, height=height, preserveAspectRatio="none")
        for name, uri in layers.uris.items()
    ]
    groups = [
        element("g", drawing, id=f"over-{name}", class_=name, clip_path="url(#in-frame)" if clipped else None)
        for name, drawing in overlays.items()
        for clipped in [name in ("graticule", "coast")]
    ]
    cut = element("clipPath", clip, id="in-frame")
    return element(
        "svg", element("defs", cut, *images, *groups), class_="shared", aria_hidden="true", focusable="false"
    )


def use(name: str, **attributes: object) -> Markup:
    """A shared picture or drawing, shown here too."""
    return element("use", href=f"#{name}", **attributes)


def viewer(result: DigitizedMap, layers: Layers, overlays: dict[str, Markup], reasons: Mapping[str, float]) -> Markup:
    """The figure and the data under a swipe handle, with zoom, pan and layers."""
    legends = [
        _legend_of("difference", ramp_legend(layers, "difference", "of 255")),
        _legend_of("sigma", ramp_legend(layers, "sigma", "% of the scale")),
        _legend_of("rebuilt", ramp_legend(layers, "rebuilt", "% of the scale")),
        _legend_of("reasons", reason_legend(reasons)),
    ]
    text = (
        "Drag the handle to compare; drag the map to move it, turn the wheel to zoom. By keyboard: arrow keys move,"
        " + and − zoom, 0 shows the whole map, [ and ] move the handle."
    )
    said = element("p", text, id="viewer-help", class_="quiet help")
    return element("div", _stage(result, overlays), *legends, _controls(overlays), said, class_="viewer")


def _stage(result: DigitizedMap, overlays: dict[str, Markup]) -> Markup:
    """The panes, one over the other, and the handle."""
    tops = [element("g", use(f"img-{name}"), data_layer=name, hidden=name != "redrawn") for name in _LAYERS]
    overs = [element("g", use(f"over-{name}"), data_over=name, hidden=name not in _SHOWN) for name in overlays]
    dots = element("g", use("img-thinned"), data_over="thinned", hidden=True)
    return element(
        "div",
        map_drawing(result, "The figure as published", use("img-figure"), class_="pane"),
        element("div", map_drawing(result, "The layer chosen below", *tops, class_="pane"), class_="top"),
        map_drawing(result, "Drawings over the map", dots, *overs, class_="pane over"),
        element("div", element("span", "⇔"), class_="handle", aria_hidden="true"),
        element("span", "figure", class_="side left", aria_hidden="true"),
        element("span", "redrawn", class_="side right", aria_hidden="true"),
        class_="stage",
        id="stage",
        tabindex="0",
        role="group",
        aria_label="Map viewer",
        aria_describedby="viewer-help",
    )


def _controls(overlays: dict[str, Markup]) -> Markup:
    """The slider, the buttons, and what may be chosen."""
    names = {"graticule": "Graticule", "points": "Control points", "frame": "Frame", "coast": "Coastlines"}
    radios = [
        element("label", element("input", type="radio", name="layer", value=name, checked=name == "redrawn"), text)
        for name, text in _LAYERS.items()
    ]
    boxes = [
        element("label", element("input", type="checkbox", value=name, checked=name in _SHOWN), names[name])
        for name in overlays
    ]
    boxes.append(element("label", element("input", type="checkbox", value="thinned"), "Thinned points"))
    swipe = element(
        "input",
        type="range",
        min=0,
        max=100,
        value=50,
        step=1,
        id="swipe",
        aria_label="Share of the figure shown, in percent",
    )
    buttons = [
        element("button", text, type="button", data_zoom=key, aria_label=said)
        for key, text, said in (("in", "+", "Zoom in"), ("out", "−", "Zoom out"), ("all", "Whole map", "Whole map"))
    ]
    return element(
        "div",
        element("label", "Swipe", swipe, class_="swipe"),
        element("div", *buttons, class_="buttons", role="group", aria_label="Zoom"),
        element("fieldset", element("legend", "Right of the handle"), *radios),
        element("fieldset", element("legend", "Over the map"), *boxes),
        class_="controls",
    )


def _legend_of(layer: str, drawing: Markup) -> Markup:
    return element("div", drawing, data_legend=layer, hidden=True, class_="layer-legend")
