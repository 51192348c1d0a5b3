"""Augmentation of face crops: what a camera, a codec and a loose detector do to them."""

from __future__ import annotations

import cv2
import numpy as np


def changed(crop: np.ndarray, size_px: int, chance: np.random.Generator) -> np.ndarray:
    """One crop uint8 [48,48] -> uint8 [size_px,size_px], moved, lit, blurred and compressed by chance."""
    crop = _moved(crop, size_px, chance)
    if chance.random() < 0.3:
        crop = _of_few_pixels(crop, chance)
    if chance.random() < 0.15:
        crop = cv2.GaussianBlur(crop, (0, 0), chance.uniform(0.3, 1.3))
    if chance.random() < 0.7:
        crop = _lit(crop, chance)
    if chance.random() < 0.2:
        noise = chance.normal(0, chance.uniform(1, 12), crop.shape)
        crop = np.clip(crop + noise, 0, 255).astype(np.uint8)
    if chance.random() < 0.3:
        crop = _compressed(crop, int(chance.integers(12, 75)))
    if chance.random() < 0.15:
        crop = _covered(crop, chance)
    return crop


def _moved(crop: np.ndarray, size_px: int, chance: np.random.Generator) -> np.ndarray:
    middle = (crop.shape[0] - 1) / 2
    turn_deg, zoom = chance.normal(0, 8), size_px / crop.shape[0] * np.exp(chance.normal(0, 0.08))
    matrix = cv2.getRotationMatrix2D((middle, middle), turn_deg, zoom)
    matrix[:, 2] += (size_px - 1) / 2 - middle + size_px * chance.uniform(-0.07, 0.07, 2)
    if chance.random() < 0.5:
        matrix = matrix @ np.array([[-1, 0, 2 * middle], [0, 1, 0], [0, 0, 1.0]])
    return cv2.warpAffine(crop, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _of_few_pixels(crop: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    size_px, few_px = crop.shape[0], int(chance.integers(14, 40))
    small = cv2.resize(crop, (few_px, few_px), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (size_px, size_px), interpolation=cv2.INTER_LINEAR)


def _lit(crop: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Another brightness, contrast and gamma, and now and then light from one side."""
    gamma = np.exp(chance.normal(0, 0.25))
    levels = 255 * (np.arange(256) / 255) ** gamma
    levels = (levels - 128) * np.exp(chance.normal(0, 0.2)) + 128 + chance.normal(0, 18)
    crop = cv2.LUT(crop, np.clip(levels, 0, 255).astype(np.uint8))
    if chance.random() < 0.25:
        side = np.linspace(-1, 1, crop.shape[0]) * chance.uniform(-60, 60)
        side = side[:, None] if chance.random() < 0.3 else side[None, :]
        crop = np.clip(crop + side, 0, 255).astype(np.uint8)
    return crop


def _compressed(crop: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


def _covered(crop: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """With a patch of one brightness on it, as of a hand or a microphone."""
    size_px = crop.shape[0]
    high, wide = chance.integers(size_px // 8, size_px // 3, 2)
    top, left = chance.integers(0, size_px - high), chance.integers(0, size_px - wide)
    crop = crop.copy()
    crop[top : top + high, left : left + wide] = chance.integers(0, 256)
    return crop
