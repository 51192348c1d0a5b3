"""The hinge of the house: model inputs go in, scores come out, whatever computes them.

A Keras model, a SavedModel and a TFLite file are three scorers; what is said of scores (evaluation,
streaming, comparison of exports) works on any of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from video_understanding.errors import ClipError
from video_understanding.labels import Labels
from video_understanding.spec import ModelSpec

SENSES: tuple[str, ...] = ("video", "audio")
NO_EMBEDDING = "has no embedding: it was exported by an older version"


@dataclass(frozen=True, eq=False, repr=False)
class ModelInputs:
    """A batch of clips as every model takes them.

    frames      uint8 [B,T,H,W,3]
    waveform    float32 [B,N], in [-1, 1]
    presence    bool [B,2], whether the clip has each of `SENSES`; a sense that is absent must not be looked at
    """

    frames: np.ndarray
    waveform: np.ndarray
    presence: np.ndarray

    def __post_init__(self) -> None:
        forms = (("frames", np.uint8, 5), ("waveform", np.float32, 2), ("presence", np.bool_, 2))
        for name, dtype, dimensions in forms:
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != dimensions:
                found = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
                raise ClipError(
                    "model inputs",
                    f"{name} should be {np.dtype(dtype)} with {dimensions} dimensions, and is {found}",
                    "Make them with video_understanding.prepare.",
                )
        if not len(self.frames) == len(self.waveform) == len(self.presence) or self.presence.shape[1] != len(SENSES):
            shapes = [list(array.shape) for array in (self.frames, self.waveform, self.presence)]
            raise ClipError(
                "model inputs", f"shapes {shapes} do not belong together", "Give each clip frames, sound and presence."
            )

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        video, audio = self.presence.sum(axis=0)
        shape = list(self.frames.shape)
        return f"ModelInputs({len(self)} clips, {video} with video, {audio} with audio, frames {shape})"

    def without(self, sense: str) -> ModelInputs:
        """The same clips, said to lack a sense."""
        presence = self.presence.copy()
        presence[:, SENSES.index(sense)] = False
        return ModelInputs(self.frames, self.waveform, presence)


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """Probabilities of a batch: for each head that the model has, float32 [B,C] in the order of its classes."""

    labels: Labels
    heads: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        for head, scores in self.heads.items():
            classes = len(self.labels.names(head))
            if scores.ndim != 2 or scores.shape[1] != classes:
                raise ClipError(
                    f"scores of {head}",
                    f"have shape {list(scores.shape)}, not [clips,{classes}]",
                    "Give one score for each class.",
                )

    def __len__(self) -> int:
        return len(next(iter(self.heads.values()))) if self.heads else 0

    def __getitem__(self, head: str) -> np.ndarray:
        return self.heads[head]

    def __repr__(self) -> str:
        shapes = ", ".join(f"{head} {list(scores.shape)}" for head, scores in self.heads.items())
        return f"Scores({shapes})"

    def require_numbers(self) -> None:
        """Refuses NaN and infinity, which a model computes whose weights are damaged: an answer may hold neither."""
        for head, scores in self.heads.items():
            require_numbers(f"scores of {head}", scores)

    @staticmethod
    def joined(labels: Labels, parts: Sequence[Mapping[str, np.ndarray]]) -> Scores:
        """The scores of any number of batches, head -> [b,C] each, one after the other."""
        none = {head: np.empty((0, len(names)), np.float32) for head, names in labels.items()}
        return Scores(labels, {head: np.concatenate([none[head], *(part[head] for part in parts)]) for head in none})


def require_numbers(name: str, values: np.ndarray) -> None:
    """Refuses NaN and infinity in what a model computed, which `name` names.

    Raises:
        ClipError: there are some.
    """
    if not np.isfinite(values).all():
        raise ClipError(
            name,
            "are not all numbers: the model computes NaN or infinity",
            "Restore the model from a copy, or train again with a lower learning rate.",
        )


class Scorer(Protocol):
    """Anything that turns inputs into scores; `spec` says which inputs, `labels` which scores."""

    spec: ModelSpec
    labels: Labels

    def __call__(self, inputs: ModelInputs) -> Scores:
        """Scores of the batch, in its order."""
        ...


class PartwiseScorer(ABC):
    """A scorer made of three parts, each of which can be asked alone: what sees, what hears, and what joins both.

    Every frame, every hop of sound and every window is worked out by itself, never together with others: the order
    in which a machine adds up depends on how much it is given at once, and so would the last digits. A stream that
    encodes each frame once therefore gives the very answers of whole clips.
    """

    spec: ModelSpec
    labels: Labels
    token_shapes: Mapping[str, tuple[int, int]]  # (n,D) of the tokens of each modality in one window

    @abstractmethod
    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        """uint8 [n,H,W,3] -> picture tokens float32 [n,D]."""

    @abstractmethod
    def encode_hops(self, hops: np.ndarray) -> np.ndarray:
        """float32 [n,hop_samples] -> sound tokens float32 [n,K,D]."""

    @abstractmethod
    def fuse(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> Scores:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> scores of B windows."""

    @abstractmethod
    def embed(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> np.ndarray:
        """The embedding of each window: the vector that its modalities are joined into, before any head.

        Args:
            picture: Picture tokens float32 [B,T,D].
            sound: Sound tokens float32 [B,M*K,D].
            presence: bool [B,2].

        Returns:
            float32 [B,E].

        Raises:
            BundleError: the model was exported before there were embeddings.
        """

    def __call__(self, inputs: ModelInputs) -> Scores:
        """Scores of the batch, in its order; an absent sense is not looked at."""
        return self.fuse(*self.encode(inputs), inputs.presence)

    @property
    def batched(self) -> PartwiseScorer:
        """The same scorer, computing in true batches where it can: quicker, and within 1e-4 of its own scores."""
        return self

    def score(self, inputs: ModelInputs, exact: bool = True) -> Scores:
        """Scores of the batch, in its order.

        Args:
            inputs: B clips.
            exact: Whether every part is computed by itself, so that the scores are those of a stream to the bit.
                Without it they are computed in true batches, which is quicker, and agree within 1e-4.

        Returns:
            Probabilities of each head, float32 [B,C].
        """
        return (self if exact else self.batched)(inputs)

    def encode(self, inputs: ModelInputs) -> tuple[np.ndarray, np.ndarray]:
        """Picture tokens float32 [B,T,D] and sound tokens [B,M*K,D'] of the batch, zeros where a sense is absent."""
        spec = self.spec
        video, audio = inputs.presence.T  # bool [B] each
        picture, sound = (np.zeros((len(inputs), *self.token_shapes[sense]), np.float32) for sense in SENSES)
        if video.any():
            frames = inputs.frames[video].reshape(-1, *spec.frames_shape[1:])  # [b*T,H,W,3]
            picture[video] = self.encode_frames(frames).reshape(-1, *picture.shape[1:])
        if audio.any():
            hops = inputs.waveform[audio].reshape(-1, spec.audio.hop_samples)  # [b*M,hop]
            sound[audio] = self.encode_hops(hops).reshape(-1, *sound.shape[1:])
        return picture, sound
