"""What stands in the place of a modality that a clip lacks, and lacking one on purpose in training."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import keras
from keras import ops

_SLOWNESS = 0.9  # of the mean of tokens: what it keeps from step to step


@keras.saving.register_keras_serializable("video_understanding")
class MissingModality(keras.layers.Layer):
    """Tokens [B,S,D] and presence [B] -> tokens [B,S,D], one token in every place where presence is 0.

    A choice, not a sum: whatever a missing modality's tokens hold, even NaN, none of it comes through. The token is
    learned; with `by_mean` it is the mean of the tokens of the clips that have the modality, gathered in training.
    """

    def __init__(self, by_mean: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by_mean = by_mean

    def build(self, tokens_shape: tuple, presence_shape: tuple | None = None) -> None:
        self.token = self.add_weight(
            name="token",
            shape=(tokens_shape[-1],),
            initializer="zeros" if self.by_mean else "random_normal",
            trainable=not self.by_mean,
        )

    def call(self, tokens: Any, presence: Any, training: bool | None = None) -> Any:
        there = ops.expand_dims(ops.expand_dims(ops.cast(presence, "bool"), 1), 2)  # [B,1,1]
        if training and self.by_mean:
            self._gather(tokens, there)
        return ops.where(there, tokens, ops.cast(self.token, tokens.dtype))

    def _gather(self, tokens: Any, there: Any) -> None:
        tokens = ops.stop_gradient(ops.cast(tokens, "float32"))
        count = ops.sum(ops.cast(there, "float32")) * tokens.shape[1]
        mean = ops.sum(ops.where(there, tokens, 0.0), axis=(0, 1)) / ops.maximum(count, 1.0)  # [D]
        kept = ops.where(count > 0, _SLOWNESS, 1.0)
        self.token.assign(kept * self.token + (1 - kept) * mean)

    def compute_output_shape(self, tokens_shape: tuple, presence_shape: tuple | None = None) -> tuple:
        return tokens_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "by_mean": self.by_mean}


@keras.saving.register_keras_serializable("video_understanding")
class ModalityDropout(keras.layers.Layer):
    """Presence [B,M] -> presence [B,M]; in training a share `rate` of clips loses one modality, each equally often.

    Never from a clip that has no other: the model learns to do with what remains.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate <= 1:
            raise ValueError(f"rate is {rate!r}; give a share from 0 to 1")
        self.rate = rate
        self.seed = seed
        self._chance = keras.random.SeedGenerator(seed)

    def call(self, presence: Any, training: bool | None = None) -> Any:
        presence = ops.cast(presence, "float32")
        if not training or self.rate == 0:
            return presence
        count = presence.shape[1]
        drawn = keras.random.uniform((ops.shape(presence)[0], 1), seed=self._chance)  # [B,1]
        edges = [self.rate * place / count for place in range(count + 1)]
        lost = [ops.logical_and(drawn >= begin, drawn < end) for begin, end in pairwise(edges)]  # [B,1] each
        several = ops.cast(ops.sum(presence, axis=1, keepdims=True) > 1, "float32")  # [B,1]
        return presence * (1 - ops.cast(ops.concatenate(lost, axis=1), "float32") * several)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
