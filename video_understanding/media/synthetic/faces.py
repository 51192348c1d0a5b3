"""The emotions as faces: brows, eyes and mouth of a figure, drawn into the unit circle of its body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass

import numpy as np

EMOTIONS: tuple[str, ...] = ("angry", "fearful", "happy", "neutral", "sad", "surprised")

INK, WHITE, MOUTH, TEAR = (40, 32, 44), (252, 252, 250), (140, 34, 48), (84, 160, 240)
Fill = Callable[[np.ndarray, tuple[int, int, int]], None]  # (points [P,2] in body units, colour)
Stroke = Callable[[np.ndarray, tuple[int, int, int], float], None]  # (points, colour, width in body units)


@dataclass(frozen=True)
class Expression:
    """What makes a face; lengths are in body radii, upwards is positive.

    brow_inner, brow_outer   height of the brow's two ends above the eye
    eye_open                 height of the eye
    lid                      how far the upper lid hangs: over the inner corner (> 0) or the outer one (< 0)
    pupil                    size of the pupil
    smile                    corners of the mouth up (1) or down (-1)
    mouth_wide, mouth_open   half its width, and how far it is open when silent
    tremble                  height of a wave along the lips
    teeth                    share of the open mouth that is teeth
    drop                     a tear (-1) or a bead of sweat (1)
    """

    brow_inner: float
    brow_outer: float
    eye_open: float
    lid: float
    pupil: float
    smile: float
    mouth_wide: float
    mouth_open: float
    tremble: float
    teeth: float
    drop: float

    def towards(self, other: Expression, share: float) -> Expression:
        """This face, `share` (0..1) of the way to another."""
        mine, theirs = np.array(astuple(self)), np.array(astuple(other))
        return Expression(*(mine + share * (theirs - mine)).tolist())


_FACES = {
    "angry": Expression(-0.10, 0.30, 0.19, 0.75, 0.11, -0.75, 0.46, 0.12, 0.0, 0.9, 0.0),
    "fearful": Expression(0.36, 0.12, 0.34, 0.0, 0.065, -0.35, 0.40, 0.07, 0.07, 0.0, 1.0),
    "happy": Expression(0.22, 0.20, 0.22, 0.0, 0.13, 1.2, 0.48, 0.20, 0.0, 0.40, 0.0),
    "neutral": Expression(0.12, 0.12, 0.21, 0.0, 0.12, 0.0, 0.32, 0.0, 0.0, 0.0, 0.0),
    "sad": Expression(0.34, -0.04, 0.18, -0.7, 0.12, -1.1, 0.36, 0.0, 0.0, 0.0, -1.0),
    "surprised": Expression(0.42, 0.40, 0.32, 0.0, 0.10, 0.0, 0.19, 0.26, 0.0, 0.0, 0.0),
}
_ROUND = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_ALONG = np.linspace(-1, 1, 17)


def expression(emotion: str, strength: float) -> Expression:
    """The face of an emotion, shown with `strength` 0 (neutral) .. 1 (in full)."""
    return _FACES["neutral"].towards(_FACES[emotion], strength)


def draw_face(face: Expression, speaking: float, skin: tuple[int, int, int], fill: Fill, stroke: Stroke) -> None:
    """Draws a face through the two pens; `speaking` (0..1) is how loud its voice is, and opens the mouth."""
    for side in (-1, 1):
        _draw_eye(face, side, skin, fill, stroke)
    _draw_mouth(face, speaking, fill, stroke)
    if face.drop:
        _draw_drop(face.drop, fill)


def _draw_eye(face: Expression, side: int, skin: tuple[int, int, int], fill: Fill, stroke: Stroke) -> None:
    x, y = side * 0.36, -0.22
    fill(_ellipse(x, y, 0.245, face.eye_open + 0.025), INK)
    fill(_ellipse(x, y, 0.205, face.eye_open - 0.025), WHITE)
    fill(_ellipse(x, y + 0.02, face.pupil, min(face.pupil, face.eye_open)), INK)
    if face.lid:
        top = y - face.eye_open
        hang_inner, hang_outer = max(face.lid, 0.0) + 0.15, max(-face.lid, 0.0) + 0.15
        edge = np.array(
            [(x - side * 0.25, top + hang_inner * face.eye_open), (x + side * 0.25, top + hang_outer * face.eye_open)]
        )
        fill(np.vstack([edge, [(x + side * 0.25, top - 0.05), (x - side * 0.25, top - 0.05)]]), skin)
        stroke(edge, INK, 0.05)
    brow_y = y - face.eye_open - 0.04
    inner = (x - side * 0.20, brow_y - face.brow_inner * 0.6)
    outer = (x + side * 0.22, brow_y - face.brow_outer * 0.6)
    middle = (x, (inner[1] + outer[1]) / 2 - 0.05)
    stroke(np.array([inner, middle, outer]), INK, 0.10)


def _draw_mouth(face: Expression, speaking: float, fill: Fill, stroke: Stroke) -> None:
    arch = 1 - _ALONG**2  # [17], 1 in the middle of the mouth, 0 at its corners
    x = _ALONG * face.mouth_wide
    middle = 0.42 + 0.20 * face.smile * (arch - 0.5) + face.tremble * np.sin(3 * np.pi * _ALONG)
    opened = face.mouth_open * (0.6 + 0.4 * speaking) + 0.22 * speaking
    lip = np.sqrt(arch)  # round where it is open wide
    upper = np.column_stack([x, middle - 0.45 * opened * lip])  # [17,2]
    lower = np.column_stack([x, middle + 0.75 * opened * lip])  # [17,2]
    outline = np.vstack([upper, lower[::-1]])  # [34,2]
    if opened > 0.03:
        fill(outline, MOUTH)
        if face.teeth > 0.05:
            edge = upper + face.teeth * (lower - upper)
            fill(np.vstack([upper, edge[::-1]]), WHITE)
    stroke(np.vstack([outline, outline[:1]]), INK, 0.06)


def _draw_drop(drop: float, fill: Fill) -> None:
    size = 0.13 * min(abs(drop), 1.0)
    x, y = (0.42, 0.22) if drop < 0 else (-0.74, -0.34)
    round_part = _ellipse(x, y, size, size)
    fill(np.vstack([round_part[:13], [[x, y - 2.4 * size]]]), TEAR)  # its lower half, drawn out to a point above


def _ellipse(x: float, y: float, half_width: float, half_height: float) -> np.ndarray:
    """float [24,2]"""
    return np.column_stack([x + half_width * np.cos(_ROUND), y + half_height * np.sin(_ROUND)])
