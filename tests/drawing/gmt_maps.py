"""Maps drawn by GMT 6 and turned into pixels by Ghostscript, one grid node to each picture pixel."""

from __future__ import annotations

import io
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.io import netcdf_file

from .fields import make_field
from .gmt_overlays import add_gmt_overlays
from .kinds import classify_pixels
from .palettes import COLORMAPS, GmtMissingError, gmt_available, palette_colors, run_gmt
from .plans import Plan
from .scenes import Scene
from .shading import relief_intensity

__all__ = ["draw_by_gmt", "read_cpt"]

_OWN_TABLES = {"batlow", "roma", "vik", "polar", "haxby", "geo", "viridis", "jet", "turbo", "plasma"}


def read_cpt(text: str) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Slices of a GMT colour table: limits (n, 2), colours at the low limits (n, 3) and at the high ones."""
    rows = [line.split() for line in text.splitlines() if line and line[0] in "-+.0123456789"]
    limits = np.array([[float(row[0]), float(row[2])] for row in rows])
    low = np.array([[float(c) for c in row[1].split("/")] for row in rows])
    high = np.array([[float(c) for c in row[3].split("/")] for row in rows])
    return limits, low, high


class _Page:
    """One PostScript page of a plan: GMT modules are plotted on it one after the other."""

    def __init__(self, plan: Plan, directory: str, name: str) -> None:
        self.plan, self.directory, self.path = plan, directory, Path(directory) / f"{name}.ps"
        width, height = plan.size
        left, _, _, bottom = plan.frame
        w, h = plan.frame_size
        east, south = plan.west + w * plan.degree, plan.north - h * plan.degree
        self.region = f"-R{plan.west:.10g}/{east:.10g}/{south:.10g}/{plan.north:.10g}"
        self.projection = f"-Jx{1 / plan.degree / plan.dpi:.14g}id"
        media = f"--PS_MEDIA={width * 72 // plan.dpi + 2}x{height * 72 // plan.dpi + 2}"
        corner = (f"-X{left / plan.dpi:.10g}i", f"-Y{(height - bottom) / plan.dpi:.10g}i")
        self.place: tuple[str, ...] = ("-P", *corner, media)

    def _run(self, *arguments: str, stdin: str = "") -> bytes:
        module, *rest = arguments
        return run_gmt(module, self.region, self.projection, *rest, directory=self.directory, stdin=stdin)

    def plot(self, module: str, *arguments: str, stdin: str = "") -> None:
        with self.path.open("ab") as file:
            file.write(self._run(module, "-K", *self.place, *arguments, stdin=stdin))
        self.place = ("-O",)

    def inches(self, pixels: float) -> str:
        return f"{pixels / self.plan.dpi:.10g}i"

    def points(self, pixels: float) -> str:
        return f"{pixels * 72 / self.plan.dpi:.3g}p"

    def pixels(self) -> NDArray[np.uint8]:
        """The page as a picture, lines and text antialiased."""
        with self.path.open("ab") as file:
            file.write(b"\nshowpage\n")
        width, height = self.plan.size
        command = [
            "gs", "-q", "-dSAFER", "-dNOPAUSE", "-dBATCH", "-sDEVICE=png16m", f"-r{self.plan.dpi}",
            f"-g{width}x{height}", "-dFIXEDMEDIA", "-dTextAlphaBits=4", "-dGraphicsAlphaBits=4",
            "-sstdout=%stderr", "-sOutputFile=-", str(self.path),
        ]  # fmt: skip
        picture = subprocess.run(command, capture_output=True, check=True).stdout
        with Image.open(io.BytesIO(picture)) as image:
            return np.array(image.convert("RGB"))


def _write_grid(path: Path, z: NDArray[Any], plan: Plan) -> None:
    """A pixel-registered grid whose nodes are the frame's pixel centres."""
    h, w = z.shape
    axes = {
        "lon": (plan.west, plan.west + w * plan.degree, "degrees_east", w),
        "lat": (plan.north - h * plan.degree, plan.north, "degrees_north", h),
    }
    with netcdf_file(path, "w") as file:
        file.node_offset = np.int32(1)
        for name, (low, high, unit, count) in axes.items():
            file.createDimension(name, count)
            axis = file.createVariable(name, "f8", (name,))
            axis[:] = low + (np.arange(count) + 0.5) * (high - low) / count
            axis.actual_range, axis.units = np.array([low, high]), unit
        file.createVariable("z", "f4", ("lat", "lon"))[:] = np.asarray(z, np.float32)[::-1]


def _slashes(color: NDArray[np.float64]) -> str:
    return "/".join(f"{255 * c:.6g}" for c in color)


