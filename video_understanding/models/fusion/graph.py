"""Tokens as nodes of a graph whose edges join what is near in time, within a modality and across."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from video_understanding.layers.attention import MASKED
from video_understanding.layers.pooling import TemporalPooling
from video_understanding.layers.time_code import TimeCode
from video_understanding.models.fusion.base import Fusion, Shapes, Tokens
from video_understanding.models.fusion.self_attention import marked_row

NEAR_S = 0.6  # nodes at most this far apart are neighbours
ROUNDS = 2  # how often neighbours exchange messages


class _GraphFusion(Fusion):
    """What both graphs share: nodes with marks and times, edges, rounds of messages, pooling."""

    def build(self, tokens_shape: Shapes, presence_shape: tuple) -> None:
        size = self.size_of(tokens_shape)
        times_s = np.array(self.all_times_s)  # [V]
        row = (None, len(times_s), size)
        self._edges = (np.abs(times_s[:, None] - times_s) <= NEAR_S).astype(np.float32)  # [V,V], each its own neighbour
        self._marks = [
            self.add_weight(name=f"mark_{n}", shape=(size,), initializer="random_normal")
            for n in range(len(self.times_s))
        ]
        self._code = TimeCode(times_s)
        self._norms = [keras.layers.LayerNormalization(epsilon=1e-5, name=f"norm_{n}") for n in range(ROUNDS)]
        self._drops = [keras.layers.Dropout(self.dropout, seed=self.seed_for(n)) for n in range(ROUNDS)]
        self._pool = TemporalPooling(name="pool")
        for layer in (self._code, *self._norms, self._pool):
            layer.build(row)
        self.build_rounds(size)

    def call(self, tokens: Tokens, presence: Any, training: bool | None = None) -> Any:
        nodes = self._code(marked_row(tokens, self.modalities, self._marks))  # [B,V,D], V tokens in all
        for number in range(ROUNDS):
            message = ops.relu(self.message(number, self._norms[number](nodes)))  # [B,V,D]
            nodes = nodes + self._drops[number](message, training=training)
        return self._pool(nodes)  # [B,D]

    def build_rounds(self, size: int) -> None:
        """The weights of each round."""
        raise NotImplementedError

    def message(self, number: int, nodes: Any) -> Any:
        """[B,V,D] -> [B,V,D]: what each node gets from its neighbours in one round."""
        raise NotImplementedError


@keras.saving.register_keras_serializable("video_understanding")
class GcnFusion(_GraphFusion):
    """Graph convolution: the mean of the neighbours, evened out by how many neighbours each has."""

    def build_rounds(self, size: int) -> None:
        degree = self._edges.sum(axis=1)  # [V]
        self._even = (self._edges / np.sqrt(degree[:, None] * degree)).astype(np.float32)  # [V,V]
        self._mixes = [keras.layers.Dense(size, name=f"mix_{n}") for n in range(ROUNDS)]
        for mix in self._mixes:
            mix.build((None, len(self._edges), size))

    def message(self, number: int, nodes: Any) -> Any:
        return ops.matmul(ops.cast(self._even, nodes.dtype), self._mixes[number](nodes))  # [V,V] x [B,V,D]


@keras.saving.register_keras_serializable("video_understanding")
class GatFusion(_GraphFusion):
    """Graph attention: each node weighs its neighbours by what both hold, with several heads."""

    def build_rounds(self, size: int) -> None:
        if size % self.heads:
            raise ValueError(f"{self.heads} heads do not divide tokens of size {size}; choose another number of heads")
        self._hidden = (1 - self._edges) * MASKED  # [V,V], added to the logits of nodes that are no neighbours
        self._mixes = [keras.layers.Dense(size, name=f"mix_{n}") for n in range(ROUNDS)]
        self._asks = [keras.layers.Dense(self.heads, name=f"ask_{n}") for n in range(ROUNDS)]
        self._offers = [keras.layers.Dense(self.heads, name=f"offer_{n}") for n in range(ROUNDS)]
        for layer in (*self._mixes, *self._asks, *self._offers):
            layer.build((None, len(self._edges), size))

    def message(self, number: int, nodes: Any) -> Any:
        mixed = self._mixes[number](nodes)  # [B,V,D]
        ask = ops.transpose(self._asks[number](mixed), (0, 2, 1))  # [B,heads,V]
        offer = ops.transpose(self._offers[number](mixed), (0, 2, 1))  # [B,heads,V]
        logits = ops.leaky_relu(ops.expand_dims(ask, 3) + ops.expand_dims(offer, 2))  # [B,heads,V,V]
        weights = ops.softmax(logits + ops.cast(self._hidden, logits.dtype), axis=-1)
        count, size = mixed.shape[1], mixed.shape[2]
        by_head = ops.transpose(ops.reshape(mixed, (-1, count, self.heads, size // self.heads)), (0, 2, 1, 3))
        found = ops.transpose(ops.matmul(weights, by_head), (0, 2, 1, 3))  # [B,V,heads,d]
        return ops.reshape(found, (-1, count, size))  # [B,V,D]
