"""geocbar turns a published map back into data: colours to values, pixels to coordinates, every error stated.

>>> import geocbar as gb
>>> gb.PixelBox(0, 0, 10, 5).width
10
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

#: Public names and the modules they live in; loaded when first used, so that ``import geocbar`` is quick.
_HOMES = {
    "ColorBar": "geocbar.value.colorbar",
    "Coding": "geocbar.value.inversion",
    "ColorScale": "geocbar.value.scale",
    "DigitizedMap": "geocbar.digitized_map",
    "FileProblemError": "geocbar.errors",
    "GeocbarError": "geocbar.errors",
    "Georeference": "geocbar.place.georeference",
    "GroundControlPoints": "geocbar.place.gcps",
    "InvalidInputError": "geocbar.errors",
    "Inversion": "geocbar.value.inversion",
    "NotFoundError": "geocbar.errors",
    "NotReadError": "geocbar.errors",
    "Picture": "geocbar.files.images",
    "PixelBox": "geocbar.figure.layout",
    "Points": "geocbar.grid.thinning",
    "Raster": "geocbar.grid.raster",
    "Reason": "geocbar.value.reasons",
    "Recipe": "geocbar.recipe",
    "Ticks": "geocbar.value.colorbar",
    "digitize": "geocbar.app.calls",
    "find_bars": "geocbar.value.bar_search",
    "fit_georeference": "geocbar.place.georeference",
    "inspect": "geocbar.app.calls",
    "invert": "geocbar.value.inversion",
    "named_colors": "geocbar.value.colormaps",
    "read_colorbar": "geocbar.value.colorbar",
    "read_gcps": "geocbar.files.gcp_tables",
    "read_image": "geocbar.files.images",
    "read_palette": "geocbar.files.palettes",
    "read_points": "geocbar.files.point_layers",
    "read_raster": "geocbar.files.rasters",
    "read_ticks": "geocbar.figure.tick_reading",
    "regrid": "geocbar.grid.regridding",
    "scale_from_bar": "geocbar.value.colorbar",
    "thin": "geocbar.grid.thinning",
    "to_map": "geocbar.grid.raster",
    "write_geotiff": "geocbar.files.geotiff",
    "write_points": "geocbar.files.geopackage",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:

    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'geocbar' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
