"""``python -m tests.bench.run_times SIDE_X SIDE_Y QUALITY ROUNDS``: ``geocbar run`` against the least GDAL has to do.

A figure with a frame, a colour bar and control points is drawn; the run is told where they are, and writes everything.
GDAL decodes the same picture, writes a float32 GeoTIFF like that of the run (same size, bands, tiles and compression),
and builds its overviews. Both take turns.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from .pictures import draw_field, draw_rows

ROOT = Path(__file__).parents[2]
_STRIP = 500
_MARGINS = (60, 60, 160, 60)
_BAR = (100, 100, 30, 3)
_KILO = 1024


@dataclass(frozen=True)
class Figure:
    """A picture with what a user would say of it."""

    picture: Path
    gcps: Path
    frame: str
    colorbar: str


@dataclass(frozen=True)
class Cost:
    """Of one command: time, time of all cores, and the most memory it held (bytes)."""

    seconds: float
    core_seconds: float
    peak: int


def draw_figure(folder: Path, width: int, height: int, quality: int | None) -> Figure:
    """A smooth field through jet with lines, in a frame on paper, with its bar."""
    left, top, right, below = _MARGINS
    right, bottom = width - right, height - below
    pixels = np.full((height, width, 3), 255, np.uint8)
    for start in range(top, bottom, _STRIP):
        rows = slice(start, min(start + _STRIP, bottom))
        field = draw_field(slice(rows.start - top, rows.stop - top), right - left, roughness=0)
        pixels[rows, left:right] = draw_rows(field, "jet")
    pixels[[top - 1, bottom], left - 1 : right + 1] = 0
    pixels[top - 1 : bottom + 1, [left - 1, right]] = 0
    inset, bar_top, bar_width, step = _BAR
    colors = matplotlib.colormaps["jet"](np.arange(256), bytes=True)[::-1, :3].repeat(step, axis=0)
    bar = (width - inset, bar_top, width - inset + bar_width, bar_top + len(colors))
    pixels[bar[1] : bar[3], bar[0] : bar[2]] = colors[:, None]
    picture = folder / f"map.{'png' if quality is None else 'jpg'}"
    options = {"compress_level": 3} if quality is None else {"quality": quality}
    Image.fromarray(pixels).save(picture, **options)
    rows = ["pixel,line,lon,lat"]
    for x in np.linspace(left, right, 3):
        for y in np.linspace(top, bottom, 3):
            rows.append(f"{x},{y},{-20 + 40 * (x - left) / (right - left)},{60 - 30 * (y - top) / (bottom - top)}")
    gcps = folder / "gcps.csv"
    gcps.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return Figure(picture, gcps, f"{left},{top},{right},{bottom}", ",".join(map(str, bar)))


def cost_of(command: list[str]) -> Cost:
    """Run a command to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {said}")
    return Cost(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss * _KILO)


def run_command(figure: Figure, out: Path) -> list[str]:
    told = ["--gcps", str(figure.gcps), "--frame", figure.frame, "--colorbar", figure.colorbar]
    values = ["--vmin", "0", "--vmax", "100", "--out", str(out), "--overwrite", "--quiet"]
    return ["-m", "geocbar", "run", str(figure.picture), *told, *values]


def gdal_commands(picture: Path, plain: Path, folder: Path) -> list[list[str]]:
    """Decode the picture; write a GeoTIFF from numbers that are not packed; build its overviews."""
    made = str(folder / "gdal.tif")
    packed = ["COMPRESS=DEFLATE", "PREDICTOR=3", "TILED=YES", "INTERLEAVE=BAND", "BIGTIFF=IF_SAFER", "NUM_THREADS=2"]
    options = [word for option in packed for word in ("-co", option)]
    threads = ["--config", "GDAL_NUM_THREADS", "2", "--config", "GDAL_TIFF_OVR_BLOCKSIZE", "256"]
    return [
        ["gdal_translate", "-q", "-of", "MEM", str(picture), "decoded"],
        ["gdal_translate", "-q", *options, str(plain), made],
        ["gdaladdo", "-q", "-r", "average", *threads, made],
    ]


def import_seconds(command: list[str]) -> float:
    """What all imports of a run take together."""
    said = subprocess.run(
        [sys.executable, "-X", "importtime", *command], cwd=ROOT, check=True, capture_output=True, text=True
    ).stderr
    return sum(int(own) for own in re.findall(r"^import time: +(\d+) \|", said, re.MULTILINE)) / 1e6


def compare(width: int, height: int, quality: int | None, rounds: int) -> dict[str, float]:
    """Medians of what the run and GDAL take."""
    if not shutil.which("gdaladdo"):
        raise RuntimeError("GDAL's programs are not installed: gdal-bin")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figure = draw_figure(folder, width, height, quality)
        command = run_command(figure, folder / "out")
        ours: list[Cost] = []
        theirs: list[list[Cost]] = []
        for _ in range(rounds):
            ours.append(cost_of([sys.executable, *command]))
            plain = folder / "plain.tif"
            if not plain.exists():
                cost_of(["gdal_translate", "-q", "-co", "TILED=YES", str(folder / "out" / "map.tif"), str(plain)])
            theirs.append([cost_of(each) for each in gdal_commands(figure.picture, plain, folder)])
            (folder / "gdal.tif").unlink()
        return {
            "megapixels": width * height / 1e6,
            "seconds": statistics.median(cost.seconds for cost in ours),
            "core_seconds": statistics.median(cost.core_seconds for cost in ours),
            "peak": max(cost.peak for cost in ours),
            "gdal_seconds": statistics.median(sum(cost.seconds for cost in each) for each in theirs),
            "gdal_core_seconds": statistics.median(sum(cost.core_seconds for cost in each) for each in theirs),
            "imports": import_seconds(command) if width * height < 10e6 else float("nan"),
        }


if __name__ == "__main__":
    across, down, jpeg, times = (int(word) for word in sys.argv[1:5])
    print(json.dumps(compare(across, down, jpeg or None, times)))
