"""Ground control points, and what is suspicious about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError, NotFoundError

__all__ = [
    "SLIP_KINDS",
    "GroundControlPoints",
    "Slip",
    "check_gcps",
    "is_geographic",
    "name_slips",
    "unwrap_longitudes",
]

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

#: How far outside the picture a point may lie, as a share of its size.
MARGIN = 0.1

#: Smallest over largest singular value below which points count as lying on one line.
ON_LINE = 1e-3

#: How closely, as a share of the picture, the other points must place one for a slip to be named.
DECENT = 0.03

#: The same, as a share of how far off the point is.
SHARP = 0.05

#: Pairs of slips are sought among this many points at most.
MOST_IN_PAIRS = 14

Pair = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroundControlPoints:
    """Places that are known both in the picture and on Earth.

    Parameters
    ----------
    pixels : (n, 2) float array
        ``(col, row)`` in pixels; the centre of the top-left pixel is (0.5, 0.5).
    world : (n, 2) float array
        ``(x, y)`` in `crs`: (lon, lat) in degrees or (easting, northing), always in this order.
    crs : str
        Coordinate reference system of `world`, anything pyproj understands.
    names : tuple of str
        One name a point; numbered from 1 if empty.
    enabled : (n,) bool array or None
        Points switched off are kept and reported but take no part in a fit. None: all take part.

    Raises
    ------
    InvalidInputError
        If the shapes do not match or a coordinate is not finite.
    """

    pixels: NDArray[np.float64]
    world: NDArray[np.float64]
    crs: str = "EPSG:4326"
    names: tuple[str, ...] = ()
    enabled: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        pixels = np.array(self.pixels, dtype=np.float64).reshape(-1, 2)
        world = np.array(self.world, dtype=np.float64).reshape(-1, 2)
        n = len(pixels)
        enabled = np.ones(n, bool) if self.enabled is None else np.array(self.enabled, dtype=bool)
        names = tuple(self.names) or tuple(str(i + 1) for i in range(n))
        if len(world) != n or len(enabled) != n or len(names) != n:
            raise InvalidInputError(
                f"{n} pixel places, {len(world)} world places, {len(names)} names and {len(enabled)} switches"
                " do not pair up."
            )
        if not (np.isfinite(pixels).all() and np.isfinite(world).all()):
            raise InvalidInputError("A control point has a coordinate that is not a finite number.")
        for array in (pixels, world, enabled):
            array.setflags(write=False)
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "world", world)
        object.__setattr__(self, "enabled", enabled)
        object.__setattr__(self, "names", names)

    def __len__(self) -> int:
        return len(self.pixels)

    def used(self) -> GroundControlPoints:
        """Only the points that are switched on."""
        on = np.asarray(self.enabled)
        return GroundControlPoints(
            self.pixels[on],
            self.world[on],
            self.crs,
            tuple(n for n, use in zip(self.names, on, strict=True) if use),
        )


@lru_cache(maxsize=64)
def is_geographic(crs: str) -> bool:
    """Whether a coordinate reference system counts in degrees of longitude and latitude.

    Raises
    ------
    NotFoundError
        If pyproj does not know the system.

    Examples
    --------
    >>> is_geographic("EPSG:4326"), is_geographic("EPSG:3857")
    (True, False)
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return bool(CRS.from_user_input(crs).is_geographic)
    except CRSError:
        shown = crs if len(crs) <= 60 else f"{crs[:60]}…"
        raise NotFoundError(
            f"There is no coordinate reference system {shown!r}.",
            "Give a code such as EPSG:4326, a PROJ string or WKT.",
        ) from None


def check_gcps(gcps: GroundControlPoints, width: int, height: int) -> list[str]:
    """Refuse control points no transform can be fitted to, and note what is merely suspicious.

    Only points that are switched on are looked at.

    Parameters
    ----------
    gcps : GroundControlPoints
        At least one of them switched on.
    width, height : int
        Size of the picture in pixels.

    Returns
    -------
    list of str
        One sentence for each thing worth a look: points a little outside the picture, points nearly on one
        line, points in a small part of the picture. Empty if there is none.

    Raises
    ------
    InvalidInputError
        If no point is switched on; a longitude or latitude is out of range; a point lies more than 10 % of
        the picture outside of it; two points share a place in the picture, or a place on Earth more than 3 px
        apart (the poles excepted); all points lie on one line.
    """
    used = gcps.used()
    if len(used) == 0:
        raise InvalidInputError("No control point is switched on.", "Switch at least three on: enable = 1.")
    geographic = is_geographic(used.crs)
    if geographic:
        _require_degrees(used)
    notes = _require_inside(used, width, height)
    _require_single(used, geographic)
    return notes + _require_spread(used, geographic, width, height)


