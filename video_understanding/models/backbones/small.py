"""A small network of our own: quick on one core, at home in eight bits, for frames from 32 pixels up."""

from __future__ import annotations

import keras

from video_understanding.layers.batch_norm import BatchNormalization
from video_understanding.models.backbones.pixels import PixelScale

STEM_CHANNELS = 16
# Channels and stride of each block. Five halvings with the stem's: 160 pixels become 5, and 32 become 1.
BLOCKS = ((32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (192, 2), (192, 1))


def small(height_px: int, width_px: int) -> keras.Model:
    """float32 [B,H,W,3], pixels 0 to 255 -> features [B,192], with random weights."""
    frames = keras.Input((height_px, width_px, 3), name="frames")
    x = PixelScale([127.5] * 3, [127.5] * 3, name="pixels")(frames)
    x = _conv(x, STEM_CHANNELS, 3, 2, "stem")  # [B,H/2,W/2,16]
    for index, (channels, stride) in enumerate(BLOCKS, start=1):
        before, name = x, f"block{index}"
        x = _depthwise(x, stride, f"{name}_depthwise")  # [B,h/stride,w/stride,channels before]
        x = _conv(x, channels, 1, 1, f"{name}_pointwise")  # [B,h/stride,w/stride,channels]
        if x.shape == before.shape:
            x = keras.layers.Add(name=f"{name}_add")([before, x])
    features = keras.layers.GlobalAveragePooling2D(name="pool")(x)  # [B,192]
    return keras.Model(frames, features, name="small")


def _conv(x: keras.KerasTensor, channels: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        channels, kernel, stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    return _normal_relu6(x, name)


def _depthwise(x: keras.KerasTensor, stride: int, name: str) -> keras.KerasTensor:
    # Each output sees nine numbers, where Keras counts nine of every channel and would begin far too small.
    initializer = keras.initializers.RandomNormal(stddev=(2 / 9) ** 0.5)
    x = keras.layers.DepthwiseConv2D(
        3, stride, padding="same", use_bias=False, depthwise_initializer=initializer, name=f"{name}_conv"
    )(x)
    return _normal_relu6(x, name)


def _normal_relu6(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    # Trained for thousands of steps, not for hundreds of thousands: the averages must keep up.
    x = BatchNormalization(momentum=0.95, name=f"{name}_bn")(x)
    return keras.layers.ReLU(max_value=6, name=f"{name}_relu")(x)
