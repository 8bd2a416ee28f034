"""Maps with a labelled graticule, drawn by matplotlib and PROJ in the looks of Basemap and Cartopy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path
from numpy.typing import NDArray
from pyproj import Transformer

from .fields import make_field
from .graticules import LABEL_STYLES, GraticuleMap, label_text, round_step

__all__ = ["draw_by_matplotlib_graticule"]

Array = NDArray[np.float64]
Region = tuple[float, float, float, float]

_FONTS = ("DejaVu Sans", "DejaVu Serif", "Nimbus Sans", "Nimbus Roman", "STIXGeneral")
_COLORMAPS = ("viridis", "jet", "RdBu_r", "YlOrRd", "turbo", "Spectral_r", "gist_earth", "plasma")
#: Kinds of maps and how often each is drawn.
_KINDS = {
    "lonlat": 0.22,
    "Mercator": 0.12,
    "Miller": 0.05,
    "conic": 0.16,
    "polar": 0.1,
    "azimuthal": 0.09,
    "transverse": 0.06,
    "oval": 0.1,
    "fan": 0.1,
}
_STRAIGHT = ("lonlat", "Mercator", "Miller")


@dataclass(frozen=True)
class _Plan:
    """What is drawn: the plane's bounds for rectangles, or longitudes and latitudes for outlines."""

    kind: str
    proj: str
    middle: float
    bounds: Region | None
    region: Region | None
    aspect: float = 1.0


def _cylinder(kind: str, rng: np.random.Generator) -> _Plan:
    span = float(rng.choice([3, 8, 20, 45, 90, 180, 360]))
    tall = min(span * rng.uniform(0.4, 0.85), 150.0 if kind != "Mercator" else 130.0)
    low, high = (-75.0, 78.0) if kind == "Mercator" else (-85.0, 88.0)
    south = float(np.clip(rng.uniform(-50, 55) - tall / 2, low, high - tall))
    west = float(rng.choice([-180.0, 0.0])) if span == 360 else float(rng.uniform(-180, 180 - 0.6 * span))
    name = {"lonlat": "eqc", "Mercator": "merc", "Miller": "mill"}[kind]
    middle = west + span / 2
    proj = f"+proj={name} +lon_0={middle:.10g} +R=6371000"
    to_plane = Transformer.from_crs("EPSG:4326", proj, always_xy=True).transform
    _, bottom = to_plane(middle, south)
    _, top = to_plane(middle, south + tall)
    half = np.radians(span / 2) * 6371000
    north = south + tall
    aspect = 1.0
    if kind == "lonlat" and rng.random() < 0.4:
        aspect = float(rng.choice([1 / np.cos(np.radians((south + north) / 2)), rng.uniform(0.7, 1.5)]))
        aspect = min(aspect, 2.5)
    return _Plan(kind, proj, middle, (-half, half, float(bottom), float(top)), None, aspect)


def _flat(kind: str, rng: np.random.Generator) -> _Plan:
    """A rectangle cut out of a map whose graticule is bent."""
    middle = float(np.round(rng.uniform(-170, 170)))
    sign = float(rng.choice([1, 1, 1, -1]))
    half = rng.uniform(6, 22) * 111e3
    x, y = 0.0, 0.0
    if kind == "conic":
        lat = sign * rng.uniform(30, 62)
        name = rng.choice(["lcc", "aea", "eqdc"])
        proj = f"+proj={name} +lat_1={lat - 8:.0f} +lat_2={lat + 8:.0f} +lat_0={lat:.0f}"
    elif kind == "polar":
        name = rng.choice(["stere", "laea", "aeqd"])
        proj = f"+proj={name} +lat_0={90 * sign}" + (f" +lat_ts={70 * sign}" if name == "stere" else "")
        x, y = rng.uniform(-10, 10) * 111e3, -sign * rng.uniform(18, 45) * 111e3
        half = min(half, abs(y) * 0.9)
    elif kind == "azimuthal":
        name = rng.choice(["laea", "stere", "ortho", "aeqd"])
        proj = f"+proj={name} +lat_0={sign * rng.uniform(10, 60):.0f}"
        half = rng.uniform(8, 30) * 111e3
    else:
        proj = f"+proj=tmerc +lat_0={sign * rng.uniform(10, 60):.0f}"
        half = rng.uniform(2, 12) * 111e3
    tall = half * rng.uniform(0.6, 0.95)
    return _Plan(kind, f"{proj} +lon_0={middle} +R=6371000", middle, (x - half, x + half, y - tall, y + tall), None)


