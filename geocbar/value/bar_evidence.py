"""What speaks for a strip being a colour bar: its colours explain the figure, and they stand in an order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.layout import PixelBox
from geocbar.value.bar_box import FittedStrip

__all__ = ["COLORED", "FigureColors", "disorder", "sample_figure", "shares_explained", "without_colors"]

#: Colours are coloured, not grey, from this difference between the largest and the smallest channel on.
COLORED = 24

#: Pixels of the figure that are looked at, and colours of the strip.
SAMPLE, STRIP_COLORS = 24_000, 72


#: Cosine between two colours that differ in brightness only, and what explaining by them counts.
SAME_DIRECTION, SHADED_WEIGHT = 0.997, 0.6


@dataclass(frozen=True, eq=False)
class FigureColors:
    """A sample of a figure's pixels.

    Parameters
    ----------
    colors : (k, 3) float array
        Different colours.
    index : (n,) int array
        Colour of each pixel.
    rows, cols : (n,) int array
        Place of each pixel in the reduced picture.
    vivid, printed : (n,) bool array
        Pixels that are coloured, and pixels that are not paper.
    vivid_counts, printed_counts : (k,) int array
        How many of them have each colour.
    """

    colors: NDArray[np.float64]
    index: NDArray[np.intp]
    rows: NDArray[np.intp]
    cols: NDArray[np.intp]
    vivid: NDArray[np.bool_]
    printed: NDArray[np.bool_]
    vivid_counts: NDArray[np.intp]
    printed_counts: NDArray[np.intp]


def sample_figure(planes: NDArray[np.int16], frame: PixelBox | None, factor: int) -> FigureColors:
    """Sample a figure's pixels.

    Parameters
    ----------
    planes : (3, rows, cols) int16 array
        The reduced picture.
    frame : PixelBox or None
        Only pixels inside it, in pixels of the whole picture.
    factor : int
        How many times smaller the reduced picture is.

    Returns
    -------
    FigureColors
    """
    _, rows, cols = planes.shape
    step = max(1, int(np.sqrt(rows * cols / SAMPLE)))
    at_rows, at_cols = (index.ravel() for index in np.mgrid[step // 2 : rows : step, step // 2 : cols : step])
    rim = np.concatenate(
        [side.reshape(3, -1) for side in (planes[:, :2], planes[:, -2:], planes[:, :, :2], planes[:, :, -2:])], axis=1
    )
    packed = (rim[0] >> 3).astype(int) * 1024 + (rim[1] >> 3) * 32 + (rim[2] >> 3)
    paper = np.median(rim[:, packed == np.bincount(packed).argmax()], axis=1)
    if frame is not None:
        inside = (at_rows * factor >= frame.top) & (at_rows * factor < frame.bottom)
        inside &= (at_cols * factor >= frame.left) & (at_cols * factor < frame.right)
        if inside.any():
            at_rows, at_cols = at_rows[inside], at_cols[inside]
    pixels = planes[:, at_rows, at_cols].astype(np.int64)
    cells, index = np.unique((pixels[0] >> 3) * 1024 + (pixels[1] >> 3) * 32 + (pixels[2] >> 3), return_inverse=True)
    sums = np.stack([np.bincount(index, plane, len(cells)) for plane in pixels], axis=1)
    colors = sums / np.bincount(index, minlength=len(cells))[:, None]
    printed = np.abs(pixels - paper[:, None]).max(axis=0) > 12
    high, low = np.maximum.reduce(pixels), np.minimum.reduce(pixels)
    vivid = printed & (high - low > COLORED)
    counts = [np.bincount(index[chosen], minlength=len(cells)) for chosen in (vivid, printed)]
    return FigureColors(colors, index, at_rows, at_cols, vivid, printed, counts[0], counts[1])


def without_colors(figure: FigureColors, colors: NDArray[np.float64], near: float) -> FigureColors:
    """What a strip leaves to be explained by others.

    Parameters
    ----------
    figure : FigureColors
    colors : (n, 3) float array
        Along the strip.
    near : float
        Colours are the same up to this distance (8-bit sRGB units).

    Returns
    -------
    FigureColors
        The figure without the pixels near the strip's colours.
    """
    few = colors[np.linspace(0, len(colors) - 1, min(len(colors), STRIP_COLORS)).astype(int)]
    away = (figure.colors**2).sum(axis=1)[:, None] + (few**2).sum(axis=1)[None] - 2 * figure.colors @ few.T
    left = away.min(axis=1) > near**2
    return replace(
        figure,
        vivid=figure.vivid & left[figure.index],
        printed=figure.printed & left[figure.index],
        vivid_counts=np.where(left, figure.vivid_counts, 0),
        printed_counts=np.where(left, figure.printed_counts, 0),
    )


def shares_explained(
    colors: NDArray[np.float64], box: tuple[int, int, int, int], figure: FigureColors, near: float, grey: bool
) -> tuple[float, float]:
    """How well a strip and its figure explain each other.

    Parameters
    ----------
    colors : (n, 3) float array
        Colours along the strip.
    box : (left, top, right, bottom)
        The strip in the reduced picture; what lies in it is not counted.
    figure : FigureColors
    near : float
        Colours are the same up to this distance (8-bit sRGB units).
    grey : bool
        Whether grey pixels count too: for strips without colour.

    Returns
    -------
    explained : float
        Share of the coloured pixels near the strip's colours.
    met : float
        Share of the strip's colours that the figure shows.
    """
    left, top, right, bottom = box
    wanted = figure.printed if grey else figure.vivid
    hidden = (figure.rows >= top - 2) & (figure.rows < bottom + 2) & (figure.cols >= left - 2)
    hidden &= figure.cols < right + 2
    hidden &= wanted
    counts = (figure.printed_counts if grey else figure.vivid_counts) - np.bincount(
        figure.index[hidden], minlength=len(figure.colors)
    )
    shown = counts > 0
    if counts.sum() < 30:
        return 0.0, 0.0
    few = colors[np.linspace(0, len(colors) - 1, min(len(colors), STRIP_COLORS)).astype(int)]
    few, seen = few.astype(np.float32), figure.colors[shown].astype(np.float32)
    away = (seen**2).sum(axis=1)[:, None] + (few**2).sum(axis=1)[None] - 2 * seen @ few.T
    weights = counts[shown] / counts.sum()
    explained = float(weights[away.min(axis=1) <= near**2].sum())
    if not grey:
        explained = max(explained, SHADED_WEIGHT * float(weights[_same_hue(seen, few)].sum()))
    met = away.min(axis=0) <= near**2
    colored = np.ones(len(few), bool) if grey else np.ptp(few, axis=1) > COLORED
    return explained, float(met[colored].mean()) if colored.any() else float(met.mean())


def _same_hue(seen: NDArray[np.float32], few: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Colours that are darker ones of the strip, as relief shading makes them: of one direction from black."""
    own, others = (colors / np.maximum(np.linalg.norm(colors, axis=1, keepdims=True), 1.0) for colors in (seen, few))
    return np.asarray((own @ others.T).max(axis=1) >= SAME_DIRECTION) & (seen.max(axis=1) > 40)


