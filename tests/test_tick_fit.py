from __future__ import annotations

import matplotlib.colors
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.value.codebook import best_scale, sample_colors
from geocbar.value.colorbar import Ticks, read_colorbar
from geocbar.value.inversion import Coding, invert
from geocbar.value.norms import Norm
from geocbar.value.tick_fit import TickFit, fit_norm

ENDS = (310.0, 10.0)  # a standing bar of 300 px


def fit(norm: Norm, values: list[float], scale: str = "auto", ends: tuple[float, float] = ENDS) -> TickFit:
    """The fit of ticks drawn without error; the bar runs from the first to the last value."""
    even = norm.forward(values)
    share = (even - even[0]) / (even[-1] - even[0])
    return fit_norm((ends[0] + share * (ends[1] - ends[0])).tolist(), values, ends, scale)


@settings(max_examples=40, deadline=None)
@given(st.floats(-3, 2), st.floats(0.5, 3), st.booleans())
def test_symlog_is_found(log_linthresh: float, decades: float, turned: bool) -> None:
    linthresh = 10**log_linthresh
    size = linthresh * 10**decades
    values = [-size, -linthresh / 2, 0.0, linthresh / 2, linthresh * 1.3, linthresh * 10 ** (decades / 2), size]
    found = fit(Norm("symlog", linthresh=linthresh), values, ends=ENDS[::-1] if turned else ENDS)
    assert found.norm.kind in ("symlog", "linear")
    even = Norm("symlog", linthresh=linthresh).forward([-size, size])
    at = np.linspace(ENDS[1 if turned else 0], ENDS[0 if turned else 1], 9)
    truth = Norm("symlog", linthresh=linthresh).inverse(np.linspace(*even, 9))
    if found.norm.kind == "symlog":
        assert found.norm.linthresh == pytest.approx(linthresh, rel=1e-3)
        np.testing.assert_allclose(found.values_at(at), truth, rtol=1e-3, atol=1e-6 * size)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([0.25, 0.33, 0.5, 0.7, 1.5, 2.0, 3.0]), st.floats(-50, 0), st.floats(0.1, 1000))
def test_power_is_found_between_the_ends_of_the_bar(gamma: float, low: float, span: float) -> None:
    norm = Norm("power", gamma=gamma, anchor=(low, low + span))
    shares = np.array([0.1, 0.35, 0.6, 0.8, 0.95])
    found = fit_norm((310 - 300 * shares).tolist(), norm.inverse(shares).tolist(), ENDS)
    assert found.norm.kind == "power"
    assert found.norm.gamma == pytest.approx(gamma, rel=1e-3)
    np.testing.assert_allclose(found.norm.anchor, (low, low + span), atol=1e-3 * span)


def test_a_bar_drawn_downwards_and_a_given_parameter() -> None:
    norm = Norm("power", gamma=0.5, anchor=(0, 100))
    down = fit_norm((310 - 300 * norm.forward([100, 0])).tolist(), [100, 0], ENDS[::-1], "power:0.5")
    np.testing.assert_allclose(down.values_at([310, 160, 10]), [0, 25, 100], atol=1e-6)
    symlog = fit(Norm("symlog", linthresh=2), [-100, 0, 100], "symlog:2")
    np.testing.assert_allclose(symlog.values_at([310, 160, 10]), [-100, 0, 100], atol=1e-9)
    assert str(fit(Norm("symlog", linthresh=2, linscale=0.5), [-50, -1, 50], "symlog:2:0.5").norm) == (
        "symlog, linear within ±2"
    )


