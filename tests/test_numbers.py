"""Labels as publications write them, understood as numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocbar.figure.numbers import normalize_text, parse_factor, parse_numbers, parse_offset


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5", [5]),
        ("−5", [-5]),
        ("–5", [-5]),
        ("- 5", [-5]),
        ("+2.5", [2.5]),
        (".5", [0.5]),
        ("−.25", [-0.25]),
        ("5.", [5]),
        ("1,5", [1.5]),
        ("0,125", [0.125]),
        ("1.234", [1.234, 1234]),
        ("1,234", [1234, 1.234]),
        ("0.234", [0.234]),
        ("1,234.5", [1234.5]),
        ("1.234,5", [1234.5]),
        ("1,234,567", [1234567]),
        ("1 000", [1000]),
        ("1\u2009000\u2009000", [1e6]),
        ("1'000", [1000]),
        ("1e-3", [1e-3]),
        ("2.5E+03", [2500]),
        ("1.0×10^-3", [1e-3]),
        ("1.0×10⁻³", [1e-3]),
        ("2x10-4", [2e-4]),
        ("10²", [100]),
        ("10^2", [100]),
        ("−10^-1", [-0.1]),
        ("10^0", [1]),
        ("2^3", [8]),
        ("10^-0.5", [10**-0.5]),
        ("10⁻¹²", [1e-12]),
        ("102", [102]),
        ("1O", [10]),
        ("-0", [0]),
        ("0.00001", [1e-5]),
    ],
)
def test_numbers_are_read_the_likeliest_first(text: str, values: list[float]) -> None:
    assert [number.value for number in parse_numbers(text)] == pytest.approx(values)


@pytest.mark.parametrize(
    "text",
    [
        "x10^3",
        "×10³",
        "Depth",
        "10-20",
        "0 – 5",
        "1 2",
        "12 34",
        "5 10 15",
        "",
        "-",
        ".",
        "--5",
        "a5",
        "1.2.3",
        "2 m temp",
        "N",
    ],
)
def test_what_is_no_single_number_gives_none(text: str) -> None:
    assert parse_numbers(text) == []


@pytest.mark.parametrize(
    ("text", "value", "kind", "prefix", "unit"),
    [
        ("5 %", 5, "percent", "", ""),
        ("12.5%", 12.5, "percent", "", ""),
        ("20°", 20, "degree", "", ""),
        ("20º", 20, "degree", "", ""),
        ("20°S", 20, "degree", "", "S"),
        ("120 E", 120, "degree", "", "E"),
        ("20oN", 20, "degree", "", "N"),
        ("10°30'", 10.5, "degree", "", ""),
        ("−10°30′36″", -10.51, "degree", "", ""),
        ("45°15'W", 45.25, "degree", "", "W"),
        ("20 °C", 20, "plain", "", "°C"),
        ("<5", 5, "plain", "<", ""),
        ("≤ 5", 5, "plain", "<", ""),
        (">20", 20, "plain", ">", ""),
        ("> −2.5", -2.5, "plain", ">", ""),
        ("20+", 20, "plain", ">", ""),
        ("500 km", 500, "plain", "", "km"),
        ("3 m/s", 3, "plain", "", "m/s"),
    ],
)
def test_signs_around_a_number_are_kept(text: str, value: float, kind: str, prefix: str, unit: str) -> None:
    (number,) = parse_numbers(text)
    assert number.value == pytest.approx(value)
    assert (number.kind, number.prefix, number.suffix_unit) == (kind, prefix, unit)


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("×10³", 1e3),
        ("x10^-5", 1e-5),
        ("× 10 ^ -5", 1e-5),
        ("x10-7", 1e-7),
        ("1e-5", 1e-5),
        ("1e−5", 1e-5),
        ("1e6", 1e6),
        ("10^-3", 1e-3),
        ("(×1000)", 1000),
        ("×100", 100),
        ("×1,000", 1000),
        ("1e-5+1.013e3", 1e-5),
        ("×10^-2+1.5×10^2", 1e-2),
    ],
)
def test_factors(text: str, factor: float) -> None:
    assert parse_factor(text) == pytest.approx(factor)


@pytest.mark.parametrize("text", ["×103", "x105", "1013", "x", "mGal", "+1.013e3", "10", "5", ""])
def test_no_factor_or_one_in_doubt(text: str) -> None:
    assert parse_factor(text) is None


@pytest.mark.parametrize(
    ("text", "offset"),
    [("+1.013e3", 1013), ("−2.5e2", -250), ("1e-5+1.013e3", 1013), ("+1.013×10^3", 1013), ("+273.15", 273.15)],
)
def test_offsets(text: str, offset: float) -> None:
    assert parse_offset(text) == pytest.approx(offset)


@pytest.mark.parametrize("text", ["1013", "x10^3", "1e-5", "+", "+5 km", "mGal"])
def test_no_offset(text: str) -> None:
    assert parse_offset(text) is None


@given(st.floats(-1e6, 1e6, allow_nan=False), st.integers(0, 6))
def test_what_python_writes_is_read_back(value: float, places: int) -> None:
    written = f"{value:.{places}f}"
    assert float(written) in [number.value for number in parse_numbers(written.replace("-", "−"))]
    scientific = f"{value if abs(value) > 1e-200 else 0.0:.{places}e}"
    assert parse_numbers(scientific)[0].value == pytest.approx(float(scientific))


@given(st.integers(0, 10**9))
def test_thousands_are_read_back_however_they_are_parted(value: int) -> None:
    for mark in (",", " ", "'"):
        assert float(value) in [number.value for number in parse_numbers(f"{value:,}".replace(",", mark))]


@given(st.text(alphabet="0123456789.,-−+eE×x^%°<> NSWO/()'²³⁻", max_size=12))
def test_no_text_breaks_the_parser(text: str) -> None:
    for number in parse_numbers(text):
        assert number.value == number.value
    parse_factor(text)
    parse_offset(text)
    assert normalize_text(normalize_text(text)) == normalize_text(text)


def test_a_letter_for_a_nought_within_a_number_is_no_unit() -> None:
    assert [number.value for number in parse_numbers("1O0")] == [100.0]
    assert [number.value for number in parse_numbers("2O")] == [20.0]