def _make_cpt(plan: Plan, directory: str) -> str:
    """The colour table: makecpt -Z for a continuous scale, makecpt without for equal classes."""
    master = plan.cmap
    if master not in _OWN_TABLES:
        table = palette_colors(master)
        at = np.linspace(0, 1, len(table))
        lines = [
            f"{at[k]:.8f} {_slashes(table[k])} {at[k + 1]:.8f} {_slashes(table[k + 1])}" for k in range(len(table) - 1)
        ]
        (Path(directory) / "master.cpt").write_text("\n".join(lines) + "\n")
        master = "master.cpt"
    ends = ("--COLOR_BACKGROUND=60", "--COLOR_FOREGROUND=200", "-M") if plan.rng(2).random() < 0.4 else ()
    common = ("makecpt", f"-C{master}", "-Fr", *ends)
    if plan.edges is not None and plan.norm == "log":
        colors = palette_colors(plan.cmap, len(plan.edges) - 1)
        slices = zip(plan.edges[:-1], plan.edges[1:], colors, strict=True)
        rows = [f"{a:.8g} {_slashes(c)} {b:.8g} {_slashes(c)}" for a, b, c in slices]
        return "\n".join([*rows, f"B {_slashes(colors[0])}", f"F {_slashes(colors[-1])}", "N 128"]) + "\n"
    if plan.edges is not None:
        step = (plan.vmax - plan.vmin) / (len(plan.edges) - 1)
        return run_gmt(*common, f"-T{plan.vmin}/{plan.vmax}/{step:.12g}", directory=directory).decode()
    if plan.norm == "log":
        low, high = np.log10(plan.vmin), np.log10(plan.vmax)
        span = f"-T{low:.10g}/{high:.10g}/{(high - low) / 240:.12g}"
        return run_gmt(*common, "-Q", span, "-Z", directory=directory).decode()
    step = (plan.vmax - plan.vmin) / 250
    return run_gmt(*common, f"-T{plan.vmin}/{plan.vmax}/{step:.12g}", "-Z", directory=directory).decode()


def _paint_data(page: _Page, plan: Plan, shaded: bool) -> None:
    light = ("-Ilight.nc",) if shaded else ()
    nan = "/".join(str(int(plan.hole_fill[k : k + 2], 16)) for k in (1, 3, 5))
    page.plot("grdimage", "data.nc", "-Cmap.cpt", "-n+c", *light, f"--COLOR_NAN={nan}")


def _paint_bar(page: _Page, plan: Plan) -> None:
    """The bar, its frame, ticks and label; GMT draws it lit evenly, that is unshaded."""
    left, _, _, frame_bottom = plan.frame
    x, y = plan.bar[0] - left, frame_bottom - plan.bar[3]
    if plan.bar_vertical:
        length, thick = plan.bar[3] - plan.bar[1], plan.bar[2] - plan.bar[0]
    else:
        length, thick = plan.bar[2] - plan.bar[0], plan.bar[3] - plan.bar[1]
    triangles = {"neither": "", "min": "+eb", "max": "+ef", "both": "+e"}[plan.extend]
    triangles += page.inches(plan.triangle) if triangles else ""
    flat = "" if plan.bar_vertical else "+h"
    ahead = "+ma" if plan.bar_side in ("top", "left") else ""
    place = (
        f"-Dx{page.inches(x)}/{page.inches(y)}+w{page.inches(length)}/{page.inches(thick)}+jBL{flat}{ahead}{triangles}"
    )
    crowd = len(plan.ticks) * (1.3 if plan.bar_vertical else 3.3)
    style = (
        f"--FONT_ANNOT_PRIMARY={page.points(min(0.95 * plan.font, length / crowd))},{_font(plan)}",
        f"--FONT_LABEL={page.points(plan.font)},{_font(plan)}",
        f"--MAP_FRAME_PEN={page.points(plan.font * 0.08)}",
        f"--MAP_TICK_PEN_PRIMARY={page.points(plan.font * 0.06)}",
        f"--MAP_TICK_LENGTH_PRIMARY={page.points(plan.font * 0.35)}",
        f"--MAP_ANNOT_OFFSET_PRIMARY={page.points(plan.font * 0.3)}",
        f"--MAP_LABEL_OFFSET={page.points(plan.font * 0.4)}",
    )
    label = f"+l{plan.quantity} ({plan.unit.replace('°', '@.')})"
    if plan.edges is not None and plan.bar_uniform:
        annotate: tuple[str, ...] = ("-L",)
    elif plan.norm == "log":
        annotate = ("-Q", f"-Bxa1{'p' if plan.rng(5).random() < 0.5 else ''}{label}")
    else:
        ticks = plan.ticks
        annotate = (f"-Bxa{ticks[1] - ticks[0]:.10g}{label}",)
    page.plot("psscale", "-Cmap.cpt", place, *annotate, *style)


def _font(plan: Plan) -> str:
    return ("Helvetica", "Times-Roman", "Helvetica")[int(plan.rng(6).integers(3))]


