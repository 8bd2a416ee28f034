"""Pictures of every promised format, made by Pillow or byte by byte, and files that only pretend to be pictures."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile

from geocbar.errors import FileProblemError
from geocbar.files.images import MAX_PIXELS, file_sha256, read_image

ORANGE = (200, 100, 50)
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def rgb() -> Pixels:
    """31 x 47 px, no two quadrants alike, smooth enough for JPEG."""
    y, x = np.mgrid[:31, :47]
    return np.stack([5 * x, 8 * y, 255 - 3 * (x + y)], axis=-1).astype(np.uint8)


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(color_type: int, depth: int, size: tuple[int, int], rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG Pillow would not write: any depth, a colour key, or more pixels announced than stored."""
    header = struct.pack(">IIBBBBB", *size, depth, color_type, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


# Primaries of Adobe RGB (1998) adapted to D50, and its gamma.
WIDE_PRIMARIES = np.array(
    [[0.60974, 0.31111, 0.01947], [0.20528, 0.62567, 0.06087], [0.14919, 0.06322, 0.74457]],
)
WIDE_GAMMA = 2.19921875
SRGB_PRIMARIES = np.array([[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]])


def icc_profile(description: bytes | None, space: bytes = b"RGB ", gamma: float = WIDE_GAMMA) -> bytes:
    """An ICC version 2 display profile; see the specification ICC.1:2001-04."""

    def xyz(place: NDArray[np.float64]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * p) for p in place))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * gamma)) + b"\0\0"
    tags = {b"wtpt": xyz(np.array([0.9642, 1.0, 0.8249])), b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        for letter, primary in zip((b"r", b"g", b"b"), WIDE_PRIMARIES, strict=True):
            tags[letter + b"XYZ"] = xyz(primary)
            tags[letter + b"TRC"] = curve
    if description is not None:
        text = description + b"\0"
        tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = bytearray(128)
    struct.pack_into(">I4xI4s4s4s", header, 0, start + len(body), 0x02400000, b"mntr", space, b"XYZ ")
    header[36:40] = b"acsp"
    struct.pack_into(">3i", header, 68, 63190, 65536, 54061)
    return bytes(header) + table + body


def wide_to_srgb(color: tuple[int, int, int]) -> NDArray[np.float64]:
    """What the wide-gamut profile means in sRGB, by the formulas of IEC 61966-2-1."""
    linear = (np.array(color) / 255) ** WIDE_GAMMA @ WIDE_PRIMARIES @ np.linalg.inv(SRGB_PRIMARIES)
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def write(tmp_path: Path, data: bytes, name: str = "map.png") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


# ---------------------------------------------------------------- lossless formats


LOSSLESS = {
    "png": ("PNG", {}),
    "png interlaced by nobody, but optimized": ("PNG", {"optimize": True}),
    "webp": ("WEBP", {"lossless": True}),
    "bmp": ("BMP", {}),
    "tiff": ("TIFF", {}),
    "tiff lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff packbits": ("TIFF", {"compression": "packbits"}),
}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_pictures_come_back_as_they_were(kind: str, rgb: Pixels, tmp_path: Path) -> None:
    format, options = LOSSLESS[kind]
    data = encode(Image.fromarray(rgb), format, **options)
    picture = read_image(write(tmp_path, data, "no_ending"))
    np.testing.assert_array_equal(picture.pixels, rgb)
    assert (picture.width, picture.height) == (47, 31)
    assert picture.format == format
    assert picture.name == "no_ending"
    assert picture.sha256 == hashlib.sha256(data).hexdigest() == file_sha256(tmp_path / "no_ending")
    assert picture.jpeg is None
    assert picture.notes == ()
    assert picture.pixels.dtype == np.uint8
    assert not picture.pixels.flags.writeable


@pytest.mark.parametrize("format", ["PNG", "GIF", "TIFF", "BMP"])
def test_palette(format: str, rgb: Pixels, tmp_path: Path) -> None:
    indexed = Image.fromarray(rgb).quantize(40)
    picture = read_image(write(tmp_path, encode(indexed, format)))
    np.testing.assert_array_equal(picture.pixels, np.asarray(indexed.convert("RGB")))


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_transparent_palette_entry_is_white(format: str, rgb: Pixels, tmp_path: Path) -> None:
    indexed = Image.fromarray(rgb).quantize(8)
    picture = read_image(write(tmp_path, encode(indexed, format, transparency=3)))
    expected = np.asarray(indexed.convert("RGB")).copy()
    clear = np.asarray(indexed) == 3
    assert 0 < clear.sum() < clear.size
    expected[clear] = 255
    np.testing.assert_array_equal(picture.pixels, expected)


def test_palette_with_one_opacity_an_entry(rgb: Pixels, tmp_path: Path) -> None:
    indexed = Image.fromarray(rgb).quantize(8)
    opacity = np.array([255, 0, 51, 102, 153, 204, 254, 1], np.uint8)
    picture = read_image(write(tmp_path, encode(indexed, "PNG", transparency=opacity.tobytes())))
    share = opacity[np.asarray(indexed)][..., None] / 255
    expected = share * np.asarray(indexed.convert("RGB")) + (1 - share) * 255
    np.testing.assert_allclose(picture.pixels, expected, atol=0.5 + 1e-9)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_semi_transparent_colours_are_laid_on_white(format: str, tmp_path: Path) -> None:
    alpha, color = np.mgrid[:256, :256].astype(np.uint8)
    rgba = np.stack([color, 255 - color, color // 2, alpha], axis=-1)
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    picture = read_image(write(tmp_path, encode(Image.fromarray(rgba), format, **options)))
    share = rgba[..., 3:] / 255
    expected = share * rgba[..., :3] + (1 - share) * 255
    np.testing.assert_allclose(picture.pixels, expected, atol=0.5 + 1e-9)
    np.testing.assert_array_equal(picture.pixels[0], 255)
    np.testing.assert_array_equal(picture.pixels[255], rgba[255, :, :3])


def test_exact_numbers_of_one_semi_transparent_pixel(tmp_path: Path) -> None:
    picture = read_image(write(tmp_path, encode(Image.new("RGBA", (1, 1), (*ORANGE, 128)), "PNG")))
    # 200 * 128/255 + 255 * 127/255 = 227.39, 177.20, 152.10
    assert picture.pixels.tolist() == [[[227, 177, 152]]]


@pytest.mark.parametrize(("mode", "color", "expected"), [("L", 77, 77), ("LA", (100, 128), 177), ("1", 1, 255)])
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_grey(mode: str, color: object, expected: int, format: str, tmp_path: Path) -> None:
    picture = read_image(write(tmp_path, encode(Image.new(mode, (5, 3), color), format)))
    np.testing.assert_array_equal(picture.pixels, np.full((3, 5, 3), expected))


@pytest.mark.parametrize(("depth", "row", "expected"), [(1, 0b01000000, (0, 255)), (2, 0b01110000, (85, 255))])
def test_grey_of_few_bits(depth: int, row: int, expected: tuple[int, int], tmp_path: Path) -> None:
    picture = read_image(write(tmp_path, raw_png(0, depth, (2, 1), bytes([0, row]))))
    assert picture.pixels[0, :, 0].tolist() == list(expected)


def test_sixteen_bit_grey_is_reduced_and_said_so(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 600).round().astype(np.uint16).reshape(20, 30)
    for format in ("PNG", "TIFF"):
        picture = read_image(write(tmp_path, encode(Image.fromarray(deep), format)))
        np.testing.assert_array_equal(picture.pixels[..., 0], np.rint(deep / 257))
        np.testing.assert_array_equal(picture.pixels[..., 0], picture.pixels[..., 2])
        assert "16-bit grey was reduced" in picture.notes[0]


@pytest.mark.parametrize(
    ("color_type", "depth", "row", "key"),
    [
        (2, 8, bytes([1, 2, 3, 9, 9, 9]), (1, 2, 3)),
        (0, 8, bytes([7, 9]), (7,)),
        (0, 16, struct.pack(">2H", 1800, 2313), (1800,)),
        (0, 1, bytes([0b01000000]), (0,)),
    ],
    ids=["rgb", "grey", "16-bit grey", "black and white"],
)
def test_the_png_colour_key_is_white(
    color_type: int, depth: int, row: bytes, key: tuple[int, ...], tmp_path: Path
) -> None:
    extra = png_chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    picture = read_image(write(tmp_path, raw_png(color_type, depth, (2, 1), b"\0" + row, extra)))
    assert picture.pixels[0, 0].tolist() == [255, 255, 255]
    assert picture.pixels[0, 1].tolist() == [255 if depth == 1 else 9] * 3


def test_sixteen_bit_colours_and_grey_with_opacity(tmp_path: Path) -> None:
    row = b"\0" + struct.pack(">3H", *(257 * c for c in ORANGE))
    assert read_image(write(tmp_path, raw_png(2, 16, (1, 1), row))).pixels.tolist() == [[list(ORANGE)]]
    row = b"\0" + struct.pack(">2H", 257 * 100, 257 * 128)
    assert read_image(write(tmp_path, raw_png(4, 16, (1, 1), row))).pixels.tolist() == [[[177] * 3]]


def test_sixteen_bit_colour_tiff(tmp_path: Path) -> None:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    deep = (np.array(ORANGE, np.uint16) * 257)[:, None, None] * np.ones((3, 4, 5), np.uint16)
    path = tmp_path / "deep.tif"
    with pytest.warns(NotGeoreferencedWarning):  # noqa: SIM117
        with rasterio.open(
            path, "w", driver="GTiff", height=4, width=5, count=3, dtype="uint16", photometric="RGB"
        ) as f:
            f.write(deep)
    try:
        assert read_image(path).pixels[2, 3].tolist() == list(ORANGE)
    except FileProblemError as error:
        assert "not a picture that can be read" in error.message  # noqa: PT017


# ---------------------------------------------------------------- JPEG


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}], ids=str)
def test_jpeg(options: dict[str, bool], rgb: Pixels, tmp_path: Path) -> None:
    data = encode(Image.fromarray(rgb), "JPEG", quality=95, subsampling=0, **options)
    picture = read_image(write(tmp_path, data, "map.jpg"))
    assert picture.format == "JPEG"
    assert np.abs(picture.pixels.astype(int) - rgb).max() < 12


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_jpeg_coding_is_read(subsampling: int, rgb: Pixels, tmp_path: Path) -> None:
    luma, chroma = list(range(1, 65)), list(range(101, 165))
    data = encode(Image.fromarray(rgb), "JPEG", subsampling=subsampling, qtables=[luma, chroma])
    coding = read_image(write(tmp_path, data)).jpeg
    assert coding is not None
    assert coding.subsampling == subsampling
    assert len(coding.tables) == 2
    assert sorted(coding.tables[0]) == luma
    assert sorted(coding.tables[1]) == chroma


