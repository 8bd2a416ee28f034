"""The report: one page, nothing loaded, nothing believed that a figure or a file name says."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, Browser
from numpy.typing import NDArray
from PIL import Image

import geocbar as gb
from geocbar.app.report import render_report
from geocbar.app.report_figures import coasts, graticule, lines_on_earth, magnification
from geocbar.app.report_layers import render_layers
from geocbar.app.report_page import Markup, element, number, page
from geocbar.app.report_words import checks, error_budget
from geocbar.digitized_map import DigitizedMap
from geocbar.figure.axis_fit import AxisFit, AxisLabel
from geocbar.figure.layout import PixelBox
from geocbar.figure.numbers import Number
from geocbar.figure.tick_reading import TickReading
from geocbar.figure_reading import BarReading, FigureReading
from geocbar.figure_source import FigureSource
from geocbar.files.encoded_pictures import encode_indexed, encode_picture
from geocbar.files.images import Picture
from geocbar.grid.thinning import RebuildError
from geocbar.inspection import Inspection
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import fit_georeference
from geocbar.value.bar_search import BarCandidate
from geocbar.value.reasons import REASON_COLORS, Reason
from geocbar.value.scale import ColorScale

ATTACKS = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style></title>'&\x00\u202e")
HEIGHT, WIDTH = 240, 320
VOID = {"meta", "link", "br", "hr", "img", "input", "col"}


class Reader(HTMLParser):
    """All elements with their attributes, the text, and whether every element is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def read_page(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


def decoded(uri: str) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))) as image:
        return np.asarray(image.convert("RGBA" if "transparency" in image.info else "RGB"))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> DigitizedMap:
    folder = tmp_path_factory.mktemp("map")
    scale = ColorScale.from_colors([[0, 40, 250], [240, 240, 120], [160, 10, 10]], vmin=-10, vmax=30)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    field = 10 + 18 * np.sin(x / 60) * np.cos(y / 50)
    pixels = scale.colors_at(field)
    pixels[100:103] = 20
    Image.fromarray(pixels).save(folder / "map.png")
    Image.fromarray(np.linspace([0, 40, 250], [240, 240, 120], 128).astype(np.uint8)[None]).save(folder / "strip.png")
    rows = ["pixel,line,lon,lat"]
    for col, row in ((10, 10), (300, 12), (20, 220), (310, 230), (160, 120), (80, 200)):
        rows.append(f"{col + (0.4 if row == 12 else 0)},{row},{10 + col / 32},{50 - row / 32}")
    (folder / "gcps.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    palette = "\n".join(
        f"{value} {' '.join(str(v) for v in color)}"
        for value, color in zip(
            np.linspace(-10, 30, 201), scale.colors_at(np.linspace(-10, 30, 201)).tolist(), strict=True
        )
    )
    (folder / "palette.txt").write_text(palette + "\n", encoding="utf-8")
    return gb.digitize(
        folder / "map.png",
        folder / "gcps.csv",
        colormap=str(folder / "palette.txt"),
        frame="none",
        name="temperature",
        unit="°C",
        model="affine",
    )


def with_bar(result: DigitizedMap, texts: tuple[str, str, str, str], title: str = "temperature") -> DigitizedMap:
    """The same map as if its bar had been read, with one label overruled and one that contradicts."""
    numbers = [(Number(v, "plain", "", "", t),) for v, t in zip((0.0, 10.0, 70.0, 5.0), texts, strict=True)]
    places = (200.0, 150.0, 100.0, 60.0)
    labels = tuple(
        AxisLabel(at, number_, 0.9, (), at, 9.0, text, PixelBox(290, at - 5, 315, at + 5))
        for at, number_, text in zip(places, numbers, texts, strict=True)
    )
    fit = AxisFit(
        *("linear", (), -5.0, 200.0, np.array([100.0, 150.0, 200.0]), np.array([20.0, 10.0, 0.0]), (1, 0)),
        *(((texts[2], 20.0, 100.0),), (3,), 0.3, 0.5),
    )
    ticks = TickReading(fit, labels, "right", title, "°C", 1.0, 0.0, (), ("3 of 4 labels at tick marks.",))
    candidate = BarCandidate(PixelBox(270, 40, 285, 220), "vertical", 1.0, 0.98, (False, False), 0.5, (), ())
    reading = FigureReading((BarReading(candidate, ticks),), (), ())
    recipe = replace(result.recipe, colormap=None)
    found = Inspection(recipe, FigureSource(result.picture, None), reading, -1)
    return replace(result, recipe=recipe, found=found)


