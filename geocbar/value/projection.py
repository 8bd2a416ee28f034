"""The nearest place on a colour scale, found once for every distinct colour of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.value.blocks import cut_rows, do_all
from geocbar.value.color import RGB
from geocbar.value.scale import ColorScale

__all__ = ["ColorTable", "ColumnPicture", "project_colors"]

_COLORS = 1 << 24
_BLOCK_PIXELS = 1 << 16

#: Edge lengths of the cubes of colour space in which the pieces of a scale that may be nearest are narrowed down.
_CELL_SIZES = (32, 8, 4)

#: Pairs of a colour and a piece measured at once: a dozen arrays of this length stay in a core's own cache.
_BATCH_PAIRS = 1 << 15

#: Squared distances in 32-bit numbers are less uncertain than this, as a share and in squared 8-bit units.
_SHARE_SLACK, _SLACK = 1e-5, 0.05


def project_colors(
    colors: NDArray[np.floating] | NDArray[np.uint8], scale: ColorScale, metric: NDArray[np.float64] = RGB
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Project colours on the polyline of a scale: the exact nearest place, not the nearest of some samples.

    Parameters
    ----------
    colors : (k, 3) array
        sRGB, 0 to 255. Whole numbers (uint8) are the fastest.
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

    Notes
    -----
    The colours are sorted into cubes of colour space, large ones divided into smaller ones. A cube passes on only the
    pieces of the scale that are nearest to some colour inside, so that each colour is compared with a few. Let `q` be
    the middle of a cube, `p` its foot on the nearest piece and `p'` that on another. For a colour `q + d` the squared
    distance to the other piece is at least ``|q - p'|^2 + 2 (q - p') . d``, because the distance to a convex set is a
    convex function, and that to the nearest at most ``|q - p + d|^2``. The other piece is dropped if the first is
    larger than the second for every `d` within the cube.
    """
    colors = np.asarray(colors)
    nodes = np.empty(len(colors), np.float32)
    distance = np.empty(len(colors), np.float32)
    if len(colors) == 0:
        return nodes, distance
    runs = _equal_runs(scale.colors)
    pieces = _Pieces.between(scale.colors[runs[:, 0]] @ metric.T, scale.is_classes)
    middles = ((runs[:, 0] + runs[:, 1] - 1) / 2).astype(np.float32)
    gaps = np.diff(middles, append=middles[-1])
    candidates, owner = _narrow_down(colors, pieces, metric)
    order, parts = candidates.batches(owner)

    def work(part: slice) -> None:
        at = order[part]
        piece, _ = candidates.columns(owner[at])
        along, _, square = pieces.measure(_mapped(metric, np.take(colors, at, axis=0).T), piece)
        best, least = _first_least(square)
        chosen = best * len(at) + np.arange(len(at))
        nearest = piece.ravel()[chosen]
        share = along.ravel()[chosen] / pieces.table[6][nearest]
        nodes[at] = middles[nearest] + share * gaps[nearest]
        distance[at] = np.sqrt(least)

    do_all(work, parts)
    return nodes, distance


