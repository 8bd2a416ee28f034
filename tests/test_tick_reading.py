from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from geocbar.errors import InvalidInputError
from geocbar.figure import tick_reading
from geocbar.figure.bar_axis import BarAxis
from geocbar.figure.bar_title import read_bar_text, split_title
from geocbar.figure.label_ladder import gather_ladders
from geocbar.figure.layout import PixelBox
from geocbar.figure.marks import find_ticks
from geocbar.figure.tick_reading import TickReading, read_ticks
from geocbar.figure.words import TextReading, Word

BAR = PixelBox(100, 200, 500, 224)
GLYPH = 10.0
MAP = PixelBox(100, 20, 500, 150)


def word(text: str, x: float, y: float, **more: object) -> Word:
    """A word centred at x, y."""
    half = 3.0 * len(text)
    box = PixelBox(x - half, y - GLYPH / 2, x + half, y + GLYPH / 2)
    options: dict[str, object] = {"confidence": 0.97, "glyph_px": GLYPH, **more}
    return Word(text, box, **options)  # type: ignore[arg-type]


def picture(
    ticks: Sequence[float], *, side: str = "bottom", minor: Sequence[float] = (), vertical: bool = False
) -> np.ndarray:
    """A grey ramp with tick marks centred at the positions."""
    pixels = np.full((700, 700, 3), 255, np.uint8)
    ramp = np.linspace(40, 220, 400)[None, :, None]
    pixels[200:224, 100:500] = (ramp * np.array([1.0, 0.6, 0.3])).astype(np.uint8)
    for places, length in ((ticks, 6), (minor, 3)):
        for place in places:
            col = int(place)
            rows = slice(224, 224 + length) if side == "bottom" else slice(200 - length, 200)
            pixels[rows, col] = 0
    return np.ascontiguousarray(pixels.transpose(1, 0, 2)) if vertical else pixels


def places(count: int, first: float = 100.5, last: float = 499.5) -> np.ndarray:
    return np.floor(np.linspace(first, last, count)) + 0.5


def reading(
    texts: Sequence[str],
    *,
    at: Sequence[float] | None = None,
    ticks: Sequence[float] | None = None,
    extra: Sequence[Word] = (),
    y: float = 242.0,
    side: str = "bottom",
    minor: Sequence[float] = (),
    labels: dict[str, object] | None = None,
    **options: object,
) -> TickReading:
    where = places(len(texts)) if at is None else np.asarray(at, float)
    pixels = picture(where if ticks is None else ticks, side=side, minor=minor)
    words = [word(t, float(x), y, **(labels or {})) for t, x in zip(texts, where, strict=True)]
    given: dict[str, object] = {"obstacles": [MAP], **options}
    return read_ticks(pixels, BAR, "horizontal", None, words=[*words, *extra], **given)  # type: ignore[arg-type]


def vetoed(result: TickReading, match: str) -> None:
    assert not result.accepted
    assert any(match in veto for veto in result.vetoes), result.vetoes


def test_labels_at_tick_marks_are_accepted_with_their_evidence() -> None:
    result = reading(["0", "10", "20", "30", "40"])
    assert result.accepted, result.vetoes
    assert result.fit is not None
    assert result.side == "bottom"
    np.testing.assert_allclose(result.value_at(places(5)), [0, 10, 20, 30, 40], atol=0.05)
    said = " ".join(result.evidence)
    assert "5 of 5 labels at tick marks" in said
    assert "linear" in said
    assert "equal steps" in said


def test_a_standing_bar_reads_upwards() -> None:
    rows = places(5)
    pixels = picture(rows, vertical=True)
    words = [word(str(v), 240.0, float(y)) for v, y in zip([400, 300, 200, 100, 0], rows, strict=True)]
    title = Word("Depth (m)", PixelBox(275, 260, 286, 340), 0.95, turned=90, glyph_px=GLYPH)
    result = read_ticks(pixels, PixelBox(200, 100, 224, 500), "vertical", None, words=[*words, title])
    assert result.accepted, result.vetoes
    assert (result.title, result.unit, result.side) == ("Depth", "m", "right")
    np.testing.assert_allclose(result.value_at(rows), [400, 300, 200, 100, 0], atol=1)


