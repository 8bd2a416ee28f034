"""Paper, land fill, holes and legend boxes: large flat colours that stand for no value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.value.blocks import Tile, cut_tiles, do_all
from geocbar.value.color import pack_colors
from geocbar.value.masks import grown, opened, shrunk
from geocbar.value.projection import ColumnPicture

__all__ = ["FlatColor", "find_flat_colors", "mark_background", "search_stride"]

#: A flat colour must cover this share of the map, in pieces of at least a fifth of it.
MIN_SHARE = 1e-3

#: A colour on the scale is fill if the values around it differ by more than this share of the range ...
FILL_JUMP = 0.12
#: ... and data if they come as near as this.
DATA_JUMP = 0.05
#: It is data if this share of its border passes gradually into the colours around it,
DATA_TOUCH = 0.6
#: and fill if less than this share does.
FILL_TOUCH = 0.25

#: A colour this near to being off the scale is fill unless it passes gradually into the colours around it.
DOUBTFUL = 0.55

#: Lines over a fill are up to twice this wide, with the pixels they are mixed with: lossless, JPEG.
OVERDRAWN = (2, 4)

#: So many flat colours on the scale that stand out, of this share of the map each, are plateaus of the data.
MANY_PLATEAUS, LARGE_SHARE = 4, 0.005

_MAX_COLORS = 20
_MOST_PIXELS = 800_000

#: Pictures are worked on in tiles; what is farther away than the rim has no influence on a pixel.
_TILE, _RIM = 1024, 16


@dataclass(frozen=True, eq=False)
class FlatColor:
    """One large flat colour of a map.

    Parameters
    ----------
    color : (3,) int array
        sRGB.
    share : float
        Of the map's pixels.
    distance : float
        From the scale, in 8-bit sRGB units.
    jump : float
        Median difference between its own value and those around it, as a share of the scale; NaN if nothing around
        it has a value.
    touch : float
        Share of the pixels just outside its border that have almost its value; NaN if none has a value.
    verdict : {"fill", "data", "unsure"}
    region : (h / stride, w / stride) bool array
        Where it is, at every `stride`-th row and column.
    stride : int
        Large pictures are looked at every few pixels.
    """

    color: NDArray[np.intp]
    share: float
    distance: float
    jump: float
    touch: float
    verdict: str
    region: NDArray[np.bool_]
    stride: int = 1

    def region_at(self, rows: slice, cols: slice) -> NDArray[np.bool_]:
        """The region in a part of the picture, at full size."""
        down, across = (np.arange(part.start, part.stop) // self.stride for part in (rows, cols))
        return self.region[down[0] : down[-1] + 1, across[0] : across[-1] + 1][
            (down - down[0])[:, None], across - across[0]
        ]


def find_flat_colors(
    pixels: NDArray[np.uint8],
    unit: NDArray[np.float32],
    distance: NDArray[np.float32] | ColumnPicture,
    *,
    off_scale: float,
    lossy: bool,
    page: tuple[int, int, int] | None = None,
) -> list[FlatColor]:
    """Find large flat colours and tell fills from plateaus of the data.

    A colour off the scale is a fill. A colour on the scale is one if, a few pixels outside its border (beyond a line
    drawn along it), values differ from its own by far: data reach a plateau of their own gradually. On lossless
    pictures the border itself tells: one step of colour further lies the next value of the data.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The map, without its margins.
    unit : (h, w) float32 array
        Values in the scale's even coordinate (0 to 1).
    distance : (h, w) float32 array, or ColumnPicture
        Distances of the colours from the scale.
    off_scale : float
        Distance beyond which the mean colour of a large region is not of the scale.
    lossy : bool
        JPEG blurs flat colours by a few units.
    page : (r, g, b) or None
        Colour of the paper round the map: where it occurs inside, it is a fill unless it passes gradually into data.

    Returns
    -------
    list of FlatColor
        Largest first.
    """
    stride = search_stride(unit.shape)
    every = slice(None, None, stride)
    pixels, unit, away = pixels[every, every], unit[every, every], distance[every, every]
    flat = _spread(pixels, 5 if lossy else 3) <= (5 if lossy else 0)
    colors = _modal_colors(pixels[flat], unit.size, 4 if lossy else 1)
    number = _numbered(pixels, colors, 5 if lossy else 0)
    found = []
    for i, color in enumerate(colors, start=1):
        region = _large_pieces(number == i, unit.size)
        if region is not None:
            found.append(_judge(color, number == i, region, unit, away, off_scale, page, lossy))
    found = _spare_plateaus(found, off_scale, page, lossy)
    return sorted((replace(flat_color, stride=stride) for flat_color in found), key=lambda f: -f.share)


def search_stride(shape: tuple[int, ...]) -> int:
    """Every how many rows and columns :func:`find_flat_colors` looks at a picture of a shape."""
    return max(int(np.ceil(np.sqrt(shape[0] * shape[1] / _MOST_PIXELS))), 1)


def _spare_plateaus(
    found: list[FlatColor], off_scale: float, page: tuple[int, int, int] | None, lossy: bool
) -> list[FlatColor]:
    """Where many flat colours on the scale stand out from what is around them, the data themselves are plateaus."""
    on_scale = [
        flat
        for flat in found
        if flat.verdict != "data"
        and flat.distance <= DOUBTFUL * off_scale
        and flat.share >= LARGE_SHARE
        and not _is_page(flat.color, page, lossy)
    ]
    if len(on_scale) < MANY_PLATEAUS:
        return found
    spared = {id(flat) for flat in on_scale if flat.verdict == "fill"}
    return [replace(flat, verdict="unsure") if id(flat) in spared else flat for flat in found]


def _is_page(color: NDArray[np.intp], page: tuple[int, int, int] | None, lossy: bool) -> bool:
    return page is not None and bool(np.abs(color - page).max() <= (6 if lossy else 0))


def mark_background(
    pixels: NDArray[np.uint8],
    flats: Iterable[FlatColor],
    given: Iterable[tuple[int, int, int]],
    *,
    lossy: bool,
) -> NDArray[np.bool_]:
    """Pixels of the fills that were found, and of background colours that were given.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    flats : iterable of FlatColor
        Those with the verdict ``"fill"`` are marked, with the pixels of their colour beside them.
    given : iterable of (r, g, b)
        Marked wherever they occur.
    lossy : bool

    Returns
    -------
    (h, w) bool array
    """
    fills = [flat for flat in flats if flat.verdict == "fill"]
    colors = list(given)
    out = np.zeros(pixels.shape[:2], bool)

    def work(tile: Tile) -> None:
        out[tile.inner] = _marked(pixels[tile.seen], tile.seen, fills, colors, lossy)[tile.within]

    if fills or colors:
        do_all(work, cut_tiles(out.shape, _TILE, _RIM if fills else 0))
    return out


def _marked(
    pixels: NDArray[np.uint8],
    seen: tuple[slice, slice],
    fills: Iterable[FlatColor],
    given: Iterable[tuple[int, int, int]],
    lossy: bool,
) -> NDArray[np.bool_]:
    out = np.zeros(pixels.shape[:2], bool)
    for flat in fills:
        region = flat.region_at(*seen)
        if region.any():
            reach = grown(region, 5 if lossy else 1)
            fill = region | (reach & _near(pixels, flat.color, 14 if lossy else 0))
            # Lines drawn over a fill, and what JPEG smears around them, belong to it.
            out |= shrunk(grown(fill, OVERDRAWN[lossy]), OVERDRAWN[lossy])
    for color in given:
        out |= _near(pixels, np.array(color), 12 if lossy else 2)
    return out


def _near(pixels: NDArray[np.uint8], color: NDArray[np.intp], tolerance: int) -> NDArray[np.bool_]:
    """Where every channel is within a tolerance of a colour."""
    out = np.ones(pixels.shape[:2], bool)
    for band in range(3):
        low, high = max(int(color[band]) - tolerance, 0), min(int(color[band]) + tolerance, 255)
        out &= (pixels[..., band] >= low) & (pixels[..., band] <= high)
    return out


def _spread(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Largest range of a channel in the square around each pixel."""
    spread = np.zeros(pixels.shape[:2], np.uint8)
    for band in range(3):
        channel = np.ascontiguousarray(pixels[..., band])
        high = ndimage.maximum_filter(channel, size)
        high -= ndimage.minimum_filter(channel, size)
        np.maximum(spread, high, out=spread)
    return spread


