"""How values may be spaced along an axis: the families a fit tries, each as a coordinate in which they are even."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spacing", "candidate_spacings"]

#: Exponents of power scales that are met with: square root, cube root, square and some between.
POWERS = (0.5, 1 / 3, 0.4, 0.25, 2 / 3, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Spacing:
    """One family of spacings.

    Parameters
    ----------
    norm : {"linear", "log", "power", "symlog"}
        How values run: straight, by ratio, by a power of themselves, or by ratio on both sides of a straight middle.
    parameters : tuple of float
        Nothing for linear and log; the exponent of a power; for symlog the limit of the straight middle and how
        many decades long either half of it is drawn.
    penalty : float
        What the family costs in labels: a rarer one must explain more to be chosen.
    needs : int
        Least number of labels with different values before the family may be believed.
    """

    norm: str
    parameters: tuple[float, ...] = ()
    penalty: float = 0.0
    needs: int = 2

    def even(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values in the coordinate that is even along the axis; NaN where the family has no place for them."""
        values = np.asarray(values, dtype=np.float64)
        if self.norm == "linear":
            return values.copy()
        if self.norm == "log":
            return np.log10(np.where(values > 0, values, np.nan))
        if self.norm == "power":
            return np.where(values >= 0, values, np.nan) ** self.parameters[0]
        limit, middle = self.parameters
        size = np.abs(values) / limit
        outside = middle + np.log10(np.maximum(size, 1.0))
        return np.sign(values) * np.where(size > 1, outside, middle * size)

    def uneven(self, even: NDArray[np.float64]) -> NDArray[np.float64]:
        """Back from the even coordinate to values; the inverse of :meth:`even`."""
        even = np.asarray(even, dtype=np.float64)
        if self.norm == "linear":
            return even.copy()
        if self.norm == "log":
            return np.power(10.0, np.clip(even, -300, 300))
        if self.norm == "power":
            return np.maximum(even, 0.0) ** (1 / self.parameters[0])
        limit, middle = self.parameters
        size = np.abs(even)
        outside = np.power(10.0, np.clip(size - middle, 0, 300))
        return np.sign(even) * limit * np.where(size > middle, outside, size / middle)


def candidate_spacings(firsts: Sequence[float]) -> list[Spacing]:
    """The families worth trying for labels whose likeliest readings are given; symlog is fitted apart.

    Parameters
    ----------
    firsts : sequence of float
        The likeliest value of each label.

    Returns
    -------
    list of Spacing
        Linear always; log with positive values; powers where no label is negative.
    """
    values = np.asarray(list(firsts), dtype=np.float64)
    spacings = [Spacing("linear")]
    if np.sum(values > 0) >= 2:
        spacings.append(Spacing("log", penalty=0.15, needs=2))
    if np.all(values >= 0):
        spacings += [Spacing("power", (power,), penalty=0.6, needs=4) for power in POWERS]
    return spacings
