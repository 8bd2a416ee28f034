"""Pixels to values: the nearest place on the colour scale, how sure it is, and why a pixel has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.value.ambiguity import find_twins, resolve_twins, second_candidates
from geocbar.value.background import FlatColor, find_flat_colors, mark_background
from geocbar.value.classes import classify
from geocbar.value.codebook import rounding_shift, tune_to_map
from geocbar.value.color import RGB, YCBCR
from geocbar.value.dithering import average_dither, is_dithered
from geocbar.value.filling import fill_classes, fill_gaps
from geocbar.value.masks import grown, opened
from geocbar.value.projection import ColorTable, project_colors
from geocbar.value.reasons import Reason
from geocbar.value.rejection import Strictness, color_noise, find_lines, strictness
from geocbar.value.scale import ColorScale
from geocbar.value.shading_choice import (
    ShadingChoice,
    close_rivals,
    hidden_shading,
    maybe_shaded,
    recognize_shading,
)
from geocbar.value.smoothing import median_of_valid
from geocbar.value.uncertainty import at_ends, error_kind, estimate_sigma
from geocbar.value.unshading import remove_shading

__all__ = ["SHADING_CHOICES", "Coding", "Inversion", "invert"]

#: What may be said about relief shading.
SHADING_CHOICES = ("auto", "none", "multiply", "gmt", "soft", "overlay")

#: Mean colours of large regions farther than this from the scale are no data: lossless, JPEG (8-bit sRGB units).
FLAT_OFF_SCALE = (3.0, 6.0)

#: A map of which the scale explains less than this share of the coloured pixels belongs to another scale.
LEAST_EXPLAINED = 0.2

#: Colours this near to the scale count as explained (8-bit sRGB units).
EXPLAINED_DISTANCE = 25.0

#: If more than this share of the data lies at an end of the scale, values beyond it were drawn with its colour.
SATURATED_SHARE = 0.005

#: A lossless map whose colours lie this near to the scale is rounded like it (8-bit sRGB units).
ROUNDED_ALIKE = 0.3

#: The colour of this share of the picture's rim, give or take so much (8-bit sRGB units), is its paper.
PAPER_SHARE, PAPER_SPREAD = 0.4, 6

#: A class's colour this near to that of the paper may be paper showing through (8-bit sRGB units).
PAPER_ALIKE = 6

#: A scale whose colours have less chroma than this is grey: relief shading only moves along it.
GREY_CHROMA = 12

#: Where shading was taken out: side of the square in which scatter is measured, and weights of sigma and scatter.
SCATTER_PX, UNSHADED_WEIGHT, SCATTER_WEIGHT = 9, 1.3, 2.0

#: Flat colours that cover this share of the map are told of.
FLAT_WORTH_A_NOTE = 0.005

_MOST_NAMED = 4
_RIM = 6
_SAMPLE = 100_000
_NOISE_SAMPLE = 4_000_000
_BLOCK_PIXELS = 1 << 18


@dataclass(frozen=True)
class Coding:
    """How a picture was packed, as far as its colours are concerned.

    Parameters
    ----------
    lossy : bool
        Whether it went through JPEG.
    tables : tuple of tuple of int, or None
        Quantization tables of the JPEG, if they are known.
    subsampling : int
        0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0.
    """

    lossy: bool = False
    tables: tuple[tuple[int, ...], ...] | None = None
    subsampling: int = 2

    @property
    def metric(self) -> NDArray[np.float64]:
        """The space in which colours are compared."""
        return YCBCR if self.lossy else RGB


@dataclass(frozen=True, eq=False)
class Inversion:
    """What the colours of a picture say.

    Parameters
    ----------
    values : (h, w) float32 array
        In the unit of the scale; NaN where there is none. Pixels of the reasons DATA and FILLED have a value; those
        of BELOW and ABOVE have one if they bear the colour of the scale's end, and it means "at or beyond".
    sigma : (h, w) float32 array
        One standard deviation of each value, NaN where there is no value.
    reason : (h, w) uint8 array
        One of :class:`Reason`.
    distance : (h, w) float32 array
        How far each pixel's colour lies from the scale, in 8-bit sRGB units; NaN outside the frame.
    noise : float
        Median distance of the data's colours from the scale.
    explained : float
        Share of the coloured pixels of the map (no paper, no fill) that lie near the scale.
    flats : tuple of FlatColor
        Large flat colours of the map, and what they were taken for.
    shading : ShadingChoice or None
        How the map is shaded, if that was looked for.
    intensity : (h, w) float32 array or None
        Light of the shading that was taken out.
    error_kind : str
        What sort of error sigma stands for.
    notes : tuple of str
        What a person should know.
    """

    values: NDArray[np.float32]
    sigma: NDArray[np.float32]
    reason: NDArray[np.uint8]
    distance: NDArray[np.float32]
    noise: float
    explained: float = 1.0
    flats: tuple[FlatColor, ...] = ()
    shading: ShadingChoice | None = None
    intensity: NDArray[np.float32] | None = None
    error_kind: str = ""
    notes: tuple[str, ...] = ()


@dataclass(eq=False)
class _Work:
    """Arrays of the map's window while it is being worked on."""

    pixels: NDArray[np.uint8]
    scale: ColorScale
    coding: Coding
    unit: NDArray[np.float32]
    distance: NDArray[np.float32]
    reason: NDArray[np.uint8]
    shading: ShadingChoice | None = None
    intensity: NDArray[np.float32] | None = None

    @property
    def valid(self) -> NDArray[np.bool_]:
        return self.reason == Reason.DATA


