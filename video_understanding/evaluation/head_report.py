"""What an evaluation found for one head, as values and as text."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from video_understanding.evaluation import metrics
from video_understanding.evaluation.answers import Answers
from video_understanding.evaluation.calibration import Reliability, reliability
from video_understanding.evaluation.intervals import (
    LEAST_GROUPS,
    Interval,
    accuracy_of_totals,
    bootstrap,
    uar_of_totals,
    wilson,
)
from video_understanding.evaluation.metrics import ClassResult
from video_understanding.evaluation.subjects import SubjectSummary, independent_groups, subject_summary
from video_understanding.evaluation.text import (
    NAME_WIDTH,
    WIDTH,
    aligned,
    between,
    class_lines,
    head_of,
    many,
    percent,
    tail_of,
    wrapped,
)

_MISTAKES = 10
_SUBJECTS_SHOWN = 3
_COLUMN_WIDTH = 9
_NO_INTERVAL = f"that takes {LEAST_GROUPS} or more, and results that differ"


@dataclass(frozen=True)
class Mistake:
    """A clip that was taken for something else: where its row was read, its file, and how sure the scorer was."""

    origin: str
    path: str
    true: str
    said: str
    confidence: float

    @property
    def place(self) -> str:
        """Where to look: the line of a table and the file, or in a folder of classes the file alone."""
        return self.path if not self.origin or self.origin.endswith(self.path) else f"{self.origin} {self.path}"


@dataclass(frozen=True, repr=False)
class HeadReport:
    """Results of one head over the clips that are labelled for it; shares are from 0 to 1.

    clips               how many are labelled
    accuracy            share that is right
    uar                 mean recall of the classes that have clips
    macro_f1            mean F1 of the classes that have clips or were said
    accuracy_interval   95 %, from drawing the groups again; None where there are too few, or all draws agree
    uar_interval        the same
    accuracy_wilson     95 %, as if all clips were independent
    group, groups       what was drawn again ("subject", "file" or "subject or file"), and how many there are
    chance_uar          the UAR of always saying the same class
    majority_accuracy   the accuracy of always saying the most frequent class
    log_loss            in nats
    brier               0 is perfect, 2 the worst
    reliability         confidence against accuracy, and the expected calibration error
    classes             the result of each class
    confusion           clips of the class of each row said to be of the class of each column
    subjects            results by subject, None where no clip tells one
    mistakes            the most confident ones
    answers             what was said of every clip
    """

    clips: int
    accuracy: float
    uar: float
    macro_f1: float
    accuracy_interval: Interval | None
    uar_interval: Interval | None
    accuracy_wilson: Interval
    group: str
    groups: int
    chance_uar: float
    majority_accuracy: float
    log_loss: float
    brier: float
    reliability: Reliability
    classes: tuple[ClassResult, ...]
    confusion: tuple[tuple[int, ...], ...]
    subjects: SubjectSummary | None
    mistakes: tuple[Mistake, ...]
    answers: Answers = field(compare=False)

    @classmethod
    def of(cls, answers: Answers, seed: int = 0) -> HeadReport:
        """Everything that is told of the answers; the seed is that of the intervals."""
        confusion = metrics.confusion_counts(answers.truth, answers.said, len(answers.classes))  # [C,C]
        clips = confusion.sum(axis=1)  # [C]
        right = answers.said == answers.truth  # [K]
        group_numbers, group = independent_groups(answers.rows)  # [K]
        totals = np.zeros((group_numbers.max() + 1, 2, len(answers.classes)))  # [G,2,C]
        np.add.at(totals, (group_numbers, 0, answers.truth), right)
        np.add.at(totals, (group_numbers, 1, answers.truth), 1)
        return cls(
            clips=len(answers),
            accuracy=metrics.accuracy(confusion),
            uar=metrics.uar(confusion),
            macro_f1=metrics.macro_f1(confusion),
            accuracy_interval=bootstrap(totals, accuracy_of_totals, seed),
            uar_interval=bootstrap(totals, uar_of_totals, seed),
            accuracy_wilson=wilson(int(right.sum()), len(answers)),
            group=group,
            groups=len(totals),
            chance_uar=1 / int((clips > 0).sum()),
            majority_accuracy=float(clips.max() / clips.sum()),
            log_loss=metrics.log_loss(answers.scores, answers.truth),
            brier=metrics.brier(answers.scores, answers.truth),
            reliability=reliability(answers.confidence, right),
            classes=metrics.class_results(confusion, answers.classes),
            confusion=tuple(map(tuple, confusion.tolist())),
            subjects=subject_summary(answers),
            mistakes=_mistakes(answers),
            answers=answers,
        )

    @property
    def calibration_error(self) -> float:
        """Expected calibration error."""
        return self.reliability.error

    def to_dict(self) -> dict[str, Any]:
        """All of it but the single answers, as plain values for JSON."""
        return {
            entry.name: _plain(getattr(self, entry.name))
            for entry in dataclasses.fields(self)
            if entry.name != "answers"
        }

    def text(self, name: str) -> str:
        """All of it as text of at most 80 columns, long lists cut short."""
        blocks = [self._overview(name), self._class_lines(), self._confusion_lines()]
        if self.subjects:
            blocks.append(self._subject_lines(self.subjects))
        if self.mistakes:
            blocks.append(self._mistake_lines())
        return "\n\n".join("\n".join(block) for block in blocks)

    def _overview(self, name: str) -> list[str]:
        occurring = [result for result in self.classes if result.clips]
        absent = len(self.classes) - len(occurring)
        of_classes = f"{many(len(self.classes), 'class')}" + (f" ({absent} without clips)" if absent else "")
        of_subjects = f", {many(len(self.subjects.subjects), 'subject')}" if self.subjects else ""
        majority = max(self.classes, key=lambda result: result.clips).name
        return [
            f"{name}: {many(self.clips, 'clip')}, {of_classes}{of_subjects}",
            *aligned(
                [
                    ["", "%", f"95 %, by {self.group}", "if clips were independent"],
                    [
                        "accuracy",
                        percent(self.accuracy),
                        between(self.accuracy_interval),
                        between(self.accuracy_wilson),
                    ],
                    ["UAR", percent(self.uar), between(self.uar_interval), ""],
                    ["macro F1", percent(self.macro_f1), "", ""],
                    ["mean confidence", percent(self.reliability.confidence), "", ""],
                    ["calibration error", percent(self.reliability.error), "", ""],
                ]
            ),
            *([] if self.uar_interval else wrapped(f"(no interval by {self.group}: {_NO_INTERVAL})", "  ")),
            *wrapped(f"log loss {self.log_loss:.3f}, Brier score {self.brier:.3f}", "  "),
            *wrapped(
                f"without looking: {percent(self.chance_uar)} % UAR, {percent(self.majority_accuracy)} % accuracy "
                f"by always saying {majority}",
                "  ",
            ),
        ]

    def _class_lines(self) -> list[str]:
        return class_lines(self.classes, {"precision": "precision", "recall": "recall", "F1": "f1"})

    def _confusion_lines(self) -> list[str]:
        names = [result.name for result in self.classes]
        lines = [["is \\ said", *(head_of(name, _COLUMN_WIDTH) for name in names)]]
        lines += [
            [head_of(name, _COLUMN_WIDTH), *map(str, counts)]
            for name, counts in zip(names, self.confusion, strict=True)
        ]
        table = aligned(lines)
        return table if max(map(len, table)) <= WIDTH else self._confused_pairs(names)

    def _confused_pairs(self, names: list[str]) -> list[str]:
        """Too many classes for a matrix: what was taken for what most often."""
        pairs = [
            (count, true, said)
            for true, counts in enumerate(self.confusion)
            for said, count in enumerate(counts)
            if count and true != said
        ]
        pairs.sort(key=lambda pair: -pair[0])
        lines = [["clips", "is", "said"]]
        lines += [[str(count), *(head_of(names[place], 30) for place in (true, said))] for count, true, said in pairs]
        return ["  most often taken for another:", *aligned(lines[: _MISTAKES + 1], words=3)] if pairs else []

    def _subject_lines(self, summary: SubjectSummary) -> list[str]:
        lines = [["by subject", "min", "median", "mean", "max", "std"]]
        lines += [
            [name, *(percent(value) for value in (spread.min, spread.median, spread.mean, spread.max, spread.std))]
            for name, spread in (("accuracy", summary.accuracy), ("UAR", summary.uar))
        ]
        lowest = ", ".join(
            f"{head_of(result.subject, NAME_WIDTH)} {percent(result.accuracy)} % of {many(result.clips, 'clip')}"
            for result in summary.subjects[:_SUBJECTS_SHOWN]
        )
        return [*aligned(lines), *wrapped(f"lowest accuracy: {lowest}", "  ")]

    def _mistake_lines(self) -> list[str]:
        lines = [["sure", "said", "is", "clip"]]
        lines += [
            [percent(mistake.confidence), *(head_of(name, 16) for name in (mistake.said, mistake.true)), mistake.place]
            for mistake in self.mistakes
        ]
        room = WIDTH - 2 - sum(max(len(line[place]) for line in lines) + 2 for place in range(3))
        return [
            f"  the {many(len(lines) - 1, 'mistake')} made with most confidence:",
            *aligned([[*line[:3], tail_of(line[3], room)] for line in lines], words=4),
        ]

    def __repr__(self) -> str:
        return f"HeadReport({many(self.clips, 'clip')}, accuracy {percent(self.accuracy)} %, UAR {percent(self.uar)} %)"


def _mistakes(answers: Answers) -> tuple[Mistake, ...]:
    wrong = np.flatnonzero(answers.said != answers.truth)
    surest = wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:_MISTAKES]
    return tuple(
        Mistake(
            answers.rows[place].origin,
            answers.rows[place].name,
            true=answers.classes[answers.truth[place]],
            said=answers.classes[answers.said[place]],
            confidence=float(answers.confidence[place]),
        )
        for place in surest
    )


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
