"""Places whole groups of clips into parts so that every part gets its share of every class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_DRAWS = 16  # on real sets of 35 to 60 groups this halves the largest miss of a single draw
_GROUPS_DRAWN = 20_000  # in all draws together: with so many groups, one draw comes near enough


def place_groups(counts: np.ndarray, shares: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """The part of every group, int [G]; none of the parts stays empty where there are groups enough.

    counts  int [G,C], how much of each thing a group holds: all its clips in column 0, then classes
    shares  how much of everything each of the P parts should get

    The best of several draws, which differ in the order the groups are placed: the fewest classes
    missing from a part, then the shares nearest to the wanted ones.
    """
    counts = counts[:, counts.sum(axis=0) > 0]  # [G,C], without classes that nobody has
    weights = counts / counts.sum(axis=0)  # [G,C], each group's share of each class
    wanted = np.asarray(shares, dtype=float)[:, None] / sum(shares)  # [P,1]
    best, best_miss = np.empty(0, dtype=int), (np.inf, np.inf)
    for _ in range(max(1, min(_DRAWS, _GROUPS_DRAWN // len(counts)))):
        placed, taken = _draw(weights, wanted, rng)
        miss = ((taken == 0) @ _urgency(weights)).sum(), ((taken - wanted) ** 2 / wanted).sum()
        if miss < best_miss:
            best, best_miss = placed, miss
    return best


def _draw(weights: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One placing: the part of every group, int [G], and each part's share of each class, [P,C].

    Groups are placed one after another, those first that hold much of a class: the large ones and
    those of rare classes, which find no good place later. Each goes where it brings the shares
    nearest to the wanted ones, measured as in a chi-square: relative to the part's wanted share, so
    that small parts are not filled with leftovers. Only when a class has no more groups left than
    there are parts without it, those parts come first.
    """
    # The order is loose, within a factor of two, so that each seed gives another split of its own.
    order = np.argsort(-weights.max(axis=1) * rng.uniform(0.5, 1.0, len(weights)), kind="stable")  # [G]
    placed = np.empty(len(weights), dtype=int)  # [G]
    taken = np.zeros((len(wanted), weights.shape[1]))  # [P,C]
    groups_left = (weights > 0).sum(axis=0)  # [C]
    urgency = _urgency(weights)
    for group in order:
        holds = weights[group] > 0  # [C]
        lacking = taken == 0  # [P,C]
        scarce = holds & (groups_left <= lacking.sum(axis=0))  # [C]
        need = (lacking & scarce) @ urgency  # [P]
        cost = (weights[group] * (weights[group] + 2 * (taken - wanted)) / wanted).sum(axis=1)  # [P]
        cost = np.where(need == need.max(), cost, np.inf)
        placed[group] = rng.choice(np.flatnonzero(cost <= cost.min() + 1e-9))
        taken[placed[group]] += weights[group]
        groups_left -= holds
    return placed, taken


def _urgency(weights: np.ndarray) -> np.ndarray:
    """int [C], how bad it is to miss a class; an empty part is worse than any number of missing classes."""
    classes = weights.shape[1]
    return np.array([classes] + [1] * (classes - 1))
