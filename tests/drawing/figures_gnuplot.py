"""Figures drawn by gnuplot's cairo terminal, everything placed in shares of the screen."""

from __future__ import annotations

import io
import itertools
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .figure_extras import Shape, extra_shapes
from .figure_plans import BarPlan, FigurePlan, PanelPlan
from .figure_scenery import (
    TextItem,
    bar_colors,
    bar_texts,
    degree_label,
    graticule_of,
    outline_of,
    page_texts,
    panel_picture,
)
from .figure_truth import BarTruth, PanelTruth, bar_truth

__all__ = ["draw_by_gnuplot"]

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]

#: The cairo terminal's em in pixels per point of the font size asked for.
_PX_PER_POINT = 4 / 3


def _hex(color: Sequence[float]) -> str:
    return "#" + "".join(f"{round(255 * c):02x}" for c in color)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', "") + '"'


def _mark(text: str) -> str:
    """A tick's label, in which gnuplot would take a percent sign for a format."""
    return _quoted(text.replace("%", "%%"))


class _Script:
    """A gnuplot script for a page; places are pixels from its top left corner."""

    def __init__(self, plan: FigurePlan, directory: str) -> None:
        self.plan, self.directory = plan, Path(directory)
        width, height = plan.size
        font = "DejaVu Sans" if plan.font in ("cmr10", "STIXGeneral") else plan.font
        self.width_of_line = plan.line_px / _PX_PER_POINT
        self.lines = [
            "set encoding utf8",
            f"set terminal pngcairo enhanced size {width},{height} background 'white'"
            f' font "{font},{plan.font_px / _PX_PER_POINT:.3f}"',
            f'set output "{self.directory / "page.png"}"',
            "set multiplot",
            "set key off",
            f"set border lw {self.width_of_line:.3f}",
        ]
        self.pictures = 0

    def at(self, x: float, y: float) -> str:
        return f"screen {x / self.plan.size[0]:.8f}, screen {1 - y / self.plan.size[1]:.8f}"

    def frame(self, box: Box) -> None:
        width, height = self.plan.size
        left, top, right, bottom = box
        self.lines += [
            f"set lmargin at screen {left / width:.8f}",
            f"set rmargin at screen {right / width:.8f}",
            f"set tmargin at screen {1 - top / height:.8f}",
            f"set bmargin at screen {1 - bottom / height:.8f}",
        ]

    def picture(self, pixels: NDArray[np.uint8], region: Box) -> None:
        """Plot a picture that fills the frame of the given (west, east, south, north)."""
        name = self.directory / f"picture{self.pictures}.rgb"
        self.pictures += 1
        name.write_bytes(np.ascontiguousarray(pixels).tobytes())
        h, w = pixels.shape[:2]
        west, east, south, north = region
        dx, dy = (east - west) / w, (north - south) / h
        self.lines += [
            f"set xrange [{west}:{east}]",
            f"set yrange [{south}:{north}]",
            f'plot "{name}" binary array=({w},{h}) flipy format="%uchar"'
            f" origin=({west + dx / 2:.10g},{south + dy / 2:.10g})"
            f" dx={dx:.12g} dy={dy:.12g} using 1:2:3 with rgbimage notitle",
        ]

    def whole_page(self) -> None:
        width, height = self.plan.size
        self.frame((0, 0, width, height))
        self.lines += ["unset border", "unset tics", "set xrange [0:1]", "set yrange [0:1]"]

    def finish_page(self) -> None:
        """Draw the labels, objects and arrows set since the last plot."""
        self.whole_page()
        self.lines += ["unset colorbox", "plot NaN notitle", "unset label", "unset object", "unset arrow"]

    def write(self, item: TextItem) -> None:
        f = item.scale * self.plan.font_px
        x, y, ha = item.x, item.y, item.ha
        if item.rotation:
            x += {"left": 0.55, "center": 0.0, "right": -0.55}[ha] * f
            ha = {"top": "right", "center": "center", "bottom": "left"}[item.va]
        else:
            y += {"top": 0.55, "center": 0.0, "bottom": -0.55}[item.va] * f
        color = "#ffffff" if item.color == "white" else "#000000"
        turn = f"rotate by {item.rotation}" if item.rotation else "norotate"
        size = f'font ",{f / _PX_PER_POINT:.3f}"'
        self.lines.append(
            f'set label {_quoted(item.text)} at {self.at(x, y)} {ha} {turn} {size} textcolor rgb "{color}" front'
        )

    def stroke(self, points: Array, color: str = "black", share: float = 1.0) -> None:
        look = f'nohead lw {share * self.width_of_line:.3f} lc rgb "{color}" front'
        self.lines += [f"set arrow from {self.at(*a)} to {self.at(*b)} {look}" for a, b in itertools.pairwise(points)]

    def polygon(self, points: Array, face: str | None, edge: str | None) -> None:
        corners = " to ".join(self.at(x, y) for x, y in [*points, points[0]])
        fill = f'fc rgb "{face}" fs solid 1.0' if face else "fs empty"
        border = f'border lc rgb "{edge}"' if edge else "noborder"
        self.lines.append(f"set object polygon from {corners} {fill} {border} lw {self.width_of_line:.3f}")

    def pixels(self) -> NDArray[np.uint8]:
        script = "\n".join([*self.lines, "unset multiplot", "unset output"]) + "\n"
        done = subprocess.run(["gnuplot"], input=script.encode(), capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"gnuplot: {done.stderr.decode(errors='replace').strip()}")
        with Image.open(io.BytesIO((self.directory / "page.png").read_bytes())) as image:
            return np.array(image.convert("RGB"))


