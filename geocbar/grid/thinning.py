"""Fewer points that say the same: gradient mask, DBSCAN, centroids."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.lattice import dbscan
from geocbar.value.norms import Norm, as_norm

__all__ = ["Points", "RebuildError", "gradient_mask", "quantize", "rebuild_error", "thin"]

#: Steepest slope that `thin` keeps unless told otherwise, as a share of the range a pixel.
TOLERANCE = 0.05


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

    def __post_init__(self) -> None:
        n = np.size(self.values)
        kinds = {"xy": np.float64, "values": np.float64, "count": np.int64, "pixels": np.float64, "sigma": np.float64}
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


def _unit_coordinate(values: NDArray[np.floating], limits: ArrayLike, norm: Norm | str) -> NDArray[np.float64]:
    """Values as a share of the scale, 0 at the lower and 1 at the upper limit, NaN where there is none."""
    ends = np.sort(np.asarray(limits, dtype=np.float64))
    if ends.shape != (2,) or not np.isfinite(ends).all() or ends[0] == ends[1]:
        raise InvalidInputError(
            f"The limits {np.asarray(limits).tolist()} are not two different values.",
            "Give two different values: --vmin V --vmax V",
        )
    norm = as_norm(norm, ends)
    low, high = norm.forward(ends)
    return (norm.forward(np.where(np.isfinite(values), values, np.nan)) - low) / (high - low)


def _require_picture(values: ArrayLike) -> NDArray[np.floating]:
    """Values as a two-dimensional array of floats."""
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    if array.ndim != 2:
        raise InvalidInputError(f"Values are a two-dimensional array, not one of shape {array.shape}.")
    return array


def quantize(
    values: NDArray[np.floating],
    limits: ArrayLike,
    n_levels: int = 64,
    *,
    norm: Norm | str = "linear",
    edges: ArrayLike | None = None,
) -> NDArray[np.int32]:
    """Levels of equal step between the limits, or the class number on a class scale.

    Parameters
    ----------
    values : (h, w) float array
        In the unit of the bar; values beyond the limits take the end levels.
    limits : (2,) float array
        Values at the two ends of the scale.
    n_levels : int
        Number of levels; not used on a class scale.
    norm : Norm or str
        In which coordinate the steps are equal, ``"linear"``, ``"log"`` or another norm of a scale.
    edges : (n + 1,) float array, optional
        Limits of the classes. The levels are then the classes, numbered by ascending value.

    Returns
    -------
    (h, w) int32 array
        0 .. n_levels - 1, and -1 where there is no (finite) value.

    Raises
    ------
    InvalidInputError
        If `limits` are not two different values, or `n_levels` is less than 1.

    Examples
    --------
    >>> quantize(np.array([[0.0, 4.9, 5.0, 10.0, np.nan]]), (0, 10), 2)
    array([[ 0,  0,  1,  1, -1]], dtype=int32)
    """
    values = _require_picture(values)
    if edges is not None:
        inner = np.sort(np.asarray(edges, dtype=np.float64))[1:-1]
        classes = np.searchsorted(inner, values, side="right")
        return np.where(np.isfinite(values), classes, -1).astype(np.int32)
    unit = _unit_coordinate(values, limits, norm)
    return _levels(unit, n_levels)


def _levels(unit: NDArray[np.floating], n_levels: int) -> NDArray[np.int32]:
    """Level of each unit coordinate, -1 for NaN."""
    if n_levels < 1:
        raise InvalidInputError(f"There cannot be {n_levels} levels.", "Give 1 or more levels.")
    steps = np.nan_to_num(unit * n_levels, nan=-1.0, posinf=n_levels, neginf=0.0)
    return np.where(np.isnan(unit), -1, np.clip(steps, 0, n_levels - 1)).astype(np.int32)


def gradient_mask(values: NDArray[np.floating], tolerance: float) -> NDArray[np.bool_]:
    """Where the values change slowly enough to be trusted.

    Parameters
    ----------
    values : (h, w) float array
        NaN where there is none.
    tolerance : float
        Largest difference, in the unit of the values, to any of the four neighbours that have a value.

    Returns
    -------
    (h, w) bool array
        False where there is no value. A pixel without neighbours that have a value is kept.

    Raises
    ------
    InvalidInputError
        If `tolerance` is negative or NaN.

    Examples
    --------
    >>> gradient_mask(np.array([[0.0, 1.0, 5.0, np.nan, 6.0]]), 1.0)
    array([[ True, False, False, False,  True]])
    """
    if not tolerance >= 0:
        raise InvalidInputError(
            f"The tolerance is {tolerance:g} a pixel, less than nothing.", "Give 0 or more, or inf to keep all pixels."
        )
    values = _require_picture(values)
    keep = np.isfinite(values)
    values = np.where(keep, values, np.nan)
    across = np.abs(np.diff(values, axis=1)) > tolerance
    down = np.abs(np.diff(values, axis=0)) > tolerance
    keep[:, 1:] &= ~across
    keep[:, :-1] &= ~across
    keep[1:] &= ~down
    keep[:-1] &= ~down
    return keep


def _smooth(unit: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Gaussian mean of the values there are; NaN stays NaN."""
    from scipy.ndimage import gaussian_filter

    valid = ~np.isnan(unit)
    smooth = gaussian_filter(np.where(valid, unit, np.float32(0)), width, truncate=3.0, mode="nearest")
    if not valid.all():
        weight = gaussian_filter(valid.astype(np.float32), width, truncate=3.0, mode="nearest")
        smooth = np.divide(smooth, weight, out=np.full_like(smooth, np.nan), where=valid)
    return smooth