def test_a_misread_label_is_named_in_the_evidence() -> None:
    result = reading(["0", "10", "80", "30", "40", "50"])
    assert result.accepted, result.vetoes
    assert any("'80'" in said and "20" in said for said in result.evidence)
    np.testing.assert_allclose(result.value_at(places(6)), [0, 10, 20, 30, 40, 50], atol=0.1)


def test_two_labels_are_not_enough() -> None:
    vetoed(reading(["0", "50"]), "two labels cannot contradict each other")


def test_no_numbers() -> None:
    vetoed(reading([], ticks=[], extra=[word("Depth", 300, 250)]), "No row or column of numbers")


def test_a_verified_contrary_label_stops_it() -> None:
    at = np.r_[100.5, np.floor(np.linspace(180, 499, 5)) + 0.5]
    vetoed(reading(["0", "1", "2", "4", "8", "16"], at=at), "The label '0' at x = 100.5 px contradicts the log")


@pytest.mark.parametrize("raised", [(), ("raised digits are drawn but were not read as such",)])
def test_superscripts_read_flat_are_not_taken_for_a_linear_scale(raised: tuple[str, ...]) -> None:
    result = reading(["100", "101", "102", "103", "104"], labels={"checks": raised})
    vetoed(result, "Two scales suit the labels" if raised else "raised digits were read flat")


def test_powers_are_read_as_such() -> None:
    result = reading(["10^0", "10^1", "10^2", "10^3"], labels={"alternatives": ("100",)})
    assert result.accepted, result.vetoes
    assert result.fit is not None
    assert result.fit.norm == "log"


def test_powers_of_both_signs_are_no_linear_scale() -> None:
    vetoed(reading(["-10^2", "0", "10^2"]), "logarithmic scale, but lie on a linear one")


@pytest.mark.parametrize(
    ("text", "x", "factor", "offset"),
    [("×10^-5", 490, 1e-5, 0), ("1e3", 115, 1e3, 0), ("+1.013e3", 480, 1.0, 1013.0)],
)
def test_factors_and_offsets_at_both_ends(text: str, x: float, factor: float, offset: float) -> None:
    result = reading(["0", "1", "2", "3", "4"], extra=[word(text, x, 262)])
    assert result.accepted, result.vetoes
    assert (result.factor, result.offset) == (factor, offset)
    np.testing.assert_allclose(result.value_at(places(5)), np.arange(5) * factor + offset, atol=0.02 * factor)


@pytest.mark.parametrize(
    ("extra", "match"),
    [
        (word("x1O5", 490, 262), "may be a factor"),
        (word("x105", 490, 262), "may be a factor"),
        (word("×10^4", 490, 262, checks=("read '×10^4' at one size and '×10^-4' at another",)), "read poorly"),
        (word("×10^4", 490, 262, glyph_px=6.8), "read poorly"),
    ],
)
def test_a_factor_in_doubt_stops_it(extra: Word, match: str) -> None:
    vetoed(reading(["0", "1", "2", "3", "4"], extra=[extra]), match)


def test_a_factor_that_fell_apart_stops_it() -> None:
    pieces = [word("1", 470, 262), word("e-3", 486, 262)]
    vetoed(reading(["0", "1", "2", "3", "4"], extra=pieces), "'1e-3' stands by the bar in pieces")


def test_a_label_that_lost_its_first_digit_is_no_factor() -> None:
    at = places(4)
    extra = [word("×10^4", float(at[3]), 242)]
    vetoed(reading(["1×10^1", "1×10^2", "1×10^3"], at=at[:3], ticks=at, extra=extra), "stands among the labels")


def test_axis_labels_of_the_map_are_not_the_bars() -> None:
    own = word("Depth", 300, 260)
    vetoed(reading(["10", "20", "30", "40"], y=170.0, ticks=places(6), extra=[own]), "other side of the bar")


def test_numbers_near_the_map_without_any_tick_marks() -> None:
    vetoed(reading(["10", "20", "30", "40"], y=158.0, ticks=[], at=[130, 230, 330, 430]), "nearer to the map")


def test_the_bars_own_labels_win_over_the_maps() -> None:
    axis = [word(f"{v}°E", x, 158) for v, x in ((10, 120.0), (20, 250.0), (30, 380.0), (40, 490.0))]
    result = reading(["0", "5", "10", "15", "20"], extra=axis)
    assert result.accepted, result.vetoes
    assert result.side == "bottom"


