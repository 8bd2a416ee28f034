"""Pictures of a known field to be timed on: waves and roughness through a named colormap, with lines and a blank."""

from __future__ import annotations

import io

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

#: How a picture is stored; JPEG by its quality.
FORMATS = {"PNG": None, "JPEG q90": 90, "JPEG q75": 75}


def draw_field(rows: slice, width: int, seed: int = 0, roughness: float = 1.5) -> NDArray[np.float32]:
    """Rows of a field in 0..1 that is the same however it is cut into rows, but for its roughness."""
    rng = np.random.default_rng(seed)
    row = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    col = np.arange(width, dtype=np.float32)
    field = np.zeros((rows.stop - rows.start, width), np.float32)
    for _ in range(8):
        along, across, phase = rng.uniform(-0.02, 0.02), rng.uniform(-0.02, 0.02), rng.uniform(0, 6)
        # sin(a + b) by the sines of a and b
        field += np.sin(along * col + phase) * np.cos(across * row) + np.cos(along * col + phase) * np.sin(across * row)
    rough = np.random.default_rng([seed, rows.start]).normal(size=field.shape).astype(np.float32)
    field += gaussian_filter(rough, 2) * roughness
    return np.clip(field / 12 + 0.5, 0, 1)


def draw_rows(field: NDArray[np.float32], colormap: str) -> NDArray[np.uint8]:
    """The field in colour, with black lines every 200 px and a white box."""
    table = matplotlib.colormaps[colormap](np.arange(256), bytes=True)[:, :3]
    pixels = table[np.minimum(field * 256, 255).astype(np.uint8)]
    pixels[::200] = 0
    pixels[:, ::200] = 0
    pixels[60:100, 40:400] = 255
    return pixels


def through_jpeg(pixels: NDArray[np.uint8], quality: int | None) -> NDArray[np.uint8]:
    """The picture after it was stored as JPEG; None leaves it as it is."""
    if quality is None:
        return pixels
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, "JPEG", quality=quality)
    return np.array(Image.open(stored))
