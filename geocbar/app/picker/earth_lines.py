"""Lines of the Earth in the pixels of a picture: the graticule and the coasts, where a fit puts them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.layout import PixelBox
from geocbar.files.coastlines import read_coastlines
from geocbar.place.georeference import Georeference
from geocbar.place.local_crs import is_local
from geocbar.place.projections import project_points

__all__ = ["draw_earth"]

#: Steps of the graticule, in degrees.
STEPS = (1 / 60, 1 / 30, 1 / 12, 1 / 6, 1 / 4, 1 / 2, 1, 2, 5, 10, 15, 30)

#: About so many lines each way.
LINES = 6

#: Coasts are drawn from the finer data where the picture shows less than this many degrees.
FINE_DEGREES = 40.0

#: Points nearer than this to the one before are left out, in pixels.
NEAREST_PX = 0.8

#: Without a gap of so many degrees, a map shows all longitudes.
ALL_ROUND = 30.0

_LATTICE = 33
_POINTS_A_LINE = 181

Lines = list[NDArray[np.float64]]


def draw_earth(fit: Georeference, frame: PixelBox) -> dict[str, Any]:
    """Graticule and coasts inside a frame.

    Parameters
    ----------
    fit : Georeference
    frame : PixelBox
        The map's frame, or the whole picture.

    Returns
    -------
    dict
        ``coast``: lines as flat lists ``[x, y, x, y, ...]`` in pixels, rounded to a tenth; ``graticule``: dicts of
        ``line``, ``axis`` and ``degrees``. Empty where the map is not on Earth.
    """
    if is_local(fit.crs):
        return {"coast": [], "graticule": []}
    places = _places(fit, frame)
    if len(places) < 4:
        return {"coast": [], "graticule": []}
    west, east = _around(places[:, 0])
    south, north = float(places[:, 1].min()), float(places[:, 1].max())
    pad = max(0.02 * max(east - west, north - south), 1e-3)
    bounds = (west - pad, max(south - pad, -90.0), min(east + pad, west - pad + 360.0), min(north + pad, 90.0))
    fine = max(east - west, north - south) < FINE_DEGREES
    coast = _seen(fit, read_coastlines(bounds, "10m" if fine else "50m"), frame)
    return {"coast": [_flat(line) for _, line in coast], "graticule": _graticule(fit, frame, bounds)}


def _graticule(fit: Georeference, frame: PixelBox, bounds: tuple[float, float, float, float]) -> list[dict[str, Any]]:
    spans = ((bounds[0], bounds[2]), (bounds[1], bounds[3]))
    lines: Lines = []
    names: list[tuple[str, float]] = []
    for axis, name in enumerate(("lon", "lat")):
        low, high = spans[axis]
        step = min(STEPS, key=lambda s: abs(np.log((high - low) / LINES / s)))
        along = np.linspace(*spans[1 - axis], _POINTS_A_LINE)
        for at in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step:
            line = np.full((len(along), 2), at)
            line[:, 1 - axis] = along
            lines.append(line)
            names.append((name, round(float((at + 180) % 360 - 180 if axis == 0 else at), 6)))
    seen = _seen(fit, lines, frame)
    return [{"line": _flat(line), "axis": names[i][0], "degrees": names[i][1]} for i, line in seen]


def _places(fit: Georeference, frame: PixelBox) -> NDArray[np.float64]:
    """(n, 2) longitudes and latitudes all over the frame, where there are any."""
    x, y = np.meshgrid(np.linspace(frame.left, frame.right, _LATTICE), np.linspace(frame.top, frame.bottom, _LATTICE))
    world = fit.transform.to_world(np.column_stack([x.ravel(), y.ravel()]))
    world = world[np.isfinite(world).all(axis=1)]
    places = project_points(world, fit.crs, "EPSG:4326")
    return places[np.isfinite(places).all(axis=1) & (np.abs(places[:, 1]) <= 90)]


def _around(longitudes: NDArray[np.float64]) -> tuple[float, float]:
    """West and east of the stretch that holds all longitudes, in the turn in which the map counts."""
    middle = float(np.median(longitudes))
    around = np.sort(np.mod(longitudes, 360.0))
    gaps = np.diff(np.append(around, around[0] + 360.0))
    widest = int(np.argmax(gaps))
    if gaps[widest] < ALL_ROUND:
        return middle - 180.0, middle + 180.0
    west, width = float(around[(widest + 1) % len(around)]), 360.0 - float(gaps[widest])
    west += 360.0 * round((middle - west - width / 2) / 360.0)
    return west, west + width


def _seen(fit: Georeference, lines: Lines, frame: PixelBox) -> list[tuple[int, NDArray[np.float64]]]:
    """The stretches of lines of longitudes and latitudes that lie in the frame, in pixels, and whose each is."""
    if not lines:
        return []
    places = np.concatenate(lines)
    owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    world = project_points(places, "EPSG:4326", fit.crs)
    pixels = np.full(world.shape, np.nan)
    known = np.isfinite(world).all(axis=1)
    pixels[known] = fit.transform.to_pixel(world[known])
    x, y = pixels.T
    with np.errstate(invalid="ignore"):
        inside = (x >= frame.left) & (x <= frame.right) & (y >= frame.top) & (y <= frame.bottom)
    # One point beyond on either side: the stretch ends at the frame, where it is clipped.
    wide = inside | np.append(inside[1:], False) | np.insert(inside[:-1], 0, False)
    wide &= np.isfinite(pixels).all(axis=1)
    jump = np.hypot(*np.diff(np.nan_to_num(pixels), axis=0).T) > 0.3 * np.hypot(frame.width, frame.height)
    cuts = np.flatnonzero(~(wide[1:] & wide[:-1]) | jump | (np.diff(owner) > 0)) + 1
    runs = np.split(np.arange(len(pixels)), cuts)
    return [(int(owner[run[0]]), _thinned(pixels[run])) for run in runs if len(run) > 1 and inside[run].any()]


def _thinned(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without points that nobody can see apart."""
    length = np.insert(np.cumsum(np.hypot(*np.diff(line, axis=0).T)), 0, 0.0)
    keep = np.diff(np.floor(length / NEAREST_PX), prepend=-1.0) > 0
    keep[[0, -1]] = True
    return line[keep]


def _flat(line: NDArray[np.float64]) -> list[float]:
    return [float(number) for number in np.round(line, 1).ravel()]
