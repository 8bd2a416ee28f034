"""Scales that bear one colour twice: both values are kept, and the neighbourhood decides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.value.color import RGB
from geocbar.value.scale import ColorScale

__all__ = ["TWIN_REACH", "find_twins", "resolve_twins", "second_candidates"]

#: Two places on a scale nearer than this share of its length are one.
APART = 0.05

#: Between two candidates the colours of the scale lie farther away than at either, by this many units: else they
#: are one flat stretch.
BARRIER = 6.0

_SAMPLES = 256
_CHUNK = 1 << 12
_RADII = (2, 3, 4, 6, 8, 12, 16, 24, 32)
_FEWEST = 4.0
_CLEARLY = 2.0

#: What is farther away from a pixel than this, in pixels, has no influence on its choice.
TWIN_REACH = 2 * sum(_RADII)


def find_twins(scale: ColorScale, tolerance: float = 8.0) -> NDArray[np.float64]:
    """Places on a scale that bear the same colour, within a tolerance.

    Two places are twins only if the colour leaves the tolerance by far between them: a stretch on which colours hardly
    change is a matter of slope, not of ambiguity.

    Parameters
    ----------
    scale : ColorScale
    tolerance : float
        Distance of two colours that the picture's noise may bridge (8-bit sRGB units).

    Returns
    -------
    (k, 2) float array
        Pairs of places, 0 to 1 along the scale's even coordinate, the smaller one first; empty for most scales.

    Examples
    --------
    >>> import matplotlib as mpl, numpy as np
    >>> colors = mpl.colormaps["twilight"](np.linspace(0, 1, 256))[:, :3] * 255
    >>> twins = find_twins(ColorScale(colors, np.arange(256), [0, 255]))
    >>> bool((twins[0] == [0, 1]).all())
    True
    """
    units, colors = _samples(scale)
    distance = np.sqrt(((colors[:, None] - colors[None]) ** 2).sum(axis=2))
    pairs = []
    for i in range(len(units) - 1):
        # How far the colour has gone away from that of place i, on the way to each later place.
        farthest = np.maximum.accumulate(distance[i, i:])
        later = distance[i, i:]
        twin = (later <= tolerance) & (farthest > 2.5 * tolerance) & (units[i:] - units[i] >= APART)
        if twin.any():
            best = np.flatnonzero(twin)[later[twin].argmin()]
            pairs.append((units[i], units[i + best]))
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def second_candidates(
    colors: NDArray[np.floating] | NDArray[np.uint8], scale: ColorScale, metric: NDArray[np.float64] = RGB
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The second nearest place on a scale: a minimum of the distance along it, apart from the nearest one.

    Parameters
    ----------
    colors : (k, 3) array
        sRGB, 0 to 255; distinct colours, for speed.
    scale : ColorScale
    metric : (3, 3) array
        Linear map of sRGB to the space in which distances are measured.

    Returns
    -------
    unit : (k,) float32 array
        Place along the scale's even coordinate, 0 to 1, at least 5 % from the nearest; NaN where there is no second
        minimum.
    distance : (k,) float32 array
        Distance to it, in the metric; infinite where there is none.
    """
    units, samples = _samples(scale)
    vertices = (samples @ metric.T).astype(np.float32)
    points = np.asarray(colors, dtype=np.float32) @ metric.T.astype(np.float32)
    unit = np.full(len(points), np.nan, np.float32)
    distance = np.full(len(points), np.inf, np.float32)
    square = (vertices**2).sum(axis=1)
    for start in range(0, len(points), _CHUNK):
        part = slice(start, start + _CHUNK)
        away = square - 2 * (points[part] @ vertices.T)
        nearest = away.argmin(axis=1)
        lowest = np.ones(away.shape, bool)
        lowest[:, 1:] &= away[:, 1:] <= away[:, :-1]
        lowest[:, :-1] &= away[:, :-1] <= away[:, 1:]
        lowest &= np.abs(units - units[nearest][:, None]) >= APART
        away += (points[part] ** 2).sum(axis=1)[:, None]
        lowest &= np.sqrt(np.maximum(_barrier(away, nearest), 0)) > np.sqrt(np.maximum(away, 0)) + BARRIER
        away[~lowest] = np.inf
        second = away.argmin(axis=1)
        has = np.flatnonzero(lowest[np.arange(len(second)), second])
        found = _refined(points[part][has], second[has], vertices, units)
        unit[part][has], distance[part][has] = found
    return unit, distance


