"""Rasters that others made: one band, its grid, and where it has values."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.grid.raster import Raster
from geocbar.place.projections import project_points

if TYPE_CHECKING:
    from rasterio.io import DatasetReader
    from shapely.geometry.base import BaseGeometry

__all__ = ["cells_inside", "data_area", "read_raster"]

#: Gaps narrower than about twice this many cells are lines over data, not the end of it.
_CLOSED = 2

#: A raster with more cells is looked at in blocks.
_MOST_CELLS = 4_000_000

#: Corners of an area are cut by no more than this, in cells.
_SIMPLER = 0.75


def read_raster(path: str | Path, band: int = 1) -> tuple[Raster, str, str]:
    """Read a band of a raster file that GDAL knows.

    Parameters
    ----------
    path : str or Path
    band : int
        From 1. A band that is described ``sigma`` becomes the sigma of band 1.

    Returns
    -------
    raster : Raster
        Nodata, masked and infinite cells are NaN; scale and offset of the band are applied.
    name, unit : str
        Of the band, empty if the file does not say.

    Raises
    ------
    FileProblemError
        If the file is missing or no raster.
    InvalidInputError
        If there is no such band, or no CRS.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said below, as a refusal
            opened = rasterio.open(path)
        with opened as file:
            if not 1 <= band <= file.count:
                raise InvalidInputError(f"{path.name} has {file.count} bands, no band {band}.", "Give another --band.")
            if file.crs is None:
                raise InvalidInputError(
                    f"{path.name} says nothing of its CRS.", f"Say it: gdal_edit.py -a_srs EPSG:4326 {path.name}"
                )
            sigma = next((n for n, said in enumerate(file.descriptions, 1) if (said or "").startswith("sigma")), None)
            values = _read_band(file, band)
            spread = _read_band(file, sigma) if sigma is not None and band == 1 else None
            code = file.crs.to_epsg()
            crs = f"EPSG:{code}" if code else file.crs.to_wkt()
            said = (file.descriptions[band - 1] or "").partition(" [")
            unit = file.units[band - 1] or said[2].removesuffix("]")
            return Raster(values, Affine(*file.transform[:6]), crs, sigma=spread), said[0], unit
    except (RasterioError, OSError) as error:
        cause = "there is no such file" if not path.exists() else str(error).partition("\n")[0].rstrip(".")
        raise FileProblemError(f"{path} cannot be read as a raster: {cause}.", "Check its path.") from error


def _read_band(file: DatasetReader, band: int) -> NDArray[np.float32]:
    values = file.read(band, masked=True).astype(np.float32).filled(np.nan)
    factor, offset = file.scales[band - 1], file.offsets[band - 1]
    if (factor, offset) != (1.0, 0.0):
        values = (values * factor + offset).astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    return np.asarray(values, np.float32)


def data_area(raster: Raster) -> BaseGeometry:
    """The area where a raster has values, with its holes, in its CRS.

    Narrow gaps, of lines and letters over the map, count as data; corners are simplified by less than a cell. Rasters
    of more than 4 million cells are looked at in blocks of several cells, of which one with a value is enough.

    Returns
    -------
    Polygon or MultiPolygon
        Empty if there is no value.
    """
    from rasterio.features import shapes
    from scipy.ndimage import binary_closing
    from shapely import union_all
    from shapely.geometry import shape

    valid = np.isfinite(raster.values)
    step = max(1, int(np.sqrt(valid.size / _MOST_CELLS)))
    blocks = np.pad(valid, [(0, -length % step) for length in valid.shape])
    valid = np.asarray(blocks.reshape(blocks.shape[0] // step, step, -1, step).any(axis=(1, 3)))
    grown = binary_closing(np.pad(valid, _CLOSED + 1), iterations=_CLOSED)
    closed = np.logical_or(valid, grown[_CLOSED + 1 : -_CLOSED - 1, _CLOSED + 1 : -_CLOSED - 1])
    affine = raster.affine @ Affine.scale(step)
    cell = float(np.sqrt(abs(affine.determinant)))
    found = shapes(closed.astype(np.uint8), mask=closed, connectivity=8, transform=affine)
    return union_all([shape(geometry).simplify(_SIMPLER * cell).buffer(0) for geometry, _ in found])


def cells_inside(
    area: BaseGeometry, affine: Affine, shape: tuple[int, int], *, from_crs: str = "", to_crs: str = ""
) -> NDArray[np.bool_]:
    """Which cells of a grid have their centre in an area.

    Parameters
    ----------
    area : Polygon or MultiPolygon
    affine : Affine
        Of the grid.
    shape : (rows, cols)
    from_crs, to_crs : str
        Of the area and of the grid, if they are not the same.

    Returns
    -------
    (rows, cols) bool array
    """
    from rasterio.features import geometry_mask
    from shapely import segmentize, transform

    if area.is_empty:
        return np.zeros(shape, np.bool_)
    if from_crs != to_crs:
        step = float(np.max(np.ptp(np.reshape(area.bounds, (2, 2)), axis=0))) / 256
        area = transform(segmentize(area, step), lambda places: project_points(places, from_crs, to_crs))
    return np.asarray(geometry_mask([area], out_shape=shape, transform=affine, invert=True), np.bool_)