def _equal_runs(colors: NDArray[np.float64]) -> NDArray[np.intp]:
    """(k, 2) first and one-past-last node of runs of one colour: a colour stands for the middle of its run."""
    starts = np.flatnonzero(np.concatenate([[True], np.any(np.diff(colors, axis=0) != 0, axis=1)]))
    return np.stack([starts, np.append(starts[1:], len(colors))], axis=1)


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Straight pieces of a scale. Rows of `table` (7, n): start, unit direction, length; single colours have no
    direction.
    """

    table: NDArray[np.float32]

    @classmethod
    def between(cls, vertices: NDArray[np.float64], is_classes: bool) -> _Pieces:
        if is_classes:
            return cls(np.vstack([vertices.T, np.zeros((3, len(vertices))), np.ones(len(vertices))]).astype(np.float32))
        steps = np.diff(vertices, axis=0).T
        lengths = np.sqrt((steps**2).sum(axis=0))
        return cls(np.vstack([vertices[:-1].T, steps / lengths, lengths]).astype(np.float32))

    def measure(
        self, points: NDArray[np.float32], piece: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Feet of points (3, n) on pieces (k, n): place along the piece, (3, k, n) offset of the point from the foot,
        and its square. Offsets are taken from the start of the piece, so that no large squares cancel.
        """
        offset = np.empty((3, *piece.shape), np.float32)
        direction = np.empty_like(offset)
        along, length, term = np.empty((3, *piece.shape), np.float32)
        for axis in range(3):
            np.take(self.table[axis], piece, out=offset[axis], mode="clip")
            np.subtract(points[axis], offset[axis], out=offset[axis])
            np.take(self.table[3 + axis], piece, out=direction[axis], mode="clip")
        np.take(self.table[6], piece, out=length, mode="clip")
        _dot(offset, direction, along, term)
        np.minimum(along, length, out=along)
        np.maximum(along, 0, out=along)
        direction *= along
        offset -= direction
        square = length
        _dot(offset, offset, square, term)
        return along, offset, square


def _dot(
    a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float32], scratch: NDArray[np.float32]
) -> None:
    np.multiply(a[0], b[0], out=out)
    for axis in (1, 2):
        np.multiply(a[axis], b[axis], out=scratch)
        out += scratch


