"""What an export can be asked: encode a frame or a hop, join a window, or all at once; and the SavedModel of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from video_understanding.export.quiet import quiet
from video_understanding.labels import EMBEDDING
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import probabilities

PARTS = ("encode_frame", "encode_audio", "fuse")  # of which the others, "classify" and "embed", are made


def write_saved_model(model: VideoUnderstandingModel, temperature: Mapping[str, float], folder: Path) -> None:
    """Writes a SavedModel whose signatures take raw frames and sound, any number of them, and give probabilities.

    encode_frame  frame uint8 [n,H,W,3] -> picture_tokens float32 [n,D]
    encode_audio  sound float32 [n,hop_samples] -> sound_tokens float32 [n,K,D]
    fuse          picture_tokens [B,T,D], sound_tokens [B,M*K,D], presence float32 [B,2]
                  -> each head [B,C], and embedding float32 [B,E]
    classify      frames uint8 [B,T,H,W,3], waveform float32 [B,N], presence float32 [B,2] -> each head [B,C]
    embed         the same -> embedding float32 [B,E]

    A caller who names none gets `classify`.
    """
    spec, shapes = model.spec, model.token_shapes

    def encode_frame(frame: Any) -> dict[str, Any]:
        seen = model.backbone(tf.cast(frame, tf.float32), training=False)  # [n,F]
        return {"picture_tokens": model.frame_head(seen, training=False)}  # [n,D]

    def encode_audio(sound: Any) -> dict[str, Any]:
        return {"sound_tokens": model.hop_encoder(sound, training=False)}  # [n,K,D]

    def fuse(picture_tokens: Any, sound_tokens: Any, presence: Any) -> dict[str, Any]:
        embedding, logits = model.embed_and_classify(picture_tokens, sound_tokens, presence, training=False)
        return {**probabilities(model, logits, temperature), EMBEDDING: embedding}  # [B,C] each, [B,E]

    @tf.function  # so that both signatures that call it share one graph
    def whole(frames: Any, waveform: Any, presence: Any) -> dict[str, Any]:
        picture = encode_frame(tf.reshape(frames, (-1, *spec.frames_shape[1:])))["picture_tokens"]  # [B*T,D]
        sound = encode_audio(tf.reshape(waveform, (-1, spec.audio.hop_samples)))["sound_tokens"]  # [B*M,K,D]
        return fuse(
            tf.reshape(picture, (-1, *shapes["video"])), tf.reshape(sound, (-1, *shapes["audio"])), presence
        )  # from [B,T,D] and [B,M*K,D]

    def classify(frames: Any, waveform: Any, presence: Any) -> dict[str, Any]:
        told = whole(frames, waveform, presence)
        return {head: told[head] for head in model.labels.heads}

    def embed(frames: Any, waveform: Any, presence: Any) -> dict[str, Any]:
        return {EMBEDDING: whole(frames, waveform, presence)[EMBEDDING]}

    presence = ("presence", (2,), tf.float32)
    picture = ("picture_tokens", shapes["video"], tf.float32)
    sound = ("sound_tokens", shapes["audio"], tf.float32)
    frames, waveform = ("frames", spec.frames_shape, tf.uint8), ("waveform", (spec.samples,), tf.float32)
    archive = keras.export.ExportArchive()
    archive.track(model)
    for function, inputs in (
        (classify, (frames, waveform, presence)),  # first, and so the one for callers who name none
        (encode_frame, (("frame", spec.frames_shape[1:], tf.uint8),)),
        (encode_audio, (("sound", (spec.audio.hop_samples,), tf.float32),)),
        (fuse, (picture, sound, presence)),
        (embed, (frames, waveform, presence)),
    ):
        signature = [tf.TensorSpec((None, *shape), dtype, name=name) for name, shape, dtype in inputs]
        archive.add_endpoint(function.__name__, function, input_signature=signature)
    with quiet():
        archive.write_out(str(folder), verbose=False)
