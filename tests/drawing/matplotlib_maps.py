"""Maps drawn by matplotlib's Agg canvas, one data value to each picture pixel."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import (
    Colormap,
    LinearSegmentedColormap,
    ListedColormap,
    LogNorm,
    Normalize,
    from_levels_and_colors,
)
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .fields import make_field
from .kinds import classify_pixels
from .matplotlib_overlays import add_overlays
from .palettes import palette_colors
from .plans import Plan
from .scenes import Scene
from .shading import relief_intensity, shade_colors

__all__ = ["draw_by_matplotlib", "matplotlib_scale"]


def matplotlib_scale(plan: Plan) -> tuple[Colormap, Normalize]:
    """The colormap and norm of a plan; triangles repeat the end colours or have colours of their own."""
    rng = plan.rng(2)
    if plan.edges is not None:
        beyond = {"neither": 0, "min": 1, "max": 1, "both": 2}[plan.extend]
        colors = palette_colors(plan.cmap, len(plan.edges) - 1 + beyond)
        limits, listed = plan.edges.tolist(), [tuple(color) for color in colors.tolist()]
        cmap, norm = from_levels_and_colors(limits, listed, extend=cast(Any, plan.extend))
        return cmap, norm
    table = palette_colors(plan.cmap)
    smooth: Colormap = LinearSegmentedColormap.from_list(plan.cmap, table, N=256)
    if rng.random() < 0.4:
        under, over = 0.55 * table[0], 0.55 * table[-1]
        smooth = smooth.with_extremes(
            under=tuple(under) if plan.extend in ("min", "both") else None,
            over=tuple(over) if plan.extend in ("max", "both") else None,
        )
    norm_type = LogNorm if plan.norm == "log" else Normalize
    return smooth, norm_type(plan.vmin, plan.vmax)


def _add_axes(figure: Figure, plan: Plan, box: tuple[int, int, int, int], label: str) -> Axes:
    width, height = plan.size
    left, top, right, bottom = box
    return figure.add_axes(
        (left / width, 1 - bottom / height, (right - left) / width, (bottom - top) / height), label=label
    )


def _antialiased_classes(plan: Plan, colors: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Class colours averaged over 3 x 3 points a pixel, and where a pixel holds more than one class."""
    assert plan.edges is not None
    z = np.asarray(plan.data, float)
    padded = np.pad(z, 1, mode="edge")
    table = np.asarray(ListedColormap(colors)(np.arange(len(colors)), bytes=True))[:, :3].astype(float)
    total = np.zeros((*z.shape, 3))
    beyond = int(plan.extend in ("min", "both"))
    middle = np.digitize(z, plan.edges) - 1 + beyond
    mixed = np.zeros(z.shape, bool)
    height, width = z.shape
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            near_y = padded[1 + dy : 1 + dy + height, 1 : 1 + width]
            near_x = padded[1 : 1 + height, 1 + dx : 1 + dx + width]
            near = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
            point = (4 * z + 2 * near_y + 2 * near_x + near) / 9
            point = np.where(np.isfinite(point), point, z)
            index = np.clip(np.digitize(point, plan.edges) - 1 + beyond, 0, len(colors) - 1)
            mixed |= index != np.clip(middle, 0, len(colors) - 1)
            total += table[index]
    return np.rint(total / 9).astype(np.uint8), mixed


def _map_colors(
    plan: Plan, cmap: Colormap, norm: Normalize
) -> tuple[NDArray[np.uint8] | None, NDArray[np.bool_] | None, dict[str, Any]]:
    """Colours mixed here rather than by matplotlib: shaded or antialiased. None if matplotlib draws the data."""
    if plan.shading == "none" and not plan.antialias:
        return None, None, {}
    rgb, edge = np.asarray(cmap(norm(plan.data), bytes=True))[..., :3], None
    if plan.antialias:
        beyond = {"neither": 0, "min": 1, "max": 1, "both": 2}[plan.extend]
        assert plan.edges is not None
        rgb, edge = _antialiased_classes(plan, palette_colors(plan.cmap, len(plan.edges) - 1 + beyond))
    notes: dict[str, Any] = {}
    if plan.shading != "none":
        rng = plan.rng(3)
        own = bool(rng.random() < 0.5) and np.isfinite(plan.data).all() and plan.cell == 1
        relief = np.asarray(plan.data, float) if own else make_field("rough", *plan.frame_size, rng)
        relief = np.log(relief) if own and plan.norm == "log" else relief
        azimuth = float(rng.choice([315.0, 0.0, 45.0, 120.0]))
        intensity = relief_intensity(relief, azimuth)
        rgb, notes = shade_colors(rgb, plan.shading, intensity, rng)
        notes |= {"relief": "field" if own else "other", "azimuth": azimuth, "intensity": intensity}
    alpha = np.where(np.isfinite(plan.data), 255, 0).astype(np.uint8)
    return np.dstack([rgb, alpha]), edge, notes


