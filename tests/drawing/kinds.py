"""What every pixel of a drawn picture is, from the same picture drawn with and without its overlays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .plans import Plan
from .scenes import BACKGROUND, BAR, DATA, MARGIN, OVERLAY

__all__ = ["classify_pixels"]


def classify_pixels(
    plan: Plan,
    full: NDArray[np.uint8],
    plain: NDArray[np.uint8],
    land_cover: NDArray[np.float64] | None,
    bar_region: tuple[int, int, int, int],
    edge: NDArray[np.bool_] | None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Kind, truth and value under the overlays of every pixel.

    Parameters
    ----------
    full, plain : (h, w, 3) uint8
        The finished picture, and the same with data only inside the frame.
    land_cover : (frame height, frame width) float or None
        Share of each frame pixel that land fill covers, 0..1.
    bar_region : (left, top, right, bottom)
        Box around the bar, its frame, ticks and labels.
    edge : (frame height, frame width) bool or None
        Pixels whose colour mixes classes.
    """
    height, width = full.shape[:2]
    kind = np.full((height, width), MARGIN, np.uint8)
    left, top, right, bottom = bar_region
    kind[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = BAR
    left, top, right, bottom = plan.frame
    box = np.s_[top:bottom, left:right]
    inside = np.full(plan.data.shape, DATA, np.uint8)
    truth_in, under_in = plan.data.copy(), plan.data.copy()
    covered = np.zeros(plan.data.shape, bool)
    if land_cover is not None:
        covered = land_cover >= 1
        under_in[covered] = np.nan
        truth_in[land_cover >= 0.5] = np.nan
    changed = (full[box] != plain[box]).any(axis=-1)
    if land_cover is not None:
        fill = np.array([int(plan.land_fill[k : k + 2], 16) for k in (1, 3, 5)], np.uint8)
        touched = (full[box] != fill).any(axis=-1)
        changed = np.where(covered, touched, changed | (land_cover > 0))
    background = np.isnan(under_in)
    inside[background] = BACKGROUND
    if edge is not None:
        inside[edge & ~background] = OVERLAY
    inside[changed] = OVERLAY
    kind[box] = inside
    truth = np.full((height, width), np.nan, np.float32)
    under = truth.copy()
    truth[box], under[box] = truth_in, under_in
    return kind, truth, under
