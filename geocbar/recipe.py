"""Recipe: every choice of one digitization, one frozen value, TOML both ways."""

from __future__ import annotations

import math
import os
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from geocbar.errors import FileProblemError, InvalidInputError

__all__ = ["Recipe"]

_HEADER = "# A geocbar recipe. Repeat it with: geocbar run {name}\n# Paths are relative to this file.\n\n"

#: Which table of the TOML file each choice lives in.
_SECTIONS = {
    "map": (
        *("image", "image_sha256", "page", "figure", "dpi", "max_pixels", "turn", "panel", "frame", "name", "unit"),
    ),
    "scale": ("colorbar", "colormap", "colormap_sha256", "vmin", "vmax", "ticks", "scale"),
    "data": (
        *("max_distance", "background", "search_background", "mask", "mask_sha256", "shading", "fill", "intensity"),
    ),
    "place": ("gcps", "gcps_sha256", "gcp_crs", "model", "keep_all", "to_crs", "resolution", "resampling"),
    "thin": ("max_error", "tolerance", "eps", "min_samples", "levels", "spacing"),
}


_PATHS = ("image", "gcps", "colormap", "mask")


@dataclass(frozen=True)
class Recipe:
    """Every choice of one digitization.

    ``None`` means "not said"; what geocbar found out or assumed itself is not in the recipe but in the summary.

    Parameters
    ----------
    image : str
        Path of the picture, or of a PDF file.
    gcps : str or None
        Path of the control points.
    image_sha256, gcps_sha256, colormap_sha256, mask_sha256 : str
        Checksums of those files when the recipe was made; empty means unchecked.
    max_pixels : int or None
        Largest picture to unpack.
    page, figure : int or None
        Of a PDF file, counted from 1; figure 0 is the whole page.
    dpi : float or None
        Resolution in which a figure of a PDF file is painted; None: what suits.
    turn : float or None
        Degrees by which a scan lies askew, anticlockwise: `frame`, `colorbar` and `ticks` are
        places in the upright picture, control points in the picture as it is. None: measured, unless a box is given.
    panel : int or None
        Which panel of the figure, in reading order from 1; None: the only one, or the one that holds the control
        points.
    frame : str or None
        ``LEFT,TOP,RIGHT,BOTTOM`` in pixels, or ``none``: the whole picture is map; None: found.
    colorbar : str or None
        ``LEFT,TOP,RIGHT,BOTTOM`` in pixels; None: found, unless a colormap is named.
    colormap : str or None
        Name of a colormap, path of a palette file, or ``auto`` to recover it from the map.
    vmin, vmax : float or None
        Values at the two ends of the bar or colormap.
    ticks : str or None
        ``VALUE@PIXEL,...`` along the bar.
    scale : str
        One of :data:`geocbar.value.norms.SCALES`, ``symlog:LINTHRESH`` or ``power:GAMMA``. Auto: discrete if the bar
        shows boxes of one colour each, else linear, or what three and more ticks lie on.
    name, unit : str
        Quantity and unit.
    max_distance : float or None
        Colours farther from the scale are no data; None: by the noise of the picture.
    background : str
        Colours of paper, land or boxes, ``#rrggbb`` separated by blanks.
    search_background : bool
        Look for large flat colours that stand for no value.
    mask : str or None
        Path of a PNG of the picture's size, drawn by hand: 0 as found, 1 not data, 2 keep.
    shading : {"auto", "none", "multiply", "gmt", "soft", "overlay"}
        Relief shading to take out.
    fill : int
        Close gaps left by lines and letters up to this many pixels wide.
    intensity : bool
        Write the light of the shading as a third band.
    gcp_crs : str or None
        CRS of the control points.
    model : str
        See :func:`geocbar.fit_georeference`.
    keep_all : bool
        Leave no control point out of the fit.
    to_crs, resolution, resampling
        The grid, see :func:`geocbar.to_map`.
    max_error : float
        Largest error, in percent of the scale's range, with which the points rebuild 99 % of the map, see
        :func:`geocbar.thin`; inf or None: no promise.
    tolerance, eps, min_samples, levels, spacing
        Thinning, see :func:`geocbar.thin`; the tolerance is per pixel, in value or what the scale is even in.
    """

    image: str
    gcps: str | None = None
    image_sha256: str = ""
    gcps_sha256: str = ""
    colormap_sha256: str = ""
    mask_sha256: str = ""
    page: int | None = None
    figure: int | None = None
    dpi: float | None = None
    max_pixels: int | None = None
    turn: float | None = None
    panel: int | None = None
    frame: str | None = None
    colorbar: str | None = None
    colormap: str | None = None
    vmin: float | None = None
    vmax: float | None = None
    ticks: str | None = None
    scale: str = "auto"
    name: str = "value"
    unit: str = ""
    max_distance: float | None = None
    background: str = ""
    search_background: bool = True
    mask: str | None = None
    shading: str = "auto"
    fill: int = 0
    intensity: bool = False
    gcp_crs: str | None = None
    model: str = "auto"
    keep_all: bool = False
    to_crs: str | None = None
    resolution: float | None = None
    resampling: str = "nearest"
    max_error: float = 2.0
    tolerance: float | None = None
    eps: float = 1.5
    min_samples: int = 4
    levels: int = 32
    spacing: float | None = None
    base: Path = field(default=Path("."), compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.max_error is None:
            object.__setattr__(self, "max_error", math.inf)
        for key in ("name", "unit"):
            # A line break in a quantity would break the table that holds it.
            object.__setattr__(self, key, " ".join(getattr(self, key).split()))
        for choice in fields(self):
            text = getattr(self, choice.name)
            if isinstance(text, str) and not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
                raise InvalidInputError(
                    f"The {choice.name} {text!a} is not text in UTF-8: no recipe can hold it.",
                    "Rename the file, with plain letters." if choice.name in _PATHS else "Type it anew.",
                )

    def path(self, text: str) -> Path:
        """A path of the recipe as seen from where the program runs."""
        return self.base / text

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a recipe.

        Raises
        ------
        FileProblemError
            If the file is missing or not TOML.
        InvalidInputError
            For a table or key that is not known, a value of the wrong type, or a missing map or control points.
        """
        path = Path(path)
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise FileProblemError(f"The recipe {path} cannot be read: {error.strerror}.", "Check its path.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise FileProblemError(
                f"The recipe {path.name} is not TOML: {error}.", "Mend that line, or make the recipe anew."
            ) from error
        return cls(base=path.parent, **_flatten(tables, path.name))

    def write(self, path: str | Path) -> None:
        """Write the recipe as TOML, with paths relative to where it lies.

        Raises
        ------
        FileProblemError
            If the file cannot be written.
        """
        path = Path(path)
        try:
            path.write_text(self.to_toml(path), encoding="utf-8")
        except OSError as error:
            raise FileProblemError(f"{path.name} cannot be written: {error.strerror}.", "Check the folder.") from error

    def to_toml(self, path: str | Path) -> str:
        """The recipe's text if it lay at `path`."""
        import tomli_w

        path = Path(path)
        moved = self.moved_to(path.parent)
        defaults = {f.name: f.default for f in fields(Recipe) if f.default == ""}
        tables: dict[str, Any] = {}
        for section, keys in _SECTIONS.items():
            rows = {key: getattr(moved, key) for key in keys}
            tables[section] = {key: value for key, value in rows.items() if value not in (None, defaults.get(key))}
        name = shlex.quote(path.name) if path.name.isprintable() else "this file"
        return _HEADER.format(name=name) + tomli_w.dumps(tables)

    def moved_to(self, folder: Path) -> Recipe:
        """The same recipe as seen from another folder."""

        def there(text: str) -> str:
            absolute = Path(os.path.abspath(self.path(text)))
            try:
                return Path(os.path.relpath(absolute, os.path.abspath(folder))).as_posix()
            except ValueError:  # another drive
                return str(absolute)

        colormap = there(self.colormap) if self.colormap and self.path(self.colormap).is_file() else self.colormap
        gcps = there(self.gcps) if self.gcps else None
        mask = there(self.mask) if self.mask else None
        return replace(self, image=there(self.image), gcps=gcps, colormap=colormap, mask=mask, base=folder)


def _flatten(tables: Mapping[str, Any], file: str) -> dict[str, Any]:
    types = {f.name: str(f.type) for f in fields(Recipe)}
    choices: dict[str, Any] = {}
    for section, rows in tables.items():
        if section not in _SECTIONS or not isinstance(rows, dict):
            raise InvalidInputError(
                f"{file} has a table [{section}] that is not part of a recipe.",
                f"Tables are: {', '.join(_SECTIONS)}",
            )
        for key, value in rows.items():
            if key not in _SECTIONS[section]:
                raise InvalidInputError(
                    f"{file} has a key {key!r} in [{section}] that is not known.",
                    f"Keys of [{section}] are: {', '.join(_SECTIONS[section])}",
                )
            choices[key] = _typed(value, types[key], f"{file}: {key}")
    if "image" not in choices:
        raise InvalidInputError(f"{file} does not name: image.", "Add it, with a path relative to the file.")
    return choices


def _typed(value: Any, kind: str, where: str) -> Any:
    kind = kind.removesuffix(" | None")
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value).__name__ != kind:
        raise InvalidInputError(f"{where} = {value!r} is not of type {kind}.", "Mend that line of the recipe.")
    return value
