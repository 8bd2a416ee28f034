"""Maps of classes: which class a pixel shows, without classes invented where two colours mix."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.value.color import RGB, YCBCR, pack_colors, unpack_colors
from geocbar.value.scale import ColorScale

__all__ = ["Classified", "bar_classes", "classify"]

_COLORS = 1 << 24
_BLOCK_PIXELS = 1 << 19
_CHUNK_COLORS = 1 << 14
_WORKERS = 2
_HALO = 16
_SEVERAL = 5
_RESCUES = 2

#: Colours along a bar that differ by less are one (lossless in sRGB, lossy in weighted YCbCr); separators are looser.
_SAME = 1.01
_SAME_LOSSY = 6.0
_SAME_INK = 70.0
_RUN_SHARE = 0.4
_MOST_CLASSES = 64


@dataclass(frozen=True, eq=False)
class Classified:
    """The class of every pixel.

    Parameters
    ----------
    index : (h, w) int16 array
        Number of the class in the order of the scale's colours; -1 for none.
    hole : (h, w) bool array
        Pixels that neither a class nor a mixture of two neighbouring ones explains: lines, letters, markers. The
        background is no hole.
    distance : (h, w) float32 array
        Distance (8-bit sRGB units) of each colour from its class, or from the nearest mixture.
    """

    index: NDArray[np.int16]
    hole: NDArray[np.bool_]
    distance: NDArray[np.float32]

    def __post_init__(self) -> None:
        for array in (self.index, self.hole, self.distance):
            array.setflags(write=False)


@dataclass(frozen=True)
class _Limits:
    """Of distances, in units of the metric, and of windows, in px.

    `own`: a class's own colour. `mixed`: a mixture of two. `lone`, `clear`: the colour of the only class in reach, and
    of one that is at least twice as near as any other in reach, beside a line. `core`, `thick`: squares of one class
    that make it certain, and its surroundings' measure. `reach`, `around`: where sources of a mixture, and the classes
    of the surroundings, are looked for.
    """

    own: float
    mixed: float
    lone: float
    clear: float
    core: int = 2
    thick: int = 4
    reach: int = 2
    around: int = 6


_LOSSLESS = _Limits(own=3.0, mixed=6.0, lone=0.0, clear=0.0)
_LOSSY = _Limits(own=24.0, mixed=22.0, lone=60.0, clear=30.0, thick=5, around=5)


def classify(
    pixels: NDArray[np.uint8], scale: ColorScale, *, lossy: bool, background: NDArray[np.bool_] | None = None
) -> Classified:
    """Give every pixel its class.

    Areas of one colour are certain. Every other pixel takes the better half of the mixture of two certain classes
    within 2 px that fits its colour best, so that no third class appears where antialiasing or JPEG mixes two. Thin
    structures whose class lies outside the range of the classes around them are lines drawn in a class's colour.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    scale : ColorScale
        Of classes. Of classes with equal colours the first is taken.
    lossy : bool
        Whether the picture went through JPEG: colours are then compared in YCbCr, with wider limits.
    background : (h, w) bool array or None
        Pixels known not to be data.

    Returns
    -------
    Classified
    """
    metric = YCBCR if lossy else RGB
    limits = _LOSSY if lossy else _LOSSLESS
    tables = _tables(pixels, scale.colors, metric)
    height, width = pixels.shape[:2]
    index = np.empty((height, width), np.int16)
    distance = np.empty((height, width), np.float32)

    def work(rows: slice) -> None:
        top, bottom = max(rows.start - _HALO, 0), min(rows.stop + _HALO, height)
        packed = pack_colors(pixels[top:bottom])
        nearest, off, away = (table[packed] for table in tables)
        none = np.iinfo(nearest.dtype).max
        labels = np.where(off <= limits.own, nearest, none)
        if background is not None:
            labels[background[top:bottom]] = none
        _settle(pixels[top:bottom], labels, away, scale.colors, metric, limits, lossy)
        for _ in range(_RESCUES if lossy else 0):
            free = labels == none if background is None else (labels == none) & ~background[top:bottom]
            _rescue(pixels[top:bottom], labels, free & (off < limits.lone), nearest, off, scale.colors, metric, limits)
        inner = slice(rows.start - top, rows.stop - top)
        distance[rows] = away[inner]
        index[rows] = labels[inner]
        index[rows][labels[inner] == none] = -1

    _run(work, _row_blocks(height, width))
    hole = index < 0
    if background is not None:
        index[background] = -1
        hole &= ~background
    return Classified(index, hole, distance)


def _settle(
    pixels: NDArray[np.uint8],
    labels: NDArray[Any],
    away: NDArray[np.float32],
    colors: NDArray[np.float64],
    metric: NDArray[np.float64],
    limits: _Limits,
    lossy: bool,
) -> None:
    """From the nearest class of each pixel to its final one, in place."""
    none = np.iinfo(labels.dtype).max
    core = _opened(labels, limits.core)
    thick = np.where(_opened(labels, limits.thick), labels, none)
    low, high = _range_around(thick, limits.around)
    # One class beyond those around is a ridge or a hollow; more is a line.
    within = (labels >= low - (low > 0)) & (labels - (labels > 0) <= high)
    within |= low == none
    within &= labels != none
    sure = np.where(core & within, labels, none)
    settled = core & within if lossy else within
    rows, cols = np.nonzero(~settled)
    found, residual = _mixtures(pixels[rows, cols], rows, cols, sure, colors, metric, limits)
    labels[rows, cols] = found
    lost = np.flatnonzero(found == none)
    if not lossy:
        again = _mixtures(pixels[rows[lost], cols[lost]], rows[lost], cols[lost], labels, colors, metric, limits)
        found[lost], residual[lost] = again
        labels[rows[lost], cols[lost]] = again[0]
    fits = found != none
    away[rows[fits], cols[fits]] = residual[fits]


def _rescue(
    pixels: NDArray[np.uint8],
    labels: NDArray[Any],
    free: NDArray[np.bool_],
    nearest: NDArray[Any],
    off: NDArray[np.float32],
    colors: NDArray[np.float64],
    metric: NDArray[np.float64],
    limits: _Limits,
) -> None:
    """Give pixels blurred by a line beside them their nearest class, in place: if it is the only class in reach, or
    among those by far the nearest.
    """
    none = np.iinfo(labels.dtype).max
    low, high = _range_around(labels, limits.reach)
    free &= (low <= nearest) & (nearest <= high) & (low != none)
    alone = free & (low == high)
    rows, cols = np.nonzero(free & ~alone & (off < limits.clear))
    vertices = (colors @ metric.T).astype(np.float32)
    points = pixels[rows, cols].astype(np.float32) @ metric.T.astype(np.float32)
    own = nearest[rows, cols]
    present = np.zeros(len(rows), bool)
    second = np.full(len(rows), np.inf, np.float32)
    for candidate in _distinct(labels, rows, cols, limits.reach).T:
        present |= candidate == own
        other = np.flatnonzero((candidate != own) & (candidate != none))
        to = points[other] - vertices[candidate[other]]
        second[other] = np.minimum(second[other], np.sqrt(np.einsum("ij,ij->i", to, to)))
    clear = present & (2 * off[rows, cols] < second)
    labels[alone] = nearest[alone]
    labels[rows[clear], cols[clear]] = own[clear]


def _mixtures(
    pixels: NDArray[np.uint8],
    rows: NDArray[np.intp],
    cols: NDArray[np.intp],
    sure: NDArray[Any],
    colors: NDArray[np.float64],
    metric: NDArray[np.float64],
    limits: _Limits,
) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Class on the better half of the best mixture of two sure classes in reach, and the residual in sRGB units."""
    none = np.iinfo(sure.dtype).max
    low, high = _range_around(sure, limits.reach)
    pair = np.stack([low[rows, cols], high[rows, cols]], axis=1)
    vertices = (colors @ metric.T).astype(np.float32)
    points = pixels.astype(np.float32) @ metric.T.astype(np.float32)
    found = np.full(len(rows), none, sure.dtype)
    misfit = np.full(len(rows), np.inf, np.float32)
    share = np.zeros(len(rows), np.float32)
    partner = found.copy()
    some = pair[:, 0] != none
    several = some & (pair[:, 1] > pair[:, 0] + 1)
    for chosen, many in ((some & ~several, False), (several, True)):
        at = np.flatnonzero(chosen)
        candidates = _distinct(sure, rows[at], cols[at], limits.reach) if many else pair[at]
        for a, b in itertools.combinations(range(candidates.shape[1]), 2):
            first, second = candidates[:, a], candidates[:, b]
            given = np.flatnonzero(second != none)
            where, one, two = at[given], first[given], second[given]
            t, away = _along(points.take(where, axis=0), vertices.take(one, axis=0), vertices.take(two, axis=0))
            better = away < misfit[where]
            where, one, two, t = where[better], one[better], two[better], t[better]
            misfit[where] = away[better]
            found[where] = np.where(t < 0.5, one, two)
            partner[where] = np.where(t < 0.5, two, one)
            share[where] = np.minimum(t, 1 - t)
    found[misfit > limits.mixed] = none
    fits = found != none
    residual = np.full(len(rows), np.inf, np.float32)
    srgb = colors.astype(np.float32)
    near, far = srgb[found[fits]], srgb[partner[fits]]
    far -= near
    near += share[fits, None] * far
    near -= pixels[fits]
    residual[fits] = np.sqrt(np.einsum("ij,ij->i", near, near))
    return found, residual


