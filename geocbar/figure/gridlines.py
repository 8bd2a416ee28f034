"""Gridlines inside a map: straight ones along rows or columns, and curved ones, followed from the frame inwards.

Lines may be solid, dashed or dotted, dark or bright, over data of any colour: what counts is that pixels stand out
from both sides of a thin line, again and again along it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.figure.outlines import pixels_inside

__all__ = ["INKS", "Gridline", "LineMap", "find_straight_lines", "follow_line", "map_lines"]

#: How lines may differ from the map beneath.
INKS = ("dark", "bright", "either")

#: Window in which a line is thin, in pixels.
_THIN = 7
#: Contrast that counts as a line in full, of 255; more than that only helps to place it.
_FULL = 60.0
_MOST = 3.0
#: So near to the frame nothing is taken for a gridline, in pixels.
_RIM = 5
#: Share of a straight line's length that must stand out, and how far above that of other rows it must lie.
_LEAST_SHARE = 0.16
_LEAST_SIGMA = 6.0


@dataclass(frozen=True, eq=False)
class LineMap:
    """How much each pixel of a map stands out as part of a thin line.

    Parameters
    ----------
    dark, bright : (h, w) float arrays
        Contrast of dark and of bright lines in any of the three colours; 1 is a clear line, 3 the most.
    left, top : int
        Pixel column and row of the arrays' first element.
    """

    dark: NDArray[np.float32]
    bright: NDArray[np.float32]
    left: int
    top: int

    def __post_init__(self) -> None:
        for array in (self.dark, self.bright):
            array.setflags(write=False)

    def of(self, ink: str) -> NDArray[np.float32]:
        """Contrast of one of the :data:`INKS`."""
        return {"dark": self.dark, "bright": self.bright}.get(ink, np.maximum(self.dark, self.bright))


@dataclass(frozen=True, eq=False)
class Gridline:
    """A line followed through the map.

    Parameters
    ----------
    points : (n, 2) float array
        (x, y) in pixels, from where it leaves the frame inwards, where the line is seen.
    coverage : float
        Share of its length that is seen, 0 to 1.
    roughness : float
        Usual distance of the seen points from a smooth curve, in pixels.
    """

    points: NDArray[np.float64]
    coverage: float
    roughness: float

    def __post_init__(self) -> None:
        self.points.setflags(write=False)

    @property
    def merit(self) -> float:
        """Length that is seen, in pixels, over roughness: how good a line this is."""
        length = float(np.hypot(*np.diff(self.points, axis=0).T).sum())
        return length * self.coverage / (0.1 + self.roughness)


def map_lines(pixels: NDArray[np.uint8], box: PixelBox, outline: NDArray[np.float64] | None = None) -> LineMap:
    """Contrast of thin lines inside a box, or inside an outline in it.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    box : PixelBox
        The map's frame.
    outline : (k, 2) float array or None
        Corners of the map's outline (x, y), where it is no rectangle.

    Returns
    -------
    LineMap

    Raises
    ------
    InvalidInputError
        If the picture has no three colours, or the box is smaller than 20 px.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InvalidInputError(f"Lines are looked for in (rows, columns, 3) pixels, not in {pixels.shape}.")
    rows, cols = box.slices(pixels.shape[1], pixels.shape[0])
    colors = pixels[rows, cols].transpose(2, 0, 1)
    if min(colors.shape[1:]) < 20:
        raise InvalidInputError(f"The box {box} is too small to hold gridlines.")
    dark, bright = np.zeros((2, *colors.shape[1:]), np.float32)
    for band in colors:
        closed = ndimage.grey_closing(band, size=(_THIN, _THIN)) - band
        opened = band - ndimage.grey_opening(band, size=(_THIN, _THIN))
        np.maximum(dark, np.minimum(closed / np.float32(_FULL), _MOST), out=dark)
        np.maximum(bright, np.minimum(opened / np.float32(_FULL), _MOST), out=bright)
    for contrast in (dark, bright):
        # The frame's own line is no gridline.
        contrast[:_RIM] = contrast[-_RIM:] = 0
        contrast[:, :_RIM] = contrast[:, -_RIM:] = 0
    if outline is not None:
        inside = pixels_inside(outline - (cols.start, rows.start), dark.shape[1], dark.shape[0])
        beyond = ~ndimage.binary_erosion(inside, iterations=_RIM)
        dark[beyond] = bright[beyond] = 0
    return LineMap(dark, bright, cols.start, rows.start)


