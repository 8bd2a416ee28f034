"""Lines, words, markers and boxes over a matplotlib map."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy import ndimage

from .palettes import palette_colors
from .plans import Plan

__all__ = ["PLACE_NAMES", "add_overlays", "overlay_ink"]

PLACE_NAMES = (
    "Alba Basin",
    "North Ridge",
    "Kora",
    "Site 12",
    "M 6.4",
    "Sella Trench",
    "Varn Sea",
    "OBS-3",
    "Tirel Is.",
    "GRAND PLATEAU",
    "b",
    "2019-07",
)


def overlay_ink(plan: Plan, rng: np.random.Generator, dark: float = 0.5) -> str:
    """Black mostly, else white, grey, or a colour of the scale itself."""
    if rng.random() < dark:
        return "#000000"
    own = to_hex(palette_colors(plan.cmap)[int(rng.integers(256))])
    return str(rng.choice(["#ffffff", "#666666", "#1f2a44", "#c00000", own, own]))


def _smooth_view(z: NDArray[Any], sigma: float, stride: int) -> tuple[NDArray, NDArray, NDArray]:
    """A field thinned for contouring, with the pixel coordinates of its samples."""
    smooth = ndimage.gaussian_filter(np.asarray(z, float), sigma)[::stride, ::stride]
    height, width = smooth.shape
    return np.arange(width) * stride + 0.5, np.arange(height) * stride + 0.5, smooth


def _contours(ax: Axes, plan: Plan, rng: np.random.Generator, count: int, notes: dict[str, Any]) -> None:
    z = np.nan_to_num(np.log10(plan.data) if plan.norm == "log" else plan.data, nan=0.0)
    x, y, smooth = _smooth_view(z, 3 if count < 20 else 4, 3)
    ink = overlay_ink(plan, rng)
    levels = np.linspace(smooth.min(), smooth.max(), count + 2)[1:-1]
    width = float(rng.uniform(0.4, 1.1) if count < 20 else rng.uniform(0.3, 0.6)) * plan.font / 14
    drawn = ax.contour(x, y, smooth, levels=levels, colors=ink, linewidths=_points(plan, width * 1.4))
    if count < 20 and rng.random() < 0.7:
        drawn.clabel(levels[::2], fontsize=_points(plan, 0.7 * plan.font), fmt="%.3g")
    notes["contours"] = {"color": ink, "levels": levels}


def _points(plan: Plan, pixels: float) -> float:
    return float(pixels * 72 / plan.dpi)


def _coast(ax: Axes, plan: Plan, rng: np.random.Generator, notes: dict[str, Any]) -> None:
    assert plan.land is not None
    x, y, land = _smooth_view(plan.land, 0.5, 1)
    ink = overlay_ink(plan, rng, 0.75)
    pen = float(rng.uniform(0.7, 1.8)) * plan.font / 14
    ax.contour(x, y, land, levels=[0.0], colors=ink, linewidths=_points(plan, pen))
    notes["coast"] = {"color": ink, "width": pen}


def _graticule(ax: Axes, plan: Plan, rng: np.random.Generator, notes: dict[str, Any]) -> None:
    ink = overlay_ink(plan, rng)
    style = str(rng.choice(["-", "--", ":"]))
    pen = _points(plan, float(rng.uniform(0.6, 1.3)) * plan.font / 14)
    ax.grid(True, color=ink, linestyle=style, linewidth=pen, alpha=float(rng.choice([1.0, 1.0, 0.5])))
    notes["graticule"] = {"color": ink, "style": style}


def _labels(ax: Axes, plan: Plan, rng: np.random.Generator, notes: dict[str, Any]) -> None:
    width, height = plan.frame_size
    inks = []
    for name in rng.choice(PLACE_NAMES, int(rng.integers(3, 9)), replace=False):
        ink = overlay_ink(plan, rng)
        halo = ink != "#ffffff" and rng.random() < 0.3
        ax.text(
            rng.uniform(0.08, 0.85) * width,
            rng.uniform(0.08, 0.92) * height,
            str(name),
            color=ink,
            fontsize=_points(plan, plan.font * rng.uniform(0.7, 2.0)),
            rotation=float(rng.choice([0, 0, 0, 25, -40, 90])),
            style=str(rng.choice(["normal", "italic"])),
            clip_on=True,
            path_effects=[patheffects.withStroke(linewidth=2, foreground="white")] if halo else None,
        )
        inks.append(ink)
    notes["labels"] = {"colors": inks}


def _markers(ax: Axes, plan: Plan, rng: np.random.Generator, notes: dict[str, Any]) -> None:
    width, height = plan.frame_size
    for shape in rng.choice(["*", "o", "^", "s", "v", "+"], int(rng.integers(1, 4)), replace=False):
        count = int(rng.integers(4, 25))
        ink = overlay_ink(plan, rng, 0.25)
        ax.plot(
            rng.uniform(0, width, count),
            rng.uniform(0, height, count),
            linestyle="none",
            marker=str(shape),
            markersize=_points(plan, plan.font * rng.uniform(0.35, 1.1)),
            color=ink,
            markeredgecolor=ink if shape == "+" else "black",
            markeredgewidth=_points(plan, plan.font / 16),
        )
        notes.setdefault("markers", []).append({"color": ink, "marker": str(shape)})


def _legend(ax: Axes, plan: Plan, rng: np.random.Generator, notes: dict[str, Any]) -> None:
    entries = [
        Line2D([], [], color="black", linewidth=_points(plan, 2), label="Coast"),
        Line2D([], [], color="red", marker="*", linestyle="none", label="Station"),
        Line2D([], [], color="0.4", linestyle="--", linewidth=_points(plan, 2), label="Fault"),
    ]
    alpha = float(rng.choice([1.0, 0.8]))
    places = ("upper left", "upper right", "lower left", "lower right")
    place = places[int(rng.integers(4))]
    size = _points(plan, plan.font * rng.uniform(0.75, 1.0))
    ax.legend(handles=entries[: int(rng.integers(2, 4))], loc=cast(Any, place), framealpha=alpha, fontsize=size)
    notes["legend"] = {"alpha": alpha, "place": place}


def add_overlays(ax: Axes, plan: Plan) -> dict[str, Any]:
    """Draw what the plan asks for over the map; land fill and holes are part of the map itself."""
    rng = plan.rng(1)
    notes: dict[str, Any] = {}
    if "contours" in plan.overlays:
        _contours(ax, plan, rng, int(rng.integers(3, 8)), notes)
    if "dense_contours" in plan.overlays:
        _contours(ax, plan, rng, int(rng.integers(20, 41)), notes)
    for name, draw in (
        ("coast", _coast),
        ("graticule", _graticule),
        ("labels", _labels),
        ("markers", _markers),
        ("legend", _legend),
    ):
        if name in plan.overlays:
            draw(ax, plan, rng, notes)
    return notes
