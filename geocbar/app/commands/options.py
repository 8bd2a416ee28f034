"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable

import click

from geocbar.errors import GeocbarError

__all__ = ["checked_max_error", "checked_scale", "figure_options", "model_options"]


def figure_options(command: Callable[..., None]) -> Callable[..., None]:
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


def model_options(command: Callable[..., None]) -> Callable[..., None]:
    """How the place is found, for ``run`` and ``georef``."""
    command = click.option("--keep-all", is_flag=True, default=None, help="Leave no control point out as an outlier.")(
        command
    )
    return click.option(
        "--model",
        metavar="MODEL",
        callback=checked_model,
        help="auto (the map's projection, inferred), affine, similarity, projective, poly2, poly3, tps, or"
        " projection:CRS.  [default: auto]",
    )(command)


def checked_max_error(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """A promised error in percent, infinite for ``none``."""
    if text is None:
        return None
    if text.strip().lower() == "none":
        return float("inf")
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = float("nan")
    if not percent > 0:
        raise click.BadParameter(f"{text!r} is no error above 0 % of the range. Give a percentage, such as 2, or none.")
    return percent


def checked_scale(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A scale that can be read, or wrong usage."""
    if text is not None:
        from geocbar.value.norms import split_scale

        try:
            split_scale(text)
        except GeocbarError as error:
            raise click.BadParameter(f"{error.message} {error.hint}") from error
    return text


def checked_model(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A model that exists, or wrong usage."""
    if text is not None and text != "auto" and not text.startswith("projection:"):
        from geocbar.place.models import points_needed

        try:
            points_needed(text)
        except GeocbarError as error:
            raise click.BadParameter(f"{error.message} {error.hint}") from error
    return text
