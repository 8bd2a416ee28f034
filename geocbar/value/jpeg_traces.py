"""Whether a picture stored without loss went through JPEG before.

Paper is smudged round lines and letters (good compression), or the edges of the 8 x 8 blocks can be seen (strong one).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["blockiness", "smudged_share", "was_jpeg"]

_BLOCK = 8
_RIM = 6

#: A block shows an edge on paper if so many of its 64 pixels are paper and so many stand out from it.
_PAPER, _EDGE, _CONTRAST = 16, 2, 60
#: It is smudged if so many pixels differ from the paper by so little: antialiasing makes hardly any of those.
_SMUDGED, _FAINT = 6, 3

#: Share of smudged blocks, and number of blocks with an edge, from which a picture counts as a former JPEG.
THRESHOLD, LEAST_BLOCKS = 0.3, 20

#: With no more smudged blocks than this a picture never was a JPEG, however its jumps are spread.
CLEAN = 0.03

#: Jumps up to this many grey levels count for the edges of blocks; larger ones are lines and edges of the map.
_CALM = 12
_MOST_PIXELS = 4_000_000

#: Blockiness from which a picture counts as a former JPEG.
BLOCKY = 1.1


def smudged_share(pixels: NDArray[np.uint8]) -> tuple[float, int]:
    """How many of the 8 x 8 blocks that show a line or letter on paper are smudged.

    JPEG cuts the small waves of a block off, so that a black line on white leaves faint traces all over its block.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The whole picture, with its margins; the paper is the most frequent colour along its rim.

    Returns
    -------
    share : float
        Of the blocks with an edge on paper; 0 if there is none.
    blocks : int
        How many of those there are.
    """
    height, width = (size // _BLOCK * _BLOCK for size in pixels.shape[:2])
    if min(height, width) < 2 * _BLOCK:
        return 0.0, 0
    sides = (pixels[:_RIM], pixels[-_RIM:], pixels[:, :_RIM], pixels[:, -_RIM:])
    colors, counts = np.unique(np.concatenate([side.reshape(-1, 3) for side in sides]), axis=0, return_counts=True)
    paper = colors[np.argmax(counts)].astype(np.int16)
    smudged = edges = 0
    for top in range(0, height, 64 * _BLOCK):
        part = pixels[top : min(top + 64 * _BLOCK, height), :width]
        off = np.zeros(part.shape[:2], np.int16)
        for band in range(3):
            np.maximum(off, np.abs(part[..., band].astype(np.int16) - paper[band]), out=off)
        blocks = off.reshape(-1, _BLOCK, width // _BLOCK, _BLOCK)
        on_paper = (blocks == 0).sum(axis=(1, 3)) >= _PAPER
        edge = on_paper & ((blocks >= _CONTRAST).sum(axis=(1, 3)) >= _EDGE)
        faint = ((blocks > 0) & (blocks <= _FAINT)).sum(axis=(1, 3)) >= _SMUDGED
        edges += int(edge.sum())
        smudged += int((edge & faint).sum())
    return smudged / max(edges, 1), edges


def blockiness(pixels: NDArray[np.uint8]) -> float:
    """How far small jumps between neighbouring pixels pile up at every eighth column and row.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array

    Returns
    -------
    float
        The sum at the best of the eight places of a grid over that at the second best, the lesser of both directions:
        near 1 where no place stands out.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < 8 * _BLOCK:
        return 1.0
    green = pixels[: max(_MOST_PIXELS // width, 8 * _BLOCK), :, 1].astype(np.int16)
    return min(_pile_up(green), _pile_up(green.T))


def _pile_up(grey: NDArray[np.int16]) -> float:
    jumps = np.abs(np.diff(grey, axis=1))
    columns = np.where(jumps <= _CALM, jumps, 0).sum(axis=0, dtype=np.int64)
    places = np.sort(columns[: len(columns) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).sum(axis=0))
    return float(places[-1] / max(places[-2], 1))


def was_jpeg(pixels: NDArray[np.uint8]) -> bool:
    """Whether a picture shows the traces of JPEG.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The whole picture, with its margins.
    """
    share, blocks = smudged_share(pixels)
    if blocks >= LEAST_BLOCKS and not CLEAN < share <= THRESHOLD:
        return share > THRESHOLD
    return blockiness(pixels) > BLOCKY
