"""What a scorer said of the clips that are labelled for one head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from video_understanding.datasets.rows import Row
from video_understanding.errors import VideoUnderstandingError

if TYPE_CHECKING:
    from video_understanding.evaluation.multi_label import MultiLabelAnswers


@dataclass(frozen=True, eq=False, repr=False)
class Answers:
    """Labelled clips and what was said of them.

    classes     names, in the order of the scores
    rows        the K clips
    truth       int64 [K], the place of each clip's label among the classes
    scores      float64 [K,C], probabilities
    """

    classes: tuple[str, ...]
    rows: tuple[Row, ...]
    truth: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        if (
            not self.rows
            or self.truth.shape != (len(self.rows),)
            or self.scores.shape != (len(self.rows), len(self.classes))
        ):
            raise VideoUnderstandingError(
                "answers",
                f"{len(self.rows)} rows, truth {list(self.truth.shape)} and scores {list(self.scores.shape)} "
                f"do not belong together",
                "Give one or more clips, and for each its label and one score for each class.",
            )

    @cached_property
    def said(self) -> np.ndarray:
        """int64 [K], the class with the highest score; of equal ones the first."""
        return self.scores.argmax(axis=1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """float64 [K], the score of what was said."""
        return self.scores.max(axis=1)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        right = int((self.said == self.truth).sum())
        return f"Answers({len(self)} clips, {len(self.classes)} classes, {right} right)"


Told = TypeVar("Told", "Answers", "MultiLabelAnswers")


def join_answers(parts: Sequence[Told]) -> Told:
    """The answers of several evaluations as one, of the same kind; they must be about the same classes."""
    if len({part.classes for part in parts}) != 1:
        raise VideoUnderstandingError(
            "answers", "are about different classes", "Join evaluations of models that have the same labels."
        )
    return type(parts[0])(
        parts[0].classes,
        tuple(row for part in parts for row in part.rows),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )
