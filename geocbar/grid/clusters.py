"""Pixels where values change slowly, clustered by DBSCAN within equal levels, and cut into cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.lattice import dbscan
from geocbar.grid.levels import cut_levels, require_picture

__all__ = ["ClusterChoices", "Pieces", "cluster_pixels", "gradient_mask"]


@dataclass(frozen=True)
class ClusterChoices:
    """How pixels are clustered.

    Parameters
    ----------
    steepest : float
        Largest difference to a neighbour, as a share of the scale.
    eps, min_samples : float, int
        Of :func:`geocbar.grid.lattice.dbscan`.
    n_levels : int
        Number of levels that are clustered apart.
    spacing : float
        Side of the cells in pixels; inf leaves the clusters whole.
    smoothing : float
        Width in pixels of the Gaussian mean from which slopes and levels are taken.
    """

    steepest: float
    eps: float
    min_samples: int
    n_levels: int
    spacing: float
    smoothing: float


@dataclass(frozen=True, eq=False)
class Pieces:
    """Clusters cut by square cells, by cluster, then cell, in row-major order.

    Parameters
    ----------
    member : (k,) int64 array
        Flat indices of the pixels of all pieces, by piece.
    number : (k,) int64 array
        Number of the piece of each.
    count : (n,) int64 array
        Pixels of each piece.
    place : (n,) int64 array
        Its pixel nearest to its centroid; of equally near ones the first in row-major order.
    extent : (n,) float array
        Distance in pixels of its farthest pixel from there.
    n_kept : int
        Pixels that were not too steep.
    """

    member: NDArray[np.int64]
    number: NDArray[np.int64]
    count: NDArray[np.int64]
    place: NDArray[np.int64]
    extent: NDArray[np.float64]
    n_kept: int


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


def cluster_pixels(
    unit: NDArray[np.float32], choices: ClusterChoices, classes: NDArray[np.int32] | None = None
) -> Pieces:
    """Cluster the pixels of a picture.

    Parameters
    ----------
    unit : (h, w) float32 array
        Shares of the scale, NaN where there is no value.
    choices : ClusterChoices
    classes : (h, w) int32 array, optional
        Class of each pixel, negative for none, in place of levels. Nothing is smoothed then.

    Returns
    -------
    Pieces
        Empty if there is no cluster.
    """
    if choices.smoothing > 0 and classes is None:
        unit = _smooth(unit, choices.smoothing)
    keep = gradient_mask(unit, choices.steepest)
    levels = cut_levels(unit, choices.n_levels) if classes is None else classes.copy()
    levels[~keep] = -1
    labels = dbscan(levels, choices.eps, choices.min_samples).labels.ravel()
    member = np.flatnonzero(labels >= 0)
    n_kept = int(np.count_nonzero(keep))
    if len(member) == 0:
        none = np.zeros(0, np.int64)
        return Pieces(none, none, none, none, np.zeros(0), n_kept)
    number = _pieces(labels[member], member, unit.shape[1], choices.spacing)
    count, place, extent = _snap(member, number, unit.shape[1])
    return Pieces(member, number, count, place, extent, n_kept)


def _smooth(unit: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Gaussian mean of the values there are; NaN stays NaN."""
    from scipy.ndimage import gaussian_filter

    valid = ~np.isnan(unit)
    smooth = gaussian_filter(np.where(valid, unit, np.float32(0)), width, truncate=3.0, mode="nearest")
    if not valid.all():
        weight = gaussian_filter(valid.astype(np.float32), width, truncate=3.0, mode="nearest")
        smooth = np.divide(smooth, weight, out=np.full_like(smooth, np.nan), where=valid)
    return smooth


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
