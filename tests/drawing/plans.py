"""Everything about a scene that is chosen before drawing: numbers, boxes and data, the same for both plotters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from .choices import choose_names, choose_size
from .fields import make_field

__all__ = ["Plan", "make_plan", "nice_ticks", "scale_fraction"]

_LINEAR = (
    ("Temperature", "°C", -2.0, 32.0),
    ("Elevation", "m", 0.0, 3000.0),
    ("Depth", "m", -6000.0, 0.0),
    ("Gravity anomaly", "mGal", -120.0, 80.0),
    ("Salinity", "psu", 30.0, 40.0),
    ("Anomaly", "K", -5.0, 5.0),
    ("Velocity perturbation", "%", -2.5, 2.5),
    ("Heat flow", "mW/m2", 20.0, 140.0),
)
_LOG = (
    ("Chlorophyll", "mg/m3", 0.01, 10.0),
    ("Permeability", "mD", 0.1, 1000.0),
    ("Concentration", "ng/L", 1.0, 1000.0),
    ("Viscosity", "Pa s", 0.01, 100.0),
)
_PLACES = (
    (15.0, 40.0),
    (-75.0, 20.0),
    (120.0, 12.0),
    (5.0, 57.0),
    (138.0, 37.0),
    (45.0, 22.0),
    (-6.0, 37.0),
    (100.0, 5.0),
)


@dataclass(frozen=True, eq=False)
class Plan:
    """A scene before it is drawn; boxes are whole pixels, `data` is (frame height, frame width) float32."""

    seed: int
    plotter: str
    cmap: str
    field: str
    overlays: tuple[str, ...]
    shading: str
    norm: str
    extend: str
    size: tuple[int, int]
    dpi: int
    font: float
    frame: tuple[int, int, int, int]
    bar: tuple[int, int, int, int]
    bar_side: str
    bar_vertical: bool
    bar_descending: bool
    bar_uniform: bool
    separators: bool
    triangle: int
    cell: int
    antialias: bool
    quantity: str
    unit: str
    vmin: float
    vmax: float
    edges: NDArray[np.float64] | None
    ticks: tuple[float, ...]
    degree: float
    west: float
    north: float
    lon_ticks: tuple[float, ...]
    lat_ticks: tuple[float, ...]
    data: NDArray[np.float32]
    land: NDArray[np.float64] | None
    hole_fill: str
    land_fill: str

    def rng(self, stream: int) -> np.random.Generator:
        """Random numbers for one part of the drawing, independent of every other part."""
        return np.random.default_rng([self.seed, stream])

    @property
    def frame_size(self) -> tuple[int, int]:
        left, top, right, bottom = self.frame
        return right - left, bottom - top

    def tick_positions(self) -> tuple[tuple[float, float], ...]:
        """Pixel position along the bar of every labelled tick."""
        left, top, right, bottom = self.bar
        start, length = (bottom, top - bottom) if self.bar_vertical else (left, right - left)
        places = []
        for value in self.ticks:
            share = scale_fraction(value, self)
            share = 1 - share if self.bar_descending else share
            places.append((value, float(start + length * share)))
        return tuple(places)

    def control_points(self) -> tuple[tuple[tuple[float, float], tuple[float, float]], ...]:
        """Crossings of the labelled meridians and parallels: pixel, (lon, lat)."""
        left, top = self.frame[:2]
        return tuple(
            ((left + (lon - self.west) / self.degree, top + (self.north - lat) / self.degree), (lon, lat))
            for lat in self.lat_ticks
            for lon in self.lon_ticks
        )


def scale_fraction(value: float, plan: Plan) -> float:
    """How far along the bar, from `vmin` (0) to `vmax` (1), a value lies."""
    if plan.edges is not None and plan.bar_uniform:
        return float(np.interp(value, plan.edges, np.linspace(0, 1, len(plan.edges))))
    if plan.norm == "log":
        return float(np.log(value / plan.vmin) / np.log(plan.vmax / plan.vmin))
    return (value - plan.vmin) / (plan.vmax - plan.vmin)


def nice_ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    """Round numbers from low to high."""
    values = MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    slack = 1e-9 * (high - low)
    return tuple(float(f"{v:.10g}") + 0.0 for v in values if low - slack <= v <= high + slack)


def _class_edges(low: float, high: float, count: int, norm: str) -> NDArray[np.float64]:
    if norm == "log":
        return np.array([float(f"{v:.2g}") for v in np.geomspace(low, high, count + 1)])
    raw = (high - low) / count
    power = 10 ** np.floor(np.log10(raw))
    step = min((1, 2, 2.5, 5, 10), key=lambda s: abs(s * power - raw)) * power
    return np.array([float(f"{v:.10g}") for v in np.floor(low / step) * step + step * np.arange(count + 1)])


def _values(u: NDArray[np.float64], low: float, high: float, norm: str, extend: str) -> NDArray[np.float32]:
    """Field in 0..1 to values that stay between the ends of the bar, or leave it where `extend` says."""
    below = float(np.quantile(u, 0.04)) if extend in ("min", "both") else -0.01
    above = float(np.quantile(u, 0.96)) if extend in ("max", "both") else 1.01
    share = (u - below) / (above - below)
    if norm == "log":
        return np.asarray(low * (high / low) ** share, np.float32)
    return np.asarray(low + (high - low) * share, np.float32)


def _boxes(
    size: tuple[int, int], font: float, side: str, rng: np.random.Generator, bar_length: int | None
) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """Whole-pixel boxes of the frame and the bar."""
    width, height = size
    room = {"left": 5.0, "right": 2.5, "top": 3.6, "bottom": 3.2}
    room[side] += {"left": 8.8, "right": 7.0, "top": 5.2, "bottom": 6.2}[side]
    left, top = round(room["left"] * font), round(room["top"] * font)
    right, bottom = width - round(room["right"] * font), height - round(room["bottom"] * font)
    vertical = side in ("left", "right")
    along = bottom - top if vertical else right - left
    length = bar_length or int(np.clip(along * rng.uniform(0.5, 1.0), 150, 900))
    length = min(length, along)
    thick = max(6, round(font * rng.uniform(0.9, 1.8)))
    start = (top if vertical else left) + int(rng.integers(0, 2)) * ((along - length) // 2)
    if side == "right":
        bar = (right + round(1.6 * font), start)
    elif side == "left":
        bar = (round(6.2 * font), start)
    elif side == "bottom":
        bar = (start, bottom + round(3.6 * font))
    else:
        bar = (start, round(4.2 * font))
    extent = (thick, length) if vertical else (length, thick)
    return (left, top, right, bottom), (*bar, bar[0] + extent[0], bar[1] + extent[1])


def _choose_ticks(
    low: float, high: float, edges: NDArray[np.float64] | None, norm: str, every: bool, room: int, count: int
) -> tuple[float, ...]:
    """Labelled values: class limits, decades or round numbers, no more than there is room for."""
    if edges is not None:
        return tuple(float(v) for v in edges[:: 1 if every else -(-len(edges) // room)])
    if norm == "log":
        exponents = np.arange(round(np.log10(low)), round(np.log10(high)) + 1)
        return tuple(float(f"{10.0**k:.6g}") for k in exponents)
    count = max(2, min(count, room - 1))
    while len(nice_ticks(low, high, count)) < 3:
        count += 1
    return nice_ticks(low, high, count)


def _scale(
    classes: int | None, norm: str, extend: str, cells: NDArray[np.float64], rng: np.random.Generator
) -> dict[str, Any]:
    """The quantity, its range, its classes and the values themselves."""
    table = _LOG if norm == "log" else _LINEAR
    quantity, unit, low, high = table[int(rng.integers(len(table)))]
    edges = None if classes is None else _class_edges(low, high, classes, norm)
    if edges is not None:
        low, high = float(edges[0]), float(edges[-1])
    return {
        "quantity": quantity,
        "unit": unit,
        "vmin": low,
        "vmax": high,
        "edges": edges,
        "data": _values(cells, low, high, norm, extend),
    }


def _geography(width: int, height: int, rng: np.random.Generator) -> dict[str, Any]:
    """Degrees a pixel, north-west corner and labelled meridians and parallels."""
    degree = float(f"{rng.uniform(8, 50) / width:.2g}")
    degree = min(degree, float(f"{50 / height:.1g}"))
    lon, lat = _PLACES[int(rng.integers(len(_PLACES)))]
    west = round(lon - width * degree / 2, 2)
    north = round(lat + height * degree / 2, 2)
    count = int(rng.integers(3, 7))
    return {
        "degree": degree,
        "west": west,
        "north": north,
        "lon_ticks": nice_ticks(west, west + width * degree, count),
        "lat_ticks": nice_ticks(north - height * degree, north, count),
    }


def _holes(data: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Cut swath gaps and elliptical holes into the data."""
    height, width = data.shape
    y, x = np.mgrid[0:height, 0:width]
    gone = np.zeros(data.shape, bool)
    for _ in range(int(rng.integers(1, 4))):
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
        a, b = rng.uniform(0.03, 0.12, 2) * min(width, height)
        gone |= ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1
    tilt, start = rng.uniform(-0.4, 0.4), rng.uniform(0.2, 0.8) * width
    gone |= np.abs(x - start - tilt * y) < 0.012 * width
    return np.asarray(np.where(gone, np.float32(np.nan), data), np.float32)


