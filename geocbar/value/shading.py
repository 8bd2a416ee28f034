"""Relief shading and transparency: how plotters mix light into the colours of a map."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.value.scale import ColorScale

__all__ = ["SHADINGS", "Place", "ShadingModel", "Surface", "nearest_on", "sample_surface", "shade", "shading_model"]

_UNITS, _LIGHTS = 320, 96
_QUERY = 1 << 18
_RIDGE = 1e-3

_Blend = Callable[[NDArray[np.float64], NDArray[np.float64], float], NDArray[np.float64]]


def _keep(color: NDArray[np.float64], light: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    return color + 0 * light


def _multiply(color: NDArray[np.float64], light: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    return color * light


def _soft(color: NDArray[np.float64], light: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    return 2 * light * color + (1 - 2 * light) * color**2


def _overlay(color: NDArray[np.float64], light: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    return np.where(color <= 0.5, 2 * light * color, 1 - 2 * (1 - light) * (1 - color))


def _illuminate(
    color: NDArray[np.float64],
    light: NDArray[np.float64],
    dark: tuple[float, float],
    bright: tuple[float, float],
) -> NDArray[np.float64]:
    """Draw saturation and value towards those of `dark` where the light is negative, of `bright` where positive.

    The hue stays: each channel keeps its place between the smallest and the largest one.
    """
    top = color.max(axis=-1, keepdims=True)
    chroma = top - color.min(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        place = np.where(chroma > 0, (top - color) / chroma, 0)
        saturation = np.where(top > 0, chroma / top, 0)
    amount = np.abs(light)
    goal_s = np.where(light > 0, bright[0], dark[0])
    goal_v = np.where(light > 0, bright[1], dark[1])
    saturation = np.where(saturation > 0, (1 - amount) * saturation + amount * goal_s, 0)
    return ((1 - amount) * top + amount * goal_v) * (1 - saturation * place)


def _gmt(color: NDArray[np.float64], light: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    return _illuminate(color, light, dark=(1.0, 0.3), bright=(0.1, 1.0))


def _hsv(color: NDArray[np.float64], light: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    return _illuminate(color, 2 * light - 1, dark=(1.0, 0.0), bright=(0.0, 1.0))


def _over_white(color: NDArray[np.float64], light: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    return alpha * color + (1 - alpha) + 0 * light


def _over_grey(color: NDArray[np.float64], light: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    return alpha * color + (1 - alpha) * light


@dataclass(frozen=True)
class ShadingModel:
    """One way of mixing light into colour.

    Parameters
    ----------
    name : str
        A name in :data:`SHADINGS`.
    words : str
        What it is, for a sentence.
    lights : (low, high)
        Intensities that are possible.
    likely : (low, high)
        Intensities that maps are drawn with; beyond them a map is black or white rather than shaded.
    transparent : bool
        Whether a constant opacity (alpha) is part of it.
    blend : callable
        Colours (0 to 1), intensities and alpha to colours (0 to 1).
    """

    name: str
    words: str
    lights: tuple[float, float]
    likely: tuple[float, float]
    transparent: bool
    blend: _Blend

    @property
    def has_light(self) -> bool:
        """Whether the colour depends on an intensity at all."""
        return self.lights[0] < self.lights[1]


_MODELS = {
    model.name: model
    for model in (
        ShadingModel("none", "no shading", (1.0, 1.0), (1.0, 1.0), False, _keep),
        ShadingModel("multiply", "multiplied with a hillshade", (0.04, 1.0), (0.2, 1.0), False, _multiply),
        ShadingModel("gmt", "GMT's illumination (-I)", (-1.0, 1.0), (-0.9, 0.9), False, _gmt),
        ShadingModel("soft", "matplotlib's soft light", (0.0, 1.0), (0.0, 1.0), False, _soft),
        ShadingModel("overlay", "matplotlib's overlay", (0.0, 1.0), (0.05, 0.95), False, _overlay),
        ShadingModel("hsv", "matplotlib's HSV blend", (0.0, 1.0), (0.05, 0.95), False, _hsv),
        ShadingModel("alpha-white", "transparent over white", (1.0, 1.0), (1.0, 1.0), True, _over_white),
        ShadingModel("alpha-grey", "transparent over a grey hillshade", (0.0, 1.0), (0.0, 1.0), True, _over_grey),
    )
}

#: Names of the ways light is mixed into colours.
SHADINGS = tuple(_MODELS)


def shading_model(name: str) -> ShadingModel:
    """The shading model of a name.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    if name not in _MODELS:
        raise NotFoundError(f"There is no shading {name!r}.", f"Choose one of: {', '.join(SHADINGS)}")
    return _MODELS[name]


def shade(colors: ArrayLike, intensity: ArrayLike, model: str, alpha: float = 1.0) -> NDArray[np.float64]:
    """Mix light into colours, the way plotters do.

    Parameters
    ----------
    colors : (..., 3) array
        sRGB, 0 to 255.
    intensity : (...) array
        Broadcast against the colours: -1 to 1 (0: the colour itself) for ``"gmt"``, else 0 (dark) to 1 (lit).
        ``"none"`` and ``"alpha-white"`` do not look at it.
    model : str
        A name in :data:`SHADINGS`.
    alpha : float
        Opacity of the map, 0 to 1, for ``"alpha-white"`` and ``"alpha-grey"``.

    Returns
    -------
    (..., 3) float64 array
        sRGB, 0 to 255, not rounded.

    Raises
    ------
    NotFoundError
        If there is no such model.
    InvalidInputError
        If alpha is not above 0 and at most 1.

    References
    ----------
    GMT: saturation and value are drawn towards COLOR_HSV_MIN_S, _MIN_V (1, 0.3) in the shade and towards
    COLOR_HSV_MAX_S, _MAX_V (0.1, 1) in the light, https://docs.generic-mapping-tools.org/6.4/gmt.conf.html.
    Soft light, overlay and HSV: https://matplotlib.org/stable/api/_as_gen/matplotlib.colors.LightSource.html.
    """
    chosen = shading_model(model)
    if not 0 < alpha <= 1:
        raise InvalidInputError(f"An opacity of {alpha:g} is impossible.", "Give alpha above 0 and at most 1.")
    color = np.asarray(colors, dtype=np.float64) / 255
    light = np.clip(np.asarray(intensity, dtype=np.float64), *((-1, 1) if model == "gmt" else (0, 1)))[..., None]
    return np.asarray(255 * np.clip(chosen.blend(color, light, alpha), 0, 1))


