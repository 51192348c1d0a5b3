"""Picture and sound of the same moment are joined first, and time is looked at after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from video_understanding.layers.feed_forward import FeedForward
from video_understanding.layers.pooling import TemporalPooling
from video_understanding.layers.time_code import TimeCode
from video_understanding.models.fusion.base import Fusion


@keras.saving.register_keras_serializable("video_understanding")
class EarlyFusion(Fusion):
    """To each picture the mean of the sound around it; both together make one row of tokens."""

    def build(self, picture_shape: tuple, sound_shape: tuple, presence_shape: tuple) -> None:
        size = picture_shape[-1]
        self._share = share_of_sound(self.picture_times_s, self.sound_times_s)  # [T,M]
        self._join = keras.layers.Dense(size, activation="relu", name="join")
        self._code = TimeCode(self.picture_times_s)
        self._step = FeedForward(dropout=self.dropout, seed=self.seed_for(0), name="step")
        self._pool = TemporalPooling(name="pool")
        self._join.build((*picture_shape[:-1], 2 * size))
        for layer in (self._code, self._step, self._pool):
            layer.build(picture_shape)

    def call(self, picture: Any, sound: Any, presence: Any, training: bool | None = None) -> Any:
        around = ops.matmul(ops.cast(self._share, sound.dtype), sound)  # [T,M] x [B,M,D] -> [B,T,D]
        moments = self._join(ops.concatenate([picture, around], axis=-1))  # [B,T,2D] -> [B,T,D]
        return self._pool(self._step(self._code(moments), training=training))  # [B,D]


def share_of_sound(picture_times_s: Sequence[float], sound_times_s: Sequence[float]) -> np.ndarray:
    """float32 [T,M]: how much of each sound token belongs to each picture; rows sum to one.

    A picture takes the sound tokens nearer to it than to its neighbours, or else the nearest.
    """
    apart_s = np.abs(np.array(picture_times_s)[:, None] - np.array(sound_times_s))  # [T,M]
    nearest_picture = apart_s.argmin(axis=0)  # [M]
    share = (nearest_picture == np.arange(len(picture_times_s))[:, None]).astype(np.float32)  # [T,M]
    lonely = share.sum(axis=1) == 0
    share[lonely, apart_s[lonely].argmin(axis=1)] = 1
    return share / share.sum(axis=1, keepdims=True)
