"""The picture a recipe names: a picture file, or a figure in a PDF with the text the file itself bears."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.figure.words import Word
from geocbar.files.images import MAX_PIXELS, Picture, read_image
from geocbar.recipe import Recipe

__all__ = ["FigureSource", "is_pdf", "read_source"]

#: A figure whose file tells fewer numbers than this has its labels drawn as shapes: two ticks are the least of a scale.
_LEAST_NUMBERS = 2


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
        If there is no such page or figure, or no figure at all.
    """
    limit = MAX_PIXELS if recipe.max_pixels is None else recipe.max_pixels
    path = recipe.path(recipe.image)
    if not is_pdf(recipe):
        for key in ("page", "figure", "dpi"):
            if getattr(recipe, key) is not None:
                raise InvalidInputError(f"{path.name} is no PDF: it has no {key} to choose.", f"Leave out --{key}.")
        return FigureSource(read_image(path, limit))
    from geocbar.files.pdf import read_pdf_figure

    page = _only_page(path, recipe.figure) if recipe.page is None else recipe.page
    found = read_pdf_figure(path, page, recipe.figure, dpi=recipe.dpi, max_pixels=limit)
    # Where the file does not tell the characters of some text, or the labels are drawn as shapes beside a word or two,
    # all of it is read in the picture.
    numbers = sum(any(char.isdigit() for char in word.text) for word in found.words)
    told = numbers >= _LEAST_NUMBERS and not found.unread
    return FigureSource(found.picture, found.words if told else None)


def _only_page(path: Path, figure: int | None) -> int:
    """The page of a PDF file that was meant, where none was named."""
    from geocbar.files.pdf import list_figures

    figures = list_figures(path)
    pages = sorted({found.page for found in figures})
    if not figures:
        raise NotFoundError(
            f"{path.name} holds no figure with coloured or shaded areas.",
            "Take a page as it is: --page 1 --figure 0, or give the figure as a picture.",
        )
    if len(figures) > 1 and (len(pages) > 1 or figure is None):
        raise InvalidInputError(
            f"{path.name} holds {len(figures)} figures, on page{'s' * (len(pages) > 1)} {_listed(pages)}.",
            f"List them: geocbar inspect {path.name}; then say which: --page {pages[0]} --figure {figures[0].number}",
        )
    return pages[0]


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:12])) + (", ..." if len(numbers) > 12 else "")
