"""All tokens in one row, pictures and sound alike, each looking at all others."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from video_understanding.layers.attention import Attention
from video_understanding.layers.feed_forward import FeedForward
from video_understanding.layers.pooling import TemporalPooling
from video_understanding.layers.time_code import TimeCode
from video_understanding.models.fusion.base import Fusion


@keras.saving.register_keras_serializable("video_understanding")
class SelfAttentionFusion(Fusion):
    """A learned mark tells the senses apart; one block of attention and feed-forward; then pooling."""

    def build(self, picture_shape: tuple, sound_shape: tuple, presence_shape: tuple) -> None:
        size = picture_shape[-1]
        row = (None, picture_shape[1] + sound_shape[1], size)
        self._marks = [self.add_weight(name=f"mark_{n}", shape=(size,), initializer="random_normal") for n in range(2)]
        self._code = TimeCode([*self.picture_times_s, *self.sound_times_s])
        self._norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self._attention = Attention(self.heads, self.dropout, self.seed_for(0), name="attention")
        self._step = FeedForward(dropout=self.dropout, seed=self.seed_for(1), name="step")
        self._pool = TemporalPooling(name="pool")
        for layer in (self._code, self._norm, self._step, self._pool):
            layer.build(row)
        self._attention.build(row, row)

    def call(self, picture: Any, sound: Any, presence: Any, training: bool | None = None) -> Any:
        row = self._row(picture, sound)
        normed = self._norm(row)
        row = row + self._attention(normed, normed, training=training)
        return self._pool(self._step(row, training=training))  # [B,T+M,D] -> [B,D]

    def attention(self, picture: Any, sound: Any) -> tuple[Any, Any]:
        """What pictures looked at in the sound [B,heads,T,M], and sound in the pictures [B,heads,M,T]."""
        normed = self._norm(self._row(picture, sound))
        _, weights = self._attention(normed, normed, return_weights=True)  # [B,heads,T+M,T+M]
        pictures = picture.shape[1]
        return weights[:, :, :pictures, pictures:], weights[:, :, pictures:, :pictures]

    def _row(self, picture: Any, sound: Any) -> Any:
        marked = [
            tokens + ops.cast(mark, tokens.dtype) for tokens, mark in zip((picture, sound), self._marks, strict=True)
        ]
        return self._code(ops.concatenate(marked, axis=1))  # [B,T+M,D]
