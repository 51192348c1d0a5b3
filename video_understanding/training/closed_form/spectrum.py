"""Weighted rows in the axes in which they vary: fitting with any strength is then a division by numbers.

A decomposition costs the cube of the smaller side; to keep that bounded, wide and long data are first reduced to their
first `MOST_AXES` axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_AXES = 800
_OVERSAMPLED = 32  # axes more than wanted while they are searched for, so that the last wanted ones are good
_LEAST = 1e-7  # of the largest variance: what varies less is rounding


def reduced_axes(rows: np.ndarray, most: int = MOST_AXES) -> np.ndarray:
    """Orthonormal axes float64 [P,r] in which centred rows [N,P] vary: all of them, or the first `most`.

    Exact where the smaller side of the rows is at most twice `most`; otherwise by a randomised search with a fixed
    seed, whose time grows with the number of rows and not with its square.
    """
    count, width = rows.shape
    if min(count, width) > 2 * most:
        sketch = np.random.default_rng(0).standard_normal((width, most + _OVERSAMPLED)).astype(rows.dtype)
        for _ in range(2):
            sketch = np.linalg.qr(rows.T @ (rows @ sketch))[0]
        small = rows @ sketch  # [N,most+32]
        variances, turned = np.linalg.eigh((small.T @ small).astype(np.float64))
        axes = sketch @ turned
    elif count <= width:
        variances, turned = np.linalg.eigh((rows @ rows.T).astype(np.float64))
        kept = variances > max(variances[-1], 0) * _LEAST
        variances, turned = variances[kept], turned[:, kept]
        axes = rows.T @ (turned / np.sqrt(variances))
    else:
        variances, axes = np.linalg.eigh((rows.T @ rows).astype(np.float64))
    kept = np.flatnonzero(variances > max(variances[-1] if len(variances) else 0, 0) * _LEAST)[::-1][:most]
    return np.ascontiguousarray(axes[:, kept], np.float64)


@dataclass(frozen=True)
class Spectrum:
    """Rows [N,r] with weights [N], about their weighted mean.

    mean       float64 [r]
    variances  float64 [r], along each axis
    axes       float64 [r,r], its columns
    """

    mean: np.ndarray
    variances: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, weights: np.ndarray) -> Spectrum:
        """Of rows float64 [N,r] with weights float64 [N]."""
        shares = weights / weights.sum()
        mean = shares @ rows
        centred = (rows - mean) * np.sqrt(shares)[:, None]
        variances, axes = np.linalg.eigh(centred.T @ centred)
        return cls(mean, np.maximum(variances, 0.0), axes)

    @property
    def usual(self) -> float:
        """The mean variance of an axis: what strengths are relative to."""
        return float(self.variances.mean()) if len(self.variances) else 1.0
