"""One decoded frame to RGB pixels at the size of the spec: turned upright, scaled, fitted."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from video_understanding.media.placement import placement
from video_understanding.spec import VideoSpec

if TYPE_CHECKING:
    import av


class PictureMaker:
    """Makes uint8 RGB [H,W,3] pictures from the frames of one stream.

    One scaler serves all frames: setting it up anew for each would double the cost.
    """

    def __init__(self, spec: VideoSpec, pixel_aspect: float = 1.0) -> None:
        from av.video.reformatter import VideoReformatter

        self._spec = spec
        self._pixel_aspect = pixel_aspect if 0.1 < pixel_aspect < 10 else 1.0
        self._scaler = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """uint8 [H,W,3] of the frame as a person would see it."""
        spec = self._spec
        transpose, flip_rows, flip_columns = orientation(frame)
        height, width, aspect = frame.height, frame.width, self._pixel_aspect
        if transpose:
            height, width, aspect = width, height, 1 / aspect
        place = placement(height, width, spec.height_px, spec.width_px, spec.fit, aspect)
        scaled_height, scaled_width = place.height_px, place.width_px
        if transpose:
            scaled_height, scaled_width = scaled_width, scaled_height
        scaled = self._scaler.reformat(
            frame, width=scaled_width, height=scaled_height, format="rgb24", interpolation="BILINEAR", threads=1
        )
        pixels = scaled.to_ndarray()  # [h,w,3]
        if transpose:
            pixels = pixels.transpose(1, 0, 2)  # [w,h,3]
        if flip_rows:
            pixels = pixels[::-1]
        if flip_columns:
            pixels = pixels[:, ::-1]
        top, left = place.top_px, place.left_px
        if spec.fit == "crop":
            return pixels[top : top + spec.height_px, left : left + spec.width_px]  # [H,W,3]
        if pixels.shape[:2] == (spec.height_px, spec.width_px):
            return pixels
        padded = np.zeros((spec.height_px, spec.width_px, 3), np.uint8)  # [H,W,3]
        padded[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        return padded


def orientation(frame: av.VideoFrame) -> tuple[bool, bool, bool]:
    """(transpose, flip rows, flip columns) that make the frame upright, from its display matrix.

    The matrix sends a stored point (x, y) to the shown point (a x + c y, b x + d y); cameras write
    quarter turns and mirrorings, and any other angle is shown at the nearest of these.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False, False, False
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix))
    if abs(b) + abs(c) > abs(a) + abs(d):
        return True, b < 0, c < 0
    return False, d < 0, a < 0
