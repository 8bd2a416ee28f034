"""Pixels to values: the nearest place on the colour scale, and why a pixel has none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.value.color import RGB, pack_colors, unpack_colors
from geocbar.value.scale import ColorScale

__all__ = ["DEFAULT_MAX_DISTANCE", "Inversion", "Reason", "invert", "project_colors"]

#: Colours farther than this from every colour of the scale are no data (8-bit sRGB units).
DEFAULT_MAX_DISTANCE = 20.0

_COLORS = 1 << 24
_BLOCK_PIXELS = 1 << 18
_CHUNK_COLORS = 1024
_WORKERS = 2


class Reason(IntEnum):
    """Why a pixel has its value, or none."""

    DATA = 0
    OFF_SCALE = 2
    OUTSIDE = 4
    BAR = 5


@dataclass(frozen=True, eq=False)
class Inversion:
    """What the colours of a picture say.

    Parameters
    ----------
    values : (h, w) float32 array
        In the unit of the scale; NaN where `reason` is not ``Reason.DATA``.
    distance : (h, w) float32 array
        How far each pixel's colour lies from the scale, in the metric used (8-bit sRGB units).
    reason : (h, w) uint8 array
        One of :class:`Reason`.
    sigma : (h, w) float32 array or None
        One standard deviation of each value.
    """

    values: NDArray[np.float32]
    distance: NDArray[np.float32]
    reason: NDArray[np.uint8]
    sigma: NDArray[np.float32] | None = None


def project_colors(
    colors: NDArray[np.floating] | NDArray[np.uint8], scale: ColorScale, metric: NDArray[np.float64] = RGB
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Project colours on the polyline of a scale: the exact nearest place, not the nearest of some samples.

    Parameters
    ----------
    colors : (k, 3) array
        sRGB, 0 to 255.
    scale : ColorScale
        For classes the nearest single colour is taken.
    metric : (3, 3) array
        Linear map of sRGB to the space in which distances are measured.

    Returns
    -------
    nodes : (k,) float32 array
        Fractional node number, for :meth:`ColorScale.values_at`.
    distance : (k,) float32 array
        Distance to that place, in the metric.
    """
    runs = _equal_runs(scale.colors)
    vertices = scale.colors[runs[:, 0]] @ metric.T
    points = np.asarray(colors, dtype=np.float32) @ metric.T.astype(np.float32)
    nodes = np.empty(len(points), np.float32)
    distance = np.empty(len(points), np.float32)
    project = _to_vertices if scale.is_classes else _to_segments
    kernel = project(vertices)

    def work(start: int) -> None:
        part = slice(start, start + _CHUNK_COLORS)
        nodes[part], distance[part] = kernel(points[part])

    _run(work, range(0, len(points), _CHUNK_COLORS))
    middles = (runs[:, 0] + runs[:, 1] - 1) / 2
    return np.interp(nodes, np.arange(len(runs)), middles).astype(np.float32), distance


def _equal_runs(colors: NDArray[np.float64]) -> NDArray[np.intp]:
    """(k, 2) first and one-past-last node of runs of one colour: a colour stands for the middle of its run."""
    starts = np.flatnonzero(np.concatenate([[True], np.any(np.diff(colors, axis=0) != 0, axis=1)]))
    return np.stack([starts, np.append(starts[1:], len(colors))], axis=1)


_Kernel = Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]


