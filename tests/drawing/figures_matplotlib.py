"""Figures drawn by matplotlib; the truth is what its own transforms say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from numpy.typing import NDArray

from .figure_extras import Shape, extra_shapes
from .figure_plans import BarPlan, FigurePlan, PanelPlan
from .figure_scenery import (
    TextItem,
    bar_colors,
    bar_texts,
    degree_label,
    graticule_of,
    outline_of,
    page_texts,
    panel_picture,
)
from .figure_truth import BarTruth, PanelTruth, bar_truth

__all__ = ["draw_by_matplotlib"]

_DPI = 100.0
_MATH = {"DejaVu Sans": "dejavusans", "DejaVu Serif": "dejavuserif", "cmr10": "cm"}
_EXTEND = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}


def _points(pixels: float) -> float:
    return pixels * 72 / _DPI


def _math(text: str, font: str) -> str:
    """Superscripts as mathtext, and degrees where the font's own sign is another letter."""
    if font == "cmr10":
        text = text.replace("°", r"}^{\circ}\mathdefault{")
    if "^{" not in text:
        return text.replace("$", r"\$")
    return "$\\mathdefault{" + text.replace(" ", r"\ ").replace("%", r"\%") + "}$"


class _Canvas:
    """A figure whose axes are placed in pixels from the top left corner."""

    def __init__(self, plan: FigurePlan) -> None:
        self.plan = plan
        self.width, self.height = plan.size
        self.figure = Figure(figsize=(self.width / _DPI, self.height / _DPI), dpi=_DPI, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)

    def axes(self, box: tuple[float, float, float, float], **options: Any) -> Any:
        left, top, right, bottom = box
        place = (
            left / self.width,
            1 - bottom / self.height,
            (right - left) / self.width,
            (bottom - top) / self.height,
        )
        return self.figure.add_axes(place, **options)

    def sheet(self) -> Any:
        """Axes over the whole page in its pixel coordinates."""
        axes = self.axes((0, 0, self.width, self.height))
        axes.set_xlim(0, self.width)
        axes.set_ylim(self.height, 0)
        axes.set_axis_off()
        return axes

    def box_of(self, axes: Any) -> tuple[float, float, float, float]:
        extent = axes.get_window_extent()
        return extent.x0, self.height - extent.y1, extent.x1, self.height - extent.y0

    def write(self, axes: Any, item: TextItem, zorder: float = 9) -> None:
        axes.text(
            item.x,
            item.y,
            _math(item.text, self.plan.font),
            ha=item.ha,
            va=item.va,
            rotation=item.rotation,
            color=item.color,
            fontsize=_points(item.scale * self.plan.font_px),
            zorder=zorder,
            rotation_mode="default",
        )

    def draw_shape(self, axes: Any, shape: Shape) -> None:
        line = {"linewidth": _points(self.plan.line_px), "edgecolor": shape.edge or "none", "zorder": shape.level}
        if shape.picture is not None:
            left, top, right, bottom = shape.box
            axes.imshow(
                shape.picture,
                extent=(left, right, bottom, top),
                aspect="auto",
                interpolation="bilinear",
                zorder=shape.level,
            )
            axes.set_xlim(0, self.width)
            axes.set_ylim(self.height, 0)
        if shape.points is not None:
            axes.add_patch(Polygon(shape.points, closed=True, facecolor=shape.face or "none", **line))


def _draw_panel(canvas: _Canvas, number: int) -> Any:
    plan, panel = canvas.plan, canvas.plan.panels[number]
    axes = canvas.axes(panel.box)
    picture = panel_picture(plan, number)
    west, east, south, north = panel.region
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    image = axes.imshow(opaque, extent=panel.region, aspect="auto", interpolation="nearest")
    width = _points(plan.line_px)
    outline = outline_of(panel)
    if outline is not None:
        axes.set_axis_off()
        sheet = canvas.sheet()
        image.set_clip_path(Polygon(outline, transform=sheet.transData, closed=True))
        for line in graticule_of(panel):
            sheet.plot(line[:, 0], line[:, 1], color="#444444", linewidth=width * 0.6)
        edge = "black" if panel.framed else "none"
        sheet.add_patch(Polygon(outline, closed=True, facecolor="none", edgecolor=edge, linewidth=width))
        return axes
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_xticks(
        panel.lon_ticks, [_math(degree_label(v, panel.degree_style, True), plan.font) for v in panel.lon_ticks]
    )
    axes.set_yticks(
        panel.lat_ticks, [_math(degree_label(v, panel.degree_style, False), plan.font) for v in panel.lat_ticks]
    )
    axes.tick_params(
        labelsize=_points(plan.font_px), length=_points(panel.tick_px), width=width, pad=_points(plan.font_px / 4)
    )
    axes.xaxis.set_ticks_position(panel.lon_side)
    axes.yaxis.set_ticks_position(panel.lat_side)
    for spine in axes.spines.values():
        spine.set_linewidth(width)
        spine.set_visible(panel.framed)
    if plan.seed % 5 == 0:
        axes.grid(color="#555555", linewidth=width * 0.6, linestyle=":")
    return axes