def _fill_cells(name: str, width: int, height: int, cell: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The field at every pixel, in square cells of `cell` pixels counted from the lower left corner."""
    if cell == 1:
        return make_field(name, width, height, rng)
    coarse = make_field(name, -(-width // cell), -(-height // cell), rng)
    return np.repeat(np.repeat(coarse, cell, axis=0), cell, axis=1)[-height:, :width]


def make_plan(
    seed: int,
    plotter: str | None,
    cmap: str | None,
    field: str | None,
    overlays: str | list[str] | tuple[str, ...] | None,
    shading: str,
    classes: int | str | None,
    norm: str,
    size: int | tuple[int, int] | None,
    extend: str,
    cell: int | None,
    bar_side: str | None,
    bar_length: int | None,
    antialias: bool,
) -> Plan:
    """Choose what was left open, check the rest and lay out the page."""
    rng = np.random.default_rng([seed, 0])
    choice = choose_names(plotter, cmap, field, overlays, shading, classes, norm, extend, rng)
    plotter, norm, extend, count = choice["plotter"], choice["norm"], choice["extend"], choice.pop("classes")
    width, height = choose_size(size, rng)
    dpi = next(d for d in (100, 120, 150, 200, 240, 300) if width <= d * 9 or d == 300)
    font = max(9.0, float(rng.uniform(0.011, 0.016)) * np.sqrt(width * height))
    side = bar_side or str(rng.choice(["right", "bottom", "right", "bottom", "left", "top"]))
    frame, bar = _boxes((width, height), font, side, rng, bar_length)
    w, h = frame[2] - frame[0], frame[3] - frame[1]
    drawn_cell = int(rng.choice([1, 1, 1, 4, 8]))
    cell = drawn_cell if cell is None else cell
    scale = _scale(count, norm, extend, _fill_cells(choice["field"], w, h, cell, rng), rng)
    land = None
    if plotter == "matplotlib" and {"land", "coast"} & set(choice["overlays"]):
        land = make_field("hills", w, h, np.random.default_rng([seed, 7]))
        land = land - np.quantile(land, 0.72)
    if "holes" in choice["overlays"]:
        scale["data"] = _holes(scale["data"], np.random.default_rng([seed, 8]))
    flip = bool(rng.random() < 0.15) and plotter == "matplotlib" and extend == "neither"
    uniform = bool(rng.random() < 0.5) or norm == "log"
    vertical = side in ("left", "right")
    along = bar[3] - bar[1] if vertical else bar[2] - bar[0]
    room = max(3, int(along / (font * (1.5 if vertical else 3.2))))
    limits = scale["edges"] if plotter == "matplotlib" or uniform else None
    bins = int(rng.integers(4, 11))
    every = plotter == "gmt"
    return Plan(
        seed=seed,
        size=(width, height),
        dpi=dpi,
        font=font,
        frame=frame,
        bar=bar,
        bar_side=side,
        bar_vertical=vertical,
        bar_descending=flip,
        bar_uniform=count is not None and uniform,
        separators=bool(rng.random() < 0.6),
        triangle=max(5, round(1.1 * (min(bar[2] - bar[0], bar[3] - bar[1])))),
        cell=cell,
        antialias=antialias and count is not None and cell == 1,
        land=land,
        hole_fill=str(rng.choice(["#ffffff", "#ffffff", "#c8c8c8"])),
        land_fill=str(rng.choice(["#bfbfbf", "#ffffff", "#d2b48c", "#808080", "#e8e4d8"])),
        ticks=_choose_ticks(scale["vmin"], scale["vmax"], limits, norm, every, room, bins),
        **choice,
        **scale,
        **_geography(w, h, rng),
    )
