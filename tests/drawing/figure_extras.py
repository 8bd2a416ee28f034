"""What stands beside maps and is no colour bar: photographs, category legends, scale bars, arrows, logos, insets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fields import make_field
from .figure_plans import FigurePlan
from .figure_scenery import TextItem

__all__ = ["Shape", "extra_shapes"]

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Shape:
    """A filled polygon or a picture in a box, with texts; drawn in order of `level`."""

    points: Array | None = None
    face: str | None = None
    edge: str | None = None
    picture: NDArray[np.uint8] | None = None
    box: Box = (0.0, 0.0, 1.0, 1.0)
    texts: tuple[TextItem, ...] = ()
    level: float = 5.0


def rectangle(left: float, top: float, right: float, bottom: float) -> Array:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


def _photo(plan: FigurePlan, box: Box) -> list[Shape]:
    rng = plan.rng(21)
    left, top, right, bottom = box
    f = plan.font_px
    left, top, right, bottom = left + f / 2, top + f / 2, right - f / 2, bottom - f
    w, h = 180, 140
    layers = [make_field("rough", w, h, rng) for _ in range(2)]
    sky = np.linspace(1, 0, h)[:, None]
    rgb = np.stack(
        [layers[0] * 0.7 + 0.2, layers[0] * 0.5 + 0.3 * layers[1] + 0.1, 0.35 + 0.5 * sky * layers[1]], axis=-1
    )
    picture = np.clip(rgb * 255, 0, 255).astype(np.uint8)
    return [
        Shape(picture=picture, box=(left, top, right, bottom)),
        Shape(rectangle(left, top, right, bottom), edge="black"),
    ]


def _categories(plan: FigurePlan, box: Box) -> list[Shape]:
    f = plan.font_px
    left, top, _, bottom = box
    names = ("Forest", "Urban", "Water", "Crops", "Bare", "Ice")[: max(2, min(6, int((bottom - top) / (1.6 * f)) - 1))]
    colors = ("#2e7d32", "#d32f2f", "#1976d2", "#fbc02d", "#8d6e63", "#e0f7fa")
    shapes = []
    for k, name in enumerate(names):
        y = top + (0.8 + 1.5 * k) * f
        label = TextItem(left + 2.6 * f, y + 0.5 * f, name, "left")
        shapes.append(Shape(rectangle(left + 0.7 * f, y, left + 2.1 * f, y + f), colors[k], "black", texts=(label,)))
    return shapes


def _scale_bar(plan: FigurePlan, box: Box) -> list[Shape]:
    f = plan.font_px
    left, top, right, bottom = box
    y, left, right = (top + bottom) / 2, left + f, right - 2.2 * f
    cells = []
    for k in range(4):
        a, b = left + (right - left) * k / 4, left + (right - left) * (k + 1) / 4
        cells.append(Shape(rectangle(a, y, b, y + 0.45 * f), "black" if k % 2 == 0 else "white", "black"))
    texts = tuple(
        TextItem(left + (right - left) * share, y - 0.2 * f, text, va="bottom")
        for share, text in ((0, "0"), (0.5, "50"), (1, "100 km"))
    )
    return [*cells, Shape(texts=texts)]


def _north(plan: FigurePlan, box: Box) -> list[Shape]:
    f = plan.font_px
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    arrow = np.array([[x, y - 1.6 * f], [x + 0.7 * f, y + 1.2 * f], [x, y + 0.6 * f], [x - 0.7 * f, y + 1.2 * f]])
    return [Shape(arrow, "black", "black", texts=(TextItem(x, y - 1.8 * f, "N", va="bottom"),))]


def _logo(plan: FigurePlan, box: Box) -> list[Shape]:
    f = plan.font_px
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    angle = np.linspace(0, 2 * np.pi, 60)
    disc = np.stack([x + 1.5 * f * np.cos(angle), y + 1.5 * f * np.sin(angle)], axis=1)
    stripe = rectangle(x - 1.4 * f, y - 0.2 * f, x + 1.4 * f, y + 0.3 * f)
    return [Shape(disc, "#0b3d91"), Shape(stripe, "#fc3d21", texts=(TextItem(x, y + 2.2 * f, "OGS", scale=1.2),))]


def _inset(plan: FigurePlan, box: Box) -> list[Shape]:
    left, top, right, bottom = box
    rng = plan.rng(22)
    land = make_field("hills", 120, 90, rng) > 0.5
    picture = np.where(land[..., None], np.array([200, 190, 160]), np.array([255, 255, 255])).astype(np.uint8)
    w, h = right - left, bottom - top
    mark = rectangle(left + 0.4 * w, top + 0.3 * h, left + 0.6 * w, top + 0.5 * h)
    return [
        Shape(picture=picture, box=box),
        Shape(rectangle(left, top, right, bottom), edge="black"),
        Shape(mark, edge="red", level=5.5),
    ]


def extra_shapes(plan: FigurePlan) -> list[Shape]:
    """Everything beside the map, in drawing order."""
    makers = {
        "photo": _photo,
        "categories": _categories,
        "scale bar": _scale_bar,
        "north": _north,
        "logo": _logo,
        "inset": _inset,
    }
    return [shape for name, box in plan.extras for shape in makers[name](plan, box)]
