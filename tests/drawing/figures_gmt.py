"""Figures drawn by GMT 6 and turned into pixels by Ghostscript; everything is placed from the page's corner."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.io import netcdf_file

from .fields import make_field
from .figure_extras import Shape, extra_shapes
from .figure_labels import plain_text
from .figure_plans import BarPlan, FigurePlan, PanelPlan
from .figure_scenery import TextItem, bar_colors, bar_texts, page_texts, panel_picture
from .figure_truth import BarTruth, PanelTruth, bar_truth
from .palettes import run_gmt

__all__ = ["draw_by_gmt_figure"]

Array = NDArray[np.float64]

_DPI = 144
_FONTS = {
    "DejaVu Sans": "Helvetica",
    "Nimbus Sans": "Helvetica",
    "cmr10": "Helvetica-Bold",
    "STIXGeneral": "Palatino-Roman",
}
_LETTERS = {
    "−": "-",
    "–": "-",
    "×": "\\327",
    "°": "\\260",
    "μ": "\\265",
    "≤": "@~\\243@~",
    "≥": "@~\\263@~",
}
_JUST = {"left": "L", "center": "C", "right": "R", "top": "T", "bottom": "B"}


def _written(text: str) -> str:
    """A text in GMT's own escapes."""
    words = "".join(f"@+{run}@+" if raised else run for run, raised in plain_text(text))
    for letter, code in _LETTERS.items():
        words = words.replace(letter, code)
    return words


def _slashes(color: Sequence[float]) -> str:
    return "/".join(f"{255 * c:.0f}" for c in color)


class _Page:
    """A PostScript page in a directory of its own; places are pixels from its top left corner."""

    def __init__(self, plan: FigurePlan, directory: str) -> None:
        self.plan, self.directory = plan, Path(directory)
        self.file = self.directory / "page.ps"
        width, height = plan.size
        self.first = True
        self.font = _FONTS.get(plan.font, "Times-Roman")
        self.settings = [
            f"--PS_MEDIA={width * 72 / _DPI + 2:.0f}x{height * 72 / _DPI + 2:.0f}",
            "--PS_CHAR_ENCODING=ISOLatin1+",
            f"--FONT_ANNOT_PRIMARY={self.points(plan.font_px)},{self.font}",
            f"--MAP_FRAME_PEN={self.points(plan.line_px)},black",
            f"--MAP_TICK_PEN_PRIMARY={self.points(plan.line_px)},black",
            f"--MAP_FRAME_WIDTH={self.points(plan.font_px * 0.4)}",
            f"--MAP_ANNOT_OFFSET_PRIMARY={self.points(plan.font_px * 0.3)}",
        ]

    def inches(self, pixels: float) -> str:
        return f"{pixels / _DPI:.8g}i"

    def points(self, pixels: float) -> str:
        return f"{pixels * 72 / _DPI:.4g}p"

    def plot(self, module: str, *arguments: str, at: tuple[float, float] | None = None, stdin: str = "") -> None:
        """Run a module with its origin at a pixel place (the lower left corner of the page if none is given)."""
        x, y = at or (0.0, float(self.plan.size[1]))
        corner = (f"-Xf{self.inches(x)}", f"-Yf{self.inches(self.plan.size[1] - y)}")
        order = ("-K", "-P") if self.first else ("-K", "-O")
        done = run_gmt(module, *arguments, *order, *corner, *self.settings, directory=str(self.directory), stdin=stdin)
        with self.file.open("ab") as file:
            file.write(done)
        self.first = False

    def sheet(self, module: str, *arguments: str, stdin: str) -> None:
        """Plot in pixels of the whole page."""
        width, height = self.plan.size
        self.plot(module, f"-R0/{width}/0/{height}", f"-Jx{1 / _DPI:.10g}i", *arguments, stdin=stdin)

    def write(self, items: Sequence[TextItem]) -> None:
        lines = []
        for item in items:
            size = self.points(item.scale * self.plan.font_px)
            just = _JUST[item.ha] + ("M" if item.va == "center" else _JUST[item.va])
            if item.rotation:
                just = {"LM": "CT", "RM": "CB"}.get(just, just)
            place = f"{item.x:.3f} {self.plan.size[1] - item.y:.3f}"
            lines.append(f"{place} {size},{self.font},{item.color} {item.rotation} {just} {_written(item.text)}")
        if lines:
            self.sheet("pstext", "-F+f+a+j", "-N", stdin="\n".join(lines) + "\n")

    def polygon(self, shape: Shape) -> None:
        if shape.points is not None:
            rows = "\n".join(f"{x:.3f} {self.plan.size[1] - y:.3f}" for x, y in shape.points)
            fill = (f"-G{shape.face}",) if shape.face else ()
            pen = (f"-W{self.points(self.plan.line_px)},{shape.edge}",) if shape.edge else ()
            self.sheet("psxy", "-L", *fill, *pen, stdin=rows + "\n")

    def picture(self, pixels: NDArray[np.uint8], box: tuple[float, float, float, float], name: str) -> None:
        left, top, right, bottom = box
        Image.fromarray(pixels).save(self.directory / f"{name}.png", compress_level=1)
        size = f"-Dx0/0+w{self.inches(right - left)}/{self.inches(bottom - top)}"
        self.plot("psimage", f"{name}.png", size, at=(left, bottom))

    def pixels(self) -> NDArray[np.uint8]:
        with self.file.open("ab") as file:
            file.write(b"\nshowpage\n")
        width, height = self.plan.size
        command = [
            "gs",
            "-q",
            "-dSAFER",
            "-dNOPAUSE",
            "-dBATCH",
            "-sDEVICE=ppmraw",
            f"-r{_DPI}",
            f"-g{width}x{height}",
            "-dFIXEDMEDIA",
            "-dTextAlphaBits=4",
            "-dGraphicsAlphaBits=4",
            "-sstdout=%stderr",
            "-sOutputFile=-",
            str(self.file),
        ]
        with Image.open(io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)) as image:
            return np.array(image.convert("RGB"))


