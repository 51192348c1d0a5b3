"""A small listener that learns from nothing: convolutions along time, all bands at once."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from video_understanding.layers.batch_norm import BatchNormalization
from video_understanding.spec import ModelSpec

CHANNELS = (64, 96, 128)  # of the convolutions; each but the first halves the time
# Data sets of a few hundred clips give a dozen steps an epoch: averages that lag by a hundred steps, as Keras's do by
# default, are still those of the random beginning when the first epochs are judged.
NORM_MOMENTUM = 0.9
TYPICAL_DB = 40.0  # above the floor; brings the decibels near to one


def conv1d(log_mel: keras.KerasTensor, _spec: ModelSpec, seeds: Iterator[int | None]) -> keras.KerasTensor:
    """Log-mel [B,S,bands] -> [B,S/4,128]."""
    heard = keras.layers.Rescaling(1 / TYPICAL_DB, -1.0, name="scale")(log_mel)
    for number, channels in enumerate(CHANNELS):
        heard = keras.layers.Conv1D(
            channels,
            5,
            strides=1 if number == 0 else 2,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(next(seeds)),
            name=f"conv_{number}",
        )(heard)  # [B,S/2^number,channels]
        heard = BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}")(heard)
        heard = keras.layers.ReLU(name=f"relu_{number}")(heard)
    return heard
