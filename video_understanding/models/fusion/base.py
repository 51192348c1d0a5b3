"""What every way of joining the senses is: tokens of both in, one vector per clip out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


class Fusion(keras.layers.Layer):
    """Picture tokens [B,T,D], sound tokens [B,M,D], presence [B,2] -> [B,D].

    `picture_times_s` (T) and `sound_times_s` (M) say when each token is, in seconds within the window.
    Tokens of a missing sense are already those that stand for it; `presence` tells which these are.
    A way that attends can be asked for its weights with `attention`.
    """

    def __init__(
        self,
        picture_times_s: Sequence[float],
        sound_times_s: Sequence[float],
        heads: int = 4,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.picture_times_s = [float(time_s) for time_s in picture_times_s]
        self.sound_times_s = [float(time_s) for time_s in sound_times_s]
        self.heads = heads
        self.dropout = dropout
        self.seed = seed

    def compute_output_shape(self, picture_shape: tuple, sound_shape: tuple, presence_shape: tuple) -> tuple:
        return (picture_shape[0], picture_shape[-1])

    def get_config(self) -> dict[str, Any]:
        names = ("picture_times_s", "sound_times_s", "heads", "dropout", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def seed_for(self, number: int) -> int | None:
        """A seed of its own for each part that draws random numbers."""
        return None if self.seed is None else self.seed + number
