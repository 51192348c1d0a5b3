"""Scenes that need both modalities: one cue is visual, one audible, and only the two together give the label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from video_understanding.errors import ClipError
from video_understanding.media.synthetic.backdrop import Backdrop
from video_understanding.media.synthetic.effects import background_sound
from video_understanding.media.synthetic.faces import expression
from video_understanding.media.synthetic.figure import LEG, Look, draw_figure
from video_understanding.media.synthetic.motions import Pose
from video_understanding.media.synthetic.scene import require_staging

SIGNS = (((226, 58, 52), 32), ((44, 96, 220), 4), ((40, 168, 84), 3), ((242, 176, 32), 5))  # colour and corners
TONES_HZ = (330.0, 660.0, 1_320.0, 2_640.0)  # octaves apart, so that no speaker's tuning makes one another
MOST_CLASSES = len(SIGNS)
BEEP_STEP_S, BEEP_S = 0.5, 0.28


@dataclass(frozen=True)
class TwoCues:
    """A person stands by sign number `sign` and beeps tone number `tone`; the label is their sum modulo `classes`.

    With two classes that is exclusive or. Over all pairs each cue alone leaves every label equally likely, so a model
    of one modality stays at chance, and one that is right has used both.
    """

    sign: int
    tone: int
    classes: int = 2
    subject: int = 0
    difficulty: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.classes <= MOST_CLASSES:
            raise ClipError("classes", f"is {self.classes!r}", f"Give a number from 2 to {MOST_CLASSES}.")
        for name in ("sign", "tone"):
            if not 0 <= getattr(self, name) < self.classes:
                raise ClipError(name, f"is {getattr(self, name)!r}", f"Give a number from 0 to {self.classes - 1}.")
        require_staging(self.subject, self.difficulty, self.seed)

    @property
    def label(self) -> str:
        return f"sum_{(self.sign + self.tone) % self.classes}"

    def frames(self, times_s: Sequence[float] | np.ndarray, *, height_px: int, width_px: int) -> Iterator[np.ndarray]:
        """uint8 [H,W,3] RGB for each time, in seconds from the scene's beginning."""
        rng = np.random.default_rng([self.seed, 4])
        backdrop = Backdrop.drawn(rng, height_px, width_px, self.difficulty)
        look, face = Look.of(self.subject), expression("neutral", 1.0)
        radius_px = look.size * (1 - 0.3 * self.difficulty) * min(0.2 * height_px, 0.15 * width_px)
        person, sign_px = rng.permutation([0.26, 0.72]) * width_px + rng.uniform(-0.03, 0.03, 2) * width_px
        feet_px = backdrop.ground_px - (0.95 + LEG) * radius_px
        sign_middle_px = (sign_px, height_px * rng.uniform(0.36, 0.46))
        board_px = (1 - 0.3 * self.difficulty) * min(0.3 * height_px, 0.21 * width_px)
        late_s = self._first_beep_s()
        for time_s in np.asarray(times_s, np.float64).tolist():
            beeping = (time_s - late_s) % BEEP_STEP_S < BEEP_S and time_s >= late_s
            picture = backdrop.picture.copy()  # [H,W,3]
            backdrop.shadow(picture, person, radius_px, 0.0)
            draw_figure(picture, look, Pose(), face, float(beeping), (person, feet_px), radius_px)
            _draw_sign(picture, self.sign, sign_middle_px, board_px, backdrop.ground_px, 0.8 if beeping else 0.65)
            yield backdrop.veiled(picture, time_s)

    def waveform(self, duration_s: float, rate_hz: int) -> np.ndarray:
        """float32 [N], mono in [-1, 1], from the scene's beginning."""
        rng = np.random.default_rng([self.seed, 5])
        pitch_hz = TONES_HZ[self.tone] * 2 ** rng.uniform(-0.12, 0.12)
        overtones = rng.uniform(0.0, 0.25, 2)
        times_s = np.arange(round(duration_s * rate_hz)) / rate_hz  # [N]
        since_s = times_s - self._first_beep_s()
        since_beep_s = np.where(since_s >= 0, since_s % BEEP_STEP_S, np.inf)  # [N]
        swell = np.clip(since_beep_s / 0.01, 0, 1) * np.clip((BEEP_S - since_beep_s) / 0.05, 0, 1)
        tone = np.sin(2 * np.pi * pitch_hz * times_s)
        for order, level in zip((2, 3), overtones, strict=True):
            tone += level * np.sin(2 * np.pi * order * pitch_hz * times_s) * (order * pitch_hz < 0.45 * rate_hz)
        mixed = 0.4 * rng.uniform(0.7, 1.0) * swell * tone
        if self.difficulty:
            mixed += 0.1 * self.difficulty * background_sound(duration_s, rate_hz, rng)
        return np.tanh(mixed).astype(np.float32)

    def _first_beep_s(self) -> float:
        return float(np.random.default_rng([self.seed, 6]).uniform(0.0, 0.25))


def _draw_sign(
    picture: np.ndarray, sign: int, middle_px: tuple[float, float], board_px: float, ground_px: float, share: float
) -> None:
    """A white board on a pole, its mark filling `share` of it."""
    x, y = (round(part) for part in middle_px)
    half = round(board_px)
    cv2.line(picture, (x, y), (x, round(ground_px)), (120, 100, 90), max(half // 7, 1), cv2.LINE_AA)
    cv2.rectangle(picture, (x - half, y - half), (x + half, y + half), (250, 250, 250), -1)
    cv2.rectangle(picture, (x - half, y - half), (x + half, y + half), (60, 56, 66), max(half // 14, 1))
    colour, corners = SIGNS[sign]
    around = np.linspace(0, 2 * np.pi, corners, endpoint=False) - np.pi / 2 + (np.pi / 4 if corners == 4 else 0)
    points = np.array(middle_px) + share * board_px * np.column_stack([np.cos(around), np.sin(around)])  # [P,2]
    cv2.fillPoly(picture, [np.round(points * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)
