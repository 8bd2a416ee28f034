"""The order of a scale's colours found from the map alone, or refused with the share that is explained."""

import numpy as np
import pytest
from matplotlib import colormaps

from geocbar.errors import InvalidInputError
from geocbar.value.recovery import calm_colors, recover_colors
from geocbar.value.scale import ColorScale
from tests.drawing import decode, encode


def hills(shape: tuple[int, int] = (300, 400)) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]] / 100
    z = np.sin(1.7 * x + 0.4 * y) + np.sin(2.3 * y - x) + 0.5 * np.sin(3.1 * x)
    return (z - z.min()) / np.ptp(z)


def draw(name: str, z: np.ndarray) -> np.ndarray:
    return np.array(colormaps[name](z, bytes=True)[..., :3])


def places(colors: np.ndarray, name: str) -> np.ndarray:
    """Place in a colormap of the nearest colour."""
    table = colormaps[name](np.arange(256))[:, :3] * 255
    return ((colors[:, None] - table) ** 2).sum(axis=2).argmin(axis=1) / 255


@pytest.mark.parametrize("name", ["viridis", "jet", "RdBu", "terrain"])
@pytest.mark.parametrize("quality", [None, 75])
def test_colors_come_in_order(name, quality):
    picture = draw(name, hills())
    picture[:, 200] = 0
    picture[60:90, 60:160] = (215, 190, 160)
    if quality:
        picture = decode(encode(picture, "jpeg", quality=quality, subsampling="4:2:0"))
    found = recover_colors(picture, None, lossy=quality is not None)
    at = places(found.colors, name)
    at = at if at[-1] > at[0] else at[::-1]
    assert at[0] < 0.05
    assert at[-1] > (0.95 if quality is None else 0.85)  # JPEG blurs the summits, which are small
    assert np.min(np.diff(at)) > (-0.01 if quality is None else -0.05)
    assert found.kept > 0.9
    assert found.quality > 0.8
    assert found.positions[[0, -1]] == pytest.approx([0, 1])
    assert "order" in found.sentence
    assert not found.colors.flags.writeable
    ColorScale.from_colors(found.colors, found.positions, vmin=0, vmax=1)


def test_places_are_near_for_an_even_colormap():
    found = recover_colors(draw("plasma", hills()), None, lossy=False)
    at = places(found.colors, "plasma")
    positions = found.positions if at[-1] > at[0] else 1 - found.positions
    assert np.sqrt(np.mean((positions - at) ** 2)) < 0.02


def test_same_picture_same_answer():
    picture = draw("turbo", hills())
    one, two = (recover_colors(picture, None, lossy=False) for _ in range(2))
    assert np.array_equal(one.colors, two.colors)


def test_colors_in_a_cloud_are_refused():
    z = np.stack([hills(), hills()[::-1], hills()[:, ::-1]], axis=-1)
    with pytest.raises(InvalidInputError, match=r"do not form one line: the best one explains \d+ %.*\n.*--colorbar"):
        recover_colors((z * 255).astype(np.uint8), None, lossy=False)


def test_broken_scale_is_refused():
    z = hills()
    ends = np.where(z < 0.5, 0.2 * z, 0.8 + 0.2 * z)
    with pytest.raises(InvalidInputError, match="of its length is empty"):
        recover_colors(draw("gray", ends), None, lossy=False)


def test_few_colors_are_refused():
    with pytest.raises(InvalidInputError, match="only 1 groups of colours"):
        recover_colors(np.full((50, 60, 3), 200, np.uint8), None, lossy=False)
    with pytest.raises(InvalidInputError, match="only 0 groups of colours"):
        recover_colors(draw("jet", hills()), np.zeros((300, 400), bool), lossy=False)


def test_lines_are_no_calm_colors_and_land_is_flat():
    picture = draw("viridis", hills())
    picture[::40] = (255, 0, 255)
    picture[100:120, 100:200] = (200, 200, 200)
    calm = calm_colors(picture, None, lossy=False)
    assert np.abs(calm.colors - [255, 0, 255]).sum(axis=1).min() > 50
    land = np.abs(calm.colors - 200).sum(axis=1).argmin()
    assert calm.is_flat[land]
    assert not calm.is_flat.all()
    assert calm.links.max() < len(calm.colors)
    assert len(calm_colors(picture, None, lossy=True).palette) == 0
