"""Features of every frame by a frozen backbone, computed once, so that an epoch takes seconds."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from video_understanding.datasets.cache import PreparedClips
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.progress import Bar

_WINDOWS_AT_A_TIME = 8


def frame_features(model: VideoUnderstandingModel, prepared: PreparedClips, progress: bool | None) -> np.ndarray:
    """float32 [windows,T,F] of all prepared windows."""
    encoder = model.encoders["video"]
    compute = tf.function(lambda frames: encoder.features(frames, training=False))
    features = np.empty((len(prepared), prepared.spec.frames, encoder.backbone.output_shape[-1]), np.float32)
    with Bar(len(prepared), "Encoding frames", "window", shown=progress) as bar:
        for begin in range(0, len(prepared), _WINDOWS_AT_A_TIME):
            numbers = np.arange(begin, min(begin + _WINDOWS_AT_A_TIME, len(prepared)))
            frames = prepared.arrays("video", numbers)  # [B,T,H,W,3]
            # A last, smaller batch is filled up: another shape would be traced anew.
            missing = _WINDOWS_AT_A_TIME - len(frames)
            frames = np.concatenate([frames, np.zeros((missing, *frames.shape[1:]), np.uint8)])
            features[numbers] = compute(tf.constant(frames)).numpy()[: len(numbers)]
            bar.update(len(numbers))
    return features
