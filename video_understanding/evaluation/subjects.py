"""Results of each subject by itself: a mean hides the person whom the model does not understand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.datasets.rows import Row, short_names
from video_understanding.evaluation.answers import BaseAnswers


@dataclass(frozen=True)
class Spread:
    """Several values told in five; `std` is that of a sample (n - 1), None for a single value."""

    mean: float
    std: float | None
    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of one or more values."""
        return cls(
            mean=float(np.mean(values)),
            std=float(np.std(values, ddof=1)) if len(values) > 1 else None,
            min=float(np.min(values)),
            median=float(np.median(values)),
            max=float(np.max(values)),
        )


@dataclass(frozen=True)
class SubjectResult:
    """One subject's clips: how many, the share that is right, and the mean recall of the classes it shows."""

    subject: str
    clips: int
    accuracy: float
    uar: float


@dataclass(frozen=True)
class SubjectSummary:
    """The subjects, the least accurate first, and how far they lie apart."""

    subjects: tuple[SubjectResult, ...]
    accuracy: Spread
    uar: Spread


def subject_summary(
    answers: BaseAnswers, counts: np.ndarray, uar_of: Callable[[np.ndarray], np.ndarray]
) -> SubjectSummary | None:
    """Results by subject; None where no clip tells its subject. Clips without a subject are left out.

    `counts` [K,...] is what each clip adds to the sums [R,...] of which `uar_of` makes the UAR [R].
    """
    names = np.array(subject_names(answers.rows), object)  # [K]
    results = []
    for name in sorted({name for name in names if name is not None}):
        own = names == name  # [K]
        uar = float(uar_of(counts[own].sum(axis=0, keepdims=True))[0])
        results.append(SubjectResult(name, int(own.sum()), float(answers.right[own].mean()), uar))
    if not results:
        return None
    results.sort(key=lambda result: result.accuracy)
    return SubjectSummary(
        tuple(results),
        Spread.of([result.accuracy for result in results]),
        Spread.of([result.uar for result in results]),
    )


def subject_names(rows: Sequence[Row]) -> list[str | None]:
    """Each row's subject; where rows of several data sets meet, "S01" of one is told from "S01" of another."""
    sets = short_names(row.root for row in rows)
    many = len(sets) > 1
    return [f"{sets[row.root]}/{row.subject}" if many and row.subject is not None else row.subject for row in rows]


def independent_groups(rows: Sequence[Row]) -> tuple[np.ndarray, str]:
    """int64 [K], the number of each row's subject or, where that is not told, of its file; and what such a group is.

    Spans of one file are no more independent than clips of one subject.
    """
    names = subject_names(rows)
    keys = [("file", row.path) if name is None else ("subject", name) for row, name in zip(rows, names, strict=True)]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    kinds = sorted({kind for kind, _ in keys}, reverse=True)
    return np.array([numbers[key] for key in keys]), " or ".join(kinds)
