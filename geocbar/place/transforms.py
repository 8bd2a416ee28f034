"""Transforms between world and pixel coordinates: fitted once, from world to pixel, and inverted exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.place.newton import solve_back

__all__ = ["PolynomialTransform", "Transform", "fit_polynomial"]


class Transform(Protocol):
    """What every transform can do. World coordinates are ``(x, y)``, pixels ``(col, row)``."""

    def to_pixel(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) world to (n, 2) pixel coordinates."""

    def to_world(self, pixels: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) pixel to (n, 2) world coordinates; NaN where there is no such place."""

    def jacobian(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2, 2) derivatives of pixel by world coordinates: ``[:, i, j]`` is d pixel_i / d world_j."""


@dataclass(frozen=True, eq=False)
class PolynomialTransform:
    """Pixel coordinates as polynomials of normalised world coordinates.

    Parameters
    ----------
    order : int
        1 (affine), 2 or 3.
    center, spread : (2,) float array
        World coordinates are normalised to ``(world - center) / spread``.
    coefficients : (k, 2) float array
        One column for col, one for row; monomials in the order of :func:`_monomials`.
    start : (k, 2) float array
        A rough polynomial the other way, used only as the starting point of Newton's iteration.
    pixel_center, pixel_spread : (2,) float array
        Normalisation of pixels in `start`.
    """

    order: int
    center: NDArray[np.float64]
    spread: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    start: NDArray[np.float64]
    pixel_center: NDArray[np.float64]
    pixel_spread: NDArray[np.float64]

    def to_pixel(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) world to (n, 2) pixel coordinates."""
        normal = (np.asarray(world, np.float64).reshape(-1, 2) - self.center) / self.spread
        return _monomials(normal, self.order) @ self.coefficients

    def jacobian(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2, 2) derivatives of pixel by world coordinates."""
        normal = (np.asarray(world, np.float64).reshape(-1, 2) - self.center) / self.spread
        by_x, by_y = _derivatives(normal, self.order)
        return np.stack([by_x @ self.coefficients, by_y @ self.coefficients], axis=2) / self.spread

    def to_world(self, pixels: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) pixel to (n, 2) world coordinates.

        Closed form for order 1, Newton's method on the same polynomial otherwise; NaN where it does not converge.
        """
        pixels = np.asarray(pixels, np.float64).reshape(-1, 2)
        if self.order == 1:
            matrix = self.coefficients[1:].T / self.spread
            offset = self.coefficients[0] - matrix @ self.center
            return np.linalg.solve(matrix, (pixels - offset).T).T
        normal_pixels = (pixels - self.pixel_center) / self.pixel_spread
        world = _monomials(normal_pixels, self.order) @ self.start * self.spread + self.center
        return solve_back(self.to_pixel, self.jacobian, pixels, world, self.spread)


def fit_polynomial(
    world: ArrayLike, pixels: ArrayLike, order: int, weights: NDArray[np.float64] | None = None
) -> tuple[PolynomialTransform, NDArray[np.float64]]:
    """Least-squares polynomial from world to pixel coordinates.

    Coordinates are shifted and scaled to [-1, 1] first, which keeps the normal matrix well conditioned; the fit
    minimises the squared distances in the picture, where the clicks are uncertain.

    Parameters
    ----------
    world, pixels : (n, 2) array
    order : int
        1, 2 or 3.
    weights : (n,) float array, optional
        Relative weights of the points.

    Returns
    -------
    transform : PolynomialTransform
    leverage : (n,) float array
        Diagonal of the hat matrix: 1 where a point fixes a coefficient alone.

    Raises
    ------
    InvalidInputError
        If there are fewer points than coefficients, or their places leave some coefficient undetermined.
    """
    world = np.asarray(world, np.float64).reshape(-1, 2)
    pixels = np.asarray(pixels, np.float64).reshape(-1, 2)
    center, spread = _normalisation(world)
    pixel_center, pixel_spread = _normalisation(pixels)
    design = _monomials((world - center) / spread, order)
    if len(world) < design.shape[1] or np.linalg.matrix_rank(design, tol=1e-9 * len(world)) < design.shape[1]:
        raise InvalidInputError(
            f"The {len(world)} control points do not determine a polynomial of order {order}"
            f" ({design.shape[1]} points in general position needed).",
            "Add control points away from the line the others lie on, or use a lower order.",
        )
    root = np.ones((len(world), 1)) if weights is None else np.sqrt(weights)[:, None]
    coefficients = np.asarray(np.linalg.lstsq(root * design, root * pixels, rcond=None)[0], np.float64)
    back = _monomials((pixels - pixel_center) / pixel_spread, order)
    start = np.asarray(np.linalg.lstsq(back, (world - center) / spread, rcond=None)[0], np.float64)
    orthogonal, _ = np.linalg.qr(root * design)
    transform = PolynomialTransform(order, center, spread, coefficients, start, pixel_center, pixel_spread)
    return transform, (orthogonal**2).sum(axis=1)


def _normalisation(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, np.where(high > low, (high - low) / 2, 1.0)


def _exponents(order: int) -> list[tuple[int, int]]:
    return [(total - j, j) for total in range(order + 1) for j in range(total + 1)]


def _powers(x: NDArray[np.float64], order: int) -> list[NDArray[np.float64]]:
    powers = [np.ones_like(x)]
    for _ in range(order):
        powers.append(powers[-1] * x)
    return powers


def _monomials(points: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """(n, k) matrix 1, x, y, x^2, x y, y^2, ..."""
    x, y = _powers(points[:, 0], order), _powers(points[:, 1], order)
    return np.stack([x[i] * y[j] for i, j in _exponents(order)], axis=1)


def _derivatives(points: NDArray[np.float64], order: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Derivatives of the monomials by x and by y."""
    x, y = _powers(points[:, 0], order), _powers(points[:, 1], order)
    by_x = [i * x[max(i - 1, 0)] * y[j] for i, j in _exponents(order)]
    by_y = [j * x[i] * y[max(j - 1, 0)] for i, j in _exponents(order)]
    return np.stack(by_x, axis=1), np.stack(by_y, axis=1)
