"""Clips that an export is tried on: the user's own, or a small built-in exam that any model can sit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from video_understanding.modality import modalities_of
from video_understanding.scorer import ModelInputs
from video_understanding.spec import ModelSpec

FEW = 25  # clips that are tried once more with each modality taken away
_TONE_HZ = 440.0


@dataclass(frozen=True)
class Exam:
    """The clips, and what is known of them.

    inputs   n clips, some of them once more with a modality taken away
    truth    head -> float32 [n,C+1]: a one for each class shown, and in the last place whether there is a label
    is_real  whether the clips are the user's own
    """

    inputs: ModelInputs
    truth: Mapping[str, np.ndarray]
    is_real: bool

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def few(self) -> ModelInputs:
        """The first of them, for what takes long."""
        return self.inputs.some(slice(FEW))


def exam_of(clips: ModelInputs, truth: Mapping[str, np.ndarray] | None) -> Exam:
    """The user's own clips; those that are tried without a modality count for no accuracy."""
    few = clips.some(slice(FEW))
    tried = [clips, *(few.without(name) for name in clips.arrays)]
    more = len(clips.arrays) * len(few)
    truth = {head: np.concatenate([rows, np.zeros((more, rows.shape[1]))]) for head, rows in (truth or {}).items()}
    return Exam(ModelInputs.joined(tried), truth, is_real=True)


def built_in_exam(spec: ModelSpec) -> Exam:
    """Black, noise and a bar that moves, each with silence, noise and a tone; and each modality missing.

    A modality beside these is noise.
    """
    rng = np.random.default_rng(0)
    count, _, width, _ = spec.frames_shape
    bar = np.zeros(spec.frames_shape, np.uint8)  # [T,H,W,3]
    thick = max(1, width // 8)
    for place in range(count):
        left = place * (width - thick) // max(1, count - 1)
        bar[place, :, left : left + thick] = 255
    pictures = (np.zeros_like(bar), rng.integers(0, 256, bar.shape, dtype=np.uint8), bar)
    times_s = np.arange(spec.samples) / spec.audio.sample_rate_hz  # [N]
    noise = rng.normal(0, 0.1, spec.samples)
    sounds = (np.zeros(spec.samples), noise, 0.5 * np.sin(2 * np.pi * _TONE_HZ * times_s))
    pairs = list(product(pictures, sounds))
    arrays = {
        "video": np.stack([picture for picture, _ in pairs]),  # [9,T,H,W,3]
        "audio": np.stack([sound for _, sound in pairs]).astype(np.float32),  # [9,N]
    }
    for one in modalities_of(spec.derived):
        most = np.iinfo(one.dtype).max if np.issubdtype(one.dtype, np.integer) else 1
        arrays[one.name] = (most * rng.random((len(pairs), *one.window_shape(spec)))).astype(one.dtype)
    arrays = {name: arrays[name] for name in spec.modalities}
    everything = ModelInputs(arrays, np.ones((len(pairs), len(arrays)), bool))
    return Exam(ModelInputs.joined([everything, *(everything.without(name) for name in arrays)]), {}, is_real=False)
