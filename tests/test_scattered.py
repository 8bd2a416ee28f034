"""Clusters of points that lie anywhere: near in place, near in value, on the plane and on the sphere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from map_job import geocbar

from geocbar.errors import InvalidInputError
from geocbar.files.point_layers import read_points
from geocbar.grid.points import Points
from geocbar.grid.scattered import cluster_scattered


def some(xy: object, values: object, crs: str = "EPSG:32633", count: object = None) -> Points:
    places, n = np.asarray(xy, float), len(np.asarray(values))
    counts = np.ones(n, int) if count is None else np.asarray(count)
    return Points(places, np.asarray(values, float), counts, np.zeros((n, 2)), crs, np.full(n, 0.5))


def test_a_cluster_becomes_its_weighted_centroid_and_loose_points_stay() -> None:
    points = some([[0, 0], [1, 0], [0, 1], [1, 1], [90, 90]], [1, 2, 3, 6, 7], count=[1, 1, 1, 3, 2])
    merged, labels = cluster_scattered(points, eps=1.5)
    assert labels.tolist() == [0, 0, 0, 0, -1]
    np.testing.assert_allclose(merged.xy, [[4 / 6, 4 / 6], [90, 90]])
    np.testing.assert_allclose(merged.values, [4, 7])
    assert merged.count.tolist() == [6, 2]
    np.testing.assert_allclose(merged.sigma, [0.5, 0.5])


def test_values_part_what_lies_together() -> None:
    row, col = np.mgrid[:10, :20]
    cliff = np.where(col < 10, 0.0, 100.0).ravel()
    points = some(np.stack([col.ravel(), row.ravel()], axis=1), cliff)
    assert len(cluster_scattered(points, eps=1.5)[0]) == 1
    parted, labels = cluster_scattered(points, eps=1.5, value_eps=10)
    assert sorted(parted.values) == [0, 100]
    assert len(np.unique(labels[cliff == 0])) == 1


def test_distances_are_those_of_the_sphere() -> None:
    lon = np.array([179.9, -179.9, 179.95, -179.95, 0.0, 0.5, 1.0, 1.5])
    lat = np.array([0.0, 0, 0.05, -0.05, 80, 80, 80, 80])
    merged, labels = cluster_scattered(some(np.stack([lon, lat], axis=1), np.arange(8), "EPSG:4326"), eps=0.25)
    assert labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]  # half a degree of longitude is 0.09 of arc at 80 north
    assert abs(abs(merged.xy[0, 0]) - 180) < 0.01
    assert merged.xy[1] == pytest.approx([0.75, 80], abs=0.01)


def test_nothing_near_and_bad_numbers() -> None:
    points = some([[0, 0], [10, 0], [0, 10]], [1, 2, 3])
    merged, labels = cluster_scattered(points, eps=1)
    assert labels.tolist() == [-1, -1, -1]
    np.testing.assert_array_equal(merged.xy, points.xy)
    with pytest.raises(InvalidInputError, match="Clusters cannot have value_eps 0"):
        cluster_scattered(points, eps=1, value_eps=0)


def test_from_the_command_line(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    near = rng.normal([10, 50, 5], 0.01, (50, 3))
    rows = [f"{x:.4f},{y:.4f},{v:.2f}" for x, y, v in [*near, (12, 52, 9)]]
    (tmp_path / "soundings.csv").write_text("lon,lat,depth\n" + "\n".join(rows))
    outcome = geocbar("thin", "soundings.csv", "--eps", "0.05", "--value", "depth", "--out", "few.csv", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert "2 remain: 1 clusters, and 1 points in none" in outcome.out
    few = read_points(tmp_path / "few.csv").points
    np.testing.assert_allclose(few.values, [5, 9], atol=0.01)
    assert geocbar("thin", "soundings.csv", "--cluster-values", "1", cwd=tmp_path).code == 2
