"""Maps with a labelled graticule, drawn by GMT 6: frames plain and fancy, corners, discs, fans and ovals."""

from __future__ import annotations

import io
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.io import netcdf_file

from .fields import make_field
from .graticules import GraticuleMap, round_step
from .palettes import run_gmt

__all__ = ["draw_by_gmt_graticule"]

Array = NDArray[np.float64]

_DPI = 100
#: Kinds of maps and how often each is drawn.
_KINDS = {
    "Mercator": 0.2,
    "lonlat": 0.15,
    "conic": 0.17,
    "azimuthal": 0.08,
    "polar": 0.08,
    "transverse": 0.06,
    "oval": 0.1,
    "fan": 0.16,
}
_OUTLINED = ("oval", "fan")


@dataclass(frozen=True)
class _Plan:
    """GMT's region and projection, and the longitudes and latitudes it holds."""

    kind: str
    region: str
    projection: str
    span: tuple[float, float, float, float]


def _plan(kind: str, rng: np.random.Generator) -> _Plan:
    lon, lat = round(rng.uniform(-160, 140)), round(rng.uniform(-45, 50))
    if kind in ("Mercator", "lonlat"):
        wide = float(rng.choice([4, 10, 24, 60, 180]))
        tall = min(wide * rng.uniform(0.4, 0.8), 90)
        south, north = max(lat - tall / 2, -75), min(lat + tall / 2, 76)
        span = (float(lon), lon + wide, south, north)
        name = "M" if kind == "Mercator" else f"Q{lon + wide / 2:g}/{rng.choice([0, round((south + north) / 2)])}/"
        return _Plan(kind, "-R{:g}/{:g}/{:g}/{:g}".format(*span), f"-J{name}", span)
    if kind == "oval":
        middle = int(rng.choice([0, 180, 150, -90, 10]))
        span = (middle - 180.0, middle + 180.0, -90.0, 90.0)
        letter = str(rng.choice(["N", "R", "Kf"]))
        return _Plan(kind, f"-R{span[0]:g}/{span[1]:g}/-90/90", f"-J{letter}{middle}/", span)
    if kind == "fan":
        wide, south, tall = rng.uniform(30, 90), round(rng.uniform(20, 45)), round(rng.uniform(15, 35))
        span = (float(lon), lon + round(wide), float(south), float(south + tall))
        middle = lon + round(wide) / 2
        letter = str(rng.choice(["L", "B", "D", "S"]))
        cone = (
            f"{middle:g}/90/" if letter == "S" else f"{middle:g}/{south + tall / 2:g}/{south + 4}/{south + tall - 4}/"
        )
        return _Plan(kind, "-R{:g}/{:g}/{:g}/{:g}".format(*span), f"-J{letter}{cone}", span)
    return _oblique(kind, rng)


def _oblique(kind: str, rng: np.random.Generator) -> _Plan:
    """A rectangle cut out of a map whose graticule is bent, given by two of its corners."""
    lon, lat = round(rng.uniform(-160, 140)), round(rng.uniform(-45, 50))
    half = float(rng.uniform(3, 20))
    if kind == "polar":
        away = rng.uniform(28, 55)
        corners = (lon - rng.uniform(15, 40), 90 - away, lon + rng.uniform(60, 130), 90 - away * rng.uniform(0.7, 1))
        projection = f"-J{rng.choice(['S', 'A', 'E'])}{lon + 15}/90/"
    else:
        lat = abs(lat) + 12 if kind == "conic" else lat
        cosine = np.cos(np.radians(abs(lat)))
        tall = half * rng.uniform(0.5, 0.9)
        corners = (lon - half / cosine, lat - tall, lon + half / cosine, lat + tall)
        letter = {"conic": rng.choice(["L", "B", "D"]), "azimuthal": rng.choice(["A", "S", "G"]), "transverse": "T"}
        cone = f"/{lat - 6}/{lat + 6}" if kind == "conic" else ""
        projection = f"-J{letter[kind]}{lon}/{lat}{cone}/"
    region = "-R{:.2f}/{:.2f}/{:.2f}/{:.2f}+r".format(*corners)
    west, south, east, north = corners
    if kind == "polar":
        return _Plan(kind, region, projection, (-180.0, 180.0, 0.0, 89.0))
    return _Plan(kind, region, projection, (west - half, east + half, max(south - half, -85), min(north + half, 89)))


