"""Markup that cannot be broken into: elements from escaped text, and the page around them."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from importlib.resources import files

__all__ = ["Markup", "element", "fixed", "number", "page", "section", "table"]

_VOID = {"meta", "link", "br", "hr", "img", "input", "col"}

#: Characters that have no shape, or turn the direction of what follows: they are shown, not obeyed.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is markup already; every other text is escaped."""

    __slots__ = ()


def element(name: str, /, *children: object, **attributes: object) -> Markup:
    """One element of HTML or SVG.

    Parameters
    ----------
    name : str
    *children : Markup, or anything with a text
        Text is escaped unless it is :class:`Markup`; None is nothing.
    **attributes : str, number or bool
        ``class_`` is class, ``aria_label`` is aria-label; True is an attribute without value, None and False none.

    Returns
    -------
    Markup

    Examples
    --------
    >>> element("p", "a < b", element("b", "!"), class_="note", hidden=True)
    '<p class="note" hidden>a &lt; b<b>!</b></p>'
    """
    said = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        said.append(f" {key}" if value is True else f' {key}="{_escaped(_plain(value))}"')
    opening = f"<{name}{''.join(said)}>"
    if name in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{_joined(children)}</{name}>")


def number(value: float, digits: int = 4) -> str:
    """A number for reading: so many significant digits, a true minus, a dash for NaN.

    Examples
    --------
    >>> number(-1234.5678), number(0.000123456), number(float("nan"))
    ('−1235', '0.0001235', '–')
    """
    if value != value:
        return "–"
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-6 <= abs(value) < 1e9:
        text = f"{value:.0f}" if abs(value) >= 1 else f"{value:.8f}".rstrip("0")
    return text.replace("-", "−")


def fixed(value: float, decimals: int = 2) -> str:
    """A number with so many decimals, for columns; a dash for NaN.

    Examples
    --------
    >>> fixed(-0.0012), fixed(-1.456), fixed(float("nan"))
    ('0.00', '−1.46', '–')
    """
    if value != value:
        return "–"
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[object]], *, numeric: Sequence[int] = ()
) -> Markup:
    """A table with a caption; the first cell of each row heads it, the columns in `numeric` are set right."""
    right = {i: "num" for i in numeric}
    body = [
        element(
            "tr",
            *(
                element("th" if i == 0 else "td", cell, scope="row" if i == 0 else None, class_=right.get(i))
                for i, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    heads = [element("th", text, scope="col", class_=right.get(i)) for i, text in enumerate(head)]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *heads)),
        element("tbody", *body),
    )
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def section(anchor: str, title: str, *children: object) -> Markup:
    """A part of the page with its heading."""
    return element(
        "section", element("h2", title, id=f"{anchor}-title"), *children, id=anchor, aria_labelledby=f"{anchor}-title"
    )


def page(title: str, generator: str, *body: object) -> str:
    """The whole page: nothing is loaded, and only the two blocks that come with geocbar may style and run.

    Parameters
    ----------
    title, generator : str
    *body : Markup

    Returns
    -------
    str
        HTML, to be stored as UTF-8.
    """
    style, script = (_packaged(name) for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hashed(style)}'; script-src '{_hashed(script)}';"
        " base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content=generator),
        element("title", title),
        element("style", Markup(style)),
    )
    whole = element("html", head, element("body", *body, element("script", Markup(script))), lang="en")
    return f"<!DOCTYPE html>\n{whole}\n"


def _packaged(name: str) -> str:
    text = files("geocbar.app").joinpath("static", name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _hashed(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _joined(children: Iterable[object]) -> str:
    return "".join(
        child if isinstance(child, Markup) else _escaped(_plain(child)) for child in children if child is not None
    )


def _plain(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _escaped(text: str) -> str:
    return html.escape(_UNSEEN.sub("\ufffd", text), quote=True)