def test_without_tick_marks_the_outer_labels_must_be_the_ends() -> None:
    texts = ["0", "5", "10", "15", "20"]
    assert reading(texts, ticks=[], at=places(5, 100, 500)).accepted
    vetoed(reading(texts[:4], ticks=[], at=[120, 220, 320, 420], obstacles=[]), "No tick marks were seen")


def test_labels_that_cover_only_a_part() -> None:
    vetoed(reading(["0", "1", "2", "3"], at=[110.5, 150.5, 190.5, 230.5]), "px at one end bear none")


def test_minor_ticks_do_not_catch_labels() -> None:
    at = places(5)
    minor = np.floor(np.linspace(100.5, 499.5, 41)) + 0.5
    result = reading(["0", "10", "20", "30", "40"], at=at + 2.5, ticks=at, minor=[m for m in minor if m not in at])
    assert result.fit is not None
    np.testing.assert_allclose(result.value_at(at), [0, 10, 20, 30, 40], atol=0.2)


def test_labels_at_the_middle_of_classes_without_marks() -> None:
    breaks = np.linspace(100, 500, 6)
    middles = (breaks[1:] + breaks[:-1]) / 2
    result = reading(["0", "5", "10", "15", "20"], at=middles, ticks=[], class_breaks=breaks[1:-1])
    vetoed(result, "middle value or lower limit?")


def test_irregular_classes_at_their_limits() -> None:
    breaks = np.linspace(100, 500, 9)
    texts = ["0", "1", "2", "5", "10", "20", "50", "100", "200"]
    result = reading(texts, at=breaks, ticks=breaks[1:-1], class_breaks=breaks[1:-1])
    assert result.accepted, result.vetoes
    assert result.fit is not None
    assert result.fit.norm == "piecewise"
    np.testing.assert_allclose(result.value_at([breaks[3], breaks[6]]), [5, 50], atol=0.5)


def test_an_irregular_label_at_an_uncertain_junction() -> None:
    breaks = np.linspace(100, 500, 9)
    at = breaks.copy()
    at[-1] += 3
    texts = ["0", "1", "2", "5", "10", "20", "50", "100", "200"]
    result = reading(texts, at=at, ticks=[], class_breaks=breaks[1:-1], extend=(False, True), ends_uncertain_px=5.0)
    vetoed(result, "the end of the bar, which is known only to 5.0 px")


def test_one_label_against_many_makes_no_irregular_ladder() -> None:
    breaks = np.linspace(100, 500, 7)
    texts = ["3", "14", "15", "16", "17", "18", "19"]
    result = reading(texts, at=breaks, ticks=breaks, class_breaks=breaks[1:-1])
    vetoed(result, "The label '3' at x = 100.5 px contradicts the linear scale of the 6 others")


def test_an_odd_value_in_an_irregular_ladder() -> None:
    breaks = np.linspace(100, 500, 7)
    texts = ["-100", "-20", "-10", "16", "20", "100", "200"]
    result = reading(texts, at=breaks, ticks=breaks[1:-1], class_breaks=breaks[1:-1])
    vetoed(result, "16 is no round number")


@pytest.mark.parametrize("texts", [["1.250", "1.500", "1.750", "2.000"], ["1,250", "1,500", "1,750", "2,000"]])
def test_thousands_or_decimals(texts: list[str]) -> None:
    vetoed(reading(texts), "may part thousands or decimals")


def test_thousands_beside_zero_are_thousands() -> None:
    result = reading(["0", "1.000", "2.000", "3.000"])
    assert result.accepted, result.vetoes
    np.testing.assert_allclose(result.value_at(places(4)), [0, 1000, 2000, 3000], atol=5)


def test_a_scale_that_falls_because_of_lost_minus_signs() -> None:
    doubt = ("a minus sign is drawn but was not read",)
    vetoed(reading(["40", "30", "20", "10"], labels={"checks": doubt}), "minus")
    vetoed(reading(["30", "20", "10"]), "were minus signs lost?")
    assert reading(["20", "10", "0", "-10", "-20"]).accepted


def test_lost_points() -> None:
    vetoed(reading(["05", "10", "15", "20"]), "was its point lost?")
    doubt = ("1 dots are drawn and 0 were read",)
    vetoed(reading(["5", "10", "15", "20"], labels={"checks": doubt}), "dots that were not read")