def _paint_frame(page: _Page, plan: Plan) -> None:
    rng = plan.rng(4)
    lon, lat = plan.lon_ticks, plan.lat_ticks
    steps = [t[1] - t[0] if len(t) > 1 else 10 for t in (lon, lat)]
    title = "" if plan.bar_side == "top" else f"+t{rng.choice(['', f'{plan.quantity} map'])}"
    fancy = rng.random() < 0.4
    page.plot(
        "psbasemap",
        f"-Bxa{steps[0]:.10g}",
        f"-Bya{steps[1]:.10g}",
        f"-BWSne{title if len(title) > 2 else ''}",
        f"--MAP_FRAME_TYPE={'fancy' if fancy else 'plain'}",
        f"--MAP_FRAME_WIDTH={page.points(plan.font * 0.3)}",
        f"--MAP_FRAME_PEN={page.points(plan.font * 0.09)}",
        f"--FONT_ANNOT_PRIMARY={page.points(0.9 * plan.font)},{_font(plan)}",
        f"--FONT_TITLE={page.points(1.3 * plan.font)},{_font(plan)}",
        f"--MAP_TITLE_OFFSET={page.points(plan.font * 0.3)}",
        f"--MAP_TICK_LENGTH_PRIMARY={page.points(plan.font * 0.35)}",
        f"--MAP_ANNOT_OFFSET_PRIMARY={page.points(plan.font * 0.3)}",
        f"--FORMAT_GEO_MAP={'dddF' if all(v == int(v) for v in (*lon, *lat)) else 'ddd.xF'}",
    )


def _bar_region(page: _Page) -> tuple[int, int, int, int]:
    """Box around everything drawn on a page that carries nothing but the bar."""
    inked = (page.pixels() != 255).any(axis=-1)
    rows, cols = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return int(cols[0]) - 2, int(rows[0]) - 2, int(cols[-1]) + 3, int(rows[-1]) + 3


def _write_inputs(plan: Plan, directory: str) -> dict[str, Any]:
    """Put grid, colour table and intensity into the folder, and say what they are."""
    folder = Path(directory)
    _write_grid(folder / "data.nc", plan.data, plan)
    cpt = _make_cpt(plan, directory)
    (folder / "map.cpt").write_text(cpt)
    notes: dict[str, Any] = {"cpt": cpt}
    if plan.shading != "none":
        rng = plan.rng(3)
        own = bool(rng.random() < 0.5) and bool(np.isfinite(plan.data).all())
        relief = np.asarray(plan.data, float) if own else make_field("rough", *plan.frame_size, rng)
        relief = np.log(relief) if own and plan.norm == "log" else relief
        intensity = (relief_intensity(relief, 315.0) - 0.6) * float(rng.uniform(0.8, 1.6))
        _write_grid(folder / "light.nc", intensity, plan)
        notes |= {"intensity": np.asarray(intensity, np.float32), "relief": "field" if own else "other"}
    return notes


def draw_by_gmt(plan: Plan, name: str) -> Scene:
    """Draw a plan with GMT; raises `GmtMissingError` where GMT is not installed."""
    if not gmt_available():
        raise GmtMissingError("GMT 6 (programs gmt and gs) is not installed.")
    if plan.cmap not in COLORMAPS:
        raise LookupError(f"No colormap {plan.cmap!r}; there are {', '.join(COLORMAPS)}.")
    with tempfile.TemporaryDirectory() as directory:
        notes = _write_inputs(plan, directory)
        pages = {key: _Page(plan, directory, key) for key in ("full", "plain", "bar", "land")}
        shaded = plan.shading != "none"
        _paint_data(pages["plain"], plan, shaded)
        plain = pages["plain"].pixels()
        _paint_data(pages["full"], plan, shaded)
        cover = None
        if "land" in plan.overlays:
            pages["full"].plot("pscoast", "-Dl", "-A50", f"-G{plan.land_fill}")
            pages["land"].plot("pscoast", "-Dl", "-A50", "-Gblack")
            left, top, right, bottom = plan.frame
            cover = 1 - pages["land"].pixels()[top:bottom, left:right, 0] / 255
        notes["overlays"] = add_gmt_overlays(pages["full"], plan)
        _paint_frame(pages["full"], plan)
        for key in ("full", "bar"):
            _paint_bar(pages[key], plan)
        full, region = pages["full"].pixels(), _bar_region(pages["bar"])
    kind, truth, under = classify_pixels(plan, full, plain, cover, region, None)
    notes |= {"shading": plan.shading, "land_fill": plan.land_fill, "cell": plan.cell, "field": plan.field}
    left, top, right, bottom = plan.bar
    return Scene(
        name=name,
        rgb=full,
        truth=truth,
        under=under,
        kind=kind,
        edge=None,
        bar_box=(float(left), float(top), float(right), float(bottom)),
        bar_vertical=plan.bar_vertical,
        bar_descending=False,
        bar_uniform=plan.bar_uniform,
        ticks=plan.tick_positions(),
        vmin=plan.vmin,
        vmax=plan.vmax,
        norm=plan.norm,
        class_edges=plan.edges,
        extend=plan.extend,
        frame=plan.frame,
        colormap=plan.cmap,
        unit=plan.unit,
        gcps=plan.control_points(),
        plotter="gmt",
        notes=notes,
    )
