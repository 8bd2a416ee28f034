"""Draw one scene, or many of every sort."""

from __future__ import annotations

from collections.abc import Iterator

from .gmt_maps import draw_by_gmt
from .matplotlib_maps import draw_by_matplotlib
from .plans import make_plan
from .scenes import Scene

__all__ = ["draw_scene", "standard_set"]


def draw_scene(
    seed: int,
    *,
    plotter: str | None = None,
    cmap: str | None = None,
    field: str | None = None,
    overlays: str | list[str] | tuple[str, ...] | None = "all",
    shading: str = "none",
    classes: int | str | None = None,
    norm: str = "linear",
    size: int | tuple[int, int] | None = None,
    extend: str = "neither",
    cell: int | None = 1,
    bar_side: str | None = None,
    bar_length: int | None = None,
    antialias: bool = False,
) -> Scene:
    """Draw a map whose every pixel is known; the same arguments give the same scene.

    On a machine without GMT or ETOPO, a seed that would choose them chooses matplotlib, viridis or topobathy.

    Parameters
    ----------
    seed : int
        Chooses whatever is left open.
    plotter : {'matplotlib', 'gmt', None}
        None: chosen by the seed (always matplotlib where GMT is not installed).
    cmap, field : str or None
        A name in `COLORMAPS` and in `field_names()`; None: chosen by the seed.
    overlays : 'all', 'none', 'random', None or list of str
        Names in `OVERLAYS`. 'all' is all but dense contours and holes; None and 'random' choose by the seed.
    shading : str
        A name in `SHADINGS`, or 'random'. The bar is never shaded.
    classes : int, 'random' or None
        Number of classes; None for a continuous scale; 'random' for either.
    norm : {'linear', 'log', 'random'}
    size : int, (width, height) or None
        Width in pixels, or both; None: 600..2400 wide by the seed.
    extend : {'neither', 'min', 'max', 'both', 'random'}
        The sides on which 4 % of the field lie beyond the end of the bar, which gets a triangle there.
    cell : int or None
        Pixels a data cell is wide; None: 1, 4 or 8 by the seed.
    bar_side : {'right', 'left', 'bottom', 'top', None}
    bar_length : int or None
        Length of the bar in pixels without triangles.
    antialias : bool
        Mix the colours at class boundaries, as vector drawings do (matplotlib, with classes).

    Raises
    ------
    GmtMissingError
        If the scene needs GMT and it is not installed.
    LookupError
        If a name is unknown.
    """
    plan = make_plan(
        seed,
        plotter,
        cmap,
        field,
        overlays,
        shading,
        classes,
        norm,
        size,
        extend,
        cell,
        bar_side,
        bar_length,
        antialias,
    )
    scale = plan.norm if plan.edges is None else f"{plan.norm}{len(plan.edges) - 1}"
    name = f"{seed:05d}-{plan.plotter}-{plan.field}-{plan.cmap}-{scale}-{plan.shading}-{plan.extend}"
    return draw_by_gmt(plan, name) if plan.plotter == "gmt" else draw_by_matplotlib(plan, name)


def standard_set(
    seed0: int, n: int, plotter: str | None = None, size: int | tuple[int, int] | None = None
) -> Iterator[Scene]:
    """`n` scenes of every sort mixed, with the seeds ``seed0 .. seed0 + n - 1``.

    Every fourth scene is bare, and every fourth carries all overlays; the others carry a random choice.
    """
    for k in range(n):
        yield draw_scene(
            seed0 + k,
            plotter=plotter,
            overlays=("none", "all", None, None)[k % 4],
            shading="random",
            classes="random",
            norm="random",
            size=size,
            extend="random",
            cell=None,
            antialias=k % 3 == 0,
        )
