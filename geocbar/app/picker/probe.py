"""What lies under the cursor: value, uncertainty, longitude and latitude."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.digitized_map import DigitizedMap
from geocbar.errors import GeocbarError
from geocbar.place.georeference import Georeference
from geocbar.value.inversion import Coding, invert
from geocbar.value.reasons import REASON_NAMES, Reason
from geocbar.value.scale import ColorScale

__all__ = ["probe_place", "probe_run", "probe_value"]

#: Pixels around the cursor that are looked at: lines and letters are told by their surroundings.
REACH_PX = 20


def probe_place(fit: Georeference | None, x: float, y: float) -> dict[str, Any]:
    """World coordinates of a pixel place, and how far off they may be."""
    if fit is None:
        return {}
    at = np.array([[x, y]])
    world = fit.transform.to_world(at)
    if not np.isfinite(world).all():
        return {}
    sigma = float(fit.position_sigma(at)[0])
    km = float(fit.km_per_pixel(at)[0])
    return {"world": world[0].tolist(), "off_px": sigma, "off_km": sigma * km}


def probe_value(
    pixels: NDArray[np.uint8], x: float, y: float, scale: ColorScale | None, coding: Coding
) -> dict[str, Any]:
    """Colour and, with a scale, value of a pixel as read from its surroundings alone: a run sees the whole map."""
    height, width = pixels.shape[:2]
    col, row = int(np.floor(x)), int(np.floor(y))
    if not (0 <= col < width and 0 <= row < height):
        return {}
    told: dict[str, Any] = {"color": "#" + "".join(f"{c:02x}" for c in pixels[row, col].tolist())}
    if scale is None:
        return told
    top, left = max(row - REACH_PX, 0), max(col - REACH_PX, 0)
    part = pixels[top : row + REACH_PX + 1, left : col + REACH_PX + 1]
    try:
        near = invert(part, scale, coding=coding, search_background=False, shading="none")
    except GeocbarError:
        return told
    return told | _values(near.values, near.sigma, near.reason, row - top, col - left, scale)


def probe_run(result: DigitizedMap, x: float, y: float) -> dict[str, Any]:
    """Value of a pixel as the last run read it."""
    height, width = result.inversion.values.shape
    col, row = int(np.floor(x)), int(np.floor(y))
    if not (0 <= col < width and 0 <= row < height):
        return {}
    part = result.inversion
    color = "#" + "".join(f"{c:02x}" for c in result.picture.pixels[row, col].tolist())
    return {"color": color} | _values(part.values, part.sigma, part.reason, row, col, result.scale)


def _values(
    values: NDArray[np.float32],
    sigma: NDArray[np.float32],
    reason: NDArray[np.uint8],
    row: int,
    col: int,
    scale: ColorScale,
) -> dict[str, Any]:
    value, error, why = float(values[row, col]), float(sigma[row, col]), int(reason[row, col])
    if not np.isfinite(value):
        return {"reason": REASON_NAMES[why]}
    said = {} if why == Reason.DATA else {"reason": REASON_NAMES[why]}
    return {"value": value, "sigma": error, "unit": scale.unit} | said