class _Page:
    """One PostScript page and the place of the map on it."""

    def __init__(self, plan: _Plan, directory: str, rng: np.random.Generator) -> None:
        self.plan, self.directory = plan, directory
        width = float(rng.choice([360, 480, 620, 800, 1000, 1300])) / _DPI
        high = float(self._ask("-Wh", f"{plan.projection}{width}i").split()[0])
        if high > 1.1 * width:
            width, high = 1.1 * width**2 / high, 1.1 * width
        self.width = width
        self.projection = f"{plan.projection}{width:.6g}i"
        self.high = float(self._ask("-Wh", self.projection).split()[0])
        self.font = float(np.clip((self.width + self.high) / 2 * _DPI / rng.uniform(38, 70), 10, 30))
        self.left, self.bottom = 7 * self.font / _DPI, 8 * self.font / _DPI
        self.size = (
            int(self.width * _DPI + 15 * self.font),
            int(self.high * _DPI + 14 * self.font),
        )
        self.text = ""

    def _ask(self, option: str, projection: str, stdin: str = "") -> str:
        options = (option,) if option else ()
        settings = ("--PROJ_LENGTH_UNIT=inch", "--FORMAT_FLOAT_OUT=%.9f")
        done = run_gmt(
            "mapproject", self.plan.region, projection, *options, *settings, directory=self.directory, stdin=stdin
        )
        return done.decode()

    def pixels(self, world: Array) -> Array:
        """Longitudes and latitudes to pixels of the picture."""
        rows = "\n".join(f"{x:.9f} {y:.9f}" for x, y in world) + "\n"
        told = self._ask("", self.projection, rows).split()
        at = np.array(told, float).reshape(-1, 2)
        return np.stack([(self.left + at[:, 0]) * _DPI, self.size[1] - (self.bottom + at[:, 1]) * _DPI], axis=1)

    def world(self, pixels: Array) -> Array:
        """Pixels of the picture to longitudes and latitudes."""
        x, y = pixels[:, 0] / _DPI - self.left, (self.size[1] - pixels[:, 1]) / _DPI - self.bottom
        rows = "\n".join(f"{a:.9f} {b:.9f}" for a, b in zip(x, y, strict=True)) + "\n"
        return np.array(self._ask("-I", self.projection, rows).split(), float).reshape(-1, 2)

    def plot(self, module: str, *arguments: str) -> None:
        width, height = (v * 72 / _DPI + 2 for v in self.size)
        settings = (f"--PS_MEDIA={width:.0f}x{height:.0f}", "--PS_CHAR_ENCODING=ISOLatin1+")
        place = ("-O",) if self.text else ("-P", f"-Xf{self.left:.6f}i", f"-Yf{self.bottom:.6f}i")
        out = run_gmt(
            module,
            self.plan.region,
            self.projection,
            "-K",
            *place,
            *arguments,
            *settings,
            directory=self.directory,
        )
        self.text += out.decode("latin-1")

    def picture(self) -> NDArray[np.uint8]:
        path = Path(self.directory) / "page.ps"
        path.write_bytes((self.text + "\nshowpage\n").encode("latin-1"))
        command = [
            "gs", "-q", "-dSAFER", "-dNOPAUSE", "-dBATCH", "-sDEVICE=ppmraw", f"-r{_DPI}",
            f"-g{self.size[0]}x{self.size[1]}", "-dFIXEDMEDIA", "-dTextAlphaBits=4", "-dGraphicsAlphaBits=4",
            "-sstdout=%stderr", "-sOutputFile=-", str(path),
        ]  # fmt: skip
        with Image.open(io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)) as image:
            return np.array(image.convert("RGB"))


