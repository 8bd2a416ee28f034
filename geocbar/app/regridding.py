"""Rasters to points and back, for the command line: what is read, done, written and said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.files.geopackage import require_format, write_points
from geocbar.files.geotiff import write_geotiff
from geocbar.files.point_layers import read_points
from geocbar.files.rasters import cells_inside, data_area, read_raster
from geocbar.grid.points import Points, rebuild_error
from geocbar.grid.raster import Raster
from geocbar.grid.regridding import RegridCheck, compare_rasters, grid_over, regrid
from geocbar.grid.scattered import cluster_scattered
from geocbar.grid.thinning import thin
from geocbar.place.projections import crs_name, project_points, require_crs

__all__ = ["regrid_points", "thin_points", "thin_raster"]


def thin_raster(
    path: Path,
    out: Path,
    *,
    band: int = 1,
    max_error: float | None = 0.02,
    spacing: float | None = None,
    logarithmic: bool = False,
    overwrite: bool = False,
) -> list[str]:
    """Write points that stand for a raster; see :func:`geocbar.thin`.

    Returns
    -------
    list of str
        Lines that say what was done and how well the points rebuild the raster.

    Raises
    ------
    GeocbarError
        If the raster cannot be read or has no value, or the points cannot be written.
    """
    require_format(out)
    _require_free(out, overwrite)
    raster, name, unit = read_raster(path, band)
    finite = raster.values[np.isfinite(raster.values)]
    if not finite.size:
        raise InvalidInputError(f"{path.name} has no cell with a value in band {band}.", "Give another --band.")
    limits = float(finite.min()), float(finite.max())
    if logarithmic and limits[0] <= 0:
        raise InvalidInputError(f"{path.name} goes down to {limits[0]:g}, which has no logarithm.", "Leave out --log.")
    if limits[0] == limits[1]:
        raise InvalidInputError(
            f"Every cell of {path.name} with a value has {limits[0]:g}.", "One point is enough; there is no range."
        )
    points = thin(
        raster.values,
        limits=limits,
        sigma=raster.sigma,
        to_world=lambda pixels: np.stack(raster.affine @ tuple(pixels.T), axis=1),
        crs=raster.crs,
        norm="log" if logarithmic else "linear",
        max_error=max_error,
        spacing=spacing,
    )
    error = rebuild_error(
        raster.values, points, limits, norm="log" if logarithmic else "linear", sigma=raster.sigma, max_error=max_error
    )
    write_points(out, points, area=data_area(raster))
    quantity = f"{name} [{unit}]" if unit else name
    return [
        f"{path.name}: {raster.values.shape[1]} x {raster.values.shape[0]} cells, {finite.size} with a value"
        f"{': ' + quantity if quantity else ''}, {limits[0]:.5g} to {limits[1]:.5g}",
        f"  {len(points)} points (1 for {finite.size / len(points):.0f} cells), {crs_name(raster.crs)}",
        f"  rebuilt from them: {error}",
        f"  wrote {out}",
    ]


def thin_points(
    path: Path,
    out: Path,
    *,
    eps: float,
    min_samples: int = 4,
    value_eps: float | None = None,
    value: str = "value",
    crs: str | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write one point for every cluster of points; see :func:`geocbar.grid.scattered.cluster_scattered`.

    Returns
    -------
    list of str
        Lines that say what was done.

    Raises
    ------
    GeocbarError
        If the points cannot be read, or the result cannot be written.
    """
    require_format(out)
    _require_free(out, overwrite)
    if crs is not None:
        require_crs(crs)
    layer = read_points(path, value, crs)
    points, labels = cluster_scattered(layer.points, eps=eps, min_samples=min_samples, value_eps=value_eps)
    write_points(out, points, area=layer.area)
    clusters = int(labels.max(initial=-1)) + 1
    return [
        f"{path.name}: {len(layer.points)} points, {crs_name(points.crs)}",
        f"  {len(points)} remain: {clusters} clusters, and {int((labels < 0).sum())} points in none",
        f"  wrote {out}",
    ]


def regrid_points(
    path: Path,
    out: Path,
    *,
    resolution: float | None = None,
    like: Path | None = None,
    method: str = "linear",
    value: str = "value",
    crs: str | None = None,
    logarithmic: bool = False,
    overwrite: bool = False,
) -> list[str]:
    """Write a raster made from points; see :func:`geocbar.regrid`.

    Returns
    -------
    list of str
        Lines that say what was done and, with `like`, how far the result is from that raster.

    Raises
    ------
    GeocbarError
        If the points or the raster cannot be read, they do not suffice, or the result cannot be written.
    """
    if (resolution is None) == (like is None):
        raise InvalidInputError("The grid is not said, or said twice.", "Give --resolution, or --like RASTER.")
    if out.suffix.lower() not in (".tif", ".tiff"):
        raise InvalidInputError(f"A raster cannot be written as {out.name}.", "Let its name end in .tif.")
    _require_free(out, overwrite)
    if crs is not None:
        require_crs(crs)
    layer = read_points(path, value, crs)
    points = layer.points
    reference = None
    if like is not None:
        reference = read_raster(like)[0]
        points = replace(points, xy=project_points(points.xy, points.crs, reference.crs), crs=reference.crs)
        affine, shape = reference.affine, (reference.values.shape[0], reference.values.shape[1])
    else:
        assert resolution is not None
        affine, shape = grid_over(points, resolution)
    inside = None
    if layer.area is not None:
        inside = cells_inside(layer.area, affine, shape, from_crs=layer.points.crs, to_crs=points.crs)
    made = regrid(points, affine, shape, method=method, inside=inside, logarithmic=logarithmic)
    write_geotiff(out, made, name=value, tags={"GEOCBAR_SOURCE": path.name, "GEOCBAR_METHOD": method})
    said = _said(path, points, made, method, layer.dropped, inside is not None)
    return [*said, *_compared(made, reference, like), f"  wrote {out}"]


def _said(path: Path, points: Points, made: Raster, method: str, dropped: int, bounded: bool) -> list[str]:
    rows, cols = made.values.shape
    share = 100 * float(np.isfinite(made.values).mean())
    where = "the area with data" if bounded else "the points' convex hull"
    lines = [
        f"{path.name}: {len(points)} points, {crs_name(points.crs)}",
        f"  {cols} x {rows} cells, {method}; {share:.1f} % have a value: those in {where}",
    ]
    if dropped:
        lines.append(f"  note      {dropped} points without a value, or on the place of another, are left out")
    if method == "rbf" and points.sigma is None:
        lines.append("  note      the points have no sigma: nothing is smoothed")
    return lines


def _compared(made: Raster, reference: Raster | None, like: Path | None) -> list[str]:
    if reference is None or like is None:
        return []
    check: RegridCheck = compare_rasters(made, reference)
    return [
        f"  against {like.name}: RMSE {check.rmse:.4g} = {check.rmse_percent:.2f} % of its range,"
        f" 99 % within {check.p99_percent:.2f} %, all within {check.largest_percent:.1f} %;"
        f" {check.lost_percent:.2f} % of its cells lost, {check.invented_percent:.2f} % of its empty ones filled"
    ]


def _require_free(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise FileProblemError(f"{path} is there already.", "Replace it with --overwrite, or name another: --out FILE")
    if not path.absolute().parent.is_dir():
        raise FileProblemError(f"There is no folder {path.absolute().parent}.", "Make it, or name another: --out FILE")
