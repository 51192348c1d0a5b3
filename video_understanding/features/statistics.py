"""Pooled statistics of tokens in NumPy, the same numbers as the layers of `layers.statistics` give in a model."""

from __future__ import annotations

import numpy as np

_LEAST_VARIANCE = 1e-6  # as in the layers


def mean_and_change(tokens: np.ndarray) -> np.ndarray:
    """Tokens [B,n,D] -> [B,2D]: their mean, and their mean absolute change from one to the next, 0 for a single one."""
    mean = tokens.mean(axis=1)  # [B,D]
    change = np.abs(np.diff(tokens, axis=1)).mean(axis=1) if tokens.shape[1] > 1 else np.zeros_like(mean)
    return np.concatenate([mean, change], axis=-1)


def joined_moments(tokens: np.ndarray) -> np.ndarray:
    """Tokens [B,n,2C], each mean and deviation of a chunk -> [B,2C]: mean and standard deviation over all of them."""
    means, spreads = np.split(tokens, 2, axis=-1)  # [B,n,C] each
    mean = means.mean(axis=1)  # [B,C]
    variance = (spreads**2 + (means - mean[:, None]) ** 2).mean(axis=1)
    return np.concatenate([mean, np.sqrt(variance + _LEAST_VARIANCE)], axis=-1)


POOLINGS = {"mean_and_change": mean_and_change, "joined_moments": joined_moments}
POOLED_WIDTHS = {"mean_and_change": 2, "joined_moments": 1}  # times the width of a token
