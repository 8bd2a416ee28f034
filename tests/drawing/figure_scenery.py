"""What fills maps and stands around bars, the same for every plotter: fields, colours, outlines, texts, extras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from .fields import make_field
from .figure_labels import text_width
from .figure_plans import BarPlan, FigurePlan, PanelPlan
from .palettes import palette_colors

__all__ = ["TextItem", "bar_colors", "bar_texts", "degree_label", "outline_of", "page_texts", "panel_picture"]

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

#: A panel's picture has at most this many pixels; plotters stretch it.
_MOST = 3_000_000
#: Fields are drawn at this size and enlarged smoothly.
_FIELD = 60_000
_ROBINSON_X = (1, 0.9986, 0.9954, 0.99, 0.9822, 0.973, 0.96, 0.9427, 0.9216, 0.8962, 0.8679, 0.835, 0.7986,
               0.7597, 0.7186, 0.6732, 0.6213, 0.5722, 0.5322)  # fmt: skip
_ROBINSON_Y = (0, 0.062, 0.124, 0.186, 0.248, 0.31, 0.372, 0.434, 0.4958, 0.5571, 0.6176, 0.6769, 0.7346,
               0.7903, 0.8435, 0.8936, 0.9394, 0.9761, 1)  # fmt: skip
FAN_INNER, FAN_HALF_ANGLE = 0.38, 0.82


@dataclass(frozen=True)
class TextItem:
    """A text with its anchor in pixels; `ha` and `va` tell which point of it the anchor is."""

    x: float
    y: float
    text: str
    ha: str = "center"
    va: str = "center"
    rotation: int = 0
    scale: float = 1.0
    color: str = "black"


def bar_colors(bar: BarPlan, count: int = 256) -> tuple[Array, Array, Array]:
    """Colours along a bar from its left or lower end (classes: one each), and those of its two open ends, in 0..1."""
    edges = bar.scale.edges_t
    if edges is None:
        colors = palette_colors(bar.cmap, count)
        return colors, colors[0], colors[-1]
    low, high = bar.scale.extend
    colors = palette_colors(bar.cmap, len(edges) - 1 + low + high)
    inner = colors[int(low) : len(colors) - int(high)]
    return inner, colors[0], colors[-1]


def colors_at(bar: BarPlan, t: NDArray[np.float32]) -> NDArray[np.float32]:
    """The colour of shares along the bar, 0 to 255; beyond its ends those of its open ends."""
    inner, low, high = bar_colors(bar)
    if bar.scale.edges_t is None:
        index = np.floor(t * len(inner)).astype(np.int16) + 1
    else:
        index = np.searchsorted(bar.scale.edges_t.astype(np.float32), t, side="right").astype(np.int16)
    table = (255 * np.concatenate([[low], inner, [high]])).astype(np.float32)
    return np.asarray(table[np.clip(index, 0, len(inner) + 1)])


def _smooth_field(name: str, w: int, h: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A field of that many pixels, enlarged from a smaller one."""
    shrink = min(1.0, (_FIELD / (w * h)) ** 0.5)
    small = make_field(name, max(8, round(w * shrink)), max(8, round(h * shrink)), rng).astype(np.float32)
    return np.asarray(Image.fromarray(small).resize((w, h), Image.Resampling.BICUBIC))