def _draw_data(ax: Axes, plan: Plan, cmap: Colormap, norm: Normalize, rgba: NDArray[np.uint8] | None) -> None:
    width, height = plan.frame_size
    extent = (0, width, height, 0)
    if rgba is not None:
        ax.imshow(rgba, interpolation="nearest", extent=extent, aspect="auto")
    elif plan.cell > 1 and "holes" not in plan.overlays:
        coarse = plan.data[::-1][:: plan.cell, :: plan.cell]
        rows, cols = coarse.shape
        x, y = np.arange(cols + 1) * plan.cell, height - np.arange(rows + 1) * plan.cell
        ax.pcolormesh(x, y, coarse, cmap=cmap, norm=norm)
    else:
        ax.imshow(plan.data, cmap=cmap, norm=norm, interpolation="nearest", extent=extent, aspect="auto")
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_facecolor(plan.hole_fill)


def _degrees(value: float, suffixes: str) -> str:
    return f"{abs(value):g}°{suffixes[0] if value > 0 else suffixes[1] if value < 0 else ''}"


def _dress(ax: Axes, plan: Plan) -> None:
    """Frame ticks, degree labels and a title."""
    rng = plan.rng(4)
    size = plan.font * 72 / plan.dpi
    xs = [(lon - plan.west) / plan.degree for lon in plan.lon_ticks]
    ys = [(plan.north - lat) / plan.degree for lat in plan.lat_ticks]
    ax.set_xticks(xs, [_degrees(lon, "EW") for lon in plan.lon_ticks], fontsize=size * 0.9)
    ax.set_yticks(ys, [_degrees(lat, "NS") for lat in plan.lat_ticks], fontsize=size * 0.9)
    ax.tick_params(direction=str(rng.choice(["in", "out"])), width=size * 0.08, length=size * 0.4)
    for spine in ax.spines.values():
        spine.set_linewidth(size * float(rng.uniform(0.07, 0.16)))
    if plan.bar_side != "top":
        title = rng.choice(["", f"{plan.quantity}, model {rng.integers(1, 30)}", f"({rng.choice(list('abc'))})"])
        ax.set_title(str(title), fontsize=size * 1.2)


def _tick_text(value: float, plan: Plan, plain: bool) -> str:
    if plan.norm == "log" and plan.edges is None and not plain:
        return f"$10^{{{round(np.log10(value))}}}$"
    return f"{value:.6g}".replace("-", "−")


def _draw_bar(figure: Figure, plan: Plan, cmap: Colormap, norm: Normalize) -> tuple[Axes, Colorbar]:
    left, top, right, bottom = plan.bar
    below = plan.triangle if plan.extend in ("min", "both") else 0
    above = plan.triangle if plan.extend in ("max", "both") else 0
    box = (left - below, top, right + above, bottom)
    if plan.bar_vertical:
        box = (left, top - above, right, bottom + below)
    ax = _add_axes(figure, plan, box, "bar")
    rng = plan.rng(5)
    size = plan.font * 72 / plan.dpi
    bar = figure.colorbar(
        ScalarMappable(norm, cmap),
        cax=ax,
        orientation="vertical" if plan.bar_vertical else "horizontal",
        extend=plan.extend,
        extendfrac=plan.triangle / (bottom - top if plan.bar_vertical else right - left),
        spacing="uniform" if plan.bar_uniform else "proportional",
        drawedges=plan.separators and plan.edges is not None,
        ticklocation={"top": "top", "left": "left"}.get(plan.bar_side, "auto"),
    )
    plain = bool(rng.random() < 0.5)
    bar.set_ticks(list(plan.ticks), labels=[_tick_text(v, plan, plain) for v in plan.ticks])
    bar.minorticks_off()
    bar.ax.tick_params(labelsize=size * 0.9, direction=str(rng.choice(["in", "out"])), width=size * 0.08)
    bar.set_label(f"{plan.quantity} ({plan.unit})", fontsize=size)
    bar.outline.set_linewidth(size * 0.09)
    bar.dividers.set_linewidth(size * 0.08)
    if plan.bar_descending:
        bar.long_axis.set_inverted(True)
    return ax, bar


