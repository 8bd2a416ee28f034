"""What speaks against the places of the labels: marks, ends, middles of classes, and numbers that are not the bar's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geocbar.figure.axis_fit import AxisLabel, tolerance_px
from geocbar.figure.circumstances import Circumstances, even_steps, is_verified

__all__ = ["PLACE_VETOES"]

#: Without tick marks the outer labels must stand so near to the bar's ends, in px (more where glyphs are large).
ENDS_PX = 5.0
#: The outer labels of a fit lie at most so many label spacings from the bar's ends.
LEAST_COVER = 1.35
#: The same where five labels or more stand at tick marks: one of the ends may have lost its label.
LEAST_COVER_MARKED = 2.3
#: Labels without tick marks stand at most so far from the bar, in glyph heights.
FAR_GLYPHS = 2.6
#: Largest error, as a share of the range, that unknown places of labels may make.
MOST_BLUR = 0.015
#: The same on scales that are not linear, where nothing but the text tells the places.
MOST_BLUR_UNEVEN = 0.008
#: How well a tick mark's place is known, in px.
TICK_PX = 0.3
#: Labels without tick marks that are to tell the scale by themselves stand at most so far, in glyph heights.
CLOSE_GLYPHS = 1.8
#: A frame that much longer than the bar along its edge is a map's.
ALONG_FRAME = 1.1


def _piecewise_ends(case: Circumstances) -> str:
    """An irregular label tied to the estimated junction of a triangle may be off by the triangle's uncertainty."""
    if case.fit.norm != "piecewise":
        return ""
    if case.ladder.source == "text":
        return "The labels follow no known scale, and no tick marks or class limits tell where they belong."
    marks = np.concatenate([own.positions for own in case.marks])
    for end, label in ((case.axis.low, case.accepted[0]), (case.axis.high, case.accepted[-1])):
        bare = abs(label.place - end)
        # Two slopes with labels enough on either go on as they ran; irregular classes do not.
        beside = float(np.diff(case.fit.positions)[0 if end == case.axis.low else -1])
        if bare > max(3.0, 0.01 * case.axis.length, 1.05 * beside if case.fit.parameters else 0.0):
            return f"The scale is irregular, and {bare:.0f} px beyond its outer label {label.text!r} bear none."
    for end, pointed in ((case.axis.low, case.extend[0]), (case.axis.high, case.extend[1])):
        unsure = max(case.ends_uncertain_px, 2.5 if pointed else 0.0)
        near = [label for label in case.accepted if abs(label.place - end) <= max(2.0, unsure)]
        marked = near and len(marks) and np.abs(marks - near[0].place).min() <= 0.75
        if unsure > 2 and near and not marked and not _by_text(case, near[0], end):
            return (
                f"The label {near[0].text!r} stands at the end of the bar, which is known only to {unsure:.1f} px, and"
                " the irregular labels cannot tell it better."
            )
    return ""


def _by_text(case: Circumstances, label: AxisLabel, end: float) -> bool:
    """Whether a label's own text says that it belongs to the end, given how the others stand to their ticks."""
    return abs(label.position - case.ladder.offset - end) <= max(1.0, 0.1 * label.glyph_px)


def _blurred(case: Circumstances) -> str:
    """Places are known to a fraction of a pixel, without marks to a fifth of a digit: too little on steep scales."""
    fit = case.fit
    off = case.ladder.offset_unknown if case.ladder.source == "text" else TICK_PX
    if fit.norm == "piecewise":
        return ""
    moved = off / max(float(np.ptp(fit.positions)), 1e-300)
    if moved <= (MOST_BLUR if fit.norm == "linear" or case.ladder.source != "text" else MOST_BLUR_UNEVEN):
        return ""
    how = "No tick marks were seen: the" if case.ladder.source == "text" else "The"
    return (
        f"{how} labels' places are known to {off:.1f} px, which is {100 * moved:.1f} % of the range on this"
        f" {fit.description} scale."
    )


