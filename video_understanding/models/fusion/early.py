"""Tokens of the same moment are joined first, and time is pooled after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from video_understanding.layers.feed_forward import FeedForward
from video_understanding.layers.pooling import TemporalPooling
from video_understanding.layers.time_code import TimeCode
from video_understanding.models.fusion.base import Fusion, Shapes, Tokens


@keras.saving.register_keras_serializable("video_understanding")
class EarlyFusion(Fusion):
    """To each token of the first modality the mean of every other's tokens around it; together they are one row."""

    def build(self, tokens_shape: Shapes, presence_shape: tuple) -> None:
        first, *others = self.modalities
        size, shape = self.size_of(tokens_shape), tokens_shape[first]
        self._shares = {name: share_around(self.times_s[first], self.times_s[name]) for name in others}  # [T,n] each
        self._join = keras.layers.Dense(size, activation="relu", name="join")
        self._code = TimeCode(self.times_s[first])
        self._step = FeedForward(dropout=self.dropout, seed=self.seed_for(0), name="step")
        self._pool = TemporalPooling(name="pool")
        self._join.build((*shape[:-1], len(self.times_s) * size))
        for layer in (self._code, self._step, self._pool):
            layer.build(shape)

    def call(self, tokens: Tokens, presence: Any, training: bool | None = None) -> Any:
        row = [tokens[self.modalities[0]]]
        for name, share in self._shares.items():
            row.append(ops.matmul(ops.cast(share, tokens[name].dtype), tokens[name]))  # [T,n] x [B,n,D] -> [B,T,D]
        moments = self._join(ops.concatenate(row, axis=-1))  # [B,T,M*D] -> [B,T,D]
        return self._pool(self._step(self._code(moments), training=training))  # [B,D]


def share_around(times_s: Sequence[float], other_times_s: Sequence[float]) -> np.ndarray:
    """float32 [T,n]: how much of each of n other tokens belongs to each of T; rows sum to one.

    A token takes the others nearer to it than to its neighbours, or else the nearest.
    """
    apart_s = np.abs(np.array(times_s)[:, None] - np.array(other_times_s))  # [T,n]
    nearest = apart_s.argmin(axis=0)  # [n]
    share = (nearest == np.arange(len(times_s))[:, None]).astype(np.float32)  # [T,n]
    lonely = share.sum(axis=1) == 0
    share[lonely, apart_s[lonely].argmin(axis=1)] = 1
    return share / share.sum(axis=1, keepdims=True)
