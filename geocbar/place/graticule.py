"""Control points from the map itself: longitude and latitude labels at its frame, paired into crossings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.frame_labels import FrameLabel, FrameSide, read_frame_side
from geocbar.figure.frames import MapFrame
from geocbar.figure.gridlines import LineMap, find_straight_lines, map_lines
from geocbar.figure.layout import PixelBox
from geocbar.figure.marks import SIDES
from geocbar.figure.outline_labels import read_outline_sides
from geocbar.figure.words import ReadText, Word
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.graticule_axes import LAWS, DegreeAxis, axis_of, fit_degrees, kind_of
from geocbar.place.graticule_bent import cross_gridlines
from geocbar.place.graticule_shape import denies_cylinder, proves_cylinder, scale_ratio
from geocbar.place.graticule_vetoes import find_label_vetoes

__all__ = ["GraticuleReading", "read_graticule"]

_BENT = "The graticule is bent or tilted, and its lines could not be followed into the map."
_UNPROVEN = "Nothing shows that meridians are upright and evenly spaced: the labels stand at one side only."

#: Scales may be the same if they differ by less than this share, are surely the same below, and surely not above these.
SAME_SCALE, SURE_SCALE, OTHER_SCALE = 0.01, 0.005, 0.02
#: Two laws of latitudes are the same if they differ by less than this over the map.
LAWS_APART_PX = 3.0

#: Maps as wide as this get control points at their ends, which tell where the world is cut.
WIDE_DEGREES = 150.0

#: At most so many meridians and parallels are paired.
MOST_LINES = 6


@dataclass(frozen=True, eq=False)
class GraticuleReading:
    """What the frame's labels say about where the map is.

    Parameters
    ----------
    gcps : GroundControlPoints or None
        Crossings of meridians with parallels, (lon, lat) in EPSG:4326.
    labels : tuple of FrameLabel
        What was read where; labels that follow no progression have no value.
    vetoes : tuple of str
        What speaks against; with any the reading is not accepted.
    evidence : tuple of str
        What speaks for it.
    """

    gcps: GroundControlPoints | None
    labels: tuple[FrameLabel, ...]
    vetoes: tuple[str, ...]
    evidence: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether there are control points and nothing speaks against them."""
        return self.gcps is not None and not self.vetoes


def read_graticule(
    pixels: NDArray[np.uint8],
    frame: MapFrame,
    read: ReadText | None,
    *,
    words: Sequence[Word] | None = None,
    obstacles: Sequence[PixelBox] = (),
    lossy: bool = False,
) -> GraticuleReading:
    """Read the longitude and latitude labels at a map's frame and pair them into control points.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The picture, sRGB.
    frame : MapFrame
    read : callable or None
        Text engine; None if `words` are given.
    words : sequence of Word or None
        All text with its places, where the file says it (PDF).
    obstacles : sequence of PixelBox
        Colour bars and other maps.
    lossy : bool
        Whether the picture went through JPEG.

    Returns
    -------
    GraticuleReading
        Accepted only where labels, marks and the map's shape agree.

    Raises
    ------
    InvalidInputError
        If the picture has no three colours, or there is neither a text engine nor `words`.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InvalidInputError(f"Labels are looked for in (rows, columns, 3) pixels, not in {pixels.shape}.")
    if read is None and words is None:
        raise InvalidInputError(
            "There is neither a text engine nor text to take labels from.", "Give control points: --gcps FILE"
        )
    box = frame.box
    if frame.kind == "picture" or min(box.width, box.height) < 40:
        return GraticuleReading(None, (), ("The map has no frame with paper around it for labels.",), ())
    size = (pixels.shape[1], pixels.shape[0])
    if frame.outline is not None:
        around = read_outline_sides(pixels, frame.outline, read, words=words, obstacles=obstacles, lossy=lossy)
        return _read_bent(map_lines(pixels, box, frame.outline), box, around, size)
    lines = map_lines(pixels, box)
    straight = {name: find_straight_lines(lines, name) for name in ("vertical", "horizontal")}
    sides = {}
    for side in SIDES:
        own = straight["horizontal" if side in ("left", "right") else "vertical"]
        sides[side] = read_frame_side(
            pixels, box, side, read, words=words, obstacles=obstacles, gridlines=own, lossy=lossy
        )
    flat = _read_rectangle(box, sides, straight["vertical"])
    if flat is not None and flat.vetoes[:1] not in ((_UNPROVEN,), (_BENT,)):
        return flat
    bent = _read_bent(lines, box, sides, size)
    if flat is None or bent.gcps is not None:
        return bent
    return replace(flat, vetoes=tuple(dict.fromkeys((*flat.vetoes, *bent.vetoes))))


def _read_bent(lines: LineMap, box: PixelBox, sides: dict[str, FrameSide], size: tuple[int, int]) -> GraticuleReading:
    """The reading from gridlines followed into the map."""
    bent = cross_gridlines(lines, box, sides, size)
    told = {(label.side, label.middle): label for label in bent.labels}
    labels = tuple(told.get((label.side, label.middle), label) for side in sides.values() for label in side.labels)
    axes = [
        axis
        for side in SIDES
        for kind in ("lon", "lat")
        if (axis := axis_of([label for label in bent.labels if (label.side, label.kind) == (side, kind)])) is not None
    ]
    doubts = find_label_vetoes(axes, sides) if bent.gcps is not None else []
    return GraticuleReading(bent.gcps, labels, (*bent.vetoes, *doubts), bent.evidence)


def _read_rectangle(
    box: PixelBox, sides: dict[str, FrameSide], verticals: NDArray[np.float64]
) -> GraticuleReading | None:
    """The reading under upright meridians and level parallels; None where the graticule is bent."""
    crossed = _crossed(sides)
    if crossed:
        return _nothing(sides, crossed)
    axes = [
        axis
        for kind, pair in (("lon", ("bottom", "top")), ("lat", ("left", "right")))
        for side in pair
        if (axis := fit_degrees(sides[side].labels, kind, side)) is not None
    ]
    lons, lats = (
        sorted((axis for axis in axes if axis.kind == kind), key=lambda axis: -len(axis.labels))
        for kind in ("lon", "lat")
    )
    if not lons or not lats:
        return None if any(len(side.labels) >= 2 for side in sides.values()) else _nothing(sides, _missing(sides))
    lon, lat = lons[0], lats[0]
    denied = denies_cylinder(axes, sides)
    if denied:
        return _nothing(sides, _BENT, denied)
    proof = proves_cylinder(box, lons, lat, sides, verticals)
    vetoes = [] if proof else [_UNPROVEN]
    vetoes += find_label_vetoes(axes, sides) + _shape_vetoes(box, lons, lats)
    lat, doubts, settled = _settle_law(box, lon, lat)
    vetoes += doubts
    labels = _all_labels(axes, sides)
    evidence = [f"Meridians are upright: {proof}."] if proof else []
    for axis in axes:
        count = sum(label.marked for label in axis.labels)
        evidence.append(
            f"{axis.side}: {len(axis.labels)} labels, {count} at marks, {axis.law}, {axis.rms_px:.1f} px rms."
        )
        evidence += [
            f"'{label.text}' at the {axis.side} was taken for a misreading and left out." for label in axis.contrary
        ]
    evidence += settled
    ends = _ends(box.left + 0.5, box.right - 0.5, lon) if abs(lon.slope) * box.width >= WIDE_DEGREES else []
    gcps = _paired(lon, lat, ends, _ends(box.top, box.bottom, lat) if settled else ())
    if gcps is None:
        vetoes.append("Fewer than two meridians and two parallels have a mark at their label.")
    return GraticuleReading(gcps, labels, tuple(vetoes), tuple(evidence))


def _crossed(sides: dict[str, FrameSide]) -> str:
    """Latitudes along the bottom, longitudes along the left: sections, turned maps."""
    for side in ("bottom", "top", "left", "right"):
        kind = kind_of(sides[side].labels)
        wrong = "lat" if side in ("bottom", "top") else "lon"
        if kind == wrong and len(sides[side].labels) >= 2:
            what = "Latitudes" if kind == "lat" else "Longitudes"
            return f"{what} run along the {side}: this is a section or a turned map."
    return ""


def _missing(sides: dict[str, FrameSide]) -> str:
    read = [label.text for side in sides.values() for label in side.labels]
    shown = f" Read there: {', '.join(read[:6])}." if read else ""
    return f"No longitudes and latitudes can be read at the frame.{shown}"


def _all_labels(axes: Sequence[DegreeAxis], sides: dict[str, FrameSide]) -> tuple[FrameLabel, ...]:
    """Every label read, with its value where a law confirms it."""
    labels = []
    for name, side in sides.items():
        kept = {label.middle: label for axis in axes if axis.side == name for label in axis.labels}
        labels += [kept.get(label.middle, label) for label in side.labels]
    return tuple(labels)


def _shape_vetoes(box: PixelBox, lons: Sequence[DegreeAxis], lats: Sequence[DegreeAxis]) -> list[str]:
    """Too few labels, and scales that no map has."""
    lon, lat = lons[0], lats[0]
    vetoes = []
    if max(len(lon.labels), len(lat.labels)) < 3:
        vetoes.append(
            f"Only {len(lon.labels)} longitudes and {len(lat.labels)} latitudes could be read: two labels cannot"
            " contradict each other."
        )
    top, bottom = (abs(lat.value_at(edge)) for edge in (box.top, box.bottom))
    steepest = 1 / max(np.cos(np.radians(min(max(top, bottom), 85.0))), 0.08)
    ratio = scale_ratio(lon, lat)
    if not 0.3 <= ratio <= max(4.0, 1.3 * steepest):
        vetoes.append(
            f"A degree of latitude is {ratio:.2g} times as long as one of longitude: a decimal point may be missing."
        )
    for few, others in ((lon, lons), (lat, lats)):
        if len(few.labels) == 2 and len(others) < 2:
            middle = abs(lat.value_at((box.top + box.bottom) / 2))
            plain = 1 / max(np.cos(np.radians(middle)), 0.05)
            if min(abs(ratio - 1), abs(ratio / plain - 1)) > 0.03:
                vetoes.append(
                    f"There are two labels at the {few.side} only, and the scale they give does not suit the other"
                    f" axis (ratio {ratio:.2f})."
                )
    return vetoes


def _settle_law(box: PixelBox, lon: DegreeAxis, lat: DegreeAxis) -> tuple[DegreeAxis, list[str], list[str]]:
    """Choose among laws the latitudes suit alike though they are far apart elsewhere on the map.

    All laws but that of plain latitudes have the scale of the longitudes at the equator, and plain ones may.

    Returns
    -------
    lat : DegreeAxis
        Under the law that was chosen.
    vetoes, evidence : list of str
        Empty if there was nothing to choose.
    """
    low, high = sorted(float(np.clip(lat.value_at(edge), -89, 89)) for edge in (box.top, box.bottom))
    inside = np.linspace(low, high, 9)
    suited = [lat]
    for name in LAWS:
        other = None if name == lat.law else fit_degrees(lat.labels, "lat", lat.side, name)
        if other is not None and len(other.labels) == len(lat.labels) and other.rms_px <= max(0.45, 2 * lat.rms_px):
            suited.append(other)
    off = [abs(scale_ratio(lon, axis) - 1) for axis in suited]
    rivals = [k for k, axis in enumerate(suited) if off[k] <= SAME_SCALE or axis.law == "linear"]
    first = min(range(len(suited)), key=lambda k: off[k])
    chosen = suited[first]
    apart = {k: float(np.abs(suited[k].place_of(inside) - chosen.place_of(inside)).max()) for k in rivals if k != first}
    far = {k: px for k, px in apart.items() if px > LAWS_APART_PX}
    if not far or off[first] > SAME_SCALE:
        return lat, [], []
    labels = ", ".join(label.text for label in lat.labels[:4])
    if off[first] <= SURE_SCALE and all(off[k] > OTHER_SCALE for k in far):
        return (
            chosen,
            [],
            [f"{lat.side}: {labels} alone do not tell the spacing; {chosen.law} has the scale of both axes."],
        )
    names = " and ".join([chosen.law, *(suited[k].law for k in far)])
    differ = f"differ by {max(far.values()):.0f} px"
    return lat, [f"The latitudes at the {lat.side} ({labels}) suit {names} spacing alike, which {differ}."], []


def _ends(first: float, last: float, axis: DegreeAxis) -> list[FrameLabel]:
    """Degrees at the frame's ends by the law, where the labels alone would not tell it, or where the world is cut."""
    ends = [(edge, axis.value_at(edge)) for edge in (first, last)]
    return [
        FrameLabel(axis.side, edge, f"{value:.2f}° by {axis.law} spacing", value, axis.kind, True)
        for edge, value in ends
        if axis.kind == "lon" or abs(value) < 88
    ]


