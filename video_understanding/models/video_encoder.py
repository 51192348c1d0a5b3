"""What looks: one CNN over a frame, and what it saw as a token."""

from __future__ import annotations

from pathlib import Path

import keras

from video_understanding.models.backbones import freeze, make_backbone
from video_understanding.spec import ModelSpec


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
