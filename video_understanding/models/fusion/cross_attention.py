"""Pictures look at sound and sound at pictures; then each side tells what mattered."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from video_understanding.layers.attention import CrossModalAttention
from video_understanding.layers.feed_forward import FeedForward
from video_understanding.layers.pooling import TemporalPooling
from video_understanding.layers.time_code import TimeCode
from video_understanding.models.fusion.base import Fusion


@keras.saving.register_keras_serializable("video_understanding")
class CrossAttentionFusion(Fusion):
    """Both ways of attention, a feed-forward step on each side, each side pooled, both joined."""

    def build(self, picture_shape: tuple, sound_shape: tuple, presence_shape: tuple) -> None:
        size = picture_shape[-1]
        self._picture_code, self._sound_code = TimeCode(self.picture_times_s), TimeCode(self.sound_times_s)
        self._cross = CrossModalAttention(self.heads, self.dropout, self.seed_for(0), name="cross")
        self._picture_step = FeedForward(dropout=self.dropout, seed=self.seed_for(2), name="picture_step")
        self._sound_step = FeedForward(dropout=self.dropout, seed=self.seed_for(3), name="sound_step")
        self._picture_pool, self._sound_pool = TemporalPooling(name="picture_pool"), TemporalPooling(name="sound_pool")
        self._join = keras.layers.Dense(size, activation="relu", name="join")
        self._cross.build(picture_shape, sound_shape)
        for layer, shape in (
            (self._picture_code, picture_shape),
            (self._sound_code, sound_shape),
            (self._picture_step, picture_shape),
            (self._sound_step, sound_shape),
            (self._picture_pool, picture_shape),
            (self._sound_pool, sound_shape),
            (self._join, (None, 2 * size)),
        ):
            layer.build(shape)

    def call(self, picture: Any, sound: Any, presence: Any, training: bool | None = None) -> Any:
        picture, sound = self._cross(self._picture_code(picture), self._sound_code(sound), training=training)
        seen = self._picture_pool(self._picture_step(picture, training=training))  # [B,T,D] -> [B,D]
        heard = self._sound_pool(self._sound_step(sound, training=training))  # [B,M,D] -> [B,D]
        return self._join(ops.concatenate([seen, heard], axis=-1))  # [B,2D] -> [B,D]

    def attention(self, picture: Any, sound: Any) -> tuple[Any, Any]:
        """What pictures looked at in the sound [B,heads,T,M], and sound in the pictures [B,heads,M,T]."""
        coded = self._picture_code(picture), self._sound_code(sound)
        return self._cross(*coded, return_weights=True)[2:]
