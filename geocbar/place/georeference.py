"""Fit, compare, choose: from control points to a transform with its errors stated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.place.gcps import GroundControlPoints, unwrap_longitudes
from geocbar.place.projections import distance_km, require_crs
from geocbar.place.transforms import MODELS, Transform, fit_polynomial, points_needed

__all__ = ["Georeference", "fit_georeference"]

#: A more complex model must lower the leave-one-out RMSE by this factor to be chosen.
WORTHWHILE = 0.8
#: ... and by this many pixels: below it, control points are as good as clicks get.
CLICK_NOISE_PX = 0.3


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
        ``"affine"``, ``"poly2"``, ...
    gcps : GroundControlPoints
        As given, switched-off points included.
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
    """

    transform: Transform
    crs: str
    model: str
    gcps: GroundControlPoints
    residuals: NDArray[np.float64]
    residuals_km: NDArray[np.float64]
    left_out: NDArray[np.float64]
    notes: tuple[str, ...] = ()

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

    def km_per_pixel(self) -> NDArray[np.float64]:
        """Mean ground size of a pixel at each control point, in km."""
        step = 0.5
        sides = []
        for offset in ((step, 0.0), (0.0, step)):
            a = self.transform.to_world(self.gcps.pixels - offset)
            b = self.transform.to_world(self.gcps.pixels + offset)
            sides.append(distance_km(a, b, self.crs))
        return np.sqrt(sides[0] * sides[1])


def fit_georeference(gcps: GroundControlPoints, model: str = "auto") -> Georeference:
    """Fit a transform to control points.

    Parameters
    ----------
    gcps : GroundControlPoints
    model : {"auto", "affine", "poly2", "poly3"}
        ``"auto"`` takes the simplest model that no other beats clearly in leave-one-out RMSE.

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
    gcps = unwrap_longitudes(gcps)
    if model == "auto":
        return _choose(gcps)
    _require_enough(gcps, model)
    return _fit(gcps, model)


def _require_enough(gcps: GroundControlPoints, model: str) -> None:
    have, need = int(np.asarray(gcps.enabled).sum()), points_needed(model)
    if have < need:
        possible = [m for m in MODELS if points_needed(m) <= have]
        raise InvalidInputError(
            f"The model {model} needs {need} control points; there are {have}.",
            f"Use --model {possible[-1]}, or add points." if possible else "Add points: affine needs 3.",
        )


def _fit(gcps: GroundControlPoints, model: str) -> Georeference:
    used = gcps.used()
    transform, leverage = fit_polynomial(used.world, used.pixels, MODELS[model])
    _require_no_fold(transform, used, model)
    residuals = transform.to_pixel(gcps.world) - gcps.pixels
    on = np.asarray(gcps.enabled)
    lengths = np.sqrt((residuals**2).sum(axis=1))
    left_out = lengths.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        # The residual of a point left out of a linear least-squares fit is e / (1 - h).
        left_out[on] = np.where(leverage < 1 - 1e-9, lengths[on] / (1 - leverage), np.nan)
    km = distance_km(transform.to_world(gcps.pixels), gcps.world, gcps.crs)
    georeference = Georeference(transform, gcps.crs, model, gcps, residuals, km, left_out)
    return replace(georeference, notes=tuple(_notes(georeference)))


def _choose(gcps: GroundControlPoints) -> Georeference:
    _require_enough(gcps, "affine")
    have = int(np.asarray(gcps.enabled).sum())
    best = _fit(gcps, "affine")
    for model in list(MODELS)[1:]:
        if have <= points_needed(model):
            break
        try:
            rival = _fit(gcps, model)
        except InvalidInputError:
            continue  # this many points in these places do not determine it, or it folds
        a, b = best.left_out_rmse_px, rival.left_out_rmse_px
        if b < WORTHWHILE * a and a - b > CLICK_NOISE_PX:
            best = rival
    return best


def _require_no_fold(transform: Transform, used: GroundControlPoints, model: str) -> None:
    """The picture must not be folded over: the sign of the Jacobian is the same at all control points."""
    jacobian = transform.jacobian(used.world)
    determinant = np.linalg.det(jacobian)
    if not (np.all(determinant > 0) or np.all(determinant < 0)):
        odd = used.names[int(np.argmin(determinant * np.sign(np.median(determinant))))]
        raise InvalidInputError(
            f"The fit with model {model} folds the map over near point {odd!r}.",
            "Check that point, or use a simpler model: --model affine",
        )


def _notes(georeference: Georeference) -> list[str]:
    notes = []
    used = georeference.gcps.used()
    spread = float(np.ptp(used.pixels, axis=0).max())
    honest = georeference.left_out_rmse_px
    if not np.isfinite(honest):
        notes.append(
            f"{len(used)} control points determine the model {georeference.model} exactly:"
            " its error cannot be estimated. Add points."
        )
    elif honest > max(3.0, 0.005 * spread):
        notes.append(
            f"The model {georeference.model} misses control points by {honest:.1f} px (leave-one-out RMSE):"
            " places are off by about as much. Check the points, add more, or try another --model."
        )
    return notes