def thin(
    values: NDArray[np.floating],
    *,
    limits: ArrayLike,
    tolerance: float | None = None,
    eps: float = 1.5,
    min_samples: int = 4,
    n_levels: int = 32,
    spacing: float = 16.0,
    sigma: NDArray[np.floating] | None = None,
    to_world: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
    crs: str = "",
    norm: Norm | str = "linear",
    edges: ArrayLike | None = None,
    smoothing: float = 1.0,
) -> Points:
    """Few points that stand for many pixels.

    Pixels where the values are too steep are left out; the others are clustered by DBSCAN on the lattice within equal
    levels; the clusters are cut by square cells; each piece gives one point.

    Parameters
    ----------
    values : (h, w) float array
        NaN where there is none.
    limits : (2,) float array
        Values at the two ends of the scale.
    tolerance : float, optional
        Steepest slope that is kept, in the even coordinate of `norm` a pixel: the unit of the values if it is linear,
        decades if ``"log"`` or ``"symlog"``, shares of the scale's length if power or piecewise; inf keeps all.
        Unless given it is 5 % of the range, which no smooth map reaches but the edges of lines and lettering do.
    eps, min_samples : float, int
        Of :func:`geocbar.grid.lattice.dbscan`. A band of one level must be 2 px wide for most of its pixels to have
        4 neighbours within 1.5 px: slopes above ``1 / (2 * n_levels)`` of the range a pixel begin to fall out.
    n_levels : int
        Number of levels that are clustered apart.
    spacing : float
        Side of the cells in pixels, from the origin of the picture; inf leaves the clusters whole.
    sigma : (h, w) float array, optional
        One standard deviation of each value.
    to_world : callable, optional
        Takes (n, 2) pixel places (col, row), centres at .5, and gives (n, 2) places ``(x, y)`` in `crs`. Unless
        given, `xy` is `pixels`.
    crs : str
        Of the points.
    norm, edges
        As for :func:`quantize`. On a class scale nothing is smoothed.
    smoothing : float
        Width (standard deviation) in pixels of the Gaussian mean from which slopes and levels are taken, 0 for none:
        noise would otherwise break the levels into salt and pepper. The points' values are means of `values` as given.

    Returns
    -------
    Points
        Ordered by cluster, then cell. A point lies on the pixel of its piece that is nearest to the centroid of the
        piece, the first in row-major order of equally near ones (to a millionth of a square pixel). Its value is the
        mean over the piece; its sigma the mean sigma, not divided by the square root of the count because errors of
        neighbouring pixels are correlated; its count the number of pixels in the piece.

    Raises
    ------
    InvalidInputError
        If no pixel has a value, no cluster is found, or an argument is out of bounds.
    """
    values = _require_picture(values)
    if not spacing >= 1:
        raise InvalidInputError(f"The spacing is {spacing:g} px, less than a pixel.", "Give spacing=32 or so.")
    if sigma is not None and np.shape(sigma) != values.shape:
        raise InvalidInputError(f"The values have shape {values.shape}, but their sigma {np.shape(sigma)}.")
    n_valid = int(np.isfinite(values).sum())
    if n_valid == 0:
        height, width = values.shape
        raise InvalidInputError(
            f"None of the {width} x {height} pixels has a value: there is nothing to thin.",
            "Check the places of the map and of the colour bar.",
        )
    unit = _unit_coordinate(values, limits, norm).astype(np.float32)
    if smoothing > 0 and edges is None:
        unit = _smooth(unit, smoothing)
    low, high = as_norm(norm, limits).forward(np.sort(np.asarray(limits, dtype=np.float64)))
    share = TOLERANCE if tolerance is None else tolerance / float(high - low)
    keep = gradient_mask(unit, share)
    levels = _levels(unit, n_levels) if edges is None else quantize(values, limits, edges=edges)
    levels[~keep] = -1
    labels = dbscan(levels, eps, min_samples).labels.ravel()
    member = np.flatnonzero(labels >= 0)
    if len(member) == 0:
        n_kept = int(keep.sum())
        raise InvalidInputError(
            f"No cluster: of {n_valid} pixels with a value {n_valid - n_kept} are steeper than {share:.3g} of the range"
            f" a pixel, and the other {n_kept} have fewer than {min_samples} of their level within {eps:g} px.",
            "Raise the tolerance, or lower the DBSCAN minimum or the number of levels:"
            " --tolerance, --min-samples, --levels",
        )
    piece = _pieces(labels[member], member, values.shape[1], spacing)
    count, place = _snap(member, piece, values.shape[1])
    pixels = np.stack([place % values.shape[1] + 0.5, place // values.shape[1] + 0.5], axis=1)
    return Points(
        xy=pixels if to_world is None else to_world(pixels.copy()),
        values=np.bincount(piece, values.ravel()[member]) / count,
        count=count,
        pixels=pixels,
        crs=crs,
        sigma=None if sigma is None else _mean_known(np.asarray(sigma).ravel()[member], piece),
    )


def _pieces(labels: NDArray[np.int32], member: NDArray[np.int64], width: int, spacing: float) -> NDArray[np.int64]:
    """Number the pieces into which square cells cut the clusters, by cluster, then cell, in row-major order."""
    columns = ((np.arange(width) + 0.5) // spacing).astype(np.int64)
    rows = ((np.arange(int(member[-1]) // width + 1) + 0.5) // spacing).astype(np.int64)
    across = int(columns[-1]) + 1
    n_cells = (int(rows[-1]) + 1) * across
    row = member // width
    key = labels * np.int64(n_cells) + rows[row] * across + columns[member - row * width]
    begin = np.flatnonzero(np.diff(key, prepend=-1))
    _, number = np.unique(key[begin], return_inverse=True)
    return np.repeat(number, np.diff(begin, append=len(key)))


def _snap(
    member: NDArray[np.int64], piece: NDArray[np.int64], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Size of every piece, and its pixel nearest to its centroid: the first in row-major order of equally near ones."""
    count = np.bincount(piece)
    row = (member // width).astype(np.float64)
    col = (member % width).astype(np.float64)
    distance = (row - (np.bincount(piece, row) / count)[piece]) ** 2
    distance += (col - (np.bincount(piece, col) / count)[piece]) ** 2
    np.round(distance, 6, out=distance)
    nearest = np.full(len(count), np.inf)
    np.minimum.at(nearest, piece, distance)
    hit = np.flatnonzero(distance == nearest[piece])
    found, first = np.unique(piece[hit], return_index=True)
    place = np.empty(len(count), np.int64)
    place[found] = member[hit[first]]
    return count, place


def _mean_known(sigma: NDArray[np.floating], piece: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean over every piece of the sigmas that are known; NaN where none is."""
    known = np.isfinite(sigma)
    n = int(piece.max()) + 1
    count = np.bincount(piece, known, n)
    total = np.bincount(piece, np.where(known, sigma, 0.0), n)
    return np.divide(total, count, out=np.full(n, np.nan), where=count > 0)


def rebuild_error(
    values: NDArray[np.floating],
    points: Points,
    limits: ArrayLike,
    *,
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
    n_samples : int
        At most so many pixels with a value, drawn at random, are compared.
    seed : int
        Of the draw.

    Returns
    -------
    RebuildError
        All NaN if there are fewer than four points, all points lie on one line, or no pixel has a value.

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

    values = _require_picture(values)
    _unit_coordinate(np.zeros(0), limits, "linear")
    span = float(np.ptp(np.asarray(limits, dtype=np.float64)))
    flat = np.flatnonzero(np.isfinite(values))
    places = points.pixels - points.pixels.mean(axis=0) if len(points) else points.pixels
    if len(points) < 4 or np.linalg.matrix_rank(places) < 2 or len(flat) == 0:
        return RebuildError(math.nan, math.nan, math.nan, math.nan, math.nan)
    if len(flat) > n_samples:
        flat = np.random.default_rng(seed).choice(flat, n_samples, replace=False, shuffle=False)
        flat.sort()  # neighbouring queries find their triangle at once
    at = np.stack([flat % values.shape[1] + 0.5, flat // values.shape[1] + 0.5], axis=1)
    truth = values.ravel()[flat].astype(np.float64)
    rebuilt = LinearNDInterpolator(points.pixels, points.values)(at)
    inside = np.isfinite(rebuilt)
    error = np.abs(rebuilt[inside] - truth[inside]) * (100 / span)
    nearest = points.values[cKDTree(points.pixels).query(at[~inside])[1]]
    outside = np.abs(nearest - truth[~inside]) * (100 / span)
    rmse, outside_rmse = (float(np.sqrt(np.mean(e**2))) if len(e) else math.nan for e in (error, outside))
    p99, largest = (float(np.percentile(error, 99)), float(error.max())) if len(error) else (math.nan, math.nan)
    return RebuildError(rmse, p99, largest, float(inside.mean()), outside_rmse)
