"""How few points rebuild a map within a promised error: ``python -m tests.bench.thinning`` prints the tables."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

from geocbar.grid.lattice import dbscan
from geocbar.grid.levels import even_noise
from geocbar.grid.mesh import NOISE_WIDTH, build_mesh, mesh_errors, pixel_places
from geocbar.grid.points import Points, rebuild_error
from geocbar.grid.rims import rim_pixels
from geocbar.grid.thinning import thin
from geocbar.value.inversion import Coding, invert
from geocbar.value.requantization import standard_tables
from tests.drawing.fields import make_field

from .pictures import FORMATS, through_jpeg

ROOT = Path(__file__).parents[2]

_FIELDS = ("smooth", "hills", "fronts", "rough", "topobathy")
_COLORMAPS = ("viridis", "jet")
_BOUNDS = (0.005, 0.01, 0.02, 0.05)
_SHAPE = (360, 480)
_LARGE = (1500, 2000)
_SEED = 11

#: The reference puts one point in for so many there are.
_BATCH = 50


@dataclass(frozen=True, eq=False)
class _Map:
    """What is read from a drawn map; values from 0 to 1."""

    values: NDArray[np.float32]
    sigma: NDArray[np.float32]


def _scale_of(colormap: str) -> object:
    from .performance import scale_of

    return scale_of(colormap)


def read_map(field: str, stored_as: str, shape: tuple[int, int], colormap: str) -> _Map:
    """Draw a field through a colormap, with lines and a blank, store it, and read it."""
    height, width = shape
    unit = make_field(field, width, height, np.random.default_rng(_SEED))
    table = matplotlib.colormaps[colormap](np.arange(256), bytes=True)[:, :3]
    pixels = table[np.minimum(unit * 256, 255).astype(np.uint8)]
    pixels[::150] = pixels[:, ::150] = 0
    pixels[60:100, 40:200] = 255
    quality = FORMATS[stored_as]
    coding = Coding() if quality is None else Coding(True, standard_tables(quality), 2)
    found = invert(through_jpeg(pixels, quality), _scale_of(colormap), coding=coding)  # type: ignore[arg-type]
    return _Map(found.values, found.sigma)


def insert_greedily(drawn: _Map, bound: float, share: float = 0.01) -> int:
    """Points that greedy insertion needs for the same promise.

    The pixel where the error is largest, again and again, a fiftieth of the points there are at a time, each in a
    triangle of its own (Garland and Heckbert 1995).
    """
    values, valid = drawn.values, np.isfinite(drawn.values)
    width = values.shape[1]
    bounds = np.fmax(
        np.float32(bound), np.float32(NOISE_WIDTH) * even_noise(values, values, drawn.sigma, (0, 1), "linear")
    )
    at = rim_pixels(valid)
    while True:
        mesh = build_mesh(pixel_places(at, width), values.ravel()[at].astype(np.float64))
        error = np.abs(mesh_errors(mesh, values))
        if np.count_nonzero((error > bounds) & valid) <= share * np.count_nonzero(valid):
            return len(at)
        error[~np.isfinite(error)] = 0
        error.ravel()[at] = 0
        fewest = max(1, len(at) // _BATCH)
        worst = np.argpartition(-error.ravel(), min(400 * fewest, error.size - 1))[: 400 * fewest]
        worst = worst[np.argsort(-error.ravel()[worst])]
        triangle = _triangle_of(mesh.places, mesh.corners, pixel_places(worst, width))
        _, first = np.unique(triangle, return_index=True)
        at = np.union1d(at, worst[np.sort(first)[:fewest]])


def _triangle_of(
    places: NDArray[np.float64], corners: NDArray[np.int32], wanted: NDArray[np.float64]
) -> NDArray[np.intp]:
    from matplotlib.tri import Triangulation

    finder = Triangulation(places[:, 0], places[:, 1], corners).get_trifinder()
    return np.asarray(finder(wanted[:, 0], wanted[:, 1]))


def points_of_recipe(drawn: _Map, rmse: float) -> tuple[int, float]:
    """Points of the clusters alone that rebuild the map as well, and how well; the smallest cells if none do."""
    for spacing in (32, 24, 16, 12, 10, 8, 7, 6, 5, 4, 3, 2, 1):
        points = thin(drawn.values, limits=(0, 1), sigma=drawn.sigma, max_error=None, spacing=spacing)
        reached = rebuild_error(drawn.values, points, (0, 1)).rmse_percent
        if reached <= rmse:
            break
    return len(points), reached


def _promise_row(field: str, colormap: str, stored_as: str, drawn: _Map) -> tuple[list[str], bool]:
    cells, held = [field, colormap, stored_as, f"{100 * float(np.nanmedian(drawn.sigma)):.2f}"], True
    for bound in _BOUNDS:
        points = thin(drawn.values, limits=(0, 1), sigma=drawn.sigma, max_error=bound)
        found = rebuild_error(drawn.values, points, (0, 1), sigma=drawn.sigma, max_error=bound)
        held = held and found.is_kept
        cells += [str(len(points)), f"{found.kept_percent:.2f}", f"{found.p99_percent:.2f}"]
    return cells, held


def _count_row(field: str, colormap: str, stored_as: str, drawn: _Map) -> list[str]:
    points: Points = thin(drawn.values, limits=(0, 1), sigma=drawn.sigma, max_error=0.02)
    found = rebuild_error(drawn.values, points, (0, 1), sigma=drawn.sigma, max_error=0.02)
    plain, reached = points_of_recipe(drawn, found.rmse_percent)
    greedy = insert_greedily(drawn, 0.02)
    least = "" if reached <= found.rmse_percent else "> "
    return [
        *(field, colormap, stored_as, f"{found.rmse_percent:.2f}", str(len(points)), f"{least}{plain}"),
        *(f"{least and '< '}{len(points) / plain:.2f}", str(greedy), f"{len(points) / greedy:.2f}"),
    ]


def _time_row(field: str, colormap: str, stored_as: str, rounds: int = 3) -> list[str]:
    drawn = read_map(field, stored_as, _LARGE, colormap)
    times, cores = [], []
    for _ in range(rounds):
        start, core = time.perf_counter(), time.process_time()
        points = thin(drawn.values, limits=(0, 1), sigma=drawn.sigma, max_error=0.02)
        times.append(time.perf_counter() - start)
        cores.append(time.process_time() - core)
    plain = time.process_time()
    thin(drawn.values, limits=(0, 1), sigma=drawn.sigma, max_error=None)
    plain = time.process_time() - plain
    return [
        *(field, colormap, stored_as, str(len(points)), f"{statistics.median(times):.2f}"),
        *(f"{statistics.median(cores):.2f}", f"{plain:.2f}"),
    ]


def compare_dbscan(side: int = 1000) -> list[str]:
    """One level of so many pixels squared, half of them taking part in flakes of all sizes."""
    from scipy.ndimage import gaussian_filter
    from sklearn.cluster import DBSCAN

    rng = np.random.default_rng(_SEED)
    levels = np.where(gaussian_filter(rng.normal(size=(2 * side, side)), 3) > 0, 0, -1)
    row, col = np.nonzero(levels == 0)
    places = np.column_stack([col, row])
    start = time.process_time()
    labels = DBSCAN(eps=1.5, min_samples=4).fit(places).labels_
    rival = time.process_time() - start
    own = []
    for _ in range(3):
        start = time.process_time()
        found = dbscan(levels, 1.5, 4)
        own.append(time.process_time() - start)
    same = bool(np.array_equal(found.labels[row, col], labels))
    ratio = rival / statistics.median(own)
    return [
        f"{len(row):,}".replace(",", " "),
        f"{statistics.median(own):.2f}",
        f"{rival:.2f}",
        f"{ratio:.0f}",
        str(same),
    ]


def cluster_fifty() -> dict[str, float]:
    """50 million points on a picture of one level and its memory; to be run in a process of its own."""
    from .hundred import peak_bytes

    side = 7072
    row, col = np.ogrid[:side, :side]
    levels = ((row // 37 + col // 41) % 9).astype(np.int16)
    start = time.process_time()
    found = dbscan(levels, 1.5, 4)
    return {
        "points": side * side,
        "clusters": found.n_clusters,
        "seconds": time.process_time() - start,
        "peak": peak_bytes(),
    }


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def thinning_tables() -> str:
    """The tables of docs/performance.md about points."""
    promises, counts, all_held = [], [], True
    for number, field in enumerate(_FIELDS):
        for stored_as in FORMATS:
            colormap = _COLORMAPS[number % 2]
            drawn = read_map(field, stored_as, _SHAPE, colormap)
            row, held = _promise_row(field, colormap, stored_as, drawn)
            all_held = all_held and held
            promises.append(row)
            counts.append(_count_row(field, colormap, stored_as, drawn))
    timed = [_time_row(*case) for case in (("smooth", "viridis", "PNG"), ("hills", "jet", "JPEG q90"))]
    timed += [_time_row(*case) for case in (("topobathy", "viridis", "JPEG q75"), ("rough", "jet", "JPEG q75"))]
    command = [sys.executable, "-m", "tests.bench.thinning", "fifty"]
    fifty = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    bounds = [text for b in _BOUNDS for text in (f"{100 * b:g} %: points", "kept %", "plain p99 %")]
    return f"""### The promise

