"""Pooled statistics: features over time -> one row of numbers for each window, as the network computes it in its graph.

Video is described by mean and change, sound by mean and spread. These are the reference in NumPy of what the model's
own layers do; a window is pooled over the moments that are really there.
"""

from __future__ import annotations

import numpy as np

LEAST_VARIANCE = 1e-6  # so that the square root has a slope everywhere, and rounding never makes it NaN


def mean_and_spread(features: np.ndarray, present: np.ndarray | None = None) -> np.ndarray:
    """Mean and standard deviation over time of features [W,S,C] -> float32 [W,2*C].

    Args:
        features: [W,S,C], S moments of each of W windows.
        present: bool [W,S], the moments that count; all of them where a window has none, or if not given.
    """
    features = np.asarray(features, np.float32)
    weights = _shares(present, features.shape[:2])  # [W,S]
    mean = np.einsum("ws,wsc->wc", weights, features)
    square = np.einsum("ws,wsc->wc", weights, features * features)
    return np.concatenate([mean, np.sqrt(np.maximum(square - mean * mean, LEAST_VARIANCE))], axis=1)


def mean_and_change(features: np.ndarray, present: np.ndarray | None = None) -> np.ndarray:
    """Mean, and mean absolute change from one moment to the next, of features [W,T,C] -> float32 [W,2*C].

    Args:
        features: [W,T,C], T moments of each of W windows.
        present: bool [W,T], the moments that count; all of them where a window has none, or if not given.
    """
    features = np.asarray(features, np.float32)
    windows, moments, channels = features.shape
    weights = _shares(present, (windows, moments))  # [W,T]
    mean = np.einsum("wt,wtc->wc", weights, features)
    if moments == 1:
        return np.concatenate([mean, np.zeros((windows, channels), np.float32)], axis=1)
    # Each pair of neighbours that are both present counts the same; a window without such a pair does not change.
    pairs = (weights[:, 1:] > 0) & (weights[:, :-1] > 0)  # [W,T-1]
    shares = (pairs / np.maximum(pairs.sum(axis=1, keepdims=True), 1)).astype(np.float32)
    change = np.einsum("wt,wtc->wc", shares, np.abs(np.diff(features, axis=1)))
    return np.concatenate([mean, change], axis=1)


def clip_means(statistics: np.ndarray, present: np.ndarray, clips: np.ndarray, count: int) -> np.ndarray:
    """Each clip's mean of its present windows: [...,W,P] -> float32 [...,count,P], zeros for a clip without any.

    Args:
        statistics: [...,W,P], pooled statistics of W windows, such as of several views [V,W,P].
        present: bool [W], the windows in which there is something of the modality.
        clips: int [W], to which clip each window belongs.
        count: clips in all.
    """
    numbers = np.flatnonzero(present)
    numbers = numbers[np.argsort(clips[numbers], kind="stable")]
    sums = np.zeros((*statistics.shape[:-2], count, statistics.shape[-1]), np.float32)
    if len(numbers):
        own, first, many = np.unique(clips[numbers], return_index=True, return_counts=True)
        added = np.add.reduceat(statistics[..., numbers, :], first, axis=-2, dtype=np.float32)
        sums[..., own, :] = added / many[:, None].astype(np.float32)
    return sums


def _shares(present: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """What each moment counts, float32 [W,S]; a window's moments count one in all."""
    counted = np.ones(shape, np.float32) if present is None else np.asarray(present, np.float32)
    counted = np.where(counted.any(axis=1, keepdims=True), counted, np.float32(1))
    return counted / counted.sum(axis=1, keepdims=True)
