"""Scores and embeddings of windows, one after the other; no frame and no hop of sound is encoded twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from video_understanding.clip import Clip
from video_understanding.features.prepare import prepare, presence_of
from video_understanding.media.closer import closer
from video_understanding.scorer import SENSES, PartwiseScorer, Scorer, Scores, require_numbers


@dataclass(frozen=True, eq=False)
class WindowAnswer:
    """Probabilities of one window: for each head float32 [C], and which senses they were drawn from.

    `tokens` are what was encoded of each sense that is there, [T,D] and [M*K,D]; none where a scorer has no parts.
    """

    start_s: float
    end_s: float
    scores: Mapping[str, np.ndarray] = field(repr=False)
    senses: Mapping[str, bool]
    tokens: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def middle_s(self) -> float:
        """The moment that the answer speaks of."""
        return (self.start_s + self.end_s) / 2


class WindowScorer:
    """Scores windows given in the order of time, to the bit as `scorer(prepare([clip], scorer.spec))` does each.

    What overlapping windows share is encoded once and remembered until a window lacks it. Where a part of the picture
    is looked at (`zoom` of the spec), they share frames as long as it stays where it is. Windows with neither picture
    nor sound are passed over: a model could only guess.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        if isinstance(scorer, PartwiseScorer):
            self._see = _Memory(scorer.encode_frames, scorer.spec.frames)
            self._listen = _Memory(scorer.encode_hops, scorer.spec.hops)

    def __call__(self, clips: Sequence[Clip]) -> list[WindowAnswer]:
        """The answers of the clips that have a sense, in their order; several at once cost less than one by one."""
        clips, presence = self._with_a_sense(clips)
        if not clips:
            return []
        scores, tokens = self._scores(clips, presence)
        scores.require_numbers()
        return [
            WindowAnswer(
                clip.start_s,
                clip.end_s,
                {head: values[place] for head, values in scores.heads.items()},
                dict(zip(SENSES, map(bool, presence[place]), strict=True)),
                {
                    sense: values[place].copy()
                    for sense, values in tokens.items()
                    if presence[place, SENSES.index(sense)]
                },
            )
            for place, clip in enumerate(clips)
        ]

    def embed(self, clips: Sequence[Clip]) -> tuple[np.ndarray, np.ndarray]:
        """The embedding of each clip that has a modality, in their order.

        Returns:
            Embeddings float32 [b,E], and the middle of each window in seconds, float64 [b].
        """
        clips, presence = self._with_a_sense(clips)
        values = self._scorer.embed(*self._tokens(clips, presence), presence)  # [b,E]
        require_numbers("embedding", values)
        return values, np.array([(clip.start_s + clip.end_s) / 2 for clip in clips])

    def _with_a_sense(self, clips: Sequence[Clip]) -> tuple[list[Clip], np.ndarray]:
        """The clips that have a sense, and which of `SENSES` each has, bool [b,2]."""
        presence = presence_of(clips, self._scorer.spec)  # [B,2]
        kept = presence.any(axis=1)  # [B]
        return [clip for clip, is_kept in zip(clips, kept, strict=True) if is_kept], presence[kept]

    def _scores(self, clips: Sequence[Clip], presence: np.ndarray) -> tuple[Scores, dict[str, np.ndarray]]:
        """As `PartwiseScorer.__call__` has it, but with what is remembered; and the tokens of each sense [B,n,D]."""
        scorer = self._scorer
        if not isinstance(scorer, PartwiseScorer):
            return scorer(prepare(clips, scorer.spec)), {}
        picture, sound = self._tokens(clips, presence)
        return scorer.fuse(picture, sound, presence), dict(zip(SENSES, (picture, sound), strict=True))

    def _tokens(self, clips: Sequence[Clip], presence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `PartwiseScorer.encode` has them, but with what the last window had: [B,T,D] and [B,M*K,D]."""
        scorer = self._scorer
        spec = scorer.spec
        video, audio = presence.T  # bool [B] each
        picture, sound = (np.zeros((len(clips), *scorer.token_shapes[sense]), np.float32) for sense in SENSES)
        # Parts go on as they lie in the clips; only those that are new are copied.
        if video.any():
            seen = [closer(clips[place], spec) for place in np.flatnonzero(video)]
            frames = [frame for clip in seen for frame in clip.frames]  # [H,W,3] each
            picture[video] = self._see(frames).reshape(-1, *picture.shape[1:])
        if audio.any():
            waveforms = [clips[place].waveform for place in np.flatnonzero(audio)]  # [N] each
            hops = [hop for waveform in waveforms for hop in waveform.reshape(-1, spec.audio.hop_samples)]  # [hop] each
            sound[audio] = self._listen(hops).reshape(-1, *sound.shape[1:])
        return picture, sound


class _Memory:
    """Encodes parts of windows; those of the last window are known when the next one comes.

    A part is known by its bytes and not by its place: then a picture that is held, or shown for long, costs nothing,
    and whatever a file does, the tokens are those of the very pixels.
    """

    def __init__(self, encode: Callable[[np.ndarray], np.ndarray], parts_per_window: int) -> None:
        self._encode = encode
        self._parts_per_window = parts_per_window
        self._known: dict[bytes, np.ndarray] = {}

    def __call__(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Parts [...] each -> tokens [n,...]."""
        keys = [part.tobytes() for part in parts]
        new = {key: part for key, part in zip(keys, parts, strict=True) if key not in self._known}
        if new:
            self._known |= dict(zip(new, self._encode(np.stack(list(new.values()))), strict=True))
        tokens = np.stack([self._known[key] for key in keys])
        self._known = {key: self._known[key] for key in keys[-self._parts_per_window :]}
        return tokens
