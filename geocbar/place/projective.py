"""Projective transforms (homographies): a flat map photographed at an angle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError

__all__ = ["ProjectiveTransform", "fit_projective"]

_STEPS = 50


@dataclass(frozen=True, eq=False)
class ProjectiveTransform:
    """Pixel coordinates as quotients of linear functions of world coordinates.

    Parameters
    ----------
    matrix : (3, 3) float array
        ``(col w, row w, w) = matrix @ (x, y, 1)``, positive w on the side of the control points.
    """

    matrix: NDArray[np.float64]

    def to_pixel(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) world to (n, 2) pixel coordinates; NaN behind the horizon."""
        return _apply(self.matrix, np.asarray(world, np.float64).reshape(-1, 2))

    def to_world(self, pixels: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) pixel to (n, 2) world coordinates in closed form; NaN beyond the horizon."""
        inverse = np.asarray(np.linalg.inv(self.matrix), np.float64)
        return _apply(inverse, np.asarray(pixels, np.float64).reshape(-1, 2))

    def jacobian(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2, 2) derivatives of pixel by world coordinates."""
        world = np.asarray(world, np.float64).reshape(-1, 2)
        pixels = self.to_pixel(world)
        w = world @ self.matrix[2, :2] + self.matrix[2, 2]
        return np.asarray((self.matrix[:2, :2] - pixels[:, :, None] * self.matrix[2, :2]) / w[:, None, None])


def _apply(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    out = points @ matrix[:, :2].T + matrix[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(out[:, 2:] > 0, out[:, :2] / out[:, 2:], np.nan)


def fit_projective(
    world: ArrayLike, pixels: ArrayLike, weights: NDArray[np.float64] | None = None
) -> tuple[ProjectiveTransform, NDArray[np.float64]]:
    """Projective transform with the least squared distances in the picture.

    The linear solution is only the start of Gauss and Newton's method: it minimises distances that are not those
    in the picture.

    Parameters
    ----------
    world, pixels : (n, 2) array
        At least four points, no three of any four on one line.
    weights : (n,) float array, optional

    Returns
    -------
    transform : ProjectiveTransform
    leverage : (n,) float array

    Raises
    ------
    InvalidInputError
        If the points do not determine it, or some would lie behind the horizon.

    References
    ----------
    Hartley and Zisserman (2004), Multiple View Geometry, chapter 4, https://doi.org/10.1017/CBO9780511811685
    """
    world, pixels = (np.asarray(a, np.float64).reshape(-1, 2) for a in (world, pixels))
    n = len(world)
    root = np.sqrt(np.ones(n) if weights is None else weights)
    shift, back = _normalisation(world), _normalisation(pixels)
    source, target = _apply(shift, world), _apply(back, pixels)
    h = _linear(source, target) if n >= 4 else None
    if h is None:
        raise InvalidInputError(
            f"The {n} control points do not determine a projective transform (4 needed, no 3 of them on one line).",
            "Add control points away from the line the others lie on, or use --model affine.",
        )
    damping = 1e-6
    for _ in range(_STEPS):
        rest, slopes = _residuals(h, source, target, root)
        normal = slopes.T @ slopes
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)) + 1e-15 * np.eye(8), -slopes.T @ rest)
        trial = h + step
        after = _residuals(trial, source, target, root)[0]
        if np.isfinite(after).all() and after @ after <= rest @ rest:
            h, damping = trial, max(damping / 10, 1e-12)
            if np.abs(step).max() < 1e-13:
                break
        else:
            damping *= 100
            if damping > 1e6:
                break
    matrix = np.linalg.inv(back) @ np.append(h, 1.0).reshape(3, 3) @ shift
    leverage = np.linalg.qr(_residuals(h, source, target, root)[1])[0]
    return ProjectiveTransform(matrix), (leverage**2).sum(axis=1).reshape(n, 2).mean(axis=1)


def _normalisation(points: NDArray[np.float64]) -> NDArray[np.float64]:
    mean, size = points.mean(axis=0), max(float(np.ptp(points, axis=0).max()) / 2, 1e-300)
    return np.array([[1 / size, 0, -mean[0] / size], [0, 1 / size, -mean[1] / size], [0, 0, 1]])


def _linear(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The eight parameters by the direct linear transform, with w = 1 in the middle; None if undetermined."""
    n = len(source)
    ones, zeros = np.ones((n, 1)), np.zeros((n, 3))
    homogeneous = np.hstack([source, ones])
    top = np.hstack([homogeneous, zeros, -target[:, :1] * homogeneous])
    bottom = np.hstack([zeros, homogeneous, -target[:, 1:] * homogeneous])
    _, s, v = np.linalg.svd(np.vstack([top, bottom]))
    h = v[-1]
    if s[7] < 1e-9 * s[0] or abs(h[8]) < 1e-12:
        return None
    h = h / h[8]
    if (homogeneous @ h[6:] <= 0).any() or abs(np.linalg.det(h.reshape(3, 3))) < 1e-12:
        return None
    return np.asarray(h[:8])


def _residuals(
    h: NDArray[np.float64], source: NDArray[np.float64], target: NDArray[np.float64], root: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(2n,) weighted residuals and their (2n, 8) derivatives."""
    x, y = source.T
    w = h[6] * x + h[7] * y + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        u, v = (h[0] * x + h[1] * y + h[2]) / w, (h[3] * x + h[4] * y + h[5]) / w
        zero = np.zeros_like(x)
        by_u = np.stack([x / w, y / w, 1 / w, zero, zero, zero, -u * x / w, -u * y / w], axis=1)
        by_v = np.stack([zero, zero, zero, x / w, y / w, 1 / w, -v * x / w, -v * y / w], axis=1)
    u, v = np.where(w > 0, u, np.inf), np.where(w > 0, v, np.inf)
    rest = np.stack([u - target[:, 0], v - target[:, 1]], axis=1) * root[:, None]
    slopes = np.stack([by_u, by_v], axis=1) * root[:, None, None]
    return rest.ravel(), slopes.reshape(-1, 8)
