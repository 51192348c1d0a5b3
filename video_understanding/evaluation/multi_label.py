"""What an evaluation found for one head of which a clip may show several classes, or none."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from video_understanding.datasets.rows import Row
from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation.calibration import calibration_error
from video_understanding.evaluation.intervals import Interval, bootstrap
from video_understanding.evaluation.metrics import average_precision, share
from video_understanding.evaluation.subjects import (
    SubjectResult,
    SubjectSummary,
    independent_groups,
    subject_names,
    summary_of,
)
from video_understanding.evaluation.text import aligned, between, class_lines, many, percent, wrapped
from video_understanding.prediction import SHOWN_FROM


@dataclass(frozen=True, eq=False, repr=False)
class MultiLabelAnswers:
    """Labelled clips and what was said of them.

    classes     names, in the order of the scores
    rows        the K clips
    truth       bool [K,C], whether each clip shows each class
    scores      float64 [K,C], a probability for each
    """

    classes: tuple[str, ...]
    rows: tuple[Row, ...]
    truth: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        if not self.rows or not self.truth.shape == self.scores.shape == (len(self.rows), len(self.classes)):
            raise VideoUnderstandingError(
                "answers",
                f"{len(self.rows)} rows, truth {list(self.truth.shape)} and scores {list(self.scores.shape)} "
                f"do not belong together",
                "Give one or more clips, and for each a yes or no and a score for each class.",
            )

    @cached_property
    def said(self) -> np.ndarray:
        """bool [K,C], whether each clip was said to show each class."""
        return self.scores >= SHOWN_FROM

    @property
    def exact(self) -> np.ndarray:
        """bool [K], whether all that was said of a clip is right."""
        return (self.said == self.truth).all(axis=1)

    @property
    def decisions(self) -> tuple[np.ndarray, np.ndarray]:
        """Every yes or no as an answer of its own: scores float64 [K*C,2] of yes and of no, and the truth int64 [K*C].

        Calibration of these is that of any two classes: a temperature fitted to them is the head's.
        """
        scores = np.stack([self.scores, 1 - self.scores], axis=-1)  # [K,C,2]
        return scores.reshape(-1, 2), np.where(self.truth, 0, 1).ravel()

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"MultiLabelAnswers({len(self)} clips, {len(self.classes)} classes, {int(self.exact.sum())} all right)"


@dataclass(frozen=True)
class MultiLabelClass:
    """How one class was recognised.

    clips               how many clips show it
    said                how many were said to
    average_precision   mean precision over the clips that show it, going down from the highest score; None if none do
    precision           share of those said that do; None if it was never said
    recall              share of the clips that were found; None if there are none
    f1                  harmonic mean of both, from the counts; None if it neither occurs nor was said
    """

    name: str
    clips: int
    said: int
    average_precision: float | None
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, repr=False)
class MultiLabelReport:
    """Results of one multi-label head over the clips that are labelled for it; shares are from 0 to 1.

    A class is said to be shown where its score is `SHOWN_FROM` or more.

    clips                    how many are labelled, those that show none of the classes as well
    mean_average_precision   mean over the classes that clips show; None if they show none
    accuracy                 share of clips of which every class is right
    uar                      mean over classes of the mean recall of yes and no (balanced accuracy)
    micro_f1                 F1 of all decisions in one; None if no class occurs or was said
    macro_f1                 mean F1 of the classes that clips show or were said; None if there are none
    accuracy_interval        95 %, from drawing the groups again; None where there are too few, or all draws agree
    uar_interval             the same
    group, groups            what was drawn again ("subject", "file" or "subject or file"), and how many there are
    chance_uar               the UAR of always saying the same
    majority_accuracy        the accuracy of always saying the most frequent set of classes
    calibration_error        distance of confidence from being right, over the decisions on every class of every clip
    classes                  the result of each class
    subjects                 results by subject, None where no clip tells one
    answers                  what was said of every clip
    """

    clips: int
    mean_average_precision: float | None
    accuracy: float
    uar: float
    micro_f1: float | None
    macro_f1: float | None
    accuracy_interval: Interval | None
    uar_interval: Interval | None
    group: str
    groups: int
    chance_uar: float
    majority_accuracy: float
    calibration_error: float
    classes: tuple[MultiLabelClass, ...]
    subjects: SubjectSummary | None
    answers: MultiLabelAnswers = field(compare=False)

    @classmethod
    def of(cls, answers: MultiLabelAnswers, seed: int = 0) -> MultiLabelReport:
        """Everything that is told of the answers; the seed is that of the intervals."""
        truth, said = answers.truth, answers.said  # [K,C]
        group_numbers, group = independent_groups(answers.rows)  # [K]
        counts = np.zeros((group_numbers.max() + 1, 4, len(answers.classes)))  # [G,4,C]
        np.add.at(counts, group_numbers, _decisions(truth, said))
        exact = np.zeros((len(counts), 2))  # [G,2], clips that are all right, and clips
        np.add.at(exact, group_numbers, np.stack([answers.exact, np.ones(len(answers))], axis=1))
        classes = _classes(answers)
        sets = Counter(map(bytes, truth))
        return cls(
            clips=len(answers),
            mean_average_precision=_mean([result.average_precision for result in classes]),
            accuracy=float(answers.exact.mean()),
            uar=float(balanced_accuracy(counts.sum(axis=0, keepdims=True))[0]),
            micro_f1=share(2 * (truth & said).sum(), truth.sum() + said.sum()),
            macro_f1=_mean([result.f1 for result in classes]),
            accuracy_interval=bootstrap(exact, lambda sums: sums[:, 0] / sums[:, 1], seed),
            uar_interval=bootstrap(counts, balanced_accuracy, seed),
            group=group,
            groups=len(counts),
            chance_uar=_same_for_all(truth),
            majority_accuracy=max(sets.values()) / len(answers),
            calibration_error=calibration_error(*answers.decisions),
            classes=classes,
            subjects=_by_subject(answers),
            answers=answers,
        )

    def to_dict(self) -> dict[str, Any]:
        """All of it but the single answers, as plain values for JSON."""
        values = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        del values["answers"]
        return {
            **values,
            "accuracy_interval": self.accuracy_interval and list(self.accuracy_interval),
            "uar_interval": self.uar_interval and list(self.uar_interval),
            "classes": [dataclasses.asdict(result) for result in self.classes],
            "subjects": self.subjects and {**dataclasses.asdict(self.subjects), "subjects": self._subject_values()},
        }

    def _subject_values(self) -> list[dict[str, Any]]:
        return [dataclasses.asdict(result) for result in self.subjects.subjects]

    def text(self, name: str) -> str:
        """All of it as text of at most 80 columns, long lists cut short."""
        blocks = [self._overview(name), self._class_lines()]
        if self.subjects:
            blocks.append(self._subject_lines(self.subjects))
        return "\n\n".join("\n".join(block) for block in blocks)

    def _overview(self, name: str) -> list[str]:
        bare = int((~self.answers.truth.any(axis=1)).sum())
        of_subjects = f", {many(len(self.subjects.subjects), 'subject')}" if self.subjects else ""
        return [
            *wrapped(
                f"{name}: {many(self.clips, 'clip')} ({bare} of none), {many(len(self.classes), 'class')}, "
                f"several at once{of_subjects}"
            ),
            *aligned(
                [
                    ["", "%", f"95 %, by {self.group}"],
                    ["mean average precision", percent(self.mean_average_precision), ""],
                    ["all of a clip right", percent(self.accuracy), between(self.accuracy_interval)],
                    ["UAR of yes and no", percent(self.uar), between(self.uar_interval)],
                    ["micro F1", percent(self.micro_f1), ""],
                    ["macro F1", percent(self.macro_f1), ""],
                    ["calibration error", percent(self.calibration_error), ""],
                ]
            ),
            *wrapped(
                f"without looking: {percent(self.chance_uar)} % UAR, {percent(self.majority_accuracy)} % of clips "
                "all right by always saying the most frequent set of classes",
                "  ",
            ),
        ]

    def _class_lines(self) -> list[str]:
        return class_lines(
            self.classes, {"AP": "average_precision", "precision": "precision", "recall": "recall", "F1": "f1"}
        )

    def _subject_lines(self, summary: SubjectSummary) -> list[str]:
        lines = [["by subject", "min", "median", "mean", "max", "std"]]
        lines += [
            [name, *map(percent, (spread.min, spread.median, spread.mean, spread.max, spread.std))]
            for name, spread in (("all of a clip right", summary.accuracy), ("UAR of yes and no", summary.uar))
        ]
        return aligned(lines)

    def __repr__(self) -> str:
        found = f"mAP {percent(self.mean_average_precision)} %, all right {percent(self.accuracy)} %"
        return f"MultiLabelReport({many(self.clips, 'clip')}, {found})"


def balanced_accuracy(counts: np.ndarray) -> np.ndarray:
    """Mean over classes of the mean recall of yes and no, [R], from counts [R,4,C] as `_decisions` gives them.

    Where clips of a class are all yes or all no, the recall of the other is left out.
    """
    right, whole = counts[:, :2], counts[:, 2:]  # [R,2,C]
    recalls = right / np.maximum(whole, 1)
    return (recalls.sum(axis=1) / (whole > 0).sum(axis=1)).mean(axis=1)


def _decisions(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    """float64 [K,4,C] of bool [K,C]: yes and said so, no and said so, yes, no."""
    return np.stack([truth & said, ~truth & ~said, truth, ~truth], axis=1).astype(np.float64)


def _same_for_all(truth: np.ndarray) -> float:
    """What `balanced_accuracy` gives an answer that is the same for every clip: the more frequent one."""
    said = np.broadcast_to(truth.mean(axis=0) >= 0.5, truth.shape)  # [K,C]
    return float(balanced_accuracy(_decisions(truth, said).sum(axis=0, keepdims=True))[0])


def _classes(answers: MultiLabelAnswers) -> tuple[MultiLabelClass, ...]:
    results = []
    for place, name in enumerate(answers.classes):
        truth, said = answers.truth[:, place], answers.said[:, place]  # [K]
        found, clips, claimed = int((truth & said).sum()), int(truth.sum()), int(said.sum())
        results.append(
            MultiLabelClass(
                name,
                clips,
                claimed,
                average_precision=average_precision(answers.scores[:, place], truth),
                precision=share(found, claimed),
                recall=share(found, clips),
                f1=share(2 * found, clips + claimed),
            )
        )
    return tuple(results)


def _by_subject(answers: MultiLabelAnswers) -> SubjectSummary | None:
    names = np.array(subject_names(answers.rows), object)  # [K]
    results = []
    for name in sorted({name for name in names if name is not None}):
        own = names == name  # [K]
        counts = _decisions(answers.truth[own], answers.said[own]).sum(axis=0, keepdims=True)  # [1,4,C]
        accuracy, uar = float(answers.exact[own].mean()), float(balanced_accuracy(counts)[0])
        results.append(SubjectResult(name, int(own.sum()), accuracy, uar))
    return summary_of(results)


def _mean(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return float(np.mean(told)) if told else None
