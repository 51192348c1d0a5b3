"""The audio statistics of one speaker's recordings, in parts as long as the clips that a model learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.windows import window_starts_s
from video_understanding.errors import MediaError
from video_understanding.features.adapted_scorer import AdaptedScorer
from video_understanding.features.prepare import prepare
from video_understanding.features.speaker_weights import SpeakerWeights
from video_understanding.media.decode import read_clips
from video_understanding.scorer import PartwiseScorer

_MOST_WINDOWS = 60  # of one file, evenly spread: what takes longer to learn, another recording says better


@dataclass(frozen=True)
class SpeakerSound:
    """What is known of one speaker.

    clips    float32 [n,P], the audio statistics of each part with sound
    files    int [n], from which file each part is
    seconds  float, of the windows that were encoded
    """

    clips: np.ndarray
    files: np.ndarray
    seconds: float

    @property
    def words(self) -> str:
        """How much sound of how many files it is."""
        many = len(np.unique(self.files))
        return f"{self.seconds:.0f} s of sound in {many} file{'' if many == 1 else 's'}"


def speaker_sound(
    files: Sequence[str | Path], scorer: PartwiseScorer, weights: SpeakerWeights, *, skip_unreadable: bool = False
) -> SpeakerSound:
    """Encodes the sound of one speaker's files; parts that are silent are left out.

    Args:
        files: of any length.
        scorer: what encodes them.
        weights: the second weights of its bundle.
        skip_unreadable: whether a file that cannot be read is passed over.

    Raises:
        MediaError: a file cannot be read.
    """
    spec, found, numbers, windows = scorer.spec, [], [], 0
    for number, file in enumerate(files):
        try:
            parts = _parts(file, scorer, weights.windows_per_clip)
        except MediaError:
            if not skip_unreadable:
                raise
            continue
        for clips in parts:
            tokens = scorer.encode(prepare(clips, spec, ("audio",)))["audio"]  # [w,n,D]
            found.append(weights.audio_statistics(tokens).mean(axis=0))
            numbers.append(number)
            windows += len(clips)
    clips = np.stack(found) if found else np.zeros((0, len(weights.normalisation.usual)), np.float32)
    return SpeakerSound(clips, np.array(numbers, int), windows * spec.window_s)


def adapted(scorer: PartwiseScorer, weights: SpeakerWeights, sound: SpeakerSound) -> AdaptedScorer:
    """The scorer as it is adapted to the speaker whose sound this is."""
    return AdaptedScorer(scorer, weights, weights.normalisation.transform(sound.clips))


def _parts(file: str | Path, scorer: PartwiseScorer, windows_per_part: int) -> list[list[Clip]]:
    """The windows with sound of each part of a file."""
    spec = scorer.spec
    part_s = windows_per_part * spec.window_s
    edges_s = [0.0]

    def starts_of(duration_s: float) -> list[float]:
        many = max(1, round(duration_s / part_s))
        edges_s[:] = np.linspace(0, max(duration_s, spec.window_s), many + 1).tolist()
        chosen = np.unique(np.linspace(0, many - 1, min(many, max(1, _MOST_WINDOWS // windows_per_part))).round())
        return [
            start_s
            for part in chosen.astype(int)
            for start_s in window_starts_s(edges_s[part], edges_s[part + 1], spec.window_s)
        ]

    parts: dict[int, list[Clip]] = {}
    for clip in read_clips(file, spec, starts_of):
        if clip.modalities["audio"]:
            parts.setdefault(int(np.searchsorted(edges_s, clip.start_s + 1e-6)), []).append(clip)
    return list(parts.values())
