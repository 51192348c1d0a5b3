"""The text encoders by name, and the features of several of them side by side."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from video_understanding.errors import VideoUnderstandingError
from video_understanding.words.static_vectors import StaticVectors
from video_understanding.words.word_counts import WordCounts

_LOG = logging.getLogger("video_understanding")


class TextEncoder(Protocol):
    """Anything that turns sentences into vectors; `fit` learns it from sentences, `arrays` are what it is stored as."""

    name: str

    @property
    def size(self) -> int:
        """D, the numbers of one sentence."""
        ...

    @property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """What `from_arrays` makes the encoder of."""
        ...

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """float32 [n,D]; zeros for a sentence of which nothing is known."""
        ...


TEXT_ENCODERS: dict[str, type] = {encoder.name: encoder for encoder in (WordCounts, StaticVectors)}


def fit_encoders(names: Sequence[str], sentences: Sequence[str]) -> tuple[TextEncoder, ...]:
    """The encoders of these names, learned from the sentences as far as they learn.

    Raises:
        VideoUnderstandingError: a name is not known, or a package that an encoder needs is not installed.
    """
    unknown = [name for name in names if name not in TEXT_ENCODERS]
    if unknown:
        raise VideoUnderstandingError(
            f"text encoder {unknown[0]!r}", "is not known", f"Use some of: {', '.join(TEXT_ENCODERS)}."
        )
    return tuple(TEXT_ENCODERS[name].fit(sentences) for name in names)


def installed_encoders() -> tuple[str, ...]:
    """The names of all encoders that can be fitted here; "static" needs a package, and is warned of where it lacks."""
    names = tuple(name for name, encoder in TEXT_ENCODERS.items() if encoder.is_installed())
    if len(names) < len(TEXT_ENCODERS):
        _LOG.warning(
            "words are learned from the sentences alone, so that a search understands no others. For vectors of all "
            "words, install in a clone of this project: pip install '.[words]'"
        )
    return names


def encoded(encoders: Sequence[TextEncoder], sentences: Sequence[str]) -> np.ndarray:
    """float32 [n,S]: the features of all encoders side by side."""
    return np.concatenate([encoder.encode(sentences) for encoder in encoders], axis=1)
