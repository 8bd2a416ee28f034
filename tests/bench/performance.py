"""How fast colours become values and pixels become clusters: writes docs/performance.md."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from geocbar.grid.lattice import dbscan
from geocbar.value.colormaps import named_colors
from geocbar.value.projection import ColorTable, project_colors
from geocbar.value.scale import ColorScale

from . import rivals
from .pictures import FORMATS, draw_field, draw_rows, through_jpeg

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance.md"

_SHAPE = (1500, 2000)
_ROUNDS = 3
_MEBI = 1e6


def scale_of(name: str) -> ColorScale:
    named = named_colors(name)
    return ColorScale.from_colors(named.colors, named.positions, vmin=0, vmax=1, step=named.step)


def project_picture(pixels: NDArray[np.uint8], scale: ColorScale) -> tuple[int, NDArray[np.generic]]:
    """Value and distance of every pixel; the number of distinct colours and the values."""
    table = ColorTable.of(pixels)
    nodes, distance = project_colors(table.colors, scale)
    values, _ = table.spread_all([scale.values_at(nodes).astype(np.float32), distance])
    return len(table.colors), values


def seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare_picture(name: str, stored_as: str, unmap: rivals.Unmap, folder: Path) -> list[str]:
    """One row of the table: all ways in turn, several rounds, so that a busy machine slows all of them."""
    pixels = through_jpeg(draw_rows(draw_field(slice(0, _SHAPE[0]), _SHAPE[1]), name), FORMATS[stored_as])
    scale = scale_of(name)
    file = folder / "picture.npz"
    np.savez(file, pixels=pixels, colors=scale.colors)
    moved = np.zeros((*pixels.shape[:2], 11), np.uint8)  # 3 bytes read and 8 written for every pixel
    ways: dict[str, Callable[[], object]] = {
        "geocbar": lambda: project_picture(pixels, scale),
        "tree": lambda: rivals.query_tree(pixels, scale.colors),
        "vq": lambda: rivals.quantize(pixels, scale.colors),
        "copy": lambda: moved.copy(),
    }
    times: dict[str, list[float]] = {way: [] for way in (*ways, "unmap")}
    for _ in range(_ROUNDS):
        for way, work in ways.items():
            times[way].append(seconds_of(work))
        times["unmap"].append(unmap.seconds(file))
    middle = {way: statistics.median(each) for way, each in times.items()}
    ratios = [f"{middle[way] / middle['geocbar']:.1f}" for way in ("unmap", "tree", "vq")]
    own = [f"{middle[way] * 1e3:.0f}" for way in ("geocbar", "unmap", "tree", "vq", "copy")]
    return [name, stored_as, f"{project_picture(pixels, scale)[0]:,}".replace(",", " "), *own, *ratios]


def compare_hundred(quality: int) -> list[str]:
    command = [sys.executable, "-m", "tests.bench.hundred", str(quality)]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    told = json.loads(answer)
    return [
        f"JPEG q{quality}" if quality else "PNG",
        f"{told['colors']:,}".replace(",", " "),
        f"{told['seconds']:.2f}",
        f"{told['core_seconds']:.2f}",
        f"{100 / told['seconds']:.0f}",
        f"{told['seconds'] / told['copy_seconds']:.1f}",
        f"{told['picture_and_output'] / _MEBI:.0f}",
        f"{told['peak'] / _MEBI:.0f}",
        f"{(told['peak'] - told['picture_and_output']) / _MEBI:.0f}",
    ]


def compare_whole(quality: int) -> list[str]:
    command = [sys.executable, "-m", "tests.bench.whole", str(quality)]
    told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    return [
        f"JPEG q{quality}" if quality else "PNG",
        f"{told['seconds']:.0f}",
        f"{told['core_seconds']:.0f}",
        f"{told['megapixels'] / told['seconds']:.1f}",
        f"{told['picture_and_output'] / _MEBI:.0f}",
        f"{(told['peak'] - told['picture_and_output']) / _MEBI:.0f}",
    ]


def told_by(module: str, *words: object) -> dict[str, float]:
    """What a benchmark in a process of its own says."""
    command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, words)]
    told: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return told


def compare_run(width: int, height: int, quality: int, rounds: int) -> list[str]:
    told = told_by("run_times", width, height, quality, rounds)
    return [
        f"{told['megapixels']:.0f} Mpx, JPEG q{quality}",
        f"{told['seconds']:.1f}",
        f"{told['core_seconds']:.1f}",
        "" if told["imports"] != told["imports"] else f"{told['imports']:.1f}",
        f"{told['gdal_seconds']:.1f}",
        f"{told['gdal_core_seconds']:.1f}",
        f"{told['seconds'] / told['gdal_seconds']:.1f}",
        f"{told['core_seconds'] / told['gdal_core_seconds']:.1f}",
        f"{told['peak'] / _MEBI:.0f}",
    ]


def compare_warp(side: int) -> list[str]:
    told = told_by("warp_times", side)
    return [
        f"{told['megapixels']:.0f}",
        f"{told['megacells']:.0f}",
        f"{told['seconds']:.1f}",
        f"{told['core_seconds']:.1f}",
        f"{told['gdal_seconds']:.1f}",
        f"{told['gdal_core_seconds']:.1f}",
        f"{told['seconds'] / told['gdal_seconds']:.2f}",
        f"{told['core_seconds'] / told['gdal_core_seconds']:.2f}",
        f"{told['peak'] / _MEBI:.0f}",
    ]


def compare_clusters(side: int = 600, n_levels: int = 20) -> list[str]:
    from sklearn.cluster import DBSCAN

    field = gaussian_filter(np.random.default_rng(0).normal(size=(side, side)), 25, mode="wrap")
    levels = ((field - field.min()) / np.ptp(field) * n_levels * 0.9999).astype(int)
    found = dbscan(levels, 1.5, 4)
    n_clusters = 0

    def cluster_levels() -> None:
        nonlocal n_clusters
        for level in range(n_levels):
            row, col = np.nonzero(levels == level)
            labels = DBSCAN(eps=1.5, min_samples=4).fit(np.column_stack([col, row])).labels_
            n_clusters += int(labels.max()) + 1

    rival = seconds_of(cluster_levels)
    if n_clusters != found.n_clusters:
        raise AssertionError(f"scikit-learn finds {n_clusters} clusters, geocbar {found.n_clusters}.")
    own = statistics.median(seconds_of(lambda: dbscan(levels, 1.5, 4)) for _ in range(_ROUNDS))
    return [f"{side} x {side}", str(n_levels), f"{own * 1e3:.0f}", f"{rival * 1e3:.0f}", f"{rival / own:.0f}"]


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def run() -> Path:
    with tempfile.TemporaryDirectory() as name, rivals.Unmap(Path(name)) as unmap:
        pictures = [
            compare_picture(colormap, stored_as, unmap, Path(name))
            for colormap in ("jet", "viridis")
            for stored_as in FORMATS
        ]
        without = f"\nunmap was not run: {unmap.reason}.\n" if unmap.reason else ""
    hundred = [compare_hundred(quality) for quality in (0, 90, 75)]
    whole = [compare_whole(quality) for quality in (0, 90)]
    runs = [compare_run(2000, 1500, 90, _ROUNDS), compare_run(10_000, 10_000, 90, 1)]
    text = page(pictures, without, hundred, whole, runs, [compare_warp(10_000)], [compare_clusters()])
    PAGE.write_text(text, encoding="utf-8")
    return PAGE.relative_to(ROOT)


def page(
    pictures: list[list[str]],
    without: str,
    hundred: list[list[str]],
    whole: list[list[str]],
    runs: list[list[str]],
    warps: list[list[str]],
    clusters: list[list[str]],
) -> str:
    picture_heads = ["colormap", "stored as", "colours", "geocbar ms", "unmap ms", "tree ms", "vq ms", "copy ms"]
    picture_heads += ["unmap / geocbar", "tree / geocbar", "vq / geocbar"]
    hundred_heads = [
        "stored as",
        "colours",
        "s",
        "core s",
        "Mpx/s",
        "times a copy",
        "picture + output MB",
        "peak MB",
        "beyond MB",
    ]
    run_heads = [
        "picture",
        "s",
        "core s",
        "of it imports s",
        "GDAL s",
        "GDAL core s",
        "ratio of s",
        "of core s",
        "peak MB",
    ]
    warp_heads = ["Mpx", "Mcells", "s", "core s", "GDAL s", "GDAL core s", "ratio of s", "of core s", "peak MB"]
    cluster_heads = ["picture", "levels", "geocbar ms", "scikit-learn ms", "ratio"]
    return f"""# Performance

