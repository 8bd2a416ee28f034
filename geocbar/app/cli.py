"""The command line: ``geocbar run map.jpg --gcps gcps.csv``."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading

import click

from geocbar import __version__
from geocbar.app.commands.batching import batch
from geocbar.app.commands.georeferencing import georef
from geocbar.app.commands.inspecting import inspect
from geocbar.app.commands.picking import pick
from geocbar.app.commands.regridding import regrid
from geocbar.app.commands.running import run
from geocbar.app.commands.thinning import thin
from geocbar.errors import GeocbarError

__all__ = ["commands", "main"]


def main() -> None:
    """Run the command line; every problem ends in one sentence and an exit code, never in a traceback."""
    for name in ("SIGTERM", "SIGHUP"):  # asked to end, terminal closed: clean up as after Ctrl-C
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), _stop)
    try:
        commands.main(prog_name="geocbar", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        _leave("Stopped. Nothing was written.")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except GeocbarError as error:
        _fail(error.message, error.hint)
    except MemoryError:
        _fail(
            "There is not enough memory for a picture of this size.",
            "Crop the picture to the map, or use a larger machine.",
        )
    except Exception as error:
        if os.environ.get("GEOCBAR_DEBUG"):
            raise
        _fail(
            f"geocbar stumbled: {type(error).__name__}: {error}. Nothing was written.",
            "This is a bug: please report it with the output of the same command under GEOCBAR_DEBUG=1.",
        )


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="geocbar")
def commands() -> None:
    """Turn a published map back into data.

    \b
    geocbar run map.jpg --gcps gcps.csv

    finds the colour bar, reads its labels, and writes a GeoTIFF of the values, a GeoPackage of well-chosen points,
    a QGIS style, a picture to check, and a recipe to repeat it, into the folder map_geocbar. Without control points
    the longitudes and latitudes at the map's frame are read.
    """


for _command in (run, inspect, georef, thin, regrid, batch, pick):
    commands.add_command(_command)


def _fail(message: str, hint: str = "") -> None:
    click.echo(f"Error: {message}", err=True)
    for line in hint.splitlines():
        click.echo(f"  {line}", err=True)
    sys.exit(1)


def _leave(message: str) -> None:
    """End although a thread may have been interrupted while it began: nobody would ever end that one."""
    click.echo(f"Error: {message}", err=True)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        os._exit(1)
    sys.exit(1)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt
