"""What speaks against labels at a frame: signs that are not written, numbers that are no degrees, doubtful readings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from geocbar.figure.frame_labels import FrameLabel, FrameSide
from geocbar.place.graticule_axes import DegreeAxis

__all__ = ["find_label_vetoes"]

_NO_DEGREES = re.compile(
    r"\b(km|distance|depth|years?|months?|days?|hours?|time|date|easting|northing|pressure|hpa|mbar|height|altitude|"
    r"elevation|meters?|metres?|miles|pixels?|frequency|samples?|profundidad|profondeur|tiefe|distanz|entfernung|"
    r"distancia|zeit|jahr|ann[ée]e|a[ñn]o)\b|[(\[] ?k?m ?[)\]]",
    re.IGNORECASE,
)
_ARE_DEGREES = re.compile(
    r"\b(lons?|lats?|long|longitud|latitud|longitudes?|latitudes?|l[äa]nge|breite|degrees?|degrees?_\w+|grad|deg)\b"
    r"|°(?! ?[CF])",
    re.IGNORECASE,
)


def find_label_vetoes(axes: Sequence[DegreeAxis], sides: dict[str, FrameSide]) -> list[str]:
    """Reasons not to believe the labels.

    Parameters
    ----------
    axes : sequence of DegreeAxis
        Each side with labels, fitted.
    sides : dict
        All four sides.

    Returns
    -------
    list of str
        Empty if nothing speaks against them.
    """
    vetoes = []
    for axis in axes:
        side = sides[axis.side]
        vetoes += [*_titles(side), *_contrary(axis, side), *_signs(axis), *_doubts(axis, axes)]
    vetoes += _unmarked(axes, sides)
    return list(dict.fromkeys(vetoes))


def _titles(side: FrameSide) -> Iterable[str]:
    for title in side.titles:
        if _NO_DEGREES.search(title) and not _ARE_DEGREES.search(title):
            yield f"The axis at the {side.side} is titled '{title}': its numbers are no degrees."


def _contrary(axis: DegreeAxis, side: FrameSide) -> Iterable[str]:
    """Labels off the law: one in four may be misread, not more."""
    kept, off = len(axis.labels), [label for label in axis.contrary if label.marked]
    if off and (kept < 3 or 4 * len(off) > kept + len(off)):
        shown = ", ".join(f"'{label.text}'" for label in off[:4])
        yield f"At the {axis.side}, {shown} do not follow the progression of the other {kept} labels."


def _signs(axis: DegreeAxis) -> Iterable[str]:
    """Labels without sign and hemisphere whose sign the progression alone would have to tell."""
    if not axis.flipped:
        return
    values = axis.values
    zero_inside = values.min() <= 0 <= values.max() and any(abs(value) < 1e-9 for value in values)
    turn_inside = axis.kind == "lon" and any(abs(abs(value) - 180) < 1e-9 for value in values[1:-1])
    if not (zero_inside or turn_inside) or len(values) < 4:
        what = "longitudes decrease to the right" if axis.kind == "lon" else "latitudes decrease upwards"
        yield (
            f"At the {axis.side}, {what} and bear neither a minus sign nor a hemisphere"
            f" ({_shown(axis.labels)}): they may be west or south."
        )


def _doubts(axis: DegreeAxis, axes: Sequence[DegreeAxis]) -> Iterable[str]:
    """Signs seen but not read in half of the labels or more: then all may be wrong in the same way.

    Minus signs need no such care where three labels follow each other: without them the map would be mirrored. Nor do
    decimal points where the other direction is beyond doubt: a degree is about as long both ways.
    """
    others = [other for other in axes if other.kind != axis.kind]
    for sign in ("ring", "dots", "minus"):
        if sign == "minus" and len(axis.labels) >= 3:
            continue
        if sign == "dots" and others and not any(_are_doubtful(other, sign) for other in others):
            continue
        if _are_doubtful(axis, sign):
            doubtful = [label for label in axis.labels if _is_doubtful(label, sign)]
            yield f"At the {axis.side}, the readings {_shown(doubtful)} are doubtful: {doubtful[0].doubts[0]}."
    slipped = [label for label in axis.labels if not any(_same(label, r.value) and not r.slips for r in label.readings)]
    if 2 * len(slipped) > len(axis.labels) or len(axis.labels) - len(slipped) < 2:
        yield f"At the {axis.side}, most labels make sense only if they were misread: {_shown(slipped)}."


def _are_doubtful(axis: DegreeAxis, sign: str) -> bool:
    """Whether half of an axis' labels or more are doubtful in the same way."""
    count = sum(_is_doubtful(label, sign) for label in axis.labels)
    return count >= 2 and 2 * count >= len(axis.labels)


def _is_doubtful(label: FrameLabel, sign: str) -> bool:
    """Whether a sign was seen that the reading does not have, or was read without being seen."""
    doubts = " ".join(label.doubts)
    if sign == "ring":
        return "ring" in doubts and not any(r.marked and not r.slips for r in label.readings)
    if sign == "minus":
        return "minus" in doubts and not any(r.axis for r in label.readings)
    dots = re.search(r"(\d+) dots are drawn and (\d+) were read", doubts)
    return dots is not None and (int(dots[1]) > int(dots[2]) or bool(re.search(r"\d[.,]\d", label.text)))


def _same(label: FrameLabel, value: float) -> bool:
    off = abs(abs(label.value or 0.0) - abs(value)) % 360
    turned = abs((label.value or 0.0) - value) % 360
    return min(off, turned, 360 - turned) < 1e-6


def _unmarked(axes: Sequence[DegreeAxis], sides: dict[str, FrameSide]) -> list[str]:
    """Plain numbers: degrees only if something says so."""
    vetoes = []
    for kind in ("lon", "lat"):
        own = [axis for axis in axes if axis.kind == kind]
        labels = [label for axis in own for label in axis.labels]
        marked = sum(any(r.marked and not r.slips for r in label.readings) for label in labels)
        titled = any(
            _ARE_DEGREES.search(title) and not _NO_DEGREES.search(title)
            for axis in own
            for title in sides[axis.side].titles
        )
        if 2 * marked >= len(labels) and marked >= 1:
            continue
        if titled or _is_worldwide(axes):
            continue
        where = own[0].side
        vetoes.append(
            f"The numbers at the {where} ({_shown(labels)}) bear no degree sign and no hemisphere, and no title says"
            " longitude or latitude: they may be anything."
        )
    return vetoes


def _is_worldwide(axes: Sequence[DegreeAxis]) -> bool:
    """Numbers as only a world map has them: 360 or so degrees across, at most 180 down, south negative."""
    lon = next(axis for axis in axes if axis.kind == "lon")
    lat = next(axis for axis in axes if axis.kind == "lat")
    whole = all(abs(value % 10) < 1e-6 for value in (*lon.values, *lat.values))
    signed = any(value < 0 for value in lat.values) and any(value > 0 for value in lat.values)
    return bool(whole and signed and lon.values.max() - lon.values.min() >= 240 and not lat.flipped and not lon.flipped)


def _shown(labels: Sequence[FrameLabel]) -> str:
    texts = ", ".join(label.text for label in labels[:4])
    return texts + (", ..." if len(labels) > 4 else "")
