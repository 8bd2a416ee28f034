"""Compare what geocbar wrote with the truth behind an example map.

::

    python examples/check.py OUT.tif examples/japan_trenches    # a written raster against the truth
    python examples/check.py examples/japan_trenches            # the picture itself against the truth

The first prints the error of the raster at its cell centres. The second reads no raster: it looks every pixel's
colour up in the drawn colour bar and says how well picture, bar and truth agree, which is the best any reader of the
picture can do. Errors are in percent of the range of the bar.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from pyproj import CRS, Transformer
from scipy.ndimage import binary_dilation, map_coordinates
from scipy.spatial import cKDTree

FloatArray = NDArray[np.float64]


def carry(affine: Affine, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points through an affine transform."""
    return affine.a * x + affine.b * y + affine.c, affine.d * x + affine.e * y + affine.f


class Truth:
    """What is known about an example map.

    Parameters
    ----------
    folder : Path
        The folder of the example, with ``truth.toml`` and ``truth.tif``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.page: dict[str, Any] = tomllib.loads((folder / "truth.toml").read_text(encoding="utf-8"))
        with rasterio.open(folder / "truth.tif") as file:
            self.values, self.affine = file.read(1).astype(np.float64), file.transform
        self.projected = CRS(self.page["projection"]["proj"])
        self.to_pixel = Affine(*self.page["projection"]["to_pixel"])
        self.limits = self.page["bar"]["vmin"], self.page["bar"]["vmax"]

    def at(self, lon: FloatArray, lat: FloatArray) -> FloatArray:
        """Bilinear between the centres of the cells, clipped to the bar; the same shape as `lon`."""
        col, row = carry(~self.affine, lon, lat)
        return np.clip(map_coordinates(self.values, [row - 0.5, col - 0.5], order=1, mode="nearest"), *self.limits)

    def to_lonlat(self, col: FloatArray, row: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixel coordinates to degrees."""
        change = Transformer.from_crs(self.projected, "EPSG:4326", always_xy=True)
        lon, lat = change.transform(*carry(~self.to_pixel, col, row))
        return lon, lat

    def inside_frame(self, lon: FloatArray, lat: FloatArray) -> NDArray[np.bool_]:
        """Whether a place lies inside the map frame."""
        change = Transformer.from_crs("EPSG:4326", self.projected, always_xy=True)
        col, row = carry(self.to_pixel, *change.transform(lon, lat))
        left, top, right, bottom = self.page["frame"]["box"]
        return (col >= left) & (col < right) & (row >= top) & (row < bottom)

    def percent(self, errors: FloatArray) -> str:
        """RMSE and 95th percentile in percent of the range."""
        share = 100 * errors / (self.limits[1] - self.limits[0])
        return f"RMSE {np.sqrt(np.mean(share**2)):.3f} %, 95th percentile {np.percentile(abs(share), 95):.3f} %"


def compare_raster(path: Path, truth: Truth) -> str:
    """Error of a written raster at the centres of its valid cells."""
    with rasterio.open(path) as file:
        values = file.read(1, masked=True).astype(np.float64).filled(np.nan)
        cols, rows = np.meshgrid(np.arange(file.width) + 0.5, np.arange(file.height) + 0.5)
        x, y = carry(file.transform, cols, rows)
        change = Transformer.from_crs(CRS.from_user_input(file.crs), "EPSG:4326", always_xy=True)
    lon, lat = change.transform(x, y)
    on_map, valid = truth.inside_frame(lon, lat), np.isfinite(values)
    if not valid.any():
        return f"{path} holds no values"
    errors = values[valid] - truth.at(lon[valid], lat[valid])
    covered = np.sum(valid & on_map) / max(int(np.sum(on_map)), 1)
    return f"{truth.percent(errors)} of the range; {100 * covered:.1f} % of the map has a value"


def read_bar(truth: Truth, picture: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Colours along the bar and their values; the pixels of one colour step count as one, at its middle."""
    left, top, right, bottom = truth.page["bar"]["box"]
    rim = 6
    if truth.page["bar"]["orientation"] == "horizontal":
        colors = picture[top + rim : bottom - rim, left:right].mean(axis=0)
    else:
        colors = picture[top:bottom, left + rim : right - rim].mean(axis=1)[::-1]
    low, high = truth.limits
    values = low + (high - low) * (np.arange(len(colors)) + 0.5) / len(colors)
    colors, values = colors[2:-2], values[2:-2]
    changes = np.flatnonzero(abs(np.diff(colors, axis=0)).max(axis=1) > 0.5) + 1
    runs = list(zip(np.r_[0, changes], np.r_[changes, len(colors)], strict=True))
    colors = np.array([colors[start:stop].mean(axis=0) for start, stop in runs])
    values = np.array([values[start:stop].mean() for start, stop in runs])
    nodes = np.arange(len(values))
    fine = np.arange(0, len(values) - 1 + 1e-9, 1 / 8)
    palette = np.stack([np.interp(fine, nodes, colors[:, band]) for band in range(3)], axis=1)
    return palette, np.interp(fine, nodes, values)


def compare_picture(truth: Truth) -> str:
    """Error of the picture itself: every colour looked up in the drawn bar, lines and letters left out."""
    name = truth.page["picture"]
    with Image.open(truth.folder / name) as file:
        picture = np.asarray(file.convert("RGB"), dtype=np.float64)
    palette, values = read_bar(truth, picture)
    left, top, right, bottom = truth.page["frame"]["box"]
    distance, nearest = cKDTree(palette).query(picture[top:bottom, left:right])
    jpeg = name.endswith(".jpg")
    clear = ~binary_dilation(distance > (14 if jpeg else 5), iterations=6 if jpeg else 4)
    cols, rows = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    errors = (values[nearest] - truth.at(*truth.to_lonlat(cols, rows)))[clear]
    return f"{truth.percent(errors)} of the range over the {100 * clear.mean():.1f} % of the map free of lines"


def main(words: list[str]) -> int:
    """Print one line; 1 for a missing file, 2 for wrong usage."""
    missing = [word for word in words if not Path(word).exists()]
    if missing:
        print(f"There is no {missing[0]}", file=sys.stderr)
        return 1
    if len(words) == 2:
        print(compare_raster(Path(words[0]), Truth(Path(words[1]))))
    elif len(words) == 1:
        print(compare_picture(Truth(Path(words[0]))))
    else:
        print("Usage: python examples/check.py [OUT.tif] EXAMPLE_FOLDER", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
