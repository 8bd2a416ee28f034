"""Find what the user did not say: the bar, its values, the panel; or say what is missing, never guess."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError, NotReadError
from geocbar.figure.frames import MapFrame
from geocbar.figure.layout import PixelBox
from geocbar.figure.words import ReadText
from geocbar.figure_reading import BarReading, FigureReading, read_figure
from geocbar.figure_source import FigureSource
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.graticule import GraticuleReading, read_graticule
from geocbar.recipe import Recipe
from geocbar.value.bar_doubt import doubt_bar

__all__ = ["Inspection", "inspect_source", "judge_reading", "read_frame_points"]

#: A second bar that explains this part of what the first does, of a panel, may be meant as well.
RIVAL_BAR = 0.8

#: What to do without a place.
POINTS_HINT = "Give control points: --gcps FILE (a CSV with pixel, line, lon, lat)"

#: A panel is meant if it holds this share of the control points.
POINTS_IN_PANEL = 0.6


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was found in a figure, and what is still missing.

    Parameters
    ----------
    recipe : Recipe
        As given.
    source : FigureSource
    reading : FigureReading
    panel : int
        Index of the panel meant in ``reading.frames``; -1 if it is not known.
    doubts : tuple of str
        Sentences that stand against going on; empty if all is known.
    remedy : str
        What to do about the first doubt.
    notes : tuple of str
        What a person should know.
    graticule : GraticuleReading or None
        What was read at the frame, if there were no control points.
    """

    recipe: Recipe
    source: FigureSource
    reading: FigureReading
    panel: int
    doubts: tuple[str, ...] = ()
    remedy: str = ""
    notes: tuple[str, ...] = ()
    graticule: GraticuleReading | None = None

    @property
    def frame(self) -> MapFrame | None:
        """The panel meant."""
        return self.reading.frames[self.panel] if self.panel >= 0 else None

    @property
    def box(self) -> PixelBox | None:
        """The box of that panel as said, or as the recipe will hold it, so that a run and its repetition are alike."""
        if self.frame is None:
            return None
        return PixelBox.parse(self.recipe.frame or _text(self.frame.box))

    @property
    def bar(self) -> BarReading | None:
        """The bar of the panel meant; the best one if no panel is known."""
        if not self.reading.bars:
            return None
        return self.reading.bars[max(self.reading.bar_of[self.panel], 0) if self.panel >= 0 else 0]

    def completed(self) -> Recipe:
        """The recipe with everything that was found and not said."""
        recipe = self.recipe
        found: dict[str, object] = {}
        if self.reading.turned is not None:
            found["turn"] = self.reading.turned.angle
        if self.panel >= 0 and len(self.reading.frames) > 1 and recipe.panel is None:
            found["panel"] = self.panel + 1
        if recipe.frame is None and self.frame is not None and self.frame.kind == "rectangle":
            found["frame"] = _text(self.frame.box)
        if recipe.colormap is None and self.bar is not None:
            found |= _bar_choices(recipe, self.bar)
        return replace(recipe, **found)  # type: ignore[arg-type]

    def require_certain(self) -> None:
        """Refuse to go on with doubts.

        Raises
        ------
        NotReadError
            With this inspection, so that it can be drawn and written.
        """
        if self.doubts:
            raise NotReadError(" ".join(self.doubts), self.remedy, self)

    def lines(self) -> list[str]:
        """What was found, with evidence and doubts, one sentence a line."""
        picture = self.source.picture
        out = [f"{picture.name}: {picture.width} x {picture.height} px"]
        if self.reading.turned is not None:
            out.append(f"turned upright by {self.reading.turned.angle:.2f} degrees: places are in the upright picture")
        for i, panel in enumerate(self.reading.frames):
            chosen = ", the one meant" if i == self.panel and len(self.reading.frames) > 1 else ""
            out.append(f"panel {i + 1}: {panel.kind} {_text(panel.box)}{chosen}")
        for i, bar in enumerate(self.reading.bars):
            of = [str(p + 1) for p, b in enumerate(self.reading.bar_of) if b == i]
            belongs = f", of panel {', '.join(of)}" if of and len(self.reading.frames) > 1 else ""
            out.append(
                f"bar {i + 1}: {bar.axis} {_text(bar.box)}, explains {100 * bar.candidate.explained:.0f} % of the"
                f" coloured pixels{belongs}; {', '.join(bar.candidate.notes) or 'no notes'}"
            )
            out += [f"    {sentence}" for sentence in (*bar.ticks.evidence, *bar.ticks.vetoes)]
        out += [
            f"not a bar, or a worse one: {other.axis} {_text(other.box)}, score {other.score:.2f}"
            for other in self.reading.others
        ]
        if self.graticule is not None:
            out.append("at the frame: " + (", ".join(label.text for label in self.graticule.labels) or "nothing read"))
            out += [f"    {sentence}" for sentence in (*self.graticule.evidence, *self.graticule.vetoes)]
        return [*out, *(f"doubt: {doubt}" for doubt in self.doubts)]


