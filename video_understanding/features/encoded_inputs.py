"""A batch of windows that are encoded already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from video_understanding.scorer import Tokens, without


@dataclass(frozen=True)
class EncodedInputs:
    """A batch of windows that are encoded already: modality -> tokens float32 [B,n,D], and presence bool [B,M]."""

    tokens: Tokens
    presence: np.ndarray

    def __len__(self) -> int:
        return len(self.presence)

    def without(self, *modalities: str) -> EncodedInputs:
        """The same windows, said to lack these modalities."""
        return EncodedInputs(self.tokens, without(self.presence, list(self.tokens), modalities))

    def some(self, rows: np.ndarray) -> EncodedInputs:
        """The windows of these rows."""
        return EncodedInputs({name: values[rows] for name, values in self.tokens.items()}, self.presence[rows])
