"""Which windows of a labelled span become clips: as many as fit, evenly spread, but not without end."""

from __future__ import annotations

import math

MOST_WINDOWS = 8


def window_starts_s(start_s: float, end_s: float, window_s: float) -> list[float]:
    """Where the windows of a span begin, in seconds: one in the middle of a short span, else from end to end.

    A span of about n windows gives n of them, at most `MOST_WINDOWS`; a span shorter than a window gives
    one that begins with it.
    """
    spare_s = end_s - start_s - window_s
    if spare_s <= 0:
        return [start_s]
    many = min(MOST_WINDOWS, math.floor((end_s - start_s) / window_s + 0.5))
    if many == 1:
        return [start_s + spare_s / 2]
    return [start_s + spare_s * number / (many - 1) for number in range(many)]
