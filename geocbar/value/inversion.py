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
from geocbar.value.ambiguity import TWIN_REACH, find_twins, resolve_twins, second_candidates
from geocbar.value.background import FlatColor, find_flat_colors, mark_background
from geocbar.value.blocks import Tile, cut_rows, cut_tiles, do_all
from geocbar.value.classes import classify
from geocbar.value.codebook import rounding_shift, tune_to_map
from geocbar.value.color import RGB, YCBCR
from geocbar.value.dithering import average_dither, is_dithered
from geocbar.value.filling import fill_classes, fill_gaps
from geocbar.value.masks import grown, opened
from geocbar.value.projection import ColorTable, ColumnPicture, project_colors
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
from geocbar.value.uncertainty import at_ends, channel_noise, error_kind, estimate_sigma
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

#: Lines and the strokes of letters are at most twice this wide, in pixels.
WIDE_PX = 5

_MOST_NAMED = 4
_RIM = 6
_SAMPLE = 100_000
_NOISE_SAMPLE = 4_000_000
_SIGMA_SAMPLE = 500_000
_BLOCK_PIXELS = 1 << 18
_TILE, _TWIN_TILE = 1024, 2048


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
    distance : (h, w) float32 array or None
        How far each pixel's colour lies from the scale, in 8-bit sRGB units; NaN outside the frame. None if it was not
        asked for.
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
    distance: NDArray[np.float32] | None
    noise: float
    explained: float = 1.0
    flats: tuple[FlatColor, ...] = ()
    shading: ShadingChoice | None = None
    intensity: NDArray[np.float32] | None = None
    error_kind: str = ""
    notes: tuple[str, ...] = ()


