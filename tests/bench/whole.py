"""``python -m tests.bench.whole QUALITY``: 100 Mpx inverted with reasons and sigma, in a process of its own."""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from geocbar.value.inversion import Coding, invert
from geocbar.value.requantization import standard_tables

from .hundred import SIDE, draw, peak_bytes
from .performance import scale_of


def main(quality: int | None) -> dict[str, float]:
    pixels = draw(quality)
    coding = Coding() if quality is None else Coding(True, standard_tables(quality), 2)
    start, core_start = time.perf_counter(), time.process_time()
    inversion = invert(pixels, scale_of("jet"), coding=coding, with_distance=False)
    seconds, core = time.perf_counter() - start, time.process_time() - core_start
    output = inversion.values.nbytes + inversion.sigma.nbytes + inversion.reason.nbytes
    return {
        "megapixels": SIDE * SIDE / 1e6,
        "seconds": seconds,
        "core_seconds": core,
        "picture_and_output": pixels.nbytes + output,
        "peak": peak_bytes(),
        "valued": float(np.isfinite(inversion.values).mean()),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]) or None)))
