"""Batch normalisation in one pass over the numbers, where Keras 3 makes half a dozen."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("video_understanding")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer for [B,S,C] and [B,H,W,C], by TensorFlow's own kernel: a step of a small CNN takes a quarter less.

    Weights, settings and name are Keras's, so that each reads what the other has saved. What is kept of the
    variance is the unbiased estimate, n / (n - 1) of Keras's for n numbers per channel.
    """

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) not in (3, 4) or self.axis not in (-1, len(input_shape) - 1):
            raise ValueError(f"{self.name}: the input is {list(input_shape)}; give [B,S,C] or [B,H,W,C], channels last")
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        learns = bool(training and self.trainable)
        if len(inputs.shape) == 3 and not learns:
            # As Keras does it: converters join a product and a sum to the convolution along time before them.
            return super().call(inputs, training=False)
        pixels = tf.cast(inputs, tf.float32)  # averages need the precision, whatever the policy computes in
        if len(inputs.shape) == 3:
            pixels = tf.expand_dims(pixels, 1)  # [B,1,S,C]
        settled = {} if learns else {"mean": self.moving_mean.value, "variance": self.moving_variance.value}
        even, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            pixels, self.gamma.value, self.beta.value, epsilon=self.epsilon, is_training=learns, **settled
        )
        if learns:
            for kept, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                kept.assign(kept * self.momentum + now * (1 - self.momentum))
        if len(inputs.shape) == 3:
            even = tf.squeeze(even, 1)  # [B,S,C]
        return tf.cast(even, self.compute_dtype)
