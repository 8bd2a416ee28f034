"""Control points in tables: CSV as people type it, and the .points files of the QGIS Georeferencer."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.files.tables import SWITCHES, Row, read_table
from geocbar.place.gcps import GroundControlPoints, is_geographic
from geocbar.place.local_crs import axis_readings, crs_definition, is_local, short_crs, to_local_plane

__all__ = ["parse_angle", "read_gcps", "write_gcps", "write_points_file"]

#: Names of columns, lower case and without blanks, underscores, hyphens and units.
COLUMNS = {
    "pixel": "pixel pixels col column px pixelx sourcex imagex imgx picturex xpixel xpx ximage sample",
    "line": "line lines row py pixely sourcey imagey imgy picturey ypixel ypx yimage",
    "lon": "lon long longitude lng mapx easting east worldx geox xmap rechtswert",
    "lat": "lat latitude mapy northing north worldy geoy ymap hochwert",
    "name": "name label id point pointid gcp",
    "enable": "enable enabled use used on active",
}

NEEDED = "Name the columns: name,pixel,line,lon,lat,enable (name and enable may be left out)."

_DASHES = dict.fromkeys(map(ord, "−–‒‐‑"), "-")
_SINGLE = dict.fromkeys(map(ord, "′’‘ʹ´`"), "'")
_DOUBLE = dict.fromkeys(map(ord, "″”“„"), '"')
_OTHER = {ord("º"): "°", ord("˚"): "°", 0xA0: " ", 0x2009: " ", 0x202F: " "}
_SIGNS = _DASHES | _SINGLE | _DOUBLE | _OTHER

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_HEMISPHERE = re.compile(r"(?P<before>[NSEWO]\b|[NSEWO](?=[\d.\s]))?(?P<angle>.*?)(?P<after>[NSEWO])?", re.I)
_ANGLE = re.compile(
    r"(?P<sign>[+-])?\s*(?P<d>\d+(\.\d*)?|\.\d+)\s*(°|deg|d|:|(?=\s)|$)\s*"
    r"((?P<m>\d+(\.\d*)?)\s*('|min|m|:|(?=\s)|$)\s*)?"
    r"((?P<s>\d+(\.\d*)?)\s*(\"|''|sec|s|$)\s*)?",
    re.ASCII | re.I,
)


def parse_angle(text: str, axis: str) -> float:
    """Degrees from the ways people write them.

    Parameters
    ----------
    text : str
        ``12.5``, ``-12.5``, ``12.5W``, ``W12.5``, ``45°30'15.5"N``, ``45d30mN``, ``45 30 N``; a lower-case ``s``
        after minutes stands for seconds, any other s for south.
    axis : {"lon", "lat"}
        Which hemispheres are allowed: E and W, or N and S.

    Returns
    -------
    float
        Degrees, negative in the west and south.

    Raises
    ------
    InvalidInputError
        If it is no angle, minutes or seconds are 60 or more, a sign contradicts a letter, the letter belongs to the
        other axis, or is an O, which is east in German and west in French.

    Examples
    --------
    >>> parse_angle("45°30′N", "lat"), parse_angle("W 12 15 36", "lon")
    (45.5, -12.26)
    """
    plain = text.translate(_SIGNS).strip()
    if _NUMBER.fullmatch(plain):
        return float(plain)
    seconds_written = re.search(r"(m|'|min)\s*[\d.]+\s*s$", plain) is not None
    parts = _HEMISPHERE.fullmatch(plain + ('"' if seconds_written else ""))
    angle = plain
    letter = ""
    if not seconds_written and parts is not None:
        before, after = (parts[side] or "" for side in ("before", "after"))
        if before and after:
            raise InvalidInputError("it has two hemisphere letters", "Write 12.5W or W12.5.")
        angle, letter = parts["angle"].strip(), (before or after).upper()
    match = _ANGLE.fullmatch(angle)
    if match is None:
        raise InvalidInputError("it is not an angle", "Write degrees as 12.5, -12.5, 12.5W or 45°30'15\"N.")
    if letter == "O":
        raise InvalidInputError("O is east in German and west in French", "Write E for east or W for west, or a sign.")
    if letter and letter not in {"lon": "EW", "lat": "NS"}[axis]:
        raise InvalidInputError(
            f"{letter} is not a {'longitude' if axis == 'lon' else 'latitude'}",
            "Longitude and latitude look swapped in this line: swap the two.",
        )
    if letter and match["sign"]:
        raise InvalidInputError("it has both a sign and a hemisphere letter", "Write -12.5 or 12.5W.")
    return _sum_angle(match) * (-1 if letter in ("W", "S") or match["sign"] == "-" else 1)


def _sum_angle(match: re.Match[str]) -> float:
    """Degrees, minutes and seconds put together, without sign."""
    parts = [match[unit] for unit in "dms"]
    for smaller, larger in zip(parts[1:], parts, strict=False):
        if smaller is not None and larger is not None and "." in larger:
            raise InvalidInputError("it has a fraction before its last part", "Write 45.5 or 45°30', not both.")
    degrees, minutes, seconds = (float(part or 0) for part in parts)
    for value, unit in ((minutes, "minutes"), (seconds, "seconds")):
        if value >= 60:
            raise InvalidInputError(f"{value:g} {unit} are 60 or more", "Minutes and seconds end below 60.")
    return degrees + minutes / 60 + seconds / 3600


def _normalise(name: str) -> str:
    """A column name without units, blanks and underscores; its case is kept."""
    return re.sub(r"[\s_\-]|[\[(].*?[\])]", "", name)


def _find_columns(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Which column is which.

    Bare x and y are the picture's if only the world's columns have names, the world's if only the picture's
    have; with ``x,y,X,Y`` the lower-case ones are the picture's.
    """
    names = [_normalise(name) for name in header]
    found: dict[str, list[int]] = {
        role: [i for i, name in enumerate(names) if name.lower() in known.split()] for role, known in COLUMNS.items()
    }
    for letter, picture, world in (("x", "pixel", "lon"), ("y", "line", "lat")):
        bare = [i for i, name in enumerate(names) if name.lower() == letter]
        if len(bare) == 2 and {names[i] for i in bare} == {letter, letter.upper()} and not found[picture]:
            if not found[world]:
                found[world] = [i for i in bare if names[i] == letter.upper()]
                bare = [i for i in bare if names[i] == letter]
            found[picture] = bare
        elif not found[picture] and found[world]:
            found[picture] = bare
        elif found[picture] and not found[world]:
            found[world] = bare
    shown = ", ".join(name.strip() for name in header)
    for role, label in (
        ("pixel", "pixel"),
        ("line", "line"),
        ("lon", "lon (or easting)"),
        ("lat", "lat (or northing)"),
    ):
        if not found[role]:
            number = any(_NUMBER.fullmatch(name.strip()) for name in header)
            problem = "has no header: its first line is" if number else f"has no column {label}: its header is"
            raise InvalidInputError(f"{path.name} {problem} {shown!r}.", NEEDED)
        if len(found[role]) > 1:
            twice = " and ".join(repr(header[i].strip()) for i in found[role])
            raise InvalidInputError(
                f"{path.name} has more than one column {label}: {twice}.", f"Rename or delete one. {NEEDED}"
            )
    if len(found["enable"]) > 1:
        raise InvalidInputError(f"{path.name} has more than one column enable: {shown!r}.", NEEDED)
    rank = COLUMNS["name"].split()
    found["name"].sort(key=lambda i: rank.index(names[i].lower()))
    return {role: columns[0] for role, columns in found.items() if columns}


