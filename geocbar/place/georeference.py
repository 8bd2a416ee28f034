"""Fit, compare, choose: from control points to a transform with its errors stated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.place.candidates import Family, project_fixed
from geocbar.place.cuts import Cut, cut_elsewhere, cut_of_flat, cut_of_projection, offsets_of
from geocbar.place.diagnostics import (
    at_world,
    jackknife_sigma,
    lattice,
    left_out_lengths,
    parameter_sigma,
    projected_transform,
)
from geocbar.place.fits import Places, ProjectionFit
from geocbar.place.gcps import ON_LINE, GroundControlPoints, thinness, unwrap_longitudes
from geocbar.place.local_crs import to_local_plane
from geocbar.place.map_crs import MapCrs, describe, find_map_crs, unusual_grids
from geocbar.place.models import (
    Globe,
    fit_flat,
    fit_named_projection,
    globe_of,
    linear_transform,
    places_of,
    points_needed,
    split_model,
)
from geocbar.place.paper import bent_paper, paper_sigma
from geocbar.place.projected import ProjectedTransform
from geocbar.place.projections import distance_km, require_crs
from geocbar.place.selection import Choice, choose
from geocbar.place.surfaces import PAPER, Surface, fit_surface, moved_surface
from geocbar.place.transforms import PolynomialTransform, Transform
from geocbar.place.verdicts import unidentified, verdict_notes, verdict_sentence

__all__ = ["Georeference", "Rival", "fit_georeference"]

#: Fewest control points that tell one projection from another.
FEWEST_FOR_AUTO = 5

#: With fewer points, an affine fit that misses one by more than this, in pixels, is refused.
STRAIGHT_PX = 5.0


#: Without a globe, a more complex model must lower the leave-one-out RMSE by this factor to be chosen ...
WORTHWHILE = 0.8
#: ... and by this many pixels: below it, control points are as good as clicks get.
CLICK_NOISE_PX = 0.3


@dataclass(frozen=True, eq=False)
class Rival:
    """Another projection that fits the control points about as well.

    Parameters
    ----------
    title : str
    worse : float
        By how much its score (AICc) is worse.
    differ_px : float
        Largest distance over the map between where it and the chosen one put a place, in pixels.
    transform : Transform
    """

    title: str
    worse: float
    differ_px: float
    transform: Transform


@dataclass(frozen=True, eq=False)
class Georeference:
    """A transform between world and pixel coordinates, and how well it meets the control points.

    All RMSE are ``sqrt(sum(dx^2 + dy^2) / n)`` over the n points used, without a correction for the number of
    parameters; the leave-one-out figures refit without the point in question and are the honest ones.

    Parameters
    ----------
    transform : Transform
        World (in `crs`) to pixel, and its exact inverse.
    crs : str
        Of the world coordinates.
    model : str
        ``"affine"``, ``"poly2"``, ...; ``"projection"`` for an inferred one.
    gcps : GroundControlPoints
        As given, switched-off points included; points left out as outliers are switched off.
    residuals : (n, 2) float array
        Fitted minus given pixel place, ``(dX, dY)``, for every point of `gcps`.
    residuals_km : (n,) float array
        Distance on the ground between the given place and where the transform puts its pixel; NaN for a CRS that is not
        on Earth's surface.
    left_out : (n,) float array
        Length in pixels of the residual when the point itself takes no part in the fit; NaN where the others do not
        suffice.
    notes : tuple of str
        What a person should know.
    leverage : (n,) float array or None
        How far each point determines its own fitted place, from 0 to 1; 0 for points not used.
    rejected : tuple of str
        Names of the points left out as outliers.
    sentence : str
        What was chosen, and what else it could be.
    rivals : tuple of Rival
        Best first.
    fit : ProjectionFit or None
        The projection, if it is one.
    places : Places or None
        The points used, as the fit saw them.
    bend : Surface or None
        The smooth surface, alone or on the projection, if auto fell back on one.
    size : (int, int) or None
        Of the picture.
    weights : (n,) float array or None
        Of the points used.
    open_questions : tuple of str
        What the control points do not tell of the projection.
    cut : Cut or None
        Where the map begins and ends, if its projection does not tell; None as well for maps not in degrees.
    """

    transform: Transform
    crs: str
    model: str
    gcps: GroundControlPoints
    residuals: NDArray[np.float64]
    residuals_km: NDArray[np.float64]
    left_out: NDArray[np.float64]
    notes: tuple[str, ...] = ()
    leverage: NDArray[np.float64] | None = None
    rejected: tuple[str, ...] = ()
    sentence: str = ""
    rivals: tuple[Rival, ...] = ()
    fit: ProjectionFit | None = None
    places: Places | None = None
    bend: Surface | None = None
    size: tuple[int, int] | None = None
    weights: NDArray[np.float64] | None = None
    open_questions: tuple[str, ...] = ()
    cut: Cut | None = None

    @property
    def rmse_px(self) -> float:
        """Root mean square length of the residuals of the points used, in pixels."""
        used = np.asarray(self.gcps.enabled)
        return float(np.sqrt(np.mean((self.residuals[used] ** 2).sum(axis=1))))

    @property
    def rmse_km(self) -> float:
        """The same on the ground, in km."""
        used = np.asarray(self.gcps.enabled)
        return float(np.sqrt(np.mean(self.residuals_km[used] ** 2)))

    @property
    def left_out_rmse_px(self) -> float:
        """Leave-one-out RMSE in pixels; NaN if the points do not suffice."""
        used = np.asarray(self.gcps.enabled)
        return float(np.sqrt(np.mean(self.left_out[used] ** 2)))

    @property
    def left_out_rmse_km(self) -> float:
        """Leave-one-out RMSE in km, by the ground size of a pixel at each point."""
        used = np.asarray(self.gcps.enabled)
        return float(np.sqrt(np.mean((self.left_out[used] * self.km_per_pixel()[used]) ** 2)))

    def km_per_pixel(self, pixels: ArrayLike | None = None) -> NDArray[np.float64]:
        """Mean ground size of a pixel in km at each control point, or at the (n, 2) pixel places given."""
        step = 0.5
        at = self.gcps.pixels if pixels is None else np.asarray(pixels, np.float64).reshape(-1, 2)
        sides = []
        for offset in ((step, 0.0), (0.0, step)):
            a = self.transform.to_world(at - offset)
            b = self.transform.to_world(at + offset)
            sides.append(distance_km(a, b, self.crs))
        return np.sqrt(sides[0] * sides[1])

    @cached_property
    def map_crs(self) -> MapCrs | None:
        """The reference system the map is drawn in, if that is known and not `crs` itself."""
        if self.fit is None or self.bend is not None or isinstance(self.transform, PolynomialTransform):
            return None
        pixels = lattice(self.gcps.used().pixels, self.size)
        world = self.transform.to_world(pixels)
        good = np.isfinite(world).all(axis=1)
        return find_map_crs(self.fit, self.crs, world[good], pixels[good])

    @property
    def projection(self) -> str | None:
        """PROJ text or EPSG code of the map's own projection; None where it is not known or is `crs`."""
        return None if self.map_crs is None else self.map_crs.text

    @property
    def crs_wkt(self) -> str | None:
        """WKT of the map's own projection, with a name."""
        return None if self.map_crs is None else self.map_crs.wkt

    @property
    def affine(self) -> Affine | None:
        """Pixel to the plane of the map's own projection (of `crs`, where the fit is affine in it); else None."""
        if self.map_crs is not None:
            matrix = self.map_crs.matrix
            return ~Affine(*matrix.ravel())
        if not isinstance(self.transform, PolynomialTransform) or self.transform.order != 1:
            return None
        origin, right, down = self.transform.to_world([[0, 0], [1, 0], [0, 1]])
        (a, d), (b, e) = right - origin, down - origin
        return Affine(a, b, origin[0], d, e, origin[1])

    def to_pixel(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) places in `crs` to pixel coordinates, longitudes in whatever turn; NaN where the map shows none.

        The transform of a polynomial or spline counts longitudes on and on: here they are brought into the turn of
        the map first.
        """
        world = np.array(world, np.float64).reshape(-1, 2)
        if self.cut is not None and globe_of(self.crs).geographic:
            world[:, 0] = self.cut.to_map(world[:, 0])
        return self.transform.to_pixel(world)

    def position_sigma(self, pixels: ArrayLike) -> NDArray[np.float64]:
        """How far off places may be: one standard deviation of the distance, in pixels.

        From the scatter of the control points (covariance of the parameters of a projection; leaving out each point
        in turn for polynomials and splines) and from how far the rivals disagree, weighted by their scores.

        Parameters
        ----------
        pixels : (n, 2) array

        Returns
        -------
        (n,) float array
            NaN outside the world's outline, and where the points do not suffice to tell.
        """
        pixels = np.asarray(pixels, np.float64).reshape(-1, 2)
        world = self.transform.to_world(pixels)
        out = np.full(len(pixels), np.nan)
        good = np.isfinite(world).all(axis=1)
        if not good.any():
            return out
        out[good] = self._scatter(world[good])
        weights = np.exp([-rival.worse / 2 for rival in self.rivals])
        for rival, weight in zip(self.rivals, weights / (1 + weights.sum()), strict=True):
            apart = np.nan_to_num(rival.transform.to_pixel(world[good]) - pixels[good])
            out[good] = np.sqrt(out[good] ** 2 + weight * (apart**2).sum(axis=1))
        if self.cut is not None and self.cut.is_open:
            doubt = self.cut.doubt(self.cut.to_map(self._longitudes(world[good])))
            out[good] = np.sqrt(out[good] ** 2 + doubt * self.cut.turn_px**2)
        return out

    def _longitudes(self, world: NDArray[np.float64]) -> NDArray[np.float64]:
        globe = globe_of(self.crs)
        return world[:, 0] if globe.geographic else project_fixed(globe.crs, self.crs, world)[:, 0]

    def _scatter(self, world: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.fit is not None and self.places is not None and (self.bend is None or self.bend.model == PAPER):
            globe = globe_of(self.crs)
            at = places_of(GroundControlPoints(np.zeros_like(world), world, self.crs), globe, np.ones(len(world)))
            there = at_world(self.places, at.lon, at.lat, world)
            if self.bend is None:
                return parameter_sigma(self.fit, self.places, there)
            assert isinstance(self.transform, ProjectedTransform)
            return paper_sigma(self.fit, self.places, there, self.transform.to_plane(world))
        used = self.gcps.used()
        weights = np.ones(len(used)) if self.weights is None else self.weights
        flat, here = used.world, world
        if isinstance(self.bend, Surface) and self.bend.base is not None and self.places is not None:
            assert isinstance(self.transform, ProjectedTransform)
            flat, here = self.bend.places, self.transform.to_plane(world)

        def refit(keep: NDArray[np.bool_]) -> Transform:
            if self.bend is not None:
                bend = self.bend
                return fit_surface(bend.model, bend.smoothing, flat[keep], used.pixels[keep], weights[keep])[0]
            return fit_flat(self.model, flat[keep], used.pixels[keep], weights[keep])[0]

        on = np.asarray(self.gcps.enabled)
        leverage = np.ones(len(used)) if self.leverage is None else self.leverage[on]
        whole = self.transform.post if isinstance(self.transform, ProjectedTransform) else self.transform
        return jackknife_sigma(refit, whole, leverage, here)


def fit_georeference(
    gcps: GroundControlPoints,
    model: str = "auto",
    *,
    size: tuple[int, int] | None = None,
    frame: PixelBox | None = None,
    keep_all: bool = False,
    weights: ArrayLike | None = None,
) -> Georeference:
    """Fit a transform to control points.

    Parameters
    ----------
    gcps : GroundControlPoints
    model : str
        ``"auto"`` fits some forty map projections, polynomials and a smoothed spline, and takes the one with the best
        corrected Akaike criterion. Or one of ``"similarity"``, ``"affine"`` (``"poly1"``), ``"projective"``,
        ``"poly2"``, ``"poly3"``, ``"tps"``, or ``"projection:"`` and a CRS or PROJ text; ``"+poly2"``, ``"+poly3"`` or
        ``"+tps"`` behind that bends it.
    size : (int, int), optional
        Width and height of the picture: diagnostics then cover all of it.
    frame : PixelBox, optional
        The map's part of the picture: a map of the whole world is cut at its edges. Without it the cut may stay open,
        which is then said.
    keep_all : bool
        Leave no point out. Otherwise ``auto`` and named projections leave out, and report, up to a fifth of the
        points, those more than 5 standard deviations and 3 px off.
    weights : (n,) array, optional
        Relative weights of the points, switched-off ones included.

    Returns
    -------
    Georeference

    Raises
    ------
    InvalidInputError
        For fewer points than the model needs, points on one line, or a fit that folds the map over.
    NotFoundError
        For an unknown coordinate reference system.
    """
    require_crs(gcps.crs)
    gcps = to_local_plane(gcps)
    on = np.asarray(gcps.enabled)
    heavy = np.ones(len(gcps)) if weights is None else np.asarray(weights, np.float64)
    if heavy.shape != (len(gcps),) or not (np.isfinite(heavy).all() and (heavy > 0).all()):
        raise InvalidInputError(f"{len(gcps)} control points need as many weights, all above 0.")
    heavy = heavy[on] / heavy[on].mean() if on.any() else heavy[on]
    _require_enough(gcps, model)
    globe = globe_of(gcps.crs)
    used = gcps.used()
    if globe.geographic:
        places_of(used, globe, heavy)
    if model == "auto" and thinness(used.pixels) < ON_LINE:
        raise InvalidInputError(
            f"All {len(used)} control points lie on one line in the picture.", "Add a point well off that line."
        )
    if model == "auto" and len(heavy) < FEWEST_FOR_AUTO:
        found = _straight(unwrap_longitudes(gcps), heavy)
    elif model == "auto" and not globe.crs:
        found = _choose_flat(gcps, heavy)
    elif model == "auto":
        found = _choose(gcps, globe, heavy, keep_all, size, frame)
    elif split_model(model)[0].startswith("projection:"):
        found = _named(gcps, model, globe, heavy, keep_all)
    else:
        found = _flat(unwrap_longitudes(gcps), model, heavy)
    _require_no_fold(found)
    found = replace(found, size=size)
    if found.fit is None and globe.geographic:
        used = found.gcps.used()
        found = replace(found, cut=cut_of_flat(found.transform.to_world, used.world[:, 0], used.pixels, size, frame))
    if found.fit is not None and found.bend is None and found.places is not None:
        found = replace(found, open_questions=unidentified(found.fit, found.places))
    notes = (*found.notes, *verdict_notes(found))
    return replace(found, notes=notes, sentence=verdict_sentence(found))


def _require_enough(gcps: GroundControlPoints, model: str) -> None:
    have = int(np.asarray(gcps.enabled).sum())
    if model == "auto":
        if have < 3:
            raise InvalidInputError(
                f"The model affine needs 3 control points; there are {have}.", "Add points: 5 or more, better 12."
            )
        return
    need = points_needed(model)
    if have < need:
        possible = [m for m in ("affine", "poly2", "poly3") if points_needed(m) <= have]
        raise InvalidInputError(
            f"The model {model} needs {need} control points; there are {have}.",
            f"Use --model {possible[-1]}, or add points." if possible else "Add points: affine needs 3.",
        )


def _assemble(
    gcps: GroundControlPoints,
    transform: Transform,
    model: str,
    leverage: NDArray[np.float64],
    left_out: NDArray[np.float64] | None = None,
    rest: NDArray[np.float64] | None = None,
) -> Georeference:
    """Residuals and leave-one-out residuals of all points; `leverage`, `left_out` and `rest` are of those given."""
    on = np.flatnonzero(np.asarray(gcps.enabled)) if left_out is None else np.arange(len(gcps))
    residuals = transform.to_pixel(gcps.world) - gcps.pixels
    lengths = np.hypot(*residuals.T)
    full = np.zeros(len(gcps))
    full[on] = leverage
    gone = lengths.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        # The residual of a point left out of a linear least-squares fit is e / (1 - h).
        gone[on] = np.where(leverage < 1 - 1e-9, lengths[on] / (1 - leverage), np.nan) if left_out is None else left_out
    km = distance_km(transform.to_world(gcps.pixels), gcps.world, gcps.crs)
    return Georeference(transform, gcps.crs, model, gcps, residuals, km, gone, leverage=full)


def _flat(gcps: GroundControlPoints, model: str, weights: NDArray[np.float64]) -> Georeference:
    used = gcps.used()
    transform, leverage = fit_flat(model, used.world, used.pixels, weights)
    found = _assemble(gcps, transform, model, leverage)
    if model == "tps":
        found = replace(found, left_out=_spline_left_out(found, weights))
    return replace(found, weights=weights)


def _choose_flat(gcps: GroundControlPoints, weights: NDArray[np.float64]) -> Georeference:
    """Coordinates without a globe: the simplest polynomial that no other beats clearly in leave-one-out RMSE."""
    best = _flat(gcps, "affine", weights)
    for model in ("poly2", "poly3"):
        if len(weights) <= points_needed(model):
            break
        rival = _flat(gcps, model, weights)
        a, b = best.left_out_rmse_px, rival.left_out_rmse_px
        if b < WORTHWHILE * a and a - b > CLICK_NOISE_PX:
            best = rival
    return best


def _straight(gcps: GroundControlPoints, weights: NDArray[np.float64]) -> Georeference:
    """Too few points to tell a projection: an affine fit if that meets them, with a warning."""
    found = _flat(gcps, "affine", weights)
    have, miss = len(weights), float(np.hypot(*found.residuals[np.asarray(gcps.enabled)].T).max())
    if miss > STRAIGHT_PX:
        raise InvalidInputError(
            f"{have} control points do not tell in which projection the map is drawn, and straight, evenly spaced"
            f" lines of the grid miss them by {miss:.0f} px.",
            f"Add points: {FEWEST_FOR_AUTO} or more, better 12. For straight lines all the same: --model affine",
        )
    note = (
        f"{have} control points do not tell in which projection the map is drawn: meridians and parallels were taken"
        " to be straight and evenly spaced. If they are not, add points: 5 or more, better 12."
    )
    return replace(found, notes=(note,))


def _spline_left_out(found: Georeference, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """A spline passes through its points: only a fit without each tells how far off it is."""
    used, out = found.gcps.used(), np.hypot(*found.residuals.T)
    on = np.flatnonzero(np.asarray(found.gcps.enabled))
    for i, point in enumerate(on):
        keep = np.arange(len(used)) != i
        try:
            other, _ = fit_flat("tps", used.world[keep], used.pixels[keep], weights[keep])
            out[point] = np.hypot(*(other.to_pixel(used.world[i]) - used.pixels[i])[0])
        except InvalidInputError:
            out[point] = np.nan  # the others lie on a line
    return out


def _named(
    gcps: GroundControlPoints, model: str, globe: Globe, weights: NDArray[np.float64], keep_all: bool
) -> Georeference:
    plain, bend = split_model(model)
    places = places_of(gcps.used(), globe, weights)
    fit = fit_named_projection(plain, places, keep_all or bool(bend))
    if not bend:
        return _of_projection(gcps, fit, places, globe, model)
    flat = projected_transform(fit, places, globe.geographic, globe.crs).to_plane(places.world)
    post, leverage = fit_flat(bend, flat, places.pixels, weights)
    transform = projected_transform(fit, places, globe.geographic, globe.crs, post)
    name = "spline" if bend == "tps" else bend
    surface = Surface(name, 0.0, fit, flat, post, fit.residuals, 2 * float(leverage.sum()), np.nan, np.nan, leverage)
    found = _assemble(gcps, transform, model, leverage)
    return replace(found, fit=fit, places=places, bend=surface, weights=weights)


def _of_projection(
    gcps: GroundControlPoints, fit: ProjectionFit, places: Places, globe: Globe, model: str = "projection"
) -> Georeference:
    """The georeference of a fitted projection; points it leaves out are switched off."""
    on = np.flatnonzero(np.asarray(gcps.enabled))
    enabled, world = np.array(gcps.enabled), gcps.world.copy()
    enabled[on[~fit.keep]] = False
    if globe.geographic and not fit.family.fixed:
        offset = (world[:, 0] - fit.lon_0 + 180) % 360 - 180
        # A point at the map's cut stays on the edge where it was found.
        offset[on] = offsets_of(fit, places)
        world[:, 0] = fit.lon_0 + offset
    moved = replace(gcps, world=world, enabled=enabled)
    if fit.family.key == "eqc" and globe.geographic:
        radius = np.radians(1.0) * places.body.sphere
        matrix = np.column_stack([fit.matrix[:, :2] * radius, fit.matrix[:, 2] - fit.matrix[:, 0] * radius * fit.lon_0])
        transform: Transform = linear_transform(matrix, world[on])
        model = "affine"
    elif fit.family.key == "given":
        transform, model = linear_transform(fit.matrix, world[on]), "affine"
    else:
        transform = projected_transform(fit, places, globe.geographic, globe.crs)
    left_out, leverage = left_out_lengths(fit, places)
    found = _assemble(moved, transform, model, np.zeros(int(enabled.sum())))
    gone, full, residuals = found.left_out.copy(), np.zeros(len(gcps)), found.residuals.copy()
    gone[on], full[on], residuals[on] = left_out, leverage, fit.residuals
    rejected = tuple(gcps.names[i] for i in on[~fit.keep])
    return replace(found, residuals=residuals, left_out=gone, leverage=full, rejected=rejected, fit=fit, places=places)


def _choose(
    gcps: GroundControlPoints,
    globe: Globe,
    weights: NDArray[np.float64],
    keep_all: bool,
    size: tuple[int, int] | None,
    frame: PixelBox | None,
) -> Georeference:
    used = gcps.used()
    places = places_of(used, globe, weights)
    own: tuple[Family, ...] = ()
    if not globe.geographic:
        posts = ("upright", "box", "similarity", "affine")
        own = (Family("given", "the reference system of the points", centred=False, posts=posts, fixed=gcps.crs),)
    earth = globe.body.datum == "+datum=WGS84" or abs(globe.body.semi_major - 6378137) < 1000
    own += unusual_grids(places.lon, places.lat, earth)
    flat = unwrap_longitudes(gcps)
    choice: Choice = choose(places, flat.used().world, own, keep_all)
    best = choice.best
    if isinstance(best, ProjectionFit):
        best = bent_paper(best, places) or best
    if isinstance(best, ProjectionFit):
        cut = cut_of_projection(best, places, size, frame)
        best = best if cut is None else cut_elsewhere(best, cut.lon_0)
        found = replace(_of_projection(gcps, best, places, globe), size=size, cut=cut)
        return replace(found, rivals=_rivals(choice, best, found, places, globe, frame))
    model = {"spline": "tps"}.get(best.model, best.model)
    if best.base is None:
        transform: Transform = best.transform
        bent_cut = None
    else:
        best, bent_cut = _cut_bent(best, places, size, frame)
        assert best.base is not None
        transform = projected_transform(best.base, places, globe.geographic, globe.crs, best.transform)
        model = f"projection+{model}"
        flat = gcps
    found = _assemble(flat, transform, model, best.leverage)
    return replace(found, fit=best.base, places=places, bend=best, weights=weights, cut=bent_cut)


def _cut_bent(
    bent: Surface, places: Places, size: tuple[int, int] | None, frame: PixelBox | None
) -> tuple[Surface, Cut | None]:
    """A bent cylindrical map counted from the meridian opposite its cut, and the cut."""
    base = bent.base
    cut = None if base is None else cut_of_projection(base, places, size, frame, bent.transform.to_world)
    if base is None or cut is None:
        return bent, None
    moved = cut_elsewhere(base, cut.lon_0)
    # The plane counts from another meridian: the same surface over places that are all moved by as much.
    shift = (moved.matrix[:, 2] - base.matrix[:, 2]) @ np.linalg.inv(base.matrix[:, :2]).T
    return moved_surface(bent, moved, shift, places), cut


def _rivals(
    choice: Choice, best: ProjectionFit, found: Georeference, places: Places, globe: Globe, frame: PixelBox | None
) -> tuple[Rival, ...]:
    pixels = lattice(places.pixels, found.size)
    world = found.transform.to_world(pixels)
    good = np.isfinite(world).all(axis=1)
    rivals = []
    for fit in choice.rivals:
        cut = cut_of_projection(fit, places, found.size, frame)
        fit = fit if cut is None else cut_elsewhere(fit, cut.lon_0)
        transform = projected_transform(fit, places, globe.geographic, globe.crs)
        apart = np.hypot(*(transform.to_pixel(world[good]) - pixels[good]).T)
        rivals.append(Rival(describe(fit), fit.aicc - best.aicc, float(np.nanmax(apart, initial=0.0)), transform))
    return tuple(rivals)


def _require_no_fold(found: Georeference) -> None:
    """The picture must not be folded over: the sign of the Jacobian is the same at all control points."""
    used = found.gcps.used()
    determinant = np.linalg.det(found.transform.jacobian(used.world))
    determinant = np.where(np.isfinite(determinant), determinant, np.nanmedian(determinant))
    if not (np.all(determinant > 0) or np.all(determinant < 0)):
        odd = used.names[int(np.argmin(determinant * np.sign(np.median(determinant))))]
        raise InvalidInputError(
            f"The fit with model {found.model} folds the map over near point {odd!r}.",
            "Check that point, or use a simpler model: --model affine",
        )
