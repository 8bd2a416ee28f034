"""The colour bar as found, and as a hand changes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from geocbar.app.picker.hand_work import HandWork, PickedTick
from geocbar.errors import NotFoundError
from geocbar.figure.layout import PixelBox
from geocbar.figure.skew import TurnedPicture
from geocbar.figure_reading import BarReading
from geocbar.inspection import Inspection
from geocbar.value.colorbar import Ticks

__all__ = ["corners_seen", "current_ticks", "describe_bar", "said_box", "upright_box", "with_tick"]

Corners = list[list[float]]


def corners_seen(box: PixelBox, turned: TurnedPicture | None) -> Corners:
    """The corners of a box of the upright picture where they lie in the picture as it is."""
    corners = box.corners()
    return (corners if turned is None else turned.to_original(corners)).round(2).tolist()


def upright_box(a: tuple[float, float], b: tuple[float, float], turned: TurnedPicture | None) -> PixelBox:
    """The box of the upright picture between two places in the picture as it is.

    Raises
    ------
    InvalidInputError
        If it is empty.
    """
    ends = np.array([a, b])
    ends = ends if turned is None else turned.to_upright(ends)
    (left, top), (right, bottom) = ends.min(axis=0).tolist(), ends.max(axis=0).tolist()
    return PixelBox(left, top, right, bottom)


def said_box(work: HandWork, found: Inspection | None) -> PixelBox | None:
    """The bar's box as said, else as found."""
    if work.recipe.colormap is not None:
        return None
    if work.recipe.colorbar:
        return PixelBox.parse(work.recipe.colorbar)
    return None if found is None or found.bar is None else found.bar.box


def current_ticks(work: HandWork, found: Inspection | None) -> tuple[PickedTick, ...]:
    """The ticks that count now: those of the hand, of the recipe, or as found."""
    if work.ticks is not None:
        return work.ticks
    if work.recipe.ticks:
        ticks = Ticks.parse(work.recipe.ticks)
        return tuple(PickedTick(p, v) for p, v in zip(ticks.positions, ticks.values, strict=True))
    box = said_box(work, found)
    if box is None:
        return ()
    if work.recipe.vmin is not None and work.recipe.vmax is not None:
        low, high = (box.left, box.right) if box.width >= box.height else (box.bottom, box.top)
        return (PickedTick(low, work.recipe.vmin), PickedTick(high, work.recipe.vmax))
    bar = None if found is None else found.bar
    read = () if bar is None or not _is_same(bar.box, box) else _read_ticks(bar)
    if len(read) >= 2:
        return read
    ends = (box.left, box.right) if box.width >= box.height else (box.bottom, box.top)
    return (PickedTick(ends[0], None), PickedTick(ends[1], None))


def _is_same(a: PixelBox, b: PixelBox) -> bool:
    wide = min(a.right, b.right) - max(a.left, b.left)
    high = min(a.bottom, b.bottom) - max(a.top, b.top)
    return wide > 0 and high > 0 and wide * high > 0.5 * max(a.width * a.height, b.width * b.height)


def _read_ticks(bar: BarReading) -> tuple[PickedTick, ...]:
    fit, ticks = bar.ticks.fit, bar.ticks
    if fit is not None:
        values = np.asarray(fit.values) * ticks.factor + ticks.offset
        return tuple(PickedTick(float(p), float(f"{v:.9g}")) for p, v in zip(fit.positions, values, strict=True))
    labels = sorted(ticks.labels, key=lambda label: label.place)
    return tuple(PickedTick(label.place, label.numbers[0].value if label.numbers else None) for label in labels)


def with_tick(work: HandWork, found: Inspection | None, index: int | None, tick: PickedTick | None) -> HandWork:
    """A tick changed, added (`index` None) or taken away (`tick` None); all ticks are then the hand's.

    Raises
    ------
    NotFoundError
        If there is no such tick.
    """
    ticks = list(current_ticks(work, found))
    if index is not None and not 0 <= index < len(ticks):
        raise NotFoundError(f"There is no tick {index + 1}.", f"The bar has {len(ticks)}.")
    if index is None and tick is not None:
        ticks.append(tick)
    elif index is not None and tick is None:
        del ticks[index]
    elif index is not None and tick is not None:
        ticks[index] = tick
    return replace(work.with_recipe(vmin=None, vmax=None, ticks=None), ticks=tuple(ticks))


def describe_bar(work: HandWork, found: Inspection | None) -> dict[str, Any] | None:
    """The bar for the page: its place in the picture as it lies, ticks with their state, what was read beside it."""
    box = said_box(work, found)
    if box is None:
        return None
    turned = None if found is None else found.reading.turned
    axis = "horizontal" if box.width >= box.height else "vertical"
    bar = None if found is None else found.bar
    by_hand = work.ticks is not None or work.recipe.ticks is not None or work.recipe.vmin is not None
    read = bar if bar is not None and _is_same(bar.box, box) else None
    ticks = []
    for tick in current_ticks(work, found):
        across = ((tick.position, box.top), (tick.position, box.bottom))
        if axis == "vertical":
            across = ((box.left, tick.position), (box.right, tick.position))
        line = np.array(across) if turned is None else turned.to_original(np.array(across))
        ticks.append(
            {"position": round(tick.position, 2), "value": tick.value, "line": line.round(2).tolist()}
            | {"read": _label_near(read, tick.position)}
        )
    return {
        "corners": corners_seen(box, turned),
        "axis": axis,
        "ticks": ticks,
        "by_hand": by_hand,
        "box_by_hand": work.recipe.colorbar is not None,
        "certain": by_hand or (read is not None and read.accepted),
        "evidence": [] if read is None else list(read.ticks.evidence),
        "doubts": [] if read is None or by_hand else list(read.ticks.vetoes),
    }


def _label_near(bar: BarReading | None, position: float) -> str:
    """The label as the text reader read it."""
    if bar is None:
        return ""
    near = [label for label in bar.ticks.labels if abs(label.place - position) < 1.5]
    return near[0].text if near else ""