Measured with {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}, SciPy
{scipy.__version__}. Times are medians of {_ROUNDS} rounds in which all ways take turns, so the ratios hold better than
the times: other work on the machine slows all of them. Repeat it with

```
make bench
```

or, for this page alone, `python -m tests.bench performance`.

## From colours to values, 3 Mpx

A field drawn through a named colormap at {_SHAPE[1]} x {_SHAPE[0]} px, with lines and a white box. *geocbar* gives
every pixel its value and its distance from the scale, exactly projected on the scale; the others give the number of
the nearest of 256 colours. *unmap* is unmap 0.1.2 with the colormap known, *tree* is `scipy.spatial.cKDTree` asked for
every pixel, *vq* is `scipy.cluster.vq.vq`, *copy* moves as many bytes as geocbar reads and writes (11 a pixel).
Reading the file is not counted.
{without}
{table(picture_heads, pictures)}

Wanted: 10 times faster than unmap on PNG, 5 times on JPEG.

## 100 Mpx

10 000 x 10 000 px, drawn and stored in strips of 500 rows, colormap jet; value and distance of every pixel, median of
three. *Core s* is the time of all cores together, which other work on the machine hardly changes. *Beyond* is the peak
memory of the whole process less the picture and the two pictures of numbers made from it, Python and its packages
included.

