"""Take relief shading out of a map: look its colours up among all that the scale takes under all light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from geocbar.errors import InvalidInputError
from geocbar.value.color import pack_colors, unpack_colors
from geocbar.value.scale import ColorScale
from geocbar.value.shading import Place, Surface, nearest_on, sample_surface, shading_model
from geocbar.value.shading_choice import ShadingChoice

__all__ = ["Unshaded", "remove_shading"]

#: Values of near-equal colours that differ by more than this share of the scale are told apart by their neighbours.
AMBIGUOUS = 0.08

_COLORS = 1 << 24
_BAND_PIXELS = 1 << 22
_HALO = 24
_ROUNDS = 2
_PRIOR_SPREAD = 0.04
_FLOOR = 0.003


@dataclass(frozen=True, eq=False)
class Unshaded:
    """A map with its shading taken out.

    Parameters
    ----------
    unit : (h, w) float32 array
        Values as shares of the scale in its even coordinate, 0 to 1.
    distance : (h, w) float32 array
        Of each pixel's colour from the nearest colour the model can make (8-bit sRGB units); infinite where clearly
        different values have colours as near as the picture's noise and the neighbours do not tell them apart.
    intensity : (h, w) float32 array
        The light mixed in, as for :func:`geocbar.value.shading.shade`.
    """

    unit: NDArray[np.float32]
    distance: NDArray[np.float32]
    intensity: NDArray[np.float32]


@dataclass(frozen=True)
class _Tuning:
    """What differs between pictures stored with and without loss.

    noise: of a colour, in 8-bit units; reach: farthest colour that counts as the model's; voxel: edge of the boxes in
    which colours count as near-equal; window: of the neighbours that say what to expect; limit: the largest standard
    deviation, as a share of the scale, of a value that is kept.
    """

    noise: float
    reach: float
    voxel: int
    window: int
    limit: float


_LOSSLESS = _Tuning(0.6, 6.0, 2, 5, 0.02)
_LOSSY = _Tuning(2.5, 12.0, 4, 7, 0.022)


def remove_shading(pixels: NDArray[np.uint8], scale: ColorScale, choice: ShadingChoice, *, lossy: bool) -> Unshaded:
    """Find the value and the light that together make each pixel's colour.

    Every distinct colour is looked up once. Where other values make nearly the same colour, the pixel is looked up
    again together with what its neighbours let expect; where the value depends so strongly on the colour that its
    noise matters, it is drawn towards them.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    scale : ColorScale
        Continuous.
    choice : ShadingChoice
        Its model and alpha are used.
    lossy : bool
        The picture went through JPEG.

    Returns
    -------
    Unshaded

    Raises
    ------
    InvalidInputError
        For a scale of classes.
    """
    if scale.is_classes:
        raise InvalidInputError(
            f"Shading cannot be taken out of a map of {len(scale.colors)} classes: only of a continuous scale.",
            "Digitize it as it is: --shading none",
        )
    tuning = _LOSSY if lossy else _LOSSLESS
    surface = sample_surface(scale, choice.model, choice.alpha)
    table = _Table(pixels, surface, tuning)
    height, width = pixels.shape[:2]
    out = Unshaded(*(np.empty((height, width), np.float32) for _ in range(3)))
    rows = max(_BAND_PIXELS // max(width, 1), 4 * _HALO)
    for start in range(0, height, rows):
        top, stop = max(start - _HALO, 0), min(start + rows, height)
        part = table.look_up(pixels[top : stop + _HALO])
        if shading_model(choice.model).has_light:
            part = _with_neighbours(pixels[top : stop + _HALO], part, surface, tuning, lossy)
        for whole, band in ((out.unit, part.unit), (out.distance, part.distance), (out.intensity, part.light)):
            whole[start:stop] = band[start - top : stop - top]
    return out


@dataclass(frozen=True, eq=False)
class _Band:
    """Some rows of the map, all (rows, w) float32: `blur` is the standard deviation of the value by the noise of the
    colour, `fold` by how much values of near-equal colours differ (0 where they do not).
    """

    unit: NDArray[np.float32]
    light: NDArray[np.float32]
    distance: NDArray[np.float32]
    blur: NDArray[np.float32]
    fold: NDArray[np.float32]


class _Table:
    """Every distinct colour of a picture, looked up on a surface."""

    def __init__(self, pixels: NDArray[np.uint8], surface: Surface, tuning: _Tuning) -> None:
        seen = np.zeros(_COLORS, np.bool_)
        for row in range(0, len(pixels), 256):
            seen[pack_colors(pixels[row : row + 256]).ravel()] = True
        present = np.flatnonzero(seen)
        self._number = np.empty(_COLORS, np.int32)
        self._number[present] = np.arange(len(present), dtype=np.int32)
        colors = unpack_colors(present)
        place = surface.nearest(colors)
        spread = _value_spread(colors, surface, tuning.voxel)
        # On a sheet without folds, values within three boxes differ by no more than its slope says.
        folded = (spread > AMBIGUOUS) & (spread > 6 * tuning.voxel * place.slack)
        self._columns = [
            column.astype(np.float32)
            for column in (
                place.unit,
                place.light,
                place.distance,
                np.minimum(tuning.noise * place.slack, 1.0),
                np.where(folded, spread, 0),
            )
        ]

    def look_up(self, pixels: NDArray[np.uint8]) -> _Band:
        number = self._number[pack_colors(pixels)]
        return _Band(*(column[number] for column in self._columns))


def _value_spread(colors: NDArray[np.uint8], surface: Surface, voxel: int) -> NDArray[np.float32]:
    """How far apart the values are that a surface has within one box of colour space and those around it."""
    side = 256 // voxel
    boxes = (surface.colors.reshape(-1, 3) / voxel).astype(np.intp)
    index = np.ravel_multi_index(tuple(boxes.T), (side, side, side))
    units = np.repeat(surface.units, len(surface.lights)).astype(np.float32)
    low = np.full(side**3, np.inf, np.float32)
    high = np.full(side**3, -np.inf, np.float32)
    np.minimum.at(low, index, units)
    np.maximum.at(high, index, units)
    low = ndimage.minimum_filter(low.reshape(side, side, side), 3)
    high = ndimage.maximum_filter(high.reshape(side, side, side), 3)
    at = tuple((colors // voxel).T)
    return np.maximum(high[at] - low[at], 0)


def _with_neighbours(pixels: NDArray[np.uint8], band: _Band, surface: Surface, tuning: _Tuning, lossy: bool) -> _Band:
    """Settle folds and calm noise by what surrounds each pixel."""
    unit, light, blur, fold = band.unit, band.light, band.blur, band.fold
    near = band.distance < tuning.reach
    folds = np.nonzero((fold > 0) & near)
    doubt = np.maximum(blur, fold / 4)
    for _ in range(_ROUNDS):
        weight = (near / (doubt**2 + np.float32(_FLOOR**2))).astype(np.float32)
        expected, scatter = _surroundings(unit, weight, tuning.window)
        trust = ndimage.uniform_filter((near & (doubt < 0.03)).astype(np.float32), 11)
        known = np.isfinite(expected)
        expected = np.where(known, expected, unit)
        if len(folds[0]):
            found = _expecting(pixels[folds], expected[folds], surface, tuning.noise)
            unit[folds], light[folds] = found.unit, found.light
            blur[folds] = np.minimum(tuning.noise * found.slack, 1.0)
        width = np.where(known, scatter, 1) + np.float32(0.004)
        pull = blur**2 / (blur**2 + width**2)
        pull[~known] = 0
        unit += pull * (expected - unit)
        doubt = blur * np.sqrt(1 - pull)
        if len(folds[0]):
            agrees = np.abs(unit[folds] - expected[folds]) < 3 * width[folds] + 0.02
            settled = agrees & (trust[folds] > 0.15)
            doubt[folds] = np.where(settled, doubt[folds], np.maximum(doubt[folds], fold[folds] / 4))
    distance = np.where(doubt < tuning.limit, band.distance, np.float32(np.inf))
    return _Band(ndimage.median_filter(unit, 5) if lossy else unit, light, distance, blur, fold)


def _surroundings(
    unit: NDArray[np.float32], weight: NDArray[np.float32], window: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weighted mean and standard deviation in a square; NaN where nothing there has weight."""
    total = ndimage.uniform_filter(weight, window)
    total[total < 1e-2] = np.nan
    mean = ndimage.uniform_filter(weight * unit, window) / total
    square = ndimage.uniform_filter(weight * unit**2, window) / total
    return mean, np.sqrt(np.maximum(square - mean**2, 0))


def _expecting(colors: NDArray[np.uint8], expected: NDArray[np.float32], surface: Surface, noise: float) -> Place:
    """Nearest place to (n, 3) colours and (n,) expected values together, each counted in its own spread."""
    factor = noise / _PRIOR_SPREAD
    value = np.broadcast_to(factor * surface.units[:, None, None], (*surface.colors.shape[:2], 1))
    nodes = np.concatenate([surface.colors, value], axis=2)
    points = np.concatenate([colors.astype(np.float64), factor * expected[:, None].astype(np.float64)], axis=1)
    return nearest_on(points, surface, nodes, cKDTree(nodes.reshape(-1, 4)))
