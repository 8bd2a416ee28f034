"""What speaks against the values of the labels: misreads that befall all of them alike still fit a scale."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.axis_fit import AxisFit
from geocbar.figure.circumstances import (
    SURE_CONFIDENCE,
    Circumstances,
    doubts_of,
    even_steps,
    is_regular,
    is_verified,
    values_read,
)

__all__ = ["LABEL_VETOES"]

#: First digits of numbers that people put on irregular scales.
ROUND = (1, 1.2, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 7.5, 8, 9)
#: Reader's confidence below which a label alone proves nothing.
LEAST_CONFIDENCE = 0.75
#: From this height of digits on, in px, a minus before raised digits is not overlooked by a sure reader.
LEAST_RAISED_PX = 14.0
#: What a power of ten looks like when its raised digits are read flat.
_POWER_LIKE = re.compile(r"10[-−]?\d{1,2}$")


def _too_few(case: Circumstances) -> str:
    labels = case.accepted
    if len(labels) >= 3 or case.ladder.labels == ():
        return ""
    said = " and ".join(f"{label.text!r} at {case.across} = {label.place:.1f} px" for label in labels)
    return f"Only {len(labels)} labels agree ({said}): two labels cannot contradict each other."


def _contrary(case: Circumstances) -> str:
    if not case.fit.contrary:
        return ""
    label = case.ladder.labels[case.fit.contrary[0]]
    value = float(case.fit.value_at(label.place))
    more = f" (and {len(case.fit.contrary) - 1} more)" if len(case.fit.contrary) > 1 else ""
    return (
        f"The label {label.text!r} at {case.across} = {label.place:.1f} px{more} contradicts the"
        f" {case.fit.description} scale of the {len(case.accepted)} others, which puts {value:.4g} there."
    )


def _unread(case: Circumstances) -> str:
    lost = case.ladder.unread
    if not lost or (case.ladder.source == "ticks" and len(lost) <= max(1, 0.25 * len(case.accepted))):
        return ""
    texts = ", ".join(repr(word.text) for word in lost[:4])
    return f"{len(lost)} of {len(lost) + len(case.ladder.labels)} labels could not be read as numbers: {texts}."


def _ranges(case: Circumstances) -> str:
    """Labels like 15 m-16 m of which the first half was taken for the value: they name both limits of a class."""
    said = case.ladder.ranges
    if len(said) < 2:
        return ""
    return (
        f"{len(said)} labels seem to be ranges, as {said[0]!r} and {said[1]!r}: each names both limits of its class,"
        " and only one of them was taken."
    )


def _too_many_repairs(case: Circumstances) -> str:
    repaired, labels = len(case.fit.overruled), case.accepted
    enough = len(labels) >= 4 or (len(labels) == 3 and all(is_verified(label) for label in labels))
    if not repaired or (enough and repaired <= max(1, 0.25 * len(case.fit.positions))):
        return ""
    texts = ", ".join(f"{text!r} would be {value:g}" for text, value, _ in case.fit.overruled[:4])
    return f"{repaired} of {len(case.fit.positions)} labels had to be overruled: {texts}."


def _unverified(case: Circumstances) -> str:
    """Too few labels stand on their own: all of an irregular ladder, three or half of a regular one.

    Four labels or more that run evenly, all of them as read, vouch for one another, and so does a third one for two
    that are sure; what they cannot exclude, since it befalls all labels alike, is looked at by the rules on signs,
    points and raised digits.
    """
    labels = case.accepted
    sure = sum(is_verified(label) for label in labels)
    together = len(labels) >= 4 and len(labels) == len(case.ladder.labels) and is_regular(case.fit)
    if case.fit.norm == "piecewise" and not case.fit.parameters:
        need = float(len(labels))
    elif len(labels) == 3 and even_steps(case.fit):
        clear = [label.confidence >= 0.4 and (not doubts_of(label) or label.exact) for label in labels]
        need, sure = 2.0, max(sure, 2 * all(clear))
    else:
        need = 0.0 if together else max(min(len(labels), 3), 0.5 * len(labels))
    if sure >= need:
        return ""
    doubtful = next(label for label in labels if not is_verified(label))
    return (
        f"Only {sure} of {len(labels)} labels were read for sure; {doubtful.text!r} at {case.across} ="
        f" {doubtful.place:.1f} px was not (confidence {doubtful.confidence:.2f})."
    )


def _lost_signs(case: Circumstances) -> str:
    """The ink shows minus signs where the scale has none, or none where it has them.

    Two sure labels or more, and more than those in doubt, tell the signs of the others on an even scale.
    """
    labels = [label for label in case.accepted if not label.exact]
    wrong = []
    for label, value in zip(case.accepted, values_read(case), strict=True):
        drawn = any("minus sign is drawn" in check for check in label.checks) and not label.text.startswith("+")
        absent = any("minus sign was read but none" in check for check in label.checks)
        if not label.exact and ((drawn and value > 0) or (absent and value < 0)):
            wrong.append(label)
    clean = sum(is_verified(label) for label in labels if not any(label is other for other in wrong))
    if len(wrong) < max(1, 0.3 * len(labels)) or (clean >= 2 and clean > len(wrong) and even_steps(case.fit)):
        return ""
    return f"The minus signs of {len(wrong)} of {len(labels)} labels are in doubt, as of {wrong[0].text!r}."


def _lost_points(case: Circumstances) -> str:
    """Labels show dots that were not read, or begin with a nought that only a point explains."""
    labels = [label for label in case.accepted if not label.exact]
    lost = [
        label
        for label, value in zip(case.accepted, values_read(case), strict=True)
        if not label.exact
        and value.is_integer()
        and not re.search(r"[.,'^]", label.text)
        and any("dots are drawn" in check for check in label.checks)
    ]
    noughts = [
        label
        for label, value in zip(case.accepted, values_read(case), strict=True)
        if not label.exact and re.fullmatch(r"[-+−]?0\d+\D*", label.text) and value.is_integer() and value != 0
    ]
    if noughts:
        return f"{noughts[0].text!r} begins with a nought: was its point lost?"
    if len(lost) < 2 or len(lost) < 0.34 * len(labels):
        return ""
    return f"{len(lost)} of {len(labels)} labels show dots that were not read, as {lost[0].text!r}."


def _raised_digits(case: Circumstances) -> str:
    """Raised digits are drawn, but the labels were read without powers."""
    raised = [
        label
        for label, value in zip(case.accepted, values_read(case), strict=True)
        if any("raised" in check for check in label.checks)
        and _POWER_LIKE.search(label.text)
        and abs(math.log10(abs(value) or 1.0) % 1) > 1e-9
    ]
    if not raised or len(raised) < 0.3 * len(case.accepted):
        return ""
    return f"{len(raised)} of {len(case.accepted)} labels show raised digits that were not read, as {raised[0].text!r}."


def _another_fit(case: Circumstances) -> str:
    if not case.fit.rivals:
        return ""
    rival = case.fit.rivals[0]
    ends = np.array([case.axis.low, case.axis.high])
    return (
        f"Two scales suit the labels: {case.fit.description} from {_ends(case.fit, ends)}, or"
        f" {rival.description} from {_ends(rival, ends)}."
    )


def _ends(fit: AxisFit, ends: NDArray[np.float64]) -> str:
    low, high = fit.value_at(ends)
    return f"{low:.4g} to {high:.4g}"


def _flat_superscripts(case: Circumstances) -> str:
    """10^0, 10^1, 10^2 read as 100, 101, 102: a perfect linear fit."""
    labels = case.accepted
    texts = [re.sub(r"\s", "", label.text) for label in labels]
    if case.fit.norm == "log" or any(label.exact for label in labels):
        return ""
    if not all(re.fullmatch(r"[-−]?10[-−]?\d{1,2}", text) or text == "0" for text in texts):
        return ""
    exponents = [int(re.sub("[−]", "-", re.sub(r"^[-−]?10", "", text))) for text in texts if text != "0"]
    steps = set(np.abs(np.diff(exponents)).tolist())
    if len(exponents) < 2 or len(steps) > 2 or max(steps) > 3 or min(exponents) > 9:
        return ""
    return (
        f"The labels {texts[0]}, {texts[1]}, ... may be powers of ten whose raised digits were read flat:"
        f" {texts[-1]} or 10^{exponents[-1]}?"
    )


def _bare_powers(case: Circumstances) -> str:
    """-10^2, 0, 10^2 lie on a straight line, but nobody writes a linear scale so."""
    powers = [label for label in case.accepted if re.fullmatch(r"[-−]?10\^-?\d+", label.text)]
    if case.fit.norm != "linear" or len(powers) < 2:
        return ""
    return f"The labels {powers[0].text} and {powers[1].text} speak of a logarithmic scale, but lie on a linear one."


def _thousands_or_decimals(case: Circumstances) -> str:
    """1.250 1.500 1.750 is a range of 500 or of a half."""
    texts = [label.text.strip().lstrip("+-−<>≤≥ ") for label in case.accepted]
    if not all(re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", text) for text in texts):
        return ""
    if all("," in text and text.endswith("00") for text in texts):
        return ""
    mark = "point" if "." in texts[0] else "comma"
    return f"The {mark} in {texts[0]!r}, {texts[1]!r}, ... may part thousands or decimals."


def _descending(case: Circumstances) -> str:
    """Lost minus signs turn a scale round; where some signs were read and suit the others, none was lost."""
    values = case.fit.values
    rising = (values[-1] > values[0]) != case.axis.upright
    if rising or all(label.exact for label in case.accepted):
        return ""
    signs = [bool(re.search(r"[-−]", label.text)) for label in case.accepted]
    doubted = any("minus" in check for label in case.accepted for check in doubts_of(label))
    even = len(case.accepted) >= 4 and not case.fit.overruled and not case.fit.contrary
    if any("^" in label.text for label in case.accepted) and not any(signs):
        # A raised minus is lost in small print only: read whole and in parts, and nothing speaks against it.
        even = all(
            label.glyph_px >= LEAST_RAISED_PX and label.confidence >= SURE_CONFIDENCE and not label.checks
            for label in case.accepted
        )
    if even and (any(signs) or (not doubted and all(label.confidence >= LEAST_CONFIDENCE for label in case.accepted))):
        return ""
    where = "upwards" if case.axis.upright else "to the right"
    low, high = (values[-1], values[0]) if case.axis.upright else (values[0], values[-1])
    return f"The values fall {where}, from {low:g} to {high:g}: were minus signs lost?"


def _rare_norm(case: Circumstances) -> str:
    if case.fit.norm not in ("power", "symlog") or len(case.accepted) == len(case.ladder.labels):
        return ""
    return (
        f"A {case.fit.description} scale suits only {len(case.accepted)} of {len(case.ladder.labels)} labels;"
        " such a scale is believed only if it suits all."
    )


def _odd_values(case: Circumstances) -> str:
    """Nothing but its own look vouches for a label of an irregular ladder: it must be round, or mirror another."""
    fit = case.fit
    if fit.norm != "piecewise" or fit.parameters or all(label.exact for label in case.accepted):
        return ""
    values = fit.values[np.argsort(fit.values)]
    steps = np.diff(values)
    even = int(np.sum(np.abs(steps - np.median(steps)) < 1e-6 * np.ptp(values)))
    ratios = values[1:][values[:-1] > 0] / values[:-1][values[:-1] > 0]
    doubling = len(ratios) >= 3 and np.sum(np.abs(ratios - 2) < 1e-6) >= 0.7 * len(ratios)
    if even >= 0.6 * len(steps) or doubling:
        return ""
    below, above = sorted(-values[values < 0]), sorted(values[values > 0])
    if len(below) == len(above) >= 2:
        odd = [high for low, high in zip(below, above, strict=True) if abs(low - high) > 1e-6 * high]
        if 0 < len(odd) <= len(below) / 2:
            return f"The irregular labels are alike on both sides of zero but for {odd[0]:g}: was it misread?"
    sizes = np.abs(values[values != 0])
    mantissas = sizes / 10.0 ** np.floor(np.log10(sizes) + 1e-9)
    odd = [float(v) for v, m in zip(sizes, mantissas, strict=True) if np.abs(np.array(ROUND) - m).min() > 1e-6]
    if odd:
        return f"Among the irregular labels {odd[0]:g} is no round number: was it misread?"
    return ""


def _unlabelled_classes(case: Circumstances) -> str:
    """Unequal classes of which only every second or third limit bears a label: nobody knows the limits between."""
    labels = [label for label in case.ladder.labels if label.numbers]
    if len(case.class_breaks) < 2 or len(labels) < 3 or not case.fit.contrary:
        return ""
    edges = np.r_[case.axis.low, case.class_breaks, case.axis.high]
    places = np.array([label.place for label in labels])
    slack = max(2.0, 0.1 * float(np.median(np.diff(edges))))
    per_label = np.diff(np.searchsorted(edges, places + slack))
    values = np.diff([label.numbers[0].value for label in labels])
    one_way = bool(np.all(values > 0) or np.all(values < 0))
    if not one_way or np.abs(places[:, None] - edges).min(axis=1).max() > slack or per_label.max() < 2:
        return ""
    return (
        f"The labels {labels[0].text}, {labels[1].text}, {labels[2].text}, ... run in unequal steps and leave limits"
        f" between classes without a label ({per_label.max()} classes from one label to the next)."
    )


#: All rules of this module, in the order in which their sentences are said.
LABEL_VETOES: tuple[Callable[[Circumstances], str], ...] = (
    _too_few,
    _unlabelled_classes,
    _contrary,
    _unread,
    _ranges,
    _too_many_repairs,
    _unverified,
    _lost_signs,
    _lost_points,
    _raised_digits,
    _another_fit,
    _flat_superscripts,
    _bare_powers,
    _thousands_or_decimals,
    _descending,
    _rare_norm,
    _odd_values,
)
