"""A Keras model as a scorer: inputs in, calibrated probabilities out."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from video_understanding.labels import Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.scorer import ModelInputs, Scores
from video_understanding.spec import ModelSpec


class KerasScorer:
    """Scores by a `VideoUnderstandingModel`; logits are divided by the head's `temperature` (1 where none is given).

    The scores of a clip sum to one, but in a multi-label head each class has a probability of its own.
    """

    def __init__(self, model: VideoUnderstandingModel, temperature: Mapping[str, float] | None = None) -> None:
        self.spec: ModelSpec = model.spec
        self.labels: Labels = model.labels
        self._temperature = dict(temperature or {})
        spec = model.spec
        # Traced once, for batches of any size.
        signature = {
            "frames": tf.TensorSpec((None, *spec.frames_shape), tf.uint8),
            "waveform": tf.TensorSpec((None, spec.samples), tf.float32),
            "presence": tf.TensorSpec((None, 2), tf.float32),
        }
        self._run = tf.function(lambda inputs: model(inputs, training=False), input_signature=[signature])

    def logits(self, inputs: ModelInputs) -> dict[str, np.ndarray]:
        """float32 [B,C] for each head, before any temperature."""
        outputs = self._run(
            {
                "frames": tf.constant(inputs.frames),
                "waveform": tf.constant(inputs.waveform),
                "presence": tf.constant(inputs.presence.astype(np.float32)),
            }
        )
        return {head: keras.ops.convert_to_numpy(value) for head, value in outputs.items()}

    def __call__(self, inputs: ModelInputs) -> Scores:
        """Scores of the batch, in its order."""
        heads = {}
        for head, logits in self.logits(inputs).items():
            scaled = logits / self._temperature.get(head, 1.0)  # [B,C]
            if head in self.spec.network.multi_label:
                shares = (1 + np.tanh(scaled / 2)) / 2  # [B,C], the sigmoid, without numbers too large
            else:
                powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
                shares = powers / powers.sum(axis=1, keepdims=True)  # [B,C]
            heads[head] = shares.astype(np.float32)
        return Scores(self.labels, heads)
