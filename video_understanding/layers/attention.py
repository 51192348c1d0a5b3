"""Attention of tokens to tokens, and between modalities: those of each attend to those of all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

# Added to a logit that must not count. Far enough below others that nothing comes through, and not so far that the
# range of an 8-bit number is spent on it (-1e9 would be).
MASKED = -30.0


@keras.saving.register_keras_serializable("video_understanding")
class Attention(keras.layers.Layer):
    """Queries [B,Q,D] attend to tokens [B,S,D] -> [B,Q,D], with several heads.

    A mask [B,S] (1 where a token counts) hides the others. With `return_weights` the weights
    [B,heads,Q,S] come, too. Made of plain products and one softmax, so that it converts to any runtime.
    """

    def __init__(self, heads: int, dropout: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.dropout = dropout
        self.seed = seed
        self._drop = keras.layers.Dropout(dropout, seed=seed)

    def build(self, queries_shape: tuple, tokens_shape: tuple, tokens_mask_shape: tuple | None = None) -> None:
        size = queries_shape[-1]
        if size % self.heads:
            raise ValueError(f"{self.heads} heads do not divide tokens of size {size}; choose another number of heads")
        names = ("query", "key", "value", "output")
        self.ask, self.key, self.value, self.join = (
            self.add_weight(name=name, shape=(size, size), initializer="glorot_uniform") for name in names
        )
        self.bias = self.add_weight(name="bias", shape=(size,), initializer="zeros")

    def call(
        self,
        queries: Any,
        tokens: Any,
        tokens_mask: Any = None,
        return_weights: bool = False,
        training: bool | None = None,
    ) -> Any:
        size = queries.shape[-1] // self.heads  # d, what one head sees
        asked = self._by_head(ops.matmul(queries, self.ask))  # [B,heads,Q,d]
        keys = self._by_head(ops.matmul(tokens, self.key))  # [B,heads,S,d]
        values = self._by_head(ops.matmul(tokens, self.value))  # [B,heads,S,d]
        logits = ops.matmul(asked, ops.transpose(keys, (0, 1, 3, 2))) * size**-0.5  # [B,heads,Q,S]
        if tokens_mask is not None:
            hidden = (1 - ops.cast(tokens_mask, logits.dtype)) * MASKED  # [B,S]
            logits = logits + ops.expand_dims(ops.expand_dims(hidden, 1), 1)
        weights = ops.softmax(logits, axis=-1)  # [B,heads,Q,S]
        found = ops.matmul(self._drop(weights, training=training), values)  # [B,heads,Q,d]
        found = ops.transpose(found, (0, 2, 1, 3))  # [B,Q,heads,d]
        found = ops.reshape(found, (-1, queries.shape[1], queries.shape[-1]))  # [B,Q,D]
        answer = ops.matmul(found, self.join) + self.bias
        return (answer, weights) if return_weights else answer

    def _by_head(self, tokens: Any) -> Any:
        _, count, size = tokens.shape
        split = ops.reshape(tokens, (-1, count, self.heads, size // self.heads))  # [B,S,heads,d]
        return ops.transpose(split, (0, 2, 1, 3))  # [B,heads,S,d]

    def compute_output_shape(
        self, queries_shape: tuple, tokens_shape: tuple, tokens_mask_shape: tuple | None = None
    ) -> tuple:
        return queries_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads, "dropout": self.dropout, "seed": self.seed}


@keras.saving.register_keras_serializable("video_understanding")
class CrossModalAttention(keras.layers.Layer):
    """Tokens [B,n,D] of each modality -> the same shapes, each having attended to those of all other modalities.

    Masks [B,n] (1 where a token counts) hide tokens from the other modalities; tokens that attend to nothing but hidden
    ones come back as they went in, and so do those of a single modality. With `return_weights` the weights follow:
    modality -> other modality -> [B,heads,n,n of the other]. Put a `TimeCode`
    before it, so that attention can go by time.
    """

    def __init__(
        self, modalities: Sequence[str], heads: int, dropout: float = 0.0, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.modalities = list(modalities)
        self.heads = heads
        self.dropout = dropout
        self.seed = seed
        self.norms = {name: keras.layers.LayerNormalization(epsilon=1e-5) for name in self.modalities}
        self.attentions = {
            name: Attention(heads, dropout, None if seed is None else seed + place, name=f"{name}_attends")
            for place, name in enumerate(self.modalities)
            if len(self.modalities) > 1
        }

    def build(self, tokens_shape: Mapping[str, tuple], masks_shape: Mapping[str, tuple] | None = None) -> None:
        for name, norm in self.norms.items():
            norm.build(tokens_shape[name])
        for name, attention in self.attentions.items():
            others = sum(tokens_shape[other][1] for other in self._others(name))
            attention.build(tokens_shape[name], (*tokens_shape[name][:1], others, tokens_shape[name][2]))

    def call(
        self,
        tokens: Mapping[str, Any],
        masks: Mapping[str, Any] | None = None,
        return_weights: bool = False,
        training: bool | None = None,
    ) -> Any:
        normed = {name: norm(tokens[name]) for name, norm in self.norms.items()}
        found, weights = dict(tokens), {}
        for name, attention in self.attentions.items():
            others = self._others(name)
            mask = None if masks is None else _joined([masks[other] for other in others])  # [B,S]
            added, own_weights = attention(
                normed[name],
                _joined([normed[other] for other in others]),
                tokens_mask=mask,
                return_weights=True,
                training=training,
            )  # [B,n,D], [B,heads,n,S]
            found[name] = tokens[name] + added * _anything_there(mask, added)
            weights[name] = split_weights(own_weights, {other: tokens[other].shape[1] for other in others})
        return (found, weights) if return_weights else found

    def compute_output_shape(
        self, tokens_shape: Mapping[str, tuple], masks_shape: Mapping[str, tuple] | None = None
    ) -> Mapping[str, tuple]:
        return tokens_shape

    def get_config(self) -> dict[str, Any]:
        names = ("modalities", "heads", "dropout", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _others(self, name: str) -> list[str]:
        return [other for other in self.modalities if other != name]


def split_weights(weights: Any, counts: Mapping[str, int]) -> dict[str, Any]:
    """Weights [B,heads,Q,S] of several modalities' tokens in one row, of which each has so many -> by modality."""
    edges = np.cumsum([0, *counts.values()])
    return {name: weights[..., edges[place] : edges[place + 1]] for place, name in enumerate(counts)}


def _joined(parts: Sequence[Any]) -> Any:
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=1)


def _anything_there(mask: Any, like: Any) -> Any:
    """[B,1,1], 0 for clips in which every token is hidden."""
    if mask is None:
        return 1.0
    return ops.expand_dims(ops.max(ops.cast(mask, like.dtype), axis=1, keepdims=True), 2)
