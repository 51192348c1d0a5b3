"""What is chosen by leaving whole groups out: the strength of a form, and how much each of several forms counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from video_understanding.training.closed_form.calibrate import log_loss, temperature

FOLDS = 5
_ROUNDS = 8  # a blend is a mean of so many members, the same one perhaps several times


def group_folds(groups: np.ndarray, targets: np.ndarray, folds: int = FOLDS) -> np.ndarray:
    """int [K]: a fold for each clip, whole groups together, classes spread evenly; always the same for the same clips.

    Args:
        groups: int [K], such as the subject of each clip.
        targets: [K,C], 0 or 1.
        folds: how many, at most one for each group.
    """
    _, numbers = np.unique(groups, return_inverse=True)
    counts = np.zeros((numbers.max() + 1, targets.shape[1] + 1))  # [G,C+1], clips of each class, and all
    np.add.at(counts, numbers, np.column_stack([targets, np.ones(len(targets))]))
    total = counts.sum(axis=0)
    filled = np.zeros((min(folds, len(counts)), counts.shape[1]))
    fold_of_group = np.empty(len(counts), int)
    # The largest groups first, each to where it overfills least; the last column keeps folds of the same size.
    for group in np.argsort(-counts[:, -1], kind="stable"):
        crowded = ((filled + counts[group]) ** 2 / np.maximum(total, 1)).sum(axis=1) - (
            filled**2 / np.maximum(total, 1)
        ).sum(axis=1)
        fold_of_group[group] = int(np.argmin(crowded))
        filled[fold_of_group[group]] += counts[group]
    return fold_of_group[numbers]


def balanced(targets: np.ndarray) -> np.ndarray:
    """float64 [K]: what each clip counts, so that all classes that occur count the same; 1 on average."""
    many = targets.sum(axis=0)  # [C]
    weights = (targets / np.maximum(many, 1)).sum(axis=1)
    return weights * len(targets) / max(weights.sum(), 1e-12)


def judgeable(targets: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """bool [K]: the clips of classes that several groups show; without its group nothing is left of any other class."""
    in_groups = np.array([len(np.unique(groups[column > 0])) for column in targets.T])  # [C]
    return (targets * (in_groups >= 2)).any(axis=1)


def usable_groups(targets: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The groups int [K], or each clip by itself where fewer than two classes could be judged by leaving groups out."""
    if targets[judgeable(targets, groups)].any(axis=0).sum() >= 2:
        return groups
    return np.arange(len(groups))


def best_strength(paths: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[int, float]:
    """Which of the scores [L,K,C] of L strengths has the least log loss, and the temperature at which it has it."""
    found = [temperature(scores, targets, weights) for scores in paths]
    best = int(np.argmin([loss for _, loss in found]))
    return best, found[best][0]


def blend(
    members: Sequence[np.ndarray],
    targets: np.ndarray,
    weights: np.ndarray,
    loss_of: Callable[[np.ndarray, np.ndarray, np.ndarray], float] = log_loss,
) -> np.ndarray:
    """Shares float64 [len(members)] of the mean of logits [K,C] that has the least log loss.

    Begun with all members alike; then one more is added at a time (or the same again), whichever helps most: with few
    clips this overfits less than shares that are fitted freely.
    """
    stacked = np.stack(members)  # [n,K,C]
    counts = np.ones(len(members))
    best = (loss_of(stacked.mean(axis=0), targets, weights), counts)
    for start in [np.ones(len(members)), *np.eye(len(members))]:
        counts = start
        for _ in range(_ROUNDS):
            tried = [counts + one for one in np.eye(len(members))]
            losses = [loss_of(np.tensordot(c / c.sum(), stacked, 1), targets, weights) for c in tried]
            counts = tried[int(np.argmin(losses))]
            loss = min(losses)
            if loss < best[0]:
                best = (loss, counts)
    return best[1] / best[1].sum()