def _along(
    points: NDArray[np.float32], start: NDArray[np.float32], stop: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Share of the way from start to stop of the nearest place on each segment, and the distance to it."""
    step = stop - start
    offset = points - start
    square = np.maximum(np.einsum("ij,ij->i", step, step), np.float32(1e-9))
    share = np.clip(np.einsum("ij,ij->i", offset, step) / square, 0, 1)
    offset -= share[:, None] * step
    return share, np.sqrt(np.einsum("ij,ij->i", offset, offset))


def _distinct(sure: NDArray[Any], rows: NDArray[np.intp], cols: NDArray[np.intp], reach: int) -> NDArray[Any]:
    """(n, 5) different labels in reach of some pixels, ascending, then `none`; at least two of equal value."""
    none = np.iinfo(sure.dtype).max
    padded = np.pad(sure, reach, constant_values=none)
    steps = np.arange(2 * reach + 1)
    offsets = (steps[:, None] * padded.shape[1] + steps).ravel()
    seen = padded.ravel()[(rows * padded.shape[1] + cols)[:, None] + offsets]
    seen.sort(axis=1)
    seen[:, 1:][seen[:, 1:] == seen[:, :-1]] = none
    seen.sort(axis=1)
    return seen[:, :_SEVERAL]


def _opened(labels: NDArray[Any], size: int) -> NDArray[np.bool_]:
    """Pixels in some square of one label, `size` px wide."""
    none = np.iinfo(labels.dtype).max
    height, width = labels.shape
    out = np.zeros(labels.shape, bool)
    if height < size or width < size:
        return out
    flat = labels != none
    across = flat[:, : width - size + 1].copy()
    same = labels[:, 1:] == labels[:, :-1]
    for k in range(size - 1):
        across &= same[:, k : k + across.shape[1]]
    same = labels[1:] == labels[:-1]
    square = across[: height - size + 1].copy()
    for k in range(size - 1):
        square &= across[k + 1 : k + 1 + len(square)]
        square &= same[k : k + len(square), : square.shape[1]]
    tall = np.zeros((height, square.shape[1]), bool)
    for k in range(size):
        tall[k : k + len(square)] |= square
    for k in range(size):
        out[:, k : k + tall.shape[1]] |= tall
    return out


def _range_around(labels: NDArray[Any], radius: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Smallest and largest label in the square around each pixel; both `none` where there is no label."""
    low = _extreme(labels, radius, np.minimum)
    one = labels.dtype.type(1)
    with np.errstate(over="ignore"):
        high = _extreme(labels + one, radius, np.maximum) - one  # `none` wraps round to the least
    return low, high


def _extreme(labels: NDArray[Any], radius: int, ufunc: Callable[..., Any]) -> NDArray[Any]:
    for axis in (0, 1):
        out = labels.copy()
        ahead, source = np.moveaxis(out, axis, 0), np.moveaxis(labels, axis, 0)
        for k in range(1, min(radius, len(source) - 1) + 1):
            ufunc(ahead[k:], source[:-k], out=ahead[k:])
            ufunc(ahead[:-k], source[k:], out=ahead[:-k])
        labels = out
    return labels


def _tables(
    pixels: NDArray[np.uint8], colors: NDArray[np.float64], metric: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.float32]]:
    """By 24-bit colour: the nearest class, the distance to it in the metric, and that in sRGB."""
    seen = np.zeros(_COLORS, np.bool_)

    def mark(rows: slice) -> None:
        seen[pack_colors(pixels[rows]).ravel()] = True

    _run(mark, _row_blocks(*pixels.shape[:2]))
    present = np.flatnonzero(seen)
    nearest_of = np.empty(_COLORS, np.uint8 if len(colors) < 255 else np.int16)
    off_of, distance_of = np.empty(_COLORS, np.float32), np.empty(_COLORS, np.float32)
    vertices = (colors @ metric.T).astype(np.float32)
    square = (vertices**2).sum(axis=1)

    def work(start: int) -> None:
        part = present[start : start + _CHUNK_COLORS]
        rgb = unpack_colors(part).astype(np.float32)
        points = rgb @ metric.T.astype(np.float32)
        nearest = (square - 2 * (points @ vertices.T)).argmin(axis=1)
        nearest_of[part] = nearest
        off_of[part] = np.sqrt(((points - vertices[nearest]) ** 2).sum(axis=1))
        distance_of[part] = np.sqrt(((rgb - colors[nearest]) ** 2).sum(axis=1))

    _run(work, range(0, len(present), _CHUNK_COLORS))
    return nearest_of, off_of, distance_of