def inspect_source(
    recipe: Recipe,
    source: FigureSource,
    read: ReadText | None,
    *,
    lossy: bool = False,
    points: NDArray[np.float64] | None = None,
    map_colors: NDArray[np.float64] | None = None,
) -> Inspection:
    """Find what a recipe does not say.

    Parameters
    ----------
    recipe : Recipe
    source : FigureSource
    read : callable or None
        The text reader; None if there is none, or the source knows its words.
    lossy : bool
        Whether the picture went through JPEG.
    points : (n, 2) float array or None
        Control points in pixels, which tell the panel meant.
    map_colors : (n, 3) float array or None
        Colours of the scale, where the user named it.

    Returns
    -------
    Inspection
    """
    _require_choices(recipe)
    said_box = PixelBox.parse(recipe.colorbar) if recipe.colorbar else None
    said_frame = PixelBox.parse(recipe.frame) if recipe.frame and recipe.frame != "none" else None
    reading = read_figure(
        source.picture.pixels,
        read,
        lossy=lossy,
        words=source.words,
        colorbar=said_box,
        frame=said_frame,
        colors=map_colors,
        turn=recipe.turn,
        values_said=_values_said(recipe),
    )
    return judge_reading(recipe, source, reading, points)


def judge_reading(
    recipe: Recipe, source: FigureSource, reading: FigureReading, points: NDArray[np.float64] | None = None
) -> Inspection:
    """Which panel and bar are meant, and whether that is certain, without looking at the figure again.

    Parameters
    ----------
    recipe : Recipe
        Its boxes are those the figure was read with.
    source : FigureSource
    reading : FigureReading
    points : (n, 2) float array or None
        Control points in pixels, which tell the panel meant.

    Returns
    -------
    Inspection
    """
    if recipe.frame == "none":
        reading = replace(reading, frames=(), bar_of=())
    panel, doubts, remedy, notes = _panel_meant(recipe, source, reading, points)
    found = Inspection(recipe, source, reading, panel)
    if not doubts and recipe.colormap is None:
        doubts, remedy = _bar_doubts(found)
        notes += _bar_notes(found)
    if recipe.frame is None and found.frame is not None:
        notes += [
            f"The map's frame at {_text(found.frame.box)} is {note}. If it is not right: --frame L,T,R,B"
            for note in found.frame.notes
            if note.startswith("doubtful")
        ]
    return replace(found, doubts=tuple(doubts), remedy=remedy, notes=tuple(notes))


