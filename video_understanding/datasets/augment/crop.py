"""Crop: a part of the picture, the same for all frames of a clip, enlarged to the whole."""

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


@dataclass(frozen=True)
class Crop(Augmentation):
    """Shows a window of the picture: nearer, off the centre, a little stretched.

    area_fraction  how much of the picture's area the window has
    aspect         width over height of the window, relative to the picture's own
    """

    area_fraction: Range = (0.6, 1.0)
    aspect: Range = (0.85, 1.18)

    def __post_init__(self) -> None:
        require_range(self, "area_fraction", 0.01, 1.0)
        require_range(self, "aspect", 0.1, 10.0)

    def draw(self, clip: Clip, generator: np.random.Generator, /) -> Parameters:
        _, height, width, _ = clip.frames.shape
        area = drawn_uniformly(self.area_fraction, generator)
        aspect = drawn_by_ratio(self.aspect, generator)
        height_px = min(height, max(1, round(height * math.sqrt(area / aspect))))
        width_px = min(width, max(1, round(width * math.sqrt(area * aspect))))
        return {
            "top_px": int(generator.integers(height - height_px + 1)),
            "left_px": int(generator.integers(width - width_px + 1)),
            "height_px": height_px,
            "width_px": width_px,
        }

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        if not clip.has_video:
            return clip
        cv2 = opencv()
        _, height, width, _ = clip.frames.shape
        top, left = parameters["top_px"], parameters["left_px"]
        window = clip.frames[:, top : top + parameters["height_px"], left : left + parameters["width_px"]]  # [T,h,w,3]
        frames = np.empty_like(clip.frames)  # [T,H,W,3]
        for small, whole in zip(window, frames, strict=True):
            cv2.resize(small, (width, height), dst=whole, interpolation=cv2.INTER_LINEAR)
        return dataclasses.replace(clip, frames=frames)