@pytest.fixture(scope="module")
def told(result: DigitizedMap) -> str:
    return render_report(with_bar(result, ("0", "10", "70", "5")))


def test_page_is_well_formed_and_whole(told: str) -> None:
    reader = read_page(told)
    ids = [a["id"] for _, a in reader.found if "id" in a]
    assert len(ids) == len(set(ids))
    targets = [str(a["href"])[1:] for tag, a in reader.found if tag in ("a", "use")]
    targets += [str(a[key]) for _, a in reader.found for key in ("aria-labelledby", "aria-describedby") if key in a]
    assert targets
    assert set(targets) <= set(ids)
    sections = ["overview", "reasons", "colours", "bar", "place", "points", "budget", "notes", "cite"]
    assert [a["id"] for a in reader.all("section")] == sections
    for words in (
        "temperature [°C], read from map.png",
        "Error budget",
        "For the methods section",
        "SHA-256",
        "[scale]",
    ):
        assert words in reader.words


def test_nothing_is_loaded_and_the_policy_fits_what_is_inside(told: str) -> None:
    reader = read_page(told)
    for tag, attributes in reader.found:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form"), tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for key in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            assert str(attributes.get(key) or "#").startswith(("#", "data:image/")), (tag, key)
    (policy,) = [str(a["content"]) for a in reader.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (inner,) = re.findall(rf"<{tag}>(.*?)</{tag}>", told, re.S)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttp|eval\(|innerHTML", inner)


def test_text_from_files_and_figures_is_never_markup(result: DigitizedMap) -> None:
    plain = read_page(render_report(with_bar(result, ("0", "10", "70", "5"))))
    named = with_bar(result, (ATTACKS[0], ATTACKS[1], ATTACKS[2], "5"), ATTACKS[0])
    fit = named.georeference
    hostile = replace(
        named,
        picture=replace(named.picture, name=f"{ATTACKS[0]}{ATTACKS[1]}.png"),
        scale=replace(named.scale, name=ATTACKS[0], unit=ATTACKS[1]),
        recipe=replace(named.recipe, name=ATTACKS[0], unit=ATTACKS[1]),
        notes=ATTACKS,
        georeference=replace(
            fit, sentence=ATTACKS[0], gcps=replace(fit.gcps, names=(*ATTACKS, *fit.gcps.names[3:])), crs=fit.crs
        ),
    )
    reader = read_page(render_report(hostile, recipe_path="map.toml"))
    for tag in ("script", "style", "title"):
        own = [t for t, _ in plain.found if t == tag]
        assert [t for t, _ in reader.found if t == tag] == own
    assert not reader.all("img")
    assert ATTACKS[0] in reader.words
    assert "<img src=x onerror=alert(1)>" in reader.words
    assert "\u202e" not in reader.words
    assert "\x00" not in reader.words


def test_lone_surrogates_of_file_names_can_be_stored() -> None:
    assert element("p", "a\udcff.png").encode("utf-8") == "<p>a\ufffd.png</p>".encode()


def test_elements_escape_all_but_markup() -> None:
    inner = element("b", "<")
    assert element("p", "a & b", inner, Markup("<br>"), None, title='"<') == (
        '<p title="&quot;&lt;">a &amp; b<b>&lt;</b><br></p>'
    )
    assert element("input", checked=True, hidden=False, aria_label="x", class_=None) == '<input checked aria-label="x">'
    assert "<p>x</p>" in page("t", "g", element("p", "x"))


def test_numbers_are_never_written_with_exponents_in_reach() -> None:
    assert [number(v) for v in (0.0, 1234567.0, -0.00001234, 1e-9)] == ["0", "1234567", "−0.00001234", "1e−09"]


def test_pictures_are_described_and_controls_can_be_reached(told: str) -> None:
    reader = read_page(told)
    for attributes in reader.all("svg"):
        assert attributes.get("aria-hidden") == "true" or (attributes["role"] == "img" and attributes["aria-label"])
    levels = [int(tag[1]) for tag, _ in reader.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    (stage,) = [a for _, a in reader.found if a.get("id") == "stage"]
    assert stage["tabindex"] == "0"
    assert stage["aria-describedby"] == "viewer-help"
    assert all(a.get("aria-label") for a in reader.all("button"))
    assert len(reader.all("table")) == len(reader.all("caption"))
    assert reader.all("html") == [{"lang": "en"}]
    assert "prefers-color-scheme: dark" in told
    assert "@media print" in told


def test_bar_is_shown_as_read_with_overruled_labels_marked(told: str) -> None:
    words = read_page(told).words
    assert re.search(r"70 20 100 20 0.00 90 % overruled", words)
    assert re.search(r"5 5 60 28 −115.00 90 % contradicts the fit", words)
    assert re.search(r"10 10 150 10 0.00 90 % taken", words)
    assert "2 of 4 labels agree" in words
    assert 'class="label overruled"' in told
    assert 'class="tick contrary"' in told


def test_given_scale_claims_no_bar(result: DigitizedMap) -> None:
    text = render_report(result)
    assert 'class="bar' not in text.split("<style>")[1].split("</style>")[1]
    assert "The scale was given" in read_page(text).words
    assert checks(result, result.summary())[0].level == "look"


def test_layers_say_what_was_read(result: DigitizedMap) -> None:
    layers = render_layers(result)
    figure, redrawn, reasons = (decoded(layers.uris[name])[..., :3] for name in ("figure", "redrawn", "reasons"))
    np.testing.assert_array_equal(figure, result.picture.pixels)
    valued = np.isfinite(result.inversion.values)
    np.testing.assert_array_equal(redrawn[valued], result.scale.colors_at(result.inversion.values)[valued])
    palette = np.array([REASON_COLORS[code] for code in Reason])
    np.testing.assert_array_equal(reasons, palette[result.inversion.reason])
    dots = decoded(layers.uris["thinned"])[..., 3] > 0
    col, row = result.points.pixels.astype(int).T
    assert dots[row, col].all()
    assert dots.sum() == len(np.unique(row * WIDTH + col))


def test_a_difference_shows_where_the_redrawn_map_is_wrong(result: DigitizedMap) -> None:
    values = result.inversion.values.copy()
    values[150:180, 200:240] = -10
    uris = render_layers(replace(result, inversion=replace(result.inversion, values=values))).uris
    shown = decoded(uris["difference"]).astype(int).sum(axis=-1)
    assert shown[155:175, 205:235].mean() < shown[20:90, 20:300].mean() - 150


def test_graticule_and_lines_lie_where_the_fit_puts_them(result: DigitizedMap) -> None:
    lines, words = graticule(result)
    assert words == "every 2° of longitude and 2° of latitude"
    places = [np.array([float(v) for v in re.findall(r"-?[\d.]+", d)]) for d in re.findall(r' d="([^"]+)"', lines)]
    upright = [p.reshape(-1, 2)[:, 0] for p in places if np.ptp(p.reshape(-1, 2)[:, 0]) < 2]
    for x in upright:
        lon = result.georeference.transform.to_world([[x.mean(), 120.0]])[0, 0]
        assert lon / 2 == pytest.approx(round(lon / 2), abs=0.05)
    assert {"12°E", "14°E", "46°N"} <= set(re.findall(r">([^<>]+)</text>", lines))
    coast = lines_on_earth(result, [np.array([[12.0, 45.0], [14.0, 47.0]]), np.array([[100.0, 0.0], [110.0, 5.0]])])
    (path,) = re.findall(r' d="M([^"]+)"', coast)
    drawn = np.array([float(v) for v in re.findall(r"-?[\d.]+", path)]).reshape(-1, 2)
    expected = result.georeference.transform.to_pixel([[12.0, 45.0], [14.0, 47.0]])
    np.testing.assert_allclose(drawn, expected, atol=0.06)


@pytest.mark.parametrize(
    ("west", "width", "crs", "said"),
    [
        (170.0, 20.0, "EPSG:4326", {"175°E", "180°W", "175°W"}),
        (-180.0, 360.0, "EPSG:4326", {"150°W", "90°W", "0°", "90°E", "150°E"}),
        (0.0, 360.0, "EPSG:4326", {"30°E", "150°E", "90°W", "30°W"}),
        (10.0, 0.02, "EPSG:4326", {"10°00′15″E", "10°01′E"}),
        (400_000.0, 200_000.0, "EPSG:32633", {"14°E", "15°E", "16°E"}),
        (0.0, 250.0, "local", {"50", "100", "150", "200"}),
    ],
)
def test_graticule_is_whole_wherever_the_map_lies(
    result: DigitizedMap, west: float, width: float, crs: str, said: set[str]
) -> None:
    share = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    high = 5_200_000.0 if crs == "EPSG:32633" else width / 4
    world = np.column_stack([west + width * share[:, 0], high - width / 2 * share[:, 1]])
    gcps = GroundControlPoints(share * [WIDTH, HEIGHT], world, crs)
    lines, words = graticule(replace(result, georeference=fit_georeference(gcps, "affine")))
    assert words.startswith("every ")
    assert said <= set(re.findall(r">([^<>]+)</text>", lines)), lines


@pytest.mark.parametrize("west", [170.0, -190.0, 0.0])
def test_lines_across_the_date_line_meet_the_map_however_it_counts(result: DigitizedMap, west: float) -> None:
    share = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    width = 360.0 if west == 0 else 20.0
    world = np.column_stack([west + width * share[:, 0], 10 - 20 * share[:, 1]])
    fit = fit_georeference(GroundControlPoints(share * [WIDTH, HEIGHT], world), "affine")
    coast = lines_on_earth(replace(result, georeference=fit), [np.array([[175.0, 0], [179, 2], [-179, 2], [-175, 0]])])
    drawn = np.array([float(v) for v in re.findall(r"-?[\d.]+", " ".join(re.findall(r' d="([^"]+)"', coast)))])
    x = np.sort(drawn.reshape(-1, 2)[:, 0])
    expected = (np.array([175.0, 179, 181, 185]) - west % 360) / width * WIDTH
    np.testing.assert_allclose(x, expected, atol=0.06)


def test_coastlines_are_claimed_only_where_there_are_some(result: DigitizedMap) -> None:
    assert "oastline" not in read_page(render_report(result, coastlines=[])).words
    text = render_report(result, coastlines=[np.array([[12.0, 45.0], [14.0, 47.0]])])
    assert "Coastlines (Natural Earth) are drawn" in read_page(text).words


def test_coastlines_of_the_map_come_with_geocbar(result: DigitizedMap) -> None:
    lines = coasts(result)
    places = np.concatenate(lines)
    assert len(places) > 30
    inside = result.georeference.transform.to_pixel(places)
    assert (np.abs(inside - [WIDTH / 2, HEIGHT / 2]).max(axis=0) < [0.6 * WIDTH, 0.6 * HEIGHT]).all()
    elsewhere = replace(result, georeference=replace(result.georeference, crs="local"))
    assert coasts(elsewhere) == []


def test_arrows_are_as_much_longer_as_stated(result: DigitizedMap, told: str) -> None:
    times = magnification(result)
    assert f"{times} times as long as they are" in told
    longest = np.hypot(*result.georeference.residuals.T).max()
    assert 0.01 * WIDTH < times * longest <= 0.05 * WIDTH


def test_checks_speak_up(result: DigitizedMap) -> None:
    result = with_bar(result, ("0", "10", "70", "5"))
    facts = result.summary()
    assert [check.level for check in checks(result, facts)] == ["look", "good", "good", "good", "good"]
    fit = result.georeference
    poor = replace(
        result,
        georeference=replace(fit, left_out=fit.left_out * 40),
        inversion=replace(result.inversion, explained=0.5),
        rebuild=RebuildError(8.0, 20.0, 60.0, 1.0, np.nan),
    )
    levels = {check.title: check.level for check in checks(poor, facts)}
    assert (levels["Place"], levels["Colours"], levels["Points"]) == ("doubt", "doubt", "doubt")
    assert "4 of 5 checks ask for a look" in read_page(render_report(poor)).words


def test_budget_adds_in_squares_and_says_what_it_does_not_know(result: DigitizedMap) -> None:
    shares, total = error_budget(result, result.summary())
    assert [share.title for share in shares] == ["Reading the colours", "Reading the bar", "Position", "Thinning"]
    assert np.isnan(shares[1].percent)
    assert "Not counted, because not known: reading the bar." in total
    known = np.sqrt(sum(share.percent**2 for share in shares if np.isfinite(share.percent)))
    assert f"to {number(known, 2)} % of the scale" in total
    barred, _ = error_budget(with_bar(result, ("0", "10", "70", "5")), result.summary())
    assert barred[1].percent == pytest.approx(100 * np.hypot(result.scale.end_px, 0.3) / 180)


def test_classes_and_log_scales_have_reports(result: DigitizedMap) -> None:
    colors = [[0, 40, 250], [240, 240, 120], [160, 10, 10]]
    for scale in (
        ColorScale.from_colors(colors, vmin=-10, vmax=30, scale="discrete", name="rain", unit="mm"),
        ColorScale.from_colors(colors, vmin=0.01, vmax=100, scale="log", name="rain", unit="mm"),
    ):
        values = scale.values_at(np.linspace(0, 2, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)).astype(np.float32)
        inversion = replace(result.inversion, values=values, sigma=np.abs(values) / 20)
        row, col = result.points.pixels.astype(int).T[::-1]
        points = replace(result.points, values=values[row, col])
        text = render_report(replace(result, scale=scale, inversion=inversion, points=points))
        assert "Histogram of rain [mm]" in text
        assert "nan" not in read_page(text).words


def test_a_map_of_two_megapixels_stays_below_three_megabytes(result: DigitizedMap) -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (1250, 1600, 3), dtype=np.uint8)
    values = rng.uniform(-10, 30, noise.shape[:2]).astype(np.float32)
    reason = rng.integers(0, len(Reason), values.shape, dtype=np.uint8)
    inversion = replace(result.inversion, values=values, sigma=np.abs(values) / 9, reason=reason)
    large = replace(result, picture=Picture(noise, "noise.png"), inversion=inversion)
    assert len(render_report(large).encode("utf-8")) < 3_000_000


def test_encoded_pictures_keep_to_their_size() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 500, 3), dtype=np.uint8)
    assert encode_picture(noise, 10**6).startswith("data:image/png;")
    small = encode_picture(noise, 20_000, longest_side=250)
    assert small.startswith("data:image/jpeg;")
    assert len(small) <= 20_000 * 4 / 3 + 30
    assert max(decoded(small).shape) <= 250
    index = (noise[..., 0] % 5).astype(np.uint8)
    colors = np.arange(15).reshape(5, 3) * 10
    np.testing.assert_array_equal(decoded(encode_indexed(index, colors, 10**6)), colors[index])
    halved = decoded(encode_indexed(index, colors, 30_000))
    np.testing.assert_array_equal(halved, colors[index[::2, ::2]])