def _quoted(names: Iterable[str]) -> str:
    """Names as ``'A', 'B' and 3 more``."""
    every = [f"'{name}'" for name in names]
    return ", ".join(every[:6]) + (f" and {len(every) - 6} more" if len(every) > 6 else "")


def _require_degrees(used: GroundControlPoints) -> None:
    """Refuse latitudes beyond 90 and longitudes beyond 360 degrees."""
    lon, lat = used.world.T
    if np.abs(lon).max() <= 360 and np.abs(lat).max() <= 90:
        return
    i = int(np.argmax(np.maximum(np.abs(lat) / 90, np.abs(lon) / 360)))
    hint = f"Correct point '{used.names[i]}'."
    if np.abs(used.world).max() > 1000:
        hint = f"These look like metres, but the CRS is {used.crs}: give the right CRS, such as EPSG:32633."
    elif np.abs(lon).max() <= 90 and np.abs(lat).max() <= 360:
        hint = "Longitude and latitude look swapped in all points: swap the two columns."
    elif abs(lon[i]) <= 90 and abs(lat[i]) <= 360:
        hint = f"Longitude and latitude of point '{used.names[i]}' look swapped: swap the two numbers."
    raise InvalidInputError(
        f"Point '{used.names[i]}' has longitude {lon[i]:g} and latitude {lat[i]:g}; longitudes end at 360 and"
        " latitudes at 90 degrees.",
        hint,
    )


def _require_inside(used: GroundControlPoints, width: int, height: int) -> list[str]:
    """Refuse points far outside the picture; note those a little outside."""
    size = np.array([width, height], dtype=np.float64)
    beyond = np.maximum(-used.pixels, used.pixels - size) / size
    worst = beyond.max(axis=1)
    if worst.max() > MARGIN:
        i = int(np.argmax(worst))
        col, row = used.pixels[i]
        hint = f"Correct pixel and line of {_quoted(np.array(used.names)[worst > MARGIN])}."
        if (used.pixels >= -0.5).all():
            factor = float((used.pixels / size).max())
            hint = (
                "Points of a picture of another size? They would fit one of at least"
                f" {width * factor:.0f} x {height * factor:.0f} px."
            )
        raise InvalidInputError(
            f"Point '{used.names[i]}' lies at pixel {col:g}, line {row:g}, outside the picture, which is"
            f" {width} x {height} px.",
            hint,
        )
    outside = np.array(used.names)[worst > 0]
    return [f"Outside the picture, though not far: {_quoted(outside)}."] if len(outside) else []


def _require_single(used: GroundControlPoints, geographic: bool) -> None:
    """Refuse two points at one place in the picture, or one place on Earth at two places in the picture."""
    apart = np.linalg.norm(used.pixels[:, None] - used.pixels[None], axis=2)
    span = np.maximum(np.ptp(used.world, axis=0).max(), 1e-9)
    same_world = np.abs(used.world[:, None] - used.world[None]).max(axis=2) <= 1e-9 * span
    pole = (np.abs(used.world[:, 1]) > 89.999) & geographic
    for i, j in np.argwhere(np.triu(apart <= 0.01, 1)):
        a, b = used.names[i], used.names[j]
        if same_world[i, j]:
            raise InvalidInputError(f"Points '{a}' and '{b}' are the same point.", "Delete one of them.")
        raise InvalidInputError(
            f"Points '{a}' and '{b}' have one place in the picture, pixel {used.pixels[i, 0]:g}, line"
            f" {used.pixels[i, 1]:g}, but two on Earth.",
            "Correct one of them or switch it off.",
        )
    for i, j in np.argwhere(np.triu(same_world & (apart > 3) & ~pole[:, None], 1)):
        raise InvalidInputError(
            f"Points '{used.names[i]}' and '{used.names[j]}' have one place on Earth, {used.world[i, 0]:g},"
            f" {used.world[i, 1]:g}, but lie {apart[i, j]:.0f} px apart in the picture.",
            "Correct one of them or switch it off.",
        )


def _thinness(places: NDArray[np.float64]) -> float:
    """Smallest over largest singular value of centred places: 0 on a line, 1 all round."""
    small, large = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)[[1, 0]]
    return float(small / large) if large > 0 else 0.0