def _suited(plan: FigurePlan) -> FigurePlan:
    """The plan without what GMT's bars do not have: turned labels, end boxes, bars without an outline."""
    bars = []
    for bar in plan.bars:
        traits = bar.scale.traits - {"turned", "end-boxes"} | ({"triangles"} if any(bar.scale.extend) else set())
        tick = "out" if bar.tick == "across" else bar.tick
        end_px = min(bar.end_px, 1.6 * plan.font_px)
        scale = replace(bar.scale, end_boxes=False, traits=traits)
        bars.append(replace(bar, scale=scale, turned=False, tick=tick, outline=bar.outline or bar.ink, end_px=end_px))
    return replace(plan, bars=tuple(bars))


def _step(values: Sequence[float]) -> str:
    return f"a{values[1] - values[0]:.6g}" if len(values) > 1 else "a90"


def _draw_rectangle(page: _Page, number: int) -> PanelTruth:
    plan, panel = page.plan, page.plan.panels[number]
    left, top, right, bottom = panel.box
    page.picture(panel_picture(plan, number), panel.box, f"panel{number}")
    west, east, south, north = panel.region
    lon = np.array(panel.lon_ticks if len(panel.lon_ticks) > 1 else ())
    lat = np.array(panel.lat_ticks if len(panel.lat_ticks) > 1 else ())
    geographic = panel.degree_style in ("°E", "E", "°")
    style = "ddd.xF" if panel.degree_style != "°" else "ddd.x"
    if geographic and all(float(v).is_integer() for v in (*lon, *lat)):
        style = style.replace(".x", "")
    axes = {"bottom": "S", "top": "N", "left": "W", "right": "E"}
    sides = "".join(
        letter.upper()
        if side in ((panel.lon_side,) if len(lon) else ()) + ((panel.lat_side,) if len(lat) else ())
        else letter.lower()
        for side, letter in axes.items()
    )
    frame = [f"-B{sides}"] if panel.framed else ["-B+n"]
    if panel.framed:
        frame += [f"-Bx{_step(lon)}" if len(lon) else "-Bx0", f"-By{_step(lat)}" if len(lat) else "-By0"]
        degrees = "d" if geographic else ""
        kind = "fancy" if panel.fancy and geographic else "plain"
        reach = -panel.tick_px if plan.seed % 4 == 0 and kind == "plain" else panel.tick_px
        page.plot(
            "psbasemap",
            f"-R{west}/{east}/{south}/{north}",
            f"-JX{page.inches(right - left)}{degrees}/{page.inches(bottom - top)}{degrees}",
            *frame,
            f"--MAP_FRAME_TYPE={kind}",
            f"--FORMAT_GEO_MAP={style}",
            f"--MAP_TICK_LENGTH_PRIMARY={page.points(reach)}",
            at=(left, bottom),
        )
    columns = left + (lon - west) / (east - west) * (right - left)
    rows = bottom - (lat - south) / (north - south) * (bottom - top)
    drawn = panel.framed
    return PanelTruth(
        panel.box,
        None,
        panel.bar,
        (columns, lon) if len(lon) and drawn else None,
        (rows, lat) if len(lat) and drawn else None,
        drawn,
    )


