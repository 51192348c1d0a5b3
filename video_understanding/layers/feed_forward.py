"""What each token makes of itself after it has looked around."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("video_understanding")
class FeedForward(keras.layers.Layer):
    """[B,S,D] -> [B,S,D]: a token plus what two dense layers make of it, `widening` times as wide between them."""

    def __init__(self, widening: int = 2, dropout: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widening = widening
        self.dropout = dropout
        self.seed = seed
        self._norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self._drop = keras.layers.Dropout(dropout, seed=seed)

    def build(self, input_shape: tuple) -> None:
        size = input_shape[-1]
        self._norm.build(input_shape)
        self._widen = keras.layers.Dense(self.widening * size, activation="relu", name="widen")
        self._narrow = keras.layers.Dense(size, name="narrow")
        self._widen.build(input_shape)
        self._narrow.build((*input_shape[:-1], self.widening * size))

    def call(self, tokens: Any, training: bool | None = None) -> Any:
        wide = self._widen(self._norm(tokens))  # [B,S,widening*D]
        return tokens + self._drop(self._narrow(wide), training=training)  # [B,S,D]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "widening": self.widening, "dropout": self.dropout, "seed": self.seed}
