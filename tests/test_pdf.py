"""Figures come out of PDF files with their own pixels and with their words in place."""

from __future__ import annotations

import hashlib
import io
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from picture_files import smooth_picture
from PIL import Image, ImageCms

from geocbar.errors import FileProblemError, GeocbarError, InvalidInputError, NotFoundError
from geocbar.figure.words import Word
from geocbar.files.images import read_image
from geocbar.files.pdf import list_figures, read_pdf_figure

PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
SENTENCE = "The quick brown fox jumps over the lazy dog while the rest of the pack looks on in mild surprise."


# ---------------------------------------------------------------- files made by hand


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def stream(data: bytes, entries: str = "") -> bytes:
    packed = zlib.compress(data)
    head = f"<< /Length {len(packed)} /Filter /FlateDecode {entries} >>\nstream\n"
    return head.encode() + packed + b"\nendstream"


def assemble(path: Path, objects: list[bytes], trailer: str = "") -> Path:
    """Objects 1, 2, ... as a PDF file; the first is the catalog."""
    out, places = bytearray(b"%PDF-1.5\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    path.write_bytes(out)
    return path


def fonts(resources: str) -> str:
    return f"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> {resources} >>"


def one_page(path: Path, content: str, resources: str = "", more: tuple[bytes, ...] = (), page: str = "") -> Path:
    """A page of 300 x 200 pt (unless `page` says otherwise); further objects are numbered from 5."""
    box = "" if "/MediaBox" in page else "/MediaBox [0 0 300 200]"
    return assemble(
        path,
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R {box} {page} /Contents 4 0 R {fonts(resources)} >>".encode(),
            stream(content.encode("latin-1")),
            *more,
        ],
    )


def locked(path: Path, password: bytes) -> Path:
    """A page that RC4 with 40 bits locks (PDF 1.7, algorithms 3.2 to 3.4)."""
    padded = (password + PADDING)[:32]
    owner = rc4(hashlib.md5(padded, usedforsecurity=False).digest()[:5], padded)
    identity = b"0123456789abcdef"
    rights = (-4).to_bytes(4, "little", signed=True)
    key = hashlib.md5(padded + owner + rights + identity, usedforsecurity=False).digest()[:5]
    own = hashlib.md5(key + (4).to_bytes(3, "little") + b"\0\0", usedforsecurity=False).digest()[:10]
    content = rc4(own, b"1 0 0 rg 50 50 200 100 re f")
    return assemble(
        path,
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R >>",
            f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream",
            f"<< /Filter /Standard /V 1 /R 2 /O <{owner.hex()}> /U <{rc4(key, PADDING).hex()}> /P -4 >>".encode(),
        ],
        f"/Encrypt 5 0 R /ID [<{identity.hex()}> <{identity.hex()}>]",
    )


def image_object(pixels: np.ndarray, space: str = "/DeviceRGB", more: str = "") -> bytes:
    height, width = pixels.shape[:2]
    entries = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /BitsPerComponent 8 /ColorSpace {space}"
    return stream(pixels.tobytes(), f"{entries} {more}")


# ---------------------------------------------------------------- figures by matplotlib


def map_figure(size: tuple[float, float] = (6.0, 4.0), *, raster: bool = False, flat: bool = False) -> Figure:
    figure = Figure(figsize=size)
    axes = figure.add_subplot()
    x, y = np.meshgrid(np.linspace(-20, 20, 41), np.linspace(30, 50, 31))
    field = np.full(x.shape, 0.5) if flat else np.sin(x / 7) + y / 20
    mesh = axes.pcolormesh(x, y, field, cmap="viridis", rasterized=raster, vmin=-1, vmax=3)
    axes.set_title("Field at depth")
    bar = figure.colorbar(mesh)
    bar.set_label("Speed (m s$^{-1}$)")
    bar.set_ticks([-1, 0, 1, 2, 3])
    figure.subplots_adjust(left=0.1, right=0.95, bottom=0.1, top=0.9)
    return figure


