"""A frame's number as large black and white blocks in its upper half, readable after shrinking and lossy coding."""

from __future__ import annotations

import cv2
import numpy as np

COLUMNS, ROWS = 8, 3  # 16 bits of number and 8 bits of check
LARGEST = 0xFFFF
DARK, LIGHT = 16, 235  # the limits of limited-range video
LEAST_CONTRAST = 80.0  # of 255, between the lightest and the darkest block


def draw_barcode(picture: np.ndarray, number: int) -> None:
    """Draws `number` (0..65535) over the upper half of `picture`, uint8 [H,W,3], in place."""
    height, width = picture.shape[:2]
    bits = np.array(_bits(number), np.uint8).reshape(ROWS, COLUMNS)
    blocks = np.where(bits, LIGHT, DARK).astype(np.uint8)  # [ROWS,COLUMNS]
    upper = cv2.resize(blocks, (width, height // 2), interpolation=cv2.INTER_NEAREST)  # [H/2,W]
    picture[: height // 2] = upper[..., None]


def read_barcode(frame_rgb: np.ndarray) -> int | None:
    """The number drawn in a frame, or None where there is none to be read.

    `frame_rgb`: uint8 [H,W,3] that shows the full picture, at any size of about 48 px or more.
    """
    height, width = frame_rgb.shape[:2]
    grey = frame_rgb[: height // 2].mean(axis=-1)  # [H/2,W]
    means = np.empty(ROWS * COLUMNS)
    for place in range(ROWS * COLUMNS):
        row, column = divmod(place, COLUMNS)
        # The middle of each block only: shrinking and coding blur its edges.
        means[place] = grey[_middle(row, height / 2 / ROWS), _middle(column, width / COLUMNS)].mean()
    contrast = means.max() - means.min()
    light = (means - means.min()) / max(contrast, 1.0)  # 0 black .. 1 white
    if contrast < LEAST_CONTRAST or np.any((light > 0.35) & (light < 0.65)):
        return None
    bits = (light > 0.5).astype(int).tolist()
    number = int("".join(map(str, bits[:16])), 2)
    return number if _bits(number) == bits else None


def _bits(number: int) -> list[int]:
    # A check byte that always differs from the number's own bytes, so that no picture of one brightness is a number.
    check = 0xA5
    for byte in number.to_bytes(2, "big"):
        check ^= byte
        for _ in range(8):
            check = ((check << 1) ^ 0x07) & 0xFF if check & 0x80 else check << 1
    return [int(bit) for bit in f"{number:016b}{check:08b}"]


def _middle(place: int, size: float) -> slice:
    low, high = (place + 0.3) * size, (place + 0.7) * size
    return slice(round(low), max(round(high), round(low) + 1))
