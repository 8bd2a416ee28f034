"""Palette files: told apart by what is in them, read into one type."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.files.palette_nodes import Palette
from geocbar.files.palettes_gimp import parse_ggr, parse_gpl
from geocbar.files.palettes_gmt import looks_like_cpt, parse_cpt
from geocbar.files.palettes_qgis import looks_like_qgis_text, parse_qgis_text, parse_qgis_xml
from geocbar.files.palettes_text import (
    has_color_line,
    parse_act,
    parse_color_list,
    parse_jasc,
    parse_riff,
    parse_surfer,
)

__all__ = ["Palette", "read_palette"]

_FORMATS = (
    "lists of colours (#rrggbb or r g b), GMT .cpt, GIMP .gpl and .ggr, QGIS .qml, colour map .txt and colour ramp"
    " .xml, Adobe .act, JASC and Microsoft .pal, ESRI and Surfer .clr"
)
_MOST_BYTES = 16 * 1024 * 1024


def read_palette(path: str | PathLike[str]) -> Palette:
    """Read a palette file.

    The format is recognised by the content first and by the extension second: lists of colours (hex, or r g b in 0
    to 255 or 0 to 1), GMT .cpt, GIMP .gpl and .ggr, QGIS .qml raster styles, colour map text exports and colour ramp
    XML, Adobe .act, JASC and Microsoft .pal, ESRI and Surfer .clr. Opacities are ignored.

    Parameters
    ----------
    path : str or path
        The file, at most 16 MB.

    Returns
    -------
    Palette

    Raises
    ------
    FileProblemError
        If the file is missing, unreadable, empty, too large or cut off.
    InvalidInputError
        For a line that cannot be read, fewer than two colours, or a format that is not known.
    NotFoundError
        If a QGIS file holds no colours.
    """
    file = Path(path)
    data = _read(file)
    suffix = file.suffix.lower()
    if data[:4] == b"RIFF" and data[8:12] == b"PAL ":
        return parse_riff(data, file.name)
    text = _decode(data)
    if suffix == ".act" or (text is None and len(data) in (768, 772)):
        return parse_act(data, file.name)
    if text is None:
        raise _unknown(file.name)
    if not text.strip():
        raise FileProblemError(f"{file.name} is empty.", "Give a palette file with two colours or more.")
    return _parse_text(text, file.name, suffix)


def _read(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= _MOST_BYTES else b""
    except FileNotFoundError as error:
        raise FileProblemError(f"There is no file {file}.", "Check the path of the palette.") from error
    except OSError as error:
        reason = error.strerror or error
        raise FileProblemError(f"{file} cannot be read: {reason}.", "Give the path of a palette file.") from error
    if size > _MOST_BYTES:
        raise FileProblemError(
            f"{file.name} has {size / 2**20:.0f} MB; a palette has at most 16 MB.", "Give the path of a palette file."
        )
    if not data:
        raise FileProblemError(f"{file.name} is empty.", "Give a palette file with two colours or more.")
    return data


def _decode(data: bytes) -> str | None:
    """The text of the file, or None if it is not text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            return None
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _parse_text(text: str, name: str, suffix: str) -> Palette:
    head = text.lstrip()
    if head.startswith("<"):
        return parse_qgis_xml(text, name)
    for mark, parse in (
        ("GIMP Palette", parse_gpl),
        ("GIMP Gradient", parse_ggr),
        ("JASC-PAL", parse_jasc),
        ("ColorMap ", parse_surfer),
    ):
        if head.startswith(mark):
            return parse(text, name)
    if looks_like_qgis_text(text):
        return parse_qgis_text(text, name)
    if suffix == ".cpt" or looks_like_cpt(text):
        return parse_cpt(text, name)
    if not has_color_line(text):
        raise _unknown(name)
    return parse_color_list(text, name, suffix)


def _unknown(name: str) -> InvalidInputError:
    return InvalidInputError(f"{name} is not a palette of a known format.", f"geocbar reads {_FORMATS}.")
