"""How well sentences find the clips that they describe, and clips their sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_WITHIN = (1, 5, 10)
_AT_ONCE = 1 << 24  # similarities held in memory at a time
_EQUAL = 1e-6  # two similarities that differ by less are equal, however they were rounded


@dataclass(frozen=True)
class Recall:
    """Of how many searches the first right result is among the best 1, 5 and 10.

    searches      how many there were
    within        1, 5, 10 -> share of the searches
    median_rank   of the first right result, counted from 1
    """

    searches: int
    within: Mapping[int, float]
    median_rank: float

    @classmethod
    def of(cls, ranks: np.ndarray) -> Recall:
        """Of the rank [n], from 0, of each search's first right result."""
        within = {most: float((ranks < most).mean()) for most in _WITHIN}
        return cls(len(ranks), within, float(np.median(ranks)) + 1)

    def to_dict(self) -> dict[str, float]:
        """In percent, as plain values for JSON."""
        shares = {f"r{most}": round(100 * share, 2) for most, share in self.within.items()}
        return {**shares, "median_rank": self.median_rank}


@dataclass(frozen=True)
class Retrieval:
    """Both ways between the sentences and the clips of a table: every sentence searches all clips, and the reverse."""

    text_to_clip: Recall
    clip_to_text: Recall

    @classmethod
    def of(cls, texts: np.ndarray, clips: np.ndarray, owners: np.ndarray) -> Retrieval:
        """Of vectors of length 1.

        Args:
            texts: float32 [N,D], one for each sentence.
            clips: float32 [K,D], one for each clip, each of which has a sentence.
            owners: int [N], the clip that each sentence describes.

        Where several are equally near, the right one counts as the last of them.
        """
        found = np.empty(len(texts), np.int64)  # rank of the own clip for each sentence
        own = (texts * clips[owners]).sum(axis=1)  # [N]
        best = np.full(len(clips), -np.inf, np.float32)
        np.maximum.at(best, owners, own)  # nearest of its own sentences, [K]
        step = max(1, _AT_ONCE // len(clips))
        nearer = np.zeros(len(clips), np.int64)  # sentences at least as near as the best own one
        for begin in range(0, len(texts), step):
            part = slice(begin, begin + step)
            alike = texts[part] @ clips.T  # [n,K]
            others = np.arange(len(clips)) != owners[part, None]
            found[part] = ((alike > own[part, None] - _EQUAL) & others).sum(axis=1)
            nearer += ((alike > best - _EQUAL) & others).sum(axis=0)
        return cls(Recall.of(found), Recall.of(nearer))

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {"text_to_clip": self.text_to_clip.to_dict(), "clip_to_text": self.clip_to_text.to_dict()}

    def text(self) -> str:
        """Two lines."""
        lines = []
        for name, recall in (("from words to clips", self.text_to_clip), ("from clips to words", self.clip_to_text)):
            shares = " / ".join(f"{100 * share:.1f}" for share in recall.within.values())
            lines.append(f"{name}: R@1/5/10 {shares} %, median rank {recall.median_rank:g}, of {recall.searches}")
        return "\n".join(lines)
