"""A run started from the page: digitize, save, report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geocbar.errors import GeocbarError
from geocbar.figure.words import ReadText
from geocbar.recipe import Recipe

if TYPE_CHECKING:
    from geocbar.digitized_map import DigitizedMap

__all__ = ["RunJob"]


class RunJob:
    """At most one run at a time, in a thread of its own.

    Parameters
    ----------
    read : callable or None
        Reads words in pictures.
    on_change : callable
        Called whenever there is news.
    """

    def __init__(self, read: ReadText | None, on_change: Callable[[], None]) -> None:
        self._read, self._on_change = read, on_change
        self.running = False
        self.steps: list[tuple[str, float]] = []
        self.message = self.hint = ""
        self.result: DigitizedMap | None = None
        self.files: dict[str, Path] = {}
        self.of: object = None
        self.seconds = 0.0
        self._since = 0.0
        self._thread: threading.Thread | None = None

    def start(self, recipe: Recipe, out: Path, of: object) -> None:
        """Begin; `of` tells later what was digitized."""
        self.running, self.steps, self.message, self.hint = True, [], "", ""
        self._since = time.monotonic()
        self._thread = threading.Thread(target=self._work, args=(recipe, out, of), name="run", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until the run has ended."""
        if self._thread is not None:
            self._thread.join()

    def describe(self) -> dict[str, Any]:
        """How the run stands, for the page."""
        told: dict[str, Any] = {
            "running": self.running,
            "steps": [[step, round(at, 2)] for step, at in self.steps],
            "message": self.message,
            "hint": self.hint,
            "done": self.result is not None and not self.running and not self.message,
            "seconds": round(self.seconds, 1),
        }
        if told["done"]:
            assert self.result is not None
            told["files"] = {key: path.name for key, path in self.files.items()}
            told["folder"] = next(iter(self.files.values())).parent.name
            told["summary"] = _in_short(self.result)
            told["notes"] = list(self.result.notes)
        return told

    def _step(self, step: str) -> None:
        self.steps = [*self.steps, (step, time.monotonic() - self._since)]
        self._on_change()

    def _work(self, recipe: Recipe, out: Path, of: object) -> None:
        from geocbar.app.report import render_report
        from geocbar.digitization import digitize_recipe
        from geocbar.files.coastlines import read_coastlines

        try:
            result = digitize_recipe(recipe, read=self._read, progress=self._step)
            self.files = result.save(
                out,
                overwrite=True,
                report=lambda made, path: render_report(made, recipe_path=path, coastlines=read_coastlines()),
                progress=self._step,
            )
            self.result, self.of = result, of
        except GeocbarError as error:
            self.message, self.hint = error.message, error.hint
        except Exception as error:
            self.message = f"geocbar stumbled: {type(error).__name__}: {error}."
            self.hint = "This is a bug: please report it, with the picture if you may."
        finally:
            self.running = False
            self.seconds = time.monotonic() - self._since
            self._on_change()


def _in_short(result: DigitizedMap) -> list[str]:
    """The run in a few sentences."""
    s = result.summary()
    unit = f" {s['unit']}" if s["unit"] else ""
    return [
        f"{s['valued_percent']:.1f} % of the map has a value: {s['value_min']:.5g} to {s['value_max']:.5g}{unit}.",
        f"Median sigma {s['sigma_median']:.3g}{unit}, {s['sigma_median_percent']:.2g} % of the range.",
        f"{s['gcps']} points, leave-one-out RMSE {s['left_out_rmse_px']:.2f} px = {s['left_out_rmse_km']:.3g} km.",
        f"{s['raster_width']} x {s['raster_height']} cells, {s['raster_crs']}; {s['points']} points.",
    ]
