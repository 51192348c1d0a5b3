"""The text encoder "static": one vector for each piece of a word, and their mean for a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from video_understanding.errors import VideoUnderstandingError, missing_extra
from video_understanding.words.byte_pairs import BytePairs

_PACKAGE = "wordllama"
_VECTORS_FILE = "weights/l2_supercat_256.safetensors"
_TOKENIZER_FILE = "tokenizers/l2_supercat_tokenizer_config.json"
_TENSOR = "embedding.weight"
_INT8 = 127


class StaticVectors:
    """Vectors of a vocabulary's pieces, stored in 8 bits.

    tokenizer   the vocabulary of V pieces
    table       int8 [V,D]
    scales      float32 [V,1]; a piece's vector is its row of the table times its scale
    """

    name = "static"

    def __init__(self, tokenizer: BytePairs, table: np.ndarray, scales: np.ndarray) -> None:
        if table.dtype != np.int8 or table.ndim != 2 or scales.shape != (len(table), 1):
            raise ValueError(f"table {table.dtype} {list(table.shape)} and scales {list(scales.shape)} do not fit")
        if len(tokenizer.pieces) != len(table):
            raise ValueError(f"there are {len(tokenizer.pieces)} pieces for {len(table)} vectors")
        self.tokenizer, self.table, self.scales = tokenizer, table, scales

    @classmethod
    def fit(cls, sentences: Sequence[str]) -> StaticVectors:  # noqa: ARG003  they are learned already
        """Those of the installed package, whatever the sentences are."""
        return cls.from_package()

    @classmethod
    def from_package(cls, folder: Path | None = None) -> StaticVectors:
        """The vectors that the package `wordllama` brings, read from its files; nothing of it is run.

        Args:
            folder: Where the package lies; None for the installed one.

        Raises:
            MissingExtraError: it is not installed.
            VideoUnderstandingError: its files are not there, or others than those of version 0.4.
        """
        if folder is None:
            spec = find_spec(_PACKAGE)
            if spec is None or not spec.submodule_search_locations:
                raise missing_extra(_PACKAGE, "for the vectors of words", "words")
            folder = Path(next(iter(spec.submodule_search_locations)))
        try:
            model = json.loads((folder / _TOKENIZER_FILE).read_text(encoding="utf-8"))["model"]["vocab"]
            vectors = _read_tensor(folder / _VECTORS_FILE, _TENSOR).astype(np.float32)  # [V,D]
            pieces = sorted(model, key=model.get)
            scales = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12) / _INT8
            return cls(BytePairs(pieces), np.round(vectors / scales).astype(np.int8), scales.astype(np.float32))
        except (OSError, ValueError, KeyError, TypeError) as error:
            cause = f"does not hold the files of version 0.4 ({type(error).__name__}: {error})"
            raise VideoUnderstandingError(folder, cause, "Install wordllama>=0.4,<0.5 again.") from error

    @staticmethod
    def is_installed() -> bool:
        """Whether the package is there."""
        return find_spec(_PACKAGE) is not None

    @property
    def size(self) -> int:
        """D, the numbers of one sentence."""
        return self.table.shape[1]

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """float32 [n,D]: the mean vector of each sentence's pieces; zeros for a sentence without any."""
        found = np.zeros((len(sentences), self.size), np.float32)
        for place, sentence in enumerate(sentences):
            numbers = self.tokenizer(sentence)
            if numbers:
                found[place] = (self.table[numbers] * self.scales[numbers]).mean(axis=0)
        return found

    @cached_property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """All that `from_arrays` needs, as arrays for a file."""
        pieces = np.frombuffer(json.dumps(self.tokenizer.pieces, ensure_ascii=False).encode(), np.uint8)
        return {"pieces": pieces, "table": self.table, "scales": self.scales}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> StaticVectors:
        """The encoder that gave `arrays`; ValueError where they are not of its form."""
        pieces = json.loads(arrays["pieces"].tobytes())
        if not isinstance(pieces, list) or not all(isinstance(piece, str) for piece in pieces):
            raise ValueError("the pieces are no list of texts")
        if not np.isfinite(arrays["scales"]).all():
            raise ValueError("scales are not finite")
        return cls(BytePairs(pieces), arrays["table"], arrays["scales"])


def _read_tensor(file: Path, name: str) -> np.ndarray:
    """One float16 tensor of a safetensors file: a length of 8 bytes, a description in JSON, and the numbers."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if length > 1 << 20:
            raise ValueError(f"{file.name} is no safetensors file")
        about = json.loads(opened.read(length))[name]
        if about["dtype"] != "F16":
            raise ValueError(f"{name} is {about['dtype']}, not F16")
        begin, end = about["data_offsets"]
        opened.seek(8 + length + begin)
        return np.frombuffer(opened.read(end - begin), np.float16).reshape(about["shape"])