def _said_crs(comments: Sequence[str]) -> str:
    """The CRS that a comment names first; empty if none does."""
    said = (re.match(r"crs\s*[:=]\s*(.*\S)", comment, re.I) for comment in comments)
    return next((match[1] for match in said if match), "")


class _Cells:
    """Reads the cells of a table, and says where it stumbled."""

    def __init__(self, path: Path, header: Sequence[str], delimiter: str, crs: str) -> None:
        self.path, self.header, self.crs = path, [name.strip() for name in header], crs_definition(crs)
        self.comma = delimiter != ","
        self.columns = _find_columns(path, header)

    def cell(self, row: Row, role: str) -> str:
        """Text of a cell; a missing one is empty."""
        at = self.columns.get(role)
        return row.fields[at].strip() if at is not None and at < len(row.fields) else ""

    def problem(self, row: Row, role: str, what: str, hint: str) -> InvalidInputError:
        """An error that says where."""
        name = self.header[self.columns[role]]
        return InvalidInputError(
            f"{self.path.name}, line {row.number}, column {name}: {self.cell(row, role)!r}: {what}.", hint
        )

    def check_length(self, row: Row) -> None:
        """Refuse more cells than the header has, which is how a decimal comma shows."""
        if any(field.strip() for field in row.fields[len(self.header) :]):
            raise InvalidInputError(
                f"{self.path.name}, line {row.number} has {len(row.fields)} fields, the header {len(self.header)}.",
                "" if self.comma else "With decimal commas, separate the columns by semicolons.",
            )

    def number(self, row: Row, role: str) -> float:
        """A coordinate: a number, or an angle where the CRS counts in degrees."""
        text = self.cell(row, role)
        if not text:
            raise self.problem(row, role, "a number is missing", "Give it, or delete the line.")
        plain = text.translate(_SIGNS).strip()
        if self.comma and plain.count(",") == 1 and "." not in plain:
            plain = plain.replace(",", ".")
        if _NUMBER.fullmatch(plain):
            if np.isfinite(value := float(plain)):
                return value
            raise self.problem(row, role, "it is too large", "Give a finite number.")
        if role in ("pixel", "line") or not is_geographic(self.crs):
            raise self.problem(row, role, "it is not a number", "Give a plain number such as 512.5.")
        try:
            return parse_angle(plain, role)
        except InvalidInputError as error:
            raise self.problem(row, role, error.message, error.hint) from None

    def switch(self, row: Row) -> bool:
        """Whether the point is switched on."""
        text = self.cell(row, "enable").lower()
        if text not in SWITCHES:
            raise self.problem(row, "enable", "it is neither on nor off", "Give 1 or 0.")
        return SWITCHES[text]


