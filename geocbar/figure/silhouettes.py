"""Silhouettes on the page: paper is flooded from the margin of the picture, what the flood cannot reach stands out.

A map with its frame, a legend or a word each make one; thin things (ticks, letters) are opened away, and silhouettes
whose colours are not those of the scale are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.figure.layout import PixelBox

__all__ = [
    "body_of",
    "empty_corner",
    "explained_beyond",
    "find_silhouettes",
    "least_touch",
    "page_shapes",
    "regrown",
]

#: Least share of a silhouette whose colours are on the scale; less will do where no silhouette has more, as on maps
#: with relief shading. And the least share of the picture that a map takes.
LEAST_EXPLAINED = 0.1
LEAST_EXPLAINED_SHADED = 0.015
LEAST_AREA = 0.004

#: A panel is at least this large beside the largest one.
PANEL_SHARE = 0.15

Mask = NDArray[np.bool_]


def page_shapes(ink: Mask, explained: Mask, factor: int, bars: Sequence[PixelBox]) -> tuple[Mask, Mask]:
    """What stands out of the page, and where it has the scale's colours, in blocks of `factor` pixels.

    Parameters
    ----------
    ink, explained : (h, w) bool array
    factor : int
    bars : sequence of PixelBox
        Left out.

    Returns
    -------
    solid, explained : bool array
    """
    height, width = ink.shape
    small_ink = _pooled(ink, factor, any_of=True)
    small_explained = _pooled(explained & ink, factor, any_of=False)
    for bar in bars:
        grown = PixelBox(bar.left - 3, bar.top - 3, bar.right + 3, bar.bottom + 3)
        rows, cols = grown.slices(width, height)
        area = (
            slice(rows.start // factor, -(-rows.stop // factor)),
            slice(cols.start // factor, -(-cols.stop // factor)),
        )
        small_ink[area] = False
        small_explained[area] = False
    return ~_outside(small_ink), small_explained


def find_silhouettes(solid: Mask, explained: Mask, thin: int) -> list[tuple[Mask, tuple[int, int]]]:
    """Silhouettes of maps.

    Parameters
    ----------
    solid : (h, w) bool array
        What stands out of the page.
    explained : (h, w) bool array
        Where it has the scale's colours.
    thin : int
        What is thinner, in pixels, is no part of a map.

    Returns
    -------
    list of (mask, (row, col))
        Each cut out of the page, with its first pixel.
    """
    labels, _ = ndimage.label(_opened(solid, thin))
    found = []
    for index, area in enumerate(ndimage.find_objects(labels), start=1):
        own = labels[area] == index
        rows, cols = own.shape
        size = int(own.sum())
        if size >= LEAST_AREA * solid.size and min(rows, cols) * 7 >= max(rows, cols):
            share = float((explained[area] & own).sum()) / size
            found.append((share, size, ndimage.binary_fill_holes(own), (area[0].start, area[1].start)))
    best = max((share for share, size, _, _ in found if size >= 0.05 * solid.size), default=1.0)
    needed = max(LEAST_EXPLAINED_SHADED, min(LEAST_EXPLAINED, 0.25 * best))
    found = [one for one in found if one[0] >= needed]
    largest = max((size for _, size, _, _ in found), default=0)
    return [(own, at) for _, size, own, at in found if size >= PANEL_SHARE * largest]


def regrown(own: Mask, offset: tuple[int, int], solid: Mask, thin: int) -> tuple[Mask, tuple[int, int]]:
    """The silhouette with what the opening took off its rounded and pointed ends; letters it touched stay off."""
    top, left = (max(o - thin, 0) for o in offset)
    whole = np.zeros_like(solid[top : offset[0] + own.shape[0] + thin, left : offset[1] + own.shape[1] + thin])
    whole[offset[0] - top :, offset[1] - left :][: own.shape[0], : own.shape[1]] = own
    near = ndimage.binary_dilation(
        whole, iterations=thin, mask=whole | solid[top:, left:][: whole.shape[0], : whole.shape[1]]
    )
    labels, _ = ndimage.label(_opened(np.pad(near, 2), 3)[2:-2, 2:-2])
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    grown = ndimage.binary_fill_holes(labels == np.argmax(sizes))
    return grown, (top, left)


def least_touch(own: Mask) -> float:
    """Least share of a side of its box that the silhouette touches, within 1 % of the box."""
    rows, cols = (max(1, round(0.01 * n)) for n in own.shape)
    sides = (own[:rows].any(axis=0), own[-rows:].any(axis=0), own[:, :cols].any(axis=1), own[:, -cols:].any(axis=1))
    return min(float(side.mean()) for side in sides)


def body_of(own: Mask) -> tuple[Mask, int, int]:
    """The silhouette without smaller things that are joined to it, and (row, col) of its first pixel."""
    margin = np.pad(own, 1)
    opened = _opened(margin, max(3, round(0.25 * min(own.shape))))
    labels, count = ndimage.label(opened)
    if not count:
        return own, 0, 0
    sizes = np.bincount(labels.ravel())[1:]
    index = int(np.argmax(sizes)) + 1
    if sizes[index - 1] < 0.7 * own.sum():
        return own, 0, 0
    area = ndimage.find_objects(labels)[index - 1]
    return labels[area] == index, area[0].start - 1, area[1].start - 1


def _pooled(mask: Mask, factor: int, *, any_of: bool) -> Mask:
    """The mask in blocks of `factor` pixels: whether any pixel of the block is set, or at least half of them."""
    if factor == 1:
        return mask.copy()
    height, width = mask.shape
    padded = np.pad(mask, ((0, -height % factor), (0, -width % factor)))
    counts = np.zeros((padded.shape[0] // factor, padded.shape[1] // factor), np.uint16)
    for row in range(factor):
        for col in range(factor):
            counts += padded[row::factor, col::factor]
    return np.asarray(counts > 0 if any_of else 2 * counts >= factor * factor)


def _opened(mask: Mask, size: int) -> Mask:
    """Without what is thinner than `size`; beyond the picture's edge it is taken to go on."""
    eroded = ndimage.minimum_filter(mask.view(np.uint8), size=size, mode="nearest")
    # A second filter with the mirrored origin undoes the shift of even sizes.
    return np.asarray(ndimage.maximum_filter(eroded, size=size, origin=-1 if size % 2 == 0 else 0, mode="nearest") > 0)