def _outlined(kind: str, rng: np.random.Generator) -> _Plan:
    """A world in an oval with flat poles, or the part of a cone between two meridians and two parallels."""
    if kind == "oval":
        middle = float(rng.choice([0, 0, 180, 150, -90, 10]))
        name = rng.choice(["robin", "eck4", "natearth", "wintri", "eqearth", "kav7"])
        return _Plan(
            kind,
            f"+proj={name} +lon_0={middle:g} +R=6371000",
            middle,
            None,
            (middle - 179.99, middle + 179.99, -90.0, 90.0),
        )
    middle = float(np.round(rng.uniform(-150, 150)))
    south, tall, wide = rng.uniform(20, 45), rng.uniform(15, 35), rng.uniform(30, 90)
    name = rng.choice(["lcc", "aea", "stere"])
    cone = "+lat_0=90" if name == "stere" else f"+lat_1={south + 5:.0f} +lat_2={south + tall - 4:.0f}"
    region = (middle - wide / 2, middle + wide / 2, south, south + tall)
    return _Plan(kind, f"+proj={name} {cone} +lon_0={middle} +R=6371000", middle, None, region)


class _Sheet:
    """Axes whose data are pixels of the picture, y upwards, and the plane of a projection laid on them."""

    def __init__(self, plan: _Plan, rng: np.random.Generator) -> None:
        self.plan = plan
        to_plane = Transformer.from_crs("EPSG:4326", plan.proj, always_xy=True)
        self.to_plane: Callable[..., Any] = to_plane.transform
        self.to_world: Callable[..., Any] = Transformer.from_crs(plan.proj, "EPSG:4326", always_xy=True).transform
        self.edge = self._outline()
        low, high = self.edge.min(axis=0), self.edge.max(axis=0)
        shape = (high - low) * (1.0, plan.aspect)
        map_width = float(rng.choice([360, 480, 620, 800, 1000, 1300]))
        map_height = map_width * shape[1] / shape[0]
        if map_height > 1.1 * map_width:
            map_width, map_height = 1.1 * map_width**2 / map_height, 1.1 * map_width
        self.font = float(np.clip((map_width + map_height) / 2 / rng.uniform(38, 70), 10, 30))
        self.scale = np.array([map_width, map_height]) / (high - low)
        margin = self.font * np.array([rng.uniform(6, 8), rng.uniform(5, 7)])
        self.bar_right = bool(rng.random() < 0.5)
        room = self.font * (np.array([14.0, 5.0]) if self.bar_right else np.array([7.0, 9.0]))
        self.size = np.ceil(margin + room + [map_width, map_height]).astype(int)
        self.corner = np.array([margin[0], self.size[1] - margin[1] - map_height]) + rng.uniform(0, 1, 2)
        self.low = low

    def _outline(self) -> Array:
        t = np.linspace(0, 1, 160)
        if self.plan.bounds is not None:
            left, right, bottom, top = self.plan.bounds
            return np.array([[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]])
        assert self.plan.region is not None
        west, east, south, north = self.plan.region
        lon = np.r_[west + (east - west) * t, 0 * t + east, east - (east - west) * t, 0 * t + west]
        lat = np.r_[0 * t + south, south + (north - south) * t, 0 * t + north, north - (north - south) * t]
        return np.stack(self.to_plane(lon, lat), axis=1)

    def sheet(self, plane: Array) -> Array:
        """Plane to pixels, y upwards."""
        return self.corner + (plane - self.low) * self.scale

    def pixels(self, world: Array) -> Array:
        """Longitudes and latitudes to pixels of the picture, y downwards."""
        at = self.sheet(np.stack(self.to_plane(*world.T), axis=1))
        at[:, 1] = self.size[1] - at[:, 1]
        return at


def _lattice(sheet: _Sheet) -> tuple[Array, Array]:
    """World and pixel coordinates all over the map."""
    box_low, box_high = sheet.sheet(sheet.edge).min(axis=0), sheet.sheet(sheet.edge).max(axis=0)
    x, y = np.meshgrid(*(np.linspace(a + 2, b - 2, 17) for a, b in zip(box_low, box_high, strict=True)))
    at = np.stack([x.ravel(), y.ravel()], axis=1)
    at = at[Path(sheet.sheet(sheet.edge)).contains_points(at, radius=0.0)]
    plane = (at - sheet.corner) / sheet.scale + sheet.low
    world = np.stack(sheet.to_world(*plane.T), axis=1)
    good = np.isfinite(world).all(axis=1)
    back = sheet.sheet(np.stack(sheet.to_plane(*world[good].T), axis=1))
    same = np.hypot(*(back - at[good]).T) < 0.01
    world, at = world[good][same], back[same]
    return world, np.stack([at[:, 0], sheet.size[1] - at[:, 1]], axis=1)


