"""Why a pixel has its value, or none: codes, names and colours."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["REASON_COLORS", "REASON_NAMES", "Reason"]


class Reason(IntEnum):
    """Why a pixel has its value, or none."""

    DATA = 0
    LINE = 1
    OFF_SCALE = 2
    BACKGROUND = 3
    OUTSIDE = 4
    BAR = 5
    BELOW = 6
    ABOVE = 7
    FILLED = 8
    AMBIGUOUS = 9
    MASKED = 10
    KEPT = 11


#: What each reason means, for legends.
REASON_NAMES: dict[int, str] = {
    Reason.DATA: "data",
    Reason.LINE: "line, letter or marker",
    Reason.OFF_SCALE: "colour off the scale",
    Reason.BACKGROUND: "paper, land or other fill",
    Reason.OUTSIDE: "outside the map's frame",
    Reason.BAR: "colour bar",
    Reason.BELOW: "at or below the lower end",
    Reason.ABOVE: "at or above the upper end",
    Reason.FILLED: "gap filled from around",
    Reason.AMBIGUOUS: "colour of two values",
    Reason.MASKED: "masked by hand",
    Reason.KEPT: "kept by hand",
}

REASON_COLORS: dict[int, tuple[int, int, int]] = {
    Reason.DATA: (235, 242, 235),
    Reason.LINE: (60, 60, 60),
    Reason.OFF_SCALE: (214, 39, 40),
    Reason.BACKGROUND: (188, 170, 140),
    Reason.OUTSIDE: (255, 255, 255),
    Reason.BAR: (148, 103, 189),
    Reason.BELOW: (31, 119, 180),
    Reason.ABOVE: (255, 127, 14),
    Reason.FILLED: (44, 160, 44),
    Reason.AMBIGUOUS: (227, 119, 194),
    Reason.MASKED: (140, 86, 75),
    Reason.KEPT: (23, 190, 207),
}
