"""Pictures of every promised format come back as 8-bit sRGB, upright, on white."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_files import ORANGE, Pixels, encode, icc_profile, png_chunk, raw_png, smooth_picture, wide_to_srgb, write
from PIL import Image, ImageCms

from geocbar.files.images import file_sha256, read_image


@pytest.fixture(scope="module")
def rgb() -> Pixels:
    return smooth_picture()


# ---------------------------------------------------------------- lossless formats


LOSSLESS: dict[str, tuple[str, dict[str, Any]]] = {
    "png": ("PNG", {}),
    "png optimized": ("PNG", {"optimize": True}),
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
def test_grey(mode: str, color: Any, expected: int, format: str, tmp_path: Path) -> None:
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
    profile = {"driver": "GTiff", "height": 4, "width": 5, "count": 3, "dtype": "uint16", "interleave": "pixel"}
    with pytest.warns(NotGeoreferencedWarning), rasterio.open(path, "w", photometric="RGB", **profile) as file:
        file.write(deep)
    assert read_image(path).pixels[2, 3].tolist() == list(ORANGE)


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
    kept: dict[str, dict[str, Any]] = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}
    picture = read_image(write(tmp_path, encode(Image.fromarray(rgb), format, exif=exif, **kept.get(format, {}))))
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
