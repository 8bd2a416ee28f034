"""Norm: how values are spaced along a scale; linear, log, symmetric log, power, or piecewise between knots."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError

__all__ = ["LINEAR", "SCALES", "Norm", "as_norm", "split_scale"]

#: What ``--scale`` takes.
SCALES = ("auto", "linear", "log", "symlog", "power", "piecewise", "discrete")

#: Exponents beyond these put most of the values on a few pixels of the bar.
GAMMAS = (0.2, 5.0)

#: Root mean square error of straight lines between ticks over their difference from a smooth curve through the ticks,
#: measured on inverse hyperbolic sine and random smooth scales with 5 to 11 ticks: 0.8 to 1.3, 2.8 where a bend lies
#: between two ticks. Two of three errors lie within it then, 19 of 20 within twice as much.
_LINE_ERROR = 1.2


@dataclass(frozen=True)
class Norm:
    """How values are spaced along a scale, as a map from values to a coordinate in which colours run evenly.

    Parameters
    ----------
    kind : {"linear", "log", "symlog", "power", "piecewise"}
        The even coordinate is the value itself; its log10; the value within `linthresh` of zero and decades beyond,
        as in matplotlib's ``SymLogNorm`` [1]_ (divided by `linthresh`, so that one unit is one decade); the share of
        `anchor`'s range to the power `gamma`, as in matplotlib's ``PowerNorm`` [2]_; or that of the knots, straight
        between them and beyond the outer two.
    linthresh, linscale : float
        Of ``"symlog"``, above 0: where the linear part ends, and how many decades half of it is drawn as long as.
    gamma : float
        Of ``"power"``, 0.2 to 5.
    anchor : (float, float)
        Of ``"power"``: the values, ascending, at 0 and 1.
    anchor_sigma : float
        Of ``"power"``: how well the lower one is known, one standard deviation. It shows where values hardly change.
    knots : tuple of (even, value)
        Of ``"piecewise"``: two or more, both ascending.

    Raises
    ------
    InvalidInputError
        For an unknown kind or parameters out of bounds.

    References
    ----------
    .. [1] https://matplotlib.org/stable/api/_as_gen/matplotlib.colors.SymLogNorm.html
    .. [2] https://matplotlib.org/stable/api/_as_gen/matplotlib.colors.PowerNorm.html

    Examples
    --------
    >>> Norm("power", gamma=0.5, anchor=(0, 100)).forward([0, 25, 100]).tolist()
    [0.0, 0.5, 1.0]
    >>> print(Norm("symlog", linthresh=0.01))
    symlog, linear within ±0.01
    """

    kind: str = "linear"
    linthresh: float = 1.0
    linscale: float = 1.0
    gamma: float = 1.0
    anchor: tuple[float, float] = (0.0, 1.0)
    anchor_sigma: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in SCALES[1:-1]:
            raise InvalidInputError(f"There is no scale {self.kind!r}.", f"Choose one of: {', '.join(SCALES[1:-1])}")
        for name in ("linthresh", "linscale"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise InvalidInputError(
                    f"The {name} of a symlog scale is {value:g}, which is not above 0.", "Write --scale symlog:0.01"
                )
        if not GAMMAS[0] <= self.gamma <= GAMMAS[1]:
            raise InvalidInputError(
                f"The exponent of a power scale is {self.gamma:g}, which is not within {GAMMAS[0]:g} and"
                f" {GAMMAS[1]:g}.",
                "Write --scale power:0.5",
            )
        if self.kind == "power" and not self.anchor[0] < self.anchor[1]:
            raise InvalidInputError(
                f"A power scale from {self.anchor[0]:g} to {self.anchor[1]:g} has no length.",
                "Give two different values: --vmin V --vmax V",
            )
        if self.kind == "piecewise":
            knots = np.array(self.knots, dtype=np.float64)
            if knots.ndim != 2 or len(knots) < 2 or not np.all(np.diff(knots, axis=0) > 0):
                raise InvalidInputError(
                    "The values of the ticks do not run one way along the bar.", "Check the ticks' values and pixels."
                )

    def __str__(self) -> str:
        if self.kind == "symlog":
            return f"symlog, linear within ±{self.linthresh:.4g}"
        if self.kind == "power":
            return f"power {self.gamma:.4g}"
        if self.kind == "piecewise":
            return f"piecewise between {len(self.knots)} ticks"
        return self.kind

    def forward(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values to the even coordinate.

        Parameters
        ----------
        values : array of float
            NaN stays NaN.

        Returns
        -------
        array of float64, same shape

        Raises
        ------
        InvalidInputError
            For a value that is not positive on a log scale.
        """
        array = np.asarray(values, dtype=np.float64)
        if self.kind == "log":
            if np.any(array <= 0):  # NaN passes: it stays NaN
                raise InvalidInputError(
                    f"A log scale cannot hold {float(np.nanmin(array)):g}: it has no zero and no negative values.",
                    "Give positive limits, or --scale linear.",
                )
            return np.log10(array)
        if self.kind == "symlog":
            size = np.abs(array) / self.linthresh
            beyond = self._linear_part + np.log10(np.maximum(size, 1.0))
            return np.sign(array) * np.where(size > 1, beyond, size * self._linear_part)
        if self.kind == "power":
            share = (array - self.anchor[0]) / (self.anchor[1] - self.anchor[0])
            return np.where(share > 0, np.power(np.maximum(share, 0), self.gamma), share)
        if self.kind == "piecewise":
            at, known = np.array(self.knots).T
            return _straight_on(array, known, at)
        return array

    def inverse(self, even: ArrayLike) -> NDArray[np.float64]:
        """Even coordinate back to values; the inverse of :meth:`forward`.

        Parameters
        ----------
        even : array of float

        Returns
        -------
        array of float64, same shape
        """
        array = np.asarray(even, dtype=np.float64)
        if self.kind == "log":
            return np.power(10.0, array)
        if self.kind == "symlog":
            size = np.abs(array)
            beyond = np.power(10.0, np.maximum(size - self._linear_part, 0))
            return (
                self.linthresh * np.sign(array) * np.where(size > self._linear_part, beyond, size / self._linear_part)
            )
        if self.kind == "power":
            share = np.where(array > 0, np.power(np.maximum(array, 0), 1 / self.gamma), array)
            return self.anchor[0] + share * (self.anchor[1] - self.anchor[0])
        if self.kind == "piecewise":
            at, known = np.array(self.knots).T
            return _straight_on(array, at, known)
        return array

    def spread(
        self, values: NDArray[np.floating], sigma: NDArray[np.floating], limits: ArrayLike
    ) -> NDArray[np.float64]:
        """Uncertainty of values, from that of the even coordinate.

        The slope carries it over on linear and log scales. On the others the slope changes within a sigma, and may
        vanish at an end: there it is the largest step in value that a sigma up or down makes within the limits, or
        half of that of two, and :meth:`doubt` is added.

        Parameters
        ----------
        values : array of float
            Within the limits.
        sigma : array of float, same shape
            One standard deviation in the even coordinate.
        limits : (2,) array of float
            Ends of the scale, ascending.

        Returns
        -------
        array of float64, same shape
            One standard deviation in the unit of the values.
        """
        if self.kind == "linear":
            return np.asarray(sigma, dtype=np.float64)
        if self.kind == "log":
            return sigma * np.log(10) * np.asarray(values, dtype=np.float64)
        low, high = self.forward(limits)
        even = np.clip(self.forward(values), low, high)
        sigma = np.asarray(sigma, dtype=np.float64)
        here = self.inverse(even)
        step = np.zeros(here.shape)
        for sigmas in (1, 2):
            up = self.inverse(np.minimum(even + sigmas * sigma, high)) - here
            down = here - self.inverse(np.maximum(even - sigmas * sigma, low))
            step = np.fmax(step, np.fmax(up, down) / sigmas)
        return np.hypot(step, self.doubt(even))

    def doubt(self, even: ArrayLike) -> NDArray[np.float64]:
        """How uncertain values are even where the even coordinate is known.

        On a power scale of an exponent below 1, where values hardly change at the lower end, as far as that end is,
        fading along the scale. Of piecewise scales only the values at the knots are known: there it is in proportion
        to the difference between the straight lines that are used and a monotonic cubic curve through the knots [1]_,
        beyond the outer knots between the straight continuations of the two. It is nothing at a knot, and nothing
        where the knots around lie on a line. Elsewhere it is 0.

        Parameters
        ----------
        even : array of float

        Returns
        -------
        array of float64, same shape
            One standard deviation, in the unit of the values.

        References
        ----------
        .. [1] F. N. Fritsch and J. Butland, 1984, doi:10.1137/0905021, as in ``scipy.interpolate.PchipInterpolator``
        """
        array = np.asarray(even, dtype=np.float64)
        if self.kind == "power" and self.gamma < 1:
            return self.anchor_sigma * (1 - np.clip(array, 0, 1)) ** 4
        if self.kind != "piecewise":
            return np.zeros(array.shape)
        from scipy.interpolate import PchipInterpolator

        at, known = np.array(self.knots).T
        smooth = PchipInterpolator(at, known)
        slope = smooth.derivative()
        inside = np.clip(array, at[0], at[-1])
        curve = smooth(inside) + slope(inside) * (array - inside)
        doubt: NDArray[np.float64] = _LINE_ERROR * np.abs(curve - self.inverse(array))
        return doubt

    @property
    def _linear_part(self) -> float:
        """Half of the linear part of a symlog scale, in decades."""
        return self.linscale / (1 - 1 / 10)


