"""What commands print: steps as they are done, figures as JSON."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from geocbar.errors import FileProblemError

__all__ = ["StepProgress", "finite", "print_summary"]


class StepProgress:
    """One line a step on stderr, with the seconds the step before took."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.live = sys.stderr is not None and sys.stderr.isatty()
        self.step = ""
        self.since = time.monotonic()

    def __call__(self, step: str) -> None:
        """Begin a step."""
        self.done()
        self.step, self.since = step, time.monotonic()
        if not self.quiet and self.live:
            click.echo(f"  {step} ...", err=True, nl=False)

    def done(self) -> None:
        """Close the current line."""
        if self.step and not self.quiet:
            start = "\r" if self.live else ""
            click.echo(f"{start}  {self.step:<36} {time.monotonic() - self.since:6.2f} s", err=True)
        self.step = ""


def print_summary(text: str, target: Path) -> None:
    """Print what was done; the files in `target` are there even if that fails."""
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileProblemError(
            f"The files are written, but their summary cannot be printed: {error.strerror}.", f"Look into {target}."
        ) from error


def finite(value: Any) -> Any:
    """JSON has no NaN: null instead."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value
