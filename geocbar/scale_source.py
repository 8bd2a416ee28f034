"""The colour scale a recipe asks for: from the bar in the picture, a named colormap, a palette, or the map alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.files.images import Picture, file_sha256
from geocbar.recipe import Recipe
from geocbar.value.codebook import best_scale, sample_colors
from geocbar.value.colorbar import ColorBar, Ticks, read_colorbar
from geocbar.value.inversion import Coding
from geocbar.value.jpeg_traces import was_jpeg
from geocbar.value.requantization import standard_tables
from geocbar.value.scale import ColorScale

__all__ = ["PALETTE_ENDINGS", "ScaleSource", "picture_coding", "read_scale", "require_same"]

#: Endings of files that are palettes even if they do not exist (for a better refusal).
PALETTE_ENDINGS = (".gpl", ".ggr", ".cpt", ".txt", ".xml", ".qml", ".act", ".pal", ".clr", ".csv")

#: Quality that is assumed for a picture that was a JPEG but is stored without loss now.
ASSUMED_QUALITY = 80


@dataclass(frozen=True, eq=False)
class ScaleSource:
    """A colour scale and where it came from.

    Parameters
    ----------
    scale : ColorScale
    bar : ColorBar or None
        The bar it was read from.
    notes : tuple of str
        What a person should know.
    """

    scale: ColorScale
    bar: ColorBar | None = None
    notes: tuple[str, ...] = ()

    @property
    def bar_length_px(self) -> float | None:
        """Length of the bar; None without one."""
        return None if self.bar is None else abs(self.bar.ends[1] - self.bar.ends[0])

    @property
    def colors_beyond(self) -> tuple[tuple[int, int, int] | None, tuple[int, int, int] | None]:
        """Colours of values below the lower and above the upper limit, if the bar shows them at its ends."""
        if self.bar is None:
            return None, None
        ends = self.bar.under, self.bar.over
        return ends if self.scale.values[0] < self.scale.values[-1] else ends[::-1]


def picture_coding(picture: Picture) -> tuple[Coding, list[str]]:
    """How a picture was packed, and what a person should know of it."""
    if picture.jpeg is not None:
        tables = picture.jpeg.tables or None
        return Coding(True, tables, max(picture.jpeg.subsampling, 0)), []
    if was_jpeg(picture.pixels):
        note = (
            f"{picture.name} was a JPEG once: its paper is smudged. It is read like one; the uncertainty assumes"
            f" quality {ASSUMED_QUALITY}."
        )
        return Coding(True, standard_tables(ASSUMED_QUALITY), 2), [note]
    return Coding(), []


def read_scale(recipe: Recipe, picture: Picture, coding: Coding, frame: PixelBox | None) -> ScaleSource:
    """The colour scale a recipe asks for.

    Raises
    ------
    InvalidInputError
        If neither or both of bar and colormap are given, or their values are missing.
    NotFoundError
        For an unknown colormap.
    FileProblemError
        For a palette file that cannot be read.
    """
    if recipe.colorbar and recipe.colormap:
        raise InvalidInputError(
            "Both a colour bar and a colormap are given.", "Give --colorbar or --colormap, not both."
        )
    if recipe.colorbar:
        return _from_bar(recipe, picture, coding, frame)
    if recipe.colormap == "auto":
        return _from_map(recipe, picture, coding, frame)
    if recipe.colormap:
        return ScaleSource(_from_colormap(recipe, recipe.colormap))
    raise InvalidInputError(
        f"It is not known which colours of {picture.name} stand for which values.",
        "Give the bar's place and its end values: --colorbar LEFT,TOP,RIGHT,BOTTOM --vmin V --vmax V",
    )


def require_same(found: str, expected: str, name: str) -> None:
    """Refuse a file that is not the one a recipe was made with.

    Raises
    ------
    InvalidInputError
        If the checksums differ and one is expected.
    """
    if expected and found != expected:
        raise InvalidInputError(
            f"{name} is not the file the recipe was made with: its checksum differs.",
            "Use the original file, or delete the line with its sha256 from the recipe.",
        )


def _in_frame(picture: Picture, frame: PixelBox | None) -> NDArray[np.uint8]:
    box = frame or PixelBox(0, 0, picture.width, picture.height)
    return picture.pixels[box.slices(picture.width, picture.height)]


def _from_bar(recipe: Recipe, picture: Picture, coding: Coding, frame: PixelBox | None) -> ScaleSource:
    assert recipe.colorbar is not None
    bar = read_colorbar(picture.pixels, PixelBox.parse(recipe.colorbar))
    ticks = Ticks.parse(recipe.ticks) if recipe.ticks else None
    if ticks is not None and (recipe.vmin is not None or recipe.vmax is not None):
        raise InvalidInputError("Both ticks and end values are given.", "Give --ticks, or --vmin and --vmax.")
    scale = best_scale(
        bar,
        sample_colors(_in_frame(picture, frame)),
        lossy=coding.lossy,
        metric=coding.metric,
        vmin=recipe.vmin,
        vmax=recipe.vmax,
        ticks=ticks,
        scale=recipe.scale,
        name=recipe.name,
        unit=recipe.unit,
    )
    return ScaleSource(scale, bar, (*_spacing(scale, ticks, recipe.scale), *_assumptions(scale, ticks)))


def _spacing(scale: ColorScale, ticks: Ticks | None, asked: str) -> tuple[str, ...]:
    """What was found out of the spacing of values, and how far it is known."""
    kind = scale.norm.kind
    if ticks is None or kind == "linear":
        return ()
    if kind == "piecewise":
        why = "The ticks lie on no linear, log, power or symlog scale; values" if asked == "auto" else "Values"
        beyond = scale.limits[0] < min(ticks.values) or scale.limits[1] > max(ticks.values)
        return (
            f"{why} are interpolated between them{', straight on beyond the outer ones,' if beyond else ''} and sigma"
            " is widened there. More ticks make it better.",
        )
    if asked == "auto":
        return (f"The ticks lie on no linear scale, but on this one: {scale.norm}. If it is another: --scale.",)
    return ()


def _assumptions(scale: ColorScale, ticks: Ticks | None) -> tuple[str, ...]:
    """What was assumed of the limits of classes."""
    if scale.edges is None:
        return ()
    n = len(scale.values)
    if ticks is None or len(ticks.values) == 2:
        return (
            f"The bar shows {n} boxes; equal steps of value were assumed. If they are not: --ticks at every limit.",
        )
    unlabelled = [edge for edge in scale.edges if np.abs(np.array(ticks.values) - edge).min() > 1e-9 * scale.range]
    if not unlabelled:
        return ()
    listed = ", ".join(f"{edge:.4g}" for edge in sorted(unlabelled)[:6]) + (", ..." if len(unlabelled) > 6 else "")
    return (
        f"{len(unlabelled)} of the {n + 1} limits of the {n} classes bear no tick; they were interpolated: {listed}."
        " Give a tick at every limit if you know them.",
    )


def _from_map(recipe: Recipe, picture: Picture, coding: Coding, frame: PixelBox | None) -> ScaleSource:
    """Named if the map's colours are those of a colormap of the catalogue, else put in order as they are."""
    from geocbar.value.recognition import recognize_colormap
    from geocbar.value.recovery import recover_colors

    pixels = _in_frame(picture, frame)
    vmin = 0.0 if recipe.vmin is None else recipe.vmin
    vmax = 1.0 if recipe.vmax is None else recipe.vmax
    known = recognize_colormap(pixels, None, lossy=coding.lossy)
    direction = "Which end is low cannot be seen: swap --vmin and --vmax if it is the other one."
    if known.name is not None:
        scale = _from_colormap(recipe, known.name, vmin, vmax)
        return ScaleSource(scale, None, (f"The colours of the map are those of {known.name}. {direction}",))
    recovered = recover_colors(pixels, None, lossy=coding.lossy)
    scale = ColorScale.from_colors(
        recovered.colors,
        recovered.positions,
        vmin=vmin,
        vmax=vmax,
        scale="linear" if recipe.scale == "auto" else recipe.scale,
        name=recipe.name,
        unit=recipe.unit,
    )
    spacing = "Values are even along the path of colours, which a bar may not be: they order places, no more."
    return ScaleSource(scale, None, (f"{recovered.sentence} {spacing} {direction}",))


def _from_colormap(recipe: Recipe, colormap: str, vmin: float | None = None, vmax: float | None = None) -> ColorScale:
    from geocbar.files.palettes import read_palette
    from geocbar.value.colormaps import named_colors

    vmin, vmax = (recipe.vmin, recipe.vmax) if vmin is None else (vmin, vmax)
    scale = "linear" if recipe.scale == "auto" else recipe.scale
    path = recipe.path(colormap)
    if path.is_file() or path.suffix.lower() in PALETTE_ENDINGS:
        palette = read_palette(path)
        require_same(file_sha256(path), recipe.colormap_sha256, path.name)
        return ColorScale.from_colors(
            palette.colors,
            palette.positions,
            vmin=vmin,
            vmax=vmax,
            has_values=palette.has_values,
            edges=palette.edges,
            scale=scale,
            name=recipe.name,
            unit=recipe.unit,
        )
    named = named_colors(colormap)
    n = len(named.colors)
    return ColorScale.from_colors(
        named.colors,
        named.positions,
        vmin=vmin,
        vmax=vmax,
        edges=np.arange(n + 1) / n if named.is_classes else None,
        scale=scale,
        step=named.step,
        name=recipe.name,
        unit=recipe.unit,
    )
