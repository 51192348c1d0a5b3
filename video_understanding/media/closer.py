"""Frames read larger than a network takes them, and the part of them at which it looks: where most moves.

Who is small and far away in a large picture vanishes where all of it is shrunk to the size of the network. So frames
may be read at `zoom` times that size, and of each window only the part is kept in which things move. Nothing is scaled
again, and the part is the same for all frames of a window: what stands still goes on standing still.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from video_understanding.clip import Clip
from video_understanding.spec import ModelSpec

# This share of the picture counts as still: what its pixels change by is the camera's noise, and counts nowhere.
_STILL = 0.7
_STEPS = 16  # from one place of the part to the next it is a sixteenth of its own height or width


def closer(clip: Clip, spec: ModelSpec) -> Clip:
    """The clip with frames `spec.frames_shape`, as the network takes them, of frames `spec.read_shape`.

    A clip whose frames are of the network's size already is given back as it is.
    """
    if clip.frames.shape == spec.frames_shape:
        return clip
    _, height_px, width_px, _ = spec.frames_shape
    top, left = moving_part(clip.frames, clip.frame_present, height_px, width_px)
    seen = clip.frames[:, top : top + height_px, left : left + width_px]  # [T,H,W,3]
    return dataclasses.replace(clip, frames=seen)


def moving_part(frames: np.ndarray, present: np.ndarray, height_px: int, width_px: int) -> tuple[int, int]:
    """(top, left) in pixels of the part of `height_px` x `width_px` in which most moves.

    frames   uint8 [T,h,w,3]
    present  bool [T]; from and to a frame that is not there nothing moves

    Of parts that hold the same it is the one in their midst: who moves stands in the middle of it, if the picture's
    edge allows, and where nothing moves it is the middle of the picture.
    """
    moved = _moved(frames, present)  # [h/2,w/2]
    sums = np.zeros((moved.shape[0] + 1, moved.shape[1] + 1), np.int64)
    sums[1:, 1:] = moved.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)  # of all above and left of a place
    tops, lefts = _starts(frames.shape[1], height_px), _starts(frames.shape[2], width_px)  # [m], [n]
    above, below = sums[_half(tops)], sums[_half(tops + height_px)]  # [m,w/2+1] each
    left, right = _half(lefts), _half(lefts + width_px)  # [n] each
    held = below[:, right] - below[:, left] - above[:, right] + above[:, left]  # [m,n]
    rows, columns = np.nonzero(held == held.max())  # [k] each
    off = [len(places) * places - places.sum() for places in (rows, columns)]  # from their mean, in whole numbers
    best = int(np.argmin(off[0] ** 2 + off[1] ** 2))
    return int(tops[rows[best]]), int(lefts[columns[best]])


def _moved(frames: np.ndarray, present: np.ndarray) -> np.ndarray:
    """int32 [h/2,w/2]: how much every second pixel each way changes in all, beyond what still ones do."""
    moved = np.zeros(frames[0, ::2, ::2, 0].shape, np.int32)  # [h/2,w/2]
    before = None
    for frame, is_there in zip(frames, present, strict=True):
        grey = _grey(frame[::2, ::2]) if is_there else None
        if grey is not None and before is not None:
            moved += np.abs(grey - before)
        before = grey
    place = int(_STILL * (moved.size - 1))
    return np.maximum(moved - np.partition(moved, place, axis=None)[place], 0)


def _grey(pixels: np.ndarray) -> np.ndarray:
    """uint8 [h,w,3] RGB -> int16 [h,w], about four times the brightness."""
    grey = pixels[..., 1].astype(np.int16)
    grey *= 2
    grey += pixels[..., 0]
    grey += pixels[..., 2]
    return grey


def _starts(size_px: int, part_px: int) -> np.ndarray:
    """int [n]: where the part may begin, from edge to edge, the middle among them."""
    room_px = size_px - part_px
    steps = max(1, _STEPS * room_px // part_px)
    return np.arange(steps + 1) * room_px // steps


def _half(places_px: np.ndarray) -> np.ndarray:
    """How many of every second pixel lie before each place."""
    return (places_px + 1) // 2
