"""The drawer of figures tells the truth about bars, labels and frames."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from drawing.figure_labels import plain_text
from drawing.figure_layouts import LAYOUTS, plan_figure
from drawing.figure_plans import FigurePlan
from drawing.figure_scales import KINDS, ScalePlan, plan_scale
from drawing.figure_scenery import colors_at
from drawing.figures import PLOTTERS, DrawnFigure, draw_figure, plotters_here
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from tests.bench.reading import BarReading, FigureReading, describe_scores, score_figure


def _is_quick(plan: FigurePlan) -> bool:
    return plan.size[0] < 760 and len(plan.panels) == 1


SEEDS = [seed for seed in range(200, 300) if _is_quick(plan_figure(seed))][:5]


#: Laid askew on the scanner, whoever draws it.
TURNED = 304


@functools.cache
def _drawn(seed: int, plotter: str) -> tuple[FigurePlan, DrawnFigure]:
    return plan_figure(seed), draw_figure(seed, plotter)


def _figures(plotter: str) -> list[tuple[FigurePlan, DrawnFigure]]:
    return [_drawn(seed, plotter) for seed in SEEDS]


def _upright_at(figure: DrawnFigure, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours of the pixels under upright points."""
    cols, rows = np.floor(figure.to_picture(points)).astype(int).T
    height, width = figure.pixels.shape[:2]
    return figure.pixels[np.clip(rows, 0, height - 1), np.clip(cols, 0, width - 1)].astype(float)


def _along(
    box: tuple[float, float, float, float], axis: str, places: NDArray[np.float64], lane: float
) -> NDArray[np.float64]:
    left, top, right, bottom = box
    if axis == "horizontal":
        return np.stack([places, np.full_like(places, top + lane * (bottom - top))], axis=1)
    return np.stack([np.full_like(places, left + lane * (right - left)), places], axis=1)


def _value_of(label: str, plan: ScalePlan) -> float:
    """A label read as a person would, with what is printed beside the bar."""
    text = label.strip("<>≤≥").removesuffix("+")
    for unit in ("°C", "°", "%", " m"):
        text = text.removesuffix(unit)
    text = text.strip().replace("−", "-")
    if "decimal-comma" in plan.traits:
        text = text.replace(".", "").replace(",", ".")
    elif "thousands" in plan.traits:
        text = text.replace(",", "").replace(" ", "").replace("'", "")
    runs = plain_text(text)
    if len(runs) == 2:
        base = runs[0][0].removesuffix("10")
        mantissa = {"": 1.0, "-": -1.0}.get(base) or float(base.rstrip("×"))
        number = mantissa * 10.0 ** int(runs[1][0])
    else:
        number = float(text)
    return number * plan.factor + plan.offset


@pytest.mark.parametrize("kind", KINDS)
def test_labels_say_the_values(kind: str) -> None:
    """Read back, every label with its factor is the value at its tick."""
    checked = 0
    for seed in range(250):
        plan = plan_scale(np.random.default_rng(seed), kind)
        if plan.traits & {"class-ranges"}:
            continue
        read = [_value_of(label, plan) for label in plan.labels]
        span = abs(plan.node_values[-1] - plan.node_values[0])
        assert_allclose(read, plan.tick_values, rtol=1e-6, atol=1e-6 * span, err_msg=f"seed {seed}: {plan.labels}")
        checked += 1
    assert checked > 150


@pytest.mark.parametrize("kind", KINDS)
def test_ticks_lie_where_the_scale_says(kind: str) -> None:
    for seed in range(60):
        plan = plan_scale(np.random.default_rng(seed), kind)
        sign = np.sign(plan.node_values[-1] - plan.node_values[0])
        places = np.interp(sign * plan.tick_values, sign * plan.node_values, plan.node_t)
        assert_allclose(places, plan.tick_t, atol=0.002)
        assert np.all(np.diff(plan.tick_t) > 0)
        assert plan.tick_t[0] > -1e-6
        assert plan.tick_t[-1] < 1 + 1e-6


