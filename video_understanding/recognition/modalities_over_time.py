"""What each modality does for the answers of a file, window by window, in bounded memory however long the file is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation.modality_shares import without_each
from video_understanding.recognition.answers import WindowAnswer
from video_understanding.scorer import PartwiseScorer, Scorer

MOST_WINDOWS = 1000
_AT_ONCE = 8  # a scorer's calls cost less for several windows


@dataclass(frozen=True, eq=False)
class SharedWindow:
    """One window with all it has, and with each modality taken away.

    middle_s    the moment that it stands for
    modalities  name -> whether it has it
    scores      head -> float32 [1+M,C]: with all, and without each modality in turn; the same where it has not got it,
                or has no other
    """

    middle_s: float
    modalities: Mapping[str, bool]
    scores: Mapping[str, np.ndarray]


class ModalitiesOverTime:
    """Takes a file's windows as `Recognizer.predict` finds them, and measures what each modality does for them.

    Nothing is encoded again: the tokens are fused anew. Of more windows than `most` every second is
    kept, then every fourth, and so on, so that `every` says of how many one is kept; each that is kept is exact.
    """

    def __init__(self, scorer: Scorer, most: int = MOST_WINDOWS) -> None:
        if not isinstance(scorer, PartwiseScorer):
            raise VideoUnderstandingError(
                "scorer", "cannot be asked for its parts", "Give a PartwiseScorer, as those of `vu.load` are."
            )
        self.scorer, self._most = scorer, most
        self.seen, self.every = 0, 1
        self._found: list[SharedWindow] = []
        self._waiting: list[WindowAnswer] = []

    def add(self, answer: WindowAnswer) -> None:
        """The next window: give this to `Recognizer.predict` as its `progress`."""
        if self.seen % self.every == 0:
            self._waiting.append(answer)
        self.seen += 1
        if len(self._waiting) == _AT_ONCE:
            self._measure()

    @property
    def windows(self) -> list[SharedWindow]:
        """Those that are kept, in the order of time."""
        self._measure()
        return self._found

    def _measure(self) -> None:
        """Fuses the tokens of the windows that wait, without each modality in turn."""
        names = self.scorer.spec.modalities
        several = [answer for answer in self._waiting if sum(answer.modalities.values()) > 1]
        taken: dict[int, dict[str, np.ndarray]] = {}  # id of an answer -> head -> [M,C]
        if several:
            tokens = {
                name: np.stack([answer.tokens.get(name, self._nothing(name)) for answer in several]) for name in names
            }
            presence = np.array([[answer.modalities[name] for name in names] for answer in several])  # [b,M]
            less = without_each(self.scorer, tokens, presence)
            for number, answer in enumerate(several):
                taken[id(answer)] = {head: np.stack([part[head][number] for part in less]) for head in less[0].heads}
        for answer in self._waiting:
            less = taken.get(
                id(answer), {head: np.stack([whole] * len(names)) for head, whole in answer.scores.items()}
            )
            scores = {head: np.concatenate([whole[None], less[head]]) for head, whole in answer.scores.items()}
            self._found.append(SharedWindow(answer.middle_s, answer.modalities, scores))
        self._waiting.clear()
        while len(self._found) > self._most:
            self._found, self.every = self._found[::2], 2 * self.every

    def _nothing(self, modality: str) -> np.ndarray:
        return np.zeros(self.scorer.token_shapes[modality], np.float32)