_PROJECTIONS = {
    "oval": ("W0/", (-180, 180, -90, 90)),
    "robinson": ("N0/", (-180, 180, -90, 90)),
    "disc": ("S0/90/", (-180, 180, 50, 90)),
    "fan": ("L10/50/40/60/", (-30, 50, 28, 72)),
}


def _projected_outline(page: _Page, panel: PanelPlan) -> tuple[str, Array]:
    """The -J option that fits the panel's box, and the outline on the page."""
    name, (west, east, south, north) = _PROJECTIONS[panel.outline]
    lon, lat = np.linspace(west, east, 121), np.linspace(south, north, 121)
    sides = [
        (lon, np.full(121, south)),
        (np.full(121, east), lat),
        (lon[::-1], np.full(121, north)),
        (np.full(121, west), lat[::-1]),
    ]
    if panel.outline == "disc":
        sides = sides[:1]
    rows = "\n".join(f"{x} {y}" for a, b in sides for x, y in zip(a, b, strict=True)) + "\n"
    left, top, right, bottom = panel.box
    region = f"-R{west}/{east}/{south}/{north}"
    told = run_gmt(
        "mapproject",
        region,
        f"-J{name}1i",
        "--PROJ_LENGTH_UNIT=inch",
        "--FORMAT_FLOAT_OUT=%.10f",
        directory=str(page.directory),
        stdin=rows,
    ).decode()
    points = np.array([line.split()[:2] for line in told.splitlines()], float)
    high = points[:, 1].max()
    width = min(right - left, (bottom - top) / high)
    x0, y1 = (left + right - width) / 2, (top + bottom + width * high) / 2
    return f"-J{name}{page.inches(width)}", np.stack([x0 + width * points[:, 0], y1 - width * points[:, 1]], axis=1)


def _draw_projected(page: _Page, number: int) -> PanelTruth:
    plan, panel = page.plan, page.plan.panels[number]
    projection, outline = _projected_outline(page, panel)
    west, east, south, north = _PROJECTIONS[panel.outline][1]
    z = make_field(plan.field_name, 360, 200, plan.rng(10 + number)) * 1.1 - 0.05
    with netcdf_file(page.directory / f"field{number}.nc", "w") as file:
        for axis, low, high, count, unit in (
            ("lon", west, east, 360, "degrees_east"),
            ("lat", south, north, 200, "degrees_north"),
        ):
            file.createDimension(axis, count)
            variable = file.createVariable(axis, "f8", (axis,))
            variable[:] = np.linspace(low, high, count)
            variable.units = unit
        file.createVariable("z", "f4", ("lat", "lon"))[:] = z
    x0, y1 = outline[:, 0].min(), outline[:, 1].max()
    place = (float(x0), float(y1))
    region = f"-R{west}/{east}/{south}/{north}"
    page.plot("grdimage", f"field{number}.nc", region, projection, f"-Cbar{panel.bar}.cpt", at=place)
    frame = ("-Bxg30", "-Byg30") if panel.outline != "fan" else ("-Bxg20", "-Byg10")
    page.plot("psbasemap", region, projection, *frame, "-Bwsen", "--MAP_FRAME_TYPE=plain", at=place)
    left, top = outline.min(axis=0)
    right, bottom = outline.max(axis=0)
    return PanelTruth((left, top, right, bottom), outline, panel.bar, framed=True)


