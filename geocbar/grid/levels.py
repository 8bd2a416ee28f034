"""Values as shares of a scale, and cut into levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.value.norms import Norm, as_norm

__all__ = [
    "cut_levels",
    "even_noise",
    "even_sigma",
    "picture_noise",
    "quantize",
    "require_picture",
    "unit_coordinate",
    "unit_picture",
]

#: Pixels taken at once; bounds the memory.
_BLOCK = 1 << 21


def unit_coordinate(values: NDArray[np.floating], limits: ArrayLike, norm: Norm | str) -> NDArray[np.float64]:
    """Values as a share of the scale, 0 at the lower and 1 at the upper limit, NaN where there is none."""
    ends = np.sort(np.asarray(limits, dtype=np.float64))
    if ends.shape != (2,) or not np.isfinite(ends).all() or ends[0] == ends[1]:
        raise InvalidInputError(
            f"The limits {np.asarray(limits).tolist()} are not two different values.",
            "Give two different values: --vmin V --vmax V",
        )
    norm = as_norm(norm, ends)
    low, high = norm.forward(ends)
    return (norm.forward(np.where(np.isfinite(values), values, np.nan)) - low) / (high - low)


def unit_picture(values: NDArray[np.floating], limits: ArrayLike, norm: Norm | str) -> NDArray[np.float32]:
    """The same of a picture, row block by row block, which takes no more memory than the result."""
    unit = np.empty(values.shape, np.float32)
    for part in _row_blocks(values.shape):
        unit[part] = unit_coordinate(values[part], limits, norm)
    return unit


def _row_blocks(shape: tuple[int, ...]) -> list[slice]:
    rows = max(1, _BLOCK // max(shape[1], 1))
    return [slice(top, top + rows) for top in range(0, shape[0], rows)]


def even_sigma(
    values: NDArray[np.floating], sigma: NDArray[np.floating], limits: ArrayLike, norm: Norm | str
) -> NDArray[np.float32]:
    """Uncertainties of values as shares of the scale, in its even coordinate; beyond the limits nothing is counted.

    Parameters
    ----------
    values, sigma : arrays of float, same shape
        In the unit of the bar.
    limits, norm
        As for :func:`unit_coordinate`.
    """
    ends = np.sort(np.asarray(limits, dtype=np.float64))
    if as_norm(norm, ends).kind == "linear":
        return (np.asarray(sigma) / (ends[1] - ends[0])).astype(np.float32)
    low, high = (np.clip(values + sign * np.asarray(sigma), *ends) for sign in (-1, 1))
    reach = unit_coordinate(high, limits, norm) - unit_coordinate(low, limits, norm)
    width = np.maximum(high - low, np.finfo(np.float64).tiny)
    return np.asarray(reach * sigma / width, dtype=np.float32)


def even_noise(
    unit: NDArray[np.float32],
    values: NDArray[np.floating],
    sigma: NDArray[np.floating] | None,
    limits: ArrayLike,
    norm: Norm | str,
) -> NDArray[np.float32] | float:
    """What nobody can tell from the map, as shares of the scale: sigma, and never less than the picture's own noise.

    Parameters
    ----------
    unit : (h, w) float32 array
        The values as shares of the scale.
    values, sigma : (h, w) float arrays
        In the unit of the bar; None: not known.
    limits, norm
        As for :func:`unit_coordinate`.
    """
    least = picture_noise(unit)
    if sigma is None:
        return least
    noise = np.empty(unit.shape, np.float32)
    for part in _row_blocks(unit.shape):
        np.fmax(even_sigma(values[part], sigma[part], limits, norm), np.float32(least), out=noise[part])
    return noise


def picture_noise(picture: NDArray[np.float32]) -> float:
    """One standard deviation of the noise that differs from pixel to pixel, from the median second difference.

    Examples
    --------
    >>> ramp = np.add.outer(np.arange(30.0), np.arange(40.0))
    >>> picture_noise(ramp.astype(np.float32))
    0.0
    """
    rows = picture[:: max(1, len(picture) // 500)]
    bends = np.abs(rows[:, 1:-1] - (rows[:, :-2] + rows[:, 2:]) / 2)
    bends = bends[np.isfinite(bends)]
    return float(np.median(bends)) / (0.6745 * 1.5**0.5) if len(bends) else 0.0


def require_picture(values: ArrayLike) -> NDArray[np.floating]:
    """Values as a two-dimensional array of floats."""
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    if array.ndim != 2:
        raise InvalidInputError(f"Values are a two-dimensional array, not one of shape {array.shape}.")
    return array


def quantize(
    values: NDArray[np.floating],
    limits: ArrayLike,
    n_levels: int = 64,
    *,
    norm: Norm | str = "linear",
    edges: ArrayLike | None = None,
) -> NDArray[np.int32]:
    """Levels of equal step between the limits, or the class number on a class scale.

    Parameters
    ----------
    values : (h, w) float array
        In the unit of the bar; values beyond the limits take the end levels.
    limits : (2,) float array
        Values at the two ends of the scale.
    n_levels : int
        Number of levels; not used on a class scale.
    norm : Norm or str
        In which coordinate the steps are equal, ``"linear"``, ``"log"`` or another norm of a scale.
    edges : (n + 1,) float array, optional
        Limits of the classes. The levels are then the classes, numbered by ascending value.

    Returns
    -------
    (h, w) int32 array
        0 .. n_levels - 1, and -1 where there is no (finite) value.

    Raises
    ------
    InvalidInputError
        If `limits` are not two different values, or `n_levels` is less than 1.

    Examples
    --------
    >>> quantize(np.array([[0.0, 4.9, 5.0, 10.0, np.nan]]), (0, 10), 2)
    array([[ 0,  0,  1,  1, -1]], dtype=int32)
    """
    values = require_picture(values)
    if edges is not None:
        inner = np.sort(np.asarray(edges, dtype=np.float64))[1:-1]
        classes = np.searchsorted(inner, values, side="right")
        return np.where(np.isfinite(values), classes, -1).astype(np.int32)
    unit = unit_coordinate(values, limits, norm)
    return cut_levels(unit, n_levels)


def cut_levels(unit: NDArray[np.floating], n_levels: int) -> NDArray[np.int32]:
    """Level of each unit coordinate, -1 for NaN."""
    if n_levels < 1:
        raise InvalidInputError(f"There cannot be {n_levels} levels.", "Give 1 or more levels.")
    steps = np.nan_to_num(unit * n_levels, nan=-1.0, posinf=n_levels, neginf=0.0)
    return np.where(np.isnan(unit), -1, np.clip(steps, 0, n_levels - 1)).astype(np.int32)
