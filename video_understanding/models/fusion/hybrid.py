"""Early and late together: what moments say and what each sense concludes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from video_understanding.models.fusion.base import Fusion
from video_understanding.models.fusion.early import EarlyFusion
from video_understanding.models.fusion.late import LateFusion


@keras.saving.register_keras_serializable("video_understanding")
class HybridFusion(Fusion):
    """The vectors of early and of late fusion, joined by a dense layer."""

    def build(self, picture_shape: tuple, sound_shape: tuple, presence_shape: tuple) -> None:
        size = picture_shape[-1]
        times_s = (self.picture_times_s, self.sound_times_s)
        self._early = EarlyFusion(*times_s, self.heads, self.dropout, self.seed_for(0), name="early")
        self._late = LateFusion(*times_s, self.heads, self.dropout, self.seed_for(10), name="late")
        self._join = keras.layers.Dense(size, activation="relu", name="join")
        self._early.build(picture_shape, sound_shape, presence_shape)
        self._late.build(picture_shape, sound_shape, presence_shape)
        self._join.build((None, 2 * size))

    def call(self, picture: Any, sound: Any, presence: Any, training: bool | None = None) -> Any:
        both = [way(picture, sound, presence, training=training) for way in (self._early, self._late)]
        return self._join(ops.concatenate(both, axis=-1))  # [B,2D] -> [B,D]
