"""Draw the example maps: real data, real plotters, known truth.

Three maps are drawn and written beside this script, each in a folder of its own with the picture, the control
points a user would pick (``gcps.csv``), the grid the plotter was given (``truth.tif``) and where everything lies
on the page (``truth.toml``). ``README.md`` describes the files, ``sheets.py`` lays out the pages, and ``check.py``
compares with the truth.

Needed, on Debian or Ubuntu::

    apt-get install gmt gmt-gshhg-low ghostscript ferret-datasets
    pip install matplotlib numpy pillow pyproj rasterio scipy tomli-w

Run ``python examples/draw.py``; the maps come out the same each time with the same versions of the plotters.
Pixel coordinates have their origin at the top-left corner of the top-left pixel.
"""

from __future__ import annotations

import csv
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import rasterio
import tomli_w
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from pyproj import CRS, Transformer
from scipy.io import netcdf_file
from sheets import INDONESIA, JAPAN, SALISH, Box, Sheet

ETOPO5 = Path("/usr/share/ferret-vis/data/etopo5.cdf")
DPI = 200
CLICK_NOISE = 0.3


def read_etopo5(west: float, south: float, east: float, north: float) -> tuple[NDArray[np.int16], Affine]:
    """Nodes of ETOPO5, each taken as the centre of a cell; the edges of the region in whole multiples of 1/12."""
    rows = np.arange(round((south + 90) * 12), round((north + 90) * 12) + 1)[::-1]
    cols = np.arange(round(west * 12), round(east * 12) + 1) % 4320
    with netcdf_file(ETOPO5, "r", mmap=False) as file:
        relief = np.asarray(file.variables["ROSE"][:])[np.ix_(rows, cols)]
    affine = Affine(1 / 12, 0, west - 1 / 24, 0, -1 / 12, north + 1 / 24)
    return np.rint(relief).astype(np.int16), affine


def read_topobathy() -> tuple[NDArray[np.float32], Affine]:
    """Matplotlib's sample of relief, its Mercator rows brought to even latitudes every 0.02 degrees."""
    from matplotlib.cbook import get_sample_data

    with np.load(get_sample_data("topobathy.npz", asfileobj=False)) as sample:
        relief = np.asarray(sample["topo"], dtype=np.float64)
        lats = np.asarray(sample["latitude"], dtype=np.float64)
    even = np.arange(2499, 2400, -1) / 50
    columns = [np.interp(even, lats, column) for column in relief.T]
    return np.stack(columns, axis=1).round(1).astype(np.float32), Affine(1 / 30, 0, -126, 0, -0.02, 49.99)


def write_truth(sheet: Sheet, values: NDArray[np.generic], affine: Affine) -> Path:
    """The grid as the plotter gets it, in degrees."""
    path = sheet.path / "truth.tif"
    predictor = 2 if values.dtype.kind == "i" else 3
    profile = {"driver": "GTiff", "width": values.shape[1], "height": values.shape[0], "count": 1}
    packing = {"compress": "deflate", "predictor": predictor, "zlevel": 9}
    with rasterio.open(path, "w", dtype=values.dtype, crs="EPSG:4326", transform=affine, **profile, **packing) as file:
        file.write(values, 1)
        file.set_band_description(1, "elevation [m]")
    return path


def write_description(sheet: Sheet, plotter: str, source: str) -> None:
    """``truth.toml``: where everything lies on the page and how to compute the value of any pixel."""
    low, high = sheet.limits
    document = {
        "title": sheet.title,
        "picture": sheet.picture,
        "plotter": plotter,
        "source": source,
        "quantity": "elevation",
        "unit": "m",
        "interpolation": "bilinear",
        "bar": {"box": list(sheet.bar), "orientation": sheet.orientation, "vmin": low, "vmax": high},
        "frame": {"box": list(sheet.frame)},
        "projection": {"proj": sheet.projection, "to_pixel": [float(c) for c in sheet.to_pixel[:6]]},
        "control_points": {"noise": CLICK_NOISE, "rounded_to": 0.1, "seed": sheet.seed},
    }
    (sheet.path / "truth.toml").write_text(tomli_w.dumps(document), encoding="utf-8")


