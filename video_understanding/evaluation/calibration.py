"""Whether confidence means what it says, how to mend it with a temperature, and below what it means "unknown"."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation.metrics import LEAST_SCORE

BINS = 15
COOLEST, HOTTEST = 0.05, 20.0
_HALVINGS = 60


@dataclass(frozen=True)
class ReliabilityPoint:
    """The clips whose confidence is above `low` and up to `high`: how sure they were, and how often right."""

    low: float
    high: float
    clips: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy.

    error       expected calibration error: their distance in a bin, averaged over the clips. A handful of clips
                gives an error even where confidence is right, so compare only results on the same clips.
    bins        how many bins of equal width there are from 0 to 1
    confidence  mean over all clips; above the accuracy means too sure
    points      the bins that have clips
    """

    error: float
    bins: int
    confidence: float
    points: tuple[ReliabilityPoint, ...]


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Reliability:
    """Calibration of the answers: `confidence` float [K] in [0, 1], `right` bool [K]."""
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)  # [K]
    points = tuple(
        ReliabilityPoint(
            low=number / bins,
            high=(number + 1) / bins,
            clips=int((place == number).sum()),
            confidence=float(confidence[place == number].mean()),
            accuracy=float(right[place == number].mean()),
        )
        for number in np.unique(place).tolist()
    )
    error = sum(point.clips * abs(point.confidence - point.accuracy) for point in points) / len(confidence)
    return Reliability(error, bins, float(confidence.mean()), points)


def calibration_error(scores: np.ndarray, truth: np.ndarray) -> float:
    """Expected calibration error of scores float [K,C], to be had before and after a temperature."""
    return reliability(scores.max(axis=1), scores.argmax(axis=1) == truth).error


def logits_of(scores: np.ndarray) -> np.ndarray:
    """Logits [K,C] of probabilities [K,C]; those of the model differ by a number per clip, which changes nothing."""
    return np.log(np.maximum(scores, LEAST_SCORE, dtype=np.float64))


def tempered(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities float64 [K,C] of logits [K,C] divided by a temperature; above 1 they become less sure."""
    cooled = np.asarray(logits, np.float64) / temperature
    raised = np.exp(cooled - cooled.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The temperature with the lowest log loss, for logits float [K,C] and true classes int [K].

    It never changes which class is said. Fit it on clips the model has not learned from. Where all clips are
    right, colder is always better: the answer stays between `COOLEST` and `HOTTEST`.
    """
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 2 or len(logits) != len(truth) or not len(truth) or not np.isfinite(logits).all():
        raise VideoUnderstandingError(
            "temperature",
            f"cannot be fitted to logits {list(logits.shape)} and {len(truth)} labels",
            "Give finite logits [clips,classes], and one label for each clip.",
        )
    true_mean = logits[np.arange(len(truth)), truth].mean()
    cool, hot = math.log(COOLEST), math.log(HOTTEST)
    for _ in range(_HALVINGS):
        middle = (cool + hot) / 2
        # The loss has one valley in 1/temperature; too cool is where the mean logit expected exceeds the true one.
        expected = (tempered(logits, math.exp(middle)) * logits).sum(axis=1).mean()
        if expected > true_mean:
            cool = middle
        else:
            hot = middle
    return math.exp((cool + hot) / 2)


def unknown_threshold(confidence: np.ndarray, rate: float) -> float:
    """The confidence below which a clip is called unknown, at the cost of `rate` false alarms.

    `confidence` float [K] is that of clips of known classes which the model has not learned from. Of further
    clips like these, a share of at most `rate` is expected below the threshold (split conformal prediction). It
    is 0, and nothing is unknown, where there are too few clips to promise that.
    """
    if not 0 <= rate < 1 or not len(confidence):
        raise VideoUnderstandingError(
            "unknown threshold",
            f"cannot be had from {len(confidence)} clips at the rate {rate:g}",
            "Give the confidences of one or more clips, and a rate from 0 up to 1.",
        )
    below = math.floor(rate * (len(confidence) + 1) + 1e-9)  # 0.29 x 100 means 29
    return float(np.sort(confidence)[below - 1]) if below else 0.0
