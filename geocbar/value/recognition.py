"""Named colormaps recognised: from the colours of a bar, or from a picture alone."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from geocbar.value.color import pack_colors
from geocbar.value.recovery import CalmColors, calm_colors

__all__ = ["BarMatch", "Recognition", "match_bar", "recognize_colormap"]

_BINS = 256

#: Colormaps with fewer different colours are lists of classes.
_FEWEST_COLORS = 40

#: Two names whose values differ by less than this (root mean square, share of the scale) are one answer.
_SAME_VALUES = 0.002

#: Coarse comparison of a bar with every colormap: points along both, and how many colormaps are looked at closely.
_COARSE, _CLOSE = 48, 16

#: Parts of a colormap that are looked for in a picture one by one.
_PARTS = 40

#: Share of the calm colours that a named colormap must explain.
_LEAST_EXPLAINED = 0.6

#: Share of a colormap that must occur in the picture: fewer colours are found in many colormaps.
_LEAST_FILLED = 0.3

#: Two colormaps in which the colours of a picture lie this near mean the same (share of the scale).
_SAME_PLACES = 0.006


@dataclass(frozen=True, eq=False)
class _Catalogue:
    """Every different continuous colormap: (m,) names, and (m, 256, 3) colours, 0 to 255, not rounded."""

    names: tuple[str, ...]
    tables: NDArray[np.float64]


@functools.lru_cache(maxsize=1)
def _catalogue() -> _Catalogue:
    """Continuous colormaps of the catalogue, of several names for the same colours the best known one."""
    from cmap import Colormap

    catalog = Colormap.catalog()
    short = {catalog.resolve(key).lower(): key for key in sorted(catalog.short_keys())}
    qualified = {catalog.resolve(key).lower(): key for key in catalog.unique_keys()}
    names: list[str] = []
    tables = np.empty((len(qualified), _BINS, 3))
    for name in sorted(qualified, key=_fame):
        colormap = Colormap(name)
        if colormap.interpolation == "nearest":
            continue
        table = 255.0 * np.asarray(colormap(np.linspace(0, 1, _BINS)), np.float64)[:, :3]
        if len(np.unique(np.rint(table), axis=0)) < _FEWEST_COLORS:
            continue
        known = tables[: len(names)]
        if not (_has_twin(known, table) or _has_twin(known, table[::-1])):
            tables[len(names)] = table
            names.append(short.get(name, qualified[name]))
    stack = tables[: len(names)].copy()
    stack.setflags(write=False)
    return _Catalogue(tuple(names), stack)


def _has_twin(known: NDArray[np.float64], table: NDArray[np.float64]) -> bool:
    """Whether a table is known already, within one level."""
    near = np.flatnonzero(np.abs(known[:, ::51] - table[::51]).max(axis=(1, 2), initial=0) <= 1.0)
    return bool(np.any(np.abs(known[near] - table).max(axis=(1, 2), initial=0) <= 1.0)) if len(near) else False


def _fame(name: str) -> tuple[int, int, str]:
    """Sorting key: what plotters draw by default before what has to be installed."""
    collections = ("bids", "matlab", "matplotlib", "colorbrewer", "google", "cividis", "gnuplot", "yorick", "crameri")
    collection, _, short = name.rpartition(":")
    rank = collections.index(collection) if collection in collections else len(collections)
    return rank, len(short), name


@dataclass(frozen=True, eq=False)
class BarMatch:
    """The named colormap whose whole length a bar shows.

    Parameters
    ----------
    name : str
        In the catalogue, for :func:`geocbar.value.colormaps.named_colors`; without ``_r``.
    reversed : bool
        Whether the colormap runs from the bar's last colour to its first.
    deviation : float
        Root mean square difference between the bar's colours and the colormap's, 8-bit sRGB units.
    first, step : float
        Place in the colormap (0 for its first colour, 255 for its last, in the direction of the bar) of the bar's
        first colour, and how far the next one lies. They are fitted, so that a box a few pixels too long or too short
        does not matter.
    """

    name: str
    reversed: bool
    deviation: float
    first: float
    step: float

    @property
    def exact_colors(self) -> NDArray[np.float64]:
        """(256, 3) colours, 0 to 255, in the direction of the bar, not rounded."""
        catalogue = _catalogue()
        table = catalogue.tables[catalogue.names.index(self.name)]
        return np.asarray(table[::-1] if self.reversed else table, np.float64)

    @property
    def nodes_at(self) -> NDArray[np.float64]:
        """(256,) places of the colours along the bar: 0 for the middle of the first colour given, 1 for the second."""
        return np.asarray((np.arange(_BINS) - self.first) / self.step, np.float64)

    @property
    def ends_at(self) -> tuple[float, float]:
        """Where the bar ends by its colours, in the unit of :attr:`nodes_at`.

        Half a step beyond the outer colours: bin `i` of 256 reaches from ``i / 256`` to ``(i + 1) / 256`` of the bar.
        Where the colours run smoothly the ends are the outer colours themselves, 0.2 % of the bar further in.
        """
        return (-0.5 - self.first) / self.step, (_BINS - 0.5 - self.first) / self.step

    def table(self, sample: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The colormap's 256 colours as the map was drawn with them.

        Matplotlib 3.11 cuts ``255 * colour`` off to a whole number in ``imshow`` (``Colormap.__call__`` with
        ``bytes=True``) and rounds it in ``pcolormesh``, ``contourf``, ``scatter`` and the colour bar (its Agg canvas
        does). Which of the two occurs more often in the picture is taken; for a picture that shows neither (JPEG,
        smooth colours) the colours are not rounded at all.

        Parameters
        ----------
        sample : (k, 3) uint8 array
            Colours of pixels of the map.

        Returns
        -------
        (256, 3) float array
            In the direction of the bar.
        """
        cut, rounded = self.tables
        share = self._exact_share(sample)
        if max(share) < 0.5:
            return self.exact_colors
        return cut if share[0] >= share[1] else rounded

    @property
    def tables(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The colours cut off to whole numbers (``imshow``), and rounded (``pcolormesh``, colour bars)."""
        exact = self.exact_colors
        return np.asarray(np.floor(exact + 1e-9)), np.asarray(np.floor(exact + 0.5))

    def is_stepped(self, sample: NDArray[np.uint8]) -> bool:
        """Whether the map was drawn in 256 steps of colour, as matplotlib does, rather than smoothly, as GMT does.

        Only pixels near the colormap count. After JPEG steps cannot be seen: the answer is False.

        Parameters
        ----------
        sample : (k, 3) uint8 array
            Colours of pixels of the map.
        """
        return max(self._exact_share(sample)) >= 0.5

    def _exact_share(self, sample: NDArray[np.uint8]) -> tuple[float, float]:
        """Shares of the pixels near the colormap that have exactly a colour of either table."""
        fine = _refine(self.exact_colors, 4)
        # A colour that lies on both tables, or half-way between two steps of one level, tells nothing.
        near = cKDTree(fine).query(sample.astype(np.float64), distance_upper_bound=2.5)[0] < 2.5
        packed = pack_colors(sample[near])
        if not len(packed):
            return 0.0, 0.0
        cut, rounded = (np.isin(packed, pack_colors(table.astype(np.uint8))).mean() for table in self.tables)
        return float(cut), float(rounded)


def _refine(table: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """A polyline with `factor` points for every segment."""
    at = np.linspace(0, len(table) - 1, factor * (len(table) - 1) + 1)
    return _colors_at(table, at)


def _colors_at(table: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    index = np.arange(len(table))
    return np.stack([np.interp(at, index, table[:, band]) for band in range(3)], axis=-1)


def match_bar(colors: ArrayLike, *, lossy: bool, noise: float = 0.0) -> BarMatch | None:
    """Find the named colormap whose whole length a bar shows.

    Parameters
    ----------
    colors : (n, 3) array
        The bar's colours, evenly spaced, 0 to 255; the ends may lie up to 3 px or 1.5 % outside or inside.
    lossy : bool
        Whether the picture went through JPEG.
    noise : float
        Standard deviation of the pixels across the bar, 8-bit sRGB units.

    Returns
    -------
    BarMatch or None
        None if no colormap fits within the noise along the whole bar, or two that would give other values do.
    """
    bar = np.asarray(colors, np.float64)
    if len(bar) < _BINS // 8:
        return None
    catalogue = _catalogue()
    # JPEG mixes the ends of a bar with its frame.
    inset = int(np.ceil(max(4, 0.02 * len(bar)))) if lossy else 0
    fits = []
    for index, backwards in _similar(bar, catalogue.tables):
        table = catalogue.tables[index][:: -1 if backwards else 1]
        first, step = _fit_ends(bar, table, inset)
        rms, worst = _misfit(bar, table, first, step, inset, lossy)
        fits.append((rms, worst, BarMatch(catalogue.names[index], backwards, rms, first, step)))
    least = min(fit[0] for fit in fits)
    limits = (2.5 + 0.5 * noise, 6.0 + noise) if lossy else (1.0, 2.0)
    alike = [fit for fit in fits if fit[0] <= 1.3 * least + 0.1]
    if least > limits[0] or min(fit[1] for fit in alike) > limits[1]:
        return None
    # Of several that fit alike, the best known one, which is the first in the catalogue.
    best = min(alike, key=lambda fit: catalogue.names.index(fit[2].name))[2]
    return None if any(_other_values(best, fit[2], len(bar)) for fit in alike) else best


def _other_values(one: BarMatch, other: BarMatch, length: int) -> bool:
    """Whether colours of one colormap would be read as other values with the other, but for single colours."""
    at = one.nodes_at
    inside = (at >= 0) & (at <= length - 1)
    nearest = cKDTree(_refine(other.exact_colors, 8)).query(one.exact_colors[inside])[1] / 8
    off = np.sort(np.abs((nearest - other.first) / other.step - at[inside]) / length)
    return bool(np.sqrt(np.mean(off[: int(0.97 * len(off))] ** 2)) > _SAME_VALUES)


def _similar(bar: NDArray[np.float64], tables: NDArray[np.float64]) -> list[tuple[int, bool]]:
    """Colormaps worth a close look, with the direction; the most similar first."""
    at = (np.arange(_COARSE) + 0.5) / _COARSE
    width = max(len(bar) / _COARSE / 2, 0.5)
    smooth = ndimage.gaussian_filter1d(bar, width, axis=0, mode="nearest")
    coarse = _colors_at(smooth, at * len(bar) - 0.5)
    picked = tables[:, np.rint(at * (_BINS - 1)).astype(int)]
    away = np.stack([((picked[:, ::direction] - coarse) ** 2).mean(axis=(1, 2)) for direction in (1, -1)])
    order = np.argsort(away, axis=None)[:_CLOSE]
    return [(int(k % len(tables)), bool(k >= len(tables))) for k in order]


def _fit_ends(bar: NDArray[np.float64], table: NDArray[np.float64], inset: int) -> tuple[float, float]:
    """First place and step in the colormap for which it fits the bar best, outliers weighted down."""
    n = len(bar)
    index = np.arange(n)
    step = _BINS / n
    first = step / 2 - 0.5
    slack = max(3.0, 0.015 * n) * step
    smooth = ndimage.gaussian_filter1d(table, max(step, 1.0), axis=0, mode="nearest")
    tangent = np.gradient(smooth, axis=0)
    low, high = first, first + step * (n - 1)
    for _ in range(8):
        at = np.clip(low + (high - low) * index / (n - 1), 0, _BINS - 1)
        off = bar - _colors_at(table, at)
        slope = _colors_at(tangent, at)
        weight = 1 / np.maximum(np.sqrt((off**2).sum(axis=1)), 2.0)
        weight *= (at > 0) & (at < _BINS - 1) & (index >= inset) & (index < n - inset)
        share = index / (n - 1)
        square = weight * (slope**2).sum(axis=1)
        along = weight * (slope * off).sum(axis=1)
        base = np.stack([1 - share, share])
        matrix = (base * square) @ base.T + 1e-9 * np.eye(2)
        change = np.linalg.solve(matrix, base @ along)
        low = float(np.clip(low + change[0], first - slack, first + slack))
        high = float(np.clip(high + change[1], first + step * (n - 1) - slack, first + step * (n - 1) + slack))
        if np.abs(change).max() < 1e-3:
            break
    return low, (high - low) / (n - 1)


def _misfit(
    bar: NDArray[np.float64], table: NDArray[np.float64], first: float, step: float, inset: int, lossy: bool
) -> tuple[float, float]:
    """Root mean square and largest difference along a bar; the largest after smoothing over 1/20 of the bar on JPEG."""
    at = np.clip(first + step * np.arange(len(bar)), 0, _BINS - 1)
    shifts = (-0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75)
    off = np.stack([bar - _colors_at(table, np.clip(at + shift, 0, _BINS - 1)) for shift in shifts])
    off = off[:, inset : len(bar) - inset]
    if lossy:
        # JPEG blurs colours along the bar: what remains after smoothing is another colormap.
        blurred = ndimage.gaussian_filter1d(off[3], len(bar) / 60, axis=0, mode="nearest")
        return float(np.sqrt((off[3] ** 2).mean())), float(np.abs(blurred).max())
    nearest = np.abs(off).max(axis=2).min(axis=0)
    return float(np.sqrt((nearest**2).mean())), float(np.percentile(nearest, 99))


@dataclass(frozen=True)
class Recognition:
    """Which named colormap a picture was drawn with, as far as its colours tell.

    Parameters
    ----------
    name : str or None
        None if no colormap explains the picture, or several that would give other values do.
    score : float
        Of the best colormap: below 0 for none, up to 1 for one whose colours are all there and explain everything.
    runner_up : str
        The best of the colormaps that would give other values.
    runner_up_score : float
    explained : float
        Share of the calm colours of the picture that lie on the best colormap.
    """

    name: str | None
    score: float
    runner_up: str
    runner_up_score: float
    explained: float
    reversed: bool = False


@dataclass(frozen=True, eq=False)
class _Fit:
    """How well a colormap explains the calm colours of a picture."""

    index: int
    places: NDArray[np.float64]  # of every colour along the colormap, 0 to 1
    distances: NDArray[np.float64]
    explained: float  # share of the places within the tolerance
    residual: float  # mean distance, no colour counting more than 20
    bias: float  # root mean square over the colormap of the typical offset there
    filled: float  # share of the colormap that occurs, times how far without a gap
    reaches_ends: bool  # and these colours occur nowhere else in the colormap

    @property
    def score(self) -> float:
        return 0.5 * self.explained + 0.5 * self.filled - self.residual / 20

    def is_sound(self, lossy: bool) -> bool:
        """Whether the colormap alone explains the picture well enough to be named."""
        enough = self.explained >= _LEAST_EXPLAINED and self.filled >= _LEAST_FILLED
        least_score, largest_bias = (0.3, 3.0) if lossy else (0.5, 1.5)
        return enough and self.score >= least_score and self.bias <= largest_bias


def recognize_colormap(pixels: NDArray[np.uint8], mask: NDArray[np.bool_] | None, *, lossy: bool) -> Recognition:
    """Find the named colormap a map was drawn with, from the map alone.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    mask : (h, w) bool array or None
        Pixels that may be data: the inside of the frame. None: all.
    lossy : bool
        Whether the picture went through JPEG.

    Returns
    -------
    Recognition
        Without a name rather than with a wrong one.
    """
    catalogue = _catalogue()
    calm = calm_colors(pixels, mask, lossy=lossy)
    if not len(calm.colors):
        return Recognition(None, 0.0, "", 0.0, 0.0)
    fits = sorted((_judge(calm, int(index), lossy) for index in _plausible(calm)), key=lambda fit: -fit.score)
    sound = [fit for fit in fits if fit.is_sound(lossy)]
    evidence = _Evidence(calm, 9.0 if lossy else 3.0)
    best = fits[0]
    standing = [fit for fit in sound if all(evidence.excludes(fit, other) for other in fits)]
    if standing:
        best = min(standing, key=lambda fit: fit.index)
        agreed = all(evidence.same_values(best, fit) for fit in standing)
    others = [fit for fit in fits if fit is not best and not evidence.same_values(best, fit)]
    return Recognition(
        catalogue.names[best.index] if standing and agreed else None,
        best.score,
        catalogue.names[others[0].index] if others else "",
        others[0].score if others else -1.0,
        best.explained,
    )


@dataclass(frozen=True, eq=False)
class _Evidence:
    """What the calm colours of a picture say for one colormap and against another."""

    calm: CalmColors
    tolerance: float

    def excludes(self, fit: _Fit, other: _Fit) -> bool:
        """Whether the first colormap is better founded than the second, or means the same."""
        if other is fit or other.explained < 0.5 * fit.explained or self.same_values(fit, other):
            return True
        either = np.minimum(fit.distances, other.distances) < self.tolerance
        weights = self.calm.weights[either]
        mine, its = (
            float((weights * np.minimum(each.distances[either], 20)).sum() / weights.sum()) for each in (fit, other)
        )
        if its > 1.3 * mine + 0.3:
            return True
        if mine > 1.3 * its + 0.3:
            return False
        if other.bias > 1.5 * fit.bias + (0.2 if len(self.calm.palette) else 0.5):
            return True
        mine, its = self._exactness(fit), self._exactness(other)
        if max(mine, its) > 0.9 and min(mine, its) < 0.95 * max(mine, its):
            return mine > its
        # The data end where this colormap ends, and in the middle of the other.
        fuller = fit.filled > other.filled + 0.05 and fit.score > other.score + 0.05
        return fit.reaches_ends and not other.reaches_ends and fuller

    def same_values(self, fit: _Fit, other: _Fit) -> bool:
        """Whether the colours that occur have the same place in both colormaps, in either direction."""
        both = np.maximum(fit.distances, other.distances) < 2 * self.tolerance
        if not both.any():
            return False
        weights = self.calm.weights[both]
        off = [np.abs(fit.places - places)[both] for places in (other.places, 1 - other.places)]
        return min(_trimmed_rms(each, weights) for each in off) < _SAME_PLACES

    def _exactness(self, fit: _Fit) -> float:
        """Share of the picture's colours that are exactly one of the colormap's 256, times the share of these that
        occur where the data lie; 1 where nothing is known.
        """
        if not len(self.calm.palette):
            return 1.0
        table = _catalogue().tables[fit.index]
        near = cKDTree(_refine(table, 4)).query(self.calm.palette, distance_upper_bound=2.5)[0] < 2.5
        palette = pack_colors(self.calm.palette[near])
        best = 0.0
        for offset in (1e-9, 0.5):
            steps = pack_colors(np.floor(table + offset).astype(np.uint8))
            used = np.flatnonzero(np.isin(steps, palette))
            if len(used):
                filled = len(used) / (np.ptp(used) + 1)
                best = max(best, float(np.isin(palette, steps).mean()) * filled)
        return best


def _trimmed_rms(off: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Root mean square without the largest three percent."""
    order = np.argsort(off)
    total = np.cumsum(weights[order])
    inner = order[total <= 0.97 * total[-1]]
    if not len(inner):
        inner = order[:1]
    return float(np.sqrt(np.average(off[inner] ** 2, weights=weights[inner])))


def _plausible(calm: CalmColors) -> NDArray[np.intp]:
    """Colormaps worth a close look: those nearest to the most common colours."""
    tables = _catalogue().tables[:, ::5]
    weights = calm.weights[:200]
    colors, flat = calm.colors[:200].astype(np.float32), tables.reshape(-1, 3).astype(np.float32)
    square = (colors**2).sum(axis=1)[:, None] + (flat**2).sum(axis=1) - 2 * colors @ flat.T
    nearest = square.reshape(len(colors), *tables.shape[:2]).min(axis=2)
    return np.argsort(weights @ np.minimum(np.sqrt(np.maximum(nearest, 0)), 20))[:_CLOSE]


def _judge(calm: CalmColors, index: int, lossy: bool) -> _Fit:
    table = _catalogue().tables[index]
    fine = _refine(table, 2)
    distances, nearest = cKDTree(fine).query(calm.colors)
    places = nearest / (len(fine) - 1)
    weights = calm.weights
    hit = distances < (9.0 if lossy else 3.0)
    part = np.minimum((places * _PARTS).astype(int), _PARTS - 1)
    offset = _offsets(calm.colors - fine[nearest], part, np.where(distances < 16, weights, 0.0))
    occupied = np.unique(part[hit])
    run = len(occupied) / (np.ptp(occupied) + 1) if len(occupied) else 0.0
    return _Fit(
        index,
        places,
        distances,
        float(weights[hit].sum() / weights.sum()),
        float((weights * np.minimum(distances, 20)).sum() / weights.sum()),
        float(np.sqrt((offset**2).mean())) if len(offset) else 20.0,
        len(occupied) / _PARTS * run,
        bool(len(occupied) and occupied[0] <= 1 and occupied[-1] >= _PARTS - 2 and _has_own_ends(table)),
    )


def _offsets(away: NDArray[np.float64], part: NDArray[np.intp], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length of the weighted median offset of the colours in each part of a colormap that the picture shows."""
    lengths = []
    for number in np.flatnonzero(np.bincount(part, weights, _PARTS) > 2e-3 * weights.sum()):
        inside = np.flatnonzero((part == number) & (weights > 0))
        middle = np.empty(3)
        for band in range(3):
            order = inside[np.argsort(away[inside, band])]
            total = np.cumsum(weights[order])
            middle[band] = away[order[np.searchsorted(total, total[-1] / 2)], band]
        lengths.append(np.linalg.norm(middle))
    return np.array(lengths, np.float64)


def _has_own_ends(table: NDArray[np.float64]) -> bool:
    """Whether the colours of either end occur nowhere else: those of a cyclic colormap do."""
    fifth = len(table) // 5
    low = np.linalg.norm(table[fifth:] - table[0], axis=1).min()
    high = np.linalg.norm(table[:-fifth] - table[-1], axis=1).min()
    return bool(min(low, high) > 20)
