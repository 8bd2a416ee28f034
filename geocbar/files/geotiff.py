"""GeoTIFF as QGIS and GDAL like it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import FileProblemError
from geocbar.grid.raster import Raster

__all__ = ["write_geotiff"]

_TILE = 256
_WRITE_ROWS = 2048


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
        A second band ``sigma`` is written if the raster has one.
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
    import rasterio
    from rasterio.enums import Resampling
    from rasterio.errors import RasterioError

    label = f"[{unit}]" if unit else ""
    bands = [(raster.values, f"{name} {label}".strip())]
    if raster.sigma is not None:
        bands.append((raster.sigma, f"sigma {label}".strip()))
    height, width = raster.values.shape
    profile = {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": len(bands),
        "dtype": "float32",
        "crs": _rasterio_crs(raster.crs),
        "transform": raster.affine,
        "nodata": np.nan,
        "tiled": True,
        "blockxsize": _TILE,
        "blockysize": _TILE,
        "compress": "deflate",
        "predictor": 3,
        "bigtiff": "if_safer",
        "interleave": "band",
        "num_threads": 2,
    }
    try:
        with rasterio.Env(GDAL_TIFF_OVR_BLOCKSIZE=_TILE, GDAL_NUM_THREADS="2", GTIFF_WRITE_RAT_TO_PAM="NO"):
            with rasterio.open(path, "w", **profile) as file:
                file.update_tags(AREA_OR_POINT="Area", **dict(tags or {}))
                for number, (band, description) in enumerate(bands, start=1):
                    file.set_band_description(number, description)
                    file.update_tags(number, **_statistics(band))
                    _write_band(file, number, band)
            factors = _overview_factors(height, width)
            if factors:
                with rasterio.open(path, "r+") as file:
                    file.build_overviews(factors, Resampling.nearest if classes else Resampling.average)
            _require_readable(path)
    except (RasterioError, OSError) as error:
        raise FileProblemError(
            f"{Path(path).name} cannot be written: {str(error).splitlines()[0]}.",
            "Check the folder's permissions and the free space.",
        ) from error


def _write_band(file: object, number: int, band: NDArray[np.float32]) -> None:
    from rasterio.windows import Window

    height, width = band.shape
    for row in range(0, height, _WRITE_ROWS):
        rows = min(_WRITE_ROWS, height - row)
        file.write(band[row : row + rows], number, window=Window(0, row, width, rows))  # type: ignore[attr-defined]


def _require_readable(path: str | Path) -> None:
    """A full disk may show only here: the smallest overview needs every part of the file's index."""
    import rasterio

    with rasterio.open(path) as file:
        for number in range(1, file.count + 1):
            file.read(number, out_shape=(1, 1))
            file.read(number, window=((file.height - 1, file.height), (file.width - 1, file.width)))


def _rasterio_crs(crs: str) -> object:
    from pyproj import CRS
    from rasterio.crs import CRS as RasterioCRS

    system = CRS.from_user_input(crs)
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
    """Embedded, so that QGIS need not write an .aux.xml beside the file."""
    valid = band[np.isfinite(band)].astype(np.float64)
    share = {"STATISTICS_VALID_PERCENT": f"{100 * valid.size / max(band.size, 1):.4g}"}
    if not valid.size:
        return share
    return {
        "STATISTICS_MINIMUM": repr(float(valid.min())),
        "STATISTICS_MAXIMUM": repr(float(valid.max())),
        "STATISTICS_MEAN": repr(float(valid.mean())),
        "STATISTICS_STDDEV": repr(float(valid.std())),
        **share,
    }
