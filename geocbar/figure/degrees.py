"""Longitudes and latitudes as maps write them: degree signs, minutes, hemispheres of four languages, the equator."""

from __future__ import annotations

import re
from dataclasses import dataclass

from geocbar.figure.numbers import normalize_text

__all__ = ["Degree", "parse_degrees"]

_EQUATOR = re.compile(r"(eq|equ|equator|[aä]quator|[eé]quateur|ecuador)\.?", re.IGNORECASE)
_SIDE = r"[NSEWOL]|VV|v v"
_DIGITS = r"\d{1,3}(?:[.,]\d{1,4})?"
_DEGREES = re.compile(
    rf"""(?P<lead>{_SIDE})?\ ?(?P<sign>[-+])?\ ?(?P<d>{_DIGITS})\ ?(?P<mark>°|deg\.?|:|d(?=\d|$))?
    (?:\ ?(?P<m>\d{{1,2}}(?:\.\d+)?)\ ?(?P<minute>'|:|m|$|(?=\ ?(?:{_SIDE})$))
    (?:\ ?(?P<s>\d{{1,2}}(?:\.\d+)?)\ ?(?P<second>"|''|s|$|(?=\ ?(?:{_SIDE})$)))?)?
    \ ?(?P<side>{_SIDE})?""",
    re.VERBOSE,
)
_HEMISPHERES = {
    "N": (("lat", 1),),
    "S": (("lat", -1),),
    "E": (("lon", 1),),
    "W": (("lon", -1),),
    "L": (("lon", 1),),
    "O": (("lon", -1), ("lon", 1)),
}

#: What text engines take a hemisphere for where it follows a degree sign.
_LETTER_SLIPS = {"5": "S", "8": "S", "F": "E", "H": "N", "M": "N"}


@dataclass(frozen=True)
class Degree:
    """One way to understand a label at a map's frame.

    Parameters
    ----------
    value : float
        Decimal degrees, east and north positive; of a label without sign and hemisphere as it is written.
    axis : {"lon", "lat", ""}
        What the hemisphere says; empty without one.
    signed : bool
        Whether a hemisphere or a minus sign settles the sign; zero and 180 need none.
    marked : bool
        Whether a degree sign or a hemisphere says that these are degrees.
    slips : int
        How many slips of the text engine are assumed (``100`` for ``10°``).
    """

    value: float
    axis: str
    signed: bool
    marked: bool
    slips: int = 0


def parse_degrees(text: str) -> tuple[Degree, ...]:
    """Every plausible reading of a label as a longitude or latitude.

    Hemispheres may be English, French, Spanish or German. ``O`` is both west (ouest, oeste) and east (Ost): the
    neighbours must decide.

    Parameters
    ----------
    text : str
        The whole label.

    Returns
    -------
    tuple of Degree
        The likeliest first; empty if the text is no angle.

    Examples
    --------
    >>> [(d.value, d.axis) for d in parse_degrees("45°30'S")]
    [(-45.5, 'lat')]
    >>> [d.value for d in parse_degrees("60°O")]
    [-60.0, 60.0]
    >>> parse_degrees("EQ")[0]
    Degree(value=0.0, axis='lat', signed=True, marked=True, slips=0)
    >>> parse_degrees("12 km")
    ()
    """
    plain = normalize_text(text).strip(" ()[]_;")
    plain = re.sub(r"[~*^](?=\ ?[NSEWO]?$)", "°", plain)
    plain = re.sub(r"°{2,}|° °", "°", plain)
    plain = re.sub(r"(?<=\d°)0$", "O", plain)
    if _EQUATOR.fullmatch(plain):
        return (Degree(0.0, "lat", True, True),)
    found = list(_read(plain, 0))
    for variant in _variants(plain):
        for degree in _read(variant, 1):
            if not any(d.value == degree.value and d.axis == degree.axis for d in found):
                found.append(degree)
    return tuple(found)


def _variants(plain: str) -> list[str]:
    """What the label may have been where signs were taken for digits or letters."""
    variants = []
    hemisphere = re.fullmatch(r"(.*\d°)([0-9A-Z])", plain)
    if hemisphere and hemisphere[2] in _LETTER_SLIPS:
        variants.append(hemisphere[1] + _LETTER_SLIPS[hemisphere[2]])
    ring = re.fullmatch(r"([-+]?\d{1,3}(?:\.\d+)?)[0oOQ](\ ?[NSEWO]?)", plain)
    if ring and abs(float(ring[1])) <= 180:
        variants.append(f"{ring[1]}°{ring[2]}")
    small = re.fullmatch(r"(.*\d)(°?\ ?)(nE|Ne|n|e|w|s|o)", plain)
    if small:
        variants.append(small[1] + "°" + small[3][-1].upper())
    minute = re.fullmatch(r"(\d{1,3}°\d{2})[1lI|,.](\ ?[NSEWO]?)", plain)
    if minute:
        variants.append(f"{minute[1]}'{minute[2]}")
    return variants


def _read(plain: str, slips: int) -> list[Degree]:
    match = _DEGREES.fullmatch(plain)
    if not match or (match["lead"] and match["side"]):
        return []
    if match["m"] is not None and (match["mark"] is None or (len(match["m"]) < 2 and match["minute"] != "'")):
        return []
    size = float(match["d"].replace(",", "."))
    if match["m"] is not None:
        minutes, seconds = float(match["m"]), float(match["s"] or 0)
        if not size.is_integer() or minutes >= 60 or seconds >= 60 or re.search(r"[.,]", match["d"]):
            return []
        size += minutes / 60 + seconds / 3600
    if size > 360:
        return []
    side = (match["lead"] or match["side"] or "").replace(" ", "").upper().replace("VV", "W")
    minus = match["sign"] == "-"
    marked = bool(side) or (match["mark"] is not None and not slips)
    if not side:
        return [Degree(-size if minus and size else size, "", minus or size in (0.0, 180.0), marked, slips)]
    readings = []
    for axis, sign in _HEMISPHERES[side]:
        if size <= (90 if axis == "lat" else 360):
            value = sign * (-size if minus else size)
            readings.append(Degree(value if size else 0.0, axis, True, marked, slips))
    return readings