def test_a_label_nobody_could_read_without_marks() -> None:
    at = places(5, 100, 500)
    words = [word("lo", float(at[2]), 242)]
    keep = [0, 1, 3, 4]
    result = reading(["0", "5", "15", "20"], at=at[keep], ticks=[], extra=words)
    vetoed(result, "could not be read as numbers")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Temperature (°C)", ("Temperature", "°C")),
        ("Wind speed [m/s]", ("Wind speed", "m/s")),
        ("Anomaly in mGal", ("Anomaly", "mGal")),
        ("Heat flux, W m^-2", ("Heat flux", "W m^-2")),
        ("mm day^-1", ("", "mm day^-1")),
        ("10^-5 s^-1", ("", "10^-5 s^-1")),
        ("Depth", ("Depth", "")),
    ],
)
def test_titles(text: str, parts: tuple[str, str]) -> None:
    assert split_title(text) == parts
    result = reading(["0", "5", "10", "15"], extra=[word(text, 300, 262)])
    assert result.accepted, result.vetoes
    assert (result.title, result.unit) == parts


def test_percent_labels_give_the_unit() -> None:
    assert reading(["0%", "25%", "50%", "75%", "100%"]).unit == "%"


def test_labels_that_fell_apart_are_put_together() -> None:
    rows = places(5)
    pixels = picture(rows, vertical=True)
    words = [word(t, 240.0, float(y)) for t, y in zip(["1.0", "0.5", "-0.5", "-1.0"], rows[[0, 1, 3, 4]], strict=True)]
    words += [word("0", 236.0, float(rows[2])), word("0", 248.0, float(rows[2]))]

    def blind(crops: Sequence[np.ndarray]) -> list[TextReading]:
        return [TextReading("", 0.0) for _ in crops]

    result = read_ticks(pixels, PixelBox(200, 100, 224, 500), "vertical", blind, words=words)
    assert [label.text for label in result.labels].count("0.0") == 1
    assert result.accepted, result.vetoes


@pytest.mark.parametrize(
    ("text", "x", "y"), [("40°E", 300, 262), ("k", 300, 262), ("N", 300, 262), ("22 - 31", 300, 262), ("75W", 90, 262)]
)
def test_what_is_no_title(text: str, x: float, y: float) -> None:
    result = reading(["0", "5", "10", "15"], extra=[word(text, x, y)])
    assert (result.title, result.unit) == ("", "")


def test_a_title_read_poorly_is_none() -> None:
    result = reading(["0", "5", "10", "15"], extra=[word("ATOTK", 300, 262, confidence=0.3)])
    assert result.title == ""


def test_a_lone_unit_at_the_end_of_the_bar() -> None:
    unit = Word("m", PixelBox(512, 208, 522, 216), 0.95, glyph_px=GLYPH)
    result = reading(["0", "5", "10", "15"], extra=[word("Elevation", 300, 262), unit])
    assert (result.title, result.unit) == ("Elevation", "m")


def test_what_stands_outside_the_frame_around_bar_and_labels_is_not_the_bars() -> None:
    axis_label = word("100", 90, 290)
    frame = PixelBox(60, 150, 620, 275)
    assert reading(["0", "5", "10", "15"], extra=[axis_label], obstacles=[frame]).accepted


def test_degrees_of_a_map_are_no_values() -> None:
    vetoed(reading(["10E", "20E", "30E", "40E"]), "longitudes or latitudes of a map")


def test_a_strip_along_the_frame_has_the_maps_marks() -> None:
    frame = PixelBox(60, 20, 640, 224)
    vetoed(reading(["0", "5", "10", "15"], obstacles=[frame]), "along the bottom edge of the map's frame")


def test_labels_that_go_on_beyond_the_bar() -> None:
    further = word("-5", float(places(4)[0] - 133), 242.0)
    at = np.array([233.0, 366.0, 499.0])
    labels = [word(t, x, 242.0) for t, x in zip(["5", "10", "15"], at, strict=True)]
    zero = word("0", 100.5, 242.0)
    pixels = picture([100, 233, 366, 499])
    half = PixelBox(180, 200, 500, 224)
    result = read_ticks(pixels, half, "horizontal", None, words=[zero, *labels, further])
    vetoed(result, "goes on with the scale beyond the bar's end")