def read_frame_points(
    found: Inspection, read: ReadText | None, *, lossy: bool = False
) -> tuple[GroundControlPoints, list[str]]:
    """Control points from the longitudes and latitudes at the map's frame.

    Parameters
    ----------
    found : Inspection
    read : callable or None
        The text reader.
    lossy : bool
        Whether the picture went through JPEG.

    Returns
    -------
    gcps : GroundControlPoints
        In the pixels of the picture as it lies.
    notes : list of str
        The evidence.

    Raises
    ------
    NotReadError
        If they could not be read for certain; what was found is in it.
    """
    picture, panel, upright = found.source.picture, found.frame, found.reading.turned
    if panel is None:
        raise NotReadError(
            f"It is not known where on Earth {picture.name} lies, and no frame was found whose labels would tell.",
            POINTS_HINT,
            found,
        )
    reading = read_graticule(
        picture.pixels if upright is None else upright.pixels,
        panel,
        read,
        words=found.source.words,
        obstacles=[bar.box for bar in found.reading.bars],
        lossy=lossy,
    )
    if not reading.accepted or reading.gcps is None:
        doubts = (f"It is not known for certain where on Earth {picture.name} lies.", *reading.vetoes)
        raise NotReadError(" ".join(doubts), POINTS_HINT, replace(found, graticule=reading, doubts=doubts))
    gcps = reading.gcps
    if upright is not None:
        gcps = replace(gcps, pixels=upright.to_original(gcps.pixels))
    return gcps, [f"{len(gcps)} control points were read at the frame: {' '.join(reading.evidence)}"]


def _require_choices(recipe: Recipe) -> None:
    """Refuse values that are said by halves, or twice."""
    ends = [value is not None for value in (recipe.vmin, recipe.vmax)]
    if recipe.colorbar and recipe.colormap:
        raise InvalidInputError(
            "Both a colour bar and a colormap are given.", "Give --colorbar or --colormap, not both."
        )
    if recipe.ticks and any(ends):
        raise InvalidInputError("Both ticks and end values are given.", "Give --ticks, or --vmin and --vmax.")
    if any(ends) and not all(ends):
        raise InvalidInputError(
            "The values at the ends of the colour bar are not known: there is one of two.",
            'Give both: --vmin V --vmax V, or ticks: --ticks "V@PX,V@PX"',
        )


def _values_said(recipe: Recipe) -> bool:
    return recipe.ticks is not None or (recipe.vmin is not None and recipe.vmax is not None)


def _panel_meant(
    recipe: Recipe, source: FigureSource, reading: FigureReading, points: NDArray[np.float64] | None
) -> tuple[int, list[str], str, list[str]]:
    """Index of the panel, doubts, their remedy, notes."""
    n = len(reading.frames)
    if recipe.panel is not None:
        if not 1 <= recipe.panel <= max(n, 1):
            raise InvalidInputError(
                f"There is no panel {recipe.panel}: {source.picture.name} shows {n}.", f"Choose 1 to {n}: --panel N"
            )
        return min(recipe.panel, n) - 1, [], "", []
    if n <= 1:
        return n - 1, [], "", []
    if points is not None and len(points):
        points = points if reading.turned is None else reading.turned.to_upright(points)
        held = np.array([_inside(panel.box, points).mean() for panel in reading.frames])
        best = int(np.argmax(held))
        if held[best] >= POINTS_IN_PANEL:
            note = f"{source.picture.name} shows {n} panels; the control points lie in panel {best + 1}."
            return best, [], "", [note]
    listed = "; ".join(f"{i + 1}: {_text(panel.box)}" for i, panel in enumerate(reading.frames))
    return -1, [f"{source.picture.name} shows {n} panels ({listed})."], "Choose one: --panel 1", []


def _bar_doubts(found: Inspection) -> tuple[list[str], str]:
    recipe, picture, bar = found.recipe, found.source.picture, found.bar
    if bar is None:
        return (
            [f"No colour bar found in {picture.name} ({picture.width} x {picture.height} px)."],
            "Give its place: --colorbar LEFT,TOP,RIGHT,BOTTOM\n"
            "or its colours: --colormap NAME|FILE, or --colormap auto if the figure has no bar",
        )
    if recipe.colorbar is None:
        rival = _rival(found, bar)
        if rival:
            return [rival], "Choose one: --colorbar LEFT,TOP,RIGHT,BOTTOM"
        if "unordered" in bar.candidate.notes:
            return (
                [f"The boxes at {_text(bar.box)} are a legend of unordered categories, not a scale of values."],
                "If they are a scale: --colorbar LEFT,TOP,RIGHT,BOTTOM --vmin V --vmax V",
            )
    if _values_said(recipe) or bar.accepted:
        return [], ""
    what = "The colour bar" if recipe.colorbar is None else "The bar"
    ticks = _ticks_text(bar)
    doubts = [f"{what} at {_text(bar.box)} could not be read for certain.", *bar.ticks.vetoes]
    if not bar.ticks.vetoes:
        doubts.append("No numbers were found beside it.")
    typed = f'--ticks "{ticks}"' if ticks else "--vmin V --vmax V"
    return doubts, f"Give its values: {typed}"


