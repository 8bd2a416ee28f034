"""Numbers as publications write them: minus signs, powers of ten, separators, per cent, degrees, open classes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Number", "normalize_text", "parse_factor", "parse_numbers", "parse_offset"]

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺"
_ONE_SIGN = str.maketrans(
    {
        **dict.fromkeys("−–—‐‑‒﹣－一ー", "-"),
        **dict.fromkeys("，‚", ","),
        **dict.fromkeys("。．", "."),
        **dict.fromkeys("º˚", "°"),
        **dict.fromkeys("×✕✖⨯", "×"),
        **dict.fromkeys("’‘`´′", "'"),
        **dict.fromkeys("″“”", '"'),
        **dict.fromkeys("\u00a0\u2009\u202f\u2007\u2002\u2003\u3000\t", " "),
        **dict(zip("０１２３４５６７８９（）％＋＜＞", "0123456789()%+<>", strict=True)),
        "≤": "<",
        "≥": ">",
        "⩽": "<",
        "⩾": ">",
        "μ": "µ",
    }
)

_DIGITS_FOR_LETTERS = str.maketrans("OoQlI|", "000111")

_PLAIN = (
    r"\d+\.?\d*|\d*[.,]\d+|\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?"
)
_POWER = r"\^ ?[-+]? ?\d+(?:\.\d+)?"
_EXPONENT = rf"[eE] ?[-+]? ?\d+| ?[×xX*·] ?10(?: ?{_POWER}|[-+]?\d+)"
_NUMBER = re.compile(
    rf"(?P<prefix>[<>]?) ?(?P<sign>[-+]?) ?(?:(?P<base>10|2|e)(?P<power>{_POWER})|"
    rf"(?P<mantissa>{_PLAIN})(?P<exponent>{_EXPONENT})?)"
    r"(?! ?\d|[.,'])(?P<plus>\+?)(?P<suffix>.*)"
)
_SEXAGESIMAL = re.compile(
    r"""(?P<sign>[-+]?)(?P<d>\d{1,3}) ?° ?(?P<m>\d{1,2}(?:\.\d+)?) ?'"""
    r"""(?: ?(?P<s>\d{1,2}(?:\.\d+)?) ?(?:"|''))? ?(?P<side>[NSEWO]?)"""
)
_UNIT = re.compile(r"[A-Za-zµΩ‰]{1,6}(?:[/ ][A-Za-zµ]{1,3}\d?)?\d?")
_SIDE = re.compile(r"(?:[°o] ?| )?([NSEW])|(?:[°o] ?| )(O)")


@dataclass(frozen=True)
class Number:
    """One way to understand a label.

    Parameters
    ----------
    value : float
        The number, per cent not divided by 100, degrees in decimals; the hemisphere does not turn its sign.
    kind : {"plain", "percent", "degree"}
        What the sign behind it says.
    prefix : {"", "<", ">"}
        Set for open classes (``<5``, ``≤5``, ``>20``, ``20+``).
    suffix_unit : str
        Letters behind the number: ``km``, ``°C``, or the hemisphere ``N``, ``S``, ``E``, ``W``, ``O``.
    text : str
        The text it was read from, signs unified.
    """

    value: float
    kind: Literal["plain", "percent", "degree"]
    prefix: Literal["", "<", ">"]
    suffix_unit: str
    text: str


def normalize_text(text: str) -> str:
    """Unify signs that look alike; superscript digits become ``^`` and plain digits.

    Examples
    --------
    >>> normalize_text("−1.5×10⁻³")
    '-1.5×10^-3'
    """
    raised = re.sub(f"[{_RAISED}]+", lambda run: "^" + _lowered(run[0]), text)
    return re.sub(r"\^\^", "^", re.sub(r" +", " ", raised.translate(_ONE_SIGN))).strip()


def parse_numbers(text: str) -> list[Number]:
    """Every plausible reading of a label as one number.

    Parameters
    ----------
    text : str
        The whole label, as read or as written in the file.

    Returns
    -------
    list of Number
        The likeliest first; empty if the text is no single number (words, ranges, factors such as ``×10^3``).

    Examples
    --------
    >>> [n.value for n in parse_numbers("1.234")]
    [1.234, 1234.0]
    >>> [n.value for n in parse_numbers("−10²")]
    [-100.0]
    >>> parse_numbers("x10^3")
    []
    """
    plain = normalize_text(text)
    found = _read(plain)
    if not found and re.search(r"\d", plain) and not re.search(r"[A-Za-z](?<![OoQlIeE])", plain):
        found = _read(plain.translate(_DIGITS_FOR_LETTERS))
    return found