def paper_page(columns: int = 1, figures: int = 2) -> Figure:
    """A page of a paper: running text with figures and their captions."""
    page = Figure(figsize=(8.27, 11.69))
    for number in range(figures):
        top = 0.93 - 0.46 * number
        text = "\n".join([SENTENCE] * 5)
        page.text(0.1, top, text, va="top", fontsize=9)
        axes = page.add_axes((0.15, top - 0.33, 0.6, 0.22))
        mesh = axes.imshow(np.add.outer(np.arange(20.0), np.arange(40.0 * columns)), cmap="turbo", aspect="auto")
        page.colorbar(mesh, cax=page.add_axes((0.78, top - 0.33, 0.02, 0.22)))
        page.text(0.1, top - 0.385, f"Fig. {number + 1}. Something seen in place {number + 1}.", fontsize=9)
    return page


def saved(path: Path, *figures: Figure, **options: Any) -> Path:
    with PdfPages(path) as pages:
        for figure in figures:
            pages.savefig(figure, **options)
    return path


def word(words: tuple[Word, ...], text: str) -> Word:
    found = [w for w in words if w.text == text]
    assert len(found) == 1, (text, [w.text for w in words])
    return found[0]


def ink_box(pixels: np.ndarray, box: Any, pad: int = 4) -> tuple[float, float, float, float]:
    """Edges of dark ink around a box, in pixels."""
    left, top = max(int(box.left) - pad, 0), max(int(box.top) - pad, 0)
    part = pixels[top : int(box.bottom) + pad + 1, left : int(box.right) + pad + 1].max(axis=2) < 128
    rows, cols = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    return left + cols[0], top + rows[0], left + cols[-1] + 1, top + rows[-1] + 1


def test_a_page_that_is_one_figure_is_the_page(tmp_path: Path) -> None:
    path = saved(tmp_path / "map.pdf", map_figure())
    (figure,) = list_figures(path)
    assert (figure.page, figure.number, figure.kind) == (1, 1, "vector")
    assert figure.box_pt == pytest.approx((0, 0, 432, 288), abs=0.5)
    assert 300 <= figure.dpi <= 600
    assert 2e6 <= figure.width_px * figure.height_px <= 6e6
    taken = read_pdf_figure(path, 1)
    assert (taken.picture.width, taken.picture.height) == (figure.width_px, figure.height_px)
    assert taken.picture.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert taken.picture.name == "map.pdf"
    assert "dpi" in taken.picture.notes[0]


@pytest.mark.parametrize("fonttype", [3, 42])
def test_words_lie_where_matplotlib_put_them(tmp_path: Path, fonttype: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    monkeypatch.setitem(mpl.rcParams, "pdf.fonttype", fonttype)
    figure = map_figure((5.37, 3.71))
    path = saved(tmp_path / "map.pdf", figure)
    taken = read_pdf_figure(path, 1, dpi=300)
    scale = 300 / 72
    figure.set_dpi(72)
    figure.draw_without_rendering()
    axes, bar = figure.axes
    checked = 0
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels(), *bar.get_yticklabels(), axes.title):
        label = text.get_text().replace("−", "-")
        extent = text.get_window_extent()
        middle = (extent.x0 + extent.x1) / 2, figure.bbox.height - (extent.y0 + extent.y1) / 2
        near = [w for w in taken.words if w.text == label and abs(w.box.top / scale - middle[1]) < 8]
        near = [w for w in near if abs((w.box.left + w.box.right) / 2 / scale - middle[0]) < 8]
        if label and 0 <= middle[0] <= 386 and near:
            (found,) = near
            assert (found.box.left + found.box.right) / 2 / scale == pytest.approx(middle[0], abs=1.0)
            left, top, right, bottom = ink_box(taken.picture.pixels, found.box)
            assert (found.box.left, found.box.right) == pytest.approx((left, right), abs=1.0)
            assert (found.box.top, found.box.bottom) == pytest.approx((top, bottom), abs=1.0)
            assert found.exact
            assert found.turned == 0
            assert 6 < found.glyph_px / scale < 10
            checked += 1
    assert checked >= 12


def test_minus_signs_powers_and_turned_words(tmp_path: Path) -> None:
    figure = map_figure()
    figure.axes[0].text(0, 40, "$10^{-2}$ and $3\\times10^{4}$", color="w")
    figure.axes[0].text(10, 45, "down", rotation=270)
    taken = read_pdf_figure(saved(tmp_path / "map.pdf", figure), 1)
    turned = word(taken.words, "Speed (m s^-1)")
    assert turned.turned == 90
    assert turned.box.height > 3 * turned.box.width
    assert word(taken.words, "10^-2 and 3×10^4").turned == 0
    assert word(taken.words, "down").turned == 270
    assert {"-20", "-10", "-1"} <= {w.text for w in taken.words}


