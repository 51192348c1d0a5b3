"""What each sense does for the answers of a file, window by window, in bounded memory however long the file is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation.senses import without_each
from video_understanding.recognition.answers import WindowAnswer
from video_understanding.scorer import SENSES, PartwiseScorer, Scorer

MOST_WINDOWS = 1000
_AT_ONCE = 8  # a scorer's calls cost less for several windows


@dataclass(frozen=True, eq=False)
class SensedWindow:
    """One window with all it has, and with each sense taken away.

    middle_s  the moment that it speaks of
    presence  bool [2], which of `SENSES` it has
    scores    head -> float32 [3,C]: with all, without the picture, without the sound; where a sense is alone, nothing
              is taken, and the three are the same
    """

    middle_s: float
    presence: np.ndarray
    scores: Mapping[str, np.ndarray]


class SensesOverTime:
    """Takes a file's windows as `Recognizer.predict` finds them, and asks what each sense does for them.

    Nothing is looked at or listened to again: the tokens are joined anew. Of more windows than `most` every second is
    kept, then every fourth, and so on, so that `every` tells of how many one is kept; each that is kept is exact.
    """

    def __init__(self, scorer: Scorer, most: int = MOST_WINDOWS) -> None:
        if not isinstance(scorer, PartwiseScorer):
            raise VideoUnderstandingError(
                "scorer", "cannot be asked for its parts", "Give a PartwiseScorer, as those of `vu.load` are."
            )
        self.scorer, self._most = scorer, most
        self.seen, self.every = 0, 1
        self._found: list[SensedWindow] = []
        self._waiting: list[WindowAnswer] = []

    def add(self, answer: WindowAnswer) -> None:
        """The next window: give this to `Recognizer.predict` as its `progress`."""
        if self.seen % self.every == 0:
            self._waiting.append(answer)
        self.seen += 1
        if len(self._waiting) == _AT_ONCE:
            self._ask()

    @property
    def windows(self) -> list[SensedWindow]:
        """Those that are kept, in the order of time."""
        self._ask()
        return self._found

    def _ask(self) -> None:
        """Joins the tokens of the windows that wait, without one sense and without the other."""
        both = [place for place, answer in enumerate(self._waiting) if all(answer.senses.values())]
        taken: dict[int, dict[str, np.ndarray]] = {}  # place -> head -> [2,C]
        if both:
            picture, sound = (np.stack([self._waiting[place].tokens[sense] for place in both]) for sense in SENSES)
            less = without_each(self.scorer, picture, sound, np.ones((len(both), len(SENSES)), bool))
            for number, place in enumerate(both):
                taken[place] = {head: np.stack([part[head][number] for part in less]) for head in less[0].heads}
        for place, answer in enumerate(self._waiting):
            scores = {
                head: np.concatenate([whole[None], taken[place][head] if place in taken else whole[None].repeat(2, 0)])
                for head, whole in answer.scores.items()
            }  # [3,C] each
            presence = np.array([answer.senses[sense] for sense in SENSES])
            self._found.append(SensedWindow(answer.middle_s, presence, scores))
        self._waiting.clear()
        while len(self._found) > self._most:
            self._found, self.every = self._found[::2], 2 * self.every
