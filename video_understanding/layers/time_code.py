"""Tokens that know when they are: a code made from seconds is added to each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

SHORTEST_S = 0.1  # the fastest change that the code tells apart
LONGEST_S = 20.0  # the slowest


@keras.saving.register_keras_serializable("video_understanding")
class TimeCode(keras.layers.Layer):
    """[B,S,D] -> [B,S,D]: adds sines and cosines of each token's time.

    `times_s` are the S times in seconds within the window. Being in seconds, they say the same for
    pictures and for sound, and for models that look more or less often.
    """

    def __init__(self, times_s: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.times_s = [float(time_s) for time_s in times_s]

    def build(self, input_shape: tuple) -> None:
        size = input_shape[-1]
        periods_s = np.geomspace(SHORTEST_S, LONGEST_S, math.ceil(size / 2))  # [D/2]
        angles = 2 * np.pi * np.array(self.times_s)[:, None] / periods_s  # [S,D/2]
        code = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)[:, :size]  # [S,D]
        self._code = code.astype(np.float32)

    def call(self, tokens: Any) -> Any:
        return tokens + keras.ops.cast(self._code, tokens.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "times_s": self.times_s}
