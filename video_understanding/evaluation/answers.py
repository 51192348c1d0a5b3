"""What a scorer said of the clips that are labelled for one head."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from video_understanding.datasets.rows import Row
from video_understanding.errors import VideoUnderstandingError
from video_understanding.prediction import SHOWN_FROM


@dataclass(frozen=True, eq=False, repr=False)
class BaseAnswers(ABC):
    """Labelled clips and what was said of them, for a head of any kind.

    classes     names, in the order of the scores
    rows        the K clips
    truth       what each clip's label says of the classes, in the form of the head's kind
    scores      float64 [K,C], probabilities
    """

    classes: tuple[str, ...]
    rows: tuple[Row, ...]
    truth: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        shape = len(self.rows), len(self.classes)
        if not self.rows or self.scores.shape != shape or self.truth.shape != shape[: self.truth_dimensions]:
            raise VideoUnderstandingError(
                "answers",
                f"{len(self.rows)} rows, truth {list(self.truth.shape)} and scores {list(self.scores.shape)} "
                f"do not belong together",
                "Give one or more clips, and for each its label and one score for each class.",
            )

    @property
    @abstractmethod
    def truth_dimensions(self) -> int:
        """Of `truth`: 1 for [K], 2 for [K,C]."""

    @property
    @abstractmethod
    def right(self) -> np.ndarray:
        """bool [K], whether what was said of a clip is right."""

    @property
    @abstractmethod
    def decisions(self) -> tuple[np.ndarray, np.ndarray]:
        """Every choice between classes: scores float64 [n,c] of what there was to choose from, and the truth int64 [n].

        Calibration is that of these: a temperature fitted to them is the head's.
        """

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} clips, {len(self.classes)} classes, {int(self.right.sum())} right)"


class Answers(BaseAnswers):
    """Answers of a single-label head; `truth` is int64 [K], the place of each clip's label among the classes."""

    truth_dimensions = 1

    @cached_property
    def said(self) -> np.ndarray:
        """int64 [K], the class with the highest score; of equal ones the first."""
        return self.scores.argmax(axis=1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """float64 [K], the score of what was said."""
        return self.scores.max(axis=1)

    @property
    def right(self) -> np.ndarray:
        return self.said == self.truth

    @property
    def decisions(self) -> tuple[np.ndarray, np.ndarray]:
        return self.scores, self.truth


class MultiLabelAnswers(BaseAnswers):
    """Answers of a multi-label head; `truth` is bool [K,C], whether each clip shows each class."""

    truth_dimensions = 2

    @cached_property
    def said(self) -> np.ndarray:
        """bool [K,C], whether each clip was said to show each class."""
        return self.scores >= SHOWN_FROM

    @property
    def right(self) -> np.ndarray:
        """bool [K], whether all that was said of a clip is right."""
        return (self.said == self.truth).all(axis=1)

    @property
    def decisions(self) -> tuple[np.ndarray, np.ndarray]:
        """Every yes or no as a choice of its own: scores [K*C,2] of yes and of no, and the truth [K*C]."""
        scores = np.stack([self.scores, 1 - self.scores], axis=-1)  # [K,C,2]
        return scores.reshape(-1, 2), np.where(self.truth, 0, 1).ravel()


OfOneKind = TypeVar("OfOneKind", bound=BaseAnswers)


def join_answers(parts: Sequence[OfOneKind]) -> OfOneKind:
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
