"""Which rows have the same speaker: by subject, by any other column, by folder or by file."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from video_understanding.datasets.rows import Row
from video_understanding.errors import ManifestError

SPEAKER_PLACES = ("folder", "file")  # beside the columns of a table


def speaker_numbers(rows: Sequence[Row], of: str = "subject") -> np.ndarray:
    """int [rows]: a number for each speaker, -1 for a row without one.

    `of` is "folder", "file" or a column; "S01" of one data set is another person than "S01" of another.
    """
    keys = [_key(row, of) for row in rows]
    numbers: dict[Hashable, int] = {}
    return np.array([-1 if key is None else numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def require_speakers(rows: Sequence[Row], of: str, name: str) -> None:
    """Refuses a column that no row of the table `name` has."""
    if any(_key(row, of) is not None for row in rows):
        return
    columns = sorted({column for row in rows for column in row.extra} | {"subject"})
    known = ", ".join([*SPEAKER_PLACES, *columns])
    raise ManifestError(name, f"has no column {of!r} that names the speaker of a clip", f"Use one of: {known}.")


def _key(row: Row, of: str) -> Hashable | None:
    if of == "folder":
        return row.path.parent
    if of == "file":
        return row.path
    value = row.subject if of == "subject" else row.labels.get(of, row.extra.get(of))
    return None if value is None else (row.root, value)
