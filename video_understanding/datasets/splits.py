"""Splits and folds of a manifest that keep every subject in one part, frozen under a hash."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from video_understanding.datasets.frozen_split import Split
from video_understanding.datasets.grouping import clip_ids, group_rows, torn
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.rows import PARTS, Row
from video_understanding.datasets.stratify import place_groups
from video_understanding.errors import SplitError
from video_understanding.labels import Labels

__all__ = ["Split", "leaks", "make_folds", "split_rows"]

_SHOWN = 5
Part = TypeVar("Part", str, int)


def split_rows(
    manifest: Manifest,
    *,
    seed: int,
    validation: float = 0.15,
    test: float = 0.15,
    allow_leak: str | None = None,
) -> Split:
    """Train, validation and test rows, with no subject in two of them and each class in proportion.

    `validation` and `test` are shares of the clips; 0 leaves a part out. A split column is used,
    and a part that it does not name is taken out of its train rows, that share of them. A column
    that puts a subject into two parts is refused unless `allow_leak="subject"` allows it.
    """
    shares = _shares({"validation": validation, "test": test})
    _check_leak_name(allow_leak)
    rng = np.random.default_rng(seed)
    parts = _given_parts(manifest)
    notes = _notes_on_subjects(manifest.rows)
    loose = [index for index, part in enumerate(parts) if part is None]
    if loose or not parts:
        parts = _with(parts, _placed(manifest, loose, shares, rng))
    notes += _refuse_leak(manifest, parts, "split", allow_leak)
    missing = {part: share for part, share in shares.items() if part not in parts}
    if "train" in missing:
        raise SplitError(manifest.name, "its split column names no train rows", "Name some, or remove the column.")
    if missing:
        taken_out = {"train": 1 - sum(missing.values()), **missing}
        parts = _with(parts, _placed(manifest, _train_of(parts), taken_out, rng))
        notes.append(f"The split column names no {' and no '.join(missing)} rows: taken out of train.")
    return _split(manifest, parts, seed, notes)


def make_folds(
    manifest: Manifest,
    *,
    folds: int = 5,
    seed: int,
    validation: float = 0.15,
    allow_leak: str | None = None,
) -> tuple[Split, ...]:
    """One split for each fold: its rows are the test, and train and validation are the others.

    A fold column is used where every row has a fold, whatever the value of `folds`; one that puts a
    subject into two folds is refused unless `allow_leak="subject"` allows it. Otherwise
    subjects are divided into `folds` folds alike in size and classes; as many folds as subjects is
    leave-one-subject-out. `validation` is the share taken out of each fold's train rows,
    again by subject; 0 leaves it out.
    """
    shares = _shares({"validation": validation})
    _check_leak_name(allow_leak)
    notes = _notes_on_subjects(manifest.rows)
    given = [row.fold for row in manifest.rows]
    if given and None not in given:
        tests: Sequence[int] = given
        notes += _refuse_leak(manifest, [f"fold {number}" for number in tests], "fold", allow_leak)
        notes.append(f"The {len(set(tests))} folds are those of the fold column.")
    else:
        if set(given) != {None}:
            notes.append(f"{given.count(None)} of {len(given)} rows have no fold: the fold column is not used.")
        tests = _dealt(manifest, folds, seed)
    if len(set(tests)) < 2:
        raise SplitError(manifest.name, "its fold column names one fold only", "Name two or more, or remove it.")
    splits = []
    for number in sorted(set(tests)):
        parts = ["test" if fold == number else "train" for fold in tests]
        if "validation" in shares:
            rng = np.random.default_rng([seed, number])
            parts = _with(parts, _placed(manifest, _train_of(parts), shares, rng))
        splits.append(_split(manifest, parts, seed, [*notes, f"The test is fold {number}."]))
    return tuple(splits)


def leaks(manifest: Manifest, split: Split) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each subject (or file, where there is no subject) in more than one part, with those parts."""
    found = torn(manifest.rows, split.part_of_rows())
    return tuple((name, tuple(part for part in PARTS if part in counts)) for name, counts in found)


def _shares(given: Mapping[str, float]) -> dict[str, float]:
    for name, share in given.items():
        if not 0 <= share < 1:
            raise SplitError(name, f"{share!r} is not a share of the clips", "Give a number from 0 to below 1.")
    train = 1 - sum(given.values())
    if train <= 0:
        raise SplitError(" and ".join(given), "leave nothing for train", "Give shares that sum to less than 1.")
    return {"train": train, **{name: share for name, share in given.items() if share > 0}}


def _check_leak_name(allow_leak: str | None) -> None:
    if allow_leak not in (None, "subject"):
        raise SplitError("allow_leak", f"{allow_leak!r} is not a leak that can be allowed", "Use 'subject' or None.")


