"""Clips stacked into a batch as the network takes them, with presence by the rule of `Clip.modalities`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.cache import PreparedClips
from video_understanding.errors import ClipError
from video_understanding.media.closer import closer
from video_understanding.modality import modalities_of, with_derived
from video_understanding.scorer import ModelInputs
from video_understanding.spec import ModelSpec


def frames(clip: Clip, spec: ModelSpec) -> np.ndarray | None:
    """The modality video: uint8 [T,H,W,3]; of frames that are larger by the spec's zoom where most moves."""
    return closer(clip, spec).frames if clip.has_video else None


def waveform(clip: Clip, _spec: ModelSpec) -> np.ndarray | None:
    """The modality audio: float32 [N], in [-1, 1]."""
    return None if clip.is_silent else clip.waveform


def prepare(clips: Sequence[Clip], spec: ModelSpec, only: Sequence[str] | None = None) -> ModelInputs:
    """One batch of all clips, in their order; a clip that was read for another spec is refused.

    Args:
        clips: as a reader, a stream or a cache gives them.
        spec: of the model.
        only: the modalities to prepare; all that the spec has if None.

    Returns:
        Arrays by modality, with zeros where a clip lacks one.
    """
    modalities = modalities_of(spec.modalities if only is None else only)
    presence = np.zeros((len(clips), len(modalities)), bool)  # [B,M]
    arrays = {one.name: np.zeros((len(clips), *one.window_shape(spec)), one.dtype) for one in modalities}
    for row, clip in enumerate(clips):
        _require_fit(clip, spec, clip.source or f"clip {row}")
        for column, modality in enumerate(modalities):
            array = modality.prepared(clip, spec)
            if array is not None:
                arrays[modality.name][row], presence[row, column] = array, True
    return ModelInputs(arrays, presence)


def presence_of(clips: Sequence[Clip], spec: ModelSpec) -> np.ndarray:
    """The presence bool [B,M] of `prepare`: which modalities there are to encode; no array is copied."""
    presence = np.empty((len(clips), len(spec.modalities)), bool)  # [B,M]
    for row, clip in enumerate(clips):
        _require_fit(clip, spec, clip.source or f"clip {row}")
        there = with_derived(clip, spec).modalities
        presence[row] = [there[name] for name in spec.modalities]
    return presence


def from_prepared(
    prepared: PreparedClips, numbers: Sequence[int] | np.ndarray, only: Sequence[str] | None = None
) -> ModelInputs:
    """The same batch as `prepare([prepared[number] for number in numbers], prepared.spec, only)`, in less time."""
    names = prepared.spec.modalities if only is None else tuple(only)
    presence = prepared.presence(numbers, names)
    return ModelInputs(
        {name: prepared.arrays(name, numbers, presence[:, place]) for place, name in enumerate(names)}, presence
    )


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