def write_gcps(sheet: Sheet) -> None:
    """Control points as a careful hand picks them: true place, noise of 0.3 px, rounded to 0.1 px."""
    noise = np.random.default_rng(sheet.seed).normal(0, CLICK_NOISE, (len(sheet.crossings), 2))
    project = Transformer.from_crs("EPSG:4326", CRS(sheet.projection), always_xy=True).transform
    affine = sheet.to_pixel
    with (sheet.path / "gcps.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "pixel", "line", "lon", "lat"])
        for (lon, lat), (shift_x, shift_y) in zip(sheet.crossings, noise, strict=True):
            x, y = project(lon, lat)
            col, row = affine.a * x + affine.c, affine.e * y + affine.f
            name = f"{abs(lon):g}{'E' if lon > 0 else 'W'} {abs(lat):g}{'S' if lat < 0 else 'N'}"
            table.writerow([name, f"{col + shift_x:.1f}", f"{row + shift_y:.1f}", f"{lon:g}", f"{lat:g}"])


class Gmt:
    """One page of GMT, drawn in a folder of its own.

    Parameters
    ----------
    folder : Path
        Where GMT may leave its settings.
    sheet : Sheet
        What is drawn.
    """

    def __init__(self, folder: Path, sheet: Sheet) -> None:
        self.folder, self.sheet, self.page = folder, sheet, folder / "page.ps"
        width, height = (side * 72 / DPI for side in sheet.size)
        settings = {
            "PROJ_LENGTH_UNIT": "inch",
            "PS_MEDIA": f"{width:g}x{height:g}",
            "PS_PAGE_ORIENTATION": "portrait",
            "MAP_FRAME_TYPE": "plain",
            "MAP_FRAME_PEN": "0.8p",
            "MAP_TICK_PEN_PRIMARY": "0.6p",
            "MAP_TICK_LENGTH_PRIMARY": "4p/2p",
            "MAP_GRID_PEN_PRIMARY": "0.25p,gray25",
            "MAP_TITLE_OFFSET": "4p",
            "MAP_LABEL_OFFSET": "4p",
            "FONT_TITLE": "13p,Helvetica-Bold",
            "FONT_ANNOT_PRIMARY": "8p",
            "FONT_LABEL": "9p",
            "FORMAT_GEO_MAP": "ddd:mm:ssF",
        }
        self.run("set", *(word for pair in settings.items() for word in pair))

    def run(self, *words: str, text: str = "") -> str:
        """One GMT command; its output."""
        done = subprocess.run(
            ["gmt", *words], cwd=self.folder, input=text, capture_output=True, encoding="latin-1", check=True
        )
        return done.stdout

    def add(self, *words: str, text: str = "") -> None:
        """One layer of the page, with the map's corner as its origin."""
        left, _, _, bottom = self.sheet.frame
        first = not self.page.exists()
        place = ["-P", f"-Xf{left / DPI}i", f"-Yf{(self.sheet.size[1] - bottom) / DPI}i"] if first else ["-O"]
        with self.page.open("a", encoding="latin-1") as page:
            page.write(self.run(*words, "-K", *place, text=text))

    def finish(self) -> Image.Image:
        """Close the page and turn it into pixels, lines and letters antialiased."""
        with self.page.open("a", encoding="latin-1") as page:
            page.write(self.run("psxy", "-R0/1/0/1", "-JX1i", "-T", "-O"))
        width, height = self.sheet.size
        smooth = ["-dTextAlphaBits=4", "-dGraphicsAlphaBits=4"]
        device = ["-sDEVICE=png16m", f"-r{DPI}", f"-g{width}x{height}", "-sOutputFile=page.png"]
        subprocess.run(
            ["gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", *smooth, *device, "page.ps"],
            cwd=self.folder,
            check=True,
        )
        with Image.open(self.folder / "page.png") as picture:
            return picture.convert("RGB")

    def draw_bar(self, step: int, minor: int) -> None:
        """The colour bar, exactly in its box."""
        left, top, right, bottom = self.sheet.bar
        corner = f"{(left - self.sheet.frame[0]) / DPI}i/{(self.sheet.frame[3] - bottom) / DPI}i"
        size = f"{(right - left) / DPI}i/{(bottom - top) / DPI}i"
        place = f"-Dx{corner}+w{size}+h+jBL"
        self.add("psscale", "-Cpalette.cpt", place, f"-Bxa{step}f{minor}+lElevation", "-By+lm")

    def write_labels(self, labels: Iterable[tuple[float, float, int, str]], rim: str = "") -> None:
        """Names of seas and lands in italics: (lon, lat, angle, name); with a rim such as "=~1.6p,white"."""
        lines = "".join(f"{lon} {lat} {angle} {name}\n" for lon, lat, angle, name in labels)
        self.add("pstext", "-R", "-J", f"-F+f8p,Helvetica-Oblique,black{rim}+a+jCM", text=lines)


def draw_indonesia() -> None:
    """GMT, plate carree: an affine map, as JPEG."""
    sheet = INDONESIA
    truth = write_truth(sheet, *read_etopo5(89.5, -12.5, 144.5, 22.5))
    west, south, east, north = sheet.extent
    left, top, right, bottom = sheet.frame
    region = f"-R{west}/{east}/{south}/{north}"
    with tempfile.TemporaryDirectory() as folder:
        gmt = Gmt(Path(folder), sheet)
        cells = f"-I{right - left}+n/{bottom - top}+n"
        gmt.run("grdsample", f"{truth.resolve()}=gd", region, cells, "-rp", "-nl+a", "-Gfine.nc")
        palette = gmt.run("makecpt", "-Cvik+h0", f"-T{sheet.limits[0]}/{sheet.limits[1]}")
        (gmt.folder / "palette.cpt").write_text(palette)
        gmt.add("grdimage", "fine.nc", region, f"-JQ117/0/{(right - left) / DPI}i", "-Cpalette.cpt")
        gmt.add("pscoast", "-R", "-J", "-Di", "-A300/0/1", "-W0.5p,black")
        gmt.write_labels(INDONESIAN_NAMES, rim="=~1.6p,white")
        gmt.add("psbasemap", "-R", "-J", "-Bxa10g10f5", "-Bya5g10f5", f"-BWSne+t{sheet.title}")
        gmt.draw_bar(2000, 1000)
        gmt.finish().save(sheet.path / sheet.picture, quality=90, optimize=True, dpi=(DPI, DPI))


INDONESIAN_NAMES = (
    (113.6, 14.6, 0, "South China Sea"),
    (131.5, 17.0, 0, "Philippine Sea"),
    (94.2, -7.2, 0, "Indian Ocean"),
    (121.6, 3.6, 0, "Celebes Sea"),
    (114.0, 0.6, 0, "Borneo"),
    (101.9, 15.6, 0, "Thailand"),
    (137.6, -6.2, 0, "New Guinea"),
    (112.0, -4.9, 0, "Java Sea"),
)
JAPANESE_NAMES = (
    (137.55, 41.3, 0, "Sea of Japan"),
    (152.5, 37.3, 0, "Pacific Ocean"),
    (146.6, 46.25, 0, "Sea of Okhotsk"),
    (127.75, 31.3, 7, "East China Sea"),
    (127.3, 43.3, 6, "Manchuria"),
    (145.0, 38.2, 0, "Japan Trench"),
    (137.0, 29.3, 2, "Shikoku Basin"),
)


def draw_japan() -> None:
    """GMT, Lambert conformal conic: curved meridians and parallels."""
    sheet = JAPAN
    truth = write_truth(sheet, *read_etopo5(121, 27, 159, 48))
    left, top, right, bottom = sheet.frame
    width, height = right - left, bottom - top
    west, south, east, north = (edge / 1000 for edge in sheet.extent)
    region, lambert = f"-R{west}/{east}/{south}/{north}+uk", f"-JL140/38/30/46/{width / DPI}i"
    with tempfile.TemporaryDirectory() as folder:
        gmt = Gmt(Path(folder), sheet)
        gmt.run("grdproject", f"{truth.resolve()}=gd", region, lambert, f"-E{DPI}", "-nl+a", "-Gflat.nc")
        palette = gmt.run("makecpt", "-Chaxby", f"-T{sheet.limits[0]}/{sheet.limits[1]}")
        (gmt.folder / "palette.cpt").write_text(palette)
        gmt.add("grdimage", "flat.nc", "-Rflat.nc", f"-JX{width / DPI}i/{height / DPI}i", "-Cpalette.cpt")
        gmt.add("pscoast", region, lambert, "-Di", "-A100/0/1", "-W0.5p,black")
        gmt.write_labels(JAPANESE_NAMES)
        gmt.add("psbasemap", "-R", "-J", "-Bxa5g5", "-Bya5g5", f"-BWSne+t{sheet.title}")
        gmt.draw_bar(2000, 1000)
        gmt.finish().save(sheet.path / sheet.picture, optimize=True, dpi=(DPI, DPI))


def draw_salish() -> None:
    """Matplotlib, degrees on both axes, vertical bar, zero contour."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.patheffects import withStroke

    sheet = SALISH
    values, affine = read_topobathy()
    write_truth(sheet, values, affine)
    width, height = sheet.size
    edges = (affine.c, affine.c + affine.a * values.shape[1], affine.f + affine.e * values.shape[0], affine.f)
    lons = affine.c + affine.a * (np.arange(values.shape[1]) + 0.5)
    lats = affine.f + affine.e * (np.arange(values.shape[0]) + 0.5)

    def place(box: tuple[int, int, int, int]) -> Box:
        left, top, right, bottom = box
        return left / width, 1 - bottom / height, (right - left) / width, (bottom - top) / height

    figure = plt.figure(figsize=(width / 100, height / 100), dpi=100)
    axes, bar = figure.add_axes(place(sheet.frame)), figure.add_axes(place(sheet.bar))
    low, high = sheet.limits
    image = axes.imshow(
        values, cmap="viridis", vmin=low, vmax=high, extent=edges, interpolation="bilinear", aspect="auto"
    )
    axes.contour(lons, lats, values, levels=[0], colors="black", linewidths=0.9)
    west, south, east, north = sheet.extent
    axes.set(xlim=(west, east), ylim=(south, north), yticks=(48.5, 49, 49.5), xticks=(-125, -124, -123))
    axes.xaxis.set_major_formatter(lambda degrees, _: f"{-degrees:g}°W")
    axes.yaxis.set_major_formatter(lambda degrees, _: f"{degrees:g}°N")
    axes.grid(color="white", linewidth=0.5, linestyle=(0, (4, 4)))
    axes.set_title(sheet.title, fontsize=15, pad=14)
    rim = [withStroke(linewidth=2.5, foreground="black")]
    for lon, lat, angle, name in SALISH_NAMES:
        axes.text(*(lon, lat, name), color="white", style="italic", rotation=angle, ha="center", path_effects=rim)
    figure.colorbar(image, cax=bar, label="Elevation (m)")
    figure.savefig(sheet.path / sheet.picture, dpi=100)
    plt.close(figure)


SALISH_NAMES = (
    (-124.62, 49.08, 0, "Vancouver Island"),
    (-123.6, 49.13, -48, "Strait of Georgia"),
    (-124.13, 48.25, -14, "Strait of Juan de Fuca"),
    (-125.2, 48.42, 0, "Pacific Ocean"),
    (-122.78, 49.72, 0, "Coast Mountains"),
)


def main() -> None:
    """Draw all maps and write what is known about them."""
    noaa = "ETOPO5, NOAA National Geophysical Data Center, 1988 (Debian package ferret-datasets); public domain"
    sample = "topobathy.npz, sample data of Matplotlib; rows interpolated to every 0.02 degrees of latitude"
    for sheet, draw, plotter, source in (
        (INDONESIA, draw_indonesia, "GMT 6", noaa),
        (SALISH, draw_salish, "Matplotlib 3", sample),
        (JAPAN, draw_japan, "GMT 6", noaa),
    ):
        draw()
        write_gcps(sheet)
        write_description(sheet, plotter, source)


if __name__ == "__main__":
    main()