#: Values are even themselves.
LINEAR = Norm()


def split_scale(text: str) -> tuple[str, tuple[float, ...]]:
    """Kind and parameters of a scale: ``"log"``, ``"symlog:0.01"``, ``"symlog:0.01:0.5"``, ``"power:2"``.

    Raises
    ------
    InvalidInputError
        For an unknown kind, or parameters that are no numbers, too many or out of bounds.

    Examples
    --------
    >>> split_scale("symlog:0.01")
    ('symlog', (0.01,))
    """
    kind, *rest = text.split(":")
    if kind not in SCALES:
        raise InvalidInputError(
            f"{text!r} is not one of {', '.join(map(repr, SCALES))}.", f"Choose one of: {', '.join(SCALES)}"
        )
    try:
        numbers = tuple(float(part) for part in rest)
    except ValueError:
        numbers = (0.0,) * 9
    if len(numbers) > {"symlog": 2, "power": 1}.get(kind, 0):
        takes = {"symlog": "symlog:LINTHRESH or symlog:LINTHRESH:LINSCALE", "power": "power:GAMMA"}.get(kind, kind)
        raise InvalidInputError(f"The scale {text!r} cannot be read.", f"Write --scale {takes}")
    if numbers:
        _parametrized(kind, numbers, None)
    return kind, numbers


