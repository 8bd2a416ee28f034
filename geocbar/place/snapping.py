"""Parameters of a projection moved to round numbers, where the control points do not object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geocbar.place.fits import Places, ProjectionFit, parameter_sigmas, refine

__all__ = ["snap"]

#: Steps of round numbers in degrees, and what part of a free parameter one on that step counts for: of numbers at
#: every fifth of a degree there are more to choose from than of multiples of thirty.
ROUND = ((90.0, 0.2), (30.0, 0.4), (10.0, 0.5), (5.0, 0.6), (1.0, 0.8), (0.5, 0.9))

#: Central meridians of the zones of UTM: 3 degrees off the multiples of 6.
ZONES = (6.0, 3.0, 0.6)

#: Pairs of standard parallels in wide use, beside the multiples of 5 degrees.
PAIRS = ((29.5, 45.5), (43.0, 62.0), (20.0, 60.0), (27.0, 45.0), (49.0, 77.0), (55.0, 65.0), (33.0, 45.0), (25.0, 47.0))

#: Most by which the charge falls for a number that is round and well known.
MOST_BONUS = 1.5

#: The sum of squares may rise by so many variances, of clicks as good as this in pixels or as the fit says.
OBJECTION, CLICK_PX = 5.0, 0.6

#: A step is not tried where it moves a parameter further than this, in degrees.
FARTHEST = 12.0


def snap(fit: ProjectionFit, places: Places) -> ProjectionFit:
    """Hold parameters at round numbers, one after the other, while the score does not worsen.

    Parameters
    ----------
    fit : ProjectionFit
    places : Places

    Returns
    -------
    ProjectionFit
        `fit` itself if no round number fits as well.
    """
    if fit.family.fixed:
        return fit
    best = fit
    if fit.family.shape == ("middle", "spread"):
        best = _first(best, places, _pairs(best))
    for i in range(1 + len(fit.shape)):
        if best.held[i]:
            continue
        name = "lon_0" if i == 0 else fit.family.shape[i - 1]
        if name in ("log_height", "alpha", "middle", "spread"):
            continue
        best = _first(best, places, _rounded(best, i, name, parameter_sigmas(best, places).get(i, 1.0)))
    return best


def _rounded(
    fit: ProjectionFit, i: int, name: str, sigma: float
) -> Iterator[tuple[NDArray[np.float64], tuple[bool, ...], float]]:
    """Vectors with one parameter rounded, which parameters to hold, and the charge.

    A number far better known than the step between round ones does not come out round by chance: the charge falls.
    """
    vector = np.append(fit.lon_0, fit.shape)
    steps = [(step, 0.0, part) for step, part in ROUND]
    if name == "lon_0" and fit.family.key == "tmerc":
        steps.insert(3, ZONES)
    held = tuple(stays or j == i for j, stays in enumerate(fit.held))
    for step, start, part in steps:
        rounded = vector.copy()
        rounded[i] = start + step * np.round((vector[i] - start) / step)
        if name == "pole_lat" and abs(rounded[i]) == 90:
            continue  # nothing is turned: a candidate of its own, whose central meridian only shifts the map
        if abs(rounded[i] - vector[i]) <= FARTHEST:
            yield rounded, held, fit.charge - 1 + part - _bonus(step, sigma)


def _bonus(step: float, sigma: float) -> float:
    """By how much the charge falls; points without any misfit know a number exactly (sigma 0)."""
    if not sigma > 0:
        return MOST_BONUS if sigma == 0 else 0.0
    return float(np.clip(0.5 * np.log(step / (4 * sigma)), 0, MOST_BONUS))


def _pairs(fit: ProjectionFit) -> list[tuple[NDArray[np.float64], tuple[bool, ...], float]]:
    """Vectors with round pairs of parallels, the nearest first."""
    middle, spread = fit.shape
    side = np.sign(middle)
    fives = np.arange(0.0, 90, 5)
    pairs = [(a, b, 1.2) for a in fives for b in fives if a < b] + [(a, b, 0.6) for a, b in PAIRS]
    held = (fit.held[0], True, True)
    choices = []
    for low, high, part in pairs:
        shape = np.array([side * (low + high) / 2, (high - low) / 2])
        if abs(shape[0] - middle) < FARTHEST / 2 and abs(shape[1] - spread) < FARTHEST:
            far = (shape[0] - middle) ** 2 + ((shape[1] ** 2 - spread**2) / 40) ** 2
            choices.append((far, (np.append(fit.lon_0, shape), held, fit.charge - 2 + part)))
    return [choice for _, choice in sorted(choices, key=lambda c: c[0])[:10]]


def _first(
    fit: ProjectionFit,
    places: Places,
    choices: Iterator[tuple[NDArray[np.float64], tuple[bool, ...], float]]
    | list[tuple[NDArray[np.float64], tuple[bool, ...], float]],
) -> ProjectionFit:
    """The best scored of a fit and its versions with parameters held."""
    best = fit
    # With few points the score pays dearly for each parameter: the points must not object either.
    limit = fit.rss + OBJECTION * max(fit.sigma, CLICK_PX) ** 2
    for vector, held, charge in choices:
        trial = refine(places, fit.family, fit.ellipsoid, fit.post, vector, fit.keep, held)
        if trial is not None:
            trial = replace(trial, charge=charge)
            if trial.aicc <= best.aicc and trial.rss <= limit:
                best = trial
    return best
