"""XML that strangers wrote: read without entities, and refused with a sentence."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from geocbar.errors import FileProblemError

__all__ = ["child_texts", "local_name", "read_xml"]


class _Builder(ElementTree.TreeBuilder):
    """Builds a tree; stops at a document type, where entities would be defined."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Called by the parser before any entity is defined."""
        raise ValueError(f"it defines a document type {name!r}")


def read_xml(path: Path) -> ElementTree.Element:
    """Root of an XML file.

    Raises
    ------
    FileProblemError
        If it cannot be read, is damaged, or defines a document type or entities.
    """
    try:
        return ElementTree.fromstring(path.read_bytes(), ElementTree.XMLParser(target=_Builder()))
    except OSError as error:
        raise FileProblemError(f"{path.name} cannot be read: {error.strerror}.", "Check its permissions.") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise FileProblemError(
            f"{path.name} is not sound XML: {str(error).rstrip('.')}.",
            "Correct it or move it away, or give control points: --gcps FILE",
        ) from error


def local_name(element: ElementTree.Element) -> str:
    """Name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def child_texts(element: ElementTree.Element) -> dict[str, str]:
    """Texts of the children by name."""
    return {local_name(child): (child.text or "").strip() for child in element}
