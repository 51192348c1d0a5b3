"""Duplicate clips: the same bytes, the same sound or the same picture under several names."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from video_understanding.datasets.grouping import group_rows
from video_understanding.datasets.preflight.report import PROBLEM, WARNING, Finding, FoundRow
from video_understanding.datasets.preflight.scan import Scanned
from video_understanding.datasets.preflight.similarity import join_same_pictures, join_same_sounds
from video_understanding.datasets.rows import Row

_SAME = {
    "same_file": "are the same file, byte for byte,",
    "same_sound": "have the same sound",
    "same_picture": "show the same picture",
}


def find_duplicates(scans: Sequence[Scanned]) -> Iterator[Finding]:
    """Groups of clips that are the same, each reported once, by the most that its clips have in common.

    A problem where a group is in several splits or folds, would be torn apart by a split of subjects,
    or has different labels; else a warning.
    """
    read = [scan for scan in scans if scan.error is None]
    rows = [scan.row for scan in read]
    ties = group_rows(rows)
    files = _by_content([row.path for row in rows])
    sounds = join_same_sounds([scan.sound for scan in read], files)
    pictures = join_same_pictures([scan.picture for scan in read], files)
    reported: list[set[int]] = []
    for kind, numbers in (("same_file", files), ("same_sound", sounds), ("same_picture", pictures)):
        groups = [group for group in _members(numbers) if not any(group <= known for known in reported)]
        reported += groups
        reasons = [_reasons([rows[member] for member in group], {ties[member] for member in group}) for group in groups]
        for severity in (PROBLEM, WARNING):
            chosen = [
                (group, why) for group, why in zip(groups, reasons, strict=True) if bool(why) == (severity == PROBLEM)
            ]
            if chosen:
                yield _finding(kind, severity, chosen, rows)


def _by_content(paths: Sequence[Path]) -> list[int]:
    """For every row's path a number, the same only where files of different names have the same bytes."""
    sizes: dict[int, set[Path]] = defaultdict(set)
    for path in paths:
        sizes[path.stat().st_size].add(path)
    names: dict[bytes, list[Path]] = defaultdict(list)
    for alike in sizes.values():
        for path in alike if len(alike) > 1 else ():
            with path.open("rb") as file:
                names[hashlib.file_digest(file, "sha256").digest()].append(path)
    number_of = {path: number for number, same in enumerate(names.values()) if len(same) > 1 for path in same}
    return [number_of.get(path, len(names) + place) for place, path in enumerate(paths)]


def _members(numbers: Sequence[int]) -> list[set[int]]:
    """The clips of every group that has more than one."""
    groups: dict[int, set[int]] = defaultdict(set)
    for member, number in enumerate(numbers):
        groups[number].add(member)
    return [group for group in groups.values() if len(group) > 1]


def _reasons(rows: Sequence[Row], ties: set[int]) -> list[str]:
    """Why it is a problem that these clips are the same; nothing where it is none."""
    labels_of: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for head, label in row.labels.items():
            labels_of[head].add(label)
    reasons = [f"different {head} labels" for head, labels in labels_of.items() if len(labels) > 1]
    reasons += [
        f"several {column}s" for column in ("split", "fold") if len({getattr(row, column) for row in rows} - {None}) > 1
    ]
    placed = all(row.split is not None or row.fold is not None for row in rows)
    if not placed and len(ties) > 1:
        reasons.append("several subjects" if all(row.subject for row in rows) else "no common subject")
    return reasons


def _finding(kind: str, severity: str, chosen: Sequence[tuple[set[int], list[str]]], rows: Sequence[Row]) -> Finding:
    counts = Counter(reason for _, why in chosen for reason in why)
    torn = "; ".join(f"{reason}: {count}" for reason, count in counts.items())
    clips = sum(len(group) for group, _ in chosen)
    groups = "1 group" if len(chosen) == 1 else f"{len(chosen)} groups"
    cure = "Keep one clip of each group, or keep the group together: the same subject, and the same split or fold."
    if any(reason.endswith("labels") for reason in counts):
        cure += " Where the labels differ, check which one is true."
    return Finding(
        kind,
        severity,
        f"{clips} clips in {groups} {_SAME[kind]} under different names" + (f" (groups with {torn})." if torn else "."),
        cure if severity == PROBLEM else "Keep one of each group, unless it is meant to count twice.",
        tuple(
            FoundRow.of(rows[member], f"group {number}: {_where(rows[member])}")
            for number, (group, _) in enumerate(chosen, 1)
            for member in sorted(group)
        ),
    )


def _where(row: Row) -> str:
    known = {
        "split": row.split,
        "fold": row.fold,
        "subject": row.subject,
        **row.labels,
    }
    return ", ".join(
        value if name == "split" else f"{name} {value}" for name, value in known.items() if value is not None
    )
