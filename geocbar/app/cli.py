"""The command line: ``geocbar run map.jpg --gcps gcps.csv``."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geocbar import __version__
from geocbar.errors import FileProblemError, GeocbarError, NotReadError

if TYPE_CHECKING:
    from geocbar.digitized_map import DigitizedMap
    from geocbar.recipe import Recipe

__all__ = ["commands", "main"]


def main() -> None:
    """Run the command line; every problem ends in one sentence and an exit code, never in a traceback."""
    for name in ("SIGTERM", "SIGHUP"):  # asked to end, terminal closed: clean up as after Ctrl-C
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), _stop)
    try:
        commands.main(prog_name="geocbar", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        _fail("Stopped. Nothing was written.")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except GeocbarError as error:
        _fail(error.message, error.hint)
    except MemoryError:
        _fail(
            "There is not enough memory for a picture of this size.",
            "Crop the picture to the map, or use a larger machine.",
        )
    except Exception as error:
        if os.environ.get("GEOCBAR_DEBUG"):
            raise
        _fail(
            f"geocbar stumbled: {type(error).__name__}: {error}. Nothing was written.",
            "This is a bug: please report it with the output of the same command under GEOCBAR_DEBUG=1.",
        )


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="geocbar")
def commands() -> None:
    """Turn a published map back into data.

    \b
    geocbar run map.jpg --gcps gcps.csv

    finds the colour bar, reads its labels, and writes a GeoTIFF of the values, a GeoPackage of well-chosen points,
    a QGIS style, a picture to check, and a recipe to repeat it, into the folder map_geocbar. Without control points
    the longitudes and latitudes at the map's frame are read.
    """


def _checked_scale(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A scale that can be read, or wrong usage."""
    if text is not None:
        from geocbar.value.norms import split_scale

        try:
            split_scale(text)
        except GeocbarError as error:
            raise click.BadParameter(f"{error.message} {error.hint}") from error
    return text


