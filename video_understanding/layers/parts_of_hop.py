"""What is heard in a hop, part by part, and how much it varies: a lively voice is not a steady one."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

# How far numbers are from their mean that spread by about one, as a norm leaves them. Taken off, it says nothing by
# itself: without, the same offset in every number would fill the tokens.
TYPICAL = 0.6


@keras.saving.register_keras_serializable("video_understanding")
class PartsOfHop(keras.layers.Layer):
    """[B,S,C] -> [B,parts,2C]: the mean of each of equal parts of time, and how much more the hop varies than is usual.

    Steps are shared where they do not divide evenly. It varies by the mean distance from its own mean, not the mean
    square: that stays within the numbers it is made of, which eight bits ask for. It is that of the whole hop, the same
    in each part: a part may hold a single step. What lies above the mean lies as far from it, all in all, as what lies
    below, so twice the one is the distance of both: eight bits have a quick way to cut at zero, and none to drop signs.
    """

    def __init__(self, parts: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parts = parts

    def build(self, heard_shape: tuple) -> None:
        steps = heard_shape[1]
        edges = np.linspace(0, steps, self.parts + 1)  # [parts+1]
        begin = np.maximum(np.arange(steps), edges[:-1, None])  # [parts,S]
        end = np.minimum(np.arange(1, steps + 1), edges[1:, None])
        share = np.maximum(0, end - begin)
        self._share = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)

    def call(self, heard: Any) -> Any:
        parts = ops.matmul(ops.cast(self._share, heard.dtype), heard)  # [parts,S] x [B,S,C] -> [B,parts,C]
        above = ops.relu(heard - ops.mean(heard, axis=1, keepdims=True))  # [B,S,C]
        varied = 2 * ops.mean(above, axis=1, keepdims=True) - TYPICAL  # [B,1,C]
        varied = ops.concatenate([varied] * self.parts, axis=1)  # [B,parts,C]; TFLite has no quick way to repeat
        return ops.concatenate([parts, varied], axis=-1)

    def compute_output_shape(self, heard_shape: tuple) -> tuple:
        return (heard_shape[0], self.parts, 2 * heard_shape[2])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "parts": self.parts}
