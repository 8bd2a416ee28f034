"""``--max-error`` on the command line, and what the summary says of the promise."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path

import pytest
from map_job import MapJob, draw_job, geocbar

from geocbar.grid.points import RebuildError


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> MapJob:
    return draw_job(tmp_path_factory.mktemp("job"))


def run_with(job: MapJob, folder: Path, *more: str) -> str:
    args = ["run", job.picture, "--gcps", job.gcps, *job.scale, "--frame", job.frame, "--no-report", "--quiet"]
    outcome = geocbar(*args, *more, "--out", "out", "--overwrite", cwd=folder)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def test_two_percent_are_promised_unless_something_else_is_said(job: MapJob, tmp_path: Path) -> None:
    summary = json.loads(run_with(job, tmp_path, "--json"))
    assert summary["rebuild_promised_percent"] == 2
    assert summary["rebuild_kept_percent"] >= 99
    assert summary["rebuild_p99_percent"] <= 2
    assert "of the map within 2 % of the range; RMSE" in summary["rebuild_sentence"]


def test_nothing_is_promised_if_none_is_said(job: MapJob, tmp_path: Path) -> None:
    out = run_with(job, tmp_path, "--max-error", "none")
    assert "nothing is promised" in out
    recipe = tomllib.loads((tmp_path / "out" / "map.toml").read_text(encoding="utf-8"))
    assert recipe["thin"]["max_error"] == math.inf


@pytest.mark.parametrize("text", ["0", "-1", "nan", "much"])
def test_no_error_above_nothing_is_wrong_usage(job: MapJob, tmp_path: Path, text: str) -> None:
    outcome = geocbar("run", job.picture, "--max-error", text, cwd=tmp_path)
    assert outcome.code == 2
    assert f"'{text}' is no error above 0 % of the range. Give a percentage, such as 2, or none." in " ".join(
        outcome.err.split()
    )


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            RebuildError(0.5, 1.9, 7.0, 1.0, math.nan, 2.0, 99.14, 0.0),
            "99.1 % of the map within 2 % of the range; RMSE 0.50 %, 99 % within 1.90 %, all within 7 % of the range",
        ),
        (
            RebuildError(0.5, 3.0, 7.0, 1.0, math.nan, 2.0, 99.14, 12.0),
            "99.1 % of the map within 2 % of the range, or three times its noise where that is more (12.0 % of it);"
            " RMSE 0.50 %, 99 % within 3.00 %, all within 7 % of the range",
        ),
        (
            RebuildError(0.5, 3.0, 7.0, 1.0, math.nan, 2.0, 98.99, 0.0),
            "only 98.9 % of the map within 2 % of the range; RMSE 0.50 %, 99 % within 3.00 %, all within 7 % of the"
            " range",
        ),
        (
            RebuildError(0.0, 0.0, 20.0, 1.0, math.nan, 2.0, 99.06, 0.0, by_nearest=True),
            "99.0 % of the map have the class of the nearest point",
        ),
    ],
)
def test_the_sentence_never_says_more_than_is_kept(found: RebuildError, sentence: str) -> None:
    assert str(found) == sentence
