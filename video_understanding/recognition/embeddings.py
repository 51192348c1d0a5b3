"""The embeddings of a file: one vector for each of its moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Embeddings:
    """What a model joins the modalities of each window into, before any head.

    values   float32 [moments,E]
    times_s  float64 [moments], the middle of each window
    """

    values: np.ndarray
    times_s: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"Embeddings({len(self)} moments of {self.values.shape[-1]} numbers)"
