"""Standardised statistics: each number about its mean, those that vary much still a little larger than the others.

Numbers are divided by the square root of their standard deviation, not by the deviation itself: what hardly ever
varies is mostly noise, and this is better than either extreme on sound and picture. Kinds of statistics of one modality
(mean and change, or those of an encoder and of the log-mel), block by block, are brought to the same mean variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_POWER = 0.25  # of the variance
_LEAST = 1e-4  # of a block's mean variance: what varies less is not blown up


@dataclass(frozen=True)
class Standard:
    """How the statistics of one modality are standardised: (x - mean) / scale, float32 [P] each."""

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, views: np.ndarray, blocks: Sequence[int] | None = None) -> Standard:
        """Of views [V,K,P] of the clips that have the modality; `blocks` are the widths of its kinds of statistics."""
        width = views.shape[-1]
        blocks = [width] if blocks is None else list(blocks)
        if sum(blocks) != width:
            raise ValueError(f"blocks {blocks} do not make up the {width} numbers of a row")
        if not views.shape[1]:
            return cls(np.zeros(width, np.float32), np.ones(width, np.float32))
        variance = views.var(axis=(0, 1), dtype=np.float64)
        scales = [_scale(own) for own in np.split(variance, np.cumsum(blocks)[:-1])]
        mean = views.mean(axis=(0, 1), dtype=np.float64)
        return cls(mean.astype(np.float32), np.concatenate(scales).astype(np.float32))

    def __call__(self, statistics: np.ndarray) -> np.ndarray:
        """float32 [...,P], each block with a mean variance of 1 over the clips that this was made of."""
        return (statistics - self.mean) / self.scale


def _scale(variance: np.ndarray) -> np.ndarray:
    usual = variance.mean()
    if not usual > 0:
        return np.ones_like(variance)
    scale = (variance + _LEAST * usual) ** _POWER
    return scale * np.sqrt((variance / scale**2).mean())
