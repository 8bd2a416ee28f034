"""Pages with maps at known places, for the tests of frames."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from geocbar.figure.frames import MapFrame, find_frames
from geocbar.figure.layout import PixelBox

Pixels = NDArray[np.uint8]
WHITE = (255, 255, 255)


def field(width: int, height: int) -> Pixels:
    """Colours of a scale from blue to orange, no two neighbours far apart."""
    y, x = np.mgrid[:height, :width]
    t = 0.5 + 0.25 * np.sin(x / 37 + y / 90) + 0.25 * np.cos(y / 41 - x / 150)
    return np.stack([40 + 190 * t, 90 + 60 * t, 200 - 160 * t], axis=-1).astype(np.uint8)


def on_scale(pixels: Pixels) -> NDArray[np.bool_]:
    """Pixels whose colours lie on that scale."""
    p = pixels.astype(float)
    t = (p[..., 0] - 40) / 190
    off = np.maximum(np.abs(p[..., 1] - 90 - 60 * t), np.abs(p[..., 2] - 200 + 160 * t))
    return (off < 14) & (t > -0.05) & (t < 1.05)


class Page:
    """A white page to draw maps on."""

    def __init__(self, width: int = 800, height: int = 600) -> None:
        self.image = Image.new("RGB", (width, height), "white")
        self.pen = ImageDraw.Draw(self.image)

    def fill(self, left: int, top: int, right: int, bottom: int) -> None:
        self.image.paste(Image.fromarray(field(right - left, bottom - top)), (left, top))

    def map(self, left: int, top: int, right: int, bottom: int, line: int = 1, color: str = "black") -> None:
        """A map whose frame's line is `line` px wide, inside the box."""
        self.fill(left, top, right, bottom)
        if line:
            self.pen.rectangle([left, top, right - 1, bottom - 1], outline=color, width=line)

    def labels(self, left: int, top: int, right: int, bottom: int) -> None:
        for x in range(left + 40, right, 90):
            self.pen.line([x, bottom, x, bottom + 5], fill="black")
            self.pen.text((x, bottom + 8), f"{x}E", fill="black", anchor="ma")
        for y in range(top + 40, bottom, 90):
            self.pen.line([left - 5, y, left, y], fill="black")
            self.pen.text((left - 8, y), f"{y}N", fill="black", anchor="rm")
        self.pen.text(((left + right) / 2, top - 20), "Mean annual field", fill="black", anchor="mm")

    def pixels(self, quality: int | None = None) -> Pixels:
        if quality is None:
            return np.array(self.image)
        stream = io.BytesIO()
        self.image.save(stream, "JPEG", quality=quality)
        return np.array(Image.open(stream).convert("RGB"))

    def frames(self, bars: tuple[PixelBox, ...] = (), quality: int | None = None) -> list[MapFrame]:
        pixels = self.pixels(quality)
        return find_frames(pixels, on_scale(pixels), bars=bars, lossy=quality is not None)


def assert_box(frame: MapFrame, box: tuple[float, float, float, float], within: float) -> None:
    found = (frame.box.left, frame.box.top, frame.box.right, frame.box.bottom)
    np.testing.assert_allclose(found, box, atol=within, err_msg=str(frame.notes))


def masked(polygon: NDArray[np.float64], line: bool, scale: int = 1) -> Page:
    """A map cut to a polygon, drawn four times as large and brought down to `scale`."""
    page = Page(3200, 2400)
    corners = [(float(x), float(y)) for x, y in polygon * 4]
    stencil = Image.new("L", (3200, 2400))
    ImageDraw.Draw(stencil).polygon(corners, fill=255)
    page.image.paste(Image.fromarray(field(800, 600)).resize((3200, 2400)), (0, 0), stencil)
    if line:
        page.pen.line([*corners, corners[0], corners[1]], fill="black", width=8, joint="curve")
    page.image = page.image.resize((800 * scale, 600 * scale), Image.Resampling.BOX)
    return page


def shapes() -> dict[str, NDArray[np.float64]]:
    t = np.radians(np.arange(0, 360, 2))
    a = np.radians(np.arange(60, 121, 2))
    fan = np.concatenate([
        np.column_stack([400 + 520 * np.cos(a), -20 + 560 * np.sin(a)]),
        np.column_stack([400 + 220 * np.cos(a[::-1]), -20 + 260 * np.sin(a[::-1])]),
    ])  # fmt: skip
    turn = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    rotated = np.array([[-220, -150], [220, -150], [220, 150], [-220, 150]]) @ turn + [400, 300]
    return {
        "oval": np.column_stack([400 + 340 * np.cos(t), 280 + 170 * np.sin(t)]),
        "disc": np.column_stack([380 + 230 * np.cos(t), 290 + 230 * np.sin(t)]),
        "fan": fan,
        "rotated": rotated,
    }
