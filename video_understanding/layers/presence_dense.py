"""A dense layer with weights of its own for each set of modalities that a clip may have."""

from __future__ import annotations

from itertools import product
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("video_understanding")
class PresenceDense(keras.layers.Layer):
    """Features [B,P] and presence [B,M] -> [B,units], by the weights of the modalities that are present.

    A classifier of video and audio together is not the best one for audio alone. So there is a kernel [P,units] for
    every non-empty set of the M modalities, in the order of `presence_sets`; a clip without any gives zeros.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, features_shape: tuple, presence_shape: tuple) -> None:
        count, size = len(presence_sets(presence_shape[-1])), features_shape[-1]
        self.kernel = self.add_weight(name="kernel", shape=(count, size, self.units), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(count, self.units), initializer="zeros")

    def call(self, features: Any, presence: Any) -> Any:
        outputs = 0.0
        for number, chosen in enumerate(chosen_sets(ops.cast(presence, features.dtype))):
            outputs = outputs + chosen * (ops.matmul(features, self.kernel[number]) + self.bias[number])  # [B,units]
        return outputs

    def compute_output_shape(self, features_shape: tuple, presence_shape: tuple) -> tuple:
        return (features_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def presence_sets(modalities: int) -> list[tuple[bool, ...]]:
    """All non-empty sets of this many modalities, each as one truth value per modality."""
    return [members for members in product((False, True), repeat=modalities) if any(members)]


def chosen_sets(presence: Any) -> list[Any]:
    """Presence [B,M] of 0 and 1 -> for each of `presence_sets` [B,1], one where exactly these are present."""
    chosen = []
    for members in presence_sets(presence.shape[-1]):
        own = 1.0
        for place, member in enumerate(members):
            there = presence[:, place : place + 1]
            own = own * (there if member else 1 - there)
        chosen.append(own)
    return chosen