def _lines(sheet: _Sheet, lon_step: float, lat_step: float) -> list[tuple[str, float, Array]]:
    """The graticule's lines in pixels, y upwards: kind, degrees, points."""
    middle = sheet.plan.middle
    lattice, _ = _lattice(sheet)
    south, north = lattice[:, 1].min() - lat_step, lattice[:, 1].max() + lat_step
    lat = np.linspace(max(south, -89.9), min(north, 89.9), 700)
    reach = 179.99 if sheet.plan.kind in (*_STRAIGHT, "polar", "oval") else 110.0
    lon = middle + np.linspace(-reach, reach, 2200)
    lines = []
    for value in np.arange(np.ceil((middle - reach) / lon_step) * lon_step, middle + reach, lon_step):
        lines.append(("lon", float(value), np.stack(sheet.to_plane(0 * lat + value, lat), axis=1)))
    for value in np.arange(np.ceil(max(south, -89) / lat_step) * lat_step, min(north, 89.5), lat_step):
        lines.append(("lat", float(value), np.stack(sheet.to_plane(lon, 0 * lon + value), axis=1)))
    drawn = [(kind, value, sheet.sheet(at[np.isfinite(at).all(axis=1)])) for kind, value, at in lines]
    # A little beyond its ends, so that lines meet the outline of a whole world.
    return [
        (kind, value, np.concatenate([[2.5 * at[0] - 1.5 * at[1]], at, [2.5 * at[-1] - 1.5 * at[-2]]]))
        for kind, value, at in drawn
        if len(at) >= 2
    ]


def _ends(line: Array, edge: Array) -> list[tuple[Array, Array]]:
    """Where a line meets the outline, and the direction out of the map there."""
    found = []
    a, b = line[:-1], line[1:]
    for p, q in pairwise(edge):
        u = q - p
        length = float(np.hypot(*u))
        if length == 0:
            continue
        normal = np.array([u[1], -u[0]]) / length
        da, db = (a - p) @ normal, (b - p) @ normal
        for k in np.flatnonzero((da < 0) != (db < 0)):
            at = a[k] + (b[k] - a[k]) * da[k] / (da[k] - db[k])
            if 0 <= (at - p) @ u / length <= length:
                found.append((at, normal))
    return found


def _side_of(normal: Array, kind: str, outline: bool) -> str:
    """The side of the map an end lies at."""
    if outline:
        lying = abs(normal[1]) > (0.55 if kind == "lon" else 0.8)
    else:
        lying = abs(normal[1]) > 0.5
    if lying:
        return "bottom" if normal[1] < 0 else "top"
    return "left" if normal[0] < 0 else "right"


_ALIGNED = {
    "left": ("right", "center"),
    "right": ("left", "center"),
    "top": ("center", "bottom"),
    "bottom": ("center", "top"),
}


def _label_ends(
    ax: Axes, sheet: _Sheet, lines: Sequence[tuple[str, float, Array]], sides: dict[str, set[str]], pen: dict[str, Any]
) -> bool:
    """Write each line's degrees where it leaves the map, at the sides meant for its kind; False if these are few."""
    edge = sheet.sheet(sheet.edge)
    outline = sheet.plan.bounds is None
    taken: list[tuple[float, float, float]] = []
    written: dict[str, set[float]] = {"lon": set(), "lat": set()}
    for kind, value, line in lines:
        for at, normal in _ends(line, edge):
            side = _side_of(normal, kind, outline)
            if side not in sides[kind]:
                continue
            text = label_text(round(value, 6), kind == "lon", pen["style"], pen["decimals"])
            half = 0.33 * sheet.font * len(text) if side in ("top", "bottom") else 0.0
            if any(np.hypot(at[0] - x, at[1] - y) < half + w + 0.6 * sheet.font for x, y, w in taken):
                continue
            taken.append((at[0], at[1], half))
            written[kind].add(value)
            away = normal if outline else np.round(normal)
            start = at + away * pen["tick"]
            if pen["tick"]:
                ax.plot(*np.stack([at, start], axis=1), color="k", lw=pen["width"], zorder=6, clip_on=False)
            x, y = start + away * pen["pad"]
            ha, va = _ALIGNED[side]
            if outline and min(abs(normal)) > 0.25:
                ha, va = "right" if normal[0] < 0 else "left", "top" if normal[1] < 0 else "bottom"
                va = "center" if side in ("left", "right") else va
            ax.text(x, y, text, ha=ha, va=va, fontsize=sheet.font, zorder=6)
    counts = [len(values) for values in written.values()]
    return min(counts) >= 2 and max(counts) >= 3


