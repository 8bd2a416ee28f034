"""Drawings over the figure: control points with residuals, the graticule, lines on Earth, the bar as read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geocbar.app.report_page import Markup, element, number
from geocbar.digitized_map import DigitizedMap
from geocbar.figure.layout import PixelBox
from geocbar.files.coastlines import read_coastlines
from geocbar.files.encoded_pictures import encode_picture
from geocbar.inspection import Inspection
from geocbar.place.gcps import is_geographic
from geocbar.place.local_crs import crs_definition, is_local

__all__ = [
    "bar_drawing",
    "coasts",
    "control_points",
    "frame_outline",
    "graticule",
    "label_state",
    "lines_on_earth",
    "magnification",
    "map_drawing",
]

#: Steps of a graticule in degrees (or in whatever unit a local plane has, times a power of ten).
_DEGREES = (
    *(seconds / 3600 for seconds in (1, 2, 5, 10, 15, 30)),
    *(minutes / 60 for minutes in (1, 2, 5, 10, 15, 30)),
    *(1, 2, 5, 10, 15, 30),
)

#: A graticule has about this many lines each way.
_LINES = 5

#: Coasts are drawn from the finer data where the map shows less than this many degrees; without a gap of so many
#: degrees, it shows all longitudes.
_FINE_DEGREES, _ROUND_GAP = 40.0, 20.0

#: Lines are drawn as finely as they are seen on a figure of so many pixels.
_SEEN_SIDE = 1600

#: The longest residual is drawn this long, as a share of the longer side.
_ARROW_SHARE = 0.05

Lines = list[NDArray[np.float64]]

_CROP_BYTES = 90_000
_POINTS_A_LINE = 241
_LATTICE = 25


def map_drawing(result: DigitizedMap, label: str, *parts: object, class_: str = "map") -> Markup:
    """An SVG in the pixels of the figure."""
    box = f"0 0 {result.picture.width} {result.picture.height}"
    return element("svg", *parts, viewBox=box, class_=class_, role="img", aria_label=label)


def frame_outline(result: DigitizedMap) -> Markup:
    """The map's frame or outline."""
    corners = result.frame.corners() if result.outline is None else result.outline
    return element("path", d=_path(np.vstack([corners, corners[:1]])), class_="frame")


def magnification(result: DigitizedMap) -> int:
    """A round factor that makes the longest residual a few percent of the figure; 1 if there are none."""
    longest = float(np.hypot(*result.georeference.residuals.T).max(initial=0.0))
    if longest == 0:
        return 1
    factor = _ARROW_SHARE * max(result.picture.width, result.picture.height) / longest
    return max((m * 10**e for e in range(5) for m in (1, 2, 5) if m * 10**e <= factor), default=1)


def control_points(result: DigitizedMap) -> Markup:
    """Rings at the control points, arrows to where the fit puts them, magnified, and names."""
    fit, unit = result.georeference, _unit(result)
    times = magnification(result)
    drawn = []
    rows = zip(fit.gcps.names, fit.gcps.pixels, fit.residuals, np.asarray(fit.gcps.enabled), strict=True)
    for name, (x, y), (dx, dy), used in rows:
        tip = np.array([x + times * dx, y + times * dy])
        drawn.append(
            element(
                "g",
                element("title", f"{name}: residual {number(dx, 3)}, {number(dy, 3)} px"),
                element("circle", cx=float(x), cy=float(y), r=1.1 * unit),
                element("path", d=_arrow(np.array([x, y]), tip, unit), class_="arrow"),
                element("text", name, x=float(x) + 1.6 * unit, y=float(y) - 1.4 * unit, font_size=round(2.6 * unit, 2)),
                class_="point" if used else "point off",
            )
        )
    return element("g", *drawn)


