"""One standard deviation of every value: from the colour noise, the slope of the scale, its steps and its ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.value.blocks import cut_rows, do_all
from geocbar.value.color import pack_colors, unpack_colors
from geocbar.value.projection import project_colors
from geocbar.value.requantization import requantize
from geocbar.value.scale import ColorScale
from geocbar.value.smoothing import median_of_nine

__all__ = ["at_ends", "channel_noise", "color_spread", "error_kind", "estimate_half_width", "estimate_sigma"]

#: Places along the scale for which its slope, steps and ambiguity are tabled.
_PLACES = 1024

#: Colours are known no better than this on a JPEG (in the metric) and on a lossless picture: roundings of map and bar.
_ROUNDING_LOSSY = 1.0
_ROUNDING = 0.5

#: Weights of the bar's ends and of the repacking error, tuned on drawn maps other than those of the tests.
_END_WEIGHT = 0.7
_REPACKING_WEIGHT = 0.77

#: Transferred by bins, the same error is a mean over calm and lively pixels, which holds more of them.
_TRANSFER_WEIGHT = 0.71

#: Two block grids, shifted against the picture's own 16 x 16 blocks (rows, columns).
_GRIDS = ((4, 4), (3, 13))

#: Larger changes say that a pixel took the colour of a line, not how noisy data are (share of the scale).
_LARGEST_CHANGE = 0.1
_AVERAGING_PX = 2.5
_TILE = 512
_MARGIN = 16

#: Above this size repacking is tried on tiles of it only, and transferred by activity of the picture and slope.
_MOST_PIXELS = 1_200_000
_CELL = 8
_ACTIVITIES = 16
_SPREADS = 12
_FEWEST = 64

#: Half-widths: shares of half a step, of the bar's ends, and of the colour spread.
_HALF_WIDTH_SPREAD = 3.0

_COLORS = 1 << 24
_BLOCK_PIXELS = 1 << 18


def estimate_sigma(
    pixels: NDArray[np.uint8],
    unit: NDArray[np.float32],
    valid: NDArray[np.bool_],
    scale: ColorScale,
    *,
    metric: NDArray[np.float64],
    bar_length_px: float,
    noise: float = 0.0,
    tables: Sequence[Sequence[int]] | None = None,
    subsampling: int = 2,
    bar_end_px: float = 0.5,
    origin: tuple[int, int] = (0, 0),
    most_pixels: int = _MOST_PIXELS,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Standard deviation of every value.

    On JPEG pictures the error is measured: the picture is packed once more with its own tables on a shifted block
    grid, and inverted again; the change, averaged over a few pixels, is what packing does to values there, with the
    slope, the kinks and the plateaus of the scale, and lines nearby. Added are the rounding of colours over the slope
    of the scale (which also tells where two values look alike) and the uncertainty of the bar's ends. On lossless
    pictures the steps of the bar take the place of the repacking.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The map.
    unit : (h, w) float32 array
        Values in the scale's even coordinate (0 to 1; on JPEG after the median filter).
    valid : (h, w) bool array
        Data pixels.
    scale : ColorScale
    metric : (3, 3) array
        In which colours were projected.
    bar_length_px : float
        Length of the bar; for a named colormap, where `bar_end_px` is 0, any number.
    noise : float
        Of the colours of a lossless picture, see :func:`channel_noise`.
    tables : sequence of 64-entry sequences or None
        Quantization tables of the JPEG, see :func:`~geocbar.value.requantization.requantize`; None: lossless.
    subsampling : int
        Chroma, likewise.
    bar_end_px : float
        How well the ends of the bar are known, in pixels.
    origin : (int, int)
        Row and column in the picture of the map's first pixel, which tells where its JPEG blocks begin.
    most_pixels : int
        Of a larger picture only as many are packed again, in tiles spread over it.
    out : (h, w) float32 array or None
        Where to write the result.

    Returns
    -------
    (h, w) float32 array
        In shares of the scale's length; NaN where not valid. Of classes: that of an even spread over the class.
    """
    out = np.empty(unit.shape, np.float32) if out is None else out
    if scale.is_classes:
        out[...] = np.where(valid, np.float32(1 / (len(scale.values) * np.sqrt(12))), np.float32(np.nan))
        return out
    lossy = tables is not None
    spread = color_spread(scale, metric, _ROUNDING_LOSSY if lossy else max(_ROUNDING, noise))
    fixed = spread**2 + (bar_end_px / bar_length_px) ** 2 * (_END_WEIGHT**2 if lossy else 1)
    if not lossy:
        fixed += _step_widths(scale) ** 2 / 12
        _fill_by_place(out, unit, valid, np.sqrt(fixed))
        return out
    assert tables is not None
    repack = _Repacking(scale, metric, tables, subsampling, origin)
    if unit.size <= most_pixels:
        _repack_all(out, repack, pixels, unit, valid)
        changed = (_REPACKING_WEIGHT * out) ** 2
        _fill_by_place(out, unit, valid, fixed)
        out += changed
        return np.sqrt(out, out=out)
    _transfer(out, repack, pixels, unit, valid, (fixed, spread), most_pixels)
    return out