def _choose_sides(plan: _Plan, rng: np.random.Generator) -> dict[str, set[str]]:
    if plan.bounds is None:
        lats = ({"left"}, {"left", "right"}, {"right"})[int(rng.integers(3))]
        lons = {"bottom"} if plan.kind == "fan" or rng.random() < 0.7 else {"bottom", "top"}
        return {"lon": lons, "lat": set(lats)}
    lons = ({"bottom"}, {"bottom"}, {"bottom", "top"}, {"top"})[int(rng.integers(4))]
    lats = ({"left"}, {"left"}, {"left", "right"}, {"right"})[int(rng.integers(4))]
    # Cartopy of late labels meridians at the left and right too, where they end there.
    if plan.kind not in _STRAIGHT and rng.random() < 0.25:
        return {"lon": lons | lats, "lat": lats | lons}
    return {"lon": set(lons), "lat": set(lats)}


def _paint(ax: Axes, sheet: _Sheet, rng: np.random.Generator) -> Any:
    """The field inside the outline, and the outline itself."""
    edge = sheet.sheet(sheet.edge)
    low, high = edge.min(axis=0), edge.max(axis=0)
    z = make_field(str(rng.choice(["smooth", "hills"])), 300, 220, rng)
    image = ax.imshow(
        z,
        extent=(low[0], high[0], low[1], high[1]),
        cmap=str(rng.choice(_COLORMAPS)),
        interpolation="bilinear",
        aspect="auto",
        zorder=1,
    )
    patch = matplotlib.patches.Polygon(edge, closed=True, fill=False, ec="k", lw=rng.uniform(0.8, 1.6), zorder=5)
    ax.add_patch(patch)
    image.set_clip_path(matplotlib.patches.PathPatch(Path(edge), transform=ax.transData))
    if rng.random() < 0.5:
        _coasts(ax, edge, rng)
    return image


def _coasts(ax: Axes, edge: Array, rng: np.random.Generator) -> None:
    """Ragged closed lines, as coasts are."""
    low, high = edge.min(axis=0), edge.max(axis=0)
    clip = matplotlib.patches.PathPatch(Path(edge), transform=ax.transData)
    for _ in range(int(rng.integers(2, 6))):
        angle = np.linspace(0, 2 * np.pi, 240)
        radius = 1 + sum(rng.normal(0, 0.5 / k**1.2) * np.sin(k * angle + rng.uniform(0, 6)) for k in range(1, 24))
        size = rng.uniform(0.05, 0.22) * (high - low).min()
        middle = rng.uniform(low, high)
        for line in ax.plot(
            middle[0] + size * radius * np.cos(angle), middle[1] + size * radius * np.sin(angle), "k-", lw=0.8
        ):
            line.set_clip_path(clip)


def draw_by_matplotlib_graticule(rng: np.random.Generator) -> GraticuleMap:
    """Draw one map with enough labels; everything about it comes from the generator."""
    while True:
        drawn = _draw(rng)
        if drawn is not None:
            return drawn


