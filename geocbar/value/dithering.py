"""Dithered pictures of few colours: recognised, and averaged back to the colours they imitate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.value.color import pack_colors
from geocbar.value.scale import ColorScale

__all__ = ["average_dither", "dither_share", "is_dithered"]

#: A dithered picture has no more colours than a palette holds.
MOST_COLORS = 256
#: Share of the places where colours change at which they alternate, above which a picture is dithered.
DITHERED_SHARE = 0.15

_TILE = 256
_MOST_TILES = 16
_SAMPLE = 1_000_000


def dither_share(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> float:
    """Share of changing places where colours go forth and back: about 0 on drawn areas, most of it on dithered ones.

    Four pixels in a row or column, all in the mask, have three steps of colour. They change if any step is not zero,
    and alternate if one step goes against another by more than half of the longest.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    mask : (h, w) bool array
        Data pixels.

    Returns
    -------
    float
        0 to 1; 0 where nothing changes.
    """
    back = changing = 0
    for axis in (0, 1):
        step = np.diff(pixels.astype(np.int16), axis=axis).astype(np.float32)
        inside = np.moveaxis(mask, axis, 0)
        step = np.moveaxis(step, axis, 0)
        clean = inside[:-3] & inside[1:-2] & inside[2:-1] & inside[3:]
        first, middle, last = step[:-2], step[1:-1], step[2:]
        squares = [(s * s).sum(axis=-1) for s in (first, middle, last)]
        several = clean & (sum((q > 0).astype(np.int8) for q in squares) >= 2)
        largest = np.maximum(np.maximum(squares[0], squares[1]), squares[2])
        against = np.minimum((first * middle).sum(axis=-1), (middle * last).sum(axis=-1))
        against = np.minimum(against, (first * last).sum(axis=-1))
        changing += int(np.count_nonzero(clean & (largest > 0)))
        back += int(np.count_nonzero(several & (against < -0.5 * largest)))
    return back / changing if changing else 0.0


def is_dithered(pixels: NDArray[np.uint8], scale: ColorScale, mask: NDArray[np.bool_]) -> bool:
    """Whether a picture of few colours imitates others by alternating pixels (Floyd-Steinberg or ordered).

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    scale : ColorScale
        Classes are never dithered: their colours are few already.
    mask : (h, w) bool array
        Data pixels.

    Returns
    -------
    bool
    """
    if scale.is_classes or not mask.any():
        return False
    stride = max(int(np.sqrt(mask.size / _SAMPLE)), 1)
    some = pixels[::stride, ::stride][mask[::stride, ::stride]]
    if len(np.unique(pack_colors(some))) > MOST_COLORS:
        return False
    rows, cols = _tiles(mask.shape)
    shares = [dither_share(pixels[r, c], mask[r, c]) for r, c in zip(rows, cols, strict=True) if mask[r, c].any()]
    return bool(np.median(shares) >= DITHERED_SHARE) if shares else False


def average_dither(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], sigma: float = 0.7) -> NDArray[np.uint8]:
    """Mean colours around each data pixel, taken from data pixels only: to be inverted in the place of `pixels`.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    mask : (h, w) bool array
        Data pixels; the others keep their colours and give none.
    sigma : float
        Standard deviation of the Gaussian weights, in pixels.

    Returns
    -------
    (h, w, 3) uint8 array
    """
    weight = ndimage.gaussian_filter(mask.astype(np.float32), sigma, truncate=3.0)
    out = pixels.copy()
    for band in range(3):
        channel = np.where(mask, pixels[..., band], 0).astype(np.float32)
        mean = ndimage.gaussian_filter(channel, sigma, truncate=3.0)[mask] / weight[mask]
        out[..., band][mask] = np.rint(np.clip(mean, 0, 255))
    return out


def _tiles(shape: tuple[int, ...]) -> tuple[list[slice], list[slice]]:
    """At most 16 tiles spread over a picture."""
    across = [np.unique(np.linspace(0, max(n - _TILE, 0), 4).astype(int)) for n in shape]
    corners = [(int(r), int(c)) for r in across[0] for c in across[1]][:_MOST_TILES]
    return [slice(r, r + _TILE) for r, _ in corners], [slice(c, c + _TILE) for _, c in corners]