def _row_blocks(height: int, width: int) -> list[slice]:
    rows = max(_BLOCK_PIXELS // max(width, 1), 2 * _HALO)
    return [slice(start, min(start + rows, height)) for start in range(0, height, rows)]


def _run(work: Callable[..., None], parts: Iterable[object]) -> None:
    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in pool.map(work, parts):
            pass


def bar_classes(colors: ArrayLike, lossy: bool) -> NDArray[np.intp] | None:
    """Runs of a bar of classes, or None for a bar whose colours run smoothly.

    The bar is cut where a piecewise constant fit is cheapest (optimal partition with a penalty for every cut [1]_);
    separators and blurred edges are left out; what remains must stand still within runs and jump between them.

    Parameters
    ----------
    colors : (n, 3) array
        sRGB along the bar, one colour a pixel.
    lossy : bool
        Whether the picture went through JPEG.

    Returns
    -------
    (k, 2) int array or None
        First and one-past-last pixel of every box, 2 to 64 of them. Neighbours of one colour are one run unless a
        separator parts them.

    References
    ----------
    .. [1] Jackson, B. et al. (2005). An algorithm for optimal partitioning of data on an interval. IEEE Signal
           Processing Letters 12, 105-108. https://doi.org/10.1109/LSP.2001.838216
    """
    points = np.asarray(colors, dtype=np.float64)
    if lossy:
        points = points @ YCBCR.T
    pieces = _joined(points, _pieces(points, 1.8 if lossy else 0.5), _SAME_LOSSY if lossy else _SAME)
    pieces = pieces[_lengths(pieces) >= 2]
    if len(pieces) < 2:
        return None
    pieces = _unruled(points, pieces)
    runs = _long_enough(pieces, lossy)
    if lossy and len(runs) > 2:
        jump = float(np.median(np.abs(np.diff(_middles(points, runs), axis=0)).max(axis=1)))
        runs = _long_enough(_joined(points, pieces, max(_SAME_LOSSY, min(0.3 * jump, 20.0))), lossy)
    return runs if _are_boxes(points, runs, lossy) else None


def _pieces(points: NDArray[np.float64], noise: float) -> NDArray[np.intp]:
    """Optimal piecewise constant partition of a sequence, pieces of at most 400 px."""
    n = len(points)
    penalty = 9 * np.log(n) * noise**2
    sums = np.concatenate([np.zeros((1, 3)), np.cumsum(points, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum((points**2).sum(axis=1))])
    cost = np.full(n + 1, -penalty)
    before = np.zeros(n + 1, np.intp)
    for stop in range(1, n + 1):
        start = np.arange(max(stop - 400, 0), stop)
        misfit = squares[stop] - squares[start] - ((sums[stop] - sums[start]) ** 2).sum(axis=1) / (stop - start)
        total = cost[start] + misfit + penalty
        best = int(total.argmin())
        cost[stop], before[stop] = total[best], start[best]
    cuts = [n]
    while cuts[-1] > 0:
        cuts.append(int(before[cuts[-1]]))
    return np.array(list(itertools.pairwise(reversed(cuts))), dtype=np.intp)


def _joined(points: NDArray[np.float64], runs: NDArray[np.intp], same: float) -> NDArray[np.intp]:
    """Neighbouring runs of nearly one colour as one, the most alike first."""
    pieces = [(int(a), int(b)) for a, b in runs]
    middles = list(_middles(points, runs))
    while len(pieces) > 1:
        steps = np.abs(np.diff(middles, axis=0)).max(axis=1)
        steps[[right[0] - left[1] > 1 for left, right in itertools.pairwise(pieces)]] = np.inf
        at = int(steps.argmin())
        if steps[at] > same:
            break
        pieces[at : at + 2] = [(pieces[at][0], pieces[at + 1][1])]
        middles[at : at + 2] = [np.median(points[slice(*pieces[at])], axis=0)]
    return np.array(pieces, dtype=np.intp).reshape(-1, 2)


def _unruled(points: NDArray[np.float64], runs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Without separators: short runs of one and the same colour between longer ones."""
    if len(runs) < 5:
        return runs
    length, middles = _lengths(runs), _middles(points, runs)
    inner = np.arange(1, len(runs) - 1)
    short = inner[(length[inner] <= 6) & (length[inner] < np.minimum(length[inner - 1], length[inner + 1]))]
    if len(short) < 2:
        return runs
    same = short[np.abs(middles[short] - np.median(middles[short], axis=0)).max(axis=1) < _SAME_INK]
    return np.delete(runs, same, axis=0) if len(same) >= max(2, 0.3 * (len(runs) - len(same) - 1)) else runs


def _long_enough(runs: NDArray[np.intp], lossy: bool) -> NDArray[np.intp]:
    """Runs that are long for an edge, measured by the run in which the middle pixel of the bar's length lies."""
    length = _lengths(runs)
    ordered = np.sort(length)[::-1]
    typical = ordered[np.searchsorted(np.cumsum(ordered), length.sum() / 2)]
    return runs[length >= max(min(_RUN_SHARE * typical, 7 if lossy else 5), 2)]


def _are_boxes(points: NDArray[np.float64], runs: NDArray[np.intp], lossy: bool) -> bool:
    """Whether runs stand still, jump to their neighbours, and leave nothing but edges between them."""
    if not 2 <= len(runs) <= _MOST_CLASSES:
        return False
    drift = []
    for a, b in runs:
        inset = min(2 if lossy else 1, max((b - a - 3) // 2, 0))
        run = points[a + inset : b - inset]
        at = np.arange(len(run)) - (len(run) - 1) / 2
        slope = (at[:, None] * run).sum(axis=0) / max((at**2).sum(), 1e-9)
        drift.append(float(np.abs(slope).max() * (b - a)))
    jumps = np.abs(np.diff(_middles(points, runs), axis=0)).max(axis=1)
    real = jumps[jumps > 3]
    gap = int((runs[1:, 0] - runs[:-1, 1]).max())
    covered = _lengths(runs).sum() / len(points)
    if not len(real) or gap > (11 if lossy else 6) or covered < 0.55:
        return False
    limit = 0.38 if lossy else 0.1
    return bool(np.sum(drift) < limit * jumps.sum() and np.median(drift) < limit * np.median(real))


def _lengths(runs: NDArray[np.intp]) -> NDArray[np.intp]:
    return runs[:, 1] - runs[:, 0]


def _middles(points: NDArray[np.float64], runs: NDArray[np.intp]) -> NDArray[np.float64]:
    """(k, 3) median colour of each run."""
    return np.array([np.median(points[a:b], axis=0) for a, b in runs]).reshape(-1, 3)
