"""The world's coastlines, as shipped: Natural Earth, 1:50 million and 1:10 million."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError

__all__ = ["RESOLUTIONS", "read_coastlines", "read_land"]

#: What is shipped, coarse to fine.
RESOLUTIONS = ("50m", "10m")

_FOLDER = Path(__file__).with_name("coastlines")

Lines = list[NDArray[np.float64]]


def read_land(resolution: str = "50m") -> Lines:
    """Rings of land (and of lakes as large as the Caspian Sea), for filling.

    Parameters
    ----------
    resolution : {"50m", "10m"}
        Natural Earth's 1:50 million (60 000 points, good to about 2 km) or 1:10 million (410 000 points, about 0.5 km).

    Returns
    -------
    list of (n, 2) float64 arrays
        Longitude and latitude in degrees, the first point repeated as the last. Rings run on over the date line, with
        longitudes beyond 180 degrees; that of Antarctica ends 360 degrees from where it began.

    Raises
    ------
    InvalidInputError
        For another resolution.

    References
    ----------
    Natural Earth, public domain: https://www.naturalearthdata.com
    """
    points, ends = _packed(resolution)
    return np.split(points, ends[:-1])


def read_coastlines(
    bounds: tuple[float, float, float, float] | None = None, resolution: str = "50m"
) -> list[NDArray[np.float64]]:
    """Coastlines inside a range of longitudes and latitudes.

    Parameters
    ----------
    bounds : (west, south, east, north) or None
        In degrees; east may lie beyond 180 (or beyond 360), and west below -180. East below west means across the date
        line. None: the world, from -180 to 180.
    resolution : {"50m", "10m"}
        See :func:`read_land`.

    Returns
    -------
    list of (n, 2) float64 arrays
        Longitude and latitude along each line, at least two points, cut exactly at the bounds. Longitudes lie within
        the bounds: they count on beyond 180 where the bounds do.

    Raises
    ------
    InvalidInputError
        For another resolution, or bounds that are not finite, hold nothing, or more than once around.

    Examples
    --------
    >>> iceland = max(read_coastlines((-25, 63, -13, 67)), key=len)
    >>> bool(len(iceland) > 100), iceland.min(axis=0).round().tolist(), iceland.max(axis=0).round().tolist()
    (True, [-24.0, 63.0], [-14.0, 67.0])
    """
    west, south, east, north = _checked(bounds)
    points, ends = _packed(resolution)
    first = np.ones(len(points) - 1, bool)
    first[ends[:-1] - 1] = False  # from one ring to the next
    a, b = points[:-1], points[1:]
    # Rings cut at the date line have a side along it that is no coast.
    seam = (np.abs((a[:, 0] % 360) - 180) < 1e-6) & (np.abs(a[:, 0] - b[:, 0]) < 1e-6)
    coast = first & ~seam
    lines: Lines = []
    farthest = points[:, 0].min(), points[:, 0].max()
    for turn in range(math.ceil((west - farthest[1]) / 360), math.floor((east - farthest[0]) / 360) + 1):
        shift = np.array([360.0 * turn, 0.0])
        lines += _clipped(a + shift, b + shift, coast, np.array([west, south]), np.array([east, north]))
    return lines


def _checked(bounds: tuple[float, float, float, float] | None) -> tuple[float, float, float, float]:
    if bounds is None:
        return -180.0, -90.0, 180.0, 90.0
    west, south, east, north = map(float, bounds)
    if east < west:
        east += 360.0
    if not np.isfinite([west, south, east, north]).all() or not (west < east <= west + 360.0 and south < north):
        raise InvalidInputError(
            f"Coastlines cannot be cut to {bounds}.", "Give west, south, east, north in degrees, at most once around."
        )
    return west, south, east, north


def _clipped(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    keep: NDArray[np.bool_],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> Lines:
    """Segments cut to a box and put together to lines again (Liang and Barsky)."""
    near = np.flatnonzero(keep & (np.maximum(a, b) >= low).all(axis=1) & (np.minimum(a, b) <= high).all(axis=1))
    a, b = a[near], b[near]
    step = b - a
    with np.errstate(divide="ignore", invalid="ignore"):
        at_low, at_high = (low - a) / step, (high - a) / step
    enter, leave = np.minimum(at_low, at_high), np.maximum(at_low, at_high)
    still = step == 0  # within the box already, by the choice above
    enter, leave = np.where(still, 0.0, enter), np.where(still, 1.0, leave)
    begin, end = np.maximum(enter.max(axis=1), 0.0), np.minimum(leave.min(axis=1), 1.0)
    good = begin < end
    near, a, step, begin, end = near[good], a[good], step[good], begin[good, None], end[good, None]
    if not len(near):
        return []
    starts, stops = a + begin * step, a + end * step
    follows = (np.diff(near) == 1) & (end[:-1, 0] == 1.0) & (begin[1:, 0] == 0.0)
    groups = np.split(np.arange(len(near)), np.flatnonzero(~follows) + 1)
    return [np.concatenate([starts[group[:1]], stops[group]]) for group in groups]


@lru_cache(maxsize=len(RESOLUTIONS))
def _packed(resolution: str) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """All points of all rings, and where each ring ends."""
    if resolution not in RESOLUTIONS:
        raise InvalidInputError(
            f"There are no coastlines of resolution {resolution!r}.", f"Choose one of: {', '.join(RESOLUTIONS)}"
        )
    with np.load(_FOLDER / f"land-{resolution}.npz") as packed:
        counts, starts = packed["counts"], packed["starts"]
        steps = np.stack([packed["lon_steps"], packed["lat_steps"]], axis=1).astype(np.int64)
        scale, origin = packed["scale"], packed["origin"]
    ends = np.cumsum(counts)
    jumps = np.zeros((len(steps) + len(counts), 2), np.int64)
    begins = ends - counts
    inner = np.ones(len(jumps), bool)
    inner[begins] = False
    jumps[inner] = steps
    total = np.cumsum(jumps, axis=0)
    offset = starts.astype(np.int64) - total[begins]
    points = (total + np.repeat(offset, counts, axis=0)) * scale + origin
    points.setflags(write=False)
    return points, ends
