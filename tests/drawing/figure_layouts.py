"""Where everything of a figure stands on its page, before any plotter draws it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .figure_labels import text_width
from .figure_plans import BarPlan, Box, FigurePlan, PanelPlan
from .figure_scales import ScalePlan, plan_scale, thin_labels

__all__ = ["LAYOUTS", "plan_figure"]

#: Layouts and how often each is drawn.
LAYOUTS = {
    "right": 0.13,
    "left": 0.04,
    "bottom": 0.12,
    "top": 0.05,
    "crowded": 0.18,
    "inside": 0.08,
    "shared": 0.06,
    "panels": 0.07,
    "legends": 0.07,
    "inset": 0.05,
    "oval": 0.05,
    "disc": 0.04,
    "fan": 0.04,
    "imagery": 0.03,
    "bare": 0.02,
}
FONTS = ("DejaVu Sans", "DejaVu Serif", "Nimbus Sans", "Nimbus Roman", "STIXGeneral", "cmr10")
_PALETTES = (
    *("viridis", "jet", "turbo", "plasma", "Spectral", "cividis", "YlGnBu", "batlow", "gist_earth", "terrain"),
    *("viridis", "jet", "grey"),
)
_DIVERGING = ("RdBu_r", "coolwarm", "vik", "roma", "Spectral", "jet")

_OVERLAYS = {"land": 0.33, "coast": 0.35, "contours": 0.3, "words": 0.33, "relief": 0.15, "hatch": 0.2}


def _width(rng: np.random.Generator) -> int:
    low, high = [(320, 500), (600, 1000), (1000, 1800), (1800, 3000), (3000, 4500), (6000, 6001)][
        int(rng.choice(6, p=[0.05, 0.33, 0.39, 0.17, 0.04, 0.02]))
    ]
    return int(rng.integers(low, high))


def _degree_ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    rough = (high - low) / max(count, 1)
    steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60, 90]
    step = next((s for s in steps if s >= rough), 90)
    first = int(np.ceil(low / step + 1e-9))
    last = int(np.floor(high / step - 1e-9))
    return tuple(round(k * step, 6) for k in range(first, last + 1))


class _Page:
    """Divides a page among titles, bars and maps."""

    def __init__(self, seed: int, attempt: int, layout: str) -> None:
        self.rng = np.random.default_rng([seed, 1, attempt])
        self.layout = layout
        rng = self.rng
        width = _width(rng)
        self.font_px = float(np.clip(width * rng.uniform(0.012, 0.026), 9, 72))
        if layout in ("shared", "panels"):
            self.font_px = max(self.font_px * 0.75, 9)
        self.width, self.height = width, int(width * rng.uniform(0.6, 0.95))
        self.style = self._bar_style()

    def _bar_style(self) -> dict[str, object]:
        rng, f = self.rng, self.font_px
        tick = str(rng.choice(["out", "in", "across", "none", "through"], p=[0.5, 0.14, 0.08, 0.16, 0.12]))
        faint = rng.random() < 0.12
        return {
            "tick": tick,
            "tick_px": f * rng.uniform(0.25, 0.5),
            "tick_color": "#b0b0b0" if faint else "black",
            "outline": None if rng.random() < 0.1 else "#999999" if faint and rng.random() < 0.5 else "black",
            "separators": bool(rng.random() < 0.5),
            "pad": f * rng.uniform(0.2, 0.45),
        }

    def label_reach(self, scale: ScalePlan, side: str, turned: bool) -> float:
        """How far labels reach away from a bar."""
        if (side in ("left", "right")) == turned:
            return 1.25 * self.font_px
        return max(text_width(label, self.font_px) for label in scale.labels)

    def bar(self, rect: Box, side: str, scale: ScalePlan, fraction: float, title: bool = True) -> tuple[BarPlan, Box]:
        """A bar at one side of a rectangle, and what is left of the rectangle. Labels face away from the rest."""
        rng, f = self.rng, self.font_px
        turned = bool(rng.random() < (0.1 if side in ("left", "right") else 0.03))
        away = self.label_reach(scale, side, turned)
        thick = f * rng.uniform(0.7, 1.9)
        tick_px = float(self.style["tick_px"])  # type: ignore[arg-type]
        inward = self.layout == "crowded" and rng.random() < 0.35
        title_at = str(rng.choice(["beyond", "top", "end"], p=[0.55, 0.3, 0.15])) if title else "none"
        if not scale.title:
            title_at = "none"
        if side in ("left", "right") and title_at == "end":
            title_at = "top"
        if side in ("left", "right") and title_at == "top" and text_width(scale.title, f) > 1.5 * (thick + away + f):
            title_at = "beyond"
        depth = thick + tick_px + 2 * float(self.style["pad"]) + away + (1.7 * f if title_at == "beyond" else 0)  # type: ignore[arg-type]
        over = 1.6 * f if side in ("top", "bottom") and title_at == "top" else 0.0
        depth += 1.3 * f if side == "bottom" and scale.factor_text else 0.5 * f
        over += f * float(rng.uniform(0, 0.4) if self.layout == "crowded" else rng.uniform(0.3, 1.5))
        depth += over
        left, top, right, bottom = rect
        above = bool(scale.factor_text) + (title_at == "top") if side in ("left", "right") else 0
        length_room = (bottom - top if side in ("left", "right") else right - left) - (2.2 + 2.8 * above) * f
        ends = f * rng.uniform(0.8, 1.6)
        length = fraction * length_room - 2 * ends
        if scale.end_boxes and scale.edges_t is not None and rng.random() < 0.7:
            ends = length / (len(scale.edges_t) + 1)
            length -= 2 * ends
        middle = (top + bottom) / 2 if side in ("left", "right") else (left + right) / 2
        a, b = middle - length / 2 + rng.uniform(-0.5, 0.5), middle + length / 2 + rng.uniform(-0.5, 0.5)
        reach = away + tick_px + float(self.style["pad"])  # type: ignore[arg-type]
        reach += 1.7 * f if title_at == "beyond" else 0.0
        gap = over + (reach if inward else 0.0)
        boxes = {
            "right": (right - depth + gap, a, right - depth + gap + thick, b),
            "left": (left + depth - gap - thick, a, left + depth - gap, b),
            "bottom": (a, bottom - depth + gap, b, bottom - depth + gap + thick),
            "top": (a, top + depth - gap - thick, b, top + depth - gap),
        }
        rests = {
            "right": (left, top, right - depth, bottom),
            "left": (left + depth, top, right, bottom),
            "bottom": (left, top, right, bottom - depth),
            "top": (left, top + depth, right, bottom),
        }
        opposite = {"right": "left", "left": "right", "top": "bottom", "bottom": "top"}
        facing = opposite[side] if inward else side
        return self.finish_bar(boxes[side], facing, scale, ends, turned, title_at), rests[side]

    def finish_bar(
        self, box: Box, side: str, scale: ScalePlan, ends: float, turned: bool, title_at: str, ink: str = "black"
    ) -> BarPlan:
        rng, f = self.rng, self.font_px
        cmap = str(rng.choice(_DIVERGING if scale.diverging else _PALETTES))
        style = dict(self.style)
        if ink != "black":
            style |= {"tick_color": ink, "outline": ink}
        length = box[3] - box[1] if side in ("left", "right") else box[2] - box[0]
        vertical = side in ("left", "right")
        upright = vertical == (not turned)
        extents = [1.35 * f if upright else text_width(label, f) + 0.6 * f for label in scale.labels]
        traits = set(scale.traits)
        scale = thin_labels(scale, length, extents)
        if turned:
            traits.add("turned")
        if style["tick"] == "none":
            traits.add("no-marks")
        if style["tick_color"] == "#b0b0b0":
            traits.add("faint-marks")
        if len(scale.labels) == 2:
            traits.add("two-label")
        if any(scale.extend) and not scale.end_boxes:
            traits.add("triangles")
        scale = replace(scale, traits=frozenset(traits))
        return BarPlan(box, side, scale, cmap, ends, turned=turned, title_at=title_at, ink=ink, **style)  # type: ignore[arg-type]

    def panel(self, rect: Box, bar: int, near: str, shape: str = "", **more: object) -> PanelPlan:
        """A map filling a rectangle but for its axis labels; `near` is the side of the bar."""
        rng, f = self.rng, self.font_px
        left, top, right, bottom = rect
        labels = bool(rng.random() < 0.85) or self.layout == "crowded"
        if shape or self.layout in ("bare", "imagery"):
            labels = self.layout == "imagery" and labels
        crowded = self.layout == "crowded"
        lon_side = near if crowded and near in ("top", "bottom") else str(rng.choice(["bottom", "top"], p=[0.85, 0.15]))
        lat_side = near if crowded and near in ("left", "right") else str(rng.choice(["left", "right"], p=[0.8, 0.2]))
        if labels:
            wide, high = 3.6 * f, 1.9 * f
            left, right = (left + wide, right - 0.6 * f) if lat_side == "left" else (left + 0.6 * f, right - wide)
            top, bottom = (top + high, bottom - 0.5 * f) if lon_side == "top" else (top + 0.5 * f, bottom - high)
        elif self.layout != "bare":
            left, top, right, bottom = left + 0.5 * f, top + 0.5 * f, right - 0.5 * f, bottom - 0.5 * f
        box = _shaped((left, top, right, bottom), shape, rng)
        span = float(rng.choice([2, 6, 15, 30, 60, 120]))
        lon0 = round(float(rng.uniform(-170, 170 - span)), 1)
        tall = span * min((box[3] - box[1]) / (box[2] - box[0]) * rng.uniform(0.8, 1.0), 1.3)
        lat0 = round(float(rng.uniform(-75, 75 - min(tall, 140))), 1)
        region = (lon0, lon0 + span, lat0, lat0 + tall)
        count_x = max(2, int((box[2] - box[0]) / (f * 6)))
        count_y = max(2, int((box[3] - box[1]) / (f * 3)))
        lon = _degree_ticks(region[0], region[1], min(count_x, 8)) if labels else ()
        lat = _degree_ticks(region[2], region[3], min(count_y, 8)) if labels else ()
        style = str(rng.choice(["°E", "E", "°", "", "signed"], p=[0.35, 0.15, 0.15, 0.2, 0.15]))
        fancy = bool(labels and not crowded and rng.random() < 0.12)
        framed = self.layout != "bare" and bool(labels or rng.random() < 0.9)
        title = f"({'abcdefghi'[bar]}) {int(rng.integers(1980, 2024))}" if rng.random() < 0.2 else ""
        return PanelPlan(
            box,
            region,
            bar,
            shape,
            lon,
            lat,
            lon_side,
            lat_side,
            style,
            framed,
            title,
            fancy,
            f * float(rng.uniform(0.2, 0.5)),
            **more,  # type: ignore[arg-type]
        )


def _shaped(rect: Box, shape: str, rng: np.random.Generator) -> Box:
    """The largest box of an outline's shape in a rectangle, somewhere in the middle."""
    left, top, right, bottom = rect
    ratio = {"oval": 2.0, "robinson": 1.97, "disc": 1.0, "fan": 1.45}.get(shape)
    if ratio is None:
        dx, dy = rng.uniform(-0.5, 0.5, 2)
        return left + dx, top + dy, right + dx, bottom + dy
    width = min(right - left, (bottom - top) * ratio)
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - width / 2, y - width / ratio / 2, x + width / 2, y + width / ratio / 2


