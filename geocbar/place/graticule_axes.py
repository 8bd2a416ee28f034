"""Labels along one side of a frame: which longitude or latitude law they follow, and which of them were misread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.degrees import Degree
from geocbar.figure.frame_labels import FrameLabel

__all__ = ["DegreeAxis", "axis_of", "fit_degrees", "kind_of"]

Array = NDArray[np.float64]

#: A label follows the law if its mark lies this near to the predicted place, in px.
TOLERANCE_PX = 1.3
#: The same for text without a mark.
TOLERANCE_TEXT_PX = 3.0


def _mercator(lat: Array) -> Array:
    return np.asarray(np.degrees(np.arctanh(np.sin(np.radians(np.clip(lat, -89.9, 89.9))))))


def _ellipsoidal(lat: Array) -> Array:
    e = 0.0818191908
    sine = np.sin(np.radians(np.clip(lat, -89.9, 89.9)))
    return np.asarray(np.degrees(np.arctanh(sine) - e * np.arctanh(e * sine)))


def _miller(lat: Array) -> Array:
    return np.asarray(1.25 * _mercator(0.8 * lat))


def _equal_area(lat: Array) -> Array:
    return np.asarray(np.degrees(np.sin(np.radians(lat))))


def _gall(lat: Array) -> Array:
    return np.asarray(np.degrees(2 * np.tan(np.radians(lat) / 2)))


#: How latitudes may run along a meridian of a cylindrical map; degrees at the equator's scale.
LAWS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda value: value,
    "Mercator": _mercator,
    "ellipsoidal Mercator": _ellipsoidal,
    "Miller": _miller,
    "equal-area": _equal_area,
    "Gall": _gall,
}


@dataclass(frozen=True, eq=False)
class DegreeAxis:
    """Longitude or latitude along one side.

    Parameters
    ----------
    kind : {"lon", "lat"}
    side : str
    labels : tuple of FrameLabel
        Those that follow the law, their values set; ascending along the side.
    contrary : tuple of FrameLabel
        Those that do not.
    law : str
        Key of :data:`LAWS`.
    slope, intercept : float
        law(value) = intercept + slope * position.
    rms_px : float
        Usual distance of the labels' marks from the law.
    flipped : bool
        Whether signs were added that are not written.
    """

    kind: str
    side: str
    labels: tuple[FrameLabel, ...]
    contrary: tuple[FrameLabel, ...]
    law: str
    slope: float
    intercept: float
    rms_px: float
    flipped: bool

    @property
    def positions(self) -> Array:
        """Pixel coordinates along the side."""
        return np.array([label.position for label in self.labels])

    @property
    def values(self) -> Array:
        """Degrees; longitudes run on beyond 180."""
        return np.array([label.value for label in self.labels], dtype=np.float64)

    def place_of(self, values: Array) -> Array:
        """Pixel coordinates where values lie, by the law."""
        return (LAWS[self.law](np.asarray(values, dtype=np.float64)) - self.intercept) / self.slope

    def value_at(self, position: float) -> float:
        """Degrees at a pixel coordinate, by the law."""
        target = self.intercept + self.slope * position
        if self.law == "linear":
            return target
        table = np.linspace(-89.0, 89.0, 3561)
        return float(np.interp(target, LAWS[self.law](table), table))


def kind_of(labels: Sequence[FrameLabel]) -> str:
    """What the hemispheres of a side's labels say: ``"lon"``, ``"lat"``, or ``""`` where none or both are named."""
    votes = {"lon": 0, "lat": 0}
    for label in labels:
        named = {reading.axis for reading in label.readings if reading.slips == 0 and reading.axis}
        if len(named) == 1 and not label.text.strip().upper().startswith("EQ"):
            votes[named.pop()] += 1
    lon, lat = votes["lon"], votes["lat"]
    return "lon" if lon > 2 * lat else "lat" if lat > 2 * lon else ""


def axis_of(labels: Sequence[FrameLabel]) -> DegreeAxis | None:
    """An axis of labels whose values are known, where the spacing follows no law; None without two of them.

    Parameters
    ----------
    labels : sequence of FrameLabel
        Of one side and kind, values set.
    """
    if len(labels) < 2:
        return None
    places = np.array([label.position for label in labels])
    values = np.array([label.value for label in labels], dtype=np.float64)
    slope, intercept = np.polyfit(places, values, 1)
    rest = float(np.sqrt((((values - intercept) / slope - places) ** 2).mean()))
    return DegreeAxis(
        labels[0].kind, labels[0].side, tuple(labels), (), "linear", float(slope), float(intercept), rest, False
    )


@dataclass(frozen=True)
class _Choice:
    """One value a label may have, with what it costs to believe it."""

    value: float
    cost: float
    flipped: bool