def color_spread(
    scale: ColorScale, metric: NDArray[np.float64], noise: float, places: int = _PLACES
) -> NDArray[np.float64]:
    """How far values spread whose colours cannot be told apart.

    Every value of the scale is weighed by how well its colour fits, for normal noise of the colours; the root mean
    square distance of the fitting values is noise over slope where the scale runs straight, and grows at plateaus and
    where the scale passes its own colours again.

    Parameters
    ----------
    scale : ColorScale
    metric : (3, 3) array
    noise : float
        Standard deviation of each colour channel in the metric.
    places : int
        Number of places along the scale, evenly spread.

    Returns
    -------
    (places,) float array
        Shares of the scale's length.
    """
    at = (np.arange(places) + 0.5) / places
    positions, colors = _along(scale)
    curve = np.stack([np.interp(at, positions, colors[:, band]) for band in range(3)], axis=1) @ metric.T
    squared = (curve**2).sum(axis=1)
    apart = np.maximum(squared[:, None] + squared - 2 * curve @ curve.T, 0)
    weights = np.exp(-apart / (2 * noise**2))
    spread: NDArray[np.float64] = np.sqrt((weights * (at[:, None] - at) ** 2).sum(axis=1) / weights.sum(axis=1))
    return spread


def estimate_half_width(
    unit: NDArray[np.float32],
    valid: NDArray[np.bool_],
    scale: ColorScale,
    *,
    metric: NDArray[np.float64],
    bar_length_px: float,
    bar_end_px: float = 0.5,
) -> NDArray[np.float32]:
    """Largest error to be expected on a lossless picture, where errors are not normal but end at half a step.

    Parameters
    ----------
    unit, valid, scale, metric, bar_length_px, bar_end_px
        See :func:`estimate_sigma`.

    Returns
    -------
    (h, w) float32 array
        Shares of the scale's length, holding for at least 99 % of pixels; NaN where not valid.
    """
    out = np.full(unit.shape, np.nan, np.float32)
    if scale.is_classes:
        out[valid] = 0.5 / len(scale.values)
        return out
    width = _step_widths(scale) / 2 + bar_end_px / bar_length_px
    width += _HALF_WIDTH_SPREAD * color_spread(scale, metric, _ROUNDING)
    _fill_by_place(out, unit, valid, width)
    return out


