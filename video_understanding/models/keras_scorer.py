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
    """Scores by a `VideoUnderstandingModel`; logits are divided by the head's `temperature` (1 where none is given)."""

    def __init__(self, model: VideoUnderstandingModel, temperature: Mapping[str, float] | None = None) -> None:
        self.spec: ModelSpec = model.spec
        self.labels: Labels = model.labels
        self._temperature = dict(temperature or {})
        self._run = tf.function(lambda inputs: model(inputs, training=False))

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
            powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
            heads[head] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return Scores(self.labels, heads)