def test_a_power_scale_bears_ticks_half_a_pixel_off() -> None:
    rng = np.random.default_rng(2)
    norm = Norm("power", gamma=0.5, anchor=(0, 100))
    values = [0.0, 20, 40, 60, 80, 100]
    shares = np.linspace(0, 1, 201)
    for _ in range(20):
        at = 310 - 300 * norm.forward(values) + rng.normal(0, 0.5, 6)
        found = fit_norm(at.tolist(), values, ENDS)
        assert found.norm.kind == "power"
        error = found.values_at(310 - 300 * shares) - norm.inverse(shares)
        sigma = found.norm.spread(
            np.clip(found.norm.inverse(shares), *found.norm.anchor), np.full(201, 0.5 / 300), found.norm.anchor
        )
        assert np.abs(error).max() < 1.2
        assert (np.abs(error) < 3 * sigma).all()


def test_what_is_taken_for_what() -> None:
    assert fit(Norm(), [0, 1, 2, 3, 4]).norm.kind == "linear"
    assert fit(Norm("log"), [1, 10, 100]).norm.kind == "log"
    power = fit(Norm("power", gamma=1 / 3, anchor=(2, 70)), [2, 10, 20, 30, 40, 50, 60, 70])
    assert str(power.norm) == "power 0.3333"  # though a log scale is not 2 % off
    asinh = matplotlib.colors.AsinhNorm(0.1, -10, 10)
    values = [-10, -1, -0.1, 0, 0.1, 1, 10]
    found = fit_norm((310 - 300 * np.asarray(asinh(values))).tolist(), values, ENDS)
    assert found.norm.kind == "piecewise"
    np.testing.assert_allclose(found.values_at(310 - 300 * np.asarray(asinh(values))), values, atol=1e-9)
    for kind in ("symlog", "power", "piecewise"):
        assert fit(Norm("symlog", linthresh=1), [0, 1, 50], kind).norm.kind == kind


@pytest.mark.parametrize("which", range(6))
def test_a_slip_is_named_and_not_bent_after(which: int) -> None:
    for kind, values in (("linear", [0.0, 10, 20, 30, 40, 50]), ("log", [0.1, 1.0, 10, 100, 1000, 10000])):
        at = np.linspace(310, 10, 6).tolist()
        at[which] += 14
        with pytest.raises(InvalidInputError, match=f"on a {kind} scale: {values[which]:g} is .* of the bar") as error:
            fit_norm(at, values, ENDS)
        assert error.value.hint == "Check the ticks' values and pixels; if they are right: --scale piecewise"
        assert fit_norm(at, values, ENDS, "piecewise").norm.kind == "piecewise"


def test_ticks_that_cannot_be() -> None:
    with pytest.raises(InvalidInputError, match=r"do not lie on a linear scale: 10 is .* % of the bar") as error:
        fit_norm([310, 160, 10], [0, 10, 100], ENDS)  # any of the three may be wrong
    assert "--scale piecewise" in error.value.hint
    with pytest.raises(InvalidInputError, match="do not lie on a linear scale") as error:
        fit(Norm("power", gamma=0.5, anchor=(0, 100)), [0, 10, 50, 100], "linear")
    assert error.value.hint == "They fit a power scale: --scale power"
    with pytest.raises(InvalidInputError, match="do not lie on a symlog scale"):
        fit_norm([310, 200, 150, 10], [-100, 0, 1, 100], ENDS, "symlog:90")
    with pytest.raises(InvalidInputError, match="do not run one way"):
        fit_norm([310, 200, 250, 120, 10], [0, 1, 7, 20, 400], ENDS)
    for kind in ("symlog", "power", "piecewise"):
        with pytest.raises(InvalidInputError, match=f"do not determine a {kind} scale: it needs 3 ticks"):
            fit_norm([310, 10], [0, 1], ENDS, kind)


