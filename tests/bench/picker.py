"""How the picker moves an 80 Mpx figure: ``python -m tests.bench.picker``, with a Chromium.

A real headless browser without a graphics card zooms in for three seconds, pans for three, and zooms out for two, as
fast as it will; frames are those of requestAnimationFrame. The time of the processor, of all processes of the browser
and of the server, is counted as well: it tells what the machine does, whatever else runs on it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from geocbar.app.picker.opening import open_picker

sys.path.insert(0, str(Path(__file__).parents[1]))

from browser import Browser

SIZE = (10_400, 7_700)

#: Rows and columns of the crossings of a plate carrée, for five points.
PLACES = [(2000, 2000), (7000, 2000), (2000, 6000), (7000, 6000), (5000, 4000)]

MOVES = """new Promise(done => {
  const v = picker.viewer; let n = 0, worst = 0, t0 = performance.now(), last = t0;
  const step = (now) => {
    n++; worst = Math.max(worst, now - last); last = now;
    const s = (now - t0) / 1000;
    if (s < 3) v.zoom(Math.exp(0.03), 500 + 200 * Math.sin(3 * s), 400);
    else if (s < 6) v.move(25 * Math.cos(2 * s), 14 * Math.sin(3 * s));
    else if (s < 8) v.zoom(Math.exp(-0.04), 480, 400);
    else return done([n, n / s, worst]);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


def draw_large(path: Path) -> None:
    """Colours that change everywhere, and lines."""
    small = np.random.default_rng(1).integers(0, 256, (77, 104, 3), np.uint8)
    pixels = np.asarray(Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC)).copy()
    pixels[::500] = pixels[:, ::500] = 0
    Image.fromarray(pixels).save(path, quality=90)


def family(number: int) -> list[int]:
    """A process and all its children."""
    found = [number]
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(Path(f"/proc/{entry}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == number:
            found += family(int(entry))
    return found


def seconds_of(numbers: list[int]) -> float:
    """Time of the processor that processes have used."""
    ticks = 0
    for number in numbers:
        try:
            fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Draw, open, move, and print what it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "maps"
        folder.mkdir()
        draw_large(folder / "large.jpg")
        began = time.monotonic()
        server = open_picker(folder / "large.jpg", {"colormap": "viridis", "frame": "none"})
        print(f"opened in {time.monotonic() - began:.1f} s")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        session = server.desk.session
        for number, (x, y) in enumerate(PLACES, 1):
            session.act("add", {"x": x, "y": y})
            session.act("locate", {"number": number, "lon": f"{x / 500}", "lat": f"{50 - y / 500}"})
        with Browser(Path(name), 1360, 860) as browser:
            began = time.monotonic()
            browser.open(server.address)
            browser.wait("window.picker?.store.state && picker.viewer.isThere(picker.viewer.levelFor("
                         "picker.viewer.scale * picker.viewer.ratio))", 60)  # fmt: skip
            print(f"seen after {time.monotonic() - began:.1f} s")
            browser.wait("!picker.store.state.fit.comparing && !picker.store.state.reading", 120)
            time.sleep(1)
            processes = family(browser._process.pid)
            before = seconds_of(processes), time.process_time()
            frames, rate, worst = browser.run(MOVES)
            after = seconds_of(processes), time.process_time()
        server.shutdown()
    spent = [1000 * (b - a) / frames for a, b in zip(before, after, strict=True)]
    print(f"{rate:.0f} frames a second, the slowest {worst:.0f} ms")
    print(f"processor: {spent[0]:.1f} ms a frame in the browser, {spent[1]:.1f} ms in the server")


if __name__ == "__main__":
    main()
