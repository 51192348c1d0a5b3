"""The closed form of every head and every set of modalities that can be present, as linear weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from video_understanding.training.closed_form.calibrate import (
    log_loss,
    log_loss_of_labels,
    scale_and_offset,
    temperature,
)
from video_understanding.training.closed_form.choose import (
    balanced,
    best_strength,
    blend,
    group_folds,
    judgeable,
    usable_groups,
)
from video_understanding.training.closed_form.forms import ClosedForm, HeadTargets, LinearForm
from video_understanding.training.closed_form.lda import discriminant
from video_understanding.training.closed_form.ridge import STRENGTHS, left_out_scores, ridge
from video_understanding.training.closed_form.spectrum import MOST_AXES, Spectrum, reduced_axes
from video_understanding.training.closed_form.standardise import Standard

_FEWEST_CLIPS = 2


def fit_closed_form(
    statistics: Mapping[str, np.ndarray],
    present: Mapping[str, np.ndarray],
    heads: Mapping[str, HeadTargets],
    groups: np.ndarray,
    blocks: Mapping[str, Sequence[int]] | None = None,
) -> ClosedForm:
    """Ridge regression and shrunk LDA of each set of modalities, blended by what they say of groups left out.

    Args:
        statistics: modality -> float32 [K,P] or [V,K,P], each clip's mean of its windows' pooled statistics; of V views
            the first is the clip as it is, by which alone is chosen, and the others are augmented.
        present: modality -> bool [K], the clips that have it.
        heads: name -> its targets.
        groups: int [K], such as the subject of each clip; a group is left out as a whole.
        blocks: modality -> widths of its kinds of statistics, such as 1280 means and 1280 changes, each
            of which is standardised by itself. One kind if not given.

    Returns:
        The forms of every set of modalities that at least two labelled clips have.
    """
    rows, standards = {}, {}
    for name, own in statistics.items():
        views = np.asarray(own, np.float32)
        views = views[None] if views.ndim == 2 else views  # [V,K,P]
        standards[name] = Standard.of(views[:, present[name]], (blocks or {}).get(name))
        rows[name] = standards[name](views)
    forms = {}
    for head, targets in heads.items():
        forms[head] = {}
        for many in range(1, len(rows) + 1):
            for own in combinations(rows, many):
                clips = np.flatnonzero(targets.known & np.all([present[name] for name in own], axis=0))
                if len(clips) >= _FEWEST_CLIPS:
                    forms[head][own] = _fit(rows, own, clips, targets, groups, forms[head])
    return ClosedForm(standards, forms)


@dataclass(frozen=True)
class _Member:
    """A form before it is blended: weights and bias of calibrated logits, and those of the left-out clips [k,C]."""

    weights: dict[str, np.ndarray]
    bias: np.ndarray
    scores: np.ndarray
    strength: float

    def times(self, factor: float | np.ndarray, offset: float | np.ndarray = 0.0) -> _Member:
        weights = {name: own * factor for name, own in self.weights.items()}
        return _Member(weights, self.bias * factor + offset, self.scores * factor + offset, self.strength)


def _fit(
    rows: Mapping[str, np.ndarray],
    own: tuple[str, ...],
    clips: np.ndarray,
    targets: HeadTargets,
    groups: np.ndarray,
    smaller: Mapping[tuple[str, ...], LinearForm],
) -> LinearForm:
    """The blend of what is fitted to these modalities together and of what was fitted to each alone."""
    truth = targets.truth[clips]
    groups = groups[clips] if targets.multi_label else usable_groups(truth, groups[clips])
    members = _members(rows, own, clips, truth, groups, targets.multi_label)
    if len(own) > 1:
        for name in own:
            form = smaller[(name,)]
            members[name] = _Member(form.weights, form.bias, form.scores[clips].astype(np.float64), 0.0)
    judged, weights = _judged(truth, groups, targets.multi_label)
    if len(members) > 1:
        scores = [member.scores[judged] for member in members.values()]
        loss_of = log_loss_of_labels if targets.multi_label else log_loss
        shares = blend(scores, truth[judged], weights[judged], loss_of)
    else:
        shares = np.ones(1)
    blended = _mean(members, shares)
    blended = _calibrated(blended, truth, judged, weights, targets.multi_label)
    scores = np.full((len(targets.known), targets.classes), np.nan, np.float32)
    scores[clips] = blended.scores
    return LinearForm(
        {name: part.astype(np.float32) for name, part in blended.weights.items()},
        blended.bias.astype(np.float32),
        scores,
        {name: (float(share), member.strength) for (name, member), share in zip(members.items(), shares, strict=True)},
    )


def _members(
    rows: Mapping[str, np.ndarray],
    own: tuple[str, ...],
    clips: np.ndarray,
    truth: np.ndarray,
    groups: np.ndarray,
    multi_label: bool,
) -> dict[str, _Member]:
    """Ridge regression and, where a clip has one label, LDA, each with its best strength and calibrated."""
    views = max(len(rows[name]) for name in own)
    # Each modality has the same variance in all, however many numbers it has; with fewer views it has them again.
    parts = [
        np.resize(rows[name][:, clips], (views, len(clips), rows[name].shape[-1])) / np.sqrt(rows[name].shape[-1])
        for name in own
    ]
    joined = np.concatenate(parts, axis=-1).reshape(views * len(clips), -1).astype(np.float32)  # [V*k,P]
    middle = joined.mean(axis=0)
    axes = reduced_axes(joined - middle, MOST_AXES)  # [P,r]
    points = ((joined - middle) @ axes.astype(np.float32)).astype(np.float64)  # [V*k,r]
    judged, weights = _judged(truth, groups, multi_label)
    tiled = np.tile(truth, (views, 1)), np.tile(weights, views), np.tile(groups, views)
    spectrum = Spectrum.of(points, tiled[1])
    folds = group_folds(groups, truth)
    paths = {"ridge": left_out_scores(spectrum, points, *tiled)[:, : len(clips)]}
    if not multi_label:
        paths["lda"] = _folded(points, tiled[0], tiled[1], np.tile(folds, views), len(clips))
    members = {}
    for name, path in paths.items():
        if multi_label:
            best = int(np.argmin(((path - truth) ** 2).mean(axis=(1, 2))))
        else:
            best, _ = best_strength(path[:, judged], truth[judged], weights[judged])
        solve = ridge if name == "ridge" else discriminant
        slopes, bias = solve(spectrum, points, tiled[0], tiled[1], STRENGTHS[best])
        spread = np.split(axes @ slopes, np.cumsum([part.shape[-1] for part in parts])[:-1])
        weights_of = {modality: part / np.sqrt(len(part)) for modality, part in zip(own, spread, strict=True)}
        bias = bias - middle @ (axes @ slopes)
        member = _Member(weights_of, bias, path[best], STRENGTHS[best])
        members[name] = _calibrated(member, truth, judged, weights, multi_label)
    return members


def _folded(points: np.ndarray, truth: np.ndarray, weights: np.ndarray, folds: np.ndarray, clips: int) -> np.ndarray:
    """float64 [L,k,C]: what LDA on the other folds says of each clip, for each strength."""
    found = np.zeros((len(STRENGTHS), clips, truth.shape[1]))
    for fold in np.unique(folds):
        learned, judged = folds != fold, folds[:clips] == fold
        if not learned.any():
            continue
        spectrum = Spectrum.of(points[learned], weights[learned])
        for number, strength in enumerate(STRENGTHS):
            slopes, bias = discriminant(spectrum, points[learned], truth[learned], weights[learned], strength)
            found[number, judged] = points[:clips][judged] @ slopes + bias
    return found


def _judged(truth: np.ndarray, groups: np.ndarray, multi_label: bool) -> tuple[np.ndarray, np.ndarray]:
    """bool [k]: the clips by which is chosen; float64 [k]: what each counts."""
    everyone = np.ones(len(truth), bool)
    if multi_label:
        return everyone, np.ones(len(truth))
    judged = judgeable(truth, groups)
    return judged if judged.any() else everyone, balanced(truth)


def _mean(members: Mapping[str, _Member], shares: Sequence[float]) -> _Member:
    weights: dict[str, np.ndarray] = {}
    for member, share in zip(members.values(), shares, strict=True):
        for name, part in member.weights.items():
            weights[name] = weights.get(name, 0) + share * part
    bias = sum(share * member.bias for member, share in zip(members.values(), shares, strict=True))
    scores = sum(share * member.scores for member, share in zip(members.values(), shares, strict=True))
    return _Member(weights, bias, scores, 0.0)


def _calibrated(
    member: _Member, truth: np.ndarray, judged: np.ndarray, weights: np.ndarray, multi_label: bool
) -> _Member:
    if not multi_label:
        return member.times(temperature(member.scores[judged], truth[judged], weights[judged])[0])
    found = [scale_and_offset(scores, own) for scores, own in zip(member.scores.T, truth.T, strict=True)]
    factors, offsets = np.array(found).T
    return member.times(factors, offsets)