def _to_segments(vertices: NDArray[np.float64]) -> _Kernel:
    """Nearest point over all segments. With unit directions e and lengths l the place along a segment is
    t = clip((c - a) . e, 0, l) and the squared distance |c - a|^2 - 2 t (c - a) . e + t^2: two matrix products.
    """
    center = vertices.mean(axis=0)
    start = vertices[:-1] - center
    step = np.diff(vertices, axis=0)
    length = np.sqrt((step**2).sum(axis=1))
    unit = step / length[:, None]
    to_along = unit.T.astype(np.float32)
    along_offset = (start * unit).sum(axis=1).astype(np.float32)
    to_square = (-2 * start.T).astype(np.float32)
    square_offset = (start**2).sum(axis=1).astype(np.float32)
    limit = length.astype(np.float32)
    middle = center.astype(np.float32)
    start32, unit32 = start.astype(np.float32), unit.astype(np.float32)

    def kernel(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        centered = points - middle
        along = centered @ to_along
        along -= along_offset
        clipped = np.maximum(along, 0, dtype=np.float32)
        np.minimum(clipped, limit, out=clipped)
        along *= -2
        along += clipped
        along *= clipped
        square = centered @ to_square
        square += square_offset
        square += along
        best = square.argmin(axis=1)
        # Large squares cancel to about 0.05: look at both neighbours again, in coordinates relative to the segment.
        nodes = np.empty(len(points), np.float32)
        away = np.full(len(points), np.inf, np.float32)
        for neighbour in (0, -1, 1):
            segment = np.clip(best + neighbour, 0, len(limit) - 1)
            offset = centered - start32[segment]
            at = np.clip((offset * unit32[segment]).sum(axis=1), 0, limit[segment])
            offset -= at[:, None] * unit32[segment]
            found = np.sqrt((offset * offset).sum(axis=1))
            nearer = found < away
            away[nearer] = found[nearer]
            nodes[nearer] = segment[nearer] + at[nearer] / limit[segment[nearer]]
        return nodes, away

    return kernel


def _to_vertices(vertices: NDArray[np.float64]) -> _Kernel:
    def kernel(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        square = ((points[:, None, :] - vertices[None].astype(np.float32)) ** 2).sum(axis=2)
        best = square.argmin(axis=1)
        return best.astype(np.float32), np.sqrt(square[np.arange(len(points)), best])

    return kernel


def invert(
    pixels: NDArray[np.uint8],
    scale: ColorScale,
    *,
    max_distance: float = DEFAULT_MAX_DISTANCE,
    metric: NDArray[np.float64] = RGB,
    frame: PixelBox | None = None,
    bar: PixelBox | None = None,
) -> Inversion:
    """Give every pixel the value of the nearest place on the colour scale.

    A pixel's value depends on its own colour and the scale only, never on what else is in the picture. Every distinct
    colour is projected once.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    scale : ColorScale
    max_distance : float
        Colours farther from the scale get no value (8-bit sRGB units).
    metric : (3, 3) array
        Linear map of sRGB to the space in which distances are measured.
    frame : PixelBox or None
        The map's frame; pixels whose centres lie outside get no value.
    bar : PixelBox or None
        The colour bar, which gets no value.

    Returns
    -------
    Inversion

    Raises
    ------
    InvalidInputError
        If `max_distance` is not positive, or a box leaves the picture.
    """
    if not max_distance > 0:
        raise InvalidInputError(f"The largest colour distance is {max_distance:g}.", "Give --max-distance above 0.")
    height, width = pixels.shape[:2]
    present = _present_colors(pixels)
    nodes, distance = project_colors(unpack_colors(present), scale, metric)
    value_of = np.empty(_COLORS, np.float32)
    value_of[present] = scale.values_at(nodes)
    distance_of = np.empty(_COLORS, np.float32)
    distance_of[present] = distance

    values = np.empty((height, width), np.float32)
    distances = np.empty((height, width), np.float32)
    reason = np.zeros((height, width), np.uint8)

    def work(rows: slice) -> None:
        packed = pack_colors(pixels[rows])
        np.take(value_of, packed, out=values[rows], mode="clip")
        np.take(distance_of, packed, out=distances[rows], mode="clip")
        reason[rows][distances[rows] > max_distance] = Reason.OFF_SCALE

    _run(work, _row_blocks(height, width))
    if frame is not None:
        frame.require_inside(width, height, "map frame")
        inside = frame.slices(width, height)
        kept = reason[inside].copy()
        reason[:] = Reason.OUTSIDE
        reason[inside] = kept
    if bar is not None:
        bar.require_inside(width, height, "colour bar")
        reason[_around(bar).slices(width, height)] = Reason.BAR
    values[reason != Reason.DATA] = np.nan
    return Inversion(values, distances, reason)


def _around(bar: PixelBox, margin: float = 2.0) -> PixelBox:
    """The bar with its frame line."""
    return PixelBox(bar.left - margin, bar.top - margin, bar.right + margin, bar.bottom + margin)


def _present_colors(pixels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Sorted 24-bit numbers of the colours that occur."""
    seen = np.zeros(_COLORS, np.bool_)

    def work(rows: slice) -> None:
        seen[pack_colors(pixels[rows]).ravel()] = True

    _run(work, _row_blocks(*pixels.shape[:2]))
    return np.flatnonzero(seen)


def _row_blocks(height: int, width: int) -> list[slice]:
    rows = max(_BLOCK_PIXELS // max(width, 1), 1)
    return [slice(start, min(start + rows, height)) for start in range(0, height, rows)]


def _run(work: Callable[..., None], parts: Iterable[object]) -> None:
    """Do every part, two at a time: NumPy lets go of the interpreter lock inside."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in pool.map(work, parts):
            pass
