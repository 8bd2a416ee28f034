"""Picture files made by Pillow or byte by byte, for the tests of reading them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ORANGE = (200, 100, 50)
Pixels = NDArray[np.uint8]


def smooth_picture() -> Pixels:
    """31 x 47 px, no two quadrants alike, smooth enough for JPEG."""
    y, x = np.mgrid[:31, :47]
    return np.stack([5 * x, 8 * y, 255 - 3 * (x + y)], axis=-1).astype(np.uint8)


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(color_type: int, depth: int, size: tuple[int, int], rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG Pillow would not write: any depth, a colour key, or more pixels announced than stored."""
    header = struct.pack(">IIBBBBB", *size, depth, color_type, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


# Primaries of Adobe RGB (1998) adapted to D50, and its gamma.
WIDE_PRIMARIES = np.array(
    [[0.60974, 0.31111, 0.01947], [0.20528, 0.62567, 0.06087], [0.14919, 0.06322, 0.74457]],
)
WIDE_GAMMA = 2.19921875
SRGB_PRIMARIES = np.array([[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]])


def icc_profile(description: bytes | None, space: bytes = b"RGB ", gamma: float = WIDE_GAMMA) -> bytes:
    """An ICC version 2 display profile; see the specification ICC.1:2001-04."""

    def xyz(place: NDArray[np.float64]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * p) for p in place))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * gamma)) + b"\0\0"
    tags = {b"wtpt": xyz(np.array([0.9642, 1.0, 0.8249])), b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        for letter, primary in zip((b"r", b"g", b"b"), WIDE_PRIMARIES, strict=True):
            tags[letter + b"XYZ"] = xyz(primary)
            tags[letter + b"TRC"] = curve
    if description is not None:
        text = description + b"\0"
        tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = bytearray(128)
    struct.pack_into(">I4xI4s4s4s", header, 0, start + len(body), 0x02400000, b"mntr", space, b"XYZ ")
    header[36:40] = b"acsp"
    struct.pack_into(">3i", header, 68, 63190, 65536, 54061)
    return bytes(header) + table + body


def wide_to_srgb(color: tuple[int, int, int]) -> NDArray[np.float64]:
    """What the wide-gamut profile means in sRGB, by the formulas of IEC 61966-2-1."""
    linear = (np.array(color) / 255) ** WIDE_GAMMA @ WIDE_PRIMARIES @ np.linalg.inv(SRGB_PRIMARIES)
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def write(tmp_path: Path, data: bytes, name: str = "map.png") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path
