"""The vectors of an index on disk: float16 rows, mapped into memory, and the span of each moment beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from video_understanding.errors import SearchError

_BLOCK_ROWS = 1 << 15  # read at a time: 16 MB at 256 dimensions
_SHARD_ROWS = 1 << 18  # of one file, so that none grows beyond what is easily copied


class Vectors:
    """Rows [N,D] in shards `vectors-GENERATION-NUMBER.f16`, and [N,2] seconds in `spans-GENERATION-NUMBER.f32`.

    Rows are only ever added behind the last; what a killed process wrote beyond those that the catalogue names is
    written over.
    """

    def __init__(self, folder: Path, size: int, generation: int = 0) -> None:
        self.folder, self.size, self.generation = folder, size, generation

    def write(self, first: int, values: np.ndarray, spans_s: np.ndarray) -> None:
        """Puts vectors [n,D] and their spans [n,2] behind row `first`, and onto the disk."""
        done = 0
        while done < len(values):
            shard, place = divmod(first + done, _SHARD_ROWS)
            count = min(len(values) - done, _SHARD_ROWS - place)
            for kind, dtype, array in (("vectors", np.float16, values), ("spans", np.float32, spans_s)):
                rows = np.ascontiguousarray(array[done : done + count], dtype)
                file = self._file(kind, shard)
                with file.open("r+b" if file.exists() else "w+b") as opened:
                    opened.seek(place * rows.shape[1] * rows.itemsize)
                    opened.write(rows.data)
                    opened.flush()
                    os.fsync(opened.fileno())
            done += count

    def rows(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Vectors float16 [count,D] and spans float32 [count,2] from row `first` on."""
        found = [
            tuple(self._mapped(kind, shard)[place : place + many] for kind in ("vectors", "spans"))
            for shard, place, many in _pieces(first, count)
        ]
        if not found:
            return np.zeros((0, self.size), np.float16), np.zeros((0, 2), np.float32)
        values, spans_s = (np.concatenate(parts) for parts in zip(*found, strict=True))
        if len(values) != count or len(spans_s) != count:
            raise SearchError(self.folder, "has fewer vectors than its catalogue names", "Make the index again.")
        return values, spans_s

    def blocks(self, count: int) -> Iterator[tuple[int, np.ndarray]]:
        """The first `count` rows, some at a time: the number of the first, and float32 [n,D]."""
        for first in range(0, count, _BLOCK_ROWS):
            many = min(_BLOCK_ROWS, count - first)
            yield first, self.rows(first, many)[0].astype(np.float32)

    def remove(self) -> None:
        """Removes the files of this generation."""
        for kind in ("vectors", "spans"):
            for file in self.folder.glob(f"{kind}-{self.generation}-*"):
                file.unlink()

    def _mapped(self, kind: str, shard: int) -> np.ndarray:
        file = self._file(kind, shard)
        dtype, width = (np.float16, self.size) if kind == "vectors" else (np.float32, 2)
        try:
            whole = np.memmap(file, dtype, "r")
        except (OSError, ValueError) as error:
            raise SearchError(file, f"cannot be read ({error})", "Make the index again.") from error
        return whole[: len(whole) // width * width].reshape(-1, width)

    def _file(self, kind: str, shard: int) -> Path:
        return self.folder / f"{kind}-{self.generation}-{shard}.{'f16' if kind == 'vectors' else 'f32'}"


def _pieces(first: int, count: int) -> Iterator[tuple[int, int, int]]:
    """The shards that rows lie in: number, first row in it, how many."""
    while count:
        shard, place = divmod(first, _SHARD_ROWS)
        many = min(count, _SHARD_ROWS - place)
        yield shard, place, many
        first, count = first + many, count - many
