"""How much each sense counts in an answer: one is taken away at a time, and what is lost is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from video_understanding.errors import ClipError
from video_understanding.scorer import SENSES, PartwiseScorer, Scores

# Less than this is no loss worth sharing out: the odds change by a tenth.
LEAST_DROP = 0.1
_LEAST_PROBABILITY = 1e-8  # what float32 can still tell from none, and from certainty
_DIGITS = 6  # of what is written down


@dataclass(frozen=True)
class SenseShares:
    """What the senses of one clip do for the class that a head is surest of.

    label       the class
    confidence  its probability with all senses that the clip has
    without     sense -> the probability of the same class when that sense is taken away; only where another remains
    drop        sense -> the log-odds (natural logarithm) that go with it; below zero where the class gains
    share       sense -> its part in the answer, from 0 to 1, together 1; None where neither sense is needed

    A sense that is alone has all of the answer. Of two, each has its part of what is lost; one whose loss makes
    the class likelier has none. Where next to nothing is lost either way, either sense alone is enough (or
    nothing is known of both), and a division would be made up.
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
            return "neither sense is needed, either alone is enough" if self.without else "there is nothing to go by"
        if not self.without:
            return f"{max(self.share, key=self.share.get)} alone: the clip has nothing else"
        words = ", ".join(f"{sense} {100 * share:.0f} %" for sense, share in self.share.items())
        against = [sense for sense in self.drop if self.drop[sense] < -LEAST_DROP]
        return f"{words}; {against[0]} speaks against it" if against else words

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        return {
            "label": self.label,
            "confidence": round(self.confidence, _DIGITS),
            "confidence_without": {sense: round(value, _DIGITS) for sense, value in self.without.items()},
            "log_odds_lost_without": {sense: round(value, _DIGITS) for sense, value in self.drop.items()},
            "share": None if self.share is None else {name: round(part, _DIGITS) for name, part in self.share.items()},
            "words": self.words,
        }


def sense_shares(
    scorer: PartwiseScorer, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray
) -> list[dict[str, SenseShares]]:
    """For each of B clips: head -> what each sense does for the class that the head is surest of.

    Takes the scorer's tokens, picture [B,T,D] and sound [B,M*K,D], and presence bool [B,2]: nothing is looked at or
    listened to again, only joined anew, as the model joins a clip that lacks a sense.
    """
    if presence.ndim != 2 or presence.shape[1] != len(SENSES) or not len(picture) == len(sound) == len(presence):
        shapes = [list(array.shape) for array in (picture, sound, presence)]
        raise ClipError("tokens", f"shapes {shapes} do not belong together", "Give each clip tokens and presence.")
    scores = [scorer.fuse(picture, sound, presence), *without_each(scorer, picture, sound, presence)]
    found: list[dict[str, SenseShares]] = [{} for _ in range(len(presence))]
    for head in scores[0].heads:
        several = head in scorer.spec.network.multi_label
        for clip, shares in enumerate(found):
            rows = np.stack([score[head][clip] for score in scores])  # [3,C]
            place = int(rows[0].argmax())
            shares[head] = shares_of(scorer.labels.names(head), rows, place, presence[clip], several=several)
    return found


def without_each(
    scorer: PartwiseScorer, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray
) -> tuple[Scores, Scores]:
    """The scores of the same clips without the picture, and without the sound, as if they had never had it."""
    seen, heard = (presence & (np.arange(len(SENSES)) == place) for place in range(len(SENSES)))  # bool [B,2] each
    return scorer.fuse(picture, sound, heard), scorer.fuse(picture, sound, seen)


def shares_of(
    names: Sequence[str], rows: np.ndarray, place: int, presence: np.ndarray, *, several: bool = False
) -> SenseShares:
    """What the senses of one clip do for the class at `place`; `several` is that of a multi-label head.

    `rows` float32 [3,C] are its scores with all, without the picture and without the sound; presence is bool [2].
    """
    odds = log_odds(rows, place, several=several)  # [3]
    both = bool(presence.all())
    without = {sense: float(rows[1 + n, place]) for n, sense in enumerate(SENSES) if both}
    drop = {sense: float(odds[0] - odds[1 + n]) for n, sense in enumerate(SENSES) if both}
    share = _share(drop) if both else _alone(presence)
    return SenseShares(names[place], float(rows[0, place]), without, drop, share)


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
    helps = {sense: max(lost, 0.0) for sense, lost in drop.items()}
    total = sum(helps.values())
    return None if total < LEAST_DROP else {sense: lost / total for sense, lost in helps.items()}


def _alone(presence: np.ndarray) -> dict[str, float] | None:
    return {sense: float(there) for sense, there in zip(SENSES, presence, strict=True)} if presence.any() else None