def invert(
    pixels: NDArray[np.uint8],
    scale: ColorScale,
    *,
    coding: Coding | None = None,
    max_distance: float | None = None,
    frame: PixelBox | None = None,
    inside: NDArray[np.bool_] | None = None,
    bar: PixelBox | None = None,
    bar_length_px: float | None = None,
    background: Sequence[tuple[int, int, int]] = (),
    search_background: bool = True,
    under: tuple[int, int, int] | None = None,
    over: tuple[int, int, int] | None = None,
    shading: str = "auto",
    fill: int = 0,
) -> Inversion:
    """Give every pixel that shows data the value of the nearest place on the colour scale.

    The value depends on the pixel's colour and the scale (on JPEG: on the median of the valid pixels of its 3 x 3
    square); whether it has one depends on what surrounds it. Every distinct colour is projected once.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    scale : ColorScale
    coding : Coding or None
        None: lossless.
    max_distance : float or None
        Colours farther from the scale get no value (8-bit sRGB units); None: by the noise measured in the picture.
    frame : PixelBox or None
        The map's frame; pixels whose centres lie outside get no value.
    inside : (h, w) bool array or None
        The outline of a map that is no rectangle; pixels outside get no value.
    bar : PixelBox or None
        The colour bar, which gets no value.
    bar_length_px : float or None
        Length of the bar the scale was read from, for the uncertainty of its ends; None: the ends are exact.
    background : sequence of (r, g, b)
        Colours of paper, land or boxes, which get no value.
    search_background : bool
        Look for large flat colours that stand for no value.
    under, over : (r, g, b) or None
        Colours that stand for values beyond the lower and upper limit.
    shading : {"auto", "none", "multiply", "gmt", "soft", "overlay"}
        Relief shading to take out; ``"auto"`` recognises it, and even transparency, by the colours of the map.
    fill : int
        Close gaps left by lines and letters up to this many pixels wide.

    Returns
    -------
    Inversion

    Raises
    ------
    InvalidInputError
        If `max_distance` is not positive, `fill` is negative, a box leaves the picture, an outline is not of its size,
        or the map is shaded in a way that cannot be told for certain.
    """
    _require_choices(max_distance, shading, fill)
    coding = coding or Coding()
    height, width = pixels.shape[:2]
    for box, what in ((frame, "map frame"), (bar, "colour bar")):
        if box is not None:
            box.require_inside(width, height, what)
    window = (frame or PixelBox(0, 0, width, height)).slices(width, height)
    work = _look_up(pixels[window], scale, coding)
    if inside is not None:
        _require_shape(inside, (height, width))
        work.reason[~inside[window]] = Reason.OUTSIDE
    if bar is not None:
        _mark_bar(work.reason, bar, window)
    _mark_colors(work, background, under, over)
    page = _page(pixels)
    flats = _mark_flats(work, page) if search_background else []
    if scale.is_classes:
        explained = _explained(work, page)
        values, sigma, noise, notes = _classes(work, max_distance, fill)
    else:
        notes = _prepare(work, shading)
        if work.intensity is not None:
            # What looked off the scale may have been its colours in the shade.
            work.reason[work.reason == Reason.BACKGROUND] = Reason.DATA
            _mark_colors(work, background, under, over)
            flats = _mark_flats(work, _page(pixels)) if search_background else []
            explained = _explained(work, _page(pixels))
        explained = _explained(work, page)
        values, sigma, noise = _continuous(work, max_distance, fill, window, bar_length_px, under, over)
    return Inversion(
        _in_picture(values, window, (height, width), np.nan),
        _in_picture(sigma, window, (height, width), np.nan),
        _in_picture(work.reason, window, (height, width), Reason.OUTSIDE),
        _in_picture(work.distance, window, (height, width), np.nan),
        noise,
        explained,
        tuple(flats),
        work.shading,
        None if work.intensity is None else _in_picture(work.intensity, window, (height, width), np.nan),
        error_kind(scale, lossy=coding.lossy),
        (*_flat_notes(flats), *notes),
    )


