"""Points that stand for a picture, and what is lost if it is rebuilt from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.levels import require_picture, unit_coordinate

__all__ = ["Points", "RebuildError", "rebuild_error"]


@dataclass(frozen=True, eq=False)
class Points:
    """Well-chosen places with their values; the arrays are read-only.

    Parameters
    ----------
    xy : (n, 2) float array
        ``(x, y)`` in `crs`.
    values : (n,) float array
        In the unit of the bar.
    count : (n,) int array
        How many pixels each point stands for.
    pixels : (n, 2) float array
        ``(col, row)`` in the picture, pixel centres at .5.
    crs : str
        Anything pyproj understands.
    sigma : (n,) float array or None
        One standard deviation of each value.
    extent_px : (n,) float array or None
        Distance in pixels of the farthest pixel that each point stands for.

    Raises
    ------
    InvalidInputError
        If the shapes do not match.
    """

    xy: NDArray[np.float64]
    values: NDArray[np.float64]
    count: NDArray[np.int64]
    pixels: NDArray[np.float64]
    crs: str
    sigma: NDArray[np.float64] | None = None
    extent_px: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        n = np.size(self.values)
        kinds = dict.fromkeys(("xy", "values", "pixels", "sigma", "extent_px"), np.float64) | {"count": np.int64}
        for name, kind in kinds.items():
            if getattr(self, name) is None:
                continue
            array = np.array(getattr(self, name), dtype=kind)
            shape = (n, 2) if name in ("xy", "pixels") else (n,)
            if array.shape != shape:
                raise InvalidInputError(f"{n} points need {name} of shape {shape}, not {array.shape}.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class RebuildError:
    """What is lost if the picture is rebuilt from its points, in percent of the range; NaN if it cannot be rebuilt.

    Parameters
    ----------
    rmse_percent, p99_percent, max_percent : float
        Root mean square, 99th percentile and maximum of the absolute error of linear interpolation between the
        points, over the pixels inside their convex hull.
    covered : float
        Share of the pixels with a value that lie inside the convex hull, 0 to 1.
    outside_rmse_percent : float
        Root mean square error of the value of the nearest point over the pixels outside the hull; NaN if none is.
    """

    rmse_percent: float
    p99_percent: float
    max_percent: float
    covered: float
    outside_rmse_percent: float


def rebuild_error(
    values: NDArray[np.floating],
    points: Points,
    limits: ArrayLike,
    *,
    nearest: bool = False,
    n_samples: int = 200_000,
    seed: int = 0,
) -> RebuildError:
    """How far the values lie from what linear interpolation between the points gives.

    Parameters
    ----------
    values : (h, w) float array
        The picture the points were taken from, NaN where there is no value.
    points : Points
        Their `pixels` and `values` are used.
    limits : (2,) float array
        Values at the two ends of the scale; errors are in percent of their difference.
    nearest : bool
        Whether the value of the nearest point takes the place of linear interpolation, as classes need it.
    n_samples : int
        At most so many pixels with a value, drawn at random, are compared.
    seed : int
        Of the draw.

    Returns
    -------
    RebuildError
        All NaN if there are fewer than three points or all lie on one line (no matter if the nearest counts), or no
        pixel has a value.

    Raises
    ------
    InvalidInputError
        If `limits` are not two different values.

    Notes
    -----
    Along the edge of the hull the triangles are long and thin, since no point lies on the edge of the picture. They
    hold few pixels but the largest errors, so `max_percent` says more about that rim than about the map.
    """
    from scipy.interpolate import LinearNDInterpolator
    from scipy.spatial import cKDTree

    values = require_picture(values)
    unit_coordinate(np.zeros(0), limits, "linear")
    span = float(np.ptp(np.asarray(limits, dtype=np.float64)))
    flat = np.flatnonzero(np.isfinite(values))
    places = points.pixels - points.pixels.mean(axis=0) if len(points) else points.pixels
    triangles = len(points) >= 3 and np.linalg.matrix_rank(places) == 2
    if not (len(points) if nearest else triangles) or len(flat) == 0:
        return RebuildError(math.nan, math.nan, math.nan, math.nan, math.nan)
    if len(flat) > n_samples:
        flat = np.random.default_rng(seed).choice(flat, n_samples, replace=False, shuffle=False)
        flat.sort()  # neighbouring queries find their triangle at once
    at = np.stack([flat % values.shape[1] + 0.5, flat // values.shape[1] + 0.5], axis=1)
    truth = values.ravel()[flat].astype(np.float64)
    if nearest:
        rebuilt = points.values[cKDTree(points.pixels).query(at)[1]]
    else:
        rebuilt = LinearNDInterpolator(points.pixels, points.values)(at)
    inside = np.isfinite(rebuilt)
    error = np.abs(rebuilt[inside] - truth[inside]) * (100 / span)
    beyond = points.values[cKDTree(points.pixels).query(at[~inside])[1]]
    outside = np.abs(beyond - truth[~inside]) * (100 / span)
    rmse, outside_rmse = (float(np.sqrt(np.mean(e**2))) if len(e) else math.nan for e in (error, outside))
    p99, largest = (float(np.percentile(error, 99)), float(error.max())) if len(error) else (math.nan, math.nan)
    return RebuildError(rmse, p99, largest, float(inside.mean()), outside_rmse)