def _modal_colors(colors: NDArray[np.uint8], size: int, step: int) -> list[NDArray[np.intp]]:
    """Most frequent colours of flat pixels, at least a third of the smallest share each."""
    if not len(colors):
        return []
    packed = pack_colors(colors // step)
    binned, first, counts = np.unique(packed, return_index=True, return_counts=True)
    order = np.argsort(-counts)[:_MAX_COLORS]
    order = order[counts[order] >= MIN_SHARE * size / 3]
    if step == 1:
        return [colors[first[i]].astype(np.intp) for i in order]
    return [np.rint(np.median(colors[packed == binned[i]], axis=0)).astype(np.intp) for i in order]


def _numbered(pixels: NDArray[np.uint8], colors: list[NDArray[np.intp]], tolerance: int) -> NDArray[np.uint8]:
    """Which of some colours each pixel has, from 1; 0 for none. The more frequent one wins."""
    table = np.zeros((256, 256, 256), np.uint8)
    for i in range(len(colors), 0, -1):
        low, high = np.maximum(colors[i - 1] - tolerance, 0), colors[i - 1] + tolerance + 1
        table[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = i
    return table.ravel()[pack_colors(pixels)]


def _large_pieces(near: NDArray[np.bool_], size: int) -> NDArray[np.bool_] | None:
    labels, n = ndimage.label(opened(near, 1))
    if n == 0:
        return None
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    region = (areas >= MIN_SHARE * size / 5)[np.asarray(labels)]
    return region if region.sum() >= MIN_SHARE * size else None


def _judge(
    color: NDArray[np.intp],
    near: NDArray[np.bool_],
    region: NDArray[np.bool_],
    unit: NDArray[np.float32],
    distance: NDArray[np.float32],
    off_scale: float,
    page: tuple[int, int, int] | None,
    lossy: bool,
) -> FlatColor:
    away = float(np.median(distance[region]))
    own = float(np.median(unit[region]))
    # Lines drawn over a fill are closed, so that only its true surroundings count.
    reach = 6 if lossy else 3
    closed = shrunk(grown(region, reach), reach)
    inner = grown(closed, 4 if lossy else 3)
    outer = grown(inner, 4)
    band = outer & ~inner & ~near & (distance < max(off_scale, 8.0))
    jump = float(np.median(np.abs(unit[band] - own))) if band.any() else float("nan")
    border = grown(closed, 4) & ~grown(closed, 1) if lossy else grown(closed, 2) & ~closed
    valued = border & (distance < max(off_scale, 8.0))
    close = np.abs(unit[valued] - own) < (0.04 if lossy else 0.02)
    touch = float(close.sum() / border.sum()) if border.any() else float("nan")
    verdict = _verdict(away / off_scale, _is_page(color, page, lossy), jump, touch)
    return FlatColor(color, float(region.mean()), away, jump, touch, verdict, region)


def _verdict(off: float, page: bool, jump: float, touch: float) -> str:
    """By the distance from the scale (1: certainly off it), and by what lies around."""
    if off > 1:
        return "fill"
    if touch >= DATA_TOUCH:
        return "data"
    if touch < DATA_TOUCH and (page or off > DOUBTFUL):
        return "fill"
    if jump >= FILL_JUMP or (jump >= DATA_JUMP and touch < FILL_TOUCH):
        return "fill"
    return "data" if jump < DATA_JUMP or np.isnan(jump) else "unsure"
