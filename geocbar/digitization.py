"""The one place where the steps are put in order: read, scale, invert, fit, map, thin, write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.files.gcp_tables import read_gcps
from geocbar.files.images import MAX_PIXELS, Picture, file_sha256, read_image
from geocbar.files.output_folder import fresh_folder
from geocbar.grid.raster import Raster, footprint, to_map
from geocbar.grid.thinning import Points, RebuildError, rebuild_error, thin
from geocbar.place.gcps import check_gcps
from geocbar.place.georeference import Georeference, fit_georeference
from geocbar.place.projections import project_points
from geocbar.place.slips import name_slips
from geocbar.recipe import Recipe
from geocbar.value.colorbar import Ticks, read_colorbar, scale_from_bar
from geocbar.value.inversion import DEFAULT_MAX_DISTANCE, Inversion, Reason, invert
from geocbar.value.scale import ColorScale

__all__ = ["DigitizedMap", "digitize", "digitize_recipe"]

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class DigitizedMap:
    """A published map, turned back into data.

    Parameters
    ----------
    recipe : Recipe
        What was asked for.
    picture : Picture
    scale : ColorScale
    inversion : Inversion
        Values in the picture.
    georeference : Georeference
    raster : Raster
        Values on the map grid.
    points : Points
    rebuild : RebuildError
        How well the points rebuild the values.
    notes : tuple of str
        Everything a person should know before trusting the numbers.
    """

    recipe: Recipe
    picture: Picture
    scale: ColorScale
    inversion: Inversion
    georeference: Georeference
    raster: Raster
    points: Points
    rebuild: RebuildError
    notes: tuple[str, ...]

    @property
    def frame(self) -> PixelBox:
        """The map's frame; the whole picture if none was given."""
        if self.recipe.frame:
            return PixelBox.parse(self.recipe.frame)
        return PixelBox(0, 0, self.picture.width, self.picture.height)

    def summary(self) -> dict[str, Any]:
        """Figures to judge the result by, as plain numbers and strings."""
        rows, cols = self.frame.slices(self.picture.width, self.picture.height)
        inside = self.inversion.values[rows, cols]
        valid = np.isfinite(inside)
        off = self.inversion.reason[rows, cols] == Reason.OFF_SCALE
        fit = self.georeference
        return {
            "map": self.picture.name,
            "width_px": self.picture.width,
            "height_px": self.picture.height,
            "quantity": self.scale.name,
            "unit": self.scale.unit,
            "scale_limits": [float(v) for v in self.scale.limits],
            "scale_kind": "classes" if self.scale.is_classes else self.scale.norm,
            "valued_percent": 100 * float(valid.mean()),
            "off_scale_percent": 100 * float(off.mean()),
            "value_min": float(np.nanmin(inside)),
            "value_max": float(np.nanmax(inside)),
            "color_distance_median": float(np.median(self.inversion.distance[rows, cols][valid])),
            "model": fit.model,
            "crs": fit.crs,
            "gcps": len(fit.gcps.used()),
            "rmse_px": fit.rmse_px,
            "rmse_km": fit.rmse_km,
            "left_out_rmse_px": fit.left_out_rmse_px,
            "left_out_rmse_km": fit.left_out_rmse_km,
            "residuals": [
                {"name": name, "dX": float(dx), "dY": float(dy), "km": float(km), "left_out_px": float(out)}
                for name, (dx, dy), km, out in zip(
                    fit.gcps.names, fit.residuals, fit.residuals_km, fit.left_out, strict=True
                )
            ],
            "raster_width": int(self.raster.values.shape[1]),
            "raster_height": int(self.raster.values.shape[0]),
            "raster_crs": self.raster.crs,
            "points": len(self.points),
            "reduction": float(valid.sum() / len(self.points)),
            "rebuild_rmse_percent": self.rebuild.rmse_percent,
            "rebuild_p99_percent": self.rebuild.p99_percent,
            "rebuild_max_percent": self.rebuild.max_percent,
            "notes": list(self.notes),
        }

    def save(
        self,
        out: str | Path | None = None,
        *,
        overwrite: bool = False,
        csv: bool = False,
        progress: Progress | None = None,
    ) -> dict[str, Path]:
        """Write everything to a folder, all or nothing.

        Parameters
        ----------
        out : str, Path or None
            None: ``<map>_geocbar`` in the current folder.
        overwrite : bool
            Replace the outputs of an earlier run.
        csv : bool
            Also write the points as ``<map>.csv``.
        progress : callable or None
            Told what is being written.

        Returns
        -------
        dict of str to Path
            What was written: ``raster``, ``points``, ``style``, ``recipe``, ``check`` (and ``csv``).

        Raises
        ------
        FileProblemError
            If the folder holds something, or cannot be written.
        """
        target = Path(out) if out is not None else default_folder(self.picture.name)
        names = self._names(csv)
        with fresh_folder(target, overwrite) as folder:
            self._write(folder, names, target, progress or _silent)
        return {key: target / name for key, name in names.items()}

    def _names(self, csv: bool) -> dict[str, str]:
        stem = Path(self.picture.name).stem
        endings = {
            "raster": ".tif",
            "points": ".gpkg",
            "style": ".qml",
            "recipe": ".toml",
            "check": ".check.png",
        } | ({"csv": ".csv"} if csv else {})
        return {key: stem + ending for key, ending in endings.items()}

    def _write(self, folder: Path, names: dict[str, str], target: Path, progress: Progress) -> None:
        from geocbar.files.check_picture import write_check_picture
        from geocbar.files.geopackage import write_csv, write_geopackage
        from geocbar.files.geotiff import write_geotiff
        from geocbar.files.qgis_style import raster_style

        scale = self.scale
        progress(f"writing {names['raster']}")
        write_geotiff(
            folder / names["raster"],
            self.raster,
            name=scale.name,
            unit=scale.unit,
            tags=self._tags(),
            classes=scale.is_classes,
        )
        (folder / names["style"]).write_text(raster_style(scale), encoding="utf-8")
        progress(f"writing {names['points']}")
        outline = footprint(self.georeference, self.frame, self.raster.crs)
        facts = {
            "map": self.picture.name,
            "quantity": scale.label,
            "model": self.georeference.model,
            "rmse_px": self.georeference.rmse_px,
            "rmse_km": self.georeference.rmse_km,
        }
        write_geopackage(folder / names["points"], self.points, scale, self.georeference, outline, facts)
        if "csv" in names:
            write_csv(folder / names["csv"], self.points)
        progress(f"drawing {names['check']}")
        write_check_picture(
            folder / names["check"],
            self.picture.pixels,
            self.inversion.values,
            scale,
            self.georeference,
            self.picture.name,
        )
        text = self.recipe.to_toml(Path(target).absolute() / names["recipe"])
        (folder / names["recipe"]).write_text(text, encoding="utf-8")

    def _tags(self) -> dict[str, str]:
        from geocbar import __version__

        fit = self.georeference
        return {
            "TIFFTAG_SOFTWARE": f"geocbar {__version__}",
            "TIFFTAG_IMAGEDESCRIPTION": f"{self.scale.label}, digitized from {self.picture.name}",
            "GEOCBAR_SOURCE": self.picture.name,
            "GEOCBAR_SOURCE_SHA256": self.picture.sha256,
            "GEOCBAR_SCALE": f"{self.scale.limits[0]:.10g} .. {self.scale.limits[1]:.10g} {self.scale.unit}".strip(),
            "GEOCBAR_MODEL": fit.model,
            "GEOCBAR_GCPS": str(len(fit.gcps.used())),
            "GEOCBAR_RMSE_PX": f"{fit.rmse_px:.4f}",
            "GEOCBAR_LEAVE_ONE_OUT_RMSE_PX": f"{fit.left_out_rmse_px:.4f}",
        }


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
    _require_same(picture.sha256, recipe.image_sha256, picture.name)
    frame = PixelBox.parse(recipe.frame) if recipe.frame else None
    if frame is not None:
        frame.require_inside(picture.width, picture.height, "map frame")
        _require_pixels(frame, picture)
    notes = list(picture.notes)

    tell("reading the control points")
    georeference = _place(recipe, picture, notes)

    tell("reading the colour scale")
    scale = color_scale(recipe, picture)

    tell("inverting colours")
    inversion = invert(
        picture.pixels,
        scale,
        max_distance=DEFAULT_MAX_DISTANCE if recipe.max_distance is None else recipe.max_distance,
        frame=frame,
        bar=PixelBox.parse(recipe.colorbar) if recipe.colorbar else None,
    )
    notes += _value_notes(inversion, frame, picture)

    tell("putting values on the map grid")
    if scale.is_classes and recipe.resampling != "nearest":
        raise InvalidInputError("Classes cannot be interpolated.", "Use --resampling nearest.")
    raster = to_map(
        inversion.values,
        georeference,
        frame=frame,
        to_crs=recipe.to_crs,
        resolution=recipe.resolution,
        resampling=recipe.resampling,
    )

    tell("thinning")
    points, rebuild = _thin(recipe, inversion, scale, georeference, raster.crs)
    done = _with_checksums(recipe, picture)
    return DigitizedMap(done, picture, scale, inversion, georeference, raster, points, rebuild, tuple(notes))