def _barrier(away: NDArray[np.float32], nearest: NDArray[np.intp]) -> NDArray[np.float32]:
    """Largest value on the way from each row's nearest sample to every sample."""
    sample = np.arange(away.shape[1])
    after = np.where(sample >= nearest[:, None], away, np.float32(-np.inf))
    before = np.where(sample <= nearest[:, None], away, np.float32(-np.inf))
    np.maximum.accumulate(after, axis=1, out=after)
    np.maximum.accumulate(before[:, ::-1], axis=1, out=before[:, ::-1])
    return np.where(sample >= nearest[:, None], after, before)


def _refined(
    points: NDArray[np.float32], sample: NDArray[np.intp], vertices: NDArray[np.float32], units: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Nearest place on the two segments that meet at a sample."""
    unit = np.empty(len(points), np.float32)
    distance = np.full(len(points), np.inf, np.float32)
    for first in (sample - 1, sample):
        first = np.clip(first, 0, len(vertices) - 2)
        step = vertices[first + 1] - vertices[first]
        offset = points - vertices[first]
        share = (offset * step).sum(axis=1) / np.maximum((step**2).sum(axis=1), np.float32(1e-9))
        share = np.clip(share, 0, 1)
        away = np.sqrt(((offset - share[:, None] * step) ** 2).sum(axis=1))
        nearer = away < distance
        distance[nearer] = away[nearer]
        unit[nearer] = (units[first] + share * (units[first + 1] - units[first]))[nearer]
    return unit, distance


def resolve_twins(
    unit: NDArray[np.float32],
    second: NDArray[np.float32],
    distance: NDArray[np.float32],
    second_distance: NDArray[np.float32],
    valid: NDArray[np.bool_],
    slack: float = 8.0,
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    """Choose between two values of each pixel by its neighbourhood.

    Pixels whose colour decides are taken as they are. From them the choice spreads: a pixel takes the candidate that
    is clearly nearer to the mean of the decided pixels around it, in windows that grow.

    Parameters
    ----------
    unit, second : (h, w) float32 arrays
        First and second candidate, 0 to 1 along the scale; NaN in `second` where there is none.
    distance, second_distance : (h, w) float32 arrays
        Their distances, both in one metric.
    valid : (h, w) bool array
        Data pixels; others say nothing about their neighbours.
    slack : float
        How much farther the second may be and still be possible: about four times the picture's colour noise.

    Returns
    -------
    unit : (h, w) float32 array
        The chosen candidate; the nearer in colour where the neighbourhood does not decide.
    unsure : (h, w) bool array
        Where it does not: both values are possible.
    sigma : (h, w) float32 array
        To be added (in squares) to the uncertainty, as a share of the scale: half the difference of the two where
        unsure, else 0.
    """
    out = unit.copy()
    with np.errstate(invalid="ignore"):
        open_ = valid & np.isfinite(second) & (second_distance - distance <= slack)
    sigma = np.zeros(unit.shape, np.float32)
    if not open_.any():
        return out, open_, sigma
    decided = valid & ~open_
    for radius in _RADII * 2:
        rows, cols = np.nonzero(open_)
        if not len(rows):
            break
        mean, count = _mean_of(out, decided, radius, rows, cols)
        first, other = unit[rows, cols], second[rows, cols]
        to_first, to_other = np.abs(first - mean), np.abs(other - mean)
        near, far = np.minimum(to_first, to_other), np.maximum(to_first, to_other)
        clear = (count >= _FEWEST) & (_CLEARLY * near < far)
        at = rows[clear], cols[clear]
        out[at] = np.where(to_first <= to_other, first, other)[clear]
        decided[at] = True
        open_[at] = False
    sigma[open_] = np.abs(unit[open_] - second[open_]) / 2
    return out, open_, sigma


def _mean_of(
    unit: NDArray[np.float32],
    mask: NDArray[np.bool_],
    radius: int,
    rows: NDArray[np.intp],
    cols: NDArray[np.intp],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean of the masked pixels in the square around some pixels, and how many they are."""
    size = 2 * radius + 1
    share = ndimage.uniform_filter(mask.astype(np.float32), size, mode="constant")[rows, cols]
    total = ndimage.uniform_filter(np.where(mask, unit, np.float32(0)), size, mode="constant")[rows, cols]
    count = np.rint(share * size**2)
    return total / np.maximum(share, np.float32(1e-6)), count


def _samples(scale: ColorScale) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places evenly along the scale, 0 to 1, and their colours; the nodes themselves for classes."""
    low, high = scale.even_limits
    at = (scale.to_even(scale.values) - low) / (high - low)
    order = np.argsort(at)
    at, colors = at[order], scale.colors[order]
    if scale.is_classes:
        return at, colors
    units = np.linspace(at[0], at[-1], _SAMPLES)
    return units, np.stack([np.interp(units, at, colors[:, band]) for band in range(3)], axis=1)
