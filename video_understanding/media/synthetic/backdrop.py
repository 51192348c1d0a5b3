"""The background of a scene: sky and ground, clutter, a shadow, and the noise and low contrast of a bad camera."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import cv2
import numpy as np

MOST_CLUTTER = 14


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A background: the empty picture uint8 [H,W,3], the height of its ground line, and the noise added to it."""

    picture: np.ndarray
    ground_px: float
    noise: np.ndarray | None  # int16 [2H,2W,3], of which each frame gets a crop at a random position
    contrast: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, height_px: int, width_px: int, difficulty: float) -> Backdrop:
        """A background independent of the labels; higher difficulty means more clutter and less contrast."""
        ground_px = height_px * rng.uniform(0.88, 0.93)
        picture = _sky_and_ground(rng, height_px, width_px, ground_px)
        for _ in range(round(difficulty * MOST_CLUTTER)):
            _draw_clutter(picture, rng)
        noise = None
        if difficulty:
            noise = rng.normal(0, 24 * difficulty, (2 * height_px, 2 * width_px, 3)).astype(np.int16)
        return cls(picture, ground_px, noise, contrast=1 - 0.5 * difficulty)

    def shadow(self, picture: np.ndarray, x_px: float, half_width_px: float, up: float) -> None:
        """Darkens the ground under a figure in `picture`, in place; the higher the figure, the smaller."""
        axes = (round(half_width_px * (1 - 0.45 * up)), max(round(0.14 * half_width_px * (1 - 0.45 * up)), 1))
        ground = picture[min(int(self.ground_px), len(picture) - 1), 0]
        cv2.ellipse(
            picture, (round(x_px), round(self.ground_px)), axes, 0, 0, 360, (0.78 * ground).tolist(), -1, cv2.LINE_AA
        )

    def veiled(self, picture: np.ndarray, time_s: float) -> np.ndarray:
        """uint8 [H,W,3]: the picture with low contrast and noise, as from a bad camera; unchanged at difficulty 0."""
        if self.noise is None:
            return picture
        height, width = picture.shape[:2]
        jump = np.random.default_rng(round(time_s * 60_000))  # different noise at every time, reproducible
        top, left = jump.integers(0, height + 1), jump.integers(0, width + 1)
        grain = self.noise[top : top + height, left : left + width]  # [H,W,3]
        flat = cv2.convertScaleAbs(picture, alpha=self.contrast, beta=128 * (1 - self.contrast))
        return cv2.add(flat, grain, dtype=cv2.CV_8U)


def _sky_and_ground(rng: np.random.Generator, height_px: int, width_px: int, ground_px: float) -> np.ndarray:
    """uint8 [H,W,3]: pale, so that the figure stands out."""
    hue = rng.uniform()
    above, below = (np.array(colorsys.hsv_to_rgb(hue, pale, 0.98)) * 255 for pale in (0.22, 0.06))
    ground = np.array(colorsys.hsv_to_rgb((hue + rng.uniform(0.2, 0.8)) % 1.0, 0.30, 0.72)) * 255
    share = np.linspace(0, 1, height_px)[:, None]  # [H,1]
    rows = above + share * (below - above)  # [H,3]
    rows[int(ground_px) :] = ground
    return np.repeat(rows[:, None], width_px, axis=1).astype(np.uint8)  # [H,W,3]


def _draw_clutter(picture: np.ndarray, rng: np.random.Generator) -> None:
    height, width = picture.shape[:2]
    colour = (np.array(colorsys.hsv_to_rgb(rng.uniform(), 0.45, rng.uniform(0.6, 0.95))) * 255).tolist()
    middle = rng.uniform(0, 1, 2) * (width, height)
    size = rng.uniform(0.04, 0.13) * height
    corners = int(rng.integers(3, 9))
    around = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points = middle + size * np.column_stack([np.cos(around), np.sin(around)])  # [P,2]
    cv2.fillPoly(picture, [np.round(points * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)
