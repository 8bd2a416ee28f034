"""Two answers to where a map is, held against each other: a file's control points, and the labels at its frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import Georeference
from geocbar.place.projections import distance_km, project_points

__all__ = ["compare_frame_points"]

#: Places agree if they are within this many pixels, or within so many times the usual misfit of the control points.
SAME_PX, SAME_RMSE = 4.0, 3.0
#: All are off alike if their differences scatter by less than this share of their mean.
_ALIKE = 0.1
_LONLAT = "EPSG:4326"


def compare_frame_points(georeference: Georeference, frame_points: GroundControlPoints) -> list[str]:
    """Say where the labels at a map's frame contradict the place a file gives.

    Parameters
    ----------
    georeference : Georeference
        Fitted to the file's control points, or from the picture's own georeferencing; it is what is used.
    frame_points : GroundControlPoints
        Longitudes and latitudes read at the frame, EPSG:4326, in pixels of the same picture.

    Returns
    -------
    list of str
        Sentences for a person; empty where both agree, or where nothing can be compared (plans without a globe).
    """
    points = frame_points.used()
    if not len(points):
        return []
    meant = project_points(points.world, _LONLAT, georeference.crs)
    if not np.isfinite(meant).any():
        return []
    placed = np.asarray(georeference.to_pixel(meant), dtype=np.float64)
    off = np.hypot(*(placed - points.pixels).T)
    off = np.where(np.isfinite(off), off, np.inf)
    rmse = georeference.rmse_px
    limit = max(SAME_PX, SAME_RMSE * rmse if np.isfinite(rmse) else 0.0)
    far = off > limit
    if not far.any():
        return []
    there = np.asarray(georeference.transform.to_world(points.pixels), dtype=np.float64)
    apart = distance_km(there, meant, georeference.crs)
    worst = int(np.argmax(np.where(np.isfinite(off), off, -1.0))) if np.isfinite(off).any() else 0
    where = f"{_pixels(off[worst])}{_kilometres(apart[worst])}"
    count = f"{int(far.sum())} of {len(points)}"
    sentences = [
        f"The longitudes and latitudes at the map's frame do not suit the place given: {count} crossings of the labels"
        f" lie more than {limit:.0f} px off, {points.names[worst]} by {where}. The place given was used; one of the two"
        " is wrong."
    ]
    return sentences + _common_shift(there, georeference.crs, points.world)


def _pixels(off: float) -> str:
    return f"{off:.0f} px" if np.isfinite(off) else "more than the map's size"


def _kilometres(apart: float) -> str:
    if not np.isfinite(apart):
        return ""
    return f" ({apart:.0f} km)" if apart >= 1 else f" ({1000 * apart:.0f} m)"


def _common_shift(there: NDArray[np.float64], crs: str, world: NDArray[np.float64]) -> list[str]:
    """What all differences have in common: a shift in degrees, or a changed sign."""
    given = project_points(there, crs, _LONLAT)
    good = np.isfinite(given).all(axis=1)
    if good.sum() < 3:
        return []
    said = []
    for column, name in ((0, "longitude"), (1, "latitude")):
        file, frame = given[good, column], world[good, column]
        shift = file - frame
        if column == 0:
            shift = (shift + 180.0) % 360.0 - 180.0
        size = abs(float(shift.mean()))
        if size > 1e-3 and np.ptp(shift) <= _ALIKE * size:
            more = "greater" if shift.mean() > 0 else "smaller"
            said.append(f"By the place given, every {name} is about {size:.3g} degrees {more} than its label.")
        elif np.ptp(frame) > 0 and np.abs(file + frame).max() <= _ALIKE * np.abs(frame).max():
            said.append(f"By the place given, every {name} has the opposite sign of its label.")
    return said
