"""Settings chosen inside the training folds: the test fold of a result never takes part in its choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean

Score = Callable[[str, frozenset[int], int], float]


@dataclass(frozen=True)
class Choice:
    """What was chosen for one test fold, and the mean of its inner results, candidate by candidate."""

    candidate: str
    inner: dict[str, float]


def choose(candidates: Iterable[str], folds: Iterable[int], test: int, score: Score) -> Choice:
    """The candidate that is best on the training folds of a result that is tested on the fold `test`.

    Each training fold in turn is left out: `score(candidate, learned, judged)` is the result on the fold `judged` of a
    training on the folds `learned`. Of equal candidates it is the first.
    """
    training = frozenset(folds) - {test}
    inner = {name: mean(score(name, training - {judged}, judged) for judged in sorted(training)) for name in candidates}
    return Choice(max(inner, key=inner.__getitem__), inner)