def test_filled_areas_have_no_seams(tmp_path: Path) -> None:
    figure = map_figure(flat=True)
    taken = read_pdf_figure(saved(tmp_path / "map.pdf", figure), 1)
    scale = taken.dpi / 72
    axes = figure.axes[0].get_position()
    left, right = axes.x0 * 432 * scale + 5, axes.x1 * 432 * scale - 5
    top, bottom = (1 - axes.y1) * 288 * scale + 5, (1 - axes.y0) * 288 * scale - 5
    inner = taken.picture.pixels[int(top) + 1 : int(bottom), int(left) + 1 : int(right)]
    assert (inner == inner[0, 0]).all()


def test_a_raster_in_a_drawing_keeps_its_own_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    colors = rng.integers(0, 256, (90, 140, 3), dtype=np.uint8)
    content = (
        "q 280 0 0 180 10.3 10.7 cm /Im Do Q 0 0 0 RG 2 w 10.3 10.7 280 180 re S BT /F1 9 Tf 40 193 Td (12.5) Tj ET"
    )
    path = one_page(tmp_path / "mixed.pdf", content, "/XObject << /Im 5 0 R >>", (image_object(colors),))
    taken = read_pdf_figure(path, 1)
    assert taken.kind == "vector"
    times = taken.dpi / 36
    assert times == pytest.approx(round(times), abs=1e-6)
    left, top = (10.3 - taken.box_pt[0]) * taken.dpi / 72, (9.3 - taken.box_pt[1]) * taken.dpi / 72
    assert (left, top) == pytest.approx((round(left), round(top)), abs=1e-2)
    step = round(times)
    middle = taken.picture.pixels[round(top) + step // 2 :: step, round(left) + step // 2 :: step][:90, :140]
    assert (middle[2:-2, 2:-2] == colors[2:-2, 2:-2]).all()
    assert word(taken.words, "12.5").exact


def test_rasterized_map_with_vector_bar_is_one_figure(tmp_path: Path) -> None:
    path = saved(tmp_path / "map.pdf", map_figure(raster=True), dpi=700)
    (figure,) = list_figures(path)
    assert figure.kind == "vector"
    assert figure.dpi >= 699
    assert {"-1", "0", "1", "2", "3"} <= {w.text for w in read_pdf_figure(path, 1).words}


def test_two_figures_on_a_page_are_told_apart(tmp_path: Path) -> None:
    path = saved(tmp_path / "paper.pdf", paper_page())
    first, second = list_figures(path)
    assert (first.number, second.number) == (1, 2)
    assert first.caption.startswith("Fig. 1. Something")
    assert second.caption.startswith("Fig. 2.")
    for figure, top in ((first, 0.93), (second, 0.47)):
        box = (0.15 * 595.4, (1 - top + 0.11) * 841.7, 0.8 * 595.4, (1 - top + 0.33) * 841.7)
        assert figure.box_pt[0] < box[0]
        assert figure.box_pt[1] < box[1]
        assert figure.box_pt[2] > box[2]
        assert figure.box_pt[3] > box[3]
        assert figure.box_pt[0] > box[0] - 40
        assert figure.box_pt[1] > box[1] - 12
        assert figure.box_pt[2] < box[2] + 40
        assert figure.box_pt[3] < box[3] + 30
    words = {w.text for w in read_pdf_figure(path, 1, 2).words}
    assert {"0", "10", "20", "30"} <= words
    assert not any("fox" in text for text in words)
    with pytest.raises(InvalidInputError, match=r"Page 1 of paper\.pdf holds 2 figures \(1, vector, .*Fig\. 1.*; 2, v"):
        read_pdf_figure(path, 1)
    with pytest.raises(NotFoundError, match=r"no figure 3 on page 1 of paper\.pdf; there is 1, .*\n.*--figure 1 to 2"):
        read_pdf_figure(path, 1, 3)
    assert read_pdf_figure(path, 1, 0, dpi=72).box_pt == pytest.approx((0, 0, 595, 842), abs=1.5)


def test_figures_side_by_side_have_their_own_captions(tmp_path: Path) -> None:
    page = Figure(figsize=(8.27, 11.69))
    for number, left in enumerate((0.1, 0.54)):
        axes = page.add_axes((left, 0.6, 0.36, 0.25))
        axes.imshow(np.arange(300.0).reshape(15, 20), aspect="auto")
        page.text(left, 0.56, f"Figure {number + 1}: a field of some kind", fontsize=8)
    page.text(0.1, 0.4, "\n".join([SENTENCE] * 6), fontsize=9)
    figures = list_figures(saved(tmp_path / "two.pdf", page))
    assert [figure.caption[:9] for figure in figures] == ["Figure 1:", "Figure 2:"]
    assert figures[0].box_pt[2] < figures[1].box_pt[0] + 5


def test_panels_and_bar_of_one_caption_stay_together(tmp_path: Path) -> None:
    page = Figure(figsize=(8.27, 11.69))
    for left in (0.1, 0.54):
        mesh = page.add_axes((left, 0.6, 0.36, 0.25)).imshow(np.arange(300.0).reshape(15, 20), aspect="auto")
    page.colorbar(mesh, cax=page.add_axes((0.2, 0.55, 0.6, 0.015)), orientation="horizontal")
    page.text(0.1, 0.5, "Fig. 4. Both panels share the bar below them, as is usual.", fontsize=8)
    page.text(0.1, 0.3, "\n".join([SENTENCE] * 6), fontsize=9)
    (figure,) = list_figures(saved(tmp_path / "panels.pdf", page))
    assert figure.caption.startswith("Fig. 4")
    assert figure.box_pt[0] < 60
    assert figure.box_pt[2] > 535
    assert figure.box_pt[3] > 0.45 * 841.7


def test_nested_forms_are_found(tmp_path: Path) -> None:
    form = "/Type /XObject /Subtype /Form /BBox [0 0 1000 1000] /Matrix [0.5 0 0 0.5 0 0]"
    inner = stream(b"1 0 0 rg 0 0 100 100 re f 0 0 1 rg 100 0 100 100 re f", form)
    outer = stream(b"q 2 0 0 2 50 60 cm /In Do Q", f"{form} /Resources << /XObject << /In 5 0 R >> >>")
    text = "".join(f"BT /F1 8 Tf 20 {780 - 12 * k} Td ({SENTENCE}) Tj ET " for k in range(6))
    path = one_page(
        tmp_path / "forms.pdf",
        text + "q 1 0 0 1 100 300 cm /Out Do Q",
        "/XObject << /Out 6 0 R >>",
        (inner, outer),
        "/MediaBox [0 0 595 842]",
    )
    (figure,) = list_figures(path)
    # Inner squares: (100, 100) -> matrix -> 50 -> 2 x + (50, 60) -> matrix -> + (100, 300).
    assert figure.box_pt == pytest.approx((125 - 2, 842 - 380 - 2, 225 + 2, 842 - 330 + 2), abs=1.6)


# ---------------------------------------------------------------- pictures with their own pixels


def test_a_jpeg_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    Image.fromarray(smooth_picture()).resize((331, 203)).save(path, resolution=150, quality=83)
    data = path.read_bytes()
    start = data.index(b"\xff\xd8")
    (tmp_path / "stream.jpg").write_bytes(data[start : data.index(b"\xff\xd9", start) + 2])
    truth = read_image(tmp_path / "stream.jpg")
    taken = read_pdf_figure(path, 1)
    assert taken.kind == "embedded"
    assert taken.dpi == pytest.approx(150, rel=1e-3)
    assert taken.words == ()
    assert (taken.picture.pixels == truth.pixels).all()
    assert taken.picture.jpeg == truth.jpeg is not None
    assert taken.picture.format == "JPEG"
    assert "Page 1 is one picture of 331 x 203 px" in taken.picture.notes[-1]


@pytest.mark.parametrize("how", ["plain", "profile", "inverted"])
def test_a_jpeg_is_taken_as_stored_only_if_the_page_shows_it_so(tmp_path: Path, how: str) -> None:
    packed = io.BytesIO()
    Image.fromarray(smooth_picture()).resize((320, 240)).save(packed, "JPEG", quality=80)
    space = "[/ICCBased 6 0 R]" if how == "profile" else "/DeviceRGB"
    decode = "/Decode [1 0 1 0 1 0]" if how == "inverted" else ""
    head = f"<< /Subtype /Image /Width 320 /Height 240 /BitsPerComponent 8 /ColorSpace {space} {decode} "
    head += f"/Filter /DCTDecode /Length {len(packed.getvalue())} >>\nstream\n"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = one_page(
        tmp_path / "p.pdf",
        "q 200 0 0 150 50 30 cm /Im Do Q BT /F1 8 Tf 50 15 Td (Figure 7. Height of the sea.) Tj ET",
        "/XObject << /Im 5 0 R >>",
        (head.encode() + packed.getvalue() + b"\nendstream", stream(profile, "/N 3")),
    )
    stored = np.asarray(Image.open(packed).convert("RGB")).astype(int)
    taken = read_pdf_figure(path, 1)
    assert taken.kind == "embedded"
    assert (taken.picture.jpeg is not None) == (how != "inverted")
    expected = 255 - stored if how == "inverted" else stored
    assert np.abs(taken.picture.pixels - expected).max() <= (3 if how == "inverted" else 0)


PLACED: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "upright": ("120 0 0 80 61.7 43.3", lambda p: p),
    "upside down": ("120 0 0 -80 61.7 123.3", np.flipud),
    "mirrored": ("-120 0 0 80 181.7 43.3", np.fliplr),
    "turned": ("0 120 -80 0 161.3 43.1", np.rot90),
}