def _single(page: _Page, rect: Box, side: str, shape: str = "") -> tuple[list[PanelPlan], list[BarPlan]]:
    fraction = float(page.rng.choice([1.0, 0.85, 0.6])) * float(page.rng.uniform(0.9, 1.0))
    bar, rest = page.bar(rect, side, plan_scale(page.rng), fraction)
    return [page.panel(rest, 0, side, shape)], [bar]


def _inside(page: _Page, rect: Box, on_imagery: bool) -> tuple[list[PanelPlan], list[BarPlan]]:
    rng, f = page.rng, page.font_px
    panel = page.panel(rect, 0, "none")
    left, top, right, bottom = panel.box
    scale = plan_scale(rng)
    vertical = bool(rng.random() < 0.45)
    side = str(rng.choice(["left", "right"] if vertical else ["top", "bottom"]))
    ends = f * rng.uniform(0.8, 1.2)
    length = (bottom - top if vertical else right - left) * rng.uniform(0.3, 0.5) - 2 * ends
    away = max(text_width(label, f) for label in scale.labels) if vertical else 1.25 * f
    thick = f * rng.uniform(0.7, 1.3)
    reach = away + float(page.style["tick_px"]) + float(page.style["pad"])  # type: ignore[arg-type]
    below = 1.5 * f if scale.factor_text and not vertical else 0.0
    x, y = rng.uniform(0, 1, 2).round()
    margin = 1.6 * f
    span = (
        (reach + thick, length + 2 * ends + below) if vertical else (length + 2 * ends, reach + thick + 1.7 * f + below)
    )
    x0 = left + margin + x * (right - left - 2 * margin - span[0])
    y0 = top + margin + 1.7 * f * vertical + y * (bottom - top - 2 * margin - span[1] - 1.7 * f * vertical)
    if vertical:
        at = x0 + reach if side == "left" else x0
        box = (at, y0 + ends, at + thick, y0 + ends + length)
    else:
        at = y0 + reach if side == "top" else y0 + 1.6 * f
        box = (x0 + ends, at, x0 + ends + length, at + thick)
    backed = not on_imagery or rng.random() < 0.3
    ink = "black" if backed else str(rng.choice(["white", "black"]))
    bar = page.finish_bar(box, side, scale, ends, False, "none", ink)
    backing = (x0 - 0.8 * f, y0 - 0.8 * f - 1.2 * f * vertical, x0 + span[0] + 0.8 * f, y0 + span[1] + 0.8 * f)
    return [panel], [replace(bar, backing=backing if backed else None)]


