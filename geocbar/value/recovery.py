"""The colours of a scale recovered from the map alone: no bar, no name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from scipy.spatial import cKDTree

from geocbar.errors import InvalidInputError
from geocbar.value.color import pack_colors, unpack_colors

__all__ = ["CalmColors", "RecoveredScale", "calm_colors", "recover_colors"]

#: Places looked at in a picture, whatever its size.
_SAMPLES = 400_000

#: Colours are gathered in cubes of 2**_CUBE_BITS levels a side.
_CUBE_BITS = 3

#: A single colour that covers more than this share of the picture is likely paper, land or text, not data.
_FLAT_SHARE = 0.005

#: On JPEG the colours of a flat area still differ by this variance (all three channels).
_FLAT_VARIANCE = 2.5

#: So many of the most common cubes are ordered.
_MOST_CUBES = 700

#: Fewer groups of colours cannot be ordered.
_FEWEST_CUBES = 8

#: A scale that explains less of the picture, or is empty over more than the rest, is refused.
_LEAST_KEPT = 0.6

#: Colours farther apart than this along the scale (8-bit sRGB units) leave a gap.
_LARGEST_GAP = 24.0

#: Times a path is pulled into the middle of the colours around it.
_ROUNDS = 6

_ASK = "Give the colour bar's place (--colorbar) or the colormap's name (--colormap), or the map's frame alone."

# sRGB without gamma to the responses of three cones, and their cube roots to lightness and two colour axes.
_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

#: So many tips of the graph of colours are tried as ends of the scale.
_TIPS = 12


@dataclass(frozen=True, eq=False)
class CalmColors:
    """The colours of a picture where it is calm, gathered in small cubes of colour space.

    Parameters
    ----------
    colors : (k, 3) float array
        Mean colour in each cube, 0 to 255, by descending count.
    counts : (k,) float array
        Places seen with that colour.
    is_flat : (k,) bool array
        Cubes that hold hardly more than one single colour, and more than 0.5 % of all places.
    links : (p, 2) int array
        Pairs of cubes whose colours touch in the picture.
    palette : (u, 3) uint8 array
        Every colour that occurs more than twice where it is calm, exactly; empty for JPEG.
    """

    colors: NDArray[np.float64]
    counts: NDArray[np.float64]
    is_flat: NDArray[np.bool_]
    links: NDArray[np.intp]
    palette: NDArray[np.uint8]

    @property
    def weights(self) -> NDArray[np.float64]:
        """(k,) weights for judging a scale: counts, of flat colours nearly none."""
        return np.where(self.is_flat, 0.02, 1.0) * self.counts


def calm_colors(pixels: NDArray[np.uint8], mask: NDArray[np.bool_] | None, *, lossy: bool) -> CalmColors:
    """Colours of places whose 3 x 3 surroundings hardly change: data rather than lines, letters and their edges.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    mask : (h, w) bool array or None
        Pixels that may be data; None: all.
    lossy : bool
        Whether the picture went through JPEG: then the mean of 3 x 3 pixels is taken.

    Returns
    -------
    CalmColors
        Without any cube if nothing in the picture is calm.
    """
    height, width = pixels.shape[:2]
    stride = max(int(np.ceil(np.sqrt(height * width / _SAMPLES))), 1)
    rows, cols = slice(1, height - 2, stride), slice(1, width - 2, stride)
    low = high = pixels[rows, cols]
    total = np.zeros(low.shape, np.float32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            near = pixels[1 + dy : height - 2 + dy : stride, 1 + dx : width - 2 + dx : stride]
            low, high = np.minimum(low, near), np.maximum(high, near)
            total += near
    spread = (high - low).max(axis=2, initial=0)
    allowed = np.ones(spread.shape, bool) if mask is None else mask[rows, cols]
    if not allowed.any():
        return _gather(np.empty((0, 3)), np.empty((0, 3)), lossy)
    calm = allowed & (spread <= max(float(np.quantile(spread[allowed], 0.5)), 6.0 if lossy else 12.0))
    middle = total[calm] / 9 if lossy else pixels[rows, cols][calm].astype(np.float32)
    beside = pixels[rows, 2 : width - 1 : stride][calm].astype(np.float32)
    return _gather(middle, beside, lossy)


def _gather(middle: NDArray[np.floating], beside: NDArray[np.floating], lossy: bool) -> CalmColors:
    """Means and counts of the colours in each cube, and which cubes touch."""
    key, next_key = _cube(middle), _cube(beside)
    cubes, index, counts = np.unique(key, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(index, middle[:, k], len(cubes)) for k in range(3)], axis=1)
    means = np.asarray(sums / np.maximum(counts, 1)[:, None], np.float64)
    packed = pack_colors(np.rint(middle).astype(np.uint8))
    exact, first, seen = np.unique(packed, return_index=True, return_counts=True)
    if lossy:
        squares = np.bincount(index, (middle.astype(np.float64) ** 2).sum(axis=1), len(cubes)) / np.maximum(counts, 1)
        single = squares - (means**2).sum(axis=1) < _FLAT_VARIANCE
    else:
        commonest = np.zeros(len(cubes), np.intp)
        np.maximum.at(commonest, index[first], seen)
        single = commonest > 0.8 * counts
    is_flat = single & (counts > _FLAT_SHARE * len(key))
    keep = np.flatnonzero(counts >= max(4, 2e-5 * len(key)))
    order = keep[np.argsort(-counts[keep], kind="stable")]
    number = np.full(len(cubes) + 1, -1)
    number[order] = np.arange(len(order))
    at = np.searchsorted(cubes, next_key)
    at[at == len(cubes)] = 0
    other = number[np.where(cubes[at] == next_key, at, len(cubes))] if len(cubes) else next_key
    this = number[index] if len(cubes) else key
    pairs = np.sort(np.stack([this, other], axis=1)[(this >= 0) & (other >= 0) & (this != other)], axis=1)
    links = np.unique(pairs, axis=0)
    return CalmColors(
        means[order],
        counts[order].astype(np.float64),
        is_flat[order],
        links.astype(np.intp),
        unpack_colors(exact[seen > 2]) if not lossy else np.empty((0, 3), np.uint8),
    )


def _cube(colors: NDArray[np.floating]) -> NDArray[np.int64]:
    wide = colors.astype(np.int64) >> _CUBE_BITS
    return np.asarray((wide[:, 0] << 16) | (wide[:, 1] << 8) | wide[:, 2])


@dataclass(frozen=True, eq=False)
class RecoveredScale:
    """Colours of a scale in order, without their values.

    Parameters
    ----------
    colors : (n, 3) float array
        In order, 0 to 255. Which end is the high one cannot be known from the picture.
    positions : (n,) float array
        0 to 1, by the difference of the colours along the way, half in sRGB and half in OKLab. The order is what is
        sure; the spacing is a guess that is typically 1 to 3 % of the scale off.
    kept : float
        Share of the calm colours of the picture that lie on the scale, large single-coloured areas left out.
    quality : float
        0 to 1: `kept`, less the share of the scale's length on which the picture has no colours.
    sentence : str
        What was found and how far to trust it, for a person.
    """

    colors: NDArray[np.float64]
    positions: NDArray[np.float64]
    kept: float
    quality: float
    sentence: str

    def __post_init__(self) -> None:
        self.colors.setflags(write=False)
        self.positions.setflags(write=False)


def recover_colors(pixels: NDArray[np.uint8], mask: NDArray[np.bool_] | None, *, lossy: bool) -> RecoveredScale:
    """Find the colours of a map's scale, in order, from the map alone.

    The colours of calm places are gathered in small cubes. Cubes are neighbours if their colours are near, the more so
    if they touch in the picture; the scale is the way through them that passes by most of the picture, pulled into
    the middle of the colours around it. Nothing in it is random.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    mask : (h, w) bool array or None
        Pixels that may be data: the inside of the frame. None: all.
    lossy : bool
        Whether the picture went through JPEG.

    Returns
    -------
    RecoveredScale

    Raises
    ------
    InvalidInputError
        If the picture is not calm anywhere, has too few colours, or the way found explains less than 60 % of it or
        is broken.
    """
    calm = calm_colors(pixels, mask, lossy=lossy)
    if len(calm.colors) < _FEWEST_CUBES:
        raise InvalidInputError(
            f"The picture has only {len(calm.colors)} groups of colours in its calm places: too few to order them.",
            _ASK,
        )
    path = _settle(_order(calm, lossy), calm, lossy)
    distance, nearest = cKDTree(path).query(calm.colors)
    weights = calm.weights
    near = distance < (14.0 if lossy else 8.0)
    kept = float(weights[near].sum() / weights.sum())
    empty = _empty_share(path, nearest[near], weights[near])
    if kept < _LEAST_KEPT or empty > 1 - _LEAST_KEPT or len(path) < _FEWEST_CUBES:
        raise InvalidInputError(
            f"The colours of the picture do not form one line: the best one explains {100 * kept:.0f} % of the picture"
            f" and {100 * empty:.0f} % of its length is empty.",
            _ASK,
        )
    spacing = [np.linalg.norm(np.diff(each, axis=0), axis=1) for each in (path, _oklab(path))]
    positions = sum(np.concatenate([[0], np.cumsum(step)]) / step.sum() for step in spacing) / 2
    jump = float(np.linalg.norm(np.diff(path[np.unique(nearest[near])], axis=0), axis=1).max(initial=0.0))
    doubt = f" Across a jump of {jump:.0f} levels the order may be wrong." if jump > _LARGEST_GAP else ""
    sentence = (
        f"{len(path)} colours in order, from {_hex(path[0])} to {_hex(path[-1])}, explain {100 * kept:.0f} % of the"
        f" calm picture; {100 * empty:.0f} % of their length has no colours in it. Values are in the right order, but"
        " their spacing is a guess and which end is the high one is not known." + doubt
    )
    return RecoveredScale(path, np.asarray(positions), kept, max(kept - empty, 0.0), sentence)


def _empty_share(path: NDArray[np.float64], nearest: NDArray[np.intp], weights: NDArray[np.float64]) -> float:
    """Share of the length of a path on which no colour of the picture lies, for more than two cubes in a row."""
    step = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(step)])
    used = np.unique(nearest[weights > 0])
    gaps = np.diff(np.concatenate([[0.0], along[used], along[-1:]]))
    return float(gaps[gaps > _LARGEST_GAP].sum() / along[-1])


def _hex(color: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(float(c)):02x}" for c in color)


def _order(calm: CalmColors, lossy: bool) -> NDArray[np.float64]:
    """Colours along the way through the graph of neighbouring cubes that passes by most of the picture.

    The ways between all pairs of tips of the graph are compared: branches lead to colours of overlays, which are rare,
    and jumps over empty colour space cost as much as the share of the way they take.
    """
    colors, weights = calm.colors[:_MOST_CUBES], calm.weights[:_MOST_CUBES]
    graph = _neighbours(calm, colors)
    tips = [int(np.argmax(dijkstra(graph, indices=0)))]
    away, before = dijkstra(graph, indices=tips, return_predecessors=True)
    while len(tips) < min(_TIPS, len(colors)):
        reach = away.min(axis=0) * weights**0.1
        tips.append(int(reach.argmax()))
        more, previous = dijkstra(graph, indices=tips[-1:], return_predecessors=True)
        away, before = np.vstack([away, more]), np.vstack([before, previous])
    best, chosen = -np.inf, [0]
    for first in range(len(tips)):
        for last in range(first):
            chain = [tips[last]]
            while chain[-1] != tips[first]:
                chain.append(int(before[first, chain[-1]]))
            worth = _worth(colors[chain], colors, weights, 14.0 if lossy else 9.0)
            if worth > best:
                best, chosen = worth, chain
    return np.asarray(colors[chosen])


def _worth(path: NDArray[np.float64], colors: NDArray[np.float64], weights: NDArray[np.float64], reach: float) -> float:
    """Share of the picture near a path, less the share of its length that is empty."""
    if len(path) < 3:
        return -1.0
    distance, nearest = cKDTree(path).query(colors)
    near = distance < reach
    mass = np.bincount(nearest[near], weights[near], len(path)) / weights.sum()
    step = np.linalg.norm(np.diff(path, axis=0), axis=1)
    thin = np.minimum(mass[1:], mass[:-1]) < 0.02 / len(path)
    empty = np.where((step > 24) | thin, step, 0).sum() / step.sum()
    return float(mass.sum() - 0.3 * empty + 1e-4 * step.sum())


def _neighbours(calm: CalmColors, colors: NDArray[np.float64]) -> csr_matrix:
    """Graph of near colours, long steps dear; steps between colours that never touch in the picture four times so."""
    count = len(colors)
    square = ((colors[:, None] - colors) ** 2).sum(axis=2)
    touching = np.zeros((count, count), bool)
    links = calm.links[(calm.links < count).all(axis=1)]
    touching[links[:, 0], links[:, 1]] = touching[links[:, 1], links[:, 0]] = True
    length = np.where(touching, square, 4 * square) + 1e-3
    nearest = np.argsort(square, axis=1)[:, 1:11]
    rows = np.repeat(np.arange(count), nearest.shape[1])
    graph = csr_matrix((length[rows, nearest.ravel()], (rows, nearest.ravel())), shape=length.shape)
    np.fill_diagonal(length, 0)
    graph = graph.maximum(minimum_spanning_tree(csr_matrix(length)))
    return graph.maximum(graph.T)


def _settle(path: NDArray[np.float64], calm: CalmColors, lossy: bool) -> NDArray[np.float64]:
    """Pull a path into the middle of the colours around it: local straight lines, a few times over."""
    root = np.sqrt(calm.weights)
    for _ in range(_ROUNDS):
        places, distance = _places_on(path, calm.colors)
        near = distance < (20.0 if lossy else 10.0)
        count = max(int(_length(path) / 4), 8)
        offset = (places[near] * (count - 1)) - np.arange(count)[:, None]
        kernel = root[near] * np.exp(-0.5 * (offset / (1.5 if lossy else 1.0)) ** 2)
        total, first, second = kernel.sum(axis=1), (kernel * offset).sum(axis=1), (kernel * offset**2).sum(axis=1)
        level, tilt = kernel @ calm.colors[near], (kernel * offset) @ calm.colors[near]
        known = total > 1e-3 * np.median(total)
        spread = total * second - first**2
        line = (second[:, None] * level - first[:, None] * tilt) / np.maximum(spread, 1e-12)[:, None]
        mean = level / np.maximum(total, 1e-12)[:, None]
        moved = np.where((spread > 0.05 * total**2)[:, None], line, mean)[known]
        path = np.clip(moved, 0, 255)
        path = path[np.concatenate([[True], np.linalg.norm(np.diff(path, axis=0), axis=1) > 1e-3])]
    return path


def _places_on(
    path: NDArray[np.float64], colors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place of the nearest point of a path, 0 to 1 by length, and the distance to it."""
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0, along[-1], max(int(along[-1]), 64))
    fine = np.stack([np.interp(at, along, path[:, band]) for band in range(3)], axis=1)
    distance, nearest = cKDTree(fine).query(colors)
    return nearest / (len(at) - 1), distance


def _length(path: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def _oklab(colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKLab of sRGB colours (B. Ottosson, https://bottosson.github.io/posts/oklab/)."""
    share = colors / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _CONES.T) @ _OKLAB.T)
