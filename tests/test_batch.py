"""Many maps: jobs from tables and folders, workers that die, clusters, and what is told of it all."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from map_job import MapJob, draw_job, geocbar

from geocbar.app.batch import run_batch
from geocbar.app.batch_jobs import fingerprint, read_jobs
from geocbar.app.batch_tables import write_tables
from geocbar.app.batch_work import Outcome, Settings, do_job
from geocbar.errors import FileProblemError, InvalidInputError


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[MapJob]]:
    folder = tmp_path_factory.mktemp("maps")
    for n in range(3):
        (folder / str(n)).mkdir()
    return folder, [draw_job(folder / str(n), f"map{n}.png", (160 + 10 * n, 140)) for n in range(3)]


def write_table(folder: Path, jobs: list[MapJob], extra: str = "", name: str = "jobs.csv") -> Path:
    path = folder / name
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "gcps", "colorbar", "vmin", "vmax", "frame"])
        for job in jobs:
            picture, gcps = (path.relative_to(folder) for path in (job.picture, job.gcps))
            rows.writerow([picture, gcps, job.bar, 0, 10, job.frame])
        file.write(extra)
    return path


# ---------------------------------------------------------------- jobs


def test_rows_become_recipes(maps: tuple[Path, list[MapJob]]) -> None:
    folder, jobs = maps
    read = read_jobs(write_table(folder, jobs))
    assert [job.name for job in read] == ["map0", "map1", "map2"]
    assert read[1].where == "jobs.csv, line 3"
    assert read[2].recipe.vmax == 10.0
    assert read[2].recipe.frame == jobs[2].frame
    assert read[0].recipe.path(read[0].recipe.gcps or "") == jobs[0].gcps


def test_semicolons_names_and_yes(tmp_path: Path) -> None:
    table = tmp_path / "jobs.csv"
    table.write_text(
        "Map;vmin;keep-all;out;max error\n# a comment\na/x.png;0,5;yes;first;none\nb/x.png;;;;\nx.png;;no;;\n"
    )
    first, second, third = read_jobs(table)
    assert (first.name, second.name, third.name) == ("first", "x", "x-2")
    assert (first.recipe.vmin, first.recipe.keep_all, first.recipe.max_error) == (0.5, True, float("inf"))
    assert second.recipe.vmin is None
    assert Path(second.recipe.image) == tmp_path / "b" / "x.png"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("image,vmn\na.png,1\n", "column 'vmn' that is no choice"),
        ("gcps\na.csv\n", "no column image"),
        ("image,vmin\na.png,1\nb.png,cold\n", "jobs.csv, line 3, column vmin: 'cold' is not a number"),
        ("image,vmin\na.png,x\nb.png,cold\n", "line 2, column vmin: 'x' is not a number \\(and 1 more lines\\)"),
        ("image,page\na.pdf,1.5\n", "'1.5' is not a whole number"),
        ("image,keep_all\na.png,perhaps\n", "neither yes nor no"),
        ("image,gcps\n,a.csv\n", "line 2 names no image"),
        ("image,frame\na.png,1,2,3,4\n", "line 2 has 5 fields, the header 2"),
        ("image,out\na.png,../b\n", "no plain name"),
        ("image,path\na.png,b.png\n", "more than one column image"),
        ("image\n", "no row with a map"),
        ("image\nlost.toml\n", "line 2: The recipe .*lost.toml cannot be read"),
    ],
)
def test_bad_tables(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text(text)
    with pytest.raises(InvalidInputError, match=sentence):
        read_jobs(tmp_path / "jobs.csv")


def test_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match="holds no recipe"):
        read_jobs(tmp_path)
    with pytest.raises(FileProblemError, match="cannot be read"):
        read_jobs(tmp_path / "jobs.csv")
    (tmp_path / "one.toml").write_text("")
    with pytest.raises(InvalidInputError, match="a single recipe"):
        read_jobs(tmp_path / "one.toml")


def test_fingerprint_follows_contents(maps: tuple[Path, list[MapJob]], tmp_path: Path) -> None:
    folder, jobs = maps
    [job] = read_jobs(write_table(folder, jobs[:1], name="one.csv"))
    word = fingerprint(job.recipe, csv=False)
    assert len(word) == 64
    assert fingerprint(job.recipe, csv=True) != word
    [other] = read_jobs(write_table(folder, jobs[1:2], name="two.csv"))
    assert fingerprint(other.recipe, csv=False) != word
    (tmp_path / "gone.csv").write_text("image\nnowhere.png\n")
    assert fingerprint(read_jobs(tmp_path / "gone.csv")[0].recipe) == ""


# ---------------------------------------------------------------- runs


def test_one_broken_map_never_stops_the_rest(maps: tuple[Path, list[MapJob]], tmp_path: Path) -> None:
    folder, jobs = maps
    table = write_table(folder, jobs, "nowhere.png,,,,,\n")
    outcome = geocbar("batch", table, "--jobs", 2, "--no-report", "--csv", cwd=tmp_path)
    assert outcome.code == 1
    assert "4 maps: 3 done, 1 refused" in outcome.out
    assert "There is no file" in outcome.err
    assert "jobs.csv, line 5" in outcome.err
    made = tmp_path / "jobs_batch"
    assert sorted(p.name for p in made.iterdir()) == ["batch.csv", "batch.html", "map0", "map1", "map2"]
    assert {"map1.tif", "map1.csv", "map1.gpkg", "map1.job.json"} <= {p.name for p in (made / "map1").iterdir()}
    with (made / "batch.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["done", "done", "done", "refused"]
    assert float(rows[0]["valued_percent"]) > 90
    page = (made / "batch.html").read_text()
    assert 'href="map2/map2.check.png"' in page
    assert "There is no file" in page

    stamps = {p: p.stat().st_mtime_ns for p in made.glob("map*/*")}
    (made / "map1" / "map1.tif").unlink()
    again = geocbar("batch", table, "--no-report", "--csv", "--json", cwd=tmp_path)
    assert [o["status"] for o in json.loads(again.out)] == ["skipped", "done", "skipped", "refused"]
    after = {p: p.stat().st_mtime_ns for p in made.glob("map*/*")}
    assert {p for p in stamps if stamps[p] == after[p]} == {p for p in stamps if p.parent.name != "map1"}
    other = geocbar("batch", table, "--no-report", "--json", "--quiet", cwd=tmp_path)
    assert [o["status"] for o in json.loads(other.out)] == ["done", "done", "done", "refused"]
    assert not other.err


def test_a_folder_of_recipes(maps: tuple[Path, list[MapJob]], tmp_path: Path) -> None:
    folder, jobs = maps
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    for job in read_jobs(write_table(folder, jobs[:2])):
        job.recipe.write(recipes / f"{job.name}.toml")
    read = read_jobs(recipes)
    assert [job.name for job in read] == ["map0", "map1"]
    outcome = do_job(read[0], Settings(tmp_path / "out", report=False))
    assert outcome.status == "done", outcome
    assert (tmp_path / "out" / "map0" / "map0.tif").is_file()


def test_what_is_unsure_leaves_a_recipe_to_mend(maps: tuple[Path, list[MapJob]], tmp_path: Path) -> None:
    folder, jobs = maps
    (folder / "unsure.csv").write_text(f"image,gcps\n{jobs[0].picture},{jobs[0].gcps}\n")
    outcome = do_job(read_jobs(folder / "unsure.csv")[0], Settings(tmp_path, report=False))
    assert outcome.status == "refused"
    assert (tmp_path / "map0_inspect" / "map0.toml").is_file()
    assert "map0.toml" in outcome.hint


def kill_first_child(killed: list[int]) -> None:
    """Kill the first worker that is at work, once."""
    until = time.monotonic() + 60
    while not killed and time.monotonic() < until:
        for child in multiprocessing.active_children():
            if child.pid and (Path(f"/proc/{child.pid}/stat").read_text().split()[2] in "RS"):
                time.sleep(0.7)
                os.kill(child.pid, signal.SIGKILL)
                killed.append(child.pid)
                return
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds workers in /proc")
def test_a_killed_workers_job_is_done_again(maps: tuple[Path, list[MapJob]], tmp_path: Path) -> None:
    folder, jobs = maps
    read = read_jobs(write_table(folder, jobs))
    left = tmp_path / "out" / ".map0-half"
    left.mkdir(parents=True)
    (left / "map0.tif").write_text("half")
    killed: list[int] = []
    killer = threading.Thread(target=kill_first_child, args=(killed,))
    killer.start()
    told: list[Outcome] = []
    outcomes = run_batch(read, Settings(tmp_path / "out", report=False), workers=2, told=told.append)
    killer.join()
    assert killed
    assert [outcome.status for outcome in outcomes] == ["done"] * 3
    assert sorted(outcome.name for outcome in told) == ["map0", "map1", "map2"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["map0", "map1", "map2"]


CLUSTER = """
import os, signal, sys, threading, time, warnings
from pathlib import Path
from distributed import LocalCluster
from geocbar.app.batch import run_batch
from geocbar.app.batch_jobs import read_jobs
from geocbar.app.batch_work import Settings