def _cover(case: Circumstances) -> str:
    """A part of the ladder, or text taken for it, leaves much of the bar without labels."""
    fit = case.fit
    if len(fit.positions) < 2:
        return ""
    gaps = np.diff(fit.positions)
    spacing = float(np.median(gaps))
    if fit.norm == "log" and np.ptp(np.log10(fit.values)) >= 0.99:
        spacing = max(spacing, abs(fit.slope))
    start, stop = float(fit.positions[0] - case.axis.low), float(case.axis.high - fit.positions[-1])
    # A doubtful end excuses no missing labels.
    slack = min(case.ends_uncertain_px, 3.0) + 2.0
    share = LEAST_COVER_MARKED if case.ladder.source == "ticks" and len(fit.positions) >= 5 else LEAST_COVER
    for bare, nearest in ((start, gaps[0]), (stop, gaps[-1])):
        if bare > share * max(spacing, float(nearest)) + slack:
            return (
                f"The labels cover {np.ptp(fit.positions):.0f} of {case.axis.length:.0f} px and stand"
                f" {spacing:.0f} px apart, but {bare:.0f} px at one end bear none."
            )
    return ""


def _no_marks(case: Circumstances) -> str:
    """Without tick marks the outer labels must be those of the ends, or all must stand close by and run evenly.

    One label at an end is enough where all of them lie on the scale to a pixel.
    """
    ladder, fit = case.ladder, case.fit
    if ladder.source != "text":
        return ""
    if ladder.gap > FAR_GLYPHS * ladder.glyph_px:
        return f"The numbers stand {ladder.gap:.0f} px off the bar and no tick mark leads to them."
    first, last = case.axis.low - fit.positions[0], fit.positions[-1] - case.axis.high
    near = max(ENDS_PX, 0.25 * ladder.glyph_px)
    if abs(first) <= near and abs(last) <= near:
        return ""
    if min(abs(first), abs(last)) <= max(1.5, 0.1 * ladder.glyph_px) and _vouch_for_places(case):
        return ""
    close = ladder.gap <= CLOSE_GLYPHS * ladder.glyph_px and not any(
        number.kind == "degree" for label in ladder.labels for number in label.numbers[:1]
    )
    even = fit.worst_px <= max(1.0, 0.2 * ladder.glyph_px) and len(case.accepted) == len(ladder.labels) >= 4
    if case.obstacles and close and even and even_steps(fit) and not ladder.unread:
        return ""
    return (
        f"No tick marks were seen, and the outer labels stand {abs(first):.0f} and {abs(last):.0f} px from the bar's"
        f" ends (at most {near:.0f} px would do without marks)."
    )


def _vouch_for_places(case: Circumstances) -> bool:
    """Whether four labels or more, all sure and close to the bar, lie on the scale to a pixel."""
    ladder, fit = case.ladder, case.fit
    sure = len(case.accepted) == len(ladder.labels) >= 4 and all(is_verified(label) for label in case.accepted)
    close = ladder.gap <= CLOSE_GLYPHS * ladder.glyph_px and not ladder.foreign
    return sure and close and not ladder.unread and fit.worst_px <= max(1.0, 0.1 * ladder.glyph_px)


def _marks_elsewhere(case: Circumstances) -> str:
    """The map's own axis labels between map and bar: numbers on one side, tick marks on the other."""
    ladder = case.ladder
    outward = int(np.sum(case.marks[1].outward))
    own = int(np.sum(case.marks[0].outward))
    beside = case.obstacles and not ladder.foreign and ladder.gap <= CLOSE_GLYPHS * ladder.glyph_px
    alone = not any(len(other.labels) >= 3 and other.side != ladder.side for other in case.rival_ladders)
    vouched = beside and alone and len(case.accepted) == len(ladder.labels) >= 5 and even_steps(case.fit)
    if ladder.source != "ticks" and outward >= 3 and own < 2 and not vouched:
        return f"{outward} tick marks stand on the other side of the bar than the numbers."
    if ladder.source != "ticks" and ladder.foreign:
        return "The numbers stand nearer to the map than to the bar, and no tick marks tie them to it."
    return ""