def parse_factor(text: str) -> float | None:
    """Factor of all labels, written once beside the bar.

    Parameters
    ----------
    text : str
        ``×10³``, ``x10^-5``, ``1e-5``, ``(×1000)``; an offset behind it (``1e-5+1.013e3``) is left aside.

    Returns
    -------
    float or None
        None if the text is no factor, or if it cannot be told whether the last digit was a superscript (``×103``).

    Examples
    --------
    >>> parse_factor("×10⁻³"), parse_factor("1e−5+1.013e3"), parse_factor("x103")
    (0.001, 1e-05, None)
    """
    plain = re.sub(r"[ ()\[\]]", "", normalize_text(text))
    plain = re.sub(r"(?<=\d)[-+]\d+(\.\d*)?([eE][-+]?\d+|×10\^[-+]?\d+)$", "", plain)
    power = re.fullmatch(r"[×xX*·]?(?:10\^([-+]?\d{1,2})|10(-\d{1,2})|1[eE]([-+]?\d{1,2}))", plain)
    if power:
        return float(f"1e{next(part for part in power.groups() if part)}")
    flat = re.fullmatch(r"[×xX*·](10+|\d{1,3}(?:[',]000)+)", plain)
    return float(re.sub(r"\D", "", flat[1])) if flat else None


def parse_offset(text: str) -> float | None:
    """Number added to all labels, written once beside the bar: ``+1.013e3``.

    Returns
    -------
    float or None
        None unless a sign leads it.

    Examples
    --------
    >>> parse_offset("+1.013e3"), parse_offset("1e-5−2.5×10^2"), parse_offset("1013")
    (1013.0, -250.0, None)
    """
    plain = normalize_text(text).replace(" ", "")
    lead = re.match(r"(?:[×xX*·]?10\^[-+]?\d{1,2}|1[eE][-+]?\d{1,2})(?=[-+]\d)", plain)
    rest = plain[lead.end() :] if lead else plain
    if not re.match(r"[-+]", rest):
        return None
    found = [number for number in parse_numbers(rest) if number.kind == "plain" and not number.suffix_unit]
    return found[0].value if len(found) >= 1 and not found[0].prefix else None


def _lowered(run: str) -> str:
    return "".join("-" if c == "⁻" else "+" if c == "⁺" else str(_RAISED.index(c)) for c in run)


def _read(plain: str) -> list[Number]:
    angle = _SEXAGESIMAL.fullmatch(plain)
    if angle:
        value = float(angle["d"]) + float(angle["m"]) / 60 + float(angle["s"] or 0) / 3600
        return [Number(-value if angle["sign"] == "-" else value, "degree", "", angle["side"], plain)]
    flat_power = re.fullmatch(r"([-+]?)10-([1-9])", plain)
    if flat_power:
        value = 10.0 ** -int(flat_power[2])
        return [Number(-value if flat_power[1] == "-" else value, "plain", "", "", plain)]
    match = _NUMBER.fullmatch(plain)
    if not match or (match["plus"] and (match["prefix"] or match["sign"])):
        return []
    ending = _ending(match["suffix"])
    if ending is None:
        return []
    kind, unit = ending
    prefix: Literal["", "<", ">"] = ">" if match["plus"] or match["prefix"] == ">" else "<" if match["prefix"] else ""
    sign = -1.0 if match["sign"] == "-" else 1.0
    return [Number(sign * size if size else 0.0, kind, prefix, unit, plain) for size in _sizes(match)]


def _sizes(match: re.Match[str]) -> list[float]:
    """Absolute values the digits may stand for."""
    if match["power"]:
        power = float(re.sub(r"[\^ ]", "", match["power"]))
        base = {"10": 10.0, "2": 2.0, "e": 2.718281828459045}[match["base"]]
        if abs(power) > 300:
            return []
        return [float(f"1e{power:.0f}") if base == 10.0 and power.is_integer() else base**power]
    exponent = re.sub(r"[ ×xX*·]+10|[\^ eE×*·]", "", match["exponent"] or "")
    if exponent and ("." in exponent or abs(int(exponent)) > 300):
        return []
    sizes = []
    for digits in _decimals(match["mantissa"]):
        size = float(f"{digits}e{exponent or 0}")
        if size not in sizes:
            sizes.append(size)
    return sizes


def _decimals(digits: str) -> list[str]:
    """The same digits with one decimal point, the likeliest reading first."""
    digits = re.sub(r"[ ']", "", digits)
    commas, dots = digits.count(","), digits.count(".")
    if commas and dots:
        last = max(digits.rfind(","), digits.rfind("."))
        return [re.sub(r"[.,]", "", digits[:last]) + "." + digits[last + 1 :]]
    if not commas and not dots:
        return [digits]
    mark = "," if commas else "."
    joined = digits.replace(mark, "")
    if commas + dots > 1:
        return [joined]
    decimal = digits.replace(mark, ".")
    if re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", digits):
        return [joined, decimal] if commas else [decimal, joined]
    return [decimal]


def _ending(suffix: str) -> tuple[Literal["plain", "percent", "degree"], str] | None:
    """Kind and unit told by what follows the digits; None if it makes the whole no number."""
    side = _SIDE.fullmatch(suffix)
    if side:
        return "degree", side[1] or side[2]
    suffix = suffix.strip()
    if not suffix:
        return "plain", ""
    if suffix == "%":
        return "percent", ""
    if suffix == "°":
        return "degree", ""
    scale = re.fullmatch(r"° ?([CFK])", suffix)
    if scale:
        return "plain", "°" + scale[1]
    if _UNIT.fullmatch(suffix) and not re.fullmatch(r"[xX]\d*|[OoQlI]+\d*|[eE]\d*", suffix):
        return "plain", suffix
    return None
