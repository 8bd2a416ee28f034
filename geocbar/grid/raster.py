"""Put image values on a map grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.grid.cell_places import CellPlaces, Patch
from geocbar.place.georeference import Georeference
from geocbar.place.projections import is_geographic, project_points, require_crs
from geocbar.value.blocks import cut_rows, cut_tiles, do_all

__all__ = ["RESAMPLING", "Raster", "footprint", "map_plane", "to_map", "to_plane"]

#: How values between pixel centres are taken.
RESAMPLING = ("nearest", "bilinear")

#: Grids with more cells are refused.
MAX_CELLS = 2_000_000_000

#: Rotations that move no place of the map by more than this, in pixels, are left out of a geotransform.
ROTATION_PX = 0.5

_TILE = 512
_EDGE_STEPS = 64


@dataclass(frozen=True, eq=False)
class Raster:
    """Values on a georeferenced grid.

    Parameters
    ----------
    values : (h, w) float32 array
        NaN where the map shows no data.
    affine : affine.Affine
        ``(col, row)`` of the grid to ``(x, y)`` in `crs`; (0, 0) is the top-left corner of the top-left cell, as in
        GDAL.
    crs : str
        Anything pyproj understands.
    sigma : (h, w) float32 array or None
        One standard deviation of each value, in the unit of the values.
    reason : (h, w) uint8 array or None
        Why each cell has its value, or none.
    intensity : (h, w) float32 array or None
        Light of the relief shading that was taken out.
    """

    values: NDArray[np.float32]
    affine: Affine
    crs: str
    sigma: NDArray[np.float32] | None = None
    reason: NDArray[np.uint8] | None = None
    intensity: NDArray[np.float32] | None = None


def to_map(
    values: NDArray[np.float32],
    georeference: Georeference,
    *,
    sigma: NDArray[np.float32] | None = None,
    reason: NDArray[np.uint8] | None = None,
    intensity: NDArray[np.float32] | None = None,
    outside: int = 0,
    frame: PixelBox | None = None,
    to_crs: str | None = None,
    resolution: float | None = None,
    resampling: str = "nearest",
) -> Raster:
    """Put the values of a picture on a map grid.

    If the map's own projection is known (or the fit is affine) and no other grid is wished for, the pixels of the
    picture stay the cells of the raster, in that projection; its geotransform is rotated if the picture is. Otherwise a
    north-up grid is laid over the map's footprint, and the one fitted transform (world to pixel) says for every cell
    which pixel to read.

    Parameters
    ----------
    values, sigma : (h, w) float32 array
        In the picture.
    georeference : Georeference
    reason : (h, w) uint8 array or None
        In the picture; always taken from the nearest pixel.
    intensity : (h, w) float32 array or None
        In the picture.
    outside : int
        Reason of cells outside the picture or the frame.
    frame : PixelBox or None
        The part of the picture to put on the grid; None takes all of it.
    to_crs : str or None
        CRS of the grid; None keeps the map's own, or that of the control points where that is not known.
    resolution : float or None
        Cell size in units of the CRS; None takes the median size of a pixel.
    resampling : {"nearest", "bilinear"}
        ``"bilinear"`` weighs the neighbours that have a value, where the nearest one has.

    Returns
    -------
    Raster

    Raises
    ------
    InvalidInputError
        For an unknown resampling, a resolution that is not positive, or a grid beyond all bounds.
    NotFoundError
        For an unknown CRS.
    """
    if resampling not in RESAMPLING:
        raise InvalidInputError(f"There is no resampling {resampling!r}.", f"Choose one of: {', '.join(RESAMPLING)}")
    height, width = values.shape
    box = frame or PixelBox(0, 0, width, height)
    if to_crs is not None:
        require_crs(to_crs)
    own = map_plane(georeference, box)
    if own is not None and to_crs in (None, own[1]) and resolution is None:
        rows, cols = box.slices(width, height)
        return Raster(
            values[rows, cols],
            own[0] @ Affine.translation(cols.start, rows.start),
            own[1],
            None if sigma is None else sigma[rows, cols],
            None if reason is None else reason[rows, cols],
            None if intensity is None else intensity[rows, cols],
        )
    crs = to_crs or (georeference.crs if own is None else own[1])
    grid, shape = _grid(georeference, box, crs, resolution)
    given = {"values": values, "sigma": sigma, "reason": reason, "intensity": intensity}
    layers: list[NDArray[Any]] = [layer for layer in given.values() if layer is not None]
    out = [np.full(shape, outside if layer is reason else np.nan, layer.dtype) for layer in layers]
    within = box.slices(width, height)
    places = CellPlaces(georeference, crs, grid)

    def fill(patch: Patch) -> None:
        cells, (x, y) = (patch.rows, patch.cols), patch.pixels()
        inside = _inside(x, y, within)
        if not inside.any():
            return
        whole = bool(inside.all())
        x, y = (x.ravel(), y.ravel()) if whole else (x[inside], y[inside])
        at = y.astype(np.intp), x.astype(np.intp)
        for layer, target in zip(layers, out, strict=True):
            nearest = resampling == "nearest" or layer is reason
            read = layer[at] if nearest else _bilinear(layer, np.stack([x, y], axis=1), within)
            if whole:
                target[cells] = read.reshape(inside.shape)
            else:
                target[cells][inside] = read

    # Projections are asked one at a time; pixels are read by both cores.
    for tile_row in cut_rows(shape, _TILE * shape[1]):
        tiles = cut_tiles((tile_row.stop - tile_row.start, shape[1]), _TILE, 0)
        patches = [
            patch
            for tile in tiles
            for patch in places.patches(
                slice(tile_row.start + tile.inner[0].start, tile_row.start + tile.inner[0].stop), tile.inner[1]
            )
        ]
        do_all(fill, patches)
    made = dict(zip((name for name, layer in given.items() if layer is not None), out, strict=True))
    return Raster(affine=grid, crs=crs, **made)


def map_plane(georeference: Georeference, box: PixelBox) -> tuple[Affine, str] | None:
    """The plane in which the pixels of the picture are cells: that of the map's own projection, if it is known.

    Parameters
    ----------
    georeference : Georeference
    box : PixelBox
        The map in the picture.

    Returns
    -------
    (Affine, str) or None
        From pixel to plane coordinates, and the CRS (its code, or WKT); None if the fit is straight in no plane.
        North-up if the rotation is under half a pixel over the map.
    """
    affine = georeference.affine
    if affine is None:
        return None
    own = georeference.map_crs
    crs = georeference.crs if own is None else own.text if own.text.startswith(("EPSG:", "ESRI:", "IAU")) else own.wkt
    return _north_up(affine, box), crs


def _north_up(affine: Affine, box: PixelBox) -> Affine:
    """Without the rotation, where that moves no place by half a pixel."""
    if not (affine.a > 0 and affine.e < 0):
        return affine
    moved = max(abs(affine.b / affine.a) * box.height, abs(affine.d / affine.e) * box.width) / 2
    if moved >= ROTATION_PX:
        return affine
    col, row = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    x, y = affine @ (col, row)
    return Affine(affine.a, 0.0, x - affine.a * col, 0.0, affine.e, y - affine.e * row)


def to_plane(georeference: Georeference, pixels: NDArray[np.float64], crs: str, box: PixelBox) -> NDArray[np.float64]:
    """Places of the picture in a CRS.

    Parameters
    ----------
    georeference : Georeference
    pixels : (n, 2) float array
    crs : str
    box : PixelBox
        The map in the picture, see :func:`map_plane`.

    Returns
    -------
    (n, 2) float array
        NaN where there is no such place.
    """
    own = map_plane(georeference, box)
    if own is not None and own[1] == crs:
        a, b, c, d, e, f = own[0][:6]
        return np.asarray(pixels @ np.array([[a, d], [b, e]]) + [c, f], np.float64)
    return project_points(georeference.transform.to_world(pixels), georeference.crs, crs)


def footprint(
    georeference: Georeference, box: PixelBox, crs: str | None = None, outline: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Outline of the map in world coordinates.

    Parameters
    ----------
    georeference : Georeference
    box : PixelBox
        The map in the picture.
    crs : str or None
        None for the CRS of the control points.
    outline : (k, 2) float array or None
        The map's outline in the picture, if it is no rectangle.

    Returns
    -------
    (n, 2) float array
        Closed ring, clockwise in the picture; places that have no image are left out.
    """
    ring = _ring(box) if outline is None else outline
    world = to_plane(georeference, ring, crs or georeference.crs, box)
    world = world[np.isfinite(world).all(axis=1)]
    return np.concatenate([world, world[:1]])


