"""Named colormaps: the ``cmap`` catalogue, in the steps a plotter draws."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError, NotFoundError

__all__ = ["NamedColormap", "list_names", "named_colors"]

_BINS = 256
# Collections of the catalogue from which matplotlib took its colormaps.
_MATPLOTLIB = (
    "bids",
    "cividis",
    "cmap",
    "colorbrewer",
    "crameri",
    "cubehelix",
    "gnuplot",
    "google",
    "matlab",
    "matplotlib",
    "okabeito",
    "tableau",
    "yorick",
)
_CATALOG_PAGE = "https://cmap-docs.readthedocs.io/en/stable/catalog/"


@dataclass(frozen=True, eq=False)
class NamedColormap:
    """A colormap in the steps in which it is drawn.

    Parameters
    ----------
    name : str
        Canonical name, ``namespace:name``, with ``_r`` if reversed.
    colors : (n, 3) float array
        sRGB colours of the steps, 0 to 255, whole numbers.
    positions : (n,) float array
        Middle of each step as a share of the length of the bar: ``(i + 0.5) / n``.
    is_classes : bool
        Whether the map is a list of single colours (``tab10``, ``Set1``) rather than a continuous run.
    """

    name: str
    colors: NDArray[np.float64]
    positions: NDArray[np.float64]
    is_classes: bool

    def __post_init__(self) -> None:
        for name in ("colors", "positions"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def step(self) -> float:
        """Width of one colour step as a share of the length of the bar."""
        return 1.0 / len(self.colors)


def named_colors(name: str, samples: int | None = None) -> NamedColormap:
    """The colours of a colormap, as matplotlib draws them.

    Continuous maps are cut into 256 bins; bin `i` has the colour at ``i / 255`` and stands for the share
    ``(i + 0.5) / 256`` of the bar. Colours are cut off to whole numbers, not rounded: that is what matplotlib
    writes to a picture.

    Of the 182 names of matplotlib 3.11, 162 agree with cmap 0.8 to the last bit. Eighteen differ by one level
    in 1 to 36 bins, as the catalogue stores their stops with other digits: berlin, Reds, Wistia, YlOrBr, bone,
    jet, nipy_spectral and Accent with their reverses, and the reverses of gist_yarg and gist_yerg. gist_stern
    and its reverse differ by up to 58 levels: red jumps at 1/4 in matplotlib and slopes in the catalogue.

    Parameters
    ----------
    name : str
        A name of the ``cmap`` catalogue, in any case: ``viridis``, ``cmocean:thermal``. The suffix ``_r``
        reverses. ``matplotlib:`` may stand before every name that matplotlib has.
    samples : int or None
        Number of bins, at least 2. None takes the number matplotlib draws: 256, or 510 for ``twilight`` and
        ``twilight_shifted``. Lists of single colours (``tab10``) are never resampled.

    Returns
    -------
    NamedColormap

    Raises
    ------
    NotFoundError
        If there is no such colormap; up to three nearest names are given.
    InvalidInputError
        For fewer than two samples, or a colormap with a single colour.

    Notes
    -----
    Colormaps: https://cmap-docs.readthedocs.io/en/stable/catalog/

    Examples
    --------
    >>> named_colors("viridis").colors[0].tolist()
    [68.0, 1.0, 84.0]
    >>> named_colors("tab10").is_classes
    True
    """
    if samples is not None and samples < 2:
        raise InvalidInputError(
            f"A colormap cannot be drawn in {samples} steps.", "Give at least 2 samples; plotters use 256."
        )
    from cmap import Colormap

    qualified, reverse = _resolve(name)
    colormap = Colormap(qualified + "_r" * reverse)
    is_classes = colormap.interpolation == "nearest"
    if samples is None:
        stops = len(colormap.color_stops)
        samples = max(_BINS, stops) if qualified.startswith("matplotlib:") else _BINS
    table = np.asarray(colormap.lut(samples), dtype=np.float64)[:, :3]
    if len(table) < 2:
        raise InvalidInputError(f"The colormap {name!r} has a single colour.", "Choose another colormap.")
    colors = np.floor(table * 255.0)
    positions = (np.arange(len(colors)) + 0.5) / len(colors)
    return NamedColormap(qualified + "_r" * reverse, colors, positions, is_classes)


def list_names() -> list[str]:
    """Names of all colormaps, each spelt as short as it can be, sorted.

    Short names (``viridis``), and qualified names (``paraview:coolwarm``) of the maps whose short name opens
    another map.

    Returns
    -------
    list of str

    Examples
    --------
    >>> "viridis" in list_names()
    True
    """
    catalog = _catalog()
    return sorted(set(catalog.short_keys()) | set(catalog.unique_keys()), key=lambda name: (name.lower(), name))


def _catalog() -> Any:
    from cmap import Colormap

    return Colormap.catalog()


def _normal(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _resolve(name: str) -> tuple[str, bool]:
    """Qualified name in the catalogue's spelling, and whether it is reversed."""
    catalog = _catalog()
    base = _normal(name)
    reverse = base.endswith("_r")
    if reverse:
        base = base[:-2]
    known = {_normal(original): original for original in catalog}
    collection, _, short = base.rpartition(":")
    if base not in known and collection == "matplotlib" and short in known:
        base = short if catalog.resolve(short).split(":")[0] in _MATPLOTLIB else base
    if base not in known:
        raise _unknown(name, base, reverse)
    return known[_normal(catalog.resolve(base))], reverse


def _unknown(name: str, base: str, reverse: bool) -> NotFoundError:
    short = {_normal(key): key for key in _catalog().short_keys()}
    near = difflib.get_close_matches(base.rpartition(":")[2], short, n=3)
    names = ", ".join(short[key] + "_r" * reverse for key in near)
    hint = f"Did you mean: {names}" if near else f"The names are those of {_CATALOG_PAGE}"
    return NotFoundError(f"There is no colormap {name!r} among the {len(short)} names known.", hint)
