"""The quantity a map shows: synthetic fields and real grids, scaled to 0..1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import cbook
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.io import netcdf_file

__all__ = ["ETOPO", "FIELDS", "REAL_FIELDS", "field_names", "make_field"]

FIELDS = ("smooth", "hills", "rough", "fronts", "plateaus")
REAL_FIELDS = ("topobathy", "jacksboro", "etopo")
ETOPO = Path("/usr/share/ferret-vis/data/etopo20.cdf")
"""Where Debian's package ferret-datasets keeps ETOPO; the field "etopo" exists when the file does."""


def field_names() -> tuple[str, ...]:
    """Every field that can be drawn on this machine."""
    return FIELDS + tuple(name for name in REAL_FIELDS if name != "etopo" or ETOPO.exists())


def _unit(z: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = float(z.min()), float(z.max())
    return (z - low) / (high - low)


def _gaussian(width: int, height: int, rng: np.random.Generator, scale: float, slope: float) -> NDArray:
    """Gaussian random field: flat spectrum up to 1/scale (pixels), then falling with the power `slope`."""
    noise = rng.standard_normal((height, width))
    ky = fft.fftfreq(height)[:, None]
    kx = fft.rfftfreq(width)[None, :]
    amplitude = (1 + (scale * scale) * (kx * kx + ky * ky) * 4) ** (-slope / 2)
    z = fft.irfft2(fft.rfft2(noise) * amplitude, s=noise.shape)
    return np.asarray(z / z.std())


def _sample(name: str) -> Any:
    return cbook.get_sample_data(name)


def _real(name: str) -> NDArray[np.float64]:
    if name == "topobathy":
        return np.asarray(_sample("topobathy.npz")["topo"][::-1], float)
    if name == "jacksboro":
        return np.asarray(_sample("jacksboro_fault_dem.npz")["elevation"], float)
    if not ETOPO.exists():
        raise LookupError(f"No {ETOPO}: the field 'etopo' needs Debian's package ferret-datasets.")
    with netcdf_file(ETOPO, "r", mmap=False) as file:
        return np.array(file.variables["ROSE"][:][::-1], float)


def _cut(grid: NDArray[np.float64], width: int, height: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A window of the frame's shape out of a grid, at a random place, interpolated at the pixel centres."""
    rows, cols = grid.shape
    step = min((rows - 1) / height, (cols - 1) / width) * rng.uniform(0.6, 1.0)
    top = rng.uniform(0, rows - 1 - step * height)
    left = rng.uniform(0, cols - 1 - step * width)
    y = top + (np.arange(height) + 0.5) * step
    x = left + (np.arange(width) + 0.5) * step
    return np.asarray(ndimage.map_coordinates(grid, np.meshgrid(y, x, indexing="ij"), order=1))


def make_field(name: str, width: int, height: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The field at every pixel centre of a frame, (height, width), scaled to 0..1 exactly."""
    size = min(width, height)
    if name == "smooth":
        z = _gaussian(width, height, rng, size / 2.5, 6)
    elif name == "hills":
        z = _gaussian(width, height, rng, size / 9, 4)
    elif name == "rough":
        z = _gaussian(width, height, rng, size / 3, 2.1)
    elif name == "fronts":
        wave = _gaussian(width, height, rng, size / 3, 5)
        z = np.tanh(wave * 12) + 0.5 * _gaussian(width, height, rng, size / 3, 5)
    elif name == "plateaus":
        wave = _gaussian(width, height, rng, size / 3.5, 5) * 2.2
        step = np.floor(wave)
        z = step + 1 / (1 + np.exp(-18 * (wave - step - 0.5))) + 0.03 * _gaussian(width, height, rng, 30, 4)
    elif name in REAL_FIELDS:
        z = _cut(_real(name), width, height, rng)
    else:
        raise LookupError(f"No field {name!r}; there are {', '.join(field_names())}.")
    return _unit(z)
