"""A Keras model as a scorer: inputs in, calibrated probabilities out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from video_understanding.modality import modalities_of
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.scorer import PartwiseScorer, Scores, Tokens

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
    """Scores by a `VideoUnderstandingModel`, as `probabilities` has them; `exact` False works in true batches."""

    def __init__(
        self, model: VideoUnderstandingModel, temperature: Mapping[str, float] | None = None, exact: bool = True
    ) -> None:
        self.spec = model.spec
        self.labels = model.labels
        self.token_shapes = model.token_shapes
        self._model = model
        self._temperature = dict(temperature or {})
        self._exact = exact
        # Each is traced once, for any number.
        self._encode = {
            one.name: self._traced(
                model.encoders[one.name].encode_pieces,
                [tf.TensorSpec((None, *one.piece_shape(model.spec)), one.dtype)],
                tf.float32,
            )
            for one in modalities_of(model.spec.modalities)
        }
        window = [
            {name: tf.TensorSpec((None, *shape), tf.float32) for name, shape in self.token_shapes.items()},
            tf.TensorSpec((None, len(self.token_shapes)), tf.float32),
        ]
        self._fuse = self._traced(
            lambda *window: model.embed_and_classify(*window, False)[1],
            window,
            {head: tf.float32 for head in model.labels.heads},
        )
        self._embed = self._traced(lambda *window: model.embed_and_classify(*window, False)[0], window, tf.float32)

    def _traced(self, compute: Callable[..., Any], inputs: list[Any], outputs: Any) -> Callable[..., Any]:
        """The function of batches as a graph: of the whole batch, or where it must be exact, of one after the other."""

        def one_by_one(*batch: Any) -> Any:
            # Within one call: exact, and far from the cost of a call for each.
            return tf.map_fn(
                lambda one: tf.nest.map_structure(
                    lambda out: out[0], compute(*tf.nest.map_structure(lambda part: part[None], one))
                ),
                batch,
                fn_output_signature=outputs,
            )

        return tf.function(one_by_one if self._exact else compute, input_signature=inputs)

    @cached_property
    def batched(self) -> KerasScorer:
        """The same scorer, computing in true batches."""
        return KerasScorer(self._model, self._temperature, exact=False) if self._exact else self

    def encode_pieces(self, modality: str, pieces: np.ndarray) -> np.ndarray:
        """Pieces [n,...] of a modality -> tokens float32 [n,D] or [n,K,D]."""
        encode = self._encode[modality]
        step = max(1, len(pieces)) if self._exact else AT_ONCE
        places = range(0, max(1, len(pieces)), step)  # of no pieces, too, the network gives the shape of tokens
        return np.concatenate([encode(tf.constant(pieces[place : place + step])).numpy() for place in places])

    def fuse(self, tokens: Tokens, presence: np.ndarray) -> Scores:
        """Tokens [B,n,D] of every modality and presence bool [B,M] -> scores of B windows."""
        heads = probabilities(self._model, self._fuse(*_window(tokens, presence)), self._temperature)
        return Scores(self.labels, {head: keras.ops.convert_to_numpy(values) for head, values in heads.items()})

    def embed(self, tokens: Tokens, presence: np.ndarray) -> np.ndarray:
        """Tokens [B,n,D] of every modality and presence bool [B,M] -> embeddings float32 [B,E]."""
        return self._embed(*_window(tokens, presence)).numpy()


def _window(tokens: Tokens, presence: np.ndarray) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    return {name: tf.constant(values) for name, values in tokens.items()}, tf.constant(presence.astype(np.float32))
