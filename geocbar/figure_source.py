"""The picture a recipe names: a picture file, or a figure in a PDF with the text the file itself bears."""

from __future__ import annotations

from dataclasses import dataclass

from geocbar.errors import InvalidInputError
from geocbar.figure.words import Word
from geocbar.files.images import MAX_PIXELS, Picture, read_image
from geocbar.recipe import Recipe

__all__ = ["FigureSource", "is_pdf", "read_source"]


@dataclass(frozen=True, eq=False)
class FigureSource:
    """A picture and what its file says about it.

    Parameters
    ----------
    picture : Picture
    words : tuple of Word or None
        Text with its places from the file itself, in pixels of the picture; None if text has to be read in the picture.
    """

    picture: Picture
    words: tuple[Word, ...] | None = None


def is_pdf(recipe: Recipe) -> bool:
    """Whether the recipe's image is a PDF file, by its name or its first bytes."""
    path = recipe.path(recipe.image)
    if path.suffix.lower() == ".pdf":
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(5) == b"%PDF-"


def read_source(recipe: Recipe) -> FigureSource:
    """Read the picture of a recipe.

    Raises
    ------
    InvalidInputError
        If a page or figure is named for a file that is no PDF, or none for a PDF.
    FileProblemError
        If the file cannot be read.
    NotFoundError
        If there is no such page or figure.
    """
    limit = MAX_PIXELS if recipe.max_pixels is None else recipe.max_pixels
    path = recipe.path(recipe.image)
    if not is_pdf(recipe):
        for key in ("page", "figure", "dpi"):
            if getattr(recipe, key) is not None:
                raise InvalidInputError(f"{path.name} is no PDF: it has no {key}.", f"Leave out --{key}.")
        return FigureSource(read_image(path, limit))
    from geocbar.files.pdf import list_figures, read_pdf_figure

    page = recipe.page
    if page is None:
        figures = list_figures(path)
        pages = sorted({figure.page for figure in figures})
        if len(figures) != 1:
            raise InvalidInputError(
                f"{path.name} holds {len(figures)} figures" + (f", on pages {_listed(pages)}." if pages else "."),
                f"List them: geocbar inspect {path.name}; then say which: --page {pages[0] if pages else 1}",
            )
        page = pages[0]
    found = read_pdf_figure(path, page, recipe.figure, dpi=recipe.dpi, max_pixels=limit)
    # Where the file does not tell the characters of some text, all of it is read in the picture.
    return FigureSource(found.picture, None if found.unread else found.words or None)


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:12])) + (", ..." if len(numbers) > 12 else "")
