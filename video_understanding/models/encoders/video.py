"""The encoder of frames: one CNN over each, and its features as a token."""

from __future__ import annotations

from pathlib import Path

import keras

from video_understanding.layers.motion import MotionTokens
from video_understanding.models.backbones import freeze, make_backbone
from video_understanding.models.encoders.base import Encoder, part_seed
from video_understanding.spec import ModelSpec


def video_encoder(spec: ModelSpec, weights: str | Path | None = "default", seed: int | None = None) -> Encoder:
    """Frames of a window [B,T,H,W,3] -> a token of each, [B,T,D]."""
    network = spec.network
    backbone = make_video_backbone(spec, weights, part_seed(seed, 0))
    features = backbone.output_shape[-1]
    learns = network.classifier == "network"
    return Encoder(
        backbone,
        make_frame_head(spec, features, part_seed(seed, 1)),
        piece_shape=spec.frames_shape[1:],
        pieces=spec.frames,
        context=MotionTokens(part_seed(seed, 40), name="motion")
        if learns and network.motion and spec.frames > 1
        else None,
        dropout=network.dropout if learns else 0.0,
        seed=part_seed(seed, 41),
        pooling="mean_and_change",
        blocks=2 * [features],
        settings=repr((spec.video.height_px, spec.video.width_px)),
        name="video",
    )


def make_video_backbone(
    spec: ModelSpec, weights: str | Path | None = "default", seed: int | None = None
) -> keras.Model:
    """The spec's CNN, float32 [B,H,W,3] of 0 to 255 -> features [B,F], frozen as the spec says."""
    network = spec.network
    backbone = make_backbone(network.backbone, spec.video.height_px, spec.video.width_px, weights=weights, seed=seed)
    freeze(backbone, network.unfrozen_blocks)
    return backbone


def make_frame_head(spec: ModelSpec, features: int, seed: int | None = None) -> keras.Model:
    """Features [B,F] of one frame -> its token [B,D]; a linear classifier works on the features themselves."""
    inputs = keras.Input((features,), name="features")
    if spec.network.classifier != "network":
        return keras.Model(inputs, keras.layers.Identity(name="token")(inputs), name="frame_head")
    initializer = keras.initializers.GlorotUniform(seed)
    token = keras.layers.Dense(spec.network.token_size, kernel_initializer=initializer, name="token")(inputs)  # [B,D]
    return keras.Model(inputs, keras.layers.LayerNormalization(epsilon=1e-5, name="even")(token), name="frame_head")
