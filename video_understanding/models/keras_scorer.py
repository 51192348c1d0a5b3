"""A Keras model as a scorer: inputs in, calibrated probabilities out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.scorer import PartwiseScorer, Scores


def probabilities(
    model: VideoUnderstandingModel, logits: Mapping[str, Any], temperature: Mapping[str, float]
) -> dict[str, Any]:
    """Logits [B,C] of each head -> probabilities [B,C], after division by the head's temperature (1 if not given).

    The scores of a clip sum to one, but in a multi-label head each class has a probability of its own.
    """
    several = model.spec.network.multi_label
    return {
        head: (ops.sigmoid if head in several else ops.softmax)(values / temperature.get(head, 1.0))
        for head, values in logits.items()
    }


class KerasScorer(PartwiseScorer):
    """Scores by a `VideoUnderstandingModel`, as `probabilities` tells them."""

    def __init__(self, model: VideoUnderstandingModel, temperature: Mapping[str, float] | None = None) -> None:
        self.spec = model.spec
        self.labels = model.labels
        self._temperature = dict(temperature or {})
        self.token_shapes = model.token_shapes
        spec = model.spec

        def one_by_one(one: Any, arrays: Any, outputs: Any) -> Any:
            # Within one call: exact, and far from the cost of a call for each.
            return tf.map_fn(one, arrays, fn_output_signature=outputs)

        # Each is traced once, for any number.
        self._see = tf.function(
            lambda frames: one_by_one(
                lambda frame: model.note(model.see(frame[None, None], False), False)[0, 0],  # [1,1,D] -> [D]
                frames,
                tf.float32,
            ),
            input_signature=[tf.TensorSpec((None, *spec.frames_shape[1:]), tf.uint8)],
        )
        self._listen = tf.function(
            lambda hops: one_by_one(lambda hop: model.hop_encoder(hop[None], training=False)[0], hops, tf.float32),
            input_signature=[tf.TensorSpec((None, spec.audio.hop_samples), tf.float32)],
        )
        tokens = [
            *(tf.TensorSpec((None, *shape), tf.float32) for shape in self.token_shapes.values()),
            tf.TensorSpec((None, 2), tf.float32),
        ]
        self._conclude = tf.function(
            lambda *window: one_by_one(
                lambda one: {
                    head: values[0] for head, values in model.conclude(*(part[None] for part in one), False).items()
                },
                window,
                {head: tf.float32 for head in model.labels.heads},
            ),
            input_signature=tokens,
        )
        self._embed = tf.function(
            lambda *window: one_by_one(
                lambda one: model.embed(*(part[None] for part in one), False)[0], window, tf.float32
            ),
            input_signature=tokens,
        )
        self._probabilities = lambda logits: probabilities(model, logits, self._temperature)

    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        """uint8 [n,H,W,3] -> picture tokens float32 [n,D]."""
        return self._see(tf.constant(frames)).numpy()

    def encode_hops(self, hops: np.ndarray) -> np.ndarray:
        """float32 [n,hop_samples] -> sound tokens float32 [n,K,D]."""
        return self._listen(tf.constant(hops)).numpy()

    def fuse(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> Scores:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> scores of B windows."""
        logits = self._conclude(tf.constant(picture), tf.constant(sound), tf.constant(presence.astype(np.float32)))
        heads = self._probabilities(logits)
        return Scores(self.labels, {head: keras.ops.convert_to_numpy(values) for head, values in heads.items()})

    def embed(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> np.ndarray:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> embeddings float32 [B,E]."""
        return self._embed(tf.constant(picture), tf.constant(sound), tf.constant(presence.astype(np.float32))).numpy()
