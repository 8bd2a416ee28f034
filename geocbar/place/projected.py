"""A map projection and what leads from its plane to the picture, both ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.place.candidates import Body, Family, project, project_fixed, wrap_longitudes
from geocbar.place.transforms import Transform

__all__ = ["ProjectedTransform"]

#: Half a turn, and what rounding may add to it.
_HALF_TURN = 180 + 1e-6

#: Degrees between the places a derivative is taken from.
_STEP = 1e-5

#: How far a place may come back from the pixel it came from, in pixels, before it is outside the world's outline.
_RETURN_PX = 0.01


@dataclass(frozen=True, eq=False)
class ProjectedTransform:
    """World coordinates, projected, then laid on the picture.

    Parameters
    ----------
    crs : str
        Of the world coordinates.
    geographic : bool
        Whether these are longitudes and latitudes.
    body : Body
    family : Family
    ellipsoid : bool
    lon_0 : float
        Central meridian in degrees.
    shape : (k,) float array
        Values of the other parameters of the family.
    post : Transform
        From the plane, in metres, to pixels.
    globe : str
        Geographic CRS below `crs`, for control points in metres.
    """

    crs: str
    geographic: bool
    body: Body
    family: Family
    ellipsoid: bool
    lon_0: float
    shape: NDArray[np.float64]
    post: Transform
    globe: str = ""

    def to_plane(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) world coordinates to metres in the projection's plane; NaN where it shows no such place."""
        world = np.asarray(world, np.float64).reshape(-1, 2)
        if self.family.fixed:
            return project_fixed(self.family.fixed, self.crs, world)
        lon, lat = (world if self.geographic else project_fixed(self.globe, self.crs, world)).T
        offset = wrap_longitudes(lon, self.lon_0)
        beyond = np.asarray(~(np.abs(lat) <= 90))
        plane = project(
            self.family, self.body.figure(self.ellipsoid), self.shape, np.nan_to_num(offset), np.where(beyond, 0, lat)
        )
        plane[beyond | ~np.isfinite(offset)] = np.nan
        return plane

    def from_plane(self, plane: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) metres in the plane to world coordinates; NaN outside the world's outline."""
        bad: NDArray[np.bool_] = ~np.asarray(np.isfinite(plane).all(axis=1))
        plane = np.where(bad[:, None], 0, plane)
        if self.family.fixed:
            world = project_fixed(self.family.fixed, self.crs, plane, inverse=True)
            world[bad] = np.nan
            return world
        figure = self.body.figure(self.ellipsoid)
        offset, lat = project(self.family, figure, self.shape, plane[:, 0], plane[:, 1], inverse=True).T
        with np.errstate(invalid="ignore"):
            bad |= ~((np.abs(offset) <= _HALF_TURN) & (np.abs(lat) <= 90 + 1e-9))
        world = np.stack([self.lon_0 + offset, np.clip(lat, -90, 90)], axis=1)
        world[bad] = np.nan
        if not self.geographic and not bad.all():
            world[~bad] = project_fixed(self.globe, self.crs, world[~bad], inverse=True)
        return world

    def to_pixel(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) world to (n, 2) pixel coordinates; NaN where the projection shows no such place."""
        return _where_finite(self.post.to_pixel, self.to_plane(world))

    def to_world(self, pixels: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) pixel to (n, 2) world coordinates; NaN outside the world's outline."""
        pixels = np.asarray(pixels, np.float64).reshape(-1, 2)
        world = self.from_plane(self.post.to_world(pixels))
        with np.errstate(invalid="ignore"):
            lost = np.asarray(~(np.abs(self.to_pixel(world) - pixels).max(axis=1) < _RETURN_PX))
        world[lost] = np.nan
        return world

    def jacobian(self, world: ArrayLike) -> NDArray[np.float64]:
        """(n, 2, 2) derivatives of pixel by world coordinates, by central differences in the plane."""
        world = np.asarray(world, np.float64).reshape(-1, 2).copy()
        step = _STEP if self.geographic else _STEP * 111e3
        if self.geographic:
            world[:, 1] = np.clip(world[:, 1], -90 + 2 * step, 90 - 2 * step)
            offset = wrap_longitudes(world[:, 0], self.lon_0)
            world[:, 0] = self.lon_0 + np.clip(offset, -180 + 2 * step, 180 - 2 * step)
        columns = []
        for move in ((step, 0.0), (0.0, step)):
            columns.append((self.to_plane(world + move) - self.to_plane(world - move)) / (2 * step))
        plane = self.to_plane(world)
        good = np.isfinite(plane).all(axis=1)
        slopes = np.full((len(world), 2, 2), np.nan)
        slopes[good] = self.post.jacobian(plane[good]) @ np.stack(columns, axis=2)[good]
        return slopes


def _where_finite(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A function of (n, 2) points where they are finite, NaN elsewhere."""
    good = np.isfinite(points).all(axis=1)
    out = np.full(points.shape, np.nan)
    if good.any():
        out[good] = function(points[good])
    return out