def graticule(result: DigitizedMap) -> tuple[Markup, str]:
    """Meridians and parallels by the fit (lines of the local plane, where the map is not on Earth).

    Parameters
    ----------
    result : DigitizedMap

    Returns
    -------
    lines : Markup
        A group, empty where no place of the map is on Earth.
    caption : str
        The steps in words; empty without lines.
    """
    fit = result.georeference
    local = is_local(fit.crs)
    places = _places_of_frame(result, local)
    if not len(places):
        return element("g"), ""
    spans = [(float(column.min()), float(column.max())) for column in places.T]
    # Around the date line the places fill less of the circle than lies between the lowest and the highest.
    seen = [_filled(places[:, 0]) if not local else spans[0][1] - spans[0][0], spans[1][1] - spans[1][0]]
    steps = [_step(length, local) for length in seen]
    unit, drawn = _unit(result), []
    for axis in (0, 1):
        # A line goes on a step beyond the places seen: they are only a lattice.
        low, high = spans[1 - axis][0] - steps[1 - axis], spans[1 - axis][1] + steps[1 - axis]
        if axis == 0 and not local:
            low, high = max(low, -90.0), min(high, 90.0)
        first, last = np.floor(spans[axis][0] / steps[axis]), np.ceil(spans[axis][1] / steps[axis])
        for at in np.arange(first, last + 1) * steps[axis]:
            if axis == 1 and not local and abs(at) > 90:
                continue
            n = int(min(_POINTS_A_LINE * max(1.0, (high - low) / max(seen[1 - axis], 1e-30)), 20 * _POINTS_A_LINE))
            line = np.full((n, 2), at)
            line[:, 1 - axis] = np.linspace(low, high, n)
            runs = _drawn_runs(result, line)
            if not runs:
                continue
            drawn += [element("path", d=_path(run)) for run in runs]
            drawn.append(_line_name(result, runs, axis, _said(float(at), axis, local), unit))
    if not drawn:
        return element("g"), ""
    if local:
        return element("g", *drawn), f"every {number(steps[0])} in x and {number(steps[1])} in y"
    return element("g", *drawn), f"every {_angle(steps[0])} of longitude and {_angle(steps[1])} of latitude"


def lines_on_earth(result: DigitizedMap, lines: Sequence[NDArray[np.float64]]) -> Markup:
    """Lines given as (n, 2) arrays of longitude and latitude, coastlines for instance, where the fit puts them."""
    local = is_local(result.georeference.crs)
    places = _places_of_frame(result, local)
    if local or not len(places):
        return element("g")
    # The round of longitudes in which the map counts: from 0 or from -180, or across the date line.
    west = (float(places[:, 0].min()) + float(places[:, 0].max())) / 2 - 180.0
    runs = []
    for line in lines:
        turned = np.array(line, dtype=np.float64)
        turned[:, 0] = np.mod(turned[:, 0] - west, 360.0) + west
        cuts = np.flatnonzero(np.abs(np.diff(turned[:, 0])) > 180.0) + 1
        runs += [run for part in np.split(turned, cuts) for run in _drawn_runs(result, part)]
    near = max(result.picture.width, result.picture.height) / _SEEN_SIDE
    return element("g", element("path", d="".join(_path(_sparse(run, near)) for run in runs)))


def coasts(result: DigitizedMap) -> Lines:
    """Coastlines of the part of the Earth that the map shows, from the finer data where it is small.

    Returns
    -------
    list of (n, 2) float arrays
        Longitude and latitude in degrees; none where the map is not on Earth.
    """
    if not _on_earth(result.georeference.crs):
        return []
    places = _places_of_frame(result, local=False)
    if len(places) < 4:
        return []
    width = _filled(places[:, 0])
    south, north = float(places[:, 1].min()), float(places[:, 1].max())
    pad = 0.02 * max(width, north - south)
    around = np.sort(np.mod(places[:, 0], 360.0))
    gaps = np.diff(np.append(around, around[0] + 360.0))
    west = float(around[(int(np.argmax(gaps)) + 1) % len(around)]) - pad
    whole = width + 2 * pad > 360 - _ROUND_GAP
    bounds = (-180.0 if whole else west, max(south - pad, -90.0), 180.0 if whole else west + width + 2 * pad)
    fine = max(width, north - south) < _FINE_DEGREES
    return read_coastlines((*bounds, min(north + pad, 90.0)), "10m" if fine else "50m")


