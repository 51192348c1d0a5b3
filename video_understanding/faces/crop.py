"""The grey crop of a face, turned upright by the eyes, and whether there is enough of a face in it."""

from __future__ import annotations

import math

import numpy as np

from video_understanding.faces.face import Face, Point
from video_understanding.faces.resample import sample, shrink

SIZE_PX = 48  # height and width of a crop
# Where detectors find boxes and eyes in the pictures of FER+, medians of 360 of them: the encoder was trained on these.
EYES_APART = 0.364  # in widths of the crop
BOX_SHARE = 0.84  # width of the box, in widths of the crop; where eyes are unknown it decides
LEAST_SIDE = 0.8  # of the side by the box: eyes that are nearer together belong to a turned head
EYES_AT = (0.5, 0.393)  # the point between the eyes, in widths of the crop
EYES_ABOVE_MIDDLE = 0.23  # that point above the middle of the box, in widths of the box
LEAST_SCORE = 0.5
LEAST_PX = 20.0  # width of the box in pixels of the frame
LEAST_INSIDE = 0.8  # share of the box that lies in the frame
LEAST_EYES_APART = 0.22  # in widths of the box; nearer in profile, 0.43 in full view
_MARGIN_PX = 2  # around the crop, to sample between pixels
_FINER = 2  # each pixel is the mean of so many places each way: the frame is finer than the crop by less than that
_STEEPEST = math.sqrt(0.5)  # sine of 45 degrees: eyes that stand more upright were mistaken


def is_readable(face: Face, height_px: int, width_px: int) -> bool:
    """Whether an expression can be read from the face: certain, large, inside the frame, and not in profile."""
    return (
        face.score >= LEAST_SCORE
        and face.width_px >= LEAST_PX
        and face.share_inside(height_px, width_px) >= LEAST_INSIDE
        and (face.eyes is None or math.dist(*face.eyes) >= LEAST_EYES_APART * face.width_px)
    )


def crop_face(frame: np.ndarray, face: Face) -> np.ndarray:
    """Cuts a face out of a frame as the encoder takes it.

    Args:
        frame: uint8 [H,W,3], RGB.
        face: in pixels of this frame.

    Returns:
        uint8 [48,48], grey. Beyond the edge of the frame its outermost pixels are repeated.
    """
    side_px, between, right = _placement(face)
    down = (-right[1], right[0])
    part, left, top = _around(frame, side_px, between, right)
    factor = max(1, min(int(side_px / SIZE_PX), *part.shape[:2]))
    grey = _grey(shrink(part, factor))
    points = _FINER * SIZE_PX
    steps = side_px * ((np.arange(points) + 0.5) / points)
    x, y = steps[None, :] - EYES_AT[0] * side_px, steps[:, None] - EYES_AT[1] * side_px  # [1,96], [96,1] from the eyes
    across = between[0] - left + x * right[0] + y * down[0]  # [96,96]
    along = between[1] - top + x * right[1] + y * down[1]
    return shrink(sample(grey, across / factor, along / factor)[..., None], _FINER)[..., 0]


def _around(frame: np.ndarray, side_px: float, between: Point, right: Point) -> tuple[np.ndarray, int, int]:
    """The part of the frame that holds the crop, and where it begins: (part, left, top); nothing else is read."""
    corners = [(x - EYES_AT[0], y - EYES_AT[1]) for x in (0, 1) for y in (0, 1)]
    across = [between[0] + side_px * (x * right[0] - y * right[1]) for x, y in corners]
    along = [between[1] + side_px * (x * right[1] + y * right[0]) for x, y in corners]
    left, top = (max(0, math.floor(min(places)) - _MARGIN_PX) for places in (across, along))
    part = frame[top : math.ceil(max(along)) + _MARGIN_PX, left : math.ceil(max(across)) + _MARGIN_PX]
    return (part, left, top) if part.size else (frame, 0, 0)  # all of it beyond the edge


def _placement(face: Face) -> tuple[float, Point, Point]:
    """Side of the crop in pixels, the point between the eyes, and the direction from the left eye to the right one."""
    side_px = face.width_px / BOX_SHARE
    if face.eyes is not None:
        (left_x, left_y), (right_x, right_y) = face.eyes
        apart = math.dist(*face.eyes)
        if apart > 0 and right_x > left_x and abs(right_y - left_y) <= _STEEPEST * apart:
            middle = ((left_x + right_x) / 2, (left_y + right_y) / 2)
            side_px = min(max(apart / EYES_APART, LEAST_SIDE * side_px), side_px / LEAST_SIDE)
            return side_px, middle, ((right_x - left_x) / apart, (right_y - left_y) / apart)
    x, y = face.middle
    return side_px, (x, y - EYES_ABOVE_MIDDLE * face.width_px), (1.0, 0.0)


def _grey(pixels: np.ndarray) -> np.ndarray:
    """uint8 [h,w,3] RGB -> uint8 [h,w], by the weights of BT.601 in 256ths."""
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    return ((77 * red + 150 * green + 29 * blue + 128) >> 8).astype(np.uint8)
