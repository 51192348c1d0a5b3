"""The SavedModel of a model: what it can be asked is what `video_understanding.signatures` names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from video_understanding.export.quiet import quiet
from video_understanding.labels import EMBEDDING
from video_understanding.modality import Modality, modalities_of
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.encoders import Encoder
from video_understanding.models.keras_scorer import probabilities
from video_understanding.signatures import PRESENCE


def write_saved_model(model: VideoUnderstandingModel, temperature: Mapping[str, float], folder: Path) -> None:
    """Writes a SavedModel whose signatures take raw frames, sound and the like, any number, and give probabilities.

    A caller who names no signature gets `classify`.
    """
    spec, shapes = model.spec, model.token_shapes
    modalities = modalities_of(spec.modalities)
    encoders = {one.name: _encoder(one, model.encoders[one.name]) for one in modalities}

    def fuse(given: Mapping[str, Any]) -> dict[str, Any]:
        tokens = {one.name: given[one.tokens] for one in modalities}
        embedding, logits = model.embed_and_classify(tokens, given[PRESENCE], training=False)
        return {**probabilities(model, logits, temperature), EMBEDDING: embedding}  # [B,C] each, [B,E]

    @tf.function  # so that both signatures that call it share one graph
    def whole(given: Mapping[str, Any]) -> dict[str, Any]:
        parts = {PRESENCE: given[PRESENCE]}
        for one in modalities:
            pieces = tf.reshape(given[one.input], (-1, *one.piece_shape(spec)))  # [B*P,...]
            tokens = encoders[one.name]({one.input: pieces})[one.tokens]
            parts[one.tokens] = tf.reshape(tokens, (-1, *shapes[one.name]))  # [B,n,D]
        return fuse(parts)

    def classify(given: Mapping[str, Any]) -> dict[str, Any]:
        found = whole(given)
        return {head: found[head] for head in model.labels.heads}

    def embed(given: Mapping[str, Any]) -> dict[str, Any]:
        return {EMBEDDING: whole(given)[EMBEDDING]}

    presence = [(PRESENCE, (len(modalities),), tf.float32)]
    windows = [(one.input, one.window_shape(spec), one.dtype) for one in modalities]
    tokens = [(one.tokens, shapes[one.name], tf.float32) for one in modalities]
    archive = keras.export.ExportArchive()
    archive.track(model)
    for name, function, inputs in (
        ("classify", classify, windows + presence),  # first, and so the one for callers who name none
        *((one.signature, encoders[one.name], [(one.input, one.piece_shape(spec), one.dtype)]) for one in modalities),
        ("fuse", fuse, tokens + presence),
        ("embed", embed, windows + presence),
    ):
        signature = {own: tf.TensorSpec((None, *shape), dtype, name=own) for own, shape, dtype in inputs}
        archive.add_endpoint(name, function, input_signature=[signature])
    with quiet():
        archive.write_out(str(folder), verbose=False)


def _encoder(modality: Modality, encoder: Encoder) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda given: {modality.tokens: encoder.encode_pieces(given[modality.input])}