def error_kind(scale: ColorScale, *, lossy: bool = False) -> str:
    """What sort of error sigma stands for, in a sentence.

    Examples
    --------
    >>> error_kind(ColorScale.from_colors([[0, 0, 0], [255, 0, 0]], vmin=0, vmax=2, scale="discrete"))
    'Values are the middles of classes: the true one lies anywhere within half a class (25 % of the scale).'
    """
    if scale.is_classes:
        halves = 50 * np.abs(np.diff(np.asarray(scale.edges))) / scale.range
        narrow, wide = f"{halves.min():.3g}", f"{halves.max():.3g}"
        size = narrow if narrow == wide else f"{narrow} to {wide}"
        return (
            "Values are the middles of classes: the true one lies anywhere within half a class"
            f" ({size} % of the scale)."
        )
    if lossy:
        return "Errors are about normal: 2 of 3 values lie within one sigma, 19 of 20 within two."
    half = 50 * float(np.median(_step_widths(scale)))
    return (
        "Values are the middles of colour steps: the true one lies anywhere within half a step"
        f" ({half:.2g} % of the scale), besides what the ends of the bar are uncertain."
    )


def at_ends(unit: NDArray[np.float32], sigma: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Values that cannot be told from the ends of the scale, and may lie beyond them.

    Parameters
    ----------
    unit : (h, w) float32 array
        Values in the scale's even coordinate, 0 to 1.
    sigma : (h, w) float32 array
        One standard deviation; NaN where there is no value.

    Returns
    -------
    below, above : (h, w) bool arrays
        At or beyond the low end, and the high end.
    """
    return unit <= sigma, unit >= 1 - sigma


def _along(scale: ColorScale) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions of the nodes, ascending from 0 to 1, and their colours."""
    low, high = scale.even_limits
    positions = (scale.to_even(scale.values) - low) / (high - low)
    order = np.argsort(positions)
    return positions[order], scale.colors[order]


def _step_widths(scale: ColorScale, places: int = _PLACES) -> NDArray[np.float64]:
    """Length of the piece of the scale that has one colour, at places evenly along it; at least the scale's step."""
    positions, colors = _along(scale)
    first = np.flatnonzero(np.concatenate([[True], np.any(np.diff(colors, axis=0) != 0, axis=1)]))
    between = (positions[first[1:] - 1] + positions[first[1:]]) / 2
    limits = np.concatenate([[min(positions[0], 0.0)], between, [max(positions[-1], 1.0)]])
    at = (np.arange(places) + 0.5) / places
    run = np.clip(np.searchsorted(limits, at, side="right") - 1, 0, len(first) - 1)
    # A smooth palette has far-apart nodes and no steps at all: only runs of two nodes and more are steps.
    repeated = np.diff(np.append(first, len(positions))) > 1
    widths: NDArray[np.float64] = np.where(repeated[run], np.diff(limits)[run], 0.0)
    return np.maximum(widths, scale.step)


def channel_noise(distance: NDArray[np.float32]) -> float:
    """Noise of the colours of data, a channel, from the distances of some of them from the scale."""
    return float(np.sqrt(np.mean(distance**2) / 2)) if distance.size else 0.0


def _fill_by_place(
    out: NDArray[np.float32], unit: NDArray[np.float32], valid: NDArray[np.bool_], table: NDArray[np.float64]
) -> None:
    """Look up a table over the places of the scale; NaN where not valid."""
    with_nan = np.append(table, np.nan).astype(np.float32)

    def work(part: slice) -> None:
        out[part] = np.take(with_nan, _places(unit[part], valid[part], len(table)), mode="clip")

    do_all(work, cut_rows(unit.shape, _BLOCK_PIXELS))


def _places(unit: NDArray[np.float32], valid: NDArray[np.bool_], places: int) -> NDArray[np.int32]:
    """Number of the place of each value; `places` where not valid."""
    safe = np.where(valid, unit, np.float32(0))
    safe *= places
    np.clip(safe, 0, places - 1, out=safe)
    at = safe.astype(np.int32)
    at[~valid] = places
    return at


class _Repacking:
    """Packs parts of the map once more and inverts them; every colour is projected once."""

    def __init__(
        self,
        scale: ColorScale,
        metric: NDArray[np.float64],
        tables: Sequence[Sequence[int]],
        subsampling: int,
        origin: tuple[int, int],
    ) -> None:
        self._scale, self._metric = scale, metric
        self._tables, self._subsampling, self._origin = tables, subsampling, origin
        self._unit_of = np.full(_COLORS, np.nan, np.float32)

    def change(
        self,
        pixels: NDArray[np.uint8],
        unit: NDArray[np.float32],
        valid: NDArray[np.bool_],
        rows: slice,
        cols: slice,
    ) -> NDArray[np.float32]:
        """Local root mean square change of the values in a tile, by packing and by filtering; NaN where not valid."""
        height, width = unit.shape
        seen = (
            slice(max(rows.start - _MARGIN, 0), min(rows.stop + _MARGIN, height)),
            slice(max(cols.start - _MARGIN, 0), min(cols.stop + _MARGIN, width)),
        )
        total = np.zeros(unit[seen].shape, np.float32)
        for down, across in _GRIDS:
            shift = (down + self._origin[0] + seen[0].start, across + self._origin[1] + seen[1].start)
            again = self._invert(requantize(pixels[seen], self._tables, self._subsampling, shift))
            again -= unit[seen]
            np.clip(again, -_LARGEST_CHANGE, _LARGEST_CHANGE, out=again)
            again *= again
            total += again
        total /= len(_GRIDS)
        # What the median filter takes from peaks and ridges shows in what a second pass would take.
        bent = median_of_nine(unit[seen])
        bent -= unit[seen]
        np.clip(bent, -_LARGEST_CHANGE, _LARGEST_CHANGE, out=bent)
        bent *= bent
        total += bent
        known = valid[seen].astype(np.float32)
        total *= known
        total = ndimage.gaussian_filter(total, _AVERAGING_PX, truncate=2.5)
        share = ndimage.gaussian_filter(known, _AVERAGING_PX, truncate=2.5)
        out = np.where(valid[seen], np.sqrt(total / np.maximum(share, np.float32(1e-3))), np.float32(np.nan))
        top, left = rows.start - seen[0].start, cols.start - seen[1].start
        return out[top : top + rows.stop - rows.start, left : left + cols.stop - cols.start].astype(np.float32)

    def _invert(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        packed = pack_colors(pixels)
        unit = self._unit_of[packed]
        fresh = np.unique(packed[np.isnan(unit)])
        if len(fresh):
            nodes, _ = project_colors(unpack_colors(fresh), self._scale, self._metric)
            low, high = self._scale.even_limits
            values = self._scale.to_even(self._scale.values_at(nodes))
            self._unit_of[fresh] = (values - low) / (high - low)
            unit = self._unit_of[packed]
        return median_of_nine(unit)


def _tiles(shape: tuple[int, int], size: int) -> list[tuple[slice, slice]]:
    height, width = shape
    return [
        (slice(top, min(top + size, height)), slice(left, min(left + size, width)))
        for top in range(0, height, size)
        for left in range(0, width, size)
    ]


def _repack_all(
    out: NDArray[np.float32],
    repack: _Repacking,
    pixels: NDArray[np.uint8],
    unit: NDArray[np.float32],
    valid: NDArray[np.bool_],
) -> None:
    def work(tile: tuple[slice, slice]) -> None:
        out[tile] = repack.change(pixels, unit, valid, *tile)

    do_all(work, _tiles((unit.shape[0], unit.shape[1]), _TILE))


def _transfer(
    out: NDArray[np.float32],
    repack: _Repacking,
    pixels: NDArray[np.uint8],
    unit: NDArray[np.float32],
    valid: NDArray[np.bool_],
    tables: tuple[NDArray[np.float64], NDArray[np.float64]],
    most_pixels: int,
) -> None:
    """Repacking error from a sample of tiles, by activity of the picture and colour spread of the scale, for all."""
    fixed, spread = tables
    activity = _activity(pixels)
    kind = _ranks(spread[(np.clip(unit[::16, ::16][valid[::16, ::16]], 0, 1) * (_PLACES - 1)).astype(int)], _SPREADS)
    kind_of = np.append(np.searchsorted(kind, spread), 0).astype(np.int32)
    tiles = _tiles((unit.shape[0], unit.shape[1]), 256)
    step = max(len(tiles) * 256 * 256 / most_pixels, 1.0)
    tiles = [tiles[int(i)] for i in np.arange(step / 2, len(tiles), step)]
    busy = _ranks(activity, _ACTIVITIES)
    level = np.searchsorted(busy, activity).astype(np.int32)
    squares = np.zeros((_ACTIVITIES, _SPREADS))
    counts = np.zeros((_ACTIVITIES, _SPREADS))

    def bins(rows: slice, cols: slice) -> NDArray[np.int32]:
        place = _places(unit[rows, cols], valid[rows, cols], _PLACES)
        down = np.arange(rows.start, rows.stop) // _CELL
        across = np.arange(cols.start, cols.stop) // _CELL
        found: NDArray[np.int32] = level[down[:, None], across] * _SPREADS + kind_of[place]
        return found

    def learn(tile: tuple[slice, slice]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        changed = repack.change(pixels, unit, valid, *tile)
        at = valid[tile]
        return bins(*tile)[at], changed[at] ** 2

    for which, square in do_all(learn, tiles):
        squares += np.bincount(which, square, squares.size).reshape(squares.shape)
        counts += np.bincount(which, minlength=squares.size).reshape(squares.shape)
    table = _smoothed(squares, counts).ravel()
    place_table = np.append(fixed, np.nan).astype(np.float32)
    full = slice(0, unit.shape[1])

    def apply(part: slice) -> None:
        variance = np.float32(_TRANSFER_WEIGHT**2) * table[bins(part, full)]
        variance += place_table[_places(unit[part], valid[part], _PLACES)]
        np.sqrt(variance, out=out[part])

    do_all(apply, cut_rows(unit.shape, _BLOCK_PIXELS))


def _activity(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean difference of neighbours in green, which is most of luma, around cells of 8 x 8 pixels."""
    height, width = pixels.shape[:2]
    down, across = -(-height // _CELL), -(-width // _CELL)
    out = np.empty((down, across), np.float32)
    edges = np.arange(0, width, _CELL)

    def work(row: int) -> None:
        rows = pixels[row * _CELL : (row + 1) * _CELL + 1, :, 1].astype(np.int16)
        change = np.zeros((min(_CELL, len(rows)), width), np.int16)
        change[:, 1:] += np.abs(np.diff(rows[: len(change)], axis=1))
        change[: len(rows) - 1] += np.abs(np.diff(rows, axis=0))
        out[row] = np.add.reduceat(change.sum(axis=0), edges) / (len(change) * np.diff(np.append(edges, width)))

    do_all(work, range(down))
    return out


def _ranks(values: NDArray[np.floating], bins: int) -> NDArray[np.float64]:
    """Limits of equally filled bins."""
    if not values.size:
        return np.zeros(bins - 1)
    return np.asarray(np.quantile(values, np.arange(1, bins) / bins), np.float64)


def _smoothed(squares: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mean squares by bin; bins with few samples lean on those around them."""
    total, number = squares.copy(), counts.copy()
    for reach in (3, 5, 9, 2 * max(counts.shape) + 1):
        few = number < _FEWEST
        if not few.any():
            break
        box = np.ones((reach, reach))
        total = np.where(few, ndimage.convolve(squares, box, mode="constant"), total)
        number = np.where(few, ndimage.convolve(counts, box, mode="constant"), number)
    mean: NDArray[np.float32] = (total / np.maximum(number, 1)).astype(np.float32)
    return mean
