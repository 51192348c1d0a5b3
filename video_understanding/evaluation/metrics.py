"""Measures of answers against the truth, all from the confusion or the scores.

What cannot be measured is None, never NaN and never a made-up zero: the recall of a class without clips, the
precision of a class that was never said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_SCORE = 1e-7  # float32 tells no smaller score from none; a single zero must not make the log loss infinite


@dataclass(frozen=True)
class ClassResult:
    """How one class was recognised.

    clips       how many clips are of this class
    said        how many were said to be
    precision   share of those said that are; None if it was never said
    recall      share of the clips that were found; None if there are no clips
    f1          harmonic mean of both, from the counts; None if it neither occurs nor was said
    """

    name: str
    clips: int
    said: int
    precision: float | None
    recall: float | None
    f1: float | None


def confusion_counts(truth: np.ndarray, said: np.ndarray, classes: int) -> np.ndarray:
    """int64 [C,C]: clips of the class of each row that were said to be of the class of each column."""
    return np.bincount(truth * classes + said, minlength=classes**2).reshape(classes, classes)


def macro_f1(confusion: np.ndarray) -> float:
    """The mean F1 of the classes that have clips or were said."""
    found = confusion.sum(axis=0) + confusion.sum(axis=1)  # [C]
    return float(np.mean(2 * np.diag(confusion)[found > 0] / found[found > 0]))


def class_results(confusion: np.ndarray, names: tuple[str, ...]) -> tuple[ClassResult, ...]:
    """The result of every class, in the order of the scores."""
    right, clips, said = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return tuple(
        ClassResult(
            name,
            clips=int(clips[place]),
            said=int(said[place]),
            precision=share(right[place], said[place]),
            recall=share(right[place], clips[place]),
            f1=share(2 * right[place], clips[place] + said[place]),
        )
        for place, name in enumerate(names)
    )


def log_loss(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean of -ln(score of the true class), in nats; scores float [K,C]."""
    true_scores = scores[np.arange(len(truth)), truth]  # [K]
    return float(-np.log(np.clip(true_scores, LEAST_SCORE, 1.0)).mean())


def brier(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared distance of the scores [K,C] from certainty of the truth: 0 is perfect, 2 the worst."""
    certain = np.zeros_like(scores)  # [K,C]
    certain[np.arange(len(truth)), truth] = 1.0
    return float(np.square(scores - certain).sum(axis=1).mean())


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float | None:
    """Mean precision over the clips of a class, going down from the highest score; None if there are none.

    `scores` float [K], `truth` bool [K]. Clips of equal scores are taken at once, so that their order is no luck.
    """
    if not truth.any():
        return None
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # [K], the last one of those with equal scores
    found = np.cumsum(truth[order])[last]
    precision = found / (np.flatnonzero(last) + 1)
    return float((np.diff(found, prepend=0) * precision).sum() / truth.sum())


def share(part: int, whole: int) -> float | None:
    """`part` of `whole`; None where there is nothing to have a part of."""
    return float(part / whole) if whole else None
