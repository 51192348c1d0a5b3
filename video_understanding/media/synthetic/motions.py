"""The actions as movements: where the figure is at any time, and when the movement makes a noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ACTIONS: tuple[str, ...] = ("bounce", "grow", "shake", "slide", "spin", "wave")

_PERIOD_S = {  # shortest and longest, so far apart in kind that no two actions differ by tempo alone
    "bounce": (0.50, 0.80),
    "grow": (0.90, 1.40),
    "shake": (0.14, 0.20),
    "slide": (1.30, 2.00),
    "spin": (0.80, 1.30),
    "wave": (0.50, 0.75),
}


@dataclass(frozen=True)
class Pose:
    """The figure at one time, or, where every field is an array, at many.

    `across` runs from -1 (left edge) to 1 (right edge), `up` from 0 (on the ground) to 1 (as high as there is
    room), `angle` is in radians, `wide` and `tall` are factors on the figure's size, and `arm` runs from -1 to 1
    for a raised, waving arm.
    """

    across: np.ndarray | float = 0.0
    up: np.ndarray | float = 0.0
    angle: np.ndarray | float = 0.0
    wide: np.ndarray | float = 1.0
    tall: np.ndarray | float = 1.0
    arm: np.ndarray | float | None = None


@dataclass(frozen=True)
class Motion:
    """One way of doing an action: how fast, from where in its course, which way round, and how far (0..1)."""

    action: str
    period_s: float
    phase: float
    direction: int
    extent: float

    @classmethod
    def drawn(cls, action: str, rng: np.random.Generator, extent: float) -> Motion:
        """A motion of the given action, its tempo and beginning drawn from `rng`."""
        shortest_s, longest_s = _PERIOD_S[action]
        return cls(
            action=action,
            period_s=float(rng.uniform(shortest_s, longest_s)),
            phase=float(rng.uniform()),
            direction=int(rng.choice([-1, 1])),
            extent=extent,
        )

    def turns(self, times_s: np.ndarray | float) -> np.ndarray | float:
        """How many courses of the movement have passed."""
        return times_s / self.period_s + self.phase

    def pose(self, times_s: np.ndarray | float) -> Pose:
        turns = self.turns(times_s)
        swing = np.sin(2 * np.pi * turns)
        if self.action == "bounce":
            part = turns % 1.0
            from_ground_s = np.minimum(part, 1 - part) * self.period_s
            squash = np.exp(-((from_ground_s / 0.05) ** 2))
            return Pose(up=4 * part * (1 - part) * self.extent, wide=1 + 0.22 * squash, tall=1 - 0.28 * squash)
        if self.action == "grow":
            size = 0.92 + 0.36 * self.extent * swing
            return Pose(wide=size, tall=size)
        if self.action == "shake":
            return Pose(across=0.16 * self.extent * swing, angle=0.22 * self.extent * swing)
        if self.action == "slide":
            lean = self.direction * 0.16 * np.cos(2 * np.pi * turns)
            return Pose(across=self.direction * 0.92 * self.extent * swing, angle=lean)
        if self.action == "spin":
            return Pose(angle=self.direction * 2 * np.pi * turns)
        return Pose(arm=self.extent * swing)

    def effort(self, times_s: np.ndarray) -> np.ndarray:
        """float [N], 0..1: how strongly the movement goes on, for the sounds that last."""
        turns = self.turns(times_s)
        if self.action == "slide":
            return np.abs(np.cos(2 * np.pi * turns))
        if self.action == "spin":
            return 0.55 + 0.45 * np.cos(4 * np.pi * turns)
        return 0.5 + 0.5 * np.sin(2 * np.pi * turns)

    def beats_s(self, duration_s: float) -> np.ndarray:
        """float64 [K]: when the movement strikes: on the ground, or at a turning point; empty if it never does."""
        if self.action == "bounce":
            first, step = 0.0, 1.0  # the ground
        elif self.action in ("shake", "wave"):
            first, step = 0.25, 0.5  # the ends of the swing
        else:
            return np.empty(0)
        count = int(duration_s / self.period_s / step) + 3
        beats_s = (first + step * np.arange(count) - self.phase) * self.period_s
        return beats_s[(beats_s >= 0) & (beats_s < duration_s)]
