"""Pictures cut into blocks of rows and into tiles with a rim, worked on by both cores: NumPy lets go of the lock."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Tile", "cut_rows", "cut_tiles", "do_all"]

_WORKERS = 2

Part = TypeVar("Part")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Tile:
    """A part of a picture, and what around it has an influence on it.

    Parameters
    ----------
    inner : (slice, slice)
        Rows and columns of the picture.
    seen : (slice, slice)
        The same with a rim, as far as the picture goes.
    """

    inner: tuple[slice, slice]
    seen: tuple[slice, slice]

    @property
    def within(self) -> tuple[slice, slice]:
        """Where the part lies in what is seen."""
        rows, cols = (
            slice(inner.start - seen.start, inner.stop - seen.start)
            for inner, seen in zip(self.inner, self.seen, strict=True)
        )
        return rows, cols


def do_all(work: Callable[[Part], Result], parts: Iterable[Part]) -> list[Result]:
    """Do every part, two at a time, and give the results in the order of the parts."""
    parts = list(parts)
    if len(parts) < 2:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(work, parts))


def cut_rows(shape: tuple[int, ...], pixels: int) -> list[slice]:
    """Blocks of whole rows with about so many pixels each.

    Examples
    --------
    >>> cut_rows((5, 100), 200)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    height, width = shape[:2]
    rows = max(pixels // max(width, 1), 1)
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]


def cut_tiles(shape: tuple[int, ...], side: int, rim: int) -> list[Tile]:
    """Tiles of about one size, at most `side` pixels wide and high, that see `rim` pixels around them.

    Examples
    --------
    >>> [tile.inner[1] for tile in cut_tiles((10, 90), 50, 4)]
    [slice(0, 45, None), slice(45, 90, None)]
    >>> cut_tiles((10, 90), 50, 4)[1].seen
    (slice(0, 10, None), slice(41, 90, None))
    """
    height, width = shape[:2]
    return [
        Tile((rows, cols), (_widened(rows, rim, height), _widened(cols, rim, width)))
        for rows in _evenly(height, side)
        for cols in _evenly(width, side)
    ]


def _evenly(length: int, side: int) -> list[slice]:
    parts = max(-(-length // side), 1)
    limits = [length * i // parts for i in range(parts + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(limits)]


def _widened(part: slice, rim: int, length: int) -> slice:
    return slice(max(part.start - rim, 0), min(part.stop + rim, length))
