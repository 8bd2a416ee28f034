"""Files that only pretend to be pictures of a map: one kind of error, with the sentence to help."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picture_files import Pixels, encode, icc_profile, raw_png, smooth_picture, write
from PIL import Image, ImageFile

from geocbar.errors import FileProblemError
from geocbar.files.images import MAX_PIXELS, file_sha256, read_image


@pytest.fixture(scope="module")
def rgb() -> Pixels:
    return smooth_picture()


def test_missing_file_folder_and_empty_file(tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match=r"There is no file .*nowhere\.png\.\n  Check the path"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(FileProblemError, match=r"is a folder, not a picture\.\n  Give the map's file"):
        read_image(tmp_path)
    with pytest.raises(FileProblemError, match=r"map\.png is empty \(0 bytes\)"):
        read_image(write(tmp_path, b""))
    with pytest.raises(FileProblemError, match="There is no file"):
        file_sha256(tmp_path / "nowhere.png")
    with pytest.raises(FileProblemError, match="cannot be read: Not a directory"):
        read_image(write(tmp_path, b"x") / "below.png")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read every file")
def test_unreadable_file(tmp_path: Path) -> None:
    path = write(tmp_path, b"x")
    path.chmod(0)
    with pytest.raises(FileProblemError, match=r"cannot be read: Permission denied\.\n  Check the file's permissions"):
        read_image(path)


@pytest.mark.parametrize(
    "data",
    [
        b"lon,lat,value\n1,2,3\n",
        b"<svg xmlns='http://www.w3.org/'/>",
        b"%PDF-1.7\n",
        b"\0" * 500,
        b"P6 1 1 255 abc",
    ],
    ids=["text", "svg", "pdf", "zeros", "ppm"],
)
def test_what_is_no_picture(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match=rf"map\.png is not a picture that can be read \({len(data)} bytes\)"):
        read_image(write(tmp_path, data))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(min_size=1, max_size=300),
    magic=st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"BM", b"RIFF\x40\0\0\0WEBP"]
    ),
)
def test_random_bytes(data: bytes, magic: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, magic + data)
    with pytest.raises(FileProblemError):
        read_image(path, max_pixels=1_000_000)


def sample_files(rgb: Pixels) -> dict[str, bytes]:
    image = Image.fromarray(rgb)
    exif = Image.Exif()
    exif[0x0112] = 6
    indexed = image.quantize(30)
    return {
        "png": encode(image, "PNG", icc_profile=icc_profile(b"Wide"), exif=exif),
        "png palette": encode(indexed, "PNG", transparency=2),
        "jpeg": encode(image, "JPEG", icc_profile=icc_profile(b"Wide"), exif=exif),
        "jpeg progressive": encode(image, "JPEG", progressive=True),
        "jpeg cmyk": encode(image.convert("CMYK"), "JPEG"),
        "gif": encode(indexed, "GIF", save_all=True, append_images=[indexed.rotate(180)]),
        "tiff": encode(image, "TIFF", exif=exif),
        "tiff lzw": encode(image, "TIFF", compression="tiff_lzw", icc_profile=icc_profile(b"Wide")),
        "webp": encode(image, "WEBP", lossless=True),
        "bmp": encode(image, "BMP"),
    }


def pixels_or_message(path: Path) -> Pixels | str:
    try:
        return read_image(path, max_pixels=1_000_000).pixels
    except FileProblemError as error:
        return error.message


KINDS = tuple(sample_files(np.zeros((31, 47, 3), np.uint8)))


@pytest.mark.parametrize("kind", KINDS)
def test_cut_off_files_are_refused_or_whole(kind: str, rgb: Pixels, tmp_path: Path) -> None:
    data = sample_files(rgb)[kind]
    whole = read_image(write(tmp_path, data)).pixels
    cuts = {*range(1, len(data), max(len(data) // 40, 1)), *range(len(data) - 10, len(data))}
    refused = 0
    for cut in sorted(cuts):
        outcome = pixels_or_message(write(tmp_path, data[:cut]))
        if isinstance(outcome, str):
            refused += 1
            assert "not a picture that can be read" in outcome or "is damaged or cut off" in outcome
        else:
            np.testing.assert_array_equal(outcome, whole)
    # Nothing but trailers and later frames may be missing.
    assert refused > 0.4 * len(cuts)
    with pytest.raises(FileProblemError):
        read_image(write(tmp_path, data[: len(data) // 3]))


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bytes_never_raise_anything_else(kind: str, rgb: Pixels, tmp_path: Path) -> None:
    data = sample_files(rgb)[kind]
    rng = np.random.default_rng(20240229)
    refused = 0
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(rng.integers(1, 5)):
            broken[rng.integers(min(len(data), 700))] = rng.choice([0, 255, int(rng.integers(256))])
        refused += isinstance(pixels_or_message(write(tmp_path, bytes(broken))), str)
    assert refused


@pytest.mark.parametrize("tag", [256, 257, 258, 259, 262, 273, 277, 278, 279])
def test_tiff_with_a_tag_missing(tag: int, rgb: Pixels, tmp_path: Path) -> None:
    """Pillow answers a missing size with a TypeError, others with a KeyError or nothing at all."""
    data = bytearray(encode(Image.fromarray(rgb), "TIFF"))
    directory = struct.unpack_from("<I", data, 4)[0]
    places = [directory + 2 + 12 * i for i in range(struct.unpack_from("<H", data, directory)[0])]
    place = next(p for p in places if struct.unpack_from("<H", data, p)[0] == tag)
    struct.pack_into("<H", data, place, 60000)
    outcome = pixels_or_message(write(tmp_path, bytes(data), "map.tif"))
    if isinstance(outcome, str):
        assert outcome.startswith("map.tif")
    else:
        assert outcome.shape == rgb.shape
        assert tag not in (256, 257, 273)


def test_damaged_files_say_what_to_do(rgb: Pixels, tmp_path: Path) -> None:
    data = encode(Image.fromarray(rgb), "PNG")
    sentence = r"map\.png is damaged or cut off: .+[^.]\.\n  Get the file again from its source\.$"
    with pytest.raises(FileProblemError, match=sentence):
        read_image(write(tmp_path, data[: len(data) // 2]))


@pytest.mark.parametrize(
    ("mode", "value", "numbers"),
    [
        ("F", 1.5, "floating-point numbers"),
        ("I", 70000, "integers beyond 16 bits"),
        ("I", -3, "integers beyond 16 bits"),
    ],
)
def test_numbers_are_not_colours(mode: str, value: float, numbers: str, tmp_path: Path) -> None:
    data = encode(Image.new(mode, (5, 4), value), "TIFF")
    with pytest.raises(FileProblemError, match=rf"dem\.tif holds {numbers}, not colours\.\n  If it is data already"):
        read_image(write(tmp_path, data, "dem.tif"))


# ---------------------------------------------------------------- sizes


BOMB = raw_png(2, 8, (40000, 40000), b"\0")
LIMIT_SENTENCE = (
    r"map\.png would unpack to 40000 x 40000 px = 1600 Mpx, more than the limit of 500 Mpx\.\n"
    r"  If you trust the file and have 56 GB of memory: --max-pixels 1600000000$"
)


def test_a_tiny_file_of_giant_size_is_refused_before_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_unpacking(_: ImageFile.ImageFile) -> None:
        pytest.fail("the picture was unpacked")

    monkeypatch.setattr(ImageFile.ImageFile, "load", no_unpacking)
    assert len(BOMB) < 200
    with pytest.raises(FileProblemError, match=LIMIT_SENTENCE):
        read_image(write(tmp_path, BOMB))


@pytest.mark.parametrize("kind", ["bmp", "gif", "tiff"])
def test_giant_sizes_in_other_formats(kind: str, tmp_path: Path) -> None:
    image = Image.new("P" if kind == "gif" else "RGB", (1, 1))
    data = bytearray(encode(image, kind.upper()))
    if kind == "bmp":
        struct.pack_into("<ii", data, 18, 40000, 40000)
    elif kind == "gif":
        struct.pack_into("<HH", data, 6, 40000, 40000)
    else:
        directory = struct.unpack_from("<I", data, 4)[0]
        for place in range(directory + 2, len(data) - 12, 12):
            if struct.unpack_from("<H", data, place)[0] in (256, 257):
                struct.pack_into("<HHII", data, place, struct.unpack_from("<H", data, place)[0], 4, 1, 40000)
    with pytest.raises(FileProblemError, match=LIMIT_SENTENCE):
        read_image(write(tmp_path, bytes(data)))


def test_the_limit_can_be_set(rgb: Pixels, tmp_path: Path) -> None:
    path = write(tmp_path, encode(Image.fromarray(rgb), "PNG"))
    assert read_image(path, max_pixels=31 * 47).width == 47
    with pytest.raises(
        FileProblemError, match=r"47 x 31 px = 0.001457 Mpx, more than the limit of 0.001456 Mpx"
    ) as caught:
        read_image(path, max_pixels=31 * 47 - 1)
    assert caught.value.hint == "If you trust the file: --max-pixels 1457"
    assert MAX_PIXELS > 89_478_485, "pictures Pillow would warn about are read"


def test_pillows_own_limit_is_as_before(rgb: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert read_image(write(tmp_path, encode(Image.fromarray(rgb), "PNG"))).width == 47
    assert Image.MAX_IMAGE_PIXELS == 100
    for data in (BOMB, b"no picture"):
        with pytest.raises(FileProblemError):
            read_image(write(tmp_path, data))
        assert Image.MAX_IMAGE_PIXELS == 100