@dataclass(eq=False)
class _Work:
    """Arrays of the map's window while it is being worked on.

    `unit` and `spare` are windows of two pictures of NaN: one becomes the values, the other sigma.
    """

    pixels: NDArray[np.uint8]
    scale: ColorScale
    coding: Coding
    unit: NDArray[np.float32]
    spare: NDArray[np.float32]
    reason: NDArray[np.uint8]
    distance: NDArray[np.float32] | ColumnPicture
    shading: ShadingChoice | None = None
    intensity: NDArray[np.float32] | None = None

    @property
    def valid(self) -> NDArray[np.bool_]:
        return self.reason == Reason.DATA

    def sampled_distance(self, most: int) -> NDArray[np.float32]:
        """Distances of data, from every so many rows and columns of a large picture."""
        every = slice(None, None, max(int(np.sqrt(self.reason.size / most)), 1))
        return self.distance[every, every][self.reason[every, every] == Reason.DATA]


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
    with_distance: bool = True,
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
    with_distance : bool
        Whether to give the distances of the colours from the scale, which take as much memory as the values.

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
    pictures = tuple(np.full((height, width), np.nan, np.float32) for _ in range(2))
    reason = np.full((height, width), Reason.OUTSIDE, np.uint8)
    work = _look_up(pixels[window], scale, coding, pictures[0][window], pictures[1][window], reason[window])
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
        noise, notes = _classes(work, max_distance, fill)
    else:
        notes = _prepare(work, shading)
        if work.intensity is not None:
            # What looked off the scale may have been its colours in the shade.
            work.reason[work.reason == Reason.BACKGROUND] = Reason.DATA
            _mark_colors(work, background, under, over)
            flats = _mark_flats(work, page) if search_background else []
        explained = _explained(work, page)
        noise = _continuous(work, max_distance, fill, window, bar_length_px, under, over)
    values, sigma = pictures if work.unit.base is pictures[0] else pictures[::-1]
    return Inversion(
        values,
        sigma,
        reason,
        _in_picture(work.distance[:, :], window, (height, width), np.nan) if with_distance else None,
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


def _look_up(
    part: NDArray[np.uint8],
    scale: ColorScale,
    coding: Coding,
    unit: NDArray[np.float32],
    spare: NDArray[np.float32],
    reason: NDArray[np.uint8],
) -> _Work:
    reason[...] = Reason.DATA
    work = _Work(part, scale, coding, unit, spare, reason, unit)
    _project(work)
    return work


def _project(work: _Work) -> None:
    """Project every distinct colour once, and spread the results."""
    table = ColorTable.of(work.pixels)
    nodes, _ = project_colors(table.colors, work.scale, work.coding.metric)
    away = work.scale.colors_at_nodes(nodes) - table.colors
    work.distance = table.picture(np.sqrt((away * away).sum(axis=1)).astype(np.float32))
    table.spread(work.scale.to_unit(work.scale.values_at(nodes)), work.unit)


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
    """Share of the coloured pixels near the scale; of all if there are hardly any coloured ones."""

    def count(rows: slice) -> NDArray[np.intp]:
        valid = work.reason[rows] == Reason.DATA
        paper = mark_background(work.pixels[rows], (), [] if page is None else [page], lossy=work.coding.lossy)
        near = work.distance[rows] < EXPLAINED_DISTANCE
        colored = valid & ~paper
        return np.array([np.count_nonzero(mask) for mask in (colored, colored & near, valid, valid & near)])

    colored, near, valid, valid_near = np.sum(do_all(count, cut_rows(work.reason.shape, _BLOCK_PIXELS)), axis=0)
    if colored < 0.01 * work.reason.size:
        colored, near = valid, valid_near
    return float(near / colored) if colored else 1.0


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
        work.unit[...] = plain.unit
        work.distance, work.intensity = plain.distance, plain.intensity


def _resolve(work: _Work) -> None:
    """Choose between values that bear the same colour."""
    noise = _noise(work)
    slack = max(6.0, 4 * noise)
    if not len(find_twins(work.scale, slack)):
        return
    table = ColorTable.of(work.pixels)
    _, first = project_colors(table.colors, work.scale, work.coding.metric)
    second, away = second_candidates(table.colors, work.scale, work.coding.metric)
    pictures = [table.picture(column) for column in (second, first, away)]
    certain = strictness(noise, work.coding.lossy).certain
    given = work.unit.copy()

    def resolve(tile: Tile) -> None:
        seen = tile.seen
        valid = work.reason[seen] == Reason.DATA
        one, other, away = (picture[seen] for picture in pictures)
        plausible = valid & (work.distance[seen] < certain)
        # Where the neighbourhood does not decide there is no value: half the difference is no standard deviation.
        unit, unsure, _ = resolve_twins(given[seen], one, other, away, plausible, slack)
        work.unit[tile.inner] = unit[tile.within]
        ambiguous[tile.inner] = (unsure & valid)[tile.within]

    ambiguous = np.zeros(work.reason.shape, bool)
    do_all(resolve, cut_tiles(work.reason.shape, _TWIN_TILE, TWIN_REACH))
    work.reason[ambiguous] = Reason.AMBIGUOUS


def _noise(work: _Work) -> float:
    """Of the data's colours."""
    return color_noise(work.sampled_distance(_NOISE_SAMPLE))


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
) -> float:
    """Values into `unit`, sigma into `spare`; the noise of the colours."""
    coding, scale = work.coding, work.scale
    plain = work.intensity is None
    limits, noise = _limits(work, max_distance)
    if plain and _retune(work, limits, noise):
        limits, noise = _limits(work, max_distance)
    _mark_lines(work, find_lines(work.unit, work.distance, limits, ~work.valid), limits.certain)
    valid = work.valid
    if coding.lossy and plain:
        median_of_valid(work.unit, valid, work.spare)
        work.unit, work.spare = work.spare, work.unit
    sigma = estimate_sigma(
        work.pixels,
        work.unit,
        valid,
        scale,
        metric=coding.metric,
        noise=channel_noise(work.sampled_distance(_SIGMA_SAMPLE)),
        # Packing a shaded map again says nothing: its colours do not lie on the scale.
        tables=coding.tables if coding.lossy and plain else None,
        subsampling=coding.subsampling,
        bar_length_px=bar_length_px or 1.0,
        bar_end_px=scale.end_px if bar_length_px else 0.0,
        origin=(window[0].start, window[1].start),
        out=work.spare,
    )
    if coding.lossy and not plain:
        sigma[...] = _widened(sigma, work.unit, valid)
    if fill:
        gaps = fill_gaps(work.unit, valid, work.reason == Reason.LINE, fill, lossy=coding.lossy)
        # What the neighbours are uncertain by, a gap between them is too.
        usual = np.float32(np.median(sigma[valid])) if valid.any() else np.float32(0)
        work.unit[gaps.filled] = gaps.unit[gaps.filled]
        sigma[gaps.filled] = np.hypot(gaps.sigma[gaps.filled], usual)
        work.reason[gaps.filled] = Reason.FILLED
    has_value = valid | (work.reason == Reason.FILLED)
    _mark_ends(work, sigma, under is not None, over is not None)
    _to_values(work.unit, sigma, has_value, scale)
    return noise


