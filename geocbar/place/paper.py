"""Bent paper: a smooth field of displacements on top of a projection, if the control points speak for one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.place.fits import FLOOR_PX, Places, ProjectionFit, derivatives
from geocbar.place.splines import fit_spline
from geocbar.place.surfaces import PAPER, Surface

__all__ = ["bent_paper", "paper_sigma"]

#: Variance of the displacements beside that of a click; the first is flat paper. Powers of about two.
VARIANCES = np.array([0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])

#: How likely bent paper is before the points have been asked: most figures were never on paper.
BENT = 0.25

#: Displacements change over this part of the larger side of the map: half of it.
REACH = 1.0

#: What clicks scatter by, in pixels, and how many residuals that assumption counts for.
CLICK_PX, ASSUMED = 0.5, 2.0

#: Fewest residuals beyond the parameters of the projection that tell bent paper from clicks.
LEAST_FREEDOM = 12.0


@dataclass(frozen=True, eq=False)
class _Evidence:
    """The displacements at every variance that is tried, and how likely each variance is.

    Parameters
    ----------
    unit : (n, 2) float array
        Control points in the plane of the projection, the larger side 2.
    center : (2,) float array
    scale : float
        ``unit = (plane - center) / scale``.
    slopes : (2n, k) float array
        Normalised derivatives of the fitted pixels by the parameters of the projection.
    norms : (k,) float array
        What they were divided by.
    likely : (m,) float array
        Of each of :data:`VARIANCES`, by restricted likelihood.
    noise : (m,) float array
        Variance of a click at each.
    """

    unit: NDArray[np.float64]
    center: NDArray[np.float64]
    scale: float
    slopes: NDArray[np.float64]
    norms: NDArray[np.float64]
    likely: NDArray[np.float64]
    noise: NDArray[np.float64]

    def solved(self, weights: NDArray[np.float64], variance: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(k, 2n) from residuals to parameters, (2n, 2n) from residuals to weights of the kernel."""
        inverse = np.linalg.inv(np.diag(np.repeat(1 / weights, 2)) + variance * _kernel(self.unit, self.unit))
        back = np.linalg.pinv(self.slopes.T @ inverse @ self.slopes, rcond=1e-12) @ self.slopes.T @ inverse
        return back, variance * inverse @ (np.eye(len(inverse)) - self.slopes @ back)

    def bent(self) -> NDArray[np.float64]:
        """(m,) how likely each variance is, given that the paper is bent."""
        bent = np.where(VARIANCES > 0, self.likely, 0.0)
        return np.asarray(bent / bent.sum())


