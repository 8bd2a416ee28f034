"""The truth about a drawn figure: bars, ticks, labels and panels, in pixels of the picture when it was upright."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .figure_plans import BarPlan, FigurePlan

__all__ = ["BarTruth", "DrawnFigure", "PanelTruth", "ScalePoints", "bar_truth"]

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class ScalePoints:
    """Value at closely spaced places of a bar: `t` from 0 at its lower pixel coordinate to 1."""

    t: Array
    values: Array

    def share_of(self, values: ArrayLike) -> Array:
        """Where on the bar values belong, as shares of its length; straight on beyond the ends."""
        numbers = np.asarray(values, float)
        sign = 1.0 if self.values[-1] > self.values[0] else -1.0
        t = np.interp(sign * numbers, sign * self.values, self.t)
        for end, near in ((0, 1), (-1, -2)):
            slope = (self.t[near] - self.t[end]) / (self.values[near] - self.values[end])
            beyond = sign * (numbers - self.values[end]) * (1 if end else -1) > 0
            t = np.where(beyond, self.t[end] + slope * (numbers - self.values[end]), t)
        return np.asarray(np.where(np.isfinite(numbers), t, np.nan))


@dataclass(frozen=True, eq=False)
class BarTruth:
    """One colour bar.

    `box` holds the part that bears values, without triangles or end boxes; `outer` holds them too. Positions run along
    `axis` ("horizontal": columns, "vertical": rows), ascending, unsnapped. `extend` tells whether there is a triangle
    or an end box at the lower and at the higher pixel coordinate. Values are labels times `factor` plus `offset`;
    where a power of ten stands in the unit, they are in that unit and `unit_factor` times as large without it.
    """

    box: Box
    outer: Box
    axis: str
    extend: tuple[bool, bool]
    end_boxes: bool
    tick_positions: Array
    tick_values: Array
    tick_labels: tuple[str, ...]
    has_marks: bool
    norm: str
    scale: ScalePoints
    class_edges: tuple[Array, Array] | None = None
    title: str = ""
    unit: str = ""
    factor: float = 1.0
    offset: float = 0.0
    unit_factor: float = 1.0
    label_px: float = 12.0
    traits: frozenset[str] = frozenset()

    @property
    def length(self) -> float:
        first = 0 if self.axis == "horizontal" else 1
        return self.box[first + 2] - self.box[first]

    def value_at(self, position: ArrayLike) -> Array:
        """The value at places along the bar, in pixels (between class edges: interpolated)."""
        start = self.box[0 if self.axis == "horizontal" else 1]
        share = (np.asarray(position, float) - start) / self.length
        return np.asarray(np.interp(share, self.scale.t, self.scale.values))


@dataclass(frozen=True, eq=False)
class PanelTruth:
    """One map: its frame (or the box around its outline), and the number of the bar that explains it.

    `lon_ticks` and `lat_ticks` are (positions in pixels along the frame, degrees) where ticks are drawn, else None.
    """

    box: Box
    outline: Array | None
    bar: int
    lon_ticks: tuple[Array, Array] | None = None
    lat_ticks: tuple[Array, Array] | None = None
    framed: bool = True

    @property
    def polygon(self) -> Array:
        if self.outline is not None:
            return self.outline
        left, top, right, bottom = self.box
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


@dataclass(frozen=True, eq=False)
class DrawnFigure:
    """A picture and the truth about it.

    The truth is in pixels of the upright picture; `scan` (2, 3) takes upright (col, row) to the picture as it is,
    which was turned by `rotation` degrees (anticlockwise on the page).
    """

    pixels: NDArray[np.uint8]
    data: bytes
    suffix: str
    bars: tuple[BarTruth, ...]
    panels: tuple[PanelTruth, ...]
    layout: str
    plotter: str
    seed: int
    rotation: float
    scan: Array
    traits: frozenset[str]

    @property
    def lossy(self) -> bool:
        return self.suffix != ".png"

    def to_picture(self, points: ArrayLike) -> Array:
        """Upright (col, row) points to the picture as it is."""
        xy = np.asarray(points, float)
        return np.asarray(xy @ self.scan[:, :2].T + self.scan[:, 2])

    def to_upright(self, points: ArrayLike) -> Array:
        """Points of the picture as it is back to the upright one."""
        xy = np.asarray(points, float)
        return np.asarray((xy - self.scan[:, 2]) @ np.linalg.inv(self.scan[:, :2]).T)

    def bar_polygon(self, number: int) -> Array:
        """Corners of a bar's box in the picture as it is."""
        left, top, right, bottom = self.bars[number].box
        return self.to_picture([[left, top], [right, top], [right, bottom], [left, bottom]])

    def tick_points(self, number: int) -> Array:
        """Ticks on the middle line of a bar in the picture as it is, (n, 2)."""
        bar = self.bars[number]
        left, top, right, bottom = bar.box
        along = bar.tick_positions
        if bar.axis == "horizontal":
            return self.to_picture(np.stack([along, np.full(len(along), (top + bottom) / 2)], axis=1))
        return self.to_picture(np.stack([np.full(len(along), (left + right) / 2), along], axis=1))


def bar_truth(plan: FigurePlan, bar: BarPlan, box: Box, ticks: Array) -> BarTruth:
    """The truth about a bar whose box and ticks (in the order of its scale) are known in pixels."""
    scale = bar.scale
    flip = bar.vertical
    order = slice(None, None, -1) if flip else slice(None)
    t = 1 - scale.node_t[order] if flip else scale.node_t
    edges = None
    start, length = (box[1], box[3] - box[1]) if flip else (box[0], box[2] - box[0])
    if scale.edges_t is not None and scale.edge_values is not None:
        along = 1 - scale.edges_t[order] if flip else scale.edges_t
        edges = (start + along * length, scale.edge_values[order])
    outer = tuple(place + moved - planned for place, moved, planned in zip(bar.outer, box, bar.box, strict=True))
    return BarTruth(
        box=box,
        outer=outer,  # type: ignore[arg-type]
        axis="vertical" if flip else "horizontal",
        extend=scale.extend[order],  # type: ignore[arg-type]
        end_boxes=scale.end_boxes,
        tick_positions=np.asarray(ticks[order], float),
        tick_values=scale.tick_values[order],
        tick_labels=scale.labels[order],
        has_marks=bar.tick != "none",
        norm=scale.norm,
        scale=ScalePoints(t, scale.node_values[order]),
        class_edges=edges,
        title=scale.title if bar.title_at != "none" else "",
        unit=scale.unit if bar.title_at != "none" else "",
        factor=scale.factor,
        offset=scale.offset,
        unit_factor=scale.unit_factor,
        label_px=plan.font_px,
        traits=scale.traits - {"no-marks"} | ({"no-marks"} if bar.tick == "none" else frozenset()),
    )
