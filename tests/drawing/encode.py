"""Pictures to file bytes and back: what a journal, a website or a scanner does to the colours."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .scenes import Scene

__all__ = ["decode", "encode"]


def encode(picture: Scene | NDArray[np.uint8], format: str, quality: int = 90, subsampling: str = "4:2:0") -> bytes:
    """Write a picture as 'png', 'jpeg' (with quality and chroma subsampling) or dithered 256-colour 'gif'."""
    rgb = picture.rgb if isinstance(picture, Scene) else picture
    image = Image.fromarray(np.ascontiguousarray(rgb))
    stream = io.BytesIO()
    options: dict[str, Any] = {}
    kind = {"png": "PNG", "jpeg": "JPEG", "jpg": "JPEG", "gif": "GIF"}.get(format.lower())
    if kind is None:
        raise LookupError(f"No format {format!r}; there are png, jpeg and gif.")
    if kind == "JPEG":
        options = {"quality": quality, "subsampling": subsampling}
    elif kind == "GIF":
        palette = image.quantize(256, method=Image.Quantize.MEDIANCUT)
        image = image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    image.save(stream, kind, **options)
    return stream.getvalue()


def decode(data: bytes) -> NDArray[np.uint8]:
    """The (h, w, 3) colours of an encoded picture."""
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))
