"""From pixels 0 to 255 to the numbers that a network was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("video_understanding")
class PixelScale(keras.layers.Layer):
    """[B,H,W,3] with pixels 0 to 255 (RGB) -> [B,H,W,3], (pixels - mean) / deviation for each channel.

    With `blue_first` the channels come out as BGR; mean and deviation are in the order of the output.
    """

    def __init__(
        self, mean: Sequence[float], deviation: Sequence[float], blue_first: bool = False, **kwargs: Any
    ) -> None:
        # Frames stay as they come until they are scaled: half precision is for numbers around zero.
        super().__init__(autocast=False, **kwargs)
        self.mean = [float(value) for value in mean]
        self.deviation = [float(value) for value in deviation]
        self.blue_first = blue_first

    def call(self, frames: Any) -> Any:
        frames = ops.cast(frames, "float32")
        if self.blue_first:
            frames = ops.flip(frames, axis=-1)  # [B,H,W,3], BGR
        mean, scale = np.float32(self.mean), (1 / np.array(self.deviation)).astype(np.float32)  # [3] each
        if np.ptp(mean) == np.ptp(scale) == 0:
            mean, scale = mean[0], scale[0]  # the same for all channels: one number takes a tenth of three's time
        return ops.cast((frames - mean) * scale, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        names = ("mean", "deviation", "blue_first")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
