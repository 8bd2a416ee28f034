"""Which place of the picture each cell of a grid shows: worked out on a lattice of cells, interpolated between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from geocbar.place.georeference import Georeference
from geocbar.place.projections import is_geographic, project_points

__all__ = ["CellPlaces", "Patch"]

#: Cells between places that are worked out; interpolation between twice as many must not be off by more (px).
_SPACING = 16
_TOLERANCE_PX = 0.02

#: Patches not wider and higher than this are worked out cell by cell where interpolation does not do.
_LEAST_SIDE = 4 * _SPACING

_FOLD_PROBES = 128


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of a grid, and the places of some of its cells.

    Parameters
    ----------
    rows, cols : slice
        Cells of the grid.
    nodes : (k, l, 2) float array
        Places in the picture; NaN where there are none.
    node_rows, node_cols : (k,) and (l,) int arrays
        The cells that lie there.
    """

    rows: slice
    cols: slice
    nodes: NDArray[np.float64]
    node_rows: NDArray[np.intp]
    node_cols: NDArray[np.intp]

    def pixels(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Columns and rows of the picture, (rows, cols) each, of the places of all cells."""
        across, down = self.nodes[..., 0], self.nodes[..., 1]
        if down.shape == (self.rows.stop - self.rows.start, self.cols.stop - self.cols.start):
            return across, down
        rows, cols = (np.arange(cells.start, cells.stop) for cells in (self.rows, self.cols))
        x, y = (
            _between(_between(places, rows, self.node_rows, 0), cols, self.node_cols, 1) for places in (across, down)
        )
        return x, y


def _between(
    nodes: NDArray[np.float64], cells: NDArray[np.intp], at: NDArray[np.intp], axis: int
) -> NDArray[np.float64]:
    """Linear interpolation along one axis."""
    left = np.clip(np.searchsorted(at, cells, side="right") - 1, 0, len(at) - 2)
    share = (cells - at[left]) / (at[left + 1] - at[left])
    out = np.take(np.diff(nodes, axis=axis), left, axis=axis)
    out *= share[:, None] if axis == 0 else share
    out += np.take(nodes, left, axis=axis)
    return out


class CellPlaces:
    """Leads from the cells of a grid to the picture.

    Parameters
    ----------
    georeference : Georeference
    crs : str
        Of the grid.
    grid : affine.Affine
        North up.
    """

    def __init__(self, georeference: Georeference, crs: str, grid: Affine) -> None:
        self._georeference, self._crs, self._grid = georeference, crs, grid
        cut = georeference.cut
        self._near = np.median(georeference.gcps.used().world[:, 0]) if cut is None else cut.lon_0
        self._wrap = is_geographic(georeference.crs) and crs != georeference.crs
        self._folds = _Folds(georeference)

    def patches(self, rows: slice, cols: slice) -> Iterator[Patch]:
        """Patches that together make a part of the grid.

        Parameters
        ----------
        rows, cols : slice

        Yields
        ------
        Patch
            Its interpolated places are off by less than 0.02 px; where that cannot be had, all are worked out.
        """
        height, width = rows.stop - rows.start, cols.stop - cols.start
        if min(height, width) > 2:
            node_rows, node_cols = _nodes(rows), _nodes(cols)
            nodes = self.exact(node_rows, node_cols)
            if _is_smooth(nodes, node_rows, node_cols):
                yield Patch(rows, cols, nodes, node_rows, node_cols)
                return
        if max(height, width) <= _LEAST_SIDE:
            every = np.arange(rows.start, rows.stop), np.arange(cols.start, cols.stop)
            yield Patch(rows, cols, self.exact(*every), *every)
            return
        for down in _halves(rows):
            for across in _halves(cols):
                yield from self.patches(down, across)

    def exact(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.float64]:
        """(k, l, 2) places of the centres of the cells in some rows and columns; NaN where there are none."""
        grid = self._grid
        x, y = grid.c + grid.a * (cols + 0.5), grid.f + grid.e * (rows + 0.5)
        world = np.stack([np.tile(x, len(y)), np.repeat(y, len(x))], axis=1)
        world = project_points(world, self._crs, self._georeference.crs)
        if self._wrap:
            world[:, 0] -= 360 * np.round((world[:, 0] - self._near) / 360)
        pixels = self._georeference.transform.to_pixel(world)
        pixels[self._folds.beyond(world)] = np.nan
        return np.asarray(pixels.reshape(len(rows), len(cols), 2), np.float64)


def _nodes(cells: slice) -> NDArray[np.intp]:
    """An odd number of cells, evenly from the first to the last."""
    length = cells.stop - cells.start
    half = max(-(-(length - 1) // (2 * _SPACING)), 1)
    return np.unique(np.rint(np.linspace(cells.start, cells.stop - 1, 2 * half + 1)).astype(np.intp))


def _is_smooth(nodes: NDArray[np.float64], node_rows: NDArray[np.intp], node_cols: NDArray[np.intp]) -> bool:
    """Whether every other node tells those between."""
    if not np.isfinite(nodes).all():
        return False
    for places in (nodes[..., 0], nodes[..., 1]):
        down = _between(places[::2, ::2], node_rows, node_rows[::2], 0)
        if np.abs(_between(down, node_cols, node_cols[::2], 1) - places).max() > _TOLERANCE_PX:
            return False
    return True


def _halves(cells: slice) -> list[slice]:
    length = cells.stop - cells.start
    if length <= _LEAST_SIDE:
        return [cells]
    middle = cells.start + length // 2
    return [slice(cells.start, middle), slice(middle, cells.stop)]


class _Folds:
    """Where a fit has folded over: far from its points a polynomial leads back to the wrong side of the picture."""

    def __init__(self, georeference: Georeference) -> None:
        self._jacobian = georeference.transform.jacobian
        self._sign = np.sign(np.median(np.linalg.det(self._jacobian(georeference.gcps.used().world))))

    def beyond(self, world: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n,) True where the sign of the Jacobian is not that at the control points."""
        probe = world[:: max(len(world) // _FOLD_PROBES, 1)]
        if not self._turned(probe).any():
            return np.zeros(len(world), bool)
        return self._turned(world)

    def _turned(self, world: NDArray[np.float64]) -> NDArray[np.bool_]:
        jacobian = self._jacobian(world)
        determinant = jacobian[:, 0, 0] * jacobian[:, 1, 1] - jacobian[:, 0, 1] * jacobian[:, 1, 0]
        with np.errstate(invalid="ignore"):
            return ~(np.sign(determinant) == self._sign)