def bar_drawing(found: Inspection) -> Markup | None:
    """The bar and its labels cut out of the (upright) figure, with everything read drawn over it."""
    bar = found.bar
    if bar is None:
        return None
    upright = found.reading.turned
    pixels = found.source.picture.pixels if upright is None else upright.pixels
    height, width = pixels.shape[:2]
    boxes = [bar.box, *(label.box for label in bar.ticks.labels)]
    edges = np.array([[b.left, b.top, b.right, b.bottom] for b in boxes])
    pad = 0.6 * min(bar.box.width, bar.box.height) + 6
    left, top = np.maximum(np.floor(edges[:, :2].min(axis=0) - pad), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(edges[:, 2:].max(axis=0) + pad), [width, height]).astype(int).tolist()
    crop = pixels[top:bottom, left:right]
    upended = bar.axis == "vertical"
    parts = [
        element(
            "image", href=encode_picture(crop, _CROP_BYTES), x=left, y=top, width=right - left, height=bottom - top
        ),
        _rectangle(bar.box, "bar-box"),
    ]
    for i, label in enumerate(bar.ticks.labels):
        state = label_state(found, i)
        parts.append(_rectangle(label.box, f"label {state[0]}", pad=2.5))
        if label.tick is not None:
            parts.append(_tick(bar.box, label.tick, upended, state[0]))
    said = "; ".join(label.text for label in bar.ticks.labels) or "none"
    return element(
        "svg",
        *parts,
        viewBox=f"{left} {top} {right - left} {bottom - top}",
        class_="bar upended" if upended else "bar",
        role="img",
        aria_label=f"The colour bar cut out of the figure. Labels read: {said}",
    )


def label_state(found: Inspection, index: int) -> tuple[str, str, float]:
    """What became of a label of the bar: a class for its colour, the word, and the number it was taken for."""
    bar = found.bar
    if bar is None or index >= len(bar.ticks.labels):
        raise IndexError(index)
    fit, label = bar.ticks.fit, bar.ticks.labels[index]
    read = float(label.numbers[0].value) if label.numbers else float("nan")
    if fit is None:
        return "unused", "no fit", read
    if index in fit.members:
        nearest = int(np.argmin(np.abs(fit.positions - label.place)))
        return "taken", "taken", float(fit.values[nearest])
    for text, value, at in fit.overruled:
        if text == label.text and abs(at - label.place) < 1.0:
            return "overruled", "overruled", float(value)
    if index in fit.contrary:
        return "contrary", "contradicts the fit", read
    return "unused", "not used", read


def _on_earth(crs: str) -> bool:
    """Whether a CRS is one of the Earth, and no local plane or other body."""
    from pyproj import CRS

    body = None if is_local(crs) else CRS.from_user_input(crs).ellipsoid
    return body is not None and 6.3e6 < body.semi_major_metre < 6.45e6


