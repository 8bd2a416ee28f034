"""Numbers as publications print them beside colour bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["TITLES", "LabelStyle", "choose_style", "format_labels", "plain_text", "power_label", "text_width"]

#: Quantities and units that stand beside bars.
TITLES = (
    ("Temperature", "°C"),
    ("SST", "K"),
    ("Elevation", "m"),
    ("Depth", "km"),
    ("Wind speed", "m/s"),
    ("Precipitation", "mm day^{-1}"),
    ("Chlorophyll", "mg m^{-3}"),
    ("Bouguer anomaly", "mGal"),
    ("Ground velocity", "mm/yr"),
    ("Heat flux", "W m^{-2}"),
    ("Pressure", "hPa"),
    ("Vorticity", "s^{-1}"),
    ("Salinity", "psu"),
    ("Magnetic field", "nT"),
    ("PGA", "g"),
    ("Concentration", "μg/m^{3}"),
    ("Probability", ""),
    ("LOS displacement", "cm"),
)


@dataclass(frozen=True)
class LabelStyle:
    """How numbers are written: printed number = (value - offset) / factor.

    `unit_power` stands in the unit ("10^{-5} s^{-1}"): values are then given in that unit, and are `unit_factor` times
    as large in the bare unit.
    """

    factor: float = 1.0
    offset: float = 0.0
    factor_text: str = ""
    unit_power: int = 0
    decimals: int | None = None
    exponent: str = ""
    minus: str = "-"
    comma: bool = False
    thousands: str = ""
    suffix: str = ""
    plus: bool = False
    bare_point: bool = False
    ends: tuple[str, str] = ("", "")
    traits: frozenset[str] = frozenset()

    @property
    def unit_factor(self) -> float:
        return 10.0**self.unit_power


def decimals_of(numbers: NDArray[np.float64]) -> int:
    """The fewest decimals with which all the numbers are exact."""
    scale = float(np.max(np.abs(numbers))) or 1.0
    for decimals in range(0, 12):
        if np.allclose(np.round(numbers, decimals), numbers, rtol=0, atol=1e-6 * scale):
            return decimals
    return 12


def power_label(value: float, *, times: bool = False) -> str:
    """``10^{n}``, with the mantissa before it where it is not 1 (or `times` asks for it)."""
    sign = "−" if value < 0 else ""
    power = int(np.floor(np.log10(abs(value)) + 1e-9))
    mantissa = abs(value) / 10.0**power
    lead = f"{mantissa:g}×" if times or abs(mantissa - 1) > 1e-6 else ""
    return f"{sign}{lead}10^{{{power}}}".replace("^{-", "^{−")


def _factor_words(rng: np.random.Generator, power: int) -> str:
    raised = f"10^{{{power}}}".replace("^{-", "^{−")
    choices = [f"1e{power}", f"×{raised}", f"× {raised}", f"x {raised}", f"(×{raised})"]
    return str(rng.choice(choices, p=[0.4, 0.25, 0.15, 0.1, 0.1]))


def choose_style(rng: np.random.Generator, values: NDArray[np.float64], step: float) -> LabelStyle:
    """A way of writing these values; very large and small ones mostly get a factor."""
    largest = float(np.max(np.abs(values)))
    power = int(np.floor(np.log10(largest) + 1e-9))
    traits: set[str] = set()
    options: dict[str, object] = {"minus": str(rng.choice(["−", "-"], p=[0.55, 0.45]))}
    extreme = largest >= 2e5 or step < 2e-4
    draw = rng.random()
    if (extreme and draw < 0.8) or draw < 0.19:
        power = power if rng.random() < 0.7 else 3 * (power // 3)
        if abs(power) >= 2:
            if rng.random() < 0.78:
                text = _factor_words(rng, power)
                options |= {"factor": 10.0**power, "factor_text": text}
                traits.add("factor")
            else:
                options["unit_power"] = power
                traits.add("unit-power")
    elif extreme or draw < 0.22:
        options["exponent"] = str(rng.choice(["e", "E", "e0"]))
        traits.add("e-notation")
    elif draw < 0.26 and step <= 10:
        offset = float(rng.choice([1013, 273.15, 1025, 5e4, 34.5]))
        options |= {"offset": offset, "factor_text": f"+{offset:.5g}e0"}
        exponent = int(np.floor(np.log10(offset)))
        options["factor_text"] = f"+{offset / 10.0**exponent:.6g}e{exponent}"
        traits.add("offset")
    else:
        traits |= _choose_marks(rng, options, largest, step)
    numbers = values if "unit_power" not in options else values / 10.0 ** int(power)
    numbers = numbers / float(options.get("factor", 1.0))  # type: ignore[arg-type]
    decimals = decimals_of(numbers)
    options["decimals"] = None if rng.random() < 0.25 else decimals + int(rng.random() < 0.12)
    return LabelStyle(traits=frozenset(traits), **options)  # type: ignore[arg-type]


def _choose_marks(rng: np.random.Generator, options: dict[str, object], largest: float, step: float) -> set[str]:
    draw = rng.random()
    if largest >= 1000 and draw < 0.4:
        options["thousands"] = str(rng.choice([",", " ", ".", "'"], p=[0.5, 0.3, 0.12, 0.08]))
        options["comma"] = options["thousands"] == "."
        return {"thousands", "decimal-comma"} if options["comma"] else {"thousands"}
    if step < 1 and draw < 0.12:
        options["comma"] = True
        return {"decimal-comma"}
    if draw < 0.2:
        options["suffix"] = str(rng.choice(["%", "°", "°C", " %", " m"], p=[0.4, 0.25, 0.2, 0.1, 0.05]))
        return {"suffix"}
    if draw < 0.24:
        options["plus"] = True
        return {"plus"}
    if step < 1 and draw < 0.3:
        options["bare_point"] = True
        return {"bare-point"}
    if draw < 0.36:
        low, high = [("<", ">"), ("", ">"), ("≤", "≥"), ("", "+"), ("", "≥")][int(rng.integers(5))]
        options["ends"] = (low, high)
        return {"ends"}
    return set()


def _digits(number: float, style: LabelStyle) -> str:
    if style.exponent:
        text = f"{number:.12g}" if number == 0 else f"{float(f'{number:.6g}'):.6e}"
        if number == 0:
            return "0"
        mantissa, power = text.split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        if style.exponent == "e0":
            return f"{mantissa if len(mantissa) > 2 else mantissa + '.0'}e{int(power):+03d}"
        return f"{mantissa}{style.exponent}{int(power):+03d}"
    if style.decimals is None:
        text = np.format_float_positional(round(number, 9), trim="-")
    else:
        text = f"{number:.{style.decimals}f}"
    return "0" if float(text) == 0 and style.decimals is None else text


def format_labels(values: NDArray[np.float64], style: LabelStyle) -> tuple[str, ...]:
    """The labels of the values, from the lowest to the highest."""
    labels = []
    for value in values:
        number = float(value) / style.factor / style.unit_factor
        text = _digits(abs(number), style)
        whole, point, rest = text.partition(".")
        if style.thousands and len(whole) > 3 and whole.isdigit():
            whole = f"{int(whole):,}".replace(",", style.thousands)
        if style.bare_point and whole == "0" and point:
            whole = ""
        text = whole + ("," if style.comma and point else point) + rest
        zero = not any(character in "123456789" for character in text.split("e")[0].split("E")[0])
        if number < 0 and not zero:
            text = style.minus + text
        elif number > 0 and style.plus:
            text = "+" + text
        if style.minus == "−":
            text = text.replace("e-", "e−").replace("E-", "E−")
        labels.append(text + style.suffix)
    low, high = style.ends
    labels[0] = low + labels[0]
    labels[-1] = labels[-1] + high if high == "+" else high + labels[-1]
    return tuple(labels)


def plain_text(text: str) -> list[tuple[str, bool]]:
    """Runs of a text and whether they are raised: ``10^{-2} m`` is 10, raised -2, m."""
    runs: list[tuple[str, bool]] = []
    rest = text
    while "^{" in rest:
        before, _, rest = rest.partition("^{")
        raised, _, rest = rest.partition("}")
        runs += [(before, False), (raised, True)]
    runs.append((rest, False))
    return [run for run in runs if run[0]]


def text_width(text: str, size: float) -> float:
    """A generous estimate of how wide a text comes out, in pixels."""
    width = 0.0
    for run, raised in plain_text(text):
        narrow = sum(character in ".,'i l" for character in run)
        width += (0.66 * len(run) - 0.3 * narrow) * (0.72 if raised else 1.0)
    return width * size
