"""The pictures of the report: the figure, the data redrawn, the difference, reasons, uncertainty, points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.digitized_map import DigitizedMap
from geocbar.files.encoded_pictures import encode_indexed, encode_picture
from geocbar.grid.levels import unit_coordinate
from geocbar.grid.mesh import build_mesh, mesh_errors
from geocbar.value.reasons import REASON_COLORS, Reason

__all__ = ["NO_VALUE", "Layers", "ramp_color", "render_layers", "sample_of_frame"]

#: Pictures in the report are at most so many pixels long.
LONGEST_SIDE = 1600

#: Where a map has no value.
NO_VALUE = (222, 222, 222)

#: Bytes for each picture before base64: together 1.96 MB, which are 2.6 MB in the page.
_PHOTO_BYTES, _LEVEL_BYTES, _POINT_BYTES = 520_000, 200_000, 120_000

_DIFFERENCE_RAMP = ((252, 251, 247), (253, 190, 100), (222, 90, 40), (110, 0, 60))
_SIGMA_RAMP = ((247, 250, 252), (158, 202, 225), (66, 126, 190), (30, 30, 100))
_LEVELS = 48


@dataclass(frozen=True)
class Layers:
    """Pictures as data URIs, and what their colours mean.

    Parameters
    ----------
    uris : dict of str to str
        ``figure``, ``redrawn``, ``difference``, ``sigma``, ``reasons``, ``thinned``, ``rebuilt``.
    difference_top : float
        Colour distance, in 8-bit sRGB units, at the dark end of the difference.
    difference_median, difference_p99 : float
        Of the pixels with a value.
    sigma_top : float
        Percent of the scale at the dark end of the uncertainty.
    rebuilt_top : float
        Percent of the scale at the dark end of the error of the map rebuilt from its points.
    """

    uris: dict[str, str]
    difference_top: float
    difference_median: float
    difference_p99: float
    sigma_top: float
    rebuilt_top: float


def sample_of_frame(result: DigitizedMap, side: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Rows and columns of the pixels that stand for the figure in at most `side` pixels, and which are in the frame."""
    height, width = result.inversion.values.shape
    share = min(1.0, side / max(height, width))
    places = []
    for length in (height, width):
        n = max(1, round(length * share))
        places.append(np.minimum((np.arange(n) + 0.5) * length / n, length - 1).astype(np.intp))
    rows, cols = places
    high, wide = result.frame.slices(result.picture.width, result.picture.height)
    inside = np.outer((rows >= high.start) & (rows < high.stop), (cols >= wide.start) & (cols < wide.stop))
    return rows, cols, inside


def ramp_color(layer: str, share: float) -> tuple[int, int, int]:
    """Colour of the difference or the uncertainty at a share of its top."""
    ramp = np.array(_SIGMA_RAMP if layer == "sigma" else _DIFFERENCE_RAMP, dtype=float)
    at = np.linspace(0, 1, len(ramp))
    red, green, blue = (round(float(np.interp(share, at, ramp[:, band]))) for band in range(3))
    return red, green, blue


def render_layers(result: DigitizedMap) -> Layers:
    """All pictures of the report.

    The figure is averaged down; of values, reasons and errors single pixels are taken, for a mean of neighbours would
    show values that nobody read.

    Parameters
    ----------
    result : DigitizedMap

    Returns
    -------
    Layers
    """
    pixels = result.picture.pixels
    rows, cols, inside = sample_of_frame(result, LONGEST_SIDE)
    grid = np.ix_(rows, cols)
    values = np.where(inside, result.inversion.values[grid], np.nan)
    reason, valued = result.inversion.reason[grid], np.isfinite(values)
    redrawn = result.scale.colors_at(values)
    redrawn[~valued] = NO_VALUE
    beyond = np.isin(reason, (Reason.OUTSIDE, Reason.BAR))
    redrawn[beyond] = 255
    apart = np.linalg.norm(pixels[grid].astype(np.float32) - redrawn, axis=-1)
    top = max(8.0, _round_up(_percentile(apart[valued], 99.8)))
    sigma = np.full(values.shape, np.nan)
    sigma[valued] = 100 * result.scale.shares_of_range(values[valued], result.inversion.sigma[grid][valued])
    sigma_top = _round_up(max(_percentile(sigma[valued], 99), 1e-3))
    lost = 100 * np.abs(rebuild_misfit(result, rows, cols))
    lost[~inside | np.isinf(lost)] = np.nan
    rebuilt_top = _round_up(max(_percentile(lost[np.isfinite(lost)], 99.5), 1e-3))
    uris = {
        "figure": encode_picture(pixels, _PHOTO_BYTES, longest_side=LONGEST_SIDE),
        "redrawn": encode_picture(redrawn, _PHOTO_BYTES),
        "difference": _leveled("difference", apart / top, valued, beyond),
        "sigma": _leveled("sigma", sigma / sigma_top, valued, beyond),
        "reasons": encode_indexed(reason, [REASON_COLORS[code] for code in Reason], _LEVEL_BYTES),
        "rebuilt": _leveled("rebuilt", lost / rebuilt_top, np.isfinite(lost), beyond),
        "thinned": _dotted(result, rows, cols),
    }
    return Layers(uris, top, _percentile(apart[valued], 50), _percentile(apart[valued], 99), sigma_top, rebuilt_top)


