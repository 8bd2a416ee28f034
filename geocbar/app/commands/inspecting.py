"""``geocbar inspect``: what a figure says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geocbar.app.commands.options import figure_options

__all__ = ["inspect"]


@click.command()
@click.argument("map_path", metavar="MAP", type=click.Path(path_type=Path))
@figure_options
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write.  [default: MAP_inspect here]")
@click.option("--overwrite", is_flag=True, help="Replace a recipe that is there.")
def inspect(map_path: Path, out: Path | None, overwrite: bool, **choices: Any) -> None:
    """Find the colour bar, its values and the map's frame in MAP, draw them, and write a recipe to mend.

    Of a PDF file without --page, list the figures.
    """
    from geocbar.app.calls import inspect_recipe
    from geocbar.app.choices import make_recipe
    from geocbar.app.drafts import draft_folder, list_pdf, write_draft
    from geocbar.figure_source import is_pdf

    recipe = make_recipe(map_path, {key: value for key, value in choices.items() if value is not None})
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
