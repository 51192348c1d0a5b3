"""Attention between the senses: each picture asks the sound, each moment of sound asks the pictures."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

# Added to a look that must not count. Far enough below others that nothing comes through, and not so far that the
# range of an 8-bit number is spent on it (-1e9 would be).
MASKED = -30.0


@keras.saving.register_keras_serializable("video_understanding")
class Attention(keras.layers.Layer):
    """Queries [B,Q,D] look at tokens [B,S,D] -> [B,Q,D], with several heads.

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
        looks = ops.matmul(asked, ops.transpose(keys, (0, 1, 3, 2))) * size**-0.5  # [B,heads,Q,S]
        if tokens_mask is not None:
            hidden = (1 - ops.cast(tokens_mask, looks.dtype)) * MASKED  # [B,S]
            looks = looks + ops.expand_dims(ops.expand_dims(hidden, 1), 1)
        weights = ops.softmax(looks, axis=-1)  # [B,heads,Q,S]
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
    """Picture tokens [B,T,D] and sound tokens [B,M,D] -> the same shapes, each having looked at the other.

    Masks [B,T] and [B,M] (1 where a token counts) hide tokens from the other side; tokens of a sense
    that looks at nothing but hidden tokens come back as they went in. With `return_weights` follow the
    weights of picture to sound [B,heads,T,M] and of sound to picture [B,heads,M,T]: what each moment
    looked at. Put a `TimeCode` before it, so that looks can go by time.
    """

    def __init__(self, heads: int, dropout: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.dropout = dropout
        self.seed = seed
        second_seed = None if seed is None else seed + 1
        self.picture_norm, self.sound_norm = (keras.layers.LayerNormalization(epsilon=1e-5) for _ in range(2))
        self.picture_asks = Attention(heads, dropout, seed, name="picture_asks_sound")
        self.sound_asks = Attention(heads, dropout, second_seed, name="sound_asks_picture")

    def build(
        self,
        picture_shape: tuple,
        sound_shape: tuple,
        picture_mask_shape: tuple | None = None,
        sound_mask_shape: tuple | None = None,
    ) -> None:
        self.picture_norm.build(picture_shape)
        self.sound_norm.build(sound_shape)
        self.picture_asks.build(picture_shape, sound_shape)
        self.sound_asks.build(sound_shape, picture_shape)

    def call(
        self,
        picture: Any,
        sound: Any,
        picture_mask: Any = None,
        sound_mask: Any = None,
        return_weights: bool = False,
        training: bool | None = None,
    ) -> Any:
        seen, heard = self.picture_norm(picture), self.sound_norm(sound)
        from_sound, picture_looks = self.picture_asks(
            seen, heard, tokens_mask=sound_mask, return_weights=True, training=training
        )
        from_picture, sound_looks = self.sound_asks(
            heard, seen, tokens_mask=picture_mask, return_weights=True, training=training
        )
        picture = picture + from_sound * _anything_there(sound_mask, from_sound)  # [B,T,D]
        sound = sound + from_picture * _anything_there(picture_mask, from_picture)  # [B,M,D]
        return (picture, sound, picture_looks, sound_looks) if return_weights else (picture, sound)

    def compute_output_shape(
        self,
        picture_shape: tuple,
        sound_shape: tuple,
        picture_mask_shape: tuple | None = None,
        sound_mask_shape: tuple | None = None,
    ) -> tuple:
        return picture_shape, sound_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads, "dropout": self.dropout, "seed": self.seed}


def _anything_there(mask: Any, like: Any) -> Any:
    """[B,1,1], 0 for clips in which every token is hidden."""
    if mask is None:
        return 1.0
    return ops.expand_dims(ops.max(ops.cast(mask, like.dtype), axis=1, keepdims=True), 2)
