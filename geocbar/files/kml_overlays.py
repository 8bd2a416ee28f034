"""Ground overlays in the KML files beside a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
from affine import Affine

from geocbar.errors import FileProblemError
from geocbar.files.sidecar_xml import child_texts, local_name, read_xml

__all__ = ["Overlay", "find_overlays"]

#: Larger KML files hold other things.
MOST_BYTES = 5_000_000

#: A quadrilateral that misses a parallelogram by less than this, in pixels, is one.
STRAIGHT_PX = 0.01


@dataclass(frozen=True, eq=False)
class Overlay:
    """Where a ground overlay puts a picture, in degrees of WGS 84.

    Parameters
    ----------
    file : str
        Name of the KML file.
    affine : Affine or None
        ``(col, row)`` to ``(lon, lat)``, from pixel corners.
    points : tuple of (name, col, row, lon, lat)
        The corners of a quadrilateral that is no parallelogram.
    note : str
        What a person should know, or "".
    """

    file: str
    affine: Affine | None
    points: tuple[tuple[str, float, float, float, float], ...] = ()
    note: str = ""


def find_overlays(picture: Path, size: tuple[int, int]) -> Iterator[Overlay]:
    """Ground overlays that name a picture, from all KML files in its folder.

    Parameters
    ----------
    picture : Path
    size : (int, int)
        Width and height of the picture in pixels.

    Yields
    ------
    Overlay

    Raises
    ------
    FileProblemError
        If a KML file that names the picture is damaged, defines entities, or states no proper box.

    References
    ----------
    OGC 07-147r2, KML 2.2, 11.2-11.3; ``gx:LatLonQuad``: https://developers.google.com/kml/documentation/kmlreference
    """
    for beside in sorted(picture.parent.iterdir()):
        if beside.suffix.lower() != ".kml" or not beside.is_file() or beside.stat().st_size > MOST_BYTES:
            continue
        try:
            data = beside.read_bytes()
        except OSError:
            continue  # nobody who may not read it was told anything
        text = unquote(data.replace(b"\0", b"").decode("utf-8", errors="replace")).lower()
        if picture.name.lower() not in text.replace("&amp;", "&"):
            continue
        for element in read_xml(beside).iter():
            if local_name(element) == "GroundOverlay" and _names(element, picture.name):
                yield _read_overlay(beside, element, size)


def _names(overlay: ElementTree.Element, name: str) -> bool:
    """Whether an overlay shows the picture of this name."""
    for child in overlay:
        if local_name(child) == "Icon":
            href = child_texts(child).get("href", "").replace("\\", "/").rpartition("/")[2]
            return name.lower() in (href.lower(), unquote(href).lower())
    return False


def _read_overlay(file: Path, overlay: ElementTree.Element, size: tuple[int, int]) -> Overlay:
    for child in overlay:
        if local_name(child) == "LatLonBox":
            return _of_box(file, child_texts(child), size)
        if local_name(child) == "LatLonQuad":
            return _of_quad(file, child_texts(child).get("coordinates", ""), size)
    raise _improper(file, "has neither LatLonBox nor LatLonQuad")


def _improper(file: Path, what: str) -> FileProblemError:
    return FileProblemError(
        f"The ground overlay in {file.name} {what}.", "Correct it or move it away, or give control points: --gcps FILE"
    )


def _of_box(file: Path, texts: dict[str, str], size: tuple[int, int]) -> Overlay:
    try:
        north, south, east, west = (float(texts[side]) for side in ("north", "south", "east", "west"))
        turn = float(texts.get("rotation") or 0)
    except (KeyError, ValueError) as error:
        raise _improper(file, "needs numbers north, south, east, west (and rotation)") from error
    if east < west:
        east += 360  # across the date line
    if not (np.isfinite([north, south, east, west, turn]).all() and north > south and east > west):
        raise _improper(file, f"has no area: north {north:g}, south {south:g}, east {east:g}, west {west:g}")
    middle = ((west + east) / 2, (south + north) / 2)
    # Viewers turn a picture as it is seen on the ground, where a degree of longitude is shorter than one of latitude.
    shrink = max(math.cos(math.radians(middle[1])), 1e-6)
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    half = np.array([(east - west) / 2, (north - south) / 2])

    right = np.array([cos, sin * shrink]) * half[0]
    down = np.array([sin / shrink, -cos]) * half[1]
    (a, d), (b, e) = 2 * right / size[0], 2 * down / size[1]
    c, f = np.array(middle) - right - down
    turned = f"{file.name} turns the picture by {turn:g} degrees, which was taken as a turn on the ground."
    return Overlay(file.name, Affine(a, b, c, d, e, f), note=turned if turn else "")


def _of_quad(file: Path, text: str, size: tuple[int, int]) -> Overlay:
    try:
        corners = np.array([[float(number) for number in place.split(",")[:2]] for place in text.split()])
    except ValueError as error:
        raise _improper(file, f"has corners that are not numbers: {text[:60]!r}") from error
    if corners.shape != (4, 2) or not np.isfinite(corners).all():
        raise _improper(file, f"needs four corners, lon,lat each: {text[:60]!r}")
    corners[:, 0] = corners[0, 0] + (corners[:, 0] - corners[0, 0] + 180) % 360 - 180
    lower_left, lower_right, upper_right, upper_left = corners
    right, down = (upper_right - upper_left) / size[0], (lower_left - upper_left) / size[1]
    affine = Affine(right[0], down[0], upper_left[0], right[1], down[1], upper_left[1])
    bend = upper_left + right * size[0] + down * size[1] - lower_right
    if np.hypot(*bend) < STRAIGHT_PX * min(np.hypot(*right), np.hypot(*down)):
        return Overlay(file.name, affine)
    names = ("bottom left", "bottom right", "top right", "top left")
    places = ((0, size[1]), (size[0], size[1]), (size[0], 0), (0, 0))
    points = tuple(
        (n, float(p[0]), float(p[1]), float(c[0]), float(c[1])) for n, p, c in zip(names, places, corners, strict=True)
    )
    note = f"{file.name} pulls the corners of the picture to four places: --model projective meets them."
    return Overlay(file.name, None, points, note)
