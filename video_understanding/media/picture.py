"""One decoded frame to RGB pixels at the size that the spec reads: rotated upright, scaled, fitted."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from video_understanding.media.placement import placement
from video_understanding.spec import VideoSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    import av


# Colour matrices (ITU-T H.273) that the scaler supports; it refuses YCgCo, ICtCp and the like.
_KNOWN_MATRICES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 9})


class PictureMaker:
    """Makes uint8 RGB [H,W,3] pictures from the frames of one stream; H and W are the spec's times its zoom.

    One scaler serves all frames: setting it up anew for each would double the cost.
    """

    def __init__(self, spec: VideoSpec, pixel_aspect: Callable[[], float] = lambda: 1.0) -> None:
        """`pixel_aspect` is called with the first frame: before that the value may not be known."""
        from av.video.reformatter import VideoReformatter

        self._fit = spec.fit
        self._size_px = spec.read_height_px, spec.read_width_px
        self._read_pixel_aspect = pixel_aspect
        self._pixel_aspect: float | None = None
        self._scaler = VideoReformatter()
        self._flips: dict[int, tuple[bool, bool]] = {}  # of rows and columns, by the frame's rotation

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """uint8 [H,W,3] of the frame as it is displayed."""
        fit, (height_px, width_px) = self._fit, self._size_px
        if self._pixel_aspect is None:
            aspect = self._read_pixel_aspect()
            self._pixel_aspect = aspect if 0.1 < aspect < 10 else 1.0
        rotation = frame.rotation
        transpose = _is_quarter_turn(rotation)
        height, width, aspect = frame.height, frame.width, self._pixel_aspect
        if transpose:
            height, width, aspect = width, height, 1 / aspect
        place = placement(height, width, height_px, width_px, fit, aspect)
        scaled_height, scaled_width = place.height_px, place.width_px
        if transpose:
            scaled_height, scaled_width = scaled_width, scaled_height
        scaled = self._scaler.reformat(
            frame,
            width=scaled_width,
            height=scaled_height,
            format="rgb24",
            src_colorspace=None if frame.colorspace in _KNOWN_MATRICES else "ITU709",
            interpolation="BILINEAR",
            threads=1,
        )
        if rotation not in self._flips:
            # Reading side data with PyAV puts a frame into a reference cycle, which only the garbage collector frees.
            # So it is read once, from the small copy.
            self._flips[rotation] = _flips(scaled, transpose)
        flip_rows, flip_columns = self._flips[rotation]
        pixels = scaled.to_ndarray()  # [h,w,3]
        if transpose:
            pixels = pixels.transpose(1, 0, 2)  # [w,h,3]
        if flip_rows:
            pixels = pixels[::-1]
        if flip_columns:
            pixels = pixels[:, ::-1]
        top, left = place.top_px, place.left_px
        if fit == "crop":
            return pixels[top : top + height_px, left : left + width_px]  # [H,W,3]
        if pixels.shape[:2] == (height_px, width_px):
            return pixels
        padded = np.zeros((height_px, width_px, 3), np.uint8)  # [H,W,3]
        padded[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        return padded


def orientation(frame: av.VideoFrame) -> tuple[bool, bool, bool]:
    """(transpose, flip rows, flip columns), in this order, that make the frame upright."""
    transpose = _is_quarter_turn(frame.rotation)
    return transpose, *_flips(frame, transpose)


def _is_quarter_turn(degrees: int) -> bool:
    """Whether an angle is nearer to a quarter turn, either way, than to none or a half."""
    return 45 < abs(degrees) % 180 < 135


def _flips(frame: av.VideoFrame, transpose: bool) -> tuple[bool, bool]:
    """Which of rows and columns are to be flipped, after transposing if that is needed.

    The display matrix maps a stored point (x, y) to the displayed point (a x + c y, b x + d y); cameras
    write quarter turns and mirroring, and any other angle is displayed at the nearest of these.
    """
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not support some other side data of the frame, and gives none: the angle remains
        quarter_turns = round(frame.rotation / 90) % 4
        return quarter_turns in (1, 2), quarter_turns in (2, 3)
    if matrix is None:
        return False, False
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix))
    return (b < 0, c < 0) if transpose else (d < 0, a < 0)
