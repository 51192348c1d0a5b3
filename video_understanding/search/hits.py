"""From the score of every moment to what is shown: the best of each file, neighbours joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from video_understanding.search.catalogue import Entry

_ALIKE = 0.8  # times the best moment's score: neighbours with as much belong to it
_TOUCHING_S = 0.01


@dataclass(frozen=True)
class Hit:
    """A span of a file that fits; `score` is that of its best moment, at `best_s`."""

    file: str
    start_s: float
    end_s: float
    score: float
    best_s: float

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        span = {"start_s": round(self.start_s, 3), "end_s": round(self.end_s, 3)}
        return {"file": self.file, **span, "score": round(self.score, 4)}


def joined_hits(entry: Entry, scores: np.ndarray, spans_s: np.ndarray, least: float) -> list[Hit]:
    """The hits in one file by the scores [n] of its moments, of `least` or more, and their spans [n,2]."""
    hits, free = [], scores >= least  # moments of the file, bool [n]
    for best in np.argsort(-scores, kind="stable"):
        if not free[best]:
            continue
        enough = max(least, _ALIKE * float(scores[best]))
        belongs = free & (scores >= enough)
        first = last = int(best)
        while first > 0 and belongs[first - 1] and _touch(spans_s, first - 1, first):
            first -= 1
        while last + 1 < len(scores) and belongs[last + 1] and _touch(spans_s, last, last + 1):
            last += 1
        free[first : last + 1] = False
        # The same pictures again, in the windows that overlap.
        if first > 0 and _touch(spans_s, first - 1, first, _TOUCHING_S):
            free[first - 1] = False
        if last + 1 < len(scores) and _touch(spans_s, last, last + 1, _TOUCHING_S):
            free[last + 1] = False
        middle_s = float(spans_s[best].mean())
        hits.append(Hit(entry.path, float(spans_s[first, 0]), float(spans_s[last, 1]), float(scores[best]), middle_s))
    return hits


def best_hits(hits: Sequence[Hit], top: int) -> list[Hit]:
    """The `top` best, best first; of equal ones the earlier file and moment."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.file, hit.start_s))[:top]


def _touch(spans_s: np.ndarray, one: int, other: int, overlap_s: float = -_TOUCHING_S) -> bool:
    """Whether the earlier of two moments ends behind the beginning of the later one."""
    return spans_s[one, 1] - spans_s[other, 0] >= overlap_s
