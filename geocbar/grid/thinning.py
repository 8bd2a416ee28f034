"""Fewer points that say the same: the published recipe, and a promise around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.borders import hold_borders
from geocbar.grid.clusters import ClusterChoices, Pieces, cluster_pixels, gradient_mask
from geocbar.grid.levels import even_noise, even_sigma, quantize, require_picture, unit_picture
from geocbar.grid.points import Points, RebuildError, rebuild_error
from geocbar.grid.refinement import refine
from geocbar.value.norms import Norm, as_norm

__all__ = ["Points", "RebuildError", "gradient_mask", "quantize", "rebuild_error", "thin"]

#: Steepest slope that `thin` keeps unless told otherwise, as a share of the range a pixel.
TOLERANCE = 0.05

#: Side in pixels of the cells that cut clusters, unless told otherwise.
SPACING = 16.0

#: Differences of neighbours that noise alone does not make, in its standard deviations: three of a difference's.
NOISE_STEPS = 3 * 2**0.5

#: Of larger pictures the clusters that points with a promise are first chosen from are those of every n-th pixel.
_CLUSTERED_PIXELS = 1_000_000


def thin(
    values: NDArray[np.floating],
    *,
    limits: ArrayLike,
    tolerance: float | None = None,
    eps: float = 1.5,
    min_samples: int = 4,
    n_levels: int = 32,
    spacing: float | None = None,
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
    levels; the clusters are cut by square cells; each piece gives one point. With a promise (`max_error`), only those
    of these points that are needed stay, and others are added where they are needed.

    The promise is that at 99 % of the pixels that have a value, linear interpolation between the points (Delaunay
    triangles in the picture) comes within `max_error` of it, or within three times its noise where that is more. The
    noise is `sigma`, and never less than what the picture's own second differences say. Below that the noise of a JPEG
    cannot be told from the map, and to rebuild it would take a point for every other pixel; above it nothing is
    forgiven. :func:`rebuild_error` tells both: how many pixels keep the promise, and the plain errors.

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
    spacing : float, optional
        Side of the cells in pixels, from the origin of the picture; inf leaves the clusters whole. Unless given it is
        16 without a promise; with one, points are as far apart as they can be. If given with a promise, every cell
        with a cluster has a point at least.
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
        What is promised, as a share of the range in the even coordinate of `norm`. On a class scale any number asks
        the nearest point to be of the right class at 99 % of the pixels. None or inf promises nothing: the points are
        those of the clusters.

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
    promised = max_error is not None and max_error != np.inf
    _require_choices(values, spacing, sigma, max_error)
    share = np.inf
    if tolerance is None:
        share = max(TOLERANCE, NOISE_STEPS * _typical_sigma(values, sigma, limits, norm))
    elif np.isfinite(tolerance):
        low, high = as_norm(norm, limits).forward(np.sort(np.asarray(limits, dtype=np.float64)))
        share = tolerance / float(high - low)
    unit = unit_picture(values, limits, norm)
    classes = None if edges is None else quantize(values, limits, edges=edges)
    choices = ClusterChoices(share, eps, min_samples, n_levels, spacing or SPACING, smoothing)
    if promised:
        assert max_error is not None
        places = _cluster_places(unit, choices, classes)
        found = _keep_promise(values, unit, places, classes, limits, norm, sigma, max_error, held=spacing is not None)
    else:
        found = _take_clusters(values, cluster_pixels(unit, choices, classes), choices, sigma)
    width = values.shape[1]
    pixels = np.stack([found.flat % width + 0.5, found.flat // width + 0.5], axis=1)
    xy = pixels if to_world is None else to_world(pixels.copy())
    return Points(
        xy=xy,
        values=found.values,
        count=found.count,
        pixels=pixels,
        crs=crs,
        sigma=found.sigma,
        extent_px=found.extent,
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """Points by the flat index of their pixel; the rest as in `Points`."""

    flat: NDArray[np.int64]
    values: NDArray[np.float64]
    count: NDArray[np.int64]
    extent: NDArray[np.float64]
    sigma: NDArray[np.float64] | None


def _require_choices(
    values: NDArray[np.floating],
    spacing: float | None,
    sigma: NDArray[np.floating] | None,
    max_error: float | None,
) -> None:
    if spacing is not None and not spacing >= 1:
        raise InvalidInputError(f"The spacing is {spacing:g} px, less than a pixel.", "Give spacing=32 or so.")
    if sigma is not None and np.shape(sigma) != values.shape:
        raise InvalidInputError(f"The values have shape {values.shape}, but their sigma {np.shape(sigma)}.")
    if not np.isfinite(values).any():
        height, width = values.shape
        raise InvalidInputError(
            f"None of the {width} x {height} pixels has a value: there is nothing to thin.",
            "Check the places of the map and of the colour bar.",
        )
    if max_error is not None and not max_error > 0:
        raise InvalidInputError(
            f"An error of at most {100 * max_error:g} % of the range gives every pixel as a point.",
            "Give more than nothing, such as --max-error 2, or none for the points of the clusters alone.",
        )


def _take_clusters(
    values: NDArray[np.floating], pieces: Pieces, choices: ClusterChoices, sigma: NDArray[np.floating] | None
) -> _Found:
    """The published recipe: a point for each piece."""
    if len(pieces.member) == 0:
        n_valid = int(np.isfinite(values).sum())
        raise InvalidInputError(
            f"No cluster: of {n_valid} pixels with a value {n_valid - pieces.n_kept} are steeper than"
            f" {choices.steepest:.3g} of the range a pixel, and the other {pieces.n_kept} have fewer than"
            f" {choices.min_samples} of their level within {choices.eps:g} px.",
            "Raise the tolerance, or lower the DBSCAN minimum or the number of levels:"
            " --tolerance, --min-samples, --levels",
        )
    means = np.bincount(pieces.number, values.ravel()[pieces.member]) / pieces.count
    spread = None if sigma is None else _mean_known(np.asarray(sigma).ravel()[pieces.member], pieces.number)
    return _Found(pieces.place, means, pieces.count, pieces.extent, spread)


def _cluster_places(
    unit: NDArray[np.float32], choices: ClusterChoices, classes: NDArray[np.int32] | None
) -> NDArray[np.int64]:
    """Flat indices of the centres of clusters; of a large picture, of the clusters of every n-th pixel."""
    step = int(np.ceil((unit.size / _CLUSTERED_PIXELS) ** 0.5))
    coarser = replace(choices, steepest=choices.steepest * step, spacing=max(choices.spacing / step, 1.0))
    some = None if classes is None else classes[::step, ::step]
    place = cluster_pixels(unit[::step, ::step], coarser, some).place
    across = -(-unit.shape[1] // step)
    return np.asarray(place // across * step * unit.shape[1] + place % across * step)


def _keep_promise(
    values: NDArray[np.floating],
    unit: NDArray[np.float32],
    places: NDArray[np.int64],
    classes: NDArray[np.int32] | None,
    limits: ArrayLike,
    norm: Norm | str,
    sigma: NDArray[np.floating] | None,
    max_error: float,
    *,
    held: bool,
) -> _Found:
    """Points that keep a promise, first chosen from some, of which one in each cell is held if asked for."""
    if classes is None:
        noise = even_noise(unit, values, sigma, limits, norm)
        kept = refine(unit, places, max_error=max_error, noise=noise, hold=places if held else None)
        at, count, extent = kept.flat, kept.count, kept.extent
        found = _values_of(kept.values, values.ravel()[at], unit.ravel()[at], limits, norm)
    else:
        at, count, extent = hold_borders(classes, places)
        found = values.ravel()[at].astype(np.float64)
    spread = None if sigma is None else np.asarray(sigma).ravel()[at].astype(np.float64)
    return _Found(at, found, count, extent, spread)


def _typical_sigma(
    values: NDArray[np.floating], sigma: NDArray[np.floating] | None, limits: ArrayLike, norm: Norm | str
) -> float:
    """Median sigma as a share of the scale, in its even coordinate; 0 if there is none."""
    if sigma is None:
        return 0.0
    step = max(1, int((values.size / 50_000) ** 0.5))
    middle, spread = values[::step, ::step], np.asarray(sigma)[::step, ::step]
    known = np.isfinite(middle) & np.isfinite(spread)
    return float(np.median(even_sigma(middle[known], spread[known], limits, norm))) if known.any() else 0.0


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


def _mean_known(sigma: NDArray[np.floating], piece: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean over every piece of the sigmas that are known; NaN where none is."""
    known = np.isfinite(sigma)
    n = int(piece.max()) + 1
    count = np.bincount(piece, known, n)
    total = np.bincount(piece, np.where(known, sigma, 0.0), n)
    return np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