def _ring(box: PixelBox) -> NDArray[np.float64]:
    """Places along the edges of a box."""
    t = np.linspace(0, 1, _EDGE_STEPS, endpoint=False)
    x, y = box.left + t * box.width, box.top + t * box.height
    ones = np.ones_like(t)
    return np.concatenate(
        [
            np.stack([x, ones * box.top], axis=1),
            np.stack([ones * box.right, y], axis=1),
            np.stack([x[::-1] + box.width / _EDGE_STEPS, ones * box.bottom], axis=1),
            np.stack([ones * box.left, y[::-1] + box.height / _EDGE_STEPS], axis=1),
        ]
    )


def _grid(
    georeference: Georeference, box: PixelBox, crs: str, resolution: float | None
) -> tuple[Affine, tuple[int, int]]:
    """North-up grid over the footprint: its affine and (rows, columns)."""
    t = np.linspace(0, 1, _EDGE_STEPS + 1)
    col, row = np.meshgrid(box.left + t * box.width, box.top + t * box.height)
    pixels = np.stack([col.ravel(), row.ravel()], axis=1)
    world = project_points(georeference.transform.to_world(pixels), georeference.crs, crs)
    good = np.isfinite(world).all(axis=1)
    if not good.any():
        raise InvalidInputError(f"No part of the map can be placed in {crs}.", "Check the control points and --to-crs.")
    if resolution is None:
        resolution = _pixel_size(world.reshape(*col.shape, 2), box)
    if not (np.isfinite(resolution) and resolution > 0):
        raise InvalidInputError(f"The resolution is {resolution:g}.", "Give --resolution above 0, in units of the CRS.")
    low, high = world[good].min(axis=0), world[good].max(axis=0)
    if is_geographic(crs):
        low[1], high[1] = max(low[1], -90.0), min(high[1], 90.0)
    cols, rows = (int(n) for n in np.maximum(np.ceil((high - low) / resolution - 1e-6), 1))
    if cols * rows > MAX_CELLS:
        raise InvalidInputError(
            f"A resolution of {resolution:g} makes {cols} x {rows} cells.", "Give a larger --resolution."
        )
    return Affine(resolution, 0, low[0], 0, -resolution, high[1]), (rows, cols)


