"""The norm that the ticks of a bar lie on: given, or found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.value.norms import GAMMAS, Norm, as_norm, split_scale

__all__ = ["MAX_TICK_MISFIT", "TickFit", "fit_norm"]

#: Ticks may leave their place on a scale by this share of the bar's length before the scale is refused.
MAX_TICK_MISFIT = 0.02

#: Ticks of a curved scale that nobody named must lie closer: this share, or so many pixels.
_CURVED_MISFIT, _CURVED_PX = 0.005, 1.5

#: Ticks from which a scale with one more parameter is found without its name, and fitted with it.
_FEWEST_UNNAMED = {"symlog": 5, "power": 4}
_FEWEST_NAMED = 3

#: How well the place of a tick is known at best, in pixels.
_TICK_PX = 0.3

_TRIALS = 61


@dataclass(frozen=True)
class TickFit:
    """A norm, and where its even coordinate lies along the bar: ``even = slope * position + offset``."""

    norm: Norm
    slope: float
    offset: float

    def values_at(self, positions: ArrayLike) -> NDArray[np.float64]:
        """Values at pixel coordinates along the bar."""
        return self.norm.inverse(self.slope * np.asarray(positions, dtype=np.float64) + self.offset)


@dataclass(frozen=True, eq=False)
class _Ticks:
    """Positions and values by ascending value, and the ends of the bar: that of the lower values first."""

    positions: NDArray[np.float64]
    values: NDArray[np.float64]
    start: float
    stop: float

    @property
    def shares(self) -> NDArray[np.float64]:
        """Positions as shares of the bar's length, from the end of the lower values."""
        return (self.positions - self.start) / (self.stop - self.start)

    @property
    def length(self) -> float:
        return abs(self.stop - self.start)

    def without(self, which: int) -> _Ticks:
        return _Ticks(np.delete(self.positions, which), np.delete(self.values, which), self.start, self.stop)

    def along(self, norm: Norm) -> TickFit:
        """A norm whose even coordinate is the share of the bar's length."""
        slope = 1 / (self.stop - self.start)
        return TickFit(norm, slope, -slope * self.start)

    def misfit(self, fit: TickFit) -> NDArray[np.float64]:
        """How far every tick lies from its place, in shares of the bar's length."""
        if not fit.slope:
            return np.full(len(self.values), np.inf)
        away = fit.slope * self.positions + fit.offset - fit.norm.forward(self.values)
        return np.abs(away) / abs(fit.slope * self.length)


def fit_norm(
    positions: Sequence[float], values: Sequence[float], ends: tuple[float, float], scale: str = "auto"
) -> TickFit:
    """The norm of the ticks of a continuous bar, and its place along the bar, by least squares.

    Without a name the first that all ticks lie on is taken: linear, to 2 % of the bar's length; log, and then the
    better one of symlog (five ticks and more, with zero or both signs) and power (four and more), to 1.5 px or 0.5 %;
    log to 2 %. If all ticks but one lie on a line, that one is named and refused: a slip is likelier than a bend. Else
    values are interpolated between four and more ticks.

    Parameters
    ----------
    positions, values : sequences of float, two or more
        Pixel coordinates along the bar, and the values there; all different.
    ends : (float, float)
        Pixel coordinates of the ends of the bar.
    scale : str
        Of :func:`~geocbar.value.norms.split_scale`, not ``"discrete"``. A power scale begins at the end of the bar
        where the lower values are.

    Returns
    -------
    TickFit

    Raises
    ------
    InvalidInputError
        If the ticks do not lie on the scale, do not run one way, or are too few for it.
    """
    order = np.argsort(values)
    at, known = np.asarray(positions, np.float64)[order], np.asarray(values, np.float64)[order]
    rising = (at[-1] > at[0]) == (ends[1] > ends[0])
    ticks = _Ticks(at, known, *(ends if rising else ends[::-1]))
    kind, numbers = split_scale(scale)
    if kind == "auto":
        return _found(ticks)
    if kind == "piecewise" or (kind in _FEWEST_UNNAMED and not numbers):
        _require_enough(ticks, kind)
    fit = _piecewise(ticks) if kind == "piecewise" else _named(ticks, kind, numbers)
    return _accepted(fit, ticks)


