"""Clips stacked into a batch as the network takes them, with what is really there said beside them (`Clip.senses`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.record import FULL_SCALE
from video_understanding.errors import ClipError
from video_understanding.media.closer import closer
from video_understanding.scorer import SENSES, ModelInputs
from video_understanding.spec import ModelSpec


def prepare(clips: Sequence[Clip], spec: ModelSpec) -> ModelInputs:
    """One batch of all clips, in their order; a clip that was read for another spec is refused.

    Of frames that are larger by the spec's zoom the part is taken in which most moves; clips of a cache are that part.
    """
    waveform, presence = prepare_sound(clips, spec)
    frames = np.empty((len(clips), *spec.frames_shape), np.uint8)  # [B,T,H,W,3]
    for place, clip in enumerate(clips):
        frames[place] = closer(clip, spec).frames
    return ModelInputs(frames, waveform, presence)


def prepare_sound(clips: Sequence[Clip], spec: ModelSpec) -> tuple[np.ndarray, np.ndarray]:
    """The waveform float32 [B,N] and presence bool [B,2] of `prepare`; no pixel is looked at."""
    presence = presence_of(clips, spec)
    waveform = np.empty((len(clips), spec.samples), np.float32)  # [B,N]
    for place, clip in enumerate(clips):
        waveform[place] = clip.waveform
    return waveform, presence


def presence_of(clips: Sequence[Clip], spec: ModelSpec) -> np.ndarray:
    """The presence bool [B,2] of `prepare`: which senses there are to look at; nothing is copied."""
    presence = np.empty((len(clips), 2), bool)  # [B,2]
    for place, clip in enumerate(clips):
        _require_fit(clip, spec, clip.source or f"clip {place}")
        presence[place] = [clip.senses[sense] for sense in SENSES]
    return presence


def from_prepared(prepared: PreparedClips, numbers: Sequence[int] | np.ndarray) -> ModelInputs:
    """The same batch as `prepare([prepared[number] for number in numbers], prepared.spec)`, in less time."""
    batch = prepared.batch(numbers)
    return ModelInputs(batch["frames"], *_heard(batch))


def sound_from_prepared(prepared: PreparedClips, numbers: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The waveform float32 [B,N] and presence bool [B,2] of `from_prepared`; frames stay on disk."""
    return _heard(prepared.sound_batch(numbers))


def _heard(batch: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    waveform = batch["sound"].astype(np.float32)  # [B,N]
    waveform /= FULL_SCALE
    return waveform, batch["presence"]


def _require_fit(clip: Clip, spec: ModelSpec, name: str) -> None:
    seen = clip.frames.shape == spec.frames_shape
    facts = (
        ("frames", clip.frames.shape, spec.frames_shape if seen else spec.read_shape),
        ("waveform", clip.waveform.shape, (spec.samples,)),
        ("sample_rate_hz", clip.sample_rate_hz, spec.audio.sample_rate_hz),
    )
    for what, found, wanted in facts:
        if found != wanted:
            raise ClipError(
                name,
                f"{what} is {_plain(found)}, and the spec wants {_plain(wanted)}",
                "Read the clip with the spec of the model.",
            )


def _plain(value: tuple[int, ...] | int) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)