def panel_picture(plan: FigurePlan, number: int) -> Pixels:
    """The picture inside a panel's box, (h, w, 3); at full size or smaller."""
    panel = plan.panels[number]
    bar = plan.bars[panel.bar]
    left, top, right, bottom = panel.box
    shrink = min(1.0, (_MOST / ((right - left) * (bottom - top))) ** 0.5)
    w, h = max(8, round((right - left) * shrink)), max(8, round((bottom - top) * shrink))
    rng = plan.rng(10 + number)
    field = _smooth_field(plan.field_name, w, h, rng)
    t = field * rng.uniform(1.0, 1.2) - rng.uniform(0, 0.1)
    rgb = colors_at(bar, t)
    if "relief" in plan.overlays:
        relief = _smooth_field("rough", w, h, rng)
        slope = np.gradient(relief, axis=1)
        light = np.clip(0.5 + 0.25 * slope / (slope.std() + 1e-12), 0.05, 1)
        rgb = rgb * (0.45 + 0.55 * light[..., None])
    if "contours" in plan.overlays:
        rgb[_edges(np.floor(_smooth_field("hills", w, h, rng) * 9), 1)] = 38
    ground = _smooth_field("hills", w, h, rng)
    mask = ground > 0.62
    if "imagery" in plan.overlays:
        texture = _smooth_field("rough", w, h, rng)[..., None]
        photo = np.array([46, 71, 36]) + texture * np.array([128, 107, 89])
        rgb = np.where((ground > 0.5)[..., None], photo, rgb)
    elif "land" in plan.overlays:
        rgb[mask] = rng.choice([153, 191, 217, 255])
    if "hatch" in plan.overlays:
        rows, cols = np.indices((h, w))
        pitch = max(6, w // 90)
        rgb[(ground < 0.3) & ((rows + cols) % pitch < max(1, pitch // 8)) & ((rows // 2) % 2 == 0)] = 26
    if "coast" in plan.overlays or "imagery" in plan.overlays:
        rgb[_edges(mask.astype(float), max(1, round(plan.line_px * shrink)))] = 0.0
    return np.asarray(np.clip(rgb + 0.5, 0, 255).astype(np.uint8))


def _edges(steps: NDArray[np.floating], width: int) -> NDArray[np.bool_]:
    """Where neighbouring pixels differ, thickened to `width`."""
    edge = np.zeros(steps.shape, bool)
    edge[:, 1:] |= steps[:, 1:] != steps[:, :-1]
    edge[1:] |= steps[1:] != steps[:-1]
    return np.asarray(ndimage.binary_dilation(edge, iterations=width - 1)) if width > 1 else edge


def _unit_outline(shape: str) -> Array:
    """The outline in a box from -1 to 1, y up."""
    if shape == "robinson":
        y = np.linspace(0, 1, 60)
        x = np.interp(y, _ROBINSON_Y, _ROBINSON_X)
        side = np.concatenate([np.stack([x, y], 1)[::-1], np.stack([x, -y], 1)[1:]])
        return np.concatenate([side, -side])
    if shape == "fan":
        angle = np.linspace(-FAN_HALF_ANGLE, FAN_HALF_ANGLE, 80)
        outer = np.stack([np.sin(angle), -np.cos(angle)], 1)
        points = np.concatenate([outer, FAN_INNER * outer[::-1]])
        low, high = points.min(axis=0), points.max(axis=0)
        return np.asarray(2 * (points - low) / (high - low) - 1)
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def outline_of(panel: PanelPlan) -> Array | None:
    """A panel's outline in pixels, (k, 2); None for a rectangle."""
    if not panel.outline:
        return None
    return _into_box(_unit_outline(panel.outline), panel.box)


def _into_box(points: Array, box: tuple[float, float, float, float]) -> Array:
    left, top, right, bottom = box
    x = left + (points[:, 0] + 1) / 2 * (right - left)
    y = bottom - (points[:, 1] + 1) / 2 * (bottom - top)
    return np.stack([x, y], axis=1)


def graticule_of(panel: PanelPlan) -> list[Array]:
    """Meridians and parallels of a map with an outline, as lines in pixels."""
    lines: list[Array] = []
    s = np.linspace(-1, 1, 60)
    if panel.outline == "oval":
        for share in np.linspace(-0.75, 0.75, 7):
            lines.append(np.stack([share * np.sqrt(1 - s**2), s], 1))
        for y in (-0.8, -0.42, 0.0, 0.42, 0.8):
            lines.append(np.stack([s * np.sqrt(1 - y * y), np.full_like(s, y)], 1))
    elif panel.outline == "robinson":
        width = np.interp(np.abs(s), _ROBINSON_Y, _ROBINSON_X)
        lines += [np.stack([share * width, s], 1) for share in np.linspace(-0.75, 0.75, 7)]
        lines += [
            np.stack([s * np.interp(abs(y), _ROBINSON_Y, _ROBINSON_X), np.full_like(s, y)], 1)
            for y in (-0.7, -0.37, 0, 0.37, 0.7)
        ]
    elif panel.outline == "disc":
        angle = np.linspace(0, 2 * np.pi, 120)
        lines += [r * np.stack([np.cos(angle), np.sin(angle)], 1) for r in (0.33, 0.66)]
        lines += [np.array([[0, 0], [np.cos(a), np.sin(a)]]) for a in np.arange(8) * np.pi / 4]
    return [_into_box(line, panel.box) for line in lines]


def degree_label(value: float, style: str, is_lon: bool) -> str:
    """A longitude or latitude as maps write it."""
    number = f"{abs(value):g}"
    letter = ("E" if value >= 0 else "W") if is_lon else ("N" if value >= 0 else "S")
    minus = "−" if value < 0 else ""
    written = {"°E": f"{number}°{letter}", "E": f"{number}{letter}", "°": f"{minus}{number}°", "": f"{minus}{number}"}
    return written.get(style, f"{'-' if value < 0 else ''}{number}")


def bar_texts(plan: FigurePlan, bar: BarPlan) -> list[TextItem]:
    """Title and factor of a bar."""
    f = plan.font_px
    left, top, right, bottom = bar.outer
    x, y = (left + right) / 2, (top + bottom) / 2
    items = []
    reach = max((text_width(label, f) for label in bar.scale.labels), default=0.0)
    away = 1.25 * f if bar.vertical == bar.turned else reach
    away += bar.tick_px + bar.pad + 0.4 * f
    factor = bar.scale.factor_text
    if factor:
        if bar.vertical:
            items.append(_held(plan, TextItem(left, top - 0.35 * f, factor, "left", "bottom", color=bar.ink)))
        elif bar.side == "bottom":
            items.append(TextItem(right, bottom + away + 0.1 * f, factor, "right", "top", color=bar.ink))
        else:
            items.append(TextItem(right, bottom + 0.3 * f, factor, "right", "top", color=bar.ink))
    title = bar.scale.title
    if bar.title_at == "none" or not title:
        return items
    if bar.vertical and bar.title_at == "top":
        raised = top - (1.75 if factor else 0.45) * f
        items.append(_held(plan, TextItem(x, raised, title, "center", "bottom", color=bar.ink)))
    elif bar.vertical:
        at = right + away if bar.side == "right" else left - away
        items.append(TextItem(at, y, title, "left" if bar.side == "right" else "right", "center", 90, color=bar.ink))
    elif bar.title_at == "top":
        opposite = top - 0.35 * f if bar.side == "bottom" else bottom + 0.35 * f
        items.append(TextItem(x, opposite, title, "center", "bottom" if bar.side == "bottom" else "top", color=bar.ink))
    else:
        at = bottom + away if bar.side == "bottom" else top - away
        place, ha = (left, "left") if factor else (x, "center")
        items.append(TextItem(place, at, title, ha, "top" if bar.side == "bottom" else "bottom", color=bar.ink))
    return items


def _held(plan: FigurePlan, item: TextItem) -> TextItem:
    """The text moved sideways until it is on the page."""
    width = text_width(item.text, plan.font_px)
    share = {"left": 0.0, "center": 0.5, "right": 1.0}[item.ha]
    room = plan.size[0] - 0.4 * plan.font_px
    x = min(max(item.x - share * width, 0.4 * plan.font_px), max(room - width, 0)) + share * width
    return TextItem(x, item.y, item.text, item.ha, item.va, item.rotation, item.scale, item.color)


def page_texts(plan: FigurePlan) -> list[TextItem]:
    """Title of the figure, titles of panels, words on maps."""
    f = plan.font_px
    items = [TextItem(plan.size[0] / 2, 1.3 * f, plan.title, scale=1.2)] if plan.title else []
    rng = plan.rng(3)
    for panel in plan.panels:
        left, top, right, bottom = panel.box
        if panel.title:
            items.append(TextItem(left + 0.5 * f, top + 0.5 * f, panel.title, "left", "top"))
        if "words" in plan.overlays:
            for word in ("Ocean", "12.5", "Mt. A", "B")[: int(rng.integers(1, 5))]:
                x, y = left + rng.uniform(0.2, 0.8) * (right - left), top + rng.uniform(0.25, 0.75) * (bottom - top)
                items.append(TextItem(x, y, word, scale=0.9))
    return items
