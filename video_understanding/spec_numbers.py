"""Validation of the numbers in a spec: exact decimals, whole where they are counts, and within limits."""

from __future__ import annotations

import reprlib
from fractions import Fraction
from typing import Any

import numpy as np

from video_understanding.errors import SpecError

# Limits that no useful model exceeds: larger numbers come from damaged or malicious files.
MOST_FRAMES_HZ = 1000.0
MOST_WINDOW_S = 3600.0
MOST_MEL_WINDOW_S = 1.0
LEAST_POWER, MOST_POWER = 1e-12, 1e6
MOST_CLIP_BYTES = 1 << 31  # of all pictures, or of all sound, of one clip
MOST_TOKENS = 1 << 13  # of one clip and modality: attention needs memory by their square
MOST_MEL_NUMBERS = 1 << 26  # of one hop's spectra, and of the matrix that makes bands of them


def fraction(value: float) -> Fraction:
    """The number by its shortest decimal form: 0.1 means a tenth, not the binary number next to it."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def exact(a: float, b: float | Fraction, what: str, unit: str) -> int:
    """The product, which has to be a whole number of one or more; `what` and `unit` name it in errors."""
    product = fraction(a) * fraction(b)
    if product.denominator != 1 or product < 1:
        raise SpecError(
            what,
            f"gives {float(product):g} {unit}, not a whole number of one or more",
            f"Choose values that give whole {unit}.",
        )
    return int(product)


def at_most(value: int, limit: int, what: str, unit: str) -> None:
    """Refuses a size above the limit; `what` and `unit` name it in errors."""
    if value > limit:
        raise SpecError(what, f"gives {value} {unit}, and {limit} are the most", "Choose smaller values.")


def positive(part: Any, name: str, most: float, least: float = 0.0) -> None:
    """Makes the setting a float, refused where it is no number above zero from `least` to `most`."""
    value = getattr(part, name)
    plain = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not plain or not least <= value <= most or value == 0:  # which NaN is not, either
        allowed = f"from {least:g} to {most:g}" if least else f"above zero and at most {most:g}"
        raise SpecError(name, f"is {reprlib.repr(value)}, not a number {allowed}", "Give such a number.")
    object.__setattr__(part, name, float(value))


def whole(part: Any, name: str, low: int, high: int) -> None:
    """Makes the setting an int, refused where it is no whole number from `low` to `high`."""
    value = getattr(part, name)
    plain = isinstance(value, (int, float, np.integer)) and not isinstance(value, bool)
    if not plain or not low <= value <= high or value != int(value):
        cause = f"is {reprlib.repr(value)}, not a whole number from {low} to {high}"
        raise SpecError(name, cause, "Give such a number.")
    object.__setattr__(part, name, int(value))