def _kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2 len(a), 2 len(b)) covariance of displacements, both coordinates alike and independent."""
    square = ((a[:, None, :] - b[None]) ** 2).sum(axis=2)
    return np.kron(np.exp(-square / (2 * REACH**2)), np.eye(2))


def _weigh(fit: ProjectionFit, places: Places) -> _Evidence:
    """The restricted likelihood of every variance of the displacements."""
    plane = (fit.residuals + places.pixels - fit.matrix[:, 2]) @ np.linalg.inv(fit.matrix[:, :2]).T
    low, high = plane.min(axis=0), plane.max(axis=0)
    center, scale = (low + high) / 2, max(float((high - low).max()) / 2, 1e-9)
    unit = (plane - center) / scale
    slopes = np.nan_to_num(derivatives(fit, places))
    norms = np.maximum(np.linalg.norm(slopes, axis=0), 1e-300)
    slopes = slopes / norms
    root = np.sqrt(np.repeat(places.weights, 2))
    basis, _ = np.linalg.qr(slopes * root[:, None], mode="complete")
    rest = basis[:, np.linalg.matrix_rank(slopes) :]
    values, vectors = np.linalg.eigh(rest.T @ (root[:, None] * _kernel(unit, unit) * root) @ rest)
    square = (vectors.T @ (rest.T @ (root * -fit.residuals.reshape(-1)))) ** 2
    spread = 1 + VARIANCES[:, None] * np.maximum(values, 0)
    freedom = len(values) + ASSUMED
    noise = ((square / spread).sum(axis=1) + ASSUMED * CLICK_PX**2) / freedom
    score = -0.5 * np.log(spread).sum(axis=1) - 0.5 * freedom * np.log(noise)
    before = np.where(VARIANCES > 0, BENT / (len(VARIANCES) - 1), 1 - BENT)
    likely = before * np.exp(score - score.max())
    return _Evidence(unit, center, scale, slopes, norms, likely / likely.sum(), noise)


def bent_paper(fit: ProjectionFit, places: Places) -> Surface | None:
    """The projection with the smooth displacements its residuals show, if they are likelier there than not.

    Displacements are a Gaussian process over the map; the projection is fitted together with them. Their variance is
    averaged over by its restricted likelihood, so that faint bends are taken out in part.

    Parameters
    ----------
    fit : ProjectionFit
        It rests on all points.
    places : Places

    Returns
    -------
    Surface or None
        A spline through the control points as they lie without the scatter of clicks.

    References
    ----------
    Patterson and Thompson (1971), https://doi.org/10.1093/biomet/58.3.545;
    Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, ISBN 0-262-18253-X
    """
    if fit.family.fixed or not fit.keep.all() or fit.freedom < LEAST_FREEDOM:
        return None
    evidence = _weigh(fit, places)
    if evidence.likely[0] >= 0.5:
        return None
    count = 2 * len(places)
    kernel, moved = _kernel(evidence.unit, evidence.unit), np.zeros((count, count))
    for variance, likely in zip(VARIANCES, evidence.bent(), strict=True):
        back, bends = evidence.solved(places.weights, float(variance))
        moved += likely * (evidence.slopes @ back + kernel @ bends)
    rest = fit.residuals + (moved @ -fit.residuals.reshape(-1)).reshape(-1, 2)
    flat = evidence.unit * evidence.scale + evidence.center
    try:
        transform, _ = fit_spline(flat, places.pixels + rest)
    except InvalidInputError:
        return None  # two points in one place: no spline leads through both
    leverage = np.clip(np.diag(moved).reshape(-1, 2).mean(axis=1), 0, 1)
    left_out = float(np.sqrt(np.mean((np.hypot(*rest.T) / np.maximum(1 - leverage, 1e-9)) ** 2)))
    parameters = float(np.trace(moved))
    return Surface(PAPER, 0.0, fit, flat, transform, rest, parameters, left_out, fit.aicc, leverage)


def paper_sigma(fit: ProjectionFit, places: Places, at: Places, plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m,) standard deviation in pixels of places on bent paper: far from the points the bend itself is unknown.

    Parameters
    ----------
    fit : ProjectionFit
    places : Places
        The control points.
    at : Places
        Where to tell it.
    plane : (m, 2) float array
        The same in the plane of the projection, in metres.
    """
    evidence = _weigh(fit, places)
    unit = (plane - evidence.center) / evidence.scale
    slopes = np.nan_to_num(derivatives(fit, places, at)) / evidence.norms
    near = _kernel(unit, evidence.unit)
    total = np.zeros(len(unit))
    for variance, noise, likely in zip(VARIANCES, evidence.noise, evidence.bent(), strict=True):
        back, bends = evidence.solved(places.weights, float(variance))
        drawn = slopes @ back + near @ bends
        own = (drawn**2 / np.repeat(places.weights, 2)).sum(axis=1)
        # What the field may do beside what its values at the points tell: its variance less what is explained.
        off = (drawn @ _kernel(evidence.unit, evidence.unit) * drawn).sum(axis=1) - 2 * (drawn * near).sum(axis=1) + 1
        total += likely * max(float(noise), FLOOR_PX**2) * (own + variance * off).reshape(-1, 2).sum(axis=1)
    return np.sqrt(np.maximum(total, 0.0))
