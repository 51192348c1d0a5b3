"""Boxes that a user brings along, such as those of a table, in the place of a detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from video_understanding.errors import ManifestError
from video_understanding.faces.face import Face

BOX_COLUMNS = ("face_left", "face_top", "face_right", "face_bottom")  # as shares of the picture's width and height


class GivenBoxes:
    """A `FaceDetector` that returns the same boxes for every frame, as shares of its width and height."""

    def __init__(self, boxes: Sequence[tuple[float, float, float, float]]) -> None:
        self._boxes = [tuple(map(float, box)) for box in boxes]

    def __call__(self, frame: np.ndarray) -> list[Face]:
        """The faces of a frame uint8 [H,W,3]."""
        height_px, width_px = frame.shape[:2]
        size = (width_px, height_px, width_px, height_px)
        return [Face(tuple(share * whole for share, whole in zip(box, size, strict=True))) for box in self._boxes]

    @classmethod
    def of_row(cls, row: Mapping[str, str], where: str) -> GivenBoxes | None:
        """The box in the columns `BOX_COLUMNS` of one row of a table; None where they are absent or empty.

        Args:
            row: column -> its text.
            where: the table and line, for the error.
        """
        texts = [(row.get(column) or "").strip() for column in BOX_COLUMNS]
        if not any(texts):
            return None
        try:
            left, top, right, bottom = map(float, texts)
        except ValueError:
            left = top = right = bottom = 0.0
        if not (left < right and top < bottom and max(map(abs, (left, top, right, bottom))) <= 2):
            raise ManifestError(
                where,
                f"has no box in {', '.join(BOX_COLUMNS)}: {', '.join(texts)}",
                "Give four shares of the picture's width and height, 0 to 1, or leave all four empty.",
            )
        return cls([(left, top, right, bottom)])
