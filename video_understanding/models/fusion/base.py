"""What every way of joining modalities is: tokens of each in, one vector per clip out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

Tokens = Mapping[str, Any]  # modality -> [B,n,D]
Shapes = Mapping[str, tuple]


class Fusion(keras.layers.Layer):
    """Tokens [B,n,D] of each modality, presence [B,M] -> [B,D].

    `times_s` has the modalities in the order of presence, and when each of their n tokens is, in seconds within the
    window. In the places of a missing modality stand tokens already; `presence` tells which these are. A fusion that
    attends can be asked for its weights with `attention`: modality -> other modality -> [B,heads,n,n of the other].
    """

    def __init__(
        self,
        times_s: Mapping[str, Sequence[float]],
        heads: int = 4,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.times_s = {name: [float(time_s) for time_s in own] for name, own in times_s.items()}
        self.heads = heads
        self.dropout = dropout
        self.seed = seed

    @property
    def modalities(self) -> list[str]:
        """Their names, in the order of presence."""
        return list(self.times_s)

    @property
    def all_times_s(self) -> list[float]:
        """Those of all tokens in one row."""
        return [time_s for own in self.times_s.values() for time_s in own]

    def size_of(self, tokens_shape: Shapes) -> int:
        """D."""
        return tokens_shape[self.modalities[0]][-1]

    def compute_output_shape(self, tokens_shape: Shapes, presence_shape: tuple) -> tuple:
        return (presence_shape[0], self.size_of(tokens_shape))

    def get_config(self) -> dict[str, Any]:
        times_s = {name: list(own) for name, own in self.times_s.items()}
        own = {name: getattr(self, name) for name in ("heads", "dropout", "seed")}
        return {**super().get_config(), "times_s": times_s, **own}

    def seed_for(self, number: int) -> int | None:
        """A seed of its own for each part that draws random numbers."""
        return None if self.seed is None else self.seed + number
