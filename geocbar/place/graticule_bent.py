"""Control points where gridlines cross that were followed into the map: for conic, polar and other bent graticules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.frame_labels import FrameLabel, FrameSide
from geocbar.figure.gridlines import INKS, Gridline, LineMap, follow_line
from geocbar.figure.layout import PixelBox
from geocbar.place.gcps import GroundControlPoints

__all__ = ["BentGraticule", "cross_gridlines", "settle_values"]

#: Pixels a degree may change so much from one gap between labels to the next.
MOST_CHANGE = 1.45
#: A followed line is believed if so much of it is seen, as smooth as this (px), and as long as this (share of frame).
LEAST_SEEN, MOST_ROUGH, LEAST_LENGTH = 0.55, 0.8, 0.2
#: Meridians and parallels cross at an angle of at least this, degrees.
LEAST_ANGLE = 50.0
#: Largest misfit of the crossings to a smooth graticule, px.
MOST_MISFIT = 3.0


@dataclass(frozen=True, eq=False)
class BentGraticule:
    """Crossings of followed gridlines.

    Parameters
    ----------
    gcps : GroundControlPoints or None
    labels : tuple of FrameLabel
        Labels whose line was followed, values set.
    vetoes, evidence : tuple of str
    """

    gcps: GroundControlPoints | None
    labels: tuple[FrameLabel, ...]
    vetoes: tuple[str, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Followed:
    label: FrameLabel
    line: Gridline

    @property
    def value(self) -> float:
        return self.label.value or 0.0


def settle_values(labels: Sequence[FrameLabel], kind: str) -> tuple[FrameLabel, ...] | None:
    """Values of one side's labels, running one way with spacings that change smoothly.

    Parameters
    ----------
    labels : sequence of FrameLabel
        Ascending along the side.
    kind : {"lon", "lat"}

    Returns
    -------
    tuple of FrameLabel or None
        With values; at most one in four left out as misread. None if they follow no progression.
    """
    limit = 90.0 if kind == "lat" else 360.0
    usable = [
        label
        for label in labels
        if any(r.axis in ("", kind) and r.slips == 0 and abs(r.value) <= limit for r in label.readings)
    ]
    for west in (False, True):
        whole = _settled(usable, kind, west)
        if whole is not None:
            return whole
        if len(usable) >= 4:
            for k in range(len(usable)):
                part = _settled([*usable[:k], *usable[k + 1 :]], kind, west)
                if part is not None:
                    return part
    return None


def _settled(labels: Sequence[FrameLabel], kind: str, west: bool) -> tuple[FrameLabel, ...] | None:
    """Values under one meaning of ``O``; None where the progression is broken."""
    if len(labels) < 2:
        return None
    values = []
    for label in labels:
        own = [r.value for r in label.readings if r.axis in ("", kind) and r.slips == 0]
        values.append(own[0] if len(own) == 1 else min(own) if west else max(own))
    run = np.array(values)
    places = np.array([label.middle for label in labels])
    if kind == "lon":
        for k in range(1, len(run)):
            run[k] += 360.0 * max(0.0, np.ceil((run[k - 1] - run[k] + 1e-9) / 360.0))
    rise = np.diff(run) * (1.0 if kind == "lon" else -1.0)
    if (rise <= 0).any() or (kind == "lon" and run[-1] - run[0] > 359):
        return None
    size = np.diff(places) / rise
    change = size[1:] / size[:-1]
    if (np.maximum(change, 1 / change) > MOST_CHANGE).any():
        return None
    return tuple(replace(label, value=float(v), kind=kind) for label, v in zip(labels, run, strict=True))


def cross_gridlines(lines: LineMap, box: PixelBox, sides: dict[str, FrameSide]) -> BentGraticule:
    """Follow the gridline at every label and take the crossings of meridians with parallels.

    Parameters
    ----------
    lines : LineMap
        Contrast of thin lines in the map.
    box : PixelBox
        The frame.
    sides : dict
        Labels at the four sides.

    Returns
    -------
    BentGraticule
    """
    vetoes: list[str] = []
    notes: list[str] = []
    settled: list[FrameLabel] = []
    for kind, names in (("lon", ("bottom", "top")), ("lat", ("left", "right"))):
        found = {name: settle_values(sides[name].labels, kind) for name in names if len(sides[name].labels) >= 2}
        for name, values in found.items():
            if values is not None:
                settled += values
                continue
            shown = ", ".join(label.text for label in sides[name].labels[:6])
            said = f"The labels at the {name} ({shown}) follow no smooth progression."
            alone = not any(found.values())
            (vetoes if alone and _are_degrees(sides[name].labels) else notes).append(said)
    # The lines of one map are drawn with one pen.
    some = settled[:: max(1, len(settled) // 6)]
    pen = max(INKS, key=lambda ink: sum(item.line.merit for item in _followed(lines, box, some, ink)))
    every = _followed(lines, box, settled, pen)
    followed = {kind: [item for item in every if item.label.kind == kind] for kind in ("lon", "lat")}
    for kind in followed:
        followed[kind], quarrel = _merged(followed[kind], kind)
        notes += quarrel
    meridians, parallels = followed["lon"], followed["lat"]
    if min(len(meridians), len(parallels)) < 2 or max(len(meridians), len(parallels)) < 3:
        what = f"{len(meridians)} meridians and {len(parallels)} parallels"
        vetoes += [*notes, f"Only {what} with a label could be followed into the map."]
        return BentGraticule(None, tuple(settled), tuple(vetoes), ())
    gcps, faults, left_out = _checked(meridians, parallels)
    said = f"{len(meridians)} meridians and {len(parallels)} parallels were followed into the map."
    return BentGraticule(gcps, tuple(settled), (*vetoes, *faults), (said, *left_out, *notes))


def _are_degrees(labels: Sequence[FrameLabel]) -> bool:
    """Whether two labels or more, and most of them, say by themselves that they are degrees."""
    sure = sum(any(r.marked and not r.slips for r in label.readings) for label in labels)
    return sure >= 2 and 2 * sure > len(labels)


def _followed(lines: LineMap, box: PixelBox, labels: Sequence[FrameLabel], ink: str) -> list[_Followed]:
    """The gridlines of one ink that begin at the labels."""
    found = []
    for label in labels:
        start, inward = {
            "left": ((box.left, label.middle), (1.0, 0.0)),
            "right": ((box.right, label.middle), (-1.0, 0.0)),
            "top": ((label.middle, box.top), (0.0, 1.0)),
            "bottom": ((label.middle, box.bottom), (0.0, -1.0)),
        }[label.side]
        line = follow_line(lines, start, inward, ink, slack=max(4.0, 0.45 * label.glyph_px))
        if line is None or line.coverage < LEAST_SEEN or line.roughness > MOST_ROUGH:
            continue
        if 2.0 * len(line.points) >= LEAST_LENGTH * min(box.width, box.height):
            found.append(_Followed(label, line))
    return found


def _merged(found: Sequence[_Followed], kind: str) -> tuple[list[_Followed], list[str]]:
    """One line for each value: the longest; what is said of lines that lead to labels of other values."""
    quarrels = []
    kept: list[_Followed] = []
    for item in sorted(found, key=lambda item: -len(item.line.points) * item.line.coverage):
        twin = next((other for other in kept if _is_same_line(item.line, other.line)), None)
        if twin is None:
            kept.append(item)
        elif abs((item.value - twin.value + 180) % 360 - 180) > 1e-6:
            # Either may have strayed onto the other's line.
            kept.remove(twin)
            both = " and ".join(f"'{x.label.text}' at the {x.label.side}" for x in (twin, item))
            quarrels.append(f"Left out, since one gridline bears {both}.")
    kept.sort(key=lambda item: item.value)
    unique: list[_Followed] = []
    for item in kept:
        if kind == "lon" and unique:
            turned = item.value - 360.0 * round((item.value - unique[0].value) / 360.0 - 0.25)
            item = _Followed(replace(item.label, value=turned), item.line)
        same = [other for other in unique if abs(other.value - item.value) < 1e-6]
        if not same:
            unique.append(item)
    return unique, quarrels


def _is_same_line(one: Gridline, other: Gridline) -> bool:
    """Whether two curves run within 2 px of each other over most of the shorter one."""
    short, long = sorted((one.points, other.points), key=len)
    apart = np.sqrt(((short[::4, None] - long[None]) ** 2).sum(axis=2)).min(axis=1)
    return bool((apart <= 2.0).mean() > 0.6)


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


def _checked(
    meridians: list[_Followed], parallels: list[_Followed]
) -> tuple[GroundControlPoints | None, list[str], list[str]]:
    """The crossings as control points, what is wrong with them, and which line was left out."""
    best = _Crossings.of(meridians, parallels)
    left_out: list[str] = []
    if len(best.names) and best.misfit().max() > MOST_MISFIT:
        trials = []
        for kind, group in (("lon", meridians), ("lat", parallels)):
            for item in group:
                rest = [other for other in group if other is not item]
                trial = _Crossings.of(rest, parallels) if kind == "lon" else _Crossings.of(meridians, rest)
                if len(rest) >= 3 and len(trial.names) >= 6:
                    trials.append((float(trial.misfit().max()), item.label, trial))
        worst, label, trial = min(trials, key=lambda entry: entry[0], default=(np.inf, None, best))
        if label is not None and worst <= 0.5 * MOST_MISFIT:
            best = trial
            left_out.append(f"The line at '{label.text}' ({label.side}) does not suit the others and was left out.")
    if len(best.names) < 6:
        return None, [f"The gridlines cross at {len(best.names)} places only."], []
    notes = []
    if min(best.angles) < LEAST_ANGLE:
        notes.append(f"Gridlines cross at an angle of {min(best.angles):.0f} degrees: one of them was lost.")
    misfit = best.misfit()
    if misfit.max() > MOST_MISFIT:
        name = best.names[int(np.argmax(misfit))]
        notes.append(f"The crossing {name} lies {misfit.max():.0f} px off a smooth graticule.")
    notes += _odd_scales(best.places, best.degrees)
    degrees = best.degrees.copy()
    degrees[:, 0] -= 360.0 * np.ceil((degrees[:, 0].min() + degrees[:, 0].max()) / 720.0 - 0.5)
    return GroundControlPoints(best.places, degrees, "EPSG:4326", best.names), notes, left_out


@dataclass(frozen=True, eq=False)
class _Crossings:
    """Where meridians and parallels cross: places (n, 2), degrees (n, 2), names and angles."""

    places: NDArray[np.float64]
    degrees: NDArray[np.float64]
    names: tuple[str, ...]
    angles: tuple[float, ...]

    @classmethod
    def of(cls, meridians: Sequence[_Followed], parallels: Sequence[_Followed]) -> _Crossings:
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

    def misfit(self) -> NDArray[np.float64]:
        """Distance of each crossing from a smooth graticule fitted to all, in pixels."""
        lon, lat = ((column - column.mean()) / max(np.ptp(column), 1e-9) for column in self.degrees.T)
        most = [min(3, len(np.unique(column)) - 1) for column in self.degrees.T]
        total = 3 if min(most) >= 3 else 2
        powers = [(i, j) for i in range(most[0] + 1) for j in range(most[1] + 1) if i + j <= total]
        if len(powers) > 0.75 * len(self.places):
            powers = [(0, 0), (1, 0), (0, 1), (1, 1)]
        terms = np.stack([lon**i * lat**j for i, j in powers], axis=1)
        rest = self.places - terms @ np.linalg.lstsq(terms, self.places, rcond=None)[0]
        return np.asarray(np.hypot(*rest.T))


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
