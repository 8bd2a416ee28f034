"""Thin-plate splines from world to pixel coordinates: exact through every point, or smoothed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.place.newton import solve_back

__all__ = ["SplineTransform", "fit_spline", "smoothing_path"]

#: Points times control points handled at once.
_BLOCK = 1 << 21

#: Nearest to a control point, in normalised units squared, at which the spline's second derivative is taken.
_TINY = 1e-18


@dataclass(frozen=True, eq=False)
class SplineTransform:
    """Pixel coordinates as a thin-plate spline of world coordinates.

    Parameters
    ----------
    center : (2,) float array
    scale : float
        World coordinates are normalised to ``(world - center) / scale``, the same in both directions.
    knots : (n, 2) float array
        Normalised control points.
    bends : (n, 2) float array
        Weight of the kernel ``r^2 log r`` at each knot.
    plane : (3, 2) float array
        Coefficients of 1, x, y.
    back : SplineTransform or None
        A spline the other way, used only as the starting point of Newton's iteration.
    """

    center: NDArray[np.float64]
    scale: float
    knots: NDArray[np.float64]
    bends: NDArray[np.float64]
    plane: NDArray[np.float64]
    back: SplineTransform | None = None

    def to_pixel(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) world to (n, 2) pixel coordinates."""
        normal = (np.asarray(world, np.float64).reshape(-1, 2) - self.center) / self.scale
        out = self.plane[0] + normal @ self.plane[1:]
        step = max(_BLOCK // len(self.knots), 1)
        for start in range(0, len(normal), step):
            part = slice(start, start + step)
            out[part] += _kernel(normal[part], self.knots) @ self.bends
        return np.asarray(out)

    def jacobian(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2, 2) derivatives of pixel by world coordinates."""
        normal = (np.asarray(world, np.float64).reshape(-1, 2) - self.center) / self.scale
        out = np.empty((len(normal), 2, 2))
        step = max(_BLOCK // len(self.knots), 1)
        for start in range(0, len(normal), step):
            part = slice(start, start + step)
            apart = normal[part, None, :] - self.knots[None]
            square = np.maximum((apart**2).sum(axis=2), _TINY)
            # d/dx of r^2 log r is x (2 log r + 1).
            slope = apart * (np.log(square) + 1)[..., None]
            out[part] = np.einsum("nkj,ki->nij", slope, self.bends) + self.plane[1:].T
        return out / self.scale

    def to_world(self, pixels: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) pixel to (n, 2) world coordinates by Newton's method; NaN where it does not converge."""
        pixels = np.asarray(pixels, np.float64).reshape(-1, 2)
        start = np.full_like(pixels, np.nan) if self.back is None else self.back.to_pixel(pixels)
        spread = np.maximum(np.ptp(self.knots, axis=0) / 2, 1e-12) * self.scale
        return solve_back(self.to_pixel, self.jacobian, pixels, start, spread)


def _kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(len(a), len(b)) values of r^2 log r."""
    square = ((a[:, None, :] - b[None]) ** 2).sum(axis=2)
    return np.asarray(0.5 * square * np.log(np.maximum(square, 1e-300)))


def fit_spline(
    world: ArrayLike, pixels: ArrayLike, smoothing: float = 0.0, weights: NDArray[np.float64] | None = None
) -> tuple[SplineTransform, NDArray[np.float64]]:
    """Thin-plate spline from world to pixel coordinates.

    Parameters
    ----------
    world, pixels : (n, 2) array
        At least three points, not on a line, no two in one place.
    smoothing : float
        0 passes through every point, as GDAL's does; larger values bend less.
    weights : (n,) float array, optional
        Relative weights of the points when smoothing.

    Returns
    -------
    transform : SplineTransform
    influence : (n, n) float array
        From given to fitted pixels; the identity for `smoothing` 0.

    Raises
    ------
    InvalidInputError
        For fewer than three points, points on a line or two points in one place.

    References
    ----------
    Duchon (1977), https://doi.org/10.1007/BFb0086566; Wahba (1990), https://doi.org/10.1137/1.9781611970128
    """
    world, pixels = (np.asarray(a, np.float64).reshape(-1, 2) for a in (world, pixels))
    transform, influence = _solve(world, pixels, smoothing, weights)
    back, _ = _solve(pixels, world, max(smoothing, 1e-9), weights)
    return replace(transform, back=back), influence


def _solve(
    world: NDArray[np.float64], pixels: NDArray[np.float64], smoothing: float, weights: NDArray[np.float64] | None
) -> tuple[SplineTransform, NDArray[np.float64]]:
    n = len(world)
    low, high = world.min(axis=0), world.max(axis=0)
    center, scale = (low + high) / 2, max(float((high - low).max()) / 2, 1e-300)
    knots = (world - center) / scale
    terms = np.column_stack([np.ones(n), knots])
    if n < 3 or np.linalg.matrix_rank(terms, tol=1e-9 * n) < 3:
        raise InvalidInputError(
            f"The {n} control points do not determine a spline (3 that are not on one line needed).",
            "Add control points away from the line the others lie on.",
        )
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _kernel(knots, knots) + np.diag(n * smoothing / (np.ones(n) if weights is None else weights))
    system[:n, n:], system[n:, :n] = terms, terms.T
    if np.linalg.cond(system) > 1e15:
        raise InvalidInputError(
            "Two control points have one place: a spline cannot pass through both.", "Delete one of them."
        )
    inverse = np.linalg.inv(system)[:, :n]
    solution = inverse @ pixels
    return SplineTransform(center, scale, knots, solution[:n], solution[n:]), system[:n] @ inverse - np.diag(
        np.diag(system[:n, :n])
    ) @ inverse[:n]


def smoothing_path(
    world: NDArray[np.float64], pixels: NDArray[np.float64], weights: NDArray[np.float64]
) -> list[tuple[float, float, float]]:
    """(smoothing, weighted sum of squares, parameters) of splines from stiff to soft."""
    out = []
    for smoothing in 10.0 ** np.arange(1.0, -5.1, -0.5):
        try:
            _, influence = _solve(world, pixels, float(smoothing), weights)
        except InvalidInputError:
            continue
        rest = influence @ pixels - pixels
        out.append((float(smoothing), float((weights[:, None] * rest**2).sum()), 2 * float(np.trace(influence))))
    return out
