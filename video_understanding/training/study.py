"""The study of the clips that a closed form learns from: learning curve and doubtful labels, without encoding anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from video_understanding.datasets.grouping import group_rows
from video_understanding.datasets.rows import Row
from video_understanding.evaluation.data_study import CurvePoint, DataStudy, DoubtfulLabel
from video_understanding.features.probabilities import softmax
from video_understanding.labels import Labels
from video_understanding.training.closed_form.choose import group_folds
from video_understanding.training.closed_form.fit import fit_closed_form
from video_understanding.training.closed_form.forms import HeadTargets
from video_understanding.training.pooled_clips import PooledClips
from video_understanding.training.solved import solve

COUNTS = (5, 10, 20, 50)  # clips of each class that are learned from, beside all
_FOLDS = 3
LISTED = 0.08  # share of the clips that are listed at most
_LEAST = 1e-9


def study_clips(
    pooled: Mapping[str, PooledClips],
    targets: Mapping[str, HeadTargets],
    rows: Sequence[Row],
    labels: Labels,
    blocks: Mapping[str, Sequence[int]],
    left_out: Mapping[str, np.ndarray],
) -> DataStudy:
    """The study of K clips.

    Args:
        pooled: modality -> their statistics.
        targets: head -> what they are labelled as.
        rows: the K clips themselves.
        labels: the classes of every head.
        blocks: modality -> widths of its kinds of statistics.
        left_out: head -> probabilities [K,C] of each clip by a fit of all others without its group.
    """
    # As they are, without augmented views: a third of the time.
    plain = {sense: own.first_view() for sense, own in pooled.items()}
    groups, curves, doubtful = np.array(group_rows(rows)), {}, {}
    for head, own in targets.items():
        if not own.multi_label:
            curves[head] = _curve(plain, head, own, groups, blocks, left_out[head])
            doubtful[head] = doubtful_labels(plain, own, rows, labels.names(head), blocks)
    return DataStudy(curves, doubtful)


def _curve(
    pooled: Mapping[str, PooledClips],
    head: str,
    targets: HeadTargets,
    groups: np.ndarray,
    blocks: Mapping[str, Sequence[int]],
    left_out: np.ndarray,
) -> list[CurvePoint]:
    known = np.flatnonzero(targets.known & np.isfinite(left_out).all(axis=1))
    truth = targets.truth.argmax(axis=1)
    folds = np.full(len(truth), -1)
    folds[known] = group_folds(groups[known], targets.truth[known], _FOLDS)
    most, points = np.bincount(truth[known]).max(), []
    for count in COUNTS:
        if count >= most:
            break
        scores = np.full(left_out.shape, np.nan)
        for fold in range(_FOLDS):
            learned = _drawn(np.flatnonzero((folds >= 0) & (folds != fold)), truth, count)
            judged = np.flatnonzero(folds == fold)
            if len(np.unique(truth[learned])) < 2 or not len(judged):
                continue
            part = HeadTargets(targets.classes, targets.truth[learned], targets.known[learned])
            chosen = {sense: own.select(learned) for sense, own in pooled.items()}
            if any(own.present.any() for own in chosen.values()):
                solved = solve(chosen, {head: part}, groups[learned], blocks, familiar=False)
                scores[judged] = solved.scores(head, {sense: own.select(judged) for sense, own in pooled.items()})
        points.append(CurvePoint(count, _uar(truth[known], scores[known])))
    return [*points, CurvePoint(None, _uar(truth[known], left_out[known]))]


def _drawn(clips: np.ndarray, truth: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the clips of each class, at random and always the same."""
    order = np.random.default_rng(0).permutation(clips)
    return np.sort(np.concatenate([order[truth[order] == number][:count] for number in np.unique(truth[clips])]))


def _uar(truth: np.ndarray, scores: np.ndarray) -> float:
    """The mean over classes of the share of clips [k] whose scores [k,C] are highest for it; NaN is wrong."""
    right = np.isfinite(scores).all(axis=1) & (np.nan_to_num(scores).argmax(axis=1) == truth)
    return float(np.mean([right[truth == number].mean() for number in np.unique(truth)]))


def doubtful_labels(
    pooled: Mapping[str, PooledClips],
    targets: HeadTargets,
    rows: Sequence[Row],
    names: Sequence[str],
    blocks: Mapping[str, Sequence[int]],
) -> list[DoubtfulLabel]:
    """The clips of one head that a fit without them takes for another class, the worst first, at most `LISTED` of them.

    Each clip is left out alone: others of its group are the best witnesses of a label that is wrong.

    Args:
        pooled: modality -> statistics of K clips.
        targets: what they are labelled as.
        rows: the clips themselves.
        names: the classes.
        blocks: modality -> widths of its kinds of statistics.
    """
    statistics = {sense: own.clips for sense, own in pooled.items()}
    present = {sense: own.present for sense, own in pooled.items()}
    form = fit_closed_form(statistics, present, {"label": targets}, np.arange(len(rows)), blocks)
    logits = form.left_out("label", present).astype(np.float64)  # [K,C]
    known = np.flatnonzero(targets.known & np.isfinite(logits).all(axis=1))
    shares = softmax(logits[known])
    labelled = targets.truth[known].argmax(axis=1)
    own = shares[np.arange(len(known)), labelled]
    margins = np.log(own + _LEAST) - np.log(shares.max(axis=1) + _LEAST)  # [k], below 0 where another class is likelier
    listed = np.argsort(margins, kind="stable")[: max(1, round(LISTED * len(known)))]
    return [
        DoubtfulLabel(
            rows[known[place]],
            names[labelled[place]],
            names[shares[place].argmax()],
            float(shares[place].max()),
        )
        for place in listed
        if margins[place] < 0
    ]
