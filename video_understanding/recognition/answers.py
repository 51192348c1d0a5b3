"""Scores and embeddings of windows, one after the other; no piece of a modality is encoded twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from video_understanding.clip import Clip
from video_understanding.features.prepare import prepare, presence_of
from video_understanding.modality import modalities_of, with_derived
from video_understanding.scorer import PartwiseScorer, Scorer, Scores, require_numbers


@dataclass(frozen=True, eq=False)
class WindowAnswer:
    """Probabilities of one window: for each head float32 [C], and which modalities they were drawn from.

    `tokens` are those of each modality that is there, [n,D]; none where a scorer has no parts.
    """

    start_s: float
    end_s: float
    scores: Mapping[str, np.ndarray] = field(repr=False)
    modalities: Mapping[str, bool]
    tokens: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def middle_s(self) -> float:
        """The moment that the answer speaks of."""
        return (self.start_s + self.end_s) / 2


class WindowScorer:
    """Scores windows given in the order of time, to the bit as `scorer(prepare([clip], scorer.spec))` does each.

    What overlapping windows share is encoded once, and its tokens are cached until a window lacks it. With `zoom` of
    the spec they share frames as long as the part that is taken stays where it is. Windows without any modality are
    passed over: a model could only guess.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        if isinstance(scorer, PartwiseScorer):
            self._encode = {
                one.name: _TokenCache(partial(scorer.encode_pieces, one.name), one.pieces(scorer.spec))
                for one in modalities_of(scorer.spec.modalities)
            }

    def __call__(self, clips: Sequence[Clip]) -> list[WindowAnswer]:
        """The answers of the clips that have a modality, in their order; several at once cost less than one by one."""
        clips, presence = self._with_any(clips)
        if not clips:
            return []
        scores, tokens = self._scores(clips, presence)
        scores.require_numbers()
        names = self._scorer.spec.modalities
        return [
            WindowAnswer(
                clip.start_s,
                clip.end_s,
                {head: values[place] for head, values in scores.heads.items()},
                dict(zip(names, map(bool, presence[place]), strict=True)),
                {name: values[place].copy() for name, values in tokens.items() if presence[place, names.index(name)]},
            )
            for place, clip in enumerate(clips)
        ]

    def embed(self, clips: Sequence[Clip]) -> tuple[np.ndarray, np.ndarray]:
        """The embedding of each clip that has a modality, in their order.

        Returns:
            Embeddings float32 [b,E], and the middle of each window in seconds, float64 [b].
        """
        clips, presence = self._with_any(clips)
        values = self._scorer.embed(self._tokens(clips, presence), presence)  # [b,E]
        require_numbers("embedding", values)
        return values, np.array([(clip.start_s + clip.end_s) / 2 for clip in clips])

    def _with_any(self, clips: Sequence[Clip]) -> tuple[list[Clip], np.ndarray]:
        """The clips that have a modality, and which of those of the spec each has, bool [b,M]."""
        spec = self._scorer.spec
        clips = [with_derived(clip, spec) for clip in clips]
        presence = presence_of(clips, spec)  # [B,M]
        kept = presence.any(axis=1)  # [B]
        return [clip for clip, is_kept in zip(clips, kept, strict=True) if is_kept], presence[kept]

    def _scores(self, clips: Sequence[Clip], presence: np.ndarray) -> tuple[Scores, dict[str, np.ndarray]]:
        """As `PartwiseScorer.__call__` has it, but with cached tokens; and the tokens of each modality [B,n,D]."""
        scorer = self._scorer
        if not isinstance(scorer, PartwiseScorer):
            return scorer(prepare(clips, scorer.spec)), {}
        tokens = self._tokens(clips, presence)
        return scorer.fuse(tokens, presence), tokens

    def _tokens(self, clips: Sequence[Clip], presence: np.ndarray) -> dict[str, np.ndarray]:
        """As `PartwiseScorer.encode` has them, [B,n,D] each, but with those that the last window had."""
        spec, found = self._scorer.spec, {}
        for one, there in zip(modalities_of(spec.modalities), presence.T, strict=True):
            tokens = found[one.name] = np.zeros((len(clips), *self._scorer.token_shapes[one.name]), np.float32)
            if there.any():
                # Pieces go on as they lie in the clips; only those that are new are copied.
                windows = (one.prepared(clips[place], spec) for place in np.flatnonzero(there))
                pieces = [piece for window in windows for piece in one.cut(window, spec)]
                tokens[there] = self._encode[one.name](pieces).reshape(-1, *tokens.shape[1:])
        return found


class _TokenCache:
    """Encodes pieces of windows; the tokens of the last window are cached when the next one comes.

    A piece is identified by its bytes and not by its place: then a frame that is held, or shown for long, costs
    nothing, and whatever a file does, the tokens are those of the very pixels.
    """

    def __init__(self, encode: Callable[[np.ndarray], np.ndarray], pieces_per_window: int) -> None:
        self._encode = encode
        self._pieces_per_window = pieces_per_window
        self._known: dict[bytes, np.ndarray] = {}

    def __call__(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        """Pieces [...] each -> tokens [n,...]."""
        keys = [piece.tobytes() for piece in pieces]
        new = {key: piece for key, piece in zip(keys, pieces, strict=True) if key not in self._known}
        if new:
            self._known |= dict(zip(new, self._encode(np.stack(list(new.values()))), strict=True))
        tokens = np.stack([self._known[key] for key in keys])
        self._known = {key: self._known[key] for key in keys[-self._pieces_per_window :]}
        return tokens