def test_grey_jpeg_has_one_table_and_no_subsampling(tmp_path: Path) -> None:
    picture = read_image(write(tmp_path, encode(Image.new("L", (20, 10), 90), "JPEG")))
    assert picture.jpeg is not None
    assert (len(picture.jpeg.tables), picture.jpeg.subsampling) == (1, -1)
    assert np.abs(picture.pixels.astype(int) - 90).max() <= 1
    assert picture.pixels.shape == (10, 20, 3)


def test_cmyk_jpeg_as_photoshop_writes_it(tmp_path: Path) -> None:
    """Pillow writes the Adobe marker and inverted inks; read without inverting, this red would be a dark cyan."""
    data = encode(Image.new("CMYK", (24, 16), (0, 200, 200, 30)), "JPEG", quality=95)
    assert b"Adobe" in data[:400]
    picture = read_image(write(tmp_path, data, "map.jpg"))
    red, green, blue = picture.pixels[8, 12].astype(int)
    assert abs(red - 225) < 10
    assert abs(green - 48) < 10
    assert abs(blue - 48) < 10
    assert any("CMYK without a colour profile" in note for note in picture.notes)


def test_mpo_of_a_phone_is_read_as_its_first_jpeg(rgb: Pixels, tmp_path: Path) -> None:
    first = Image.fromarray(rgb)
    data = encode(first, "MPO", save_all=True, append_images=[first.rotate(180)], quality=95, subsampling=0)
    picture = read_image(write(tmp_path, data, "phone.jpg"))
    assert np.abs(picture.pixels.astype(int) - rgb).max() < 12
    assert picture.jpeg is not None
    assert picture.notes == ("The file holds 2 pictures; the first one was read.",)


