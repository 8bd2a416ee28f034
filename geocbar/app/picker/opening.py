"""From the name of a map to a server with a session of it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from geocbar.app.choices import make_recipe
from geocbar.app.picker.requests_answered import Desk
from geocbar.app.picker.saved_files import place_files
from geocbar.app.picker.server import PickerServer
from geocbar.app.picker.session import PickerSession
from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.figure.words import ReadText
from geocbar.recipe import Recipe

__all__ = ["open_picker"]


def open_picker(map_path: Path, choices: dict[str, Any], read: ReadText | None = None, port: int = 0) -> PickerServer:
    """A server with a session of a map; of an earlier session, if its recipe lies beside the map.

    Parameters
    ----------
    map_path : Path
        Picture, PDF file or recipe.
    choices : dict
        Of the recipe.
    read : callable or None
        Reads words in pictures.
    port : int
        0: any free one.

    Returns
    -------
    PickerServer
        Listening, not yet serving.

    Raises
    ------
    GeocbarError
        If the map cannot be read, or the port is taken.
    """
    wanted = choices.get("gcps")
    if wanted is not None and not os.path.exists(wanted):
        raise InvalidInputError(f"There is no file {wanted}.", "Leave out --gcps to begin with none.")
    recipe = make_recipe(map_path, choices)
    saved = place_files(recipe).recipe
    if map_path.suffix.lower() != ".toml" and saved.is_file():
        earlier = Recipe.read(saved)
        if earlier.path(earlier.image).resolve() == recipe.path(recipe.image).resolve():
            absolute = {} if wanted is None else {"gcps": os.path.abspath(wanted)}
            recipe = replace(earlier, **(choices | absolute))
        else:
            raise FileProblemError(
                f"{saved.name} is the recipe of another picture, {Path(earlier.image).name}.",
                "Rename the map or the recipe: the picker saves under the map's name.",
            )
    desk = Desk(PickerSession(recipe, read), read)
    try:
        return PickerServer(desk, port)
    except OSError as error:
        desk.session.close()
        raise FileProblemError(
            f"Port {port} cannot be used: {error.strerror}.", "Leave out --port for any free one."
        ) from error