def _flip_lines(lines: list[float], column: str, is_points: bool) -> list[float]:
    """Lines counted downwards from 0, from QGIS's that are negative downwards."""
    if _normalise(column).lower() not in ("sourcey", "pixely"):
        return lines
    upward = any(line < 0 for line in lines) if is_points else all(line <= 0 for line in lines)
    return [0.0 - line for line in lines] if upward else lines


def read_gcps(path: str | PathLike[str], crs: str | None = None) -> GroundControlPoints:
    """Read control points from a CSV table or a QGIS Georeferencer .points file.

    Parameters
    ----------
    path : path
        A table with a header; comma, semicolon or TAB separated, UTF-8, UTF-16 or Latin-1. Columns go by the
        names in :data:`COLUMNS`; lines that start with # are skipped.
    crs : str or None
        Coordinate reference system of the points. None: the one the file names in a line ``#CRS: ...``, else
        EPSG:4326. ``local`` for figures without a globe, whose columns are then x and y in any unit;
        ``local:logx``, ``local:logy``, ``local:logxy`` if those axes are logarithmic.

    Returns
    -------
    GroundControlPoints
        In the order of the file, with those switched off. Local ones are in the plane where positions run evenly,
        see :func:`~geocbar.place.local_crs.to_local_plane`.

    Raises
    ------
    FileProblemError
        If the file is missing, empty or not text.
    InvalidInputError
        If columns are missing or ambiguous, there are no rows, or a cell is not what it should be; the sentence
        gives line, column and text.
    """
    path = Path(path)
    table = read_table(path, NEEDED)
    if not table.rows:
        raise InvalidInputError(f"{path.name} holds no control points, only comments.", NEEDED)
    said = _said_crs(table.comments)
    header, *rows = table.rows
    if said and crs and is_local(said) and short_crs(said) == short_crs(crs):
        crs = said  # the file may hold places of the plane: their logarithm must not be taken twice
    crs_text = crs or said or "EPSG:4326"
    cells = _Cells(path, header.fields, table.delimiter, crs_text)
    names: list[str] = []
    pixels, lines, world, enabled = [], [], [], []
    for row in rows:
        cells.check_length(row)
        pixels.append(cells.number(row, "pixel"))
        lines.append(cells.number(row, "line"))
        world.append((cells.number(row, "lon"), cells.number(row, "lat")))
        enabled.append(cells.switch(row))
        names.append(cells.cell(row, "name") or str(len(names) + 1))
    if not names:
        raise InvalidInputError(f"{path.name} has a header but no control points.", "Add a line for each point.")
    columns = {role: cells.header[at] for role, at in cells.columns.items()}
    metric = re.match(r"east|rechts", columns["lon"], re.I) and np.abs(world).max() > 360
    if metric and not crs and not said:
        raise InvalidInputError(
            f"{path.name} gives {columns['lon']} and {columns['lat']} but no coordinate reference system.",
            'Give it as crs="EPSG:32633", or in the first line of the file: #CRS: EPSG:32633',
        )
    lines = _flip_lines(lines, columns["line"], _normalise(columns["lon"]).lower() == "mapx")
    gcps = GroundControlPoints(
        np.stack([pixels, lines], axis=1),
        np.array(world),
        crs_text,
        tuple(" ".join(name.split()) for name in names),
        np.array(enabled),
    )
    return to_local_plane(gcps)


