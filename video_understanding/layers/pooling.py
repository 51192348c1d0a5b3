"""Many tokens to one, by learned attention to the moments that matter."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from video_understanding.layers.attention import MASKED


@keras.saving.register_keras_serializable("video_understanding")
class TemporalPooling(keras.layers.Layer):
    """Tokens [B,S,D] (and a mask [B,S], 1 where a token counts) -> [B,D], their weighted mean.

    With `return_weights` the weights [B,S] come, too: they sum to one and tell the telling moments.
    """

    def build(self, tokens_shape: tuple, tokens_mask_shape: tuple | None = None) -> None:
        size = tokens_shape[-1]
        self.projection = self.add_weight(name="projection", shape=(size, size), initializer="glorot_uniform")
        self.query = self.add_weight(name="query", shape=(size, 1), initializer="glorot_uniform")

    def call(self, tokens: Any, tokens_mask: Any = None, return_weights: bool = False) -> Any:
        logits = ops.matmul(ops.tanh(ops.matmul(tokens, self.projection)), self.query)[..., 0]  # [B,S]
        if tokens_mask is not None:
            logits = logits + (1 - ops.cast(tokens_mask, logits.dtype)) * MASKED
        weights = ops.softmax(logits, axis=-1)  # [B,S]
        pooled = ops.matmul(ops.expand_dims(weights, 1), tokens)[:, 0]  # [B,1,S] x [B,S,D] -> [B,D]
        return (pooled, weights) if return_weights else pooled

    def compute_output_shape(self, tokens_shape: tuple, tokens_mask_shape: tuple | None = None) -> tuple:
        return (tokens_shape[0], tokens_shape[-1])
