"""How far a place on the map may be off: from the scatter of the points, and from what else the map could be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.place.fits import FLOOR_PX, Places, ProjectionFit, derivatives, hat_matrix
from geocbar.place.projected import ProjectedTransform
from geocbar.place.transforms import PolynomialTransform, Transform

__all__ = ["jackknife_sigma", "lattice", "left_out_lengths", "parameter_sigma", "projected_transform", "share_outside"]

#: Points of this leverage are passed through.
EXACT = 0.999


def lattice(pixels: NDArray[np.float64], size: tuple[int, int] | None, across: int = 15) -> NDArray[np.float64]:
    """Places all over the picture, or over the points where its size is not known.

    Parameters
    ----------
    pixels : (n, 2) float array
        Of the control points.
    size : (int, int) or None
        Width and height of the picture.
    across : int
        Places along each side.

    Returns
    -------
    (across * across, 2) float array
    """
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    if size is not None:
        low, high = np.minimum(low, 0.0), np.maximum(high, size)
    col, row = np.meshgrid(*(np.linspace(a, b, across) for a, b in zip(low, high, strict=True)))
    return np.stack([col.ravel(), row.ravel()], axis=1)


def projected_transform(
    fit: ProjectionFit, places: Places, geographic: bool, globe: str, post: Transform | None = None
) -> ProjectedTransform:
    """The transform of a fitted projection; `post` instead of its own matrix for a bent one."""
    if post is None:
        flat = _plane(fit, places)
        center, spread = flat.mean(axis=0), np.maximum(np.ptp(flat, axis=0) / 2, 1e-9)
        linear = fit.matrix[:, :2] * spread
        offset = fit.matrix[:, :2] @ center + fit.matrix[:, 2]
        forward = np.vstack([offset, linear.T])
        post = PolynomialTransform(1, center, spread, forward, np.zeros((3, 2)), np.zeros(2), np.ones(2))
    return ProjectedTransform(
        places.crs, geographic, places.body, fit.family, fit.ellipsoid, fit.lon_0, fit.shape, post, globe
    )


def _plane(fit: ProjectionFit, places: Places) -> NDArray[np.float64]:
    """(n, 2) metres of the control points, from the fit itself."""
    inverse = np.linalg.inv(fit.matrix[:, :2])
    return np.asarray((fit.residuals + places.pixels - fit.matrix[:, 2]) @ inverse.T)


def left_out_lengths(fit: ProjectionFit, places: Places) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Length of each residual when the point itself takes no part, by the linearised fit, and leverage.

    Returns
    -------
    left_out : (n,) float array
        NaN where the other points do not suffice.
    leverage : (n,) float array
        Mean of both coordinates; 0 for points that take no part.
    """
    blocks = np.einsum("iijk->ijk", hat_matrix(derivatives(fit, places), fit.keep))
    rest = np.eye(2) - blocks
    good = np.linalg.det(rest) > 1e-9
    out = np.full(len(places), np.nan)
    moved = np.linalg.solve(rest[good], fit.residuals[good][..., None])[..., 0]
    out[good] = np.hypot(*moved.T)
    return out, np.trace(blocks, axis1=1, axis2=2) / 2


def parameter_sigma(fit: ProjectionFit, places: Places, at: Places) -> NDArray[np.float64]:
    """(n,) standard deviation in pixels (root mean square distance) that the scatter of the points leaves."""
    rows = np.repeat(fit.keep, 2)
    jacobian = np.nan_to_num(derivatives(fit, places)[rows])
    scale = np.maximum(np.linalg.norm(jacobian, axis=0), 1e-300)
    covariance = np.linalg.pinv((jacobian / scale).T @ (jacobian / scale), rcond=1e-12)
    here = np.nan_to_num(derivatives(fit, places, at)) / scale
    variance = np.einsum("ij,jk,ik->i", here, covariance, here).reshape(-1, 2).sum(axis=1)
    return np.asarray(max(fit.sigma, FLOOR_PX) * np.sqrt(variance))


def jackknife_sigma(
    refit: Callable[[NDArray[np.bool_]], Transform],
    transform: Transform,
    leverage: NDArray[np.float64],
    world: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(n,) standard deviation in pixels by leaving out each control point in turn.

    What a place moves by is weighed by one minus the leverage of the point left out, which for least squares makes the
    variance unbiased; a transform that passes through its points has no such measure, and errs to the safe side.

    Parameters
    ----------
    refit : callable
        The transform fitted to the points marked; may raise :class:`InvalidInputError`.
    transform : Transform
        Fitted to all points.
    leverage : (m,) float array
        Of the control points.
    world : (n, 2) float array

    References
    ----------
    Efron and Stein (1981), https://doi.org/10.1214/aos/1176345462;
    MacKinnon and White (1985), https://doi.org/10.1016/0304-4076(85)90158-7
    """
    whole, count = transform.to_pixel(world), len(leverage)
    spread, left = np.zeros(len(world)), 0
    for i in range(count):
        try:
            moved = refit(np.arange(count) != i).to_pixel(world) - whole
        except InvalidInputError:
            continue  # the others do not determine the fit without this one
        left += 1
        spread += (moved**2).sum(axis=1) * (1 - leverage[i] if leverage[i] < EXACT else (count - 1) / count)
    return np.sqrt(spread) if left >= 2 else np.full(len(world), np.nan)


def share_outside(pixels: NDArray[np.float64], size: tuple[int, int]) -> float:
    """Share of the picture beyond the hull of the control points."""
    from scipy.spatial import Delaunay, QhullError

    places = lattice(pixels, size, 41)
    places = places[((places >= 0) & (places <= size)).all(axis=1)]
    try:
        return float((Delaunay(pixels).find_simplex(places) < 0).mean())
    except QhullError:
        return 1.0


def at_world(places: Places, lon: NDArray[np.float64], lat: NDArray[np.float64], world: NDArray[np.float64]) -> Places:
    """The same body and CRS, other places."""
    return replace(places, lon=lon, lat=lat, world=world, pixels=np.zeros_like(world), weights=np.ones(len(lon)))
