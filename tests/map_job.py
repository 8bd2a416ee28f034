"""A small map with its control points on disk, and the command line run on it."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geocbar.app.cli import main

ROOT = Path(__file__).parents[1]

Point = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class MapJob:
    """A picture with a colour bar below the map, and its control points.

    Parameters
    ----------
    picture, gcps : Path
    truth : (h, w) float array
        NaN outside the frame; 0 to 10.
    frame, bar : str
        ``LEFT,TOP,RIGHT,BOTTOM``.
    points : tuple of (pixel, line, lon, lat)
        What the file of control points says.
    """

    picture: Path
    gcps: Path
    truth: NDArray[np.float64]
    frame: str
    bar: str
    points: tuple[Point, ...]

    @property
    def args(self) -> list[str]:
        """All the command needs, on files named from where they lie."""
        return [self.picture.name, "--gcps", self.gcps.name, *self.scale]

    @property
    def scale(self) -> list[str]:
        return ["--colorbar", self.bar, "--vmin", "0", "--vmax", "10"]


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, standard output and standard error."""

    code: int
    out: str
    err: str


def draw_job(folder: Path, name: str = "map.png", size: tuple[int, int] = (160, 140)) -> MapJob:
    """Draw a map of waves in viridis, 10 to 30 degrees east and 35 to 50 degrees north, and write its files."""
    width, height = size
    left, top, right, bottom = (round(s * part) for s, part in zip(size * 2, (0.1, 0.1, 0.9, 0.75), strict=True))
    rows, cols = np.mgrid[: bottom - top, : right - left]
    waves = np.sin(cols / 21 * 160 / width) + np.cos(rows / 17 * 140 / height) + 0.3 * np.sin((cols + rows) / 9)
    shares = (waves - waves.min()) / np.ptp(waves)
    viridis = matplotlib.colormaps["viridis"]
    rgb = np.full((height, width, 3), 255, np.uint8)
    rgb[top:bottom, left:right] = viridis(shares, bytes=True)[..., :3]
    bar = (left, bottom + 12, right, bottom + 22)
    along = (np.arange(right - left) + 0.5) / (right - left)
    rgb[bar[1] : bar[3], left:right] = viridis(along, bytes=True)[..., :3]
    truth = np.full((height, width), np.nan)
    truth[top:bottom, left:right] = 10 * shares
    picture = folder / name
    Image.fromarray(rgb).save(picture)
    points = tuple(
        (left + x * (right - left), top + y * (bottom - top), 10 + 20 * x, 50 - 15 * y)
        for y in (0, 0.5, 1)
        for x in (0, 0.5, 1)
    )
    gcps = write_points(folder / "gcps.csv", points)
    return MapJob(picture, gcps, truth, boxed((left, top, right, bottom)), boxed(bar), points)


def write_points(path: Path, points: Iterable[Sequence[float]], header: str = "pixel,line,lon,lat") -> Path:
    rows = (",".join(f"{number:.10g}" for number in point) for point in points)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def boxed(edges: Iterable[float]) -> str:
    return ",".join(f"{edge:g}" for edge in edges)


def geocbar(*args: object, cwd: Path) -> Outcome:
    """Run the command as its entry point does, in this process."""
    out, err = io.StringIO(), io.StringIO()
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    argv, sys.argv = sys.argv, ["geocbar", *map(str, args)]
    code: object = 0
    try:
        with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as stop:
        code = stop.code or 0
    finally:
        sys.argv = argv
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert isinstance(code, int)
    return Outcome(code, out.getvalue(), err.getvalue())


def heed_interrupts() -> None:
    """In a process about to begin: a shell's background jobs, and what they start, are deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start_geocbar(*args: object, cwd: Path, **options: object) -> subprocess.Popen[str]:
    """Start the command as a process of its own."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", "geocbar", *map(str, args)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **{"preexec_fn": heed_interrupts, **options},  # type: ignore[call-overload]
    )
