"""Resampling of pictures in whole numbers, so that every machine gives the same pixels."""

from __future__ import annotations

import functools

import numpy as np

_WHOLE = 1 << 14  # sum of the weights of one pixel; 255 times it is exact in float32, in whatever order it is added
_MOST_ROWS = 257  # whose sum fits into 16 bits
_FRACTION = 256  # sampling places are rounded to this part of a pixel


def shrink(picture: np.ndarray, factor: int) -> np.ndarray:
    """Means of squares of factor x factor pixels: uint8 [H,W,C] -> [H//factor,W//factor,C]; the rest is cut off."""
    if factor == 1:
        return picture
    high, wide = picture.shape[0] // factor, picture.shape[1] // factor
    kept = picture[: high * factor, : wide * factor]
    rows = np.zeros((high, *kept.shape[1:]), np.uint16 if factor <= _MOST_ROWS else np.uint32)
    for row in range(factor):
        rows += kept[row::factor]
    sums = np.full((high, wide, picture.shape[2]), factor * factor // 2, np.uint32)
    for column in range(factor):
        sums += rows[:, column::factor]
    return (sums // (factor * factor)).astype(np.uint8)


def resize(picture: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    """uint8 [H,W,C] -> [height_px,width_px,C]: means over the area of each new pixel, or linear between pixels."""
    factor = max(1, min(picture.shape[0] // height_px, picture.shape[1] // width_px))
    picture = shrink(picture, factor)
    high, wide, channels = picture.shape
    rows, columns = _weights(high, height_px), _weights(wide, width_px)
    tall = _rounded(rows @ picture.reshape(high, -1).astype(np.float32))  # [h,W*C]
    turned = tall.reshape(height_px, wide, channels).transpose(1, 0, 2).reshape(wide, -1)
    both = _rounded(columns @ turned)  # [w,h*C]
    return both.reshape(width_px, height_px, channels).transpose(1, 0, 2).astype(np.uint8)


def sample(grey: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """uint8 [H,W] at the places x, y [...] in pixels, linear between the middles of pixels; held at the edges."""
    high, wide = grey.shape
    across = np.clip(np.round((x - 0.5) * _FRACTION).astype(np.int64), 0, (wide - 1) * _FRACTION)
    down = np.clip(np.round((y - 0.5) * _FRACTION).astype(np.int64), 0, (high - 1) * _FRACTION)
    left, to_right = np.divmod(across, _FRACTION)
    top, to_bottom = np.divmod(down, _FRACTION)
    right, bottom = np.minimum(left + 1, wide - 1), np.minimum(top + 1, high - 1)
    values = grey.astype(np.int64)
    upper = values[top, left] * (_FRACTION - to_right) + values[top, right] * to_right
    lower = values[bottom, left] * (_FRACTION - to_right) + values[bottom, right] * to_right
    both = upper * (_FRACTION - to_bottom) + lower * to_bottom
    return ((both + _FRACTION * _FRACTION // 2) // (_FRACTION * _FRACTION)).astype(np.uint8)


@functools.lru_cache(maxsize=64)
def _weights(size: int, new_size: int) -> np.ndarray:
    """Whole numbers float32 [new_size,size]; each row sums to `_WHOLE`."""
    step = size / new_size
    middles = (np.arange(new_size) + 0.5) * step
    reach = max(step, 1.0)
    edges = np.arange(size)
    if step > 1:  # the part of each old pixel that lies in the new one
        begin, end = middles[:, None] - reach / 2, middles[:, None] + reach / 2
        shares = np.clip(np.minimum(edges + 1, end) - np.maximum(edges, begin), 0, None)
    else:
        shares = np.clip(1 - np.abs(np.clip(middles, 0.5, size - 0.5)[:, None] - 0.5 - edges), 0, None)
    wanted = np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)
    return np.diff(np.round(wanted * _WHOLE), axis=1, prepend=0).astype(np.float32)


def _rounded(sums: np.ndarray) -> np.ndarray:
    return np.floor(sums / _WHOLE + 0.5).astype(np.float32)
