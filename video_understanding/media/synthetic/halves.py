"""Scenes whose every label needs both modalities: the picture shows one half of it, the sound holds the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.errors import ClipError
from video_understanding.media.synthetic.scene import Scene

# Label -> whose movement and whose noise, or whose face and whose voice, it is made of. Each half belongs to two
# labels, so one modality alone leaves two of four equally likely.
HALVES_OF_ACTION = {
    "wave_bell": ("wave", "wave"),
    "wave_rattle": ("wave", "shake"),
    "bounce_bell": ("bounce", "wave"),
    "bounce_rattle": ("bounce", "shake"),
}
HALVES_OF_EMOTION = {
    "happy": ("happy", "happy"),  # a smile and a lively voice
    "calm": ("happy", "sad"),  # a smile and a quiet voice
    "angry": ("angry", "happy"),  # a frown and a lively voice
    "grumpy": ("angry", "sad"),  # a frown and a quiet voice
}


@dataclass(frozen=True)
class Halves:
    """A person who moves in one of two ways and has one of two faces, with one of two noises and one of two voices.

    The action names the movement and the noise, the emotion the face and the voice (`HALVES_OF_ACTION`,
    `HALVES_OF_EMOTION`). Pixels depend on movement and face alone, sound on noise and voice alone: a model of one
    modality is right in half of the clips at best. Subject, difficulty and seed are those of a `Scene`.
    """

    action: str
    emotion: str
    subject: int = 0
    difficulty: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("action", HALVES_OF_ACTION), ("emotion", HALVES_OF_EMOTION)):
            if getattr(self, name) not in known:
                raise ClipError(name, f"{getattr(self, name)!r} cannot be drawn", f"Use one of: {', '.join(known)}.")
        self._half(0)  # refuses the other values

    def frames(self, times_s: Sequence[float] | np.ndarray, *, height_px: int, width_px: int) -> Iterator[np.ndarray]:
        """uint8 [H,W,3] RGB for each time, in seconds from the scene's beginning."""
        return self._half(0).frames(times_s, height_px=height_px, width_px=width_px)

    def waveform(self, duration_s: float, rate_hz: int) -> np.ndarray:
        """float32 [N], mono in [-1, 1], from the scene's beginning."""
        return self._half(1).waveform(duration_s, rate_hz)

    def _half(self, place: int) -> Scene:
        """The scene whose picture (0) or whose sound (1) this one has."""
        action, emotion = HALVES_OF_ACTION[self.action][place], HALVES_OF_EMOTION[self.emotion][place]
        return Scene(action, emotion, self.subject, self.difficulty, self.seed)
