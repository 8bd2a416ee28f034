"""When shading is there but cannot be told for certain, a person hears of it."""

from __future__ import annotations

import numpy as np
import pytest

from geocbar.errors import InvalidInputError
from geocbar.value.colormaps import named_colors
from geocbar.value.inversion import invert
from geocbar.value.scale import ColorScale
from geocbar.value.shading_choice import ShadingChoice, close_rivals, hidden_shading, maybe_shaded


def choice(model: str, explained: float, **scores: float) -> ShadingChoice:
    return ShadingChoice(model, scores, "", 1.0, explained, True, "")


def test_a_map_that_cannot_be_plain_is_said_to_be_shaded() -> None:
    sentence = hidden_shading(choice("none", 0.2, none=-12.0, soft=-8.0, overlay=-7.7, gmt=-9.9))
    assert "only 20% of its calm pixels have colours of the scale" in sentence
    assert "overlay, soft fit best" in sentence


@pytest.mark.parametrize(
    "plain",
    [
        choice("none", 0.66, none=-12.0, soft=-8.0),  # most colours are those of the scale
        choice("none", 0.2, none=-9.0, soft=-8.0),  # nothing explains them much better
        choice("none", 0.0),  # too few pixels to say
        choice("soft", 0.2, none=-12.0, soft=-8.0),  # already taken out
    ],
)
def test_no_false_alarm(plain: ShadingChoice) -> None:
    assert hidden_shading(plain) == ""


def test_little_evidence_for_plain_is_a_warning() -> None:
    sentence = maybe_shaded(choice("none", 0.5, none=-10.0, soft=-9.0))
    assert "Only 50% of the map's calm pixels have colours of the scale" in sentence
    assert maybe_shaded(choice("none", 0.66, none=-10.0, soft=-9.0)) == ""
    assert maybe_shaded(choice("soft", 0.2, none=-10.0, soft=-9.0)) == ""


def test_rivals_within_reach_are_named() -> None:
    sentence = close_rivals(choice("overlay", 1.0, none=-12.0, overlay=-7.3, gmt=-7.7, multiply=-9.7))
    assert "Shading by gmt fits nearly as well as overlay" in sentence
    assert close_rivals(choice("overlay", 1.0, none=-12.0, overlay=-7.4, gmt=-9.8)) == ""
    assert close_rivals(choice("none", 1.0)) == ""


def test_a_grey_scale_cannot_tell() -> None:
    grey = ColorScale.from_colors([[0, 0, 0], [255, 255, 255]], vmin=0, vmax=1)
    field = np.add.outer(np.linspace(20, 120, 80), np.linspace(0, 110, 120)).astype(np.uint8)
    notes = invert(np.stack([field] * 3, axis=2), grey).notes
    assert any("grey scale relief shading cannot be told from the data" in note for note in notes)
    colored = named_colors("viridis")
    scale = ColorScale.from_colors(colored.colors, colored.positions, vmin=0, vmax=1)
    assert not any("grey" in note for note in invert(scale.colors_at(field / 255), scale).notes)


def test_a_doubtful_map_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    doubtful = choice("none", 0.1, none=-12.0, soft=-8.0)
    monkeypatch.setattr("geocbar.value.inversion.recognize_shading", lambda *a, **k: doubtful)
    colored = named_colors("viridis")
    scale = ColorScale.from_colors(colored.colors, colored.positions, vmin=0, vmax=1)
    pixels = scale.colors_at(np.linspace(0, 1, 40 * 60).reshape(40, 60))
    with pytest.raises(InvalidInputError, match="seems to be shaded or transparent") as refusal:
        invert(pixels, scale)
    assert "--shading multiply|gmt|soft|overlay" in refusal.value.hint
    assert np.isfinite(invert(pixels, scale, shading="none").values).all()
