"""A drawn map whose every pixel is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BACKGROUND", "BAR", "DATA", "MARGIN", "OVERLAY", "Scene"]

DATA, OVERLAY, BACKGROUND, BAR, MARGIN = range(5)
"""The kinds of pixel: pure data; touched by a line, text, marker or box; paper, land or hole inside the frame;
colour bar with its labels; outside the frame."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A map picture and the truth of it. Pixel coordinates are (col, row), first pixel centre at (0.5, 0.5).

    Parameters
    ----------
    name : str
        Says seed, plotter, field, colormap and variants.
    rgb : (h, w, 3) uint8
        The lossless picture.
    truth : (h, w) float32
        Value at the pixel centre; NaN where the map has no value by design: outside the frame, where the pixel
        centre lies on land fill, in holes, on the bar and in the margins. Lines and text do not change it.
    under : (h, w) float32
        As `truth`, with the field's value also where land covers a pixel only partly.
    kind : (h, w) uint8
        `DATA`, `OVERLAY`, `BACKGROUND`, `BAR` or `MARGIN`. A data pixel has exactly the colour of its true value
        (before shading); any change by a line, text, marker, box or frame makes it an overlay pixel.
    edge : (h, w) bool or None
        Antialiased class boundaries, whose colour is a mixture of classes; they are of kind `OVERLAY`.
    bar_box : (left, top, right, bottom)
        Edges of the coloured part of the bar from `vmin` to `vmax`, without the triangles beyond them.
    bar_vertical, bar_descending : bool
        Values run right or up; the other way if descending.
    ticks : tuple of (value, position)
        Labelled ticks and their x (horizontal bar) or y (vertical bar) in pixels, exact along the colours;
        matplotlib draws the mark itself on whole pixels, up to 1 pixel off.
    class_edges : (n + 1,) float or None
        Limits of the classes; None for a continuous scale.
    bar_uniform : bool
        Classes are drawn equally long whatever their limits.
    frame : (left, top, right, bottom)
        The map's frame.
    gcps : tuple of ((col, row), (lon, lat))
        Crossings of labelled meridians and parallels inside the frame.
    notes : dict
        How it was drawn: shading model and intensity, colours of the overlays, matplotlib's
        colormap and norm as ``scale``, GMT's colour table as ``cpt``.
    """

    name: str
    rgb: NDArray[np.uint8]
    truth: NDArray[np.float32]
    under: NDArray[np.float32]
    kind: NDArray[np.uint8]
    edge: NDArray[np.bool_] | None
    bar_box: tuple[float, float, float, float]
    bar_vertical: bool
    bar_descending: bool
    bar_uniform: bool
    ticks: tuple[tuple[float, float], ...]
    vmin: float
    vmax: float
    norm: str
    class_edges: NDArray[np.float64] | None
    extend: str
    frame: tuple[int, int, int, int]
    colormap: str
    unit: str
    gcps: tuple[tuple[tuple[float, float], tuple[float, float]], ...]
    plotter: str
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for array in (self.rgb, self.truth, self.under, self.kind, self.edge, self.class_edges):
            if array is not None:
                array.setflags(write=False)

    @property
    def orientation(self) -> str:
        return "vertical" if self.bar_vertical else "horizontal"

    @property
    def in_range(self) -> NDArray[np.bool_]:
        """(h, w) bool: where the true value lies between the ends of the bar."""
        with np.errstate(invalid="ignore"):
            return (self.under >= np.float32(self.vmin)) & (self.under <= np.float32(self.vmax))
