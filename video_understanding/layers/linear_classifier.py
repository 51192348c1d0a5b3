"""The closed form as a layer: pooled statistics of frozen features, standardised, and one linear map for each head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from video_understanding.layers.familiarity import Familiarity
from video_understanding.layers.presence_dense import PresenceDense
from video_understanding.layers.statistics import POOLINGS


@keras.saving.register_keras_serializable("video_understanding")
class LinearClassifier(keras.layers.Layer):
    """Tokens [B,n,D] of each modality and presence [B,M] -> logits [B,C] of each head.

    The weights are solved in closed form (`training.closed_form`), not fitted by gradients, and are frozen: the layer
    answers before any epoch. `classes` says how many classes each head has, `poolings` by which of `POOLINGS` each
    modality's tokens become one vector. The logits of the heads in `familiar` are multiplied by how familiar the clip
    is (`Familiarity`): the less, the more even are the scores of its classes, and which is the highest stays.
    """

    def __init__(
        self, classes: Mapping[str, int], poolings: Sequence[str], familiar: Sequence[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(**{"trainable": False, **kwargs})
        self.classes = dict(classes)
        self.poolings = list(poolings)
        self.familiar = list(familiar)
        self.outputs = {head: PresenceDense(count, name=head) for head, count in self.classes.items()}

    def build(self, tokens_shape: Sequence[tuple], presence_shape: tuple) -> None:
        sizes = [
            POOLINGS[pooling](keras.KerasTensor(shape)).shape[-1]
            for pooling, shape in zip(self.poolings, tokens_shape, strict=True)
        ]
        self.means, self.scales = [], []  # scale: one over the standard deviation
        for place, size in enumerate(sizes):
            self.means.append(self.add_weight(name=f"mean_{place}", shape=(size,), initializer="zeros"))
            self.scales.append(self.add_weight(name=f"scale_{place}", shape=(size,), initializer="ones"))
        self.familiarity = {head: Familiarity(sizes, name=f"familiar_{head}") for head in self.familiar}
        for layer in (*self.outputs.values(), *self.familiarity.values()):
            layer.build((None, sum(sizes)), presence_shape)

    def call(self, tokens: Sequence[Any], presence: Any, return_embedding: bool = False) -> Any:
        """Logits [B,C] of each head; with `return_embedding` the embedding [B,P], and then these."""
        embedding = self.embed(tokens, presence)
        logits = self.classify(embedding, presence)
        return (embedding, logits) if return_embedding else logits

    def embed(self, tokens: Sequence[Any], presence: Any) -> Any:
        """The embedding [B,P]: the statistics of each modality, in standard deviations from the mean of training clips.

        A modality that is missing gives zeros.
        """
        parts = []
        for place, (pooling, values) in enumerate(zip(self.poolings, tokens, strict=True)):
            standard = (POOLINGS[pooling](values) - self.means[place]) * self.scales[place]  # [B,P_m]
            there = ops.cast(presence[:, place : place + 1], "bool")  # [B,1]
            # A choice and not a product: whatever a missing modality's tokens hold, even NaN, none of it comes through.
            parts.append(ops.where(there, standard, ops.zeros_like(standard)))
        return ops.concatenate(parts, axis=-1)  # [B,P]

    def classify(self, embedding: Any, presence: Any) -> dict[str, Any]:
        """The embedding [B,P] -> logits [B,C] of each head."""
        logits = {head: layer(embedding, presence) for head, layer in self.outputs.items()}
        return logits | {head: logits[head] * layer(embedding, presence) for head, layer in self.familiarity.items()}

    def get_config(self) -> dict[str, Any]:
        own = {"classes": self.classes, "poolings": self.poolings, "familiar": self.familiar}
        return {**super().get_config(), **own}
