"""Each modality is concluded from by itself, and the conclusions are added."""

from __future__ import annotations

from typing import Any

import keras

from video_understanding.layers.feed_forward import FeedForward
from video_understanding.layers.pooling import TemporalPooling
from video_understanding.layers.time_code import TimeCode
from video_understanding.models.fusion.base import Fusion, Shapes, Tokens


@keras.saving.register_keras_serializable("video_understanding")
class LateFusion(Fusion):
    """Each modality pooled and put through a dense layer of its own; a missing one adds nothing."""

    def build(self, tokens_shape: Shapes, presence_shape: tuple) -> None:
        size, count = self.size_of(tokens_shape), len(self.times_s)
        self._codes = [TimeCode(own) for own in self.times_s.values()]
        self._steps = [FeedForward(dropout=self.dropout, seed=self.seed_for(n), name=f"step_{n}") for n in range(count)]
        self._pools = [TemporalPooling(name=f"pool_{n}") for n in range(count)]
        self._conclusions = [keras.layers.Dense(size, activation="relu", name=f"conclusion_{n}") for n in range(count)]
        for place, name in enumerate(self.modalities):
            for layer in (self._codes[place], self._steps[place], self._pools[place]):
                layer.build(tokens_shape[name])
            self._conclusions[place].build((None, size))

    def call(self, tokens: Tokens, presence: Any, training: bool | None = None) -> Any:
        total = 0.0
        for place, name in enumerate(self.modalities):
            step = self._steps[place](self._codes[place](tokens[name]), training=training)
            pooled = self._pools[place](step)  # [B,D]
            there = keras.ops.cast(presence[:, place : place + 1], pooled.dtype)  # [B,1]
            total = total + self._conclusions[place](pooled) * there
        return total  # [B,D]
