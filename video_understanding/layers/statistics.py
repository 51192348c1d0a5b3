"""Statistics of frozen features: of the steps within a chunk of sound, and of a window's tokens over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

_LEAST_VARIANCE = 1e-6  # keeps the gradient of a root finite where nothing varies


@keras.saving.register_keras_serializable("video_understanding")
class Moments(keras.layers.Layer):
    """Feature maps [B,...,C] of one or several layers -> [B,1,2D], D the sum of their channels C.

    First the mean of every channel over all places, then the standard deviation of every channel.
    """

    def call(self, maps: Sequence[Any]) -> Any:
        means, spreads = [], []
        for features in maps:
            places = tuple(range(1, len(features.shape) - 1))
            mean = ops.mean(features, axis=places, keepdims=True)  # [B,1,..,1,C]
            away = features - mean
            spread = ops.sqrt(ops.mean(away * away, axis=places, keepdims=True) + _LEAST_VARIANCE)
            for moments, values in ((means, mean), (spreads, spread)):
                moments.append(ops.reshape(values, (-1, 1, features.shape[-1])))
        return ops.concatenate([*means, *spreads], axis=-1)

    def compute_output_shape(self, maps_shape: Sequence[tuple]) -> tuple:
        return (maps_shape[0][0], 1, 2 * sum(shape[-1] for shape in maps_shape))


def mean_and_change(tokens: Any) -> Any:
    """Tokens [B,n,D] -> [B,2D]: their mean, and their mean absolute change from one to the next, 0 for a single one."""
    mean = ops.mean(tokens, axis=1)  # [B,D]
    if tokens.shape[1] == 1:
        return ops.concatenate([mean, ops.zeros_like(mean)], axis=-1)
    change = ops.mean(ops.abs(tokens[:, 1:] - tokens[:, :-1]), axis=1)  # [B,D]
    return ops.concatenate([mean, change], axis=-1)


def joined_moments(tokens: Any) -> Any:
    """Tokens [B,n,2C], each the `Moments` of a chunk -> [B,2C]: mean and standard deviation over all of them."""
    size = tokens.shape[-1] // 2
    means, spreads = tokens[..., :size], tokens[..., size:]  # [B,n,C] each
    mean = ops.mean(means, axis=1)  # [B,C]
    away = means - ops.expand_dims(mean, 1)
    # The variance of all steps is the mean of the chunks' variances and the variance of their means.
    variance = ops.mean(spreads * spreads + away * away, axis=1)
    return ops.concatenate([mean, ops.sqrt(variance + _LEAST_VARIANCE)], axis=-1)


POOLINGS = {"mean_and_change": mean_and_change, "joined_moments": joined_moments}
