"""What was recognised in a file: each head's answer, and segments of time in which the answers stay the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

UNKNOWN = "unknown"  # the answer where the model is less sure than its bundle asks for
SHOWN_FROM = 0.5  # in a multi-label head, the score from which on a class is said to be shown
_SCORE_DIGITS, _TIME_DIGITS = 6, 3  # of what is written down


@dataclass(frozen=True)
class HeadAnswer:
    """What is said for one head.

    label       the class; in a multi-label head all classes that are shown, or none of them
    confidence  how sure that is, from 0 to 1: the class's score; in a multi-label head the score of the least sure
                class that is shown, and what remains beside the surest one where none is
    scores      class -> probability, in a file's answer joined from all its windows, or their mean where it changes
    nearest     the best class where the label is "unknown"
    lasts_s     in a file whose answer changes: for how many seconds it is this one, the longest of all; `confidence` is
                then that of these seconds
    """

    label: str | tuple[str, ...]
    confidence: float
    scores: Mapping[str, float] = field(hash=False)
    nearest: str | None = None
    lasts_s: float | None = None

    @classmethod
    def of(
        cls, names: Sequence[str], scores: np.ndarray, *, several: bool = False, unknown_below: float | None = None
    ) -> HeadAnswer:
        """The answer that follows from the probabilities [C] of the classes; `several` means a multi-label head."""
        if several:
            return cls.showing(names, scores, scores >= SHOWN_FROM)
        best = int(np.argmax(scores))
        unsure = unknown_below is not None and float(scores[best]) < unknown_below
        return cls.telling(names, scores, None if unsure else best)

    @classmethod
    def telling(cls, names: Sequence[str], scores: np.ndarray, place: int | None) -> HeadAnswer:
        """The answer that is the class at this place, or unknown if it is None; scores [C]."""
        best = int(np.argmax(scores)) if place is None else place
        label, nearest = (UNKNOWN, names[best]) if place is None else (names[place], None)
        return cls(label, float(scores[best]), _by_name(names, scores), nearest)

    @classmethod
    def showing(cls, names: Sequence[str], scores: np.ndarray, shown: np.ndarray) -> HeadAnswer:
        """The answer of a multi-label head that names the classes which are shown, bool [C]; scores [C]."""
        confidence = float(scores[shown].min() if shown.any() else 1 - scores.max())
        label = tuple(name for name, is_shown in zip(names, shown, strict=True) if is_shown)
        return cls(label, confidence, _by_name(names, scores))

    @property
    def words(self) -> str:
        """The label for people: "dance", "dance, sing", "none"."""
        return self.label if isinstance(self.label, str) else ", ".join(self.label) or "none"

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        label = self.label if isinstance(self.label, str) else list(self.label)
        values: dict[str, Any] = {"label": label, "confidence": round(self.confidence, _SCORE_DIGITS)}
        if self.nearest is not None:
            values["nearest"] = self.nearest
        if self.lasts_s is not None:
            values["lasts_s"] = round(self.lasts_s, _TIME_DIGITS)
        return {**values, "scores": {name: round(score, _SCORE_DIGITS) for name, score in self.scores.items()}}


@dataclass(frozen=True)
class Segment:
    """A span of time in which the answers stay the same; the scores of `heads` are joined from its windows."""

    start_s: float
    end_s: float
    heads: Mapping[str, HeadAnswer] = field(hash=False)

    def to_dict(self) -> dict[str, Any]:
        """All but the scores of every class, as plain values for JSON."""
        values: dict[str, Any] = {
            "start_s": round(self.start_s, _TIME_DIGITS),
            "end_s": round(self.end_s, _TIME_DIGITS),
        }
        told = {head: answer.to_dict() for head, answer in self.heads.items()}
        values |= {head: answer["label"] for head, answer in told.items()}
        values |= {f"{head}_confidence": answer["confidence"] for head, answer in told.items()}
        return values | {f"{head}_nearest": answer["nearest"] for head, answer in told.items() if "nearest" in answer}


@dataclass(frozen=True, repr=False)
class Prediction:
    """What was recognised in a file.

    file        its path, as it was given
    duration_s  how long it is
    heads       head -> its answer: what lasts longest; heads that the model lacks are absent
    modalities  modality -> whether any of it was there; digital silence is not
    segments    one after the other, in the order of time
    notes       what is odd or damaged in the file, in words
    """

    file: str
    duration_s: float
    heads: Mapping[str, HeadAnswer] = field(hash=False)
    modalities: Mapping[str, bool] = field(hash=False)
    segments: tuple[Segment, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def action(self) -> HeadAnswer | None:
        """The answer of the head "action", if the model has it."""
        return self.heads.get("action")

    @property
    def emotion(self) -> HeadAnswer | None:
        """The answer of the head "emotion", if the model has it."""
        return self.heads.get("emotion")

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        return {
            "file": self.file,
            "duration_s": round(self.duration_s, _TIME_DIGITS),
            **{head: answer.to_dict() for head, answer in self.heads.items()},
            "modalities": {name: bool(there) for name, there in self.modalities.items()},
            "segments": [segment.to_dict() for segment in self.segments],
            **({"notes": list(self.notes)} if self.notes else {}),
        }

    def __repr__(self) -> str:
        told = ", ".join(f"{head} {answer.words} {answer.confidence:.2f}" for head, answer in self.heads.items())
        return f"Prediction({self.file}: {told}; {len(self.segments)} segment(s) in {self.duration_s:.2f} s)"


def _by_name(names: Sequence[str], scores: np.ndarray) -> dict[str, float]:
    return {name: float(score) for name, score in zip(names, scores, strict=True)}
