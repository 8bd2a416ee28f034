"""GeoTIFF as QGIS and GDAL like it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import FileProblemError
from geocbar.grid.raster import Raster
from geocbar.place.local_crs import crs_definition

if TYPE_CHECKING:
    from rasterio.io import DatasetWriter
    from rasterio.windows import Window

__all__ = ["write_geotiff", "write_positions", "write_reasons"]

_TILE = 256
_WRITE_ROWS = 1024
_STATISTICS_CELLS = 1 << 18

#: Else GDAL keeps blocks in a twentieth of the machine's memory (MB).
_CACHE_MB = 96


def write_geotiff(
    path: str | Path,
    raster: Raster,
    *,
    name: str = "value",
    unit: str = "",
    tags: Mapping[str, str] | None = None,
    classes: bool = False,
) -> None:
    """Write a raster as float32 GeoTIFF: tiled, deflated, with overviews and embedded statistics, NaN as nodata.

    Parameters
    ----------
    path : str or Path
    raster : Raster
        Its sigma and its shading intensity, if it has them, become further bands.
    name, unit : str
        Band 1 is described ``name [unit]``: QGIS shows the description, not the unit.
    tags : mapping of str to str
        Provenance, as metadata of the file.
    classes : bool
        Whether values are classes: overviews then take the nearest value, otherwise the average.

    Raises
    ------
    FileProblemError
        If the file cannot be written completely.
    """
    label = f"[{unit}]" if unit else ""
    bands: list[tuple[NDArray[Any], str]] = [(raster.values, f"{name} {label}".strip())]
    if raster.sigma is not None:
        bands.append((raster.sigma, f"sigma {label}".strip()))
    if raster.intensity is not None:
        bands.append((raster.intensity, "shading intensity"))
    _write(Path(path), raster, bands, tags or {}, averaged=not classes)


def write_reasons(
    path: str | Path,
    raster: Raster,
    names: Mapping[int, str],
    colors: Mapping[int, tuple[int, int, int]],
    *,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write why each cell has its value, or none, as a GeoTIFF of bytes with a colour table.

    The names stand in the file as tags ``REASON_0``, ``REASON_1``, ...: GDAL would write category names into an
    .aux.xml beside it.

    Parameters
    ----------
    path : str or Path
    raster : Raster
        With a reason.
    names : mapping of int to str
        What each reason means.
    colors : mapping of int to (r, g, b)
    tags : mapping of str to str
        Provenance, as metadata of the file.

    Raises
    ------
    FileProblemError
        If the file cannot be written completely.
    """
    assert raster.reason is not None
    meanings = {f"REASON_{number}": name for number, name in names.items()}
    _write(Path(path), raster, [(raster.reason, "reason")], {**(tags or {}), **meanings}, colors=colors)


def write_positions(path: str | Path, px: Raster, km: Raster | None, *, tags: Mapping[str, str] | None = None) -> None:
    """Write how far every cell may be off its place: band 1 in pixels of the figure, band 2 in km on the ground.

    Parameters
    ----------
    path : str or Path
    px, km : Raster
        On one grid; km is None for a map that is not on a body.
    tags : mapping of str to str
        Provenance, as metadata of the file.

    Raises
    ------
    FileProblemError
        If the file cannot be written completely.
    """
    bands = [(px.values, "position uncertainty [px]")]
    if km is not None:
        bands.append((km.values, "position uncertainty [km]"))
    _write(Path(path), px, bands, tags or {}, averaged=True)


def _write(
    path: Path,
    raster: Raster,
    bands: Sequence[tuple[NDArray[Any], str]],
    tags: Mapping[str, str],
    *,
    averaged: bool = False,
    colors: Mapping[int, tuple[int, int, int]] | None = None,
) -> None:
    import rasterio
    from rasterio._err import CPLE_BaseError
    from rasterio.enums import Resampling
    from rasterio.errors import RasterioError

    height, width = bands[0][0].shape
    floats = bands[0][0].dtype.kind == "f"
    profile = {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": len(bands),
        "dtype": "float32" if floats else "uint8",
        "crs": _rasterio_crs(raster.crs),
        "transform": raster.affine,
        "nodata": np.nan if floats else None,
        "tiled": True,
        "blockxsize": _TILE,
        "blockysize": _TILE,
        "compress": "deflate",
        "predictor": 3 if floats else 2,
        "bigtiff": "if_safer",
        "interleave": "band",
        "num_threads": 2,
    }
    try:
        with rasterio.Env(
            GDAL_TIFF_OVR_BLOCKSIZE=_TILE,
            GDAL_NUM_THREADS="2",
            GDAL_CACHEMAX=_CACHE_MB,
            GTIFF_WRITE_RAT_TO_PAM="NO",
        ):
            with rasterio.open(path, "w", **profile) as file:
                file.update_tags(**{**tags, "AREA_OR_POINT": "Area"})
                for number, (band, description) in enumerate(bands, start=1):
                    file.set_band_description(number, description)
                    if floats:
                        file.update_tags(number, **_statistics(band))
                    _write_band(file, number, band)
                if colors is not None:
                    file.write_colormap(1, dict(colors))
            _require_same(path, [band for band, _ in bands])
            factors = _overview_factors(height, width)
            if factors:
                with rasterio.open(path, "r+") as file:
                    file.build_overviews(factors, Resampling.average if averaged else Resampling.nearest)
            _require_overviews(path, len(factors))
    except (RasterioError, CPLE_BaseError, OSError) as error:
        # rasterio's own sentence is often "Read failed. See previous exception for details."
        cause = str(error.__cause__ or error).partition("\n")[0].rstrip(".: ")
        raise FileProblemError(
            f"{path.name} cannot be written: {cause}.",
            "Check the folder's permissions and the free space.",
        ) from error


