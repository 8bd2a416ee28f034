"""``geocbar regrid``: a raster from points."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["regrid"]


@click.command()
@click.argument("points_path", metavar="POINTS", type=click.Path(path_type=Path))
@click.option("--resolution", type=float, help="Cell size in units of the points' CRS.")
@click.option("--like", type=click.Path(path_type=Path), help="Take the grid of this raster, and compare with it.")
@click.option(
    "--method",
    type=click.Choice(["linear", "nearest", "cubic", "rbf"]),
    default="linear",
    help="rbf smooths by as much as sigma allows.  [default: linear]",
)
@click.option("--value", default="value", help="Field with the values.  [default: value]")
@click.option("--crs", help="CRS of the points.  [default: as the file says; EPSG:4326 for lon and lat in CSV]")
@click.option("--log", "logarithmic", is_flag=True, help="Interpolate the logarithms.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="GeoTIFF to write.  [default: POINTS_METHOD.tif where you are]"
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def regrid(
    points_path: Path,
    resolution: float | None,
    like: Path | None,
    method: str,
    value: str,
    crs: str | None,
    logarithmic: bool,
    out: Path | None,
    overwrite: bool,
) -> None:
    """Put POINTS, any layer of points or CSV file, on a grid, and nothing where there were no data.

    Cells outside the area with data get no value: the layer data_area of the file, or else the points' convex hull.
    With --like the result is compared with that raster cell by cell.
    """
    from geocbar.app.regridding import regrid_points

    target = out or Path(f"{points_path.stem}_{method}.tif")
    lines = regrid_points(
        points_path,
        target,
        resolution=resolution,
        like=like,
        method=method,
        value=value,
        crs=crs,
        logarithmic=logarithmic,
        overwrite=overwrite,
    )
    click.echo("\n".join(lines))