def disorder(upright: NDArray[np.uint8], fitted: FittedStrip) -> float:
    """How much longer the way through the boxes of a bar is than the shortest tree that connects their colours.

    Parameters
    ----------
    upright : (h, w, 3) uint8 array
        The whole picture, turned so that the bar stands upright.
    fitted : FittedStrip

    Returns
    -------
    float
        About 1 for colours in an order; 1 for fewer than four boxes.

    References
    ----------
    Prim, R. C. (1957). Shortest connection networks and some generalizations. Bell System Technical Journal 36,
    1389-1401. https://doi.org/10.1002/j.1538-7305.1957.tb01515.x
    """
    limits = [fitted.top, *fitted.breaks, fitted.bottom]
    middle = int((fitted.left + fitted.right) / 2)
    rows = [min(int((a + b) / 2), len(upright) - 1) for a, b in itertools.pairwise(limits)]
    colors = upright[rows, middle].astype(np.float64)
    if len(colors) < 4:
        return 1.0
    apart = np.sqrt(((colors[:, None] - colors[None]) ** 2).sum(axis=2))
    way = float(np.trace(apart, offset=1))
    nearest, tree = apart[0].copy(), 0.0
    nearest[0] = np.inf
    for _ in range(len(colors) - 1):
        new = int(nearest.argmin())
        tree += float(nearest[new])
        nearest = np.where(np.isinf(nearest), np.inf, np.minimum(nearest, apart[new]))
        nearest[new] = np.inf
    return way / max(tree, 1e-9)