def draw(
    norm: matplotlib.colors.Normalize, ticks: list[float], unit: NDArray[np.float64], cmap: str
) -> tuple[NDArray[np.uint8], NDArray[np.float64], PixelBox, PixelBox, Ticks]:
    """Matplotlib's map of the norm's values, with a bar beside it: picture, truth, frame, bar and ticks."""
    height, width = unit.shape
    full = width + 200, height + 80
    figure = Figure(figsize=(full[0] / 100, full[1] / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((40 / full[0], 40 / full[1], width / full[0], height / full[1]))
    if isinstance(norm, matplotlib.colors.BoundaryNorm):
        truth = np.interp(unit, np.linspace(0, 1, len(norm.boundaries)), norm.boundaries)
    else:
        truth = np.asarray(norm.inverse(unit))
    image = axes.imshow(truth, norm=norm, cmap=cmap, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    beside = figure.add_axes((1 - 120 / full[0], 40 / full[1], 24 / full[0], height / full[1]))
    figure.colorbar(image, cax=beside, ticks=ticks)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    at = [full[1] - float(beside.transData.transform((0, tick))[1]) for tick in ticks]
    extent = beside.get_window_extent()
    bar = PixelBox(extent.x0, full[1] - extent.y1, extent.x1, full[1] - extent.y0)
    return pixels, truth, PixelBox(40, 40, 40 + width, 40 + height), bar, Ticks(tuple(at), tuple(map(float, ticks)))


FINE = np.concatenate([np.linspace(0, 10, 128, endpoint=False), np.linspace(10, 300, 129)])
BARS = [
    (matplotlib.colors.SymLogNorm(0.01, vmin=-1, vmax=1, base=10), [-1, -0.1, -0.01, 0, 0.01, 0.1, 1], "symlog"),
    (matplotlib.colors.SymLogNorm(2, vmin=0, vmax=500, base=10), [0, 1, 5, 10, 50, 100, 500], "symlog"),
    (matplotlib.colors.PowerNorm(0.5, 0, 100), [0, 20, 40, 60, 80, 100], "power"),
    (matplotlib.colors.PowerNorm(2, -5, 5), [-4, -2, 0, 2, 4], "power"),
    (matplotlib.colors.TwoSlopeNorm(0, -100, 4000), [-100, -50, 0, 1000, 2000, 3000, 4000], "piecewise"),
    (matplotlib.colors.TwoSlopeNorm(0, -8, 2), [-8, -6, -4, -2, 0, 1, 2], "piecewise"),
    (matplotlib.colors.BoundaryNorm(FINE, 256), [0, 5, 10, 100, 200, 300], "piecewise"),
]


@pytest.mark.parametrize("cmap", ["viridis", "RdBu_r"])
@pytest.mark.parametrize(("norm", "ticks", "kind"), BARS)
def test_maps_of_matplotlib_are_read(
    norm: matplotlib.colors.Normalize, ticks: list[float], kind: str, cmap: str
) -> None:
    y, x = np.mgrid[:240, :300]
    waves = np.sin(x / 37) + np.cos(y / 29) + 0.4 * np.sin((x + y) / 61)
    pixels, truth, frame, box, known = draw(norm, ticks, (waves - waves.min()) / np.ptp(waves), cmap)
    coding = Coding()
    bar = read_colorbar(pixels, box)
    sample = sample_colors(pixels[frame.slices(*pixels.shape[1::-1])])
    scale = best_scale(bar, sample, lossy=False, metric=coding.metric, ticks=known)
    assert scale.norm.kind == kind
    found = invert(pixels, scale, coding=coding, frame=frame, bar=bar.box, bar_length_px=abs(bar.ends[1] - bar.ends[0]))
    rows, cols = frame.slices(*pixels.shape[1::-1])
    values, sigma = found.values[rows, cols], found.sigma[rows, cols]
    valid = np.isfinite(values)
    assert valid.mean() > 0.98
    even = scale.to_unit(values[valid]) - scale.to_unit(truth[valid])
    assert np.sqrt(np.mean(even**2)) < 0.003
    off = np.abs(values - truth)[valid] / sigma[valid]
    assert (off < 1).mean() > 0.55
    assert (off < 2).mean() > 0.94
    np.testing.assert_allclose(scale.to_unit([norm.vmin, norm.vmax]), [0, 1], atol=0.005)