def _write(path: Path, fill: Callable[[io.StringIO], None]) -> None:
    """Write text, turning what the system refuses into a sentence."""
    text = io.StringIO()
    fill(text)
    try:
        path.write_text(text.getvalue(), encoding="utf-8", newline="\n")
    except OSError as error:
        raise FileProblemError(
            f"{path} cannot be written: {error.strerror or error}.", "Check the folder and its free space."
        ) from error


def _short(value: float) -> str:
    """The shortest text that reads back as the same number."""
    return repr(float(value) + 0.0).removesuffix(".0")


def write_gcps(path: str | PathLike[str], gcps: GroundControlPoints) -> None:
    """Write control points as CSV that :func:`read_gcps` reads back exactly.

    The columns are ``name,pixel,line,lon,lat,enable``; ``easting,northing`` where the CRS is not geographic, ``x,y``
    with the readings of the axes where it is local (those of logarithmic axes come back within 1e-14). Any CRS but
    EPSG:4326 is named in a first line ``#CRS: ...``.

    Parameters
    ----------
    path : path
    gcps : GroundControlPoints

    Raises
    ------
    FileProblemError
        If the file cannot be written.
    NotFoundError
        If pyproj does not know the CRS.
    """
    gcps = to_local_plane(gcps)
    local = is_local(gcps.crs)
    columns = ("x", "y") if local else ("lon", "lat") if is_geographic(gcps.crs) else ("easting", "northing")
    world = axis_readings(gcps.world, gcps.crs) if local else gcps.world

    def fill(text: io.StringIO) -> None:
        if gcps.crs != "EPSG:4326":
            text.write(f"#CRS: {' '.join(short_crs(gcps.crs).split())}\n")
        text.write(",".join(("name", "pixel", "line", *columns, "enable")) + "\n")
        names = [" ".join(name.split()) for name in gcps.names]
        for name, pixel, place, on in zip(names, gcps.pixels, world, np.asarray(gcps.enabled), strict=True):
            quoted = '"' + name.replace('"', '""') + '"' if re.search('^#|[",;]', name) else name
            text.write(",".join((quoted, *map(_short, (*pixel, *place)), str(int(on)))) + "\n")

    _write(Path(path), fill)


def write_points_file(path: str | PathLike[str], gcps: GroundControlPoints, residuals: ArrayLike | None = None) -> None:
    """Write control points for the QGIS Georeferencer.

    Parameters
    ----------
    path : path
        By custom the name of the picture plus ``.points``.
    gcps : GroundControlPoints
    residuals : (n, 2) array or None
        Fitted minus given place of each point in pixels, lines downwards; NaN (switched off) is written as 0.

    Raises
    ------
    FileProblemError
        If the file cannot be written.
    InvalidInputError
        If the residuals do not pair up with the points.
    NotFoundError
        If pyproj does not know the CRS.
    """
    shifts = np.zeros((len(gcps), 2)) if residuals is None else np.asarray(residuals, dtype=np.float64)
    if shifts.shape != (len(gcps), 2):
        raise InvalidInputError(f"{len(gcps)} points need residuals of shape ({len(gcps)}, 2), not {shifts.shape}.")
    gcps = to_local_plane(gcps)
    is_geographic(gcps.crs)
    from pyproj import CRS

    wkt = " ".join(CRS.from_user_input(gcps.crs).to_wkt().split())
    shifts = np.nan_to_num(shifts)

    def fill(text: io.StringIO) -> None:
        text.write(f"#CRS: {wkt}\nmapX,mapY,sourceX,sourceY,enable,dX,dY,residual\n")
        source = gcps.pixels * [1, -1]
        for place, pixel, on, shift in zip(gcps.world, source, np.asarray(gcps.enabled), shifts, strict=True):
            numbers = (*place, *pixel, float(on), *shift, float(np.hypot(*shift)))
            text.write(",".join(map(_short, numbers)) + "\n")

    _write(Path(path), fill)
