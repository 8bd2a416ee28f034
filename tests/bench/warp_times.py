"""``python -m tests.bench.warp_times SIDE``: a picture put on a grid in another CRS, against GDAL's warper."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np
from pyproj import Transformer
from rasterio.transform import from_origin
from rasterio.warp import Resampling, reproject

from geocbar.grid.raster import to_map
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import fit_georeference

from .hundred import peak_bytes

_CRS = "EPSG:3035"
_WEST, _NORTH, _EXTENT = 3e6, 4.5e6, 3e6


def clocked(work: Callable[[], object]) -> tuple[float, float]:
    start, core_start = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - core_start


def main(side: int) -> dict[str, float]:
    size = _EXTENT / side
    at = np.stack(np.meshgrid(np.linspace(0, side, 5), np.linspace(0, side, 5)), axis=-1).reshape(-1, 2)
    to_degrees = Transformer.from_crs(_CRS, "EPSG:4326", always_xy=True)
    world = np.stack(to_degrees.transform(_WEST + at[:, 0] * size, _NORTH - at[:, 1] * size), axis=1)
    names = tuple(str(i) for i in range(len(at)))
    fit = fit_georeference(GroundControlPoints(at, world, "EPSG:4326", names), f"projection:{_CRS}", size=(side, side))
    values = np.random.default_rng(0).random((side, side), np.float32)
    reason = np.ones((side, side), np.uint8)
    made = []
    ours = clocked(lambda: made.append(to_map(values, fit, sigma=values, reason=reason, to_crs="EPSG:4326")))
    (raster,) = made
    peak = peak_bytes()
    theirs = np.zeros(2)
    for layer in (values, values, reason):
        out = np.zeros(raster.values.shape, layer.dtype)
        theirs += clocked(
            lambda layer=layer, out=out: reproject(
                layer,
                out,
                src_transform=from_origin(_WEST, _NORTH, size, size),
                src_crs=_CRS,
                dst_transform=raster.affine,
                dst_crs="EPSG:4326",
                resampling=Resampling.nearest,
                num_threads=2,
            )
        )
    return {
        "megapixels": side * side / 1e6,
        "megacells": raster.values.size / 1e6,
        "seconds": ours[0],
        "core_seconds": ours[1],
        "gdal_seconds": float(theirs[0]),
        "gdal_core_seconds": float(theirs[1]),
        "peak": peak,
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