@pytest.mark.parametrize("how", PLACED)
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_lossless_picture_keeps_every_pixel(tmp_path: Path, how: str, rotation: int) -> None:
    colors = np.random.default_rng(3).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    matrix, expected = PLACED[how]
    path = one_page(
        tmp_path / "p.pdf",
        f"q {matrix} cm /Im Do Q",
        "/XObject << /Im 5 0 R >>",
        (image_object(colors),),
        f"/Rotate {rotation}",
    )
    taken = read_pdf_figure(path, 1)
    assert taken.kind == "embedded"
    assert (taken.picture.pixels == np.rot90(expected(colors), -rotation // 90)).all()


def test_indexed_grey_and_cmyk_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    content, resources = "q 100 0 0 75 50 50 cm /Im Do Q", "/XObject << /Im 5 0 R >>"
    palette = rng.integers(0, 256, (256, 3), dtype=np.uint8)
    index = rng.integers(0, 256, (75, 100), dtype=np.uint8)
    space = f"[/Indexed /DeviceRGB 255 <{palette.tobytes().hex()}>]"
    path = one_page(tmp_path / "indexed.pdf", content, resources, (image_object(index, space),))
    assert (read_pdf_figure(path, 1).picture.pixels == palette[index]).all()
    path = one_page(tmp_path / "grey.pdf", content, resources, (image_object(index, "/DeviceGray"),))
    assert (read_pdf_figure(path, 1).picture.pixels == index[:, :, None]).all()
    inks = np.zeros((75, 100, 4), dtype=np.uint8)
    inks[:, :50, 1:3] = 255
    path = one_page(tmp_path / "cmyk.pdf", content, resources, (image_object(inks, "/DeviceCMYK"),))
    picture = read_pdf_figure(path, 1).picture
    pixels = picture.pixels
    assert "CMYK" in picture.notes[0]
    assert (pixels[:, 50:] == 255).all()
    assert pixels[5, 5, 0] > 200
    assert pixels[5, 5, 2] < 60


def test_a_soft_mask_shows_as_on_the_page(tmp_path: Path) -> None:
    colors = np.full((75, 100, 3), (200, 0, 0), dtype=np.uint8)
    mask = np.full((75, 100), 255, dtype=np.uint8)
    mask[:, 60:] = 0
    path = one_page(
        tmp_path / "mask.pdf",
        "q 100 0 0 75 50 50 cm /Im Do Q",
        "/XObject << /Im 5 0 R >>",
        (image_object(colors, more="/SMask 6 0 R"), image_object(mask, "/DeviceGray")),
    )
    taken = read_pdf_figure(path, 1)
    assert (taken.picture.pixels[:, :60] == (200, 0, 0)).all()
    assert (taken.picture.pixels[:, 60:] == 255).all()
    assert "as the page shows it" in taken.picture.notes[0]


def test_hidden_text_of_a_scan_is_no_text(tmp_path: Path) -> None:
    colors = np.random.default_rng(5).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    content = "q 300 0 0 200 0 0 cm /Im Do Q " + "".join(
        f"BT 3 Tr /F1 9 Tf 20 {180 - 20 * k} Td (1{k} 2{k} words of a scan) Tj ET " for k in range(8)
    )
    taken = read_pdf_figure(
        one_page(tmp_path / "scan.pdf", content, "/XObject << /Im 5 0 R >>", (image_object(colors),)), 1
    )
    assert taken.words == ()
    assert (taken.picture.pixels == colors).all()


# ---------------------------------------------------------------- text that is hard to trust


def bar_with(labels: str) -> str:
    return f"1 0 0 rg 20 60 200 100 re f 0 g {labels}"


def test_a_minus_drawn_as_a_shape_is_read(tmp_path: Path) -> None:
    form = "/Type /XObject /Subtype /Form /BBox [0 0 1000 1000]"
    minus = stream(b"106 272 m 732 272 l 732 355 l 106 355 l h f", form)
    square = stream(b"100 0 600 700 re f", form)
    labels = (
        "BT /F1 10 Tf 38.4 40 Td (10) Tj ET q 0.01 0 0 0.01 30 40 cm /Minus Do Q "
        "BT /F1 10 Tf 108.4 40 Td (20) Tj ET q 0.01 0 0 0.01 100 40 cm /Square Do Q "
        "BT /F1 10 Tf 168 40 Td (30) Tj ET"
    )
    resources = "/XObject << /Minus 5 0 R /Square 6 0 R >>"
    path = one_page(tmp_path / "minus.pdf", bar_with(labels), resources, (minus, square))
    taken = read_pdf_figure(path, 1)
    assert [w.text for w in taken.words] == ["-10", "30"]
    assert taken.words[0].box.left == pytest.approx(31.06 * taken.dpi / 72, abs=1)
    (unread,) = taken.unread
    assert unread.right == pytest.approx(119 * taken.dpi / 72, abs=5)
    assert "does not tell what 1 piece(s) of text" in taken.picture.notes[-1]


def test_exponents_drawn_apart_from_their_base_are_joined(tmp_path: Path) -> None:
    """As GMT writes them: the text in pieces, all raised ones at the end."""
    labels = (
        "BT /F1 10 Tf 100 40 Td (x 10) Tj ET BT /F1 10 Tf 200 40 Td (mg m) Tj ET "
        "BT /F1 10 Tf 230.6 40 Td (\\)) Tj ET "
        "BT /F1 6 Tf 119.2 43 Td (2) Tj ET BT /F1 6 Tf 225.2 43 Td (-3) Tj ET BT /F1 6 Tf 60 43 Td (7) Tj ET"
    )
    words = read_pdf_figure(one_page(tmp_path / "apart.pdf", bar_with(labels)), 1).words
    assert {w.text for w in words} == {"x 10^2", "mg m^-3)", "7"}


def test_signs_of_formula_fonts(tmp_path: Path) -> None:
    """Computer Modern as matplotlib embeds it calls ring, minus and multiplication sign plus-minus, !, and pound."""
    labels = (
        "BT /F1 10 Tf 60 40 Td (15) Tj /F1 7 Tf 4 Ts (\\261) Tj /F1 10 Tf 0 Ts (E) Tj ET "
        "BT /F1 10 Tf 120 40 Td (\\2415) Tj ET BT /F1 10 Tf 160 40 Td (\\24310) Tj /F1 7 Tf 4 Ts (\\2412) Tj ET"
    )
    named = fonts("").replace("/Helvetica", "/Helvetica /Encoding /WinAnsiEncoding")
    form = stream(bar_with(labels).encode(), f"/Type /XObject /Subtype /Form /BBox [0 0 300 200] {named}")
    path = one_page(tmp_path / "signs.pdf", "/Map Do", "/XObject << /Map 5 0 R >>", (form,))
    assert [w.text for w in read_pdf_figure(path, 1).words] == ["15°E", "-5", "×10^-2"]


def test_cells_of_a_map_inside_a_form_are_no_letters(tmp_path: Path) -> None:
    """A figure placed as a form, the labels of its bar over small cells of the map."""
    cells = " ".join(f"0 {(k % 9) / 9:.2f} 1 rg {20 + 4 * k} 56 4 8 re f" for k in range(40))
    figure = stream(
        f"{cells} 1 0 0 rg 20 70 200 90 re f 0 g BT /F1 8 Tf 60 57 Td (25) Tj ET".encode(),
        f"/Type /XObject /Subtype /Form /BBox [0 0 300 200] {fonts('')}",
    )
    path = one_page(tmp_path / "form.pdf", "q 0.9 0 0 0.9 5 5 cm /Map Do Q", "/XObject << /Map 5 0 R >>", (figure,))
    taken = read_pdf_figure(path, 1)
    assert ([w.text for w in taken.words], taken.unread) == (["25"], ())


@pytest.mark.parametrize(("names", "texts"), [("48 /zero /one /two", ["12"]), ("48 /two /zero /one", [])])
def test_codes_of_drawn_fonts_count_if_their_names_agree(tmp_path: Path, names: str, texts: list[str]) -> None:
    glyph = stream(b"600 0 0 0 600 700 d1 100 0 400 700 re f")
    procs = "<< /zero 6 0 R /one 6 0 R /two 6 0 R >>"
    font = (
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 48 "
        f"/LastChar 50 /Widths [600 600 600] /CharProcs {procs} /Encoding << /Differences [{names}] >> >>"
    )
    box = "/MediaBox [0 0 300 200]"
    page = f"<< /Type /Page /Parent 2 0 R {box} /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
    path = assemble(
        tmp_path / "drawn.pdf",
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            page.encode(),
            stream(bar_with("BT /F1 10 Tf 40 40 Td (12) Tj ET").encode()),
            font.encode(),
            glyph,
        ],
    )
    assert [w.text for w in read_pdf_figure(path, 1).words] == texts


def test_labels_set_apart_are_words_apart(tmp_path: Path) -> None:
    labels = "BT /F1 10 Tf 40 40 Td (10) Tj ET BT /F1 10 Tf 54 40 Td (20) Tj ET BT /F1 10 Tf 90 40 Td (m) Tj ET "
    labels += "BT /F1 10 Tf 101 40 Td (per) Tj ET BT /F1 10 Tf 130 40 Td [(5) -300 (km)] TJ ET"
    words = read_pdf_figure(one_page(tmp_path / "p.pdf", bar_with(labels)), 1).words
    assert [w.text for w in words] == ["10", "20", "m per", "5 km"]


def test_a_cropped_and_turned_page(tmp_path: Path) -> None:
    content = bar_with("BT /F1 12 Tf 60 40 Td (120) Tj ET")
    path = one_page(
        tmp_path / "p.pdf", content, page="/MediaBox [-7 -9 301 211.5] /CropBox [3 4.5 300.4 207] /Rotate 90"
    )
    taken = read_pdf_figure(path, 1)
    assert taken.box_pt == pytest.approx((0, 0, 202.5, 297.4), abs=0.5)
    found = word(taken.words, "120")
    assert found.turned == 270
    assert (found.box.left, found.box.top, found.box.right, found.box.bottom) == pytest.approx(
        ink_box(taken.picture.pixels, found.box), abs=1.3
    )


# ---------------------------------------------------------------- refusals


def test_pages_without_figures(tmp_path: Path) -> None:
    text = Figure(figsize=(8.27, 11.69))
    text.text(0.1, 0.5, "\n".join([SENTENCE] * 20), fontsize=9)
    lines = Figure(figsize=(8.27, 11.69))
    lines.text(0.1, 0.6, "\n".join([SENTENCE] * 5), fontsize=9)
    lines.add_axes((0.1, 0.1, 0.6, 0.3)).plot([1, 3, 2])
    path = saved(tmp_path / "text.pdf", text, Figure(figsize=(4, 3)), lines)
    assert list_figures(path) == []
    with pytest.raises(NotFoundError, match=r"Page 1 of text\.pdf holds text but no figure .*\n.*--figure 0"):
        read_pdf_figure(path, 1)
    with pytest.raises(NotFoundError, match=r"Page 2 of text\.pdf is empty"):
        read_pdf_figure(path, 2)
    with pytest.raises(NotFoundError, match=r"Page 3 of text\.pdf holds text but no figure"):
        read_pdf_figure(path, 3)
    with pytest.raises(NotFoundError, match=r"no page 4 in text\.pdf: it has 3 pages\.\n.*--page 1 to 3"):
        read_pdf_figure(path, 4)
    with pytest.raises(NotFoundError, match=r"no page 0"):
        list_figures(path, 0)


def test_rules_borders_and_tables_are_no_figures(tmp_path: Path) -> None:
    content = "0.5 w 5 5 585 832 re S 40 800 500 1 re f 40 60 500 1 re f "
    content += "".join(f"40 {400 - 20 * k} m 500 {400 - 20 * k} l S " for k in range(10))
    content += "".join(f"{40 + 92 * k} 220 m {40 + 92 * k} 400 l S " for k in range(6))
    content += "".join(f"BT /F1 9 Tf {50 + 92 * (k % 5)} {386 - 20 * (k // 5)} Td (4{k}) Tj ET " for k in range(45))
    assert list_figures(one_page(tmp_path / "table.pdf", content, page="/MediaBox [0 0 595 842]")) == []


def test_locked_files(tmp_path: Path) -> None:
    path = locked(tmp_path / "locked.pdf", b"sesame")
    with pytest.raises(FileProblemError, match=r"locked\.pdf is locked by a password\.\n.*Save a copy"):
        list_figures(path)
    with pytest.raises(FileProblemError, match=r"The password does not open locked\.pdf"):
        list_figures(path, password="Sesame")
    (figure,) = list_figures(path, password="sesame")
    assert figure.box_pt == pytest.approx((0, 0, 300, 200), abs=0.3)
    assert read_pdf_figure(path, 1, password="sesame").picture.pixels.min() == 0


def test_broken_files(tmp_path: Path) -> None:
    good = saved(tmp_path / "good.pdf", map_figure()).read_bytes()
    bad = tmp_path / "bad.pdf"
    cases = {
        "bad.pdf is empty": b"",
        r"bad.pdf is not a PDF: it does not begin with %PDF \(15 bytes\)": b"not a PDF, sure",
        "bad.pdf is cut off: the end mark of a PDF is missing": good[: len(good) // 2],
        "bad.pdf is damaged: its pages cannot be found": b"%PDF-1.4\nnothing\nstartxref\n5\n%%EOF\n",
    }
    for sentence, data in cases.items():
        bad.write_bytes(data)
        with pytest.raises(FileProblemError, match=sentence) as caught:
            list_figures(bad)
        assert caught.value.hint
    with pytest.raises(FileProblemError, match=r"There is no file .*missing\.pdf"):
        list_figures(tmp_path / "missing.pdf")
    with pytest.raises(FileProblemError, match=r"is a folder, not a PDF"):
        list_figures(tmp_path)
    none = assemble(bad, [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"])
    with pytest.raises(FileProblemError, match=r"bad\.pdf (has no pages|is damaged)"):
        list_figures(none)


def test_any_damage_is_told_in_a_sentence(tmp_path: Path) -> None:
    good = saved(tmp_path / "good.pdf", map_figure((2, 1.5))).read_bytes()
    rng = np.random.default_rng(11)
    for _ in range(25):
        data = bytearray(good)
        for place in rng.integers(9, len(good), 60):
            data[place] = rng.integers(0, 256)
        (tmp_path / "bad.pdf").write_bytes(data)
        with suppress(GeocbarError):
            assert read_pdf_figure(tmp_path / "bad.pdf", 1, dpi=50).picture.width > 90


def test_huge_pages_are_limited(tmp_path: Path) -> None:
    path = one_page(tmp_path / "huge.pdf", "1 0 0 rg 500 500 9000 9000 re f", page="/MediaBox [0 0 14400 14400]")
    (figure,) = list_figures(path)
    assert figure.width_px * figure.height_px <= 12_100_000
    with pytest.raises(InvalidInputError, match=r"3600 Mpx, more than the limit of 500 Mpx\.\n.*--dpi 111"):
        read_pdf_figure(path, 1, dpi=300)
    assert read_pdf_figure(path, 1, dpi=7.2).picture.width == 1440
    for dpi in (0.0, -1.0, float("nan")):
        with pytest.raises(InvalidInputError, match=r"dpi is impossible"):
            read_pdf_figure(path, 1, dpi=dpi)


def test_a_paper_is_listed_quickly(tmp_path: Path) -> None:
    import pypdfium2

    pages = [paper_page(figures=2), paper_page(figures=0)]
    pages[1].text(0.1, 0.2, "\n".join([SENTENCE] * 30), fontsize=9)
    with pypdfium2.PdfDocument(saved(tmp_path / "two.pdf", *pages)) as two, pypdfium2.PdfDocument.new() as paper:
        for number in range(30):
            paper.import_pages(two, [0 if number % 3 == 0 else 1])
        paper.save(tmp_path / "paper.pdf")
    start = time.process_time()
    figures = list_figures(tmp_path / "paper.pdf")
    assert time.process_time() - start < 3
    assert [figure.page for figure in figures] == sorted(2 * [*range(1, 31, 3)])
