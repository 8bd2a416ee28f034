"""Fewer points that say the same: gradient mask, DBSCAN, centroids, and a promise around them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.borders import hold_borders
from geocbar.grid.lattice import dbscan
from geocbar.grid.levels import cut_levels, quantize, require_picture, unit_coordinate
from geocbar.grid.points import Points, RebuildError, rebuild_error
from geocbar.grid.refinement import picture_noise, refine
from geocbar.value.norms import Norm, as_norm

__all__ = ["Points", "RebuildError", "gradient_mask", "quantize", "rebuild_error", "thin"]

#: Steepest slope that `thin` keeps unless told otherwise, as a share of the range a pixel.
TOLERANCE = 0.05

#: Differences of neighbours that noise alone does not make, in its standard deviations: three of a difference's.
NOISE_STEPS = 3 * 2**0.5


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
    values = require_picture(values)
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
    max_error: float | None = 0.02,
) -> Points:
    """Few points that stand for many pixels.

    Pixels where the values are too steep are left out; the others are clustered by DBSCAN on the lattice within equal
    levels; the clusters are cut by square cells; each piece gives one point. With a promise (`max_error`), those of
    these points that are needed stay, and others are added where they are needed.

    Parameters
    ----------
    values : (h, w) float array
        NaN where there is none.
    limits : (2,) float array
        Values at the two ends of the scale.
    tolerance : float, optional
        Steepest slope that is kept, in the even coordinate of `norm` a pixel: the unit of the values if it is linear,
        decades if ``"log"`` or ``"symlog"``, shares of the scale's length if power or piecewise; inf keeps all.
        Unless given it is 5 % of the range, which no smooth map reaches but the edges of lines and lettering do; more
        if the picture's noise reaches it (three standard deviations of a difference, from the median of `sigma`).
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
    max_error : float, optional
        What is promised, as a share of the range in the even coordinate of `norm`: linear interpolation between the
        points (Delaunay triangles in the picture) is so near to the values at 99 % of the pixels that have one. On
        a class scale any number asks the nearest point to be of the right class at 99 % of them. None promises
        nothing: the points are those of the clusters.

    Returns
    -------
    Points
        With a promise in row-major order. A point's value is that of its pixel or, where noise matters and nothing
        speaks against it, of a plane through the pixels around it; its sigma that of its pixel; its count the number
        of pixels of which it is the nearest corner of their triangle. See :func:`geocbar.grid.refinement.refine`.

        Without, ordered by cluster, then cell. A point lies on the pixel of its piece that is nearest to the centroid
        of the piece, the first in row-major order of equally near ones (to a millionth of a square pixel). Its value
        is the mean over the piece; its sigma the mean sigma, not divided by the square root of the count because
        errors of neighbouring pixels are correlated; its count the number of pixels in the piece.

    Raises
    ------
    InvalidInputError
        If no pixel has a value, no cluster is found, or an argument is out of bounds.
    """
    values = require_picture(values)
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
    if max_error is not None and not max_error > 0:
        raise InvalidInputError(
            f"An error of at most {100 * max_error:g} % of the range gives every pixel as a point.",
            "Give more than nothing, such as --max-error 0.02, or none for the points of the clusters alone.",
        )
    sharp = unit = unit_coordinate(values, limits, norm).astype(np.float32)
    if smoothing > 0 and edges is None:
        unit = _smooth(unit, smoothing)
    low, high = as_norm(norm, limits).forward(np.sort(np.asarray(limits, dtype=np.float64)))
    if tolerance is None:
        share = max(TOLERANCE, NOISE_STEPS * _typical_sigma(values, sigma, limits, norm))
    else:
        share = tolerance / float(high - low)
    keep = gradient_mask(unit, share)
    levels = cut_levels(unit, n_levels) if edges is None else quantize(values, limits, edges=edges)
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
    count, place, extent = _snap(member, piece, values.shape[1])
    means = np.bincount(piece, values.ravel()[member]) / count
    spread = None if sigma is None else _mean_known(np.asarray(sigma).ravel()[member], piece)
    if max_error is not None:
        if edges is None:
            kept = refine(sharp, place, max_error=max_error, noise=picture_noise(sharp), smooth=unit)
            place, count, extent = kept.flat, kept.count, kept.extent
            means = _values_of(kept.values, values.ravel()[place], sharp.ravel()[place], limits, norm)
        else:
            place, count, extent = hold_borders(quantize(values, limits, edges=edges), place)
            means = values.ravel()[place].astype(np.float64)
        spread = None if sigma is None else np.asarray(sigma, dtype=np.float64).ravel()[place]
    pixels = np.stack([place % values.shape[1] + 0.5, place // values.shape[1] + 0.5], axis=1)
    xy = pixels if to_world is None else to_world(pixels.copy())
    return Points(xy=xy, values=means, count=count, pixels=pixels, crs=crs, sigma=spread, extent_px=extent)


def _typical_sigma(
    values: NDArray[np.floating], sigma: NDArray[np.floating] | None, limits: ArrayLike, norm: Norm | str
) -> float:
    """Median sigma as a share of the scale, in its even coordinate; 0 if there is none."""
    if sigma is None:
        return 0.0
    step = max(1, int((values.size / 50_000) ** 0.5))
    middle, spread = values[::step, ::step], np.asarray(sigma)[::step, ::step]
    known = np.isfinite(middle) & np.isfinite(spread)
    if not known.any():
        return 0.0
    ends = np.sort(np.asarray(limits, dtype=np.float64))
    low, high = (np.clip(middle[known] + sign * spread[known], *ends) for sign in (-1, 1))
    reach = unit_coordinate(high, limits, norm) - unit_coordinate(low, limits, norm)
    width = np.maximum(high - low, np.finfo(np.float64).tiny)
    return float(np.median(reach * spread[known] / width))


def _values_of(
    even: NDArray[np.float64],
    own: NDArray[np.floating],
    own_even: NDArray[np.float32],
    limits: ArrayLike,
    norm: Norm | str,
) -> NDArray[np.float64]:
    """Values of shares of the scale; exactly those of the pixels where the shares are theirs."""
    ends = np.sort(np.asarray(limits, dtype=np.float64))
    norm = as_norm(norm, ends)
    low, high = norm.forward(ends)
    return np.where(even == own_even, own, norm.inverse(low + even * (high - low)))


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
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Size of every piece, its pixel nearest to its centroid, and how far the farthest lies from there.

    Of equally near ones it is the first in row-major order.
    """
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
    farthest = np.zeros(len(count))
    np.maximum.at(farthest, piece, np.hypot(row - (place // width)[piece], col - (place % width)[piece]))
    return count, place, farthest


def _mean_known(sigma: NDArray[np.floating], piece: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean over every piece of the sigmas that are known; NaN where none is."""
    known = np.isfinite(sigma)
    n = int(piece.max()) + 1
    count = np.bincount(piece, known, n)
    total = np.bincount(piece, np.where(known, sigma, 0.0), n)
    return np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
