"""The face detector: a small CNN over a picture of 128 x 128 pixels, with an answer for every cell of two grids."""

from __future__ import annotations

import math
from collections.abc import Iterator

import keras

from video_understanding.faces.network_detector import SIZE_PX
from video_understanding.models.faces.convolve import convolve

PLACES = 8  # numbers that say where a face is: box and eyes
FINE, COARSE = 48, 96  # channels of the maps of 16 x 16 and of 8 x 8 cells
_FEW = -math.log(99)  # bias of a score: one cell in a hundred has a face


def make_face_detector(seed: int | None = None) -> keras.Model:
    """Builds the detector with random weights; `weights.load_face_weights` gives it the pretrained ones.

    Returns:
        A model of pictures [B,128,128,3], RGB from 0 to 255 -> {"scores": logits [B,320], "places": [B,320,8]}, the
        cells of 16 x 16 before those of 8 x 8, as `faces.network_detector.decode` reads them.
    """
    seeds = iter(range(seed, seed + 1000)) if seed is not None else iter(lambda: None, 0)
    picture = keras.Input((SIZE_PX, SIZE_PX, 3), name="picture")
    x = keras.layers.Rescaling(1 / 64, -2.0, name="scale")(picture)
    x = _convolve(x, 16, 4, 2, seeds, "stem")  # [B,64,64,16]
    x = _convolve(x, 24, 3, 2, seeds, "quarter")  # [B,32,32,24]
    x = _convolve(x, FINE, 3, 2, seeds, "fine")  # [B,16,16,48]
    fine = _residual(x, seeds, "fine_block")
    x = _convolve(fine, COARSE, 3, 2, seeds, "coarse")  # [B,8,8,96]
    coarse = _residual(x, seeds, "coarse_block")
    above = _convolve(coarse, FINE, 1, 1, seeds, "above")  # what surrounds a cell tells a face from a ball
    above = keras.layers.UpSampling2D(2, name="above_larger")(above)  # [B,16,16,48]
    fine = keras.layers.Add(name="fine_sum")([fine, above])
    fine = _convolve(fine, FINE, 3, 1, seeds, "fine_last")
    scores, places = [], []
    for name, cells in (("fine", fine), ("coarse", coarse)):
        count = cells.shape[1] * cells.shape[2]
        score = _answer(cells, 1, keras.initializers.Constant(_FEW), seeds, f"{name}_score")
        scores.append(keras.layers.Reshape((count,), name=f"{name}_scores")(score))
        place = _answer(cells, PLACES, "zeros", seeds, f"{name}_place")
        places.append(keras.layers.Reshape((count, PLACES), name=f"{name}_places")(place))
    return keras.Model(
        picture,
        {
            "scores": keras.layers.Concatenate(name="scores")(scores),
            "places": keras.layers.Concatenate(axis=1, name="places")(places),
        },
        name="face_detector",
    )


def _residual(x: keras.KerasTensor, seeds: Iterator[int | None], name: str) -> keras.KerasTensor:
    """[B,h,w,c] -> the same shape."""
    channels = x.shape[-1]
    y = _convolve(x, channels, 3, 1, seeds, f"{name}_a")
    y = _convolve(y, channels, 3, 1, seeds, f"{name}_b", relu=False)
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.Add(name=f"{name}_sum")([x, y]))


def _convolve(
    x: keras.KerasTensor,
    channels: int,
    size: int,
    stride: int,
    seeds: Iterator[int | None],
    name: str,
    relu: bool = True,
) -> keras.KerasTensor:
    x = convolve(x, channels, size, stride, seeds, name)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _answer(
    x: keras.KerasTensor,
    numbers: int,
    bias: str | keras.initializers.Initializer,
    seeds: Iterator[int | None],
    name: str,
) -> keras.KerasTensor:
    return keras.layers.Conv2D(
        numbers, 1, bias_initializer=bias, kernel_initializer=keras.initializers.HeNormal(next(seeds)), name=name
    )(x)
