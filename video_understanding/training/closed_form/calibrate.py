"""Calibration: the scale, in multi-label heads also the offset, that turn left-out scores into probabilities."""

from __future__ import annotations

import numpy as np

from video_understanding.features.probabilities import sigmoid

_SCALES = np.geomspace(0.02, 200, 33)  # times one over the scores' standard deviation
_AS_GOOD = 0.002  # log loss that says nothing
_FINER = np.geomspace(0.8, 1.25, 9)
_MOST = 50.0  # logits above the labelled class: what is beyond is as wrong as can be
_PRIOR_CLIPS = 1.0  # of each answer, so that labels told apart without a fault do not get an endless scale


def temperature(scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """The factor for scores [N,C] whose softmax has the least log loss, and that loss.

    Of factors that are as good it is the smallest: of classes that are told apart without a fault, any large one is.

    Args:
        scores: [N,C], of clips that had no part in the fit.
        targets: [N,C], 1 for a clip's class, 0 elsewhere.
        weights: [N], what each clip counts.
    """
    if not len(scores) or not weights.sum():
        return 1.0, float(np.log(targets.shape[1]))
    usual = 1 / max(float(scores.std()), 1e-9)
    over = _over_labelled(scores, targets)  # [C,N]
    losses = np.array([_loss(over * (scale * usual), weights) for scale in _SCALES])
    rough = _SCALES[int(np.argmax(losses <= losses.min() + _AS_GOOD))] * usual
    losses = [_loss(over * (rough * finer), weights) for finer in _FINER]
    best = int(np.argmin(losses))
    return float(rough * _FINER[best]), float(losses[best])


def log_loss(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    """The weighted mean of minus the log of the softmax at each row's class, with 1 in 100 for "none of what it says".

    That share keeps a single clip with a wrong label from deciding everything.
    """
    return _loss(_over_labelled(logits, targets), weights)


def _over_labelled(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """How far each class is above the labelled one, [C,N]: sums over few classes are quick along the first axis."""
    return np.ascontiguousarray((logits - (logits * targets).sum(axis=1, keepdims=True)).T)


def _loss(over: np.ndarray, weights: np.ndarray) -> float:
    right = 0.99 / np.exp(np.minimum(over, _MOST)).sum(axis=0) + 0.01 / len(over)  # [N]
    return float(-(weights * np.log(right)).sum() / weights.sum())


def log_loss_of_labels(logits: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """The weighted mean, over labels that may go together, of minus the log of the sigmoid at what is true."""
    return float(weights @ np.logaddexp(0, np.where(truth > 0.5, -logits, logits)).mean(axis=1) / weights.sum())


def scale_and_offset(scores: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Factor and offset for scores [N] of one label whose sigmoid has the least log loss against truth [N] of 0 and 1.

    Newton's method (Platt's calibration, with his smoothed targets); the factor is never negative.
    """
    yes, no = truth.sum(), (1 - truth).sum()
    usual = max(float(scores.std()), 1e-9)
    smooth_yes, smooth_no = (yes + _PRIOR_CLIPS) / (yes + 2 * _PRIOR_CLIPS), _PRIOR_CLIPS / (no + 2 * _PRIOR_CLIPS)
    wanted = np.where(truth > 0.5, smooth_yes, smooth_no)
    columns = np.stack([scores / usual, np.ones_like(scores)], axis=1)  # [N,2]
    found = np.array([1.0, np.log((yes + 1) / (no + 1))])
    for _ in range(50):
        shares = sigmoid(columns @ found)
        slope = columns.T @ (shares - wanted) + np.array([0.01, 0]) * found
        bend = (columns * (shares * (1 - shares))[:, None]).T @ columns + np.diag([0.01, 1e-6])
        step = np.linalg.solve(bend, slope)
        found -= np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return max(float(found[0]), 0.0) / usual, float(found[1])