def test_powers_whose_fellows_were_read_flat() -> None:
    result = reading(["10°", "10^1", "10^2", "103", "10^4"])
    assert result.accepted, result.vetoes
    np.testing.assert_allclose(result.value_at(places(5)), [1, 10, 100, 1e3, 1e4], rtol=0.02)


def test_unequal_classes_without_all_their_limits() -> None:
    at = places(5)
    breaks = [float(b) for b in np.linspace(100, 500, 9)[1:-1]]
    result = reading(["0", "5", "40", "70", "500"], at=at, class_breaks=breaks)
    vetoed(result, "leave limits between classes without a label (2 classes")


def test_labels_stand_at_the_marks_they_are_centred_on() -> None:
    at = places(4)
    pixels = picture([])
    for place in at[1:-1]:
        pixels[200:224, int(place)] = 0
    for place in (place - off for place in at[1:] for off in (4, 10, 18)):
        pixels[218:224, int(place)] = 0
    words = [word(text, float(x), 242.0) for text, x in zip(["10^0", "10^1", "10^2", "10^3"], at, strict=True)]
    result = read_ticks(pixels, BAR, "horizontal", None, words=words, obstacles=[MAP])
    assert result.accepted, result.vetoes
    assert result.fit is not None
    np.testing.assert_allclose(result.fit.position_of([1, 10, 100, 1000]), at, atol=1)


def test_refusals() -> None:
    with pytest.raises(InvalidInputError, match="A bar has no axis 'diagonal'"):
        read_ticks(picture([]), BAR, "diagonal", None)
    with pytest.raises(InvalidInputError, match="gave no scale"):
        reading([], ticks=[]).value_at([100])


def test_two_sure_labels_and_a_third_that_agrees_are_three() -> None:
    at = places(3)
    third = word("26", float(at[1]), 242, confidence=0.6, checks=("read '2.6' at one size and '26' at another",))
    pair = [word("20", float(at[0]), 242), word("32", float(at[2]), 242)]
    result = reading([], at=[], ticks=at, extra=[*pair, third])
    assert result.accepted, result.vetoes
    odd = word("27", float(at[1]), 242, confidence=0.6, checks=("read '2.7' at one size and '27' at another",))
    assert not reading([], at=[], ticks=at, extra=[*pair, odd]).accepted


def test_without_tick_marks_one_label_at_an_end_and_an_exact_scale_are_enough() -> None:
    values = np.array([0, 40, 200, 1000])
    at = 100 + 280 * (values / 1000) ** 0.4
    result = reading([str(v) for v in values], at=at, ticks=[])
    assert result.accepted, result.vetoes
    np.testing.assert_allclose(result.value_at(at), values, atol=1)
    vetoed(reading([str(v) for v in values], at=at + 9, ticks=[]), "No tick marks were seen")


def test_two_slopes_go_on_to_the_end_of_the_bar() -> None:
    at = np.array([100.5, 180.5, 260.5, 310.5, 360.5, 410.5])
    texts = ["-0.10", "-0.05", "0.00", "0.25", "0.50", "0.75"]
    result = reading(texts, at=[*at[:-1], 410.5])
    vetoed(result, "beyond its outer label '0.75' bear none")
    at = np.array([100.5, 190.5, 280.5, 345.5, 410.5, 475.5])
    result = reading(texts, at=at)
    assert result.accepted, result.vetoes
    np.testing.assert_allclose(result.value_at([475.5 + 13]), 0.8, atol=0.01)


@pytest.mark.parametrize(("glyph", "accepted"), [(18.0, True), (9.0, False)])
def test_powers_that_fall_lost_a_minus_in_small_print_only(glyph: float, accepted: bool) -> None:
    result = reading(["10^4", "10^2", "10^0"], labels={"glyph_px": glyph})
    assert result.accepted == accepted, result.vetoes


def test_degrees_misread_as_powers_are_read_back() -> None:
    at = places(5)
    texts = ["0°", "5°", "10^6", "15°", "20°"]
    more = [{"alternatives": ("10°",)} if "^" in text else {} for text in texts]
    words = [word(t, float(x), 242, **m) for t, x, m in zip(texts, at, more, strict=True)]
    result = reading([], at=[], ticks=at, extra=words)
    assert result.accepted, result.vetoes
    np.testing.assert_allclose(result.value_at(at), [0, 5, 10, 15, 20], atol=0.05)


