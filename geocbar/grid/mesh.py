"""A Delaunay mesh over points of a picture, and where it lies too far from the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.grid.spans import PixelLattice, Spans, TriangleRows

__all__ = [
    "KEPT",
    "NOISE_WIDTH",
    "Mesh",
    "Misfit",
    "Surface",
    "build_mesh",
    "measure_misfit",
    "mesh_errors",
    "pixel_places",
    "share_pixels",
]

#: Pixels compared at once; bounds the memory, and fits a processor's cache.
BLOCK = 1 << 17

_WORKERS = 2

#: Share of the pixels with a value for which an error is promised.
KEPT = 0.99

#: A value is known no better than so many standard deviations: with 99 % of normal errors below 2.6, the surface that
#: is rebuilt may itself be off a little.
NOISE_WIDTH = 3.0


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles between points, and the plane over each.

    Parameters
    ----------
    places : (n, 2) float array
        Points (col, row) in the picture, pixel centres at .5.
    corners : (m, 3) int array
        Numbers of the points at the corners of each triangle.
    neighbors : (m, 3) int array
        Triangles that share a side, -1 for none.
    planes : (m, 3) float array
        Value of each triangle as ``planes[:, 0] + planes[:, 1] * col + planes[:, 2] * row``, of pixels counted from 0.
    """

    places: NDArray[np.float64]
    corners: NDArray[np.int32]
    neighbors: NDArray[np.int32]
    planes: NDArray[np.float64]

    def at_pixels(self, flat: NDArray[np.int64], width: int, triangle: NDArray[np.int64]) -> NDArray[np.float64]:
        """Value of the planes over triangles at pixels of a picture so wide."""
        row = flat // width
        plane = self.planes[triangle]
        return np.asarray(plane[:, 0] + plane[:, 1] * (flat - row * width) + plane[:, 2] * row)


@dataclass(frozen=True, eq=False)
class Surface:
    """What a mesh is compared with.

    Parameters
    ----------
    picture : (h, w) float32 array
        NaN where there is no value.
    max_error : float
        How far a mesh may lie from it.
    noise : (h, w) float32 array or float
        One standard deviation of the values. A mesh may lie :data:`NOISE_WIDTH` of them from it, if that is more.
    """

    picture: NDArray[np.float32]
    max_error: float
    noise: NDArray[np.float32] | float = 0.0

    def bound(self, lattice: PixelLattice, first: int, stop: int) -> NDArray[np.float32]:
        """How far a mesh may lie off at the pixels of some rows of a lattice."""
        noise = self.noise if np.ndim(self.noise) == 0 else lattice.of(np.asarray(self.noise), first, stop)
        return np.fmax(np.float32(self.max_error), np.float32(NOISE_WIDTH) * np.asarray(noise, np.float32))


@dataclass(frozen=True, eq=False)
class Misfit:
    """Where a mesh lies too far from a picture, on a lattice of its pixels.

    Parameters
    ----------
    looked : int
        Pixels with a value that were looked at.
    flat : (n,) int64 array
        Flat indices of those that are missed, ascending; those outside the hull are.
    triangle : (n,) int64 array
        Triangle of each, -1 outside the hull.
    labels : (k,) int32 array or None
        Triangle of every pixel of the lattice, if asked for.
    """

    looked: int
    flat: NDArray[np.int64]
    triangle: NDArray[np.int64]
    labels: NDArray[np.int32] | None = None


