"""The colormaps maps are drawn with, as tables of colours."""

from __future__ import annotations

import functools
import shutil
import subprocess

import cmap
import matplotlib
import numpy as np
from numpy.typing import NDArray

__all__ = ["COLORMAPS", "GMT_COLORMAPS", "GmtMissingError", "gmt_available", "palette_colors", "run_gmt"]

_MATPLOTLIB = {
    "viridis": "viridis",
    "jet": "jet",
    "turbo": "turbo",
    "RdBu_r": "RdBu_r",
    "plasma": "plasma",
    "Spectral": "Spectral_r",
    "cividis": "cividis",
    "terrain": "terrain",
    "grey": "gray",
    "YlGnBu": "YlGnBu",
    "coolwarm": "coolwarm",
    "gist_earth": "gist_earth",
}
_CRAMERI = ("batlow", "roma", "vik")
GMT_COLORMAPS = ("polar", "haxby", "geo")
"""Colormaps only GMT has a table of; drawing with them needs GMT, whichever the plotter."""
COLORMAPS = (*_MATPLOTLIB, *_CRAMERI, *GMT_COLORMAPS)


class GmtMissingError(RuntimeError):
    """The scene needs the program ``gmt`` (and ``gs``, which GMT draws pixels with), and it is not installed."""


def gmt_available() -> bool:
    return shutil.which("gmt") is not None and shutil.which("gs") is not None


def run_gmt(*arguments: str, directory: str | None = None, stdin: str = "") -> bytes:
    """Run one GMT module and return what it printed; a GMT error raises with GMT's own words."""
    if not gmt_available():
        raise GmtMissingError("GMT 6 (programs gmt and gs) is not installed.")
    done = subprocess.run(["gmt", *arguments], cwd=directory, input=stdin.encode(), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"gmt {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


@functools.lru_cache(maxsize=64)
def _table(name: str) -> NDArray[np.float64]:
    x = np.linspace(0, 1, 256)
    if name in _MATPLOTLIB:
        colors = np.asarray(matplotlib.colormaps[_MATPLOTLIB[name]](x))[:, :3]
    elif name in _CRAMERI:
        colors = np.asarray(cmap.Colormap(f"crameri:{name}")(x))[:, :3]
    elif name in GMT_COLORMAPS:
        lines = run_gmt("makecpt", f"-C{name}", "-T-1/1/0.0078125", "-Z", "-Fr").decode().splitlines()
        rows = [line.split() for line in lines if line[:1] in "-0123456789" and line]
        nodes = [row[1] for row in rows] + [rows[-1][3]]
        rgb = np.array([[float(c) for c in node.split("/")] for node in nodes]) / 255
        at = np.linspace(0, 1, len(rgb))
        colors = np.stack([np.interp(x, at, rgb[:, k]) for k in range(3)], axis=-1)
    else:
        raise LookupError(f"No colormap {name!r}; there are {', '.join(COLORMAPS)}.")
    colors = np.clip(colors, 0, 1)
    colors.setflags(write=False)
    return colors


def palette_colors(name: str, count: int = 256) -> NDArray[np.float64]:
    """`count` colours of a colormap from its low end to its high end, (count, 3) in 0..1."""
    table = _table(name)
    at = np.linspace(0, len(table) - 1, count)
    return np.stack([np.interp(at, np.arange(len(table)), table[:, k]) for k in range(3)], axis=-1)
