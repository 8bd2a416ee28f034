"""What packing a picture as JPEG once more would do to its colours: a measure of what packing it did before.

A decoded JPEG hardly changes when packed again on the same block grid. On a grid that is shifted, the same tables make
an error of the same kind and size as the first time, and that error can be seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError

__all__ = ["requantize", "standard_tables"]

_BLOCK = 8

#: Rows of a tile worked on at once: what is in hand stays in the processor's cache.
_ROWS = 128

#: Full-range luma and chroma of JPEG files from sRGB, and back (ITU-T T.871).
_TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168735892, -0.331264108, 0.5], [0.5, -0.418687589, -0.081312411]], np.float32
)

#: Tables of ITU-T T.81, annex K, row by row: luma and chroma at quality 50.
_LUMA = (
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    *(17, 18, 24, 47, 99, 99, 99, 99),
    *(18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99),
    *(47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)


def standard_tables(quality: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Quantization tables most programs use at a quality, for pictures whose own tables are lost.

    Parameters
    ----------
    quality : int
        1 to 100, as given to libjpeg.

    Returns
    -------
    luma, chroma : tuple of 64 int
        Row by row.

    Raises
    ------
    InvalidInputError
        For another quality.

    Examples
    --------
    >>> standard_tables(90)[0][:8]
    (3, 2, 2, 3, 5, 8, 10, 12)
    """
    if not 1 <= quality <= 100:
        raise InvalidInputError(f"There is no JPEG quality {quality}.", "Give 1 to 100.")
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    luma, chroma = (tuple(min(max((q * percent + 50) // 100, 1), 255) for q in table) for table in (_LUMA, _CHROMA))
    return luma, chroma


def requantize(
    pixels: NDArray[np.uint8],
    tables: Sequence[Sequence[int]],
    subsampling: int = 2,
    shift: tuple[int, int] = (0, 0),
) -> NDArray[np.uint8]:
    """Colours after packing as JPEG and unpacking.

    The steps are those of libjpeg [1]_: YCbCr in whole numbers, chroma averaged over 2 x 1 or 2 x 2 pixels, cosine
    transform of 8 x 8 blocks, rounding to multiples of the tables, and back with the triangle filter for chroma.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    tables : sequence of 64-entry sequences
        Quantization tables, row by row of the block (as Pillow gives them since version 8.3): luma first; the second
        is for both chroma channels unless there is a third.
    subsampling : int
        Chroma: 0 for 4:4:4, 1 for 4:2:2, anything else for 4:2:0.
    shift : (int, int)
        The block grid begins this many rows above and columns left of the first pixel.

    Returns
    -------
    (h, w, 3) uint8 array

    Raises
    ------
    InvalidInputError
        If there is no table, or one without 64 positive entries.

    References
    ----------
    .. [1] ITU-T T.81 and T.871; the chroma filters are those of https://github.com/libjpeg-turbo/libjpeg-turbo
    """
    steps = [np.asarray(table, np.float32) for table in tables]
    if not steps or any(step.shape != (64,) or not (step > 0).all() for step in steps):
        raise InvalidInputError(f"JPEG tables have 64 positive entries each, not {[len(t) for t in tables]}.")
    height, width = pixels.shape[:2]
    factor_y, factor_x = {0: (1, 1), 1: (1, 2)}.get(subsampling, (2, 2))
    unit_y, unit_x = _BLOCK * factor_y, _BLOCK * factor_x
    top, left = shift[0] % unit_y, shift[1] % unit_x
    below, right = -(top + height) % unit_y, -(left + width) % unit_x
    padded = np.pad(pixels, ((top, below), (left, right), (0, 0)), mode="edge")
    luma, *chroma = _to_ycc(padded)
    blocks = [_round_blocks(luma, steps[0])]
    for number, channel in enumerate(chroma, start=1):
        small = _shrink(channel, factor_y, factor_x)
        blocks.append(_enlarge(_round_blocks(small, steps[min(number, len(steps) - 1)]), factor_y, factor_x))
    return _to_rgb(*(channel[top : top + height, left : left + width] for channel in blocks))


def _to_ycc(pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Luma and chroma, both round 0, in whole numbers."""
    red, green, blue = (pixels[..., band].astype(np.float32) for band in range(3))
    channels = []
    for weights, offset in zip(_TO_YCC, (-128.0, 0.0, 0.0), strict=True):
        channel = red * weights[0]
        channel += green * weights[1]
        channel += blue * weights[2]
        channel += np.float32(offset)
        channels.append(np.rint(channel, out=channel))
    return channels


def _to_rgb(luma: NDArray[np.float32], blue: NDArray[np.float32], red: NDArray[np.float32]) -> NDArray[np.uint8]:
    pixels = np.empty((*luma.shape, 3), np.uint8)
    mixes = ((0.0, 1.402), (-0.344136286, -0.714136286), (1.772, 0.0))
    for band, (of_blue, of_red) in enumerate(mixes):
        channel = luma + np.float32(128.5)
        if of_blue:
            channel += np.float32(of_blue) * blue
        if of_red:
            channel += np.float32(of_red) * red
        pixels[..., band] = np.clip(channel, 0, 255, out=channel)
    return pixels


def _cosines() -> NDArray[np.float32]:
    """(64, 64) matrix that takes a block, row by row, to its orthonormal cosine transform."""
    k = np.arange(_BLOCK)
    basis = np.sqrt(2 / _BLOCK) * np.cos(np.pi * (2 * k + 1) * k[:, None] / (2 * _BLOCK))
    basis[0] /= np.sqrt(2)
    return np.kron(basis, basis).astype(np.float32)


def _round_blocks(channel: NDArray[np.float32], step: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round the cosine transform of every 8 x 8 block to multiples of `step`, and go back to whole numbers."""
    height, width = channel.shape
    cosines = _cosines()
    forward = np.ascontiguousarray((cosines / step[:, None]).T)
    backward = cosines * step[:, None]
    out = np.empty_like(channel)
    for start in range(0, height, _ROWS):
        rows = channel[start : start + _ROWS]
        grid = (len(rows) // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
        blocks = rows.reshape(grid).transpose(0, 2, 1, 3).reshape(-1, _BLOCK * _BLOCK)
        waves = _times(blocks, forward)
        np.rint(waves, out=waves)
        blocks = _times(waves, backward)
        back = blocks.reshape(grid[0], grid[2], _BLOCK, _BLOCK).transpose(0, 2, 1, 3).reshape(rows.shape)
        np.rint(back, out=back)
        np.clip(back, -128, 127, out=out[start : start + _ROWS])
    return out


def _times(blocks: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Matrix product in pieces that are too small to be shared among threads: that is done by tiles already."""
    size = _BLOCK * _BLOCK
    whole = len(blocks) // size * size
    out = np.empty_like(blocks)
    np.matmul(blocks[:whole].reshape(-1, size, size), matrix, out=out[:whole].reshape(-1, size, size))
    np.matmul(blocks[whole:], matrix, out=out[whole:])
    return out


def _shrink(channel: NDArray[np.float32], factor_y: int, factor_x: int) -> NDArray[np.float32]:
    """Means over 1 x 2 or 2 x 2 pixels; halves are rounded up and down in turn."""
    if factor_x == 1:
        return channel
    total = channel[:, ::2] + channel[:, 1::2]
    if factor_y == 2:
        total = total[::2] + total[1::2]
    bias = np.array([1, 2] if factor_y == 2 else [0, 1], np.float32)
    total += np.resize(bias, total.shape[1])
    total /= factor_x * factor_y
    return np.floor(total, out=total)


def _enlarge(channel: NDArray[np.float32], factor_y: int, factor_x: int) -> NDArray[np.float32]:
    """The triangle filter: three parts of the pixel itself, one of the neighbour on the nearer side."""
    if factor_x == 1:
        return channel
    if factor_y == 2:
        channel = _doubled(channel)
    wide = _doubled(channel.T).T
    parts = 4 ** (factor_x * factor_y // 2)
    bias = np.array([8, 7] if factor_y == 2 else [1, 2], np.float32)
    wide += np.resize(bias, wide.shape[1])
    wide /= parts
    return np.floor(wide, out=wide)


def _doubled(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows doubled, times four."""
    out = np.empty((2 * len(channel), channel.shape[1]), np.float32)
    for half, neighbour in ((0, np.r_[0, : len(channel) - 1]), (1, np.r_[1 : len(channel), len(channel) - 1])):
        np.multiply(channel, 3, out=out[half::2])
        out[half::2] += channel[neighbour]
    return out
