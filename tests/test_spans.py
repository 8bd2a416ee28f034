from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from geocbar.grid.mesh import Surface, build_mesh, measure_misfit, mesh_errors, share_pixels
from geocbar.grid.spans import PixelLattice, TriangleRows


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(5, 40),
    st.integers(5, 40),
    st.integers(1, 4),
    st.integers(4, 60),
    st.booleans(),
)
def test_spans_say_what_looking_up_says(
    seed: int, height: int, width: int, step: int, n_points: int, whole: bool
) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, [width, height], (n_points, 2))
    points = np.unique(np.floor(points), axis=0) if whole else points - 0.5
    try:
        found = Delaunay(points)
    except Exception:
        return
    lattice = PixelLattice(height, width, step, seed % step, seed // 7 % step)
    cutter = TriangleRows(points[found.simplices, 0], points[found.simplices, 1], lattice)
    rows, cols = lattice.shape
    middle = rows // 2
    parts = [cutter.cut(0, middle), cutter.cut(middle, rows)] if middle else [cutter.cut(0, rows)]
    labels = np.concatenate([np.repeat(part.triangle, part.length) for part in parts])
    assert len(labels) == rows * cols
    flat = lattice.flat(np.arange(len(labels)))
    np.testing.assert_array_equal(lattice.place(flat), np.arange(len(labels)))
    places = np.stack([flat % width, flat // width], axis=1).astype(float)
    inside = found.find_simplex(places, tol=1e-7) >= 0
    np.testing.assert_array_equal(labels[~inside], -1)
    assert np.count_nonzero(labels[inside] < 0) == np.count_nonzero(
        found.find_simplex(places[inside][labels[inside] < 0], tol=-1e-9) >= 0
    ), "only pixels on the rim may fall outside by rounding"
    held = labels >= 0
    inverse = found.transform[labels[held]]
    shares = np.einsum("nij,nj->ni", inverse[:, :2], places[held] - inverse[:, 2])
    if held.any() and np.isfinite(shares).all():
        assert min(shares.min(), (1 - shares.sum(axis=1)).min()) > -1e-6


def test_all_pixels_of_a_rectangle_lie_in_its_triangles() -> None:
    corners = np.array([[0.5, 0.5], [9.5, 0.5], [0.5, 6.5], [9.5, 6.5], [4.5, 3.5]])
    values = corners @ [2.0, 3.0]
    row, col = np.mgrid[:7, :10] + 0.5
    picture = (2 * col + 3 * row).astype(np.float32)
    picture[2, 3] = np.nan
    mesh = build_mesh(corners, values)
    errors = mesh_errors(mesh, picture)
    assert np.isnan(errors[2, 3])
    assert np.nanmax(np.abs(errors)) < 1e-5
    count, extent = share_pixels(mesh, np.isfinite(picture))
    assert count.sum() == 69
    assert extent.max() < 6
    picture[4, 4] += 1
    misfit = measure_misfit(mesh, Surface(picture, 0.5))
    assert (misfit.looked, misfit.flat.tolist()) == (69, [44])
    noise = np.where(np.isnan(picture), np.nan, 0.5).astype(np.float32)
    assert len(measure_misfit(mesh, Surface(picture, 0.5, noise)).flat) == 0


def test_pixels_outside_the_hull_are_missed() -> None:
    mesh = build_mesh(np.array([[0.5, 0.5], [4.5, 0.5], [0.5, 4.5]]), np.zeros(3))
    misfit = measure_misfit(mesh, Surface(np.zeros((5, 5), np.float32), 1.0))
    assert misfit.looked == 25
    assert len(misfit.flat) == 10
    assert (misfit.triangle == -1).all()


@pytest.mark.parametrize("step", [1, 3])
def test_a_lattice_counts_as_slicing_does(step: int) -> None:
    picture = np.arange(70).reshape(7, 10)
    lattice = PixelLattice(7, 10, step, step - 1, step // 2)
    part = picture[step - 1 :: step, step // 2 :: step]
    assert lattice.shape == part.shape
    np.testing.assert_array_equal(lattice.flat(np.arange(part.size)), part.ravel())
    np.testing.assert_array_equal(lattice.of(picture, 1, 2), part[1:2])
