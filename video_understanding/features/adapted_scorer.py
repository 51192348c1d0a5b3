"""A scorer adapted to one speaker: tokens as before, the audio statistics without the speaker, the second weights."""

from __future__ import annotations

import numpy as np

from video_understanding.bundle import SPEAKER_FILE
from video_understanding.errors import BundleError
from video_understanding.features.probabilities import softmax
from video_understanding.features.speaker_weights import SpeakerWeights
from video_understanding.features.statistics import POOLED_WIDTHS, POOLINGS
from video_understanding.scorer import PartwiseScorer, Scores, Tokens

Transform = tuple[np.ndarray, np.ndarray]  # factor and offset float32 [P] of audio statistics: x * factor + offset


class AdaptedScorer(PartwiseScorer):
    """Scores of windows of one speaker; any scorer encodes them, whatever computes it.

    Heads without second weights, and windows without audio, are scored as the scorer does without adaptation.
    """

    def __init__(self, scorer: PartwiseScorer, weights: SpeakerWeights, transform: Transform) -> None:
        self.spec, self.labels, self.token_shapes = scorer.spec, scorer.labels, scorer.token_shapes
        for name, (mean, _) in weights.standards.items():
            width = self.token_shapes[name][1] * POOLED_WIDTHS[weights.poolings[name]]
            if len(mean) != width:
                raise BundleError(
                    SPEAKER_FILE, f"has {len(mean)} statistics of {name}, the model {width}", "Restore the bundle."
                )
        self._scorer, self._weights, self._transform = scorer, weights, transform

    def encode_pieces(self, modality: str, pieces: np.ndarray) -> np.ndarray:
        """Pieces [n,...] of a modality -> tokens float32 [n,D] or [n,K,D]."""
        return self._scorer.encode_pieces(modality, pieces)

    def fuse(self, tokens: Tokens, presence: np.ndarray) -> Scores:
        """Tokens [B,n,D] of every modality and presence bool [B,M] -> scores of B windows."""
        plain = self._scorer.fuse(tokens, presence)
        heads = {head: np.array(scores, np.float32) for head, scores in plain.heads.items()}
        factor, offset = self._transform
        names = list(tokens)
        for place in np.flatnonzero(presence[:, names.index("audio")]):
            # Window by window: a product of many rows may differ in its last digits from that of one.
            statistics = {
                name: POOLINGS[self._weights.poolings[name]](tokens[name][place : place + 1])[0]
                for name, there in zip(names, presence[place], strict=True)
                if there
            }
            statistics["audio"] = statistics["audio"] * factor + offset
            for head, forms in self._weights.heads.items():
                if tuple(statistics) in forms:
                    heads[head][place] = softmax(self._weights.logits(head, statistics))
        return Scores(self.labels, heads)

    def embed(self, tokens: Tokens, presence: np.ndarray) -> np.ndarray:
        """The embeddings float32 [B,E] without adaptation, so that those of all speakers can be compared."""
        return self._scorer.embed(tokens, presence)