def find_straight_lines(lines: LineMap, direction: str) -> NDArray[np.float64]:
    """Places of gridlines that run straight along rows or columns through the whole map.

    Parameters
    ----------
    lines : LineMap
    direction : {"vertical", "horizontal"}

    Returns
    -------
    (n,) float array
        Pixel coordinate across the lines (x of vertical ones), ascending; those at the frame are left out.

    Raises
    ------
    InvalidInputError
        For an unknown direction.
    """
    if direction not in ("vertical", "horizontal"):
        raise InvalidInputError(f"Lines have no direction {direction!r}.", "Choose one of: vertical, horizontal")
    kinds = [lines.of(ink) for ink in INKS]
    found = [_peaks_of(contrast if direction == "vertical" else contrast.T) for contrast in kinds]
    best = max(found, key=len)
    return best + (lines.left if direction == "vertical" else lines.top)


def _peaks_of(contrast: NDArray[np.float32]) -> NDArray[np.float64]:
    """Columns in which line pixels stand out all along, to sub-pixel; every tenth of the length must show some."""
    height, width = contrast.shape
    parts = np.array_split(np.arange(height), 12)
    plain = np.minimum(contrast, 1)
    shares = np.stack([plain[part].mean(axis=0) for part in parts])
    profile = np.sort(shares, axis=0)[2:-2].mean(axis=0)
    ground = ndimage.median_filter(profile, size=41, mode="reflect")
    rest = profile - ground
    noise = 1.48 * float(np.median(np.abs(rest))) + 0.004
    from scipy import signal

    peaks, _ = signal.find_peaks(rest, height=max(_LEAST_SHARE, _LEAST_SIGMA * noise), distance=4)
    places = []
    for peak in peaks:
        if peak < _RIM + 2 or peak > width - _RIM - 3:
            continue
        window = slice(peak - 2, peak + 3)
        if (shares[:, peak - 1 : peak + 2].max(axis=1) - ground[peak] > 0.4 * rest[peak]).mean() < 0.7:
            continue
        body = contrast[:, window].mean(axis=0)
        weights = np.clip(body - min(body[0], body[-1]), 0, None)
        places.append(float((weights * (np.arange(peak - 2, peak + 3) + 0.5)).sum() / weights.sum()))
    return np.array(places)


#: Steps along a followed line, and the length its cross-section is averaged over, in pixels.
_STEP, _STRETCH = 4.0, 10.0
#: Longest gap in a line that is bridged, in pixels; of a line seen far enough, shares of the map and of the line.
_GAP, _GAP_OF_MAP, _GAP_OF_LINE = 44.0, 0.14, 0.5
#: A line goes on as its last so many steps did.
_MEMORY = 80
#: Least contrast of a line's cross-section.
_LEAST_PEAK = 0.07


def follow_line(
    lines: LineMap, start: tuple[float, float], inward: tuple[float, float], ink: str = "either", slack: float = 4.0
) -> Gridline | None:
    """Follow a gridline from the frame into the map.

    Parameters
    ----------
    lines : LineMap
    start : (float, float)
        (x, y) in pixels where the line meets the frame.
    inward : (float, float)
        Unit vector from the frame into the map, upright or level.
    ink : {"dark", "bright", "either"}
        Whether the line is darker or brighter than the map, or now one, now the other.
    slack : float
        How far along the side the line may be from `start`, in pixels.

    Returns
    -------
    Gridline or None
        None if no line starts there.

    Raises
    ------
    InvalidInputError
        For an unknown ink.
    """
    if ink not in INKS:
        raise InvalidInputError(f"Lines have no ink {ink!r}.", f"Choose one of: {', '.join(INKS)}")
    contrast = lines.of(ink)
    corner = np.array([lines.left, lines.top], dtype=np.float64)
    begun = _begin(contrast, np.array(start) - corner, np.array(inward, dtype=np.float64), slack)
    line = None if begun is None else _smoothed(*_walk(contrast, *begun))
    return None if line is None else Gridline(line.points + corner, line.coverage, line.roughness)


