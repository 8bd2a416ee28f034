"""The page of accuracy figures: wanted beside reached, table by table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .performance import ROOT, table

__all__ = ["PAGE", "Results", "Row", "write_page"]

PAGE = Path("docs") / "accuracy.md"

Row = dict[str, Any]


@dataclass
class Results:
    """Rows of figures; every row has at least ``map``, ``stored_as`` and ``refusal`` (empty if the map was read)."""

    maps: list[Row] = field(default_factory=list)
    shaded: list[Row] = field(default_factory=list)
    classes: list[Row] = field(default_factory=list)
    blind: list[Row] = field(default_factory=list)
    dithered: list[Row] = field(default_factory=list)
    without_unmap: str = ""
    seconds: float = 0.0


def column(rows: Sequence[Row], name: str) -> list[float]:
    """The figures of the rows that have one."""
    return [float(row[name]) for row in rows if np.isfinite(row.get(name, np.nan))]


def mean(rows: Sequence[Row], name: str) -> float:
    return float(np.mean(column(rows, name))) if column(rows, name) else float("nan")


def extreme(rows: Sequence[Row], name: str, pick: Callable[[list[float]], float]) -> float:
    return pick(column(rows, name)) if column(rows, name) else float("nan")


def share(rows: Sequence[Row], holds: Callable[[Row], bool]) -> float:
    return 100 * float(np.mean([holds(row) for row in rows])) if rows else float("nan")


def number(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else "–"


def judged(
    what: str, reached: float, low: float | None = None, high: float | None = None, digits: int = 2
) -> list[str]:
    """A row of wanted and reached; NaN is no answer, and a target with no answer is missed."""
    if low is None:
        wanted, held = f"≤ {high:g}", reached <= (high or 0.0)
    elif high is None:
        wanted, held = f"≥ {low:g}", reached >= low
    else:
        wanted, held = f"{low:g} to {high:g}", low <= reached <= high
    return [what, wanted, number(reached, digits), "" if held else "**missed**"]


def stored(rows: Sequence[Row], stored_as: str) -> list[Row]:
    return [row for row in rows if row["stored_as"] == stored_as]


def judge_maps(results: Results) -> list[list[str]]:
    rows = []
    limits = {"PNG": (0.15, 98, 0.2), "JPEG q90": (0.40, 94, 0.5), "JPEG q75": (0.60, 92, 1.0)}
    for stored_as, (rmse, kept, off) in limits.items():
        maps = stored(results.maps, stored_as)
        rows += [
            judged(f"{stored_as}: RMSE of kept pixels", mean(maps, "rmse_percent"), high=rmse),
            judged(f"{stored_as}: data kept", mean(maps, "kept_percent"), low=kept),
            judged(f"{stored_as}: data with a value, `--fill 5`", mean(maps, "filled_percent"), low=99),
            judged(f"{stored_as}: RMSE of filled pixels", mean(maps, "filled_rmse"), high=1.6),
            judged(f"{stored_as}: overlay and background > 5 % off", mean(maps, "overlay_off_percent"), high=off),
        ]
    for stored_as in limits:
        maps = stored(results.maps, stored_as)
        if stored_as != "PNG":
            rows += [
                judged(f"{stored_as}: within 1 sigma", mean(maps, "within1_percent"), low=63, high=78, digits=1),
                judged(f"{stored_as}: within 2 sigma", mean(maps, "within2_percent"), low=94, digits=1),
            ]
        rows += [
            judged(f"{stored_as}: within 1 sigma, worst map", extreme(maps, "within1_percent", min), low=55, digits=1),
            judged(f"{stored_as}: within 2 sigma, worst map", extreme(maps, "within2_percent", min), low=88, digits=1),
        ]
    return rows


def judge_shading(results: Results) -> list[list[str]]:
    right = share(results.shaded, lambda row: row["model"] == row["true_model"])
    false = share(results.maps, lambda row: row["model"] != "none")
    rows = [
        judged("recognised, by the right model", right, low=90, digits=1),
        judged("unshaded maps taken for shaded, or refused", false, high=0, digits=1),
    ]
    for stored_as, rmse in (("PNG", 0.7), ("JPEG q90", 1.3)):
        maps = stored(results.shaded, stored_as)
        rows.append(judged(f"{stored_as}: RMSE of kept pixels", mean(maps, "rmse_percent"), high=rmse))
        rows.append(judged(f"{stored_as}: data kept", mean(maps, "kept_percent"), low=90))
    return rows


def judge_classes(results: Results) -> list[list[str]]:
    return [
        judged("right class, of kept", mean(results.classes, "right"), low=99),
        judged("class that no pixel around has", mean(results.classes, "invented"), high=0),
        judged("data kept", mean(results.classes, "kept"), low=98),
        judged("true value within the stated half class", mean(results.classes, "within"), low=99),
    ]


def judge_blind(results: Results) -> list[list[str]]:
    wrong = share(results.blind, lambda row: bool(row["name"]) and not row["right"])
    rows = [
        judged("named, rightly", share(results.blind, lambda row: row["right"]), low=90, digits=1),
        judged("named wrongly", wrong, high=0, digits=1),
    ]
    for stored_as, clean_limit in (("PNG", 1.0), ("JPEG q90", 2.0)):
        maps = stored(results.blind, stored_as)
        clean, overlaid = [r for r in maps if r["clean"]], [r for r in maps if not r["clean"]]
        rows.append(judged(f"{stored_as}: clean maps, RMSE", mean(clean, "rmse"), high=clean_limit))
        rows.append(judged(f"{stored_as}: with overlays, RMSE", mean(overlaid, "rmse"), high=5))
    return rows


def map_table(rows: Sequence[Row], with_unmap: bool) -> str:
    names = ["rmse_percent", "kept_percent", "overlay_off_percent", "background_valued_percent"]
    names += ["within1_percent", "within2_percent", "filled_percent", "filled_rmse", "filled1", "filled2"]
    heads = ["map", "stored as", "RMSE", "kept", "over > 5 %", "backgr. valued", "in 1σ", "in 2σ"]
    heads += ["kept, filled", "filled RMSE", "filled in 1σ", "in 2σ"]
    if with_unmap:
        names += ["unmap_rmse_percent", "unmap_kept_percent", "unmap_overlay_off_percent"]
        heads += ["unmap RMSE", "unmap kept", "unmap over > 5 %"]
    lines = [[row["map"], row["stored_as"], *(number(row.get(name, np.nan)) for name in names)] for row in rows]
    return table(heads, lines)


def summary_table(results: Results) -> str:
    """Mean and worst map of each figure, geocbar and unmap side by side."""
    lines = []
    for stored_as in ("PNG", "JPEG q90", "JPEG q75"):
        maps = stored(results.maps, stored_as)
        for what, pick in (("mean", None), ("worst map", max)):
            cells = []
            for name in ("rmse_percent", "kept_percent", "overlay_off_percent"):
                worst = min if pick and name == "kept_percent" else pick
                for whose in (name, f"unmap_{name}"):
                    cells.append(number(mean(maps, whose) if worst is None else extreme(maps, whose, worst)))
            lines.append([stored_as, what, *cells])
    heads = ["stored as", "", "RMSE", "unmap", "kept", "unmap", "over > 5 %", "unmap"]
    return table(heads, lines)


def any_table(rows: Sequence[Row], columns: dict[str, str]) -> str:
    def cell(row: Row, name: str) -> str:
        value = row.get(name, float("nan"))
        if isinstance(value, str | bool):
            return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value or "–"
        return str(value) if isinstance(value, int) else number(value)

    return table(list(columns), [[cell(row, name) for name in columns.values()] for row in rows])


def worst_table(results: Results, most: int = 10) -> str:
    """The pictures farthest from the targets, by the worst of RMSE, data lost and overlay more than 5 % off."""
    limits = {"PNG": (0.15, 2, 0.2), "JPEG q90": (0.4, 6, 0.5), "JPEG q75": (0.6, 8, 1.0)}

    def excess(row: Row) -> float:
        rmse, lost, off = limits[row["stored_as"]]
        figures = row["rmse_percent"] / rmse, (100 - row["kept_percent"]) / lost, row["overlay_off_percent"] / off
        return float(np.nanmax(figures))

    rows = sorted((row for row in results.maps if not row["refusal"]), key=excess, reverse=True)[:most]
    columns = {"map": "map", "stored as": "stored_as", "RMSE": "rmse_percent", "kept": "kept_percent"}
    return any_table(rows, columns | {"over > 5 %": "overlay_off_percent", "largest error": "max"})


def refusals(rows: Sequence[Row]) -> str:
    """Who was refused, and in which words; refused maps are in no mean."""
    lines = [f"- {row['map']}, {row['stored_as']}: {row['refusal']}" for row in rows if row["refusal"]]
    return "\nRefused, and in no mean:\n\n" + "\n".join(lines) + "\n" if lines else ""


def write_page(results: Results) -> None:
    (ROOT / PAGE).write_text(page(results), encoding="utf-8")


def page(results: Results) -> str:
    heads = ["in %", "wanted", "reached", ""]
    without = f"\nunmap was not run: {results.without_unmap}.\n" if results.without_unmap else ""
    shading = {"map": "map", "stored as": "stored_as", "drawn with": "true_model", "taken for": "model"}
    shading |= {"RMSE": "rmse_percent", "kept": "kept_percent", "over > 5 %": "overlay_off_percent"}
    shading |= {"in 1σ": "within1_percent", "in 2σ": "within2_percent"}
    classes = {"map": "map", "classes": "classes", "found": "classes_read", "right": "right", "invented": "invented"}
    classes |= {"kept": "kept", "within half a class": "within", "boundary pixels valued": "edge_valued"}
    classes |= {"over > 5 %": "overlay_off_percent", "backgr. valued": "background_valued_percent"}
    blind = {"map": "map", "stored as": "stored_as", "clean": "clean", "drawn in": "true_name", "named": "name"}
    blind |= {"right": "right", "RMSE in order": "rmse", "kept": "kept"}
    dither = {"map": "map", "found dithered": "found", "RMSE": "rmse_percent", "kept": "kept_percent"}
    dither |= {"over > 5 %": "overlay_off_percent", "in 1σ": "within1_percent", "in 2σ": "within2_percent"}
    named = share(results.blind, lambda row: row["right"])
    return f"""# Accuracy

