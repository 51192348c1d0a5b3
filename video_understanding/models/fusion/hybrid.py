"""Early and late fusion together."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from video_understanding.models.fusion.base import Fusion, Shapes, Tokens
from video_understanding.models.fusion.early import EarlyFusion
from video_understanding.models.fusion.late import LateFusion


@keras.saving.register_keras_serializable("video_understanding")
class HybridFusion(Fusion):
    """The vectors of early and of late fusion, joined by a dense layer."""

    def build(self, tokens_shape: Shapes, presence_shape: tuple) -> None:
        size = self.size_of(tokens_shape)
        self._early = EarlyFusion(self.times_s, self.heads, self.dropout, self.seed_for(0), name="early")
        self._late = LateFusion(self.times_s, self.heads, self.dropout, self.seed_for(10), name="late")
        self._join = keras.layers.Dense(size, activation="relu", name="join")
        self._early.build(tokens_shape, presence_shape)
        self._late.build(tokens_shape, presence_shape)
        self._join.build((None, 2 * size))

    def call(self, tokens: Tokens, presence: Any, training: bool | None = None) -> Any:
        both = [way(tokens, presence, training=training) for way in (self._early, self._late)]
        return self._join(ops.concatenate(both, axis=-1))  # [B,2D] -> [B,D]