def _short_marks(case: Circumstances) -> str:
    """Labels tied to minor ticks while the major ones stand free."""
    own = case.marks[0]
    majors = own.positions[own.majors()]
    if case.ladder.source != "ticks" or len(majors) == len(own) or len(majors) < 2:
        return ""
    ticks = np.array([label.tick for label in case.accepted if label.tick is not None])
    free = [major for major in majors if not len(ticks) or np.abs(ticks - major).min() > 0.75]
    short = int(np.sum(np.abs(ticks[:, None] - majors).min(axis=1) > 0.75))
    centred = abs(case.ladder.offset) <= 0.12 * case.ladder.glyph_px + 0.5
    if short < 0.3 * len(ticks) or len(free) < 0.5 * len(majors) or centred:
        return ""
    return f"{short} of {len(ticks)} labels stand at short tick marks, and {len(free)} long ones bear none."


def _class_middles(case: Circumstances) -> str:
    """Labels at the middle of boxes: their middle value, or their lower limit, as GMT writes it?"""
    if case.ladder.source != "centres":
        return ""
    return "The labels stand at the middle of the classes: middle value or lower limit?"


def _other_numbers(case: Circumstances) -> str:
    """Numbers on both sides of the bar, and no tick marks to say which are its own."""
    if case.ladder.source == "ticks":
        return ""
    rivals = [
        r
        for r in case.rival_ladders
        if len(r.labels) >= 3 and not r.foreign and r.gap < 3 * case.ladder.glyph_px + case.ladder.gap
    ]
    if not rivals:
        return ""
    return (
        f"Numbers stand at two places beside the bar ({case.ladder.labels[0].text}, ... and"
        f" {rivals[0].labels[0].text}, ...), and no tick marks tell which are its own."
    )


def _geographic(case: Circumstances) -> str:
    """Longitudes and latitudes are the map's labels."""
    compass = [label for label in case.accepted if label.numbers[0].suffix_unit in tuple("NSEWO")]
    if 2 * len(compass) < len(case.accepted) or not compass:
        return ""
    return f"The labels are longitudes or latitudes of a map, as {compass[0].text!r}."


def _frame_marks(case: Circumstances) -> str:
    """A strip along the edge of the map's frame has the map's tick marks and labels."""
    bar, side = case.axis, case.ladder.side
    for frame in case.around:
        wide = (frame.height if bar.upright else frame.width) > ALONG_FRAME * bar.length
        if wide and abs(getattr(frame, side) - getattr(bar.box, side)) < 3:
            return f"The strip lies along the {side} edge of the map's frame, whose tick marks and labels these may be."
    return ""


def _goes_on(case: Circumstances) -> str:
    """The labels run on beyond the ends of the bar: it was not found whole."""
    tolerance = tolerance_px(case.axis.length, case.ladder.source in ("ticks", "breaks")) + 0.1 * case.ladder.glyph_px
    for label in case.ladder.beyond:
        values = np.array([number.value for number in label.numbers])
        off = np.abs(case.fit.position_of(values) - (label.position - case.ladder.offset))
        if np.any(off <= tolerance):
            return (
                f"The label {label.text!r} at {case.across} = {label.position:.1f} px goes on with the scale beyond the"
                f" bar's end: was the bar found whole?"
            )
    return ""


#: All rules of this module, in the order in which their sentences are said.
PLACE_VETOES: tuple[Callable[[Circumstances], str], ...] = (
    _piecewise_ends,
    _cover,
    _no_marks,
    _blurred,
    _marks_elsewhere,
    _short_marks,
    _class_middles,
    _other_numbers,
    _geographic,
    _frame_marks,
    _goes_on,
)
