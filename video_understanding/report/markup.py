"""HTML and SVG as values: whatever was not made here is text, and is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable

_VOID = ("meta", "img", "br", "col")  # elements that hold nothing and are not closed


class Html(str):
    """Text that is HTML already, and stands in a page as it is."""


Inside = str | int | None | Iterable["Inside"]


def tag(name: str, /, *inside: Inside, **attributes: str | float | bool | None) -> Html:
    """An element: `tag("td", "a < b", class_="left")` is `<td class="left">a &lt; b</td>`.

    Children are `Html`, other text (escaped), lists of both, or None. An attribute that is None or False is left
    out; an underscore in its name is a hyphen, one at the end only keeps it from being a Python word.
    """
    told = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{html.escape(_written(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(f"<{name}{told}>" if name in _VOID else f"<{name}{told}>{joined(inside)}</{name}>")


def joined(parts: Inside) -> Html:
    """Several parts as one."""
    if parts is None:
        return Html()
    if isinstance(parts, Html):
        return parts
    if isinstance(parts, (str, int)):
        return Html(html.escape(str(parts)))
    return Html("".join(joined(part) for part in parts))


def _written(value: str | float) -> str:
    """Places in a drawing to a tenth of a pixel: more only makes the page longer."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