@dataclass(frozen=True, eq=False)
class Surface:
    """All colours that a scale takes under a shading model, on a lattice of values and intensities.

    Parameters
    ----------
    units : (m,) float array
        Values as shares of the scale (0 to 1), ascending; for classes the number of each colour.
    lights : (k,) float array
        Intensities, ascending.
    colors : (m, k, 3) float array
        sRGB, 0 to 255.
    """

    units: NDArray[np.float64]
    lights: NDArray[np.float64]
    colors: NDArray[np.float64]

    @functools.cached_property
    def tree(self) -> cKDTree:
        """Of the colours, one row a point."""
        return cKDTree(self.colors.reshape(-1, 3))

    def nearest(self, colors: NDArray[np.generic]) -> Place:
        """Nearest place to each of (n, 3) colours."""
        return nearest_on(np.asarray(colors, np.float64), self, self.colors, self.tree)


@dataclass(frozen=True, eq=False)
class Place:
    """Places on a surface: (n,) value, intensity, distance, and by how much the value changes per unit of colour."""

    unit: NDArray[np.float64]
    light: NDArray[np.float64]
    distance: NDArray[np.float64]
    slack: NDArray[np.float64]


def sample_surface(
    scale: ColorScale, model: str, alpha: float, units: int = _UNITS, lights: int = _LIGHTS, *, likely: bool = False
) -> Surface:
    """Sample a shading model over the values of a scale and all intensities.

    Parameters
    ----------
    scale : ColorScale
    model, alpha
        As for :func:`geocbar.value.shading.shade`.
    units, lights : int
        How many values and intensities. The colours of classes are taken as they are.
    likely : bool
        Only intensities that maps are drawn with.
    """
    chosen = shading_model(model)
    if scale.is_classes:
        at, colors = np.arange(len(scale.colors), dtype=np.float64), scale.colors
    else:
        low, high = scale.even_limits
        nodes = (scale.to_even(scale.values) - low) / (high - low)
        order = np.argsort(nodes)
        at = np.linspace(max(nodes.min(), 0.0), min(nodes.max(), 1.0), units)
        colors = np.stack([np.interp(at, nodes[order], scale.colors[order, band]) for band in range(3)], axis=1)
    light = np.linspace(*(chosen.likely if likely else chosen.lights), lights if chosen.has_light else 1)
    return Surface(at, light, shade(colors[:, None], light[None], model, alpha))


def nearest_on(points: NDArray[np.float64], surface: Surface, nodes: NDArray[np.float64], tree: cKDTree) -> Place:
    """The nearest lattice point of a surface, then one step in the tangent plane there.

    Parameters
    ----------
    points : (n, d) array
        In the space of the nodes.
    surface : Surface
    nodes : (m, k, d) array
        The surface's lattice points: its colours, and what else is compared.
    tree : cKDTree
        Of the nodes, one row a point.
    """
    parts = [_one_step(points[i : i + _QUERY], surface, nodes, tree) for i in range(0, max(len(points), 1), _QUERY)]
    return Place(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _one_step(
    points: NDArray[np.float64], surface: Surface, nodes: NDArray[np.float64], tree: cKDTree
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    away, index = tree.query(points, workers=2)
    m, k = nodes.shape[:2]
    row, col = np.divmod(index, k)
    flat = nodes.reshape(m * k, -1)
    offset = points - flat[index]
    along = _tangent(flat, index, row, k, m)
    across = _tangent(flat, index, col, 1, k)
    # The ridge keeps a place where the colour does not change at all from wandering.
    uu, ll = (along**2).sum(axis=1) + _RIDGE, (across**2).sum(axis=1) + _RIDGE
    ul = (along * across).sum(axis=1)
    det = uu * ll - ul**2
    step_u = np.clip((ll * (along * offset).sum(axis=1) - ul * (across * offset).sum(axis=1)) / det, -1, 1)
    step_l = np.clip(((across * offset).sum(axis=1) - ul * step_u) / ll, -1, 1)
    left = np.linalg.norm(offset - step_u[:, None] * along - step_l[:, None] * across, axis=1)
    better = left < away
    unit = np.interp(row + np.where(better, step_u, 0), np.arange(m), surface.units)
    light = np.interp(col + np.where(better, step_l, 0), np.arange(k), surface.lights)
    slack = np.sqrt(ll / det) * (surface.units[-1] - surface.units[0]) / max(m - 1, 1)
    return unit, light, np.minimum(left, away), slack


def _tangent(
    flat: NDArray[np.float64], index: NDArray[np.intp], place: NDArray[np.intp], stride: int, count: int
) -> NDArray[np.float64]:
    """Difference of the neighbours along one side of the lattice, per node."""
    before, after = np.maximum(place - 1, 0), np.minimum(place + 1, count - 1)
    difference = flat[index + (after - place) * stride] - flat[index + (before - place) * stride]
    return np.asarray(difference / np.maximum(after - before, 1)[:, None])
