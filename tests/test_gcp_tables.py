from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geocbar.errors import FileProblemError, InvalidInputError, NotFoundError
from geocbar.files.gcp_tables import parse_angle, read_gcps, write_gcps, write_points_file
from geocbar.place.gcps import GroundControlPoints


def saved(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "gcps.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "axis", "degrees"),
    [
        ("12.5", "lon", 12.5),
        ("−12.5", "lon", -12.5),
        ("12.5W", "lon", -12.5),
        ("W12.5", "lon", -12.5),
        ("W 12.5", "lon", -12.5),
        ("12.5°W", "lon", -12.5),
        ("12E", "lon", 12),
        ("1e1", "lon", 10),
        ("45°30'N", "lat", 45.5),
        ("45°30′15.5″N", "lat", 45 + 30 / 60 + 15.5 / 3600),
        ("45°30'15.5\"S", "lat", -(45 + 30 / 60 + 15.5 / 3600)),
        ("45°30’36”", "lat", 45.51),
        ("45d30mN", "lat", 45.5),
        ("45d30m36s", "lat", 45.51),
        ("45d30m36S", "lat", -45.51),
        ("45 30 N", "lat", 45.5),
        ("45 30 36 s", "lat", -45.51),
        ("45:30:36", "lat", 45.51),
        ("-0°30'", "lat", -0.5),
        ("12.5s", "lat", -12.5),
    ],
)
def test_degrees_are_read_as_people_write_them(text: str, axis: str, degrees: float) -> None:
    assert parse_angle(text, axis) == pytest.approx(degrees, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "axis", "sentence"),
    [
        ("45 60 N", "lat", "60 minutes are 60 or more"),
        ("45 30 61 N", "lat", "61 seconds are 60 or more"),
        ("45.5 30 N", "lat", "fraction before its last part"),
        ("12O", "lon", "O is east in German and west in French"),
        ("O12", "lon", "Write E for east or W for west"),
        ("45N", "lon", "N is not a longitude"),
        ("12W", "lat", "look swapped in this line: swap the two"),
        ("-12W", "lon", "both a sign and a hemisphere letter"),
        ("W12W", "lon", "two hemisphere letters"),
        ("twelve", "lon", "it is not an angle"),
        ("1_2", "lon", "it is not an angle"),
        ("nan", "lon", "it is not an angle"),
        ("N", "lat", "it is not an angle"),
    ],
)
def test_what_is_no_angle_is_refused(text: str, axis: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        parse_angle(text, axis)


@given(st.integers(0, 179), st.integers(0, 59), st.integers(0, 59), st.sampled_from("EW"))
def test_degrees_minutes_seconds_add_up(d: int, m: int, s: int, letter: str) -> None:
    expected = (d + m / 60 + s / 3600) * (-1 if letter == "W" else 1)
    forms = (f"{d}°{m}'{s}\"{letter}", f"{letter}{d} {m} {s}", f"{d}d{m}m{s}s{letter}", f"{d}:{m}:{s} {letter}")
    for text in forms:
        assert parse_angle(text, "lon") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "header",
    [
        "pixel,line,lon,lat",
        "Col,Row,Longitude [deg],Latitude (deg)",
        "px,py,x,y",
        "px,py,X,Y",
        "x,y,lon,lat",
        "X,Y,lon,lat",
        "x,y,X,Y",
        "image_x,image_y,Lng,LAT",
        "pixel_X, pixel Y, mapX, mapY",
        '"column","row","east","north"',
    ],
)
def test_columns_go_by_many_names(tmp_path: Path, header: str) -> None:
    gcps = read_gcps(saved(tmp_path, f"{header}\n1,2,3,4\n5,6,7,8\n"))
    assert gcps.pixels.tolist() == [[1, 2], [5, 6]]
    assert gcps.world.tolist() == [[3, 4], [7, 8]]
    assert gcps.crs == "EPSG:4326"
    assert gcps.names == ("1", "2")


