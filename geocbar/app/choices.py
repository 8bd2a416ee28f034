"""Choices of a person, made a recipe."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from geocbar.recipe import Recipe

__all__ = ["make_recipe"]


def make_recipe(map_path: Path, choices: dict[str, Any]) -> Recipe:
    """The recipe of a picture, or one that is there with other choices in it."""
    if map_path.suffix.lower() == ".toml":
        recipe = Recipe.read(map_path)
        # Paths on the command line are seen from where the user stands, those in the recipe from where it lies.
        given: dict[str, Any] = {key: os.path.abspath(choices[key]) for key in ("gcps", "mask") if key in choices}
        if "colormap" in choices and Path(choices["colormap"]).is_file():
            given["colormap"] = os.path.abspath(choices["colormap"])
        unchecked = {f"{key}_sha256": "" for key in ("gcps", "colormap", "mask") if key in choices}
        return replace(recipe, **(_instead(recipe, choices) | choices | given | unchecked))
    known = {f.name for f in fields(Recipe)}
    return Recipe(image=str(map_path), **{key: value for key, value in choices.items() if key in known})


def _instead(recipe: Recipe, choices: dict[str, Any]) -> dict[str, Any]:
    """What of a recipe is off when another way to say the same is given: a colormap for a bar, ticks for ends."""
    off: dict[str, Any] = {}
    if "colormap" in choices and "colorbar" not in choices:
        off |= {"colorbar": None, "ticks": None}
    if "colorbar" in choices and "colormap" not in choices:
        off |= {"colormap": None, "colormap_sha256": ""}
    if "ticks" in choices:
        off |= {"vmin": None, "vmax": None}
    elif recipe.ticks and ("vmin" in choices or "vmax" in choices):
        off |= {"ticks": None}
    return off
