"""Relief shading: how plotters mix a hillshade into the colours of a map."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import LightSource
from numpy.typing import NDArray

__all__ = ["MATPLOTLIB_SHADINGS", "SHADINGS", "relief_intensity", "shade_colors"]

MATPLOTLIB_SHADINGS = ("none", "multiply", "soft", "overlay", "hsv", "alpha_white", "alpha_grey")
SHADINGS = (*MATPLOTLIB_SHADINGS, "gmt")
"""``gmt`` is GMT's own illumination (grdimage -I) and is drawn by GMT only."""


def relief_intensity(z: NDArray[np.float64], azimuth: float, altitude: float = 45.0) -> NDArray[np.float64]:
    """Hillshade of a relief, 0 (dark) .. 1 (lit), with the slopes scaled to look the same for any relief."""
    slope = np.hypot(*np.gradient(z))
    exaggeration = 0.6 / max(float(np.sqrt((slope**2).mean())), 1e-12)
    return np.asarray(LightSource(azimuth, altitude).hillshade(z, vert_exag=exaggeration), float)


def shade_colors(
    rgb: NDArray[np.uint8], model: str, intensity: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Mix an intensity into colours and say with which numbers it was done."""
    c = rgb / 255.0
    light = intensity[..., None]
    notes: dict[str, Any] = {}
    if model == "multiply":
        notes["floor"] = float(rng.uniform(0.3, 0.7))
        mixed = c * (notes["floor"] + (1 - notes["floor"]) * light)
    elif model in ("soft", "overlay", "hsv"):
        source = LightSource()
        blend: dict[str, Any] = {
            "soft": source.blend_soft_light,
            "overlay": source.blend_overlay,
            "hsv": source.blend_hsv,
        }
        mixed = np.asarray(blend[model](c, light))
    elif model == "alpha_white":
        notes["alpha"] = float(rng.uniform(0.5, 0.85))
        mixed = notes["alpha"] * c + (1 - notes["alpha"])
    elif model == "alpha_grey":
        notes["alpha"] = float(rng.uniform(0.45, 0.8))
        mixed = notes["alpha"] * c + (1 - notes["alpha"]) * light
    else:
        raise LookupError(f"No shading {model!r} in matplotlib; there are {', '.join(MATPLOTLIB_SHADINGS)}.")
    return np.rint(np.clip(mixed, 0, 1) * 255).astype(np.uint8), notes
