from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from geocbar.errors import InvalidInputError
from geocbar.grid import lattice
from geocbar.grid.lattice import dbscan


def cluster_with_sklearn(
    mask: NDArray[np.bool_], eps: float, min_samples: int
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    from sklearn.cluster import DBSCAN

    labels = np.full(mask.shape, -1, np.int32)
    core = np.zeros(mask.shape, bool)
    row, col = np.nonzero(mask)
    if len(row):
        model = DBSCAN(eps=eps, min_samples=min_samples).fit(np.column_stack([col, row]))
        labels[row, col] = model.labels_
        core[row[model.core_sample_indices_], col[model.core_sample_indices_]] = True
    return labels, core


def renumber(labels: NDArray[np.int32], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Labels of one level ranked from 0, noise -1: they keep their order within a level."""
    known, rank = np.unique(labels[mask], return_inverse=True)
    return rank - int(np.searchsorted(known, 0))


@st.composite
def pictures(draw: st.DrawFn, n_levels: int) -> NDArray[np.int64]:
    shape = draw(st.tuples(st.integers(1, 24), st.integers(1, 24)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = rng.integers(0, n_levels, shape)
    levels[rng.random(shape) < draw(st.floats(0, 0.9))] = -1
    return levels


eps_values = st.sampled_from([1, 1.2, 1.5, 2, 2.3, 3, 4.4, 4.6, 5, 7.3, 10, 24, 50])


@settings(max_examples=80, deadline=None)
@given(pictures(n_levels=1), eps_values, st.integers(1, 12) | st.integers(12, 120))
def test_one_level_has_the_labels_of_sklearn(levels: NDArray[np.int64], eps: float, min_samples: int) -> None:
    labels, core = cluster_with_sklearn(levels >= 0, eps, min_samples)
    found = dbscan(levels, eps, min_samples)
    np.testing.assert_array_equal(found.labels, labels)
    np.testing.assert_array_equal(found.core, core)
    assert found.n_clusters == labels.max(initial=-1) + 1
    assert found.labels.dtype == np.int32


@settings(max_examples=80, deadline=None)
@given(pictures(n_levels=3), eps_values, st.integers(1, 30))
def test_each_level_is_clustered_by_itself(levels: NDArray[np.int64], eps: float, min_samples: int) -> None:
    found = dbscan(levels, eps, min_samples)
    total = 0
    for level in range(3):
        mask = levels == level
        labels, core = cluster_with_sklearn(mask, eps, min_samples)
        np.testing.assert_array_equal(renumber(found.labels, mask), labels[mask])
        np.testing.assert_array_equal(found.core[mask], core[mask])
        total += int(labels.max(initial=-1)) + 1
    assert found.n_clusters == total
    clustered = found.labels[found.core]
    _, first = np.unique(clustered, return_index=True)
    assert np.all(np.diff(first) > 0), "numbered in row-major order of the first core pixel"


def test_pixel_counts_itself_and_eps_is_inclusive() -> None:
    pair = np.array([[0, -1, -1, 0]])
    assert dbscan(pair, 3, 2).n_clusters == 1
    assert dbscan(pair, 2.99, 2).n_clusters == 0
    assert dbscan(pair, 3, 3).n_clusters == 0
    assert dbscan(pair, 1, 1).labels.tolist() == [[0, -1, -1, 1]]


def test_border_pixel_joins_the_smaller_label() -> None:
    levels = np.array([[0, 0, 0, -1, 0, -1, 0, 0, 0], [0, 0, 0, -1, -1, -1, 0, 0, 0]])
    found = dbscan(levels, 2, 6)
    assert not found.core[0, 4]
    assert found.n_clusters == 2
    assert found.labels[0, 4] == 0


def test_other_levels_between_do_not_separate_and_do_not_join() -> None:
    found = dbscan(np.array([[0, 1, 0, 1, 0, 1]]), 2, 2)
    assert found.labels.tolist() == [[0, 1, 0, 1, 0, 1]]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64])
def test_any_integer_type(dtype: type) -> None:
    top = np.iinfo(dtype).max
    levels: NDArray[np.integer] = np.array([[top, top, 0, 0], [top, top, 0, 0]], dtype=dtype)
    assert dbscan(levels, 1.5, 4).labels.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]


def test_any_negative_number_takes_no_part() -> None:
    levels: NDArray[np.int64] = np.full((4, 4), np.iinfo(np.int64).min)
    levels[0, 0] = 2**40
    found = dbscan(levels, 1, 1)
    assert found.n_clusters == 1
    assert (found.labels >= 0).sum() == 1


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (3, 0), (3, 4)])
def test_nothing_takes_part(shape: tuple[int, int]) -> None:
    found = dbscan(np.full(shape, -1), 1.5, 1)
    assert found.labels.shape == shape
    assert found.n_clusters == 0
    assert not found.core.any()


def test_result_and_input_stay_as_they_are() -> None:
    levels = np.zeros((3, 3), np.int16)
    found = dbscan(levels, 1.5, 4)
    assert levels.flags.writeable
    assert np.all(levels == 0)
    with pytest.raises(ValueError, match="read-only"):
        found.labels[0, 0] = 5


def test_small_chunks_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = np.random.default_rng(3).integers(-1, 3, (40, 50))
    for eps, min_samples in ((1.5, 4), (6.0, 35)):
        whole = dbscan(levels, eps, min_samples)
        with monkeypatch.context() as patch:
            patch.setattr(lattice, "CHUNK", 17)
            parts = dbscan(levels, eps, min_samples)
        np.testing.assert_array_equal(whole.labels, parts.labels)
        np.testing.assert_array_equal(whole.core, parts.core)


@pytest.mark.parametrize("eps", [0.99, 50.1, float("nan"), -1])
def test_eps_out_of_bounds(eps: float) -> None:
    with pytest.raises(InvalidInputError, match="outside 1 to 50"):
        dbscan(np.zeros((2, 2), int), eps, 1)


def test_min_samples_out_of_bounds() -> None:
    with pytest.raises(InvalidInputError, match="min_samples is 0, but a pixel counts itself"):
        dbscan(np.zeros((2, 2), int), 1.5, 0)


@pytest.mark.parametrize("levels", [np.zeros((2, 2)), np.zeros(4, int)])
def test_levels_must_be_a_picture_of_integers(levels: NDArray[np.generic]) -> None:
    with pytest.raises(InvalidInputError, match="two-dimensional array of integers"):
        dbscan(levels, 1.5, 1)  # type: ignore[arg-type]


@pytest.mark.slow
def test_ten_times_faster_than_sklearn() -> None:
    field = gaussian_filter(np.random.default_rng(0).normal(size=(1000, 1000)), 25, mode="wrap")
    levels = ((field - field.min()) / np.ptp(field) * 19.999).astype(int)
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        dbscan(levels, 1.5, 4)
        best = min(best, time.process_time() - start)
    # The first seven of the levels, the rarest of them, already take sklearn long enough.
    start = time.process_time()
    for level in range(7):
        cluster_with_sklearn(levels == level, 1.5, 4)
    assert time.process_time() - start > 10 * best
