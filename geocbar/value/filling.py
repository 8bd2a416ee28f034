"""Fill narrow gaps that lines and letters leave in the data, and say how far the filling may be off."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.errors import InvalidInputError
from geocbar.value.masks import grown

__all__ = ["FilledGaps", "fill_classes", "fill_gaps"]

_WORKERS = 2

#: Pixels of a strip solved at once, and the rows it sees of its neighbours: what happens in a narrow gap farther
#: away does not matter.
_STRIP_PIXELS = 1_500_000
_MARGIN = 24

#: Relative residual at which the solution counts as found: far below any noise.
_TOLERANCE = 3e-4
_MOST_STEPS = 200

#: How strongly pixels beside a gap, which its line may still colour, hold their own value against their neighbours:
#: JPEG smears lines farther than antialiasing does.
_HOLD_LOSSY, _HOLD = 0.5, 4.0

#: True gaps also lie where data looked odd, and are filled a little worse than gaps moved at random.
_WIDENING = 1.15

#: How far filling follows what disturbs the pixels beside gaps.
_DISTURBANCE = 1.5

#: The errors of filling are tried out on this many pixels of the picture at most, gaps moved by each of these shifts.
_TRIAL_PIXELS = 400_000
_SHIFTS = ((23, 17), (-31, 11), (13, -29))
_DISTANCES = (1.01, 1.5, 2.01, 2.5, 3.01)
_CONTRAST_BINS = 5
_FEWEST = 30


@dataclass(frozen=True, eq=False)
class FilledGaps:
    """Values with narrow gaps filled.

    Parameters
    ----------
    unit : (h, w) float32 array
        The values given, NaN where there is still none, and those filled in.
    filled : (h, w) bool array
        Which pixels were filled.
    sigma : (h, w) float32 array
        One standard deviation of the filled values, as a share of the scale's length; NaN elsewhere. For classes the
        probability that the class is another one.
    """

    unit: NDArray[np.float32]
    filled: NDArray[np.bool_]
    sigma: NDArray[np.float32]


def fill_gaps(
    unit: NDArray[np.float32],
    valid: NDArray[np.bool_],
    fillable: NDArray[np.bool_],
    max_px: float,
    *,
    lossy: bool = False,
    noise: float = 0.0,
) -> FilledGaps:
    """Fill narrow gaps by the smoothest surface through the values around them (Laplace's equation).

    How far the filling is off is measured in this very picture: the same gaps are moved to places where all is known,
    filled, and compared. The error there, by distance from known pixels and by how much these differ, is the sigma,
    together with how much more the pixels beside the true gaps disagree with the surface than beside the moved ones.

    Parameters
    ----------
    unit : (h, w) float32 array
        Values in the scale's even coordinate, 0 to 1.
    valid : (h, w) bool array
        Which of them are data.
    fillable : (h, w) bool array
        Pixels that may be filled: lines and letters, never background. No value is drawn across the others.
    max_px : float
        Widest gap to be filled, in pixels; the wide parts of a gap that is narrow elsewhere are left.
    lossy : bool
        Whether the picture went through JPEG.
    noise : float
        One standard deviation, as a share of the scale, that the values around bring with them.

    Returns
    -------
    FilledGaps

    Raises
    ------
    InvalidInputError
        If `max_px` is below 1.
    """
    gaps = _narrow_gaps(valid, fillable, max_px)
    out = np.where(valid, unit, np.float32(np.nan))
    sigma = np.full(unit.shape, np.nan, np.float32)
    hold = _HOLD_LOSSY if lossy else _HOLD
    _fill_strips(out, valid, gaps, hold)
    filled = gaps & np.isfinite(out)
    if filled.any():
        table = _try_out(unit, valid, gaps, max_px, hold)
        for rows, seen in _strips(unit.shape):
            inside = slice(rows.start - seen.start, rows.stop - seen.start)
            at = np.zeros((seen.stop - seen.start, unit.shape[1]), bool)
            at[inside] = filled[rows]
            if at.any():
                distance, contrast = _difficulty(unit[seen], valid[seen], at, max_px)
                sigma[seen][at] = np.hypot(table.lookup(distance, contrast), np.float32(noise))
    return FilledGaps(out, filled, sigma)


def fill_classes(
    unit: NDArray[np.float32],
    valid: NDArray[np.bool_],
    fillable: NDArray[np.bool_],
    max_px: float,
    classes: int,
) -> FilledGaps:
    """Fill narrow gaps with the class that is most frequent around, the nearer pixels counting more.

    Parameters
    ----------
    unit, valid, fillable, max_px
        See :func:`fill_gaps`; values are class middles, (number + 0.5) / `classes`.
    classes : int
        Number of classes.

    Returns
    -------
    FilledGaps
        Its sigma is the share of the votes that went to other classes.

    Raises
    ------
    InvalidInputError
        If `max_px` is below 1.
    """
    gaps = _narrow_gaps(valid, fillable, max_px)
    out = np.where(valid, unit, np.float32(np.nan))
    doubt = np.full(unit.shape, np.nan, np.float32)
    radius = int(np.ceil((max_px + 1) / 2)) + 1
    steps = np.arange(-radius, radius + 1)
    away = np.hypot(steps[:, None], steps).ravel()
    weights = np.where((away > 0) & (away <= radius + 0.5), 1 / np.maximum(away, 1) ** 2, 0)
    offsets = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
    number = np.full((unit.shape[0] + 2 * radius, unit.shape[1] + 2 * radius), -1, np.int16)
    middle = number[radius:-radius, radius:-radius]
    middle[valid] = np.clip(np.floor(unit[valid] * classes), 0, classes - 1)
    all_rows, all_cols = np.nonzero(gaps)
    for start in range(0, len(all_rows), 1 << 16):
        rows, cols = all_rows[start : start + (1 << 16)], all_cols[start : start + (1 << 16)]
        votes = np.zeros((len(rows), classes + 1), np.float32)
        line = np.arange(len(rows))
        for (dy, dx), weight in zip(offsets, weights, strict=True):
            if weight:
                votes[line, number[rows + radius + dy, cols + radius + dx]] += weight
        votes = votes[:, :classes]
        total = votes.sum(axis=1)
        known = total > 0
        rows, cols, votes, total = rows[known], cols[known], votes[known], total[known]
        out[rows, cols] = (votes.argmax(axis=1) + 0.5) / classes
        doubt[rows, cols] = 1 - votes.max(axis=1) / total
    return FilledGaps(out, gaps & np.isfinite(out), doubt)


def _narrow_gaps(valid: NDArray[np.bool_], fillable: NDArray[np.bool_], max_px: float) -> NDArray[np.bool_]:
    """Fillable pixels whose gap is nowhere around them wider than `max_px`, and that have data within half of it."""
    if not max_px >= 1:
        raise InvalidInputError(f"Gaps of {max_px:g} px cannot be filled.", "Give a width of at least 1: --fill PX")
    gaps = fillable & ~valid
    size = int(max_px) + 1
    eroded = ndimage.minimum_filter(gaps.view(np.uint8), size, mode="constant", cval=0)
    # An even window is not symmetric: growing back takes its mirror image.
    origin = -1 if size % 2 == 0 else 0
    wide = ndimage.maximum_filter(eroded, size, mode="constant", cval=0, origin=origin).view(np.bool_)
    reach = 2 * ((int(max_px) + 1) // 2) + 1
    near = ndimage.maximum_filter(valid.view(np.uint8), reach, mode="constant", cval=0).view(np.bool_)
    narrow: NDArray[np.bool_] = gaps & ~wide & near
    return narrow


def _strips(shape: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Rows of every strip, and those with the margin it sees."""
    height, width = shape
    rows = max(_STRIP_PIXELS // max(width, 1), 64)
    return [
        (slice(top, min(top + rows, height)), slice(max(top - _MARGIN, 0), min(top + rows + _MARGIN, height)))
        for top in range(0, height, rows)
    ]


def _fill_strips(out: NDArray[np.float32], valid: NDArray[np.bool_], gaps: NDArray[np.bool_], hold: float) -> None:
    """Write the filled values of all gaps into `out`."""

    def work(strip: tuple[slice, slice]) -> tuple[slice, NDArray[np.bool_], NDArray[np.float32]]:
        rows, seen = strip
        smooth = _solve(out[seen], valid[seen], gaps[seen], hold)
        inside = slice(rows.start - seen.start, rows.stop - seen.start)
        return rows, gaps[rows], smooth[inside]

    with ThreadPoolExecutor(_WORKERS) as pool:
        for rows, at, smooth in pool.map(work, _strips((out.shape[0], out.shape[1]))):
            out[rows][at] = smooth[at]


def _solve(
    unit: NDArray[np.float32], valid: NDArray[np.bool_], gaps: NDArray[np.bool_], hold: float
) -> NDArray[np.float32]:
    """Solution of Laplace's equation in the gaps and a ring around them; NaN elsewhere and where nothing is known.

    Known pixels keep their value, those of the ring lean on it, and nothing flows over the border to pixels that are
    neither known nor filled.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import cg

    out = np.full(unit.shape, np.nan, np.float32)
    if not gaps.any():
        return out
    free = gaps | (valid & grown(gaps, 1))
    known = valid & ~free
    free = _anchored(free, known)
    rows, cols = np.nonzero(free)
    number = np.full((free.shape[0] + 2, free.shape[1] + 2), -1, np.int32)
    number[rows + 1, cols + 1] = np.arange(len(rows), dtype=np.int32)
    fixed = np.pad(np.where(known, unit, 0), 1)
    counts = np.pad(known, 1)
    # Solved for the difference from the mean, so that the tolerance refers to what varies.
    middle = float(unit[known].mean()) if known.any() else 0.0
    held = np.where(valid[rows, cols], hold, 0.0)
    diagonal = held.copy()
    right = held * (np.where(held > 0, unit[rows, cols], middle) - middle)
    at, of = [], []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        beside = (rows + 1 + dy, cols + 1 + dx)
        neighbour = number[beside]
        linked = np.flatnonzero(neighbour >= 0)
        at.append(linked.astype(np.int32))
        of.append(neighbour[linked])
        diagonal += (neighbour >= 0) | counts[beside]
        right += fixed[beside] - middle * counts[beside]
    at_all, of_all = np.concatenate(at), np.concatenate(of)
    # Scaled to a unit diagonal from both sides, which conjugate gradients like best.
    weight = 1 / np.sqrt(diagonal)
    links = csr_matrix((-weight[at_all] * weight[of_all], (at_all, of_all)), shape=(len(rows), len(rows)))
    links.setdiag(1.0)
    solution, _ = cg(links, weight * right, rtol=_TOLERANCE, maxiter=_MOST_STEPS)
    out[rows, cols] = solution * weight + middle
    return out


def _anchored(free: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those connected parts that touch a known pixel."""
    labels, n = ndimage.label(free)
    touches = np.zeros(n + 1, bool)
    for axis in (0, 1):
        for step in (1, -1):
            moved = np.roll(known, step, axis)
            edge = [slice(None), slice(None)]
            edge[axis] = slice(0, 1) if step == 1 else slice(-1, None)
            moved[tuple(edge)] = False
            touches[labels[moved]] = True
    touches[0] = False
    anchored: NDArray[np.bool_] = touches[labels]
    return anchored


def _difficulty(
    unit: NDArray[np.float32], valid: NDArray[np.bool_], at: NDArray[np.bool_], max_px: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distance of pixels from the nearest known one, and by how much the known ones around them differ."""
    size = 2 * (int(max_px) // 2 + 2) + 1
    high = ndimage.maximum_filter(np.where(valid, unit, np.float32(-1)), size)
    low = ndimage.minimum_filter(np.where(valid, unit, np.float32(2)), size)
    contrast = np.where(high >= low, high - low, np.float32(1))
    distance = ndimage.distance_transform_edt(~valid)
    return distance[at].astype(np.float32), contrast[at]


@dataclass(frozen=True, eq=False)
class _Errors:
    """One standard deviation by distance (rows) and contrast (columns), in proportion to it within a column."""

    sigma: NDArray[np.float32]
    contrasts: NDArray[np.float32]
    typical: NDArray[np.float32]
    least: float = 0.0

    def lookup(self, distance: NDArray[np.float32], contrast: NDArray[np.float32]) -> NDArray[np.float32]:
        column = np.searchsorted(self.contrasts, contrast)
        found = self.sigma[np.searchsorted(_DISTANCES, distance), column]
        found *= np.clip(contrast / self.typical[column], 0.5, 3.0)
        return np.hypot(found, np.float32(self.least))


def _try_out(
    unit: NDArray[np.float32], valid: NDArray[np.bool_], gaps: NDArray[np.bool_], max_px: float, hold: float
) -> _Errors:
    """Fill the same gaps where all is known, and bin the errors."""
    rows = min(max(_TRIAL_PIXELS // max(unit.shape[1], 1), 128), unit.shape[0])
    # The rows with most gaps.
    along = np.concatenate([[0], np.cumsum(np.count_nonzero(gaps, axis=1))])
    top = int(np.argmax(along[rows:] - along[:-rows]))
    seen = slice(top, top + rows)
    unit, valid, gaps = unit[seen], valid[seen], gaps[seen]
    found, calm = [], []
    disturbed = _disagreement(_solve(unit, valid, gaps, hold), unit, valid & grown(gaps, 1))
    for shift in _SHIFTS:
        moved = np.roll(gaps, shift, (0, 1)) & valid
        still = valid & ~moved
        smooth = _solve(unit, still, moved, hold)
        calm.append(_disagreement(smooth, unit, still & grown(moved, 1) & ~grown(gaps, 1)))
        moved &= np.isfinite(smooth)
        if moved.any():
            found.append((*_difficulty(unit, still, moved, max_px), np.abs(smooth - unit)[moved]))
    if not found:
        return _Errors(
            np.full((len(_DISTANCES) + 1, 1), 0.05, np.float32), np.empty(0, np.float32), np.full(1, 0.1, np.float32)
        )
    distance, contrast, error = (np.concatenate(column) for column in zip(*found, strict=True))
    excess = max(disturbed**2 - float(np.mean(calm)) ** 2, 0.0)
    return _binned(distance, contrast, error, _DISTURBANCE * float(np.sqrt(excess)))


def _disagreement(smooth: NDArray[np.float32], unit: NDArray[np.float32], at: NDArray[np.bool_]) -> float:
    """What 68 % of some pixels differ by at most from the smooth surface."""
    apart = np.abs(smooth[at] - unit[at])
    apart = apart[np.isfinite(apart)]
    return float(np.quantile(apart, 0.683)) if apart.size else 0.0


def _binned(
    distance: NDArray[np.float32], contrast: NDArray[np.float32], error: NDArray[np.float32], least: float
) -> _Errors:
    """Sigma that holds 68 % and 95 % of the errors of a bin; bins with few take those of the next shorter distance,
    widened in proportion.
    """
    contrasts = np.quantile(contrast, np.arange(1, _CONTRAST_BINS) / _CONTRAST_BINS).astype(np.float32)
    rows, cols = np.searchsorted(_DISTANCES, distance), np.searchsorted(contrasts, contrast)
    sigma = np.full((len(_DISTANCES) + 1, _CONTRAST_BINS), np.nan, np.float32)
    for i in range(sigma.shape[0]):
        for j in range(sigma.shape[1]):
            here = error[(rows == i) & (cols == j)]
            if len(here) >= _FEWEST:
                sigma[i, j] = _WIDENING * max(np.quantile(here, 0.683), np.quantile(here, 0.954) / 2)
    overall = _WIDENING * float(max(np.quantile(error, 0.683), np.quantile(error, 0.954) / 2))
    reach = np.append(_DISTANCES, _DISTANCES[-1] + 0.5)
    for i in range(sigma.shape[0]):
        for j in range(sigma.shape[1]):
            if np.isnan(sigma[i, j]):
                sigma[i, j] = sigma[i - 1, j] * reach[i] / reach[i - 1] if i else overall
    typical = [np.median(contrast[cols == j]) if (cols == j).any() else 1.0 for j in range(_CONTRAST_BINS)]
    return _Errors(sigma, contrasts, np.maximum(np.array(typical, np.float32), np.float32(1e-6)), least)
