"""From the pooled statistics of clips and their sentences to a calibrated common space."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.errors import TrainingError
from video_understanding.evaluation.retrieval import Retrieval
from video_understanding.training.words.canonical import canonical_projections
from video_understanding.words.encoders import TextEncoder, encoded, fit_encoders
from video_understanding.words.space import (
    Calibration,
    ClipProjection,
    CommonSpace,
    Projection,
    signed_roots,
    standardised,
    unit,
)

FEWEST_CLIPS = 20
_LEFT_OUT = 6  # one group in so many is left out to calibrate
_USUAL = 500  # clips and sentences kept to compare with
_STEPS = 50  # of Newton's method, which needs fewer
_SIDE = 1e-3  # of the ridge that keeps a perfect separation finite


@dataclass(frozen=True)
class WordsFit:
    """A common space, and what is known of it.

    space       learned from all clips
    left_out    retrieval among clips that a fit without them had not seen
    clips, sentences   how many it was learned from
    seconds     float, without reading and encoding
    """

    space: CommonSpace
    left_out: Retrieval
    clips: int
    sentences: int
    seconds: float


def fit_words(
    statistics: np.ndarray,
    texts: Sequence[Sequence[str]],
    groups: np.ndarray,
    *,
    modality: str,
    pooling: str,
    encoders: Sequence[str] = ("word_counts", "static"),
    seed: int = 0,
) -> WordsFit:
    """Learns the common space of clips and sentences in closed form.

    Args:
        statistics: float32 [V,K,P], the pooled statistics of K clips in V views, the first of them as they are.
        texts: the sentences of each clip, one or more.
        groups: int [K], such as the subject of each clip; a group is left out as a whole.
        modality: whose statistics they are.
        pooling: by which they were pooled.
        encoders: names of text encoders.
        seed: of which groups are left out, and which clips and sentences are compared with.

    Raises:
        TrainingError: there are too few clips.
    """
    began_s = time.monotonic()
    if len(np.unique(groups)) < FEWEST_CLIPS:
        cause = f"has {len(np.unique(groups))} clips or subjects with sentences, and words need {FEWEST_CLIPS}"
        raise TrainingError("text", cause, "Add clips.")
    sentences = [text for own in texts for text in own]
    owners = np.repeat(np.arange(len(texts)), [len(own) for own in texts])  # [N]
    learned = fit_encoders(encoders, sentences)
    scales = _scales(learned, sentences)  # [S]
    features = encoded(learned, sentences) * scales  # [N,S]
    roots = signed_roots(statistics)  # [V,K,P]
    rng = np.random.default_rng(seed)
    apart = np.isin(groups, rng.permutation(np.unique(groups))[::_LEFT_OUT])  # [K]
    there = apart[owners]  # [N]
    kept_owners, left_owners = ((np.cumsum(part) - 1)[owners[part[owners]]] for part in (~apart, apart))
    clip_map, text_map = canonical_projections(roots[:, ~apart], features[~there], kept_owners)
    left_clips, left_texts = unit(clip_map(roots[0, apart])), unit(text_map(features[there]))
    slope, offset = _calibrated(left_clips, left_texts, left_owners)
    clip_map, text_map = canonical_projections(roots, features, owners)
    usual = [
        unit(clip_map(roots[0, rng.permutation(len(texts))[:_USUAL]])),
        unit(text_map(features[rng.permutation(len(sentences))[:_USUAL]])),
    ]
    space = CommonSpace(
        learned,
        Projection(text_map.mean / scales, text_map.weights * scales[:, None]),
        {modality: ClipProjection(pooling, clip_map)},
        Calibration(*usual, slope, offset),
    )
    retrieval = Retrieval.of(left_texts, left_clips, left_owners)
    return WordsFit(space, retrieval, len(texts), len(sentences), time.monotonic() - began_s)


def _scales(encoders: Sequence[TextEncoder], sentences: Sequence[str]) -> np.ndarray:
    """float32 [S]: makes the features of every encoder vary by 1 in total, so that none drowns another."""
    scales = []
    for encoder in encoders:
        spread = float(encoder.encode(sentences).var(axis=0).sum())
        scales.append(np.full(encoder.size, 1 / np.sqrt(max(spread, 1e-12)), np.float32))
    return np.concatenate(scales)


def _calibrated(clips: np.ndarray, texts: np.ndarray, owners: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the probability that a sentence describes a clip, as likely as not beforehand.

    Learned from each sentence's own clip and one other, both left out, by logistic regression.
    """
    above = standardised(texts @ clips.T, texts @ clips.T)  # [N,K]
    others = (owners + 1 + np.arange(len(owners)) % max(1, len(clips) - 1)) % len(clips)
    rows = np.arange(len(texts))
    inputs = np.concatenate([above[rows, owners], above[rows, others]]).astype(np.float64)
    shown = np.concatenate([np.ones(len(texts)), np.zeros(len(texts))])
    design = np.stack([inputs, np.ones_like(inputs)], axis=1)  # [2N,2]
    weights = np.zeros(2)
    for _ in range(_STEPS):
        told = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (shown - told) - _SIDE * weights
        curve = (design * (told * (1 - told))[:, None]).T @ design + _SIDE * np.eye(2)
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return float(weights[0]), float(weights[1])
