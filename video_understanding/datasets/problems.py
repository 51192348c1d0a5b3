"""Reports all errors of one source of clips together, by line."""

from __future__ import annotations

from collections.abc import Sequence

from video_understanding.datasets.rows import Row, is_there
from video_understanding.errors import ManifestError

SHOWN = 10


class Problems:
    """Collects the errors in the lines of one source, to raise them together."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, text: str) -> None:
        self._found.append((line, text))

    def raise_if_any(self) -> None:
        if not self._found:
            return
        count = len({line for line, _ in self._found})
        first = "; ".join(f"line {line}: {text}" for line, text in self._found[:SHOWN])
        more = len(self._found) - SHOWN
        raise ManifestError(
            self._source,
            f"{count} {'line' if count == 1 else 'lines'} cannot be read",
            first + (f"; and {more} more." if more > 0 else "."),
        )


def refuse_if_none_exists(rows: Sequence[Row], source: str) -> None:
    """Raises where not one file of a source exists: then its paths are relative to another folder."""
    if rows and not any(is_there(row.path) for row in rows):
        count = "its one file does not exist" if len(rows) == 1 else f"none of its {len(rows)} files exists"
        raise ManifestError(
            source,
            count,
            f"Paths are relative to the folder of the manifest; tried first: {rows[0].path} ({rows[0].origin}).",
        )
