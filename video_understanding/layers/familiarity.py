"""How familiar an embedding is: whether it lies where those of the clips lay that a head learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from video_understanding.layers.presence_dense import chosen_sets, presence_sets

AXES = 32  # in which the clips of a head vary by more than the rest of the embedding does
_LEAST_DISTANCE = 1e-6  # keeps the logarithm finite
ALWAYS_FAMILIAR = 40.0  # a limit that no distance exceeds: of a layer that was not fitted


@keras.saving.register_keras_serializable("video_understanding")
class Familiarity(keras.layers.Layer):
    """Embedding [B,P] and presence [B,M] -> [B,1] from 0 (foreign) to 1 (familiar).

    The squared distance of each modality is that of probabilistic PCA: along `AXES` axes it is divided by the variance
    there, in all other directions by one variance. Those of the modalities that are present are added up, and the
    sigmoid of how far their logarithm lies below a limit is the answer; each set of modalities has a limit of its own.
    `sizes` says how many of the P numbers belong to each modality.
    """

    def __init__(self, sizes: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**{"trainable": False, **kwargs})
        self.sizes = list(sizes)

    def build(self, embedding_shape: tuple, presence_shape: tuple) -> None:
        self.centers, self.spreads, self.axes = [], [], []
        for place, size in enumerate(self.sizes):
            self.centers.append(self.add_weight(name=f"center_{place}", shape=(size,), initializer="zeros"))
            self.spreads.append(self.add_weight(name=f"spread_{place}", shape=(size,), initializer="zeros"))
            self.axes.append(self.add_weight(name=f"axes_{place}", shape=(size, AXES), initializer="zeros"))
        sets = len(presence_sets(presence_shape[-1]))
        limit = keras.initializers.Constant(ALWAYS_FAMILIAR)
        self.limit = self.add_weight(name="limit", shape=(sets,), initializer=limit)
        self.steepness = self.add_weight(name="steepness", shape=(sets,), initializer="ones")

    def call(self, embedding: Any, presence: Any) -> Any:
        presence = ops.cast(presence, embedding.dtype)
        distance, begin = 0.0, 0
        for place, size in enumerate(self.sizes):
            away = (embedding[:, begin : begin + size] - self.centers[place]) * self.spreads[place]  # [B,P_m]
            along = ops.matmul(away, self.axes[place])  # [B,AXES]
            own = ops.sum(away * away, axis=-1, keepdims=True) - ops.sum(along * along, axis=-1, keepdims=True)
            distance = distance + presence[:, place : place + 1] * ops.maximum(own, 0.0)  # [B,1]
            begin += size
        logarithm = ops.log(distance + _LEAST_DISTANCE)
        familiar = 0.0
        for number, chosen in enumerate(chosen_sets(presence)):
            familiar += chosen * ops.sigmoid(self.steepness[number] * (self.limit[number] - logarithm))
        return familiar

    def compute_output_shape(self, embedding_shape: tuple, presence_shape: tuple) -> tuple:
        return (embedding_shape[0], 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sizes": self.sizes}
