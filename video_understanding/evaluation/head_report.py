"""What an evaluation found for a head of which a clip shows one class, as values and as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from video_understanding.evaluation import metrics
from video_understanding.evaluation.answers import Answers
from video_understanding.evaluation.base_report import BaseHeadReport
from video_understanding.evaluation.calibration import Reliability, reliability
from video_understanding.evaluation.intervals import LEAST_GROUPS, Interval, uar_of_totals, wilson
from video_understanding.evaluation.text import WIDTH, aligned, between, head_of, many, percent, tail_of, wrapped
from video_understanding.safe_text import one_line

_MISTAKES = 10
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
class HeadReport(BaseHeadReport):
    """Results of a single-label head: those of every head, and these.

    accuracy_wilson     95 %, as if all clips were independent
    log_loss            in nats
    brier               0 is perfect, 2 the worst
    reliability         confidence against accuracy, and the expected calibration error
    confusion           clips of the class of each row said to be of the class of each column
    mistakes            the most confident ones
    """

    accuracy_wilson: Interval
    log_loss: float
    brier: float
    reliability: Reliability
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Mistake, ...]

    _MEASURES = "accuracy", "UAR"
    _CLASS_SHARES: ClassVar[Mapping[str, str]] = {"precision": "precision", "recall": "recall", "F1": "f1"}

    @classmethod
    def of(cls, answers: Answers, seed: int = 0) -> HeadReport:
        """Everything that is told of the answers; the seed is that of the intervals."""
        confusion = metrics.confusion_counts(answers.truth, answers.said, len(answers.classes))  # [C,C]
        clips = confusion.sum(axis=1)  # [C]
        counts = np.zeros((len(answers), 2, len(answers.classes)), bool)  # [K,2,C], right and there
        counts[np.arange(len(answers)), 0, answers.truth] = answers.right
        counts[np.arange(len(answers)), 1, answers.truth] = True
        return cls(
            **cls._measured(answers, counts, uar_of_totals, seed),
            macro_f1=metrics.macro_f1(confusion),
            accuracy_wilson=wilson(int(answers.right.sum()), len(answers)),
            chance_uar=1 / int((clips > 0).sum()),
            majority_accuracy=float(clips.max() / clips.sum()),
            log_loss=metrics.log_loss(answers.scores, answers.truth),
            brier=metrics.brier(answers.scores, answers.truth),
            reliability=reliability(answers.confidence, answers.right),
            classes=metrics.class_results(confusion, answers.classes),
            confusion=tuple(map(tuple, confusion.tolist())),
            mistakes=_mistakes(answers),
        )

    @property
    def calibration_error(self) -> float:
        """Expected calibration error."""
        return self.reliability.error

    def _overview(self, name: str) -> list[str]:
        occurring = [result for result in self.classes if result.clips]
        absent = len(self.classes) - len(occurring)
        of_classes = f"{many(len(self.classes), 'class')}" + (f" ({absent} without clips)" if absent else "")
        majority = max(self.classes, key=lambda result: result.clips).name
        return [
            f"{name}: {many(self.clips, 'clip')}, {of_classes}{self._of_subjects}",
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

    def _mistake_lines(self) -> list[str]:
        if not self.mistakes:
            return []
        lines = [["sure", "said", "is", "clip"]]
        lines += [
            [
                percent(mistake.confidence),
                *(head_of(name, 16) for name in (mistake.said, mistake.true)),
                one_line(mistake.place),
            ]
            for mistake in self.mistakes
        ]
        room = WIDTH - 2 - sum(max(len(line[place]) for line in lines) + 2 for place in range(3))
        return [
            f"  the {many(len(lines) - 1, 'mistake')} made with most confidence:",
            *aligned([[*line[:3], tail_of(line[3], room)] for line in lines], words=4),
        ]


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
