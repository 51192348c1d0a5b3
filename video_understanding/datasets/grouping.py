"""Which rows belong together, and an identity for each row that is independent of where the data lies."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from video_understanding.datasets.rows import Row, short_names


class ClipId(NamedTuple):
    """The identity of a row: independent of its place in the manifest and of where the data lies."""

    name: str
    start_s: float | None
    end_s: float | None
    labels: tuple[tuple[str, str], ...]  # (head, label), sorted
    subject: str | None


def clip_ids(rows: Sequence[Row]) -> tuple[ClipId, ...]:
    """The identity of every row; with rows of several data sets, the set's folder is part of the name."""
    sets = _set_prefixes(rows)
    return tuple(
        ClipId(sets[row.root] + row.name, row.start_s, row.end_s, tuple(sorted(row.labels.items())), row.subject)
        for row in rows
    )


def group_rows(rows: Sequence[Row]) -> list[int]:
    """For every row the number of its group: rows that share a subject or a file, directly or through others.

    "S01" of one data set is another person than "S01" of another. Where two manifests list the same
    file, loading them has already made one data set of both.
    """
    return linked([_ties(row) for row in rows])


def torn(rows: Sequence[Row], parts: Sequence[Hashable]) -> list[tuple[str, Counter]]:
    """Each subject, or file, whose rows are in more than one part: its name, and its rows in each."""
    counts: dict[Hashable, Counter] = defaultdict(Counter)
    for row, part in zip(rows, parts, strict=True):
        for tie in _ties(row):
            counts[tie][part] += 1
    sets = _set_prefixes(rows)
    names: dict[Hashable, str] = {}
    for row in rows:
        file, *subject = _ties(row)
        if subject and len(counts[subject[0]]) > 1:  # more general than that the file is torn
            names[subject[0]] = f"{sets[row.root]}{row.subject}"
        elif len(counts[file]) > 1:
            names[file] = f"{sets[row.root]}{row.name}"
    return [(name, counts[tie]) for tie, name in names.items()]


def linked(keys: Sequence[Iterable[Hashable]]) -> list[int]:
    """For every item, given its keys, the number of its group; items with a common key share a group.

    Groups are numbered in the order of their first items.
    """
    leader = list(range(len(keys)))

    def find(item: int) -> int:
        while leader[item] != item:
            leader[item] = leader[leader[item]]
            item = leader[item]
        return item

    holder: dict[Hashable, int] = {}
    for item, own in enumerate(keys):
        for key in own:
            first, second = sorted((find(holder.setdefault(key, item)), find(item)))
            leader[second] = first
    numbers: dict[int, int] = {}
    return [numbers.setdefault(find(item), len(numbers)) for item in range(len(keys))]


def _ties(row: Row) -> list[Hashable]:
    file = ("file", row.path)
    return [file] if row.subject is None else [file, ("subject", row.root, row.subject)]


def _set_prefixes(rows: Sequence[Row]) -> dict[Path, str]:
    names = short_names(row.root for row in rows)
    return {root: f"{name}/" if len(names) > 1 else "" for root, name in names.items()}
