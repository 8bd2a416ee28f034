"""The one place where the steps are put in order: read, scale, invert, fit, map, thin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geocbar.digitized_map import DigitizedMap, Progress
from geocbar.errors import InvalidInputError, NotReadError
from geocbar.figure.layout import PixelBox
from geocbar.figure.outlines import pixels_inside
from geocbar.figure.words import ReadText
from geocbar.figure_source import FigureSource, is_pdf, read_source
from geocbar.files.gcp_tables import read_gcps
from geocbar.files.georeferenced import read_placement
from geocbar.files.images import Picture, file_sha256
from geocbar.files.mask_pictures import read_mask
from geocbar.grid.raster import to_map, to_plane
from geocbar.grid.thinning import Points, RebuildError, rebuild_error, thin
from geocbar.inspection import Inspection, inspect_source, read_frame_points
from geocbar.place.gcps import GroundControlPoints, check_gcps
from geocbar.place.georeference import Georeference, fit_georeference
from geocbar.place.graticule_compare import compare_frame_points
from geocbar.place.local_crs import local_notes
from geocbar.place.slips import name_slips
from geocbar.recipe import Recipe
from geocbar.scale_source import ScaleSource, picture_coding, read_scale, require_same
from geocbar.value.color import parse_color
from geocbar.value.hand_masks import apply_hand_mask
from geocbar.value.inversion import LEAST_EXPLAINED, Coding, Inversion, invert
from geocbar.value.reasons import Reason
from geocbar.value.scale import ColorScale

__all__ = ["digitize_recipe", "place_picture", "read_points"]


def digitize_recipe(recipe: Recipe, *, read: ReadText | None = None, progress: Progress | None = None) -> DigitizedMap:
    """Do what a recipe says, and find what it does not say.

    Parameters
    ----------
    recipe : Recipe
    read : callable or None
        Reads words in pictures; without it only the text of PDF files is read.
    progress : callable or None
        Told, in a few words, what is being done.

    Returns
    -------
    DigitizedMap

    Raises
    ------
    NotReadError
        If what has to be found is not found for certain.
    GeocbarError
        With what to do next, whenever an input is missing or cannot be right.
    """
    tell = progress or _silent
    tell("reading the picture")
    source = read_source(recipe)
    picture = source.picture
    require_same(picture.sha256, recipe.image_sha256, picture.name)
    notes = list(picture.notes)

    tell("reading the control points")
    gcps, exact, said = read_points(recipe, picture)
    notes += said

    tell("reading the figure")
    coding, said = picture_coding(picture)
    notes += said
    area, found, scale_source = _read_scale(recipe, source, coding, gcps, read)

    tell("placing the map")
    given = gcps is not None
    if gcps is None:
        assert found is not None
        gcps, said = read_frame_points(found, read, lossy=coding.lossy)
        notes += said
    georeference = place_picture(recipe, picture, gcps, exact=exact, frame=area.box)
    notes += georeference.notes
    if given and found is not None and recipe.frame is None:
        tell("comparing with the labels at the frame")
        notes += _contradictions(georeference, found, read, lossy=coding.lossy)
    recipe = recipe if found is None else found.completed()
    scale = scale_source.scale
    notes += [*(found.notes if found else ()), *scale_source.notes]

    tell("inverting colours")
    inversion = invert(
        picture.pixels,
        scale,
        coding=coding,
        max_distance=recipe.max_distance,
        frame=area.box,
        inside=area.inside,
        bar=area.bar,
        bar_length_px=scale_source.bar_length_px,
        background=[parse_color(color) for color in recipe.background.split()],
        search_background=recipe.search_background,
        under=scale_source.colors_beyond[0],
        over=scale_source.colors_beyond[1],
        shading=recipe.shading,
        fill=recipe.fill,
        with_distance=False,
    )
    _require_explained(inversion)
    if recipe.mask:
        mask = read_mask(recipe.path(recipe.mask), (picture.width, picture.height))
        require_same(file_sha256(recipe.path(recipe.mask)), recipe.mask_sha256, Path(recipe.mask).name)
        inversion = apply_hand_mask(inversion, mask, picture.pixels, scale, coding=coding)
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
        frame=area.box,
        to_crs=recipe.to_crs,
        resolution=recipe.resolution,
        resampling=recipe.resampling,
    )

    tell("thinning")
    points, rebuild = _thin(recipe, inversion, scale, georeference, raster.crs, area.box)
    done = _with_checksums(recipe, picture)
    return DigitizedMap(
        recipe=done,
        picture=picture,
        scale=scale,
        inversion=inversion,
        georeference=georeference,
        raster=raster,
        points=points,
        rebuild=rebuild,
        notes=tuple(notes),
        area=area.box,
        outline=area.outline,
        found=found,
    )


@dataclass(frozen=True, eq=False)
class _MapArea:
    """Where the map is in the picture as it lies: its box, its outline if it is no rectangle, the bar if upright."""

    box: PixelBox | None
    inside: NDArray[np.bool_] | None = None
    bar: PixelBox | None = None
    outline: NDArray[np.float64] | None = None


def _read_scale(
    recipe: Recipe, source: FigureSource, coding: Coding, gcps: GroundControlPoints | None, read: ReadText | None
) -> tuple[_MapArea, Inspection | None, ScaleSource]:
    """Frame, panel, bar and values: as said, or as found."""
    picture = source.picture
    frame = PixelBox.parse(recipe.frame) if recipe.frame and recipe.frame != "none" else None
    if frame is not None and not recipe.turn:
        frame.require_inside(picture.width, picture.height, "map frame")
        _require_pixels(frame, picture)
    named = read_scale(recipe, picture, coding, frame) if recipe.colormap else None
    if recipe.colormap == "auto" and gcps is not None:
        assert named is not None
        return _MapArea(frame), None, named
    found = inspect_source(
        recipe,
        source,
        read,
        lossy=coding.lossy,
        points=None if gcps is None else gcps.used().pixels,
        map_colors=None if named is None else named.scale.colors,
    )
    found.require_certain()
    upright = found.reading.turned
    seen = picture if upright is None else replace(picture, pixels=upright.pixels)
    scale = named or read_scale(found.completed(), seen, coding, found.box)
    return _map_area(picture, found, scale), found, scale


def _map_area(picture: Picture, found: Inspection, scale: ScaleSource) -> _MapArea:
    panel, box, upright = found.frame, found.box, found.reading.turned
    bar = None if scale.bar is None else scale.bar.box
    if upright is None and (panel is None or panel.outline is None):
        return _MapArea(None if box is None else box.clipped(picture.width, picture.height), None, bar)
    inside, outline = np.ones((picture.height, picture.width), bool), None
    if panel is not None and box is not None:
        outline = box.corners() if panel.outline is None else panel.outline
        outline = outline if upright is None else upright.to_original(outline)
        inside = pixels_inside(outline, picture.width, picture.height)
    if upright is not None and bar is not None:
        inside &= ~pixels_inside(upright.to_original(bar.corners()), picture.width, picture.height)
        bar = None
    rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        raise InvalidInputError("The map's outline holds no pixel.", "Give its frame: --frame L,T,R,B, or none")
    box = PixelBox(float(cols[0]), float(rows[0]), float(cols[-1] + 1), float(rows[-1] + 1))
    return _MapArea(box, inside, bar, outline)


def read_points(recipe: Recipe, picture: Picture) -> tuple[GroundControlPoints | None, bool, list[str]]:
    """The control points a recipe names, or those the picture's own files state.

    Parameters
    ----------
    recipe : Recipe
    picture : Picture

    Returns
    -------
    gcps : GroundControlPoints or None
        None if there are none: they have to be read at the map's frame then.
    exact : bool
        Whether they state an affine transform, so that nothing has to be inferred.
    notes : list of str
        What a person should know.

    Raises
    ------
    GeocbarError
        If there is a statement, and it cannot be right.
    """
    size = picture.width, picture.height
    if recipe.gcps is None:
        placement = None if is_pdf(recipe) else read_placement(recipe.path(recipe.image), crs=recipe.gcp_crs)
        if placement is None:
            return None, False, []
        said = f"No control points were given: the place is taken from {placement.source}."
        return placement.gcps, placement.exact, [said, *placement.notes]
    gcps = read_gcps(recipe.path(recipe.gcps), recipe.gcp_crs)
    require_same(file_sha256(recipe.path(recipe.gcps)), recipe.gcps_sha256, Path(recipe.gcps).name)
    notes = [*check_gcps(gcps, *size), *local_notes(gcps.crs)]
    slips = name_slips(gcps, *size)
    whole = [slip for slip in slips if len(slip.points) == len(gcps.used())]
    if whole:
        raise InvalidInputError(whole[0].sentence.partition("\n")[0], "Mend the table of control points and run again.")
    return gcps, False, [*notes, *(slip.sentence for slip in slips)]


def place_picture(
    recipe: Recipe,
    picture: Picture,
    gcps: GroundControlPoints,
    *,
    exact: bool = False,
    frame: PixelBox | None = None,
) -> Georeference:
    """Where on Earth a picture lies.

    Parameters
    ----------
    recipe : Recipe
    picture : Picture
    gcps : GroundControlPoints
    exact : bool
        Whether they state an affine transform.
    frame : PixelBox, optional
        The map's part of the picture, where it was found; by default as the recipe says.

    Returns
    -------
    Georeference

    Raises
    ------
    GeocbarError
        If the control points cannot be right.
    """
    model = "affine" if exact and recipe.model == "auto" else recipe.model
    if frame is None and recipe.frame and recipe.frame != "none":
        frame = PixelBox.parse(recipe.frame)
    return fit_georeference(gcps, model, size=(picture.width, picture.height), frame=frame, keep_all=recipe.keep_all)


def _contradictions(georeference: Georeference, found: Inspection, read: ReadText | None, *, lossy: bool) -> list[str]:
    """Where the labels at the map's frame, if they can be read for certain, contradict the place given."""
    try:
        points, _ = read_frame_points(found, read, lossy=lossy)
    except NotReadError:
        return []  # most maps have no such labels, and nothing is claimed of them
    return compare_frame_points(georeference, points)


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
    recipe: Recipe,
    inversion: Inversion,
    scale: ColorScale,
    georeference: Georeference,
    crs: str,
    box: PixelBox | None,
) -> tuple[Points, RebuildError]:
    height, width = inversion.values.shape
    whole = box or PixelBox(0, 0, width, height)

    def to_world(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        return to_plane(georeference, pixels, crs, whole)

    points = thin(
        inversion.values,
        limits=scale.limits,
        max_error=recipe.max_error / 100,
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
    rebuild = rebuild_error(
        inversion.values,
        points,
        scale.limits,
        norm=scale.norm,
        nearest=scale.is_classes,
        sigma=inversion.sigma,
        max_error=recipe.max_error / 100,
    )
    return points, rebuild


def _with_checksums(recipe: Recipe, picture: Picture) -> Recipe:
    palette = recipe.colormap and recipe.path(recipe.colormap).is_file()
    return replace(
        recipe,
        image_sha256=picture.sha256,
        gcps_sha256=file_sha256(recipe.path(recipe.gcps)) if recipe.gcps else "",
        colormap_sha256=file_sha256(recipe.path(recipe.colormap)) if recipe.colormap and palette else "",
        mask_sha256=file_sha256(recipe.path(recipe.mask)) if recipe.mask else "",
    )


def _silent(_: str) -> None:
    """Progress that nobody wants to hear."""
