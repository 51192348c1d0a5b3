"""The preflight: counts a data set, reads all of it once, and collects the findings of each check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from video_understanding.datasets.grouping import group_rows, torn
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.preflight.duplicates import find_duplicates
from video_understanding.datasets.preflight.report import (
    PROBLEM,
    WARNING,
    ClassCount,
    Finding,
    FoundRow,
    PreflightReport,
    in_order,
    ordered,
    share,
)
from video_understanding.datasets.preflight.scan import Scanned, scan_rows
from video_understanding.datasets.preflight.shortcuts import find_shortcuts
from video_understanding.datasets.rows import Row, short_names
from video_understanding.datasets.sources import torn_sources
from video_understanding.datasets.splits import split_rows
from video_understanding.errors import SplitError

_MOST_TIMES = 5
_FEWEST_CLIPS = 5
_SHOWN = 5


def check_dataset(manifest: Manifest, *, workers: int | None = None, progress: bool | None = None) -> PreflightReport:
    """All checks of a data set before a model is trained on it.

    Every row is read once, as much of it as becomes training windows, `workers` at a time (as many
    as there are processors by default). A progress bar is shown on a terminal, or always or never with
    `progress` True or False.
    """
    scans = scan_rows(manifest.rows, workers, progress)
    findings = [
        *_unreadable(scans),
        *_leaks(manifest.rows),
        *find_duplicates(scans),
        *find_shortcuts(scans),
        *_damaged(scans),
        *_silent(scans, manifest.heads),
        *_nothing_to_learn(manifest),
        *_balance(manifest),
        *_unknown_subjects(manifest.rows),
        *_same_sources(manifest.rows),
        *(Finding("note", WARNING, note, "") for note in manifest.notes),
    ]
    read = [scan for scan in scans if scan.error is None]
    return PreflightReport(
        name=manifest.name,
        clips=len(manifest),
        modalities={
            "picture": sum(scan.facts.picture_codec is not None for scan in read),
            "sound": sum(scan.facts.sound_codec is not None for scan in read),
            "silent": sum(scan.silent for scan in read),
            "unreadable": len(scans) - len(read),
        },
        hours=sum(scan.facts.duration_s or 0.0 for scan in read) / 3600,
        classes={head: _class_counts(manifest, head) for head in manifest.heads},
        subjects=dict(sorted(Counter(_subjects(manifest.rows)).items())),
        splits=in_order(Counter(row.split for row in manifest)),
        folds=in_order(Counter(row.fold for row in manifest)),
        findings=ordered(findings),
    )


def _class_counts(manifest: Manifest, head: str) -> dict[str, ClassCount]:
    counts = {}
    splits, folds = (in_order(Counter(getattr(row, column) for row in manifest)) for column in ("split", "fold"))
    for name in manifest.labels.names(head):
        rows = [row for row in manifest if name in manifest.classes_of(row, head)]
        counts[name] = ClassCount(
            clips=len(rows),
            subjects=len(set(_subjects(rows))),
            splits={part: sum(row.split == part for row in rows) for part in splits},
            folds={number: sum(row.fold == number for row in rows) for number in folds},
        )
    return counts


def _subjects(rows: Sequence[Row]) -> list[str]:
    """The subject of every row that has one; where rows of several data sets meet, with the set's folder."""
    sets = short_names(row.root for row in rows)
    return [f"{sets[row.root]}/{row.subject}" if len(sets) > 1 else row.subject for row in rows if row.subject]


def _unreadable(scans: Sequence[Scanned]) -> Iterator[Finding]:
    failed = [scan for scan in scans if scan.error is not None]
    if failed:
        yield Finding(
            "unreadable",
            PROBLEM,
            f"{share(len(failed), len(scans))} clips cannot be read.",
            "Repair them as stated for each, or remove their rows: they are of no use for training.",
            tuple(FoundRow.of(scan.row, f"{scan.error.cause}. {scan.error.cure}") for scan in failed),
        )


def _damaged(scans: Sequence[Scanned]) -> Iterator[Finding]:
    damaged = [scan for scan in scans if scan.notes]
    if damaged:
        yield Finding(
            "damaged",
            WARNING,
            f"{share(len(damaged), len(scans))} clips are damaged or cut off; what can be read of them is used.",
            "Copy them again from their source, or watch them to check whether their label still holds.",
            tuple(FoundRow.of(scan.row, "; ".join(scan.notes)) for scan in damaged),
        )


def _silent(scans: Sequence[Scanned], heads: Sequence[str]) -> Iterator[Finding]:
    with_track = [scan for scan in scans if scan.error is None and scan.facts.sound_codec is not None]
    silent = [scan for scan in with_track if scan.silent]
    if not silent:
        return
    by_class = []
    for head in heads:
        tracks, lost = (Counter(scan.row.labels.get(head) for scan in some) for some in (with_track, silent))
        by_class += [f"{name} {count} of {tracks[name]}" for name, count in lost.most_common() if name is not None]
    yield Finding(
        "silent",
        WARNING,
        f"{share(len(silent), len(with_track))} sound tracks are digital silence: {_several(by_class)}.",
        "Check whether their sound was lost in processing; if there never was any, nothing is to be done.",
        tuple(FoundRow.of(scan.row) for scan in silent),
    )


