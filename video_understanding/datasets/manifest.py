"""The labelled clips of one or more sources as one value: its rows, its classes, and notes."""

from __future__ import annotations

import difflib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from video_understanding.datasets.folders import read_folder
from video_understanding.datasets.grouping import linked
from video_understanding.datasets.listings import read_listing
from video_understanding.datasets.plain_text import read_text
from video_understanding.datasets.problems import SHOWN
from video_understanding.datasets.rows import Row, absolute_path, is_media, is_there, short_names
from video_understanding.datasets.tables import is_table, read_table
from video_understanding.errors import ManifestError
from video_understanding.labels import BETWEEN, HEADS, Labels, require_head_name
from video_understanding.media.container import address_of

__all__ = ["Manifest", "Row", "load_manifest"]

TABLE_SUFFIXES = (".csv", ".tsv")
FOLDER_TABLE = "clips.csv"
_CLASSES_SHOWN = 12
_SINGLE_VALUED = ("subject", "split", "fold")


@dataclass(frozen=True, repr=False)
class Manifest:
    """Labelled clips. Rows may lack a label of any head; every label they have is among `labels`.

    rows          one for each clip
    labels        class names of each head
    sources       the files and folders the rows were read from
    notes         what was unusual, assumed or ignored, in words
    """

    rows: tuple[Row, ...]
    labels: Labels
    sources: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("rows", "sources", "notes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        known = {head: frozenset(names) for head, names in self.labels.items()}
        for row in self.rows:
            for head, label in row.labels.items():
                if not known.get(head, frozenset()).issuperset(self.labels.classes_of(head, label)):
                    raise ManifestError(
                        row.origin or row.path,
                        f"{head} {label!r} is not among the classes of the manifest",
                        f"Known classes: {', '.join(self.labels.get(head, ())) or 'none'}.",
                    )

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @property
    def name(self) -> str:
        """Its name in messages: the names of its sources."""
        names = short_names(self.sources).values()
        return ", ".join(names) or "manifest"

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads that clips are labelled for."""
        return self.labels.heads

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the subjects, sorted; the same name in two data sets is listed once."""
        return tuple(sorted({row.subject for row in self.rows if row.subject is not None}))

    def classes_of(self, row: Row, head: str) -> tuple[str, ...]:
        """Classes of one head that a clip shows: one, several, or none."""
        return self.labels.classes_of(head, row.labels.get(head))

    def counts(self, head: str) -> dict[str, int]:
        """Clips of each class of one head, in the order of its scores."""
        found = Counter(name for row in self.rows for name in self.classes_of(row, head))
        return {name: found[name] for name in self.labels.names(head)}

    def with_rows(self, rows: Iterable[Row]) -> Manifest:
        """The same manifest with other rows; the classes stay, so that scores keep their order."""
        return replace(self, rows=tuple(rows))

    def __repr__(self) -> str:
        parts = [f"{len(self)} rows of {self.name}"]
        for head in self.heads:
            counts = list(self.counts(head).items())
            first = ", ".join(f"{name} {count}" for name, count in counts[:_CLASSES_SHOWN])
            more = f" and {len(counts) - _CLASSES_SHOWN} more classes" if len(counts) > _CLASSES_SHOWN else ""
            parts.append(f"{head}: {first}{more}")
        if self.subjects:
            parts.append(f"{len(self.subjects)} subjects")
        if self.notes:
            parts.append(f"{len(self.notes)} note(s)")
        return f"Manifest({'; '.join(parts)})"


def load_manifest(*data: str | Path, heads: Sequence[str] | None = None, candidates: Sequence[str] = HEADS) -> Manifest:
    """All clips of `data`: folders of class folders, CSV files, lists of `path label` lines.

    A folder that holds a clips.csv is read as that table. Several sources are joined: a clip listed
    twice is kept once, and labels of different heads are merged; labels that contradict each
    other are refused.

    Args:
        data: files and folders.
        heads: the columns that hold labels, each of which must be there; None for those of `candidates` that are.
        candidates: see `heads`.

    Raises:
        ManifestError: where a source cannot be read, or a head is named that no clip is labelled for.
    """
    sought = tuple(dict.fromkeys(map(require_head_name, candidates if heads is None else heads)))
    if not sought:
        raise ManifestError("heads", "name no column", f"Name one or more, such as {','.join(HEADS)}.")
    if not data:
        raise ManifestError("data", "no source of clips is given", "Name a folder, a CSV file or a list of clips.")
    sources = tuple(dict.fromkeys(_source(item) for item in data))
    notes = ["A source that was given more than once is read once."] if len(sources) < len(data) else []
    names = short_names(sources)
    rows: list[Row] = []
    for source in sources:
        found, remarks = _read(source, names[source], sought)
        rows += found
        notes += remarks
    rows, remarks = _joined(rows, names.values())
    notes += remarks
    labels = Labels.found_in((row.labels for row in rows), sought)
    lacking = [head for head in heads or () if head not in labels]
    if lacking:
        there = ", ".join([*labels, *sorted({column for row in rows for column in row.extra})])
        raise ManifestError(
            ", ".join(names.values()),
            f"no clip is labelled for {' or '.join(lacking)}",
            f"Name columns that the data have: {there}.",
        )
    notes += _label_notes(rows, labels)
    return Manifest(tuple(rows), labels, sources, tuple(notes))


def _source(item: str | Path) -> Path:
    path = absolute_path(str(item), Path.cwd())
    if not is_there(path):
        address = address_of(Path(item))
        if address is not None:
            raise ManifestError(address, "is an address, and only files are read", "Download it, and give the file.")
        known = path.parent.is_dir() and os.access(path.parent, os.R_OK)
        siblings = [entry.name for entry in path.parent.iterdir()] if known else []
        near = difflib.get_close_matches(path.name, siblings, n=1)
        hint = f"Did you mean {str(path.parent / near[0])!r}?" if near else "Check the path and the working directory."
        raise ManifestError(item, "does not exist", hint)
    if path.is_dir() and (path / FOLDER_TABLE).is_file():
        return path / FOLDER_TABLE
    return path


def _read(source: Path, name: str, heads: Sequence[str]) -> tuple[list[Row], list[str]]:
    if source.is_dir():
        return read_folder(source, name, heads)
    if is_media(source):
        raise ManifestError(
            name, "is a media file, not a list of clips", "Give its folder, or a CSV that names it and its labels."
        )
    if source.suffix.lower() in TABLE_SUFFIXES or is_table(read_text(source, name)):
        return read_table(source, name, heads)
    return read_listing(source, name, heads)


def _joined(rows: list[Row], sources: Iterable[str]) -> tuple[list[Row], list[str]]:
    """The rows with every clip once, and notes on those that were listed more than once."""
    listed: dict[tuple, list[Row]] = defaultdict(list)
    for row in _of_one_set(rows):
        listed[row.place].append(row)
    contradictions = [text for same in listed.values() for text in _contradictions(same)]
    if contradictions:
        more = len(contradictions) - SHOWN
        raise ManifestError(
            ", ".join(sources),
            f"{len(contradictions)} contradiction(s) between lines about the same clip",
            "; ".join(contradictions[:SHOWN]) + (f"; and {more} more." if more > 0 else "."),
        )
    # Several rows may each give a sentence about one clip.
    twice = [same for same in listed.values() if len(same) > 1 and not all(row.texts for row in same)]
    complementary = [same for same in twice if any(row.labels != same[0].labels for row in same)]
    repeated = [same for same in twice if all(row.labels == same[0].labels for row in same)]
    notes = [
        f"{len(several)} clip(s) are listed more than once {how}, such as {_merged(several[0]).origin}."
        for several, how in ((repeated, "and kept once"), (complementary, "and their labels put together"))
        if several
    ]
    return [_merged(same) for same in listed.values()], notes


def _of_one_set(rows: list[Row]) -> list[Row]:
    """The rows, those of sources that list the same file as rows of one data set.

    Such sources describe the same recordings, so a subject's name is the same person in both.
    """
    files: dict[Path, set[Path]] = defaultdict(set)
    for row in rows:
        files[row.root].add(row.path)
    sets: dict[int, list[Path]] = defaultdict(list)
    for root, number in zip(files, linked(list(files.values())), strict=True):
        sets[number].append(root)
    common = {root: Path(os.path.commonpath(roots)) for roots in sets.values() for root in roots}
    return [row if common[row.root] == row.root else replace(row, root=common[row.root]) for row in rows]


def _contradictions(same: list[Row]) -> Iterator[str]:
    if len(same) == 1:
        return
    by_column: dict[str, dict[str | int, Row]] = defaultdict(dict)
    for row in reversed(same):
        for column, value in (*row.labels.items(), *((column, getattr(row, column)) for column in _SINGLE_VALUED)):
            if value is not None:
                by_column[column][value] = row
    for column, values in by_column.items():
        if len(values) > 1:
            versions = ", ".join(f"{value!r} in {row.origin}" for value, row in reversed(values.items()))
            yield f"{same[0].name}: {column} is {versions}"


def _merged(same: list[Row]) -> Row:
    if len(same) == 1:
        return same[0]
    said = {
        column: next((getattr(row, column) for row in same if getattr(row, column) is not None), None)
        for column in _SINGLE_VALUED
    }
    # For columns with several values the first line has priority.
    labels, extra = (
        {name: value for row in reversed(same) for name, value in getattr(row, column).items()}
        for column in ("labels", "extra")
    )
    texts = tuple(dict.fromkeys(text for row in same for text in row.texts))
    origin = same[0].origin if texts else " and ".join(row.origin for row in same)
    return replace(same[0], **said, labels=labels, texts=texts, extra=extra, origin=origin)


def _label_notes(rows: list[Row], labels: Labels) -> Iterator[str]:
    unlabelled = [row for row in rows if not row.labels and not row.texts]
    if unlabelled:
        yield f"{len(unlabelled)} clip(s) have no label at all (first: {unlabelled[0].origin})."
    for head, classes in labels.items():
        several = sum(BETWEEN in row.labels.get(head, "") for row in rows)
        if several:
            yield (
                f"{several} clip(s) show several {head} classes at once: a model learns them as a multi-label head "
                f"(--multi-label {head})."
            )
        written: dict[str, list[str]] = defaultdict(list)
        for name in classes:
            written[name.casefold()].append(name)
        for names in written.values():
            if len(names) > 1:
                yield f"The {head} classes {', '.join(names)} differ only in capital letters; are they one?"
