"""A scorer that remembers what it saw and heard: clips that are measured again and again are encoded once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from video_understanding.scorer import PartwiseScorer, Scores


class RememberingScorer(PartwiseScorer):
    """Gives the very answers of `scorer`, and works out no batch of frames or hops twice."""

    def __init__(self, scorer: PartwiseScorer) -> None:
        self.spec = scorer.spec
        self.labels = scorer.labels
        self.token_shapes = scorer.token_shapes
        self._encoder = self._fuser = scorer
        self._tokens: dict[bytes, np.ndarray] = {}

    def concluding_with(self, scorer: PartwiseScorer) -> RememberingScorer:
        """The same eyes and ears, and all they remember; `scorer` concludes, at a temperature of its own, say."""
        other = RememberingScorer(self._encoder)
        other._fuser, other._tokens = scorer, self._tokens
        return other

    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        """uint8 [n,H,W,3] -> picture tokens float32 [n,D]."""
        return self._once(b"frames", frames, self._encoder.encode_frames)

    def encode_hops(self, hops: np.ndarray) -> np.ndarray:
        """float32 [n,hop_samples] -> sound tokens float32 [n,K,D]."""
        return self._once(b"hops", hops, self._encoder.encode_hops)

    def fuse(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> Scores:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> scores of B windows."""
        return self._fuser.fuse(picture, sound, presence)

    def embed(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> np.ndarray:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> embeddings float32 [B,E]."""
        return self._fuser.embed(picture, sound, presence)

    def _once(self, kind: bytes, given: np.ndarray, encode: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        key = kind + hashlib.blake2b(np.ascontiguousarray(given).data, digest_size=16).digest()
        if key not in self._tokens:
            self._tokens[key] = encode(given)
        return self._tokens[key]
