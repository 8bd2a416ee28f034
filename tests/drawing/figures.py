"""Figures as publications print them, with the truth about their bars, ticks, labels and frames.

>>> from drawing.figures import draw_figure
>>> figure = draw_figure(3, plotter="matplotlib")
>>> figure.pixels.ndim, len(figure.bars) >= 1, figure.bars[0].axis in ("horizontal", "vertical")
(3, True, True)
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .encode import decode, encode
from .figure_layouts import LAYOUTS, plan_figure
from .figure_plans import FigurePlan
from .figure_truth import BarTruth, DrawnFigure, PanelTruth
from .figures_gmt import draw_by_gmt_figure
from .figures_gnuplot import draw_by_gnuplot
from .figures_matplotlib import draw_by_matplotlib
from .figures_pillow import draw_by_hand

__all__ = ["LAYOUTS", "PLOTTERS", "BarTruth", "DrawnFigure", "PanelTruth", "draw_figure", "plotters_here"]

Drawn = tuple[NDArray[np.uint8], list[BarTruth], list[PanelTruth]]

#: Plotters and how often each draws.
PLOTTERS = {"matplotlib": 0.58, "hand": 0.2, "gmt": 0.14, "gnuplot": 0.08}
_DRAW: dict[str, Callable[[FigurePlan], Drawn]] = {
    "matplotlib": draw_by_matplotlib,
    "hand": draw_by_hand,
    "gmt": draw_by_gmt_figure,
    "gnuplot": draw_by_gnuplot,
}


def plotters_here() -> tuple[str, ...]:
    """The plotters that can draw on this machine."""
    programs = {"gmt": ("gmt", "gs"), "gnuplot": ("gnuplot",)}
    return tuple(name for name in PLOTTERS if all(shutil.which(program) for program in programs.get(name, ())))


def _scan(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float, NDArray[np.float64]]:
    """The page laid askew on a scanner now and then: pixels, degrees, and the way from upright to askew points."""
    height, width = pixels.shape[:2]
    if rng.random() > 0.06:
        return pixels, 0.0, np.array([[1.0, 0, 0], [0, 1, 0]])
    degrees = float(rng.uniform(0.2, 3) * rng.choice([-1, 1]))
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cos, sin], [-sin, cos]])
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ turn.T
    low = np.floor(corners.min(axis=0))
    size = np.ceil(corners.max(axis=0) - low).astype(int)
    scan = np.column_stack([turn, -low])
    back = np.linalg.inv(turn)
    shift = back @ low
    image = Image.fromarray(pixels).transform(
        (int(size[0]), int(size[1])), Image.Transform.AFFINE,
        (back[0, 0], back[0, 1], shift[0], back[1, 0], back[1, 1], shift[1]), Image.Resampling.BICUBIC,
        fillcolor=(255, 255, 255),
    )  # fmt: skip
    return np.array(image), degrees, scan


def _store(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> tuple[bytes, str]:
    if rng.random() < 0.45:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
        return stream.getvalue(), ".png"
    subsampling = str(rng.choice(["4:2:0", "4:4:4"], p=[0.7, 0.3]))
    return encode(pixels, "jpeg", quality=int(rng.integers(60, 91)), subsampling=subsampling), ".jpg"


def draw_figure(seed: int, plotter: str | None = None, layout: str | None = None) -> DrawnFigure:
    """A figure drawn at random from its seed; the same seed draws the same figure.

    Seeds 0 to 999 are for tuning, 5000 and above for proof.
    """
    rng = np.random.default_rng([seed, 99])
    shares = np.array(list(PLOTTERS.values()))
    drawn = str(rng.choice(list(PLOTTERS), p=shares / shares.sum()))
    plotter = plotter or (drawn if drawn in plotters_here() else "matplotlib")
    if plotter not in plotters_here():
        raise LookupError(f"No plotter {plotter!r} here; there are {', '.join(plotters_here())}.")
    plan = plan_figure(seed, layout)
    upright, bars, panels = _DRAW[plotter](plan)
    askew, degrees, scan = _scan(rng, upright)
    data, suffix = _store(rng, askew)
    pixels = askew if suffix == ".png" else decode(data)
    return DrawnFigure(
        pixels, data, suffix, tuple(bars), tuple(panels), plan.layout, plotter, seed, degrees, scan, plan.traits
    )
