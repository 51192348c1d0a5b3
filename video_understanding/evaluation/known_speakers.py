"""Labelled clips scored as adapted to their speakers: by the speakers' own clips, without the labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.rows import Row
from video_understanding.evaluation.evaluate import evaluate_inputs
from video_understanding.evaluation.report import Report
from video_understanding.evaluation.text import many
from video_understanding.features.adapted_scorer import AdaptedScorer
from video_understanding.features.encoded_inputs import EncodedInputs
from video_understanding.features.prepare import from_prepared
from video_understanding.features.speaker_weights import SpeakerWeights
from video_understanding.progress import Bar
from video_understanding.scorer import PartwiseScorer, Scores

_BATCH = 16  # windows


class TokenSource(Protocol):
    """Where tokens of prepared windows come from."""

    def inputs(self, numbers: np.ndarray) -> EncodedInputs:
        """The windows of these numbers [B]."""
        ...

    def sound(self, numbers: np.ndarray) -> np.ndarray:
        """The audio tokens [B,S,D'] alone, zeros where there is no audio."""
        ...


class Encoding:
    """Tokens of prepared clips that are encoded when they are asked for."""

    def __init__(self, scorer: PartwiseScorer, prepared: PreparedClips) -> None:
        self._scorer, self._prepared = scorer, prepared

    def inputs(self, numbers: np.ndarray) -> EncodedInputs:
        """The windows of these numbers [B]."""
        inputs = from_prepared(self._prepared, numbers)
        return EncodedInputs(self._scorer.encode(inputs), inputs.presence)

    def sound(self, numbers: np.ndarray) -> np.ndarray:
        """The audio tokens [B,S,D'] alone, zeros where there is no audio; frames are not read."""
        return self._scorer.encode(from_prepared(self._prepared, numbers, ("audio",)))["audio"]


def evaluate_known_speakers(
    scorer: PartwiseScorer,
    weights: SpeakerWeights,
    prepared: PreparedClips,
    rows: Sequence[Row],
    speakers: np.ndarray,
    source: TokenSource,
    *,
    adapted_by: np.ndarray | None = None,
    without: str | None = None,
    progress: bool | None = None,
    seed: int = 0,
) -> Report:
    """What `evaluate` measures, each clip scored by the model as it is adapted to the clip's speaker.

    Args:
        scorer: what scores tokens.
        weights: the second weights of its bundle.
        prepared: the windows of the rows.
        rows: labelled or not: what adapts has no need of labels.
        speakers: int [rows], whose clip it is, -1 for nobody known.
        source: of the windows' tokens.
        adapted_by: int [rows], by the clips of which of `speakers` the scoring of a clip is adapted, where these are
            halves of speakers; by those of its own speaker if not given.
        without: "video", where that is taken away.
        progress: whether a bar is shown; None shows it on a terminal only.
        seed: of the intervals.
    """
    adapted_by = speakers if adapted_by is None else adapted_by
    clips = clip_statistics(weights, prepared, speakers, source, progress)
    scorers: dict[int, PartwiseScorer] = {-1: scorer}
    for speaker in np.unique(adapted_by[adapted_by >= 0]):
        own = [statistics for row, statistics in clips.items() if speakers[row] == speaker]
        if own:
            transform = weights.normalisation.transform(np.stack(own))
            scorers[int(speaker)] = AdaptedScorer(scorer, weights, transform)
    of_rows = np.array([int(speaker) if int(speaker) in scorers else -1 for speaker in adapted_by], np.int64)

    def inputs_of(numbers: np.ndarray) -> _OfSpeakers:
        tokens = source.inputs(numbers).without(without) if without else source.inputs(numbers)
        return _OfSpeakers(tokens, of_rows[prepared.row_numbers[numbers]], tokens.presence)

    report = evaluate_inputs(
        _BySpeaker(scorer, scorers),
        prepared,
        rows,
        inputs_of,
        batch_size=_BATCH,
        progress=progress,
        seed=seed,
        without=without,
    )
    readable = np.unique(prepared.row_numbers)
    plain = sum(of_rows[row] < 0 and not scorer.labels.keys().isdisjoint(rows[row].labels) for row in readable)
    return dataclasses.replace(report, notes=(*_notes(clips, speakers, int(plain)), *report.notes))


def clip_statistics(
    weights: SpeakerWeights,
    prepared: PreparedClips,
    speakers: np.ndarray,
    source: TokenSource,
    progress: bool | None = None,
) -> dict[int, np.ndarray]:
    """Row -> float32 [P], the mean of its windows' audio statistics, for rows with audio and a known speaker."""
    numbers = np.flatnonzero(speakers[prepared.row_numbers] >= 0)
    numbers = numbers[prepared.presence(numbers, ("audio",))[:, 0]]
    sums: dict[int, np.ndarray] = {}
    with Bar(len(numbers), "Adapting to speakers", "window", shown=progress) as bar:
        for begin in range(0, len(numbers), _BATCH):
            batch = numbers[begin : begin + _BATCH]
            for row, values in zip(
                prepared.row_numbers[batch], weights.audio_statistics(source.sound(batch)), strict=True
            ):
                sums[int(row)] = sums.get(int(row), 0) + values
            bar.update(len(batch))
    windows = np.bincount(prepared.row_numbers[numbers], minlength=len(speakers))
    return {row: total / windows[row] for row, total in sums.items()}


def other_half(speakers: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers for the halves of each speaker's clips, drawn by chance, and for each clip [rows] that of the other half.

    A speaker with a single clip has no other half, and is not adapted to.
    """
    chance = np.random.default_rng(seed)
    halves = np.full(len(speakers), -1)
    for speaker in np.unique(speakers[speakers >= 0]):
        own = chance.permutation(np.flatnonzero(speakers == speaker))
        halves[own] = 2 * speaker + np.arange(len(own)) % 2
    others = np.where(halves >= 0, halves ^ 1, -1)
    return halves, others


@dataclass(frozen=True)
class _OfSpeakers:
    """Windows, by whose scorer each is scored, int [B], and presence bool [B,M]."""

    tokens: EncodedInputs
    speakers: np.ndarray
    presence: np.ndarray

    def __len__(self) -> int:
        return len(self.tokens)


class _BySpeaker:
    """Scores each window by the scorer of its speaker."""

    def __init__(self, scorer: PartwiseScorer, scorers: dict[int, PartwiseScorer]) -> None:
        self.spec, self.labels, self._scorers = scorer.spec, scorer.labels, scorers

    def __call__(self, inputs: _OfSpeakers) -> Scores:
        heads = {head: np.zeros((len(inputs), len(names)), np.float32) for head, names in self.labels.items()}
        for speaker in np.unique(inputs.speakers):
            own = inputs.speakers == speaker
            some = inputs.tokens.some(own)
            found = self._scorers[int(speaker)].fuse(some.tokens, some.presence)
            for head, scores in heads.items():
                scores[own] = found[head]
        return Scores(self.labels, heads)


def _notes(clips: dict[int, np.ndarray], speakers: np.ndarray, plain: int) -> list[str]:
    """To how many speakers it was adapted and by how much, and how many clips were scored without adaptation."""
    counts = np.bincount(speakers[list(clips)]) if clips else np.zeros(1, int)
    counts = counts[counts > 0]
    if not len(counts):
        return ["No speaker is known, or none has audio: scored without adaptation."]
    notes = [
        f"Adapted to {many(len(counts), 'speaker')} by their own clips, without labels: {counts.min()} to "
        f"{counts.max()} clips each, {counts.sum()} in all."
    ]
    return [*notes, f"{many(plain, 'clip')} of unknown speakers scored without adaptation."] if plain else notes