def _pixel_size(world: NDArray[np.float64], box: PixelBox) -> float:
    """Median size of a pixel in units of the CRS, from a lattice of places; three significant digits."""
    right = np.diff(world, axis=1)[:-1] * (_EDGE_STEPS / box.width)
    down = np.diff(world, axis=0)[:, :-1] * (_EDGE_STEPS / box.height)
    area = np.abs(right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0])
    return float(f"{np.sqrt(np.nanmedian(area)):.3g}")


def _inside(x: NDArray[np.float64], y: NDArray[np.float64], within: tuple[slice, slice]) -> NDArray[np.bool_]:
    """Which places lie on pixels of a part of the picture."""
    rows, cols = within
    with np.errstate(invalid="ignore"):
        return (x >= cols.start) & (x < cols.stop) & (y >= rows.start) & (y < rows.stop)


def _nearest(layer: NDArray[Any], pixels: NDArray[np.float64]) -> NDArray[Any]:
    col, row = np.floor(pixels).astype(np.intp).T
    return layer[row, col]


def _bilinear(
    layer: NDArray[np.float32], pixels: NDArray[np.float64], within: tuple[slice, slice]
) -> NDArray[np.float32]:
    rows, cols = within
    corner = np.floor(pixels - 0.5)
    share = (pixels - 0.5 - corner).astype(np.float32)
    total = np.zeros(len(pixels), np.float32)
    weight = np.zeros(len(pixels), np.float32)
    for down in (0, 1):
        for right in (0, 1):
            col = np.clip(corner[:, 0] + right, cols.start, cols.stop - 1).astype(np.intp)
            row = np.clip(corner[:, 1] + down, rows.start, rows.stop - 1).astype(np.intp)
            value = layer[row, col]
            w = np.abs(1 - right - share[:, 0]) * np.abs(1 - down - share[:, 1])
            w[np.isnan(value)] = 0
            total += w * np.nan_to_num(value)
            weight += w
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isnan(_nearest(layer, pixels)), np.float32(np.nan), total / weight).astype(np.float32)
