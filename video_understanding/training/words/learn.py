"""Words for a model with frozen encoders: the common space of their features and the clips' sentences."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from video_understanding.bundle import Bundle
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.grouping import group_rows
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.rows import Row
from video_understanding.errors import TrainingError
from video_understanding.evaluation.retrieval import Retrieval
from video_understanding.models.load import load_model
from video_understanding.training.encoded_clips import EncodedClips, frozen_encoders
from video_understanding.training.pooled_clips import pooled_clips
from video_understanding.training.words.fit import fit_words
from video_understanding.words.encoders import installed_encoders
from video_understanding.words.space import CommonSpace, signed_roots
from video_understanding.words.words_file import write_words

MODALITY = "video"


@dataclasses.dataclass(frozen=True)
class LearnedWords:
    """A common space, and the facts of it for the bundle."""

    space: CommonSpace
    facts: Mapping[str, Any]


def learn_words(
    encoded: EncodedClips, rows: Sequence[Row], parts: Sequence[str | None], seed: int, progress: bool | None = None
) -> LearnedWords | None:
    """The common space of clips and their sentences; None where no clip that is learned from has one.

    Args:
        encoded: the tokens of all clips.
        rows: what the clips were prepared from.
        parts: of each row "train", which is learned from, "test", which is measured on, or another.
        seed: of all that is random.
        progress: whether a bar is shown; None shows it on a terminal only.
    """
    readable = set(encoded.prepared.row_numbers.tolist())

    def of_part(part: str) -> tuple[np.ndarray, list[Row]]:
        """Statistics [V,K,P] of the part's clips that have sentences and the modality, and their rows [K]."""
        described = [i for i, own in enumerate(parts) if own == part and rows[i].texts and i in readable]
        pooled = pooled_clips(encoded, described, MODALITY, progress)
        kept = [rows[i] for i, there in zip(described, pooled.present, strict=True) if there]
        return pooled.clips[:, pooled.present], kept

    statistics, learned = of_part("train")
    if not learned:
        return None
    fit = fit_words(
        statistics,
        [row.texts for row in learned],
        np.array(group_rows(learned)),
        modality=MODALITY,
        pooling=encoded.encoders[MODALITY].pooling,
        encoders=installed_encoders(),
        seed=seed,
        progress=progress,
    )
    facts: dict[str, Any] = {
        "clips": fit.clips,
        "sentences": fit.sentences,
        "encoders": [encoder.name for encoder in fit.space.encoders],
        "dimensions": fit.space.size,
        "learned": {name: round(share, 2) for name, share in fit.shares.items()},
        "seconds": round(fit.seconds, 1),
        "validation": fit.left_out.to_dict(),
    }
    statistics, tested = of_part("test")
    if tested:
        facts["test"] = _retrieval(fit.space, statistics[0], [row.texts for row in tested]).to_dict()
    return LearnedWords(fit.space, facts)


def add_words(
    bundle: Bundle,
    manifest: Manifest,
    *,
    views: int = 1,
    seed: int = 0,
    cache: ClipCache | None = None,
    progress: bool | None = None,
) -> Bundle:
    """Gives words to a bundle whose encoders are frozen, from other clips than it was trained on; all else stays.

    Args:
        bundle: of a closed form.
        manifest: clips with sentences; those of the split "test" are measured on, and all others learned from.
        views: of the frames, the first of them unchanged.
        seed: of all that is random.
        cache: of prepared clips and tokens.
        progress: whether a bar is shown; None shows it on a terminal only.

    Raises:
        TrainingError: the bundle has no closed form, or no clip has a sentence.
    """
    model = load_model(bundle)
    if model.linear is None:
        raise TrainingError(
            bundle.folder, "is a network, whose tokens are its own", "Give a bundle of the classifier linear."
        )
    cache = cache or ClipCache()
    prepared = cache.prepare(manifest.rows, bundle.spec, progress=progress)
    encoded = EncodedClips(prepared, frozen_encoders(model, views), cache.folder)
    words = learn_words(encoded, manifest.rows, [row.split or "train" for row in manifest.rows], seed, progress)
    if words is None:
        raise TrainingError(manifest.name, "has no clip with a sentence to learn from", "Fill in the column text.")
    write_words(words.space, bundle.folder)
    return bundle.with_facts(words=dict(words.facts))


def _retrieval(space: CommonSpace, statistics: np.ndarray, texts: Sequence[Sequence[str]]) -> Retrieval:
    clips = space.clips[MODALITY].projection(signed_roots(statistics))  # [K,D]
    owners = np.repeat(np.arange(len(texts)), [len(own) for own in texts])
    return Retrieval.of(space.embed_texts([text for own in texts for text in own]), clips, owners)
