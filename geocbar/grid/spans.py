"""Triangles cut into runs of pixels along rows, so that every pixel knows its triangle without being looked up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PixelLattice", "Spans", "TriangleRows"]

#: How far a pixel's centre may lie outside a side and still be on it, for rounding: in columns.
_ON_SIDE = 1e-9


@dataclass(frozen=True)
class PixelLattice:
    """Every `step`-th pixel of every `step`-th row of a picture.

    Parameters
    ----------
    height, width : int
        Of the picture.
    step, top, left : int
        The lattice is the pixels ``[top::step, left::step]``.
    """

    height: int
    width: int
    step: int = 1
    top: int = 0
    left: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the lattice."""
        return -(-(self.height - self.top) // self.step), -(-(self.width - self.left) // self.step)

    def of(self, picture: NDArray, first: int, stop: int) -> NDArray:
        """The lattice's rows `first` to `stop` of a picture."""
        rows = picture[self.top :: self.step, self.left :: self.step]
        return rows[first:stop]

    def flat(self, place: NDArray[np.int64]) -> NDArray[np.int64]:
        """Flat indices in the picture of places counted along the lattice."""
        if self.step == 1:
            return place
        row, col = np.divmod(place, self.shape[1])
        return (row * self.step + self.top) * self.width + col * self.step + self.left

    def place(self, flat: NDArray[np.int64]) -> NDArray[np.int64]:
        """The other way."""
        if self.step == 1:
            return flat
        row, col = np.divmod(flat, self.width)
        return (row - self.top) // self.step * self.shape[1] + (col - self.left) // self.step


@dataclass(frozen=True, eq=False)
class Spans:
    """Runs of a lattice's pixels in one triangle each, in order and without gaps.

    Parameters
    ----------
    row, begin, length : (n,) int arrays
        Row and first column in the lattice, and pixels of each.
    triangle : (n,) int array
        Its triangle, -1 outside of all.
    """

    row: NDArray[np.int64]
    begin: NDArray[np.int64]
    length: NDArray[np.int64]
    triangle: NDArray[np.int64]


class TriangleRows:
    """Cuts triangles that do not overlap into spans.

    Parameters
    ----------
    cols, rows : (m, 3) float arrays
        Corners, on the picture's columns and rows counted from 0.
    lattice : PixelLattice

    Notes
    -----
    A side is cut by a row at the same place for the triangles on both of its sides, because it is always followed from
    its upper end. Pixels on a side belong to the triangle that comes first.
    """

    def __init__(self, cols: NDArray[np.float64], rows: NDArray[np.float64], lattice: PixelLattice) -> None:
        order = np.argsort(rows, axis=1, kind="stable")
        col, row = np.take_along_axis(cols, order, 1), np.take_along_axis(rows, order, 1)
        fall = np.stack([row[:, 2] - row[:, 0], row[:, 1] - row[:, 0], row[:, 2] - row[:, 1]])
        fall[fall == 0] = 1.0
        slope = np.stack([col[:, 2] - col[:, 0], col[:, 1] - col[:, 0], col[:, 2] - col[:, 1]]) / fall
        first = np.maximum(np.ceil((row[:, 0] - lattice.top) / lattice.step), 0).astype(np.int64)
        last = np.floor((row[:, 2] - lattice.top) / lattice.step).astype(np.int64)
        self._number = np.argsort(first, kind="stable")
        self._first, self._last = first[self._number], last[self._number]
        self._col, self._row, self._slope = col[self._number], row[self._number], slope[:, self._number]
        self._lattice = lattice

    def cut(self, top: int, bottom: int) -> Spans:
        """The spans of the lattice's rows from `top` to before `bottom`."""
        width = self._lattice.shape[1]
        here = np.flatnonzero(self._last[: np.searchsorted(self._first, bottom)] >= top)
        first = np.maximum(self._first[here], top)
        height = np.minimum(self._last[here], bottom - 1) + 1 - first
        triangle = np.repeat(here, height)
        row = np.arange(len(triangle)) + np.repeat(first - (np.cumsum(height) - height), height)
        left, right = self._sides(triangle, row)
        begin, end = np.minimum(left, right), np.maximum(left, right)
        lattice = self._lattice
        begin = np.maximum(np.ceil((begin - lattice.left) / lattice.step - _ON_SIDE), 0).astype(np.int64)
        end = np.minimum(np.floor((end - lattice.left) / lattice.step + _ON_SIDE), width - 1).astype(np.int64)
        begin += (row - top) * width
        end += (row - top) * width
        return self._in_order(begin, end, triangle, top, bottom)

    def _sides(
        self, triangle: NDArray[np.int64], row: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where a row of the lattice cuts the long side of a triangle, and one of the others."""
        y = row * float(self._lattice.step) + self._lattice.top
        above = self._row[triangle, 0]
        middle = self._row[triangle, 1]
        long = self._col[triangle, 0] + (y - above) * self._slope[0, triangle]
        lower = (y > middle) | (middle == above)
        start = np.where(lower, middle, above)
        other = self._col[triangle, lower.astype(np.intp)] + (y - start) * self._slope[1 + lower, triangle]
        return long, other

    def _in_order(
        self, begin: NDArray[np.int64], end: NDArray[np.int64], triangle: NDArray[np.int64], top: int, bottom: int
    ) -> Spans:
        """Sort spans, let each pixel be in one only, and fill the gaps."""
        width = self._lattice.shape[1]
        held = np.flatnonzero(begin <= end)
        held = held[np.argsort(begin[held], kind="stable")]
        begin, end, triangle = begin[held], end[held], triangle[held]
        reach = np.concatenate([[-1], np.maximum.accumulate(end)])
        begin = np.maximum(begin, reach[:-1] + 1)
        held = np.flatnonzero(begin <= end)
        begin, end = begin[held], end[held]
        starts = np.empty(2 * len(held) + 1, np.int64)
        starts[1::2] = begin
        starts[0] = 0
        starts[2::2] = end + 1
        number = np.full(len(starts), -1, np.int64)
        number[1::2] = self._number[triangle[held]]
        length = np.diff(starts, append=(bottom - top) * width)
        some = length > 0
        row = starts[some] // width
        return Spans(row + top, starts[some] - row * width, length[some], number[some])
