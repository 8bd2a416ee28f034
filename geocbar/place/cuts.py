"""Where a map of the whole world is cut: what the picture tells of it, and what stays open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.layout import PixelBox
from geocbar.place.candidates import Family, project, wrap_longitudes
from geocbar.place.fits import CUT_DEGREES, Places, ProjectionFit

__all__ = ["Cut", "cut_elsewhere", "cut_of_flat", "cut_of_projection", "find_cut", "offsets_of"]

#: How far the edges of the map may lie from where they were found, in pixels and in degrees.
EDGE_PX = 3.0
EDGE_DEGREES = 1.0

#: Central meridians may lie between two that are this many degrees apart before that is said to be open.
SETTLED_DEGREES = 3.0

#: How far off the middle of the picture the middle of a world map lies: a standard deviation, in degrees of longitude.
#: A colour bar at the right in a plotter's usual place moves it by 38.
OFF_MIDDLE = 25.0

#: How often maps have a central meridian that is a multiple of so many degrees, beside one of the next step.
FREQUENT = ((1.0, 0.03), (5.0, 0.2), (10.0, 0.7), (30.0, 2.0), (90.0, 1.5), (180.0, 6.0), (360.0, 12.0))

#: Other cuts less likely than this are left out.
LEAST_LIKELY = 0.01

#: Places along each edge of the map at which its longitude is taken.
_ALONG = 9


@dataclass(frozen=True)
class Cut:
    """Where a map is cut: opposite its central meridian.

    All longitudes are in the turn in which those of the control points run on across the picture.

    Parameters
    ----------
    lon_0 : float
        Central meridian, in degrees.
    low, high : float
        It lies between these.
    others : tuple of (float, float)
        Other central meridians and how likely they are; empty where the cut is settled.
    turn_px : float
        Length of a whole turn in the picture, in pixels.
    """

    lon_0: float
    low: float
    high: float
    others: tuple[tuple[float, float], ...]
    turn_px: float

    @property
    def is_open(self) -> bool:
        """Whether places may lie on the wrong side of the map."""
        return bool(self.others)

    def to_map(self, lon: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) longitudes in the turn the map shows, within half a turn of the central meridian."""
        offset = lon - self.lon_0
        return np.asarray(lon - 360 * np.round(np.where(np.abs(offset) > 180 + 1e-9, offset, 0.0) / 360))

    def doubt(self, lon: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) probability that places are drawn at the other edge of the map, a whole turn away."""
        out = np.zeros(len(lon))
        for middle, likely in self.others:
            out += likely * (np.abs(lon - middle) > 180)
        return out


def find_cut(
    longitudes: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    lon: NDArray[np.float64],
    pixels: NDArray[np.float64],
    size: tuple[int, int] | None,
    frame: PixelBox | None,
) -> Cut:
    """The cut of a map whose longitudes run on at equal distances, which control points alone do not tell.

    It lies at the edges of the map where these are a whole turn apart. Where only the picture's size is known, it lies
    somewhere between the picture's edges and the outermost points: the roundest central meridian near the middle
    of the picture is taken.

    Parameters
    ----------
    longitudes : callable
        (n, 2) pixels to (n,) longitudes that run on across the picture, beyond the points, too.
    lon : (n,) float array
        Of the control points, in the same turn.
    pixels : (n, 2) float array
        Of the control points.
    size : (int, int) or None
        Of the picture.
    frame : PixelBox or None
        The map's part of the picture; left alone if points lie outside it.

    Returns
    -------
    Cut
    """
    first, last = float(lon.min()), float(lon.max())
    framed = frame is not None and _holds(frame, pixels)
    left, right, turn_px = _edges(longitudes, pixels, _area(pixels, size, frame if framed else None))
    known = framed or size is not None
    slack = max(EDGE_DEGREES, EDGE_PX * 360 / turn_px)
    if known and right - left <= 360 + slack:
        # No place is shown twice: the cut lies beyond both edges, or at them.
        low, high = sorted((right - 180, left + 180))
        return Cut(_roundest(*_meeting(low, high, slack, last - 180, first + 180)), low, high, (), turn_px)
    low, high = last - 180, first + 180
    if known:
        low, high = max(low, left + 180), min(high, right - 180)
    low, high = min(low, high), max(low, high)
    middle = float(np.clip((left + right) / 2, low, high))
    if high - low <= max(SETTLED_DEGREES, 2 * slack):
        return Cut(_roundest(*_meeting(low, high, slack, last - 180, first + 180)), low, high, (), turn_px)
    choices, likely = _likely(low, high, middle)
    best = int(np.argmax(likely))
    others = [(float(c), float(p)) for c, p in zip(choices, likely, strict=True) if c != choices[best]]
    return Cut(float(choices[best]), low, high, tuple((c, p) for c, p in others if p >= LEAST_LIKELY), turn_px)


def is_cylinder(family: Family) -> bool:
    """Whether a projection's meridians run straight at equal distances, so that any of them may be the central one."""
    return not (family.centred or family.fixed or family.shape)


