"""Work in the background of which only the latest request counts."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["LatestJob", "Outdated"]

#: Told whether a newer request has come: the rest of the work may be left out.
Outdated = Callable[[], bool]


class LatestJob:
    """One thread that does the newest request; those that came before and have not begun are forgotten.

    Parameters
    ----------
    name : str
        Of the thread.
    on_failure : callable
        Told of an exception that the work let through.
    """

    def __init__(self, name: str, on_failure: Callable[[Exception], None]) -> None:
        self._change = threading.Condition()
        self._next: Callable[[Outdated], None] | None = None
        self._number = 0
        self._busy = self._closed = False
        self._on_failure = on_failure
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Outdated], None]) -> None:
        """Do this as soon as what is being done is finished, unless something newer is submitted before."""
        with self._change:
            self._next = work
            self._number += 1
            self._change.notify_all()

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        with self._change:
            return self._busy or self._next is not None

    def close(self) -> None:
        """Forget what has not begun, and end the thread after what is being done."""
        with self._change:
            self._next, self._closed = None, True
            self._number += 1
            self._change.notify_all()

    def _loop(self) -> None:
        while True:
            with self._change:
                self._busy = False
                self._change.wait_for(lambda: self._closed or self._next is not None)
                if self._closed:
                    return
                work, self._next, number = self._next, None, self._number
                self._busy = True
            assert work is not None
            try:
                work(lambda number=number: self._number != number)  # type: ignore[misc]
            except Exception as error:
                self._on_failure(error)
