"""How results are written for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 80
NAME_WIDTH = 24
_CLASSES_SHOWN = 30
_GAP = "  "


def percent(value: float | None) -> str:
    """ "95.8", or "-" for what could not be measured."""
    return "-" if value is None else f"{100 * value:.1f}"


def between(interval: tuple[float, float] | None) -> str:
    """ "91.3 to 98.0", or "-" where there is no interval."""
    return "-" if interval is None else f"{percent(interval[0])} to {percent(interval[1])}"


def many(count: int, what: str) -> str:
    """ "1 clip", "2 clips", "2 classes"."""
    return f"{count} {what}" + ("" if count == 1 else "es" if what.endswith("s") else "s")


def head_of(text: str, width: int) -> str:
    """The text, its end cut off where it is too long."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def tail_of(text: str, width: int) -> str:
    """The text, its beginning cut off where it is too long: of a path the end tells most."""
    return text if len(text) <= width else "…" + text[len(text) - max(width - 1, 0) :]


def aligned(lines: Sequence[Sequence[str]], words: int = 1) -> list[str]:
    """Cells under each other, indented: the first `words` columns begin, and the others end, at the same place."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  "
        + _GAP.join(
            cell.ljust(width) if place < words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def class_lines(classes: Sequence[Any], shares: Mapping[str, str]) -> list[str]:
    """The results of classes under each other; of too many those with the best F1 are left out.

    Each result has a name, how many clips it has and how often it was said, and `shares`: title -> attribute.
    """
    shown = list(classes)
    if len(shown) > _CLASSES_SHOWN:
        shown = sorted(shown, key=lambda result: 2.0 if result.f1 is None else result.f1)[:_CLASSES_SHOWN]
    lines = [["class", "clips", "said", *shares]]
    lines += [
        [
            head_of(result.name, NAME_WIDTH),
            str(result.clips),
            str(result.said),
            *(percent(getattr(result, name)) for name in shares.values()),
        ]
        for result in shown
    ]
    hidden = len(classes) - len(shown)
    return [*aligned(lines), *([f"  (the {many(hidden, 'class')} with the best F1 left out)"] if hidden else [])]


def wrapped(text: str, indent: str = "") -> list[str]:
    """The text in lines of at most `WIDTH` columns, all but the first set in further."""
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)
