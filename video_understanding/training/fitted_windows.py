"""What a closed form says of each window of the clips it learned from, each with the clip's group left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from video_understanding.layers.familiarity import AXES
from video_understanding.scorer import SENSES
from video_understanding.training.baselines import probabilities_of
from video_understanding.training.closed_form.familiarity import FamiliarityForm, fit_familiarity
from video_understanding.training.closed_form.forms import ClosedForm, HeadTargets
from video_understanding.training.pooled_clips import PooledClips
from video_understanding.window_scores import WindowScores

FOREIGN = 0.075  # share of familiar windows that lie beyond the limit; the rest of the false alarms are unsure ones


@dataclass(frozen=True)
class FittedWindows:
    """W windows of the K clips that a closed form was fitted to.

    form      the closed form
    clips     int [W], the place of each window's clip among the K
    windows   modality -> float32 [W,P], standardised; zeros where it is missing
    present   modality -> bool [W]
    apart     modality -> float32 [W,P], by how much each differs from the mean of its clip
    """

    form: ClosedForm
    clips: np.ndarray
    windows: Mapping[str, np.ndarray]
    present: Mapping[str, np.ndarray]
    apart: Mapping[str, np.ndarray]

    @classmethod
    def of(
        cls, pooled: Mapping[str, PooledClips], form: ClosedForm, row_numbers: np.ndarray, learned: np.ndarray
    ) -> FittedWindows:
        """The windows of pooled clips, which are rows `learned` [K]; `row_numbers` says whose each window is."""
        numbers = np.unique(np.concatenate([own.numbers for own in pooled.values()]))  # [W]
        clips = np.searchsorted(learned, row_numbers[numbers])
        windows, present, apart = {}, {}, {}
        for sense in SENSES:
            own, standard = pooled[sense], form.standards[sense]
            present[sense] = np.isin(numbers, own.numbers)
            windows[sense] = np.zeros((len(numbers), own.clips.shape[-1]), np.float32)
            windows[sense][present[sense]] = standard(own.windows)
            apart[sense] = windows[sense] - standard(own.clips[0])[clips]
            apart[sense][~present[sense]] = 0
        return cls(form, clips, windows, present, apart)

    def familiarity(self, targets: HeadTargets, groups: np.ndarray) -> FamiliarityForm:
        """How familiar windows are with the clips of a head; groups int [K]."""
        known = targets.known[self.clips]
        present = {sense: there & known for sense, there in self.present.items()}
        return fit_familiarity(
            self.windows, present, targets.truth[self.clips], groups[self.clips], foreign=FOREIGN, most_axes=AXES
        )

    def left_out(self, head: str, targets: HeadTargets, familiarity: FamiliarityForm | None) -> np.ndarray:
        """Probabilities float64 [K,C] of each clip by a fit without its group, joined from those of its windows.

        The logits of a window are those of its clip, left out, and what the whole fit adds for how it differs from it.
        """
        joined = WindowScores(len(targets.known), targets.classes, targets.multi_label)
        for own, form in self.form.forms[head].items():
            exactly = np.all([self.present[sense] == (sense in own) for sense in SENSES], axis=0)
            exactly &= np.isfinite(form.scores[self.clips]).all(axis=1)
            logits = form.scores[self.clips[exactly]].astype(np.float64)
            logits += sum(self.apart[sense][exactly] @ form.weights[sense] for sense in own)
            if familiarity is not None:
                logits *= familiarity.left_out[exactly, None]
            joined.add(self.clips[exactly], probabilities_of(logits, targets.multi_label))
        return joined.result()
