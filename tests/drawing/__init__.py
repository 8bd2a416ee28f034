"""Draw maps whose field, bar and control points are known exactly, and score what is read back from them.

>>> from drawing import draw_scene
>>> scene = draw_scene(1, plotter="matplotlib", size=(360, 280), overlays="none")
>>> scene.rgb.shape, scene.truth.shape, scene.orientation in ("horizontal", "vertical")
((280, 360, 3), (280, 360), True)
"""

from __future__ import annotations

from .choices import OVERLAYS
from .draw import draw_scene, standard_set
from .encode import decode, encode
from .fields import FIELDS, REAL_FIELDS, field_names
from .palettes import COLORMAPS, GMT_COLORMAPS, GmtMissingError, gmt_available
from .scenes import BACKGROUND, BAR, DATA, MARGIN, OVERLAY, Scene
from .scores import score
from .shading import SHADINGS

__all__ = [
    "BACKGROUND",
    "BAR",
    "COLORMAPS",
    "DATA",
    "FIELDS",
    "GMT_COLORMAPS",
    "MARGIN",
    "OVERLAY",
    "OVERLAYS",
    "REAL_FIELDS",
    "SHADINGS",
    "GmtMissingError",
    "Scene",
    "decode",
    "draw_scene",
    "encode",
    "field_names",
    "gmt_available",
    "score",
    "standard_set",
]
