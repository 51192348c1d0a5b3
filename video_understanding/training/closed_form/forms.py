"""What a closed form is made from and what it gives: targets of a head, linear forms of sets of modalities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from video_understanding.training.closed_form.standardise import Standard


@dataclass(frozen=True)
class HeadTargets:
    """What is to be learned for one head.

    classes  C of them
    truth    float [K,C], 0 or 1; of a head with one label a clip, at most a single 1 in each row
    known    bool [K], the clips that are labelled for it
    multi_label  whether a clip may show several classes at once, or none
    """

    classes: int
    truth: np.ndarray
    known: np.ndarray
    multi_label: bool = False

    @classmethod
    def of_numbers(cls, numbers: np.ndarray, classes: int) -> HeadTargets:
        """Of class numbers [K], -1 for clips that are not labelled."""
        known = np.asarray(numbers) >= 0
        truth = np.zeros((len(known), classes))
        truth[known, np.asarray(numbers)[known]] = 1
        return cls(classes, truth, known)


@dataclass(frozen=True)
class LinearForm:
    """Logits of one head from the standardised statistics of a set of modalities.

    weights  modality -> float32 [P,C]
    bias     float32 [C]
    scores   float32 [K,C], logits of each training clip from a fit without its group; NaN where it has not got all of
             these modalities, or is not labelled
    about    member -> (its share, its strength): what the form is a mean of
    """

    weights: dict[str, np.ndarray]
    bias: np.ndarray
    scores: np.ndarray
    about: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class ClosedForm:
    """All that was fitted.

    standards  modality -> how its statistics are standardised, in the order of the input
    forms      head -> modalities present, in the order of the input -> the linear form; logits are calibrated, their
               softmax (of a multi-label head their sigmoid) is a probability
    """

    standards: dict[str, Standard]
    forms: dict[str, dict[tuple[str, ...], LinearForm]]

    def logits(self, head: str, statistics: Mapping[str, np.ndarray]) -> np.ndarray:
        """float32 [N,C] of rows that have just these modalities, [N,P] each."""
        own = tuple(name for name in self.standards if name in statistics)
        form = self.forms[head][own]
        parts = [self.standards[name](statistics[name]) @ form.weights[name] for name in own]
        return form.bias + sum(parts)

    def left_out(self, head: str, present: Mapping[str, np.ndarray]) -> np.ndarray:
        """float32 [K,C]: logits of each training clip without its group, from the modalities that it has; else NaN."""
        found = np.full_like(next(iter(self.forms[head].values())).scores, np.nan)
        for own, form in self.forms[head].items():
            exactly = np.all([present[name] == (name in own) for name in self.standards], axis=0)
            found[exactly] = form.scores[exactly]
        return found