def _require_choices(max_distance: float | None, shading: str, fill: int) -> None:
    if max_distance is not None and not max_distance > 0:
        raise InvalidInputError(f"The largest colour distance is {max_distance:g}.", "Give --max-distance above 0.")
    if fill < 0:
        raise InvalidInputError(f"Gaps of {fill} px cannot be filled.", "Give --fill 0 or more, in pixels.")
    if shading not in SHADING_CHOICES:
        raise InvalidInputError(f"There is no shading {shading!r}.", f"Choose one of: {', '.join(SHADING_CHOICES)}")


def _require_shape(inside: NDArray[np.bool_], shape: tuple[int, int]) -> None:
    if inside.shape != shape:
        raise InvalidInputError(
            f"The outline's mask has the shape {inside.shape}, the picture {shape}.", "Give one flag for every pixel."
        )


def _look_up(part: NDArray[np.uint8], scale: ColorScale, coding: Coding) -> _Work:
    work = _Work(
        part,
        scale,
        coding,
        np.empty(part.shape[:2], np.float32),
        np.empty(part.shape[:2], np.float32),
        np.zeros(part.shape[:2], np.uint8),
    )
    _project(work)
    return work


def _project(work: _Work) -> ColorTable:
    """Project every distinct colour once, and spread the results."""
    table = ColorTable.of(work.pixels)
    nodes, _ = project_colors(table.colors, work.scale, work.coding.metric)
    away = work.scale.colors_at_nodes(nodes) - table.colors
    distance = np.sqrt((away * away).sum(axis=1)).astype(np.float32)
    unit = work.scale.to_unit(work.scale.values_at(nodes))
    table.spread_all([unit, distance], [work.unit, work.distance])
    return table


def _mark_bar(reason: NDArray[np.uint8], bar: PixelBox, window: tuple[slice, slice], margin: float = 2.0) -> None:
    """The bar with its frame line."""
    top, left = window[0].start, window[1].start
    box = PixelBox(
        bar.left - margin - left, bar.top - margin - top, bar.right + margin - left, bar.bottom + margin - top
    )
    reason[box.slices(reason.shape[1], reason.shape[0])] = Reason.BAR


def _mark_colors(
    work: _Work,
    background: Sequence[tuple[int, int, int]],
    under: tuple[int, int, int] | None,
    over: tuple[int, int, int] | None,
) -> None:
    """Background colours that were given, and colours seen beyond the bar's ends that are not those of the ends."""
    lossy = work.coding.lossy
    if background:
        work.reason[mark_background(work.pixels, (), background, lossy=lossy) & work.valid] = Reason.BACKGROUND
    for color, reason in ((under, Reason.BELOW), (over, Reason.ABOVE)):
        if color is None:
            continue
        away = project_colors(np.array([color], np.uint8), work.scale)[1][0]
        if away > 2 * FLAT_OFF_SCALE[lossy]:
            work.reason[mark_background(work.pixels, (), [color], lossy=lossy) & work.valid] = reason


def _mark_flats(work: _Work, page: tuple[int, int, int] | None) -> list[FlatColor]:
    lossy = work.coding.lossy
    flats = find_flat_colors(
        work.pixels, work.unit, work.distance, off_scale=FLAT_OFF_SCALE[lossy], lossy=lossy, page=page
    )
    if work.scale.is_classes:
        # Classes are flat themselves: only what is off the scale is surely a fill, and the paper's colour may be one.
        off = [flat for flat in flats if flat.distance > FLAT_OFF_SCALE[lossy]]
        near = [] if page is None else [flat for flat in flats if np.abs(flat.color - page).max() <= PAPER_ALIKE]
        flats = off + [replace(flat, verdict="unsure") for flat in near if flat not in off]
    fills = mark_background(work.pixels, flats, (), lossy=lossy)
    work.reason[fills & work.valid] = Reason.BACKGROUND
    return flats


