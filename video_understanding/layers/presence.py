"""What stands for a sense that a clip lacks, and lacking one on purpose while learning."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("video_understanding")
class MissingSense(keras.layers.Layer):
    """Tokens [B,S,D] and presence [B] -> tokens [B,S,D], a learned token in every place where presence is 0.

    A choice, not a sum: whatever a missing sense's tokens hold, even NaN, none of it comes through.
    """

    def build(self, tokens_shape: tuple, presence_shape: tuple | None = None) -> None:
        self.token = self.add_weight(name="token", shape=(tokens_shape[-1],), initializer="random_normal")

    def call(self, tokens: Any, presence: Any) -> Any:
        there = ops.expand_dims(ops.expand_dims(ops.cast(presence, "bool"), 1), 2)  # [B,1,1]
        return ops.where(there, tokens, ops.cast(self.token, tokens.dtype))

    def compute_output_shape(self, tokens_shape: tuple, presence_shape: tuple | None = None) -> tuple:
        return tokens_shape


@keras.saving.register_keras_serializable("video_understanding")
class SenseDropout(keras.layers.Layer):
    """Presence [B,2] -> presence [B,2]; in training a share `rate` of clips with both senses loses one of them.

    Which one is a matter of chance, and never both: the model learns to do with either.
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
        drawn = keras.random.uniform((ops.shape(presence)[0], 1), seed=self._chance)  # [B,1]
        lost = ops.concatenate(  # [B,2]: the first half of the share loses the picture, the second the sound
            [drawn < self.rate / 2, ops.logical_and(drawn >= self.rate / 2, drawn < self.rate)], axis=1
        )
        both = ops.min(presence, axis=1, keepdims=True)  # [B,1]
        return presence * (1 - ops.cast(lost, "float32") * both)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