@pytest.mark.parametrize("plotter", plotters_here())
def test_ticks_and_boxes_fit_together(plotter: str) -> None:
    for _, figure in _figures(plotter):
        height, width = figure.pixels.shape[:2]
        for number, bar in enumerate(figure.bars):
            start = bar.box[0 if bar.axis == "horizontal" else 1]
            assert np.all(np.diff(bar.tick_positions) > 0)
            assert len(bar.tick_positions) == len(bar.tick_values) == len(bar.tick_labels) >= 2
            assert_allclose(bar.scale.share_of(bar.tick_values), (bar.tick_positions - start) / bar.length, atol=0.01)
            polygon = figure.bar_polygon(number)
            assert polygon.min() >= -1
            assert polygon[:, 0].max() <= width + 1
            assert polygon[:, 1].max() <= height + 1
            assert_allclose(figure.to_upright(figure.to_picture(polygon)), polygon, atol=1e-6)
        assert {panel.bar for panel in figure.panels} == set(range(len(figure.bars)))


@pytest.mark.parametrize("plotter", plotters_here())
def test_the_bar_has_its_colours_where_the_truth_says(plotter: str) -> None:
    """Along its middle line a bar's pixels are its palette's; a shift of 2 % of its length would be seen."""
    checked = 0
    for plan, figure in _figures(plotter):
        for drawn, bar in zip(plan.bars, figure.bars, strict=True):
            if drawn.tick == "through" or drawn.scale.extend != bar.extend[:: -1 if drawn.vertical else 1]:
                continue  # lines across the bar, or a plotter without open ends, whose classes have other colours
            share = np.linspace(0.03, 0.97, 150)
            first = 0 if bar.axis == "horizontal" else 1
            places = bar.box[first] + share * bar.length
            seen = _upright_at(figure, _along(bar.box, bar.axis, places, 0.5))
            t = 1 - share if drawn.vertical else share
            apart = [
                np.median(np.abs(seen - colors_at(drawn, (t + shift).astype(np.float32))))
                for shift in (0.0, 0.02, -0.02)
            ]
            assert apart[0] <= (12 if figure.lossy else 6), (plan.seed, apart)
            if drawn.scale.edges_t is None:
                assert apart[0] <= min(apart[1:]) + 1, (plan.seed, apart)
            checked += 1
    assert checked >= 2


@pytest.mark.parametrize("plotter", plotters_here())
def test_the_bar_ends_where_the_truth_says(plotter: str) -> None:
    """Just inside the end of a closed bar there is colour, a line and two pixels outside there is paper."""
    checked = 0
    for plan, figure in _figures(plotter):
        for drawn, bar in zip(plan.bars, figure.bars, strict=True):
            if bar.extend != (False, False) or plan.layout in ("inside", "imagery"):
                continue
            first = 0 if bar.axis == "horizontal" else 1
            step = plan.line_px / 2 + (6 if figure.lossy else 2)
            ends = np.array([bar.box[first] - step, bar.box[first + 2] + step])
            assert _upright_at(figure, _along(bar.box, bar.axis, ends, 0.5)).min() > (225 if figure.lossy else 250)
            if drawn.outline == "black":
                edge = np.array([bar.box[first], bar.box[first + 2]])[:, None] + np.linspace(-1.5, 1.5, 7)
                ink = _upright_at(figure, _along(bar.box, bar.axis, edge.ravel(), 0.5)).mean(axis=1).reshape(2, 7)
                assert ink.min(axis=1).max() < 200, (plan.seed, ink)
            checked += 1
    assert checked >= 1


@pytest.mark.parametrize("plotter", plotters_here())
def test_frames_are_lines_where_the_truth_says(plotter: str) -> None:
    checked = 0
    for _, figure in _figures(plotter):
        for panel in figure.panels:
            if not panel.framed or panel.outline is not None:
                continue
            left, top, right, bottom = panel.box
            share = np.linspace(0.05, 0.95, 60)
            reach = np.linspace(-2, 2, 9)
            for x, y in ((left, None), (right, None), (None, top), (None, bottom)):
                if x is not None:
                    cols, rows = np.meshgrid(x + reach, top + share * (bottom - top))
                else:
                    cols, rows = np.meshgrid(left + share * (right - left), y + reach, indexing="ij")
                seen = _upright_at(figure, np.stack([cols.ravel(), rows.ravel()], axis=1)).mean(axis=1).reshape(60, 9)
                assert np.mean(seen.min(axis=1) < 140) > 0.9, (figure.seed, x, y)
            checked += 1
    assert checked >= 2


