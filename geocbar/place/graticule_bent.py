"""Control points where gridlines cross that were followed into the map: for conic, polar and other bent graticules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from geocbar.figure.frame_labels import FrameLabel, FrameSide
from geocbar.figure.gridlines import INKS, Gridline, LineMap, follow_line
from geocbar.figure.layout import PixelBox
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.graticule_crossings import FollowedLine, checked_crossings

__all__ = ["BentGraticule", "cross_gridlines", "settle_values"]

#: Pixels a degree may change so much from one gap between labels to the next.
MOST_CHANGE = 1.45
#: Labels a side must have for one of them, or two, to be left out.
FEWEST_WITHOUT = {1: 4, 2: 6}
#: A followed line is believed if so much of it is seen, as smooth as this (px), and as long as this (share of frame).
LEAST_SEEN, MOST_ROUGH, LEAST_LENGTH = 0.55, 0.8, 0.2


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
        With values; at most one in four, or two in six, left out as misread. None if they follow no progression.
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
        for count in (1, 2):
            if len(usable) < FEWEST_WITHOUT[count]:
                break
            for strangers in combinations(range(len(usable)), count):
                part = _settled([label for k, label in enumerate(usable) if k not in strangers], kind, west)
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


def cross_gridlines(lines: LineMap, box: PixelBox, sides: dict[str, FrameSide], size: tuple[int, int]) -> BentGraticule:
    """Follow the gridline at every label and take the crossings of meridians with parallels.

    Parameters
    ----------
    lines : LineMap
        Contrast of thin lines in the map.
    box : PixelBox
        The frame.
    sides : dict
        Labels at the four sides.
    size : (int, int)
        Width and height of the picture.

    Returns
    -------
    BentGraticule
    """
    vetoes, notes, settled = _settled_sides(sides)
    # The lines of one map are drawn with one pen.
    some = settled[:: max(1, len(settled) // 6)]
    pen = max(INKS, key=lambda ink: sum(item.line.merit for item in _followed(lines, box, some, ink)))
    every = _followed(lines, box, settled, pen)
    followed = {kind: [item for item in every if item.label.kind == kind] for kind in ("lon", "lat")}
    for kind in followed:
        followed[kind], quarrel = _merged(followed[kind], kind)
        notes += quarrel
    notes += _untangled(followed)
    meridians, parallels = followed["lon"], followed["lat"]
    if min(len(meridians), len(parallels)) < 2 or max(len(meridians), len(parallels)) < 3:
        what = f"{len(meridians)} meridians and {len(parallels)} parallels"
        vetoes += [*notes, f"Only {what} with a label could be followed into the map."]
        return BentGraticule(None, tuple(settled), tuple(vetoes), ())
    gcps, faults, left_out = checked_crossings(meridians, parallels, size)
    said = f"{len(meridians)} meridians and {len(parallels)} parallels were followed into the map."
    return BentGraticule(gcps, tuple(settled), (*vetoes, *faults), (said, *left_out, *notes))


def _settled_sides(sides: dict[str, FrameSide]) -> tuple[list[str], list[str], list[FrameLabel]]:
    """Vetoes, notes, and all labels whose values are settled."""
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
    for kind, names in (("lon", ("left", "right")), ("lat", ("bottom", "top"))):
        for name in names:
            # Lines that leave the map at the other sides, where the label says by itself what it is.
            sure = [
                (label, own[0].value)
                for label in sides[name].labels
                if len(own := [r for r in label.readings if r.slips == 0]) == 1 and own[0].axis == kind
            ]
            run = np.array([value for _, value in sure], dtype=np.float64)
            if kind == "lon":
                run = np.unwrap(run, period=360.0)
            rise = np.diff(run)
            if (rise > 0).all() or (rise < 0).all():
                settled += [replace(label, value=float(v), kind=kind) for (label, _), v in zip(sure, run, strict=True)]
    return vetoes, notes, settled


def _are_degrees(labels: Sequence[FrameLabel]) -> bool:
    """Whether two labels or more, and most of them, say by themselves that they are degrees."""
    sure = sum(any(r.marked and not r.slips for r in label.readings) for label in labels)
    return sure >= 2 and 2 * sure > len(labels)


def _followed(lines: LineMap, box: PixelBox, labels: Sequence[FrameLabel], ink: str) -> list[FollowedLine]:
    """The gridlines of one ink that begin at the labels."""
    found = []
    for label in labels:
        if label.foot is not None and label.inward is None:
            continue
        start, inward = _beginning(box, label)
        slack = max(4.0, (0.45 if label.foot is None else 1.2) * label.glyph_px)
        line = follow_line(lines, start, inward, ink, slack=slack)
        if line is None or line.coverage < LEAST_SEEN or line.roughness > MOST_ROUGH:
            continue
        if 2.0 * len(line.points) >= LEAST_LENGTH * min(box.width, box.height):
            found.append(FollowedLine(label, line))
    return found


def _beginning(box: PixelBox, label: FrameLabel) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a label's gridline leaves the map, and the direction into it."""
    if label.foot is not None and label.inward is not None:
        return label.foot, label.inward
    return {
        "left": ((box.left, label.middle), (1.0, 0.0)),
        "right": ((box.right, label.middle), (-1.0, 0.0)),
        "top": ((label.middle, box.top), (0.0, 1.0)),
        "bottom": ((label.middle, box.bottom), (0.0, -1.0)),
    }[label.side]


def _merged(found: Sequence[FollowedLine], kind: str) -> tuple[list[FollowedLine], list[str]]:
    """One line for each value: the longest; what is said of lines that lead to labels of other values."""
    quarrels = []
    kept: list[FollowedLine] = []
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
    unique: list[FollowedLine] = []
    for item in kept:
        if kind == "lon" and unique:
            turned = item.value - 360.0 * round((item.value - unique[0].value) / 360.0 - 0.25)
            item = FollowedLine(replace(item.label, value=turned), item.line)
        same = [other for other in unique if abs(other.value - item.value) < 1e-6]
        if not same:
            unique.append(item)
    return unique, quarrels


def _untangled(followed: dict[str, list[FollowedLine]]) -> list[str]:
    """Take out the worse one wherever a meridian and a parallel were followed along one and the same line."""
    said = []
    for east in list(followed["lon"]):
        for south in list(followed["lat"]):
            if east in followed["lon"] and south in followed["lat"] and _is_same_line(east.line, south.line):
                worse = min((east, south), key=lambda item: item.line.merit)
                followed[worse.label.kind].remove(worse)
                said.append(f"Left out, since it strayed onto another line: '{worse.label.text}' ({worse.label.side}).")
    return said


def _is_same_line(one: Gridline, other: Gridline) -> bool:
    """Whether two curves run within 2 px of each other over most of the shorter one."""
    short, long = sorted((one.points, other.points), key=len)
    apart = np.sqrt(((short[::4, None] - long[None]) ** 2).sum(axis=2)).min(axis=1)
    return bool((apart <= 2.0).mean() > 0.6)