def _write_cpt(page: _Page, number: int, bar: BarPlan) -> None:
    inner, low, high = bar_colors(bar, 128)
    edges = bar.scale.edges_t if bar.scale.edges_t is not None else np.linspace(0, 1, len(inner) + 1)
    rows = [f"{edges[k]:.8f} {_slashes(c)} {edges[k + 1]:.8f} {_slashes(c)}" for k, c in enumerate(inner)]
    if bar.scale.edges_t is None:
        nodes, _, _ = bar_colors(bar, 129)
        rows = [f"{k / 128:.8f} {_slashes(nodes[k])} {(k + 1) / 128:.8f} {_slashes(nodes[k + 1])}" for k in range(128)]
    text = "\n".join([*rows, f"B {_slashes(low)}", f"F {_slashes(high)}", "N 128"]) + "\n"
    (page.directory / f"bar{number}.cpt").write_text(text)


def _draw_bar(page: _Page, number: int, bar: BarPlan) -> BarTruth:
    plan = page.plan
    if bar.backing is not None:
        left, top, right, bottom = bar.backing
        page.polygon(Shape(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]), "white", "black"))
    left, top, right, bottom = bar.box
    thick = right - left if bar.vertical else bottom - top
    kind = "ag" if bar.tick == "through" else "a"
    rows = [
        (t, f"{t:.8f} {kind} {_written(label)}") for t, label in zip(bar.scale.tick_t, bar.scale.labels, strict=True)
    ]
    rows += [(t, f"{t:.8f} f") for t in bar.scale.minor_t]
    if bar.separators and bar.scale.edges_t is not None:
        rows += [(t, f"{t:.8f} g") for t in bar.scale.edges_t]
    listed = "\n".join(row for _, row in sorted(rows, key=lambda pair: pair[0]))
    (page.directory / f"ticks{number}.txt").write_text(listed + "\n")
    ends = {(True, True): "+e", (True, False): "+eb", (False, True): "+ef"}.get(bar.scale.extend, "")
    ends += page.inches(bar.end_px) if ends else ""
    ahead = "+ma" if bar.side in ("left", "top") else ""
    lying = "" if bar.vertical else "+h"
    size = f"-Dx0/0+w{page.inches(bar.length)}/{page.inches(thick)}+jBL{lying}{ends}{ahead}"
    reach = {"in": -bar.tick_px, "none": 0.0, "through": 0.0}.get(bar.tick, bar.tick_px)
    font = f"{page.points(plan.font_px)},{page.font},{bar.ink}"
    page.plot(
        "psscale",
        f"-Cbar{number}.cpt",
        size,
        f"-Bpxcticks{number}.txt",
        f"--MAP_TICK_LENGTH_PRIMARY={page.points(reach)}/{page.points(reach * 0.55)}",
        f"--MAP_TICK_PEN_PRIMARY={page.points(plan.line_px)},{bar.tick_color}",
        f"--FONT_ANNOT_PRIMARY={font}",
        f"--MAP_FRAME_PEN={page.points(plan.line_px)},{bar.outline}",
        f"--MAP_ANNOT_OFFSET_PRIMARY={page.points(bar.pad)}",
        f"--MAP_GRID_PEN_PRIMARY={page.points(plan.line_px)},black",
        at=(left, bottom),
    )
    page.write(bar_texts(plan, bar))
    return bar_truth(plan, bar, bar.box, bar.place(bar.scale.tick_t))


def draw_by_gmt_figure(
    plan: FigurePlan, keep: Callable[[Path], None] | None = None
) -> tuple[NDArray[np.uint8], list[BarTruth], list[PanelTruth]]:
    """The picture and the truth about its bars and panels; `keep` may store the PostScript page in another form."""
    plan = _suited(plan)
    with tempfile.TemporaryDirectory() as directory:
        page = _Page(plan, directory)
        for number, bar in enumerate(plan.bars):
            _write_cpt(page, number, bar)
        panels = [
            _draw_projected(page, k) if panel.outline else _draw_rectangle(page, k)
            for k, panel in enumerate(plan.panels)
        ]
        for k, shape in enumerate(extra_shapes(plan)):
            if shape.picture is not None:
                page.picture(shape.picture, shape.box, f"extra{k}")
            page.polygon(shape)
        page.write([item for shape in extra_shapes(plan) for item in shape.texts])
        bars = [_draw_bar(page, number, bar) for number, bar in enumerate(plan.bars)]
        page.write(page_texts(plan))
        pixels = page.pixels()
        if keep is not None:
            keep(page.file)
    return pixels, bars, panels
