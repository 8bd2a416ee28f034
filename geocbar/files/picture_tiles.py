"""A picture as a pyramid of square tiles, so that a viewer need only load what is seen."""

from __future__ import annotations

import io
import threading

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import NotFoundError

__all__ = ["TILE_PX", "TilePyramid"]

#: Side of a tile.
TILE_PX = 512


class TilePyramid:
    """Tiles of a picture, in full size (level 0) and halved again and again until it fits in one tile.

    Tiles are uncompressed (BMP): packing one would take longer than passing it on within a machine. Each level is
    averaged from the one before when it is first asked for; any number of threads may ask.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        Level 0; it is not copied.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._levels = [pixels]
        self._lock = threading.Lock()
        self.count = 1
        longest = max(pixels.shape[:2])
        while longest > TILE_PX << (self.count - 1):
            self.count += 1

    def level(self, number: int) -> NDArray[np.uint8]:
        """The picture, halved `number` times; a last odd row or column is averaged alone.

        Raises
        ------
        NotFoundError
            If there is no such level.
        """
        from PIL import Image

        if not 0 <= number < self.count:
            raise NotFoundError(f"There is no level {number} of the picture.", f"Levels are 0 to {self.count - 1}.")
        with self._lock:
            while len(self._levels) <= number:
                half = Image.fromarray(self._levels[-1]).reduce(2)
                self._levels.append(np.asarray(half))
            return self._levels[number]

    def encoded(self, level: int, column: int, row: int) -> bytes:
        """A tile as BMP; those at the right and lower edge are smaller.

        Raises
        ------
        NotFoundError
            If there is no such tile.
        """
        from PIL import Image

        picture = self.level(level)
        top, left = row * TILE_PX, column * TILE_PX
        if not (0 <= top < picture.shape[0] and 0 <= left < picture.shape[1]):
            raise NotFoundError(
                f"There is no tile {column},{row} at level {level}.", f"The level has {picture.shape[1]} columns."
            )
        part = np.ascontiguousarray(picture[top : top + TILE_PX, left : left + TILE_PX])
        buffer = io.BytesIO()
        Image.fromarray(part).save(buffer, format="BMP")
        return buffer.getvalue()
