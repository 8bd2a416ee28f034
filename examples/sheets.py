"""The pages of the example maps: what is drawn, where it lies on the page, where control points are picked.

Pixel coordinates have their origin at the top-left corner of the top-left pixel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from affine import Affine

HERE = Path(__file__).parent

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Sheet:
    """A map on its page.

    Parameters
    ----------
    folder, picture, title : str
        Where it goes and what stands above it.
    size : (width, height)
        The page in pixels.
    frame, bar : (left, top, right, bottom)
        The map and the coloured part of the bar, in whole pixels.
    extent : (west, south, east, north)
        The map frame in projected coordinates.
    projection : str
        PROJ string; for a geographic map the projected coordinates are degrees.
    limits : (low, high)
        Values at the two ends of the bar.
    crossings : sequence of (lon, lat)
        Where control points are picked.
    seed : int
        Of the noise on the control points.
    orientation : {"horizontal", "vertical"}
        Low values are at the left, or at the bottom.
    """

    folder: str
    picture: str
    title: str
    size: tuple[int, int]
    frame: tuple[int, int, int, int]
    bar: tuple[int, int, int, int]
    extent: Box
    projection: str
    limits: tuple[float, float]
    crossings: tuple[tuple[float, float], ...]
    seed: int
    orientation: str = "horizontal"

    @property
    def to_pixel(self) -> Affine:
        """Projected coordinates to pixel coordinates."""
        left, top, right, bottom = self.frame
        west, south, east, north = self.extent
        scale_x, scale_y = (right - left) / (east - west), (bottom - top) / (south - north)
        return Affine(scale_x, 0, left - scale_x * west, 0, scale_y, top - scale_y * north)

    @property
    def path(self) -> Path:
        """The folder, made if it is not there."""
        path = HERE / self.folder
        path.mkdir(exist_ok=True)
        return path


def cross(lons: Iterable[float], lats: Iterable[float]) -> tuple[tuple[float, float], ...]:
    """Every meridian with every parallel."""
    meridians = tuple(lons)
    return tuple((lon, lat) for lat in lats for lon in meridians)


INDONESIA = Sheet(
    folder="indonesian_seas",
    picture="map.jpg",
    title="Relief of the Indonesian Seas",
    size=(1600, 1150),
    frame=(98, 98, 1502, 982),
    bar=(300, 1044, 1300, 1070),
    extent=(90, -12, 144, 22),
    projection="+proj=longlat +datum=WGS84",
    limits=(-11000, 5000),
    crossings=cross((100, 120, 140), (20, 10, 0, -10)),
    seed=1,
)
SALISH = Sheet(
    folder="salish_sea",
    picture="map.png",
    title="Vancouver Island and the Salish Sea",
    size=(1200, 892),
    frame=(82, 74, 1048, 842),
    bar=(1076, 74, 1102, 842),
    extent=(-125.5, 48.15, -122.05, 49.95),
    projection="+proj=longlat +datum=WGS84",
    limits=(-500, 2250),
    crossings=cross((-125, -124, -123), (49.5, 49, 48.5)),
    seed=2,
    orientation="vertical",
)
JAPAN = Sheet(
    folder="japan_trenches",
    picture="map.png",
    title="The trenches off Japan",
    size=(1300, 1070),
    frame=(90, 98, 1210, 898),
    bar=(250, 964, 1050, 988),
    extent=(-1400e3, -1000e3, 1400e3, 1000e3),
    projection="+proj=lcc +lat_0=38 +lon_0=140 +lat_1=30 +lat_2=46 +datum=WGS84",
    limits=(-10000, 4000),
    crossings=(
        *cross((125, 135, 145, 155), (45, 40, 35)),
        *cross((135, 145), (30,)),
    ),
    seed=3,
)