def _suited(plan: FigurePlan) -> FigurePlan:
    """The plan without open ends, which gnuplot's bars do not have."""
    bars = []
    for bar in plan.bars:
        scale = replace(
            bar.scale, extend=(False, False), end_boxes=False, traits=bar.scale.traits - {"triangles", "end-boxes"}
        )
        bars.append(replace(bar, scale=scale, tick="in" if bar.tick in ("across", "through") else bar.tick))
    return replace(plan, bars=tuple(bars))


def _draw_panel(script: _Script, number: int) -> PanelTruth:
    plan, panel = script.plan, script.plan.panels[number]
    picture = panel_picture(plan, number)
    outline = outline_of(panel)
    script.lines += ["unset colorbox", "unset tics"]
    script.frame(panel.box)
    if outline is not None:
        left, top, right, bottom = panel.box
        h, w = picture.shape[:2]
        mask = Image.new("L", (w, h), 0)
        scaled = [((x - left) / (right - left) * w, (y - top) / (bottom - top) * h) for x, y in outline]
        ImageDraw.Draw(mask).polygon(scaled, fill=255)
        picture = np.where(np.asarray(mask)[..., None] > 0, picture, np.uint8(255))
        script.lines.append("unset border")
        script.picture(picture, panel.region)
        if panel.framed:
            script.polygon(outline, None, "black")
        for line in graticule_of(panel):
            script.stroke(line, "#444444", 0.6)
        script.finish_page()
        script.lines.append(f"set border lw {script.width_of_line:.3f}")
        return PanelTruth(panel.box, outline, panel.bar, framed=panel.framed)
    script.lines.append(f"set border {15 if panel.framed else 0} lw {script.width_of_line:.3f} front")
    truth = _label_panel(script, panel)
    script.picture(picture, panel.region)
    script.lines += ["unset xtics", "unset ytics", "unset x2tics", "unset y2tics"]
    return truth


def _label_panel(script: _Script, panel: PanelPlan) -> PanelTruth:
    seed = script.plan.seed
    left, top, right, bottom = panel.box
    west, east, south, north = panel.region
    lon, lat = np.array(panel.lon_ticks), np.array(panel.lat_ticks)
    way = "out" if seed % 2 else "in"
    mirror = "mirror" if seed % 3 else "nomirror"
    f = script.plan.font_px / _PX_PER_POINT
    scale = panel.tick_px / max(f, 1) / 0.6
    for values, name, is_lon, other, span in (
        (lon, "x", True, panel.lon_side == "top", (west, east)),
        (lat, "y", False, panel.lat_side == "right", (south, north)),
    ):
        if len(values):
            axis = f"{name}2" if other else name
            listed = ", ".join(f"{_mark(degree_label(v, panel.degree_style, is_lon))} {v:g}" for v in values)
            script.lines += [
                f"set {axis}range [{span[0]}:{span[1]}]",
                f"set {axis}tics ({listed}) {way} {mirror} scale {scale:.3f}",
            ]
    columns = left + (lon - west) / (east - west) * (right - left)
    rows = bottom - (lat - south) / (north - south) * (bottom - top)
    return PanelTruth(
        panel.box,
        None,
        panel.bar,
        (columns, lon) if len(lon) else None,
        (rows, lat) if len(lat) else None,
        panel.framed,
    )


