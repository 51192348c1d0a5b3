"""The convolution with batch normalisation that both face networks are made of."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from video_understanding.layers.batch_norm import BatchNormalization

_NORM_MOMENTUM = 0.98


def convolve(
    x: keras.KerasTensor, channels: int, size: int, stride: int, seeds: Iterator[int | None], name: str
) -> keras.KerasTensor:
    """[B,h,w,c] -> [B,h/stride,w/stride,channels], normalised; `seeds` gives the seed of the random weights."""
    x = keras.layers.Conv2D(
        channels,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(next(seeds)),
        name=f"{name}_conv",
    )(x)
    return BatchNormalization(momentum=_NORM_MOMENTUM, name=f"{name}_norm")(x)
