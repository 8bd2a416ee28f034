"""``geocbar batch``: many maps."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geocbar.app.commands.printing import finite

if TYPE_CHECKING:
    from geocbar.app.batch_work import Outcome

__all__ = ["batch"]


@click.command()
@click.argument("jobs_path", metavar="JOBS", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write.  [default: JOBS_batch here]")
@click.option("--jobs", "workers", type=click.IntRange(min=1), default=1, help="Maps at the same time.  [default: 1]")
@click.option(
    "--scheduler", metavar="ADDRESS", help="Send the jobs to a dask scheduler; its workers must see the same folders."
)
@click.option("--csv", is_flag=True, help="Also write the points of every map as CSV.")
@click.option("--report/--no-report", default=True, help="Write a page about every map.  [default: write]")
@click.option("--json", "as_json", is_flag=True, help="Print what became of every map as JSON.")
@click.option("--quiet", is_flag=True, help="No progress.")
def batch(
    jobs_path: Path,
    out: Path | None,
    workers: int,
    scheduler: str | None,
    csv: bool,
    report: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Digitize many maps: JOBS is a table with a row a map, or a folder of recipes.

    The table has a column image (a picture, PDF file or recipe), and any of gcps, out (the name of its folder) and the
    choices of a recipe, such as colorbar, vmin or to_crs; paths are relative to it. Every map gets a folder of its
    own. One that cannot be digitized does not stop the rest. Run it again to do what is not done yet: a map whose
    choices and files are as they were is skipped.

    Writes batch.csv and batch.html: what became of every map, and why. Exit code 1 if any is without a result.
    """
    from geocbar.app.batch import run_batch
    from geocbar.app.batch_jobs import read_jobs
    from geocbar.app.batch_tables import in_words, write_tables
    from geocbar.app.batch_work import Settings

    jobs = read_jobs(jobs_path)
    folder = (out or Path(f"{jobs_path.resolve().stem}_batch")).absolute()
    settings = Settings(folder, csv=csv, report=report)
    told = None if quiet else _Counter(len(jobs))
    outcomes = run_batch(jobs, settings, workers=workers, scheduler=scheduler, told=told)
    paths = write_tables(folder, outcomes)
    if as_json:
        click.echo(json.dumps(finite([asdict(outcome) for outcome in outcomes]), indent=2))
    else:
        click.echo("\n".join([in_words(outcomes), *(f"  wrote {path}" for path in paths.values())]))
    if any(outcome.status in ("refused", "failed") for outcome in outcomes):
        raise SystemExit(1)


class _Counter:
    """A line on stderr for every map, and the reason if there is no result."""

    def __init__(self, total: int) -> None:
        self.total, self.count = total, 0

    def __call__(self, outcome: Outcome) -> None:
        self.count += 1
        digits = len(str(self.total))
        line = f"[{self.count:{digits}}/{self.total}] {outcome.status:<8} {outcome.seconds:6.1f} s  {outcome.name}"
        click.echo(line, err=True)
        if outcome.message:
            click.echo(f"{'':{2 * digits + 4}}{outcome.message} ({outcome.where})", err=True)
