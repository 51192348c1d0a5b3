"""The appearance of a person, and drawing it: a round figure with a face, arms and legs, in any pose."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import cv2
import numpy as np

from video_understanding.media.synthetic.faces import INK, Expression, draw_face
from video_understanding.media.synthetic.motions import Pose

Colour = tuple[int, int, int]
LEG = 0.30  # in body radii
TOPS = ("tuft", "ears", "antenna", "cap", "bare")
BELL: Colour = (246, 196, 60)
_FRACTION_BITS = 4  # OpenCV draws between pixels in sixteenths


@dataclass(frozen=True)
class Look:
    """What stays the same about a person in every clip: colours, build, what is on the head, and the voice."""

    skin: Colour
    trim: Colour
    roundness: float  # exponent of the outline: 2 is an ellipse, more is squarer
    build: float  # width against height
    size: float
    top: str
    speaker_hz: float
    formant_scale: float

    @classmethod
    def of(cls, subject: int) -> Look:
        """The appearance of one person; the same number always gives the same person."""
        rng = np.random.default_rng([subject, 11])
        hue = (0.08 + subject * 0.618034) % 1.0  # steps of the golden section keep neighbours apart
        voice = (subject * 0.414214 + 0.2) % 1.0
        return cls(
            skin=_rgb(hue, 0.48, 0.97),
            trim=_rgb(hue + 0.45, 0.55, 0.75),
            roundness=float(rng.uniform(2.0, 3.6)),
            build=float(rng.uniform(0.92, 1.14)),
            size=float(rng.uniform(0.94, 1.06)),
            top=TOPS[subject % len(TOPS)],
            speaker_hz=float(95 * 2 ** (1.25 * voice)),  # 95..226 Hz
            formant_scale=float(0.88 + 0.3 * voice),
        )


class _Pens:
    """Draws points given in body radii (x right, y down, from the body's middle) into a picture."""

    def __init__(self, picture: np.ndarray, middle_px: tuple[float, float], radius_px: float, pose: Pose) -> None:
        self.picture, self.radius_px = picture, radius_px
        turn = np.array([[np.cos(pose.angle), np.sin(pose.angle)], [-np.sin(pose.angle), np.cos(pose.angle)]])
        self.matrix = turn @ np.diag([pose.wide, pose.tall]) * radius_px  # [2,2]
        self.middle_px = np.array(middle_px)

    def fill(self, points: np.ndarray, colour: Colour) -> None:
        cv2.fillPoly(self.picture, [self._pixels(points)], colour, cv2.LINE_AA, _FRACTION_BITS)

    def stroke(self, points: np.ndarray, colour: Colour, width: float) -> None:
        width_px = max(round(width * self.radius_px), 1)
        cv2.polylines(self.picture, [self._pixels(points)], False, colour, width_px, cv2.LINE_AA, _FRACTION_BITS)

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        pixels = self.middle_px + np.asarray(points) @ self.matrix  # [P,2]
        return np.round(pixels * (1 << _FRACTION_BITS)).astype(np.int32)


def draw_figure(
    picture: np.ndarray,
    look: Look,
    pose: Pose,
    face: Expression,
    speaking: float,
    middle_px: tuple[float, float],
    radius_px: float,
) -> None:
    """Draws a person into `picture`, uint8 [H,W,3], in place; `middle_px` is the middle of the body, (x, y)."""
    pens = _Pens(picture, middle_px, radius_px, pose)
    shade = tuple(round(0.62 * part) for part in look.skin)
    for side in (-1, 1):
        pens.stroke(np.array([(side * 0.38, 0.8), (side * 0.42, 0.95 + LEG)]), shade, 0.17)
        pens.stroke(np.array([(side * 0.36, 0.95 + LEG), (side * 0.60, 0.95 + LEG)]), shade, 0.17)
    _draw_arms(pens, look, pose, shade)
    _draw_top(pens, look)
    outline = _outline(look)
    pens.fill(outline * 1.04, shade)
    pens.fill(outline * 0.96, look.skin)
    draw_face(face, speaking, look.skin, pens.fill, pens.stroke)


def _outline(look: Look) -> np.ndarray:
    """float [40,2]: the edge of the body."""
    around = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x, y = np.cos(around), np.sin(around)
    power = 2 / look.roundness
    return np.column_stack([look.build * np.sign(x) * np.abs(x) ** power, np.sign(y) * np.abs(y) ** power])


def _draw_arms(pens: _Pens, look: Look, pose: Pose, shade: Colour) -> None:
    reach = look.build
    left = np.array([(-0.9 * reach, 0.15), (-1.2 * reach, 0.35), (-1.25 * reach, 0.65)])
    right = left * np.array([-1, 1])
    if pose.arm is not None:
        lean = 0.55 + 0.7 * pose.arm  # radians from straight up, mostly outwards
        shoulder = np.array([0.85 * reach, 0.0])
        hand = shoulder + np.array([0.25, 0.0]) + 1.05 * np.array([np.sin(lean), -np.cos(lean)])
        right = np.array([shoulder, (shoulder + hand) / 2 + (0.12, 0.08), hand])
    for arm in (left, right):
        pens.stroke(arm, shade, 0.18)
    if pose.arm is not None:
        pens.fill(hand + _disc(0.23), INK)
        pens.fill(hand + _disc(0.19), BELL)


def _draw_top(pens: _Pens, look: Look) -> None:
    if look.top == "tuft":
        pens.fill(
            np.array(
                [(-0.3, -0.8), (-0.38, -1.3), (-0.1, -1.05), (0.05, -1.42), (0.16, -1.05), (0.4, -1.28), (0.32, -0.8)]
            ),
            look.trim,
        )
    elif look.top == "ears":
        for side in (-1, 1):
            pens.fill(np.array([(side * 0.88, -0.35), (side * 0.85, -1.25), (side * 0.25, -0.85)]), look.trim)
    elif look.top == "antenna":
        end = np.array([0.1, -1.37])
        pens.stroke(np.array([(0.0, -0.9), end]), INK, 0.07)
        pens.fill(end + _disc(0.14), look.trim)
    elif look.top == "cap":
        around = np.linspace(np.pi, 2 * np.pi, 16)
        dome = np.column_stack([0.62 * np.cos(around), -0.78 + 0.5 * np.sin(around)])
        pens.fill(np.vstack([dome, [(0.95, -0.74), (-0.62, -0.7)]]), look.trim)


def _disc(radius: float) -> np.ndarray:
    """float [16,2]"""
    around = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return radius * np.column_stack([np.cos(around), np.sin(around)])


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    return tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))