def _draw(rng: np.random.Generator) -> GraticuleMap | None:
    kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
    make = _cylinder if kind in _STRAIGHT else _outlined if kind in ("oval", "fan") else _flat
    sheet = _Sheet(make(kind, rng), rng)
    plan = sheet.plan
    world, places = _lattice(sheet)
    lon_span = float(np.ptp((world[:, 0] - plan.middle + 180) % 360))
    lon_step = round_step(min(lon_span, 360.0), int(rng.integers(5, 9)))
    lat_step = round_step(float(np.ptp(world[:, 1])), int(rng.integers(4, 7)))
    style = str(rng.choice(LABEL_STYLES, p=[0.3, 0.05, 0.1, 0.1, 0.05, 0.08, 0.1, 0.08, 0.06, 0.08]))
    if style in ("plain", "360°", "°") and kind not in _STRAIGHT:
        style = "°E"
    decimals = 0 if min(lon_step, lat_step) >= 1 else 2 if 0.25 in (lon_step, lat_step) else 1
    style = "°E" if style == "'" and decimals == 0 and rng.random() < 0.5 else style
    gridded = kind not in _STRAIGHT or rng.random() < 0.5
    ticked = (kind in _STRAIGHT and (not gridded or rng.random() < 0.6)) or rng.random() < 0.15
    sides = _choose_sides(plan, rng)
    width, height = (int(v) for v in sheet.size)
    with matplotlib.rc_context({"font.family": str(rng.choice(_FONTS)), "lines.scale_dashes": True}):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        canvas = FigureCanvasAgg(figure)
        ax = figure.add_axes((0, 0, 1, 1))
        image = _paint(ax, sheet, rng)
        lines = _lines(sheet, lon_step, lat_step)
        pen = {
            "style": style,
            "decimals": decimals,
            "width": rng.uniform(0.7, 1.3),
            "tick": sheet.font * rng.uniform(0.25, 0.5) if ticked else 0.0,
            "pad": sheet.font * rng.uniform(0.25, 0.5),
        }
        drawn = "none"
        if gridded:
            drawn = str(rng.choice(["k:", "k--", "w-", "gray -", "k-", "w--"]))
            color, dash = drawn.split()[0] if " " in drawn else drawn[0], drawn.split()[-1].lstrip("kw")
            for _, _, at in lines:
                (line,) = ax.plot(*at.T, color=color, ls=dash, lw=rng.uniform(0.6, 1.1), zorder=3)
                line.set_clip_path(matplotlib.patches.PathPatch(Path(sheet.sheet(sheet.edge)), transform=ax.transData))
        if not _label_ends(ax, sheet, lines, sides, pen):
            return None
        _surroundings(figure, ax, sheet, image, style, rng)
        ax.set_xlim(0, width)
        ax.set_ylim(0, height)
        ax.set_axis_off()
        canvas.draw()
        pixels = np.array(canvas.buffer_rgba())[:, :, :3].copy()
    edge = sheet.sheet(sheet.edge)
    edge[:, 1] = height - edge[:, 1]
    return GraticuleMap(
        pixels,
        int(rng.integers(60, 91)) if rng.random() < 0.4 else None,
        (*map(float, edge.min(axis=0)), *map(float, edge.max(axis=0))),
        None if plan.bounds is not None else edge[:-1],
        world,
        places,
        {
            "kind": kind,
            "plotter": "matplotlib",
            "style": style,
            "sides": "".join(s[0] for s in sorted(sides["lon"])) + "/" + "".join(s[0] for s in sorted(sides["lat"])),
            "lines": drawn,
            "proj": plan.proj,
        },
    )


def _surroundings(figure: Figure, ax: Axes, sheet: _Sheet, image: Any, style: str, rng: np.random.Generator) -> None:
    """Colour bar, title, and the names of the axes where numbers alone do not say what they are."""
    edge = sheet.sheet(sheet.edge)
    (left, bottom), (right, top) = edge.min(axis=0), edge.max(axis=0)
    font = sheet.font
    width, height = sheet.size
    if sheet.bar_right:
        place = (right + 6.5 * font, bottom + 0.05 * (top - bottom), font, 0.9 * (top - bottom))
    else:
        place = (left + 0.1 * (right - left), bottom - 6 * font, 0.8 * (right - left), font)
    cax = figure.add_axes((place[0] / width, place[1] / height, place[2] / width, place[3] / height))
    bar = figure.colorbar(image, cax=cax, orientation="vertical" if sheet.bar_right else "horizontal")
    bar.ax.tick_params(labelsize=0.9 * font)
    if rng.random() < 0.6:
        ax.text((left + right) / 2, top + 2.6 * font, "Mean anomaly", ha="center", va="bottom", fontsize=1.2 * font)
    if style == "plain" or (style == "°" and rng.random() < 0.5):
        ax.text((left + right) / 2, bottom - 2.2 * font, "Longitude", ha="center", va="top", fontsize=font)
        ax.text(left - 4.6 * font, (bottom + top) / 2, "Latitude", ha="center", va="center", rotation=90, fontsize=font)
