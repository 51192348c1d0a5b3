"""The closed form of pooled clips with their familiarity, and what both say of clips left out and of other clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.layers.familiarity import AXES
from video_understanding.training.baselines import probabilities_of
from video_understanding.training.closed_form.familiarity import FamiliarityForm, fit_familiarity
from video_understanding.training.closed_form.fit import fit_closed_form
from video_understanding.training.closed_form.forms import ClosedForm, HeadTargets
from video_understanding.training.missing import filled
from video_understanding.training.pooled_clips import PooledClips
from video_understanding.window_scores import WindowScores

FOREIGN = 0.075  # share of familiar windows that lie beyond the limit; the rest of the false alarms are unsure ones


@dataclass(frozen=True)
class Solved:
    """What was fitted to K clips.

    targets      head -> what was learned
    form         the weights of every head and set of modalities
    familiarity  head -> how familiar a window is; heads of several labels a clip have none
    left_out     head -> probabilities float64 [K,C] of each clip by a fit without its group, NaN without a label
    """

    targets: Mapping[str, HeadTargets]
    form: ClosedForm
    familiarity: Mapping[str, FamiliarityForm]
    left_out: Mapping[str, np.ndarray]

    def by_score_alone(self, pooled: Mapping[str, PooledClips]) -> Solved:
        """The same without familiarity; `pooled` are the clips that it was fitted to."""
        return Solved(self.targets, self.form, {}, _left_out(pooled, self.targets, self.form, {}))

    def scores(self, head: str, pooled: Mapping[str, PooledClips]) -> np.ndarray:
        """Probabilities float64 [N,C] of other clips, joined from those of their windows as an evaluation does it."""
        targets, windows = self.targets[head], _Windows.of(pooled, self.form)
        joined = WindowScores(len(next(iter(pooled.values())).present), targets.classes, targets.multi_label)
        for own, places, exactly in windows.by_modalities(self.form.forms[head]):
            form, statistics = self.form.forms[head][own], {name: windows.values[name][exactly] for name in own}
            logits = form.bias + sum(statistics[name] @ form.weights[name] for name in own)
            if head in self.familiarity:
                logits = logits * self.familiarity[head](statistics)[:, None]
            joined.add(places, probabilities_of(logits, targets.multi_label))
        return joined.result()


def solve(
    pooled: Mapping[str, PooledClips],
    targets: Mapping[str, HeadTargets],
    groups: np.ndarray,
    blocks: Mapping[str, Sequence[int]],
    familiar: bool = True,
) -> Solved:
    """Fits the closed form to clips, and their familiarity.

    Args:
        pooled: modality -> the statistics of K clips.
        targets: head -> what is to be learned of them.
        groups: int [K], such as the subject of each clip; a group is left out as a whole.
        blocks: modality -> widths of its kinds of statistics.
        familiar: whether familiarity is fitted, too.
    """
    statistics = {name: own.clips for name, own in pooled.items()}
    form = fit_closed_form(statistics, {name: own.present for name, own in pooled.items()}, targets, groups, blocks)
    windows, familiarity = _Windows.of(pooled, form), {}
    for head, own in targets.items():
        if familiar and not own.multi_label:
            known = own.known[windows.places]
            familiarity[head] = fit_familiarity(
                windows.values,
                {name: there & known for name, there in windows.present.items()},
                own.truth[windows.places],
                groups[windows.places],
                foreign=FOREIGN,
                most_axes=AXES,
            )
    return Solved(targets, form, familiarity, _left_out(pooled, targets, form, familiarity))


def solve_filled(
    pooled: Mapping[str, PooledClips],
    targets: Mapping[str, HeadTargets],
    groups: np.ndarray,
    blocks: Mapping[str, Sequence[int]],
) -> Solved:
    """`solve` where the mean of a modality stands for it in clips without it; familiarity would take that for data."""
    present = {name: own.present for name, own in pooled.items()}
    statistics, known = filled({name: own.clips for name, own in pooled.items()}, present)
    form = fit_closed_form(statistics, known, targets, groups, blocks)
    left_out = {head: probabilities_of(form.left_out(head, known), own.multi_label) for head, own in targets.items()}
    return Solved(targets, form, {}, left_out)


def _left_out(
    pooled: Mapping[str, PooledClips],
    targets: Mapping[str, HeadTargets],
    form: ClosedForm,
    familiarity: Mapping[str, FamiliarityForm],
) -> dict[str, np.ndarray]:
    """Head -> probabilities [K,C] of each clip by a fit without its group, joined from those of its windows."""
    windows, found = _Windows.of(pooled, form), {}
    apart = windows.from_clips(pooled, form)
    for head, own in targets.items():
        joined = WindowScores(len(own.known), own.classes, own.multi_label)
        for members, places, exactly in windows.by_modalities(form.forms[head]):
            # The logits of a window are those of its clip, left out, and what the whole fit adds for how it differs.
            logits = form.forms[head][members].scores[places].astype(np.float64)
            logits += sum(apart[name][exactly] @ form.forms[head][members].weights[name] for name in members)
            if head in familiarity:
                logits *= familiarity[head].left_out[exactly, None]
            judged = np.isfinite(logits).all(axis=1)
            joined.add(places[judged], probabilities_of(logits[judged], own.multi_label))
        found[head] = joined.result()
    return found


@dataclass(frozen=True)
class _Windows:
    """The W windows of clips, all modalities side by side.

    places   int [W], the place of each window's clip
    values   modality -> float32 [W,P], standardised; zeros where it is missing
    present  modality -> bool [W]
    """

    places: np.ndarray
    values: Mapping[str, np.ndarray]
    present: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, pooled: Mapping[str, PooledClips], form: ClosedForm) -> _Windows:
        numbers = np.unique(np.concatenate([own.numbers for own in pooled.values()]))  # [W]
        places, values, present = np.zeros(len(numbers), int), {}, {}
        for name, own in pooled.items():
            present[name] = np.isin(numbers, own.numbers)
            places[present[name]] = own.places
            values[name] = np.zeros((len(numbers), own.clips.shape[-1]), np.float32)
            values[name][present[name]] = form.standards[name](own.windows)
        return cls(places, values, present)

    def by_modalities(self, sets: Mapping[tuple[str, ...], object]) -> Iterator[tuple[tuple[str, ...], ...]]:
        """Each set of modalities, and of the windows that have just these the clips' places int [w] and bool [W]."""
        for own in sets:
            exactly = np.all([there == (name in own) for name, there in self.present.items()], axis=0)
            yield own, self.places[exactly], exactly

    def from_clips(self, pooled: Mapping[str, PooledClips], form: ClosedForm) -> dict[str, np.ndarray]:
        """Modality -> float32 [W,P]: by how much each window differs from the mean of its clip."""
        return {
            name: np.where(
                self.present[name][:, None], values - form.standards[name](pooled[name].clips[0])[self.places], 0
            )
            for name, values in self.values.items()
        }
