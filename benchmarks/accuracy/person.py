"""How people are heard by a model that is used to them: half of a person's clips for that, half to judge by."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from benchmarks.accuracy.senses import SeenScorer
from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.rows import Row
from video_understanding.evaluation import Answers, join_answers
from video_understanding.evaluation.evaluate import evaluate_inputs
from video_understanding.features.prepare import sound_from_prepared
from video_understanding.labels import HEADS
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.personal import last_norm, moments_of


def person_answers(
    model: VideoUnderstandingModel, scorer: SeenScorer, prepared: PreparedClips, rows: Sequence[Row], seed: int
) -> dict[str, Answers]:
    """Head -> answers of the labelled rows, each by the model as it is used to the other half of that person's clips.

    The labels of that half are not looked at. Who has a single clip is left out.
    """
    parts: dict[str, list[Answers]] = {}
    norm = last_norm(model)
    usual = [keras.ops.convert_to_numpy(kept) for kept in (norm.moving_mean, norm.moving_variance)]
    for others, judged in halves(rows, seed):
        heard = np.flatnonzero(np.isin(prepared.row_numbers, others))
        waveform, _ = sound_from_prepared(prepared, heard)  # [n,N]
        own = moments_of(model, waveform, rows[others[0]].subject or "one person")
        for kept, moment in zip((norm.moving_mean, norm.moving_variance), own, strict=True):
            kept.assign(moment)
        report = evaluate_inputs(
            scorer,
            prepared,
            _labelled_only(rows, judged),
            lambda numbers: scorer.inputs(prepared, numbers),
            batch_size=32,
            progress=False,
            seed=0,
        )
        for head, found in report.heads.items():
            parts.setdefault(head, []).append(found.answers)
    for kept, moment in zip((norm.moving_mean, norm.moving_variance), usual, strict=True):
        kept.assign(moment)
    return {head: join_answers(answers) for head, answers in parts.items()}


def halves(rows: Sequence[Row], seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places of the labelled clips of each person in two random halves, each once to get used to and once to judge."""
    labelled = [place for place, row in enumerate(rows) if any(getattr(row, head) for head in HEADS)]
    people: dict[str, list[int]] = {}
    for place in labelled:
        people.setdefault(rows[place].subject or "", []).append(place)
    pairs = []
    for person in sorted(people):
        mixed = np.random.default_rng(seed).permutation(people[person])
        first, second = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
        if len(first):
            pairs += [(first, second), (second, first)]
    return pairs


def _labelled_only(rows: Sequence[Row], places: np.ndarray) -> list[Row]:
    blank = dict.fromkeys(HEADS)
    return [row if place in places else dataclasses.replace(row, **blank) for place, row in enumerate(rows)]
