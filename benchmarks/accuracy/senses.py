"""Clips with one sense alone, and a scorer of what was seen once: a model is asked with both senses and without one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from video_understanding.clip import Clip
from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import probabilities
from video_understanding.scorer import SENSES, Scores


class OneSense(ClipCache):
    """A cache whose clips have the one sense alone: what is trained on them has never known the other."""

    def __init__(self, sense: str) -> None:
        super().__init__()
        self._sense = sense

    def prepare(self, *arguments: Any, **settings: Any) -> PreparedClips:
        """The prepared clips, without the other sense."""
        return _Alone(super().prepare(*arguments, **settings), self._sense)


class _Alone(PreparedClips):
    def __init__(self, whole: PreparedClips, sense: str) -> None:
        self.__dict__.update(vars(whole))
        self._sense = sense

    def __getitem__(self, number: int) -> Clip:
        clip = super().__getitem__(number)
        if self._sense == "video":
            return dataclasses.replace(clip, waveform=np.zeros_like(clip.waveform), sound_span_s=None)
        return dataclasses.replace(clip, frame_present=np.zeros_like(clip.frame_present))

    def sound_batch(self, numbers: Sequence[int]) -> dict[str, np.ndarray]:
        batch = super().sound_batch(numbers)
        return {**batch, "sound": batch["sound"] if self._sense == "audio" else np.zeros_like(batch["sound"])}

    def presence(self, numbers: Sequence[int]) -> np.ndarray:
        return super().presence(numbers) & [sense == self._sense for sense in SENSES]


@dataclass(frozen=True)
class KnownInputs:
    """A batch as `ModelInputs`, with features float32 [B,T,F] for frames and heard float32 [B,M,S,C] for sound."""

    features: np.ndarray
    heard: np.ndarray
    presence: np.ndarray


class KnownScorer:
    """Scores of a model by what its frozen backbone saw, and its frozen listener heard, before."""

    def __init__(
        self,
        model: VideoUnderstandingModel,
        features: np.ndarray,
        heard: np.ndarray,
        temperature: Mapping[str, float] | None = None,
    ) -> None:
        self.spec, self.labels = model.spec, model.labels
        self._features, self._heard = features, heard  # float16 [windows,T,F] and [windows,M,S,C]
        self._score = tf.function(
            lambda features, heard, presence: probabilities(
                model,
                model({"features": features, "heard": heard, "presence": presence}, training=False),
                temperature or {},
            ),
            reduce_retracing=True,
        )

    def inputs(self, prepared: PreparedClips, numbers: np.ndarray, without: str | None = None) -> KnownInputs:
        """The windows of these numbers, one sense taken away if named."""
        presence = prepared.presence(numbers) & [sense != without for sense in SENSES]
        return KnownInputs(self._features[numbers], self._heard[numbers], presence)

    def __call__(self, inputs: KnownInputs) -> Scores:
        given = (np.asarray(values, np.float32) for values in (inputs.features, inputs.heard, inputs.presence))
        return Scores(self.labels, {head: values.numpy() for head, values in self._score(*given).items()})
