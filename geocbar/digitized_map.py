"""What comes out: a published map, turned back into data, with a summary and the way to files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geocbar.figure.layout import PixelBox
from geocbar.files.images import Picture
from geocbar.files.output_folder import fresh_folder
from geocbar.grid.raster import Raster, footprint, to_map
from geocbar.grid.thinning import Points, RebuildError
from geocbar.inspection import Inspection
from geocbar.place.georeference import Georeference
from geocbar.place.positions import position_uncertainty
from geocbar.place.projections import crs_name
from geocbar.recipe import Recipe
from geocbar.value.inversion import Inversion
from geocbar.value.reasons import REASON_COLORS, REASON_NAMES, Reason
from geocbar.value.scale import ColorScale

if TYPE_CHECKING:
    import xarray

__all__ = ["DigitizedMap", "Progress", "Report", "default_folder"]

_MEDIAN_PIXELS = 4_000_000
_ROWS = 256

#: Endings of what is written.
_ENDINGS = {
    "raster": ".tif",
    "points": ".gpkg",
    "style": ".qml",
    "reasons": ".reason.tif",
    "reason_style": ".reason.qml",
    "recipe": ".toml",
    "check": ".check.png",
    "csv": ".csv",
    "netcdf": ".nc",
    "positions": ".position.tif",
    "report": ".html",
}

#: Told, in a few words, what is being done.
Progress = Callable[[str], None]

#: Makes a page about a map, whose recipe lies at the path.
Report = Callable[["DigitizedMap", Path], str]


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
    area : PixelBox or None
        The map's frame in the picture, or the box of its outline; None: the whole picture.
    outline : (k, 2) float array or None
        The outline of a map that is no upright rectangle.
    found : Inspection or None
        What was found in the figure; None if there was nothing to find.
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
    area: PixelBox | None = None
    outline: NDArray[np.float64] | None = None
    found: Inspection | None = None

    @property
    def frame(self) -> PixelBox:
        """The map's frame, or the box of its outline; the whole picture if there is none."""
        return self.area or PixelBox(0, 0, self.picture.width, self.picture.height)

    def summary(self) -> dict[str, Any]:
        """Figures to judge the result by, as plain numbers and strings."""
        window = self.frame.slices(self.picture.width, self.picture.height)
        inside = self.inversion.values[window]
        counts = _count_reasons(self.inversion.reason[window])
        n_valid = sum(int(np.count_nonzero(np.isfinite(inside[rows]))) for rows in _row_blocks(len(inside)))
        # The medians of a large picture are those of every so many rows and columns.
        every = slice(None, None, max(int(np.sqrt(inside.size / _MEDIAN_PIXELS)), 1))
        sampled, sigma = inside[every, every], self.inversion.sigma[window][every, every]
        known = np.isfinite(sampled)
        sampled, sigma = sampled[known], sigma[known]
        fit = self.georeference
        return {
            "map": self.picture.name,
            "width_px": self.picture.width,
            "height_px": self.picture.height,
            "quantity": self.scale.name,
            "unit": self.scale.unit,
            "scale_limits": [float(v) for v in self.scale.limits],
            "scale_kind": "classes" if self.scale.is_classes else str(self.scale.norm),
            "valued_percent": 100 * n_valid / inside.size,
            "reason_percent": {
                REASON_NAMES[number]: round(100 * int(counts[number]) / inside.size, 3)
                for number in Reason
                if counts[number]
            },
            "value_min": float(np.nanmin(inside)),
            "value_max": float(np.nanmax(inside)),
            "sigma_median": float(np.median(sigma)),
            "sigma_median_percent": 100 * float(np.median(self.scale.shares_of_range(sampled, sigma))),
            "error_kind": self.inversion.error_kind,
            "color_noise": self.inversion.noise,
            "explained_percent": 100 * self.inversion.explained,
            "shading": "none" if self.inversion.shading is None else self.inversion.shading.model,
            "model": fit.model,
            "model_sentence": fit.sentence,
            "projection": fit.projection,
            "crs": fit.crs,
            "gcps_left_out": list(fit.rejected),
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
            "raster_crs": crs_name(self.raster.crs),
            "points": len(self.points),
            "reduction": n_valid / len(self.points),
            "rebuild_rmse_percent": self.rebuild.rmse_percent,
            "rebuild_p99_percent": self.rebuild.p99_percent,
            "rebuild_max_percent": self.rebuild.max_percent,
            "rebuild_promised_percent": self.rebuild.promised_percent,
            "rebuild_kept_percent": self.rebuild.kept_percent,
            "rebuild_noisy_percent": self.rebuild.noisy_percent,
            "rebuild_sentence": str(self.rebuild),
            "notes": list(self.notes),
        }

    def to_xarray(self) -> xarray.Dataset:
        """The raster as an xarray dataset with values, sigma and reason, as the CF conventions describe it.

        Raises
        ------
        InvalidInputError
            If xarray is not installed.
        """
        from geocbar.files.netcdf import to_dataset

        return to_dataset(
            self.raster, name=self.scale.name, unit=self.scale.unit, reasons=REASON_NAMES, tags=self._tags()
        )

    def save(
        self,
        out: str | Path | None = None,
        *,
        overwrite: bool = False,
        csv: bool = False,
        netcdf: bool = False,
        positions: bool = False,
        report: Report | None = None,
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
        netcdf : bool
            Also write the raster as ``<map>.nc``.
        positions : bool
            Also write how far every cell may be off its place, as ``<map>.position.tif``.
        report : callable or None
            Makes the text of ``<map>.html`` from this map and the path of its recipe; None: no report.
        progress : callable or None
            Told what is being written.

        Returns
        -------
        dict of str to Path
            What was written: ``raster``, ``points``, ``style``, ``reasons``, ``reason_style``, ``recipe``, ``check``
            (and ``csv``, ``netcdf``, ``positions``, ``report``).

        Raises
        ------
        FileProblemError
            If the folder holds something, or cannot be written.
        """
        target = Path(out) if out is not None else default_folder(self.picture.name)
        wanted = {"csv": csv, "netcdf": netcdf, "positions": positions, "report": report is not None}
        stem = Path(self.picture.name).stem
        names = {key: stem + ending for key, ending in _ENDINGS.items() if wanted.get(key, True)}
        with fresh_folder(target, overwrite) as folder:
            self._write(folder, names, target, report, progress or _silent)
        return {key: target / name for key, name in names.items()}

    def _write(
        self, folder: Path, names: dict[str, str], target: Path, report: Report | None, progress: Progress
    ) -> None:
        recipe = Path(target).absolute() / names["recipe"]
        progress(f"writing {names['raster']}")
        # Packing the raster leaves a core to spare, and the rest needs little memory.
        with ThreadPoolExecutor(1) as beside:
            rasters = beside.submit(self._write_rasters, folder, names)
            self._write_beside(folder, names, progress)
            if report is not None:
                progress(f"drawing {names['report']}")
                (folder / names["report"]).write_text(report(self, recipe), encoding="utf-8")
            rasters.result()
        (folder / names["recipe"]).write_text(self.recipe.to_toml(recipe), encoding="utf-8")

    def _write_rasters(self, folder: Path, names: dict[str, str]) -> None:
        from geocbar.files.geotiff import write_geotiff, write_reasons

        write_geotiff(
            folder / names["raster"],
            self.raster,
            name=self.scale.name,
            unit=self.scale.unit,
            tags=self._tags(),
            classes=self.scale.is_classes,
        )
        write_reasons(folder / names["reasons"], self.raster, REASON_NAMES, REASON_COLORS, tags=self._tags())
        if "positions" in names:
            self._write_positions(folder / names["positions"])

    def _write_positions(self, path: Path) -> None:
        from geocbar.files.geotiff import write_positions

        off = position_uncertainty(self.georeference, self.picture.width, self.picture.height)
        on_grid = [
            None
            if band is None
            else to_map(
                band,
                self.georeference,
                frame=self.area,
                to_crs=self.recipe.to_crs,
                resolution=self.recipe.resolution,
            )
            for band in (off.px, off.km)
        ]
        assert on_grid[0] is not None
        write_positions(path, on_grid[0], on_grid[1], tags=self._tags())

    def _write_beside(self, folder: Path, names: dict[str, str], progress: Progress) -> None:
        """Everything but the rasters and the recipe."""
        from geocbar.files.check_picture import write_check_picture
        from geocbar.files.geopackage import write_csv, write_geopackage
        from geocbar.files.qgis_style import raster_style, reason_style
        from geocbar.files.rasters import data_area

        scale = self.scale
        (folder / names["style"]).write_text(raster_style(scale), encoding="utf-8")
        (folder / names["reason_style"]).write_text(reason_style(REASON_NAMES, REASON_COLORS), encoding="utf-8")
        progress(f"writing {names['points']}")
        outline = footprint(self.georeference, self.frame, self.raster.crs, self.outline)
        facts = {
            "map": self.picture.name,
            "quantity": scale.label,
            "model": self.georeference.model,
            "rmse_px": self.georeference.rmse_px,
            "rmse_km": self.georeference.rmse_km,
        }
        area = data_area(self.raster)
        write_geopackage(folder / names["points"], self.points, scale, self.georeference, outline, facts, area)
        if "csv" in names:
            write_csv(folder / names["csv"], self.points)
        if "netcdf" in names:
            from geocbar.files.netcdf import write_netcdf

            write_netcdf(folder / names["netcdf"], self.to_xarray())
        progress(f"drawing {names['check']}")
        write_check_picture(
            folder / names["check"],
            self.picture.pixels,
            self.inversion.values,
            scale,
            self.georeference,
            self.picture.name,
        )

    def _tags(self) -> dict[str, str]:
        from geocbar import __version__

        fit = self.georeference
        return {
            "TIFFTAG_SOFTWARE": f"geocbar {__version__}",
            "TIFFTAG_IMAGEDESCRIPTION": f"{self.scale.label}, digitized from {self.picture.name}",
            "GEOCBAR_SOURCE": self.picture.name,
            "GEOCBAR_SOURCE_SHA256": self.picture.sha256,
            "GEOCBAR_SCALE": f"{self.scale.limits[0]:.10g} .. {self.scale.limits[1]:.10g} {self.scale.unit}".strip(),
            "GEOCBAR_ERROR_KIND": self.inversion.error_kind,
            "GEOCBAR_MODEL": fit.model,
            "GEOCBAR_GCPS": str(len(fit.gcps.used())),
            "GEOCBAR_RMSE_PX": f"{fit.rmse_px:.4f}",
            "GEOCBAR_LEAVE_ONE_OUT_RMSE_PX": f"{fit.left_out_rmse_px:.4f}",
        }


def _count_reasons(reason: NDArray[np.uint8]) -> NDArray[np.intp]:
    """How many pixels have each reason."""
    counts = np.zeros(256, np.intp)
    for rows in _row_blocks(len(reason)):
        counts += np.bincount(reason[rows].ravel(), minlength=256)
    return counts


def _row_blocks(height: int) -> Iterator[slice]:
    for top in range(0, height, _ROWS):
        yield slice(top, top + _ROWS)


def default_folder(name: str) -> Path:
    """Where results go if nothing is said: ``<map>_geocbar`` where the user stands."""
    return Path(f"{Path(name).stem}_geocbar")


def _silent(_: str) -> None:
    """Progress that nobody wants to hear."""
