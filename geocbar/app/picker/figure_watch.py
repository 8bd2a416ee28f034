"""What the figure says of itself, looked up again whenever the hand changes what it depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geocbar.app.picker.hand_work import HandWork
from geocbar.app.picker.latest_job import LatestJob, Outdated
from geocbar.errors import GeocbarError, NotReadError
from geocbar.figure.layout import PixelBox
from geocbar.figure.words import ReadText
from geocbar.figure_reading import FigureReading
from geocbar.inspection import Inspection, inspect_source, judge_reading, read_frame_points
from geocbar.place.gcps import GroundControlPoints
from geocbar.recipe import Recipe
from geocbar.scale_source import read_scale
from geocbar.value.scale import ColorScale

if TYPE_CHECKING:
    from geocbar.app.picker.session import PickerSession

__all__ = ["FigureWatch", "Findings"]


@dataclass(frozen=True, eq=False)
class Findings:
    """What the figure says.

    Parameters
    ----------
    found : Inspection or None
        None until it has been looked at, or if that failed.
    frame : PixelBox or None
        The map's frame in the picture as it lies; None: the whole picture, or not known.
    scale : ColorScale or None
        Colours and values, as soon as both are known.
    message, hint : str
        Why something is missing, and what to do.
    offered : GroundControlPoints or None
        Points read at the frame, if the hand gave none.
    evidence : str
        What speaks for them.
    """

    found: Inspection | None = None
    frame: PixelBox | None = None
    scale: ColorScale | None = None
    message: str = ""
    hint: str = ""
    offered: GroundControlPoints | None = None
    evidence: str = ""


class FigureWatch:
    """Looks at the figure in a thread of its own, whenever a choice that matters has changed."""

    def __init__(self, session: PickerSession, read: ReadText | None, on_failure: Callable[[Exception], None]) -> None:
        self._session, self._read = session, read
        self._job = LatestJob("reading", on_failure)
        self._reading: FigureReading | None = None
        self._reading_of: object = None
        self._scale: tuple[Recipe, ColorScale] | None = None
        self._key: object = None
        self._offer: tuple[GroundControlPoints, str] | None = None
        self._offer_tried = self._at_frame = False

    @property
    def busy(self) -> bool:
        """Whether bar and panels are being looked for."""
        return self._job.busy and not self._at_frame

    @property
    def offering(self) -> bool:
        """Whether the labels at the frame are being read, which takes longer."""
        return self._job.busy and self._at_frame

    def look(self, work: HandWork) -> None:
        """Look again if anything changed that the findings depend on."""
        recipe, reading = work.recipe, self._reading
        key: tuple[object, ...] = (
            *(_figure_key(recipe), recipe.panel, recipe.scale, recipe.vmin, recipe.vmax),
            *(work.said_ticks(), work.ticks is None),
        )
        if reading is not None and len(reading.frames) > 1 and recipe.panel is None:
            key += tuple(point.pixel for point in work.points if point.enabled)  # they tell the panel
        if key != self._key:
            self._key, self._at_frame = key, False
            self._job.submit(lambda outdated: self._look(work, outdated))

    def close(self) -> None:
        """End the thread."""
        self._job.close()

    def _look(self, work: HandWork, outdated: Outdated) -> None:
        try:
            found = self._inspected(work)
        except GeocbarError as error:
            self._session.found(Findings(message=error.message, hint=error.hint))
            return
        findings = Findings(found, self._frame(found), offered=self._offer and self._offer[0])
        if outdated():
            return
        findings = self._with_scale(findings, work)
        self._at_frame = not (work.points or self._offer_tried)
        self._session.found(findings)
        if not self._at_frame:
            return
        self._offer_tried = True
        findings = self._with_offer(findings)
        if not outdated():
            self._session.found(findings)

    def _inspected(self, work: HandWork) -> Inspection:
        recipe, session = work.recipe, self._session
        plain = replace(recipe, vmin=None, vmax=None, ticks=None)
        if self._reading is None or self._reading_of != _figure_key(recipe):
            named = None
            if recipe.colormap:
                limits: dict[str, Any] = {"vmin": 0.0, "vmax": 1.0} if recipe.vmin is None else {}
                named = read_scale(replace(recipe, **limits), session.picture, session.coding, None).scale.colors
            found = inspect_source(plain, session.source, self._read, lossy=session.coding.lossy, map_colors=named)
            self._reading, self._reading_of = found.reading, _figure_key(recipe)
        points = np.array([point.pixel for point in work.points if point.enabled]).reshape(-1, 2)
        return judge_reading(plain, session.source, self._reading, points)

    def _frame(self, found: Inspection) -> PixelBox | None:
        box, turned = found.box, found.reading.turned
        width, height = self._session.size
        if box is None:
            return None
        if turned is None:
            return box.clipped(width, height)
        corners = turned.to_original(box.corners())
        (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return PixelBox(left, top, right, bottom).clipped(width, height)

    def _with_scale(self, findings: Findings, work: HandWork) -> Findings:
        """Also the scale, where the values are said, or read for certain."""
        found, ticks = findings.found, work.said_ticks()
        assert found is not None
        said = replace(work.recipe, ticks=ticks) if work.ticks is not None else work.recipe
        named = said.ticks is not None or (said.vmin is not None and said.vmax is not None)
        if not named and found.doubts:
            return replace(findings, message=" ".join(found.doubts), hint=found.remedy)
        turned, picture = found.reading.turned, self._session.picture
        seen = picture if turned is None else replace(picture, pixels=turned.pixels)
        try:
            complete = said if said.colormap else replace(found, recipe=said).completed()
            if self._scale is None or self._scale[0] != complete:
                self._scale = complete, read_scale(complete, seen, self._session.coding, found.box).scale
            return replace(findings, scale=self._scale[1])
        except GeocbarError as error:
            return replace(findings, message=error.message, hint=error.hint)

    def _with_offer(self, findings: Findings) -> Findings:
        assert findings.found is not None
        try:
            gcps, said = read_frame_points(findings.found, self._read, lossy=self._session.coding.lossy)
        except (NotReadError, GeocbarError):
            return findings
        self._offer = gcps, " ".join(said)
        return replace(findings, offered=gcps, evidence=" ".join(said))


def _figure_key(recipe: Recipe) -> object:
    """What decides over bar and panels."""
    return (recipe.colorbar, recipe.frame, recipe.colormap, recipe.turn)
