"""Sound that comes in chunks, laid on one grid of samples: gaps stay silent, a drifting clock is followed."""

from __future__ import annotations

import math

import numpy as np

from video_understanding.media.sound import laid_out

# A chunk this far from where the last one ended did not follow it: some were lost, or they come twice.
GAP_S = 0.2
# A clock that is off by so much is corrected: one step of a log-mel. What is less is left, and so is all jitter.
TOLERANCE_S = 0.01
# Over so many seconds of sound the times of chunks are averaged, for a computer tells each a little wrong.
_SETTLE_S = 4.0


class SoundLine:
    """Places chunks by their times where they begin or after a gap, else one after the other.

    A recorder whose clock runs fast gives more samples a second than it says. Then its chunks end ever later than
    their times tell, and as soon as that makes more than `TOLERANCE_S`, so much is dropped at the next border between
    hops, or put in where the clock runs slow. Without drift every sample stays where it is.
    """

    def __init__(self, rate_hz: int, hop_samples: int, start_s: float) -> None:
        self._rate_hz, self._hop, self._start_s = rate_hz, hop_samples, start_s
        self._pieces: list[tuple[int, np.ndarray]] = []  # (number of the first sample, float32 [n])
        self._forgotten = 0
        self._late_s = 0.0  # how much later chunks begin than the sound before them ends, on average
        self.next: int | None = None
        """Number of the sample that would follow; None before the first."""
        self.lost_s = 0.0
        """Sound that came too late, or twice."""
        self.corrected_s = 0.0
        """Sound that was dropped or put in to follow the clock."""

    @property
    def clock_s(self) -> float:
        """Up to when the sound is there."""
        return -math.inf if self.next is None else self._start_s + self.next / self._rate_hz

    @property
    def first(self) -> int | None:
        """Number of the first sample that is kept; None where there is none."""
        return min((number for number, _ in self._pieces), default=None)

    def add(self, samples: np.ndarray, start_s: float) -> None:
        """A chunk float32 [n] that began at this moment."""
        late_s = start_s - self.clock_s
        if late_s > GAP_S:
            self.next, self._late_s = round((start_s - self._start_s) * self._rate_hz), 0.0
        elif late_s < -GAP_S:
            known = min(len(samples), round(-late_s * self._rate_hz))
            self.lost_s += known / self._rate_hz
            samples = samples[known:]
        else:
            weight = min(1.0, len(samples) / self._rate_hz / _SETTLE_S)
            self._late_s += (late_s - self._late_s) * weight
        while len(samples):
            if self.next % self._hop == 0:
                samples = self._follow_clock(samples)
            part = samples[: self._hop - self.next % self._hop]
            self._put(part)
            samples = samples[len(part) :]

    def take(self, first: int, count: int) -> tuple[np.ndarray, tuple[int, int] | None]:
        """float32 [count] from sample number `first` on, zero where there is none; and (first, end) of the rest."""
        return laid_out(self._pieces, first, count)

    def forget(self, before: int) -> None:
        """Lets go of all samples before this one."""
        self._forgotten = max(self._forgotten, before)
        self._pieces = [piece for piece in self._pieces if piece[0] + len(piece[1]) > before]

    def _follow_clock(self, samples: np.ndarray) -> np.ndarray:
        """The rest of a chunk after what the clock is off by was dropped from it, or put in before it."""
        if abs(self._late_s) < TOLERANCE_S:
            return samples
        shift = round(self._late_s * self._rate_hz)
        shift = max(shift, -len(samples))
        self._late_s -= shift / self._rate_hz
        self.corrected_s += abs(shift) / self._rate_hz
        if shift < 0:
            return samples[-shift:]
        self._put(np.resize(samples[:shift][::-1], shift))  # backwards what comes: it joins on without a click
        return samples

    def _put(self, samples: np.ndarray) -> None:
        known = min(len(samples), max(0, self._forgotten - self.next))
        self.lost_s += known / self._rate_hz
        if known < len(samples):
            self._pieces.append((self.next + known, samples[known:].copy()))
        self.next += len(samples)
