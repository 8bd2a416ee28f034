"""A Delaunay mesh over pixels of a picture, and how far it lies from the picture, pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Misfit", "PixelMesh", "build_mesh", "measure_misfit", "pixel_places", "share_pixels"]

#: Pixels looked up at once; bounds the memory.
BLOCK = 1 << 15


@dataclass(frozen=True, eq=False)
class PixelMesh:
    """Triangles between pixels, and the plane over each.

    Parameters
    ----------
    at : (n,) int64 array
        Flat indices of the pixels at the corners, ascending.
    width : int
        Of the picture.
    triangulation : scipy.spatial.Delaunay
        Of their centres (col, row), in that order.
    planes : (m, 3) float array
        Value of each triangle as ``planes[:, 0] + planes[:, 1] * col + planes[:, 2] * row``.
    """

    at: NDArray[np.int64]
    width: int
    triangulation: object
    planes: NDArray[np.float64]

    @property
    def corners(self) -> NDArray[np.int32]:
        """(m, 3) numbers of the corners of each triangle."""
        return self.triangulation.simplices  # type: ignore[attr-defined]

    @property
    def neighbors(self) -> NDArray[np.int32]:
        """(m, 3) triangles that share a side, -1 for none."""
        return self.triangulation.neighbors  # type: ignore[attr-defined]


@dataclass(frozen=True, eq=False)
class Misfit:
    """How far a mesh lies from a picture, at a sample of its pixels.

    Parameters
    ----------
    flat : (n,) int64 array
        The pixels.
    triangle : (n,) int32 array
        Triangle of each, -1 outside the hull.
    error : (n,) float32 array
        Mesh minus picture; inf outside the hull.
    """

    flat: NDArray[np.int64]
    triangle: NDArray[np.int32]
    error: NDArray[np.float32]

    def fails(self, bound: float) -> NDArray[np.bool_]:
        """Where the mesh is farther off than a bound."""
        return np.abs(self.error) > bound


def pixel_places(flat: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    """Centres (col, row) of pixels given by their flat index."""
    row = flat // width
    return np.stack([flat - row * width + 0.5, row + 0.5], axis=1)


def build_mesh(at: NDArray[np.int64], values: NDArray[np.float64], width: int) -> PixelMesh:
    """Triangulate pixels, and lay a plane through the values at the corners of each triangle.

    Parameters
    ----------
    at : (n,) int64 array
        Flat indices, ascending: of points on one circle, as on a lattice, the order tells how they are triangulated.
    values : (n,) float array
    width : int
        Of the picture.

    Raises
    ------
    scipy.spatial.QhullError
        If there are fewer than three points off one line.
    """
    from scipy.spatial import Delaunay

    triangulation = Delaunay(pixel_places(at, width))
    inverse = triangulation.transform
    corner = values[triangulation.simplices]
    with np.errstate(invalid="ignore", over="ignore"):
        steps = corner[:, :2] - corner[:, 2:]
        slopes = np.einsum("tij,ti->tj", inverse[:, :2], steps)
        base = corner[:, 2] - np.einsum("tj,tj->t", slopes, inverse[:, 2])
    return PixelMesh(at, width, triangulation, np.column_stack([base, slopes]))


def measure_misfit(mesh: PixelMesh, picture: NDArray[np.float32], flat: NDArray[np.int64]) -> Misfit:
    """Compare a mesh with a picture at pixels given in row-major order."""
    triangle = np.empty(len(flat), np.int32)
    error = np.empty(len(flat), np.float32)
    source = picture.ravel()
    for part in _blocks(len(flat)):
        places = pixel_places(flat[part], mesh.width)
        found = mesh.triangulation.find_simplex(places)  # type: ignore[attr-defined]
        planes = mesh.planes[found]
        off = planes[:, 0] + planes[:, 1] * places[:, 0] + planes[:, 2] * places[:, 1] - source[flat[part]]
        off[found < 0] = np.inf
        triangle[part], error[part] = found, off
    return Misfit(flat, triangle, error)


def share_pixels(mesh: PixelMesh, misfit: Misfit) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give every pixel to the nearest corner of its triangle, or to the nearest point outside the hull.

    Returns
    -------
    count : (n,) int64 array
        Pixels of each point.
    extent : (n,) float array
        Distance in pixels of the farthest of them.
    """
    from scipy.spatial import cKDTree

    points = pixel_places(mesh.at, mesh.width)
    count = np.zeros(len(points), np.int64)
    extent = np.zeros(len(points))
    across, down = np.ascontiguousarray(points.T)
    tree = cKDTree(points)
    for part in _blocks(len(misfit.flat)):
        places = pixel_places(misfit.flat[part], mesh.width)
        corners = mesh.corners[misfit.triangle[part]]
        squares = (across[corners] - places[:, :1]) ** 2 + (down[corners] - places[:, 1:]) ** 2
        chosen = squares.argmin(axis=1)
        each = np.arange(len(chosen))
        owner, distance = corners[each, chosen], np.sqrt(squares[each, chosen])
        outside = misfit.triangle[part] < 0
        if outside.any():
            distance[outside], owner[outside] = tree.query(places[outside])
        count += np.bincount(owner, minlength=len(points))
        np.maximum.at(extent, owner, distance)
    return count, extent


def _blocks(n: int) -> Iterator[slice]:
    for start in range(0, n, BLOCK):
        yield slice(start, min(start + BLOCK, n))
