"""Drawn scenes stored as files, read back the way geocbar reads a map, and compared with their truth."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import GeocbarError
from geocbar.figure.layout import PixelBox
from geocbar.files.images import Picture, read_image
from geocbar.recipe import Recipe
from geocbar.scale_source import picture_coding, read_scale
from geocbar.value.colormaps import named_colors
from geocbar.value.inversion import Coding, Inversion, invert
from geocbar.value.reasons import Reason
from geocbar.value.recognition import recognize_colormap
from geocbar.value.recovery import recover_colors
from geocbar.value.scale import ColorScale
from tests.drawing import BACKGROUND, DATA, Scene, encode, score
from tests.drawing.palettes import palette_colors

__all__ = [
    "FORMATS",
    "NEAR_COLORS",
    "BlindReading",
    "read_blind",
    "read_scene",
    "score_classes",
    "score_reading",
    "store",
]

#: How a picture is stored: format and quality; JPEG with chroma at half the resolution.
FORMATS = {"PNG": ("png", 0), "JPEG q90": ("jpeg", 90), "JPEG q75": ("jpeg", 75), "GIF": ("gif", 0)}

#: A named colormap is the right one if its colours differ from the true ones by less (root mean square, 8-bit sRGB).
NEAR_COLORS = 4.0


def store(scene: Scene, stored_as: str) -> tuple[Picture, Coding]:
    """The picture as it comes back from its file, and how geocbar thinks it was packed."""
    kind, quality = FORMATS[stored_as]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"map.{kind}"
        file.write_bytes(encode(scene, kind, quality=quality, subsampling="4:2:0"))
        picture = read_image(file)
    return picture, picture_coding(picture)[0]


def read_scene(scene: Scene, stored_as: str, fill: int = 0) -> tuple[Inversion, ColorScale]:
    """Values of a stored scene by the bar in the same picture; told are the boxes, the end values and log or not.

    Raises
    ------
    GeocbarError
        If geocbar refuses the map.
    """
    picture, coding = store(scene, stored_as)
    frame = PixelBox(*scene.frame)
    low, high = (scene.vmax, scene.vmin) if scene.bar_descending else (scene.vmin, scene.vmax)
    box = ",".join(f"{round(edge)}" for edge in scene.bar_box)
    norm = "log" if scene.norm == "log" else "auto"
    recipe = Recipe(image="map", gcps="", colorbar=box, vmin=low, vmax=high, scale=norm)
    source = read_scale(recipe, picture, coding, frame)
    assert source.bar is not None
    inversion = invert(
        picture.pixels,
        source.scale,
        coding=coding,
        frame=frame,
        bar=source.bar.box,
        bar_length_px=source.bar_length_px,
        under=source.colors_beyond[0],
        over=source.colors_beyond[1],
        fill=fill,
    )
    return inversion, source.scale


def score_reading(scene: Scene, inversion: Inversion) -> dict[str, float]:
    """The figures of `tests.drawing.score` without the filled pixels, and those of the filled pixels by themselves.

    ``filled_percent`` of the data pixels have a value of their own or by filling; ``filled_rmse``, ``filled1`` and
    ``filled2`` are of the filled pixels under which the field has a value. For linear scales.
    """
    filled = inversion.reason == Reason.FILLED
    result = score(scene, inversion.values, inversion.sigma, ~filled)
    result["filled_percent"] = 100 * float(np.isfinite(inversion.values[scene.kind == DATA]).mean())
    known = filled & np.isfinite(scene.under) & (scene.kind != BACKGROUND)
    error = np.abs(inversion.values - scene.under)[known].astype(np.float64)
    sigma = inversion.sigma[known]
    share = 100 / (scene.vmax - scene.vmin)
    nothing = not known.any()
    result["filled_rmse"] = np.nan if nothing else share * float(np.sqrt((error**2).mean()))
    result["filled1"] = np.nan if nothing else 100 * float((error <= sigma).mean())
    result["filled2"] = np.nan if nothing else 100 * float((error <= 2 * sigma).mean())
    return result


def score_classes(scene: Scene, inversion: Inversion) -> dict[str, float]:
    """Percentages: data kept, of them the right class and the true value within half a class, and invented classes.

    A class is invented if no pixel of the 3 x 3 around has it; asked at all data pixels and antialiased boundaries.
    """
    assert scene.class_edges is not None
    n = len(scene.class_edges) - 1
    under = np.nan_to_num(scene.under, nan=scene.vmin)
    true = np.clip(np.digitize(under, scene.class_edges) - 1, 0, n - 1)
    has = np.isfinite(inversion.values)
    read = np.digitize(np.where(has, inversion.values, scene.vmin), scene.class_edges) - 1
    around = np.zeros(has.shape, bool)
    padded = np.pad(true, 1, mode="edge")
    for row in range(3):
        for col in range(3):
            around |= padded[row : row + has.shape[0], col : col + has.shape[1]] == read
    data = (scene.kind == DATA) & scene.in_range
    edge = np.zeros(has.shape, bool) if scene.edge is None else scene.edge
    kept, asked = data & has, (data | edge) & has
    near = np.abs(inversion.values - scene.under)[kept] <= np.sqrt(3) * 1.001 * inversion.sigma[kept]
    return {
        "classes": n,
        "kept": 100 * float(has[data].mean()),
        "right": 100 * float((read == true)[kept].mean()) if kept.any() else np.nan,
        "within": 100 * float(near.mean()) if kept.any() else np.nan,
        "invented": 100 * float((~around)[asked].mean()) if asked.any() else np.nan,
        "edge_valued": 100 * float(has[edge].mean()) if edge.any() else np.nan,
    }


@dataclass(frozen=True)
class BlindReading:
    """What is found without a bar: a name (`right`: the true one), and the order of the colours."""

    name: str
    right: bool
    rmse: float
    kept: float
    refusal: str = ""


def read_blind(scene: Scene, stored_as: str) -> BlindReading:
    """Name the colormap and order the colours by the inside of the frame alone.

    The error is what remains after the best relabelling that keeps the order (isotonic regression).
    """
    picture, coding = store(scene, stored_as)
    window = PixelBox(*scene.frame).slices(picture.width, picture.height)
    pixels = np.ascontiguousarray(picture.pixels[window])
    name = recognize_colormap(pixels, None, lossy=coding.lossy).name or ""
    right = bool(name) and _same_colors(name, scene.colormap)
    try:
        found = recover_colors(pixels, None, lossy=coding.lossy)
        scale = ColorScale.from_colors(found.colors, found.positions, vmin=0, vmax=1)
        read = invert(pixels, scale, coding=coding, shading="none").values
    except GeocbarError as error:
        return BlindReading(name, right, np.nan, np.nan, str(error).splitlines()[0])
    data = ((scene.kind == DATA) & scene.in_range)[window]
    kept = data & np.isfinite(read)
    truth = (scene.under[window] - scene.vmin) / (scene.vmax - scene.vmin)
    error = _error_in_order(read[kept], truth[kept])
    return BlindReading(name, right, error, 100 * float(kept.sum() / data.sum()))


def _same_colors(name: str, true_name: str) -> bool:
    true, named = 255 * palette_colors(true_name), named_colors(name, 256).colors
    off = min(float(np.sqrt(((true - table) ** 2).mean())) for table in (named, named[::-1]))
    return len(named) == len(true) and off < NEAR_COLORS


def _error_in_order(read: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    from sklearn.isotonic import IsotonicRegression

    read, truth = read[::29].astype(np.float64), truth[::29].astype(np.float64)
    read = read if np.corrcoef(read, truth)[0, 1] >= 0 else -read
    relabelled = IsotonicRegression().fit(read, truth).predict(read)
    return 100 * float(np.sqrt(((relabelled - truth) ** 2).mean()))
