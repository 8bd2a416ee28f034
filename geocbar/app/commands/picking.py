"""``geocbar pick``: a hand helps, in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

__all__ = ["pick"]


@click.command()
@click.argument("map_path", metavar="MAP", type=click.Path(path_type=Path))
@click.option(
    "--gcps", type=click.Path(), help="Control points to begin with.  [default: MAP.gcps.csv, if it is there]"
)
@click.option("--gcp-crs", help="CRS of the control points.  [default: EPSG:4326, or what the file says]")
@click.option("--page", type=click.IntRange(min=1), help="Page of a PDF file.")
@click.option("--figure", type=click.IntRange(min=0), help="Figure on that page, as inspect lists them; 0: all of it.")
@click.option("--max-pixels", type=click.IntRange(min=1), help="Refuse larger pictures.  [default: 500000000]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on.  [default: any free one]")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def pick(map_path: Path, port: int, no_browser: bool, **choices: Any) -> None:
    """Click control points, mend the colour bar and mask what is not data in MAP, in the browser.

    MAP is a picture, a PDF file (with --page) or the recipe (.toml) of an earlier session, which goes on. Points,
    recipe and mask are saved beside the map as you go; Run digitizes it. The page is served on this machine only,
    and only to whoever has the address. Ctrl-C ends it.
    """
    import webbrowser

    from geocbar.app.calls import read_text
    from geocbar.app.picker.opening import open_picker

    server = open_picker(map_path, {key: value for key, value in choices.items() if value is not None}, read_text, port)
    click.echo(f"The picker is at {server.address}")
    click.echo(f"It saves in {server.desk.session.files.folder}. Ctrl-C ends it.")
    try:
        if not no_browser:
            webbrowser.open(server.address)
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        session = server.desk.session
        if session.run_job.running:
            click.echo("\nThe run is being finished; Ctrl-C once more stops it.")
            session.run_job.wait()
        click.echo(f"\nEnded. Saved: {session.files.recipe}" if session.saved else "\nEnded. Nothing was changed.")
    finally:
        server.server_close()
        server.desk.session.close()
