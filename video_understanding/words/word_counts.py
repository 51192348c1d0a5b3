"""The text encoder "word_counts": which words of a vocabulary a sentence has, rarer ones counting more (tf-idf)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

_WORD = re.compile(r"[^\W_]+")
_FEWEST_SENTENCES = 3  # that a word has to occur in
_MOST_WORDS = 3000


def words_of(sentence: str) -> list[str]:
    """The words of a sentence in small letters, in its order; whatever is no letter and no digit separates them."""
    return _WORD.findall(sentence.casefold())


class WordCounts:
    """Weighted counts of words, as unit vectors.

    vocabulary   V words
    weights      float32 [V], the logarithm of how many sentences there are for one that has the word
    """

    name = "word_counts"

    def __init__(self, vocabulary: Sequence[str], weights: np.ndarray) -> None:
        if weights.shape != (len(vocabulary),):
            raise ValueError(f"there are {len(vocabulary)} words and weights {list(weights.shape)}")
        self.vocabulary, self.weights = tuple(vocabulary), weights
        self._places = {word: place for place, word in enumerate(self.vocabulary)}

    @classmethod
    def fit(cls, sentences: Sequence[str]) -> WordCounts:
        """The words that several of the sentences have, at most 3,000, and how rare each is."""
        counts = Counter(word for sentence in sentences for word in set(words_of(sentence)))
        often = [(word, count) for word, count in counts.most_common(_MOST_WORDS) if count >= _FEWEST_SENTENCES]
        vocabulary = sorted(word for word, _ in often)
        weights = np.log([max(len(sentences), 1) / counts[word] for word in vocabulary])
        return cls(vocabulary, weights.astype(np.float32))

    @staticmethod
    def is_installed() -> bool:
        """Always: it needs nothing."""
        return True

    @property
    def size(self) -> int:
        """V, the numbers of one sentence."""
        return len(self.vocabulary)

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """float32 [n,V], each of length 1; zeros for a sentence without a word of the vocabulary."""
        found = np.zeros((len(sentences), self.size), np.float32)
        for place, sentence in enumerate(sentences):
            for word in words_of(sentence):
                if word in self._places:
                    found[place, self._places[word]] = self.weights[self._places[word]]
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)

    @cached_property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """All that `from_arrays` needs, as arrays for a file."""
        words = np.frombuffer(json.dumps(self.vocabulary).encode(), np.uint8)
        return {"vocabulary": words, "weights": self.weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> WordCounts:
        """The encoder that gave `arrays`; ValueError where they are not of its form."""
        words = json.loads(arrays["vocabulary"].tobytes())
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError("the vocabulary is no list of words")
        if not np.isfinite(arrays["weights"]).all():
            raise ValueError("weights are not finite")
        return cls(words, arrays["weights"].astype(np.float32))
