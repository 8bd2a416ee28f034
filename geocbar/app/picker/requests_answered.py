"""What the page may ask for, and the answers: JSON, tiles, lines, the results of a run."""

from __future__ import annotations

import json
import math
import secrets
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np

from geocbar.app.picker.crossings import snap_to_crossing
from geocbar.app.picker.saved_files import free_name, write_atomically
from geocbar.app.picker.session import PickerSession
from geocbar.errors import FileProblemError, InvalidInputError, NotFoundError
from geocbar.figure.words import ReadText
from geocbar.files.coastlines import read_coastlines, read_land
from geocbar.files.images import read_image
from geocbar.files.mask_pictures import encode_mask
from geocbar.recipe import Recipe

__all__ = ["Answer", "Desk"]

#: A request for news is answered after so many seconds at the latest.
PATIENCE_S = 20.0

#: The mask is shown in at most this many pixels on its longer side.
MASK_SIDE = 2048

Query = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """Bytes for the page.

    Parameters
    ----------
    body : bytes
    kind : str
        Content type.
    status : HTTPStatus
    is_result : bool
        Whether it is a page or picture of a run, which is shown apart.
    """

    body: bytes
    kind: str = "application/json"
    status: HTTPStatus = HTTPStatus.OK
    is_result: bool = False

    @classmethod
    def of_json(cls, value: Any, status: HTTPStatus = HTTPStatus.OK) -> Answer:
        """Numbers and strings; NaN becomes null."""
        return cls(json.dumps(_finite(value), allow_nan=False, separators=(",", ":")).encode(), status=status)


class Desk:
    """Answers requests about one session; a dropped picture begins another one.

    Parameters
    ----------
    session : PickerSession
    read : callable or None
        Reads words in pictures.
    """

    def __init__(self, session: PickerSession, read: ReadText | None = None) -> None:
        self.session = session
        self._read = read
        self._tickets: dict[str, PickerSession] = {}
        self._lock = threading.Lock()
        self._gets: dict[str, Callable[[Query], Answer]] = {
            "/api/state": self._state,
            "/api/lines": lambda query: Answer.of_json(self.session.lines),
            "/api/land": lambda query: Answer(_land()),
            "/api/coast": self._coast,
            "/api/tile": self._tile,
            "/api/probe": lambda query: Answer.of_json(self.session.probe(_number(query, "x"), _number(query, "y"))),
            "/api/snap": self._snap,
            "/api/mask": self._mask,
        }

    def get(self, path: str, query: Query) -> Answer:
        """Answer a GET.

        Raises
        ------
        GeocbarError
            If there is no such thing.
        """
        if path not in self._gets:
            raise NotFoundError("There is no such page.", "")
        return self._gets[path](query)

    def post(self, path: str, details: Mapping[str, Any]) -> Answer:
        """Answer a POST.

        Raises
        ------
        GeocbarError
            If it cannot be done.
        """
        if path == "/api/act":
            name = details.get("do")
            return Answer.of_json(self.session.act(name if isinstance(name, str) else "", details))
        if path == "/api/run":
            return Answer.of_json(self.session.run())
        if path == "/api/ticket":
            return Answer.of_json({"ticket": self._ticket()})
        raise NotFoundError("There is no such page.", "")

    def take_picture(self, name: str, data: bytes) -> Answer:
        """Begin a session with a picture that was dropped on the page; it is put beside the map.

        Raises
        ------
        GeocbarError
            If it is no picture, or cannot be saved.
        """
        with self._lock:
            old = self.session
            if old.run_job.running:
                raise InvalidInputError("A run is on its way.", "Wait for it.")
            path = free_name(old.files.folder, name, data)
            if not path.exists():
                with tempfile.TemporaryDirectory() as folder:
                    trial = Path(folder) / path.name
                    trial.write_bytes(data)
                    read_image(trial)
                write_atomically(path, data)
            recipe = path.with_suffix(".toml")
            earlier = Recipe.read(recipe) if recipe.is_file() else None
            if earlier is not None and earlier.path(earlier.image).resolve() != path.resolve():
                raise FileProblemError(f"{recipe.name} is the recipe of another picture.", f"Rename {path.name}.")
            self.session = PickerSession(earlier or Recipe(image=str(path)), self._read)
            old.close()
            return Answer.of_json({"name": path.name})

    def result(self, path: str) -> Answer:
        """A file of the last run: ``<ticket>/report`` or ``<ticket>/check``.

        Raises
        ------
        NotFoundError
            If the ticket is not known, or there is no such file.
        """
        ticket, _, key = path.partition("/")
        session = self._tickets.get(ticket)
        kinds = {"report": "text/html; charset=utf-8", "check": "image/png"}
        if session is None or key not in kinds or key not in session.run_job.files:
            raise NotFoundError("There is no such page.", "")
        return Answer(session.run_job.files[key].read_bytes(), kinds[key], is_result=True)

    def _ticket(self) -> str:
        """An address of the results nobody can guess: a page in a frame cannot show the token."""
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            self._tickets = {**dict(list(self._tickets.items())[-20:]), ticket: self.session}
        return ticket

    def _state(self, query: Query) -> Answer:
        since = _number(query, "since") if "since" in query else -1
        return Answer.of_json(self.session.state(int(since), PATIENCE_S if "since" in query else 0.0))

    def _coast(self, query: Query) -> Answer:
        west, south, east, north = (_number(query, key) for key in ("w", "s", "e", "n"))
        lines = read_coastlines((west, south, east, north), "10m")
        return Answer.of_json([np.round(line, 4).ravel().tolist() for line in lines])

    def _tile(self, query: Query) -> Answer:
        level, column, row = (int(_number(query, key)) for key in ("level", "column", "row"))
        return Answer(self.session.tiles.encoded(level, column, row), "image/bmp")

    def _snap(self, query: Query) -> Answer:
        x, y = snap_to_crossing(
            self.session.picture.pixels, _number(query, "x"), _number(query, "y"), _number(query, "reach")
        )
        return Answer.of_json({"x": round(x, 2), "y": round(y, 2)})

    def _mask(self, query: Query) -> Answer:
        mask = self.session.mask()
        step = max(1, math.ceil(max(mask.shape) / MASK_SIDE))
        return Answer(encode_mask(mask[::step, ::step], clear=True), "image/png")


def _number(query: Query, key: str) -> float:
    try:
        value = float(query.get(key, ""))
    except ValueError:
        value = math.nan
    if not abs(value) < 1e9:
        raise InvalidInputError(f"{key[:20]} is no number.", "Load the page again.")
    return value


@cache
def _land() -> bytes:
    """Rings of land in hundredths of a degree."""
    rings = [np.rint(ring * 100).astype(int).ravel().tolist() for ring in read_land("50m") if len(ring) > 4]
    return json.dumps(rings, separators=(",", ":")).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
