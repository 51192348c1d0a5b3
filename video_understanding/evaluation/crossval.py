"""Several folds as one result: the spread over folds, and all clips, each tested once, taken together."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation.answers import BaseAnswers, join_answers
from video_understanding.evaluation.base_report import BaseHeadReport
from video_understanding.evaluation.data_study import DataStudy
from video_understanding.evaluation.report import Overall, Report
from video_understanding.evaluation.robustness import Robustness
from video_understanding.evaluation.subjects import Spread
from video_understanding.evaluation.text import aligned, many, percent


@dataclass(frozen=True)
class FoldResult:
    """One head in one fold, counted from 1: on how many clips of how many subjects, and what was measured.

    What a head of this kind does not have is None.
    """

    fold: int
    clips: int
    group: str
    groups: int
    accuracy: float
    uar: float
    macro_f1: float | None
    calibration_error: float
    mean_average_precision: float | None = None

    @classmethod
    def of(cls, fold: int, result: BaseHeadReport) -> FoldResult:
        """What of a fold's result stands beside that of the others."""
        own = (field.name for field in dataclasses.fields(cls) if field.name != "fold")
        return cls(fold, **{name: getattr(result, name, None) for name in own})


@dataclass(frozen=True, repr=False)
class HeadOverFolds:
    """One head over the folds that have clips labelled for it.

    accuracy, uar, macro_f1, calibration_error   how the folds' values lie apart; None where no fold has one
    mean_average_precision                       the same, of a multi-label head; None for others
    folds                                        how many folds there are
    by_fold                                      the result of each
    pooled                                       the result of all folds' clips taken together
    """

    folds: int
    accuracy: Spread
    uar: Spread
    macro_f1: Spread | None
    calibration_error: Spread
    pooled: BaseHeadReport
    mean_average_precision: Spread | None = None
    by_fold: tuple[FoldResult, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        spreads = {name: vars(spread).copy() for name, spread in self._spreads().items()}
        by_fold = [vars(result).copy() for result in self.by_fold]
        return {"folds": self.folds, **spreads, "by_fold": by_fold, "pooled": self.pooled.to_dict()}

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
    """A cross-validation.

    uar         the folds' overall UAR, the mean over heads
    heads       each head over the folds
    together    all folds' clips as one report
    robustness  the same under each condition, if that was measured
    conditions  condition -> head -> its UAR over the folds
    baselines   method -> head -> its UAR over the same folds
    speaker_known   by which clips the model is adapted to each speaker -> head -> its UAR over the same folds
    warnings    why the numbers may be too good, in words that name no clip
    study       what the clips say of themselves, where they were learned from in closed form
    """

    folds: int
    uar: Spread
    heads: Mapping[str, HeadOverFolds]
    together: Report
    robustness: Robustness | None = None
    conditions: Mapping[str, Mapping[str, Spread]] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, Spread]] = field(default_factory=dict)
    speaker_known: Mapping[str, Mapping[str, Spread]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    study: DataStudy | None = None

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        return {
            "folds": self.folds,
            "overall": {"uar": vars(self.uar).copy()},
            "notes": list(self.together.notes),
            "heads": {head: result.to_dict() for head, result in self.heads.items()},
            **({"robustness": self.robustness.to_dict()} if self.robustness else {}),
            **({"uar_by_condition": _plain(self.conditions)} if self.conditions else {}),
            **({"baselines": _plain(self.baselines)} if self.baselines else {}),
            **({"speaker_known": _plain(self.speaker_known)} if self.speaker_known else {}),
            **({"warnings": list(self.warnings)} if self.warnings else {}),
            **({"learning_curve": self.study.curve_dict()} if self.study else {}),
            **({"doubtful_labels": self.study.doubtful_dict()} if self.study else {}),
        }

    def text(self) -> str:
        """All of it as text of at most 80 columns."""
        std = f" (std {percent(self.uar.std)})" if self.uar.std is not None else ""
        first = f"{many(self.folds, 'fold')}: UAR {percent(self.uar.mean)} %{std}, mean over folds and heads"
        heads = (result.text(head) for head, result in self.heads.items())
        baselines = [self._baseline_text()] if self.baselines or self.speaker_known else []
        more = [part.text() for part in (self.robustness, self.study) if part]
        return "\n\n".join([first, *baselines, *heads, *more])

    def _baseline_text(self) -> str:
        """This training beside guessing, simpler methods and known speakers, UAR of each head over the same folds."""
        heads = list(self.heads)
        own = {head: result.uar for head, result in self.heads.items()}
        chance = {head: getattr(result.pooled, "chance_uar", None) for head, result in self.heads.items()}
        lines = [["UAR %, mean of the folds", *heads]]
        lines += [["guessing", *("-" if chance[head] is None else percent(chance[head]) for head in heads)]]
        for name, found in (*self.baselines.items(), ("this training", own), *self.speaker_known.items()):
            lines.append([name, *(percent(found[head].mean) if head in found else "-" for head in heads)])
        return "\n".join(aligned(lines))

    def __repr__(self) -> str:
        return f"CrossvalSummary({many(self.folds, 'fold')}, UAR {percent(self.uar.mean)} %)"


def crossval_summary(
    reports: Sequence[Report],
    seed: int = 0,
    robust: Sequence[Robustness] = (),
    baselines: Mapping[str, Sequence[Report]] | None = None,
    speaker_known: Mapping[str, Sequence[Report]] | None = None,
) -> CrossvalSummary:
    """Joins the reports of the folds, in which each clip must be tested once; the seed is that of the intervals.

    `robust` holds how each fold's model stands the loss of a modality, and noise, if that was measured, `baselines` the
    reports of simpler methods on the same folds, `speaker_known` those of the model adapted to each speaker.
    """
    if not reports:
        raise VideoUnderstandingError("cross-validation", "has no folds", "Give the report of each fold.")
    together = _together(reports, seed)
    heads = {}
    for head, pooled in together.heads.items():
        results = {fold: report.heads[head] for fold, report in enumerate(reports, start=1) if head in report.heads}
        by_fold = tuple(FoldResult.of(fold, result) for fold, result in results.items())
        heads[head] = HeadOverFolds(
            folds=len(by_fold),
            accuracy=Spread.of([result.accuracy for result in by_fold]),
            uar=Spread.of([result.uar for result in by_fold]),
            macro_f1=_spread([result.macro_f1 for result in by_fold]),
            calibration_error=Spread.of([result.calibration_error for result in by_fold]),
            pooled=pooled,
            mean_average_precision=_spread([result.mean_average_precision for result in by_fold]),
            by_fold=by_fold,
        )
    conditions = {
        name: _together([one.reports[name] for one in robust], seed) for name in (robust[0].reports if robust else ())
    }
    return CrossvalSummary(
        len(reports),
        Spread.of([report.overall.uar for report in reports]),
        heads,
        together,
        Robustness(conditions) if conditions else None,
        {name: _over_folds([one.reports[name] for one in robust]) for name in conditions},
        {name: _over_folds(own) for name, own in (baselines or {}).items()},
        {name: _over_folds(own) for name, own in (speaker_known or {}).items()},
    )


def _over_folds(reports: Sequence[Report]) -> dict[str, Spread]:
    """Head -> its UAR over the folds that have clips labelled for it."""
    heads = dict.fromkeys(head for report in reports for head in report.heads)
    return {head: Spread.of([report.heads[head].uar for report in reports if head in report.heads]) for head in heads}


def _plain(found: Mapping[str, Mapping[str, Spread]]) -> dict[str, dict[str, dict[str, float | None]]]:
    return {name: {head: vars(spread).copy() for head, spread in heads.items()} for name, heads in found.items()}


def _together(reports: Sequence[Report], seed: int) -> Report:
    """All clips of several reports as one."""
    heads = {}
    for head in dict.fromkeys(head for report in reports for head in report.heads):
        results = [report.heads[head] for report in reports if head in report.heads]
        answers = join_answers([result.answers for result in results])
        _require_once(answers)
        heads[head] = type(results[0]).of(answers, seed)
    overall = Overall.of(heads, sum(report.overall.clips for report in reports))
    notes = tuple(dict.fromkeys(note for report in reports for note in report.notes))
    return Report(heads, overall, sum(report.windows for report in reports), reports[0].without, notes)


def _spread(values: Sequence[float | None]) -> Spread | None:
    told = [value for value in values if value is not None]
    return Spread.of(told) if told else None


def _require_once(answers: BaseAnswers) -> None:
    place, times = Counter(row.place for row in answers.rows).most_common(1)[0]
    if times > 1:
        raise VideoUnderstandingError(
            place[0],
            f"is tested in {times} folds",
            "Give folds that share no clip; taken together, a clip would count several times.",
        )