def _paired(
    lon: DegreeAxis, lat: DegreeAxis, more_lons: Sequence[FrameLabel] = (), more_lats: Sequence[FrameLabel] = ()
) -> GroundControlPoints | None:
    """Crossings of the marks of both axes, and of more meridians and parallels that follow from their laws."""
    meridians = _spread([label for label in lon.labels if label.marked])
    parallels = _spread([label for label in lat.labels if label.marked])
    if len(meridians) < 2 or len(parallels) < 2:
        return None
    pixels, world, names = [], [], []
    for south in (*parallels, *more_lats):
        for east in (*meridians, *more_lons):
            pixels.append((east.position, south.position))
            world.append((_wrapped(east.value or 0.0, lon), south.value or 0.0))
            names.append(f"{east.text} {south.text} ({lat.side} mark x {lon.side} mark)")
    return GroundControlPoints(np.array(pixels), np.array(world), "EPSG:4326", tuple(names))


def _wrapped(value: float, axis: DegreeAxis) -> float:
    """Longitude within -360 to 360, running on along the axis."""
    return value - 360.0 if max(axis.values) > 360 else value + 360.0 if min(axis.values) < -360 else value


def _spread(labels: Sequence[FrameLabel]) -> list[FrameLabel]:
    """At most `MOST_LINES` labels, evenly chosen, the outer ones among them."""
    if len(labels) <= MOST_LINES:
        return list(labels)
    return [labels[k] for k in np.unique(np.linspace(0, len(labels) - 1, MOST_LINES).round().astype(int))]


def _nothing(sides: dict[str, FrameSide], *vetoes: str) -> GraticuleReading:
    return GraticuleReading(None, tuple(label for side in sides.values() for label in side.labels), vetoes, ())
