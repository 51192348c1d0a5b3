"""Drawn people whose faces' places are known: they move, speak, cover their faces, and come before each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from video_understanding.media.synthetic.backdrop import Backdrop
from video_understanding.media.synthetic.faces import expression
from video_understanding.media.synthetic.figure import Look, draw_figure
from video_understanding.media.synthetic.motions import Pose

Box = tuple[float, float, float, float]
_EYES = np.array([(-0.36, -0.22), (0.36, -0.22)])  # of a drawn face, in body radii
_BOX_MIDDLE, _BOX_HALF = np.array([0.0, 0.16]), 0.83  # from above the brows to the chin, as detectors of real faces say


@dataclass(frozen=True)
class Actor:
    """One drawn person, standing or crossing the picture.

    subject    whose look
    emotion    shown all the time
    begin, end (x, y) of the middle of the body, in shares of width and height, at the beginning and at the end
    radius     of the body, in shares of the height
    covered_s  (from, to) in seconds while a board hides the face
    speaks     whether the mouth opens and closes
    angle      by which the body is turned, in radians
    """

    subject: int
    emotion: str
    begin: tuple[float, float]
    end: tuple[float, float]
    radius: float
    covered_s: tuple[float, float] = (0.0, 0.0)
    speaks: bool = False
    angle: float = 0.0

    def is_covered(self, time_s: float) -> bool:
        return self.covered_s[0] <= time_s < self.covered_s[1]


@dataclass(frozen=True)
class TrueFace:
    """Where a drawn face is: box (left, top, right, bottom) and eyes [2,2] in pixels, whether the board hides it."""

    box: Box
    eyes: np.ndarray
    covered: bool


@dataclass(frozen=True)
class Crowd:
    """A scene of several people, the last of whom is in front; no sound."""

    actors: tuple[Actor, ...]
    duration_s: float = 4.0
    seed: int = 0
    difficulty: float = 0.0

    @classmethod
    def drawn(cls, rng: np.random.Generator, people: int) -> Crowd:
        """People by chance, side by side, of different sizes; for training detectors and for testing them."""
        actors = []
        places = (rng.permutation(people) + rng.uniform(0.3, 0.7, people)) / max(people, 1)
        for place in places:
            radius = float(np.exp(rng.uniform(np.log(0.07), np.log(min(0.42, 0.55 / people)))))
            at = (float(place), float(rng.uniform(0.1 + radius, 0.95 - 0.5 * radius)))
            emotion = str(rng.choice(["angry", "fearful", "happy", "neutral", "sad", "surprised"]))
            actor = Actor(int(rng.integers(1000)), emotion, at, at, radius, angle=float(rng.normal(0, 0.2)))
            actors.append(actor)
        return cls(tuple(actors), seed=int(rng.integers(1 << 30)), difficulty=float(rng.uniform(0, 1)))

    def frames(self, times_s: Sequence[float] | np.ndarray, *, height_px: int, width_px: int) -> Iterator[np.ndarray]:
        """uint8 [H,W,3] RGB for each time, in seconds from the scene's beginning."""
        backdrop = Backdrop.drawn(np.random.default_rng([self.seed, 4]), height_px, width_px, self.difficulty)
        for time_s in np.asarray(times_s, np.float64).tolist():
            picture = backdrop.picture.copy()  # [H,W,3]
            for actor in self.actors:
                face = expression(actor.emotion, 1.0)
                middle_px, radius_px = self._place(actor, time_s, height_px, width_px)
                loud = 0.5 - 0.5 * np.cos(2 * np.pi * 2.7 * time_s) if actor.speaks else 0.0
                draw_figure(
                    picture, Look.of(actor.subject), Pose(angle=actor.angle), face, loud, tuple(middle_px), radius_px
                )
                if actor.is_covered(time_s):
                    _draw_board(picture, middle_px, radius_px)
            yield backdrop.veiled(picture, time_s)

    def faces(self, time_s: float, *, height_px: int, width_px: int) -> list[TrueFace]:
        """The true place of each actor's face in the frame of this time, in the order of the actors."""
        found = []
        for actor in self.actors:
            middle_px, radius_px = self._place(actor, time_s, height_px, width_px)
            cos, sin = np.cos(actor.angle), np.sin(actor.angle)
            turn = np.array([[cos, sin], [-sin, cos]]) * radius_px
            left, top = middle_px + _BOX_MIDDLE @ turn - _BOX_HALF * radius_px
            box = (float(left), float(top), float(left + 2 * _BOX_HALF * radius_px), 0.0)
            box = (*box[:3], float(top + 2 * _BOX_HALF * radius_px))
            found.append(TrueFace(box, middle_px + _EYES @ turn, actor.is_covered(time_s)))
        return found

    def _place(self, actor: Actor, time_s: float, height_px: int, width_px: int) -> tuple[np.ndarray, float]:
        share = min(max(time_s / self.duration_s, 0.0), 1.0)
        at = np.array(actor.begin) + share * (np.array(actor.end) - np.array(actor.begin))
        return at * (width_px, height_px), actor.radius * height_px


def _draw_board(picture: np.ndarray, middle_px: np.ndarray, radius_px: float) -> None:
    left, top = np.round(middle_px - radius_px * np.array([1.1, 1.0])).astype(int).tolist()
    right, bottom = np.round(middle_px + radius_px * np.array([1.1, 1.05])).astype(int).tolist()
    cv2.rectangle(picture, (left, top), (right, bottom), (120, 96, 70), -1, cv2.LINE_AA)
