"""Several folds as one result: the spread over folds, and all clips, each tested once, taken together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation.answers import Answers, join_answers
from video_understanding.evaluation.head_report import HeadReport
from video_understanding.evaluation.multi_label import MultiLabelAnswers, MultiLabelReport
from video_understanding.evaluation.report import Report
from video_understanding.evaluation.subjects import Spread
from video_understanding.evaluation.text import aligned, many, percent
from video_understanding.labels import HEADS


@dataclass(frozen=True, repr=False)
class HeadOverFolds:
    """One head over the folds that have clips labelled for it.

    accuracy, uar, macro_f1, calibration_error   how the folds' values lie apart; None where no fold has one
    mean_average_precision                       the same, of a multi-label head; None for others
    folds                                        how many folds there are
    pooled                                       the result of all folds' clips taken together
    """

    folds: int
    accuracy: Spread
    uar: Spread
    macro_f1: Spread | None
    calibration_error: Spread
    pooled: HeadReport | MultiLabelReport
    mean_average_precision: Spread | None = None

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        spreads = {name: vars(spread).copy() for name, spread in self._spreads().items()}
        return {"folds": self.folds, **spreads, "pooled": self.pooled.to_dict()}

    def text(self, name: str) -> str:
        """All of it as text of at most 80 columns."""
        lines = [[f"{name}, by fold", "mean", "std", "min", "median", "max"]]
        lines += [
            [
                measure.replace("_", " ").replace("uar", "UAR").replace("f1", "F1"),
                *(percent(value) for value in (spread.mean, spread.std, spread.min, spread.median, spread.max)),
            ]
            for measure, spread in self._spreads().items()
        ]
        return "\n".join([*aligned(lines), "", self.pooled.text(f"{name}, {many(self.folds, 'fold')} together")])

    def _spreads(self) -> dict[str, Spread]:
        names = ("accuracy", "uar", "macro_f1", "calibration_error", "mean_average_precision")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


@dataclass(frozen=True, repr=False)
class CrossvalSummary:
    """A cross-validation: each head over the folds, and the folds' overall UAR (the mean over heads)."""

    folds: int
    uar: Spread
    heads: Mapping[str, HeadOverFolds]

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        heads = {head: result.to_dict() for head, result in self.heads.items()}
        return {"folds": self.folds, "overall": {"uar": vars(self.uar).copy()}, "heads": heads}

    def text(self) -> str:
        """All of it as text of at most 80 columns."""
        std = f" (std {percent(self.uar.std)})" if self.uar.std is not None else ""
        first = f"{many(self.folds, 'fold')}: UAR {percent(self.uar.mean)} %{std}, mean over folds and heads"
        return "\n\n".join([first, *(result.text(head) for head, result in self.heads.items())])

    def __repr__(self) -> str:
        return f"CrossvalSummary({many(self.folds, 'fold')}, UAR {percent(self.uar.mean)} %)"


def crossval_summary(reports: Sequence[Report], seed: int = 0) -> CrossvalSummary:
    """Joins the reports of the folds, in which each clip must be tested once; the seed is that of the intervals."""
    if not reports:
        raise VideoUnderstandingError("cross-validation", "has no folds", "Give the report of each fold.")
    heads = {}
    for head in HEADS:
        results = [report.heads[head] for report in reports if head in report.heads]
        if results:
            answers = join_answers([result.answers for result in results])
            _require_once(answers)
            heads[head] = HeadOverFolds(
                folds=len(results),
                accuracy=Spread.of([result.accuracy for result in results]),
                uar=Spread.of([result.uar for result in results]),
                macro_f1=_spread([result.macro_f1 for result in results]),
                calibration_error=Spread.of([result.calibration_error for result in results]),
                pooled=type(results[0]).of(answers, seed),
                mean_average_precision=_spread(
                    [result.mean_average_precision for result in results if isinstance(result, MultiLabelReport)]
                ),
            )
    return CrossvalSummary(len(reports), Spread.of([report.overall.uar for report in reports]), heads)


def _spread(values: Sequence[float | None]) -> Spread | None:
    told = [value for value in values if value is not None]
    return Spread.of(told) if told else None


def _require_once(answers: Answers | MultiLabelAnswers) -> None:
    place, times = Counter(row.place for row in answers.rows).most_common(1)[0]
    if times > 1:
        raise VideoUnderstandingError(
            place[0],
            f"is tested in {times} folds",
            "Give folds that share no clip; taken together, a clip would count several times.",
        )
