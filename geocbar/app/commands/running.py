"""``geocbar run``: from picture to GeoTIFF."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geocbar.app.commands.options import checked_max_error, checked_scale, figure_options, model_options
from geocbar.app.commands.printing import StepProgress, finite, print_summary
from geocbar.errors import NotReadError

if TYPE_CHECKING:
    from geocbar.digitized_map import DigitizedMap

__all__ = ["run"]


@click.command()
@click.argument("map_path", metavar="MAP", type=click.Path(path_type=Path))
@figure_options
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write.  [default: MAP_geocbar here]")
@click.option("--vmin", type=float, help="Value at the left or bottom end of the bar.")
@click.option("--vmax", type=float, help="Value at the right or top end of the bar.")
@click.option(
    "--ticks", metavar="V@PX,V@PX", help="Instead of --vmin/--vmax: values at pixels along the bar, 2 and more."
)
@click.option(
    "--scale",
    metavar="SCALE",
    callback=checked_scale,
    help="How values run along the bar: auto, linear, log, symlog, power, piecewise (between ticks) or discrete. With"
    " two values symlog:LINTHRESH, power:GAMMA.  [default: auto: discrete if the bar shows boxes, else linear, or what"
    " three and more ticks lie on]",
)
@click.option("--background", multiple=True, metavar="COLOUR", help="A colour that is no data (#rrggbb); repeatable.")
@click.option(
    "--background-search/--no-background-search",
    "search_background",
    default=None,
    help="Look for large flat colours that are no data.  [default: look]",
)
@click.option(
    "--shading",
    type=click.Choice(["auto", "none", "multiply", "gmt", "soft", "overlay"]),
    help="Relief shading to take out.  [default: auto, recognised by the colours]",
)
@click.option("--fill", type=int, help="Close gaps of lines and letters up to this many pixels wide.  [default: 0]")
@click.option("--write-intensity", "intensity", is_flag=True, default=None, help="Write the shading's light as band 3.")
@click.option(
    "--max-distance",
    type=float,
    help="Colours farther from the scale are no data (8-bit RGB units).  [default: by the noise]",
)
@click.option("--name", help="Quantity, for the band description.  [default: value]")
@click.option("--unit", help="Unit of the values.")
@model_options
@click.option("--to-crs", help="CRS of the raster and points.  [default: the map's own projection]")
@click.option("--resolution", type=float, help="Cell size in units of the CRS.  [default: as the picture]")
@click.option("--resampling", type=click.Choice(["nearest", "bilinear"]), help="[default: nearest]")
@click.option(
    "--max-error",
    metavar="PERCENT|none",
    callback=checked_max_error,
    help="The points rebuild 99 % of the map within this share of the range, or three times its noise where that"
    " is more; none: the centres of clusters, nothing promised.  [default: 2]",
)
@click.option(
    "--tolerance",
    type=float,
    help="Thinning leaves out pixels that differ more from a neighbour (value; decades on log and symlog scales, share"
    " of the length on power and piecewise ones).  [default: 5 % of the range]",
)
@click.option("--eps", type=float, help="DBSCAN: neighbours are at most this many pixels apart.  [default: 1.5]")
@click.option(
    "--min-samples",
    type=int,
    help="DBSCAN: neighbours that make a core pixel, itself included.  [default: 4]",
)
@click.option("--levels", type=int, help="Thinning: steps the values are clustered in.  [default: 32]")
@click.option(
    "--spacing",
    type=float,
    help="Thinning: one point stands for at most a square of this side in pixels.  [default: none; 16 with --max-error"
    " none]",
)
@click.option("--max-pixels", type=click.IntRange(min=1), help="Refuse larger pictures.  [default: 500000000]")
@click.option("--csv", is_flag=True, help="Also write the points as CSV.")
@click.option("--netcdf", is_flag=True, help="Also write the raster as NetCDF (CF conventions); needs geocbar[xarray].")
@click.option(
    "--positions", is_flag=True, help="Also write MAP.position.tif: how far every cell may be off its place, px and km."
)
@click.option(
    "--report/--no-report", default=True, help="Write MAP.html, a page to check everything by.  [default: write]"
)
@click.option("--overwrite", is_flag=True, help="Replace the outputs of an earlier run.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--quiet", is_flag=True, help="No progress.")
def run(
    map_path: Path,
    out: Path | None,
    csv: bool,
    netcdf: bool,
    positions: bool,
    report: bool,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **choices: Any,
) -> None:
    """Digitize MAP: a picture, a PDF file (with --page), or a recipe (.toml) of an earlier run.

    The colour bar, its values and the map's frame are found if you do not say them. What is not certain is not
    guessed: the run stops, and writes a picture of what it found and a recipe to mend into the folder MAP_inspect.

    Writes MAP.tif (values and sigma), MAP.reason.tif (why a pixel has its value, or none), MAP.gpkg (points, control
    points, footprint), QGIS styles beside them, MAP.html (the report: look at it!), MAP.check.png (figure beside the
    data) and MAP.toml (the recipe) into one folder, all of them or nothing.
    """
    from geocbar.app.calls import read_text
    from geocbar.app.choices import make_recipe
    from geocbar.digitization import digitize_recipe
    from geocbar.digitized_map import default_folder
    from geocbar.files.output_folder import require_free

    choices["background"] = " ".join(choices["background"]) or None
    recipe = make_recipe(map_path, {key: value for key, value in choices.items() if value is not None})
    target = out or default_folder(recipe.image)
    require_free(target, overwrite)
    progress = StepProgress(quiet)
    try:
        result = digitize_recipe(recipe, read=read_text, progress=progress)
    except NotReadError as error:
        progress.done()
        raise _with_draft(error) from error
    files = result.save(
        target,
        overwrite=overwrite,
        csv=csv,
        netcdf=netcdf,
        positions=positions,
        report=_report if report else None,
        progress=progress,
    )
    progress.done()
    if as_json:
        text = json.dumps(finite(result.summary() | {"files": {k: str(p) for k, p in files.items()}}), indent=2)
    else:
        text = _summary_text(result, files)
    print_summary(text, target)


def _report(result: DigitizedMap, recipe: Path) -> str:
    from geocbar.app.report import render_report

    return render_report(result, recipe_path=recipe)


def _with_draft(error: NotReadError) -> NotReadError:
    """The refusal, with the files in which a person can mend what was found."""
    from geocbar.app.drafts import draft_folder, write_draft
    from geocbar.inspection import Inspection

    found = error.found
    if not isinstance(found, Inspection):
        return error
    paths = write_draft(found, draft_folder(found.recipe.image), keep=True)
    mend = f"Or look at {paths['picture']}, mend {paths['recipe']}, and type: geocbar run {paths['recipe']}"
    return NotReadError(error.message, f"{error.hint}\n{mend}" if error.hint else mend, found)


def _summary_text(result: DigitizedMap, files: dict[str, Path]) -> str:
    s = result.summary()
    unit = f" {s['unit']}" if s["unit"] else ""
    low, high = s["scale_limits"]
    others = [(name, share) for name, share in s["reason_percent"].items() if name != "data" and share >= 0.05]
    lines = [
        f"{s['map']}: {s['width_px']} x {s['height_px']} px, {result.scale.label}",
        f"  values    {s['valued_percent']:.1f} % of the {'frame' if result.recipe.frame else 'picture'} has a value:"
        f" {s['value_min']:.5g} to {s['value_max']:.5g}{unit} (scale: {low:.5g} to {high:.5g}, {s['scale_kind']})",
        f"            sigma {s['sigma_median']:.3g}{unit} = {s['sigma_median_percent']:.2g} % of the range (median)."
        f" {s['error_kind']}",
        "  the rest  " + (", ".join(f"{share:.1f} % {name}" for name, share in others) or "nothing"),
        f"  place     {s['model_sentence'] or s['model']}",
        f"            {s['gcps']} points: RMSE {s['rmse_px']:.2f} px = {s['rmse_km']:.3g} km,"
        f" leave-one-out {s['left_out_rmse_px']:.2f} px = {s['left_out_rmse_km']:.3g} km",
        f"  raster    {s['raster_width']} x {s['raster_height']} cells, {s['raster_crs']}",
        f"  points    {s['points']} (1 for {s['reduction']:.0f} pixels)",
        f"            rebuilt from them: {s['rebuild_sentence']}",
        "  files     " + "\n            ".join(str(path) for path in files.values()),
    ]
    lines += [f"  note      {note}" for note in s["notes"]]
    return "\n".join(lines)
