"""JSON from untrusted files: values that Python accepts but that are not allowed are refused as if it were no JSON."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

_DEEPEST = 64  # what is written here is nested less than ten deep
_LONGEST_WHOLE = 19  # digits; longer numbers overflow where they are used


def strict_json(text: str) -> Any:
    """The values of a JSON text.

    Raises:
        ValueError: the text is not JSON, is nested without end, or holds NaN or a number too large to compute with.
    """
    try:
        values = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _refuse_depth(values)
    return values


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:20]} is too large")
    return value


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST_WHOLE:
        raise ValueError(f"the number {digits[:20]}... is too large")
    return int(digits)


def _refuse_depth(values: Any) -> None:
    level = [values]
    for _ in range(_DEEPEST):
        inside = (value.values() if isinstance(value, dict) else value for value in level)
        level = [part for parts in inside if isinstance(parts, (list, type({}.values()))) for part in parts]
        if not level:
            return
    raise ValueError("it is nested too deeply")
