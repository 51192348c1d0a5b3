"""How far an export is from its model: the same clips through both, before anybody relies on it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from video_understanding.export.exam import Exam
from video_understanding.export.formats import Format
from video_understanding.exported_scorer import ExportedScorer
from video_understanding.prediction import SHOWN_FROM
from video_understanding.scorer import ModelInputs, PartwiseScorer, Scores

TIE = 0.01  # two classes whose probabilities are nearer than this are both the model's answer
_ROUNDS, _FIRST_ROUNDS = 15, 3


@dataclass(frozen=True)
class Expected:
    """What the model itself gives for the n clips of an exam: scores, and embeddings float32 [n,E]."""

    scores: Scores
    embeddings: np.ndarray

    @classmethod
    def of(cls, scorer: PartwiseScorer, inputs: ModelInputs) -> Expected:
        """Encodes the clips once for both."""
        tokens = scorer.encode(inputs)
        return cls(scorer.fuse(tokens, inputs.presence), scorer.embed(tokens, inputs.presence))


@dataclass(frozen=True)
class Trial:
    """What came out.

    drift      the largest difference of any probability, of parts or whole; NaN if a score is not a number
    changed    how many of the answers name another class, of any head; a tie (see `TIE`) may fall either way
    clips      how many clips there were
    cosine     the lowest cosine similarity of a clip's embedding to the model's own, of parts or whole; NaN likewise
    accuracy   head -> share of labelled clips that the export names rightly
    change     head -> by how much that is more than the model's own
    classes    head -> class -> the same for the clips of one class, where it is not zero
    """

    drift: float
    changed: int
    clips: int
    cosine: float
    accuracy: Mapping[str, float]
    change: Mapping[str, float]
    classes: Mapping[str, Mapping[str, float]]

    def shortfall(self, wanted: Format) -> str:
        """What is wrong with it, in words; empty if it is good enough."""
        found = []
        if not self.drift <= wanted.drift:  # so that NaN falls short
            found.append(f"probabilities differ by up to {self.drift:.2g}, and may by {wanted.drift:g}")
        if self.changed > (1 - wanted.agreement) * self.clips:
            found.append(f"{self.changed} of {self.clips} answers name another class")
        if not self.cosine >= wanted.cosine:
            found.append(f"embeddings are similar to {self.cosine:.3g}, and must be to {wanted.cosine:g}")
        return " and ".join(found)


def compare(
    export: ExportedScorer, expected: Expected, exam: Exam, unknown_below: Mapping[str, float] | None = None
) -> Trial:
    """Tries an export on the exam, of which `expected` is what the model itself gives.

    `unknown_below` tells for heads the confidence below which nobody is told a class: there none can change.
    """
    found = Expected.of(export, exam.inputs)
    told = _shaped(found.scores, expected.scores, len(exam))
    whole = _shaped(export.classify(exam.few), expected.scores, len(exam.few))
    multi = export.spec.network.multi_label
    drift, changed = 0.0, np.zeros(len(exam), bool)
    accuracy, change, classes = {}, {}, {}
    for head, wanted in expected.scores.heads.items():
        apart = [np.abs(scores[head] - wanted[: len(scores[head])]).max(initial=0.0) for scores in (told, whole)]
        drift = float(np.max([drift, *apart]))  # NaN stays NaN
        below = (unknown_below or {}).get(head) or 0.0
        is_told = np.maximum(told[head], wanted).max(axis=1) >= below  # [n], by either of the two
        others = _said(told[head], head in multi) != _said(wanted, head in multi)  # [n,C]
        changed |= (others & _decided(wanted, head in multi)).any(axis=1) & is_told
        if head in exam.truth and exam.truth[head][:, -1].any():
            rows = exam.truth[head]
            right, before = (_right(scores, rows, head in multi) for scores in (told[head], wanted))
            labelled = rows[:, -1] > 0
            accuracy[head] = float(right[labelled].mean())
            change[head] = accuracy[head] - float(before[labelled].mean())
            classes[head] = _by_class(right, before, rows, expected.scores.labels.names(head))
    embedded = (found.embeddings, export.embed_whole(exam.few))
    cosine = float(np.min([least_cosine(one, expected.embeddings[: len(one)]) for one in embedded]))  # NaN stays NaN
    return Trial(drift, int(changed.sum()), len(exam), cosine, accuracy, change, classes)


def least_cosine(found: np.ndarray, expected: np.ndarray) -> float:
    """The lowest cosine similarity of vectors [n,E] to those expected; a vector of zeros should be one."""
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)  # [n]
    equal = (found == expected).all(axis=1)
    cosines = np.divide((found * expected).sum(axis=1), lengths, out=np.zeros(len(found)), where=lengths != 0)
    return float(np.where(equal, 1.0, cosines).min(initial=1.0))


def latency_ms(export: Any, inputs: ModelInputs) -> float:
    """Median milliseconds for one whole clip."""
    one = inputs.some(slice(1))
    times_s = []
    for _ in range(_FIRST_ROUNDS + _ROUNDS):
        begun_s = time.perf_counter()
        export.classify(one)
        times_s.append(time.perf_counter() - begun_s)
    return 1000 * statistics.median(times_s[_FIRST_ROUNDS:])


def _shaped(told: Scores, expected: Scores, clips: int) -> dict[str, np.ndarray]:
    """Head -> scores [clips,C]; no numbers where the export tells something of another shape."""
    return {
        head: told[head] if len(told[head]) == clips else np.full((clips, wanted.shape[1]), np.nan)
        for head, wanted in expected.heads.items()
    }


def _said(scores: np.ndarray, is_multi: bool) -> np.ndarray:
    """Bool [n,C]: the classes that are said of each clip."""
    if is_multi:
        return scores >= SHOWN_FROM
    return np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]


def _decided(scores: np.ndarray, is_multi: bool) -> np.ndarray:
    """Bool [n,C], or [n,1] for all classes: whether the model says it by more than a hair, which any rounding moves."""
    if is_multi:
        return np.abs(scores - SHOWN_FROM) >= TIE / 2
    if scores.shape[1] < 2:
        return np.ones((len(scores), 1), bool)
    second, first = np.sort(scores, axis=1)[:, -2:].T
    return (first - second >= TIE)[:, None]


def _right(scores: np.ndarray, truth: np.ndarray, is_multi: bool) -> np.ndarray:
    """Bool [n]: whether all that is said of a clip [n,C] is so, by truth [n,C+1]."""
    said, shown = _said(scores, is_multi), truth[:, :-1] > 0
    return (said == shown).all(axis=1) if is_multi else (said & shown).any(axis=1)


def _by_class(right: np.ndarray, before: np.ndarray, truth: np.ndarray, names: tuple[str, ...]) -> dict[str, float]:
    """Class -> change of the share of its clips that are right, where there is any."""
    changes = {}
    for place, name in enumerate(names):
        clips = (truth[:, place] > 0) & (truth[:, -1] > 0)
        difference = float(right[clips].mean() - before[clips].mean()) if clips.any() else 0.0
        if difference:
            changes[name] = difference
    return changes
