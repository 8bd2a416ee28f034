"""``geocbar thin``: points that stand for a raster, or for more points."""

from __future__ import annotations

from pathlib import Path

import click

from geocbar.app.commands.options import checked_max_error

__all__ = ["thin"]


@click.command()
@click.argument("path", metavar="DATA", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Points to write: .gpkg, .csv, .geojson or .fgb.  [default: DATA_points.gpkg here]",
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
@click.option(
    "--eps",
    type=float,
    help="DATA is a layer of points: those within this distance of each other (units of the CRS) become clusters.",
)
@click.option("--min-samples", type=click.IntRange(min=1), default=4, help="Points that make a cluster.  [default: 4]")
@click.option(
    "--cluster-values",
    "value_eps",
    type=float,
    metavar="DIFFERENCE",
    help="With --eps: points of a cluster differ by no more than this from neighbours in value, too.",
)
@click.option("--value", default="value", help="With --eps: field with the values.  [default: value]")
@click.option("--crs", help="With --eps: CRS of the points.  [default: as the file says]")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def thin(
    path: Path,
    out: Path | None,
    band: int,
    max_error: float,
    spacing: float | None,
    logarithmic: bool,
    eps: float | None,
    min_samples: int,
    value_eps: float | None,
    value: str,
    crs: str | None,
    overwrite: bool,
) -> None:
    """Choose few points that rebuild DATA, any georeferenced raster, within a stated error.

    Says how well linear interpolation between the points gives the raster back. A GeoPackage also holds the area with
    data, so that geocbar regrid invents nothing outside it.

    With --eps, DATA is any layer of points or CSV file, and every cluster of points (DBSCAN) becomes one.
    """
    from geocbar.app.regridding import thin_points, thin_raster

    target = out or Path(f"{path.stem}_points.gpkg")
    if eps is not None:
        said = thin_points(
            path,
            target,
            eps=eps,
            min_samples=min_samples,
            value_eps=value_eps,
            value=value,
            crs=crs,
            overwrite=overwrite,
        )
        click.echo("\n".join(said))
        return
    if value_eps is not None:
        raise click.UsageError("--cluster-values goes with --eps, for layers of points.")
    lines = thin_raster(
        path,
        target,
        band=band,
        max_error=max_error / 100,
        spacing=spacing,
        logarithmic=logarithmic,
        overwrite=overwrite,
    )
    click.echo("\n".join(lines))
