"""Familiarity: how near statistics lie to those of the clips that were learned from, by probabilistic PCA.

A classifier's scores say little of a clip that shows none of its classes: surfing is as surely no fight as an empty
street is. The distance from what was learned says more, and its limit comes from groups left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from video_understanding.training.closed_form.choose import group_folds
from video_understanding.training.closed_form.spectrum import reduced_axes

_ROWS_PER_AXIS = 4
_STEEPNESS = 4.0  # of the sigmoid, where 1 is the standard deviation of the logarithm of the distance
_FEWEST = 20  # windows without which nothing is said of a set of modalities
_LEAST = 1e-9


@dataclass(frozen=True)
class _Cloud:
    """Where rows [N,P] lie: |z|^2 - |z A|^2 with z = (row - center) * spread is the squared distance from it."""

    center: np.ndarray  # [P]
    spread: float
    axes: np.ndarray  # [P,r]

    @classmethod
    def of(cls, rows: np.ndarray, axes: int, others: int) -> _Cloud:
        """With so many axes; what varies in all other directions is shared among `others`."""
        center = rows.mean(axis=0)
        away = rows - center
        axes = reduced_axes(away, axes)
        variances = ((away @ axes) ** 2).mean(axis=0)  # [r]
        rest = max(float((away**2).sum(axis=1).mean() - variances.sum()), _LEAST)
        rest /= others  # the variance along each
        return cls(center, 1 / np.sqrt(rest), axes * np.sqrt(np.maximum(1 - rest / variances, 0)))

    def distances(self, rows: np.ndarray) -> np.ndarray:
        away = (rows - self.center) * self.spread
        return np.maximum((away**2).sum(axis=1) - ((away @ self.axes) ** 2).sum(axis=1), _LEAST)

    def scaled(self, factor: float) -> _Cloud:
        return _Cloud(self.center, self.spread * np.sqrt(factor), self.axes)


@dataclass(frozen=True)
class FamiliarityForm:
    """Familiarity of standardised statistics with the clips of one head.

    clouds    modality -> where its statistics lie
    limits    modalities present, in the order of the input -> the logarithm of the squared distance at which a window
              is half familiar, and the steepness there; without a limit everything is familiar
    left_out  float64 [W], the familiarity of each window that was learned from, by a fit without its group
    """

    clouds: Mapping[str, _Cloud]
    limits: Mapping[tuple[str, ...], tuple[float, float]]
    left_out: np.ndarray

    def __call__(self, statistics: Mapping[str, np.ndarray]) -> np.ndarray:
        """float64 [N], from 0 to 1, of rows that have just these modalities, standardised, [N,P] each."""
        own = tuple(name for name in self.clouds if name in statistics)
        if len(own) < len(statistics) or own not in self.limits:
            return np.ones(len(next(iter(statistics.values()))))
        return _familiar(sum(self.clouds[name].distances(statistics[name]) for name in own), *self.limits[own])


def fit_familiarity(
    windows: Mapping[str, np.ndarray],
    present: Mapping[str, np.ndarray],
    truth: np.ndarray,
    groups: np.ndarray,
    *,
    foreign: float,
    most_axes: int,
) -> FamiliarityForm:
    """The clouds of the windows of one head's clips, and limits that a share `foreign` of windows left out exceeds.

    Args:
        windows: modality -> float32 [W,P], standardised statistics of windows; any numbers where it is missing.
        present: modality -> bool [W].
        truth: [W,C], 0 or 1: groups are left out so that classes are spread evenly.
        groups: int [W], such as the subject of each window's clip.
        foreign: share of familiar windows beyond the limit.
        most_axes: along how many axes the clouds may differ from balls.
    """
    folds = group_folds(groups, truth)
    clouds, apart = {}, {}
    for name, rows in windows.items():
        rows = rows / np.sqrt(rows.shape[1])
        own, apart[name] = present[name], np.full(len(rows), np.nan)
        if own.sum() < _FEWEST:
            continue
        axes = max(1, min(most_axes, own.sum() // _ROWS_PER_AXIS))
        # The same in all folds and in the whole: by its own rank the larger cloud would find everything further off.
        others = max(min(own.sum(), rows.shape[1]) - axes, 1)
        for fold in np.unique(folds):
            learned, judged = own & (folds != fold), own & (folds == fold)
            if learned.sum() >= _FEWEST // 2 and judged.any():
                apart[name][judged] = _Cloud.of(rows[learned], axes, others).distances(rows[judged])
        usual = float(np.nanmean(apart[name])) if np.isfinite(apart[name]).any() else 1.0
        apart[name] /= usual
        cloud = _Cloud.of(rows[own], axes, others).scaled(1 / usual)
        width = np.sqrt(rows.shape[1])
        clouds[name] = _Cloud(cloud.center * width, cloud.spread / width, cloud.axes)
    limits, left_out = {}, np.ones(len(groups))
    for many in range(1, len(clouds) + 1):
        for own in combinations(clouds, many):
            together = np.log(sum(apart[name] for name in own))  # [W], NaN where one is missing
            known = np.isfinite(together)
            if known.sum() < _FEWEST or len(np.unique(groups[known])) < 2:
                continue
            limits[own] = (
                float(np.quantile(together[known], 1 - foreign)),
                _STEEPNESS / max(float(together[known].std()), 1e-3),
            )
            exactly = known & np.all([present[name] == (name in own) for name in clouds], axis=0)
            left_out[exactly] = _familiar(np.exp(together[exactly]), *limits[own])
    return FamiliarityForm(clouds, limits, left_out)


def _familiar(distances: np.ndarray, limit: float, steepness: float) -> np.ndarray:
    return 1 / (1 + np.exp(np.clip(steepness * (np.log(distances) - limit), -50, 50)))
