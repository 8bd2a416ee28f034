"""Boxes on the page: where the colour bar is, where the map is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError

__all__ = ["PixelBox"]


@dataclass(frozen=True)
class PixelBox:
    """A half-open rectangle in pixel coordinates.

    Pixel coordinates are ``(col, row)`` floats with the origin at the top-left corner of the top-left pixel,
    x to the right and y down, so that the centre of the first pixel is (0.5, 0.5).

    Parameters
    ----------
    left, top, right, bottom : float
        Edges in pixels; ``left < right`` and ``top < bottom``.

    Raises
    ------
    InvalidInputError
        If the box is empty or an edge is not finite.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        edges = (self.left, self.top, self.right, self.bottom)
        if not all(math.isfinite(e) for e in edges) or self.left >= self.right or self.top >= self.bottom:
            raise InvalidInputError(
                f"The box {self} is empty.",
                "Give LEFT,TOP,RIGHT,BOTTOM in pixels with LEFT < RIGHT and TOP < BOTTOM.",
            )

    def __str__(self) -> str:
        return ",".join(f"{edge:g}" for edge in (self.left, self.top, self.right, self.bottom))

    @classmethod
    def parse(cls, text: str) -> PixelBox:
        """Read ``"LEFT,TOP,RIGHT,BOTTOM"``.

        Examples
        --------
        >>> PixelBox.parse("10, 20.5, 30, 400").height
        379.5
        """
        try:
            edges = [float(part) for part in text.split(",")]
        except ValueError:
            edges = []
        if len(edges) != 4:
            raise InvalidInputError(f"{text!r} is not a box.", "Give four numbers in pixels: LEFT,TOP,RIGHT,BOTTOM")
        return cls(*edges)

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    def corners(self) -> NDArray[np.float64]:
        """(4, 2) array of the corners: left top, right top, right bottom, left bottom."""
        return np.array(
            [
                [self.left, self.top],
                [self.right, self.top],
                [self.right, self.bottom],
                [self.left, self.bottom],
            ]
        )

    def clipped(self, width: int, height: int) -> PixelBox:
        """The part inside a picture of the given size.

        Raises
        ------
        InvalidInputError
            If there is none.
        """
        return PixelBox(max(self.left, 0.0), max(self.top, 0.0), min(self.right, width), min(self.bottom, height))

    def require_inside(self, width: int, height: int, what: str) -> None:
        """Refuse a box that leaves a picture of the given size.

        Raises
        ------
        InvalidInputError
            If any edge lies more than half a pixel outside.
        """
        slack = 0.5
        if self.left < -slack or self.top < -slack or self.right > width + slack or self.bottom > height + slack:
            raise InvalidInputError(
                f"The {what} box {self} leaves the picture, which is {width} x {height} px.",
                f"Give LEFT,TOP,RIGHT,BOTTOM with 0 <= LEFT < RIGHT <= {width} and 0 <= TOP < BOTTOM <= {height}.",
            )

    def slices(self, width: int, height: int) -> tuple[slice, slice]:
        """Rows and columns of the pixels whose centres lie inside, clipped to a picture of the given size.

        Returns
        -------
        rows, cols : slice
            Index an array ``[row, col]`` with them.
        """
        col0, col1 = (min(max(math.ceil(edge - 0.5), 0), width) for edge in (self.left, self.right))
        row0, row1 = (min(max(math.ceil(edge - 0.5), 0), height) for edge in (self.top, self.bottom))
        return slice(row0, row1), slice(col0, col1)
