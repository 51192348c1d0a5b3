"""Each sense comes to its own conclusion, and the conclusions are added."""

from __future__ import annotations

from typing import Any

import keras

from video_understanding.layers.feed_forward import FeedForward
from video_understanding.layers.pooling import TemporalPooling
from video_understanding.layers.time_code import TimeCode
from video_understanding.models.fusion.base import Fusion


@keras.saving.register_keras_serializable("video_understanding")
class LateFusion(Fusion):
    """Pooled pictures and pooled sound, each through a dense layer of its own; a missing sense adds nothing."""

    def build(self, picture_shape: tuple, sound_shape: tuple, presence_shape: tuple) -> None:
        size = picture_shape[-1]
        self._codes = [TimeCode(self.picture_times_s), TimeCode(self.sound_times_s)]
        self._steps = [FeedForward(dropout=self.dropout, seed=self.seed_for(n), name=f"step_{n}") for n in range(2)]
        self._pools = [TemporalPooling(name=f"pool_{n}") for n in range(2)]
        self._conclusions = [keras.layers.Dense(size, activation="relu", name=f"conclusion_{n}") for n in range(2)]
        for sense, shape in enumerate((picture_shape, sound_shape)):
            for layer in (self._codes[sense], self._steps[sense], self._pools[sense]):
                layer.build(shape)
            self._conclusions[sense].build((None, size))

    def call(self, picture: Any, sound: Any, presence: Any, training: bool | None = None) -> Any:
        total = 0.0
        for sense, tokens in enumerate((picture, sound)):
            told = self._pools[sense](self._steps[sense](self._codes[sense](tokens), training=training))  # [B,D]
            there = keras.ops.cast(presence[:, sense : sense + 1], told.dtype)  # [B,1]
            total = total + self._conclusions[sense](told) * there
        return total  # [B,D]
