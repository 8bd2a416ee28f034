"""The one place where the steps are put in order: read, scale, invert, fit, map, thin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.digitized_map import DigitizedMap, Progress
from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.files.gcp_tables import read_gcps
from geocbar.files.images import MAX_PIXELS, Picture, file_sha256, read_image
from geocbar.grid.raster import to_map
from geocbar.grid.thinning import Points, RebuildError, rebuild_error, thin
from geocbar.place.gcps import check_gcps
from geocbar.place.georeference import Georeference, fit_georeference
from geocbar.place.projections import project_points
from geocbar.place.slips import name_slips
from geocbar.recipe import Recipe
from geocbar.scale_source import picture_coding, read_scale, require_same
from geocbar.value.color import parse_color
from geocbar.value.inversion import LEAST_EXPLAINED, Inversion, invert
from geocbar.value.reasons import Reason
from geocbar.value.scale import ColorScale

__all__ = ["digitize", "digitize_recipe"]


def digitize(image: str | Path, gcps: str | Path, *, progress: Progress | None = None, **choices: Any) -> DigitizedMap:
    """Turn a published map back into data.

    Parameters
    ----------
    image : str or Path
        The picture of the map.
    gcps : str or Path
        Control points, a CSV or QGIS ``.points`` file.
    progress : callable or None
        Told, in a few words, what is being done.
    **choices
        Any choice of :class:`~geocbar.recipe.Recipe`: ``colorbar``, ``vmin``, ``vmax``, ``ticks``, ``scale``,
        ``colormap``, ``frame``, ``name``, ``unit``, ``model``, ``to_crs``, ...

    Returns
    -------
    DigitizedMap
        ``result.raster.values`` are the values; ``result.save("out/")`` writes everything.

    Raises
    ------
    GeocbarError
        With what to do next, whenever an input is missing or cannot be right.
    """
    known = set(Recipe.__dataclass_fields__) - {"image", "gcps", "base"}
    unknown = sorted(set(choices) - known)
    if unknown:
        raise InvalidInputError(f"There is no choice {unknown[0]!r}.", f"Choices are: {', '.join(sorted(known))}")
    return digitize_recipe(Recipe(image=str(image), gcps=str(gcps), **choices), progress=progress)


def digitize_recipe(recipe: Recipe, *, progress: Progress | None = None) -> DigitizedMap:
    """Do what a recipe says; see :func:`digitize`."""
    tell = progress or _silent
    tell("reading the picture")
    picture = read_image(recipe.path(recipe.image), MAX_PIXELS if recipe.max_pixels is None else recipe.max_pixels)
    require_same(picture.sha256, recipe.image_sha256, picture.name)
    frame = PixelBox.parse(recipe.frame) if recipe.frame else None
    if frame is not None:
        frame.require_inside(picture.width, picture.height, "map frame")
        _require_pixels(frame, picture)
    notes = list(picture.notes)

    tell("reading the control points")
    georeference = _place(recipe, picture, notes)

    tell("reading the colour scale")
    coding, found = picture_coding(picture)
    source = read_scale(recipe, picture, coding, frame)
    scale = source.scale
    notes += [*found, *source.notes]

    tell("inverting colours")
    inversion = invert(
        picture.pixels,
        scale,
        coding=coding,
        max_distance=recipe.max_distance,
        frame=frame,
        bar=None if source.bar is None else source.bar.box,
        bar_length_px=source.bar_length_px,
        background=[parse_color(color) for color in recipe.background.split()],
        search_background=recipe.search_background,
        under=source.colors_beyond[0],
        over=source.colors_beyond[1],
        shading=recipe.shading,
        fill=recipe.fill,
    )
    _require_explained(inversion)
    notes += inversion.notes

    tell("putting values on the map grid")
    if scale.is_classes and recipe.resampling != "nearest":
        raise InvalidInputError("Classes cannot be interpolated.", "Use --resampling nearest.")
    raster = to_map(
        inversion.values,
        georeference,
        sigma=inversion.sigma,
        reason=inversion.reason,
        intensity=inversion.intensity if recipe.intensity else None,
        outside=Reason.OUTSIDE,
        frame=frame,
        to_crs=recipe.to_crs,
        resolution=recipe.resolution,
        resampling=recipe.resampling,
    )

    tell("thinning")
    points, rebuild = _thin(recipe, inversion, scale, georeference, raster.crs)
    done = _with_checksums(recipe, picture)
    return DigitizedMap(done, picture, scale, inversion, georeference, raster, points, rebuild, tuple(notes))


def _place(recipe: Recipe, picture: Picture, notes: list[str]) -> Georeference:
    gcps = read_gcps(recipe.path(recipe.gcps), recipe.gcp_crs)
    require_same(file_sha256(recipe.path(recipe.gcps)), recipe.gcps_sha256, Path(recipe.gcps).name)
    notes += check_gcps(gcps, picture.width, picture.height)
    slips = name_slips(gcps, picture.width, picture.height)
    whole = [slip for slip in slips if len(slip.points) == len(gcps.used())]
    if whole:
        raise InvalidInputError(whole[0].sentence.partition("\n")[0], "Mend the table of control points and run again.")
    notes += [slip.sentence for slip in slips]
    georeference = fit_georeference(gcps, recipe.model)
    notes += georeference.notes
    return georeference


def _require_pixels(frame: PixelBox, picture: Picture) -> None:
    rows, cols = frame.slices(picture.width, picture.height)
    if rows.start >= rows.stop or cols.start >= cols.stop:
        raise InvalidInputError(
            f"The map frame {frame} holds no pixel.", "Give LEFT,TOP,RIGHT,BOTTOM in pixels: --frame L,T,R,B"
        )


def _require_explained(inversion: Inversion) -> None:
    if inversion.explained < LEAST_EXPLAINED:
        raise InvalidInputError(
            f"This bar does not belong to this map: it explains {100 * inversion.explained:.1f} % of the coloured"
            f" pixels, and {100 * LEAST_EXPLAINED:.0f} % is the least.",
            "Check --colorbar or --colormap, and that --frame is the frame of the map the bar belongs to."
            " A map with relief shading that was not recognised: --shading multiply|gmt|soft|overlay",
        )
    if not np.isfinite(inversion.values).any():
        raise InvalidInputError(
            "No pixel of the map has a colour of this scale.",
            "Check --colorbar or --colormap, --frame and --max-distance.",
        )


def _thin(
    recipe: Recipe, inversion: Inversion, scale: ColorScale, georeference: Georeference, crs: str
) -> tuple[Points, RebuildError]:
    def to_world(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        return project_points(georeference.transform.to_world(pixels), georeference.crs, crs)

    points = thin(
        inversion.values,
        limits=scale.limits,
        tolerance=recipe.tolerance,
        eps=recipe.eps,
        min_samples=recipe.min_samples,
        n_levels=recipe.levels,
        spacing=recipe.spacing,
        sigma=inversion.sigma,
        to_world=to_world,
        crs=crs,
        norm=scale.norm,
        edges=scale.edges,
    )
    even = replace(points, values=scale.to_even(points.values))
    return points, rebuild_error(scale.to_even(inversion.values), even, scale.even_limits)


def _with_checksums(recipe: Recipe, picture: Picture) -> Recipe:
    palette = recipe.colormap and recipe.path(recipe.colormap).is_file()
    return replace(
        recipe,
        image_sha256=picture.sha256,
        gcps_sha256=file_sha256(recipe.path(recipe.gcps)),
        colormap_sha256=file_sha256(recipe.path(recipe.colormap)) if recipe.colormap and palette else "",
    )


def _silent(_: str) -> None:
    """Progress that nobody wants to hear."""