def _pixels(canvas: FigureCanvasAgg) -> NDArray[np.uint8]:
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def _land_cover(plan: Plan, land: Any, ax: Axes, canvas: FigureCanvasAgg) -> NDArray[np.float64]:
    """Share of every frame pixel under the land fill, measured by drawing it in black on white."""
    land.set(visible=True, cmap=ListedColormap(["black"]))
    ax.set_facecolor("white")
    left, top, right, bottom = plan.frame
    picture = _pixels(canvas)[top:bottom, left:right, 0]
    return 1 - picture / 255


def _data_layers(
    plan: Plan, canvas: FigureCanvasAgg, ax: Axes, bar_ax: Axes, base: list[Any], land: Any
) -> tuple[NDArray[np.uint8], NDArray[np.float64] | None]:
    """The picture with the map's data alone, and the land fill alone; everything else is left hidden."""
    for artist in [*ax.get_children(), bar_ax]:
        if artist is not ax.patch and artist not in base:
            artist.set_visible(False)
    plain = _pixels(canvas)
    if land is None:
        return plain, None
    for artist in base:
        artist.set_visible(False)
    return plain, _land_cover(plan, land, ax, canvas)


def _bar_region(plan: Plan, bar_ax: Axes, canvas: FigureCanvasAgg) -> tuple[int, int, int, int]:
    """Box around the bar with its frame, triangles, ticks and labels."""
    box = bar_ax.get_tightbbox(canvas.get_renderer())
    assert box is not None
    height = plan.size[1]
    left, right = int(np.floor(box.x0)) - 2, int(np.ceil(box.x1)) + 2
    return left, int(np.floor(height - box.y1)) - 2, right, int(np.ceil(height - box.y0)) + 2


def _measured_box(plan: Plan, core: Any) -> tuple[float, float, float, float]:
    """Where matplotlib has put the coloured part of the bar, to a millionth of a pixel."""
    height = plan.size[1]
    edges = (core.x0, height - core.y1, core.x1, height - core.y0)
    left, top, right, bottom = (round(float(edge), 6) for edge in edges)
    return left, top, right, bottom


def draw_by_matplotlib(plan: Plan, name: str) -> Scene:
    """Draw a plan with matplotlib."""
    fonts = ["DejaVu Sans", "DejaVu Serif", "STIXGeneral"]
    settings = {"font.family": fonts[int(plan.rng(6).integers(3))], "axes.axisbelow": False}
    with style.context(["default", settings]):
        width, height = plan.size
        figure = Figure(figsize=(width / plan.dpi, height / plan.dpi), dpi=plan.dpi, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        cmap, norm = matplotlib_scale(plan)
        ax = _add_axes(figure, plan, plan.frame, "map")
        rgba, edge, notes = _map_colors(plan, cmap, norm)
        _draw_data(ax, plan, cmap, norm, rgba)
        base = [*ax.images, *ax.collections]
        _dress(ax, plan)
        land = None
        if "land" in plan.overlays and plan.land is not None:
            w, h = plan.frame_size
            x, y = np.arange(w) + 0.5, np.arange(h) + 0.5
            land = ax.contourf(x, y, plan.land, levels=[0, np.inf], colors=[plan.land_fill], antialiased=True)
        notes["overlays"] = add_overlays(ax, plan)
        bar_ax, bar = _draw_bar(figure, plan, cmap, norm)
        full = _pixels(canvas)
        region = _bar_region(plan, bar_ax, canvas)
        plain, cover = _data_layers(plan, canvas, ax, bar_ax, base, land)
        core = bar.ax.get_window_extent()
    kind, truth, under = classify_pixels(plan, full, plain, cover, region, edge)
    notes |= {
        "scale": (cmap, norm),
        "shading": plan.shading,
        "land_fill": plan.land_fill,
        "cell": plan.cell,
        "field": plan.field,
    }
    return Scene(
        name=name,
        rgb=full,
        truth=truth,
        under=under,
        kind=kind,
        edge=_whole(edge, plan),
        bar_box=_measured_box(plan, core),
        bar_vertical=plan.bar_vertical,
        bar_descending=plan.bar_descending,
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
        plotter="matplotlib",
        notes=notes,
    )


def _whole(edge: NDArray[np.bool_] | None, plan: Plan) -> NDArray[np.bool_] | None:
    """A mask of the frame as a mask of the picture."""
    if edge is None:
        return None
    mask = np.zeros(plan.size[::-1], bool)
    left, top, right, bottom = plan.frame
    mask[top:bottom, left:right] = edge
    return mask
