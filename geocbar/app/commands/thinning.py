"""``geocbar thin``: points that stand for a raster."""

from __future__ import annotations

from pathlib import Path

import click

from geocbar.app.commands.options import checked_max_error

__all__ = ["thin"]


@click.command()
@click.argument("raster_path", metavar="RASTER", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Points to write: .gpkg, .csv, .geojson or .fgb.  [default: RASTER_points.gpkg here]",
)
@click.option("--band", type=click.IntRange(min=1), default=1, help="Band of the raster.  [default: 1]")
@click.option(
    "--max-error",
    default="2",
    metavar="PERCENT|none",
    callback=checked_max_error,
    help="The points rebuild 99 % of the raster within this share of its range, or three times its noise where that is"
    " more; none: the centres of clusters, nothing promised.  [default: 2]",
)
@click.option(
    "--spacing",
    type=float,
    help="One point stands for at most a square of so many cells.  [default: none; 16 with --max-error none]",
)
@click.option("--log", "logarithmic", is_flag=True, help="The error is one of the values' logarithm.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def thin(
    raster_path: Path,
    out: Path | None,
    band: int,
    max_error: float,
    spacing: float | None,
    logarithmic: bool,
    overwrite: bool,
) -> None:
    """Choose few points that rebuild RASTER, any georeferenced raster, within a stated error.

    Says how well linear interpolation between the points gives the raster back. A GeoPackage also holds the area with
    data, so that geocbar regrid invents nothing outside it.
    """
    from geocbar.app.regridding import thin_raster

    target = out or Path(f"{raster_path.stem}_points.gpkg")
    lines = thin_raster(
        raster_path,
        target,
        band=band,
        max_error=max_error / 100,
        spacing=spacing,
        logarithmic=logarithmic,
        overwrite=overwrite,
    )
    click.echo("\n".join(lines))