def _write_field(page: _Page, rng: np.random.Generator) -> None:
    z = make_field(str(rng.choice(["smooth", "hills"])), 361, 181, rng)
    west, east, south, north = page.plan.span
    with netcdf_file(Path(page.directory) / "field.nc", "w") as file:
        for axis, low, high, count, unit in (
            ("lon", west, east, 361, "degrees_east"),
            ("lat", south, north, 181, "degrees_north"),
        ):
            file.createDimension(axis, count)
            variable = file.createVariable(axis, "f8", (axis,))
            variable[:] = np.linspace(low, high, count)
            variable.units = unit
        if east - west == 360:
            z[:, -1] = z[:, 0]
        file.createVariable("z", "f4", ("lat", "lon"))[:] = z
    table = run_gmt("makecpt", f"-C{rng.choice(['jet', 'haxby', 'viridis', 'polar'])}", "-T0/1/0.01", "-Z")
    (Path(page.directory) / "map.cpt").write_bytes(table)


def _steps(page: _Page, rng: np.random.Generator) -> tuple[float, float, bool]:
    """Steps of longitude and latitude, and whether enough of them can be labelled at the frame."""
    most = int(rng.integers(5, 9)), int(rng.integers(4, 7))
    if page.plan.kind in (*_OUTLINED, "Mercator", "lonlat"):
        west, east, south, north = page.plan.span
        return round_step(east - west, most[0]), round_step(north - south, most[1]), True
    edge = _edge(page)
    t = np.linspace(0, 1, 60)[:, None]
    left_top, right_top, right_bottom, left_bottom = edge
    level = [np.unwrap(page.world(a + t * (b - a))[:, 0], period=360) for a, b in
             ((left_top, right_top), (left_bottom, right_bottom))]  # fmt: skip
    upright = [page.world(a + t * (b - a))[:, 1] for a, b in ((left_top, left_bottom), (right_top, right_bottom))]
    steps = [
        round_step(max(float(np.ptp(run)) for run in runs), m) for runs, m in ((level, most[0]), (upright, most[1]))
    ]
    counts = [min(len(np.unique(np.floor(run / step))) - 1 for run in runs)
              for runs, step in ((level, steps[0]), (upright, steps[1]))]  # fmt: skip
    return steps[0], steps[1], min(counts) >= 2 and max(counts) >= 3


def _frame(page: _Page, rng: np.random.Generator, traits: dict[str, str], steps: tuple[float, float]) -> None:
    """The frame with its labels, and gridlines where they are needed or wished for."""
    plan = page.plan
    lon_step, lat_step = steps
    straight = plan.kind in ("Mercator", "lonlat")
    gridded = not straight or rng.random() < 0.4
    whole = min(lon_step, lat_step) >= 1
    style = str(rng.choice(["dddF", "ddd:mmF", "ddd", "+dddF"] if whole else ["ddd:mmF", "ddd.xxF"]))
    sides = str(rng.choice(["WSne", "WSNE", "WSen", "wSnE", "wsNE", "WSnE", "WSNe"]))
    if plan.kind in _OUTLINED:
        sides = str(rng.choice(["WSne", "WSnE", "WSNE"]))
    fancy = bool(straight and rng.random() < 0.5)
    points = 72 / _DPI
    font = str(rng.choice(["Helvetica", "Times-Roman", "Helvetica-Bold"]))
    minor = "f" if rng.random() < 0.6 and straight else ""
    grid = "g" if gridded else ""
    color, dash = str(rng.choice(["black", "black", "gray40", "white"])), str(rng.choice(["", "", ",-", ",."]))
    traits |= {"style": style, "sides": sides, "lines": f"{color}{dash}" if gridded else "none"}
    traits["frame"] = "fancy" if fancy else "plain"
    page.plot(
        "psbasemap",
        f"-Bxa{lon_step:g}{minor}{grid}{lon_step if grid else ''}",
        f"-Bya{lat_step:g}{minor}{grid}{lat_step if grid else ''}",
        f"-B{sides}{'+tMean anomaly' if rng.random() < 0.4 and 'N' not in sides else ''}",
        f"--MAP_FRAME_TYPE={'fancy' if fancy else 'plain'}",
        f"--MAP_FRAME_WIDTH={page.font * points * 0.35:.3g}p",
        f"--MAP_FRAME_PEN={rng.uniform(0.6, 1.2):.3g}p",
        f"--MAP_GRID_PEN_PRIMARY={rng.uniform(0.4, 0.8):.3g}p,{color}{dash}",
        f"--FORMAT_GEO_MAP={style}",
        f"--FONT_ANNOT_PRIMARY={page.font * points:.4g}p,{font}",
        f"--FONT_TITLE={1.3 * page.font * points:.4g}p,{font}",
        f"--MAP_TICK_LENGTH_PRIMARY={page.font * points * rng.choice([0.0, 0.35, 0.5]):.3g}p",
        f"--MAP_ANNOT_OFFSET_PRIMARY={page.font * points * rng.uniform(0.25, 0.45):.3g}p",
    )


