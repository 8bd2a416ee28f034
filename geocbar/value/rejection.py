"""Which pixels are data? Lines, letters and markers are found by colour, by geometry, and by what surrounds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.value.blocks import Tile, cut_rows, cut_tiles, do_all
from geocbar.value.masks import grown
from geocbar.value.projection import ColumnPicture

__all__ = ["Strictness", "color_noise", "find_lines", "local_reference", "strictness"]

_CHUNK = 1 << 14

#: Medians and quantiles of fewer pixels than this say nothing.
_FEWEST = 5

#: Where fewer pixels than this share are asked about, their surroundings are sorted without more ado.
_SPARSE = 0.03

#: More than 32-bit numbers between 0 and 1 are rounded by.
_ROUNDING = 2e-6

#: Pictures are worked on in tiles at most so wide; what is farther away than the rim has no influence on a pixel.
_TILE, _LEAST_TILE = 1408, 512
_RIM = 56

#: Ridges are looked for in blocks of so many pixels, which stay in a core's own cache.
_RIDGE_PIXELS = 1 << 16

_CENTER_WEIGHT = 1.4826  # median absolute deviation to standard deviation of a normal distribution

#: Distances beyond this (8-bit sRGB units) say nothing about the noise of data.
_NOISE_CEILING = 25.5

#: Colours this near to a scale are on it but for rounding (8-bit sRGB units).
EXACT = 0.5
#: ... and may differ from what is around by so much more.
EXACT_PATIENCE = 2.5


@dataclass(frozen=True)
class Strictness:
    """Thresholds that follow the picture's noise.

    Distances are 8-bit sRGB units; the others are shares of the scale's length.

    Parameters
    ----------
    suspect : float
        Colours farther from the scale are suspicious and taint their neighbours.
    certain : float
        Colours farther than this are not data whatever surrounds them.
    ring : int
        How many pixels round a suspicious one may be mixed with it.
    reference, thin, ridge, grow : tuple of (float, float)
        Factor of the local spread (standard deviations), and the smallest deviation, beyond which a pixel is rejected:
        in the ring, as a thin line, as a ridge, and beside a rejected one.
    exact : float
        Colours nearer to the scale than this are exactly on it; 0 where noise leaves no colour exact.
    """

    suspect: float
    certain: float
    ring: int
    reference: tuple[float, float]
    thin: tuple[float, float]
    ridge: tuple[float, float]
    grow: tuple[float, float]
    exact: float = 0.0


def color_noise(distance: NDArray[np.float32]) -> float:
    """Median distance of the plausible data colours from the scale."""
    near = distance[distance < _NOISE_CEILING]
    return float(np.median(near)) if near.size else 1.0


def strictness(noise: float, lossy: bool) -> Strictness:
    """Thresholds for a picture with the given colour noise.

    Parameters
    ----------
    noise : float
        Of :func:`color_noise`.
    lossy : bool
        Whether the picture went through JPEG, whose blocks smear a line 3 px wide.
    """
    if lossy:
        suspect = max(5.0, 4 * noise)
        return Strictness(suspect, max(15.0, suspect), 2, (3.0, 0.020), (4.0, 0.035), (5.0, 0.045), (2.0, 0.018))
    suspect = max(1.5, 5 * noise)
    exact = EXACT if noise < EXACT else 0.0
    return Strictness(suspect, suspect, 1, (3.0, 0.010), (4.0, 0.025), (5.0, 0.015), (2.0, 0.012), exact)


def find_lines(
    unit: NDArray[np.float32],
    distance: NDArray[np.float32] | ColumnPicture,
    limits: Strictness,
    outside: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Pixels of lines, letters and markers, and those mixed with them.

    A colour far off the scale is rejected. Its neighbours, which antialiasing or JPEG may have mixed with it, are kept
    only if they agree with the clean pixels around. Lines whose own colour lies on the scale are found as thin
    outliers against the median of two window sizes, and rejected regions grow while the next pixel still deviates.

    Parameters
    ----------
    unit : (h, w) float32 array
        Values in the scale's even coordinate, 0 to 1.
    distance : (h, w) float32 array, or ColumnPicture
        Distance of each colour from the scale, 8-bit sRGB units.
    limits : Strictness
    outside : (h, w) bool array or None
        Pixels that are known not to be data (background, bar, outside the frame): they are no reference for others.

    Returns
    -------
    (h, w) bool array
    """
    known = np.zeros(unit.shape, bool) if outside is None else outside
    out = np.empty(unit.shape, bool)
    side = min(_TILE, max(max(unit.shape) // 2, _LEAST_TILE))

    def work(tile: Tile) -> None:
        seen = tile.seen
        found = _find_in_tile(unit[seen], distance[seen], limits, known[seen])
        out[tile.inner] = found[tile.within]

    do_all(work, cut_tiles(unit.shape, side, _RIM))
    return out


def _find_in_tile(
    unit: NDArray[np.float32], distance: NDArray[np.float32], limits: Strictness, known: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    suspect = (distance >= limits.suspect) | known
    bad = (distance >= limits.certain) | known
    # A colour that is exactly on the scale is hardly mixed with a line: it may deviate more.
    patience = np.where(distance < limits.exact, np.float32(EXACT_PATIENCE), np.float32(1))
    _reject_ring(unit, suspect, bad, limits, patience)
    _reject_ridges(unit, bad, limits)
    for radius, step in ((5, 2), (8, 3)):
        _reject_thin(unit, bad, limits, radius, step)
    _reject_beside(unit, bad, (3.0, limits.reference[1]), patience, clear=True, reach=max(limits.ring - 1, 1))
    for _ in range(2):
        _reject_beside(unit, bad, limits.grow, patience, clear=False, reach=1)
    return bad & ~known


def _reject_ring(
    unit: NDArray[np.float32],
    suspect: NDArray[np.bool_],
    bad: NDArray[np.bool_],
    limits: Strictness,
    patience: NDArray[np.float32],
) -> None:
    """Reject suspects and their ring unless the clean pixels around agree with them."""
    doubtful = grown(suspect, limits.ring) & ~bad
    clean = ~grown(suspect, max(limits.ring - 1, 1))
    rows, cols = np.nonzero(_may_deviate(unit, clean, doubtful, limits.reference[1] * patience, 5, 2))
    middle, spread = local_reference(unit, clean, rows, cols, 5, 2)
    lost = np.flatnonzero(np.isnan(middle))
    if len(lost):
        middle[lost], spread[lost] = local_reference(unit, ~suspect, rows[lost], cols[lost], 8, 2)
    allowed = patience[rows, cols] * np.maximum(limits.reference[0] * spread, limits.reference[1])
    agrees = np.abs(unit[rows, cols] - middle) <= allowed
    bad[rows[~agrees], cols[~agrees]] = True


def _reject_thin(unit: NDArray[np.float32], bad: NDArray[np.bool_], limits: Strictness, radius: int, step: int) -> None:
    """Reject what deviates from the median of its surroundings; looked at only where a ridge can be."""
    factor, floor = limits.thin
    ridges = (_ridges(unit, radius) > floor / 2) & ~bad
    rows, cols = np.nonzero(_may_deviate(unit, ~bad, ridges, np.float32(floor), radius, step))
    middle, spread = local_reference(unit, ~bad, rows, cols, radius, step)
    off = np.abs(unit[rows, cols] - middle) > np.maximum(factor * spread, floor)
    bad[rows[off], cols[off]] = True


def _reject_ridges(unit: NDArray[np.float32], bad: NDArray[np.bool_], limits: Strictness) -> None:
    """Reject ridges 1-3 px thin that stand out from the ridges around them, however steep the slope they lie on."""
    factor, floor = limits.ridge
    height = _ridges(unit, 2)
    rows, cols = np.nonzero((height > floor) & ~bad)
    off = exceeds_quantile(height, ~bad, rows, cols, 8, 2, 0.8, factor)
    bad[rows[off], cols[off]] = True


def _reject_beside(
    unit: NDArray[np.float32],
    bad: NDArray[np.bool_],
    test: tuple[float, float],
    patience: NDArray[np.float32],
    *,
    clear: bool,
    reach: int,
) -> None:
    """Reject neighbours of rejected pixels that deviate; `clear` takes the reference one pixel away from them."""
    ring = grown(bad, reach) & ~bad
    clean = ~grown(bad, 1) if clear else ~bad
    rows, cols = np.nonzero(_may_deviate(unit, clean, ring, test[1] * patience, 5, 2))
    middle, spread = local_reference(unit, clean, rows, cols, 5, 2)
    lost = np.flatnonzero(np.isnan(middle))
    if clear and len(lost):
        middle[lost], spread[lost] = local_reference(unit, ~bad, rows[lost], cols[lost], 5, 2)
    allowed = patience[rows, cols] * np.maximum(test[0] * spread, test[1])
    off = ~(np.abs(unit[rows, cols] - middle) <= allowed)
    bad[rows[off], cols[off]] = True


def _ridges(unit: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """How far each pixel stands above or below both of two opposite pixels, the most over four directions.

    A slope gives nothing, nor does the foot of a line: only what is thin in some direction does.
    """
    padded = np.pad(unit, radius, mode="edge")
    out = np.empty(unit.shape, np.float32)
    diagonal = max(round(radius / np.sqrt(2)), 1)
    directions = ((0, radius), (radius, 0), (diagonal, diagonal), (diagonal, -diagonal))
    for part in cut_rows(unit.shape, _RIDGE_PIXELS):
        here, highest = unit[part], out[part]
        first, second, lower = np.empty((3, *here.shape), np.float32)
        highest[...] = 0
        for dy, dx in directions:
            _from_opposite(padded, radius, part, (dy, dx), here, first)
            _from_opposite(padded, radius, part, (-dy, -dx), here, second)
            np.minimum(first, second, out=lower)
            np.maximum(highest, lower, out=highest)
            np.maximum(first, second, out=lower)
            np.negative(lower, out=lower)
            np.maximum(highest, lower, out=highest)
    return out


def _from_opposite(
    padded: NDArray[np.float32],
    radius: int,
    rows: slice,
    shift: tuple[int, int],
    here: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Differences of some rows of pixels from those some pixels away."""
    top, left = radius + rows.start + shift[0], radius + shift[1]
    there = padded[top : top + len(here), left : left + here.shape[1]]
    np.subtract(here, there, out=out)


def local_reference(
    unit: NDArray[np.float32],
    clean: NDArray[np.bool_],
    rows: NDArray[np.intp],
    cols: NDArray[np.intp],
    radius: int,
    step: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Median and spread of the clean pixels around some pixels.

    Parameters
    ----------
    unit : (h, w) float32 array
    clean : (h, w) bool array
    rows, cols : (n,) int arrays
        The pixels asked about.
    radius, step : int
        The window is (2 radius + 1) pixels wide, and every `step`-th pixel of it is looked at.

    Returns
    -------
    median, spread : (n,) float32 arrays
        Spread is the median absolute deviation as a standard deviation; both NaN where fewer than 5 are clean.
    """
    median = np.empty(len(rows), np.float32)
    spread = np.empty(len(rows), np.float32)

    def work(part: slice, window: NDArray[np.float32]) -> None:
        median[part], spread[part] = _median_and_spread(window)

    _over_windows(work, unit, clean, rows, cols, radius, step)
    return median, spread


def exceeds_quantile(
    values: NDArray[np.float32],
    clean: NDArray[np.bool_],
    rows: NDArray[np.intp],
    cols: NDArray[np.intp],
    radius: int,
    step: int,
    share: float,
    factor: float,
) -> NDArray[np.bool_]:
    """Which pixels exceed the quantile `share` of the clean ones around them, `factor` times; see
    :func:`local_reference` for the others. Not where fewer than 5 are clean.
    """
    out = np.empty(len(rows), np.bool_)

    def work(part: slice, window: NDArray[np.float32]) -> None:
        count = np.count_nonzero(window == window, axis=1)
        window *= np.float32(factor)
        less = np.count_nonzero(window < values[rows[part], cols[part]][:, None], axis=1)
        out[part] = (less > (share * (count - 1)).astype(np.intp)) & (count >= _FEWEST)

    _over_windows(work, values, clean, rows, cols, radius, step)
    return out


def _may_deviate(
    unit: NDArray[np.float32],
    clean: NDArray[np.bool_],
    asked: NDArray[np.bool_],
    allowed: NDArray[np.float32] | np.float32,
    radius: int,
    step: int,
) -> NDArray[np.bool_]:
    """Those of the pixels asked about that may differ from the median around them by more than is allowed.

    If one does, at least half of the clean pixels around lie beyond what is allowed, on one side: that is counted for
    all pixels of a block at once, which is much quicker than sorting. Those with few clean pixels around stay.
    """
    width = unit.shape[1]
    out = asked.copy()
    padded = np.pad(np.where(clean, unit, np.float32(np.nan)), radius, constant_values=np.nan)
    known = np.pad(clean, radius).view(np.uint8)
    steps = range(0, 2 * radius + 1, step)
    for part in cut_rows(unit.shape, _RIDGE_PIXELS):
        here = asked[part]
        if np.count_nonzero(here) < _SPARSE * here.size:
            continue
        reach = np.broadcast_to(allowed, unit.shape)[part] - np.float32(_ROUNDING)
        low, high = unit[part] - reach, unit[part] + reach
        number, below, above = np.zeros((3, *here.shape), np.uint8)
        beyond = np.empty(here.shape, np.bool_)
        for down in steps:
            for right in steps:
                at = slice(part.start + down, part.stop + down), slice(right, right + width)
                number += known[at]
                below += np.less(padded[at], low, out=beyond).view(np.uint8)
                above += np.greater(padded[at], high, out=beyond).view(np.uint8)
        np.maximum(below, above, out=below)
        out[part] &= (2 * below >= number) | (number < _FEWEST)
    return out


def _over_windows(
    work: Callable[[slice, NDArray[np.float32]], None],
    values: NDArray[np.float32],
    clean: NDArray[np.bool_],
    rows: NDArray[np.intp],
    cols: NDArray[np.intp],
    radius: int,
    step: int,
) -> None:
    """Do something with the values around some pixels, NaN where not clean, a chunk of pixels at a time."""
    padded = np.pad(np.where(clean, values, np.float32(np.nan)), radius, constant_values=np.nan)
    flat, stride = padded.ravel(), padded.shape[1]
    steps = np.arange(-radius, radius + 1, step)
    offsets = (steps[:, None] * stride + steps).ravel()
    base = (rows + radius) * stride + cols + radius

    def chunk(start: int) -> None:
        part = slice(start, start + _CHUNK)
        work(part, flat[base[part, None] + offsets])

    do_all(chunk, range(0, len(rows), _CHUNK))


def _median_and_spread(window: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Row-wise, NaN ignored."""
    window.sort(axis=1)
    count = np.count_nonzero(window == window, axis=1)
    median = _middle(window, count)
    window -= median[:, None]
    np.abs(window, out=window)
    window.sort(axis=1)
    spread = np.float32(_CENTER_WEIGHT) * _middle(window, count)
    few = count < _FEWEST
    median[few] = np.nan
    spread[few] = np.nan
    return median, spread


def _middle(ordered: NDArray[np.float32], count: NDArray[np.intp]) -> NDArray[np.float32]:
    rows = np.arange(len(ordered))
    last = np.maximum(count - 1, 0)
    return (ordered[rows, last // 2] + ordered[rows, (last + 1) // 2]) / 2
