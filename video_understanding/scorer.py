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
from video_understanding.modality import MODALITIES
from video_understanding.spec import ModelSpec

Tokens = Mapping[str, np.ndarray]  # modality -> its tokens in each window, float32 [B,n,D]


@dataclass(frozen=True, eq=False, repr=False)
class ModelInputs:
    """A batch of clips as every model takes them.

    arrays    modality -> [B,...], such as uint8 [B,T,H,W,3] of "video" and float32 [B,N] in [-1, 1] of "audio"
    presence  bool [B,M], which of these modalities each clip has, in their order; one that is absent is not encoded
    """

    arrays: Mapping[str, np.ndarray]
    presence: np.ndarray

    def __post_init__(self) -> None:
        forms = [(MODALITIES[name].input, array, MODALITIES[name].dtype) for name, array in self.arrays.items()]
        for name, array, dtype in (*forms, ("presence", self.presence, np.bool_)):
            if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim < 2:
                found = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
                raise ClipError(
                    "model inputs",
                    f"{name} should be a batch of {np.dtype(dtype)}, and is {found}",
                    "Make them with video_understanding.prepare.",
                )
        shapes = [array.shape for array in (*self.arrays.values(), self.presence)]
        if len({shape[0] for shape in shapes}) != 1 or self.presence.shape[1:] != (len(self.arrays),):
            raise ClipError(
                "model inputs",
                f"shapes {[list(shape) for shape in shapes]} do not belong together",
                "Give each clip an array of each modality, and presence.",
            )

    def __len__(self) -> int:
        return len(self.presence)

    def __getitem__(self, modality: str) -> np.ndarray:
        return self.arrays[modality]

    def __repr__(self) -> str:
        counts = zip(self.arrays, self.presence.sum(axis=0), strict=True)
        return f"ModelInputs({len(self)} clips, {', '.join(f'{count} with {name}' for name, count in counts)})"

    def without(self, *modalities: str) -> ModelInputs:
        """The same clips, said to lack these modalities."""
        return ModelInputs(self.arrays, without(self.presence, list(self.arrays), modalities))

    def some(self, rows: slice | np.ndarray) -> ModelInputs:
        """The clips of these rows."""
        return ModelInputs({name: array[rows] for name, array in self.arrays.items()}, self.presence[rows])

    @staticmethod
    def joined(parts: Sequence[ModelInputs]) -> ModelInputs:
        """The clips of all parts, one after the other."""
        arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0].arrays}
        return ModelInputs(arrays, np.concatenate([part.presence for part in parts]))


def without(presence: np.ndarray, names: Sequence[str], taken: Sequence[str]) -> np.ndarray:
    """Presence bool [B,M] of the modalities with these names, but false for those that are taken away."""
    return presence & [name not in taken for name in names]


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
    """A scorer made of parts that can be asked alone: an encoder for each modality, and what joins their tokens.

    Every piece (a frame, a chunk of sound) and every window is computed by itself, never together with others: the
    order in which a machine adds up depends on how much it is given at once, and so would the last digits. A stream
    that encodes each piece once therefore gives the very answers of whole clips.
    """

    spec: ModelSpec
    labels: Labels
    token_shapes: Mapping[str, tuple[int, int]]  # (n,D) of the tokens of each modality in one window

    @abstractmethod
    def encode_pieces(self, modality: str, pieces: np.ndarray) -> np.ndarray:
        """Pieces [n,...] of a modality, such as frames -> their tokens float32 [n,D] or [n,K,D]."""

    @abstractmethod
    def fuse(self, tokens: Tokens, presence: np.ndarray) -> Scores:
        """Tokens of every modality and presence bool [B,M] -> scores of B windows."""

    @abstractmethod
    def embed(self, tokens: Tokens, presence: np.ndarray) -> np.ndarray:
        """The embedding of each window: the vector that its modalities are joined into, before any head.

        Args:
            tokens: Modality -> float32 [B,n,D].
            presence: bool [B,M].

        Returns:
            float32 [B,E].

        Raises:
            BundleError: the model was exported before there were embeddings.
        """

    def __call__(self, inputs: ModelInputs) -> Scores:
        """Scores of the batch, in its order; an absent modality is not encoded."""
        return self.fuse(self.encode(inputs), inputs.presence)

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

    def encode(self, inputs: ModelInputs) -> dict[str, np.ndarray]:
        """Modality -> tokens float32 [B,n,D] of the batch, zeros where a clip lacks it."""
        return {
            name: self.encode_windows(name, array, there)
            for (name, array), there in zip(inputs.arrays.items(), inputs.presence.T, strict=True)
        }

    def encode_windows(self, modality: str, windows: np.ndarray, there: np.ndarray) -> np.ndarray:
        """A modality's windows [B,...] -> tokens float32 [B,n,D], zeros where `there`, bool [B], is false."""
        tokens = np.zeros((len(windows), *self.token_shapes[modality]), np.float32)
        if there.any():
            pieces = MODALITIES[modality].cut(windows[there], self.spec)
            tokens[there] = self.encode_pieces(modality, pieces).reshape(-1, *tokens.shape[1:])
        return tokens
