"""What the page may ask to be changed: each request checked, and made a step of the hand's work."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.app.picker.bar_work import upright_box, with_tick
from geocbar.app.picker.hand_work import LONGEST_TEXT, HandWork, PickedTick, Stroke, parse_place, parse_value
from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.figure.layout import PixelBox
from geocbar.inspection import Inspection
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.models import points_needed
from geocbar.value.color import parse_color
from geocbar.value.norms import split_scale

__all__ = ["ACTIONS", "Circumstances", "change_work"]

Details = Mapping[str, Any]

#: At most so many points, and so many places in one stroke.
MOST_POINTS, MOST_PLACES = 5000, 20_000

#: Points may lie this far outside of the picture, as a share of its size.
BEYOND = 0.1


@dataclass(frozen=True, eq=False)
class Circumstances:
    """What an action needs to know besides the work itself.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    found : Inspection or None
    offered : GroundControlPoints or None
        Points read at the frame.
    """

    pixels: NDArray[np.uint8]
    found: Inspection | None = None
    offered: GroundControlPoints | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.shape[1], self.pixels.shape[0]


def change_work(name: str, details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    """Do what the page asks.

    Parameters
    ----------
    name : str
        One of :data:`ACTIONS`.
    details : mapping
        From JSON; nothing in it is believed.
    work : HandWork
    seen : Circumstances

    Returns
    -------
    HandWork

    Raises
    ------
    GeocbarError
        If it cannot be done; the sentence is shown to the person.
    """
    if name not in ACTIONS:
        raise NotFoundError(f"There is no action {name[:40]!r}.", "Load the page again.")
    return ACTIONS[name](details, work, seen)


def _number(details: Details, key: str) -> float:
    value = details.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidInputError(f"{key} is no number.", "Load the page again.")
    return float(value)


def _whole(details: Details, key: str) -> int:
    value = details.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError(f"{key} is no whole number.", "Load the page again.")
    return value


def _text(details: Details, key: str) -> str:
    value = details.get(key, "")
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise InvalidInputError(f"{key} is no text of at most {LONGEST_TEXT} letters.", "Shorten it.")
    return " ".join(value.split())


def _place(details: Details, seen: Circumstances) -> tuple[float, float]:
    x, y = _number(details, "x"), _number(details, "y")
    width, height = seen.size
    if not (-BEYOND * width <= x <= (1 + BEYOND) * width and -BEYOND * height <= y <= (1 + BEYOND) * height):
        raise InvalidInputError(f"{x:.1f}, {y:.1f} lies outside the picture.", "Click inside it.")
    return round(x, 2), round(y, 2)


def _box(details: Details, seen: Circumstances) -> str:
    """Two corners in the picture as it lies, as a recipe holds a box."""
    corners = details.get("corners")
    whole = isinstance(corners, list) and len(corners) == 2
    if not whole or not all(isinstance(corner, list) and len(corner) == 2 for corner in corners or ()):
        raise InvalidInputError("A box needs two corners.", "Load the page again.")
    a, b = (_place({"x": x, "y": y}, seen) for x, y in corners or ())
    turned = None if seen.found is None else seen.found.reading.turned
    width, height = seen.size if turned is None else turned.pixels.shape[1::-1]
    box = upright_box(a, b, turned).clipped(width, height)
    if box.width < 3 or box.height < 3:
        raise InvalidInputError(f"The box {box} is smaller than 3 px.", "Draw a larger one.")
    return ",".join(f"{edge:.1f}" for edge in (box.left, box.top, box.right, box.bottom))


def _add(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    if len(work.points) >= MOST_POINTS:
        raise InvalidInputError(f"There are {len(work.points)} points already.", "Remove some.")
    return work.with_new_point(_place(details, seen))


def _move(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    return work.with_point(_whole(details, "number"), pixel=_place(details, seen))


def _locate(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    number = _whole(details, "number")
    if not str(details.get("lon", "")).strip() and not str(details.get("lat", "")).strip():
        return work.with_point(number, world=None)
    return work.with_point(number, world=parse_place(_text(details, "lon"), _text(details, "lat"), work.crs))


def _rename(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    number, name = _whole(details, "number"), _text(details, "name")
    if not name:
        raise InvalidInputError("A point needs a name.", "Type one, or a number.")
    if any(point.name == name and point.number != number for point in work.points):
        raise InvalidInputError(f"There is a point {name!r} already.", "Choose another name.")
    return work.with_point(number, name=name)


def _enable(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    return work.with_point(_whole(details, "number"), enabled=details.get("on") is True)


def _remove(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    return work.without_point(_whole(details, "number"))


def _take_offered(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    if seen.offered is None:
        raise NotFoundError("No points were read at the frame.", "Click them.")
    work = replace(work.with_recipe(gcp_crs=None), points=work.points if work.crs == "EPSG:4326" else ())
    for pixel, world in zip(seen.offered.pixels.tolist(), seen.offered.world.tolist(), strict=True):
        work = work.with_new_point((round(pixel[0], 2), round(pixel[1], 2)), (world[0], world[1]))
    return work


def _model(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    model = _text(details, "model") or "auto"
    if model != "auto" and not model.startswith("projection:"):
        points_needed(model)
    return work.with_recipe(model=model)


def _bar(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    return work.with_recipe(colorbar=_box(details, seen), colormap=None, colormap_sha256="")


def _bar_as_found(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    return replace(work.with_recipe(colorbar=None, ticks=None, vmin=None, vmax=None), ticks=None)


def _tick_place(details: Details, work: HandWork, seen: Circumstances) -> float:
    """Where along the bar a place in the picture lies."""
    x, y = _place(details, seen)
    turned = None if seen.found is None else seen.found.reading.turned
    if turned is not None:
        x, y = turned.to_upright(np.array([[x, y]]))[0].tolist()
    box = PixelBox.parse(work.recipe.colorbar) if work.recipe.colorbar else None
    if box is None and seen.found is not None and seen.found.bar is not None:
        box = seen.found.bar.box
    if box is None:
        raise NotFoundError("There is no colour bar yet.", "Draw its box first.")
    return round(x if box.width >= box.height else y, 2)


def _tick_add(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    tick = PickedTick(_tick_place(details, work, seen), parse_value(_text(details, "value")))
    return with_tick(work, seen.found, None, tick)


def _tick_change(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    tick = PickedTick(_number(details, "position"), parse_value(_text(details, "value")))
    return with_tick(work, seen.found, _whole(details, "index"), tick)


def _tick_move(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    tick = PickedTick(_tick_place(details, work, seen), parse_value(_text(details, "value")))
    return with_tick(work, seen.found, _whole(details, "index"), tick)


def _tick_remove(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    return with_tick(work, seen.found, _whole(details, "index"), None)


def _ticks_confirm(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    return with_tick(work, seen.found, None, None)


def _scale(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    scale = _text(details, "scale") or "auto"
    split_scale(scale)
    return work.with_recipe(scale=scale)


def _title(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    return work.with_recipe(name=_text(details, "name") or "value", unit=_text(details, "unit"))


def _colormap(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    name = _text(details, "colormap")
    if not name:
        return work.with_recipe(colormap=None, vmin=None, vmax=None)
    if name != "auto":
        from geocbar.value.colormaps import named_colors

        named_colors(name)
    limits = parse_value(_text(details, "vmin")), parse_value(_text(details, "vmax"))
    changes: dict[str, Any] = {"colormap": name, "colormap_sha256": "", "colorbar": None, "ticks": None}
    return replace(work.with_recipe(**changes, vmin=limits[0], vmax=limits[1]), ticks=None)


def _background(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    color = _text(details, "color")
    if not color:
        x, y = _place(details, seen)
        width, height = seen.size
        if not (0 <= x < width and 0 <= y < height):
            raise InvalidInputError("There is no colour outside the picture.", "Click inside it.")
        color = "#" + "".join(f"{c:02x}" for c in seen.pixels[int(y), int(x)].tolist())
    parse_color(color)
    others = [known for known in work.recipe.background.split() if known != color]
    if details.get("on") is not False:
        others.append(color)
    return work.with_recipe(background=" ".join(others))


def _search_background(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    return work.with_recipe(search_background=details.get("on") is True)


def _frame(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    said = details.get("frame")
    if said in ("none", "found"):
        return work.with_recipe(frame="none" if said == "none" else None, panel=None)
    return work.with_recipe(frame=_box(details, seen), panel=None)


def _panel(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    number = _whole(details, "panel")
    panels = 0 if seen.found is None else len(seen.found.reading.frames)
    if not 1 <= number <= panels:
        raise NotFoundError(f"There is no panel {number}: {panels} were found.", "Draw its frame.")
    return work.with_recipe(panel=number, frame=None)


def _stroke(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    path, code, radius = details.get("path"), _whole(details, "code"), _number(details, "radius")
    if code not in (0, 1, 2) or not 0.3 <= radius <= max(seen.size):
        raise InvalidInputError("There is no such brush.", "Load the page again.")
    if not isinstance(path, list) or not 1 <= len(path) <= MOST_PLACES:
        raise InvalidInputError("The stroke is too long.", "Draw it in parts.")
    places = []
    for at in path:
        if not isinstance(at, list) or len(at) != 2:
            raise InvalidInputError("A stroke is made of places.", "Load the page again.")
        places.append((_number({"x": at[0]}, "x"), _number({"y": at[1]}, "y")))
    width, height = seen.size
    reach = max(width, height)
    kept = tuple((min(max(x, -reach), width + reach), min(max(y, -reach), height + reach)) for x, y in places)
    return replace(work, strokes=(*work.strokes, Stroke(code, radius, kept)))


def _mask_clear(details: Details, work: HandWork, seen: Circumstances) -> HandWork:
    return replace(work, strokes=(), fresh_mask=True)


Action = Callable[[Details, HandWork, Circumstances], HandWork]

#: What may be asked for.
ACTIONS: dict[str, Action] = {
    "add": _add,
    "move": _move,
    "locate": _locate,
    "rename": _rename,
    "enable": _enable,
    "remove": _remove,
    "take_offered": _take_offered,
    "model": _model,
    "bar": _bar,
    "bar_as_found": _bar_as_found,
    "tick_add": _tick_add,
    "tick_change": _tick_change,
    "tick_move": _tick_move,
    "tick_remove": _tick_remove,
    "ticks_confirm": _ticks_confirm,
    "scale": _scale,
    "title": _title,
    "colormap": _colormap,
    "background": _background,
    "search_background": _search_background,
    "frame": _frame,
    "panel": _panel,
    "stroke": _stroke,
    "mask_clear": _mask_clear,
}
