"""What was found in a figure, as files a person can mend: a picture with everything drawn, and a recipe draft."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geocbar.errors import FileProblemError, NotFoundError

if TYPE_CHECKING:
    from geocbar.figure_reading import BarReading
    from geocbar.files.inspection_picture import FoundBar, FoundPanel
    from geocbar.inspection import Inspection
    from geocbar.recipe import Recipe

__all__ = ["draft_folder", "list_pdf", "write_draft"]


def draft_folder(image: str) -> Path:
    """Where drafts go if nothing is said: ``<map>_inspect`` where the user stands."""
    return Path(f"{Path(image).stem}_inspect")


def write_draft(found: Inspection, folder: Path, *, overwrite: bool = False, keep: bool = False) -> dict[str, Path]:
    """Write ``<map>.inspect.png`` and ``<map>.toml``.

    Parameters
    ----------
    found : Inspection
    folder : Path
        Made if need be.
    overwrite : bool
        Replace a recipe that is there already.
    keep : bool
        Leave a recipe that is there already as it is: somebody may have mended it.

    Returns
    -------
    dict of str to Path
        ``picture``, ``recipe``; for a figure of a PDF file ``figure``, the picture control points are picked in;
        ``points``, if some were read at the frame but not for certain.

    Raises
    ------
    FileProblemError
        If the folder cannot be written, or holds a recipe that may be neither replaced nor kept.
    """
    from geocbar.files.gcp_tables import write_gcps
    from geocbar.files.images import write_png
    from geocbar.files.inspection_picture import write_inspection_picture

    stem = _stem(found)
    paths = {"picture": folder / f"{stem}.inspect.png", "recipe": folder / f"{stem}.toml"}
    if paths["recipe"].exists() and not (overwrite or keep):
        raise FileProblemError(
            f"{paths['recipe']} is there already.", "Replace it with --overwrite, or name another folder: --out DIR"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblemError(
            f"The folder {folder} cannot be made: {error.strerror}.", "Name another one: --out DIR"
        ) from error
    upright = found.reading.turned
    pixels = found.source.picture.pixels if upright is None else upright.pixels
    write_inspection_picture(paths["picture"], pixels, _bars(found), _panels(found), found.lines())
    if found.recipe.page is not None:
        paths["figure"] = folder / f"{stem}.png"
        write_png(paths["figure"], found.source.picture.pixels)
    points = None if found.graticule is None else found.graticule.gcps
    if points is not None:
        paths["points"] = folder / f"{stem}.gcps.csv"
        if overwrite or not paths["points"].exists():
            write_gcps(paths["points"], points)
    if overwrite or not paths["recipe"].exists():
        text = found.completed().to_toml(paths["recipe"].absolute())
        try:
            paths["recipe"].write_text(_with_comments(text, found), encoding="utf-8")
        except OSError as error:
            raise FileProblemError(
                f"{paths['recipe'].name} cannot be written: {error.strerror}.", "Name another folder: --out DIR"
            ) from error
    return paths


def list_pdf(recipe: Recipe) -> list[str]:
    """The figures of a PDF file, one a line, and which of them look like maps with a colour bar.

    Raises
    ------
    FileProblemError
        If the file cannot be read.
    NotFoundError
        If it holds no figure.
    """
    from geocbar.files.pdf import list_figures, read_pdf_figure
    from geocbar.value.bar_search import find_bars

    path = recipe.path(recipe.image)
    figures = list_figures(path)
    if not figures:
        raise NotFoundError(
            f"{path.name} holds no figure with coloured or shaded areas.", "Take a page as it is: --page N --figure 0"
        )
    out = [f"{path.name}: {len(figures)} figure{'s' if len(figures) > 1 else ''}"]
    for figure in figures:
        pixels = read_pdf_figure(path, figure.page, figure.number).picture.pixels
        bars = find_bars(pixels)
        found = f"{len(bars)} strip{'s' if len(bars) > 1 else ''} that may be a colour bar" if bars else "no colour bar"
        out.append(f"  --page {figure.page} --figure {figure}: {found}")
    return out


def _stem(found: Inspection) -> str:
    stem = Path(found.source.picture.name).stem
    page = found.recipe.page
    return stem if page is None else f"{stem}-p{page}" + (f"-{found.recipe.figure}" if found.recipe.figure else "")


def _with_comments(text: str, found: Inspection) -> str:
    """The draft with everything that was found as comments at its foot."""
    lines = [f"#   {' '.join(line.split())}" for line in found.lines()]
    return text + "\n# What was found:\n" + "\n".join(lines) + "\n"


def _bars(found: Inspection) -> list[FoundBar]:
    from geocbar.files.inspection_picture import FoundBar

    return [
        FoundBar(f"bar {i + 1}", bar.box, bar.axis, _ticks(bar), bar.accepted and not found.doubts)
        for i, bar in enumerate(found.reading.bars)
    ]


def _ticks(bar: BarReading) -> tuple[tuple[float, str], ...]:
    fit, ticks = bar.ticks.fit, bar.ticks
    if fit is None:
        return tuple((label.position, f"{label.text}?") for label in ticks.labels)
    values = np.asarray(fit.values) * ticks.factor + ticks.offset
    put = {round(position, 3): text for text, _, position in fit.overruled}
    return tuple(
        (float(at), f"{value:.6g}" + (f" (read as {put[round(at, 3)]})" if round(at, 3) in put else ""))
        for at, value in zip(fit.positions.tolist(), values.tolist(), strict=True)
    )


def _panels(found: Inspection) -> list[FoundPanel]:
    from geocbar.files.inspection_picture import FoundPanel

    out = []
    for i, panel in enumerate(found.reading.frames):
        box = panel.box
        corners = np.array([[box.left, box.top], [box.right, box.top], [box.right, box.bottom], [box.left, box.bottom]])
        out.append(FoundPanel(f"panel {i + 1}", corners if panel.outline is None else panel.outline))
    return out
