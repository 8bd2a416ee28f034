"""What speaks against the ticks as read: every way in which a clean fit has been wrong, and the sentence it gets.

A confidence does not tell right from wrong readings, for wrong ones fit just as well; each veto names the one
circumstance under which it happened.
"""

from __future__ import annotations

from geocbar.figure.circumstances import Circumstances
from geocbar.figure.label_vetoes import LABEL_VETOES
from geocbar.figure.place_vetoes import PLACE_VETOES

__all__ = ["find_vetoes"]


def find_vetoes(case: Circumstances) -> tuple[str, ...]:
    """Every sentence that speaks against the reading; empty if it may be accepted.

    Parameters
    ----------
    case : Circumstances

    Returns
    -------
    tuple of str
    """
    return tuple(sentence for rule in (*LABEL_VETOES, *PLACE_VETOES) if (sentence := rule(case)))
