"""Faces followed from frame to frame by place and likeness; nobody is identified.

The likeness is a thumbnail of 8 x 8 pixels of head and shoulders in colour. It lives as long as the tracker, which is
made for one file, and is in no result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.faces.face import Face, overlap
from video_understanding.faces.resample import resize

LOST_AFTER_S = 2.0  # a face that is not seen for longer is a new one when it comes back
LEAST_MATCH = 0.35
_NEAR = 1.5  # widths of a face that it may move between two frames and still be matched by place
_PLACE_LASTS_S = 1.0  # after so long without a face its place says half as much
_THUMBNAIL_PX = 8
_RENEWED = 0.2  # share of the newest thumbnail in the likeness


@dataclass
class _Track:
    number: int
    face: Face
    seen_s: float
    likeness: np.ndarray


class FaceTracker:
    """Gives the faces of one file numbers that stay with them."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next = 0

    def update(self, frame: np.ndarray, faces: Sequence[Face], time_s: float) -> list[int]:
        """Matches the faces of the next frame with those before.

        Args:
            frame: uint8 [H,W,3].
            faces: in pixels of the frame.
            time_s: of the frame; not before the one of the last call.

        Returns:
            The number of each face, from 0 on, in the order in which they were first seen.
        """
        self._tracks = [track for track in self._tracks if time_s - track.seen_s <= LOST_AFTER_S]
        likenesses = [_likeness(frame, face) for face in faces]
        pairs = sorted(
            (
                (-_match(track, face, likeness, time_s), place, own)
                for place, track in enumerate(self._tracks)
                for own, (face, likeness) in enumerate(zip(faces, likenesses, strict=True))
            ),
        )
        matched: dict[int, _Track] = {}
        taken: set[int] = set()
        for negative, place, own in pairs:
            if -negative < LEAST_MATCH or place in taken or own in matched:
                continue
            taken.add(place)
            matched[own] = self._tracks[place]
        numbers = []
        for own, (face, likeness) in enumerate(zip(faces, likenesses, strict=True)):
            track = matched.get(own)
            if track is None:
                track = _Track(self._next, face, time_s, likeness)
                self._next += 1
                self._tracks.append(track)
            track.face, track.seen_s = face, time_s
            track.likeness = (1 - _RENEWED) * track.likeness + _RENEWED * likeness
            numbers.append(track.number)
        return numbers


def _match(track: _Track, face: Face, likeness: np.ndarray, time_s: float) -> float:
    """0 to 1: how well a face fits a track, half by its place and half by its likeness."""
    size = min(track.face.width_px, face.width_px) / max(track.face.width_px, face.width_px)
    moved = np.hypot(*np.subtract(track.face.middle, face.middle)) / max(track.face.width_px, face.width_px)
    place = size * max(overlap(track.face, face), 1 - moved / _NEAR, 0)
    place *= 0.5 ** ((time_s - track.seen_s) / _PLACE_LASTS_S)
    if moved > _NEAR and time_s - track.seen_s <= _PLACE_LASTS_S / 2:
        return 0.0  # nobody is that quick
    like = max(float(track.likeness.ravel() @ likeness.ravel()), 0)
    return (place + like) / 2


def _likeness(frame: np.ndarray, face: Face) -> np.ndarray:
    """float [8,8,3] of mean 0 and length 1: head and shoulders, coarse."""
    x, y = face.middle
    left, right = max(0, round(x - face.width_px)), min(frame.shape[1], round(x + face.width_px))
    top, bottom = max(0, round(y - face.height_px)), min(frame.shape[0], round(y + 1.5 * face.height_px))
    if right - left < 2 or bottom - top < 2:
        return np.zeros((_THUMBNAIL_PX, _THUMBNAIL_PX, 3))
    thumbnail = resize(frame[top:bottom, left:right], _THUMBNAIL_PX, _THUMBNAIL_PX).astype(np.float64)
    thumbnail -= thumbnail.mean()
    return thumbnail / max(float(np.linalg.norm(thumbnail)), 1e-9)
