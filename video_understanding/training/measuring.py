"""How a training's model does on the training's clips: by a calibrated scorer, part by part, whole and robust."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from video_understanding.datasets.rows import Row
from video_understanding.datasets.speakers import speaker_numbers
from video_understanding.evaluation import Report, Robustness, evaluate, fit_temperature, logits_of, robustness
from video_understanding.evaluation.evaluate import evaluate_inputs, report_of_scores
from video_understanding.evaluation.known_speakers import evaluate_known_speakers, other_half
from video_understanding.evaluation.robustness import SNRS_DB
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.training.baselines import SimpleFeatures, simple_scores
from video_understanding.training.caching_scorer import CachingScorer
from video_understanding.training.fit import Trained, windows_of
from video_understanding.training.linear import EncodedScorer

_MISTAKES_NEEDED = 5
CONDITIONS = 3 + len(SNRS_DB)  # of `Measuring.robustness`: everything, each modality alone, each noise
BY_ALL = "speaker known, by all their clips"
BY_OTHER_HALF = "speaker known, by the other half"


@dataclass(frozen=True)
class Measuring:
    """A trained model as it is measured: by a scorer with calibrated confidence, on the parts of the training's clips.

    A linear classifier is calibrated by its fit, and its clips are encoded already; of a network, the temperature of
    each head is fitted to the validation part.
    """

    trained: Trained
    scorer: Any
    temperature: dict[str, float]
    seed: int
    progress: bool | None

    @classmethod
    def of(cls, trained: Trained, seed: int, progress: bool | None) -> Measuring:
        if trained.linear is not None:
            scorer = EncodedScorer(trained.model, trained.linear.encoded)
            return cls(trained, scorer, {}, seed, progress)
        seen = CachingScorer(KerasScorer(trained.model).batched)
        first = cls(trained, seen, {}, seed, progress)
        temperature = _temperature(first.report("validation"))
        scorer = seen.fusing_with(KerasScorer(trained.model, temperature).batched)
        return cls(trained, scorer, temperature, seed, progress)

    def report(self, part: str) -> Report | None:
        """How the model does on a part; None where it has no labelled clip.

        The validation part of a linear classifier is all that it learned from, each clip scored by a fit without it.
        """
        trained, linear = self.trained, self.trained.linear
        if part == "validation" and linear is not None:
            return self._scored_report(trained.rows_of("train"), linear.left_out)
        rows = trained.rows_of(part)
        readable = set(trained.prepared.row_numbers.tolist())
        heads = trained.model.labels.keys()
        if all(heads.isdisjoint(row.labels) for place, row in enumerate(rows) if place in readable):
            return None
        if linear is None:
            return evaluate(self.scorer, trained.prepared, rows, seed=self.seed, progress=self.progress)
        return evaluate_inputs(
            self.scorer,
            trained.prepared,
            rows,
            self.scorer.inputs,
            batch_size=64,
            progress=self.progress,
            seed=self.seed,
        )

    def known_speakers(self, part: str) -> dict[str, Report]:
        """A part by the model as adapted to each of its speakers: `BY_ALL` and `BY_OTHER_HALF` -> the report.

        Empty where speaker normalisation helps no head, or the part names no speaker.
        """
        linear = self.trained.linear
        rows = self.trained.rows_of(part)
        speakers = speaker_numbers(rows)
        # Those of other parts are not the part's own clips, though the rows are there.
        speakers[[own != part for own in self.trained.parts]] = -1
        if linear is None or linear.speakers.weights is None or not (speakers >= 0).any():
            return {}
        halves, others = other_half(speakers, self.seed)
        reports = {}
        for name, own, by in ((BY_ALL, speakers, speakers), (BY_OTHER_HALF, halves, others)):
            reports[name] = evaluate_known_speakers(
                self.scorer.of_tokens,
                linear.speakers.weights,
                self.trained.prepared,
                rows,
                own,
                self.scorer,
                adapted_by=by,
                progress=self.progress,
                seed=self.seed,
            )
        return reports

    def simple_baseline(self, simple: SimpleFeatures) -> Report:
        """The test part by a linear classifier on simple features that learned from the same clips as the model."""
        trained = self.trained
        prepared, rows, labels = trained.prepared, trained.rows, trained.model.labels
        learned = np.unique(prepared.row_numbers[windows_of(prepared, rows, trained.parts, "train", labels)])
        scores = simple_scores(simple, rows, learned, labels, trained.model.spec.network.multi_label)
        return self._scored_report(trained.rows_of("test"), scores)

    def _scored_report(self, rows: Sequence[Row], scores: Mapping[str, np.ndarray]) -> Report:
        """The report of rows whose probabilities [rows,C] are known; where they are NaN, the label does not count."""
        known = {head: ~np.isnan(values).any(axis=1) for head, values in scores.items()}  # bool [rows]
        rows = [
            dataclasses.replace(row, labels={head: name for head, name in row.labels.items() if known[head][place]})
            for place, row in enumerate(rows)
        ]
        scored = np.any(list(known.values()), axis=0)  # [rows]
        windows = int(scored[self.trained.prepared.row_numbers].sum())
        return report_of_scores(
            self.scorer, self.trained.prepared, rows, scores, scored, windows=windows, seed=self.seed
        )

    def robustness(self, part: str) -> Robustness:
        """How the model stands the loss of a modality, and noise, on a part."""
        inputs_of = self.scorer.inputs if self.trained.linear is not None else None
        rows = self.trained.rows_of(part)
        return robustness(
            self.scorer, self.trained.prepared, rows, self.seed, progress=self.progress, inputs_of=inputs_of
        )


def _temperature(report: Report | None) -> dict[str, float]:
    """What each head's logits are divided by, so that confidence on the validation part is what it says."""
    if report is None:
        return {}
    temperatures = {}
    for head, result in report.heads.items():
        answers = result.answers
        # Without mistakes nothing tells how sure is too sure: the best temperature would be zero.
        enough = (answers.said != answers.truth).sum() >= _MISTAKES_NEEDED
        scores, truth = answers.decisions
        temperatures[head] = float(fit_temperature(logits_of(scores), truth)) if enough else 1.0
    return temperatures
