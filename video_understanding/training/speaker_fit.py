"""The second closed form of a linear classifier: on audio statistics from which each speaker was taken out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from video_understanding.datasets.rows import Row
from video_understanding.datasets.speakers import speaker_numbers
from video_understanding.features.speaker_normalisation import SpeakerNormalisation
from video_understanding.features.speaker_weights import SpeakerForm, SpeakerWeights
from video_understanding.training.closed_form.calibrate import log_loss
from video_understanding.training.closed_form.choose import balanced
from video_understanding.training.closed_form.fit import fit_closed_form
from video_understanding.training.closed_form.forms import ClosedForm, HeadTargets, LinearForm
from video_understanding.training.closed_form.speaker import speaker_normalisation_helps, voice_axes


@dataclasses.dataclass(frozen=True)
class SpeakerFit:
    """Whether speaker normalisation helps each head, and the weights where it does.

    helps    head -> whether; empty where the clips do not name two speakers or more
    weights  None where it helps no head
    """

    helps: Mapping[str, bool]
    weights: SpeakerWeights | None = None


def fit_speakers(
    rows: Sequence[Row],
    statistics: Mapping[str, np.ndarray],
    present: Mapping[str, np.ndarray],
    heads: Mapping[str, HeadTargets],
    groups: np.ndarray,
    blocks: Mapping[str, Sequence[int]],
    plain: ClosedForm,
    *,
    poolings: Mapping[str, str],
    windows_per_clip: int,
) -> SpeakerFit:
    """Decides for every head whether its speakers are normalised, and solves the second weights of those that are.

    Args:
        rows: the K clips learned from; those without a subject take no part.
        statistics, present, heads, groups, blocks: as `fit_closed_form` takes them; "audio" has a single view.
        plain: the closed form of the clips as they are, which the second one has to be better than.
        poolings: modality -> by which pooling tokens became statistics.
        windows_per_clip: of how many windows a clip's statistics are the mean, on average.
    """
    speakers = np.where(present["audio"], speaker_numbers(rows), -1)  # [K]
    known = speakers >= 0
    if len(np.unique(speakers[known])) < 2:
        return SpeakerFit({})
    audio = statistics["audio"][0]  # [K,P]
    helps = {head: _helps(plain, audio, speakers, targets) for head, targets in heads.items()}
    if not any(helps.values()):
        return SpeakerFit(helps)
    normalisation = SpeakerNormalisation.of(audio[known], speakers[known])
    moved = {**statistics, "audio": normalisation.apply(audio, speakers)}
    wanted = {head: targets for head, targets in heads.items() if helps[head]}
    second = fit_closed_form(moved, {**present, "audio": known}, wanted, groups, blocks)
    kept = {
        head: {
            own: SpeakerForm(form.weights, form.bias)
            for own, form in second.forms[head].items()
            if "audio" in own and _is_better(form, plain.forms[head][own], targets)
        }
        for head, targets in wanted.items()
    }
    helps = {head: bool(kept.get(head)) for head in heads}
    if not any(helps.values()):
        return SpeakerFit(helps)
    standard = plain.standards["audio"]
    axes = voice_axes(standard(audio[known]), speakers[known]) / standard.scale[:, None]
    voices = SpeakerNormalisation.of(audio[known] @ axes, speakers[known])
    standards = {name: (standard.mean, standard.scale) for name, standard in second.standards.items()}
    forms = {head: sets for head, sets in kept.items() if sets}
    return SpeakerFit(
        helps, SpeakerWeights(normalisation, axes, voices, windows_per_clip, dict(poolings), standards, forms)
    )


def _helps(plain: ClosedForm, audio: np.ndarray, speakers: np.ndarray, targets: HeadTargets) -> bool:
    own = (speakers >= 0) & targets.known
    if targets.multi_label or len(np.unique(speakers[own])) < 2:
        return False
    standard = plain.standards["audio"](audio[own])
    normalisation = SpeakerNormalisation.of(standard, speakers[own])
    return speaker_normalisation_helps(normalisation, standard, speakers[own], targets.truth[own])


def _is_better(form: LinearForm, plain: LinearForm, targets: HeadTargets) -> bool:
    """Whether left-out clips have a lower log loss with the second form, and it lacks no class of the first."""
    clips, before = (~np.isnan(one.scores).any(axis=1) for one in (form, plain))  # bool [K]
    truth = targets.truth[clips]
    if (targets.truth[before].any(axis=0) > truth.any(axis=0)).any():
        return False
    weights = balanced(truth)
    return log_loss(form.scores[clips], truth, weights) < log_loss(plain.scores[clips], truth, weights)
