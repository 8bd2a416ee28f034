"""Other ways from colours to values, to compare with; unmap runs in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

UNMAP = "unmap==0.1.2"

#: Reads the path of an .npz with `pixels` and `colors` (both 0..255) from each line, answers with seconds; what was
#: read goes to the path in `answer`, if that is there.
_WORKER = """
import sys, time, warnings
import numpy as np
from matplotlib.colors import ListedColormap
from unmap import unmap
warnings.simplefilter("ignore")
print("ready", flush=True)
for line in sys.stdin:
    stored = np.load(line.strip())
    pixels, colormap = stored["pixels"] / 255.0, ListedColormap(stored["colors"] / 255.0)
    start = time.perf_counter()
    values = unmap(pixels, cmap=colormap, background="w")
    seconds = time.perf_counter() - start
    if "answer" in stored:
        np.save(str(stored["answer"]), values)
    print(seconds, flush=True)
"""


class Unmap:
    """unmap 0.1.2 in a process that waits to be asked. `reason` says why it cannot be run, if so."""

    def __init__(self, folder: Path) -> None:
        self.reason = ""
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        python = folder / "unmap" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        venv.create(folder / "unmap", with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UNMAP]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            self.reason = f"pip could not install {UNMAP}"
            return
        self._process = subprocess.Popen(
            [str(python), "-c", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self._ask(None) != "ready":
            self.reason = f"{UNMAP} does not start with the packages of today"

    def _ask(self, line: str | None) -> str:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if line is not None:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def seconds(self, stored: Path) -> float:
        """How long it takes for a picture, without reading it and without making it a float picture first."""
        answer = self._ask(str(stored)) if not self.reason else ""
        return float(answer) if answer else float("nan")

    def values(self, pixels: NDArray[np.uint8], colors: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """What it reads from a picture with these 256 colours (0..255), 0 to 1; None if it cannot be run."""
        file, answer = self._folder / "asked.npz", self._folder / "read.npy"
        np.savez(file, pixels=pixels, colors=colors, answer=str(answer))
        return np.load(answer) if np.isfinite(self.seconds(file)) else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate()


def query_tree(pixels: NDArray[np.uint8], colors: NDArray[np.float64]) -> NDArray[np.intp]:
    """Nearest of the colours for every pixel by a search tree."""
    from scipy.spatial import cKDTree

    return cKDTree(colors).query(pixels.reshape(-1, 3))[1]


def quantize(pixels: NDArray[np.uint8], colors: NDArray[np.float64]) -> NDArray[np.integer]:
    """Nearest of the colours for every pixel by comparing with each."""
    from scipy.cluster.vq import vq

    return vq(pixels.reshape(-1, 3).astype(np.float64), colors)[0]
