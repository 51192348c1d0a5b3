"""A scorer that caches tokens: clips that are measured again and again are encoded once."""

from __future__ import annotations

import hashlib

import numpy as np

from video_understanding.scorer import PartwiseScorer, Scores, Tokens


class CachingScorer(PartwiseScorer):
    """Gives the very answers of `scorer`, and encodes no batch of pieces twice."""

    def __init__(self, scorer: PartwiseScorer) -> None:
        self.spec = scorer.spec
        self.labels = scorer.labels
        self.token_shapes = scorer.token_shapes
        self._encoder = self._fuser = scorer
        self._tokens: dict[tuple[str, bytes], np.ndarray] = {}

    def fusing_with(self, scorer: PartwiseScorer) -> CachingScorer:
        """The same encoders and cache; `scorer` fuses, at a temperature of its own, say."""
        other = CachingScorer(self._encoder)
        other._fuser, other._tokens = scorer, self._tokens
        return other

    def encode_pieces(self, modality: str, pieces: np.ndarray) -> np.ndarray:
        """Pieces [n,...] of a modality -> tokens float32 [n,D] or [n,K,D]."""
        key = modality, hashlib.blake2b(np.ascontiguousarray(pieces).data, digest_size=16).digest()
        if key not in self._tokens:
            self._tokens[key] = self._encoder.encode_pieces(modality, pieces)
        return self._tokens[key]

    def fuse(self, tokens: Tokens, presence: np.ndarray) -> Scores:
        """Tokens [B,n,D] of every modality and presence bool [B,M] -> scores of B windows."""
        return self._fuser.fuse(tokens, presence)

    def embed(self, tokens: Tokens, presence: np.ndarray) -> np.ndarray:
        """Tokens [B,n,D] of every modality and presence bool [B,M] -> embeddings float32 [B,E]."""
        return self._fuser.embed(tokens, presence)
