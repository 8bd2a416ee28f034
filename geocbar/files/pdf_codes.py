"""Whether the codes of fonts without a table of characters mean what they mean elsewhere."""

from __future__ import annotations

import re
import zlib

__all__ = ["are_codes_plain"]

#: Glyph names of the codes 32 to 126 that are no single letters (Adobe Glyph List).
_NAMES = (
    "space exclam quotedbl numbersign dollar percent ampersand quotesingle parenleft parenright asterisk plus comma "
    "hyphen period slash zero one two three four five six seven eight nine colon semicolon less equal greater question "
    "at"
)
_BRACKETS = "bracketleft backslash bracketright asciicircum underscore grave"
_BRACES = "braceleft bar braceright asciitilde"
_CODES: dict[str, int] = {
    **{name: code for code, name in enumerate(_NAMES.split(" "), start=32)},
    **{name: code for code, name in enumerate(_BRACKETS.split(" "), start=91)},
    **{name: code for code, name in enumerate(_BRACES.split(" "), start=123)},
    **{"minus": 45, "quoteright": 39, "quoteleft": 96},
}

_DIFFERENCES = re.compile(rb"/Differences\s*\[([^\]]*)\]")
_OBJECT_STREAM = re.compile(rb"/ObjStm\b[^>]{0,200}?>>\s*stream\r?\n")
_MOST_UNPACKED = 20_000_000


def are_codes_plain(data: bytes) -> bool:
    """Whether every encoding written in a PDF puts digits, letters and signs at their usual (ASCII) codes.

    Plotters write figures with fonts (Type 3) that name their glyphs but have no table from codes to characters. If
    all names agree with the codes, the codes can be taken as characters.

    Parameters
    ----------
    data : bytes
        The PDF file.

    Returns
    -------
    bool
        False also if the file holds no such names.
    """
    tables = _DIFFERENCES.findall(data)
    for start in _OBJECT_STREAM.finditer(data):
        try:
            unpacked = zlib.decompressobj().decompress(data[start.end() :], _MOST_UNPACKED)
        except zlib.error:
            continue
        tables += _DIFFERENCES.findall(unpacked)
    return bool(tables) and all(_is_plain(table.decode("latin-1")) for table in tables)


def _is_plain(table: str) -> bool:
    code = 0
    for item in re.findall(r"/[^\s/\[\]]+|\d+", table):
        if not item.startswith("/"):
            code = int(item)
            continue
        if 32 <= code < 127 and _meaning(item[1:]) != code:
            return False
        code += 1
    return True


def _meaning(name: str) -> int | None:
    """The code a glyph name stands for, None if it does not say."""
    if len(name) == 1:
        return ord(name)
    if re.fullmatch(r"uni[0-9A-Fa-f]{4}", name):
        return int(name[3:], 16)
    return _CODES.get(name)
