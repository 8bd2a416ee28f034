"""The way back through a fit: Newton's method on the same formula, never a second fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["solve_back"]

_STEPS = 30
_DONE = 1e-9
_CLOSE = 1e-6

Map = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def solve_back(
    forward: Map, jacobian: Map, pixels: NDArray[np.float64], start: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Places whose image under a fit is given.

    Parameters
    ----------
    forward : callable
        (n, 2) places to (n, 2) pixels.
    jacobian : callable
        (n, 2) places to (n, 2, 2) derivatives of pixel by place.
    pixels : (n, 2) float array
    start : (n, 2) float array
        Rough places; overwritten.
    spread : (2,) float array
        Extent of the control points: a longer step is a step out of the fit's domain and is shortened.

    Returns
    -------
    (n, 2) float array
        NaN where the method does not converge.
    """
    places = start
    active = np.arange(len(places))
    for _ in range(_STEPS):
        miss = forward(places[active]) - pixels[active]
        slopes = jacobian(places[active])
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            determinant = slopes[:, 0, 0] * slopes[:, 1, 1] - slopes[:, 0, 1] * slopes[:, 1, 0]
            right = slopes[:, 1, 1] * miss[:, 0] - slopes[:, 0, 1] * miss[:, 1]
            up = slopes[:, 0, 0] * miss[:, 1] - slopes[:, 1, 0] * miss[:, 0]
            step = np.stack([right, up], axis=1) / determinant[:, None]
            long = np.abs(step / spread).max(axis=1, keepdims=True)
            places[active] -= step / np.maximum(long, 1.0)
            going = ~(np.abs(miss).max(axis=1) < _DONE)
        active = active[going]
        if not len(active):
            break
    if len(active):
        with np.errstate(invalid="ignore", over="ignore"):
            failed = ~(np.abs(forward(places[active]) - pixels[active]).max(axis=1) < _CLOSE)
        places[active[failed]] = np.nan
    return places