@pytest.fixture(scope="module")
def seen(told: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    folder = tmp_path_factory.mktemp("browser")
    (folder / "map.html").write_text(told, encoding="utf-8")
    with Browser(folder) as browser:
        browser.open((folder / "map.html").as_uri())
        yield browser


def view(browser: Browser) -> list[float]:
    """The part of the figure that is shown: left, top, width, height."""
    browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return [float(v) for v in browser.run("document.querySelector('.pane').getAttribute('viewBox')").split()]


def shown_layers(browser: Browser) -> list[str]:
    script = "[...document.querySelectorAll('[data-layer], [data-over]')].filter((g) => !g.hasAttribute('hidden'))"
    return list(browser.run(f"{script}.map((g) => g.dataset.layer || g.dataset.over)"))


def test_browser_shows_the_page_without_complaint_or_request(seen: Browser, tmp_path: Path) -> None:
    seen.screenshot(tmp_path / "shot.png")
    with Image.open(tmp_path / "shot.png") as shot:
        assert len(np.unique(np.asarray(shot.convert("RGB")).reshape(-1, 3), axis=0)) > 500
    assert seen.run("getComputedStyle(document.querySelector('.checks')).display") == "grid"
    assert seen.run("document.documentElement.scrollWidth <= innerWidth")
    assert seen.complaints == []
    assert {address.split(":")[0] for address in seen.requests} <= {"file", "data"}
    assert sum(address.startswith("file:") for address in seen.requests) == 1


def test_viewer_answers_to_keys(seen: Browser) -> None:
    seen.run("document.getElementById('stage').focus()")
    seen.press("0")
    whole = view(seen)
    assert whole == [0, 0, WIDTH, HEIGHT]
    seen.press("+")
    near = view(seen)
    assert near[2] == pytest.approx(WIDTH / 1.5, abs=0.01)
    seen.press("ArrowRight")
    seen.press("ArrowDown")
    moved = view(seen)
    assert moved[0] > near[0]
    assert moved[1] > near[1]
    for _ in range(30):
        seen.press("ArrowRight")
    assert view(seen)[0] == pytest.approx(WIDTH - near[2], abs=0.01)
    seen.press("0")
    assert view(seen) == whole
    seen.press("]")
    view(seen)
    assert seen.run("document.querySelector('.top').style.clipPath") == "inset(0px 0px 0px 55%)"
    assert seen.run("document.getElementById('swipe').value") == "55"
    seen.press("[")
    assert seen.complaints == []


def test_viewer_answers_to_wheel_and_drag(seen: Browser) -> None:
    middle = seen.center("#stage")
    place = (middle[0] + 150, middle[1] - 60)
    seen.turn_wheel(place, -240)
    seen.wait(f"document.querySelector('.pane').viewBox.baseVal.width < {WIDTH}")
    near = view(seen)
    seen.drag(place, (-60, 0))
    assert view(seen)[0] > near[0]
    seen.click("[data-zoom=all]")
    assert view(seen) == [0, 0, WIDTH, HEIGHT]
    seen.drag(seen.center(".handle"), (200, 0))
    view(seen)
    assert float(seen.run("document.querySelector('.handle').style.left").rstrip("%")) > 60
    assert view(seen) == [0, 0, WIDTH, HEIGHT]


def test_layers_and_drawings_are_chosen_by_click(seen: Browser) -> None:
    assert shown_layers(seen) == ["redrawn", "points", "coast"]
    for name in ("difference", "sigma", "reasons"):
        seen.click(f"input[value={name}]")
        assert name in shown_layers(seen)
        assert seen.run(f"document.querySelector('[data-legend={name}]').offsetHeight") > 10
    seen.click("input[value=graticule]")
    seen.click("input[value=points]")
    assert shown_layers(seen) == ["reasons", "graticule", "coast"]
    assert seen.complaints == []


def test_policy_stops_what_would_slip_through(seen: Browser) -> None:
    seen.run("document.querySelector('h1').insertAdjacentHTML('beforeend', '<img src=x onerror=window.caught=1>')")
    seen.run("document.body.appendChild(Object.assign(document.createElement('script'), {text: 'window.caught = 1'}))")
    seen.run("fetch('data:text/plain,x').then(() => { window.caught = 1; }, () => 0)")
    assert seen.run("window.caught") is None
    assert any("Content Security Policy" in complaint for complaint in seen.complaints)
