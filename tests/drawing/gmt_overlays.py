"""Lines, words, markers and boxes over a GMT map."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from .matplotlib_overlays import PLACE_NAMES, overlay_ink
from .plans import Plan

__all__ = ["GmtPage", "add_gmt_overlays"]


class GmtPage(Protocol):
    """A page GMT modules are plotted on."""

    def plot(self, module: str, *arguments: str, stdin: str = "") -> None: ...

    def points(self, pixels: float) -> str: ...

    def inches(self, pixels: float) -> str: ...


def _spread(plan: Plan, rng: np.random.Generator, count: int) -> np.ndarray:
    """Random (lon, lat) inside the frame."""
    width, height = plan.frame_size
    x, y = rng.uniform(0.06, 0.94, (2, count))
    return np.stack([plan.west + x * width * plan.degree, plan.north - y * height * plan.degree], axis=-1)


def _contours(page: GmtPage, plan: Plan, rng: np.random.Generator, count: int, notes: dict[str, Any]) -> None:
    ink = overlay_ink(plan, rng)
    pen = page.points(float(rng.uniform(0.5, 1.2)) * plan.font / 14)
    if plan.norm == "log":
        levels = np.geomspace(plan.vmin, plan.vmax, count + 2)[1:-1]
    else:
        levels = np.linspace(plan.vmin, plan.vmax, count + 2)[1:-1]
    listed = ",".join(f"{level:.4g}" for level in levels)
    text = ("-A-",) if count >= 20 else (f"-A+f{page.points(0.7 * plan.font)}",)
    spec = f"-C{listed}," if len(levels) == 1 else f"-C{listed}"
    page.plot("grdcontour", "data.nc", spec, f"-W{pen},{ink}", *text, "-S4", f"-Q{int(3 * plan.font)}")
    notes["contours"] = {"color": ink, "levels": levels}


def _coast(page: GmtPage, plan: Plan, rng: np.random.Generator, notes: dict[str, Any]) -> None:
    ink = overlay_ink(plan, rng, 0.75)
    pen = float(rng.uniform(0.7, 1.8)) * plan.font / 14
    borders = ("-N1/" + page.points(pen * 0.6) + ",black,-",) if rng.random() < 0.3 else ()
    page.plot("pscoast", "-Dl", "-A50", f"-W{page.points(pen)},{ink}", *borders)
    notes["coast"] = {"color": ink, "width": pen}


def _graticule(page: GmtPage, plan: Plan, rng: np.random.Generator, notes: dict[str, Any]) -> None:
    ink = overlay_ink(plan, rng)
    dash = str(rng.choice(["", ",-", ",."]))
    step = plan.lon_ticks[1] - plan.lon_ticks[0] if len(plan.lon_ticks) > 1 else 5.0
    pen = page.points(float(rng.uniform(0.5, 1.2)) * plan.font / 14)
    page.plot("psbasemap", f"-Bg{step:.10g}", "-B+n", f"--MAP_GRID_PEN_PRIMARY={pen},{ink}{dash}")
    notes["graticule"] = {"color": ink, "style": dash}


def _labels(page: GmtPage, plan: Plan, rng: np.random.Generator, notes: dict[str, Any]) -> None:
    lines = []
    count = int(rng.integers(3, 9))
    names = rng.choice(PLACE_NAMES, count, replace=False)
    for (lon, lat), name in zip(_spread(plan, rng, count), names, strict=True):
        font = rng.choice(["Helvetica", "Times-Italic", "Helvetica-Bold"])
        size = page.points(plan.font * rng.uniform(0.7, 2.0))
        angle = rng.choice([0, 0, 0, 25, -40, 90])
        lines.append(f"{lon:.5f} {lat:.5f} {size},{font},{overlay_ink(plan, rng)} {angle} CM {name}")
    page.plot("pstext", "-F+f+a+j", stdin="\n".join(lines) + "\n")
    notes["labels"] = {"count": count}


def _markers(page: GmtPage, plan: Plan, rng: np.random.Generator, notes: dict[str, Any]) -> None:
    for shape in rng.choice(["a", "c", "t", "s", "i", "x"], int(rng.integers(1, 4)), replace=False):
        ink = overlay_ink(plan, rng, 0.25)
        size = page.inches(plan.font * rng.uniform(0.35, 1.1))
        places = _spread(plan, rng, int(rng.integers(4, 25)))
        pen = page.points(plan.font / 16)
        text = "\n".join(f"{lon:.5f} {lat:.5f}" for lon, lat in places) + "\n"
        page.plot("psxy", f"-S{shape}{size}", f"-G{ink}", f"-W{pen},black", stdin=text)
        notes.setdefault("markers", []).append({"color": ink, "marker": str(shape)})


def _legend(page: GmtPage, plan: Plan, rng: np.random.Generator, notes: dict[str, Any]) -> None:
    size, corner = page.points(0.9 * plan.font), str(rng.choice(["TL", "TR", "BL", "BR"]))
    half, gap = page.inches(0.8 * plan.font), page.inches(1.8 * plan.font)
    text = (
        f"S {half} a {page.inches(plan.font)} red 0.25p,black {gap} Station\n"
        f"S {half} - {page.inches(1.4 * plan.font)} - 1p,black {gap} Coast\n"
    )
    page.plot(
        "pslegend",
        f"-Dj{corner}+w{page.inches(7.5 * plan.font)}+o{page.inches(0.5 * plan.font)}",
        f"-F+g{rng.choice(['white', 'white', 'lightyellow'])}+p0.5p",
        f"--FONT_ANNOT_PRIMARY={size},Helvetica",
        stdin=text,
    )
    notes["legend"] = {"place": corner}


def add_gmt_overlays(page: GmtPage, plan: Plan) -> dict[str, Any]:
    """Draw what the plan asks for over the map; land fill and holes are part of the map itself."""
    rng = plan.rng(1)
    notes: dict[str, Any] = {}
    if "contours" in plan.overlays:
        _contours(page, plan, rng, int(rng.integers(3, 8)), notes)
    if "dense_contours" in plan.overlays:
        _contours(page, plan, rng, int(rng.integers(20, 41)), notes)
    for name, draw in (
        ("coast", _coast),
        ("graticule", _graticule),
        ("labels", _labels),
        ("markers", _markers),
        ("legend", _legend),
    ):
        if name in plan.overlays:
            draw(page, plan, rng, notes)
    return notes
