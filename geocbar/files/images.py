"""Read pictures of maps: every common format, one kind of array."""

from __future__ import annotations

import hashlib
import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import FileProblemError

if TYPE_CHECKING:
    from PIL import Image as PillowImage

__all__ = ["MAX_PIXELS", "JpegCoding", "Picture", "file_sha256", "pillow_limit_off", "read_image", "write_png"]

#: Pictures with more pixels are refused unless the limit is raised: a small file can unpack to any size.
MAX_PIXELS = 500_000_000

#: The most memory a whole run was seen to take, in bytes a pixel, rounded up.
RUN_BYTES_A_PIXEL = 35

FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "DIB")

#: What Pillow raises for damaged files, besides its own error: broken lengths, tags and tables, each in its own way.
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)

_PILLOW_LIMIT = threading.Lock()


class _NotColorsError(Exception):
    """The file is sound, but what it holds are numbers."""


@dataclass(frozen=True)
class JpegCoding:
    """How a JPEG was packed.

    Parameters
    ----------
    tables : tuple of tuple of int
        Quantization tables in the order of the file, 64 entries each (luma first).
    subsampling : int
        0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0, -1 if unknown.
    """

    tables: tuple[tuple[int, ...], ...]
    subsampling: int


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as geocbar works on it.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        sRGB, upright, transparent parts on white.
    name : str
        File name without folder.
    sha256 : str
        Checksum of the file's bytes.
    format : str
        As Pillow names it: PNG, JPEG, ...
    jpeg : JpegCoding or None
        Only for JPEG files.
    notes : tuple of str
        What had to be done to the picture that a person should know.
    """

    pixels: NDArray[np.uint8]
    name: str = "picture"
    sha256: str = ""
    format: str = ""
    jpeg: JpegCoding | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.pixels.shape[1])


@contextmanager
def pillow_limit_off() -> Iterator[None]:
    """Pillow's own size check off while the header is read; :func:`read_image` checks the size itself."""
    from PIL import Image

    with _PILLOW_LIMIT:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture of a map.

    PNG, JPEG, GIF (first frame), TIFF (first page), WebP and BMP; palette, grey, 16-bit, CMYK and alpha pictures are
    turned to 8-bit sRGB: an embedded ICC profile is applied, the EXIF orientation too, and transparency is laid on
    white.

    Parameters
    ----------
    path : str or Path
    max_pixels : int
        Refuse larger pictures before unpacking them.

    Returns
    -------
    Picture

    Raises
    ------
    FileProblemError
        If the file is missing, empty, truncated, not a picture, or larger than `max_pixels`.
    """
    from PIL import Image, UnidentifiedImageError

    path = Path(path)
    data = _read_bytes(path)
    with pillow_limit_off(), warnings.catch_warnings(record=True) as murmurs:
        warnings.simplefilter("always")
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except (UnidentifiedImageError, *_DAMAGE) as error:
            raise FileProblemError(
                f"{path.name} is not a picture that can be read ({len(data)} bytes).",
                "Give a PNG, JPEG, GIF, TIFF, WebP or BMP file.",
            ) from error
        width, height = image.size
        if width * height > max_pixels:
            raise FileProblemError(
                f"{path.name} would unpack to {width} x {height} px = {width * height / 1e6:.10g} Mpx,"
                f" more than the limit of {max_pixels / 1e6:.10g} Mpx.",
                f"If you trust the file{_memory(width * height)}: --max-pixels {width * height}",
            )
        try:
            image.load()
            jpeg = _jpeg_coding(image)
            rgb, notes = _to_srgb(image)
            if image.format == "TIFF" and any("Truncated" in str(murmur.message) for murmur in murmurs):
                raise ValueError("tags are missing, among them perhaps the colour profile")
        except _NotColorsError as error:
            raise FileProblemError(
                f"{path.name} holds {error}, not colours.",
                "If it is data already, use it as it is; otherwise give the map as it was published.",
            ) from error
        except _DAMAGE as error:
            raise FileProblemError(
                f"{path.name} is damaged or cut off: {_first_line(error)}.",
                "Get the file again from its source.",
            ) from error
    pixels = np.asarray(rgb, dtype=np.uint8)
    pixels.setflags(write=False)
    return Picture(pixels, path.name, hashlib.sha256(data).hexdigest(), str(image.format), jpeg, tuple(notes))


def _memory(pixels: int) -> str:
    """What a run on so many pixels needs, if that is much."""
    needed = pixels * RUN_BYTES_A_PIXEL / 1e9
    return f" and have {needed:.0f} GB of memory" if needed >= 1 else ""


def file_sha256(path: str | Path) -> str:
    """Checksum of a file's bytes.

    Raises
    ------
    FileProblemError
        If the file is missing or cannot be read.
    """
    return hashlib.sha256(_read_bytes(Path(path))).hexdigest()


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileProblemError(f"There is no file {path}.", "Check the path of the map.") from error
    except IsADirectoryError as error:
        raise FileProblemError(f"{path} is a folder, not a picture.", "Give the map's file.") from error
    except OSError as error:
        raise FileProblemError(f"{path} cannot be read: {error.strerror}.", "Check the file's permissions.") from error
    if not data:
        raise FileProblemError(f"{path.name} is empty (0 bytes).", "Get the file again from its source.")
    return data


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")


def _jpeg_coding(image: PillowImage.Image) -> JpegCoding | None:
    if image.format not in ("JPEG", "MPO"):
        return None
    from PIL import JpegImagePlugin

    tables: dict[int, Any] = getattr(image, "quantization", {})
    return JpegCoding(
        tuple(tuple(int(q) for q in tables[key]) for key in sorted(tables)),
        int(JpegImagePlugin.get_sampling(image)),
    )


def _to_srgb(image: PillowImage.Image) -> tuple[PillowImage.Image, list[str]]:
    """Upright 8-bit sRGB on white, and what was done."""
    from PIL import ImageOps

    notes: list[str] = []
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1:
        notes.append(f"The file holds {frames} pictures; the first one was read.")
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _deep_grey_to_8bit(image, notes)
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode in ("1", "L", "RGB") and "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode in ("1", "La", "RGBa"):
        image = image.convert({"1": "L", "La": "LA", "RGBa": "RGBA"}[image.mode])
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if alpha is not None:
        image = image.convert(image.mode.removesuffix("A"))
    if profile:
        image = _apply_profile(image, profile, notes)
    elif image.mode == "CMYK":
        notes.append("CMYK without a colour profile: converted by the plain formula, colours are approximate.")
    if image.mode != "RGB":
        image = image.convert("RGB")
    if alpha is not None:
        image = _on_white(image, alpha)
    return image, notes


def _deep_grey_to_8bit(image: PillowImage.Image, notes: list[str]) -> PillowImage.Image:
    from PIL import Image

    grey = np.asarray(image)
    if grey.dtype.kind == "f":
        raise _NotColorsError("floating-point numbers")
    if int(grey.min(initial=0)) < 0 or int(grey.max(initial=0)) > 65535:
        raise _NotColorsError("integers beyond 16 bits")
    notes.append("16-bit grey was reduced to 8 bits (1/256 of the grey range).")
    reduced = Image.fromarray(((grey.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8))
    key = image.info.get("transparency")
    if isinstance(key, int):
        reduced.putalpha(Image.fromarray(np.where(grey == key, 0, 255).astype(np.uint8)))
    return reduced


def _apply_profile(image: PillowImage.Image, profile: bytes, notes: list[str]) -> PillowImage.Image:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(source).strip()
        if image.mode == "L" and source.profile.xcolor_space.strip() == "RGB":
            image = image.convert("RGB")
        converted = ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        notes.append(f"The embedded colour profile could not be applied ({_first_line(error)}): colours as stored.")
        return image
    if converted is None:
        return image
    if "srgb" not in name.lower():
        notes.append(f"Colours were converted from the profile {name!r} to sRGB.")
        return converted
    return image if image.mode == "RGB" else converted


def _on_white(image: PillowImage.Image, alpha: PillowImage.Image) -> PillowImage.Image:
    from PIL import Image

    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=alpha)
    return white


def write_png(path: str | Path, pixels: NDArray[np.uint8]) -> None:
    """Write a picture without loss.

    Parameters
    ----------
    path : str or Path
    pixels : (h, w, 3) uint8 array

    Raises
    ------
    FileProblemError
        If the file cannot be written.
    """
    from PIL import Image

    try:
        Image.fromarray(np.ascontiguousarray(pixels)).save(path, format="PNG")
    except OSError as error:
        raise FileProblemError(
            f"{Path(path).name} cannot be written: {error.strerror or error}.", "Check the folder and the free space."
        ) from error
