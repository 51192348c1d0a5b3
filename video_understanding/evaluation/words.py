"""Retrieval on a table with sentences: what a model with words finds among its clips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.rows import Row
from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation.retrieval import Retrieval
from video_understanding.progress import Bar
from video_understanding.recognition.answers import WindowScorer
from video_understanding.scorer import PartwiseScorer
from video_understanding.words.space import CommonSpace, unit
from video_understanding.words.words_scorer import WordsScorer

_AT_ONCE = 16  # windows encoded together


def evaluate_words(
    scorer: PartwiseScorer,
    space: CommonSpace,
    prepared: PreparedClips,
    rows: Sequence[Row],
    *,
    progress: bool | None = None,
) -> Retrieval:
    """How well the sentences of the rows find their clips, and the clips their sentences.

    Args:
        scorer: encodes the clips.
        space: the words that were learned with it.
        prepared: the windows of all rows; a clip's vector is the mean of its windows'.
        rows: those that `prepared` was made from; rows without sentences take no part.

    Raises:
        VideoUnderstandingError: no clip with a sentence has a modality that words were learned from.
    """
    told = np.array([bool(row.texts) for row in rows], bool)  # [rows]
    numbers = np.flatnonzero(told[prepared.row_numbers])  # of windows, [w]
    windows = WindowScorer(WordsScorer(scorer, space).batched)
    sums = np.zeros((len(rows), space.size), np.float32)
    with Bar(len(numbers), "Embedding", "window", shown=progress) as bar:
        for begin in range(0, len(numbers), _AT_ONCE):
            batch = numbers[begin : begin + _AT_ONCE]
            there = batch[prepared.presence(batch).any(axis=1)]
            if len(there):
                values, _ = windows.embed([prepared[number] for number in there])  # [b,D]
                np.add.at(sums, prepared.row_numbers[there], values)
            bar.update(len(batch))
    found = np.flatnonzero(sums.any(axis=1))  # rows, [K]
    if not len(found):
        cause = f"none of {int(told.sum())} clips with a sentence has {' or '.join(space.clips)}"
        raise VideoUnderstandingError("evaluation", cause, "Give clips of the kind that the model learned words from.")
    texts = [rows[row].texts for row in found]
    owners = np.repeat(np.arange(len(found)), [len(own) for own in texts])  # [N]
    return Retrieval.of(space.embed_texts([text for own in texts for text in own]), unit(sums[found]), owners)
