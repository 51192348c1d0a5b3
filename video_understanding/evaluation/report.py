"""What an evaluation found, over all heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from video_understanding.evaluation.base_report import BaseHeadReport
from video_understanding.evaluation.text import many, percent, wrapped


@dataclass(frozen=True)
class Overall:
    """All heads in one: the mean of their UAR and accuracy, how many they are, and the clips labelled for any."""

    uar: float
    accuracy: float
    heads: int
    clips: int

    @classmethod
    def of(cls, heads: Mapping[str, BaseHeadReport], clips: int) -> Overall:
        """That of one or more heads, and of the clips that are labelled for any of them."""
        uar, accuracy = (float(np.mean([getattr(one, name) for one in heads.values()])) for name in ("uar", "accuracy"))
        return cls(uar, accuracy, len(heads), clips)


@dataclass(frozen=True, repr=False)
class Report:
    """What an evaluation found.

    heads       the result of each head that the scorer has and clips are labelled for
    overall     all heads in one
    windows     how many windows were scored
    without     the modality that was taken away, or None
    notes       what was left out or could not be told, in words
    """

    heads: Mapping[str, BaseHeadReport]
    overall: Overall
    windows: int
    without: str | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        return {
            "overall": vars(self.overall).copy(),
            "windows": self.windows,
            "without": self.without,
            "notes": list(self.notes),
            "heads": {head: result.to_dict() for head, result in self.heads.items()},
        }

    def text(self) -> str:
        """All of it as text of at most 80 columns."""
        blocks = [result.text(head) for head, result in self.heads.items()]
        return "\n\n".join(["\n".join(self._overview()), *blocks])

    def _overview(self) -> list[str]:
        without = f", without {self.without}" if self.without else ""
        lines = [f"{many(self.overall.clips, 'clip')} in {many(self.windows, 'window')}{without}"]
        if self.overall.heads > 1:
            lines.append(f"UAR {percent(self.overall.uar)} %, mean of {self.overall.heads} heads")
        return [*lines, *(line for note in self.notes for line in wrapped(note))]

    def __repr__(self) -> str:
        heads = ", ".join(f"{head} UAR {percent(result.uar)} %" for head, result in self.heads.items())
        return f"Report({many(self.overall.clips, 'clip')}: {heads})"
