"""An export as a scorer: what a SavedModel and a TFLite file have in common, whatever runs their signatures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from video_understanding.errors import BundleError
from video_understanding.labels import EMBEDDING
from video_understanding.scorer import ModelInputs, PartwiseScorer, Scores, Tokens
from video_understanding.signatures import Signatures


class ExportedScorer(PartwiseScorer):
    """Scores by the signatures of the export at `path`, whose names in it are `names`."""

    path: Path
    names: Signatures
    has_embedding: bool  # exports of older versions have none
    make_again: str  # how the export is made anew

    @abstractmethod
    def run(self, signature: str, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs [B,...] by name for B pieces or windows given by name; B may be 0."""

    def encode_pieces(self, modality: str, pieces: np.ndarray) -> np.ndarray:
        """Pieces [n,...] of a modality -> tokens float32 [n,D] or [n,K,D]."""
        (tokens,) = self.run(self.names.encoders[modality], {self.names.pieces[modality]: pieces}).values()
        return tokens

    def fuse(self, tokens: Tokens, presence: np.ndarray) -> Scores:
        """Tokens [B,n,D] of every modality and presence bool [B,M] -> scores of B windows."""
        return self._scores(self.run("fuse", self.names.to_fuse(tokens, presence)))

    def embed(self, tokens: Tokens, presence: np.ndarray) -> np.ndarray:
        """Tokens [B,n,D] of every modality and presence bool [B,M] -> embeddings float32 [B,E]."""
        self._require_embedding()
        return self.run("fuse", self.names.to_fuse(tokens, presence))[EMBEDDING]

    def classify(self, inputs: ModelInputs) -> Scores:
        """Scores of the batch by the signature that does all in one call, as servers and phones use it; for checks."""
        return self._scores(self.run("classify", self.names.whole(inputs)))

    def embed_whole(self, inputs: ModelInputs) -> np.ndarray:
        """The embedding [B,E] of each clip by the signature that does all in one call; for checks."""
        self._require_embedding()
        return self.run("embed", self.names.whole(inputs))[EMBEDDING]

    def _scores(self, outputs: Mapping[str, np.ndarray]) -> Scores:
        return Scores(self.labels, {head: outputs[head] for head in self.labels.heads})

    def _require_embedding(self) -> None:
        if not self.has_embedding:
            raise BundleError(self.path, "has no embedding: it was exported by an older version", self.make_again)
