"""The colours a map was really drawn with: a bar shows them through another rounding, or through JPEG."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.value.color import pack_colors, unpack_colors
from geocbar.value.colorbar import ColorBar, scale_from_bar
from geocbar.value.projection import project_colors
from geocbar.value.recognition import match_bar
from geocbar.value.scale import ColorScale

__all__ = ["best_scale", "rounding_shift", "sample_colors", "tune_to_map"]

#: A lossless map whose colours lie this near to its bar's, by the median, needs no better code book.
GOOD_ENOUGH = 0.5

#: A bar and its map may round colours differently, by this much at most (8-bit sRGB units).
ROUNDING = 1.01

_LEAST_SHARE = 0.1
_CLEAR_MAJORITY = 0.6
_LEAST_COLORS = 100


def sample_colors(pixels: NDArray[np.uint8], most: int = 200_000) -> NDArray[np.uint8]:
    """Colours of evenly spread pixels.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    most : int
        Every n-th row and column is taken, so that about this many remain.

    Returns
    -------
    (k, 3) uint8 array
    """
    step = max(int(np.ceil(np.sqrt(pixels.shape[0] * pixels.shape[1] / most))), 1)
    return pixels[::step, ::step].reshape(-1, 3)


def best_scale(
    bar: ColorBar, sample: NDArray[np.uint8], *, lossy: bool, metric: NDArray[np.float64], **values: Any
) -> ColorScale:
    """The scale of a bar, with the exact colours of the named colormap it shows, where that fits the map better.

    Parameters
    ----------
    bar : ColorBar
    sample : (k, 3) uint8 array
        Colours of the map.
    lossy : bool
        Whether the picture went through JPEG, which blurs the bar.
    metric : (3, 3) array
        In which the nearest places are sought.
    **values
        For :func:`~geocbar.value.colorbar.scale_from_bar`.

    Returns
    -------
    ColorScale
    """
    plain = scale_from_bar(bar, lossy=lossy, **values)
    if plain.is_classes or not len(sample):
        return plain
    if not lossy:
        distance = project_colors(sample, plain, metric)[1]
        near = distance[distance < 10]
        if len(near) and np.median(near) < GOOD_ENOUGH:
            return plain
    match = match_bar(bar.colors, lossy=lossy, noise=bar.noise)
    return plain if match is None else scale_from_bar(bar, match=match, sample=sample, lossy=lossy, **values)


def tune_to_map(scale: ColorScale, sample: NDArray[np.uint8]) -> ColorScale:
    """Shift the colours of a bar by the unit that its map is off, where the map says so.

    Matplotlib rounds colours in a bar and cuts them off in an image, so that most colours of the map lie one unit
    beside those of the bar. Each node takes the colour within one unit that is most frequent beside it in the map;
    nodes without a clear one take the shift of their neighbours. Colours are moved, values are not.

    Parameters
    ----------
    scale : ColorScale
        Continuous, from a bar in a lossless picture.
    sample : (k, 3) uint8 array
        Colours of pixels of the map.

    Returns
    -------
    ColorScale
        The same scale if too few nodes are met in the map.
    """
    packed, counts = np.unique(pack_colors(sample), return_counts=True)
    packed, counts = packed[counts >= 3], counts[counts >= 3]
    if not len(packed):
        return scale
    colors = unpack_colors(packed)
    nodes = np.rint(project_colors(colors, scale)[0]).astype(np.intp)
    shift = colors - scale.colors[nodes]
    beside = np.abs(shift).max(axis=1) <= ROUNDING
    nodes, shift, counts = nodes[beside], shift[beside], counts[beside]
    n = len(scale.colors)
    total = np.bincount(nodes, counts, n)
    order = np.argsort(counts, kind="stable")  # the most frequent colour of a node is written last
    chosen, votes = np.full((n, 3), np.nan), np.zeros(n)
    chosen[nodes[order]], votes[nodes[order]] = shift[order], counts[order]
    known = (votes > 0) & (votes >= _CLEAR_MAJORITY * total)
    if known.mean() < _LEAST_SHARE:
        return scale
    at = np.arange(n)
    shifts = np.stack([np.rint(np.interp(at, at[known], chosen[known, band])) for band in range(3)], axis=1)
    return replace(scale, colors=np.clip(scale.colors + shifts, 0, 255))


def rounding_shift(
    scale: ColorScale, sample: NDArray[np.uint8], metric: NDArray[np.float64], reach: float = 8.0
) -> float:
    """By how much all channels of a map are darker than its scale, on the average.

    Colours cut off to whole numbers are half a unit darker than rounded ones. What of a shift of all channels goes
    along the scale cannot be told from other values; what goes across it can, and gives the whole.

    Parameters
    ----------
    scale : ColorScale
        Continuous.
    sample : (k, 3) uint8 array
        Colours of data pixels of the map; fills and lines would mislead.
    metric : (3, 3) array
        In which the nearest places are sought.
    reach : float
        Colours farther from the scale are not looked at (8-bit sRGB units).

    Returns
    -------
    float
        0, or -0.5 if that is clearly nearer.
    """
    nodes, _ = project_colors(sample, scale, metric)
    rest = sample - scale.colors_at_nodes(nodes)
    near = np.sqrt((rest**2).sum(axis=1)) < reach
    inside = near & (nodes > 0) & (nodes < len(scale.colors) - 1)
    if inside.sum() < _LEAST_COLORS:
        return 0.0
    low = np.clip(np.floor(nodes[inside]).astype(np.intp), 0, len(scale.colors) - 2)
    along = (scale.colors[np.minimum(low + 2, len(scale.colors) - 1)] - scale.colors[np.maximum(low - 1, 0)]) @ metric.T
    length = np.sqrt((along**2).sum(axis=1, keepdims=True))
    along = np.divide(along, length, out=np.zeros_like(along), where=length > 0)
    darker = metric.sum(axis=1)
    across = darker - (along @ darker)[:, None] * along
    moved = rest[inside] @ metric.T
    shift = float((moved * across).sum() / max((across**2).sum(), 1e-9))
    return -0.5 if shift < -0.3 else 0.0
