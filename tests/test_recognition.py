"""Named colormaps recognised from a bar and from the picture alone: the right name or none."""

import numpy as np
import pytest
from matplotlib import colormaps

from geocbar.value.color import pack_colors
from geocbar.value.recognition import match_bar, recognize_colormap
from tests.drawing import decode, encode


def drawn_bar(name: str, length: int) -> np.ndarray:
    """A bar as matplotlib's canvas draws it: 256 steps, rounded."""
    table = np.floor(colormaps[name](np.arange(256))[:, :3] * 255 + 0.5)
    return table[((np.arange(length) + 0.5) * 256 / length).astype(int)]


def drawn_map(colors: np.ndarray, shape: tuple[int, int] = (300, 400)) -> np.ndarray:
    """Smooth hills that use the whole of a colormap, cut off to whole numbers as ``imshow`` does."""
    y, x = np.mgrid[: shape[0], : shape[1]] / 100
    z = np.sin(1.7 * x + 0.4 * y) + np.sin(2.3 * y - x) + 0.5 * np.sin(3.1 * x)
    z = (z - z.min()) / np.ptp(z)
    return colors[np.minimum((z * len(colors)).astype(int), len(colors) - 1)].astype(np.uint8)


def cut_off(name: str) -> np.ndarray:
    return (colormaps[name](np.arange(256))[:, :3] * 255).astype(np.uint8)


def home_made() -> np.ndarray:
    """A colormap nobody has given a name to."""
    nodes = np.array([[40, 200, 90], [250, 90, 200], [30, 40, 60], [240, 200, 20]], float)
    return np.stack([np.interp(np.linspace(0, 3, 256), range(4), nodes[:, k]) for k in range(3)], 1)


@pytest.mark.parametrize("name", ["viridis", "jet", "RdBu_r", "terrain", "gray", "turbo"])
def test_bar_is_named_with_its_direction(name):
    match = match_bar(drawn_bar(name, 431), lossy=False)
    assert match is not None
    expected = colormaps[name](np.arange(256))[:, :3] * 255
    assert np.abs(match.exact_colors - expected).max() < 1.01
    assert match.reversed == name.endswith("_r")
    backwards = match_bar(drawn_bar(name, 431)[::-1], lossy=False)
    assert backwards is not None
    assert backwards.name == match.name
    assert backwards.reversed != match.reversed


def test_ends_are_fitted_where_the_box_is_cut_or_too_long():
    bar = drawn_bar("plasma", 500)
    match = match_bar(bar, lossy=False)
    assert match.ends_at == pytest.approx((-0.5, 499.5), abs=0.3)
    cut = match_bar(bar[3:-2], lossy=False)
    assert cut.ends_at == pytest.approx((-3.5, 496.5), abs=0.4)
    # The middle of bin i is at the share (i + 0.5) / 256 of the bar.
    assert match.nodes_at == pytest.approx((np.arange(256) + 0.5) / 256 * 500 - 0.5, abs=0.4)


@pytest.mark.parametrize("quality", [90, 75])
def test_bar_is_named_after_jpeg(quality):
    page = np.full((60, 460, 3), 255, np.uint8)
    page[20:40, 14:446] = drawn_bar("YlGnBu", 432)[None]
    jpeg = decode(encode(page, "jpeg", quality=quality, subsampling="4:2:0"))
    match = match_bar(np.median(jpeg[25:35, 14:446], axis=0), lossy=True, noise=2.0)
    assert match is not None
    assert (match.name, match.reversed) == ("YlGnBu", False)


def test_unknown_and_cut_bars_get_no_name():
    table = home_made()
    assert match_bar(np.rint(table), lossy=False) is None
    assert match_bar(np.rint(table), lossy=True, noise=3.0) is None
    # GMT's jet has its corners where matplotlib's has them cut.
    at = np.linspace(0, 1, 400)
    corners = np.array([0, 0.125, 0.375, 0.625, 0.875, 1])
    rgb = np.array([[0, 0, 127.5], [0, 0, 255], [0, 255, 255], [255, 255, 0], [255, 0, 0], [127.5, 0, 0]])
    gmt = np.rint(np.stack([np.interp(at, corners, rgb[:, k]) for k in range(3)], 1))
    assert match_bar(gmt, lossy=False) is None
    assert match_bar(gmt, lossy=True, noise=3.0) is None
    assert match_bar(drawn_bar("viridis", 500)[:400], lossy=False) is None
    assert match_bar(drawn_bar("viridis", 20), lossy=False) is None


def test_the_table_that_occurs_in_the_map_is_taken():
    match = match_bar(drawn_bar("viridis", 400), lossy=False)
    exact = colormaps["viridis"](np.arange(256))[:, :3] * 255
    cut, rounded = np.floor(exact).astype(np.uint8), np.floor(exact + 0.5).astype(np.uint8)
    assert match.table(cut) == pytest.approx(cut)
    assert match.table(rounded) == pytest.approx(rounded)
    assert match.is_stepped(cut)
    between = np.rint((exact[1:] + exact[:-1]) / 2 + 0.4).astype(np.uint8)
    fresh = between[~np.isin(pack_colors(between), pack_colors(np.vstack([cut, rounded])))]
    assert not match.is_stepped(fresh)
    assert match.table(fresh) == pytest.approx(exact)
    assert not match.is_stepped(np.array([[255, 0, 0]], np.uint8))


@pytest.mark.parametrize("name", ["viridis", "jet", "coolwarm", "bwr", "gray", "terrain"])
def test_map_is_named_without_a_bar(name):
    picture = drawn_map(cut_off(name))
    picture[150, :] = 0
    picture[40:80, 40:120] = (200, 170, 140)
    found = recognize_colormap(picture, None, lossy=False)
    assert found.name == name
    assert found.score > 0.6
    assert found.explained > 0.9
    assert found.reversed is False


def test_map_is_named_after_jpeg():
    picture = decode(encode(drawn_map(cut_off("RdBu")), "jpeg", quality=75, subsampling="4:2:0"))
    assert recognize_colormap(picture, None, lossy=True).name == "RdBu"


def test_no_name_is_better_than_a_wrong_one():
    made = home_made()
    assert recognize_colormap(drawn_map(made), None, lossy=False).name is None
    # Grey after JPEG: many colormaps run from black to white, each with other values.
    grey = decode(encode(drawn_map(cut_off("gray")), "jpeg", quality=75, subsampling="4:2:0"))
    assert recognize_colormap(grey, None, lossy=True).name is None
    # A sixth of a colormap.
    assert recognize_colormap(drawn_map(cut_off("jet")[100:140]), None, lossy=False).name is None
    paper = np.full((50, 50, 3), 255, np.uint8)
    assert recognize_colormap(paper, np.zeros((50, 50), bool), lossy=False).name is None


def test_mask_leaves_out_what_is_not_the_map():
    both = np.concatenate([drawn_map(cut_off("viridis")), drawn_map(home_made())], axis=1)
    mask = np.zeros(both.shape[:2], bool)
    mask[:, :400] = True
    assert recognize_colormap(both, mask, lossy=False).name == "viridis"