def test_four_of_six_labels_at_marks_tell_where_the_others_belong() -> None:
    at = places(6, 140.5, 459.5)
    texts = ["500", "250", "0", "-250", "-500", "-750"]
    result = reading(texts, at=at, ticks=at[1:-1])
    assert result.accepted, result.vetoes
    assert any("4 of 6 labels at tick marks" in said for said in result.evidence)
    np.testing.assert_allclose(result.value_at(at), [float(text) for text in texts], atol=3)


def test_a_tick_mark_beside_a_label_is_no_minus_sign() -> None:
    rows, box = places(6), PixelBox(200, 100, 224, 500)
    pixels = picture(rows, vertical=True)
    around = tick_reading._Surroundings(
        pixels, BarAxis(box, "vertical"), lambda crops: [], [], None, {"right": find_ticks(pixels, box, "right")}
    )
    seen: list[PixelBox] = []

    def reread(_: np.ndarray, rest: PixelBox, *__: object) -> Word:
        seen.append(rest)
        return Word("50", rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tick_reading, "read_label", reread)
        minus = Word("-50", PixelBox(226, rows[0] - 9, 256, rows[0] + 9), 0.9, glyph_px=13.0)
        doubt = "a minus sign was read but none is drawn"
        assert around._without_mark(minus).text == "-50"
        assert around._without_mark(replace(minus, checks=(doubt,))).text == "50"
        beyond = replace(minus, box=PixelBox(240, rows[0] - 9, 270, rows[0] + 9), checks=(doubt,))
        assert around._without_mark(beyond).text == "-50"
    assert [rest.left > 229 for rest in seen] == [True]


def test_the_sign_of_one_label_is_told_by_two_sure_ones() -> None:
    at, doubt = places(3), ("a minus sign was read but none is drawn",)
    sure = [word("-0.006", float(at[0]), 242), word("0.002", float(at[2]), 242)]
    result = reading([], at=[], ticks=at, extra=[*sure, word("-0.002", float(at[1]), 242, checks=doubt)])
    assert result.accepted, result.vetoes
    doubted = [word("-0.010", float(at[0]), 242, checks=doubt), word("-0.006", float(at[1]), 242, checks=doubt)]
    result = reading([], at=[], ticks=at, extra=[*doubted, word("-0.002", float(at[2]), 242)])
    vetoed(result, "The minus signs of 2 of 3 labels are in doubt")


def test_ranges_of_which_the_first_half_was_read_are_refused() -> None:
    at = places(5)
    rest = [word(f"m-{value + 1} m", float(x) + 24, 242) for value, x in zip((5, 7, 9, 11, 13), at, strict=True)]
    texts = ["5", "7", "9", "11", "13"]
    assert reading(texts, at=at).accepted
    vetoed(reading(texts, at=at, extra=rest), "5 labels seem to be ranges, as '5 m-6 m' and '7 m-8 m'")


def test_ranges_beside_a_standing_bar() -> None:
    at = places(5)
    box = PixelBox(BAR.top, BAR.left, BAR.bottom, BAR.right)
    firsts = [word(text, 242, float(y)) for text, y in zip(("13", "11", "9", "7", "5"), at, strict=True)]
    seconds = [word(text, 262, float(y)) for text, y in zip(("14", "12", "10", "8", "6"), at, strict=True)]
    pixels = picture(at, vertical=True)
    alone, both = (read_ticks(pixels, box, "vertical", None, words=words) for words in (firsts, [*firsts, *seconds]))
    assert alone.accepted, alone.vetoes
    vetoed(both, "5 labels seem to be ranges, as '13 14' and '11 12'")


def test_a_label_read_anew_is_no_factor() -> None:
    bar = BarAxis(BAR, "horizontal")
    words = [word(text, float(x), 242) for text, x in zip(("10^1", "10^2", "10^3"), places(3), strict=True)]
    ladder = gather_ladders(bar, words)[0]
    text = read_bar_text(bar, ladder, [*words[:2], replace(words[2], confidence=0.7)], [MAP])
    assert (text.factor, text.said, text.doubts) == (1.0, (), ())


def test_powers_of_ten_bear_no_factor() -> None:
    texts = ["10^0", "10^1", "10^2", "10^3"]
    vetoed(reading(texts, extra=[word("×10^-5", 490, 262)]), "the labels are powers of ten themselves")
