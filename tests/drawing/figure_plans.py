"""What a plotter has to draw, in pixels of the page: maps, bars, and what stands beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .figure_scales import ScalePlan

__all__ = ["BarPlan", "Box", "FigurePlan", "PanelPlan"]

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class BarPlan:
    """A bar to draw: `box` without its ends, `side` where its labels stand ("left", "right", "top", "bottom")."""

    box: Box
    side: str
    scale: ScalePlan
    cmap: str
    end_px: float
    tick: str
    tick_px: float
    tick_color: str
    outline: str | None
    separators: bool
    turned: bool
    pad: float
    title_at: str
    backing: Box | None = None
    ink: str = "black"

    @property
    def vertical(self) -> bool:
        return self.side in ("left", "right")

    @property
    def length(self) -> float:
        return self.box[3] - self.box[1] if self.vertical else self.box[2] - self.box[0]

    @property
    def outer(self) -> Box:
        """The box with triangles or end boxes."""
        left, top, right, bottom = self.box
        low, high = (self.end_px if there else 0.0 for there in self.scale.extend)
        if self.vertical:
            return left, top - high, right, bottom + low
        return left - low, top, right + high, bottom

    def place(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares of the bar from its left or lower end to pixels."""
        if self.vertical:
            return np.asarray(self.box[3] - t * self.length)
        return np.asarray(self.box[0] + t * self.length)


@dataclass(frozen=True, eq=False)
class PanelPlan:
    """A map to draw: lon/lat rise linearly over its box unless it has an outline."""

    box: Box
    region: Box
    bar: int
    outline: str = ""
    lon_ticks: tuple[float, ...] = ()
    lat_ticks: tuple[float, ...] = ()
    lon_side: str = "bottom"
    lat_side: str = "left"
    degree_style: str = "°E"
    framed: bool = True
    title: str = ""
    fancy: bool = False
    tick_px: float = 4.0


@dataclass(frozen=True, eq=False)
class FigurePlan:
    """All of it. `font_px` is the em of the labels, `line_px` the width of lines."""

    seed: int
    layout: str
    size: tuple[int, int]
    font: str
    font_px: float
    line_px: float
    panels: tuple[PanelPlan, ...]
    bars: tuple[BarPlan, ...]
    title: str = ""
    field_name: str = "smooth"
    overlays: frozenset[str] = frozenset()
    extras: tuple[tuple[str, Box], ...] = ()
    traits: frozenset[str] = field(default_factory=frozenset)

    def rng(self, stream: int) -> np.random.Generator:
        """Randomness of its own for each part of the drawing."""
        return np.random.default_rng([self.seed, stream])
