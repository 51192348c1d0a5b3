"""What changes from one picture to the next, added to what each shows."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("video_understanding")
class MotionTokens(keras.layers.Layer):
    """Tokens [B,T,D] -> [B,T,D]: each plus a learned view of how far every number is from the token before.

    The size of a change, not its sign: a mean over time keeps how much moved, where signed steps would cancel.
    The first token has none before it, and stays as it is. A token itself still depends on one picture alone, so
    that a stream can keep it for its next windows.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def build(self, tokens_shape: tuple) -> None:
        size = tokens_shape[-1]
        initializer = keras.initializers.GlorotUniform(self.seed)
        self.view = self.add_weight(name="view", shape=(size, size), initializer=initializer)

    def call(self, tokens: Any) -> Any:
        changes = ops.abs(tokens[:, 1:] - tokens[:, :-1])  # [B,T-1,D]
        changes = ops.concatenate([ops.zeros_like(tokens[:, :1]), changes], axis=1)  # [B,T,D]
        return tokens + ops.matmul(changes, self.view)  # [B,T,D] x [D,D]

    def compute_output_shape(self, tokens_shape: tuple) -> tuple:
        return tokens_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
