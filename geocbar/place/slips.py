"""Typical slips in a table of control points, recognised and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geocbar.place.gcps import (
    MARGIN,
    ON_LINE,
    GroundControlPoints,
    affine_terms,
    is_geographic,
    thinness,
    unwrap_longitudes,
)

__all__ = ["SLIP_KINDS", "Slip", "name_slips"]

#: What :func:`name_slips` can recognise.
SLIP_KINDS = (
    "lines-upwards",
    "lon-lat-swapped",
    "pixel-line-swapped",
    "lon-sign",
    "lat-sign",
    "both-signs",
    "wrap",
    "digit",
    "exchanged",
)

#: How closely, as a share of the picture, the other points must place one for a slip to be named.
DECENT = 0.03

#: The same, as a share of how far off the point is.
SHARP = 0.05

#: Pairs of slips are sought among this many points at most.
MOST_IN_PAIRS = 14

Pair = NDArray[np.float64]


@dataclass(frozen=True)
class Slip:
    """A typing error that would explain why control points do not fit.

    Parameters
    ----------
    kind : str
        One of :data:`SLIP_KINDS`.
    points : tuple of str
        Names of the points concerned; all that are switched on if the whole set is.
    sentence : str
        What was found and what to type.
    factor : float
        By how much the RMSE falls when it is corrected; for a mirrored set, the RMSE of a fit by shift, turn
        and scale.
    """

    kind: str
    points: tuple[str, ...]
    sentence: str
    factor: float


@dataclass(frozen=True, eq=False)
class _Claim:
    """Slips found together, the points corrected for them, and the RMSE (per degree of freedom) left."""

    slips: tuple[Slip, ...]
    corrected: GroundControlPoints
    sigma: float


class _Correction(NamedTuple):
    """What one point would be, had it been typed otherwise."""

    kind: str
    pixel: NDArray[np.float64]
    world: NDArray[np.float64]
    advice: str


class _Rest(NamedTuple):
    """A fit to the points not left out."""

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    sigma: float


Terms = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def _yardsticks(used: GroundControlPoints, geographic: bool) -> list[Terms]:
    """Families of maps a correct set may belong to: affine, around a pole, second order."""
    centre = np.median(used.world, axis=0)
    scale = max(float(np.median(np.abs(used.world - centre)) * 2), 1e-9)
    south = np.median(used.world[:, 1]) < 0

    def affine(world: NDArray[np.float64]) -> NDArray[np.float64]:
        return affine_terms((world - centre) / scale)

    def polar(world: NDArray[np.float64]) -> NDArray[np.float64]:
        lat = np.clip(-world[:, 1] if south else world[:, 1], -89, 90)
        radius, turn = np.tan(np.radians(45 - lat / 2)), np.radians(world[:, 0])
        return np.column_stack([np.ones(len(world)), radius * np.cos(turn), radius * np.sin(turn)])

    def second(world: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = ((world - centre) / scale).T
        return np.column_stack([np.ones(len(world)), x, y, x * x, x * y, y * y])

    one_side = (used.world[:, 1] < 0) == south
    return [affine, *([polar] if geographic and one_side.sum() >= len(used) - 2 else []), second]


def _fit_rest(terms: NDArray[np.float64], pixels: NDArray[np.float64], out: Sequence[int]) -> _Rest | None:
    """Fit without some points; None if too few are left (four for 3 terms, eight for 6) or they lie on a line."""
    left = np.delete(terms, list(out), axis=0)
    target = np.delete(pixels, list(out), axis=0)
    n, p = left.shape
    if 3 * (n - p) < p:
        return None
    coefficients, _, _, singular = np.linalg.lstsq(left, target, rcond=None)
    if singular[-1] < 1e-6 * singular[0]:
        return None
    rest = target - left @ coefficients
    covariance = np.asarray(np.linalg.inv(left.T @ left), dtype=np.float64)
    return _Rest(np.asarray(coefficients), covariance, float(np.sqrt((rest**2).sum() / (2 * (n - p)))))


def _distance(rest: _Rest, term: NDArray[np.float64], pixel: NDArray[np.float64]) -> tuple[float, float]:
    """Distance (px) of a point from where the others put it; standard error of that place in their sigma."""
    distance = float(np.linalg.norm(pixel - term @ rest.coefficients))
    return distance, float(np.sqrt(1 + term @ rest.covariance @ term))


def _corrections(pixel: NDArray[np.float64], world: NDArray[np.float64], geographic: bool) -> Iterator[_Correction]:
    """What a point could have been meant to be; the likelier first."""
    (col, row), (x, y) = pixel, world
    xname, yname = ("longitude", "latitude") if geographic else ("easting", "northing")

    def moved(kind: str, index: int, value: float) -> _Correction:
        place = np.array([col, row, x, y])
        name = ("pixel", "line", xname, yname)[index]
        advice = f"type {name} {value:.10g} instead of {place[index]:.10g}"
        place[index] = value
        return _Correction(kind, place[:2], place[2:], advice)

    if geographic:
        yield moved("wrap", 2, x + 360)
        yield moved("wrap", 2, x - 360)
    yield moved("lon-sign", 2, -x)
    yield moved("lat-sign", 3, -y)
    both = f"type {xname} {-x:.10g}, {yname} {-y:.10g} instead of {x:.10g}, {y:.10g}"
    yield _Correction("both-signs", pixel, -world, both)
    swapped = f"swap {xname} and {yname}: {xname} {y:.10g}, {yname} {x:.10g}"
    yield _Correction("lon-lat-swapped", pixel, world[::-1], swapped)
    swapped = f"swap pixel and line: pixel {row:.10g}, line {col:.10g}"
    yield _Correction("pixel-line-swapped", pixel[::-1], world, swapped)
    for index, value in enumerate((col, row, x, y)):
        yield moved("digit", index, value * 10)
        yield moved("digit", index, value / 10)
        if index < 2 or (index == 2 and geographic):
            yield moved("digit", index, value + 100)
            yield moved("digit", index, value - 100)


def _possible(pixel: NDArray[np.float64], world: NDArray[np.float64], size: Pair, geographic: bool) -> bool:
    """Whether places lie in (or nearly in) the picture and on Earth."""
    inside = (pixel >= -MARGIN * size).all() and (pixel <= (1 + MARGIN) * size).all()
    return bool(inside and not (geographic and (np.abs(world) > np.array([360, 90])).any()))


def _explain(
    used: GroundControlPoints, terms_of: Terms, out: tuple[int, ...], size: Pair, geographic: bool
) -> _Claim | None:
    """Find the slips that would bring the points left out to where the others put them.

    Two points left out are either exchanged or each has a slip of its own.
    """
    terms = terms_of(used.world)
    rest = _fit_rest(terms, used.pixels, out)
    if rest is None or 3 * rest.sigma > DECENT * size.max():
        return None
    before = [_distance(rest, terms[i], used.pixels[i])[0] for i in out]
    if 3 * rest.sigma > max(SHARP * min(before), 24) or min(before) <= max(3.0, 0.01 * size.max()):
        return None

    def accepted(correction: _Correction, distance: float) -> float:
        if not _possible(correction.pixel, correction.world, size, geographic):
            return np.inf
        after, spread = _distance(rest, terms_of(correction.world[None])[0], correction.pixel)
        far = max(5 * rest.sigma * spread, 3.0, 0.01 * size.max())
        limit = max(3 * rest.sigma, 2.0) * spread
        sharp = limit <= max(SHARP * distance, 4 * spread) and limit <= DECENT * size.max()
        return after if distance > far and after <= limit and sharp and spread <= 6 else np.inf

    choices: list[list[_Correction]] = []
    if len(out) == 2:
        advice = f"exchange their {'longitudes and latitudes' if geographic else 'eastings and northings'}"
        i, j = out
        choices.append([_Correction("exchanged", used.pixels[a], used.world[b], advice) for a, b in ((i, j), (j, i))])
    if len(out) == 1 or len(used) - 2 >= terms.shape[1] + 2:
        ranked: list[_Correction] = []
        for i, distance in zip(out, before, strict=True):
            corrections = list(_corrections(used.pixels[i], used.world[i], geographic))
            after = [accepted(c, distance) for c in corrections]
            if np.isinf(min(after)):
                ranked.clear()
                break
            ranked.append(corrections[int(np.argmin(after))])
        choices += [ranked] if ranked else []
    for choice in choices:
        after = [accepted(c, d) for c, d in zip(choice, before, strict=True)]
        if np.isfinite(after).all():
            return _claim(used, terms_of, out, choice, before, after)
    return None


def _claim(
    used: GroundControlPoints,
    terms_of: Terms,
    out: tuple[int, ...],
    choice: Sequence[_Correction],
    before: Sequence[float],
    after: Sequence[float],
) -> _Claim:
    """Put what was found into words and correct it."""
    pixels, world = used.pixels.copy(), used.world.copy()
    for i, correction in zip(out, choice, strict=True):
        pixels[i], world[i] = correction.pixel, correction.world
    corrected = replace(used, pixels=pixels, world=world)
    old, new = (_rmse(terms_of(points.world), points.pixels) for points in (used, corrected))
    factor = old / max(new, 1e-9)
    slips = []
    names = tuple(used.names[i] for i in out)
    if choice[0].kind == "exchanged":
        sentence = (
            f"Points {names[0]!r} and {names[1]!r} lie {before[0]:.0f} and {before[1]:.0f} px from where the"
            f" others put them, and {after[0]:.1f} and {after[1]:.1f} px if you {choice[0].advice}."
        )
        slips.append(Slip("exchanged", names, sentence, factor))
    else:
        for name, correction, far, near in zip(names, choice, before, after, strict=True):
            sentence = (
                f"Point {name!r} lies {far:.0f} px from where the others put it, and {near:.1f} px if you"
                f" {correction.advice}."
            )
            slips.append(Slip(correction.kind, (name,), sentence, factor))
    freedom = 2 * (len(used) - terms_of(world[:1]).shape[1])
    return _Claim(tuple(slips), corrected, new * float(np.sqrt(2 * len(used) / freedom)))


def _rmse(terms: NDArray[np.float64], pixels: NDArray[np.float64]) -> float:
    """Root mean square distance (px) left by a least-squares fit; each point counts once."""
    rest = pixels - terms @ np.linalg.lstsq(terms, pixels, rcond=None)[0]
    return float(np.sqrt((rest**2).sum() / len(rest)))


def _is_explained(terms: NDArray[np.float64], pixels: NDArray[np.float64], size: Pair) -> bool:
    """Whether a family of maps fits all points, and not by bending to a single one of them."""
    rest = _fit_rest(terms, pixels, ())
    if rest is None or len(terms) < terms.shape[1] + 2:
        return False
    leverage = np.einsum("ij,jk,ik->i", terms, rest.covariance, terms)
    return bool(rest.sigma <= max(1.5, 0.002 * size.max()) and leverage.max() < 0.95)


def _contradicts(
    terms_of: Terms, given: GroundControlPoints, corrected: GroundControlPoints, out: tuple[int, ...]
) -> bool:
    """Whether a family of maps that places a point firmly finds it worse placed after a correction."""
    rest = _fit_rest(terms_of(given.world), given.pixels, out)
    if rest is None:
        return False
    for i in out:
        was, spread = _distance(rest, terms_of(given.world)[i], given.pixels[i])
        now, _ = _distance(rest, terms_of(corrected.world)[i], corrected.pixels[i])
        if spread <= 3 and now > was:
            return True
    return False


def _best_claim(used: GroundControlPoints, size: Pair, geographic: bool) -> _Claim | None:
    """The slip of one point or of a pair that leaves the smallest error, if any is convincing."""
    yardsticks = _yardsticks(used, geographic)
    if any(_is_explained(terms_of(used.world), used.pixels, size) for terms_of in yardsticks):
        return None
    everyone = range(len(used))
    for number in (1, 2):
        suspects = list(everyone)
        if number == 2 and len(used) > MOST_IN_PAIRS:
            terms = yardsticks[0](used.world)
            far = np.linalg.norm(used.pixels - terms @ np.linalg.lstsq(terms, used.pixels, rcond=None)[0], axis=1)
            suspects = sorted(np.argsort(-far)[:MOST_IN_PAIRS].tolist())
        claims = [
            claim
            for terms_of in yardsticks
            for out in combinations(suspects, number)
            if (claim := _explain(used, terms_of, out, size, geographic)) is not None
            and claim.slips[0].factor >= 4
            and not any(_contradicts(judge, used, claim.corrected, out) for judge in (yardsticks[0], yardsticks[-1]))
        ]
        if claims:
            return min(claims, key=lambda claim: claim.sigma)
    return None


def _turn(used: GroundControlPoints) -> tuple[float, float, float]:
    """How an affine fit turns the map.

    Returns
    -------
    handedness : float
        Negative for a map seen from above, positive for its mirror image (lines grow downwards).
    angle : float
        Turn away from north up, in degrees, 0 to 180.
    rmse : float
        In px, per degree of freedom.
    """
    n = len(used)
    centred = used.world - used.world.mean(axis=0)
    terms = affine_terms(centred / np.abs(centred).max())
    matrix = np.linalg.lstsq(terms, used.pixels, rcond=None)[0][1:].T
    upright = matrix * [[1.0], [-1.0]] / np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
    angle = np.degrees(np.arctan2(upright[1, 0] - upright[0, 1], upright[0, 0] + upright[1, 1]))
    rmse = _rmse(terms, used.pixels) * np.sqrt(n / (n - 3))
    return float(np.linalg.det(matrix)), abs(float(angle)), float(rmse)


def _similarity_rmse(used: GroundControlPoints) -> float:
    """RMSE (px) of a fit by shift, turn and one scale, which cannot mirror."""
    source = (used.world - used.world.mean(axis=0)) @ [1, 1j]
    target = (used.pixels - used.pixels.mean(axis=0)) @ [1, -1j]
    factor = np.vdot(source, target) / np.vdot(source, source).real
    return float(np.sqrt(np.mean(np.abs(target - factor * source) ** 2)))


def _mirrored(used: GroundControlPoints, size: Pair, geographic: bool) -> Slip | None:
    """Name the slip that mirrors the whole set: no map of the Earth is a mirror image."""
    if len(used) < 4 or thinness(used.world) < ON_LINE:
        return None
    handedness, _, rmse = _turn(used)
    spread = float(np.sqrt(((used.pixels - used.pixels.mean(axis=0)) ** 2).sum(axis=1).mean()))
    if handedness <= 0 or rmse > 0.05 * spread or _around_pole(used, rmse, geographic):
        return None
    pixels, world = used.pixels, used.world
    x, y = ("longitude", "latitude") if geographic else ("easting", "northing")
    upwards = f"lines are counted upwards: type {size[1]:g} minus the line"
    if geographic and np.all(world[:, 1] > 0):
        upwards += ", or southern latitudes want a minus"
    candidates = [
        ("lines-upwards", [0, size[1]] + pixels * [1, -1], world, upwards),
        ("lon-lat-swapped", pixels, world[:, ::-1], f"{x} and {y} are swapped: exchange the two columns"),
        (
            "pixel-line-swapped",
            pixels[:, ::-1],
            world,
            "pixel and line are swapped: exchange the two columns",
        ),
        (
            "lon-sign",
            pixels,
            world * [-1, 1],
            f"every {x} has the wrong sign: type {-world[0, 0]:g} for {world[0, 0]:g}",
        ),
    ]
    ranked = []
    for kind, new_pixels, new_world, what in candidates:
        if all(_possible(p, w, size, geographic) for p, w in zip(new_pixels, new_world, strict=True)):
            corrected = replace(used, pixels=new_pixels, world=new_world)
            ranked.append((_turn(corrected)[1], kind, what, corrected))
    if not ranked:
        return None
    _, kind, what, corrected = ranked[int(np.argmin([choice[0] for choice in ranked]))]
    return Slip(
        kind,
        used.names,
        f"All {len(used)} points together give a mirror image; {what}.",
        _similarity_rmse(used) / max(_similarity_rmse(corrected), 1e-9),
    )


def _around_pole(used: GroundControlPoints, rmse: float, geographic: bool) -> bool:
    """Whether a map around a pole, the right way round, fits better than an affine one."""
    south = np.median(used.world[:, 1]) < 0
    yardsticks = _yardsticks(used, geographic)
    if len(yardsticks) < 3:
        return False
    terms = yardsticks[1](used.world)
    matrix = np.linalg.lstsq(terms, used.pixels, rcond=None)[0][1:].T
    mirrored = (np.linalg.det(matrix) > 0) != south
    return not mirrored and _rmse(terms, used.pixels) * np.sqrt(len(used) / (len(used) - 3)) < rmse


def name_slips(gcps: GroundControlPoints, width: int, height: int) -> list[Slip]:
    """Recognise typical typing errors in control points.

    A mirrored set is named by the correction that leaves north most nearly up. A single point, or a pair, is
    named if it lies further than 5 sigma, 3 px and 1 % of the picture from where the other points put it (by
    an affine, a second-order or a polar fit without it) and a slip people make brings it back within 3 sigma
    or 2 px. Nothing is claimed where the other points do not fit well themselves, or where one of the three
    families of maps fits all points as they are.

    Parameters
    ----------
    gcps : GroundControlPoints
        Points switched off are ignored.
    width, height : int
        Size of the picture in pixels.

    Returns
    -------
    list of Slip
        Slips of the whole set first. Empty if nothing is recognised, which does not mean that all is well.

    Notes
    -----
    An affine fit needs five points to name one slip, six to name two; longitudes that run across the date
    line in more than one point are no slip, see :func:`unwrap_longitudes`.

    Examples
    --------
    >>> lon, lat = [0, 10, 20, 0, 10, -20], [50, 50, 50, 40, 45, 40]
    >>> col, row = [0, 100, 200, 0, 100, 200], [0, 0, 0, 100, 50, 100]
    >>> points = GroundControlPoints(list(zip(col, row)), list(zip(lon, lat)))
    >>> print(name_slips(points, 200, 100)[0].sentence)
    Point '6' lies 400 px from where the others put it, and 0.0 px if you type longitude 20 instead of -20.
    """
    used = gcps.used()
    if len(used) < 4:
        return []
    geographic = is_geographic(used.crs)
    size = np.array([width, height], dtype=np.float64)
    turned = unwrap_longitudes(used)
    turns = np.rint((turned.world - used.world)[:, 0] / 360)
    if int(np.count_nonzero(turns != np.median(turns))) > 1:
        used = turned
    slips: list[Slip] = []
    for _ in range(max(1, len(used) // 4)):
        claim = _best_claim(used, size, geographic)
        if claim is None or {p for s in slips for p in s.points} & {p for s in claim.slips for p in s.points}:
            break
        slips += claim.slips
        used = claim.corrected
    whole = _mirrored(used, size, geographic)
    return [whole, *slips] if whole is not None else slips
