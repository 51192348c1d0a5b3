"""Splits text into the pieces of a byte-pair vocabulary, as SentencePiece does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

SPACE = "▁"  # stands before every word in such vocabularies
_KNOWN_WORDS = 20_000  # whose pieces are kept: most text repeats its words
_LONGEST_WORD = 200  # letters; joining takes time with their square


class BytePairs:
    """A vocabulary in the order of learning: of all neighbours, the pair that makes the earliest piece is joined.

    pieces   names of the tokens by number; letters without a piece of their own fall back to bytes "<0x41>"
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self._numbers = {piece: number for number, piece in enumerate(self.pieces)}
        self._of_word = lru_cache(_KNOWN_WORDS)(self._pieces_of)

    def __call__(self, text: str) -> list[int]:
        """Numbers of the tokens of a text, in its order; words are what whitespace separates."""
        return [number for word in text.split() for number in self._of_word(word[:_LONGEST_WORD])]

    def _pieces_of(self, word: str) -> tuple[int, ...]:
        parts, none = list(SPACE + word), len(self.pieces)
        while len(parts) > 1:
            joined = [self._numbers.get(first + second, none) for first, second in pairwise(parts)]
            earliest = min(joined)
            if earliest == none:
                break
            place = joined.index(earliest)
            parts[place : place + 2] = [self.pieces[earliest]]
        found: list[int] = []
        for part in parts:
            if part in self._numbers:
                found.append(self._numbers[part])
            else:
                found += [self._numbers[name] for byte in part.encode() if (name := f"<0x{byte:02X}>") in self._numbers]
        return tuple(found)
