"""Take the tutorial's pictures of the picker: ``python docs/shoot_picker.py``, with a Chromium.

The clicks are those of the tutorial, made by a real browser; how long they took is printed.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from PIL import Image

from geocbar.app.calls import read_text
from geocbar.app.picker.opening import open_picker

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import Browser  # noqa: E402
from picker_browser import PickerPage  # noqa: E402

IMAGES = ROOT / "docs" / "images"

#: Crossings of the grid, clicked a few pixels beside: (column, line), longitude, latitude.
CLICKS = [
    ((490, 187), "135E", "45N"),
    ((810, 183), "145E", "45N"),
    ((478, 403), "135E", "40N"),
    ((822, 407), "145E", "40N"),
    ((455, 848), "135E", "30N"),
    ((846, 843), "145E", "30N"),
]


def main() -> None:
    """Do what the tutorial says."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "maps"
        place.mkdir()
        shutil.copy(ROOT / "examples" / "japan_trenches" / "map.png", place / "trenches.png")
        server = open_picker(place / "trenches.png", {}, read_text)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Browser(Path(folder), 1280, 900) as browser:
            page = PickerPage(browser, server)
            browser.wait("!picker.store.state.offering", 400)
            session(browser, page)
            assert browser.complaints == []
        server.shutdown()


def session(browser: Browser, page: PickerPage) -> None:
    """Points, bar, mask, run."""
    began = time.monotonic()
    browser.click("#snap")
    for number, (place, lon, lat) in enumerate(CLICKS, 1):
        page.pick(place, lon, lat)
        if number == 1:
            page.hover(place[0] + 2, place[1] - 2)
            shoot(browser, "picker_point")
    browser.wait("picker.store.state.fit.placed && !picker.store.state.fit.comparing", 120)
    time.sleep(1)
    page.hover(560, 560)
    shoot(browser, "picker_fit")
    browser.click("[data-tool=bar]")
    browser.click("#quantity")
    page.type("Elevation")
    page.enter()
    browser.wait("picker.store.state.quantity === 'Elevation'")
    shoot(browser, "picker_bar")
    browser.click("[data-tool=mask]")
    browser.run("(r => { r.value = 70; r.dispatchEvent(new Event('input')); })(document.querySelector('#radius'))")
    browser.drag(page.at(765, 486), (125 * float(browser.run("picker.viewer.scale")), 0.0))
    browser.wait("picker.store.state.masked")
    shoot(browser, "picker_mask")
    print(f"until Run: {time.monotonic() - began:.0f} s")
    browser.click("#run")
    browser.wait("picker.store.state.run.done || picker.store.state.run.message", 300)
    print(browser.run("JSON.stringify(picker.store.state.run)"))
    browser.wait("document.querySelector('#check').naturalWidth > 100")
    print(f"until the files are there: {time.monotonic() - began:.0f} s")
    shoot(browser, "picker_run")
    browser.click("#open-report")
    browser.wait("document.querySelector('#report').open")
    time.sleep(1.5)
    shoot(browser, "picker_report")


def shoot(browser: Browser, name: str) -> None:
    """A small PNG of what is seen."""
    time.sleep(0.8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shot.png"
        browser.screenshot(path)
        image = Image.open(io.BytesIO(path.read_bytes())).convert("RGB")
    image = image.resize((960, round(960 * image.height / image.width)), Image.Resampling.LANCZOS)
    image.quantize(96, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)
    print(name, (IMAGES / f"{name}.png").stat().st_size)


if __name__ == "__main__":
    main()