def rebuild_misfit(result: DigitizedMap, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.float64]:
    """What linear interpolation between the points gives less what was read, as shares of the scale, at some pixels.

    Returns
    -------
    (len(rows), len(cols)) float array
        NaN where there is no value, and outside the points' hull; 0 and 1, right and wrong, on a class scale.
    """
    scale, points = result.scale, result.points
    read = unit_coordinate(result.inversion.values[np.ix_(rows, cols)], scale.limits, scale.norm)
    at = np.stack(
        [
            np.interp(points.pixels[:, i], places + 0.5, np.arange(len(places)) + 0.5)
            for i, places in enumerate((cols, rows))
        ],
        axis=1,
    )
    levels = unit_coordinate(points.values, scale.limits, scale.norm)
    if scale.is_classes:
        from scipy.spatial import cKDTree

        row, col = np.nonzero(np.isfinite(read))
        off = np.full(read.shape, np.nan)
        off[row, col] = levels[cKDTree(at).query(np.stack([col, row], axis=1) + 0.5)[1]] != read[row, col]
        return off
    if len(at) < 3 or np.linalg.matrix_rank(at - at.mean(axis=0)) < 2:
        return np.full(read.shape, np.nan)
    return np.asarray(mesh_errors(build_mesh(at, levels), read.astype(np.float32)), np.float64)


def _leveled(layer: str, share: NDArray[np.floating], valued: NDArray[np.bool_], beyond: NDArray[np.bool_]) -> str:
    """Shares of the top in equal steps of colour, grey where there is no value, white beyond the map."""
    steps = np.clip(np.nan_to_num(share) * (_LEVELS - 1), 0, _LEVELS - 1)
    index = np.where(valued, np.rint(steps), _LEVELS).astype(np.uint8)
    colors = [ramp_color(layer, i / (_LEVELS - 1)) for i in range(_LEVELS)]
    index[beyond] = _LEVELS + 1
    return encode_indexed(index, [*colors, NO_VALUE, (255, 255, 255)], _LEVEL_BYTES)


def _dotted(result: DigitizedMap, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> str:
    """A dot for every thinned point, on nothing."""
    index = np.zeros((len(rows), len(cols)), np.uint8)
    at = result.points.pixels * [len(cols) / result.picture.width, len(rows) / result.picture.height]
    col, row = at.astype(np.intp).T
    good = (row >= 0) & (row < len(rows)) & (col >= 0) & (col < len(cols))
    index[row[good], col[good]] = 1
    return encode_indexed(index, [(0, 0, 0, 0), (120, 0, 80, 255)], _POINT_BYTES)


def _percentile(numbers: NDArray[np.floating], q: float) -> float:
    return float(np.percentile(numbers, q)) if numbers.size else 0.0


def _round_up(top: float) -> float:
    """The next number with one or two digits that is not below."""
    power = 10.0 ** np.floor(np.log10(max(top, 1e-9)))
    steps = np.array([1, 1.5, 2, 3, 4, 5, 6, 8, 10])
    return float(power * steps[np.searchsorted(steps, top / power - 1e-9)])
