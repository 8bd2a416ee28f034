"""All that was found beside a bar, gathered for judgement, and what single labels are worth."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from geocbar.figure.axis_fit import AxisFit, AxisLabel
from geocbar.figure.axis_norms import Spacing
from geocbar.figure.bar_axis import BarAxis
from geocbar.figure.label_ladder import Ladder
from geocbar.figure.layout import PixelBox
from geocbar.figure.marks import TickMarks

__all__ = ["Circumstances", "doubts_of", "even_steps", "is_regular", "is_verified", "values_read"]

#: Letters that readers put for digits.
LOOK_ALIKE = str.maketrans("OoQlI|℃", "000111C")
#: Reader's confidence below which a label alone proves nothing.
LEAST_CONFIDENCE = 0.75
#: Reader's confidence from which the number of specks around the glyphs does not matter.
SURE_CONFIDENCE = 0.9
#: What a power of ten looks like when its raised digits are read flat.
_POWER_LIKE = re.compile(r"10[-−]?\d{1,2}$")


@dataclass(frozen=True, eq=False)
class Circumstances:
    """All that was found beside the bar.

    Parameters
    ----------
    axis : BarAxis
    ladder : Ladder
        The labels chosen.
    fit : AxisFit
    marks : tuple of TickMarks
        Of the labels' side and of the other one.
    rival_ladders : tuple of Ladder
        Other rows or columns of numbers.
    extend : (bool, bool)
        Whether a triangle ends the bar, at the low and the high end of the axis.
    ends_uncertain_px : float
    class_breaks : tuple of float
    obstacles : tuple of PixelBox
        The map's frame and other bars.
    around : tuple of PixelBox
        Frames that the bar lies in.
    """

    axis: BarAxis
    ladder: Ladder
    fit: AxisFit
    marks: tuple[TickMarks, TickMarks]
    rival_ladders: tuple[Ladder, ...] = ()
    extend: tuple[bool, bool] = (False, False)
    ends_uncertain_px: float = 1.0
    class_breaks: tuple[float, ...] = ()
    obstacles: tuple[PixelBox, ...] = ()
    around: tuple[PixelBox, ...] = ()

    @property
    def accepted(self) -> list[AxisLabel]:
        """Labels that the fit took as read."""
        return [self.ladder.labels[i] for i in self.fit.members]

    @property
    def across(self) -> str:
        """Name of the coordinate along the axis."""
        return "y" if self.axis.upright else "x"


def is_verified(label: AxisLabel) -> bool:
    """Whether a label may be trusted on its own: text of the file, or read surely with nothing speaking against it.

    Pieces of ink that were counted too many are no doubt where the reading is sure: compression makes them.
    """
    if label.exact:
        return True
    return bool(label.numbers) and label.confidence >= LEAST_CONFIDENCE and not doubts_of(label)


def doubts_of(label: AxisLabel) -> list[str]:
    """The failed checks of a label that may change its value."""
    sure = label.confidence >= SURE_CONFIDENCE
    doubts = []
    for check in label.checks:
        counted = "tall glyphs" in check and sure
        above = "raised" in check or "above the base line" in check
        hyphen = re.search(r"10[-−]\d{1,2}$", label.text) is not None
        raised = above and (hyphen or not _POWER_LIKE.search(label.text))
        dots = re.match(r"(\d+) dots are drawn and (\d+)", check)
        specks = dots is not None and (sure or "'" in label.text) and int(dots[2]) >= 1
        texts = re.findall(r"'([^']*)'", check)
        flat = {re.sub(r"[\^ ×xX()]", "", text).translate(LOOK_ALIKE) for text in texts}
        powers = any("^" in text for text in texts) and "10" not in label.text
        plus = "minus sign is drawn" in check and label.text.startswith("+")
        same = "read" in check and len(flat) == 1 and not powers
        if not (counted or raised or specks or same or plus):
            doubts.append(check)
    return doubts


def values_read(case: Circumstances) -> list[float]:
    """Values of the labels accepted as read, in their order."""
    lost = {place for _, _, place in case.fit.overruled}
    return [float(v) for p, v in zip(case.fit.positions, case.fit.values, strict=True) if float(p) not in lost]


def is_regular(fit: AxisFit) -> bool:
    """Whether the values run in even steps, or 1, 2, 5, 10 on a logarithmic scale."""
    if fit.norm == "log" and len(fit.values) >= 3:
        mantissas = fit.values / 10.0 ** np.floor(np.log10(fit.values) + 1e-9)
        return bool(np.abs(mantissas[:, None] - [1.0, 2.0, 3.0, 5.0]).min(axis=1).max() < 1e-6)
    return even_steps(fit)


def even_steps(fit: AxisFit) -> bool:
    """Whether the accepted values are evenly spaced in the fit's own coordinate."""
    if fit.norm == "piecewise" or len(fit.values) < 3:
        return False
    steps = np.diff(Spacing(fit.norm, fit.parameters).even(fit.values))
    return bool(np.ptp(steps) < 1e-3 * np.abs(steps).max())
