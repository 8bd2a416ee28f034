"""How near the values come to the truth, what is lost, and what should have been left out: writes docs/accuracy.md."""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from geocbar.errors import GeocbarError
from geocbar.figure.layout import PixelBox
from geocbar.value.inversion import Inversion
from tests.drawing import DATA, Scene, draw_scene, gmt_available, score
from tests.drawing.palettes import palette_colors

from . import rivals
from .accuracy_page import PAGE, Results, Row, write_page
from .readings import read_blind, read_scene, score_classes, score_reading, store

__all__ = ["run"]

JPEGS = ("JPEG q90", "JPEG q75")
SHADINGS = ("multiply", "soft", "overlay", "gmt", "alpha_white", "alpha_grey")


def plotter_of(seed: int) -> str:
    return "gmt" if seed % 2 and gmt_available() else "matplotlib"


def size_of(seed: int) -> tuple[int, int]:
    return (860, 680) if seed % 2 else (800, 660)


def draw(options: dict[str, Any]) -> Scene:
    return draw_scene(**options)


def plain_maps(seeds: Iterable[int] = range(900, 912)) -> Iterator[dict[str, Any]]:
    for seed in seeds:
        overlays = "all" if seed % 3 else "random"
        yield {"seed": seed, "plotter": plotter_of(seed), "overlays": overlays, "size": size_of(seed)}


def shaded_maps(seeds: Iterable[int] = range(920, 932)) -> Iterator[dict[str, Any]]:
    for seed in seeds:
        model = SHADINGS[seed % len(SHADINGS)]
        plotter = "gmt" if model == "gmt" else "matplotlib"
        if plotter == "matplotlib" or gmt_available():
            yield {"seed": seed, "plotter": plotter, "shading": model, "overlays": "random", "size": (720, 560)}


def class_maps(seeds: Iterable[int] = range(940, 948)) -> Iterator[dict[str, Any]]:
    for seed in seeds:
        count = 8 + (seed * 5) % 13
        overlays = ("none", "all", "random", "all")[seed % 4]
        yield {
            "seed": seed,
            "plotter": plotter_of(seed // 2),
            "classes": count,
            "overlays": overlays,
            "size": size_of(seed),
            "antialias": True,
        }


def blind_maps(seeds: Iterable[int] = range(960, 972)) -> Iterator[dict[str, Any]]:
    for seed in seeds:
        overlays = "none" if seed % 4 < 2 else "all"
        yield {"seed": seed, "plotter": plotter_of(seed), "overlays": overlays, "size": (720, 560)}


def dithered_maps(seeds: Iterable[int] = range(980, 984)) -> Iterator[dict[str, Any]]:
    for seed in seeds:
        yield {"seed": seed, "plotter": plotter_of(seed), "overlays": "random", "size": (720, 560)}


def describe(scene: Scene, stored_as: str) -> Row:
    seed, plotter, shape, colormap = scene.name.split("-")[:4]
    return {"map": f"{int(seed)} {plotter} {shape} {colormap}", "stored_as": stored_as, "refusal": ""}


def attempt(scene: Scene, stored_as: str, figures: Callable[[Inversion], Row], fill: int = 0) -> Row:
    """A row of figures, or of the sentence with which geocbar refused."""
    row = describe(scene, stored_as)
    try:
        inversion, scale = read_scene(scene, stored_as, fill)
    except GeocbarError as error:
        return row | {"refusal": str(error).splitlines()[0], "model": "refused"}
    model = "none" if inversion.shading is None else inversion.shading.model
    return row | figures(inversion) | {"model": model, "classes_read": len(scale.values) if scale.is_classes else 0}


def read_plain(task: tuple[Scene, str]) -> Row:
    scene, stored_as = task
    return attempt(scene, stored_as, lambda inversion: score_reading(scene, inversion), fill=5)


def read_shaded(task: tuple[Scene, str]) -> Row:
    scene, stored_as = task
    row = attempt(scene, stored_as, lambda inversion: score_reading(scene, inversion))
    return row | {"true_model": str(scene.notes["shading"]).replace("_", "-")}


def read_classes(task: tuple[Scene, str]) -> Row:
    scene, stored_as = task
    return attempt(
        scene, stored_as, lambda inversion: score_reading(scene, inversion) | score_classes(scene, inversion)
    )


def read_dithered(task: tuple[Scene, str]) -> Row:
    scene, stored_as = task

    def figures(inversion: Inversion) -> Row:
        return score_reading(scene, inversion) | {"found": any("dithered" in note for note in inversion.notes)}

    return attempt(scene, stored_as, figures)


def read_without_bar(task: tuple[Scene, str]) -> Row:
    scene, stored_as = task
    clean = bool((scene.kind[PixelBox(*scene.frame).slices(*scene.kind.shape[::-1])] == DATA).mean() > 0.97)
    found = read_blind(scene, stored_as)
    return describe(scene, stored_as) | vars(found) | {"true_name": scene.colormap, "clean": clean}


def ask_unmap(unmap: rivals.Unmap, scene: Scene, stored_as: str) -> Row:
    """unmap on the inside of the frame, told the 256 colours and their values at the ends."""
    pixels = store(scene, stored_as)[0].pixels
    window = PixelBox(*scene.frame).slices(pixels.shape[1], pixels.shape[0])
    read = unmap.values(pixels[window], 255 * palette_colors(scene.colormap))
    if read is None:
        return {}
    values = np.full(scene.kind.shape, np.nan)
    values[window] = scene.vmin + (scene.vmax - scene.vmin) * read
    figures = score(scene, values)
    return {f"unmap_{name}": figures[name] for name in ("rmse_percent", "kept_percent", "overlay_off_percent")}


def measure() -> Results:
    results, start = Results(), time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        scenes = list(pool.map(draw, plain_maps()))
        tasks = [(scene, stored_as) for stored_as in ("PNG", *JPEGS) for scene in scenes]
        plain = pool.map(read_plain, tasks)
        shaded = pool.map(draw, shaded_maps())
        stepped = pool.map(draw, class_maps())
        barless = pool.map(draw, blind_maps())
        dithered = pool.map(draw, dithered_maps())
        rivals_rows = []
        with tempfile.TemporaryDirectory() as name, rivals.Unmap(Path(name)) as unmap:
            results.without_unmap = unmap.reason
            rivals_rows = [{} if unmap.reason else ask_unmap(unmap, *task) for task in tasks]
        results.maps = [row | rival for row, rival in zip(plain, rivals_rows, strict=True)]
        results.shaded = list(pool.map(read_shaded, [(s, f) for s in shaded for f in ("PNG", "JPEG q90")]))
        results.classes = list(pool.map(read_classes, [(s, "JPEG q75") for s in stepped]))
        results.blind = list(pool.map(read_without_bar, [(s, f) for s in barless for f in ("PNG", "JPEG q90")]))
        results.dithered = list(pool.map(read_dithered, [(s, "GIF") for s in dithered]))
    results.seconds = time.perf_counter() - start
    return results


def run() -> Path:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = measure()
    write_page(results)
    return PAGE
