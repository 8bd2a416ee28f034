"""A session put in words and numbers for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geocbar.app.picker.bar_work import corners_seen, describe_bar
from geocbar.app.picker.placement import describe_placement
from geocbar.files.picture_tiles import TILE_PX
from geocbar.place.gcps import is_geographic

if TYPE_CHECKING:
    from geocbar.app.picker.figure_watch import FigureWatch
    from geocbar.app.picker.session import PickerSession

__all__ = ["describe_session"]


def describe_session(session: PickerSession, can_undo: bool, can_redo: bool, watch: FigureWatch) -> dict[str, Any]:
    """Everything the page shows but the pictures and the lines of the Earth, fit for JSON."""
    work, findings, found = session.work, session.findings, session.findings.found
    fit, judged = describe_placement(session.placement, work)
    recipe = work.recipe
    title = found.completed() if found is not None and recipe.colormap is None else recipe
    points = [
        {"number": p.number, "name": p.name, "x": p.pixel[0], "y": p.pixel[1], "enabled": p.enabled}
        | {"world": None if p.world is None else list(p.world)}
        | {"judged": judged.get(p.number)}
        for p in work.points
    ]
    return {
        "version": session.version,
        "map": {
            "name": session.picture.name,
            "width": session.size[0],
            "height": session.size[1],
            "levels": session.tiles.count,
            "tile": TILE_PX,
            "id": session.picture.sha256[:16],
        },
        "crs": work.crs,
        "degrees": is_geographic(work.crs),
        "points": points,
        "fit": fit | {"asked": recipe.model},
        "lines_version": session.lines_version,
        "bar": describe_bar(work, found),
        "bar_count": 0 if found is None else len(found.reading.bars),
        "scale": recipe.scale,
        "scale_found": title.scale,
        "quantity": recipe.name if recipe.name != "value" else title.name,
        "unit": recipe.unit or title.unit,
        "colormap": recipe.colormap or "",
        "vmin": recipe.vmin,
        "vmax": recipe.vmax,
        "reading": watch.busy,
        "offering": watch.offering,
        "figure_message": findings.message,
        "figure_hint": findings.hint,
        "offered": 0 if findings.offered is None else len(findings.offered),
        "offer_evidence": findings.evidence,
        "frames": _frames(session),
        "frame_said": recipe.frame or "",
        "background": recipe.background.split(),
        "search_background": recipe.search_background,
        "mask_version": session.mask_version,
        "masked": bool(work.strokes) or (recipe.mask is not None and not work.fresh_mask),
        "run": session.run_job.describe(),
        "problem": session.problem,
        "saved": session.saved,
        "files": [session.files.gcps.name, session.files.qgis.name, session.files.recipe.name],
        "can_undo": can_undo,
        "can_redo": can_redo,
    }


def _frames(session: PickerSession) -> list[dict[str, Any]]:
    """The panels, as outlines in the picture as it lies."""
    found = session.findings.found
    if found is None:
        return []
    turned, out = found.reading.turned, []
    for i, frame in enumerate(found.reading.frames):
        box = found.box if i == found.panel and found.box is not None else frame.box
        corners = corners_seen(box, turned)
        if frame.outline is not None and session.work.recipe.frame is None:
            outline = frame.outline if turned is None else turned.to_original(frame.outline)
            corners = np.round(outline, 1).tolist()
        out.append({"corners": corners, "meant": i == found.panel})
    return out