def cut_of_projection(
    fit: ProjectionFit,
    places: Places,
    size: tuple[int, int] | None,
    frame: PixelBox | None,
    to_plane: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
) -> Cut | None:
    """The cut of a map in a cylindrical projection; None for other projections, whose shape tells it.

    Parameters
    ----------
    fit : ProjectionFit
    places : Places
    size : (int, int) or None
        Of the picture.
    frame : PixelBox or None
        The map's part of the picture.
    to_plane : callable, optional
        (n, 2) pixels to metres in the plane of the projection, where the map is bent; by default the way back
        through the matrix of the fit.
    """
    if not is_cylinder(fit.family):
        return None
    inverse = np.linalg.inv(fit.matrix[:, :2])
    degree = _along_equator(fit, 1.0)

    def longitudes(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        plane = (pixels - fit.matrix[:, 2]) @ inverse.T
        if to_plane is not None:
            bent = to_plane(pixels)
            plane = np.where(np.isfinite(bent), bent, plane)
        return np.asarray(fit.lon_0 + plane[:, 0] / degree)

    lon = fit.lon_0 + offsets_of(fit, places)[fit.keep]
    cut = find_cut(longitudes, lon, places.pixels[fit.keep], size, frame)
    turn = 360 * np.ceil((cut.lon_0 - 180) / 360)
    others = tuple((middle - turn, likely) for middle, likely in cut.others)
    return Cut(cut.lon_0 - turn, cut.low - turn, cut.high - turn, others, cut.turn_px)


def cut_of_flat(
    to_world: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    lon: NDArray[np.float64],
    pixels: NDArray[np.float64],
    size: tuple[int, int] | None,
    frame: PixelBox | None,
) -> Cut:
    """The cut of a map fitted without a projection, from its way back (pixels to longitude and latitude)."""
    terms = np.column_stack([np.ones(len(lon)), pixels])
    straight = np.linalg.lstsq(terms, lon, rcond=None)[0]

    def longitudes(places: NDArray[np.float64]) -> NDArray[np.float64]:
        there = to_world(places)[:, 0]
        return np.where(np.isfinite(there), there, np.column_stack([np.ones(len(places)), places]) @ straight)

    return find_cut(longitudes, lon, pixels, size, frame)


def cut_elsewhere(fit: ProjectionFit, lon_0: float) -> ProjectionFit:
    """The same cylindrical map, counted from another meridian."""
    shift = _along_equator(fit, lon_0 - fit.lon_0)
    matrix = fit.matrix.copy()
    matrix[:, 2] += matrix[:, 0] * shift
    return replace(fit, lon_0=lon_0, matrix=matrix)


def _along_equator(fit: ProjectionFit, degrees: float) -> float:
    """Metres in the plane of a cylindrical projection."""
    ends = project(fit.family, fit.figure, fit.shape, np.array([0.0, degrees]), np.zeros(2))
    return float(ends[1, 0] - ends[0, 0])


def offsets_of(fit: ProjectionFit, places: Places) -> NDArray[np.float64]:
    """(n,) longitudes of the points from the central meridian, those at the cut on the edge where they were found."""
    offset = wrap_longitudes(places.lon, fit.lon_0)
    plane_x = ((places.pixels - fit.matrix[:, 2]) @ np.linalg.inv(fit.matrix[:, :2]).T)[:, 0]
    at_cut = np.abs(np.abs(offset) - 180) < CUT_DEGREES
    wrong = at_cut & (np.sign(plane_x) != np.sign(offset)) & (not fit.family.turning)
    return np.where(wrong, offset - 360 * np.sign(offset), offset)


def _holds(frame: PixelBox, pixels: NDArray[np.float64]) -> bool:
    """Whether all points lie in a frame, or on it."""
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    inside = low[0] >= frame.left - EDGE_PX and low[1] >= frame.top - EDGE_PX
    return bool(inside and high[0] <= frame.right + EDGE_PX and high[1] <= frame.bottom + EDGE_PX)


def _area(pixels: NDArray[np.float64], size: tuple[int, int] | None, frame: PixelBox | None) -> PixelBox:
    """The part of the picture the map may cover."""
    if frame is not None:
        return frame
    if size is not None:
        return PixelBox(0, 0, *size)
    low, high = pixels.min(axis=0) - 0.5, pixels.max(axis=0) + 0.5
    return PixelBox(low[0], low[1], high[0], high[1])


def _edges(
    longitudes: Callable[[NDArray[np.float64]], NDArray[np.float64]], pixels: NDArray[np.float64], area: PixelBox
) -> tuple[float, float, float]:
    """Longitude at the western and the eastern edge of an area, and the length of a whole turn in pixels.

    Meridians may run across the picture as well as up and down it: the pair of edges with more between them counts.
    """
    rows = np.linspace(max(pixels[:, 1].min(), area.top), min(pixels[:, 1].max(), area.bottom), _ALONG)
    cols = np.linspace(max(pixels[:, 0].min(), area.left), min(pixels[:, 0].max(), area.right), _ALONG)
    upright = [np.stack([np.full(_ALONG, col), rows], axis=1) for col in (area.left, area.right)]
    lying = [np.stack([cols, np.full(_ALONG, row)], axis=1) for row in (area.top, area.bottom)]
    found = []
    for (a, b), length in ((upright, area.width), (lying, area.height)):
        west, east = (_median(longitudes(places)) for places in (a, b))
        found.append((west, east, length))
    west, east, length = max(found, key=lambda edge: np.nan_to_num(abs(edge[1] - edge[0])))
    return min(west, east), max(west, east), 360 * length / max(abs(east - west), 1e-9)


def _median(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _meeting(low: float, high: float, slack: float, first: float, last: float) -> tuple[float, float, float]:
    """What two meridians with some slack, and the points, leave for the central one; and its middle."""
    target = (low + high) / 2
    low, high = low - slack, high + slack
    if max(low, first) <= min(high, last):
        low, high = max(low, first), min(high, last)
    return low, high, float(np.clip(target, low, high))


def _roundest(low: float, high: float, target: float) -> float:
    """The roundest meridian between two, the nearest to a target among equally round ones; else the target."""
    for step, _ in reversed(FREQUENT):
        near = np.clip(np.round(target / step), np.ceil(low / step), np.floor(high / step))
        if low <= step * near <= high:
            return float(step * near)
    return target


def _likely(low: float, high: float, middle: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Round central meridians between two, and how likely each is when a picture's middle is at a third."""
    choices = np.unique(np.concatenate([np.arange(np.ceil(low), np.floor(high) + 1), [middle]]))
    often = np.full(len(choices), 1e-3)
    for step, weight in FREQUENT:
        often[np.abs(choices / step - np.round(choices / step)) < 1e-9] = weight
    likely = often * np.exp(-(((choices - middle) / OFF_MIDDLE) ** 2) / 2)
    return choices, likely / likely.sum()