def _sampled(contrast: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Contrast at (..., 2) places (x, y), pixel centres at .5; nothing outside."""
    rows, cols = places[..., 1] - 0.5, places[..., 0] - 0.5
    return np.asarray(ndimage.map_coordinates(contrast, [rows, cols], order=1, mode="constant"))


def _begin(
    contrast: NDArray[np.float32], start: NDArray[np.float64], inward: NDArray[np.float64], slack: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Place and direction of the straightest and clearest line that begins near a place; None without one."""
    length = float(np.clip(0.12 * min(contrast.shape), 30, 90))
    side = np.array([-inward[1], inward[0]])
    offsets = np.arange(-slack, slack + 0.5, 0.75)
    angles = np.radians(np.arange(-72, 72.1, 1.0))
    headings = np.cos(angles)[:, None] * inward + np.sin(angles)[:, None] * side
    along = np.arange(_RIM - 1.0, length, 1.0)
    origins = start + offsets[:, None] * side
    places = origins[:, None, None] + headings[None, :, None] * along[None, None, :, None]
    values = np.minimum(_sampled(contrast, places), 1)
    parts = np.stack([part.mean(axis=-1) for part in np.array_split(values, 5, axis=-1)])
    score = np.sort(parts, axis=0)[1:].mean(axis=0) * (0.5 + 0.5 * (parts > 0.1).mean(axis=0))
    score = score - 0.004 * np.abs(offsets)[:, None]
    i, j = divmod(int(np.argmax(score)), score.shape[1])
    if score[i, j] < max(0.1, 1.5 * float(np.median(score))):
        return None
    return origins[i], headings[j]


def _walk(
    contrast: NDArray[np.float32], place: NDArray[np.float64], heading: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Go on step by step along the line; the places passed, and whether the line was seen there."""
    height, width = contrast.shape
    offsets = np.arange(-4.0, 4.01, 0.5)
    stretch = np.arange(-_STRETCH / 2, _STRETCH / 2 + 0.1, 1.0)
    prior = np.exp(-(offsets**2) / (2 * 1.6**2))
    path, seen = [place + 2 * heading], [False]
    usual: list[float] = []
    unseen = 0.0
    while unseen <= max(_GAP, min(_GAP_OF_MAP * min(contrast.shape), _GAP_OF_LINE * _STEP * len(usual))):
        ahead, heading = _extrapolated(np.array(path), np.array(seen), heading)
        if not (0 <= ahead[0] <= width and 0 <= ahead[1] <= height):
            break
        normal = np.array([-heading[1], heading[0]])
        grid = ahead + offsets[:, None, None] * normal + stretch[None, :, None] * heading
        values = _sampled(contrast, grid)
        profile, body = np.minimum(values, 1).mean(axis=1), values.mean(axis=1)
        ground = float(np.median(profile))
        rise = (profile - ground) * prior
        peak = int(np.argmax(rise))
        least = max(_LEAST_PEAK, 0.3 * float(np.median(usual[-60:])) if usual else 0.0)
        if rise[peak] >= least:
            window = slice(max(peak - 3, 0), peak + 4)
            weights = np.clip(body[window] - min(float(np.median(body)), float(body[peak]) - 0.01), 0, None)
            ahead = ahead + float((weights * offsets[window]).sum() / weights.sum()) * normal
            usual.append(float(rise[peak]))
            unseen = 0.0
        else:
            unseen += _STEP
        path.append(ahead)
        seen.append(unseen == 0.0)
    return np.array(path), np.array(seen)


def _extrapolated(
    path: NDArray[np.float64], seen: NDArray[np.bool_], heading: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Next place and heading: on a parabola through the last places where the line was seen."""
    last = path[seen][-_MEMORY:]
    if len(last) < 4:
        return path[-1] + _STEP * heading, heading
    normal = np.array([-heading[1], heading[0]])
    along, across = (last - last[-1]) @ heading, (last - last[-1]) @ normal
    degree = 1 if len(last) < 15 else 2
    terms = np.polynomial.polynomial.polyfit(along, across, degree)
    reach = float((path[-1] - last[-1]) @ heading) + _STEP
    rise = float(np.polynomial.polynomial.polyval(reach, terms))
    slope = float(np.polynomial.polynomial.polyval(reach, np.polynomial.polynomial.polyder(terms)))
    turned = heading + slope * normal
    return last[-1] + reach * heading + rise * normal, turned / np.linalg.norm(turned)


def _smoothed(path: NDArray[np.float64], seen: NDArray[np.bool_]) -> Gridline | None:
    """A smooth curve through the places where the line was seen; None if they are few or rough."""
    if seen.sum() < 8:
        return None
    last = int(np.flatnonzero(seen)[-1])
    path, seen = path[: last + 1], seen[: last + 1]
    chord = path[-1] - path[0]
    if np.linalg.norm(chord) < 10 * _STEP:
        return None
    heading = chord / np.linalg.norm(chord)
    normal = np.array([-heading[1], heading[0]])
    along, across = (path - path[0]) @ heading, (path - path[0]) @ normal
    scale = float(np.abs(along).max())
    kept = seen.copy()
    degree = 2 if seen.sum() < 20 else 4
    terms = np.zeros(1)
    for _ in range(4):
        if kept.sum() < 8:
            return None
        terms = np.polynomial.polynomial.polyfit(along[kept] / scale, across[kept], degree)
        rest = np.abs(across - np.polynomial.polynomial.polyval(along / scale, terms))
        kept = seen & (rest <= max(1.0, 2.5 * float(np.median(rest[seen]))))
    where = np.arange(along[kept].min(), along[kept].max(), 2.0)
    curve = np.polynomial.polynomial.polyval(where / scale, terms)
    points = path[0] + where[:, None] * heading + curve[:, None] * normal
    rough = float(np.sqrt((rest[kept] ** 2).mean()))
    return Gridline(points, float(kept.sum() / len(path)), rough)
