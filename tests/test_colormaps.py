"""Named colormaps: the catalogue's names, and the colours matplotlib draws."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps

from geocbar.errors import InvalidInputError, NotFoundError
from geocbar.value.colormaps import list_names, named_colors

# The catalogue stores the stops of these with other digits than matplotlib: (levels, bins) by which they differ.
OTHER_DIGITS = dict.fromkeys(["berlin", "Reds", "Wistia", "YlOrBr", "bone", "jet", "nipy_spectral", "Accent"], (1, 20))
OTHER_DIGITS |= {f"{name}_r": limit for name, limit in OTHER_DIGITS.items()}
OTHER_DIGITS |= {"gist_yarg_r": (1, 36), "gist_yerg_r": (1, 36), "gist_stern": (58, 256), "gist_stern_r": (58, 256)}


def test_colors_are_those_matplotlib_draws():
    names = list(colormaps)
    assert len(names) > 150
    for name in names:
        drawn = colormaps[name](np.arange(colormaps[name].N), bytes=True)[:, :3].astype(float)
        ours = named_colors(name)
        assert ours.colors.shape == drawn.shape, name
        off = np.abs(ours.colors - drawn)
        levels, bins = OTHER_DIGITS.get(name, (0, 0))
        assert off.max() <= levels, name
        assert np.count_nonzero(off.any(axis=1)) <= bins, name
        assert named_colors(f"matplotlib:{name}").name == ours.name


@pytest.mark.parametrize("name", sorted({name.removesuffix("_r") for name in OTHER_DIGITS}))
def test_catalogue_still_differs_from_matplotlib_where_stated(name):
    names = [name, f"{name}_r"]
    ours = np.concatenate([named_colors(each).colors for each in names])
    drawn = np.concatenate([colormaps[each](np.arange(colormaps[each].N), bytes=True)[:, :3] for each in names])
    assert np.any(ours != drawn)


def test_bins_stand_for_their_middle():
    viridis = named_colors("viridis")
    assert viridis.name == "bids:viridis"
    assert viridis.step == 1 / 256
    assert viridis.positions[[0, 255]] == pytest.approx([0.5 / 256, 255.5 / 256])
    assert not viridis.is_classes
    assert not viridis.colors.flags.writeable
    assert not viridis.positions.flags.writeable


@pytest.mark.parametrize(("name", "count"), [("tab10", 10), ("Set1", 9), ("Accent", 8), ("tab20", 20)])
def test_classes_are_not_resampled(name, count):
    for samples in (None, 256, 5):
        classes = named_colors(name, samples)
        assert classes.is_classes
        assert len(classes.colors) == count
        assert classes.step == 1 / count


def test_continuous_maps_are_resampled():
    five = named_colors("gray", 5)
    assert five.colors[:, 0].tolist() == [0, 63, 127, 191, 255]
    assert five.positions.tolist() == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    assert len(named_colors("twilight").colors) == 510
    assert len(named_colors("twilight", 256).colors) == 256


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("VIRIDIS", "bids:viridis"),
        ("cmocean:Thermal", "cmocean:thermal"),
        ("rdbu_R", "colorbrewer:RdBu_r"),
        ("colorbrewer:reds", "colorbrewer:Reds"),
        ("matplotlib:jet", "matlab:jet"),
        ("  nipy-spectral ", "matplotlib:nipy_spectral"),
    ],
)
def test_spellings(spelling, canonical):
    assert named_colors(spelling).name == canonical
    assert np.array_equal(named_colors(canonical).colors, named_colors(spelling).colors)


@given(st.sampled_from(list_names()))
def test_every_listed_name_opens_and_reverses(name):
    if name == "rainbow_discrete_1":
        with pytest.raises(InvalidInputError, match="'rainbow_discrete_1' has a single colour"):
            named_colors(name)
        return
    forward, backward = named_colors(name), named_colors(f"{name}_r")
    assert backward.name == f"{forward.name}_r"
    assert np.abs(forward.colors[::-1] - backward.colors).max() <= 1
    assert forward.colors.min() >= 0
    assert forward.colors.max() <= 255
    assert np.array_equal(forward.colors, np.rint(forward.colors))


def test_list_holds_short_and_contested_names():
    names = list_names()
    assert {"viridis", "Reds", "thermal", "paraview:coolwarm"} <= set(names)
    assert len(names) == len(set(names)) > 600


def test_contested_names_print_nothing(capfd, caplog):
    named_colors("rainbow")
    named_colors("coolwarm_r")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


@pytest.mark.parametrize(
    ("name", "wording"),
    [
        ("viridiss", r"no colormap 'viridiss' among the \d+ names known\.\n  Did you mean: viridis"),
        ("viridiss_r", "Did you mean: viridis_r"),
        ("cmocean:thermla", "Did you mean: thermal"),
        ("matplotlib:thermal", "Did you mean: thermal"),
        ("qqqqqq", "no colormap 'qqqqqq'.*\n  The names are those of https://cmap-docs"),
        ("", "no colormap ''"),
    ],
)
def test_unknown_names(name, wording):
    with pytest.raises(NotFoundError, match=wording) as caught:
        named_colors(name)
    assert caught.value.hint.count(",") <= 2


@pytest.mark.parametrize("samples", [1, 0, -3])
def test_too_few_samples(samples):
    with pytest.raises(InvalidInputError, match=f"cannot be drawn in {samples} steps"):
        named_colors("viridis", samples)


def test_catalogue_is_loaded_only_when_asked():
    code = "import sys, geocbar.value.colormaps; sys.exit('cmap' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
