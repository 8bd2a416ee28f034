from __future__ import annotations

import matplotlib.colors
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.grid.thinning import quantize, thin
from geocbar.value.color import parse_color
from geocbar.value.norms import Norm, as_norm, split_scale
from geocbar.value.projection import project_colors
from geocbar.value.scale import ColorScale

KNOTS = ((0.0, -100.0), (0.3, -10.0), (0.5, 0.0), (0.9, 3000.0), (1.0, 4000.0))
NORMS = [
    (Norm(), (-5.0, 20.0)),
    (Norm("log"), (0.01, 100.0)),
    (Norm("symlog", linthresh=0.01), (-1.0, 10.0)),
    (Norm("symlog", linthresh=3, linscale=0.3), (0.0, 500.0)),
    (Norm("power", gamma=0.5, anchor=(0, 80)), (0.0, 80.0)),
    (Norm("power", gamma=3, anchor=(-2, 4)), (-2.0, 4.0)),
    (Norm("piecewise", knots=KNOTS), (-130.0, 4200.0)),
]


@pytest.mark.parametrize("linscale", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("linthresh", [0.01, 1.0, 30.0])
def test_symlog_is_that_of_matplotlib(linthresh: float, linscale: float) -> None:
    values = np.concatenate([np.linspace(-100, 400, 201), [linthresh, -linthresh, linthresh / 2, 0]])
    theirs = matplotlib.colors.SymLogNorm(linthresh, linscale=linscale, vmin=-100, vmax=400, base=10)
    scale = ColorScale([[0, 0, 0], [9, 9, 9]], [-100, 400], [-100, 400], Norm("symlog", linthresh, linscale))
    np.testing.assert_allclose(scale.to_unit(values), theirs(values), atol=1e-6)
    np.testing.assert_allclose(scale.from_unit(np.float32(theirs(values))), values, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("gamma", [0.3, 0.5, 1.0, 2.2])
def test_power_is_that_of_matplotlib_below_its_range_and_above_it(gamma: float) -> None:
    values = np.linspace(-8, 30, 100)
    theirs = matplotlib.colors.PowerNorm(gamma, -5, 20)
    norm = as_norm(f"power:{gamma}", (20, -5))
    np.testing.assert_allclose(norm.forward(values), theirs(values), atol=1e-9)
    np.testing.assert_allclose(norm.inverse(theirs(values)), values, atol=1e-9)


@pytest.mark.parametrize("center", [-8.0, 0.0, 30.0])
def test_two_slopes_are_three_knots(center: float) -> None:
    theirs = matplotlib.colors.TwoSlopeNorm(center, -10, 100)
    norm = Norm("piecewise", knots=((0, -10), (0.5, center), (1, 100)))
    values = np.linspace(-10, 100, 111)
    np.testing.assert_allclose(norm.forward(values), theirs(values), atol=1e-9)
    assert norm.inverse(1.5) == pytest.approx(100 + (100 - center))  # straight on beyond


@pytest.mark.parametrize(("norm", "limits"), NORMS, ids=str)
@given(share=st.floats(0, 1))
def test_value_to_color_and_back(norm: Norm, limits: tuple[float, float], share: float) -> None:
    low, high = norm.forward(limits)
    value = norm.inverse(low + share * (high - low))
    assert norm.forward(value) == pytest.approx(low + share * (high - low), abs=1e-9 * (high - low))
    # A smooth scale with values at both ends only, as from a palette: colours are even in the norm.
    scale = ColorScale(np.array([[0, 0, 0], [255, 255, 255]]), np.array(limits), np.array(limits), norm)
    color = scale.colors_at(value)
    assert np.abs(color - 255 * share).max() <= 0.501
    node, _ = project_colors(color[None].astype(np.float64), scale, np.eye(3))
    assert abs(scale.to_unit(scale.values_at(node))[0] - share) <= 0.5 / 255 + 1e-6
    assert scale.from_unit(scale.to_unit(value)) == pytest.approx(value, rel=1e-4, abs=1e-5 * scale.range)


@pytest.mark.parametrize(("norm", "limits"), NORMS, ids=str)
def test_sigma_says_how_far_values_spread(norm: Norm, limits: tuple[float, float]) -> None:
    """Against a thousand values moved by noise, everywhere along the scale, its ends included."""
    rng = np.random.default_rng(5)
    scale = ColorScale(np.array([[0, 0, 0], [255, 255, 255]]), np.array(limits), np.array(limits), norm)
    unit = np.linspace(0, 1, 41)
    noise = rng.normal(0, 0.01, (1000, 41))
    low, high = scale.even_limits
    values = norm.inverse(low + (high - low) * np.clip(unit + noise, 0, 1))
    spread = np.sqrt(np.mean((values - norm.inverse(low + (high - low) * unit)) ** 2, axis=0))
    at = scale.from_unit(unit.astype(np.float32))
    sigma = scale.sigma_from_unit(at, np.full(41, 0.01, np.float32))
    assert sigma.dtype == np.float32
    assert (sigma > 0.6 * spread).all()
    plain = sigma if norm.kind != "piecewise" else np.sqrt(sigma**2 - norm.doubt(norm.forward(at)) ** 2)
    assert (plain < 2.2 * spread).all()


def test_doubt_is_between_bent_knots_only() -> None:
    norm = Norm("piecewise", knots=((0, 0), (1, 1), (2, 2), (3, 3), (4, 13), (5, 23), (6, 33)))
    np.testing.assert_allclose(norm.doubt(np.arange(7)), 0, atol=1e-12)
    np.testing.assert_allclose(norm.doubt([0.5, 1.5, 4.5 + 1, 7.0]), 0, atol=1e-9)
    assert norm.doubt(2.5) > 0.02
    assert norm.doubt(3.5) > 0.3
    bent = Norm("piecewise", knots=((0, 0), (1, 1), (2, 4), (3, 9)))
    assert bent.doubt(4.0) > bent.doubt(3.5) > bent.doubt(3.1) > 0


def test_straight_lines_between_ticks_of_smooth_scales_are_off_as_much_as_is_said() -> None:
    within: list[NDArray[np.floating]] = []
    for width in (0.5, 1.0, 3.0):
        smooth = matplotlib.colors.AsinhNorm(width, 0, 100)
        ticks = np.array([0, 1, 2, 5, 10, 20, 50, 100])
        norm = Norm("piecewise", knots=tuple(zip(np.asarray(smooth(ticks)).tolist(), ticks.tolist(), strict=True)))
        even = np.linspace(0.001, 0.999, 500)
        within.append(np.abs(norm.inverse(even) - smooth.inverse(even)) / norm.doubt(even))
    ratio = np.concatenate(within)
    assert 0.5 < (ratio < 1).mean() < 0.9
    assert (ratio < 2).mean() > 0.9


def test_thinning_counts_levels_and_slopes_in_the_even_coordinate() -> None:
    values = np.array([[0.0, 1.0, 24.0, 26.0, 80.0, 100.0]])
    assert quantize(values, (0, 100), 4, norm="power:0.5").tolist() == [[0, 0, 1, 2, 3, 3]]
    signs = np.array([[-100.0, -11.0, -9.0, 0.0, 9.0, 100.0]])
    assert quantize(signs, (-100, 100), 4, norm=Norm("symlog", linthresh=10.0)).tolist() == [[0, 0, 1, 2, 2, 3]]
    ramp = np.tile(Norm("symlog", linthresh=1).inverse(np.linspace(-3, 3, 61)), (40, 1))  # 0.1 decades a pixel
    symlog = Norm("symlog", linthresh=1)
    options = {"limits": (-100, 100), "norm": symlog, "n_levels": 8, "smoothing": 0, "max_error": None}
    assert len(thin(ramp, tolerance=0.11, **options)) > 8
    with pytest.raises(InvalidInputError, match="No cluster"):
        thin(ramp, tolerance=0.09, **options)


def test_a_colormap_runs_by_a_norm_between_two_values() -> None:
    colors = [parse_color(c) for c in ("#000000", "#404040", "#808080")]
    power = ColorScale.from_colors(colors, vmin=100, vmax=0, scale="power:0.5")
    np.testing.assert_allclose(power.values, [100, 25, 0], atol=1e-9)
    assert str(power.norm) == "power 0.5"
    symlog = ColorScale.from_colors(colors, vmin=-10, vmax=10, scale="symlog:1")
    np.testing.assert_allclose(symlog.values, [-10, 0, 10], atol=1e-12)
    assert symlog.to_unit(1.0) == pytest.approx(0.5 + 0.5 * (1 / 0.9) / (1 / 0.9 + 1))
    own = ColorScale.from_colors(colors, [0, 25, 100], has_values=True, scale="power:0.5")
    assert own.values_at(1.5) == pytest.approx(56.25)
    with pytest.raises(InvalidInputError, match="Two end values do not determine a power scale"):
        ColorScale.from_colors(colors, vmin=0, vmax=1, scale="power")
    with pytest.raises(InvalidInputError, match="Two end values do not make a piecewise scale"):
        ColorScale.from_colors(colors, vmin=0, vmax=1, scale="piecewise")
    with pytest.raises(InvalidInputError, match="There is no scale 'auto'"):
        ColorScale.from_colors(colors, vmin=0, vmax=1, scale="auto")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cubic", "'cubic' is not one of 'auto', 'linear'"),
        ("linear:1", "The scale 'linear:1' cannot be read"),
        ("symlog:1:2:3", "The scale 'symlog:1:2:3' cannot be read"),
        ("symlog:nan", "linthresh of a symlog scale is nan, which is not above 0"),
        ("symlog:1:-1", "linscale of a symlog scale is -1, which is not above 0"),
        ("power:9", "exponent of a power scale is 9, which is not within 0.2 and 5"),
    ],
)
def test_scales_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        split_scale(text)


def test_norms_that_cannot_be() -> None:
    with pytest.raises(InvalidInputError, match="There is no scale 'discrete'"):
        Norm("discrete")
    with pytest.raises(InvalidInputError, match="do not run one way"):
        Norm("piecewise", knots=((0, 1), (1, 3), (2, 2)))
    with pytest.raises(InvalidInputError, match="A power scale from 3 to 3 has no length"):
        Norm("power", anchor=(3, 3))
    with pytest.raises(InvalidInputError, match="A log scale cannot hold -1"):
        Norm("log").forward([1, -1])
