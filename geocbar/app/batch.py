"""Many maps: jobs sent to local processes or to a dask cluster, and what became of them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from geocbar.app.batch_jobs import Job
from geocbar.app.batch_work import Outcome, Settings, do_job, failure
from geocbar.errors import InvalidInputError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["ATTEMPTS", "run_batch"]

#: A job whose worker is killed is done again so many times in all.
ATTEMPTS = 3

#: Seconds a scheduler has to answer.
PATIENCE = 8

#: Threads of one worker: the maps are what is done at the same time.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GDAL_NUM_THREADS"), "1")

_KILLED = "Its worker was killed {} times, most likely because memory ran out."

Told = Callable[[Outcome], None]


def run_batch(
    jobs: Sequence[Job], settings: Settings, *, workers: int = 1, scheduler: str | None = None, told: Told | None = None
) -> list[Outcome]:
    """Do all jobs; one that breaks never stops the rest.

    Parameters
    ----------
    jobs : sequence of Job
    settings : Settings
    workers : int
        Processes on this machine.
    scheduler : str or None
        Address of a running dask scheduler to send the jobs to instead; its workers write the outputs, so they must
        see the same folders.
    told : callable or None
        Told of each outcome as it comes in.

    Returns
    -------
    list of Outcome
        In the order of the jobs.

    Raises
    ------
    InvalidInputError
        If no scheduler answers at the address, or dask is not installed.
    """
    outcomes: dict[str, Outcome] = {}
    stream = _on_cluster(jobs, settings, scheduler) if scheduler else _on_this_machine(jobs, settings, workers)
    for outcome in stream:
        outcomes[outcome.name] = outcome
        if told is not None:
            told(outcome)
    return [outcomes[job.name] for job in jobs]


def _on_this_machine(jobs: Sequence[Job], settings: Settings, workers: int) -> Iterator[Outcome]:
    """Every thread has a process of its own, so that a killed one takes nothing but its job along."""
    with _environment(_ONE_THREAD if workers > 1 else {}), _Processes() as processes:
        threads = ThreadPoolExecutor(workers)
        try:
            left: set[Future[Outcome]] = {threads.submit(processes.do, job, settings) for job in jobs}
            while left:
                finished, left = wait(left, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            processes.stop()
            threads.shutdown(cancel_futures=True)


class _Processes:
    """One worker process for each thread that asks, begun anew when it dies."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._all: list[ProcessPoolExecutor] = []
        self._stopped = False

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def do(self, job: Job, settings: Settings) -> Outcome:
        for _ in range(ATTEMPTS):
            if self._stopped:
                break
            try:
                return self._worker().submit(do_job, job, settings).result()
            except BrokenProcessPool:
                self._own.worker = None
        return failure(job, _KILLED.format(ATTEMPTS))

    def stop(self) -> None:
        """End the workers, whatever they do."""
        self._stopped = True
        for worker in self._all:
            for process in list((getattr(worker, "_processes", None) or {}).values()):
                process.terminate()
            worker.shutdown(wait=False, cancel_futures=True)
        self._all.clear()

    def _worker(self) -> ProcessPoolExecutor:
        if getattr(self._own, "worker", None) is None:
            self._own.worker = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
            self._all.append(self._own.worker)
        worker: ProcessPoolExecutor = self._own.worker
        return worker


def _on_cluster(jobs: Sequence[Job], settings: Settings, address: str) -> Iterator[Outcome]:
    """The scheduler does a job again if its worker dies, and gives up on one that kills several."""
    with _connected(address) as client:
        from distributed import KilledWorker, as_completed

        keys = {f"geocbar-{n}-{os.urandom(4).hex()}": job for n, job in enumerate(jobs)}
        futures = [client.submit(do_job, job, settings, key=key, pure=False) for key, job in keys.items()]
        for future in as_completed(futures, loop=client.loop):
            error = future.exception()
            if error is None:
                yield future.result()
            elif isinstance(error, KilledWorker):
                yield failure(keys[future.key], _KILLED.format("several"))
            else:
                yield failure(keys[future.key], f"The worker stumbled: {type(error).__name__}: {error}.")


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        from distributed import Client
    except ImportError:
        raise InvalidInputError(
            "Jobs can only be sent to a scheduler where dask is installed.", "Type: pip install 'geocbar[dask]'"
        ) from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"No dask scheduler answers at {address}: {_first_line(error)}.",
            "Start one (dask scheduler) and name the address it prints, or use --jobs on this machine.",
        ) from error
    try:
        yield client
    finally:
        client.close()


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")


@contextmanager
def _environment(names: dict[str, Any]) -> Iterator[None]:
    """Variables that processes begun meanwhile are to see, unless they are set already."""
    fresh = {name: value for name, value in names.items() if name not in os.environ}
    os.environ.update(fresh)
    try:
        yield
    finally:
        for name in fresh:
            os.environ.pop(name, None)
