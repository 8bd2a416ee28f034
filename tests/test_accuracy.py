"""The published accuracy is held on small fresh scenes: what every map of its kind must reach, with room to spare."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from geocbar.value.inversion import Inversion
from geocbar.value.scale import ColorScale
from tests.bench.readings import read_blind, read_scene, score_classes, score_reading
from tests.drawing import Scene, draw_scene, gmt_available

SIZE = (560, 440)
MAPS: dict[str, dict[str, Any]] = {
    "viridis": {"seed": 2001, "plotter": "matplotlib", "cmap": "viridis", "field": "hills"},
    "jet": {"seed": 2002, "plotter": "matplotlib", "cmap": "jet", "field": "topobathy"},
    "gmt": {"seed": 2003, "plotter": "gmt", "cmap": "roma", "field": "smooth"},
    "classes": {
        "seed": 2004,
        "plotter": "matplotlib",
        "cmap": "Spectral",
        "field": "hills",
        "classes": 10,
        "antialias": True,
    },
    "multiply": {
        "seed": 2005,
        "plotter": "matplotlib",
        "cmap": "turbo",
        "field": "hills",
        "shading": "multiply",
        "overlays": ["coast"],
    },
}
PLAIN = ["viridis", "jet", *(["gmt"] if gmt_available() else [])]

# On these small, crowded pictures, means over the maps: RMSE, data kept, overlay more than 5 % off; with filling, RMSE
# of the filled pixels and data with a value.
LIMITS = {
    "PNG": (0.22, 93, 0.3, 1.7, 97),
    "JPEG q90": (0.65, 82, 0.7, 2.4, 94),
    "JPEG q75": (0.8, 74, 0.8, 2.5, 87),
}


@functools.cache
def scene_of(name: str) -> Scene:
    return draw_scene(**({"size": SIZE, "overlays": "all"} | MAPS[name]))


@functools.cache
def reading_of(name: str, stored_as: str) -> tuple[Inversion, ColorScale]:
    return read_scene(scene_of(name), stored_as, fill=0 if name == "classes" else 5)


@pytest.mark.parametrize("stored_as", list(LIMITS))
def test_maps_with_all_overlays(stored_as: str) -> None:
    found = [score_reading(scene_of(name), reading_of(name, stored_as)[0]) for name in PLAIN]

    def mean(figure: str) -> float:
        return float(np.mean([each[figure] for each in found]))

    rmse, kept, off, filled_rmse, filled = LIMITS[stored_as]
    assert mean("rmse_percent") <= rmse
    assert mean("kept_percent") >= kept
    assert mean("overlay_off_percent") <= off
    assert mean("filled_rmse") <= filled_rmse
    assert mean("filled_percent") >= filled


@pytest.mark.parametrize("stored_as", list(LIMITS))
@pytest.mark.parametrize("name", PLAIN)
def test_sigma_covers_the_errors_of_every_map(name: str, stored_as: str) -> None:
    inversion, _ = reading_of(name, stored_as)
    found = score_reading(scene_of(name), inversion)
    assert inversion.shading is not None
    assert inversion.shading.model == "none"
    assert found["within1_percent"] >= 55
    assert found["within2_percent"] >= 88
    assert found["filled2"] >= 65


def test_classes_after_jpeg() -> None:
    inversion, scale = reading_of("classes", "JPEG q75")
    found = score_classes(scene_of("classes"), inversion)
    assert len(scale.values) == 10
    assert found["right"] >= 98
    assert found["within"] >= 98
    assert found["invented"] <= 1.2
    assert found["kept"] >= 95


@pytest.mark.parametrize(("stored_as", "rmse"), [("PNG", 0.7), ("JPEG q90", 1.3)])
def test_shading_is_taken_out(stored_as: str, rmse: float) -> None:
    inversion, _ = reading_of("multiply", stored_as)
    found = score_reading(scene_of("multiply"), inversion)
    assert inversion.shading is not None
    assert inversion.shading.model == "multiply"
    assert found["rmse_percent"] <= rmse
    assert found["kept_percent"] >= 90


def test_colormap_without_a_bar() -> None:
    found = read_blind(scene_of("viridis"), "PNG")
    assert found.name == "viridis"
    assert found.right
    assert found.rmse <= 1
    assert found.kept >= 90


def test_scores_see_a_wrong_value() -> None:
    scene, (inversion, _) = scene_of("viridis"), reading_of("viridis", "PNG")
    shifted = inversion.values + np.float32(0.02 * (scene.vmax - scene.vmin))
    off = score_reading(scene, Inversion(shifted, inversion.sigma, inversion.reason, inversion.distance, 0.0))
    assert off["rmse_percent"] == pytest.approx(2, abs=0.2)
    assert off["within2_percent"] < 10
