"""A scorer with words: its embeddings lie in the common space, and sentences that nobody labelled can be a head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from video_understanding.errors import BundleError, VideoUnderstandingError
from video_understanding.labels import Labels
from video_understanding.safe_text import has_controls
from video_understanding.scorer import PartwiseScorer, Scores, Tokens
from video_understanding.words.space import CommonSpace, unit

WORDS_HEAD = "words"
NONE_OF_THESE = "none of these"
# Sentences that a label stands in, beside the label itself: what is said of pictures and videos of it.
PHRASINGS = ("{}", "{} .", "a photo of {} .", "a person {} .", "people {} .", "someone is {} .", "a video of {} .")


class WordsScorer(PartwiseScorer):
    """Scores as another scorer gives them, and with `labels` those of the head `words` beside them.

    The probabilities of `words` follow from how much likelier each label describes the window than any other window;
    "none of these" is as likely as a label that says nothing either way.
    """

    def __init__(self, scorer: PartwiseScorer, space: CommonSpace, labels: Sequence[str] | None = None) -> None:
        for modality, project in space.clips.items():
            shape = scorer.token_shapes.get(modality)
            if shape is None or not project.fits(shape):
                raise BundleError("words", f"were learned from other {modality} tokens", "Train again.")
        self.spec, self.token_shapes = scorer.spec, scorer.token_shapes
        self.space = space
        self._scorer = scorer
        self._label_names = labels
        self._texts = None if labels is None else _label_vectors(space, labels)
        head = {} if labels is None else {WORDS_HEAD: (*labels, NONE_OF_THESE)}
        self.labels = Labels({**{name: own for name, own in scorer.labels.items() if name != WORDS_HEAD}, **head})

    @property
    def batched(self) -> WordsScorer:
        """The same scorer, computing in true batches where the one within can."""
        return WordsScorer(self._scorer.batched, self.space, self._label_names)

    def encode_pieces(self, modality: str, pieces: np.ndarray) -> np.ndarray:
        """Pieces [n,...] of a modality -> tokens float32 [n,D] or [n,K,D]."""
        return self._scorer.encode_pieces(modality, pieces)

    def fuse(self, tokens: Tokens, presence: np.ndarray) -> Scores:
        """Tokens [B,n,D] of every modality and presence bool [B,M] -> scores of B windows."""
        heads = dict(self._scorer.fuse(tokens, presence).heads)
        if self._texts is not None:
            heads[WORDS_HEAD] = self.label_scores(self.embed(tokens, presence))
        return Scores(self.labels, heads)

    def embed(self, tokens: Tokens, presence: np.ndarray) -> np.ndarray:
        """Tokens and presence of B windows -> their vectors float32 [B,D] in the common space.

        Zeros for a window without any modality that words were learned from.
        """
        there = dict(zip(tokens, presence.T, strict=True))
        # Window by window: a product of many rows may differ in its last digits from that of one.
        rows = [slice(place, place + 1) for place in range(len(presence))]
        found = [
            self.space.embed_tokens(
                {name: values[row] for name, values in tokens.items()}, {name: own[row] for name, own in there.items()}
            )
            for row in rows
        ]
        return np.concatenate(found) if found else np.zeros((0, self.space.size), np.float32)

    def label_scores(self, windows: np.ndarray) -> np.ndarray:
        """Vectors of windows [B,D] -> probabilities float32 [B,L+1] of the labels and of none of them."""
        calibration, scores = self.space.calibration, np.zeros((len(windows), len(self._texts) + 1), np.float32)
        for place, window in enumerate(windows):
            logits = np.zeros(len(self._texts) + 1, np.float32)  # that of none is 0
            if window.any():
                logits[:-1] = calibration.logits(self._texts @ window[:, None], self._texts)[:, 0]
            else:
                logits[:-1] = -np.inf
            powers = np.exp(logits - logits.max())
            scores[place] = powers / powers.sum()
        return scores


def _label_vectors(space: CommonSpace, labels: Sequence[str]) -> np.ndarray:
    """float32 [L,D]: each label's mean over its phrasings."""
    if not labels:
        raise VideoUnderstandingError("labels", "name nothing", 'Give some, such as "surfing, playing the piano".')
    for name in labels:
        if not name.strip() or has_controls(name):
            raise VideoUnderstandingError(
                "labels", "have an empty one, or one with a line break", "Name each in words."
            )
    if len(set(labels)) != len(labels) or NONE_OF_THESE in labels:
        twice = next((name for name in labels if list(labels).count(name) > 1), NONE_OF_THESE)
        raise VideoUnderstandingError("labels", f"name {twice!r} twice", "Name each label once.")
    return unit(
        np.stack([space.embed_texts([form.format(name) for form in PHRASINGS]).mean(axis=0) for name in labels])
    )
