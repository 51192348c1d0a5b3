"""The catalogue of an index: an SQLite database of its files, and where the vectors of each begin."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from video_understanding.errors import SearchError
from video_understanding.whole_file import whole_file

CATALOGUE_FILE = "catalogue.db"
FORMAT = "1"
_TABLES = """
create table about (name text primary key, value text not null);
create table files (
    path text primary key, size integer not null, mtime_ns integer not null, digest text not null,
    duration_s real not null, first integer not null, moments integer not null, error text
);
create index files_by_digest on files (digest);
"""
_DAMAGED = "Make the index again, or restore it from a copy."


@dataclass(frozen=True)
class Entry:
    """One file of an index.

    path        absolute
    size, mtime_ns   of the file when it was read, by which a changed one is found
    digest      of its content, by which a moved one is found
    duration_s  seconds; 0 where it could not be read
    first       the number of its first vector; the others follow
    moments     how many there are
    error       why it could not be read; None where it could
    """

    path: str
    size: int
    mtime_ns: int
    digest: str
    duration_s: float
    first: int
    moments: int
    error: str | None = None


class Catalogue:
    """The database in an index's folder; each change is whole on the disk or not there, however a process ends."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / CATALOGUE_FILE
        if not self._file.is_file():
            found = "is no index: it has no catalogue" if folder.is_dir() else "does not exist"
            raise SearchError(folder, found, "Make it with: vu index FOLDER --out INDEX --model BUNDLE")
        with self._readable():
            self._database = sqlite3.connect(self._file, timeout=30)
            self._database.execute("pragma journal_mode=wal")
            self.about: dict[str, str] = dict(self._database.execute("select name, value from about"))
            self._database.execute("select first, moments from files limit 1")

    @classmethod
    def make(cls, folder: Path, about: Mapping[str, str]) -> None:
        """Makes an empty catalogue, whole or not at all."""
        with whole_file(folder / CATALOGUE_FILE, durable=True) as unfinished:
            database = sqlite3.connect(unfinished)
            with database:
                database.executescript(_TABLES)
                database.executemany("insert into about values (?, ?)", about.items())
            database.close()

    def describe(self, about: Mapping[str, str]) -> None:
        """Writes what the index is."""
        with self._readable(), self._database:
            self._database.executemany("insert or replace into about values (?, ?)", about.items())
        self.about |= about

    def entries(self) -> dict[str, Entry]:
        """All files by their paths, in the order of their vectors."""
        with self._readable():
            rows = self._database.execute("select * from files order by first, path")
            return {row[0]: Entry(*row) for row in rows}

    def put(self, entries: Sequence[Entry]) -> None:
        """Adds or replaces files."""
        values = [tuple(vars(entry).values()) for entry in entries]
        with self._readable(), self._database:
            self._database.executemany("insert or replace into files values (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def remove(self, paths: Sequence[str]) -> None:
        """Removes files; their vectors stay until the index is packed."""
        with self._readable(), self._database:
            self._database.executemany("delete from files where path = ?", [(path,) for path in paths])

    def replace_all(self, entries: Sequence[Entry], about: Mapping[str, str]) -> None:
        """All files anew, together with what the index is."""
        values = [tuple(vars(entry).values()) for entry in entries]
        with self._readable(), self._database:
            self._database.execute("delete from files")
            self._database.executemany("insert into files values (?, ?, ?, ?, ?, ?, ?, ?)", values)
            self._database.executemany("insert or replace into about values (?, ?)", about.items())
        self.about |= about

    def close(self) -> None:
        """Nothing more will be asked."""
        self._database.close()

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise SearchError(self._file, f"cannot be read or written ({error})", _DAMAGED) from error
