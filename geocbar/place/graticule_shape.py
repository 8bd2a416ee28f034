"""Whether meridians run upright and parallels level, as on cylindrical maps: what proves it, and what denies it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.frame_labels import FrameSide
from geocbar.figure.layout import PixelBox
from geocbar.place.graticule_axes import DegreeAxis

__all__ = ["denies_cylinder", "opposite_side", "proves_cylinder", "scale_ratio"]

#: Marks of one meridian at opposite sides agree within this many px.
SAME_PX = 1.5
#: How well the ratio of the two scales is known, as a share.
_RATIO_ERROR = 0.006


def opposite_side(side: str) -> str:
    """The side across."""
    return {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}[side]


def scale_ratio(lon: DegreeAxis, lat: DegreeAxis) -> float:
    """Pixels a degree of latitude (by its law, at the equator's scale) over pixels a degree of longitude."""
    return abs(lon.slope / lat.slope)


def _twins(axis: DegreeAxis, places: NDArray[np.float64]) -> int:
    """How many labels have a mark straight across."""
    if not len(places):
        return 0
    return int(sum(np.abs(places - label.position).min() <= SAME_PX for label in axis.labels))


def denies_cylinder(axes: Sequence[DegreeAxis], sides: dict[str, FrameSide]) -> str:
    """What shows that the graticule is bent or tilted; empty if nothing does.

    Parameters
    ----------
    axes : sequence of DegreeAxis
        All sides with labels.
    sides : dict
        All four sides.
    """
    for kind, unit in (("lon", "x"), ("lat", "y")):
        pair = [axis for axis in axes if axis.kind == kind]
        if len(pair) == 2:
            first, second = pair
            shift = 360.0 * np.round((first.values.mean() - second.values.mean()) / 360.0) if kind == "lon" else 0.0
            off = np.abs(first.place_of(second.values + shift) - second.positions)
            if off.max() > SAME_PX + 1.0 or np.median(off) > SAME_PX:
                where = f"{first.side} and {second.side}"
                return f"Labels at opposite sides disagree by {off.max():.0f} px in {unit}: {where}."
        for axis in pair:
            strayed = _strayed(axis)
            if strayed:
                return strayed
            across = sides[opposite_side(axis.side)].ticks
            if not sides[opposite_side(axis.side)].outward:
                continue
            if len(across) >= len(axis.labels) >= 3 and _twins(axis, across) < 0.6 * len(axis.labels):
                return f"Ticks at the {opposite_side(axis.side)} do not stand across from those at the {axis.side}."
    return ""


def _strayed(axis: DegreeAxis) -> str:
    """A label that reads as expected, yet whose mark stands beside its place: no misreading, but a bend."""
    gap = float(np.median(np.abs(np.diff(axis.positions)))) if len(axis.labels) >= 2 else 0.0
    for label in axis.contrary:
        own = [reading.value for reading in label.readings if reading.slips == 0 and reading.axis in ("", axis.kind)]
        if not label.marked or len(own) != 1:
            continue
        turns = np.array([-360.0, 0.0, 360.0] if axis.kind == "lon" else [0.0])
        off = float(np.abs(axis.place_of(own[0] + turns) - label.position).min())
        if SAME_PX < off < 0.35 * gap:
            return f"'{label.text}' at the {axis.side} stands {off:.0f} px off even spacing."
    return ""


def proves_cylinder(
    box: PixelBox,
    lons: Sequence[DegreeAxis],
    lat: DegreeAxis,
    sides: dict[str, FrameSide],
    verticals: NDArray[np.float64],
) -> str:
    """What shows that meridians are upright and evenly spaced; empty if nothing does.

    Where only one side has labels, the scales may tell: a map projection keeps the ratio of degrees near the cosine
    of the latitude of the side with the longitudes; plots of plain longitude and latitude have the ratio of the page.

    Parameters
    ----------
    box : PixelBox
        The frame.
    lons : sequence of DegreeAxis
        Sides with longitudes, that with most labels first.
    lat : DegreeAxis
        The side with most latitudes.
    sides : dict
        All four sides.
    verticals : (n,) float array
        Places of straight upright lines through the map.
    """
    lon = lons[0]
    count = _twins(lon, verticals)
    if count >= max(2, 0.5 * len(lon.labels)):
        return f"{count} meridians run upright through the map"
    across = opposite_side(lon.side)
    twins = _twins(lon, sides[across].ticks)
    chance = min(1.0, 2 * SAME_PX * len(sides[across].ticks) / box.width) ** twins
    if twins >= 2 and twins >= 0.8 * len(lon.labels) and chance < 1e-3:
        return f"{twins} ticks stand straight across at the {across}"
    if len(lons) == 2 and min(len(axis.labels) for axis in lons) >= 2:
        return f"the labels at the {across} stand straight across from those at the {lon.side}"
    ends = sorted((lat.value_at(box.top), lat.value_at(box.bottom)))
    if abs(lon.slope) * box.width > 300 and len(lon.labels) >= 4:
        return "longitudes run evenly around the world"
    if ends[0] <= -3 and ends[1] >= 3 and len(lon.labels) >= 4:
        return "longitudes are evenly spaced on both sides of the equator"
    return _by_scale(box, lon, lat)


def _by_scale(box: PixelBox, lon: DegreeAxis, lat: DegreeAxis) -> str:
    """Proof from the ratio of the two scales."""
    ratio = scale_ratio(lon, lat)
    near = lat.value_at(box.bottom if lon.side == "bottom" else box.top)
    middle = lat.value_at((box.top + box.bottom) / 2)
    expected = 1 / max(np.cos(np.radians(near)), 0.05)
    if lat.law in ("Mercator", "ellipsoidal Mercator") and len(lat.labels) >= 3 and abs(ratio - 1) <= _RATIO_ERROR:
        return "both scales are those of a Mercator map"
    if lat.law != "linear" or len(lon.labels) < 3:
        return ""
    if abs(ratio - 1) <= _RATIO_ERROR and expected >= 1.015:
        return "a degree is as long in longitude as in latitude"
    true_there = 1 / max(np.cos(np.radians(middle)), 0.05)
    if abs(ratio / true_there - 1) <= _RATIO_ERROR and abs(ratio / expected - 1) >= 0.04:
        return "the scales are those of a plain map true in its middle"
    if abs(ratio / expected - 1) >= 0.2 and len(lat.labels) >= 3:
        return "the scales are those of a plot of longitude and latitude"
    return ""