Maps of {_SHAPE[1]} x {_SHAPE[0]} px with lines and a white box, stored and read; sigma is the median, in percent of the
range. *Kept* is the share of all pixels with a value that are rebuilt within what is promised, or within three times
the noise of their value where that is more; 99 is promised. *Plain p99* is the 99th percentile of the error, nothing
forgiven.

{_table(["field", "colormap", "stored as", "sigma %", *bounds], promises)}

Wanted: 99 % everywhere. {"Held everywhere." if all_held else "**Missed.**"}

### How many points, at 2 %

*Clusters* are the points of gradient mask, DBSCAN and centroids alone, with cells so small that they rebuild the map
with as small an RMSE. *Greedy* inserts points where the error is largest until the same promise holds, nothing else.

{_table(["field", "colormap", "stored as", "RMSE %", "points", "clusters", "ratio", "greedy", "ratio"], counts)}

Wanted: at most 0.5 of the clusters', at most 1.2 of the greedy ones.

### How fast, 3 Mpx

{_table(["field", "colormap", "stored as", "points", "s", "core s", "clusters alone, core s"], timed)}

### DBSCAN

One level, eps 1.5 px, 4 pixels, against `sklearn.cluster.DBSCAN`; labels compared one by one.

{_table(["points", "geocbar core s", "scikit-learn core s", "ratio", "same labels"], [compare_dbscan()])}

{fifty["points"] / 1e6:.0f} million points in {fifty["clusters"]} clusters: {fifty["seconds"]:.0f} core s, at most
{fifty["peak"] / 1e9:.2f} GB for the whole process. Wanted: 20 times faster at 1 M points, 2 GB for 50 M.
"""


if __name__ == "__main__":
    print(json.dumps(cluster_fifty()) if sys.argv[1:] == ["fifty"] else thinning_tables())
