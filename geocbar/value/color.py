"""Colour spaces, and how far apart two colours lie.

All spaces used for matching are linear maps of 8-bit sRGB, so that a straight line between two colours stays one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RGB", "YCBCR", "pack_colors", "parse_color", "unpack_colors"]

#: Distances in plain 8-bit sRGB, for pictures stored without loss.
RGB: NDArray[np.float64] = np.eye(3)
RGB.setflags(write=False)

#: Full-range YCbCr of JPEG files (ITU-T T.871), luma counted twice: chroma is what JPEG blurs.
#: Rows give Y, Cb, Cr from R, G, B.
YCBCR: NDArray[np.float64] = np.array(
    [
        [2 * 0.299, 2 * 0.587, 2 * 0.114],
        [-0.168735892, -0.331264108, 0.5],
        [0.5, -0.418687589, -0.081312411],
    ]
)
YCBCR.setflags(write=False)


def pack_colors(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(..., 3) uint8 colours as 24-bit numbers, red highest."""
    packed = pixels[..., 0].astype(np.uint32)
    packed <<= 8
    packed |= pixels[..., 1]
    packed <<= 8
    packed |= pixels[..., 2]
    return packed


def unpack_colors(packed: NDArray[np.integer]) -> NDArray[np.uint8]:
    """24-bit numbers back to (..., 3) uint8 colours."""
    return np.stack([packed >> 16, (packed >> 8) & 255, packed & 255], axis=-1).astype(np.uint8)


def parse_color(text: str) -> tuple[int, int, int]:
    """Read ``"#c8c8c8"``, ``"#ccc"`` or ``"200,200,200"``.

    Raises
    ------
    InvalidInputError
        For anything else.

    Examples
    --------
    >>> parse_color("#c8c8ff"), parse_color("#fff"), parse_color("1, 2,3")
    ((200, 200, 255), (255, 255, 255), (1, 2, 3))
    """
    from geocbar.errors import InvalidInputError

    body = text.strip()
    digits = body.removeprefix("#")
    if len(digits) in (3, 6) and "," not in digits:
        full = digits if len(digits) == 6 else "".join(d * 2 for d in digits)
        try:
            number = int(full, 16)
        except ValueError:
            number = -1
        if number >= 0:
            return number >> 16, (number >> 8) & 255, number & 255
    parts = body.split(",")
    if len(parts) == 3 and all(part.strip().isdigit() and int(part) <= 255 for part in parts):
        return int(parts[0]), int(parts[1]), int(parts[2])
    raise InvalidInputError(f"{text!r} is not a colour.", "Write it as '#c8c8c8' or '200,200,200'.")
