"""Values of points: those of their pixels, or freed from noise where it matters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geocbar.grid.mesh import NOISE_WIDTH, Surface

__all__ = ["mean_around", "noise_at", "point_values"]

#: Noise below this share of the promised error is left in the points' values.
_QUIET = 1 / 8


def mean_around(picture: NDArray[np.float32], flat: NDArray[np.int64]) -> NDArray[np.float32]:
    """Mean of the values in the 3 x 3 square around pixels that have one."""
    height, width = picture.shape
    row, col = np.divmod(flat, width)
    total, number = np.zeros(len(flat), np.float32), np.zeros(len(flat), np.float32)
    for dy in (-1, 0, 1):
        across = np.clip(row + dy, 0, height - 1) * width
        for dx in (-1, 0, 1):
            value = picture.ravel()[across + np.clip(col + dx, 0, width - 1)]
            known = value == value
            total += np.where(known, value, np.float32(0))
            number += known
    return total / number


def noise_at(surface: Surface, flat: NDArray[np.int64]) -> NDArray[np.float32]:
    """One standard deviation of the values of pixels, 0 where it is not known."""
    if np.ndim(surface.noise) == 0:
        return np.full(len(flat), surface.noise, np.float32)
    return np.nan_to_num(np.asarray(surface.noise, np.float32).ravel()[flat])


def point_values(surface: Surface, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """The pixels' own values; where the noise is loud, those of planes through the pixels around, if near enough."""
    own = surface.picture.ravel()[at].astype(np.float64)
    noise = noise_at(surface, at)
    noisy = np.flatnonzero(noise >= _QUIET * surface.max_error)
    fitted = _plane_values(surface.picture, at[noisy])
    near = np.abs(fitted - own[noisy]) <= np.fmax(NOISE_WIDTH * noise[noisy], surface.max_error)
    own[noisy[near]] = fitted[near]
    return own


def _plane_values(picture: NDArray[np.float32], at: NDArray[np.int64], reach: int = 2) -> NDArray[np.float64]:
    """Value at each pixel of the plane nearest to the pixels around it, by weighted least squares."""
    height, width = picture.shape
    row, col = np.divmod(at, width)
    matrix = np.zeros((len(at), 3, 3))
    right = np.zeros((len(at), 3))
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            y, x = row + dy, col + dx
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            value = picture[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float64)
            weight = np.where(inside & np.isfinite(value), np.exp(-(dx * dx + dy * dy) / 4.0), 0.0)
            value = np.where(weight > 0, value, 0.0)
            term = np.array([1.0, dx, dy])
            matrix += weight[:, None, None] * np.outer(term, term)
            right += (weight * value)[:, None] * term
    matrix += np.diag([0.0, 1e-9, 1e-9])
    return np.asarray(np.linalg.solve(matrix, right[..., None])[:, 0, 0])
