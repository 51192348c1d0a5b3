"""Gain: the whole sound louder or softer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.augment.augmentation import (
    Augmentation,
    Parameters,
    Range,
    drawn_uniformly,
    require_range,
)
from video_understanding.datasets.augment.sound import with_sound


@dataclass(frozen=True)
class Gain(Augmentation):
    """Multiplies the sound by a level in dB; values outside [-1, 1] are clipped, as in a recorder."""

    gain_db: Range = (-12.0, 6.0)

    def __post_init__(self) -> None:
        require_range(self, "gain_db")

    def draw(self, _clip: Clip, generator: np.random.Generator, /) -> Parameters:
        return {"gain_db": drawn_uniformly(self.gain_db, generator)}

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        if not clip.has_audio:
            return clip
        return with_sound(clip, clip.waveform * np.float32(10.0 ** (parameters["gain_db"] / 20.0)))
