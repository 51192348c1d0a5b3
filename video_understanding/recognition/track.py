"""One row of scores over time to a label that changes calmly: hysteresis, a least duration, and where it changed."""

from __future__ import annotations

import math

import numpy as np

# Another class takes over as soon as it leads by so much, or has led at all for so many windows.
LEAD = 0.2
STEPS = 3


class Track:
    """Follows which of C classes is on top, window by window.

    A window's answer speaks of its middle: when what is seen changes at a moment, the scores of both classes cross in
    the window that has it in its middle. So a change is placed where they crossed, between two middles, not where it
    was believed. A label that did not last `least_s` is taken back as if it had never been.

    `changes` are (since when, class) in the order of time, and final; until `known_until_s` no other can come.
    """

    def __init__(self, begin_s: float, least_s: float) -> None:
        self.changes: list[tuple[float, int]] = []
        self.known_until_s = begin_s
        self._least_s = least_s
        self._told: int | None = None  # the class of the last change
        self._class: int | None = None  # the one that is believed now, since when, and whether that is final
        self._since_s = begin_s
        self._final = False
        self._doubt_since_s: float | None = None  # since when the believed one does not lead any more
        self._doubts = 0
        self._before: tuple[float, np.ndarray] | None = None  # the middle of the last window, and its scores [C]

    def push(self, middle_s: float, scores: np.ndarray) -> None:
        """The scores [C] of the next window."""
        best = int(np.argmax(scores))
        if self._class is None:
            self._class = best
        if best == self._class:
            self._doubt_since_s, self._doubts = None, 0
        else:
            if self._doubt_since_s is None:
                self._doubt_since_s = max(self._since_s, self._overtaken_s(middle_s, scores, best))
            self._doubts += 1
            if scores[best] - scores[self._class] >= LEAD or self._doubts >= STEPS:
                self._take_over(best, self._doubt_since_s)
        self._before = (middle_s, scores)
        if not self._final and self._doubt_since_s is None and middle_s - self._since_s >= self._least_s:
            self._tell()
        if self._final:
            self.known_until_s = middle_s if self._doubt_since_s is None else self._doubt_since_s
        else:
            self.known_until_s = self._since_s

    def finish(self, end_s: float) -> None:
        """Nothing comes after this moment; what is believed is made final, or taken back if it was too short."""
        is_long = self._told is None or end_s - self._since_s >= self._least_s
        if self._class is not None and not self._final and is_long:
            self._tell()
        self.known_until_s = math.inf

    def _overtaken_s(self, middle_s: float, scores: np.ndarray, best: int) -> float:
        """When the class that leads now came on top, if scores change evenly between two middles."""
        before_s, before = self._before
        lead_before = float(before[self._class] - before[best])
        lead_now = float(scores[best] - scores[self._class])
        return before_s + (middle_s - before_s) * lead_before / (lead_before + lead_now)

    def _take_over(self, best: int, since_s: float) -> None:
        self._doubt_since_s, self._doubts = None, 0
        if self._final:
            self._class, self._since_s, self._final = best, since_s, False
        elif best == self._told:
            self._class, self._final = best, True  # it was only interrupted
        elif self._told is None:
            self._class = best  # what came first was too short: this one began the row
        else:
            # Between two others it was too short, as a mixture of both often is: they meet in its middle.
            self._class, self._since_s = best, (self._since_s + since_s) / 2

    def _tell(self) -> None:
        self.changes.append((self._since_s, self._class))
        self._told, self._final = self._class, True