def _draw_bar(script: _Script, bar: BarPlan) -> BarTruth:
    plan = script.plan
    width, height = plan.size
    left, top, right, bottom = bar.box
    if bar.backing is not None:
        a, b, c, d = bar.backing
        script.polygon(np.array([[a, b], [c, b], [c, d], [a, d]]), "white", "black")
        script.finish_page()
    edges = bar.scale.edges_t
    inner, _, _ = bar_colors(bar, 128)
    even = edges is None or np.allclose(np.diff(edges), 1 / len(inner))
    for item in bar_texts(plan, bar):
        script.write(item)
    own_labels = bar.side in ("right", "bottom") and not bar.turned and bar.ink == "black" and even
    if not own_labels:
        _label_bar(script, bar)
    if not even and edges is not None:
        for k, color in enumerate(inner):
            low, high = bar.place(edges[k : k + 2])
            box = (left, high, right, low) if bar.vertical else (low, top, high, bottom)
            script.polygon(_corners(box), _hex(color), "black" if bar.separators else None)
        script.polygon(_corners(bar.box), None, bar.outline)
        script.finish_page()
    else:
        nodes = inner if edges is None else np.repeat(inner, 2, axis=0)
        places = np.linspace(0, 1, len(inner)) if edges is None else np.repeat(edges, 2)[1:-1]
        defined = ", ".join(f'{t:.6f} "{_hex(c)}"' for t, c in zip(places, nodes, strict=True))
        lying = "vertical" if bar.vertical else "horizontal"
        marks = [f"{_mark(label)} {t:.8f}" for label, t in zip(bar.scale.labels, bar.scale.tick_t, strict=True)]
        marks += [f'"" {t:.8f} 1' for t in bar.scale.minor_t]
        reach = 0.0 if bar.tick == "none" else bar.tick_px / max(plan.font_px / _PX_PER_POINT, 1) / 0.6
        way = "out" if bar.tick == "out" else "in"
        script.whole_page()
        script.lines += [
            f"set palette defined ({defined})",
            f"set palette maxcolors {0 if edges is None else len(inner)}",
            "set cbrange [0:1]",
            f"set colorbox {lying} user origin {left / width:.8f},{1 - bottom / height:.8f}"
            f" size {(right - left) / width:.8f},{(bottom - top) / height:.8f}"
            + (" border" if bar.outline else " noborder"),
            f"set cbtics ({', '.join(marks)}) {way} scale {reach:.3f}" if own_labels else "unset cbtics",
            'plot "-" using 1:2:3 with dots palette notitle',
            "-1 -1 0.5",
            "e",
            "unset label",
            "unset arrow",
            "unset cbtics",
        ]
    return bar_truth(plan, bar, bar.box, bar.place(bar.scale.tick_t))


def _corners(box: Box) -> Array:
    left, top, right, bottom = box
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _label_bar(script: _Script, bar: BarPlan) -> None:
    """Ticks and labels by hand, for the sides on which gnuplot has none."""
    left, top, right, bottom = bar.box
    near, way = {"right": (right, 1), "left": (left, -1), "bottom": (bottom, 1), "top": (top, -1)}[bar.side]
    sign = {"out": way, "in": -way, "none": 0}[bar.tick]
    at = near + way * ((bar.tick_px if bar.tick == "out" else 0) + bar.pad)
    for position, label in zip(bar.place(bar.scale.tick_t), bar.scale.labels, strict=True):
        turn = 90 if bar.turned else 0
        end = near + sign * bar.tick_px
        if bar.vertical:
            script.write(TextItem(at, position, label, "left" if way > 0 else "right", "center", turn, color=bar.ink))
            line = np.array([[near, position], [end, position]])
        else:
            script.write(TextItem(position, at, label, "center", "top" if way > 0 else "bottom", turn, color=bar.ink))
            line = np.array([[position, near], [position, end]])
        if sign:
            script.stroke(line, bar.tick_color)


def _draw_extras(script: _Script, shapes: Sequence[Shape]) -> None:
    for shape in shapes:
        if shape.picture is not None:
            script.frame(shape.box)
            script.lines += ["unset border", "unset tics"]
            script.picture(shape.picture, (0, 1, 0, 1))
        if shape.points is not None:
            script.polygon(shape.points, shape.face, shape.edge)
        for item in shape.texts:
            script.write(item)
        script.finish_page()


def draw_by_gnuplot(plan: FigurePlan) -> tuple[NDArray[np.uint8], list[BarTruth], list[PanelTruth]]:
    """The picture and the truth about its bars and panels."""
    plan = _suited(plan)
    with tempfile.TemporaryDirectory() as directory:
        script = _Script(plan, directory)
        panels = [_draw_panel(script, k) for k in range(len(plan.panels))]
        _draw_extras(script, extra_shapes(plan))
        bars = [_draw_bar(script, bar) for bar in plan.bars]
        for item in page_texts(plan):
            script.write(item)
        script.finish_page()
        return script.pixels(), bars, panels