def _page(pixels: NDArray[np.uint8]) -> tuple[int, int, int] | None:
    """Colour of most of the picture's rim; None if there is none, as where the picture was cut to the map."""
    sides = (pixels[:_RIM], pixels[-_RIM:], pixels[:, :_RIM], pixels[:, -_RIM:])
    rim = np.concatenate([side.reshape(-1, 3) for side in sides])
    colors, counts = np.unique(rim, axis=0, return_counts=True)
    red, green, blue = color = colors[np.argmax(counts)].astype(np.int16)
    if (np.abs(rim - color).max(axis=1) <= PAPER_SPREAD).mean() < PAPER_SHARE:
        return None
    return int(red), int(green), int(blue)


def _explained(work: _Work, page: tuple[int, int, int] | None) -> float:
    paper = mark_background(work.pixels, (), [] if page is None else [page], lossy=work.coding.lossy)
    colored = work.valid & ~paper
    if colored.mean() < 0.01:
        colored = work.valid
    total = int(np.count_nonzero(colored))
    near = (work.distance < EXPLAINED_DISTANCE) & colored
    return float(np.count_nonzero(near) / total) if total else 1.0


def _prepare(work: _Work, shading: str) -> list[str]:
    """Undo what was done to the colours between the scale and the page; what a person should know of it."""
    if shading != "none" and work.valid.any():
        _unshade(work, shading)
    if work.intensity is not None and work.shading is not None:
        return [sentence for sentence in (work.shading.sentence, close_rivals(work.shading)) if sentence]
    notes = []
    if work.shading is not None and maybe_shaded(work.shading):
        notes.append(maybe_shaded(work.shading))
    if shading == "auto" and np.ptp(work.scale.colors, axis=1).max() < GREY_CHROMA:
        notes.append(
            "On a grey scale relief shading cannot be told from the data: if the map is shaded, values are off."
        )
    if not work.coding.lossy and is_dithered(work.pixels, work.scale, work.valid):
        work.pixels = average_dither(work.pixels, work.valid)
        _project(work)
        notes.append("The picture is dithered: neighbouring colours were averaged before they were read.")
    _resolve(work)
    return notes


def _unshade(work: _Work, shading: str) -> None:
    choice = recognize_shading(work.pixels, work.scale, work.valid, lossy=work.coding.lossy)
    if shading != "auto":
        choice = replace(choice, model=shading, alpha=1.0, confident=True, sentence=f"Shading {shading}, as told.")
    elif not choice.confident or hidden_shading(choice):
        raise InvalidInputError(
            hidden_shading(choice) or choice.sentence,
            "Say how: --shading multiply|gmt|soft|overlay, or none to read it as it is.",
        )
    work.shading = choice
    if choice.model != "none":
        plain = remove_shading(work.pixels, work.scale, choice, lossy=work.coding.lossy)
        work.unit, work.distance, work.intensity = plain.unit, plain.distance, plain.intensity


def _resolve(work: _Work) -> None:
    """Choose between values that bear the same colour."""
    noise = _noise(work)
    slack = max(6.0, 4 * noise)
    if not len(find_twins(work.scale, slack)):
        return
    table = ColorTable.of(work.pixels)
    _, first = project_colors(table.colors, work.scale, work.coding.metric)
    second, away = second_candidates(table.colors, work.scale, work.coding.metric)
    pictures: list[NDArray[Any]] = [table.spread(column) for column in (second, first, away)]
    plausible = work.valid & (work.distance < strictness(noise, work.coding.lossy).certain)
    # Where the neighbourhood does not decide there is no value: half the difference is no standard deviation.
    work.unit, unsure, _ = resolve_twins(work.unit, pictures[0], pictures[1], pictures[2], plausible, slack)
    work.reason[unsure & work.valid] = Reason.AMBIGUOUS


def _noise(work: _Work) -> float:
    """Of the data's colours, from every so many rows and columns of a large picture."""
    stride = max(int(np.sqrt(work.distance.size / _NOISE_SAMPLE)), 1)
    return color_noise(work.distance[::stride, ::stride][work.valid[::stride, ::stride]])


def _limits(work: _Work, max_distance: float | None) -> tuple[Strictness, float]:
    noise = _noise(work)
    limits = strictness(noise, work.coding.lossy)
    if max_distance is not None:
        limits = replace(limits, certain=max_distance, suspect=min(limits.suspect, max_distance))
    return limits, noise