def main():
    table, out = map(Path, sys.argv[1:])
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        pids = [worker.pid for worker in cluster.workers.values()]
        def kill():
            until = time.monotonic() + 60
            while not any(out.glob("map*")) and time.monotonic() < until:
                time.sleep(0.02)
            os.kill(pids[0], signal.SIGKILL)
        threading.Thread(target=kill, daemon=True).start()
        outcomes = run_batch(read_jobs(table), Settings(out, report=False), scheduler=cluster.scheduler_address)
        print([outcome.status for outcome in outcomes], sorted(p.name for p in out.iterdir()))

if __name__ == "__main__":
    main()
"""


def test_a_real_cluster_with_a_worker_killed(maps: tuple[Path, list[MapJob]], tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    folder, jobs = maps
    row = f'1/map1.png,1/gcps.csv,"{jobs[1].bar}",0,10,"{jobs[1].frame}"\n'
    table = write_table(folder, jobs, 3 * row)
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, str(script), str(table), str(out)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    names = ["map0", "map1", "map1-2", "map1-3", "map1-4", "map2"]
    assert done.stdout.strip().endswith(f"{['done'] * 6} {names}"), done.stdout


def test_no_scheduler_at_the_address(maps: tuple[Path, list[MapJob]], tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    folder, jobs = maps
    began = time.monotonic()
    with pytest.raises(InvalidInputError, match=r"No dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run_batch(read_jobs(write_table(folder, jobs)), Settings(tmp_path), scheduler="tcp://127.0.0.1:9")
    assert time.monotonic() - began < 15


def test_the_page_escapes_what_strangers_named(tmp_path: Path) -> None:
    outcome = Outcome("<b>x</b>", "jobs.csv, line 2", "refused", "<script>alert(1)</script>", "&")
    page = write_tables(tmp_path, [outcome])["page"].read_text()
    assert "<b>x" not in page
    assert "&lt;script&gt;alert(1)" in page
