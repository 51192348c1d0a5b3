"""Where the tokens change most, near a moment at which the answer changed."""

from __future__ import annotations

from collections import deque

import numpy as np

from video_understanding.modality import MODALITIES
from video_understanding.recognition.answers import WindowAnswer
from video_understanding.spec import ModelSpec

# A change explains at least this share of how tokens around it differ; by chance a border explains a tenth.
_CLEAR = 0.15
_AS_GOOD = 0.98  # of the clearest: from there on nearness counts
_LEAST_TOKENS = 2  # on each side of a border
_KEPT_WINDOWS = 4
_SAME_S = 1e-6


class Landmarks:
    """The tokens of the last windows, each with its moment.

    A window's scores change slowly while a change passes through it, and early for a class that the model learned
    well. Its tokens are more exact: each belongs to one frame or a part of one chunk of sound. The border that best
    divides the tokens around it into two kinds is where something changed.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec, self._window_s = spec, spec.window_s
        self._tokens: dict[str, deque[tuple[float, np.ndarray]]] = {name: deque() for name in spec.modalities}
        self._usual = {name: _Spread() for name in spec.modalities}

    def push(self, answer: WindowAnswer) -> None:
        """The next window; what it shares with the last one is known."""
        for name, tokens in answer.tokens.items():
            known = self._tokens[name]
            moments_s = answer.start_s + MODALITIES[name].times_s(self._spec, len(tokens))  # [n]
            new = moments_s > (known[-1][0] + _SAME_S if known else -np.inf)
            known.extend(zip(moments_s[new].tolist(), tokens[new], strict=True))
            self._usual[name].add(tokens[new])
            while known[0][0] < answer.end_s - _KEPT_WINDOWS * self._window_s:
                known.popleft()

    def clear(self) -> None:
        """Drops all windows, but not how much their tokens differed."""
        for known in self._tokens.values():
            known.clear()

    def nearest_s(self, around_s: float, after_s: float, before_s: float) -> float:
        """The clearest border within half a window of this moment, or the moment itself where none is clear.

        It lies neither before `after_s` nor after `before_s`.
        """
        near = {name: self._near(name, around_s) for name in self._tokens}
        near = {name: found for name, found in near.items() if len(found[0]) >= 2 * _LEAST_TOKENS}
        borders_s = {
            round(float(border_s), 6)
            for moments_s, _ in near.values()
            for border_s in (moments_s[1:] + moments_s[:-1]) / 2
            if abs(border_s - around_s) <= self._window_s / 2 and after_s <= border_s <= before_s
        }
        shares = [self._explained(name, *found, np.array(list(borders_s))) for name, found in near.items()]
        clearness = dict(zip(borders_s, np.mean(shares, axis=0).tolist(), strict=True)) if borders_s else {}
        clearest = max(clearness.values(), default=0.0)
        if clearest < _CLEAR:
            return around_s
        equals_s = [border_s for border_s, value in clearness.items() if value >= _AS_GOOD * clearest]
        return min(equals_s, key=lambda border_s: (abs(border_s - around_s), border_s))

    def _near(self, name: str, around_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Moments [n] and tokens [n,D] within a window on both sides."""
        found = [(time_s, token) for time_s, token in self._tokens[name] if abs(time_s - around_s) <= self._window_s]
        return np.array([time_s for time_s, _ in found]), np.array([token for _, token in found], np.float64)

    def _explained(self, name: str, moments_s: np.ndarray, tokens: np.ndarray, borders_s: np.ndarray) -> np.ndarray:
        """Which share of the variance of tokens [n,D] lies between those before and those after each border, [b].

        Where they differ less than tokens of this modality usually do, it is a share of that: a still picture that
        grows a little darker is no landmark.
        """
        spread = tokens - tokens.mean(axis=0)  # [n,D]
        variance = max(float((spread**2).sum()) / len(tokens), self._usual[name].variance)
        count = np.searchsorted(moments_s, borders_s)  # [b], of tokens before
        rest = len(tokens) - count
        enough = np.minimum(count, rest) >= _LEAST_TOKENS  # bool [b]
        shares = np.zeros(len(borders_s))  # [b]
        if variance > 0 and enough.any():
            before = np.cumsum(spread, axis=0)[count[enough] - 1]  # sums [b,D], of which those after are the opposite
            shares[enough] = (before**2).sum(axis=1) / (count * rest)[enough] / variance
        return shares


class _Spread:
    """The variance of all tokens so far, without keeping them."""

    def __init__(self) -> None:
        self._count = 0
        self._mean: np.ndarray | float = 0.0  # [D]
        self._squares = 0.0

    def add(self, tokens: np.ndarray) -> None:
        """More of them, [n,D]."""
        for token in tokens.astype(np.float64):
            self._count += 1
            off = token - self._mean  # [D]
            self._mean = self._mean + off / self._count
            self._squares += float(off @ (token - self._mean))

    @property
    def variance(self) -> float:
        """Mean squared distance from their mean."""
        return self._squares / max(self._count, 1)