def test_upper_case_columns_are_the_world_wherever_they_stand(tmp_path: Path) -> None:
    gcps = read_gcps(saved(tmp_path, "X,Y,x,y\n3,4,1,2\n"))
    assert gcps.pixels.tolist() == [[1, 2]]
    assert gcps.world.tolist() == [[3, 4]]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("pixel,line,lon", "has no column lat .*'pixel, line, lon'"),
        ("x,y", "has no column pixel"),
        ("x,y,x,y", "has no column pixel"),
        ("pixel,line,lon,mapX,lat", "more than one column lon .*'lon' and 'mapX'"),
        ("pixel,line,x,y,X,Y", "more than one column lon .*'x' and 'X'"),
        ("1,2,3,4", "has no header: its first line is '1, 2, 3, 4'"),
    ],
)
def test_missing_and_ambiguous_columns_are_named(tmp_path: Path, header: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        read_gcps(saved(tmp_path, f"{header}\n1,2,3,4,5,6\n"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_delimiter_and_encoding(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = ["# Müller", "", "name,pixel,line,lon,lat,enable", "Köln,10.5,20,6°57'E,50.9,no", " ", ",,,,,", "#,1"]
    text = "\r\n".join(rows).replace(",", delimiter)
    gcps = read_gcps(saved(tmp_path, text, encoding))
    assert gcps.names == ("Köln",)
    assert gcps.pixels.tolist() == [[10.5, 20]]
    np.testing.assert_allclose(gcps.world, [[6.95, 50.9]])
    assert not np.asarray(gcps.enabled).any()


def test_decimal_commas_where_they_do_not_separate(tmp_path: Path) -> None:
    gcps = read_gcps(saved(tmp_path, "id;x;y;lon;lat\nA;1,5;2;-3,25;45°30'15,5\"N\n"))
    assert gcps.pixels.tolist() == [[1.5, 2]]
    np.testing.assert_allclose(gcps.world, [[-3.25, 45 + 30 / 60 + 15.5 / 3600]])
    with pytest.raises(InvalidInputError, match="separate the columns by semicolons"):
        read_gcps(saved(tmp_path, "x,y,lon,lat\n1,5,2,-3,25,45\n"))
    with pytest.raises(InvalidInputError, match=r"'1\.234,5': it is not a number"):
        read_gcps(saved(tmp_path, "x;y;lon;lat\n1.234,5;2;3;4\n"))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("A,1,2,x3,4,1", r"gcps\.csv, line 4, column Lon \[deg\]: 'x3': it is not an angle"),
        ("A,1,2,45N,4,1", r"line 4, column Lon .*'45N': N is not a longitude.*\n.*swap the two"),
        ("A,1,2,3,45 61 N,1", "line 4, column lat: '45 61 N': 61 minutes"),
        ("A,one,2,3,4,1", "line 4, column pixel: 'one': it is not a number"),
        ("A,1e999,2,3,4,1", "'1e999': it is too large"),
        ("A,1,2,3", "line 4, column lat: '': a number is missing"),
        ("A,1,2,3,4,maybe", "line 4, column enable: 'maybe': it is neither on nor off"),
        ("A,1,2,3,4,1,9", "line 4 has 7 fields, the header 6"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, row: str, sentence: str) -> None:
    text = f"# made by hand\nname,pixel,line,Lon [deg],lat,enable\nB,1,2,3,4,TRUE\n{row}\n"
    with pytest.raises(InvalidInputError, match=sentence):
        read_gcps(saved(tmp_path, text))


def test_files_that_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match=r"gone\.csv cannot be read: No such file"):
        read_gcps(tmp_path / "gone.csv")
    with pytest.raises(FileProblemError, match="is empty"):
        read_gcps(saved(tmp_path, "\n  \n"))
    with pytest.raises(FileProblemError, match="not a table of text"):
        read_gcps(saved(tmp_path, "PK\0\0\1"))
    with pytest.raises(InvalidInputError, match="only comments"):
        read_gcps(saved(tmp_path, "# nothing\n"))
    with pytest.raises(InvalidInputError, match="has a header but no control points"):
        read_gcps(saved(tmp_path, "x,y,lon,lat\n"))


def test_crs_given_said_and_assumed(tmp_path: Path) -> None:
    path = saved(tmp_path, "#CRS: EPSG:25832\npixel,line,easting,northing\n1,2,500000,5000000\n")
    assert read_gcps(path).crs == "EPSG:25832"
    assert read_gcps(path, "EPSG:32632").crs == "EPSG:32632"
    bare = saved(tmp_path, "pixel,line,easting,northing\n1,2,500000,5000000\n")
    assert read_gcps(bare, "EPSG:32632").world.tolist() == [[500000, 5000000]]
    with pytest.raises(InvalidInputError, match="gives easting and northing but no coordinate reference system"):
        read_gcps(bare)
    with pytest.raises(InvalidInputError, match="'12E': it is not a number"):
        read_gcps(saved(tmp_path, "pixel,line,easting,northing\n1,2,12E,4\n"), "EPSG:32632")


POINTS_HEADERS = {
    "sourceX": "mapX,mapY,sourceX,sourceY,enable,dX,dY,residual\n",
    "pixelX": "mapX,mapY,pixelX,pixelY,enable,dX,dY,residual\n",
}


@pytest.mark.parametrize("form", ["sourceX", "pixelX", "tabs"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_points_files_of_all_times(tmp_path: Path, form: str, sign: int) -> None:
    rows = f"7.5,50,100.5,{sign * 200.25},1,0,0,0\n8,51,300,{sign * 10},0,0,0,0\n"
    text = POINTS_HEADERS.get(form, POINTS_HEADERS["pixelX"]) + rows
    if form == "tabs":
        text = "mapX\tmapY\tpixelX\tpixelY\tenable\n" + "\n".join(
            "\t".join(row.split(",")[:5]) for row in rows.splitlines()
        )
    gcps = read_gcps(saved(tmp_path, text))
    assert gcps.pixels.tolist() == [[100.5, 200.25], [300, 10]]
    assert gcps.world.tolist() == [[7.5, 50], [8, 51]]
    assert np.asarray(gcps.enabled).tolist() == [True, False]


def test_lines_above_the_picture_keep_their_sign(tmp_path: Path) -> None:
    mixed = "1,2,3,-400\n1,2,3,5\n"
    gcps = read_gcps(saved(tmp_path, "mapX,mapY,sourceX,sourceY\n" + mixed))
    assert gcps.pixels[:, 1].tolist() == [400, -5]
    typed = read_gcps(saved(tmp_path, "lon,lat,sourceX,sourceY\n" + mixed))
    assert typed.pixels[:, 1].tolist() == [-400, 5]
    flipped = read_gcps(saved(tmp_path, "lon,lat,sourceX,sourceY\n1,2,3,-400\n1,2,3,0\n"))
    assert flipped.pixels[:, 1].tolist() == [400, 0]
    assert read_gcps(saved(tmp_path, "lon,lat,pixel,line\n1,2,3,-4\n")).pixels[0, 1] == -4


@given(
    st.lists(
        st.tuples(*[st.floats(-1e4, 1e4)] * 2, st.floats(-360, 360), st.floats(-90, 90), st.booleans()),
        min_size=1,
        max_size=5,
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Zs", "Cs")), min_size=1),
    st.sampled_from(["EPSG:4326", "EPSG:4258", "EPSG:32632"]),
)
@settings(max_examples=25, deadline=None)
def test_csv_round_trip_is_exact(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, ...]], name: str, crs: str
) -> None:
    array = np.array([row[:4] for row in rows])
    names = tuple(f"{name}{i}" for i in range(len(rows)))
    gcps = GroundControlPoints(array[:, :2], array[:, 2:], crs, names, np.array([row[4] for row in rows], bool))
    path = tmp_path_factory.mktemp("trip") / "gcps.csv"
    write_gcps(path, gcps)
    back = read_gcps(path)
    np.testing.assert_array_equal(back.pixels, gcps.pixels)
    np.testing.assert_array_equal(back.world, gcps.world)
    np.testing.assert_array_equal(back.enabled, gcps.enabled)
    assert (back.crs, back.names) == (crs, names)


def test_csv_columns_follow_the_crs(tmp_path: Path) -> None:
    path = tmp_path / "gcps.csv"
    write_gcps(path, GroundControlPoints([[1.5, 2]], [[7, 50]], names=("#1, harbour",)))
    assert path.read_text() == 'name,pixel,line,lon,lat,enable\n"#1, harbour",1.5,2,7,50,1\n'
    assert read_gcps(path).names == ("#1, harbour",)
    write_gcps(path, GroundControlPoints([[1, 2]], [[5e5, 5e6]], "EPSG:32632"))
    assert path.read_text().startswith("#CRS: EPSG:32632\nname,pixel,line,easting,northing,enable\n")


def test_points_file_is_what_qgis_writes(tmp_path: Path) -> None:
    path = tmp_path / "map.points"
    gcps = GroundControlPoints([[1.5, 0], [30, 40]], [[5e5, 5e6], [6e5, 6e6]], "EPSG:32632", enabled=[True, False])
    write_points_file(path, gcps, [[3, -4], [np.nan, np.nan]])
    lines = path.read_text().splitlines()
    assert lines[0].startswith("#CRS: PROJCRS[")
    assert lines[1:] == [
        "mapX,mapY,sourceX,sourceY,enable,dX,dY,residual",
        "500000,5000000,1.5,0,1,3,-4,5",
        "600000,6000000,30,-40,0,0,0,0",
    ]
    back = read_gcps(path)
    np.testing.assert_array_equal(back.pixels, gcps.pixels)
    np.testing.assert_array_equal(back.enabled, gcps.enabled)
    assert back.crs.startswith("PROJCRS[")


def test_what_cannot_be_written(tmp_path: Path) -> None:
    gcps = GroundControlPoints([[1, 2]], [[3, 4]])
    with pytest.raises(FileProblemError, match="cannot be written: No such file"):
        write_gcps(tmp_path / "no" / "gcps.csv", gcps)
    with pytest.raises(InvalidInputError, match=r"1 points need residuals of shape \(1, 2\), not \(3,\)"):
        write_points_file(tmp_path / "a.points", gcps, [1, 2, 3])
    with pytest.raises(NotFoundError, match="no coordinate reference system 'EPSG:0'"):
        write_points_file(tmp_path / "a.points", GroundControlPoints([[1, 2]], [[3, 4]], "EPSG:0"))