@pytest.mark.parametrize("plotter", plotters_here())
def test_the_same_seed_draws_the_same_figure(plotter: str) -> None:
    again = draw_figure(SEEDS[0], plotter)
    assert_array_equal(again.pixels, _drawn(SEEDS[0], plotter)[1].pixels)
    assert again.data == _drawn(SEEDS[0], plotter)[1].data


def test_seeds_reach_every_layout_and_kind() -> None:
    plans = [plan_figure(seed) for seed in range(150)]
    assert {plan.layout for plan in plans} == set(LAYOUTS)
    traits = frozenset().union(*(plan.traits for plan in plans))
    wanted = {"factor", "unit-power", "offset", "turned", "two-label", "no-marks", "faint-marks", "end-boxes", "minor"}
    assert wanted | set(KINDS) - {"irregular"} <= traits
    widths = [plan.size[0] for plan in plans]
    assert min(widths) < 500
    assert max(widths) >= 3000


def test_a_scan_is_turned_with_its_truth() -> None:
    figure = draw_figure(TURNED, "hand")
    turn = figure.scan[:, :2]
    assert_allclose(turn @ turn.T, np.eye(2), atol=1e-9)
    assert 0.2 <= abs(figure.rotation) <= 3
    x_axis = figure.to_picture([[1, 0]]) - figure.to_picture([[0, 0]])
    assert_allclose(np.degrees(np.arctan2(-x_axis[0, 1], x_axis[0, 0])), figure.rotation, atol=1e-9)


def test_an_unknown_plotter_or_layout_is_named() -> None:
    with pytest.raises(LookupError, match=r"No plotter 'paint' here; there are matplotlib"):
        draw_figure(1, "paint")
    with pytest.raises(LookupError, match="No layout 'spiral'"):
        draw_figure(1, "matplotlib", "spiral")
    assert set(plotters_here()) <= set(PLOTTERS)


def _read_perfectly(figure: DrawnFigure, gain: float = 1.0, shift: float = 0.0) -> FigureReading:
    """The truth as a reading, its values too large by a share of the range, its frames shifted."""
    bars = []
    for bar in figure.bars:
        more = gain * abs(bar.scale.values[-1] - bar.scale.values[0]) - abs(bar.scale.values[-1] - bar.scale.values[0])
        bars.append(BarReading(bar.box, bar.axis, True, lambda at, bar=bar, more=more: bar.value_at(at) + more))
    frames = [panel.polygon + shift for panel in figure.panels]
    return FigureReading(bars, frames, 0.1, figure.to_upright)


def test_readings_are_scored_by_the_truth() -> None:
    figure = next(f for _, f in _figures("matplotlib") if f.bars[0].norm == "linear")
    good = score_figure(figure, _read_perfectly(figure))
    assert all(bar.found and bar.accepted and bar.error_percent < 0.01 for bar in good.bars)
    assert not good.wrong
    assert all(good.rectangles + good.outlines)
    bad = score_figure(figure, _read_perfectly(figure, gain=1.03, shift=6.0))
    assert bad.wrong
    assert_allclose(bad.bars[0].error_percent, 3, atol=0.01)
    assert not any(bad.rectangles + bad.outlines)
    left, top, right, _ = figure.panels[0].box
    elsewhere = BarReading((left, top, right, top + 9), "horizontal", True, lambda at: at)
    stray = score_figure(figure, FigureReading([elsewhere], (), 0.1, figure.to_upright))
    assert (stray.false_bars, stray.wrong, stray.bars[0].found) == (1, True, False)
    report = describe_scores([good, bad, stray])
    assert f"WRONG    {figure.seed}" in report
    assert "accepted that are no bars" in report
    assert "MISSED" in report
