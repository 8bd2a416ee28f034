"""Clusters of points that lie anywhere, near each other in place and, if wished, in value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.points import Points
from geocbar.grid.regridding import unit_vectors
from geocbar.place.local_crs import is_local
from geocbar.place.projections import is_geographic

__all__ = ["cluster_scattered"]


def cluster_scattered(
    points: Points, *, eps: float, min_samples: int = 4, value_eps: float | None = None
) -> tuple[Points, NDArray[np.int64]]:
    """One point for every cluster of points (DBSCAN [1]_, scikit-learn's); points in no cluster stay as they are.

    Parameters
    ----------
    points : Points
    eps : float
        Neighbours are at most so far apart, in units of the CRS; degrees of arc on the sphere where it is geographic.
    min_samples : int
        Neighbours that make a core point, itself included.
    value_eps : float, optional
        Neighbours' values differ, too: distance in place, as a share of `eps`, and difference in value, as a share of
        this, add up in squares to 1 at most.

    Returns
    -------
    points : Points
        Of a cluster the centroid of its places, and mean value and sigma weighted by count; its count the sum. First
        the clusters, then the points in none.
    labels : (n,) int array
        The cluster of each point given, -1 for none.

    Raises
    ------
    InvalidInputError
        If a distance or number is not above 0.

    References
    ----------
    .. [1] Ester, M., Kriegel, H.-P., Sander, J., Xu, X. (1996). A density-based algorithm for discovering clusters in
       large spatial databases with noise. KDD-96, 226-231. https://cdn.aaai.org/KDD/1996/KDD96-037.pdf
    """
    from sklearn.cluster import DBSCAN

    for name, given in (("eps", eps), ("min_samples", min_samples), ("value_eps", value_eps)):
        if given is not None and not given > 0:
            raise InvalidInputError(f"Clusters cannot have {name} {given:g}.", "Give a number above 0.")
    sphere = not is_local(points.crs) and is_geographic(points.crs)
    reach = 2 * np.sin(np.radians(min(eps, 180.0)) / 2) if sphere else eps
    places = (unit_vectors(points.xy) if sphere else points.xy - points.xy.mean(axis=0)) / reach
    if value_eps is not None:
        places = np.column_stack([places, points.values / value_eps])
    labels = DBSCAN(eps=1.0, min_samples=min_samples).fit(places).labels_.astype(np.int64)
    return _merged(points, labels, sphere), labels


def _merged(points: Points, labels: NDArray[np.int64], sphere: bool) -> Points:
    loose = labels < 0
    number = np.where(loose, 0, labels)
    n = int(labels.max(initial=-1)) + 1
    weight = np.where(loose, 0, np.maximum(points.count, 1)).astype(np.float64)
    total = np.bincount(number, weight, n)[:n]

    def mean(field: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(number, weight * field, n)[:n] / total)

    if sphere:
        east, north, up = (mean(column) for column in unit_vectors(points.xy).T)
        xy = np.degrees(np.stack([np.arctan2(north, east), np.arctan2(up, np.hypot(east, north))], axis=1))
    else:
        xy = np.stack([mean(column) for column in points.xy.T], axis=1)
    sigma = points.sigma
    return Points(
        xy=np.concatenate([xy, points.xy[loose]]),
        values=np.concatenate([mean(points.values), points.values[loose]]),
        count=np.concatenate([np.bincount(number, np.where(loose, 0, points.count), n)[:n], points.count[loose]]),
        pixels=np.concatenate([np.stack([mean(c) for c in points.pixels.T], axis=1), points.pixels[loose]]),
        crs=points.crs,
        sigma=None if sigma is None else np.concatenate([mean(sigma), sigma[loose]]),
    )
