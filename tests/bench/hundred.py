"""``python -m tests.bench.hundred QUALITY``: 100 Mpx projected in a process of its own, whose peak memory is told."""

from __future__ import annotations

import json
import statistics
import sys
import time

import numpy as np
from numpy.typing import NDArray

from geocbar.value.projection import ColorTable, project_colors

from .performance import scale_of
from .pictures import draw_field, draw_rows, through_jpeg

SIDE = 10_000
_ROWS = 500
_ROUNDS = 3


def peak_bytes() -> int:
    """The most memory this process ever held."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def draw(quality: int | None) -> NDArray[np.uint8]:
    pixels = np.empty((SIDE, SIDE, 3), np.uint8)
    for start in range(0, SIDE, _ROWS):
        rows = slice(start, start + _ROWS)
        pixels[rows] = through_jpeg(draw_rows(draw_field(rows, SIDE), "jet"), quality)
    return pixels


def main(quality: int | None) -> dict[str, float]:
    pixels = draw(quality)
    scale = scale_of("jet")
    values = np.empty((SIDE, SIDE), np.float32)
    distances = np.empty((SIDE, SIDE), np.float32)
    values[:] = distances[:] = 0
    projecting, working, copying = [], [], []
    n_colors = 0
    for _ in range(_ROUNDS):
        start, core_start = time.perf_counter(), time.process_time()
        table = ColorTable.of(pixels)
        nodes, distance = project_colors(table.colors, scale)
        table.spread_all([scale.values_at(nodes).astype(np.float32), distance], [values, distances])
        projecting.append(time.perf_counter() - start)
        working.append(time.process_time() - core_start)
        n_colors = len(table.colors)
        del table
        start = time.perf_counter()
        scratch = distances.view(np.uint8).reshape(-1)
        np.copyto(scratch[: pixels.size], pixels.reshape(-1))
        np.copyto(distances, values)
        np.copyto(values, distances)
        copying.append(time.perf_counter() - start)
    rows = slice(0, _ROWS)
    error = (values[rows] - draw_field(rows, SIDE))[distances[rows] < 20]
    return {
        "colors": n_colors,
        "seconds": statistics.median(projecting),
        "core_seconds": statistics.median(working),
        "copy_seconds": statistics.median(copying),
        "picture_and_output": pixels.nbytes + values.nbytes + distances.nbytes,
        "peak": peak_bytes(),
        "median_error": float(np.median(np.abs(error))),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]) or None)))