def _grid(page: _Page, rect: Box, own: bool) -> tuple[list[PanelPlan], list[BarPlan]]:
    rng = page.rng
    rows, cols = [(1, 2), (2, 1), (2, 2), (1, 3), (2, 3)][int(rng.integers(5))]
    side = str(rng.choice(["right", "bottom"]))
    panels: list[PanelPlan] = []
    bars: list[BarPlan] = []
    if not own:
        bar, rect = page.bar(rect, side, plan_scale(rng), float(rng.uniform(0.5, 1.0)))
        bars.append(bar)
    left, top, right, bottom = rect
    for k in range(rows * cols):
        row, col = divmod(k, cols)
        w, h = (right - left) / cols, (bottom - top) / rows
        cell = (left + col * w, top + row * h, left + (col + 1) * w, top + (row + 1) * h)
        if own:
            bar, cell = page.bar(cell, side, plan_scale(rng), float(rng.uniform(0.8, 1.0)), title=rows * cols < 4)
            bars.append(bar)
        panels.append(page.panel(cell, k if own else 0, side))
    return panels, bars


def _plan_extras(page: _Page, rect: Box) -> tuple[tuple[tuple[str, Box], ...], Box]:
    """Things beside the map that are no bar: a strip of them at the left or the bottom."""
    rng = page.rng
    left, top, right, bottom = rect
    names = [str(n) for n in rng.permutation(["photo", "categories", "scale bar", "north", "logo"])[:3]]
    wide = min(0.22 * (right - left), 16 * page.font_px)
    at_left = rng.random() < 0.5
    x0 = left if at_left else right - wide
    cells = []
    for k, name in enumerate(names):
        high = (bottom - top) / len(names)
        cells.append((name, (x0, top + k * high, x0 + wide, top + (k + 1) * high)))
    rest = (left + wide, top, right, bottom) if at_left else (left, top, right - wide, bottom)
    return tuple(cells), rest