def _choices(label: FrameLabel, kind: str) -> list[_Choice]:
    limit = 90.0 if kind == "lat" else 360.0
    choices = []
    for reading in label.readings:
        if reading.axis not in ("", kind) or abs(reading.value) > limit:
            continue
        choices.append(_Choice(reading.value, 0.3 * reading.slips, False))
        if _may_flip(reading):
            choices.append(_Choice(-reading.value, 0.3 * reading.slips + 0.1, True))
    return choices


def _may_flip(reading: Degree) -> bool:
    return not reading.signed and not reading.axis and reading.value > 0


def fit_degrees(labels: Sequence[FrameLabel], kind: str, side: str, law: str | None = None) -> DegreeAxis | None:
    """Find the law that most labels of one side follow.

    Longitudes grow to the right, latitudes upwards; longitudes run on across the date line.

    Parameters
    ----------
    labels : sequence of FrameLabel
        Of one side, ascending.
    kind : {"lon", "lat"}
    side : str
    law : str or None
        Key of :data:`LAWS`; None: linear for longitudes, the best of all for latitudes.

    Returns
    -------
    DegreeAxis or None
        None where no two labels go together.
    """
    options = [_choices(label, kind) for label in labels]
    places = np.array([label.position for label in labels])
    tolerance = np.array([TOLERANCE_PX if label.marked else TOLERANCE_TEXT_PX for label in labels])
    laws = [law] if law else ["linear"] if kind == "lon" else list(LAWS)
    best: DegreeAxis | None = None
    best_score = 1.0
    for name in laws:
        chosen, score = _most(options, places, kind, name, tolerance)
        if chosen is None or score < best_score - 1e-9:
            continue
        fit = _refined(labels, places, chosen, kind, side, name)
        if fit is None:
            continue
        better = best is None or score > best_score + 1e-9 or fit.rms_px < 0.6 * best.rms_px - 0.05
        if better:
            best, best_score = fit, score
    return best


def _most(
    options: Sequence[Sequence[_Choice]], places: Array, kind: str, law: str, tolerance: Array
) -> tuple[list[_Choice | None] | None, float]:
    """The choice for each label under the straight line through two of them that suits most labels."""
    function = LAWS[law]
    sense = 1.0 if kind == "lon" else -1.0
    flat = [(k, choice, float(function(np.array(choice.value)))) for k, row in enumerate(options) for choice in row]
    best: list[_Choice | None] | None = None
    best_score, best_miss = 1.0, np.inf
    for (i, _, vi), (j, _, vj) in combinations(flat, 2):
        if i == j or abs(places[j] - places[i]) < 4:
            continue
        turn = 360.0 * np.ceil((vi - vj) / 360.0 * sense) if kind == "lon" else 0.0
        rise = vj + turn - vi
        slope = rise / (places[j] - places[i])
        if slope * sense <= 0 or (kind == "lon" and abs(slope) * np.ptp(places) > 365):
            continue
        chosen: list[_Choice | None] = [None] * len(options)
        score, miss = 0.0, 0.0
        for k, choice, value in flat:
            target = vi + slope * (places[k] - places[i])
            shift = 360.0 * round((target - value) / 360.0) if kind == "lon" else 0.0
            off = abs((value + shift - target) / slope)
            old = chosen[k]
            if off <= tolerance[k] and (old is None or choice.cost < old.cost):
                score += 1 - choice.cost - (0.0 if old is None else 1 - old.cost)
                chosen[k] = _Choice(choice.value + shift, choice.cost, choice.flipped)
                miss += off
        if score > best_score + 1e-9 or (score > best_score - 1e-9 and miss < best_miss - 1e-9):
            best, best_score, best_miss = chosen, score, miss
    return best, best_score


def _refined(
    labels: Sequence[FrameLabel],
    places: Array,
    chosen: Sequence[_Choice | None],
    kind: str,
    side: str,
    law: str,
) -> DegreeAxis | None:
    """Least squares through the labels chosen."""
    on = np.array([choice is not None for choice in chosen])
    values = np.array([choice.value for choice in chosen if choice is not None])
    if on.sum() < 2 or np.ptp(values) == 0:
        return None
    if kind == "lon":
        values = values - 360.0 * np.ceil((values.min() + values.max()) / 720.0 - 0.5)
    marked = np.array([label.marked for label, use in zip(labels, on, strict=True) if use])
    firm = marked if marked.sum() >= 2 else np.ones(len(values), bool)
    slope, intercept = np.polyfit(places[on][firm], LAWS[law](values[firm]), 1)
    rest = ((LAWS[law](values) - intercept - slope * places[on]) / slope)[firm]
    kept, contrary = [], []
    given = iter(values)
    for label, choice in zip(labels, chosen, strict=True):
        if choice is not None:
            kept.append(replace(label, value=float(next(given)), kind=kind))
        elif label.readings:
            contrary.append(label)
    return DegreeAxis(
        kind,
        side,
        tuple(kept),
        tuple(contrary),
        law,
        float(slope),
        float(intercept),
        float(np.sqrt((rest**2).mean())),
        any(choice.flipped for choice in chosen if choice is not None),
    )
