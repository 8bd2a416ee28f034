"""What a hand says against the machine: places that are not data, and places that are data after all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.value.inversion import Coding, Inversion
from geocbar.value.projection import project_colors
from geocbar.value.reasons import Reason
from geocbar.value.scale import ColorScale
from geocbar.value.uncertainty import color_spread
from geocbar.value.unshading import remove_shading

__all__ = ["AS_FOUND", "KEEP", "NOT_DATA", "apply_hand_mask"]

#: What a mask says of a pixel.
AS_FOUND, NOT_DATA, KEEP = 0, 1, 2

#: Why a pixel may have no value that a hand can give it one.
_MENDABLE = (Reason.LINE, Reason.OFF_SCALE, Reason.BACKGROUND, Reason.AMBIGUOUS)

#: Distances of colours from the scale, in 8-bit units, at which the spread of values is worked out.
_NOISES = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)

#: Pixels around those kept that are looked at where shading is taken out: it goes by the neighbours.
_HALO_PX = 24


def apply_hand_mask(
    inversion: Inversion,
    mask: NDArray[np.uint8],
    pixels: NDArray[np.uint8],
    scale: ColorScale,
    *,
    coding: Coding | None = None,
) -> Inversion:
    """Take values away where a mask says so, and give them where it says that a rejected pixel is data.

    A pixel kept gets the value of the nearest place on the scale. Its sigma is at least the usual one of the map, and
    grows with the distance of its colour from the scale, for a colour so far off may be that of all values as near.
    What lies outside the frame, or on the bar, stays without.

    Parameters
    ----------
    inversion : Inversion
    mask : (h, w) uint8 array
        :data:`AS_FOUND`, :data:`NOT_DATA` or :data:`KEEP`.
    pixels : (h, w, 3) uint8 array
        The picture.
    scale : ColorScale
    coding : Coding or None
        As for :func:`~geocbar.value.inversion.invert`.

    Returns
    -------
    Inversion
        With the reasons MASKED and KEPT, and a note of their shares of the picture.

    Raises
    ------
    InvalidInputError
        If the mask has another size, or says anything else.
    """
    if mask.shape != inversion.values.shape:
        (rows, cols), (height, width) = mask.shape, inversion.values.shape
        raise InvalidInputError(
            f"The mask has {cols} x {rows} px, the picture {width} x {height} px.", "Draw the mask on this picture."
        )
    if mask.max(initial=0) > KEEP:
        raise InvalidInputError(
            f"The mask holds the number {int(mask.max())}.", "Its pixels are 0 as found, 1 not data, 2 keep."
        )
    drop = (mask == NOT_DATA) & ~np.isin(inversion.reason, (Reason.OUTSIDE, Reason.BAR))
    keep = (mask == KEEP) & np.isin(inversion.reason, _MENDABLE) & ~np.isfinite(inversion.values)
    if not (drop.any() or keep.any()):
        return inversion
    values, sigma, reason = inversion.values.copy(), inversion.sigma.copy(), inversion.reason.copy()
    if keep.any():
        values[keep], sigma[keep] = _read_anyway(inversion, keep, pixels, scale, coding or Coding())
        reason[keep] = Reason.KEPT
    values[drop] = sigma[drop] = np.nan
    reason[drop] = Reason.MASKED
    parts = ((drop, "was masked by hand"), (keep, "was kept by hand, though rejected before"))
    said = "; ".join(f"{100 * part.mean():.2g} % of the picture {what}" for part, what in parts if part.any())
    return replace(inversion, values=values, sigma=sigma, reason=reason, notes=(*inversion.notes, f"{said}."))


def _read_anyway(
    inversion: Inversion, keep: NDArray[np.bool_], pixels: NDArray[np.uint8], scale: ColorScale, coding: Coding
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Values and sigma of pixels that were rejected."""
    if scale.is_classes:
        index = np.rint(project_colors(pixels[keep], scale, coding.metric)[0]).astype(np.intp)
        halves = np.abs(np.diff(np.asarray(scale.edges))) / (2 * np.sqrt(3))
        return scale.values[index].astype(np.float32), halves[index].astype(np.float32)
    if inversion.shading is not None and inversion.shading.model != "none":
        unit, distance = _unshaded(inversion, keep, pixels, scale, coding)
    else:
        nodes, distance = project_colors(pixels[keep], scale, coding.metric)
        unit = scale.to_unit(scale.values_at(nodes))
    values = scale.from_unit(unit)
    usual = inversion.sigma[np.isfinite(inversion.sigma)]
    floor = float(np.median(usual)) if usual.size else 0.0
    spread = np.stack([color_spread(scale, coding.metric, noise) for noise in _NOISES])
    row = np.searchsorted(_NOISES, np.clip(distance, _NOISES[0], _NOISES[-1]))
    place = np.clip((unit * spread.shape[1]).astype(np.intp), 0, spread.shape[1] - 1)
    sigma = scale.sigma_from_unit(values, spread[row, place].astype(np.float32))
    return values, np.maximum(sigma, np.float32(floor))


def _unshaded(
    inversion: Inversion, keep: NDArray[np.bool_], pixels: NDArray[np.uint8], scale: ColorScale, coding: Coding
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Shares of the scale, and distances from the colours it takes under all light."""
    assert inversion.shading is not None
    window = []
    for axis in (1, 0):
        used = np.flatnonzero(keep.any(axis=axis))
        window.append(slice(max(used[0] - _HALO_PX, 0), used[-1] + _HALO_PX + 1))
    part = tuple(window)
    plain = remove_shading(pixels[part], scale, inversion.shading, lossy=coding.lossy)
    return plain.unit[keep[part]], plain.distance[keep[part]]
