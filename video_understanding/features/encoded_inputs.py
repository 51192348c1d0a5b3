"""A batch of windows that are encoded already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from video_understanding.scorer import SENSES


@dataclass(frozen=True)
class EncodedInputs:
    """A batch of windows that are encoded already: video tokens [B,T,D], audio tokens [B,S,D'], presence bool [B,2]."""

    picture: np.ndarray
    sound: np.ndarray
    presence: np.ndarray

    def __len__(self) -> int:
        return len(self.presence)

    def without(self, sense: str) -> EncodedInputs:
        """The same windows, said to lack a modality."""
        return EncodedInputs(self.picture, self.sound, self.presence & [other != sense for other in SENSES])
