"""How far off every pixel of a picture may be, as a raster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError

if TYPE_CHECKING:
    from geocbar.place.georeference import Georeference

__all__ = ["PositionUncertainty", "position_uncertainty"]

#: Between places that differ by more than this factor every pixel is asked for.
EVEN = 1.3

#: Pixels asked for at once.
_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class PositionUncertainty:
    """One standard deviation of the distance between where a pixel is said to lie and where it lies.

    Parameters
    ----------
    px : (rows, cols) float32 array
        In pixels; NaN outside the world's outline and where the control points do not suffice to tell.
    km : (rows, cols) float32 array or None
        The same on the ground; None for a map that is not on a body.
    """

    px: NDArray[np.float32]
    km: NDArray[np.float32] | None


def position_uncertainty(georeference: Georeference, width: int, height: int, *, step: int = 16) -> PositionUncertainty:
    """Position uncertainty of every pixel of a picture, at its centre.

    From the scatter of the control points, rivals among the projections and cuts that are not settled, as
    :meth:`~geocbar.place.georeference.Georeference.position_sigma` tells it. It is smooth: most of it is interpolated
    between places `step` pixels apart; around the world's outline and at cuts every pixel is asked for.

    Parameters
    ----------
    georeference : Georeference
    width, height : int
        Of the picture, in pixels.
    step : int
        Distance between places, in pixels; 1 asks for every pixel.

    Returns
    -------
    PositionUncertainty

    Raises
    ------
    InvalidInputError
        For a picture without pixels, or a step below 1.
    """
    if min(width, height, step) < 1:
        raise InvalidInputError(
            f"A picture of {width} x {height} px cannot be gone through in steps of {step} px.",
            "Width, height and step are 1 or more.",
        )

    def sigma(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        return georeference.position_sigma(pixels)

    px = _spread_out(sigma, width, height, step)
    km = _spread_out(georeference.km_per_pixel, width, height, step)
    # A pixel outside the outline has no ground below it, one without an estimate no uncertainty.
    return PositionUncertainty(px, px * km if np.isfinite(km).any() else None)


def _spread_out(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], width: int, height: int, step: int
) -> NDArray[np.float32]:
    """A function of pixel places at the centres of all pixels, interpolated where it is even."""
    across, down = _nodes(width, step), _nodes(height, step)
    nodes = function(_mesh(across, down)).reshape(len(down), len(across))
    col, u = _between(across, width)
    row, v = _between(down, height)
    along: NDArray[np.float64] = nodes[:, col] * (1 - u) + nodes[:, col + 1] * u
    out = np.empty((height, width), np.float32)
    for start in range(0, height, max(_BLOCK // width, 1)):
        rows = slice(start, start + max(_BLOCK // width, 1))
        out[rows] = along[row[rows]] * (1 - v[rows, None]) + along[row[rows] + 1] * v[rows, None]
    uneven = _uneven(nodes)[row[:, None], col]
    places = np.argwhere(uneven)
    for start in range(0, len(places), _BLOCK):
        part = places[start : start + _BLOCK]
        out[tuple(part.T)] = function(part[:, ::-1].astype(np.float64) + 0.5)
    return out


def _nodes(length: int, step: int) -> NDArray[np.float64]:
    """Places ``step`` apart at centres of pixels, the first and the last among them."""
    return np.append(np.arange(0.0, max(length - 1, 1), step), max(length - 1.0, 1.0)) + 0.5


def _between(nodes: NDArray[np.float64], length: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For each pixel the node before it, and its share of the way to the next."""
    centers = np.arange(length) + 0.5
    before: NDArray[np.intp] = np.clip(np.searchsorted(nodes, centers, side="right") - 1, 0, len(nodes) - 2)
    return before, (centers - nodes[before]) / (nodes[before + 1] - nodes[before])


def _mesh(across: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.float64]:
    col, row = np.meshgrid(across, down)
    return np.stack([col.ravel(), row.ravel()], axis=1)


def _uneven(nodes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cells at whose corners a function has no value, or values that differ much; not where it has none at all."""
    corners = np.stack([nodes[:-1, :-1], nodes[1:, :-1], nodes[:-1, 1:], nodes[1:, 1:]])
    none = np.isnan(corners)
    with np.errstate(invalid="ignore"):
        apart = corners.max(axis=0) > EVEN * corners.min(axis=0)
    return np.asarray((none.any(axis=0) & ~none.all(axis=0)) | apart)
