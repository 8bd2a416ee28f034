"""Which projection is this map drawn in? Every candidate is fitted, and Akaike's criterion chooses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geocbar.place.candidates import FAMILIES, Family, wrap_longitudes
from geocbar.place.fits import CUT_DEGREES, Places, ProjectionFit, planes_of, refine
from geocbar.place.posts import fit_posts, to_complex

__all__ = ["fit_family", "screen", "twins"]

#: Maps that span less than this many degrees of longitude are not searched for far-away central meridians.
REGIONAL = 100.0

#: How many cuts, between the points or at one of them, are tried.
MOST_CUTS = 30

#: How many fits that are best on the globe's first figure are tried on the other, too.
TWINS = 12


def _lon_starts(family: Family, places: Places) -> NDArray[np.float64]:
    """Central meridians to begin with."""
    if not family.centred:
        if places.span <= 180 or family.shape:
            return np.array([places.middle])
        return _opposite_gaps(places)[0]
    near = places.middle + np.array([0.0, -8, 8, -20, 20, -40, 40])
    if places.span < REGIONAL and (family.turning or family.shape or family.key in ("tmerc", "cass", "poly")):
        return near
    return np.concatenate([*_opposite_gaps(places), near, places.middle + np.arange(-180.0, 180, 15)])


def _opposite_gaps(places: Places) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Central meridians of maps cut in the middle of a gap between the points, and of those cut at one of them."""
    turn = np.unique(places.lon % 360)
    gaps = np.diff(np.append(turn, turn[0] + 360))
    order = np.argsort(-gaps, kind="stable")[:MOST_CUTS]
    return (turn + gaps / 2 + 180)[order] % 360, (turn[order] + 180) % 360


def _shape_starts(family: Family, places: Places) -> list[NDArray[np.float64]]:
    """Shape parameters to begin with."""
    low, high = float(places.lat.min()), float(places.lat.max())
    middle = float(np.clip((low + high) / 2, -85, 85))
    side = -1.0 if middle < 0 else 1.0
    if not family.shape:
        return [np.zeros(0)]
    if family.shape == ("lat_0",):
        return [np.array([lat]) for lat in {middle, 0.0, 30 * side, 60 * side, float(np.clip(middle + 20, -85, 85))}]
    if family.shape == ("lat_1",):
        return [np.array([lat]) for lat in {side * max(abs(middle), 8.0), 20 * side, 45 * side, 70 * side}]
    if family.shape == ("middle", "spread"):
        spread = float(np.clip((high - low) / 3, 1.0, 25.0))
        return [np.array([lat * side, spread]) for lat in {max(abs(middle), 10.0), 25.0, 45.0}]
    if family.shape == ("lat_0", "log_height"):
        return [np.array([lat, 10 * np.log(h)]) for lat in (middle, 0.0, 30 * side) for h in (2e6, 1e7, 3.5785831e7)]
    if family.shape == ("lat_0", "alpha"):
        return [np.array([middle, alpha]) for alpha in (-75.0, -45, -15, 15, 45, 75)]
    return [np.array([lat]) for lat in (90 - abs(middle), 40.0, 70.0)]


def _ranked_starts(
    family: Family, ellipsoid: bool, post: str, places: Places, keep: NDArray[np.bool_], robust: bool
) -> list[tuple[float, NDArray[np.float64]]]:
    """(misfit, start vector) of every start, best first."""
    pixels, given = to_complex(places.pixels[keep], down=True), places.weights[keep]
    lon = _lon_starts(family, places)
    ranked = []
    for shape in _shape_starts(family, places):
        planes = to_complex(planes_of(family, ellipsoid, places, lon, shape)[:, keep])
        # Points at the cut may lie on either edge: they tell nothing yet.
        at_cut = np.abs(np.abs(wrap_longitudes(places.lon[keep], lon[:, None])) - 180) < CUT_DEGREES * family.centred
        weights = np.where(at_cut, 1e-9, given)
        _, rest = fit_posts(planes, pixels, post, weights)
        for _ in range(4 if robust else 0):
            length = np.where(np.isfinite(rest), np.abs(rest), 1e6)
            _, rest = fit_posts(planes, pixels, post, weights / np.maximum(length, 0.5))
        length = np.abs(rest)
        misfit = ((weights * length) if robust else (weights * length**2)).sum(axis=1)
        ranked += [(float(m), np.append(centre, shape)) for m, centre in zip(misfit, lon, strict=True)]
    return sorted((r for r in ranked if np.isfinite(r[0])), key=lambda r: r[0])


def fit_family(
    family: Family,
    places: Places,
    ellipsoid: bool,
    keep: NDArray[np.bool_] | None = None,
    robust: bool = False,
    hopeless: float = np.inf,
) -> list[ProjectionFit]:
    """The best fits of one family, one for each post.

    Parameters
    ----------
    family : Family
    places : Places
    ellipsoid : bool
    keep : (n,) bool array, optional
    robust : bool
        Least absolute distances, for points among which some are wrong.
    hopeless : float
        A sum of squares above which slow progress is given up.

    Returns
    -------
    list of ProjectionFit
    """
    keep = np.ones(len(places), bool) if keep is None else keep
    fits: list[ProjectionFit] = []
    before: ProjectionFit | None = None
    for post in family.posts:
        ranked = _ranked_starts(family, ellipsoid, post, places, keep, robust)
        starts = [vector for _, vector in ranked[:1]]
        if family.shape or family.centred:
            starts += [v for _, v in ranked[1:] if np.abs(v - starts[0]).max() > 12][:1] if before is None else []
        if before is not None:
            starts.append(np.concatenate([[before.lon_0], before.shape]))
        found = [refine(places, family, ellipsoid, post, v, keep, robust=robust, hopeless=hopeless) for v in starts]
        good = [fit for fit in found if fit is not None]
        if good:
            before = min(good, key=lambda fit: fit.rss)
            fits.append(before)
    return fits


def screen(
    places: Places, families: Iterable[Family] = FAMILIES, keep: NDArray[np.bool_] | None = None, robust: bool = False
) -> list[ProjectionFit]:
    """Fit every candidate family with every post, best score first.

    Families that differ on an ellipsoid are fitted on it; those that come out well on the sphere too.
    """
    fits: list[ProjectionFit] = []
    hopeless = np.inf
    # Those with little to search first: the best of them tells when a search is not worth going on.
    for family in sorted(families, key=lambda f: (len(f.shape), f.centred and not f.turning)):
        found = fit_family(family, places, family.ellipsoidal and not places.body.is_sphere, keep, robust, hopeless)
        fits += found
        hopeless = min([hopeless, *(50 * max(fit.rss, len(places)) for fit in found)])
    fits += twins(places, sorted(fits, key=lambda fit: fit.aicc)[:TWINS], robust)
    return sorted(fits, key=lambda fit: fit.aicc)


def twins(places: Places, fits: list[ProjectionFit], robust: bool = False) -> list[ProjectionFit]:
    """The same fits on the other figure of the globe, where there is one."""
    out = []
    for fit in fits:
        if fit.family.ellipsoidal and not fit.family.fixed and not places.body.is_sphere:
            start = np.concatenate([[fit.lon_0], fit.shape])
            twin = refine(places, fit.family, not fit.ellipsoid, fit.post, start, fit.keep, fit.held, robust)
            if twin is not None:
                out.append(replace(twin, charge=fit.charge))
    return out
