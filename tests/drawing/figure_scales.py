"""What a colour bar says: values along it, the labels publications print beside them, factors, units, titles.

Places along a bar are shares `t` of its length, 0 at its left or lower end and 1 at the other. Labels are plain text
with superscripts as ``10^{-2}``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .figure_labels import TITLES, LabelStyle, choose_style, format_labels, power_label

__all__ = ["KINDS", "ScalePlan", "plan_scale", "thin_labels"]

Array = NDArray[np.float64]

#: Kinds of scales and how often each is drawn.
KINDS = {
    "linear": 0.47,
    "log": 0.16,
    "symlog": 0.05,
    "power": 0.06,
    "piecewise": 0.03,
    "classes": 0.13,
    "irregular": 0.12,
}
_NODES = 513


@dataclass(frozen=True, eq=False)
class ScalePlan:
    """Ticks with their places, values and labels; `node_t` and `node_values` tell the value anywhere on the bar."""

    norm: str
    node_t: Array
    node_values: Array
    tick_t: Array
    tick_values: Array
    labels: tuple[str, ...]
    minor_t: Array
    edges_t: Array | None = None
    edge_values: Array | None = None
    quantity: str = ""
    unit: str = ""
    factor: float = 1.0
    offset: float = 0.0
    factor_text: str = ""
    unit_factor: float = 1.0
    extend: tuple[bool, bool] = (False, False)
    end_boxes: bool = False
    diverging: bool = False
    downward: bool = False
    traits: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        if not self.quantity or not self.unit:
            return self.quantity or self.unit
        return f"{self.quantity} ({self.unit})"

    def flipped(self) -> ScalePlan:
        """The same scale with its high values at the left or lower end."""
        edges_t = None if self.edges_t is None else 1 - self.edges_t[::-1]
        edge_values = None if self.edge_values is None else self.edge_values[::-1]
        return replace(
            self,
            node_t=1 - self.node_t[::-1],
            node_values=self.node_values[::-1],
            tick_t=1 - self.tick_t[::-1],
            tick_values=self.tick_values[::-1],
            labels=self.labels[::-1],
            minor_t=1 - self.minor_t[::-1],
            edges_t=edges_t,
            edge_values=edge_values,
            extend=self.extend[::-1],
            downward=True,
            traits=self.traits | {"downward"},
        )


def _pick(rng: np.random.Generator, weights: dict[str, float]) -> str:
    names = list(weights)
    shares = np.array([weights[name] for name in names])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def _extend(rng: np.random.Generator, often: float = 0.4) -> tuple[bool, bool]:
    if rng.random() > often:
        return False, False
    return [(True, True), (True, False), (False, True)][int(rng.choice(3, p=[0.5, 0.15, 0.35]))]


def _nodes(inverse: Callable[[Array], Array]) -> tuple[Array, Array]:
    t = np.linspace(0, 1, _NODES)
    return t, np.asarray(inverse(t))


def _step(rng: np.random.Generator) -> float:
    exponent = int(rng.choice(np.arange(-6, 5), p=[0.03, 0.05, 0.06, 0.09, 0.13, 0.16, 0.18, 0.14, 0.08, 0.05, 0.03]))
    return float(rng.choice([1, 2, 2.5, 5], p=[0.35, 0.3, 0.1, 0.25])) * 10.0**exponent


def _ladder(rng: np.random.Generator, count: int) -> tuple[Array, float, bool]:
    """`count` even steps: values, step, and whether they are centred on zero."""
    step = _step(rng)
    draw = rng.random()
    if draw < 0.33:
        first = -(count // 2)
    elif draw < 0.7:
        first = 0
    else:
        first = int(rng.integers(-12, 25))
    values = (first + np.arange(count)) * step
    return values, step, bool(draw < 0.33)


def _linear(rng: np.random.Generator) -> ScalePlan:
    values, step, diverging = _ladder(rng, int(rng.integers(4, 12)))
    low, high = values[0], values[-1]
    if rng.random() < 0.4:
        low, high = low - rng.uniform(0, 0.9) * step, high + rng.uniform(0, 0.9) * step
    style = choose_style(rng, values, step)
    if rng.random() < 0.05:
        low, high = values[0], values[-1]
        values = values[[0, -1]]
        style = replace(style, traits=style.traits | {"two-label"})
    t = (values - low) / (high - low)
    minor: Array = np.zeros(0)
    if rng.random() < 0.3:
        parts = int(rng.choice([2, 4, 5]))
        grid = np.arange(np.ceil(low / step * parts - 1e-9), np.floor(high / step * parts + 1e-9) + 1) * step / parts
        minor = (grid - low) / (high - low)
    nodes = _nodes(lambda x: low + x * (high - low))
    return _finish(rng, "linear", nodes, t, values, style, minor, diverging=diverging, extend=_extend(rng))


def _log(rng: np.random.Generator) -> ScalePlan:
    decades = int(rng.integers(1, 7))
    low = int(rng.integers(-6, 4))
    ends = np.array([low, low + decades], float)
    if rng.random() < 0.4:
        ends += [-rng.uniform(0, 0.8), rng.uniform(0, 0.8)]
    powers = np.arange(np.ceil(ends[0] - 1e-9), np.floor(ends[1] + 1e-9) + 1)
    dense = decades <= 3 and (decades == 1 or rng.random() < 0.5)
    mantissas = np.array([1, 2, 5]) if dense else np.array([1])
    values = np.sort(np.concatenate([10.0**p * mantissas for p in np.arange(powers[0] - 1, powers[-1] + 1)]))
    inside = (np.log10(values) >= ends[0] - 1e-9) & (np.log10(values) <= ends[1] + 1e-9)
    values = values[inside]
    if dense:
        how = str(rng.choice(["plain", "times"], p=[0.85, 0.15]))
    else:
        how = str(rng.choice(["superscript", "plain", "e"], p=[0.68, 0.22, 0.1]))
    if how == "plain" and (ends[0] < -4.5 or ends[1] > 5):
        how = "times" if dense else "superscript"
    if how == "superscript":
        labels = [power_label(v) for v in values]
    elif how == "times":
        labels = [power_label(v, times=True) for v in values]
    elif how == "e":
        labels = [f"{v:.0e}" for v in values]
    else:
        labels = [np.format_float_positional(v, precision=10, trim="-", fractional=True) for v in values]
    minor: Array = np.zeros(0)
    if rng.random() < 0.65:
        grid = np.concatenate([10.0**p * np.arange(2, 10) for p in np.arange(powers[0] - 1, powers[-1] + 1)])
        minor = (np.log10(grid) - ends[0]) / (ends[1] - ends[0])
        minor = minor[(minor >= 0) & (minor <= 1)]
    t = (np.log10(values) - ends[0]) / (ends[1] - ends[0])
    nodes = _nodes(lambda x: 10.0 ** (ends[0] + x * (ends[1] - ends[0])))
    style = LabelStyle(traits=frozenset({f"log-{how}"}))
    return _finish(rng, "log", nodes, t, values, style, minor, labels=labels, extend=_extend(rng))


def _symlog(rng: np.random.Generator) -> ScalePlan:
    threshold = 10.0 ** int(rng.integers(-3, 2))
    decades = int(rng.integers(1, 4))
    flat = 1 / (1 - 1 / 10)
    reach = flat + decades

    def inverse(t: Array) -> Array:
        y = (2 * np.asarray(t) - 1) * reach
        far = threshold * 10.0 ** (np.abs(y) - flat)
        return np.asarray(np.where(np.abs(y) <= flat, y / flat * threshold, np.sign(y) * far))

    ups = threshold * 10.0 ** np.arange(decades + 1)
    values = np.concatenate([-ups[::-1], [0], ups])
    y = np.concatenate([-(flat + np.arange(decades + 1))[::-1], [0], flat + np.arange(decades + 1)])
    plain = rng.random() < 0.35 and threshold >= 1e-2
    if plain:
        labels = [f"{v:g}".replace("-", "−") for v in values]
    else:
        labels = ["0" if v == 0 else power_label(v) for v in values]
    style = LabelStyle(traits=frozenset({"symlog-plain" if plain else "symlog-superscript"}))
    t = (y / reach + 1) / 2
    return _finish(
        rng,
        "symlog",
        _nodes(inverse),
        t,
        values,
        style,
        np.zeros(0),
        labels=labels,
        diverging=True,
        extend=_extend(rng),
    )


def _power(rng: np.random.Generator) -> ScalePlan:
    gamma = float(rng.choice([0.5, 0.5, 1 / 3, 0.4, 2]))
    step = _step(rng)
    if rng.random() < 0.5:
        counts = np.arange(0, int(rng.integers(4, 9)))
    else:
        counts = np.array([0, 1, 2, 5, 10, 20, 50, 100])[: int(rng.integers(5, 9))]
    values = counts * step
    high = values[-1] * (1 if rng.random() < 0.6 else rng.uniform(1, 1.15))
    style = choose_style(rng, values, step)
    nodes = _nodes(lambda t: high * t ** (1 / gamma))
    t = (values / high) ** gamma
    return _finish(rng, "power", nodes, t, values, style, np.zeros(0), extend=_extend(rng, 0.25))


def _piecewise(rng: np.random.Generator) -> ScalePlan:
    step = _step(rng)
    below, above = int(rng.integers(2, 5)), int(rng.integers(3, 8))
    ratio = float(rng.choice([1, 2, 5]))
    values = np.concatenate([-np.arange(below, 0, -1) * step, np.arange(above + 1) * step * ratio])
    t = np.concatenate([0.5 - 0.5 * np.arange(below, 0, -1) / below, 0.5 + 0.5 * np.arange(above + 1) / above])
    style = choose_style(rng, values, step)
    nodes = _nodes(lambda x: np.interp(x, t, values))
    return _finish(rng, "piecewise", nodes, t, values, style, np.zeros(0), diverging=True, extend=_extend(rng))


_LADDERS: tuple[Sequence[float], ...] = (
    (0, 1, 2, 5, 10, 20, 50, 100),
    (1, 2, 4, 8, 16, 32, 64),
    (0, 0.1, 0.2, 0.5, 1, 2, 5),
    (0, 5, 10, 25, 50, 100, 200, 400),
    (-100, -50, -20, -10, 10, 20, 50, 100),
    (0, 10, 20, 30, 50, 75, 100, 150, 200, 300),
    (-6, -4, -2, -1, -0.5, 0.5, 1, 2, 4, 6),
    (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
    (0, 200, 500, 1000, 1500, 2000, 3000, 4000, 6000),
)


def _classes(rng: np.random.Generator, irregular: bool = False) -> ScalePlan:
    if irregular:
        edges = np.array(_LADDERS[int(rng.integers(len(_LADDERS)))]) * 10.0 ** int(rng.choice([-2, 0, 0, 0, 1]))
        step = float(np.min(np.diff(edges)))
        even = rng.random() < 0.7
    else:
        edges, step, _ = _ladder(rng, int(rng.integers(5, 17)))
        even = True
    t = np.linspace(0, 1, len(edges)) if even else (edges - edges[0]) / (edges[-1] - edges[0])
    style = choose_style(rng, edges, step)
    extend = _extend(rng, 0.5)
    boxes = extend != (False, False) and rng.random() < 0.45
    nodes = _nodes(lambda x: np.interp(x, t, edges))
    traits = {"irregular"} if irregular else set()
    if boxes:
        traits.add("end-boxes")
    labels: list[str] | None = None
    where = str(rng.choice(["edges", "second", "centres", "ranges"], p=[0.68, 0.14, 0.13, 0.05]))
    ticks, values = t, edges
    if where == "second":
        ticks, values = t[::2], edges[::2]
    elif where in ("centres", "ranges") and even and not irregular:
        ticks, values = (t[1:] + t[:-1]) / 2, (edges[1:] + edges[:-1]) / 2
        traits.add(f"class-{where}")
        if where == "ranges":
            texts = format_labels(edges, style)
            labels = [f"{a}–{b}" for a, b in itertools.pairwise(texts)]
        else:
            style = choose_style(rng, values, step / 2)
    style = replace(style, traits=style.traits | traits)
    return _finish(
        rng,
        "classes",
        nodes,
        ticks,
        values,
        style,
        np.zeros(0),
        labels=labels,
        extend=extend,
        edges=(t, edges),
        end_boxes=boxes,
        diverging=bool(edges[0] < 0),
    )


def _finish(
    rng: np.random.Generator,
    norm: str,
    nodes: tuple[Array, Array],
    tick_t: Array,
    values: Array,
    style: LabelStyle,
    minor_t: Array,
    *,
    labels: Sequence[str] | None = None,
    edges: tuple[Array, Array] | None = None,
    **more: object,
) -> ScalePlan:
    quantity, unit = TITLES[int(rng.integers(len(TITLES)))]
    draw = rng.random()
    if draw < 0.2:
        quantity, unit = "", ""
    elif draw < 0.35:
        quantity = ""
    elif draw < 0.45:
        unit = ""
    if style.suffix in ("%", "°", "°C"):
        unit = ""
    if style.unit_power:
        unit = f"10^{{{style.unit_power}}} {unit}".strip()
    texts = tuple(labels) if labels is not None else format_labels(values, style)

    def printed(numbers: Array) -> Array:
        return np.asarray(numbers / style.unit_factor + style.offset, float)

    traits = style.traits | {norm} | ({"minor"} if len(minor_t) else set())
    return ScalePlan(
        norm,
        nodes[0],
        printed(nodes[1]),
        tick_t,
        printed(values),
        texts,
        minor_t,
        None if edges is None else edges[0],
        None if edges is None else printed(edges[1]),
        quantity,
        unit,
        style.factor,
        style.offset,
        style.factor_text,
        style.unit_factor,
        traits=frozenset(traits),
        **more,  # type: ignore[arg-type]
    )


def plan_scale(rng: np.random.Generator, kind: str | None = None) -> ScalePlan:
    """A random scale, of one of :data:`KINDS` if a kind is given."""
    kind = kind or _pick(rng, KINDS)
    makers: dict[str, Callable[[np.random.Generator], ScalePlan]] = {
        "linear": _linear,
        "log": _log,
        "symlog": _symlog,
        "power": _power,
        "piecewise": _piecewise,
        "classes": _classes,
        "irregular": lambda r: _classes(r, irregular=True),
    }
    plan = makers[kind](rng)
    return plan.flipped() if rng.random() < 0.05 else plan


def thin_labels(plan: ScalePlan, length: float, extents: Sequence[float]) -> ScalePlan:
    """Leave out ticks so that labels of the given extents (pixels along a bar of `length`) do not touch."""
    half = np.asarray(extents) / 2
    at = plan.tick_t * length
    for every in range(1, len(at) + 1):
        anchor = 0
        if plan.norm in ("symlog", "piecewise") and 0 in plan.tick_values:
            anchor = int(np.flatnonzero(plan.tick_values == 0)[0]) % every
        keep = np.arange(anchor, len(at), every)
        if len(keep) < 3:
            break
        if np.all(np.diff(at[keep]) >= half[keep][1:] + half[keep][:-1]):
            return _keeping(plan, keep)
    return _keeping(plan, np.array([0, len(at) - 1])) if len(at) > 1 else plan


def _keeping(plan: ScalePlan, keep: NDArray[np.int_]) -> ScalePlan:
    labels = tuple(plan.labels[k] for k in keep)
    return replace(plan, tick_t=plan.tick_t[keep], tick_values=plan.tick_values[keep], labels=labels)