def _mark_lines(work: _Work, lines: NDArray[np.bool_], certain: float) -> None:
    """Lines, and what is too wide to be one and far off the scale."""

    def mark(tile: Tile) -> None:
        seen = lines[tile.seen]
        if not seen.any():
            return
        part = work.reason[tile.inner]
        part[lines[tile.inner]] = Reason.LINE
        part[_wide(seen & (work.distance[tile.seen] >= certain))[tile.within]] = Reason.OFF_SCALE

    do_all(mark, cut_tiles(lines.shape, _TILE, 2 * WIDE_PX))


def _to_values(
    unit: NDArray[np.float32], sigma: NDArray[np.float32], has_value: NDArray[np.bool_], scale: ColorScale
) -> None:
    """Shares of the scale's length to its unit, in place; NaN where there is no value."""
    for rows in cut_rows(unit.shape, _BLOCK_PIXELS):
        nothing = ~has_value[rows]
        values = scale.from_unit(unit[rows])
        values[nothing] = np.nan
        sigma[rows][nothing] = np.nan
        sigma[rows] = scale.sigma_from_unit(values, sigma[rows])
        unit[rows] = values


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
    sample = _clean_sample(work, limits)
    if not len(sample):
        return False
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


def _clean_sample(work: _Work, limits: Strictness) -> NDArray[np.uint8]:
    """Colours of some pixels with nothing suspicious beside them, evenly spread."""
    clean = np.empty(work.reason.shape, bool)

    def mark(tile: Tile) -> None:
        tainted = (work.reason[tile.seen] != Reason.DATA) | (work.distance[tile.seen] >= limits.suspect)
        clean[tile.inner] = ~grown(tainted, limits.ring + 1)[tile.within]

    do_all(mark, cut_tiles(clean.shape, _TILE, limits.ring + 1))
    blocks = cut_rows(clean.shape, _BLOCK_PIXELS)
    counts = [int(np.count_nonzero(clean[rows])) for rows in blocks]
    step = max(sum(counts) // _SAMPLE, 1)
    found, before = [], 0
    for rows, count in zip(blocks, counts, strict=True):
        row, col = np.nonzero(clean[rows])
        chosen = slice(-before % step, None, step)
        found.append(work.pixels[rows][row[chosen], col[chosen]])
        before += count
    return np.concatenate(found)


def _mark_ends(work: _Work, sigma: NDArray[np.float32], under: bool, over: bool) -> None:
    """Flag values at the end of a scale that goes on beyond it, or where the data pile up."""
    at_end = np.zeros(work.reason.shape, np.uint8)
    total, counts = 0, np.zeros(2, np.intp)
    for rows in cut_rows(at_end.shape, _BLOCK_PIXELS):
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


def _classes(work: _Work, max_distance: float | None, fill: int) -> tuple[float, list[str]]:
    """Values into `unit`, sigma into `spare`; the noise of the colours, and what a person should know."""
    scale, known = work.scale, ~work.valid
    limits, noise = _limits(work, max_distance)
    classified = classify(work.pixels, scale, lossy=work.coding.lossy, background=known)
    index = classified.index
    work.distance = classified.distance
    _mark_lines(work, classified.hole, limits.certain)
    n = len(scale.values)
    if fill:
        unit = ((index + np.float32(0.5)) / n).astype(np.float32)
        gaps = fill_classes(unit, (index >= 0) & ~known, work.reason == Reason.LINE, fill, n)
        index = np.where(gaps.filled, np.floor(np.nan_to_num(gaps.unit) * n).astype(np.int16), index)
        work.reason[gaps.filled] = Reason.FILLED
    halves = np.abs(np.diff(np.asarray(scale.edges))).astype(np.float32) / 2
    # A class says no more than "between these limits": half of its width over the square root of three.
    tables = (scale.values.astype(np.float32), (halves / np.sqrt(3)).astype(np.float32))
    for rows in cut_rows(known.shape, _BLOCK_PIXELS):
        has_value = (index[rows] >= 0) & ~known[rows]
        for table, out in zip(tables, (work.unit, work.spare), strict=True):
            out[rows] = np.where(has_value, table[index[rows]], np.float32(np.nan))
    return noise, []


def _wide(mask: NDArray[np.bool_], radius: int = WIDE_PX) -> NDArray[np.bool_]:
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
