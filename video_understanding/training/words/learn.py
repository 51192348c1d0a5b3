"""Words for a model that was just solved: the common space of its frozen features and the clips' sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from video_understanding.datasets.grouping import group_rows
from video_understanding.evaluation.retrieval import Retrieval
from video_understanding.training.fit import Trained
from video_understanding.training.pooled_clips import pooled_clips
from video_understanding.training.words.fit import WordsFit, fit_words
from video_understanding.words.encoders import installed_encoders
from video_understanding.words.space import CommonSpace, signed_roots, unit

MODALITY = "video"


def learn_words(trained: Trained, seed: int, progress: bool | None = None) -> tuple[WordsFit, dict[str, Any]] | None:
    """The common space of a closed form's clips and their sentences, and the facts of it for the bundle.

    None where no clip that was learned from has a sentence, or the model was trained as a network.
    """
    linear = trained.linear
    learned = _with_texts(trained, "train")
    if linear is None or not len(learned):
        return None
    pooling = linear.encoded.encoders[MODALITY].pooling
    pooled = pooled_clips(linear.encoded, learned, MODALITY, progress)
    statistics, present = pooled.clips, pooled.present
    rows = [trained.rows[row] for row in learned[present]]
    fit = fit_words(
        statistics[:, present],
        [row.texts for row in rows],
        np.array(group_rows(rows)),
        modality=MODALITY,
        pooling=pooling,
        encoders=installed_encoders(),
        seed=seed,
    )
    facts: dict[str, Any] = {
        "clips": fit.clips,
        "sentences": fit.sentences,
        "encoders": [encoder.name for encoder in fit.space.encoders],
        "dimensions": fit.space.size,
        "seconds": round(fit.seconds, 1),
        "validation": fit.left_out.to_dict(),
    }
    test = _with_texts(trained, "test")
    if len(test):
        pooled = pooled_clips(linear.encoded, test, MODALITY, progress)
        statistics, present = pooled.clips, pooled.present
        texts = [trained.rows[row].texts for row in test[present]]
        facts["test"] = _retrieval(fit.space, statistics[0, present], texts).to_dict()
    return fit, facts


def _with_texts(trained: Trained, part: str) -> np.ndarray:
    """int [K]: the readable rows of a part that have sentences."""
    readable = set(trained.prepared.row_numbers.tolist())
    rows = zip(trained.rows, trained.parts, strict=True)
    return np.array([i for i, (row, own) in enumerate(rows) if own == part and row.texts and i in readable], int)


def _retrieval(space: CommonSpace, statistics: np.ndarray, texts: Sequence[Sequence[str]]) -> Retrieval:
    clips = unit(space.clips[MODALITY].projection(signed_roots(statistics)))  # [K,D]
    owners = np.repeat(np.arange(len(texts)), [len(own) for own in texts])
    return Retrieval.of(space.embed_texts([text for own in texts for text in own]), clips, owners)
