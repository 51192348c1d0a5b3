"""What an evaluation found for one head of which a clip may show several classes, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from video_understanding.evaluation.answers import MultiLabelAnswers
from video_understanding.evaluation.base_report import BaseHeadReport
from video_understanding.evaluation.calibration import calibration_error
from video_understanding.evaluation.metrics import ClassResult, average_precision, share
from video_understanding.evaluation.text import aligned, between, many, percent, wrapped


@dataclass(frozen=True)
class MultiLabelClass(ClassResult):
    """How one class was recognised; "of this class" are the clips that show it.

    average_precision   mean precision over the clips that show it, going down from the highest score; None if none do
    """

    average_precision: float | None


@dataclass(frozen=True, repr=False)
class MultiLabelReport(BaseHeadReport):
    """Results of a multi-label head: those of every head, and these.

    A class is said to be shown where its score is `SHOWN_FROM` or more. Clips that show none of the classes count, too.

    mean_average_precision   mean over the classes that clips show; None if they show none
    micro_f1                 F1 of all decisions in one; None if no class occurs or was said
    calibration_error        distance of confidence from being right, over the decisions on every class of every clip
    """

    mean_average_precision: float | None
    micro_f1: float | None
    calibration_error: float

    _MEASURES = "all of a clip right", "UAR of yes and no"
    _CLASS_SHARES: ClassVar[Mapping[str, str]] = {
        "AP": "average_precision",
        "precision": "precision",
        "recall": "recall",
        "F1": "f1",
    }

    @classmethod
    def of(cls, answers: MultiLabelAnswers, seed: int = 0) -> MultiLabelReport:
        """Everything that is told of the answers; the seed is that of the intervals."""
        truth, said = answers.truth, answers.said  # [K,C]
        classes = _classes(answers)
        return cls(
            **cls._measured(answers, _decisions(truth, said), balanced_accuracy, seed),
            mean_average_precision=_mean([result.average_precision for result in classes]),
            micro_f1=share(2 * (truth & said).sum(), truth.sum() + said.sum()),
            macro_f1=_mean([result.f1 for result in classes]),
            chance_uar=_same_for_all(truth),
            majority_accuracy=max(Counter(map(bytes, truth)).values()) / len(answers),
            calibration_error=calibration_error(*answers.decisions),
            classes=classes,
        )

    def _overview(self, name: str) -> list[str]:
        bare = int((~self.answers.truth.any(axis=1)).sum())
        return [
            *wrapped(
                f"{name}: {many(self.clips, 'clip')} ({bare} of none), {many(len(self.classes), 'class')}, "
                f"several at once{self._of_subjects}"
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


def balanced_accuracy(counts: np.ndarray) -> np.ndarray:
    """Mean over classes of the mean recall of yes and no, [R], from counts [R,4,C] as `_decisions` gives them.

    Where clips of a class are all yes or all no, the recall of the other is left out.
    """
    right, whole = counts[:, :2], counts[:, 2:]  # [R,2,C]
    recalls = right / np.maximum(whole, 1)
    return (recalls.sum(axis=1) / (whole > 0).sum(axis=1)).mean(axis=1)


def _decisions(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    """bool [K,4,C] of bool [K,C]: yes and said so, no and said so, yes, no."""
    return np.stack([truth & said, ~truth & ~said, truth, ~truth], axis=1)


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


def _mean(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return float(np.mean(told)) if told else None