def pixel_places(flat: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    """Centres (col, row) of pixels given by their flat index."""
    row = flat // width
    return np.stack([flat - row * width + 0.5, row + 0.5], axis=1)


def build_mesh(places: NDArray[np.float64], values: NDArray[np.float64]) -> Mesh:
    """Triangulate points, and lay a plane through the values at the corners of each triangle.

    Parameters
    ----------
    places : (n, 2) float array
        Points (col, row), pixel centres at .5. If some lie on one circle, as on a lattice, their order tells how they
        are triangulated.
    values : (n,) float array

    Raises
    ------
    scipy.spatial.QhullError
        If there are fewer than three points off one line.
    """
    from scipy.spatial import Delaunay

    triangulation = Delaunay(places)
    corners = triangulation.simplices
    col, row = (places[corners] - 0.5).transpose(2, 0, 1)
    level = values[corners]
    x1, x2, y1, y2 = col[:, 1] - col[:, 0], col[:, 2] - col[:, 0], row[:, 1] - row[:, 0], row[:, 2] - row[:, 0]
    z1, z2 = level[:, 1] - level[:, 0], level[:, 2] - level[:, 0]
    area = x1 * y2 - x2 * y1
    area[area == 0] = np.inf
    across, down = (z1 * y2 - z2 * y1) / area, (x1 * z2 - x2 * z1) / area
    planes = np.column_stack([level[:, 0] - across * col[:, 0] - down * row[:, 0], across, down])
    return Mesh(places, corners, triangulation.neighbors, planes)


def mesh_errors(mesh: Mesh, picture: NDArray[np.float32], lattice: PixelLattice | None = None) -> NDArray[np.float32]:
    """Mesh minus picture at the pixels of a lattice; inf outside the hull, NaN where there is no value."""
    lattice = lattice or PixelLattice(*picture.shape)

    def compare(first: int, stop: int, spans: Spans) -> NDArray[np.float32]:
        return _errors(mesh, picture, lattice, first, stop, spans)[0]

    return np.concatenate(list(_in_bands(mesh, lattice, compare)))


def measure_misfit(mesh: Mesh, surface: Surface, lattice: PixelLattice | None = None, *, label: bool = False) -> Misfit:
    """Compare a mesh with a picture at the pixels of a lattice, all of them unless given."""
    height, width = surface.picture.shape
    lattice = lattice or PixelLattice(height, width)
    across = lattice.shape[1]

    def compare(first: int, stop: int, spans: Spans) -> tuple[int, NDArray[np.int64], NDArray[np.int64], Any]:
        error, labels = _errors(mesh, surface.picture, lattice, first, stop, spans)
        looked = np.count_nonzero(error == error)
        missed = np.flatnonzero(np.abs(error) > surface.bound(lattice, first, stop))
        flat = lattice.flat(missed + first * across)
        return int(looked), flat, labels[missed].astype(np.int64), labels if label else None

    parts = list(_in_bands(mesh, lattice, compare))
    looked, flat, triangle, labels = zip(*parts, strict=True)
    return Misfit(
        sum(looked), np.concatenate(flat), np.concatenate(triangle), np.concatenate(labels) if label else None
    )


def _errors(
    mesh: Mesh, picture: NDArray[np.float32], lattice: PixelLattice, first: int, stop: int, spans: Spans
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Mesh minus picture, inf outside the hull, NaN without a value; and the triangle of each pixel of some rows."""
    plane = mesh.planes[spans.triangle]
    slope = (plane[:, 1] * lattice.step).astype(np.float32)
    col = spans.begin * lattice.step + lattice.left
    row = spans.row * lattice.step + lattice.top
    level = (plane[:, 0] + plane[:, 1] * col + plane[:, 2] * row).astype(np.float32)
    outside = spans.triangle < 0
    level[outside], slope[outside] = np.inf, 0
    start = (np.cumsum(spans.length) - spans.length).astype(np.int32)
    labels = np.repeat(spans.triangle.astype(np.int32), spans.length)
    error = np.arange(len(labels), dtype=np.int32) - np.repeat(start, spans.length)
    error = error.astype(np.float32)
    error *= np.repeat(slope, spans.length)
    error += np.repeat(level, spans.length)
    part = error.reshape(stop - first, -1)
    part -= lattice.of(picture, first, stop)
    return np.asarray(part, np.float32), np.asarray(labels, np.int32)


def _in_bands(mesh: Mesh, lattice: PixelLattice, work: Callable[[int, int, Spans], Any]) -> Iterator[Any]:
    """Do something with the spans of some rows after the other, two at a time."""
    height, width = lattice.shape
    cols, downs = (mesh.places[mesh.corners] - 0.5).transpose(2, 0, 1)
    cutter = TriangleRows(cols, downs, lattice)
    rows = max(1, BLOCK // max(width, 1))

    def do(first: int) -> Any:
        stop = min(first + rows, height)
        return work(first, stop, cutter.cut(first, stop))

    firsts = range(0, height, rows)
    if len(firsts) == 1:
        yield do(0)
        return
    with ThreadPoolExecutor(_WORKERS) as pool:
        yield from pool.map(do, firsts)


def share_pixels(mesh: Mesh, valid: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give every pixel with a value to the nearest corner of its triangle, or to the nearest point outside the hull.

    Returns
    -------
    count : (n,) int64 array
        Pixels of each point.
    extent : (n,) float array
        Distance in pixels of the farthest of them.
    """
    from scipy.spatial import cKDTree

    height, width = valid.shape
    points = (mesh.places - 0.5).astype(np.float32)
    tree = cKDTree(points)

    def share(first: int, stop: int, spans: Spans) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        flat = np.flatnonzero(valid[first:stop])
        labels = np.repeat(spans.triangle.astype(np.int32), spans.length)[flat]
        row = flat // width
        col = (flat - row * width).astype(np.float32)
        row = (row + first).astype(np.float32)
        corners = mesh.corners[labels]
        owner, nearest = corners[:, 0], np.full(len(flat), np.inf, np.float32)
        for corner in corners.T:
            square = (points[corner, 0] - col) ** 2 + (points[corner, 1] - row) ** 2
            owner = np.where(square < nearest, corner, owner)
            np.minimum(nearest, square, out=nearest)
        outside = np.flatnonzero(labels < 0)
        if len(outside):
            distance, owner[outside] = tree.query(np.column_stack([col, row])[outside])
            nearest[outside] = distance**2
        farthest = np.zeros(len(points), np.float32)
        np.maximum.at(farthest, owner, nearest)
        return np.bincount(owner, minlength=len(points)).astype(np.int64), np.asarray(farthest)

    count, farthest = np.zeros(len(points), np.int64), np.zeros(len(points), np.float32)
    for some, far in _in_bands(mesh, PixelLattice(height, width), share):
        count += some
        np.maximum(farthest, far, out=farthest)
    return count, np.sqrt(farthest.astype(np.float64))
