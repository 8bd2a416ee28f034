"""A bar's box seen along its axis, and distances between boxes."""

from __future__ import annotations

from dataclasses import dataclass

from geocbar.figure.layout import PixelBox

__all__ = ["BarAxis", "distance", "shared_extent"]


@dataclass(frozen=True)
class BarAxis:
    """A bar's box seen along its axis.

    Parameters
    ----------
    box : PixelBox
        The rectangle that bears values.
    axis : {"horizontal", "vertical"}
        Which way values run.
    """

    box: PixelBox
    axis: str

    @property
    def upright(self) -> bool:
        """Whether the bar stands."""
        return self.axis == "vertical"

    @property
    def low(self) -> float:
        """Pixel coordinate of the upper or left end."""
        return self.box.top if self.upright else self.box.left

    @property
    def high(self) -> float:
        """Pixel coordinate of the lower or right end."""
        return self.box.bottom if self.upright else self.box.right

    @property
    def length(self) -> float:
        """Length along the axis in px."""
        return self.high - self.low

    @property
    def thickness(self) -> float:
        """Extent across the axis in px."""
        return self.box.width if self.upright else self.box.height

    @property
    def sides(self) -> tuple[str, str]:
        """The two sides along which labels may stand, the usual one first."""
        return ("right", "left") if self.upright else ("bottom", "top")

    def along(self, box: PixelBox) -> tuple[float, float]:
        """Extent of a box along the axis."""
        return (box.top, box.bottom) if self.upright else (box.left, box.right)

    def across(self, box: PixelBox) -> tuple[float, float]:
        """Extent of a box across the axis."""
        return (box.left, box.right) if self.upright else (box.top, box.bottom)

    def gap(self, box: PixelBox, side: str) -> float:
        """Distance of a box from a side of the bar, outward; negative if it reaches over the bar."""
        return {
            "right": box.left - self.box.right,
            "left": self.box.left - box.right,
            "bottom": box.top - self.box.bottom,
            "top": self.box.top - box.bottom,
        }[side]


def distance(box: PixelBox, other: PixelBox) -> float:
    """Gap between two boxes in px; 0 where they overlap."""
    aside = max(other.left - box.right, box.left - other.right, 0.0)
    above = max(other.top - box.bottom, box.top - other.bottom, 0.0)
    return float((aside**2 + above**2) ** 0.5)


def shared_extent(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Length in common as a share of the shorter extent."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common / max(min(one[1] - one[0], other[1] - other[0]), 1e-6)
