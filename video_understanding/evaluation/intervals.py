"""How sure a result is: 95 % intervals, by counting (Wilson) and by drawing subjects again (bootstrap).

Clips of one subject are alike, so a hundred clips of eight people tell about eight people. The bootstrap therefore
draws whole subjects. Wilson's interval takes every clip for itself, which is right only where clips are independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

LEVEL = 0.95
# Drawing again never leaves the range of what was seen, and that of five holds the truth in fewer than 95 of 100 cases.
LEAST_GROUPS = 6
_RESAMPLES = 4000
_DRAWN_AT_A_TIME = 1_000_000
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


class Interval(NamedTuple):
    """Where the true value is, in 95 of 100 cases."""

    low: float
    high: float


def wilson(right: int, clips: int) -> Interval:
    """The interval of a share, `right` of `clips`, as if all clips were independent."""
    share, weight = right / clips, _Z**2 / clips
    middle = (share + weight / 2) / (1 + weight)
    reach = _Z * math.sqrt(share * (1 - share) / clips + weight / (4 * clips)) / (1 + weight)
    return Interval(max(0.0, middle - reach), min(1.0, middle + reach))


def bootstrap(totals: np.ndarray, measure: Callable[[np.ndarray], np.ndarray], seed: int) -> Interval | None:
    """The interval of a measure of sums over groups, from drawing the groups again with replacement.

    `totals` float [G,...] holds what each group adds; `measure` turns sums [R,...] of R draws into values [R].
    Plain percentiles are too narrow for few groups, so they are moved outwards as Student's t is wider than the normal.
    None with fewer than `LEAST_GROUPS` groups, and where all draws agree: these cannot tell.
    """
    groups = len(totals)
    if groups < LEAST_GROUPS:
        return None
    generator = np.random.default_rng(seed)
    block = max(1, _DRAWN_AT_A_TIME // groups)
    values = []
    for begin in range(0, _RESAMPLES, block):
        draws = min(block, _RESAMPLES - begin)
        drawn = generator.integers(groups, size=(draws, groups)) + groups * np.arange(draws)[:, None]  # [R,G]
        times = np.bincount(drawn.ravel(), minlength=draws * groups).reshape(draws, groups)  # [R,G]
        values.append(
            measure(np.tensordot(times.astype(np.float64), totals, axes=1))
        )  # [R,G]x[G,...] -> [R,...] -> [R]
    values = np.concatenate(values)  # [R]
    if np.ptp(values) < 1e-12:
        return None
    outside = NormalDist().cdf(-_student_t(groups - 1) * math.sqrt(groups / (groups - 1)))
    low, high = np.quantile(values, [outside, 1 - outside])
    return Interval(float(low), float(high))


def accuracy_of_totals(totals: np.ndarray) -> np.ndarray:
    """Accuracy [R] from right answers and clips of each class, [R,2,C]."""
    right, clips = totals.sum(axis=2).T  # [R], [R]
    return right / clips


def uar_of_totals(totals: np.ndarray) -> np.ndarray:
    """Unweighted average recall [R], over the classes each draw has, from right answers and clips, [R,2,C]."""
    right, clips = totals[:, 0], totals[:, 1]  # [R,C]
    return (right / np.maximum(clips, 1)).sum(axis=1) / (clips > 0).sum(axis=1)


def _student_t(freedom: int) -> float:
    """The quantile of Student's t that belongs to the level, by the Cornish-Fisher series."""
    z = _Z
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
