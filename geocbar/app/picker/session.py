"""A session of the picker: the work of a hand, what follows from it, and the files it is saved in."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from geocbar.app.picker.bar_work import said_box
from geocbar.app.picker.brush import lay_strokes
from geocbar.app.picker.earth_lines import draw_earth
from geocbar.app.picker.figure_watch import FigureWatch, Findings
from geocbar.app.picker.hand_actions import Circumstances, Details, change_work
from geocbar.app.picker.hand_work import HandWork, Stroke
from geocbar.app.picker.latest_job import LatestJob, Outdated
from geocbar.app.picker.placement import Placement, place_fully, place_quickly
from geocbar.app.picker.probe import probe_place, probe_run, probe_value
from geocbar.app.picker.run_job import RunJob
from geocbar.app.picker.saved_files import place_files, without_checksums, write_atomically
from geocbar.app.picker.session_state import describe_session
from geocbar.errors import GeocbarError, InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.figure.words import ReadText
from geocbar.figure_source import read_source
from geocbar.files.gcp_tables import read_gcps, write_gcps, write_points_file
from geocbar.files.mask_pictures import encode_mask, read_mask
from geocbar.files.picture_tiles import TilePyramid
from geocbar.place.local_crs import is_local, short_crs
from geocbar.recipe import Recipe
from geocbar.scale_source import picture_coding, require_same

__all__ = ["PickerSession"]

#: Steps that can be undone.
MOST_STEPS = 300

#: The same change of the same thing within so many seconds is one step.
ONE_STEP_S = 0.8

#: Masks of pictures with more bytes are saved a moment later.
SLOW_MASK = 24_000_000


class PickerSession:
    """One picture being worked on. Every method may be called from any thread.

    Parameters
    ----------
    recipe : Recipe
        Of a picture, or of an earlier session, which goes on.
    read : callable or None
        Reads words in pictures.

    Raises
    ------
    GeocbarError
        If the picture, the recipe or the control points cannot be read.
    """

    def __init__(self, recipe: Recipe, read: ReadText | None = None) -> None:
        self.files = place_files(recipe)
        recipe = without_checksums(recipe.moved_to(self.files.folder))
        self.source = read_source(recipe)
        self.picture = self.source.picture
        require_same(self.picture.sha256, recipe.image_sha256, self.picture.name)
        self.size = (self.picture.width, self.picture.height)
        self.coding, _ = picture_coding(self.picture)
        self.tiles = TilePyramid(self.picture.pixels)
        threading.Thread(target=self.tiles.level, args=(self.tiles.count - 1,), name="tiles", daemon=True).start()
        self._base_mask = self._read_mask(recipe)
        self.work = _with_saved_points(HandWork(recipe), self.files.gcps)
        self.placement = place_quickly(self.work, self.size, None)
        self.lines: dict[str, Any] = {"coast": [], "graticule": []}
        self.findings = Findings()
        self.problem = ""
        self.saved = ""
        self.mask_version = self.lines_version = self.version = 0
        self._mask_saved = 0
        self._undo: list[HandWork] = []
        self._redo: list[HandWork] = []
        self._last: tuple[object, float] = ("", 0.0)
        self._full = None if self.placement.quick else self.placement.fit
        self._mask_cache: tuple[tuple[tuple[Stroke, ...], bool], np.ndarray] = (((), False), self._base_mask)
        self._change = threading.Condition(threading.RLock())
        self._placing = LatestJob("placing", self._failed)
        self._mask_job = LatestJob("mask", self._failed)
        self._watch = FigureWatch(self, read, self._failed)
        self.run_job = RunJob(read, self._touched)
        self._watch.look(self.work)
        self._place_later()

    # What is told

    def state(self, since: int = -1, seconds: float = 0.0) -> dict[str, Any]:
        """Everything the page shows, as soon as it is newer than `since`, or after so many seconds."""
        with self._change:
            self._change.wait_for(lambda: self.version > since, seconds)
            return describe_session(self, bool(self._undo), bool(self._redo), self._watch)

    def probe(self, x: float, y: float) -> dict[str, Any]:
        """What lies at a place in the picture."""
        with self._change:
            fit, scale = self.placement.fit, self.findings.scale
            result = self.run_job.result if self.run_job.of == self._run_key() else None
        told = probe_run(result, x, y) if result else probe_value(self.picture.pixels, x, y, scale, self.coding)
        return told | probe_place(fit, x, y) | {"from_run": result is not None}

    def mask(self) -> np.ndarray:
        """The mask as it is now."""
        with self._change:
            key = (self.work.strokes, self.work.fresh_mask)
            if self._mask_cache[0] != key:
                (before, fresh), strokes = self._mask_cache[0], self.work.strokes
                if fresh == key[1] and strokes[: len(before)] == before:
                    mask = lay_strokes(self._mask_cache[1], strokes[len(before) :])
                else:
                    base = np.zeros_like(self._base_mask) if self.work.fresh_mask else self._base_mask
                    mask = lay_strokes(base, strokes)
                self._mask_cache = (key, mask)
            return self._mask_cache[1]

    # What is done

    def act(self, name: str, details: Details) -> dict[str, Any]:
        """Do what the page asks, save it, and tell how things stand.

        Raises
        ------
        GeocbarError
            If it cannot be done. Nothing has changed then.
        """
        with self._change:
            if name in ("undo", "redo"):
                self._step(self._undo, self._redo) if name == "undo" else self._step(self._redo, self._undo)
                return self.state()
            seen = Circumstances(self.picture.pixels, self.findings.found, self.findings.offered)
            work = change_work(name, details, self.work, seen)
            if work == self.work:
                return self.state()
            key, now = (name, details.get("number"), details.get("index")), time.monotonic()
            held = name in ("move", "tick_move") and key == self._last[0] and now - self._last[1] < ONE_STEP_S
            if not held:
                self._undo = [*self._undo[-MOST_STEPS:], self.work]
            self._redo, self._last = [], (key, now)
            self._become(work)
            return self.state()

    def run(self) -> dict[str, Any]:
        """Begin to digitize what the files say now.

        Raises
        ------
        InvalidInputError
            If a run is on its way, or there is nothing to place the map by.
        """
        with self._change:
            if self.run_job.running:
                raise InvalidInputError("A run is on its way.", "Wait for it.")
            self._save()
            if self._mask_saved != self.mask_version:
                self._save_mask()
            if self.problem:
                raise InvalidInputError(self.problem, "Nothing is run before it is saved.")
            self.run_job.start(self._run_recipe(), self.files.out, self._run_key())
            return self.state()

    def close(self) -> None:
        """End the threads."""
        self._placing.close()
        self._mask_job.close()
        self._watch.close()

    # What follows

    def found(self, findings: Findings) -> None:
        """Take what the figure says; called by the watch."""
        with self._change:
            moved = findings.frame != self.findings.frame
            self.findings = findings
            if moved and self.placement.fit is not None:
                self._place_later()
            self._touched()

    def _step(self, back: list[HandWork], forth: list[HandWork]) -> None:
        if not back:
            raise InvalidInputError("There is nothing to go back to.", "")
        forth.append(self.work)
        self._last = ("", 0.0)
        self._become(back.pop())

    def _become(self, work: HandWork) -> None:
        before, self.work = self.work, work
        if (before.strokes, before.fresh_mask) != (work.strokes, work.fresh_mask):
            self.mask_version += 1
        if before.points != work.points or _placed_by(before.recipe) != _placed_by(work.recipe):
            self.placement = place_quickly(work, self.size, self._full)
            self._place_later()
        self._watch.look(work)
        self._save()
        self._touched()

    def _touched(self) -> None:
        with self._change:
            self.version += 1
            self._change.notify_all()

    def _failed(self, error: Exception) -> None:
        with self._change:
            self.problem = str(error) if isinstance(error, GeocbarError) else f"geocbar stumbled: {error!r}"
            self._touched()

    def _place_later(self) -> None:
        """Lines of the Earth by the quick fit, then the full fit with its lines."""
        quick, work = self.placement, self.work
        frame = self.findings.frame or PixelBox(0, 0, *self.size)

        def place(outdated: Outdated) -> None:
            self._draw(quick, work, frame)
            if quick.quick and not outdated():
                full = self._placed_fully(work, quick)
                if not outdated():
                    self._draw(full, work, frame)

        self._placing.submit(place)

    def _placed_fully(self, work: HandWork, quick: Placement) -> Placement:
        """The full fit; the quick one stays, with a note, should that stumble."""
        try:
            return place_fully(work, self.size)
        except Exception as error:
            said = f"The projections could not be compared ({type(error).__name__}: {error}): this is the quick fit."
            return replace(quick, quick=False, notes=(*quick.notes, said))

    def _draw(self, placement: Placement, work: HandWork, frame: PixelBox) -> None:
        none: dict[str, Any] = {"coast": [], "graticule": []}
        lines = none if placement.fit is None else draw_earth(placement.fit, frame)
        with self._change:
            if self.work.points != work.points or self.work.recipe.model != work.recipe.model:
                return
            self.placement, self.lines = placement, lines
            self.lines_version += 1
            if placement.fit is not None and not placement.quick:
                self._full = placement.fit
                self._save_qgis()
            self._touched()

    # Files

    def _said(self) -> Recipe:
        """The recipe with the ticks, and with the files as they are called."""
        work, files = self.work, self.files
        known = work.gcps() is not None
        ticks = work.said_ticks() if work.ticks is not None else work.recipe.ticks
        masked = bool(work.strokes) or (work.recipe.mask is not None and not work.fresh_mask)
        changes: dict[str, Any] = {} if work.recipe.colorbar or not ticks else self._place_of_bar()
        return replace(
            work.recipe,
            image_sha256=self.picture.sha256,
            gcps=files.gcps.name if known else None,
            mask=files.mask.name if masked else None,
            ticks=ticks,
            gcp_crs=None if known else work.recipe.gcp_crs,
            **changes,
        )

    def _place_of_bar(self) -> dict[str, Any]:
        """Ticks are places along a bar: they are worth nothing without its box."""
        box, found = said_box(self.work, self.findings.found), self.findings.found
        if box is None:
            return {}
        turned = None if found is None else found.reading.turned
        text = ",".join(f"{edge:.1f}" for edge in (box.left, box.top, box.right, box.bottom))
        return {"colorbar": text} | ({} if turned is None else {"turn": turned.angle})

    def _run_recipe(self) -> Recipe:
        return replace(self._said(), base=self.files.folder)

    def _run_key(self) -> object:
        return (replace(self.work.recipe, name="", unit=""), self.work.points, self.work.ticks, self.work.strokes)

    def _save(self) -> None:
        """Write what changed; what cannot be written is told, and tried again with the next change."""
        try:
            gcps = self.work.gcps()
            if gcps is not None:
                write_atomically(self.files.gcps, _written(lambda path: write_gcps(path, gcps)))
                self._save_qgis()
            if self._mask_saved != self.mask_version:
                self._mask_job.submit(self._save_mask) if self.picture.pixels.size > SLOW_MASK else self._save_mask()
            write_atomically(self.files.recipe, self._said().to_toml(self.files.recipe).encode())
        except GeocbarError as error:
            self.problem = str(error)
        else:
            self.problem, self.saved = "", time.strftime("%H:%M:%S")

    def _save_mask(self, _: Outdated | None = None) -> None:
        with self._change:
            mask, version = self.mask(), self.mask_version
        write_atomically(self.files.mask, encode_mask(mask))
        self._mask_saved = version

    def _save_qgis(self) -> None:
        gcps, fit = self.work.gcps(), self.placement.fit
        if gcps is None:
            return
        known = fit is not None and len(fit.residuals) == len(gcps)
        residuals = fit.residuals if fit is not None and known else None
        write_atomically(self.files.qgis, _written(lambda path: write_points_file(path, gcps, residuals)))

    def _read_mask(self, recipe: Recipe) -> np.ndarray:
        if recipe.mask is None or not recipe.path(recipe.mask).exists():
            return np.zeros((self.picture.height, self.picture.width), np.uint8)
        return read_mask(recipe.path(recipe.mask), self.size)


def _placed_by(recipe: Recipe) -> object:
    """What of a recipe the fit depends on."""
    return (recipe.model, recipe.gcp_crs, recipe.keep_all)


def _written(write: Any) -> bytes:
    """What a writer of files writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write(path)
        return path.read_bytes()


def _with_saved_points(work: HandWork, path: Path) -> HandWork:
    """The points that a table holds already."""
    said = work.recipe.gcps
    source = work.recipe.path(said) if said else path
    if not os.path.exists(source):
        return work
    gcps = read_gcps(source, work.recipe.gcp_crs)
    if is_local(gcps.crs):
        raise InvalidInputError(
            f"{source.name} holds local coordinates ({short_crs(gcps.crs)}): the picker places maps on Earth.",
            "Mend the table by hand, and use: geocbar run",
        )
    work = work.with_recipe(gcp_crs=None if gcps.crs == "EPSG:4326" else gcps.crs)
    taken: set[str] = set()
    for name, pixel, world, on in zip(gcps.names, gcps.pixels, gcps.world, np.asarray(gcps.enabled), strict=True):
        unique = name if name not in taken else ""
        work = work.with_new_point((float(pixel[0]), float(pixel[1])), (float(world[0]), float(world[1])), unique)
        taken.add(work.points[-1].name)
        if not on:
            work = work.with_point(work.points[-1].number, enabled=False)
    return work