def _sparse(run: NDArray[np.float64], near: float) -> NDArray[np.float64]:
    """A line without the points that lie nearer than so many pixels, along it, to the one kept before."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(run, axis=0).T))])
    keep = np.diff(np.floor(along / near), prepend=-1) > 0
    keep[[0, -1]] = True
    return run[keep]


def _unit(result: DigitizedMap) -> float:
    """A length that looks the same on figures of all sizes, in pixels."""
    return max(result.picture.width, result.picture.height) / 200


def _path(xy: NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in xy.tolist())


def _arrow(start: NDArray[np.float64], tip: NDArray[np.float64], unit: float) -> str:
    along = tip - start
    length = float(np.hypot(*along))
    shaft = _path(np.array([start, tip]))
    if length < unit:
        return shaft
    back, side = along / length, np.array([-along[1], along[0]]) / length
    size = min(1.2 * unit, length / 2)
    return shaft + _path(np.array([tip - size * (back + 0.6 * side), tip, tip - size * (back - 0.6 * side)]))


def _rectangle(box: PixelBox, class_: str, pad: float = 0.0) -> Markup:
    edges = {"x": box.left - pad, "y": box.top - pad, "width": box.width + 2 * pad, "height": box.height + 2 * pad}
    return element("rect", class_=class_, **edges)


def _tick(box: PixelBox, at: float, upended: bool, state: str) -> Markup:
    """A line across the bar, and a little beyond, where a tick mark was found."""
    thick = box.width if upended else box.height
    low, high = (box.left, box.right) if upended else (box.top, box.bottom)
    across = [low - 0.25 * thick, high + 0.25 * thick]
    ends = [(a, at) if upended else (at, a) for a in across]
    return element("path", d=_path(np.array(ends)), class_=f"tick {state}")


def _places_of_frame(result: DigitizedMap, local: bool) -> NDArray[np.float64]:
    """(n, 2) longitudes and latitudes (or local coordinates) all over the frame, where there are any."""
    frame = result.frame
    x, y = np.meshgrid(np.linspace(frame.left, frame.right, _LATTICE), np.linspace(frame.top, frame.bottom, _LATTICE))
    world = result.georeference.transform.to_world(np.column_stack([x.ravel(), y.ravel()]))
    world = world[np.isfinite(world).all(axis=1)]
    if local or is_geographic(result.georeference.crs) or not len(world):
        return world
    places = _converted(world, result.georeference.crs, "EPSG:4326")
    return places[np.isfinite(places).all(axis=1)]


def _converted(xy: NDArray[np.float64], source: str, target: str) -> NDArray[np.float64]:
    from pyproj import Transformer

    change = Transformer.from_crs(crs_definition(source), crs_definition(target), always_xy=True)
    return np.column_stack(change.transform(*xy.T))


def _filled(longitudes: NDArray[np.float64]) -> float:
    """Degrees of the circle that remain beside the widest gap."""
    around = np.sort(np.mod(longitudes, 360.0))
    return max(360.0 - float(np.diff(np.append(around, around[0] + 360.0)).max()), 0.0)


def _step(span: float, local: bool) -> float:
    """A round step for about so many lines."""
    if local:
        power = 10.0 ** np.floor(np.log10(max(span, 1e-30) / _LINES))
        return float(min((m * power for m in (1, 2, 5, 10)), key=lambda step: abs(np.log(span / _LINES / step))))
    return min(_DEGREES, key=lambda step: abs(np.log(max(span, 1e-9) / _LINES / step)))


def _drawn_runs(result: DigitizedMap, line: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The stretches of a line on Earth (or in the local plane) that lie in the frame, in pixels."""
    fit, frame = result.georeference, result.frame
    if not (is_local(fit.crs) or is_geographic(fit.crs)):
        line = _converted(line, "EPSG:4326", fit.crs)
    pixels = np.full(line.shape, np.nan)
    known = np.isfinite(line).all(axis=1)
    pixels[known] = fit.transform.to_pixel(line[known])
    x, y = pixels.T
    with np.errstate(invalid="ignore"):
        seen = (x >= frame.left) & (x <= frame.right) & (y >= frame.top) & (y <= frame.bottom)
    # One point beyond on either side: the stretch ends at the frame, where it is clipped.
    wide = seen | np.append(seen[1:], False) | np.insert(seen[:-1], 0, False)
    wide &= np.isfinite(pixels).all(axis=1)
    jump = np.hypot(*np.diff(np.nan_to_num(pixels), axis=0).T) > 0.3 * np.hypot(frame.width, frame.height)
    cuts = np.flatnonzero(~(wide[1:] & wide[:-1]) | jump) + 1
    runs = np.split(np.arange(len(line)), cuts)
    return [pixels[run] for run in runs if len(run) > 1 and seen[run].any()]


def _line_name(result: DigitizedMap, runs: list[NDArray[np.float64]], axis: int, text: str, unit: float) -> Markup:
    """The name of a line: meridians at the bottom of the frame, or where they leave it; parallels at their leftmost."""
    frame, xy, size = result.frame, np.vstack(runs), 2.4 * unit
    xy = np.clip(xy, [frame.left, frame.top], [frame.right, frame.bottom])
    if axis == 1:
        at = int(np.argmin(xy[:, 0]))
    elif xy[:, 1].max() > frame.bottom - 0.02 * frame.height:
        at = int(np.argmax(xy[:, 1]))
    else:
        middle = [(frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2]
        at = int(np.argmax(np.abs((xy - middle) / [frame.width, frame.height]).max(axis=1)))
    x, y = xy[at].tolist()
    last = x > frame.right - len(text) * size
    x += -0.6 * unit if last else 0.6 * unit
    y = max(y - 0.8 * unit, frame.top + size)
    return element("text", text, x=round(x, 1), y=round(y, 1), font_size=round(size, 2), class_="end" if last else None)


def _said(at: float, axis: int, local: bool) -> str:
    if local:
        return number(at)
    if axis == 0:
        at = (at + 180) % 360 - 180
    side = ("E", "W") if axis == 0 else ("N", "S")
    return _angle(abs(at)) + ("" if abs(at) < 1e-9 else side[at < 0])


def _angle(degrees: float) -> str:
    """Degrees, minutes and seconds, as far as they are needed: ``1.5`` is 1°30′."""
    minutes, seconds = divmod(round(degrees * 3600), 60)
    whole, minutes = divmod(minutes, 60)
    if not (minutes or seconds):
        return f"{whole}°"
    parts = [f"{whole}°" if whole else "", f"{minutes:02d}′" if whole else f"{minutes}′" if minutes else ""]
    return "".join(parts) + (f"{seconds:02d}″" if seconds else "")
