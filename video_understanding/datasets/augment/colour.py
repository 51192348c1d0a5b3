"""Colour jitter: other light and another camera, the same for all frames of a clip."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.augment.augmentation import (
    Augmentation,
    Parameters,
    Range,
    drawn_by_ratio,
    drawn_uniformly,
    require_range,
)
from video_understanding.datasets.augment.opencv import opencv

# Red, green and blue into brightness and two axes of colour (the NTSC's YIQ), where a turn about the
# first axis changes the hue and leaves the brightness alone.
YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
RGB = np.linalg.inv(YIQ)


@dataclass(frozen=True)
class Colour(Augmentation):
    """Changes brightness, contrast, saturation and hue.

    brightness_factor  what every value is multiplied by
    contrast_factor    what the distance from the clip's mean brightness is multiplied by
    saturation_factor  what the distance from grey is multiplied by
    hue_degrees        how far the colours turn around grey
    """

    brightness_factor: Range = (0.75, 1.33)
    contrast_factor: Range = (0.8, 1.25)
    saturation_factor: Range = (0.7, 1.4)
    hue_degrees: Range = (-10.0, 10.0)

    def __post_init__(self) -> None:
        for name in ("brightness_factor", "contrast_factor", "saturation_factor"):
            require_range(self, name, 0.01, 100.0)
        require_range(self, "hue_degrees", -180.0, 180.0)

    def draw(self, _clip: Clip, generator: np.random.Generator, /) -> Parameters:
        return {
            "brightness_factor": drawn_by_ratio(self.brightness_factor, generator),
            "contrast_factor": drawn_by_ratio(self.contrast_factor, generator),
            "saturation_factor": drawn_by_ratio(self.saturation_factor, generator),
            "hue_degrees": drawn_uniformly(self.hue_degrees, generator),
        }

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        if not clip.has_video:
            return clip
        cv2 = opencv()
        frames, height, width, _ = clip.frames.shape
        rows = clip.frames.reshape(frames * height, width, 3)  # [T*H,W,3], one tall picture
        mean_brightness = YIQ[0] @ cv2.mean(rows)[:3]
        # All four are linear, so one matrix and one offset make one pass over the pixels.
        brightness, contrast = parameters["brightness_factor"], parameters["contrast_factor"]
        linear = brightness * contrast * _colour_matrix(parameters["saturation_factor"], parameters["hue_degrees"])
        offset = brightness * (1.0 - contrast) * mean_brightness
        matrix = np.column_stack([linear, np.full(3, offset)])  # [3,4]
        changed = cv2.transform(rows, matrix)
        return dataclasses.replace(clip, frames=changed.reshape(clip.frames.shape))  # [T,H,W,3]


def _colour_matrix(saturation: float, hue_degrees: float) -> np.ndarray:
    """float64 [3,3], RGB to RGB: the two axes of colour scaled and turned."""
    along = saturation * math.cos(math.radians(hue_degrees))
    across = saturation * math.sin(math.radians(hue_degrees))
    return RGB @ np.array([[1.0, 0.0, 0.0], [0.0, along, -across], [0.0, across, along]]) @ YIQ
