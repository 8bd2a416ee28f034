"""Control points that do not belong to the map the others make."""

from __future__ import annotations

import numpy as np

from geocbar.place.fits import Places, ProjectionFit, aicc, best_deletion, derivatives, hat_matrix, without

__all__ = ["FAR_PX", "FAR_SIGMA", "believable", "with_deletions"]

#: A point is left out only if it lies further off than so many standard deviations and pixels.
FAR_SIGMA, FAR_PX = 5.0, 3.0

#: Where the other points do not fit better than this, in pixels, the projection is wrong and no point is left out.
MOST_SIGMA = 2.0

#: Largest share of the points that are left out: one in five.
SHARE = 5

#: Probability, over all points, that a good one is left out by chance.
CHANCE = 0.004

#: How many of the best fits are tried without some of their points.
FRONTIER, REFITTED = 40, 12

#: Pairs are sought among this many points at most.
MOST_IN_PAIRS = 40


def with_deletions(places: Places, fits: list[ProjectionFit]) -> list[ProjectionFit]:
    """Fits with one or more points left out, where that explains the others much better.

    Single points and pairs are sought by the linearised fit, then refitted.

    Parameters
    ----------
    places : Places
    fits : list of ProjectionFit
        With all points, best score first.

    Returns
    -------
    list of ProjectionFit
        Only believable ones.
    """
    limit = len(places) // SHARE
    frontier, found = fits[:FRONTIER], []
    for _ in range(limit):
        ranked = []
        for fit in frontier:
            out = int((~fit.keep).sum())
            hat = hat_matrix(derivatives(fit, places), fit.keep)
            for size in (1, 2):
                if out + size > limit or (size == 2 and len(places) > MOST_IN_PAIRS):
                    continue
                dropped, rss = best_deletion(fit, hat, size)
                ranked.append((aicc(rss, 2 * len(places), fit.parameters + 2 * (out + size)), dropped, fit))
        ranked.sort(key=lambda r: r[0])
        frontier = [
            again for _, dropped, fit in ranked[:REFITTED] if (again := without(fit, places, dropped)) is not None
        ]
        if not frontier:
            break
        found += frontier
    return [fit for fit in found if believable(fit, places)]


def believable(fit: ProjectionFit, places: Places) -> bool:
    """Whether every point left out lies far from where the fit to the others puts it."""
    from scipy.special import fdtrc

    out = np.flatnonzero(~fit.keep)
    freedom = fit.freedom
    if not len(out):
        return True
    if len(out) > len(places) // SHARE or freedom < 2 or fit.sigma > MOST_SIGMA:
        return False
    sigma = fit.sigma
    jacobian = np.nan_to_num(derivatives(fit, places))
    rows = np.repeat(fit.keep, 2)
    scale = np.maximum(np.linalg.norm(jacobian[rows], axis=0), 1e-300)
    covariance = np.linalg.pinv((jacobian[rows] / scale).T @ (jacobian[rows] / scale))
    for i in out:
        miss = fit.residuals[i]
        if not np.isfinite(miss).all():
            continue
        if np.hypot(*miss) <= max(FAR_SIGMA * sigma, FAR_PX):
            return False
        own = jacobian[2 * i : 2 * i + 2] / scale
        spread = (np.eye(2) + own @ covariance @ own.T) * max(sigma, 0.3) ** 2
        ratio = float(miss @ np.linalg.solve(spread, miss)) / 2
        if fdtrc(2, freedom, ratio) * len(places) > CHANCE:
            return False
    return True
