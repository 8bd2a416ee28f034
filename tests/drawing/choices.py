"""What a scene is called by name, given or chosen by its seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .fields import FIELDS, REAL_FIELDS, field_names
from .palettes import COLORMAPS, GMT_COLORMAPS, gmt_available
from .shading import MATPLOTLIB_SHADINGS, SHADINGS

__all__ = ["OVERLAYS", "choose_names", "choose_size"]

OVERLAYS = (
    "land",
    "coast",
    "graticule",
    "contours",
    "dense_contours",
    "labels",
    "markers",
    "legend",
    "holes",
)
_EXTENDS = ("neither", "neither", "min", "max", "both")


def _choose_plotter(plotter: str | None, shading: str, pick_number: float) -> str:
    pick = "gmt" if pick_number < 0.3 and gmt_available() else "matplotlib"
    if plotter is None and shading != "random":
        pick = "gmt" if shading == "gmt" else pick if shading == "none" else "matplotlib"
    return plotter or pick


def _choose_overlays(overlays: str | list[str] | tuple[str, ...] | None, rng: np.random.Generator) -> tuple:
    drawn = tuple(name for name in OVERLAYS if rng.random() < (0.2 if "dense" in name else 0.5))
    if overlays == "all":
        return tuple(name for name in OVERLAYS if name not in ("dense_contours", "holes"))
    if overlays == "none":
        return ()
    if overlays is None or overlays == "random":
        return drawn
    chosen = (overlays,) if isinstance(overlays, str) else tuple(overlays)
    if unknown := set(chosen) - set(OVERLAYS):
        raise LookupError(f"No overlay {sorted(unknown)[0]!r}; there are {', '.join(OVERLAYS)}.")
    return chosen


def _check(plan: dict[str, Any]) -> None:
    if plan["plotter"] not in ("matplotlib", "gmt"):
        raise LookupError(f"No plotter {plan['plotter']!r}; there are matplotlib and gmt.")
    allowed = MATPLOTLIB_SHADINGS if plan["plotter"] == "matplotlib" else ("none", "gmt")
    if plan["shading"] not in allowed:
        raise LookupError(f"No shading {plan['shading']!r} in {plan['plotter']}; all are {', '.join(SHADINGS)}.")
    if plan["norm"] not in ("linear", "log"):
        raise LookupError(f"No norm {plan['norm']!r}; there are linear and log.")
    if plan["extend"] not in ("neither", "min", "max", "both"):
        raise LookupError(f"No extend {plan['extend']!r}; there are neither, min, max and both.")


def choose_names(
    plotter: str | None,
    cmap: str | None,
    field: str | None,
    overlays: str | list[str] | tuple[str, ...] | None,
    shading: str,
    classes: int | str | None,
    norm: str,
    extend: str,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Everything that has a name; the same random numbers are drawn whatever is given."""
    picks = rng.random(8)
    drawn_cmap = COLORMAPS[int(picks[1] * len(COLORMAPS))]
    drawn_cmap = "viridis" if drawn_cmap in GMT_COLORMAPS and not gmt_available() else drawn_cmap
    drawn_field = (FIELDS + REAL_FIELDS)[int(picks[2] * len(FIELDS + REAL_FIELDS))]
    drawn_field = drawn_field if drawn_field in field_names() else "topobathy"
    plotter = _choose_plotter(plotter, shading, float(picks[0]))
    shadings = ("none", "none", "gmt") if plotter == "gmt" else ("none",) * 5 + MATPLOTLIB_SHADINGS
    drawn_classes = None if picks[5] < 0.65 else 8 + int(13 * picks[6])
    choice = {
        "plotter": plotter,
        "cmap": cmap or drawn_cmap,
        "field": field or drawn_field,
        "overlays": _choose_overlays(overlays, rng),
        "shading": shadings[int(picks[3] * len(shadings))] if shading == "random" else shading,
        "norm": ("linear", "linear", "log")[int(picks[4] * 3)] if norm == "random" else norm,
        "extend": _EXTENDS[int(picks[7] * len(_EXTENDS))] if extend == "random" else extend,
        "classes": drawn_classes if classes == "random" else None if classes is None else int(classes),
    }
    _check(choice)
    return choice


def choose_size(size: int | tuple[int, int] | None, rng: np.random.Generator) -> tuple[int, int]:
    width = int(np.exp(rng.uniform(np.log(600), np.log(2400))))
    height = round(width * rng.uniform(0.6, 0.95))
    if size is None:
        return width, height
    return (size, round(size * 0.8)) if isinstance(size, int) else size
