"""Pictures that come when they come, laid on the grid of instants: which one was shown at each."""

from __future__ import annotations

import math

import numpy as np


class PictureLine:
    """The picture at place p of the grid is the last one that came at or before the instant of p.

    The instant of place p lies p + 1/2 frame intervals after `start_s`. A place is decided as soon as a picture comes
    at or after its instant, or when `decide` says that none will; pictures that come later change nothing. A picture is
    held for at most `hold_s` seconds; places beyond have none.
    """

    def __init__(self, rate_hz: float, start_s: float, hold_s: float) -> None:
        self._rate_hz, self._start_s, self._hold_s = rate_hz, start_s, hold_s
        self._time_s = -math.inf
        self._picture: np.ndarray | None = None
        self.shown: dict[int, tuple[float, np.ndarray]] = {}
        """Place -> when its picture was shown first, and uint8 [H,W,3]."""
        self.next_place = 0
        """The first place that is not decided."""
        self.late = 0
        """Pictures that came after a newer one."""

    @property
    def clock_s(self) -> float:
        """When the newest picture was taken."""
        return self._time_s

    def add(self, picture: np.ndarray, time_s: float) -> None:
        """One more picture, uint8 [H,W,3], which stays the caller's to change."""
        if time_s < self._time_s:
            self.late += 1
            return
        self._decide_before(self._place_from(time_s))
        self._time_s, self._picture = time_s, picture.copy()
        self.decide(time_s)

    def decide(self, until_s: float) -> None:
        """No picture will come that was taken before or at this moment."""
        self._decide_before(self._place_from(math.nextafter(until_s, math.inf)))

    def forget(self, before: int) -> None:
        """Lets go of all places before this one."""
        for place in [place for place in self.shown if place < before]:
            del self.shown[place]
        self.next_place = max(self.next_place, before)

    def _decide_before(self, place: int) -> None:
        if place <= self.next_place:
            return
        if self._picture is not None:
            held_until = self._place_from(math.nextafter(self._time_s + self._hold_s, math.inf))
            for shown in range(self.next_place, min(place, held_until)):
                self.shown[shown] = (self._time_s, self._picture)
        self.next_place = place

    def _place_from(self, time_s: float) -> int:
        """The first place whose instant is not before this moment."""
        if time_s <= self._start_s:
            return 0
        place = max(0, math.ceil((time_s - self._start_s) * self._rate_hz - 0.5))
        # Rounding may have led one too far, either way: what counts are the instants themselves.
        while place > 0 and self._instant_s(place - 1) >= time_s:
            place -= 1
        while self._instant_s(place) < time_s:
            place += 1
        return place

    def _instant_s(self, place: int) -> float:
        return self._start_s + (2 * place + 1) / (2 * self._rate_hz)