# ---------------------------------------------------------------- orientation, frames, profiles


UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_exif_orientation(orientation: int, format: str, rgb: Pixels, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format, {})
    picture = read_image(write(tmp_path, encode(Image.fromarray(rgb), format, exif=exif, **options)))
    expected = UPRIGHT[orientation](rgb)
    assert picture.pixels.shape == expected.shape
    assert np.abs(picture.pixels.astype(int) - expected).max() <= (8 if format == "JPEG" else 0)


@pytest.mark.parametrize("format", ["GIF", "TIFF", "PNG", "WEBP"])
def test_first_of_several_pictures(format: str, rgb: Pixels, tmp_path: Path) -> None:
    frames = [Image.fromarray(a).quantize(30) for a in (rgb, rgb[::-1], 255 - rgb)]
    if format != "GIF":
        frames = [frame.convert("RGB") for frame in frames]
    options = {"lossless": True} if format == "WEBP" else {}
    data = encode(frames[0], format, save_all=True, append_images=frames[1:], **options)
    picture = read_image(write(tmp_path, data))
    np.testing.assert_array_equal(picture.pixels, np.asarray(frames[0].convert("RGB")))
    assert picture.notes == ("The file holds 3 pictures; the first one was read.",)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_srgb_profile_changes_nothing(format: str, rgb: Pixels, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {"lossless": True} if format == "WEBP" else {}
    picture = read_image(write(tmp_path, encode(Image.fromarray(rgb), format, icc_profile=profile, **options)))
    np.testing.assert_array_equal(picture.pixels, rgb)
    assert picture.notes == ()


@pytest.mark.parametrize("color", [ORANGE, (0, 0, 0), (255, 255, 255), (128, 128, 128), (90, 180, 120)])
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_wide_gamut_profile_is_applied_and_noted(color: tuple[int, int, int], format: str, tmp_path: Path) -> None:
    data = encode(Image.new("RGB", (3, 2), color), format, icc_profile=icc_profile(b"Wide gamut"))
    picture = read_image(write(tmp_path, data))
    np.testing.assert_allclose(picture.pixels[1, 2], wide_to_srgb(color), atol=1.5)
    assert picture.notes == ("Colours were converted from the profile 'Wide gamut' to sRGB.",)


def test_profile_is_applied_before_transparency_is_laid_on_white(tmp_path: Path) -> None:
    data = encode(Image.new("RGBA", (3, 2), (*ORANGE, 128)), "PNG", icc_profile=icc_profile(b"Wide gamut"))
    pixels = read_image(write(tmp_path, data)).pixels
    np.testing.assert_allclose(pixels[0, 0], (128 * wide_to_srgb(ORANGE) + 127 * 255) / 255, atol=1.5)


@pytest.mark.parametrize("mode", ["P", "L"])
def test_profile_of_a_palette_and_of_a_grey_picture(mode: str, tmp_path: Path) -> None:
    image = Image.new("RGB", (3, 2), (100, 100, 100))
    image = image.quantize(4) if mode == "P" else image.convert("L")
    picture = read_image(write(tmp_path, encode(image, "PNG", icc_profile=icc_profile(b"Wide gamut"))))
    np.testing.assert_allclose(picture.pixels[0, 0], wide_to_srgb((100, 100, 100)), atol=1.5)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_profile(mode: str, tmp_path: Path) -> None:
    data = encode(Image.new(mode, (3, 2), 128 if mode == "L" else (128, 255)), "PNG")
    profile = png_chunk(b"iCCP", b"grey\0\0" + zlib.compress(icc_profile(b"Grey", b"GRAY", gamma=1.0)))
    picture = read_image(write(tmp_path, data[:33] + profile + data[33:]))
    # Linear 128/255 is sRGB 188.
    np.testing.assert_allclose(picture.pixels[0, 0], 188, atol=1.5)
    assert picture.notes == ("Colours were converted from the profile 'Grey' to sRGB.",)


@pytest.mark.parametrize(
    "profile",
    [b"junk" * 50, icc_profile(b"Wide")[:200], icc_profile(b"Grey", b"GRAY")],
    ids=["no profile at all", "cut off", "of a grey picture"],
)
def test_a_profile_that_cannot_be_applied_is_noted(profile: bytes, rgb: Pixels, tmp_path: Path) -> None:
    picture = read_image(write(tmp_path, encode(Image.fromarray(rgb), "PNG", icc_profile=profile)))
    np.testing.assert_array_equal(picture.pixels, rgb)
    assert len(picture.notes) == 1
    assert "could not be applied" in picture.notes[0]
    assert "colours as stored" in picture.notes[0]


def test_a_profile_without_a_name_is_applied_or_noted(tmp_path: Path) -> None:
    data = encode(Image.new("RGB", (3, 2), ORANGE), "PNG", icc_profile=icc_profile(None))
    assert len(read_image(write(tmp_path, data)).notes) == 1


def test_lab_tiff(tmp_path: Path) -> None:
    """L = 128/255 of 100 and no chroma is sRGB 119."""
    picture = read_image(write(tmp_path, encode(Image.new("LAB", (3, 2), (128, 128, 128)), "TIFF"), "map.tif"))
    np.testing.assert_allclose(picture.pixels[0, 0], 119, atol=1.5)


# ---------------------------------------------------------------- files that are refused


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
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
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


KINDS = tuple(sample_files(np.zeros((31, 47, 3), np.uint8)))


@pytest.mark.parametrize("kind", KINDS)
def test_cut_off_files_are_refused_or_whole(kind: str, rgb: Pixels, tmp_path: Path) -> None:
    data = sample_files(rgb)[kind]
    whole = read_image(write(tmp_path, data)).pixels
    cuts = {*range(1, len(data), max(len(data) // 40, 1)), *range(len(data) - 10, len(data))}
    refused = 0
    for cut in sorted(cuts):
        try:
            pixels = read_image(write(tmp_path, data[:cut])).pixels
        except FileProblemError as error:
            refused += 1
            assert "not a picture that can be read" in error.message or "is damaged or cut off" in error.message
            assert error.hint
        else:
            np.testing.assert_array_equal(pixels, whole)
    # Nothing but trailers and later frames may be missing.
    assert refused > 0.4 * len(cuts)
    with pytest.raises(FileProblemError):
        read_image(write(tmp_path, data[: len(data) // 3]))


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bytes_never_raise_anything_else(kind: str, rgb: Pixels, tmp_path: Path) -> None:
    data = sample_files(rgb)[kind]
    rng = np.random.default_rng(20240229)
    outcomes = set()
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(rng.integers(1, 5)):
            broken[rng.integers(min(len(data), 700))] = rng.choice([0, 255, rng.integers(256)])
        try:
            outcomes.add(read_image(write(tmp_path, bytes(broken)), max_pixels=1_000_000).pixels.shape[2])
        except FileProblemError:
            outcomes.add(0)
    assert 0 in outcomes


@pytest.mark.parametrize("tag", [256, 257, 258, 259, 262, 273, 277, 278, 279])
def test_tiff_with_a_tag_missing(tag: int, rgb: Pixels, tmp_path: Path) -> None:
    """Pillow answers a missing size with a TypeError, others with a KeyError or nothing at all."""
    data = bytearray(encode(Image.fromarray(rgb), "TIFF"))
    directory = struct.unpack_from("<I", data, 4)[0]
    places = [directory + 2 + 12 * i for i in range(struct.unpack_from("<H", data, directory)[0])]
    place = next(p for p in places if struct.unpack_from("<H", data, p)[0] == tag)
    struct.pack_into("<H", data, place, 60000)
    try:
        picture = read_image(write(tmp_path, bytes(data), "map.tif"))
    except FileProblemError as error:
        assert error.message.startswith("map.tif")
    else:
        assert picture.pixels.shape == rgb.shape
        assert tag not in (256, 257, 273)


def test_damaged_files_say_what_to_do(rgb: Pixels, tmp_path: Path) -> None:
    data = encode(Image.fromarray(rgb), "JPEG")
    sentence = r"map\.png is damaged or cut off: .+[^.]\.\n  Get the file again from its source\.$"
    with pytest.raises(FileProblemError, match=sentence):
        read_image(write(tmp_path, data[:-200]))


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
    r"  If you trust the file: --max-pixels 1600000000$"
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
    with pytest.raises(FileProblemError, match=r"47 x 31 px .*--max-pixels 1457") as caught:
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
