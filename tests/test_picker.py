"""A picker session without a page: what the hand does, what follows, what is saved."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picker_map import BAR, FRAME, HEIGHT, WIDTH, bar_place, draw_map, field, to_pixel

from geocbar.app.picker.brush import lay_strokes
from geocbar.app.picker.crossings import snap_to_crossing
from geocbar.app.picker.hand_work import HandWork, Stroke, parse_place, parse_value
from geocbar.app.picker.latest_job import LatestJob, Outdated
from geocbar.app.picker.opening import open_picker
from geocbar.app.picker.saved_files import place_files, write_atomically
from geocbar.app.picker.session import PickerSession
from geocbar.errors import FileProblemError, InvalidInputError, NotFoundError
from geocbar.files.gcp_tables import read_gcps
from geocbar.files.images import read_image
from geocbar.files.mask_pictures import encode_mask, read_mask
from geocbar.recipe import Recipe

PLACES = [(10, 50), (25, 50), (10, 40), (25, 40), (20, 45), (15, 40), (15, 50)]


def settled(session: PickerSession) -> dict[str, Any]:
    """The state once nothing is under way."""
    state = session.state()
    end = time.monotonic() + 240
    while state["reading"] or state["offering"] or state["fit"]["comparing"] or session._placing.busy:
        assert time.monotonic() < end
        state = session.state(state["version"], 0.2)
    return state


@pytest.fixture
def session(tmp_path: Path) -> Iterator[PickerSession]:
    path = draw_map(tmp_path / "map.png")
    session = PickerSession(Recipe(str(path), colorbar=",".join(map(str, BAR)), frame=",".join(map(str, FRAME))))
    yield session
    session.close()


def pick(session: PickerSession, *places: tuple[float, float]) -> dict[str, Any]:
    state: dict[str, Any] = session.state()
    for place in places:
        x, y = to_pixel(*place)
        state = session.act("add", {"x": x, "y": y})
        number = state["points"][-1]["number"]
        state = session.act("locate", {"number": number, "lon": f"{place[0]}", "lat": f"{place[1]}N"})
    return state


def test_fit_comes_with_the_third_point_and_the_projection_with_the_fifth(session: PickerSession) -> None:
    assert "No point has a place" in session.state()["fit"]["message"]
    state = pick(session, *PLACES[:2])
    assert not state["fit"]["placed"]
    assert "1 more point" in state["fit"]["message"]
    state = pick(session, PLACES[2])
    assert state["fit"]["model"] == "affine"
    assert not state["fit"]["comparing"]
    state = pick(session, *PLACES[3:5])
    assert state["fit"]["comparing"]  # a fit is there at once, the choice follows
    assert state["fit"]["placed"]
    state = settled(session)
    assert "equidistant cylindrical" in state["fit"]["sentence"]
    assert state["fit"]["rmse_px"] < 0.01
    assert session.probe(*to_pixel(17, 47))["world"] == pytest.approx([17, 47], abs=1e-3)


def test_lines_of_the_earth_lie_where_they_should(session: PickerSession) -> None:
    pick(session, *PLACES[:4])
    settled(session)
    meridian = next(g for g in session.lines["graticule"] if g["axis"] == "lon" and g["degrees"] == 15)
    assert np.abs(np.array(meridian["line"][::2]) - to_pixel(15, 50)[0]).max() < 0.11
    coast = np.concatenate([np.reshape(line, (-1, 2)) for line in session.lines["coast"]])
    rome = np.array(to_pixel(12.23, 41.77))  # the mouth of the Tiber
    assert np.hypot(*(coast - rome).T).min() < 1.5


def test_a_slip_is_named_and_a_wild_point_is_suspicious(session: PickerSession) -> None:
    session.act("model", {"model": "affine"})
    state = pick(session, *PLACES)
    number = state["points"][2]["number"]
    session.act("locate", {"number": number, "lon": "-10", "lat": "40"})
    state = settled(session)
    assert "type longitude 10 instead of -10" in state["points"][2]["judged"]["suspicion"]
    session.act("undo", {})
    state = session.act("move", {"number": number, "x": 200.0, "y": 300.0})
    state = settled(session)
    assert "px from where the others put it" in state["points"][2]["judged"]["suspicion"]
    assert not state["points"][0]["judged"]["suspicion"]


def test_two_points_at_one_place_are_blamed_by_name(session: PickerSession) -> None:
    state = pick(session, *PLACES[:3], PLACES[0])
    assert "are the same point" in state["fit"]["message"]
    assert [bool(p["judged"]["suspicion"]) for p in state["points"]] == [True, False, False, True]


def test_everything_is_saved_and_taken_up_again(session: PickerSession, tmp_path: Path) -> None:
    session.act("model", {"model": "affine"})
    pick(session, *PLACES)
    session.act("enable", {"number": 2, "on": False})
    session.act("rename", {"number": 3, "name": 'Cabo, da "Roca"'})
    for index, value in ((0, "0"), (1, "40")):
        session.act("tick_change", {"index": index, "position": (BAR[3], BAR[1])[index], "value": value})
    session.act("title", {"name": "Temperature", "unit": "°C"})
    session.act("background", {"x": 5, "y": 5})
    session.act("stroke", {"code": 1, "radius": 4.0, "path": [[100, 100], [140, 100]]})
    settled(session)
    files = session.files
    assert {path.name for path in tmp_path.iterdir()} == {
        *("map.png", "map.gcps.csv", "map.png.points", "map.toml", "map.mask.png"),
    }
    gcps = read_gcps(files.gcps)
    assert gcps.names[2] == 'Cabo, da "Roca"'
    assert not gcps.enabled[1]
    assert read_gcps(files.qgis).world.tolist() == gcps.world.tolist()
    recipe = Recipe.read(files.recipe)
    assert recipe.ticks == f"0@{BAR[3]:.2f},40@{BAR[1]:.2f}"
    assert (recipe.name, recipe.unit, recipe.background) == ("Temperature", "°C", "#ffffff")
    assert (recipe.mask, recipe.gcps) == ("map.mask.png", "map.gcps.csv")
    again = open_picker(tmp_path / "map.png", {})
    was, now = session.state(), again.desk.session.state()
    for key in ("name", "x", "y", "world", "enabled"):
        assert [p[key] for p in now["points"]] == [p[key] for p in was["points"]]
    assert [t["value"] for t in now["bar"]["ticks"]] == [0, 40]
    assert np.array_equal(again.desk.session.mask(), session.mask())
    again.server_close()
    again.desk.session.close()


def test_undo_goes_back_step_by_step_and_redo_forth(session: PickerSession) -> None:
    states = [session.work]
    pick(session, PLACES[0])
    session.act("background", {"color": "#123456"})
    session.act("stroke", {"code": 2, "radius": 3.0, "path": [[9, 9]]})
    states.append(session.work)
    for _ in range(4):
        session.act("undo", {})
    assert session.work == states[0]
    assert not session.state()["can_undo"]
    for _ in range(4):
        session.act("redo", {})
    assert session.work == states[1]
    with pytest.raises(InvalidInputError, match="nothing to go back to"):
        session.act("redo", {})


def test_holding_a_key_is_one_step(session: PickerSession) -> None:
    pick(session, PLACES[0])
    before = session.work
    for i in range(5):
        session.act("move", {"number": 1, "x": 100 + i / 2, "y": 100})
    session.act("undo", {})
    assert session.work == before


def test_ticks_of_the_hand_count(session: PickerSession) -> None:
    state = settled(session)
    assert [tick["value"] for tick in state["bar"]["ticks"]] == [None, None]
    assert not state["bar"]["certain"]
    assert session.probe(100.5, 100.5).get("value") is None
    state = session.act("tick_add", {"x": 610, "y": bar_place(10), "value": "10"})
    state = session.act("tick_add", {"x": 610, "y": bar_place(30), "value": "3e1"})
    state = settled(session)
    assert state["bar"]["certain"]
    assert session.probe(100.5, 100.5)["value"] == pytest.approx(field()[100, 100], abs=0.6)
    with pytest.raises(InvalidInputError, match="value = 'ten' is not a number"):
        session.act("tick_change", {"index": 2, "position": 100.0, "value": "ten"})
    state = session.act("tick_remove", {"index": 0})
    assert len(state["bar"]["ticks"]) == 3
    state = session.act("bar_as_found", {})
    assert not state["bar"] or not state["bar"]["by_hand"]


def test_a_colormap_instead_of_a_bar(session: PickerSession) -> None:
    state = session.act("colormap", {"colormap": "viridis", "vmin": "0", "vmax": "1"})
    assert state["bar"] is None
    assert session._said().colormap == "viridis"
    with pytest.raises(NotFoundError, match="veridis"):
        session.act("colormap", {"colormap": "veridis", "vmin": "0", "vmax": "1"})


def test_a_full_disk_is_told_and_nothing_is_lost(session: PickerSession, monkeypatch: pytest.MonkeyPatch) -> None:
    pick(session, PLACES[0])
    before = session.files.gcps.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("geocbar.app.picker.saved_files.os.replace", full)
        state = session.act("move", {"number": 1, "x": 77, "y": 88})
        assert "map.gcps.csv cannot be saved: No space left on device" in state["problem"]
        with pytest.raises(InvalidInputError, match="cannot be saved"):
            session.run()
    assert session.files.gcps.read_bytes() == before
    assert not list(session.files.folder.glob(".map*"))
    state = session.act("move", {"number": 1, "x": 77, "y": 89})
    assert state["problem"] == ""
    assert read_gcps(session.files.gcps).pixels.tolist() == [[77, 89]]


def test_control_points_elsewhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = draw_map(tmp_path / "a" / "map.png")
    (tmp_path / "gcps.csv").write_text("pixel,line,lon,lat\n1,2,3,4\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="the picker writes only beside the map"):
        place_files(Recipe(str(path), gcps=str(tmp_path / "gcps.csv")))
    with pytest.raises(InvalidInputError, match="There is no file"):
        open_picker(path, {"gcps": str(tmp_path / "none.csv")})


def test_the_recipe_of_another_map_is_not_overwritten(tmp_path: Path) -> None:
    draw_map(tmp_path / "map.png")
    draw_map(tmp_path / "map.bmp")
    Recipe("map.bmp", base=tmp_path).write(tmp_path / "map.toml")
    with pytest.raises(FileProblemError, match=r"map.toml is the recipe of another picture, map.bmp"):
        open_picker(tmp_path / "map.png", {})


@pytest.mark.parametrize(
    ("x", "y", "place"),
    [
        ("10", "45", (10, 45)),
        ("45°30'N", "10E", (10, 45.5)),
        ("10°30'E", "45°15′30″S", (10.5, -45.258333)),
        ("45°30'N, 10°W", "", (-10, 45.5)),
        ("10w", "45,5", (-10, 45.5)),
        ("W 10", "S12", (-10, -12)),
        ("−10.5", "0", (-10.5, 0)),
    ],
)
def test_places_in_any_notation(x: str, y: str, place: tuple[float, float]) -> None:
    assert parse_place(x, y, "EPSG:4326") == pytest.approx(place, abs=1e-5)


def test_places_that_are_none() -> None:
    for x, y, match in (
        ("", "5", "Longitude is missing"),
        ("5", "91", "Latitude 91 lies beyond 90"),
        ("5 O", "1", "German"),
        ("abc", "1", "not an angle"),
        ("400", "1", "beyond 360"),
    ):
        with pytest.raises(InvalidInputError, match=match):
            parse_place(x, y, "EPSG:4326")
    assert parse_place("500000", "5000000.5", "EPSG:32633") == (500000, 5000000.5)
    with pytest.raises(InvalidInputError, match="is not a number"):
        parse_value("nan")


@settings(max_examples=15, deadline=None)
@given(
    path=st.lists(st.tuples(st.floats(-20, 80), st.floats(-20, 60)), min_size=1, max_size=5),
    radius=st.floats(0.5, 15),
    code=st.sampled_from([0, 1, 2]),
)
def test_a_stroke_covers_what_lies_within_its_radius(path: list[tuple[float, float]], radius: float, code: int) -> None:
    mask = lay_strokes(np.full((40, 60), 3, np.uint8), [Stroke(code, radius, tuple(path))])
    y, x = np.mgrid[:40, :60] + 0.5
    ends = path[1:] or path
    away = np.full(mask.shape, np.inf)
    for (ax, ay), (bx, by) in zip(path, ends, strict=False):
        for share in np.linspace(0, 1, 80):
            away = np.minimum(away, np.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay)))
    assert (mask[away < radius - 0.8] == code).all()
    assert (mask[away > radius + 0.8] == 3).all()


@pytest.mark.parametrize("place", [(10, 50), (25, 40), (5, 55), (10, 55), (30, 36), (5, 45)])
def test_snapping_finds_crossings_corners_and_ticks(tmp_path: Path, place: tuple[float, float]) -> None:
    pixels = read_image(draw_map(tmp_path / "map.png")).pixels
    x, y = to_pixel(*place)
    for dx, dy in ((4, 3), (-5, 2), (1, -6)):
        assert snap_to_crossing(pixels, x + dx, y + dy, 12) == pytest.approx((x, y), abs=0.3)
    with pytest.raises(NotFoundError, match="No crossing of lines within 12 px"):
        snap_to_crossing(pixels, 300, 200, 12)
    with pytest.raises(NotFoundError):
        snap_to_crossing(pixels, 2, 2, 12)


def test_atomic_files_keep_their_rights(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, b"one")
    plain = tmp_path / "plain.txt"
    plain.write_bytes(b"x")
    assert path.stat().st_mode == plain.stat().st_mode
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    with pytest.raises(FileProblemError, match="cannot be saved"):
        write_atomically(tmp_path / "none" / "a.txt", b"")


def test_masks_are_read_back_and_refused(tmp_path: Path) -> None:
    mask = np.random.default_rng(1).integers(0, 3, (30, 41)).astype(np.uint8)
    (tmp_path / "m.png").write_bytes(encode_mask(mask))
    assert np.array_equal(read_mask(tmp_path / "m.png", (41, 30)), mask)
    with pytest.raises(InvalidInputError, match=r"has 41 x 30 px, the picture 30 x 41"):
        read_mask(tmp_path / "m.png", (30, 41))
    with pytest.raises(InvalidInputError, match=r"holds colours \(RGB\), not numbers"):
        read_mask(draw_map(tmp_path / "c.png"), (WIDTH, HEIGHT))
    (tmp_path / "b.png").write_bytes(b"no png")
    with pytest.raises(FileProblemError, match="is not a PNG that can be read"):
        read_mask(tmp_path / "b.png", (3, 3))
    with pytest.raises(FileProblemError, match="cannot be read: No such file"):
        read_mask(tmp_path / "none.png", (3, 3))


def test_only_the_latest_job_is_done() -> None:
    done: list[int] = []
    gate, failures = threading.Event(), list[Exception]()
    job = LatestJob("test", failures.append)

    def first(outdated: Outdated) -> None:
        gate.wait(5)
        done.append(0 if outdated() else -1)

    job.submit(first)
    time.sleep(0.05)
    for number in (1, 2, 3):
        job.submit(lambda outdated, number=number: done.append(number))
    gate.set()
    while job.busy:
        time.sleep(0.01)
    assert done == [0, 3]
    job.submit(lambda outdated: [][1])  # type: ignore[misc]
    while job.busy:
        time.sleep(0.01)
    assert isinstance(failures[0], IndexError)
    job.close()


def test_hand_work_is_frozen_and_names_are_free() -> None:
    work = HandWork(Recipe("a.png")).with_new_point((1, 2)).with_new_point((3, 4))
    assert [point.name for point in work.points] == ["1", "2"]
    again = work.without_point(1).with_new_point((5, 6))
    assert [(point.number, point.name) for point in again.points] == [(2, "2"), (3, "1")]
    with pytest.raises(NotFoundError, match="no point number 9"):
        work.point(9)