def _first_least(square: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Row and value of the least of each column, the first of equal ones."""
    least = square[0].copy()
    best = np.zeros(len(least), np.intp)
    less = np.empty(len(least), np.bool_)
    for row in range(1, len(square)):
        np.less(square[row], least, out=less)
        np.copyto(best, row, where=less)
        np.minimum(least, square[row], out=least)
    return best, least


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Lists of pieces, one after the other in `pieces`."""

    pieces: NDArray[np.intp]
    starts: NDArray[np.intp]
    counts: NDArray[np.intp]

    def batches(self, owner: NDArray[np.intp]) -> tuple[NDArray[np.intp], list[slice]]:
        """Queries ordered by the length of their list, longest first, and parts of them that fit the cache."""
        most = int(self.counts.max())
        rank = (most - self.counts).astype(np.uint16 if most < 1 << 16 else np.int64)
        order = np.argsort(rank[owner], kind="stable")
        parts = []
        start = 0
        while start < len(order):
            stop = start + max(_BATCH_PAIRS // int(self.counts[owner[order[start]]]), 1)
            parts.append(slice(start, min(stop, len(order))))
            start = stop
        return order, parts

    def columns(self, owner: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """(k, n) pieces of the lists, longest list first, the last piece repeated, and which are no repetition."""
        counts = self.counts[owner]
        row = np.arange(counts[0])[:, None]
        index = np.minimum(row, counts - 1)
        index += self.starts[owner]
        return np.take(self.pieces, index, mode="clip"), row < counts


def _narrow_down(
    colors: NDArray[np.floating] | NDArray[np.uint8], pieces: _Pieces, metric: NDArray[np.float64]
) -> tuple[_Candidates, NDArray[np.intp]]:
    """Pieces that may be nearest in every smallest cube that holds a colour, and the cube of each colour."""
    cells = np.clip(colors, 0, 255).astype(np.uint8, copy=False).T
    slack = 0.0
    if colors.dtype != np.uint8:
        slack = 1 + float(max(-colors.min(), colors.max() - 255, 0))
    levels = []
    for size in reversed(_CELL_SIZES):
        cells, owner = _group(cells, size)
        levels.append((size, cells, owner))
    n = pieces.table.shape[1]
    candidates = _Candidates(np.arange(n), np.zeros(1, np.intp), np.array([n]))
    owner = np.zeros(cells.shape[1], np.intp)
    for size, cells, inner_owner in reversed(levels):
        half = (size - 1) / 2
        middles = _mapped(metric, cells + np.float32(half))
        candidates = _keep_nearest(candidates, owner, middles, pieces, metric * (half + slack))
        owner = inner_owner
    return candidates, owner


def _group(points: NDArray[np.uint8], size: int) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Lower corners (3, m) of the cubes of this size that hold points (3, n), and the cube of every point."""
    side = 256 // size
    code = (points[0] // size).astype(np.int32)
    for axis in (1, 2):
        code *= side
        code += points[axis] // size
    seen = np.zeros(side**3, np.bool_)
    seen[code] = True
    present = np.flatnonzero(seen)
    number = np.empty(side**3, np.intp)
    number[present] = np.arange(len(present))
    corners = np.stack([present // side**2, present // side % side, present % side]) * size
    return corners.astype(np.uint8), number[code]


def _keep_nearest(
    candidates: _Candidates,
    owner: NDArray[np.intp],
    middles: NDArray[np.float32],
    pieces: _Pieces,
    half_edges: NDArray[np.float64],
) -> _Candidates:
    """Candidates of cubes from those of the larger cubes around them; columns of `half_edges` are the cube's in the
    metric. See the notes of :func:`project_colors`.
    """
    corners = half_edges @ np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1]])
    reach = np.float32((corners**2).sum(axis=0).max() + _SLACK)
    order, parts = candidates.batches(owner)
    kept: list[NDArray[np.intp]] = [np.empty(0, np.intp)] * len(parts)
    counts = np.empty(len(order), np.intp)

    def work(numbered: tuple[int, slice]) -> None:
        number, part = numbered
        piece, real = candidates.columns(owner[order[part]])
        _, offset, square = pieces.measure(middles[:, order[part]], piece)
        best, least = _first_least(square)
        offset -= offset[:, best, np.arange(len(best))][:, None]
        margin = 2 * np.abs(_mapped(half_edges.T, offset)).sum(axis=0)
        margin += least * np.float32(1 + _SHARE_SLACK) + reach
        keep = (square <= margin) & real
        kept[number] = piece.T[keep.T]
        counts[part] = keep.sum(axis=0)

    do_all(work, enumerate(parts))
    places = np.empty((2, len(order)), np.intp)
    places[:, order] = np.cumsum(counts) - counts, counts
    return _Candidates(np.concatenate(kept), places[0], places[1])


def _mapped(matrix: NDArray[np.float64], points: NDArray[np.generic]) -> NDArray[np.float32]:
    """(3, ...) points in the metric. Every number is the same whatever else is mapped, as a matrix product's is not."""
    result = np.zeros(points.shape, np.float32)
    for row, out in zip(matrix.astype(np.float32), result, strict=True):
        for weight, values in zip(row, points, strict=True):
            if weight:
                out += weight * values
    return result


@dataclass(frozen=True, eq=False)
class ColorTable:
    """The distinct colours of a picture, so that whatever depends on the colour alone is worked out once for each.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The picture; it is not copied.
    colors : (k, 3) uint8 array
        Its distinct colours.
    number : (2 ** 24,) array of whole numbers
        Which of them each colour is, by its 24-bit number, blue highest; for colours of the picture.

    Examples
    --------
    >>> table = ColorTable.of(np.array([[[9, 9, 9], [0, 0, 7], [9, 9, 9]]], np.uint8))
    >>> table.colors
    array([[0, 0, 7],
           [9, 9, 9]], dtype=uint8)
    >>> table.spread(np.array([0.25, 0.75]))
    array([[0.75, 0.25, 0.75]])
    """

    pixels: NDArray[np.uint8]
    colors: NDArray[np.uint8]
    number: NDArray[np.integer]

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> ColorTable:
        """The table of a picture.

        Raises
        ------
        InvalidInputError
            If `pixels` is not an (h, w, 3) uint8 array.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise InvalidInputError(f"A picture is an (h, w, 3) uint8 array, not {pixels.dtype} of {pixels.shape}.")
        seen = np.zeros(_COLORS, np.bool_)

        def work(rows: slice) -> None:
            seen[_keys(pixels[rows])] = True

        do_all(work, cut_rows(pixels.shape, _BLOCK_PIXELS))
        present = np.flatnonzero(seen)
        number = np.empty(_COLORS, np.min_scalar_type(max(len(present) - 1, 0)))
        number[present] = np.arange(len(present))
        colors = np.stack([present & 255, (present >> 8) & 255, present >> 16], axis=-1).astype(np.uint8)
        return cls(pixels, colors, number)

    def spread(
        self, column: NDArray[np.generic], out: NDArray[np.generic] | None = None, rows: slice = slice(None)
    ) -> NDArray[np.generic]:
        """Picture of a number known for every colour.

        Parameters
        ----------
        column : (k,) array
            One entry for each of :attr:`colors`.
        out : (h, w) array or None
            Where to write the picture; of the type of `column`.
        rows : slice
            Only these rows of the picture.

        Returns
        -------
        (h, w) array of the type of `column`
        """
        return self.spread_all([column], None if out is None else [out], rows)[0]

    def spread_all(
        self,
        columns: Sequence[NDArray[np.generic]],
        outs: Sequence[NDArray[np.generic]] | None = None,
        rows: slice = slice(None),
    ) -> list[NDArray[np.generic]]:
        """:meth:`spread` for several columns in one pass over the picture, which is quicker."""
        part = self.pixels[rows]
        pictures = list(outs) if outs is not None else [np.empty(part.shape[:2], column.dtype) for column in columns]

        def work(block: slice) -> None:
            number = np.take(self.number, _keys(part[block]), mode="clip").astype(np.intp)
            for column, picture in zip(columns, pictures, strict=True):
                picture[block] = np.take(column, number, mode="clip").reshape(picture[block].shape)

        do_all(work, cut_rows(part.shape, _BLOCK_PIXELS))
        return pictures

    def picture(self, column: NDArray[np.float32]) -> ColumnPicture:
        """Picture of a number known for every colour of which only parts are ever made."""
        return ColumnPicture(self, column)


@dataclass(frozen=True, eq=False)
class ColumnPicture:
    """The picture of a number known for every colour: parts of it are made when they are asked for.

    Parameters
    ----------
    table : ColorTable
    column : (k,) float32 array
        One entry for each colour of the table.

    Examples
    --------
    >>> table = ColorTable.of(np.array([[[9, 9, 9], [0, 0, 7], [9, 9, 9]]], np.uint8))
    >>> table.picture(np.array([0.25, 0.75], np.float32))[:, 1:]
    array([[0.25, 0.75]], dtype=float32)
    """

    table: ColorTable
    column: NDArray[np.float32]

    def __getitem__(self, part: slice | tuple[slice, ...]) -> NDArray[np.float32]:
        """Some rows, or rows and columns, of the picture."""
        pixels = self.table.pixels[part]
        out = np.empty(pixels.shape[:2], np.float32)
        for rows in cut_rows(out.shape, _BLOCK_PIXELS):
            number = np.take(self.table.number, _keys(pixels[rows]), mode="clip").astype(np.intp)
            out[rows] = np.take(self.column, number, mode="clip").reshape(out[rows].shape)
        return out


def _keys(pixels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """24-bit numbers of colours, blue highest: four bytes at a time are read from three bytes on, in one go."""
    flat = np.ascontiguousarray(pixels).reshape(-1)
    keys = np.empty(len(flat) // 3, np.intp)
    if len(keys):
        keys[:-1] = np.ndarray((len(keys) - 1,), "<u4", flat.data, strides=(3,))
        keys[-1] = int(flat[-3]) | int(flat[-2]) << 8 | int(flat[-1]) << 16
        keys &= _COLORS - 1
    return keys