Maps drawn by matplotlib and by GMT whose every value is known, stored, and read back as `geocbar run` reads them: the
colour bar from the same picture; told are its box, its two end values and the map's frame. Fields are synthetic and
real (ETOPO and matplotlib's sample terrain). The scenes are drawn for this page only, and no threshold was fitted
to them, with the exception named in the section on shading. Where
a target is missed, it says so. Repeat it with

```
make bench
```

or, for this page alone, `python -m tests.bench accuracy`.

All figures are percentages. *RMSE* and *off* are in percent of the bar's range, over the pixels that show pure data and
were given a value; *kept* is the share of pure data pixels given one; *over > 5 %* the share of overlay and background
pixels inside the frame that were given a value more than 5 % off the field beneath (over land and paper any value is
off). JPEG is stored with its chroma at half the resolution (4:2:0). Means are over maps.

## Continuous maps with a bar

{table(heads, judge_maps(results))}

### Beside unmap

unmap 0.1.2 on the same pictures, told the 256 colours of the colormap, the frame and the end values, background white.
Its RMSE is low and its *kept* high because it values nearly everything: read them with the last two columns.
{without}
{summary_table(results)}

### Every map

{map_table(results.maps, not results.without_unmap)}
{refusals(results.maps)}
## Relief shading and transparency

{table(heads, judge_shading(results))}

The unshaded maps are the {len(results.maps)} pictures of the section above, read with `--shading auto`.

This table is not a first look. After the first run on these very maps flat colours were looked for again once the
shading is out (922, 928 and 931 had lost up to 69 % of their data), and the refusal of doubtful shading was made, its
limits chosen with 926 in view and checked for false alarms on other maps. The first look gave RMSE 1.59 on PNG and 2.93
on q90, kept 96.15 and 80.44 %, and the same 79.2 % recognised; it is the figure to go by until fresh maps are drawn.

{any_table(results.shaded, shading)}
{refusals(results.shaded)}
## Classes, JPEG q75

{table(heads, judge_classes(results))}

{any_table(results.classes, classes)}
{refusals(results.classes)}
## No bar, no name

{table(heads, judge_blind(results))}

The RMSE is what remains after the best relabelling that keeps the order: without a bar the picture says which value is
larger, not how much. A name counts as wrong if its colours are not those of the colormap the map was drawn in; naming
none is the honest answer where several fit ({number(named, 0)} % are named rightly).

{any_table(results.blind, blind)}
{refusals(results.blind)}
## Dithered GIF, 256 colours

{any_table(results.dithered, dither)}
{refusals(results.dithered)}
## What still goes wrong

The ten pictures of the first section that are farthest from the targets:

{worst_table(results)}

{WRONG}
"""


#: From looking at the worst pictures, the reasons given for their pixels and their errors side by side.
WRONG = """Seen in the worst pictures of the first run of this page (20 November 2026); figures are of that run
unless the tables above say otherwise.

- **Large calm data taken for paper or land.** 907 (q90) loses 17 % because a wide plateau of the field is flat after
  JPEG and next to white land; the note says so and names `--no-background-search`, but the data are gone. The same
  happens to the lowest class of 943. (On shaded maps it was far worse until flat colours were looked for again after
  the shading is out.)
- **A box or land in a colour the scale has.** White land under class scales whose highest class is white or nearly so
  is read as that class: 96 % of the background of map 941 (`geo`) and all of that of 945 (`gist_earth`) has a value;
  a note names the colour and its share. Legend boxes are valued where the scale ends near white: 901 and 902
  (`haxby`), 908 (`gist_earth`), 931 (`terrain`), flagged "at or above the upper end" in three of the four. They are
  most of the overlay pixels that are more than 5 % off. `--background '#ffffff'` helps where no data are white.
- **Fine detail under contours, after JPEG.** 900 (ETOPO, dense white and black contours, q75) is the worst plain map:
  1.6 % RMSE, 81 % kept. Of its pixels 89 % lie within 8 px of a line; those near lines err by 1.7 %, the others by
  0.4 %. The blocks of JPEG carry a line's colour into the data around it, too weakly to be told from noise. On 908
  the same is seen along coasts (1.1 % near, 0.6 % far). Steep slopes are lost there as a whole, as their colour
  changes over a few pixels as a line's would: the continental margin of 900, the fronts of 909.
- **Filling across relief.** The worst filled pixels (5 to 6 % RMSE, 902 and 908 on JPEG) are rims of contours and
  text on steep terrain, where what lies on both sides of a gap does not say what lies in it. Their sigma knows it in
  part: 64 to 73 % of them are within 1 sigma, but only 84 to 93 % within 2.
- **Shading that cannot be seen, or is taken for another.** A grey scale multiplied with a hillshade is grey (924): it
  is read as plain, 13 % off, with small sigma; every grey scale therefore carries a note that shading cannot be told
  from data on it. On 921 (`cividis`, GMT) dense contours leave few calm pixels, and the blue and yellow flanks fit
  matplotlib's overlay blend as well: 3 % off, with a note that names the rival models. On 926 (`coolwarm`, overlay
  blend, a relief as fine as the blocks of JPEG) three models fit alike and the map is refused. Say what you know with
  `--shading`.
- **Sigma is wide on lossless maps.** Stated 1 sigma holds 80 to 99 % on PNG, where the error is half a colour step and
  not Gaussian. Where shading was taken out it is uneven (see the table), and on dithered pictures too narrow (980,
  982: 83 to 86 % within 2 sigma).
- **Neighbouring classes under dense contours.** 943 (17 classes, q75): 96 % right. Where contours follow every class
  boundary the class between two lines is a few pixels wide and its chroma is that of the neighbours.
- **No name.** `geo` is in no catalogue, and GMT draws `jet` (961) by a table of its own whose corners differ from
  those of the catalogue: no name is right there, and counts as not named. `RdBu_r` drawn by GMT (969) could be the
  catalogue's `BuRd` as well, which gives other values: both fit within the noise, and neither is named. `geo` also
  jumps in colour at sea level and ends in black and white: ordered without a bar, map 960 is 3 % off and loses a
  sixth of its data."""
