"""The face encoder: a small residual CNN over the grey crop of one face."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from video_understanding.models.faces.convolve import convolve

SIZE_PX = 48  # height and width of a crop
EXPRESSIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
STEM = 24  # channels of the first convolution, which halves height and width
STAGES = ((24, 1), (64, 2), (128, 2), (192, 2))  # channels and stride of each residual block
FEATURES = STAGES[-1][0]
_MIDDLE, _SPREAD = 128.0, 64.0  # of the pixels of ordinary crops


def make_face_encoder(seed: int | None = None, size_px: int | None = SIZE_PX) -> keras.Model:
    """Builds the encoder with random weights; `weights.load_face_weights` gives it the pretrained ones.

    Args:
        seed: of the random weights.
        size_px: height and width of the crops; None takes crops of any size, which training uses.

    Returns:
        A model uint8 or float [B,48,48,1] from 0 to 255 -> {"features": [B,192], "expression": logits [B,8]}.
    """
    seeds = iter(range(seed, seed + 1000)) if seed is not None else iter(lambda: None, 0)
    crop = keras.Input((size_px, size_px, 1), name="crop")
    x = keras.layers.Rescaling(1 / _SPREAD, -_MIDDLE / _SPREAD, name="scale")(crop)
    x = convolve(x, STEM, 4, 2, seeds, "stem")  # [B,24,24,24]
    x = keras.layers.ReLU(name="stem_relu")(x)
    for number, (channels, stride) in enumerate(STAGES, start=1):
        x = _residual(x, channels, stride, seeds, f"block_{number}")  # at last [B,3,3,192]
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)  # [B,192]
    logits = keras.layers.Dense(
        len(EXPRESSIONS), kernel_initializer=keras.initializers.GlorotUniform(next(seeds)), name="expression"
    )(features)  # [B,8]
    return keras.Model(crop, {"features": features, "expression": logits}, name="face_encoder")


def _residual(
    x: keras.KerasTensor, channels: int, stride: int, seeds: Iterator[int | None], name: str
) -> keras.KerasTensor:
    """[B,h,w,c] -> [B,h/stride,w/stride,channels]."""
    y = convolve(x, channels, 3, stride, seeds, f"{name}_a")
    y = keras.layers.ReLU(name=f"{name}_a_relu")(y)
    y = convolve(y, channels, 3, 1, seeds, f"{name}_b")
    if stride > 1:
        x = keras.layers.AveragePooling2D(stride, padding="same", name=f"{name}_mean")(x)
    if x.shape[-1] != channels:
        x = convolve(x, channels, 1, 1, seeds, f"{name}_shortcut")
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.Add(name=f"{name}_sum")([x, y]))
