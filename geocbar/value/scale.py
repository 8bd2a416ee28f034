"""ColorScale: the correspondence between colours and values."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geocbar.errors import InvalidInputError
from geocbar.value.norms import LINEAR, SCALES, Norm, as_norm, split_scale

__all__ = ["ColorScale", "forward_norm", "inverse_norm"]

#: Values whose uncertainty is computed at once, to bound the memory.
_BLOCK = 1 << 20


def forward_norm(values: ArrayLike, norm: Norm | str) -> NDArray[np.float64]:
    """Values to the coordinate in which the scale is even; see :meth:`geocbar.value.norms.Norm.forward`."""
    return as_norm(norm).forward(values)


def inverse_norm(coordinates: ArrayLike, norm: Norm | str) -> NDArray[np.float64]:
    """Even coordinate back to values; the inverse of :func:`forward_norm`."""
    return as_norm(norm).inverse(coordinates)


@dataclass(frozen=True, eq=False)
class ColorScale:
    """Colours and the values they stand for.

    A continuous scale is a polyline through colour space: between two nodes the colour and the (normed) value run
    together. A class scale is a list of single colours, each standing for an interval of values.

    Parameters
    ----------
    colors : (n, 3) float array
        sRGB colours of the nodes, 0 to 255, n >= 2.
    values : (n,) float array
        Value of each node in the unit of the bar, strictly monotonic; for classes the middle of each class.
    limits : (2,) float array
        Values at the two ends of the scale, ascending. Errors in percent refer to ``limits[1] - limits[0]``.
    norm : Norm
        In which coordinate values are interpolated between nodes. The texts ``"linear"``, ``"log"``,
        ``"symlog:LINTHRESH"`` and ``"power:GAMMA"`` (anchored at the limits) are taken, too.
    edges : (n + 1,) float array or None
        Limits of the classes, in the order of ``colors``; None for a continuous scale.
    step : float
        Width of one colour step as a share of the (normed) length of the scale: 1/256 for a colormap with 256 bins,
        0 where colours run smoothly. Half of it is the best accuracy a value can have.
    name, unit : str
        Quantity and unit, used for the band description.
    end_px : float
        How well the ends of the bar it was read from are known, in pixels of the picture.

    Raises
    ------
    InvalidInputError
        For fewer than two colours, equal limits, values that do not run one way, or zero on a log scale.
    """

    colors: NDArray[np.float64]
    values: NDArray[np.float64]
    limits: NDArray[np.float64]
    norm: Norm = LINEAR
    edges: NDArray[np.float64] | None = None
    step: float = 0.0
    name: str = "value"
    unit: str = ""
    end_px: float = 0.5
    _coordinates: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        colors = np.array(self.colors, dtype=np.float64)
        values = np.array(self.values, dtype=np.float64)
        limits = np.sort(np.array(self.limits, dtype=np.float64))
        if colors.ndim != 2 or colors.shape[1] != 3 or values.shape != (len(colors),):
            raise InvalidInputError(
                f"A colour scale needs (n, 3) colours and n values, not {colors.shape} and {values.shape}."
            )
        if len(np.unique(colors, axis=0)) < 2:
            raise InvalidInputError(
                "The colour scale has a single colour: nothing can be told apart with it.",
                "Check the colour bar's box (--colorbar) or the palette.",
            )
        if not np.all(np.abs(limits) <= np.finfo(np.float32).max):
            raise InvalidInputError(
                f"The colour scale ends at {limits[0]:g} and {limits[1]:g}, which 32-bit numbers cannot hold.",
                "Give two finite values: --vmin V --vmax V",
            )
        if limits[0] == limits[1]:
            raise InvalidInputError(
                f"The two ends of the colour scale have the same value, {limits[0]:g}.",
                "Give two different values: --vmin V --vmax V",
            )
        finest = float(np.spacing(np.float32(np.abs(limits).max())))
        if limits[1] - limits[0] < 100 * finest:
            raise InvalidInputError(
                f"The ends of the colour scale, {limits[0]:.12g} and {limits[1]:.12g}, are too close together for"
                f" 32-bit numbers, whose steps are {finest:.2g} there.",
                "Give values less an offset, or in another unit: --vmin V --vmax V",
            )
        steps = np.diff(values)
        if not np.all(np.isfinite(values)) or not (np.all(steps > 0) or np.all(steps < 0)):
            raise InvalidInputError(
                "The values along the colour scale do not run one way.", "Give ticks in the order of the bar."
            )
        norm = as_norm(self.norm, limits)
        object.__setattr__(self, "norm", norm)
        norm.forward(limits)
        object.__setattr__(self, "_coordinates", norm.forward(values))
        for name, array in (("colors", colors), ("values", values), ("limits", limits)):
            object.__setattr__(self, name, array)
        if self.edges is not None:
            object.__setattr__(self, "edges", np.array(self.edges, dtype=np.float64))
        for frozen in (self.colors, self.values, self.limits, self._coordinates, self.edges):
            if frozen is not None:
                frozen.setflags(write=False)

    @classmethod
    def from_colors(
        cls,
        colors: ArrayLike,
        positions: ArrayLike | None = None,
        *,
        vmin: float | None = None,
        vmax: float | None = None,
        has_values: bool = False,
        edges: ArrayLike | None = None,
        scale: str = "linear",
        step: float = 0.0,
        name: str = "value",
        unit: str = "",
    ) -> ColorScale:
        """A scale from a colormap or a palette.

        Parameters
        ----------
        colors : (n, 3) array
            sRGB, 0 to 255, in order.
        positions : (n,) array or None
            Place of each colour: data values if `has_values`, else from 0 at `vmin` to 1 at `vmax`. None: evenly
            spread, the first colour at `vmin` and the last at `vmax` (for classes: boxes of equal length).
        vmin, vmax : float or None
            Values at the two ends. May be left out if `has_values`; else they overrule the palette's own values.
        has_values : bool
            Whether positions (and edges) are data values already.
        edges : (n + 1,) array or None
            Limits of classes, like `positions`. An open end (infinite) is taken to be as wide as its neighbour.
        scale : str
            How values run between the ends: ``"linear"``, ``"log"``, ``"symlog:LINTHRESH"``, ``"power:GAMMA"``;
            ``"discrete"`` makes every colour a class.
        step, name, unit
            See :class:`ColorScale`.

        Raises
        ------
        InvalidInputError
            If the values at the ends are missing, given twice, equal, or do not suit the scale.
        """
        colors = np.asarray(colors, dtype=np.float64)
        n = len(colors)
        if split_scale(scale)[0] == "auto":
            raise InvalidInputError(f"There is no scale {scale!r}.", f"Choose one of: {', '.join(SCALES[1:])}")
        if (vmin is None) != (vmax is None) or (not has_values and vmin is None):
            raise InvalidInputError(
                "The values at the ends of the colormap are not known.", "Give both: --vmin V --vmax V"
            )
        if has_values and vmin is not None:
            positions, edges = _shares(positions, edges)
            has_values = False
        if scale == "discrete" and edges is None:
            edges = _edges_between(positions) if has_values and positions is not None else np.arange(n + 1) / n
        ends = np.array([vmin, vmax], dtype=np.float64)
        if edges is not None:
            edges = _closed(np.asarray(edges, dtype=np.float64))
            norm = as_norm("linear" if scale == "discrete" else scale, edges[[0, -1]] if has_values else ends)
            edges = edges if has_values else _stretch(edges, vmin, vmax, norm)
            even = norm.forward(edges)
            middles = norm.inverse((even[1:] + even[:-1]) / 2)
            return cls(colors, middles, edges[[0, -1]], norm, edges, 1 / n, name, unit)
        places = np.linspace(0, 1, n) if positions is None else np.asarray(positions, dtype=np.float64)
        norm = as_norm(scale, places[[0, -1]] if has_values else ends)
        if has_values:
            return cls(colors, places, places[[0, -1]], norm, None, step, name, unit)
        values = _stretch(places, vmin, vmax, norm)
        return cls(colors, values, np.array([vmin, vmax], dtype=np.float64), norm, None, step, name, unit)

    @property
    def is_classes(self) -> bool:
        """Whether the scale is a list of classes rather than a continuous run of colours."""
        return self.edges is not None

    @property
    def range(self) -> float:
        """Upper minus lower limit, in the unit of the bar."""
        return float(self.limits[1] - self.limits[0])

    @property
    def label(self) -> str:
        """``name [unit]``, the way bands are described.

        Examples
        --------
        >>> ColorScale([[0, 0, 0], [255, 255, 255]], [0, 1], [0, 1], name="depth", unit="m").label
        'depth [m]'
        """
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    def values_at(self, nodes: ArrayLike) -> NDArray[np.float64]:
        """Values at fractional node numbers (0 for the first node, 0.5 half-way to the second).

        Parameters
        ----------
        nodes : array of float
            Node numbers, clipped to 0 .. n - 1.

        Returns
        -------
        array of float64, same shape
        """
        nodes = np.asarray(nodes, dtype=np.float64)
        return self.norm.inverse(np.interp(nodes, np.arange(len(self.values)), self._coordinates))

    def colors_at_nodes(self, nodes: ArrayLike) -> NDArray[np.float32]:
        """Colours at fractional node numbers, on the polyline.

        Parameters
        ----------
        nodes : (k,) array of float

        Returns
        -------
        (k, 3) float32 array
        """
        nodes = np.clip(np.asarray(nodes, dtype=np.float32), 0, len(self.colors) - 1)
        low = np.minimum(nodes.astype(np.intp), len(self.colors) - 2)
        share = (nodes - low)[:, None]
        colors = self.colors.astype(np.float32)
        return colors[low] * (1 - share) + colors[low + 1] * share

    @property
    def even_limits(self) -> tuple[float, float]:
        """The limits in the coordinate of :meth:`to_even`."""
        if self.edges is not None:
            return 0.0, float(len(self.values))
        low, high = self.norm.forward(self.limits)
        return float(low), float(high)

    def to_even(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values in the coordinate in which the scale is even: themselves, their log10 or what their norm
        makes of them, or the class number + 0.5.

        Parameters
        ----------
        values : array of float
            NaN stays NaN.

        Returns
        -------
        array of float64, same shape
        """
        values = np.asarray(values, dtype=np.float64)
        if self.edges is not None:
            number = np.searchsorted(np.sort(self.edges)[1:-1], values, side="right") + 0.5
            return np.where(np.isfinite(values), number, np.nan)
        return self.norm.forward(values)

    def to_unit(self, values: ArrayLike) -> NDArray[np.float32]:
        """Values as shares of the scale's length: 0 at the lower limit, 1 at the upper, even in colour."""
        low, high = self.even_limits
        return ((self.to_even(values) - low) / (high - low)).astype(np.float32)

    def from_unit(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
        """Back from shares of the scale's length; not for classes."""
        low, high = self.norm.forward(self.limits)
        even = low + (high - low) * np.asarray(unit, dtype=np.float64)
        return self.norm.inverse(even).astype(np.float32)

    def sigma_from_unit(self, values: NDArray[np.float32], sigma: NDArray[np.float32]) -> NDArray[np.float32]:
        """Uncertainty in the unit of the values, from that in shares of the scale's length.

        On a log scale it is the share of a decade times the value: multiplicative errors are stated where they lie.
        See :meth:`geocbar.value.norms.Norm.spread` for the others.
        """
        low, high = self.norm.forward(self.limits)
        spread = np.float32(high - low) * sigma
        if self.norm.kind == "linear":
            return spread.astype(np.float32)
        if self.norm.kind == "log":
            return np.asarray(spread * np.float32(np.log(10)) * values, dtype=np.float32)
        out, at = np.empty(spread.size, np.float32), np.ravel(values)
        for start in range(0, out.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            out[part] = self.norm.spread(at[part], spread.ravel()[part], self.limits)
        return out.reshape(spread.shape)

    def shares_of_range(self, values: NDArray[np.floating], sigma: NDArray[np.floating]) -> NDArray[np.float64]:
        """Uncertainties as shares of the range, on a log scale of the range in decades, elsewhere of its even length.

        Parameters
        ----------
        values, sigma : arrays of float, same shape
            Sigma in the unit of the values.

        Returns
        -------
        array of float64, same shape
        """
        if self.is_classes or self.norm.kind == "linear":
            return np.asarray(sigma, dtype=np.float64) / self.range
        low, high = self.even_limits
        if self.norm.kind == "log":
            even = np.asarray(sigma / values / np.log(10), dtype=np.float64)
        else:
            even = (self.norm.forward(values + sigma) - self.norm.forward(values - sigma)) / 2
        shares: NDArray[np.float64] = even / (high - low)
        return shares

    def colors_at(self, values: ArrayLike) -> NDArray[np.uint8]:
        """Colours of values: the picture redrawn. NaN becomes white.

        Parameters
        ----------
        values : array of float
            Any shape; values beyond the limits take the end colours.

        Returns
        -------
        array of uint8, shape of `values` + (3,)
        """
        values = np.asarray(values, dtype=np.float64)
        finite = np.isfinite(values)
        order = np.argsort(self.values)
        if self.edges is not None:
            inner = np.sort(self.edges)[1:-1]
            index = order[np.searchsorted(inner, np.where(finite, values, self.limits[0]), side="right")]
            colors = self.colors[index]
        else:
            filled = np.where(finite, values, self.limits[0])
            at = self.norm.forward(np.clip(filled, self.values[order[0]], self.values[order[-1]]))
            colors = np.stack(
                [np.interp(at, self._coordinates[order], self.colors[order, band]) for band in range(3)],
                axis=-1,
            )
        return np.where(finite[..., None], np.rint(colors), 255).astype(np.uint8)


def _stretch(shares: NDArray[np.float64], vmin: float | None, vmax: float | None, norm: Norm) -> NDArray[np.float64]:
    """Shares of the scale's length to values."""
    low, high = norm.forward(np.array([vmin, vmax], dtype=np.float64))
    return norm.inverse(low + shares * (high - low))


def _shares(
    positions: ArrayLike | None, edges: ArrayLike | None
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Values of a palette as shares of its length."""
    places = None if positions is None else np.asarray(positions, dtype=np.float64)
    limits = None if edges is None else _closed(np.asarray(edges, dtype=np.float64))
    span = limits if limits is not None else places
    if span is None:
        return None, None
    low, length = span[0], span[-1] - span[0]
    return (
        None if places is None else (places - low) / length,
        None if limits is None else (limits - low) / length,
    )


def _closed(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Class limits with open ends made as wide as the class beside."""
    edges = edges.copy()
    if len(edges) > 3:
        if not np.isfinite(edges[0]):
            edges[0] = 2 * edges[1] - edges[2]
        if not np.isfinite(edges[-1]):
            edges[-1] = 2 * edges[-2] - edges[-3]
    return edges


def _edges_between(positions: ArrayLike) -> NDArray[np.float64]:
    """Limits half-way between positions, the outer ones as far beyond as the inner ones lie within."""
    at = np.asarray(positions, dtype=np.float64)
    inner = (at[1:] + at[:-1]) / 2
    return np.concatenate([[2 * at[0] - inner[0]], inner, [2 * at[-1] - inner[-1]]])
