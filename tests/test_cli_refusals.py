"""Every bad input ends in one sentence and what to do next, exit code 1 or 2, and nothing written."""

from __future__ import annotations

import os
import re
import resource
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from map_job import MapJob, Point, draw_job, geocbar, start_geocbar, write_points

from geocbar.app.cli import commands
from geocbar.errors import GeocbarError


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> MapJob:
    return draw_job(tmp_path_factory.mktemp("job"))


def contents(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def refuse(folder: Path, args: Sequence[object], code: int, sentence: str, hint: str) -> None:
    """The entry point and click's own command refuse alike: message, hint, exit code, and nothing written."""
    before = contents(folder)
    outcome = geocbar("run", *args, cwd=folder)
    assert outcome.code == code, outcome.err
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert "stumbled" not in outcome.err
    last = outcome.err[outcome.err.index("Error: ") :]
    assert re.search(sentence, last), last
    assert re.search(hint, last if code == 1 else outcome.err), outcome.err
    if code == 1:
        lines = last.splitlines()
        assert lines[0].endswith("."), lines
        assert len(lines) >= 2, lines
        assert all(line.startswith("  ") for line in lines[1:]), lines
    assert contents(folder) == before
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(commands, ["run", *map(str, args)])
    assert result.exit_code == code
    if code == 1:
        assert isinstance(result.exception, GeocbarError)
        assert re.search(sentence, f"Error: {result.exception.message}")
    assert contents(folder) == before


def png_header(width: int, height: int) -> bytes:
    """The first bytes of a PNG that claims a size it does not hold."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    body = b"IDAT" + data
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    )  # fmt: skip


PICTURES: dict[str, tuple[Callable[[bytes], bytes | None], str, str]] = {
    "missing": (lambda _: None, r"There is no file bad\.png\.", "Check the path"),
    "empty": (lambda _: b"", r"bad\.png is empty \(0 bytes\)\.", "Get the file again"),
    "truncated": (lambda data: data[: len(data) // 2], r"bad\.png is damaged or cut off: ", "Get the file again"),
    "cut in its header": (lambda data: data[:20], r"bad\.png is (not a picture|damaged)", "Give a PNG|Get the file"),
    "not a picture": (lambda _: b"<html>404</html>", r"bad\.png is not a picture .* \(16 bytes\)", "Give a PNG, JPEG"),
    "a bomb": (
        lambda _: png_header(60000, 50000),
        r"would unpack to 60000 x 50000 px = 3000 Mpx, more than the limit of 500 Mpx",
        "--max-pixels 3000000000",
    ),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures(job: MapJob, tmp_path: Path, kind: str) -> None:
    make, sentence, hint = PICTURES[kind]
    data = make(job.picture.read_bytes())
    if data is not None:
        (tmp_path / "bad.png").write_bytes(data)
    refuse(tmp_path, ["bad.png", "--gcps", job.gcps, *job.scale], 1, sentence, hint)


def test_a_limit_of_pixels_is_kept(job: MapJob, tmp_path: Path) -> None:
    args = [job.picture, "--gcps", job.gcps, *job.scale]
    refuse(tmp_path, [*args, "--max-pixels", "22399"], 1, "160 x 140 px = 0.0224 Mpx|more than the limit", "22400")
    refuse(tmp_path, [*args, "--max-pixels", "0"], 2, "0 is not in the range", "Try 'geocbar run --help'|Invalid value")


def test_a_bar_without_labels_is_refused_with_a_draft_to_mend(job: MapJob, tmp_path: Path) -> None:
    outcome = geocbar("run", job.picture, "--gcps", job.gcps, "--colorbar", "16,117,144,127", cwd=tmp_path)
    assert outcome.code == 1
    assert "The bar at 16.0,117.0,144.0,127.0 could not be read for certain." in outcome.err
    assert "--vmin V --vmax V" in outcome.err
    assert contents(tmp_path) == {"map_inspect", "map_inspect/map.inspect.png", "map_inspect/map.toml"}
    draft = tmp_path / "map_inspect" / "map.toml"
    mended = draft.read_text(encoding="utf-8").replace("[scale]", "[scale]\nvmin = 0.0\nvmax = 10.0")
    draft.write_text(mended, encoding="utf-8")
    again = geocbar("run", "map_inspect/map.toml", cwd=tmp_path)
    assert again.code == 0, again.err


def test_a_folder_is_no_picture(job: MapJob, tmp_path: Path) -> None:
    refuse(tmp_path, [tmp_path, "--gcps", job.gcps, *job.scale], 1, "is a folder, not a picture", "Give the map's file")


ENDS = ["--vmin", "0", "--vmax", "10"]
BAR = ["--colorbar", "16,117,144,127"]
SCALES: list[tuple[list[str], int, str, str]] = [
    (["--colorbar", "16,117,1440,127", *ENDS], 1, r"bar box .* leaves the picture, which is 160 x 140", "<= 160"),
    (["--colorbar", "16,117,144", *ENDS], 1, "'16,117,144' is not a box", "LEFT,TOP,RIGHT,BOTTOM"),
    (["--colorbar", "16;117;144;127", *ENDS], 1, "is not a box", "LEFT,TOP,RIGHT,BOTTOM"),
    (["--colorbar", "144,117,16,127", *ENDS], 1, "box 144,117,16,127 is empty", "LEFT < RIGHT"),
    (["--colorbar", "16,117,nan,127", *ENDS], 1, "box 16,117,nan,127 is empty", "LEFT < RIGHT"),
    (["--colorbar", "16,117,20,118", *ENDS], 1, "covers only 4 x 1 pixels", "at least 8 px long"),
    (["--colorbar", "1,1,14,12", *ENDS], 1, r"lies on a single colour \(#ffffff\)", "Check that"),
    ([*BAR, "--vmin", "3", "--vmax", "3"], 1, "two ends of the colour bar have the same value, 3", "--vmin V --vmax V"),
    ([*BAR, *ENDS, "--scale", "log"], 1, "A log scale cannot hold 0", "--scale linear"),
    ([*BAR, "--vmin", "-1", "--vmax", "1", "--scale", "log"], 1, "A log scale cannot hold -1", "--scale linear"),
    ([*BAR, "--vmin", "3"], 1, "values at the ends of the colour bar are not known", "--vmin V --vmax V"),
    ([*BAR, "--vmin", "3", "--ticks", "0@16,1@144"], 1, "Both ticks and end values are given", "Give --ticks, or"),
    ([*BAR, "--ticks", "0@16"], 1, "A bar needs at least two ticks, not 1", "--ticks"),
    ([*BAR, "--ticks", "0,10"], 1, "'0' is not a tick", "VALUE@PIXEL"),
    ([*BAR, "--ticks", "0@16,1@300"], 1, "The tick 1@300 is not on the colour bar", "x coordinate"),
    (
        [*BAR, "--ticks", "1@16,10@80,100@144", "--scale", "linear"],
        1,
        "ticks do not lie on a linear scale: 10",
        "--scale log",
    ),
    ([*BAR, "--vmin", "0", "--vmax", "nan"], 1, "is nan, which 32-bit numbers cannot hold", "finite"),
    ([*BAR, "--vmin", "0", "--vmax", "1e308"], 1, r"is 1e\+308, which 32-bit numbers cannot hold", "finite"),
    ([*BAR, "--vmin", "1e10", "--vmax", "10000000001"], 1, "too close together for 32-bit numbers", "an offset"),
    ([*BAR, "--vmin", "ten", "--vmax", "1"], 2, "'ten' is not a valid float", "--help|--vmin"),
    ([*BAR, *ENDS, "--scale", "lin"], 2, "'lin' is not one of 'auto', 'linear', 'log', 'symlog', 'power'", "--scale"),
    ([*BAR, *ENDS, "--scale", "log:2"], 2, "The scale 'log:2' cannot be read", "Write --scale log"),
    ([*BAR, *ENDS, "--scale", "power:half"], 2, "The scale 'power:half' cannot be read", "power:GAMMA"),
    ([*BAR, *ENDS, "--scale", "symlog:0"], 2, "linthresh of a symlog scale is 0, which is not above 0", "symlog:0.01"),
    ([*BAR, *ENDS, "--scale", "symlog"], 1, "Two end values do not determine a symlog scale", "symlog:LINTHRESH"),
    ([*BAR, *ENDS, "--scale", "power"], 1, "Two end values do not determine a power scale", "power:GAMMA|--ticks"),
    ([*BAR, *ENDS, "--scale", "piecewise"], 1, "Two end values do not make a piecewise scale", "--ticks"),
    ([*BAR, "--ticks", "0@16,9@144", "--scale", "power"], 1, "needs 3 ticks and more", "--scale power:GAMMA"),
    ([*BAR, "--ticks", "0@16,1@48,2@80,3@112,9@144"], 1, "linear scale: 9 is 125.0 % of the bar", "--scale piecewise"),
    ([*BAR, *ENDS, "--scale", "discrete"], 1, "no separate boxes of colour", "--scale linear"),
    ([*BAR, *ENDS, "--colormap", "viridis"], 1, "Both a colour bar and a colormap are given", "not both"),
    (["--colormap", "virids", *ENDS], 1, "There is no colormap 'virids'", "Did you mean: viridis"),
    (["--colormap", "viridis"], 1, "values at the ends of the colormap are not known", "--vmin V --vmax V"),
    (["--colormap", "none.cpt", *ENDS], 1, r"There is no file none\.cpt", "Check the path of the palette"),
    (["--colormap", "Spectral", *ENDS], 1, "This bar does not belong to this map", "--colormap, and that --frame"),
    ([*BAR, *ENDS, "--frame", "10,10,1000,50"], 1, "map frame box .* leaves the picture", "RIGHT <= 160"),
    ([*BAR, *ENDS, "--frame", "30.6,30.6,30.9,30.9"], 1, "map frame 30.6,30.6,30.9,30.9 holds no pixel", "--frame"),
    ([*BAR, *ENDS, "--frame", "16,117,144,127"], 1, "No pixel of the map has a colour of this scale", "--frame"),
    ([*BAR, *ENDS, "--max-distance", "0"], 1, "largest colour distance is 0", "--max-distance above 0"),
    ([*BAR, *ENDS, "--to-crs", "EPSG:999999"], 1, "'EPSG:999999' is not known", "EPSG:4326"),
    ([*BAR, *ENDS, "--to-crs", "EPSG:5773"], 1, "is a vertical reference system", "EPSG:4326"),
    ([*BAR, *ENDS, "--gcp-crs", "moon"], 1, "coordinate reference system 'moon'", "EPSG:4326"),
    ([*BAR, *ENDS, "--resolution", "0"], 1, "The resolution is 0", "--resolution above 0"),
    ([*BAR, *ENDS, "--resolution", "1e-9"], 1, "makes .* cells", "larger --resolution"),
    ([*BAR, *ENDS, "--eps", "0"], 1, "eps is 0 px", "1.5"),
    ([*BAR, *ENDS, "--max-error", "none", "--min-samples", "100000"], 1, "No cluster", "lower"),
    ([*BAR, *ENDS, "--model", "poly9"], 2, "There is no model 'poly9'. Choose one of: auto, similarity", "--model"),
]


@pytest.mark.parametrize(("options", "code", "sentence", "hint"), SCALES, ids=lambda part: str(part)[:40])
def test_choices(job: MapJob, tmp_path: Path, options: list[str], code: int, sentence: str, hint: str) -> None:
    refuse(tmp_path, [job.picture, "--gcps", job.gcps, *options], code, sentence, hint)


def test_without_points_the_frame_is_read_and_found_bare(job: MapJob, tmp_path: Path) -> None:
    outcome = geocbar("run", job.picture, *job.scale, cwd=tmp_path)
    assert outcome.code == 1
    assert "It is not known for certain where on Earth map.png lies. No longitudes and latitudes" in outcome.err
    assert "--gcps FILE" in outcome.err
    assert "map_inspect/map.toml" in contents(tmp_path)


Change = Callable[[tuple[Point, ...]], Sequence[Sequence[float]]]
POINTS: list[tuple[Change, list[str], str, str]] = [
    (lambda p: p[:5], ["--model", "poly2"], "model poly2 needs 6 control points; there are 5", "--model affine"),
    (lambda p: p[:9], ["--model", "poly3"], "model poly3 needs 10 control points; there are 9", "--model poly2"),
    (lambda p: p[:2], [], "needs 3 control points; there are 2", "Add points: 5 or more, better 12"),
    (lambda p: p[:3], [], "All 3 control points lie on one line", "Add a point well off that line"),
    (lambda p: [*p, p[4]], [], r"Points '5' and '10' are the same point", "Delete one of them"),
    (lambda p: [*p, (*p[4][:2], 11, 36)], [], "have one place in the picture, .* but two on Earth", "Correct one"),
    (lambda p: [*p, (30, 30, *p[4][2:])], [], "have one place on Earth, 20, 42.5", "Correct one"),
    (lambda p: [(x, y, lat, lon) for x, y, lon, lat in p], [], "longitude and latitude are swapped", "Mend|swap"),
    (lambda p: [(x, y, lat, lon + 90) for x, y, lon, lat in p], [], "has longitude 50 and latitude 120", "[sS]wap"),
    (lambda p: [(x, 140 - y, lon, lat) for x, y, lon, lat in p], [], "lines are counted upwards", "Mend|type"),
    (lambda p: [(x, y, -lon, lat) for x, y, lon, lat in p], [], "longitude has the wrong sign", "Mend|type"),
    (lambda p: [(x, y, lon, -lat) for x, y, lon, lat in p], [], "mirror image", "Mend|type"),
    (lambda p: [(x * 4, y * 4, lon, lat) for x, y, lon, lat in p], [], "outside the picture", "576 x 504 px"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "options", "sentence", "hint"), POINTS)
def test_control_points(
    job: MapJob, tmp_path: Path, change: Change, options: list[str], sentence: str, hint: str
) -> None:
    gcps = write_points(tmp_path / "g.csv", change(job.points))
    refuse(tmp_path, [job.picture, "--gcps", gcps, *job.scale, *options], 1, sentence, hint)


def test_one_hemisphere_slip_is_named_and_the_rest_done(job: MapJob, tmp_path: Path) -> None:
    points = [*job.points[:8], (*job.points[8][:2], -job.points[8][2], job.points[8][3])]
    gcps = write_points(tmp_path / "g.csv", points)
    outcome = geocbar("run", job.picture, "--gcps", gcps, *job.scale, "--quiet", cwd=tmp_path)
    assert outcome.code == 0
    assert re.search(r"note +Point '9' lies \d+ px from where .* if you type longitude 30 instead of -30", outcome.out)


TABLES: list[tuple[str, str, str]] = [
    ("", "g.csv is empty", "Name the columns: name,pixel,line,lon,lat"),
    ("a,b,lon,lat\n1,2,3,4\n", "has no column pixel: its header is 'a, b, lon, lat'", "Name the columns"),
    ("pixel,line,lon\n1,2,3\n", r"has no column lat \(or northing\): its header is 'pixel, line, lon'", "Name"),
    ("16,14,10,50\n144,14,30,50\n", "has no header: its first line is", "Name the columns"),
    ("pixel,line,lon,lat\n", "has a header but no control points", "Add a line"),
    ("pixel,line,lon,lat\n16,14,10,50\n144,x4,30,50\n", r"g.csv, line 3, column line: 'x4'", "plain number"),
    ("pixel,line,lon,lat\n16,14,10,50\n144,14,,50\n", "line 3, column lon: '': a number is missing", "delete the line"),
    ("pixel,line,lon,lat\n16,14,10,50\n1,5,14,5,30,50\n", "line 3 has 6 fields, the header 4", "semicolons"),
    ("pixel,line,lon,lat\n16,14,10E,50E\n", "line 2, column lat: '50E'", "swap"),
]


@pytest.mark.parametrize(("text", "sentence", "hint"), TABLES)
def test_tables_of_control_points(job: MapJob, tmp_path: Path, text: str, sentence: str, hint: str) -> None:
    (tmp_path / "g.csv").write_text(text)
    refuse(tmp_path, [job.picture, "--gcps", "g.csv", *job.scale], 1, sentence, hint)


def test_no_table_at_all(job: MapJob, tmp_path: Path) -> None:
    refuse(tmp_path, [job.picture, "--gcps", "no.csv", *job.scale], 1, "no.csv cannot be read: No such file", "Check")
    refuse(tmp_path, [job.picture, "--gcps", job.picture, *job.scale], 1, "is not a table of text", "Save it as CSV")


def test_usage(tmp_path: Path) -> None:
    refuse(tmp_path, [], 2, "Missing argument 'MAP'", "geocbar run --help")
    refuse(tmp_path, ["map.png", "--gpcs", "g.csv"], 2, "No such option.*--gpcs", "--gcps")
    assert geocbar("run", "none.toml", cwd=tmp_path).err.startswith("Error: The recipe none.toml cannot be read")


def test_names_that_are_not_text(job: MapJob, tmp_path: Path) -> None:
    name = os.fsdecode(b"k\xe4rte.png")
    (tmp_path / name).write_bytes(job.picture.read_bytes())
    refuse(tmp_path, [name, "--gcps", job.gcps, *job.scale], 1, "is not text in UTF-8", "Rename the file")


def test_places_to_write(job: MapJob, tmp_path: Path) -> None:
    args = [job.picture, "--gcps", job.gcps, *job.scale, "--quiet", "--out"]
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    refuse(tmp_path, [*args, "file", "--overwrite"], 1, "file is a file", "--out DIR")
    refuse(tmp_path, [*args, "file/below"], 1, "file/below cannot be (made|used|written)", "--out DIR")
    refuse(tmp_path, [*args, "full"], 1, "full exists and holds 1 file", "--overwrite")
    refuse(tmp_path, [*args, "full", "--overwrite"], 1, r"not the outputs of an earlier run \(notes.txt\)", "--out DIR")
    refuse(tmp_path, [*args, "x" * 300], 1, "cannot be (made|used|written): File name too long", "--out DIR")
    assert (tmp_path / "full" / "notes.txt").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(job: MapJob, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    args = [job.picture, "--gcps", job.gcps, *job.scale, "--out", "locked/out"]
    refuse(tmp_path, args, 1, "Permission denied", "--out DIR")


@pytest.mark.parametrize("limit", [4_000, 90_000])
def test_a_full_disk_leaves_nothing(job: MapJob, tmp_path: Path, limit: int) -> None:
    def short_of_space() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    args = ["run", job.picture, "--gcps", job.gcps, *job.scale, "--quiet"]
    process = start_geocbar(*args, cwd=tmp_path, preexec_fn=short_of_space)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.search(r"^Error: map\.(tif|gpkg) cannot be written: .*\n  Check .*free space", err, re.M), err
    assert "Traceback" not in err
    assert out == ""
    assert contents(tmp_path) == set()


@pytest.mark.parametrize(
    ("number", "step", "size"),
    [
        (signal.SIGINT, "inverting colours", (3000, 2000)),
        (signal.SIGTERM, "thinning", (3000, 2000)),
        (signal.SIGINT, "writing map.tif", (160, 140)),
        (signal.SIGHUP, "writing map.gpkg", (160, 140)),
    ],
)
def test_stopped_in_mid_run(
    tmp_path_factory: pytest.TempPathFactory, number: signal.Signals, step: str, size: tuple[int, int]
) -> None:
    job = draw_job(tmp_path_factory.mktemp("sheet"), "map.bmp", size)
    # A step's line appears when the next one begins.
    steps = ["reading the figure", "inverting colours", "putting values", "thinning", "writing map.tif"]
    before = steps[[*steps, "writing map.gpkg"].index(step) - 1]
    for _ in range(3):  # Python loses an interrupt that arrives while an object is being finalized
        here = tmp_path_factory.mktemp("here")
        process = start_geocbar("run", job.picture, "--gcps", job.gcps, *job.scale, cwd=here)
        assert process.stderr is not None
        for line in process.stderr:
            if before in line:
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        if process.returncode:
            break
    assert process.returncode == 1
    assert "Error: Stopped. Nothing was written." in err
    assert "Traceback" not in err
    assert out == ""
    assert contents(here) == set()


def test_a_broken_pipe_is_no_traceback(job: MapJob, tmp_path: Path) -> None:
    args = ["run", job.picture, "--gcps", job.gcps, *job.scale, "--quiet", "--json"]
    process = start_geocbar(*args, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 1
    assert (tmp_path / "map_geocbar" / "map.tif").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_summary_that_cannot_be_printed_does_not_deny_the_files(job: MapJob, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "geocbar", "run", str(job.picture), "--gcps", str(job.gcps), *job.scale, "--quiet"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The files are written, but their summary cannot be printed: No space left")
    assert (tmp_path / "map_geocbar" / "map.tif").is_file()


def test_a_mistake_in_the_program_is_said_to_be_one(
    job: MapJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("geocbar.digitization.digitize_recipe", fail)
    args = ["run", job.picture, "--gcps", job.gcps, *job.scale]
    outcome = geocbar(*args, cwd=tmp_path)
    assert outcome.code == 1
    assert "ZeroDivisionError: division by zero. Nothing was written.\n  This is a bug: please report" in outcome.err
    monkeypatch.setenv("GEOCBAR_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        geocbar(*args, cwd=tmp_path)


def test_not_enough_memory_is_said(job: MapJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("geocbar.digitization.digitize_recipe", fail)
    outcome = geocbar("run", job.picture, "--gcps", job.gcps, *job.scale, cwd=tmp_path)
    assert (outcome.code, contents(tmp_path)) == (1, set())
    assert "There is not enough memory for a picture of this size.\n  Crop the picture" in outcome.err
