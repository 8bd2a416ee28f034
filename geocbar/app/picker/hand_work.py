"""What a hand has done to a picture so far: points, ticks, boxes, strokes. Frozen, so that any step can be undone."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.files.gcp_tables import parse_angle
from geocbar.place.gcps import GroundControlPoints, is_geographic
from geocbar.recipe import Recipe

__all__ = ["HandWork", "PickedPoint", "PickedTick", "Stroke", "parse_place", "parse_value"]

#: Longest text a person may type for a name, a quantity or a number.
LONGEST_TEXT = 200

#: Two places typed into one field: the hemispheres must tell which is which.
_PAIR = re.compile(r"\s*(.+?[NSEW])[\s,;/]+(.+?[NSEW])\s*", re.IGNORECASE)


@dataclass(frozen=True)
class PickedPoint:
    """A control point in the making.

    Parameters
    ----------
    number : int
        Its own, for good.
    name : str
    pixel : (float, float)
        (col, row) in the picture.
    world : (float, float) or None
        (x, y) in the CRS of the points; None until it is known.
    enabled : bool
    """

    number: int
    name: str
    pixel: tuple[float, float]
    world: tuple[float, float] | None = None
    enabled: bool = True


@dataclass(frozen=True)
class PickedTick:
    """A value at a place along the bar; None until it is typed."""

    position: float
    value: float | None


@dataclass(frozen=True)
class Stroke:
    """A stroke of the brush.

    Parameters
    ----------
    code : int
        0 as found, 1 not data, 2 keep.
    radius : float
        In pixels of the picture.
    path : tuple of (float, float)
        (col, row).
    """

    code: int
    radius: float
    path: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class HandWork:
    """Everything a hand said.

    Parameters
    ----------
    recipe : Recipe
        Without ticks, which are in `ticks`.
    points : tuple of PickedPoint
    ticks : tuple of PickedTick or None
        None: as found.
    strokes : tuple of Stroke
        On top of the mask that was there.
    fresh_mask : bool
        Whether the mask that was there is wiped.
    """

    recipe: Recipe
    points: tuple[PickedPoint, ...] = ()
    ticks: tuple[PickedTick, ...] | None = None
    strokes: tuple[Stroke, ...] = ()
    fresh_mask: bool = False

    @property
    def crs(self) -> str:
        """Of the points."""
        return self.recipe.gcp_crs or "EPSG:4326"

    def point(self, number: int) -> PickedPoint:
        """The point of that number.

        Raises
        ------
        NotFoundError
            If it is gone.
        """
        for point in self.points:
            if point.number == number:
                return point
        raise NotFoundError(f"There is no point number {number}.", "It may have been removed: press Ctrl-Z.")

    def with_point(self, number: int, **changes: Any) -> HandWork:
        """One point changed."""
        old = self.point(number)
        new = replace(old, **changes)
        return replace(self, points=tuple(new if point is old else point for point in self.points))

    def with_new_point(
        self, pixel: tuple[float, float], world: tuple[float, float] | None = None, name: str = ""
    ) -> HandWork:
        """One point more, with the next number."""
        number = max((point.number for point in self.points), default=0) + 1
        taken = {point.name for point in self.points}
        name = name or next(str(n) for n in range(1, len(taken) + 2) if str(n) not in taken)
        return replace(self, points=(*self.points, PickedPoint(number, name, pixel, world)))

    def without_point(self, number: int) -> HandWork:
        """One point less."""
        gone = self.point(number)
        return replace(self, points=tuple(point for point in self.points if point is not gone))

    def with_recipe(self, **changes: Any) -> HandWork:
        """Other choices."""
        return replace(self, recipe=replace(self.recipe, **changes))

    def gcps(self) -> GroundControlPoints | None:
        """The points whose places are known; None if there is none."""
        known = [point for point in self.points if point.world is not None]
        if not known:
            return None
        return GroundControlPoints(
            np.array([point.pixel for point in known]),
            np.array([point.world for point in known]),
            self.crs,
            tuple(point.name for point in known),
            np.array([point.enabled for point in known]),
        )

    def said_ticks(self) -> str | None:
        """Ticks as a recipe holds them; None if they are as found, or fewer than two have values."""
        known = [tick for tick in self.ticks or () if tick.value is not None]
        if len(known) < 2:
            return None
        return ",".join(f"{tick.value:.10g}@{tick.position:.2f}" for tick in known)


def parse_place(x: str, y: str, crs: str) -> tuple[float, float]:
    """A place as people type it.

    Parameters
    ----------
    x, y : str
        Longitude and latitude, or easting and northing; both may stand in `x` if their hemispheres tell them apart.
    crs : str

    Returns
    -------
    (float, float)

    Raises
    ------
    InvalidInputError
        If they are no angles or numbers; the sentence names the one.

    Examples
    --------
    >>> parse_place("45°30'N 10E", "", "EPSG:4326")
    (10.0, 45.5)
    >>> parse_place("-10.5", "7 30 S", "EPSG:4326")
    (-10.5, -7.5)
    """
    if not is_geographic(crs):
        return _plain(x, "x"), _plain(y, "y")
    pair = _PAIR.fullmatch(x) if not y.strip() else None
    if pair:
        x, y = pair.groups()
    if x.strip()[-1:] in set("NSns") and y.strip()[-1:] in set("EWew"):  # the letters tell, whatever the order
        x, y = y, x
    return _angle(x, "lon"), _angle(y, "lat")


def parse_value(text: str) -> float | None:
    """A number as people type it, with a decimal comma or a true minus; None if the field is empty.

    Raises
    ------
    InvalidInputError
        If it is no finite number.

    Examples
    --------
    >>> parse_value("−2,5"), parse_value("1e-3"), parse_value(" ")
    (-2.5, 0.001, None)
    """
    return _plain(text, "value") if text.strip() else None


def _plain(text: str, what: str) -> float:
    typed = text.strip().replace("−", "-").replace("–", "-").replace(" ", "")
    if typed.count(",") == 1 and "." not in typed:
        typed = typed.replace(",", ".")
    try:
        number = float(typed)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInputError(f"{what} = {text[:40]!r} is not a number.", "Type a plain number, as 12.5 or 1e-3.")
    return number


def _angle(text: str, axis: str) -> float:
    name, most = {"lon": ("Longitude", 360.0), "lat": ("Latitude", 90.0)}[axis]
    if not text.strip():
        raise InvalidInputError(f"{name} is missing.", "Type it, as 12.5, 12.5W or 45°30'N.")
    typed = text.strip()
    if typed.count(",") == 1 and "." not in typed:
        typed = typed.replace(",", ".")
    typed = re.sub(r"(?<=[\d°'\"′″ ])[nsew]$", lambda letter: letter[0].upper(), typed)
    try:
        degrees = parse_angle(typed, axis)
    except InvalidInputError as error:
        raise InvalidInputError(f"{name} {text[:40]!r}: {error.message}.", error.hint) from None
    if abs(degrees) > most:
        raise InvalidInputError(f"{name} {degrees:g} lies beyond {most:g} degrees.", "Correct it.")
    return degrees
