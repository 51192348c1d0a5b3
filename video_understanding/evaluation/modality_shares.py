"""How much each modality counts in an answer: one is taken away at a time, and what is lost is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from video_understanding.errors import ClipError
from video_understanding.scorer import PartwiseScorer, Scores, Tokens, without

# Less than this is no loss worth sharing out: the odds change by a tenth.
LEAST_DROP = 0.1
_LEAST_PROBABILITY = 1e-8  # what float32 can still tell from none, and from certainty
_DIGITS = 6  # of what is written down


@dataclass(frozen=True)
class ModalityShares:
    """What the modalities of one clip do for the class that a head is surest of.

    label       the class
    confidence  its probability with all modalities that the clip has
    without     modality -> the probability of the same class when it is taken away; only where another remains
    drop        modality -> the log-odds (natural logarithm) that go with it; below zero where the class gains
    share       modality -> its part in the answer, from 0 to 1, together 1; None where none is needed by itself

    A modality that is alone has all of the answer. Of several, each has its part of what is lost; one whose loss makes
    the class likelier has none. Where next to nothing is lost whichever is taken, the others are enough (or nothing is
    known of any), and a division would be made up.
    """

    label: str
    confidence: float
    without: Mapping[str, float] = field(hash=False)
    drop: Mapping[str, float] = field(hash=False)
    share: Mapping[str, float] | None = field(hash=False)

    @property
    def words(self) -> str:
        """What that means, in a few words."""
        if self.share is None:
            if not self.without:
                return "there is nothing to go by"
            if len(self.without) == 2:
                return "neither modality is needed, either alone is enough"
            return "no modality is needed, the others are enough"
        if not self.without:
            return f"{max(self.share, key=self.share.get)} alone: the clip has nothing else"
        words = ", ".join(f"{name} {100 * share:.0f} %" for name, share in self.share.items())
        against = [name for name, lost in self.drop.items() if lost < -LEAST_DROP]
        speak = "speaks" if len(against) == 1 else "speak"
        return f"{words}; {' and '.join(against)} {speak} against it" if against else words

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        return {
            "label": self.label,
            "confidence": round(self.confidence, _DIGITS),
            "confidence_without": {name: round(value, _DIGITS) for name, value in self.without.items()},
            "log_odds_lost_without": {name: round(value, _DIGITS) for name, value in self.drop.items()},
            "share": None if self.share is None else {name: round(part, _DIGITS) for name, part in self.share.items()},
            "words": self.words,
        }


def modality_shares(scorer: PartwiseScorer, tokens: Tokens, presence: np.ndarray) -> list[dict[str, ModalityShares]]:
    """For each of B clips: head -> what each modality does for the class that the head is surest of.

    Takes the scorer's tokens [B,n,D] of each modality, and presence bool [B,M]: nothing is encoded again, only fused
    anew, as the model fuses a clip that lacks a modality.
    """
    if presence.shape != (len(presence), len(tokens)) or any(len(own) != len(presence) for own in tokens.values()):
        shapes = [list(array.shape) for array in (*tokens.values(), presence)]
        raise ClipError("tokens", f"shapes {shapes} do not belong together", "Give each clip tokens and presence.")
    scores = [scorer.fuse(tokens, presence), *without_each(scorer, tokens, presence)]
    found: list[dict[str, ModalityShares]] = [{} for _ in range(len(presence))]
    for head in scores[0].heads:
        several = head in scorer.spec.network.multi_label
        for clip, shares in enumerate(found):
            rows = np.stack([score[head][clip] for score in scores])  # [1+M,C]
            place = int(rows[0].argmax())
            there = dict(zip(tokens, map(bool, presence[clip]), strict=True))
            shares[head] = shares_of(scorer.labels.names(head), rows, place, there, several=several)
    return found


def without_each(scorer: PartwiseScorer, tokens: Tokens, presence: np.ndarray) -> list[Scores]:
    """The scores of the same clips without each modality in turn, as if they had never had it."""
    return [scorer.fuse(tokens, without(presence, list(tokens), (name,))) for name in tokens]


def shares_of(
    names: Sequence[str], rows: np.ndarray, place: int, modalities: Mapping[str, bool], *, several: bool = False
) -> ModalityShares:
    """What the modalities of one clip do for the class at `place`; `several` is that of a multi-label head.

    `rows` float32 [1+M,C] are its scores with all and without each; `modalities` says which of these it has.
    """
    odds = log_odds(rows, place, several=several)  # [1+M]
    there = {name: 1 + number for number, name in enumerate(modalities) if modalities[name]}  # name -> its row
    taken = there if len(there) > 1 else {}
    without = {name: float(rows[row, place]) for name, row in taken.items()}
    drop = {name: float(odds[0] - odds[row]) for name, row in taken.items()}
    share = _share(drop) if taken else {name: float(has) for name, has in modalities.items()} if there else None
    return ModalityShares(names[place], float(rows[0, place]), without, drop, share)


def log_odds(scores: np.ndarray, place: int, *, several: bool = False) -> np.ndarray:
    """Probabilities [B,C] -> [B], the log-odds (natural logarithm) of the class at `place`.

    `several` is that of a multi-label head. Elsewhere what stands against the class is the sum of the others, which
    is known far more exactly than one minus a probability near one.
    """
    scores = np.asarray(scores, np.float64)
    told = scores[:, place]  # [B]
    rest = 1 - told if several else np.delete(scores, place, axis=1).sum(axis=1)  # [B]
    return np.log(np.maximum(told, _LEAST_PROBABILITY)) - np.log(np.maximum(rest, _LEAST_PROBABILITY))


def _share(drop: Mapping[str, float]) -> dict[str, float] | None:
    helps = {name: max(lost, 0.0) for name, lost in drop.items()}
    total = sum(helps.values())
    return None if total < LEAST_DROP else {name: lost / total for name, lost in helps.items()}