def as_norm(norm: Norm | str, limits: ArrayLike | None = None) -> Norm:
    """A norm from its text, as :func:`split_scale` reads it.

    Parameters
    ----------
    norm : Norm or str
    limits : (2,) array of float or None
        Ends of the scale, which a power scale is anchored at.

    Raises
    ------
    InvalidInputError
        For an unknown scale, or one that its name and the limits do not determine.

    Examples
    --------
    >>> as_norm("power:0.5", (100, 0)).anchor
    (0.0, 100.0)
    """
    if isinstance(norm, Norm):
        return norm
    kind, numbers = split_scale(norm)
    if kind in ("linear", "log"):
        return Norm(kind)
    if kind not in ("symlog", "power") or (kind == "power" and numbers and limits is None):
        raise InvalidInputError(
            f"Two end values do not make a {kind} scale.",
            'Give three or more ticks of a colour bar: --ticks "V@PX,V@PX,V@PX"'
            if kind == "piecewise"
            else "Choose one of: linear, log, symlog:LINTHRESH, power:GAMMA",
        )
    if not numbers:
        form = {"symlog": "symlog:LINTHRESH, with the value where the linear part ends", "power": "power:GAMMA"}[kind]
        raise InvalidInputError(
            f"Two end values do not determine a {kind} scale.",
            f'Write --scale {form}; or give three or more ticks of a colour bar: --ticks "V@PX,V@PX,V@PX"',
        )
    return _parametrized(kind, numbers, limits)


def _parametrized(kind: str, numbers: tuple[float, ...], limits: ArrayLike | None) -> Norm:
    if kind == "symlog":
        return Norm(kind, linthresh=numbers[0], linscale=numbers[1] if len(numbers) > 1 else 1.0)
    low, high = (0.0, 1.0) if limits is None else np.sort(np.asarray(limits, dtype=np.float64)).tolist()
    return Norm(kind, gamma=numbers[0], anchor=(low, high))


def _straight_on(x: NDArray[np.float64], at: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear between knots, and straight on beyond the outer ones."""
    out = np.interp(x, at, known)
    first = (known[1] - known[0]) / (at[1] - at[0])
    last = (known[-1] - known[-2]) / (at[-1] - at[-2])
    out = np.where(x < at[0], known[0] + first * (x - at[0]), out)
    return np.where(x > at[-1], known[-1] + last * (x - at[-1]), out)