def _leaks(rows: Sequence[Row]) -> Iterator[Finding]:
    """Subjects, and files, that a split or fold column puts into several parts."""
    for column in ("split", "fold"):
        placed = [row for row in rows if getattr(row, column) is not None]
        parts = [getattr(row, column) for row in placed]
        found = torn(placed, parts)
        if not found:
            continue
        parts_of = [
            f"{name} ({', '.join(f'{part}: {count}' for part, count in in_order(counts).items())})"
            for name, counts in found
        ]
        members: dict[int, list[Row]] = {}
        for row, group in zip(placed, group_rows(placed), strict=True):
            members.setdefault(group, []).append(row)
        yield Finding(
            f"leak_{column}",
            PROBLEM,
            f"{len(found)} subjects or files lie in more than one {column}, which makes test results too good: "
            f"{_several(parts_of)}.",
            f"Put all clips of each into one {column}, or remove the {column} column to have it made automatically.",
            tuple(
                FoundRow.of(
                    row, f"{column} {getattr(row, column)}" + (f", subject {row.subject}" if row.subject else "")
                )
                for rows_of_group in members.values()
                if len({getattr(row, column) for row in rows_of_group}) > 1
                for row in rows_of_group
            ),
        )


def _nothing_to_learn(manifest: Manifest) -> Iterator[Finding]:
    """What `vu train` refuses: clips that cannot be split, or no head with two classes in the training part."""
    rows: Sequence[Row] = manifest.rows
    try:
        rows = [rows[place] for place in split_rows(manifest, seed=0).parts["train"]]
    except SplitError as error:
        # A torn subject or file has a finding of its own, with all of its clips.
        if not torn(rows, [row.split for row in rows]):
            yield Finding("no_split", PROBLEM, f"Cannot be split for a training: {error.cause}.", error.cure)
    shown = {
        head: {frozenset(manifest.classes_of(row, head)) for row in rows if head in row.labels}
        for head in manifest.heads
    }
    if all(len(different) < 2 for different in shown.values()):
        alone = [f"only one {head}, {', '.join(*map(sorted, one)) or 'none'}" for head, one in shown.items() if one]
        yield Finding(
            "one_class",
            PROBLEM,
            f"There is nothing to learn: the training part has {' and '.join(alone) or 'no labelled clip'}.",
            "Label clips of two classes or more; in a folder each class is a folder of its own.",
        )


def _balance(manifest: Manifest) -> Iterator[Finding]:
    for head in manifest.heads:
        classes = _class_counts(manifest, head)
        most, fewest = (pick(classes, key=lambda name: classes[name].clips) for pick in (max, min))
        times = classes[most].clips / max(classes[fewest].clips, 1)
        if times > _MOST_TIMES:
            yield Finding(
                "imbalance",
                WARNING,
                f"{head}: {most} has {times:.0f} times as many clips as {fewest} "
                f"({classes[most].clips} and {classes[fewest].clips}).",
                "Add clips of the rare classes, or use class weights in training, and compare UAR, not accuracy.",
            )
        has_subjects = all(row.subject for row in manifest if head in row.labels)
        rare = [
            f"{name} ({count.clips} clips" + (f" of {count.subjects} subjects)" if has_subjects else ")")
            for name, count in classes.items()
            if count.clips < _FEWEST_CLIPS or (has_subjects and count.subjects < 2)
        ]
        if rare:
            yield Finding(
                "rare_class",
                WARNING,
                f"{head}: {len(rare)} of {len(classes)} classes are too rare to be tested on unseen subjects: "
                f"{_several(rare)}.",
                f"Add clips until each class has {_FEWEST_CLIPS} or more, of two or more subjects, or leave it out.",
            )
        for column in ("splits", "folds"):
            yield from _absent(head, classes, column)


def _absent(head: str, classes: dict[str, ClassCount], column: str) -> Iterator[Finding]:
    """Classes that a split or fold lacks; a class without training clips cannot be learned."""
    lacking = {
        part: [name for name, count in classes.items() if not getattr(count, column)[part]]
        for part in getattr(next(iter(classes.values())), column)
    }
    lacking = {part: names for part, names in lacking.items() if names}
    if lacking:
        absent = [f"{column[:-1]} {part} has no {_several(names)}" for part, names in lacking.items()]
        yield Finding(
            "absent_class",
            PROBLEM if "train" in lacking else WARNING,
            f"{head}: {'; '.join(absent)}.",
            f"Put clips of each class into each {column[:-1]}, or remove the column to have it made automatically.",
        )


def _unknown_subjects(rows: Sequence[Row]) -> Iterator[Finding]:
    unknown = [row for row in rows if row.subject is None]
    if unknown:
        yield Finding(
            "no_subject",
            WARNING,
            f"{share(len(unknown), len(rows))} clips have no subject: clips of one person, place or recording may be "
            "in both training and test.",
            "Add a subject column that names who or what each clip shows, or which recording it was cut from.",
            tuple(FoundRow.of(row) for row in unknown if len(unknown) < len(rows)),
        )


def _same_sources(rows: Sequence[Row]) -> Iterator[Finding]:
    """Clips that seem to be parts of one recording, which a training may put on both sides of its split."""
    found = torn_sources(rows, range(len(rows)))
    if found is not None:
        yield Finding(
            "same_source",
            WARNING,
            f"{found.clips} clips seem to be parts of {found.sources} recording(s), such as {found.example[0]} and "
            f"{found.example[1]}: in both training and test, they make results too good.",
            "Add a subject column that names the recording of each clip.",
        )


def _several(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
