"""A layer applied to every frame at once, by folding time into the batch."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("video_understanding")
class OverTime(keras.layers.Layer):
    """[B,T,...] -> [B,T,...'] with the inner layer applied to each of the T pieces.

    The same as `keras.layers.TimeDistributed`, which in Keras 3 unrolls a loop over T: twelve times
    the graph, and several times the time of a training step.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: tuple) -> None:
        if not self.layer.built:
            self.layer.build((None, *input_shape[2:]))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        batch, pieces = ops.shape(inputs)[0], inputs.shape[1]
        folded = ops.reshape(inputs, (-1, *inputs.shape[2:]))  # [B*T,...]
        arguments = {"training": training} if self.layer._call_has_training_arg else {}
        outputs = self.layer(folded, **arguments)  # [B*T,...']
        if pieces is None:
            pieces = ops.shape(inputs)[1]
        return ops.reshape(outputs, (batch, pieces, *outputs.shape[1:]))  # [B,T,...']

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        inner = self.layer.compute_output_shape((None, *input_shape[2:]))
        return (*input_shape[:2], *inner[1:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OverTime:
        config = dict(config)
        return cls(keras.saving.deserialize_keras_object(config.pop("layer")), **config)