def _figure_options(command: Callable[..., None]) -> Callable[..., None]:
    """What may be said of the figure, to ``run`` and to ``inspect``."""
    options = (
        click.option("--gcps", type=click.Path(), help="Control points: CSV (pixel, line, lon, lat) or QGIS .points."),
        click.option("--gcp-crs", help="CRS of the control points.  [default: EPSG:4326, or what the file says]"),
        click.option("--page", type=click.IntRange(min=1), help="Page of a PDF file."),
        click.option(
            "--figure",
            type=click.IntRange(min=0),
            help="Figure on that page, as inspect lists them; 0: all of it.",
        ),
        click.option("--dpi", type=float, help="Paint a PDF's figure at this resolution.  [default: what suits]"),
        click.option("--panel", type=click.IntRange(min=1), help="Which of several panels.  [default: by the GCPs]"),
        click.option("--turn", type=float, help="Degrees by which a scan lies askew.  [default: measured]"),
        click.option(
            "--frame",
            metavar="L,T,R,B|none",
            help="The map's frame in pixels; nothing outside gets a value. none: the whole picture is map."
            "  [default: found]",
        ),
        click.option("--colorbar", metavar="L,T,R,B", help="Place of the colour bar in pixels.  [default: found]"),
        click.option(
            "--colormap",
            metavar="NAME|FILE",
            help="Instead of a bar: a named colormap (_r reverses), a palette file, or auto: recovered from the map.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _model_options(command: Callable[..., None]) -> Callable[..., None]:
    """How the place is found, for ``run`` and ``georef``."""
    command = click.option("--keep-all", is_flag=True, default=None, help="Leave no control point out as an outlier.")(
        command
    )
    return click.option(
        "--model",
        metavar="MODEL",
        callback=_checked_model,
        help="auto (the map's projection, inferred), affine, similarity, projective, poly2, poly3, tps, or"
        " projection:CRS.  [default: auto]",
    )(command)


def _checked_model(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A model that exists, or wrong usage."""
    if text is not None and text != "auto" and not text.startswith("projection:"):
        from geocbar.place.models import points_needed

        try:
            points_needed(text)
        except GeocbarError as error:
            raise click.BadParameter(f"{error.message} {error.hint}") from error
    return text


@commands.command()
@click.argument("map_path", metavar="MAP", type=click.Path(path_type=Path))
@_figure_options
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write.  [default: MAP_geocbar here]")
@click.option("--vmin", type=float, help="Value at the left or bottom end of the bar.")
@click.option("--vmax", type=float, help="Value at the right or top end of the bar.")
@click.option(
    "--ticks", metavar="V@PX,V@PX", help="Instead of --vmin/--vmax: values at pixels along the bar, 2 and more."
)
@click.option(
    "--scale",
    metavar="SCALE",
    callback=_checked_scale,
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
@_model_options
@click.option("--to-crs", help="CRS of the raster and points.  [default: the map's own projection]")
@click.option("--resolution", type=float, help="Cell size in units of the CRS.  [default: as the picture]")
@click.option("--resampling", type=click.Choice(["nearest", "bilinear"]), help="[default: nearest]")
@click.option(
    "--max-error",
    type=float,
    metavar="PERCENT",
    help="Add and drop points until they rebuild 99 % of the map within this share of the range; takes a while on noisy"
    " maps.  [default: no promise]",
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
    help="Thinning: one point stands for at most a square of this side in pixels.  [default: 16]",
)
@click.option("--max-pixels", type=click.IntRange(min=1), help="Refuse larger pictures.  [default: 500000000]")
@click.option("--csv", is_flag=True, help="Also write the points as CSV.")
@click.option("--report", is_flag=True, help="Also write MAP.html, a page to check everything by.")
@click.option("--overwrite", is_flag=True, help="Replace the outputs of an earlier run.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--quiet", is_flag=True, help="No progress.")
def run(
    map_path: Path,
    out: Path | None,
    csv: bool,
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
    points, footprint), QGIS styles beside them, MAP.check.png (look at it!) and MAP.toml (the recipe) into one folder,
    all of them or nothing.
    """
    from geocbar.app.calls import read_text
    from geocbar.digitization import digitize_recipe
    from geocbar.digitized_map import default_folder
    from geocbar.files.output_folder import require_free

    choices["background"] = " ".join(choices["background"]) or None
    recipe = _recipe(map_path, {key: value for key, value in choices.items() if value is not None})
    target = out or default_folder(recipe.image)
    require_free(target, overwrite)
    progress = _Progress(quiet)
    try:
        result = digitize_recipe(recipe, read=read_text, progress=progress)
    except NotReadError as error:
        progress.done()
        raise _with_draft(error) from error
    files = result.save(target, overwrite=overwrite, csv=csv, report=_report if report else None, progress=progress)
    progress.done()
    if as_json:
        text = json.dumps(_finite(result.summary() | {"files": {k: str(p) for k, p in files.items()}}), indent=2)
    else:
        text = _summary_text(result, files)
    _print(text, target)


@commands.command()
@click.argument("map_path", metavar="MAP", type=click.Path(path_type=Path))
@_figure_options
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write.  [default: MAP_inspect here]")
@click.option("--overwrite", is_flag=True, help="Replace a recipe that is there.")
def inspect(map_path: Path, out: Path | None, overwrite: bool, **choices: Any) -> None:
    """Find the colour bar, its values and the map's frame in MAP, draw them, and write a recipe to mend.

    Of a PDF file without --page, list the figures.
    """
    from geocbar.app.calls import inspect_recipe
    from geocbar.app.drafts import draft_folder, list_pdf, write_draft
    from geocbar.figure_source import is_pdf

    recipe = _recipe(map_path, {key: value for key, value in choices.items() if value is not None})
    if is_pdf(recipe) and recipe.page is None:
        click.echo("\n".join(list_pdf(recipe)))
        return
    folder = out or draft_folder(recipe.image)
    found = inspect_recipe(recipe)
    paths = write_draft(found, folder, overwrite=overwrite)
    lines = [*found.lines(), *(f"wrote {path}" for path in paths.values())]
    if found.doubts:
        lines.append(found.remedy)
    click.echo("\n".join([*lines, f"then: geocbar run {paths['recipe']}" + ("" if recipe.gcps else " --gcps FILE")]))


@commands.command()
@click.argument("map_path", metavar="MAP", type=click.Path(path_type=Path))
@click.option("--gcps", type=click.Path(), help="Control points: CSV (pixel, line, lon, lat) or QGIS .points.")
@click.option("--gcp-crs", help="CRS of the control points.  [default: EPSG:4326, or what the file says]")
@click.option("--page", type=click.IntRange(min=1), help="Page of a PDF file.")
@click.option("--figure", type=click.IntRange(min=0), help="Figure on that page.")
@_model_options
@click.option("--points", type=click.Path(path_type=Path), help="Write the points for the QGIS Georeferencer.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def georef(map_path: Path, points: Path | None, as_json: bool, **choices: Any) -> None:
    """Fit the control points of MAP, and do nothing else: residuals, rivals, uncertainty of places.

    With the table one can mend the points before a run.
    """
    from geocbar.app.georef import fit_place, georef_summary, georef_text
    from geocbar.files.gcp_tables import write_points_file

    recipe = _recipe(map_path, {key: value for key, value in choices.items() if value is not None})
    picture, fit, notes = fit_place(recipe)
    summary = georef_summary(picture, fit, notes)
    click.echo(json.dumps(_finite(summary), indent=2) if as_json else georef_text(summary))
    if points is not None:
        write_points_file(points, fit.gcps, fit.residuals)


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


def _recipe(map_path: Path, choices: dict[str, Any]) -> Recipe:
    from geocbar.recipe import Recipe

    if map_path.suffix.lower() == ".toml":
        recipe = Recipe.read(map_path)
        # Paths on the command line are seen from where the user stands, those in the recipe from where it lies.
        given = {key: os.path.abspath(choices[key]) for key in ("gcps",) if key in choices}
        if "colormap" in choices and Path(choices["colormap"]).is_file():
            given["colormap"] = os.path.abspath(choices["colormap"])
        unchecked = {f"{key}_sha256": "" for key in ("gcps", "colormap") if key in choices}
        return replace(recipe, **(_instead(recipe, choices) | choices | given | unchecked))
    known = {f.name for f in fields(Recipe)}
    return Recipe(image=str(map_path), **{key: value for key, value in choices.items() if key in known})


def _instead(recipe: Recipe, choices: dict[str, Any]) -> dict[str, Any]:
    """What of a recipe is off when another way to say the same is given: a colormap for a bar, ticks for ends."""
    off: dict[str, Any] = {}
    if "colormap" in choices and "colorbar" not in choices:
        off |= {"colorbar": None, "ticks": None}
    if "colorbar" in choices and "colormap" not in choices:
        off |= {"colormap": None, "colormap_sha256": ""}
    if "ticks" in choices:
        off |= {"vmin": None, "vmax": None}
    elif recipe.ticks and ("vmin" in choices or "vmax" in choices):
        off |= {"ticks": None}
    return off


class _Progress:
    """One line a step on stderr, with the seconds the step before took."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.live = sys.stderr is not None and sys.stderr.isatty()
        self.step = ""
        self.since = time.monotonic()

    def __call__(self, step: str) -> None:
        self.done()
        self.step, self.since = step, time.monotonic()
        if not self.quiet and self.live:
            click.echo(f"  {step} ...", err=True, nl=False)

    def done(self) -> None:
        """Close the current line."""
        if self.step and not self.quiet:
            start = "\r" if self.live else ""
            click.echo(f"{start}  {self.step:<36} {time.monotonic() - self.since:6.2f} s", err=True)
        self.step = ""


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
        f"  points    {s['points']} (1 for {s['reduction']:.0f} pixels); they rebuild the map with RMSE"
        f" {s['rebuild_rmse_percent']:.2f} %, 99 % within {s['rebuild_p99_percent']:.2f} % of the range",
        "  files     " + "\n            ".join(str(path) for path in files.values()),
    ]
    lines += [f"  note      {note}" for note in s["notes"]]
    return "\n".join(lines)


def _print(text: str, target: Path) -> None:
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileProblemError(
            f"The files are written, but their summary cannot be printed: {error.strerror}.", f"Look into {target}."
        ) from error


def _finite(value: Any) -> Any:
    """JSON has no NaN: null instead."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value


def _fail(message: str, hint: str = "") -> None:
    click.echo(f"Error: {message}", err=True)
    for line in hint.splitlines():
        click.echo(f"  {line}", err=True)
    sys.exit(1)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt
