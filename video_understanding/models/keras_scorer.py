"""A Keras model as a scorer: inputs in, calibrated probabilities out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.scorer import PartwiseScorer, Scores

AT_ONCE = 64  # frames in a true batch: more are no quicker, and their maps would need more memory


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
    """Scores by a `VideoUnderstandingModel`, as `probabilities` tells them; `exact` False works in true batches."""

    def __init__(
        self, model: VideoUnderstandingModel, temperature: Mapping[str, float] | None = None, exact: bool = True
    ) -> None:
        self.spec = model.spec
        self.labels = model.labels
        self.token_shapes = model.token_shapes
        self._model = model
        self._temperature = dict(temperature or {})
        self._exact = exact
        spec = model.spec
        tokens = [
            *(tf.TensorSpec((None, *shape), tf.float32) for shape in self.token_shapes.values()),
            tf.TensorSpec((None, 2), tf.float32),
        ]
        # Each is traced once, for any number.
        self._see = self._traced(
            lambda frames: model.note(model.see(frames[:, None], False), False)[:, 0],  # [n,1,D] -> [n,D]
            [tf.TensorSpec((None, *spec.frames_shape[1:]), tf.uint8)],
            tf.float32,
        )
        self._listen = self._traced(
            lambda hops: model.hop_encoder(hops, training=False),
            [tf.TensorSpec((None, spec.audio.hop_samples), tf.float32)],
            tf.float32,
        )
        self._conclude = self._traced(
            lambda *window: model.conclude(*window, False), tokens, {head: tf.float32 for head in model.labels.heads}
        )
        self._embed = self._traced(lambda *window: model.embed(*window, False), tokens, tf.float32)

    def _traced(self, compute: Callable[..., Any], inputs: list[tf.TensorSpec], outputs: Any) -> Callable[..., Any]:
        """The function of batches as a graph: of the whole batch, or where it must be exact, of one after the other."""

        def one_by_one(*batch: Any) -> Any:
            # Within one call: exact, and far from the cost of a call for each.
            return tf.map_fn(
                lambda one: tf.nest.map_structure(lambda out: out[0], compute(*(part[None] for part in one))),
                batch,
                fn_output_signature=outputs,
            )

        return tf.function(one_by_one if self._exact else compute, input_signature=inputs)

    @cached_property
    def batched(self) -> KerasScorer:
        """The same scorer, computing in true batches."""
        return KerasScorer(self._model, self._temperature, exact=False) if self._exact else self

    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        """uint8 [n,H,W,3] -> picture tokens float32 [n,D]."""
        return self._encoded(self._see, frames)

    def encode_hops(self, hops: np.ndarray) -> np.ndarray:
        """float32 [n,hop_samples] -> sound tokens float32 [n,K,D]."""
        return self._encoded(self._listen, hops)

    def fuse(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> Scores:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> scores of B windows."""
        logits = self._conclude(tf.constant(picture), tf.constant(sound), tf.constant(presence.astype(np.float32)))
        heads = probabilities(self._model, logits, self._temperature)
        return Scores(self.labels, {head: keras.ops.convert_to_numpy(values) for head, values in heads.items()})

    def embed(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> np.ndarray:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> embeddings float32 [B,E]."""
        return self._embed(tf.constant(picture), tf.constant(sound), tf.constant(presence.astype(np.float32))).numpy()

    def _encoded(self, encode: Callable[..., Any], parts: np.ndarray) -> np.ndarray:
        """Parts [n,...] -> tokens [n,...], so many at once as memory holds the network's maps of."""
        step = max(1, len(parts)) if self._exact else AT_ONCE
        places = range(0, max(1, len(parts)), step)  # of no parts, too, the network gives the shape of tokens
        return np.concatenate([encode(tf.constant(parts[place : place + step])).numpy() for place in places])
