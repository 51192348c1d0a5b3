"""A listener that has heard much before: depthwise-separable convolutions over time and pitch, as over a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator

import keras

from video_understanding.layers.batch_norm import BatchNormalization
from video_understanding.spec import ModelSpec

STEM = 32  # channels of the first convolution, which halves time and bands
# Channels of each block, and its stride.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1))
AROUND_SPREAD = math.sqrt(2 / 9)  # of random weights that see 3x3 places of one channel; Keras counts all channels
NORM_MOMENTUM = 0.95
MIDDLE_DB, SPREAD_DB = -30.0, 20.0  # of the bands of ordinary recordings, as powers of a full scale


def separable(log_mel: keras.KerasTensor, spec: ModelSpec, seeds: Iterator[int | None]) -> keras.KerasTensor:
    """Log-mel [B,S,bands] -> [B,S/16,1024]: of each of 512 channels the mean and the highest over the bands."""
    heard = sound_map(log_mel, spec, seeds)  # [B,S/16,bands/16,512]
    moments, bands, channels = heard.shape[1:]
    mean = keras.layers.AveragePooling2D((1, bands), name="mean_over_bands")(heard)  # [B,S/16,1,512]
    highest = keras.layers.MaxPooling2D((1, bands), name="highest_of_bands")(heard)  # [B,S/16,1,512]
    both = keras.layers.Concatenate(name="both")([mean, highest])  # [B,S/16,1,1024]
    heard = keras.layers.Reshape((moments, 2 * channels), name="moments")(both)
    return BatchNormalization(momentum=NORM_MOMENTUM, name="norm_heard")(heard)


def sound_map(log_mel: keras.KerasTensor, spec: ModelSpec, seeds: Iterator[int | None]) -> keras.KerasTensor:
    """Log-mel [B,S,bands] -> [B,S/16,bands/16,512], what there is at each moment and pitch."""
    # From decibels above the spec's floor to those of a full scale: the floor only says where silence begins.
    floor_db = 10 * math.log10(spec.audio.log_mel.floor_power)
    heard = keras.layers.Rescaling(1 / SPREAD_DB, (floor_db - MIDDLE_DB) / SPREAD_DB, name="scale")(log_mel)
    bands = log_mel.shape[-1]
    # Bands are where the log-mel has them; a mixture of neighbours puts them where the convolutions like them.
    heard = keras.layers.Dense(bands, kernel_initializer="identity", name="bands")(heard)  # [B,S,bands]
    heard = keras.layers.Reshape((*heard.shape[1:], 1), name="as_picture")(heard)  # [B,S,bands,1]
    heard = keras.layers.Conv2D(
        STEM,
        3,
        strides=2,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(next(seeds)),
        name="stem_conv",
    )(heard)  # [B,S/2,bands/2,32]
    heard = _norm_relu(heard, "stem")
    for number, (channels, stride) in enumerate(BLOCKS, start=1):
        name = f"block_{number}"
        heard = keras.layers.DepthwiseConv2D(
            3,
            strides=stride,
            padding="same",
            use_bias=False,
            depthwise_initializer=keras.initializers.RandomNormal(0.0, AROUND_SPREAD, next(seeds)),
            name=f"{name}_around",
        )(heard)
        heard = _norm_relu(heard, f"{name}_around")
        heard = keras.layers.Conv2D(
            channels,
            1,
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(next(seeds)),
            name=f"{name}_across",
        )(heard)
        heard = _norm_relu(heard, f"{name}_across")
    return heard


def _norm_relu(heard: keras.KerasTensor, name: str) -> keras.KerasTensor:
    heard = BatchNormalization(momentum=NORM_MOMENTUM, name=f"{name}_norm")(heard)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(heard)  # never above 6, which eight bits tell finely