def _given_parts(manifest: Manifest) -> list[str | None]:
    """The values of the split column; a data set may have none, but not for some of its rows only."""
    by_set: dict[object, list[Row]] = defaultdict(list)
    for row in manifest.rows:
        by_set[row.root].append(row)
    for rows in by_set.values():
        missing = [row for row in rows if row.split is None]
        if 0 < len(missing) < len(rows):
            raise SplitError(
                manifest.name,
                f"{len(missing)} of {len(rows)} rows have no split (first: {missing[0].origin})",
                "Give one to every row, or remove the split column.",
            )
    return [row.split for row in manifest.rows]


def _train_of(parts: Sequence[str]) -> list[int]:
    return [index for index, part in enumerate(parts) if part == "train"]


def _with(parts: Sequence[str | None], placed: Mapping[int, str]) -> list[str]:
    return [placed.get(index, part) for index, part in enumerate(parts)]


def _refuse_leak(manifest: Manifest, parts: Sequence[Any], column: str, allow_leak: str | None) -> list[str]:
    """Raises where a column puts a subject into several parts; where that is allowed, returns a note."""
    found = torn(manifest.rows, parts)
    if not found:
        return []
    shown = [
        f"{name} ({', '.join(f'{part} {counts[part]}' for part in sorted(counts))})" for name, counts in found[:_SHOWN]
    ]
    shown += [f"and {len(found) - _SHOWN} more"] * (len(found) > _SHOWN)
    cause = f"its {column} column puts {len(found)} subject(s) or file(s) into several parts: {', '.join(shown)}"
    if allow_leak == "subject":
        return [f"Leak allowed by name: {cause}."]
    raise SplitError(
        manifest.name,
        cause,
        f"Keep each in one part, or remove the {column} column, or allow it with allow_leak='subject'.",
    )


def _placed(
    manifest: Manifest, indices: Iterable[int], shares: Mapping[Part, float], rng: np.random.Generator
) -> dict[int, Part]:
    """Where each of the rows at `indices` goes, groups as a whole."""
    clips = clip_ids(manifest.rows)
    indices = sorted(indices, key=lambda index: repr(clips[index]))  # so that the order of the rows does not matter
    rows = [manifest.rows[index] for index in indices]
    groups = group_rows(rows)
    count = len(set(groups))
    if count < len(shares):
        raise SplitError(
            manifest.name,
            f"{len(shares)} parts ({', '.join(map(str, shares))}) need as many subjects, or files where there is no "
            f"subject, and there are {count} in {len(rows)} rows",
            "Add clips of other subjects, or ask for fewer parts.",
        )
    parts = tuple(shares)
    placed = place_groups(_group_counts(rows, groups, manifest.labels), tuple(shares.values()), rng)  # [G]
    return {index: parts[placed[group]] for index, group in zip(indices, groups, strict=True)}


def _group_counts(rows: Sequence[Row], groups: Sequence[int], labels: Labels) -> np.ndarray:
    """int [G,C]: in column 0 the clips of each group, in the others its clips of each class of each head."""
    classes = [(head, name) for head, names in labels.items() for name in names]
    column_of = {entry: column for column, entry in enumerate(classes, 1)}
    counts = np.zeros((len(set(groups)), 1 + len(classes)), dtype=int)  # [G,C]
    for row, group in zip(rows, groups, strict=True):
        counts[group, 0] += 1
        for head, label in row.labels.items():
            for name in labels.classes_of(head, label):
                counts[group, column_of[head, name]] += 1
    return counts


def _dealt(manifest: Manifest, folds: int, seed: int) -> list[int]:
    """For every row the number of its fold, from 1."""
    if folds < 2:
        raise SplitError("folds", f"{folds!r} is too few", "Ask for two or more.")
    everyone = range(len(manifest))
    fold_of = _placed(manifest, everyone, dict.fromkeys(range(1, folds + 1), 1 / folds), np.random.default_rng(seed))
    return [fold_of[index] for index in everyone]


def _split(manifest: Manifest, parts: Sequence[str], seed: int, notes: Iterable[str]) -> Split:
    members = {part: tuple(index for index, own in enumerate(parts) if own == part) for part in PARTS}
    absent = []
    for part, indices in members.items():
        held = manifest.with_rows(manifest.rows[index] for index in indices)
        for head in manifest.heads:
            lost = [name for name, count in held.counts(head).items() if not count]
            if indices and lost:
                more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
                absent.append(f"No clip in {part} shows the {head} {', '.join(lost[:_SHOWN])}{more}.")
    return Split(members, clip_ids(manifest.rows), seed, (*notes, *absent))


def _notes_on_subjects(rows: Sequence[Row]) -> list[str]:
    unknown = sum(row.subject is None for row in rows)
    if not unknown:
        return []
    return [
        f"{unknown} of {len(rows)} rows have no subject: each file is a group of its own, and clips of one person in "
        "two parts cannot be detected."
    ]
