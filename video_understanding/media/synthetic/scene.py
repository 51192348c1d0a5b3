"""A scene: one person doing one action with one emotion, picture and sound on the same clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from video_understanding.errors import ClipError
from video_understanding.media.synthetic.backdrop import Backdrop
from video_understanding.media.synthetic.effects import action_sound, background_sound
from video_understanding.media.synthetic.faces import EMOTIONS, expression
from video_understanding.media.synthetic.figure import LEG, Look, draw_figure
from video_understanding.media.synthetic.motions import ACTIONS, Motion
from video_understanding.media.synthetic.voice import MANNERS, Utterance


@dataclass(frozen=True)
class Scene:
    """All that decides a scene's pixels and sound.

    action      one of ACTIONS: how the person moves, and what that sounds like
    emotion     one of EMOTIONS: the face, and the voice
    subject     which person: colours, build, voice; the same number is the same person
    difficulty  0 clean .. 1 hard but possible: noise, clutter, smaller and fainter movement, background sound
    seed        everything else that differs from clip to clip: tempo, place, syllables, backdrop
    """

    action: str
    emotion: str
    subject: int = 0
    difficulty: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("action", ACTIONS), ("emotion", EMOTIONS)):
            if getattr(self, name) not in known:
                raise ClipError(name, f"{getattr(self, name)!r} cannot be drawn", f"Use one of: {', '.join(known)}.")
        require_staging(self.subject, self.difficulty, self.seed)

    @cached_property
    def motion(self) -> Motion:
        """How exactly the action is done in this scene."""
        rng = np.random.default_rng([self.seed, 1])
        return Motion.drawn(self.action, rng, extent=(1 - 0.45 * self.difficulty) * rng.uniform(0.9, 1.0))

    @cached_property
    def utterance(self) -> Utterance:
        """The person's voice."""
        look = Look.of(self.subject)
        return Utterance(MANNERS[self.emotion], look.speaker_hz, look.formant_scale, self.seed)

    def frames(self, times_s: Sequence[float] | np.ndarray, *, height_px: int, width_px: int) -> Iterator[np.ndarray]:
        """uint8 [H,W,3] RGB for each time, in seconds from the scene's beginning."""
        rng = np.random.default_rng([self.seed, 4])
        backdrop = Backdrop.drawn(rng, height_px, width_px, self.difficulty)
        look = Look.of(self.subject)
        face = expression(self.emotion, 1 - 0.5 * self.difficulty)
        radius_px = look.size * (1 - 0.3 * self.difficulty) * min(0.235 * height_px, 0.19 * width_px)
        aside = 0.0 if self.action == "slide" else rng.uniform(-0.4, 0.4)  # sliding takes the whole width
        times_s = np.asarray(times_s, np.float64)  # [T]
        for time_s, speaking in zip(times_s.tolist(), self.utterance.loudness(times_s), strict=True):
            pose = self.motion.pose(time_s)
            foot_room_px = (0.95 + LEG) * radius_px * pose.tall
            head_room_px = backdrop.ground_px - (2.45 + LEG) * radius_px
            side_room_px = width_px / 2 - 1.35 * radius_px
            middle_px = (
                width_px / 2 + side_room_px * (aside + pose.across),
                backdrop.ground_px - foot_room_px - head_room_px * pose.up,
            )
            picture = backdrop.picture.copy()  # [H,W,3]
            backdrop.shadow(picture, middle_px[0], radius_px * pose.wide, pose.up)
            draw_figure(picture, look, pose, face, float(speaking), middle_px, radius_px)
            yield backdrop.veiled(picture, time_s)

    def waveform(self, duration_s: float, rate_hz: int) -> np.ndarray:
        """float32 [N], mono in [-1, 1], from the scene's beginning."""
        rng = np.random.default_rng([self.seed, 5])
        voice = self.utterance.waveform(duration_s, rate_hz)  # [N]
        noises = action_sound(self.motion, duration_s, rate_hz, rng)  # [N]
        mixed = 0.55 * voice + 0.45 * (1 - 0.35 * self.difficulty) * noises
        if self.difficulty:
            mixed += 0.12 * self.difficulty * background_sound(duration_s, rate_hz, rng)
        return np.tanh(rng.uniform(0.75, 1.0) * mixed).astype(np.float32)


def require_staging(subject: int, difficulty: float, seed: int) -> None:
    """Refuses values with which no scene can be made."""
    if not 0 <= difficulty <= 1:
        raise ClipError("difficulty", f"is {difficulty!r}", "Give a number from 0 (clean) to 1 (hard).")
    for name, value in (("subject", subject), ("seed", seed)):
        if value != int(value) or value < 0:
            raise ClipError(name, f"is {value!r}", "Give a whole number, 0 or more.")
