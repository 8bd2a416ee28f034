"""What Python callers get: the same as the command line, with the text reader at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geocbar.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from geocbar.digitized_map import DigitizedMap, Progress
    from geocbar.figure.words import TextReading
    from geocbar.inspection import Inspection
    from geocbar.recipe import Recipe

__all__ = ["digitize", "inspect", "inspect_recipe", "read_text"]


def read_text(crops: Sequence[NDArray[np.uint8]]) -> list[TextReading]:
    """The text reader, loaded when the first words are to be read.

    Parameters
    ----------
    crops : sequence of (h, w, 3) uint8 arrays
        Dark on white, one line each.

    Returns
    -------
    list of TextReading
    """
    from geocbar.app.text import load_reader

    return load_reader()(crops)


def digitize(
    image: str | Path, gcps: str | Path | None = None, *, progress: Progress | None = None, **choices: Any
) -> DigitizedMap:
    """Turn a published map back into data.

    Parameters
    ----------
    image : str or Path
        The picture of the map, a PDF file (with ``page``), or a recipe.
    gcps : str, Path or None
        Control points, a CSV or QGIS ``.points`` file.
    progress : callable or None
        Told, in a few words, what is being done.
    **choices
        Any choice of :class:`~geocbar.recipe.Recipe`: ``colorbar``, ``vmin``, ``vmax``, ``ticks``, ``scale``,
        ``colormap``, ``frame``, ``name``, ``unit``, ``model``, ``to_crs``, ... What is not said is found in the figure.

    Returns
    -------
    DigitizedMap
        ``result.raster.values`` are the values; ``result.save("out/")`` writes everything.

    Raises
    ------
    NotReadError
        If what has to be found is not found for certain.
    GeocbarError
        With what to do next, whenever an input is missing or cannot be right.
    """
    from geocbar.digitization import digitize_recipe

    return digitize_recipe(_recipe(image, gcps, choices), read=read_text, progress=progress)


def inspect(image: str | Path, gcps: str | Path | None = None, **choices: Any) -> Inspection:
    """Find the colour bars, their values and the panels of a figure, and do nothing else.

    Parameters
    ----------
    image, gcps, **choices
        As for :func:`digitize`; control points only tell which of several panels is meant.

    Returns
    -------
    Inspection
        ``found.lines()`` are evidence and doubts, ``found.completed()`` is the recipe.

    Raises
    ------
    GeocbarError
        If the picture or a choice cannot be right.
    """
    return inspect_recipe(_recipe(image, gcps, choices))


def inspect_recipe(recipe: Recipe) -> Inspection:
    """Find what a recipe does not say; see :func:`inspect`."""
    from geocbar.figure_source import read_source
    from geocbar.files.gcp_tables import read_gcps
    from geocbar.inspection import inspect_source
    from geocbar.scale_source import picture_coding, read_scale

    source = read_source(recipe)
    coding, _ = picture_coding(source.picture)
    points = read_gcps(recipe.path(recipe.gcps), recipe.gcp_crs).used().pixels if recipe.gcps else None
    named = read_scale(recipe, source.picture, coding, None).scale.colors if recipe.colormap else None
    return inspect_source(recipe, source, read_text, lossy=coding.lossy, points=points, map_colors=named)


def _recipe(image: str | Path, gcps: str | Path | None, choices: dict[str, Any]) -> Recipe:
    from geocbar.app.choices import make_recipe
    from geocbar.recipe import Recipe

    known = set(Recipe.__dataclass_fields__) - {"image", "gcps", "base"}
    unknown = sorted(set(choices) - known)
    if unknown:
        raise InvalidInputError(f"There is no choice {unknown[0]!r}.", f"Choices are: {', '.join(sorted(known))}")
    if gcps is not None:
        choices = {**choices, "gcps": str(gcps)}
    return make_recipe(Path(image), choices)