def _lattice(page: _Page, edge: Array) -> tuple[Array, Array]:
    """World and pixel coordinates all over the map."""
    west, east, south, north = page.plan.span
    shrink = 0.004 * (east - west)
    lon, lat = np.meshgrid(np.linspace(west + shrink, east - shrink, 31), np.linspace(south, north, 31)[1:-1])
    world = np.stack([lon.ravel(), lat.ravel()], axis=1)
    places = page.pixels(world)
    (left, top), (right, bottom) = edge.min(axis=0), edge.max(axis=0)
    good = np.isfinite(places).all(axis=1)
    good &= (places[:, 0] > left + 1) & (places[:, 0] < right - 1)
    good &= (places[:, 1] > top + 1) & (places[:, 1] < bottom - 1)
    return world[good], places[good]


def _edge(page: _Page) -> Array:
    """The outline in pixels."""
    if page.plan.kind not in _OUTLINED:
        left, bottom = page.left * _DPI, page.size[1] - page.bottom * _DPI
        right, top = left + page.width * _DPI, bottom - page.high * _DPI
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    west, east, south, north = page.plan.span
    # GMT takes the eastern end of a whole world for its western one.
    west, east = west + 1e-5, east - 1e-5
    t = np.linspace(0, 1, 120, endpoint=False)
    lon = np.r_[west + (east - west) * t, 0 * t + east, east - (east - west) * t, 0 * t + west]
    lat = np.r_[0 * t + south, south + (north - south) * t, 0 * t + north, north - (north - south) * t]
    return page.pixels(np.stack([lon, lat], axis=1))


def draw_by_gmt_graticule(rng: np.random.Generator) -> GraticuleMap:
    """Draw one map; everything about it comes from the generator."""
    kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(40):
            page = _Page(_plan(kind, rng), directory, rng)
            *steps, readable = _steps(page, rng)
            if readable and page.high / page.width >= 0.35:
                break
        plan = page.plan
        traits = {"kind": kind, "plotter": "gmt", "proj": f"{plan.region} {plan.projection}"}
        _write_field(page, rng)
        page.plot("grdimage", "field.nc", "-Cmap.cpt", "-n+c")
        if rng.random() < 0.5:
            page.plot("pscoast", "-Dc", "-W0.5p,black")
        _frame(page, rng, traits, (steps[0], steps[1]))
        size = f"+w{0.8 * page.width:.4g}i/{page.font / _DPI:.4g}i+h"
        drop = -4 * page.font / _DPI
        font = f"--FONT_ANNOT_PRIMARY={0.9 * page.font * 72 / _DPI:.4g}p"
        page.plot("psscale", "-Cmap.cpt", f"-Dx{page.width / 2:.4g}i/{drop:.4g}i{size}+jTC", "-Bxa0.2", font)
        edge = _edge(page)
        world, places = _lattice(page, edge)
        pixels = page.picture()
    return GraticuleMap(
        pixels,
        int(rng.integers(60, 91)) if rng.random() < 0.4 else None,
        (*map(float, edge.min(axis=0)), *map(float, edge.max(axis=0))),
        edge if kind in _OUTLINED else None,
        world,
        places,
        traits,
    )