def _continuous(
    work: _Work,
    max_distance: float | None,
    fill: int,
    window: tuple[slice, slice],
    bar_length_px: float | None,
    under: tuple[int, int, int] | None,
    over: tuple[int, int, int] | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    coding, scale = work.coding, work.scale
    plain = work.intensity is None
    limits, noise = _limits(work, max_distance)
    if plain and _retune(work, limits, noise):
        limits, noise = _limits(work, max_distance)
    lines = find_lines(work.unit, work.distance, limits, ~work.valid)
    work.reason[lines] = Reason.LINE
    work.reason[_wide(lines & (work.distance >= limits.certain))] = Reason.OFF_SCALE
    del lines
    if coding.lossy and plain:
        work.unit = median_of_valid(work.unit, work.valid)
    sigma = estimate_sigma(
        work.pixels,
        work.unit,
        work.distance,
        work.valid,
        scale,
        metric=coding.metric,
        # Packing a shaded map again says nothing: its colours do not lie on the scale.
        tables=coding.tables if coding.lossy and plain else None,
        subsampling=coding.subsampling,
        bar_length_px=bar_length_px or 1.0,
        bar_end_px=scale.end_px if bar_length_px else 0.0,
        origin=(window[0].start, window[1].start),
    )
    if coding.lossy and not plain:
        sigma = _widened(sigma, work.unit, work.valid)
    if fill:
        gaps = fill_gaps(work.unit, work.valid, work.reason == Reason.LINE, fill, lossy=coding.lossy)
        # What the neighbours are uncertain by, a gap between them is too.
        usual = np.float32(np.median(sigma[work.valid])) if work.valid.any() else np.float32(0)
        work.unit = np.where(gaps.filled, gaps.unit, work.unit)
        sigma = np.where(gaps.filled, np.hypot(gaps.sigma, usual), sigma)
        work.reason[gaps.filled] = Reason.FILLED
    has_value = work.valid | (work.reason == Reason.FILLED)
    _mark_ends(work, sigma, under is not None, over is not None)
    _to_values(work.unit, sigma, has_value, scale)
    return work.unit, sigma, noise


def _to_values(
    unit: NDArray[np.float32], sigma: NDArray[np.float32], has_value: NDArray[np.bool_], scale: ColorScale
) -> None:
    """Shares of the scale's length to its unit, in place; NaN where there is no value."""
    for rows in _row_blocks(unit.shape):
        nothing = ~has_value[rows]
        values = scale.from_unit(unit[rows])
        values[nothing] = np.nan
        sigma[rows][nothing] = np.nan
        sigma[rows] = scale.sigma_from_unit(values, sigma[rows])
        unit[rows] = values


def _row_blocks(shape: tuple[int, ...]) -> list[slice]:
    rows = max(_BLOCK_PIXELS // max(shape[1], 1), 1)
    return [slice(top, top + rows) for top in range(0, shape[0], rows)]


def _widened(sigma: NDArray[np.float32], unit: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Sigma of a map whose shading was taken out, with the scatter that is left between neighbours."""
    off = np.where(valid, unit - median_of_valid(unit, valid), np.float32(0))
    weight = ndimage.uniform_filter(valid.astype(np.float32), SCATTER_PX)
    scatter = ndimage.uniform_filter(off * off, SCATTER_PX) / np.maximum(weight, np.float32(0.05))
    return np.sqrt(UNSHADED_WEIGHT**2 * sigma**2 + SCATTER_WEIGHT**2 * scatter).astype(np.float32)


def _retune(work: _Work, limits: Strictness, noise: float) -> bool:
    """Take the colours the map was drawn with, where they are rounded otherwise than those of the scale."""
    if not work.coding.lossy and noise < ROUNDED_ALIKE:
        return False
    tainted = ~work.valid | (work.distance >= limits.suspect)
    clean = ~grown(tainted, limits.ring + 1)
    rows, cols = np.nonzero(clean)
    if not len(rows):
        return False
    step = max(len(rows) // _SAMPLE, 1)
    sample = work.pixels[rows[::step], cols[::step]]
    shift = rounding_shift(work.scale, sample, work.coding.metric)
    tuned = replace(work.scale, colors=np.clip(work.scale.colors + shift, 0, 255)) if shift else work.scale
    if not work.coding.lossy:
        tuned = tune_to_map(tuned, sample)
    if tuned is work.scale:
        return False
    work.scale = tuned
    _project(work)
    _resolve(work)
    return True


def _mark_ends(work: _Work, sigma: NDArray[np.float32], under: bool, over: bool) -> None:
    """Flag values at the end of a scale that goes on beyond it, or where the data pile up."""
    at_end = np.zeros(work.reason.shape, np.uint8)
    total, counts = 0, np.zeros(2, np.intp)
    for rows in _row_blocks(at_end.shape):
        valid = work.reason[rows] == Reason.DATA
        # The middle of the last step of colour is as far as values can come.
        reach = np.maximum(sigma[rows], np.float32(0.51 * work.scale.step))
        masks = at_ends(work.unit[rows], np.where(valid, reach, np.float32(0)))
        total += int(np.count_nonzero(valid))
        for i, mask in enumerate(masks):
            mask &= valid
            counts[i] += np.count_nonzero(mask)
            at_end[rows][mask] = i + 1
    for i, (drawn, reason) in enumerate(((under, Reason.BELOW), (over, Reason.ABOVE))):
        if drawn or counts[i] > SATURATED_SHARE * max(total, 1):
            work.reason[at_end == i + 1] = reason


def _classes(
    work: _Work, max_distance: float | None, fill: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], float, list[str]]:
    scale, known = work.scale, ~work.valid
    limits, noise = _limits(work, max_distance)
    classified = classify(work.pixels, scale, lossy=work.coding.lossy, background=known)
    index = classified.index.astype(np.intp)
    hole = (index < 0) & ~known
    work.distance = np.where(known, work.distance, classified.distance)
    work.reason[hole] = Reason.LINE
    work.reason[_wide(hole & (work.distance >= limits.certain))] = Reason.OFF_SCALE
    n = len(scale.values)
    if fill:
        unit = ((index + 0.5) / n).astype(np.float32)
        gaps = fill_classes(unit, (index >= 0) & ~known, work.reason == Reason.LINE, fill, n)
        index = np.where(gaps.filled, np.floor(np.nan_to_num(gaps.unit) * n).astype(np.intp), index)
        work.reason[gaps.filled] = Reason.FILLED
    has_value = (index >= 0) & ~known
    halves = np.abs(np.diff(np.asarray(scale.edges))).astype(np.float32) / 2
    nothing = np.float32(np.nan)
    values = np.where(has_value, scale.values.astype(np.float32)[index], nothing)
    # A class says no more than "between these limits": half of its width over the square root of three.
    sigma = np.where(has_value, halves[index] / np.float32(np.sqrt(3)), nothing)
    return values, sigma, noise, []


def _wide(mask: NDArray[np.bool_], radius: int = 5) -> NDArray[np.bool_]:
    """Parts of a mask too wide to be a line or the stroke of a letter."""
    return opened(mask, radius) & mask


def _flat_notes(flats: Sequence[FlatColor]) -> list[str]:
    """One sentence on the flat colours read as data, one on those of the scale taken for background."""
    large = [flat for flat in flats if flat.share >= FLAT_WORTH_A_NOTE]
    unsure = [flat for flat in large if flat.verdict == "unsure"]
    fills = [flat for flat in large if flat.verdict == "fill" and flat.distance <= FLAT_OFF_SCALE[1]]
    notes = []
    if unsure:
        notes.append(
            f"{_covering(unsure)} of the map and may be fill or plateaus of the data: read as data. If not: "
            + " ".join(f"--background '{_hex(flat.color)}'" for flat in unsure[:_MOST_NAMED])
        )
    if fills:
        notes.append(
            f"{_covering(fills)} of the map and {'was' if len(fills) == 1 else 'were'} taken for background, though on"
            " the scale. If data: --no-background-search"
        )
    return notes


def _covering(flats: Sequence[FlatColor]) -> str:
    """``#ffffff covers 12.0 %``, or several in one phrase."""
    shares = [f"{_hex(flat.color)} ({100 * flat.share:.1f} %)" for flat in flats[:_MOST_NAMED]]
    if len(flats) == 1:
        return f"{_hex(flats[0].color)} covers {100 * flats[0].share:.1f} %"
    others = f" and {len(flats) - _MOST_NAMED} more" if len(flats) > _MOST_NAMED else ""
    return f"{', '.join(shares)}{others} cover {100 * sum(flat.share for flat in flats):.1f} %"


def _hex(color: NDArray[np.intp]) -> str:
    return "#" + "".join(f"{int(c):02x}" for c in color)


def _in_picture(
    part: NDArray[Any], window: tuple[slice, slice], shape: tuple[int, int], outside: float
) -> NDArray[Any]:
    """The window's array in the size of the picture."""
    if part.shape == shape:
        return part
    out = np.full(shape, outside, part.dtype)
    out[window] = part
    return out
