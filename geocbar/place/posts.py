"""From the plane of a projection to the picture: upright, box, similarity and affine, fitted in closed form.

Planes are complex numbers ``x + iy``, pixels ``col - i row``: with both counted upwards, every post is
``pixel = a z + b conj(z) + c``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["POST_PARAMETERS", "fit_posts", "post_matrix", "post_terms", "to_complex"]

#: Free parameters of each post: one scale; a scale each way; one scale and a turn; all six.
POST_PARAMETERS: dict[str, int] = {"upright": 3, "box": 4, "similarity": 4, "affine": 6}

Complex = NDArray[np.complex128]


def to_complex(points: NDArray[np.float64], down: bool = False) -> Complex:
    """(..., 2) points as complex numbers; the second coordinate is turned if it runs down."""
    return np.asarray(points[..., 0] + (-1j if down else 1j) * points[..., 1])


def fit_posts(
    planes: Complex, pixels: Complex, post: str, weights: NDArray[np.float64] | None = None
) -> tuple[Complex, Complex]:
    """Least-squares posts from several planes to one picture.

    Parameters
    ----------
    planes : (m, n) complex array
        The n points in m planes.
    pixels : (n,) complex array
    post : str
        A key of :data:`POST_PARAMETERS`. ``"upright"`` and ``"box"`` keep north up.
    weights : (n,) or (m, n) float array, optional

    Returns
    -------
    coefficients : (m, 3) complex array
        ``a, b, c``; NaN where there is no such fit.
    residuals : (m, n) complex array
        Fitted minus given; NaN where there is no such fit.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if weights is None:
            mean, target = planes.mean(axis=1, keepdims=True), pixels.mean(keepdims=True)
        else:
            share = weights / weights.sum(axis=-1, keepdims=True)
            mean = (share * planes).sum(axis=1, keepdims=True)
            target = (share * pixels).sum(axis=-1, keepdims=True)
        z, p = planes - mean, pixels - target
        a, b = _linear(post, z, p, z if weights is None else weights * z)
        residuals = a[:, None] * z - p if b is None else a[:, None] * z + b[:, None] * z.conj() - p
        mean, second = mean[:, 0], np.zeros_like(a) if b is None else b
        coefficients = np.stack([a, second, target[..., 0] - a * mean - second * mean.conj()], axis=1)
    return coefficients, residuals


def _linear(post: str, z: Complex, p: Complex, wz: Complex) -> tuple[Complex, Complex | None]:
    """Coefficients a and b of fits to centred coordinates; None for a b of zero."""
    if post == "box":
        right = (wz.real * p.real).sum(axis=1) / (wz.real * z.real).sum(axis=1)
        up = (wz.imag * p.imag).sum(axis=1) / (wz.imag * z.imag).sum(axis=1)
        right, up = np.where(right > 0, right, np.nan), np.where(up > 0, up, np.nan)
        return np.asarray((right + up) / 2, np.complex128), np.asarray((right - up) / 2, np.complex128)
    power = (wz.real * z.real + wz.imag * z.imag).sum(axis=1)
    along = (wz.conj() * p).sum(axis=1)
    if post == "upright":
        scale = along.real / power
        return np.where(scale > 0, scale, np.nan).astype(np.complex128), None
    if post == "similarity":
        return along / power, None
    # Normal equations of p = a z + b conj(z).
    across, square = (wz * p).sum(axis=1), (wz * z).sum(axis=1)
    det = power**2 - np.abs(square) ** 2
    det = np.where(det > 1e-10 * power**2, det, np.nan)
    return (power * along - square.conj() * across) / det, (power * across - square * along) / det


def post_matrix(coefficients: Complex) -> NDArray[np.float64]:
    """(2, 3) matrix with ``(col, row) = matrix @ (x, y, 1)`` of one post.

    Examples
    --------
    >>> post_matrix(np.array([2 + 0j, 0, 5 - 7j])).tolist()
    [[2.0, 0.0, 5.0], [0.0, -2.0, 7.0]]
    """
    a, b, c = coefficients
    return np.array([[(a + b).real, (b - a).imag, c.real], [-(a + b).imag, (b - a).real, -c.imag]]) + 0.0


def post_terms(plane: NDArray[np.float64], post: str) -> NDArray[np.float64]:
    """Derivatives of the fitted pixels by the parameters of a post.

    Parameters
    ----------
    plane : (n, 2) float array
    post : str

    Returns
    -------
    (n, 2, k) float array
    """
    x, y = plane.T
    one, zero = np.ones_like(x), np.zeros_like(x)
    terms = {
        "upright": ([x, one, zero], [-y, zero, one]),
        "box": ([x, one, zero, zero], [zero, zero, y, one]),
        "similarity": ([x, y, one, zero], [-y, x, zero, one]),
        "affine": ([x, y, one, zero, zero, zero], [zero, zero, zero, x, y, one]),
    }[post]
    return np.stack([np.stack(row, axis=1) for row in terms], axis=1)
