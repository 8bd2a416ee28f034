"""Points that stand for a picture, and what is lost if it is rebuilt from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.borders import nearest_pixels
from geocbar.grid.levels import even_noise, require_picture, unit_coordinate, unit_picture
from geocbar.grid.mesh import KEPT, NOISE_WIDTH, build_mesh, mesh_errors
from geocbar.value.norms import Norm

__all__ = ["Points", "RebuildError", "rebuild_error"]

#: Of larger pictures the pixels of a lattice are compared.
_COMPARED = 25_000_000


@dataclass(frozen=True, eq=False)
class Points:
    """Well-chosen places with their values; the arrays are read-only.

    Parameters
    ----------
    xy : (n, 2) float array
        ``(x, y)`` in `crs`.
    values : (n,) float array
        In the unit of the bar.
    count : (n,) int array
        How many pixels each point stands for.
    pixels : (n, 2) float array
        ``(col, row)`` in the picture, pixel centres at .5.
    crs : str
        Anything pyproj understands.
    sigma : (n,) float array or None
        One standard deviation of each value.
    extent_px : (n,) float array or None
        Distance in pixels of the farthest pixel that each point stands for.

    Raises
    ------
    InvalidInputError
        If the shapes do not match.
    """

    xy: NDArray[np.float64]
    values: NDArray[np.float64]
    count: NDArray[np.int64]
    pixels: NDArray[np.float64]
    crs: str
    sigma: NDArray[np.float64] | None = None
    extent_px: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        n = np.size(self.values)
        kinds = dict.fromkeys(("xy", "values", "pixels", "sigma", "extent_px"), np.float64) | {"count": np.int64}
        for name, kind in kinds.items():
            if getattr(self, name) is None:
                continue
            array = np.array(getattr(self, name), dtype=kind)
            shape = (n, 2) if name in ("xy", "pixels") else (n,)
            if array.shape != shape:
                raise InvalidInputError(f"{n} points need {name} of shape {shape}, not {array.shape}.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class RebuildError:
    """What is lost if the picture is rebuilt from its points, in percent of the range; NaN if it cannot be rebuilt.

    Parameters
    ----------
    rmse_percent, p99_percent, max_percent : float
        Root mean square, 99th percentile and maximum of the absolute error of linear interpolation between the
        points, over the pixels inside their convex hull. Nothing is forgiven.
    covered : float
        Share of the pixels with a value that lie inside the convex hull, 0 to 1.
    outside_rmse_percent : float
        Root mean square error of the value of the nearest point over the pixels outside the hull; NaN if none is.
    promised_percent : float
        The error that was promised; NaN if none was.
    kept_percent : float
        Percentage of the pixels with a value that are rebuilt within what was promised, or within three times the
        noise of their value, see :func:`~geocbar.grid.levels.even_noise`; those outside the hull are not. NaN if
        nothing was promised.
    noisy_percent : float
        Percentage of the pixels for which three times the noise is more than what was promised.
    by_nearest : bool
        Whether the nearest point counts instead of interpolation, as for classes.
    """

    rmse_percent: float
    p99_percent: float
    max_percent: float
    covered: float
    outside_rmse_percent: float
    promised_percent: float = math.nan
    kept_percent: float = math.nan
    noisy_percent: float = math.nan
    by_nearest: bool = False

    def __str__(self) -> str:
        """How well the points rebuild the map, with what was promised, as a sentence without its full stop."""
        plain = f"RMSE {self.rmse_percent:.2f} %, 99 % within {self.p99_percent:.2f} %, all within"
        plain += f" {self.max_percent:.3g} % of the range"
        if math.isnan(self.promised_percent):
            return f"{plain}; nothing is promised"
        only = "" if self.is_kept else "only "
        kept = math.floor(10 * self.kept_percent) / 10
        if self.by_nearest:
            return f"{only}{kept:.1f} % of the map have the class of the nearest point"
        noise = ""
        if self.noisy_percent >= 0.05:
            noise = f", or three times its noise where that is more ({self.noisy_percent:.1f} % of it)"
        bound = f"{self.promised_percent:.3g} % of the range{noise}"
        return f"{only}{kept:.1f} % of the map within {bound}; {plain}"

    @property
    def is_kept(self) -> bool:
        """Whether there was a promise, and 99 % of the pixels keep it."""
        return self.kept_percent >= 100 * KEPT


def rebuild_error(
    values: NDArray[np.floating],
    points: Points,
    limits: ArrayLike,
    *,
    norm: Norm | str = "linear",
    nearest: bool = False,
    sigma: NDArray[np.floating] | None = None,
    max_error: float | None = None,
) -> RebuildError:
    """How far the values lie from what linear interpolation between the points gives.

    Parameters
    ----------
    values : (h, w) float array
        The picture the points were taken from, NaN where there is no value.
    points : Points
        Their `pixels` and `values` are used.
    limits : (2,) float array
        Values at the two ends of the scale; errors are in percent of their difference.
    norm : Norm or str
        In whose even coordinate points are interpolated and errors counted.
    nearest : bool
        Whether the value of the nearest point takes the place of linear interpolation, as classes need it.
    sigma : (h, w) float array, optional
        One standard deviation of each value.
    max_error : float, optional
        What was promised, as a share of the range; None or inf: nothing.

    Returns
    -------
    RebuildError
        All NaN if there are fewer than three points or all lie on one line (no matter if the nearest counts), or no
        pixel has a value.

    Raises
    ------
    InvalidInputError
        If `limits` are not two different values.

    Notes
    -----
    All pixels are compared; of more than 25 million those of a lattice. Without a promise the triangles along the
    edge of the hull are long and thin, since no point lies on the edge of the picture. They hold few pixels but the
    largest errors, so `max_percent` says more about that rim than about the map.
    """
    values = require_picture(values)
    places = points.pixels - points.pixels.mean(axis=0) if len(points) else points.pixels
    triangles = len(points) >= 3 and np.linalg.matrix_rank(places) == 2
    step = int(np.ceil((values.size / _COMPARED) ** 0.5))
    unit_of_all = unit_picture(values, limits, norm)
    unit = unit_of_all[::step, ::step]
    valid = np.isfinite(unit)
    if not (len(points) if nearest else triangles) or not valid.any():
        return RebuildError(math.nan, math.nan, math.nan, math.nan, math.nan)
    levels = unit_coordinate(points.values, limits, norm)
    at = (points.pixels - 0.5) / step + 0.5
    rebuilt: NDArray[np.floating]
    if nearest:
        rebuilt = _of_nearest(levels, at, np.flatnonzero(valid), unit.shape) - unit[valid]
    else:
        rebuilt = mesh_errors(build_mesh(at, levels), unit)[valid]
    error = np.abs(rebuilt)
    inside = np.isfinite(error)
    noise = np.broadcast_to(even_noise(unit_of_all, values, sigma, limits, norm), values.shape)[::step, ::step][valid]
    promise = _promise(error, max_error, noise)
    beyond = np.flatnonzero(valid)[~inside]
    outside = _of_nearest(levels, at, beyond, unit.shape) - unit.ravel()[beyond]
    error = error[inside]
    rmse, outside_rmse = (
        100 * float(np.sqrt(np.mean(e.astype(np.float64) ** 2))) if len(e) else math.nan for e in (error, outside)
    )
    p99, largest = (float(np.percentile(error, 99)), float(error.max())) if len(error) else (math.nan, math.nan)
    return RebuildError(rmse, 100 * p99, 100 * largest, float(inside.mean()), outside_rmse, *promise, nearest)


def _promise(
    error: NDArray[np.floating], max_error: float | None, noise: NDArray[np.float32]
) -> tuple[float, float, float]:
    """What was promised, how many pixels keep it, and how many are so noisy that their noise counts; in percent."""
    if max_error is None or max_error == math.inf:
        return math.nan, math.nan, math.nan
    wide = np.float32(NOISE_WIDTH) * noise
    bound = np.fmax(np.float32(max_error), wide)
    return 100 * max_error, 100 * float(np.mean(error <= bound)), 100 * float(np.mean(wide > np.float32(max_error)))


def _of_nearest(
    values: NDArray[np.float64], at: NDArray[np.float64], flat: NDArray[np.int64], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Value of the nearest of some points, of those in one pixel the first, to pixels."""
    if len(flat) == 0:
        return np.zeros(0)
    col, row = (np.clip(at[:, i], 0, shape[1 - i] - 1).astype(np.int64) for i in (0, 1))
    pixel, first = np.unique(row * shape[1] + col, return_index=True)
    return np.asarray(values[first[np.searchsorted(pixel, nearest_pixels(pixel, flat, shape))]])
