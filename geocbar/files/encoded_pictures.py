"""Pictures as text: data URIs of bounded size, for pages that carry everything they show."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["encode_indexed", "encode_picture"]

#: Tried in turn until a picture is small enough.
_QUALITIES = (90, 82, 74, 64, 52, 40, 28)

#: A PNG is tried if a tenth of it speaks for at most so many times the size allowed.
_HOPEFUL = 1.5


def encode_picture(pixels: NDArray[np.uint8], most_bytes: int, *, longest_side: int = 1600) -> str:
    """A picture as a data URI: PNG if it is small enough, else JPEG of the best quality that is.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        sRGB.
    most_bytes : int
        Size to stay below, before base64 makes it a third longer. A JPEG that is too large in the poorest quality is
        made smaller in pixels.
    longest_side : int
        Larger pictures are averaged down to this many pixels first.

    Returns
    -------
    str
        ``data:image/png;base64,...`` or ``data:image/jpeg;base64,...``
    """
    from PIL import Image

    image = _shrunk(Image.fromarray(np.ascontiguousarray(pixels)), longest_side)
    if _band_bytes(image) <= _HOPEFUL * most_bytes:
        data = _packed(image, "PNG")
        if len(data) <= most_bytes:
            return _as_uri("png", data)
    while True:
        for quality in _QUALITIES:
            data = _packed(image, "JPEG", quality=quality, subsampling=0)
            if len(data) <= most_bytes or max(image.size) <= 16:
                return _as_uri("jpeg", data)
        image = _shrunk(image, int(max(image.size) / 1.4))


def encode_indexed(index: NDArray[np.uint8], palette: ArrayLike, most_bytes: int) -> str:
    """A picture of few colours as the data URI of a PNG with exactly these colours.

    Parameters
    ----------
    index : (h, w) uint8 array
        Numbers of colours.
    palette : (n, 3) or (n, 4) uint8 array
        sRGB, and opacity.
    most_bytes : int
        Size to stay below, before base64: every other pixel is left out until that is so.

    Returns
    -------
    str
        ``data:image/png;base64,...``
    """
    from PIL import Image

    colors = np.asarray(palette, dtype=np.uint8)
    extra: dict[str, Any] = {"transparency": colors[:, 3].tobytes()} if colors.shape[1] == 4 else {}
    while True:
        image = Image.frombytes("P", (index.shape[1], index.shape[0]), np.ascontiguousarray(index).tobytes())
        image.putpalette(np.ascontiguousarray(colors[:, :3]).tobytes())
        data = _packed(image, "PNG", **extra)
        if len(data) <= most_bytes or max(index.shape) <= 16:
            return _as_uri("png", data)
        index = index[::2, ::2]


def _band_bytes(image: Image) -> float:
    """Bytes that a picture would take as PNG, judged by a band across its middle."""
    width, height = image.size
    thick = min(height, max(16, height // 10))
    top = (height - thick) // 2
    return len(_packed(image.crop((0, top, width, top + thick)), "PNG")) * height / thick


def _shrunk(image: Image, side: int) -> Image:
    from PIL.Image import Resampling

    longest = max(image.size)
    if longest <= side:
        return image
    width, height = (max(1, round(length * side / longest)) for length in image.size)
    return image.resize((width, height), Resampling.LANCZOS, reducing_gap=3.0)


def _packed(image: Image, form: str, **choices: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=form, **choices)
    return buffer.getvalue()


def _as_uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
