"""Masks drawn by hand, as PNG: 0 as found, 1 not data, 2 keep."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.files.images import pillow_limit_off
from geocbar.value.hand_masks import AS_FOUND, KEEP, NOT_DATA

__all__ = ["encode_mask", "read_mask"]

#: Colours of the palette, so that any viewer shows what the mask says.
_COLORS = {AS_FOUND: (255, 255, 255), NOT_DATA: (140, 86, 75), KEEP: (23, 190, 207)}


def read_mask(path: str | Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Read a mask.

    Parameters
    ----------
    path : str or Path
        A PNG with a palette or 8-bit grey, whose pixels are the numbers themselves.
    size : (int, int)
        Width and height of the picture it belongs to.

    Returns
    -------
    (h, w) uint8 array

    Raises
    ------
    FileProblemError
        If the file is missing or no PNG.
    InvalidInputError
        If it has another size, or is a picture of colours instead of numbers.
    """
    from PIL import Image

    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileProblemError(
            f"The mask {path} cannot be read: {error.strerror}.", "Draw it anew with geocbar pick, or leave it out."
        ) from error
    try:
        with pillow_limit_off(), Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.size != size:
                raise InvalidInputError(
                    f"The mask {path.name} has {image.width} x {image.height} px, the picture {size[0]} x {size[1]}.",
                    "Draw the mask on this picture.",
                )
            if image.mode not in ("P", "L"):
                raise InvalidInputError(
                    f"The mask {path.name} holds colours ({image.mode}), not numbers.",
                    "Save it with a palette: 0 as found, 1 not data, 2 keep.",
                )
            mask = np.array(image, dtype=np.uint8)
    except InvalidInputError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise FileProblemError(
            f"The mask {path.name} is not a PNG that can be read.", "Draw it anew with geocbar pick, or leave it out."
        ) from error
    if mask.max(initial=0) > KEEP:
        raise InvalidInputError(
            f"The mask {path.name} holds the number {int(mask.max())}.",
            "Its pixels are 0 as found, 1 not data, 2 keep.",
        )
    return mask


def encode_mask(mask: NDArray[np.uint8], *, clear: bool = False) -> bytes:
    """A mask as a PNG of few colours.

    Parameters
    ----------
    mask : (h, w) uint8 array
        0, 1 or 2.
    clear : bool
        Whether what is as found is transparent, to lay the mask over the picture.

    Returns
    -------
    bytes
    """
    from PIL import Image

    image = Image.frombytes("P", (mask.shape[1], mask.shape[0]), np.ascontiguousarray(mask).tobytes())
    image.putpalette([channel for code in sorted(_COLORS) for channel in _COLORS[code]])
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", bits=2, **({"transparency": AS_FOUND} if clear else {}))
    return buffer.getvalue()
