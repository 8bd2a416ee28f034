"""What geocbar refuses to do, and the sentence it says.

Every refusal is a :class:`GeocbarError` and also the builtin it resembles, so that ``except ValueError`` works
as well as ``except GeocbarError``. The message is the fact with its numbers; the hint is the next thing to type.
"""

from __future__ import annotations

__all__ = ["FileProblemError", "GeocbarError", "InvalidInputError", "NotFoundError", "NotReadError"]


class GeocbarError(Exception):
    """Base of everything geocbar refuses to do.

    Parameters
    ----------
    message : str
        The fact, with its numbers: ``"No colour bar found in map.jpg (1200 x 800 px)."``
    hint : str
        What to do next: ``"Give its place: --colorbar LEFT,TOP,RIGHT,BOTTOM"``. May be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class InvalidInputError(GeocbarError, ValueError):
    """The input is there but cannot be right: equal limits, points on one line, a box outside the picture."""


class NotFoundError(GeocbarError, LookupError):
    """Something named or expected does not exist: a colormap, a column, a coordinate reference system."""


class FileProblemError(GeocbarError, OSError):
    """A file cannot be read or written: missing, empty, truncated, not a picture, no space left."""


class NotReadError(GeocbarError, ValueError):
    """What a figure shows could not be read for certain: a bar, its labels, which of several panels is meant.

    Parameters
    ----------
    message, hint : str
        See :class:`GeocbarError`.
    found : object
        What was found all the same (:class:`geocbar.inspection.Inspection`), to be drawn and mended.
    """

    def __init__(self, message: str, hint: str = "", found: object = None) -> None:
        super().__init__(message, hint)
        self.found = found
