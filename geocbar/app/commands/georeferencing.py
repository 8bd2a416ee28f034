"""``geocbar georef``: the place alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from geocbar.app.commands.options import model_options
from geocbar.app.commands.printing import finite

__all__ = ["georef"]


@click.command()
@click.argument("map_path", metavar="MAP", type=click.Path(path_type=Path))
@click.option("--gcps", type=click.Path(), help="Control points: CSV (pixel, line, lon, lat) or QGIS .points.")
@click.option("--gcp-crs", help="CRS of the control points.  [default: EPSG:4326, or what the file says]")
@click.option("--page", type=click.IntRange(min=1), help="Page of a PDF file.")
@click.option("--figure", type=click.IntRange(min=0), help="Figure on that page.")
@model_options
@click.option("--frame", help="The map's frame in pixels, where a world map is cut: LEFT,TOP,RIGHT,BOTTOM.")
@click.option("--points", type=click.Path(path_type=Path), help="Write the points for the QGIS Georeferencer.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def georef(map_path: Path, points: Path | None, as_json: bool, **choices: Any) -> None:
    """Fit the control points of MAP, and do nothing else: residuals, rivals, uncertainty of places.

    With the table one can mend the points before a run.
    """
    from geocbar.app.choices import make_recipe
    from geocbar.app.georef import fit_place, georef_summary, georef_text
    from geocbar.files.gcp_tables import write_points_file

    recipe = make_recipe(map_path, {key: value for key, value in choices.items() if value is not None})
    picture, fit, notes = fit_place(recipe)
    summary = georef_summary(picture, fit, notes)
    click.echo(json.dumps(finite(summary), indent=2) if as_json else georef_text(summary))
    if points is not None:
        write_points_file(points, fit.gcps, fit.residuals)
