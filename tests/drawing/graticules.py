"""Maps with labelled longitudes and latitudes, by seed: any region, projection, style of labels and pen, and where
every place on Earth lies in the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LABEL_STYLES", "GraticuleMap", "draw_graticule", "label_text", "round_step"]

Array = NDArray[np.float64]

#: How longitudes and latitudes are written.
LABEL_STYLES = ("°E", "° E", "E", "°", "360°", "'", "French", "German", "Spanish", "plain")

#: Steps of a graticule, degrees.
_STEPS = (0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60)


@dataclass(frozen=True, eq=False)
class GraticuleMap:
    """A drawn map and the truth about its place.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    jpeg : int or None
        Quality it is stored with as JPEG; None for PNG.
    box : (left, top, right, bottom)
        The frame, or the bounding box of the outline, in pixels.
    outline : (k, 2) float array or None
        The outline of maps that are no rectangles.
    world, places : (n, 2) float arrays
        Longitudes and latitudes all over the map, and where they lie in pixels.
    traits : dict
        ``kind``, ``plotter``, ``style``, ``sides``, ``lines``.
    """

    pixels: NDArray[np.uint8]
    jpeg: int | None
    box: tuple[float, float, float, float]
    outline: Array | None
    world: Array
    places: Array
    traits: dict[str, str]


def label_text(value: float, lon: bool, style: str, decimals: int) -> str:
    """A longitude or latitude as a map would write it.

    Parameters
    ----------
    value : float
        Degrees; longitudes may run on beyond 180.
    lon : bool
    style : str
        One of `LABEL_STYLES`.
    decimals : int
    """
    if lon and style != "360°":
        value = (value + 180) % 360 - 180
        value = 180.0 if value == -180 else value
    elif lon:
        value %= 360
    size = f"{abs(value):.{decimals}f}"
    if style in ("°", "360°"):
        return f"{value:.{decimals}f}°".replace("-", "−")
    if style == "plain":
        return f"{value:.{decimals}f}".replace("-", "−")
    if value == 0 and not lon and style == "E":
        return "EQ"
    if style == "'":
        whole, minutes = divmod(round(abs(value) * 60), 60)
        size, ring = f"{whole}", f"°{minutes:02d}'"
    else:
        ring = "" if style == "E" else "°"
    if value == 0 or (lon and abs(value) == 180):
        return size + (ring or "°")
    west, east = {"French": "OE", "German": "WO", "Spanish": "OE"}.get(style, "WE")
    side = (east if value > 0 else west) if lon else ("N" if value > 0 else "S")
    return f"{size}{ring}{' ' if style == '° E' else ''}{side}"


def round_step(span: float, most: int) -> float:
    """The smallest round step that cuts a span into at most `most` parts."""
    return float(next((step for step in _STEPS if span / step <= most), _STEPS[-1]))


def draw_graticule(seed: int, plotter: str | None = None) -> GraticuleMap:
    """Draw the map of a seed.

    Parameters
    ----------
    seed : int
    plotter : {"matplotlib", "gmt"} or None
        None: as the seed has it; without GMT always matplotlib.
    """
    from .graticules_gmt import draw_by_gmt_graticule
    from .graticules_matplotlib import draw_by_matplotlib_graticule
    from .palettes import gmt_available

    rng = np.random.default_rng([seed, 5])
    own = "gmt" if rng.random() < 0.4 and gmt_available() else "matplotlib"
    plotters: dict[str, Callable[[np.random.Generator], GraticuleMap]] = {
        "gmt": draw_by_gmt_graticule,
        "matplotlib": draw_by_matplotlib_graticule,
    }
    return plotters[plotter or own](rng)
