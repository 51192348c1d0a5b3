"""One detected face, and what a detector is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.errors import ClipError

Point = tuple[float, float]  # (x, y) in pixels of the frame


@dataclass(frozen=True)
class Face:
    """Where a face is in a frame.

    box    (left, top, right, bottom) in pixels, from the brows to the chin; it may reach beyond the frame
    score  confidence, 0 to 1
    eyes   the eye on the left of the picture and the one on the right; None if the detector does not say
    """

    box: tuple[float, float, float, float]
    score: float = 1.0
    eyes: tuple[Point, Point] | None = None

    def __post_init__(self) -> None:
        numbers = (*self.box, self.score, *(value for eye in self.eyes or () for value in eye))
        if len(self.box) != 4 or not all(map(math.isfinite, numbers)):
            raise ClipError(
                "face", f"has the box {self.box}, not four finite numbers", "Give left, top, right, bottom."
            )
        if self.width_px <= 0 or self.height_px <= 0:
            raise ClipError("face", f"has the empty box {self.box}", "Give left, top, right, bottom in pixels.")
        if not 0 <= self.score <= 1:
            raise ClipError("face", f"has the score {self.score}", "Give a score from 0 to 1.")

    @property
    def width_px(self) -> float:
        return self.box[2] - self.box[0]

    @property
    def height_px(self) -> float:
        return self.box[3] - self.box[1]

    @property
    def area_px(self) -> float:
        return self.width_px * self.height_px

    @property
    def middle(self) -> Point:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    def share_inside(self, height_px: int, width_px: int) -> float:
        """How much of the box lies in a frame of this size, 0 to 1."""
        wide = min(self.box[2], width_px) - max(self.box[0], 0)
        high = min(self.box[3], height_px) - max(self.box[1], 0)
        return max(wide, 0) * max(high, 0) / self.area_px


FaceDetector = Callable[[np.ndarray], Sequence[Face]]
"""A frame uint8 [H,W,3] RGB -> its faces. Any such callable can take the place of the detector that ships."""


def overlap(one: Face, other: Face) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    wide = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    high = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    both = max(wide, 0) * max(high, 0)
    return both / (one.area_px + other.area_px - both)