def color_scale(recipe: Recipe, picture: Picture) -> ColorScale:
    """The colour scale a recipe asks for: from the bar in the picture, a named colormap or a palette file.

    Raises
    ------
    InvalidInputError
        If neither or both are given, or their values are missing.
    """
    if recipe.colorbar and recipe.colormap:
        raise InvalidInputError(
            "Both a colour bar and a colormap are given.", "Give --colorbar or --colormap, not both."
        )
    if recipe.colorbar:
        bar = read_colorbar(picture.pixels, PixelBox.parse(recipe.colorbar))
        ticks = Ticks.parse(recipe.ticks) if recipe.ticks else None
        if ticks is not None and (recipe.vmin is not None or recipe.vmax is not None):
            raise InvalidInputError("Both ticks and end values are given.", "Give --ticks, or --vmin and --vmax.")
        return scale_from_bar(
            bar,
            vmin=recipe.vmin,
            vmax=recipe.vmax,
            ticks=ticks,
            scale=recipe.scale,
            name=recipe.name,
            unit=recipe.unit,
        )
    if recipe.colormap:
        return _scale_from_colormap(recipe)
    raise InvalidInputError(
        f"It is not known which colours of {picture.name} stand for which values.",
        "Give the bar's place and its end values: --colorbar LEFT,TOP,RIGHT,BOTTOM --vmin V --vmax V",
    )


