"""What an evaluation measures and writes of a head of any kind."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from video_understanding.evaluation.answers import BaseAnswers
from video_understanding.evaluation.intervals import Interval, accuracy_of_totals, bootstrap
from video_understanding.evaluation.subjects import SubjectSummary, independent_groups, subject_summary
from video_understanding.evaluation.text import NAME_WIDTH, aligned, class_lines, head_of, many, percent, wrapped

_SUBJECTS_SHOWN = 3


@dataclass(frozen=True, repr=False)
class BaseHeadReport(ABC):
    """Results of one head over the clips that are labelled for it; shares are from 0 to 1.

    clips               how many are labelled
    accuracy            share that is right; in a multi-label head, of which every class is right
    uar                 mean recall of the classes that have clips; in a multi-label head, mean over the classes of the
                        mean recall of yes and no (balanced accuracy)
    macro_f1            mean F1 of the classes that have clips or were said; None if there are none
    accuracy_interval   95 %, from drawing the groups again; None where there are too few, or all draws agree
    uar_interval        the same
    group, groups       what was drawn again ("subject", "file" or "subject or file"), and how many there are
    chance_uar          the UAR of always saying the same
    majority_accuracy   the accuracy of always saying the most frequent class, or set of classes
    classes             the result of each class
    subjects            results by subject, None where no clip tells one
    answers             what was said of every clip
    """

    clips: int
    accuracy: float
    uar: float
    macro_f1: float | None
    accuracy_interval: Interval | None
    uar_interval: Interval | None
    group: str
    groups: int
    chance_uar: float
    majority_accuracy: float
    classes: tuple[Any, ...]
    subjects: SubjectSummary | None
    answers: BaseAnswers = field(compare=False)

    # How the text calls accuracy and UAR, and the shares of a class: title -> attribute.
    _MEASURES: ClassVar[tuple[str, str]]
    _CLASS_SHARES: ClassVar[Mapping[str, str]]

    @staticmethod
    def _measured(
        answers: BaseAnswers, counts: np.ndarray, uar_of: Callable[[np.ndarray], np.ndarray], seed: int
    ) -> dict[str, Any]:
        """The fields that are measured alike for every kind.

        `counts` bool [K,...] is what each clip adds to the sums [R,...] of which `uar_of` makes the UAR [R].
        """
        numbers, group = independent_groups(answers.rows)  # [K]
        right = np.stack([answers.right, np.ones(len(answers), bool)], axis=1)[:, :, None]  # [K,2,1]

        def interval(added: np.ndarray, measure: Callable[[np.ndarray], np.ndarray]) -> Interval | None:
            totals = np.zeros((numbers.max() + 1, *added.shape[1:]))  # [G,...]
            np.add.at(totals, numbers, added)
            return bootstrap(totals, measure, seed)

        return {
            "clips": len(answers),
            "accuracy": float(answers.right.mean()),
            "uar": float(uar_of(counts.sum(axis=0, keepdims=True))[0]),
            "accuracy_interval": interval(right, accuracy_of_totals),
            "uar_interval": interval(counts, uar_of),
            "group": group,
            "groups": int(numbers.max()) + 1,
            "subjects": subject_summary(answers, counts, uar_of),
            "answers": answers,
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it but the single answers, as plain values for JSON."""
        values = {entry.name: _plain(getattr(self, entry.name)) for entry in dataclasses.fields(self)}
        del values["answers"]
        return values

    def text(self, name: str) -> str:
        """All of it as text of at most 80 columns, long lists cut short."""
        blocks = [
            self._overview(name),
            class_lines(self.classes, self._CLASS_SHARES),
            self._confusion_lines(),
            self._subject_lines(),
            self._mistake_lines(),
        ]
        return "\n\n".join("\n".join(block) for block in blocks if block)

    @abstractmethod
    def _overview(self, name: str) -> list[str]:
        """What there is, the measures under each other, and what guessing would reach."""

    def _confusion_lines(self) -> list[str]:
        return []  # of a kind in which no class is taken for another

    def _mistake_lines(self) -> list[str]:
        return []

    @property
    def _of_subjects(self) -> str:
        return f", {many(len(self.subjects.subjects), 'subject')}" if self.subjects else ""

    def _subject_lines(self) -> list[str]:
        if not self.subjects:
            return []
        lines = [["by subject", "min", "median", "mean", "max", "std"]]
        lines += [
            [name, *map(percent, (spread.min, spread.median, spread.mean, spread.max, spread.std))]
            for name, spread in zip(self._MEASURES, (self.subjects.accuracy, self.subjects.uar), strict=True)
        ]
        lowest = ", ".join(
            f"{head_of(result.subject, NAME_WIDTH)} {percent(result.accuracy)} % of {many(result.clips, 'clip')}"
            for result in self.subjects.subjects[:_SUBJECTS_SHOWN]
        )
        return [*aligned(lines), *wrapped(f"lowest accuracy: {lowest}", "  ")]

    def __repr__(self) -> str:
        found = f"accuracy {percent(self.accuracy)} %, UAR {percent(self.uar)} %"
        return f"{type(self).__name__}({many(self.clips, 'clip')}, {found})"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
