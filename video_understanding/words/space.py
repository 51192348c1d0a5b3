"""The common space: sentences and moments as vectors of one kind, near each other where one describes the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.errors import VideoUnderstandingError
from video_understanding.features.statistics import POOLED_WIDTHS, POOLINGS
from video_understanding.words.encoders import TextEncoder, encoded

MOST_LETTERS = 100_000  # of one text: more is a book, not a sentence
_SHOWN_LETTERS = 40
_OTHERS = 100  # clips that do not fit a search, for one that does
_LEAST_LENGTH = 1e-6  # of a vector before it is made a unit vector


@dataclass(frozen=True, eq=False)
class Hidden:
    """A hidden layer: [n,P] -> max(0, x @ inner + bias) @ outer, [n,D].

    inner   float32 [P,H]
    bias    float32 [H]
    outer   float32 [H,D]
    """

    inner: np.ndarray
    bias: np.ndarray
    outer: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """[n,P] -> float32 [n,D]."""
        return np.maximum(values @ self.inner + self.bias, 0) @ self.outer


@dataclass(frozen=True, eq=False)
class Projection:
    """A map into a space of D dimensions: (x - mean) @ weights, and what a hidden layer makes of x - mean beside it.

    mean      float32 [P]
    weights   float32 [P,D]
    hidden    None for an affine map
    """

    mean: np.ndarray
    weights: np.ndarray
    hidden: Hidden | None = None

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """[n,P] -> float32 [n,D]."""
        away = values - self.mean
        return away @ self.weights if self.hidden is None else away @ self.weights + self.hidden(away)


@dataclass(frozen=True, eq=False)
class Joined:
    """Several projections of the same features, whose spaces lie side by side in the common one.

    shares        of each in the similarity of two vectors, 1 in sum
    projections   at least one
    """

    shares: tuple[float, ...]
    projections: tuple[Projection, ...]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """[n,P] -> float32 [n,D], of length 1; zeros where the features are none."""
        parts = [np.sqrt(share) * unit(own(values)) for share, own in zip(self.shares, self.projections, strict=True)]
        return np.concatenate(parts, axis=1).astype(np.float32)

    @property
    def inputs(self) -> int:
        """P, how many features it takes."""
        return len(self.projections[0].mean)

    @property
    def size(self) -> int:
        """D, the numbers of one vector."""
        return sum(own.weights.shape[1] for own in self.projections)

    def scaled(self, scales: np.ndarray) -> Joined:
        """What takes features x where this one takes x * scales, [P]."""
        found = []
        for own in self.projections:
            hidden = own.hidden and Hidden(own.hidden.inner * scales[:, None], own.hidden.bias, own.hidden.outer)
            found.append(Projection(own.mean / scales, own.weights * scales[:, None], hidden))
        return Joined(self.shares, tuple(found))


@dataclass(frozen=True, eq=False)
class ClipProjection:
    """What of a modality's tokens goes into the common space: the signed roots of pooled statistics, projected.

    pooling      one of `features.statistics.POOLINGS`
    projection   of the roots, so that a few large features do not decide alone
    """

    pooling: str
    projection: Joined

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        """Tokens [B,n,D'] -> float32 [B,D]."""
        return self.projection(signed_roots(POOLINGS[self.pooling](tokens)))

    def fits(self, shape: tuple[int, int]) -> bool:
        """Whether it can project tokens [n,D'] of this shape."""
        return shape[1] * POOLED_WIDTHS[self.pooling] == self.projection.inputs


@dataclass(frozen=True, eq=False)
class Calibration:
    """From similarities to probabilities, learned on clips that the projections were not fitted to.

    A similarity counts by how far it lies above those of the same sentence with clips that it does not describe.

    clips       float32 [R,D], embeddings of clips of all kinds, to compare with
    sentences   float32 [R,D], embeddings of sentences of all kinds, likewise
    slope, offset   the logit of "the sentence describes the clip" is slope * standard deviations above + offset
    """

    clips: np.ndarray
    sentences: np.ndarray
    slope: float
    offset: float

    def logits(self, similarities: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """Similarities [n,K] of texts [n,D] with K clips -> logits [n,K] of "the text describes the clip"."""
        return self.slope * standardised(similarities, texts @ self.clips.T) + self.offset

    def probabilities(self, similarities: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """Similarities [n,K] of texts [n,D] with K clips -> probability that each text describes each clip, [n,K].

        Beforehand one clip of a hundred is taken to fit: in a search most do not.
        """
        return 1 / (1 + np.exp(np.log(_OTHERS) - self.logits(similarities, texts)))


@dataclass(frozen=True, eq=False)
class CommonSpace:
    """Sentences and clips in one space of D dimensions; all vectors have length 1, and their product says how alike.

    encoders      of sentences, side by side
    text          from their features [S]
    clips         modality -> from its tokens
    calibration   makes probabilities of similarities
    """

    encoders: tuple[TextEncoder, ...]
    text: Joined
    clips: Mapping[str, ClipProjection]
    calibration: Calibration

    @property
    def size(self) -> int:
        """D, the numbers of one vector."""
        return self.text.size

    def embed_texts(self, sentences: Sequence[str]) -> np.ndarray:
        """float32 [n,D], the vector of each sentence.

        Raises:
            VideoUnderstandingError: a sentence is empty, has more than 100,000 letters, or no word of the encoders.
        """
        features = encoded(self.encoders, [_checked(sentence) for sentence in sentences])  # [n,S]
        for sentence, own in zip(sentences, features, strict=True):
            if not own.any():
                raise VideoUnderstandingError(
                    _shown(sentence), "has no word that the model has learned", "Say it in other words."
                )
        return unit(self.text(features))

    def embed_tokens(self, tokens: Mapping[str, np.ndarray], present: Mapping[str, np.ndarray]) -> np.ndarray:
        """The vectors of B clips, float32 [B,D]; zeros for a clip without any modality that words were learned from.

        Args:
            tokens: modality -> [B,n,D'].
            present: modality -> bool [B], the clips that have it.
        """
        found = 0
        for modality, project in self.clips.items():
            found = found + project(tokens[modality]) * present[modality][:, None]
        return unit(found)


def unit(vectors: np.ndarray) -> np.ndarray:
    """float32 [n,D]: the vectors with length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(lengths, _LEAST_LENGTH)).astype(np.float32)


def signed_roots(values: np.ndarray) -> np.ndarray:
    """The square root of every value's size, with the value's sign."""
    return np.sign(values) * np.sqrt(np.abs(values))


def standardised(values: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Values [n,K], in standard deviations from the mean of the usual values [n,R] of the same row."""
    return (values - usual.mean(axis=1, keepdims=True)) / np.maximum(usual.std(axis=1, keepdims=True), _LEAST_LENGTH)


def _checked(sentence: str) -> str:
    if not sentence.strip():
        raise VideoUnderstandingError("text", "is empty", "Give a few words.")
    if len(sentence) > MOST_LETTERS:
        raise VideoUnderstandingError("text", f"has {len(sentence)} letters", f"Give at most {MOST_LETTERS}.")
    return sentence


def _shown(sentence: str) -> str:
    return repr(sentence if len(sentence) <= _SHOWN_LETTERS else sentence[:_SHOWN_LETTERS] + "...")
