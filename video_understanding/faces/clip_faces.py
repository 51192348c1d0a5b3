"""The faces of a clip: each person's crops over time, when a face was there to be read, and who leads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.faces.crop import SIZE_PX, crop_face, is_readable
from video_understanding.faces.face import Face, FaceDetector
from video_understanding.faces.tracker import FaceTracker

_MOUTH = slice(30, 46)  # rows of a crop
_EYES = slice(10, 26)
_MOST_SPEECH = 1.0  # whose mouth moves far more than the brows counts as larger by so many times


@dataclass(frozen=True)
class Person:
    """One followed face over the F frames of a clip.

    crops    uint8 [F,48,48]; zero where no face was there to be read
    present  bool [F], whether there was
    faces    F of them: where the face was, also too small or half outside; None where it was not seen
    """

    crops: np.ndarray
    present: np.ndarray
    faces: tuple[Face | None, ...]

    @property
    def prominence(self) -> float:
        """How much of the clip is this person's: size and presence of the face, and more where the mouth moves."""
        if not self.present.any():
            return 0.0
        sizes = [face.width_px for face, there in zip(self.faces, self.present, strict=True) if there and face]
        return sum(sizes) / len(self.present) * (1 + _MOST_SPEECH * self.speech)

    @property
    def speech(self) -> float:
        """0 to 1: how much more the mouth moves from crop to crop than the eyes and brows do."""
        both = self.present[1:] & self.present[:-1]
        if not both.any():
            return 0.0
        moved = np.abs(np.diff(self.crops.astype(np.int16), axis=0))[both]  # [n,48,48]
        mouth, eyes = float(moved[:, _MOUTH, 12:36].mean()), float(moved[:, _EYES, 6:42].mean())
        return max(0.0, (mouth - eyes) / max(mouth + eyes, 4.0))


@dataclass(frozen=True)
class ClipFaces:
    """All persons of a clip, in the order in which they were first seen; none where no face was found."""

    times_s: tuple[float, ...]
    persons: tuple[Person, ...]

    @property
    def leading(self) -> Person | None:
        """The person whom the answer is about: the largest and most present one, or the one who speaks."""
        able = [person for person in self.persons if person.present.any()]
        return max(able, key=lambda person: person.prominence) if able else None

    def modality(self) -> tuple[np.ndarray, np.ndarray]:
        """What a model takes: the leading person's crops uint8 [F,48,48] and presence bool [F]; absent without one."""
        leading = self.leading
        if leading is None:
            frames = len(self.times_s)
            return np.zeros((frames, SIZE_PX, SIZE_PX), np.uint8), np.zeros(frames, bool)
        return leading.crops, leading.present


def follow_faces(frames: Iterable[np.ndarray], times_s: Sequence[float], detector: FaceDetector) -> ClipFaces:
    """Detects, follows and crops the faces of one clip.

    Args:
        frames: F of uint8 [H,W,3], RGB.
        times_s: of each frame, rising.
        detector: the one that ships, or any other `FaceDetector`.

    Returns:
        Everyone who was seen. Likenesses are dropped with the tracker.
    """
    tracker = FaceTracker()
    seen: dict[int, dict[int, tuple[Face, np.ndarray | None]]] = {}  # number -> frame -> face and crop
    for place, (frame, time_s) in enumerate(zip(frames, times_s, strict=True)):
        faces = list(detector(frame))
        for number, face in zip(tracker.update(frame, faces, time_s), faces, strict=True):
            crop = crop_face(frame, face) if is_readable(face, *frame.shape[:2]) else None
            seen.setdefault(number, {})[place] = face, crop
    return ClipFaces(tuple(times_s), tuple(_person(own, len(times_s)) for _, own in sorted(seen.items())))


def _person(own: dict[int, tuple[Face, np.ndarray | None]], frames: int) -> Person:
    crops, present = np.zeros((frames, SIZE_PX, SIZE_PX), np.uint8), np.zeros(frames, bool)
    faces: list[Face | None] = [None] * frames
    for place, (face, crop) in own.items():
        faces[place] = face
        if crop is not None:
            crops[place], present[place] = crop, True
    return Person(crops, present, tuple(faces))
