"""The paper of a page: its colour, how even it is, and what is not paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Paper", "evened", "find_paper", "ink_on"]

#: How far paper may be from its usual colour, of 255; on noisy scans so many times the noise, up to a limit.
TOLERANCE, TOLERANCE_LOSSY = 12, 26
NOISE_TIMES, LARGEST_TOLERANCE = 5.0, 30

#: Least share of the margin that has one colour, for it to be paper; and that follows the lamp's light on a scan.
LEAST_PAPER = 0.3
LEAST_LIT = 0.6

#: Light falls off over a scan by at most so much, of 255, and is evened out from so much on.
LARGEST_FALL, LEAST_FALL = 64, 6

_BLOCK_ROWS = 256


@dataclass(frozen=True, eq=False)
class Paper:
    """Paper as the margin of a picture shows it.

    Parameters
    ----------
    color : (3,) int16 array
    tolerance : int
        How far paper may be from it, of 255.
    light : (6, 3) float array or None
        Coefficients of 1, x, y, x², xy, y² (from -1 to 1 over the picture) for the colour, where it is uneven.
    """

    color: NDArray[np.int16]
    tolerance: int
    light: NDArray[np.float64] | None = None


def find_paper(pixels: NDArray[np.uint8], *, lossy: bool) -> Paper | None:
    """The usual colour of the picture's margin.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    lossy : bool
        Whether the picture went through JPEG or the like.

    Returns
    -------
    Paper or None
        None if no colour is usual there.
    """
    ring, x, y = _margin(pixels)
    keys = (ring.astype(np.int32) >> 3) @ np.array([1024, 32, 1])
    values, counts = np.unique(keys, return_counts=True)
    usual = np.median(ring[keys == values[np.argmax(counts)]], axis=0)
    close = float((np.abs(ring - usual).max(axis=1) <= TOLERANCE).mean())
    tolerance = TOLERANCE_LOSSY if lossy else TOLERANCE
    light, noise, lit = _light(ring, _terms(x, y), usual, tolerance)
    if lit >= LEAST_LIT:
        tolerance = max(tolerance, min(round(NOISE_TIMES * noise), LARGEST_TOLERANCE))
    if light is not None and lit >= max(LEAST_LIT, close + 0.05):
        return Paper(usual.astype(np.int16), tolerance, light)
    return Paper(usual.astype(np.int16), tolerance) if close >= LEAST_PAPER else None


def evened(pixels: NDArray[np.uint8], paper: Paper) -> NDArray[np.uint8]:
    """The picture under even light; the very same pixels where the paper is even."""
    if paper.light is None:
        return pixels
    height, width = pixels.shape[:2]
    x = np.linspace(-1, 1, width)
    out = np.empty_like(pixels)
    for top in range(0, height, _BLOCK_ROWS):
        rows = np.arange(top, min(top + _BLOCK_ROWS, height))
        y = 2 * rows[:, None] / max(height - 1, 1) - 1
        for band in range(3):
            c = paper.light[:, band]
            shade = (c[0] + c[1] * x + c[3] * x * x) + (c[2] * y + c[5] * y * y) + c[4] * x * y
            out[rows, :, band] = np.clip(pixels[rows, :, band] - shade + paper.color[band] + 0.5, 0, 255)
    return out


def ink_on(pixels: NDArray[np.uint8], paper: Paper) -> NDArray[np.bool_]:
    """Pixels that are not paper, (h, w), in a picture under even light."""
    ink = np.zeros(pixels.shape[:2], bool)
    for band in range(3):
        usual = int(paper.color[band])
        low, high = max(usual - paper.tolerance, 0), min(usual + paper.tolerance, 255)
        plane = pixels[..., band]
        if low > 0:
            ink |= plane < low
        if high < 255:
            ink |= plane > high
    return ink


def _margin(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.int16], NDArray[np.float64], NDArray[np.float64]]:
    """Colours (n, 3) at the picture's margin, and their places x and y from -1 to 1."""
    height, width = pixels.shape[:2]
    depth = max(2, min(height, width) // 100)
    colors, places = [], []
    for rows, cols in (
        (slice(0, depth), slice(0, width)),
        (slice(max(height - depth, 0), height), slice(0, width)),
        (slice(0, height), slice(0, depth)),
        (slice(0, height), slice(max(width - depth, 0), width)),
    ):
        high, wide = rows.stop - rows.start, cols.stop - cols.start
        chosen = np.arange(0, high * wide, max(1, high * wide // 20000))
        row, col = rows.start + chosen // wide, cols.start + chosen % wide
        row, col = np.minimum(row, height - 1), np.minimum(col, width - 1)
        colors.append(pixels[row, col].astype(np.int16))
        places.append(np.stack([2 * col / max(width - 1, 1) - 1, 2 * row / max(height - 1, 1) - 1]))
    x, y = np.concatenate(places, axis=1)
    return np.concatenate(colors), x, y


def _terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _light(
    ring: NDArray[np.int16], terms: NDArray[np.float64], usual: NDArray[np.float64], tolerance: int
) -> tuple[NDArray[np.float64] | None, float, float]:
    """Smooth light over the margin, the noise around it, and the share of the margin they explain.

    No light where it is even, or falls off more than a lamp's does.
    """
    near = np.abs(ring - usual).max(axis=1) <= LARGEST_FALL
    noise = 0.0
    light = np.zeros((6, 3))
    for _ in range(4):
        if near.sum() < 50:
            return None, 0.0, 0.0
        light = np.linalg.lstsq(terms[near], ring[near].astype(np.float64), rcond=None)[0]
        off = np.abs(ring - terms @ light).max(axis=1)
        noise = float(np.median(off[near]))
        near = off <= 3 * noise + 3
    lit = float((off <= max(tolerance, 3 * noise)).mean())
    fall = float(np.ptp(terms @ light, axis=0).max())
    return (light if LEAST_FALL <= fall <= LARGEST_FALL else None), noise, lit
