"""How people are heard by a model that is used to them: half of a person's clips for that, half to judge by."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from benchmarks.accuracy.senses import KnownScorer
from video_understanding.clip import SILENCE_PEAK
from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.rows import Row
from video_understanding.evaluation import Answers, join_answers
from video_understanding.evaluation.evaluate import evaluate_inputs
from video_understanding.features.prepare import sound_from_prepared
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.personal import last_norm, moments_with_usual


def person_answers(
    model: VideoUnderstandingModel,
    scorer: KnownScorer,
    prepared: PreparedClips,
    heard: np.ndarray,
    rows: Sequence[Row],
    seed: int,
) -> dict[str, Answers]:
    """Head -> answers of the labelled rows, each by the model as it is used to the other half of that person's clips.

    `heard` [windows,M,S,C] is what the listener heard in the prepared clips. The labels of the other half are not
    looked at. Who has a single clip is left out.
    """
    parts: dict[str, list[Answers]] = {}
    norm = last_norm(model)
    usual = [keras.ops.convert_to_numpy(kept) for kept in (norm.moving_mean, norm.moving_variance)]
    for others, judged in halves(rows, seed):
        numbers = np.flatnonzero(np.isin(prepared.row_numbers, others))
        own = moments_with_usual(model, heard[numbers][loud_hops(prepared, numbers)])
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
    labelled = [place for place, row in enumerate(rows) if row.labels]
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


def loud_hops(prepared: PreparedClips, numbers: np.ndarray) -> np.ndarray:
    """bool [n,M]: the hops of n windows in which there is more than silence."""
    waveform, _ = sound_from_prepared(prepared, numbers)  # [n,N]
    hops = waveform.reshape(len(numbers), -1, prepared.spec.audio.hop_samples)  # [n,M,hop]
    return np.abs(hops).max(axis=2) >= SILENCE_PEAK


def _labelled_only(rows: Sequence[Row], places: np.ndarray) -> list[Row]:
    return [row if place in places else dataclasses.replace(row, labels={}) for place, row in enumerate(rows)]