def _rival(found: Inspection, bar: BarReading) -> str:
    """A second bar that explains the panel about as well, with other colours."""
    if found.panel < 0 and len(found.reading.bars) > 1:
        return ""
    for other in found.reading.bars:
        if other is bar or other.candidate.explained < RIVAL_BAR * bar.candidate.explained:
            continue
        taken = {found.reading.bars[b] for p, b in enumerate(found.reading.bar_of) if p != found.panel and b >= 0}
        if other not in taken and _gap_alike(found, bar, other):
            return (
                f"{found.source.picture.name} has two bars that may belong to the map: {_text(bar.box)} and"
                f" {_text(other.box)}."
            )
    return ""


def _gap_alike(found: Inspection, bar: BarReading, other: BarReading) -> bool:
    """Whether two bars differ in their values: two copies of one bar are no rivals."""
    if bar.accepted and other.accepted:
        ends = [np.sort(b.ticks.value_at(_ends(b))) for b in (bar, other)]
        return not np.allclose(ends[0], ends[1], rtol=1e-3, atol=1e-3 * float(np.ptp(ends[0])))
    return True


def _ends(bar: BarReading) -> list[float]:
    return [bar.box.left, bar.box.right] if bar.axis == "horizontal" else [bar.box.top, bar.box.bottom]


def _bar_notes(found: Inspection) -> list[str]:
    recipe, bar = found.recipe, found.bar
    if bar is None:
        return []
    notes = []
    if recipe.colorbar is not None:
        doubt = doubt_bar(found.source.picture.pixels, PixelBox.parse(recipe.colorbar))
        if doubt:
            notes.append(doubt)
    if not _values_said(recipe) and bar.accepted:
        notes.append(f"The bar at {_text(bar.box)} was read: {' '.join(bar.ticks.evidence)}")
    return notes


def _bar_choices(recipe: Recipe, bar: BarReading) -> dict[str, object]:
    """The bar's place, ticks, norm and title, as a user would say them."""
    out: dict[str, object] = {}
    if recipe.colorbar is None:
        out["colorbar"] = _text(bar.box)
    if not _values_said(recipe):
        out["ticks"] = _ticks_text(bar) or None
        norm = "" if bar.ticks.fit is None else bar.ticks.fit.norm
        if recipe.scale == "auto" and norm and not bar.candidate.class_breaks:
            out["scale"] = norm
        if recipe.name == "value" and bar.ticks.title:
            out["name"] = bar.ticks.title
        if not recipe.unit and bar.ticks.unit:
            out["unit"] = bar.ticks.unit
    return out


def _ticks_text(bar: BarReading) -> str:
    """``VALUE@PIXEL,...`` of the labels read."""
    fit = bar.ticks.fit
    if fit is None:
        return ""
    values = np.asarray(fit.values) * bar.ticks.factor + bar.ticks.offset
    return ",".join(f"{value:.9g}@{at:.2f}" for value, at in zip(values, fit.positions, strict=True))


def _inside(box: PixelBox, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    x, y = points[:, 0], points[:, 1]
    slack = 3.0
    inside: NDArray[np.bool_] = (
        (x >= box.left - slack) & (x <= box.right + slack) & (y >= box.top - slack) & (y <= box.bottom + slack)
    )
    return inside


def _text(box: PixelBox) -> str:
    return ",".join(f"{edge:.1f}" for edge in (box.left, box.top, box.right, box.bottom))