def _outside(ink: Mask) -> Mask:
    """Paper that is connected with the margin, or spans the page within a line around it."""
    labels, count = ndimage.label(~ink)
    if not count:
        return np.zeros_like(ink)
    ring = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    chosen = np.zeros(count + 1, bool)
    chosen[np.unique(ring)] = True
    height, width = ink.shape
    # What spans the page has at least as many pixels as the page is wide and high.
    long = np.flatnonzero(np.bincount(labels.ravel()) >= 0.95 * max(height, width))
    for index in long[long > 0].tolist():
        if not chosen[index]:
            rows, cols = (np.flatnonzero((labels == index).any(axis=axis)) for axis in (1, 0))
            chosen[index] = np.ptp(rows) >= 0.95 * height - 1 and np.ptp(cols) >= 0.95 * width - 1
    chosen[0] = False
    return np.asarray(chosen[labels])


def empty_corner(own: Mask) -> bool:
    """Whether a silhouette leaves a corner of its box wholly empty."""
    rows, cols = (max(2, round(0.06 * n)) for n in own.shape)
    corners = (own[:rows, :cols], own[:rows, -cols:], own[-rows:, :cols], own[-rows:, -cols:])
    return not all(corner.any() for corner in corners)


def explained_beyond(explained: Mask, frames: Mask) -> float:
    """Share of the scale's colours that lie outside the frames; letters and lines do not count.

    Parameters
    ----------
    explained, frames : (h, w) bool array
        Where the page has the scale's colours, and where its frames are.
    """
    areas = _opened(explained, 5)
    total = int(areas.sum())
    return float((areas & ~frames).sum()) / total if total else 0.0