def _row_windows(height: int, width: int) -> Iterator[Window]:
    from rasterio.windows import Window

    for row in range(0, height, _WRITE_ROWS):
        yield Window(0, row, width, min(_WRITE_ROWS, height - row))


def _write_band(file: DatasetWriter, number: int, band: NDArray[Any]) -> None:
    for window in _row_windows(*band.shape):
        file.write(band[window.toslices()], number, window=window)


def _require_same(path: str | Path, bands: Sequence[NDArray[Any]]) -> None:
    """Read everything again, for GDAL may close a file on a full disk without a word."""
    import rasterio

    with rasterio.open(path) as file:
        for number, band in enumerate(bands, start=1):
            for window in _row_windows(*band.shape):
                found, meant = file.read(number, window=window), band[window.toslices()]
                if not np.array_equal(found, meant, equal_nan=meant.dtype.kind == "f"):
                    raise OSError("it does not hold what was written to it")


def _require_overviews(path: str | Path, levels: int) -> None:
    """The same for the overviews; a block that is not there would be read as missing values."""
    import rasterio

    for level in range(levels):
        with rasterio.open(path, overview_level=level) as file:
            for number in file.indexes:
                for window in _row_windows(file.height, file.width):
                    file.read(number, window=window)
            blocks = product(file.indexes, range(-(-file.width // _TILE)), range(-(-file.height // _TILE)))
        with rasterio.open(path) as file:
            for number, x, y in blocks:
                if file.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", bidx=number, ovr=level) is None:
                    raise OSError(f"overview {level + 1} is not complete")


def _rasterio_crs(crs: str) -> object:
    from pyproj import CRS
    from rasterio.crs import CRS as RasterioCRS

    system = CRS.from_user_input(crs_definition(crs))
    code = system.to_epsg()
    return RasterioCRS.from_epsg(code) if code is not None else RasterioCRS.from_wkt(system.to_wkt())


def _overview_factors(height: int, width: int) -> list[int]:
    factors = []
    factor = 2
    while max(height, width) / factor >= _TILE / 2:
        factors.append(factor)
        factor *= 2
    return factors


def _statistics(band: NDArray[np.float32]) -> dict[str, str]:
    """Embedded, so that QGIS need not write an .aux.xml beside the file; gathered some rows at a time."""
    count, mean, squares, least, most = 0, 0.0, 0.0, np.inf, -np.inf
    rows = max(_STATISTICS_CELLS // max(band.shape[1], 1), 1)
    for top in range(0, len(band), rows):
        part = band[top : top + rows]
        valid = part[np.isfinite(part)].astype(np.float64)
        if not valid.size:
            continue
        least, most = min(least, float(valid.min())), max(most, float(valid.max()))
        # Two groups of numbers as one: T. F. Chan et al. (1983), https://doi.org/10.1080/00031305.1983.10483115
        apart, together = float(valid.mean()) - mean, count + valid.size
        valid -= valid.mean()
        squares += float(valid @ valid) + apart**2 * count * valid.size / together
        mean += apart * valid.size / together
        count = together
    share = {"STATISTICS_VALID_PERCENT": f"{100 * count / max(band.size, 1):.4g}"}
    if not count:
        return share
    return {
        "STATISTICS_MINIMUM": repr(least),
        "STATISTICS_MAXIMUM": repr(most),
        "STATISTICS_MEAN": repr(mean),
        "STATISTICS_STDDEV": repr(math.sqrt(squares / count)),
        **share,
    }
