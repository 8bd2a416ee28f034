"""Whether gridlines that were followed into a map lie where a map projection through their crossings puts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import GeocbarError
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import Georeference, fit_georeference

__all__ = ["KnownLine", "lines_off"]

#: Points of a line that are compared.
_SAMPLES = 24


@dataclass(frozen=True, eq=False)
class KnownLine:
    """A line of the graticule on the picture.

    Parameters
    ----------
    kind : {"lon", "lat"}
    value : float
        Degrees.
    points : (n, 2) float array
        (x, y) in pixels.
    """

    kind: str
    value: float
    points: NDArray[np.float64]


def lines_off(
    gcps: GroundControlPoints, lines: Sequence[KnownLine], size: tuple[int, int]
) -> tuple[NDArray[np.float64], str]:
    """Fit a projection to the crossings, and tell how far each whole line runs from where it should.

    Parameters
    ----------
    gcps : GroundControlPoints
        Crossings of the lines, (lon, lat).
    lines : sequence of KnownLine
    size : (int, int)
        Width and height of the picture.

    Returns
    -------
    off : (n,) float array
        Distance in pixels that nine tenths of each line's points do not exceed; infinite where nothing could be fitted.
    reason : str
        Why nothing could be fitted, or that it is no map projection; empty otherwise.
    """
    try:
        fit = fit_georeference(gcps, "auto", size=size, keep_all=True)
    except GeocbarError as error:
        return np.full(len(lines), np.inf), f"The crossings of the gridlines suit no map: {error}"
    off = np.array([_line_off(fit, line) for line in lines])
    if fit.fit is None or fit.bend is not None:
        # Splines and polynomials go through anything, wrong labels included.
        return off, "The crossings of the gridlines suit no known map projection."
    return off, ""


def _line_off(fit: Georeference, line: KnownLine) -> float:
    picked = np.unique(np.linspace(0, len(line.points) - 1, _SAMPLES).round().astype(int))
    points = line.points[picked]
    world = np.array(fit.transform.to_world(points), dtype=np.float64)
    known = np.isfinite(world).all(axis=1)
    if known.mean() < 0.5:
        return float("inf")
    meant = world[known]
    column = 0 if line.kind == "lon" else 1
    if line.kind == "lon":
        turns = 360.0 * np.round((meant[:, 0] - line.value) / 360.0)
        meant[:, 0] = line.value + turns
    else:
        meant[:, column] = line.value
    apart = np.hypot(*(np.asarray(fit.transform.to_pixel(meant)) - points[known]).T)
    # A meridian far from the parallels that were labelled may run on by extrapolation only.
    return float(np.nanpercentile(apart, 90)) if np.isfinite(apart).any() else float("inf")