{table(hundred_heads, hundred)}

Wanted: 50 Mpx/s, and no more than 500 MB beyond.

The whole inversion of the same pictures: background, lines, reasons and sigma (`geocbar.invert` without
distances), once.

{table(["stored as", "s", "core s", "Mpx/s", "picture + output MB", "beyond MB"], whole)}

Wanted: 4 Mpx/s, and no more than 500 MB beyond.

## A whole run

`geocbar run` on a figure of a smooth field (the waves without roughness, the same lines and box) with a frame, a colour
bar and nine control points, told where they are; everything is written. *GDAL* is the least that has to be done: decode
the same picture, write a float32 GeoTIFF of the same size, bands, tiles and compression from numbers that are not
packed, and build its overviews (`gdal_translate`, `gdaladdo`, two threads). Runs of the two take turns.

{table(run_heads, runs)}

Wanted: 3 Mpx in 4 s, of which imports 1.5 s; 100 Mpx in 2.5 times what GDAL needs, with less than 2000 MB. The ratio of
core seconds is the safer figure on a machine that does other work as well.

What is not held: 1 Gpx. Picture, values, sigma and reason are kept in memory, 12 bytes a pixel, with some 3 more while
colours are inverted; thinning holds more. So 1 Gpx would take some 35 GB, and pictures beyond 500 Mpx are refused
unless `--max-pixels` says otherwise.

## Another coordinate reference system

A picture of values with sigma and reason, placed in EPSG:3035, put on a grid in EPSG:4326 (`--to-crs`), nearest pixel:
`geocbar.to_map` against GDAL's warper (`rasterio.warp.reproject`, two threads, its usual tolerance of 0.125 px; ours is
0.02 px) on the same arrays. Once.

{table(warp_heads, warps)}

Wanted: 1.5 times GDAL's time, and less than 2000 MB.

## Clusters of pixels

DBSCAN (eps 1.5 px, 4 pixels) of every level of a smooth field: `geocbar.grid.lattice` against
`sklearn.cluster.DBSCAN`, the same clusters found.

{table(cluster_heads, clusters)}
"""