def _require_spread(used: GroundControlPoints, geographic: bool, width: int, height: int) -> list[str]:
    """Refuse points on one line; note those that are nearly so or crowd in a corner.

    One parallel all round a polar map is a line in longitude and latitude, a circle in the picture, and passes.
    """
    if len(used) < 3:
        return []
    thin, thin_world = _thinness(used.pixels), _thinness(used.world)
    lon, lat = used.world.T
    around_pole = geographic and np.ptp(lat) < 1e-3 * np.ptp(lon) and np.ptp(lon) > 180 and thin > 0.2
    where = "in the picture" if thin < ON_LINE else "on Earth" if thin_world < ON_LINE and not around_pole else ""
    if where:
        raise InvalidInputError(
            f"All {len(used)} control points lie on one line {where}.",
            "Add a point well off that line, or correct the coordinate that is the same in all of them.",
        )
    notes = []
    if thin < 0.05:
        notes.append("The control points lie nearly on one line: places off that line will be inaccurate.")
    share = float(np.prod(np.ptp(used.pixels, axis=0)) / (width * height))
    if share < 0.1:
        notes.append(f"The control points span {share:.0%} of the picture: places far from them will be inaccurate.")
    return notes


def unwrap_longitudes(gcps: GroundControlPoints) -> GroundControlPoints:
    """Shift longitudes by whole turns so that they run on across the date line.

    Candidates are the longitudes as given and those that begin at any of the points, from 0 to 360 and from -180
    to 180 among them; if the points leave more than half the globe free, only those that begin behind that gap.
    Each is judged by the RMSE of an affine fit. The given ones stay unless another candidate is at least three
    times and 5 px better.

    Parameters
    ----------
    gcps : GroundControlPoints
        Those switched off are shifted with the others.

    Returns
    -------
    GroundControlPoints
        `gcps` itself if nothing is gained, if there are fewer than four points or the CRS is not geographic.

    Examples
    --------
    >>> points = GroundControlPoints(
    ...     [[0, 0], [100, 0], [200, 0], [0, 90], [200, 90]],
    ...     [[170, 9], [180, 9], [-170, 9], [170, 0], [-170, 0]],
    ... )
    >>> unwrap_longitudes(points).world[:, 0].tolist()
    [170.0, 180.0, 190.0, 170.0, 190.0]
    """
    on = np.asarray(gcps.enabled)
    if on.sum() < 4 or not is_geographic(gcps.crs):
        return gcps
    lon = gcps.world[:, 0]

    def rmse(candidate: NDArray[np.float64]) -> float:
        world = np.stack([candidate, gcps.world[:, 1]], axis=1)[on]
        terms = _affine_terms(world - world.mean(axis=0))
        rest = gcps.pixels[on] - terms @ np.linalg.lstsq(terms, gcps.pixels[on], rcond=None)[0]
        return float(np.sqrt((rest**2).sum() / len(rest)))

    given, best, kept = rmse(lon), np.inf, lon
    starts = np.unique(lon[on] % 360)
    gaps = (starts - np.roll(starts, 1)) % 360
    if gaps.max() > 180:
        starts = starts[[int(np.argmax(gaps))]]
    for start in starts:
        candidate = start + (lon - start) % 360
        candidate -= 360 * np.ceil((candidate[on].max() + candidate[on].min()) / 720 - 0.5)
        error = rmse(candidate)
        if error < best - 1e-6:
            best, kept = error, candidate
    if given < 3 * best or given - best <= 5:
        return gcps
    return replace(gcps, world=np.stack([kept, gcps.world[:, 1]], axis=1))


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


def _affine_terms(world: NDArray[np.float64]) -> NDArray[np.float64]:
    """Terms 1, x, y."""
    return np.column_stack([np.ones(len(world)), world])


def _yardsticks(used: GroundControlPoints, geographic: bool) -> list[Terms]:
    """Families of maps a correct set may belong to: affine, around a pole, second order."""
    centre = np.median(used.world, axis=0)
    scale = max(float(np.median(np.abs(used.world - centre)) * 2), 1e-9)
    south = np.median(used.world[:, 1]) < 0

    def affine(world: NDArray[np.float64]) -> NDArray[np.float64]:
        return _affine_terms((world - centre) / scale)

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
    terms = _affine_terms(centred / np.abs(centred).max())
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
    if len(used) < 4 or _thinness(used.world) < ON_LINE:
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