def default_folder(name: str) -> Path:
    """Where results go if nothing is said: ``<map>_geocbar`` where the user stands."""
    return Path(f"{Path(name).stem}_geocbar")


def _scale_from_colormap(recipe: Recipe) -> ColorScale:
    from geocbar.files.palettes import read_palette
    from geocbar.value.colormaps import named_colors

    assert recipe.colormap is not None
    path = recipe.path(recipe.colormap)
    if path.is_file() or path.suffix.lower() in PALETTE_ENDINGS:
        palette = read_palette(path)
        _require_same(file_sha256(path), recipe.colormap_sha256, path.name)
        return ColorScale.from_colors(
            palette.colors,
            palette.positions,
            vmin=recipe.vmin,
            vmax=recipe.vmax,
            has_values=palette.has_values,
            edges=palette.edges,
            scale=recipe.scale,
            name=recipe.name,
            unit=recipe.unit,
        )
    named = named_colors(recipe.colormap)
    n = len(named.colors)
    return ColorScale.from_colors(
        named.colors,
        named.positions,
        vmin=recipe.vmin,
        vmax=recipe.vmax,
        edges=np.arange(n + 1) / n if named.is_classes else None,
        scale=recipe.scale,
        step=named.step,
        name=recipe.name,
        unit=recipe.unit,
    )


PALETTE_ENDINGS = (".gpl", ".ggr", ".cpt", ".txt", ".xml", ".qml", ".act", ".pal", ".clr", ".csv")


def _place(recipe: Recipe, picture: Picture, notes: list[str]) -> Georeference:
    gcps = read_gcps(recipe.path(recipe.gcps), recipe.gcp_crs)
    _require_same(file_sha256(recipe.path(recipe.gcps)), recipe.gcps_sha256, Path(recipe.gcps).name)
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


def _value_notes(inversion: Inversion, frame: PixelBox | None, picture: Picture) -> list[str]:
    if frame is None:
        part = inversion.reason
    else:
        part = inversion.reason[frame.slices(picture.width, picture.height)]
    share = float((part == Reason.DATA).mean())
    if share == 0:
        raise InvalidInputError(
            "No pixel of the map has a colour of this scale.",
            "Check --colorbar or --colormap, --frame and --max-distance.",
        )
    if share >= (0.1 if frame is None else 0.2):
        return []
    whole = "picture" if frame is None else "map"
    return [
        f"Only {100 * share:.2g} % of the {whole}'s pixels have a colour of this scale: does it belong to this map?"
    ]


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


def _require_same(found: str, expected: str, name: str) -> None:
    if expected and found != expected:
        raise InvalidInputError(
            f"{name} is not the file the recipe was made with: its checksum differs.",
            "Use the original file, or delete the line with its sha256 from the recipe.",
        )


def _silent(_: str) -> None:
    """Progress that nobody wants to hear."""
