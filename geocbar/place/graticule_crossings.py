"""Crossings of gridlines that were followed into a map, and whether all of them suit one map projection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.frame_labels import FrameLabel
from geocbar.figure.gridlines import Gridline
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.graticule_check import KnownLine, lines_off

__all__ = ["FollowedLine", "checked_crossings"]

#: Meridians and parallels cross at an angle of at least this, degrees.
LEAST_ANGLE = 50.0
#: Lines run at most so far from where a projection through the crossings puts them, px; and of so many lines that are
#: farther off one is left out on trial.
MOST_OFF, MOST_TRIALS = 1.0, 4
#: Fewest crossings that tell a projection.
LEAST_CROSSINGS = 5


@dataclass(frozen=True, eq=False)
class FollowedLine:
    """A labelled gridline and the way it runs through the map.

    Parameters
    ----------
    label : FrameLabel
        With its value.
    line : Gridline
    """

    label: FrameLabel
    line: Gridline

    @property
    def value(self) -> float:
        """Degrees."""
        return self.label.value or 0.0


def _crossing(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[NDArray[np.float64], float] | None:
    """Where two polylines cross, and the angle between them in degrees; None if they do not, or more than once."""
    apart = np.sqrt(((one[:, None] - other[None]) ** 2).sum(axis=2))
    i, j = divmod(int(np.argmin(apart)), apart.shape[1])
    if apart[i, j] > 12:
        return None
    a, b = (line[min(max(k, 2), len(line) - 3)] for line, k in ((one, i), (other, j)))
    ends = [(line[min(k + 2, len(line) - 1)] - line[max(k - 2, 0)]) for line, k in ((one, i), (other, j))]
    u, v = (end / np.linalg.norm(end) for end in ends)
    cross = u[0] * v[1] - u[1] * v[0]
    angle = float(np.degrees(np.arcsin(min(abs(cross), 1.0))))
    if angle < 5:
        return None
    t = ((b - a)[0] * v[1] - (b - a)[1] * v[0]) / cross
    place = a + t * u
    if min(np.linalg.norm(place - one, axis=1).min(), 99) > 12 or np.linalg.norm(place - other, axis=1).min() > 12:
        return None
    return place, angle


def checked_crossings(
    meridians: list[FollowedLine], parallels: list[FollowedLine], size: tuple[int, int]
) -> tuple[GroundControlPoints | None, list[str], list[str]]:
    """Take the crossings of all lines, and leave out lines that the others contradict.

    Parameters
    ----------
    meridians, parallels : list of FollowedLine
    size : (int, int)
        Width and height of the picture.

    Returns
    -------
    gcps : GroundControlPoints or None
        The crossings as control points.
    faults : list of str
        What is wrong with them; empty if all lines suit one map projection.
    evidence : list of str
        Which lines were left out, and how well the others agree.
    """
    trial = _Trial.of({"lon": meridians, "lat": parallels}, size)
    left_out: list[str] = []
    most = max(1, (len(meridians) + len(parallels)) // 4)
    while trial.gcps is not None and not trial.fits and len(left_out) < most:
        better = _without_one(trial, size)
        if better is None:
            break
        trial, item = better
        left_out.append(f"The line at '{item.label.text}' ({item.label.side}) does not suit the others: left out.")
    if trial.gcps is None:
        return None, [trial.reason], left_out
    if not trial.fits:
        item = trial.lines[int(np.argmax(trial.off))]
        said = f"{item.label.text} at the {item.label.side}"
        far = f"{trial.off.max():.1f} px off where the others put it"
        return trial.gcps, [trial.reason or f"The gridline of {said} runs {far}."], left_out
    crossings = trial.crossings
    notes = []
    if min(crossings.angles) < LEAST_ANGLE:
        notes.append(f"Gridlines cross at an angle of {min(crossings.angles):.0f} degrees: one of them was lost.")
    notes += _odd_scales(crossings.places, crossings.degrees)
    said = f"All of them lie within {max(trial.off.max(), 0.1):.1f} px of a map projection through their crossings."
    return trial.gcps, notes, [*left_out, said]


@dataclass(frozen=True, eq=False)
class _Trial:
    """A choice of lines, their crossings, and how far each runs from where a projection puts it, in pixels."""

    groups: dict[str, list[FollowedLine]]
    crossings: _Crossings
    gcps: GroundControlPoints | None
    off: NDArray[np.float64]
    reason: str

    @classmethod
    def of(cls, groups: dict[str, list[FollowedLine]], size: tuple[int, int]) -> _Trial:
        """Cross the lines and fit."""
        crossings = _Crossings.of(groups["lon"], groups["lat"])
        if len(crossings.names) < LEAST_CROSSINGS or min(len(group) for group in groups.values()) < 2:
            said = f"The gridlines cross at {len(crossings.names)} places only."
            return cls(groups, crossings, None, np.array([]), said)
        gcps = crossings.gcps()
        known = [KnownLine(i.label.kind, i.value, i.line.points) for group in groups.values() for i in group]
        off, reason = lines_off(gcps, known, size)
        return cls(groups, crossings, gcps, off, reason)

    @property
    def lines(self) -> list[FollowedLine]:
        """All lines, meridians first."""
        return [item for group in self.groups.values() for item in group]

    @property
    def fits(self) -> bool:
        """Whether all lines run where they should."""
        return not self.reason and bool(self.off.max() <= MOST_OFF)


def _without_one(trial: _Trial, size: tuple[int, int]) -> tuple[_Trial, FollowedLine] | None:
    """The same without the line whose absence helps most, among those that are farthest off; None if none helps."""
    best: tuple[_Trial, FollowedLine] | None = None
    order = np.argsort(-trial.off, kind="stable")
    for item in [trial.lines[int(k)] for k in order][:MOST_TRIALS]:
        kind = item.label.kind
        rest = {**trial.groups, kind: [other for other in trial.groups[kind] if other is not item]}
        other = _Trial.of(rest, size)
        if other.gcps is None or len(other.gcps) <= LEAST_CROSSINGS:
            continue
        if best is None or other.off.max() < best[0].off.max():
            best = other, item
        if other.fits:
            break
    return best


@dataclass(frozen=True, eq=False)
class _Crossings:
    """Where meridians and parallels cross: places (n, 2), degrees (n, 2), names and angles."""

    places: NDArray[np.float64]
    degrees: NDArray[np.float64]
    names: tuple[str, ...]
    angles: tuple[float, ...]

    @classmethod
    def of(cls, meridians: Sequence[FollowedLine], parallels: Sequence[FollowedLine]) -> _Crossings:
        """All crossings of the lines."""
        places, degrees, names, angles = [], [], [], []
        for south in parallels:
            for east in meridians:
                met = _crossing(east.line.points, south.line.points)
                if met is not None:
                    places.append(met[0])
                    angles.append(met[1])
                    degrees.append((east.value, south.value))
                    names.append(
                        f"{east.label.text} {south.label.text} ({south.label.side} line x {east.label.side} line)"
                    )
        shape = (-1, 2)
        return cls(np.array(places).reshape(shape), np.array(degrees).reshape(shape), tuple(names), tuple(angles))

    def gcps(self) -> GroundControlPoints:
        """The crossings as control points."""
        degrees = self.degrees.copy()
        degrees[:, 0] -= 360.0 * np.ceil((degrees[:, 0].min() + degrees[:, 0].max()) / 720.0 - 0.5)
        return GroundControlPoints(self.places, degrees, "EPSG:4326", self.names)


def _odd_scales(places: NDArray[np.float64], degrees: NDArray[np.float64]) -> list[str]:
    """Whether a degree of latitude and one of longitude are as long as on a globe, within a factor of 2.5."""
    lon, lat = (column - column.mean() for column in degrees.T)
    terms = np.stack([np.ones_like(lon), lon, lat], axis=1)
    slopes = np.linalg.lstsq(terms, places, rcond=None)[0]
    east, north = np.linalg.norm(slopes[1]), np.linalg.norm(slopes[2])
    globe = float(north) / max(float(east), 1e-9) * np.cos(np.radians(min(abs(degrees[:, 1].mean()), 85.0)))
    if 0.4 <= globe <= 2.5:
        return []
    return [
        f"A degree along the meridians is {globe:.2g} times as long as on a globe beside one along the parallels:"
        " a sign may be missing in the labels."
    ]