def plan_figure(seed: int, layout: str | None = None) -> FigurePlan:
    """The plan of a figure, everything drawn from the seed."""
    choice = np.random.default_rng([seed, 0])
    shares = np.array(list(LAYOUTS.values()))
    drawn = str(choice.choice(list(LAYOUTS), p=shares / shares.sum()))
    layout = layout or drawn
    if layout not in LAYOUTS:
        raise LookupError(f"No layout {layout!r}; there are {', '.join(LAYOUTS)}.")
    for attempt in range(100):
        plan = _plan(seed, attempt, layout)
        if all(bar.length >= max(50, 4 * plan.font_px) for bar in plan.bars) and all(map(_large_enough, plan.panels)):
            break
    return plan


def _large_enough(panel: PanelPlan) -> bool:
    left, top, right, bottom = panel.box
    return right - left >= 70 and bottom - top >= 60


def _plan(seed: int, attempt: int, layout: str) -> FigurePlan:
    page = _Page(seed, attempt, layout)
    rng, f = page.rng, page.font_px
    rect: Box = (f, f, page.width - f, page.height - f)
    title = str(rng.choice(["", "", "Mean annual field", "Figure 3. Results", "Model minus observed"]))
    if title and layout != "bare":
        rect = (rect[0], rect[1] + 2 * f, rect[2], rect[3])
    side = (
        layout if layout in ("right", "left", "bottom", "top") else str(rng.choice(["right", "bottom", "left", "top"]))
    )
    extras: tuple[tuple[str, Box], ...] = ()
    if layout == "legends":
        extras, rect = _plan_extras(page, rect)
    if layout in ("inside", "imagery"):
        panels, bars = _inside(page, rect, layout == "imagery")
    elif layout in ("shared", "panels"):
        panels, bars = _grid(page, rect, layout == "panels")
    else:
        shape = layout if layout in ("oval", "disc", "fan") else ""
        if shape == "oval" and rng.random() < 0.4:
            shape = "robinson"
        side = str(rng.choice(["right", "bottom"])) if shape else side
        panels, bars = _single(page, rect, side, shape)
    if layout == "inset":
        left, top, right, bottom = panels[0].box
        w, h = (right - left) * 0.24, (bottom - top) * 0.24
        extras = (("inset", (right - w - f / 2, bottom - h - f / 2, right - f / 2, bottom - f / 2)),)
    names = [str(n) for n, share in _OVERLAYS.items() if rng.random() < share]
    if layout == "imagery":
        names = ["imagery", *(n for n in names if n == "words")]
    traits = frozenset({layout}.union(*(bar.scale.traits for bar in bars)) | set(names))
    return FigurePlan(
        seed=seed,
        layout=layout,
        size=(page.width, page.height),
        font=str(rng.choice(FONTS)),
        font_px=f,
        line_px=max(0.8, f / rng.uniform(11, 20)),
        panels=tuple(panels),
        bars=tuple(bars),
        title="" if layout == "bare" else title,
        field_name=str(rng.choice(["smooth", "hills", "rough", "fronts"])),
        overlays=frozenset(names),
        extras=extras,
        traits=traits,
    )