def _draw_bar(canvas: _Canvas, bar: BarPlan, sheet: Any) -> Any:
    plan, scale = canvas.plan, bar.scale
    if bar.backing is not None:
        left, top, right, bottom = bar.backing
        sheet.add_patch(
            Rectangle(
                (left, top),
                right - left,
                bottom - top,
                facecolor="white",
                edgecolor="black",
                linewidth=_points(plan.line_px),
            )
        )
    inner, low, high = bar_colors(bar)
    cmap = ListedColormap(np.concatenate([[low], inner, [high]]) if scale.edges_t is not None else inner)
    if scale.edges_t is None:
        norm: Normalize = Normalize(0, 1)
    else:
        colors = [*([low] if scale.extend[0] else []), *inner, *([high] if scale.extend[1] else [])]
        cmap = ListedColormap(np.asarray(colors))
        norm = BoundaryNorm(scale.edges_t, len(colors), extend=_EXTEND[scale.extend])
    axes = canvas.axes(bar.outer)
    axes.set_zorder(8)
    width = _points(plan.line_px)
    made = canvas.figure.colorbar(
        ScalarMappable(norm, cmap),
        cax=axes,
        orientation="vertical" if bar.vertical else "horizontal",
        extend=_EXTEND[scale.extend],
        extendfrac=bar.end_px / bar.length,
        extendrect=scale.end_boxes,
        spacing="proportional",
        drawedges=bar.separators and scale.edges_t is not None,
    )
    made.outline.set_linewidth(width)
    made.outline.set_edgecolor(bar.outline or "none")
    made.dividers.set_linewidth(width)
    thick = bar.box[2] - bar.box[0] if bar.vertical else bar.box[3] - bar.box[1]
    length = {"none": 0.0, "through": thick, "across": 2 * bar.tick_px}.get(bar.tick, bar.tick_px)
    direction = {"in": "in", "through": "in", "across": "inout"}.get(bar.tick, "out")
    axis = axes.yaxis if bar.vertical else axes.xaxis
    made.set_ticks(scale.tick_t, labels=[_math(label, plan.font) for label in scale.labels])
    axis.set_ticks(scale.minor_t, minor=True)
    axis.set_ticks_position(bar.side)
    options = {"direction": direction, "width": width, "color": bar.tick_color}
    axes.tick_params(
        which="major",
        length=_points(length),
        labelsize=_points(plan.font_px),
        pad=_points(bar.pad),
        labelcolor=bar.ink,
        labelrotation=90 if bar.turned else 0,
        **options,
    )
    if bar.turned and bar.vertical:
        for label in axes.get_yticklabels():
            label.set_verticalalignment("center")
    axes.tick_params(which="minor", length=_points(length if bar.tick == "none" else 0.55 * length), **options)
    for item in bar_texts(plan, bar):
        canvas.write(sheet, item)
    return axes


def _bar_truth(canvas: _Canvas, bar: BarPlan, axes: Any) -> BarTruth:
    """Box and ticks as matplotlib placed them."""
    box = canvas.box_of(axes)
    along = np.stack([bar.scale.tick_t] * 2, axis=1)
    placed = axes.transData.transform(along)
    ticks = canvas.height - placed[:, 1] if bar.vertical else placed[:, 0]
    return bar_truth(canvas.plan, bar, box, ticks)


def _panel_truth(canvas: _Canvas, panel: PanelPlan, axes: Any) -> PanelTruth:
    box = canvas.box_of(axes)
    outline = outline_of(panel)
    if outline is not None:
        return PanelTruth(box, outline, panel.bar, framed=panel.framed)
    lon, lat = np.array(panel.lon_ticks), np.array(panel.lat_ticks)
    columns = axes.transData.transform(np.stack([lon, np.zeros_like(lon)], 1))[:, 0] if len(lon) else lon
    rows = canvas.height - axes.transData.transform(np.stack([np.zeros_like(lat), lat], 1))[:, 1] if len(lat) else lat
    return PanelTruth(
        box, None, panel.bar, (columns, lon) if len(lon) else None, (rows, lat) if len(lat) else None, panel.framed
    )


def draw_by_matplotlib(
    plan: FigurePlan, keep: Callable[[Figure], None] | None = None
) -> tuple[NDArray[np.uint8], list[BarTruth], list[PanelTruth]]:
    """The picture and the truth about its bars and panels; `keep` may store the figure in another form."""
    settings = {
        "font.family": [plan.font, "DejaVu Sans"],
        "mathtext.fontset": _MATH.get(plan.font, "stix" if plan.font != "Nimbus Sans" else "dejavusans"),
        "axes.unicode_minus": False,
        "axes.formatter.use_mathtext": True,
        "path.simplify": False,
    }
    with matplotlib.rc_context(settings):
        canvas = _Canvas(plan)
        panels = [_draw_panel(canvas, k) for k in range(len(plan.panels))]
        sheet = canvas.sheet()
        for shape in extra_shapes(plan):
            canvas.draw_shape(sheet, shape)
            for item in shape.texts:
                canvas.write(sheet, item, shape.level + 0.1)
        bars = [_draw_bar(canvas, bar, sheet) for bar in plan.bars]
        for item in page_texts(plan):
            canvas.write(sheet, item, 7)
        canvas.canvas.draw()
        pixels = np.asarray(canvas.canvas.buffer_rgba())[..., :3].copy()
        bar_truths = [_bar_truth(canvas, bar, axes) for bar, axes in zip(plan.bars, bars, strict=True)]
        panel_truths = [_panel_truth(canvas, panel, axes) for panel, axes in zip(plan.panels, panels, strict=True)]
        if keep is not None:
            keep(canvas.figure)
    return pixels, bar_truths, panel_truths
