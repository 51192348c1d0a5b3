"""Tokens of each modality attend to those of all others; then each modality is pooled."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from video_understanding.layers.attention import CrossModalAttention
from video_understanding.layers.feed_forward import FeedForward
from video_understanding.layers.pooling import TemporalPooling
from video_understanding.layers.time_code import TimeCode
from video_understanding.models.fusion.base import Fusion, Shapes, Tokens


@keras.saving.register_keras_serializable("video_understanding")
class CrossAttentionFusion(Fusion):
    """Attention between all modalities, a feed-forward step and pooling for each, and a dense layer that joins them."""

    def build(self, tokens_shape: Shapes, presence_shape: tuple) -> None:
        size, count = self.size_of(tokens_shape), len(self.times_s)
        self._codes = {name: TimeCode(own) for name, own in self.times_s.items()}
        self._cross = CrossModalAttention(self.modalities, self.heads, self.dropout, self.seed_for(0), name="cross")
        self._steps = {
            name: FeedForward(dropout=self.dropout, seed=self.seed_for(count + place), name=f"{name}_step")
            for place, name in enumerate(self.modalities)
        }
        self._pools = {name: TemporalPooling(name=f"{name}_pool") for name in self.modalities}
        self._join = keras.layers.Dense(size, activation="relu", name="join")
        self._cross.build(tokens_shape)
        for layers in (self._codes, self._steps, self._pools):
            for name, layer in layers.items():
                layer.build(tokens_shape[name])
        self._join.build((None, count * size))

    def call(self, tokens: Tokens, presence: Any, training: bool | None = None) -> Any:
        tokens = self._cross(self._coded(tokens), training=training)
        pooled = [
            self._pools[name](self._steps[name](tokens[name], training=training))  # [B,n,D] -> [B,D]
            for name in self.modalities
        ]
        return self._join(ops.concatenate(pooled, axis=-1))  # [B,M*D] -> [B,D]

    def attention(self, tokens: Tokens) -> dict[str, dict[str, Any]]:
        """The weights of every modality's tokens on those of each other."""
        return self._cross(self._coded(tokens), return_weights=True)[1]

    def _coded(self, tokens: Tokens) -> dict[str, Any]:
        return {name: code(tokens[name]) for name, code in self._codes.items()}