def _found(ticks: _Ticks) -> TickFit:
    linear = _straight(ticks, Norm())
    if len(ticks.values) == 2 or ticks.misfit(linear).max() <= MAX_TICK_MISFIT:
        return linear
    close = min(max(_CURVED_MISFIT, _CURVED_PX / ticks.length), MAX_TICK_MISFIT)
    log = [_straight(ticks, Norm("log"))] if ticks.values[0] > 0 else []
    if log and ticks.misfit(log[0]).max() <= close:
        return log[0]
    _require_no_stray(ticks, close)
    curved = [_named(ticks, kind, ()) for kind in _FEWEST_UNNAMED if _tells(ticks, kind)]
    best = min(curved, key=lambda fit: ticks.misfit(fit).max(), default=None)
    if best is not None and ticks.misfit(best).max() <= close:
        return best
    if log and ticks.misfit(log[0]).max() <= MAX_TICK_MISFIT:
        return log[0]
    _require_no_stray(ticks, MAX_TICK_MISFIT)
    if len(ticks.values) == 3:  # any of the three may be the one that is off
        return _accepted(linear, ticks)
    return _piecewise(ticks)


def _tells(ticks: _Ticks, kind: str) -> bool:
    """Whether the ticks are enough to tell a curved scale that nobody named."""
    return len(ticks.values) >= _FEWEST_UNNAMED[kind] and (kind != "symlog" or ticks.values[0] <= 0 <= ticks.values[-1])


def _named(ticks: _Ticks, kind: str, numbers: tuple[float, ...]) -> TickFit:
    if kind == "power":
        return _power(ticks, *numbers)
    if kind == "symlog" and not numbers:
        return _symlog(ticks)
    return _straight(ticks, as_norm(":".join([kind, *map(repr, numbers)])))


def _straight(ticks: _Ticks, norm: Norm) -> TickFit:
    """Slope and offset of a norm, by least squares in its even coordinate."""
    even = norm.forward(ticks.values)
    slope, offset = (float(c) for c in np.polyfit(ticks.positions - ticks.positions[0], even, 1))
    return TickFit(norm, slope, offset - slope * float(ticks.positions[0]))


def _symlog(ticks: _Ticks) -> TickFit:
    """The symlog scale with the best limit of its linear part, which is drawn a decade long on either side."""
    from scipy.optimize import minimize_scalar

    def trial(log_linthresh: float) -> TickFit:
        return _straight(ticks, Norm("symlog", linthresh=float(np.exp(log_linthresh))))

    def cost(log_linthresh: float) -> float:
        return float(np.mean(ticks.misfit(trial(log_linthresh)) ** 2))

    sizes = np.abs(ticks.values[ticks.values != 0])
    tries = np.linspace(np.log(sizes.min() / 100), np.log(sizes.max()), _TRIALS)
    best = int(np.argmin([cost(at) for at in tries]))
    around = tries[max(best - 1, 0)], tries[min(best + 1, _TRIALS - 1)]
    return trial(float(minimize_scalar(cost, bounds=around, method="bounded", options={"xatol": 1e-9}).x))


def _power(ticks: _Ticks, gamma: float | None = None) -> TickFit:
    """The power scale between the ends of the bar, of the best exponent if none is given."""
    from scipy.optimize import minimize_scalar

    if gamma is not None:
        return _with_anchor_sigma(_anchored(ticks, gamma), ticks, free_exponent=False)

    def cost(log_gamma: float) -> float:
        return float(np.mean(ticks.misfit(_anchored(ticks, float(np.exp(log_gamma)))) ** 2))

    tries = np.linspace(np.log(GAMMAS[0]), np.log(GAMMAS[1]), _TRIALS)[1:-1]
    best = int(np.argmin([cost(at) for at in tries]))
    around = tries[max(best - 1, 0)], tries[min(best + 1, len(tries) - 1)]
    found = minimize_scalar(cost, bounds=around, method="bounded", options={"xatol": 1e-9})
    return _with_anchor_sigma(_anchored(ticks, float(np.exp(found.x))), ticks, free_exponent=True)


def _anchored(ticks: _Ticks, gamma: float) -> TickFit:
    """The power scale of an exponent: values at the bar's ends by least squares, misfits counted along the bar."""
    shares = np.maximum(ticks.shares, 0)  # a tick beside the end belongs to the end
    basis = shares ** (1 / gamma)
    terms = np.stack([np.ones_like(basis), basis], axis=1)
    # A misfit along the bar is one in value over the slope, which has no end at one end of the bar.
    weight = np.maximum(shares, 1 / ticks.length) ** (1 - 1 / gamma)
    low, span = np.linalg.lstsq(terms * weight[:, None], ticks.values * weight, rcond=None)[0].tolist()
    if not span > 0:
        raise InvalidInputError(
            "The values of the ticks do not run one way along the bar.", "Check the ticks' values and pixels."
        )
    return ticks.along(Norm("power", gamma=gamma, anchor=(low, low + span)))


