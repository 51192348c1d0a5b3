"""In what two trainings differ, in words: which setting was what, and is what now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_LETTERS = 40


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A text for each value that differs, such as "settings epochs 20, now 30"; mappings are looked into."""
    told = []
    for name in dict.fromkeys([*before, *now]):
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            told += [f"{name.replace('_', ' ')} {text}" for text in differences(old, new)]
        else:
            told.append(f"{name.replace('_', ' ')} {_short(old)}, now {_short(new)}")
    return told


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else "nothing" if value is None else json.dumps(value)
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
