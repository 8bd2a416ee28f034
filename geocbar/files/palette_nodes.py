"""What every palette file comes down to: colours, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError

__all__ = [
    "Color",
    "Palette",
    "broken_line",
    "class_palette",
    "data_lines",
    "edges_between",
    "list_palette",
    "node_palette",
    "parse_hex",
    "parse_numbers",
    "require_color",
]

Color = tuple[float, float, float]

#: Nodes that a file puts at one position (a jump of colour) are set apart by this share of the whole range.
NUDGE = 1e-9

_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours from a file, and where they stand.

    Parameters
    ----------
    colors : (n, 3) float array
        sRGB colours, 0 to 255.
    positions : (n,) float array or None
        Values of the nodes or, for classes, the middle of each class (in a file that gives single values a colour,
        those values); strictly increasing. Where the file has a jump of colour at one position, the two nodes are
        1e-9 of the range apart (or one float, if that is more). None if the file is a plain list of colours.
    has_values : bool
        True where `positions` are data values, in the unit of the file; False where they are shares, 0 to 1.
    edges : (n + 1,) float array or None
        Limits of the classes where the file defines single colours for intervals; None for a continuous palette. The
        first may be -inf and the last inf: a class that is open to that side.
    background, foreground, nan : (red, green, blue) or None
        Colours of values below, above, and of no value, where the file gives them.
    labels : tuple of str
        One label a class where the file has them, else empty.

    Raises
    ------
    InvalidInputError
        For fewer than two colours, colours out of range, or positions that do not increase.
    """

    colors: NDArray[np.float64]
    positions: NDArray[np.float64] | None = None
    has_values: bool = False
    edges: NDArray[np.float64] | None = None
    background: Color | None = None
    foreground: Color | None = None
    nan: Color | None = None
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        colors = np.array(self.colors, dtype=np.float64).reshape(-1, 3)
        if len(colors) < 2:
            raise InvalidInputError(
                f"The palette has {len(colors)} colour{'s' * (len(colors) != 1)}; it takes at least 2.",
                "Give a palette file with two colours or more.",
            )
        if not (np.all(colors >= 0) and np.all(colors <= 255)):
            raise InvalidInputError("The palette has a colour beyond 0 to 255.")
        object.__setattr__(self, "colors", colors)
        colors.setflags(write=False)
        for name, count in (("positions", len(colors)), ("edges", len(colors) + 1)):
            given = getattr(self, name)
            if given is None:
                continue
            array = np.array(given, dtype=np.float64)
            if array.shape != (count,) or not np.all(array[1:] > array[:-1]):
                raise InvalidInputError(f"The {name} of the palette do not increase from colour to colour.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def is_classes(self) -> bool:
        """Whether the palette is a list of classes, each with a single colour."""
        return self.edges is not None


def node_palette(positions: Sequence[float], colors: Sequence[Color], name: str, has_values: bool) -> Palette:
    """A continuous palette; nodes at one position are nudged apart, repeated nodes dropped.

    Parameters
    ----------
    positions : sequence of float
        Not decreasing.
    colors : sequence of (red, green, blue)
        0 to 255.
    name : str
        Name of the file, for the errors.
    has_values : bool
        Whether positions are data values.

    Raises
    ------
    InvalidInputError
        For fewer than two colours, or positions that are all the same, run back or are not finite.
    """
    require_several(colors, name)
    at = np.asarray(positions, dtype=np.float64)
    if not np.all(np.isfinite(at)) or np.any(np.diff(at) < 0) or at[0] == at[-1]:
        raise InvalidInputError(
            f"The positions of {name}, {at[0]:g} to {at[-1]:g}, do not run one way.",
            "Sort the lines of the palette by position.",
        )
    kept: list[tuple[float, Color]] = []
    for place, color in zip(at.tolist(), colors, strict=True):
        if not kept or kept[-1] != (place, color):
            kept.append((place, color))
    nudge = NUDGE * (at[-1] - at[0])
    nodes = np.array([place for place, _ in kept])
    for i in range(1, len(nodes)):
        if nodes[i] <= nodes[i - 1]:
            nodes[i] = max(nodes[i - 1] + nudge, np.nextafter(nodes[i - 1], np.inf))
    return Palette(np.array([color for _, color in kept]), nodes, has_values)


def class_palette(
    edges: Sequence[float],
    colors: Sequence[Color],
    name: str,
    has_values: bool,
    labels: Sequence[str] = (),
    positions: Sequence[float] | None = None,
) -> Palette:
    """A palette of classes, standing at the middle of each (an open class is taken as wide as its neighbour).

    Raises
    ------
    InvalidInputError
        For fewer than two classes, or limits that do not increase.
    """
    require_several(colors, name)
    limits = np.asarray(edges, dtype=np.float64)
    if not np.all(limits[1:] > limits[:-1]):
        at = int(np.argmin(limits[1:] > limits[:-1]))
        raise InvalidInputError(
            f"The class limits of {name} do not increase: {limits[at]:g} is followed by {limits[at + 1]:g}.",
            "Give every class its own value.",
        )
    if positions is None:
        closed = limits.copy()
        inner = closed[1:-1]
        width = inner[1] - inner[0] if len(inner) > 1 else 1.0
        closed[0] = closed[0] if np.isfinite(closed[0]) else inner[0] - width
        width = inner[-1] - inner[-2] if len(inner) > 1 else 1.0
        closed[-1] = closed[-1] if np.isfinite(closed[-1]) else inner[-1] + width
        positions = ((closed[1:] + closed[:-1]) / 2).tolist()
    kept = tuple(labels) if len(labels) == len(colors) and any(labels) else ()
    return Palette(np.array(colors), np.array(positions), has_values, limits, labels=kept)


def list_palette(colors: Sequence[Color], name: str) -> Palette:
    """A palette without positions.

    Raises
    ------
    InvalidInputError
        For fewer than two colours.
    """
    require_several(colors, name)
    return Palette(np.array(colors))


def edges_between(values: Sequence[float]) -> list[float]:
    """Limits half-way between single values; the outer ones as far out as the neighbour is near.

    Examples
    --------
    >>> edges_between([1, 2, 6])
    [0.5, 1.5, 4.0, 8.0]
    """
    middle = [(a + b) / 2 for a, b in pairwise(values)]
    return [2 * values[0] - middle[0], *middle, 2 * values[-1] - middle[-1]]


def require_several(colors: Sequence[Color], name: str) -> None:
    """Refuse fewer than two colours.

    Raises
    ------
    InvalidInputError
        For none or one.
    """
    if len(colors) < 2:
        count = f"{len(colors)} colour{'s' * (len(colors) != 1)}"
        raise InvalidInputError(
            f"{name} holds {count}; a palette takes at least 2.", "Give a palette file with two colours or more."
        )


def broken_line(name: str, number: int, text: str, expected: str) -> InvalidInputError:
    """The error for a line that cannot be read: file, line number, text, and what was expected."""
    shown = text.strip()
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return InvalidInputError(f"Line {number} of {name} cannot be read: {shown!r}.", f"Expected: {expected}")


def data_lines(text: str, comments: tuple[str, ...] = ("#",)) -> Iterator[tuple[int, str]]:
    """Numbered lines without blank ones and those that begin with a comment mark."""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith(comments):
            yield number, stripped


def parse_hex(token: str) -> Color | None:
    """``#rgb``, ``#rrggbb``, ``#rrggbbaa``, or the last two without the mark; None for anything else.

    Examples
    --------
    >>> parse_hex("#f80"), parse_hex("ff8800"), parse_hex("red")
    ((255.0, 136.0, 0.0), (255.0, 136.0, 0.0), None)
    """
    found = _HEX.fullmatch(token)
    if not found or (len(found[1]) == 3 and not token.startswith("#")):
        return None
    digits = found[1] if len(found[1]) > 3 else "".join(digit * 2 for digit in found[1])
    red, green, blue = (float(int(digits[i : i + 2], 16)) for i in (0, 2, 4))
    return red, green, blue


def parse_numbers(tokens: Sequence[str]) -> list[float] | None:
    """Finite numbers, or None if one of the tokens is none."""
    try:
        numbers = [float(token) for token in tokens]
    except ValueError:
        return None
    return numbers if all(np.isfinite(numbers)) else None


def require_color(numbers: Sequence[float] | None) -> Color | None:
    """The first three of the numbers as a colour if they lie in 0 to 255, else None."""
    if numbers is None or len(numbers) < 3 or not all(0 <= number <= 255 for number in numbers[:3]):
        return None
    return float(numbers[0]), float(numbers[1]), float(numbers[2])
