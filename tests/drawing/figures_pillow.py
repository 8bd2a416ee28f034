"""Figures set pixel by pixel, in the looks of NCL, IDL, MATLAB, R and GrADS."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
from matplotlib.font_manager import FontProperties, findfont
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .figure_extras import extra_shapes
from .figure_labels import plain_text
from .figure_plans import BarPlan, FigurePlan, PanelPlan
from .figure_scenery import (
    TextItem,
    bar_colors,
    bar_texts,
    colors_at,
    degree_label,
    graticule_of,
    outline_of,
    page_texts,
    panel_picture,
)
from .figure_strokes import STROKES, can_stroke
from .figure_truth import BarTruth, PanelTruth, bar_truth

__all__ = ["LOOKS", "draw_by_hand"]

Array = NDArray[np.float64]

LOOKS = ("ncl", "idl", "matlab", "r", "grads")
_SMOOTH = 4


@functools.lru_cache(maxsize=64)
def _font(family: str, size: int) -> ImageFont.FreeTypeFont:
    path = findfont(FontProperties(family=["DejaVu Sans" if family == "cmr10" else family, "DejaVu Sans"]))
    return ImageFont.truetype(path, size)


def _as_looks(plan: FigurePlan, look: str) -> FigurePlan:
    """The plan with the habits of a look."""
    bars = []
    for bar in plan.bars:
        if look == "ncl" and bar.scale.edges_t is not None:
            bar = replace(bar, separators=True, tick="none", outline=bar.ink)
        elif look == "matlab":
            bar = replace(bar, tick="in", tick_color=bar.ink, outline=bar.ink)
        elif look == "grads":
            bar = replace(bar, tick="none", outline=None, separators=False)
        elif look == "idl":
            bar = replace(bar, tick=bar.tick if bar.tick != "across" else "through", outline=bar.ink)
        bars.append(bar)
    fonts = {"ncl": "Nimbus Sans", "matlab": "Nimbus Sans", "r": "Nimbus Sans", "grads": "DejaVu Sans"}
    return replace(plan, bars=tuple(bars), font=fonts.get(look, plan.font))


class _Sheet:
    """A picture to draw on with unsmoothed lines."""

    def __init__(self, plan: FigurePlan, strokes: bool) -> None:
        self.plan, self.strokes = plan, strokes
        self.image = Image.new("RGB", plan.size, "white")
        self.pen = ImageDraw.Draw(self.image)
        self.line_px = max(1, round(plan.line_px))

    def line(self, points: Array, color: str = "black", width: int | None = None) -> None:
        self.pen.line([(float(x - 0.5), float(y - 0.5)) for x, y in points], fill=color, width=width or self.line_px)

    def mark(self, x0: float, y0: float, x1: float, y1: float, color: str = "black") -> None:
        """A line along a row or a column, its middle on the nearest pixel boundary or centre."""
        half = self.line_px / 2
        if abs(x1 - x0) < 1e-9:
            left = round(x0 - half)
            box = (left, round(min(y0, y1)), left + self.line_px - 1, round(max(y0, y1)) - 1)
        else:
            top = round(y0 - half)
            box = (round(min(x0, x1)), top, round(max(x0, x1)) - 1, top + self.line_px - 1)
        if box[2] >= box[0] and box[3] >= box[1]:
            self.pen.rectangle(box, fill=color)

    def outline(self, left: float, top: float, right: float, bottom: float, color: str = "black") -> None:
        half = self.line_px / 2
        for y in (top, bottom):
            self.mark(left - half, y, right + half, y, color)
        for x in (left, right):
            self.mark(x, top - half, x, bottom + half, color)

    def _typed(self, text: str, size: float) -> Image.Image:
        """A text as a mask, its superscripts raised."""
        runs = [
            (run, raised, _font(self.plan.font, max(5, round(size * (0.7 if raised else 1)))))
            for run, raised in plain_text(text)
        ]
        width = sum(font.getlength(run) for run, _, font in runs)
        mask = Image.new("L", (int(width) + 4, int(1.7 * size) + 4), 0)
        pen, x = ImageDraw.Draw(mask), 2.0
        for run, raised, font in runs:
            pen.text((x, 1.3 * size - (0.38 * size if raised else 0)), run, fill=255, font=font, anchor="ls")
            x += font.getlength(run)
        return mask

    def _stroked(self, text: str, size: float) -> Image.Image:
        grow = _SMOOTH * 0.72 * size / 21
        runs = [(run.replace("−", "-"), raised) for run, raised in plain_text(text)]
        width = sum(STROKES[letter][0] * (0.65 if raised else 1) for run, raised in runs for letter in run) * grow
        mask = Image.new("L", (int(width) + 6 * _SMOOTH, int(1.7 * size * _SMOOTH)), 0)
        pen, x = ImageDraw.Draw(mask), 2.0 * _SMOOTH
        weight = max(_SMOOTH, round(self.plan.line_px * _SMOOTH))
        for run, raised in runs:
            scale, lift = (0.65 * grow, 0.4 * size * _SMOOTH) if raised else (grow, 0.0)
            for letter in run:
                advance, lines = STROKES[letter]
                for line in lines:
                    base = 1.3 * size * _SMOOTH - lift
                    pen.line(
                        [(x + a * scale, base - b * scale) for a, b in line], fill=255, width=weight, joint="curve"
                    )
                x += advance * scale
        return mask.resize((max(1, mask.width // _SMOOTH), max(1, mask.height // _SMOOTH)), Image.Resampling.BOX)

    def write(self, item: TextItem) -> None:
        size = item.scale * self.plan.font_px
        mask = (
            self._stroked(item.text, size) if self.strokes and can_stroke(item.text) else self._typed(item.text, size)
        )
        if item.rotation:
            mask = mask.rotate(item.rotation, expand=True)
        box = mask.getbbox()
        if box is None:
            return
        mask = mask.crop(box)
        x = item.x - {"left": 0.0, "center": 0.5, "right": 1.0}[item.ha] * mask.width
        y = item.y - {"top": 0.0, "center": 0.5, "bottom": 1.0}[item.va] * mask.height
        self.image.paste(item.color, (round(x), round(y)), mask)


def _draw_panel(sheet: _Sheet, number: int) -> PanelTruth:
    plan, panel = sheet.plan, sheet.plan.panels[number]
    left, top, right, bottom = panel.box
    x0, y0, x1, y1 = round(left), round(top), round(right), round(bottom)
    picture = Image.fromarray(panel_picture(plan, number)).resize((x1 - x0, y1 - y0), Image.Resampling.NEAREST)
    outline = outline_of(panel)
    if outline is not None:
        mask = Image.new("L", (_SMOOTH // 2 * (x1 - x0), _SMOOTH // 2 * (y1 - y0)), 0)
        points = [((x - x0) * (_SMOOTH // 2), (y - y0) * (_SMOOTH // 2)) for x, y in outline]
        ImageDraw.Draw(mask).polygon(points, fill=255)
        sheet.image.paste(picture, (x0, y0), mask.resize(picture.size, Image.Resampling.BOX))
        for line in graticule_of(panel):
            sheet.line(line, "#444444")
        if panel.framed:
            sheet.line(np.concatenate([outline, outline[:1]]))
        return PanelTruth(panel.box, outline, panel.bar, framed=panel.framed)
    sheet.image.paste(picture, (x0, y0))
    if panel.framed:
        sheet.outline(*panel.box)
    return _label_panel(sheet, panel)


def _label_panel(sheet: _Sheet, panel: PanelPlan) -> PanelTruth:
    f = sheet.plan.font_px
    left, top, right, bottom = panel.box
    west, east, south, north = panel.region
    lon, lat = np.array(panel.lon_ticks), np.array(panel.lat_ticks)
    columns = left + (lon - west) / (east - west) * (right - left)
    rows = bottom - (lat - south) / (north - south) * (bottom - top)
    inward = -1 if sheet.plan.seed % 3 == 0 else 1
    reach = panel.tick_px * inward
    for x, value in zip(columns, lon, strict=True):
        below = panel.lon_side == "bottom"
        edge, way = (bottom, 1) if below else (top, -1)
        sheet.mark(x, edge, x, edge + way * reach)
        at = edge + way * (max(reach, 0) + 0.35 * f)
        sheet.write(TextItem(x, at, degree_label(value, panel.degree_style, True), va="top" if below else "bottom"))
    for y, value in zip(rows, lat, strict=True):
        at_left = panel.lat_side == "left"
        edge, way = (left, -1) if at_left else (right, 1)
        sheet.mark(edge, y, edge + way * reach, y)
        at = edge + way * (max(reach, 0) + 0.35 * f)
        sheet.write(TextItem(at, y, degree_label(value, panel.degree_style, False), "right" if at_left else "left"))
    return PanelTruth(
        panel.box,
        None,
        panel.bar,
        (columns, lon) if len(lon) else None,
        (rows, lat) if len(lat) else None,
        panel.framed,
    )


def _fill_bar(sheet: _Sheet, bar: BarPlan) -> None:
    """Colours of the box, pixel centre by pixel centre, and its ends."""
    left, top, right, bottom = bar.box
    x0, y0, x1, y1 = round(left), round(top), round(right), round(bottom)
    if bar.vertical:
        t = (bottom - (np.arange(y0, y1) + 0.5)) / (bottom - top)
    else:
        t = (np.arange(x0, x1) + 0.5 - left) / (right - left)
    colors = np.rint(colors_at(bar, np.clip(t, 0, 1 - 1e-6).astype(np.float32))).astype(np.uint8)
    block = np.broadcast_to(colors[:, None] if bar.vertical else colors[None], (y1 - y0, x1 - x0, 3))
    sheet.image.paste(Image.fromarray(np.ascontiguousarray(block)), (x0, y0))
    _, low, high = bar_colors(bar)
    for there, color, sign in zip(bar.scale.extend, (low, high), (-1, 1), strict=True):
        if there:
            _fill_end(sheet, bar, tuple(round(255 * c) for c in color), sign)


def _fill_end(sheet: _Sheet, bar: BarPlan, color: tuple[int, ...], sign: int) -> None:
    left, top, right, bottom = bar.box
    base = (bottom if sign < 0 else top) if bar.vertical else (left if sign < 0 else right)
    tip = base + sign * bar.end_px * (-1 if bar.vertical else 1)
    a, b = (left, right) if bar.vertical else (top, bottom)
    middle = (a + b) / 2
    if bar.scale.end_boxes:
        points = [(base, a), (tip, a), (tip, b), (base, b)]
    else:
        points = [(base, a), (tip, middle), (base, b)]
    xy = [(q, p) if bar.vertical else (p, q) for p, q in points]
    sheet.pen.polygon([(round(x - 0.5), round(y - 0.5)) for x, y in xy], fill=color)
    if bar.outline:
        sheet.line(np.array([*xy, xy[0]]), bar.outline)


def _draw_bar(sheet: _Sheet, bar: BarPlan) -> BarTruth:
    plan = sheet.plan
    if bar.backing is not None:
        sheet.pen.rectangle([round(edge) for edge in bar.backing], fill="white", outline="black", width=sheet.line_px)
    _fill_bar(sheet, bar)
    left, top, right, bottom = bar.box
    if bar.outline:
        sheet.outline(*bar.box, bar.outline)
    near, far = {"right": (right, left), "left": (left, right), "bottom": (bottom, top), "top": (top, bottom)}[bar.side]
    way = 1 if near > far else -1

    def across(position: float, start: float, end: float, color: str) -> None:
        if bar.vertical:
            sheet.mark(start, position, end, position, color)
        else:
            sheet.mark(position, start, position, end, color)

    if bar.separators and bar.scale.edges_t is not None:
        for position in bar.place(bar.scale.edges_t):
            across(position, near, far, bar.outline or "black")
    ticks = bar.place(bar.scale.tick_t)
    for share, places in ((0.55, bar.place(bar.scale.minor_t)), (1.0, ticks)):
        reach = share * bar.tick_px
        for position in places:
            for start, end in _spans(bar.tick, near, far, way, reach, plan.seed):
                across(position, start, end, bar.tick_color)
    at = near + way * ((bar.tick_px if bar.tick in ("out", "across") else 0) + bar.pad)
    turn = 90 if bar.turned else 0
    for position, label in zip(ticks, bar.scale.labels, strict=True):
        if bar.vertical:
            sheet.write(TextItem(at, position, label, "left" if way > 0 else "right", "center", turn, color=bar.ink))
        else:
            sheet.write(TextItem(position, at, label, "center", "top" if way > 0 else "bottom", turn, color=bar.ink))
    for item in bar_texts(plan, bar):
        sheet.write(item)
    return bar_truth(plan, bar, bar.box, ticks)


def _spans(tick: str, near: float, far: float, way: int, reach: float, seed: int) -> list[tuple[float, float]]:
    """Where a tick mark runs, across the bar; marks inside stand on both sides in half of the figures."""
    if tick == "out":
        return [(near, near + way * reach)]
    if tick == "across":
        return [(near - way * reach, near + way * reach)]
    if tick == "through":
        return [(near, far)]
    if tick == "in":
        return [(near, near - way * reach), (far, far + way * reach)][: 1 + seed % 2]
    return []


def draw_by_hand(plan: FigurePlan) -> tuple[NDArray[np.uint8], list[BarTruth], list[PanelTruth]]:
    """The picture and the truth about its bars and panels."""
    look = LOOKS[int(plan.rng(30).integers(len(LOOKS)))]
    plan = _as_looks(plan, look)
    sheet = _Sheet(plan, strokes=look == "idl")
    panels = [_draw_panel(sheet, k) for k in range(len(plan.panels))]
    for shape in extra_shapes(plan):
        if shape.picture is not None:
            left, top, right, bottom = (round(edge) for edge in shape.box)
            sheet.image.paste(Image.fromarray(shape.picture).resize((right - left, bottom - top)), (left, top))
        if shape.points is not None:
            sheet.pen.polygon([(float(x), float(y)) for x, y in shape.points], fill=shape.face)
            if shape.edge:
                sheet.line(np.concatenate([shape.points, shape.points[:1]]), shape.edge)
        for item in shape.texts:
            sheet.write(item)
    bars = [_draw_bar(sheet, bar) for bar in plan.bars]
    for item in page_texts(plan):
        sheet.write(item)
    return np.array(sheet.image), bars, panels