def _with_anchor_sigma(fit: TickFit, ticks: _Ticks, free_exponent: bool) -> TickFit:
    """A power scale with the uncertainty of its lower end, propagated from that of the ticks' places."""
    gamma, (low, high) = fit.norm.gamma, fit.norm.anchor
    shares = np.maximum(ticks.shares, 1 / ticks.length)
    basis = shares ** (1 / gamma)
    by_low, by_span, by_gamma = np.ones_like(basis), basis, -(high - low) / gamma**2 * basis * np.log(shares)
    slope = (high - low) / gamma * shares ** (1 / gamma - 1)
    terms = np.stack([by_low, by_span, by_gamma][: 2 + free_exponent], axis=1) / slope[:, None]
    place = max(_TICK_PX / ticks.length, float(np.sqrt(np.mean(ticks.misfit(fit) ** 2))))
    scaled = terms * [1.0, high - low, 1.0][: 2 + free_exponent]
    sigma = place * float(np.sqrt(np.linalg.pinv(scaled.T @ scaled)[0, 0]))
    return replace(fit, norm=replace(fit.norm, anchor_sigma=sigma))


def _piecewise(ticks: _Ticks) -> TickFit:
    return ticks.along(Norm("piecewise", knots=tuple(zip(ticks.shares.tolist(), ticks.values.tolist(), strict=True))))


def _require_enough(ticks: _Ticks, kind: str) -> None:
    if len(ticks.values) < _FEWEST_NAMED:
        form = {"symlog": "--scale symlog:LINTHRESH", "power": "--scale power:GAMMA"}.get(kind)
        raise InvalidInputError(
            f"Two values do not determine a {kind} scale: it needs {_FEWEST_NAMED} ticks and more.",
            'Give more: --ticks "V@PX,V@PX,V@PX"' + (f", or what else it takes: {form}" if form else ""),
        )


def _require_no_stray(ticks: _Ticks, tolerance: float) -> None:
    """Refuse ticks of which all but one lie on a linear or log scale, three others at least: that one is a slip."""
    strays = []
    for norm in (Norm(), Norm("log")):
        for which in range(len(ticks.values)) if len(ticks.values) > 3 else ():
            rest = ticks.without(which)
            if norm.kind == "log" and ticks.values[0] <= 0:
                continue
            fit = _straight(rest, norm)
            if rest.misfit(fit).max() <= tolerance:
                strays.append((float(ticks.misfit(fit)[which]), which, norm))
    if strays:
        away, which, norm = max(strays, key=lambda stray: stray[0])
        _refuse(ticks, norm, which, away)


def _accepted(fit: TickFit, ticks: _Ticks) -> TickFit:
    misfit = ticks.misfit(fit)
    if misfit.max() > MAX_TICK_MISFIT:
        worst = int(np.argmax(misfit))
        _refuse(ticks, fit.norm, worst, float(misfit[worst]), _other_scale(ticks, fit.norm.kind))
    return fit


def _refuse(ticks: _Ticks, norm: Norm, which: int, away: float, other: str = "") -> None:
    hint = "Check the ticks' values and pixels."
    if len(ticks.values) >= _FEWEST_NAMED:
        hint = hint[:-1] + "; if they are right: --scale piecewise"
    raise InvalidInputError(
        f"The ticks do not lie on a {norm.kind} scale: {ticks.values[which]:g} is"
        f" {100 * away:.1f} % of the bar away from its place.",
        f"They fit a {other} scale: --scale {other}" if other else hint,
    )


def _other_scale(ticks: _Ticks, kind: str) -> str:
    """Another scale that the ticks lie on; empty if there is none."""
    others = ["linear"] + ["log"] * bool(ticks.values[0] > 0) + [c for c in _FEWEST_UNNAMED if _tells(ticks, c)]
    for other in others:
        if other != kind and ticks.misfit(_named(ticks, other, ())).max() <= MAX_TICK_MISFIT:
            return other
    return ""
